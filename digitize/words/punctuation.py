"""Signs that stand where print doesn't put them: a comma read as a stop, a stroke glued to a word."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from digitize.words.syllables import is_syllable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitize.types import OcrWord

_LETTER = re.compile(r"[^\W_]")
_BEFORE = re.compile(r"[-–+•]?[(\[“\"‘«]*+")
_AFTER = re.compile(r"%?[)\]”\"’»]*+(?:\.\.\.|\./\.|[.,;:!?…])?[)”\"]?")
_LABEL = re.compile(r"\d+(?:[.)]|\.\d+\.?)")  # of a list
_SEVERAL = 2
_VOWELS, _NUMERALS = frozenset("AEIOUY"), frozenset("IVXLC")


@lru_cache(16384)
def core(text: str) -> str:
    """The token without the signs round it."""
    first, last = _LETTER.search(text), _LETTER.search(text[::-1])
    return text[first.start() : len(text) - last.start()] if first and last else ""


def has_odd_signs(text: str) -> bool:
    """Whether other signs stand round a word than print has there: "'TRƯỜNG", "VTj~", "hiện./"."""
    own = core(text)
    if not own:
        return False
    before, _, after = text.partition(own)
    return not (_BEFORE.fullmatch(before) and _AFTER.fullmatch(after))


def stops_amiss(words: Sequence[OcrWord], index: int) -> bool:
    """A stop that the next word denies: "Trung Thành. xã", "tổ 3, 4. 8 phường", or a colon where a list's line ends."""
    word, after = words[index], words[index + 1] if index + 1 < len(words) else None
    if word.text.endswith("."):
        small_after = after is not None and after.text[:1].islower()
        return (small_after and not core(word.text).isupper()) or _stops_before_a_number(words, index)
    if not word.text.endswith(":"):
        return False
    first = index
    while first and line_of(words[first - 1]) == line_of(word):
        first -= 1
    ends_line = after is None or line_of(after) != line_of(word)
    return ends_line and index > first and words[first].text[:1] in "-–•+"


def is_doubtful_colon(words: Sequence[OcrWord], index: int) -> bool:
    """A colon before a small letter: as often a semicolon, whose tail is lost."""
    return words[index].text.endswith(":") and index + 1 < len(words) and words[index + 1].text[:1].islower()


def _stops_before_a_number(words: Sequence[OcrWord], index: int) -> bool:
    """No sentence begins with a number, unless it is the label of an item."""
    if not 0 < index < len(words) - 1 or line_of(words[index - 1]) != line_of(words[index]):
        return False
    own, after = core(words[index].text), words[index + 1].text
    if not after[0].isdigit() or _LABEL.fullmatch(after):
        return False
    in_a_list = own.isdigit() and not words[index - 1].text[0].isupper()  # not "Điều 4."
    return in_a_list or (own.islower() and len(own) >= _SEVERAL)


def has_odd_case(words: Sequence[OcrWord], index: int) -> bool:
    """A capital between small words of one sentence, or a word in capitals: "ẩn nguy Cơ gây", "- VỊ trí xây dựng"."""
    own = core(words[index].text)
    if not own[:1].isupper() or not own.isalpha():
        return False
    before, after = words[index - 1] if index else None, words[index + 1] if index + 1 < len(words) else None
    small_after = after is not None and after.text.islower() and after.text[0].isalpha()
    if own[1:].isupper():
        near = [core(word.text) for word in (before, after) if word and line_of(word) == line_of(words[index])]
        return small_after and is_syllable(own) and not any(len(text) > 1 and text.isupper() for text in near)
    return small_after and before is not None and before.text.islower() and before.text[-1].isalpha()


def is_stray_letter(words: Sequence[OcrWord], index: int) -> bool:
    """A consonant alone beside a word in capitals, a bit of one: "TR Ư G PHÒNG"."""
    own = words[index].text
    if len(own) != 1 or not own.isupper() or own in _VOWELS or own in _NUMERALS:
        return False
    beside = [words[place] for place in (index - 1, index + 1) if 0 <= place < len(words)]
    return any(
        line_of(word) == line_of(words[index]) and len(word.text) > 1 and word.text.isupper() and word.text.isalpha()
        for word in beside
    )


def line_of(word: OcrWord) -> tuple[int, int, int]:
    """What the words of one line have in common."""
    return word.block, word.paragraph, word.line
