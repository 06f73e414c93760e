"""How likely each word of a reading is wrong, from all that is known of it and not from the reader's confidence alone.

Tesseract is sure of more than half of its mistakes: the lost accent makes another syllable. What gives them away is
the company they keep. A word is weighed by the reader's doubt, by spelling, by how official Vietnamese goes on around
it and whether another of the same letters, of those that are easily misread so, would go on better, by two readings
that differ, by what no word or number is made of, by a full stop inside a sentence, by signs that no word has round it,
by a capital where print has none, and by the doubt about its neighbours. What belongs to a name is weighed apart, since
prose says little of names. The weights are those of a logistic fit (`bench/risk.py`), so the number is about a
probability; each feature is a plain reason.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from digitize.types import Repair
from digitize.words import figures, misreadings, names, punctuation
from digitize.words.language import BREAK, OTHER, UNSEEN, official, tokens
from digitize.words.syllables import is_syllable
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitize.types import OcrPage, OcrWord
    from digitize.words.language import Language

#: What speaks against a word, each from 0 to 1, with its weight in natural logarithms of the odds.
WEIGHTS = {
    "doubted": 3.4,
    "much_doubted": 1.6,
    "misspelt": 1.0,
    "unheard_of": 2.4,
    "surprising": 1.2,
    "better_otherwise": 11.0,
    "name_otherwise": 7.8,
    "two_readings": 0.7,
    "by_pen": 2.1,
    "mixed": 5.3,
    "doubted_beside": 1.2,
    "signs": 4.0,
    "stop_amiss": 8.5,
    "colon": 3.8,
    "odd_signs": 6.4,
    "odd_case": 0.7,
}
BIAS = -6.6
FEATURES = tuple(WEIGHTS)

#: From here on a person should look: on pages with up to 3 wrong words of a hundred these are 5% of the words and hold
#: 92% of the wrong ones, on other texts, type and damage 81%; the 2% below 80% confidence hold 40 to 45%.
RISKY = 0.05
#: From so many words of a hundred expected to be wrong a person should read the whole page. Of 163 pages with up to 3
#: wrong 6 measure as much; of 16 with 4.4 and more all do.
DIRTY_WER = 3.0
#: Fewer expected wrong than this are looked at one by one, however short the page.
_FEW = 2.0

# Possessive throughout: "&" both parts and belongs, and a token of nothing else would be tried in all its partings.
_SYMBOL = re.compile(r"(?:\d+[a-z]?/)*+[A-ZĐ][A-Za-zĐđ]*+(?:[-/.&][A-ZĐ0-9&]++[A-Za-z]*+)++|[A-ZĐ]{2,7}\d{0,2}")
_NUMBER = re.compile(
    r"[\d.,/:%-]+|\d{1,2}[A-ZĐ]\d{1,2}|[Kk]m\d+\+\d+|\d+[a-zđ²³]{1,2}|[IVXLC]+|\d{1,3}/\d{4}/[A-ZĐ]+(?:-[A-ZĐ]+)*"
)
_SHORTHAND = re.compile(r"[^\W\d_]/[a-zđ]")  # V/v, b/c
_FOREIGN = re.compile(r"[^\W\d_a-zA-ZÀ-ÃÈ-ÊÌÍÒ-ÕÙÚÝà-ãè-êìíò-õùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ]")
_DASHES = frozenset("-–—")
_NEVER_ABBREVIATED = re.compile(r"[FJWZ]")
_PARTED = re.compile(r"[-/]")
_VOWEL = re.compile(r"[aeiouy]")
_UNITS = frozenset("m mm cm km ha kg kV kW kWh MW".split())  # noqa: SIM905
_DEAREST = 13.0  # two letters with other marks
_WHOLE = 0.6  # a model of three words counts each surprise more than once
_NEVER = 10.0
_NO_NAME = 0.6  # as if another name were likelier
_SURE = 96.0


def assessed(ocr: OcrPage) -> OcrPage:
    """The page with the risk of each word; under 0.01 CPU seconds a page.

    Risk is the chance that the word isn't what stands on the paper, 0 to 1, to three digits.
    """
    if not ocr.words:
        return ocr
    weights = np.array([WEIGHTS[name] for name in FEATURES])
    scores = features(ocr.words) @ weights + BIAS
    risks = 1 / (1 + np.exp(-scores))
    return replace(
        ocr,
        words=tuple(
            replace(word, risk=1.0 if word.by_pen else round(float(risk), 3))
            for word, risk in zip(ocr.words, risks, strict=True)
        ),
    )


def expected_wer(ocr: OcrPage) -> float | None:
    """How many of a hundred words are probably wrong, by their risks; None before they were assessed.

    Words by pen aren't counted: they are asked for one by one however clean the page is.
    """
    risks = [word.risk for word in ocr.words if word.risk is not None and not word.by_pen]
    return 100 * sum(risks) / len(risks) if risks else None


def is_dirty(ocr: OcrPage) -> bool:
    """Whether so much of a page is probably wrong that a person should read the whole of it."""
    expected = expected_wer(ocr) or 0.0
    read = sum(word.risk is not None and not word.by_pen for word in ocr.words)
    return expected >= DIRTY_WER and expected / 100 * read >= _FEW


def features(words: Sequence[OcrWord], model: Language | None = None) -> NDArray[np.float64]:
    """What speaks against each word, shape (words, len(FEATURES)), from 0 to 1; words in reading order."""
    surprise, better = _in_context(words, model or official())
    named = np.array([names.is_part(words, index) for index in range(len(words))], dtype=float)
    better = np.maximum(better, [_NO_NAME * names.is_misspelt(words, index) for index in range(len(words))])
    doubts = np.array([min(max((_SURE - word.confidence) / 16, 0.0), 1.0) for word in words])
    beside = np.convolve(doubts, [0.25, 0.25, 0.0, 0.25, 0.25], mode="same")[: len(words)]
    rows = []
    for index, word in enumerate(words):
        core = punctuation.core(word.text)
        is_symbol = bool(core and (_SYMBOL.fullmatch(core) or _NUMBER.fullmatch(core)))
        letters = [letter for letter in core if letter.isalpha()]
        digits = sum(letter.isdigit() for letter in core)
        plain = bool(letters) and not digits and not is_symbol and not _is_known(core)
        misspelt = plain and not all(is_syllable(part) for part in _PARTED.split(core) if part)
        rows.append(
            (
                doubts[index],
                min(max((80 - word.confidence) / 80, 0.0), 1.0),
                float(misspelt),
                float(plain and _is_unheard_of(core, model)),
                surprise[index] * (1 - named[index]),
                better[index] * (1 - named[index]),
                better[index] * named[index],
                float(word.repair is Repair.SECOND_OPINION),
                float(word.by_pen),
                float(
                    (bool(letters and digits) and not is_symbol)
                    or _is_no_word(core, misspelt=misspelt)
                    or punctuation.is_stray_letter(words, index)
                    or (bool(digits) and figures.is_odd(words, index))
                ),
                beside[index],
                float(not core and word.text not in _DASHES),
                float(punctuation.stops_amiss(words, index)),
                float(punctuation.is_doubtful_colon(words, index)),
                float(punctuation.has_odd_signs(word.text)),
                float(punctuation.has_odd_case(words, index)),
            )
        )
    return np.array(rows, dtype=np.float64)


def _is_known(core: str) -> bool:
    """Whether a token that need be no syllable is known all the same: shorthand, a unit, a letter, part of a name."""
    if _SHORTHAND.fullmatch(core) or core in _UNITS:
        return True
    return core[0].isupper() and (len(core) == 1 or names.is_known(core))


def _is_no_word(core: str, *, misspelt: bool) -> bool:
    """A letter of another alphabet than ours, one that no abbreviation has, or no vowel in what should be a word."""
    if core.isupper() and len(core) > 1 and _NEVER_ABBREVIATED.search(core):
        return True
    return _FOREIGN.search(core) is not None or (misspelt and not core.isupper() and not _VOWEL.search(fold(core)))


def _is_unheard_of(core: str, model: Language | None = None) -> bool:
    """Whether official prose never had this word."""
    known = (model or official()).number_of
    return any(token not in known for token in tokens(core))


def _in_context(words: Sequence[OcrWord], model: Language) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How surprising each word is where it stands, and how likely it is another of the same letters, misread."""
    stream: list[int] = [model.number(BREAK)] * 2
    place: list[int] = []  # of each word its first token that says something
    said: list[str] = []
    last_block = None
    for word in words:
        if last_block is not None and word.block != last_block:
            stream += [model.number(BREAK)] * 2
        last_block = word.block
        found = tokens(word.text) or [OTHER]
        main = next((i for i, token in enumerate(found) if token[0].isalpha()), 0)
        place.append(len(stream) + main)
        said.append(found[main])
        stream += [_number(token, model) for token in found]
    stream += [model.number(BREAK)] * 2
    line = np.array(stream, dtype=np.int64)
    at = np.array(place, dtype=np.int64)
    own = _around(line, at, line[at], model)
    others = [
        (index, other, cost)
        for index, token in enumerate(said)
        if token[0].isalpha()
        for other in model.alike(token)
        if model.words[other] != token and (cost := misreadings.cost(model.words[other], token)) <= _DEAREST
    ]
    odds = np.full(len(words), math.exp(-_NEVER))
    if others:
        of, instead = (np.array([row[column] for row in others], dtype=np.int64) for column in (0, 1))
        gain = _WHOLE * (_around(line, at[of], instead, model) - own[of]) - [cost for _, _, cost in others]
        np.add.at(odds, of, np.exp(np.minimum(gain, _NEVER)))
    surprise = np.clip((-own / 3 - 4) / 8, 0, 1)
    return surprise, np.clip((np.log(odds) + 8) / 14, 0, 1)


def _number(token: str, model: Language) -> int:
    """A token's number; a word that was never seen is no mere sign."""
    return model.number_of.get(token, model.number(UNSEEN if is_syllable(token) else OTHER))


def _around(
    line: NDArray[np.int64], at: NDArray[np.int64], here: NDArray[np.int64], model: Language
) -> NDArray[np.float64]:
    """Log-likelihood of `here` at `at`, and of the two tokens after it given `here`."""
    one, two, after, then = line[at - 2], line[at - 1], line[at + 1], line[at + 2]
    return np.asarray(model.log_p(one, two, here) + model.log_p(two, here, after) + model.log_p(here, after, then))
