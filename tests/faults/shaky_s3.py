"""A fault injector, and it says so: an HTTP proxy before a real S3 server that breaks in the ways that stores do."""

from __future__ import annotations

import hashlib
import http.client
import time
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any

from tests.s3_proxy import PassingHandler, S3Proxy, one_bit_off

if TYPE_CHECKING:
    from collections.abc import Mapping


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


class ShakyS3(S3Proxy):
    """The proxy. `how` may be set at any time; `hurt` counts requests that were treated badly."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream, _Handler)
        self.how = How.WELL
        self.hurt = 0
        self.held: dict[str, bytes | None] = {}

    def handle_error(self, *_: Any) -> None:
        """Whoever asked was killed, or the server behind us was."""


class _Handler(PassingHandler):
    server: ShakyS3

    def treat(self, body: bytes) -> None:
        how = self.server.how
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
            self.answer(507, {}, _FULL)
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
            self.answer(404, {}, _MISSING)
            return
        if self.command == "GET":
            self.server.held[name] = None
        self.answer(200, {"Content-Type": "application/octet-stream"}, content)

    def _acknowledge(self, body: bytes) -> None:
        self.answer(200, {"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'}, b"")

    def _pass_on(self, body: bytes, *, flipped: bool) -> None:
        try:
            status, headers, content = self.asked_upstream(body)
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # as the server behind us would: without a word
            return
        if flipped and status in {200, 206} and content:
            self._hurt()
            content = one_bit_off(content)
        self.answer(status, headers, content)

    def answer(self, status: int, headers: Mapping[str, str], content: bytes, *, length: int | None = None) -> None:
        with suppress(OSError):  # whoever asked was killed
            super().answer(status, headers, content, length=length)

    def _hurt(self) -> None:
        with self.server.counting:
            self.server.hurt += 1
