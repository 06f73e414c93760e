"""An office that the tests of one worker share; each test opens dossiers of its own."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import S3Settings, _database
from tests.faults.power import disk
from tests.integration.kept_office import furnished, taken_back
from tests.office import Office, running_office

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.embedded.s3 import S3Access
    from storage.database import Database, PostgresUnitOfWork
    from tests.faults.power import Disk


@pytest.fixture(scope="session")
def office(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str, migrated_template: str, s3_server: S3Access
) -> Iterator[Office]:
    """The shared office. Nobody revokes anybody here, nor switches anything off."""
    for dsn in _database(postgres_server, template=migrated_template):
        with running_office(tmp_path_factory.mktemp("office"), dsn, bucket(s3_server)) as running:
            yield running


@pytest.fixture
def own_office(tmp_path: object, migrated_dsn: str, s3_server: S3Access) -> Iterator[Office]:
    """An office of this test's own, to break."""
    with running_office(tmp_path, migrated_dsn, bucket(s3_server)) as running:  # type: ignore[arg-type]
        yield running


@pytest.fixture(scope="module")
def database(postgres_server: str, migrated_template: str) -> Iterator[Database]:
    """A database with a few agencies and a procedure in it, for the tests of one module."""
    with furnished(postgres_server, migrated_template) as database:
        yield database


@pytest.fixture
def work(database: Database) -> Iterator[PostgresUnitOfWork]:
    """A transaction in it that keeps nothing in the end."""
    with taken_back(database) as work:
        yield work


@pytest.fixture
def own_disk() -> Iterator[Disk]:
    """A disk to cut the power of, for tests that are there only where that can be done."""
    with (
        # Not pytest's folder: what is started as another user must reach it.
        tempfile.TemporaryDirectory(prefix="hoso-power-", ignore_cleanup_errors=True) as name,
        disk(Path(name) / "disk", size_mb=600) as made,
    ):
        yield made


def bucket(server: S3Access) -> S3Settings:
    return S3Settings(server.endpoint, server.access_key, server.secret_key, f"hoso-{uuid.uuid4().hex[:20]}")
