"""From the counter: open a dossier, add its papers, receive it with a promised date."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from digitize import load
from dossiers import amendments, codes, page_marks
from dossiers.calendar import local_day
from dossiers.policy import Act, require
from dossiers.types import (
    AgencyKind,
    ChangeKind,
    Component,
    ComponentState,
    Dossier,
    DossierState,
    Duplicate,
    Incomplete,
    NotAllowed,
    Page,
    PageState,
    ReceiptLine,
    ResultState,
    WrongState,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from pathlib import Path
    from uuid import UUID

    from dossiers.calendar import WorkCalendar
    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from dossiers.types import Actor, Applicant, ExtractedField, ObjectKey

#: A result in one of these is on its way to being issued.
_ON_ITS_WAY = frozenset({ResultState.SUBMITTED, ResultState.APPROVED, ResultState.LEADER_SIGNED, ResultState.SEALED})

_IS_BEING_SIGNED = frozenset({ComponentState.CAPTURE_SIGNING, ComponentState.SIGNING})


@dataclass(frozen=True)
class Change:
    """Something that isn't any more as the receipt says; `pages` and `images` are today's."""

    kind: ChangeKind
    name: str
    pages: int
    images: int


@dataclass(frozen=True)
class Receipt:
    """Giấy tiếp nhận và hẹn trả: the codes, the papers and the promised date.

    What it says of papers is what was so when the dossier was received, however often it is printed: the citizen has
    the same. `changes` says what isn't so any more.
    """

    code: str
    lookup_code: str
    procedure: str
    applicant: str
    received_at: datetime
    due_on: date
    lines: tuple[ReceiptLine, ...]
    changes: tuple[Change, ...] = ()

    @property
    def pages(self) -> int:
        """Pages of all its papers."""
        return sum(line.pages for line in self.lines)

    @property
    def images(self) -> int:
        """Images of all its papers."""
        return sum(line.images for line in self.lines)


@dataclass(frozen=True)
class Known:
    """What is known already of a paper that was part of another one: its pages needn't be read again.

    Attributes:
        scanned_by, scanned_at: Who scanned it, and when.
        pages: In their order, each as it stood there; those that weren't read are read.
        fields: What people have said of it; what a machine found is found again.
    """

    scanned_by: str
    scanned_at: datetime
    pages: tuple[Page, ...]
    fields: tuple[ExtractedField, ...] = ()


@dataclass(frozen=True)
class Paper:
    """A scan that is in the store, and what it is to be in its dossier.

    Attributes:
        kind, name, pages_declared, replaces: As for `add_component`.
        trouble: What a person is to be asked about it.
        whole, numbers: The scan it is a part of, and its pages there; see `Component`.
        known: Of a paper that was part of another one in this dossier.
    """

    scan: ObjectKey
    pages: int
    signed: bool
    filename: str
    kind: str = ""
    name: str = ""
    pages_declared: int | None = None
    replaces: UUID | None = None
    trouble: str = ""
    whole: ObjectKey | None = None
    numbers: tuple[int, ...] = ()
    known: Known | None = None


def open_dossier(
    begin: Begin,
    *,
    by: Actor,
    procedure: str,
    applicant: Applicant,
    now: datetime,
    receiving: str | None = None,
    competent: str | None = None,
    back_file: bool = False,
) -> Dossier:
    """Open a draft dossier under the receiving agency's code of the day.

    A post office opens it for the agency it helps (`receiving`, else the one above it); a desk opens it for itself.

    Args:
        back_file: An old one that is digitised after the fact: its pages wait until nobody's at the counter do.

    Raises:
        NotAllowed: The role may not, or a desk opens one for another agency to receive.
        NotFound: No such procedure or agency.
    """
    require(by, Act.OPEN_DOSSIER)
    with begin() as work:
        work.procedures.of(procedure)
        own = work.agencies.of(by.agency)
        helping = own.kind is AgencyKind.POST_OFFICE
        if helping:
            receiving = receiving or own.parent
        elif receiving not in (None, own.code):
            raise NotAllowed("receiving")
        received_by = work.agencies.of(receiving or own.code)
        decided_by = work.agencies.of(competent or received_by.code)
        if AgencyKind.POST_OFFICE in (received_by.kind, decided_by.kind):
            raise NotAllowed("post_office")
        day = local_day(now)
        dossier = work.dossiers.keep(
            Dossier(
                id=uuid.uuid4(),
                code=codes.dossier_code(received_by.code, day, work.dossiers.next_ordinal(received_by.code, day)),
                lookup_code=codes.new_lookup_code(),
                procedure=procedure,
                applicant=applicant,
                receiving=received_by.code,
                competent=decided_by.code,
                helped_at=own.code if helping else None,
                paper_at=own.code,
                state=DossierState.DRAFT,
                opened_by=by.username,
                opened_at=now,
                back_file=back_file,
            )
        )
        told = {"back_file": True} if back_file else {}
        work.audit.append(by, "dossier.opened", dossier.id, code=dossier.code, procedure=procedure, **told)
        return dossier


def add_component(
    begin: Begin,
    store: ObjectStore,
    dossier_id: UUID,
    *,
    by: Actor,
    file: Path,
    filename: str,
    kind: str,
    limits: load.Limits,
    now: datetime,
    name: str = "",
    pages_declared: int | None = None,
    replaces: UUID | None = None,
) -> Component:
    """Take in one scanned paper: its bytes are durable and read back before this returns, and its pages are queued.

    Args:
        file: The scan as it came; it is not changed.
        kind: Code of the checklist row, or "" for a paper outside the list (then `name` says what it is).
        replaces: A component that this scan takes the place of (a rescan).

    Raises:
        UnreadableScan: The file is no scan we can take; the dossier is as it was.
        Duplicate: The dossier already has these very bytes.
        StoreUnavailable: Nothing was accepted.
        WrongState: The dossier takes no more papers.
    """
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        _must_take_papers(work.dossiers.of(by, dossier_id))
    facts = load.inspect(file, limits=limits)
    scan = store.put(file, media_type=facts.media_type)
    paper = Paper(
        scan=scan,
        pages=facts.pages,
        signed=facts.signed,
        filename=filename,
        kind=kind,
        name=name,
        pages_declared=pages_declared,
        replaces=replaces,
    )
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        twin = work.components.with_scan(dossier.id, scan.sha256)
        if twin is not None and twin.state is not ComponentState.REPLACED:  # what was taken out may come again
            raise Duplicate(scan.sha256, of=f"{dossier.code}.{twin.ordinal:03d}")
        return lay_in(work, by, dossier.id, paper, now=now)


def lay_in(work: UnitOfWork, by: Actor, dossier_id: UUID, paper: Paper, *, now: datetime) -> Component:
    """Make a scan that is in the store a paper of a dossier, its pages queued, in the caller's transaction.

    Raises:
        WrongState: The dossier takes no more papers, or what is replaced is no paper of it.
        Incomplete: The checklist has no such row.
    """
    dossier = work.dossiers.lock(by, dossier_id)
    _must_take_papers(dossier)
    kinds = {k.code: k.name for k in work.procedures.of(dossier.procedure).components}
    if paper.kind and paper.kind not in kinds:
        raise Incomplete("component_kind", (paper.kind,))
    filename = codes.clean_filename(paper.filename)
    component = work.components.keep(
        Component(
            id=uuid.uuid4(),
            dossier_id=dossier.id,
            ordinal=_next_ordinal(work, dossier.id),
            kind=paper.kind,
            name=paper.name or kinds.get(paper.kind) or filename,
            scan=paper.scan,
            filename=filename,
            pages_total=paper.pages,
            state=ComponentState.RECEIVED,
            scanned_by=paper.known.scanned_by if paper.known else by.username,
            scanned_at=paper.known.scanned_at if paper.known else now,
            signed_scan=paper.signed,
            pages_declared=paper.pages_declared,
            trouble=paper.trouble,
            whole=paper.whole,
            whole_numbers=paper.numbers,
        )
    )
    pages = _pages(component, paper)
    for page in pages:
        work.components.keep_page(page)
        if page.state is PageState.RECEIVED:
            work.jobs.read_page(page.id, back_file=dossier.back_file)
    for said in paper.known.fields if paper.known else ():
        work.components.keep_field(replace(said, component_id=component.id))
    if any(page.thumbnail is None for page in pages):
        work.jobs.look_at_pages(component.id, back_file=dossier.back_file)
    if paper.replaces is not None:
        _replace(work, by, dossier, paper.replaces, event="component.parted" if paper.known else "component.replaced")
    if dossier.state not in (DossierState.DRAFT, DossierState.DIGITIZING):
        work.dossiers.keep(dossier.move(DossierState.DIGITIZING))
    work.audit.append(
        by, "component.received", component.id, dossier=dossier.code, sha256=paper.scan.sha256, pages=paper.pages
    )
    return component


def move_component(
    begin: Begin, component_id: UUID, *, by: Actor, dossier_id: UUID, kind: str, name: str = ""
) -> Component:
    """Say that a paper is another one of the checklist than was thought; its scan and its reading stay.

    Args:
        kind: Code of the checklist row it belongs to, or "" for a paper outside the list.
        name: What it is, where it is outside the list; its file's name when nothing is said.

    Raises:
        NotFound: The dossier has no such paper.
        Incomplete: The checklist has no such row.
        WrongState: The dossier takes no more papers, or the paper is signed, is being signed, or was taken out.
    """
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        _must_take_papers(dossier)
        component = _lock_component(work, dossier, component_id)
        signed_here = component.copy is not None and not component.signed_scan
        if signed_here or component.state in _IS_BEING_SIGNED:
            raise WrongState(component.state)  # the signed copy bears its name
        kinds = {k.code: k.name for k in work.procedures.of(dossier.procedure).components}
        if kind and kind not in kinds:
            raise Incomplete("component_kind", (kind,))
        moved = replace(component, kind=kind, name=kinds[kind] if kind else name or component.filename)
        if moved == component:
            return component
        if component.state is ComponentState.REVIEWED:  # its PDF is made already, under the old name
            moved = replace(moved, revision=component.revision + 1, searchable=None, unstamped=None)
            work.jobs.assemble(moved.id, moved.revision, back_file=dossier.back_file)
        moved = work.components.keep(moved)
        amendments.log(
            work,
            by,
            "component.moved",
            moved.id,
            of=dossier.id,
            changes={"name": (component.name, moved.name)},
            dossier=dossier.code,
            was=component.kind,
            kind=kind,
        )
        return moved


def drop_component(begin: Begin, component_id: UUID, *, by: Actor, dossier_id: UUID) -> int:
    """Take a paper out of a dossier that wasn't received yet; its scan stays in the store, and may be sent again.

    What waits to be done with it is dropped; a page that is being read at this moment ends without a result.

    Returns:
        How many of its pages won't be read now.

    Raises:
        NotFound: The dossier has no such paper.
        WrongState: The receipt names it already, or it was taken out before.
    """
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        if dossier.state is not DossierState.DRAFT:
            raise WrongState(dossier.state)
        component = _lock_component(work, dossier, component_id)
        work.components.keep(replace(component, state=ComponentState.REPLACED))
        unread = work.jobs.drop(component.id)
        work.audit.append(
            by, "component.dropped", component.id, dossier=dossier.code, sha256=component.scan.sha256, unread=unread
        )
        return unread


def receive(begin: Begin, dossier_id: UUID, *, by: Actor, calendar: WorkCalendar, now: datetime) -> Receipt:
    """Receive the dossier: every required paper is there, the promised date is set, the receipt can be printed.

    Raises:
        Incomplete: Required papers are missing; all of them are named at once. Or pictures from a telephone wait to
            become a paper.
        WrongState: It was received before.
    """
    require(by, Act.RECEIVE)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        procedure = work.procedures.of(dossier.procedure)
        components = work.components.of_dossier(dossier.id)
        present = {c.kind for c in components}
        missing = tuple(k.name for k in procedure.components if k.required and k.code not in present)
        if missing or not components:
            raise Incomplete("components", missing)
        if work.parcels.are_collected(dossier.id):  # someone photographed them for this dossier: never left behind
            raise Incomplete("pictures", ("pictures_waiting",))
        due_on = calendar.due_on(now, procedure.working_days)
        lines = _lines(work, components)
        dossier = dossier.move(DossierState.RECEIVED, received_at=now, due_on=due_on, receipt=lines)
        done = all(c.state is ComponentState.DIGITIZED for c in components)
        dossier = work.dossiers.keep(dossier.move(DossierState.DIGITIZED if done else DossierState.DIGITIZING))
        work.audit.append(
            by,
            "dossier.received",
            dossier.id,
            code=dossier.code,
            due_on=due_on.isoformat(),
            papers=[[line.sha256, line.pages, line.images] for line in lines],
        )
        return _receipt(work, dossier)


def receipt(begin: Begin, dossier_id: UUID, *, by: Actor) -> Receipt:
    """The receipt of a received dossier, to print again.

    Raises:
        WrongState: It has not been received yet.
    """
    require(by, Act.SEE)
    with begin() as work:
        dossier = work.dossiers.of(by, dossier_id)
        return _receipt(work, dossier)


def close(begin: Begin, dossier_id: UUID, *, by: Actor, state: DossierState, reason: str, now: datetime) -> Dossier:
    """Refuse a dossier, cancel it, or ask for a supplement: with a reason the citizen can read.

    Of one that is given up nothing more is read or signed: waiting jobs are dropped, running ones end without a
    result. Its papers stay as they are, and every scan stays in the store.

    Raises:
        WrongState: Not from its present state; a result is being signed; or `state` is none of the three.
        Incomplete: No reason given.
    """
    require(by, Act.CLOSE)
    if state not in (DossierState.REFUSED, DossierState.CANCELLED, DossierState.NEEDS_SUPPLEMENT):
        raise WrongState(state)
    if not reason.strip():
        raise Incomplete("reason", ("reason",))
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        results = work.e_results.of_dossier(dossier.id)
        if any(r.state in _ON_ITS_WAY for r in results):
            raise WrongState("result_pending")  # it is taken back first, which voids its number
        if state is not DossierState.NEEDS_SUPPLEMENT:
            for r in results:
                if r.state is ResultState.DRAFT and r.number is not None and r.dated is not None:
                    work.e_results.void_number(r.agency, r.symbol, r.dated.year, r.number, "dossier_closed")
        changes = {"note": (dossier.note, reason)}
        dossier = work.dossiers.keep(dossier.move(state, note=reason))
        told = {"unread": _give_up(work, dossier)} if dossier.is_given_up else {}
        amendments.log(
            work,
            by,
            f"dossier.{state}",
            dossier.id,
            of=dossier.id,
            changes=changes,
            code=dossier.code,
            at=now.isoformat(),
            **told,
        )
        return dossier


def resume(begin: Begin, dossier_id: UUID, *, by: Actor) -> Dossier:
    """Go on with a dossier that waited for a supplement, with the papers it has."""
    require(by, Act.CLOSE)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        if dossier.state is not DossierState.NEEDS_SUPPLEMENT:
            raise WrongState(dossier.state)
        components = work.components.of_dossier(dossier.id)
        done = all(c.state is ComponentState.DIGITIZED for c in components)
        state = DossierState.DIGITIZED if done else DossierState.DIGITIZING
        changes = {"note": (dossier.note, "")}
        dossier = work.dossiers.keep(dossier.move(state, note=""))
        amendments.log(work, by, "dossier.resumed", dossier.id, of=dossier.id, changes=changes, code=dossier.code)
        return dossier


def start_processing(begin: Begin, dossier_id: UUID, *, by: Actor) -> Dossier:
    """The competent agency takes the digitised dossier into work."""
    require(by, Act.PROCESS)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        if by.agency != dossier.competent:
            raise NotAllowed("competent")
        dossier = dossier.move(DossierState.IN_PROCESS)
        if any(r.state is ResultState.ISSUED for r in work.e_results.of_dossier(dossier.id)):
            dossier = dossier.move(DossierState.RESULT_READY)
        dossier = work.dossiers.keep(dossier)
        work.audit.append(by, "dossier.in_process", dossier.id, code=dossier.code)
        return dossier


def hand_over(begin: Begin, dossier_id: UUID, *, by: Actor) -> Dossier:
    """The result has reached the citizen."""
    require(by, Act.HAND_OVER)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        dossier = work.dossiers.keep(dossier.move(DossierState.RETURNED))
        work.audit.append(by, "dossier.returned", dossier.id, code=dossier.code)
        return dossier


def _must_take_papers(dossier: Dossier) -> None:
    if not dossier.takes_papers:
        raise WrongState(dossier.state)


def _next_ordinal(work: UnitOfWork, dossier_id: UUID) -> int:
    return work.components.last_ordinal(dossier_id) + 1


def _lock_component(work: UnitOfWork, dossier: Dossier, component_id: UUID) -> Component:
    component = work.components.lock(component_id, within=dossier.id)
    if component.state is ComponentState.REPLACED:
        raise WrongState(component.state)
    return component


def _pages(component: Component, paper: Paper) -> list[Page]:
    """The pages of a new paper: unread, or as they are known already."""
    known: Sequence[Page | None] = paper.known.pages if paper.known else [None] * paper.pages
    blank = Page(id=component.id, component_id=component.id, number=1, state=PageState.RECEIVED)
    return [
        replace(page or blank, id=uuid.uuid4(), component_id=component.id, number=number)
        for number, page in enumerate(known, start=1)
    ]


def _replace(work: UnitOfWork, by: Actor, dossier: Dossier, component_id: UUID, *, event: str) -> None:
    old = work.components.lock(component_id)
    if old.dossier_id != dossier.id or old.state is ComponentState.REPLACED:
        raise WrongState("replaces")
    work.components.keep(replace(old, state=ComponentState.REPLACED))
    unread = work.jobs.drop(old.id)
    work.audit.append(by, event, old.id, dossier=dossier.code, sha256=old.scan.sha256, unread=unread)


def _give_up(work: UnitOfWork, dossier: Dossier) -> int:
    """Drop what waits to be done with its papers; how many pages won't be read."""
    unread = 0
    for component in work.components.of_dossier(dossier.id):
        # Held first: a page that ends at this moment has either been recorded, or will see that it isn't wanted.
        work.components.lock(component.id)
        unread += work.jobs.drop(component.id)
    return unread


def _receipt(work: UnitOfWork, dossier: Dossier) -> Receipt:
    if dossier.received_at is None or dossier.due_on is None:
        raise WrongState(dossier.state)
    return Receipt(
        code=dossier.code,
        lookup_code=dossier.lookup_code,
        procedure=work.procedures.of(dossier.procedure).name,
        applicant=dossier.applicant.name,
        received_at=dossier.received_at,
        due_on=dossier.due_on,
        lines=lines_of(work, dossier),
        changes=changes_of(work, dossier),
    )


def lines_of(work: UnitOfWork, dossier: Dossier) -> tuple[ReceiptLine, ...]:
    """The papers as the receipt of a received dossier says; of one from before lines were kept, as it said then."""
    if dossier.receipt:
        return dossier.receipt
    return tuple(
        ReceiptLine(c.ordinal, c.name, c.pages_total, c.pages_total, c.scan.sha256, c.id)
        for c in work.components.of_dossier(dossier.id)
    )


def changes_of(work: UnitOfWork, dossier: Dossier) -> tuple[Change, ...]:
    """What isn't any more as the receipt says, in the order of the papers; those that came since at the end."""
    now = {line.component_id: line for line in _lines(work, work.components.of_dossier(dossier.id))}
    then = {line.component_id: line for line in lines_of(work, dossier)}
    found = []
    for component_id, line in then.items():
        if component_id not in now:
            found.append(_change(ChangeKind.GONE, line))
        elif (now[component_id].pages, now[component_id].images) != (line.pages, line.images):
            found.append(_change(ChangeKind.RECOUNTED, now[component_id]))
    return (*found, *(_change(ChangeKind.NEW, line) for of, line in now.items() if of not in then))


def _change(kind: ChangeKind, line: ReceiptLine) -> Change:
    return Change(kind, line.name, line.pages, line.images)


def _lines(work: UnitOfWork, components: Sequence[Component]) -> tuple[ReceiptLine, ...]:
    """What a receipt says of these papers if it is made now."""
    counts = page_marks.counts(work, components)
    return tuple(
        ReceiptLine(c.ordinal, c.name, counts[c.id].pages, counts[c.id].images, c.scan.sha256, c.id) for c in components
    )
