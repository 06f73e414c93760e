"""The count is worth something: each bug that is planted here, on purpose and nowhere else, is found."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import shutil
import uuid
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, BinaryIO

import httpx2
import psycopg
import pytest

from dossiers import digitization, parcels, phone
from dossiers.types import ComponentState, ObjectKey
from tests.conftest import S3Settings
from tests.faults.clerks import Case, Clerks, Door, attempted
from tests.faults.ledger import account
from tests.faults.shaky_s3 import How, ShakyS3
from tests.faults.telephone import Telephone
from tests.faults.troubles import new_case
from tests.integration.test_send import served
from tests.office import running_office

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from api.embedded.s3 import S3Access
    from dossiers.parcels import Parcel
    from tests.faults.ledger import Account
    from tests.office import Office

pytestmark = pytest.mark.timeout(300)

ROUNDS = 40


@pytest.fixture
def planted(tmp_path: Path, migrated_dsn: str, s3_server: S3Access) -> Iterator[Office]:
    bucket = f"hoso-{uuid.uuid4().hex[:20]}"
    at = S3Settings(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, bucket)
    with running_office(tmp_path, migrated_dsn, at) as office:
        yield office


def live_through(
    office: Office, tmp_path: Path, *, rounds: int = ROUNDS, meanwhile: Callable[[Case], None] = lambda _: None
) -> Account:
    """One citizen's matter, as far as it comes, and the count."""
    case = new_case(Random(7), 1)  # noqa: S311  nothing secret
    case.papers = [replace(one, door=Door.BROWSER) if one.door is Door.AGENT else one for one in case.papers]
    with served(office) as port, contextlib.closing(Clerks(f"http://127.0.0.1:{port}", tmp_path)) as clerks:
        for _ in range(rounds):
            if attempted(clerks, case):
                break
            meanwhile(case)
            office.work_off()
    return account(office.services.dsn, office.services.archive_store, [case])


def test_where_nothing_is_wrong_nothing_is_found(planted: Office, tmp_path: Path) -> None:
    found = live_through(planted, tmp_path)

    assert found.is_clean, found.told()
    assert (found.papers, found.hashes > 10) == (3, True)


class Hasty:
    """Planted: says "stored" at once, and dies before it does so. It gives back what only it remembers."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def put(self, file: Path, *, media_type: str) -> ObjectKey:
        content = file.read_bytes()
        key = ObjectKey(hashlib.sha256(content).hexdigest(), len(content), media_type)
        self._held[key.sha256] = content
        return key

    def fetch(self, key: ObjectKey, to: Path) -> None:
        with to.open("wb") as target:
            shutil.copyfileobj(io.BytesIO(self._held[key.sha256]), target)

    @contextlib.contextmanager
    def open(self, key: ObjectKey, *, offset: int = 0, length: int | None = None) -> Iterator[BinaryIO]:
        end = None if length is None else offset + length
        yield io.BytesIO(self._held[key.sha256][offset:end])

    def probe(self) -> None:
        pass


def test_a_worker_that_records_what_it_has_yet_to_store_is_found(planted: Office, tmp_path: Path) -> None:
    archive = planted.services.archive_store
    planted.services = replace(planted.services, store=Hasty())

    found = live_through(planted, tmp_path)

    assert planted.services.archive_store is archive
    assert len([one for one in found.lost if one.startswith("object ")]) > 10
    assert not found.hashes


def test_a_store_that_forgets_what_it_has_shown_is_found(
    tmp_path: Path, migrated_dsn: str, s3_server: S3Access
) -> None:
    """It acknowledges, gives the bytes back to whoever compares, and has lost them a moment later."""
    bucket = f"hoso-{uuid.uuid4().hex[:20]}"
    with ShakyS3(s3_server.endpoint).running() as shaky:
        at = S3Settings(shaky.endpoint, s3_server.access_key, s3_server.secret_key, bucket)
        with running_office(tmp_path, migrated_dsn, at) as office:
            shaky.how = How.FORGETFUL
            found = live_through(office, tmp_path, rounds=3)

    assert [one for one in found.lost if "components.scan" in one]


def test_a_worker_that_doesnt_look_before_it_acts_is_found(
    planted: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its jobs, delivered twice, are done twice."""
    monkeypatch.setattr(digitization, "_ASSEMBLED_IN", tuple(ComponentState))
    twice: set[str] = set()

    def deliver_again(_case: Case) -> None:
        with psycopg.connect(planted.services.dsn) as connection:
            done = connection.execute(
                "SELECT id, args ->> 'component_id' FROM procrastinate_jobs "
                "WHERE task_name = 'assemble' AND status = 'succeeded'"
            ).fetchall()
            for job, component in done:
                if component not in twice:
                    twice.add(component)
                    connection.execute(
                        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status) "
                        "SELECT queue_name, task_name, args, 'todo' FROM procrastinate_jobs WHERE id = %s",
                        [job],
                    )

    found = live_through(planted, tmp_path, meanwhile=deliver_again)

    assert twice
    assert [one for one in found.doubled if one.startswith("component.assembled")], found.told()


def test_a_job_that_vanished_is_found(planted: Office, tmp_path: Path) -> None:
    def lose_one(case: Case) -> None:
        with psycopg.connect(planted.services.dsn) as connection:
            connection.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'read_page' AND status = 'todo'")

    found = live_through(planted, tmp_path, rounds=6, meanwhile=lose_one)

    assert [one for one in found.stuck if "being read or signed" in one], found.told()


@pytest.mark.parametrize(
    "slip", [lambda pictures: pictures[:-1], lambda pictures: pictures[::-1]], ids=["loses one", "turns them round"]
)
def test_a_paper_that_isn_t_what_the_telephone_took_is_found(
    planted: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slip: Callable[[list[Parcel]], list[Parcel]]
) -> None:
    bound = phone._bound
    monkeypatch.setattr(phone, "_bound", lambda store, pictures, **more: bound(store, slip(pictures), **more))

    found = live_through(planted, tmp_path, rounds=3)

    assert [one for one in found.doubled if "1 scans that nobody handed in" in one], found.told()
    assert [one for one in found.stuck if "paper of pictures" in one], found.told()


def test_a_picture_that_is_kept_twice_is_found(
    planted: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: it doesn't look whether a picture is here. The telephone got no answer and brings all of them again."""
    monkeypatch.setattr(parcels, "_there", lambda *_: None)
    monkeypatch.setattr(Telephone, "done", _without_an_answer(Telephone.done))

    found = live_through(planted, tmp_path, rounds=4)

    assert [one for one in found.doubled if re.search(r"picture \w+ is there \d times", one)], found.told()


def _without_an_answer(done: Callable[[Telephone], httpx2.Response]) -> Callable[[Telephone], httpx2.Response]:
    lost = iter([True])

    def once_unheard(telephone: Telephone) -> httpx2.Response:
        if next(lost, False):
            raise httpx2.ReadError("the line broke before the button was pressed")
        return done(telephone)

    return once_unheard


def test_a_line_taken_out_of_the_log_and_a_page_too_few_are_found(planted: Office, tmp_path: Path) -> None:
    live_through(planted, tmp_path, rounds=4)
    with psycopg.connect(planted.services.dsn) as connection:
        connection.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        connection.execute("DELETE FROM audit_log WHERE sequence = (SELECT max(sequence) - 1 FROM audit_log)")
        connection.execute(
            "CREATE TEMP TABLE gone AS SELECT pages.id FROM pages JOIN components ON components.id = component_id "
            "WHERE pages_total = 1 ORDER BY id LIMIT 1"
        )
        connection.execute("DELETE FROM page_index WHERE page_id IN (SELECT id FROM gone)")
        connection.execute("DELETE FROM pages WHERE id IN (SELECT id FROM gone)")

    found = account(planted.services.dsn, planted.services.archive_store, [])

    assert [one for one in found.lost if "the log is broken" in one], found.told()
    assert [one for one in found.lost if "0 of 1 pages" in one], found.told()
