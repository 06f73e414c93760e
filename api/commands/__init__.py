"""The subcommands of `hoso`, one module each: `add_arguments(parser)` and `run(given) -> int`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.settings import Settings

CONFIGURATION = 78  # sysexits.h, EX_CONFIG


class CommandFailed(Exception):
    """The command can't go on; the message is for the person who typed it."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def configured(*, as_named: bool = False) -> Settings:
    """The settings of the environment.

    Args:
        as_named: Without the servers that happen to run in the data folder.

    Raises:
        api.settings.BadSettings: They can't be right; the message lists every reason.
    """
    from api import settings

    return settings.named() if as_named else settings.read()
