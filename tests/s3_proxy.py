"""What the fault injectors before a real S3 server share: an HTTP proxy that passes on. What goes wrong is theirs."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class S3Proxy(ThreadingHTTPServer):
    """Before `upstream` ("host:port")."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: str, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.upstream = upstream
        self.counting = threading.Lock()

    @property
    def endpoint(self) -> str:
        """Where it listens: "host:port"."""
        return f"127.0.0.1:{self.server_port}"

    @contextmanager
    def running(self) -> Iterator[Self]:
        """As long as the block lasts."""
        with self:
            thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield self
            finally:
                self.shutdown()
                thread.join()


class PassingHandler(BaseHTTPRequestHandler):
    """Reads what was asked; `treat` says what becomes of it."""

    protocol_version = "HTTP/1.1"
    server: S3Proxy

    def do_GET(self) -> None:
        self.treat(self.rfile.read(int(self.headers.get("content-length") or 0)))

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def treat(self, body: bytes) -> None:
        """Answer a request with this body."""
        raise NotImplementedError

    def asked_upstream(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What the server says to the same request: status, headers, content.

        Raises:
            OSError, http.client.HTTPException: Nothing.
        """
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        try:
            upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
            answer = upstream.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            upstream.close()

    def answer(self, status: int, headers: Mapping[str, str], content: bytes, *, length: int | None = None) -> None:
        """Say this; `length` is told of the content where it isn't its own."""
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        own = len(content) if length is None else length
        self.send_header(
            "Content-Length", headers.get("Content-Length", f"{own}") if self.command == "HEAD" else f"{own}"
        )
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def one_bit_off(content: bytes) -> bytes:
    """The same bytes with one bit in the middle changed."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
