"""Jobs survive their workers: what a killed one was doing is given back, once, and done."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from procrastinate import utils

from dossiers.ports import StoreUnavailable
from storage import workers
from storage.database import Database
from storage.queue import (
    ASSEMBLE,
    PAGE,
    PAPER,
    QUEUE_OF,
    READ_PAGE,
    SIGN,
    SIGN_E_RESULT,
    PostgresJobs,
)
from storage.workers import Patience, forget_finished, make_app, retry_stalled, run_worker

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


async def work_off(app: App, *queues: str, concurrency: int = 1) -> None:
    """Run all that can be run now, then stop."""
    async with app.open_async():
        await app.run_worker_async(
            queues=list(queues or (PAGE, PAPER)),
            concurrency=concurrency,
            wait=False,
            install_signal_handlers=False,
            listen_notify=False,
        )


def test_a_task_may_ask_for_the_next_one_in_its_transaction(migrated_dsn: str, database: Database) -> None:
    """Inside a worker the App is open for asynchronous use, where a plain connection would not do."""
    read: list[str] = []
    page_id = uuid4()
    with database.begin() as work:
        work.jobs.read_page(page_id)
    asyncio.run(work_off(app_with_tasks(migrated_dsn, database, read)))
    assert read == [str(page_id), "assembled 1"]


def test_every_task_has_a_queue() -> None:
    assert set(QUEUE_OF) == {
        "look_at_pages",
        "read_page",
        "assemble",
        "extract_fields",
        "sign_copy",
        "sign_e_result",
        "make_report",
        "issue",
    }


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


@pytest.fixture(params=[timedelta(hours=1), timedelta(days=-1)], ids=["an hour ahead", "a day behind"])
def wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that must be injected: the clock by which this process counts when to try again."""
    right = utils.utcnow
    monkeypatch.setattr(utils, "utcnow", lambda: right() + request.param)


@pytest.mark.usefixtures("wrong_clock")
def test_a_worker_whose_clock_is_wrong_puts_nothing_off_for_longer_than_others_do(
    migrated_dsn: str, database: Database, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    with database.begin() as work:
        work.jobs.read_page("away")  # type: ignore[arg-type]
    asyncio.run(work_off(app_with_tasks(migrated_dsn, database, [])))
    due = "scheduled_at - attempted.at BETWEEN interval '1.9 seconds' AND interval '2 seconds' + (now() - attempted.at)"
    begun = "(SELECT max(at) AS at FROM procrastinate_events WHERE type = 'started') AS attempted"
    assert ask(f"SELECT {due} FROM procrastinate_jobs, {begun} WHERE status = 'todo'") == [(True,)]  # noqa: S608


@pytest.mark.usefixtures("wrong_clock")
def test_a_watch_whose_clock_is_wrong_gives_a_dead_workers_job_back_at_once(
    migrated_dsn: str, database: Database, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    with database.begin() as work:
        work.jobs.assemble(uuid4(), 1)
    ask("UPDATE procrastinate_jobs SET status = 'doing'")  # by a worker that is no more

    async def give_back() -> int:
        app = make_app(migrated_dsn)
        async with app.open_async():
            return await retry_stalled(app)

    began = ask("SELECT now()")[0][0]
    assert asyncio.run(give_back()) == 1
    given_back = "SELECT status::text, scheduled_at BETWEEN %s AND now() FROM procrastinate_jobs"
    assert ask(given_back, began) == [("todo", True)]


def test_waiting_grows_to_its_limit_and_other_errors_are_not_waited_for() -> None:
    from procrastinate.jobs import Job

    def wait_s(attempts: int, error: Exception) -> float | None:
        job = Job(queue=PAGE, lock=None, queueing_lock=None, task_name=READ_PAGE, attempts=attempts)
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


def test_a_heartbeat_that_failed_is_told_again(
    migrated_dsn: str, ask: Callable[..., list[tuple[object, ...]]], caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that had lost the database for a moment worked on without one, and all it did was done twice."""
    beat = "ALTER FUNCTION procrastinate_update_heartbeat_v1 RENAME TO unheard"
    heard = "ALTER FUNCTION unheard RENAME TO procrastinate_update_heartbeat_v1"

    async def told_again() -> None:
        working = asyncio.create_task(run_worker(make_app(migrated_dsn), [PAGE], name="test"))
        beats = "SELECT last_heartbeat FROM procrastinate_workers"
        await _until(lambda: ask(beats))
        first = ask(beats)
        await _until(lambda: ask(beats) != first)  # it has begun: who can't tell its very first beat ends instead
        ask(beat)
        await _until(lambda: "heartbeat_untold" in caplog.text)
        assert not working.done()
        ask(heard)
        ask("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
        await _until(
            lambda: ask("SELECT id FROM procrastinate_workers WHERE last_heartbeat > now() - interval '1 min'")
        )
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    asyncio.run(told_again())


def test_what_a_worker_takes_first_after_a_silence_is_not_given_back(
    migrated_dsn: str,
    database: Database,
    ask: Callable[..., list[tuple[object, ...]]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def taken() -> int:
        app = make_app(migrated_dsn)
        async with app.open_async():
            worker_id = await app.job_manager.register_worker()
            ask("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
            with database.begin() as work:
                work.jobs.read_page(uuid4())
            assert await app.job_manager.fetch_job([PAGE], worker_id) is not None
            return await retry_stalled(app)

    assert asyncio.run(taken()) == 0


def test_a_watch_that_missed_being_told_to_end_is_told_again(
    migrated_dsn: str, ask: Callable[..., list[tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker cut off from the database lived on for ever, doing nothing."""
    told = asyncio.Event()

    async def deaf_once(_app: App) -> int:
        """For the fault: psycopg, in the middle of a query on a dead connection, loses the cancellation."""
        if not told.is_set():
            try:
                await asyncio.sleep(PATIENCE_S)
            except asyncio.CancelledError:
                told.set()
        return 0

    monkeypatch.setattr(workers, "retry_stalled", deaf_once)

    async def ended() -> None:
        working = asyncio.create_task(run_worker(make_app(migrated_dsn), [PAGE], name="test"))
        await _until(lambda: ask("SELECT id FROM procrastinate_workers"))
        working.cancel()
        done, _ = await asyncio.wait([working], timeout=PATIENCE_S / 2)
        assert done

    asyncio.run(ended())
    assert told.is_set()


async def _until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110  the database tells nobody
            await asyncio.sleep(0.05)


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


def test_a_job_deferred_while_it_runs_and_fails_is_run_again_at_once(
    migrated_dsn: str, database: Database, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    """The seal keeper says "go on" while the signing worker is about to give this attempt up for later."""
    e_result_id = uuid4()
    runs: list[str] = []
    app = make_app(migrated_dsn)

    @app.task(name=SIGN_E_RESULT, queue=SIGN, retry=Patience(StoreUnavailable))
    def sign_e_result(e_result_id: str, place: str) -> None:
        runs.append(place)
        if len(runs) == 1:
            with database.begin() as work:
                work.jobs.sign_e_result(UUID(e_result_id), place)
            raise StoreUnavailable

    with database.begin() as work:
        work.jobs.sign_e_result(e_result_id, "leader")
    asyncio.run(work_off(app, SIGN))
    assert runs == ["leader", "leader"]
    assert ask("SELECT status::text FROM procrastinate_jobs") == [("succeeded",)]
    with database.begin() as work:
        work.jobs.sign_e_result(e_result_id, "seal")
    asyncio.run(work_off(app, SIGN))
    assert runs == ["leader", "leader", "seal"]  # nothing blocks its subject


def test_a_job_that_waits_for_another_try_is_tried_now_when_it_is_asked_for_again(
    migrated_dsn: str, database: Database, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    e_result_id = uuid4()
    with database.begin() as work:
        work.jobs.sign_e_result(e_result_id, "leader")
    ask("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '5 minutes', attempts = 9")
    with database.begin() as work:
        work.jobs.sign_e_result(e_result_id, "leader")
    assert ask("SELECT attempts, scheduled_at <= now() FROM procrastinate_jobs") == [(9, True)]


def test_a_waiting_job_doesnt_begin_before_what_it_is_asked_to_see_is_there(
    migrated_dsn: str, database: Database, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    component_id = uuid4()
    read: list[str] = []
    app = app_with_tasks(migrated_dsn, database, read)
    with database.begin() as work:
        work.jobs.assemble(component_id, 1)
    with database.begin() as work:
        work.jobs.assemble(component_id, 1)
        asyncio.run(work_off(app))
        assert read == []
    asyncio.run(work_off(app))
    assert read == ["assembled 1"]


def test_an_end_that_the_database_didnt_take_in_is_told_again(
    migrated_dsn: str,
    database: Database,
    ask: Callable[..., list[tuple[object, ...]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the job would run for ever in the eyes of everybody else, under a worker that lives."""
    monkeypatch.setattr(workers, "LOOK_EVERY_S", 0.02)
    ask("CREATE SEQUENCE refusals")  # counts also what is taken back
    ask("""
        CREATE FUNCTION fail_twice() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF nextval('refusals') <= 2 THEN RAISE 'not now'; END IF; RETURN NEW; END $$
    """)
    ask("""
        CREATE TRIGGER fail_twice BEFORE UPDATE ON procrastinate_jobs
        FOR EACH ROW WHEN (NEW.status = 'succeeded') EXECUTE FUNCTION fail_twice()
    """)
    read: list[str] = []
    with database.begin() as work:
        work.jobs.assemble(uuid4(), 1)

    async def until_told() -> None:
        worker = asyncio.create_task(run_worker(app_with_tasks(migrated_dsn, database, read), [PAPER], name="test"))
        async with asyncio.timeout(PATIENCE_S):
            while ask("SELECT status::text FROM procrastinate_jobs") != [("succeeded",)]:  # noqa: ASYNC110  no event
                await asyncio.sleep(0.02)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    asyncio.run(until_told())
    assert read == ["assembled 1"]
    assert ask("SELECT last_value > 2 FROM refusals") == [(True,)]


def test_whatever_crosses_what_the_last_one_to_ask_is_always_served(
    migrated_dsn: str, ask: Callable[..., list[tuple[object, ...]]]
) -> None:
    """Jobs deferred, begun, failed and tried again in every order: each last wish is seen, and nothing is left over."""
    ask("CREATE TABLE wishes (e_result_id text PRIMARY KEY, asked int NOT NULL DEFAULT 0, seen int NOT NULL DEFAULT 0)")
    ids = [uuid4() for _ in range(3)]
    for e_result_id in ids:
        ask("INSERT INTO wishes VALUES (%s)", str(e_result_id))
    app = make_app(migrated_dsn)
    fate = random.Random(20261122)  # noqa: S311  nothing secret

    @app.task(name=SIGN_E_RESULT, queue=SIGN, retry=Patience(StoreUnavailable, longest_wait_s=0))
    def sign_e_result(e_result_id: str, place: str) -> None:
        (asked,) = ask("SELECT asked FROM wishes WHERE e_result_id = %s", e_result_id)[0]
        if fate.random() < 0.5:
            raise StoreUnavailable(place)
        ask("UPDATE wishes SET seen = %s WHERE e_result_id = %s", asked, e_result_id)

    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(migrated_dsn))
    one_more = sa.text("UPDATE wishes SET asked = asked + 1 WHERE e_result_id = :id")

    def wish(e_result_id: UUID) -> None:
        for _ in range(25):
            with engine.begin() as connection:
                PostgresJobs(connection).sign_e_result(e_result_id, "leader")
                connection.execute(one_more, {"id": str(e_result_id)})

    async def both() -> None:
        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=[SIGN], concurrency=3, fetch_job_polling_interval=0.01, install_signal_handlers=False
                )
            )
            with ThreadPoolExecutor(6) as wishers:
                loop = asyncio.get_running_loop()
                await asyncio.gather(*(loop.run_in_executor(wishers, wish, one) for one in (*ids, *ids)))
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    asyncio.run(both())
    engine.dispose()
    for _ in range(PATIENCE_S):
        if not ask("SELECT id FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"):
            break
        asyncio.run(work_off(app, SIGN))
    assert ask("SELECT DISTINCT status::text FROM procrastinate_jobs") == [("succeeded",)]
    assert ask("SELECT asked, seen FROM wishes") == [(50, 50)] * 3


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
