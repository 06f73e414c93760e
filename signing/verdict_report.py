"""The printable report of a check, "Biên bản kiểm tra chữ ký số": what was found becomes a PDF/A with room for a seal.

What is printed comes as strings, in Vietnamese and English, and is never read as markup. Much of it stands in
strangers' certificates: what the typeface can't print is shown as "?", and no word is longer than its cell.

Content: Decree 137/2024, article 5 (system, owner, time, way to look it up); the signatures' items are those of
Circular 15/2025.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signing import qr, typeface, typesetting
from signing.places import MM, SEAL_MM
from signing.template_fields import prints
from signing.templates import PAGE_HEIGHT, SOURCES
from signing.types import Place, SignaturePlace
from signing.typesetting import LayoutError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from signing.typeface import Typeface

#: Vietnamese and English.
Pair = tuple[str, str]

_LONGEST_VALUE = 400
#: The narrowest cell of a value, in points, and the letters in it.
_ROOM_PT = 290.0
_SIZE_PT = 11.5
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Section:
    """A table of the report.

    Attributes:
        rows: Of what (in both languages), and what is said of it (in both; the English "" where it is the same).
    """

    title: Pair
    rows: Sequence[tuple[Pair, Pair]]


@dataclass(frozen=True)
class ReportText:
    """Everything a report says.

    Attributes:
        agency_name, parent_name, place: Who makes it, and where.
        headline, reason, next_step: The verdict.
        address: What its QR code opens.
    """

    agency_name: str
    parent_name: str
    place: str
    dated: date
    headline: Pair
    reason: Pair
    next_step: Pair
    sections: Sequence[Section]
    notes: Sequence[Pair]
    address: str


@dataclass(frozen=True)
class RenderedReport:
    """The report, not sealed yet, and where its seal goes."""

    pdf: bytes
    place: SignaturePlace


def render(said: ReportText, *, watermark: str = "", face: Typeface | None = None) -> RenderedReport:
    """Set the report as PDF/A-2a; the same text gives the same bytes.

    Raises:
        LayoutError: typst failed, or used another typeface.
    """
    face = face or typeface.ours()

    def shown(pair: Pair) -> list[str]:
        return [_printable(words, face) for words in pair]

    values: dict[str, Any] = {
        "title": "Biên bản kiểm tra chữ ký số",
        "agency_name": _printable(said.agency_name, face),
        "parent_name": _printable(said.parent_name, face),
        "date_line": _printable(
            f"{said.place}, ngày {said.dated:%d} tháng {said.dated:%m} năm {said.dated.year}", face
        ),
        "file_date": [said.dated.year, said.dated.month, said.dated.day],
        "headline": shown(said.headline),
        "reason": shown(said.reason),
        "next_step": shown(said.next_step),
        "sections": [
            {"title": shown(part.title), "rows": [[*shown(what), *shown(value)] for what, value in part.rows]}
            for part in said.sections
        ],
        "notes": [shown(note) for note in said.notes],
        "foot": "",
        "qr_svg": qr.symbol_for(said.address),
        "qr_alt": "Mã QR mở trang kiểm tra văn bản",
        "lookup_line": "",
        "watermark": watermark,
        "gap_mm": SEAL_MM + 2.0,
    }
    made = typesetting.set_pages(SOURCES / "verdict-report.typ", values, typeface=face, label="signature-gap")
    if made.told is None:
        raise LayoutError("the report doesn't say where it is sealed")
    return RenderedReport(made.pdf, _place(made.told))


def _place(gap: dict[str, float]) -> SignaturePlace:
    """The seal in the middle of its gap, at real size."""
    side = SEAL_MM * MM
    x, y = gap["x"] + gap["width"] / 2, PAGE_HEIGHT - (gap["y"] + gap["height"] / 2)
    return SignaturePlace(Place.REPORT, int(gap["page"]), (x - side / 2, y - side / 2, x + side / 2, y + side / 2))


def _printable(text: str, face: Typeface) -> str:
    """One line in letters that the typeface has, no longer than a cell holds."""
    whole = " ".join(unicodedata.normalize("NFC", text).split())
    short = whole if len(whole) <= _LONGEST_VALUE else whole[:_LONGEST_VALUE] + "…"
    known = "".join(letter if prints(letter, face) else "?" for letter in short)
    return " ".join(piece for word in known.split() for piece in _pieces(word, face))


def _pieces(word: str, face: Typeface) -> list[str]:
    """A word in pieces that each fit into a cell; a SHA-256 stays whole, the layout sets it smaller."""
    if _SHA256.fullmatch(word):
        return [word]
    pieces = [""]
    for letter in word:
        if pieces[-1] and face.width_pt(pieces[-1] + letter, _SIZE_PT) > _ROOM_PT:
            pieces.append("")
        pieces[-1] += letter
    return pieces
