"""How likely each word of a reading is wrong, from all that is known of it and not from the reader's confidence alone.

Tesseract is sure of more than half of its mistakes: the lost accent makes another syllable. What gives them away is
the company they keep. A word is weighed by the reader's doubt, by spelling, by how official Vietnamese goes on around
it and whether the same letters with other marks would go on better, by two readings that differ, by digits among
letters, by its size on its line, by a full stop inside a sentence, and by the doubt about its neighbours. The weights
are those of a logistic fit (`bench/risk.py`), so the number is about a probability; each feature is a plain reason.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from digitize.types import Repair
from digitize.words.language import BREAK, NUMBER, OTHER, official, tokens
from digitize.words.syllables import is_syllable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitize.types import OcrPage, OcrWord
    from digitize.words.language import Language

#: What speaks against a word, each from 0 to 1, with its weight in natural logarithms of the odds.
WEIGHTS = {
    "doubted": 4.0,
    "much_doubted": 2.0,
    "misspelt": 1.0,
    "unheard_of": 2.0,
    "surprising": 2.5,
    "better_otherwise": 6.0,
    "two_readings": 1.5,
    "by_pen": 6.0,
    "mixed": 3.5,
    "fragment": 0.5,
    "odd_size": 0.8,
    "doubted_beside": 1.0,
    "signs": 0.7,
    "stop_amiss": 4.5,
    "lone_capital": 1.5,
}
BIAS = -6.5
FEATURES = tuple(WEIGHTS)

#: From here on a person should look: on pages with up to 3 wrong words of a hundred these are 5% of the words and hold
#: 81% of the wrong ones; the 1.4% below 80% confidence hold 40%.
RISKY = 0.05
#: From so many words of a hundred expected to be wrong a person should read the whole page. Drawn office scans with up
#: to 3 wrong measure at most 2.4; worn copies with 9 and more measure 3.6 and more.
DIRTY_WER = 3.0
#: Fewer expected wrong than this are looked at one by one, however short the page.
_FEW = 2.0

_LETTER = re.compile(r"\w")
# Possessive throughout: "&" both parts and belongs, and a token of nothing else would be tried in all its partings.
_SYMBOL = re.compile(r"(?:\d+[a-z]?/)*+[A-ZĐ][A-Za-zĐđ]*+(?:[-/.&][A-ZĐ0-9&]++[A-Za-z]*+)++|[A-ZĐ]{2,7}\d{0,2}")
_NUMBER = re.compile(r"[\d.,/:%-]+|\d+[a-zđ²³]{1,2}|[IVXLC]+|\d{1,3}/\d{4}/[A-ZĐ]+(?:-[A-ZĐ]+)*")
_MOST_ALIKE = 12
_SIZE_SLACK = (0.25, 0.5)  # in height, in width for a letter: natural logarithms
_SURE = 96.0


def assessed(ocr: OcrPage) -> OcrPage:
    """The page with the risk of each word; about 0.015 CPU seconds a page.

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
    doubts = np.array([min(max((_SURE - word.confidence) / 16, 0.0), 1.0) for word in words])
    beside = np.convolve(doubts, [0.25, 0.25, 0.0, 0.25, 0.25], mode="same")[: len(words)]
    sizes = _odd_sizes(words)
    rows = []
    for index, word in enumerate(words):
        core = _core(word.text)
        is_symbol = bool(core and (_SYMBOL.fullmatch(core) or _NUMBER.fullmatch(core)))
        letters = [letter for letter in core if letter.isalpha()]
        digits = sum(letter.isdigit() for letter in core)
        plain = bool(letters) and not digits and not is_symbol
        rows.append(
            (
                doubts[index],
                min(max((80 - word.confidence) / 80, 0.0), 1.0),
                float(plain and not all(is_syllable(part) for part in re.split(r"[-/]", core) if part)),
                float(plain and _is_unheard_of(core, model)),
                surprise[index],
                better[index],
                float(word.repair is Repair.SECOND_OPINION),
                float(word.by_pen),
                float(bool(letters and digits and not is_symbol)),
                float(0 < len(core) <= 2 and plain and not is_syllable(core)),  # noqa: PLR2004
                sizes[index],
                beside[index],
                float(not core),
                float(_stops_amiss(words, index)),
                float(_is_lone_capital(words, index)),
            )
        )
    return np.array(rows, dtype=np.float64)


def _stops_amiss(words: Sequence[OcrWord], index: int) -> bool:
    """A stop that the next word denies: "Trung Thành. xã", or a colon where a list's line or a clause ends."""
    word, after = words[index], words[index + 1] if index + 1 < len(words) else None
    small_after = after is not None and after.text[:1].islower()
    if word.text.endswith("."):
        return small_after and not _core(word.text).isupper()
    if not word.text.endswith(":"):
        return False
    first = index
    while first and _line(words[first - 1]) == _line(word):
        first -= 1
    ends_line = after is None or _line(after) != _line(word)
    return small_after or (ends_line and index > first and words[first].text[:1] in "-–•+")


def _is_lone_capital(words: Sequence[OcrWord], index: int) -> bool:
    """A capital between small words of one sentence: "tiềm ẩn nguy Cơ gây"."""
    if not 0 < index < len(words) - 1:
        return False
    before, word, after = words[index - 1], words[index], words[index + 1]
    return bool(
        word.text[:1].isupper()
        and word.text[1:].islower()
        and before.text.islower()
        and before.text[-1].isalpha()
        and after.text[:1].islower()
    )


def _line(word: OcrWord) -> tuple[int, int, int]:
    return word.block, word.paragraph, word.line


def _is_unheard_of(core: str, model: Language | None = None) -> bool:
    """Whether official prose never had this word."""
    known = (model or official()).number_of
    return any(token not in known for token in tokens(core))


def _core(text: str) -> str:
    """The token without the signs round it."""
    first, last = _LETTER.search(text), _LETTER.search(text[::-1])
    return text[first.start() : len(text) - last.start()] if first and last else ""


def _in_context(words: Sequence[OcrWord], model: Language) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How surprising each word is where it stands, and how much better another of the same letters would be there."""
    stream: list[int] = [model.number(BREAK)] * 2
    place: list[int] = []  # of each word its first token that says something
    last_block = None
    for word in words:
        if last_block is not None and word.block != last_block:
            stream += [model.number(BREAK)] * 2
        last_block = word.block
        found = tokens(word.text) or [OTHER]
        main = next((i for i, token in enumerate(found) if token[0].isalpha()), 0)
        place.append(len(stream) + main)
        stream += [model.number(token) for token in found]
    stream += [model.number(BREAK)] * 2
    line = np.array(stream, dtype=np.int64)
    at = np.array(place, dtype=np.int64)
    own = _around(line, at, line[at], model)
    plain = {model.number(mark) for mark in (BREAK, NUMBER, OTHER, ",")}
    pairs = [
        (index, other)
        for index, spot in enumerate(place)
        if stream[spot] not in plain
        for other in model.alike(model.words[stream[spot]])[:_MOST_ALIKE]
        if other != stream[spot]
    ]
    gain = np.zeros(len(words))
    if pairs:
        of, instead = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
        np.maximum.at(gain, of, _around(line, at[of], instead, model) - own[of])
    surprise = np.clip((-own / 3 - 4) / 8, 0, 1)
    return surprise, np.clip(gain / 10, 0, 1)


def _around(
    line: NDArray[np.int64], at: NDArray[np.int64], here: NDArray[np.int64], model: Language
) -> NDArray[np.float64]:
    """Log-likelihood of `here` at `at`, and of the two tokens after it given `here`."""
    one, two, after, then = line[at - 2], line[at - 1], line[at + 1], line[at + 2]
    return np.asarray(model.log_p(one, two, here) + model.log_p(two, here, after) + model.log_p(here, after, then))


def _odd_sizes(words: Sequence[OcrWord]) -> list[float]:
    """How unlike its line's other words a word is in height and in width for its letters."""
    by_line: dict[tuple[int, int, int], list[OcrWord]] = {}
    for word in words:
        by_line.setdefault(_line(word), []).append(word)
    usual = {
        key: (
            float(np.median([w.box.bottom - w.box.top for w in line])),
            float(np.median([(w.box.right - w.box.left) / len(w.text) for w in line])),
        )
        for key, line in by_line.items()
    }
    odd = []
    for word in words:
        height, wide = usual[_line(word)]
        tall = abs(math.log((word.box.bottom - word.box.top) / height))
        width = abs(math.log((word.box.right - word.box.left) / len(word.text) / wide))
        odd.append(min(1.0, max(0.0, tall - _SIZE_SLACK[0]) + max(0.0, width - _SIZE_SLACK[1])))
    return odd
