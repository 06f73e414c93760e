"""A doubtful page's words weighed against a second reading of the same picture.

The second reader errs more often than Tesseract on the whole, and elsewhere: where the two differ, spelling and both
sureties decide, word by word. Every word that changes keeps its first reading. A number, a symbol or a capitalised word
on which they differ is marked for a person, whichever of the two stands.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from difflib import SequenceMatcher
from statistics import median
from typing import TYPE_CHECKING

from digitize.recognition.hocr import mean_confidence
from digitize.types import Box, Repair
from digitize.words.syllables import is_syllable
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
_DUST_LETTERS = 2  # letters, at most, that dust is read as
_EDGES = re.compile(r"^([\W_]*+)((?:.*[^\W_])?)([\W_]*)$", re.DOTALL)
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
    - Marks round a word that only Tesseract saw, and dust that it read as a word, go where it was in doubt. Before and
      after a number a mark may be a sign: it stays, and is no longer sure.
    - Words that differ otherwise stay as they were. Numbers and capitalised words among them lose confidence.

    Args:
        page: As Tesseract read it.
        second: The other reading, boxes in the same pixels; empty when there was none.
    """
    if not second:
        return page
    rows = _Rows(second)
    partners = _partners(page.words, rows)
    words: list[OcrWord] = []
    for index, word in enumerate(page.words):
        partner = partners.get(index)
        if partner is not None:
            words.append(_decided(word, partner))
        else:
            beside = [other for _, other in rows.beside(word.box)]
            inside = [other for other in beside if _stands_in(other.box, word.box)]
            parts = _apart(word, sorted(inside, key=lambda other: other.box.left))
            if parts or not _is_dust(word, beside):
                words.extend(parts or [word])
    return replace(page, words=tuple(words), mean_confidence=mean_confidence(tuple(words)))


def _decided(word: OcrWord, other: SecondWord) -> OcrWord:
    mine, theirs = _core(word.text), _core(other.text)
    if mine == theirs:
        text = _with_fewer_marks(word, other)
        if text == word.text:
            return word
        if _is_number(mine):  # "-5", "12%": a mark lost there is another number
            return replace(word, confidence=min(word.confidence, DIFFERING))
        return replace(word, text=text, raw=_read_first(word, text), repair=Repair.SECOND_OPINION)
    if _gives_way(word, mine, other, theirs):
        confidence = min(other.confidence, DIFFERING)
        raw = _read_first(word, other.text)
        return replace(word, text=other.text, raw=raw, repair=Repair.SECOND_OPINION, confidence=confidence)
    if _must_be_shown(mine) or _must_be_shown(theirs):
        return replace(word, confidence=min(word.confidence, DIFFERING))
    return word


def _read_first(word: OcrWord, text: str) -> str:
    """What is kept beside a new text: the reading before all others, unless that is what it is again."""
    return word.raw if word.raw and word.raw != text else word.text


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


def _is_dust(word: OcrWord, beside: Sequence[SecondWord]) -> bool:
    """Whether a doubtful word is nothing but specks: no name, no number and no word of the language goes unseen."""
    return (
        word.confidence < _JUNK_BELOW
        and _may_be_dust(_core(word.text))
        and not any(_across(word.box, other.box) > 0 and _down(word.box, other.box) > _SAME_LINE for other in beside)
    )


def _may_be_dust(core: str) -> bool:
    few = sum(letter.isalnum() for letter in core) <= _DUST_LETTERS
    return few and not is_syllable(core) and not any(letter.isdigit() or letter.isupper() for letter in core)


class _Rows:
    """The second reading by rows: a page of 2,000 words is compared in a moment, and not all with all."""

    def __init__(self, second: Sequence[SecondWord]) -> None:
        self._second = second
        self._height = max(1, round(median(word.box.bottom - word.box.top for word in second)))
        self._rows: dict[int, list[int]] = defaultdict(list)
        for place, word in enumerate(second):
            for row in self._of(word.box):
                self._rows[row].append(place)

    def beside(self, box: Box) -> Iterator[tuple[int, SecondWord]]:
        """The words that may share a part of their height with a box, with their places, in the reader's order."""
        for place in sorted({place for row in self._of(box) for place in self._rows.get(row, ())}):
            yield place, self._second[place]

    def _of(self, box: Box) -> range:
        return range(box.top // self._height, (box.bottom - 1) // self._height + 1)


def _partners(words: Sequence[OcrWord], rows: _Rows) -> dict[int, SecondWord]:
    """For each word by its place in the page the second reader's word in the same spot, each used once."""
    pairs = []
    for index, word in enumerate(words):
        for place, other in rows.beside(word.box):
            share = _across(word.box, other.box)
            if share > _SAME_PLACE and _down(word.box, other.box) > _SAME_LINE:
                pairs.append((share, index, place, other))
    found: dict[int, SecondWord] = {}
    used: set[int] = set()
    for _, index, place, other in sorted(pairs, key=lambda pair: pair[:3], reverse=True):
        if index not in found and place not in used:
            found[index] = other
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
