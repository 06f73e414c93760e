"""A machine's clock that jumps: a small library, compiled here, that adds to the time every process of it reads.

Only that machine's: the database, the object store and the trust services keep the right time, as other hosts would.
"""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile long *ahead;

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("CLOCK_AHEAD");
    int fd = file ? open(file, O_RDONLY) : -1;
    if (fd < 0) return;
    void *mapped = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED) ahead = mapped;
    close(fd);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(which, now);
    if (!failed && ahead && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead;
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec fine;
    (void)zone;
    int failed = clock_gettime(CLOCK_REALTIME, &fine);
    now->tv_sec = fine.tv_sec;
    now->tv_usec = fine.tv_nsec / 1000;
    return failed;
}

time_t time(time_t *to) {
    struct timespec fine;
    clock_gettime(CLOCK_REALTIME, &fine);
    if (to) *to = fine.tv_sec;
    return fine.tv_sec;
}
"""


class Clock:
    """A clock in `folder`, for whatever is started with `environment`."""

    def __init__(self, folder: Path) -> None:
        source, self._library, file = folder / "clock.c", folder / "clock.so", folder / "ahead"
        source.write_text(_SOURCE, encoding="ascii")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", self._library, source, "-ldl"], check=True)
        file.write_bytes(bytes(8))
        for shared in (folder, self._library, file):
            shared.chmod(0o755)
        self._file = file
        fd = os.open(file, os.O_RDWR)
        self._ahead = mmap.mmap(fd, 8)
        os.close(fd)

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to be started with."""
        return {"LD_PRELOAD": str(self._library), "CLOCK_AHEAD": str(self._file)}

    def jump(self, ahead_s: int) -> None:
        """Be so far ahead of the right time from now on; below zero: behind it."""
        self._ahead[:8] = struct.pack("=q", ahead_s)

    def close(self) -> None:
        """Let the file go."""
        self._ahead.close()


def can_jump() -> bool:
    """Whether there is a compiler to make one."""
    return shutil.which("gcc") is not None
