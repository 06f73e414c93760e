"""A dossier under legal hold loses nothing, whatever anybody does, and is called held only where it was seen to be."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import re
import signal
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from minio.error import S3Error

from api import doctor_archive
from api.commands.backup import programs
from api.finding import State
from api.settings import Settings
from dossiers import amendments, annexes, archive, fixity, holds, parcels
from dossiers.fixity import FixityDesk
from dossiers.holds import Coverage, Held, HoldDesk
from dossiers.parcels import Parcel, ParcelState
from dossiers.ports import StoreUnavailable
from dossiers.types import (
    Actor,
    Annex,
    Duplicate,
    Incomplete,
    NotAllowed,
    NotFound,
    ObjectKey,
    PageState,
    Role,
    WrongState,
)
from storage import backup
from storage.database import Database
from storage.fixity import object_columns
from storage.holds import OF_NO_DOSSIER, _ways_to_dossier
from storage.vault import S3Vault
from tests.conftest import _database
from tests.contract.faulty_s3 import Fault, FaultyS3
from tests.integration.kept_office import (
    CENTRE,
    COMMUNE,
    KeptOffice,
    component,
    dossier,
    e_result,
    opened_store,
    page,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from dossiers.holds import Hold
    from dossiers.types import Agency, Component, Dossier
    from storage.objects import MinioObjectStore
    from tests.conftest import S3Settings

NOW = datetime.now(UTC)
PDF = "application/pdf"
GUARDED = ("dossiers", "components", "pages", "e_results", "annexes", "e_result_documents", "parcels", "amendments")


def person(name: str, role: Role = Role.SEAL_KEEPER, agency: Agency = CENTRE) -> Actor:
    return Actor(uuid4(), name, name.title(), agency.code, frozenset({role}))


KEEPER, LEADER = person("vanthu"), person("giamdoc", Role.LEADER)


class Kept(KeptOffice):
    """Two dossiers with a paper each, a page in one of them; every object in the store, held by nothing else."""

    def __init__(self, dsn: str, s3: S3Settings, folder: Path) -> None:
        super().__init__(dsn, s3, folder, locked=None)
        with self.database.begin() as work:
            self.dossier = work.dossiers.keep(dossier())
            self.other = work.dossiers.keep(dossier())
        self.paper = self.add(self.dossier, b"scan")
        with self.database.begin() as work:
            read = page(self.paper, picture=self.put(b"picture"), words=self.put(b"words"), state=PageState.READ)
            work.components.keep_page(read)
        self.add(self.other, b"another's")

    def add(self, to: Dossier, content: bytes) -> Component:
        with self.database.begin() as work:
            return work.components.keep(component(to, scan=self.put(content)))

    def hold(self, reference: str = "12/GM-TTr", *, on: Dossier | None = None, by: Actor = KEEPER) -> Hold:
        begin, which = self.database.begin, (on or self.dossier).id
        return holds.place(begin, which, reason="Thanh tra", reference=reference, by=by, now=NOW)

    def release(self, hold: Hold) -> None:
        holds.ask_release(self.database.begin, hold.id, reason="Đã kết luận", by=KEEPER, now=NOW)
        holds.confirm_release(self.database.begin, hold.id, by=LEADER, now=NOW)

    def desk(self, store: MinioObjectStore | None = None) -> HoldDesk:
        return HoldDesk(self.database.begin, S3Vault(store or self.store))

    def coverage(self, now: datetime = NOW) -> Coverage:
        with self.database.begin() as work:
            return holds.coverage_of(work, self.dossier.id, now=now)

    def events(self, subject: UUID | str) -> list[str]:
        with self.database.begin() as work:
            return [line.event for line in work.audit.of(subject)]

    def is_in_store(self, content: bytes) -> bool:
        """Somebody with the store's keys tries to delete every version; whether a whole one is left."""
        key = _key_of(content)
        for one in list(self.client.list_objects(self.s3.bucket, prefix=key.path, include_version=True)):
            try:
                self.client.remove_object(self.s3.bucket, key.path, version_id=one.version_id)
            except S3Error:
                continue
        left = list(self.client.list_objects(self.s3.bucket, prefix=key.path, include_version=True))
        return bool(left)


def _key_of(content: bytes) -> ObjectKey:
    return ObjectKey(hashlib.sha256(content).hexdigest(), len(content), PDF)


@pytest.fixture
def kept(migrated_dsn: str, s3_settings: S3Settings, tmp_path: Path) -> Iterator[Kept]:
    with closing(Kept(migrated_dsn, s3_settings, tmp_path)) as kept:
        yield kept


def test_everything_of_a_held_dossier_is_held_and_what_comes_later_too(kept: Kept) -> None:
    kept.hold()
    assert kept.coverage() == Coverage(objects=3, held=0)
    assert not kept.coverage().is_whole
    assert holds.work_off(kept.desk(), now=NOW).held == 3
    assert kept.coverage() == Coverage(objects=3, held=3, seen_at=NOW)
    assert kept.coverage().is_whole
    assert holds.work_off(kept.desk(), now=NOW) == holds.Round()  # twice does no harm

    kept.add(kept.dossier, b"came later")
    assert not kept.coverage().is_whole  # at once, before any timer has run
    assert holds.work_off(kept.desk(), now=NOW).held == 1
    assert kept.coverage().is_whole
    assert all(kept.is_in_store(content) for content in (b"scan", b"picture", b"words", b"came later"))
    assert not kept.is_in_store(b"another's")


def test_what_no_row_names_any_more_stays_held_until_the_release(kept: Kept) -> None:
    first = kept.put(b"searchable 1")
    with kept.database.begin() as work:
        paper = work.components.keep(replace(kept.paper, searchable=first))
    hold = kept.hold()
    holds.work_off(kept.desk(), now=NOW)
    with kept.database.begin() as work:
        work.components.keep(replace(paper, searchable=kept.put(b"searchable 2")))
    assert holds.work_off(kept.desk(), now=NOW) == holds.Round(held=1)
    assert kept.coverage() == Coverage(objects=5, held=5, seen_at=NOW)
    assert kept.is_in_store(b"searchable 1")

    kept.release(hold)
    assert holds.work_off(kept.desk(), now=NOW).lifted == 5
    assert not kept.is_in_store(b"searchable 1")


def test_a_release_takes_two_people_and_reasons(kept: Kept) -> None:
    begin = kept.database.begin
    with pytest.raises(Incomplete) as refused:
        holds.place(begin, kept.dossier.id, reason=" ", reference="", by=KEEPER, now=NOW)
    assert refused.value.missing == ("reason", "reference")
    hold = kept.hold("12/GM-TTr\n ngày 1/11")
    assert hold.reference == "12/GM-TTr ngày 1/11"
    with pytest.raises(Duplicate):
        kept.hold("12/gm-ttr ngày 1/11", by=LEADER)
    with pytest.raises(WrongState):
        holds.confirm_release(begin, hold.id, by=LEADER, now=NOW)  # nobody has asked
    with pytest.raises(Incomplete):
        holds.ask_release(begin, hold.id, reason="", by=LEADER, now=NOW)
    holds.ask_release(begin, hold.id, reason="Xong", by=LEADER, now=NOW)
    with pytest.raises(NotAllowed, match="same_person"):
        holds.confirm_release(begin, hold.id, by=LEADER, now=NOW)
    holds.work_off(kept.desk(), now=NOW)
    assert kept.coverage().is_whole  # asked isn't released
    holds.keep_on(begin, hold.id, by=KEEPER)
    with pytest.raises(WrongState):
        holds.confirm_release(begin, hold.id, by=KEEPER, now=NOW)
    kept.release(hold)
    with pytest.raises(WrongState):
        holds.ask_release(begin, hold.id, reason="Lại", by=LEADER, now=NOW)
    told = ["hold.placed", "hold.release_asked", "hold.kept_on", "hold.release_asked", "hold.released"]
    assert kept.events(kept.dossier.id) == told
    with psycopg.connect(kept.dsn) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("UPDATE holds SET released_by = release_asked_by")


def test_only_leaders_and_seal_keepers_of_its_own_agencies_hold(kept: Kept) -> None:
    begin = kept.database.begin
    for role in (Role.CLERK, Role.POSTAL, Role.ADMINISTRATOR):
        with pytest.raises(NotAllowed):
            kept.hold(by=person("x", role))
    with pytest.raises(NotFound):
        kept.hold(by=person("x", Role.LEADER, COMMUNE))
    with begin() as work:
        helped = work.dossiers.keep(dossier(helped_at=COMMUNE.code))
    with pytest.raises(NotAllowed):  # it has a part in it, and no say
        kept.hold(on=helped, by=person("x", Role.LEADER, COMMUNE))
    hold = kept.hold(on=helped)
    with pytest.raises(NotFound):
        holds.ask_release(begin, hold.id, reason="Xong", by=person("x", Role.LEADER, COMMUNE), now=NOW)


def test_what_two_holds_ask_for_is_let_go_with_the_last(kept: Kept) -> None:
    kept.add(kept.other, b"scan")  # the same bytes
    first, second, third = kept.hold("1"), kept.hold("2"), kept.hold("3", on=kept.other)
    holds.work_off(kept.desk(), now=NOW)
    kept.release(first)
    assert holds.work_off(kept.desk(), now=NOW).lifted == 0
    kept.release(second)
    assert holds.work_off(kept.desk(), now=NOW).lifted == 2  # picture and words; the scan is the other's, too
    assert kept.is_in_store(b"scan")
    kept.release(third)
    holds.work_off(kept.desk(), now=NOW)
    assert not kept.is_in_store(b"scan")


def _work_off_and_die(dsn: str, s3: S3Settings, moment: str) -> None:
    """A process that is killed outright over its second object: before the store is asked, or before it is noted."""

    class Dying(S3Vault):
        asked = 0

        def hold(self, key: ObjectKey) -> int:
            Dying.asked += 1
            if Dying.asked == 2 and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            newly = super().hold(key)
            if Dying.asked == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return newly

        def lift(self, key: ObjectKey) -> None:
            super().lift(key)
            os.kill(os.getpid(), signal.SIGKILL)

    holds.work_off(HoldDesk(Database(dsn).begin, Dying(opened_store(s3, locked=None))), now=NOW)


def _killed(kept: Kept, moment: str) -> None:
    worker = multiprocessing.get_context("spawn").Process(target=_work_off_and_die, args=(kept.dsn, kept.s3, moment))
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_killed_in_the_middle_of_holding_is_taken_up_where_it_stopped(kept: Kept, moment: str) -> None:
    hold = kept.hold()
    _killed(kept, moment)
    assert (kept.coverage().objects, kept.coverage().held) == (3, 1)  # the one in doubt isn't called held
    assert holds.work_off(kept.desk(), now=NOW).held == 2
    assert kept.coverage().is_whole
    assert kept.is_in_store(b"words")

    kept.release(hold)
    _killed(kept, moment)  # while lifting
    assert holds.work_off(kept.desk(), now=NOW).lifted == 3
    assert not any(kept.is_in_store(content) for content in (b"scan", b"picture", b"words"))


def test_released_after_a_kill_nothing_stays_held_for_ever(kept: Kept) -> None:
    hold = kept.hold()
    _killed(kept, "after")  # the store holds two, and only one of them was noted
    kept.release(hold)
    holds.work_off(kept.desk(), now=NOW)
    assert not any(kept.is_in_store(content) for content in (b"scan", b"picture", b"words"))


def test_a_store_that_is_down_is_waited_for_and_named(kept: Kept) -> None:
    kept.hold()
    with (
        FaultyS3(kept.s3.endpoint).running() as proxy,
        closing(opened_store(kept.s3, endpoint=proxy.endpoint, locked=None)) as behind,
    ):
        proxy.fault = Fault.DOWN
        with pytest.raises(StoreUnavailable):
            holds.work_off(kept.desk(behind), now=NOW)
        said = kept.coverage()
        assert (said.held, said.troubles, said.is_whole) == (0, ("hold_waits_for_store",), False)
        proxy.fault = Fault.NONE
        assert holds.work_off(kept.desk(behind), now=NOW).held == 3
    assert kept.coverage() == Coverage(objects=3, held=3, seen_at=NOW)


def test_a_store_that_cannot_hold_is_named_and_nothing_is_deleted_all_the_same(kept: Kept) -> None:
    kept.hold()
    with FaultyS3(kept.s3.endpoint).running() as proxy:
        proxy.fault = Fault.KNOWS_NO_HOLD
        with closing(opened_store(kept.s3, endpoint=proxy.endpoint, locked=None)) as unable:
            assert holds.work_off(kept.desk(unable), now=NOW) == holds.Round()
    said = kept.coverage()
    assert (said.held, said.troubles, said.is_whole) == (0, ("store_cannot_hold",), False)
    with psycopg.connect(kept.dsn) as connection, pytest.raises(psycopg.Error, match="legal hold"):
        connection.execute("DELETE FROM pages")


def test_the_doctor_names_what_has_only_the_databases_word(kept: Kept) -> None:
    settings = Settings(database=kept.dsn)
    kept.hold()
    assert [one.state for one in doctor_archive.held(settings)] == [State.GOOD]  # a moment ago
    with kept.database.begin() as work:
        work.holds.note_waiting(holds.STORE_CANNOT_HOLD)
    with psycopg.connect(kept.dsn) as connection:
        connection.execute("UPDATE holds SET placed_at = placed_at - interval '2 hours'")
    (told,) = doctor_archive.held(settings)
    assert (told.state, kept.dossier.code in told.vi, "0/3" in told.vi) == (State.BAD, True, True)
    assert "không giữ được tệp theo lệnh" in told.vi
    holds.work_off(kept.desk(), now=datetime.now(UTC))
    assert [one.state for one in doctor_archive.held(settings)] == [State.GOOD]


def test_an_object_that_is_lost_keeps_no_other_waiting_and_is_never_called_held(kept: Kept) -> None:
    assert not kept.is_in_store(b"picture")  # deleted by whoever has the store's keys, before it was asked for
    kept.hold()
    assert holds.work_off(kept.desk(), now=NOW) == holds.Round(held=2, missing=1)
    said = kept.coverage()
    assert (said.objects, said.held, said.troubles) == (3, 2, ("held_object_missing",))
    kept.put(b"picture")  # brought back from a backup
    assert holds.work_off(kept.desk(), now=NOW) == holds.Round(held=1)
    assert kept.coverage().is_whole


def test_a_hold_lifted_behind_our_back_is_put_on_again_and_told(kept: Kept) -> None:
    kept.hold()
    holds.work_off(kept.desk(), now=NOW)
    S3Vault(kept.store).lift(kept.paper.scan)
    later = NOW + holds.LOOK_AGAIN + timedelta(minutes=1)
    done = holds.work_off(kept.desk(), now=later)
    assert (done.held, done.gone) == (3, (kept.paper.scan.sha256,))
    assert kept.events(kept.paper.scan.sha256) == ["object.hold_was_gone"]
    assert kept.is_in_store(b"scan")
    # Where nobody looks any more, nothing is called held.
    assert kept.coverage(later + holds.BELIEVED_FOR + timedelta(minutes=1)).held == 0


def test_a_repaired_object_is_held_anew(kept: Kept) -> None:
    kept.hold()
    with closing(opened_store(kept.s3, bucket=f"{kept.s3.bucket}-2", locked=None)) as second:
        desk = FixityDesk(kept.database.begin, kept.store, S3Vault(kept.store), second, timedelta(days=90), kept.folder)
        fixity.check_slice(desk, now=NOW)
        holds.work_off(kept.desk(), now=NOW)
        spoiled = kept.folder / "spoiled"
        spoiled.write_bytes(b"!")
        kept.client.fput_object(kept.s3.bucket, kept.paper.scan.path, str(spoiled))
        assert fixity.check_slice(desk, now=NOW + timedelta(days=91)).repaired == (kept.paper.scan.sha256,)
    assert kept.coverage().held == 2  # the new version isn't held yet
    assert holds.work_off(kept.desk(), now=NOW).held == 1
    assert kept.is_in_store(b"scan")


def a_draft_with_everything(kept: Kept) -> tuple[Annex, Parcel, Actor]:
    """A result in draft with an annex and an earlier document, and a file on its way in."""
    clerk = person("canbo.mau", Role.CLERK)
    with kept.database.begin() as work:
        draft = work.e_results.keep(e_result(kept.dossier, prepared_by=clerk.username, drafters=(clerk.username,)))
        annex = Annex(uuid4(), draft.id, 1, "Bản đồ", kept.put(b"annex"), {}, 1, clerk.username, NOW)
        annex = work.annexes.keep(annex)
        work.e_results.keep_evidence(draft.id, kept.put(b"earlier"), NOW)
        coming = Parcel(
            id=uuid4(),
            agency=CENTRE.code,
            sent_by=clerk.username,
            desk="",
            filename="a.pdf",
            size=9,
            sha256="",
            state=ParcelState.COMING,
            begun_at=NOW - timedelta(days=99),
            touched_at=NOW - timedelta(days=99),
            dossier_id=kept.dossier.id,
        )
        coming = work.parcels.keep(coming)
        work.parcels.add_part(coming.id, 0, b"half")
        changes = {"title": ("cũ", "mới")}
        amendments.log(work, clerk, "e_result.changed", draft.id, of=kept.dossier.id, changes=changes)
        return annex, coming, clerk


def test_every_use_case_that_deletes_refuses_a_held_dossier(kept: Kept) -> None:
    annex, coming, clerk = a_draft_with_everything(kept)
    begin = kept.database.begin
    hold = kept.hold()
    with pytest.raises(Held):
        annexes.remove(begin, annex.e_result_id, annex.id, by=clerk)
    with pytest.raises(Held):
        parcels.cancel(begin, coming.id, by=clerk)
    with begin() as work:
        work.parcels.keep(replace(coming, id=uuid4(), dossier_id=kept.other.id, version=0))
        work.parcels.forget_unfinished(before=NOW)
        assert [one.id for one in work.parcels.coming(clerk, "")] == [coming.id]  # the other one is forgotten
        assert list(work.parcels.parts(coming.id)) == [b"half"]

    kept.release(hold)
    annexes.remove(begin, annex.e_result_id, annex.id, by=clerk)
    parcels.cancel(begin, coming.id, by=clerk)


@pytest.mark.parametrize("table", GUARDED)
def test_the_database_deletes_no_row_of_a_held_dossier_by_whatever_way(kept: Kept, table: str) -> None:
    a_draft_with_everything(kept)
    kept.hold()
    with psycopg.connect(kept.dsn) as connection:
        count = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # type: ignore[arg-type]  # noqa: S608
        assert count != (0,)
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(f'DELETE FROM "{table}"')  # type: ignore[arg-type]  # noqa: S608
    assert refused.value.sqlstate == "HS001"
    with pytest.raises(Held), kept.database.begin() as work:
        work.annexes.drop(next(iter(work.annexes.of_all(_results(kept)).values()))[0].id)


def _results(kept: Kept) -> list[UUID]:
    with kept.database.begin() as work:
        return [one.id for one in work.e_results.of_dossier(kept.dossier.id)]


def test_a_hold_placed_while_something_is_deleted_waits_or_is_seen(kept: Kept) -> None:
    """Whoever deletes holds the dossier until the commit, so that no hold is placed on what goes at that moment."""
    a_draft_with_everything(kept)
    with psycopg.connect(kept.dsn) as deleting:
        deleting.execute("DELETE FROM annexes")
        with psycopg.connect(kept.dsn) as placing:
            placing.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                placing.execute("SELECT FROM dossiers FOR NO KEY UPDATE")


#: Whatever in `dossiers` and `storage` deletes rows or objects, and why nothing of a held dossier goes by it.
DELETES = {
    "storage/accounts.py": "sessions and tries, of people and addresses",
    "storage/amendments.py": "values before and after, once the period has ended: refused likewise",
    "storage/annexes.py": "an annex of a draft: refused for a held dossier, by the use case and the database",
    "storage/capabilities.py": "bytes of the store's self-test, below self-test/",
    "storage/certificates.py": "what was noted of timestamp authorities",
    "storage/components.py": "what was read of a paper, before it is read anew",
    "storage/figures.py": "figures of processes that are gone",
    "storage/objects.py": "bytes of the probe, below probe/",
    "storage/page_index.py": "what pages are found by, made from their rows",
    "storage/parcels.py": "parcels that aren't whole: not for a held dossier; parts that lie in the store as one file",
    "storage/queue.py": "jobs that are done",
    "storage/rows.py": "what its callers name: sessions, tries, parcels",
    "storage/vault.py": "parts of uploads that never became an object: no version, no lock, no hold",
    "storage/verdict_reports.py": "reports of checks, after a day",
    "storage/migrations/versions/0008_trust_anchors.py": "certificates that became anchors",
}


def test_every_place_that_deletes_is_known() -> None:
    """A new one must say here why a legal hold is safe from it."""
    pattern = re.compile(
        r"sa\.delete\(|\.delete\(\)|DELETE FROM|TRUNCATE TABLE|remove_objects?\(|delete_object|_abort_multipart"
    )
    root = Path(__file__).parents[2]
    found = {
        file.relative_to(root).as_posix()
        for package in ("dossiers", "storage", "api")
        for file in (root / package).rglob("*.py")
        if pattern.search(file.read_text("utf-8"))
    }
    assert found == set(DELETES)


def test_every_place_where_a_row_names_an_object_leads_to_its_dossier() -> None:
    for table, _ in object_columns():
        assert bool(_ways_to_dossier(table)) != (table.name in OF_NO_DOSSIER), table.name


def test_a_bag_carries_the_hold_and_an_import_restores_it(
    kept: Kept, postgres_server: str, migrated_template: str
) -> None:
    first = kept.put(b"searchable 1")
    with kept.database.begin() as work:
        paper = work.components.keep(replace(kept.paper, searchable=first))
    kept.hold("12/GM-TTr")
    with kept.database.begin() as work:
        work.components.keep(replace(paper, searchable=None))  # named by no row, and held
    bag = archive.export(kept.database.begin, kept.store, [kept.dossier.id], kept.folder / "bag", now=NOW).folder
    assert f"Hoso-Legal-Hold: {kept.dossier.code}: 12/GM-TTr" in (bag / "bag-info.txt").read_text("utf-8")

    elsewhere = contextmanager(_database)(postgres_server, template=migrated_template)
    with (
        elsewhere as dsn,
        closing(Database(dsn)) as there,
        closing(opened_store(kept.s3, bucket=f"{kept.s3.bucket}-3", locked=None)) as store,
    ):
        archive.take_in(there.begin, store, bag)
        with there.begin() as work:
            assert [one.reference for one in work.holds.of_dossier(kept.dossier.id)] == ["12/GM-TTr"]
            assert holds.coverage_of(work, kept.dossier.id, now=NOW) == Coverage(objects=4, held=0)
        assert holds.work_off(HoldDesk(there.begin, S3Vault(store)), now=NOW).held == 4
        with there.begin() as work:
            assert holds.coverage_of(work, kept.dossier.id, now=NOW).is_whole


def test_a_restored_backup_calls_nothing_held_before_its_own_store_was_seen_to_hold_it(
    kept: Kept, postgres_dsn: str
) -> None:
    kept.hold()
    holds.work_off(kept.desk(), now=NOW)
    taken = backup.take(kept.dsn, kept.store, kept.folder / "backups", programs=programs())
    other = opened_store(kept.s3, bucket=f"{kept.s3.bucket}-4")
    with closing(other) as store, closing(Database(postgres_dsn)) as there:
        backup.restore(taken.folder, postgres_dsn, store, programs=programs())
        with there.begin() as work:
            assert holds.coverage_of(work, kept.dossier.id, now=NOW) == Coverage(objects=3, held=0)
        assert holds.work_off(HoldDesk(there.begin, S3Vault(store)), now=NOW).held == 3
        with there.begin() as work:
            assert holds.coverage_of(work, kept.dossier.id, now=NOW).is_whole
