"""Lines in the order in which a person reads them, where Tesseract's own goes wrong.

Tesseract sometimes reads an indented paragraph after everything below it. Its order is kept wherever geometry has no
opinion, so columns stay columns; but a line that stands right above another is read before it.
"""

from __future__ import annotations

import heapq
from itertools import groupby
from typing import TYPE_CHECKING

from digitize.types import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitize.types import OcrWord, Table

_SIDE_BY_SIDE = 0.5  # share of the lower height from which two lines stand beside, not above each other
_SAME_COLUMN = 0.2  # share of the narrower width that two lines of one column have in common


def in_order(words: Sequence[OcrWord], tables: Sequence[Table] = ()) -> tuple[OcrWord, ...]:
    """The same words, lines moved where one stands above another and came after it.

    Words that follow each other within one table move together and keep their order, which goes by its cells.

    Source: the partial order of text lines in T. M. Breuel, "High performance document layout analysis", 2003; ties go
    to Tesseract's own order.
    """
    lines = [list(line) for _, line in groupby(words, key=lambda word: _unit(word, tables))]
    boxes = [_around(line) for line in lines]
    followers: list[list[int]] = [[] for _ in lines]
    waiting_for = [0] * len(lines)
    for first, upper in enumerate(boxes):
        for second, lower in enumerate(boxes):
            if first != second and _stands_above(upper, lower):
                followers[first].append(second)
                waiting_for[second] += 1
    ready = [index for index, count in enumerate(waiting_for) if count == 0]
    heapq.heapify(ready)
    ordered: list[OcrWord] = []
    while ready:
        index = heapq.heappop(ready)
        ordered += lines[index]
        for follower in followers[index]:
            waiting_for[follower] -= 1
            if waiting_for[follower] == 0:
                heapq.heappush(ready, follower)
    # "Above" goes by the middle, so it can't run in a circle and no line is left over.
    return tuple(ordered)


def _unit(word: OcrWord, tables: Sequence[Table]) -> tuple[int, ...]:
    """What moves as one: a table or a line."""
    for index, table in enumerate(tables):
        if table.box.holds_middle_of(word.box):
            return (index,)
    return word.block, word.paragraph, word.line


def _around(line: Sequence[OcrWord]) -> Box:
    return Box(
        min(word.box.left for word in line),
        min(word.box.top for word in line),
        max(word.box.right for word in line),
        max(word.box.bottom for word in line),
    )


def _stands_above(upper: Box, lower: Box) -> bool:
    if upper.top + upper.bottom >= lower.top + lower.bottom:
        return False
    beside = min(upper.bottom, lower.bottom) - max(upper.top, lower.top)
    if beside > _SIDE_BY_SIDE * min(upper.bottom - upper.top, lower.bottom - lower.top):
        return False
    common = min(upper.right, lower.right) - max(upper.left, lower.left)
    return common > _SAME_COLUMN * min(upper.right - upper.left, lower.right - lower.left)
