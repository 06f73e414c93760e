"""The dark frame a copier leaves round a sheet, filled with the paper's own level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.resample import shrunk, spread
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MEASURED_DPI = 75.0
_DARK_OF_PAPER = 0.45  # a higher share of the paper's level eats the shadows of photographs
_DARKEST_LEVEL = 90
_THICK_MM = 1.2  # thinner things at the edge are ruled lines and writing that runs off the sheet


def paper_level(grey: NDArray[np.uint8]) -> int:
    """The grey level of blank paper: what most of the lighter half of the page is."""
    step = max(1, grey.shape[1] // 300)
    sample = grey[::step, ::step]
    light = sample[sample >= np.median(sample)]
    return int(np.bincount(light.ravel(), minlength=256).argmax())


def fill(grey: NDArray[np.uint8], *, dpi: float) -> NDArray[np.uint8]:
    """Fill dark areas that hang on the page's edge.

    White would spoil a grey page, which is divided by its background next; so they take the level of the paper.

    Args:
        grey: Shape (height_px, width_px).
        dpi: Of `grey`.

    Returns:
        `grey` itself when there is no such frame.
    """
    frame = frame_of(grey, dpi=dpi)
    if frame is None:
        return grey
    filled = grey.copy()
    filled[frame] = paper_level(grey)
    return filled


def frame_of(grey: NDArray[np.uint8], *, dpi: float) -> NDArray[np.bool_] | None:
    """Where the dark frame is, or None."""
    scale = min(1.0, _MEASURED_DPI / dpi)
    small = shrunk(grey, scale)
    mm = scale * dpi / MM_PER_INCH
    dark = (small < min(_DARK_OF_PAPER * paper_level(small), _DARKEST_LEVEL)).astype(np.uint8)
    thick = max(2, round(_THICK_MM * mm))
    # Beyond the page's edge it is dark too: a frame touching it stays thick there.
    padded = cv2.copyMakeBorder(dark, thick, thick, thick, thick, cv2.BORDER_REPLICATE)
    solid = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((thick, thick), np.uint8))[thick:-thick, thick:-thick]
    _, labels = cv2.connectedComponents(np.ascontiguousarray(solid), connectivity=8)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    edge = edge[edge > 0]
    if edge.size == 0:
        return None
    kernel = np.ones((2 * thick + 1, 2 * thick + 1), np.uint8)
    frame = np.asarray(cv2.dilate(np.isin(labels, edge).astype(np.uint8), kernel), dtype=np.uint8)
    # The dilated rim reaches over the frame's own soft edge; print that stands free of it is not darkened by it.
    return np.asarray(spread(frame, *grey.shape) > 0)
