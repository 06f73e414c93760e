"""Is what we keep still there, and still what it was? Every object is read within a period, a slice of them each hour.

What is wrong is put into quarantine: noted with the moment, shown to whoever runs the service with where it belongs,
and never deleted. That goes for an object that can't be read while the store itself answers: the disk below it is
damaged there, and what comes after it is read all the same. Where there is a second copy, the right bytes are stored
again as the object's next version; the wrong ones stay beneath. Objects that no row names are told of, and left where
they are; uploads that were broken off, and never became objects, are ended.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dossiers.ports import ObjectMissing, StoreRefuses, StoreUnavailable
from dossiers.types import Actor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from dossiers.ports import Begin, ObjectStore, Vault
    from dossiers.types import ObjectKey

#: How old an object without a row must be before it is told of: an upload may be under way.
ORPHAN_AFTER = timedelta(hours=24)
#: Nobody goes on with an upload after so long: the biggest file takes hours at worst.
UPLOAD_BROKEN_AFTER = timedelta(days=7)
_AT_LEAST = 50
_ASKED_AT_ONCE = 500


class FoundAs(StrEnum):
    """What reading an object found. UNREAD until the first time; DAMAGED also when the store can't give it."""

    UNREAD = "unread"
    WHOLE = "whole"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class KeptObject:
    """An object of the register, and what was last found. `copied`: the second store has it too."""

    key: ObjectKey
    found: FoundAs
    found_at: datetime | None
    checked_at: datetime | None
    versions: int
    copied: bool


@dataclass(frozen=True)
class ObjectCounts:
    """The register in figures."""

    objects: int
    quarantined: int
    unread: int
    longest_unread: datetime | None
    copied: int


@dataclass(frozen=True)
class Round:
    """What one round did: objects read, put into quarantine, repaired; and copied to the second store."""

    read: int = 0
    quarantined: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """How many broken uploads were ended; and which store ("first", "second") doesn't let us, with what it said."""

    uploads: int
    refused: Mapping[str, str]


class KeptObjects(Protocol):
    """The register of what the store must hold."""

    def register(self) -> int:
        """Take up every object that a row names and the register doesn't; how many."""
        ...

    def due(self, before: datetime, limit: int, *, uncopied: bool = False) -> Sequence[KeptObject]:
        """Objects not read since then, or `uncopied` ones too; those in quarantine and never read first."""
        ...

    def quarantined(self, limit: int = 100) -> Sequence[KeptObject]:
        """What was found missing or damaged and isn't repaired."""
        ...

    def note(self, sha256: str, found: FoundAs, *, versions: int, copied: bool, at: datetime) -> None:
        """What reading an object found."""
        ...

    def unknown(self, hashes: Iterable[str]) -> set[str]:
        """Those of these hashes that no row names."""
        ...

    def counts(self) -> ObjectCounts:
        """The register in figures."""
        ...

    def names_of(self, sha256: str) -> Sequence[str]:
        """Where rows name an object."""
        ...


@dataclass(frozen=True)
class FixityDesk:
    """What checking works with.

    Attributes:
        store: The store itself, without any cache before it.
        second: Where second copies are kept; None without one.
        period: Within which every object is read.
        work_dir: For files in transit.
        second_vault: The second store as whoever looks after it sees it; None without one.
    """

    begin: Begin
    store: ObjectStore
    vault: Vault
    second: ObjectStore | None
    period: timedelta
    work_dir: Path
    second_vault: Vault | None = None


def check_slice(desk: FixityDesk, *, now: datetime, limit: int | None = None, everything: bool = False) -> Round:
    """Read the objects whose turn it is, an hour's share of all. May run twice or be killed at any moment.

    Args:
        everything: All of them, whenever they were read last.

    Raises:
        StoreUnavailable: The store doesn't answer, not even its own probe; that puts nothing into quarantine.
    """
    with desk.begin() as work:
        work.objects.register()
        there = work.objects.counts().objects
        share = -(-there // max(1, desk.period // timedelta(hours=1)))
        most = max(1, there) if everything else limit or max(_AT_LEAST, 2 * share)
        since = now if everything else now - desk.period
        due = work.objects.due(since, most, uncopied=desk.second is not None)
    quarantined, repaired = [], []
    for one in due:
        found, why, copied = _look(desk, one.key)
        was_wrong = one.found in (FoundAs.MISSING, FoundAs.DAMAGED)
        mended = found is not FoundAs.WHOLE and copied and _repair(desk, one.key)
        versions = _versions(desk, one.key)
        with desk.begin() as work:
            work.objects.note(
                one.key.sha256, FoundAs.WHOLE if mended else found, versions=versions, copied=copied, at=now
            )
            if found is not FoundAs.WHOLE and (mended or not was_wrong):
                event = "object.repaired" if mended else "object.quarantined"
                work.audit.append(
                    Actor.system(""),
                    event,
                    one.key.sha256,
                    found=found.value,
                    reason=why,
                    rows=list(work.objects.names_of(one.key.sha256)),
                )
        if mended:
            repaired.append(one.key.sha256)
        elif found is not FoundAs.WHOLE:
            quarantined.append(one.key.sha256)
    return Round(len(due), tuple(quarantined), tuple(repaired))


def orphans(desk: FixityDesk, *, now: datetime) -> tuple[str, ...]:
    """Objects older than a day that no row names. Nothing is done to them."""
    with desk.begin() as work:
        work.objects.register()
    found: list[str] = []
    waiting: list[str] = []
    for sha256, stored_at in desk.vault.objects():
        if stored_at < now - ORPHAN_AFTER:
            waiting.append(sha256)
        if len(waiting) == _ASKED_AT_ONCE:
            found += _without_row(desk, waiting)
            waiting.clear()
    return tuple(sorted([*found, *_without_row(desk, waiting)]))


def end_broken_uploads(desk: FixityDesk, *, now: datetime) -> Ended:
    """End uploads that were broken off a week ago or longer, in both stores: their parts fill the disk.

    Raises:
        StoreUnavailable: The store doesn't answer. That the second one doesn't is for another day.
    """
    ended, refused = 0, {}
    for which, vault in (("first", desk.vault), ("second", desk.second_vault)):
        if vault is None:
            continue
        try:
            ended += vault.end_uploads(begun_before=now - UPLOAD_BROKEN_AFTER)
        except StoreRefuses as error:
            refused[which] = str(error)
        except StoreUnavailable:
            if vault is desk.vault:
                raise
    return Ended(ended, refused)


def _without_row(desk: FixityDesk, hashes: Sequence[str]) -> set[str]:
    with desk.begin() as work:
        return work.objects.unknown(hashes) if hashes else set()


def _look(desk: FixityDesk, key: ObjectKey) -> tuple[FoundAs, str, bool]:
    """What the store gives for an object, why not, and whether the second store has it; a whole one is copied there."""
    with tempfile.TemporaryDirectory(dir=desk.work_dir) as folder:
        file = Path(folder, "object")
        found, why = _read(desk, key, file)
        if found is not FoundAs.WHOLE:
            return found, why, desk.second is not None and _has(desk.second, key, Path(folder, "copy"))
        if desk.second is None:
            return found, why, False
        try:
            desk.second.put(file, media_type=key.media_type)
        except StoreUnavailable:  # the first is looked at all the same; the copy is made in another hour
            return found, why, False
        return found, why, True


def _read(desk: FixityDesk, key: ObjectKey, to: Path) -> tuple[FoundAs, str]:
    """What the store gives for an object, and what it says where it can't give it.

    Raises:
        StoreUnavailable: It answers nothing else either, so that nothing is known of the object.
    """
    try:
        try:
            desk.store.fetch(key, to)
        except ObjectMissing:
            there = desk.vault.versions(key) > 0 and desk.vault.is_there(key)
            return (FoundAs.DAMAGED if there else FoundAs.MISSING), ""
    except StoreUnavailable as trouble:
        desk.store.probe()
        return FoundAs.DAMAGED, str(trouble)
    return FoundAs.WHOLE, ""


def _versions(desk: FixityDesk, key: ObjectKey) -> int:
    """How many the store lists; none where it can't list this one's."""
    try:
        return desk.vault.versions(key)
    except StoreUnavailable:
        desk.store.probe()
        return 0


def _has(second: ObjectStore, key: ObjectKey, to: Path) -> bool:
    try:
        second.fetch(key, to)
    except (ObjectMissing, StoreUnavailable):
        return False
    return True


def _repair(desk: FixityDesk, key: ObjectKey) -> bool:
    """Store the second copy's bytes as the object's next version, and read them back; False where that fails now."""
    if desk.second is None:
        return False
    with tempfile.TemporaryDirectory(dir=desk.work_dir) as folder:
        file = Path(folder, "object")
        try:
            desk.second.fetch(key, file)
            return desk.store.put(file, media_type=key.media_type) == key
        except (ObjectMissing, StoreUnavailable):  # it is noted as it was found, and comes again in another hour
            return False
