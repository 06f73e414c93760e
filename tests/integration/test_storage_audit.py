"""The log holds together under many hands, refuses to be changed, and shows where somebody changed it all the same."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from storage.audit import canonical, line_hash
from storage.database import Database
from tests.integration.kept_office import CENTRE, clerk_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLERK = clerk_of(CENTRE)


@pytest.fixture
def database(migrated_dsn: str) -> Iterator[Database]:
    database = Database(migrated_dsn, pool_size=8)
    yield database
    database.close()


@pytest.fixture
def tamper(migrated_dsn: str) -> Callable[[str], None]:
    """Change the log as only the owner of the database can: past the trigger."""

    def tamper(statement: str) -> None:
        with psycopg.connect(migrated_dsn) as connection:
            connection.execute("ALTER TABLE audit_log DISABLE TRIGGER audit_log_is_append_only")
            connection.execute(statement)  # type: ignore[arg-type]
            connection.execute("ALTER TABLE audit_log ENABLE TRIGGER audit_log_is_append_only")

    return tamper


def write(database: Database, lines: int) -> None:
    for number in range(lines):
        with database.begin() as work:
            work.audit.append(CLERK, "dossier.opened", f"subject-{number}", number=number)


def first_break(database: Database) -> int | None:
    with database.begin() as work:
        return work.audit.first_break()


def test_a_line_comes_back_as_it_was_written(database: Database) -> None:
    subject = uuid4()
    with database.begin() as work:
        work.audit.append(CLERK, "result.numbered", subject, number=5, dated=date(2026, 11, 20), of=subject, note="đã")
        work.audit.append(CLERK, "result.approved", subject)
        inside = work.audit.of(subject)
    with database.begin() as work:
        numbered, approved = after = work.audit.of(subject)
    assert inside == after
    assert (numbered.sequence, numbered.actor, numbered.agency) == (1, CLERK.username, CENTRE.code)
    assert numbered.detail == {"number": 5, "dated": "2026-11-20", "of": str(subject), "note": "đã"}
    assert approved.previous_hash == numbered.hash


def test_several_subjects_are_asked_for_at_once(database: Database) -> None:
    one, other, third = uuid4(), uuid4(), uuid4()
    with database.begin() as work:
        for subject in (one, third, other, one):
            work.audit.append(CLERK, "result.approved", subject)
    with database.begin() as work:
        found = work.audit.of_all([one, other])
        read = work.audit.of_all([one, other], event="result.read")
    assert [line.subject for line in found] == [str(one), str(other), str(one)]
    assert read == []


def test_an_empty_log_holds(database: Database) -> None:
    assert first_break(database) is None


def test_the_chain_holds_under_eight_hands(database: Database) -> None:
    together = threading.Barrier(8)

    def work_along(hand: int) -> None:
        together.wait()
        for number in range(10):
            with database.begin() as work:
                work.audit.append(CLERK, "page.read", f"{hand}-{number}")
                work.audit.append(CLERK, "page.kept", f"{hand}-{number}")

    with ThreadPoolExecutor(8) as hands:
        list(hands.map(work_along, range(8)))
    with database.begin() as work:
        assert work.audit.first_break() is None
        lines = [line for hand in range(8) for number in range(10) for line in work.audit.of(f"{hand}-{number}")]
    assert sorted(line.sequence for line in lines) == list(range(1, 161))


def test_people_who_log_before_and_after_do_not_wait_for_each_other(database: Database) -> None:
    """The end of the chain is held only at the very end, so a line appended early blocks nobody."""
    with database.begin() as early:
        early.audit.append(CLERK, "dossier.opened", "early")
        with database.begin() as late:
            late.audit.append(CLERK, "dossier.opened", "late")
    with database.begin() as work:
        assert [work.audit.of(subject)[0].sequence for subject in ("late", "early")] == [1, 2]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'ai đó' WHERE sequence = 2",
        "DELETE FROM audit_log WHERE sequence = 3",
        "TRUNCATE audit_log",
    ],
)
def test_the_database_refuses_to_change_the_log(database: Database, migrated_dsn: str, statement: str) -> None:
    write(database, 3)
    with psycopg.connect(migrated_dsn) as connection, pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_log SET actor = 'ai đó' WHERE sequence = 2", 2),
        ("""UPDATE audit_log SET detail = '{"number":9}' WHERE sequence = 4""", 4),
        ("UPDATE audit_log SET at = at + interval '1 microsecond' WHERE sequence = 1", 1),
        ("UPDATE audit_log SET subject = 'subject-9' WHERE sequence = 5", 5),
        ("UPDATE audit_log SET hash = repeat('0', 64) WHERE sequence = 3", 3),
        ("DELETE FROM audit_log WHERE sequence = 1", 1),
        ("DELETE FROM audit_log WHERE sequence = 3", 3),
        ("DELETE FROM audit_log WHERE sequence >= 4", 4),
        ("DELETE FROM audit_log", 1),
        ("UPDATE audit_log SET sequence = -sequence WHERE sequence IN (2, 3)", 1),
    ],
)
def test_a_changed_log_shows_where(
    database: Database, tamper: Callable[[str], None], statement: str, found: int
) -> None:
    write(database, 5)
    assert first_break(database) is None
    tamper(statement)
    assert first_break(database) == found


def test_a_line_forged_with_a_fitting_hash_breaks_the_next(database: Database, tamper: Callable[[str], None]) -> None:
    write(database, 4)
    with database.begin() as work:
        line = asdict(work.audit.of("subject-1")[0])
    fitting = line_hash(line | {"actor": "forger", "detail": canonical(line["detail"])})
    tamper(f"UPDATE audit_log SET actor = 'forger', hash = '{fitting}' WHERE sequence = 2")  # noqa: S608  our own hash
    assert first_break(database) == 3
