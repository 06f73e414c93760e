"""A paper's pages: left out of the copy and brought back, or linked as one page with and without a stuck-on note."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Response

from api.deps import Office, Reviews
from api.pages.frame import Frame, StaffFrame, Typed
from api.wiring import Services
from dossiers import page_marks, parting
from dossiers.page_marks import LAST_PAGE, NOT_TO_LINK
from dossiers.policy import MAY, Act
from dossiers.types import Actor, OfficeError, WrongState

if TYPE_CHECKING:
    from api.errors import Language

router = APIRouter(include_in_schema=False)

_PAPER = "/ho-so/{dossier_id}/giay-to/{component_id}/trang"


@router.get(_PAPER)
def marks_page(dossier_id: UUID, component_id: UUID, actor: Reviews, office: Office, frame: StaffFrame) -> Response:
    """Every page, small, with what may be said of it."""
    return _shown(office, frame, actor, dossier_id, component_id)


@router.post(_PAPER + "/{number}/de-ngoai")
def leave_out(
    dossier_id: UUID,
    component_id: UUID,
    number: int,
    actor: Reviews,
    office: Office,
    frame: StaffFrame,
    out: Typed = "",
) -> Response:
    """Leave it out of the copy, or bring it back; or say above the pages why not."""
    try:
        page_marks.leave_out(
            office.begin, component_id, by=actor, dossier_id=dossier_id, number=number, out=out == "yes"
        )
    except WrongState as error:
        return _shown(office, frame, actor, dossier_id, component_id, error=error)
    return frame.to(f"/ho-so/{dossier_id}/giay-to/{component_id}/trang#trang-{number}")


@router.post(_PAPER + "/{number}/ghi-chu")
def link_note(
    dossier_id: UUID,
    component_id: UUID,
    number: int,
    actor: Reviews,
    office: Office,
    frame: StaffFrame,
    without: Typed = "",
) -> Response:
    """Say which page is the same without its note, or none; or say above the pages why not."""
    bare = int(without) if without.isascii() and without.isdigit() and len(without) < 6 else None  # noqa: PLR2004  pages
    try:
        page_marks.link_note(office.begin, component_id, by=actor, dossier_id=dossier_id, number=number, without=bare)
    except WrongState as error:
        return _shown(office, frame, actor, dossier_id, component_id, error=error)
    return frame.to(f"/ho-so/{dossier_id}/giay-to/{component_id}/trang#trang-{number}")


def _shown(
    office: Services,
    frame: Frame,
    actor: Actor,
    dossier_id: UUID,
    component_id: UUID,
    *,
    error: OfficeError | None = None,
) -> Response:
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        component = work.components.of(component_id, within=dossier.id)
        pages = work.components.glance([component.id])
    problem = frame.trouble(error) if error else None
    return frame.page(
        "page_marks.html",
        status=problem["status"] if problem else 200,
        dossier=dossier,
        component=component,
        pages=pages,
        parts_papers=parting.may_be_parted(dossier, component) and bool(actor.roles & MAY[Act.ADD_COMPONENT]),
        problem=problem and {key: value for key, value in problem.items() if key != "message"},
        listed=[{"field": "pages", "message": _why(error, frame.language)}] if error else [],
    )


def _why(error: OfficeError, language: Language) -> str:
    match error:
        case WrongState() if str(error) == LAST_PAGE:
            vi, en = (
                "Giấy phải còn ít nhất một trang. Muốn bỏ cả giấy thì bỏ ở trang hồ sơ.",
                "A paper keeps at least one page. The whole paper is taken out on the dossier's page.",
            )
        case WrongState() if str(error) == NOT_TO_LINK:
            vi, en = (
                "Không ghép được: trang không có giấy ghi chú phải là một trang khác, chưa ghép.",
                "They can't be linked: the page without a note must be another one that isn't linked itself.",
            )
        case _:
            vi, en = (
                "Bản số hóa của giấy này đã ký hoặc đang ký, nên không đổi trang được nữa.",
                "This paper's copy is signed or being signed; its pages can't be changed any more.",
            )
    return en if language == "en" else vi
