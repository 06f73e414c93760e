"""Machines at the counter that send scans by themselves: paired once by a code, revocable, good for sending only.

A desk speaks for the person who set it up and for that person's agency. It can bring papers in and see what became of
them, nothing else; when its person leaves or it is revoked, it is a stranger.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from dossiers import codes
from dossiers.policy import Act, require
from dossiers.types import Incomplete, NotFound, WrongState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import Begin
    from dossiers.types import Actor

#: How a desk's token begins: nobody's session does.
TOKEN_HEAD = "hsq_"  # noqa: S105  not a secret, its kind
#: Time to walk over to the other computer and type thirteen digits.
PAIRING_LIFE = timedelta(minutes=15)
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Desk:
    """A computer with a scanner at a counter.

    Attributes:
        name: What people call it: "Quầy 3".
        made_by: Username of whom it speaks for.
        pairing_sha256: Of the code that makes a token, while it is open; "" afterwards.
        token_sha256: Of the token it shows; "" until it is paired and once it is revoked.
        seen_at: When it last asked for anything, to the minute.
    """

    id: UUID
    agency: str
    name: str
    made_by: str
    made_at: datetime
    pairing_sha256: str = ""
    pairing_until: datetime | None = None
    token_sha256: str = ""
    seen_at: datetime | None = None
    revoked_at: datetime | None = None
    version: int = 0


def announce(begin: Begin, name: str, *, by: Actor, now: datetime) -> tuple[Desk, str]:
    """Make room for a machine; the code, shown once, is typed there within `PAIRING_LIFE`.

    Raises:
        Incomplete: It has no name, or a very long one.
    """
    require(by, Act.ADD_COMPONENT)
    name = " ".join(name.split())
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise Incomplete("name", ("name",))
    code = codes.new_lookup_code()
    with begin() as work:
        desk = work.desks.keep(
            Desk(
                id=uuid.uuid4(),
                agency=by.agency,
                name=name,
                made_by=by.username,
                made_at=now,
                pairing_sha256=_sha256(code),
                pairing_until=now + PAIRING_LIFE,
            )
        )
        work.audit.append(by, "desk.announced", desk.id, name=name)
    return desk, code


def pair(begin: Begin, code: str, *, now: datetime) -> tuple[Desk, str]:
    """Give the machine at which the code was typed its token; a code does so once.

    Raises:
        BadCode: It can't be a code.
        NotFound: No machine waits for this code any more.
    """
    found = _sha256(codes.normalise_lookup_code(code))
    token = TOKEN_HEAD + secrets.token_urlsafe(32)
    with begin() as work:
        desk = work.desks.by_pairing(found, now=now)
        desk = work.desks.keep(replace(desk, pairing_sha256="", pairing_until=None, token_sha256=_sha256(token)))
        person = work.accounts.of(desk.made_by)
        work.audit.append(person.actor, "desk.paired", desk.id, name=desk.name)
    return desk, token


def revoke(begin: Begin, desk_id: UUID, *, by: Actor, now: datetime) -> Desk:
    """Make a machine a stranger at once; what it has sent stays.

    Raises:
        NotFound: The asker's agency has no such machine.
        WrongState: It was revoked before.
    """
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        desk = next((one for one in work.desks.of_agency(by.agency) if one.id == desk_id), None)
        if desk is None:
            raise NotFound("desk")
        if desk.revoked_at is not None:
            raise WrongState("revoked")
        desk = work.desks.keep(replace(desk, pairing_sha256="", token_sha256="", revoked_at=now))
        work.audit.append(by, "desk.revoked", desk.id, name=desk.name)
        return desk


def of_agency(begin: Begin, *, by: Actor) -> Sequence[Desk]:
    """The machines of the asker's agency, revoked ones last."""
    require(by, Act.ADD_COMPONENT)
    with begin() as work:
        return work.desks.of_agency(by.agency)


def with_token(begin: Begin, token: str, *, now: datetime) -> tuple[Desk, Actor]:
    """The machine that shows this token, and the person it speaks for.

    Raises:
        NotFound: There is none, it was revoked, or its person has left.
        NotAllowed: Its person may not bring papers in any more.
    """
    with begin() as work:
        desk = work.desks.by_token(_sha256(token))
        person = work.accounts.of(desk.made_by)
        if not person.active or person.agency != desk.agency:
            raise NotFound("desk")
        require(person.actor, Act.ADD_COMPONENT)
        work.desks.saw(desk.id, now=now)
        return desk, person.actor


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
