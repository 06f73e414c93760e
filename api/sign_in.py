"""Passwords and sessions: argon2id, a token that is stored only as a hash, a lock after wrong tries."""

from __future__ import annotations

import math
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.deps import token_sha256
from api.errors import AccountLocked, WrongPassword
from dossiers.types import NotFound

if TYPE_CHECKING:
    from dossiers.ports import Begin
    from dossiers.types import Account

SESSION_LIFE = timedelta(hours=10)
MOST_TRIES = 5
LOCKED_FOR = timedelta(minutes=15)

_HASHER = PasswordHasher()
#: Checked when the name is unknown.
_NOBODY = _HASHER.hash(secrets.token_hex(16))


def hash_password(password: str) -> str:
    """An argon2id hash to keep."""
    return _HASHER.hash(password)


def open_session(begin: Begin, *, username: str, password: str, now: datetime) -> tuple[Account, str, datetime]:
    """Check a password and open a session; gives the account, the token (only here) and its end.

    Raises:
        WrongPassword: The name or the password is wrong.
        AccountLocked: Too many wrong tries.
    """
    account = check_password(begin, username=username, password=password, now=now)
    token = secrets.token_urlsafe(32)
    expires_at = now + SESSION_LIFE
    with begin() as work:
        work.accounts.open_session(account, token_sha256(token), expires_at=expires_at)
        work.audit.append(account.actor, "session.opened", account.username)
    return account, token, expires_at


def check_password(begin: Begin, *, username: str, password: str, now: datetime) -> Account:
    """The account, if the password is its own; wrong tries are counted, and the fifth in a row locks it.

    A name that nobody has is counted, locked and answered like any other.

    Raises:
        WrongPassword, AccountLocked: As for `open_session`.
    """
    account = _named(begin, username)
    # Before anything else and for unknown names too, so that every answer takes as long.
    matches = _matches(account.password_hash if account else _NOBODY, password)
    if account is not None and account.locked_until is not None and account.locked_until > now:
        raise _locked(account.locked_until, now)
    if account is None or not account.active or not matches:
        _count_wrong_try(begin, username, account, now)
        raise WrongPassword
    if account.failed_sign_ins or account.locked_until:
        with begin() as work:
            work.accounts.forget_wrong_passwords(username)
    return account


def _named(begin: Begin, username: str) -> Account | None:
    try:
        with begin() as work:
            return work.accounts.of(username)
    except NotFound:
        return None


def _count_wrong_try(begin: Begin, username: str, account: Account | None, now: datetime) -> None:
    """Raises AccountLocked: this one was one too many."""
    with begin() as work:
        until = work.accounts.count_wrong_password(username, now=now, most=MOST_TRIES, lock_for=LOCKED_FOR)
        if account is not None:
            work.audit.append(account.actor, "session.refused", account.username, locked=until is not None)
    if until is not None:
        raise _locked(until, now)


def _locked(until: datetime, now: datetime) -> AccountLocked:
    return AccountLocked(math.ceil((until - now) / timedelta(minutes=1)))


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
