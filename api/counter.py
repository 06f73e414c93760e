"""The public counter: what anyone may ask without signing in, under the same limits by page and by program."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import Depends

from api import tickets
from api.deps import AtOnce, limit, token_sha256
from api.errors import TooManyRequests
from api.files import file_response
from dossiers import codes, verification
from dossiers.types import NotFound, ResultState

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import Request, Response

    from api.wiring import Services
    from dossiers.types import Annex, EResult
    from dossiers.verification import CitizenView

#: What verdicts are made by; named in each of them.
POLICY = "hoso-1"

#: Guessing is limited twice: by the address that asks and, in `look_up`, by the dossier that is asked for.
LOOK_UP_TRIES = Depends(limit("look-up", most=30, window_s=600))
VERIFY_TRIES = Depends(limit("verify", most=60, window_s=60))
#: Of a web process's places with its judges (two at work, eight in line) no address has more than these.
VERIFY_AT_ONCE = Depends(AtOnce(4))
REGISTER_TRIES = Depends(limit("register", most=60, window_s=60))
#: Each report is a signature of the agency's seal; `verdict_reports.ask` limits all of them together as well.
REPORT_TRIES = Depends(limit("report", most=6, window_s=600))
_DOSSIER_TRIES = 10
_WINDOW_S = 600

DOWNLOAD_LIFE = timedelta(hours=1)
_DOWNLOAD = "download"


def look_up(office: Services, *, dossier_code: str, lookup_code: str, now: datetime) -> CitizenView:
    """A dossier for whoever holds both codes.

    Raises:
        BadCode: One of the codes can't be one.
        TooManyRequests: This dossier was asked for too often.
        NotFound: There is none with these two codes.
    """
    # As parsed, so that every way to write one code shares one bucket.
    asked_for = token_sha256(str(codes.parse_dossier_code(dossier_code)))
    with office.begin() as work:
        within = work.limits.hit(f"look-up-code:{asked_for}", now=now, window_s=_WINDOW_S, limit=_DOSSIER_TRIES)
    if not within:
        raise TooManyRequests(_WINDOW_S)
    return verification.look_up(office.begin, dossier_code=dossier_code, lookup_code=lookup_code)


def download_ticket(office: Services, view: CitizenView, e_result: EResult, *, now: datetime) -> str:
    """What fetches this result for an hour; "" for one that isn't in force."""
    if e_result.state is not ResultState.ISSUED or e_result.document is None:
        return ""
    values = (view.dossier.code, e_result.ordinal, e_result.document.sha256)
    return tickets.sealed(office.secret, _DOWNLOAD, *values, until=now + DOWNLOAD_LIFE)


def annex_ticket(office: Services, view: CitizenView, e_result: EResult, annex: Annex, *, now: datetime) -> str:
    """What fetches an annex of this result for an hour; "" while the result isn't in force."""
    if e_result.state is not ResultState.ISSUED or annex.document is None:
        return ""
    values = (view.dossier.code, e_result.ordinal, annex.document.sha256, annex.ordinal)
    return tickets.sealed(office.secret, _DOWNLOAD, *values, until=now + DOWNLOAD_LIFE)


def download(request: Request, office: Services, ticket: str, *, now: datetime) -> Response:
    """The result or annex of a ticket, byte for byte as issued, in ranges if asked.

    Raises:
        NoTicket: It isn't a download ticket of ours, or has ended.
        NotFound: The result is no longer in force.
    """
    code, ordinal, sha256, *of_annex = tickets.opened(office.secret, _DOWNLOAD, ticket, now=now)
    if of_annex:
        return _annex(request, office, codes.annex_filename(code, ordinal, of_annex[0]), sha256)
    with office.begin() as work:
        e_result = work.e_results.by_document(sha256)
    if e_result is None or e_result.state is not ResultState.ISSUED or e_result.document is None:
        raise NotFound(code)
    return file_response(request, office.store, e_result.document, codes.result_filename(code, ordinal))


def _annex(request: Request, office: Services, filename: str, sha256: str) -> Response:
    with office.begin() as work:
        annex = work.annexes.with_document(sha256)
        e_result = work.e_results.for_job(annex.e_result_id) if annex else None
    if annex is None or annex.document is None or e_result is None or e_result.state is not ResultState.ISSUED:
        raise NotFound(filename)
    return file_response(request, office.store, annex.document, filename)
