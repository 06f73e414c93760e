"""Agencies' own templates, every version of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from dossiers.layouts import OwnTemplate
from storage.rows import many, one, to_row, upsert
from storage.tables import own_templates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID


class PostgresOwnTemplates:
    """`dossiers.ports.OwnTemplates`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, template_id: UUID) -> OwnTemplate:
        """The version with this id. Raises NotFound."""
        return one(OwnTemplate, self._connection, sa.select(own_templates).where(own_templates.c.id == template_id))

    def of_agency(self, agency: str | None) -> Sequence[OwnTemplate]:
        """All versions, by name, the newest first; of every agency when none is named."""
        query = sa.select(own_templates).order_by(own_templates.c.agency, own_templates.c.name)
        query = query.order_by(own_templates.c.version.desc())
        if agency is not None:
            query = query.where(own_templates.c.agency == agency)
        return many(OwnTemplate, self._connection, query)

    def keep(self, template: OwnTemplate) -> None:
        """Insert or change."""
        upsert(self._connection, own_templates, to_row(template, own_templates))
