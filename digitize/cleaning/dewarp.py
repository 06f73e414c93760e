"""Lines of a sheet that wouldn't lie flat, made straight again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.deskew import row_sharpness
from digitize.cleaning.resample import shrunk
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_MEASURED_DPI = 100.0
_JOIN_MM = 5.0  # letters and words closer than this are of one line
_RULE_MM = 12.0  # an upright stroke this long is of a table and would tie lines together
_LINE_MM = (1.2, 7.0)
_LONG_MM = 35.0
_BIN_MM = 2.5
_FEWEST_LINES = 6
_BENDS = 5  # degree of the curve across the page
_TILTED_BENDS = 3  # degree of what changes from top to bottom
_DAMPING = 1e-4
_STRAY_MM = 0.35  # a place farther off its line than this counts less and less
_ROUNDS = 6
_BENT_MM = 0.3  # flat pages measure up to 0.17, photographs of sheets that look flat 0.3 to 0.6
_STRAIGHTER = 1.3  # by how much rows of text must stand out more than before; where it helps, 1.6 and more
_BAND_ROWS = 512


@dataclass(frozen=True)
class Bend:
    """How far each point of a page must be moved, up or down only, for its lines to be straight.

    Attributes:
        across: Coefficients of the Legendre polynomials of degree 1 and up over the page's width, in page widths.
        tilted: The same for what grows from top (-1) to bottom (1).
        inked: Left, right, top and bottom of where lines were seen, each from -1 to 1; the curve isn't trusted beyond.
    """

    across: tuple[float, ...]
    tilted: tuple[float, ...]
    inked: tuple[float, float, float, float]

    def shift(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far below its straight place a point lies, in page widths; `x` and `y` from -1 to 1."""
        left, right, top, bottom = self.inked
        within = np.clip(x, left, right)
        across, tilted = (
            np.asarray(np.polynomial.legendre.legval(within, (0.0, *factors)), dtype=np.float64)
            for factors in (self.across, self.tilted)
        )
        return across + np.clip(y, top, bottom) * tilted


def find_bend(grey: NDArray[np.uint8], *, dpi: float) -> Bend | None:
    """Measure how the lines of a page curve.

    All lines share one smooth curve, which may grow or fade from top to bottom; each has its own height. That is a
    linear problem, solved with less and less weight on places that don't fit (a signature, a word in large type).

    Args:
        grey: Shape (height_px, width_px), evenly lit, upright, set straight as far as turning can.
        dpi: Of `grey`.

    Returns:
        None when the lines are straight already, are too few to tell, or don't become straighter.

    Source:
        The sheet as a cubic in one direction: M. Zucker, "Page dewarping", 2016; here solved without a camera model.
    """
    scale = min(1.0, _MEASURED_DPI / dpi)
    small = shrunk(grey, scale)
    mm = scale * dpi / MM_PER_INCH
    height, width = small.shape
    level, _ = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    ink = (small < level).astype(np.uint8)
    lines = list(_lines(ink, mm))
    if len(lines) < _FEWEST_LINES:
        return None
    owner = np.concatenate([np.full(len(x), index) for index, (x, _) in enumerate(lines)])
    x = np.concatenate([x for x, _ in lines]) / width * 2 - 1
    rows = np.concatenate([y for _, y in lines])
    middle = np.bincount(owner, rows) / np.bincount(owner)
    y = middle[owner] / height * 2 - 1
    bend = _solved(x, y, rows / width, owner, stray=_STRAY_MM * mm / width)
    if _largest_bend(bend) * width < _BENT_MM * mm:
        return None
    straight = (straightened(ink * np.uint8(255), bend, paper=0) > 127).astype(np.uint8)  # noqa: PLR2004  half
    return bend if row_sharpness(straight) > _STRAIGHTER * row_sharpness(ink) else None


def straightened(pixels: NDArray[np.uint8], bend: Bend, *, paper: tuple[int, ...] | int) -> NDArray[np.uint8]:
    """Move every point to where its line is straight; what comes in at top or bottom is paper.

    Args:
        pixels: Grey or RGB.
        bend: As `find_bend` measured it, on any resolution of the same page.
        paper: Level or colour of the paper.
    """
    height, width = pixels.shape[:2]
    value = (paper,) * 3 if isinstance(paper, int) else paper
    straight = np.empty_like(pixels)
    x = np.linspace(-1, 1, width)[None, :]
    columns = np.arange(width, dtype=np.float32)[None, :]
    for top in range(0, height, _BAND_ROWS):  # maps of a whole page would take more memory than the page
        rows = np.arange(top, min(top + _BAND_ROWS, height))[:, None]
        moved = (rows + bend.shift(x, rows / height * 2 - 1) * width).astype(np.float32)
        straight[top : top + len(rows)] = cv2.remap(
            pixels,
            np.ascontiguousarray(np.broadcast_to(columns, moved.shape)),
            moved,
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=value,
        )
    return straight


def _lines(ink: NDArray[np.uint8], mm: float) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Long lines of text or rule: the middle of their ink, place by place."""
    tall = cv2.getStructuringElement(cv2.MORPH_RECT, (1, round(_RULE_MM * mm)))
    ink = cv2.subtract(ink, cv2.morphologyEx(ink, cv2.MORPH_OPEN, tall)).astype(np.uint8)
    # Marks and descenders of neighbouring lines touch where a line is tied by its full height: tie its body only.
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, round(_JOIN_MM * mm)), np.uint8))
    body = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((max(2, round(0.5 * mm)), round(1.5 * mm)), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(body, dtype=np.uint8), connectivity=4)
    for label in range(1, count):
        left, top, width, height, area = stats[label]
        thick = area / width
        if width < _LONG_MM * mm or not _LINE_MM[0] * 0.4 * mm < thick < _LINE_MM[1] * mm:
            continue
        here = labels[top : top + height, left : left + width] == label
        if height > _LINE_MM[1] * mm + 0.2 * width:
            continue
        weight = here.astype(np.float64)
        bins = max(2, round(width / (_BIN_MM * mm)))
        edges = np.linspace(0, width, bins + 1).round().astype(int)
        mass = np.add.reduceat(weight.sum(axis=0), edges[:-1])
        rows = np.add.reduceat((weight * np.arange(height)[:, None]).sum(axis=0), edges[:-1])
        seen = mass > 0
        yield (left + (edges[:-1] + edges[1:]) / 2)[seen], top + rows[seen] / mass[seen]


def _solved(
    x: NDArray[np.float64], y: NDArray[np.float64], rows: NDArray[np.float64], owner: NDArray[np.int64], *, stray: float
) -> Bend:
    inked = (float(x.min()), float(x.max()), float(y.min()), float(y.max()))
    powers = np.polynomial.legendre.legvander(x, _BENDS)[:, 1:]
    basis = np.concatenate([powers, powers[:, :_TILTED_BENDS] * y[:, None]], axis=1)
    weight = np.ones(len(x))
    factors: NDArray[np.float64] = np.zeros(basis.shape[1])
    for _ in range(_ROUNDS):
        total = np.bincount(owner, weight)
        centred = basis - np.stack([np.bincount(owner, weight * column) / total for column in basis.T], axis=1)[owner]
        wanted = rows - (np.bincount(owner, weight * rows) / total)[owner]
        weighted = centred * weight[:, None]
        normal = weighted.T @ centred
        normal += _DAMPING * np.trace(normal) / len(normal) * np.eye(len(normal))
        factors = np.asarray(np.linalg.solve(normal, weighted.T @ wanted), dtype=np.float64)
        off = np.abs(wanted - centred @ factors)
        weight = 1.0 / np.maximum(off / stray, 1.0)
    return Bend(tuple(map(float, factors[:_BENDS])), tuple(map(float, factors[_BENDS:])), inked)


def _largest_bend(bend: Bend) -> float:
    """How far the lines lie at most from where turning the page would lay them, in page widths."""
    left, right, top, bottom = bend.inked
    x = np.linspace(left, right, 41)
    slope = np.polyfit(x, bend.shift(x, np.full_like(x, (top + bottom) / 2)), 1)[0]
    farthest = 0.0
    for y in (top, (top + bottom) / 2, bottom):
        off = bend.shift(x, np.full_like(x, y)) - slope * x
        farthest = max(farthest, float(off.max() - off.min()) / 2)
    return farthest
