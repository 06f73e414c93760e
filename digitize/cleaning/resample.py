"""Pages at other sizes, and in grey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


_HALF = 0.5


def grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB, shape (height, width, 3) → luminance, shape (height, width)."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def shrunk(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """The picture `scale` times as large; as it is when `scale` is 1 or more. Each pixel is the mean of its area.

    It is halved as often as that goes, an odd last row or column left out: exactly two by two pixels are averaged six
    times as fast as any other number of them.
    """
    if scale >= 1:
        return pixels
    height, width = pixels.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    while scale <= _HALF and min(pixels.shape[:2]) > 1:
        whole = pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2]
        pixels = np.asarray(
            cv2.resize(whole, (whole.shape[1] // 2, whole.shape[0] // 2), interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
        scale *= 2
    if scale >= 1:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def means_of_squares(plane: Any, steps: int) -> NDArray[np.uint8]:
    """Means of squares of `steps` pixels, on a grid that begins at the top left and covers the page.

    The last ones are means of what is left of it. Whole squares go the fast way, which a side that doesn't divide would
    bar to all of them.
    """
    height, width = plane.shape[:2]
    down, across = height // steps, width // steps
    small = np.empty((-(-height // steps), -(-width // steps), *plane.shape[2:]), np.uint8)
    for rows, small_rows in ((slice(0, down * steps), slice(0, down)), (slice(down * steps, None), slice(down, None))):
        for cols, small_cols in (
            (slice(0, across * steps), slice(0, across)),
            (slice(across * steps, None), slice(across, None)),
        ):
            size = small[small_rows, small_cols].shape[1::-1]
            if all(size):
                small[small_rows, small_cols] = cv2.resize(plane[rows, cols], size, interpolation=cv2.INTER_AREA)
    return small


def spread(mask: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A mask found on a shrunken page, at the page's own size."""
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def percentile(values: NDArray[np.uint8], share: float) -> float:
    """The level that `share` per cent of the pixels don't exceed; by counting, ten times as fast as by sorting.

    Args:
        values: One channel.
        share: From 0 to 100.
    """
    counts = cv2.calcHist([values], [0], None, [256], [0, 256]).ravel()
    return float(np.searchsorted(np.cumsum(counts), share / 100 * values.size))
