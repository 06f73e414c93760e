"""Papers that prove who somebody is: sensitive personal data, whose every view is in the log (Law 91/2025).

Known by what the clerk called the paper, and by what only such a card has printed on it in English, which no form
that merely asks for its number has. Small pictures of it are masked and lists don't show its words (`requirements.md`
P2): whoever wants to see it opens it, and is in the log. A scan of several papers is as sensitive as any of them.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from dossiers.ports import Begin, UnitOfWork
    from dossiers.types import Actor, Component, Page, PageGlance

SEEN = "component.seen"
#: Pictures of one paper come by the dozen; one person's look at it within so long is one line.
ONE_LOOK = timedelta(minutes=10)

_CALLED = re.compile(
    r"\b(giay to tuy than|can cuoc|cccd|cmnd|cmtnd|chung minh nhan dan|ho chieu|the dinh danh|giay khai sinh)\b"
)
_PRINTED = re.compile(r"\b(citizen identity|identity card|passport|place of origin|date of expiry)\b")


def is_identity_paper(component: Component, pages: Iterable[Page | PageGlance] = ()) -> bool:
    """Whether a paper is, or has among its pages, somebody's proof of identity; of a glance its beginning is known."""
    called = f"{component.name} {component.filename}"
    texts = (getattr(page, "text", "") or getattr(page, "beginning", "") for page in pages)
    return bool(_CALLED.search(_folded(called))) or any(_PRINTED.search(_folded(text)) for text in texts)


def note_seen(begin: Begin, component: Component, *, by: Actor, what: str, now: datetime) -> bool:
    """Write into the log who looks at an identity paper, before they get to see it; whether it is one.

    Args:
        component: Which the actor was found to be allowed to see.
        what: "picture", "scan", "searchable", "copy" or "text".
    """
    with begin() as work:
        return _noted(work, component, by=by, what=what, now=now)


def note_whole_seen(begin: Begin, component: Component, *, by: Actor, now: datetime) -> bool:
    """The same of the scan a paper came in with others: every identity paper in it is looked at, also replaced ones.

    Args:
        component: Any of the papers in that scan, which the actor was found to be allowed to see.
    """
    scan = component.whole or component.scan
    with begin() as work:
        those = work.components.out_of(component.dossier_id, scan.sha256)
        noted = [_noted(work, one, by=by, what="whole", now=now) for one in those]
        return any(noted)


def _noted(work: UnitOfWork, component: Component, *, by: Actor, what: str, now: datetime) -> bool:
    if not is_identity_paper(component, work.components.pages(component.id)):
        return False
    seen = any(
        line.event == SEEN and (line.actor, line.detail.get("what")) == (by.username, what) and now - line.at < ONE_LOOK
        for line in work.audit.of(component.id)
    )
    if not seen:
        work.audit.append(by, SEEN, component.id, dossier=component.dossier_id, what=what)
    return True


def _folded(text: str) -> str:
    """Lower case, without marks, in words one blank apart."""
    parts = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    plain = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())
