"""`hoso sign` as a person types it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.cli import main
from signing.types import Verdict
from signing.verify import verify
from tests.pki import CLERK, LEADER_P256, SCANNER, SEAL
from tests.pki.paper import paper
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

    from api.demo.trust_service import DemoSubject
    from tests.pki import Pki


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "văn bản.pdf").write_bytes(paper())
    return tmp_path / "văn bản.pdf"


@pytest.fixture
def anchors(pki: Pki, tmp_path: Path) -> Path:
    folder = tmp_path / "anchors"
    folder.mkdir()
    (folder / "root.crt").write_bytes(pki.trust.anchor_der)
    return folder


def hoso_sign(pki: Pki, source: Path, target: Path, subject: DemoSubject, *more: object) -> int:
    p12, passphrase = pki.trust.p12(subject.id)
    given = [source, "-o", target, "--p12", p12, "--passphrase-file", passphrase, *more]
    return main(["sign", *map(str, given)])


def test_a_leader_then_the_agency_make_an_e_result(
    pki: Pki, source: Path, anchors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signed, sealed = tmp_path / "signed.pdf", tmp_path / "sealed.pdf"
    trusted = ["--tsa", pki.trust.tsa_url, "--anchors", anchors]
    assert hoso_sign(pki, source, signed, LEADER_P256, *trusted) == 0
    assert "PAdES B-LT" in capsys.readouterr().out
    assert hoso_sign(pki, signed, sealed, SEAL, "--place", "seal", *trusted) == 0
    said = capsys.readouterr()
    assert "PAdES B-LTA" in said.out
    assert "Cảnh báo" not in said.out
    assert sealed.read_bytes().startswith(signed.read_bytes())
    assert verify(sealed, trust=pki.store()).verdict is Verdict.GENUINE
    assert_pdfa(sealed, flavour="2a")


def test_a_scan_is_signed_and_later_certified_as_a_copy(pki: Pki, source: Path, anchors: Path, tmp_path: Path) -> None:
    scanned, copied = tmp_path / "scanned.pdf", tmp_path / "copied.pdf"
    trusted = ["--tsa", pki.trust.tsa_url, "--anchors", anchors]
    assert hoso_sign(pki, source, scanned, SCANNER, "--place", "scanner", *trusted) == 0
    assert hoso_sign(pki, scanned, copied, CLERK, "--place", "copy", *trusted) == 0
    assert {s.verdict for s in verify(copied, trust=pki.store()).signatures} == {Verdict.GENUINE}


def test_without_a_timestamp_authority_it_says_that_the_time_is_not_proven(
    pki: Pki, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hoso_sign(pki, source, tmp_path / "out.pdf", LEADER_P256) == 0
    said = capsys.readouterr()
    assert "PAdES B-B" in said.out
    assert "không có dấu thời gian" in said.out
    assert "tạm tin chuỗi chứng thư trong tệp khóa" in said.err


def test_a_refusal_exits_with_1_and_leaves_nothing(
    pki: Pki, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signing.timestamp._FIRST_PAUSE_S", 0.0)
    target = tmp_path / "out.pdf"
    assert hoso_sign(pki, source, target, LEADER_P256, "--tsa", "http://127.0.0.1:9/") == 1
    assert "Dịch vụ dấu thời gian" in capsys.readouterr().err
    wrong = tmp_path / "wrong"
    wrong.write_text("not it\n")
    wrong.chmod(0o600)
    assert hoso_sign(pki, source, target, LEADER_P256, "--passphrase-file", wrong) == 1
    assert "Sai mật khẩu" in capsys.readouterr().err
    wrong.chmod(0o644)
    assert hoso_sign(pki, source, target, LEADER_P256, "--passphrase-file", wrong) == 1
    assert "chmod 600" in capsys.readouterr().err
    assert not target.exists()


def test_unreadable_input_exits_with_65_and_wrong_usage_with_64(
    pki: Pki, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, junk = tmp_path / "out.pdf", tmp_path / "junk.pdf"
    junk.write_bytes(b"junk")
    assert hoso_sign(pki, junk, target, LEADER_P256) == 65
    assert hoso_sign(pki, tmp_path / "missing.pdf", target, LEADER_P256) == 65
    assert "missing.pdf" in capsys.readouterr().err
    assert hoso_sign(pki, source, target, LEADER_P256, "--anchors", junk) == 65
    assert hoso_sign(pki, source, source, LEADER_P256) == 64
    assert hoso_sign(pki, source, target, LEADER_P256, "--tsa", "ftp://127.0.0.1/") == 64
    with pytest.raises(SystemExit) as caught:
        hoso_sign(pki, source, target, LEADER_P256, "--place", "elsewhere")
    assert caught.value.code == 64
    with pytest.raises(SystemExit) as caught:
        hoso_sign(pki, source, target, LEADER_P256, "--passphrase", "secret")
    assert caught.value.code == 64
    assert source.read_bytes() == paper()
    assert not target.exists()


def test_the_passphrase_is_asked_when_no_file_has_it(
    pki: Pki, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    p12, passphrase = pki.trust.p12(LEADER_P256.id)
    arguments = ["sign", str(source), "-o", str(tmp_path / "out.pdf"), "--p12", str(p12)]
    assert main(arguments) == 64  # nobody is there to be asked
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _: passphrase.read_text())
    assert main(arguments) == 0
