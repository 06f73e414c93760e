"""A doubtful page's words weighed against a second reading of the same picture.

The second reader errs more often than Tesseract on the whole, and elsewhere: where the two differ, spelling and both
sureties decide, word by word. Every word that changes keeps its first reading. A number, a symbol or a capitalised word
on which they differ is marked for a person, whichever of the two stands.
"""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from digitize.recognition.hocr import mean_confidence
from digitize.types import Box, Repair
from digitize.words.syllables import is_syllable
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from digitize.recognition.second_reader import SecondWord
    from digitize.types import OcrPage, OcrWord

#: Below this mean confidence of its letters a page gets a second reading: clean scans measure 93.5 to 95.5.
WORTH_ASKING = 92.0
#: Of a page that dust was taken off, which Tesseract reads with more confidence than it has earned.
WORTH_ASKING_DUSTY = 95.0

#: A word on which the readers differ is never surer than this.
DIFFERING = 60.0

_SURE = 90.0
_LIKELY = 70.0
_DOUBTFUL = 70.0
_SAME_PLACE = 0.6  # of the width that both cover together
_SAME_LINE = 0.4
_ALIKE = 0.5  # two readings of one word share about this of their letters; less, and they are of different things
_JUNK_BELOW = 60.0
_EDGES = re.compile(r"^([\W_]*)(.*?)([\W_]*)$", re.DOTALL)
_DUST_BEFORE = frozenset("|'`.,-_:;~ˆ*¡{[")  # what dust and ruled lines before a word are read as


def is_worth_asking(page: OcrPage, *, dusty: bool) -> bool:
    """Whether a page was read with so little confidence that a second reading pays.

    Args:
        page: As Tesseract read it.
        dusty: Dust was taken off its picture.
    """
    return bool(page.words) and page.mean_confidence < (WORTH_ASKING_DUSTY if dusty else WORTH_ASKING)


def weigh(page: OcrPage, second: Sequence[SecondWord]) -> OcrPage:
    """The page's words after hearing the second reader.

    - A word that isn't spelt as a syllable gives way to one that is; a doubtful one to a sure one; a doubtful number to
      a sure one; a lump of words to the words.
    - Marks round a word that only Tesseract saw, and dust that it read as a word, go where it was in doubt.
    - Words that differ otherwise stay as they were. Numbers and capitalised words among them lose confidence.

    Args:
        page: As Tesseract read it.
        second: The other reading, boxes in the same pixels; empty when there was none.
    """
    if not second:
        return page
    partners = _partners(page.words, second)
    words: list[OcrWord] = []
    for index, word in enumerate(page.words):
        partner = partners.get(index)
        if partner is not None:
            words.append(_decided(word, partner))
        else:
            inside = [other for other in second if _stands_in(other.box, word.box)]
            parts = _apart(word, sorted(inside, key=lambda other: other.box.left))
            if parts or not _is_dust(word, second):
                words.extend(parts or [word])
    return replace(page, words=tuple(words), mean_confidence=mean_confidence(tuple(words)))


def _decided(word: OcrWord, other: SecondWord) -> OcrWord:
    mine, theirs = _core(word.text), _core(other.text)
    if mine == theirs:
        text = _with_fewer_marks(word, other)
        return word if text == word.text else replace(word, text=text, raw=word.text, repair=Repair.SECOND_OPINION)
    if _gives_way(word, mine, other, theirs):
        confidence = min(other.confidence, DIFFERING)
        return replace(word, text=other.text, raw=word.text, repair=Repair.SECOND_OPINION, confidence=confidence)
    if _must_be_shown(mine) or _must_be_shown(theirs):
        return replace(word, confidence=min(word.confidence, DIFFERING))
    return word


def _with_fewer_marks(word: OcrWord, other: SecondWord) -> str:
    """Both read the same letters: the word with the marks round it that are likely there."""
    if not _core(word.text) or other.confidence < _SURE or len(other.text) > len(word.text):
        return word.text
    if word.confidence < _SURE:
        return other.text
    before = _EDGES.match(word.text)
    theirs = _EDGES.match(other.text)
    if before and theirs and before[1] and not theirs[1] and _DUST_BEFORE.issuperset(before[1]):
        return word.text[len(before[1]) :]
    return word.text


def _apart(word: OcrWord, others: Sequence[SecondWord]) -> list[OcrWord]:
    """The words that Tesseract took for one, where the second reader is sure of each; none where it isn't."""
    sure = len(others) > 1 and all(other.confidence >= _SURE and is_syllable(_core(other.text)) for other in others)
    if not sure or _is_number(word.text) or not _alike(word.text, "".join(other.text for other in others)):
        return []
    return [
        replace(
            word,
            text=other.text,
            box=Box(other.box.left, word.box.top, other.box.right, word.box.bottom),
            raw=word.text,
            repair=Repair.SECOND_OPINION,
            confidence=DIFFERING,
        )
        for other in others
    ]


def _gives_way(word: OcrWord, mine: str, other: SecondWord, theirs: str) -> bool:
    if not theirs or not _alike(mine, theirs):
        return False
    if _is_number(mine) or _is_number(theirs):
        same_length = abs(len(mine) - len(theirs)) <= 1
        return word.confidence < _SURE <= other.confidence and same_length
    if not is_syllable(theirs):
        return False
    if not is_syllable(mine):
        return other.confidence >= _LIKELY
    return word.confidence < _DOUBTFUL and other.confidence >= _SURE


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, fold(one), fold(other), autojunk=False).ratio() >= _ALIKE


def _must_be_shown(core: str) -> bool:
    return _is_number(core) or core[:1].isupper()


def _is_number(core: str) -> bool:
    return any(letter.isdigit() for letter in core)


def _core(text: str) -> str:
    """The word without the marks before and after it."""
    found = _EDGES.match(text)
    return found[2] if found else text


def _is_dust(word: OcrWord, second: Iterable[SecondWord]) -> bool:
    return word.confidence < _JUNK_BELOW and not any(
        _across(word.box, other.box) > 0 and _down(word.box, other.box) > _SAME_LINE for other in second
    )


def _partners(words: Sequence[OcrWord], second: Sequence[SecondWord]) -> dict[int, SecondWord]:
    """For each word by its place in the page the second reader's word in the same spot, each used once."""
    pairs = []
    for index, word in enumerate(words):
        for place, other in enumerate(second):
            share = _across(word.box, other.box)
            if share > _SAME_PLACE and _down(word.box, other.box) > _SAME_LINE:
                pairs.append((share, index, place))
    found: dict[int, SecondWord] = {}
    used: set[int] = set()
    for _, index, place in sorted(pairs, reverse=True):
        if index not in found and place not in used:
            found[index] = second[place]
            used.add(place)
    return found


def _stands_in(one: Box, other: Box) -> bool:
    return other.left <= (one.left + one.right) / 2 < other.right and _down(one, other) > _SAME_LINE


def _across(one: Box, other: Box) -> float:
    """What both cover of the width that they cover together."""
    shared = min(one.right, other.right) - max(one.left, other.left)
    return max(shared, 0) / (max(one.right, other.right) - min(one.left, other.left))


def _down(one: Box, other: Box) -> float:
    """What both cover of the lower one's height."""
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(shared, 0) / min(one.bottom - one.top, other.bottom - other.top)
