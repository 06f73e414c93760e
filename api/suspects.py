"""Jobs that may be what ends their worker: what was begun without an end is counted, and begun again alone.

A page, a look and an assembly are counted on their own records. This is for the other jobs: most of all for those of
the one signing worker, which a single document could otherwise end again and again while a whole centre waits.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from dossiers.types import Changed
from storage.database import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.wiring import Services

_LOG = structlog.get_logger("jobs")

#: A job that was begun this often without an end isn't begun again by itself.
MOST_BEGUN: Final = 3


class Suspects:
    """The jobs of this process, of which one that is under suspicion runs while no other does.

    Several run at once, and all of them are without an end when one has ended the process. From then on each runs
    alone, so that those that did nothing are cleared, and one alone is found guilty.
    """

    def __init__(self, office: Services) -> None:
        self._office = office
        self._turn = threading.Condition()
        self._running = 0
        self._waiting = 0
        self._alone = False

    @contextmanager
    def at_work(self, job_id: int, *, begun: int) -> Iterator[None]:
        """Count the job as begun till the block ends, however it ends: only what the process doesn't survive counts.

        Args:
            begun: How often it was before, without an end.

        Raises:
            DatabaseUnavailable: It can't be counted, and isn't begun.
        """
        with self._taking_turns(alone=begun > 0):
            with self._office.database.begin() as work:
                work.jobs.note_begun(job_id, begun + 1)
            try:
                yield
            finally:
                self._clear(job_id)

    def _clear(self, job_id: int) -> None:
        """Whatever the job raised goes on its way: a database that is away now leaves it under suspicion, no more."""
        try:
            with self._office.database.begin() as work:
                work.jobs.note_begun(job_id, 0)
        except (DatabaseUnavailable, Changed):
            _LOG.warning("job_end_not_noted", job=job_id)

    @contextmanager
    def _taking_turns(self, *, alone: bool) -> Iterator[None]:
        with self._turn:
            self._waiting += alone
            try:
                self._turn.wait_for(lambda: not (self._running if alone else self._alone or self._waiting))
            finally:
                self._waiting -= alone
            self._running += 1
            self._alone = alone
        try:
            yield
        finally:
            with self._turn:
                self._running -= 1
                self._alone = False
                self._turn.notify_all()
