"""A page taken apart: its print as a lossless mask, what else stands on it as colour tiles, and the bare paper.

Print is what was read as print: whole letters within the words that Tesseract was sure of, black as the page's other
letters. Whatever is in doubt stays in colour at the page's own resolution: seals, signatures, pencil, stamps in grey, a
letter that a pen has crossed. Only the paper, where nothing stands on it, is kept coarsely. The parts are put together
again and compared with the page; where one picture shows it better, it isn't taken apart.

Source: mixed raster content, ITU-T T.44 (1999). Masks are coded without loss and no shape is ever put in the place of
another one: pattern matching has turned a 6 into an 8 in copiers.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from digitize.cleaning.resample import means_of_squares
from digitize.pdf import print_mask
from digitize.types import MM_PER_INCH, Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.types import OcrPage

#: Coarser pages have no resolution to spare: their letters would be cut from too few dots.
LEAST_DPI = 250.0

#: Steps of the JPEG in which a tile's frequencies are kept, of light and of colour: the first, which must be fine or a
#: tile's edge would be seen on the paper, and for each other one this much more the higher it is. They rise less than
#: the tables of the standard, which were made for photographs: thin strokes live in the high ones.
_FLAT_STEP = 16
_LIGHT_STEPS = 28, 5
_COLOUR_STEPS = 22, 5
_PAPER_QUALITY = 75
_LARGE_BYTES = 300_000
_MEASURED_DPI = 150.0
_FILL_STEPS = (32, 8, 2)  # pixels that lend a hole their colour, from the widest surroundings to the nearest
_KNOWN = 64  # of 255: less than that of a place left tells nothing of it
_PAPER_STEPS = 3  # how much coarser the paper is kept than it is measured
_PAPER_PX = 5, 7  # of the paper as kept, then of every third one, 11 mm: whatever is narrower isn't paper
_STANDS_MM = 0.4  # around whatever stands on the paper
_TOGETHER_MM = 2.5  # marks nearer than this share a tile
_LEAST_DEVIATION, _MOST_DEVIATION = 4.0, 9.0  # levels by which a mark differs from the paper
_LEAST_MARK_PX = 4
_STRONG = 2.5
_NEAR_MM = 0.6
_SHADE = 12.0  # levels by which something differs that stands so near to print
_WASTE_SQUARE_MM = 250.0  # of bare paper in a tile; another tile weighs as much
_MOST_MARKS = 150
_BAND_STEPS = 32
_COMPARED_MM = 0.7
_COMPARED_STEPS = 2
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
    bare, mask, colour, region = print_mask.without(found, ocr.dpi), found.mask, found.colour, found.region
    del found  # an A3 sheet at 400 dpi has planes of 31 MB
    # Print is taken out and looked for in its region alone: margins are a third of a page.
    coarse = np.s_[region.top // steps : -(-region.bottom // steps), region.left // steps : -(-region.right // steps)]
    fine = tuple(slice(part.start * steps, part.stop * steps) for part in coarse)
    before, seen = _without_print(pixels, bare, fine, steps)
    share = means_of_squares(bare[fine], steps)
    cover = np.zeros(seen.shape[:2], np.uint8)
    cover[coarse] = means_of_squares(mask[fine], steps)
    seen[coarse] = _filled(seen[coarse], share)
    paper = _paper(seen)
    wide: Any = cv2.resize(paper, (seen.shape[1], seen.shape[0]), interpolation=cv2.INTER_LINEAR)
    stands = _stands(seen, wide, cover, ocr.dpi / steps)
    ground: Any = cv2.copyTo(seen, stands, wide)
    if _largest_difference(before, ground, cover, colour) > _LARGEST_DIFFERENCE:
        return None
    boxes = [_enlarged(box, steps, pixels) for box in _tiles(stands, ocr.dpi / steps)]
    tiles = tuple((box, _tile_jpeg(_tile(pixels, bare, ground, stands, box))) for box in boxes)
    return Layers(_paper_jpeg(paper), tiles, mask, colour)


def _without_print(
    pixels: NDArray[np.uint8], bare: NDArray[np.uint8], fine: tuple[slice, ...], steps: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The page in grey, and in colour without its print, both coarser by `steps`.

    A few rows at a time, which stay in the processor's cache from one step to the next.

    Args:
        pixels: The page.
        bare: 0 where print is.
        fine: Rows and columns that all print lies in, multiples of `steps`.
        steps: So many pixels become one.
    """
    height, width = (-(-side // steps) for side in pixels.shape[:2])
    grey, colour = np.empty((height, width), np.uint8), np.empty((height, width, 3), np.uint8)
    for start in range(0, height, _BAND_STEPS):
        here = slice(start, start + _BAND_STEPS)
        rows = slice(start * steps, here.stop * steps)
        small = means_of_squares(pixels[rows], steps)
        grey[here] = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        if rows.start < fine[0].stop and rows.stop > fine[0].start:
            left: Any = cv2.copyTo(pixels[rows, fine[1]], bare[rows, fine[1]])
            small[:, fine[1].start // steps : fine[1].stop // steps] = means_of_squares(left, steps)
        colour[here] = small
    return grey, colour


def _filled(seen: NDArray[np.uint8], share: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Where print was taken out, what is next to it, or else the wider paper.

    Args:
        seen: RGB, each pixel darkened by the share of it that was taken out.
        share: What was left of each pixel, 255 for all.
    """
    height, width = share.shape
    sides = 0, -height % _FILL_STEPS[0], 0, -width % _FILL_STEPS[0]  # whole squares are shrunk the fast way
    coarse: list[tuple[Any, Any]] = []
    colour, weight = (cv2.copyMakeBorder(plane, *sides, cv2.BORDER_REPLICATE) for plane in (seen, share))
    for steps in (2**power for power in range(1, _FILL_STEPS[0].bit_length())):
        colour, weight = means_of_squares(colour, 2), means_of_squares(weight, 2)
        if steps in _FILL_STEPS:
            coarse.append((cv2.blur(colour, (3, 3)), cv2.blur(weight, (3, 3))))
    around: Any = None
    for colour, weight in reversed(coarse):
        known: Any = cv2.divide(colour, cv2.merge([weight] * 3), scale=255)
        if around is not None:
            wider = cv2.resize(around, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
            known = cv2.copyTo(wider, cv2.threshold(weight, _KNOWN - 1, 255, cv2.THRESH_BINARY_INV)[1], known)
        around = known
    size = around.shape[1] * _FILL_STEPS[-1], around.shape[0] * _FILL_STEPS[-1]
    around = cv2.resize(around, size, interpolation=cv2.INTER_LINEAR)[:height, :width]
    filled = cv2.divide(seen, cv2.merge([share] * 3), scale=255)
    _, unknown = cv2.threshold(share, 254 - _KNOWN, 255, cv2.THRESH_BINARY_INV)
    return np.asarray(cv2.copyTo(np.ascontiguousarray(around), unknown, filled), dtype=np.uint8)


def _paper(seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The sheet without anything on it, coarse and smooth: medians of medians, over 11 mm in all."""
    small = math.ceil(seen.shape[1] / _PAPER_STEPS), math.ceil(seen.shape[0] / _PAPER_STEPS)
    near = cv2.medianBlur(means_of_squares(seen, _PAPER_STEPS), _PAPER_PX[0])
    far = cv2.medianBlur(np.ascontiguousarray(near[1::3, 1::3]), _PAPER_PX[1])
    return np.asarray(cv2.blur(cv2.resize(far, small, interpolation=cv2.INTER_LINEAR), (7, 7)), dtype=np.uint8)


def _stands(
    seen: NDArray[np.uint8], paper: NDArray[np.uint8], print_cover: NDArray[np.uint8], dpi: float
) -> NDArray[np.uint8]:
    """255 where something stands on the paper, however faint: it differs from it by more than its grain."""
    red, green, blue = cv2.split(cv2.absdiff(cv2.GaussianBlur(seen, (3, 3), 0), paper))
    deviation = cv2.max(cv2.max(red, green), blue)
    grain = 1.5 * float(np.percentile(deviation[::4, ::4], 50))
    limit = min(max(3 * grain, _LEAST_DEVIATION), _MOST_DEVIATION)
    # Optics and JPEG shade the paper next to letters; what reaches beyond them is found there.
    near = cv2.dilate(print_cover, np.ones((2 * round(_NEAR_MM * dpi / MM_PER_INCH) + 1,) * 2, np.uint8))
    _, shade = cv2.threshold(near, 0, int(_SHADE - limit), cv2.THRESH_BINARY)
    deviation = cv2.subtract(deviation, shade)
    _, marked = cv2.threshold(deviation, limit, 255, cv2.THRESH_BINARY)
    labels: Any
    try:  # sixteen bits a label are three times as fast, where they suffice
        count, labels = cv2.connectedComponentsWithAlgorithm(marked, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    except cv2.error:
        count, labels = cv2.connectedComponentsWithAlgorithm(marked, 8, cv2.CV_32S, cv2.CCL_SPAGHETTI)
    places = np.flatnonzero(marked > 0)
    numbers = labels.ravel()[places].astype(np.intp)
    kept = np.bincount(numbers, minlength=count) >= _LEAST_MARK_PX
    kept[numbers[deviation.ravel()[places] > _STRONG * limit]] = True
    marked.ravel()[places] = kept[numbers] * np.uint8(255)
    reach = 2 * round(_STANDS_MM * dpi / MM_PER_INCH) + 1
    return np.asarray(cv2.dilate(marked, np.ones((reach, reach), np.uint8)), dtype=np.uint8)


def _tiles(stands: NDArray[np.uint8], dpi: float) -> list[Box]:
    """A few boxes that hold all that stands on the paper.

    Pairs of marks are weighed against each other, so many marks, as on security paper, are first put together by their
    nearness alone: 962 dots took 41 s.
    """
    # Every second one in each direction: marks have been widened by more.
    some = np.ascontiguousarray(stands[::2, ::2])
    reach = round(_TOGETHER_MM * dpi / MM_PER_INCH / 2) | 1
    stats: Any
    while True:
        joined = cv2.dilate(some, np.ones((reach, reach), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        if count <= _MOST_MARKS:
            break
        reach = 2 * reach + 1
    if count == 1:  # the paper alone
        return []
    edges = np.stack([_edges(stands, box) for box in (2 * stats[1:, :4]).tolist()])
    wasted = _wasted(edges, edges)
    np.fill_diagonal(wasted, np.inf)
    while len(edges) > 1:
        one, other = sorted(np.unravel_index(int(wasted.argmin()), wasted.shape))
        if wasted[one, other] > _WASTE_SQUARE_MM * (dpi / MM_PER_INCH) ** 2:
            break
        lower, upper = np.minimum(edges[one, :2], edges[other, :2]), np.maximum(edges[one, 2:], edges[other, 2:])
        edges[one] = np.concatenate([lower, upper])
        edges = np.delete(edges, other, axis=0)
        wasted = np.delete(np.delete(wasted, other, axis=0), other, axis=1)
        wasted[one] = wasted[:, one] = _wasted(edges[one : one + 1], edges)[0]
        wasted[one, one] = np.inf
    return [Box(*box) for box in edges.tolist()]


def _edges(stands: NDArray[np.uint8], box: list[int]) -> NDArray[np.int64]:
    """Left, top, right and bottom of what stands in a box, given by its left, top, width and height."""
    left, top, width, height = box
    x, y, across, down = cv2.boundingRect(stands[top : top + height, left : left + width])
    return np.array([left + x, top + y, left + x + across, top + y + down], np.int64)


def _wasted(some: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pixels that a box around two of them holds besides the two; less than nothing where they overlap."""
    lower = np.minimum(some[:, None, :2], others[None, :, :2])
    upper = np.maximum(some[:, None, 2:], others[None, :, 2:])
    areas, others_areas = (np.prod(edges[:, 2:] - edges[:, :2], axis=1) for edges in (some, others))
    return np.asarray(np.prod(upper - lower, axis=2) - areas[:, None] - others_areas[None, :], dtype=np.float64)


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


def _tile_jpeg(rgb: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    # Thin red strokes lose a third of their colour when it is kept at half the resolution.
    Image.fromarray(rgb).save(
        buffer,
        "JPEG",
        qtables=[_table(*_LIGHT_STEPS), _table(*_COLOUR_STEPS)],
        subsampling="4:4:4",
        optimize=True,
        progressive=rgb.size > _LARGE_BYTES,  # several passes, each with tables of its own: worth it from here on
    )
    return buffer.getvalue()


def _table(first: int, rise: int) -> list[int]:
    """Steps of an 8 by 8 block's frequencies, row by row."""
    return [_FLAT_STEP, *(first + rise * (place // 8 + place % 8) for place in range(1, 64))]


def _paper_jpeg(rgb: NDArray[np.uint8]) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, _PAPER_QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1, cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    return data.tobytes()


def _largest_difference(
    before: NDArray[np.uint8], ground: NDArray[np.uint8], cover: NDArray[np.uint8], colour: tuple[int, int, int]
) -> float:
    """How far the layers are from the page where they are farthest: the mean of 0.7 mm, in levels of grey."""
    level = cv2.cvtColor(np.array([[colour]], np.uint8), cv2.COLOR_RGB2GRAY).item()
    before, cover = means_of_squares(before, _COMPARED_STEPS), means_of_squares(cover, _COMPARED_STEPS)
    after = cv2.multiply(
        means_of_squares(cv2.cvtColor(ground, cv2.COLOR_RGB2GRAY), _COMPARED_STEPS),
        cv2.bitwise_not(cover),
        scale=1 / 255,
    )
    after = cv2.add(after, cv2.convertScaleAbs(cover, alpha=level / 255))
    window = round(_COMPARED_MM * _MEASURED_DPI / _COMPARED_STEPS / MM_PER_INCH)
    both = [cv2.blur(page, (window, window)) for page in (before, after)]
    return float(cv2.absdiff(*both).max())
