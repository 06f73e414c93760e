"""The counter's computer: what it takes from the scanner's folder, and what its spool keeps through any break."""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from counter import key
from counter.folder import Folder, Found, is_whole
from counter.line import BadAddress, Line
from counter.sending import Backoff
from counter.spool import OVER, REFUSED, Busy, Spool, receipt_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


def picture(kind: str, **more: object) -> bytes:
    held = io.BytesIO()
    pages = [Image.effect_noise((90, 120), 50 + n) for n in range(3)]
    several = {"save_all": True, "append_images": pages[1:]} if kind == "TIFF" else {}
    pages[0].save(held, kind, **several, **more)
    return held.getvalue()


WHOLE = {
    "a.pdf": PDF + b"\0" * 100,
    "b.jpg": picture("JPEG"),
    "c.png": picture("PNG"),
    "d.tif": picture("TIFF"),
    "e.tiff": picture("TIFF", compression="tiff_lzw", big_tiff=True),
    "f.webp": picture("WEBP"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "Máy quét – quầy 3"
    folder.mkdir()
    return folder


@pytest.fixture
def spool(tmp_path: Path, root: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool", root)
    yield spool
    spool.close()


def laid(root: Path, name: str, content: bytes) -> Found:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    status = path.stat()
    return Found(path, name, status.st_size, status.st_mtime_ns)


def names(found: list[Found]) -> list[str]:
    return [one.relative for one in found]


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_is_whole_when_it_ends_as_its_kind_ends_and_not_before(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(WHOLE[name])
    assert is_whole(path)
    for share in (0.2, 0.5, 0.9):
        path.write_bytes(WHOLE[name][: int(len(WHOLE[name].rstrip(b"\0")) * share)])
        assert not is_whole(path)


def test_a_growing_file_is_taken_once_it_rests_whole(root: Path) -> None:
    folder = Folder(root, settle_s=5)
    path = root / "scan 1.pdf"
    for second in range(20):
        path.write_bytes((PDF + b"x" * 100 * second)[: 200 + 50 * second])
        assert folder.at_rest(second) == []
    path.write_bytes(PDF)
    assert folder.at_rest(20) == []
    assert folder.at_rest(24.9) == []
    assert names(folder.at_rest(25.1)) == ["scan 1.pdf"]


def test_a_file_that_never_ends_well_is_not_waited_for_for_ever(root: Path) -> None:
    folder = Folder(root, settle_s=5, patience_s=120)
    laid(root, "cut.pdf", PDF[:20])
    laid(root, "empty.pdf", b"")
    assert [names(folder.at_rest(now)) for now in (0, 60, 119)] == [[], [], []]
    assert sorted(names(folder.at_rest(120))) == ["cut.pdf", "empty.pdf"]


def test_what_is_no_scan_and_our_own_folders_are_left_alone(root: Path) -> None:
    folder = Folder(root, settle_s=0)
    for name in (".hidden.pdf", "~temp.pdf", "Thumbs.db", "ghi chú.docx", "da-nhan/a.pdf", "khong-nhan/b.pdf"):
        laid(root, name, PDF)
    laid(root, "hồ sơ/da-nhan/c.PDF", PDF)
    (root / "link.pdf").symlink_to(root / "hồ sơ/da-nhan/c.PDF")
    assert names(folder.at_rest(0)) == ["hồ sơ/da-nhan/c.PDF"]


def test_a_file_that_another_program_still_writes_is_not_taken(root: Path) -> None:
    folder = Folder(root, settle_s=0)
    laid(root, "open.pdf", PDF)
    holds = "import sys; f = open(sys.argv[1], 'ab'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holds, str(root / "open.pdf")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert folder.at_rest(0) == []
        writer.communicate()
    assert names(folder.at_rest(1)) == ["open.pdf"]


def test_what_was_received_is_moved_with_its_receipt_and_forgotten(root: Path, spool: Spool) -> None:
    found = laid(root, "hồ sơ 1/tờ khai.pdf", PDF)
    entry = spool.take(found)
    assert entry is not None
    assert found.path.exists(), "the original stays until the server's hash agrees"
    told = {"pages": 2, "dossier": "000.00.01.H49-261130-0001", "ordinal": 3, "trouble": ""}
    entry = spool.keep(entry, OVER, told)

    spool.put_away(entry, receipt_words(entry, NOW))

    assert not found.path.exists()
    assert (root / "da-nhan/hồ sơ 1/tờ khai.pdf").read_bytes() == PDF
    words = (root / "da-nhan/hồ sơ 1/tờ khai.pdf.txt").read_text("utf-8-sig")
    assert all(said in words for said in ("tờ khai.pdf", "2 trang", told["dossier"], "giấy số 3", entry.sha256))
    assert spool.entries() == []


def test_an_original_that_was_written_over_is_another_scan_and_stays(root: Path, spool: Spool) -> None:
    entry = spool.take(laid(root, "scan.pdf", PDF))
    assert entry is not None
    newer = laid(root, "scan.pdf", PDF + b"\n% a second page\n%%EOF")

    spool.put_away(spool.keep(entry, OVER, {"pages": 1}), "words")

    assert newer.path.read_bytes().endswith(b"a second page\n%%EOF")
    assert not spool.knows(newer, spool.entries())


def test_a_refused_file_is_laid_aside_with_the_reason_even_when_its_original_is_gone(root: Path, spool: Spool) -> None:
    for gone in (False, True):
        found = laid(root, f"{gone}.pdf", PDF + str(gone).encode())
        entry = spool.take(found)
        assert entry is not None
        if gone:
            found.path.unlink()
        entry = spool.keep(entry, REFUSED, {"reason": "encrypted", "words": "Tệp có mật khẩu."})
        spool.put_away(entry, "Tệp có mật khẩu.")
        assert spool.entries() == []
        assert (root / f"khong-nhan/{gone}.pdf").read_bytes() == PDF + str(gone).encode()
        assert "mật khẩu" in (root / f"khong-nhan/{gone}.pdf.txt").read_text("utf-8-sig")


def test_a_refused_scan_whose_name_the_next_scan_took_over_is_laid_aside_and_the_next_one_stays(
    root: Path, spool: Spool
) -> None:
    entry = spool.take(laid(root, "scan.pdf", PDF))
    assert entry is not None
    newer = laid(root, "scan.pdf", PDF + b"\n% the next paper\n%%EOF")

    spool.put_away(spool.keep(entry, REFUSED, {"reason": "encrypted", "words": "Tệp có mật khẩu."}), "words")

    assert (root / "khong-nhan/scan.pdf").read_bytes() == PDF
    assert newer.path.read_bytes().endswith(b"the next paper\n%%EOF")


def test_a_copy_laid_aside_before_a_break_is_not_laid_there_twice(root: Path, spool: Spool) -> None:
    laid(root, "khong-nhan/scan.pdf", b"another")
    for _ in range(2):
        found = laid(root, "scan.pdf", PDF)
        os.utime(found.path, ns=(found.mtime_ns, 10**18))
        entry = spool.take(Found(found.path, "scan.pdf", found.size, 10**18))
        assert entry is not None
        found.path.unlink()
        spool.put_away(spool.keep(entry, REFUSED, {"reason": "encrypted", "words": ""}), "words")
    assert [path.name for path in sorted((root / "khong-nhan").glob("*.pdf"))] == ["scan (2).pdf", "scan.pdf"]


def test_whether_a_damaged_copys_original_is_gone_is_not_told_by_a_folder_that_is_away(
    root: Path, spool: Spool
) -> None:
    entry = spool.take(laid(root, "scan.pdf", PDF))
    assert entry is not None
    spool.copy_of(entry).write_bytes(PDF[:-1] + b"x")
    away = root.rename(root.with_name("away"))
    for step in (lambda: spool.mend(entry), lambda: spool.put_away(spool.keep(entry, OVER, {}), "words")):
        with pytest.raises(FileNotFoundError):
            step()
    away.rename(root)
    assert spool.mend(entry)
    assert spool.copy_of(entry).read_bytes() == PDF


def test_half_a_copy_does_not_keep_a_full_disk_full(root: Path, spool: Spool, tmp_path: Path) -> None:
    found = laid(root, "scan.pdf", PDF + b"%" * 100_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            spool.take(found)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in (tmp_path / "spool").iterdir() if path.is_dir()] == []
    assert found.path.exists()


def test_two_scans_of_one_name_are_both_kept(root: Path, spool: Spool) -> None:
    for content in (PDF, PDF + b"%%EOF"):
        entry = spool.take(laid(root, "scan.pdf", content))
        assert entry is not None
        spool.put_away(spool.keep(entry, OVER, {}), "")
        assert spool.entries() == []
    assert (root / "da-nhan/scan.pdf").read_bytes() == PDF
    assert (root / "da-nhan/scan (2).pdf").read_bytes() == PDF + b"%%EOF"


def test_what_a_break_left_half_done_is_swept_and_whole_scans_are_found_again(tmp_path: Path, root: Path) -> None:
    found = laid(root, "a.pdf", PDF)
    spool = Spool(tmp_path / "spool", root)
    taken = spool.take(found)
    spool.close()
    (tmp_path / "spool/.new-1").mkdir()
    (tmp_path / "spool/.new-1/scan").write_bytes(b"half")

    again = Spool(tmp_path / "spool", root)

    assert again.entries() == [taken]
    assert again.knows(found, again.entries())
    assert not (tmp_path / "spool/.new-1").exists()
    about = tmp_path / "spool" / again.entries()[0].key / "about.json"
    about.write_text("{", "utf-8")
    assert again.entries() == []
    assert again.take(found) == taken, "what the disk has lost is taken anew"
    assert again.entries() == [taken]
    again.close()


def test_a_file_that_changes_while_it_is_copied_is_not_taken(root: Path, spool: Spool) -> None:
    found = laid(root, "a.pdf", PDF)
    with (root / "a.pdf").open("ab") as grows:
        grows.write(b"more")
    assert spool.take(found) is None
    assert spool.entries() == []
    (root / "a.pdf").unlink()
    assert spool.take(found) is None


def test_two_senders_never_work_on_one_spool(tmp_path: Path, root: Path, spool: Spool) -> None:
    with pytest.raises(Busy):
        Spool(tmp_path / "spool", root)


def test_the_token_is_kept_for_its_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "new/desks.json"
    key.keep(file, "https://one", {"token": "a"})
    key.keep(file, "https://two", {"token": "b"})
    assert file.stat().st_mode & 0o777 == 0o600
    assert [key.known(file, url) for url in ("https://one", "https://two", "https://three")] == [
        {"token": "a"},
        {"token": "b"},
        None,
    ]
    file.chmod(0o640)
    with pytest.raises(key.KeyOpen):
        key.known(file, "https://one")


@pytest.mark.parametrize("url", ["http://hoso.example", "ftp://hoso.example", "hoso.example", "https://"])
def test_a_token_never_travels_in_the_clear_to_another_computer(url: str) -> None:
    with pytest.raises(BadAddress):
        Line(url)


def test_waits_grow_and_end_with_the_first_success() -> None:
    waits = Backoff(60)
    took = [waits.failed(0) for _ in range(12)]
    assert took[0] < 2
    assert all(45 <= wait <= 75 for wait in took[7:])
    assert waits.failed(0, at_least=120) == 120
    waits.worked()
    assert waits.not_before == 0


def test_sending_loads_nothing_but_pythons_own_library() -> None:
    loads = "import sys, json, api.cli, api.commands.send; print(json.dumps([n.split('.')[0] for n in sys.modules]))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    answer = subprocess.run([sys.executable, "-S", "-c", loads], capture_output=True, check=True, env=environment)
    strangers = set(json.loads(answer.stdout)) - sys.stdlib_module_names - {"api", "counter", "__main__"}
    assert strangers == set()
