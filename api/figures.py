"""What this process says of itself in figures, and all of them together in Prometheus' words.

Each process keeps counters in memory and leaves them in the database every few seconds (`telling`); `exposition` tells
those of every process that lives, with what the database itself counts. Labels name queues, tasks, routes and hosts;
nobody's name, code or address is in them.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from api.wiring import utc_now
from dossiers.types import Changed
from signing.fetch import exchanges
from signing.timestamp import BREAKERS
from storage.database import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from storage.database import Database
    from storage.figures import Figure

_LOG = structlog.get_logger("figures")

TELL_EVERY_S = 10.0
#: A process that said nothing for so long has ended.
_LIVES = timedelta(seconds=60)

_ours = CollectorRegistry()
#: Requests by route, never by address: addresses carry codes.
REQUESTS = Histogram(
    "hoso_request_seconds",
    "Answers of the web, by route and status",
    ["method", "route", "status"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=_ours,
)
JOBS = Histogram(
    "hoso_job_seconds",
    "Jobs done, by task and outcome",
    ["task", "outcome"],
    buckets=(0.1, 0.5, 1, 2.5, 5, 10, 30, 120),
    registry=_ours,
)
PAGES = Counter("hoso_pages_read", "Pages read", registry=_ours)

_COUNTED = {
    "hoso_jobs": "Jobs waiting, at work and failed, by queue",
    "hoso_oldest_job_seconds": "Age of the oldest job that somebody waits for and may begin, by queue",
    "hoso_back_file_jobs": "Jobs of old dossiers that wait until nothing else does, by queue",
    "hoso_workers": "Workers that live",
    "hoso_stuck": "What waits for a person or for a timestamp",
    "hoso_certificate_days_left": "Days until a certificate in use ends",
    "hoso_oldest_revocation_list_seconds": "Age of the oldest revocation list kept",
    "hoso_objects_quarantined": "Stored objects that are missing or damaged",
    "hoso_longest_unread_object_seconds": "Since the object that was longest not read again was read",
    "hoso_held_dossiers": "Dossiers under legal hold",
    "hoso_held_objects_unseen": "Objects of held dossiers on which the store's hold wasn't seen of late",
    "hoso_hold_releases_waiting": "Holds whose release waits for a second person",
    "hoso_unlocked_dossiers": "Ended dossiers that aren't known to be locked for their period",
    "hoso_unlocked_objects": "Objects of these (of 200 of them at most) whose lock is shorter than the period",
    "hoso_retention_ending_dossiers": "Dossiers whose period of keeping ends within 30 days, or is past",
    "hoso_archive_due_dossiers": "Finished dossiers due for the archive within 30 days, or past that",
}


class _TrustServices:
    """Timestamp authorities and responders, as this process found them last."""

    def collect(self) -> Iterable[Metric]:
        """As the registry wants it."""
        seconds = GaugeMetricFamily(
            "hoso_trust_service_seconds", "How long the last answer took", labels=["kind", "host"]
        )
        failures = GaugeMetricFamily("hoso_trust_service_failures", "Failures in a row", labels=["kind", "host"])
        rests = GaugeMetricFamily("hoso_timestamp_rest_seconds", "For how long it is passed over", labels=["host"])
        for one in BREAKERS.health():
            host = urlsplit(one.url).hostname or ""
            if one.seconds is not None:
                seconds.add_metric(["timestamp", host], one.seconds)
            failures.add_metric(["timestamp", host], one.failures)
            rests.add_metric([host], one.closed_for_s)
        for exchange in exchanges():
            if exchange.seconds is not None:
                seconds.add_metric(["status", exchange.host], exchange.seconds)
            failures.add_metric(["status", exchange.host], exchange.failures)
        return seconds, failures, rests


_ours.register(_TrustServices())


class _Swept:
    """What the last look through the whole store found, in the process that looks; the others say nothing of it."""

    def __init__(self) -> None:
        self.without_row: int | None = None

    def collect(self) -> Iterable[Metric]:
        """As the registry wants it."""
        if self.without_row is not None:
            yield GaugeMetricFamily(WITHOUT_ROW, "Objects older than a day that no row names", value=self.without_row)


#: Counting them lists all of the store: whoever looks once a day leaves the number here.
WITHOUT_ROW = "hoso_objects_without_row"
SWEPT = _Swept()
_ours.register(SWEPT)


@contextmanager
def telling(database: Database, process: str) -> Iterator[None]:
    """Leave this process's figures in the database every few seconds, as long as the block lasts."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(TELL_EVERY_S):
            tell_now(database, process)

    thread = threading.Thread(target=tell, name="figures", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def tell_now(database: Database, process: str) -> None:
    """Leave the figures as they are; a database that can't be reached is told of in the log and by its absence."""
    try:
        with database.begin() as work:
            work.figures.tell(process, [_plain(family) for family in _ours.collect()], now=utc_now())
    except (DatabaseUnavailable, Changed):
        _LOG.warning("figures_not_told")
    except Exception:  # noqa: BLE001  figures are never worth a process
        _LOG.exception("figures_not_told")


def _plain(family: Metric) -> dict[str, Any]:
    samples = [[one.name, dict(one.labels), one.value] for one in family.samples if not one.name.endswith("_created")]
    return {"name": family.name, "help": family.documentation, "type": family.type, "samples": samples}


def exposition(database: Database) -> bytes:
    """All figures in Prometheus' text format.

    Raises:
        DatabaseUnavailable: They can't be read.
    """
    now = utc_now()
    with database.begin() as work:
        counted = work.figures.counted(now=now)
        told = work.figures.told(since=now - _LIVES)
    registry = CollectorRegistry()
    registry.register(_Told([*_families(counted), *_merged(told)]))
    return generate_latest(registry)


def last_said(database: Database, name: str) -> float | None:
    """What all processes that live say of one figure, added up; None where none of them says anything."""
    with database.begin() as work:
        told = work.figures.told(since=utc_now() - _LIVES)
    values = [value for _, families in told for one in families if one["name"] == name for *_, value in one["samples"]]
    return sum(values) if values else None


class _Told:
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _families(figures: Iterable[Figure]) -> list[Metric]:
    found: dict[str, Metric] = {}
    for one in figures:
        family = found.setdefault(one.name, Metric(one.name, _COUNTED[one.name], "gauge"))
        family.add_sample(one.name, dict(one.labels), one.value)
    return list(found.values())


def _merged(told: Iterable[tuple[str, list[dict[str, Any]]]]) -> list[Metric]:
    """One family of each name, whose samples say which process they are of."""
    found: dict[str, Metric] = {}
    for process, families in told:
        for one in families:
            family = found.setdefault(one["name"], Metric(one["name"], one["help"], one["type"]))
            for name, labels, value in one["samples"]:
                family.add_sample(name, labels | {"process": process}, value)
    return list(found.values())
