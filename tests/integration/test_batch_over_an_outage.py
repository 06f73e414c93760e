"""A leader's batch while the timestamp authority is dead, slow, and back: each result ends alone, none is signed twice.

Twelve results here; HOSO_BATCH=500 tries the batch of a province's busiest day.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from uuid import UUID

from api import jobs, worker
from signing.timestamp import AT_ONCE, BREAKERS
from signing.types import Place
from storage import queue
from tests.integration.test_api_e_results import approve, digitised_dossier, document, look, ok, submitted
from tests.integration.test_signed_then_stamped import events, kept, signature_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dossiers.types import EResult
    from tests.office import Office
    from tests.pki import Pki

_COUNT = int(os.environ.get("HOSO_BATCH", "12"))


@dataclass
class Authority:
    """The trust service's timestamp authority, out of order as the test likes. A fake only in when it answers."""

    url: str = ""
    dead: bool = False
    delay_s: float = 0.0
    answered: int = 0
    now: int = 0
    most: int = 0


@contextmanager
def unsteady(pki: Pki) -> Iterator[Authority]:
    authority, lock = Authority(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            if authority.dead:
                self.send_error(503)
                return
            with lock:
                authority.now += 1
                authority.most = max(authority.most, authority.now)
            time.sleep(authority.delay_s)
            content = pki.trust.answer_timestamp(question)
            with lock:
                authority.now -= 1
                authority.answered += 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        authority.url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield authority
        finally:
            server.shutdown()
            thread.join()


def sign_what_waits(office: Office) -> None:
    """As the signing worker does: several at once, each in a thread. Then whoever issues."""

    async def work() -> None:
        app = queue.make_app(office.services.dsn)
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


def test_a_batch_survives_an_authority_that_dies_and_comes_back(own_office: Office) -> None:
    office = own_office
    dossier = digitised_dossier(office)
    results = [submitted(office, dossier) for _ in range(_COUNT)]
    with unsteady(office.pki) as authority:
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
