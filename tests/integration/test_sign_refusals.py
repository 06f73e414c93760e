"""What must not be signed isn't, and the key is never touched for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
import time_machine
from cryptography import x509
from pyhanko.sign.signers.pdf_cms import Signer

from signing import prepare
from signing.sign import sign
from signing.timestamp import Timestamper
from signing.trust import TrustStore
from signing.types import SigningRefused, TrustServiceUnavailable, Verdict
from signing.verify import verify
from tests.pki import EXPIRED, LEADER, LEADER_P256, NOT_YET, SEAL, WEAK, WRONG_USAGE, running_pki
from tests.pki.paper import LEADER_PLACE, SEAL_PLACE, paper

if TYPE_CHECKING:
    from pathlib import Path

    from signing.keys import SigningKey
    from tests.pki import Pki


class _Untouchable(Signer):
    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: FBT001, FBT002 - pyHanko's signature
        raise AssertionError("the key was used")


def guarded(key: SigningKey) -> SigningKey:
    return replace(key, signer=_Untouchable(signing_cert=key.signer.signing_cert))


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    source, target = tmp_path / "source.pdf", tmp_path / "prepared.pdf"
    source.write_bytes(paper())
    prepare.add_fields(source, target, [LEADER_PLACE, SEAL_PLACE])
    return target


def refusal(source: Path, **choices: Any) -> str:
    """Try to sign, and make sure that nothing was left behind."""
    target = source.with_name("signed.pdf")
    with pytest.raises(SigningRefused) as caught:
        sign(source, target, **{"place": LEADER_PLACE, "timestamper": None, **choices})
    assert not target.exists()
    assert not list(target.parent.glob(".*"))
    assert str(caught.value).strip().endswith(".")
    return caught.value.reason


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (EXPIRED, "certificate_expired"),
        (NOT_YET, "certificate_not_yet_valid"),
        (WRONG_USAGE, "wrong_key_usage"),
    ],
)
def test_a_certificate_that_does_not_fit_is_refused_before_the_key(
    pki: Pki, prepared: Path, subject: Any, reason: str
) -> None:
    assert refusal(prepared, key=guarded(pki.key(subject)), trust=pki.store()) == reason


def test_a_revoked_official_cannot_sign_although_the_cached_list_does_not_know_yet(
    prepared: Path, tmp_path: Path
) -> None:
    with running_pki(tmp_path / "pki", [LEADER_P256]) as pki:
        key, before = guarded(pki.key(LEADER_P256)), pki.store()
        pki.trust.revoke(LEADER_P256.id)
        assert refusal(prepared, key=key, trust=before) == "certificate_revoked"  # OCSP says so
        after = pki.store()
    assert refusal(prepared, key=key, trust=after) == "certificate_revoked"  # service down: the list says so


def test_what_was_found_a_moment_ago_hides_no_new_list_and_no_date(prepared: Path, tmp_path: Path) -> None:
    with running_pki(tmp_path / "pki", [LEADER_P256]) as pki:
        key = pki.key(LEADER_P256)
        asked: dict[str, Any] = {"place": LEADER_PLACE, "key": key, "timestamper": None}
        for number in range(2):
            assert sign(prepared, tmp_path / f"good-{number}.pdf", trust=pki.store(), **asked).status_known
        trust = pki.store()
        pki.trust.revoke(LEADER_P256.id)
        assert refusal(prepared, key=guarded(key), trust=pki.store()) == "certificate_revoked"
    assert sign(prepared, tmp_path / "good.pdf", trust=trust, **asked).status_known
    lists = [x509.load_der_x509_crl(der).next_update_utc for der in trust.crls]
    with time_machine.travel(max(lists) + timedelta(seconds=1), tick=False), pytest.raises(TrustServiceUnavailable):
        sign(prepared, tmp_path / "late.pdf", trust=trust, **{**asked, "key": guarded(key)})


def test_a_certificate_that_ends_between_two_documents_of_a_batch_signs_no_more(prepared: Path, tmp_path: Path) -> None:
    ends = (datetime.now(UTC) + timedelta(minutes=20)).replace(microsecond=0)
    leaving = replace(LEADER_P256, valid_to=ends)
    with running_pki(tmp_path / "pki", [leaving]) as pki:
        key, trust = pki.key(leaving), pki.store()
        sign(prepared, tmp_path / "good.pdf", place=LEADER_PLACE, key=key, trust=trust, timestamper=None)
        with time_machine.travel(ends + timedelta(seconds=1), tick=False):
            assert refusal(prepared, key=guarded(key), trust=trust) == "certificate_expired"


def test_nobody_can_sign_when_their_authority_is_revoked(prepared: Path, tmp_path: Path) -> None:
    with running_pki(tmp_path / "pki", [LEADER_P256]) as pki:
        pki.trust.revoke("issuing")
        assert refusal(prepared, key=guarded(pki.key(LEADER_P256)), trust=pki.store()) == "certificate_revoked"


def test_a_weak_key_does_not_even_open(pki: Pki) -> None:
    with pytest.raises(SigningRefused) as caught:
        pki.key(WEAK)
    assert caught.value.reason == "weak_key"


def test_a_stranger_to_our_trust_is_refused(pki: Pki, prepared: Path, tmp_path: Path) -> None:
    with running_pki(tmp_path / "other", [LEADER_P256]) as other:
        assert refusal(prepared, key=guarded(other.key(LEADER_P256)), trust=pki.store()) == "untrusted_issuer"


def test_lists_are_fetched_when_the_cache_is_empty_and_missed_when_their_host_is_down(
    prepared: Path, tmp_path: Path
) -> None:
    target = tmp_path / "signed.pdf"
    with running_pki(tmp_path / "pki", [LEADER_P256]) as pki:
        trust = pki.store().with_crls(())
        made = sign(
            prepared,
            target,
            place=LEADER_PLACE,
            key=pki.key(LEADER_P256),
            trust=trust,
            timestamper=pki.timestamper(),
        )
        assert made.level == "B-LT"
    later = verify(target, trust=trust, at=datetime.now(UTC) + timedelta(hours=1))
    assert [s.verdict for s in later.signatures] == [Verdict.GENUINE]  # what was fetched is in the file
    target.unlink()
    with pytest.raises(TrustServiceUnavailable):
        sign(
            prepared,
            target,
            place=LEADER_PLACE,
            key=guarded(pki.key(LEADER_P256)),
            trust=trust,
            timestamper=pki.timestamper(),
        )
    assert not target.exists()
    unsure = sign(
        prepared,
        target,
        place=LEADER_PLACE,
        key=pki.key(LEADER_P256),
        trust=trust,
        timestamper=None,
        allow_unknown_status=True,
    )
    assert (unsure.level, unsure.status_known) == ("B-B", False)


def test_without_any_list_or_host_the_status_is_unknown_and_that_is_refused(pki: Pki, prepared: Path) -> None:
    only_root = TrustStore((pki.trust.anchor_der,), pki.trust.intermediates_der)
    at = pki.key(LEADER).valid_from.replace(year=pki.key(LEADER).valid_from.year + 1)  # nothing is fetched then
    assert refusal(prepared, key=guarded(pki.key(LEADER)), trust=only_root, at=at) == "status_unknown"


def test_a_dead_timestamp_authority_leaves_nothing_behind(pki: Pki, prepared: Path, tmp_path: Path) -> None:
    target = tmp_path / "signed.pdf"
    target.write_bytes(b"what was here before")
    with pytest.raises(TrustServiceUnavailable):
        sign(
            prepared,
            target,
            place=LEADER_PLACE,
            key=pki.key(LEADER),
            trust=pki.store(),
            timestamper=Timestamper(["http://127.0.0.1:9/tsa"], tries=1),
        )
    assert target.read_bytes() == b"what was here before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prepared.pdf", "signed.pdf", "source.pdf"]


def test_a_revoked_timestamp_authority_proves_nothing(prepared: Path, tmp_path: Path) -> None:
    with running_pki(tmp_path / "pki", [LEADER_P256]) as pki:
        pki.trust.revoke("tsa")
        reason = refusal(prepared, key=pki.key(LEADER_P256), trust=pki.store(), timestamper=pki.timestamper())
    assert reason == "certificate_revoked"


def test_a_field_is_signed_once_and_the_leader_signs_first(pki: Pki, prepared: Path, tmp_path: Path) -> None:
    key, trust = pki.key(LEADER_P256), pki.store()
    sealed = tmp_path / "sealed.pdf"
    sign(prepared, sealed, place=SEAL_PLACE, key=key, trust=trust, timestamper=None)
    assert refusal(sealed, key=guarded(key), trust=trust, place=SEAL_PLACE) == "already_signed"
    assert refusal(sealed, key=guarded(key), trust=trust) == "already_signed"


def test_a_document_that_forbids_more_signatures_is_left_alone(pki: Pki, prepared: Path, tmp_path: Path) -> None:
    signed, locked = tmp_path / "leader.pdf", tmp_path / "locked.pdf"
    sign(prepared, signed, place=LEADER_PLACE, key=pki.key(LEADER_P256), trust=pki.store(), timestamper=None)
    with pikepdf.open(signed) as pdf:
        pdf.Root.Perms.DocMDP.Reference[0].TransformParams.P = 1
        pdf.save(locked)
    reason = refusal(locked, key=guarded(pki.key(SEAL)), trust=pki.store(), place=SEAL_PLACE)
    assert reason == "forbidden_by_document"


def test_what_is_no_pdf_or_lacks_the_field_is_said_so(pki: Pki, tmp_path: Path) -> None:
    key, trust = guarded(pki.key(LEADER)), pki.store()
    for content in (b"", b"%PDF-1.7\n", b"GIF89a" * 100, paper()[: len(paper()) // 2]):
        broken = tmp_path / "broken.pdf"
        broken.write_bytes(content)
        assert refusal(broken, key=key, trust=trust) == "unreadable_pdf"
    plain, locked = tmp_path / "plain.pdf", tmp_path / "locked.pdf"
    plain.write_bytes(paper())
    assert refusal(plain, key=key, trust=trust) == "field_missing"
    with pikepdf.open(plain) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="owner", user=""))
    assert refusal(locked, key=key, trust=trust) == "encrypted_pdf"
