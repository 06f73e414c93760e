"""What a reading got wrong on a page whose text is known: how many words, of which kind, and which names and numbers.

The parts of a page (two columns of the head, body, recipients, signature) may be read in any sensible order: the order
that scores best is taken, for every reader alike.
"""

from __future__ import annotations

import itertools
import re
import sys
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rapidfuzz.distance import Levenshtein

from digitize.words.vietnamese import fold

KINDS = ("tone", "letters", "digits", "junk", "missing", "spacing", "punctuation")


@dataclass
class Errors:
    """Words and letters wrong on one page or many, and which words of the truth were read right."""

    words: int = 0
    letters: int = 0
    word_errors: int = 0
    letter_errors: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    pairs: list[tuple[str, str, str]] = field(default_factory=list)
    right: set[int] = field(default_factory=set)

    def add(self, other: Errors) -> None:
        self.words += other.words
        self.letters += other.letters
        self.word_errors += other.word_errors
        self.letter_errors += other.letter_errors
        self.kinds += other.kinds
        self.pairs += other.pairs

    @property
    def wer(self) -> float:
        return 100 * self.word_errors / self.words

    @property
    def cer(self) -> float:
        return 100 * self.letter_errors / self.letters


def truth_words(parts: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: " ".join(lines).split() for name, lines in parts.items()}


def score(read: str, parts: dict[str, list[str]]) -> Errors:
    """Compare a reading with the page's parts. `right` counts through left, right, body, recipients, sign."""
    said = unicodedata.normalize("NFC", read).split()
    words = truth_words(parts)
    starts = dict(zip(words, itertools.accumulate([0, *map(len, words.values())]), strict=False))
    order = _order(parts, starts, said)
    chosen = [word for word, _ in order]
    errors = Errors(words=len(chosen), letters=len(" ".join(chosen)))
    errors.letter_errors = Levenshtein.distance(" ".join(chosen), " ".join(said))
    _count(chosen, said, [place for _, place in order], errors)
    return errors


def _order(parts: dict[str, list[str]], starts: dict[str, int], said: list[str]) -> list[tuple[str, int]]:
    """The words of the truth with their places, lines of two columns merged as they were read."""

    def rows(name: str) -> list[list[tuple[str, int]]]:
        at, found = starts[name], []
        for line in parts[name]:
            found.append([(word, at + i) for i, word in enumerate(line.split())])
            at += len(found[-1])
        return found

    def merged(first: list[list[tuple[str, int]]], second: list[list[tuple[str, int]]]) -> list[list[tuple[str, int]]]:
        orders = []
        for chosen in itertools.combinations(range(len(first) + len(second)), len(first)):
            one, other = iter(first), iter(second)
            lines = [next(one) if i in chosen else next(other) for i in range(len(first) + len(second))]
            orders.append([word for line in lines for word in line])
        return orders

    body = [word for line in rows("body") for word in line]
    heads, feet = merged(rows("left"), rows("right")), merged(rows("recipients"), rows("sign"))
    head = min(heads, key=lambda head: Levenshtein.distance([word for word, _ in head + body], said))
    foot = min(feet, key=lambda foot: Levenshtein.distance([word for word, _ in head + body + foot], said))
    return head + body + foot


def _count(truth: list[str], said: list[str], places: list[int], errors: Errors) -> None:
    pieces = Levenshtein.opcodes(truth, said)
    for piece in pieces:
        wanted, got = truth[piece.src_start : piece.src_end], said[piece.dest_start : piece.dest_end]
        if piece.tag == "equal":
            errors.right.update(places[piece.src_start : piece.src_end])
    errors.word_errors = Levenshtein.distance(truth, said)
    for wanted, got in _runs(truth, said):
        if wanted and "".join(wanted) == "".join(got):
            errors.kinds["spacing"] += max(len(wanted), len(got))
            continue
        for one, other in itertools.zip_longest(*_paired(wanted, got), fillvalue=""):
            kind = kind_of(one, other)
            errors.kinds[kind] += 1
            errors.pairs.append((kind, one, other))


def _runs(truth: list[str], said: list[str]) -> list[tuple[list[str], list[str]]]:
    """Neighbouring differences together."""
    runs: list[tuple[list[str], list[str]]] = []
    last = (-1, -1)
    for tag, a, b, c, d in Levenshtein.opcodes(truth, said).as_list():
        if tag == "equal":
            continue
        if (a, c) == last:
            runs[-1] = (runs[-1][0] + truth[a:b], runs[-1][1] + said[c:d])
        else:
            runs.append((truth[a:b], said[c:d]))
        last = (b, d)
    return runs


def _paired(wanted: list[str], got: list[str]) -> tuple[list[str], list[str]]:
    """Words that resemble each other opposite each other, "" where there is none."""
    left, right = [], []
    i = j = 0
    while i < len(wanted) or j < len(got):
        if len(wanted) - i == len(got) - j or i >= len(wanted) or j >= len(got):
            left.append(wanted[i] if i < len(wanted) else "")
            right.append(got[j] if j < len(got) else "")
            i, j = i + 1, j + 1
        elif len(wanted) - i > len(got) - j:
            alike = [_alike(wanted[k], got[j]) for k in range(i, len(wanted) - (len(got) - j) + 1)]
            skip = alike.index(max(alike))
            for _ in range(skip):
                left.append(wanted[i])
                right.append("")
                i += 1
            left.append(wanted[i])
            right.append(got[j])
            i, j = i + 1, j + 1
        else:
            alike = [_alike(wanted[i], got[k]) for k in range(j, len(got) - (len(wanted) - i) + 1)]
            skip = alike.index(max(alike))
            for _ in range(skip):
                left.append("")
                right.append(got[j])
                j += 1
            left.append(wanted[i])
            right.append(got[j])
            i, j = i + 1, j + 1
    return left, right


def _alike(one: str, other: str) -> float:
    return Levenshtein.normalized_similarity(fold(one), fold(other))


def kind_of(wanted: str, got: str) -> str:
    """Which of `KINDS` an error is."""
    if not wanted:
        return "junk"
    if not got:
        return "missing"
    if any(letter.isdigit() for letter in wanted):
        return "digits"
    if re.sub(r"\W", "", wanted) == re.sub(r"\W", "", got):
        return "punctuation"
    return "tone" if fold(wanted) == fold(got) else "letters"


def protected(parts: dict[str, list[str]]) -> set[int]:
    """Which words are names or numbers: a digit in it, a signer, or a capital in the middle of a sentence."""
    found, at = set(), 0
    for name, lines in parts.items():
        words = " ".join(lines).split()
        for i, word in enumerate(words):
            before = words[i - 1] if i else "."
            inner = word[:1].isupper() and not word.isupper() and before[-1] not in ".:;-" and i > 0
            if any(c.isdigit() for c in word) or inner or (name == "sign" and not word.isupper()):
                found.add(at + i)
        at += len(words)
    return found
