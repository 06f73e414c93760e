"""What is on a page already, measured on its picture: print, stamps, codes, handwriting; a scan has no text to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pypdfium2 import PdfPage

    Box = tuple[float, float, float, float]

_LOOK_DPI = 100
#: Darker than the paper by this much (of 255) is ink; so is colour, by a spread of its channels.
_DARKER, _COLOURED = 48, 60
#: A speck of dust is no ink: the share of a box that may be dark.
DUST = 0.0008


@dataclass(frozen=True)
class Ink:
    """Where a strip of a page is dark or coloured, summed up so that any box is measured at once.

    Attributes:
        summed: Shape (rows + 1, columns + 1), from the upper left corner.
        strip: What was looked at, in points.
        dots: Pixels a point.
    """

    summed: NDArray[np.int64]
    strip: Box
    dots: float

    @staticmethod
    def on(page: PdfPage, sheet: Box, strip: Box) -> Ink:
        """Look at `strip` of a page whose visible part is `sheet`."""
        dots = _LOOK_DPI / 72
        outside = (strip[0] - sheet[0], strip[1] - sheet[1], sheet[2] - strip[2], sheet[3] - strip[3])
        drawn = page.render(scale=dots, crop=outside, rev_byteorder=True)
        pixels = np.asarray(drawn.to_numpy(), dtype=np.int16)[..., :3]
        drawn.close()
        paper = np.percentile(pixels, 90, axis=(0, 1))  # most of a margin is bare, whatever its colour
        away = pixels - paper.astype(np.int16)
        ink = (away.min(axis=2) < -_DARKER) | (np.ptp(away, axis=2) > _COLOURED)
        summed = np.zeros((ink.shape[0] + 1, ink.shape[1] + 1), dtype=np.int64)
        summed[1:, 1:] = ink.cumsum(axis=0).cumsum(axis=1)
        return Ink(summed, strip, dots)

    def share(self, box: Box, clear: float) -> float:
        """How much of a box, with `clear` points around it, is ink: 0 to 1."""
        rows, columns = self.summed.shape[0] - 1, self.summed.shape[1] - 1
        x1 = min(max(int((box[0] - clear - self.strip[0]) * self.dots), 0), columns)
        x2 = min(max(int(np.ceil((box[2] + clear - self.strip[0]) * self.dots)), 0), columns)
        y1 = min(max(int((self.strip[3] - box[3] - clear) * self.dots), 0), rows)
        y2 = min(max(int(np.ceil((self.strip[3] - box[1] + clear) * self.dots)), 0), rows)
        dark = self.summed[y2, x2] - self.summed[y1, x2] - self.summed[y2, x1] + self.summed[y1, x1]
        return float(dark / max((y2 - y1) * (x2 - x1), 1))
