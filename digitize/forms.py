"""The filled-in lines of a form as pairs: "Họ và tên: …" → what stands on the dots. Pure.

A line of a form is one label and its value, or several beside each other ("Số: … Ngày cấp: … Nơi cấp: …"). A label
begins with a capital letter and ends with a colon; what follows up to the next label is its value. Rows of dots to
write on are no text: a value that has nothing else is empty, and stays so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from digitize.types import Box

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.types import OcrPage, OcrWord

#: Dots, dashes and underscores to write on, as they are read.
_LEADER = re.compile(r"[.…·_‥]{3,}|…+|\.(?:\s?\.){2,}")
_MOST_LABEL_WORDS = 12
_NUMBERED = re.compile(r"^(?:\d{1,2}(?:\.\d{1,2})*|[a-zđ]|[IVX]+)[.)]$")


@dataclass(frozen=True)
class Pair:
    """One field of a form.

    Attributes:
        label: As printed, without its colon and number.
        value: Without rows of dots; "" where nothing is filled in.
        label_box: Where the label stands.
        value_box: Where the value stands; None when it is empty.
        confidence: The lowest of the value's words; 0 when it is empty.
    """

    label: str
    value: str
    label_box: Box
    value_box: Box | None
    confidence: float


def pairs(ocr: OcrPage) -> tuple[Pair, ...]:
    """The fields of a page, in reading order; what stands in tables is left to their cells.

    Args:
        ocr: As read.
    """
    outside = [word for word in ocr.words if not any(table.box.holds_middle_of(word.box) for table in ocr.tables)]
    lines = groupby(outside, key=lambda word: (word.block, word.paragraph, word.line))
    return tuple(pair for _, line in lines for pair in _pairs_of(list(line)))


def without_leaders(text: str) -> str:
    """Text without the dots that it was to be written on."""
    return " ".join(_LEADER.sub(" ", text).split())


def _pairs_of(line: Sequence[OcrWord]) -> Iterator[Pair]:
    """A line cut at its labels."""
    ends = [index for index, word in enumerate(line) if _ends_label(word.text)]
    starts = [
        _label_start(line, previous + 1 if previous >= 0 else 0, end)
        for previous, end in zip([-1, *ends], ends, strict=False)
    ]
    labels = [(start, end) for start, end in zip(starts, ends, strict=True) if start is not None]
    for position, (start, end) in enumerate(labels):
        stop = labels[position + 1][0] if position + 1 < len(labels) else len(line)
        label = line[start : end + 1]
        # The dots may have been read as one word with the colon before them, or with the value.
        last, _, rest = label[-1].text.partition(":")
        name = " ".join([*(word.text for word in label[:-1]), last])
        filled = [word for word in line[end + 1 : stop] if without_leaders(word.text)]
        value = without_leaders(" ".join([rest, *(word.text for word in line[end + 1 : stop])]))
        yield Pair(
            name,
            value,
            Box.around(word.box for word in label),
            Box.around(word.box for word in filled or label[-1:]) if value else None,
            min((word.confidence for word in filled or label[-1:]), default=0.0) if value else 0.0,
        )


def _ends_label(text: str) -> bool:
    """Whether a word ends a label: a colon behind a letter, not the one in a time of day or an address."""
    before, colon, behind = text.partition(":")
    return bool(colon) and (before[-1:].isalpha() or (before.endswith(")") and not behind[:1].isalnum()))


def _label_start(line: Sequence[OcrWord], first: int, end: int) -> int | None:
    """Where the label that ends at `end` begins: behind dots, at a capital letter, its number left out."""
    start = first
    for index in range(first, end + 1):
        if _LEADER.search(line[index].text.partition(":")[0] if index == end else line[index].text):
            start = index + 1
    if start > first or first == 0:
        begin = start
    else:  # behind a value: at the last capital that starts a run of small words
        capitals = [index for index in range(first, end + 1) if line[index].text[:1].isupper()]
        begin = capitals[-1] if capitals else end
    while begin < end and (_NUMBERED.match(line[begin].text) or not line[begin].text[:1].isalpha()):
        begin += 1
    if begin > end or not line[begin].text[:1].isupper() or end - begin >= _MOST_LABEL_WORDS:
        return None
    return begin
