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
    killed, alive = (_SPAWN.Process(target=_work, args=(tmp_path, there)) for _ in range(2))
    killed.start()
    of_killed = here.recv()
    alive.start()
    of_alive = here.recv()
    try:
        os.kill(killed.pid, signal.SIGKILL)  # type: ignore[arg-type]
        killed.join()
        assert (of_killed / "trang.png").exists()
        (tmp_path / "cache").mkdir()
        for name in ("of an earlier program", "forgotten"):
            (tmp_path / name).mkdir()
        os.utime(tmp_path / "forgotten", (0, 0))

        new = WorkFolder(tmp_path)

        there_now = {path.name for path in tmp_path.iterdir()}
        assert there_now == {"cache", "of an earlier program", of_alive.name, new.path.name}
        assert (of_alive / "trang.png").read_bytes() == b"a page"
    finally:
        alive.kill()
        alive.join()
    new.close()
    new.close()
    assert not new.path.exists()
    WorkFolder(tmp_path).close()
    assert not of_alive.exists()


def test_a_folder_that_was_begun_to_be_swept_goes_on_being_swept(tmp_path: Path) -> None:
    left = WorkFolder(tmp_path)
    (left.path / ".lock").unlink()
    os.utime(left.path, (0, 0))
    WorkFolder(tmp_path).close()
    assert not left.path.exists()
    left.close()
