"""What the signing worker does by the clock: each of it really is done, by the process as it is started."""

from __future__ import annotations

import multiprocessing
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg

from api import doctor_archive, figures, worker
from api.demo import centre
from api.finding import State
from api.settings import Settings
from api.wiring import utc_now
from dossiers import authorities, fixity, holds, log_stamps
from dossiers.verdict_reports import VerdictReport
from tests.integration.conftest import bucket
from tests.integration.test_api_e_results import SEAL_KEEPER, digitised_dossier, issued, ok
from tests.integration.test_api_intake import add, open_dossier, unique_scan
from tests.office import Office, running_office, settings_at

if TYPE_CHECKING:
    from pathlib import Path

    from api.embedded.s3 import S3Access

_SPAWN = multiprocessing.get_context("spawn")
_PATIENCE_S = 120.0
_LOST = "0" * 63 + "7"


def _work(settings: Settings) -> None:
    """The signing worker as it is, but that it doesn't wait minutes after its start."""
    worker._STAMP_AFTER_S = worker._CHECK_AFTER_S = worker._LOCK_EVERY_S = figures.TELL_EVERY_S = 0.1
    fixity.ORPHAN_AFTER = fixity.UPLOAD_BROKEN_AFTER = timedelta(0)
    worker.run(worker.SIGNING, settings)


def left_undone(office: Office, held: UUID, ended: UUID, report: UUID) -> set[str]:
    """What nobody has done yet of all that was due."""
    with psycopg.connect(office.services.dsn) as connection:

        def one(query: str, *values: object) -> bool:
            row = connection.execute(query, values).fetchone()  # type: ignore[arg-type]
            return bool(row and row[0])

        done = {
            "lists": one("select count(*) > 0 from crls"),
            "evidence": one("select count(*) > 0 from e_result_documents"),
            "reports": one("select count(*) = 0 from verdict_reports where id = %s", report),
            "objects": one("select found = 'missing' from kept_objects where sha256 = %s", _LOST),
        }
    with office.services.begin() as work:
        done["log"] = any(line.event == log_stamps.STAMPED for line in work.audit.of(log_stamps.SUBJECT))
        done["locks"] = work.retention.of_dossier(ended, office.services.retention_years).locked_at is not None
        done["holds"] = holds.coverage_of(work, held, now=utc_now()).is_whole
    done["authorities"] = office.services.tsa_urls[0] in authorities.noted(office.services.begin)
    told = [one.state for one in doctor_archive.orphans(Settings(database=office.services.dsn))]
    done["orphans"] = told == [State.DOUBTFUL]
    store = office.services.archive_store
    done["uploads"] = store.client._list_multipart_uploads(store.bucket).uploads == []
    done["broken_off"] = not any(path.is_dir() for path in _outbox(office).iterdir())
    return {name for name, is_done in done.items() if not is_done}


def _outbox(office: Office) -> Path:
    return office.services.keys_folder / "outbox"


def test_everything_due_by_the_clock_is_done_by_a_signing_worker_that_was_just_started(
    tmp_path: Path, migrated_dsn: str, s3_server: S3Access
) -> None:
    s3 = bucket(s3_server)
    with running_office(tmp_path, migrated_dsn, s3) as office:
        issued(office, digitised_dossier(office))
        held, ended = (UUID(open_dossier(office)["id"]) for _ in range(2))
        for one in (held, ended):
            ok(add(office, {"id": str(one)}, "don.png", unique_scan()))
        closing = {"state": "cancelled", "reason": "Rút hồ sơ"}
        ok(office.ask(centre.CLERK, "POST", f"/dossiers/{ended}/close", json=closing))
        now = utc_now()
        report = VerdictReport(uuid4(), uuid4().hex, centre.SIGNERS[0].agency, now - timedelta(days=2), {})
        with office.services.begin() as work:
            keeper = work.accounts.of(SEAL_KEEPER).actor
            work.verdict_reports.keep(report)
        holds.place(office.services.begin, held, reason="Thanh tra", reference="1/TT", by=keeper, now=now)
        with psycopg.connect(migrated_dsn) as connection:
            connection.execute("delete from crls")
            connection.execute(
                "insert into kept_objects (sha256, size, media_type) values (%s, 7, 'application/pdf')", [_LOST]
            )
        (tmp_path / "nobody's").write_bytes(b"nobody's")
        office.services.archive_store.put(tmp_path / "nobody's", media_type="text/plain")
        store = office.services.archive_store
        store.client._create_multipart_upload(store.bucket, "sha256/aa/bb", {})
        (_outbox(office) / "tmp7").mkdir()
        (_outbox(office) / "tmp7/stored.pdf").write_bytes(b"what a killed worker was about to sign")
        os.utime(_outbox(office) / "tmp7", (0, 0))
        due = {
            "broken_off",
            "orphans",
            "uploads",
            "lists",
            "evidence",
            "reports",
            "objects",
            "log",
            "locks",
            "holds",
            "authorities",
        }
        assert left_undone(office, held, ended, report.id) == due

        settings = settings_at(tmp_path, migrated_dsn, s3, tsa_urls=office.services.tsa_urls)
        signing = _SPAWN.Process(target=_work, args=(settings,))
        signing.start()
        give_up = time.monotonic() + _PATIENCE_S
        while (undone := left_undone(office, held, ended, report.id)) and time.monotonic() < give_up:
            assert signing.is_alive()
            time.sleep(0.2)
        signing.terminate()
        signing.join(_PATIENCE_S)
        assert undone == set()
        assert signing.exitcode == 0
