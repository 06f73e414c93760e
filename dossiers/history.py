"""What happened to a dossier, its papers and its results, as the log tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import UnitOfWork
    from dossiers.types import Actor, AuditEntry, Dossier


def history_of(work: UnitOfWork, dossier: Dossier, *, to: Actor) -> Sequence[AuditEntry]:
    """Every line an actor may see, oldest first: of papers also those that others took the place of.

    Args:
        dossier: Which the actor was found to be allowed to see.
        to: Of a result that isn't published, only its own agency's people see anything.
    """
    papers = work.components.ever_of(dossier.id)
    results = [result.id for result in work.e_results.of_dossier(dossier.id) if result.seen_by(to.agency)]
    return work.audit.of_all([dossier.id, *papers, *results])
