"""What one check costs the whole service: a file sent to the public page and to the API, all processes together.

The real service runs (`hoso up`, with the demo centre), a dossier goes its way through it, and the result that it
issues is checked again and again: by the page that citizens use, and by its twin for programs. Processor seconds are
read for the web, for its closed rooms and for the database, each by itself. Then the same while others send nothing
but hostile files, from addresses of their own, as fast as they are answered: every honest verdict has to come.

    .venv/bin/python -m bench.public_check [--rounds 40] [--attackers 2]
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import TYPE_CHECKING

import httpx2

from api.commands.demo import result_data
from api.demo import centre, sample
from tests import attacks
from tests.live import running_service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.live import Service

_PAGE, _API = "/kiem-tra", "/api/v1/verifications"
#: The service lets one address through 60 times a minute.
_A_MINUTE, _PER_ADDRESS = 60.0, 50


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--attackers", type=int, default=2)
    given = parser.parse_args()
    with running_service() as service:
        result = _issued(service)
        print(f"result of {len(result) / 1000:.0f} kB, {given.rounds} rounds, CPU ms: least and median")
        addresses = (f"127.0.{high}.{low}" for high in itertools.count(1) for low in range(1, 250))
        for path, says in ((_PAGE, "TÀI LIỆU THẬT"), (_API, '"genuine"')):
            _measure(service, path, says, result, given.rounds, addresses)
        _besieged(service, result, given.rounds, given.attackers, addresses)


def _issued(service: Service) -> bytes:
    """A result as the centre issues it: leader and seal, with two blocks to look at."""
    story = service.story()
    try:
        with tempfile.TemporaryDirectory() as folder:
            papers = sample.make_dossier(Path(folder), seed=5)
            story.hand_in(centre.POSTAL, papers)
            story.watch(centre.POSTAL)
            story.review(centre.CLERK)
            story.sign_copies(centre.CLERK)
            story.draft(centre.CLERK, leader=centre.LEADER, template="certificate", data=result_data(papers))
            story.approve(centre.LEADER)
            story.await_issue(centre.CLERK)
            return story.download()
    finally:
        story.close()


def _measure(service: Service, path: str, says: str, result: bytes, rounds: int, addresses: Iterator[str]) -> None:
    ask = _asker(service, path, next(addresses))
    for _ in range(5):
        _require(ask(result), says)
    spent: list[dict[str, float]] = []
    for _ in range(min(rounds, _PER_ADDRESS)):
        before = _cpu_s(service)
        _require(ask(result), says)
        time.sleep(0.05)  # what is done once the answer is out counts, too
        after = _cpu_s(service)
        spent.append({name: after[name] - before[name] for name in after})
    print(f"  POST {path}")
    sums = [sum(one.values()) for one in spent]
    for name, each in (*((name, [one[name] for one in spent]) for name in spent[0]), ("all together", sums)):
        print(f"    {name:18} {1000 * min(each):6.1f}   {1000 * median(each):6.1f}")


def _besieged(service: Service, result: bytes, rounds: int, attackers: int, addresses: Iterator[str]) -> None:
    hostile = [make(result) for make in attacks.BYTES.values()]
    hostile += [attacks.updated(result, change) for change in attacks.AFTER.values()]
    over, answered = Event(), [0] * attackers

    def attack(number: int) -> None:
        for sent, file in enumerate(itertools.cycle(hostile[number::attackers])):
            if sent % _PER_ADDRESS == 0:
                ask = _asker(service, _PAGE, next(addresses))
            if over.is_set():
                return
            ask(file)
            answered[number] += 1

    crowd = [Thread(target=attack, args=(number,)) for number in range(attackers)]
    began, before, lost = time.monotonic(), sum(_cpu_s(service).values()), 0
    for one in crowd:
        one.start()
    ask = _asker(service, _PAGE, next(addresses))
    for _ in range(min(rounds, _PER_ADDRESS)):
        lost += "TÀI LIỆU THẬT" not in ask(result)
    over.set()
    for one in crowd:
        one.join()
    spent, lasted = sum(_cpu_s(service).values()) - before, time.monotonic() - began
    files = rounds + sum(answered)
    print(f"  besieged by {attackers}: {rounds} honest and {sum(answered)} hostile files in {lasted:.0f} s")
    print(f"    honest verdicts lost: {lost}; {files / spent:.1f} verdicts per core-second, hostile ones among them")


def _asker(service: Service, path: str, address: str) -> Callable[[bytes], str]:
    """Somebody with an address of their own."""
    here = httpx2.HTTPTransport(local_address=address)
    client = httpx2.Client(base_url=service.base_url, transport=here, timeout=120.0, headers={"accept-language": "vi"})

    def ask(file: bytes) -> str:
        return client.post(path, files={"file": ("ket-qua.pdf", file, "application/pdf")}).text

    return ask


def _require(answer: str, says: str) -> None:
    if says not in answer:
        raise AssertionError(answer[:2000])


def _cpu_s(service: Service) -> dict[str, float]:
    """What has been spent so far, to the nanosecond: by the web, by those it started, and by the database."""
    web = service.parts()["web"]
    (noted,) = service.data.rglob("postmaster.pid")
    postmaster = int(noted.read_text().split()[0])
    rooms, database = ([pid for pid, parent in _parents() if parent == one] for one in (web, postmaster))
    return {name: sum(map(_spent, pids)) for name, pids in (("web", [web]), ("rooms", rooms), ("database", database))}


def _parents() -> Sequence[tuple[int, int]]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found.append((int(folder.name), int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])))
            except OSError:
                continue
    return found


def _spent(pid: int) -> float:
    """By all threads of a process, those that have ended among them (Linux: CPU clock of another process)."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


if __name__ == "__main__":
    main()
