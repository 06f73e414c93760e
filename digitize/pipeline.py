"""The order in which a page is cleaned and read, and nothing else.

The page that people keep and the page that Tesseract reads part after the crop and meet again at the words: both are
turned and set straight alike, so a word's box means the same on both. Cleaning that can harm is gated: what was
measured to help a bad page was measured to hurt a good one.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize import pen, qr, quality, risk, tables
from digitize.cleaning import border, crop, deskew, despeckle, dewarp, illumination, ink, moire, orient, sharpen, spread
from digitize.pdf import own_text
from digitize.recognition import columns, missed, reader, second_opinion, second_reader
from digitize.tables import reading as table_reading
from digitize.types import Flag, OcrPage, PageFlags, PageImage, PenZone, ReadPage
from digitize.words import context, junk, syllables, symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: Below this mean confidence a page may stand on its head: the other turns are tried.
RETRY_BELOW = 70.0
#: Below this a person should look at every word.
DOUBTFUL_BELOW = 88.0
_SKEWED_DEG = 3.0
_STRAIGHT_DEG = 0.1
_STRAIGHT_BITONAL_DEG = 0.7  # resampling a bitonal page costs more than this lean does
_FEWEST_WORDS = 5
_JPEG_QUALITY = 82
_BAND_PX = 256
_BY_HAND = {PenZone.NUMBER: Flag.HANDWRITTEN_NUMBER, PenZone.DAY: Flag.HANDWRITTEN_DAY}

cv2.setNumThreads(1)  # pages go beside each other; one page takes one core


@dataclass(frozen=True)
class _Cleaned:
    """The two pictures of a page, alike in geometry."""

    display: PageImage
    grey: NDArray[np.uint8]
    steps: tuple[str, ...]
    turned_deg: int
    skew_deg: float
    fold: int | None  # the column where two pages meet


def read_page(image: PageImage, *, language: str = "vie") -> ReadPage:
    """Clean and read one page.

    Args:
        image: As loaded.
        language: Tesseract's name for it.

    Returns:
        The display page (colour, real size; bitonal stays bitonal), the words on it, flags, and what was done.

    Raises:
        ReadingFailed: Tesseract is missing, was killed or ran out of time.
    """
    corners = crop.find_sheet(image)
    sheet = image if corners is None else crop.cut(image, corners)
    flags = quality.flags_of_sheet(sheet, was_cut_out=corners is not None)
    if Flag.BLANK in flags.flags:
        # Out of paper grain Tesseract makes words, for a minute and more; a person decides what becomes of the page.
        return _without_words(sheet, flags)
    is_vietnamese = "vie" in language.split("+")  # spelling, grammar and context are known of no other
    own = own_text.read(sheet) if corners is None else None
    if own and own_text.is_all(sheet, own):  # written on a computer, whole and seen: there is nothing to recognise
        return _as_told(sheet, own, flags)
    # A page that was drawn stands straight, and its own words stand where they stand.
    cleaned = _drawn(sheet) if own else _clean(sheet, was_cut_out=corners is not None)
    ocr = _read(cleaned, language)
    if ocr.mean_confidence < RETRY_BELOW and len(ocr.words) >= _FEWEST_WORDS:
        cleaned, ocr = _best_turn(cleaned, ocr, language)
    if "despeckle" not in cleaned.steps:  # on a dusty page words are in doubt everywhere, and gaps are there by chance
        cleaned, ocr = _foot_by_column(cleaned, ocr, language)
    is_told = own is not None and not cleaned.turned_deg
    if own and is_told:
        ocr = own_text.joined(own, ocr)
    elif is_vietnamese and second_opinion.is_worth_asking(ocr, dusty="despeckle" in cleaned.steps):
        second = second_reader.read(cleaned.grey)
        ocr = second_opinion.weigh(ocr, second or ())
        step = "second opinion failed" if second is None else "second opinion"
        cleaned = replace(cleaned, steps=(*cleaned.steps, step))
    ocr = pen.marked(ocr, pen.find(cleaned.display, ocr))
    if is_vietnamese and not is_told:
        ocr = junk.without(ocr, None if cleaned.display.bitonal else cleaned.display.pixels)
        ocr = _with_missed_lines(ocr, cleaned.grey, language)
        ocr = risk.assessed(context.mended(symbols.mended(ocr)))
    if qr.may_have_card(ocr):
        ocr = replace(ocr, codes=qr.codes(cleaned.display.pixels))
    display = cleaned.display
    # Of an A3 page every copy counts: what was made here is lightened where it lies, what somebody else holds is not.
    cleaned = replace(cleaned, grey=np.empty((0, 0), np.uint8))
    if not display.bitonal:
        display = illumination.lighten(display, in_place=not np.shares_memory(display.pixels, image.pixels))
    picture, picture_type = _encoded(display)
    return ReadPage(
        picture=picture,
        picture_type=picture_type,
        ocr=ocr,
        flags=_flags(flags, cleaned, ocr),
        steps=cleaned.steps,
        turned_deg=cleaned.turned_deg,
        skew_deg=cleaned.skew_deg,
    )


def _as_told(sheet: PageImage, own: OcrPage, flags: PageFlags) -> ReadPage:
    own = pen.marked(own, pen.find(sheet, own))  # another program, or a hand's strokes, may have filled in the number
    picture, picture_type = _encoded(sheet)
    return ReadPage(picture, picture_type, own, _flags(flags, _drawn(sheet), own), steps=("own text",))


def _drawn(sheet: PageImage) -> _Cleaned:
    return _Cleaned(sheet, ink.drop(sheet), (), 0, 0.0, None)


def unread_page(image: PageImage) -> ReadPage:
    """The page as it came, without words: what is kept when Tesseract fails on it and nobody can wait."""
    before = quality.flags_of(image)
    return _without_words(image, PageFlags(before.flags | {Flag.DOUBTFUL_READING}, before.measured))


def _without_words(image: PageImage, flags: PageFlags) -> ReadPage:
    picture, picture_type = _encoded(image if image.bitonal else illumination.lighten(image))
    return ReadPage(
        picture=picture,
        picture_type=picture_type,
        ocr=OcrPage(image.width_px, image.height_px, image.dpi, (), 0.0),
        flags=flags,
    )


def _clean(image: PageImage, *, was_cut_out: bool) -> _Cleaned:
    steps = ["crop"] if was_cut_out else []
    seen = image
    if moire.is_of_a_screen(image):
        seen = moire.softened(image)
        steps.append("moire")
    grey = ink.drop(seen)
    if not image.bitonal and ink.has_colour(image):
        steps.append("ink")
    # A sheet that was cut out has no frame any more, and a deep shadow on it would be taken for one.
    filled = grey if was_cut_out else border.fill(grey, dpi=image.dpi)
    if filled is not grey:
        steps.append("border")
    if not image.bitonal and not illumination.is_even(levels := illumination.background(filled)):
        filled = illumination.flatten(filled, levels)
        steps.append("illumination")
    # Before the page is set straight: resampling smears dust into the print.
    if not image.bitonal and despeckle.speckle_level(filled, dpi=image.dpi) >= despeckle.DIRTY:
        filled = despeckle.remove(filled, dpi=image.dpi)
        steps.append("despeckle")
    skew_deg = deskew.estimate_skew(filled, dpi=image.dpi)
    turned_deg = orient.estimate_turn(filled, dpi=image.dpi, skew_deg=skew_deg)
    if turned_deg:
        steps.append("orient")
    display = replace(image, pixels=orient.turn(image.pixels, turned_deg))
    grey = orient.turn(filled, turned_deg)
    if turned_deg in {90, 270}:  # on its side its lines could not be measured
        skew_deg = deskew.estimate_skew(grey, dpi=image.dpi)
    if abs(skew_deg) >= (_STRAIGHT_BITONAL_DEG if image.bitonal else _STRAIGHT_DEG):
        display, grey = _straightened(display, grey, skew_deg)
        steps.append("deskew")
    else:
        skew_deg = 0.0
    fold = spread.find_fold(grey, dpi=display.dpi)
    display, grey, was_bent = _laid_flat(display, grey, fold)
    steps += ["dewarp"] if was_bent else []
    if was_cut_out:
        grey = sharpen.crisper(grey, dpi=display.dpi)
        steps.append("sharpen")
    return _Cleaned(display, grey, tuple(steps), turned_deg, skew_deg, fold)


def _straightened(display: PageImage, grey: NDArray[np.uint8], skew_deg: float) -> tuple[PageImage, NDArray[np.uint8]]:
    expand = abs(skew_deg) > _SKEWED_DEG  # a small lean loses slivers of margin, a large one could lose writing
    pixels = deskew.rotate(display.pixels, skew_deg, paper=_paper_colour(display), expand=expand)
    straight = deskew.rotate(grey, skew_deg, paper=border.paper_level(grey), expand=expand)
    return _moved(display, pixels), straight


def _laid_flat(
    display: PageImage, grey: NDArray[np.uint8], fold: int | None
) -> tuple[PageImage, NDArray[np.uint8], bool]:
    """Straighten curved lines, of two pages each by its own curve; and whether there were any."""
    was_bent = False
    for side in spread.sides(display.width_px, fold):
        bend = dewarp.find_bend(grey[:, side], dpi=display.dpi)
        if bend is None:
            continue
        pixels, flat = display.pixels.copy(), grey.copy()
        pixels[:, side] = dewarp.straightened(pixels[:, side], bend, paper=_paper_colour(display))
        flat[:, side] = dewarp.straightened(flat[:, side], bend, paper=border.paper_level(grey))
        display, grey, was_bent = _moved(display, pixels), flat, True
    return display, grey, was_bent


def _paper_colour(display: PageImage) -> tuple[int, ...]:
    if display.bitonal:
        return 255, 255, 255
    return tuple(int(np.percentile(display.pixels[::8, ::8, channel], 80)) for channel in range(3))


def _moved(display: PageImage, pixels: NDArray[np.uint8]) -> PageImage:
    if display.bitonal:
        pixels = np.asarray(cv2.threshold(pixels, 127, 255, cv2.THRESH_BINARY)[1], dtype=np.uint8)
    return replace(display, pixels=pixels)


def _read(cleaned: _Cleaned, language: str) -> OcrPage:
    """Recognise the page; where it has tables, their cells by themselves."""
    dpi = cleaned.display.dpi
    page = partial(_read_sides, dpi=dpi, fold=cleaned.fold, language=language)
    found = tables.find(cleaned.grey, dpi=dpi)
    if not found:
        return page(cleaned.grey)
    lines = partial(_read_lines, dpi=dpi, language=language)
    return table_reading.read(cleaned.grey, found, dpi=dpi, page=page, lines=lines)


def _read_lines(grey: NDArray[np.uint8], *, dpi: float, language: str) -> OcrPage:
    return reader.read(grey, dpi=dpi, language=language, column=True)


def _with_missed_lines(ocr: OcrPage, grey: NDArray[np.uint8], language: str) -> OcrPage:
    """Read again, by themselves, lines of print that have no word on them."""
    boxes = missed.find(grey, ocr)
    if not boxes:
        return ocr
    sheet, tops = missed.stacked(grey, boxes)
    return missed.added(ocr, boxes, tops, _read_lines(sheet, dpi=ocr.dpi, language=language))


def _read_sides(grey: NDArray[np.uint8], *, dpi: float, fold: int | None, language: str) -> OcrPage:
    """Of two pages side by side the left one first, so that no line runs on across the fold."""
    width = grey.shape[1]
    sides = spread.sides(width, fold)
    pages = [reader.read(np.ascontiguousarray(grey[:, side]), dpi=dpi, language=language) for side in sides]
    return spread.joined(pages, [side.start for side in sides], width_px=width) if fold else pages[0]


def _foot_by_column(cleaned: _Cleaned, ocr: OcrPage, language: str) -> tuple[_Cleaned, OcrPage]:
    foot = columns.doubtful_foot(cleaned.grey, ocr)
    if foot is None:
        return cleaned, ocr
    stacked, pieces = columns.stacked(cleaned.grey, foot, dpi=cleaned.display.dpi)
    dpi = cleaned.display.dpi * pieces[0].scale
    again = reader.read(stacked, dpi=dpi, language=language, column=True)
    return replace(cleaned, steps=(*cleaned.steps, "columns")), columns.merged(ocr, pieces, again)


def _best_turn(cleaned: _Cleaned, ocr: OcrPage, language: str) -> tuple[_Cleaned, OcrPage]:
    """Read the page the other ways up, and keep the way that reads best."""
    best, best_ocr = cleaned, ocr
    for more_deg in (180, 90, 270):
        grey = orient.turn(cleaned.grey, more_deg)
        turned = replace(
            cleaned,
            display=replace(cleaned.display, pixels=orient.turn(cleaned.display.pixels, more_deg)),
            grey=grey,
            turned_deg=(cleaned.turned_deg + more_deg) % 360,
            steps=(*cleaned.steps, "verify"),
            fold=spread.find_fold(grey, dpi=cleaned.display.dpi),
        )
        turned_ocr = _read(turned, language)
        if _legible(turned_ocr) > _legible(best_ocr):
            best, best_ocr = turned, turned_ocr
        if best_ocr.mean_confidence >= DOUBTFUL_BELOW:
            break
    return best, best_ocr


def _legible(ocr: OcrPage) -> float:
    """How much of a page reads as Vietnamese. Of a worn copy on its side, a few sure scraps beat a poor whole."""
    return sum(word.confidence * len(word.text) for word in ocr.words if syllables.is_syllable(word.text.strip(".,;:")))


def _encoded(display: PageImage) -> tuple[bytes, str]:
    if display.bitonal:
        grey = np.ascontiguousarray(display.pixels[:, :, 0])
        _, data = cv2.imencode(".png", grey, [cv2.IMWRITE_PNG_BILEVEL, 1, cv2.IMWRITE_PNG_COMPRESSION, 6])
        return data.tobytes(), "image/png"
    with _blue_first(display.pixels) as bgr:
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    return data.tobytes(), "image/jpeg"


@contextmanager
def _blue_first(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The same pixels as OpenCV writes them, turned about where they lie and back: another copy of an A3 is 90 MB."""
    _swap_red_and_blue(pixels)
    try:
        yield pixels
    finally:
        _swap_red_and_blue(pixels)


def _swap_red_and_blue(pixels: NDArray[np.uint8]) -> None:
    for top in range(0, pixels.shape[0], _BAND_PX):
        rows = slice(top, top + _BAND_PX)
        pixels[rows] = cv2.cvtColor(pixels[rows], cv2.COLOR_RGB2BGR)


def _flags(before: PageFlags, cleaned: _Cleaned, ocr: OcrPage) -> PageFlags:
    flags = set(before.flags)
    measured = dict(before.measured)
    measured["dpi"] = round(cleaned.display.dpi, 1)
    measured["skew_deg"] = cleaned.skew_deg
    measured["turned_deg"] = float(cleaned.turned_deg)
    measured["confidence"] = round(ocr.mean_confidence, 1)
    if cleaned.display.dpi < quality.LEAST_DPI:
        flags.add(Flag.LOW_RESOLUTION)
    if cleaned.turned_deg:
        flags.add(Flag.TURNED)
    if cleaned.fold:
        flags.add(Flag.TWO_PAGES)
    if abs(cleaned.skew_deg) > _SKEWED_DEG:
        flags.add(Flag.SKEWED)
    expected = risk.expected_wer(ocr)
    if expected is not None:
        measured["expected_wer"] = round(expected, 1)
    if risk.is_dirty(ocr) if expected is not None else ocr.mean_confidence < DOUBTFUL_BELOW:
        flags.add(Flag.DOUBTFUL_READING)
    flags |= {_BY_HAND[mark.zone] for mark in ocr.pen if mark.zone in _BY_HAND}
    return PageFlags(frozenset(flags), measured)
