"""Words that belong to the name of a person, a place or an agency: what is likely in prose says little of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from digitize import gazetteer
from digitize.words import punctuation
from digitize.words.vietnamese import fold, one_tone_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitize.types import OcrWord

_FAMILY, _GIVEN, _AGENCIES = "family_names.txt", "name_words.txt", "agency_words.txt"
_BEFORE_A_PLACE = frozenset({"xa", "phuong", "khu", "tinh", "huyen", "quan", "pho", "tran"})
_MIDDLE = frozenset({"thị", "văn"})


def is_known(word: str) -> bool:
    """Whether people, agencies or places are named so."""
    small = one_tone_style(word.lower())
    return small in _of_people_and_places() or small in gazetteer.words_of(_AGENCIES)


def is_part(words: Sequence[OcrWord], index: int) -> bool:
    """Whether a word stands in a name: it and one beside it on its line are capitalised, and both are named so."""
    if not words[index].text[0].isupper():
        return False
    before, after = words[index - 1] if index else None, words[index + 1] if index + 1 < len(words) else None
    return _goes_on(before, words[index]) or _goes_on(words[index], after)


def is_misspelt(words: Sequence[OcrWord], index: int) -> bool:
    """Whether a family or a place is written as none is."""
    return words[index].text[:1].isupper() and (_is_no_family(words, index) or _is_no_place(words, index))


def _is_no_family(words: Sequence[OcrWord], index: int) -> bool:
    """Whether somebody is called what no family is: "Định Thị Phượng" for Đinh."""
    if len(words) - index < 3 or not all(_is_capitalised(word) for word in words[index : index + 3]):  # noqa: PLR2004
        return False
    family, middle = (one_tone_style(words[place].text.lower()) for place in (index, index + 1))
    before = words[index - 1] if index else None
    begins = before is None or not before.text[-1].isalpha() or not _is_capitalised(before)
    return begins and middle in _MIDDLE and punctuation.core(family) not in gazetteer.words_of(_FAMILY)


def _is_no_place(words: Sequence[OcrWord], index: int) -> bool:
    """Whether a place is written as no place is, but one is with other marks: "huyện Củ Chỉ" for Củ Chi."""
    for first in (index - 1, index):
        if first < 0 or first + 1 >= len(words) or not _is_a_place(words, first):
            continue
        pair = [one_tone_style(punctuation.core(words[place].text).lower()) for place in (first, first + 1)]
        spelt = _places_by_letters().get(fold(" ".join(pair)), ())
        if spelt and all(name[index - first] != pair[index - first] for name in spelt):
            return True
    return False


def _is_a_place(words: Sequence[OcrWord], first: int) -> bool:
    """Whether two words are named as a place: after its kind, or before the day of a paper."""
    if not (_is_capitalised(words[first]) and words[first].text[-1].isalpha() and _is_capitalised(words[first + 1])):
        return False
    dated = words[first + 1].text[-1] == "," and first + 2 < len(words) and fold(words[first + 2].text) == "ngay"
    return dated or (first > 0 and fold(words[first - 1].text) in _BEFORE_A_PLACE)


def _goes_on(word: OcrWord | None, after: OcrWord | None) -> bool:
    if word is None or after is None or punctuation.line_of(word) != punctuation.line_of(after):
        return False
    return word.text[-1].isalpha() and after.text[0].isalpha() and _is_named_so(word) and _is_named_so(after)


def _is_named_so(word: OcrWord) -> bool:
    """Whether a capitalised word is known of names; what stands in capitals is mostly a heading, and prose."""
    small = one_tone_style(punctuation.core(word.text).lower())
    return _is_capitalised(word) and not word.text.isupper() and small in _of_people_and_places()


def _is_capitalised(word: OcrWord) -> bool:
    own = punctuation.core(word.text)
    return own[:1].isupper() and (own[1:].islower() or own.isupper())


@cache
def _places_by_letters() -> dict[str, tuple[list[str], ...]]:
    """Places of two words, by their letters without marks."""
    found: dict[str, tuple[list[str], ...]] = {}
    for name in _places():
        words = one_tone_style(name.lower()).split()
        if len(words) == 2:  # noqa: PLR2004
            found[fold(name)] = (*found.get(fold(name), ()), words)
    return found


def _places() -> list[str]:
    provinces = gazetteer.provinces()
    return [each.name for each in provinces] + [each.name for one in provinces for each in one.communes]


@cache
def _of_people_and_places() -> frozenset[str]:
    people = gazetteer.words_of(_FAMILY) | gazetteer.words_of(_GIVEN)
    return people.union(one_tone_style(" ".join(_places()).lower()).split())
