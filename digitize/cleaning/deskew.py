"""Leaning text set straight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.resample import shrunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEASURED_DPI = 100.0
_FEWEST_PIXELS = 200
_CLEAR = (
    1.8  # how far the best angle stands out: a seal or a pencil's stroke alone 1.1 to 1.6, lines of print 5 and more
)


def estimate_skew(grey: NDArray[np.uint8], *, dpi: float, limit_deg: float = 10.0) -> float:
    """Measure how far the text lines lean from the horizontal.

    Ink is projected onto the vertical axis at each candidate angle. At the right one the profile is sharpest: rows of
    text full, the gaps between them empty.

    Args:
        grey: Shape (height_px, width_px), dark ink on light paper.
        dpi: Of `grey`.
        limit_deg: Search within ±limit_deg.

    Returns:
        Degrees, counter-clockwise positive, to the nearest 0.05; 0.0 for a page with hardly any ink, or
        whose ink is no lines.

    Source:
        Differential square-sum of the row profile: Bloomberg, Kopec, Dasari, "Measuring document image skew and
        orientation", SPIE 2422 (1995).
    """
    scale = min(1.0, MEASURED_DPI / dpi)
    small = shrunk(grey, scale)
    level, _ = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    rows, columns = np.nonzero(small < level)
    # A margin's width inside the edge: frames and fingers there have angles of their own.
    height, width = small.shape
    inside = (rows > height * 0.02) & (rows < height * 0.98) & (columns > width * 0.02) & (columns < width * 0.98)
    rows, columns = rows[inside].astype(np.float32), columns[inside].astype(np.float32) - width / 2
    # Pixels have whole row numbers, so no lean at all would look sharper than the true small one; half a pixel of
    # evenly spread unrest makes all angles equal.
    rows += np.modf(columns * np.float32(0.618034))[0] % 1.0 - np.float32(0.5)
    if rows.size < _FEWEST_PIXELS:
        return 0.0
    angles = np.arange(-limit_deg, limit_deg + 0.25, 0.5)
    sharpness = [_sharpness(rows, columns, angle) for angle in angles]
    if max(sharpness) < _CLEAR * float(np.median(sharpness)):
        return 0.0
    coarse = float(angles[int(np.argmax(sharpness))])
    fine = _sharpest(rows, columns, np.arange(coarse - 0.5, coarse + 0.55, 0.1))
    finest = _sharpest(rows, columns, np.arange(fine - 0.1, fine + 0.125, 0.05))
    return float(np.clip(round(finest, 2), -limit_deg, limit_deg))


def _sharpest(rows: NDArray[np.float32], columns: NDArray[np.float32], angles_deg: NDArray[np.float64]) -> float:
    sharpness = [_sharpness(rows, columns, angle) for angle in angles_deg]
    return float(angles_deg[int(np.argmax(sharpness))])


def _sharpness(rows: NDArray[np.float32], columns: NDArray[np.float32], angle_deg: float) -> float:
    # Rows as wide as a pixel: in narrower ones an unleaned page would alternate between full and empty.
    # Text that leans counter-clockwise rises to the right: its row number falls as the column grows.
    level = rows + columns * np.float32(np.tan(np.radians(angle_deg)))
    profile = np.bincount((level - level.min()).astype(np.int32)).astype(np.float64)
    return float(np.square(np.diff(profile)).sum())


def row_sharpness(ink: NDArray[np.uint8]) -> float:
    """How sharply rows of text stand out, per pixel of ink: what `estimate_skew` makes as large as can be.

    Args:
        ink: 1 where there is ink, else 0, shape (height_px, width_px).
    """
    profile = ink.sum(axis=1, dtype=np.float64)
    return float(np.square(np.diff(profile)).sum()) / max(float(profile.sum()), 1.0)


def rotate(
    pixels: NDArray[np.uint8], skew_deg: float, *, paper: tuple[int, ...] | int, expand: bool = False
) -> NDArray[np.uint8]:
    """Turn a page clockwise by `skew_deg` about its middle; the corners that appear are paper.

    Args:
        pixels: Grey or RGB.
        skew_deg: As `estimate_skew` gives it.
        paper: Level or colour of the paper.
        expand: Make the page larger so that no corner is lost; otherwise its size stays.
    """
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -skew_deg, 1.0)
    if expand:
        sine, cosine = abs(matrix[0, 1]), abs(matrix[0, 0])
        wider, taller = round(width * cosine + height * sine), round(height * cosine + width * sine)
        matrix[:, 2] += ((wider - width) / 2, (taller - height) / 2)
        width, height = wider, taller
    value = (paper,) * 3 if isinstance(paper, int) else paper
    turned = cv2.warpAffine(
        pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=value
    )
    return np.asarray(turned, dtype=np.uint8)
