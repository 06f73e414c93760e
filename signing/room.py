"""How much room a signature or timestamp keeps free in /Contents, in hexadecimal digits.

Nothing can be known to fit for ever, so the first ones keep a lot. But every digit is read by everybody who opens the
file, for as long as it exists, and parsers read them one by one: a third of what a signature cost went there. Once an
authority has answered, the next room is as large as what it sent asks for, and half again. Where that turns out too
small, a signature gets a document timestamp in the place of its own, and a document timestamp is made once more.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: 16 KiB of DER: twice the largest seen in practice.
AMPLE = 32768
#: Bytes of DER beside certificates and timestamp: attributes, algorithms, and a signature of up to 8192 bits.
_REST = 2048
_SPARE = 512

_lock = threading.Lock()
_longest_token = 0


def learn(token_length: int) -> None:
    """An authority answered with so many bytes; the longest answer counts."""
    global _longest_token  # noqa: PLW0603 - one process, one memory of what authorities send
    with _lock:
        _longest_token = max(_longest_token, token_length)


def forget() -> None:
    """Keep ample room again, as in a new process."""
    global _longest_token  # noqa: PLW0603
    with _lock:
        _longest_token = 0


def for_signature(certificates: Iterable[bytes]) -> int:
    """Room for a signature that brings these certificates (DER) along, and for its timestamp."""
    if not _longest_token:
        return AMPLE
    return 2 * (sum(map(len, certificates)) + _REST) + for_timestamp()


def for_timestamp() -> int:
    """Room for a timestamp."""
    return 2 * (_longest_token * 3 // 2 + _SPARE) if _longest_token else AMPLE
