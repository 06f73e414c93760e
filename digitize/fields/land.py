"""What a land certificate is known by: its serial, its entry in the register, the parcel and the sheet of the map.

The serial ("số phát hành") is two letters and six digits, eight since Circular 10/2024/TT-BTNMT; it stands alone at the
foot of the first page. "Thửa đất số" and "tờ bản đồ số" open a line of a certificate, a permit or an application; named
within a sentence they may be anybody's land, and are left alone. There is no check digit: two different values on one
paper make both a doubt.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from digitize.fields.layout import Line, doubted, found
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.fields.layout import Sheet
    from digitize.types import Field

_START = r"^\W{0,3}(?:\d{1,2}(?:\.\d)?[.)]\s?)?(?:[a-h][.)]\s?)?"
#: No more digits or what they were read as, no second part: "217, 218" are two parcels, "14-2" is no sheet of its own.
_END = r"(?![\w/-]|[.,]\s?\d)"
_PARCEL = re.compile(_START + r"(?:thua dat so|so thua(?: dat)?|thua so)\s?[:;.]?\s?(?P<value>\d{1,5})" + _END)
_MAP = re.compile(r"(?:so to ban do|to ban do(?: so)?)\s?[:;.]?\s?(?P<value>\d{1,4})" + _END)
_MAP_ALONE = re.compile(_START + r"(?:so )?to ban do")
_REGISTER_LABEL = re.compile(r"so vao so(?: cap)?(?: gcn| giay chung nhan)?(?: quyen su dung dat)?\s?[:;.]?\s?")
_REGISTER = re.compile(r"(?P<value>[A-ZĐ]{1,3}[ .-]?\d{3,6}|\d{4,6})(?!\w)")
_SERIAL_LABEL = re.compile(r"so (?:phat hanh|se-?ri|seri)[a-z ]{0,40}?\s?[:;.]?\s?(?=[a-z]{2}\s?\d)")
_SERIAL = re.compile(r"(?P<letters>[A-ZĐ]{2})\s?(?P<digits>\d{6}(?:\d{2})?)(?!\w)")
_CERTIFICATE = ("quyen su dung dat", "giay chung nhan")


def land(sheets: Sequence[Sheet]) -> Iterator[Field]:
    """Yield "land_serial" and "land_register" of a land certificate, "parcel" and "map_sheet" of any paper."""
    said = " ".join(line.plain for sheet in sheets for line in sheet.lines)
    if all(words in said for words in _CERTIFICATE):
        yield from _alone(_serials(sheets))
        yield from _alone(_registered(sheets))
    yield from _alone(_parcels(sheets))
    yield from _alone(_maps(sheets))


def _alone(fields: Iterator[Field]) -> Iterator[Field]:
    """The first of them; a doubt when they differ."""
    all_said = list(fields)
    if all_said:
        yield all_said[0] if len({field.value for field in all_said}) == 1 else doubted(all_said[0])


def _serials(sheets: Sequence[Sheet]) -> Iterator[Field]:
    for sheet in sheets:
        for line in sheet.lines:
            label = _SERIAL_LABEL.search(line.plain)
            code = _SERIAL.match(line.text, label.end() if label else 0)
            if code is None or (label is None and code.end() < len(line.text.rstrip(" ."))):
                continue
            value = f"{code['letters']} {code['digits']}"
            yield found("land_serial", value, sheet, line.part(*code.span()), raw=line.text, pen=sheet.pen)


def _registered(sheets: Sequence[Sheet]) -> Iterator[Field]:
    """Behind its label; below it where the column is narrow."""
    for sheet in sheets:
        for line, below in zip(sheet.lines, (*sheet.lines[1:], None), strict=True):
            label = _REGISTER_LABEL.search(line.plain)
            if label is None:
                continue
            joined = line if below is None else Line((*line.words, *below.words))
            start = label.end() + (label.end() == len(line.plain))  # the blank between two lines
            match = _REGISTER.match(line.text, label.end()) or _REGISTER.match(joined.text, start)
            if match is not None:
                yield _value("land_register", match, joined, sheet)


def _parcels(sheets: Sequence[Sheet]) -> Iterator[Field]:
    yield from _labelled("parcel", _PARCEL, sheets)


def _maps(sheets: Sequence[Sheet]) -> Iterator[Field]:
    """Behind its parcel, or opening a line."""
    for sheet in sheets:
        for line in sheet.lines:
            if _PARCEL.match(line.plain) or _MAP_ALONE.match(line.plain):
                yield from _labelled("map_sheet", _MAP, [replace(sheet, lines=(line,))])


def _labelled(key: str, pattern: re.Pattern[str], sheets: Sequence[Sheet]) -> Iterator[Field]:
    for sheet in sheets:
        for line in sheet.lines:
            for match in pattern.finditer(line.plain):
                yield _value(key, match, line, sheet)


def _value(key: str, match: re.Match[str], line: Line, sheet: Sheet) -> Field:
    start, end = match.span("value")
    return found(key, nfc(line.text[start:end]), sheet, line.part(start, end), raw=line.text, pen=sheet.pen)
