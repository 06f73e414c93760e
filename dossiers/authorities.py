"""How the timestamp authorities behave towards the signing worker, written down for whoever looks after the instance.

Which of them are being passed over is known in the memory of the one process that signs. It notes here what has
changed, so that the administrator's page and the doctor, in processes of their own, can tell it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import Begin
    from signing.timestamp import Health


@dataclass(frozen=True)
class Authority:
    """What the signing worker last knew of an authority.

    Attributes:
        failures: In a row; 0 once it answered.
        rests_until: Until then it is passed over; None while it may be asked.
        seconds: How long its last answer took; None before its first one.
    """

    url: str
    failures: int
    rests_until: datetime | None
    seconds: float | None
    noted_at: datetime

    def is_passed_over(self, now: datetime) -> bool:
        """Whether nobody asks it for the present."""
        return self.rests_until is not None and now < self.rests_until


def note(begin: Begin, found: Sequence[Health], *, now: datetime) -> None:
    """Write down how all authorities asked so far behave, in the place of what was last written.

    The worker writes at its start as well: what an earlier one knew is forgotten, there as here.
    """
    with begin() as work:
        work.trust.keep_authorities(
            [
                Authority(
                    one.url,
                    one.failures,
                    now + timedelta(seconds=one.closed_for_s) if one.closed_for_s > 0 else None,
                    one.seconds,
                    now,
                )
                for one in found
            ]
        )


def noted(begin: Begin) -> dict[str, Authority]:
    """By address, those that the signing worker has asked since it started."""
    with begin() as work:
        return {one.url: one for one in work.trust.authorities()}
