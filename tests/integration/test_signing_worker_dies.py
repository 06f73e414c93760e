"""A document that ends whoever signs it is set aside after three deaths, and the others are signed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg

from api import worker
from api.demo import centre
from api.suspects import MOST_BEGUN, Suspects
from api.wiring import utc_now
from dossiers import signatures
from dossiers.verdict_reports import ReportState, VerdictReport
from storage import workers
from tests.integration.conftest import bucket
from tests.integration.test_api_e_results import SEAL_KEEPER, approve, digitised_dossier, look, ok, submitted
from tests.integration.test_api_intake import add, open_dossier
from tests.integration.test_api_profiles import UONG_BI, component_of
from tests.integration.test_signed_then_stamped import a_dead_authority, events, kept
from tests.office import running_office, settings_at
from tests.papers import scan_png

if TYPE_CHECKING:
    from api.embedded.s3 import S3Access
    from api.settings import Settings
    from tests.office import Office

_SPAWN = multiprocessing.get_context("spawn")
_PATIENCE_S = 120.0


def _sign_till_told(settings: Settings, poison: str, made: str) -> None:
    """The signing worker as it is, but that one document, once signed, ends it: a library crashes while looking at it.

    Args:
        made: Gets a line with each signature that a key really makes.
    """
    really_make, really_look = signatures.sign.make, signatures._must_be_whole

    def make(unsigned: Path, target: Path, **more: Any) -> None:
        really_make(unsigned, target, **more)
        with Path(made).open("a", encoding="utf-8") as lines:
            lines.write(f"{target.name}\n")

    def looked_at(file: Path, *more: Any) -> None:
        if file.name.startswith(poison):
            os.kill(os.getpid(), signal.SIGKILL)
        really_look(file, *more)

    signatures.sign.make = make  # type: ignore[assignment]
    signatures._must_be_whole = looked_at  # type: ignore[assignment]
    worker.run(worker.SIGNING, settings)


def give_back(dsn: str) -> None:
    """What a watch does when a worker gave no sign of life for a while."""

    async def stalled() -> None:
        app = workers.make_app(dsn)
        async with app.open_async():
            await workers.retry_stalled(app, seconds_since_heartbeat=0)

    asyncio.run(stalled())


def state_of(office: Office, result: dict[str, Any]) -> tuple[str, str]:
    now = kept(office, result)
    return now.state.value, now.trouble


def test_a_result_that_kills_the_signing_worker_is_set_aside_and_another_is_signed(
    tmp_path: Path, migrated_dsn: str, s3_server: S3Access
) -> None:
    s3, made = bucket(s3_server), tmp_path / "made.txt"
    with running_office(tmp_path, migrated_dsn, s3) as office:
        dossier = digitised_dossier(office)
        poison, other = submitted(office, dossier), submitted(office, dossier)
        for result in (poison, other):
            ok(approve(office, result))
        settings = settings_at(tmp_path, migrated_dsn, s3, tsa_urls=(office.pki.trust.tsa_url,))
        for _ in range(MOST_BEGUN):
            signing = _SPAWN.Process(target=_sign_till_told, args=(settings, poison["id"], str(made)))
            signing.start()
            signing.join(_PATIENCE_S)
            assert signing.exitcode == -signal.SIGKILL
            give_back(migrated_dsn)
        assert state_of(office, poison) == ("approved", "")

        signing = _SPAWN.Process(target=_sign_till_told, args=(settings, poison["id"], str(made)))
        signing.start()
        give_up = time.monotonic() + _PATIENCE_S
        while (state_of(office, poison)[1], state_of(office, other)[0]) != ("signing_died", "sealed"):
            assert signing.is_alive()
            assert time.monotonic() < give_up
            time.sleep(0.2)
        signing.terminate()
        signing.join(_PATIENCE_S)
        assert signing.exitcode == 0

        aside = look(office, poison)
        assert aside["next_step"]["role"] == "seal_keeper"
        assert "làm dừng máy ký" in office.open(SEAL_KEEPER, f"/ket-qua/{poison['id']}").text
        ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{poison['id']}/resume"))
        office.work_off()
        assert state_of(office, poison) == ("issued", "")
        assert [events(office, poison, one) for one in ("e_result.made", "e_result.trouble")] == [2, 1]
    leader_signed = [line for line in made.read_text("utf-8").splitlines() if line.startswith(poison["id"])]
    assert len(leader_signed) == 1, "four workers and a fifth one: no key signed it twice"


def begun(office: Office, subject: str, times: int | None = None) -> list[int]:
    """How often the waiting jobs of a subject were begun without an end; `times` says so in their place."""
    mine = "from procrastinate_jobs where status = 'todo' and args::text like %s order by id"
    with psycopg.connect(office.services.dsn) as connection:
        if times is not None:
            connection.execute(
                "update procrastinate_jobs set args = args || jsonb_build_object('begun', %s::int) "
                "where status = 'todo' and args::text like %s",
                [times, f"%{subject}%"],
            )
        found = connection.execute(f"select coalesce((args ->> 'begun')::int, 0) {mine}", [f"%{subject}%"])  # type: ignore[arg-type]
        return [row[0] for row in found]


def test_a_copy_that_kills_the_signing_worker_is_set_aside_and_taken_up_again(office: Office) -> None:
    dossier = open_dossier(office, UONG_BI)
    component = ok(add(office, dossier, "a.png", scan_png("Giấy xác nhận", str(uuid4())), who=UONG_BI))
    office.work_off(*worker.READING)
    assert begun(office, component["id"], MOST_BEGUN) == [MOST_BEGUN]  # as if it had killed its worker three times
    office.work_off()
    aside = component_of(office, dossier, component, UONG_BI)
    assert (aside["state"]["code"], aside["trouble"]) == ("set_aside", "signing_died")
    step = ok(office.ask(UONG_BI, "GET", f"/dossiers/{dossier['id']}"))["next_step"]
    assert (step["code"], step["role"]) == ("rescan_or_retry", "clerk")
    ok(office.ask(UONG_BI, "POST", f"/dossiers/{dossier['id']}/components/{component['id']}/retry"))
    office.work_off()
    assert component_of(office, dossier, component, UONG_BI)["state"]["code"] == "read"


def test_an_outage_of_any_length_is_no_death(office: Office) -> None:
    result = submitted(office, digitised_dossier(office))
    with a_dead_authority(office):
        ok(approve(office, result))
        office.work_off(*worker.SIGNING)  # made, and its time can't be had
        for _ in range(MOST_BEGUN + 1):
            with office.services.begin() as work:
                work.jobs.sign_e_result(UUID(result["id"]), "leader")  # due
            office.work_off(*worker.SIGNING)
            assert begun(office, result["id"]) == [0]
        assert begun(office, result["id"], MOST_BEGUN - 1) == [MOST_BEGUN - 1]
        with office.services.begin() as work:
            work.jobs.sign_e_result(UUID(result["id"]), "leader")
        office.work_off(*worker.SIGNING)
        assert begun(office, result["id"]) == [0], "it lived to say that nobody answers"
    with office.services.begin() as work:
        work.jobs.sign_e_result(UUID(result["id"]), "leader")
    office.work_off()
    assert state_of(office, result) == ("issued", "")


def test_a_death_says_nothing_of_what_isnt_signed_there_any_more(office: Office) -> None:
    """Returned and submitted again, or signed by another job: the old one stops nothing."""
    result = submitted(office, digitised_dossier(office))
    ok(approve(office, result))
    with office.services.begin() as work:
        work.jobs.sign_e_result(UUID(result["id"]), "seal")
    with psycopg.connect(office.services.dsn) as connection:
        done = connection.execute(
            """
            update procrastinate_jobs set args = args || '{"begun": 3}', priority = 50
            where status = 'todo' and args @> jsonb_build_object('e_result_id', %s::text, 'place', 'seal')
            """,
            [result["id"]],
        )
        assert done.rowcount == 1
    office.work_off()
    assert state_of(office, result) == ("issued", "")
    assert events(office, result, "e_result.trouble") == 0


def test_fields_that_kill_whoever_looks_for_them_are_left_to_be_typed(office: Office) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.png", scan_png("Số: 12/QĐ-UBND", str(uuid4()))))
    office.work_off()
    with office.services.begin() as work:
        work.jobs.extract_fields(UUID(component["id"]))
    assert begun(office, component["id"], MOST_BEGUN) == [MOST_BEGUN]
    office.work_off()
    seen = component_of(office, dossier, component)
    assert (seen["state"]["code"], seen["trouble"]) == ("read", "fields_failed")


def test_a_report_that_kills_the_signing_worker_says_so_to_whoever_waits(office: Office) -> None:
    with office.services.begin() as work:
        report = VerdictReport(uuid4(), uuid4().hex, centre.SIGNERS[0].agency, utc_now(), {})
        work.verdict_reports.keep(report)
        work.jobs.make_report(report.id)
    assert begun(office, str(report.id), MOST_BEGUN) == [MOST_BEGUN]
    office.work_off()
    with office.services.begin() as work:
        told = work.verdict_reports.of(report.id)
    assert told is not None
    assert (told.state, told.problem) == (ReportState.FAILED, "report_died")


def test_whoever_is_under_suspicion_runs_alone_and_others_together(office: Office) -> None:
    suspects, together = Suspects(office.services), threading.Barrier(2)
    running: list[str] = []
    seen: dict[str, list[str]] = {}

    def run(name: str, begun: int, meet: threading.Barrier | None = None) -> None:
        with suspects.at_work(0, begun=begun):
            running.append(name)
            if meet is not None:
                meet.wait(_PATIENCE_S)
            seen[name] = list(running)
            running.remove(name)

    with ThreadPoolExecutor(6) as pool:
        innocents = [pool.submit(run, name, 0, together) for name in ("a", "b")]  # each waits for the other
        for one in innocents:
            one.result(_PATIENCE_S)
        suspected = [pool.submit(run, f"{name}", 1) for name in range(40)]
        for one in suspected:
            one.result(_PATIENCE_S)
    assert all(seen[str(name)] == [str(name)] for name in range(40))
    assert set(seen["a"]) | set(seen["b"]) == {"a", "b"}
