"""The demo trust service over HTTP: lists, certificates, OCSP and timestamps, each in a thread of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from api.demo.mark import DEMO_MARK

if TYPE_CHECKING:
    import socket

    from api.demo.trust_service import DemoTrust

_MAX_REQUEST_BYTES = 64 * 1024


class DemoTrustServer(ThreadingHTTPServer):
    """Answers for a `DemoTrust`. With `fake_time` a request may name the moment it wants to be answered at."""

    daemon_threads = True

    def __init__(self, trust: DemoTrust, listener: socket.socket, *, fake_time: bool = False) -> None:
        """Take over a listening socket: whoever needs a free port knows it before any certificate names it."""
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.trust = trust
        self.fake_time = fake_time


class _Handler(BaseHTTPRequestHandler):
    server: DemoTrustServer
    server_version = "HoSoSoDemoTrust"
    timeout = 30

    _LISTS: ClassVar[dict[str, Literal["root", "issuing"]]] = {
        "/crl/root.crl": "root",
        "/crl/issuing.crl": "issuing",
    }

    def do_GET(self) -> None:
        trust = self.server.trust
        if self.path in self._LISTS:
            self._reply("application/pkix-crl", trust.crl(self._LISTS[self.path], at=self._moment()))
        elif self.path in {"/ca/root.crt", "/ca/issuing.crt"}:
            self._reply("application/pkix-cert", trust.authority_der(Path(self.path).stem))
        elif self.path == "/":
            self._reply("text/plain; charset=utf-8", f"{DEMO_MARK}\n".encode())
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= _MAX_REQUEST_BYTES:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(length)
        trust = self.server.trust
        try:
            if self.path == "/tsa":
                self._reply("application/timestamp-reply", trust.answer_timestamp(body, at=self._moment()))
            elif self.path == "/ocsp":
                self._reply("application/ocsp-response", trust.answer_ocsp(body, at=self._moment()))
            else:
                self.send_error(HTTPStatus.NOT_FOUND)
        except (ValueError, TypeError, KeyError):  # asn1crypto on bytes that are no request
            self.send_error(HTTPStatus.BAD_REQUEST)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: a demo prints what a person should read."""

    def _moment(self) -> datetime | None:
        wanted = self.headers.get("X-Certomancer-Fake-Time") if self.server.fake_time else None
        return datetime.fromisoformat(wanted).astimezone(UTC) if wanted else None

    def _reply(self, media_type: str, content: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
