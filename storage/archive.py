"""A dossier as rows, whole and exact: to be carried out of one database and into another.

PostgreSQL writes each row as JSON and reads it back itself, so that no list of columns has to be kept in step and no
value passes through a type of ours. What belongs to a dossier is listed here; a test holds the list against the
tables, so that a new table can't be forgotten.
"""

# ruff: noqa: S608  the statements are put together from this module's own words; what is asked for is bound

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from dossiers.amendments import ERASED, Amendment
from dossiers.archive import NotOurRows, ToArchive
from dossiers.types import Duplicate
from storage import tables
from storage.amendments import bound_by, erased_by
from storage.audit import GENESIS, line_hash
from storage.dossiers import seen_by
from storage.migrations import head
from storage.page_index import note_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.types import Actor

    Rows = Mapping[str, Sequence[Mapping[str, Any]]]

_OF_COMPONENT = "component_id IN (SELECT id FROM components WHERE dossier_id = :id)"
_OF_RESULT = "e_result_id IN (SELECT id FROM e_results WHERE dossier_id = :id)"
_AGENCIES = (
    "SELECT receiving FROM dossiers WHERE id = :id UNION SELECT competent FROM dossiers WHERE id = :id "
    "UNION SELECT helped_at FROM dossiers WHERE id = :id UNION SELECT paper_at FROM dossiers WHERE id = :id "
    "UNION SELECT paper_to FROM dossiers WHERE id = :id UNION SELECT agency FROM e_results WHERE dossier_id = :id "
    "UNION SELECT agency FROM parcels WHERE dossier_id = :id "
    "UNION SELECT agency FROM holds WHERE dossier_id = :id "
    "UNION SELECT agency FROM numbers WHERE e_result_id IN (SELECT id FROM e_results WHERE dossier_id = :id) "
    "UNION SELECT sender FROM transfers WHERE id = (SELECT transfer FROM dossiers WHERE id = :id) "
    "UNION SELECT receiver FROM transfers WHERE id = (SELECT transfer FROM dossiers WHERE id = :id)"
)
_SUBJECTS = (
    "SELECT :id ::text UNION SELECT id::text FROM components WHERE dossier_id = :id "
    "UNION SELECT p.id::text FROM pages p JOIN components c ON c.id = p.component_id WHERE c.dossier_id = :id "
    "UNION SELECT id::text FROM e_results WHERE dossier_id = :id "
    f"UNION SELECT id::text FROM annexes WHERE {_OF_RESULT}"
)

#: Whose rows lines of the log are about, as above.
_SUBJECT_TABLES = ("dossiers", "components", "pages", "e_results", "annexes")

#: Tables in the order in which their rows can be put in, and which of their rows belong to a dossier.
BELONGS = {
    "agencies": (
        f"code IN (WITH RECURSIVE above(code) AS ({_AGENCIES} UNION SELECT a.parent FROM agencies a "
        "JOIN above ON above.code = a.code) SELECT code FROM above)"
    ),
    "procedures": "code = (SELECT procedure FROM dossiers WHERE id = :id)",
    "transfers": "id = (SELECT transfer FROM dossiers WHERE id = :id)",
    "day_ordinals": (
        "(agency, day) IN (SELECT receiving, (opened_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date "
        "FROM dossiers WHERE id = :id)"
    ),
    "certificates": (
        f"agency IN ({_AGENCIES}) AND (owner = '' OR owner IN (SELECT leader FROM e_results WHERE dossier_id = :id "
        "UNION SELECT scanned_by FROM components WHERE dossier_id = :id))"
    ),
    "dossiers": "id = :id",
    "components": "dossier_id = :id",
    "parcels": "dossier_id = :id",
    "pages": _OF_COMPONENT,
    "extracted_fields": _OF_COMPONENT,
    "e_results": "dossier_id = :id",
    "annexes": _OF_RESULT,
    "number_registers": f"(agency, symbol, year) IN (SELECT agency, symbol, year FROM numbers WHERE {_OF_RESULT})",
    "numbers": _OF_RESULT,
    "signature_attempts": (
        "subject_id IN (SELECT id FROM components WHERE dossier_id = :id "
        "UNION SELECT id FROM e_results WHERE dossier_id = :id)"
    ),
    "e_result_documents": _OF_RESULT,
    "amendments": "dossier_id = :id",
    "holds": "dossier_id = :id",
    "held_objects": "hold_id IN (SELECT id FROM holds WHERE dossier_id = :id)",
}
#: What many dossiers share: there already or not, and a counter never goes back.
SHARED = {
    "agencies": "",
    "procedures": "",
    "certificates": "",
    "transfers": "",
    "day_ordinals": "last",
    "number_registers": "last",
}
#: Certificates go along so that signatures are known again; whoever takes them in gets nobody's key to sign with.
#: What the other store was seen to lock says nothing about this one.
_OVER = {
    "certificates": """ || '{"active": false, "key_file": "", "locator": ""}'""",
    "dossiers": """ || '{"lock_checked_at": null}'""",
}
#: Nothing of a finished dossier: links that have expired, with what opens them; parts of a parcel not whole yet.
#: What pages are found by is made anew where they come to.
LEFT_OUT = {"signing_links", "phone_links", "parcel_parts", "page_index"}
_AUDIT = "audit"


class PostgresArchive:
    """`dossiers.archive.Archive`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def revision(self) -> str:
        """The schema these rows are of."""
        return head() or ""

    def rows(self, dossier_id: UUID) -> Rows:
        """Everything that is kept of a dossier, by table, and its lines of the log under "audit".

        In one statement, and so as of one moment: people go on correcting meanwhile, and a line without its values,
        or values without their line, would be refused wherever the bag is taken in.
        """
        first = self._connection.execute(
            sa.select(tables.audit_log.c.hash).where(tables.audit_log.c.sequence == 1)
        ).scalar()
        parts = [_part(name, which, "to_jsonb(t)::text") for name, which in BELONGS.items()]
        parts += [
            _part("audit_imported", f"subject IN ({_SUBJECTS})", "log, sequence"),
            _part("audit_log", f"subject IN ({_SUBJECTS})", "sequence"),
        ]
        whole = sa.text(f"{' UNION ALL '.join(parts)} ORDER BY 1, 2").columns(
            sa.Column("name", sa.Text), sa.Column("number", sa.BigInteger), sa.Column("row", JSONB)
        )
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*BELONGS, "audit_imported", "audit_log")}
        for name, _, row in self._connection.execute(whole, {"id": dossier_id}):
            found[name].append(row)
        own = [{"log": first or GENESIS, **line} for line in found.pop("audit_log")]
        found[_AUDIT] = found.pop("audit_imported") + own
        return found

    def put(self, rows: Rows) -> None:
        """Put a dossier's rows where it has never been.

        Raises:
            Duplicate: It, or a number or code of it, is here already.
            NotOurRows: There is a table among them that we don't know, or a line of the log doesn't fit its hash or
                is about something else, or values before and after don't fit the lines, or lack.
        """
        if unknown := rows.keys() - {*BELONGS, _AUDIT}:
            raise NotOurRows(", ".join(sorted(unknown)))
        here = self._connection.execute(
            sa.select(tables.dossiers.c.code).where(
                tables.dossiers.c.id.in_([row["id"] for row in rows.get("dossiers", ())])
            )
        ).scalar()
        if here is not None:
            raise Duplicate("hồ sơ đã có ở đây", of=here)
        _must_fit(rows)
        for name in BELONGS:
            self._insert(name, rows.get(name, ()))
        for page in rows.get("pages", ()):
            note_page(self._connection, page["id"], page["component_id"], page["text"])
        self._insert_lines(rows.get(_AUDIT, ()))

    def mark(self, dossier_id: UUID, *, at: datetime) -> None:
        """Note that a dossier was taken into the archive; the first time counts."""
        table = tables.dossiers
        self._connection.execute(
            sa.update(table)
            .where(table.c.id == dossier_id, table.c.finished_at.is_not(None), table.c.archived_at.is_(None))
            .values(archived_at=at)
        )

    def with_code(self, code: str) -> UUID | None:
        """The finished dossier with this code."""
        table = tables.dossiers
        query = sa.select(table.c.id).where(table.c.code == code, table.c.finished_at.is_not(None))
        found: UUID | None = self._connection.execute(query).scalar()
        return found

    def finished(self, since: datetime, before: datetime) -> Sequence[UUID]:
        """Dossiers that came to their end in this time, by then."""
        table = tables.dossiers
        query = sa.select(table.c.id).where(table.c.finished_at >= since, table.c.finished_at < before)
        return list(self._connection.execute(query.order_by(table.c.finished_at, table.c.id)).scalars())

    def due(self, actor: Actor | None, *, by: datetime, limit: int = 200) -> Sequence[ToArchive]:
        """Finished dossiers that must be in the archive by then and aren't, the first due first.

        Args:
            actor: Only those the actor's agency has a part in; None for all.
        """
        dossiers, procedures = tables.dossiers, tables.procedures
        due = dossiers.c.finished_at + sa.func.make_interval(0, 0, 0, procedures.c.archive_within_days)
        query = (
            sa.select(dossiers.c.id, dossiers.c.code, procedures.c.name, dossiers.c.finished_at, due.label("due"))
            .select_from(dossiers.join(procedures))
            .where(dossiers.c.finished_at.is_not(None), dossiers.c.archived_at.is_(None), due <= by)
            .order_by(due, dossiers.c.id)
            .limit(limit)
        )
        if actor is not None:
            query = query.where(seen_by(actor))
        return [ToArchive(*row) for row in self._connection.execute(query)]

    def _insert(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """In one statement, so that rows may point to one another."""
        if not rows:
            return
        table = tables.metadata.tables[name]
        columns = [column for column in table.c if column.name in rows[0]]
        if strange := set().union(*rows) - {column.name for column in columns}:
            raise NotOurRows(f"{name}: {', '.join(sorted(strange))}")
        names = ", ".join(f'"{column.name}"' for column in columns)
        on_conflict = ""
        if name in SHARED:
            key = ", ".join(f'"{column.name}"' for column in table.primary_key)
            counter = SHARED[name]
            change = f'UPDATE SET "{counter}" = greatest(t."{counter}", excluded."{counter}")' if counter else "NOTHING"
            on_conflict = f"ON CONFLICT ({key}) DO {change}"
        self._connection.execute(
            sa.text(
                f'INSERT INTO "{name}" AS t ({names}) SELECT {names} '
                f'FROM jsonb_populate_recordset(NULL::"{name}", :rows) {on_conflict}'
            ).bindparams(sa.bindparam("rows", type_=JSONB)),
            {"rows": list(rows)},
        )

    def _insert_lines(self, lines: Sequence[Mapping[str, Any]]) -> None:
        if not lines:
            return
        table = tables.audit_imported
        populated = sa.text("SELECT * FROM jsonb_populate_recordset(NULL::audit_imported, :rows)").bindparams(
            sa.bindparam("rows", type_=JSONB)
        )
        typed = [dict(row) for row in self._connection.execute(populated, {"rows": list(lines)}).mappings()]
        for line in typed:
            if line["hash"] != line_hash(line):
                raise NotOurRows(f"audit {line['sequence']}")
        self._connection.execute(insert(table).on_conflict_do_nothing(), typed)


def _part(name: str, which: str, order: str) -> str:
    return (
        f"SELECT '{name}' AS name, row_number() OVER (ORDER BY {order}) AS number, "
        f'to_jsonb(t){_OVER.get(name, "")} AS row FROM "{name}" t WHERE {which}'
    )


def _must_fit(rows: Rows) -> None:
    """Hold the lines of the log, and the values before and after, against the dossier and one another.

    What lacks here would lack for ever, and `verify` would say so for ever.

    Raises:
        NotOurRows: A line is about something that isn't the dossier's; or values are another dossier's, don't fit
            their hash, or no line knows of them; or a line's are missing, and none of the same dossier says that they
            were erased.
    """
    try:
        bound, erased = _said_by_lines(rows)
        kept = [Amendment(**row) for row in rows.get("amendments", ())]
        dossiers = {row["id"] for row in rows.get("dossiers", ())}
        for values in kept:
            _ = values.changes  # as whoever opens the history will have them read
            if not values.fits or values.dossier_id not in dossiers or values.sha256 not in bound:
                raise NotOurRows(f"amendments {values.sha256}")
        if missing := bound - erased - {values.sha256 for values in kept}:
            raise NotOurRows(f"amendments {min(missing)}")
    except (ValueError, TypeError, KeyError, AttributeError) as garbled:  # not what we write
        raise NotOurRows("amendments, audit") from garbled


def _said_by_lines(rows: Rows) -> tuple[set[str], set[str]]:
    """Hashes of the values that lines came with, and of those that a line says were erased."""
    belongs = {row["id"] for name in _SUBJECT_TABLES for row in rows.get(name, ())}
    dossiers = {row["id"] for row in rows.get("dossiers", ())}
    bound: set[str] = set()
    erased: set[str] = set()
    for line in rows.get(_AUDIT, ()):
        if line["subject"] not in belongs:
            raise NotOurRows(f"audit {line['sequence']}")
        if sha256 := bound_by(line["detail"]):
            bound.add(sha256)
        if line["event"] == ERASED and line["subject"] in dossiers:
            erased.update(erased_by(line["detail"]))
    return bound, erased
