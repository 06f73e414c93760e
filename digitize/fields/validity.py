"""Until when and where a paper is valid, and the codes printed on it: its kind's, its dossier's, its procedure's."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from digitize.fields.layout import UNWITNESSED, Line, doubted, found, witnessed
from digitize.fields.words import mended
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.fields.layout import Sheet
    from digitize.types import Field

_DAY = (
    r"(?:(?:het )?ngay\s?)?(?P<day>\d{1,2})\s?(?:/|-|\.|thang)\s?(?P<month>\d{1,2})\s?(?:/|-|\.|nam)\s?"
    r"(?P<year>(?:19|20)\d{2})(?!\d)"
)
#: Only what a paper says of itself: another document's end isn't this one's.
_OWN = (
    r"(?:^|[.;:]\s)\W{0,3}(?:dieu \d{1,2}\.?\s|\d{1,2}\.\s)?"
    r"(?:(?:quyet dinh|nghi quyet|thong bao|giay(?: [a-z]+){0,4}|van ban|"
    r"chung chi|ke hoach|phieu)(?: nay)? co (?:gia tri|hieu luc)|"
    r"(?:thoi han|hieu luc|gia tri)(?: hieu luc| su dung| co hieu luc)?|"
    r"co (?:gia tri|hieu luc)(?: su dung)?)"
)
_UNTIL = re.compile(_OWN + r"[^.;]{0,40}?\b(?:den|toi)\s?:?\s?" + _DAY)
_UNLIMITED = re.compile(_OWN + r"\s?:?\s?(?P<text>vo thoi han|khong thoi han|khong xac dinh thoi han)")
_SCOPE = re.compile(r"^\W{0,3}(?:\d{1,2}\.\s)?pham vi (?:hieu luc|ap dung|co hieu luc|su dung)\s?:\s?")
_DOSSIER = re.compile(
    r"(?<![\w.])(?:\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}|[A-Z]\d{2}(?:\.\d{1,3}){0,4})-\d{6}-\d{4,6}(?!\d)(?:-KQ\(?\d+\)?)?"
)
_TYPE_CODE = re.compile(
    r"ma (?:loai )?(?:giay to|ket qua|loai giay to|thanh phan ho so)\s?:\s?(?P<code>[a-z0-9]+(?:[.\-][a-z0-9]+)+)"
)
_PROCEDURE = re.compile(r"ma (?:tthc|thu tuc(?: hanh chinh)?)\s?:\s?(?P<code>\d\.\d{6})(?!\d)")


def validity(sheets: Sequence[Sheet]) -> Iterator[Field]:
    """Yield "valid_until" (ISO date, or "vô thời hạn" as printed) and "scope"."""
    ends: list[Field] = []
    for sheet in sheets:
        for line, joined in _with_next(sheet.lines):
            ends.extend(_end(line, joined, sheet))
    if ends:
        alone = len({field.value for field in ends}) == 1
        yield ends[0] if alone else doubted(ends[0])
    for sheet in sheets:
        for line in sheet.lines:
            label = _SCOPE.match(line.plain)
            if label and len(line.text) > label.end():
                value, known = mended(nfc(line.text[label.end() :]).strip(" .;,"))
                words = line.part(label.end(), len(line.text))
                field = found("scope", value, sheet, words, raw=line.text, pen=sheet.pen)
                known = known or value.casefold() in {"toàn quốc", "cả nước"}
                yield field if line.text[-1] in ".;" and (known or witnessed(words)) else doubted(field, UNWITNESSED)
                return


def _with_next(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    for index, line in enumerate(lines):
        below = lines[index + 1].words if index + 1 < len(lines) and line.text[-1] not in ".;" else ()
        yield line, Line((*line.words, *below))


def _end(line: Line, joined: Line, sheet: Sheet) -> Iterator[Field]:
    match = _UNTIL.search(joined.plain)
    if match and match.start() < len(line.text):
        try:
            day = date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError:
            return
        words = joined.part(match.start("day"), match.end("year"))
        yield found("valid_until", day.isoformat(), sheet, words, raw=match_text(joined, match), pen=sheet.pen)
        return
    match = _UNLIMITED.search(line.plain)
    if match:
        words = line.part(match.start("text"), match.end("text"))
        value = nfc(line.text[match.start("text") : match.end("text")])
        yield found("valid_until", value, sheet, words, raw=line.text, pen=sheet.pen)


def match_text(line: Line, match: re.Match[str]) -> str:
    """What a match on the plain text covers in the text as read."""
    return line.text[match.start() : match.end()].strip(" .;:")


def codes(sheets: Sequence[Sheet]) -> Iterator[Field]:
    """Yield "dossier_code", "type_code" and "procedure_code" where they are printed; two different ones are a doubt."""
    yield from _only("dossier_code", _DOSSIER, sheets, folded=False)
    yield from _only("type_code", _TYPE_CODE, sheets, folded=True)
    yield from _only("procedure_code", _PROCEDURE, sheets, folded=True)


def _only(key: str, pattern: re.Pattern[str], sheets: Sequence[Sheet], *, folded: bool) -> Iterator[Field]:
    fields = []
    for sheet in sheets:
        for line in sheet.lines:
            for match in pattern.finditer(line.plain if folded else line.text):
                start, end = match.span("code") if folded else match.span()
                value = line.text[start:end].strip(".-")
                fields.append(found(key, value, sheet, line.part(start, end), raw=line.text, pen=sheet.pen))
    if fields:
        mixed = re.search(r"\d[A-Za-z]|[A-Za-z]\d+[A-Za-z]", fields[0].value)  # "764510" read "76451O"
        yield fields[0] if len({field.value for field in fields}) == 1 and not mixed else doubted(fields[0])
