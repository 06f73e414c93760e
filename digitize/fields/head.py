"""The head of a document: whose it is, its number and symbol, where and when it was issued (Decree 30, boxes 1 to 5).

Two columns: on the left the agency, below its parent, then "Số: …/…"; on the right the national title and motto, then
"Hà Nội, ngày … tháng … năm …". Incoming stamps stand above or beside them with another office's number and date, and
the text below is full of other documents' numbers: a value is taken only where the layout puts it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from digitize import gazetteer
from digitize.fields.layout import DOUBT, Line, doubted, found, overlap, plain
from digitize.fields.words import AGENCY_HEADS, is_upper, mended
from digitize.types import Field, PenMark, PenZone
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.fields.layout import Sheet

_TITLE = re.compile(r"cong hoa xa hoi chu|xa hoi chu nghia viet nam")
_MOTTO = re.compile(r"doc lap.{1,5}tu do")
_NUMBER = re.compile(
    # "Số:": its mark and the colon are what is lost first
    r"""^\W{0,2}[S$5](?:[ốôóồỗổộõo0]|6(?=\s?[:.;]))\s{0,2}[:.;]{0,2}\s{0,2}
        (?P<number>[\dOoIl|]{1,6}[a-z]?)?\s{0,3}[/⁄]\s{0,2}
        (?P<symbol>(?:\d{4}\s?/\s?)?[A-ZĐÐ0][A-Za-zĐđÐ0-9&.]*(?:\s?[-–—]\s?[A-ZĐÐƯ0][A-Za-zĐđÐƯư0-9&.]*)*)""",
    re.VERBOSE,
)
_DATE = re.compile(
    r"(?P<place>[^,;:]{2,60}?)\s?[,.]?\s?\bng[aă]y\s{0,2}(?P<day>[\dOoIl|]{1,2})\s{0,2}th[ao]ng\s{0,2}"
    r"(?P<month>[\dOoIl|]{1,2})\s{0,2}n[ao]m\s{0,2}(?P<year>(?:19|20)\d{2})(?!\d)",
    re.IGNORECASE,
)
#: A date whose day, month or year is a pen's or wasn't read at all.
_DATE_LABELS = re.compile(r"(?P<place>[^,;:]{2,60}?)\s?,\s?\bng[aă]y\b.*\bn[ao]m\b|\bth[ao]ng\b.*\bn[ao]m\b")
#: No syllable begins so: the blank behind it was lost.
_GLUED = re.compile(r"\b(TỈNH|PHƯỜNG)(?=[^\W\d_]{2})")
_LABEL = re.compile(r"^\W{0,2}s[o0]\W{0,3}(?:$|\W|x)")
_ABOVE, _BELOW = 2.5, 6.0
_WITHOUT_TITLE = 0.18
_EARLIEST_YEAR = 1945
_LONGEST_PLACE = 6
#: A number that stands apart from its symbol was filled in, often by hand: believed only when read surely.
_SURE_OF_FILLED_IN = 75.0
_SURE_OF_DAY = 50.0
_NEXT_LINE = 2.1


@dataclass(frozen=True)
class Head:
    """The lines of a head: its two columns, and where they begin and end.

    Attributes:
        title: The national title or the motto, the lower of them that was read; None where neither was.
        left, right: Lines of the two columns, from the top.
        bottom: Height below which nothing of the head stands, in pixels.
    """

    title: Line | None
    left: tuple[Line, ...]
    right: tuple[Line, ...]
    bottom: float


def head_of(sheet: Sheet) -> Head:
    """Find the head's columns on a document's first page."""
    upper = [line for line in sheet.lines if line.box.top < 0.45 * sheet.height]
    first = next((line for line in upper if _TITLE.search(line.plain)), None)
    motto = next((line for line in upper if _MOTTO.search(line.plain)), None)
    anchor = motto or first
    if anchor is None:
        within = [line for line in upper if line.box.top < _WITHOUT_TITLE * sheet.height]
        cut = 0.5 * sheet.width
        bottom = _WITHOUT_TITLE * sheet.height
    else:
        height = max(anchor.height, 0.8 * sheet.em)
        top = (first or anchor).box.top - (0.9 if first else _ABOVE) * height
        bottom = anchor.box.bottom + _BELOW * height
        within = [line for line in upper if top < line.box.top < bottom]
        widest = min((line for line in (first, motto) if line), key=lambda line: line.box.left)
        cut = widest.box.left - 0.2 * height
    return Head(
        title=anchor,
        left=tuple(line for line in within if line.middle < cut),
        right=tuple(line for line in within if line.middle >= cut),
        bottom=bottom,
    )


def number_line(head: Head) -> tuple[Line, re.Match[str]] | None:
    """The line "Số: …/…" of the left column and what it says; room left for a hand parts "Số:" from "/QĐ-UBND"."""
    for line in head.left:
        whole = line
        if _LABEL.match(line.plain):
            beside = [each for each in head.left if each is not line and _on_one_line(line, each)]
            whole = Line((*line.words, *(word for each in beside for word in each.words)))
        match = _NUMBER.match(whole.text)
        if match:
            return whole, match
    return None


def _on_one_line(line: Line, other: Line) -> bool:
    centre = (other.box.top + other.box.bottom) / 2
    return other.box.left > line.box.left and line.box.top < centre < line.box.bottom


def number_and_symbol(head: Head, sheet: Sheet) -> Iterator[Field]:
    """Yield "number" and "symbol". The number is empty, with its place, where a pen wrote it or it wasn't read."""
    stated = number_line(head)
    pen = [mark for mark in sheet.pen if mark.zone is PenZone.NUMBER]
    if stated is None:
        if pen and any(_LABEL.match(line.plain) for line in head.left):
            yield _by_pen("number", pen, sheet)
        return
    line, match = stated
    symbol, as_printed = _symbol(match["symbol"])
    if pen:
        yield _by_pen("number", pen, sheet)
    elif match["number"] and symbol:
        yield from _number(line, match, sheet)
    if symbol:
        words = line.part(match.start("symbol"), match.end("symbol"))
        most = 100.0 if as_printed else DOUBT
        yield found("symbol", symbol, sheet, words, raw=match[0].strip(), pen=sheet.pen, most=most)


def _number(line: Line, match: re.Match[str], sheet: Sheet) -> Iterator[Field]:
    if not re.fullmatch(r"\d{1,6}[a-h]?", match["number"]):
        return
    at = line.part(match.start("number"), match.end("number"))
    filled_in = "/" not in at[-1].text and match.end("number") < match.start("symbol") - 1
    if not filled_in or min(word.confidence for word in at) >= _SURE_OF_FILLED_IN:
        words = line.part(match.start(), match.end("number"))
        yield found("number", match["number"], sheet, words, raw=match[0].strip(), pen=sheet.pen, guess=False)


def _by_pen(key: str, marks: Sequence[PenMark], sheet: Sheet) -> Field:
    return Field(key, "", "", sheet.number, marks[0].box, 0.0)


def _symbol(read: str) -> tuple[str, bool]:
    """Put "QÐ - UBND" and "0Đ-UBND" as they were printed, "" when it can't be; and whether letters stayed as read."""
    joined = re.sub(r"\s*([-–—/])\s*", r"\1", read).replace("–", "-").replace("—", "-").replace("Ð", "Đ").strip(".-")
    exact = joined
    joined = re.sub(r"(?<![A-ZĐ\d])[0O]Đ(?=-|$)", "QĐ", joined)
    joined = re.sub(r"\bQ[D0O](?=-|$)", "QĐ", joined)
    joined = re.sub(r"^(Q|C|N)ĐĐ(?=-)", r"\1Đ", joined)
    joined = re.sub(r"\b(?:TT[TR]|T[Il]r)(?=-)", "TTr", joined)
    joined = re.sub(r"\bN[D0](?=-CP|$)", "NĐ", joined)
    mended_well = joined == exact or exact[:2] in {"0Đ", "OĐ", "QD"}
    letters = [letter for letter in joined if letter.isalpha()]
    few_capitals = len(letters) < 2 or sum(map(str.isupper, letters)) < 0.7 * len(letters)  # noqa: PLR2004
    if few_capitals and not re.fullmatch(r"(?:TTr|CTr|QyĐ|QyC|Ttr)(?:-[A-ZĐ&]+)*", joined):
        return "", False
    return joined, mended_well and not re.search(r"(?<![A-ZĐa-z\d])\d(?!\d{3}/)|[A-ZĐ]0|0[A-ZĐ]", joined)


def place_and_date(lines: Sequence[Line], sheet: Sheet) -> Iterator[Field]:
    """Yield "issued_on" (ISO date) and "place" of the first line that states both.

    The day is empty, with its place, where a pen wrote it.
    """
    pen = [mark for mark in sheet.pen if mark.zone is PenZone.DAY]
    for line in lines:
        match = _DATE.search(line.plain)
        labels = match or _DATE_LABELS.search(line.plain)
        place = _place(line.text[labels.start("place") : labels.end("place")]) if labels and labels["place"] else ""
        inked = any(overlap(mark.box, line.box) for mark in pen)
        if labels is None or not (place or inked):
            continue
        if place:
            start = max(0, line.text.rfind(place, 0, labels.end("place")))
            value, known = mended(place)
            words = line.part(start, labels.end("place"))
            yield found("place", value, sheet, words, pen=sheet.pen, most=100.0 if known else DOUBT)
        if inked:
            yield Field("issued_on", "", line.text, sheet.number, line.box, 0.0)
        elif match is not None:
            yield from _issued_on(line, match, sheet)
        return


def _issued_on(line: Line, match: re.Match[str], sheet: Sheet) -> Iterator[Field]:
    day = _valid(match["year"], match["month"], match["day"])
    at = line.part(match.start("day"), match.end("day"))
    if day is not None and min(word.confidence for word in at) >= _SURE_OF_DAY:
        words = line.part(match.end("place") + 1, match.end())
        raw = line.text[match.start("place") : match.end()].strip()
        yield found("issued_on", day.isoformat(), sheet, words, raw=raw, pen=sheet.pen, guess=False)


def _place(text: str) -> str:
    """The place before "ngày", without what stood left of it on the same line; "" when it is no place."""
    kept: list[str] = []
    for word in reversed(text.strip(" ,.").split()):
        if not (word[:1].isupper() or word == "-" or re.fullmatch(r"\d{1,2}", word)) or "/" in word:
            break
        kept.insert(0, word)
    name = nfc(" ".join(kept))
    if re.search(r"\d", name) and gazetteer.commune_named(name) is None:
        name = re.sub(r"^.*\d\s?", "", name)
    return name if len(kept) <= _LONGEST_PLACE else ""


def _valid(year: str, month: str, day: str) -> date | None:
    try:
        stated = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return stated if stated.year >= _EARLIEST_YEAR else None


def agencies(head: Head, sheet: Sheet) -> Iterator[Field]:
    """Yield "agency" and, above it, "parent_agency", in capitals as printed, slips in known words mended."""
    stated = number_line(head)
    lowest = stated[0].box.top if stated else head.bottom
    lines = [line for line in head.left if line.box.bottom < lowest + 0.5 * line.height and _is_agency(line)]
    lines = _without_gaps(lines)
    units: list[list[Line]] = []
    for line in lines:
        if units and not _begins_unit(line, units[-1]):
            units[-1].append(line)
        else:
            units.append([line])
    if not units or not _head_word(units[-1][0].plain):
        return
    yield from _agency("agency", units[-1], sheet)
    if len(units) > 1:
        parents = [line for unit in units[:-1] for line in unit]
        yield from _agency("parent_agency", parents, sheet)


def _is_agency(line: Line) -> bool:
    if re.fullmatch(r"\d{1,2}", line.text):
        return True  # the last word of "PHƯỜNG AN ĐÔNG 2"
    letters = [letter for letter in line.text if letter.isalpha()]
    return len(letters) > 1 and is_upper(line.text) and not re.search(r"[:/]|\d{3}", line.text)


def _without_gaps(lines: Sequence[Line]) -> list[Line]:
    """The lowest group of lines that follow each other closely: a stamp above isn't the agency."""
    kept: list[Line] = []
    for line in reversed(lines):
        if kept and kept[0].box.top - line.box.top > _NEXT_LINE * max(line.height, kept[0].height):
            break
        kept.insert(0, line)
    return kept


def _head_word(text: str) -> bool:
    words = text.split()
    return any(" ".join(words[:size]) in AGENCY_HEADS for size in range(1, 5))


def _begins_unit(line: Line, unit: Sequence[Line]) -> bool:
    """Whether a line names a body of its own: not the second line of one whose name was too long for the first."""
    above = " ".join(each.text for each in unit)
    if len(line.words) == 1 or (mended(f"{above} {line.text}")[1] and not mended(above)[1]):
        return False  # "XÃ ĐIỆN" and "BÀN TÂY"
    unfinished = re.search(r"(?:\b(?:VÀ|CỦA|THUỘC|TẠI|XÃ|PHƯỜNG|TỈNH|THÀNH PHỐ|ĐẶC KHU)|-)$", above)
    goes_on = unfinished or plain(above) in AGENCY_HEADS - {"chinh phu", "quoc hoi"}
    return _head_word(line.plain) and not goes_on


def _agency(key: str, lines: Sequence[Line], sheet: Sheet) -> Iterator[Field]:
    read = [word for line in lines for word in line.words]
    words = [word for word in read if word.text in "-&" or any(map(str.isalnum, word.text))]
    text = " ".join(line.text for line in lines)
    clean = " ".join(word.text for word in words).strip(" .,-_")
    value, known = mended(_GLUED.sub(r"\1 ", clean))
    field = found(key, value, sheet, words, raw=text, pen=sheet.pen)
    yield field if known else doubted(field)
