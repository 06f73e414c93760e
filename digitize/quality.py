"""What is wrong with a page, said within a second while the paper is still on the desk; and its small picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize import likeness
from digitize.cleaning import bleed, border, crop, illumination, moire, resample
from digitize.cleaning.resample import shrunk
from digitize.types import MM_PER_INCH, Flag, PageFlags

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.types import PageImage

LEAST_DPI = 195.0  # 200, with the rounding of scanners that count in centimetres
THUMBNAIL_PX = 240
#: Across a masked page: a face is a tile or two, a line of print is none.
_MASKED_TILES = 12

_SEEN_DPI = 100.0
_SHARP_DPI = 150.0
_LEAST_INK = 6e-5  # of the page: a word in pencil is more
_LEAST_SHARPNESS = 0.265  # a sharp scan 0.5 to 0.9, a phone's photograph 0.4, a worn photocopy 0.275 and more
_DARK_PAPER = 110.0
_COLOURED = 40
_GLARE_PX = 210  # a millimetre each
_BLOWN = 249.0
_BRIGHTER = 16.0  # levels above the page's usual paper; less is a scan of very white paper
_LEAST_GLARE = 0.004
_RIM_MM = 0.6
_LETTER_MM = (1.2, 9.0)
_CUT_LETTERS = 5
_A_SERIES_MM = ((148.0, 210.0), (210.0, 297.0), (297.0, 420.0))
_SIZE_TOLERANCE_MM = 12.0


def flags_of(image: PageImage) -> PageFlags:
    """Judge one page as it came, before any cleaning or reading.

    Flags: low resolution (below 200 dpi on paper), blank, blurred, cut edge, dark, glare, bleed-through, unusual size.
    Lean, turn and two pages in one are found out by the pipeline. The measurements are given for every page.
    """
    corners = crop.find_sheet(image)
    return flags_of_sheet(image if corners is None else crop.cut(image, corners), was_cut_out=corners is not None)


def flags_of_sheet(image: PageImage, *, was_cut_out: bool) -> PageFlags:
    """As `flags_of`, for a sheet that `crop` has already looked for: `was_cut_out` when it found one."""
    sharp = _at(image, _SHARP_DPI)
    seen = shrunk(sharp, _SEEN_DPI / min(_SHARP_DPI, max(image.dpi, _SEEN_DPI)))
    grey = resample.grey(seen)
    size = grey.shape[1], grey.shape[0]
    levels = np.asarray(cv2.resize(illumination.background(grey), size), dtype=np.float32)
    tinted = _tinted(seen)
    measured = {
        "dpi": round(image.dpi, 1),
        "ink": _ink_share(tinted, grey, levels),
        "sharpness": _sharpness(resample.grey(sharp), levels),
        "paper": float(border.paper_level(grey)),
        # A sheet cut out of a photograph was seen whole, or its four edges could not have been found.
        "cut_letters": 0.0 if was_cut_out else _cut_letters(grey, levels),
        "glare": _glare_share(levels),
        "bleed": 0.0 if image.bitonal else bleed.share(grey, levels, tinted),
        "look": likeness.look(grey, levels),
    }
    flags = set()
    if image.dpi < LEAST_DPI:
        flags.add(Flag.LOW_RESOLUTION)
    if measured["ink"] < _LEAST_INK:
        flags.add(Flag.BLANK)
    elif measured["sharpness"] < _LEAST_SHARPNESS:
        flags.add(Flag.BLURRED)
    if measured["cut_letters"] >= _CUT_LETTERS:
        flags.add(Flag.CUT_EDGE)
    if measured["paper"] < _DARK_PAPER:
        flags.add(Flag.DARK)
    if measured["glare"] >= _LEAST_GLARE:
        flags.add(Flag.GLARE)
    # Light that spills from a glaring spot looks like a back showing through: said once, as glare.
    if measured["bleed"] >= bleed.SEEN and Flag.GLARE not in flags and not moire.is_of_a_screen(image):
        flags.add(Flag.BLEED_THROUGH)
    if image.active:
        flags.add(Flag.ACTIVE_CONTENT)
    if not _is_usual_size(image):
        flags.add(Flag.UNUSUAL_SIZE)
    return PageFlags(frozenset(flags), measured)


def thumbnail(image: PageImage) -> bytes:
    """The page as a small JPEG, 240 pixels wide."""
    width = min(THUMBNAIL_PX, image.width_px)
    height = max(1, round(image.height_px * width / image.width_px))
    small = cv2.resize(image.pixels, (width, height), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return data.tobytes()


def masked(small: bytes) -> bytes:
    """A small picture in which it can be seen what kind of paper it is, and nothing can be read or recognised."""
    pixels = cv2.imdecode(np.frombuffer(small, dtype=np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError("not a picture")
    height, width = pixels.shape[:2]
    tiles = (_MASKED_TILES, max(1, round(_MASKED_TILES * height / width)))
    coarse = cv2.resize(pixels, tiles, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    return data.tobytes()


def _at(image: PageImage, dpi: float) -> NDArray[np.uint8]:
    scale = min(1.0, dpi / image.dpi)
    return shrunk(image.pixels, scale)


def _tinted(seen: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the page is clearly more colourful than its paper: seals, pens, coloured print."""
    red, green, blue = cv2.split(seen)
    colour = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    return np.asarray(colour > resample.percentile(np.asarray(colour, dtype=np.uint8), 50) + _COLOURED, dtype=np.bool_)


def _ink_share(tinted: NDArray[np.bool_], grey: NDArray[np.uint8], levels: NDArray[np.float32]) -> float:
    """Share of the page, edges aside, that is darker or more colourful than its surroundings."""
    dark = grey < levels - np.maximum(0.13 * levels, 14)
    ink = cv2.morphologyEx((dark | tinted).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    height, width = grey.shape
    rim = round(0.025 * width)
    sizes = [
        int(area)
        for left, top, wide, tall, area in stats[1:count]
        # Specks and the shadows of the sheet's own edges are not writing.
        if max(wide, tall) >= 4  # noqa: PLR2004
        and left + wide > rim
        and left < width - rim
        and top + tall > rim
        and top < height - rim
    ]
    return float(sum(sizes)) / grey.size


def _sharpness(grey: NDArray[np.uint8], levels: NDArray[np.float32]) -> float:
    """How steep the edges of letters are: nearer 1 for a sharp scan, near 0 when print is a haze.

    The steepest steps between neighbouring pixels, against the contrast of ink and paper, at a fixed resolution.
    """
    if grey.shape[1] < 2:  # noqa: PLR2004  no steps
        return 1.0
    grey = illumination.flatten(grey, levels)
    across = np.asarray(cv2.absdiff(grey[:, 1:], grey[:, :-1]), dtype=np.uint8)
    contrast = resample.percentile(grey, 90) - resample.percentile(grey, 0.5)
    if contrast < 12:  # noqa: PLR2004  hardly any ink: nothing to be sharp
        return 1.0
    return resample.percentile(across, 99.5) / contrast


def _glare_share(levels: NDArray[np.float32]) -> float:
    """Share of the page that shines so bright that nothing can be seen in it, in light that fades around it.

    White that ends sharply is the lid of a scanner beside a greyer sheet, and no glare.
    """
    step = max(1, levels.shape[1] // _GLARE_PX)
    small = levels[::step, ::step]
    usual = float(np.median(small))
    blown = (small >= max(_BLOWN, usual + _BRIGHTER)).astype(np.uint8)
    if usual > _BLOWN - _BRIGHTER or not blown.any():
        return 0.0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(blown, connectivity=4)
    share = 0.0
    for label in range(1, count):
        spot = (labels == label).astype(np.uint8)
        rim = cv2.dilate(spot, np.ones((7, 7), np.uint8)) - cv2.dilate(spot, np.ones((3, 3), np.uint8))
        around = small[rim > 0]
        if around.size and float(np.median(around)) > usual + 0.4 * (_BLOWN - usual):
            share += float(stats[label, cv2.CC_STAT_AREA]) / small.size
    return share


def _cut_letters(grey: NDArray[np.uint8], levels: NDArray[np.float32]) -> float:
    """How many letter-sized shapes touch the same edge of the page.

    The dark line that a scanner draws along an edge, and the frame of a copier, are longer than letters.
    """
    mm = _SEEN_DPI / MM_PER_INCH
    ink = (grey < 0.6 * np.minimum(levels, float(border.paper_level(grey)))).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    left, top, width, height = (stats[1:, column] for column in range(4))
    size = np.maximum(width, height)
    letters = (size >= _LETTER_MM[0] * mm) & (size <= _LETTER_MM[1] * mm) & (np.minimum(width, height) >= 0.4 * mm)
    rim = max(1, round(_RIM_MM * mm))
    edges = (
        left < rim,
        top < rim,
        left + width > grey.shape[1] - rim,
        top + height > grey.shape[0] - rim,
    )
    return float(max(int((letters & edge).sum()) for edge in edges))


def _is_usual_size(image: PageImage) -> bool:
    if not image.dpi_is_stated:
        return True
    short_side, long_side = sorted(image.size_mm)
    return any(
        abs(short_side - width) < _SIZE_TOLERANCE_MM and abs(long_side - height) < _SIZE_TOLERANCE_MM
        for width, height in _A_SERIES_MM
    )
