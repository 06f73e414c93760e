"""What is said of reading: measured, or not said at all."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from dossiers.progress import SILENCE, progress
from dossiers.types import PageGlance, PageState

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def page(state: PageState, *, ago_s: float) -> PageGlance:
    return PageGlance(
        id=uuid.uuid4(),
        component_id=uuid.uuid4(),
        number=1,
        state=state,
        thumbnail=None,
        picture=None,
        flags=(),
        trouble="",
        reviewed_by="",
        attempts=0,
        beginning="",
        touched_at=NOW - timedelta(seconds=ago_s),
    )


def pages(read_ago_s: list[float], waiting: int) -> list[PageGlance]:
    unread = [page(PageState.RECEIVED, ago_s=300) for _ in range(waiting)]
    return [page(PageState.READ, ago_s=ago_s) for ago_s in read_ago_s] + unread


def test_the_rest_takes_as_long_as_the_pages_before_it_did() -> None:
    found = progress(pages([12, 9, 6, 3, 0], waiting=4), now=NOW)

    assert (found.done, found.total, found.waiting) == (5, 9, 4)
    assert found.seconds_left == 12


def test_the_time_since_the_last_page_is_taken_off() -> None:
    assert progress(pages([14, 8, 2], waiting=1), now=NOW).seconds_left == 4


@pytest.mark.parametrize("read_ago_s", [[], [2], [500, 2]])
def test_nothing_is_guessed_before_two_pages_of_one_run_were_read(read_ago_s: list[float]) -> None:
    assert progress([*pages(read_ago_s, waiting=3), page(PageState.RECEIVED, ago_s=1)], now=NOW).seconds_left is None


def test_yesterday_s_pages_tell_nothing_of_today_s_pace() -> None:
    assert progress(pages([90_000, 90_003, 4, 2], waiting=5), now=NOW).seconds_left == 8


def test_an_overdue_page_never_makes_the_rest_take_no_time() -> None:
    found = progress(pages([20, 18], waiting=2), now=NOW)

    assert found.seconds_left == 1
    assert found.silent_since is None


def test_silence_is_said_with_the_moment_anything_last_happened() -> None:
    found = progress(pages([25, 24], waiting=2), now=NOW)

    assert found.silent_since == NOW - timedelta(seconds=24)
    assert found.seconds_left is None


def test_a_page_just_begun_breaks_the_silence() -> None:
    begun = page(PageState.RECEIVED, ago_s=SILENCE.total_seconds() - 1)

    assert progress([*pages([200], waiting=2), begun], now=NOW).silent_since is None


def test_when_nothing_waits_nothing_is_left_and_nobody_is_silent() -> None:
    settled = [page(state, ago_s=900) for state in (PageState.READ, PageState.REVIEWED, PageState.SET_ASIDE)]

    found = progress(settled, now=NOW)

    assert (found.done, found.seconds_left, found.silent_since) == (3, None, None)
    assert progress([], now=NOW).total == 0
