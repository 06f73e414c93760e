"""The printable report of a check: asked for on the page with the verdict, sealed by the worker, fetched for a day.

No sign-in and no script. What the form carries back is the report's own words under the service's seal: nobody can have
another text put under the agency's.
"""

from __future__ import annotations

import base64
import json
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Form, Response

from api import counter, tickets
from api.deps import NotForeign, Office, Public
from api.errors import NoTicket
from api.pages.frame import PublicFrame
from api.wiring import utc_now
from dossiers import verdict_reports
from dossiers.report_words import described
from dossiers.types import NotFound
from dossiers.verdict_reports import ReportState

if TYPE_CHECKING:
    from api.wiring import Services
    from dossiers.verification import Judgement

router = APIRouter(dependencies=[Public], include_in_schema=False)

#: So long after the check a report of it may be asked for: it says what was true a moment ago.
ASK_WITHIN = timedelta(hours=1)
_PURPOSE = "verdict-report"
#: A file may name fifty signatures; what is longer than this, sealed, isn't offered.
_LONGEST: Final = 200_000

Sealed = Annotated[str, Form(max_length=_LONGEST)]


def sealed_words(office: Services, judgement: Judgement, *, size: int) -> str:
    """What the report would say, under the service's seal; "" where this instance makes none."""
    if not office.reports_by:
        return ""
    with office.begin() as work:
        try:
            agency = work.agencies.of(office.reports_by)
        except NotFound:
            return ""
    said = described(
        judgement,
        agency=agency,
        size=size,
        policy=counter.POLICY,
        system="Hồ sơ số",
        address=office.verify_url,
        watermark="" if office.in_production else "DỮ LIỆU THỬ",
    )
    packed = base64.b85encode(zlib.compress(json.dumps(said, ensure_ascii=False).encode(), 9)).decode()
    form = tickets.sealed(office.secret, _PURPOSE, packed, until=judgement.checked_at + ASK_WITHIN)
    return form if len(form) <= _LONGEST else ""


@router.post("/kiem-tra/bien-ban", dependencies=[NotForeign, counter.REPORT_TRIES])
def ask(frame: PublicFrame, office: Office, noi_dung: Sealed = "") -> Response:
    """Have it made; what isn't our own verdict of the last hour is refused."""
    now = utc_now()
    try:
        (packed,) = tickets.opened(office.secret, _PURPOSE, noi_dung, now=now)
    except NoTicket:
        return frame.page("verdict_report.html", status=410, state="too_late", report=None, ticket="")
    said: dict[str, Any] = json.loads(zlib.decompress(base64.b85decode(packed)))
    ticket = verdict_reports.ask(office.begin, said, agency=office.reports_by, now=now)
    return frame.to(f"/kiem-tra/bien-ban/{ticket}")


@router.get("/kiem-tra/bien-ban/{ticket}")
def progress(frame: PublicFrame, office: Office, ticket: str) -> Response:
    """How far it is; the page looks again by itself until it is known."""
    try:
        report = verdict_reports.held(office.begin, ticket, now=utc_now())
    except NotFound:
        return frame.page("verdict_report.html", status=404, state="gone", report=None, ticket="")
    return frame.page("verdict_report.html", state=report.state.value, report=report, ticket=ticket)


@router.get("/kiem-tra/bien-ban/{ticket}/bien-ban-kiem-tra.pdf")
def fetch(frame: PublicFrame, office: Office, ticket: str) -> Response:
    """The sealed report as an attachment; back to the page about it while there is none."""
    try:
        report = verdict_reports.held(office.begin, ticket, now=utc_now())
    except NotFound:
        return frame.page("verdict_report.html", status=404, state="gone", report=None, ticket="")
    if report.state is not ReportState.SEALED or report.pdf is None:
        return frame.to(f"/kiem-tra/bien-ban/{ticket}")
    headers = {
        "content-disposition": 'attachment; filename="bien-ban-kiem-tra.pdf"',
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
    }
    return Response(report.pdf, media_type="application/pdf", headers=headers)
