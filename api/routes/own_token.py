"""Signing with the signer's own token: links out, signed files back. The last two doors are the desktop tool's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api.deps import Office, Public, Sees, SignsWithToken, limit
from api.errors import BadUpload, TooLarge, language_of
from api.files import file_response
from api.schemas.own_token import (
    DigestAsked,
    DigestOut,
    SignatureIn,
    SignatureTaken,
    SigningLinkOut,
    SigningLinkStateOut,
    ToolAnswer,
)
from api.uploads import Upload, received_or_why
from api.wiring import Services, utc_now
from dossiers import codes, digests, own_token
from dossiers.own_token import NoLink, Taken
from dossiers.ports import ObjectMissing, StoreUnavailable
from dossiers.types import Changed, EResult, NotFound
from signing.isolation import JudgesBusy
from signing.types import SigningRefused
from storage.database import DatabaseUnavailable

router = APIRouter(tags=["Signing"])

#: More than a leader's batch needs; a secret of 256 bits isn't found by trying.
_TRIES = Depends(limit("signing_link", most=240, window_s=60))
#: Not taken now and worth another try, whatever the file.
_NOT_NOW = (StoreUnavailable, ObjectMissing, DatabaseUnavailable, Changed)


@router.post("/e-results/{e_result_id}/signing-links", status_code=201)
def hand_out(e_result_id: UUID, actor: SignsWithToken, office: Office) -> SigningLinkOut:
    """A one-time link by which the asker's own tool fetches the document and brings it back signed."""
    handed_out = own_token.hand_out(office.begin, e_result_id, by=actor, now=utc_now())
    return SigningLinkOut.of(handed_out, office.base_url, filename_of(office, handed_out.link.e_result_id))


@router.get("/e-results/{e_result_id}/signing-links/last")
def last(e_result_id: UUID, actor: Sees, office: Office) -> SigningLinkStateOut:
    """What became of the last link: fetched, refused and why, or taken."""
    with office.begin() as work:
        link = work.signing_links.newest(work.e_results.of(actor, e_result_id).id)
    if link is None:
        raise NotFound("signing_link")
    vi, en = own_token.words_of(office.begin, link)
    return SigningLinkStateOut.of(link, vi, en)


@router.post("/e-results/{e_result_id}/digests", status_code=201, dependencies=[_TRIES])
def hand_out_digest(
    e_result_id: UUID, actor: SignsWithToken, office: Office, response: Response, asked: DigestAsked | None = None
) -> DigestOut:
    """What the signer's own device is to sign, where it signs a hash instead of a whole PDF."""
    out = digests.hand_out(
        office.begin,
        office.store,
        e_result_id,
        by=actor,
        now=utc_now(),
        work_dir=office.work_dir,
        prefer_pss=asked is None or asked.padding == "pss",
        typeface=office.typeface,
    )
    response.headers["cache-control"] = "no-store"
    return DigestOut.of(out)


@router.post("/e-results/{e_result_id}/digests/{token}", dependencies=[_TRIES])
def take_signature(
    request: Request, e_result_id: UUID, token: str, actor: SignsWithToken, office: Office, sent: SignatureIn
) -> SignatureTaken:
    """The signature of the signer's own device: taken if it is the expected one over what was given out.

    Otherwise nothing changes: 422 with the reason, 410 once the token can't be used any more, 503 when nothing could
    be looked at.
    """
    digests.take(
        office.begin,
        office.store,
        e_result_id,
        token,
        sent.signature,
        by=actor,
        examiner=office.judges,
        now=utc_now(),
        work_dir=office.work_dir,
    )
    return SignatureTaken(e_result_id=e_result_id, message=Taken("").words(language_of(request)))


@router.get("/signing-links/{token}/{filename}", dependencies=[Public, _TRIES])
def fetch(request: Request, token: str, filename: str, office: Office) -> Response:
    """The document to sign, to its last byte, for whoever holds the link (the desktop tool)."""
    document, _ = own_token.fetch(office.begin, token, now=utc_now())
    return file_response(request, office.store, document, codes.clean_filename(filename))


async def _signed(
    request: Request, token: str, office: Office
) -> AsyncIterator[Upload | TooLarge | BadUpload | NoLink]:
    """The file, read only for a link that is ours."""
    try:
        await run_in_threadpool(own_token.must_be_open, office.begin, token)
    except NoLink as error:
        yield error
        return
    async for upload in received_or_why(
        request, most_bytes=office.max_verification_bytes, folder=office.work_dir, part="uploadfile"
    ):
        yield upload


@router.post("/signing-links/{token}/signed", dependencies=[Public, _TRIES])
def take(
    request: Request,
    token: str,
    office: Office,
    upload: Annotated[Upload | TooLarge | BadUpload | NoLink, Depends(_signed)],
) -> JSONResponse:
    """The signed file (form field: uploadfile). Answered as desktop tools understand it: Status 0 is taken.

    A file that isn't taken is answered with 200 as well, since tools show their user the Message of that alone; 503
    when nothing could be accepted at all.
    """
    try:
        taken = _taken(office, token, upload)
    except _NOT_NOW:
        return _said(request, office, Taken("upload_not_kept"), status=503)
    except JudgesBusy as busy:
        return _said(request, office, Taken("upload_busy"), status=503, retry_s=busy.seconds)
    except (NoLink, SigningRefused) as error:
        return _said(request, office, Taken(error.reason))
    return _said(request, office, taken)


def _taken(office: Services, token: str, upload: Upload | TooLarge | BadUpload | NoLink) -> Taken:
    now = utc_now()
    match upload:
        case NoLink():
            raise upload
        case TooLarge():
            return own_token.refuse(office.begin, token, "upload_too_large", now=now)
        case BadUpload():
            return own_token.refuse(office.begin, token, "upload_broken", now=now)
    return own_token.take(
        office.begin, office.store, token, upload.path, examiner=office.judges, now=now, work_dir=office.work_dir
    )


def _said(request: Request, office: Services, taken: Taken, *, status: int = 200, retry_s: int = 0) -> JSONResponse:
    done = not taken.refusal
    body = ToolAnswer(
        Status=0 if done else 1,
        Message=taken.words(language_of(request)),
        FileName=filename_of(office, taken.e_result_id) if done and taken.e_result_id else "",
        FileServer=f"{office.base_url}/ket-qua/{taken.e_result_id}" if done else "",
    )
    headers = {"cache-control": "no-store"} | ({"retry-after": str(retry_s)} if retry_s else {})
    return JSONResponse(body.model_dump(), status, headers)


def filename_of(office: Services, e_result_id: UUID) -> str:
    """What the document is called on the signer's computer."""
    with office.begin() as work:
        e_result: EResult = work.e_results.for_job(e_result_id)
        return codes.result_filename(work.dossiers.for_job(e_result.dossier_id).code, e_result.ordinal)
