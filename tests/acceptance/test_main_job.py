"""The main job as a newcomer sees it: real processes, started as `make run` starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from api.commands.demo import result_data, service
from api.demo import centre, sample
from api.demo.story import Story

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(420)


def workers(data: Path) -> dict[str, int]:
    """The worker processes of the service in `data`, as its supervisor noted them."""
    noted = json.loads((data / "children.json").read_text())
    return {name: pid for name, (pid, _) in noted.items() if name.startswith("worker")}


def test_hoso_demo_leads_from_paper_to_the_citizens_verdict(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "api.cli", "demo", "--keep", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Sửa một byte: bị phát hiện" in ran.stdout
    assert "sổ đăng ký báo đã thu hồi" in ran.stdout
    assert (tmp_path / "ket-qua.pdf").read_bytes().startswith(b"%PDF-1.7")


def test_killed_workers_lose_and_double_nothing(tmp_path: Path, open_folder: Path) -> None:
    data = open_folder / "data"
    papers = sample.make_dossier(tmp_path / "papers", seed=11)
    with service(data) as base_url:
        story = Story(base_url, centre.PASSWORD)
        try:
            _live_through_two_kills(story, papers, data)
        finally:
            story.close()


def _live_through_two_kills(story: Story, papers: sample.SampleDossier, data: Path) -> None:
    story.hand_in(centre.POSTAL, papers)
    reading = [pid for name, pid in workers(data).items() if name != "worker-signing"]
    for pid in reading:
        os.kill(pid, signal.SIGKILL)
    story.watch(centre.POSTAL)
    story.review(centre.CLERK)
    story.sign_copies(centre.CLERK)
    story.draft(centre.CLERK, leader=centre.LEADER, template="certificate", data=result_data(papers))
    story.approve(centre.LEADER)
    os.kill(workers(data)["worker-signing"], signal.SIGKILL)
    story.await_issue(centre.CLERK)

    issued = story.download()
    verdict = story.verify(issued)
    history = story.sign_in(centre.CLERK).get(f"/dossiers/{story.dossier['id']}/history").json()
    events = [line["event"] for line in history]

    assert reading
    assert verdict["in_force"]
    assert [s["field"] for s in verdict["signatures"]] == ["HoSoSo_NguoiKy", "HoSoSo_CoQuan"]
    # Assembled once as read and once as reviewed; each signature once.
    assert events.count("component.assembled") == 2 * len(papers.components)
    assert events.count("copy.signed") == len(papers.components)
    for once in ("e_result.leader_signed", "e_result.sealed", "e_result.issued"):
        assert events.count(once) == 1
