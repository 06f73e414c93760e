"""Settings are read once, and what can't be right is refused before anything starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr, ValidationError

from api import settings
from api.settings import BadSettings, Mode, Settings

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "đủ dài để không ai đoán được, 32 ký tự"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No file, no setting and no server of this machine has a say."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOSO_DATA", str(tmp_path / "data"))
    for name in (*Settings.model_fields, "config"):
        if name != "data":
            monkeypatch.delenv(f"HOSO_{name.upper()}", raising=False)
    return tmp_path


def test_a_test_builds_settings_by_name_and_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSO_MAX_PAGES", "7")
    assert Settings().max_pages == 2000
    assert Settings(max_pages=5).max_pages == 5


def test_the_environment_outranks_the_file(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nowhere / "hoso.env").write_text("HOSO_MAX_PAGES=7\nHOSO_TSA_URLS=http://a.example/tsa, http://b.example/tsa\n")
    monkeypatch.setenv("HOSO_MAX_PAGES", "9")
    read = settings.read()
    assert read.max_pages == 9
    assert read.tsa_urls == ("http://a.example/tsa", "http://b.example/tsa")
    assert read.data == nowhere / "data"


def test_a_misspelt_setting_in_the_file_is_refused_by_name(nowhere: Path) -> None:
    (nowhere / "hoso.env").write_text("HOSO_MAX_PAEGS=7\n")
    with pytest.raises(BadSettings, match="HOSO_MAX_PAEGS"):
        settings.read()


def test_every_reason_is_told_at_once(nowhere: Path) -> None:
    (nowhere / "hoso.env").write_text("HOSO_MAX_PAGES=many\nHOSO_LISTEN_PORT=70000\n")
    with pytest.raises(BadSettings, match=r"(?s)HOSO_LISTEN_PORT.*HOSO_MAX_PAGES"):
        settings.read()


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError):
        Settings().max_pages = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"service_secret": SecretStr("ngắn")}, "HOSO_SERVICE_SECRET_FILE"),
        ({"public_url": "http://hoso.example.vn"}, "HOSO_PUBLIC_URL"),
        ({"tsa_urls": ("http://127.0.0.1:8790/tsa",)}, "HOSO_TSA_URLS"),
        ({"s3_endpoint": "s3.example.vn"}, "HOSO_S3_ACCESS_KEY"),
    ],
)
def test_production_refuses_what_only_a_demo_may_have(changes: dict[str, object], complaint: str) -> None:
    good: dict[str, object] = {
        "mode": Mode.PRODUCTION,
        "service_secret": SecretStr(SECRET),
        "public_url": "https://hoso.example.vn",
    }
    Settings(**good)
    with pytest.raises(ValidationError, match=complaint):
        Settings(**(good | changes))


def test_a_secret_is_read_from_a_file_that_nobody_else_may_read(nowhere: Path) -> None:
    file = nowhere / "secret"
    file.write_text(SECRET + "\n")
    file.chmod(0o640)
    with pytest.raises(BadSettings, match="chmod 600"):
        Settings(service_secret_file=file)
    file.chmod(0o600)
    read = Settings(service_secret_file=file)
    assert read.service_secret.get_secret_value() == SECRET
    assert SECRET not in repr(read)
    assert SECRET not in read.model_dump_json()


def test_a_demo_stays_where_its_certificates_say_that_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOSO_DATA", str(tmp_path))
    usual = settings.named().demo_trust_port
    (tmp_path / "demo-trust").mkdir()
    made_for = tmp_path / "demo-trust" / "service.json"
    made_for.write_text('{"base_url": "http://127.0.0.1:43403"}')
    assert settings.named().demo_trust_url == "http://127.0.0.1:43403"
    assert settings.environment_of(settings.named())["HOSO_DEMO_TRUST_PORT"] == "43403"
    for broken in ("", "[]", "{}", '{"base_url": 7}'):
        made_for.write_text(broken)
        assert settings.named().demo_trust_port == usual
    made_for.write_text('{"base_url": "http://127.0.0.1:43403"}')
    monkeypatch.setenv("HOSO_DEMO_TRUST_PORT", "9000")
    assert settings.named().demo_trust_port == 9000
