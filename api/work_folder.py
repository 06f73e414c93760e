"""A folder of each process for files in transit; what a killed one left there is swept out by the next that starts.

Whether a process lives is asked of its lock, which the kernel lets go of whatever way it ends. Pages of dossiers don't
stay on a disk that nobody looks at, and a machine whose workers are killed again and again doesn't fill up.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

#: Shared by all processes, and looked after by the cache itself.
CACHE = "cache"


class WorkFolder:
    """This process's own, below `root`, until it is closed.

    Attributes:
        path: Where files in transit go.
        cache: For what all processes of this machine may keep.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.cache = root / CACHE
        # One at a time: a folder that was made and isn't locked yet is nobody's to sweep.
        alone = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(alone, fcntl.LOCK_EX)
            for left in root.iterdir():
                if left.name != CACHE:
                    with suppress(OSError):  # another user's, of a command run by hand: theirs to sweep
                        _sweep(left)
            self.path = Path(tempfile.mkdtemp(dir=root))
            self._fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        finally:
            os.close(alone)

    def close(self) -> None:
        """Nothing is in transit any more."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._fd)


def _sweep(left: Path) -> None:
    """Remove it, unless a living process holds it (BlockingIOError)."""
    fd = os.open(left, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    finally:
        os.close(fd)
