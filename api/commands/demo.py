"""`hoso demo`: the main job on a made-up dossier, without a person, on a whole service of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from api.demo import centre, sample
from api.demo.story import Story, StoryFailed, altered

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_START_WITHIN_S = 300.0
_STOP_WITHIN_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`hoso demo [--data FOLDER] [--seed N] [--keep FOLDER] [--papers FOLDER]`."""
    parser.add_argument("--data", type=Path, help="thư mục dữ liệu riêng (mặc định: thư mục tạm, xóa khi xong)")
    parser.add_argument("--seed", type=int, help="số gốc của hồ sơ mẫu (mặc định: ngẫu nhiên)")
    parser.add_argument(
        "--papers", type=Path, help="chỉ viết 12 trang giấy tờ mẫu vào thư mục này để tự thử trên trang"
    )
    parser.add_argument("--keep", type=Path, help="giữ lại các văn bản tạo ra trong thư mục này")


def run(args: argparse.Namespace) -> int:
    """Run it and print each step with its time; 0 only when the citizen's verdict is right."""
    seed = args.seed if args.seed is not None else secrets.randbelow(10**6)
    print(f"Hồ sơ mẫu số {seed}: mọi người và số liệu đều là bịa. (Made-up people and numbers, seed {seed}.)")
    if args.papers:
        return _write_papers(args.papers, seed)
    try:
        with tempfile.TemporaryDirectory() as scratch, service(args.data) as base_url:
            steps = _Steps()
            kept = _tell(Story(base_url, centre.PASSWORD), seed, Path(scratch), steps)
            if args.keep:
                args.keep.mkdir(parents=True, exist_ok=True)
                for name, content in kept.items():
                    (args.keep / name).write_bytes(content)
    except (StoryFailed, httpx2.HTTPError) as failed:
        print(f"KHÔNG ĐẠT: {failed}", file=sys.stderr)
        return 1
    print(f"ĐẠT: từ hồ sơ giấy đến kết luận của người dân trong {steps.total:.1f} giây.")
    return 0


def _write_papers(folder: Path, seed: int) -> int:
    """A dossier to drop into the pages, and on which row of the checklist each paper belongs."""
    papers = sample.make_dossier(folder, seed=seed, size="full")
    who = papers.applicant
    print(f"Người nộp: {who.name}, số định danh {who.id_number}. Thủ tục: {papers.procedure}.")
    for component in papers.components:
        print(f"  {component.file}  {len(component.pages)} trang  {component.name}")
    return 0


@contextmanager
def service(data: Path | None = None, **more: str) -> Iterator[str]:
    """A whole service of its own on free ports; gives its address and stops it at the end.

    Args:
        more: Settings of its environment: HOSO_….

    Raises:
        StoryFailed: It doesn't come up; the end of what it said is in the message.
    """
    folder = data or Path(tempfile.mkdtemp(prefix="hoso-demo."))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # the database's service user must be able to pass through
    port, trust_port = _free_ports(2)
    base_url = f"http://127.0.0.1:{port}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HOSO_")} | {
        "HOSO_DATA": str(folder),
        "HOSO_LISTEN_PORT": str(port),
        "HOSO_DEMO_TRUST_PORT": str(trust_port),
        **more,
    }
    log = folder / "up.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "up"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_ready(process, base_url, log)
        yield base_url
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)


class _Steps:
    """Prints what was done and how long it took."""

    def __init__(self) -> None:
        self.total = 0.0
        self._began = time.monotonic()

    def done(self, what: str) -> None:
        took = time.monotonic() - self._began
        self.total += took
        self._began = time.monotonic()
        print(f"  {took:6.1f} s  {what}", flush=True)


def _tell(story: Story, seed: int, scratch: Path, steps: _Steps) -> dict[str, bytes]:
    papers = sample.make_dossier(scratch, seed=seed)
    steps.done(f"Tạo bộ hồ sơ giấy mẫu: {len(papers.components)} giấy tờ, {papers.page_count} trang")
    postal, clerk, leader = centre.POSTAL, centre.CLERK, centre.LEADER
    try:
        story.hand_in(postal, papers)
        steps.done(f"Bưu điện quét và tiếp nhận: {story.receipt['code']}, hẹn trả {story.receipt['due_on']}")
        story.watch(postal)
        steps.done("Làm sạch, nhận dạng tiếng Việt, tạo PDF/A tìm được")
        story.review(clerk)
        story.sign_copies(clerk)
        copies = story.copies(clerk)
        _must(story.verify(copies[0]), verdict="genuine", kind="electronic_copy", register="not_ours")
        steps.done(f"Một cửa soát, cơ quan ký {len(copies)} bản sao điện tử (SAO Y)")
        story.draft(clerk, leader=leader, template="certificate", data=result_data(papers))
        steps.done(f"Dự thảo kết quả, trình ký: số {story.result['number']}")
        story.approve(leader)
        story.await_issue(clerk)
        steps.done("Lãnh đạo duyệt; ký số, đóng dấu cơ quan, cấp dấu thời gian, phát hành")
        issued = story.download()
        verdict = _must(story.verify(issued), verdict="genuine", kind="e_result", register="issued")
        steps.done("Người dân tra cứu, tải về và kiểm tra:")
        said = verdict["sentence"]["vi"]
        print(f"            «{said['headline']} {said['reason']}»")
        _must(story.verify(altered(issued)), verdict="altered", register="not_ours")
        steps.done("Sửa một byte: bị phát hiện")
        story.withdraw(leader, "Thu hồi trong buổi chạy thử")
        withdrawn = _must(story.verify(issued), verdict="genuine", register="withdrawn")
        print(f"            «{withdrawn['sentence']['vi']['headline']}»")
        steps.done("Thu hồi: văn bản vẫn nguyên vẹn, sổ đăng ký báo đã thu hồi")
    finally:
        story.close()
    return {"ket-qua.pdf": issued} | {f"ban-sao-{n}.pdf": copy for n, copy in enumerate(copies, 1)}


def result_data(papers: sample.SampleDossier) -> dict[str, Any]:
    """What a clerk fills into the certificate for the sample dossier."""
    who = papers.applicant
    return {
        "subject": "Đăng ký hộ kinh doanh",
        "opening": ["Căn cứ hồ sơ đề nghị đăng ký hộ kinh doanh đã tiếp nhận và số hóa,"],
        "facts": [
            ["Chủ hộ kinh doanh", who.name],
            ["Số định danh cá nhân", who.id_number],
            ["Địa chỉ", who.address],
        ],
        "closing": ["Giấy này có giá trị kể từ ngày ký"],
        "recipients": ["Như trên"],
    }


def _must(judged: dict[str, Any], **expected: str) -> dict[str, Any]:
    seen = {k: judged[k]["code"] if isinstance(judged[k], dict) else judged[k] for k in expected}
    if seen != expected:
        raise StoryFailed(f"kết luận {seen}, lẽ ra {expected}; lý do {judged['reasons']}")
    return judged


def _await_ready(process: subprocess.Popen[bytes], base_url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{base_url}/api/v1/health/ready", timeout=2).status_code == httpx2.codes.OK:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    raise StoryFailed("hệ thống không khởi động được:\n" + log.read_text("utf-8", "replace")[-2000:])


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports
