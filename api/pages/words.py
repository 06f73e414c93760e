"""Days, hours, sizes and codes as people read them: Vietnam's time, dd/mm/yyyy in both languages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from api.wiring import utc_now
from dossiers.calendar import VIETNAM, local_day
from dossiers.codes import format_lookup_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from api.errors import Language

_KB, _MB = 1000, 1_000_000


def day(value: date | datetime | None) -> str:
    """As "22/11/2026"; "" for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(VIETNAM)
    return f"{value:%d/%m/%Y}"


def moment(value: datetime | None) -> str:
    """As "09:31 22/11/2026" in Vietnam; "" for None."""
    return "" if value is None else f"{value.astimezone(VIETNAM):%H:%M %d/%m/%Y}"


def clock(value: datetime | None) -> str:
    """As "09:31:07" in Vietnam; "" for None."""
    return "" if value is None else f"{value.astimezone(VIETNAM):%H:%M:%S}"


def grouped(code: str) -> str:
    """A look-up code in the groups it is printed in: "4820-1173-9055-6"."""
    return format_lookup_code(code)


def size(count: int) -> str:
    """Bytes as people say them: "312 kB", "1,4 MB"."""
    if count < _MB:
        return f"{max(1, round(count / _KB))} kB"
    return f"{count / _MB:.1f} MB".replace(".", ",")


def runs(numbers: Sequence[int]) -> str:
    """Numbers in rising order as people write them: "2–4, 7"."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in found)


def short(agency: str) -> str:
    """An agency's name as people at the desk write it: "TT PVHCC phường Hồng Gai"."""
    return agency.replace("Trung tâm Phục vụ hành chính công", "TT PVHCC")


def due(promised: date | None, language: Language) -> tuple[str, str]:
    """How near a promised day is, in words, and how urgent: "late", "today", "soon", "later", or "" without one."""
    if promised is None:
        return "", ""
    left = (promised - local_day(utc_now())).days
    english = language == "en"
    if left < 0:
        late = -left
        return (f"{late} day{'s' * (late > 1)} late" if english else f"quá hạn {late} ngày"), "late"
    if left == 0:
        return ("today" if english else "hạn hôm nay"), "today"
    soon = "soon" if left <= 1 else "later"
    return (f"{left} day{'s' * (left > 1)} left" if english else f"còn {left} ngày"), soon
