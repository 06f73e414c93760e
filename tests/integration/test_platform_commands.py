"""The command line of the platform: usage, `hoso init` and `hoso doctor`, on real servers."""

from __future__ import annotations

import asyncio
import contextlib
import stat
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from api import cli, doctor_trust
from api.doctor import examine
from api.finding import State
from api.settings import Mode, Settings, explained
from dossiers.anchors import install_demo, propose
from dossiers.types import Actor, Role
from signing.types import StoreName
from storage.database import Database
from storage.migrations import current, head
from storage.sole_worker import work_alone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import S3Settings
    from tests.pki import Pki


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["init"], ["init", "a", "b"], ["doctor", "--no-such"]])
def test_wrong_usage_exits_with_64(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = cli.main(arguments)
    except SystemExit as ended:
        status = ended.code
    assert status == 64
    assert capsys.readouterr().out == ""


def test_help_lists_every_command_and_a_bad_setting_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in cli.COMMANDS)

    monkeypatch.setenv("HOSO_LISTEN_PORT", "many")
    assert cli.main(["doctor", "--settings"]) == 78
    assert "HOSO_LISTEN_PORT" in capsys.readouterr().err


def test_init_makes_an_instance_with_every_setting_named_and_its_secrets_closed(
    tmp_path: Path, migrated_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "instance"
    asked = ["init", str(folder), "--public-url", "https://hoso.example.vn", "--database", migrated_dsn]
    assert cli.main(asked) == 0

    written = (folder / "hoso.env").read_text()
    assert "\nHOSO_MODE=production\n" in written
    secret = {"HOSO_S3_SECRET_KEY", "HOSO_SERVICE_SECRET"}
    assert all(f"{setting.name}=" in written for setting in explained() if setting.name not in secret)
    for file in (folder / "hoso.env", *(folder / "secrets").iterdir()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert current(migrated_dsn) == head()

    before = (folder / "secrets" / "service").read_text()
    assert cli.main(asked) == 1
    assert (folder / "secrets" / "service").read_text() == before
    assert before not in capsys.readouterr().out


def test_init_brings_an_empty_database_up_to_date_and_says_so_when_there_is_none_to_reach(
    tmp_path: Path, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["init", str(tmp_path / "one"), "--database", postgres_dsn]) == 0
    assert current(postgres_dsn) == head()

    nowhere = f"postgresql:///hoso?host={tmp_path}"
    assert cli.main(["init", str(tmp_path / "two"), "--database", nowhere]) == 0
    assert "Chưa nối được" in capsys.readouterr().err


def _found(settings: Settings) -> dict[str, State]:
    return {finding.subject: finding.state for finding in examine(settings)}


def test_the_doctor_finds_a_healthy_instance_healthy(
    tmp_path: Path, migrated_dsn: str, s3_settings: S3Settings, pki: Pki
) -> None:
    found = _found(
        Settings(
            data=tmp_path,
            database=migrated_dsn,
            s3_endpoint=s3_settings.endpoint,
            s3_access_key=s3_settings.access_key,
            s3_secret_key=s3_settings.secret_key,
            s3_bucket=s3_settings.bucket,
            s3_secure=s3_settings.secure,
            tsa_urls=(pki.trust.tsa_url,),
        )
    )
    assert found.pop("Hàng đợi · queue") is State.BAD  # nobody works here
    assert found.pop("Máy ký · signing worker") is State.BAD
    assert found.pop("Gốc tin cậy · anchors") is State.DOUBTFUL  # nobody is trusted
    assert found.pop("Khóa ký · keys") is State.DOUBTFUL  # nor signs
    assert found.pop("Bản demo") is State.DOUBTFUL
    assert set(found.values()) == {State.GOOD}
    assert len(found) == 16


def test_the_doctor_tells_what_it_can_when_nothing_runs_and_every_trouble_has_a_remedy(tmp_path: Path) -> None:
    findings = list(examine(Settings(data=tmp_path, tsa_urls=("http://127.0.0.1:1/tsa",))))
    states = {finding.subject: finding.state for finding in findings}
    assert states["Cơ sở dữ liệu · database"] is State.BAD
    assert states["Kho tệp · storage"] is State.BAD
    assert states["Dấu thời gian · TSA"] is State.BAD
    assert states["OCR"] is State.GOOD
    assert states["OCR thứ hai · second reader"] is State.GOOD
    assert states["Ký thử · test signature"] is State.GOOD
    assert all(finding.remedy for finding in findings if finding.state is State.BAD)


def test_the_doctor_tells_what_waits_what_is_stale_and_who_signs(tmp_path: Path, migrated_dsn: str, pki: Pki) -> None:
    now = datetime.now(UTC)
    database = Database(migrated_dsn)
    install_demo(database.begin, [pki.trust.anchor_der], now=now)
    first = Actor(uuid.uuid4(), "quantri", "", "TT", frozenset({Role.ADMINISTRATOR}))
    waiting = propose(
        database.begin, pki.trust.intermediates_der[0], store=StoreName.NEAC, reason="thử", by=first, now=now
    )
    with database.begin() as work:
        old = now - timedelta(days=9)
        work.trust.keep_crl(pki.trust.crl_urls[0], pki.trust.crl("root", at=old), fetched_at=old)
    database.close()
    settings = Settings(data=tmp_path, database=migrated_dsn, tsa_urls=(pki.trust.tsa_url,))
    found = {finding.subject: finding for finding in examine(settings)}
    anchor = found["Gốc tin cậy · anchors"]
    assert (anchor.state, waiting.sha256[:16] in anchor.remedy) == (State.DOUBTFUL, True)
    assert (found["CRL, OCSP"].state, "216 giờ" in found["CRL, OCSP"].vi) == (State.BAD, True)
    assert found["Máy ký · signing worker"].state is State.BAD

    async def beside() -> State:
        signing = asyncio.Event()

        async def sign() -> None:
            signing.set()
            await asyncio.Event().wait()

        worker = asyncio.create_task(work_alone(migrated_dsn, sign))
        await signing.wait()
        try:
            return next(iter(await asyncio.to_thread(lambda: list(doctor_trust.signing_worker(settings))))).state
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker

    assert asyncio.run(beside()) is State.GOOD


def test_the_doctor_refuses_a_production_instance_that_trusts_a_demo(
    tmp_path: Path, migrated_dsn: str, pki: Pki
) -> None:
    database = Database(migrated_dsn)
    install_demo(database.begin, [pki.trust.anchor_der], now=datetime.now(UTC))
    database.close()

    real = Settings(mode=Mode.PRODUCTION, data=tmp_path, database=migrated_dsn, service_secret="x" * 40)
    assert _found(real)["Chứng thư gốc · trust anchors"] is State.BAD
