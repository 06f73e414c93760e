"""A wrong byte and a lost object are found, told of and repaired from a second copy; nothing is ever deleted."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api.doctor_archive import objects
from api.finding import State
from api.settings import Settings
from dossiers import fixity
from dossiers.fixity import FixityDesk, FoundAs
from dossiers.ports import StoreUnavailable
from dossiers.types import ObjectKey, PageState
from storage import tables
from storage.fixity import object_columns
from storage.vault import S3Vault
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


def test_a_store_that_is_down_puts_nothing_into_quarantine(kept: Kept) -> None:
    class Down:
        """A fake: a store that doesn't answer, which the bundled one can't be told to be for one test alone."""

        def fetch(self, key: ObjectKey, to: Path) -> None:
            raise StoreUnavailable(str(to) + key.path)

    with pytest.raises(StoreUnavailable):
        fixity.check_slice(replace(kept.desk(), store=Down()), now=NOW)  # type: ignore[arg-type]
    with kept.database.begin() as work:
        assert work.objects.counts().quarantined == 0


def test_an_object_without_a_row_is_told_of_after_a_day_and_left_alone(kept: Kept) -> None:
    nobodys = kept.put(b"nobody's")
    assert fixity.orphans(kept.desk(), now=datetime.now(UTC)) == ()  # an upload may be under way
    assert fixity.orphans(kept.desk(), now=datetime.now(UTC) + timedelta(hours=25)) == (nobodys.sha256,)
    kept.store.fetch(nobodys, kept.folder / "out")


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
