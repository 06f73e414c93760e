"""Documents given out to be signed with their signer's own token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from dossiers.own_token import SigningLink
from storage.rows import keep_version, many, one
from storage.tables import signing_links

if TYPE_CHECKING:
    from uuid import UUID


class PostgresSigningLinks:
    """`dossiers.ports.SigningLinks`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def by_token(self, token_sha256: str) -> SigningLink:
        """The link with this secret, by its hash. Raises NotFound."""
        query = sa.select(signing_links).where(signing_links.c.token_sha256 == token_sha256)
        return one(SigningLink, self._connection, query)

    def lock(self, link_id: UUID) -> SigningLink:
        """A link, held against other uploads until the block ends. Raises NotFound."""
        query = sa.select(signing_links).where(signing_links.c.id == link_id).with_for_update()
        return one(SigningLink, self._connection, query)

    def newest(self, e_result_id: UUID) -> SigningLink | None:
        """The last link made for this result; None when there was none."""
        query = sa.select(signing_links).where(signing_links.c.e_result_id == e_result_id)
        newest = query.order_by(signing_links.c.made_at.desc(), signing_links.c.id).limit(1)
        return next(iter(many(SigningLink, self._connection, newest)), None)

    def keep(self, link: SigningLink) -> SigningLink:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        return keep_version(self._connection, signing_links, link)
