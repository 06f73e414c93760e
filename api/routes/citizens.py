"""The citizen's door: look a dossier up with both codes, download the result, ask whether a document is genuine."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from api.deps import Office, Public, limit, token_sha256
from api.errors import TooManyRequests
from api.files import file_response
from api.schemas.citizens import CitizenOut, LookUpIn, SentenceOut, VerificationOut, registered
from api.uploads import Upload, received
from api.wiring import Services, utc_now
from dossiers import codes, verification
from dossiers.answers import answer
from dossiers.types import NotFound, ObjectKey, ResultState

if TYPE_CHECKING:
    from datetime import datetime

router = APIRouter(tags=["Citizens"], dependencies=[Public])
#: Addresses that stand on paper, outside the API's own.
printed = APIRouter(dependencies=[Public])

DOWNLOAD_LIFE = timedelta(hours=1)
#: Guessing is limited twice: by the address that asks and by the dossier that is asked for.
_ADDRESS_TRIES = limit("look-up", most=30, window_s=600)
_DOSSIER_TRIES = 10
_WINDOW_S = 600
POLICY = "hoso-1"


@router.post("/citizen/look-up", dependencies=[Depends(_ADDRESS_TRIES)])
def look_up(body: LookUpIn, office: Office) -> CitizenOut:
    """A dossier for whoever holds both codes: where it is, and its results to download."""
    now = utc_now()
    # As parsed, so that every way to write one code shares one bucket.
    asked_for = token_sha256(str(codes.parse_dossier_code(body.dossier_code)))
    with office.begin() as work:
        within = work.limits.hit(f"look-up-code:{asked_for}", now=now, window_s=_WINDOW_S, limit=_DOSSIER_TRIES)
    if not within:
        raise TooManyRequests(_WINDOW_S)
    view = verification.look_up(office.begin, dossier_code=body.dossier_code, lookup_code=body.lookup_code)
    downloads = {
        r.ordinal: f"/api/v1/citizen/results/{_sealed(office, r.document.sha256, view.dossier.code, r.ordinal, now)}"
        for r in view.e_results
        if r.state is ResultState.ISSUED and r.document is not None
    }
    return CitizenOut.of(view, downloads)


@router.head("/citizen/results/{ticket}", include_in_schema=False)
@router.get("/citizen/results/{ticket}")
def download(request: Request, ticket: str, office: Office) -> Response:
    """The result, byte for byte as issued, in ranges if asked; the address lives an hour."""
    code, ordinal, sha256 = _unsealed(office, ticket, utc_now())
    with office.begin() as work:
        e_result = work.e_results.by_document(sha256)
    if e_result is None or e_result.state is not ResultState.ISSUED:
        raise NotFound(code)
    return file_response(request, office.store, _document(e_result.document), codes.result_filename(code, ordinal))


async def _file(request: Request, office: Office) -> AsyncIterator[Upload]:
    async for upload in received(request, most_bytes=office.max_verification_bytes, folder=office.work_dir):
        yield upload


@router.post("/verifications", dependencies=[Depends(limit("verify", most=60, window_s=60))])
def verify(office: Office, upload: Annotated[Upload, Depends(_file)]) -> VerificationOut:
    """Is this document genuine? The file is judged, the register is asked, and nothing is kept."""
    judgement = verification.judge(office.begin, upload.path, now=utc_now())
    sentences = {}
    for language in ("vi", "en"):
        said = answer(judgement, language=language)
        sentences[language] = SentenceOut(headline=said.headline, reason=said.reason, next_step=said.next_step)
    return VerificationOut.of(judgement, sentences, policy=POLICY)


@router.get("/register/{lookup_code}", dependencies=[Depends(limit("register", most=60, window_s=60))])
def register(lookup_code: str, office: Office) -> dict[str, object]:
    """What the register says of the result with this printed code: number, date, agency, status; nothing personal."""
    with office.begin() as work:
        e_result = work.e_results.by_lookup_code(codes.normalise_lookup_code(lookup_code))
        if e_result is None:
            raise NotFound(lookup_code)
        agency = work.agencies.of(e_result.agency)
        newer = work.e_results.for_job(e_result.superseded_by) if e_result.superseded_by else None
    return {"status": e_result.state.value, "e_result": registered(e_result, agency, newer).model_dump(mode="json")}


@printed.get("/kiem-tra/{lookup_code}", include_in_schema=False)
def printed_code(lookup_code: str) -> RedirectResponse:
    """Where the QR code on a result leads; the address is printed and must answer for ever."""
    return RedirectResponse(f"/api/v1/register/{quote(lookup_code, safe='')}", status_code=303)


def _sealed(office: Services, sha256: str, code: str, ordinal: int, now: datetime) -> str:
    """A download ticket: what, and until when, under the service's seal."""
    until = int((now + DOWNLOAD_LIFE).timestamp())
    body = base64.urlsafe_b64encode(json.dumps([code, ordinal, sha256, until]).encode()).decode().rstrip("=")
    return f"{body}.{_mac(office, body)}"


def _unsealed(office: Services, ticket: str, now: datetime) -> tuple[str, int, str]:
    body, _, mac = ticket.partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(office, body).encode()):
        raise NotFound("ticket")
    code, ordinal, sha256, until = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if now.timestamp() > until:
        raise NotFound("ticket")
    return code, ordinal, sha256


def _mac(office: Services, body: str) -> str:
    return hmac.new(office.secret, b"download:" + body.encode(), "sha256").hexdigest()


def _document(key: ObjectKey | None) -> ObjectKey:
    if key is None:
        raise NotFound("document")
    return key
