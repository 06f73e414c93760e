"""What a person types, as words that a search finds: split here, in one place for texts and phrases.

They are given to PostgreSQL as ready vectors. Its own parser takes "157/QĐ-UB" for a file path and "1.001612" for a
version, and what it calls a letter depends on the locale the server was set up with; two texts that a person calls the
same must not differ by that.

Two forms of each word are kept. *Written* keeps accents and letters, but not where a tone mark stands (hoà = hòa), nor
whether đ was typed as the Icelandic ð. *Folded* has no marks at all: "đường" is "duong".
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Letters and digits; a mark that NFC couldn't join to its letter stays with the word.
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+")
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")  # grave, acute, tilde, hook, dot below

# PostgreSQL's limits, kept with room to spare: 16,383 positions and 1 MB of words in a vector.
_WORDS_OF_PAGE = 10_000
MOST_WORDS_OF_PHRASE = 50
_LETTERS_OF_WORD = 32
#: A language has few words: most of those on a page stood on the page before.
_remembered = lru_cache(maxsize=1 << 16)


def words(text: str) -> Iterable[re.Match[str]]:
    """Each word of a text and where it stands in its NFC form."""
    return _WORD.finditer(unicodedata.normalize("NFC", text))


@_remembered
def written_form(word: str) -> str:
    """One word, lower case, its tone mark at the end wherever it was typed."""
    parts = unicodedata.normalize("NFD", word.lower().replace("ð", "đ"))
    tones = "".join(mark for mark in parts if mark in _TONES)
    rest = "".join(mark for mark in parts if mark not in _TONES)
    return (unicodedata.normalize("NFC", rest) + tones)[:_LETTERS_OF_WORD]


@_remembered
def folded_form(word: str) -> str:
    """One word, lower case, without any mark."""
    parts = unicodedata.normalize("NFD", word.lower().replace("ð", "đ").replace("đ", "d"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))[:_LETTERS_OF_WORD]


def written(text: str) -> list[str]:
    """The words of a text with their accents, in order."""
    return [written_form(match[0]) for match in words(text)]


def folded(text: str) -> list[str]:
    """The words of a text without accents, in order."""
    return [folded_form(match[0]) for match in words(text)]


def vector(forms: Sequence[str]) -> str:
    """Words as a tsvector literal, each with its positions, so that phrases can be found."""
    places: dict[str, list[int]] = {}
    for position, word in enumerate(forms[:_WORDS_OF_PAGE], start=1):
        if word:
            places.setdefault(word, []).append(position)
    return " ".join(f"'{word}':{','.join(map(str, positions))}" for word, positions in places.items())


def page_marks(text: str) -> list[int]:
    """What a page is found by: numbers made of its words and of every two that stand side by side, in both forms.

    Vietnamese is written in syllables, and there are few of them: without accents "nguyen", "dinh" and "duong" stand on
    nearly every page, while "nguyen dinh" beside "dinh duong" stand on few. So an index of pairs finds in a moment what
    an index of words must look through most pages for. A number may be that of another word too (one in four thousand
    million); whoever finds by it reads the words after.
    """
    exactly, roughly = written(text)[:_WORDS_OF_PAGE], folded(text)[:_WORDS_OF_PAGE]
    marks = {_mark(kind, word) for kind, forms in (("w", exactly), ("f", roughly)) for word in forms if word}
    for kind, forms in (("w", exactly), ("f", roughly)):
        marks.update(_mark(kind, f"{one} {next_}") for one, next_ in pairwise(forms) if one and next_)
    return sorted(marks)


def phrase_marks(phrase: str, *, exact: bool) -> list[int]:
    """Those of the marks that every page with this phrase has: of its pairs, or of its only word."""
    kind, forms = ("w", written(phrase)) if exact else ("f", folded(phrase))
    forms = [word for word in forms[:MOST_WORDS_OF_PHRASE] if word]
    if len(forms) == 1:
        return [_mark(kind, forms[0])]
    return sorted({_mark(kind, f"{one} {next_}") for one, next_ in pairwise(forms)})


@_remembered
def _mark(kind: str, words: str) -> int:
    """A number for words, as PostgreSQL's integer holds it."""
    number = zlib.crc32(f"{kind}{words}".encode())
    return number - (1 << 32) if number >= 1 << 31 else number


def phrase_query(forms: Sequence[str]) -> str:
    """Words as a tsquery literal: one straight after the other."""
    return " <-> ".join(f"'{word}'" for word in forms[:MOST_WORDS_OF_PHRASE] if word)


def all_of_query(forms: Sequence[str], *, last_is_begun: bool = False) -> str:
    """Words as a tsquery literal: all of them, in any order; the last one may be only the beginning of a word."""
    quoted = [f"'{word}'" for word in forms[:MOST_WORDS_OF_PHRASE] if word]
    return " & ".join(quoted) + (":*" if quoted and last_is_begun else "")
