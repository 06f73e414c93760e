"""The grid of a table whose rows are ruled and whose columns are parted by white only. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.tables.cells import (
    LEAST_CELL_MM,
    TOUCH_MM,
    Grid,
    Straight,
    cells_of,
    divides,
    drawn_bars,
    lean,
    merged,
    ruled,
)
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from digitize.tables.rules import Pixels, Rule

_GAP_MM = 1.3  # of white between columns that no rule parts
_CROSSED = 0.2  # of the rows may have text across such a gap: a heading within the table
_LEAST_WIDTH_MM = 60.0
_LEAST_RULES = 4
_INNER_MM = 12.0


def row_grids(ink: Pixels, free: Sequence[Rule], *, dpi: float) -> list[Grid]:
    """Tables among horizontal rules that no vertical one meets.

    Args:
        ink: As `rules.small_ink` gives it, `dpi` its own.
        free: Horizontal rules on it.
    """
    mm = dpi / MM_PER_INCH
    found = []
    for stack in _stacks(free, mm):
        grid = _rows_only(ink, stack, [rule for rule in free if rule not in stack], mm)
        if grid and divides(grid, mm):
            found.append(grid)
    return found


def _stacks(free: Sequence[Rule], mm: float) -> Iterator[list[Rule]]:
    """Horizontal rules that begin and end together, one below the other: a table with its rows ruled only."""
    wide = sorted((rule for rule in free if rule.length >= _LEAST_WIDTH_MM * mm), key=lambda rule: rule.place)
    reach = 2 * TOUCH_MM * mm
    while wide:
        first = wide[0]
        stack = [rule for rule in wide if abs(rule.start - first.start) < reach and abs(rule.end - first.end) < reach]
        wide = [rule for rule in wide if rule not in stack]
        if len(stack) >= _LEAST_RULES:
            yield stack


def _rows_only(ink: Pixels, stack: Sequence[Rule], others: Sequence[Rule], mm: float) -> Grid | None:
    """The grid of a table whose columns are parted by white only.

    `others` are rules that may lie within it, below the heading of a group of columns for instance.
    """
    left, right = min(rule.start for rule in stack), max(rule.end for rule in stack)
    straight = Straight(lean(stack), 0.0, (left + right) / 2, stack[0].place)
    picture = straight.picture(ink)
    within = [rule for rule in others if left <= rule.start and rule.end <= right and rule.length > _INNER_MM * mm]
    places = [straight.straight((rule.start + rule.end) / 2, rule.place)[1] for rule in (*stack, *within)]
    full = merged(places[: len(stack)], mm)
    rows = [sum(line) / len(line) for line in full]
    written = [_written(picture, upper, lower, (left, right), mm) for upper, lower in pairwise(rows)]
    used = np.array([row for row in written if row.any()])
    if len(used) < _LEAST_RULES - 1:
        return None
    xs = [float(left), *_gaps(used, left, mm), float(right)]
    if len(xs) < 4:  # noqa: PLR2004  writing lines of a form have words, not columns
        return None
    inner = [[place] for place in places[len(stack) :] if rows[0] < place < rows[-1]]
    lines = sorted(full + [line for line in inner if min(abs(line[0] - y) for y in rows) > LEAST_CELL_MM * mm])
    ys = [sum(line) / len(line) for line in lines]
    drawn = drawn_bars(picture, lines, xs, (), mm)
    lines_kept = [j for j, line in enumerate(lines) if line in full or any((j, i) in drawn for i in range(len(xs) - 1))]
    ys, lines = [ys[j] for j in lines_kept], [lines[j] for j in lines_kept]
    drawn = drawn_bars(picture, lines, xs, (), mm)
    ruled_h = ruled(lines, len(xs) - 1, drawn, {line[0] for line in full})
    ruled_v = np.ones((len(xs), len(ys) - 1), dtype=bool)
    half = max(1, round(_GAP_MM * mm / 3))
    for j, (upper, lower) in enumerate(pairwise(ys)):
        row = _written(picture, upper, lower, (left, right), mm)
        for i, x in enumerate(xs[1:-1], 1):
            at = round(x) - left
            ruled_v[i, j] = not row[max(0, at - half) : at + half].all()
    across = tuple((xs[i], top, xs[i + 1], bottom) for (_, i), bars in drawn.items() for top, bottom in bars)
    return Grid(tuple(ys), tuple(xs), tuple(cells_of(ruled_h, ruled_v)), across, (), straight)


def _written(picture: Pixels, upper: float, lower: float, ends: tuple[int, int], mm: float) -> NDArray[np.bool_]:
    """Where along a row there is writing, blanks between words filled in."""
    inside = picture[round(upper + 0.6 * mm) : round(lower - 0.5 * mm), ends[0] : ends[1]]
    if inside.size == 0:
        return np.zeros(ends[1] - ends[0], dtype=bool)
    inked = np.asarray(inside.any(axis=0), dtype=np.uint8)[None, :]
    joined = cv2.morphologyEx(inked, cv2.MORPH_CLOSE, np.ones((1, round(0.9 * mm) | 1), np.uint8))
    return np.asarray(joined, dtype=bool).ravel()


def _gaps(used: NDArray[np.bool_], left: int, mm: float) -> list[float]:
    """Middles of the white between columns."""
    white = used.mean(axis=0) <= _CROSSED
    edges = np.flatnonzero(np.diff(np.concatenate(([0], white.astype(np.int8), [0]))))
    return [
        left + (start + end) / 2
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if end - start >= _GAP_MM * mm and start > 0 and end < used.shape[1]
    ]
