"""The kinds of documents the service makes: what each takes, and how its data becomes what the layout prints.

Results are signed by a leader and sealed: quyết định, giấy phép, giấy chứng nhận, giấy xác nhận, công văn. Forms go
with a dossier: receipt, request for supplements, refusal (forms 01, 02 and 03 of Circular 03/2025/TT-VPCP).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signing.template_fields import TemplateField

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True)
class DocumentKind:
    """A kind of document.

    Attributes:
        type_name, english: What it makes; the Vietnamese as it is printed.
        source: File name of its layout in `signing/typst/`.
        fields: Every value it takes, in the order a form would ask for them.
        body: What of its own the layout prints, from checked data.
        abbreviation: Head of its symbol, "QĐ" of "05/QĐ-UBND"; "" on letters, which don't name their kind.
        is_result: Signed by a leader and sealed; else a form, which nobody signs electronically.
    """

    type_name: str
    english: str
    source: str
    fields: tuple[TemplateField, ...]
    body: Callable[[Mapping[str, Any]], dict[str, Any]]
    abbreviation: str = ""
    is_result: bool = True


LETTERHEAD = (
    TemplateField(
        "parent_name", "Cơ quan chủ quản", "Agency above", max_length=200, source="office", seat="left upper"
    ),
    TemplateField(
        "agency_name",
        "Cơ quan ban hành",
        "Issuing agency",
        required=True,
        max_length=200,
        source="office",
        seat="left upper",
    ),
    TemplateField("place", "Địa danh", "Place", required=True, max_length=60, source="office", seat="right"),
    TemplateField("symbol", "Ký hiệu", "Symbol", required=True, max_length=30, source="office", seat="left"),
    TemplateField("number", "Số văn bản", "Number", max_length=11, kind="number", source="system"),
    TemplateField("dated", "Ngày ban hành", "Date of issue", max_length=10, kind="date", source="system"),
)
SIGNER = (
    TemplateField(
        "signer_power",
        "Quyền hạn ký (TM., KT., TL., TUQ., Q.)",
        "Power to sign",
        max_length=100,
        kind="power",
        seat="right",
    ),
    TemplateField(
        "signer_title",
        "Chức vụ người ký",
        "Signer's title",
        required=True,
        max_length=100,
        source="office",
        seat="right",
    ),
    TemplateField(
        "signer_name",
        "Họ và tên người ký",
        "Signer's full name",
        required=True,
        max_length=50,
        source="office",
        seat="right",
    ),
    TemplateField("recipients", "Nơi nhận", "Recipients", max_length=200, kind="lines", seat="left"),
    TemplateField("archive_unit", "Đơn vị soạn thảo", "Drafting unit", max_length=100, source="office", seat="left"),
)
VERIFY = (
    TemplateField("lookup_code", "Mã tra cứu", "Look-up code", max_length=20, source="system", seat="free"),
    TemplateField(
        "verify_url", "Địa chỉ kiểm tra", "Address to check it", max_length=120, source="system", seat="free"
    ),
    TemplateField("dossier_code", "Mã hồ sơ", "Dossier code", max_length=60, source="system", seat="free"),
    TemplateField(
        "procedure_code", "Mã thủ tục hành chính", "Procedure code", max_length=30, source="system", seat="free"
    ),
    TemplateField(
        "applicant_id", "Số định danh người nộp", "Applicant's personal ID", max_length=20, source="system", seat="free"
    ),
    TemplateField("system_name", "Tên hệ thống cung cấp", "Name of the system", max_length=100, source="system"),
    TemplateField("published_at", "Thời điểm công bố", "Time of publication", max_length=40, source="system"),
    TemplateField("valid_until", "Thời hạn có hiệu lực", "Valid until", max_length=40),
    TemplateField("scope", "Phạm vi có hiệu lực", "Scope of validity", max_length=100),
)
_SUBJECT = TemplateField("subject", "Trích yếu", "Subject", required=True, max_length=500)
_AUTHORITY = TemplateField(
    "authority", "Thẩm quyền ban hành", "Issuing authority", required=True, max_length=200, source="office"
)
_BASES = TemplateField("bases", "Căn cứ", "Grounds", required=True, max_length=1000, kind="lines")


def _result(*own: TemplateField) -> tuple[TemplateField, ...]:
    return LETTERHEAD + own + SIGNER + VERIFY


# --- results ----------------------------------------------------------------------------------------------------------


def _ended(lines: Sequence[str]) -> list[str]:
    """Grounds as the decree ends them: each with a semicolon, the last with a full stop."""
    bare = [line.rstrip(" .;,") for line in lines]
    return [line + (";" if index < len(bare) - 1 else ".") for index, line in enumerate(bare)]


def _closed(text: str) -> str:
    """The end of a document's text: "./."."""
    return text.rstrip(" ./") + "./."


def _split(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _paragraphs(texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in _split(text)]


def _articles(data: Mapping[str, Any]) -> dict[str, Any]:
    articles = [_split(article) for article in data["articles"]]
    articles[-1][-1] = _closed(articles[-1][-1])
    return {"articles": articles, "last": "\n".join(articles[-1])}


def _decision(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"authority": data["authority"], "bases": _ended(data["bases"])} | _articles(data)


def _licence(data: Mapping[str, Any]) -> dict[str, Any]:
    return _decision(data) | {"facts": [list(fact) for fact in data["facts"]]}


def _paper(data: Mapping[str, Any]) -> dict[str, Any]:
    closing = _paragraphs(data["closing"])
    closing[-1] = _closed(closing[-1])
    return {
        "authority": data["authority"],
        "opening": _paragraphs(data["opening"]),
        "facts": [list(fact) for fact in data["facts"]],
        "closing": closing,
        "last": closing[-1],
    }


def _letter(data: Mapping[str, Any]) -> dict[str, Any]:
    text = _paragraphs(data["text"])
    text[-1] = _closed(text[-1])
    about = data["subject"]
    to = [line.rstrip(" .;,") for line in data["addressees"]]
    return {
        "about": about if about.casefold().startswith("v/v") else f"V/v {about}",
        "addressees": [f"- {line}{';' if at < len(to) else '.'}" for at, line in enumerate(to, 1)] if to[1:] else to,
        "text": text,
        "last": text[-1],
    }


_PAPER_FIELDS = _result(
    _SUBJECT,
    _AUTHORITY,
    TemplateField("opening", "Lời dẫn", "Opening words", max_length=3000, kind="lines"),
    TemplateField("facts", "Thông tin chứng nhận", "What is certified", required=True, max_length=500, kind="facts"),
    TemplateField("closing", "Nội dung kết thúc", "Closing words", required=True, max_length=3000, kind="lines"),
)

# --- forms ------------------------------------------------------------------------------------------------------------

_FORM_HEAD = (
    *(field for field in LETTERHEAD if field.key in {"parent_name", "agency_name", "place", "dated"}),
    TemplateField("office_phone", "Điện thoại nơi tiếp nhận", "Telephone of the desk", max_length=30, source="office"),
    TemplateField(
        "applicant_name",
        "Họ và tên người nộp",
        "Applicant",
        required=True,
        max_length=200,
        source="system",
        seat="right",
    ),
    TemplateField("applicant_address", "Địa chỉ", "Address", max_length=300, source="system"),
    TemplateField("applicant_phone", "Số điện thoại", "Telephone", max_length=30, source="system", seat="free"),
    TemplateField("procedure_name", "Nội dung giải quyết", "Procedure", required=True, max_length=500, source="system"),
    TemplateField("clerk_name", "Người tiếp nhận", "Received by", max_length=50, source="system", seat="right"),
    TemplateField(
        "look_up_url", "Nội dung mã QR", "What the QR code holds", max_length=300, source="system", seat="free"
    ),
    TemplateField("look_up_at", "Địa chỉ tra cứu", "Where to look it up", max_length=120, source="system", seat="free"),
    *(field for field in VERIFY if field.key in {"dossier_code", "procedure_code", "lookup_code"}),
)


def _receipt(data: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("working_days", "received_at", "due_at", "collect_at", "helped_at", "competent")
    papers = [list(paper) for paper in data["papers"]]
    return {key: data[key] for key in keys} | {"papers": papers, "changes": list(data["changes"]), "last": ""}


def _supplement(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"missing": [line.rstrip(" ;,.") for line in data["missing"]], "reason": data["reason"], "last": ""}


def _refusal(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"missing": _paragraphs(data["missing"]), "last": ""}


KINDS: dict[str, DocumentKind] = {
    "decision": DocumentKind(
        "Quyết định",
        "Decision",
        "decision.typ",
        _result(
            _SUBJECT,
            _AUTHORITY,
            _BASES,
            TemplateField("articles", "Các điều", "Articles", required=True, max_length=8000, kind="lines"),
        ),
        _decision,
        "QĐ",
    ),
    "licence": DocumentKind(
        "Giấy phép",
        "Licence",
        "licence.typ",
        _result(
            _SUBJECT,
            _AUTHORITY,
            _BASES,
            TemplateField(
                "facts", "Nội dung cấp phép", "What is licensed", required=True, max_length=500, kind="facts"
            ),
            TemplateField(
                "articles", "Điều kiện, trách nhiệm", "Conditions", required=True, max_length=8000, kind="lines"
            ),
        ),
        _licence,
        "GP",
    ),
    "certificate": DocumentKind("Giấy chứng nhận", "Certificate", "paper.typ", _PAPER_FIELDS, _paper, "GCN"),
    "confirmation": DocumentKind("Giấy xác nhận", "Confirmation", "paper.typ", _PAPER_FIELDS, _paper, "XN"),
    "letter": DocumentKind(
        "Công văn",
        "Official letter",
        "letter.typ",
        _result(
            TemplateField("subject", "Trích yếu", "Subject", required=True, max_length=500, seat="left"),
            TemplateField("addressees", "Kính gửi", "To", required=True, max_length=200, kind="lines"),
            TemplateField("text", "Nội dung", "Text", required=True, max_length=8000, kind="lines"),
        ),
        _letter,
    ),
    "receipt": DocumentKind(
        "Giấy tiếp nhận hồ sơ và hẹn trả kết quả",
        "Receipt, with the promised date",
        "receipt.typ",
        (
            *_FORM_HEAD,
            TemplateField(
                "papers",
                "Thành phần hồ sơ",
                "Papers",
                required=True,
                max_length=500,
                kind="facts",
                source="system",
                seat="free",
            ),
            TemplateField(
                "changes", "Thay đổi sau khi nhận", "Changed since", max_length=2000, kind="lines", source="system"
            ),
            TemplateField(
                "working_days", "Thời gian giải quyết", "Time it takes", required=True, max_length=60, source="system"
            ),
            TemplateField(
                "received_at", "Thời gian nhận hồ sơ", "Received at", required=True, max_length=80, source="system"
            ),
            TemplateField("due_at", "Thời gian trả kết quả", "Promised", required=True, max_length=80, source="system"),
            TemplateField(
                "collect_at", "Nơi nhận kết quả", "Where the result is", required=True, max_length=300, source="system"
            ),
            TemplateField("helped_at", "Điểm tiếp nhận", "Point of help", max_length=200, source="system"),
            TemplateField("competent", "Cơ quan giải quyết", "Competent agency", max_length=200, source="system"),
        ),
        _receipt,
        is_result=False,
    ),
    "supplement": DocumentKind(
        "Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ",
        "Request for supplements",
        "supplement.typ",
        (
            *_FORM_HEAD,
            TemplateField(
                "missing",
                "Nội dung cần bổ sung",
                "What is to be supplied",
                required=True,
                max_length=3000,
                kind="lines",
                source="system",
            ),
            TemplateField("reason", "Lý do", "Reason", max_length=3000, source="system"),
        ),
        _supplement,
        is_result=False,
    ),
    "refusal": DocumentKind(
        "Phiếu từ chối tiếp nhận, giải quyết hồ sơ",
        "Refusal",
        "refusal.typ",
        (
            *_FORM_HEAD,
            TemplateField("missing", "Lý do", "Reasons", required=True, max_length=3000, kind="lines", source="system"),
        ),
        _refusal,
        is_result=False,
    ),
}
