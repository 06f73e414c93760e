"""Days as people type them into a form."""

from __future__ import annotations

from datetime import date, datetime

_PATTERNS = ("%d/%m/%Y", "%Y-%m-%d")
#: Days before and after can't be counted on, nor does anybody mean them.
_FIRST, _LAST = date(1900, 1, 1), date(9000, 1, 1)


def typed_day(text: str) -> date | None:
    """A day as typed, 01/07/2025 or 2025-07-01; None for nothing.

    Raises:
        ValueError: It isn't one.
    """
    text = text.strip()
    if not text:
        return None
    for pattern in _PATTERNS:
        try:
            day = datetime.strptime(text, pattern).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
        if _FIRST <= day <= _LAST:
            return day
    raise ValueError(text)
