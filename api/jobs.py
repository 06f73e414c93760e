"""One thin task per use case: ids in, one call, and which errors are worth another try."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from api.errors import OUTCOMES
from api.figures import JOBS, PAGES
from api.suspects import MOST_BEGUN, Suspects
from api.wiring import Services, utc_now
from dossiers import digitization, issuance, verdict_reports
from dossiers.ports import ObjectMissing
from dossiers.types import Changed
from signing.types import Place
from storage import disk, queue, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from procrastinate import App, JobContext
    from procrastinate.jobs import Job

    from dossiers.signatures import SigningDesk


_LOG = structlog.get_logger("jobs")


class _NoRoom(Exception):
    """A disk is full. For a job that passes, as a store does that doesn't answer: somebody is told and makes room."""


#: A store that gives other bytes than it was given may give the right ones a moment later, from another disk or after
#: the fixity check's repair. So many tries, over four minutes, before a person has to look.
_TRIES_OF_AN_OBJECT = 8

#: Worth another try by itself, for as long as it takes.
_PASSING: tuple[type[Exception], ...] = (Changed, _NoRoom, *(cls for cls, outcome in OUTCOMES.items() if outcome.retry))


def register(app: App, office: Services, desk: SigningDesk | None) -> None:
    """Give every task its function.

    What passes by itself is tried again; what doesn't is handed to a person, so that nothing waits for nobody.

    Args:
        desk: For the signing worker; None elsewhere, and then signing tasks are not even known.
    """
    suspects = Suspects(office)

    def task(
        name: str, call: Callable[..., None], *passing: type[Exception], died: Callable[..., None] | None = None
    ) -> None:
        retry = workers.Patience(*(passing or (*_PASSING, ObjectMissing)))
        if died is not None:
            call = _counted(suspects, call, died)
        app.task(name=name, queue=queue.QUEUE_OF[name], retry=retry, pass_context=True)(_measured(name, call))

    def look_at_pages(_job: Job, component_id: str, first: int) -> None:
        digitization.look_at_pages(
            office.begin, office.store, UUID(component_id), first, limits=office.limits, work_dir=office.work_dir
        )

    def read_page(job: Job, page_id: str) -> None:
        digitization.read_page(
            office.begin,
            office.store,
            UUID(page_id),
            limits=office.limits,
            work_dir=office.work_dir,
            patient=_may_pass(job),
        )
        PAGES.inc()

    def assemble(job: Job, component_id: str, revision: int) -> None:
        with _or_told(job, lambda: digitization.give_up(office.begin, UUID(component_id), "assembly_failed")):
            digitization.assemble(
                office.begin,
                office.store,
                UUID(component_id),
                revision,
                now=utc_now(),
                work_dir=office.work_dir,
                conversion_words=office.conversion_words,
            )

    def extract_fields(job: Job, component_id: str) -> None:
        with _or_told(job, lambda: digitization.note(office.begin, UUID(component_id), "fields_failed")):
            digitization.extract_fields(office.begin, office.store, UUID(component_id), work_dir=office.work_dir)

    def fields_died(component_id: str) -> None:
        digitization.note(office.begin, UUID(component_id), "fields_failed")

    def issue(_job: Job, e_result_id: str) -> None:
        issuance.issue(office.begin, UUID(e_result_id), now=utc_now())

    # Attempts are counted on the page and the paper, which are passed over, or set aside, in the end.
    task(queue.LOOK_AT_PAGES, look_at_pages, Exception)
    task(queue.READ_PAGE, read_page, Exception)
    task(queue.ASSEMBLE, assemble)
    task(queue.EXTRACT_FIELDS, extract_fields, died=fields_died)
    task(queue.ISSUE, issue, Exception)
    if desk is not None:
        _register_signing(task, office, desk)


def _register_signing(task: Callable[..., None], office: Services, desk: SigningDesk) -> None:
    """The tasks of the one signing worker."""

    def sign_copy(job: Job, component_id: str, revision: int) -> None:
        with _or_told(job, lambda: digitization.give_up(office.begin, UUID(component_id), "signing_failed")):
            digitization.sign_copy(desk, UUID(component_id), revision)

    def sign_e_result(job: Job, e_result_id: str, place: str) -> None:
        with _or_told(job, lambda: issuance.give_up(office.begin, UUID(e_result_id), "signing_failed")):
            issuance.sign(desk, UUID(e_result_id), Place(place))
        desk.keys.done(UUID(e_result_id))  # signed, or a person's business now; trying again doesn't come here

    def make_report(job: Job, report_id: str) -> None:
        with _or_told(job, lambda: verdict_reports.give_up(office.begin, UUID(report_id), "report_failed")):
            verdict_reports.make(desk, UUID(report_id))

    def copy_died(component_id: str, revision: int) -> None:
        digitization.give_up(office.begin, UUID(component_id), "signing_died", revision=revision)

    def e_result_died(e_result_id: str, place: str) -> None:
        issuance.give_up(office.begin, UUID(e_result_id), "signing_died", place=Place(place))
        desk.keys.done(UUID(e_result_id))

    def report_died(report_id: str) -> None:
        verdict_reports.give_up(office.begin, UUID(report_id), "report_died")

    task(queue.MAKE_REPORT, make_report, died=report_died)
    task(queue.SIGN_COPY, sign_copy, died=copy_died)
    task(queue.SIGN_E_RESULT, sign_e_result, died=e_result_died)


def _counted(suspects: Suspects, call: Callable[..., None], died: Callable[..., None]) -> Callable[..., None]:
    """The same function; in its place `died` for a job that ended its worker too often, so that a person looks at it.

    A person who takes it up again asks for a new job, which is counted from the start.
    """

    def counted(job: Job, *, begun: int = 0, **ids: str | int | bool) -> None:
        assert job.id is not None  # noqa: S101  it came out of the database
        if begun >= MOST_BEGUN:
            _LOG.error("job_ended_its_workers", job=job.id, task=job.task_name, begun=begun)
            died(**ids)
            return
        with suspects.at_work(job.id, begun=begun):
            call(job, **ids)

    return counted


def _measured(name: str, call: Callable[..., None]) -> Callable[..., None]:
    """The same function, its time and outcome among this process's figures."""

    @wraps(call)
    def measured(context: JobContext, **ids: str | int | bool) -> None:
        began = time.monotonic()
        outcome = "failed"
        try:
            call(context.job, **ids)
            outcome = "done"
        finally:
            JOBS.labels(name, outcome).observe(time.monotonic() - began)

    return measured


def _may_pass(job: Job) -> bool:
    """Whether an object that can't be had is worth another try of this job."""
    return job.attempts + 1 < _TRIES_OF_AN_OBJECT


@contextmanager
def _or_told(job: Job, tell: Callable[[], None]) -> Iterator[None]:
    """Hand a failure that waiting doesn't mend to a person; the job is then over and its traceback in the log."""
    try:
        yield
    except _PASSING:
        raise
    except Exception as error:  # whatever it was: it must not wait for nobody
        if isinstance(error, ObjectMissing) and _may_pass(job):
            raise
        if disk.is_full(error):
            raise _NoRoom from error
        tell()
        _LOG.exception("job_failed")
