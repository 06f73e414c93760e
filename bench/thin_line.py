"""28 counters at once on one thin line: what arrives, how long each file takes, how fairly the line is shared.

The real service runs (`hoso up`) and 28 real `hoso send` processes, each in front of a folder of scans, in a network
namespace whose only way out is a line of 5 Mbit/s and 40 ms each way (`line.py`). Reading is
stopped meanwhile, so that the line is what is measured. Somebody else asks for a page through the same line all the
time. `--cut S` takes the line away for so long in the middle. Needs root, for the namespace.

    .venv/bin/python -m bench.thin_line [--counters 28] [--files 3] [--kilobytes 600] [--cut 20]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import httpx2

from api.demo import centre
from api.deps import SESSION_COOKIE
from bench import line
from tests.live import running_service
from tests.papers import scan_pdf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.live import Service

ROOT = Path(__file__).parents[1]
_LINE_BITS = 5_000_000
_ONE_WAY_MS = 40
#: What a small router holds back, in packets: a quarter of a second of this line.
_QUEUE = 100
_SUBNET = "10.213.77"
_FORM = {"sec-fetch-site": "same-origin"}
_PATIENCE_S = 1800
#: A line that carries nothing for longer, while files wait, is stalled; a cut counts from its end.
_STALLED_S = 10.0


@dataclass
class Line:
    """A network namespace and the thin line between it and this machine."""

    name: str = field(default_factory=lambda: f"hoso-thin-{os.getpid()}")
    _carrier: subprocess.Popen[bytes] | None = None

    @property
    def _here(self) -> str:
        return f"ht{os.getpid() % 100000}"

    @property
    def _there(self) -> str:
        """The counters' end, before it is theirs."""
        return f"{self._here}c"

    @property
    def address(self) -> str:
        """This machine's end, as the counters see it."""
        return f"{_SUBNET}.1"

    def inside(self, *command: str) -> list[str]:
        """A command on the counters' side."""
        return ["ip", "netns", "exec", self.name, *command]

    def sent(self) -> int:
        """Bytes that the counters have put on the line, headers and what was sent twice among them."""
        told = _run(*self.inside("ip", "-s", "-j", "link", "show", "line"))
        count: int = json.loads(told)[0]["stats64"]["tx"]["bytes"]
        return count

    def cut(self, seconds: float) -> None:
        """Pull the plug at our end, and put it back."""
        _run("ip", "link", "set", self._here, "down")
        time.sleep(seconds)
        _run("ip", "link", "set", self._here, "up")

    def open(self) -> None:
        """Make it."""
        ends = line.device(self._here), line.device(self._there)
        _run("ip", "netns", "add", self.name)
        _run("ip", "link", "set", self._there, "netns", self.name, "name", "line")
        _run("ip", "addr", "add", f"{self.address}/24", "dev", self._here)
        _run("ip", "link", "set", self._here, "up")
        _run(*self.inside("ip", "addr", "add", f"{_SUBNET}.2/24", "dev", "line"))
        _run(*self.inside("ip", "link", "set", "line", "up"))
        size = ("--bits", str(_LINE_BITS), "--one-way-ms", str(_ONE_WAY_MS), "--queue", str(_QUEUE))
        carry = [sys.executable, "-m", line.__name__, *map(str, ends), *size]
        self._carrier = subprocess.Popen(carry, cwd=ROOT, pass_fds=ends)
        for end in ends:
            os.close(end)

    def round_trip_s(self, port: int) -> float:
        """How long a connection takes while the line is empty."""
        connect = (
            "import socket, sys, time\nb = time.monotonic()\n"
            "socket.create_connection((sys.argv[1], int(sys.argv[2])))\nprint(time.monotonic() - b)"
        )
        return float(_run(*self.inside(sys.executable, "-c", connect, self.address, str(port))))

    def close(self) -> None:
        """Take it away, with whoever is still inside."""
        inside = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        for pid in inside.stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        if self._carrier is not None:  # the devices go with it
            self._carrier.kill()
            self._carrier.wait()
        subprocess.run(["ip", "netns", "delete", self.name], check=False, capture_output=True)


@dataclass
class Counter:
    """One counter: its folder, its scans by hash, its dossier, and when each file's receipt lay there."""

    folder: Path
    dossier: dict[str, Any]
    hashes: set[str]
    size: int
    process: subprocess.Popen[str] | None = None
    said: str = ""

    def receipts(self) -> list[float]:
        """When each receipt was written, in order."""
        return sorted(one.stat().st_mtime for one in self.folder.glob("da-nhan/*.txt"))


def main() -> int:
    """Measure and print; 1 when anything was lost, doubled or stalled, or a page didn't come but for a cut."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counters", type=int, default=28)
    parser.add_argument("--files", type=int, default=3, help="of each counter")
    parser.add_argument("--kilobytes", type=int, default=600, help="of a file in the mean; from half to one and a half")
    parser.add_argument("--cut", type=float, default=0.0, metavar="S", help="take the line away for so long")
    given = parser.parse_args()
    if os.geteuid() or not shutil.which("ip"):
        print("needs root and ip: a line can't be laid without", file=sys.stderr)
        return 2
    thin = Line()
    with tempfile.TemporaryDirectory() as folder, running_service() as service:
        for name in service.reading_workers:  # stopped, not ended: nobody starts another one for it
            os.kill(service.parts()[name], signal.SIGSTOP)
        try:
            thin.open()
            with _forwarded(thin.address, service) as port:
                print(f"round trip of the empty line: {1000 * thin.round_trip_s(port):.0f} ms")
                return _measure(given, thin, Path(folder), service, f"http://{thin.address}:{port}")
        finally:
            thin.close()
            for name in service.reading_workers:
                with suppress(KeyError, ProcessLookupError):
                    os.kill(service.parts()[name], signal.SIGCONT)


def _measure(given: argparse.Namespace, thin: Line, folder: Path, service: Service, url: str) -> int:
    clerk = _clerk(service)
    counters = [
        _counter(folder / f"{number:02d}", number, given.files, given.kilobytes, clerk, url)
        for number in range(given.counters)
    ]
    total = sum(counter.size for counter in counters)
    ideal = total * 8 / _LINE_BITS
    print(
        f"{len(counters)} counters, {given.files} files each, {total / 1e6:.1f} MB: {ideal:.0f} s of the line at least"
    )
    asked = _Asker(thin, url)
    begun, sent_before, cpu_before = time.time(), thin.sent(), _children_s()
    for counter in counters:
        counter.process = _sender(thin, counter, url)
    asked.start()
    idle = _watched(given.cut, thin, counters, ideal)
    ended = max(at for counter in counters for at in counter.receipts())
    asked.over.set()
    asked.join()
    for counter in counters:
        if counter.process is not None:
            counter.process.send_signal(signal.SIGINT)
            counter.said = counter.process.communicate()[0]
    on_the_line, cpu_s = thin.sent() - sent_before, _children_s() - cpu_before
    is_well = _told(counters, clerk, begun, ended, on_the_line, idle, asked, cpu_s)
    return 0 if is_well and (given.cut or not asked.failed) else 1


def _watched(cut: float, thin: Line, counters: Sequence[Counter], ideal: float) -> float:
    """Wait for all receipts; how long the line lay idle at the longest while somebody still had files to send."""
    begun, longest, quiet_since, before, is_cut = time.time(), 0.0, time.time(), thin.sent(), False
    while any(len(counter.receipts()) < len(counter.hashes) for counter in counters):
        if time.time() - begun > _PATIENCE_S:
            raise TimeoutError("they never come to an end")
        if cut and not is_cut and time.time() - begun > ideal / 3:
            thin.cut(cut)
            is_cut, quiet_since = True, time.time()
        time.sleep(0.5)
        now = thin.sent()
        if now - before > _LINE_BITS / 8 * 0.5 * 0.05:
            quiet_since = time.time()
        longest, before = max(longest, time.time() - quiet_since), now
    return longest


def _told(
    counters: Sequence[Counter],
    clerk: httpx2.Client,
    begun: float,
    ended: float,
    on_the_line: int,
    idle: float,
    asked: _Asker,
    cpu_s: float,
) -> bool:
    lost = doubled = 0
    took, since_begin, speeds = [], [], []
    for counter in counters:
        papers = clerk.get(f"/api/v1/dossiers/{counter.dossier['id']}").json()["components"]
        there = [paper["scan_sha256"] for paper in papers]
        lost += len(counter.hashes - set(there))
        doubled += len(there) - len(set(there))
        receipts = counter.receipts()
        took += [at - before for before, at in zip([begun, *receipts], receipts, strict=False)]
        since_begin += [at - begun for at in receipts]
        speeds.append(counter.size / (receipts[-1] - begun) if receipts else 0.0)
    total, lasted = sum(counter.size for counter in counters), ended - begun
    fair = sum(speeds) ** 2 / (len(speeds) * sum(speed**2 for speed in speeds)) if any(speeds) else 0.0
    breaks = sum(counter.said.count("Mất kết nối") for counter in counters)
    later = sum(counter.said.count("gửi lại sau") for counter in counters)
    print(
        f"lost {lost}, doubled {doubled}, of {sum(len(counter.hashes) for counter in counters)}; {lasted:.0f} s in all"
    )
    print(f"a file, from the one before: {_spread(took)}; from the beginning: {_spread(since_begin)}")
    print(
        f"the line: {total * 8 / lasted / _LINE_BITS:.0%} files, {on_the_line * 8 / lasted / _LINE_BITS:.0%} with all "
        f"headers; idle for {idle:.1f} s at the longest"
    )
    print(f"fairness (Jain): {fair:.3f}; counters between {min(speeds) / 1000:.1f} and {max(speeds) / 1000:.1f} kB/s")
    print(f"lines lost {breaks}, put off by the server {later}; CPU of all senders {cpu_s:.1f} s")
    print(f"another page through the same line meanwhile: {_spread(asked.took)}, {asked.failed} didn't come")
    return not (lost or doubled or idle > _STALLED_S)


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "too few"
    parts = quantiles(seconds, n=20, method="inclusive")
    return f"p50 {parts[9]:.1f} s, p95 {parts[18]:.1f} s, longest {max(seconds):.1f} s"


def _clerk(service: Service) -> httpx2.Client:
    client = httpx2.Client(base_url=service.base_url, headers=_FORM, timeout=60, follow_redirects=True)
    sent = {"username": centre.CLERK, "password": centre.PASSWORD}
    token = client.post("/api/v1/session", json=sent).raise_for_status().json()["token"]
    client.cookies.clear()
    client.cookies.set(SESSION_COOKIE, token)  # for pages
    client.headers["authorization"] = f"Bearer {token}"  # for programs
    return client


def _counter(folder: Path, number: int, files: int, kilobytes: int, clerk: httpx2.Client, url: str) -> Counter:
    """A counter with its scans, paired before the line is measured."""
    folder.mkdir()
    body = {"procedure": "2.000908", "applicant": {"name": "Nguyễn Thị Thử"}}
    dossier = clerk.post("/api/v1/dossiers", json=body).raise_for_status().json()
    hashes, size, dice = set(), 0, random.Random(number)  # noqa: S311  sizes, no secret
    for one in range(files):
        bare = scan_pdf(f"Quầy {number}, tệp {one}")
        wanted = int(kilobytes * 1000 * dice.uniform(0.5, 1.5))
        noise = dice.randbytes(max(0, wanted - len(bare))).replace(b"\n", b"n").replace(b"\r", b"r")
        content = bare + b"\n%" + noise + b"\n%%EOF\n"
        (folder / f"{dossier['code']} {one}.pdf").write_bytes(content)
        hashes.add(hashlib.sha256(content).hexdigest())
        size += len(content)
    page = clerk.post("/hop-nhan/may", data={"name": f"Quầy {number}"}).raise_for_status().text
    code = re.search(r"\d{4}-\d{4}-\d{4}-\d", page)
    paired = clerk.post("/api/v1/desks/pair", json={"code": code[0] if code else ""}).raise_for_status().json()
    keys = folder.with_suffix(".json")
    keys.touch(0o600)
    keys.write_text(json.dumps({url: paired}))
    return Counter(folder, dossier, hashes, size)


def _sender(thin: Line, counter: Counter, url: str) -> subprocess.Popen[str]:
    places = ["--keys", str(counter.folder.with_suffix(".json")), "--spool", str(counter.folder.with_suffix(".spool"))]
    send = [sys.executable, "-m", "api.cli", "send", str(counter.folder), "--to", url, *places]
    return subprocess.Popen(
        thin.inside(*send, "--plain-http", "--settle", "0.5"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class _Asker(threading.Thread):
    """Somebody who asks for a page through the same line, again and again."""

    def __init__(self, thin: Line, url: str) -> None:
        super().__init__()
        self.over = threading.Event()
        self.took: list[float] = []
        self.failed = 0
        self._command = thin.inside(
            sys.executable,
            "-c",
            "import sys, time, urllib.request as r\nb = time.monotonic()\n"
            "r.urlopen(sys.argv[1], timeout=60).read()\nprint(time.monotonic() - b)",
            f"{url}/tra-cuu",
        )

    def run(self) -> None:
        """Ask every two seconds."""
        while not self.over.wait(2):
            told = subprocess.run(self._command, capture_output=True, text=True, check=False)
            if told.returncode == 0:
                self.took.append(float(told.stdout))
            else:
                self.failed += 1


@contextmanager
def _forwarded(address: str, service: Service) -> Iterator[int]:
    """The service, which listens on this machine alone, at the line's end; the port."""
    to = int(service.base_url.rpartition(":")[2])
    door = socket.create_server((address, 0), backlog=128)

    def carry(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        while True:
            try:
                counter, _ = door.accept()
            except OSError:
                return
            ours = socket.create_connection(("127.0.0.1", to))
            for ends in ((counter, ours), (ours, counter)):
                threading.Thread(target=carry, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield door.getsockname()[1]
    finally:
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
        door.close()


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
