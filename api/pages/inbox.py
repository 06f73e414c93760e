"""The inbox: files from counters that name no dossier, until a clerk attaches them; and the machines that send them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.deps import AddsPapers, Office
from api.files import file_response
from api.pages.frame import Frame, StaffFrame, Typed
from api.wiring import Services, utc_now
from dossiers import codes, desks, parcels
from dossiers.codes import BadCode
from dossiers.labels import label
from dossiers.parcels import ParcelState
from dossiers.types import Actor, Duplicate, Incomplete, NotFound, OfficeError, WrongState

if TYPE_CHECKING:
    from api.errors import Language

router = APIRouter(include_in_schema=False)


@router.get("/hop-nhan")
def inbox_page(actor: AddsPapers, office: Office, frame: StaffFrame) -> Response:
    """What waits for its dossier, and the machines of this agency."""
    return _shown(office, frame, actor)


@router.get("/hop-nhan/{parcel_id}/tep")
def opened(request: Request, parcel_id: UUID, actor: AddsPapers, office: Office, _: StaffFrame) -> Response:
    """The file, to see what it is, as long as it is no paper: then it is looked at there, by who may and on record."""
    parcel = parcels.of(office.begin, parcel_id, by=actor)
    if parcel.file is None or parcel.state is ParcelState.TAKEN:
        raise NotFound("file")
    with office.begin() as work:
        work.audit.append(actor, "parcel.opened", parcel.id)
    return file_response(request, office.store, parcel.file, parcel.filename)


@router.post("/hop-nhan/{parcel_id}/gan")
def attach(parcel_id: UUID, actor: AddsPapers, office: Office, frame: StaffFrame, dossier: Typed = "") -> Response:
    """Lay it into a dossier and lead there, where it is put into its row; or say beside it why not."""
    try:
        parcel = parcels.attach(
            office.begin,
            office.store,
            parcel_id,
            by=actor,
            dossier_code=dossier,
            kind="",
            limits=office.limits,
            work_dir=office.work_dir,
            now=utc_now(),
        )
    except (BadCode, NotFound, WrongState, Duplicate) as error:
        return _shown(office, frame, actor, error=error, at=parcel_id, typed=dossier)
    return frame.to(f"/ho-so/{parcel.dossier_id}#papers", tell="parcel_attached")


@router.post("/hop-nhan/{parcel_id}/de-rieng")
def set_aside(parcel_id: UUID, actor: AddsPapers, office: Office, frame: StaffFrame, reason: Typed = "") -> Response:
    """Take out of the inbox what belongs to no dossier, with a reason; its bytes stay."""
    try:
        parcels.set_aside(office.begin, parcel_id, by=actor, reason=reason, now=utc_now())
    except (Incomplete, WrongState) as error:
        return _shown(office, frame, actor, error=error, at=parcel_id)
    return frame.to("/hop-nhan", tell="parcel_set_aside")


@router.post("/hop-nhan/may")
def add_machine(actor: AddsPapers, office: Office, frame: StaffFrame, name: Typed = "") -> Response:
    """Make a code for a machine and show it, this once."""
    try:
        desk, code = desks.announce(office.begin, name, by=actor, now=utc_now())
    except Incomplete as error:
        return _shown(office, frame, actor, error=error)
    return _shown(office, frame, actor, made=(desk, codes.format_lookup_code(code)))


@router.post("/hop-nhan/may/{desk_id}/thu-hoi")
def revoke(desk_id: UUID, actor: AddsPapers, office: Office, frame: StaffFrame) -> Response:
    """Make a machine a stranger at once."""
    try:
        desks.revoke(office.begin, desk_id, by=actor, now=utc_now())
    except WrongState as error:
        return _shown(office, frame, actor, error=error)
    return frame.to("/hop-nhan", tell="machine_revoked")


def _shown(
    office: Services,
    frame: Frame,
    actor: Actor,
    *,
    error: OfficeError | None = None,
    at: UUID | None = None,
    typed: str = "",
    made: tuple[desks.Desk, str] | None = None,
) -> Response:
    problem = frame.trouble(error) if error else None
    with office.begin() as work:
        photographed = [(work.dossiers.of(actor, one), count) for one, count in work.parcels.collected(actor).items()]
    return frame.page(
        "inbox.html",
        status=problem["status"] if problem else 200,
        waiting=parcels.waiting(office.begin, by=actor),
        photographed=photographed,
        machines=desks.of_agency(office.begin, by=actor),
        made=made,
        at=at,
        typed=typed,
        base_url=office.base_url,
        problem=problem and {key: value for key, value in problem.items() if key != "message"},
        listed=_listed(error, at, frame.language),
    )


def _listed(error: OfficeError | None, at: UUID | None, language: Language) -> list[dict[str, str]]:
    """What is wrong, with the field it belongs to."""
    if error is None:
        return []
    vi, en, field = label("dossier_closed"), label("dossier_closed", "en"), f"code-{at}" if at else "name"
    match error:
        case BadCode():
            vi, en = str(error), error.english
        case NotFound():
            vi, en = label("dossier_unknown"), label("dossier_unknown", "en")
        case Duplicate(of=of):
            vi, en = f"Hồ sơ đã có tệp này ở giấy tờ {of}.", f"The dossier has this file as {of}."
        case Incomplete() if at is None:
            vi, en = "Đặt tên máy, ví dụ: Quầy 3.", "Name the machine, for instance: Desk 3."
        case Incomplete():
            vi, en, field = "Ghi lý do tệp không thuộc hồ sơ nào.", "Say why it is of no dossier.", f"reason-{at}"
    return [{"field": field, "message": en if language == "en" else vi}]
