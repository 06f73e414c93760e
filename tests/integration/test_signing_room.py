"""Room in a signature for what comes later: no more than it takes, and nothing is lost where it is too little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from signing import embedded, prepare, room, sign
from signing.augment import augment
from signing.types import Place, Verdict
from signing.verify import verify
from tests.pki import LEADER, SEAL
from tests.pki.paper import LEADER_PLACE, SEAL_PLACE, paper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pki import Pki


@pytest.fixture(autouse=True)
def _nothing_learnt() -> Iterator[None]:
    room.forget()
    yield
    room.forget()


def _made(pki: Pki, folder: Path) -> Path:
    source, fielded, made = (folder / f"{name}.pdf" for name in ("source", "fielded", "made"))
    source.write_bytes(paper())
    prepare.add_fields(source, fielded, [LEADER_PLACE, SEAL_PLACE])
    sign.make(fielded, made, place=LEADER_PLACE, key=pki.key(LEADER), trust=pki.store())
    return made


def _sealed(pki: Pki, folder: Path) -> Path:
    stamped, sealed = folder / "stamped.pdf", folder / "sealed.pdf"
    trust, timestamper = pki.store(), pki.timestamper()
    augment(_made(pki, folder), stamped, place=Place.LEADER, trust=trust, timestamper=timestamper)
    sign.sign(stamped, sealed, place=SEAL_PLACE, key=pki.key(SEAL), trust=trust, timestamper=timestamper)
    return sealed


def test_after_the_first_answer_less_room_is_kept_and_everything_fits(pki: Pki, tmp_path: Path) -> None:
    sealed = _sealed(pki, tmp_path)
    with sealed.open("rb") as file:
        there = embedded.read(file)
    leader, seal = (len(one.content) for one in there.signed)
    (stamp,) = there.stamps
    assert 2 * leader == room.AMPLE
    assert seal < leader
    assert len(stamp.content) < seal
    found = verify(sealed, trust=pki.store())
    assert found.verdict is Verdict.GENUINE
    assert all(one.timestamp for one in found.signatures)


def test_a_signature_without_room_for_its_timestamp_is_proven_by_a_document_timestamp(pki: Pki, tmp_path: Path) -> None:
    room.learn(1)  # as if authorities answered with next to nothing
    made, stamped, timestamper = _made(pki, tmp_path), tmp_path / "stamped.pdf", pki.timestamper()
    reached = augment(made, stamped, place=Place.LEADER, trust=pki.store(), timestamper=timestamper)
    assert reached.level == "B-LTA"
    assert reached.timestamp is None
    found = verify(stamped, trust=pki.store())
    assert [one.verdict for one in found.signatures] == [Verdict.GENUINE]


def test_a_document_timestamp_that_outgrows_its_room_is_made_once_more(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fielded, sealed, timestamper = tmp_path / "fielded.pdf", tmp_path / "sealed.pdf", pki.timestamper()
    (tmp_path / "source.pdf").write_bytes(paper())
    prepare.add_fields(tmp_path / "source.pdf", fielded, [SEAL_PLACE])
    monkeypatch.setattr(room, "for_timestamp", lambda: 2048)  # the fault: an authority suddenly says far more
    sign.sign(fielded, sealed, place=SEAL_PLACE, key=pki.key(SEAL), trust=pki.store(), timestamper=timestamper)
    assert len(timestamper.tokens) == 3  # the signature's, one that found no room, and the one that stands
    with sealed.open("rb") as file:
        (stamp,) = embedded.read(file).stamps
    assert 2 * len(stamp.content) == room.AMPLE
    assert verify(sealed, trust=pki.store()).signatures[0].verdict is Verdict.GENUINE
