"""Legal hold: an inspection, a complaint, a court or the police ask for a dossier, and nothing of it goes any more.

Two walls. The first is ours: from the moment a hold is placed no row of the dossier can be deleted, by whatever way.
The second is the store's own legal hold on every version of every object, put on by the signing worker's timer, also
on what comes into the dossier later. A page says "held" only of objects on which the hold was seen; a store that can't
hold, or doesn't answer, is named as the reason. One person asks for the release, with a reason, and another one of the
same agency confirms it.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from dossiers.policy import MAY, Act, require
from dossiers.ports import ObjectMissing, StoreUnavailable
from dossiers.types import Actor, Duplicate, Incomplete, NotAllowed, NotFound, OfficeError, WrongState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dossiers.ports import Begin, UnitOfWork, Vault
    from dossiers.types import Dossier, ObjectKey

#: A hold that was seen is looked at again so often: whoever runs the store may lift it behind our back.
LOOK_AGAIN = timedelta(hours=24)
#: Seen longer ago than that, it counts as unknown.
BELIEVED_FOR = 3 * LOOK_AGAIN
#: Objects of one round, so that a large dossier keeps nobody waiting for ever.
_AT_ONCE = 200
#: After so many refusals the store is taken for away.
_REFUSALS = 2

#: Why an object isn't held, as `labels` has it.
STORE_CANNOT_HOLD = "store_cannot_hold"
STORE_UNAVAILABLE = "hold_waits_for_store"
OBJECT_MISSING = "held_object_missing"


class Held(OfficeError):
    """The dossier is under legal hold: nothing of it may be deleted. Nothing was."""


class InStore(StrEnum):
    """What we know of the store's hold on an object. UNSURE while it is being put on or lifted, or after a kill."""

    FREE = "free"
    UNSURE = "unsure"
    HELD = "held"


@dataclass(frozen=True)
class Hold:
    """One request to keep a dossier as it is, from its placing to its release. A dossier may be under several.

    Attributes:
        agency: Whose people placed it and may release it.
        reference: Number and date of the letter that asks for it.
        release_reason, release_asked_by, release_asked_at: Empty until somebody asks for the release.
        released_by, released_at: The second person's, who confirmed it.
    """

    id: UUID
    dossier_id: UUID
    agency: str
    reason: str
    reference: str
    placed_by: str
    placed_at: datetime
    release_reason: str = ""
    release_asked_by: str = ""
    release_asked_at: datetime | None = None
    released_by: str = ""
    released_at: datetime | None = None
    version: int = 0

    @property
    def is_live(self) -> bool:
        """Whether it still holds: a release that was only asked for changes nothing."""
        return self.released_at is None

    @property
    def is_to_be_released(self) -> bool:
        """Whether a second person is asked to confirm its release."""
        return self.is_live and self.release_asked_at is not None

    def ask_release(self, reason: str, *, by: Actor, now: datetime) -> Hold:
        """The first person asks for the release.

        Raises:
            WrongState: It is released, or somebody has asked already.
        """
        if not self.is_live or self.is_to_be_released:
            raise WrongState("release_asked" if self.is_live else "released")
        return replace(self, release_reason=reason, release_asked_by=by.username, release_asked_at=now)

    def release(self, *, by: Actor, now: datetime) -> Hold:
        """The second person confirms it.

        Raises:
            WrongState: Nobody has asked for it, or it is released.
            NotAllowed: Whoever asked can't confirm.
        """
        if not self.is_to_be_released:
            raise WrongState("held" if self.is_live else "released")
        if by.username == self.release_asked_by:
            raise NotAllowed("same_person")
        return replace(self, released_by=by.username, released_at=now)

    def go_on(self) -> Hold:
        """The release isn't wanted any more; it holds as before.

        Raises:
            WrongState: Nobody has asked for it, or it is released.
        """
        if not self.is_to_be_released:
            raise WrongState("held" if self.is_live else "released")
        return replace(self, release_reason="", release_asked_by="", release_asked_at=None)


@dataclass(frozen=True)
class Coverage:
    """How much of a dossier the store was seen to hold.

    Attributes:
        objects: All that rows of the dossier name now, and all that they named at any time since it was placed.
        held: Those on whose every version the hold was seen of late.
        troubles: Codes of why others aren't (`labels`).
        seen_at: The longest ago that one of those held was looked at.
    """

    objects: int = 0
    held: int = 0
    troubles: tuple[str, ...] = ()
    seen_at: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every object is held; only then may a page say so."""
        return self.held == self.objects and not self.troubles


@dataclass(frozen=True)
class LiveHold:
    """A hold in a list, with its dossier's code and how far the store is."""

    hold: Hold
    code: str
    coverage: Coverage


@dataclass(frozen=True)
class ToHold:
    """An object whose hold is to be put on, looked at again or lifted, and what is known of it."""

    key: ObjectKey
    known: InStore


@dataclass(frozen=True)
class HoldCounts:
    """All holds in figures.

    Attributes:
        dossiers: Under at least one live hold.
        releases: Live holds whose release waits for a second person.
        unseen: Objects of held dossiers on which the store's hold wasn't seen of late.
    """

    dossiers: int
    releases: int
    unseen: int


@dataclass(frozen=True)
class Round:
    """What one round did."""

    held: int = 0
    lifted: int = 0
    missing: int = 0
    gone: tuple[str, ...] = ()

    @property
    def did_something(self) -> bool:
        """Whether there may be more to do at once."""
        return bool(self.held or self.lifted)


class Holds(Protocol):
    """The holds, and what the store was seen to hold."""

    def of(self, hold_id: UUID) -> Hold:
        """Raises NotFound. The caller asks for its dossier."""
        ...

    def of_dossier(self, dossier_id: UUID) -> Sequence[Hold]:
        """All there ever were, the newest first."""
        ...

    def live(self, actor: Actor | None, *, limit: int = 200) -> Sequence[tuple[Hold, str]]:
        """Live ones with their dossiers' codes, the oldest first; of what the actor may see, or of all."""
        ...

    def keep(self, hold: Hold) -> Hold:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        ...

    def is_held(self, dossier_id: UUID) -> bool:
        """Whether a live hold lies on it."""
        ...

    def collect(self) -> int:
        """Note what rows of held dossiers name now, so that it stays held when no row names it; how many are new."""
        ...

    def to_hold(self, *, before: datetime, limit: int) -> Sequence[ToHold]:
        """Objects that must be held and weren't seen to be since then, those never seen first."""
        ...

    def to_lift(self, *, limit: int) -> Sequence[ToHold]:
        """Objects that may be held in the store and that no live hold asks for."""
        ...

    def is_wanted(self, sha256: str) -> bool:
        """Whether a live hold asks for this object."""
        ...

    def note(self, sha256: str, known: InStore, *, at: datetime | None = None, trouble: str = "") -> None:
        """What is known of the store's hold on an object now."""
        ...

    def note_waiting(self, trouble: str) -> None:
        """Why all that must be held and isn't has to wait."""
        ...

    def coverage(self, dossier_ids: Iterable[UUID], *, since: datetime) -> Mapping[UUID, Coverage]:
        """How much of each dossier the store was seen to hold since then."""
        ...


@dataclass(frozen=True)
class HoldDesk:
    """What holding works with."""

    begin: Begin
    vault: Vault


def place(begin: Begin, dossier_id: UUID, *, reason: str, reference: str, by: Actor, now: datetime) -> Hold:
    """Put a dossier under legal hold. It counts at once against every deletion of ours; the store follows.

    Raises:
        NotAllowed: Not a leader or seal keeper of the agency that took it in or decides it.
        NotFound: There is no such dossier, or the asker's agency has no part in it.
        Incomplete: No reason, or no letter that asks for it, is named.
        Duplicate: The agency holds it by the same letter already; `of` is that hold.
    """
    require(by, Act.HOLD)
    reason, reference = reason.strip(), " ".join(reference.split())
    if missing := tuple(name for name, said in (("reason", reason), ("reference", reference)) if not said):
        raise Incomplete(", ".join(missing), missing)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        if not may_hold(by, dossier):
            raise NotAllowed(Act.HOLD.value)
        for one in work.holds.of_dossier(dossier.id):
            if one.is_live and (one.agency, one.reference.casefold()) == (by.agency, reference.casefold()):
                raise Duplicate(reference, of=str(one.id))
        kept = work.holds.keep(Hold(uuid.uuid4(), dossier.id, by.agency, reason, reference, by.username, now))
        work.holds.collect()
        work.audit.append(by, "hold.placed", dossier.id, hold=kept.id, reference=reference, code=dossier.code)
        return kept


def ask_release(begin: Begin, hold_id: UUID, *, reason: str, by: Actor, now: datetime) -> Hold:
    """Ask for the end of a hold; nothing changes until another person confirms it.

    Raises:
        NotAllowed, NotFound: As `place`, or it is another agency's.
        Incomplete: No reason given.
        WrongState: It is released, or somebody has asked already.
    """
    require(by, Act.HOLD)
    if not reason.strip():
        raise Incomplete("release_reason", ("release_reason",))
    with begin() as work:
        asked = _own(work, hold_id, by).ask_release(reason.strip(), by=by, now=now)
        work.audit.append(by, "hold.release_asked", asked.dossier_id, hold=asked.id, reference=asked.reference)
        return work.holds.keep(asked)


def confirm_release(begin: Begin, hold_id: UUID, *, by: Actor, now: datetime) -> Hold:
    """The second person ends a hold. The store's is lifted from what no other live hold asks for.

    Raises:
        NotAllowed: As `place`; or whoever asked for the release can't confirm it.
        NotFound: There is no such hold, or it is another agency's.
        WrongState: Nobody has asked for its release, or it is released.
    """
    require(by, Act.HOLD)
    with begin() as work:
        released = _own(work, hold_id, by).release(by=by, now=now)
        work.audit.append(
            by,
            "hold.released",
            released.dossier_id,
            hold=released.id,
            reference=released.reference,
            asked_by=released.release_asked_by,
        )
        return work.holds.keep(released)


def keep_on(begin: Begin, hold_id: UUID, *, by: Actor) -> Hold:
    """Refuse, or take back, the release that was asked for.

    Raises:
        NotAllowed, NotFound, WrongState: As `confirm_release`; the same person may.
    """
    require(by, Act.HOLD)
    with begin() as work:
        kept = _own(work, hold_id, by).go_on()
        work.audit.append(by, "hold.kept_on", kept.dossier_id, hold=kept.id, reference=kept.reference)
        return work.holds.keep(kept)


def sees_why(actor: Actor, dossier: Dossier) -> bool:
    """Whether it is this person's business by whose letter it is held: not that of a counter that helped hand it in."""
    return actor.agency in {dossier.receiving, dossier.competent}


def may_hold(actor: Actor, dossier: Dossier) -> bool:
    """Whether this person may place a hold on it: of the agency that took it in or decides it, never of a helper."""
    return actor.has(*MAY[Act.HOLD]) and sees_why(actor, dossier)


def refuse_if_held(work: UnitOfWork, dossier_id: UUID | None) -> None:
    """For whatever would delete something of a dossier.

    Raises:
        Held: It is under legal hold.
    """
    if dossier_id is not None and work.holds.is_held(dossier_id):
        raise Held(str(dossier_id))


def coverage_of(work: UnitOfWork, dossier_id: UUID, *, now: datetime) -> Coverage:
    """How much of a dossier the store was seen to hold of late."""
    return work.holds.coverage([dossier_id], since=now - BELIEVED_FOR).get(dossier_id, Coverage())


def live(work: UnitOfWork, actor: Actor | None, *, now: datetime, limit: int = 200) -> list[LiveHold]:
    """Live holds of what the actor may see (or of all), each with how far the store is; the oldest first."""
    found = work.holds.live(actor, limit=limit)
    covered = work.holds.coverage({hold.dossier_id for hold, _ in found}, since=now - BELIEVED_FOR)
    return [LiveHold(hold, code, covered.get(hold.dossier_id, Coverage())) for hold, code in found]


def work_off(desk: HoldDesk, *, now: datetime, limit: int = _AT_ONCE) -> Round:
    """Have the store hold what must be held, look again at what was, and let go what nobody holds any longer.

    May run twice or be killed at any moment: an object is noted as unsure before the store is asked and as held only
    after every version was seen to be. Runs in the one signing worker, so that nobody lifts what another puts on.

    Raises:
        StoreUnavailable: The store doesn't answer; noted, for the pages to say. What was held stays so.
    """
    with desk.begin() as work:
        work.holds.collect()
        wanted = work.holds.to_hold(before=now - LOOK_AGAIN, limit=limit)
        unwanted = work.holds.to_lift(limit=limit)
    if not desk.vault.can_hold:
        if wanted:
            with desk.begin() as work:
                work.holds.note_waiting(STORE_CANNOT_HOLD)
        return Round()
    done = Round()
    refused: list[StoreUnavailable] = []
    for one, put_on in (*((one, True) for one in wanted), *((one, False) for one in unwanted)):
        try:
            done = _after_hold(done, one, _hold(desk, one, now=now)) if put_on else _after_lift(done, _lift(desk, one))
        except StoreUnavailable as unavailable:
            refused.append(unavailable)  # of this one alone, perhaps: another is asked for before we give up
        if len(refused) == _REFUSALS:
            break
    if refused:
        with desk.begin() as work:
            work.holds.note_waiting(STORE_UNAVAILABLE)
        raise refused[0]
    return done


def _after_hold(done: Round, one: ToHold, newly: int | None) -> Round:
    if newly is None:
        return replace(done, missing=done.missing + 1)
    gone = (one.key.sha256,) if newly and _was_held(one) else ()
    return replace(done, held=done.held + 1, gone=done.gone + gone)


def _after_lift(done: Round, lifted: bool) -> Round:  # noqa: FBT001  what `_lift` said
    return replace(done, lifted=done.lifted + lifted)


def _hold(desk: HoldDesk, one: ToHold, *, now: datetime) -> int | None:
    """Have all versions of an object held; on how many there was no hold before, None for an object that is missing."""
    if not _was_held(one):
        with desk.begin() as work:
            work.holds.note(one.key.sha256, InStore.UNSURE)
    try:
        newly = desk.vault.hold(one.key)
    except ObjectMissing:
        with desk.begin() as work:
            work.holds.note(one.key.sha256, InStore.UNSURE, trouble=OBJECT_MISSING)
        return None
    with desk.begin() as work:
        work.holds.note(one.key.sha256, InStore.HELD, at=now)
        if newly and _was_held(one):
            work.audit.append(Actor.system(""), "object.hold_was_gone", one.key.sha256, versions=newly)
    return newly


def _was_held(one: ToHold) -> bool:
    return one.known is InStore.HELD


def _lift(desk: HoldDesk, one: ToHold) -> bool:
    with desk.begin() as work:
        if work.holds.is_wanted(one.key.sha256):
            return False
        work.holds.note(one.key.sha256, InStore.UNSURE)
    with suppress(ObjectMissing):  # then there is nothing to lift; fixity tells of what is missing
        desk.vault.lift(one.key)
    with desk.begin() as work:
        work.holds.note(one.key.sha256, InStore.FREE)
    return True


def _own(work: UnitOfWork, hold_id: UUID, by: Actor) -> Hold:
    """A hold of the asker's agency on a dossier it has a part in; the dossier is held against other writers."""
    hold = work.holds.of(hold_id)
    work.dossiers.lock(by, hold.dossier_id)
    if hold.agency != by.agency:
        raise NotFound(str(hold_id))
    return work.holds.of(hold_id)
