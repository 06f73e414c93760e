"""Workers: they take jobs, tell that they live and how each job ended, try again, and give back what the dead began.

What waits and in which order is `storage.queue`'s to say.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision, utils
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import DeleteJobCondition, Status
from procrastinate.manager import QUEUEING_LOCK_CONSTRAINT, JobManager
from psycopg import AsyncConnection, OperationalError

from storage.connection import KEEPALIVE, PATIENCE_S, SERVER_KEEPALIVE, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from datetime import datetime

    from procrastinate.connector import BaseConnector
    from procrastinate.jobs import Job
    from procrastinate.manager import NotificationCallback

log = logging.getLogger(__name__)

_AT_ONCE = timedelta()

# A worker killed outright is missed after STALLED_AFTER_S at most HEARTBEAT_S late, found within one LOOK_EVERY_S and
# its jobs fetched within one POLL_EVERY_S: 20 s at worst, while a promise of 30 s is kept with some to spare.
HEARTBEAT_S = 3.0
STALLED_AFTER_S = 12.0
LOOK_EVERY_S = 3.0
POLL_EVERY_S = 2.0
_MISSED_BEATS = 2
_CANCEL_AGAIN_S = 1.0

_KEEP_FINISHED_HOURS = 24
_SWEEP_EVERY_S = 3600.0
_WATCH_LOCK = 0x686F736F  # "hoso": any number that nothing else in this database locks


def make_app(dsn: str) -> App:
    """The App a worker runs and `api.jobs` registers its tasks on. Build it once in a process."""
    connector = PsycopgConnector(
        conninfo=dsn, min_size=1, max_size=4, timeout=PATIENCE_S, kwargs=KEEPALIVE, configure=_server_feels_for_us
    )
    app = App(connector=connector)
    app.job_manager = Outcomes(app.connector)
    return app


async def _server_feels_for_us(connection: AsyncConnection) -> None:
    """A watch that was cut off must not be held by the dead for hours: nobody would give jobs back meanwhile."""
    for name, value in SERVER_KEEPALIVE.items():
        await connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    if not connection.autocommit:
        await connection.commit()


class Outcomes(JobManager):
    """What a worker tells the database, if need be again and again: that it lives, and how its jobs ended.

    A job whose end wasn't kept would run for ever in the eyes of everybody else, and block its subject.
    """

    def __init__(self, connector: BaseConnector) -> None:
        super().__init__(connector)
        self._untold: dict[int, tuple[Job, Callable[[], Awaitable[None]]]] = {}
        self._beat_at = 0.0

    async def update_heartbeat(self, worker_id: int) -> None:
        """Tell that we live. One that can't be told is told again: Procrastinate's own way is never to tell any more.

        A worker without a heartbeat works on, and everything it does is given to another one and done twice.
        """
        try:
            await super().update_heartbeat(worker_id)
            self._beat_at = time.monotonic()
        except (ConnectorException, OperationalError):
            log.warning("heartbeat_untold")

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The next job, for who is known to live: what a worker takes that is thought dead is given back at once."""
        if time.monotonic() - self._beat_at > _MISSED_BEATS * HEARTBEAT_S:
            await super().update_heartbeat(worker_id)
            self._beat_at = time.monotonic()
        return await super().fetch_job(queues, worker_id)

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Hear of new jobs at once, also again after the line broke; till then they are looked for."""
        while True:
            try:
                await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            except (ConnectorException, OperationalError):
                log.warning("listener_lost")
            else:
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Of a worker's own job: try it again later, unless its twin waits."""
        wait = retry_at - utils.utcnow() if retry_at else _AT_ONCE
        await self._tell(job, lambda: self.requeue(job, wait, priority, queue, lock))

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:  # noqa: FBT001  Procrastinate's
        """Of a worker's own job: it is over."""
        finish = super().finish_job
        await self._tell(job, lambda: finish(job, status, delete_job))

    async def requeue(
        self,
        job: Job,
        wait: timedelta = _AT_ONCE,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job that was begun back in its queue; forget it when the same one, deferred since, waits there.

        Two of a kind may not wait, and the one that waits has yet to begin: it will do all there is to do.

        When it is due is told in the database's time, by which jobs are taken: a machine whose clock is an hour ahead
        would put it off for an hour.
        """
        now = (await self.connector.execute_query_one_async("SELECT now() AS now"))["now"]
        try:
            await super().retry_job(job, now + wait, priority, queue, lock)
        except UniqueViolation as error:
            if error.constraint_name != QUEUEING_LOCK_CONSTRAINT:
                raise
            log.info("job_left_to_its_twin", extra={"job": job.id, "task": job.task_name})
            await super().finish_job(job, Status.ABORTED, delete_job=True)

    async def tell_again(self) -> None:
        """Tell what the database didn't take in, unless someone who thought us dead gave the job back meanwhile.

        Raises:
            ConnectorException: It still doesn't answer.
        """
        for job_id, (job, outcome) in list(self._untold.items()):
            as_kept = ((one.status, one.worker_id, one.attempts) for one in await self.list_jobs_async(id=job_id))
            if (Status.DOING.value, job.worker_id, job.attempts) in as_kept:
                await outcome()
                log.info("job_outcome_told_late", extra={"job": job_id, "task": job.task_name})
            del self._untold[job_id]

    async def _tell(self, job: Job, outcome: Callable[[], Awaitable[None]]) -> None:
        try:
            await outcome()
        except (ConnectorException, OperationalError):
            assert job.id is not None  # noqa: S101  it came out of the database
            log.warning("job_outcome_untold", extra={"job": job.id, "task": job.task_name})
            self._untold[job.id] = (job, outcome)


class Patience(BaseRetryStrategy):
    """Try again after these errors, and only these, for as long as it takes: an outage of any length loses no job.

    2, 4, 8, … seconds apart, at most `longest_wait_s`.
    """

    def __init__(self, *errors: type[Exception], longest_wait_s: int = 300) -> None:
        self._errors = errors
        self._longest_wait_s = longest_wait_s

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again; None for an error that waiting doesn't mend."""
        if not isinstance(exception, self._errors):
            return None
        wait_s = 2 ** min(job.attempts + 1, 16)
        return RetryDecision(retry_in={"seconds": min(wait_s, self._longest_wait_s)})


async def run_worker(app: App, queues: Iterable[str], *, name: str, concurrency: int = 1) -> None:
    """Run jobs until SIGTERM or SIGINT, which let the running ones finish; keep watch over other workers meanwhile.

    Args:
        app: With its tasks registered; opened and closed here.
        queues: From `QUEUE_OF`.
        name: For logs and for people.
        concurrency: Jobs at once, each in a thread.

    Raises:
        DatabaseUnavailable: The database went away: the process should end and be started again.
    """
    try:
        await _run_worker(app, queues, name, concurrency)
    except (ConnectorException, OperationalError) as error:
        raise DatabaseUnavailable("the database went away") from error


async def _run_worker(app: App, queues: Iterable[str], name: str, concurrency: int) -> None:
    async with app.open_async():
        watch = asyncio.create_task(keep_watch(app))
        try:
            await app.run_worker_async(
                queues=list(queues),
                name=name,
                concurrency=concurrency,
                fetch_job_polling_interval=POLL_EVERY_S,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_AFTER_S,
                delete_jobs=DeleteJobCondition.NEVER,
            )
        finally:
            while not watch.done():  # a cancellation that meets a dead connection may get lost on its way
                watch.cancel()
                await asyncio.wait([watch], timeout=_CANCEL_AGAIN_S)


async def keep_watch(app: App) -> None:
    """Every few seconds: tell how our jobs ended where that failed, give back those of dead workers. For ever.

    Finished jobs are deleted every hour.

    Beside the jobs and not as one of them: with every worker busy on a long page, a watching job would wait its turn.
    """
    loop = asyncio.get_running_loop()
    sweep_at = loop.time()
    while True:
        try:
            await _outcomes(app).tell_again()
            await retry_stalled(app)
            if loop.time() >= sweep_at:
                sweep_at = loop.time() + _SWEEP_EVERY_S
                await forget_finished(app)
        except (ConnectorException, OperationalError):
            # The worker beside this ends by itself when the database is gone for good; till then, look again.
            log.warning("watch_failed")
        except Exception:
            log.exception("watch_failed")  # a watch that had ended would be missed only when it is needed
        await asyncio.sleep(LOOK_EVERY_S)


async def retry_stalled(app: App, *, seconds_since_heartbeat: float = STALLED_AFTER_S) -> int:
    """Put the jobs of workers that gave no sign of life back in their queues, and say how many.

    One watcher at a time: two would give a job back twice, the second time from a living worker.
    """
    connector = app.connector
    assert isinstance(connector, PsycopgConnector)  # noqa: S101  make_app gives no other
    async with connector.pool.connection() as connection, connection.transaction():
        cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_WATCH_LOCK,))
        row = await cursor.fetchone()
        if row is None or not row[0]:
            return 0
        stalled: Sequence[Any] = list(
            await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=seconds_since_heartbeat)
        )
        for job in stalled:
            log.warning("job_given_back", extra={"job": job.id, "task": job.task_name, "attempts": job.attempts})
            await _outcomes(app).requeue(job)
        return len(stalled)


def _outcomes(app: App) -> Outcomes:
    assert isinstance(app.job_manager, Outcomes)  # noqa: S101  make_app gives no other
    return app.job_manager


async def forget_finished(app: App) -> None:
    """Delete jobs that ended well more than a day ago; failed ones stay to be looked at."""
    await app.job_manager.delete_old_jobs(nb_hours=_KEEP_FINISHED_HOURS)
