"""At most one process signs: whoever does holds an advisory lock of PostgreSQL on a connection of its own.

The lock ends with the connection, so that a process killed outright leaves nothing behind to clear away.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from psycopg import AsyncConnection, OperationalError

from storage.connection import KEEPALIVE, SERVER_KEEPALIVE, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from psycopg import Connection

log = logging.getLogger(__name__)

_LOCK = 0x7369676E  # "sign": any number that nothing else in this database locks
_TRY_EVERY_S = 1.0
_FEEL_EVERY_S = 3.0


def somebody_works(connection: Connection[Any]) -> bool:
    """Whether some process of this database is at the work that only one may do."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = %s AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database()))",
        (_LOCK,),
    ).fetchone()
    return bool(row and row[0])


async def work_alone(dsn: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Wait until no other process of this database is at `work`, then do it; stop when that can't be said any longer.

    Args:
        dsn: As libpq knows it; not a pooler that shares sessions, since the lock belongs to the session.
        work: Cancelled when the lock is lost; it may finish what it is doing.

    Raises:
        DatabaseUnavailable: The database didn't answer, or went away while we worked.
    """
    try:
        connection = await AsyncConnection.connect(dsn, autocommit=True, **KEEPALIVE)
        async with connection:
            for name, value in SERVER_KEEPALIVE.items():
                await connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            await _take_turn(connection)
            await _while_held(connection, work)
    except OperationalError as error:
        raise DatabaseUnavailable("the database went away") from error


async def _take_turn(connection: AsyncConnection) -> None:
    """Ask again and again: one who waited inside the server and died there could still be given the lock."""
    told = False
    while not await _ask(connection, "SELECT pg_try_advisory_lock(%s)", _LOCK):
        if not told:
            log.warning("another_worker_signs_waiting")
            told = True
        await asyncio.sleep(_TRY_EVERY_S)
    log.info("this_worker_signs")


async def _while_held(connection: AsyncConnection, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do the work beside feeling for the lock, whichever of both ends first."""
    working = asyncio.create_task(work())
    feeling = asyncio.create_task(_until_lost(connection))
    try:
        await asyncio.wait({working, feeling}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            log.error("lock_lost_worker_stops")
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working
            await feeling  # says why
        await working
    finally:
        for task in (working, feeling):
            task.cancel()
        await asyncio.gather(working, feeling, return_exceptions=True)


async def _until_lost(connection: AsyncConnection) -> None:
    """Come back never; the connection, and the lock with it, ends by an OperationalError."""
    while True:
        await asyncio.sleep(_FEEL_EVERY_S)
        await _ask(connection, "SELECT 1")


async def _ask(connection: AsyncConnection, query: str, *values: object) -> bool:
    cursor = await connection.execute(query, values)
    row = await cursor.fetchone()
    return bool(row and row[0])
