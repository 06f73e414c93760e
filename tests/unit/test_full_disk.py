"""No room on a disk: what is told of it, and that work waits for room instead of ending."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from procrastinate.jobs import Job

from api import jobs
from api.errors import outcome_of
from storage import disk

JOB = Job(id=1, queue="page", lock=None, queueing_lock=None, task_name="read_page")

_TELLS = """
import structlog
from api.log import write_events
write_events()
log = structlog.get_logger("test")
for _ in range(3):
    log.warning("told", n=1)
    try:
        raise ValueError
    except ValueError:
        log.exception("broke")
import os
os.write(2, b"lives")
os._exit(0)  # Python would tell of the lost lines at its end
"""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_job_without_room_waits_for_it_and_bothers_nobody(number: int) -> None:
    told: list[str] = []
    with pytest.raises(jobs._NoRoom), jobs._or_told(JOB, lambda: told.append("told")):
        raise OSError(number, "no room")
    assert told == []
    assert jobs._NoRoom in jobs._PASSING
    assert outcome_of(OSError(number, "no room")).code == "disk_full"


def test_another_fault_of_the_system_goes_to_a_person() -> None:
    told: list[str] = []
    with jobs._or_told(JOB, lambda: told.append("told")):
        raise OSError(errno.EACCES, "not yours")
    assert told == ["told"]
    assert not disk.is_full(OSError(errno.EACCES, "not yours"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device")
def test_a_log_that_cannot_be_written_ends_no_work() -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([sys.executable, "-c", _TELLS], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"lives")
