"""A fault injector, and it says so: an HTTP proxy before a real S3 server that breaks in the ways that stores do."""

from __future__ import annotations

import hashlib
import http.client
import threading
import time
from contextlib import contextmanager, suppress
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class How(Enum):
    """What the proxy does."""

    WELL = "passes everything on"
    DOWN = "closes every connection at once"
    SLOW = "takes a second longer for everything"
    FULL = "refuses whatever is to be stored"
    LYING = "acknowledges whatever is to be stored, and drops it"
    FLIPPING = "changes one bit of every object it gives back"
    FORGETFUL = "acknowledges, gives back what it was given until that was read once, and drops it"


_SLOWER_S = 1.0
_FULL = b"<?xml version='1.0'?><Error><Code>XMinioStorageFull</Code><Message>full</Message></Error>"
_MISSING = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>"


class ShakyS3(ThreadingHTTPServer):
    """The proxy. `how` may be set at any time; `hurt` counts requests that were treated badly."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.how = How.WELL
        self.hurt = 0
        self.held: dict[str, bytes | None] = {}
        self.counting = threading.Lock()

    @property
    def endpoint(self) -> str:
        """Where it listens: "host:port"."""
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """Whoever asked was killed, or the server behind us was."""


@contextmanager
def shaky_s3(upstream: str) -> Iterator[ShakyS3]:
    """Run the proxy before `upstream` ("host:port")."""
    with ShakyS3(upstream) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ShakyS3

    def do_GET(self) -> None:
        self._answered()

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass

    def _answered(self) -> None:
        how = self.server.how
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if how is How.DOWN:
            self._hurt()
            self.close_connection = True
            return
        if how is How.SLOW:
            self._hurt()
            time.sleep(_SLOWER_S)
        name = self.path.split("?")[0]
        stores = self.command == "PUT" and "/sha256/" in name
        if how is How.FULL and self.command in {"PUT", "POST"}:
            self._hurt()
            self._answer(507, {}, _FULL)
        elif how is How.LYING and stores:
            self._hurt()
            self._acknowledge(body)
        elif how is How.FORGETFUL and stores:
            self._hurt()
            self.server.held[name] = body
            self._acknowledge(body)
        elif self.command in {"GET", "HEAD"} and name in self.server.held:
            self._from_memory(name)
        else:
            self._pass_on(body, flipped=how is How.FLIPPING and self.command == "GET" and "/sha256/" in name)

    def _from_memory(self, name: str) -> None:
        content = self.server.held[name]
        if content is None:
            self._answer(404, {}, _MISSING)
            return
        if self.command == "GET":
            self.server.held[name] = None
        self._answer(200, {"Content-Type": "application/octet-stream"}, content)

    def _acknowledge(self, body: bytes) -> None:
        self._answer(200, {"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'}, b"")

    def _pass_on(self, body: bytes, *, flipped: bool) -> None:
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        try:
            upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
            answer = upstream.getresponse()
            content = answer.read()
            status, headers = answer.status, dict(answer.getheaders())
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # as the server behind us would: without a word
            return
        finally:
            upstream.close()
        if flipped and status in {200, 206} and content:
            self._hurt()
            middle = len(content) // 2
            content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        self._answer(status, headers, content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        with suppress(OSError):
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                    self.send_header(name, value)
            declared = headers.get("Content-Length", str(len(content))) if self.command == "HEAD" else len(content)
            self.send_header("Content-Length", str(declared))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    def _hurt(self) -> None:
        with self.server.counting:
            self.server.hurt += 1
