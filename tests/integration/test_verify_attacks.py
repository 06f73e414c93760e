"""Every class of attack that we know of: none is accepted, none crashes, each gets a reason. See docs/attacks.md.

Every file is judged here and in a closed room, with the same verdict: whatever a library would load late, or take of
memory, shows as a difference.
"""

from __future__ import annotations

import time
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING
from unittest.mock import ANY

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import DummyTimeStamper

from signing.isolation import Judges
from signing.types import Integrity, Verdict
from signing.verify import verify
from tests import attacks
from tests import pki as people
from tests.attack_chains import BROKEN, TIMESTAMPING_ONLY, Chain, made
from tests.pki.paper import paper
from tests.signed_files import issued, signed_by_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from signing.trust import TrustStore
    from signing.types import FileVerdict
    from tests.pki import Pki

Judge = "Callable[..., FileVerdict]"
#: Far above what any of these takes, far below what would keep others waiting.
_MOST_CPU_S = 8.0
_BAD = {Verdict.ALTERED, Verdict.UNREADABLE}


@pytest.fixture(scope="module")
def good(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An issued e-result."""
    return issued(pki, tmp_path_factory.mktemp("good")).read_bytes()


@pytest.fixture(scope="module")
def trust(pki: Pki) -> TrustStore:
    return pki.store()


@pytest.fixture(scope="module")
def judges() -> Iterator[Judges]:
    room = Judges(1)
    yield room
    room.close()


@pytest.fixture
def judge(judges: Judges, trust: TrustStore, tmp_path: Path) -> Callable[..., FileVerdict]:
    """Judge bytes, here and in a closed room."""

    def judged(content: bytes, known: TrustStore | None = None) -> FileVerdict:
        file = tmp_path / "judged.pdf"
        file.write_bytes(content)
        began = time.process_time()
        found = verify(file, trust=known or trust)
        assert time.process_time() - began < _MOST_CPU_S
        assert judges.verify(file, trust=known or trust, at=found.detail["checked_at"]) == replace(found, detail=ANY)
        return found

    return judged


@pytest.mark.parametrize("change", attacks.AFTER)
def test_no_update_after_the_seal_is_accepted(good: bytes, judge: Judge, change: str) -> None:
    found = judge(attacks.updated(good, attacks.AFTER[change]))
    assert found.verdict in _BAD
    assert found.integrity is not Integrity.INTACT
    assert found.reasons


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("swapped_page", "pages"),
        ("removed_page", "pages"),
        ("cropped_page", "page_content"),
        ("layer_over_the_page", "layers"),
        ("stamp_over_the_page", "annotations"),
        ("text_field_over_the_page", "fields"),
        ("xfa", "fields"),
        ("javascript_by_name", "scripts"),
        ("javascript_on_the_page", "scripts"),
        ("attached_file", "attachments"),
    ],
)
def test_what_was_changed_is_told_with_its_revision(good: bytes, judge: Judge, change: str, kind: str) -> None:
    found = judge(attacks.updated(good, attacks.AFTER[change]))
    told = next(report for report in found.signatures if report.changed_in)
    assert kind in told.later
    assert told.changed_in == found.detail["revisions"]


@pytest.mark.parametrize("change", attacks.BYTES)
def test_no_trick_with_bytes_and_structure_is_accepted(good: bytes, judge: Judge, change: str) -> None:
    found = judge(attacks.BYTES[change](good))
    assert found.verdict not in {Verdict.GENUINE, Verdict.UNSIGNED}
    assert found.reasons


def test_a_file_that_names_thousands_of_signatures_is_not_hashed_thousands_of_times(good: bytes, judge: Judge) -> None:
    assert judge(attacks.thousands_of_ranges(good)).reasons == ("too_complex",)


@pytest.mark.parametrize("change", attacks.CMS)
def test_no_trick_with_the_signature_itself_is_accepted(pki: Pki, judge: Judge, tmp_path: Path, change: str) -> None:
    signed = signed_by_hand(pki, paper(), tmp_path / "a.pdf", who=people.LEADER).read_bytes()
    assert judge(signed).verdict is Verdict.GENUINE
    found = judge(attacks.resigned(signed, attacks.CMS[change]))
    assert found.verdict not in {Verdict.GENUINE, Verdict.UNSIGNED}
    assert found.reasons


@pytest.mark.parametrize("name", attacks.SHADOWS)
def test_a_document_prepared_to_change_its_face_is_found_out_when_it_does(
    pki: Pki, judge: Judge, tmp_path: Path, name: str
) -> None:
    def sign(content: bytes) -> bytes:
        return signed_by_hand(pki, content, tmp_path / "a.pdf", who=people.LEADER).read_bytes()

    signed, changed = attacks.shadow(paper(), name, sign)
    assert judge(signed).verdict is Verdict.GENUINE  # nothing has been done yet
    found = judge(changed)
    assert (found.verdict, found.integrity) == (Verdict.ALTERED, Integrity.ALTERED)


def test_a_chain_in_order_is_genuine(judge: Judge) -> None:
    signer, known = made(Chain())
    assert judge(_signed(signer), known).verdict is Verdict.GENUINE


@pytest.mark.parametrize("rule", BROKEN)
def test_no_chain_that_breaks_a_rule_is_accepted(judge: Judge, rule: str) -> None:
    signer, known = made(BROKEN[rule])
    found = judge(_signed(signer), known)
    assert (found.verdict, found.integrity) == (Verdict.UNCONFIRMED, Integrity.INTACT)
    assert found.reasons


def test_a_certificate_for_timestamps_alone_signs_nothing(judge: Judge) -> None:
    signer, known = made(TIMESTAMPING_ONLY)
    assert judge(_signed(signer), known).verdict is Verdict.UNCONFIRMED


def test_a_timestamp_by_a_key_that_may_not_give_any_proves_nothing(judge: Judge) -> None:
    signer, known = made(Chain(leaf_key=lambda: rsa.generate_private_key(65537, 2048)))
    forger = DummyTimeStamper(tsa_cert=signer.signing_cert, tsa_key=signer.signing_key)
    found = judge(_signed(signer, forger), known)
    assert (found.verdict, found.reasons) == (Verdict.UNCONFIRMED, ("untrusted_timestamp",))


def test_a_timestamp_dated_back_before_its_authority_existed_proves_nothing(pki: Pki, judge: Judge) -> None:
    signer, known = made(Chain())
    backdated = pki.timestamper(at=people._NOW.replace(year=people._NOW.year - 5))
    found = judge(_signed(signer, backdated), known)
    assert found.verdict is Verdict.UNCONFIRMED
    assert found.signatures[0].timestamp is None


def _signed(signer: SimpleSigner, timestamper: object = None) -> bytes:
    metadata = PdfSignatureMetadata(field_name="Signature1", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    hand = PdfSigner(metadata, signer, timestamper=timestamper, new_field_spec=SigFieldSpec("Signature1"))  # type: ignore[arg-type]
    return bytes(hand.sign_pdf(IncrementalPdfFileWriter(BytesIO(paper()))).getbuffer())
