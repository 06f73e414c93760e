"""Dying after every effect a process leaves behind, one after another: the kill at any instruction, made systematic.

Between two effects nothing outside the process changes, so a process killed anywhere leaves what it would have left by
dying right after the last one. Effects are a commit that wrote something, an answer of the object store to a request
that may have changed something there, and a file renamed or removed in this machine's folders. What an authority
answers changes nothing for anybody before one of these.

The death is an injected fault: an exception that no handler of the program catches, since it isn't an `Exception`. Real
kills, at random moments, are bench/faults.py's.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
import pytest
import urllib3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")
_READS = ("GET", "HEAD", "OPTIONS")


class Death(BaseException):
    """The process is no more."""


class Deaths:
    """Counts the effects of one act at a time, and dies after one of them."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._seen: list[str] | None = None

    def __call__(self, what: str) -> None:
        """An effect happened."""
        if self._seen is not None:
            self._seen.append(what)
            if len(self._seen) == self._last:
                raise Death(what)

    def after(self, last: int, act: Callable[[], object]) -> list[str] | None:
        """Do it and die after its effect number `last`, from 1; all its effects where it came to its end before."""
        self._last, self._seen = last, (seen := [])
        try:
            act()
        except Death:
            return None
        finally:
            self._seen = None
        return seen


@contextmanager
def watched() -> Iterator[Deaths]:
    """See every effect of this process, until the block ends."""
    deaths = Deaths()
    commit = psycopg.Connection.commit
    ask = urllib3.connectionpool.HTTPConnectionPool.urlopen

    def committed(self: psycopg.Connection[Any]) -> None:
        row = self.execute("select pg_current_xact_id_if_assigned()::text").fetchone()
        commit(self)
        if row != (None,):
            deaths("commit")

    def answered(self: urllib3.connectionpool.HTTPConnectionPool, method: str, *args: Any, **more: Any) -> Any:
        answer = ask(self, method, *args, **more)
        if method not in _READS:
            deaths(method)
        return answer

    def changed(call: Callable[..., Any]) -> Callable[..., Any]:
        def done(*paths: Any, **more: Any) -> Any:
            call(*paths, **more)
            if more:  # by `rmtree`, relative to a folder that goes
                return
            if not Path(paths[-1]).parent.name.startswith(tempfile.gettempprefix()):  # nobody looks there
                deaths(call.__name__)

        return done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(psycopg.Connection, "commit", committed)
        patched.setattr(urllib3.connectionpool.HTTPConnectionPool, "urlopen", answered)
        for name in ("replace", "rename", "link", "unlink"):
            patched.setattr(os, name, changed(getattr(os, name)))
        yield deaths


def each_time_anew(prepare: Callable[[], _T], act: Callable[[_T], object], again: Callable[[_T], None]) -> list[str]:
    """Prepare one, die after its first effect, look that all is well again; another, after its second; and so on.

    Args:
        again: What the next process does, and what has to be true then.

    Returns:
        The effects of the act that nobody ended.
    """
    with watched() as deaths:
        for last in itertools.count(1):
            one = prepare()
            effects = deaths.after(last, partial(act, one))
            again(one)
            if effects is not None:
                assert len(effects) < last, "somebody has swallowed a death"
                return effects
    raise AssertionError


def again_and_again(act: Callable[[], object]) -> int:
    """Do it to one and the same, dying after its first effect, then after its second, until it gets through; deaths."""
    with watched() as deaths:
        for last in itertools.count(1):
            effects = deaths.after(last, act)
            if effects is not None:
                assert len(effects) < last, "somebody has swallowed a death"
                return last - 1
    raise AssertionError
