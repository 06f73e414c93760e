"""Where a host of a trust service is really reached: certificates of years ago name machines that moved since.

Certificates name the hosts of their lists and responders, and some of these were only ever known inside one network
(`ocsp.ca.ptc`). The administrator says which other host answers in their place; the path stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def read(pairs: Iterable[str]) -> dict[str, str]:
    """Read "ocsp.ca.ptc=ocsp.ca.gov.vn" or "tsa.ca.ptc:318=10.0.0.5:8080", one each, for `reached_at`.

    Raises:
        ValueError: One isn't a name, an equals sign, and a host, each with or without a port.
    """
    found = {}
    for pair in pairs:
        name, _, host = (part.strip().lower() for part in pair.partition("="))
        bare = host.removeprefix("https://")
        if not name or not bare or any(sign in name + bare for sign in "/@? "):
            raise ValueError(f"cần TÊN=MÁY hoặc TÊN=MÁY:CỔNG, không phải {pair!r}")
        for side in (name, bare):
            urlsplit(f"//{side}").port  # noqa: B018 - raises for a port that is none
        found[name] = host
    return found


def reached_at(url: str, hosts: Mapping[str, str]) -> str:
    """The address to ask instead of `url`.

    Args:
        hosts: "host" or "host:port", lower-case, to the same or to "https://host:port"; a name with a port goes
            before one without. What isn't named stays as it is.
    """
    if not hosts:
        return url
    try:
        parts = urlsplit(url)
        name, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return url
    instead = hosts.get(f"{name}:{port}") if port is not None else None
    instead = instead or hosts.get(name)
    if not instead:
        return url
    scheme, marked, host = instead.rpartition("://")
    return urlunsplit((scheme if marked else parts.scheme, host.rstrip("/"), parts.path, parts.query, ""))
