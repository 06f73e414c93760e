"""Two papers scanned as one, parted by a person: where the other begins, what will come of it, and the word for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from api.deps import AddsPapers, Office
from api.pages.frame import Frame, StaffFrame, Typed
from api.schemas.common import clean
from api.wiring import Services, utc_now
from digitize.types import UnreadableScan
from dossiers import parting
from dossiers.labels import label
from dossiers.parting import BY_COMPUTER, FIRST_PAGE, ONLY_A_SHEET, Cut
from dossiers.separation import UNREAD
from dossiers.types import Actor, ComponentState, NotFound, WrongState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.errors import Language
    from dossiers.types import Component, Dossier, Procedure

router = APIRouter(include_in_schema=False)

_HERE = "/ho-so/{dossier_id}/giay-to/{component_id}/trang/{number}/tach"
#: What the page is at which another paper begins.
_PAPER, _SHEET = "giay", "to-ngan"

_Said = Annotated[str, Query(max_length=200), AfterValidator(clean)]


@router.get(_HERE)
def parting_page(
    dossier_id: UUID,
    component_id: UUID,
    number: int,
    actor: AddsPapers,
    office: Office,
    frame: StaffFrame,
    la: _Said = "",
    kind: _Said = "",
    name: _Said = "",
    xem: _Said = "",
) -> Response:
    """Ask what the page is and what the other paper is; with `xem`, show what will come of it and ask once more."""
    at = Cut(page=number, is_sheet=la == _SHEET, kind=kind.strip(), name=name.strip())
    return _shown(office, frame, actor, dossier_id, component_id, at, said=la, looks=bool(xem))


@router.post(_HERE)
def part(
    dossier_id: UUID,
    component_id: UUID,
    number: int,
    actor: AddsPapers,
    office: Office,
    frame: StaffFrame,
    la: Typed = "",
    kind: Typed = "",
    name: Typed = "",
) -> Response:
    """Part it, and lead back to the dossier's papers; or say why not. Asked twice, it is done once."""
    at = Cut(page=number, is_sheet=la == _SHEET, kind=kind.strip(), name=name.strip())
    try:
        parting.by_hand(
            office.begin,
            office.store,
            component_id,
            by=actor,
            dossier_id=dossier_id,
            at=at,
            limits=office.limits,
            work_dir=office.work_dir,
            now=utc_now(),
        )
    except (WrongState, UnreadableScan) as error:
        return _shown(office, frame, actor, dossier_id, component_id, at, said=la, looks=False, error=error)
    return frame.to(f"/ho-so/{dossier_id}#papers", tell="parted_by_hand")


def _shown(
    office: Services,
    frame: Frame,
    actor: Actor,
    dossier_id: UUID,
    component_id: UUID,
    at: Cut,
    *,
    said: str,
    looks: bool,
    error: Exception | None = None,
) -> Response:
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        component = work.components.of(component_id, within=dossier.id)
        pages = {page.number: page for page in work.components.glance([component.id])}
        procedure = work.procedures.of(dossier.procedure)
        siblings = work.components.of_dossier(dossier.id)
    if at.page not in pages:
        raise NotFound(f"page {at.page}")
    outcome = None
    if error is None and not parting.may_be_parted(dossier, component):
        error = WrongState(component.state if dossier.takes_papers else dossier.state)
    elif error is None and looks:
        try:
            outcome = parting.outcome(len(pages), at)
        except WrongState as refused:
            error = refused
    problem = frame.trouble(error) if error else None
    is_sheet = at.is_sheet or at.page == 1 or (not said and at.page == len(pages) and component.trouble == UNREAD)
    return frame.page(
        "part_paper.html",
        status=problem["status"] if problem else 200,
        dossier=dossier,
        component=component,
        pages=pages,
        number=at.page,
        what=_SHEET if is_sheet else _PAPER,
        open=parting.may_be_parted(dossier, component),
        rows=procedure.components,
        kind=at.kind if said else _likely(procedure, siblings),
        name=at.name,
        outcome=outcome,
        called=_called(procedure, component, at, frame.language),
        problem=problem and {key: value for key, value in problem.items() if key != "message"},
        listed=[_why(error, dossier, component, frame.language)] if error else [],
    )


def _likely(procedure: Procedure, siblings: Sequence[Component]) -> str:
    """The row to propose: the first required paper that isn't there, else a paper outside the list."""
    there = {component.kind for component in siblings}
    return next((kind.code for kind in procedure.components if kind.required and kind.code not in there), "")


def _called(procedure: Procedure, component: Component, at: Cut, language: Language) -> str:
    """What the other paper will be called."""
    names = {kind.code: kind.name for kind in procedure.components}
    if at.kind in names:
        return names[at.kind]
    return at.name or component.filename or ("Another paper" if language == "en" else "Giấy tờ khác")


def _why(error: Exception, dossier: Dossier, component: Component, language: Language) -> str:
    """Why it can't be parted there, or at all, and what can be done instead."""
    if isinstance(error, UnreadableScan):
        return label(error.reason, "en") if language == "en" else str(error)
    code = str(error)
    if code not in (FIRST_PAGE, ONLY_A_SHEET, BY_COMPUTER):
        if component.state is ComponentState.REPLACED:
            code = "part_gone"
        elif not dossier.takes_papers:
            code = "part_dossier_closed"
        else:
            code = BY_COMPUTER if component.signed_scan else "part_signed"
    return label(code, language)
