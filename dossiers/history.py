"""What happened to a dossier, its papers and its results, as the log tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dossiers import holds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import UnitOfWork
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


def _without_letter(line: AuditEntry) -> AuditEntry:
    """The line, without the letter that asks for a hold."""
    if not line.event.startswith("hold."):
        return line
    return replace(line, detail={name: said for name, said in line.detail.items() if name != "reference"})
