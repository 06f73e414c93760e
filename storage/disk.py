"""The disk under a server on this very machine: what was written is on it, and not only in the kernel's memory."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)


def is_full(error: BaseException) -> bool:
    """Whether something failed for want of room on a disk."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


def flush(folder: Path) -> None:
    """Everything that any process has written to the filesystem of `folder` survives a power cut once this returns.

    Raises:
        OSError: The folder isn't there, or the disk couldn't keep something that was written.

    Source: syncfs(2), which tells of errors since Linux 5.8.
    """
    there = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _LIBC.syncfs(there) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(there)
