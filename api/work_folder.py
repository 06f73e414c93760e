"""A folder of each process for files in transit; what a killed one left there is swept out by the next that starts.

Whether a process lives is asked of its lock, which the kernel lets go of whatever way it ends. Pages of dossiers don't
stay on a disk that nobody looks at, and a machine whose workers are killed again and again doesn't fill up.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

#: Shared by all processes, and looked after by the cache itself.
CACHE = "cache"
_LOCK = ".lock"
_OURS, _NEW = "process-", ".new-"
#: What has no lock is an earlier program's, or died before it had one: nothing is in transit for as long.
_FORGOTTEN_S = 86400.0


class WorkFolder:
    """This process's own, below `root`, until it is closed.

    Attributes:
        path: Where files in transit go.
        cache: For what all processes of this machine may keep.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.cache = root / CACHE
        new = Path(tempfile.mkdtemp(prefix=_NEW, dir=root))
        self._lock: int | None = os.open(new / _LOCK, os.O_RDWR | os.O_CREAT)
        with suppress(OSError):  # a file system without locks: nobody can ask there, and nobody sweeps
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = new.rename(root / new.name.replace(_NEW, _OURS, 1))  # locked before anybody looks at it
        for left in root.iterdir():
            if left not in (self.path, self.cache):
                with suppress(OSError):  # a living process's; or another user's, of a command run by hand
                    _sweep(left)

    def close(self) -> None:
        """Nothing is in transit any more. May be said twice."""
        if self._lock is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = None


def _sweep(left: Path) -> None:
    if left.name.startswith(_OURS) and (left / _LOCK).exists():
        with (left / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
    elif time.time() - left.lstat().st_mtime > _FORGOTTEN_S:
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
