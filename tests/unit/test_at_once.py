"""One address can't have all the places with the judges."""

from __future__ import annotations

import pytest
from fastapi import Request

from api.deps import AtOnce
from api.errors import TooManyRequests


def a_request(address: str) -> Request:
    return Request({"type": "http", "client": (address, 40_000), "headers": []})


def test_an_address_has_so_many_requests_under_way_and_no_more() -> None:
    at_once = AtOnce(2)
    first, second = at_once(a_request("10.0.0.1")), at_once(a_request("10.0.0.1"))
    next(first), next(second)
    with pytest.raises(TooManyRequests):
        next(at_once(a_request("10.0.0.1")))
    next(at_once(a_request("10.0.0.2")))

    second.close()
    next(at_once(a_request("10.0.0.1")))


def test_a_request_that_broke_off_leaves_its_place() -> None:
    at_once = AtOnce(1)
    for _ in range(3):
        broken = at_once(a_request("10.0.0.1"))
        next(broken)
        with pytest.raises(ValueError, match="broken"):
            broken.throw(ValueError("broken"))
