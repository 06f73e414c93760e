"""Jobs survive their workers: what a killed one was doing is given back, once, and done."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from dossiers.ports import StoreUnavailable
from storage.database import Database
from storage.queue import (
    ASSEMBLE,
    PAGE,
    PAPER,
    QUEUE_OF,
    READ_PAGE,
    Patience,
    forget_finished,
    make_app,
    retry_stalled,
    run_worker,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from procrastinate import App

PATIENCE_S = 60
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def database(migrated_dsn: str) -> Iterator[Database]:
    database = Database(migrated_dsn)
    yield database
    database.close()


@pytest.fixture
def ask(migrated_dsn: str) -> Callable[..., list[tuple[object, ...]]]:
    """Ask the database itself, or tell it something."""

    def ask(query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(migrated_dsn) as connection:
            cursor = connection.execute(query, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    return ask


def app_with_tasks(dsn: str, database: Database, read: list[str]) -> App:
    """Tasks as `api.jobs` has them: synchronous, with a transaction of their own that asks for the next job."""
    app = make_app(dsn)

    @app.task(name=READ_PAGE, queue=PAGE, retry=Patience(StoreUnavailable))
    def read_page(page_id: str) -> None:
        if page_id == "away" and not read:
            read.append("refused")
            raise StoreUnavailable
        read.append(page_id)
        with database.begin() as work:
            work.jobs.assemble(uuid4(), 1)

    @app.task(name=ASSEMBLE, queue=PAPER)
    def assemble(component_id: str, revision: int) -> None:
        read.append(f"assembled {revision}")

    return app


async def work_off(app: App) -> None:
    """Run all that can be run now, then stop."""
    async with app.open_async():
        await app.run_worker_async(queues=[PAGE, PAPER], wait=False, install_signal_handlers=False, listen_notify=False)


def test_a_task_may_ask_for_the_next_one_in_its_transaction(migrated_dsn: str, database: Database) -> None:
    """Inside a worker the App is open for asynchronous use, where a plain connection would not do."""
    read: list[str] = []
    page_id = uuid4()
    with database.begin() as work:
        work.jobs.read_page(page_id)
    asyncio.run(work_off(app_with_tasks(migrated_dsn, database, read)))
    assert read == [str(page_id), "assembled 1"]


def test_every_task_has_a_queue() -> None:
    assert set(QUEUE_OF) == {"read_page", "assemble", "extract_fields", "sign_copy", "sign_e_result", "issue"}


def test_an_outage_delays_a_job_and_loses_none(
    migrated_dsn: str, database: Database, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    read: list[str] = []
    with database.begin() as work:
        work.jobs.read_page("away")  # type: ignore[arg-type]
    app = app_with_tasks(migrated_dsn, database, read)
    asyncio.run(work_off(app))
    assert ask("SELECT status::text, attempts, scheduled_at > now() FROM procrastinate_jobs") == [("todo", 1, True)]
    ask("UPDATE procrastinate_jobs SET scheduled_at = now(), attempts = 5000")
    asyncio.run(work_off(app))
    assert read == ["refused", "away", "assembled 1"]


def test_waiting_grows_to_its_limit_and_other_errors_are_not_waited_for() -> None:
    from procrastinate.jobs import Job

    def wait_s(attempts: int, error: Exception) -> float | None:
        job = Job(queue=PAGE, lock=None, queueing_lock=None, task_name=READ_PAGE, attempts=attempts)
        from datetime import UTC, datetime

        decision = Patience(StoreUnavailable).get_retry_decision(exception=error, job=job)
        if decision is None or decision.retry_at is None:
            return None
        return round((decision.retry_at - datetime.now(UTC)).total_seconds())

    assert [wait_s(attempts, StoreUnavailable()) for attempts in (0, 1, 2, 20)] == [2, 4, 8, 300]
    assert wait_s(0, ValueError()) is None


def test_what_a_killed_worker_was_doing_is_given_back_once_and_done(
    migrated_dsn: str, database: Database, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    page_id = uuid4()
    with database.begin() as work:
        work.jobs.read_page(page_id)
    ours, theirs = SPAWN.Pipe()  # and no Event, which needs a /dev/shm that may be written to
    worker = SPAWN.Process(target=_work, args=(migrated_dsn, theirs))
    worker.start()
    theirs.close()
    assert ours.poll(PATIENCE_S)
    assert ours.recv() == "begun"

    async def given_back(seconds_since_heartbeat: float) -> int:
        app = make_app(migrated_dsn)
        async with app.open_async():
            at_once = [retry_stalled(app, seconds_since_heartbeat=seconds_since_heartbeat) for _ in range(3)]
            return sum(await asyncio.gather(*at_once))

    assert asyncio.run(given_back(PATIENCE_S)) == 0  # it lives
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    ours.close()
    assert ask("SELECT status::text FROM procrastinate_jobs") == [("doing",)]
    assert asyncio.run(given_back(0)) == 1

    read: list[str] = []
    asyncio.run(work_off(app_with_tasks(migrated_dsn, database, read)))
    assert read == [str(page_id), "assembled 1"]
    assert ask("SELECT DISTINCT status::text FROM procrastinate_jobs") == [("succeeded",)]


def test_a_worker_told_to_end_finishes_what_it_is_doing(
    migrated_dsn: str, database: Database, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    with database.begin() as work:
        work.jobs.read_page(uuid4())
    ours, theirs = SPAWN.Pipe()
    worker = SPAWN.Process(target=_work, args=(migrated_dsn, theirs))
    worker.start()
    theirs.close()
    assert ours.poll(PATIENCE_S)
    os.kill(worker.pid or 0, signal.SIGTERM)
    ours.send("go on")
    worker.join(PATIENCE_S)
    ours.close()
    assert worker.exitcode == 0
    assert ask("SELECT status::text FROM procrastinate_jobs") == [("succeeded",)]


def _work(dsn: str, test: Connection) -> None:
    """A worker process whose one page takes as long as the test wants."""
    app = make_app(dsn)

    @app.task(name=READ_PAGE, queue=PAGE)
    def read_page(page_id: str) -> None:
        test.send("begun")
        assert test.poll(PATIENCE_S)

    asyncio.run(run_worker(app, [PAGE], name="test"))


def test_a_dead_job_whose_twin_waits_is_not_given_back_but_forgotten(
    migrated_dsn: str, database: Database, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    component_id = uuid4()
    with database.begin() as work:
        work.jobs.assemble(component_id, 1)
    ask("UPDATE procrastinate_jobs SET status = 'doing'")  # by a worker that is no more
    with database.begin() as work:
        work.jobs.assemble(component_id, 1)
    assert len(ask("SELECT id FROM procrastinate_jobs")) == 2

    async def give_back() -> None:
        app = make_app(migrated_dsn)
        async with app.open_async():
            assert await retry_stalled(app) == 1
            assert await retry_stalled(app) == 0

    asyncio.run(give_back())
    assert ask("SELECT status::text FROM procrastinate_jobs") == [("todo",)]


def test_jobs_that_ended_well_are_forgotten_after_a_day_and_failed_ones_stay(
    migrated_dsn: str, database: Database, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    with database.begin() as work:
        for _ in range(4):
            work.jobs.read_page(uuid4())
    first, second, third, _ = (row[0] for row in ask("SELECT id FROM procrastinate_jobs ORDER BY id"))
    ask("UPDATE procrastinate_jobs SET status = 'doing' WHERE id <= %s", third)
    ask("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id IN (%s, %s)", first, third)
    ask("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", second)
    ask("UPDATE procrastinate_events SET at = now() - interval '25 hours' WHERE job_id <= %s", second)

    async def forget() -> None:
        app = make_app(migrated_dsn)
        async with app.open_async():
            await forget_finished(app)

    asyncio.run(forget())
    left = ask("SELECT id, status::text FROM procrastinate_jobs ORDER BY id")
    assert [status for _, status in left] == ["failed", "succeeded", "todo"]
