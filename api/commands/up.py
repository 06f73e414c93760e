"""`hoso up`: all of it on one machine, in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.commands import configured

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing is asked: everything is a setting."""
    parser.epilog = "HOSO_DATA, HOSO_LISTEN_PORT, …: docs/operations.md"


def run(_given: argparse.Namespace) -> int:
    """Run until Ctrl-C."""
    from api import up

    return up.run(configured(as_named=True))
