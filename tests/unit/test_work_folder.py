"""Files in transit: a killed process's are swept out by the next one, a living one's are left alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING

from api.work_folder import WorkFolder

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

_SPAWN = multiprocessing.get_context("spawn")


def _work(root: Path, told: Connection) -> None:
    folder = WorkFolder(root)
    (folder.path / "trang.png").write_bytes(b"a page")
    told.send(folder.path)
    signal.pause()


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    here, there = _SPAWN.Pipe()
    works = [_SPAWN.Process(target=_work, args=(tmp_path, there)) for _ in range(2)]
    killed, alive = works
    killed.start()
    of_killed = here.recv()
    alive.start()
    of_alive = here.recv()
    try:
        os.kill(killed.pid, signal.SIGKILL)  # type: ignore[arg-type]
        killed.join()
        (tmp_path / "cache").mkdir()
        (tmp_path / "left.pdf").touch()
        assert (of_killed / "trang.png").exists()

        new = WorkFolder(tmp_path)

        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["cache", of_alive.name, new.path.name])
        assert (of_alive / "trang.png").read_bytes() == b"a page"
    finally:
        alive.kill()
        alive.join()
    new.close()
    assert not new.path.exists()
    assert WorkFolder(tmp_path).cache == tmp_path / "cache"
    assert not of_alive.exists()
