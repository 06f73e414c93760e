"""What the signing worker knows of timestamp authorities is told on the administrator's page and by the doctor."""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from api import doctor_trust, worker
from api.finding import State
from api.settings import Settings
from api.wiring import utc_now
from dossiers import authorities
from signing.timestamp import BREAKERS, Breakers, Health, Timestamper
from signing.types import TrustServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.office import Office

_DIGEST = hashlib.sha256(b"a document").digest()
_PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    BREAKERS.reset()
    yield
    BREAKERS.reset()


def ask(url: str, breakers: Breakers) -> None:
    asker = Timestamper([url], tries=1, deadline_s=10, breakers=breakers)
    with suppress(TrustServiceUnavailable):
        asyncio.run(asker.async_timestamp(_DIGEST, "sha256"))


def shown(office: Office) -> str:
    page = office.open("quantri", "/quan-tri").text
    return page.partition('<section aria-labelledby="stampers">')[2].partition("</section>")[0]


def found(office: Office) -> list[State]:
    settings = Settings(database=office.services.dsn, tsa_urls=office.services.tsa_urls)
    return [finding.state for finding in doctor_trust.passed_over(settings)]


def test_an_authority_that_answers_fails_and_answers_again_is_told_as_such(own_office: Office) -> None:
    office, breakers = own_office, Breakers()
    (url,) = office.services.tsa_urls
    assert "chưa hỏi lần nào" in shown(office)
    assert found(office) == []

    ask(url, breakers)
    authorities.note(office.services.begin, breakers.health(), now=utc_now())
    assert "trả lời" in shown(office)
    assert "sau 0." in shown(office)

    office.pki.stop()
    for _ in range(3):
        ask(url, breakers)
    authorities.note(office.services.begin, breakers.health(), now=utc_now() + timedelta(hours=1))
    assert "tạm bỏ qua" in shown(office)
    assert "không trả lời 3 lần liên tiếp; hỏi lại từ " in shown(office)
    assert found(office) == [State.DOUBTFUL]

    authorities.note(office.services.begin, breakers.health(), now=utc_now() - timedelta(hours=1))
    assert "có việc thì hỏi lại ngay" in shown(office), "its rest is over"
    assert found(office) == []


def test_the_signing_worker_writes_down_what_it_learns(own_office: Office) -> None:
    office = own_office
    (url,) = office.services.tsa_urls
    authorities.note(office.services.begin, _left_by_an_earlier_worker(), now=utc_now())

    def noted() -> dict[str, int]:
        return {one.url: one.failures for one in authorities.noted(office.services.begin).values()}

    async def until(expected: dict[str, int]) -> None:
        timer = asyncio.create_task(worker._tell_of_authorities(office.services))
        give_up = time.monotonic() + _PATIENCE_S
        while await asyncio.to_thread(noted) != expected:
            assert time.monotonic() < give_up
            await asyncio.sleep(0.01)
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)

    asyncio.run(until({}))
    ask(url, BREAKERS)
    asyncio.run(until({url: 0}))
    BREAKERS.failed(url)
    asyncio.run(until({url: 1}))


def _left_by_an_earlier_worker() -> tuple[Health, ...]:
    earlier = Breakers()
    earlier.failed("http://127.0.0.1:9/")
    return earlier.health()
