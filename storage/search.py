"""Full text over pages: what was typed is found as it was typed, and without accents too (`storage.words`).

Two ways lead to the newest pages with a phrase, and neither is good for every phrase (decision 0051). A common one
stands on the agency's newest pages, so these are read until enough are found. A rare one is asked of `page_index`. How
common it is shows on the first pages read; a wrong guess costs time and changes nothing in what is found.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, UUID

from dossiers.types import ComponentState, SearchHit, Within
from storage.dossiers import PostgresDossiers, fits, seen_by
from storage.page_index import candidates
from storage.tables import components, dossiers, pages
from storage.words import (
    MOST_WORDS_OF_PHRASE,
    folded,
    folded_form,
    phrase_marks,
    phrase_query,
    words,
    written,
    written_form,
)

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence

    from dossiers.types import Actor

_SNIPPET_CHARACTERS = 160

#: So many of the newest dossiers are read to see how common a phrase is, and at most so many to find enough.
_DOSSIERS_AT_FIRST = 40
_MOST_DOSSIERS_READ = 600
#: Further than it should take: chance doesn't spread them evenly.
_FURTHER = 1.3
#: So many are asked of the index at first for every one that is wanted; each time again, so many times more.
_MORE = 4


@dataclass(frozen=True)
class _Question:
    """What is looked for, in one of its two forms.

    Attributes:
        matches: Whether a page has it.
        marks: What the index knows such a page by.
        exact: Whether the accents count.
    """

    actor: Actor
    within: Within
    phrase: str
    matches: sa.ColumnElement[bool]
    marks: Sequence[int]
    exact: bool


class PostgresSearch:
    """`dossiers.ports.Search`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def pages(self, actor: Actor, phrase: str, *, within: Within | None = None, limit: int = 50) -> Sequence[SearchHit]:
        """Pages of dossiers the actor may see: matches with accents first, then without (đ and hoà/hòa too).

        Within each, the newest dossier first. A phrase without a letter or digit finds nothing.

        Args:
            actor: Who is asking.
            phrase: Words that stand one straight after the other.
            within: Only in these dossiers.
            limit: At most so many.
        """
        exactly, roughly = phrase_query(written(phrase)), phrase_query(folded(phrase))
        if not exactly or not roughly:
            return []
        within = within or Within()
        is_exact = pages.c.written.bool_op("@@")(sa.cast(exactly, TSQUERY))
        is_rough = sa.and_(pages.c.folded.bool_op("@@")(sa.cast(roughly, TSQUERY)), sa.not_(is_exact))
        # Two questions, not one sorted by both: the second, longer one is asked only when there is room left.
        exact = _Question(actor, within, phrase, is_exact, phrase_marks(phrase, exact=True), exact=True)
        rough = _Question(actor, within, phrase, is_rough, phrase_marks(phrase, exact=False), exact=False)
        first = PostgresDossiers(self._connection).newest(actor, within, skip=0, take=_DOSSIERS_AT_FIRST)
        hits = self._newest(exact, first, limit)
        if len(hits) < limit:
            hits += self._newest(rough, first, limit - len(hits))
        return hits

    def _newest(self, asked: _Question, first: Sequence[uuid.UUID], limit: int) -> list[SearchHit]:
        hits = self._hits(asked, dossiers.c.id, first, limit)
        if len(hits) == limit or len(first) < _DOSSIERS_AT_FIRST:
            return hits
        likely = round(_FURTHER * len(first) * limit / len(hits)) if hits else _MOST_DOSSIERS_READ + 1
        if likely <= _MOST_DOSSIERS_READ:
            others = PostgresDossiers(self._connection).newest(
                asked.actor, asked.within, skip=len(first), take=likely - len(first)
            )
            hits += self._hits(asked, dossiers.c.id, others, limit - len(hits))
            if len(hits) == limit or len(others) < likely - len(first):
                return hits
        return self._by_index(asked, limit)

    def _by_index(self, asked: _Question, limit: int) -> list[SearchHit]:
        hits: list[SearchHit] = []
        skip, take = 0, _MORE * limit
        while True:
            some = candidates(self._connection, asked.actor, asked.within, asked.marks, skip=skip, take=take)
            hits += self._hits(asked, pages.c.id, some, limit - len(hits))
            if len(hits) == limit or len(some) < take:
                return hits
            skip, take = skip + len(some), take * _MORE

    def _hits(
        self, asked: _Question, which: sa.Column[uuid.UUID], among: Sequence[uuid.UUID], limit: int
    ) -> list[SearchHit]:
        """The first of what is asked for among these dossiers or pages."""
        if not among:
            return []
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
            .where(
                which == sa.any_(sa.literal(list(among), ARRAY(UUID))),
                asked.matches,
                seen_by(asked.actor),
                *fits(asked.within),
                components.c.state != ComponentState.REPLACED,
            )
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
                snippet=snippet(row.text, asked.phrase, exact=asked.exact),
                exact=asked.exact,
            )
            for row in self._connection.execute(query)
        ]


def snippet(text: str, phrase: str, *, exact: bool) -> str:
    """The text around the first place where the phrase stands, on one line, cut between words."""
    text = unicodedata.normalize("NFC", text)
    form = written_form if exact else folded_form
    wanted = [form(match[0]) for match in words(phrase)][:MOST_WORDS_OF_PHRASE]
    found = list(words(text))
    forms = [form(match[0]) for match in found]
    first = -1
    while True:
        if not wanted or wanted[0] not in forms[first + 1 :]:
            return ""
        first = forms.index(wanted[0], first + 1)
        if forms[first : first + len(wanted)] == wanted:
            break
    last = first + len(wanted) - 1
    while last - first < len(found) and found[last].end() - found[first].start() < _SNIPPET_CHARACTERS:
        before, after = max(first - 1, 0), min(last + 1, len(found) - 1)
        if (before, after) == (first, last):
            break
        first, last = before, after
    start, end = found[first].start(), found[last].end()
    cut = " ".join(text[start:end].split())
    return ("… " if first > 0 else "") + cut + (" …" if last < len(found) - 1 else "")
