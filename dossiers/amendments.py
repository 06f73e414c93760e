"""What stood there before a person changed it, and what stands there since: beside the log, bound by it.

A value of a paper or a draft may be somebody's name or number, and no line of the log can ever be taken out again. So
the values are kept in a table beside it, with a salt, and the line that tells who changed what, and when, carries one
hash over all of them: whoever changes, adds or takes away a value is found out by `wrong`, and yet the values can be
erased one day, when the law asks for it, without breaking the chain. Then another line says so.

Where values are nobody's (codes, numbers of pages, settings) they stand in the line itself.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID  # noqa: TC003  the rows of `Amendment` are read by its types

from dossiers import holds
from dossiers.types import AuditEntry, Incomplete, WrongState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from dossiers.ports import Begin, UnitOfWork
    from dossiers.types import Actor

    #: Where, as "field.signer" or "word.1.17" → what stood there and what stands there since, as JSON has it.
    Changes = Mapping[str, tuple[Any, Any]]

#: Under which name a line of the log carries the hash of the values that belong to it.
BOUND_BY = "amendment"
ERASED = "dossier.amendments_erased"


@dataclass(frozen=True)
class Amendment:
    """The values of one line of the log. Who, when and what it was is said there, once.

    Attributes:
        sha256: As the line has it.
        salt: 32 hex digits, so that no hash tells a name to whoever guesses it.
        before, after: JSON objects with the same keys, as they were hashed.
    """

    sha256: str
    dossier_id: UUID
    salt: str
    before: str
    after: str

    @property
    def fits(self) -> bool:
        """Whether these are the values that were kept."""
        return self.sha256 == _hash(self.dossier_id, self.salt, self.before, self.after)

    @property
    def changes(self) -> Changes:
        """Where, and the value before and after."""
        before, after = json.loads(self.before), json.loads(self.after)
        return {where: (before[where], after[where]) for where in before}


@dataclass(frozen=True)
class Told:
    """A line of the log with its values.

    Attributes:
        changes: None where these were erased.
        run: The same for lines that say the same of the same by the same person, with no other line between them,
            not even one that came without values.
    """

    line: AuditEntry
    changes: Changes | None
    run: int


@dataclass(frozen=True)
class Misfit:
    """Values and the log that don't fit together.

    Attributes:
        code: "values_changed", "values_missing" (and no line says that they were erased), "values_added" (no line
            knows of them).
        sequence: Of the line; 0 where there is none in this log.
    """

    code: str
    sequence: int


class Amendments(Protocol):
    """The values beside the log. The database lets none be changed, and none be deleted before its time."""

    def add(self, amendment: Amendment) -> None:
        """A new one."""
        ...

    def of(self, hashes: Iterable[str]) -> Mapping[str, Amendment]:
        """Those of these that are kept, by hash."""
        ...

    def drop(self, dossier_id: UUID) -> Sequence[str]:
        """Delete a dossier's; their hashes. Raises Held, or WrongState by the database's own clock."""
        ...

    def misfits(self, *, after: int = 0) -> Sequence[Misfit]:
        """Hold all values against all lines, or those of the lines behind `after`."""
        ...


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Whatever isn't the same in both; None stands for what isn't there."""
    those = {where: (before.get(where), after.get(where)) for where in {**before, **after}}
    return {where: values for where, values in those.items() if values[0] != values[1]}


def log(
    work: UnitOfWork,
    by: Actor,
    event: str,
    subject: UUID,
    *,
    of: UUID,
    changes: Changes,
    **detail: object,
) -> None:
    """Write a line of the log, and keep the values before and after beside it, in the same transaction.

    Args:
        of: The dossier that the subject belongs to, or is.
        changes: What is the same before and after is left out; with nothing left it is a line like any other.
        detail: As for any line: codes and ids, no names of citizens.
    """
    real = {where: values for where, values in changes.items() if values[0] != values[1]}
    if real:
        kept = _made(of, real)
        work.amendments.add(kept)
        detail[BOUND_BY] = kept.sha256
    work.audit.append(by, event, subject, **detail)


def of_lines(work: UnitOfWork, lines: Iterable[AuditEntry]) -> list[Told]:
    """Those of these lines that came with values, each with them.

    Args:
        lines: All of a subject, oldest first, or of several.
    """
    runs = enumerate(groupby(lines, key=lambda line: (line.event, line.actor, line.subject)))
    bound = {line.detail[BOUND_BY]: (line, n) for n, (_, run) in runs for line in run if BOUND_BY in line.detail}
    kept = work.amendments.of(bound)
    return [Told(line, kept[sha256].changes if sha256 in kept else None, n) for sha256, (line, n) in bound.items()]


def erase(begin: Begin, dossier_id: UUID, *, by: Actor, basis: str, now: datetime) -> int:
    """Erase the values before and after of a dossier whose period of keeping has ended; how many lines had some.

    The lines stay, and one more says which values were erased, by whom and on what basis.

    Raises:
        Incomplete: No basis is named.
        WrongState: The period hasn't ended, or never does.
        Held: The dossier is under legal hold.
    """
    if not basis.strip():
        raise Incomplete("basis", ("basis",))
    with begin() as work:
        dossier = work.dossiers.for_job(dossier_id)
        holds.refuse_if_held(work, dossier.id)
        until = work.retention.of_dossier(dossier.id, 0).until
        if until is None or until > now:
            raise WrongState("period")
        erased = work.amendments.drop(dossier.id)
        if erased:
            work.audit.append(
                by, ERASED, dossier.id, code=dossier.code, basis=" ".join(basis.split()), erased=sorted(erased)
            )
        return len(erased)


def _made(dossier_id: UUID, changes: Changes) -> Amendment:
    salt = secrets.token_hex(16)
    before, after = (
        json.dumps({where: values[which] for where, values in sorted(changes.items())}, ensure_ascii=False)
        for which in (0, 1)
    )
    return Amendment(_hash(dossier_id, salt, before, after), dossier_id, salt, before, after)


def _hash(dossier_id: UUID, *said: str) -> str:
    """JSON has no line breaks of its own, so that nothing can be moved from one part to the next."""
    return hashlib.sha256("\n".join((str(dossier_id), *said)).encode()).hexdigest()
