"""A PIN or one-time code for as long as it is needed, shown by nothing and wiped afterwards."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Pin:
    """What somebody typed to open their key.

    Its bytes lie in one place that is overwritten by `wipe`. Libraries that take text get a copy for the moment of
    the call; Python frees it at once, but can't overwrite it.
    """

    __slots__ = ("_held",)

    def __init__(self, typed: bytes | bytearray) -> None:
        self._held = bytearray(typed)

    def text(self) -> str:
        """As libraries take it; keep no reference.

        Raises:
            ValueError: It is wiped, or isn't UTF-8.
        """
        if not self._held:
            raise ValueError("no PIN is held any more")
        return self._held.decode()

    def same_as(self, other: Pin) -> bool:
        """Whether both are the same; takes as long either way."""
        return hmac.compare_digest(self._held, other._held)

    def wipe(self) -> None:
        """Overwrite it; twice does nothing more."""
        self._held[:] = bytes(len(self._held))
        self._held.clear()

    def __bool__(self) -> bool:
        return bool(self._held)

    def __repr__(self) -> str:
        return "<Pin>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PIN stays in the process that was given it")
