"""Annexes of a draft on its page: brought one by one, taken off again; and their pages to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.deps import Drafts, Office
from api.pages import result_view as view
from api.pages.frame import StaffFrame
from api.pages.result_trouble import TROUBLE
from api.uploads import Upload, received
from api.wiring import utc_now
from dossiers import annexes, codes

router = APIRouter(include_in_schema=False)


async def _file(request: Request, _: Drafts, office: Office) -> AsyncIterator[Upload]:
    async for upload in received(request, most_bytes=office.max_verification_bytes, folder=office.work_dir):
        yield upload


@router.post("/ket-qua/{e_result_id:uuid}/phu-luc")
def add(
    e_result_id: UUID, actor: Drafts, office: Office, frame: StaffFrame, upload: Annotated[Upload, Depends(_file)]
) -> Response:
    """Bring an annex to a draft; its name is the file's where none is typed."""
    title = upload.fields.get("annex_title", "").strip() or codes.clean_filename(upload.filename).removesuffix(".pdf")
    try:
        annexes.add(
            office.begin,
            office.store,
            e_result_id,
            by=actor,
            file=upload.path,
            title=title[: annexes.MOST_TITLE],
            limits=office.limits,
            now=utc_now(),
            work_dir=office.work_dir,
        )
    except TROUBLE as error:
        return view.refused(frame, actor, office, e_result_id, error)
    return frame.to(f"/ket-qua/{e_result_id}", tell="annex_added")


@router.post("/ket-qua/{e_result_id:uuid}/phu-luc/{annex_id:uuid}/bo")
def remove(e_result_id: UUID, annex_id: UUID, actor: Drafts, office: Office, frame: StaffFrame) -> Response:
    """Take an annex off a draft."""
    try:
        annexes.remove(office.begin, e_result_id, annex_id, by=actor)
    except TROUBLE as error:
        return view.refused(frame, actor, office, e_result_id, error)
    return frame.to(f"/ket-qua/{e_result_id}", tell="annex_removed")
