"""Which timestamp authority is passed over, and for how long; and hosts that go by another name."""

from __future__ import annotations

import pytest

from signing import hosts
from signing.timestamp import Breakers

_URL = "http://tsa.example/"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_authority_is_passed_over_after_three_failures_and_tried_again_by_one() -> None:
    clock = Clock()
    breakers = Breakers(clock)
    for _ in range(3):
        assert breakers.may_ask(_URL)
        breakers.failed(_URL)
    assert not breakers.may_ask(_URL)
    clock.now += 16
    assert breakers.may_ask(_URL)
    assert not breakers.may_ask(_URL)  # the others wait for what the first one hears
    breakers.answered(_URL, 0.5)
    assert breakers.may_ask(_URL)
    assert breakers.may_ask(_URL)
    assert breakers.health()[0].seconds == 0.5


def test_it_rests_longer_each_time_and_silence_weighs_more_than_a_refusal() -> None:
    clock = Clock()
    breakers = Breakers(clock)
    breakers.failed(_URL, silent=True)
    rests = []
    for _ in range(7):
        rests.append(breakers.health()[0].closed_for_s)
        clock.now += rests[-1]
        assert breakers.may_ask(_URL)
        breakers.failed(_URL)
    assert rests == [15, 30, 60, 120, 300, 300, 300]
    breakers.reset()
    assert breakers.health() == ()


def test_two_failures_and_an_answer_are_no_reason() -> None:
    breakers = Breakers(Clock())
    for _ in range(5):
        breakers.failed(_URL)
        breakers.failed(_URL)
        assert breakers.may_ask(_URL)
        breakers.answered(_URL, 1.0)


@pytest.mark.parametrize(
    ("named", "asked"),
    [
        ("http://ocsp.ca.ptc/ocsp?x=1", "http://ocsp.ca.gov.vn/ocsp?x=1"),
        ("http://tsa.ca.ptc:318/tsa", "http://10.0.0.5:8080/tsa"),
        ("http://ca.gov.vn/a.crl", "http://ca.gov.vn/a.crl"),
        ("http://ocsp.ca.ptc.evil.example/", "http://ocsp.ca.ptc.evil.example/"),
    ],
)
def test_a_host_is_asked_for_where_the_setting_says(named: str, asked: str) -> None:
    mapped = hosts.read(["ocsp.ca.ptc=ocsp.ca.gov.vn", "TSA.ca.ptc = 10.0.0.5:8080"])
    assert hosts.reached_at(named, mapped) == asked


@pytest.mark.parametrize("pair", ["", "a", "a=", "=b", "a=b/c", "a=b:port", "a=u@b"])
def test_a_mapping_that_is_none_is_refused(pair: str) -> None:
    with pytest.raises(ValueError, match=r"TÊN=MÁY|[Pp]ort"):
        hosts.read([pair])
