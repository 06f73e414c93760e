"""Signing in, at the HTTP edge."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from api.schemas.common import In, Password, Text
from dossiers.types import Account


class SignInIn(In):
    """User name and password."""

    username: Text
    password: Password


class ActorOut(BaseModel):
    """Who is signed in."""

    username: str
    name: str
    agency: str
    roles: list[str]

    @staticmethod
    def of(account: Account) -> ActorOut:
        """Nothing secret."""
        return ActorOut(
            username=account.username, name=account.name, agency=account.agency, roles=sorted(account.roles)
        )


class SessionOut(BaseModel):
    """A new session: send the token as `Authorization: Bearer`."""

    token: str
    expires_at: datetime
    account: ActorOut
