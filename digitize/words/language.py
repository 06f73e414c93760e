"""A small language model of official Vietnamese: how likely a syllable is after the two before it.

Counts of syllables, pairs and triples, smoothed by absolute discounting. The file holds counts and nothing else, sorted
and as differences, so it stays small; `scripts/build_language.py` makes it, the decision record says from what.
"""

from __future__ import annotations

import functools
import json
import re
import zlib
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from digitize.words.vietnamese import fold, one_tone_style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

FILE = "official.hslm"
#: What isn't a syllable: where a sentence breaks, a number, anything else; and a syllable that was never seen.
BREAK, COMMA, NUMBER, OTHER, UNSEEN = "<s>", ",", "<n>", "<x>", "<u>"
MARKS = (BREAK, COMMA, NUMBER, OTHER, UNSEEN)
_DISCOUNT = 0.75
_TOKEN = re.compile(r"[^\W\d_]+|\d[\d.,/-]*|[^\w\s]", re.UNICODE)


class Language:
    """The model in memory: about 10 MB. Immutable once made."""

    def __init__(
        self, words: Sequence[str], one: NDArray[np.int64], pairs: Counts, triples: Counts, phrases: frozenset[str]
    ) -> None:
        self.words = tuple(words)
        self.number_of = {word: index for index, word in enumerate(self.words)}
        self.phrases = phrases
        self._size = len(self.words)
        self._pairs, self._triples = pairs, triples
        # A word never seen still has a share, so that nothing is impossible.
        self._one = np.log((one + 0.5) / (one.sum() + 0.5 * self._size))
        self._after_one = _shares(pairs, self._size, self._size)
        self._after_two = _shares(triples, self._size, len(pairs.keys))
        self._alike: dict[str, list[int]] = {}
        # No word has a blank in it: folded in one go, a tenth of the time.
        for index, letters in enumerate(fold(" ".join(self.words)).split(" ")):
            if self.words[index] not in MARKS:
                self._alike.setdefault(letters, []).append(index)

    def alike(self, word: str) -> list[int]:
        """Numbers of the known syllables with the same letters, whatever their marks."""
        return self._alike.get(fold(word), [])

    def number(self, token: str) -> int:
        """A token's number; an unknown one counts as `OTHER`."""
        return self.number_of.get(token, self.number_of[OTHER])

    def log_p(self, first: Numbers, second: Numbers, third: Numbers) -> NDArray[np.float64]:
        """Natural logarithm of P(third | first, second), element by element; the three arrays are of one shape."""
        pair = first * self._size + second
        lowest = self._one[third]
        after_one = self._interpolated(second * self._size + third, second, self._pairs, self._after_one, lowest)
        known, at = _found(self._pairs.keys, pair)
        context = np.where(known, at, 0)
        mixed = self._interpolated(context * self._size + third, context, self._triples, self._after_two, after_one)
        return np.where(known, mixed, after_one)

    def seen(self, first: int, second: int) -> bool:
        """Whether two syllables were ever seen beside each other."""
        key = first * self._size + second
        place = int(self._pairs.keys.searchsorted(key))
        return place < len(self._pairs.keys) and int(self._pairs.keys[place]) == key

    def is_syllable(self, number: int) -> bool:
        """Whether a number stands for a syllable, not for a sign."""
        return number >= len(MARKS)

    def _interpolated(
        self,
        key: NDArray[np.int64],
        context: NDArray[np.int64],
        counts: Counts,
        shares: tuple[NDArray[np.float64], NDArray[np.float64]],
        lower: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        total, left_over = (share[context] for share in shares)
        known, at = _found(counts.keys, key)
        own = np.where(known, np.maximum(counts.counts[at] - _DISCOUNT, 0), 0.0)
        heard = total > 0
        mixed = (own + left_over * np.exp(lower)) / np.where(heard, total, 1.0)
        return np.asarray(np.where(heard, np.log(np.maximum(mixed, 1e-300)), lower))


class Counts:
    """Sorted keys and how often each was seen."""

    def __init__(self, keys: NDArray[np.int64], counts: NDArray[np.float64]) -> None:
        self.keys, self.counts = keys, counts


def tokens(text: str) -> list[str]:
    """The text as the model sees it: small syllables in one habit of tone marks, and signs for the rest.

    >>> tokens("Điều 1. Hoà giải; UBND")
    ['điều', '<n>', 'hòa', 'giải', '<s>', 'ubnd']
    """
    return [token_of(piece) for piece in _TOKEN.findall(text)]


@functools.lru_cache(16384)
def token_of(piece: str) -> str:
    """One word, number or sign as the model sees it."""
    if piece[0].isdigit():
        return NUMBER
    if piece[0].isalpha():
        return one_tone_style(piece.lower())
    if piece == ",":
        return COMMA
    return BREAK if piece in ".;:?!" else OTHER


@functools.cache
def official() -> Language:
    """The model that is shipped, read once a process: under 0.2 s."""
    return unpacked(resources.files("digitize").joinpath("data", FILE).read_bytes())


def packed(
    words: Sequence[str],
    one: Mapping[int, int],
    pairs: Mapping[int, int],
    triples: Mapping[int, int],
    phrases: set[str],
) -> bytes:
    """The file's bytes; the same counts always give the same bytes. Triples are keyed by their pair's place."""
    head = {"format": 1, "words": list(words), "phrases": sorted(phrases)}
    parts = [json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()]
    parts.append(np.asarray([min(one.get(i, 0), 2**31 - 1) for i in range(len(words))], "<u4").tobytes())
    for counts in (pairs, triples):
        keys = np.asarray(sorted(counts), np.int64)
        parts.append(_split(np.diff(keys, prepend=0)))
        parts.append(np.asarray([min(counts[int(key)], 255) for key in keys], np.uint8).tobytes())
    return b"".join(len(part).to_bytes(4, "little") + part for part in (zlib.compress(part, 9) for part in parts))


def unpacked(data: bytes) -> Language:
    """What `packed` made."""
    parts, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        parts.append(zlib.decompress(data[at + 4 : at + 4 + size]))
        at += 4 + size
    head = json.loads(parts[0])
    one = np.frombuffer(parts[1], "<u4").astype(np.int64)
    pairs, triples = (
        Counts(np.cumsum(_joined(parts[i])), np.frombuffer(parts[i + 1], np.uint8).astype(np.float64)) for i in (2, 4)
    )
    return Language(head["words"], one, pairs, triples, frozenset(head["phrases"]))


def _split(numbers: NDArray[np.int64]) -> bytes:
    """Lowest bytes first, then the next, and so on: bytes of one rank resemble each other and pack better."""
    return numbers.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :5].T.tobytes()


def _joined(data: bytes) -> NDArray[np.int64]:
    ranks = np.frombuffer(data, np.uint8).reshape(5, -1)
    numbers = np.zeros((ranks.shape[1], 8), np.uint8)
    numbers[:, :5] = ranks.T
    return numbers.view("<i8").ravel().astype(np.int64, copy=False)


def _found(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    at = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    return keys[at] == wanted, at


def _shares(counts: Counts, size: int, contexts: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each context how often it was seen, and what is left over for words not seen after it."""
    context = counts.keys // size
    total = np.bincount(context, counts.counts, contexts).astype(np.float64)
    left_over = np.bincount(context, np.minimum(counts.counts, _DISCOUNT), contexts).astype(np.float64)
    return total, left_over
