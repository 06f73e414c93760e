"""Children that are kept running, by a parent that may die itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from api.supervisor import Part, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLEEPER = Part("sleeper", (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"))
STUBBORN = Part(
    "stubborn",
    (
        sys.executable,
        "-c",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
    ),
    ends_within_s=0.2,
)
HOPELESS = Part("hopeless", (sys.executable, "-c", "raise SystemExit('no way')"))


def _until(true: Callable[[], bool], *, within_s: float = 30.0) -> None:
    give_up = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up, "it never came true"
        time.sleep(0.02)


def _runs(pid: int | None) -> bool:
    try:
        return pid is not None and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, os.environ)
    yield supervisor
    supervisor.stop()


def test_a_child_that_is_killed_is_started_again(supervisor: Supervisor) -> None:
    supervisor.start(SLEEPER)
    first = supervisor.pid("sleeper")
    os.kill(first, signal.SIGKILL)

    def another_runs() -> bool:
        supervisor.tend()
        return supervisor.pid("sleeper") not in {None, first}

    _until(another_runs)
    assert supervisor.deaths("sleeper") == 1


def test_one_that_keeps_dying_is_tried_ever_less_often_and_its_last_words_are_kept(supervisor: Supervisor) -> None:
    supervisor.start(HOPELESS)
    began = time.monotonic()

    def died_three_times() -> bool:
        supervisor.tend()
        return supervisor.deaths("hopeless") == 3

    _until(died_three_times)
    assert time.monotonic() - began > 0.5 + 1.0  # the waits before the second and the third try
    assert "no way" in supervisor.last_words("hopeless")


def test_who_does_not_listen_is_killed_and_nobody_is_left(supervisor: Supervisor) -> None:
    supervisor.start(SLEEPER, STUBBORN)
    pids = [supervisor.pid("sleeper"), supervisor.pid("stubborn")]
    _until(lambda: "up" in supervisor.last_words("stubborn"))
    supervisor.stop()
    assert not any(map(_runs, pids))
    assert supervisor.names == ()


def _talk_to_somebody_who_has_gone() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with pytest.raises(BrokenPipeError):
        ours.send(b"a page")
    print("lives on", flush=True)
    time.sleep(600)


def test_a_forked_child_that_talks_to_somebody_who_has_gone_gets_an_error_and_lives_on(supervisor: Supervisor) -> None:
    supervisor.start(Part("fork", _talk_to_somebody_who_has_gone))

    def said_so() -> bool:
        supervisor.tend()
        return "lives on" in supervisor.last_words("fork")

    _until(said_so)
    assert supervisor.deaths("fork") == 0


@pytest.mark.parametrize(
    ("program", "by"),
    [("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal 9"), ("raise SystemExit(3)", "status 3")],
)
def test_what_ended_a_child_is_logged(supervisor: Supervisor, program: str, by: str) -> None:
    supervisor.start(Part("short", (sys.executable, "-c", program)))

    def died() -> bool:
        supervisor.tend()
        return supervisor.deaths("short") > 0

    with structlog.testing.capture_logs() as logged:
        _until(died)
    assert logged[0] == {"event": "child_died", "log_level": "warning", "part": "short", "deaths": 1, "by": by}


def _say_where_and_sleep() -> None:
    print(tempfile.gettempdir(), os.environ.get("GIVEN"), flush=True)
    time.sleep(600)


def test_a_function_runs_in_a_fork_with_the_environment_of_a_child_and_is_kept_running(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, {"GIVEN": "yes", "TMPDIR": str(tmp_path)})
    try:
        supervisor.start(Part("fork", _say_where_and_sleep))
        _until(lambda: supervisor.last_words("fork") == f"{tmp_path} yes\n")
        os.kill(supervisor.pid("fork"), signal.SIGKILL)

        def said_it_again() -> bool:
            supervisor.tend()
            return supervisor.last_words("fork").count("yes") == 2

        _until(said_it_again)
    finally:
        supervisor.stop()


_PARENT = """
import os, sys, time
from pathlib import Path
from api.supervisor import Supervisor
from tests.integration import test_embedded_supervisor as parts
supervisor = Supervisor(Path(sys.argv[1]), os.environ)
supervisor.start(parts.SLEEPER, parts.STUBBORN)
while not all("up" in supervisor.last_words(name) for name in supervisor.names):
    time.sleep(0.02)
print(*(supervisor.pid(name) for name in supervisor.names), flush=True)
time.sleep(600)
"""


def test_after_a_sigkill_of_the_parent_the_children_go_too_and_the_next_parent_ends_those_that_linger(
    tmp_path: Path,
) -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT, tmp_path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        sleeper, stubborn = map(int, parent.stdout.readline().split())
        parent.kill()
    _until(lambda: not _runs(sleeper))
    assert _runs(stubborn)

    Supervisor(tmp_path, os.environ, leftovers_within_s=0.2).stop()
    assert not _runs(stubborn)
