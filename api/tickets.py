"""Tickets: what a citizen may do for a while, in an address or a cookie, under the service's own seal.

A ticket can be read by whoever holds it and made by nobody else. Each purpose has a seal of its own, so that a ticket
for one thing never opens another.
"""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING, Any

from api.errors import NoTicket

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


def sealed(secret: bytes, purpose: str, *values: str | int, until: datetime) -> str:
    """A ticket for `purpose` that holds `values`, good until then; fit for an address and for a cookie."""
    content = json.dumps([*values, int(until.timestamp())]).encode()
    body = base64.urlsafe_b64encode(content).decode().rstrip("=")
    return f"{body}.{_seal(secret, purpose, body)}"


def opened(secret: bytes, purpose: str, ticket: str, *, now: datetime) -> Sequence[Any]:
    """The values of a ticket.

    Raises:
        NoTicket: It isn't one of ours for `purpose`, or has ended.
    """
    body, _, seal = ticket.partition(".")
    if not hmac.compare_digest(seal.encode(errors="replace"), _seal(secret, purpose, body).encode()):
        raise NoTicket
    values: list[Any]
    *values, until = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if now.timestamp() > until:
        raise NoTicket
    return values


def _seal(secret: bytes, purpose: str, body: str) -> str:
    return hmac.new(secret, f"{purpose}:{body}".encode(errors="replace"), "sha256").hexdigest()
