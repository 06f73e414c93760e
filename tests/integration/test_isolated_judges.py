"""A stranger's file is judged in a room of its own: whatever it does, the verdict is honest and the next file's too."""

from __future__ import annotations

import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import ANY

import pikepdf
import pytest

from signing import isolation
from signing.isolation import Judges, JudgesBusy, Limits
from signing.returned import Refusal, Returned
from signing.trust import TrustStore
from signing.types import Place, Verdict
from signing.verify import verify
from tests.pki import LEADER
from tests.pki.paper import paper
from tests.signed_files import issued, signed_by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pki import Pki

_MIB = 1024 * 1024


@pytest.fixture(scope="module")
def good(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An issued e-result."""
    return issued(pki, tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def trust(pki: Pki) -> TrustStore:
    return pki.store()


@pytest.fixture(scope="module")
def judges() -> Iterator[Judges]:
    """One judge, as strict as in service."""
    with _judges() as waiting:
        yield waiting


@contextmanager
def _judges(count: int = 1, **limits: float) -> Iterator[Judges]:
    waiting = Judges(count, limits=Limits(**limits))  # type: ignore[arg-type]
    try:
        yield waiting
    finally:
        waiting.close()


def _the_one(judges: Judges) -> int:
    """The process that waits."""
    (waiting,) = judges._free
    return waiting.process.pid


def test_the_verdict_is_the_same_in_and_outside_the_room(judges: Judges, good: Path, trust: TrustStore) -> None:
    found = judges.verify(good, trust=trust)
    assert found.verdict is Verdict.GENUINE
    assert found == verify(good, trust=trust, at=found.detail["checked_at"])
    changed = good.read_bytes().replace(b"/Lang (vi-VN)", b"/Lang (vi-CN)")
    (good.parent / "changed.pdf").write_bytes(changed)
    found = judges.verify(good.parent / "changed.pdf", trust=trust)
    assert found.verdict is Verdict.ALTERED
    assert found == verify(good.parent / "changed.pdf", trust=trust, at=found.detail["checked_at"])


def test_the_judge_learns_of_other_trust_with_the_next_file(judges: Judges, good: Path, trust: TrustStore) -> None:
    assert judges.verify(good, trust=trust).verdict is Verdict.GENUINE
    assert judges.verify(good, trust=TrustStore(())).reasons[0] == "untrusted_issuer"
    assert judges.verify(good, trust=trust).verdict is Verdict.GENUINE


def test_a_missing_file_costs_no_judge(judges: Judges, good: Path, trust: TrustStore, tmp_path: Path) -> None:
    judges.verify(good, trust=trust)
    before = _the_one(judges)
    assert judges.verify(tmp_path / "no.pdf", trust=trust).reasons == ("missing_file",)
    assert judges.verify(tmp_path, trust=trust).reasons == ("missing_file",)
    assert _the_one(judges) == before


def test_one_process_judges_many_files_and_is_relieved(good: Path, trust: TrustStore) -> None:
    with _judges(files=3) as judges:
        seen = []
        for _ in range(7):
            assert judges.verify(good, trust=trust).verdict is Verdict.GENUINE
            seen.append(_the_one(judges))
        assert len(set(seen)) == 3
        assert seen[0] == seen[1]


def test_a_judge_that_was_killed_while_it_waited_is_replaced(judges: Judges, good: Path, trust: TrustStore) -> None:
    judges.verify(good, trust=trust)
    os.kill(_the_one(judges), signal.SIGKILL)
    assert judges.verify(good, trust=trust).verdict is Verdict.GENUINE


@pytest.mark.usefixtures("possessed")
def test_a_judge_that_is_killed_at_work_answers_too_complex_and_the_next_file_is_judged(
    good: Path, trust: TrustStore, tmp_path: Path
) -> None:
    with _judges(wall_s=60) as judges, ThreadPoolExecutor(1) as elsewhere:
        judges.verify(good, trust=trust)
        at_work = _the_one(judges)
        answer = elsewhere.submit(judges.verify, _spinning(tmp_path), trust=trust)
        _wait_until(lambda: _is_at_work(at_work))
        os.kill(at_work, signal.SIGKILL)
        found = answer.result(timeout=60)
        assert (found.verdict, found.reasons) == (Verdict.UNREADABLE, ("too_complex",))
        assert judges.verify(good, trust=trust).verdict is Verdict.GENUINE


@pytest.mark.usefixtures("possessed")
def test_a_file_that_takes_too_long_by_the_processor_is_given_up(good: Path, trust: TrustStore, tmp_path: Path) -> None:
    with _judges(cpu_s=1) as judges:
        judges.verify(good, trust=trust)
        found = judges.verify(_spinning(tmp_path), trust=trust)
        assert (found.verdict, found.reasons) == (Verdict.UNREADABLE, ("too_complex",))
        assert judges.verify(good, trust=trust).verdict is Verdict.GENUINE


@pytest.mark.usefixtures("possessed")
def test_a_judge_that_does_nothing_any_more_is_given_up(good: Path, trust: TrustStore, tmp_path: Path) -> None:
    with _judges(wall_s=1.0) as judges:
        assert judges.verify(_holding(tmp_path), trust=trust).reasons == ("too_complex",)
    with _judges() as judges:
        assert judges.verify(good, trust=trust).verdict is Verdict.GENUINE


def test_a_file_that_wants_too_much_memory_is_given_up(good: Path, trust: TrustStore) -> None:
    """With little room even an honest file is too much: that is said, and never that somebody altered it."""
    with _judges(memory_bytes=1 * _MIB) as judges:
        found = judges.verify(good, trust=trust)
        assert (found.verdict, found.reasons) == (Verdict.UNREADABLE, ("too_complex",))


def test_a_bomb_never_makes_the_judge_large(judges: Judges, good: Path, trust: TrustStore, tmp_path: Path) -> None:
    judges.verify(good, trust=trust)
    found = judges.verify(_bomb(tmp_path), trust=trust)
    assert found.verdict is Verdict.UNREADABLE
    assert judges.verify(good, trust=trust).verdict is Verdict.GENUINE


@pytest.mark.parametrize("opening", [b"[", b"<</A", b"<<", b"("], ids=["arrays", "dictionaries", "half", "strings"])
def test_endless_nesting_is_an_answer(judges: Judges, trust: TrustStore, tmp_path: Path, opening: bytes) -> None:
    deep = tmp_path / "deep.pdf"
    deep.write_bytes(b"%PDF-1.7\n1 0 obj\n" + opening * 3_000_000 + b"\nstartxref\n9\n%%EOF\n")
    assert judges.verify(deep, trust=trust).verdict is Verdict.UNREADABLE


def test_eight_at_once_on_two_judges_are_all_answered(good: Path, trust: TrustStore) -> None:
    with _judges(2, line=8, patience_s=300.0) as judges, ThreadPoolExecutor(8) as people:
        answers = [people.submit(judges.verify, good, trust=trust) for _ in range(8)]
        assert [answer.result().verdict for answer in answers] == [Verdict.GENUINE] * 8


@pytest.mark.usefixtures("possessed")
def test_whoever_finds_the_line_full_is_told_to_come_again(good: Path, trust: TrustStore, tmp_path: Path) -> None:
    with _judges(1, line=1, patience_s=300.0, cpu_s=60) as judges, ThreadPoolExecutor(2) as people:
        judges.verify(good, trust=trust)
        at_work = _the_one(judges)
        long = people.submit(judges.verify, _spinning(tmp_path), trust=trust)
        _wait_until(lambda: _is_at_work(at_work))
        patient = people.submit(judges.verify, good, trust=trust)
        _wait_until(lambda: len(judges._line) == 1)
        with pytest.raises(JudgesBusy) as told:
            judges.verify(good, trust=trust)
        assert told.value.seconds > 0
        os.kill(at_work, signal.SIGKILL)
        assert long.result().reasons == ("too_complex",)
        assert patient.result().verdict is Verdict.GENUINE


@pytest.mark.usefixtures("possessed")
def test_whoever_asks_again_at_once_does_not_get_in_before_who_waits(
    good: Path, trust: TrustStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _judges(1, patience_s=300.0, cpu_s=60) as judges, ThreadPoolExecutor(2) as people:
        again, waiting = (Path(shutil.copy(good, tmp_path / name)) for name in ("again", "waiting"))
        judges.verify(good, trust=trust)
        at_work, spinning = _the_one(judges), _spinning(tmp_path)
        asked: list[str] = []
        ask = judges._asked
        monkeypatch.setattr(
            judges, "_asked", lambda mine, file, what: (asked.append(file.name), ask(mine, file, what))[1]
        )
        pushing = people.submit(lambda: [judges.verify(file, trust=trust) for file in (spinning, again, again)])
        _wait_until(lambda: _is_at_work(at_work))
        patient = people.submit(judges.verify, waiting, trust=trust)
        _wait_until(lambda: len(judges._line) == 1)
        os.kill(at_work, signal.SIGKILL)
        assert patient.result().verdict is Verdict.GENUINE
        assert [verdict.verdict for verdict in pushing.result()[1:]] == [Verdict.GENUINE] * 2
        assert [Path(name).name for name in asked[:2]] == [spinning.name, "waiting"]


@pytest.mark.usefixtures("possessed")
def test_whoever_waits_too_long_is_told_to_come_again(good: Path, trust: TrustStore, tmp_path: Path) -> None:
    with _judges(1, patience_s=0.05, cpu_s=60) as judges, ThreadPoolExecutor(1) as people:
        judges.verify(good, trust=trust)
        at_work = _the_one(judges)
        long = people.submit(judges.verify, _spinning(tmp_path), trust=trust)
        _wait_until(lambda: _is_at_work(at_work))
        with pytest.raises(JudgesBusy):
            judges.verify(good, trust=trust)
        os.kill(at_work, signal.SIGKILL)
        long.result()


def test_no_judge_outlives_its_service(good: Path, trust: TrustStore) -> None:
    """Killed without a word, the service leaves nothing behind: a judge whom nobody asks any more ends."""
    script = (
        "import os, sys, time; from pathlib import Path; from signing.isolation import Judges\n"
        "from signing.trust import TrustStore\n"
        "judges = Judges(1); judges.verify(Path(sys.argv[1]), trust=TrustStore(()))\n"
        "print(judges._free[0].process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(good)], capture_output=True, text=True, check=False)
    left = Path("/proc", ran.stdout.strip())
    _wait_until(lambda: not left.exists() or "\nState:\tZ" in (left / "status").read_text())


# --- the room itself ------------------------------------------------------------------------------------------------

#: Run inside a judge's room, in the place of a verdict: everything a file that took over the process might try.
_ESCAPES = """
import os, socket, subprocess, sys
from dataclasses import replace
from signing import judge
from signing.types import Reason
from signing.verify import unreadable

def attempts(descriptor):
    def opened(): open("/etc/hostname")
    def written(): os.open("/tmp/hoso-escape", os.O_CREAT | os.O_WRONLY)
    def networked(): socket.socket()
    def started(): subprocess.run(["/bin/true"], check=True)
    def hungry(): bytearray(2**31)
    for attempt in (opened, written, networked, started, hungry):
        try:
            attempt()
        except (OSError, MemoryError, ValueError) as error:
            yield attempt.__name__, type(error).__name__
        else:
            yield attempt.__name__, "done"

def judged(self, message, descriptor):
    tried = dict(attempts(descriptor))
    os.close(descriptor)
    return replace(unreadable(Reason.DAMAGED, at=message["at"]), detail=tried)

def examined(self, message, descriptor):
    tried = dict(attempts(descriptor))
    os.close(descriptor)
    return judge.Returned(None, signer=repr(tried))

judge._Room._judged = judged
judge._Room._examined = examined
judge.main(sys.argv[1])
"""


def test_nothing_can_be_opened_written_sent_or_started_from_the_room(
    good: Path, trust: TrustStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _run_instead(_ESCAPES, monkeypatch, tmp_path)
    with _judges() as judges:
        tried = judges.verify(good, trust=trust).detail
        with_two = judges.examine(good, good, place=Place.LEADER, certificate_sha256="")
    assert ast.literal_eval(with_two.signer) == tried, "two files come by one descriptor, and leave no room for more"
    assert tried.keys() == {"opened", "written", "networked", "started", "hungry"}
    assert "done" not in tried.values(), tried
    assert not Path("/tmp/hoso-escape").exists()  # noqa: S108 - what must not be there


_LIAR = """
import socket, sys
from signing import judge
channel = socket.socket(fileno=int(sys.argv[1]))
judge.receive(channel)
judge.send(channel, {"ready": True, "resident": 1})
judge.receive(channel)
judge.receive(channel)
judge.send(channel, {"taken": True})
judge.send(channel, {"verdict": {"verdict": "splendid"}, "resident": 1})
"""

#: The same about a file that came back from a signer's own tool, of whom no trust is asked.
_LIAR_TOO = """
import socket, sys
from signing import judge
channel = socket.socket(fileno=int(sys.argv[1]))
judge.receive(channel)
judge.send(channel, {"ready": True, "resident": 1})
judge.receive(channel)
judge.send(channel, {"taken": True})
judge.send(channel, {"returned": {"refusal": None, "signer": ["me"]}, "resident": 1})
"""


def test_a_judge_that_talks_nonsense_is_not_believed(
    good: Path, trust: TrustStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file that took over its judge can only lie in the words of a verdict; anything else is no verdict."""
    _run_instead(_LIAR, monkeypatch, tmp_path)
    with _judges() as judges:
        assert judges.verify(good, trust=trust).reasons == ("too_complex",)


def test_a_judge_that_talks_nonsense_of_a_returned_file_is_not_believed(
    good: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _run_instead(_LIAR_TOO, monkeypatch, tmp_path)
    with _judges() as judges:
        found = judges.examine(good, good, place=Place.LEADER, certificate_sha256="")
    assert found == Returned(Refusal.TOO_COMPLEX)


def test_a_returned_file_that_wants_too_much_memory_is_given_up(good: Path) -> None:
    whole = good.read_bytes()
    sent = good.with_name("sent.pdf")
    sent.write_bytes(whole[: whole.index(b"%%EOF") + 6])
    with _judges(memory_bytes=1 * _MIB) as judges:
        found = judges.examine(sent, good, place=Place.LEADER, certificate_sha256="")
    assert found == Returned(Refusal.TOO_COMPLEX)
    with _judges() as judges:
        found = judges.examine(sent, good, place=Place.LEADER, certificate_sha256="")
    assert found.refusal is Refusal.SEVERAL_SIGNATURES


def test_a_large_file_is_mapped_in_the_room_too(judges: Judges, pki: Pki, trust: TrustStore, tmp_path: Path) -> None:
    with pikepdf.open(BytesIO(paper())) as scan:
        noise = scan.make_stream(random.Random(1).randbytes(55 * _MIB))  # noqa: S311 - a picture
        scan.pages[0].obj.PieceInfo = pikepdf.Dictionary(Scan=noise)
        scan.save(tmp_path / "scan.pdf", compress_streams=False)
    large = signed_by_hand(pki, (tmp_path / "scan.pdf").read_bytes(), tmp_path / "large.pdf", who=LEADER)
    (tmp_path / "scan.pdf").unlink()
    found = judges.verify(large, trust=trust, max_bytes=None)
    assert found.verdict is Verdict.GENUINE
    assert judges.verify(large, trust=trust, max_bytes=None) == replace(found, detail=ANY)
    assert judges.verify(large, trust=trust).reasons == ("too_large",)
    large.unlink()


def test_a_long_empty_end_costs_nothing(judges: Judges, good: Path, trust: TrustStore, tmp_path: Path) -> None:
    """A reader that looks for the end through forty megabytes of spaces takes half a minute."""
    long = tmp_path / "long.pdf"
    long.write_bytes(good.read_bytes() + b" " * (40 * _MIB))
    assert judges.verify(long, trust=trust).reasons == ("truncated",)


# --- helpers --------------------------------------------------------------------------------------------------------


#: A judge that a file has taken over: the fault we inject, for no file is known that does it.
_POSSESSED = """
import os, sys
from signing import judge
honest = judge._Room._judged
def judged(self, message, descriptor):
    begins = os.pread(descriptor, 5, 0)
    while begins == b"%SPIN":
        pass
    while begins == b"%HOLD":
        os.pause() if hasattr(os, "pause") else __import__("signal").pause()
    return honest(self, message, descriptor)
judge._Room._judged = judged
judge.main(sys.argv[1])
"""


@pytest.fixture
def possessed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Judges that some files take over."""
    _run_instead(_POSSESSED, monkeypatch, tmp_path)


def _run_instead(program: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    file = folder / "instead.py"
    file.write_text(program)
    real = subprocess.Popen

    def instead(command: list[str], **how: object) -> object:
        return real([command[0], str(file), command[-1]], **how)  # type: ignore[call-overload]

    monkeypatch.setattr(isolation.subprocess, "Popen", instead)


def _spinning(folder: Path) -> Path:
    """A file that keeps the processor busy for ever."""
    target = folder / "spinning.pdf"
    target.write_bytes(b"%SPIN")
    return target


def _holding(folder: Path) -> Path:
    """A file that makes its judge wait for ever."""
    target = folder / "holding.pdf"
    target.write_bytes(b"%HOLD")
    return target


def _bomb(folder: Path) -> Path:
    target = folder / "bomb.pdf"
    packed = zlib.compress(zlib.compress(b"\0" * 200 * _MIB, 9), 9)
    head = b"%%PDF-1.7\n1 0 obj\n<</Type/XRef/Size 9/W[1 2 1]/Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n"
    target.write_bytes(head % len(packed) + packed + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n")
    return target


def _is_at_work(pid: int) -> bool:
    """Whether it spins; loading and judging one honest file take far less."""
    return _cpu_s(pid) > 4.0


def _cpu_s(pid: int) -> float:
    fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait_until(true: object) -> None:
    ends = time.monotonic() + 60
    while not true():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.01)
