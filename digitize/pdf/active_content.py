"""What a PDF would do, or carries inside, besides showing pages: found and named, never run and never opened.

Nothing of it can reach what we write: pages are drawn to pixels, and a derivative is made of pictures and words alone.
"""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WITHIN_S = 3.0
_DEEPEST = 12  # of dictionaries and arrays within one object


class ActiveContent(StrEnum):
    """Kinds of things in a PDF that aren't pages."""

    JAVASCRIPT = "javascript"
    LAUNCH = "launch"
    ATTACHMENT = "attachment"
    FORM_SUBMISSION = "form_submission"
    MULTIMEDIA = "multimedia"
    UNKNOWN = "active_unknown"


#: Values of /S of an action, /Subtype of an annotation and /Type of an object (ISO 32000-1, 12.6.4, 12.5.6 and 7.11).
_NAMED = {
    "/JavaScript": ActiveContent.JAVASCRIPT,
    "/Launch": ActiveContent.LAUNCH,
    "/SubmitForm": ActiveContent.FORM_SUBMISSION,
    "/ImportData": ActiveContent.FORM_SUBMISSION,
    "/Rendition": ActiveContent.MULTIMEDIA,
    "/Movie": ActiveContent.MULTIMEDIA,
    "/Sound": ActiveContent.MULTIMEDIA,
    "/RichMedia": ActiveContent.MULTIMEDIA,
    "/3D": ActiveContent.MULTIMEDIA,
    "/FileAttachment": ActiveContent.ATTACHMENT,
    "/EmbeddedFile": ActiveContent.ATTACHMENT,
}
_KEYS = {
    "/JS": ActiveContent.JAVASCRIPT,
    "/JavaScript": ActiveContent.JAVASCRIPT,
    "/EF": ActiveContent.ATTACHMENT,
    "/EmbeddedFiles": ActiveContent.ATTACHMENT,
    "/XFA": ActiveContent.FORM_SUBMISSION,
}


def found(path: Path) -> tuple[str, ...]:
    """Kinds of active content in a PDF, in the order of `ActiveContent`.

    Every object of the file is looked at, whether anything leads to it or not. `UNKNOWN` when the file can't be
    followed, or not within three seconds: then nobody knows.
    """
    seen: set[ActiveContent] = set()
    end = time.monotonic() + _WITHIN_S
    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            for thing in pdf.objects:
                seen.update(_kinds(thing, _DEEPEST))
                if time.monotonic() > end:
                    seen.add(ActiveContent.UNKNOWN)
                    break
    except (Exception, RecursionError):  # noqa: BLE001  a hostile file may break it anywhere
        seen.add(ActiveContent.UNKNOWN)
    return tuple(kind.value for kind in ActiveContent if kind in seen)


def _kinds(thing: Any, levels: int) -> Iterator[ActiveContent]:
    if isinstance(thing, pikepdf.Array):
        values = list(thing.as_list())
    elif isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        entries = dict(thing.items())
        for key in ("/S", "/Subtype", "/Type"):
            value = entries.get(key)
            if isinstance(value, pikepdf.Name) and str(value) in _NAMED:
                yield _NAMED[str(value)]
        yield from (kind for key, kind in _KEYS.items() if key in entries)
        values = list(entries.values())
    else:
        return
    if levels:
        for value in values:
            if isinstance(value, pikepdf.Object) and not value.is_indirect:
                yield from _kinds(value, levels - 1)
