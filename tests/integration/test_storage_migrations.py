"""One command brings a database to the schema the program expects, from nothing or from any revision."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from api import cli
from dossiers.types import Actor, Role, Within
from signing.types import StoreName
from storage import migrations, search
from storage.database import Database
from storage.migrations import current, head, migrate, procrastinate_schema
from storage.tables import metadata
from storage.words import folded, vector, written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from tests.pki import Pki


def test_an_empty_database_comes_to_the_newest_revision_and_stays(postgres_dsn: str) -> None:
    assert current(postgres_dsn) is None
    migrate(postgres_dsn)
    assert current(postgres_dsn) == head()
    migrate(postgres_dsn)
    assert current(postgres_dsn) == head()


def test_several_processes_may_start_at_once(postgres_dsn: str) -> None:
    with ThreadPoolExecutor(3) as processes:
        list(processes.map(migrate, [postgres_dsn] * 3))
    assert current(postgres_dsn) == head()


def test_the_migrated_schema_is_the_one_the_tables_describe(migrated_dsn: str) -> None:
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(migrated_dsn))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "compare_server_default": True, "include_name": _is_ours},
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_paper_taken_in_before_anybody_recorded_it_is_with_whoever_took_it_in(postgres_dsn: str) -> None:
    _upgrade(postgres_dsn, "0002")
    with psycopg.connect(postgres_dsn) as connection:
        for code in ("DESK", "POST"):
            connection.execute(
                "INSERT INTO agencies VALUES (%s, '', 'commune', NULL, '', '', '', '', '', 'review', NULL, NULL)",
                [code],
            )
        connection.execute("INSERT INTO procedures VALUES ('1', '', '[]', 1, '', '', '', '')")
        for code, helped_at in (("helped", "POST"), ("alone", None)):
            connection.execute(
                """
                INSERT INTO dossiers (id, code, lookup_code, procedure, applicant_name, applicant_id_number,
                    applicant_phone, applicant_address, receiving, competent, helped_at, state, opened_by, opened_at,
                    note, version)
                VALUES (gen_random_uuid(), %(code)s, %(code)s, '1', '', '', '', '', 'DESK', 'DESK', %(helped_at)s,
                    'in_process', 'motcua', now(), '', 1)
                """,
                {"code": code, "helped_at": helped_at},
            )

    migrate(postgres_dsn)

    with psycopg.connect(postgres_dsn) as connection:
        found = connection.execute("SELECT code, paper_at, transfer, paper_note FROM dossiers").fetchall()
    assert sorted(found) == [("alone", "DESK", None, ""), ("helped", "POST", None, "")]


def test_dossiers_kept_before_they_were_found_by_name_are_found_afterwards(postgres_dsn: str) -> None:
    _upgrade(postgres_dsn, "0003")
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute(
            "INSERT INTO agencies VALUES ('DESK', '', 'commune', NULL, '', '', '', '', '', 'review', NULL, NULL)"
        )
        connection.execute("INSERT INTO procedures VALUES ('1', '', '[]', 1, '', '', '', '')")
        connection.execute(
            """
            INSERT INTO dossiers (id, code, lookup_code, procedure, applicant_name, applicant_id_number,
                applicant_phone, applicant_address, receiving, competent, paper_at, state, opened_by, opened_at, note,
                paper_note, version)
            VALUES (gen_random_uuid(), '000.00.01.H99-260101-0007', '1', '1', 'Đỗ Thị Mơ', '', '', '', 'DESK', 'DESK',
                'DESK', 'in_process', 'motcua', now(), '', '', 1)
            """
        )

    migrate(postgres_dsn)

    database = Database(postgres_dsn)
    clerk = Actor(None, "motcua", "", "DESK", frozenset({Role.CLERK}))
    with database.begin() as work:
        for text in ("Đỗ Thị Mơ", "do thi mo", "260101-0007"):
            assert [d.applicant.name for d in work.dossiers.find(clerk, text)] == ["Đỗ Thị Mơ"]
    database.close()


def test_pages_kept_before_the_index_of_pairs_are_found_by_it_afterwards(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _upgrade(postgres_dsn, "0024")
    with psycopg.connect(postgres_dsn) as connection:
        for code in ("DESK", "OTHER"):
            connection.execute(
                "INSERT INTO agencies VALUES (%s, '', 'commune', NULL, '', '', '', '', '', 'review', NULL, NULL)",
                [code],
            )
        connection.execute(
            "INSERT INTO procedures (code, name, components, working_days, result_name, result_symbol, "
            "result_template, field_name) VALUES ('1', '', '[]', 1, '', '', '', '')"
        )
        connection.execute(
            """
            INSERT INTO dossiers (id, code, lookup_code, procedure, applicant_name, applicant_id_number,
                applicant_phone, applicant_address, receiving, competent, paper_at, state, opened_by, opened_at, note,
                paper_note, version)
            VALUES (gen_random_uuid(), '1', '1', '1', '', '', '', '', 'DESK', 'OTHER', 'DESK', 'in_process', 'a',
                '2025-12-31 17:00Z', '', '', 1);
            INSERT INTO components (id, dossier_id, ordinal, kind, name, scan_sha256, scan_size, scan_media_type,
                filename, pages_total, state, scanned_by, scanned_at, signed_scan, revision, trouble, keep_reason,
                version)
            SELECT gen_random_uuid(), id, 1, '', '', '', 0, '', '', 1, 'digitized', '', now(), false, 0, '', '', 1
            FROM dossiers;
            """
        )
        for number in range(1, 1203):
            text = f"Nguyễn Đình Đường tờ {number}" if number % 600 == 1 else ""
            connection.execute(
                "INSERT INTO pages (id, component_id, number, state, text, flags, measured, corrections, attempts, "
                "looks, trouble, reviewed_by, written, folded) SELECT gen_random_uuid(), id, %s, 'read', %s, '{}', "
                "'{}', '{}', 0, 0, '', '', %s, %s FROM components",
                [number, text, vector(written(text)), vector(folded(text))],
            )

    migrate(postgres_dsn)

    monkeypatch.setattr(search, "_DOSSIERS_AT_FIRST", 0)
    database = Database(postgres_dsn)
    year = Within(since=date(2026, 1, 1), until=date(2026, 12, 31))
    with database.begin() as work:
        for agency in ("DESK", "OTHER"):
            clerk = Actor(None, "motcua", "", agency, frozenset({Role.CLERK}))
            for phrase in ("Nguyễn Đình Đường", "nguyen dinh duong"):
                assert [hit.page for hit in work.search.pages(clerk, phrase, within=year)] == [1, 601, 1201]
    database.close()


def _upgrade(dsn: str, revision: str) -> None:
    """Bring a new database to an earlier revision."""
    config = migrations._config()
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    engine.dispose()


def test_what_was_trusted_before_two_had_to_agree_goes_on_counting(postgres_dsn: str, pki: Pki) -> None:
    _upgrade(postgres_dsn, "0007")
    with psycopg.connect(postgres_dsn) as connection:
        for der, anchor in ((pki.trust.anchor_der, True), (pki.trust.intermediates_der[0], False)):
            connection.execute(
                "INSERT INTO trust_certificates VALUES (%s, %s, %s, true)", [sha256(der).hexdigest(), der, anchor]
            )
    migrate(postgres_dsn)
    database = Database(postgres_dsn)
    with database.begin() as work:
        (anchor,) = work.trust.trusted_anchors()
        assert (anchor.der, anchor.store, anchor.demo) == (pki.trust.anchor_der, StoreName.CENTRE, True)
        assert anchor.counts(datetime.now(UTC))
        assert work.trust.intermediates() == [*pki.trust.intermediates_der]
    database.close()


def _is_ours(name: str | None, kind: str, _: Mapping[str, object]) -> bool:
    return kind != "table" or not str(name).startswith(("procrastinate_", "alembic_"))


def test_the_queue_has_the_schema_of_the_installed_procrastinate(migrated_dsn: str) -> None:
    """Fails when Procrastinate is upgraded: add a revision that calls `bring_up_to_date`."""
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(migrated_dsn))
    with engine.connect() as connection:
        assert procrastinate_schema.level(connection) == procrastinate_schema.newest()
    engine.dispose()


def test_a_queue_of_an_earlier_version_gets_what_came_since(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last two files are taken for new ones: only those are applied, and the level says so."""
    files = procrastinate_schema._files()
    earlier, newest = files[-3].stem, files[-1].stem
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(postgres_dsn))
    with engine.begin() as connection:
        procrastinate_schema.bring_up_to_date(connection)
        connection.execute(sa.text(f"COMMENT ON TABLE procrastinate_jobs IS 'procrastinate schema {earlier}'"))
        connection.execute(sa.text("CREATE TABLE applied (name text)"))
        monkeypatch.setattr(procrastinate_schema, "_files", lambda: [_Recorded(file.stem) for file in files])
        procrastinate_schema.bring_up_to_date(connection)
        applied = connection.execute(sa.text("SELECT name FROM applied ORDER BY name")).scalars().all()
        assert applied == [files[-2].stem, newest]
        assert procrastinate_schema.level(connection) == newest
    engine.dispose()


class _Recorded:
    """A migration file that writes down that it was applied, instead of being applied twice."""

    def __init__(self, stem: str) -> None:
        self.stem = stem

    def read_text(self, encoding: str) -> str:
        return f"INSERT INTO applied VALUES ('{self.stem}')"  # noqa: S608  a file's name


def test_one_command_brings_a_named_database_up_to_date(
    postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOSO_DATA", str(tmp_path))
    monkeypatch.setenv("HOSO_DATABASE", postgres_dsn)
    for before in ("trống", head()):
        assert cli.main(["migrate"]) == 0
        assert f"{before} → {head()}" in capsys.readouterr().out
    assert current(postgres_dsn) == head()
    monkeypatch.setenv("HOSO_DATABASE", "host=/nowhere dbname=hoso")
    assert cli.main(["migrate"]) == 69
    assert "chưa có gì thay đổi" in capsys.readouterr().err
