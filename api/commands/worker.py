"""`hoso worker`: reads pages and assembles papers; `--looking` only takes a first look at them.

With `--signing` it is the one worker that opens signing keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from api import worker
from api.commands import configured
from api.log import write_events

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from api.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which work to do."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--looking",
        action="store_true",
        help="chỉ xem trước trang vừa nhận, để báo ngay tại quầy (only looks at new pages; run one beside the others)",
    )
    which.add_argument(
        "--signing",
        action="store_true",
        help="ký bằng khóa của máy chủ; chỉ chạy đúng một tiến trình này (run exactly one of these)",
    )


def run(given: argparse.Namespace) -> int:
    """Work until told to stop, or until the database goes away: whoever keeps us running starts us again."""
    work(configured(), worker.SIGNING if given.signing else worker.LOOKING if given.looking else worker.READING)
    return 0


def work(settings: Settings, queues: Sequence[str]) -> None:
    """Work on these queues."""
    write_events()
    worker.run(queues, settings)
