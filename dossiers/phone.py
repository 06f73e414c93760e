"""The hand-over to a telephone: a link shown as a QR code, and the pictures that come by it until they are a paper.

The link is a secret good for one dossier and a few minutes. Whoever holds it may bring in pictures, take out those that
were no good, and say which paper they are; they learn nothing of the applicant. What comes counts as brought in by the
member of staff who made the link. A picture is kept as a parcel (`parcels`), byte for byte, from the moment it is
called received; pictures become a paper when somebody says so, on the telephone or at the counter (decision 0058).
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from digitize import parts
from digitize.load import PDF
from dossiers import intake, parcels
from dossiers.calendar import VIETNAM
from dossiers.parcels import ParcelState
from dossiers.policy import Act, require
from dossiers.types import Changed, ComponentState, Duplicate, Incomplete, NotAllowed, NotFound, OfficeError, WrongState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitize import load
    from dossiers.parcels import Parcel
    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from dossiers.types import Actor, Component, ComponentKind, ObjectKey, PageGlance

#: How a telephone's token begins where a program shows it: nobody's session does.
TOKEN_HEAD = "hsp_"  # noqa: S105  not a secret, its kind
#: How long pictures may be begun, from when the code is shown or staff add time.
LASTS = timedelta(minutes=10)
#: What was begun in time may still come whole and become a paper.
FINISHING = timedelta(minutes=10)

#: Letters and digits that nobody takes for one another, for the person who must type the address.
_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"
_PART_BYTES = 1024 * 1024
_LENGTH, _GROUP = 28, 4  # 137 bits
_KINDS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class PhoneLinkOver(OfficeError):
    """A telephone's link leads nowhere (any more). `reason` says why: a code that `dossiers.labels` has words for."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class PhoneLink:
    """A dossier opened for a telephone's pictures.

    Attributes:
        token_sha256: Of the secret in the address; the secret itself is kept nowhere.
        kind: The row of the checklist that was chosen at the counter; the telephone may choose another.
        made_by: Username of whom it speaks for.
        seen_at: When a telephone first opened it.
    """

    id: UUID
    token_sha256: str
    dossier_id: UUID
    agency: str
    kind: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    seen_at: datetime | None = None
    ended_at: datetime | None = None
    version: int = 0

    def over(self, now: datetime, *, finishing: bool = False) -> str:
        """Why it can't be used any more, "" while it can."""
        if self.ended_at is not None:
            return "phone_link_ended"
        return "phone_link_expired" if now >= self.expires_at + (FINISHING if finishing else timedelta()) else ""


@dataclass(frozen=True)
class Visit:
    """A telephone with a good link: for whom it acts, and the papers it may choose from."""

    link: PhoneLink
    actor: Actor
    rows: Sequence[ComponentKind]


@dataclass(frozen=True)
class Brought:
    """What came by telephone.

    Attributes:
        pictures: Received, and part of no paper yet; in the order they were taken.
        papers: What was made of others, each with its pages.
    """

    pictures: Sequence[Parcel]
    papers: Sequence[tuple[Component, Sequence[PageGlance]]] = ()

    @property
    def received(self) -> int:
        """All pictures that are here, in a paper or not."""
        return len(self.pictures) + sum(component.pages_total for component, _ in self.papers)


# ── at the counter


def hand_over(begin: Begin, dossier_id: UUID, *, by: Actor, kind: str, now: datetime) -> tuple[PhoneLink, str]:
    """Open a dossier to a telephone; gives the link and, this once, its secret.

    A code that this person showed before and no telephone has opened is over: it was lost with its page.

    Raises:
        NotFound: The asker's agency has no part in such a dossier.
        WrongState: The dossier takes no more papers.
        Incomplete: The checklist has no such row.
    """
    require(by, Act.ADD_COMPONENT)
    token = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        if not dossier.takes_papers:
            raise WrongState(dossier.state)
        if kind and kind not in {row.code for row in work.procedures.of(dossier.procedure).components}:
            raise Incomplete("component_kind", (kind,))
        for earlier in work.phone_links.open_of(dossier.id, now=now):
            if earlier.made_by == by.username and earlier.seen_at is None:
                work.phone_links.keep(replace(earlier, ended_at=now))
        link = work.phone_links.keep(
            PhoneLink(
                id=uuid.uuid4(),
                token_sha256=_sha256(token),
                dossier_id=dossier.id,
                agency=by.agency,
                kind=kind,
                made_by=by.username,
                made_at=now,
                expires_at=now + LASTS,
            )
        )
        work.audit.append(by, "phone.handed_over", dossier.id, link=str(link.id), kind=kind)
    return link, "-".join(token[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def extend(begin: Begin, dossier_id: UUID, link_id: UUID, *, by: Actor, now: datetime) -> PhoneLink:
    """Give a telephone the full time again from now on.

    Raises:
        NotFound: There is no such link of this dossier.
        WrongState: It was ended, or the dossier takes no more papers.
    """
    with begin() as work:
        link = _held(work, dossier_id, link_id, by=by)
        if link.ended_at is not None or not work.dossiers.of(by, dossier_id).takes_papers:
            raise WrongState("phone_link_ended")
        link = work.phone_links.keep(replace(link, expires_at=now + LASTS))
        work.audit.append(by, "phone.extended", dossier_id, link=str(link.id))
        return link


def end(begin: Begin, dossier_id: UUID, link_id: UUID, *, by: Actor, now: datetime) -> PhoneLink:
    """Make a telephone a stranger at once; what it has sent stays.

    Raises:
        NotFound: There is no such link of this dossier.
    """
    with begin() as work:
        link = _held(work, dossier_id, link_id, by=by)
        if link.ended_at is None:
            link = work.phone_links.keep(replace(link, ended_at=now))
            work.audit.append(by, "phone.ended", dossier_id, link=str(link.id))
        return link


def _held(work: UnitOfWork, dossier_id: UUID, link_id: UUID, *, by: Actor) -> PhoneLink:
    require(by, Act.ADD_COMPONENT)
    dossier = work.dossiers.of(by, dossier_id)
    link = work.phone_links.lock(link_id)
    if link.dossier_id != dossier.id:
        raise NotFound("phone_link")
    return link


# ── on the telephone


def visit(begin: Begin, token: str, *, now: datetime, finishing: bool = False) -> Visit:
    """Who a telephone acts for.

    Args:
        finishing: Whether it only ends what it has begun, for which there is a while more.

    Raises:
        PhoneLinkOver: Nobody's link, or it is over; or its person has left, or the dossier takes no more papers.
    """
    with begin() as work:
        try:
            link = work.phone_links.by_token(_sha256(token.replace("-", "").lower()))
            person = work.accounts.of(link.made_by)
        except NotFound:
            raise PhoneLinkOver("phone_link_unknown") from None
        if over := link.over(now, finishing=finishing):
            raise PhoneLinkOver(over)
        if not person.active or person.agency != link.agency:
            raise PhoneLinkOver("phone_link_ended")
        try:
            require(person.actor, Act.ADD_COMPONENT)
            dossier = work.dossiers.of(person.actor, link.dossier_id)
        except (NotAllowed, NotFound):
            raise PhoneLinkOver("phone_link_ended") from None
        if not dossier.takes_papers:
            raise PhoneLinkOver("phone_link_dossier_closed")
        if link.seen_at is None:
            work.phone_links.saw(link.id, now=now)
        return Visit(link, person.actor, work.procedures.of(dossier.procedure).components)


def brought(work: UnitOfWork, dossier_id: UUID, *, link_id: UUID | None = None) -> Brought:
    """What came to a dossier by telephone, by one link or by any; of a dossier the caller may see."""
    came = [p for p in work.parcels.pictures(dossier_id) if link_id in (None, p.phone_link)]
    made = dict.fromkeys(p.component_id for p in came if p.state is ParcelState.TAKEN and p.component_id)
    papers = [work.components.of(one) for one in made]
    glances = work.components.glance(made)
    return Brought(
        [p for p in came if p.state is ParcelState.COLLECTED],
        [
            (paper, [page for page in glances if page.component_id == paper.id])
            for paper in papers
            if paper.state is not ComponentState.REPLACED
        ],
    )


def take_picture(
    begin: Begin,
    store: ObjectStore,
    visit: Visit,
    *,
    file: Path,
    filename: str,
    limits: load.Limits,
    work_dir: Path,
    now: datetime,
) -> Parcel:
    """Take in a picture that is here whole: the way of `parcels`, in one go.

    Raises:
        UnreadableScan, StoreUnavailable, WrongState, Incomplete: As `parcels.announce` and `parcels.take_in`.
    """
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    parcel = parcels.announce(
        begin,
        by=visit.actor,
        desk="",
        filename=filename,
        size=file.stat().st_size,
        sha256=sha256,
        address=parcels.Address(dossier_id=visit.link.dossier_id, phone_link=visit.link.id),
        limits=limits,
        now=now,
    )
    if parcel.state is not ParcelState.COMING:
        return replace(parcel, state=ParcelState.REFUSED, trouble="duplicate")  # it is here: this one isn't another
    with file.open("rb") as content:
        content.seek(parcel.arrived)
        while part := content.read(_PART_BYTES):
            parcel = parcels.add_part(begin, parcel.id, by=visit.actor, start=parcel.arrived, part=part, now=now)
    return parcels.take_in(begin, store, parcel.id, by=visit.actor, limits=limits, work_dir=work_dir, now=now)


def drop(
    begin: Begin, dossier_id: UUID, parcel_id: UUID, *, by: Actor, now: datetime, link_id: UUID | None = None
) -> None:
    """Take out a picture that is part of no paper; its bytes stay in the store.

    Args:
        link_id: Where a telephone asks: only what came by its own link.

    Raises:
        NotFound: No such picture came.
        WrongState: It is part of a paper, or was taken out before.
    """
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        dossier = work.dossiers.of(by, dossier_id)
        picture = work.parcels.lock_picture(parcel_id)
        if picture.dossier_id != dossier.id or link_id not in (None, picture.phone_link):
            raise NotFound("picture")
        if picture.state is not ParcelState.COLLECTED:
            raise WrongState(picture.state)
        work.parcels.keep(replace(picture, state=ParcelState.SET_ASIDE, trouble="phone_dropped", touched_at=now))
        work.audit.append(by, "phone.picture_dropped", dossier.id, sha256=picture.sha256)


def hand_in(
    begin: Begin,
    store: ObjectStore,
    dossier_id: UUID,
    *,
    by: Actor,
    kind: str,
    limits: load.Limits,
    work_dir: Path,
    now: datetime,
    link_id: UUID | None = None,
) -> Component:
    """Make the pictures that wait one paper of the dossier, in the order they were taken.

    One picture is the scan itself; several are bound into a PDF with their bytes unchanged (`digitize.parts.bind`).
    The pictures stay beside it as they came.

    Args:
        link_id: Only those of this link; None for all.

    Raises:
        Incomplete: None waits; or the checklist has no such row.
        Duplicate: The dossier has these very bytes already; they wait on.
        Changed: Somebody else has just made a paper of them, or taken one out.
        WrongState: The dossier takes no more papers.
        UnreadableScan: One of them can't be bound.
        StoreUnavailable: Nothing has changed.
    """
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        dossier = work.dossiers.of(by, dossier_id)
        if not dossier.takes_papers:
            raise WrongState(dossier.state)
        pictures = brought(work, dossier.id, link_id=link_id).pictures
    if not pictures:
        raise Incomplete("pictures", ("no_pictures",))
    scan, filename = _bound(store, pictures, limits=limits, work_dir=work_dir)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        held = [work.parcels.lock_picture(picture.id) for picture in pictures]
        if any(picture.state is not ParcelState.COLLECTED for picture in held):
            raise Changed("pictures")
        twin = work.components.with_scan(dossier.id, scan.sha256)
        if twin is not None and twin.state is not ComponentState.REPLACED:
            raise Duplicate(scan.sha256, of=f"{dossier.code}.{twin.ordinal:03d}")
        paper = intake.Paper(scan=scan, pages=len(held), signed=False, filename=filename, kind=kind)
        component = intake.lay_in(work, by, dossier.id, paper, now=now)
        for picture in held:
            taken = replace(picture, state=ParcelState.TAKEN, component_id=component.id, kind=kind, touched_at=now)
            work.parcels.keep(taken)
        work.audit.append(
            by, "phone.paper_made", component.id, dossier=dossier.code, pictures=[picture.sha256 for picture in held]
        )
        return component


def _bound(
    store: ObjectStore, pictures: Sequence[Parcel], *, limits: load.Limits, work_dir: Path
) -> tuple[ObjectKey, str]:
    """The scan that these pictures are, and what its file is called."""
    keys = [picture.file for picture in pictures if picture.file is not None]
    name = f"anh-dien-thoai-{pictures[0].begun_at.astimezone(VIETNAM):%H%M%S}"
    if len(keys) == 1:
        return keys[0], f"{name}.{_KINDS.get(keys[0].media_type, 'jpg')}"
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        files = [Path(folder, str(number)) for number in range(len(keys))]
        for key, file in zip(keys, files, strict=True):
            store.fetch(key, file)
        target = Path(folder, "paper.pdf")
        parts.bind(files, target, limits=limits)
        return store.put(target, media_type=PDF), f"{name}.pdf"


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
