"""The trust service's timestamp authority, out of order as whoever asks likes. A fake only in when it answers.

In this process for a test (`unsteady`), or in one of its own for a measurement:

    python -m tests.unsteady_authority --folder DATA/demo-trust

which says its address in the first line, loads the trust service at the first question, and is told by `PUT /` with
{"dead": …, "delay_s": …} how to be.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.demo.trust_service import DemoTrust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Authority:
    """How it is, and what it did.

    Attributes:
        dead: Whether it refuses everybody.
        delay_s: How long it takes to answer.
        answered, refused: Timestamps given, questions turned away.
        now, most: Questions under way, and the most there were at once.
    """

    url: str = ""
    dead: bool = False
    delay_s: float = 0.0
    answered: int = 0
    refused: int = 0
    now: int = 0
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def told(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.authority = Authority(f"http://127.0.0.1:{self.server_port}/")

    def handle_error(self, *_: object) -> None:
        """Whoever asked is gone: killed, or tired of waiting."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        question = self._sent()
        authority = self.server.authority
        if authority.dead:
            authority.refused += 1
            self.send_error(503)
            return
        with authority._lock:
            authority.now += 1
            authority.most = max(authority.most, authority.now)
        time.sleep(authority.delay_s)
        content = self.server.answer(question)
        with authority._lock:
            authority.now -= 1
            authority.answered += 1
        self._reply(content)

    def do_PUT(self) -> None:
        for name, value in json.loads(self._sent() or b"{}").items():
            setattr(self.server.authority, name, value)
        self._reply(json.dumps(self.server.authority.told()).encode())

    def _sent(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def _reply(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def unsteady(trust: DemoTrust) -> Iterator[Authority]:
    """The authority of `trust` on a free port, until the block ends."""
    with _Server(trust.answer_timestamp) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.authority
        finally:
            server.shutdown()
            thread.join()


@dataclass
class InOwnProcess:
    """The authority in a process of its own."""

    url: str
    pid: int

    def be(self, **how: Any) -> dict[str, Any]:
        """Change how it is; gives what it counted."""
        asked = urllib.request.Request(self.url, data=json.dumps(how).encode(), method="PUT")
        with urllib.request.urlopen(asked, timeout=30) as answer:
            told: dict[str, Any] = json.loads(answer.read())
        return told


@contextmanager
def in_own_process(folder: Path) -> Iterator[InOwnProcess]:
    """The authority of the trust service that is, or will be, in this folder."""
    command = [sys.executable, "-m", "tests.unsteady_authority", "--folder", str(folder)]
    running = subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        yield InOwnProcess(running.stdout.readline().strip(), running.pid)
    finally:
        running.terminate()
        running.wait()
        running.stdout.close()


class _Lazily:
    """A trust service that may not have been made yet when its authority starts to listen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _trust(self) -> DemoTrust:
        return DemoTrust(self._folder, json.loads((self._folder / "service.json").read_text("utf-8"))["base_url"])

    def answer(self, question: bytes) -> bytes:
        return self._trust.answer_timestamp(question)


def main() -> int:
    """Answer until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    with _Server(_Lazily(parser.parse_args().folder).answer) as server:
        print(server.authority.url, flush=True)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
