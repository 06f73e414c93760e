"""Words that belong to the name of a person, a place or an agency: what is likely in prose says little of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from digitize import gazetteer
from digitize.words import punctuation
from digitize.words.vietnamese import one_tone_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitize.types import OcrWord

_LISTS = ("family_names.txt", "name_words.txt", "agency_words.txt")


def is_known(word: str) -> bool:
    """Whether people, agencies or places are named so."""
    return one_tone_style(word.lower()) in _words()


def is_part(words: Sequence[OcrWord], index: int) -> bool:
    """Whether a known word of names stands in a name: capitalised beside another of its line that is, too."""
    if not _is_capitalised(words[index]) or not is_known(punctuation.core(words[index].text)):
        return False
    before, after = words[index - 1] if index else None, words[index + 1] if index + 1 < len(words) else None
    return _goes_on(before, words[index]) or _goes_on(words[index], after)


def _goes_on(word: OcrWord | None, after: OcrWord | None) -> bool:
    if word is None or after is None or punctuation.line_of(word) != punctuation.line_of(after):
        return False
    return word.text[-1].isalpha() and _is_capitalised(word) and after.text[0].isalpha() and _is_capitalised(after)


def _is_capitalised(word: OcrWord) -> bool:
    own = punctuation.core(word.text)
    return own[:1].isupper() and (own[1:].islower() or own.isupper())


@cache
def _words() -> frozenset[str]:
    provinces = gazetteer.provinces()
    places = [each.name for each in provinces] + [each.name for one in provinces for each in one.communes]
    listed = [gazetteer.words_of(name) for name in _LISTS]
    return frozenset().union(*listed, one_tone_style(" ".join(places).lower()).split())
