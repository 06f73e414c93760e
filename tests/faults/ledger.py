"""What was handed in against what is there: lost, doubled, stuck. Counted from the outside, past every proxy and cache.

Nothing here believes a state: objects are read from the store and hashed, events are counted in the log, jobs in the
queue, files on the counter's disk.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import sqlalchemy as sa

from dossiers.ports import ObjectMissing, StoreUnavailable
from dossiers.types import Component, ComponentState, Dossier, DossierState, EResult, ObjectKey
from storage.fixity import object_columns
from storage.rows import from_row
from storage.tables import components, dossiers, e_results, pages, parcels
from tests.faults.clerks import Door

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dossiers.ports import ObjectStore
    from tests.faults.clerks import Case

#: What the log may say once of a subject and no more.
_ONCE = (
    "dossier.received",
    "dossier.returned",
    "component.received",
    "e_result.leader_signed",
    "e_result.sealed",
    "e_result.issued",
    "parcel.ended",
    "phone.paper_made",
)
#: What it may say once for each time a person asked for it: as read, as reviewed, and again after each retry.
_ONCE_A_REVISION = ("component.assembled", "copy.signed", "copy.made")
_FINISHED = frozenset({DossierState.RETURNED, DossierState.REFUSED, DossierState.CANCELLED})


@dataclass
class Account:
    """What was found, each in words.

    Attributes:
        hashes: Objects that were read and hashed.
        papers: Scans that were handed in.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    hashes: int = 0
    papers: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled, or is stuck."""
        return not (self.lost or self.doubled or self.stuck)

    def told(self) -> str:
        """All of it, a line each."""
        lines = [*(f"lost: {one}" for one in self.lost), *(f"doubled: {one}" for one in self.doubled)]
        return "\n".join([*lines, *(f"stuck: {one}" for one in self.stuck)])


def account(dsn: str, store: ObjectStore, cases: Sequence[Case], *, folder: Path | None = None) -> Account:
    """Count.

    Args:
        dsn: The database.
        store: The object store itself, no proxy before it.
        cases: What was handed in, and how far people came with it.
        folder: The one that the counter's program watches.
    """
    found = Account()
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    try:
        with engine.connect() as connection:
            _cases(connection, cases, found)
            _objects(connection, store, found)
            _jobs(connection, found)
            _pages(connection, found)
            _events(connection, found)
            _next_steps(connection, found)
            _log(connection, found)
    finally:
        engine.dispose()
    if folder is not None:
        _counter(folder, cases, found)
    return found


def _cases(connection: sa.Connection, cases: Sequence[Case], found: Account) -> None:
    for case in cases:
        opened = connection.execute(sa.select(dossiers.c.id).where(dossiers.c.applicant_name == case.applicant)).all()
        if len(opened) > 1:
            found.doubled.append(f"{case.applicant}: {len(opened)} dossiers")
        if not case.done:
            found.stuck.append(f"{case.applicant} ({case.code}): {case.said}")
        elif case.verdict != "genuine, issued, 2 signatures":
            found.lost.append(f"{case.applicant} ({case.code}): the result is {case.verdict}")
        if case.ownerless:
            found.stuck.append(f"{case.applicant} ({case.code}): nobody to act next, seen {case.ownerless} times")
        for table, promised in case.promised:
            there = sa.text(f"SELECT count(*) FROM {table} WHERE id = :id")  # noqa: S608  our own words
            if not connection.execute(there, {"id": promised}).scalar_one():
                found.lost.append(f"{case.applicant}: {table} {promised}, which was promised")
        if case.id:
            _results(connection, case, found)
            _papers(connection, case, found)
            _pictures(connection, case, found)


def _results(connection: sa.Connection, case: Case, found: Account) -> None:
    query = sa.select(sa.func.count()).where(e_results.c.dossier_id == UUID(case.id))
    if (results := connection.execute(query).scalar_one()) > 1:
        found.doubled.append(f"{case.code}: {results} results")


def _papers(connection: sa.Connection, case: Case, found: Account) -> None:
    of_it = sa.select(components.c.scan_sha256).where(
        components.c.dossier_id == UUID(case.id), components.c.state != ComponentState.REPLACED
    )
    kept = Counter(connection.execute(of_it).scalars())
    for paper in case.papers:
        found.papers += 1
        if kept[paper.sha256] > 1:
            found.doubled.append(f"{case.code}: scan {paper.sha256[:12]} is there {kept[paper.sha256]} times")
        elif case.done and not kept[paper.sha256]:
            found.lost.append(f"{case.code}: scan {paper.sha256[:12]}")
    if strange := kept.keys() - {paper.sha256 for paper in case.papers}:
        found.doubled.append(f"{case.code}: {len(strange)} scans that nobody handed in")


def _pictures(connection: sa.Connection, case: Case, found: Account) -> None:
    """Every picture of a telephone is kept once, as it came, and beside the paper that it became."""
    came = sa.select(parcels.c.file_sha256, parcels.c.component_id).where(
        parcels.c.dossier_id == UUID(case.id), parcels.c.phone_link.is_not(None), parcels.c.file_sha256.is_not(None)
    )
    kept = Counter(sha256 for sha256, component in connection.execute(came) if component is not None or not case.done)
    for paper in case.papers:
        for picture in map(hashlib.sha256, paper.pictures):
            sha256 = picture.hexdigest()
            if kept[sha256] > 1:
                found.doubled.append(f"{case.code}: picture {sha256[:12]} is there {kept[sha256]} times")
            elif case.done and not kept[sha256]:
                found.lost.append(f"{case.code}: picture {sha256[:12]}")


def _objects(connection: sa.Connection, store: ObjectStore, found: Account) -> None:
    """Every object that any row names is there, and is what its name says."""
    with tempfile.TemporaryDirectory() as folder:
        for key, where in _named(connection).items():
            try:
                store.fetch(key, Path(folder, "object"))
            except (ObjectMissing, StoreUnavailable) as error:
                found.lost.append(f"object {key.sha256[:12]} of {where}: {type(error).__name__}")
            else:
                found.hashes += 1


def _named(connection: sa.Connection) -> dict[ObjectKey, str]:
    named: dict[ObjectKey, str] = {}
    for table, name in object_columns():
        columns = [table.c[f"{name}_{part}"] for part in ("sha256", "size", "media_type")]
        for row in connection.execute(sa.select(*columns).where(columns[0].is_not(None))):
            named.setdefault(ObjectKey(*row), f"{table.name}.{name}")
    return named


def _jobs(connection: sa.Connection, found: Account) -> None:
    left = "SELECT task_name, status::text, count(*) FROM procrastinate_jobs "
    left += "WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2 ORDER BY 1, 2"
    for task, status, count in connection.execute(sa.text(left)):
        found.stuck.append(f"{count} jobs {task} are {status}")


def _pages(connection: sa.Connection, found: Account) -> None:
    """Each paper has the pages its file has, each once."""
    counted = sa.select(components.c.id, components.c.pages_total, sa.func.count(pages.c.id)).outerjoin(
        pages, pages.c.component_id == components.c.id
    )
    for component, total, there in connection.execute(counted.group_by(components.c.id, components.c.pages_total)):
        if there != total:
            (found.lost if there < total else found.doubled).append(f"paper {component}: {there} of {total} pages")


def _events(connection: sa.Connection, found: Account) -> None:
    said = "SELECT event, subject, count(*) FROM audit_log WHERE event = ANY(:events) GROUP BY 1, 2 HAVING count(*) > 1"
    for event, subject, count in connection.execute(sa.text(said), {"events": list(_ONCE)}):
        found.doubled.append(f"{event} of {subject}: {count} times")
    again = (
        "SELECT event, subject, count(*), c.revision + 1 FROM audit_log JOIN components c ON c.id::text = subject "
        "WHERE event = ANY(:events) GROUP BY 1, 2, 4 HAVING count(*) > c.revision + 1"
    )
    for event, subject, count, most in connection.execute(sa.text(again), {"events": list(_ONCE_A_REVISION)}):
        found.doubled.append(f"{event} of {subject}: {count} times, at most {most} were asked for")


def _next_steps(connection: sa.Connection, found: Account) -> None:
    """Every dossier that isn't finished has somebody who acts next."""
    for dossier in _all(Dossier, connection, sa.select(dossiers).where(dossiers.c.state.not_in(_FINISHED))):
        of_it = sa.select(components).where(
            components.c.dossier_id == dossier.id, components.c.state != ComponentState.REPLACED
        )
        results = sa.select(e_results).where(e_results.c.dossier_id == dossier.id)
        step = dossier.next_step(
            list(_all(Component, connection, of_it)), list(_all(EResult, connection, results.order_by("ordinal")))
        )
        if step is None:
            found.stuck.append(f"dossier {dossier.code} is {dossier.state}, and nobody acts next")


def _all(kind: type[Any], connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Any]:
    for row in connection.execute(query).mappings():
        yield from_row(kind, row)


def _log(connection: sa.Connection, found: Account) -> None:
    """The chain of the log is whole, and no line of it was skipped."""
    from storage.audit import PostgresAudit

    if (broken := PostgresAudit(connection).first_break()) is not None:
        found.lost.append(f"the log is broken at line {broken}")


def _counter(folder: Path, cases: Sequence[Case], found: Account) -> None:
    """What the counter's program took is put away, and what it put away is received."""
    for case in cases:
        for paper in case.papers:
            if paper.door is not Door.AGENT or not case.done:
                continue
            put_away = list((folder / "da-nhan" / case.code).glob("*.png"))
            if not any(file.read_bytes() == paper.content for file in put_away):
                found.stuck.append(f"{case.code}: the scan {paper.sha256[:12]} isn't put away at the counter")
    for refused in folder.glob("khong-nhan/**/*.png"):
        found.lost.append(f"the counter was told that {refused.name} isn't taken")
