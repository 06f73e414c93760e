"""Fuzz the verifier with a genuine two-signature result that is changed in ways of PDF and CMS; atheris leads the way.

Held at every try: a verdict and never an exception; a second of processor time at most (`--seconds`); and genuine only
where all bytes that leader and seal cover are the original's and a reader shows what it showed before.

    .venv/bin/python bench/fuzz_verify.py --minutes 120 --keep build/fuzz

Whatever breaks this is kept as a file of `--keep`; its name says what it broke. The last line counts.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

with atheris.instrument_imports(include=["signing"]):
    from signing import integrity, late_fields, proof, verify

from signing.types import Verdict
from tests.mutations import mutate, ranges, shows
from tests.pki import LEADER, SEAL, running_pki
from tests.signed_files import issued

_ = (integrity, late_fields)  # instrumented, used by `verify`


class _Chooser:
    """Choices out of the fuzzer's bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = atheris.FuzzedDataProvider(data)

    def number(self, least: int, most: int) -> int:
        return self._data.ConsumeIntInRange(least, most)

    def some(self, most: int) -> bytes:
        return self._data.ConsumeBytes(self._data.ConsumeIntInRange(0, most))


class _Fuzzer:
    def __init__(self, genuine: bytes, known: proof.Known, at: datetime, *, keep: Path, seconds: float) -> None:
        self._genuine, self._known, self._at, self._keep, self._seconds = genuine, known, at, keep, seconds
        self._covered = ranges(genuine)[1]  # the seal's: it covers the leader's
        self._shown = shows(genuine)
        self.seen: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.slowest_s = 0.0
        self.tries = 0
        self.file = keep / "current.pdf"

    def try_once(self, data: bytes) -> None:
        self.tries += 1
        content = mutate(self._genuine, _Chooser(data))
        self.file.write_bytes(content)
        began = time.process_time()
        try:
            with self.file.open("rb") as file:
                found = verify.verify_file(file, known=self._known, at=self._at)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self._broke(f"raised-{type(error).__name__}", content)
            return
        spent = time.process_time() - began
        self.slowest_s = max(self.slowest_s, spent)
        self.seen[f"{found.verdict}:{found.reasons[0] if found.reasons else ''}"] += 1
        if spent > self._seconds:
            self._broke("slow", content)
        if found.verdict is Verdict.GENUINE and not self._is_the_original(content):
            self._broke("accepted", content)

    def _is_the_original(self, content: bytes) -> bool:
        start, first, second, length = self._covered
        same = content[start:first] == self._genuine[start:first]
        same = same and content[second : second + length] == self._genuine[second : second + length]
        try:
            return same and shows(content) == self._shown
        except Exception:  # noqa: BLE001 - not even readable
            return False

    def _broke(self, how: str, content: bytes) -> None:
        name = f"{how}-{hashlib.sha256(content).hexdigest()[:12]}.pdf"
        if len(self.broken) < 100:
            (self._keep / name).write_bytes(content)
        self.broken.add(name)
        print("BROKEN", name, flush=True)


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
    with tempfile.TemporaryDirectory() as name, running_pki(Path(name, "pki"), (LEADER, SEAL)) as pki:
        genuine = issued(pki, Path(name)).read_bytes()
        known = proof.Known(pki.store())
    at = datetime.now().astimezone()
    fuzzer = _Fuzzer(genuine, known, at, keep=given.keep, seconds=given.seconds)
    fuzzer.file.write_bytes(genuine)
    assert verify.verify(fuzzer.file, trust=known.trust, at=at).verdict is Verdict.GENUINE
    began, last = time.monotonic(), [0.0]

    def one(data: bytes) -> None:
        fuzzer.try_once(data)
        if time.monotonic() - last[0] > 60:
            last[0] = time.monotonic()
            print(_told(fuzzer), flush=True)
        if time.monotonic() - began > given.minutes * 60 or fuzzer.tries == given.runs:
            print(_told(fuzzer), flush=True)
            os._exit(1 if fuzzer.broken else 0)  # the fuzzer has no end of its own

    options = [
        f"-seed={given.seed}",
        "-max_len=600",
        "-len_control=0",
        "-verbosity=0",
        "-timeout=120",
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
