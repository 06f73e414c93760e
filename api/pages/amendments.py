"""What persons changed of a dossier, a paper or a result: who, when, what stood there before and what since."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter, Response

from api.deps import Office, Sees
from api.pages.frame import StaffFrame
from api.pages.result_view import names
from api.wiring import utc_now
from dossiers import identity_papers, issuance, layouts
from dossiers.differences import as_text
from dossiers.history import changes_of
from dossiers.labels import label
from dossiers.types import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from api.errors import Language
    from dossiers.amendments import Told
    from dossiers.ports import UnitOfWork
    from dossiers.types import Actor, Dossier

router = APIRouter(include_in_schema=False)

#: Places that aren't a field's, a word's or a template's.
_PLACES = {
    "name": ("tên giấy tờ", "name of the paper"),
    "keep_reason": ("lý do giữ bản quét", "why the scan is kept"),
    "note": ("lý do dừng hồ sơ", "why the dossier stops"),
    "title": ("tên kết quả", "title of the result"),
    "leader": ("người ký", "signer"),
    "comment": ("ý kiến khi trả lại", "comment when it was returned"),
    "annex": ("tên phụ lục", "title of the annex"),
}


@dataclass(frozen=True)
class Change:
    """A value before and since; `place` is in words, `at` when it was changed."""

    place: str
    before: str
    after: str
    at: datetime


@dataclass(frozen=True)
class Row:
    """What one person did without anything between: lines of the log that say the same.

    Attributes:
        at: Of the last.
        saves: Of a draft, which saves itself: how many; 1 for anything else.
        changes: None where they were erased.
    """

    at: datetime
    actor: str
    agency: str
    event: str
    saves: int
    changes: Sequence[Change] | None


@router.get("/ho-so/{dossier_id}/sua-doi/{subject}")
def amendments_page(dossier_id: UUID, subject: UUID, actor: Sees, office: Office, frame: StaffFrame) -> Response:
    """What was changed, newest first; of an identity paper it is a look, and stands in the log first."""
    found = changes_of(office.begin, dossier_id, subject, by=actor, now=utc_now())
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        title, address, is_proof = _subject(work, actor, dossier, subject)
        labels = _labels(work, actor, subject)
        agencies = {agency.code: agency.name for agency in work.agencies.all()}
        people = names(work, [name for one in found for name in _people(one)])
    return frame.page(
        "amendments.html",
        dossier=dossier,
        title=title,
        address=address,
        is_proof=is_proof,
        rows=[_row(run, labels, people, frame.language) for run in _runs(found)][::-1],
        people=people,
        agencies=agencies,
    )


def _runs(found: Iterable[Told]) -> list[list[Told]]:
    def what(told: Told) -> tuple[int, bool]:
        return told.run, told.changes is None

    return [list(run) for _, run in groupby(found, key=what)]


def _row(run: Sequence[Told], labels: Mapping[str, str], people: Mapping[str, str], language: Language) -> Row:
    line, is_draft = run[-1].line, run[-1].line.event == issuance.CHANGED
    changes = None
    if run[-1].changes is not None:
        changes = [
            Change(_place(where, labels, language), _said(where, was, people), _said(where, now, people), at)
            for where, was, now, at in (_since_it_was_opened(run) if is_draft else _each(run))
        ]
    return Row(line.at, line.actor, line.agency, line.event, len(run) if is_draft else 1, changes)


def _each(run: Iterable[Told]) -> Iterator[tuple[str, Any, Any, datetime]]:
    for one in run:
        for where, (was, now) in sorted((one.changes or {}).items(), key=lambda change: _order(change[0])):
            yield where, was, now, one.line.at


def _since_it_was_opened(run: Iterable[Told]) -> Iterator[tuple[str, Any, Any, datetime]]:
    """Each place once: what a person types is saved in pieces, and nobody reads them one by one."""
    whole: dict[str, tuple[Any, Any, datetime]] = {}
    for where, was, now, at in _each(run):
        first = whole[where][0] if where in whole else was
        whole[where] = (first, now, at)
    for where, (was, now, at) in sorted(whole.items()):
        if was != now:
            yield where, was, now, at


def _order(where: str) -> tuple[str, list[int]]:
    """Words by page and number, not by letters."""
    kind, *rest = where.split(".")
    return (kind, [int(part) for part in rest]) if kind == "word" else (where, [])


def _place(where: str, labels: Mapping[str, str], language: Language) -> str:
    kind, _, rest = where.partition(".")
    if kind == "field":
        return label(rest, language)
    if kind == "word":
        page, _, index = rest.partition(".")
        number = int(index) + 1
        return f"page {page}, word {number}" if language == "en" else f"trang {page}, chữ {number}"
    if kind == "data":
        return labels.get(rest, rest)
    return _PLACES.get(where, (where, where))[language == "en"]


def _said(where: str, value: Any, people: Mapping[str, str]) -> str:
    return people.get(value, value) if where == "leader" else as_text(value)


def _people(told: Told) -> list[str]:
    """Usernames in a line and its values."""
    return [told.line.actor, *(name for name in (told.changes or {}).get("leader", ()) if name)]


def _subject(work: UnitOfWork, actor: Actor, dossier: Dossier, subject: UUID) -> tuple[str, str, bool]:
    """What it is called, the address of its page, and whether it is somebody's proof of identity."""
    if subject == dossier.id:
        return dossier.code, f"/ho-so/{dossier.id}", False
    try:
        paper = work.components.of(subject, within=dossier.id)
    except NotFound:
        result = work.e_results.of(actor, subject)
        return result.title, f"/ket-qua/{result.id}", False
    address = f"/ho-so/{dossier.id}/giay-to/{paper.id}"
    return paper.name, address, bool(identity_papers.shown_by(work, paper))


def _labels(work: UnitOfWork, actor: Actor, subject: UUID) -> Mapping[str, str]:
    """Of a result, what its template calls its fields."""
    try:
        template = work.e_results.of(actor, subject).template
        return {field.key: field.label for field in layouts.of(work, template).kind.fields} if template else {}
    except NotFound:
        return {}
