"""Full text over pages: what was typed is found as it was typed, and without accents too.

The words are split here, in one place for texts and phrases, and given to PostgreSQL as ready vectors. Its own parser
takes "157/QĐ-UB" for a file path and "1.001612" for a version, and what it calls a letter depends on the locale the
server was set up with; two texts that a person calls the same must not differ by that.

Two forms of each word are kept. *Written* keeps accents and letters, but not where a tone mark stands (hoà = hòa), nor
whether đ was typed as the Icelandic ð. *Folded* has no marks at all: "đường" is "duong".
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from dossiers.types import ComponentState, SearchHit
from storage.dossiers import seen_by
from storage.tables import components, dossiers, pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dossiers.types import Actor

#: Letters and digits; a mark that NFC couldn't join to its letter stays with the word.
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+")
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")  # grave, acute, tilde, hook, dot below

# PostgreSQL's limits, kept with room to spare: 16,383 positions and 1 MB of words in a vector.
_WORDS_OF_PAGE = 10_000
_WORDS_OF_PHRASE = 50
_LETTERS_OF_WORD = 32

_SNIPPET_CHARACTERS = 160


def _words(text: str) -> Iterable[re.Match[str]]:
    return _WORD.finditer(unicodedata.normalize("NFC", text))


def _written(word: str) -> str:
    """One word, lower case, its tone mark at the end wherever it was typed."""
    parts = unicodedata.normalize("NFD", word.lower().replace("ð", "đ"))
    tones = "".join(mark for mark in parts if mark in _TONES)
    rest = "".join(mark for mark in parts if mark not in _TONES)
    return (unicodedata.normalize("NFC", rest) + tones)[:_LETTERS_OF_WORD]


def _folded(word: str) -> str:
    """One word, lower case, without any mark."""
    parts = unicodedata.normalize("NFD", word.lower().replace("ð", "đ").replace("đ", "d"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))[:_LETTERS_OF_WORD]


def written(text: str) -> list[str]:
    """The words of a text with their accents, in order."""
    return [_written(match[0]) for match in _words(text)]


def folded(text: str) -> list[str]:
    """The words of a text without accents, in order."""
    return [_folded(match[0]) for match in _words(text)]


def vector(words: Sequence[str]) -> str:
    """Words as a tsvector literal, each with its positions, so that phrases can be found."""
    places: dict[str, list[int]] = {}
    for position, word in enumerate(words[:_WORDS_OF_PAGE], start=1):
        if word:
            places.setdefault(word, []).append(position)
    return " ".join(f"'{word}':{','.join(map(str, positions))}" for word, positions in places.items())


def phrase_query(words: Sequence[str]) -> str:
    """Words as a tsquery literal: one straight after the other."""
    return " <-> ".join(f"'{word}'" for word in words[:_WORDS_OF_PHRASE] if word)


class PostgresSearch:
    """`dossiers.ports.Search`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def pages(self, actor: Actor, phrase: str, *, limit: int = 50) -> Sequence[SearchHit]:
        """Pages of dossiers the actor may see: matches with accents first, then without (đ and hoà/hòa too).

        Within each, the newest dossier first. A phrase without a letter or digit finds nothing.
        """
        exactly, roughly = phrase_query(written(phrase)), phrase_query(folded(phrase))
        if not exactly or not roughly:
            return []
        is_exact = pages.c.written.bool_op("@@")(sa.cast(exactly, TSQUERY))
        is_rough = pages.c.folded.bool_op("@@")(sa.cast(roughly, TSQUERY))
        # Two questions, not one sorted by both: the second, longer one is asked only when there is room left.
        hits = self._hits(actor, phrase, is_exact, exact=True, limit=limit)
        if len(hits) < limit:
            hits += self._hits(
                actor, phrase, sa.and_(is_rough, sa.not_(is_exact)), exact=False, limit=limit - len(hits)
            )
        return hits

    def _hits(
        self, actor: Actor, phrase: str, matches: sa.ColumnElement[bool], *, exact: bool, limit: int
    ) -> list[SearchHit]:
        query = (
            sa.select(
                dossiers.c.id.label("dossier_id"),
                dossiers.c.code,
                components.c.id.label("component_id"),
                components.c.name,
                pages.c.number,
                pages.c.text,
            )
            .select_from(pages.join(components).join(dossiers))
            .where(matches, seen_by(actor), components.c.state != ComponentState.REPLACED)
            .order_by(dossiers.c.opened_at.desc(), dossiers.c.id, components.c.ordinal, pages.c.number)
            .limit(limit)
        )
        return [
            SearchHit(
                dossier_id=row.dossier_id,
                dossier_code=row.code,
                component_id=row.component_id,
                component_name=row.name,
                page=row.number,
                snippet=snippet(row.text, phrase, exact=exact),
                exact=exact,
            )
            for row in self._connection.execute(query)
        ]


def snippet(text: str, phrase: str, *, exact: bool) -> str:
    """The text around the first place where the phrase stands, on one line, cut between words."""
    text = unicodedata.normalize("NFC", text)
    form = _written if exact else _folded
    wanted = [form(match[0]) for match in _words(phrase)][:_WORDS_OF_PHRASE]
    found = list(_words(text))
    forms = [form(match[0]) for match in found]
    for first in range(len(forms) - len(wanted) + 1):
        if forms[first : first + len(wanted)] == wanted:
            break
    else:
        return ""
    last = first + len(wanted) - 1
    while last - first < len(found) and found[last].end() - found[first].start() < _SNIPPET_CHARACTERS:
        before, after = max(first - 1, 0), min(last + 1, len(found) - 1)
        if (before, after) == (first, last):
            break
        first, last = before, after
    start, end = found[first].start(), found[last].end()
    cut = " ".join(text[start:end].split())
    return ("… " if first > 0 else "") + cut + (" …" if last < len(found) - 1 else "")
