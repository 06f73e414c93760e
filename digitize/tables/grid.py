"""The grid of a table whose rules cross: which rules belong together, and the lines they make. Pure."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.tables.cells import DOTS_MM, TOUCH_MM, Grid, Straight, cells_of, divides, drawn_bars, lean, merged, ruled
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.tables.rules import Pixels, Rule

_BEYOND_MM = 4.0  # that a rule goes on behind the last one across: the table is open on that side
_DOTTED = 0.75  # of the table's width


def crossing_grids(
    ink: Pixels, across: Sequence[Rule], down: Sequence[Rule], *, dpi: float
) -> tuple[list[Grid], list[Rule]]:
    """Tables among these rules: those that divide something, both ways.

    Args:
        ink: As `rules.small_ink` gives it, `dpi` its own.
        across: Horizontal rules on it.
        down: Vertical ones.

    Returns:
        The grids, and the horizontal rules that no vertical one meets.
    """
    mm = dpi / MM_PER_INCH
    found, free = [], list(across)
    for flat, upright in _groups(across, down, mm):
        free = [rule for rule in free if rule not in flat]
        if len(flat) >= 2 and len(upright) >= 2 and len(flat) + len(upright) >= 5:  # noqa: PLR2004
            grid = _crossing(ink, flat, upright, mm)
            if grid and divides(grid, mm):
                found.append(grid)
    return found, free


def _groups(across: Sequence[Rule], down: Sequence[Rule], mm: float) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """Rules that meet, group by group."""
    owner = list(range(len(across) + len(down)))

    def root(index: int) -> int:
        while owner[index] != index:
            owner[index] = owner[owner[index]]
            index = owner[index]
        return index

    for (i, flat), (j, upright) in product(enumerate(across), enumerate(down, len(across))):
        if _meet(flat, upright, TOUCH_MM * mm):
            owner[root(i)] = root(j)
    for group in {root(index) for index in range(len(across), len(owner))}:
        flats = [rule for i, rule in enumerate(across) if root(i) == group]
        uprights = [rule for j, rule in enumerate(down, len(across)) if root(j) == group]
        yield flats, uprights


def _meet(flat: Rule, upright: Rule, reach: float) -> bool:
    x = upright.place
    y = flat.place + flat.slope * (x - (flat.start + flat.end) / 2)
    return flat.start - reach <= x <= flat.end + reach and upright.start - reach <= y <= upright.end + reach


def _crossing(ink: Pixels, flat: Sequence[Rule], upright: Sequence[Rule], mm: float) -> Grid | None:
    """The grid of rules that cross."""
    u0 = (min(rule.start for rule in flat) + max(rule.end for rule in flat)) / 2
    v0 = (min(rule.start for rule in upright) + max(rule.end for rule in upright)) / 2
    straight = Straight(lean(flat), lean(upright), u0, v0)
    picture = straight.picture(ink)
    ys = [straight.straight((rule.start + rule.end) / 2, rule.place)[1] for rule in flat]
    xs = [straight.straight(rule.place, (rule.start + rule.end) / 2)[0] for rule in upright]
    left, right = min(rule.start for rule in flat), max(rule.end for rule in flat)
    top, bottom = min(rule.start for rule in upright), max(rule.end for rule in upright)
    dotted = _dotted(picture, (max(0, round(min(xs))), top, round(max(xs)), bottom), mm)
    lines_v, lines_h = merged(xs, mm), merged([*ys, *dotted], mm)
    # A table may be open at its sides, or above and below.
    open_xs, open_ys = _open(lines_v, (left, right), mm), _open(lines_h, (top, bottom), mm)
    lines_v, lines_h = sorted([*lines_v, *([x] for x in open_xs)]), sorted([*lines_h, *([y] for y in open_ys)])
    return _grid(picture, lines_h, lines_v, (open_ys, open_xs, dotted), straight, mm)


def _open(lines: Sequence[Sequence[float]], ends: tuple[int, int], mm: float) -> set[float]:
    """Ends of the rules that go on beyond the last of these lines."""
    first, last = lines[0][0] - _BEYOND_MM * mm, lines[-1][-1] + _BEYOND_MM * mm
    return {float(end) for end in ends if not first <= end <= last}


def _dotted(picture: Pixels, box: tuple[int, int, int, int], mm: float) -> list[float]:
    """Heights at which something thin runs through the whole table, dots or dashes: too loose to be found as a rule."""
    left, top, right, bottom = box
    inside = picture[top:bottom, left:right]
    if inside.size == 0:
        return []
    reach, dots = max(1, round(0.5 * mm)), round(DOTS_MM * mm) | 1
    thin = inside.copy()
    # Thin: white above and white below. Letters are higher than that nearly everywhere.
    thin[reach:] &= ~inside[:-reach]
    thin[:-reach] &= ~inside[reach:]
    joined = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, dots), np.uint8))
    full = np.asarray(joined > 0).mean(axis=1) >= _DOTTED
    edges = np.flatnonzero(np.diff(np.concatenate(([0], full.astype(np.int8), [0]))))
    return [top + (start + end - 1) / 2 for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _grid(
    picture: Pixels, lines_h: list[list[float]], lines_v: list[list[float]],
    kinds: tuple[set[float], set[float], list[float]], straight: Straight, mm: float,
) -> Grid | None:  # fmt: skip
    """Cells of the lines: two neighbours without a rule between them are one."""
    if len(lines_h) < 2 or len(lines_v) < 2:  # noqa: PLR2004
        return None
    open_h, open_v, dotted = kinds
    ys, xs = [sum(line) / len(line) for line in lines_h], [sum(line) / len(line) for line in lines_v]
    flat = drawn_bars(picture, lines_h, xs, dotted, mm)
    upright = drawn_bars(np.ascontiguousarray(picture.T), lines_v, ys, (), mm)
    ruled_h = ruled(lines_h, len(xs) - 1, flat, open_h)
    ruled_v = ruled(lines_v, len(ys) - 1, upright, open_v)
    keep_h = [j for j in range(len(ys)) if ruled_h[j].any()]
    keep_v = [i for i in range(len(xs)) if ruled_v[i].any()]
    if len(keep_h) != len(ys) or len(keep_v) != len(xs):
        return _grid(picture, [lines_h[j] for j in keep_h], [lines_v[i] for i in keep_v], kinds, straight, mm)
    across = tuple((xs[i], top, xs[i + 1], bottom) for (_, i), bars in flat.items() for top, bottom in bars)
    down = tuple((left, ys[j], right, ys[j + 1]) for (_, j), bars in upright.items() for left, right in bars)
    return Grid(tuple(ys), tuple(xs), tuple(cells_of(ruled_h, ruled_v)), across, down, straight)
