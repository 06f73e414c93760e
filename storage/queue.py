"""Work for later, on Procrastinate: jobs are rows, deferred in the transaction that makes them necessary.

Storage knows tasks by name only; `api.jobs` registers what each name does, and `storage.workers` has them done. A job
may run twice (its worker died, or was thought dead), so tasks take ids, look before they act, and write under keys.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued

from storage.workers import STALLED_AFTER_S

if TYPE_CHECKING:
    from uuid import UUID


# Names of the tasks. Each takes the arguments of the method of `Jobs` with its name, ids as text.
LOOK_AT_PAGES = "look_at_pages"
READ_PAGE = "read_page"
ASSEMBLE = "assemble"
EXTRACT_FIELDS = "extract_fields"
SIGN_COPY = "sign_copy"
SIGN_E_RESULT = "sign_e_result"
MAKE_REPORT = "make_report"
ISSUE = "issue"

# Queues. Only the one signing worker listens to SIGN: it alone can open keys.
LOOK = "look"
PAGE = "page"
PAPER = "assemble"
SIGN = "sign"
REGISTER = "issue"

#: Which queue a task waits in; a test holds that every queue has a worker and every task a function.
QUEUE_OF = {
    LOOK_AT_PAGES: LOOK,
    READ_PAGE: PAGE,
    ASSEMBLE: PAPER,
    EXTRACT_FIELDS: PAPER,
    SIGN_COPY: SIGN,
    SIGN_E_RESULT: SIGN,
    MAKE_REPORT: SIGN,
    ISSUE: REGISTER,
}

#: A big file steps back by one after each so many pages, so that a small one behind it needn't wait for all of it.
_PAGES_OF_ONE_PRIORITY = 20
_LOWEST_PRIORITY = -100
#: What is nearly done comes before what is only begun, and paper that is still on the desk before both.
_FINISHING_PRIORITY = 10
_ON_THE_DESK_PRIORITY = 20
#: Keys are in use, and a PIN in memory, no longer than they must be: waiting for the time comes after all signing.
_STAMPING_PRIORITY = -10
#: Anybody may ask for a report: no result ever waits behind one.
_REPORT_PRIORITY = -50
#: An old dossier that is digitised after the fact steps back behind all of this, the last page of a big file included.
_BACK_FILE_PRIORITY = -200
#: Of a job with this priority or less nobody waits for the end.
NOBODY_WAITS_PRIORITY = -150

#: Only gives jobs their form. It is never opened: the caller's connection is used, also inside a worker, where an
#: opened App would take a synchronous connection for an asynchronous one.
_FORMS = App(connector=SyncPsycopgConnector())


_HURRY = sa.text(
    "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE queueing_lock = :queueing_lock AND status = 'todo'"
)

#: Only what waits: a job that has begun finds out by itself. Whoever is about to begin one is waited for.
_DROP = sa.text(
    """
    WITH dropped AS (
        DELETE FROM procrastinate_jobs
        WHERE status = 'todo' AND (
            args ->> 'component_id' = :component_id
            OR args ->> 'page_id' IN (SELECT id::text FROM pages WHERE component_id = CAST(:component_id AS uuid))
        )
        RETURNING task_name
    )
    SELECT count(*) FILTER (WHERE task_name = :read_page) FROM dropped
    """
)


#: Kept in the job itself, as an argument that its task is called with: it is gone with the job, and a new one is clean.
_BEGUN = sa.text(
    """
    UPDATE procrastinate_jobs
    SET args = CASE WHEN :begun = 0 THEN args - 'begun' ELSE args || jsonb_build_object('begun', :begun) END
    WHERE id = :job_id AND status = 'doing'
    """
)

_READING = sa.text(
    """
    SELECT EXISTS (
        SELECT FROM procrastinate_workers AS worker
        JOIN procrastinate_jobs AS job ON job.worker_id = worker.id AND job.status = 'doing'
        WHERE job.queue_name = :queue AND worker.last_heartbeat > now() - make_interval(secs => :stalled_after_s)
    )
    """
)


class PostgresJobs:
    """`dossiers.ports.Jobs`, on the connection of a unit of work. `flush` must be called before the commit."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._pages: dict[bool, list[UUID]] = {False: [], True: []}

    def look_at_pages(self, component_id: UUID, first: int = 1, *, back_file: bool = False) -> None:
        """Make the small pictures of a component's pages and their first flags, from page `first` on."""
        self._defer(
            LOOK_AT_PAGES,
            f"{component_id}:{first}",
            priority=_ON_THE_DESK_PRIORITY - (first > 1),  # everybody's first pages come first
            back_file=back_file,
            component_id=str(component_id),
            first=first,
        )

    def read_page(self, page_id: UUID, *, back_file: bool = False) -> None:
        """Clean and read one page. Saved up: a file has up to 2,000 of them, and one statement defers them all."""
        self._pages[back_file].append(page_id)

    def is_reading(self) -> bool:
        """Whether a worker that lives is busy with some page at this moment."""
        known = {"queue": PAGE, "stalled_after_s": STALLED_AFTER_S}
        return bool(self._connection.execute(_READING, known).scalar_one())

    def assemble(self, component_id: UUID, revision: int, *, back_file: bool = False) -> None:
        """Make the searchable PDF of a component."""
        self._defer(
            ASSEMBLE,
            f"{component_id}:{revision}",
            priority=_FINISHING_PRIORITY,
            back_file=back_file,
            component_id=str(component_id),
            revision=revision,
        )

    def extract_fields(self, component_id: UUID, *, back_file: bool = False) -> None:
        """Find number, date and the other fields."""
        self._defer(
            EXTRACT_FIELDS,
            str(component_id),
            priority=_FINISHING_PRIORITY,
            back_file=back_file,
            component_id=str(component_id),
        )

    def sign_copy(self, component_id: UUID, revision: int, *, made: bool = False, back_file: bool = False) -> None:
        """Sign the digitised copy, or complete it where it is `made`. Two jobs for one component never run at once."""
        self._defer(
            SIGN_COPY,
            f"{component_id}:{revision}",
            priority=_STAMPING_PRIORITY if made else 0,
            back_file=back_file,
            lock=f"sign:{component_id}",
            component_id=str(component_id),
            revision=revision,
        )

    def sign_e_result(self, e_result_id: UUID, place: str, *, made: bool = False) -> None:
        """Sign an e-result as its leader, or seal it, or complete what is `made`.

        Two jobs for one e-result never run at once.
        """
        self._defer(
            SIGN_E_RESULT,
            f"{e_result_id}:{place}",
            priority=_STAMPING_PRIORITY if made else 0,
            lock=f"sign:{e_result_id}",
            e_result_id=str(e_result_id),
            place=str(place),
        )

    def make_report(self, report_id: UUID) -> None:
        """Set and seal the report of a check. One at a time: the rest of the signing worker stays with the results."""
        self._defer(
            MAKE_REPORT,
            str(report_id),
            priority=_REPORT_PRIORITY,
            lock="make_report",
            report_id=str(report_id),
        )

    def issue(self, e_result_id: UUID) -> None:
        """Issue a sealed result."""
        self._defer(ISSUE, str(e_result_id), e_result_id=str(e_result_id))

    def drop(self, component_id: UUID) -> int:
        """Forget whatever waits to be done with a component, and say how many of its pages had yet to be read.

        The caller holds the component, so that no job that ends meanwhile asks for another.
        """
        known = {"component_id": str(component_id), "read_page": READ_PAGE}
        return int(self._connection.execute(_DROP, known).scalar_one())

    def note_begun(self, job_id: int, times: int) -> None:
        """Keep how often a job that runs was begun without an end; 0 forgets it. Its task is told as `begun`."""
        self._connection.execute(_BEGUN, {"job_id": job_id, "begun": times})

    def flush(self) -> None:
        """Defer the pages that were saved up."""
        for back_file, pages in self._pages.items():
            for start in range(0, len(pages), _PAGES_OF_ONE_PRIORITY):
                some: list[dict[str, Any]] = [
                    {"page_id": str(page_id)} for page_id in pages[start : start + _PAGES_OF_ONE_PRIORITY]
                ]
                priority = max(-(start // _PAGES_OF_ONE_PRIORITY), _LOWEST_PRIORITY)
                form = _FORMS.configure_task(
                    READ_PAGE,
                    queue=PAGE,
                    priority=priority + _BACK_FILE_PRIORITY * back_file,
                    connection=self._driver_connection(),
                )
                form.batch_defer(*some)
            pages.clear()

    def _defer(
        self,
        task: str,
        subject: str,
        *,
        priority: int = 0,
        back_file: bool = False,
        lock: str | None = None,
        **ids: Any,
    ) -> None:
        """Defer a job unless the same one is already waiting, which then needn't wait any longer."""
        same = f"{task}:{subject}"
        form = _FORMS.configure_task(
            task,
            queue=QUEUE_OF[task],
            priority=priority + _BACK_FILE_PRIORITY * back_file,
            lock=lock,
            queueing_lock=same,
            connection=self._driver_connection(),
        )
        while not self._hurry(same):
            # Meeting one that came meanwhile is an error to PostgreSQL, which would end the whole transaction: hence
            # the savepoint. It is hurried in turn, or has begun by then, and ours is deferred after all.
            with contextlib.suppress(AlreadyEnqueued), self._connection.begin_nested():
                form.defer(**ids)
                return

    def _hurry(self, queueing_lock: str) -> bool:
        """Whether this job waits already. It will begin at once when this transaction ends, and not before.

        Holding its row is what makes it a job for us: one that began earlier wouldn't see what we are about to commit.
        """
        held = self._connection.execute(_HURRY, {"queueing_lock": queueing_lock})
        return held.rowcount > 0

    def _driver_connection(self) -> Any:
        return self._connection.connection.driver_connection
