"""Whole files → one searchable PDF, for the command line: pages side by side, memory for a few at a time."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from digitize import fields, forms, load, pipeline, reading
from digitize.pdf import assemble
from digitize.types import PageFlags, ReadingFailed, ReadPage, ScanFacts, UnreadableScan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from multiprocessing.connection import Connection
    from typing import IO

    from digitize.types import Box, Field, OcrPage

SIGNED_NOTICE = "Bản dẫn xuất để tra cứu, không có chữ ký số; bản có giá trị là tệp gốc đã ký, được giữ nguyên."

_FIELDS_FROM_PAGES = 5  # number, date and the rest stand on the first page, or shortly after a cover
_PAGES_AHEAD = 2  # per process: enough that none waits


@dataclass(frozen=True)
class PageOutcome:
    """What became of one page.

    Attributes:
        source: The file it came from.
        number: 1-based, within that file.
        flags: As `read_page` says.
        unread: Why no words were read, a `ReadingFailed` reason; "" when they were.
    """

    source: Path
    number: int
    flags: PageFlags
    unread: str = ""

    @property
    def needs_rescan(self) -> bool:
        """Whether the paper should be scanned again."""
        return self.flags.needs_rescan or bool(self.unread)


@dataclass(frozen=True)
class Digitised:
    """What became of all files.

    Attributes:
        active: Files that carry programs or other files besides pages, and what; nothing of it is in the PDF.
    """

    pages: tuple[PageOutcome, ...]
    signed: tuple[Path, ...]
    active: tuple[tuple[Path, tuple[str, ...]], ...] = ()


class UnreadableInput(Exception):
    """One of the files can't be taken: which, and why."""

    def __init__(self, path: Path, why: UnreadableScan) -> None:
        super().__init__(str(why))
        self.path = path
        self.why = why


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sort key in which "trang 2" comes before "trang 10"."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in parts]


def digitize_files(
    inputs: Sequence[Path],
    target: Path,
    *,
    created_at: datetime,
    title: str = "",
    text_to: Path | None = None,
    json_to: Path | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> Digitised:
    """Read scans and write one searchable PDF/A of all their pages, and their text and words if asked.

    The inputs are only read. The outputs appear whole, under their names, once everything is done, or not at all.

    Args:
        inputs: Scan files, in order.
        target: The PDF.
        created_at: Aware; goes into the PDF.
        title: Of the PDF; the first input's name by default.
        text_to: UTF-8 NFC text, a form feed between pages.
        json_to: Words with boxes and confidence, flags, and fields, as JSON.
        jobs: Pages read side by side; each takes one core.
        progress: Called with the pages done and the pages in all.

    Raises:
        UnreadableInput: Nothing was written.
        ReadingFailed: Tesseract is missing. Nothing was written.
    """
    facts = [(path, _facts(path)) for path in inputs]
    signed = tuple(path for path, fact in facts if fact.signed)
    tasks = [(path, number) for path, fact in facts for number in range(1, fact.pages + 1)]
    outcomes: list[PageOutcome] = []
    with (
        tempfile.TemporaryDirectory(prefix="hoso-digitize-", ignore_cleanup_errors=True) as folder,
        _whole_or_not_at_all(target) as pdf,
        _whole_or_not_at_all(text_to) as text_file,
        _whole_or_not_at_all(json_to) as json_file,
    ):
        written = _Written(text_file, json_file)

        def pages() -> Iterator[assemble.AssemblyPage]:
            for outcome, read in _read_in_order(tasks, Path(folder), jobs):
                outcomes.append(outcome)
                written.page(outcome, read)
                progress(len(outcomes), len(tasks))
                part = outcome.source.stem if outcome.number == 1 and len(inputs) > 1 else ""
                yield assemble.AssemblyPage(read.picture, read.picture_type, read.ocr, part)

        assemble.searchable_pdf(
            pages(),
            Path(pdf.name) if pdf else target,
            title=title or inputs[0].stem,
            notice=SIGNED_NOTICE if signed else None,
            created_at=created_at,
        )
        written.close()
    active = tuple((path, fact.active_content) for path, fact in facts if fact.active_content)
    return Digitised(tuple(outcomes), signed, active)


class _Written:
    """The text and the JSON as they grow, page by page."""

    def __init__(self, text: IO[bytes] | None, words: IO[bytes] | None) -> None:
        self._text = text
        self._words = words
        self._count = 0
        self._first: list[OcrPage] = []

    def page(self, outcome: PageOutcome, read: ReadPage) -> None:
        if self._text:
            self._text.write((b"\f" if self._count else b"") + read.ocr.text.encode() + b"\n")
        if self._words:
            entry = {"source": outcome.source.name, "page": outcome.number, "text": read.ocr.text}
            entry |= json.loads(reading.to_json(read))
            entry["pairs"] = [_pair_out(pair) for pair in forms.pairs(read.ocr)]
            data = json.dumps(entry, ensure_ascii=False).encode()
            self._words.write((b",\n" if self._count else b'{"pages": [\n') + data)
        if len(self._first) < _FIELDS_FROM_PAGES:
            self._first.append(read.ocr)
        self._count += 1

    def close(self) -> None:
        if self._words:
            found = [_field_out(field) for field in fields.extract(self._first)]
            self._words.write(b'\n],\n"fields": ' + json.dumps(found, ensure_ascii=False).encode() + b"}\n")


def _pair_out(pair: forms.Pair) -> dict[str, Any]:
    return {
        "label": pair.label,
        "value": pair.value,
        "label_box": _box_out(pair.label_box),
        "value_box": _box_out(pair.value_box) if pair.value_box else None,
        "confidence": round(pair.confidence, 1),
    }


def _box_out(box: Box) -> list[int]:
    return [box.left, box.top, box.right, box.bottom]


def _field_out(field: Field) -> dict[str, Any]:
    box = field.box
    return {
        "key": field.key,
        "value": field.value,
        "raw": field.raw,
        "page": field.page,
        "box": _box_out(box) if box else None,
        "confidence": round(field.confidence, 1),
    }


def _facts(path: Path) -> ScanFacts:
    try:
        return load.inspect(path)
    except UnreadableScan as error:
        raise UnreadableInput(path, error) from error


def _read_in_order(
    tasks: Sequence[tuple[Path, int]], folder: Path, jobs: int
) -> Iterator[tuple[PageOutcome, ReadPage]]:
    """Pages in order, each forgotten once it is handed on; they wait for their turn on disk."""
    if jobs == 1 or len(tasks) == 1:
        for path, number in tasks:
            yield _taken_up(path, number, _read_one(path, number, folder), folder)
        return
    waiting: deque[tuple[Path, int, Future[str]]] = deque()
    rest = iter(tasks)
    with _reading_processes(min(jobs, len(tasks))) as submit:
        while True:
            while len(waiting) < jobs * _PAGES_AHEAD and (task := next(rest, None)):
                waiting.append((*task, submit(*task, folder)))
            if not waiting:
                return
            path, number, future = waiting.popleft()
            yield _taken_up(path, number, _result(path, future), folder)


@contextmanager
def _reading_processes(count: int) -> Iterator[Callable[[Path, int, Path], Future[str]]]:
    """Processes that read pages, each asked through a pipe of its own by a thread of ours.

    A `ProcessPoolExecutor` would do, but its semaphores want a /dev/shm that we may write to, and small containers
    have none.
    """
    context = get_context("spawn")
    processes, pipes = [], []
    idle: SimpleQueue[Connection] = SimpleQueue()
    for _ in range(count):
        ours, theirs = context.Pipe()
        process = context.Process(target=_read_what_is_asked, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        processes.append(process)
        pipes.append(ours)
        idle.put(ours)

    def ask(path: Path, number: int, folder: Path) -> str:
        pipe = idle.get()
        try:
            pipe.send((path, number, folder))
            return str(pipe.recv())
        finally:
            idle.put(pipe)  # also of a process that is gone: whoever asks it next is told at once

    threads = ThreadPoolExecutor(count)
    try:
        yield lambda path, number, folder: threads.submit(ask, path, number, folder)
    finally:
        threads.shutdown(cancel_futures=True)
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join()


def _read_what_is_asked(pipe: Connection) -> None:
    """Read one page after the other, until nobody asks any more."""
    with suppress(EOFError):
        while True:
            pipe.send(_read_one(*pipe.recv()))


def _result(path: Path, future: Future[str]) -> str:
    try:
        return future.result()
    except (EOFError, OSError) as error:
        why = UnreadableScan("damaged", "Máy đọc trang dừng đột ngột ở tệp này. Tệp gốc không bị thay đổi.")
        raise UnreadableInput(path, why) from error


def _read_one(path: Path, number: int, folder: Path) -> str:
    """Read one page, leave it in the folder, and say why its words are missing, if they are."""
    try:
        image = load.page(path, number)
    except UnreadableScan as error:
        return f"unreadable {error.reason} {error}"
    unread = ""
    try:
        read = pipeline.read_page(image)
    except ReadingFailed as error:
        if error.reason == "missing":
            return f"missing {error}"
        unread = error.reason
        read = pipeline.unread_page(image)
    name = folder / _task_name(path, number)
    name.with_suffix(".picture").write_bytes(read.picture)
    name.with_suffix(".json").write_bytes(reading.to_json(read))
    return f"read {unread}"


def _taken_up(path: Path, number: int, answer: str, folder: Path) -> tuple[PageOutcome, ReadPage]:
    kind, _, rest = answer.partition(" ")
    if kind == "unreadable":
        reason, _, message = rest.partition(" ")
        raise UnreadableInput(path, UnreadableScan(reason, f"Trang {number}: {message}"))
    if kind == "missing":
        raise ReadingFailed("missing", rest)
    name = folder / _task_name(path, number)
    picture, words = name.with_suffix(".picture"), name.with_suffix(".json")
    read = reading.from_json(words.read_bytes(), picture=picture.read_bytes())
    picture.unlink()
    words.unlink()
    return PageOutcome(path, number, read.flags, rest), read


def _task_name(path: Path, number: int) -> str:
    return f"{sha256(str(path.absolute()).encode()).hexdigest()[:20]}-{number}"


@contextmanager
def _whole_or_not_at_all(path: Path | None) -> Iterator[IO[bytes] | None]:
    """A file beside `path` that takes its name once it is complete and on disk."""
    if path is None:
        yield None
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:40]}-", delete=False) as file:
        beside = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            # A temporary file is for its owner alone; an output has the rights that any new file has here.
            mask = os.umask(0)
            os.umask(mask)
            beside.chmod(0o666 & ~mask)
            beside.replace(path)
            _fsync_folder(path.parent)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
