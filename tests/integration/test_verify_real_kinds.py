"""Files as government systems really sign them: unchanged stays "unchanged", and why it isn't confirmed is said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pyhanko.sign.fields import SigSeedSubFilter

from signing import words
from signing.trust import TrustStore
from signing.types import AtSigning, Indication, Integrity, Kind, Reason, TimeSource, Verdict
from signing.verify import verify
from tests import pki as people
from tests.foreign_files import (
    signed_bare,
    signed_in_old_ways,
    signed_over_sha1,
    signed_with_an_old_certificate,
    with_two_tables,
)
from tests.pki.paper import paper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signing.types import FileVerdict
    from tests.pki import Pki

FIVE = (people.LEADER, people.SEAL, people.CLERK, people.SCANNER, people.LEADER_P256)


@pytest.fixture
def judge(pki: Pki, tmp_path: Path) -> Callable[..., FileVerdict]:
    def judged(content: bytes, trust: TrustStore | None = None) -> FileVerdict:
        file = tmp_path / "judged.pdf"
        file.write_bytes(content)
        return verify(file, trust=trust or pki.store())

    return judged


Judge = "Callable[..., FileVerdict]"


@pytest.mark.parametrize("encoding", [SigSeedSubFilter.ADOBE_PKCS7_DETACHED, SigSeedSubFilter.PADES])
def test_a_sha1_signature_is_unchanged_and_not_confirmed_for_its_algorithm(
    pki: Pki, judge: Judge, encoding: SigSeedSubFilter
) -> None:
    found = judge(signed_in_old_ways(pki, paper(), who=people.LEADER, digest="sha1", encoding=encoding))
    assert (found.verdict, found.integrity, found.kind) == (Verdict.UNCONFIRMED, Integrity.INTACT, Kind.FOREIGN)
    assert found.reasons == ("weak_algorithm",)
    (report,) = found.signatures
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE")
    assert (report.at_signing, report.time_source) == (AtSigning.UNKNOWN, TimeSource.CLAIMED)
    assert "không đổi từ khi ký" in words.sentence(found).reason


def test_a_weak_signature_of_a_stranger_is_told_as_both(pki: Pki, judge: Judge) -> None:
    found = judge(signed_in_old_ways(pki, paper(), who=people.LEADER, digest="sha1"), TrustStore(()))
    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert set(found.reasons) == {"weak_algorithm", "untrusted_issuer"}


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_a_signature_over_a_sha1_is_judged_and_its_integrity_told(pki: Pki, judge: Judge, digest: str) -> None:
    content = signed_over_sha1(pki, paper(), who=people.LEADER, digest=digest)
    found = judge(content)
    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert found.reasons == ("weak_algorithm",)
    assert found.signatures[0].encoding == "adbe.pkcs7.sha1"
    assert found.signatures[0].sub_indication == "CRYPTO_CONSTRAINTS_FAILURE"
    at = content.index(b"%PDF") + 7
    changed = judge(content[:at] + b"4" + content[at + 1 :])
    assert (changed.verdict, changed.reasons[0]) == (Verdict.ALTERED, "content_changed")
    assert changed.signatures[0].sub_indication == "HASH_FAILURE"


def test_of_five_signatures_each_is_valid_for_its_version(pki: Pki, judge: Judge) -> None:
    content = paper()
    for number, who in enumerate(FIVE, 1):
        content = signed_in_old_ways(pki, content, who=who, field=f"Signature{number}")
    found = judge(content)
    assert (found.verdict, found.kind) == (Verdict.GENUINE, Kind.FOREIGN)
    assert [report.signer for report in found.signatures] == [who.name for who in FIVE]
    assert [report.later for report in found.signatures] == [("signature",)] * 4 + [()]
    assert [report.covers_whole_file for report in found.signatures] == [False] * 4 + [True]
    assert [report.revision for report in found.signatures] == [2, 3, 4, 5, 6]


def test_with_two_tables_of_contents_what_was_signed_is_intact_and_the_rest_is_doubt(pki: Pki, judge: Judge) -> None:
    content = with_two_tables(paper())
    for number, who in enumerate(FIVE, 1):
        content = signed_in_old_ways(pki, content, who=who, field=f"Signature{number}")
    found = judge(content)
    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert found.reasons == ("irregular_structure",)
    assert len(found.signatures) == len(FIVE)
    changed = judge(content.replace(b"/MediaBox", b"/MediaBux", 1))
    assert changed.verdict is not Verdict.GENUINE
    assert changed.integrity is not Integrity.INTACT


def test_an_encoding_nobody_knows_is_doubt(pki: Pki, judge: Judge) -> None:
    content = signed_in_old_ways(pki, paper(), who=people.LEADER)
    found = judge(content.replace(b"/adbe.pkcs7.detached", b"/adbe.pkcs9.detached", 1))
    assert found.verdict is not Verdict.GENUINE
    assert Reason.UNSUPPORTED_SIGNATURE in found.reasons


# --- the oldest encoding: RSA over a SHA-1, no CMS around it ----------------------------------------------------------


def test_a_bare_rsa_signature_is_unchanged_and_its_algorithm_the_reason(pki: Pki, judge: Judge) -> None:
    found = judge(signed_bare(pki, paper(), who=people.LEADER))
    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert found.reasons == (Reason.WEAK_ALGORITHM,)
    (report,) = found.signatures
    assert report.signer == people.LEADER.name
    assert (report.encoding, report.algorithm) == ("adbe.x509.rsa_sha1", "sha1/rsassa_pkcs1v15")
    assert report.sub_indication == "CRYPTO_CONSTRAINTS_FAILURE"
    assert "không đổi từ khi ký" in words.sentence(found).reason


def test_a_bare_rsa_signature_of_nobody_we_trust_says_both(pki: Pki, judge: Judge) -> None:
    found = judge(signed_bare(pki, paper(), who=people.LEADER), TrustStore(()))
    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert set(found.reasons) == {Reason.WEAK_ALGORITHM, Reason.UNTRUSTED_ISSUER}


def test_a_changed_byte_under_a_bare_rsa_signature_is_altered(pki: Pki, judge: Judge) -> None:
    content = signed_bare(pki, paper(), who=people.LEADER)
    inside = judge(content.replace(b"/MediaBox", b"/MediaBux", 1))
    assert inside.verdict in (Verdict.ALTERED, Verdict.UNREADABLE)
    at = content.index(b"/ByteRange") - 5
    assert judge(content.replace(b"/CreationDate (D:2", b"/CreationDate (D:1", 1)).verdict is not Verdict.GENUINE
    assert judge(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]).verdict is not Verdict.GENUINE


def test_bytes_behind_a_bare_rsa_signature_are_altered(pki: Pki, judge: Judge) -> None:
    content = signed_bare(pki, paper(), who=people.LEADER)
    assert judge(content + b"% more").verdict is Verdict.ALTERED
    padding = re.search(rb"(0{40})>", content)
    assert padding is not None
    hidden = content[: padding.start(1)] + b"41" * 20 + content[padding.end(1) :]
    assert judge(hidden).verdict is Verdict.ALTERED


def test_the_signature_of_another_key_is_broken(pki: Pki, judge: Judge) -> None:
    others = pki.trust.certificate_der(people.SEAL.id)
    found = judge(signed_bare(pki, paper(), who=people.LEADER, certificates=[others]))
    assert found.verdict is Verdict.ALTERED
    assert found.reasons[0] == Reason.CONTENT_CHANGED, "nothing tells which of the two was changed"


def test_a_bare_signature_without_certificate_or_over_another_digest_is_doubt(pki: Pki, judge: Judge) -> None:
    without = judge(signed_bare(pki, paper(), who=people.LEADER, certificates=[]))
    assert (without.verdict, without.reasons) == (Verdict.UNCONFIRMED, (Reason.NO_CERTIFICATE,))
    other = judge(signed_bare(pki, paper(), who=people.LEADER, digest="sha256"))
    assert (other.verdict, other.reasons) == (Verdict.UNCONFIRMED, (Reason.UNSUPPORTED_SIGNATURE,))


@pytest.mark.parametrize("listed", [b"", b"\x30\x00", b"x" * 200])
def test_a_bare_signature_with_a_spoilt_certificate_is_never_accepted(pki: Pki, judge: Judge, listed: bytes) -> None:
    found = judge(signed_bare(pki, paper(), who=people.LEADER, certificates=[listed]))
    assert found.verdict not in (Verdict.GENUINE, Verdict.UNREADABLE)


def test_a_certificate_that_its_issuer_signed_with_sha1_is_unchanged_and_the_algorithm_the_reason(
    pki: Pki, judge: Judge
) -> None:
    found = judge(signed_with_an_old_certificate(pki, paper(), who=people.LEADER))
    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert found.reasons == (Reason.WEAK_ALGORITHM,)
    assert "không đổi từ khi ký" in words.sentence(found).reason
    nobody = judge(signed_with_an_old_certificate(pki, paper(), who=people.LEADER), TrustStore(()))
    assert (nobody.verdict, nobody.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert Reason.UNTRUSTED_ISSUER in nobody.reasons
