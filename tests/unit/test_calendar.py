"""When a dossier is due."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossiers.calendar import VIETNAM, BadCalendar, WorkCalendar, local_day

CALENDAR = WorkCalendar.load()
MOMENTS = st.datetimes(
    datetime(2025, 12, 1),  # noqa: DTZ001  hypothesis adds the zone
    datetime(2028, 3, 1),  # noqa: DTZ001
    timezones=st.just(VIETNAM),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM)


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-11-16T09:00", 3, "2026-11-19"),  # Monday
        ("2026-11-16T17:00", 3, "2026-11-19"),  # at closing time
        ("2026-11-16T17:01", 3, "2026-11-20"),  # later
        ("2026-11-20T16:00", 1, "2026-11-23"),  # over a weekend
        ("2026-11-20T18:00", 0, "2026-11-23"),  # the same day, once it counts
        ("2026-11-21T09:00", 1, "2026-11-25"),  # Saturday, then Culture Day on Tuesday 24
        ("2026-02-13T09:00", 1, "2026-02-23"),  # over Tết
        ("2026-08-20T09:00", 2, "2026-08-22"),  # a Saturday worked
        ("2026-08-28T09:00", 1, "2026-09-03"),  # National Day with a swapped Monday
        ("2026-12-31T09:00", 1, "2027-01-04"),  # over New Year
        ("2027-02-04T09:00", 1, "2027-02-12"),  # Tết of Đinh Mùi with two made-up days
    ],
)
def test_working_days_are_counted_as_the_office_does(received: str, days: int, due: str) -> None:
    assert CALENDAR.due_on(at(received), days) == date.fromisoformat(due)


def test_the_day_is_vietnams_wherever_the_server_stands() -> None:
    late_in_london = datetime(2026, 11, 16, 18, 30, tzinfo=UTC)  # already Tuesday 01:30 in Vietnam
    assert local_day(late_in_london) == date(2026, 11, 17)
    assert CALENDAR.counts_from(late_in_london) == date(2026, 11, 17)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        CALENDAR.due_on(datetime(2026, 11, 16, 9), 3)  # noqa: DTZ001  what is tested


@given(MOMENTS, st.integers(0, 30))
def test_a_due_date_is_a_working_day_and_that_many_working_days_away(received_at: datetime, days: int) -> None:
    due = CALENDAR.due_on(received_at, days)
    assert CALENDAR.is_working(due)
    start = CALENDAR.counts_from(received_at)
    noon = datetime(start.year, start.month, start.day, 12, tzinfo=VIETNAM)
    assert CALENDAR.working_days_left(due, noon) == days


@pytest.mark.parametrize(
    ("today", "left"),
    [
        ("2026-11-18", 2),
        ("2026-11-20", 0),
        ("2026-11-21", -1),
        ("2026-11-22", -1),
        ("2026-11-23", -1),
        ("2026-11-25", -2),
    ],
)
def test_what_is_left_counts_down_to_the_due_date_and_below(today: str, left: int) -> None:
    assert CALENDAR.working_days_left(date(2026, 11, 20), at(f"{today}T10:00")) == left


def test_the_bundled_file_covers_this_year_and_the_next_and_says_so() -> None:
    assert CALENDAR.covers(2026)
    assert CALENDAR.covers(2027)
    assert not CALENDAR.covers(2028)


def test_every_holiday_named_falls_on_a_day_that_would_be_worked_or_begins_a_feast() -> None:
    made_up_for = {date(2027, 2, 6), date(2027, 2, 7)}  # Tết itself, on a weekend
    assert {day for day in CALENDAR.off if day.weekday() in CALENDAR.weekly_off} == made_up_for
    assert all(day.weekday() in CALENDAR.weekly_off for day in CALENDAR.worked)


def test_a_year_the_file_does_not_cover_still_has_its_fixed_holidays() -> None:
    assert not CALENDAR.is_working(date(2030, 1, 1))
    assert CALENDAR.is_working(date(2030, 1, 2))


def test_an_office_may_bring_its_own_calendar(tmp_path: Path) -> None:
    file = tmp_path / "calendar.toml"
    file.write_text(
        'closing_time = 11:30:00\nweekly_days_off = ["sunday"]\nevery_year = []\n'
        "[years.2026]\noff = [2026-11-17]\nworked = []\n",
        "utf-8",
    )
    calendar = WorkCalendar.load(file)
    assert calendar.is_working(date(2026, 11, 21))
    assert calendar.due_on(at("2026-11-16T11:31"), 0) == date(2026, 11, 18)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml",
        'closing_time = "17:00"\nweekly_days_off = []\nevery_year = []\n[years]\n',
        'closing_time = 17:00:00\nweekly_days_off = ["friyay"]\nevery_year = []\n[years]\n',
        (
            "closing_time = 17:00:00\nweekly_days_off = []\nevery_year = []\n"
            "[years.2026]\noff = [2027-01-01]\nworked = []\n"
        ),
        "closing_time = 17:00:00\nweekly_days_off = []\nevery_year = ['13-01']\n[years]\n",
    ],
)
def test_a_calendar_that_cannot_be_right_is_refused_by_name(text: str, tmp_path: Path) -> None:
    file = tmp_path / "calendar.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadCalendar, match=r"calendar\.toml"):
        WorkCalendar.load(file)


def test_a_missing_calendar_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadCalendar, match="none-there"):
        WorkCalendar.load(tmp_path / "none-there.toml")
