"""Two workers that may sign never sign at once, and a killed one leaves its place at once."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from typing import TYPE_CHECKING

import psycopg
import pytest

from storage import sole_worker
from storage.connection import DatabaseUnavailable
from storage.sole_worker import work_alone

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

PATIENCE_S = 60
SPAWN = multiprocessing.get_context("spawn")

_CUT_HOLDER_OFF = """
    SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND granted AND datname = current_database()
"""


def test_a_second_worker_waits_and_a_killed_one_leaves_its_place(
    migrated_dsn: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sole_worker, "_TRY_EVERY_S", 0.02)
    ours, theirs = SPAWN.Pipe()
    first = SPAWN.Process(target=_sign, args=(migrated_dsn, theirs))
    first.start()
    theirs.close()
    assert ours.poll(PATIENCE_S)
    assert ours.recv() == "signing"
    begun = []

    async def second() -> None:
        begun.append("signing")

    async def both() -> None:
        waiting = asyncio.create_task(work_alone(migrated_dsn, second))
        async with asyncio.timeout(PATIENCE_S):
            while "another_worker_signs_waiting" not in caplog.messages:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.02)
            assert not begun
            os.kill(first.pid or 0, signal.SIGKILL)
            await waiting

    asyncio.run(both())
    first.join()
    ours.close()
    assert begun == ["signing"]


def test_a_worker_whose_place_is_lost_stops(migrated_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is cut, so another may sign by now."""
    monkeypatch.setattr(sole_worker, "_FEEL_EVERY_S", 0.02)
    ended = []

    async def sign() -> None:
        try:
            await asyncio.to_thread(_cut_off, migrated_dsn)
            await asyncio.sleep(PATIENCE_S)
        except asyncio.CancelledError:
            ended.append("told")
            raise

    with pytest.raises(DatabaseUnavailable):
        asyncio.run(work_alone(migrated_dsn, sign))
    assert ended == ["told"]


def test_what_goes_wrong_in_the_work_is_told_and_the_place_given_up(migrated_dsn: str) -> None:
    async def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(work_alone(migrated_dsn, fail))
    done = []

    async def work() -> None:
        done.append("work")

    asyncio.run(work_alone(migrated_dsn, work))
    assert done == ["work"]


def _cut_off(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_CUT_HOLDER_OFF)


def _sign(dsn: str, test: Connection) -> None:
    async def sign() -> None:
        test.send("signing")
        await asyncio.sleep(PATIENCE_S)

    asyncio.run(work_alone(dsn, sign))
