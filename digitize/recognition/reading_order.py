"""Lines in the order in which a person reads them, where Tesseract's own goes wrong.

Tesseract sometimes reads an indented paragraph after everything below it. Its order is kept wherever geometry has no
opinion, so columns stay columns; but a line that stands right above another is read before it.
"""

from __future__ import annotations

import heapq
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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
    boxes = np.array([_around(line) for line in lines], dtype=np.int64).reshape(-1, 4)
    followers = [np.flatnonzero(_stands_above(upper, boxes)).tolist() for upper in boxes]
    waiting_for = [0] * len(lines)
    for below in followers:
        for second in below:
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


def _around(line: Sequence[OcrWord]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom."""
    return (
        min(word.box.left for word in line),
        min(word.box.top for word in line),
        max(word.box.right for word in line),
        max(word.box.bottom for word in line),
    )


def _stands_above(upper: NDArray[np.int64], boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which boxes a box of shape (4,) stands above, of shape (n, 4): all at once, for a page may have 1,000 lines."""
    left, top, right, bottom = upper
    lefts, tops, rights, bottoms = boxes.T
    beside = np.minimum(bottom, bottoms) - np.maximum(top, tops)
    common = np.minimum(right, rights) - np.maximum(left, lefts)
    return np.asarray(
        (top + bottom < tops + bottoms)
        & (beside <= _SIDE_BY_SIDE * np.minimum(bottom - top, bottoms - tops))
        & (common > _SAME_COLUMN * np.minimum(right - left, rights - lefts)),
        dtype=np.bool_,
    )
