"""How long a finished dossier is kept: each procedure's period, set with its legal basis, and the store's lock to fit.

The law gives no period for each procedure that could be written down here, so an administrator sets it, and until then
the office's default holds. A dossier is kept for the period in force on the day it ended, or for a longer one decided
later; what is locked in the store can't be shortened, so a shorter one is for dossiers that end from then on. Nothing
is ever deleted at the end of a period: the dossier comes onto a list for a person, since the destruction of archives
takes a council and a decision, which are not part of this program.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from dossiers.policy import Act, require
from dossiers.ports import ObjectMissing, StoreUnavailable
from dossiers.types import Actor, Incomplete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import Begin, Vault
    from dossiers.types import ObjectKey

#: In place of a number of years.
PERMANENT = 0
MOST_YEARS = 100
#: So long before the end people are told.
WARN_AHEAD = timedelta(days=30)
#: What is kept for ever is locked for so long at a time, since a lock needs an end; the next one comes a year early.
_LOCK_PERMANENT, LOCK_AHEAD = timedelta(days=3653), timedelta(days=3288)
#: Each finished dossier is gone through again so often: its objects are new for a year before their first lock ends.
_WALK_AGAIN = timedelta(days=180)
_DOSSIERS_AT_ONCE = 20
#: After so many refusals the store is taken for away.
_REFUSALS = 2
_SETTLED_AT_ONCE = 1000


@dataclass(frozen=True)
class Rule:
    """One decision about how long a procedure's dossiers are kept; the newest is in force, the others are history.

    Attributes:
        years: Whole years, or PERMANENT.
        basis: The letter, list of periods or law that it rests on.
        reached_at: When every finished dossier had got a longer period by it; None while that is under way.
    """

    id: UUID
    procedure: str
    years: int
    basis: str
    set_by: str
    set_at: datetime
    reached_at: datetime | None = None


@dataclass(frozen=True)
class Kept:
    """How long one dossier is kept.

    Attributes:
        years: Of its own once it has ended, else of its procedure as of now; PERMANENT for ever.
        is_settled: Whether it is its own.
        until: When it ends; None while it is unfinished or for ever.
        locked_at: When all its objects were last seen to be locked for as long; None: not yet.
    """

    years: int
    is_settled: bool
    until: datetime | None
    locked_at: datetime | None


@dataclass(frozen=True)
class Ending:
    """A dossier whose period ends soon or has ended. `held`: under legal hold, so that it stays all the same."""

    id: UUID
    code: str
    procedure: str
    until: datetime
    held: bool


@dataclass(frozen=True)
class ToLock:
    """A finished dossier whose objects are to be locked to the end of its period (None: for ever)."""

    id: UUID
    agency: str
    years: int
    until: datetime | None


@dataclass(frozen=True)
class Unlocked:
    """Ended dossiers that aren't known to be locked for their period, and how many objects of them have shorter locks.

    Attributes:
        objects: Of the first 200 such dossiers: more would be counted for long, and say no more.
    """

    dossiers: int
    objects: int


@dataclass(frozen=True)
class Round:
    """What one round did: dossiers that got their period, dossiers gone through, objects whose lock was prolonged."""

    settled: int = 0
    dossiers: int = 0
    prolonged: int = 0


class Retention(Protocol):
    """Rules, and what became of them."""

    def rules(self, procedure: str) -> Sequence[Rule]:
        """All there ever were for it, the one in force first."""
        ...

    def in_force(self) -> dict[str, Rule]:
        """By procedure, where there is one."""
        ...

    def add(self, rule: Rule) -> None:
        """A new one, in force from now on."""
        ...

    def settle(self, default: int, *, procedure: str | None = None, limit: int | None = None) -> int:
        """Give dossiers that have ended the period in force; of one procedure, or of all. How many."""
        ...

    def lengthen(self, *, at: datetime, limit: int) -> int:
        """Give dossiers that ended earlier the longer periods decided since, a slice of them; how many."""
        ...

    def to_lock(self, *, before: datetime, limit: int) -> Sequence[ToLock]:
        """Finished dossiers not gone through since then, those never gone through first."""
        ...

    def short_of(self, dossier_id: UUID, until: datetime) -> Sequence[ObjectKey]:
        """Objects of a dossier that aren't known to be locked until then."""
        ...

    def note_lock(self, key: ObjectKey, until: datetime) -> None:
        """An object is locked until then."""
        ...

    def walked(self, one: ToLock, *, at: datetime) -> None:
        """All its objects are locked; unless its period was lengthened meanwhile."""
        ...

    def of_dossier(self, dossier_id: UUID, default: int) -> Kept:
        """How long it is kept. The caller has asked for the dossier."""
        ...

    def ending(self, actor: Actor | None, *, by: datetime, limit: int = 200) -> Sequence[Ending]:
        """Dossiers whose period ends by then, the first first; of what the actor may see, or of all."""
        ...

    def unlocked(self, *, ended_before: datetime) -> int:
        """How many dossiers ended before then and aren't known to be locked for their period."""
        ...

    def unlocked_now(self, *, at: datetime) -> Unlocked:
        """Whatever isn't known to be locked for its period, also what ended a moment ago."""
        ...

    def finished(self, procedure: str) -> int:
        """How many dossiers of this procedure have ended."""
        ...


@dataclass(frozen=True)
class RetentionDesk:
    """What keeping locks works with. `default`: years for procedures that nobody has decided about."""

    begin: Begin
    vault: Vault
    default: int


def set_period(begin: Begin, procedure: str, years: int, *, basis: str, default: int, by: Actor, now: datetime) -> Rule:
    """Decide how long dossiers of a procedure are kept, and on what that rests.

    A longer period is for those that have ended, too, and their locks follow; a shorter one for those that end from
    now on.

    Args:
        years: Whole years, or PERMANENT.
        default: Of the office, for what ended before anybody decided.

    Raises:
        NotAllowed: Not an administrator.
        NotFound: There is no such procedure.
        Incomplete: No basis is named, or that isn't a number of years.
    """
    require(by, Act.SET_RETENTION)
    basis = " ".join(basis.split())
    missing = [] if basis else ["basis"]
    missing += [] if years == PERMANENT or 1 <= years <= MOST_YEARS else ["years"]
    if missing:
        raise Incomplete(", ".join(missing), tuple(missing))
    with begin() as work:
        work.procedures.of(procedure)
        before = work.retention.in_force().get(procedure)
        # What has ended does so by the period of its day, also where the timer hasn't come to it yet.
        work.retention.settle(default, procedure=procedure)
        rule = Rule(uuid.uuid4(), procedure, years, basis, by.username, now)
        work.retention.add(rule)
        work.audit.append(
            by,
            "procedure.retention_set",
            procedure,
            years=years,
            before=before.years if before else None,
            basis=basis,
        )
        return rule


def work_off(desk: RetentionDesk, *, now: datetime, limit: int = _DOSSIERS_AT_ONCE) -> Round:
    """Give ended dossiers their period and have the store lock their objects for as long; never shorter than before.

    May run twice or be killed at any moment: each object is noted as its lock was seen, and a dossier only once all
    of them were.

    Raises:
        StoreUnavailable: The store doesn't answer; the next round goes on where this one stopped.
    """
    with desk.begin() as work:
        settled = work.retention.settle(desk.default, limit=_SETTLED_AT_ONCE)
        settled += work.retention.lengthen(at=now, limit=_SETTLED_AT_ONCE)
        due = work.retention.to_lock(before=now - _WALK_AGAIN, limit=limit) if desk.vault.can_prolong else ()
    dossiers = prolonged = 0
    refused: list[StoreUnavailable] = []
    for one in due:
        try:
            prolonged += _lock(desk, one, now=now)
            dossiers += 1
        except StoreUnavailable as unavailable:
            refused.append(unavailable)  # over one object, perhaps: the others don't wait for it
        if len(refused) == _REFUSALS:
            break
    if refused:
        raise refused[0]
    return Round(settled, dossiers, prolonged)


def _lock(desk: RetentionDesk, one: ToLock, *, now: datetime) -> int:
    """Lock a dossier's objects to the end of its period; how many had to be."""
    until = (one.until or now + _LOCK_PERMANENT).replace(microsecond=0)
    enough = one.until or now + LOCK_AHEAD
    if until <= now:  # it has ended: whatever locks there are run on
        keys: Sequence[ObjectKey] = ()
    else:
        with desk.begin() as work:
            keys = work.retention.short_of(one.id, enough)
    prolonged = 0
    for key in keys:
        try:
            desk.vault.prolong(key, until)
        except ObjectMissing:
            continue  # fixity tells of it
        prolonged += 1
        with desk.begin() as work:
            work.retention.note_lock(key, until)
    with desk.begin() as work:
        work.retention.walked(one, at=now)
        if prolonged:
            work.audit.append(
                Actor.system(one.agency), "dossier.locked", one.id, until=until, objects=prolonged, years=one.years
            )
    return prolonged
