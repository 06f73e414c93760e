"""A page taken apart: its print as a lossless mask, what else stands on it as colour tiles, and the bare paper.

Print is what was read as print: whole letters within the words that Tesseract was sure of, black as the page's other
letters. Whatever is in doubt stays in colour at the page's own resolution: seals, signatures, pencil, stamps in grey, a
letter that a pen has crossed. Only the paper, where nothing stands on it, is kept coarsely. The parts are put together
again and compared with the page; where one picture shows it better, it isn't taken apart.

Source: mixed raster content, ITU-T T.44 (1999). Masks are coded without loss and no shape is ever put in the place of
another one: pattern matching has turned a 6 into an 8 in copiers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitize.pdf import print_mask
from digitize.types import MM_PER_INCH, Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.types import OcrPage

#: Coarser pages have no resolution to spare: their letters would be cut from too few dots.
LEAST_DPI = 250.0

_QUALITY = 40
_PAPER_QUALITY = 60
_LARGE_BYTES = 300_000
_MEASURED_DPI = 150.0
_FILL_STEPS = (32, 8, 2)  # pixels that lend a hole their colour, from the widest surroundings to the nearest
_KNOWN = 64  # of 255: less than that of a place left tells nothing of it
_PAPER_STEPS = 3  # how much coarser the paper is kept than it is measured
_PAPER_PX = 15  # of the paper as kept, 7 mm: whatever is narrower isn't paper
_STANDS_MM = 0.4  # around whatever stands on the paper
_TOGETHER_MM = 2.5  # marks nearer than this share a tile
_LEAST_DEVIATION, _MOST_DEVIATION = 4.0, 9.0  # levels by which a mark differs from the paper
_LEAST_MARK_PX = 4
_STRONG = 2.5
_NEAR_MM = 0.6
_SHADE = 12.0  # levels by which something differs that stands so near to print
_WASTE_SQUARE_MM = 400.0  # of bare paper in a tile; another tile weighs as much
_MOST_MARKS = 150
_BAND_STEPS = 512
_COMPARED_MM = 0.7
_LARGEST_DIFFERENCE = 64.0


@dataclass(frozen=True)
class Layers:
    """Three layers that make a page, from the bottom up.

    Attributes:
        paper: JPEG in colour, coarse, to be stretched over the whole page.
        tiles: JPEGs in colour at the page's resolution and where each lies on the page, in its pixels.
        print_mask: 255 where print is, at the page's resolution, shape (height_px, width_px).
        print_colour: RGB of all print.
    """

    paper: bytes
    tiles: tuple[tuple[Box, bytes], ...]
    print_mask: NDArray[np.uint8]
    print_colour: tuple[int, int, int]


def taken_apart(pixels: NDArray[np.uint8], ocr: OcrPage) -> Layers | None:
    """The page in layers, or None where one picture shows it better.

    Args:
        pixels: The display page, RGB, shape (height_px, width_px, 3).
        ocr: Its words, in its pixels.
    """
    if ocr.dpi < LEAST_DPI:
        return None
    found = print_mask.of(pixels, ocr)
    if found is None:
        return None
    steps = round(ocr.dpi / _MEASURED_DPI)
    bare: Any = cv2.bitwise_not(print_mask.with_rim(pixels, found, ocr.dpi))
    share = _shrunk(bare, steps)
    bands = [np.s_[top : top + _BAND_STEPS * steps] for top in range(0, pixels.shape[0], _BAND_STEPS * steps)]
    parts = [_shrunk(cv2.bitwise_and(pixels[rows], pixels[rows], mask=bare[rows]), steps) for rows in bands]
    seen = _filled(np.vstack(parts), share)
    paper = _paper(seen)
    wide: Any = cv2.resize(paper, (seen.shape[1], seen.shape[0]), interpolation=cv2.INTER_LINEAR)
    stands = _stands(seen, wide, _shrunk(found.mask, steps), ocr.dpi / steps)
    ground: Any = cv2.copyTo(seen, stands, wide)
    if _largest_difference(pixels, ground, found, steps) > _LARGEST_DIFFERENCE:
        return None
    boxes = [_enlarged(box, steps, pixels) for box in _tiles(stands, ocr.dpi / steps)]
    tiles = tuple((box, _jpeg(_tile(pixels, bare, ground, stands, box), _QUALITY)) for box in boxes)
    return Layers(_jpeg(paper, _PAPER_QUALITY), tiles, found.mask, found.colour)


def _shrunk(plane: Any, steps: int) -> NDArray[np.uint8]:
    """Means of squares of `steps` pixels; the last rows and columns are repeated to fill them."""
    height, width = plane.shape[:2]
    down, across = -height % steps, -width % steps
    if down or across:
        plane = cv2.copyMakeBorder(plane, 0, down, 0, across, cv2.BORDER_REPLICATE)
    size = plane.shape[1] // steps, plane.shape[0] // steps
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _filled(seen: NDArray[np.uint8], share: Any) -> NDArray[np.uint8]:
    """Where print was taken out, what is next to it, or else the wider paper.

    Args:
        seen: RGB, each pixel darkened by the share of it that was taken out.
        share: What was left of each pixel, 255 for all.
    """
    around: Any = None
    for steps in _FILL_STEPS:
        small = math.ceil(seen.shape[1] / steps), math.ceil(seen.shape[0] / steps)
        colour = cv2.blur(cv2.resize(seen, small, interpolation=cv2.INTER_AREA).astype(np.float32), (3, 3))
        weight: Any = cv2.blur(cv2.resize(share, small, interpolation=cv2.INTER_AREA).astype(np.float32), (3, 3))
        known: Any = np.clip(colour * (255 / np.maximum(weight, 1))[:, :, None], 0, 255).astype(np.uint8)
        if around is not None:
            wider = cv2.resize(around, small, interpolation=cv2.INTER_LINEAR)
            known = cv2.copyTo(wider, (weight < _KNOWN).astype(np.uint8), known)
        around = known
    around = cv2.resize(around, (seen.shape[1], seen.shape[0]), interpolation=cv2.INTER_LINEAR)
    filled = cv2.divide(seen, cv2.merge([share] * 3), scale=255)
    _, unknown = cv2.threshold(share, 254 - _KNOWN, 255, cv2.THRESH_BINARY_INV)
    return np.asarray(cv2.copyTo(around, unknown, filled), dtype=np.uint8)


def _paper(seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The sheet without anything on it, coarse and smooth."""
    small = math.ceil(seen.shape[1] / _PAPER_STEPS), math.ceil(seen.shape[0] / _PAPER_STEPS)
    smooth = cv2.medianBlur(cv2.resize(seen, small, interpolation=cv2.INTER_AREA), _PAPER_PX)
    return np.asarray(cv2.blur(smooth, (7, 7)), dtype=np.uint8)


def _stands(
    seen: NDArray[np.uint8], paper: NDArray[np.uint8], print_cover: NDArray[np.uint8], dpi: float
) -> NDArray[np.uint8]:
    """255 where something stands on the paper, however faint: it differs from it by more than its grain."""
    red, green, blue = cv2.split(cv2.absdiff(cv2.GaussianBlur(seen, (3, 3), 0.8), paper))
    deviation = cv2.max(cv2.max(red, green), blue)
    grain = 1.5 * float(np.median(deviation[::4, ::4]))
    limit = min(max(3 * grain, _LEAST_DEVIATION), _MOST_DEVIATION)
    # Optics and JPEG shade the paper next to letters; what reaches beyond them is found there.
    near = cv2.dilate(print_cover, np.ones((2 * round(_NEAR_MM * dpi / MM_PER_INCH) + 1,) * 2, np.uint8))
    shade = np.uint8(_SHADE - limit)
    deviation = cv2.subtract(deviation, (near > 0).astype(np.uint8) * shade)
    _, marked = cv2.threshold(deviation, limit, 255, cv2.THRESH_BINARY)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(marked, connectivity=8)
    stands = stats[:, cv2.CC_STAT_AREA] >= _LEAST_MARK_PX
    stands[labels[deviation > _STRONG * limit]] = True
    stands[0] = False
    reach = 2 * round(_STANDS_MM * dpi / MM_PER_INCH) + 1
    return np.asarray(cv2.dilate((stands * np.uint8(255))[labels], np.ones((reach, reach), np.uint8)), dtype=np.uint8)


def _tiles(stands: NDArray[np.uint8], dpi: float) -> list[Box]:
    """A few boxes that hold all that stands on the paper.

    Pairs of marks are weighed against each other, so many marks, as on security paper, are first put together by their
    nearness alone: 962 dots took 41 s.
    """
    reach = round(_TOGETHER_MM * dpi / MM_PER_INCH)
    stats: Any
    while True:
        joined = cv2.dilate(stands, np.ones((reach, reach), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        if count <= _MOST_MARKS:
            break
        reach *= 2
    edges = stats[1:, :4].astype(np.int64)
    edges[:, 2:] += edges[:, :2]
    while len(edges) > 1:
        lower = np.minimum(edges[:, None, :2], edges[None, :, :2])
        upper = np.maximum(edges[:, None, 2:], edges[None, :, 2:])
        areas = np.prod(edges[:, 2:] - edges[:, :2], axis=1)
        wasted = np.prod(upper - lower, axis=2) - areas[:, None] - areas[None, :]
        np.fill_diagonal(wasted, np.iinfo(np.int64).max)
        one, other = np.unravel_index(int(wasted.argmin()), wasted.shape)
        if wasted[one, other] > _WASTE_SQUARE_MM * (dpi / MM_PER_INCH) ** 2:
            break
        both = np.concatenate([lower[one, other], upper[one, other]])
        edges = np.vstack([np.delete(edges, [one, other], axis=0), both])
    return [Box(*box) for box in edges.tolist()]


def _enlarged(box: Box, steps: int, pixels: NDArray[np.uint8]) -> Box:
    height, width = pixels.shape[:2]
    return Box(box.left * steps, box.top * steps, min(width, box.right * steps), min(height, box.bottom * steps))


def _tile(
    pixels: NDArray[np.uint8], bare: NDArray[np.uint8], ground: NDArray[np.uint8], stands: NDArray[np.uint8], box: Box
) -> NDArray[np.uint8]:
    """What stands in a box, at full resolution, and around it the ground."""
    steps = -(-pixels.shape[1] // ground.shape[1])
    here = np.s_[box.top : box.bottom, box.left : box.right]
    coarse = np.s_[box.top // steps : -(-box.bottom // steps), box.left // steps : -(-box.right // steps)]
    size = pixels[here].shape[1::-1]
    whole = stands[coarse].shape[1] * steps, stands[coarse].shape[0] * steps
    around = cv2.resize(ground[coarse], whole, interpolation=cv2.INTER_LINEAR)[: size[1], : size[0]]
    inked = cv2.resize(stands[coarse], whole, interpolation=cv2.INTER_NEAREST)[: size[1], : size[0]]
    shown = cv2.bitwise_and(bare[here], inked)
    return np.asarray(cv2.copyTo(pixels[here], shown, np.ascontiguousarray(around)), dtype=np.uint8)


def _jpeg(rgb: NDArray[np.uint8], quality: int) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    if rgb.size > _LARGE_BYTES:  # several passes, each with tables of its own: worth it from here on
        options += [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    # Thin red strokes lose a third of their colour when it is kept at half the resolution.
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    return data.tobytes()


def _largest_difference(
    pixels: NDArray[np.uint8], ground: NDArray[np.uint8], found: print_mask.Print, steps: int
) -> float:
    """How far the layers are from the page where they are farthest: the mean of 0.7 mm, in levels of grey."""
    before = cv2.cvtColor(_shrunk(pixels, steps), cv2.COLOR_RGB2GRAY)
    cover = _shrunk(found.mask, steps)
    level = cv2.cvtColor(np.array([[found.colour]], np.uint8), cv2.COLOR_RGB2GRAY).item()
    after = cv2.multiply(cv2.cvtColor(ground, cv2.COLOR_RGB2GRAY), cv2.bitwise_not(cover), scale=1 / 255)
    after = cv2.add(after, cv2.convertScaleAbs(cover, alpha=level / 255))
    window = round(_COMPARED_MM * _MEASURED_DPI / MM_PER_INCH)
    both = [cv2.blur(page, (window, window)) for page in (before, after)]
    return float(cv2.absdiff(*both).max())
