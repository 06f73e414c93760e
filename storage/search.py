"""Full text over pages: what was typed is found as it was typed, and without accents too (`storage.words`)."""

from __future__ import annotations

import unicodedata
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from dossiers.calendar import VIETNAM
from dossiers.types import ComponentState, SearchHit, Within
from storage.dossiers import seen_by
from storage.tables import components, dossiers, pages
from storage.words import MOST_WORDS_OF_PHRASE, folded, folded_form, phrase_query, words, written, written_form

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from dossiers.types import Actor

_SNIPPET_CHARACTERS = 160


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
        is_exact = pages.c.written.bool_op("@@")(sa.cast(exactly, TSQUERY))
        is_rough = pages.c.folded.bool_op("@@")(sa.cast(roughly, TSQUERY))
        # Two questions, not one sorted by both: the second, longer one is asked only when there is room left.
        where = sa.and_(seen_by(actor), *_fits(within or Within()))
        hits = self._hits(where, phrase, is_exact, exact=True, limit=limit)
        if len(hits) < limit:
            hits += self._hits(
                where, phrase, sa.and_(is_rough, sa.not_(is_exact)), exact=False, limit=limit - len(hits)
            )
        return hits

    def _hits(
        self, where: sa.ColumnElement[bool], phrase: str, matches: sa.ColumnElement[bool], *, exact: bool, limit: int
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
            .where(matches, where, components.c.state != ComponentState.REPLACED)
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


def _fits(within: Within) -> list[sa.ColumnElement[bool]]:
    fits: list[sa.ColumnElement[bool]] = []
    if within.agency:
        fits.append(sa.or_(dossiers.c.receiving == within.agency, dossiers.c.competent == within.agency))
    if within.procedure:
        fits.append(dossiers.c.procedure == within.procedure)
    if within.since is not None:
        fits.append(dossiers.c.opened_at >= _midnight(within.since))
    if within.until is not None:
        fits.append(dossiers.c.opened_at < _midnight(within.until + timedelta(days=1)))
    return fits


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, VIETNAM)


def snippet(text: str, phrase: str, *, exact: bool) -> str:
    """The text around the first place where the phrase stands, on one line, cut between words."""
    text = unicodedata.normalize("NFC", text)
    form = written_form if exact else folded_form
    wanted = [form(match[0]) for match in words(phrase)][:MOST_WORDS_OF_PHRASE]
    found = list(words(text))
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
