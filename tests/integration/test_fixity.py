"""A wrong byte and a lost object are found, told of and repaired from a second copy; nothing is ever deleted."""

from __future__ import annotations

import asyncio
import io
import itertools
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import structlog

from api import worker
from api.doctor_archive import objects
from api.figures import SWEPT
from api.finding import State
from api.settings import Settings
from dossiers import fixity
from dossiers.fixity import FixityDesk, FoundAs
from dossiers.ports import StoreUnavailable
from dossiers.types import ObjectKey, PageState
from storage import objects as stored
from storage import tables
from storage.fixity import object_columns
from storage.vault import S3Vault
from tests.contract.faulty_s3 import Fault, FaultyS3
from tests.integration.kept_office import KeptOffice, component, dossier, opened_store, page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import S3Settings

NOW = datetime.now(UTC)
PERIOD = timedelta(days=90)


class Kept(KeptOffice):
    """Three objects that rows name, in a store without locks, so that a fault can be planted."""

    def __init__(self, dsn: str, s3: S3Settings, folder: Path) -> None:
        super().__init__(dsn, s3, folder, locked=None)
        self.second = opened_store(s3, bucket=f"{s3.bucket}-2", locked=None)
        self.keys = [self.put(name) for name in (b"scan", b"picture", b"words")]
        with self.database.begin() as work:
            paper = work.components.keep(component(work.dossiers.keep(dossier()), scan=self.keys[0]))
            read = page(paper, picture=self.keys[1], words=self.keys[2], state=PageState.READ)
            work.components.keep_page(replace(read, thumbnail=None))

    def desk(self, *, copied: bool = False) -> FixityDesk:
        vault = S3Vault(self.store)
        return FixityDesk(self.database.begin, self.store, vault, self.second if copied else None, PERIOD, self.folder)

    def spoil(self, key: ObjectKey) -> None:
        """Another byte under the object's name, as a disk or a hand would leave it."""
        self.client.put_object(self.s3.bucket, key.path, io.BytesIO(b"!"), 1)

    def lose(self, key: ObjectKey) -> None:
        for one in self.client.list_objects(self.s3.bucket, prefix=key.path, include_version=True):
            self.client.remove_object(self.s3.bucket, key.path, version_id=one.version_id)

    def events(self, key: ObjectKey) -> list[tuple[str, Any]]:
        with self.database.begin() as work:
            return [(line.event, line.detail["found"]) for line in work.audit.of(key.sha256)]


@pytest.fixture
def kept(migrated_dsn: str, s3_settings: S3Settings, tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(migrated_dsn, s3_settings, tmp_path)
    yield kept
    kept.store.close()
    kept.second.close()
    kept.database.close()


def test_a_wrong_byte_and_a_lost_object_are_found_and_told_with_their_owner(kept: Kept) -> None:
    settings = Settings(database=kept.dsn)
    assert fixity.check_slice(kept.desk(), now=NOW) == fixity.Round(read=3)
    assert fixity.check_slice(kept.desk(), now=NOW + timedelta(days=1)) == fixity.Round()  # not their turn yet
    (finding,) = objects(settings)
    assert finding.state is State.GOOD

    wrong, lost, _ = kept.keys
    kept.spoil(wrong)
    kept.lose(lost)
    later = NOW + PERIOD + timedelta(hours=1)
    found = fixity.check_slice(kept.desk(), now=later)
    assert (found.read, set(found.quarantined), found.repaired) == (3, {wrong.sha256, lost.sha256}, ())
    assert kept.events(wrong) == [("object.quarantined", FoundAs.DAMAGED)]
    assert kept.events(lost) == [("object.quarantined", FoundAs.MISSING)]

    again = fixity.check_slice(kept.desk(), now=later)  # looked at each time, and told once
    assert again.read == 2
    assert len(kept.events(wrong)) == 1
    told = list(objects(settings))
    assert {one.state for one in told} == {State.BAD}
    assert any("sai nội dung" in one.vi and "components/" in one.vi for one in told)
    assert any("không có trong kho" in one.vi and "pages/" in one.vi for one in told)
    assert all("quản trị viên" in one.remedy for one in told)
    versions = list(kept.client.list_objects(kept.s3.bucket, prefix=wrong.path, include_version=True))
    assert len(versions) == 2  # neither the right nor the wrong bytes were deleted


def test_everything_is_read_whenever_it_was_read_last_and_comes_round_no_later(kept: Kept) -> None:
    """Whoever asks for all of it today must not keep the clock from it for another period."""
    for hours in (0, 1, 2):
        found = fixity.check_slice(kept.desk(), now=NOW + timedelta(hours=hours), everything=True)
        assert found == fixity.Round(read=3)
    assert fixity.check_slice(kept.desk(), now=NOW + PERIOD) == fixity.Round()
    assert fixity.check_slice(kept.desk(), now=NOW + PERIOD + timedelta(hours=3)) == fixity.Round(read=3)


def test_both_are_repaired_from_the_second_copy(kept: Kept) -> None:
    assert fixity.check_slice(kept.desk(copied=True), now=NOW) == fixity.Round(read=3)
    wrong, lost, _ = kept.keys
    kept.spoil(wrong)
    kept.lose(lost)
    found = fixity.check_slice(kept.desk(copied=True), now=NOW + PERIOD + timedelta(hours=1))
    assert (found.quarantined, set(found.repaired)) == ((), {wrong.sha256, lost.sha256})
    assert kept.events(wrong) == [("object.repaired", FoundAs.DAMAGED)]
    for key in kept.keys:
        kept.store.fetch(key, kept.folder / "out")  # raises unless its content has that hash
    with kept.database.begin() as work:
        counts = work.objects.counts()
    assert (counts.objects, counts.quarantined, counts.copied) == (3, 0, 3)


def test_put_back_by_hand_it_leaves_the_quarantine(kept: Kept) -> None:
    kept.lose(kept.keys[0])
    assert fixity.check_slice(kept.desk(), now=NOW).quarantined == (kept.keys[0].sha256,)
    kept.put(b"scan")
    assert fixity.check_slice(kept.desk(), now=NOW).quarantined == ()


@pytest.fixture
def less_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more try instead of five, which are there for a server that comes back and take nine seconds."""
    real = stored._pool
    monkeypatch.setattr(stored, "_pool", lambda retries: real(min(retries, 1)))


def behind(kept: Kept, proxy: FaultyS3, *, copied: bool = False) -> FixityDesk:
    """The same desk, its store behind the proxy."""
    store = opened_store(kept.s3, endpoint=proxy.endpoint, locked=None)
    return replace(kept.desk(copied=copied), store=store, vault=S3Vault(store))


@pytest.mark.usefixtures("less_patience")
def test_a_store_that_is_down_puts_nothing_into_quarantine(kept: Kept) -> None:
    with FaultyS3(kept.s3.endpoint).running() as proxy:
        desk = behind(kept, proxy)
        proxy.fault = Fault.DOWN
        with pytest.raises(StoreUnavailable):
            fixity.check_slice(desk, now=NOW)
        desk.store.close()  # type: ignore[attr-defined]
    with kept.database.begin() as work:
        assert work.objects.counts().quarantined == 0


@pytest.mark.usefixtures("less_patience")
@pytest.mark.parametrize("fault", [Fault.FAILS_FOR_ONE, Fault.STOPS_FOR_ONE])
def test_one_object_that_the_store_cannot_give_is_told_of_and_the_rest_is_read(
    kept: Kept, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fixity.check_slice(kept.desk(copied=True), now=NOW) == fixity.Round(read=3)
    bad = min(kept.keys, key=lambda one: one.sha256)  # whose turn comes first
    asked_instead = [kept.put(b"nobody's %d" % number) for number in range(5)]
    # SeaweedFS lists what comes after the whole folder of a first byte, others after its name alone.
    monkeypatch.setattr(stored, "_ASKED_AFTER", [int(one.sha256[:2], 16) - 1 for one in asked_instead])
    with FaultyS3(kept.s3.endpoint).running() as proxy:
        alone, copied = behind(kept, proxy), behind(kept, proxy, copied=True)
        proxy.fault = fault
        kept.store.probe()
        on_the_damaged_disk = (bad.path, "probe/sentinel")
        proxy.unreadable = {
            str(kept.client.stat_object(kept.s3.bucket, name).version_id) for name in on_the_damaged_disk
        }
        later = NOW + PERIOD + timedelta(hours=1)
        found = fixity.check_slice(alone, now=later)
        assert (found.read, found.quarantined, found.repaired) == (3, (bad.sha256,), ())
        assert kept.events(bad) == [("object.quarantined", FoundAs.DAMAGED)]
        with kept.database.begin() as work:
            (told,) = (line.detail["reason"] for line in work.audit.of(bad.sha256))
            assert work.objects.counts().unread == 0
        assert "the object store didn't answer" in told
        assert any("không đọc được" in one.vi for one in objects(Settings(database=kept.dsn)))

        found = fixity.check_slice(copied, now=later)
        assert (found.quarantined, found.repaired) == ((), (bad.sha256,))
        copied.store.fetch(bad, kept.folder / "out")  # the new version, while the other can't be read to this day
        assert copied.vault.versions(bad) == 2
        for desk in (alone, copied):
            desk.store.close()  # type: ignore[attr-defined]


def test_a_repair_that_cannot_be_made_now_is_no_reason_to_stop(kept: Kept) -> None:
    assert fixity.check_slice(kept.desk(copied=True), now=NOW) == fixity.Round(read=3)
    lost = kept.keys[0]
    kept.lose(lost)

    class Full:
        """A fake: a store that reads and takes nothing more, which the real one can't be told to be."""

        fetch, probe = kept.store.fetch, kept.store.probe

        def put(self, file: Path, *, media_type: str) -> ObjectKey:
            raise StoreUnavailable(f"{file}, {media_type}: full")

    desk = replace(kept.desk(copied=True), store=Full())  # type: ignore[arg-type]
    found = fixity.check_slice(desk, now=NOW + PERIOD + timedelta(hours=1))
    assert (found.read, found.quarantined, found.repaired) == (3, (lost.sha256,), ())
    assert fixity.check_slice(kept.desk(copied=True), now=NOW).repaired == (lost.sha256,)


def test_what_cannot_be_repaired_takes_turns_and_leaves_room_for_the_rest(kept: Kept) -> None:
    gone = [f"{number:064d}" for number in range(6)]
    with psycopg.connect(kept.dsn) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into kept_objects (sha256, size, media_type, found, found_at, checked_at)"
            " values (%s, 7, 'application/pdf', 'missing', %s, %s)",
            [(sha256, NOW, NOW - timedelta(hours=hours)) for hours, sha256 in enumerate(gone)],
        )
    seen = []
    for hour in range(3):
        now = NOW + timedelta(hours=1 + hour)
        seen.append(fixity.check_slice(kept.desk(), now=now, limit=4))
    assert set(seen[0].quarantined) == {gone[5], gone[4]}  # those that were longest not looked at
    assert [len(one.quarantined) for one in seen] == [2, 3, 4]
    assert {sha256 for one in seen for sha256 in one.quarantined} == set(gone)
    with kept.database.begin() as work:
        assert work.objects.counts().unread == 0


def test_an_object_without_a_row_is_told_of_after_a_day_and_left_alone(kept: Kept) -> None:
    nobodys = kept.put(b"nobody's")
    assert fixity.orphans(kept.desk(), now=datetime.now(UTC)) == ()  # an upload may be under way
    assert fixity.orphans(kept.desk(), now=datetime.now(UTC) + timedelta(hours=25)) == (nobodys.sha256,)
    kept.store.fetch(nobodys, kept.folder / "out")


def test_uploads_broken_off_a_week_ago_are_ended_in_both_stores(kept: Kept) -> None:
    for store in (kept.store, kept.second):
        store.client._create_multipart_upload(store.bucket, "sha256/aa/bb", {})
    desk = replace(kept.desk(copied=True), second_vault=S3Vault(kept.second))
    in_six_days, in_eight_days = (datetime.now(UTC) + timedelta(days=days) for days in (6, 8))
    assert fixity.end_broken_uploads(desk, now=in_six_days).uploads == 0
    assert fixity.end_broken_uploads(desk, now=in_eight_days).uploads == 2
    assert fixity.end_broken_uploads(desk, now=in_eight_days).uploads == 0


@pytest.mark.usefixtures("less_patience")
def test_a_second_store_that_is_down_keeps_no_broken_upload_in_the_first(kept: Kept) -> None:
    kept.client._create_multipart_upload(kept.s3.bucket, "sha256/aa/bb", {})
    with FaultyS3(kept.s3.endpoint).running() as proxy:
        down = behind(kept, proxy)
        proxy.fault = Fault.DOWN
        desk = replace(kept.desk(copied=True), second_vault=down.vault)
        assert fixity.end_broken_uploads(desk, now=datetime.now(UTC) + timedelta(days=8)).uploads == 1
        with pytest.raises(StoreUnavailable):
            fixity.end_broken_uploads(down, now=datetime.now(UTC))
        down.store.close()  # type: ignore[attr-defined]


def test_a_store_that_lets_nobody_end_uploads_is_looked_through_once_a_day_all_the_same(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a key that lacks the right: one word of it a day, and no hourly walk through the whole store."""
    monkeypatch.setattr(worker, "_CHECK_AFTER_S", 0.0)
    monkeypatch.setattr(worker, "_CHECK_EVERY_S", 0.0)
    monkeypatch.setattr(SWEPT, "without_row", None)
    kept.client._create_multipart_upload(kept.s3.bucket, "sha256/aa/bb", {})
    kept.second.client._create_multipart_upload(kept.second.bucket, "sha256/aa/bb", {})
    with FaultyS3(kept.s3.endpoint).running() as proxy:
        desk = replace(behind(kept, proxy, copied=True), second_vault=S3Vault(kept.second))
        proxy.fault = Fault.REFUSES_TO_LIST_UPLOADS
        rounds, fourth = itertools.count(1), threading.Event()

        class Office:
            """All that the timer asks of the services."""

            def fixity_desk(self) -> FixityDesk:
                if next(rounds) == 4:
                    fourth.set()
                return desk

        async def four_rounds() -> None:
            timer = asyncio.create_task(worker._check_objects(Office()))  # type: ignore[arg-type]
            assert await asyncio.to_thread(fourth.wait, 120)
            timer.cancel()
            await asyncio.wait([timer])

        monkeypatch.setattr(fixity, "UPLOAD_BROKEN_AFTER", -timedelta(hours=1))
        with structlog.testing.capture_logs() as logged:
            asyncio.run(four_rounds())
        assert SWEPT.without_row == 0
        assert proxy.listings == 1
        desk.store.close()  # type: ignore[attr-defined]
    told = [line for line in logged if line["event"] == "broken_uploads_refused"]
    assert [(line["store"], line["reason"]) for line in told] == [("first", "the object store refused: AccessDenied")]
    assert "fixity_put_off" not in {line["event"] for line in logged}
    assert kept.second.client._list_multipart_uploads(kept.second.bucket).uploads == []
    assert len(kept.client._list_multipart_uploads(kept.s3.bucket).uploads) == 1


def test_an_hour_reads_its_share_and_no_more(kept: Kept) -> None:
    assert fixity.check_slice(kept.desk(), now=NOW, limit=2).read == 2
    assert fixity.check_slice(kept.desk(), now=NOW, limit=2).read == 1


def test_the_register_knows_every_place_where_a_row_names_an_object() -> None:
    found = {(table.name, name) for table, name in object_columns()}
    assert {("components", "scan"), ("pages", "picture"), ("e_results", "document"), ("annexes", "source")} <= found
    hashed = {
        (table.name, column.name.removesuffix("_size"))
        for table in tables.metadata.sorted_tables
        for column in table.c
        if column.name.endswith("_size") and column.name != "file_size"
    }
    assert hashed <= found


def test_a_second_store_that_comes_later_gets_its_copies_before_their_turn(kept: Kept) -> None:
    assert fixity.check_slice(kept.desk(), now=NOW).read == 3
    assert fixity.check_slice(kept.desk(copied=True), now=NOW).read == 3  # not yet their turn, but not yet copied
    assert fixity.check_slice(kept.desk(copied=True), now=NOW).read == 0
    for key in kept.keys:
        kept.second.fetch(key, kept.folder / "out")
