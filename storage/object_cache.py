"""Originals kept near the worker, so that the 2,000 page jobs of one PDF don't download it 2,000 times.

A folder shared by all processes of one machine. A file in it is handed out as a hard link, so throwing it out of the
folder never takes it away from whoever is reading it, and a process killed at any moment leaves nothing locked.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import BinaryIO

    from dossiers.ports import ObjectStore
    from dossiers.types import ObjectKey

#: Files of many pages, read once for each of them. Pictures and words are fetched once and would only push these out.
MANY_PAGES = frozenset({"application/pdf", "image/tiff"})

#: The time of last change every kept file is given: one that somebody wrote into through a link shows it.
_UNTOUCHED_NS = 1_000_000_000

_INCOMING = "incoming-"


class CachedObjects:
    """An `ObjectStore` that remembers what it fetched, least recently used out first. Safe for several processes.

    Args:
        store: Where the objects really are.
        folder: Made if missing, for its owner only. On the same file system as what is fetched, links cost nothing.
        limit_bytes: What the folder may hold; the file just fetched stays even when it alone is bigger.
        media_types: Which objects are worth keeping.
    """

    def __init__(
        self,
        store: ObjectStore,
        folder: Path,
        *,
        limit_bytes: int,
        media_types: frozenset[str] = MANY_PAGES,
    ) -> None:
        self._store = store
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._media_types = media_types
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, file: Path, *, media_type: str) -> ObjectKey:
        """As the store does."""
        return self._store.put(file, media_type=media_type)

    def fetch(self, key: ObjectKey, to: Path) -> None:
        """Write the object's bytes to `to`, checked against the key's hash when they were first fetched.

        `to` is for reading: it may share its bytes with the kept file.

        Raises:
            ObjectMissing: Not there, or the hash differs.
            StoreUnavailable: The server didn't answer.
        """
        if key.media_type not in self._media_types:
            self._store.fetch(key, to)
            return
        if self._hand_out(key, to):
            return
        with self._downloading(key):
            if self._hand_out(key, to):  # someone else has just fetched it
                return
            for left_by_the_killed in self._folder.glob(f"*{_INCOMING}{key.sha256[:2]}*"):
                left_by_the_killed.unlink()
            incoming = self._folder / f"{_INCOMING}{key.sha256}"
            self._store.fetch(key, incoming)
            os.utime(incoming, ns=(time.time_ns(), _UNTOUCHED_NS))
            incoming.replace(self._folder / key.sha256)
            handed_out = self._hand_out(key, to)
        if not handed_out:  # the folder was emptied meanwhile
            self._store.fetch(key, to)
        self._throw_out(but=key.sha256)

    def open(self, key: ObjectKey, *, offset: int = 0, length: int | None = None) -> AbstractContextManager[BinaryIO]:
        """As the store does."""
        return self._store.open(key, offset=offset, length=length)

    def probe(self) -> None:
        """As the store does."""
        self._store.probe()

    def _hand_out(self, key: ObjectKey, to: Path) -> bool:
        """Give `to` the kept bytes; False when they aren't kept, or somebody wrote into them."""
        kept = self._folder / key.sha256
        link = to.with_name(f".{to.name}.{uuid.uuid4().hex}")
        try:
            facts = kept.stat()
            if (facts.st_size, facts.st_mtime_ns) != (key.size, _UNTOUCHED_NS):
                kept.unlink()
                return False
            os.utime(kept, ns=(time.time_ns(), _UNTOUCHED_NS))
            try:
                link.hardlink_to(kept)
            except OSError:  # another file system, or one without links
                shutil.copyfile(kept, link)
            link.replace(to)
        except FileNotFoundError:
            return False
        finally:
            link.unlink(missing_ok=True)
        return True

    @contextmanager
    def _downloading(self, key: ObjectKey) -> Iterator[None]:
        """One download of an object at a time; now and then two different ones wait for each other too."""
        with (self._folder / f"downloading-{key.sha256[:2]}.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _throw_out(self, *, but: str) -> None:
        """Keep the folder under its limit: what was used longest ago goes first."""
        kept = []
        for file in self._folder.glob("[0-9a-f]" * 64):
            with suppress(FileNotFoundError):
                facts = file.stat()
                kept.append((facts.st_atime_ns, facts.st_size, file))
        total = sum(size for _, size, _ in kept)
        for _, size, file in sorted(kept):
            if total <= self._limit_bytes:
                return
            if file.name != but:
                file.unlink(missing_ok=True)
                total -= size
