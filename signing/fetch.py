"""One message over HTTP from a trust service: no redirects, so much and no more, so long and no longer.

Only addresses that stand in certificates an administrator registered are ever asked. They may lie in a private
network, as those of the Government Cipher Committee do; an uploaded file has no say in them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2

from signing.hosts import reached_at
from signing.types import TrustServiceUnavailable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping


@cache
def tls_context() -> ssl.SSLContext:
    """The public authorities of the web, loaded once: that takes longer than a signature."""
    return httpx2.create_ssl_context()


@dataclass(frozen=True)
class Exchange:
    """The last word of a host that tells of certificates.

    Attributes:
        seconds: How long its last answer took; None before the first.
        failures: In a row; 0 once it answered.
    """

    host: str
    seconds: float | None
    failures: int


_exchanges: dict[str, Exchange] = {}


def exchanges() -> tuple[Exchange, ...]:
    """Of every host asked by this process so far, for whoever looks after the instance."""
    return tuple(sorted(_exchanges.copy().values(), key=lambda one: one.host))


def _note(url: str, seconds: float | None) -> None:
    host = urlsplit(url).hostname or ""
    before = _exchanges.get(host, Exchange(host, None, 0))
    if seconds is None:
        _exchanges[host] = replace(before, failures=before.failures + 1)
    else:
        _exchanges[host] = Exchange(host, seconds, 0)


def is_web(url: str) -> bool:
    """Whether an address is one we ask at all."""
    return url.lower().startswith(("http://", "https://"))


def download(
    method: str,
    url: str,
    *,
    timeout: float,
    limit: int,
    content: bytes | None = None,
    hosts: Mapping[str, str] | None = None,
) -> bytes:
    """Exchange one message.

    Args:
        timeout: Seconds for the whole exchange.
        limit: Bytes of the answer.
        content: An OCSP request, for POST.
        hosts: As for `signing.hosts.reached_at`.

    Raises:
        TrustServiceUnavailable: No answer, or one too long or too late.
    """
    if not is_web(url):
        raise TrustServiceUnavailable(f"Địa chỉ không dùng được: {url}")
    began = time.monotonic()
    ends = began + timeout
    headers = {"Content-Type": "application/ocsp-request"} if content else {}
    received = bytearray()
    try:
        with httpx2.stream(
            method,
            reached_at(url, hosts or {}),
            content=content,
            headers=headers,
            timeout=timeout,
            verify=tls_context(),
            follow_redirects=False,
        ) as reply:
            reply.raise_for_status()
            for piece in reply.iter_bytes():
                received += piece
                if len(received) > limit or time.monotonic() > ends:
                    _note(url, None)
                    raise TrustServiceUnavailable(f"{url} trả lời quá dài hoặc quá chậm.")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        _note(url, None)
        raise TrustServiceUnavailable(
            f"Không hỏi được {url}. Chưa có gì được ký, việc vẫn còn nguyên. Hãy thử lại sau."
        ) from error
    _note(url, time.monotonic() - began)
    return bytes(received)
