"""A result across two renewals, with the clock moved: three timestamp authorities, each ended before the next began."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pikepdf
import pytest

from signing import prepare
from signing.renew import evidence_of, renew
from signing.sign import sign
from signing.trust import TrustStore
from signing.types import SigningRefused, Verdict
from signing.verify import verify
from tests.pdfbox import judged
from tests.pki import LEADER_P256, SEAL, running_pki
from tests.pki.paper import LEADER_PLACE, SEAL_PLACE, paper
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from signing.timestamp import Timestamper
    from tests.pki import Pki

_NOW = datetime.now(UTC).replace(microsecond=0)
_DAY = timedelta(days=1)
_CA_LIFE = 3650 * _DAY
#: When each generation of authorities ends, seen from today.
_ENDS = (50 * _DAY, 650 * _DAY, 2900 * _DAY)
_FIRST_RENEWAL, _SECOND_RENEWAL = _NOW + 40 * _DAY, _NOW + 640 * _DAY


@dataclass(frozen=True)
class Age:
    """Three generations of trust services."""

    generations: tuple[Pki, ...]

    def store(self, at: datetime) -> TrustStore:
        """What an office trusts at that moment, with lists of that day from those that still make any."""
        whole = [one.store() for one in self.generations]
        alive = [one.store(at=at) for one, ends in zip(self.generations, _ENDS, strict=True) if at < _NOW + ends]
        return TrustStore(
            anchors=tuple(der for one in whole for der in one.anchors),
            intermediates=tuple(der for one in whole for der in one.intermediates),
            crls=tuple(der for one in alive for der in one.crls),
        )

    def timestamper(self, generation: int, at: datetime) -> Timestamper:
        return self.generations[generation].timestamper(at=at)


@pytest.fixture(scope="module")
def age(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Age]:
    people = [
        replace(who, valid_from=_NOW - 10 * _DAY, valid_to=_NOW + 45 * _DAY, key="p-256") for who in (LEADER_P256, SEAL)
    ]
    with ExitStack() as running:
        yield Age(
            tuple(
                running.enter_context(
                    running_pki(
                        tmp_path_factory.mktemp(f"pki-{number}"),
                        people if number == 0 else [],
                        valid_from=_NOW + ends - _CA_LIFE,
                        organization=f"Dịch vụ thế hệ {number + 1}",
                    )
                )
                for number, ends in enumerate(_ENDS)
            )
        )


@pytest.fixture(scope="module")
def sealed(age: Age, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    source, fielded, signed, done = (folder / f"{step}.pdf" for step in "abcd")
    source.write_bytes(paper())
    prepare.add_fields(source, fielded, [LEADER_PLACE, SEAL_PLACE])
    first = age.generations[0]
    given = {"trust": age.store(_NOW), "at": _NOW}
    sign(
        fielded,
        signed,
        place=LEADER_PLACE,
        key=first.key(LEADER_P256),
        timestamper=age.timestamper(0, _NOW),
        **given,  # type: ignore[arg-type]
    )
    sign(
        signed,
        done,
        place=SEAL_PLACE,
        key=first.key(SEAL),
        timestamper=age.timestamper(0, _NOW),
        **given,  # type: ignore[arg-type]
    )
    return done


def at_the_second(age: Age, sealed: Path, folder: Path) -> tuple[Path, Path]:
    once, twice = folder / "once.pdf", folder / "twice.pdf"
    renew(
        sealed,
        once,
        trust=age.store(_FIRST_RENEWAL),
        timestamper=age.timestamper(1, _FIRST_RENEWAL),
        at=_FIRST_RENEWAL,
    )
    renew(
        once,
        twice,
        trust=age.store(_SECOND_RENEWAL),
        timestamper=age.timestamper(2, _SECOND_RENEWAL),
        at=_SECOND_RENEWAL,
    )
    return once, twice


def test_a_result_is_genuine_years_later_across_two_renewals(age: Age, sealed: Path, tmp_path: Path) -> None:
    once, twice = at_the_second(age, sealed, tmp_path)

    assert sealed.read_bytes() == once.read_bytes()[: sealed.stat().st_size]
    assert once.read_bytes() == twice.read_bytes()[: once.stat().st_size]

    def judged_after(days: int, *files: Path) -> list[Verdict]:
        at = _NOW + days * _DAY
        return [verify(file, trust=age.store(at), at=at).verdict for file in files]

    assert judged_after(60, sealed, once) == [Verdict.UNCONFIRMED, Verdict.GENUINE]
    assert judged_after(700, once, twice) == [Verdict.UNCONFIRMED, Verdict.GENUINE]
    last = _NOW + 2000 * _DAY
    found = verify(twice, trust=age.store(last), at=last)
    assert found.verdict is Verdict.GENUINE, found.reasons
    assert all(s.timestamp == _NOW for s in found.signatures)
    assert_pdfa(twice, flavour="2a")
    assert [one.good for one in judged(twice)] == [True] * 5


def test_how_long_evidence_lasts_is_read_from_the_newest_timestamp(age: Age, sealed: Path, tmp_path: Path) -> None:
    once, twice = at_the_second(age, sealed, tmp_path)
    ends = [evidence_of(file, age.store(_NOW), at=_NOW).ends for file in (sealed, once)]
    ends.append(evidence_of(twice, age.store(_SECOND_RENEWAL), at=_SECOND_RENEWAL).ends)
    assert ends == [_NOW + end for end in _ENDS]


def test_what_doesnt_verify_is_not_renewed(age: Age, sealed: Path, tmp_path: Path) -> None:
    broken, target = tmp_path / "broken.pdf", tmp_path / "target.pdf"
    content = bytearray(sealed.read_bytes())
    content[content.index(b"/Type /Catalog") + 2] ^= 1
    broken.write_bytes(content)
    stamper = age.timestamper(1, _FIRST_RENEWAL)
    with pytest.raises(SigningRefused) as refused:
        renew(broken, target, trust=age.store(_FIRST_RENEWAL), timestamper=stamper, at=_FIRST_RENEWAL)
    assert refused.value.reason == "not_genuine"
    assert not stamper.tokens
    assert not list(tmp_path.glob("*target*"))


def test_too_late_is_too_late(age: Age, sealed: Path, tmp_path: Path) -> None:
    late = _NOW + 60 * _DAY
    with pytest.raises(SigningRefused) as refused:
        renew(sealed, tmp_path / "t.pdf", trust=age.store(late), timestamper=age.timestamper(1, late), at=late)
    assert refused.value.reason == "not_genuine"


def test_a_timestamp_that_ends_no_later_renews_nothing(age: Age, sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(SigningRefused) as refused:
        renew(
            sealed,
            tmp_path / "t.pdf",
            trust=age.store(_FIRST_RENEWAL),
            timestamper=age.timestamper(0, _FIRST_RENEWAL),
            at=_FIRST_RENEWAL,
        )
    assert refused.value.reason == "not_prolonged"


def test_nothing_but_evidence_is_added(age: Age, sealed: Path, tmp_path: Path) -> None:
    _, twice = at_the_second(age, sealed, tmp_path)
    with pikepdf.open(sealed) as before, pikepdf.open(twice) as after:
        assert len(before.pages) == len(after.pages)
        kinds = [str(field.V.get("/Type", "/Sig")) for field in after.Root.AcroForm.Fields if "/V" in field]
        assert sorted(kinds) == ["/DocTimeStamp"] * 3 + ["/Sig"] * 2
