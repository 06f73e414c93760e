"""How long dossiers are kept: set for each procedure, longer for all, shorter for new ones, and locked in the store."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from dossiers import holds, retention
from dossiers.ports import StoreUnavailable
from dossiers.retention import PERMANENT, RetentionDesk, Round
from dossiers.types import Actor, DossierState, Incomplete, NotAllowed, NotFound, ObjectKey, PageState, Role
from storage.database import Database
from storage.vault import S3Vault
from tests.contract.faulty_s3 import Fault, FaultyS3
from tests.integration.kept_office import (
    CENTRE,
    COMMUNE,
    PROCEDURE,
    KeptOffice,
    clerk_of,
    component,
    dossier,
    opened_store,
    page,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

    from dossiers.retention import Kept
    from dossiers.types import Dossier
    from storage.objects import MinioObjectStore
    from tests.conftest import S3Settings

NOW = datetime.now(UTC)
PDF = "application/pdf"
ADMIN = Actor(uuid4(), "quantri", "Quản Trị", CENTRE.code, frozenset({Role.ADMINISTRATOR}))
DEFAULT = 10


class Office(KeptOffice):
    """A finished dossier with a paper of three objects, in a store with locks of a year."""

    def __init__(self, dsn: str, s3: S3Settings, folder: Path) -> None:
        super().__init__(dsn, s3, folder)
        self.dossier = self.ended()
        self.keys = [self.put(one) for one in (b"scan", b"picture", b"words")]
        with self.database.begin() as work:
            paper = work.components.keep(component(self.dossier, scan=self.keys[0]))
            read = page(paper, picture=self.keys[1], words=self.keys[2], state=PageState.READ)
            work.components.keep_page(read)

    def ended(self) -> Dossier:
        with self.database.begin() as work:
            return work.dossiers.keep(dossier(state=DossierState.RETURNED))

    def desk(self, store: MinioObjectStore | None = None, *, default: int = DEFAULT) -> RetentionDesk:
        return RetentionDesk(self.database.begin, S3Vault(store or self.store), default)

    def decide(self, years: int, basis: str = "Bảng thời hạn 12/QĐ") -> None:
        retention.set_period(
            self.database.begin, PROCEDURE.code, years, basis=basis, default=DEFAULT, by=ADMIN, now=datetime.now(UTC)
        )

    def kept(self, one: Dossier | None = None) -> Kept:
        with self.database.begin() as work:
            return work.retention.of_dossier((one or self.dossier).id, DEFAULT)

    def locks(self) -> set[datetime | None]:
        """As the server itself says, of every object of the dossier."""
        found = set()
        for key in self.keys:
            version = self.client.stat_object(self.s3.bucket, key.path).version_id
            lock = self.client.get_object_retention(self.s3.bucket, key.path, version_id=version)
            found.add(lock.retain_until_date if lock else None)
        return found

    def ending(self, by: datetime) -> list[tuple[UUID, bool]]:
        with self.database.begin() as work:
            return [(one.id, one.held) for one in work.retention.ending(clerk_of(CENTRE), by=by)]


@pytest.fixture
def office(migrated_dsn: str, s3_settings: S3Settings, tmp_path: Path) -> Iterator[Office]:
    with closing(Office(migrated_dsn, s3_settings, tmp_path)) as office:
        yield office


def new_year(years: int) -> datetime:
    """The first moment of the year after the year in which today's dossiers end, and so many years on, in Vietnam."""
    return datetime((NOW + timedelta(hours=7)).year + 1 + years, 1, 1, tzinfo=UTC) - timedelta(hours=7)


def test_a_dossier_that_ends_is_locked_for_the_offices_default(office: Office) -> None:
    before = office.kept()
    assert (before.years, before.is_settled, before.until) == (DEFAULT, False, None)
    assert retention.work_off(office.desk(), now=NOW) == Round(settled=1, dossiers=1, prolonged=3)
    kept = office.kept()
    assert (kept.years, kept.is_settled, kept.until, kept.locked_at) == (DEFAULT, True, new_year(DEFAULT), NOW)
    assert office.locks() == {new_year(DEFAULT)}
    assert retention.work_off(office.desk(), now=NOW) == Round()  # twice does no harm
    with office.database.begin() as work:
        (line,) = work.audit.of(office.dossier.id)
    assert (line.event, line.detail["objects"], line.detail["years"]) == ("dossier.locked", 3, DEFAULT)


def test_an_unfinished_dossier_has_the_period_of_its_procedure_and_no_end(office: Office) -> None:
    with office.database.begin() as work:
        open_still = work.dossiers.keep(dossier(state=DossierState.IN_PROCESS))
    office.decide(20)
    retention.work_off(office.desk(), now=NOW)
    kept = office.kept(open_still)
    assert (kept.years, kept.is_settled, kept.until, kept.locked_at) == (20, False, None, None)


def test_a_longer_period_reaches_what_has_ended_and_a_shorter_one_only_what_ends_later(office: Office) -> None:
    office.decide(5)  # nobody's timer has run since the dossier ended: it has the period of its day all the same
    retention.work_off(office.desk(), now=NOW)
    assert office.kept().until == new_year(DEFAULT)
    later = office.ended()
    retention.work_off(office.desk(), now=NOW)
    assert (office.kept(later).years, office.kept(later).until) == (5, new_year(5))

    office.decide(20)
    done = retention.work_off(office.desk(), now=NOW)
    assert (done.settled, done.dossiers, done.prolonged) == (2, 2, 3)
    assert {office.kept(one).until for one in (office.dossier, later)} == {new_year(20)}
    assert office.locks() == {new_year(20)}

    office.decide(2)
    retention.work_off(office.desk(), now=NOW)
    assert {office.kept(one).years for one in (office.dossier, later)} == {20}
    assert office.locks() == {new_year(20)}
    assert office.kept(office.ended()).years == 2


def test_what_is_kept_for_ever_is_locked_ahead_and_again_before_that_ends(office: Office) -> None:
    office.decide(PERMANENT)
    retention.work_off(office.desk(), now=NOW)
    assert (office.kept().years, office.kept().until) == (PERMANENT, None)
    (first,) = office.locks()
    assert first is not None
    assert first > NOW + timedelta(days=3600)
    assert retention.work_off(office.desk(), now=NOW + timedelta(days=181)) == Round(dossiers=1)  # long enough still
    assert office.locks() == {first}
    assert retention.work_off(office.desk(), now=NOW + timedelta(days=400)) == Round(dossiers=1, prolonged=3)
    (second,) = office.locks()
    assert second is not None
    assert second > first + timedelta(days=390)


def test_for_ever_is_longer_than_any_number_of_years(office: Office) -> None:
    office.decide(100)
    retention.work_off(office.desk(), now=NOW)
    office.decide(PERMANENT)
    retention.work_off(office.desk(), now=NOW)
    assert (office.kept().years, office.kept().until) == (PERMANENT, None)
    office.decide(100)
    retention.work_off(office.desk(), now=NOW)
    assert office.kept().years == PERMANENT


def test_a_dossier_taken_up_again_is_kept_from_its_new_end_and_never_shorter(office: Office) -> None:
    office.decide(20)
    retention.work_off(office.desk(), now=NOW)
    clerk = clerk_of(CENTRE)
    with office.database.begin() as work:
        again = work.dossiers.of(clerk, office.dossier.id)
        again = work.dossiers.keep(replace(again, state=DossierState.IN_PROCESS))
    assert (office.kept().is_settled, office.kept().until) == (False, None)
    office.decide(3)
    with office.database.begin() as work:
        work.dossiers.keep(replace(again, state=DossierState.RETURNED))
    retention.work_off(office.desk(), now=NOW)
    assert (office.kept().years, office.kept().until) == (20, new_year(20))


def test_what_comes_to_a_finished_dossier_is_locked_when_it_is_gone_through_again(office: Office) -> None:
    retention.work_off(office.desk(), now=NOW)
    office.keys.append(office.put(b"evidence renewed"))
    with office.database.begin() as work:
        work.components.keep(component(office.dossier, scan=office.keys[-1]))
    half_a_year = NOW + timedelta(days=181)
    assert retention.work_off(office.desk(), now=half_a_year) == Round(dossiers=1, prolonged=1)
    assert office.locks() == {new_year(DEFAULT)}


def _work_off_and_die(dsn: str, s3: S3Settings) -> None:
    """A process that is killed outright over its second object, after the store has locked it."""

    class Dying(S3Vault):
        asked = 0

        def prolong(self, key: ObjectKey, until: datetime) -> None:
            super().prolong(key, until)
            Dying.asked += 1
            if Dying.asked == 2:
                os.kill(os.getpid(), signal.SIGKILL)

    retention.work_off(RetentionDesk(Database(dsn).begin, Dying(opened_store(s3)), DEFAULT), now=NOW)


def test_a_worker_killed_in_the_middle_of_locking_is_taken_up_where_it_stopped(office: Office) -> None:
    worker = multiprocessing.get_context("spawn").Process(target=_work_off_and_die, args=(office.dsn, office.s3))
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    assert office.kept().locked_at is None
    assert retention.work_off(office.desk(), now=NOW) == Round(dossiers=1, prolonged=2)
    assert office.locks() == {new_year(DEFAULT)}


def test_a_store_that_is_down_or_cannot_lock_leaves_the_period_as_it_is(office: Office) -> None:
    with (
        FaultyS3(office.s3.endpoint).running() as proxy,
        closing(opened_store(office.s3, endpoint=proxy.endpoint)) as behind,
    ):
        proxy.fault = Fault.DOWN
        with pytest.raises(StoreUnavailable):
            retention.work_off(office.desk(behind), now=NOW)
    assert (office.kept().until, office.kept().locked_at) == (new_year(DEFAULT), None)
    with FaultyS3(office.s3.endpoint).running() as proxy:
        proxy.fault = Fault.SHORTENS_LOCKS  # such a one isn't asked to: it might shorten what is longer
        with closing(opened_store(office.s3, endpoint=proxy.endpoint)) as unfit:
            assert retention.work_off(office.desk(unfit), now=NOW) == Round()
    assert retention.work_off(office.desk(), now=NOW) == Round(dossiers=1, prolonged=3)


def test_at_the_end_nothing_is_deleted_and_a_person_is_told_a_month_ahead(office: Office) -> None:
    office.decide(1)
    one = office.ended()
    retention.work_off(office.desk(), now=NOW)
    end = new_year(1)
    assert office.ending(end - timedelta(days=1)) == []
    assert office.ending(end - timedelta(days=20) + retention.WARN_AHEAD) == [(one.id, False)]
    keeper = Actor(uuid4(), "vanthu", "Văn Thư", CENTRE.code, frozenset({Role.SEAL_KEEPER}))
    holds.place(office.database.begin, one.id, reason="Kiện", reference="1/TA", by=keeper, now=NOW)
    assert office.ending(end) == [(one.id, True)]
    after = end + timedelta(days=400)
    retention.work_off(office.desk(), now=after)
    assert office.ending(after) == [(one.id, True)]  # it stays there until somebody acts
    with office.database.begin() as work:
        work.dossiers.of(clerk_of(CENTRE), one.id)
        assert list(work.retention.ending(clerk_of(COMMUNE), by=after)) == []
        assert len(work.retention.ending(None, by=after)) == 1


def test_a_period_is_set_by_an_administrator_on_a_legal_basis(office: Office) -> None:
    begin = office.database.begin
    with pytest.raises(NotAllowed):
        retention.set_period(begin, PROCEDURE.code, 5, basis="x", default=DEFAULT, by=clerk_of(CENTRE), now=NOW)
    with pytest.raises(NotFound):
        retention.set_period(begin, "9.999999", 5, basis="x", default=DEFAULT, by=ADMIN, now=NOW)
    for years, basis, missing in ((5, " ", ("basis",)), (-1, "x", ("years",)), (101, "", ("basis", "years"))):
        with pytest.raises(Incomplete) as refused:
            retention.set_period(begin, PROCEDURE.code, years, basis=basis, default=DEFAULT, by=ADMIN, now=NOW)
        assert refused.value.missing == missing
    office.decide(5, "Bảng thời hạn\n 12/QĐ")
    office.decide(20)
    with office.database.begin() as work:
        assert [one.years for one in work.retention.rules(PROCEDURE.code)] == [20, 5]
        first, second = work.audit.of(PROCEDURE.code)
    assert (first.detail["before"], first.detail["years"], first.detail["basis"]) == (None, 5, "Bảng thời hạn 12/QĐ")
    assert (second.detail["before"], second.detail["years"]) == (5, 20)


def test_a_procedure_that_is_brought_in_anew_keeps_its_period(office: Office) -> None:
    office.decide(20)
    with office.database.begin() as work:
        work.procedures.keep(replace(PROCEDURE, name="Cấp giấy mẫu, sửa đổi"))
        assert work.retention.in_force()[PROCEDURE.code].years == 20


def test_many_dossiers_are_lengthened_in_slices(office: Office) -> None:
    for _ in range(5):
        office.ended()
    retention.work_off(office.desk(), now=NOW)
    office.decide(20)
    with office.database.begin() as work:
        assert [work.retention.lengthen(at=NOW, limit=4) for _ in range(3)] == [4, 2, 0]
    with psycopg.connect(office.dsn) as connection:
        assert connection.execute("SELECT DISTINCT kept_years FROM dossiers").fetchall() == [(20,)]
