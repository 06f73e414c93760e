"""Where on a page a hand would write the document's number and its day, told from the printed words beside them.

"Số:" and the symbol stand round the number, "ngày", "tháng" and "năm" round the day, the month and the year. Readers
glue what a pen touches to the word it touches ("Sôx⁄11", "ngàW{"), so how far a label reaches is reckoned from the
other labels of its line where its own box is too long to be true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from digitize.types import Box, PenZone
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from digitize.types import OcrPage, OcrWord

#: The head of a document ends here at the latest, as a share of the page's height.
_HEAD = 0.45
_NUMBER_LABEL = re.compile(r"[Ss$5][oO06ôốóồỗổộöõòọỏøơ](?![a-zà-ỹ]{2})|Sôx|[sS]\d")
_SYMBOL = re.compile(r"(?:0Đ|[A-ZĐÐ])[A-Za-zĐđÐ&]*(?:[-–][A-ZĐÐ&v][A-ZĐÐ&]*)+|(?<=[/⁄])[A-Za-zĐÐ][\w&-]+")
_SLASH = re.compile(r"[/⁄|¡!r]$")
_MONTH = re.compile(r"t?h[a4]ng")
_SURE_MONTH = re.compile(r"th[aàáảãạ4]ng", re.IGNORECASE)  # whatever its tone; "Thắng" and "thẳng" are other letters
_NARROW_MONTH = 2.9  # "tháng" is never narrower than this many of its own capitals' heights
#: How wide "ngày", "năm" and "Số:" are beside "tháng" in Times; Arial and DejaVu are within 4%.
_DAY_LABEL = 0.855
_YEAR_LABEL = 0.765
_SLACK = 1.06
_LEAST_ROOM = 0.1
_YEAR = 2  # after day and month
_SURE_OF_PRINT = 85.0
_MOST_BETWEEN = 3  # words that a day or a month filled in by hand is taken for
_MOST_BEFORE = 7  # words before the day: "Thành phố Hồ Chí Minh,"
_MOST_AFTER = 2  # words after "năm": the year, in two pieces at worst
_TOO_NEAR = 0.35  # no room for a day of two digits
_DIGIT_PER_CAPITAL = 0.92  # or a little less: what is too much ends at the slash


@dataclass(frozen=True)
class Place:
    """A stretch of a line that a hand may have filled in.

    Attributes:
        box: From label to label, as tall as its words.
        beside: Boxes of printed words of the same line, to measure print by.
        usual: Hands do fill this in; a year is printed nearly everywhere, and takes more to be believed.
    """

    zone: PenZone
    box: Box
    beside: tuple[Box, ...]
    usual: bool = True


def places(ocr: OcrPage) -> Iterator[Place]:
    """The places of number, day, month and year in the head of a document, where its labels were read.

    Each of them at most once: what stands higher up is the document's own, what comes later are documents it names. A
    day within a sentence ("Hôm nay, ngày … tháng … năm …, tại …") may be by hand too, but is not the document's: its
    places are ELSEWHERE.
    """
    head = [word for word in ocr.words if word.box.top < _HEAD * ocr.height_px]
    date = list(_date(head, ocr.width_px))
    own = [place for place in date if place.zone is PenZone.DAY]
    yield from list(_number(head, ocr.width_px)) or _number_without_label(head, own)
    yield from date


def _number(head: Sequence[OcrWord], width: int) -> Iterator[Place]:
    labels = [w for w in head if _NUMBER_LABEL.match(w.text) and w.box.left < 0.5 * width and _begins(w, head)]
    for label in sorted(labels, key=lambda word: word.box.top):
        row = [w for w in _row(label, head) if w.box.right <= label.box.right + 0.4 * width]
        symbol = next((w for w in [label, *row] if _symbol_start(w) is not None), None)
        if symbol is None:
            continue
        height = label.box.bottom - label.box.top
        start = min(label.box.right, label.box.left + round(1.35 * height))
        share = _symbol_start(symbol) or 0.0
        end = round(symbol.box.left + share * (symbol.box.right - symbol.box.left))
        beside = Box(end, symbol.box.top, symbol.box.right, symbol.box.bottom)
        top = min(label.box.top, symbol.box.top)
        if end - start > 0.2 * height:
            yield Place(PenZone.NUMBER, Box(start, top, end, max(label.box.bottom, symbol.box.bottom)), (beside,))
        return


def _number_without_label(head: Sequence[OcrWord], date: Sequence[Place]) -> Iterator[Place]:
    """Before a symbol that stands left of the day: a pen may have made its label unreadable."""
    if not date:
        return
    day = date[0].box
    reach = 2.5 * (day.bottom - day.top)
    for word in head:
        if sum(w.box.right <= word.box.left + 2 for w in _row(word, head)) > 1:
            continue  # the symbol of another document, in a sentence
        level = day.top - reach < word.box.top < day.bottom + reach
        if word.text[0] in "/⁄" and _symbol_start(word) is not None and level and word.box.right < day.left:
            room = round(1.7 * (word.box.bottom - word.box.top))
            box = Box(max(0, word.box.left - room), word.box.top, word.box.left, word.box.bottom)
            yield Place(PenZone.NUMBER, box, (word.box,))
            return


def _symbol_start(word: OcrWord) -> float | None:
    """Where in a word its symbol begins, as a share of its width; None when it has none."""
    found = _SYMBOL.search(word.text)
    if found is None:
        return None
    at = found.start() - bool(_SLASH.search(word.text[: found.start()]))
    before, after = _DIGIT_PER_CAPITAL * at, len(word.text) - at
    return before / (before + after)


def _date(head: Sequence[OcrWord], width: int) -> Iterator[Place]:
    months = [w for w in head if _is_month(w) and w.box.left > 0.35 * width]
    for month in sorted(months, key=lambda word: word.box.top):
        row = _row(month, head)
        # Only what a hand filled in stands between: "Nguyễn" four words before an unsure "Thắng" is no "ngày".
        left = [w for w in row if w.box.left < month.box.left][-_MOST_BETWEEN - 1 :]
        right = [w for w in row if w.box.left > month.box.left][: _MOST_BETWEEN + 1]
        before = [w for w in left if _is_day(w)]
        after = [w for w in right if fold(w.text).lstrip("0123456789").startswith("nam")]
        day, year = (before[-1] if before else None), (after[0] if after else None)
        if day is None and year is None:
            continue
        if not _stands_alone(day or month, row):
            continue
        if _goes_on(year or month, row):
            yield from (replace(place, zone=PenZone.ELSEWHERE) for place in _parts_of_date(day, month, year))
            continue
        yield from _parts_of_date(day, month, year)
        return


def _is_month(word: OcrWord) -> bool:
    """Whether a word is "tháng", or what a pen that touches it leaves of it; "Thắng", read surely, is a name.

    "THÁNG", read surely, stands in a heading ("NHIỆM VỤ THÁNG 02 NĂM 2025"): no paper is dated in capitals.
    """
    if word.confidence < _SURE_OF_PRINT:
        return _MONTH.search(fold(word.text)) is not None
    return not word.text.isupper() and _SURE_MONTH.search(word.text) is not None


def _is_day(word: OcrWord) -> bool:
    """Whether a word is "ngày", or what a pen that touches it leaves of it; "Nguyễn", read surely, is a name."""
    return fold(word.text).startswith("ngay" if word.confidence >= _SURE_OF_PRINT else "ng")


def _parts_of_date(day: OcrWord | None, month: OcrWord, year: OcrWord | None) -> Iterator[Place]:
    wide = _width_of_month(day, month, year)
    month_start, month_end = _month_label(day, month, wide)
    beside = [Box(month_start, month.box.top, month_end, month.box.bottom)]
    top, bottom = month.box.top, month.box.bottom
    if day is not None:
        start = min(day.box.right, day.box.left + round(_SLACK * _DAY_LABEL * wide))
        beside.append(Box(day.box.left, day.box.top, start, day.box.bottom))
    else:
        start = month_start - round(0.8 * wide)
    places = [Box(start, top, month_start, bottom)]
    if year is not None:
        year_start = year.box.left if fold(year.text).startswith("nam") else year.box.right - round(_YEAR_LABEL * wide)
        year_end = min(year.box.right, year_start + round(_SLACK * _YEAR_LABEL * wide))
        beside.append(Box(year_start, year.box.top, year_end, year.box.bottom))
        places.append(Box(month_end, top, year_start, bottom))
        places.append(Box(year_end, top, year_end + round(1.15 * wide), bottom))
    for index, box in enumerate(places):
        if box.right - box.left > _LEAST_ROOM * wide:
            yield Place(PenZone.DAY, box, tuple(beside), usual=index < _YEAR)


def _month_label(day: OcrWord | None, month: OcrWord, wide: float) -> tuple[int, int]:
    """From where to where "tháng" itself reaches: a pen's day or month beside it may have been taken for part of it."""
    left, right = month.box.left, month.box.right
    if right - left <= _SLACK * wide:
        return left, right
    label = _MONTH.search(fold(month.text))
    before = label.start() if label else 0
    after = len(month.text) - label.end() if label else 0
    if before > after or (not after and day is not None and left - day.box.right < _TOO_NEAR * wide):
        return right - round(_SLACK * wide), right
    return left, left + round(_SLACK * wide)


def _width_of_month(day: OcrWord | None, month: OcrWord, year: OcrWord | None) -> float:
    """How wide "tháng" is: its own box, or less where a label beside it says that something is glued to it."""
    share = min(1.0, len("tháng") / len(month.text))
    guesses = [(month.box.right - month.box.left) * share]
    if day is not None and fold(day.text) == "ngay":
        guesses.append((day.box.right - day.box.left) / _DAY_LABEL)
    if year is not None and fold(year.text) == "nam":
        guesses.append((year.box.right - year.box.left) / _YEAR_LABEL)
    return min(guesses)


def _row(word: OcrWord, words: Sequence[OcrWord]) -> list[OcrWord]:
    """The words beside a word, from left to right: those whose middle stands at its height.

    Or it at theirs, where it was boxed less than half as high as they: a line through a letter, not the letters.
    """
    return sorted((w for w in words if w is not word and _is_beside(word.box, w.box)), key=lambda w: w.box.left)


def _is_beside(one: Box, other: Box) -> bool:
    if one.top <= (other.top + other.bottom) / 2 <= one.bottom:
        return True
    is_flat = 2 * (one.bottom - one.top) < other.bottom - other.top
    return is_flat and other.top <= (one.top + one.bottom) / 2 <= other.bottom


def _begins(word: OcrWord, words: Sequence[OcrWord]) -> bool:
    """Whether nothing stands close before a word: "Căn cứ Luật số 72/2025/QH15" has another document's number."""
    height = word.box.bottom - word.box.top
    return not any(
        0 <= word.box.left - w.box.right < height and len(w.text) > 1 and w.box.right < word.box.left + 2
        for w in _row(word, words)
    )


def _stands_alone(word: OcrWord, row: Sequence[OcrWord]) -> bool:
    """Whether at most a place's name stands before the day: in a sentence of the text there would be more."""
    return len(_run(word, reversed([w for w in row if w.box.right <= word.box.left + 2]))) <= _MOST_BEFORE


def _goes_on(word: OcrWord, row: Sequence[OcrWord]) -> bool:
    """Whether more than a year follows: the line is one of the text."""
    return len(_run(word, [w for w in row if w.box.left >= word.box.right - 2])) > _MOST_AFTER


def _run(word: OcrWord, beside: Iterable[OcrWord]) -> list[OcrWord]:
    """The words that follow one another from a word on, up to the first wide gap."""
    height = word.box.bottom - word.box.top
    run: list[OcrWord] = []
    last = word.box
    for other in beside:
        if max(other.box.left - last.right, last.left - other.box.right) > 1.5 * height:
            break
        run.append(other)
        last = other.box
    return run
