"""Does anything get lost when everything breaks? A whole centre at work, killed and hurt for as long as it takes.

    python bench/faults.py [--kills 200] [--seed 1] [--only WORDS] [--during-s 20] [--patience-s 900]

A centre of its own as `hoso up` starts it, with its S3 server behind a proxy that misbehaves when told to, a timestamp
authority of the same kind, and `hoso send` at a counter. Four citizens are served at any time: scans by the counter's
program and by a browser, pictures by a telephone, reading, review, signed copies, a result with two signatures, its
delivery and the citizen's check. First parts are killed outright at random (web, workers, S3 server, database, the
counter's program), then each other fault lasts for a while. After each, people finish what is open and
`tests/faults/ledger.py` counts from the outside; rows with a number other than 0 under lost, doubled or stuck are
listed below the table, and the status is 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.faults.clock import can_jump
from tests.faults.power import can_cut_power
from tests.faults.running import Running, running_centre
from tests.faults.troubles import (
    FAULTS,
    FAULTS_OF_DISKS,
    HEAD,
    Fault,
    Run,
    clock_jumps,
    kill_at_random,
    people_at_work,
    settle,
)

_AT_ONCE = 4  # citizens
_CUT = "power cut: what wasn't flushed is lost"


def main() -> int:
    """Run all of it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="faults whose name has these words")
    parser.add_argument("--cuts", type=int, default=10, help="of the power; needs root and a loop device")
    parser.add_argument("--during-s", type=float, default=20.0, help="how long a fault lasts")
    parser.add_argument("--gap-s", type=float, default=3.0, help="between two kills, on average")
    parser.add_argument("--patience-s", type=float, default=900.0, help="when to call what is left stuck")
    given = parser.parse_args()
    chance = Random(given.seed)  # noqa: S311 - nothing secret
    runs: list[Run] = []
    chosen = {name: fault for name, fault in FAULTS.items() if given.only in name}
    if chosen or given.only in "SIGKILL":
        runs += _hurt(chosen, chance, given)
    if given.only in _CUT or any(given.only in name for name in FAULTS_OF_DISKS):
        if can_cut_power():
            runs += _cut(chance, given)
        else:
            _say("not run: power cuts and a full disk need root, a loop device and mkfs.ext4")
    print(f"\n{HEAD}")
    for run in runs:
        print(run.row())
    wrong = [run for run in runs if run.account is not None and not run.account.is_clean]
    for run in wrong:
        assert run.account is not None
        print(f"\n{run.fault}:\n{run.account.told()}")
    return 1 if wrong else 0


def _hurt(chosen: dict[str, Fault], chance: Random, given: argparse.Namespace) -> list[Run]:
    """Killed at random, then each of these faults, one after the other, on the same centre."""
    runs = []
    with running_centre(with_own_clock=can_jump()) as running:
        _say(f"store: {running.store_program}")
        if given.kills and given.only in "SIGKILL":
            runs.append(_killed(running, chance, given))
        for name, fault in chosen.items():
            if fault is clock_jumps and running.clock is None:
                _say("not run: the clock can't be made to jump here")
                continue
            runs.append(_during(running, Run(name), fault, chance, given))
    return runs


def _cut(chance: Random, given: argparse.Namespace) -> list[Run]:
    """The power cut again and again, and the disk full, with everything on that disk."""
    runs = []
    with running_centre(on_own_disk=True) as running:
        for name, fault in FAULTS_OF_DISKS.items():
            if given.only in name:
                runs.append(_during(running, Run(name), fault, chance, given))
        if given.cuts and given.only in _CUT:
            run = Run(_CUT)
            with people_at_work(running, run.cases, chance, at_once=3):
                for number in range(given.cuts):
                    time.sleep(chance.uniform(2.0, given.during_s))
                    running.cut_power()
                    run.faults += 1
                    _say(f"power cut {number + 1}/{given.cuts}")
            runs.append(_counted(running, run, given))
    return runs


def _during(running: Running, run: Run, fault: Fault, chance: Random, given: argparse.Namespace) -> Run:
    with people_at_work(running, run.cases, chance, at_once=2):
        time.sleep(given.during_s / 2)
        with fault(running):
            time.sleep(given.during_s)
        run.faults = 1
    return _counted(running, run, given)


def _killed(running: Running, chance: Random, given: argparse.Namespace) -> Run:
    run = Run("SIGKILL of web, workers, S3, database, agent")
    wait_s = (given.gap_s / 3, given.gap_s * 5 / 3)
    with people_at_work(running, run.cases, chance, at_once=_AT_ONCE):
        time.sleep(2.0)
        run.faults = kill_at_random(running, chance, given.kills, wait_s=wait_s, told=_say)
    return _counted(running, run, given)


def _counted(running: Running, run: Run, given: argparse.Namespace) -> Run:
    run.account = settle(running, run.cases, patience_s=given.patience_s)
    _say(run.row())
    _say(run.account.told())
    return run


def _say(what: str) -> None:
    if what:
        print(what, flush=True)


if __name__ == "__main__":
    sys.exit(main())
