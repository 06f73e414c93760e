"""How we connect to PostgreSQL, and what is said when it isn't there."""

from __future__ import annotations

from typing import Any

#: Notice within some ten seconds that the network to the server was cut; without these a dead connection hangs.
KEEPALIVE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

#: The server too must notice within some ten seconds that a host went dark, or what it held (a row, a lock) would
#: outlive it by hours. Settings of each session.
SERVER_KEEPALIVE = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
}

#: How long to wait for a connection to become free or a server to come back.
PATIENCE_S = 10.0


class DatabaseUnavailable(Exception):
    """PostgreSQL didn't answer, or went away in between. Nothing was kept; try again."""
