"""A file on its way in from a counter: in parts, over a thin line, until it lies in a dossier.

A parcel is announced with its size and, where the sender can, its hash. Its parts are kept in the order they come, each
durable before the next is asked for; after any break the sender asks how far it came and goes on from there. Once whole
it is compared, put into the store, and becomes a paper of the dossier that its name or its sender says. Where neither
does, it waits in the agency's inbox for a person. Nothing that was taken is thrown away: a parcel nobody wants is set
aside with a reason, and its bytes stay in the store.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from digitize import load
from digitize.types import UnreadableScan
from digitize.words.vietnamese import fold
from dossiers import codes, holds, parting, separation
from dossiers.policy import Act, require
from dossiers.separation import Astray, Brought, Meant, SheetAstray
from dossiers.types import (
    Component,
    ComponentState,
    Duplicate,
    Incomplete,
    NotFound,
    ObjectKey,
    OfficeError,
    WrongState,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from dossiers.types import Actor, Dossier, Procedure

#: How long a parcel that stopped half-way is kept. A counter that was offline for longer sends it from the beginning.
KEPT_FOR = timedelta(days=7)
#: How many a sender may have under way at once: a full scanner's folder after a week offline, and no full disk.
_MOST_COMING = 500
_SHA256_LENGTH = 64
#: Of a telephone's link: a paper of more sheets belongs into the feeder, and no camera's picture is larger.
MOST_PICTURES, MOST_PICTURE_BYTES = 60, 40 * 2**20
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})


class ParcelState(StrEnum):
    """Where a parcel is.

    COMING waits for its sender, WAITING for a person of its agency; a COLLECTED one is a telephone's picture that waits
    until somebody says which paper it is (`phone`). The others are over.
    """

    COMING = "coming"
    WAITING = "waiting"
    COLLECTED = "collected"
    TAKEN = "taken"
    REFUSED = "refused"
    SET_ASIDE = "set_aside"


_COUNTS = frozenset({ParcelState.COMING, ParcelState.COLLECTED, ParcelState.TAKEN})


class PartOutOfPlace(OfficeError):
    """The part doesn't begin where the parcel ends. `arrived` is where it ends."""

    def __init__(self, arrived: int) -> None:
        super().__init__(str(arrived))
        self.arrived = arrived


class ParcelSpoiled(OfficeError):
    """What arrived isn't what was announced, by its hash; it has to be sent again from the beginning."""


@dataclass(frozen=True)
class Address:
    """Where a parcel is meant to go, as far as its sender knows.

    Attributes:
        dossier_id: Said by a page that stands in a dossier; None where only names tell.
        folder: Folder and file name as the counter's computer has them; a dossier code in them is found.
        kind, name, pages_declared, replaces: As for `intake.add_component`.
        phone_link: The telephone's link it comes by; then it is a picture, and no paper yet.
    """

    dossier_id: UUID | None = None
    folder: str = ""
    kind: str = ""
    name: str = ""
    pages_declared: int | None = None
    replaces: UUID | None = None
    phone_link: UUID | None = None


@dataclass(frozen=True)
class Parcel:
    """One file, announced, coming, and then somewhere.

    Attributes:
        desk: Name of the machine that sends it; "" for a person's browser.
        size: Of the whole, in bytes. `arrived`: how many of them are durable here.
        sha256: Of the whole as the sender has it; "" where it can't tell.
        file, pages: What is in the store, once it is whole.
        component_id: The paper it became.
        trouble: Why it was refused, set aside, or waits: a stable code, or a person's words.
    """

    id: UUID
    agency: str
    sent_by: str
    desk: str
    filename: str
    size: int
    sha256: str
    state: ParcelState
    begun_at: datetime
    touched_at: datetime
    dossier_id: UUID | None = None
    folder: str = ""
    kind: str = ""
    name: str = ""
    pages_declared: int | None = None
    replaces: UUID | None = None
    arrived: int = 0
    file: ObjectKey | None = None
    pages: int | None = None
    component_id: UUID | None = None
    trouble: str = ""
    phone_link: UUID | None = None
    version: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of it is here."""
        return self.arrived == self.size


def announce(
    begin: Begin,
    *,
    by: Actor,
    desk: str,
    filename: str,
    size: int,
    sha256: str,
    address: Address,
    limits: load.Limits,
    now: datetime,
) -> Parcel:
    """Begin a parcel, or find the same one again that its sender had begun before and lost from sight.

    Raises:
        UnreadableScan: It is empty, or larger than is taken.
        Incomplete: The hash isn't one; or too many are under way.
        NotFound, WrongState: The dossier it names isn't the asker's, or takes no more papers.
    """
    require(by, Act.ADD_COMPONENT)
    _must_be_of_a_size(size, min(limits.max_bytes, MOST_PICTURE_BYTES) if address.phone_link else limits.max_bytes)
    if sha256 and (len(sha256) != _SHA256_LENGTH or set(sha256) - set("0123456789abcdef")):
        raise Incomplete("sha256", ("sha256",))
    parcel = Parcel(
        id=uuid.uuid4(),
        agency=by.agency,
        sent_by=by.username,
        desk=desk,
        filename=codes.clean_filename(filename),
        size=size,
        sha256=sha256,
        state=ParcelState.COMING,
        begun_at=now,
        touched_at=now,
        dossier_id=address.dossier_id,
        folder=address.folder,
        kind=address.kind,
        name=address.name,
        pages_declared=address.pages_declared,
        replaces=address.replaces,
        phone_link=address.phone_link,
    )
    with begin() as work:
        if address.dossier_id is not None and not work.dossiers.of(by, address.dossier_id).takes_papers:
            raise WrongState("takes_no_papers")
        work.parcels.forget_unfinished(before=now - KEPT_FOR)
        coming = work.parcels.coming(by, desk)
        if sha256:
            for one in coming:
                if _is_the_same(one, parcel):
                    return one
        if there := _picture_there(work, address, sha256):
            return there
        if len(coming) >= _MOST_COMING:
            raise Incomplete("parcels", ("too_many_parcels",))
        return work.parcels.keep(parcel)


def _must_be_of_a_size(size: int, most_bytes: int) -> None:
    if size == 0:
        raise UnreadableScan("empty", "Tệp rỗng (0 byte). Hãy quét lại và gửi tệp khác.")
    if size > most_bytes:
        most = most_bytes // 2**20
        raise UnreadableScan("too_large", f"Tệp nặng quá mức nhận {most} MB. Hãy chia thành nhiều tệp.")


def _picture_there(work: UnitOfWork, address: Address, sha256: str) -> Parcel | None:
    """The same picture of the same link, if it is here already.

    Raises:
        Incomplete: The link has brought as many as it may.
    """
    if address.phone_link is None or address.dossier_id is None:
        return None
    came = [p for p in work.parcels.pictures(address.dossier_id) if p.phone_link == address.phone_link]
    there = _there(work, came, sha256)
    if there is None and sum(p.state in _COUNTS for p in came) >= MOST_PICTURES:
        raise Incomplete("parcels", ("too_many_pictures",))
    return there


def of(begin: Begin, parcel_id: UUID, *, by: Actor) -> Parcel:
    """A parcel of the asker's agency. Raises NotFound."""
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        return work.parcels.of(by, parcel_id)


def add_part(begin: Begin, parcel_id: UUID, *, by: Actor, start: int, part: bytes, now: datetime) -> Parcel:
    """Keep the next bytes; they are durable when this returns.

    Raises:
        NotFound: The asker's agency has no such parcel.
        PartOutOfPlace: It ends elsewhere, or would grow over its size. Nothing was kept.
        WrongState: It isn't coming any more.
    """
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        parcel = work.parcels.lock(by, parcel_id)
        if parcel.state is not ParcelState.COMING:
            raise WrongState(parcel.state)
        if start != parcel.arrived or start + len(part) > parcel.size:
            raise PartOutOfPlace(parcel.arrived)
        if part:
            work.parcels.add_part(parcel.id, start, part)
            parcel = work.parcels.keep(replace(parcel, arrived=start + len(part), touched_at=now))
        return parcel


def cancel(begin: Begin, parcel_id: UUID, *, by: Actor) -> None:
    """Forget a parcel that hasn't come whole: its sender has thought better of it.

    Raises:
        NotFound: The asker's agency has no such parcel.
        WrongState: It is whole: then it is the office's, and is set aside with a reason instead.
        Held: It is for a dossier under legal hold.
    """
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        parcel = work.parcels.lock(by, parcel_id)
        if parcel.state is not ParcelState.COMING:
            raise WrongState(parcel.state)
        holds.refuse_if_held(work, parcel.dossier_id)
        work.parcels.drop(parcel.id)


def take_in(
    begin: Begin,
    store: ObjectStore,
    parcel_id: UUID,
    *,
    by: Actor,
    limits: load.Limits,
    work_dir: Path,
    now: datetime,
) -> Parcel:
    """Make a whole parcel a paper of its dossier, or lay it into the inbox. May be done again after any break.

    A machine's parcel whose dossier takes no papers waits in the inbox with the reason, since nobody stands by who
    could choose another one; a person's is refused with it.

    Raises:
        ParcelSpoiled: Its hash isn't the one announced. It is empty again.
        UnreadableScan: It is no scan we can take; the parcel is refused and the sender keeps the file.
        StoreUnavailable: Nothing was accepted yet; all parts are kept.
        NotFound, WrongState, Incomplete: As `intake.add_component`, of a person's parcel.
    """
    parcel = of(begin, parcel_id, by=by)
    if parcel.state is not ParcelState.COMING:
        return parcel
    if not parcel.is_whole:
        raise PartOutOfPlace(parcel.arrived)
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        file = Path(folder) / "parcel"
        sha256 = _put_together(begin, parcel, file)
        if parcel.sha256 and sha256 != parcel.sha256:
            _end(begin, parcel, by=by, arrived=0, now=now)
            raise ParcelSpoiled(sha256)
        try:
            facts = load.inspect(file, limits=limits)
        except UnreadableScan as unreadable:
            _end(begin, parcel, by=by, state=ParcelState.REFUSED, trouble=unreadable.reason, now=now)
            raise
        parcel = replace(parcel, pages=facts.pages, sha256=sha256)
        try:
            if parcel.phone_link is not None and parcel.dossier_id is not None:
                return _collect(begin, store, parcel, parcel.dossier_id, file, facts.media_type, by=by, now=now)
            address = _addressed(begin, parcel, by=by)
            return _lay_in(begin, store, parcel, address, file, by=by, limits=limits, now=now)
        except UnreadableScan as unreadable:
            _end(begin, parcel, by=by, state=ParcelState.REFUSED, trouble=unreadable.reason, now=now)
            raise
        except (NotFound, WrongState, Incomplete, SheetAstray) as trouble:
            if parcel.desk:
                why = _why(trouble)
                return _lay_by(begin, store, parcel, file, facts.media_type, by=by, trouble=why, now=now)
            _end(begin, parcel, by=by, state=ParcelState.REFUSED, trouble=_why(trouble), now=now)
            raise


def attach(
    begin: Begin,
    store: ObjectStore,
    parcel_id: UUID,
    *,
    by: Actor,
    dossier_code: str,
    kind: str,
    limits: load.Limits,
    work_dir: Path,
    now: datetime,
) -> Parcel:
    """Make a parcel of the inbox a paper of this dossier.

    Raises:
        BadCode: That can't be a dossier code.
        NotFound: No such dossier, or the asker's agency has no part in it; or no such parcel.
        WrongState: The parcel doesn't wait any more, or the dossier takes no more papers.
        Incomplete: The checklist has no such row.
        Duplicate: The dossier has these bytes already.
    """
    parcel = of(begin, parcel_id, by=by)
    if parcel.state is not ParcelState.WAITING or parcel.file is None:
        raise WrongState(parcel.state)
    with begin() as work:
        code = codes.find_dossier_code(dossier_code) or codes.parse_dossier_code(dossier_code)  # or a receipt's QR
        dossier = _dossier(work, by, str(code))
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        file = Path(folder) / "parcel"
        store.fetch(parcel.file, file)
        address = Address(dossier.id, kind=kind)
        return _lay_in(begin, store, parcel, address, file, by=by, limits=limits, now=now, attached=True)


def set_aside(begin: Begin, parcel_id: UUID, *, by: Actor, reason: str, now: datetime) -> Parcel:
    """Take a parcel out of the inbox that belongs to no dossier; its bytes stay in the store.

    Raises:
        Incomplete: No reason given.
        WrongState: It doesn't wait any more.
    """
    require(by, Act.ADD_COMPONENT)
    if not reason.strip():
        raise Incomplete("reason", ("reason",))
    with begin() as work:
        parcel = work.parcels.lock(by, parcel_id)
        if parcel.state is not ParcelState.WAITING:
            raise WrongState(parcel.state)
        parcel = replace(parcel, state=ParcelState.SET_ASIDE, trouble=reason.strip(), touched_at=now)
        parcel = work.parcels.keep(parcel)
        work.audit.append(by, "parcel.set_aside", parcel.id, sha256=parcel.sha256)
        return parcel


def papers_of(begin: Begin, parcel: Parcel, *, by: Actor) -> list[tuple[str, Component]]:
    """The papers a parcel became, each with its dossier's code; the first is the one it names.

    Papers that a stack brought into other dossiers are told as far as the asker may see those.
    """
    if parcel.component_id is None:
        return []
    with begin() as work:
        first = work.components.of(parcel.component_id)
        known = dict.fromkeys(now for i in (first.id, *_parted(work, first.id)) for now in parting.became(work, i))
        found = []
        for component_id in known:
            component = work.components.of(component_id)
            with contextlib.suppress(NotFound):
                found.append((work.dossiers.of(by, component.dossier_id).code, component))
        return found


def _parted(work: UnitOfWork, component_id: UUID) -> list[UUID]:
    """What the log says of the stack that this paper is the first of."""
    for entry in work.audit.of(component_id):
        if entry.event == "scan.parted":
            return [UUID(one) for one in entry.detail.get("papers", ())]
    return []


def waiting(begin: Begin, *, by: Actor) -> Sequence[Parcel]:
    """The inbox of the asker's agency, the longest waiting first."""
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        return work.parcels.waiting(by)


def _is_the_same(one: Parcel, other: Parcel) -> bool:
    """Whether two announcements are of one thing sent to one place."""

    def said(parcel: Parcel) -> tuple[object, ...]:
        return (
            parcel.sha256,
            parcel.size,
            parcel.filename,
            parcel.folder,
            parcel.dossier_id,
            parcel.kind,
            parcel.name,
            parcel.pages_declared,
            parcel.replaces,
            parcel.phone_link,
        )

    return said(one) == said(other)


def _put_together(begin: Begin, parcel: Parcel, file: Path) -> str:
    """Write the parts to a file; gives the SHA-256 of the whole."""
    digest = hashlib.sha256()
    with begin() as work, file.open("wb") as target:
        for part in work.parcels.parts(parcel.id):
            digest.update(part)
            target.write(part)
    return digest.hexdigest()


def _addressed(begin: Begin, parcel: Parcel, *, by: Actor) -> Address:
    """Where it goes: as its sender said, else by the code in its name or folder; no dossier where neither says."""
    address = Address(
        dossier_id=parcel.dossier_id,
        kind=parcel.kind,
        name=parcel.name,
        pages_declared=parcel.pages_declared,
        replaces=parcel.replaces,
    )
    if parcel.dossier_id is not None:
        return address
    path = f"{parcel.folder}/{parcel.filename}"
    code = codes.find_dossier_code(path)
    if code is None:
        return address
    with begin() as work:
        dossier = _dossier(work, by, str(code))
        procedure = work.procedures.of(dossier.procedure)
    return replace(address, dossier_id=dossier.id, kind=_kind_in(parcel.filename, procedure))


def _dossier(work: UnitOfWork, by: Actor, code: str) -> Dossier:
    return work.dossiers.of(by, work.dossiers.by_code(code).id)


def _kind_in(filename: str, procedure: Procedure) -> str:
    """The row of the checklist that a file's name says, by its code or its name; "" where it says none or several."""
    words = fold(filename.rpartition(".")[0]).replace("_", " ").replace("-", " ")
    said = {kind.code for kind in procedure.components if fold(kind.code) in words.split()}
    said |= {kind.code for kind in procedure.components if fold(kind.name) in words}
    return said.pop() if len(said) == 1 else ""


def _lay_in(
    begin: Begin,
    store: ObjectStore,
    parcel: Parcel,
    address: Address,
    file: Path,
    *,
    by: Actor,
    limits: load.Limits,
    now: datetime,
    attached: bool = False,
) -> Parcel:
    """Make it a paper, or several where separator sheets part it; or lay it by.

    Two commits: broken off between them it is done again, and found there. A machine's parts that no dossier takes wait
    in the inbox, each with its reason.

    Args:
        attached: A person says now where it goes, and would be told that it is there already.
    """
    meant = Meant(
        address.dossier_id, address.kind, address.name, parcel.filename, address.pages_declared, address.replaces
    )
    media_type, trouble = load.media_type(file, limits), ""
    try:
        brought = separation.bring_in(
            begin,
            store,
            meant,
            by=by,
            file=file,
            limits=limits,
            now=now,
            lay_by=_into_the_inbox(parcel, now) if parcel.desk else None,
            to_here=attached,
            may_be_there=not attached,
        )
    except Duplicate:
        twin = _twin(begin, address.dossier_id, parcel.sha256)
        if twin is None or attached:
            raise
        brought, trouble = Brought((twin,)), "duplicate"
    if not brought.papers:
        return _lay_by(begin, store, parcel, file, media_type, by=by, now=now, trouble=brought.astray)
    first = brought.papers[0]
    taken = replace(
        parcel,
        state=ParcelState.TAKEN,
        # A stack of several dossiers' papers is of none of them: it would go into one's archive with the other's pages.
        dossier_id=first.dossier_id if first.whole or not first.whole_numbers else None,
        component_id=first.id,
        file=store.put(file, media_type=media_type),
        pages=parcel.pages or first.pages_total,
        trouble=trouble,
    )
    return _keep_over(begin, taken, by=by, now=now)


def _collect(
    begin: Begin,
    store: ObjectStore,
    parcel: Parcel,
    dossier_id: UUID,
    file: Path,
    media_type: str,
    *,
    by: Actor,
    now: datetime,
) -> Parcel:
    """Keep a telephone's picture beside its dossier until it becomes a paper; the same bytes count once.

    Raises:
        UnreadableScan: It is no picture.
        WrongState: The dossier takes no more papers.
    """
    if media_type not in PICTURES:
        raise UnreadableScan("not_a_picture", "Tệp không phải ảnh chụp (JPEG, PNG, WebP). Hãy chụp lại bằng máy ảnh.")
    key = store.put(file, media_type=media_type)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        if not dossier.takes_papers:
            raise WrongState(dossier.state)
        came = [p for p in work.parcels.pictures(dossier.id) if p.id != parcel.id]
        if _there(work, came, key.sha256):
            kept = replace(parcel, state=ParcelState.REFUSED, trouble="duplicate", touched_at=now)
        else:
            kept = replace(parcel, state=ParcelState.COLLECTED, file=key, touched_at=now)
            work.audit.append(by, "phone.picture_received", dossier.id, sha256=key.sha256, link=str(parcel.phone_link))
        kept = work.parcels.keep(kept)
        work.parcels.drop_parts(parcel.id)
        return kept


def _there(work: UnitOfWork, pictures: Sequence[Parcel], sha256: str) -> Parcel | None:
    """The picture with these bytes that waits, or is part of a paper that is still one."""
    for picture in pictures:
        if picture.sha256 != sha256 or picture.file is None:
            continue
        if picture.state is ParcelState.COLLECTED:
            return picture
        if picture.state is not ParcelState.TAKEN or picture.component_id is None:
            continue
        if work.components.of(picture.component_id).state is not ComponentState.REPLACED:
            return picture
    return None


def _into_the_inbox(parcel: Parcel, now: datetime) -> separation.LayBy:
    """Lays a part of a machine's parcel that no dossier takes into the inbox, once."""

    def lay_by(work: UnitOfWork, by: Actor, astray: Astray) -> None:
        part = replace(
            parcel,
            id=uuid.uuid5(parcel.id, astray.file.sha256),
            state=ParcelState.WAITING,
            size=astray.file.size,
            arrived=astray.file.size,
            sha256=astray.file.sha256,
            file=astray.file,
            pages=len(astray.numbers),
            dossier_id=None,
            component_id=None,
            trouble=astray.trouble,
            touched_at=now,
            version=0,
        )
        try:
            work.parcels.of(by, part.id)
        except NotFound:
            work.parcels.keep(part)
            work.audit.append(by, "parcel.parted", part.id, of=str(parcel.id), sha256=part.sha256)

    return lay_by


def _twin(begin: Begin, dossier_id: UUID | None, sha256: str) -> Component | None:
    if dossier_id is None:
        return None
    with begin() as work:
        return work.components.with_scan(dossier_id, sha256)


def _lay_by(
    begin: Begin,
    store: ObjectStore,
    parcel: Parcel,
    file: Path,
    media_type: str,
    *,
    by: Actor,
    now: datetime,
    trouble: str = "",
) -> Parcel:
    key = store.put(file, media_type=media_type)
    return _keep_over(
        begin,
        replace(parcel, state=ParcelState.WAITING, file=key, dossier_id=None, trouble=trouble),
        by=by,
        now=now,
    )


def _end(
    begin: Begin,
    parcel: Parcel,
    *,
    by: Actor,
    now: datetime,
    state: ParcelState = ParcelState.COMING,
    arrived: int | None = None,
    trouble: str = "",
) -> Parcel:
    arrived = parcel.arrived if arrived is None else arrived
    return _keep_over(begin, replace(parcel, state=state, arrived=arrived, trouble=trouble), by=by, now=now)


def _keep_over(begin: Begin, parcel: Parcel, *, by: Actor, now: datetime) -> Parcel:
    """Keep what became of a parcel, and let its parts go: they lie in the store, or are its sender's to send again."""
    with begin() as work:
        kept = work.parcels.keep(replace(parcel, touched_at=now))
        work.parcels.drop_parts(parcel.id)
        if kept.state is not ParcelState.COMING:
            detail = {"sha256": kept.sha256, "size": kept.size, "desk": kept.desk, "trouble": kept.trouble}
            work.audit.append(by, "parcel.ended", kept.id, state=kept.state, **detail)
        return kept


def _why(trouble: OfficeError) -> str:
    match trouble:
        case NotFound():
            return "dossier_unknown"
        case WrongState():
            return "dossier_closed"
        case SheetAstray():
            return "sheet_astray"
        case _:
            return "kind_unknown"
