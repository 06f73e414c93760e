"""How glibc's malloc keeps what was freed. Its defaults are for programs unlike a web that takes files in threads.

Measured by `bench/load.py`; where there is another C library nothing happens. See mallopt(3).
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def share_arenas(most: int = 2) -> None:
    """Let threads share this many arenas instead of keeping freed memory each for itself.

    To be called before there are threads: arenas that exist stay, in forks as well.
    """
    _set(_M_ARENA_MAX, most)


def give_back_files(from_bytes: int = 1 << 20) -> None:
    """Give blocks of this size back to the system when they are freed, however many there were.

    Else glibc takes the first big ones for a habit and keeps room for more of them, up to 32 MiB each.
    """
    _set(_M_MMAP_THRESHOLD, from_bytes)


def _set(parameter: int, value: int) -> None:
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(parameter, value)
