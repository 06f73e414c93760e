"""What a look at all figures costs the database of a large office: holds, periods, archive, queues, what is stuck.

    .venv/bin/python -m bench.scrape [--dossiers 400000] [--looks 20] [--without-peer]

A PostgreSQL of its own with so many dossiers that have ended over three years, each of three papers of five pages and a
result with its objects: four in ten in the archive, all but a hundred locked, one in 20,000 under legal hold, one in
2,000 with something set aside. Each look is `Figures.counted` in a transaction of its own, as the web does it when
it is asked for its figures; told are the wall time, and the processor seconds of the server and of ours.

The peer asks the same questions where the partial indexes made for them aren't there.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from api.embedded import postgres
from bench.search import server_seconds
from storage.database import Database
from storage.migrations import migrate
from tests.integration import kept_office

#: Of one dossier: papers, pages of each.
_PAPERS, _PAGES = 3, 5
_PARTIAL = (
    "dossiers_to_archive",
    "dossiers_without_period",
    "dossiers_kept_until",
    "dossiers_to_lock",
    "kept_objects_perhaps_held_idx",
    "kept_objects_quarantined_idx",
    "holds_live",
)

#: One row of each kind is there; all others are like it but for what is named here.
_MANY = """
CREATE UNLOGGED TABLE many AS SELECT n, gen_random_uuid() AS id, now() - interval '3 years' * random() AS finished
FROM generate_series(1, %(many)s) AS n;

INSERT INTO dossiers
SELECT made.* FROM dossiers AS one, many, LATERAL jsonb_populate_record(one, jsonb_build_object(
    'id', many.id, 'code', 'M-' || many.n, 'lookup_code', 'M-' || many.n, 'state', 'finished',
    'opened_at', many.finished - interval '5 days', 'finished_at', many.finished,
    'archived_at', CASE WHEN many.n %% 10 < 4 THEN many.finished END,
    'kept_years', 10, 'kept_until', many.finished + interval '10 years',
    'lock_checked_at', CASE WHEN many.n > 100 THEN many.finished END)) AS made;

INSERT INTO components
SELECT made.* FROM components AS one, many, generate_series(1, %(papers)s) AS paper,
LATERAL jsonb_populate_record(one, jsonb_build_object(
    'id', gen_random_uuid(), 'dossier_id', many.id, 'ordinal', paper, 'scan_sha256', md5(many.n || '-' || paper),
    'trouble', CASE WHEN many.n %% 2000 = 0 AND paper = 1 THEN 'unreadable' ELSE '' END)) AS made;

INSERT INTO pages
SELECT made.* FROM pages AS one, components AS of, generate_series(1, %(pages)s) AS page,
LATERAL jsonb_populate_record(one, jsonb_build_object(
    'id', gen_random_uuid(), 'component_id', of.id, 'number', page,
    'picture_sha256', md5(of.id || '-' || page))) AS made
WHERE of.id <> one.component_id;

INSERT INTO e_results
SELECT made.* FROM e_results AS one, many, LATERAL jsonb_populate_record(one, jsonb_build_object(
    'id', gen_random_uuid(), 'dossier_id', many.id, 'document_sha256', md5('result-' || many.n))) AS made;

INSERT INTO kept_objects (sha256, size, media_type, found, checked_at, locked_until)
SELECT sha256, 100000, 'application/pdf', 'whole', now() - interval '30 days' * random(), now() + interval '10 years'
FROM (SELECT scan_sha256 AS sha256 FROM components UNION SELECT picture_sha256 FROM pages
      UNION SELECT document_sha256 FROM e_results) AS named WHERE sha256 IS NOT NULL
ON CONFLICT DO NOTHING;

INSERT INTO holds (id, dossier_id, agency, reason, reference, placed_by, placed_at, release_reason,
                   release_asked_by, released_by, version)
SELECT gen_random_uuid(), many.id, %(agency)s, 'court', 'CV', 'canbo', now(), '', '', '', 1
FROM many WHERE n %% 20000 = 1;
"""


def main() -> None:
    """Fill, look, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dossiers", type=int, default=400_000)
    parser.add_argument("--looks", type=int, default=20)
    parser.add_argument("--without-peer", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hoso-scrape-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        options = {"fsync": "off", "max_wal_size": "8GB", "autovacuum": "off"}
        dsn = postgres.start(folder / "postgres", options=options)
        try:
            migrate(dsn)
            _fill(dsn, given.dossiers)
            _look(dsn, f"{given.dossiers} dossiers", given.looks)
            if not given.without_peer:
                with psycopg.connect(dsn, autocommit=True) as connection:
                    for index in _PARTIAL:
                        connection.execute(f"DROP INDEX {index}")  # type: ignore[call-overload]  names of our own
                _look(dsn, "without the partial indexes · peer", max(3, given.looks // 5))
        finally:
            postgres.stop(folder / "postgres")


def _fill(dsn: str, many: int) -> None:
    database = Database(dsn)
    kept_office.furnish(database)
    with database.begin() as work:
        dossier = work.dossiers.keep(kept_office.dossier())
        work.components.keep_page(kept_office.page(work.components.keep(kept_office.component(dossier))))
        work.e_results.keep(kept_office.e_result(dossier))
    database.close()
    began = time.perf_counter()
    with psycopg.connect(dsn) as connection:
        asked = {"many": many, "papers": _PAPERS, "pages": _PAGES, "agency": kept_office.CENTRE.code}
        connection.execute(
            "SET session_replication_role = replica"
        )  # what refers to what is right by the way it's made
        for statement in _MANY.split(";\n"):
            if statement.strip():
                connection.execute(statement, asked)  # type: ignore[arg-type]  a constant
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
    print(f"{many} dossiers laid out in {time.perf_counter() - began:.0f} s", flush=True)


def _look(dsn: str, title: str, looks: int) -> None:
    database = Database(dsn)
    now = datetime.now(UTC)
    with psycopg.connect(dsn, autocommit=True) as server:
        with database.begin() as work:
            work.figures.counted(now=now)  # what is asked first finds nothing in memory; not told here
        walls = []
        before = time.process_time() + server_seconds(server)
        for _ in range(looks):
            began = time.perf_counter()
            with database.begin() as work:
                work.figures.counted(now=now)
            walls.append((time.perf_counter() - began) * 1000)
        spent = (time.process_time() + server_seconds(server) - before) / looks * 1000
    database.close()
    print(f"{title}: p50 {statistics.median(walls):.1f}, worst {max(walls):.1f} ms; cpu {spent:.1f} ms a look")


if __name__ == "__main__":
    main()
