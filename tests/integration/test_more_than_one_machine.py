"""The service on several machines: nothing that one of them needs lies on another one's disk or in its memory."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from api.demo import centre
from api.sign_in import hash_password
from api.wiring import utc_now
from storage.database import Database
from storage.migrations import migrate
from tests.conftest import _QUICK
from tests.integration.test_api_parcels import OFFSET, TUS, metadata
from tests.machines import Desk, Machine, Network, StoreRoom, network, until
from tests.papers import scan_pdf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.needs_root

#: docs/operations.md: what a lost worker was reading goes back in the queue within so long.
PROMISED_S = 30.0
START_WITHIN_S = 90.0
WORK_WITHIN_S = 150.0

#: Stands for a process whose cable is pulled within its transactions: one of the office's, one of the queue's.
_HOLDS = """
import asyncio, sys
import sqlalchemy as sa
from storage.database import Database
from storage.workers import make_app

async def watch(dsn):
    app = make_app(dsn)
    async with app.open_async(), app.connector.pool.connection() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(1)")
        print("held", flush=True)
        await asyncio.sleep(3600)

with Database(sys.argv[1]).begin() as work:
    work.components._connection.execute(sa.text("select pg_advisory_xact_lock(2)"))
    asyncio.run(watch(sys.argv[1]))
"""

_HELD = """
select worker.machine, job.id from procrastinate_jobs job join procrastinate_workers worker on worker.id = job.worker_id
where job.status = 'doing' and job.queue_name = 'page'
"""

_LOCKED = """
select objid from pg_locks where locktype = 'advisory' and objid in (1, 2) and granted
"""


@dataclass(frozen=True)
class Centre:
    """Three machines that do the work, over one store room; a person sits at a desk."""

    lan: Network
    room: StoreRoom
    desk: Desk
    a: Machine
    b: Machine
    c: Machine

    def sql(self, query: str, **values: Any) -> list[Any]:
        with psycopg.connect(self.room.dsn) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[call-overload,no-any-return]

    def held_by(self, machine: Machine) -> set[int]:
        """Page jobs that a worker of this machine is at."""
        return {job for address, job in self.sql(_HELD) if address == machine.address}

    def ask(self, host: Machine, method: str, path: str, **more: Any) -> Any:
        answer = self.desk.ask(host, method, path, **more)
        assert answer.is_success, f"{method} {path} at {host.name}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def sign_in(self) -> None:
        """At a."""
        self.desk.token = ""
        who = {"username": centre.CLERK, "password": centre.PASSWORD}
        self.desk.token = self.ask(self.a, "POST", "/session", json=who)["token"]


@pytest.fixture(scope="module")
def centre_of_three() -> Iterator[Centre]:
    # Not pytest's folder: as root, the database's user must reach it.
    with tempfile.TemporaryDirectory(prefix="hoso-lan-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o711)
        lan = stack.enter_context(network(folder))
        room = lan.store_room(_QUICK)
        migrate(room.dsn)
        database = Database(room.dsn)
        centre.load(database.begin, hash_password=hash_password, now=utc_now())
        database.close()
        with psycopg.connect(room.dsn) as connection:  # the database itself says which machine did what
            for table in ("procrastinate_workers", "procrastinate_events"):
                connection.execute(f"alter table {table} add machine text default host(inet_client_addr())")  # type: ignore[call-overload]
        a, b = (lan.host(name, room, "serve", "worker") for name in "ab")
        running = Centre(lan, room, lan.desk(), a, b, lan.host("c", room, "worker"))
        until(lambda: running.desk.is_up(a) and running.desk.is_up(b), within_s=START_WITHIN_S, what="up", lan=lan)
        running.sign_in()
        yield running


def test_a_session_and_an_upload_go_on_at_another_machine(centre_of_three: Centre) -> None:
    at, scan = centre_of_three, scan_pdf("Đơn đề nghị", "Bản kê khai")
    assert at.ask(at.b, "GET", "/session")["username"] == centre.CLERK, "signed in at a, known at b"
    dossier = draft(at, at.a)
    headers = {**TUS, "upload-length": str(len(scan)), "upload-metadata": metadata(filename="don.pdf", dossier=dossier)}
    where = at.desk.ask(at.b, "POST", "/parcels", headers=headers).headers["location"].removeprefix("/api/v1")
    half = len(scan) // 2
    at.ask(at.b, "PATCH", where, headers={**TUS, **OFFSET, "upload-offset": "0"}, content=scan[:half])

    at.b.unplug()
    try:
        assert at.desk.ask(at.a, "HEAD", where, headers=TUS).headers["upload-offset"] == str(half)
        rest = {**TUS, **OFFSET, "upload-offset": str(half)}
        at.ask(at.a, "PATCH", where, headers=rest, content=scan[half:])
    finally:
        at.b.plug()

    until(lambda: at.desk.is_up(at.b), within_s=START_WITHIN_S, what="b is back", lan=at.lan)
    for host in (at.a, at.b):
        told = at.ask(host, "GET", where)
        assert (told["state"]["code"], told["sha256"]) == ("taken", hashlib.sha256(scan).hexdigest())
    at.ask(at.b, "DELETE", "/session")
    assert at.desk.ask(at.a, "GET", "/session").status_code == 401, "signed out at b, unknown at a"
    at.sign_in()


def test_work_spreads_and_machines_that_are_cut_off_or_frozen_are_taken_over(centre_of_three: Centre) -> None:
    at = centre_of_three
    dossier = draft(at, at.a)
    papers = [hand_in(at, at.a, dossier, first) for first in (1, 6, 11)]
    until(lambda: all(at.held_by(one) for one in (at.a, at.b, at.c)), within_s=WORK_WITHIN_S, what="spread", lan=at.lan)

    in_between = at.b.popen(at.b.environment["PYTHON"], "-c", _HOLDS, at.b.environment["HOSO_DATABASE"])
    assert in_between.stdout is not None
    assert in_between.stdout.readline() == b"held\n"
    assert sorted(at.sql(_LOCKED)) == [(1,), (2,)]
    behind = [os.getpriority(os.PRIO_PROCESS, pid) - os.getpriority(os.PRIO_PROCESS, 0) for pid in at.c.processes()]
    assert max(behind) == 5, "the reader lets the web go first"
    frozen, cut = caught_at_work(at, at.c, at.c.freeze, at.c.thaw), caught_at_work(at, at.b, at.b.unplug, at.b.plug)
    until(lambda: not (at.held_by(at.b) | at.held_by(at.c)), within_s=PROMISED_S, what="given back", lan=at.lan)
    until(lambda: not at.sql(_LOCKED), within_s=PROMISED_S, what="let go", lan=at.lan)
    with in_between:
        in_between.kill()
    read(at, at.a, dossier, papers)

    # They are back, each with a page in its hands that was read meanwhile.
    at.b.plug()
    at.c.thaw()
    papers += [hand_in(at, at.a, dossier, first) for first in (16, 21, 26)]
    until(lambda: at.held_by(at.b), within_s=WORK_WITHIN_S, what="b works again", lan=at.lan)
    until(lambda: at.held_by(at.c), within_s=WORK_WITHIN_S, what="c works again", lan=at.lan)
    read(at, at.a, dossier, papers)

    given_back = at.sql("select job_id from procrastinate_events where type = 'deferred_for_retry'")
    assert {job for (job,) in given_back} == cut | frozen, "and nothing of anybody who lives"
    assert not at.sql("select id, task_name, status from procrastinate_jobs where status <> 'succeeded'")
    at.a.call(at.a.environment["PYTHON"], "-m", "api.cli", "objects", "check")


def draft(at: Centre, host: Machine) -> str:
    body = {"procedure": "2.000908", "applicant": {"name": "Nguyễn Thị Thử"}}
    return str(at.ask(host, "POST", "/dossiers", json=body)["id"])


def hand_in(at: Centre, host: Machine, dossier: str, first: int) -> str:
    """A paper of five pages, numbered from `first`."""
    scan = scan_pdf(*(f"Trang số {number} của hồ sơ thử nghiệm" for number in range(first, first + 5)))
    files = {"file": (f"{first}.pdf", scan, "application/pdf")}
    return str(at.ask(host, "POST", f"/dossiers/{dossier}/components", files=files)["id"])


def caught_at_work(at: Centre, machine: Machine, stop: Callable[[], None], go_on: Callable[[], None]) -> set[int]:
    """Stop a machine while it is at a page, and say at which."""

    def caught() -> set[int]:
        if not at.held_by(machine):
            return set()
        stop()
        time.sleep(0.3)  # what it sent before still arrives
        if not (held := at.held_by(machine)):
            go_on()
        return held

    return until(caught, within_s=WORK_WITHIN_S, what=f"{machine.name} at work", lan=at.lan)


def read(at: Centre, host: Machine, dossier: str, papers: list[str]) -> None:
    """Wait until all papers are read, each with its five pages."""

    def states() -> bool:
        found = at.ask(host, "GET", f"/dossiers/{dossier}")["components"]
        return [c["state"]["code"] for c in found] == ["read"] * len(papers)

    until(states, within_s=WORK_WITHIN_S, what="read", lan=at.lan)
