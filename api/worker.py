"""A worker process: jobs of the queues it is given, and, in the signing worker, the timer for revocation lists."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING

import structlog

from api import jobs
from api.figures import SWEPT, telling
from api.key_folder import KeyFolder
from api.pin_desk import pin_door
from api.wiring import utc_now, wire
from dossiers import authorities, fixity, holds, log_stamps, renewal, retention, verdict_reports
from dossiers.ports import StoreUnavailable
from dossiers.signatures import clear_broken_off
from dossiers.trust_upkeep import ANSWERS_EVERY, refresh_answers, refresh_revocation_lists
from dossiers.types import Changed
from signing.timestamp import AT_ONCE, BREAKERS
from signing.types import SigningRefused, TrustServiceUnavailable
from storage import queue, workers
from storage.database import DatabaseUnavailable
from storage.sole_worker import work_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from api.settings import Settings
    from api.wiring import Services
    from dossiers.fixity import FixityDesk
    from dossiers.signatures import SigningDesk

_LOG = structlog.get_logger("worker")

#: Queues of a reading worker; the signing worker has its own and no other. A looking worker is never busy with a long
#: page, so that what is on the desk is seen at once; reading workers look as well, when they have a hand free.
LOOKING = (queue.LOOK,)
READING = (queue.LOOK, queue.PAGE, queue.PAPER, queue.REGISTER)
SIGNING = (queue.SIGN,)
#: Whoever waits before a screen comes before pages that wait for the reader, where both share a machine: about 3 to 1.
_BEHIND_PEOPLE = 5
#: Keys are used one at a time all the same; the others wait for the time, and no more than that are asked for it.
SIGNING_AT_ONCE = AT_ONCE

_REFRESH_EVERY_S = 900.0
_REFRESH_AGAIN_S = 20.0
_RENEW_EVERY_S = 3600.0
_FORGET_EVERY_S = 900.0
_TELL_EVERY_S = 5.0
_STAMP_EVERY_S = 3600.0
_CHECK_EVERY_S = 3600.0
_CHECK_AFTER_S = 300.0  # a start has better things to do
_SWEEP_EVERY_S = 24 * 3600.0
_HOLD_EVERY_S = 5.0
_HOLD_AGAIN_S = 20.0
_LOCK_EVERY_S = 60.0
_LOCK_AGAIN_S = 0.5
_STAMP_AFTER_S = 60.0  # lists come first: a token is judged by them


def run(queues: Sequence[str], settings: Settings | None = None) -> None:
    """Work until told to stop; coming back without that means that the database went away.

    One that signs first waits until no other does.
    """
    if tuple(queues) == READING:
        os.nice(_BEHIND_PEOPLE)
    office = wire(settings)
    try:
        office.refuse_demo_trust()
        with telling(office.database, f"{'+'.join(queues)}@{socket.gethostname()}:{os.getpid()}"):
            asyncio.run(_work(office, tuple(queues)))
    finally:
        office.close()


async def _work(office: Services, queues: tuple[str, ...]) -> None:
    app = workers.make_app(office.dsn)
    name = f"{socket.gethostname()}:{os.getpid()}"
    if queue.SIGN not in queues:
        jobs.register(app, office, None)
        await workers.run_worker(app, queues, name=name)
        return

    async def sign() -> None:
        keys = KeyFolder(office.keys_folder)
        desk = office.signing_desk(keys)
        jobs.register(app, office, desk)
        with pin_door(office.keys_folder, keys.pins, office.begin), contextlib.closing(keys):
            timers = [
                asyncio.create_task(run)
                for run in (
                    _keep_lists_fresh(office),
                    _renew_in_time(office),
                    _forget_reports(office),
                    _clear_outbox(desk),
                    _stamp_log(office),
                    _tell_of_authorities(office),
                    _check_objects(office),
                    _hold_objects(office),
                    _keep_locked(office),
                )
            ]
            try:
                await workers.run_worker(app, queues, name=name, concurrency=SIGNING_AT_ONCE)
            finally:
                for timer in timers:
                    timer.cancel()
                await asyncio.gather(*timers, return_exceptions=True)

    await work_alone(office.dsn, sign)


async def _renew_in_time(office: Services) -> None:
    """Every hour: renew the evidence of results before it ends, a share of them at a time."""
    desk = office.renewal_desk()
    while True:
        try:
            done = await asyncio.to_thread(renewal.renew_due, desk, now=utc_now())
        except (DatabaseUnavailable, Changed, StoreUnavailable, TrustServiceUnavailable):
            _LOG.warning("renewal_put_off")
        except Exception:  # noqa: BLE001  whatever it was, the next hour comes
            _LOG.exception("renewal_failed")  # a timer that had ended would be missed only in years
        else:
            if done.renewed or done.failed:
                _LOG.info("evidence_renewed", renewed=done.renewed, failed=done.failed)
        await asyncio.sleep(_RENEW_EVERY_S)


async def _stamp_log(office: Services) -> None:
    """Every hour: have the audit log's head stamped, once a day."""
    desk = office.log_desk()
    await asyncio.sleep(_STAMP_AFTER_S)
    while True:
        try:
            made = await asyncio.to_thread(log_stamps.stamp, desk, now=utc_now())
        except (DatabaseUnavailable, Changed, StoreUnavailable, TrustServiceUnavailable):
            _LOG.warning("log_stamp_put_off")
        except SigningRefused as refused:
            _LOG.warning("log_not_stamped", reason=refused.reason)
        except Exception:  # noqa: BLE001  whatever it was, the next hour comes
            _LOG.exception("log_not_stamped")
        else:
            if made is not None:
                _LOG.info("log_stamped", sequence=made.sequence)
        await asyncio.sleep(_STAMP_EVERY_S)


async def _tell_of_authorities(office: Services) -> None:
    """Write down how timestamp authorities behave, within seconds of each change."""
    told: object = None
    while True:
        found = BREAKERS.health()
        known = [(one.url, one.failures, one.seconds) for one in found]
        if known != told:
            try:
                await asyncio.to_thread(authorities.note, office.begin, found, now=utc_now())
            except (DatabaseUnavailable, Changed):
                _LOG.warning("authorities_not_noted")
            except Exception:  # noqa: BLE001  whatever it was, the next time comes
                _LOG.exception("authorities_not_noted")
            else:
                told = known
        await asyncio.sleep(_TELL_EVERY_S)


async def _check_objects(office: Services) -> None:
    """Every hour: read a slice of all objects and compare; once a day: look through the whole store."""
    await asyncio.sleep(_CHECK_AFTER_S)
    sweep_due = uploads_due = 0.0
    while True:
        try:
            desk = await asyncio.to_thread(office.fixity_desk)
            done = await asyncio.to_thread(fixity.check_slice, desk, now=utc_now())
            _LOG.info("objects_read", objects=done.read, repaired=len(done.repaired))
            if done.quarantined:
                _LOG.error("objects_wrong", quarantined=done.quarantined)
            if time.monotonic() >= sweep_due:  # put off, it is due in the next hour and not in the next day
                await asyncio.to_thread(_sweep, desk)
                sweep_due = time.monotonic() + _SWEEP_EVERY_S
            if time.monotonic() >= uploads_due:  # by itself: what fails here must not list the whole store again
                await asyncio.to_thread(_end_uploads, desk)
                uploads_due = time.monotonic() + _SWEEP_EVERY_S
        except (DatabaseUnavailable, Changed, StoreUnavailable):
            _LOG.warning("fixity_put_off")
        except Exception:  # noqa: BLE001  whatever it was, the next hour comes
            _LOG.exception("fixity_failed")
        await asyncio.sleep(_CHECK_EVERY_S)


def _sweep(desk: FixityDesk) -> None:
    """Look through the whole store, and leave how many objects no row names where the figures and the doctor see it."""
    nobodys = fixity.orphans(desk, now=utc_now())
    SWEPT.without_row = len(nobodys)
    if nobodys:
        _LOG.warning("objects_without_row", objects=len(nobodys))


def _end_uploads(desk: FixityDesk) -> None:
    """End uploads broken off long ago; that a store doesn't let us is told, and asked again in a day."""
    ended = fixity.end_broken_uploads(desk, now=utc_now())
    if ended.uploads:
        _LOG.info("broken_uploads_ended", uploads=ended.uploads)
    for store, why in ended.refused.items():
        _LOG.warning("broken_uploads_refused", store=store, reason=why)


async def _hold_objects(office: Services) -> None:
    """Every few seconds: have the store hold what is under legal hold, and let go what was released."""
    desk = office.hold_desk()
    while True:
        pause = _HOLD_EVERY_S
        try:
            done = await asyncio.to_thread(holds.work_off, desk, now=utc_now())
        except (DatabaseUnavailable, Changed, StoreUnavailable):
            _LOG.warning("holds_put_off")
            pause = _HOLD_AGAIN_S
        except Exception:  # noqa: BLE001  whatever it was, the next time comes
            _LOG.exception("holds_failed")
            pause = _HOLD_AGAIN_S
        else:
            if done.did_something:
                _LOG.info("objects_held", held=done.held, lifted=done.lifted, missing=done.missing)
            if done.gone:
                _LOG.error("hold_was_gone", objects=done.gone)
        await asyncio.sleep(pause)


async def _keep_locked(office: Services) -> None:
    """Every minute: give dossiers that have ended their period, and have the store lock their files for as long."""
    desk = office.retention_desk()
    await asyncio.sleep(_LOCK_EVERY_S)
    while True:
        pause = _LOCK_EVERY_S
        try:
            done = await asyncio.to_thread(retention.work_off, desk, now=utc_now())
        except (DatabaseUnavailable, Changed, StoreUnavailable):
            _LOG.warning("locks_put_off")
        except Exception:  # noqa: BLE001  whatever it was, the next time comes
            _LOG.exception("locks_failed")
        else:
            if done.settled or done.dossiers:
                _LOG.info("dossiers_locked", dossiers=done.dossiers, objects=done.prolonged, settled=done.settled)
                pause = _LOCK_AGAIN_S  # there may be more
        await asyncio.sleep(pause)


async def _forget_reports(office: Services) -> None:
    """Every quarter of an hour: delete the reports of checks whose day is over."""
    while True:
        try:
            await asyncio.to_thread(verdict_reports.forget, office.begin, now=utc_now())
        except (DatabaseUnavailable, Changed):
            _LOG.warning("reports_not_forgotten")
        except Exception:  # noqa: BLE001  whatever it was, the next time comes
            _LOG.exception("reports_not_forgotten")
        await asyncio.sleep(_FORGET_EVERY_S)


async def _clear_outbox(desk: SigningDesk) -> None:
    """Every quarter of an hour: sweep out what a killed signing worker had in its hands."""
    while True:
        try:
            await asyncio.to_thread(clear_broken_off, desk)
        except Exception:  # noqa: BLE001  whatever it was, the next time comes
            _LOG.exception("outbox_not_cleared")
        await asyncio.sleep(_FORGET_EVERY_S)


async def _keep_lists_fresh(office: Services) -> None:
    """Refresh lists now and every quarter of an hour, answers every few minutes; sooner while something can't be had.

    The timer ends with the process, never for an error: what nobody refreshes would in the end stop all signing.
    """
    lists_due = 0.0
    while True:
        began = time.monotonic()
        late: tuple[str, ...] = ()
        if began >= lists_due:
            late = await _refreshed(refresh_revocation_lists, office, "revocation_list_unavailable")
            lists_due = began + (_REFRESH_AGAIN_S if late else _REFRESH_EVERY_S)
        silent = await _refreshed(refresh_answers, office, "responder_silent")
        await asyncio.sleep(_REFRESH_AGAIN_S if late or silent else ANSWERS_EVERY.total_seconds())


async def _refreshed(refresh: Callable[..., tuple[str, ...]], office: Services, event: str) -> tuple[str, ...]:
    try:
        failed = await asyncio.to_thread(refresh, office.begin, now=utc_now(), hosts=office.hosts)
    except (DatabaseUnavailable, Changed):
        failed = ("database",)
    except Exception:  # noqa: BLE001  told, and tried again
        _LOG.exception("refresh_failed")
        failed = ("unknown",)
    for one in failed:
        _LOG.warning(event, about=one)
    return failed
