"""What a revocation list of a national authority's length costs: signing and judging, beside plain pyHanko.

A throw-away trust service answers from a process of its own; its issuing authority's list has `--entries` made-up
entries. Costs are processor seconds of this process alone. The peer is `PdfSigner` and `validate_pdf_signature` of the
same pyHanko, given the same list.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from asn1crypto import crl, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from signing import revocation
from signing.verify import verify
from tests.big_list import long_list
from tests.pki import LEADER, SEAL, Pki, running_pki
from tests.signed_files import issued

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def cpu(work: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def several(name: str, work: Callable[[], object], times: int) -> None:
    """The first call, and the mean of those that follow."""
    first = cpu(work)
    rest = sum(cpu(work) for _ in range(times)) / times
    print(f"{name:58s} {1000 * first:9.0f} ms {1000 * rest:9.1f} ms")


def plain_context(pki: Pki, lists: list[bytes]) -> ValidationContext:
    """What pyHanko needs to judge, as its manual says."""
    return ValidationContext(
        trust_roots=[x509.Certificate.load(pki.trust.anchor_der)],
        other_certs=[x509.Certificate.load(der) for der in pki.trust.intermediates_der],
        crls=[crl.CertificateList.load(der) for der in lists],
        revocation_mode="hard-fail",
    )


def plain_signature(pki: Pki, source: bytes, lists: list[bytes]) -> bytes:
    """A B-LT signature by pyHanko alone."""
    p12, passphrase = pki.trust.p12(LEADER.id)
    signer = SimpleSigner.load_pkcs12(str(p12), passphrase=passphrase.read_bytes())
    metadata = PdfSignatureMetadata(
        field_name="Plain",
        subfilter=SigSeedSubFilter.PADES,
        embed_validation_info=True,
        validation_context=plain_context(pki, lists),
    )
    hand = PdfSigner(metadata, signer, timestamper=pki.timestamper(), new_field_spec=SigFieldSpec("Plain"))
    return bytes(hand.sign_pdf(IncrementalPdfFileWriter(BytesIO(source))).getbuffer())


def plain_verdict(pki: Pki, file: Path, lists: list[bytes]) -> None:
    """Every signature of a file, judged by pyHanko alone."""
    with file.open("rb") as opened:
        for signature in PdfFileReader(opened).embedded_regular_signatures:
            asyncio.run(async_validate_pdf_signature(signature, plain_context(pki, lists)))


@contextmanager
def apart(folder: Path) -> Iterator[Pki]:
    """A trust service in another process, so that its work isn't counted as ours."""
    with running_pki(folder, (LEADER, SEAL)) as pki:
        port = pki.trust.base_url.rpartition(":")[2]
        pki.stop()
        service = [sys.executable, "-m", "api.demo.trust_service", "--folder", str(folder), "--port", port]
        process = subprocess.Popen(service, cwd=Path(__file__).parents[1])
        try:
            while process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield pki
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    """Print first and following costs, and what files grow by."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--entries", type=int, default=100_000)
    options.add_argument("--times", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, apart(Path(folder, "pki")) as pki:
        work = Path(folder)
        der = long_list(pki, given.entries)
        lists = [pki.trust.crl("root"), der]
        trust = pki.store().with_crls(lists)
        print(f"{given.entries} entries, {len(der) / 1e6:.1f} MB{'':34s} {'first':>9s}    {'following':>9s}")
        several("parse, and look one certificate up", lambda: revocation.parsed(der).find(1), given.times)

        short = issued(pki, work)  # warms up fonts, keys and code
        size_short = short.stat().st_size
        plain_pdf = (work / "plain.pdf").read_bytes()
        revocation.parsed.cache_clear()
        file = work / "issued.pdf"
        several("leader B-LT and seal B-LTA, with the list", lambda: issued(pki, work, trust=trust), given.times)
        size_long = file.stat().st_size
        several("  the same with a short list", lambda: issued(pki, work), given.times)
        issued(pki, work, trust=trust)
        plain = work / "peer.pdf"
        several(
            "pyHanko alone: one B-LT, with the list",
            lambda: plain.write_bytes(plain_signature(pki, plain_pdf, lists)),
            min(2, given.times),
        )

        revocation.parsed.cache_clear()
        several("verdict on two signatures, with the list", lambda: verify(file, trust=trust), given.times)
        bare = replace(trust, crls=(lists[0], pki.trust.crl("issuing")))
        several("  the same with a short list", lambda: verify(file, trust=bare), given.times)
        several("pyHanko alone: the same two", lambda: plain_verdict(pki, file, lists), min(2, given.times))
        grown = plain.stat().st_size - len(plain_pdf)
        print(f"result of two signatures: {size_long / 1e3:.0f} kB ({size_short / 1e3:.0f} kB with a short list)")
        print(f"pyHanko alone, one signature: {grown / 1e3:.0f} kB more than unsigned")


if __name__ == "__main__":
    main()
