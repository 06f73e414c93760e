"""Papers that prove who somebody is: sensitive personal data, whose every view is in the log (Law 91/2025).

Known by what the clerk called the paper, and by what only such a card has printed on it in English, which no form
that merely asks for its number has. Small pictures of it are masked, and neither lists nor a search show its words
(`requirements.md` P2): whoever wants to see it opens it, and is in the log. A scan of several papers is as sensitive
as any of them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.ports import Begin, UnitOfWork
    from dossiers.types import Actor, Component, SearchHit

SEEN = "component.seen"
#: Pictures of one paper come by the dozen; one person's look at it within so long is one line.
ONE_LOOK = timedelta(minutes=10)

_CALLED = re.compile(
    r"\b(giay to tuy than|can cuoc|cccd|cmnd|cmtnd|chung minh nhan dan|ho chieu|the dinh danh|giay khai sinh)\b"
)
_PRINTED = ("citizen identity", "identity card", "passport", "place of origin", "date of expiry")


def among(work: UnitOfWork, components: Iterable[Component]) -> frozenset[UUID]:
    """Those of these papers that are, or have among their pages, somebody's proof of identity."""
    called = {component.id: _is_called_one(component) for component in components}
    others = [id_ for id_, is_one in called.items() if not is_one]
    printed = work.components.that_say(others, _PRINTED) if others else ()
    return frozenset(id_ for id_, is_one in called.items() if is_one).union(printed)


def without_words(work: UnitOfWork, hits: Sequence[SearchHit]) -> list[SearchHit]:
    """What a search found, as a list may show it: of identity papers where it stands, not what it says."""
    found = {hit.component_id for hit in hits}
    papers = work.components.of_dossiers({hit.dossier_id for hit in hits}).values()
    those = among(work, (paper for of_one in papers for paper in of_one if paper.id in found))
    return [replace(hit, snippet="", withheld=True) if hit.component_id in those else hit for hit in hits]


def note_seen(begin: Begin, component: Component, *, by: Actor, what: str, now: datetime) -> bool:
    """Write into the log who looks at an identity paper, before they get to see it; whether it is one.

    Args:
        component: Which the actor was found to be allowed to see.
        what: "picture", "scan", "searchable", "copy", "text" or "fields".
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
    if not among(work, [component]):
        return False
    seen = any(
        line.event == SEEN and (line.actor, line.detail.get("what")) == (by.username, what) and now - line.at < ONE_LOOK
        for line in work.audit.of(component.id)
    )
    if not seen:
        work.audit.append(by, SEEN, component.id, dossier=component.dossier_id, what=what)
    return True


def _is_called_one(component: Component) -> bool:
    return bool(_CALLED.search(_folded(f"{component.name} {component.filename}")))


def _folded(text: str) -> str:
    """Lower case, without marks, in words one blank apart."""
    parts = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    plain = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())
