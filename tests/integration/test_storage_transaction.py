"""One transaction over data, jobs, numbers and the audit log, with several people at work at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from dossiers.types import Changed, Duplicate, NotFound, PageState
from storage.database import Database, DatabaseUnavailable
from tests.integration.kept_office import CENTRE, clerk_of, component, dossier, e_result, furnish, kept_component, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dossiers.types import Component

ACTOR = clerk_of(CENTRE)
THREADS = 8


@pytest.fixture
def database(migrated_dsn: str) -> Iterator[Database]:
    database = Database(migrated_dsn)
    furnish(database)
    yield database
    database.close()


@pytest.fixture
def ask(migrated_dsn: str) -> Callable[[str], list[tuple[object, ...]]]:
    """Ask the database itself, behind the repositories."""

    def ask(query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(migrated_dsn) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    return ask


class GoneWrong(Exception):
    pass


def test_leaving_the_block_keeps_the_dossier_its_job_and_its_line_in_the_log(
    database: Database, ask: Callable[[str], list[tuple[object, ...]]]
) -> None:
    with database.begin() as work:
        of = kept_component(work)
        work.jobs.read_page(uuid4())
        work.jobs.assemble(of.id, 1)
        work.audit.append(ACTOR, "component.received", of.id)
    assert ask("SELECT count(*) FROM components") == [(1,)]
    assert ask("SELECT queue_name, task_name FROM procrastinate_jobs ORDER BY 2") == [
        ("assemble", "assemble"),
        ("page", "read_page"),
    ]
    assert ask("SELECT event, actor FROM audit_log") == [("component.received", ACTOR.username)]


def test_an_exception_takes_everything_back_the_jobs_too(
    database: Database, ask: Callable[[str], list[tuple[object, ...]]]
) -> None:
    with suppress(GoneWrong), database.begin() as work:
        of = kept_component(work)
        work.jobs.read_page(uuid4())
        work.jobs.assemble(of.id, 1)
        work.jobs.flush()
        work.audit.append(ACTOR, "component.received", of.id)
        work.audit.flush()
        work.dossiers.next_ordinal(CENTRE.code, date(2026, 11, 20))
        raise GoneWrong
    assert ask("SELECT id FROM components UNION ALL SELECT id FROM dossiers") == []
    assert ask("SELECT id FROM procrastinate_jobs") == []
    assert ask("SELECT sequence FROM audit_log") == []
    assert ask("SELECT last FROM day_ordinals") == []


def test_the_same_job_twice_waits_once_and_the_transaction_goes_on(
    database: Database, ask: Callable[[str], list[tuple[object, ...]]]
) -> None:
    component_id, e_result_id = uuid4(), uuid4()
    for _ in range(2):
        with database.begin() as work:
            for _ in range(2):
                work.jobs.assemble(component_id, 3)
                work.jobs.extract_fields(component_id)
                work.jobs.sign_copy(component_id, 3)
                work.jobs.sign_e_result(e_result_id, "leader")
                work.jobs.issue(e_result_id)
            work.dossiers.keep(dossier())
    assert ask("SELECT task_name, queue_name, args->>'revision', lock FROM procrastinate_jobs ORDER BY id") == [
        ("assemble", "assemble", "3", None),
        ("extract_fields", "assemble", None, None),
        ("sign_copy", "sign", "3", f"sign:{component_id}"),
        ("sign_e_result", "sign", None, f"sign:{e_result_id}"),
        ("issue", "issue", None, None),
    ]
    assert ask("SELECT count(*) FROM dossiers") == [(2,)]


def test_two_thousand_pages_of_one_file_step_back_for_those_behind_them(
    database: Database, ask: Callable[[str], list[tuple[object, ...]]]
) -> None:
    pages = [uuid4() for _ in range(2_000)]
    with database.begin() as work:
        for page_id in pages:
            work.jobs.read_page(page_id)
    small = uuid4()
    with database.begin() as work:
        work.jobs.read_page(small)
    waiting = ask("SELECT args->>'page_id' FROM procrastinate_jobs ORDER BY priority DESC, id")
    ahead_of_small = [row[0] for row in waiting].index(str(small))
    assert (len(waiting), ahead_of_small) == (2_001, 20)
    assert [row[0] for row in waiting if row[0] != str(small)] == [str(page_id) for page_id in pages]


def test_of_two_writers_the_second_is_told(database: Database) -> None:
    with database.begin() as work:
        first = work.dossiers.keep(dossier())
    with database.begin() as work:
        work.dossiers.keep(replace(first, note="của người thứ nhất"))
    with pytest.raises(Changed), database.begin() as work:
        work.dossiers.keep(replace(first, note="của người thứ hai"))
    with database.begin() as work:
        kept = work.dossiers.of(ACTOR, first.id)
    assert (kept.note, kept.version) == ("của người thứ nhất", 2)


def test_a_thing_kept_twice_as_new_is_told(database: Database) -> None:
    new = dossier()
    with database.begin() as work:
        work.dossiers.keep(new)
    with pytest.raises(Changed), database.begin() as work:
        work.dossiers.keep(new)


def test_a_code_that_is_taken_is_refused_and_the_transaction_goes_on(database: Database) -> None:
    with database.begin() as work:
        taken = work.dossiers.keep(dossier())
        with pytest.raises(Duplicate) as refused:
            work.dossiers.keep(dossier(lookup_code=taken.lookup_code))
        another = work.dossiers.keep(dossier())
    assert refused.value.of == "dossiers_lookup_code_key"
    with database.begin() as work:
        assert work.dossiers.of(ACTOR, another.id) == another


def test_numbers_taken_at_once_have_no_gap_and_no_double(database: Database) -> None:
    """Eight people take five numbers each; a third of their transactions fail and give theirs back."""
    with database.begin() as work:
        of = work.dossiers.keep(dossier())
        results = [work.e_results.keep(e_result(of)) for _ in range(THREADS * 5)]
    together = threading.Barrier(THREADS)

    def take(mine: list[object]) -> list[int]:
        together.wait()
        taken = []
        for index, result in enumerate(mine):
            with suppress(GoneWrong), database.begin() as work:
                number = work.e_results.take_number(CENTRE.code, "GCN-TTPVHCC", 2026, result.id)  # type: ignore[attr-defined]
                if index % 3 == 0:
                    raise GoneWrong
                taken.append(number)
        return taken

    with ThreadPoolExecutor(THREADS) as people:
        taken = [n for some in people.map(take, [results[i::THREADS] for i in range(THREADS)]) for n in some]
    assert sorted(taken) == list(range(1, len(taken) + 1))
    assert len(taken) == THREADS * 3


def test_the_first_number_of_a_year_taken_at_once_is_one_and_two(database: Database) -> None:
    with database.begin() as work:
        of = work.dossiers.keep(dossier())
        results = [work.e_results.keep(e_result(of)) for _ in range(2)]
    together = threading.Barrier(2)

    def take(result_id: object) -> tuple[int, int]:
        together.wait()
        with database.begin() as work:
            return (
                work.e_results.take_number(CENTRE.code, "QĐ-TTPVHCC", 2027, result_id),  # type: ignore[arg-type]
                work.dossiers.next_ordinal(CENTRE.code, date(2027, 1, 4)),
            )

    with ThreadPoolExecutor(2) as people:
        assert sorted(people.map(take, [result.id for result in results])) == [(1, 1), (2, 2)]


def test_a_voided_number_is_not_given_out_again(database: Database) -> None:
    register = (CENTRE.code, "GCN-TTPVHCC", 2026)
    with database.begin() as work:
        of = work.dossiers.keep(dossier())
        one, two = work.e_results.keep(e_result(of)), work.e_results.keep(e_result(of))
        assert work.e_results.take_number(*register, one.id) == 1
        with pytest.raises(Duplicate):
            work.e_results.take_number(*register, one.id)
        work.e_results.void_number(*register, 1, "trả lại để sửa")
        with pytest.raises(NotFound):
            work.e_results.void_number(*register, 1, "lần nữa")
        assert work.e_results.take_number(*register, one.id) == 2
        assert work.e_results.take_number(*register, two.id) == 3
        with pytest.raises(NotFound):
            work.e_results.void_number(*register, 99, "chưa cấp")


def test_the_last_page_read_calls_for_assembly_exactly_once(
    database: Database, ask: Callable[[str], list[tuple[object, ...]]]
) -> None:
    """Eight workers finish the sixteen pages of one paper, each page twice, as after a worker's death."""
    with database.begin() as work:
        of = kept_component(work, pages_total=16)
        pages = [page(of, number) for number in range(1, 17)]
        for each in pages:
            work.components.keep_page(each)
    together = threading.Barrier(THREADS)

    def finish(mine: list[object]) -> int:
        together.wait()
        return sum(_finish_page(database, of, page_id) for page_id in mine)

    twice = [each.id for each in pages] * 2
    with ThreadPoolExecutor(THREADS) as workers:
        asked = sum(workers.map(finish, [twice[i::THREADS] for i in range(THREADS)]))
    assert asked == 1
    assert ask("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'assemble'") == [(1,)]


def _finish_page(database: Database, of: Component, page_id: object) -> bool:
    """What the use case does: the page once, and assembly when none is left."""
    with database.begin() as work:
        work.components.lock(of.id)
        mine = work.components.page(page_id)  # type: ignore[arg-type]
        if mine.state is PageState.READ:
            return False
        work.components.keep_page(replace(mine, state=PageState.READ))
        if work.components.unread(of.id):
            return False
        work.jobs.assemble(of.id, of.revision)
        return True


def test_new_papers_of_a_dossier_do_not_wait_for_who_holds_it(database: Database) -> None:
    """A lock that also held up references would make two uploads to one dossier deadlock."""
    with database.begin() as work:
        of = work.dossiers.keep(dossier())
    with database.begin() as holding:
        holding.dossiers.lock(ACTOR, of.id)
        with database.begin() as work:
            work.components.keep(component(of))


def test_two_who_wait_for_each_other_are_parted(database: Database) -> None:
    with database.begin() as work:
        ids = [work.dossiers.keep(dossier()).id for _ in range(2)]
    together = threading.Barrier(2)

    def hold(order: list[object]) -> bool:
        try:
            with database.begin() as work:
                work.dossiers.lock(ACTOR, order[0])  # type: ignore[arg-type]
                together.wait()
                work.dossiers.lock(ACTOR, order[1])  # type: ignore[arg-type]
        except Changed:
            return False
        return True

    with ThreadPoolExecutor(2) as people:
        assert sorted(people.map(hold, [ids, ids[::-1]])) == [False, True]


def test_a_database_that_goes_away_is_said_and_comes_back(database: Database) -> None:
    def lose_it() -> None:
        with database.begin() as work:
            work.dossiers.keep(dossier())
            _cut_off(database)
            work.dossiers.keep(dossier())

    with pytest.raises(DatabaseUnavailable):
        lose_it()
    with database.begin() as work:
        assert work.dossiers.queue(ACTOR) == []


def test_a_database_that_goes_away_before_the_commit_kept_nothing(database: Database) -> None:
    def lose_it() -> None:
        with database.begin() as work:
            work.dossiers.keep(dossier())
            work.jobs.read_page(uuid4())
            _cut_off(database)

    with pytest.raises(DatabaseUnavailable):
        lose_it()
    with database.begin() as work:
        assert work.dossiers.queue(ACTOR) == []


def _cut_off(database: Database) -> None:
    """End every other connection to this database, as a restarted server would."""
    with psycopg.connect(database._dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_nobody_there_is_said() -> None:
    database = Database("host=127.0.0.1 port=1 dbname=none user=none")
    with pytest.raises(DatabaseUnavailable), database.begin():
        pass
    with pytest.raises(DatabaseUnavailable):
        database.probe()
    database.close()
