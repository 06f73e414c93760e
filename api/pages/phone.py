"""The hand-over to a telephone: a QR code at the counter, and the page that a telephone sees.

On the telephone nobody signs in, and nothing is told of the dossier: the address holds a secret (`dossiers.phone`).
Everything works without scripts, too: then one picture is sent at a time, and nobody looks at it before the service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from api.deps import AddsPapers, NotForeign, Office, Public, Sees, limit
from api.errors import BadUpload, TooLarge
from api.files import file_response
from api.pages import papers
from api.pages.frame import Frame, PublicFrame, StaffFrame, Typed
from api.uploads import Upload, received_or_why
from api.wiring import Services, utc_now
from digitize.types import UnreadableScan
from dossiers import parcels, phone
from dossiers.labels import label
from dossiers.parcels import ParcelState
from dossiers.phone import PhoneLinkOver, Visit
from dossiers.ports import StoreUnavailable
from dossiers.types import Actor, Duplicate, Incomplete, NotFound, OfficeError, WrongState
from signing import qr

router = APIRouter(include_in_schema=False)

#: A minute, from one address: a whole centre's telephones may stand behind one, and each asks every few seconds.
_TRIES = Depends(limit("phone_page", most=1200, window_s=60))
#: Whoever has the address may open it, from a camera, a message or by hand; only our own page may change anything.
_OPENED: Final = [Public, _TRIES]
_CHANGED: Final = [Public, NotForeign, _TRIES]

# ── at the counter


@router.get("/ho-so/{dossier_id}/dien-thoai")
def desk_page(dossier_id: UUID, actor: AddsPapers, office: Office, frame: StaffFrame) -> Response:
    """The papers, and the way to a code; a code itself is shown only once."""
    return _desk(office, frame, actor, dossier_id)


@router.post("/ho-so/{dossier_id}/dien-thoai")
def hand_over(dossier_id: UUID, actor: AddsPapers, office: Office, frame: StaffFrame, kind: Typed = "") -> Response:
    """Show a new code, above the papers into which its pictures go; or say beside them why not."""
    try:
        _, token = phone.hand_over(office.begin, dossier_id, by=actor, kind=kind, now=utc_now())
    except (WrongState, Incomplete) as error:
        return papers.shown(office, frame, actor, dossier_id, error=error)
    return _desk(office, frame, actor, dossier_id, address=f"{office.base_url}/chup/{token}")


@router.post("/ho-so/{dossier_id}/dien-thoai/{link_id}/them")
def extend(
    request: Request, dossier_id: UUID, link_id: UUID, actor: AddsPapers, office: Office, frame: StaffFrame
) -> Response:
    """Ten more minutes."""
    phone.extend(office.begin, dossier_id, link_id, by=actor, now=utc_now())
    return _changed(request, office, frame, actor, dossier_id, tell="phone_extended")


@router.post("/ho-so/{dossier_id}/dien-thoai/{link_id}/het")
def end(
    request: Request, dossier_id: UUID, link_id: UUID, actor: AddsPapers, office: Office, frame: StaffFrame
) -> Response:
    """No more from this telephone."""
    phone.end(office.begin, dossier_id, link_id, by=actor, now=utc_now())
    return _changed(request, office, frame, actor, dossier_id, tell="phone_ended")


@router.post("/ho-so/{dossier_id}/dien-thoai/ghep")
def hand_in(dossier_id: UUID, actor: AddsPapers, office: Office, frame: StaffFrame, kind: Typed = "") -> Response:
    """Make one paper of the pictures that wait, or say beside the papers why not."""
    try:
        _hand_in(office, dossier_id, actor, kind)
    except (OfficeError, UnreadableScan, StoreUnavailable) as error:
        if isinstance(error, NotFound):
            raise
        return papers.shown(office, frame, actor, dossier_id, error=error)
    return frame.to(f"/ho-so/{dossier_id}#papers", tell="phone_paper_made")


@router.get("/ho-so/{dossier_id}/dien-thoai/anh/{parcel_id}")
def picture(
    request: Request, dossier_id: UUID, parcel_id: UUID, actor: Sees, office: Office, _: StaffFrame
) -> Response:
    """A picture as it came, as long as it is in no paper: then it is looked at there, by who may and on record."""
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        found = next((p for p in work.parcels.pictures(dossier.id) if p.id == parcel_id), None)
        if found is None or found.file is None or found.state is ParcelState.TAKEN:
            raise NotFound("picture")
        work.audit.append(actor, "parcel.opened", found.id)
    return file_response(request, office.store, found.file, found.filename)


@router.post("/ho-so/{dossier_id}/dien-thoai/anh/{parcel_id}/bo")
def drop_at_desk(
    request: Request, dossier_id: UUID, parcel_id: UUID, actor: AddsPapers, office: Office, frame: StaffFrame
) -> Response:
    """Take a picture out of those that wait."""
    try:
        phone.drop(office.begin, dossier_id, parcel_id, by=actor, now=utc_now())
    except WrongState as error:
        return papers.shown(office, frame, actor, dossier_id, error=error)
    return _changed(request, office, frame, actor, dossier_id, tell="phone_dropped")


def _desk(office: Services, frame: Frame, actor: Actor, dossier_id: UUID, *, address: str = "") -> Response:
    with office.begin() as work:
        laid_out = papers.tray(work, actor, dossier_id)
    return frame.page(
        "phone_desk.html",
        symbol=qr.symbol_for(address),
        address=address.partition("://")[2],
        minutes=int(phone.LASTS.total_seconds() // 60),
        **laid_out,
    )


def _changed(
    request: Request, office: Services, frame: Frame, actor: Actor, dossier_id: UUID, *, tell: str
) -> Response:
    """The tray anew where a piece of a page asked: the code beside it must stay."""
    if "hx-request" not in request.headers:
        return frame.to(f"/ho-so/{dossier_id}#papers", tell=tell)
    with office.begin() as work:
        return frame.part("_tray.html", **papers.tray(work, actor, dossier_id))


def _hand_in(office: Services, dossier_id: UUID, actor: Actor, kind: str, link_id: UUID | None = None) -> None:
    phone.hand_in(
        office.begin,
        office.store,
        dossier_id,
        by=actor,
        kind=kind,
        limits=office.limits,
        work_dir=office.work_dir,
        now=utc_now(),
        link_id=link_id,
    )


# ── on the telephone


@router.get("/chup/{token}", dependencies=_OPENED)
def camera(token: str, office: Office, frame: PublicFrame) -> Response:
    """Where pictures are taken."""
    return _camera(office, frame, token)


@router.get("/chup/{token}/tinh-trang", dependencies=_OPENED)
def state(token: str, office: Office, frame: PublicFrame) -> Response:
    """What has been received so far, alone; 410 once the address is over."""
    try:
        visit = phone.visit(office.begin, token, now=utc_now(), finishing=True)
    except PhoneLinkOver as over:
        return _over(frame, over)
    return frame.part("_phone_brought.html", **_values(office, visit, token))


async def _picture(
    request: Request, token: str, office: Office
) -> AsyncIterator[tuple[Visit, Upload | TooLarge | BadUpload] | PhoneLinkOver]:
    """The picture, read only for a link that is good."""
    try:
        visit = await run_in_threadpool(phone.visit, office.begin, token, now=utc_now())
    except PhoneLinkOver as over:
        yield over
        return
    most = min(office.limits.max_bytes, parcels.MOST_PICTURE_BYTES)
    async with aclosing(received_or_why(request, most_bytes=most, folder=office.work_dir)) as uploads:
        async for upload in uploads:
            yield visit, upload


@router.post("/chup/{token}/anh", dependencies=_CHANGED)
def take(
    token: str,
    office: Office,
    frame: PublicFrame,
    came: Annotated[tuple[Visit, Upload | TooLarge | BadUpload] | PhoneLinkOver, Depends(_picture)],
) -> Response:
    """One picture of a form without scripts."""
    if isinstance(came, PhoneLinkOver):
        return _over(frame, came)
    visit, upload = came
    try:
        if not isinstance(upload, Upload):
            raise upload
        if not upload.filename:
            raise Incomplete("file", ("no_picture_chosen",))
        parcel = phone.take_picture(
            office.begin,
            office.store,
            visit,
            file=upload.path,
            filename=upload.filename,
            limits=office.limits,
            work_dir=office.work_dir,
            now=utc_now(),
        )
    except (OfficeError, UnreadableScan, StoreUnavailable) as error:
        return _camera(office, frame, token, error=error)
    return frame.to(f"/chup/{token}", tell="phone_received" if parcel.state is ParcelState.COLLECTED else "phone_twice")


@router.post("/chup/{token}/anh/{parcel_id}/bo", dependencies=_CHANGED)
def drop(token: str, parcel_id: UUID, office: Office, frame: PublicFrame) -> Response:
    """Take out a picture that was no good."""
    try:
        visit = phone.visit(office.begin, token, now=utc_now(), finishing=True)
        link = visit.link
        phone.drop(office.begin, link.dossier_id, parcel_id, by=visit.actor, now=utc_now(), link_id=link.id)
    except PhoneLinkOver as over:
        return _over(frame, over)
    except (NotFound, WrongState) as error:
        return _camera(office, frame, token, error=error)
    return frame.to(f"/chup/{token}#da-nhan", tell="phone_dropped")


@router.post("/chup/{token}/xong", dependencies=_CHANGED)
def done(token: str, office: Office, frame: PublicFrame, kind: Typed = "") -> Response:
    """The pictures that wait are one paper: lay it into the dossier."""
    try:
        visit = phone.visit(office.begin, token, now=utc_now(), finishing=True)
        _hand_in(office, visit.link.dossier_id, visit.actor, kind, visit.link.id)
    except PhoneLinkOver as over:
        return _over(frame, over)
    except (OfficeError, UnreadableScan, StoreUnavailable) as error:
        return _camera(office, frame, token, error=error)
    return frame.to(f"/chup/{token}", tell="phone_paper_done")


def _camera(office: Services, frame: Frame, token: str, *, error: Exception | None = None) -> Response:
    try:
        visit = phone.visit(office.begin, token, now=utc_now(), finishing=True)
    except PhoneLinkOver as over:
        return _over(frame, over)
    problem = frame.trouble(error) if error else None
    return frame.page(
        "phone.html",
        status=problem["status"] if problem else 200,
        problem=problem and {key: value for key, value in problem.items() if key != "message"},
        listed=_listed(error, english=frame.language == "en"),
        most_picture_bytes=min(office.limits.max_bytes, parcels.MOST_PICTURE_BYTES),
        **_values(office, visit, token),
    )


def _values(office: Services, visit: Visit, token: str) -> dict[str, Any]:
    now = utc_now()
    with office.begin() as work:
        brought = phone.brought(work, visit.link.dossier_id, link_id=visit.link.id)
        present = {component.kind for component in work.components.of_dossier(visit.link.dossier_id)}
    missing = next((row.code for row in visit.rows if row.required and row.code not in present), "")
    chosen = visit.link.kind if visit.link.kind and visit.link.kind not in present else missing
    return {
        "token": token,
        "program_token": phone.TOKEN_HEAD + token,
        "link": visit.link,
        "rows": visit.rows,
        "chosen": chosen or visit.link.kind,
        "brought": brought,
        "minutes_left": papers.minutes_left(visit.link, now),
    }


def _over(frame: Frame, over: PhoneLinkOver) -> Response:
    """One clear page for every address that leads nowhere."""
    return frame.page("phone_over.html", status=410, reason=over.reason)


_WORDS: Final = {
    "no_picture_chosen": ("Chưa có ảnh nào. Bấm ô “Chụp ảnh” trước.", "No picture yet. Press “Take a picture” first."),
    "no_pictures": ("Chưa nhận ảnh nào của giấy này. Chụp trước đã.", "No picture of this paper yet. Take one first."),
    "too_many_pictures": (
        f"Một mã chỉ nhận {parcels.MOST_PICTURES} ảnh. Bấm “Xong giấy này”, rồi nhờ quầy hiện mã mới.",
        f"One code takes {parcels.MOST_PICTURES} pictures. End this paper, then ask for a new code.",
    ),
}


def _listed(error: Exception | None, *, english: bool) -> list[str]:
    match error:
        case UnreadableScan(reason=reason):
            return [label(reason, "en" if english else "vi")]
        case TooLarge(limit=limit):
            most = limit // 2**20
            return [f"At most {most} MB a picture." if english else f"Mỗi ảnh nặng nhất {most} MB."]
        case Incomplete(missing=missing):
            return [_WORDS[one][english] for one in missing if one in _WORDS]
        case Duplicate():
            return ["This picture is in the dossier already." if english else "Ảnh này đã có trong hồ sơ."]
        case _:
            return []
