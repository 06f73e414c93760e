"""The line to the server: tus 1.0.0 over HTTP, each part with its checksum, each trouble told by what to do about it.

Python's own HTTP client, so that an old counter computer needs nothing else, and trusts whom its system trusts.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import ipaddress
import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from counter.folder import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_API = "/api/v1"
_TUS = "1.0.0"
_PATIENCE_S = 60.0
_SIGNED_OUT, _GONE, _LATER = 401, (404, 410), frozenset({408, 412, 423, 425, 429, 460})
_MOST_ANSWER = 1024 * 1024


class LineLost(Exception):
    """Nobody answered, or a gateway did. Everything is safe; try again later."""


class ServerBusy(Exception):
    """The server answered that it can't now, for this file at least. `seconds` to wait, if it said."""

    def __init__(self, what: str, seconds: int = 0) -> None:
        super().__init__(what)
        self.seconds = seconds


class SignedOut(Exception):
    """This machine isn't known, or not any more: it has to be paired again."""


class OutOfPlace(Exception):
    """The server has another number of bytes than we thought, or forgot the parcel, or got it spoiled."""


class Refused(Exception):
    """The server doesn't take this file. `reason` is stable, the message for people."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


class BadAddress(Exception):
    """That isn't the address of a server, or one that a token may not travel to."""


class Line:
    """One connection, opened when needed and again after each break.

    Args:
        url: Where people reach the service. Plain http only to this very computer, or when said so: a token travels.
        token: What the machine was given when it was paired.
    """

    def __init__(self, url: str, token: str = "", *, plain: bool = False) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BadAddress(url)
        if parts.scheme == "http" and not (plain or _is_this_computer(parts.hostname)):
            raise BadAddress(url)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._base = parts.path.rstrip("/") + _API
        self._token = token
        self._connection: http.client.HTTPConnection | None = None

    def pair(self, code: str) -> dict[str, Any]:
        """Exchange the code of the counter's page for a token: {"token", "desk", "agency"}.

        Raises:
            Refused: The code isn't one, or its time is over.
        """
        body = json.dumps({"code": code}).encode()
        try:
            _, answer = self._ask("POST", f"{self._base}/desks/pair", {"content-type": "application/json"}, body)
        except OutOfPlace:
            raise Refused("not_found", "Mã này không đúng, đã dùng, hoặc đã hết hạn. Lấy mã mới.") from None
        return answer

    def announce(self, size: int, said: Mapping[str, str]) -> tuple[str, int]:
        """Begin a parcel, or find it again: where it is, and how much of it is there."""
        pairs = [f"{key} {base64.b64encode(shown(value).encode()).decode()}" for key, value in said.items()]
        headers = {"upload-length": str(size), "upload-metadata": ",".join(pairs)}
        found, _ = self._ask("POST", f"{self._base}/parcels", headers)
        return _path(found.get("location", "")), int(found.get("upload-offset", "0"))

    def send(self, where: str, start: int, part: bytes) -> int:
        """Send the bytes that begin there; how many the server has now."""
        checksum = base64.b64encode(hashlib.sha256(part).digest()).decode()
        headers = {
            "content-type": "application/offset+octet-stream",
            "upload-offset": str(start),
            "upload-checksum": f"sha256 {checksum}",
        }
        found, _ = self._ask("PATCH", where, headers, part)
        return int(found.get("upload-offset", "-1"))

    def receipt(self, where: str) -> dict[str, Any]:
        """What became of a parcel."""
        return self._ask("GET", where, {})[1]

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[dict[str, str], dict[str, Any]]:
        sent = {"tus-resumable": _TUS, "accept-language": "vi", "content-length": str(len(body)), **headers}
        if self._token:
            sent["authorization"] = f"Bearer {self._token}"
        try:
            if self._connection is None:
                self._connection = self._opened()
            self._connection.request(method, path, body, sent)
            answer = self._connection.getresponse()
            text = answer.read(_MOST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise LineLost(type(error).__name__) from error
        said = {name.lower(): value for name, value in answer.getheaders()}
        try:
            told = json.loads(text) if text else {}
        except ValueError:
            told = {}
        if not 200 <= answer.status < 300:  # noqa: PLR2004  the answers that mean yes
            self.close()  # the server may have left part of what we sent unread
            self._tell(answer.status, said, told if isinstance(told, dict) else {})
        return said, told

    def _opened(self) -> http.client.HTTPConnection:
        if self._secure:
            trust = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=_PATIENCE_S, context=trust)
        return http.client.HTTPConnection(self._host, self._port, timeout=_PATIENCE_S)

    @staticmethod
    def _tell(status: int, said: Mapping[str, str], told: Mapping[str, Any]) -> None:
        code = str(told.get("code", ""))
        words = str(told.get("message") or told.get("detail") or f"HTTP {status}")
        if status == _SIGNED_OUT:
            raise SignedOut(words)
        if status in _GONE and code in {"not_found", ""} and code:
            raise OutOfPlace(code)
        if code in {"part_out_of_place", "parcel_spoiled", "wrong_state"}:
            raise OutOfPlace(code)
        if status >= 500 or status in _LATER or not code:  # noqa: PLR2004  a server's own trouble, or a gateway's page
            waits = said.get("retry-after", "")
            raise ServerBusy(words, int(waits) if waits.isdigit() else 0)
        raise Refused(str(told.get("reason") or code), words)


def _path(location: str) -> str:
    """The path of a parcel, whatever name the server gives itself."""
    return urlsplit(location).path


def _is_this_computer(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
