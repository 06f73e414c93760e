"""A leader's batch while the timestamp authority is dead, slow, and back: each result ends alone, none is signed twice.

Twelve results here; HOSO_TEST_BATCH=500 tries the batch of a province's busiest day. `bench/batch.py` does the same
with every part in a process of its own, one PIN for a token, and a signing worker that is killed.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from api import jobs, worker
from signing.timestamp import AT_ONCE, BREAKERS
from signing.types import Place
from storage import workers
from tests.integration.test_api_e_results import approve, digitised_dossier, document, look, ok, submitted
from tests.integration.test_signed_then_stamped import events, kept, signature_values
from tests.unsteady_authority import unsteady

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.types import EResult
    from tests.office import Office

_COUNT = int(os.environ.get("HOSO_TEST_BATCH", "12"))


def sign_what_waits(office: Office) -> None:
    """As the signing worker does: several at once, each in a thread. Then whoever issues."""

    async def work() -> None:
        app = workers.make_app(office.services.dsn)
        jobs.register(app, office.services, office.services.signing_desk(office.keys))
        async with app.open_async():
            await app.run_worker_async(
                queues=list(worker.SIGNING),
                concurrency=worker.SIGNING_AT_ONCE,
                wait=False,
                listen_notify=False,
                install_signal_handlers=False,
            )

    asyncio.run(work())
    office.work_off(*worker.READING)


def due(office: Office, results: Sequence[dict[str, Any]], place: Place) -> None:
    """What time does: the authority's rest is over, and so is everybody's wait for the next try."""
    BREAKERS.reset()
    for result in results:
        with office.services.begin() as work:
            work.jobs.sign_e_result(UUID(result["id"]), place)


def states(office: Office, results: Sequence[dict[str, Any]]) -> Counter[str]:
    return Counter(look(office, result)["state"]["code"] for result in results)


def unstamped(office: Office, results: Sequence[dict[str, Any]]) -> list[EResult]:
    return [one for one in (kept(office, result) for result in results) if one.unstamped is not None]


@pytest.mark.timeout(max(300, 4 * _COUNT))
def test_a_batch_survives_an_authority_that_dies_and_comes_back(own_office: Office) -> None:
    office = own_office
    dossier = digitised_dossier(office)
    results = [submitted(office, dossier) for _ in range(_COUNT)]
    with unsteady(office.pki.trust) as authority:
        office.services = replace(office.services, tsa_urls=(authority.url,))
        authority.dead = True
        for result in results:
            ok(approve(office, result))

        sign_what_waits(office)

        assert states(office, results) == {"approved": _COUNT}
        waiting = unstamped(office, results)
        assert len(waiting) == _COUNT  # all signed, though nobody told the time
        assert all(look(office, one)["next_step"]["code"] == "await_timestamp" for one in results)

        spoilt = results[0]  # its bytes come back wrong: it stops alone, and says why
        with office.services.begin() as work:
            one = work.e_results.for_job(UUID(spoilt["id"]))
            work.e_results.keep(replace(one, unstamped=one.document))
        authority.dead, authority.delay_s = False, 0.2
        due(office, results, Place.LEADER)
        sign_what_waits(office)

        assert states(office, results) == {"approved": 1, "issued": _COUNT - 1}
        stopped = kept(office, spoilt)
        assert (stopped.trouble, stopped.unstamped) == ("field_missing", None)
        assert authority.answered == 3 * (_COUNT - 1)
        assert 1 < authority.most <= AT_ONCE

        due(office, results, Place.SEAL)  # said once more, nothing more is done
        due(office, results[1:], Place.LEADER)
        sign_what_waits(office)

    assert authority.answered == 3 * (_COUNT - 1)
    signed = [signature_values(document(office, look(office, result))) for result in results[1:]]
    assert len({value for both in signed for value in both}) == 2 * (_COUNT - 1)
    for result in results[1:]:
        assert [events(office, result, event) for event in ("e_result.made", "e_result.issued")] == [2, 1]
