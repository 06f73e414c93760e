"""Annexes of e-results, each in a file of its own: brought to a draft, signed with the result."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.deps import Drafts, Office, Sees
from api.files import file_response
from api.schemas.e_results import AnnexOut
from api.uploads import Upload, received
from api.wiring import utc_now
from dossiers import annexes, codes
from dossiers.annexes import MOST_TITLE

router = APIRouter(tags=["E-results"])


async def _file(request: Request, _: Drafts, office: Office) -> AsyncIterator[Upload]:
    async for upload in received(request, most_bytes=office.max_verification_bytes, folder=office.work_dir):
        yield upload


@router.post("/e-results/{e_result_id}/annexes", status_code=201)
def add(e_result_id: UUID, actor: Drafts, office: Office, upload: Annotated[Upload, Depends(_file)]) -> AnnexOut:
    """Bring an annex to a draft (form fields: file, title): an unsigned PDF, behind those that are there."""
    return AnnexOut.of(
        annexes.add(
            office.begin,
            office.store,
            e_result_id,
            by=actor,
            file=upload.path,
            title=upload.fields.get("title", "").strip()[:MOST_TITLE],
            limits=office.limits,
            now=utc_now(),
            work_dir=office.work_dir,
        )
    )


@router.get("/e-results/{e_result_id}/annexes")
def of_result(e_result_id: UUID, actor: Sees, office: Office) -> list[AnnexOut]:
    """Its annexes, in their order."""
    with office.begin() as work:
        return [AnnexOut.of(annex) for annex in work.annexes.of(work.e_results.of(actor, e_result_id).id)]


@router.get("/e-results/{e_result_id}/annexes/{ordinal}/document")
def document(request: Request, e_result_id: UUID, ordinal: int, actor: Sees, office: Office) -> Response:
    """The annex as it stands: what the leader reads, and later what was issued."""
    e_result, annex = annexes.of(office.begin, e_result_id, ordinal, by=actor)
    with office.begin() as work:
        code = work.dossiers.for_job(e_result.dossier_id).code
    name = codes.annex_filename(code, e_result.ordinal, annex.ordinal)
    return file_response(request, office.store, annex.current, name)


@router.delete("/e-results/{e_result_id}/annexes/{annex_id}", status_code=204)
def remove(e_result_id: UUID, annex_id: UUID, actor: Drafts, office: Office) -> None:
    """Take an annex off a draft; those behind it move up."""
    annexes.remove(office.begin, e_result_id, annex_id, by=actor)
