"""Ruled lines on a page: long, thin and dark pieces, along and down. Pure.

Source: opening by long elements, as in B. Gatos et al., "Automatic table detection in document images", ICAPR 2005.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

MEASURED_DPI = 125.0
#: How much darker than paper a thin grey rule or a row of dots still is; more where the grain of the paper needs it.
_DARKER = 0.13
_MOST_DARKER = 0.4
_GRAINS = 4.0
_LONG_MM = 9.0  # a rule is longer, a stroke of a letter shorter
_THICK_MM = 1.3  # thicker is a bar, a picture or a shadow
_JOIN_MM = 0.35  # gaps that a printer or a threshold leaves


@dataclass(frozen=True)
class Rule:
    """A piece of rule on the small picture.

    Attributes:
        start, end: Along it, pixels.
        place: Across it, at its middle.
        slope: Drift across for each pixel along.
    """

    start: int
    end: int
    place: float
    slope: float

    @property
    def length(self) -> int:
        """In pixels."""
        return self.end - self.start


def small_ink(grey: Pixels, *, dpi: float) -> tuple[Pixels, int]:
    """What is dark on a page, 255 on 0, and how many of its pixels went into one: the darkest of them counts."""
    step = max(1, round(dpi / MEASURED_DPI))
    lower, paper, upper = (float(level) for level in np.percentile(grey[::16, ::16], (30, 60, 80)))
    grain = (upper - lower) / 1.37  # of a normal distribution
    level = paper - min(max(_DARKER * paper, _GRAINS * grain), _MOST_DARKER * paper)
    height, width = grey.shape[0] // step * step, grey.shape[1] // step * step
    least = grey[:height:step, :width:step]
    for down in range(step):
        for along in range(step):
            if down or along:
                least = cv2.min(least, grey[down:height:step, along:width:step])  # type: ignore[assignment]
    return _pixels((least < level) * np.uint8(255)), step


def across(ink: Pixels, *, dpi: float) -> list[Rule]:
    """Pieces of horizontal rule; `dpi` is that of the small picture."""
    return _rules(ink, dpi / MM_PER_INCH)


def down(ink: Pixels, *, dpi: float) -> list[Rule]:
    """Pieces of vertical rule."""
    return _rules(np.ascontiguousarray(ink.T), dpi / MM_PER_INCH)


def _rules(ink: Pixels, mm: float) -> list[Rule]:
    join, long = round(_JOIN_MM * mm) | 1, round(_LONG_MM * mm)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, join), np.uint8))
    lines = _opened(_pixels(joined), long)
    count, labels, stats, middles = cv2.connectedComponentsWithStats(lines, connectivity=8)
    found = []
    for index in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[index])
        if area > _THICK_MM * mm * width or height > max(_THICK_MM * mm, 0.02 * width + 2):
            continue
        slope = 0.0
        if height > 2 and width > 4 * height:  # noqa: PLR2004
            ys, xs = np.nonzero(labels[top : top + height, left : left + width] == index)
            slope = float(np.polyfit(xs, ys, 1)[0])
        place = middles[index][1] + slope * (left + width / 2 - middles[index][0])
        found.append(Rule(left, left + width, float(place), slope))
    return found


def _opened(ink: Pixels, length: int) -> Pixels:
    """Opening by a row of `length` pixels."""
    return _pixels(cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, length), np.uint8)))


def _pixels(values: Any) -> Pixels:
    return np.asarray(values, np.uint8)
