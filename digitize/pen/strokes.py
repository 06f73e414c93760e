"""What ink on a line is like, measured against the print beside it: as of a hand, or as of type."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitize.types import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_GLYPH_PX = (20, 32)  # width and height at which shapes are compared
_TALLEST = 1.7  # a capital or an "h" beside the small letters of its line
_HAND = 8.8
_HAND_ALONE = 9.8  # one shape has no other beside it to agree with
_DIGIT_HEIGHT = 1.02  # of capitals; Times, Arial and DejaVu are within 2%
_BLUE = 60.0
_SLANTS = (0.0, 0.12, 0.24)
_SLASHES = 3 * len(_SLANTS)  # the last of the shapes of type


@dataclass(frozen=True)
class Print:
    """What the print of a line is like.

    Attributes:
        height: Of its capitals and digits, pixels.
        baseline: The line it stands on.
        stroke: Median thickness, pixels.
        contrast: Thin strokes beside thick ones: 1 where all are alike.
        blue: How much more blue than red its ink is.
    """

    height: float
    baseline: float
    stroke: float
    contrast: float
    blue: float


@dataclass(frozen=True)
class Look:
    """How ink differs from the print beside it; 0 is no difference.

    Attributes:
        shapes: How many are as tall as digits.
        off_line: How far they stand off the line, in heights of its capitals: the mean.
        off_height: How much taller or lower they are than digits of type, in the same: the mean.
        heavier: Logarithm of their strokes' thickness beside that of print; 0 where they are no thicker.
        contrast: How much more alike their thin and thick strokes are than those of print.
        blue: How much bluer, from 0 to 1.
        unlike_type: 1 less the likeness to the most alike digit of type: the mean; most_unlike: of the worst.
    """

    shapes: int
    off_line: float
    off_height: float
    heavier: float
    contrast: float
    blue: float
    unlike_type: float
    most_unlike: float

    def is_by_hand(self, *, usual: bool = True) -> bool:
        """Whether a pen wrote it, or something else that isn't the print of its line; `usual` as of a `Place`.

        The weights are rounded from a logistic fit to 160 drawn heads (`bench/pen.py`, seeds 1 and 2); the limit is
        set below even odds, since a person types a number in five seconds and a wrong one stays for ever.
        """
        score = (
            6.5 * min(self.off_line, 0.25) ** 0.5
            + 6.5 * min(self.off_height, 0.4) ** 0.5
            + 7.5 * self.heavier
            + 3.0 * self.contrast
            + 3.0 * self.blue
            + 7.0 * self.unlike_type**0.5
            + 4.0 * self.most_unlike
        )
        return bool(score > (_HAND if usual and self.shapes > 1 else _HAND_ALONE))


def ink_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Where there is black or blue ink: 1, else 0. A red seal or stamp leaves none.

    Args:
        pixels: RGB, a line or so of a page.
    """
    red = pixels[:, :, 0]  # red ink is as light as the paper here, blue and black are dark
    paper = float(np.percentile(red, 90))
    level, _ = cv2.threshold(red, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    level = min(max(float(level), 0.45 * paper), 0.8 * paper)
    return np.asarray(red < level, dtype=np.uint8)


def print_of(pixels: NDArray[np.uint8], ink: NDArray[np.uint8], beside: Sequence[Box]) -> Print | None:
    """Measure the printed words of a line; None when there are too few.

    Args:
        pixels, ink: The same stretch of the page.
        beside: Boxes of printed words in it.
    """
    shapes = [shape for box in beside for shape in _shapes(ink, box)]
    if len(shapes) < 2:  # noqa: PLR2004
        return None
    tallest = float(np.percentile([shape.bottom - shape.top for shape in shapes], 85))
    solid = [s for s in shapes if s.bottom - s.top > 0.5 * tallest]
    baseline = float(np.median([shape.bottom for shape in solid]))
    tops = [baseline - s.top for s in solid if abs(s.bottom - baseline) < 0.2 * tallest]
    if not tops:
        return None
    height = float(max(top for top in tops if top <= _TALLEST * np.median(tops)))  # "h" in "tháng", capitals elsewhere
    strokes = np.concatenate([_thickness(ink[s.top : s.bottom, s.left : s.right]) for s in solid])
    blues = np.concatenate([_blue(pixels, ink, s) for s in solid])
    if strokes.size == 0 or height <= 0:
        return None
    return Print(height, baseline, float(np.median(strokes)), _contrast(strokes), float(np.median(blues)))


def look_at(pixels: NDArray[np.uint8], ink: NDArray[np.uint8], place: Box, printed: Print) -> Look | None:
    """Measure what stands in a place; None when nothing does but dots and dashes.

    Args:
        place: In pixels of the stretch.
    """
    height = printed.height
    top = max(0, round(printed.baseline - 1.5 * height))
    bottom = min(ink.shape[0], round(printed.baseline + 0.7 * height))
    left, right = max(0, place.left), min(ink.shape[1], place.right)
    if right - left < 0.2 * height or bottom <= top:
        return None
    shapes = [
        shape
        for shape in _shapes(ink, Box(left, top, right, bottom))
        if shape.bottom - shape.top > 0.4 * height and not _is_of_neighbour(shape, left, right, top, printed)
    ]
    for index in range(len(shapes) - 1, 0, -1):  # the stroke between number and symbol ends the number
        if _is_slash(ink, shapes[index]):
            del shapes[index:]
    if not shapes:
        return None
    heights = np.array([s.bottom - s.top for s in shapes]) / height
    feet = np.array([s.bottom - printed.baseline for s in shapes]) / height
    strokes = np.concatenate([_thickness(ink[s.top : s.bottom, s.left : s.right]) for s in shapes])
    blue = float(np.median(np.concatenate([_blue(pixels, ink, s) for s in shapes])))
    unlike = [1 - _likeness(ink[s.top : s.bottom, s.left : s.right]) for s in shapes]
    return Look(
        shapes=len(shapes),
        off_line=float(np.mean(np.minimum(np.abs(feet), 1))),
        off_height=float(np.mean(np.minimum(np.abs(heights - _DIGIT_HEIGHT), 1))),
        heavier=max(0.0, float(np.log(np.median(strokes) / max(printed.stroke, 1.0)))),
        contrast=max(0.0, _contrast(strokes) - printed.contrast),
        blue=min(max(blue - printed.blue, 0.0), _BLUE) / _BLUE,
        unlike_type=float(np.mean(unlike)),
        most_unlike=float(np.max(unlike)),
    )


def _is_of_neighbour(shape: Box, left: int, right: int, top: int, printed: Print) -> bool:
    """Whether a shape is the end of the word before, the beginning of the next, or hangs down from the line above."""
    narrow = shape.right - shape.left < 0.3 * printed.height
    at_edge = shape.left <= left + 1 or shape.right >= right - 1
    return (narrow and at_edge) or (shape.top <= top + 1 and shape.bottom < printed.baseline - 0.4 * printed.height)


def _is_slash(ink: NDArray[np.uint8], shape: Box) -> bool:
    glyphs = _type()
    alike = glyphs @ _normal(ink[shape.top : shape.bottom, shape.left : shape.right])
    return int(np.argmax(alike)) >= len(glyphs) - _SLASHES


def _shapes(ink: NDArray[np.uint8], box: Box) -> list[Box]:
    """Connected ink within a box, from left to right."""
    part = np.ascontiguousarray(ink[box.top : box.bottom, box.left : box.right])
    if part.size == 0:
        return []
    _, _, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    found = [
        Box(box.left + int(x), box.top + int(y), box.left + int(x + w), box.top + int(y + h))
        for x, y, w, h, area in stats[1:]
        if area > 4  # noqa: PLR2004  a speck
    ]
    return sorted(found, key=lambda shape: shape.left)


def _thickness(part: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Thickness of strokes along their middle, pixels."""
    padded = cv2.copyMakeBorder(part, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)
    ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)) - 1e-6) & (depth > 0)
    return np.asarray(2 * depth[ridge], dtype=np.float32)


def _contrast(strokes: NDArray[np.float32]) -> float:
    low, high = np.percentile(strokes, (20, 90))
    return float(low / max(high, 0.1))


def _blue(pixels: NDArray[np.uint8], ink: NDArray[np.uint8], shape: Box) -> NDArray[np.float32]:
    here = np.s_[shape.top : shape.bottom, shape.left : shape.right]
    inked = pixels[here][ink[here] > 0].astype(np.float32)
    return np.asarray(inked[:, 2] - inked[:, 0], dtype=np.float32)


def _likeness(part: NDArray[np.uint8]) -> float:
    """How much a shape is like the digit of type it is most alike, 0 to 1."""
    here = _normal(part)
    return float(max(0.0, (_type()[:-_SLASHES] @ here).max()))


def _normal(part: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A shape at a common size, as wide as it is for its height, of mean 0 and length 1."""
    width, height = _GLYPH_PX
    scale = height / part.shape[0]
    wide = min(max(1, round(part.shape[1] * scale)), width)
    small = cv2.resize(part.astype(np.float32), (wide, height), interpolation=cv2.INTER_AREA)
    canvas = np.zeros((height, width), np.float32)
    start = (width - wide) // 2
    canvas[:, start : start + wide] = small
    soft = np.asarray(cv2.GaussianBlur(canvas, (0, 0), 1.0), dtype=np.float32)
    flat = soft.ravel() - soft.mean()
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-6), dtype=np.float32)


@cache
def _type() -> NDArray[np.float32]:
    """Digits of type, upright and slanted, light and bold."""
    program = (resources.files("digitize") / "fonts" / "text.ttf").read_bytes()
    font = ImageFont.truetype(io.BytesIO(program), 64)
    glyphs = []
    for digit in "0123456789/":
        image = Image.new("L", (80, 90), 0)
        ImageDraw.Draw(image).text((20, 10), digit, font=font, fill=255)
        upright = (np.asarray(image) > 127).astype(np.uint8)  # noqa: PLR2004
        for slant in _SLANTS:
            turned = cv2.warpAffine(upright, np.array([[1, -slant, 40 * slant], [0, 1, 0]], dtype=np.float32), (80, 90))
            for bolder in (1, 3, 5):
                thick = np.asarray(cv2.dilate(turned, np.ones((bolder, bolder), np.uint8)), dtype=np.uint8)
                rows, columns = np.flatnonzero(thick.any(axis=1)), np.flatnonzero(thick.any(axis=0))
                glyphs.append(_normal(thick[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]))
    return np.stack(glyphs)
