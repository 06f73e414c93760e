"""What a table's grid is, and what is drawn between its lines: rules, and cells that span several places. Pure.

All of it on the small picture of `digitize.tables.rules`; a table that leans a little is set straight first, so that a
rule is one row or one column of pixels and what is between two rules can be counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from digitize.tables.rules import Pixels, Rule

TOUCH_MM = 1.5  # rules that end this close to each other belong together
LEAST_CELL_MM = 2.6
DOTS_MM = 0.9  # between the dots of a dotted rule
_DOUBLE_MM = 1.9  # closer than any row of text is high: one rule drawn twice
_DRIFT_MM = 0.35
_PRESENT = 0.8  # of the length between two crossings
_PRESENT_DOTTED = 0.6
_JOIN_MM = 0.35
_BARE = 0.5  # of a rule's stretches
_BAR_MM = 1.4  # a double rule may have run together
_SHOULDER_PX = 3
_PRINT_BESIDE = 0.25  # of a stretch that letters may darken right beside a rule; rules were measured at 0.1 at most

Stretch = tuple[float, float, float, float]
Bars = dict[tuple[int, int], list[tuple[int, int]]]


@dataclass(frozen=True)
class Straight:
    """How a leaning table is read off: straight (u, v) lies at (u + down_slope·(v - v0), v + across_slope·(u - u0))."""

    across_slope: float
    down_slope: float
    u0: float
    v0: float

    def page(self, u: float, v: float) -> tuple[float, float]:
        """Where a straight point lies on the page."""
        return u + self.down_slope * (v - self.v0), v + self.across_slope * (u - self.u0)

    def straight(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the page lies when straight; slopes are small, so once is enough."""
        return x - self.down_slope * (y - self.v0), y - self.across_slope * (x - self.u0)

    def picture(self, ink: Pixels) -> Pixels:
        """The whole small picture, straight."""
        if abs(self.across_slope) < 1e-4 and abs(self.down_slope) < 1e-4:  # noqa: PLR2004
            return ink
        matrix = np.array(
            [[1, self.down_slope, -self.down_slope * self.v0], [self.across_slope, 1, -self.across_slope * self.u0]]
        )
        size = (ink.shape[1], ink.shape[0])
        return np.asarray(
            cv2.warpAffine(ink, matrix, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP), dtype=np.uint8
        )


@dataclass(frozen=True)
class Grid:
    """Rows and columns between lines, in straight small pixels.

    Attributes:
        ys, xs: The lines, ascending; a double rule is one line.
        cells: (row, column, rows, columns).
        across, down: Stretches of rule that are really drawn, (left, top, right, bottom), as thick as the rule is.
    """

    ys: tuple[float, ...]
    xs: tuple[float, ...]
    cells: tuple[tuple[int, int, int, int], ...]
    across: tuple[Stretch, ...]
    down: tuple[Stretch, ...]
    straight: Straight


def lean(rules: Sequence[Rule]) -> float:
    """Median slope, each rule counted by its length; short ones know no slope."""
    longest = max(rule.length for rule in rules)
    told = sorted((rule.slope, rule.length) for rule in rules if rule.length > longest / 3)
    half = sum(length for _, length in told) / 2
    for slope, length in told:
        half -= length
        if half <= 0:
            return slope
    return 0.0


def merged(places: Sequence[float], mm: float) -> list[list[float]]:
    """Places closer to each other than a row can be, together."""
    lines: list[list[float]] = []
    for place in sorted(places):
        if lines and place - lines[-1][-1] < _DOUBLE_MM * mm and place - lines[-1][0] < 2 * _DOUBLE_MM * mm:
            lines[-1].append(place)
        else:
            lines.append([place])
    return lines


def ruled(lines: Sequence[Sequence[float]], stretches: int, bars: Bars, always: Collection[float]) -> NDArray[np.bool_]:
    """For each line, between which crossings it parts what lies on its sides."""
    return np.array([[line[0] in always or (j, i) in bars for i in range(stretches)] for j, line in enumerate(lines)])


def drawn_bars(
    picture: Pixels, lines: list[list[float]], crossings: Sequence[float], dotted: Sequence[float], mm: float
) -> Bars:
    """(line, stretch) → first and last row of each bar that is drawn there, between two crossings.

    A rule fills one row of pixels, or two where it steps down; print fills a row by half, however tightly it is set.
    """
    found: Bars = {}
    drift, margin = max(1, round(_DRIFT_MM * mm)), round(0.5 * mm)
    for j, heights in enumerate(lines):
        for height in heights:
            middle, join, needed = round(height), round(_JOIN_MM * mm) | 1, _PRESENT
            if height in dotted:
                join, needed = round(DOTS_MM * mm) | 1, _PRESENT_DOTTED
            first = max(0, middle - drift - 1)
            band = picture[first : middle + drift + 2]
            joined = cv2.morphologyEx(band, cv2.MORPH_CLOSE, np.ones((1, join), np.uint8)) > 0
            joined = joined[:-1] | joined[1:]
            likely: dict[int, tuple[int, int]] = {}
            bare = set()
            for i, (start, end) in enumerate(pairwise(crossings)):
                here = joined[:, max(0, round(start) + margin) : max(1, round(end) - margin)]
                filled = here.mean(axis=1) if here.size else np.zeros(1)
                if filled.max() >= needed:
                    at = first + int(filled.argmax())
                    is_bare, top, bottom = _bar(picture, at, (start + margin, end - margin), mm)
                    likely[i] = top, bottom
                    if is_bare or height in dotted:
                        bare.add(i)
            # A rule goes on beside a seal or a tall letter; tight print at its height, farther off, is none of it.
            if len(bare) >= _BARE * len(likely):
                for i, bar in likely.items():
                    if not bare.isdisjoint((i - 1, i, i + 1)):
                        found.setdefault((j, i), []).append(bar)
    return found


def _bar(picture: Pixels, at: int, ends: tuple[float, float], mm: float) -> tuple[bool, int, int]:
    """First and last row of a bar of ink, and whether it ends within a few pixels: a line of print only thins out."""
    reach = round(_BAR_MM * mm)
    start = max(0, at - reach - _SHOULDER_PX)
    stretch = picture[start : at + reach + _SHOULDER_PX + 1, max(0, round(ends[0])) : max(1, round(ends[1]))]
    filled = np.asarray(stretch > 0).mean(axis=1)
    top = bottom = at - start + int(np.argmax(filled[at - start : at - start + 2]))
    enough = min(_PRESENT, float(filled[top]))
    while top > 0 and filled[top - 1] >= enough:
        top -= 1
    while bottom + 1 < len(filled) and filled[bottom + 1] >= enough:
        bottom += 1
    sides = filled[max(0, top - _SHOULDER_PX) : top], filled[bottom + 1 : bottom + 1 + _SHOULDER_PX]
    is_bare = all(side.size == 0 or side.min() <= _PRINT_BESIDE for side in sides)
    return is_bare, start + top, start + bottom


def cells_of(ruled_h: NDArray[np.bool_], ruled_v: NDArray[np.bool_]) -> Iterator[tuple[int, int, int, int]]:
    """(row, column, rows, columns) of each cell, row by row.

    What hangs together without being a rectangle (a rule got lost under a seal) is taken apart row by row.
    """
    owner = _owners(ruled_h, ruled_v)
    rows, columns = owner.shape
    done = set()
    for row, column in product(range(rows), range(columns)):
        index = int(owner[row, column])
        if index in done:
            continue
        at = np.argwhere(owner == index)
        (top, left), (bottom, right) = at.min(axis=0).tolist(), at.max(axis=0).tolist()
        if len(at) == (bottom - top + 1) * (right - left + 1):
            done.add(index)
            yield row, column, bottom - top + 1, right - left + 1
        else:
            last = column
            while last + 1 < columns and owner[row, last + 1] == index and not ruled_v[last + 1, row]:
                last += 1
            if column == 0 or owner[row, column - 1] != index or ruled_v[column, row]:
                yield row, column, 1, last - column + 1


def _owners(ruled_h: NDArray[np.bool_], ruled_v: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each place in the grid a number; places with no rule between them have the same."""
    rows, columns = ruled_v.shape[1], ruled_h.shape[1]
    owner = np.full((rows, columns), -1, dtype=np.int64)
    for first in product(range(rows), range(columns)):
        if owner[first] >= 0:
            continue
        index = first[0] * columns + first[1]
        waiting = [first]
        owner[first] = index
        while waiting:
            row, column = waiting.pop()
            for r, c, ruled in (
                (row, column + 1, column + 1 < columns and ruled_v[column + 1, row]),
                (row, column - 1, ruled_v[column, row]),
                (row + 1, column, row + 1 < rows and ruled_h[row + 1, column]),
                (row - 1, column, ruled_h[row, column]),
            ):
                if 0 <= r < rows and 0 <= c < columns and not ruled and owner[r, c] < 0:
                    owner[r, c] = index
                    waiting.append((r, c))
    return owner


def divides(grid: Grid, mm: float) -> bool:
    """Whether this is a table: at least two rows and two columns of cells in which writing has room."""
    if len({cell[0] for cell in grid.cells}) < 2 or len({cell[1] for cell in grid.cells}) < 2:  # noqa: PLR2004
        return False
    heights, widths = np.diff(grid.ys), np.diff(grid.xs)
    return bool(np.median(heights) >= LEAST_CELL_MM * mm and np.median(widths) >= LEAST_CELL_MM * mm)
