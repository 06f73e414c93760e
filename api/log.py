"""What happens, as one JSON object a line on standard output: an event, ids, and nobody's name.

Of an error, its kind and where it broke are written, not its message: a database quotes the row it refused.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from types import TracebackType

    from structlog.typing import EventDict, WrappedLogger


def write_events() -> None:
    """Send our events and other libraries' warnings to standard output, in one form."""
    ours = (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _where_it_broke,
    )
    structlog.configure(
        processors=[*ours, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *ours],
            processor=structlog.processors.JSONRenderer(ensure_ascii=False),
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    sys.excepthook = _log_the_end


class _Lines(structlog.PrintLogger):
    """A line that can't be written, since the disk with the log is full, is lost; the work it tells of goes on."""

    def __init__(self, *_named: object) -> None:
        super().__init__()

    def msg(self, message: str) -> None:
        """Write a line."""
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def _log_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends the process is written like any other error; Python's own way would quote it."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger("process").critical("ended", exc_info=error)


def _where_it_broke(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put the kind of the error and its place in our code and others' where the error itself was."""
    told = event.pop("exc_info", None)
    error = told[1] if isinstance(told, tuple) else sys.exc_info()[1] if told is True else told
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        if message := str(error):  # some put it into their own words
            for name, value in event.items():
                event[name] = value.replace(message, "…") if isinstance(value, str) else value
        event["error"] = type(error).__qualname__
        event["at"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    return event
