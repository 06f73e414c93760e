"""A national authority's list of a hundred thousand: parsed once, asked in no time, and not carried about in files."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from asn1crypto import crl
from cryptography.x509 import load_der_x509_certificate
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore

from signing import revocation
from signing.trust import signer_standing
from signing.types import SigningRefused, Verdict
from signing.verify import verify
from tests.big_list import long_list
from tests.pki import CLERK, LEADER, SEAL, running_pki
from tests.signed_files import issued, leader_signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from signing.trust import TrustStore
    from tests.pki import Pki

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
MANY = 20_000


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    """A trust service of its own whose issuing authority has revoked thousands."""
    with running_pki(tmp_path_factory.mktemp("crowded"), (LEADER, SEAL, CLERK)) as running:
        yield running


def with_long_list(pki: Pki, *revoked: str, reason: str = "key_compromise") -> TrustStore:
    """What the office holds: the root's short list, the issuing authority's long one with some more people on it."""
    also = {serial(pki, name): (NOW - HOUR, reason) for name in revoked}
    return pki.store().with_crls([pki.trust.crl("root"), long_list(pki, MANY, also=also)])


def serial(pki: Pki, name: str) -> int:
    if name in {"issuing", "tsa", "ocsp"}:
        return load_der_x509_certificate((pki.trust.folder / f"{name}.crt").read_bytes()).serial_number
    return load_der_x509_certificate(pki.trust.certificate_der(name)).serial_number


def evidence(file: Path) -> tuple[list[int], list[int]]:
    """Bytes of the lists and of the answers in a file."""
    with file.open("rb") as opened:
        store = DocumentSecurityStore.read_dss(PdfFileReader(opened))
        return [len(ref.get_object().data) for ref in store.crls], [len(ref.get_object().data) for ref in store.ocsps]


def test_a_long_list_stays_out_of_the_file_when_responders_answer(crowded: Pki, tmp_path: Path) -> None:
    trust = with_long_list(crowded)
    file = issued(crowded, tmp_path, trust=trust)
    lists, answers = evidence(file)
    assert max(lists) < 2000  # the root's
    assert len(answers) == 3  # leader, seal, timestamp authority
    assert file.stat().st_size < 400_000
    assert verify(file, trust=trust).verdict is Verdict.GENUINE


def test_with_answers_for_evidence_it_is_genuine_years_later_and_after_everything_expired(tmp_path: Path) -> None:
    soon = datetime.now(UTC) + timedelta(days=30)
    short = [replace(who, valid_to=soon) for who in (LEADER, SEAL)]
    with running_pki(tmp_path / "pki", short) as pki:
        file = issued(pki, tmp_path, trust=with_long_list(pki))
        pki.stop()
        for later in (HOUR, timedelta(days=20), timedelta(days=730)):
            then = datetime.now(UTC) + later
            lists = [pki.trust.crl("root", at=then), long_list(pki, MANY, at=then)]
            found = verify(file, trust=pki.store().with_crls(lists), at=then)
            assert (found.verdict, found.reasons) == (Verdict.GENUINE, ()), later


def test_a_short_list_is_kept_rather_than_several_answers(pki: Pki, tmp_path: Path) -> None:
    lists, answers = evidence(issued(pki, tmp_path))
    assert len(lists) == 2
    assert answers == []


def test_whoever_a_long_list_names_cannot_sign_although_the_responder_knows_nothing_yet(
    crowded: Pki, tmp_path: Path
) -> None:
    for reason, code in (("key_compromise", "certificate_revoked"), ("certificate_hold", "certificate_suspended")):
        with pytest.raises(SigningRefused) as refused:
            leader_signed(crowded, tmp_path, trust=with_long_list(crowded, LEADER.id, reason=reason))
        assert refused.value.reason == code


def test_without_a_responder_the_long_list_is_the_evidence(tmp_path: Path) -> None:
    with running_pki(tmp_path / "pki", (LEADER,)) as pki:
        trust = with_long_list(pki)
        pki.stop()
        standing = signer_standing(pki.trust.certificate_der(LEADER.id), trust)
        assert standing.known
        assert standing.ocsps == ()
        assert sorted(len(one.dump()) for one in standing.crls) == sorted(len(der) for der in trust.crls)


@pytest.mark.parametrize("who", [LEADER.id, SEAL.id, "tsa", "issuing"])
def test_nobody_on_a_long_list_is_passed_over_by_the_verifier(crowded: Pki, tmp_path: Path, who: str) -> None:
    file = issued(crowded, tmp_path)
    assert verify(file, trust=with_long_list(crowded)).verdict is Verdict.GENUINE
    found = verify(file, trust=with_long_list(crowded, who))
    if who == "issuing":  # its own list has no say in its status
        assert found.verdict is Verdict.GENUINE
    else:
        assert found.verdict is not Verdict.GENUINE


def test_a_list_is_parsed_once_and_knows_everybody_on_it(crowded: Pki) -> None:
    held = serial(crowded, CLERK.id)
    der = long_list(crowded, 300, also={held: (NOW - HOUR, "certificate_hold")})
    listed = revocation.parsed(der)
    assert revocation.parsed(bytes(bytearray(der))) is listed  # the same bytes from elsewhere
    assert len(listed.serials) == 301
    found = listed.find(held)
    assert found is not None
    assert (found.at, found.reason, found.held) == (NOW - HOUR, "certificateHold", True)
    assert listed.find(1) is None


def test_a_narrowed_list_is_the_authoritys_own_byte_for_byte(crowded: Pki) -> None:
    held, other = serial(crowded, CLERK.id), serial(crowded, LEADER.id)
    der = long_list(crowded, 300, also={held: (NOW - HOUR, "certificate_hold")})
    shown = revocation.parsed(der).about([held, other])
    assert shown.dump() == der
    assert shown["tbs_cert_list"].dump() == crl.CertificateList.load(der)["tbs_cert_list"].dump()
    (entry,) = shown["tbs_cert_list"]["revoked_certificates"]
    assert entry["user_certificate"].native == held
    assert entry["revocation_date"].native == NOW - HOUR
    assert entry.crl_reason_value.native == "certificate_hold"
    whole = revocation.parsed(long_list(crowded, 5)).about([held])
    assert len(list(whole["tbs_cert_list"]["revoked_certificates"])) == 5


# --- responders ------------------------------------------------------------------------------------------------------


def test_an_answer_counts_only_from_whom_the_issuer_named_and_about_this_very_certificate(
    crowded: Pki, tmp_path: Path
) -> None:
    leader, seal = (crowded.trust.certificate_der(who.id) for who in (LEADER, SEAL))
    (issuing,) = crowded.trust.intermediates_der
    answer = revocation.ask(leader, issuing)
    assert answer is not None
    assert answer.revoked is None
    assert answer.in_force(datetime.now(UTC))
    assert not answer.in_force(datetime.now(UTC) + timedelta(days=2))
    assert revocation.read_answer(answer.der, leader, issuing) == answer
    assert revocation.read_answer(answer.der, seal, issuing) is None
    assert revocation.read_answer(answer.der, leader, crowded.trust.anchor_der) is None
    flipped = answer.der[:-300] + bytes([answer.der[-300] ^ 1]) + answer.der[-299:]
    for other in (b"", b"0", b"<html>", answer.der[:50], flipped):
        assert revocation.read_answer(other, leader, issuing) is None
    with running_pki(tmp_path / "other", (LEADER,)) as stranger:
        theirs = revocation.ask(stranger.trust.certificate_der(LEADER.id), stranger.trust.intermediates_der[0])
        assert theirs is not None
        assert revocation.read_answer(theirs.der, leader, issuing) is None


def test_a_kept_answer_serves_while_the_responder_is_down_until_it_runs_out(tmp_path: Path) -> None:
    with running_pki(tmp_path / "pki", (LEADER,)) as pki:
        leader, (issuing,) = pki.trust.certificate_der(LEADER.id), pki.trust.intermediates_der
        answer = revocation.ask(leader, issuing)
        assert answer is not None
        pki.stop()
        trust = replace(with_long_list(pki), ocsps=(answer.der,))
        assert revocation.ask(leader, issuing, timeout=2) is None
        assert [one.answer for one in signer_standing(leader, trust).sources][-1] == answer
        unlisted = replace(trust, crls=(pki.trust.crl("root"),))
        assert signer_standing(leader, unlisted).known
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert not signer_standing(leader, unlisted, at=tomorrow).known


# --- nothing that a file asks for is fetched -------------------------------------------------------------------------


def test_a_file_full_of_addresses_opens_no_connection(pki: Pki, tmp_path: Path) -> None:
    """A witness listens where the certificates of a hostile file say that issuer, list and responder are."""
    with running_pki(tmp_path / "hostile", (LEADER, SEAL), organization="Kẻ lạ") as hostile:
        file = issued(hostile, tmp_path)
        leader_only = tmp_path / "leader.pdf"
        port = int(hostile.trust.base_url.rpartition(":")[2])
        hostile.stop()
    certificate = load_der_x509_certificate(hostile.trust.certificate_der(LEADER.id))
    assert f":{port}/".encode() in certificate.public_bytes(revocation.Encoding.DER)
    with socket.create_server(("127.0.0.1", port)) as witness:
        witness.settimeout(0.2)
        for trust in (pki.store(), pki.store().with_crls(())):
            assert verify(file, trust=trust).verdict is Verdict.UNCONFIRMED
        # Even when its root is trusted, and so every address in it might be asked for by somebody else.
        believed = replace(pki.store(), anchors=(hostile.trust.anchor_der,), crls=())
        assert verify(file, trust=believed).verdict is Verdict.GENUINE  # by the evidence that it brings
        assert verify(leader_only, trust=believed, at=NOW + timedelta(days=9)).verdict is Verdict.UNCONFIRMED
        with pytest.raises(TimeoutError):
            witness.accept()
