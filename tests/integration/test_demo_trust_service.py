"""The demo trust service over HTTP, asked by openssl, which shares no code with it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from api.demo.mark import DEMO_MARK, is_demo_certificate
from api.demo.trust_service import DemoTrust
from tests.pki import LEADER, LEADER_P256, SEAL, running_pki

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pki import Pki


def _openssl(*arguments: str | Path, given: bytes = b"") -> str:
    ran = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, check=False)
    return (ran.stdout + ran.stderr).decode()


def _pem(path: Path, *ders: bytes) -> Path:
    path.write_bytes(
        b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in ders),
    )
    return path


def test_openssl_trusts_a_demo_person_through_the_chain_and_the_lists(pki: Pki, tmp_path: Path) -> None:
    root = _pem(tmp_path / "root.pem", pki.trust.anchor_der)
    chain = _pem(tmp_path / "chain.pem", *pki.trust.intermediates_der)
    leader = _pem(tmp_path / "leader.pem", pki.trust.certificate_der("leader"))
    lists = tmp_path / "crl.pem"
    lists.write_bytes(
        b"".join(x509.load_der_x509_crl(httpx2.get(u).content).public_bytes(Encoding.PEM) for u in pki.trust.crl_urls)
    )
    said = _openssl(
        "verify", "-crl_check_all", "-x509_strict", "-CAfile", root, "-untrusted", chain, "-CRLfile", lists, leader
    )
    assert said.strip().endswith("OK")


def test_a_timestamp_verifies_with_openssl(pki: Pki, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes("hồ sơ số".encode())
    query, reply = tmp_path / "q.tsq", tmp_path / "r.tsr"
    _openssl("ts", "-query", "-data", data, "-sha256", "-cert", "-out", query)
    reply.write_bytes(httpx2.post(pki.trust.tsa_url, content=query.read_bytes()).content)
    root = _pem(tmp_path / "root.pem", pki.trust.anchor_der)
    assert "Verification: OK" in _openssl("ts", "-verify", "-in", reply, "-queryfile", query, "-CAfile", root)


def test_revocation_shows_in_list_and_ocsp_at_once_and_survives_a_restart(tmp_path: Path) -> None:
    with running_pki(tmp_path / "pki", [LEADER, SEAL]) as pki:
        root = _pem(tmp_path / "root.pem", pki.trust.anchor_der)
        issuing = _pem(tmp_path / "ca.pem", *pki.trust.intermediates_der)
        person = _pem(tmp_path / "leader.pem", pki.trust.certificate_der("leader"))

        def ask() -> str:
            url = f"{pki.trust.base_url}/ocsp"
            return _openssl("ocsp", "-issuer", issuing, "-cert", person, "-url", url, "-CAfile", root, "-no_nonce")

        assert "leader.pem: good" in ask()
        # By a second object on the same folder, as another process would.
        DemoTrust.create_or_load(pki.trust.folder, base_url=pki.trust.base_url).revoke("leader")
        assert "leader.pem: revoked" in ask()
        listed = x509.load_der_x509_crl(httpx2.get(pki.trust.crl_urls[1]).content)
        serial = x509.load_der_x509_certificate(pki.trust.certificate_der("leader")).serial_number
        assert listed.get_revoked_certificate_by_serial_number(serial) is not None
        assert listed.next_update_utc - listed.last_update_utc >= timedelta(days=2)


def test_keys_are_made_once_and_kept_and_more_people_can_come(tmp_path: Path) -> None:
    first = DemoTrust.create_or_load(tmp_path, base_url="http://127.0.0.1:1", people=[LEADER_P256])
    before = first.certificate_der(LEADER_P256.id)
    again = DemoTrust.create_or_load(tmp_path, base_url="http://127.0.0.1:1", people=[LEADER_P256, SEAL])
    assert again.certificate_der(LEADER_P256.id) == before
    assert again.anchor_der == first.anchor_der
    assert again.subject_ids == (LEADER_P256.id, SEAL.id)
    with pytest.raises(ValueError, match="được tạo cho"):
        DemoTrust.create_or_load(tmp_path, base_url="http://127.0.0.1:2")


def test_everything_it_issues_says_that_it_is_a_demo(pki: Pki) -> None:
    for der in (pki.trust.anchor_der, *pki.trust.intermediates_der, pki.trust.certificate_der("seal")):
        assert is_demo_certificate(der)
    assert DEMO_MARK in httpx2.get(pki.trust.base_url).text


def test_secrets_are_readable_by_their_owner_only(pki: Pki) -> None:
    for path in (*pki.trust.p12("leader"), *pki.trust.folder.glob("*.key")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_test_can_move_the_clock_of_one_request(pki: Pki) -> None:
    then = datetime.now(UTC).replace(microsecond=0) - timedelta(days=100)
    answer = httpx2.get(pki.trust.crl_urls[0], headers={"X-Certomancer-Fake-Time": then.isoformat()})
    assert x509.load_der_x509_crl(answer.content).last_update_utc == then


def test_nonsense_gets_an_answer_and_no_crash(pki: Pki) -> None:
    assert httpx2.post(pki.trust.tsa_url, content=b"nonsense").status_code == 400
    assert httpx2.post(pki.trust.tsa_url, content=b"").status_code == 413
    assert httpx2.get(pki.trust.base_url + "/../etc/passwd").status_code == 404


def test_it_runs_as_a_program_of_its_own_and_revokes_from_the_command_line(tmp_path: Path) -> None:
    port = 20_000 + os.getpid() % 10_000  # below those the system hands out, and no other test worker's
    command = [sys.executable, "-m", "api.demo.trust_service", "--folder", tmp_path / "pki", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    trust = DemoTrust.create_or_load(tmp_path / "pki", base_url=url, people=[LEADER_P256])
    with subprocess.Popen(command) as running:
        try:
            with httpx2.Client(transport=httpx2.HTTPTransport(retries=8)) as client:  # until it listens
                client.get(url).raise_for_status()
            subprocess.run([*command, "--revoke", LEADER_P256.id], check=True)
            serial = x509.load_der_x509_certificate(trust.certificate_der(LEADER_P256.id)).serial_number
            listed = x509.load_der_x509_crl(httpx2.get(trust.crl_urls[1]).content)
            assert listed.get_revoked_certificate_by_serial_number(serial) is not None
            assert subprocess.run([*command, "--revoke", "nobody"], check=False, capture_output=True).returncode == 1
        finally:
            running.terminate()
