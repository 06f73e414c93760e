"""Ruled tables on a page: where they are, their cells, and the page without their rules. Pure.

A reader of text takes rules for letters or a whole table for a picture, so the rules are found, the cells between them
kept, and the rules taken out of the picture that is read. What is boxed but not divided is no table: the frame of a
page, an incoming stamp, a line under a heading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitize.tables import grid as table_grid
from digitize.tables import rows as table_rows
from digitize.tables import rules
from digitize.types import MM_PER_INCH, Box, Cell, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitize.tables.cells import Grid

    Pixels = NDArray[np.uint8]

_SHOULDER = 0.08  # of the paper: what is lighter than this doesn't show
_SHOULDER_MM = 0.3


@dataclass(frozen=True)
class Ruled:
    """A table and the stretches of rule that draw it, in pixels."""

    table: Table
    across: tuple[Box, ...]
    down: tuple[Box, ...]


def find(grey: Pixels, *, dpi: float) -> tuple[Ruled, ...]:
    """Tables with rules: full grids, rows ruled only; rules broken, doubled or dotted.

    Args:
        grey: Shape (height_px, width_px), upright, set straight, evenly lit.
        dpi: Of `grey`.

    Returns:
        From top to bottom, in pixels of `grey`.
    """
    ink, step = rules.small_ink(grey, dpi=dpi)
    across = rules.across(ink, dpi=dpi / step)
    if len(across) < 2:  # noqa: PLR2004
        return ()
    down = rules.down(ink, dpi=dpi / step)
    grids, free = table_grid.crossing_grids(ink, across, down, dpi=dpi / step)
    grids += table_rows.row_grids(ink, free, dpi=dpi / step)
    found = [_on_page(grid, step, grey.shape) for grid in grids]
    return tuple(sorted(_outermost(found), key=lambda ruled: (ruled.table.box.top, ruled.table.box.left)))


def without_rules(grey: Pixels, tables: Sequence[Ruled], *, dpi: float) -> Pixels:
    """The page with the rules of its tables gone and the strokes that crossed them whole.

    What takes a rule's place is the lighter of what stands on its two sides: paper where one of them is paper, the
    stroke where a letter goes through.
    """
    if not tables:
        return grey
    paper = float(np.percentile(grey[::16, ::16], 60))
    cleared, upright = grey.copy(), np.ascontiguousarray(grey.T)
    reach = max(2, round(_SHOULDER_MM * dpi / MM_PER_INCH))
    for ruled in tables:
        for box in ruled.across:
            _clear(cleared, grey, box, reach, paper)
        for box in ruled.down:
            _clear(cleared.T, upright, Box(box.top, box.left, box.bottom, box.right), reach, paper)
    return cleared


def _clear(cleared: Pixels, grey: Pixels, box: Box, reach: int, paper: float) -> None:
    """Take one horizontal stretch out of `cleared`, in place, as it lies in `grey`."""
    start, end = max(0, box.left - reach), min(grey.shape[1], box.right + reach)
    first, last = max(1, box.top - reach), min(grey.shape[0] - 1, box.bottom + reach)
    if end - start < 2 or last - first < 2:  # noqa: PLR2004
        return
    # Letters that touch a rule darken its rows by much less than it does itself.
    darkness = paper - grey[first:last, start:end].mean(axis=1)
    faint = max(0.25 * float(darkness.max()), _SHOULDER * paper)
    top, bottom = box.top - first, box.bottom - first
    while top > 0 and darkness[top - 1] > faint:
        top -= 1
    while bottom < len(darkness) and darkness[bottom] > faint:
        bottom += 1
    upper, lower = max(0, first + top - 2), min(grey.shape[0] - 1, first + bottom + 1)
    sides = np.maximum(grey[upper, start:end], grey[lower, start:end])
    cleared[upper + 1 : lower, start:end] = np.maximum(cleared[upper + 1 : lower, start:end], sides[None, :])


def _on_page(grid: Grid, step: int, shape: tuple[int, ...]) -> Ruled:
    """The grid in pixels of the page."""

    def at(u: float, v: float) -> tuple[int, int]:
        x, y = grid.straight.page(u, v)
        return (
            min(max(round((x + 0.5) * step), 0), shape[1]),
            min(max(round((y + 0.5) * step), 0), shape[0]),
        )

    cells = []
    for row, column, rows, columns in sorted(grid.cells):
        left, right = grid.xs[column], grid.xs[column + columns]
        top, bottom = grid.ys[row], grid.ys[row + rows]
        u, v = (left + right) / 2, (top + bottom) / 2
        box = Box(at(left, v)[0], at(u, top)[1], at(right, v)[0], at(u, bottom)[1])
        cells.append(Cell(row, column, box, rows, columns))
    across, down = [], []
    for left, top, right, bottom in grid.across:
        u = (left + right) / 2
        across.append(Box(at(left, top)[0], at(u, top - 0.5)[1], at(right, top)[0], at(u, bottom + 0.5)[1]))
    for left, top, right, bottom in grid.down:
        v = (top + bottom) / 2
        down.append(Box(at(left - 0.5, v)[0], at(left, top)[1], at(right + 0.5, v)[0], at(left, bottom)[1]))
    box = Box(
        min(cell.box.left for cell in cells), min(cell.box.top for cell in cells),
        max(cell.box.right for cell in cells), max(cell.box.bottom for cell in cells),
    )  # fmt: skip
    return Ruled(Table(box, tuple(cells)), tuple(across), tuple(down))


def _outermost(found: Sequence[Ruled]) -> list[Ruled]:
    """Without tables that lie within another one: words belong to one cell."""
    kept: list[Ruled] = []
    for ruled in sorted(found, key=lambda ruled: -_area(ruled.table.box)):
        box = ruled.table.box
        if all(
            min(box.right, other.table.box.right) <= max(box.left, other.table.box.left)
            or min(box.bottom, other.table.box.bottom) <= max(box.top, other.table.box.top)
            for other in kept
        ):
            kept.append(ruled)
    return kept


def _area(box: Box) -> int:
    return (box.right - box.left) * (box.bottom - box.top)
