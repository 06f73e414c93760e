"""Numbers that are written as no number is: a year of five digits, thousands fallen apart or parted by a colon."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from digitize.words import punctuation
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitize.types import OcrWord

_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_PARTED_BY_SIGNS = re.compile(r"\d+[:;]\d{3}\.\d{3}.*|\d{1,3}(?:\.\d{3})+[:;]\d{3}.*|\d+[.,][.,:]\d+.*|\d{3,}\.\d\d?")
_FEW_DIGITS = re.compile(r"[1-9]\d?")
_THOUSANDS_REST = re.compile(r"\d{3}")
_LEAST_OF_A_YEAR = 3


def is_odd(words: Sequence[OcrWord], index: int) -> bool:
    """Whether a number has a form that none has where it stands."""
    own = punctuation.core(words[index].text)
    if not own[:1].isdigit():
        return False
    before = words[index - 1] if index else None
    if own.isdigit() and len(own) >= _LEAST_OF_A_YEAR and before is not None and fold(before.text) == "nam":
        return not _YEAR.fullmatch(own)
    return bool(_PARTED_BY_SIGNS.fullmatch(own)) or _fell_apart(words, index) or (
        index > 0 and _fell_apart(words, index - 1)
    )  # fmt: skip


def _fell_apart(words: Sequence[OcrWord], index: int) -> bool:
    """Whether "1.143" was read as "1 143", and no longer row of digits goes on before or after."""
    if index + 1 >= len(words) or punctuation.line_of(words[index]) != punctuation.line_of(words[index + 1]):
        return False
    beside = [words[place].text for place in (index - 1, index + 2) if 0 <= place < len(words)]
    return bool(
        _FEW_DIGITS.fullmatch(words[index].text)
        and _THOUSANDS_REST.fullmatch(punctuation.core(words[index + 1].text))
        and not any(text[0].isdigit() for text in beside)
    )
