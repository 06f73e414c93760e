"""What earlier programs kept is taken over by this one: their own backups, frozen (tests/releases), with data in them.

The older program itself, and the way back to it, need it installed: scripts/upgrade_drill.sh.
"""

from __future__ import annotations

import json
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api import cli, worker
from api.app import create_app
from api.demo import centre
from api.key_folder import KeyFolder
from dossiers import fixity
from storage.migrations import current, head
from tests.integration.conftest import bucket
from tests.integration.test_api_e_results import document, look, ok, verify
from tests.integration.test_api_intake import add, open_dossier, unique_scan
from tests.office import Office, settings_at

if TYPE_CHECKING:
    from api.embedded.s3 import S3Access
    from tests.pki import Pki

FROZEN = sorted((Path(__file__).parents[1] / "releases").glob("*.tar.xz"))


def test_the_upgrade_begins_at_more_than_one_schema() -> None:
    assert len(FROZEN) > 1


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda file: file.name.partition(".")[0])
def test_what_an_earlier_program_kept_goes_on_whole_in_this_one(
    frozen: Path,
    s3_server: S3Access,
    postgres_dsn: str,
    pki: Pki,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with tarfile.open(frozen) as kept:
        kept.extractall(tmp_path / "kept")  # noqa: S202  our own
    known = json.loads((tmp_path / "kept/known.json").read_text())
    pdf = (tmp_path / "kept/document.pdf").read_bytes()
    where = bucket(s3_server)
    settings = settings_at(tmp_path / "data", postgres_dsn, where)
    for name in ("data", "database", "s3_endpoint", "s3_access_key", "s3_secret_key", "s3_bucket", "s3_secure"):
        value = getattr(settings, name)
        monkeypatch.setenv(
            f"HOSO_{name.upper()}", value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        )

    assert cli.main(["restore", str(tmp_path / "kept/backup")]) == 0, capsys.readouterr().err

    assert frozen.name.startswith(f"schema-{_schema_of(tmp_path / 'kept/backup')}")
    assert current(postgres_dsn) == head()
    with psycopg.connect(postgres_dsn) as connection:
        lines = connection.execute("select count(*) from audit_log").fetchone()
    assert lines == (known["log_lines"],)
    with (
        TestClient(create_app(settings), raise_server_exceptions=False) as client,
        closing(KeyFolder(tmp_path / "data/keys")) as keys,
    ):
        services = client.app.state.services  # type: ignore[attr-defined]
        office = Office(client, services, pki, keys)
        result = {"id": known["result"]}
        assert document(office, result) == pdf
        told = verify(office, pdf)
        assert (told["verdict"], told["register"]["code"], told["in_force"]) == ("genuine", "issued", True)
        read = fixity.check_slice(services.fixity_desk(), now=datetime.now(UTC), everything=True)
        assert (read.read > 10, read) == (True, fixity.Round(read=read.read))
        for path in (f"/ho-so/{known['dossier']}", f"/ho-so/{known['dossier']}/giay-to", "/viec"):
            assert office.open(centre.CLERK, path).status_code == 200, path

        ok(office.ask(centre.LEADER, "POST", f"/e-results/{known['result']}/withdraw", json={"reason": "Cấp nhầm"}))
        assert look(office, result)["state"]["code"] == "withdrawn"
        dossier = open_dossier(office)
        ok(add(office, dossier, "don.png", unique_scan()))
        office.work_off(*worker.READING)
        (paper,) = ok(office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}"))["components"]
        assert paper["pages_total"] == 1
        with services.begin() as work:
            assert work.audit.first_break() is None


def _schema_of(place: Path) -> str:
    (manifest,) = place.glob("*/manifest.json")
    return str(json.loads(manifest.read_text())["schema"])
