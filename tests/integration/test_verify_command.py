"""`hoso verify`, word for word: what it prints, what it exits with, what it asks the network."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import pem

from api import cli
from tests.signed_files import issued

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pki import Pki

KEYS = ["file", "verdict", "kind", "integrity", "missing", "signatures", "reasons"]
OF_A_SIGNATURE = {"field", "signer", "indication", "sub_indication", "signed_at", "timestamp"}


@pytest.fixture(scope="module")
def desk(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an issued result, an altered one, an unsigned one, and what it takes to judge them."""
    folder = tmp_path_factory.mktemp("desk")
    good = issued(pki, folder)
    (folder / "altered.pdf").write_bytes(good.read_bytes().replace(b"/Lang (vi-VN)", b"/Lang (vi-CN)"))
    (folder / "junk.pdf").write_bytes(b"junk")
    (folder / "anchors").mkdir()
    (folder / "anchors" / "root.pem").write_bytes(pem.armor("CERTIFICATE", pki.trust.anchor_der))
    (folder / "certs").mkdir()
    (folder / "certs" / "issuing.crt").write_bytes(pki.trust.intermediates_der[0])
    (folder / "crls").mkdir()
    (folder / "crls" / "root.crl").write_bytes(pki.trust.crl("root"))
    (folder / "crls" / "issuing.pem").write_bytes(pem.armor("X509 CRL", pki.trust.crl("issuing")))
    return folder


def _run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    status = cli.main(["verify", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def _trusting(desk: Path) -> list[str]:
    return ["--anchors", str(desk / "anchors"), "--certs", str(desk / "certs"), "--crls", str(desk / "crls")]


def test_a_genuine_result_gets_a_sentence_first_and_exit_0(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = _run(capsys, desk / "issued.pdf", *_trusting(desk), "--offline")
    assert (status, err) == (0, "")
    assert "TÀI LIỆU THẬT." in out.splitlines()[0]
    for wanted in (
        "Trần Thị Bình",
        "Ủy ban nhân dân phường Hồng Gai",
        "nguyên vẹn",
        "dấu thời gian",
        "hiệu lực",
        "cấp",
    ):
        assert wanted in out


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["issued.pdf"], 0),
        (["altered.pdf"], 1),
        (["leader.pdf"], 2),
        (["plain.pdf"], 2),
        (["junk.pdf"], 65),
        (["no such file.pdf"], 65),
        (["issued.pdf", "plain.pdf", "junk.pdf"], 65),
        (["junk.pdf", "altered.pdf", "issued.pdf"], 1),
        (["leader.pdf", "issued.pdf"], 2),
    ],
)
def test_the_exit_status_is_that_of_the_worst_file(
    desk: Path, capsys: pytest.CaptureFixture[str], names: list[str], status: int
) -> None:
    assert _run(capsys, *(desk / name for name in names), *_trusting(desk), "--offline")[0] == status


def test_json_is_one_object_a_line_and_nothing_else(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [desk / name for name in ("issued.pdf", "plain.pdf", "junk.pdf", "nowhere.pdf")]
    status, out, _ = _run(capsys, *files, *_trusting(desk), "--offline", "--json")
    told: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert status == 65
    assert [list(one) for one in told] == [KEYS] * 4
    assert [one["file"] for one in told] == [str(file) for file in files]
    assert [one["verdict"] for one in told] == ["genuine", "unsigned", "unreadable", "unreadable"]
    assert [one["kind"] for one in told] == ["e_result", "unknown", "unknown", "unknown"]
    assert [one["integrity"] for one in told] == ["intact", "unknown", "unknown", "unknown"]
    assert set(told[0]["signatures"][0]) >= OF_A_SIGNATURE
    assert told[0]["signatures"][0]["indication"] == "TOTAL-PASSED"
    assert told[0]["signatures"][0]["timestamp"].endswith("+00:00")


def test_what_a_result_lacks_is_named(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = _run(capsys, desk / "leader.pdf", *_trusting(desk), "--offline", "--json")
    told = json.loads(out)
    assert (told["verdict"], told["missing"], told["reasons"]) == ("unconfirmed", ["seal"], ["seal_missing"])


def test_a_name_that_is_no_text_is_still_printed(desk: Path, tmp_path: Path) -> None:
    odd = bytes(tmp_path) + b"/\xff\n.pdf"
    answer = subprocess.run(
        [sys.executable, "-m", "api.cli", "verify", odd, "--offline", "--json"],
        capture_output=True,
        check=False,
    )
    assert answer.returncode == 65
    assert json.loads(answer.stdout)["verdict"] == "unreadable"


def test_the_exit_status_stands_when_nobody_reads_to_the_end(desk: Path) -> None:
    command = [sys.executable, "-m", "api.cli", "verify", desk / "junk.pdf", desk / "junk.pdf", "--offline"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as asked:
        assert asked.stdout is not None
        asked.stdout.close()
        assert asked.wait(60) == 65


@pytest.mark.parametrize("arguments", [[], ["--json"], ["a.pdf", "--nonsense"], ["a.pdf", "--anchors", "nowhere"]])
def test_wrong_usage_exits_with_64(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    try:
        status = cli.main(["verify", *arguments])
    except SystemExit as left:
        status = int(left.code or 0)
    assert status == 64
    assert capsys.readouterr().err


def test_without_anchors_nothing_is_confirmed_and_it_says_why(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = _run(capsys, desk / "issued.pdf")
    assert status == 2
    assert "CHƯA XÁC NHẬN ĐƯỢC" in out
    assert "--anchors" in err


def test_lists_are_asked_for_only_where_ones_own_certificates_say(
    pki: Pki, desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signers' certificates, which the file brings, name another list: nobody asks for it."""
    asked: list[str] = []
    answer = pki.trust.crl

    def noting(name: Any, **given: Any) -> bytes:
        asked.append(name)
        return answer(name, **given)

    monkeypatch.setattr(pki.trust, "crl", noting)
    trusting = _trusting(desk)[:4]
    status, _, err = _run(capsys, desk / "issued.pdf", *trusting)
    assert (status, err) == (0, "")
    assert asked == ["root"]
    asked.clear()
    _run(capsys, desk / "issued.pdf", *trusting, "--offline")
    assert asked == []
