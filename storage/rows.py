"""Frozen values to table rows and back, by name: no list of columns to keep in step with the types.

A dataclass inside a value is spread over columns that begin with its field's name (`scan` → `scan_sha256`, …); when
all of them are null the field is None.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_args, get_type_hints

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from dossiers.types import Changed, Duplicate, NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from _typeshed import DataclassInstance
    from sqlalchemy.engine import RowMapping

    class Versioned(DataclassInstance, Protocol):
        """A value that counts its changes."""

        @property
        def id(self) -> UUID: ...  # noqa: D102  a field
        @property
        def version(self) -> int: ...  # noqa: D102  a field

    V = TypeVar("V", bound=Versioned)

T = TypeVar("T")


_SHAPES: dict[Any, tuple[tuple[str, Any], ...]] = {}


def _shape(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The fields of a dataclass, each with the dataclass it holds, or None."""
    if kind not in _SHAPES:
        hints = get_type_hints(kind)
        choices = {field.name: (hints[field.name], *get_args(hints[field.name])) for field in fields(kind)}
        _SHAPES[kind] = tuple((name, next(filter(is_dataclass, those), None)) for name, those in choices.items())
    return _SHAPES[kind]


def to_row(value: DataclassInstance, table: sa.Table) -> dict[str, Any]:
    """The columns that keep `value`."""
    row: dict[str, Any] = {}
    for name, inside in _shape(type(value)):
        held = getattr(value, name)
        if name in table.c:
            row[name] = held
        elif inside is not None:
            row |= {f"{name}_{part}": None if held is None else getattr(held, part) for part, _ in _shape(inside)}
        else:
            raise KeyError(f"{table.name} has no column for {name}")
    return row


def from_row(kind: type[T], row: RowMapping) -> T:
    """The value a row keeps; columns the type doesn't know are left alone."""
    held: dict[str, Any] = {}
    for name, inside in _shape(kind):
        if name in row:
            held[name] = row[name]
        elif inside is not None:
            parts = {part: row[f"{name}_{part}"] for part, _ in _shape(inside)}
            held[name] = None if all(part is None for part in parts.values()) else inside(**parts)
    return kind(**held)


def one(kind: type[T], connection: sa.Connection, query: sa.Select[Any]) -> T:
    """The value of the one row a query gives.

    Raises:
        NotFound: It gives none.
    """
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound("không có, hoặc không thuộc cơ quan của bạn")
    return from_row(kind, row)


def many(kind: type[T], connection: sa.Connection, query: sa.Select[Any]) -> list[T]:
    """The values of all rows a query gives, in its order."""
    return [from_row(kind, row) for row in connection.execute(query).mappings()]


def forget(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool]) -> None:
    """Delete rows that are no longer needed, leaving those that someone else is at this moment busy with."""
    key = list(table.primary_key)
    idle = sa.select(*key).where(which).with_for_update(skip_locked=True)
    connection.execute(sa.delete(table).where(sa.tuple_(*key).in_(idle)))


def upsert(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> None:
    """Insert a row, or change the one with its primary key.

    Raises:
        Duplicate: Another row already holds what must be unique.
    """
    key = [column.name for column in table.primary_key]
    changes = {name: value for name, value in row.items() if name not in key}
    statement = insert(table).values(row).on_conflict_do_update(index_elements=key, set_=changes)
    refuse_duplicates(connection, statement)


def refuse_duplicates(connection: sa.Connection, statement: sa.Executable) -> sa.CursorResult[Any]:
    """Execute a statement that may meet a unique constraint; the transaction goes on either way.

    Raises:
        Duplicate: It did; `of` is the constraint.
    """
    try:
        with connection.begin_nested():
            return connection.execute(statement)
    except IntegrityError as error:
        diagnosis = getattr(error.orig, "diag", None)
        if diagnosis is None or diagnosis.sqlstate != "23505":
            raise
        raise Duplicate("đã có rồi", of=diagnosis.constraint_name or "") from error


def keep_version(connection: sa.Connection, table: sa.Table, value: V, **beside: Any) -> V:
    """Insert a new value (version 0) or change one that nobody else has changed since it was read.

    Args:
        beside: Columns that are no part of the value but made from it, such as the words it is found by.

    Returns:
        The value with its new version.

    Raises:
        Changed: It was changed or inserted meanwhile.
        Duplicate: Another row already holds what must be unique.
    """
    kept = replace(value, version=value.version + 1)
    row = to_row(kept, table) | beside
    statement = (
        insert(table).values(row).on_conflict_do_nothing(index_elements=["id"])
        if value.version == 0
        else sa.update(table).values(row).where(table.c.id == value.id, table.c.version == value.version)
    )
    if refuse_duplicates(connection, statement.returning(table.c.id)).one_or_none() is None:
        raise Changed("có người khác vừa thay đổi; xem lại rồi làm lại")
    return kept
