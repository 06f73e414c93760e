"""What goes between the service and a judge arrives as it was sent, and nothing else is understood."""

from __future__ import annotations

import socket
from dataclasses import fields
from datetime import UTC, datetime

import pytest

from signing import judge
from signing.trust import Term, TrustStore
from signing.types import StoreName

_STORE = TrustStore(
    anchors=(b"root", b"other"),
    intermediates=(b"below",),
    crls=(b"a" * 3000, b""),
    ocsps=(),
    terms=(
        Term(b"root", StoreName.NEAC, since=datetime(2020, 1, 1, tzinfo=UTC)),
        Term(b"other", StoreName.CENTRE, until=datetime(2026, 1, 1, tzinfo=UTC), broken=True),
    ),
)


def test_a_trust_store_arrives_whole() -> None:
    filled = {one.name for one in fields(TrustStore) if getattr(_STORE, one.name)}
    # Who judges reaches no host, and never looks ahead; whatever else a store gets has to be sent, too.
    assert filled | {"ocsps", "hosts", "looks_ahead"} == {one.name for one in fields(TrustStore)}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        judge.send(ours, *judge.trust_message(_STORE))
        message, raw, descriptor = judge.receive(theirs)
    assert descriptor is None
    assert judge.trust_of(message, raw) == _STORE


def test_a_message_that_claims_to_be_huge_is_not_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"\xff" * 8)
        with pytest.raises(ValueError, match="too large"):
            judge.receive(theirs)


def test_a_closed_channel_and_a_late_answer_are_told_apart() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with pytest.raises(TimeoutError):
            judge.receive(ours, deadline=0.0)
        theirs.close()
        with pytest.raises(EOFError):
            judge.receive(ours)


def test_times_keep_their_zone() -> None:
    ours, theirs = socket.socketpair()
    moment = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    with ours, theirs:
        judge.send(ours, {"at": moment})
        assert judge.receive(theirs)[0] == {"at": moment}
    with pytest.raises(TypeError):
        judge.send(ours, {"at": object()})
