"""At the edge: bodies that no form sends, guesses in parallel, errors nobody foresaw, servers that aren't there."""

from __future__ import annotations

import hashlib
import json
import logging
import stat
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from argon2 import PasswordHasher
from pydantic import SecretStr

from api import cli, sign_in
from api.app import UPLOADS
from api.commands import admin
from api.demo import centre
from api.key_folder import KeyFolder
from api.log import write_events
from api.settings import Mode, Settings
from dossiers.ports import StoreUnavailable
from dossiers.types import KeyHeld, NotFound, PinAsked
from signing.locators import TokenKey
from signing.types import SigningRefused
from storage.objects import MinioObjectStore
from tests.integration.test_api_intake import add, open_dossier, unique_scan
from tests.office import lent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2

    from tests.conftest import S3Settings
    from tests.office import Office

SECRET = "Nguyễn Thị Bí Mật"
NESTED = '{"a":' * 21 + "1" + "}" * 21


def _draft(office: Office, data: str) -> httpx2.Response:
    body = f'{{"template": "x", "leader": "y", "data": {data}}}'
    path = f"/dossiers/{uuid.uuid4()}/e-results"
    return office.ask(centre.CLERK, "POST", path, content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "1e999",
        "-Infinity",
        r'"\ud800"',
        r'"a\u000bb"',
        r'"\u0085"',
        r'{"\udfff": 1}',
        NESTED,
        "[" * 300 + "]" * 300,
    ],
)
def test_a_value_that_can_t_be_kept_is_pointed_at(office: Office, value: str) -> None:
    answer = _draft(office, f'{{"v": [{value}]}}')

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == "/body/data"


@pytest.mark.parametrize("body", [r'{"fields": {"\ud800": "x"}}', r'{"\ud800": 1}', '{"fields": {"\\u0000": "x"}}'])
def test_a_name_that_can_t_be_kept_is_refused_and_the_refusal_can_be_sent(office: Office, body: str) -> None:
    path = f"/dossiers/{uuid.uuid4()}/components/{uuid.uuid4()}/review"
    answer = office.ask(centre.CLERK, "POST", path, content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid_request"


def _form(office: Office, disposition: bytes, value: bytes, *, charset: str = "") -> httpx2.Response:
    content = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + unique_scan() + b"\r\n"
    content += b"--x\r\ncontent-disposition: form-data; " + disposition + b"\r\n\r\n" + value + b"\r\n--x--\r\n"
    return office.ask(
        centre.CLERK,
        "POST",
        f"/dossiers/{open_dossier(office)['id']}/components",
        content=content,
        headers={"content-type": f"multipart/form-data; boundary=x{charset}"},
    )


@pytest.mark.parametrize(
    ("value", "charset"),
    [(b"\\ud800", "; charset=unicode_escape"), (b"x", "; charset=punycode"), (b"x", "; charset=undefined")],
)
def test_a_form_in_a_strange_charset_is_a_bad_upload(office: Office, value: bytes, charset: str) -> None:
    assert _form(office, b'name="name"', value, charset=charset).json()["code"] == "bad_upload"


def test_control_characters_in_a_form_are_refused(office: Office) -> None:
    assert _form(office, b'name="name"', b"a\x0bb").json()["code"] == "bad_upload"


def test_control_characters_in_the_name_of_a_file_go_away(office: Office) -> None:
    content = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a\x00b\x07.png"\r\n\r\n'
    answer = office.ask(
        centre.CLERK,
        "POST",
        f"/dossiers/{open_dossier(office)['id']}/components",
        content=content + unique_scan() + b"\r\n--x--\r\n",
        headers={"content-type": "multipart/form-data; boundary=x"},
    )

    assert answer.status_code in (201, 400), answer.text
    assert answer.status_code == 400 or answer.json()["filename"] == "ab.png"


def _guess(office: Office, username: str) -> tuple[int, dict[str, Any]]:
    answer = office.ask("", "POST", "/session", json={"username": username, "password": "sai"})
    return answer.status_code, {k: v for k, v in answer.json().items() if k != "trace_id"}


@pytest.fixture
def somebody(office: Office, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user name of this test alone, with a password that is quick to check, as it is then for unknown names."""
    cheap = PasswordHasher(time_cost=1, memory_cost=64).hash(centre.PASSWORD)
    monkeypatch.setattr(sign_in, "_NOBODY", cheap)
    with office.services.begin() as work:
        model = work.accounts.of(centre.CLERK)
        username = f"thu-{uuid.uuid4().hex[:8]}"
        work.accounts.keep(replace(model, user_id=uuid.uuid4(), username=username, password_hash=cheap))
    return username


def test_ten_wrong_passwords_at_once_lock_the_account(office: Office, somebody: str) -> None:
    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(status for status, _ in pool.map(lambda _: _guess(office, somebody), range(10)))

    assert statuses == [401] * 4 + [423] * 6
    with office.services.begin() as work:
        assert work.accounts.of(somebody).locked_until is not None


def test_a_lock_doesn_t_tell_whether_there_is_such_a_name(office: Office, somebody: str) -> None:
    nobody = f"khong-{uuid.uuid4().hex[:8]}"

    assert [_guess(office, somebody) for _ in range(7)] == [_guess(office, nobody) for _ in range(7)]


def test_the_right_password_starts_the_count_anew_and_touches_nothing_else(office: Office, somebody: str) -> None:
    right = {"username": somebody, "password": centre.PASSWORD}
    with office.services.begin() as work:
        before = work.accounts.of(somebody)
    for _ in range(2):
        assert [_guess(office, somebody)[0] for _ in range(4)] == [401] * 4
        assert office.ask("", "POST", "/session", json=right).status_code == 201
    with office.services.begin() as work:
        assert work.accounts.of(somebody) == before


def test_every_way_to_write_a_dossier_code_shares_one_bucket_of_guesses(office: Office) -> None:
    code = open_dossier(office)["code"]
    ways = [code, code.lower(), f" {code} ", code.replace("-", "–"), code.replace("-", " - ")] * 3

    asked = [{"dossier_code": way, "lookup_code": "0000-0000-0000-0"} for way in ways[:11]]
    statuses = [office.ask("", "POST", "/citizen/look-up", json=body).status_code for body in asked]

    assert statuses == [404] * 10 + [429]


def test_a_json_body_is_refused_at_one_megabyte_as_it_comes_in(office: Office) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"username": "a", "password": "'
        for _ in range(20):
            yield b"x" * 65_536
        yield b'"}'

    answer = office.ask("", "POST", "/session", content=pieces(), headers={"content-type": "application/json"})

    assert answer.status_code == 413, answer.text
    assert answer.json()["limit_bytes"] == 1024 * 1024


def test_the_addresses_that_take_large_bodies_are_those_that_take_files(office: Office) -> None:
    paths = office.ask("", "GET", "/openapi.json").json()["paths"]
    taking = {path for path, methods in paths.items() if {"post", "patch"} & set(methods)}
    assert {f"/api/v1{path}" for path in UPLOADS} <= taking
    large = b"x" * (1024 * 1024 + 70_000)

    answer = add(office, open_dossier(office), "a.png", large)

    assert answer.json()["code"] == "unreadable_scan"


def test_an_error_nobody_foresaw_is_logged_under_the_trace_id_of_its_answer_without_what_it_quotes(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError(f"Key (name)=({SECRET}) already exists")

    monkeypatch.setattr(type(office.services.database), "probe", fails)
    with structlog.testing.capture_logs() as logged:
        answer = office.ask("", "GET", "/health/ready")

    trace_id = answer.json()["trace_id"]
    assert answer.status_code == 500
    assert answer.headers["x-trace-id"] == trace_id
    assert answer.headers["x-content-type-options"] == "nosniff"
    (failed,) = (line for line in logged if line["event"] == "failed")
    assert failed["trace_id"] == trace_id
    assert isinstance(failed["exc_info"], RuntimeError)
    assert [line["status"] for line in logged if line["event"] == "request"] == [500]


def test_a_row_is_in_no_line_of_the_log(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    kept = logging.getLogger().handlers[:], logging.getLogger().level, structlog.get_config(), sys.excepthook
    try:
        write_events()
        with pytest.raises(Exception, match="null value") as raised, office.services.begin() as work:
            work.accounts.keep(
                replace(work.accounts.of(centre.CLERK), user_id=uuid.uuid4(), username=SECRET, name=None)
            )
        assert "hide_parameters" in str(raised.value)
        error = raised.value
        logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=error)
        logging.getLogger("procrastinate").error(
            "It failed: %s", error, exc_info=error, extra={"exception": str(error)}
        )
        structlog.get_logger("fresh").error("failed", exc_info=error)
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        handlers, level, config, sys.excepthook = kept
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
        structlog.configure(**config)
    written = "".join(capsys.readouterr())

    assert SECRET not in written
    lines = [json.loads(line) for line in written.splitlines()]
    assert [line["error"] for line in lines] == ["IntegrityError"] * 4


def test_a_range_of_thousands_of_digits_is_no_range(office: Office) -> None:
    dossier, content = open_dossier(office), unique_scan()
    component = add(office, dossier, "a.png", content).json()
    path = f"/dossiers/{dossier['id']}/components/{component['id']}/scan"

    for wanted in (f"bytes={'1' * 5000}-", f"bytes=-{'1' * 5000}", f"bytes=0-{'9' * 5000}"):
        answer = office.ask(centre.CLERK, "GET", path, headers={"range": wanted})
        assert (answer.status_code, answer.content) == (200, content)


def test_what_the_framework_refuses_is_said_in_words_of_its_own(office: Office) -> None:
    missing = office.ask("", "GET", "/khong-co")
    method = office.ask("", "DELETE", "/health/live")
    garbage = office.ask("", "POST", "/session", content="9" * 5000, headers={"content-type": "application/json"})

    said = [answer.json() for answer in (missing, method, garbage)]
    assert [(body["status"], body["code"]) for body in said] == [
        (404, "no_such_page"),
        (405, "method_not_allowed"),
        (400, "bad_request"),
    ]
    assert len({body["title"] for body in said}) == 3
    assert all(body["safe"] and body["next"] and body["trace_id"] for body in said)
    assert method.headers["allow"] == "GET"


@pytest.mark.parametrize("down", ["database", "store"])
@pytest.mark.parametrize(
    "command", [["serve"], ["admin", "agency", "add", "--code", "A", "--name", "A", "--kind", "commune"]]
)
def test_without_its_servers_a_command_says_so_in_a_sentence(
    command: list[str],
    down: str,
    tmp_path: Path,
    postgres_server: str,
    s3_settings: S3Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nowhere = f"postgresql:///hoso?host={tmp_path}"
    _environment(monkeypatch, tmp_path, nowhere if down == "database" else postgres_server, s3_settings)
    if down == "store":  # said at once; the real one tries for some seconds
        monkeypatch.setattr(MinioObjectStore, "prepare", _unavailable)
    monkeypatch.setattr("api.commands.serve.write_events", lambda: None)

    assert cli.main(command) == cli.UNAVAILABLE
    told = capsys.readouterr().err
    assert "an toàn" in told
    assert "hoso doctor" in told
    assert "Traceback" not in told


def _add_certificate(office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """One that the office has already, into `folder`/keys, with a picture."""
    monkeypatch.setattr(admin, "wire", lambda: lent(office.services, keys_folder=folder / "keys"))
    trust, subject = office.pki.trust, office.pki.trust.subject_ids[0]
    sha256 = hashlib.sha256(trust.certificate_der(subject)).hexdigest()
    with office.services.begin() as work:
        record = next(r for r in work.certificates.all() if r.sha256 == sha256)
    p12, passphrase = trust.p12(subject)
    (folder / "drawn.png").write_bytes(b"a picture")
    files = ["--p12", str(p12), "--passphrase-file", str(passphrase), "--picture", str(folder / "drawn.png")]
    return cli.main(["admin", "certificate", "add", "--agency", record.agency, "--user", record.owner, *files])


def test_a_certificate_is_added_with_its_picture(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _add_certificate(office, tmp_path, monkeypatch) == 0

    (kept,) = (tmp_path / "keys").glob("*.picture")
    assert kept.read_bytes() == b"a picture"


def test_production_writes_nothing_of_a_demo_certificate_to_its_keys(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Settings(mode=Mode.PRODUCTION, service_secret=SecretStr("x" * 40))
    monkeypatch.setattr(admin.trust_admin.settings_module, "read", lambda: real)

    assert _add_certificate(office, tmp_path, monkeypatch) == 65
    assert not (tmp_path / "keys").exists()


def _add_note(office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str, user: str) -> int:
    monkeypatch.setattr(admin, "wire", lambda: lent(office.services, keys_folder=folder / "keys"))
    with office.services.begin() as work:
        record = next(r for r in work.certificates.all() if r.owner == user)
    (folder / "own.cer").write_bytes(record.der)
    asked = ["--agency", record.agency, "--certificate", str(folder / "own.cer"), *more]
    return cli.main(["admin", "certificate", "add", *(["--user", user] if user else []), *asked])


_AT_TOKEN = (
    "--held",
    "pkcs11",
    "--module",
    "/usr/lib/softhsm/libsofthsm2.so",
    "--token-label",
    "Bình",
    "--key-id",
    "0A",
)


def test_an_officials_own_token_needs_its_certificate_alone(
    own_office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "apart"
    folder.mkdir()
    assert _add_note(own_office, folder, monkeypatch, "--held", "own_token", user=centre.LEADER) == 0

    with own_office.services.begin() as work:
        record = work.certificates.for_person(centre.LEADER)
    assert (record.held, record.locator, record.pin_asked) == (KeyHeld.OWN_TOKEN, "", PinAsked.NEVER)
    assert hashlib.sha256(record.der).hexdigest() == record.sha256
    (kept,) = (folder / "keys").iterdir()
    assert kept.read_bytes() == record.der, "nothing that opens a key is beside it"
    with pytest.raises(SigningRefused) as refused:
        KeyFolder(folder / "keys").open(record, subject=uuid.uuid4(), sha256="0" * 64)
    assert refused.value.reason == "held_elsewhere"


def test_a_leaders_token_at_the_worker_asks_for_a_pin_and_a_seals_has_it_in_a_file(
    own_office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "apart"
    folder.mkdir()
    assert _add_note(own_office, folder, monkeypatch, *_AT_TOKEN, user=centre.LEADER) == 0
    with own_office.services.begin() as work:
        record = work.certificates.for_person(centre.LEADER)
    assert (record.held, record.pin_asked) == (KeyHeld.PKCS11, PinAsked.BATCH)
    assert TokenKey.parse(record.locator) == TokenKey("/usr/lib/softhsm/libsofthsm2.so", "Bình", "", b"\n")

    assert _add_note(own_office, folder, monkeypatch, *_AT_TOKEN, user="") == 65
    assert "--secret-file" in capsys.readouterr().err
    (folder / "pin").write_bytes(b"123456\n")
    (folder / "pin").chmod(0o600)
    with_pin = ("--secret-file", str(folder / "pin"))
    assert _add_note(own_office, folder, monkeypatch, *_AT_TOKEN, *with_pin, user="") == 0
    (kept,) = (folder / "keys").glob("*.pass")
    assert kept.read_bytes() == b"123456"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "123456" not in capsys.readouterr().out


def test_where_adding_a_certificate_fails_the_keys_folder_is_as_it_was(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotFound("nobody")

    with monkeypatch.context() as failing:
        failing.setattr(admin.administration, "keep_certificate", fail)
        assert _add_certificate(office, tmp_path, monkeypatch) == 1
    assert list((tmp_path / "keys").iterdir()) == []

    assert _add_certificate(office, tmp_path, monkeypatch) == 0
    before = {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()}
    (tmp_path / "drawn.png").write_bytes(b"another picture")
    with monkeypatch.context() as failing:
        failing.setattr(admin.administration, "keep_certificate", fail)
        assert _add_certificate(office, tmp_path, monkeypatch) == 1
    assert {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()} == before


def _unavailable(*_: object) -> None:
    raise StoreUnavailable


def _environment(monkeypatch: pytest.MonkeyPatch, folder: Path, dsn: str, s3: S3Settings) -> None:
    monkeypatch.setenv("HOSO_DATA", str(folder))
    monkeypatch.setenv("HOSO_DATABASE", dsn)
    monkeypatch.setenv("HOSO_S3_ENDPOINT", s3.endpoint)
    monkeypatch.setenv("HOSO_S3_ACCESS_KEY", s3.access_key)
    monkeypatch.setenv("HOSO_S3_SECRET_KEY", s3.secret_key)
    monkeypatch.setenv("HOSO_S3_BUCKET", s3.bucket)
    monkeypatch.setenv("HOSO_S3_SECURE", str(s3.secure).lower())
