"""`hoso worker`: reads pages and assembles papers; with `--signing`, the one worker that opens signing keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api import worker
from api.commands import configured
from api.log import write_events

if TYPE_CHECKING:
    import argparse

    from api.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which work to do."""
    parser.add_argument(
        "--signing",
        action="store_true",
        help="ký bằng khóa của máy chủ; chỉ chạy đúng một tiến trình này (run exactly one of these)",
    )


def run(given: argparse.Namespace) -> int:
    """Work until told to stop, or until the database goes away: whoever keeps us running starts us again."""
    work(configured(), signing=given.signing)
    return 0


def work(settings: Settings, *, signing: bool) -> None:
    """Work on the queues of the signing worker, or on the others."""
    write_events()
    worker.run(worker.SIGNING if signing else worker.READING, settings)
