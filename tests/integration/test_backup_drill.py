"""Everything is lost, and comes back: the database, the objects, the chain of the log, and what they are worth."""

from __future__ import annotations

import errno
import json
import shutil
import stat
import subprocess
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.conninfo import make_conninfo

from api import cli
from api.app import create_app
from api.commands.backup import programs
from api.key_folder import KeyFolder
from dossiers.ports import StoreUnavailable
from storage import backup
from storage import objects as stored
from storage.backup import BackupFailed
from tests.conftest import _database
from tests.contract.faulty_s3 import Fault, FaultyS3
from tests.integration.conftest import bucket
from tests.integration.kept_office import opened_store
from tests.integration.test_api_e_results import digitised_dossier, document, issued, look, verify
from tests.office import Office, running_office, settings_at
from tests.s3_proxy import one_bit_off

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from api.embedded.s3 import S3Access
    from tests.conftest import S3Settings


@pytest.fixture
def empty(s3_server: S3Access) -> S3Settings:
    """A bucket with nothing in it."""
    return bucket(s3_server)


@dataclass(frozen=True)
class LivedIn:
    """An office that issued a result, and the first backup of it."""

    office: Office
    where: S3Settings
    result: dict[str, Any]
    pdf: bytes
    place: Path
    taken: backup.Backup

    @property
    def dsn(self) -> str:
        return self.office.services.dsn


@pytest.fixture(scope="module")
def lived_in(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str, migrated_template: str, s3_server: S3Access
) -> Iterator[LivedIn]:
    """Only the last test destroys it."""
    folder, where = tmp_path_factory.mktemp("lived-in"), bucket(s3_server)
    for dsn in _database(postgres_server, template=migrated_template):
        with running_office(folder, dsn, where) as office:
            result = issued(office, digitised_dossier(office))
            pdf = document(office, result)
            with closing(opened_store(where)) as store:
                taken = backup.take(dsn, store, folder / "backups", programs=programs())
            yield LivedIn(office, where, result, pdf, folder / "backups", taken)


def lines_of_the_log(dsn: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select sequence, event, subject, hash from audit_log order by sequence").fetchall()


def tables_in(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
    assert row is not None
    return int(row[0])


def test_a_backup_holds_every_object_and_the_next_one_copies_only_what_is_new(
    lived_in: LivedIn, empty: S3Settings, postgres_dsn: str, tmp_path: Path
) -> None:
    taken = lived_in.taken
    assert taken.damaged == ()
    assert taken.copied == taken.objects > 10
    assert taken.log_end[0] == lines_of_the_log(lived_in.dsn)[-1][0]
    place = tmp_path / "backups"
    shutil.copytree(lived_in.place, place)
    (tmp_path / "new.txt").write_bytes(b"new since")
    with closing(opened_store(lived_in.where)) as store:
        store.put(tmp_path / "new.txt", media_type="text/plain")
        second = backup.take(lived_in.dsn, store, place, programs=programs())
        third = backup.take(lived_in.dsn, store, place, programs=programs())
    assert (second.copied, second.objects, third.copied) == (1, taken.objects + 1, 0)
    assert backup.newest(place) == third.folder

    shutil.rmtree(place / taken.folder.name)  # the others need it no more
    with closing(opened_store(empty)) as store:
        restored = backup.restore(second.folder, postgres_dsn, store, programs=programs())
    assert (restored.objects, restored.missing) == (second.objects, ())


def test_everything_moves_to_another_kind_of_store(
    lived_in: LivedIn, s3_settings: S3Settings, postgres_dsn: str, tmp_path: Path
) -> None:
    """As docs/operations.md says to: out of the bundled server by a backup, into MinIO or another, and whole there."""
    with closing(opened_store(s3_settings)) as other:
        moved = backup.restore(lived_in.taken.folder, postgres_dsn, other, programs=programs())
        assert (moved.objects, moved.missing) == (lived_in.taken.objects, ())
        there = backup.take(postgres_dsn, other, tmp_path / "backups", programs=programs())
    assert (there.objects, there.damaged) == (lived_in.taken.objects, ())


def test_what_is_not_whole_is_not_brought_back_and_nothing_is_overwritten(
    lived_in: LivedIn, empty: S3Settings, postgres_dsn: str, tmp_path: Path
) -> None:
    place = tmp_path / "backups"
    shutil.copytree(lived_in.place, place)
    folder = place / lived_in.taken.folder.name
    _, kept = backup.read(folder)
    with closing(opened_store(lived_in.where)) as store, pytest.raises(BackupFailed, match="không trống"):
        backup.restore(folder, lived_in.dsn, store, programs=programs())

    with closing(opened_store(empty)) as store:
        file = place / "objects" / kept[0].sha256[:2] / kept[0].sha256
        whole = file.read_bytes()
        for bad in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), None):
            file.unlink() if bad is None else file.write_bytes(bad)
            with pytest.raises(BackupFailed, match="thiếu hoặc hỏng"):
                backup.restore(folder, postgres_dsn, store, programs=programs())
        file.write_bytes(whole)

        for name in ("database.dump", "objects.jsonl"):
            right = (folder / name).read_bytes()
            (folder / name).write_bytes(right + b"\n")
            with pytest.raises(BackupFailed, match="thay đổi"):
                backup.restore(folder, postgres_dsn, store, programs=programs())
            (folder / name).write_bytes(right)
        assert tables_in(postgres_dsn) == 0
        assert list(store.client.list_objects(store.bucket, prefix="sha256/")) == []

        # Broken off between objects and database: begun again, it ends well.
        (tmp_path / "none").mkdir()
        with pytest.raises(BackupFailed, match="Chưa cài"):
            backup.restore(folder, postgres_dsn, store, programs=tmp_path / "none")
        assert tables_in(postgres_dsn) == 0
        assert backup.restore(folder, postgres_dsn, store, programs=programs()).missing == ()

        (tmp_path / "other.txt").write_bytes(b"another instance's")
        store.put(tmp_path / "other.txt", media_type="text/plain")
        with psycopg.connect(postgres_dsn, autocommit=True) as connection:
            connection.execute("drop schema public cascade; create schema public")
        with pytest.raises(BackupFailed, match="không thuộc"):
            backup.restore(folder, postgres_dsn, store, programs=programs())


def test_an_object_that_is_not_there_is_named_and_the_rest_is_taken(lived_in: LivedIn, tmp_path: Path) -> None:
    lost = "0" * 64
    with psycopg.connect(lived_in.dsn, autocommit=True) as connection:
        row = connection.execute("select id, scan_sha256 from components limit 1").fetchone()
        assert row is not None
        connection.execute("update components set scan_sha256 = %s where id = %s", (lost, row[0]))
    try:
        with closing(opened_store(lived_in.where)) as store:
            taken = backup.take(lived_in.dsn, store, tmp_path / "backups", programs=programs())
    finally:
        with psycopg.connect(lived_in.dsn, autocommit=True) as connection:
            connection.execute("update components set scan_sha256 = %s where id = %s", (row[1], row[0]))
    assert taken.damaged == (lost,)
    assert json.loads((taken.folder / "manifest.json").read_text())["damaged"] == [lost]


def test_an_object_that_the_store_cannot_give_is_named_and_the_rest_is_taken(
    lived_in: LivedIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stored._pool
    monkeypatch.setattr(stored, "_pool", lambda retries: real(min(retries, 1)))
    with psycopg.connect(lived_in.dsn) as connection:
        row = connection.execute("select scan_sha256 from components limit 1").fetchone()
    assert row is not None
    with (
        FaultyS3(lived_in.where.endpoint).running() as proxy,
        closing(opened_store(lived_in.where, endpoint=proxy.endpoint)) as store,
    ):
        path = f"sha256/{row[0][:2]}/{row[0][2:4]}/{row[0]}"
        there = store.client.list_objects(store.bucket, prefix="sha256/", recursive=True)
        elsewhere = {int(str(one.object_name)[7:9], 16) for one in there if stored._is_soon_read(one)}
        # SeaweedFS lists what comes after the whole folder of a first byte, others after its name alone.
        others = [byte - 1 for byte in elsewhere - {0, int(row[0][:2], 16)} if byte - 1 not in elsewhere]
        monkeypatch.setattr(stored, "_ASKED_AFTER", others[:5])
        store.probe()
        for name in (path, "probe/sentinel"):
            proxy.unreadable.add(str(store.client.stat_object(store.bucket, name).version_id))
        whole = backup.take(lived_in.dsn, store, tmp_path / "whole", programs=programs())
        assert not whole.damaged
        for fault in (Fault.FAILS_FOR_ONE, Fault.STOPS_FOR_ONE):
            proxy.fault = fault
            taken = backup.take(lived_in.dsn, store, tmp_path / fault.name, programs=programs())
            assert taken.damaged == (path,)
            assert taken.objects == whole.objects - 1
            assert not list((tmp_path / fault.name / "objects").glob(".*"))
        proxy.fault = Fault.DOWN
        with pytest.raises(StoreUnavailable):
            backup.take(lived_in.dsn, store, tmp_path / "down", programs=programs())
    assert backup.newest(tmp_path / "down") is None


def rot(place: Path, one: backup.Kept) -> Path:
    """One bit off in the copy that lies in a backup, as a disk leaves it: the size stays."""
    file = place / "objects" / one.sha256[:2] / one.sha256
    file.write_bytes(one_bit_off(file.read_bytes()))
    return file


def copies(taken: backup.Backup) -> list[backup.Kept]:
    """Of the content that is copied once for all backups, and has a bit to lose."""
    return [one for one in backup.read(taken.folder)[1] if one.path.startswith("sha256/") and one.size]


def test_a_copy_that_rotted_on_the_backup_disk_is_copied_anew_when_its_turn_comes(
    lived_in: LivedIn, empty: S3Settings, postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_SHARES", 3)
    place = tmp_path / "backups"
    shutil.copytree(lived_in.place, place)
    all_of_them = {one.path for one in copies(lived_in.taken)}
    for one in copies(lived_in.taken):
        rot(place, one)
    with closing(opened_store(lived_in.where)) as store:
        turns = [backup.take(lived_in.dsn, store, place, programs=programs()) for _ in range(4)]
        found = [set(taken.rotten) for taken in turns]
        assert found[0] | found[1] | found[2] == all_of_them
        assert sum(len(one) for one in found) == len(all_of_them)  # each once, and in no turn all of them
        assert max(len(one) for one in found) < len(all_of_them)
        assert not any(taken.damaged for taken in turns)
        assert json.loads((turns[1].folder / "manifest.json").read_text())["rotten"] == sorted(found[1])
    with closing(opened_store(empty)) as store:  # an old backup is mended with it
        restored = backup.restore(place / lived_in.taken.folder.name, postgres_dsn, store, programs=programs())
    assert (restored.objects, restored.missing) == (lived_in.taken.objects, ())


def test_everything_is_read_again_where_that_is_asked_for_and_what_is_gone_is_missed_each_time(
    lived_in: LivedIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "backups"
    shutil.copytree(lived_in.place, place)
    kept = copies(lived_in.taken)
    lost, cut, unreadable, *others = kept
    (place / "objects" / lost.sha256[:2] / lost.sha256).unlink()
    file = place / "objects" / cut.sha256[:2] / cut.sha256
    file.write_bytes(file.read_bytes()[:-1])
    for one in others:
        rot(place, one)
    real = backup._sha256

    def on_a_failing_disk(file: Path) -> str:
        """A fake: one place of the disk can't be read, which a real one can't be told to."""
        if file.name == unreadable.sha256:
            raise OSError(errno.EIO, "Input/output error")
        return real(file)

    with closing(opened_store(lived_in.where)) as store:
        monkeypatch.setattr(backup, "_SHARES", 1 << 40)  # nobody's turn
        taken = backup.take(lived_in.dsn, store, place, programs=programs())
        assert taken.rotten == tuple(sorted((lost.path, cut.path)))
        with monkeypatch.context() as failing:
            failing.setattr(backup, "_sha256", on_a_failing_disk)
            taken = backup.take(lived_in.dsn, store, place, programs=programs(), everything=True)
        assert taken.rotten == tuple(sorted(one.path for one in (unreadable, *others)))
        assert (taken.damaged, taken.copied >= len(taken.rotten)) == ((), True)
        assert backup.take(lived_in.dsn, store, place, programs=programs(), everything=True).rotten == ()


def test_a_rotten_copy_of_what_the_store_cannot_give_either_is_in_no_backup(
    lived_in: LivedIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stored._pool
    monkeypatch.setattr(stored, "_pool", lambda retries: real(min(retries, 1)))
    place = tmp_path / "backups"
    shutil.copytree(lived_in.place, place)
    one = copies(lived_in.taken)[0]
    rot(place, one)
    with (
        FaultyS3(lived_in.where.endpoint).running() as proxy,
        closing(opened_store(lived_in.where, endpoint=proxy.endpoint)) as store,
    ):
        proxy.fault, proxy.unreadable = Fault.FAILS_FOR_ONE, {one.path}
        taken = backup.take(lived_in.dsn, store, place, programs=programs(), everything=True)
    assert (taken.rotten, taken.damaged) == ((one.path,), (one.path,))
    assert one.path not in {kept.path for kept in backup.read(taken.folder)[1]}


def test_a_password_is_in_nobody_s_list_of_processes(
    lived_in: LivedIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[str], str]] = []
    real = subprocess.run

    def watched(command: list[str], **given: Any) -> Any:
        seen.append((command, given["env"].get("PGPASSWORD", "")))
        return real(command, **given)

    monkeypatch.setattr(backup.subprocess, "run", watched)
    with closing(opened_store(lived_in.where)) as store:
        backup.take(make_conninfo(lived_in.dsn, password="bi-mat"), store, tmp_path / "backups", programs=programs())
    ((command, password),) = seen
    assert password == "bi-mat"
    assert "bi-mat" not in " ".join(command)


def test_everything_is_destroyed_and_comes_back_with_hashes_chain_and_verdicts(
    lived_in: LivedIn,
    empty: S3Settings,
    postgres_dsn: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def instance(dsn: str, where: S3Settings, data: Path) -> None:
        for name, value in {
            "HOSO_MODE": "production",
            "HOSO_PUBLIC_URL": "https://hoso.example.vn",
            "HOSO_DATA": str(data),
            "HOSO_DATABASE": dsn,
            "HOSO_S3_ENDPOINT": where.endpoint,
            "HOSO_S3_ACCESS_KEY": where.access_key,
            "HOSO_S3_SECRET_KEY": where.secret_key,
            "HOSO_S3_BUCKET": where.bucket,
            "HOSO_S3_SECURE": str(where.secure),
            "HOSO_KEYS": str(data / "keys"),
            "HOSO_SERVICE_SECRET": "a secret of this test alone, long enough",
        }.items():
            monkeypatch.setenv(name, value)

    log = lines_of_the_log(lived_in.dsn)
    place, apart = tmp_path / "place", tmp_path / "apart"
    office = lived_in.office
    instance(lived_in.dsn, lived_in.where, office.services.keys_folder.parent)
    assert cli.main(["backup", str(place), "--keys-to", str(apart)]) == 0
    assert f"nhật ký tới dòng {log[-1][0]}" in capsys.readouterr().out
    assert stat.S_IMODE((apart / "service.secret").stat().st_mode) == 0o600
    (first,) = (folder for folder in place.iterdir() if folder.name != "objects")
    one = next(kept for kept in backup.read(first)[1] if kept.path.startswith("sha256/") and kept.size)
    rot(place, one)
    assert cli.main(["backup", str(place), "--check-everything"]) == 0
    assert f"đã chép lại (an earlier copy was bad, copied anew): {one.path}" in capsys.readouterr().err

    with psycopg.connect(lived_in.dsn, autocommit=True) as connection:
        connection.execute("drop schema public cascade; create schema public")
    instance(postgres_dsn, empty, tmp_path / "come-back")
    assert cli.main(["restore", str(place), "--keys-from", str(apart)]) == 0, capsys.readouterr().err
    assert "hoso audit verify" in capsys.readouterr().out
    assert lines_of_the_log(postgres_dsn) == log
    keys_folder = tmp_path / "come-back" / "keys"
    files = [file for file in (apart / "keys").rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert (keys_folder / file.relative_to(apart / "keys")).read_bytes() == file.read_bytes()

    settings = settings_at(tmp_path / "come-back", postgres_dsn, empty)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        services = client.app.state.services  # type: ignore[attr-defined]
        with closing(KeyFolder(services.keys_folder)) as keys:
            back = Office(client, services, office.pki, keys)
            assert document(back, lived_in.result) == lived_in.pdf
            assert look(back, lived_in.result)["state"]["code"] == "issued"
            told = verify(back, lived_in.pdf)
            assert (told["verdict"], told["register"]["code"], told["in_force"]) == ("genuine", "issued", True)
        with services.begin() as work:
            assert work.audit.first_break() is None
