"""How a value of ours lies in one column: names as text, sets and lists as arrays or JSON, given back as they were."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from dossiers.types import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy.engine import Dialect


class Named(sa.types.TypeDecorator[StrEnum]):
    """A member of a StrEnum, kept as its text so that a new member needs no change of the schema."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002  SQLAlchemy's
        """The member that was kept."""
        return None if value is None else self.enum(value)


class Roles(sa.types.TypeDecorator[frozenset[Role]]):
    """A set of roles, kept as an array in alphabetical order."""

    impl = ARRAY(sa.Text)
    cache_ok = True

    def process_bind_param(self, value: Iterable[Role] | None, dialect: Dialect) -> Any:  # noqa: ARG002  SQLAlchemy's
        """The array to keep."""
        return None if value is None else sorted(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> frozenset[Role] | None:  # noqa: ARG002
        """The set that was kept."""
        return None if value is None else frozenset(Role(role) for role in value)


class Tuple(sa.types.TypeDecorator[tuple[Any, ...]]):
    """An array given back as a tuple, as frozen types hold it."""

    impl = ARRAY
    cache_ok = True

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[Any, ...] | None:  # noqa: ARG002
        """The tuple that was kept."""
        return None if value is None else tuple(value)


class JsonTuple(sa.types.TypeDecorator[tuple[Any, ...]]):
    """A JSON list given back as a tuple, as frozen types hold it."""

    impl = JSONB
    cache_ok = True

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[Any, ...] | None:  # noqa: ARG002
        """The tuple that was kept."""
        return None if value is None else tuple(value)


class Corrections(sa.types.TypeDecorator[dict[int, str]]):
    """Word index → text. JSON knows only text as a key; this gives the numbers back."""

    impl = JSONB
    cache_ok = True

    def process_result_value(self, value: Any | None, dialect: Dialect) -> dict[int, str] | None:  # noqa: ARG002
        """The corrections that were kept."""
        return None if value is None else {int(index): text for index, text in value.items()}


class JsonRows(sa.types.TypeDecorator[tuple[Any, ...]]):
    """Frozen records kept as a JSON list, in their order; JSON knows ids only as text.

    Args:
        kind: The type of each.
        id_of: The name of its only id, "" for none.
    """

    impl = JSONB
    cache_ok = True

    def __init__(self, kind: type[Any], id_of: str = "") -> None:
        super().__init__()
        self.kind = kind
        self.id_of = id_of

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """The list to keep."""
        return None if value is None else [self._with_id(asdict(row), str) for row in value]

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[Any, ...] | None:  # noqa: ARG002
        """The records that were kept."""
        return None if value is None else tuple(self.kind(**self._with_id(row, uuid.UUID)) for row in value)

    def _with_id(self, row: dict[str, Any], form: Callable[[Any], object]) -> dict[str, Any]:
        return row | {self.id_of: form(row[self.id_of])} if self.id_of else row
