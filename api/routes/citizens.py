"""The citizen's door: look a dossier up with both codes, download the result, ask whether a document is genuine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api import counter
from api.deps import Office, Public
from api.schemas.citizens import CitizenOut, LookUpIn, PolicyOut, SentenceOut, VerificationOut, registered
from api.uploads import Upload, received
from api.wiring import utc_now
from dossiers import verification
from dossiers.answers import answer

router = APIRouter(tags=["Citizens"], dependencies=[Public])


@router.post("/citizen/look-up", dependencies=[counter.LOOK_UP_TRIES])
def look_up(body: LookUpIn, office: Office) -> CitizenOut:
    """A dossier for whoever holds both codes: where it is, and its results to download."""
    now = utc_now()
    view = counter.look_up(office, dossier_code=body.dossier_code, lookup_code=body.lookup_code, now=now)
    downloads = {
        (r.ordinal, 0): f"/api/v1/citizen/results/{ticket}"
        for r in view.e_results
        if (ticket := counter.download_ticket(office, view, r, now=now))
    }
    downloads |= {
        (r.ordinal, annex.ordinal): f"/api/v1/citizen/results/{ticket}"
        for r in view.e_results
        for annex in view.annexes.get(r.id, ())
        if (ticket := counter.annex_ticket(office, view, r, annex, now=now))
    }
    return CitizenOut.of(view, downloads)


@router.head("/citizen/results/{ticket}", include_in_schema=False)
@router.get("/citizen/results/{ticket}")
def download(request: Request, ticket: str, office: Office) -> Response:
    """The result or its annex, byte for byte as issued, in ranges if asked; the address lives an hour."""
    return counter.download(request, office, ticket, now=utc_now())


async def _file(request: Request, office: Office) -> AsyncIterator[Upload]:
    async for upload in received(request, most_bytes=office.max_verification_bytes, folder=office.work_dir):
        yield upload


@router.post("/verifications", dependencies=[counter.VERIFY_TRIES, counter.VERIFY_AT_ONCE])
def verify(office: Office, upload: Annotated[Upload, Depends(_file)]) -> VerificationOut:
    """Is this document genuine? The file is judged, the register is asked, and nothing is kept."""
    judgement = verification.judge(office.begin, upload.path, judge=office.judges, now=utc_now())
    sentences = {}
    for language in ("vi", "en"):
        said = answer(judgement, language=language)
        sentences[language] = SentenceOut(headline=said.headline, reason=said.reason, next_step=said.next_step)
    return VerificationOut.of(
        judgement, sentences, policy=PolicyOut(name=counter.POLICY, url=f"{office.verify_url}/chinh-sach")
    )


@router.get("/register/{lookup_code}", dependencies=[counter.REGISTER_TRIES])
def register(lookup_code: str, office: Office) -> dict[str, object]:
    """What the register says of the result with this printed code: number, date, agency, status; nothing personal."""
    found = verification.in_register(office.begin, lookup_code=lookup_code)
    line = registered(found.e_result, found.agency, found.newer)
    return {"status": found.e_result.state.value, "e_result": line.model_dump(mode="json")}
