"""What a signature costs in our own process, beside plain pyHanko calls in the same run.

    python bench/signing.py [--count 40] [--large] [--profile]

The trust service (timestamps, lists, answers) runs in a process of its own; counted are processor seconds (user and
system) of this one, so that waiting for the authority costs nothing here, as nothing of it does in an office. Prints
signatures per core-second for a B-LTA of a 100-kB result with a visible block and an open key, ours and pyHanko's
(`SimpleSigner`, `PdfSigner.sign_pdf`, one validation context each, the same block, timestamps and lists); milliseconds
of the whole result (template, fields, two blocks, leader B-LT, seal B-LTA) with each part; and with --large the memory
that 200 MB take beyond what a small file does.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import logging
import pstats
import random
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
from asn1crypto import crl, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext

sys.path.insert(0, str(Path(__file__).parents[1]))

from api.demo import artwork
from api.demo.trust_service import DemoSubject, DemoTrust
from signing import appearance, keys, prepare, sign, templates, trust
from signing.augment import augment
from signing.revocation import ask
from signing.timestamp import Timestamper
from signing.types import FIELD_NAMES, Place, SignaturePlace
from tests.signed_files import DECISION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_AGENCY = "Ủy ban nhân dân phường Hồng Gai"
_LEADER, _SEAL = DemoSubject("leader", "Trần Thị Bình", _AGENCY), DemoSubject("seal", _AGENCY)
_SEAL_PLACE = SignaturePlace(Place.SEAL, 1, (299, 80, 401, 182))
_MB = 1024 * 1024
_LARGE = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from signing import keys, prepare, trust
from signing.sign import sign
from signing.timestamp import Timestamper
from signing.types import Place, SignaturePlace
given = json.loads(sys.argv[1])
place = SignaturePlace(Place.SEAL, 1, tuple(given["box"]))
store = trust.load([Path(given["root"])])
def peak(source):
    folder = Path(source).parent
    key = keys.open_pkcs12(Path(given["p12"]), keys.read_passphrase_file(Path(given["passphrase"])))
    prepare.add_fields(Path(source), folder / "fielded.pdf", [place])
    sign(folder / "fielded.pdf", folder / "signed.pdf", place=place, key=key, trust=store,
         timestamper=Timestamper([given["tsa"]]))
    line, = [line for line in open("/proc/self/status") if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024
print(json.dumps([peak(given["small"]), peak(given["large"])]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=40, help="documents of each kind")
    parser.add_argument("--large", action="store_true", help="the memory of 200 MB as well")
    parser.add_argument("--profile", action="store_true", help="where our time goes")
    given = parser.parse_args()
    logging.getLogger("pyhanko").setLevel(logging.ERROR)  # the peer's warnings, one a document
    with tempfile.TemporaryDirectory() as work, trust_service(Path(work, "trust")) as service:
        folder = Path(work)
        known = _known(service)
        source = _hundred_kilobytes(folder)
        ours = _ours(service, known, folder, source)
        peer = _plain_pyhanko(service, folder, source)
        if given.profile:
            _profile(ours)
        _cost(ours, 3), _cost(peer, 3)
        fast, waited = _cost(ours, given.count)
        slow, _ = _cost(peer, given.count)
        print(f"B-LTA of {source.stat().st_size / 1000:.0f} kB, visible block: {1 / fast:.1f} per core-second")
        print(f"  ours {fast * 1000:.1f} ms, plain pyHanko {slow * 1000:.1f} ms of processor: {slow / fast:.1f} times")
        print(f"  wall {waited * 1000:.0f} ms with the authority's part")
        _whole_result(service, known, folder, given.count)
        if given.large:
            _large(service, folder)


@contextmanager
def trust_service(folder: Path) -> Iterator[DemoTrust]:
    """The demo trust service in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = DemoTrust.create_or_load(folder, base_url=f"http://127.0.0.1:{port}", people=[_LEADER, _SEAL])
    command = [sys.executable, "-m", "api.demo.trust_service", "--folder", str(folder), "--port", str(port)]
    running = subprocess.Popen(command, cwd=Path(__file__).parents[1])
    try:
        for _ in range(200):
            with socket.socket() as knocking:
                if knocking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield service
    finally:
        running.terminate()
        running.wait()


def _known(service: DemoTrust) -> trust.TrustStore:
    """As an office has it: lists and its signers' answers, fetched by a timer."""
    (issuer,) = service.intermediates_der
    answers = [ask(service.certificate_der(who.id), issuer) for who in (_LEADER, _SEAL)]
    lists = (service.crl("root"), service.crl("issuing"))
    told = tuple(answer.der for answer in answers if answer is not None)
    return trust.TrustStore((service.anchor_der,), service.intermediates_der, lists, told)


def _hundred_kilobytes(folder: Path) -> Path:
    plain, target = folder / "plain.pdf", folder / "hundred.pdf"
    plain.write_bytes(templates.render("decision", DECISION).pdf)
    with pikepdf.open(plain) as pdf:
        missing = max(0, 100_000 - plain.stat().st_size)
        noise = random.Random(1).randbytes(missing)  # noqa: S311 - a picture
        pdf.pages[0].obj.PieceInfo = pikepdf.Dictionary(Scan=pdf.make_stream(noise))
        pdf.save(plain.with_name("padded.pdf"), compress_streams=False)
    prepare.add_fields(plain.with_name("padded.pdf"), target, [_SEAL_PLACE])
    return target


def _key(service: DemoTrust, who: DemoSubject) -> keys.SigningKey:
    p12, passphrase = service.p12(who.id)
    return keys.open_pkcs12(p12, keys.read_passphrase_file(passphrase))


def _look() -> appearance.Appearance:
    return appearance.seal(_SEAL.name, artwork.seal(_SEAL.name))


def _ours(service: DemoTrust, known: trust.TrustStore, folder: Path, source: Path) -> Callable[[], object]:
    key, look, target = _key(service, _SEAL), _look(), folder / "ours.pdf"

    def once() -> object:
        stamper = Timestamper([service.tsa_url])
        return sign.sign(source, target, place=_SEAL_PLACE, key=key, trust=known, timestamper=stamper, appearance=look)

    return once


def plain_signer(service: DemoTrust, who: DemoSubject) -> SimpleSigner:
    """As pyHanko's documentation opens a key in a file."""
    p12, passphrase = service.p12(who.id)
    return SimpleSigner.load_pkcs12(str(p12), passphrase=passphrase.read_bytes(), prefer_pss=True)


def plain_signature(
    service: DemoTrust,
    signer: SimpleSigner,
    source: Path,
    target: Path,
    *,
    place: SignaturePlace,
    stamp: Path,
    **how: Any,
) -> object:
    """What pyHanko's documentation shows for a PAdES signature with evidence, and nothing else: the measure of ours.

    Args:
        stamp: The visible block, one page.
        how: What makes it B-LT or B-LTA, certifying or not.
    """
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(service.anchor_der)],
        other_certs=[x509.Certificate.load(der) for der in service.intermediates_der],
        crls=[crl.CertificateList.load(service.crl(name)) for name in ("root", "issuing")],
        revocation_mode="hard-fail",
    )
    metadata = PdfSignatureMetadata(
        field_name=FIELD_NAMES[place.place],
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        validation_context=context,
        embed_validation_info=True,
        signer_key_usage={"digital_signature"},
        **how,
    )
    style = StaticStampStyle.from_pdf_file(str(stamp), border_width=0, background_opacity=1.0)
    hand = PdfSigner(metadata, signer, timestamper=Timestamper([service.tsa_url]), stamp_style=style)
    with source.open("rb") as read, target.open("wb") as write:
        return hand.sign_pdf(IncrementalPdfFileWriter(read), output=write)


def drawn(look: appearance.Appearance, place: SignaturePlace, target: Path) -> Path:
    """A visible block as a page of its own."""
    x1, y1, x2, y2 = place.box
    target.write_bytes(appearance.render(look, width_pt=x2 - x1, height_pt=y2 - y1, at=datetime.now(UTC)))
    return target


def _plain_pyhanko(service: DemoTrust, folder: Path, source: Path) -> Callable[[], object]:
    """The same result, with the same block, lists and timestamps."""
    signer, stamp = plain_signer(service, _SEAL), drawn(_look(), _SEAL_PLACE, folder / "block.pdf")

    def once() -> object:
        target = folder / "peer.pdf"
        return plain_signature(service, signer, source, target, place=_SEAL_PLACE, stamp=stamp, use_pades_lta=True)

    return once


def _whole_result(service: DemoTrust, known: trust.TrustStore, folder: Path, count: int) -> None:
    leader, seal = _key(service, _LEADER), _key(service, _SEAL)
    hand, red = appearance.leader(_LEADER.name, artwork.handwriting(_LEADER.name)), _look()
    spent: dict[str, float] = {}

    def part(name: str, call: Callable[[], Any]) -> Any:
        began = time.process_time()
        made = call()
        spent[name] = spent.get(name, 0.0) + time.process_time() - began
        return made

    def once() -> None:
        files = [folder / f"whole-{step}.pdf" for step in range(6)]
        rendered = part("template", lambda: templates.render("decision", DECISION))
        files[0].write_bytes(rendered.pdf)
        part("fields", lambda: prepare.add_fields(files[0], files[1], rendered.places))
        for step, (place, key, look) in enumerate(
            ((rendered.places[0], leader, hand), (rendered.places[1], seal, red))
        ):
            source, made, done = files[1 + 2 * step : 4 + 2 * step]
            given: dict[str, Any] = {"place": place, "key": key, "trust": known, "appearance": look}
            part(f"make {place.place}", lambda: sign.make(source, made, **given))  # noqa: B023 - called at once
            stamper = Timestamper([service.tsa_url])
            asked: dict[str, Any] = {"place": place.place, "trust": known, "timestamper": stamper}
            part(f"augment {place.place}", lambda: augment(made, done, **asked))  # noqa: B023 - called at once

    once()
    spent.clear()
    cost, _ = _cost(once, count)
    print(f"whole result: {cost * 1000:.0f} ms of processor")
    print("  " + ", ".join(f"{name} {seconds / count * 1000:.0f}" for name, seconds in spent.items()))


def _cost(call: Callable[[], object], count: int) -> tuple[float, float]:
    """Processor seconds of this process for one call, and seconds that passed."""
    began, passed = time.process_time(), time.perf_counter()
    for _ in range(count):
        call()
    return (time.process_time() - began) / count, (time.perf_counter() - passed) / count


def _profile(call: Callable[[], object]) -> None:
    call()
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(10):
        call()
    profile.disable()
    pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


def _large(service: DemoTrust, folder: Path) -> None:
    """200 pictures of 1 MB that don't compress, signed in a process of its own."""
    noise = random.Random(1).randbytes(_MB)  # noqa: S311 - a picture
    (folder / "small").mkdir()
    (folder / "big").mkdir()
    small, big = folder / "small" / "small.pdf", folder / "big" / "big.pdf"
    small.write_bytes(templates.render("decision", DECISION).pdf)
    with pikepdf.open(small) as pdf:
        streams = [pdf.make_stream(noise + bytes([number])) for number in range(200)]
        pdf.pages[0].obj.PieceInfo = pikepdf.Dictionary(Scans=pikepdf.Array(streams))
        pdf.save(big, compress_streams=False)
    (folder / "root.crt").write_bytes(service.anchor_der)
    p12, passphrase = service.p12(_SEAL.id)
    given = {"box": _SEAL_PLACE.box, "root": folder / "root.crt", "p12": p12, "passphrase": passphrase}
    given |= {"tsa": service.tsa_url, "small": small, "large": big}
    ran = subprocess.run(
        [sys.executable, "-c", _LARGE, json.dumps(given, default=str), str(Path(__file__).parents[1])],
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = json.loads(ran.stdout)
    print(f"{big.stat().st_size / _MB:.0f} MB take {(after - before) / _MB:.0f} MB more memory than a small file")


if __name__ == "__main__":
    main()
