"""Ten times Hồng Gai's peak hour on one machine, with an attack on the public check meanwhile.

    .venv/bin/python -m bench.load [--minutes 30] [--times 10] [--hostile 4] [--flood 20]

Hồng Gai takes in 400 dossiers a day. A quarter of them are put into its busiest hour: 100 dossiers of 15 pages. For
each of them people come to the web so often:

    hand-in     1   a counter opens it, sends 3 files of 5 pages in parts (upload), receives it, and looks at its queue
    stream      1   the counter follows the progress of the last file for 20 s
    look-up     3   the citizen asks where it is, with both codes
    download    2   somebody fetches an issued result
    verify      2   somebody has an issued result checked

Each comes when it comes (Poisson, from a seed), whether the ones before are answered or not, from an address of its
own. The service is the real one as `hoso up` starts it, with all of its parts; reading can't keep pace with so many
pages on two cores, which is the point: people must be served all the same, and what waits is counted.

The attack: `--hostile` senders have files from `tests.attacks` checked as fast as they are answered, with a new address
before each reaches its limit; and one address sends `--flood` files a second without waiting. They may be answered
429 or 503; nobody else may be answered anything but what they came for.

Told in the end: of each kind how many, how many went wrong, p50, p95 and p99; memory of every process over time; what
waits in the queues; processor seconds of each part, and of this generator apart; which part died meanwhile, and the
end of its log. One that died makes the run fail, whoever was served.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import itertools
import os
import random
import resource
import sys
import tempfile
import time
import uuid
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import httpx2
import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.demo import centre, sample
from api.embedded import postgres
from bench.public_check import _issued
from bench.sample_scan import sample_scan
from tests import attacks
from tests.live import running_service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.live import Service

_PEAK_DOSSIERS_AN_HOUR = 400 / 4
_FOR_EACH = {"hand-in": 1.0, "look-up": 3.0, "download": 2.0, "verify": 2.0}
_WATCHES_S = 20.0
_PART_BYTES = 4 * 1024 * 1024
_SAMPLE_EVERY_S = 10.0
_WARM_S = 120.0
_HOSTILE_PER_ADDRESS = 50
_COUNTERS = 20
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_DECLARED = frozenset({httpx2.codes.TOO_MANY_REQUESTS, httpx2.codes.SERVICE_UNAVAILABLE})
_API = "/api/v1"


@dataclass
class Told:
    """What became of the calls of each kind."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    answers: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    memory: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    queues: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    parts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    spent: dict[int, tuple[str, float]] = field(default_factory=dict)
    late_s: float = 0.0

    async def take(self, kind: str, call: Awaitable[None]) -> None:
        """Let it happen, and note how long it took or what went wrong."""
        began = time.monotonic()
        try:
            await call
        except (httpx2.HTTPError, AssertionError) as error:
            self.wrong[kind][f"{type(error).__name__} {error}"[:160]] += 1
        else:
            self.seconds[kind].append(time.monotonic() - began)

    def look(self, service: Service) -> None:
        """Note which processes there are, and what each has spent by now: one that dies takes its account along."""
        for name, pid in service.parts().items():
            if pid not in self.parts[name]:
                self.parts[name].append(pid)
        self.spent |= _cpu(service)

    def died(self) -> dict[str, int]:
        """How often a part was started again."""
        return {name: len(pids) - 1 for name, pids in self.parts.items() if len(pids) > 1}


class Town:
    """People, and what they come for."""

    def __init__(self, base_url: str, papers: list[bytes], result: bytes, told: Told, seed: int) -> None:
        self._url, self._papers, self._result, self._told = base_url, papers, result, told
        self._random = random.Random(seed)  # noqa: S311  the same hour again, not a secret
        self._addresses = (f"127.{a}.{b}.{c}" for a in range(1, 200) for b in range(256) for c in range(1, 255))
        self._counters: list[httpx2.AsyncClient] = []
        self._received: list[tuple[str, str]] = []
        self.ticket = ""
        self._under_way: set[asyncio.Task[None]] = set()

    async def open(self, tokens: list[str]) -> None:
        for token in tokens:
            self._counters.append(self._somebody(authorization=f"Bearer {token}"))

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        for client in self._counters:
            await client.aclose()

    async def come(self, kind: str, an_hour: float, until: float) -> None:
        """People of one kind, when they come."""
        what: dict[str, Callable[[], Awaitable[None]]] = {
            "hand-in": self._hand_in,
            "look-up": self._look_up,
            "download": self._download,
            "verify": self._verify,
        }
        due = time.monotonic()
        while (due := due + self._random.expovariate(an_hour / 3600)) < until:
            await asyncio.sleep(max(due - time.monotonic(), 0))
            self._told.late_s = max(self._told.late_s, time.monotonic() - due)
            self._go(kind, what[kind]())

    async def attack(self, until: float, hostile: list[bytes]) -> None:
        """One sender of hostile files, as fast as they are answered."""
        files = itertools.cycle(self._random.sample(hostile, len(hostile)))
        while time.monotonic() < until:
            async with self._somebody() as one:
                for _ in range(_HOSTILE_PER_ADDRESS):
                    if time.monotonic() > until:
                        return
                    await self._sent("hostile", one, next(files))

    async def flood(self, until: float, a_second: float) -> None:
        """One address that sends without waiting."""
        due, sending = time.monotonic(), set[asyncio.Task[None]]()
        async with self._somebody() as one:
            while (due := due + 1 / a_second) < until:
                await asyncio.sleep(max(due - time.monotonic(), 0))
                task = asyncio.create_task(self._sent("flood", one, self._result))
                sending.add(task)
                task.add_done_callback(sending.discard)
            await asyncio.gather(*sending)

    async def _sent(self, kind: str, one: httpx2.AsyncClient, file: bytes) -> None:
        began = time.monotonic()
        with suppress(httpx2.HTTPError):
            answer = await one.post(f"{_API}/verifications", files={"file": ("x.pdf", file, "application/pdf")})
            self._told.answers[kind][answer.status_code] += 1
            self._told.seconds[kind].append(time.monotonic() - began)
            return
        self._told.answers[kind][0] += 1

    def _go(self, kind: str, call: Awaitable[None]) -> None:
        task = asyncio.create_task(self._told.take(kind, call))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def _somebody(self, **headers: str) -> httpx2.AsyncClient:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
        line = httpx2.AsyncHTTPTransport(local_address=next(self._addresses), limits=limits, verify=False)
        return httpx2.AsyncClient(base_url=self._url, transport=line, timeout=120.0, headers=headers, trust_env=False)

    async def _hand_in(self) -> None:
        at = self._random.choice(self._counters)
        body = {"procedure": sample.PROCEDURE, "applicant": {"name": "Nguyễn Thị Thử"}}
        dossier = _ok(await at.post(f"{_API}/dossiers", json=body)).json()["id"]
        for kind, paper in zip(("TK", "DD", "HD"), self._papers, strict=True):
            scan = paper + f"\n%{uuid.uuid4()}".encode()
            await self._told.take("upload", self._upload(at, dossier, kind, scan))
        receipt = _ok(await at.post(f"{_API}/dossiers/{dossier}/receive")).json()
        _ok(await at.get(f"{_API}/dossiers", params={"limit": 50}))
        self._received += [(receipt["code"], receipt["lookup_code"])] * round(_FOR_EACH["look-up"])
        components = _ok(await at.get(f"{_API}/dossiers/{dossier}")).json()["components"]
        self._go("stream", self._watch(at, f"{_API}/dossiers/{dossier}/components/{components[-1]['id']}/events"))

    async def _upload(self, at: httpx2.AsyncClient, dossier: str, kind: str, scan: bytes) -> None:
        said = {"filename": f"{kind}.pdf", "dossier": dossier, "kind": kind, "sha256": hashlib.sha256(scan).hexdigest()}
        metadata = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in said.items())
        tus = {"tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream"}
        first = {**tus, "upload-length": str(len(scan)), "upload-metadata": metadata}
        where = _ok(await at.post(f"{_API}/parcels", headers=first)).headers["location"]
        for start in range(0, len(scan), _PART_BYTES):
            part = {**tus, "upload-offset": str(start)}
            _ok(await at.patch(where, headers=part, content=scan[start : start + _PART_BYTES]))
        told = _ok(await at.get(where)).json()
        assert told["state"]["code"] == "taken", told

    async def _watch(self, at: httpx2.AsyncClient, path: str) -> None:
        """Until the first event; then it is followed on, and may not break."""
        over = time.monotonic() + _WATCHES_S
        began = time.monotonic()
        async with at.stream("GET", path) as stream:
            _ok(stream)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + over - time.monotonic()):
                    async for line in stream.aiter_lines():
                        if line.startswith("data: ") and began:
                            self._told.seconds["first event"].append(time.monotonic() - began)
                            began = 0.0

    async def _look_up(self) -> None:
        if not self._received:
            return
        code, lookup_code = self._received.pop(self._random.randrange(len(self._received)))
        async with self._somebody() as one:
            body = {"dossier_code": code, "lookup_code": lookup_code}
            _ok(await one.post(f"{_API}/citizen/look-up", json=body))

    async def _download(self) -> None:
        async with self._somebody() as one:
            got = _ok(await one.get(self.ticket)).content
            assert got == self._result, "another file"

    async def _verify(self) -> None:
        async with self._somebody() as one:
            upload = {"file": ("ket-qua.pdf", self._result, "application/pdf")}
            said = _ok(await one.post(f"{_API}/verifications", files=upload)).json()
            assert said["verdict"] == "genuine", said["verdict"]


def main() -> int:
    """Load it, and tell; 1 when anybody but an attacker was not served."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--times", type=float, default=10.0, help="times the peak hour")
    parser.add_argument("--hostile", type=int, default=4, help="senders of hostile files")
    parser.add_argument("--flood", type=float, default=20.0, help="files a second from one address")
    parser.add_argument("--seed", type=int, default=11)
    given = parser.parse_args()
    with running_service() as service:
        told = Told()
        result, ticket, tokens = _prepared(service)
        with tempfile.TemporaryDirectory() as folder:
            papers = [sample_scan(Path(folder))] * 3
        sizes = " + ".join(f"{len(paper) / 1e6:.2f}" for paper in papers)
        print(f"dossier of 15 pages in 3 files: {sizes} MB; result of {len(result) / 1e3:.0f} kB", flush=True)
        before = _cpu(service)
        told.look(service)
        town = Town(service.base_url, papers, result, told, given.seed)
        town.ticket = ticket
        asyncio.run(_hour(service, town, told, given, tokens))
        told.look(service)
        _tell(told, given, before)
        if died := told.died():
            print(f"  died meanwhile: {died}\n{service.log_tails()}")
        return bool(sum(map(Counter.total, told.wrong.values()), start=0) or died)


def _prepared(service: Service) -> tuple[bytes, str, list[str]]:
    """An issued result, what fetches it, and counters that are signed in."""
    story = service.story()
    result = _issued(service)
    with psycopg.connect(_dsn(service)) as connection:
        found = connection.execute(
            "select code, lookup_code from dossiers where id = (select dossier_id from e_results limit 1)"
        ).fetchone()
    assert found is not None
    who = story.sign_in("")
    looked = who.post("/citizen/look-up", json={"dossier_code": found[0], "lookup_code": found[1]}).json()
    tokens = []
    for _ in range(_COUNTERS):
        signed = who.post("/session", json={"username": centre.POSTAL, "password": centre.PASSWORD})
        tokens.append(signed.json()["token"])
    story.close()
    return result, looked["results"][-1]["download"], tokens


async def _hour(service: Service, town: Town, told: Told, given: argparse.Namespace, tokens: list[str]) -> None:
    await town.open(tokens)
    began = time.monotonic()
    until = began + 60 * given.minutes
    hostile = [make(town._result) for make in attacks.BYTES.values()]  # noqa: SLF001
    hostile += [attacks.updated(town._result, change) for change in attacks.AFTER.values()]  # noqa: SLF001
    watching = asyncio.create_task(_watch(service, told, began))
    await asyncio.gather(
        *(town.come(kind, each * _PEAK_DOSSIERS_AN_HOUR * given.times, until) for kind, each in _FOR_EACH.items()),
        *(town.attack(until, hostile) for _ in range(given.hostile)),
        *([town.flood(until, given.flood)] if given.flood else []),
    )
    for _ in range(60):
        if not town._under_way:  # noqa: SLF001
            break
        await asyncio.sleep(1)
    told.wrong["at the end"] += Counter({"unanswered": len(town._under_way)})  # noqa: SLF001
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await town.close()


async def _watch(service: Service, told: Told, began: float) -> None:
    while True:
        at = time.monotonic() - began
        for name, held in _memory(service).items():
            told.memory[name].append((at, held))
        told.look(service)
        told.queues.append((at, await asyncio.to_thread(_queues, service)))
        if len(told.queues) % 6 == 0:
            wrong = sum(map(Counter.total, told.wrong.values()), start=0)
            print(f"  {at / 60:5.1f} min  waiting {told.queues[-1][1]}  wrong {wrong}", flush=True)
        await asyncio.sleep(_SAMPLE_EVERY_S)


def _dsn(service: Service) -> str:
    dsn = postgres.running_dsn(service.data / "postgres")
    assert dsn is not None
    return dsn


def _queues(service: Service) -> dict[str, int]:
    with psycopg.connect(_dsn(service)) as connection:
        waiting = "select queue_name, count(*) from procrastinate_jobs where status = 'todo' group by 1"
        found = dict(connection.execute(waiting).fetchall())
        read = connection.execute("select count(*) from pages where state <> 'received'").fetchone()
    return {**found, "read": read[0] if read else 0}


def _processes(service: Service) -> dict[int, str]:
    """Every process of the service, by the part it belongs to."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    roots = {pid: name for name, pid in service.parts().items()}
    roots[int((service.data / "postgres/cluster/postmaster.pid").read_text().split()[0])] = "database"
    roots[int((service.data / "s3/server.pid").read_text().split()[0])] = "s3"
    web = service.parts()["web"]

    def part(pid: int) -> str | None:
        if pid in roots:
            return roots[pid]
        found = part(parents[pid]) if pid in parents else None
        return "judges" if found == "web" and parents[pid] == web else found

    return {pid: name for pid in parents if (name := part(pid))}


def _memory(service: Service) -> dict[str, int]:
    """Resident bytes of each part: its largest process apart, so that forks aren't counted twice."""
    held: dict[str, int] = defaultdict(int)
    for pid, name in _processes(service).items():
        with suppress(OSError, ValueError):
            resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
            held[name] = held[name] + resident if name == "judges" else max(held[name], resident)
    return dict(held)


def _cpu(service: Service) -> dict[int, tuple[str, float]]:
    """Of each process its part and what it and its ended children have spent, in seconds."""
    spent: dict[int, tuple[str, float]] = {}
    for pid, name in _processes(service).items():
        with suppress(OSError, ValueError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            spent[pid] = name, sum(int(one) for one in fields[11:15]) / _TICKS
    return spent


def _tell(told: Told, given: argparse.Namespace, before: dict[int, tuple[str, float]]) -> None:
    print(f"{given.times:g} times the peak hour for {given.minutes:g} minutes, load average {os.getloadavg()[1]:.0f}")
    print(f"  {'kind':12} {'count':>6} {'wrong':>6}   p50      p95      p99  (s)")
    for kind, all_of in told.seconds.items():
        wrong = told.wrong[kind].total() if kind in told.wrong else 0
        shown = "  ".join(f"{_share(all_of, share):7.3f}" for share in (0.5, 0.95, 0.99))
        print(f"  {kind:12} {len(all_of) + wrong:6} {wrong:6} {shown}")
    for kind, reasons in told.wrong.items():
        for reason, count in reasons.most_common(5):
            print(f"  wrong: {kind}: {count} × {reason}")
    for kind, codes in told.answers.items():
        print(f"  {kind} was answered {dict(sorted(codes.items()))}")
    print("  memory, MB:      after 2 min   most    end   MB an hour   in the mean of each third")
    for name, seen in sorted(told.memory.items()):
        warm = [one for one in seen if one[0] >= min(_WARM_S, seen[-1][0] / 3)]
        held = [size / 1e6 for _, size in warm]
        thirds = "  ".join(f"{fmean(part):5.0f}" for part in _thirds(held))
        print(f"    {name:16} {held[0]:8.0f} {max(held):8.0f} {held[-1]:6.0f} {_slope(warm):8.0f}       {thirds}")
    for at, waiting in told.queues[:: max(len(told.queues) // 6, 1)]:
        print(f"  after {at / 60:4.1f} min waiting: {waiting}")
    spent: dict[str, float] = defaultdict(float)
    for pid, (name, seconds) in told.spent.items():
        spent[name] += seconds - before.get(pid, (name, 0.0))[1]
    print(f"  processor seconds: { {name: round(one, 1) for name, one in sorted(spent.items())} }")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(f"  this generator apart: {usage.ru_utime + usage.ru_stime:.1f}; at most {told.late_s:.2f} s late")


def _share(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def _thirds(values: list[float]) -> list[list[float]]:
    cuts = [round(len(values) * third / 3) for third in range(4)]
    return [part for begin, end in pairwise(cuts) if (part := values[begin:end])]


def _slope(seen: list[tuple[float, int]]) -> float:
    """Megabytes an hour, by least squares."""
    if len(seen) < 3:
        return 0.0
    middle = sum(at for at, _ in seen) / len(seen)
    across = sum((at - middle) ** 2 for at, _ in seen) or 1.0
    return sum((at - middle) * size for at, size in seen) / across * 3600 / 1e6


def _ok(answer: httpx2.Response) -> httpx2.Response:
    assert answer.is_success, f"{answer.request.method} {answer.request.url.path.split('/')[3]}: {answer.status_code}"
    return answer


if __name__ == "__main__":
    raise SystemExit(main())
