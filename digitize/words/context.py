"""Words mended by their context: the same letters with the marks that official Vietnamese puts there.

Tesseract loses accents and is sure of itself: "QUYÉT" for QUYẾT, "kiêm tra" for kiểm tra. Both are syllables, so only
the words around tell them apart. For each word the syllables with the same letters are weighed: how likely they are
there (`digitize.words.language`), against how likely what was read is a misreading of them. A word is changed only when
that is plain; a name, a number or a symbol never is. What was read first stays with the word.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from digitize.types import Repair
from digitize.words.language import BREAK, UNSEEN, official, token_of, tokens
from digitize.words.misreadings import SELDOM, marks
from digitize.words.vietnamese import one_tone_style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from digitize.types import OcrPage, OcrWord
    from digitize.words.language import Language

#: How much likelier, in natural logarithms, a change must make a line, with its cost paid.
MARGIN = 1.0
#: More where a mistake is worse: a capital may begin a name, and a heading has little context.
_MARGIN_CAPITAL = 2.0

# What a misreading costs, natural logarithms, letter by letter. A tone on a letter with a mark of its own is lost or
# mistaken first (tổ, kiểm, chất); marks that nobody printed are rare.
_MISREAD = 2.5
_MISREAD_SURE = 1.5  # more where Tesseract was quite sure, less where it doubted
_STACKED, _LOST, _CHANGED, _GAINED = 0.5, 1.5, 2.0, 3.5
_SELDOM = 3.0  # more where a mark that was printed, or none, is hardly ever read so
_MOST_CANDIDATES = 12
_REMEMBERED = 16384  # the same pairs of syllables come up page after page
_DEAREST = 14.0
_CORE = re.compile(r"^(\W*)([^\W\d_]+)(\W*)$", re.UNICODE)
#: Words of one letter that aren't labels.
_SINGLE = frozenset("ở ổ ố ồ ỡ ờ ớ ợ à ả á ý ỷ ỳ".split())  # noqa: SIM905
#: After these a person is named.
_BEFORE_A_NAME = frozenset(
    "ông bà anh chị em cháu cụ tên tá úy tướng sĩ sỹ đồng_chí luật_sư thẩm_phán kiểm_sát_viên".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class _Slot:
    """One place in the line: what was read, and what it may have been, as numbers of the model with their costs."""

    read: int
    numbers: tuple[int, ...]
    costs: tuple[float, ...]
    word: int = -1
    margin: float = 0.0


def mended(page: OcrPage, *, language: Language | None = None) -> OcrPage:
    """The page with accents put right where context leaves no doubt; see the module.

    Words that were repaired before, or that a pen wrote, are left alone.
    """
    model = language or official()
    words = list(page.words)
    for _, indices in groupby(range(len(words)), key=lambda i: words[i].block):
        for index, text in _changes(words, list(indices), model):
            words[index] = replace(words[index], text=text, raw=words[index].text, repair=Repair.CONTEXT)
    return replace(page, words=tuple(words))


def _changes(words: Sequence[OcrWord], indices: Sequence[int], model: Language) -> Iterator[tuple[int, str]]:
    slots = list(_slots(words, indices, model))
    best = _best_path(slots, model)
    for run in _runs(slots, best):
        while run:
            gains = {place: _gain(slots, best, [place], model) - slots[place].margin for place in run}
            gains |= dict.fromkeys((place for place in run if not _is_backed(slots, best, place, model)), -np.inf)
            worst = min(run, key=gains.__getitem__)
            if gains[worst] > 0:
                break
            best[worst] = slots[worst].read
            run.remove(worst)
        # Words changed together must also be worth it together: each may lean on the other.
        if run and _gain(slots, best, run, model) > max(slots[place].margin for place in run):
            for place in run:
                word = slots[place].word
                yield word, _dressed(words[word].text, model.words[best[place]])


def _is_backed(slots: Sequence[_Slot], best: Sequence[int], place: int, model: Language) -> bool:
    """Whether the change rests on neighbours, and not only on how common a word is.

    The new word was seen beside at least one of them, and beside no fewer than the word that was read.
    """
    beside = [number for number in (best[place - 1], best[place + 1]) if model.is_syllable(number)]
    read = slots[place].read
    if not beside:
        return False
    before, after = model.is_syllable(best[place - 1]), model.is_syllable(best[place + 1])

    def backing(number: int) -> int:
        left = before and model.seen(best[place - 1], number)
        return left + (after and model.seen(number, best[place + 1]))

    return backing(best[place]) >= max(1, backing(read) if model.is_syllable(read) else 0)


def _runs(slots: Sequence[_Slot], best: Sequence[int]) -> list[list[int]]:
    """The places that changed; those that stand in one another's context together."""
    runs: list[list[int]] = []
    for place, slot in enumerate(slots):
        if best[place] == slot.read:
            continue
        if runs and place - runs[-1][-1] <= 2:  # noqa: PLR2004  triples
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _slots(words: Sequence[OcrWord], indices: Sequence[int], model: Language) -> Iterator[_Slot]:
    start = model.number(BREAK)
    yield _Slot(start, (start,), (0.0,))
    yield _Slot(start, (start,), (0.0,))
    for position, index in enumerate(indices):
        parts = _CORE.match(words[index].text)
        if not parts:
            for token in tokens(words[index].text):
                yield _fixed(token, model)
            continue
        before, core, after = parts.groups()
        for token in tokens(before):
            yield _fixed(token, model)
        margin = _allowed(words, indices, position, core, model)
        if margin is None:
            yield _fixed(token_of(core), model)
        else:
            yield _choice(words[index], index, core, margin, model)
        for token in tokens(after):
            yield _fixed(token, model)
    yield _Slot(start, (start,), (0.0,))
    yield _Slot(start, (start,), (0.0,))


def _fixed(token: str, model: Language) -> _Slot:
    number = model.number(token)
    return _Slot(number, (number,), (0.0,))


def _allowed(
    words: Sequence[OcrWord], indices: Sequence[int], position: int, core: str, model: Language
) -> float | None:
    """The margin a change of this word must pass, or None where it must not be changed."""
    word = words[indices[position]]
    if word.repair or word.by_pen or len(core) > 7:  # noqa: PLR2004  nghiêng
        return None
    if len(core) == 1 and (word.text != core or token_of(core) not in _SINGLE):
        return None  # a label of a list, or somebody's initial
    if core.islower():
        return MARGIN
    neighbours = [words[i] for i in indices[max(0, position - 1) : position + 2]]
    if _mostly_upper(core):
        return _MARGIN_CAPITAL if any(_mostly_upper(n.text) for n in neighbours if n is not word) else None
    if not (core[0].isupper() and core[1:].islower()):
        return None
    return None if _names_somebody(words, indices, position, model) else _MARGIN_CAPITAL


def _mostly_upper(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return sum(map(str.isupper, letters)) >= max(2, len(letters) - 1) and letters[0].isupper()


def _names_somebody(words: Sequence[OcrWord], indices: Sequence[int], position: int, model: Language) -> bool:
    """Whether a capitalised word may be of a name.

    It isn't where it begins an official term such as Ủy ban, or a sentence whose next word is written small.
    """
    here = position
    while here > 0 and words[indices[here - 1]].text[:1].isupper() and words[indices[here - 1]].text[-1:].isalpha():
        here -= 1
    previous = words[indices[here - 1]].text if here > 0 else "."
    if token_of(previous.strip(".,:;()") or ".") in _BEFORE_A_NAME:
        return True
    own = words[indices[position]].text
    after = _CORE.match(words[indices[position + 1]].text) if position + 1 < len(indices) else None
    if not after or not own[-1:].isalpha():
        return True
    if here == position and previous[-1] in ".;:" and after[2].islower():
        return False
    begins = model.alike(token_of(own.lstrip("(“\"'-")))
    return not any(f"{model.words[number]} {token_of(after[2])}" in model.phrases for number in begins)


def _choice(word: OcrWord, index: int, core: str, margin: float, model: Language) -> _Slot:
    token = one_tone_style(core.lower())
    known = token in model.number_of
    read = model.number_of[token if known else UNSEEN]
    numbers, costs = [read], [0.0]
    for number in model.alike(token):
        if number == read:
            continue
        cost = _cost(token, model.words[number], word.confidence, known=known)
        if cost <= _DEAREST:
            numbers.append(number)
            costs.append(cost)
    order = sorted(range(len(numbers)), key=costs.__getitem__)[:_MOST_CANDIDATES]
    return _Slot(read, tuple(numbers[i] for i in order), tuple(costs[i] for i in order), index, margin)


def _cost(read: str, true: str, confidence: float, *, known: bool) -> float:
    """How unlikely `true` is read as `read`, as a negative natural logarithm."""
    cost = _cost_of_marks(read, true)
    if known:
        cost += _MISREAD + _MISREAD_SURE * (min(confidence, 97.0) - 80.0) / 17.0
    return max(cost, 0.5)


@lru_cache(_REMEMBERED)
def _cost_of_marks(read: str, true: str) -> float:
    cost = 0.0
    for letter, true_letter in zip(read, true, strict=False):
        if letter == true_letter:
            continue
        (own, tone), (true_own, true_tone) = marks(letter), marks(true_letter)
        if own != true_own:
            cost += _LOST if not own else _GAINED if not true_own else _CHANGED
        if tone != true_tone:
            cost += _STACKED if true_own and true_tone else _GAINED if not true_tone else _CHANGED
            cost += _SELDOM if true_own and (true_tone, tone) in SELDOM else 0.0
    return cost


def _best_path(slots: Sequence[_Slot], model: Language) -> list[int]:
    """The likeliest choice in every slot: Viterbi over pairs of neighbours."""
    numbers = [np.asarray(slot.numbers, np.int64) for slot in slots]
    likely = _likelihoods(numbers, model)
    score = np.zeros((len(numbers[0]), len(numbers[1])))
    back: list[NDArray[np.int64]] = []
    for place in range(2, len(slots)):
        step = score[:, :, None] - np.asarray(slots[place].costs)
        if place in likely:
            step = step + likely[place]
        back.append(step.argmax(axis=0))
        score = step.max(axis=0)
    left, right = (int(i) for i in np.unravel_index(score.argmax(), score.shape))
    path = [right, left]
    for place in range(len(slots) - 1, 1, -1):
        path.append(int(back[place - 2][path[-1], path[-2]]))
    path.reverse()
    return [int(numbers[place][choice]) for place, choice in enumerate(path)]


def _likelihoods(numbers: Sequence[NDArray[np.int64]], model: Language) -> dict[int, NDArray[np.float64]]:
    """By the place of its last slot the logarithms of all triples there, where there is a choice; in one look-up."""
    columns: tuple[list[NDArray[np.int64]], ...] = ([], [], [])
    shapes: dict[int, tuple[int, ...]] = {}
    for place in range(2, len(numbers)):
        three = numbers[place - 2 : place + 1]
        one, two, last = shape = tuple(map(len, three))
        if one * two * last > 1:
            shapes[place] = shape
            columns[0].append(three[0].repeat(two * last))
            columns[1].append(np.tile(three[1].repeat(last), one))
            columns[2].append(np.tile(three[2], one * two))
    if not shapes:
        return {}
    found = model.log_p(*map(np.concatenate, columns))
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    parts = np.split(found, ends[:-1])
    return {place: part.reshape(shape) for (place, shape), part in zip(shapes.items(), parts, strict=True)}


def _gain(slots: Sequence[_Slot], best: Sequence[int], places: Sequence[int], model: Language) -> float:
    """How much likelier the line is with the changes at these places than without, their cost paid."""
    without = list(best)
    for place in places:
        without[place] = slots[place].read
    ends = range(places[0], min(places[-1] + 3, len(slots)))
    both = np.asarray([[[path[end - 2], path[end - 1], path[end]] for end in ends] for path in (best, without)])
    likely = model.log_p(both[..., 0], both[..., 1], both[..., 2]).sum(axis=1)
    cost = sum(slots[place].costs[slots[place].numbers.index(best[place])] for place in places)
    return float(likely[0] - likely[1]) - cost


def _dressed(text: str, syllable: str) -> str:
    """The syllable in the case and punctuation of what was read, and in its habit of placing the tone."""
    before, core, after = (part for match in _CORE.finditer(text) for part in match.groups())
    if _mostly_upper(core):
        syllable = syllable.upper()
    elif core[0].isupper():
        syllable = syllable.capitalize()
    return before + syllable + after
