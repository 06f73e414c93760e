"""What a report of a check says, in both languages: the same sentences and items as the page with the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dossiers.answers import answer
from dossiers.calendar import VIETNAM
from dossiers.types import RegisterStatus
from signing import words
from signing.types import Integrity, Kind, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dossiers.types import Agency
    from dossiers.verification import Judgement
    from signing.types import SignatureReport
    from signing.words import Language

Pair = tuple[str, str]
Row = tuple[Pair, Pair]

#: What a certificate says of itself is cut here.
_LONGEST = 200
_NONE: Pair = ("–", "")
_KINDS: dict[Kind, Pair] = {
    Kind.E_RESULT: ("kết quả điện tử", "electronic result"),
    Kind.ELECTRONIC_COPY: ("bản sao điện tử", "electronic copy"),
    Kind.CHECK_REPORT: ("biên bản kiểm tra chữ ký số", "report of a check"),
    Kind.ANNEX: ("phụ lục trong tệp riêng", "annex in a file of its own"),
    Kind.FOREIGN: ("văn bản của hệ thống khác", "another system's document"),
    Kind.UNKNOWN: ("không rõ", "unknown"),
}
_STATUS: dict[RegisterStatus, Pair] = {
    RegisterStatus.ISSUED: ("Đang có hiệu lực.", "In force."),
    RegisterStatus.WITHDRAWN: ("Đã bị thu hồi ngày {day}.", "Withdrawn on {day}."),
    RegisterStatus.SUPERSEDED: ("Đã được thay thế ngày {day}.", "Superseded on {day}."),
    RegisterStatus.NOT_OURS: (
        "Sổ phát hành ở đây không có đúng tệp này.",
        "The register here doesn't hold this very file.",
    ),
}


def described(
    judgement: Judgement, *, agency: Agency, size: int, policy: str, system: str, address: str, watermark: str = ""
) -> dict[str, Any]:
    """Everything the report says, as strings.

    Args:
        agency: Who makes it.
        size: Of the file, in bytes.
        policy: By which rules.
        system, address: Name of the service (Decree 137/2024, article 5), and where it is checked.
    """
    headline, reason, next_step = _bilingual(judgement)
    file = (
        (("SHA-256", ""), (judgement.sha256, "")),
        (("Kích thước", "Size"), (f"{size} byte", f"{size} bytes")),
        (("Loại tệp", "Kind"), _KINDS[judgement.file.kind]),
        (("Thời điểm kiểm tra", "Checked at"), (_moment(judgement.checked_at), "")),
        (("Chính sách kiểm tra", "Policy"), (f"{policy} (ETSI EN 319 102-1): {address}/chinh-sach", "")),
        (("Hệ thống", "System"), (system, "")),
        (("Chủ quản", "Owner"), (agency.name, "")),
        (("Địa chỉ kiểm tra", "Where to check"), (_own_address(judgement, address), "")),
    )
    sections = [
        {"title": ("Kết luận theo ba mặt", "Three lines"), "rows": _three_lines(judgement)},
        {"title": ("Tệp đã kiểm tra", "The file that was checked"), "rows": file},
        {"title": ("Sổ phát hành", "The register"), "rows": _register(judgement)},
    ]
    sections += [
        {"title": (f"Chữ ký {number}", f"Signature {number}"), "rows": _signature(report, judgement)}
        for number, report in enumerate(judgement.file.signatures, start=1)
    ]
    return {
        "agency_name": agency.letterhead or agency.name,
        "parent_name": agency.parent_name,
        "place": agency.place,
        "checked_at": judgement.checked_at.isoformat(),
        "headline": headline,
        "reason": reason,
        "next_step": next_step,
        "sections": sections,
        "notes": [
            (
                "Biên bản này đúng vào thời điểm kiểm tra; sổ phát hành có thể thay đổi sau đó. Tệp không được lưu.",
                "This report holds for the moment of checking; the register may change later. The file wasn't kept.",
            ),
            (
                "Biên bản không phải là văn bản đã kiểm tra và không thay cho văn bản đó.",
                "The report is not the document that was checked, and doesn't stand in for it.",
            ),
        ],
        "address": _own_address(judgement, address),
        "watermark": watermark,
    }


def _short(words: str) -> str:
    """Strangers write into certificates what they like, of any length."""
    return words if len(words) <= _LONGEST else words[:_LONGEST] + "…"


def _bilingual(judgement: Judgement) -> tuple[Pair, Pair, Pair]:
    vi, en = answer(judgement, language="vi"), answer(judgement, language="en")
    return (vi.headline, en.headline), (vi.reason, en.reason), (vi.next_step, en.next_step)


def _three_lines(judgement: Judgement) -> list[Row]:
    found = judgement.file
    if found.verdict is Verdict.GENUINE:
        content = ("Không thay đổi từ khi ký.", "Unchanged since it was signed.")
        signer = ("Chữ ký hợp lệ.", "The signatures are valid.")
    else:
        content = {
            Integrity.ALTERED: ("Đã bị thay đổi sau khi ký.", "Changed after it was signed."),
            Integrity.INTACT: (
                "Không thấy thay đổi từ khi ký, nhưng chưa xác nhận được chữ ký.",
                "No change since it was signed is seen, but the signature isn't confirmed.",
            ),
            Integrity.UNKNOWN: ("Không biết có bị thay đổi hay không.", "Whether it was changed can't be told."),
        }[found.integrity]
        signer = ("Chưa xác nhận được người ký.", "Who signed isn't confirmed.")
        if not found.signatures:
            signer = ("Không đọc được chữ ký số nào.", "No digital signature could be read.")
        elif found.verdict is Verdict.REVOKED:
            signer = ("Chứng thư đã bị thu hồi trước khi ký.", "The certificate had been revoked before it signed.")
    return [
        (("Nội dung", "Content"), content),
        (("Người ký", "Signed by"), signer),
        (("Sổ phát hành", "Register"), _status(judgement)),
    ]


def _status(judgement: Judgement) -> Pair:
    entry = judgement.e_result or judgement.annex_of
    closed = entry.closed_at if entry else None
    vi, en = _STATUS[judgement.register]
    day = f"{closed.astimezone(VIETNAM):%d/%m/%Y}" if closed else ""
    vi, en = vi.format(day=day), en.format(day=day)
    if judgement.annex_of is None:
        return vi, en
    return f"Văn bản chính: {vi[0].lower()}{vi[1:]}", f"The main document: {en[0].lower()}{en[1:]}"


def _register(judgement: Judgement) -> list[Row]:
    rows: list[Row] = [(("Tình trạng", "Status"), _status(judgement))]
    result, newer = judgement.e_result or judgement.annex_of, judgement.superseded_by
    if result is None:
        return rows
    if judgement.annex:
        said = f"{judgement.annex.ordinal}: {_short(judgement.annex.title)}"
        rows.append((("Phụ lục", "Annex"), (said, "")))
    if result.full_number:
        rows.append((("Số, ký hiệu", "Number"), (result.full_number, "")))
    if result.dated:
        rows.append((("Ngày văn bản", "Dated"), (f"{result.dated:%d/%m/%Y}", "")))
    if judgement.agency:
        rows.append((("Cơ quan phát hành", "Issuing agency"), (judgement.agency.name, "")))
    if result.issued_at:
        rows.append((("Phát hành lúc", "Issued at"), (_moment(result.issued_at), "")))
    if newer and newer.full_number:
        rows.append((("Được thay bằng số", "Superseded by number"), (newer.full_number, "")))
    return rows


def _signature(report: SignatureReport, judgement: Judgement) -> list[Row]:
    """The items of one signature, all of them, also where there is nothing to say."""

    def both(said: Callable[..., str], code: Any) -> Pair:
        languages: tuple[Language, Language] = ("vi", "en")
        vi, en = (said(code, language=language) for language in languages)
        return vi, en

    period = _NONE
    if report.valid_from and report.valid_to:
        period = (f"{_moment(report.valid_from)} – {_moment(report.valid_to)}", "")
    reasons = [both(words.reason_words, code) for code in report.reasons]
    later = [both(words.later_words, code) for code in report.later]
    meaning = both(words.sub_indication_words, report.sub_indication) if report.sub_indication else ("", "")
    whole = report.covers_whole_file
    genuine = judgement.file.verdict is Verdict.GENUINE
    covers = ("có", "yes") if whole else ("không", "no")
    if genuine and not whole:
        covers = (
            "phần có lúc ký; phần thêm sau đã được kiểm tra",
            "what was there when it signed; what follows was examined",
        )
    indication = report.indication.value + (f" / {report.sub_indication}" if report.sub_indication else "")
    stamped = _moment(report.timestamp) if report.timestamp else ""
    return [
        (("Tên trong chứng thư", "Name in the certificate"), (_short(report.signer) or "–", "")),
        (("Đơn vị quản lý chứng thư", "Unit managing it"), (_short(report.signer_organization) or "–", "")),
        (("Nơi cấp chứng thư", "Issuing authority"), (_short(report.issuer) or "–", "")),
        (("Số sê-ri", "Serial number"), (_short(report.serial) or "–", "")),
        (("Hạn chứng thư", "Certificate period"), period),
        (("Chứng thư lúc ký", "Certificate when it signed"), both(words.at_signing_words, report.at_signing)),
        (("Thời gian ký", "Time of signing"), (_moment(report.signed_at) if report.signed_at else "–", "")),
        (("Nguồn thời gian", "Who says the time"), both(words.time_source_words, report.time_source)),
        (
            ("Dấu thời gian", "Timestamp"),
            (", ".join(part for part in (stamped, _short(report.timestamp_authority or "")) if part) or "–", ""),
        ),
        (
            ("Kết quả (ETSI)", "Indication"),
            (f"{indication}: {meaning[0]}" if meaning[0] else indication, meaning[1]),
        ),
        (("Lý do", "Reasons"), _listed(reasons)),
        (("Phủ cả tệp", "Covers the whole file"), covers),
        (("Sau chữ ký này", "After this signature"), _listed(later)),
        (
            ("Thuật toán", "Algorithm"),
            (", ".join(p for p in (_short(report.algorithm), _short(report.encoding)) if p) or "–", ""),
        ),
        (("SHA-256 của chứng thư", "SHA-256 of the certificate"), (report.certificate_sha256 or "–", "")),
    ]


def _listed(pairs: list[Pair]) -> Pair:
    return ("; ".join(vi for vi, _ in pairs), "; ".join(en for _, en in pairs)) if pairs else _NONE


def _own_address(judgement: Judgement, address: str) -> str:
    """Where the register tells of this result for ever; else the page that checks files."""
    entry = judgement.e_result or judgement.annex_of
    code = entry.lookup_code if entry else ""
    return f"{address}/{code}" if code else address


def _moment(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM):%H:%M:%S %d/%m/%Y} (+07:00)"
