"""People, their sessions, and how often they may try.

A session is known by the hash of its token; the token itself is never here.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dossiers.types import Account
from storage.rows import forget, many, one, to_row, upsert
from storage.tables import accounts, sessions, tries

if TYPE_CHECKING:
    from collections.abc import Sequence


#: How long the wrong passwords of a name that nobody has are remembered; an account's never run out.
_REMEMBERED = timedelta(days=365)


class PostgresAccounts:
    """`dossiers.ports.Accounts`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, username: str) -> Account:
        """The account with this name. Raises NotFound."""
        return one(Account, self._connection, sa.select(accounts).where(accounts.c.username == username))

    def in_agency(self, agency: str) -> Sequence[Account]:
        """Active people, by name."""
        query = sa.select(accounts).where(accounts.c.agency == agency, accounts.c.active)
        return many(Account, self._connection, query.order_by(accounts.c.name, accounts.c.username))

    def keep(self, account: Account) -> None:
        """Insert or change. Raises Duplicate: another account has this username."""
        upsert(self._connection, accounts, to_row(account, accounts))

    def count_wrong_password(self, username: str, *, now: datetime, most: int, lock_for: timedelta) -> datetime | None:
        """Count one more, in one step; the `most`-th in a row locks. Until when it is locked, None while it isn't.

        Names that nobody has are counted as well, in `tries`, by their hash.
        """
        locked, last = accounts.c.locked_until > now, accounts.c.failed_sign_ins + 1 >= most
        counted = (
            sa.update(accounts)
            .where(accounts.c.username == username)
            .values(
                failed_sign_ins=sa.case((locked | last, 0), else_=accounts.c.failed_sign_ins + 1),
                locked_until=sa.case((locked, accounts.c.locked_until), (last, now + lock_for), else_=None),
            )
            .returning(accounts.c.locked_until)
        )
        found = self._connection.execute(counted).one_or_none()
        return found.locked_until if found else self._count_for_nobody(username, now, most, lock_for)

    def _count_for_nobody(self, username: str, now: datetime, most: int, lock_for: timedelta) -> datetime | None:
        bucket = f"wrong-password:{hashlib.sha256(username.encode()).hexdigest()}"
        new = insert(tries).values(bucket=bucket, ends_at=now + _REMEMBERED, count=1)
        over, locked, last = tries.c.ends_at <= now, tries.c.count >= most, tries.c.count + 1 >= most
        counted = new.on_conflict_do_update(
            index_elements=["bucket"],
            set_={
                "count": sa.case((over, 1), (locked, tries.c.count), else_=tries.c.count + 1),
                "ends_at": sa.case(
                    (over, now + _REMEMBERED), (locked, tries.c.ends_at), (last, now + lock_for), else_=tries.c.ends_at
                ),
            },
        ).returning(tries.c.count.label("wrong"), tries.c.ends_at)
        found = self._connection.execute(counted).one()
        return found.ends_at if found.wrong >= most else None

    def forget_wrong_passwords(self, username: str) -> None:
        """The right one was given."""
        right = sa.update(accounts).where(accounts.c.username == username)
        self._connection.execute(right.values(failed_sign_ins=0, locked_until=None))

    def open_session(self, account: Account, token_sha256: str, *, expires_at: datetime) -> None:
        """Remember a session, and forget those that have run out."""
        forget(self._connection, sessions, sessions.c.expires_at < sa.func.now())
        row = {"token_sha256": token_sha256, "user_id": account.user_id, "expires_at": expires_at}
        self._connection.execute(sa.insert(sessions).values(row))

    def by_session(self, token_sha256: str, *, now: datetime) -> Account:
        """Raises NotFound: unknown, expired, closed, or the account is no longer active."""
        query = (
            sa.select(accounts)
            .join(sessions)
            .where(sessions.c.token_sha256 == token_sha256, sessions.c.expires_at > now, accounts.c.active)
        )
        return one(Account, self._connection, query)

    def close_session(self, token_sha256: str) -> None:
        """Forget a session; unknown ones are no error."""
        self._connection.execute(sa.delete(sessions).where(sessions.c.token_sha256 == token_sha256))


class PostgresLimits:
    """`dossiers.ports.Limits`. A try counts when its transaction is committed, so give it one of its own."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def hit(self, bucket: str, *, now: datetime, window_s: int, limit: int) -> bool:
        """Count one try in this bucket's present window; False once there are more than `limit`.

        Windows lie side by side from the epoch on. Tries in one bucket wait for each other.
        """
        ends_at = datetime.fromtimestamp((now.timestamp() // window_s + 1) * window_s, UTC)
        new = insert(tries).values(bucket=bucket, ends_at=ends_at, count=1)
        same_window = tries.c.ends_at == new.excluded.ends_at
        statement = new.on_conflict_do_update(
            index_elements=["bucket"],
            set_={"ends_at": new.excluded.ends_at, "count": sa.case((same_window, tries.c.count + 1), else_=1)},
        ).returning(tries.c.count)
        count: int = self._connection.execute(statement).scalar_one()
        forget(self._connection, tries, tries.c.ends_at < now)
        return count <= limit
