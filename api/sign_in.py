"""Passwords and sessions: argon2id, a token that is stored only as a hash, a lock after wrong tries."""

from __future__ import annotations

import math
import secrets
from dataclasses import replace
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
#: Checked when the name is unknown, so that both answers take as long.
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
    """The account, if the password is its own; wrong tries are counted, and five in a row lock it.

    Raises:
        WrongPassword, AccountLocked: As for `open_session`.
    """
    try:
        with begin() as work:
            account = work.accounts.of(username)
    except NotFound:
        _matches(_NOBODY, password)
        raise WrongPassword from None
    if account.locked_until is not None and account.locked_until > now:
        raise AccountLocked(math.ceil((account.locked_until - now) / timedelta(minutes=1)))
    if not _matches(account.password_hash, password) or not account.active:
        _count_wrong_try(begin, account, now)
        raise WrongPassword
    if account.failed_sign_ins or account.locked_until:
        with begin() as work:
            account = replace(account, failed_sign_ins=0, locked_until=None)
            work.accounts.keep(account)
    return account


def _count_wrong_try(begin: Begin, account: Account, now: datetime) -> None:
    tries = account.failed_sign_ins + 1
    locked_until = now + LOCKED_FOR if tries >= MOST_TRIES else None
    with begin() as work:
        work.accounts.keep(replace(account, failed_sign_ins=0 if locked_until else tries, locked_until=locked_until))
        work.audit.append(account.actor, "session.refused", account.username, locked=locked_until is not None)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
