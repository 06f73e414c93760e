"""Fuzz who judges strangers' files, with genuine ones that are changed in ways of PDF and CMS; atheris leads the way.

Two are tried in turn, as the fuzzer's first byte says. The verifier gets a result of two signatures, and one signed in
the oldest encoding, which never counts. The examiner of what a signer's own tool gave back gets such a file; mostly the
bytes that were sent are put back before the change, since nothing is looked at behind others. Held at every try: an
answer and never an exception; so much processor time at most (`--seconds`); and genuine, or taken, only where all bytes
that the signatures cover are the original's and a reader shows what it showed before.

    .venv/bin/python bench/fuzz_verify.py --minutes 120 --keep build/fuzz

Whatever breaks this is kept as a file of `--keep`; its name says what it broke. The last line counts. `--runs N` with
the same seed makes the same choices; that is what the tests do, briefly.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

with atheris.instrument_imports(include=["signing"]):
    from signing import bare_signature, integrity, late_fields, proof, returned, verify

from signing.types import Place, Verdict
from tests import desktop_tool
from tests.foreign_files import signed_bare
from tests.mutations import mutate, ranges, shows
from tests.pki import LEADER, SEAL, running_pki
from tests.pki.paper import paper
from tests.signed_files import issued

_ = (integrity, late_fields, bare_signature)  # instrumented, used by `verify`


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class _Chooser:
    """Choices out of the fuzzer's bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = atheris.FuzzedDataProvider(data)

    def number(self, least: int, most: int) -> int:
        return self._data.ConsumeIntInRange(least, most)

    def some(self, most: int) -> bytes:
        return self._data.ConsumeBytes(self._data.ConsumeIntInRange(0, most))


@dataclass(frozen=True)
class _Target:
    """Something to try.

    Attributes:
        genuine: The file it accepts.
        may_lack: With so many of its last signatures missing it is still whole: behind the seal there is evidence.
        sent: What it begins with however it is changed, mostly; b"" for nothing.
        judge: What is said of a file: a word for the count, and whether it is accepted.
    """

    name: str
    genuine: bytes
    judge: Callable[[bytes], tuple[str, bool]]
    sent: bytes = b""
    may_lack: int = 0

    @cached_property
    def covered(self) -> list[tuple[int, int, int, int]]:
        """Which of its bytes signatures cover, for each with which it is whole; each covers those before."""
        return ranges(self.genuine)[-1 - self.may_lack :]

    @cached_property
    def shown(self) -> object:
        return shows(self.genuine)

    def changed(self, choose: _Chooser) -> bytes:
        content = mutate(self.genuine, choose)
        if self.sent and choose.number(0, 7):
            return self.sent + content[len(self.sent) :]
        return content

    def is_the_original(self, content: bytes) -> bool:
        same = any(
            content[start:first] == self.genuine[start:first]
            and content[second : second + length] == self.genuine[second : second + length]
            for start, first, second, length in self.covered
        )
        try:
            return same and shows(content) == self.shown
        except Exception:  # noqa: BLE001 - not even readable
            return False


class _Fuzzer:
    def __init__(self, targets: Sequence[_Target], *, keep: Path, seconds: float) -> None:
        self._targets, self._keep, self._seconds = targets, keep, seconds
        self.seen: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.slowest_s = 0.0
        self.tries = 0

    def try_once(self, data: bytes) -> None:
        self.tries += 1
        target = self._targets[data[0] % len(self._targets) if data else 0]
        content = target.changed(_Chooser(data[1:]))
        began = time.process_time()
        try:
            said, accepted = target.judge(content)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self._broke(f"{target.name}-raised-{type(error).__name__}", content)
            return
        spent = time.process_time() - began
        self.slowest_s = max(self.slowest_s, spent)
        self.seen[f"{target.name}:{said}"] += 1
        if spent > self._seconds:
            self._broke(f"{target.name}-slow", content)
        if accepted and not target.is_the_original(content):
            self._broke(f"{target.name}-accepted", content)

    def _broke(self, how: str, content: bytes) -> None:
        name = f"{how}-{hashlib.sha256(content).hexdigest()[:12]}.pdf"
        if len(self.broken) < 100:
            (self._keep / name).write_bytes(content)
        self.broken.add(name)
        print("BROKEN", name, flush=True)


def _targets(folder: Path) -> list[_Target]:
    """What is tried, each shown to accept what it should."""
    file, at = folder / "current.pdf", datetime.now().astimezone()
    with running_pki(folder / "pki", (LEADER, SEAL)) as pki:
        result, known = issued(pki, folder).read_bytes(), proof.Known(pki.store())
        bare = signed_bare(pki, paper(), who=LEADER)
        sent, key = (folder / "prepared.pdf").read_bytes(), pki.key(LEADER)
        back = desktop_tool.signed(sent, key)
    sha256 = hashlib.sha256(key.certificate_der).hexdigest()

    def verified(content: bytes) -> tuple[str, bool]:
        file.write_bytes(content)
        with file.open("rb") as opened:
            found = verify.verify_file(opened, known=known, at=at)
        return f"{found.verdict}:{found.reasons[0] if found.reasons else ''}", found.verdict is Verdict.GENUINE

    def examined(content: bytes) -> tuple[str, bool]:
        found = returned.examine_bytes(sent, content, place=Place.LEADER, certificate_sha256=sha256)
        return str(found.refusal or "taken"), found.refusal is None

    def never(content: bytes) -> tuple[str, bool]:
        said, accepted = verified(content)
        if accepted:
            raise AssertionError("SHA-1 was accepted")
        return said, False

    targets = [
        _Target("result", result, verified, may_lack=1),  # the timestamp over all of it
        _Target("returned", back, examined, sent),
        _Target("bare", bare, never),
    ]
    assert [target.judge(target.genuine)[1] for target in targets] == [True, True, False]
    return targets


def main() -> None:
    """Fuzz for as long as asked; exit status 1 when something broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--runs", type=int, default=0, help="end after so many tries; 0: by the clock alone")
    parser.add_argument("--seconds", type=float, default=2.0, help="processor time that one try may take")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="hoso-fuzz-"))
    fuzzer = _Fuzzer(_targets(folder), keep=given.keep, seconds=given.seconds)
    began, last = time.monotonic(), [0.0]

    def one(data: bytes) -> None:
        fuzzer.try_once(data)
        if time.monotonic() - last[0] > 60:
            last[0] = time.monotonic()
            print(_told(fuzzer), flush=True)
        if time.monotonic() - began > given.minutes * 60 or fuzzer.tries == given.runs:
            print(_told(fuzzer), flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(1 if fuzzer.broken else 0)  # the fuzzer has no end of its own

    options = [
        f"-seed={given.seed}",
        "-max_len=600",
        "-len_control=0",
        "-verbosity=0",
        "-timeout=1200",  # by the wall: a busy machine is no finding
        "-report_slow_units=1200",
        f"-artifact_prefix={given.keep}/",
        "-rss_limit_mb=4096",
    ]
    corpus = given.keep / "corpus"
    corpus.mkdir(exist_ok=True)
    chance = random.Random(given.seed)  # noqa: S311
    for number in range(200):  # without it the first tries choose nothing but the first of everything
        (corpus / f"chance-{number}").write_bytes(chance.randbytes(600))
    atheris.Setup([sys.argv[0], f"-seed={given.seed}", *options, str(corpus)], one)
    atheris.Fuzz()


def _told(fuzzer: _Fuzzer) -> str:
    seen = ", ".join(f"{what} {n}" for what, n in fuzzer.seen.most_common(12))
    return f"{fuzzer.tries} tries, {len(fuzzer.broken)} broken, slowest {fuzzer.slowest_s:.2f} s; {seen}"


if __name__ == "__main__":
    main()
