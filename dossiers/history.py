"""What happened to a dossier, its papers and its results, as the log tells it; and what stood there before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dossiers import amendments, holds, identity_papers, issuance
from dossiers.policy import Act, require
from dossiers.types import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.ports import Begin, UnitOfWork
    from dossiers.types import Actor, AuditEntry, Dossier

#: What an agency learns of another's result: not who drafted it, nor what went wrong on the way.
_PUBLISHED = frozenset(f"e_result.{what}" for what in ("issued", "renewed", "taken_out", "withdrawn", "superseded"))


def history_of(work: UnitOfWork, dossier: Dossier, *, to: Actor) -> Sequence[AuditEntry]:
    """Every line an actor may see, oldest first: of papers also those that others took the place of.

    Args:
        dossier: Which the actor was found to be allowed to see.
        to: Of a result that isn't published, only its own agency's people see anything, and how it came about once it
            is; by which letter the dossier is held, only those of the agencies that took it in or decide it.
    """
    papers = work.components.ever_of(dossier.id)
    results = [result for result in work.e_results.of_dossier(dossier.id) if result.seen_by(to.agency)]
    lines = work.audit.of_all([dossier.id, *papers, *(result.id for result in results)])
    others = {str(result.id) for result in results if result.agency != to.agency}
    lines = [line for line in lines if line.subject not in others or line.event in _PUBLISHED]
    return lines if holds.sees_why(to, dossier) else [_without_letter(line) for line in lines]


def gathered(lines: Iterable[AuditEntry]) -> list[AuditEntry]:
    """A history with one line, the last, for saves of a draft by one person that followed one another.

    Args:
        lines: Oldest first.
    """
    kept: list[AuditEntry] = []
    for line in lines:
        if kept and line.event == issuance.CHANGED and _same(kept[-1], line):
            kept.pop()
        kept.append(line)
    return kept


def _same(one: AuditEntry, other: AuditEntry) -> bool:
    return (one.event, one.actor, one.subject) == (other.event, other.actor, other.subject)


def changes_of(begin: Begin, dossier_id: UUID, subject: UUID, *, by: Actor, now: datetime) -> Sequence[amendments.Told]:
    """Every value that a person changed of a dossier, one of its papers or one of its results, oldest first.

    It shows what is on the paper: of an identity paper it is a look, which stands in the log first.

    Raises:
        NotFound: The asker may see no such dossier, or it has no such paper or result of the asker's own agency.
    """
    require(by, Act.SEE)
    with begin() as work:
        dossier = work.dossiers.of(by, dossier_id)
        papers = work.components.ever_of(dossier.id)
        # Of another agency's not even that nothing was changed, which would be no answer but a guess.
        results = {r.id for r in work.e_results.of_dossier(dossier.id) if r.agency == by.agency}
        if subject not in {dossier.id, *papers, *results}:
            raise NotFound(str(subject))
        paper = work.components.of(subject, within=dossier.id) if subject in papers else None
    if paper is not None:
        identity_papers.note_seen(begin, paper, by=by, what="amendments", now=now)
    with begin() as work:
        lines = [line for line in history_of(work, dossier, to=by) if line.subject == str(subject)]
        return amendments.of_lines(work, lines)


def _without_letter(line: AuditEntry) -> AuditEntry:
    """The line, without the letter that asks for a hold."""
    if not line.event.startswith("hold."):
        return line
    return replace(line, detail={name: said for name, said in line.detail.items() if name != "reference"})
