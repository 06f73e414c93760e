"""`hoso worker`: reads pages and assembles papers; with `--signing`, the one worker that opens signing keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.commands import configured

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which work to do."""
    parser.add_argument(
        "--signing",
        action="store_true",
        help="ký bằng khóa của máy chủ; chỉ chạy đúng một tiến trình này (run exactly one of these)",
    )


def run(given: argparse.Namespace) -> int:
    """Work until told to stop, or until the database goes away: whoever keeps us running starts us again."""
    from api import worker
    from api.log import write_events

    settings = configured()
    write_events()
    worker.run(worker.SIGNING if given.signing else worker.READING, settings)
    return 0
