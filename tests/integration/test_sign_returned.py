"""A file comes back from the signer's own tool: taken when it is the one that was sent, signed, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter

from signing import prepare, returned
from signing.isolation import Judges
from signing.returned import Refusal
from signing.sign import sign
from signing.types import FIELD_NAMES, Integrity, Place, Reason, Verdict
from signing.verify import verify
from tests import desktop_tool as tool
from tests import foreign_tool
from tests.pki import LEADER, LEADER_P256, SEAL
from tests.pki.paper import LEADER_PLACE, SEAL_PLACE, paper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from signing.returned import Returned
    from tests.pki import Pki

#: Free of text on the test paper, and across its heading.
FREE, OVER_TEXT = (60, 100, 230, 130), (100, 740, 400, 800)


@dataclass(frozen=True)
class Desk:
    """A document that was sent out to be signed, and who is to sign it."""

    folder: Path
    sent: Path
    pki: Pki
    judges: Judges

    @property
    def pdf(self) -> bytes:
        return self.sent.read_bytes()

    def key(self, who: Any = LEADER, **choices: bool) -> Any:
        return self.pki.key(who, **choices)

    def back(self, pdf: bytes, *, of: Any = LEADER, place: Place = Place.LEADER) -> Returned:
        """What the office makes of it."""
        file = self.folder / f"{hashlib.sha256(pdf).hexdigest()}.pdf"
        file.write_bytes(pdf)
        expected = hashlib.sha256(self.key(of).certificate_der).hexdigest()
        found = returned.examine(self.sent, file, place=place, certificate_sha256=expected)
        in_the_room = self.judges.examine(self.sent, file, place=place, certificate_sha256=expected)
        assert in_the_room == found, "the same in and outside the closed room"
        return found


@pytest.fixture(scope="module")
def desk(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("returned")
    source, sent = folder / "source.pdf", folder / "sent.pdf"
    source.write_bytes(paper())
    prepare.add_fields(source, sent, [LEADER_PLACE, SEAL_PLACE])
    judges = Judges(1)
    yield Desk(folder, sent, pki, judges)
    judges.close()


# --- taken ------------------------------------------------------------------------------------------------------------

GOOD: dict[str, Callable[[Desk], bytes]] = {
    "our field, PAdES": lambda d: tool.signed(d.pdf, d.key()),
    "PKCS#1 v1.5": lambda d: tool.signed(d.pdf, d.key(prefer_pss=False)),
    "the older encoding": lambda d: tool.signed(
        d.pdf, d.key(prefer_pss=False), subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED
    ),
    "certified, more signatures allowed": lambda d: tool.signed(d.pdf, d.key(), certify=MDPPerm.FILL_FORMS),
    "with the tool's own timestamp": lambda d: tool.signed(d.pdf, d.key(), timestamper=d.pki.timestamper()),
    "with a document timestamp": lambda d: tool.stamped(tool.signed(d.pdf, d.key()), d.pki.timestamper()),
    "a field of the tool's own, clear of text": lambda d: tool.signed(d.pdf, d.key(), own_field=FREE),
    "an invisible field of its own": lambda d: tool.signed(d.pdf, d.key(), own_field=(0, 0, 0, 0)),
}


@pytest.mark.parametrize("how", GOOD)
def test_an_honest_tools_file_is_taken(desk: Desk, how: str) -> None:
    found = desk.back(GOOD[how](desk))

    assert found.refusal is None
    assert found.signer == LEADER.name
    assert found.own_field is (found.field != FIELD_NAMES[Place.LEADER])


def test_an_elliptic_curve_is_taken(desk: Desk) -> None:
    assert desk.back(tool.signed(desk.pdf, desk.key(LEADER_P256)), of=LEADER_P256).refusal is None


@pytest.mark.parametrize("how", GOOD)
def test_what_was_taken_can_be_sealed_and_is_genuine(desk: Desk, how: str, tmp_path: Path) -> None:
    pdf = GOOD[how](desk)
    if "timestamp" not in how:
        pdf = tool.stamped(pdf, desk.pki.timestamper())  # its proof of time, as the signing job would add it
    signed, sealed = tmp_path / "signed.pdf", tmp_path / "sealed.pdf"
    signed.write_bytes(pdf)
    sign(
        signed,
        sealed,
        place=SEAL_PLACE,
        key=desk.key(SEAL),
        trust=desk.pki.store(),
        timestamper=desk.pki.timestamper(),
    )

    verdict = verify(sealed, trust=desk.pki.store())

    assert (verdict.verdict, verdict.reasons) == (Verdict.GENUINE, ())
    assert [s.field for s in verdict.signatures] == [FIELD_NAMES[Place.LEADER], FIELD_NAMES[Place.SEAL]]


def test_the_seal_keepers_tool_is_judged_the_same_way(desk: Desk, tmp_path: Path) -> None:
    sent = tmp_path / "sent.pdf"
    sent.write_bytes(tool.stamped(tool.signed(desk.pdf, desk.key()), desk.pki.timestamper()))
    then = Desk(tmp_path, sent, desk.pki, desk.judges)

    taken = then.back(tool.signed(then.pdf, then.key(SEAL), place=Place.SEAL), of=SEAL, place=Place.SEAL)
    own_field = then.back(tool.signed(then.pdf, then.key(SEAL), own_field=FREE), of=SEAL, place=Place.SEAL)

    assert taken.refusal is None
    assert own_field.refusal is Refusal.WRONG_FIELD, "a seal anywhere else isn't seen as one"


# --- refused ----------------------------------------------------------------------------------------------------------

BAD: dict[str, tuple[Refusal, Callable[[Desk], bytes]]] = {
    "the unsigned file again": (Refusal.UNSIGNED, lambda d: d.pdf),
    "edited and unsigned": (Refusal.UNSIGNED, lambda d: tool.edited(d.pdf)),
    "nothing": (Refusal.NOT_A_PDF, lambda _: b""),
    "no PDF": (Refusal.NOT_A_PDF, lambda _: b"<html>502 Bad Gateway</html>" * 99),
    "half of the sent file": (Refusal.CUT_SHORT, lambda d: d.pdf[: len(d.pdf) // 2]),
    "broken off in the signature": (Refusal.DAMAGED, lambda d: tool.signed(d.pdf, d.key())[:-20_000]),
    "junk after it": (Refusal.ADDED_AFTERWARDS, lambda d: tool.signed(d.pdf, d.key()) + b"\n1 0 obj << >> endobj\n"),
    "another document": (Refusal.ANOTHER_DOCUMENT, lambda d: tool.signed(tool.another(d.pdf), d.key())),
    "saved anew, then signed": (Refusal.REWRITTEN, lambda d: tool.signed(tool.rewritten(d.pdf), d.key())),
    "edited, then signed": (Refusal.CONTENT_CHANGED, lambda d: tool.signed(tool.edited(d.pdf), d.key())),
    "edited while it was signed": (
        Refusal.CONTENT_CHANGED,
        lambda d: tool.edited_while_signing(d.pdf, d.key()),
    ),
    "signed, then edited": (Refusal.ADDED_AFTERWARDS, lambda d: tool.edited(tool.signed(d.pdf, d.key()))),
    "another certificate": (Refusal.ANOTHER_CERTIFICATE, lambda d: tool.signed(d.pdf, d.key(SEAL))),
    "signed twice": (
        Refusal.SEVERAL_SIGNATURES,
        lambda d: tool.signed(tool.signed(d.pdf, d.key(), own_field=FREE), d.key()),
    ),
    "the seal's field": (Refusal.WRONG_FIELD, lambda d: tool.signed(d.pdf, d.key(), place=Place.SEAL)),
    "a field over the text": (Refusal.COVERS_TEXT, lambda d: tool.signed(d.pdf, d.key(), own_field=OVER_TEXT)),
    "certified, no more allowed": (
        Refusal.LOCKS_DOCUMENT,
        lambda d: tool.signed(d.pdf, d.key(), certify=MDPPerm.NO_CHANGES),
    ),
    "every field locked": (
        Refusal.LOCKS_DOCUMENT,
        lambda d: tool.signed(d.pdf, d.key(), own_field=FREE, lock_all=True),
    ),
    "SHA-1": (Refusal.WEAK_ALGORITHM, lambda d: tool.signed_loosely(d.pdf, d.key(prefer_pss=False), digest="sha1")),
    "no link to its certificate": (
        Refusal.UNBOUND_CERTIFICATE,
        lambda d: tool.signed_loosely(d.pdf, d.key(prefer_pss=False), link=""),
    ),
    "a link to another certificate": (
        Refusal.BROKEN_SIGNATURE,
        lambda d: tool.signed_loosely(d.pdf, d.key(prefer_pss=False), link="another"),
    ),
    "a signature of other bytes": (
        Refusal.BROKEN_SIGNATURE,
        lambda d: tool.signed_loosely(d.pdf, d.key(prefer_pss=False), of=b"other bytes"),
    ),
    "only part of it signed": (
        Refusal.PARTLY_SIGNED,
        lambda d: tool.signed_loosely(d.pdf, d.key(prefer_pss=False), partly=True),
    ),
}


@pytest.mark.parametrize("how", BAD)
def test_a_misbehaving_tools_file_is_refused_with_its_reason(desk: Desk, how: str) -> None:
    refusal, made = BAD[how]

    assert desk.back(made(desk)).refusal is refusal


def test_who_signed_instead_is_named(desk: Desk) -> None:
    assert desk.back(tool.signed(desk.pdf, desk.key(SEAL))).signer == SEAL.name


def test_a_signature_in_a_tools_own_field_after_the_seal_is_nobodys(desk: Desk, tmp_path: Path) -> None:
    sealed = tmp_path / "sealed.pdf"
    sealed.write_bytes(tool.signed(tool.signed(desk.pdf, desk.key(SEAL), place=Place.SEAL), desk.key(), own_field=FREE))

    verdict = verify(sealed, trust=desk.pki.store())

    assert verdict.verdict is Verdict.ALTERED
    assert Reason.CHANGED_AFTER_SEAL in verdict.reasons
    assert "leader" in verdict.missing


def test_another_makers_tool_is_taken_with_a_field_of_its_own(desk: Desk, tmp_path: Path) -> None:
    back = tmp_path / "back.pdf"
    p12, passphrase = desk.pki.trust.p12(LEADER.id)
    foreign_tool.signed(desk.sent, back, p12=p12, passphrase=passphrase)

    found = desk.back(back.read_bytes())

    assert (found.refusal, found.own_field, found.signer) == (None, True, LEADER.name)


def test_a_tool_that_moves_the_prepared_field_out_of_sight_is_told_so(desk: Desk, tmp_path: Path) -> None:
    back = tmp_path / "back.pdf"
    p12, passphrase = desk.pki.trust.p12(LEADER.id)
    foreign_tool.signed(desk.sent, back, p12=p12, passphrase=passphrase, field=FIELD_NAMES[Place.LEADER])

    assert desk.back(back.read_bytes()).refusal is Refusal.MOVED_FIELD


@pytest.fixture(scope="module")
def honest(desk: Desk) -> bytes:
    return tool.signed(desk.pdf, desk.key())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_comes_back_there_is_an_answer_and_what_is_taken_is_whole(
    desk: Desk, honest: bytes, data: st.DataObject
) -> None:
    whole = bytearray(honest)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(len(desk.pdf), len(whole) - 1))] = data.draw(st.integers(0, 255))
    pdf = bytes(whole[: data.draw(st.integers(0, len(whole)))])

    found = desk.back(pdf)

    if found.refusal is None:
        file = desk.folder / f"{hashlib.sha256(pdf).hexdigest()}.pdf"
        assert verify(file, trust=desk.pki.store()).integrity is Integrity.INTACT
        assert found.signer == LEADER.name
