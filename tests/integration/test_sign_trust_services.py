"""Timestamp authorities and list hosts over HTTP: fail-over, refusals, strangers."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing import hosts, revocation, sign, trust
from signing.augment import augment
from signing.prepare import add_fields
from signing.timestamp import Breakers, Timestamper, authority_of
from signing.trust import TrustStore
from signing.types import Place, TrustServiceUnavailable, Verdict
from signing.verify import verify
from tests.pki import LEADER_P256, SEAL, running_pki
from tests.pki.paper import LEADER_PLACE, SEAL_PLACE, paper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asn1crypto import cms

    from tests.pki import Pki

_DIGEST = hashlib.sha256(b"ho so so").digest()


def stamp(timestamper: Timestamper) -> cms.ContentInfo:
    return asyncio.run(timestamper.async_timestamp(_DIGEST, "sha256"))


def authorities(pki: Pki) -> tuple[bytes, ...]:
    return (pki.trust.anchor_der, *pki.trust.intermediates_der)


@contextmanager
def answering(content: bytes) -> Iterator[str]:
    """A server that gives the same answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_the_second_authority_answers_when_the_first_is_dead(pki: Pki) -> None:
    timestamper = Timestamper(["http://127.0.0.1:9/", pki.trust.tsa_url], tries=1)
    certificate, others = authority_of(stamp(timestamper))
    assert certificate.subject.native["common_name"].startswith("TSA")
    assert len(others) == 1
    assert len(timestamper.tokens) == 1


def test_nonsense_from_the_first_authority_is_passed_over(pki: Pki) -> None:
    with answering(b"<html>404</html>") as nonsense:
        assert stamp(Timestamper([nonsense, pki.trust.tsa_url], tries=1)) is not None


def test_a_token_for_somebody_elses_question_is_no_proof(pki: Pki) -> None:
    question = Timestamper([pki.trust.tsa_url]).request_cms(hashlib.sha256(b"else").digest(), "sha256")[1]
    with answering(pki.trust.answer_timestamp(question.dump())) as replayed, pytest.raises(TrustServiceUnavailable):
        stamp(Timestamper([replayed], tries=1))


def test_a_silent_authority_is_given_up_at_the_deadline(pki: Pki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        began = time.monotonic()
        with pytest.raises(TrustServiceUnavailable):
            stamp(Timestamper([url], deadline_s=0.3))
        assert time.monotonic() - began < 30
        assert stamp(Timestamper([url, pki.trust.tsa_url], deadline_s=4.0)) is not None


def test_a_fetched_list_is_checked_against_the_authorities_we_know(pki: Pki, tmp_path: Path) -> None:
    known = authorities(pki)
    for url in pki.trust.crl_urls:
        assert x509.load_der_x509_crl(revocation.fetch_crl(url, publishers=known)).next_update_utc is not None
    with running_pki(tmp_path / "other", [LEADER_P256]) as other, pytest.raises(TrustServiceUnavailable):
        revocation.fetch_crl(other.trust.crl_urls[1], publishers=known)  # same names, other keys


def test_a_list_may_come_as_pem_and_must_be_one(pki: Pki) -> None:
    armored = x509.load_der_x509_crl(pki.trust.crl("issuing")).public_bytes(Encoding.PEM)
    with answering(armored) as url:
        assert revocation.fetch_crl(url, publishers=authorities(pki)).startswith(b"\x30")
    for content in (b"", b"<html>", armored[:200]):
        with answering(content) as url, pytest.raises(TrustServiceUnavailable):
            revocation.fetch_crl(url, publishers=authorities(pki))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ldap://127.0.0.1/", "http://127.0.0.1:9/x.crl", "http://"])
def test_only_the_web_is_asked_and_silence_is_an_error(pki: Pki, url: str) -> None:
    with pytest.raises(TrustServiceUnavailable):
        revocation.fetch_crl(url, publishers=authorities(pki), timeout=2)


def test_an_endless_list_is_cut_off(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation, "MAX_CRL_BYTES", 1000)
    with answering(b"0" * 100_000) as url, pytest.raises(TrustServiceUnavailable, match="quá dài"):
        revocation.fetch_crl(url, publishers=authorities(pki))


def test_places_of_lists_are_read_from_our_own_certificates(pki: Pki) -> None:
    ours = [pki.trust.certificate_der(LEADER_P256.id), *pki.trust.intermediates_der, pki.trust.anchor_der]
    assert revocation.crl_urls(ours) == (pki.trust.crl_urls[1], pki.trust.crl_urls[0])


def test_trust_is_read_from_files_and_folders_pem_and_der(pki: Pki, tmp_path: Path) -> None:
    folder = tmp_path / "anchors"
    folder.mkdir()
    (folder / "root.crt").write_bytes(pki.trust.anchor_der)
    (folder / "README").write_text("not a certificate")
    pem = tmp_path / "ca.pem"
    pem.write_bytes(x509.load_der_x509_certificate(pki.trust.intermediates_der[0]).public_bytes(Encoding.PEM))
    listed = tmp_path / "issuing.crl"
    listed.write_bytes(pki.trust.crl("issuing"))
    assert trust.load([folder], [pem], [listed]) == TrustStore(
        (pki.trust.anchor_der,), pki.trust.intermediates_der, (listed.read_bytes(),)
    )
    with pytest.raises(ValueError, match="README"):
        trust.load([folder / "README"])
    with pytest.raises(ValueError, match="CRL"):
        trust.load([folder], crls=[pem])


@contextmanager
def counting(pki: Pki, *, answers_after_s: float = 0.0) -> Iterator[tuple[str, dict[str, int]]]:
    """The trust service's own timestamp authority behind a counter: how many asked, and how many at once."""
    seen = {"asked": 0, "now": 0, "most": 0}
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with lock:
                seen["asked"] += 1
                seen["now"] += 1
                seen["most"] = max(seen["most"], seen["now"])
            question = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(answers_after_s)
            content = pki.trust.answer_timestamp(question)
            with lock:
                seen["now"] -= 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", seen
        finally:
            server.shutdown()
            thread.join()


def test_a_result_costs_three_timestamps_and_not_six(pki: Pki, tmp_path: Path) -> None:
    source, prepared, signed, made, sealed = (tmp_path / f"{step}.pdf" for step in "abcde")
    source.write_bytes(paper())
    add_fields(source, prepared, [LEADER_PLACE, SEAL_PLACE])
    known = pki.store()
    with counting(pki) as (url, seen):
        sign.make(prepared, made, place=LEADER_PLACE, key=pki.key(LEADER_P256), trust=known)
        augment(made, signed, place=Place.LEADER, trust=known, timestamper=Timestamper([url]))
        sign.make(signed, made, place=SEAL_PLACE, key=pki.key(SEAL), trust=known)
        augment(made, sealed, place=Place.SEAL, trust=known, timestamper=Timestamper([url]))
    assert seen["asked"] == 3
    assert verify(sealed, trust=known).verdict is Verdict.GENUINE


def test_at_most_four_ask_at_once_however_many_threads_sign(pki: Pki) -> None:
    with counting(pki, answers_after_s=0.1) as (url, seen), ThreadPoolExecutor(12) as threads:
        tokens = list(threads.map(lambda _: stamp(Timestamper([url])), range(12)))
    assert len(tokens) == 12
    assert seen["asked"] == 12
    assert 1 < seen["most"] <= 4


def test_an_authority_that_failed_thrice_is_passed_over_by_everybody(pki: Pki) -> None:
    breakers = Breakers()
    with answering(b"nonsense") as bad:
        for _ in range(5):
            assert stamp(Timestamper([bad, pki.trust.tsa_url], tries=1, breakers=breakers)) is not None
        (health,) = [one for one in breakers.health() if one.url == bad]
    assert health.failures == 3
    assert health.closed_for_s > 0


def test_with_all_of_them_resting_nobody_waits(pki: Pki) -> None:
    breakers = Breakers()
    for _ in range(4):
        breakers.failed(pki.trust.tsa_url)
    began = time.monotonic()
    with pytest.raises(TrustServiceUnavailable):
        stamp(Timestamper([pki.trust.tsa_url], breakers=breakers))
    assert time.monotonic() - began < 5


def test_an_internal_name_is_asked_where_it_was_mapped_to(pki: Pki) -> None:
    mapped = hosts.read([f"tsa.ca.invalid=127.0.0.1:{urlsplit(pki.trust.base_url).port}"])
    assert stamp(Timestamper(["http://tsa.ca.invalid/tsa"], tries=1, hosts=mapped)) is not None
