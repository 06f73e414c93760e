"""A finished dossier leaves as a bag and comes back into an empty installation: hashes, events and verdicts alike."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from xml.etree import ElementTree as ET

import psycopg
import pytest

from api import cli
from api.demo import centre
from api.doctor_archive import to_archive
from api.finding import State
from api.settings import Settings
from dossiers import anchors, archive, bags, verification
from dossiers.calendar import VIETNAM
from dossiers.types import Actor, DossierState, Duplicate, ObjectKey, Role
from storage import search, tables
from storage.archive import BELONGS, LEFT_OUT
from storage.database import Database
from tests.integration.conftest import bucket
from tests.integration.kept_office import CENTRE, clerk_of, dossier, furnish, opened_store
from tests.integration.test_api_e_results import digitised_dossier, document, issued, look, ok, verify
from tests.integration.test_api_intake import open_dossier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from api.embedded.s3 import S3Access
    from storage.objects import MinioObjectStore
    from tests.office import Office

NOW = datetime.now(UTC)


@pytest.fixture
def elsewhere(migrated_dsn: str, s3_server: S3Access) -> Iterator[tuple[Database, MinioObjectStore, str]]:
    """An installation with nothing in it."""
    s3 = bucket(s3_server)
    database = Database(migrated_dsn)
    store = opened_store(s3)
    yield database, store, migrated_dsn
    store.close()
    database.close()


def finished_dossier(office: Office) -> tuple[dict[str, Any], dict[str, Any]]:
    opened = digitised_dossier(office)
    result = issued(office, opened)
    ok(office.ask(centre.CLERK, "POST", f"/dossiers/{opened['id']}/hand-over"))
    return opened, look(office, result)


def events(database: Any, rows: Any) -> list[Any]:
    subjects = [row["id"] for name in ("dossiers", "components", "pages", "e_results") for row in rows[name]]
    with database.begin() as work:
        return list(work.audit.of_all(subjects))


def test_a_dossier_comes_back_whole_in_an_empty_installation(
    office: Office,
    elsewhere: tuple[Database, MinioObjectStore, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened, result = finished_dossier(office)
    services, dossier_id = office.services, UUID(opened["id"])
    with services.begin() as work:
        before = work.archive.rows(dossier_id)
    lines = events(services, before)
    pdf = document(office, result)
    verdict = verify(office, pdf)

    made = archive.export(services.begin, services.store, [dossier_id], tmp_path / "bag", now=NOW)
    assert made.codes == (opened["code"],)
    # The system's own tool finds every hash right, and the archive finds the result under its lawful name.
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "--strict", "manifest-sha256.txt", "tagmanifest-sha256.txt"],
        cwd=made.folder,
        check=False,
    )
    assert checked.returncode == 0
    data = made.folder / "data" / opened["code"]
    assert (data / "ket-qua" / f"{opened['code']}-KQ1.pdf").read_bytes() == pdf
    assert {path.name for path in data.iterdir()} >= {"ban-quet", "ban-so-hoa", "trang", "mets.xml", "records.json"}
    _says_what_is_there(data)

    database, store, dsn = elsewhere
    assert archive.take_in(database.begin, store, made.folder) == made.codes
    with database.begin() as work:
        after = work.archive.rows(dossier_id)
    imported = {name: rows for name, rows in after.items() if name != "audit"}
    assert imported == {name: rows for name, rows in before.items() if name != "audit"}
    assert after["audit"][: len(before["audit"])] == before["audit"]
    assert events(database, after)[: len(lines)] == lines
    _is_found(database, after, monkeypatch)
    for file in json.loads((data / "files.json").read_text("utf-8")):
        key = ObjectKey(file["sha256"], file["size"], file["media_type"])
        store.fetch(key, tmp_path / "fetched")  # raises unless its content has that hash

    # Its anchors are the other installation's own decision; then the verdict is the same to the letter.
    anchors.install_demo(database.begin, [office.pki.trust.anchor_der], now=NOW)
    with services.begin() as work, database.begin() as other:
        for der in work.trust.intermediates():
            other.trust.add_certificate(der, demo=True)
        for kept in work.trust.kept_lists():
            other.trust.keep_crl(kept.url, kept.der, fetched_at=NOW)
    (tmp_path / "result.pdf").write_bytes(pdf)
    said = verification.judge(database.begin, tmp_path / "result.pdf", judge=services.judges, now=datetime.now(UTC))
    assert (said.file.verdict.value, said.register.value) == (verdict["verdict"], verdict["register"]["code"])

    with pytest.raises(Duplicate):
        archive.take_in(database.begin, store, made.folder)
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT last FROM number_registers").fetchone()
    assert row == (before["number_registers"][0]["last"],)  # its numbers aren't given out again


def _is_found(database: Database, rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the index too, which was made anew."""
    monkeypatch.setattr(search, "_DOSSIERS_AT_FIRST", 0)
    page = next(page for page in rows["pages"] if len(page["text"].split()) >= 3)
    phrase = " ".join(page["text"].split()[:3])
    clerk = Actor(None, "a", "A", rows["dossiers"][0]["receiving"], frozenset({Role.CLERK}))
    with database.begin() as work:
        assert page["component_id"] in {str(hit.component_id) for hit in work.search.pages(clerk, phrase)}


def _says_what_is_there(data: Path) -> None:
    mets = "{http://www.loc.gov/METS/}"
    root = ET.parse(data / "mets.xml").getroot()  # noqa: S314  our own
    assert root.get("LABEL") == data.name  # the code, unchanged
    files = {file.get("CHECKSUM"): file.get("SIZE") for file in root.iter(f"{mets}file")}
    listed = json.loads((data / "files.json").read_text("utf-8"))
    assert files == {file["sha256"]: str(file["size"]) for file in listed}
    assert {e.text for e in root.iter("{http://www.loc.gov/premis/v3}eventType")} >= {"dossier.opened", "copy.signed"}


def test_what_belongs_to_a_dossier_is_listed_table_by_table() -> None:
    """A new table that points at a dossier must be carried along, or be left out on purpose."""
    belongs = {"dossiers"}
    while more := {
        table.name
        for table in tables.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in belongs and table.name not in belongs
    }:
        belongs |= more
    assert belongs - BELONGS.keys() - LEFT_OUT == set()


@pytest.fixture
def a_bag(tmp_path: Path) -> Path:
    bag = tmp_path / "bag"
    (bag / "data" / "nhà").mkdir(parents=True)
    (bag / "data" / "nhà" / "tờ 1%.txt").write_bytes(b"one")
    (bag / "data" / "two").write_bytes(b"")
    bags.close(bag, {"Source-Organization": "Trung tâm " * 20})
    return bag


def test_a_bag_is_whole_as_written(a_bag: Path) -> None:
    assert bags.check(a_bag) == bags.check(a_bag)
    assert "Payload-Oxum: 3.2" in (a_bag / "bag-info.txt").read_text("utf-8")
    assert (a_bag / "bagit.txt").read_text("utf-8").startswith("BagIt-Version: 1.0\n")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("change", "sai giá trị băm"),
        ("lose", "thiếu"),
        ("add", "không có trong danh mục"),
        ("manifest", "sai giá trị băm"),
        ("outside", "dòng sai"),
        ("link", "không có trong danh mục"),
    ],
)
def test_a_bag_that_is_not_whole_says_what_is_wrong(a_bag: Path, tmp_path: Path, what: str, said: str) -> None:
    file = a_bag / "data" / "two"
    if what == "change":
        file.write_bytes(b"!")
    elif what == "lose":
        file.unlink()
    elif what == "add":
        (a_bag / "data" / "three").write_bytes(b"")
    elif what == "link":
        (a_bag / "data" / "three").symlink_to(tmp_path)
    else:
        line = f"{'0' * 64}  {'../../x' if what == 'outside' else 'data/two'}\n"
        with (a_bag / "manifest-sha256.txt").open("a") as manifest:
            manifest.write(line if what == "outside" else "\n")
    with pytest.raises(bags.BadBag) as bad:
        bags.check(a_bag)
    assert any(said in one for one in bad.value.wrong)


def test_the_clock_of_the_archive_runs_from_the_end_and_stops_at_the_export(migrated_dsn: str) -> None:
    database = Database(migrated_dsn)
    furnish(database)
    clerk = clerk_of(CENTRE)
    with database.begin() as work:
        ended = work.dossiers.keep(dossier(state=DossierState.RETURNED))
        work.dossiers.keep(dossier(state=DossierState.IN_PROCESS))
    start = datetime.now(UTC)

    def due(by: timedelta) -> list[UUID]:
        with database.begin() as work:
            return [one.id for one in work.archive.due(clerk, by=start + by)]

    assert due(timedelta(days=364)) == []
    assert due(timedelta(days=366)) == [ended.id]
    with database.begin() as work:
        procedure = work.procedures.of(ended.procedure)
        work.procedures.keep(replace(procedure, archive_within_days=10))
    assert due(timedelta(days=9)) == []
    assert due(timedelta(days=11)) == [ended.id]
    with database.begin() as work:
        work.archive.mark(ended.id, at=start)
    assert due(timedelta(days=400)) == []
    with database.begin() as work:  # taken up again: what was archived is no longer all of it
        again = work.dossiers.keep(replace(work.dossiers.of(clerk, ended.id), state=DossierState.IN_PROCESS))
        work.dossiers.keep(replace(again, state=DossierState.RETURNED))
    assert due(timedelta(days=400)) == [ended.id]
    database.close()


def test_the_page_and_the_doctor_say_what_must_be_handed_over(own_office: Office) -> None:
    opened = open_dossier(own_office)
    ok(
        own_office.ask(
            centre.CLERK, "POST", f"/dossiers/{opened['id']}/close", json={"state": "cancelled", "reason": "Rút hồ sơ"}
        )
    )
    settings = Settings(database=own_office.services.dsn)

    def said(days_ago: int) -> tuple[str, Any]:
        with psycopg.connect(own_office.services.dsn) as connection:
            connection.execute("UPDATE dossiers SET finished_at = now() - make_interval(days => %s)", (days_ago,))
        (finding,) = to_archive(settings)
        return own_office.open(centre.LEADER, "/nop-luu").text, finding.state

    page, state = said(300)
    assert (opened["code"] in page, state) == (False, State.GOOD)
    page, state = said(350)
    assert (opened["code"] in page, "còn 15 ngày" in page, state) == (True, True, State.DOUBTFUL)
    page, state = said(370)
    assert ("quá hạn 5 ngày" in page, state) == (True, State.BAD)


def _comes_back_whole(
    office: Office, elsewhere: tuple[Database, MinioObjectStore, str], bag: Path, exported: set[str]
) -> None:
    database, store, _ = elsewhere
    assert set(archive.take_in(database.begin, store, bag)) == exported
    for code in exported:
        with office.services.begin() as here, database.begin() as there:
            dossier = here.dossiers.by_code(code)
            before, after = here.archive.rows(dossier.id), there.archive.rows(dossier.id)
        for (row,) in (before["dossiers"], after["dossiers"]):
            del row["archived_at"]  # noted here by the export, when the bag was made already
        kept = {name: rows for name, rows in after.items() if name not in ("audit", "number_registers")}
        assert kept == {name: before[name] for name in kept}


def test_the_command_exports_by_code_and_by_month_and_checks(
    office: Office,
    elsewhere: tuple[Database, MinioObjectStore, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened, _ = finished_dossier(office)
    monkeypatch.setattr("api.commands.archive.wire", lambda: office.services)
    monkeypatch.setattr(type(office.services), "close", lambda _: None)  # the other tests' office goes on
    assert cli.main(["archive", "export", opened["code"], "--to", str(tmp_path / "one")]) == 0
    with office.services.begin() as work:
        (row,) = work.archive.rows(UUID(opened["id"]))["dossiers"]
    # Of the day in Vietnam: there a month begins seven hours before it does in UTC.
    month = f"{datetime.fromisoformat(str(row['finished_at'])).astimezone(VIETNAM):%Y-%m}"
    assert cli.main(["archive", "export", month, "--to", str(tmp_path / "month")]) == 0
    exported = {path.name for path in (tmp_path / "month" / "data").iterdir()}
    assert opened["code"] in exported
    assert cli.main(["archive", "check", str(tmp_path / "month")]) == 0
    _comes_back_whole(office, elsewhere, tmp_path / "month", exported)
    assert cli.main(["archive", "export", opened["code"], "--to", str(tmp_path / "one")]) == 73
    assert cli.main(["archive", "export", str(uuid.uuid4()), "--to", str(tmp_path / "none")]) == 1
    shutil.rmtree(tmp_path / "one" / "data" / opened["code"] / "ket-qua")
    capsys.readouterr()
    assert cli.main(["archive", "import", str(tmp_path / "one")]) == 65
    assert "Gói không nguyên vẹn, chưa nhập gì" in capsys.readouterr().err
    assert cli.main(["archive", "due"]) == 0
