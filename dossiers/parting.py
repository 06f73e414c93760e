"""Two papers in one file, parted by a person: where a separator sheet was forgotten, or nobody could read it.

A person says at which page another paper begins, and whether that page is a sheet. From there on it goes the way of
`separation`: the scan as it came is kept whole, each paper's own scan is a part of it, and the paper that was one gives
way to those that it is made into. A sheet is in neither of them; it stays in the scan, and the log says which page it
is. What was read is carried over, with everything people have corrected in it.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from digitize import separators
from digitize.load import inspect
from dossiers import codes, intake, page_marks, separation
from dossiers.policy import Act, require
from dossiers.separation import ASKED, UNREAD, Meant, Names, Part, Planned
from dossiers.types import ComponentState, Incomplete, NotFound, PageState, WrongState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from digitize import load
    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from dossiers.types import Actor, Component, Dossier, ObjectKey, Page

#: Why a paper can't be parted there, or at all.
FIRST_PAGE, ONLY_A_SHEET, BY_COMPUTER = "part_first_page", "part_only_a_sheet", "part_by_computer"

_READ = frozenset({PageState.READ, PageState.REVIEWED})


@dataclass(frozen=True)
class Cut:
    """Where another paper begins, and what it is.

    Attributes:
        page: Its first page, 1-based within the paper as it is now; or, with `is_sheet`, the sheet before it.
        is_sheet: That page is a separator sheet: it belongs to neither paper.
        kind: Code of its row of the checklist, or "" for a paper outside the list.
        name: What it is, where it is outside the list.
    """

    page: int
    is_sheet: bool = False
    kind: str = ""
    name: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a cut will make of a paper, in numbers of its pages as it is now.

    Attributes:
        before: Pages that stay what they are; () where all of it is the other paper.
        after: Pages of the other paper; () where nothing follows the sheet.
        sheet: The page that is a sheet; None for none.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    sheet: int | None = None


def outcome(pages: int, at: Cut) -> Outcome:
    """What a cut will make of a paper of so many pages; every page is in one of both, or is the sheet.

    Raises:
        NotFound: The paper has no such page.
        WrongState: `FIRST_PAGE`: nothing comes before; `ONLY_A_SHEET`: nothing is left of it.
    """
    if not 1 <= at.page <= pages:
        raise NotFound(f"page {at.page}")
    if at.page == 1 and not at.is_sheet:
        raise WrongState(FIRST_PAGE)
    if pages == 1:
        raise WrongState(ONLY_A_SHEET)
    return Outcome(
        before=tuple(range(1, at.page)),
        after=tuple(range(at.page + at.is_sheet, pages + 1)),
        sheet=at.page if at.is_sheet else None,
    )


def may_be_parted(dossier: Dossier, component: Component) -> bool:
    """Whether a paper can still be parted: its dossier takes papers, and nothing of it is signed or being signed."""
    return dossier.takes_papers and page_marks.may_be_marked(component)


def by_hand(
    begin: Begin,
    store: ObjectStore,
    component_id: UUID,
    *,
    by: Actor,
    dossier_id: UUID,
    at: Cut,
    limits: load.Limits,
    work_dir: Path,
    now: datetime,
) -> tuple[Component, ...]:
    """Make two papers of one, or one without the sheet in front of it or behind; the papers, in order.

    All of it in one commit, with the jobs: it may be asked for again after any break, and gives back what is there.

    Raises:
        NotFound: The dossier has no such paper, or the paper no such page.
        WrongState: As `outcome`; or `BY_COMPUTER`: it was written by a computer and is kept as it is; or the dossier
            takes no more papers, or the paper's copy is signed or being signed, or something else took its place.
        Incomplete: The checklist has no such row.
        UnreadableScan: The scan can't be taken apart.
        ObjectMissing, StoreUnavailable: The scan can't be had now; nothing has changed.
    """
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        dossier = work.dossiers.of(by, dossier_id)
        component = work.components.of(component_id, within=dossier.id)
        said = outcome(component.pages_total, at)
        if component.state is ComponentState.REPLACED:
            return _there(work, component, said)
        _must_be_parted(dossier, component)
        if at.kind and at.kind not in {kind.code for kind in work.procedures.of(dossier.procedure).components}:
            raise Incomplete("component_kind", (at.kind,))
    names = Names(dossier.code, at.kind, codes.clean_filename(at.name) if at.name.strip() and not at.kind else "")
    parts, scans = _cut(store, component, said, names, limits=limits, work_dir=work_dir)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        component = work.components.lock(component_id)
        if component.state is ComponentState.REPLACED:  # a second click, a moment later
            return _there(work, component, said)
        _must_be_parted(dossier, component)
        known = _known(work, component, said)
        counts = [page_marks.counted(one.pages) for one in known]
        counted = separation.counted_apart(component.pages_declared, [one.images - one.notes for one in counts])
        planned = [
            Planned(part, dossier.id, scan, count, one)
            for part, scan, count, one in zip(parts, scans, counted, known, strict=True)
        ]
        meant = Meant(
            dossier.id, kind=component.kind, name=component.name, filename=component.filename, replaces=component.id
        )
        source, numbers = _source(component)
        here, _ = separation.lay(work, by, planned, meant, source, now=now)
        _pictures_follow(work, component, here, said)
        work.audit.append(
            by,
            "scan.parted_by_hand",
            here[0].id,
            of=str(component.id),
            sha256=source.sha256,
            pages=component.pages_total,
            sheets=[numbers[said.sheet - 1]] if said.sheet else [],
            parts=[list(part.numbers) for part in parts],
            papers=[str(paper.id) for paper in here],
        )
        return tuple(here)


def became(work: UnitOfWork, component_id: UUID) -> tuple[UUID, ...]:
    """What persons have made of a paper by parting it, however often; itself where nobody has."""
    paper = work.components.of(component_id)
    if paper.state is not ComponentState.REPLACED:
        return (component_id,)
    return tuple(other.id for other in _made_of(work, paper)) or (component_id,)


def _must_be_parted(dossier: Dossier, component: Component) -> None:
    if not dossier.takes_papers:
        raise WrongState(dossier.state)
    if not page_marks.may_be_marked(component):
        raise WrongState(component.state)


def _source(component: Component) -> tuple[ObjectKey, tuple[int, ...]]:
    """The scan as it came, and which of its pages this paper is: the whole one as far as it is this dossier's alone."""
    if component.whole is not None:
        return component.whole, component.whole_numbers
    return component.scan, tuple(range(1, component.pages_total + 1))


def _there(work: UnitOfWork, component: Component, said: Outcome) -> tuple[Component, ...]:
    """The papers that this very cut has made of it already.

    Raises:
        WrongState: Something else has taken its place.
    """
    _, numbers = _source(component)
    wanted = [tuple(numbers[page - 1] for page in pages) for pages in (said.before, said.after) if pages]
    made = {paper.whole_numbers: paper for paper in _made_of(work, component)}
    if made.keys() != set(wanted):
        raise WrongState(component.state)
    return tuple(made[one] for one in wanted)


def _made_of(work: UnitOfWork, component: Component) -> list[Component]:
    """The papers that persons have made of one."""
    source, numbers = _source(component)
    theirs = set(numbers)
    return [
        other
        for other in work.components.of_dossier(component.dossier_id)
        if other.whole == source and theirs.issuperset(other.whole_numbers)
    ]


def _cut(
    store: ObjectStore, component: Component, said: Outcome, names: Names, *, limits: load.Limits, work_dir: Path
) -> tuple[list[Part], list[ObjectKey]]:
    """The parts, in numbers of the scan as it came, and their own scans, kept."""
    source, numbers = _source(component)
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        file = Path(folder, "scan")
        store.fetch(source, file)
        facts = inspect(file, limits=limits)
        if facts.signed or facts.born_digital:
            raise WrongState(BY_COMPUTER)
        unread = set[int]()
        if component.trouble == UNREAD:  # somebody has looked at the page they cut at; there may be other such sheets
            sheets = separators.found(file, facts.pages, limits=limits)
            looked_at = numbers[(said.sheet or said.after[0]) - 1]
            unread = {sheet.page for sheet in sheets if not separation.is_read(sheet)} - {looked_at}
        left = frozenset({component.trouble} & set(ASKED) - {UNREAD})
        parts = []
        for pages, whose, troubles in ((said.before, None, left), (said.after, names, frozenset[str]())):
            if pages:
                those = tuple(numbers[page - 1] for page in pages)
                parts.append(Part(those, whose, troubles | ({UNREAD} if unread.intersection(those) else set())))
        return parts, separation.put_parts(store, file, source, facts.pages, parts, limits)


def _known(work: UnitOfWork, component: Component, said: Outcome) -> list[intake.Known]:
    """What is known of each part: its pages as they stand, numbered anew, and what people said of what is on them.

    What was said of no page of the second part goes to the first.
    """
    pages = {page.number: page for page in work.components.pages(component.id)}
    fields = [field for field in work.components.fields(component.id) if field.by]
    found = []
    for numbers in filter(None, (said.before, said.after)):
        new = {number: place for place, number in enumerate(numbers, start=1)}
        its = [f for f in fields if (f.page in said.after or not said.before) == (numbers == said.after)]
        found.append(
            intake.Known(
                scanned_by=component.scanned_by,
                scanned_at=component.scanned_at,
                pages=tuple(_page(pages[number], new) for number in numbers),
                fields=tuple(
                    replace(field, page=new.get(field.page, 1), box=field.box if field.page in new else None)
                    for field in its
                ),
            )
        )
    return found


def _page(page: Page, new: Mapping[int, int]) -> Page:
    """A page as it stands, in its new paper: reviewed again there, and read where it wasn't."""
    without = new.get(page.without_note) if page.without_note is not None else None
    page = replace(page, without_note=without, reviewed_by="", attempts=0, looks=0, trouble="")
    return replace(page, state=PageState.READ if page.state in _READ else PageState.RECEIVED)


def _pictures_follow(work: UnitOfWork, component: Component, here: Sequence[Component], said: Outcome) -> None:
    """A telephone's pictures, one a page, are told of the paper that they are now in; a sheet's, of the first."""
    pictures = [
        picture for picture in work.parcels.pictures(component.dossier_id) if picture.component_id == component.id
    ]
    for number, picture in enumerate(pictures, start=1):
        paper = here[-1] if number in said.after else here[0]
        work.parcels.keep(replace(picture, component_id=paper.id))
