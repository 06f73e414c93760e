"""How reading gets on, as the pages themselves tell: how much is done, how long the rest may take, or silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from dossiers.types import PageState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dossiers.types import PageGlance

#: So long may nothing happen to any page before a person is told.
SILENCE: Final = timedelta(seconds=20)

#: Pages that were read further apart than this don't belong to one run, and tell nothing of its pace.
_PAUSE: Final = timedelta(seconds=60)
#: The pace is that of the last few pages: a queue may have stood in the way of earlier ones.
_PACE_OF_PAGES: Final = 8
_UNREAD = frozenset({PageState.RECEIVED, PageState.CLEANED})


@dataclass(frozen=True)
class Progress:
    """How far the pages of a dossier are.

    Attributes:
        done, total: Pages.
        seconds_left: Measured on pages of this very dossier; None while too few have been read to say.
        silent_since: When anything last happened to any of them, once that is too long ago; None while all is well.
    """

    done: int
    total: int
    seconds_left: int | None = None
    silent_since: datetime | None = None

    @property
    def waiting(self) -> int:
        """Pages that are still to be read."""
        return self.total - self.done


def progress(pages: Sequence[PageGlance], *, now: datetime) -> Progress:
    """Tell how far `pages`, of one dossier, are."""
    waiting = sum(page.state in _UNREAD for page in pages)
    done = len(pages) - waiting
    if not waiting:
        return Progress(done, len(pages))
    moved_at = max(page.touched_at for page in pages)
    silent = now - moved_at > SILENCE
    return Progress(
        done=done,
        total=len(pages),
        seconds_left=None if silent else _seconds_left(_run(pages), waiting, now),
        silent_since=moved_at if silent else None,
    )


def _run(pages: Iterable[PageGlance]) -> list[datetime]:
    """When the last pages were read, oldest first, back to the last pause."""
    read_at = sorted((page.touched_at for page in pages if page.state is PageState.READ), reverse=True)
    run = read_at[:1]
    for later, earlier in pairwise(read_at[:_PACE_OF_PAGES]):
        if later - earlier > _PAUSE:
            break
        run.append(earlier)
    return run[::-1]


def _seconds_left(run: Sequence[datetime], waiting: int, now: datetime) -> int | None:
    if len(run) < 2 or now - run[-1] > _PAUSE:  # noqa: PLR2004  one page has no pace
        return None
    pace_s = (run[-1] - run[0]).total_seconds() / (len(run) - 1)
    left_s = pace_s * waiting - (now - run[-1]).total_seconds()
    return round(max(left_s, pace_s / 2, 1.0))
