"""What a verdict costs: our own result (leader B-LT, seal B-LTA), in a closed room, all processes together.

The peer judges the same file in the same run, in this process, with pyHanko's own calls: each signature and document
timestamp validated with today's lists, differences included. `--megabytes N` weighs a large file instead: memory that
the judge's process held beyond its start, pages of the mapped file apart.

    .venv/bin/python bench/verdicts.py
    .venv/bin/python bench/verdicts.py --megabytes 200
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import TYPE_CHECKING

import pikepdf
from asn1crypto import crl, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp
from pyhanko_certvalidator import ValidationContext

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from signing.isolation import Judges
from signing.types import Verdict
from signing.verify import verify
from tests.pki import LEADER, SEAL, running_pki
from tests.pki.paper import paper
from tests.signed_files import issued, signed_by_hand

if TYPE_CHECKING:
    from signing.trust import TrustStore

_MIB = 1024 * 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--megabytes", type=int, default=0)
    given = parser.parse_args()
    judges = Judges(1)
    with tempfile.TemporaryDirectory() as name, running_pki(Path(name, "pki"), (LEADER, SEAL)) as pki:
        folder = Path(name)
        result, trust = issued(pki, folder), pki.store()
        if given.megabytes:
            _weigh(judges, _large(pki, folder, given.megabytes), result, trust)
        else:
            _measure(judges, result, trust, given.rounds)
    judges.close()


def _measure(judges: Judges, result: Path, trust: TrustStore, rounds: int) -> None:
    for _ in range(5):
        assert judges.verify(result, trust=trust).verdict is Verdict.GENUINE
        _plain(result, trust)
    (judge,) = judges._free  # noqa: SLF001 - whom to watch
    room, inside, plain = [], [], []
    for _ in range(rounds):
        began = time.process_time() + _cpu_s(judge.process.pid)
        judges.verify(result, trust=trust)
        time.sleep(0.02)  # what it does once it has answered counts, too
        room.append(time.process_time() + _cpu_s(judge.process.pid) - began)
        began = time.process_time()
        verify(result, trust=trust)
        inside.append(time.process_time() - began)
        began = time.process_time()
        _plain(result, trust)
        plain.append(time.process_time() - began)
    size = result.stat().st_size / 1000
    print(f"result of {size:.0f} kB, {rounds} rounds, CPU ms: least (steady on a busy machine) and median")
    for what, spent in (("closed room, all processes", room), ("in this process", inside), ("plain pyHanko", plain)):
        print(f"  {what:28} {1000 * min(spent):6.1f}   {1000 * median(spent):6.1f}")


def _plain(result: Path, trust: TrustStore) -> None:
    """As pyHanko's own guide has it."""

    async def judged() -> None:
        with result.open("rb") as file:
            reader = PdfFileReader(file)
            for embedded in (*reader.embedded_regular_signatures, *reader.embedded_timestamp_signatures):
                context = ValidationContext(
                    trust_roots=[x509.Certificate.load(der) for der in trust.anchors],
                    other_certs=[x509.Certificate.load(der) for der in trust.intermediates],
                    crls=[crl.CertificateList.load(der) for der in trust.crls],
                    revocation_mode="hard-fail",
                )
                if embedded.sig_object_type == "/DocTimeStamp":
                    await async_validate_pdf_timestamp(embedded, context)
                else:
                    status = await async_validate_pdf_signature(embedded, context, ts_validation_context=context)
                    assert status.intact

    asyncio.run(judged())


def _large(pki: object, folder: Path, megabytes: int) -> Path:
    """A scan whose pictures don't compress, signed."""
    with pikepdf.open(BytesIO(paper())) as scan:
        chance = random.Random(1)  # noqa: S311 - a picture
        pictures = [scan.make_stream(chance.randbytes(_MIB)) for _ in range(megabytes)]
        scan.pages[0].obj.PieceInfo = pikepdf.Dictionary(Scans=pikepdf.Array(pictures))
        scan.save(folder / "scan.pdf", compress_streams=False)
    return signed_by_hand(pki, (folder / "scan.pdf").read_bytes(), folder / "large.pdf", who=LEADER)  # type: ignore[arg-type]


def _weigh(judges: Judges, large: Path, small: Path, trust: TrustStore) -> None:
    judges.verify(small, trust=trust)
    (judge,) = judges._free  # noqa: SLF001 - whom to watch
    before, mine = _own_pages(judge.process.pid), _own_pages(os.getpid())
    peak = before
    began = _cpu_s(judge.process.pid)

    over = Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.005):
            peak = max(peak, _own_pages(judge.process.pid))

    watcher = Thread(target=watch)
    watcher.start()
    found = judges.verify(large, trust=trust, max_bytes=None)
    over.set()
    watcher.join()
    spent = _cpu_s(judge.process.pid) - began
    print(f"{large.stat().st_size / _MIB:.0f} MiB: {found.verdict}, {spent:.2f} CPU s")
    print(f"  judge's own memory: {before / _MIB:.0f} MiB before, {peak / _MIB:.0f} MiB at most")
    print(f"  the asker's: {(_own_pages(os.getpid()) - mine) / _MIB:+.0f} MiB")


def _own_pages(pid: int) -> int:
    """Memory of a process that is nobody else's: mapped files are the system's."""
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("RssAnon")]
    return int(line.split()[1]) * 1024


def _cpu_s(pid: int) -> float:
    """To the nanosecond, unlike `stat`."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


if __name__ == "__main__":
    main()
