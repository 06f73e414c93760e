"""What the counter asks of what is kept: who is here again, how reading gets on, which slips are done with."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from dossiers.transfers import Transfer
from dossiers.types import Applicant, DossierState, PageState, TransferState
from storage.database import Database
from storage.workers import STALLED_AFTER_S
from tests.integration.kept_office import (
    CENTRE,
    COMMUNE,
    NOON,
    POST_OFFICE,
    PROCEDURE,
    clerk_of,
    dossier,
    kept_component,
    page,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.database import PostgresUnitOfWork

CLERK = clerk_of(CENTRE)
STRANGER = clerk_of(COMMUNE)


def test_the_same_person_is_known_by_the_personal_id_whatever_the_name(work: PostgresUnitOfWork) -> None:
    older = work.dossiers.keep(dossier(applicant=Applicant("NGUYEN A", "001099000007"), opened_at=NOON))
    newer = work.dossiers.keep(
        dossier(applicant=Applicant("Nguyễn Á", "001099000007", "09"), opened_at=NOON + timedelta(days=1))
    )
    work.dossiers.keep(dossier(applicant=Applicant("NGUYEN A", "001099000008")))

    found = work.dossiers.still_open(CLERK, PROCEDURE.code, Applicant("Nguyễn A", "001099000007"))

    assert [d.id for d in found] == [newer.id, older.id]


def test_without_a_personal_id_name_and_telephone_must_agree(work: PostgresUnitOfWork) -> None:
    same = work.dossiers.keep(dossier(applicant=Applicant("Lê Thị Mơ", "", "0912")))
    work.dossiers.keep(dossier(applicant=Applicant("Lê Thị Mơ", "", "0999")))
    work.dossiers.keep(dossier(applicant=Applicant("Lê Thị Mo", "", "0912")))

    found = work.dossiers.still_open(CLERK, PROCEDURE.code, Applicant("LÊ THỊ MƠ", "", "0912"))

    assert [d.id for d in found] == [same.id]


@pytest.mark.parametrize(
    ("case", "actor", "procedure"),
    [("finished", CLERK, PROCEDURE.code), ("another's", STRANGER, PROCEDURE.code), ("other", CLERK, "9.999999")],
)
def test_what_is_finished_of_others_or_of_another_procedure_warns_nobody(
    work: PostgresUnitOfWork, case: str, actor: object, procedure: str
) -> None:
    who = Applicant("Lê Thị Mơ", "001099000009")
    work.dossiers.keep(
        dossier(applicant=who, state=DossierState.RETURNED if case == "finished" else DossierState.DRAFT)
    )

    assert work.dossiers.still_open(actor, procedure, who) == []  # type: ignore[arg-type]


def test_a_glance_shows_how_a_page_begins_and_when_it_last_moved(database: Database) -> None:
    with database.begin() as work:
        component = kept_component(work)
        new = page(component)
        work.components.keep_page(new)
    with database.begin() as work:
        (before,) = work.components.glance([component.id])
        work.components.begin_attempt(new.id)
    with database.begin() as work:
        (begun,) = work.components.glance([component.id])
        work.components.keep_page(replace(new, state=PageState.READ, text="ĐƠN ĐỀ NGHỊ\n" + "chữ " * 500))
    with database.begin() as work:
        (read,) = work.components.glance([component.id])

    assert (before.beginning, before.attempts, begun.attempts) == ("", 0, 1)
    assert before.touched_at < begun.touched_at < read.touched_at
    assert read.beginning.startswith("ĐƠN ĐỀ NGHỊ\nchữ")
    assert len(read.beginning) == 200


@contextmanager
def _reading(dsn: str, *, heartbeat_ago_s: float) -> Iterator[None]:
    """A worker that is at a page, by what the queue knows."""
    with psycopg.connect(dsn) as connection:
        worker = connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) "
            "VALUES (now() - make_interval(secs => %s)) RETURNING id",
            [heartbeat_ago_s],
        ).fetchone()
        assert worker is not None
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id) "
            "VALUES ('page', 'read_page', '{}', 'doing', %s)",
            [worker[0]],
        )
    yield


def test_only_a_living_worker_at_a_page_counts_as_reading(migrated_dsn: str) -> None:
    database = Database(migrated_dsn)
    try:
        with database.begin() as work:
            work.jobs.read_page(uuid4())
            idle = work.jobs.is_reading()
        with _reading(migrated_dsn, heartbeat_ago_s=STALLED_AFTER_S + 1), database.begin() as work:
            dead = work.jobs.is_reading()
        with _reading(migrated_dsn, heartbeat_ago_s=1), database.begin() as work:
            alive = work.jobs.is_reading()
    finally:
        database.close()

    assert (idle, dead, alive) == (False, False, True)


def test_slips_that_are_done_with_are_found_by_both_sides_the_last_first(work: PostgresUnitOfWork) -> None:
    def slip(state: TransferState, minutes: int) -> Transfer:
        code = f"BG-{POST_OFFICE.code}-261120-{time.monotonic_ns()}"
        closed = None if state is TransferState.SENT else NOON + timedelta(minutes=minutes)
        return work.transfers.keep(
            Transfer(uuid4(), code, POST_OFFICE.code, CENTRE.code, "buudien", NOON, (), state, closed_at=closed)
        )

    first, last = slip(TransferState.ACCEPTED, 1), slip(TransferState.RECALLED, 2)
    slip(TransferState.SENT, 3)

    for actor in (CLERK, clerk_of(POST_OFFICE)):
        assert [t.id for t in work.transfers.closed(actor)] == [last.id, first.id]
        assert [t.id for t in work.transfers.closed(actor, limit=1)] == [last.id]
    assert work.transfers.closed(STRANGER) == []
