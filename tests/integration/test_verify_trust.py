"""Who signed, and were they entitled to when they did? Real timestamps and lists, from a real service over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import PdfTimeStamper, SimpleSigner
from pyhanko.sign.timestamps import DummyTimeStamper

from signing.prepare import add_fields
from signing.sign import sign
from signing.trust import Term, TrustStore
from signing.types import Indication, Integrity, Kind, Place, SignaturePlace, SigningRefused, StoreName, Verdict
from signing.verify import verify
from tests import pki as people
from tests.signed_files import issued, leader_signed, signed_by_hand
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

    from api.demo.trust_service import DemoSubject
    from tests.pki import Pki

HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
def good(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An issued e-result, next to "plain.pdf" and "leader.pdf" from which it grew."""
    return issued(pki, tmp_path_factory.mktemp("good"))


def _later(span: timedelta) -> datetime:
    return datetime.now(UTC) + span


def test_a_result_with_leader_and_seal_is_genuine_and_tells_all_it_must(pki: Pki, good: Path) -> None:
    found = verify(good, trust=pki.store())

    assert (found.verdict, found.kind, found.integrity) == (Verdict.GENUINE, Kind.E_RESULT, Integrity.INTACT)
    assert found.missing == found.reasons == ()
    leader, seal = found.signatures
    assert (leader.field, seal.field) == ("HoSoSo_NguoiKy", "HoSoSo_CoQuan")
    assert leader.signer == people.LEADER.name
    assert leader.signer_organization == people.LEADER.organization
    assert seal.signer == people.SEAL.name
    for report in found.signatures:
        assert report.indication is Indication.PASSED
        assert report.timestamp == report.signed_at
        assert report.timestamp is not None
        assert report.timestamp_authority
        assert report.issuer
        assert len(report.certificate_sha256) == 64
        assert int(report.serial, 16)
        assert report.valid_from is not None
        assert report.valid_to is not None
        assert report.claimed_at is not None
        assert report.claimed_at.tzinfo
        assert report.algorithm == "sha256/rsassa_pss"
    assert not leader.covers_whole_file  # the seal follows it
    assert seal.covers_whole_file  # only evidence follows it


def test_signing_keeps_the_result_an_accessible_archive_document(good: Path) -> None:
    assert_pdfa(good, "2a")
    assert_pdfa(good, "ua1")


def test_without_the_seal_a_result_is_not_genuine(pki: Pki, good: Path) -> None:
    found = verify(good.parent / "leader.pdf", trust=pki.store())

    assert (found.verdict, found.kind, found.missing) == (Verdict.UNCONFIRMED, Kind.E_RESULT, ("seal",))
    assert found.reasons == ("seal_missing",)
    assert found.signatures[0].verdict is Verdict.GENUINE


def test_without_a_proven_time_a_result_is_not_genuine(pki: Pki, tmp_path: Path) -> None:
    found = verify(issued(pki, tmp_path, timestamper=None), trust=pki.store())

    assert found.missing == ("timestamp",)
    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert {report.verdict for report in found.signatures} == {Verdict.GENUINE}


def test_before_the_first_signature_a_result_is_unsigned(pki: Pki, good: Path) -> None:
    for name in ("plain.pdf", "prepared.pdf"):
        found = verify(good.parent / name, trust=pki.store())
        assert (found.verdict, found.reasons) == (Verdict.UNSIGNED, ("no_signature",))


@pytest.mark.parametrize("place", [Place.COPY, Place.SCANNER])
def test_a_digitised_copy_is_known_as_one(pki: Pki, good: Path, tmp_path: Path, place: Place) -> None:
    spot = SignaturePlace(place, 1, (400.0, 790.0, 570.0, 820.0))
    add_fields(good.parent / "plain.pdf", tmp_path / "prepared.pdf", [spot])
    who = people.SEAL if place is Place.COPY else people.SCANNER
    sign(
        tmp_path / "prepared.pdf",
        tmp_path / "copy.pdf",
        place=spot,
        key=pki.key(who),
        trust=pki.store(),
        timestamper=pki.timestamper(),
    )
    found = verify(tmp_path / "copy.pdf", trust=pki.store())
    assert (found.verdict, found.kind, found.missing) == (Verdict.GENUINE, Kind.ELECTRONIC_COPY, ())


# --- time -----------------------------------------------------------------------------------------------------------


def test_an_hour_later_with_the_service_down_it_is_still_genuine(pki: Pki, good: Path) -> None:
    assert verify(good, trust=pki.store(), at=_later(HOUR)).verdict is Verdict.GENUINE


def test_with_stale_lists_nobody_is_called_genuine(pki: Pki, good: Path) -> None:
    found = verify(good, trust=pki.store(), at=_later(timedelta(days=30)))

    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert found.reasons[0] == "no_status"
    assert found.missing == ()


def test_with_fresh_lists_it_is_genuine_years_later(pki: Pki, good: Path) -> None:
    then = _later(2 * YEAR)
    assert verify(good, trust=pki.store(at=then), at=then).verdict is Verdict.GENUINE


def test_after_everybodys_certificates_expired_the_archived_evidence_still_proves_it(tmp_path: Path) -> None:
    soon = datetime.now(UTC) + timedelta(days=30)
    short = [replace(who, valid_to=soon) for who in (people.LEADER, people.SEAL)]
    with people.running_pki(tmp_path / "pki", short) as pki:
        file = issued(pki, tmp_path)
        then = _later(2 * YEAR)
        lists_of_then = pki.store(at=then)
        pki.stop()

        found = verify(file, trust=lists_of_then, at=then)
        assert (found.verdict, found.reasons) == (Verdict.GENUINE, ())
        assert found.signatures[0].valid_to is not None
        assert found.signatures[0].valid_to < then

        unarchived = verify(tmp_path / "leader.pdf", trust=lists_of_then, at=then)
        assert unarchived.signatures[0].reasons == ("certificate_expired",)


def test_without_any_list_a_status_that_was_never_known_is_never_green(pki: Pki, good: Path, tmp_path: Path) -> None:
    plain = (good.parent / "plain.pdf").read_bytes()
    file = signed_by_hand(pki, plain, tmp_path / "a.pdf", who=people.LEADER)
    found = verify(file, trust=pki.store().with_crls(()))
    assert (found.verdict, found.reasons) == (Verdict.UNCONFIRMED, ("no_status",))


# --- revocation -----------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Pki:  # type: ignore[misc]  # a generator, as pytest wants it
    with people.running_pki(tmp_path / "pki") as running:
        yield running


def test_a_leader_revoked_before_signing_is_told_apart_from_a_broken_file(own: Pki, tmp_path: Path) -> None:
    file = issued(own, tmp_path)
    own.trust.revoke("leader", at=datetime.now(UTC) - HOUR)
    found = verify(file, trust=own.store())

    assert (found.verdict, found.integrity) == (Verdict.REVOKED, Integrity.INTACT)
    assert found.reasons == ("signer_revoked",)
    leader, seal = found.signatures
    assert (leader.indication, leader.sub_indication) == (Indication.FAILED, "REVOKED")
    assert seal.verdict is Verdict.GENUINE


def test_what_was_signed_before_the_revocation_stays_genuine(own: Pki, tmp_path: Path) -> None:
    file = issued(own, tmp_path)
    for who in ("leader", "seal"):
        own.trust.revoke(who, at=datetime.now(UTC) + HOUR, reason="cessation_of_operation")
    then = _later(2 * HOUR)
    assert verify(file, trust=own.store(at=then), at=then).verdict is Verdict.GENUINE


def test_a_revocation_without_proof_of_time_is_doubt_or_worse(own: Pki, good: Path, tmp_path: Path) -> None:
    plain = (good.parent / "plain.pdf").read_bytes()
    file = signed_by_hand(own, plain, tmp_path / "a.pdf", who=people.LEADER)
    own.trust.revoke("leader", at=datetime.now(UTC) + HOUR)
    then = _later(2 * HOUR)
    claims_earlier = verify(file, trust=own.store(at=then), at=then)
    assert (claims_earlier.verdict, claims_earlier.reasons) == (Verdict.UNCONFIRMED, ("revoked_unproven_time",))

    own.trust.revoke("leader", at=datetime.now(UTC) - HOUR)
    claims_later = verify(file, trust=own.store())
    assert (claims_later.verdict, claims_later.reasons) == (Verdict.REVOKED, ("signer_revoked",))


def test_the_newest_list_outweighs_a_good_answer_inside_the_file(own: Pki, tmp_path: Path) -> None:
    file = issued(own, tmp_path)
    before = own.store()
    own.trust.revoke("leader", at=datetime.now(UTC) - HOUR)
    both = before.with_crls((*before.crls, *own.store().crls))
    assert verify(file, trust=both).verdict is Verdict.REVOKED


def test_a_document_timestamp_of_a_revoked_authority_proves_no_time(own: Pki, tmp_path: Path) -> None:
    file = issued(own, tmp_path, timestamper=None)
    writer = IncrementalPdfFileWriter(BytesIO(file.read_bytes()))
    stamped = PdfTimeStamper(own.timestamper()).timestamp_pdf(writer, "sha256", bytes_reserved=32768)
    file.write_bytes(stamped.getbuffer())
    assert verify(file, trust=own.store()).verdict is Verdict.GENUINE

    own.trust.revoke("tsa", at=datetime.now(UTC) - HOUR)
    found = verify(file, trust=own.store())
    assert (found.verdict, found.integrity, found.missing) == (
        Verdict.UNCONFIRMED,
        Integrity.INTACT,
        ("timestamp",),
    )
    assert found.reasons == ("untrusted_timestamp", "timestamp_missing")


def test_one_key_can_not_be_leader_and_seal(pki: Pki, tmp_path: Path) -> None:
    key, place = pki.key(people.SEAL), SignaturePlace(Place.SEAL, 1, (0.0, 0.0, 1.0, 1.0))
    given = {"key": key, "trust": pki.store(), "timestamper": pki.timestamper()}
    sign(leader_signed(pki, tmp_path, key=key), tmp_path / "a.pdf", place=place, **given)
    found = verify(tmp_path / "a.pdf", trust=pki.store())
    assert (found.verdict, found.reasons) == (Verdict.UNCONFIRMED, ("seal_of_the_leader",))


def test_an_authority_revoked_before_signing_takes_its_signatures_along(own: Pki, tmp_path: Path) -> None:
    file = issued(own, tmp_path)
    own.trust.revoke("issuing", at=datetime.now(UTC) - HOUR)
    found = verify(file, trust=own.store())
    assert (found.verdict, found.reasons[0]) == (Verdict.REVOKED, "authority_revoked")


# --- certificates and algorithms ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (people.EXPIRED, "certificate_expired"),
        (people.NOT_YET, "certificate_not_yet_valid"),
        (people.WRONG_USAGE, "wrong_key_usage"),
        (people.WEAK, "weak_algorithm"),
    ],
    ids=lambda given: getattr(given, "id", given),
)
def test_a_certificate_that_may_not_sign_is_doubt_with_its_reason(
    pki: Pki, good: Path, tmp_path: Path, who: DemoSubject, reason: str
) -> None:
    plain = (good.parent / "plain.pdf").read_bytes()
    found = verify(signed_by_hand(pki, plain, tmp_path / "a.pdf", who=who), trust=pki.store())
    assert (found.verdict, found.integrity, found.reasons) == (Verdict.UNCONFIRMED, Integrity.INTACT, (reason,))


def test_an_expired_certificate_can_not_be_saved_by_a_timestamp_of_today(pki: Pki, good: Path, tmp_path: Path) -> None:
    plain = (good.parent / "plain.pdf").read_bytes()
    file = signed_by_hand(pki, plain, tmp_path / "a.pdf", who=people.EXPIRED, timestamper=pki.timestamper())
    assert verify(file, trust=pki.store()).reasons == ("signed_after_expiry",)


def test_sha1_is_intact_and_proves_nothing(pki: Pki, good: Path, tmp_path: Path) -> None:
    plain = (good.parent / "plain.pdf").read_bytes()
    found = verify(signed_by_hand(pki, plain, tmp_path / "a.pdf", who=people.LEADER, digest="sha1"), trust=pki.store())
    assert (found.verdict, found.integrity, found.reasons) == (
        Verdict.UNCONFIRMED,
        Integrity.INTACT,
        ("weak_algorithm",),
    )


@pytest.mark.parametrize(
    ("who", "pss", "algorithm"),
    [
        (people.LEADER, True, "sha256/rsassa_pss"),
        (people.LEADER, False, "sha256/rsassa_pkcs1v15"),
        (people.LEADER_P256, False, "sha256/ecdsa"),
    ],
    ids=["pss", "v1.5", "ecdsa"],
)
def test_other_systems_signatures_are_judged_too(
    pki: Pki, good: Path, tmp_path: Path, who: DemoSubject, *, pss: bool, algorithm: str
) -> None:
    plain = (good.parent / "plain.pdf").read_bytes()
    found = verify(signed_by_hand(pki, plain, tmp_path / "a.pdf", who=who, prefer_pss=pss), trust=pki.store())
    assert (found.verdict, found.kind, found.missing) == (Verdict.GENUINE, Kind.FOREIGN, ())
    assert found.signatures[0].algorithm == algorithm
    assert found.signatures[0].timestamp is None
    assert found.signatures[0].signed_at == found.signatures[0].claimed_at


def test_two_foreign_signatures_are_both_told(pki: Pki, good: Path, tmp_path: Path) -> None:
    plain = (good.parent / "plain.pdf").read_bytes()
    first = signed_by_hand(pki, plain, tmp_path / "a.pdf", who=people.CLERK)
    second = signed_by_hand(pki, first.read_bytes(), tmp_path / "b.pdf", who=people.LEADER, field="Signature2")
    found = verify(second, trust=pki.store())
    assert found.verdict is Verdict.GENUINE
    assert [report.signer for report in found.signatures] == [people.CLERK.name, people.LEADER.name]


# --- strangers ------------------------------------------------------------------------------------------------------


def test_without_a_known_root_nothing_is_confirmed(good: Path) -> None:
    found = verify(good, trust=TrustStore(anchors=()))
    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert found.reasons[0] == "untrusted_issuer"


def test_a_home_made_authority_with_the_same_names_convinces_nobody(own: Pki, good: Path, pki: Pki) -> None:
    """Every name in `own` equals its namesake in `pki`; only the keys differ."""
    found = verify(good, trust=own.store())
    assert (found.verdict, found.reasons[0]) == (Verdict.UNCONFIRMED, "untrusted_issuer")


def test_a_home_made_timestamp_authority_convinces_nobody(pki: Pki, own: Pki, tmp_path: Path) -> None:
    file = leader_signed(pki, tmp_path, timestamper=own.timestamper(), allow_unknown_status=True)
    found = verify(file, trust=pki.store())
    leader = found.signatures[0]
    assert (leader.verdict, leader.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert leader.reasons == ("untrusted_timestamp",)
    assert leader.timestamp is None


def test_a_timestamp_can_not_be_made_by_somebody_who_only_signs(pki: Pki, good: Path, tmp_path: Path) -> None:
    """An honest person's certificate, trusted for signing, plays timestamp authority."""
    p12, passphrase = pki.trust.p12(people.SEAL.id)
    key = SimpleSigner.load_pkcs12(str(p12), passphrase=passphrase.read_bytes())
    forger = DummyTimeStamper(tsa_cert=key.signing_cert, tsa_key=key.signing_key)
    plain = (good.parent / "plain.pdf").read_bytes()
    file = signed_by_hand(pki, plain, tmp_path / "a.pdf", who=people.LEADER, timestamper=forger)
    found = verify(file, trust=pki.store())
    assert (found.verdict, found.reasons) == (Verdict.UNCONFIRMED, ("untrusted_timestamp",))


def test_a_strangers_timestamp_at_the_end_casts_doubt(pki: Pki, own: Pki, good: Path, tmp_path: Path) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(good.read_bytes()))
    stamped = PdfTimeStamper(own.timestamper()).timestamp_pdf(writer, "sha256", bytes_reserved=32768)
    (tmp_path / "a.pdf").write_bytes(stamped.getbuffer())
    found = verify(tmp_path / "a.pdf", trust=pki.store())
    assert (found.verdict, found.reasons) == (Verdict.UNCONFIRMED, ("untrusted_timestamp",))


def test_a_renewed_archive_timestamp_changes_nothing(pki: Pki, good: Path, tmp_path: Path) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(good.read_bytes()))
    stamped = PdfTimeStamper(pki.timestamper()).timestamp_pdf(writer, "sha256", bytes_reserved=32768)
    (tmp_path / "a.pdf").write_bytes(stamped.getbuffer())
    found = verify(tmp_path / "a.pdf", trust=pki.store())
    assert (found.verdict, found.reasons) == (Verdict.GENUINE, ())
    assert len(found.detail["document_timestamps"]) == 2


# --- trust that begins and ends --------------------------------------------------------------------------------------


def trusting(store: TrustStore, **bounds: Any) -> TrustStore:
    """The same anchors with bounds, as the office keeps them."""
    return replace(store, terms=tuple(Term(der, StoreName.CIPHER, **bounds) for der in store.anchors))


def test_the_store_that_vouches_is_told(pki: Pki, good: Path) -> None:
    court_sees = trusting(pki.store())
    assert court_sees.store_of(pki.trust.anchor_der) is StoreName.CIPHER
    assert pki.store().store_of(pki.trust.anchor_der) is None
    assert verify(good, trust=court_sees).verdict is Verdict.GENUINE


def test_what_was_signed_and_stamped_while_the_root_was_trusted_stays_genuine(pki: Pki, good: Path) -> None:
    then = _later(YEAR)
    lists = pki.store(at=then)
    for until in (_later(HOUR), _later(YEAR / 2)):
        assert verify(good, trust=trusting(lists, until=until), at=then).verdict is Verdict.GENUINE
    assert verify(good, trust=trusting(lists, until=_later(-HOUR)), at=then).verdict is Verdict.UNCONFIRMED
    assert verify(good, trust=trusting(lists, since=_later(HOUR)), at=then).verdict is Verdict.UNCONFIRMED
    assert verify(good, trust=trusting(lists, since=_later(-HOUR)), at=then).verdict is Verdict.GENUINE


def test_without_a_timestamp_nothing_counts_once_the_trust_has_ended(pki: Pki, tmp_path: Path) -> None:
    file = issued(pki, tmp_path, timestamper=None)
    signatures = verify(file, trust=trusting(pki.store(), until=_later(HOUR))).signatures
    assert {one.verdict for one in signatures} == {Verdict.GENUINE}
    then = _later(2 * HOUR)
    ended = verify(file, trust=trusting(pki.store(), until=_later(HOUR)), at=then).signatures
    assert {(one.verdict, one.reasons) for one in ended} == {(Verdict.UNCONFIRMED, ("untrusted_issuer",))}


def test_a_root_whose_keys_were_lost_proves_no_time_either(pki: Pki, good: Path) -> None:
    then, ended = _later(YEAR), _later(HOUR)
    lists = pki.store(at=then)
    lost = trusting(lists, until=ended, broken=True)
    assert verify(good, trust=lost, at=_later(HOUR / 2)).verdict is Verdict.GENUINE
    found = verify(good, trust=lost, at=then)
    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)


def test_nobody_signs_under_a_root_that_is_trusted_no_more(pki: Pki, tmp_path: Path) -> None:
    with pytest.raises(SigningRefused) as refused:
        leader_signed(pki, tmp_path, trust=trusting(pki.store(), until=_later(-HOUR)))
    assert refused.value.reason == "untrusted_issuer"
