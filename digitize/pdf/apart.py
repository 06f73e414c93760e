"""Pages of PDFs for people, drawn in a process of their own with a deadline.

PDFium can't be interrupted and serves one thread at a time. What it draws for a browser must not keep whoever else
uses the web waiting, so a helper draws it: started when first needed, kept, and ended when a page takes too long.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from digitize.pdf import scan as pdf_scan
from digitize.types import UnreadableScan

WITHIN_S = 20.0

_GRACE_S = 2.0  # the helper ends itself; after this it is ended
_COMING_UP_S = 60.0  # of a helper, on a machine that is busy
_HEAD = struct.Struct(">?I")  # whether it was drawn, length of what follows
_PIECE = 1 << 16
_READY = b"+"


def page_jpeg(path: Path, number: int, *, dpi: float, max_pixels: int, within_s: float = WITHIN_S) -> bytes:
    """One page as `pdf_scan.page_jpeg` draws it, or none when it takes longer than `within_s`.

    Raises:
        UnreadableScan: As there; "page_too_large" when it took too long or broke the helper.
    """
    asked = json.dumps([str(path.absolute()), number, dpi, max_pixels, within_s]).encode() + b"\n"
    drawn, answer = _HELPER.ask(asked, within_s + _GRACE_S)
    if drawn:
        return answer
    raise UnreadableScan(*json.loads(answer))


class _Helper:
    """The helper of this process. A fork of us has one of its own."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, asked: bytes, within_s: float) -> tuple[bool, bytes]:
        with self._turn:
            process = self._running()
            done = False
            try:
                assert process.stdin  # noqa: S101  it was started with a pipe
                process.stdin.write(asked)
                process.stdin.flush()
                ends_at = time.monotonic() + within_s
                drawn, length = _HEAD.unpack(_read(process, _HEAD.size, ends_at))
                answer = _read(process, length, ends_at)
                done = True
            except (EOFError, BrokenPipeError) as error:
                raise UnreadableScan(
                    "page_too_large", "Trang này vẽ quá lâu nên không hiện được. Hãy quét lại trang này."
                ) from error
            finally:
                if not done:
                    self._end()
            return drawn, answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            self._process = None  # our parent's, not ours to end
            self._owner = os.getpid()
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            # It ends when its input does, that is with us; a page it is at by then ends it by the alarm.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "digitize.pdf.apart"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
            try:
                _read(self._process, len(_READY), time.monotonic() + _COMING_UP_S)
            except BaseException:
                self._end()
                raise
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()
            process.wait()


_HELPER = _Helper()
atexit.register(_HELPER._end)  # noqa: SLF001


def _read(process: subprocess.Popen[bytes], length: int, ends_at: float) -> bytes:
    """So many bytes. Raises EOFError when they don't come by then."""
    assert process.stdout  # noqa: S101  it was started with a pipe
    got = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while len(got) < length:
            if not selector.select(max(0.0, ends_at - time.monotonic())):
                raise EOFError
            piece = os.read(process.stdout.fileno(), min(_PIECE, length - len(got)))
            if not piece:
                raise EOFError
            got += piece
    return bytes(got)


def _draw() -> None:
    """Be the helper: a line asks for a page, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whom we draw
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # which ends us even within PDFium
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    answers.write(_READY)
    answers.flush()
    for line in sys.stdin.buffer:
        path, number, dpi, max_pixels, within_s = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, within_s)
        try:
            drawn, answer = True, pdf_scan.page_jpeg(Path(path), number, dpi=dpi, max_pixels=max_pixels)
        except UnreadableScan as error:
            drawn, answer = False, json.dumps([error.reason, str(error)]).encode()
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(_HEAD.pack(drawn, len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        _draw()
