"""A small synthetic office to keep: two agencies that mustn't see each other's dossiers, and a helping post office."""

from __future__ import annotations

import hashlib
import itertools
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from minio import Minio

from dossiers.types import (
    Account,
    Actor,
    Agency,
    AgencyKind,
    Applicant,
    Component,
    ComponentKind,
    ComponentState,
    Dossier,
    DossierState,
    EResult,
    ObjectKey,
    Page,
    PageState,
    Procedure,
    ResultState,
    Role,
)
from storage.database import Database
from storage.objects import KEEP_LOCKED, MinioObjectStore
from tests.conftest import _database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

    from storage.database import PostgresUnitOfWork
    from tests.conftest import S3Settings

CENTRE = Agency("000.00.01.H99", "Trung tâm Phục vụ hành chính công tỉnh Mẫu", AgencyKind.CENTRE, symbol="TTPVHCC")
COMMUNE = Agency("000.00.02.H99", "Trung tâm xã Mẫu", AgencyKind.COMMUNE, parent=CENTRE.code, place="xã Mẫu")
POST_OFFICE = Agency("BD.01", "Bưu điện Mẫu", AgencyKind.POST_OFFICE, valid_from=date(2025, 7, 1))
PROCEDURE = Procedure(
    "1.009999",
    "Cấp giấy mẫu",
    (ComponentKind("don", "Đơn đề nghị"), ComponentKind("anh", "Ảnh", required=False)),
    working_days=5,
    result_name="Giấy chứng nhận mẫu",
    result_symbol="GCN",
)
NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)

_serial = itertools.count(1)


class _TestIsOver(Exception):
    pass


@contextmanager
def taken_back(database: Database) -> Iterator[PostgresUnitOfWork]:
    """A transaction that keeps nothing in the end, so that tests can share one database."""
    with suppress(_TestIsOver), database.begin() as work:
        yield work
        raise _TestIsOver


@contextmanager
def furnished(server: str, template: str) -> Iterator[Database]:
    """A database of one's own with the agencies and the procedure in it."""
    with contextmanager(_database)(server, template=template) as dsn:
        database = Database(dsn)
        furnish(database)
        yield database
        database.close()


def opened_store(
    s3: S3Settings, *, endpoint: str = "", bucket: str = "", locked: timedelta | None = KEEP_LOCKED
) -> MinioObjectStore:
    """A store that is ready: the server itself or, at `endpoint`, a proxy before it.

    Args:
        locked: How long objects can't be deleted; with None, what survives there does so for another reason.
    """
    store = MinioObjectStore(
        endpoint or s3.endpoint,
        s3.access_key,
        s3.secret_key,
        bucket or s3.bucket,
        secure=s3.secure and not endpoint,
        keep_locked=locked,
    )
    store.prepare()
    return store


class KeptOffice:
    """A furnished office beside its store, and a client that goes past the store's own rules."""

    def __init__(self, dsn: str, s3: S3Settings, folder: Path, *, locked: timedelta | None = KEEP_LOCKED) -> None:
        self.dsn, self.s3, self.folder = dsn, s3, folder
        self.database = Database(dsn)
        furnish(self.database)
        self.store = opened_store(s3, locked=locked)
        self.client = Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=s3.secure)

    def put(self, content: bytes) -> ObjectKey:
        file = self.folder / f"in-{uuid4()}"
        file.write_bytes(content)
        return self.store.put(file, media_type="application/pdf")

    def close(self) -> None:
        self.store.close()
        self.database.close()


def clerk_of(agency: Agency) -> Actor:
    return Actor(uuid4(), f"canbo.{agency.code}", "Cán Bộ Mẫu", agency.code, frozenset({Role.CLERK}))


def account(username: str, agency: Agency = CENTRE, **more: Any) -> Account:
    return Account(uuid4(), username, "Người Mẫu", agency.code, frozenset({Role.CLERK, Role.LEADER}), "argon2", **more)


def furnish(database: Database) -> None:
    """Agencies and a procedure, which all else refers to."""
    with database.begin() as work:
        for agency in (CENTRE, COMMUNE, POST_OFFICE):
            work.agencies.keep(agency)
        work.procedures.keep(PROCEDURE)


def dossier(agency: Agency = CENTRE, **more: Any) -> Dossier:
    serial = next(_serial)
    return Dossier(
        **{
            "id": uuid4(),
            "code": f"{agency.code}-261120-{serial:04d}",
            "lookup_code": f"{serial:013d}",
            "procedure": PROCEDURE.code,
            "applicant": Applicant("Nguyễn Đình Dương", "001099000001", "0900000000", "xã Mẫu"),
            "receiving": agency.code,
            "competent": agency.code,
            "helped_at": None,
            "paper_at": agency.code,
            "state": DossierState.DRAFT,
            "opened_by": "canbo.mau",
            "opened_at": NOON,
        }
        | more
    )


def key(content: str, media_type: str = "application/pdf") -> ObjectKey:
    return ObjectKey(hashlib.sha256(content.encode()).hexdigest(), len(content), media_type)


def component(of: Dossier | UUID, **more: Any) -> Component:
    serial = next(_serial)
    return Component(
        **{
            "id": uuid4(),
            "dossier_id": of if isinstance(of, UUID) else of.id,
            "ordinal": serial,
            "kind": "don",
            "name": "Đơn đề nghị",
            "scan": key(f"scan {serial}"),
            "filename": "don.pdf",
            "pages_total": 1,
            "state": ComponentState.RECEIVED,
            "scanned_by": "canbo.mau",
            "scanned_at": NOON,
        }
        | more
    )


def page(of: Component, number: int = 1, **more: Any) -> Page:
    return Page(**{"id": uuid4(), "component_id": of.id, "number": number, "state": PageState.RECEIVED} | more)


def e_result(of: Dossier, **more: Any) -> EResult:
    return EResult(
        **{
            "id": uuid4(),
            "dossier_id": of.id,
            "agency": of.competent,
            "ordinal": next(_serial),
            "state": ResultState.DRAFT,
            "title": "Giấy chứng nhận mẫu",
            "prepared_by": "canbo.mau",
        }
        | more
    )


def kept_component(work: PostgresUnitOfWork, agency: Agency = CENTRE, **more: Any) -> Component:
    """A component in a dossier of its own."""
    return work.components.keep(component(work.dossiers.keep(dossier(agency)), **more))
