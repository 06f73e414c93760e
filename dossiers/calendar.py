"""When the office works, and so when a dossier is due.

The rule of counting: the day of reception isn't counted. A dossier received on a working day up to closing time counts
from the next working day; received later, or on a day off, it counts as received on the next working day. A procedure
of 0 working days is due on the day it counts as received. All days are those of Asia/Ho_Chi_Minh, wherever the server.

Holidays are data (`holidays.toml`), since the Government announces them year by year. In a year the file doesn't cover
only weekly days off and the four fixed holidays are known: the office goes on, and `covers` lets it be warned.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from pathlib import Path

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)


class BadCalendar(Exception):
    """The calendar file can't be used; the message says which line of it, and why."""


@dataclass(frozen=True)
class WorkCalendar:
    """The office's working days.

    Attributes:
        off: Holidays and days that make up for them.
        worked: Weekly days off that were swapped into working days.
        weekly_off: Weekday numbers, Monday is 0.
        every_year: (month, day) of holidays known for any year.
        years: Years for which `off` and `worked` are complete.
        closing_time: What comes later counts as received on the next working day.
    """

    off: frozenset[date]
    worked: frozenset[date]
    weekly_off: frozenset[int]
    every_year: frozenset[tuple[int, int]]
    years: frozenset[int]
    closing_time: time

    @staticmethod
    def load(path: Path | None = None) -> WorkCalendar:
        """Read the office's calendar, or the one that comes with the programme.

        Raises:
            BadCalendar: Not readable, not TOML, or a day in it can't be right.
        """
        try:
            text = path.read_text("utf-8") if path else _bundled()
            return _calendar(tomllib.loads(text))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, ValueError, TypeError) as problem:
            raise BadCalendar(f"Tệp lịch làm việc {path or 'holidays.toml'} chưa dùng được: {problem!r}") from problem

    def covers(self, year: int) -> bool:
        """Whether the file has that year's holidays."""
        return year in self.years

    def is_working(self, day: date) -> bool:
        """Whether the office works on `day`."""
        if day in self.worked:
            return True
        if day in self.off or day.weekday() in self.weekly_off:
            return False
        return self.covers(day.year) or (day.month, day.day) not in self.every_year

    def counts_from(self, received_at: datetime) -> date:
        """The working day a dossier counts as received on.

        Raises:
            ValueError: `received_at` has no time zone.
        """
        local = _local(received_at)
        day = local.date()
        if local.time() > self.closing_time:
            day += _DAY
        while not self.is_working(day):
            day += _DAY
        return day

    def due_on(self, received_at: datetime, working_days: int) -> date:
        """The last day on which the office keeps its promise.

        Raises:
            ValueError: `received_at` has no time zone, or `working_days` is negative.
        """
        if working_days < 0:
            raise ValueError(f"working_days: {working_days}")
        day = self.counts_from(received_at)
        for _ in range(working_days):
            day = self._next_working_day(day)
        return day

    def working_days_left(self, due_on: date, now: datetime) -> int:
        """Working days after today up to the due date: 0 on the day itself, below 0 once it is missed.

        Raises:
            ValueError: `now` has no time zone.
        """
        today = local_day(now)
        first, last = min(today, due_on), max(today, due_on)
        between = sum(self.is_working(first + n * _DAY) for n in range(1, (last - first).days + 1))
        if due_on >= today:
            return between
        return -max(between, 1)  # a promise missed over a weekend is missed all the same

    def _next_working_day(self, day: date) -> date:
        day += _DAY
        while not self.is_working(day):
            day += _DAY
        return day


def local_day(at: datetime) -> date:
    """The day it is in Vietnam.

    Raises:
        ValueError: `at` has no time zone.
    """
    return _local(at).date()


def _local(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without its zone could be another day")
    return at.astimezone(VIETNAM)


def _bundled() -> str:
    return resources.files("dossiers").joinpath("holidays.toml").read_text("utf-8")


def _calendar(data: dict[str, Any]) -> WorkCalendar:
    weekly_off = frozenset(_WEEKDAYS.index(name) for name in data["weekly_days_off"])
    if len(weekly_off) == len(_WEEKDAYS):
        raise ValueError("weekly_days_off leaves no day to work on")
    off: set[date] = set()
    worked: set[date] = set()
    for year, days in data["years"].items():
        for name, into in (("off", off), ("worked", worked)):
            for day in days[name]:
                if type(day) is not date or day.year != int(year):
                    raise ValueError(f"years.{year}.{name}: {day!r}")
                into.add(day)
    if off & worked:
        raise ValueError(f"both off and worked: {sorted(off & worked)}")
    closing_time = data["closing_time"]
    if not isinstance(closing_time, time):
        raise TypeError(f"closing_time: {closing_time!r}")
    return WorkCalendar(
        off=frozenset(off),
        worked=frozenset(worked),
        weekly_off=weekly_off,
        every_year=frozenset(_month_and_day(text) for text in data["every_year"]),
        years=frozenset(int(year) for year in data["years"]),
        closing_time=closing_time,
    )


def _month_and_day(text: str) -> tuple[int, int]:
    day = date.fromisoformat(f"2000-{text}")
    return day.month, day.day
