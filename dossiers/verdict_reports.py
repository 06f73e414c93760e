"""Reports of checks: what the service found out about a file a moment ago, on paper and under the centre's seal.

The web asks for one and holds no key; the signing worker sets and seals it. Kept are the report's own sentences, never
the file; whoever asked holds a ticket, of which only the hash is kept, and after a day all of it is deleted. The agency
whose seal it is answers for what its reports say, so only our own verdicts are ever put under it (decision 0039).
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dossiers.calendar import VIETNAM
from dossiers.signatures import seal_report
from dossiers.types import Actor, NotFound, OfficeError
from signing import appearance, verdict_report
from signing.types import SigningRefused
from signing.verdict_report import ReportText, Section

if TYPE_CHECKING:
    from dossiers.ports import Begin
    from dossiers.signatures import SigningDesk

#: How long a report can be fetched.
KEPT = timedelta(hours=24)
#: So many an hour in all: strangers can't make the seal sign at will.
MOST_AN_HOUR = 120
_HOUR_S = 3600


class ReportState(StrEnum):
    """How far a report is."""

    ASKED = "asked"
    SEALED = "sealed"
    FAILED = "failed"


class TooManyReports(OfficeError):
    """The hour's reports are used up; nothing is wrong with the verdict."""


@dataclass(frozen=True)
class VerdictReport:
    """A report that was asked for.

    Attributes:
        ticket_sha256: Hash of what its asker holds.
        agency: Whose seal it gets.
        said: What it says: `described`, as strings.
        pdf: Once it is sealed.
        problem: Why it can't be made; a code with words in `dossiers.labels`.
    """

    id: uuid.UUID
    ticket_sha256: str
    agency: str
    asked_at: datetime
    said: dict[str, Any]
    state: ReportState = ReportState.ASKED
    problem: str = ""
    pdf: bytes | None = None


def ask(begin: Begin, said: dict[str, Any], *, agency: str, now: datetime) -> str:
    """Have a report made; gives the ticket with which it is fetched.

    Args:
        said: What it says, from `described`; the caller answers for its being our own verdict.

    Raises:
        TooManyReports: Of all that ask together.
        NotFound: There is no such agency.
    """
    with begin() as work:
        if not work.limits.hit("report:all", now=now, window_s=_HOUR_S, limit=MOST_AN_HOUR):
            raise TooManyReports
    ticket = secrets.token_urlsafe(32)
    with begin() as work:
        work.agencies.of(agency)
        report = VerdictReport(uuid.uuid4(), _hashed(ticket), agency, now, said)
        work.verdict_reports.keep(report)
        work.jobs.make_report(report.id)
    return ticket


def held(begin: Begin, ticket: str, *, now: datetime) -> VerdictReport:
    """The report of a ticket.

    Raises:
        NotFound: There is none, or its day is over.
    """
    with begin() as work:
        report = work.verdict_reports.by_ticket(_hashed(ticket))
    if report.asked_at + KEPT <= now:
        raise NotFound("report")
    return report


def make(desk: SigningDesk, report_id: uuid.UUID) -> None:
    """Set the report and seal it. Does nothing when that is done, or when it is forgotten already.

    Killed halfway it is made anew: it says the same, and nobody has seen the other one.

    Raises:
        TrustServiceUnavailable: Try again later.
    """
    with desk.begin() as work:
        report = work.verdict_reports.of(report_id)
        if report is None or report.state is not ReportState.ASKED:
            return
        agency = work.agencies.of(report.agency)
        try:
            record = work.certificates.for_agency(agency.code)
        except NotFound:
            work.verdict_reports.keep(replace(report, state=ReportState.FAILED, problem="report_without_seal"))
            return
    set_out = verdict_report.render(_text_of(report.said), face=desk.typeface, watermark=report.said["watermark"])
    try:
        with tempfile.TemporaryDirectory(dir=desk.outbox) as folder:
            whole = Path(folder, "sealed.pdf")
            seal_report(
                desk,
                report.id,
                set_out.pdf,
                whole,
                where=set_out.place,
                record=record,
                names=[agency.name, agency.letterhead],
                look=appearance.seal(agency.letterhead or agency.name, desk.keys.picture(record)),
            )
            pdf = whole.read_bytes()
    except SigningRefused as refused:
        give_up(desk.begin, report_id, refused.reason)
        return
    with desk.begin() as work:
        now = work.verdict_reports.of(report_id)
        if now is None or now.state is not ReportState.ASKED:
            return
        work.verdict_reports.keep(replace(now, state=ReportState.SEALED, pdf=pdf))
        work.audit.append(
            Actor.system(agency.code),
            "report.sealed",
            report.id,
            sha256=hashlib.sha256(pdf).hexdigest(),
            certificate=record.sha256,
        )


def give_up(begin: Begin, report_id: uuid.UUID, problem: str) -> None:
    """Tell whoever waits that there will be no report, and why."""
    with begin() as work:
        report = work.verdict_reports.of(report_id)
        if report is not None and report.state is ReportState.ASKED:
            work.verdict_reports.keep(replace(report, state=ReportState.FAILED, problem=problem))


def forget(begin: Begin, *, now: datetime) -> int:
    """Delete the reports whose day is over; how many."""
    with begin() as work:
        return work.verdict_reports.forget(before=now - KEPT)


def _hashed(ticket: str) -> str:
    return hashlib.sha256(ticket.encode(errors="replace")).hexdigest()


def _text_of(said: dict[str, Any]) -> ReportText:
    """What was kept, as the layout takes it."""

    def pair(words: Any) -> tuple[str, str]:
        return str(words[0]), str(words[1])

    return ReportText(
        agency_name=said["agency_name"],
        parent_name=said["parent_name"],
        place=said["place"],
        dated=datetime.fromisoformat(said["checked_at"]).astimezone(VIETNAM).date(),
        headline=pair(said["headline"]),
        reason=pair(said["reason"]),
        next_step=pair(said["next_step"]),
        sections=[
            Section(pair(part["title"]), [(pair(what), pair(value)) for what, value in part["rows"]])
            for part in said["sections"]
        ],
        notes=[pair(note) for note in said["notes"]],
        address=said["address"],
    )
