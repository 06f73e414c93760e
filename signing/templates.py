"""Results as documents: a name and its data become a PDF/A in the layout Decree 30/2020 prescribes.

The layout lives in `signing/typst/`; here the data is checked, all problems at once, and handed over as strings, which
typst never reads as markup. The places of the two signatures are read from the laid-out document itself.

Units: millimetres in, PDF points out. Rules: Decree 30/2020, Appendices I (layout) and VI (lengths); QR code: Circular
01/2023/TT-VPCP.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signing import qr, typeface, typesetting
from signing.document_kinds import KINDS
from signing.places import LEADER_MM, MM, SEAL_MM, signature_places
from signing.template_fields import TemplateDataError, TemplateField, TemplateProblem, checked
from signing.typesetting import LayoutError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from signing.document_kinds import DocumentKind
    from signing.typeface import Typeface
    from signing.types import SignaturePlace

__all__ = [
    "LayoutError",
    "RenderedResult",
    "TemplateDataError",
    "TemplateField",
    "TemplateProblem",
    "UnknownTemplate",
    "fields",
    "forms",
    "kind",
    "layout_values",
    "names",
    "render",
    "symbol",
    "type_name",
]

SOURCES = Path(__file__).parent / "typst"

PAGE_HEIGHT = 297 * MM

#: A last text longer than this may break over two pages: its end still stays with the signer.
LONG_LAST = 900
#: More lines of recipients than this may go on beside nothing, on the next page.
LONG_RECIPIENTS = 24


@dataclass(frozen=True)
class RenderedResult:
    """A document and the places of its two signatures, the leader's first; none on a form."""

    pdf: bytes
    places: tuple[SignaturePlace, ...]


class UnknownTemplate(LookupError):
    """There is no template of that name."""


def names() -> tuple[str, ...]:
    """The templates of results: "decision", "licence", "certificate", "confirmation", "letter" (công văn)."""
    return tuple(name for name, kind in KINDS.items() if kind.is_result)


def forms() -> tuple[str, ...]:
    """The forms that go with a dossier: "receipt" (giấy hẹn), "supplement" (phiếu yêu cầu bổ sung), "refusal"."""
    return tuple(name for name, kind in KINDS.items() if not kind.is_result)


def type_name(name: str | DocumentKind) -> tuple[str, str]:
    """What the template makes, in Vietnamese as printed, and in English.

    Raises:
        UnknownTemplate: There is none of that name.
    """
    found = _known(name)
    return found.type_name, found.english


def symbol(name: str | DocumentKind, *, agency: str, procedure: str = "") -> str:
    """How the document's number goes on, "QĐ-UBND" of "05/QĐ-UBND"; on a letter "UBND-VX" (Appendix I, box 3).

    Args:
        name: Of the template.
        agency: The agency's short name.
        procedure: What the procedure says of its own results: the kind, or on letters the unit that drafts them.

    Raises:
        UnknownTemplate: There is none of that name.
    """
    abbreviation = _known(name).abbreviation
    parts = (procedure or abbreviation, agency) if abbreviation else (agency, procedure)
    return "-".join(part for part in parts if part)


def fields(name: str | DocumentKind) -> tuple[TemplateField, ...]:
    """Every value the template takes, in the order a form would ask for them.

    Raises:
        UnknownTemplate: There is none of that name.
    """
    return _known(name).fields


def render(
    name: str,
    data: Mapping[str, Any],
    *,
    watermark: str = "",
    seal_mm: float = SEAL_MM,
    face: Typeface | None = None,
) -> RenderedResult:
    """Lay the document out; the same data gives the same bytes.

    Args:
        name: One of `names()` or `forms()`.
        data: Values by the keys of `fields(name)`; without a number or date their places stay open, as in a draft.
        watermark: Printed large and pale across every page, for instance "DỮ LIỆU THỬ"; "" for none.
        seal_mm: Diameter of the agency's seal.
        face: The centre's own typeface; by default the one that comes with the service.

    Returns:
        PDF/A-2a (PDF 1.7, PDF/UA-1), ending in a newline so that revisions can be appended, and the places of the
        leader's signature and of the seal.

    Raises:
        UnknownTemplate: There is none of that name.
        TemplateDataError: The data doesn't fit; every problem is listed.
        LayoutError: typst failed, or used another typeface.
    """
    drawn = kind(name)
    face = face or typeface.ours()
    values = layout_values(drawn, data, face)
    values |= {"watermark": watermark, "gap_mm": max(38.0, seal_mm + 2.0)}
    made = typesetting.set_pages(SOURCES / drawn.source, values, typeface=face, label="signature-gap")
    if not drawn.is_result:
        return RenderedResult(made.pdf, ())
    if made.told is None:
        raise LayoutError("the layout doesn't say where it is signed")
    return RenderedResult(made.pdf, _places(made.told, seal_mm))


def _known(name: str | DocumentKind) -> DocumentKind:
    return kind(name) if isinstance(name, str) else name


def kind(name: str) -> DocumentKind:
    """One of our kinds of documents.

    Raises:
        UnknownTemplate: There is none of that name.
    """
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownTemplate(name) from None


def layout_values(kind: DocumentKind, given: Mapping[str, Any], face: Typeface) -> dict[str, Any]:
    """The strings and lists that a layout prints.

    Raises:
        TemplateDataError: The data doesn't fit; every problem is listed.
    """
    data = checked(kind.fields, given, face)
    dated: date | None = data["dated"]
    made = dated or datetime.now(UTC).date()  # PDF/A asks for a date; a draft has none of its own
    common = {
        "type_name": kind.type_name,
        "parent_name": data["parent_name"],
        "agency_name": data["agency_name"],
        "date_line": f"{data['place']}, {_date_in_words(dated, made.year)}",
        "file_date": [made.year, made.month, made.day],
        "lookup_line": data["lookup_code"],
        "qr_alt": f"Mã QR để kiểm tra văn bản, mã tra cứu {data['lookup_code']}",
    }
    body = kind.body(data)
    return common | body | (_of_result(kind, data, body["last"]) if kind.is_result else _of_form(data))


def _of_result(kind: DocumentKind, data: Mapping[str, Any], last: str) -> dict[str, Any]:
    """What is printed on every result, beside its text."""
    content = qr.text(
        data["verify_url"],
        data["lookup_code"],
        {
            "hs": data["dossier_code"],
            "tt": data["procedure_code"],
            "id": data["applicant_id"],
            "gt": f"{kind.type_name} {data['subject']}",
            "ht": data["system_name"],
            "tg": data["published_at"],
            "hl": data["valid_until"],
            "pv": data["scope"],
        },
    )
    recipients = _recipients(data["recipients"], data["archive_unit"])
    return {
        "title": f"{kind.type_name}: {data['subject']}",
        "subject": data["subject"],
        "number_line": f"Số: {_number(data['number'])}/{data['symbol']}",
        "signer_power": data["signer_power"],
        "signer_title": data["signer_title"],
        "signer_name": data["signer_name"],
        "recipients": recipients,
        "recipients_break": len(recipients) > LONG_RECIPIENTS,
        "qr_svg": qr.symbol_for(content),
        "foot": _foot(data["lookup_code"], data["verify_url"]),
        "last_breaks": len(last) > LONG_LAST,
    }


def _of_form(data: Mapping[str, Any]) -> dict[str, Any]:
    """What is printed on every form that goes with a dossier."""
    keys = (
        "applicant_name", "applicant_address", "applicant_phone", "procedure_name", "procedure_code", "dossier_code",
        "clerk_name", "office_phone", "look_up_at",
    )  # fmt: skip
    return {key: data[key] for key in keys} | {
        "title": data["procedure_name"],
        "qr_svg": qr.symbol_for(data["look_up_url"]),
        "qr_alt": f"Mã QR để tra cứu hồ sơ {data['dossier_code']}",
        "foot": "",
    }


def _number(number: str) -> str:
    """At least two digits; an open space while there is none."""
    return f"{int(number):02d}" if number else "\u00a0" * 8


def _date_in_words(dated: date | None, year: int) -> str:
    """Days under 10 and the months 1 and 2 with a leading zero, no others (Appendix I, box 4)."""
    if dated is None:
        gap = "\u00a0" * 6
        return f"ngày{gap}tháng{gap}năm {year}"
    month = f"{dated.month:02d}" if dated.month <= 2 else str(dated.month)  # noqa: PLR2004  January and February
    return f"ngày {dated.day:02d} tháng {month} năm {dated.year}"


def _recipients(lines: Sequence[str], unit: str) -> list[str]:
    if not lines:
        return []
    listed = [f"- {line.lstrip('- ').rstrip(' .;,')};" for line in lines]
    return [*listed, f"- Lưu: VT, {unit}." if unit else "- Lưu: VT."]


def _foot(lookup_code: str, verify_url: str) -> str:
    parts = (lookup_code and f"Mã tra cứu: {lookup_code}", verify_url and f"Kiểm tra tại: {verify_url}")
    return " · ".join(part for part in parts if part)


def _places(gap: Mapping[str, float], seal_mm: float) -> tuple[SignaturePlace, SignaturePlace]:
    """The leader's picture in the middle of the gap; the seal over the left third of it."""
    width, height = LEADER_MM[0] * MM, LEADER_MM[1] * MM
    middle_x = gap["x"] + gap["width"] / 2
    middle_y = PAGE_HEIGHT - (gap["y"] + gap["height"] / 2)
    return signature_places(int(gap["page"]), (middle_x, middle_y), (width, height), seal_mm * MM)
