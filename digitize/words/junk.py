"""What was read but is no text: bits of seals and signatures, specks, the rule under a heading.

Told by what print can't be: letters far smaller or larger than the page's, a dot that belongs to no word, and low
confidence on ink that has a colour or stands apart from every line. A short token that print does have (a number, a
dash of a list, "m²", a single letter in its line) stays: a word lost is worse than a speck kept.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from digitize.types import PenZone
from digitize.words.syllables import is_syllable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitize.types import Box, OcrPage, OcrWord

# All sizes are shares of the median height of the page's longer words, which have ascenders and marks.
_TINY = 0.22  # no letter is as low as this: the lowest, a bare x, has 0.4
_SPECK = 0.14
_HUGE = 1.8  # no heading is as high as this
_FLAT = 0.3
_APART = 2.0
_DOUBTED = 45.0
_SURE = 60.0
_LONG = 8
_QUITE_SURE = 85.0
_ABBREVIATION = re.compile(r"[A-ZĐ&/-]{2,}")
_PUNCTUATION = ".,:;()-/\"'“”"
_UNREAD = 25.0
_COLOURED = 28  # as `ink` has it
_COLOURED_SHARE = 0.04
_FEWEST_WORDS = 8

#: Signs that stand alone in print; any other sign standing alone is a speck or a stroke.
_ALONE = frozenset("-–—+=&/%…•") | {"./.", "..."}
_DASHES = frozenset("-–—~+•*")
#: What only misread strokes are made of.
_STROKES = frozenset("_'`´ˆ\\|~*„“”\"‹›«»¬§°·^<>{}[]¥£€$®©™=.,:;-–—!")


def without(page: OcrPage, pixels: NDArray[np.uint8] | None = None) -> OcrPage:
    """The page without the words that are no text.

    Args:
        page: As read.
        pixels: RGB of the display page, to see whether a word stands on coloured ink; left out for a bitonal page.
    """
    heights = [_height(word) for word in page.words if len(word.text) > 2 and word.confidence >= _DOUBTED]  # noqa: PLR2004
    if len(heights) < _FEWEST_WORDS:
        return page
    unit = float(np.median(heights))
    kept: list[OcrWord] = []
    for _, group in groupby(page.words, key=lambda word: (word.block, word.paragraph, word.line)):
        line = list(group)
        for index, word in enumerate(line):
            # In a table a lone sign is a cell; only its rules and the seal over it leave doubtful strokes.
            in_table = any(table.box.holds_middle_of(word.box) for table in page.tables)
            doubtful = word.confidence < _DOUBTED and not any(letter.isdigit() for letter in word.text)
            if _is_filled_in(word, page) or not _is_junk(line, index, unit, pixels) or (in_table and not doubtful):
                kept.append(word)
    return page if len(kept) == len(page.words) else replace(page, words=tuple(kept))


def _is_filled_in(word: OcrWord, page: OcrPage) -> bool:
    """Whether a pen wrote it where a number or a day belongs: what was read is a guess, and its place counts."""
    box = word.box
    return word.by_pen and any(
        mark.box.left < box.right
        and box.left < mark.box.right
        and mark.box.top < box.bottom
        and box.top < mark.box.bottom
        for mark in page.pen
        if mark.zone in {PenZone.NUMBER, PenZone.DAY}
    )


def _is_junk(line: Sequence[OcrWord], index: int, unit: float, pixels: NDArray[np.uint8] | None) -> bool:
    word = line[index]
    if word.repair:
        return False
    high, wide = _height(word) / unit, (word.box.right - word.box.left) / unit
    if not any(letter.isalnum() for letter in word.text):
        return _is_stray_sign(line, index, high, wide, unit)
    if high < _TINY:
        return not _read_in_spite_of_its_box(word)
    if word.confidence >= _DOUBTED:
        return False
    apart = _stands_apart(line, index, unit)
    if high > _HUGE and word.confidence < _UNREAD and apart:
        return True
    # A doubted syllable among sure words may be a name under a seal.
    on_colour = not is_syllable(word.text.strip(_PUNCTUATION)) and _on_colour(word.box, pixels)
    return _reads_like_strokes(word.text) and (on_colour or apart)


def _read_in_spite_of_its_box(word: OcrWord) -> bool:
    """Tesseract now and then gives a word, a number or an abbreviation that it reads well a box of two pixels."""
    core = word.text.strip(_PUNCTUATION)
    if word.confidence >= _QUITE_SURE and (core.isdigit() or sum(map(str.isalnum, core)) > 1):
        return True
    known = is_syllable(core) or core.isdigit() or _ABBREVIATION.fullmatch(core) is not None
    return len(word.text) > 1 and word.confidence >= _SURE and known


def _is_stray_sign(line: Sequence[OcrWord], index: int, high: float, wide: float, unit: float) -> bool:
    word = line[index]
    if high > _HUGE or max(high, wide) < _SPECK:
        return True
    if index == 0 and len(line) > 1 and word.text in _DASHES:
        return False  # the dash before an item of a list
    if word.text in _ALONE:
        is_dash = word.text in _DASHES and high < _FLAT and wide < 1
        return word.confidence < _UNREAD or (len(line) == 1 and not is_dash)
    if set(word.text) <= {"."} and len(word.text) > 2:  # noqa: PLR2004  dots to write on
        return False
    belongs = index > 0 and word.box.left - line[index - 1].box.right < 0.4 * unit
    return not belongs or set(word.text) <= _STROKES - set('.,:;!"”')


def _reads_like_strokes(text: str) -> bool:
    """Whether what was read looks like no word of a paper: neither a number, an abbreviation nor a printed syllable."""
    core = text.strip(_PUNCTUATION)
    if sum(map(str.isalnum, core)) >= _LONG:
        return False  # strokes seldom make so many letters; an address of mail read badly does
    if not core or (set(core) & _STROKES):
        return True
    if core.isdigit():
        return False
    if is_syllable(core):
        return core.islower() or len(core) == 1
    return not (core.isupper() and 2 < len(core) < 9)  # noqa: PLR2004  HĐND, BGTVT, GDĐT


def _stands_apart(line: Sequence[OcrWord], index: int, unit: float) -> bool:
    """Whether no surely read word is near on its line."""
    box = line[index].box
    for other in line:
        if other is line[index]:
            continue
        gap = max(other.box.left - box.right, box.left - other.box.right)
        word_like = len(other.text) > 1 and is_syllable(other.text.strip(_PUNCTUATION))
        if gap < unit and word_like:
            return False
        if gap < _APART * unit and other.confidence >= _DOUBTED:
            return False
    return True


def _on_colour(box: Box, pixels: NDArray[np.uint8] | None) -> bool:
    if pixels is None:
        return False
    here = pixels[box.top : box.bottom, box.left : box.right].astype(np.int16)
    return bool((here.max(axis=2) - here.min(axis=2) > _COLOURED).mean() > _COLOURED_SHARE) if here.size else False


def _height(word: OcrWord) -> int:
    return word.box.bottom - word.box.top
