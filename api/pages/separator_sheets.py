"""Separator sheets to print, one for each row of a dossier's checklist; and the scan that such sheets have parted."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.deps import Office, Sees
from api.files import file_response
from api.pages.frame import StaffFrame
from api.wiring import utc_now
from dossiers import identity_papers, separation
from dossiers.types import NotFound
from signing import qr

router = APIRouter(include_in_schema=False)

#: In the address and the form: a paper outside the list.
_OTHER = "-"


@router.get("/ho-so/{dossier_id}/to-ngan")
def sheets(
    dossier_id: UUID,
    actor: Sees,
    office: Office,
    frame: StaffFrame,
    giay: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """The sheets, to print; `giay` chooses rows, and without it all of them come."""
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        procedure = work.procedures.of(dossier.procedure)
        agency = work.agencies.of(dossier.receiving)
    rows = [(kind.code, kind.name) for kind in procedure.components] + [(_OTHER, "")]
    chosen = set(giay or ()) & {code for code, _ in rows} or {code for code, _ in rows}
    return frame.page(
        "separator_sheets.html",
        dossier=dossier,
        receiving=agency,
        rows=rows,
        chosen=chosen,
        symbols={
            code: qr.symbol_for(separation.sheet_text(dossier.code, "" if code == _OTHER else code)) for code, _ in rows
        },
    )


@router.get("/ho-so/{dossier_id}/giay-to/{component_id}/ban-quet-goc")
def whole_scan(
    request: Request, dossier_id: UUID, component_id: UUID, actor: Sees, office: Office, _: StaffFrame
) -> Response:
    """The scan as it came, before it was parted. Never one that holds another dossier's pages.

    Where somebody's proof of identity is in it, the look is in the log first, beside each such paper.
    """
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        component = work.components.of(component_id, within=dossier.id)
        if component.whole is None:
            raise NotFound(str(component_id))
    identity_papers.note_whole_seen(office.begin, component, by=actor, now=utc_now())
    with office.begin() as work:
        work.audit.append(actor, "scan.opened", component.id, sha256=component.whole.sha256)
    return file_response(request, office.store, component.whole, component.filename)
