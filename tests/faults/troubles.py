"""The faults, each with a beginning and an end; and a whole run: people at work, a fault, quiet, the count."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, LiteralString

import psycopg

from api.embedded import postgres
from tests.faults.clerks import Case, Door, Paper, attempted, small_page
from tests.faults.running import meanwhile
from tests.faults.shaky_s3 import How
from tests.faults.telephone import as_one_paper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.faults.ledger import Account
    from tests.faults.running import Running


Fault = Callable[["Running"], AbstractContextManager[None]]

#: What may be killed, and how often among others: whatever does most of the work has most to lose.
KILLED = {"web": 3, "worker-1": 3, "worker-2": 3, "worker-looking": 1, "worker-signing": 4, "s3": 2, "database": 2}
KILLED |= {"agent": 3}

_AT_ONCE = 4
_JUMPS_S, _JUMPS_EVERY_S = (600, -600, 0, 3600, 86400, -3600), 4.0


@dataclass
class Run:
    """One run: what was done to the centre, and what came of it."""

    fault: str
    faults: int = 0
    cases: list[Case] = field(default_factory=list)
    account: Account | None = None

    def row(self) -> str:
        """A line of the table."""
        assert self.account is not None
        found = self.account
        retries = sum(case.retries for case in self.cases)
        return (
            f"| {self.fault} | {self.faults} | {len(self.cases)} | {found.hashes} | {len(found.lost)} | "
            f"{len(found.doubled)} | {len(found.stuck)} | {retries} |"
        )


HEAD = (
    "| fault | times | dossiers | objects hashed | lost | doubled | stuck | taken up again by a person |\n"
    "|---|---|---|---|---|---|---|---|"
)


def new_case(chance: Random, number: int) -> Case:
    """A citizen with three small papers: by the counter's program, by a browser, and two pictures of a telephone."""
    name = f"Người Thử {chance.randrange(10**9):09d} {number}"
    by_agent, by_browser = (small_page("GIẤY ĐỀ NGHỊ", name, which) for which in ("bản chính", "kèm theo"))
    pictures = tuple(small_page("GIẤY ĐỀ NGHỊ", name, f"ảnh {page}", kind="JPEG") for page in (1, 2))
    papers = [_paper(by_agent, Door.AGENT), _paper(by_browser, Door.BROWSER)]
    return Case(name, [*papers, _paper(as_one_paper(pictures), Door.TELEPHONE, pictures)])


def _paper(content: bytes, door: Door, pictures: tuple[bytes, ...] = ()) -> Paper:
    return Paper(content, hashlib.sha256(content).hexdigest(), door, pictures)


def people_at_work(
    running: Running, cases: list[Case], chance: Random, *, at_once: int = _AT_ONCE
) -> AbstractContextManager[None]:
    """As long as the block lasts people work, and as one matter is done another citizen comes."""

    def work() -> None:
        for _ in range(at_once - sum(not case.done for case in cases)):
            cases.append(new_case(chance, len(cases)))
        for case in [case for case in cases if not case.done]:
            attempted(running.clerks, case)

    return meanwhile(work, every_s=0.1)


def settle(running: Running, cases: list[Case], *, patience_s: float) -> Account:
    """No more faults: people finish what they have begun, the service comes to rest, and all is counted."""
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends and not all([attempted(running.clerks, case) for case in cases]):  # noqa: C419
        time.sleep(0.2)
    while time.monotonic() < ends and not _is_at_rest(running):
        time.sleep(0.5)
    return running.account(cases)


def _is_at_rest(running: Running) -> bool:
    with suppress(psycopg.Error), psycopg.connect(running.dsn) as connection:
        left = connection.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        ).fetchone()
        scans = [
            path for path in running.folder.rglob("*.png") if path.relative_to(running.folder).parts[0] != "da-nhan"
        ]
        return left == (0,) and not scans
    return False


# ── killing


def kill_at_random(
    running: Running,
    chance: Random,
    times: int,
    *,
    wait_s: tuple[float, float],
    told: Callable[[str], None] = lambda _: None,
) -> int:
    """Kill one part after another, whatever it is doing."""
    names, weights = list(KILLED), list(KILLED.values())
    done = 0
    while done < times:
        time.sleep(chance.uniform(*wait_s))
        killed = running.kill(chance.choices(names, weights)[0])
        if killed:
            done += 1
            told(f"{done}/{times} {killed}")
    return done


# ── everything else that breaks, for as long as a block lasts


def store_is(how: How) -> Fault:
    """The object store, through its proxy."""

    @contextmanager
    def fault(running: Running) -> Iterator[None]:
        running.shaky.how = how
        try:
            yield
        finally:
            running.shaky.how = How.WELL

    return fault


@contextmanager
def database_restarted(running: Running) -> Iterator[None]:
    """In order, as an administrator does: every connection is ended. Whoever keeps it running starts it again."""
    postgres.stop(running.data / "postgres")
    yield


@contextmanager
def timestamps_dead(running: Running) -> Iterator[None]:
    """The timestamp authority refuses everybody."""
    running.authority.be(dead=True)
    try:
        yield
    finally:
        running.authority.be(dead=False)


@contextmanager
def timestamps_slow(running: Running) -> Iterator[None]:
    """It takes its time."""
    running.authority.be(delay_s=5.0)
    try:
        yield
    finally:
        running.authority.be(delay_s=0.0)


@contextmanager
def responder_silent(running: Running) -> Iterator[None]:
    """The trust service's other half, OCSP and revocation lists, takes connections and never answers."""
    pid = running.service.parts()["demo-trust"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def delivered_twice(running: Running) -> AbstractContextManager[None]:
    """Every job that has ended is delivered again; each scan lies in the counter's folder once more."""
    newest = "SELECT coalesce(max(id), 0) FROM procrastinate_jobs"
    again = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args, status, attempts) "
        "SELECT queue_name, task_name, priority, lock, args, 'todo', 0 FROM procrastinate_jobs "
        "WHERE status = 'succeeded' AND id > %s AND id <= %s"
    )
    upto = [0]
    laid: set[str] = set()

    def deliver() -> None:
        with suppress(psycopg.Error), psycopg.connect(running.dsn) as connection:
            connection.execute(again, (upto[0], *_only(connection, newest)))
            upto[:] = _only(connection, newest)
        for taken in running.folder.glob("da-nhan/*/*.png"):
            if taken.parent.name not in laid:
                laid.add(taken.parent.name)
                once_more = running.folder / taken.parent.name / "DN once more.png"
                once_more.parent.mkdir(exist_ok=True)
                once_more.write_bytes(taken.read_bytes())

    return meanwhile(deliver, every_s=1.0)


def _only(connection: psycopg.Connection, query: LiteralString) -> tuple[int, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


@contextmanager
def clock_jumps(running: Running) -> Iterator[None]:
    """The service's clock jumps every few seconds, forward and back, by minutes, an hour and a day."""
    assert running.clock is not None
    clock, jumps = running.clock, cycle(_JUMPS_S)
    try:
        with meanwhile(lambda: clock.jump(next(jumps)), every_s=_JUMPS_EVERY_S):
            yield
    finally:
        clock.jump(0)


@contextmanager
def disk_full(running: Running) -> Iterator[None]:
    """Not a byte is free on the disk that everything is on: database, store, service and counter."""
    assert running.disk is not None
    filler = running.disk.fill()
    try:
        yield
    finally:
        filler.unlink()


#: Name in the table → the fault, for the long run.
FAULTS: dict[str, Fault] = {
    "object store down": store_is(How.DOWN),
    "object store slow (1 s a request)": store_is(How.SLOW),
    "object store full": store_is(How.FULL),
    "object store lies (acknowledges, drops)": store_is(How.LYING),
    "object store gives damaged bytes": store_is(How.FLIPPING),
    "PostgreSQL restarted": database_restarted,
    "timestamp authority dead": timestamps_dead,
    "timestamp authority slow (5 s)": timestamps_slow,
    "OCSP and lists silent": responder_silent,
    "jobs and uploads delivered twice": delivered_twice,
    "clock jumps (±10 min, ±1 h, 1 day)": clock_jumps,
}
#: And those that need a disk of its own for the centre.
FAULTS_OF_DISKS: dict[str, Fault] = {"disk full, everybody's": disk_full}
