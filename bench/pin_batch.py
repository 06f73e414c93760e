"""What one PIN for many results costs: signatures a second from a token, CPU a result beside a key in a file.

    .venv/bin/python -m bench.pin_batch [--results 500]

A real SoftHSM holds the keys, a throw-away trust service the certificates. Each result is signed once, as the signing
worker does it (`signing.sign.make`: everything looked at before the key, the block drawn, the signature put in), with
the key that `PinDesk` gives for exactly that document. CPU is user and system of this process, with SoftHSM in it;
lists are at hand, and no responder is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import os
import resource
import subprocess
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pkcs11
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from api.pin_desk import PinDesk
from dossiers.types import CertificateRecord, KeyHeld, PinAsked
from signing.locators import TokenKey
from signing.pin import Pin
from signing.pkcs11 import Token
from signing.prepare import add_fields
from signing.sign import make
from signing.types import Place, SignaturePlace
from tests.pki import LEADER, LEADER_P256, running_pki
from tests.pki.paper import paper
from tests.softhsm import MODULE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.keys import SigningKey
    from tests.pki import Pki

_PIN = "246813"
_PLACE = SignaturePlace(Place.LEADER, 1, (60, 60, 260, 120))


def main() -> None:
    """Measure, and print one line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=500)
    count = parser.parse_args().results
    with tempfile.TemporaryDirectory() as name, running_pki(Path(name) / "pki", [LEADER, LEADER_P256]) as pki:
        folder = Path(name)
        os.environ["SOFTHSM2_CONF"] = str(_shelf(folder))
        source, fielded = folder / "source.pdf", folder / "fielded.pdf"
        source.write_bytes(paper())
        add_fields(source, fielded, [_PLACE])
        for subject in (LEADER, LEADER_P256):
            at = _on_token(folder, pki, subject.id)
            certificate = pki.trust.certificate_der(subject.id)
            _raw(at, certificate, subject.key, count)
            opened = _from_desk(PinDesk(folder), _record(at, certificate), count)
            _results(f"{subject.key} on the token, one PIN", folder, fielded, pki, opened)
            _results(f"{subject.key} in a file, open", folder, fielded, pki, itertools.repeat(pki.key(subject), count))


def _from_desk(pins: PinDesk, record: CertificateRecord, count: int) -> Iterator[SigningKey]:
    """One PIN for so many documents; the key for each, as its turn comes."""
    documents = {uuid.uuid4(): f"{number:064x}" for number in range(count)}
    pins.open(record, documents, Pin(_PIN.encode()))
    for one, sha256 in documents.items():
        yield pins.key(record, one, sha256)


def _shelf(folder: Path) -> Path:
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    return conf


def _on_token(folder: Path, pki: Pki, subject: str) -> TokenKey:
    """The subject's key on a token of its own. Tokens are made before the library sees any: each in a fresh process."""
    p12, passphrase = pki.trust.p12(subject)
    private = pkcs12.load_pkcs12(p12.read_bytes(), passphrase.read_bytes().strip()).key
    assert private is not None
    file = folder / f"{subject}.p8"
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for asked in (
        ("--init-token", "--free", "--label", subject, "--pin", _PIN, "--so-pin", "87654321"),
        ("--import", str(file), "--token", subject, "--label", "key", "--id", "0A", "--pin", _PIN),
    ):
        subprocess.run(["softhsm2-util", *asked], check=True, capture_output=True)
    pkcs11.unload(MODULE)  # the library looks for tokens when it starts
    return TokenKey(MODULE, subject, "key")


def _record(at: TokenKey, certificate: bytes) -> CertificateRecord:
    now = datetime.now(UTC)
    return CertificateRecord(
        id=uuid.uuid4(),
        agency="",
        owner="leader",
        subject="",
        issuer="",
        serial="",
        sha256=hashlib.sha256(certificate).hexdigest(),
        valid_from=now,
        valid_to=now + timedelta(days=1),
        key_file="leader.cer",
        held=KeyHeld.PKCS11,
        locator=str(at),
        pin_asked=PinAsked.BATCH,
        der=certificate,
    )


def _raw(at: TokenKey, certificate: bytes, kind: str, count: int) -> None:
    with Token(at, Pin(_PIN.encode())) as token:
        key = token.key(certificate)
        began, used = time.monotonic(), _used()
        for number in range(count):
            asyncio.run(key.signer.async_sign_raw(f"{number}".encode(), "sha256"))
        wall, cpu = time.monotonic() - began, _used() - used
    print(f"{kind} raw: {count / cpu:.0f} signatures per core-second ({1000 * cpu / count:.2f} ms CPU, {wall:.1f} s)")


def _results(
    said: str,
    folder: Path,
    fielded: Path,
    pki: Pki,
    keys: Iterator[SigningKey],
) -> None:
    trust, target, done, now = pki.store(), folder / "signed.pdf", 0, datetime.now(UTC)
    began, used = time.monotonic(), _used()
    for key in keys:
        make(fielded, target, place=_PLACE, key=key, trust=trust, at=now)
        done += 1
    wall, cpu = time.monotonic() - began, _used() - used
    print(f"{said}: {1000 * cpu / done:.1f} ms CPU a result, {done / cpu:.0f} per core-second ({done} in {wall:.0f} s)")


def _used() -> float:
    """CPU seconds, user and system, of this process: with SoftHSM's work, which is done in it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
