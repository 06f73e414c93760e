"""Revocation lists only ever move forward: nobody on the way to them can take a revocation back."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from asn1crypto import crl

from dossiers.anchors import install_demo
from dossiers.trust_upkeep import KeptAnswer, evidence, refresh_answers, refresh_revocation_lists
from dossiers.types import Agency, AgencyKind, CertificateRecord
from signing import revocation
from signing.types import TrustServiceUnavailable
from storage.database import Database
from tests.pki import LEADER_P256, running_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from api.demo.trust_service import DemoSubject
    from tests.pki import Pki

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def database(migrated_dsn: str, pki: Pki) -> Iterator[Database]:
    """One that trusts the demo service and a certificate of it, hence asks for both of its lists."""
    database = Database(migrated_dsn)
    install_demo(database.begin, [pki.trust.anchor_der], now=NOW)
    with database.begin() as work:
        for der in (*pki.trust.intermediates_der, pki.trust.certificate_der(LEADER_P256.id)):
            work.trust.add_certificate(der)
    yield database
    database.close()


def kept(database: Database, url: str) -> bytes | None:
    with database.begin() as work:
        return work.trust.crl_at(url)


def keep(database: Database, url: str, der: bytes) -> None:
    with database.begin() as work:
        work.trust.keep_crl(url, der, fetched_at=NOW)


def test_a_newer_list_takes_the_place_of_an_older_one(database: Database, pki: Pki) -> None:
    root, issuing = pki.trust.crl_urls
    assert refresh_revocation_lists(database.begin, now=NOW) == ()
    assert kept(database, root) is not None
    old = pki.trust.crl("issuing", at=NOW - HOUR)
    keep(database, issuing, old)
    assert refresh_revocation_lists(database.begin, now=NOW) == ()
    assert kept(database, issuing) not in (None, old)


def test_an_older_list_is_refused_and_its_address_told(database: Database, pki: Pki) -> None:
    _, issuing = pki.trust.crl_urls
    ahead = pki.trust.crl("issuing", at=NOW + HOUR)
    keep(database, issuing, ahead)
    assert refresh_revocation_lists(database.begin, now=NOW) == (issuing,)
    assert kept(database, issuing) == ahead


def test_another_authoritys_list_takes_no_place(database: Database, pki: Pki) -> None:
    root, issuing = pki.trust.crl_urls
    strange = pki.trust.crl("root", at=NOW - HOUR)
    keep(database, issuing, strange)
    assert refresh_revocation_lists(database.begin, now=NOW) == (issuing,)
    assert kept(database, issuing) == strange
    with pytest.raises(TrustServiceUnavailable):  # nor the first one
        revocation.fetch_crl(root, publishers=revocation.publishers(issuing, authorities(pki)))


def test_only_whoever_issued_what_names_an_address_publishes_there(pki: Pki) -> None:
    root, issuing = pki.trust.crl_urls
    leader = _leader(pki)
    known = (*authorities(pki), leader)
    assert revocation.publishers(root, known) == (pki.trust.anchor_der,)
    assert revocation.publishers(issuing, known) == pki.trust.intermediates_der
    assert leader not in revocation.publishers(issuing, known)
    assert revocation.publishers("http://elsewhere/", known) == ()


def authorities(pki: Pki) -> tuple[bytes, ...]:
    return (pki.trust.anchor_der, *pki.trust.intermediates_der)


def _leader(pki: Pki) -> bytes:
    return pki.trust.certificate_der(LEADER_P256.id)


def test_neither_time_nor_number_of_a_list_may_go_back(pki: Pki) -> None:
    early, late = pki.trust.crl("issuing", at=NOW - HOUR), pki.trust.crl("issuing", at=NOW)
    assert revocation.may_replace(early, late)
    assert revocation.may_replace(late, late)
    assert not revocation.may_replace(late, early)
    assert not revocation.may_replace(early, pki.trust.crl("root", at=NOW))
    assert revocation.may_replace(late, numbered(late, 2**62))
    assert not revocation.may_replace(late, numbered(late, 1))
    assert not revocation.may_replace(early, numbered(late, 1))
    assert not revocation.may_replace(numbered(late, 2**62), numbered(late, None))  # one that ceases to count
    assert revocation.may_replace(numbered(late, None), late)
    assert revocation.may_replace(numbered(early, None), numbered(late, None))
    assert not revocation.may_replace(numbered(late, None), numbered(early, None))


def numbered(der: bytes, number: int | None) -> bytes:
    """The list with another number, or none. Its signature, which isn't asked about here, breaks."""
    listed = crl.CertificateList.load(der)
    extensions = [one for one in listed["tbs_cert_list"]["crl_extensions"] if one["extn_id"].native != "crl_number"]
    if number is not None:
        extensions.append(crl.TBSCertListExtension({"extn_id": "crl_number", "extn_value": number}))
    listed["tbs_cert_list"]["crl_extensions"] = extensions
    changed: bytes = listed.dump(force=True)
    return changed


# --- answers ---------------------------------------------------------------------------------------------------------


def registered(database: Database, pki: Pki, *people: DemoSubject) -> None:
    """The certificates of these people in use."""
    agency = Agency("TT", "Trung tâm", AgencyKind.CENTRE)
    with database.begin() as work:
        work.agencies.keep(agency)
        for who in people:
            der = pki.trust.certificate_der(who.id)
            work.trust.add_certificate(der)
            record = CertificateRecord(
                uuid.uuid4(), "TT", who.id, who.name, "CA", "1", sha256(der).hexdigest(), NOW, NOW + 999 * HOUR, "x.p12"
            )
            work.certificates.keep(record)


def answers(database: Database) -> list[KeptAnswer]:
    with database.begin() as work:
        return [*work.trust.kept_answers()]


def test_answers_about_certificates_in_use_are_fetched_before_they_run_out(database: Database, pki: Pki) -> None:
    assert refresh_answers(database.begin, now=NOW) == ()
    assert answers(database) == []  # nobody is in use, and the authorities name no responder
    registered(database, pki, LEADER_P256)
    assert refresh_answers(database.begin, now=datetime.now(UTC)) == ()
    (first,) = answers(database)
    assert first.certificate == sha256(_leader(pki)).hexdigest()
    assert refresh_answers(database.begin, now=first.made + timedelta(minutes=3)) == ()
    assert answers(database) == [first]  # fresh: nobody was asked
    assert refresh_answers(database.begin, now=first.made + timedelta(minutes=5)) == ()
    assert answers(database)[0].fetched_at == first.made + timedelta(minutes=5)


def test_an_older_answer_takes_no_place_and_silence_leaves_what_there_is(
    migrated_dsn: str, tmp_path: Path, pki: Pki
) -> None:
    database = Database(migrated_dsn)
    with running_pki(tmp_path, (LEADER_P256,)) as own:
        install_demo(database.begin, [own.trust.anchor_der], now=NOW)
        with database.begin() as work:
            for der in own.trust.intermediates_der:
                work.trust.add_certificate(der)
        registered(database, own, LEADER_P256)
        assert refresh_answers(database.begin, now=datetime.now(UTC)) == ()
        (kept,) = answers(database)
        own.stop()
        later = datetime.now(UTC) + HOUR / 2
        assert refresh_answers(database.begin, now=later) == (LEADER_P256.name,)
        with database.begin() as work:
            assert not work.trust.keep_answer(replace(kept, made=kept.made - HOUR, der=b"older"))
        assert answers(database) == [kept]
        ages = {one.kind: one for one in evidence(database.begin)}
        assert ages["ocsp"].about == LEADER_P256.name
        assert not ages["ocsp"].stale(NOW)
        assert ages["ocsp"].stale(NOW + 2 * HOUR)
    database.close()


def test_hosts_that_moved_are_asked_where_they_are_now(database: Database, pki: Pki) -> None:
    host = pki.trust.base_url.removeprefix("http://")
    nowhere = {host: "127.0.0.1:9"}
    assert set(refresh_revocation_lists(database.begin, now=NOW, hosts=nowhere)) == set(pki.trust.crl_urls)
    assert refresh_revocation_lists(database.begin, now=NOW, hosts={"elsewhere": "127.0.0.1:9"}) == ()
