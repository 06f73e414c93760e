"""Figures for a Prometheus server: true, of every process, and nobody's business."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
from procrastinate import JobContext
from procrastinate.jobs import Job
from prometheus_client.parser import text_string_to_metric_families
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from api import doctor_archive, figures, jobs
from api.demo import centre
from api.finding import State
from api.settings import Settings
from api.wiring import utc_now
from dossiers import holds, retention
from dossiers.fixity import FoundAs
from signing import revocation
from signing.timestamp import BREAKERS, Timestamper
from signing.types import TrustServiceUnavailable
from storage import queue, workers
from tests.conftest import _administer
from tests.contract.faulty_s3 import Fault, FaultyS3
from tests.integration.conftest import bucket
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import add, open_dossier, unique_scan
from tests.office import Office, running_office
from tests.papers import scan_pdf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

    from api.embedded.s3 import S3Access

_TOKEN = "giam-sat-" + "x" * 30
_AT = "/api/v1/metrics"


@pytest.fixture
def watched(own_office: Office) -> Office:
    """An office that gives its figures to whoever shows the token."""
    state = own_office.client.app.state  # type: ignore[attr-defined]
    state.services = replace(state.services, metrics_token=_TOKEN)
    return own_office


def asked(office: Office, authorization: str | None = f"Bearer {_TOKEN}") -> Response:
    headers = {} if authorization is None else {"authorization": authorization}
    return office.client.get(_AT, headers=headers)


def told(office: Office) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample, by name and labels without the process."""
    answer = asked(office)
    assert answer.status_code == 200
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for family in text_string_to_metric_families(answer.text):
        for one in family.samples:
            labels = tuple(sorted((key, value) for key, value in one.labels.items() if key != "process"))
            found[one.name, labels] = found.get((one.name, labels), 0) + one.value
    return found


def test_the_door_is_there_only_for_whoever_shows_the_token(own_office: Office, watched: Office) -> None:
    for wrong in (None, "Bearer ", "Bearer sai", f"bearer {_TOKEN}", _TOKEN):
        assert asked(watched, wrong).status_code == 401
    assert asked(watched).status_code == 200
    state = own_office.client.app.state  # type: ignore[attr-defined]
    state.services = replace(state.services, metrics_token="")
    assert asked(own_office, "Bearer ").status_code == 404


def test_it_tells_of_queues_of_what_is_stuck_and_of_certificates(watched: Office) -> None:
    before = told(watched)
    assert before["hoso_stuck", (("what", "page"),)] == 0
    days = [value for (name, _), value in before.items() if name == "hoso_certificate_days_left"]
    assert len(days) >= len(centre.SIGNERS)
    assert all(0 < value < 4000 for value in days)

    with watched.services.begin() as work:
        work.jobs.extract_fields(uuid.uuid4())
    waiting = told(watched)
    at = (("queue", queue.PAPER), ("status", "todo"))
    assert waiting["hoso_jobs", at] == before.get(("hoso_jobs", at), 0) + 1
    assert 0 <= waiting["hoso_oldest_job_seconds", (("queue", queue.PAPER),)] < 3600


def test_old_dossiers_that_nobody_waits_for_alarm_nobody(watched: Office) -> None:
    before = told(watched)
    at, in_queue = (("queue", queue.PAGE), ("status", "todo")), (("queue", queue.PAGE),)
    with watched.services.begin() as work:
        work.jobs.read_page(uuid.uuid4(), back_file=True)
    waiting = told(watched)
    assert waiting["hoso_jobs", at] == before.get(("hoso_jobs", at), 0) + 1
    assert waiting["hoso_back_file_jobs", in_queue] == before.get(("hoso_back_file_jobs", in_queue), 0) + 1
    assert ("hoso_oldest_job_seconds", in_queue) not in waiting


def test_it_tells_of_objects_that_are_lost_and_of_the_longest_unread(watched: Office) -> None:
    before = told(watched)
    lost = "0" * 63 + "1"
    with psycopg.connect(watched.services.dsn) as connection:
        connection.execute(
            "insert into kept_objects (sha256, size, media_type) values (%s, 7, 'application/pdf')", [lost]
        )
    with watched.services.begin() as work:
        work.objects.note(lost, FoundAs.MISSING, versions=0, copied=False, at=utc_now() - timedelta(days=101))
    after = told(watched)
    missing, damaged = (("hoso_objects_quarantined", (("found", found),)) for found in ("missing", "damaged"))
    assert (after[missing], after[damaged]) == (before[missing] + 1, before[damaged])
    assert after["hoso_longest_unread_object_seconds", ()] > 100 * 86400


def test_it_tells_of_objects_without_a_row_once_somebody_has_counted_them(
    watched: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, settings = watched.services.database, Settings(database=watched.services.dsn)
    figures.tell_now(database, "web@one:1")
    assert not any(name == figures.WITHOUT_ROW for name, _ in told(watched))
    assert list(doctor_archive.orphans(settings)) == []
    for count, state in ((3, State.DOUBTFUL), (0, State.GOOD)):
        monkeypatch.setattr(figures.SWEPT, "without_row", count)
        figures.tell_now(database, "signing@one:2")
        assert told(watched)[figures.WITHOUT_ROW, ()] == count
        (finding,) = doctor_archive.orphans(settings)
        assert finding.state is state
        assert str(count or "Không có") in finding.vi


def test_it_tells_of_holds_of_locks_of_periods_and_of_what_the_archive_waits_for(watched: Office) -> None:
    before = told(watched)

    def since(name: str, **labels: str) -> float:
        which = (name, tuple(sorted(labels.items())))
        return told(watched)[which] - before[which]

    dossier = open_dossier(watched)
    ok(add(watched, dossier, "don.png", unique_scan()))
    services, office_now = watched.services, utc_now()
    with services.begin() as work:
        leader, keeper = (work.accounts.of(name).actor for name in (centre.LEADER, "vanthu.honggai"))
    of = uuid.UUID(dossier["id"])
    hold = holds.place(services.begin, of, reason="Thanh tra", reference="1/TT", by=keeper, now=office_now)
    assert (since("hoso_held_dossiers"), since("hoso_held_objects_unseen")) == (1, 1)
    holds.work_off(services.hold_desk(), now=office_now)
    assert (since("hoso_held_dossiers"), since("hoso_held_objects_unseen")) == (1, 0)
    with psycopg.connect(services.dsn) as connection:  # the signing worker hasn't looked for a week
        connection.execute("update kept_objects set hold_seen_at = now() - interval '7 days'")
    assert since("hoso_held_objects_unseen") == 1
    holds.ask_release(services.begin, hold.id, reason="Xong", by=keeper, now=office_now)
    assert since("hoso_hold_releases_waiting") == 1
    holds.confirm_release(services.begin, hold.id, by=leader, now=office_now)
    assert (since("hoso_hold_releases_waiting"), since("hoso_held_dossiers")) == (0, 0)

    closing = {"state": "cancelled", "reason": "Rút hồ sơ"}
    ok(watched.ask(centre.CLERK, "POST", f"/dossiers/{of}/close", json=closing))
    assert (since("hoso_unlocked_dossiers"), since("hoso_unlocked_objects")) == (1, 0)  # the timer comes soon
    with services.begin() as work:
        work.retention.settle(10)
    assert (since("hoso_unlocked_dossiers"), since("hoso_unlocked_objects")) == (1, 1)
    retention.work_off(services.retention_desk(), now=office_now)
    assert (since("hoso_unlocked_dossiers"), since("hoso_unlocked_objects")) == (0, 0)

    for days, kept in ((-10, (0, 1)), (20, (1, 0)), (40, (0, 0))):
        _moved(services.dsn, "kept_until", days)
        ending = tuple(since("hoso_retention_ending_dossiers", when=when) for when in ("soon", "past"))
        assert ending == kept
    for days, due in ((-300, (0, 0)), (-350, (1, 0)), (-370, (0, 1))):
        _moved(services.dsn, "finished_at", days)
        assert tuple(since("hoso_archive_due_dossiers", when=when) for when in ("soon", "past")) == due


def _moved(dsn: str, what: str, days: int) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(
            sql.SQL("update dossiers set {} = now() + make_interval(days => %s) where finished_at is not null").format(
                sql.Identifier(what)
            ),
            (days,),
        )


def test_each_process_tells_of_itself_and_is_forgotten_when_it_ended(watched: Office) -> None:
    assert watched.client.get("/api/v1/health/live").status_code == 200
    live = (("method", "GET"), ("route", "/health/live"), ("status", "200"))
    figures.tell_now(watched.services.database, "web@one:1")
    once = told(watched)["hoso_request_seconds_count", live]
    assert once >= 1
    figures.tell_now(watched.services.database, "web@two:2")
    assert told(watched)["hoso_request_seconds_count", live] == 2 * once

    with watched.services.database.begin() as work:
        work.figures.tell("web@two:2", [], now=utc_now() - timedelta(minutes=2))
    assert told(watched)["hoso_request_seconds_count", live] == once


def test_a_job_is_counted_by_its_task_and_outcome(watched: Office) -> None:
    def breaks(_job: Job, page_id: str) -> None:
        raise ValueError(page_id)

    job = Job(id=1, queue=queue.PAGE, lock=None, queueing_lock=None, task_name=queue.READ_PAGE)
    app = workers.make_app(watched.services.dsn)
    context = JobContext(app=app, job=job, start_timestamp=0.0, abort_reason=lambda: None)
    with pytest.raises(ValueError, match="someone"):
        jobs._measured("read_page", breaks)(context, page_id="someone")
    figures.tell_now(watched.services.database, "page@one:1")
    assert told(watched)["hoso_job_seconds_count", (("outcome", "failed"), ("task", "read_page"))] >= 1
    assert "someone" not in asked(watched).text


def test_no_figure_names_a_dossier_or_a_person(watched: Office) -> None:
    code = "/api/v1/dossiers/000.00.00.H00-260101-0001"
    watched.client.get(code)
    watched.client.request("ĐƯỜNG".encode().hex().upper(), code)
    figures.tell_now(watched.services.database, "web@one:1")
    shown = asked(watched).text
    assert "260101" not in shown
    assert 'method="other"' in shown
    for signer in centre.SIGNERS:
        assert signer.subject.name not in shown


def of_process(office: Office, process: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What this process tells at this moment, and no other one."""
    figures.tell_now(office.services.database, process)
    found = {}
    for family in text_string_to_metric_families(asked(office).text):
        for one in family.samples:
            labels = dict(one.labels)
            if labels.pop("process", "") == process:
                found[one.name, tuple(sorted(labels.items()))] = one.value
    return found


def _timestamped(url: str) -> None:
    asker = Timestamper([url], tries=1, deadline_s=10)
    with suppress(TrustServiceUnavailable):
        asyncio.run(asker.async_timestamp(hashlib.sha256(b"a document").digest(), "sha256"))


@pytest.fixture
def forgotten() -> Iterator[None]:
    """This process has asked no timestamp authority yet, nor will it have."""
    BREAKERS.reset()
    yield
    BREAKERS.reset()


@pytest.mark.usefixtures("forgotten")
def test_it_tells_how_long_trust_services_take_and_how_often_they_fail(watched: Office) -> None:
    (url,) = watched.services.tsa_urls
    at = ("host", urlsplit(url).hostname or "")
    stamping, asking = (at, ("kind", "timestamp")), (at, ("kind", "status"))
    assert ("hoso_trust_service_failures", stamping) not in of_process(watched, "sign@one:1")

    _timestamped(url)
    watched.refresh_lists()
    well = of_process(watched, "sign@one:1")
    assert 0 < well["hoso_trust_service_seconds", stamping] < 10
    assert 0 < well["hoso_trust_service_seconds", asking] < 60
    assert [well["hoso_trust_service_failures", which] for which in (stamping, asking)] == [0, 0]
    assert well["hoso_timestamp_rest_seconds", (at,)] == 0

    watched.pki.stop()
    for _ in range(3):
        _timestamped(url)
    with psycopg.connect(watched.services.dsn) as connection:
        (list_url,) = connection.execute("select url from crls limit 1").fetchone() or ("",)
    with pytest.raises(TrustServiceUnavailable):
        revocation.fetch_crl(list_url, publishers=())
    ill = of_process(watched, "sign@one:1")
    assert ill["hoso_trust_service_failures", stamping] == 3
    assert ill["hoso_trust_service_failures", asking] >= 1
    assert 0 < ill["hoso_timestamp_rest_seconds", (at,)] <= 3600
    assert ill["hoso_trust_service_seconds", stamping] == well["hoso_trust_service_seconds", stamping]


def test_it_tells_of_the_oldest_revocation_list(watched: Office) -> None:
    watched.refresh_lists()
    assert 0 <= told(watched)["hoso_oldest_revocation_list_seconds", ()] < 3600
    with psycopg.connect(watched.services.dsn) as connection:
        connection.execute(
            "update crls set fetched_at = now() - interval '2 days' where url = (select min(url) from crls)"
        )
    assert 2 * 86400 <= told(watched)["hoso_oldest_revocation_list_seconds", ()] < 2 * 86400 + 3600


def test_it_counts_the_pages_that_were_read(watched: Office) -> None:
    read = ("hoso_pages_read_total", ())
    before = of_process(watched, "page@one:1")[read]
    dossier = open_dossier(watched)
    ok(add(watched, dossier, "hai.pdf", scan_pdf(f"Trang một {uuid.uuid4()}", "Trang hai")))
    assert of_process(watched, "page@one:1")[read] == before
    watched.work_off()
    assert of_process(watched, "page@one:1")[read] == before + 2


def test_it_is_not_ready_while_the_database_is_away(watched: Office, postgres_server: str) -> None:
    name = conninfo_to_dict(watched.services.dsn)["dbname"]

    def answers(yes: str) -> None:
        """Let the server take connections to this database, or end all there are and take none."""
        _administer(postgres_server, f"alter database {name} allow_connections {yes}")
        if yes == "false":
            with psycopg.connect(postgres_server) as connection:
                connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])

    assert ready(watched) == (200, {"database": "ready", "store": "ready"})
    answers("false")
    try:
        away = ready(watched)
        alive = watched.client.get("/api/v1/health/live").status_code
    finally:
        answers("true")
    assert away == (503, {"database": "unavailable", "store": "ready"})
    assert alive == 200
    assert ready(watched)[0] == 200


def test_it_is_not_ready_while_the_store_is_away(tmp_path: Path, migrated_dsn: str, s3_server: S3Access) -> None:
    s3 = bucket(s3_server)
    with (
        FaultyS3(s3.endpoint).running() as proxy,
        running_office(tmp_path, migrated_dsn, replace(s3, endpoint=proxy.endpoint)) as office,
    ):
        assert ready(office) == (200, {"database": "ready", "store": "ready"})
        proxy.fault = Fault.DOWN
        assert ready(office) == (503, {"database": "ready", "store": "unavailable"})
        proxy.fault = Fault.NONE
        assert ready(office)[0] == 200


def ready(office: Office) -> tuple[int, Any]:
    answer = office.client.get("/api/v1/health/ready")
    return answer.status_code, answer.json()
