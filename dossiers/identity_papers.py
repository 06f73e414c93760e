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

from dossiers.types import ComponentState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.ports import Begin, UnitOfWork
    from dossiers.types import Actor, Component, SearchHit

SEEN = "component.seen"
#: Pictures of one paper come by the dozen; one person's look at it within so long is one line.
ONE_LOOK = timedelta(minutes=10)

#: What people call such a paper, and what scanners and telephones call its file; a tone mark or a blank may be missing.
_CALLED = re.compile(
    r"\b(giay to tuy than|can ?cuoc|cccd|the cc\b|cmnd|cmtnd|chung ?minh ?(nhan ?dan|quan ?nhan|thu\b(?! ?nhap))"
    r"|ho ?chieu|passport|the dinh danh|giay ?khai ?sinh|trich ?luc ?khai ?sinh)|^khai ?sinh"
)
_PRINTED = (
    "citizen identity",
    "identity card",
    "passport",
    "place of origin",
    "date of expiry",
    "personal identification",
    # Cards of before 2021 have no English: what stands beside the prints of the fingers.
    "ngón trỏ trái",
    "ngón trỏ phải",
    "vết riêng và dị hình",
)


def among(work: UnitOfWork, components: Iterable[Component]) -> frozenset[UUID]:
    """Those of these papers that are, or have among their pages, somebody's proof of identity."""
    called = {component.id: _is_called_one(component) for component in components}
    others = [id_ for id_, is_one in called.items() if not is_one]
    printed = work.components.that_say(others, _PRINTED) if others else ()
    return frozenset(id_ for id_, is_one in called.items() if is_one).union(printed)


def shown_by(work: UnitOfWork, component: Component) -> list[Component]:
    """The identity papers that whoever looks at this paper sees.

    One that others took the place of may be known as such only by what these are called: of a form and a card scanned
    as one, the card has its name since they were parted.
    """
    those = [component]
    if component.state is ComponentState.REPLACED:
        pages = set(component.whole_numbers or range(1, component.pages_total + 1))
        scan = component.whole or component.scan
        out_of = work.components.out_of(component.dossier_id, scan.sha256)
        those += [other for other in out_of if other.id != component.id and pages & set(other.whole_numbers)]
    proofs = among(work, those)
    return [one for one in those if one.id in proofs]


def without_words(work: UnitOfWork, hits: Sequence[SearchHit]) -> list[SearchHit]:
    """What a search found, as a list may show it: of identity papers where it stands, not what it says."""
    found = {hit.component_id for hit in hits}
    papers = work.components.of_dossiers({hit.dossier_id for hit in hits}).values()
    those = among(work, (paper for of_one in papers for paper in of_one if paper.id in found))
    return [replace(hit, snippet="", withheld=True) if hit.component_id in those else hit for hit in hits]


def note_seen(begin: Begin, component: Component, *, by: Actor, what: str, now: datetime) -> bool:
    """Write into the log who looks at an identity paper, before they get to see it; whether it shows one.

    Args:
        component: Which the actor was found to be allowed to see.
        what: "picture", "scan", "searchable", "copy", "text", "fields" or "amendments" (what was corrected of it).
    """
    with begin() as work:
        return _noted(work, shown_by(work, component), by=by, what=what, now=now)


def note_whole_seen(begin: Begin, component: Component, *, by: Actor, now: datetime) -> bool:
    """The same of the scan a paper came in with others: every identity paper in it is looked at, also replaced ones.

    Args:
        component: Any of the papers in that scan, which the actor was found to be allowed to see.
    """
    scan = component.whole or component.scan
    with begin() as work:
        those = work.components.out_of(component.dossier_id, scan.sha256)
        proofs = among(work, those)
        return _noted(work, [one for one in those if one.id in proofs], by=by, what="whole", now=now)


def _noted(work: UnitOfWork, proofs: Sequence[Component], *, by: Actor, what: str, now: datetime) -> bool:
    for proof in proofs:
        seen = any(
            line.event == SEEN and (line.actor, line.detail.get("what")) == (by.username, what)
            for line in work.audit.of(proof.id)
            if now - line.at < ONE_LOOK
        )
        if not seen:
            work.audit.append(by, SEEN, proof.id, dossier=proof.dossier_id, what=what)
    return bool(proofs)


def _is_called_one(component: Component) -> bool:
    return any(_CALLED.search(_folded(name)) for name in (component.name, component.filename))


def _folded(text: str) -> str:
    """Lower case, without marks, in words one blank apart; words run together and numbers behind them are parted."""
    parts = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(letter for letter in parts if not unicodedata.combining(letter))
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)", " ", plain).lower()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())
