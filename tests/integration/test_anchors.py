"""Nobody makes an authority count alone: one administrator adds, a second compares the fingerprint, nothing is lost."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from api import cli, sign_in
from api.commands import admin, trust_admin
from api.settings import Mode, Settings
from dossiers import administration, anchors
from dossiers.anchors import AnchorState, FingerprintDiffers, NoAuthority
from dossiers.signatures import trusted
from dossiers.types import Account, Actor, Duplicate, Incomplete, NotAllowed, Role, WrongState
from signing.certificates import NotACertificate, facts, grouped, read_one, typed_fingerprint
from signing.types import StoreName
from storage.database import Database
from tests.office import lent
from tests.pki import LEADER, WEAK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.office import Office
    from tests.pki import Pki

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST = Actor(uuid.uuid4(), "quantri", "Ngô Minh Khoa", "TT", frozenset({Role.ADMINISTRATOR}))
SECOND = Actor(uuid.uuid4(), "quantri2", "Đỗ Thu Hà", "TT", frozenset({Role.ADMINISTRATOR}))
LEADS = Actor(uuid.uuid4(), "lanhdao", "Trần Thị Bình", "TT", frozenset({Role.LEADER}))


@pytest.fixture
def database(migrated_dsn: str) -> Iterator[Database]:
    database = Database(migrated_dsn)
    yield database
    database.close()


def propose(database: Database, der: bytes, **choices: object) -> anchors.TrustAnchor:
    given = {"store": StoreName.NEAC, "reason": "tải từ neac.gov.vn", "by": FIRST, "now": NOW} | choices
    return anchors.propose(database.begin, der, **given)  # type: ignore[arg-type]


def counting(database: Database, at: datetime = NOW) -> tuple[bytes, ...]:
    with database.begin() as work:
        return trusted(work).vouching(at)


def test_an_anchor_counts_only_after_a_second_administrator_confirmed_its_fingerprint(
    database: Database, pki: Pki
) -> None:
    anchor = propose(database, pki.trust.anchor_der)
    assert counting(database) == ()
    with pytest.raises(NotAllowed):
        anchors.confirm(database.begin, anchor.id, fingerprint=anchor.sha256, by=FIRST, now=NOW)
    with pytest.raises(NotAllowed):
        anchors.confirm(database.begin, anchor.id, fingerprint=anchor.sha256, by=LEADS, now=NOW)
    for wrong in ("", anchor.sha256[:40], facts(pki.trust.intermediates_der[0]).sha256):
        with pytest.raises(FingerprintDiffers):
            anchors.confirm(database.begin, anchor.id, fingerprint=wrong, by=SECOND, now=NOW)
    assert counting(database) == ()

    typed = grouped(anchor.sha256)
    confirmed = anchors.confirm(database.begin, anchor.id, fingerprint=typed, by=SECOND, now=NOW + DAY)
    assert counting(database) == (pki.trust.anchor_der,)
    assert (confirmed.proposed_by, confirmed.confirmed_by, confirmed.confirmed_at) == ("quantri", "quantri2", NOW + DAY)
    with pytest.raises(WrongState):
        anchors.confirm(database.begin, anchor.id, fingerprint=typed, by=SECOND, now=NOW)
    with database.begin() as work:
        assert trusted(work).store_of(pki.trust.anchor_der) is StoreName.NEAC
        told = [(entry.actor, entry.event) for entry in work.audit.of(anchor.id)]
    assert told == [
        ("quantri", "anchor.proposed"),
        *[("quantri2", "anchor.fingerprint_differs")] * 3,
        ("quantri2", "anchor.confirmed"),
    ]


def test_an_intermediate_may_be_an_anchor_and_whoever_is_no_authority_may_not(database: Database, pki: Pki) -> None:
    assert propose(database, pki.trust.intermediates_der[0]).facts.is_authority
    for der in (pki.trust.certificate_der(LEADER.id), pki.trust.certificate_der(WEAK.id), b"", b"0\x80", b"x" * 500):
        with pytest.raises(NoAuthority):
            propose(database, der)
    with pytest.raises(NotAllowed):
        propose(database, pki.trust.anchor_der, by=LEADS)
    for lacking in ({"reason": " "}, {"trusted_from": NOW, "trusted_to": NOW}):
        with pytest.raises(Incomplete):
            propose(database, pki.trust.anchor_der, **lacking)


def test_one_decision_at_a_time_is_taken_about_a_certificate_and_none_is_ever_deleted(
    database: Database, pki: Pki
) -> None:
    first = propose(database, pki.trust.anchor_der)
    with pytest.raises(Duplicate):
        propose(database, pki.trust.anchor_der, by=SECOND)
    refused = anchors.end(database.begin, first.id, reason="nhầm tệp", by=FIRST, now=NOW)
    assert refused.state is AnchorState.REFUSED
    with pytest.raises(WrongState):
        anchors.confirm(database.begin, first.id, fingerprint=first.sha256, by=SECOND, now=NOW)
    with pytest.raises(WrongState):
        anchors.end(database.begin, first.id, reason="lần nữa", by=SECOND, now=NOW)

    second = propose(database, pki.trust.anchor_der, by=SECOND, store=StoreName.CIPHER)
    anchors.confirm(database.begin, second.id, fingerprint=first.sha256, by=FIRST, now=NOW)
    with pytest.raises(Incomplete):
        anchors.end(database.begin, second.id, reason="", by=FIRST, now=NOW)
    retired = anchors.end(database.begin, second.id, reason="hết dùng", at=NOW + 9 * DAY, by=FIRST, now=NOW)
    assert counting(database, NOW + 8 * DAY) == (pki.trust.anchor_der,)
    assert counting(database, NOW + 9 * DAY) == ()
    assert not retired.counts(NOW + 9 * DAY)

    # An end may come nearer, or turn out worse; it never moves away.
    for later in (9, 20):
        with pytest.raises(WrongState):
            anchors.end(database.begin, second.id, reason="gia hạn", at=NOW + later * DAY, by=FIRST, now=NOW)
    nearer = anchors.end(database.begin, second.id, reason="lộ khóa", at=NOW + DAY, broken=True, by=FIRST, now=NOW)
    assert (nearer.trusted_to, nearer.broken) == (NOW + DAY, True)

    third = propose(database, pki.trust.anchor_der, now=NOW + DAY)
    assert [a.id for a in anchors.every(database.begin)] == [second.id, third.id, first.id]  # "cipher", then "neac"


def test_a_fingerprint_is_understood_however_it_is_printed(pki: Pki) -> None:
    sha256 = facts(pki.trust.anchor_der).sha256
    pairs = ":".join(sha256[at : at + 2] for at in range(0, 64, 2)).upper()
    for written in (sha256, grouped(sha256), pairs, f"SHA256={pairs}", f" {sha256[:32]}\n{sha256[32:]} "):
        assert typed_fingerprint(written) == sha256
    for written in ("", sha256[:-1], sha256 + "0", "g" * 64, "SHA1 " + sha256[:40]):
        assert typed_fingerprint(written) == ""


def test_a_file_that_is_no_single_certificate_is_named_with_its_reason(pki: Pki) -> None:
    pem = load_der_x509_certificate(pki.trust.anchor_der).public_bytes(Encoding.PEM)
    assert read_one(pem, name="goc.pem") == read_one(pki.trust.anchor_der, name="goc.cer") == pki.trust.anchor_der
    bad = {
        "hai.pem": (pem * 2, "2 chứng thư"),
        "trang.html": (b"<html>404</html>", "không phải chứng thư"),
        "khoa.pem": (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "không chứa chứng thư"),
        "dut.pem": (pem[:200], "dut.pem"),
        "to.bin": (b"\x30" * 100_000, "quá lớn"),
    }
    for name, (content, why) in bad.items():
        with pytest.raises(NotACertificate, match=why) as refused:
            read_one(content, name=name)
        assert name in str(refused.value)


# --- at the command line ---------------------------------------------------------------------------------------------


@pytest.fixture
def console(own_office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a password file of each of two administrators, and the anchor's file."""
    monkeypatch.setattr(admin, "wire", lambda: lent(own_office.services))
    agency = next(iter(anchors_agencies(own_office)))
    for name in ("quantri-a", "quantri-b"):
        password = tmp_path / f"{name}.pass"
        password.write_text(f"mat khau cua {name}")
        password.chmod(0o600)
        account = Account(
            uuid.uuid4(),
            name,
            "Quản Trị",
            agency,
            frozenset({Role.ADMINISTRATOR}),
            sign_in.hash_password(password.read_text()),
        )
        administration.keep_accounts(own_office.services.begin, [account])
    return tmp_path


def anchors_agencies(office: Office) -> list[str]:
    with office.services.begin() as work:
        return [agency.code for agency in work.agencies.all()]


def hoso(console: Path, *words: str, by: str = "") -> int:
    signed = ["--as", by, "--password-file", str(console / f"{by}.pass")] if by else []
    return cli.main(["admin", "trust", *words, *signed])


def test_two_people_at_one_console_add_confirm_and_retire_an_anchor(
    console: Path, pki: Pki, capsys: pytest.CaptureFixture[str]
) -> None:
    file, sha256 = console / "issuing.cer", facts(pki.trust.intermediates_der[0]).sha256
    file.write_bytes(pki.trust.intermediates_der[0])
    added = hoso(console, "add", str(file), "--store", "cipher", "--reason", "theo công văn", by="quantri-a")
    told = capsys.readouterr()
    assert added == 0, told.err
    assert "CHƯA được tin" in told.out
    assert grouped(sha256) in told.out

    assert hoso(console, "confirm", sha256[:16], "--fingerprint", sha256, by="quantri-a") == 1
    assert "Tài khoản của bạn không được" in capsys.readouterr().err
    assert hoso(console, "confirm", sha256[:16], "--fingerprint", "0" * 64, by="quantri-b") == 1
    assert "không khớp" in capsys.readouterr().err
    (console / "quantri-b.pass").write_text("sai")
    assert hoso(console, "confirm", sha256[:16], "--fingerprint", sha256, by="quantri-b") == 1
    (console / "quantri-b.pass").write_text("mat khau cua quantri-b")
    assert hoso(console, "confirm", sha256[:16], "--file", str(file), by="quantri-b") == 0

    assert hoso(console, "list") == 0
    assert "được tin" in capsys.readouterr().out
    assert hoso(console, "retire", sha256[:16], "--reason", "hết dùng", "--at", "31/12/2099", by="quantri-a") == 0
    assert hoso(console, "show", sha256[:16]) == 0
    shown = capsys.readouterr().out
    for said in ("31/12/2099", "theo công văn", "hết dùng", "quantri-a", "quantri-b", grouped(sha256)):
        assert said in shown
    assert hoso(console, "show", "ffffffffffff") == 1


def test_production_refuses_a_demo_anchor_and_a_bad_file_is_named(
    console: Path, pki: Pki, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (console / "root.cer").write_bytes(pki.trust.anchor_der)
    (console / "trang.html").write_text("<html>")
    arguments = ["--store", "neac", "--reason", "thử"]
    assert hoso(console, "add", str(console / "trang.html"), *arguments, by="quantri-a") == 65
    assert "trang.html" in capsys.readouterr().err
    real = Settings(mode=Mode.PRODUCTION, service_secret="x" * 40)  # type: ignore[arg-type]
    monkeypatch.setattr(trust_admin.settings_module, "read", lambda: real)
    assert hoso(console, "add", str(console / "root.cer"), *arguments, by="quantri-a") == 65
    assert "DEMO" in capsys.readouterr().err
