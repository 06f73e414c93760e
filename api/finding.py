"""What a check of the doctor found, in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing is."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        vi, en: A sentence each.
        remedy: What to do, Vietnamese first; "" when there is nothing to do.
    """

    subject: str
    state: State
    vi: str
    en: str
    remedy: str = ""
