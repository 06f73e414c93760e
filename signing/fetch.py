"""One message over HTTP from a trust service: no redirects, so much and no more, so long and no longer.

Only addresses that stand in certificates an administrator registered are ever asked. They may lie in a private
network, as those of the Government Cipher Committee do; an uploaded file has no say in them.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

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
    ends = time.monotonic() + timeout
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
                    raise TrustServiceUnavailable(f"{url} trả lời quá dài hoặc quá chậm.")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise TrustServiceUnavailable(
            f"Không hỏi được {url}. Chưa có gì được ký, việc vẫn còn nguyên. Hãy thử lại sau."
        ) from error
    return bytes(received)
