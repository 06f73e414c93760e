"""Results as documents: a name and its data become a PDF/A in the layout Decree 30/2020 prescribes.

The layout lives in `signing/typst/`; here the data is checked, all problems at once, and handed over as strings, which
typst never reads as markup. The places of the two signatures are read from the laid-out document itself.

Units: millimetres in, PDF points out. Rules: Decree 30/2020, Appendices I (layout) and VI (lengths); QR code: Circular
01/2023/TT-VPCP.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pikepdf
import typst
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # it ships no types

from signing import qr
from signing.places import LEADER_MM, MM, SEAL_MM, signature_places
from signing.template_fields import TemplateDataError, TemplateField, TemplateProblem, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from signing.types import SignaturePlace

__all__ = [
    "LayoutError",
    "RenderedResult",
    "TemplateDataError",
    "TemplateField",
    "TemplateProblem",
    "UnknownTemplate",
    "fields",
    "names",
    "render",
    "type_name",
]

SOURCES = Path(__file__).parent / "typst"
FONTS = Path(__file__).parent / "fonts"
TYPEFACE = "Liberation Serif"

#: What typst is asked to promise: PDF/A-2 with tags (PDF 1.7), and PDF/UA-1 on top.
STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]

PAGE_HEIGHT = 297 * MM

#: A last text longer than this may break over two pages: its end still stays with the signer.
LONG_LAST = 900


@dataclass(frozen=True)
class RenderedResult:
    """A document and the places of its two signatures, the leader's first."""

    pdf: bytes
    places: tuple[SignaturePlace, ...]


class UnknownTemplate(LookupError):
    """There is no template of that name."""


class LayoutError(RuntimeError):
    """typst could not lay the document out, or not in the typeface asked for: a fault of ours, not of the data."""


@dataclass(frozen=True)
class _Template:
    """A kind of document: its name in print, its typst source, its own fields, how they become the layout's values."""

    type_name: str
    english: str
    source: str
    fields: tuple[TemplateField, ...]
    body: Callable[[Mapping[str, Any]], dict[str, Any]]


_LETTERHEAD = (
    TemplateField("parent_name", "Cơ quan chủ quản", "Agency above", max_length=200, source="office"),
    TemplateField("agency_name", "Cơ quan ban hành", "Issuing agency", required=True, max_length=200, source="office"),
    TemplateField("place", "Địa danh", "Place", required=True, max_length=60, source="office"),
    TemplateField("symbol", "Ký hiệu", "Symbol", required=True, max_length=30, source="office"),
    TemplateField("number", "Số văn bản", "Number", max_length=11, kind="number", source="system"),
    TemplateField("dated", "Ngày ban hành", "Date of issue", max_length=10, kind="date", source="system"),
)
_SIGNER = (
    TemplateField(
        "signer_power", "Quyền hạn ký (TM., KT., TL., TUQ., Q.)", "Power to sign", max_length=100, source="office"
    ),
    TemplateField("signer_title", "Chức vụ người ký", "Signer's title", required=True, max_length=100, source="office"),
    TemplateField(
        "signer_name", "Họ và tên người ký", "Signer's full name", required=True, max_length=50, source="office"
    ),
    TemplateField("recipients", "Nơi nhận", "Recipients", max_length=200, kind="lines"),
    TemplateField("archive_unit", "Đơn vị soạn thảo", "Drafting unit", max_length=100, source="office"),
)
_VERIFY = (
    TemplateField("lookup_code", "Mã tra cứu", "Look-up code", max_length=20, source="system"),
    TemplateField("verify_url", "Địa chỉ kiểm tra", "Address to check it", max_length=120, source="system"),
    TemplateField("dossier_code", "Mã hồ sơ", "Dossier code", max_length=60, source="system"),
    TemplateField("procedure_code", "Mã thủ tục hành chính", "Procedure code", max_length=30, source="system"),
    TemplateField("applicant_id", "Số định danh người nộp", "Applicant's personal ID", max_length=20, source="system"),
    TemplateField("system_name", "Tên hệ thống cung cấp", "Name of the system", max_length=100, source="system"),
    TemplateField("published_at", "Thời điểm công bố", "Time of publication", max_length=40, source="system"),
    TemplateField("valid_until", "Thời hạn có hiệu lực", "Valid until", max_length=40),
    TemplateField("scope", "Phạm vi có hiệu lực", "Scope of validity", max_length=100),
)


def _ended(lines: Sequence[str]) -> list[str]:
    """Grounds as the decree ends them: each with a semicolon, the last with a full stop."""
    bare = [line.rstrip(" .;,") for line in lines]
    return [line + (";" if index < len(bare) - 1 else ".") for index, line in enumerate(bare)]


def _closed(text: str) -> str:
    """The end of a document's text: "./."."""
    return text.rstrip(" ./") + "./."


def _split(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _decision(data: Mapping[str, Any]) -> dict[str, Any]:
    articles = [_split(article) for article in data["articles"]]
    articles[-1][-1] = _closed(articles[-1][-1])
    return {
        "authority": data["authority"],
        "bases": _ended(data["bases"]),
        "articles": articles,
        "last": "\n".join(articles[-1]),
    }


def _paper(data: Mapping[str, Any]) -> dict[str, Any]:
    closing = [line for paragraph in data["closing"] for line in _split(paragraph)]
    closing[-1] = _closed(closing[-1])
    return {
        "authority": data["authority"],
        "opening": [line for paragraph in data["opening"] for line in _split(paragraph)],
        "facts": [list(fact) for fact in data["facts"]],
        "closing": closing,
        "last": closing[-1],
    }


_SUBJECT = TemplateField("subject", "Trích yếu", "Subject", required=True, max_length=500)
_AUTHORITY = TemplateField(
    "authority", "Thẩm quyền ban hành", "Issuing authority", required=True, max_length=200, source="office"
)
_PAPER_FIELDS = (
    _SUBJECT,
    _AUTHORITY,
    TemplateField("opening", "Lời dẫn", "Opening words", max_length=3000, kind="lines"),
    TemplateField("facts", "Thông tin chứng nhận", "What is certified", required=True, max_length=500, kind="facts"),
    TemplateField("closing", "Nội dung kết thúc", "Closing words", required=True, max_length=3000, kind="lines"),
)
_TEMPLATES = {
    "decision": _Template(
        "Quyết định",
        "Decision",
        "decision.typ",
        (
            _SUBJECT,
            _AUTHORITY,
            TemplateField("bases", "Căn cứ", "Grounds", required=True, max_length=1000, kind="lines"),
            TemplateField("articles", "Các điều", "Articles", required=True, max_length=8000, kind="lines"),
        ),
        _decision,
    ),
    "certificate": _Template("Giấy chứng nhận", "Certificate", "paper.typ", _PAPER_FIELDS, _paper),
    "confirmation": _Template("Giấy xác nhận", "Confirmation", "paper.typ", _PAPER_FIELDS, _paper),
}


def names() -> tuple[str, ...]:
    """The templates there are: "decision" (quyết định), "certificate" (giấy chứng nhận), "confirmation"."""
    return tuple(_TEMPLATES)


def type_name(name: str) -> tuple[str, str]:
    """What the template makes, in Vietnamese as printed, and in English.

    Raises:
        UnknownTemplate: There is none of that name.
    """
    template = _template(name)
    return template.type_name, template.english


def fields(name: str) -> tuple[TemplateField, ...]:
    """Every value the template takes, in the order a form would ask for them.

    Raises:
        UnknownTemplate: There is none of that name.
    """
    return _LETTERHEAD + _template(name).fields + _SIGNER + _VERIFY


def render(
    name: str,
    data: Mapping[str, Any],
    *,
    watermark: str = "",
    seal_mm: float = SEAL_MM,
    typeface: str = TYPEFACE,
    font_folder: Path = FONTS,
) -> RenderedResult:
    """Lay the document out; the same data gives the same bytes.

    Args:
        name: One of `names()`.
        data: Values by the keys of `fields(name)`; without a number or date their places stay open, as in a draft.
        watermark: Printed large and pale across every page, for instance "DỮ LIỆU THỬ"; "" for none.
        seal_mm: Diameter of the agency's seal.
        typeface: Family name of another typeface, for a centre with a licensed copy of the decree's own.
        font_folder: Where the typeface's files lie.

    Returns:
        PDF/A-2a (PDF 1.7, PDF/UA-1), ending in a newline so that revisions can be appended, and the places of the
        leader's signature and of the seal.

    Raises:
        UnknownTemplate: There is none of that name.
        TemplateDataError: The data doesn't fit; every problem is listed.
        LayoutError: typst failed, or used another typeface.
    """
    template = _template(name)
    clean = checked(fields(name), data, _repertoire(font_folder))
    gap_mm = max(38.0, seal_mm + 2.0)
    values = _layout_values(template, clean) | {"watermark": watermark, "gap_mm": gap_mm, "typeface": typeface}
    try:
        compiler = typst.Compiler(
            str(SOURCES / template.source),
            root=str(SOURCES),
            font_paths=[str(font_folder)],
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(values, ensure_ascii=False)},
        )
        laid_out = compiler.compile(format="pdf", pdf_standards=[*STANDARDS])
        gap = json.loads(compiler.query("<signature-gap>", field="value", one=True))
    except typst.TypstError as error:
        raise LayoutError(str(error)) from error
    pdf = _one_file(laid_out)
    _assert_typeface(pdf, typeface)
    return RenderedResult(pdf, _places(gap, seal_mm))


def _one_file(laid_out: bytes | list[bytes] | None) -> bytes:
    """Typst's bytes with the newline it leaves out: a revision appended right behind "%%EOF" is no valid PDF/A."""
    if not isinstance(laid_out, bytes):
        raise LayoutError("typst gave back no document")
    return laid_out + b"\n"


def _template(name: str) -> _Template:
    try:
        return _TEMPLATES[name]
    except KeyError:
        raise UnknownTemplate(name) from None


def _layout_values(template: _Template, data: Mapping[str, Any]) -> dict[str, Any]:
    """The strings and lists the typst sources print, from checked data."""
    body = template.body(data)
    dated: date | None = data["dated"]
    made = dated or datetime.now(UTC).date()  # PDF/A asks for a date; a draft has none of its own
    symbol = qr.symbol_for(
        qr.text(
            data["verify_url"],
            data["lookup_code"],
            {
                "hs": data["dossier_code"],
                "tt": data["procedure_code"],
                "id": data["applicant_id"],
                "gt": f"{template.type_name} {data['subject']}",
                "ht": data["system_name"],
                "tg": data["published_at"],
                "hl": data["valid_until"],
                "pv": data["scope"],
            },
        )
    )
    return body | {
        "type_name": template.type_name,
        "subject": data["subject"],
        "parent_name": data["parent_name"],
        "agency_name": data["agency_name"],
        "number_line": f"Số: {_number(data['number'])}/{data['symbol']}",
        "date_line": f"{data['place']}, {_date_in_words(dated, made.year)}",
        "file_date": [made.year, made.month, made.day],
        "signer_power": data["signer_power"],
        "signer_title": data["signer_title"],
        "signer_name": data["signer_name"],
        "recipients": _recipients(data["recipients"], data["archive_unit"]),
        "qr_svg": symbol,
        "qr_alt": f"Mã QR để kiểm tra văn bản, mã tra cứu {data['lookup_code']}",
        "lookup_line": data["lookup_code"],
        "foot": _foot(data["lookup_code"], data["verify_url"]),
        "last_breaks": len(body["last"]) > LONG_LAST,
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


@cache
def _repertoire(font_folder: Path) -> frozenset[int]:
    """Code points every face of the folder can print: a letter without a glyph would end the layout.

    Raises:
        LayoutError: There is no typeface.
    """
    faces = [TTFont(path, lazy=True) for path in sorted(font_folder.glob("*.[to]tf"))]
    try:
        maps = [set(face.getBestCmap()) for face in faces]
    finally:
        for face in faces:
            face.close()
    if not maps:
        raise LayoutError(f"no typeface in {font_folder.name}")
    return frozenset(set.intersection(*maps))


def _assert_typeface(pdf: bytes, typeface: str) -> None:
    """Refuse a document set in anything else: with a wrong font path typst silently takes its own typeface.

    Raises:
        LayoutError: A font of another family is in the file.
    """
    wanted = typeface.replace(" ", "")
    with pikepdf.open(BytesIO(pdf)) as document:
        used = {
            str(thing.BaseFont).lstrip("/").partition("+")[2]
            for thing in document.objects
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == pikepdf.Name.Font
        }
    strangers = {name for name in used if not name.startswith(wanted)}
    if strangers or not used:
        raise LayoutError(f"set in {sorted(strangers) or 'no font'} instead of {typeface}")
