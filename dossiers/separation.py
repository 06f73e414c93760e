"""Separator sheets: one stack through the feeder becomes the papers of its dossiers, each in its row.

A sheet names a dossier and a row. The pages after it, up to the next sheet, are that paper. The scan as it came is kept
whole and never changed; each paper's own scan is a part of it, taken out without touching its pictures. Every page is
in exactly one part or is a sheet: what a sheet leaves in doubt goes where a person is asked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from digitize import parts as scan_parts
from digitize import separators
from digitize.load import PDF, inspect
from digitize.types import UnreadableScan
from dossiers import codes, digitization, intake
from dossiers.codes import BadCode
from dossiers.policy import Act, require
from dossiers.types import ComponentState, Duplicate, NotFound, ObjectKey, OfficeError, WrongState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from digitize import load
    from digitize.separators import SeparatorSheet
    from digitize.types import ScanFacts
    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from dossiers.types import Actor, Component, Dossier, Procedure

#: What a sheet left in doubt, the gravest first. A person is asked at the paper's review, and answers with a reason.
UNREAD, KIND_UNKNOWN = "sheet_unread", "sheet_kind_unknown"
WITHOUT_PAGES, TWICE = "sheet_without_pages", "sheet_twice"
ASKED = (UNREAD, KIND_UNKNOWN, WITHOUT_PAGES, TWICE)
#: Why a part waits in the inbox.
DOSSIER_UNKNOWN, DOSSIER_CLOSED, NO_SHEET = "sheet_dossier_unknown", "sheet_dossier_closed", "before_first_sheet"


class SheetAstray(OfficeError):
    """A sheet names a dossier that isn't this agency's or takes no papers; nothing was taken. `of` is its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.of = code


@dataclass(frozen=True)
class Names:
    """What a separator sheet says: a dossier's code, and a row of its checklist ("" for a paper outside the list).

    `name` is what a person calls a paper outside the list, where one says so in a sheet's place.
    """

    dossier: str
    kind: str
    name: str = ""


@dataclass(frozen=True)
class Part:
    """Pages of a scan that belong together.

    Attributes:
        numbers: 1-based, in the scan.
        names: What their sheet says; None for what came before the first sheet.
        troubles: What is in doubt, of `ASKED`.
    """

    numbers: tuple[int, ...]
    names: Names | None
    troubles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Astray:
    """A part that no dossier took, to be laid where a person finds it."""

    file: ObjectKey
    numbers: tuple[int, ...]
    whole: ObjectKey
    trouble: str


@dataclass(frozen=True)
class Meant:
    """Where a scan goes that says nothing of its own, and as what; see `intake.add_component`."""

    dossier_id: UUID | None
    kind: str = ""
    name: str = ""
    filename: str = ""
    pages_declared: int | None = None
    replaces: UUID | None = None


@dataclass(frozen=True)
class Brought:
    """What became of a scan: its papers in order; or none, and why every part of it went astray ("" nothing says)."""

    papers: tuple[Component, ...]
    astray: str = ""


LayBy = Callable[["UnitOfWork", "Actor", Astray], None]


def sheet_text(dossier_code: str, kind: str) -> str:
    """What a sheet's code holds."""
    return f"{separators.MARK}:{dossier_code}:{kind}"


def sheets_of(file: Path, facts: ScanFacts, *, limits: load.Limits) -> tuple[SeparatorSheet, ...]:
    """The separator sheets of a scan. A scan that came signed is kept byte for byte: nothing is taken out of it."""
    if facts.signed or facts.born_digital:
        return ()
    return separators.found(file, facts.pages, limits=limits)


def parts_of(pages: int, sheets: Sequence[SeparatorSheet]) -> tuple[Part, ...]:
    """Sort the pages of a scan: every one that isn't a sheet is in exactly one part, in its order.

    The same sheet twice without a page between is its front and back. A sheet that nobody can read stays among the
    pages before it. A sheet without pages makes no part; it is told at the part beside it.
    """
    said = {sheet.page: _names(sheet.text) for sheet in sheets}
    parts: list[Part] = []
    numbers: list[int] = []
    names: Names | None = None
    troubles: set[str] = set()
    told: set[str] = set()
    for number in range(1, pages + 1):
        found = said.get(number)
        if found is None:
            numbers.append(number)
            troubles |= {UNREAD} if number in said else set()
            continue
        if found == names and not numbers:
            continue
        if numbers:
            parts.append(Part(tuple(numbers), names, frozenset(troubles | told)))
            told = set()
        elif names is not None:
            told = {WITHOUT_PAGES}
        names, numbers = found, []
        troubles = {TWICE} if any(part.names == found for part in parts) else set()
    if numbers:
        parts.append(Part(tuple(numbers), names, frozenset(troubles | told)))
    elif names is not None and parts:
        parts[-1] = replace(parts[-1], troubles=parts[-1].troubles | {WITHOUT_PAGES})
    return tuple(parts)


def bring_in(
    begin: Begin,
    store: ObjectStore,
    meant: Meant,
    *,
    by: Actor,
    file: Path,
    limits: load.Limits,
    now: datetime,
    lay_by: LayBy | None = None,
    to_here: bool = False,
    may_be_there: bool = False,
) -> Brought:
    """Make a scan a paper of its dossier, or several papers where separator sheets part it.

    All papers of a scan come in one commit, durable and read back before; it may be done again after any break.

    Args:
        lay_by: Keeps the parts that no dossier takes; None refuses the whole scan instead.
        to_here: A person has chosen the dossier: what a sheet would send to one that can't be had goes there.
        may_be_there: Parts that are there already, from before a break, are given back.

    Raises:
        UnreadableScan: It is no scan we can take; or there are sheets and nothing else.
        SheetAstray: See `lay_by`.
        Duplicate: All of it is there already.
        StoreUnavailable: Nothing was accepted.
        NotFound, WrongState, Incomplete: As `intake.add_component`.
    """
    require(by, Act.ADD_COMPONENT)
    if meant.dossier_id is not None:
        with begin() as work:
            if not (dossier := work.dossiers.of(by, meant.dossier_id)).takes_papers:
                raise WrongState(dossier.state)
    facts = inspect(file, limits=limits)
    sheets = sheets_of(file, facts, limits=limits)
    if sheets:
        return _part(
            begin,
            store,
            meant,
            sheets,
            by=by,
            file=file,
            facts=facts,
            limits=limits,
            now=now,
            lay_by=lay_by,
            to_here=to_here,
            may_be_there=may_be_there,
        )
    if meant.dossier_id is None:
        return Brought(())
    component = intake.add_component(
        begin,
        store,
        meant.dossier_id,
        by=by,
        file=file,
        filename=meant.filename,
        kind=meant.kind,
        name=meant.name,
        pages_declared=meant.pages_declared,
        replaces=meant.replaces,
        limits=limits,
        now=now,
    )
    return Brought((component,))


def _part(
    begin: Begin,
    store: ObjectStore,
    meant: Meant,
    sheets: Sequence[SeparatorSheet],
    *,
    by: Actor,
    file: Path,
    facts: ScanFacts,
    limits: load.Limits,
    now: datetime,
    lay_by: LayBy | None,
    to_here: bool,
    may_be_there: bool,
) -> Brought:
    parts = parts_of(facts.pages, sheets)
    if not parts:
        words = "Tệp chỉ có tờ ngăn, không có trang giấy nào. Đặt giấy sau mỗi tờ ngăn rồi quét lại."
        raise UnreadableScan("only_sheets", words)
    with begin() as work:
        places = [_place(work, by, meant, part, to_here=to_here) for part in parts]
    astray = [(part, place) for part, place in zip(parts, places, strict=True) if isinstance(place, str)]
    if astray and lay_by is None:
        names = astray[0][0].names
        raise SheetAstray(names.dossier if names else "")
    if len(astray) == len(parts):
        return Brought((), str(places[0]))
    whole = store.put(file, media_type=facts.media_type)
    scans = put_parts(store, file, whole, facts.pages, parts, limits)
    counted = counted_apart(meant.pages_declared, [len(part.numbers) for part in parts])
    planned = [Planned(*one) for one in zip(parts, places, scans, counted, strict=True)]
    with begin() as work:
        here, new = lay(work, by, planned, meant, whole, now=now, lay_by=lay_by)
        if not new and not may_be_there:
            raise Duplicate(whole.sha256, of=_first(work, here[0]))
        if read := [sheet.page for sheet in sheets if _names(sheet.text)]:
            work.audit.append(
                by,
                "scan.parted",
                here[0].id,
                sha256=whole.sha256,
                pages=facts.pages,
                sheets=read,
                parts=[list(part.numbers) for part in parts],
                papers=[str(component.id) for component in here],
            )
        return Brought(tuple(here))


@dataclass(frozen=True)
class Planned:
    """A part, the dossier it goes to or why to none, its own scan, how many pages a person counted, what is known."""

    part: Part
    place: UUID | str
    scan: ObjectKey
    counted: int | None
    known: intake.Known | None = None


def lay(
    work: UnitOfWork,
    by: Actor,
    planned: Sequence[Planned],
    meant: Meant,
    whole: ObjectKey,
    *,
    now: datetime,
    lay_by: LayBy | None = None,
) -> tuple[list[Component], bool]:
    """Lay every part in its place, in the caller's transaction; the papers, and whether any is new.

    Whoever asks for the parting, a sheet or a person (`parting`), this is how it is done.
    """
    dossiers = sorted({one.place for one in planned if isinstance(one.place, UUID)})
    locked = {one: work.dossiers.lock(by, one) for one in dossiers}  # always in one order, or two stacks wait for ever
    alone = all(one.place == planned[0].place for one in planned)
    here, new = [], False
    for one in planned:
        if isinstance(one.place, str):
            if lay_by is not None:
                lay_by(work, by, Astray(one.scan, one.part.numbers, whole, one.place))
            continue
        # What a person parts is there already, under its own name; and two of its pages may be alike to the last byte.
        twin = None if one.known else work.components.with_scan(one.place, one.scan.sha256)
        if twin is not None and twin.state is ComponentState.REPLACED:
            twin = _in_its_place(work, twin)
        if twin is not None:
            here.append(twin)
            continue
        paper = _paper(work.procedures.of(locked[one.place].procedure), one, meant)
        if one.scan != whole:
            paper = replace(paper, whole=whole if alone else None, numbers=one.part.numbers)
        if meant.replaces is not None and not here:
            paper = replace(paper, replaces=meant.replaces)
        here.append(laid := intake.lay_in(work, by, one.place, paper, now=now))
        if one.known is not None:
            digitization.after_page(work, laid)  # where all of it is read already, nobody else goes on with it
        new = True
    return here, new


def _in_its_place(work: UnitOfWork, paper: Component) -> Component | None:
    """The first of the papers that a person has made of one, None where that isn't what became of it."""
    theirs = set(paper.whole_numbers)
    for other in work.components.of_dossier(paper.dossier_id):
        if paper.whole is not None and other.whole == paper.whole and theirs.issuperset(other.whole_numbers):
            return other
    return None


def is_read(sheet: SeparatorSheet) -> bool:
    """Whether anybody can make out what a sheet says."""
    return _names(sheet.text) is not None


def _names(text: str) -> Names | None:
    """What a sheet says, None where it can't be made out."""
    dossier, colon, kind = text.partition(":")
    try:
        return Names(str(codes.parse_dossier_code(dossier)), kind.strip()) if colon else None
    except BadCode:
        return None


def _place(work: UnitOfWork, by: Actor, meant: Meant, part: Part, *, to_here: bool) -> UUID | str:
    """The dossier a part goes to, or why none takes it."""
    if part.names is None:
        return meant.dossier_id or NO_SHEET
    try:
        dossier: Dossier = work.dossiers.of(by, work.dossiers.by_code(part.names.dossier).id)
    except NotFound:
        return meant.dossier_id if to_here and meant.dossier_id else DOSSIER_UNKNOWN
    if not dossier.takes_papers:
        return meant.dossier_id if to_here and meant.dossier_id else DOSSIER_CLOSED
    return dossier.id


def put_parts(
    store: ObjectStore, file: Path, whole: ObjectKey, pages: int, parts: Sequence[Part], limits: load.Limits
) -> list[ObjectKey]:
    """Keep each part of a scan beside it; a part that is all of it is the scan itself, `whole`.

    Raises:
        UnreadableScan: It can't be taken apart.
        StoreUnavailable: Not all of them are kept.
    """
    scans = []
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        target = Path(folder, "part.pdf")
        for part in parts:
            if len(part.numbers) == pages:
                scans.append(whole)
                continue
            scan_parts.write(file, part.numbers, target, limits=limits)
            scans.append(store.put(target, media_type=PDF))
    return scans


def _paper(procedure: Procedure, planned: Planned, meant: Meant) -> intake.Paper:
    """What a part is in its dossier."""
    part = planned.part
    kinds = {kind.code for kind in procedure.components}
    paper = intake.Paper(
        scan=planned.scan,
        pages=len(part.numbers),
        signed=False,
        filename=meant.filename,
        kind=meant.kind,
        pages_declared=planned.counted,
        known=planned.known,
    )
    troubles = set(part.troubles)
    if part.names is None:
        paper = replace(paper, name=meant.name)
    elif part.names.kind and part.names.kind not in kinds:
        troubles.add(KIND_UNKNOWN)
        paper = replace(paper, kind="", name=codes.clean_filename(f"Giấy theo tờ ngăn {part.names.kind}"))
    else:
        paper = replace(paper, kind=part.names.kind, name=part.names.name)
    return replace(paper, trouble=next((one for one in ASKED if one in troubles), ""))


def counted_apart(declared: int | None, pages: Sequence[int]) -> list[int | None]:
    """What was counted by hand was counted of all parts together: what doesn't agree shows at the first of them."""
    if declared is None:
        return [None] * len(pages)
    return [max(0, declared - sum(pages[1:])), *pages[1:]]


def _first(work: UnitOfWork, component: Component) -> str:
    return f"{work.dossiers.for_job(component.dossier_id).code}.{component.ordinal:03d}"
