"""A dossier's papers at the counter: the tray they are laid into, which shows them being read.

The tray is one piece of HTML that a page asks for again while the service is at work, and no longer once it is at
rest. Without scripts the same forms bring in one file at a time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.deps import AddsPapers, Office, Sees
from api.errors import BadUpload, TooLarge
from api.pages.frame import Frame, StaffFrame, Typed
from api.uploads import Upload, received_or_why
from api.wiring import Services, utc_now
from digitize.types import UnreadableScan
from dossiers import codes, identity_papers, intake, page_marks, phone, separation
from dossiers.labels import label
from dossiers.ports import StoreUnavailable
from dossiers.progress import progress
from dossiers.separation import Meant, SheetAstray
from dossiers.types import Actor, Component, Duplicate, Incomplete, NotFound, OfficeError, PageGlance, WrongState

if TYPE_CHECKING:
    from datetime import datetime

    from api.errors import Language
    from dossiers.ports import UnitOfWork
    from dossiers.types import Procedure

router = APIRouter(include_in_schema=False)

_MOST_DIGITS = 4
#: Where the template leaves room for the mark of what it shows, which is known only afterwards.
_NO_MARK = b"?dau=0"
_MARK_LENGTH = 12


def tray(work: UnitOfWork, actor: Actor, dossier_id: UUID) -> dict[str, Any]:
    """What `_papers.html` shows, for any page that includes it.

    Raises:
        NotFound: There is no such dossier, or the asker's agency has no part in it.
    """
    dossier = work.dossiers.of(actor, dossier_id)
    components = work.components.of_dossier(dossier.id)
    pages: dict[UUID, list[PageGlance]] = {component.id: [] for component in components}
    for page in work.components.glance(pages):
        pages[page.component_id].append(page)
    by_phone = phone.brought(work, dossier.id)
    now = utc_now()
    reading = progress([page for of_one in pages.values() for page in of_one], now=now)
    return {
        "dossier": dossier,
        "procedure": work.procedures.of(dossier.procedure),
        "components": components,
        "pages": pages,
        "identity_papers": identity_papers.among(work, components),
        "counts": {of: page_marks.counted(of_one) for of, of_one in pages.items()},
        "agencies": {agency.code: agency.name for agency in work.agencies.all()},
        "phones": [(link, minutes_left(link, now)) for link in work.phone_links.open_of(dossier.id, now=now)],
        "pictures": by_phone.pictures,
        "by_phone": by_phone.received,
        "reading": reading,
        "reader_is_busy": reading.silent_since is not None and work.jobs.is_reading(),
    }


def minutes_left(link: phone.PhoneLink, now: datetime) -> int:
    """Minutes in which a telephone may still begin pictures, rounded up; 0 when its time is up."""
    return max(0, math.ceil((link.expires_at - now).total_seconds() / 60))


def shown(
    office: Services,
    frame: Frame,
    actor: Actor,
    dossier_id: UUID,
    *,
    error: Exception | None = None,
) -> Response:
    """The papers as a page of their own, with what went wrong on top."""
    with office.begin() as work:
        laid_out = tray(work, actor, dossier_id)
    problem = frame.trouble(error) if error else None
    return frame.page(
        "papers.html",
        status=problem["status"] if problem else 200,
        problem=problem and {key: value for key, value in problem.items() if key != "message"},
        listed=_listed(error, frame.language, laid_out["procedure"]),
        **laid_out,
    )


@router.get("/ho-so/{dossier_id}/giay-to")
def tray_alone(
    request: Request, dossier_id: UUID, actor: Sees, office: Office, frame: StaffFrame, dau: str = ""
) -> Response:
    """The tray alone, to be laid over the one on the page; nothing (204) when that shows the same already.

    Asked for by a person and not by a page's script, it is a page of its own.
    """
    if "hx-request" not in request.headers:
        return shown(office, frame, actor, dossier_id)
    with office.begin() as work:
        laid_out = tray(work, actor, dossier_id)
    response = frame.part("_tray.html", **laid_out)
    mark = hashlib.sha256(response.body).hexdigest()[:_MARK_LENGTH]
    if mark == dau:
        return Response(status_code=204, headers={"cache-control": "no-store"})
    response.body = bytes(response.body).replace(_NO_MARK, f"?dau={mark}".encode(), 1)
    response.headers["content-length"] = str(len(response.body))
    return response


async def _upload(request: Request, _: AddsPapers, office: Office) -> AsyncIterator[Upload | TooLarge | BadUpload]:
    """The upload, or why there is none: the page says that in its own words."""
    of_form = received_or_why(request, most_bytes=office.limits.max_bytes, folder=office.work_dir)
    async with aclosing(of_form) as uploads:
        async for upload in uploads:
            yield upload


@router.post("/ho-so/{dossier_id}/giay-to")
def add_paper(
    dossier_id: UUID,
    actor: AddsPapers,
    office: Office,
    frame: StaffFrame,
    upload: Annotated[Upload | TooLarge | BadUpload, Depends(_upload)],
) -> Response:
    """Take in one file of a form without scripts, or say beside the papers why not."""
    try:
        if not isinstance(upload, Upload):
            raise upload
        came = _take_in(office, actor, dossier_id, upload)
    except NotFound:
        raise
    except (OfficeError, UnreadableScan, StoreUnavailable) as error:
        return shown(office, frame, actor, dossier_id, error=error)
    return frame.to(f"/ho-so/{dossier_id}#papers", tell="papers_parted" if len(came) > 1 else "paper_added")


@router.post("/ho-so/{dossier_id}/giay-to/{component_id}/chuyen")
def move_paper(
    dossier_id: UUID,
    component_id: UUID,
    actor: AddsPapers,
    office: Office,
    frame: StaffFrame,
    kind: Typed = "",
    name: Typed = "",
) -> Response:
    """Put a paper into the row it belongs to, or say beside the papers why not."""
    called = codes.clean_filename(name) if name.strip() else ""
    try:
        intake.move_component(
            office.begin, component_id, by=actor, dossier_id=dossier_id, kind=kind.strip(), name=called
        )
    except (Incomplete, WrongState) as error:
        return shown(office, frame, actor, dossier_id, error=error)
    return frame.to(f"/ho-so/{dossier_id}#papers", tell="paper_moved")


@router.post("/ho-so/{dossier_id}/giay-to/{component_id}/bo")
def drop_paper(dossier_id: UUID, component_id: UUID, actor: AddsPapers, office: Office, frame: StaffFrame) -> Response:
    """Take a paper out of a dossier that wasn't received yet, or say beside the papers why not."""
    try:
        intake.drop_component(office.begin, component_id, by=actor, dossier_id=dossier_id)
    except WrongState as error:
        return shown(office, frame, actor, dossier_id, error=error)
    return frame.to(f"/ho-so/{dossier_id}#papers", tell="paper_dropped")


def _take_in(office: Services, actor: Actor, dossier_id: UUID, upload: Upload) -> tuple[Component, ...]:
    """Raises Incomplete: No file was chosen, or what was counted is no number of pages."""
    counted, replaces = upload.fields.get("pages_declared", "").strip(), upload.fields.get("replaces", "")
    missing = []
    if not upload.filename:
        missing.append("no_file_chosen")
    if counted and not (counted.isascii() and counted.isdigit() and len(counted) <= _MOST_DIGITS):
        missing.append("pages_not_a_number")
    if missing:
        raise Incomplete("file", tuple(missing))
    name = upload.fields.get("name", "").strip()
    meant = Meant(
        dossier_id,
        kind=upload.fields.get("kind", ""),
        name=codes.clean_filename(name) if name else "",
        filename=upload.filename,
        pages_declared=int(counted) if counted else None,
        replaces=_component_id(replaces) if replaces else None,
    )
    return separation.bring_in(
        office.begin, office.store, meant, by=actor, file=upload.path, limits=office.limits, now=utc_now()
    ).papers


def _component_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("component") from None


#: What a form without scripts may lack.
_WORDS: Final = {
    "no_file_chosen": ("Chưa chọn tệp nào. Chọn tệp quét rồi gửi lại.", "No file was chosen. Choose the scan first."),
    "pages_not_a_number": ("Số trang đếm tay phải là một con số.", "The pages counted by hand must be a number."),
    "pictures_waiting": (
        "Còn ảnh từ điện thoại chưa ghép thành giấy. Ghép hoặc bỏ các ảnh đó rồi tiếp nhận.",
        "Pictures from a telephone are part of no paper yet. Make a paper of them or take them out, then receive.",
    ),
    "no_pictures": (
        "Không còn ảnh nào chờ ghép: người khác vừa ghép hoặc bỏ.",
        "No picture waits any more: somebody has just made a paper of them or taken them out.",
    ),
    "no_papers": ("Hồ sơ chưa có giấy tờ nào.", "The dossier has no papers yet."),
}


def _listed(error: Exception | None, language: Language, procedure: Procedure) -> list[dict[str, str]]:
    """What is wrong, each with the row it belongs to, in the person's language."""

    def said(code: str) -> str:
        return _WORDS[code][language == "en"]

    match error:
        case UnreadableScan(reason=reason):
            words = [label(reason, "en") if language == "en" else str(error)]
        case TooLarge(limit=limit):
            most = limit // (1024 * 1024)
            words = [f"At most {most} MB a file." if language == "en" else f"Mỗi tệp nặng nhất {most} MB."]
        case Duplicate(of=of):
            words = [f"It is here as {of}." if language == "en" else f"Tệp đã có ở giấy tờ {of}."]
        case SheetAstray(of=code):
            en = f"A separator sheet names dossier {code}. Open that dossier, or scan without this sheet."
            words = [
                en if language == "en" else f"Có tờ ngăn ghi hồ sơ {code}. Mở hồ sơ đó, hoặc bỏ tờ ngăn ra quét lại."
            ]
        case Incomplete(missing=()):
            words = [said("no_papers")]
        case Incomplete(missing=missing):
            rows = {kind.name: f"kind-{number}" for number, kind in enumerate(procedure.components, start=1)}
            return [
                {"field": rows.get(one, "papers"), "message": said(one) if one in _WORDS else one} for one in missing
            ]
        case _:
            words = []
    return [{"field": "papers", "message": one} for one in words]
