"""`hoso send` against a real service: scans from a folder into dossiers, through broken lines and power cuts."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from api.app import create_app
from api.demo import centre
from api.wiring import utc_now
from counter import key
from counter.folder import Folder
from counter.line import Line
from counter.sending import Sender
from counter.spool import REFUSED, Spool
from dossiers import desks, parcels
from storage import disk as disks
from tests.papers import scan_pdf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.faults.power import Disk
    from tests.office import Office

ROOT = Path(__file__).parents[2]
PATIENCE_S = 180
#: What runs `hoso send`: this Python; and the Windows one that HOSO_TEST_WINDOWS_PYTHON names, through Wine where this
#: isn't Windows itself.
PYTHONS = [[sys.executable]]
if windows := os.environ.get("HOSO_TEST_WINDOWS_PYTHON"):
    PYTHONS.append([*([] if os.name == "nt" else ["wine"]), windows])


@contextmanager
def served(office: Office) -> Iterator[int]:
    """The office behind a real server; its port."""
    config = uvicorn.Config(create_app(built=office.services), port=0, log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class ThinLine:
    """A line between counter and server that breaks when told to: the fault this file injects.

    Attributes:
        to: The server's port; None while nobody answers.
        budget: Bytes that still pass towards the server before the line breaks; None for no end.
    """

    to: int | None
    budget: int | None = None
    broken: int = 0
    _door: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                counter, _ = self._door.accept()
            except OSError:
                return
            if self.to is None:
                counter.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.to))
            self._open += [counter, server]
            for source, target, counted in ((counter, server, True), (server, counter, False)):
                threading.Thread(
                    target=self._carry, args=(source, target), kwargs={"counted": counted}, daemon=True
                ).start()

    def _carry(self, source: socket.socket, target: socket.socket, *, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(16384):
                if counted and self.budget is not None:
                    if len(data) > self.budget:
                        target.sendall(data[: self.budget])
                        self.broken += 1
                        self.budget = None
                        break
                    self.budget -= len(data)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for end in self._open:
            end.close()


@contextmanager
def thin_line(to: int | None) -> Iterator[ThinLine]:
    line = ThinLine(to)
    thread = threading.Thread(target=line.run)
    thread.start()
    try:
        yield line
    finally:
        line.close()
        thread.join()


@pytest.fixture
def server(office: Office) -> Iterator[int]:
    with served(office) as port:
        yield port


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "Ảnh quét quầy 3"
    folder.mkdir()
    return folder


def clerk(office: Office) -> Any:
    with office.services.begin() as work:
        return work.accounts.of(centre.CLERK).actor


def code(office: Office) -> str:
    return desks.announce(office.services.begin, "Quầy 3", by=clerk(office), now=utc_now())[1]


def token(office: Office) -> str:
    return desks.pair(office.services.begin, code(office), now=utc_now())[1]


def draft(office: Office) -> dict[str, Any]:
    body = {"procedure": "2.000908", "applicant": {"name": "Nguyễn Thị Thử"}}
    found: dict[str, Any] = office.ask(centre.CLERK, "POST", "/dossiers", json=body).json()
    return found


def scan(pages: int = 2, size: int = 0) -> bytes:
    made = scan_pdf(*(f"Trang {number} {uuid.uuid4()}" for number in range(1, pages + 1)))
    noise = random.Random(size).randbytes(max(0, size - len(made)))  # noqa: S311  stuffing
    return made + (b"\n%" + noise.replace(b"\n", b"n").replace(b"\r", b"r") + b"\n" if noise else b"") + b"%%EOF\n"


def papers(office: Office, dossier: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}").json()["components"]
    return found


def hashes(office: Office, dossier: dict[str, Any]) -> list[str]:
    with office.services.begin() as work:
        return sorted(c.scan.sha256 for c in work.components.of_dossier(uuid.UUID(dossier["id"])))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def send(
    root: Path,
    url: str,
    tmp_path: Path,
    *,
    given: str = "",
    python: Sequence[str] = PYTHONS[0],
    more: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*arguments_for(root, url, tmp_path, python), *more],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        input=given,
        timeout=PATIENCE_S,
        check=False,
    )


def arguments_for(root: Path, url: str, tmp_path: Path, python: Sequence[str] = PYTHONS[0]) -> list[str]:
    places = ["--spool", str(tmp_path / "spool"), "--keys", str(tmp_path / "desks.json")]
    return [*python, "-m", "api.cli", "send", str(root), "--to", url, "--settle", "0", "--once", *places]


@contextmanager
def sender(root: Path, url: str, tmp_path: Path, shown: str) -> Iterator[tuple[Sender, list[str]]]:
    """The same within this process."""
    spool, told = Spool(tmp_path / "spool", root), []
    line = Line(url, shown)
    try:
        yield Sender(Folder(root, settle_s=0), spool, line, told.append), told
    finally:
        line.close()
        spool.close()


def until_done(at_work: Sender) -> None:
    """Round after round; waits are cut short, since how long they are is tested elsewhere."""
    ends = time.monotonic() + PATIENCE_S
    while not at_work.round():
        assert time.monotonic() < ends
        for waits in (at_work._line_waits, *at_work._files_wait.values()):
            waits.not_before = 0


@pytest.mark.parametrize("python", PYTHONS, ids=["here", "windows"][: len(PYTHONS)])
def test_a_machine_is_paired_by_a_code_and_sends_what_lies_in_the_folder(
    office: Office, server: int, root: Path, tmp_path: Path, python: Sequence[str]
) -> None:
    dossier, named, other = draft(office), scan(3), scan()
    (root / dossier["code"]).mkdir()
    (root / dossier["code"] / "DN.pdf").write_bytes(named)
    (root / "Scan 0001.pdf").write_bytes(other)
    (root / "có mật khẩu.pdf").write_bytes(b"%PDF-1.7 nothing in it\n%%EOF")
    url = f"http://127.0.0.1:{server}"

    wrong = send(root, url, tmp_path, given="0000-0000-0000-0\n", python=python)
    assert (wrong.returncode, (tmp_path / "desks.json").exists()) == (77, False), wrong.stderr
    paired = send(root, url, tmp_path, given=f"{code(office)}\n", python=python)

    assert paired.returncode == 1, "one file wasn't taken, and the status says so"
    assert f"DN.pdf · 3 trang · hồ sơ {dossier['code']}, giấy số 1" in paired.stdout
    assert f"SHA-256 {sha256(named)}" in paired.stdout
    assert "Scan 0001.pdf · 2 trang · hộp nhận, chờ gắn hồ sơ" in paired.stdout
    assert "KHÔNG NHẬN · có mật khẩu.pdf" in paired.stdout
    assert [(paper["kind"], paper["pages_total"]) for paper in papers(office, dossier)] == [("DN", 3)]
    kept = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.pdf"))
    assert kept == [f"da-nhan/{dossier['code']}/DN.pdf", "da-nhan/Scan 0001.pdf", "khong-nhan/có mật khẩu.pdf"]
    again = send(root, url, tmp_path, python=python)
    assert (again.returncode, again.stderr) == (0, "")


def test_a_revoked_machine_says_so_and_keeps_what_it_has_taken(
    office: Office, server: int, root: Path, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{server}"
    key.keep(tmp_path / "desks.json", url, {"token": "hsq_nobody", "desk": "Quầy 3", "agency": "Hồng Gai"})
    (root / "a.pdf").write_bytes(scan())

    answer = send(root, url, tmp_path)

    assert answer.returncode == 77
    assert "--pair" in answer.stderr
    assert (root / "a.pdf").exists()
    spool = Spool(tmp_path / "spool", root)
    assert len(spool.entries()) == 1
    spool.close()


def test_a_line_that_breaks_again_and_again_costs_a_part_and_never_a_file(
    office: Office, server: int, root: Path, tmp_path: Path
) -> None:
    dossier, whole = draft(office), scan(size=3_000_000)
    (root / f"{dossier['code']}.pdf").write_bytes(whole)
    with thin_line(server) as line, sender(root, line.url, tmp_path, token(office)) as (at_work, told):
        for budget in (100, 40_000, 700_000, 900_000):
            line.budget = budget
            assert not at_work.round()
            at_work._line_waits.not_before = 0
        assert line.broken == 4
        line.to = None
        assert not at_work.round()
        line.to = server
        until_done(at_work)

    assert hashes(office, dossier) == [sha256(whole)]
    assert sum("Mất kết nối" in words for words in told) < 6
    assert "Đã có kết nối lại" in " ".join(told)


def test_the_server_may_be_another_one_when_sending_goes_on(office: Office, root: Path, tmp_path: Path) -> None:
    """No web process remembers anything: parts taken by one are finished by the next."""
    dossier, whole = draft(office), scan(size=2_000_000)
    (root / f"{dossier['code']}.pdf").write_bytes(whole)
    with thin_line(None) as line, sender(root, line.url, tmp_path, token(office)) as (at_work, _):
        with served(office) as line.to:
            line.budget = 900_000
            assert not at_work.round()
            at_work._line_waits.not_before = 0
        (begun,) = [p for p in coming(office) if p.sha256 == sha256(whole)]
        assert 0 < begun.arrived < begun.size
        with served(office) as line.to:
            until_done(at_work)

    assert hashes(office, dossier) == [sha256(whole)]
    assert parcels.of(office.services.begin, begun.id, by=clerk(office)).state is parcels.ParcelState.TAKEN


def coming(office: Office) -> list[parcels.Parcel]:
    with office.services.begin() as work:
        return list(work.parcels.coming(clerk(office), "Quầy 3"))


def test_a_copy_that_the_disk_spoiled_is_taken_again_from_the_original(
    office: Office, server: int, root: Path, tmp_path: Path
) -> None:
    dossier, whole = draft(office), scan()
    (root / f"{dossier['code']}.pdf").write_bytes(whole)
    with thin_line(None) as line, sender(root, line.url, tmp_path, token(office)) as (at_work, told):
        assert not at_work.round()
        (entry,) = at_work.spool.entries()
        at_work.spool.copy_of(entry).write_bytes(whole[:-1] + b"x")
        line.to = server
        at_work._line_waits.not_before = 0
        until_done(at_work)

    assert any("bị hỏng" in words for words in told)
    assert hashes(office, dossier) == [sha256(whole)]


def spoiled(at_work: Sender, whole: bytes) -> None:
    """Let the disk of the counter's computer spoil the one copy that was taken."""
    (entry,) = at_work.spool.entries()
    at_work.spool.copy_of(entry).write_bytes(whole[:-1] + b"x")


@pytest.mark.parametrize("gone", ["cleared", "written over"])
def test_a_spoiled_copy_without_its_original_is_laid_aside_with_the_reason_and_never_sent_nor_deleted(
    office: Office, server: int, root: Path, tmp_path: Path, gone: str
) -> None:
    dossier, whole, later = draft(office), scan(), scan()
    path = root / f"{dossier['code']}.pdf"
    path.write_bytes(whole)
    with thin_line(None) as line, sender(root, line.url, tmp_path, token(office)) as (at_work, told):
        assert not at_work.round()
        spoiled(at_work, whole)
        if gone == "cleared":
            path.unlink()
        else:
            path.write_bytes(later)
        line.to = server
        at_work._line_waits.not_before = 0
        until_done(at_work)

    assert hashes(office, dossier) == ([] if gone == "cleared" else [sha256(later)])
    assert (root / "khong-nhan" / path.name).read_bytes() == whole[:-1] + b"x"
    words = (root / "khong-nhan" / f"{path.name}.txt").read_text("utf-8-sig")
    assert all(said in words for said in ("bị hỏng", "Quét lại giấy này", sha256(whole)))
    assert "còn nguyên" not in words
    assert any("KHÔNG NHẬN" in said for said in told)
    assert at_work.refused == 1


def test_a_copy_that_cannot_be_read_for_a_while_is_no_damaged_one(
    office: Office, server: int, root: Path, tmp_path: Path
) -> None:
    """The fault: in the copy's place stands what can't be read, as while another program has it locked."""
    dossier, whole, other = draft(office), scan(), scan()
    path = root / f"{dossier['code']}.pdf"
    path.write_bytes(whole)
    with thin_line(None) as line, sender(root, line.url, tmp_path, token(office)) as (at_work, told):
        assert not at_work.round()
        (entry,) = at_work.spool.entries()
        copy = at_work.spool.copy_of(entry)
        copy.rename(tmp_path / "locked")
        copy.mkdir()
        path.unlink()
        (root / f"{dossier['code']} tờ 2.pdf").write_bytes(other)
        line.to = server
        for _ in range(3):
            at_work._line_waits.not_before = 0
            assert not at_work.round()
        assert hashes(office, dossier) == [sha256(other)], "the other one goes on"
        assert [one.key for one in at_work.spool.entries()] == [entry.key]
        assert not (root / "khong-nhan").exists()
        assert any(f"{path.name}: máy này chưa xử lý được" in said for said in told)
        copy.rmdir()
        (tmp_path / "locked").rename(copy)
        until_done(at_work)

    assert hashes(office, dossier) == sorted([sha256(whole), sha256(other)])


def test_a_disk_that_takes_no_note_of_one_receipt_holds_back_neither_that_file_for_long_nor_the_others(
    office: Office, server: int, root: Path, tmp_path: Path
) -> None:
    """The fault: what the server said of the first can't be written down, as on a full disk."""
    dossier, whole = draft(office), [scan(), scan(), scan()]
    with thin_line(None) as line, sender(root, line.url, tmp_path, token(office)) as (at_work, told):
        for number, content in enumerate(whole):
            (root / f"{dossier['code']} tờ {number}.pdf").write_bytes(content)
        assert not at_work.round()
        first = at_work.spool.entries()[0]
        full = at_work.spool.copy_of(first).with_name("about.new")
        full.mkdir()
        line.to = server
        for _ in range(3):
            at_work._line_waits.not_before = 0
            assert not at_work.round()
        assert [one.key for one in at_work.spool.entries()] == [first.key]
        assert (root / first.relative).exists()
        assert [said for said in told if f"{first.relative}: máy này chưa xử lý được" in said]
        full.rmdir()
        until_done(at_work)

    assert hashes(office, dossier) == sorted(map(sha256, whole))
    assert {path.read_bytes() for path in (root / "da-nhan").glob("*.pdf")} == set(whole)


if os.name == "posix":

    @pytest.mark.parametrize("harm", ["", "spoiled"])
    def test_a_name_that_is_no_text_stops_nothing_and_is_sent_like_any_other(
        office: Office, server: int, root: Path, tmp_path: Path, harm: str
    ) -> None:
        url, dossier, other = f"http://127.0.0.1:{server}", draft(office), scan()
        key.keep(tmp_path / "desks.json", url, {"token": token(office), "desk": "Quầy 3", "agency": "Hồng Gai"})
        (root / dossier["code"]).mkdir()
        bad = os.fsencode(root / dossier["code"]) + b"/scan\xff.pdf"
        whole = b"%PDF-1.7 nothing in it\n%%EOF" if harm else scan()
        Path(os.fsdecode(bad)).write_bytes(whole)
        (root / "Scan 0002.pdf").write_bytes(other)

        answer = send(root, url, tmp_path)

        assert (answer.returncode, answer.stderr) == (1 if harm else 0, "")
        assert "scan\N{REPLACEMENT CHARACTER}.pdf" in answer.stdout
        assert "ĐÃ NHẬN · Scan 0002.pdf" in answer.stdout
        assert hashes(office, dossier) == ([] if harm else [sha256(whole)])
        into = root / ("khong-nhan" if harm else "da-nhan") / dossier["code"]
        assert sorted(map(os.fsencode, (path.name for path in into.iterdir()))) == [
            b"scan\xff.pdf",
            b"scan\xff.pdf.txt",
        ]


class LyingLine(Line):
    """The server's receipt, but for the hash: the fault injected."""

    lies = True

    def receipt(self, where: str) -> dict[str, Any]:
        told = super().receipt(where)
        return {**told, "sha256": "0" * 64} if self.lies else told


@pytest.mark.parametrize("delete", [False, True])
def test_nothing_is_deleted_or_moved_until_the_servers_hash_agrees(
    office: Office, server: int, root: Path, tmp_path: Path, *, delete: bool
) -> None:
    dossier, whole = draft(office), scan()
    path = root / f"{dossier['code']}.pdf"
    path.write_bytes(whole)
    spool, line, told = Spool(tmp_path / "spool", root), LyingLine(f"http://127.0.0.1:{server}", token(office)), []
    with closing(spool), closing(line):
        at_work = Sender(Folder(root, settle_s=0), spool, line, told.append, delete=delete)
        for _ in range(3):
            assert not at_work.round()
            for waits in at_work._files_wait.values():
                waits.not_before = 0
        (entry,) = spool.entries()
        assert path.read_bytes() == spool.copy_of(entry).read_bytes() == whole
        assert list(root.iterdir()) == [path]
        assert any("mã băm" in said and path.name in said for said in told)
        assert not any("ĐÃ NHẬN" in said for said in told)
        line.lies = False
        until_done(at_work)

    assert hashes(office, dossier) == [sha256(whole)]
    assert (path.exists(), (root / "da-nhan").exists()) == (False, not delete)


def test_delete_deletes_what_was_received_and_nothing_else(
    office: Office, server: int, root: Path, tmp_path: Path
) -> None:
    url, dossier, whole = f"http://127.0.0.1:{server}", draft(office), scan()
    key.keep(tmp_path / "desks.json", url, {"token": token(office), "desk": "Quầy 3", "agency": "Hồng Gai"})
    (root / f"{dossier['code']}.pdf").write_bytes(whole)
    (root / "có mật khẩu.pdf").write_bytes(b"%PDF-1.7 nothing in it\n%%EOF")
    (root / "ghi chú.docx").write_bytes(b"somebody's own")

    answer = send(root, url, tmp_path, more=["--delete"])

    assert answer.returncode == 1, answer.stderr
    assert f"SHA-256 {sha256(whole)}" in answer.stdout
    assert hashes(office, dossier) == [sha256(whole)]
    left = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    assert left == ["ghi chú.docx", "khong-nhan/có mật khẩu.pdf", "khong-nhan/có mật khẩu.pdf.txt"]


@pytest.mark.parametrize("python", PYTHONS, ids=["here", "windows"][: len(PYTHONS)])
def test_kills_at_any_moment_lose_nothing_and_double_nothing(
    office: Office, server: int, root: Path, tmp_path: Path, python: Sequence[str]
) -> None:
    dossier = draft(office)
    whole = {f"{dossier['code']} tờ {n}.pdf": scan(size=400_000 * n) for n in range(1, 7)}
    url = f"http://127.0.0.1:{server}"
    key.keep(tmp_path / "desks.json", url, {"token": token(office), "desk": "Quầy 3", "agency": "Hồng Gai"})
    chance = random.Random(20261130)  # noqa: S311  moments
    slower = 1 if python == PYTHONS[0] else 6  # to begin with
    moments = [slower * chance.uniform(0.08, 0.5) for _ in range(12)]

    for name, moment in zip([*whole, *[""] * len(moments)], moments, strict=False):
        if name:
            (root / name).write_bytes(whole[name])
        with subprocess.Popen(
            arguments_for(root, url, tmp_path, python), cwd=ROOT, stdout=subprocess.DEVNULL
        ) as at_work:
            with suppress(subprocess.TimeoutExpired):
                at_work.wait(moment)
            at_work.send_signal(signal.SIGKILL)
        lying = {sha256(path.read_bytes()) for path in root.rglob("*.pdf")}
        assert lying >= {sha256(whole[name]) for name in whole if list(root.rglob(f"{name}"))}
    last = send(root, url, tmp_path, python=python)

    assert last.returncode == 0, last.stderr
    assert hashes(office, dossier) == sorted(map(sha256, whole.values()))
    assert {path.name for path in (root / "da-nhan").glob("*.pdf")} == set(whole)
    assert {path.read_bytes() for path in (root / "da-nhan").glob("*.pdf")} == set(whole.values())


@pytest.mark.needs_own_disk
def test_what_was_taken_while_nobody_answered_survives_the_counters_power_cut(
    office: Office, server: int, own_disk: Disk, tmp_path: Path
) -> None:
    """The copy alone is left: whoever scanned has cleared the folder since."""
    dossier, whole = draft(office), [scan(size=size) for size in (20_000, 400_000, 1_500_000)]
    root, places = own_disk.place / "da-quet", own_disk.place / "hoso"
    root.mkdir()
    for number, content in enumerate(whole):
        (root / f"{dossier['code']} tờ {number}.pdf").write_bytes(content)
    disks.flush(own_disk.place)
    with thin_line(None) as line, sender(root, line.url, places, token(office)) as (at_work, _):
        assert not at_work.round()
        for path in root.glob("*.pdf"):
            path.unlink()
        own_disk.cut_power()
    for path in root.glob("*.pdf"):  # where the clearing didn't reach the disk
        path.unlink()

    with thin_line(server) as line, sender(root, line.url, places, token(office)) as (at_work, told):
        assert sorted(entry.sha256 for entry in at_work.spool.entries()) == sorted(map(sha256, whole)), told
        until_done(at_work)
    assert hashes(office, dossier) == sorted(map(sha256, whole))


@pytest.mark.needs_own_disk
def test_a_refused_copy_is_whole_where_it_is_laid_before_it_is_let_go(own_disk: Disk, tmp_path: Path) -> None:
    root, whole = own_disk.place / "da-quet", scan(size=400_000)
    root.mkdir()
    (root / "a.pdf").write_bytes(whole)
    with closing(Spool(tmp_path / "spool", root)) as spool:
        (found,) = Folder(root, settle_s=0).at_rest(0)
        entry = spool.take(found)
        assert entry is not None
        found.path.unlink()
        disks.flush(own_disk.place)
        spool.put_away(spool.keep(entry, REFUSED, {"reason": "encrypted", "words": ""}), "words")
        assert spool.entries() == []
        own_disk.cut_power()
    assert (root / "khong-nhan/a.pdf").read_bytes() == whole


@pytest.mark.needs_own_disk
def test_power_cuts_of_the_counter_at_any_moment_lose_nothing_and_double_nothing(
    office: Office, server: int, own_disk: Disk
) -> None:
    dossier = draft(office)
    whole = {f"{dossier['code']} tờ {n}.pdf": scan(size=400_000 * n) for n in range(1, 6)}
    url, root, places = f"http://127.0.0.1:{server}", own_disk.place / "da-quet", own_disk.place / "hoso"
    root.mkdir()
    places.mkdir()
    key.keep(places / "desks.json", url, {"token": token(office), "desk": "Quầy 3", "agency": "Hồng Gai"})
    chance = random.Random(20261130)  # noqa: S311  moments
    brought: set[str] = set()

    for name in [*whole, *[""] * 5]:
        if name:
            (root / name).write_bytes(whole[name])
            brought.add(name)
        disks.flush(own_disk.place)  # by the scanner's own program, as far as it goes; what comes now is ours
        with subprocess.Popen(arguments_for(root, url, places), cwd=ROOT, stdout=subprocess.DEVNULL) as at_work:
            with suppress(subprocess.TimeoutExpired):
                at_work.wait(chance.uniform(0.1, 0.7))
            own_disk.cut_power()
        lying = {sha256(path.read_bytes()) for path in root.rglob("*.pdf")}
        assert lying >= {sha256(whole[name]) for name in brought}
    last = send(root, url, places)

    assert last.returncode == 0, last.stderr
    assert hashes(office, dossier) == sorted(map(sha256, whole.values()))
    assert {path.read_bytes() for path in (root / "da-nhan").glob("*.pdf")} == set(whole.values())
