"""A fault injector, and it says so: a real HTTP proxy before a real S3 server that can be told to misbehave.

With no fault set it passes everything on as it came.
"""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fault(Enum):
    """What the proxy does to answers."""

    NONE = "passes everything on"
    FLIPS_A_BYTE = "changes one bit of every object it gives back"
    STOPS_HALFWAY = "closes the connection in the middle of every object it gives back"
    FAILS_TWICE = "answers the next two requests with 503"
    IGNORES_RANGES = "says 200 where it was asked for a part"
    DELETES_ALL_THE_SAME = "says that it deleted whatever it was asked to"
    SHORTENS_LOCKS = "says that it changed every lock as asked"
    KNOWS_NO_HOLD = "refuses legal holds"


_NOT_IMPLEMENTED = b"<Error><Code>NotImplemented</Code><Message>no</Message></Error>"


class FaultyS3(ThreadingHTTPServer):
    """The proxy. `fault` may be set at any time; `downloads` counts the objects that were asked for, by name."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.fault = Fault.NONE
        self.failures_left = 2
        self.downloads: dict[str, int] = {}
        self.counting = threading.Lock()

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.server_port}"


@contextmanager
def faulty_s3(upstream: str) -> Iterator[FaultyS3]:
    """Run the proxy before `upstream` ("host:port")."""
    with FaultyS3(upstream) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyS3

    def do_GET(self) -> None:
        self._pass_on()

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _pass_on(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with server.counting:
            if self.command == "GET":
                name = self.path.split("?")[0].lstrip("/").partition("/")[2]
                server.downloads[name] = server.downloads.get(name, 0) + 1
            fails = server.fault is Fault.FAILS_TWICE and server.failures_left > 0
            server.failures_left -= fails
        if fails:
            self._answer(503, {}, b"")
            return
        if server.fault is Fault.DELETES_ALL_THE_SAME and self.command == "DELETE":
            self._answer(204, {}, b"")
            return
        if server.fault is Fault.SHORTENS_LOCKS and self.command == "PUT" and "?retention" in self.path:
            self._answer(200, {}, b"")
            return
        if server.fault is Fault.KNOWS_NO_HOLD and self.command == "PUT" and "?legal-hold" in self.path:
            self._answer(501, {"Content-Type": "application/xml"}, _NOT_IMPLEMENTED)
            return
        upstream = http.client.HTTPConnection(server.upstream, timeout=30)
        try:
            upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
            answer = upstream.getresponse()
            content = answer.read()
            status, answered = answer.status, dict(answer.getheaders())
        finally:
            upstream.close()
        is_object = self.command == "GET" and "/sha256/" in self.path and status in {200, 206}
        if server.fault is Fault.IGNORES_RANGES and status == 206:
            status = 200
        if is_object and server.fault is Fault.FLIPS_A_BYTE and content:
            middle = len(content) // 2
            content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        if is_object and server.fault is Fault.STOPS_HALFWAY:
            self._answer(status, answered, content[: len(content) // 2], length=len(content))
            self.close_connection = True
            return
        self._answer(status, answered, content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes, *, length: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        declared = headers.get("Content-Length", "0") if self.command == "HEAD" else str(length or len(content))
        self.send_header("Content-Length", declared)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
