"""One result as its page shows it: who has it, what it looks like, what this person may do, what went wrong."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.files import SHORT_HASH
from api.pages import draft_form
from api.pages.result_trouble import linked, told
from api.wiring import utc_now
from digitize.pdf import apart as pdf_apart
from digitize.pdf import scan as pdf_scan
from dossiers import annexes, drafts, issuance, layouts, own_token, verification
from dossiers.before_signing import before_signing
from dossiers.differences import Differs, differences
from dossiers.history import gathered
from dossiers.policy import MAY, Act
from dossiers.types import Account, Dossier, EResult, NotFound, ResultState, Role
from signing import words as verdict_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from fastapi import Response

    from api.pages.draft_form import Typed
    from api.pages.frame import Frame
    from api.wiring import Services
    from dossiers.differences import Difference
    from dossiers.ports import UnitOfWork
    from dossiers.types import Actor, AuditEntry, ObjectKey, Procedure

#: What a document is read at, and what a draft is looked at while it is written, in dots per inch.
READING_DPI = 150.0
GLANCE_DPI = 110.0

BEING_SIGNED = frozenset({ResultState.APPROVED, ResultState.LEADER_SIGNED, ResultState.SEALED})
#: A signing that stopped for this goes on by itself.
WAITS = "waiting_for_trust_service"


@dataclass(frozen=True)
class Opened:
    """A result with what its page needs to know.

    Attributes:
        history: Newest first.
        people: Names by username.
        signer: The leader who is to sign; None for one that came signed.
        is_read: Whether the leader has read the document as it stands.
        newest: What took its place in the end, if anything did.
    """

    e_result: EResult
    dossier: Dossier
    procedure: Procedure
    history: Sequence[AuditEntry]
    people: Mapping[str, str]
    signer: Account | None
    is_read: bool
    newest: EResult | None


@dataclass(frozen=True)
class Sheet:
    """A page to look at: its address, and its size in pixels so that nothing jumps while it loads."""

    number: int
    address: str
    width: int
    height: int


@dataclass(frozen=True)
class Signer:
    """A leader who could sign, and until when the certificate can be used; None without one."""

    username: str
    name: str
    title: str
    until: datetime | None

    @property
    def days(self) -> int:
        """How many days are left; none without a certificate."""
        return max(0, (self.until - utc_now()).days) if self.until else 0


@dataclass(frozen=True)
class Row:
    """A result in a list, with what a person goes by: whose it is, and how urgent.

    Attributes:
        is_read: Whether the leader has read it as it stands.
        was_read_before: Whether the leader has read only what it was before a change.
        marks: What a person should look at twice in it.
    """

    e_result: EResult
    dossier: Dossier
    procedure: str
    is_read: bool
    was_read_before: bool
    marks: Sequence[Difference] = ()

    def is_mine(self, actor: Actor) -> bool:
        """Whether this person is the leader who is to sign it."""
        return is_signer(actor, self.e_result)


def is_signer(actor: Actor, e_result: EResult) -> bool:
    """Whether this person is the leader who is to sign it, with no hand in the draft."""
    return Role.LEADER in actor.roles and actor.username == e_result.leader and actor.username not in e_result.drafters


#: A draft is shown as it stands, also once it was given up.
_READABLE_DRAFTS = (ResultState.DRAFT, ResultState.DISCARDED)


def may_write(actor: Actor, e_result: EResult) -> bool:
    """Whether this person may change it as a draft."""
    is_open = e_result.state is ResultState.DRAFT and not e_result.came_signed
    return is_open and bool(actor.roles & MAY[Act.DRAFT_RESULT])


def opened(work: UnitOfWork, actor: Actor, e_result_id: UUID) -> Opened:
    """A result of the asker's agency.

    Raises:
        NotFound: There is none, or it is another agency's.
    """
    e_result = work.e_results.of(actor, e_result_id)
    dossier = work.dossiers.of(actor, e_result.dossier_id)
    history = work.audit.of(e_result.id)
    return Opened(
        e_result=e_result,
        dossier=dossier,
        procedure=work.procedures.of(dossier.procedure),
        history=gathered(history)[::-1],
        people=names(work, [e_result.prepared_by, *e_result.drafters, *(line.actor for line in history)]),
        signer=_account(work, e_result.leader),
        is_read=issuance.was_read(e_result, history),
        newest=_newest(work, actor, e_result),
    )


def names(work: UnitOfWork, usernames: Iterable[str]) -> dict[str, str]:
    """Names of people, also of those who have left; the service itself isn't a person."""
    found = (_account(work, username) for username in set(usernames))
    return {account.username: account.name for account in found if account}


def _account(work: UnitOfWork, username: str) -> Account | None:
    try:
        return work.accounts.of(username)
    except NotFound:
        return None


def _newest(work: UnitOfWork, actor: Actor, e_result: EResult) -> EResult | None:
    """What took its place, and that one's, to the end."""
    newest, passed = e_result, {e_result.id}
    while newest.superseded_by is not None and newest.superseded_by not in passed:
        passed.add(newest.superseded_by)
        newest = work.e_results.of(actor, newest.superseded_by)
    return None if newest.id == e_result.id else newest


def rows_of(work: UnitOfWork, actor: Actor, found: Sequence[EResult]) -> list[Row]:
    """Results with their dossiers, in the order given."""
    dossiers = work.dossiers.some(actor, {r.dossier_id for r in found})
    procedures = {p.code: p for p in work.procedures.all()}
    read = _readings(work, found)
    return [
        Row(
            e_result=r,
            dossier=dossiers[r.dossier_id],
            procedure=procedures[dossiers[r.dossier_id].procedure].name,
            is_read=issuance.was_read(r, read.get(str(r.id), ())),
            was_read_before=issuance.was_read_before(r, read.get(str(r.id), ())),
            marks=differences(r, dossiers[r.dossier_id], procedures[dossiers[r.dossier_id].procedure])
            if r.state is ResultState.SUBMITTED
            else (),
        )
        for r in found
    ]


def to_sign(work: UnitOfWork, actor: Actor) -> list[Row]:
    """What waits for this leader's own signature, the most urgent first."""
    return sorted(rows_of(work, actor, _for(work, actor)), key=urgency)


def unread(work: UnitOfWork, actor: Actor) -> int:
    """How many wait for this leader's own signature and aren't read to the end as they stand."""
    found = _for(work, actor)
    read = _readings(work, found)
    return sum(not issuance.was_read(r, read.get(str(r.id), ())) for r in found)


def _readings(work: UnitOfWork, found: Iterable[EResult]) -> dict[str, list[AuditEntry]]:
    """What the log says of the reading of each, by its id: each then looks at its own lines and no one else's."""
    by_subject: dict[str, list[AuditEntry]] = {}
    for line in work.audit.of_all((r.id for r in found), event=issuance.READ):
        by_subject.setdefault(line.subject, []).append(line)
    return by_subject


def _for(work: UnitOfWork, actor: Actor) -> list[EResult]:
    return [r for r in work.e_results.waiting(actor) if r.state is ResultState.SUBMITTED and is_signer(actor, r)]


def urgency(row: Row) -> tuple[date, str]:
    """By promised day."""
    return row.dossier.due_on or date.max, row.dossier.code


def signers(work: UnitOfWork, actor: Actor, drafters: Iterable[str] = ()) -> list[Signer]:
    """Leaders of the agency who had no hand in the draft, with what is left of their certificates."""
    barred = {actor.username, *drafters}
    return [
        Signer(person.username, person.name, person.title, _valid_to(work, person.username))
        for person in work.accounts.in_agency(actor.agency)
        if Role.LEADER in person.roles and person.username not in barred
    ]


def _valid_to(work: UnitOfWork, username: str) -> datetime | None:
    try:
        return work.certificates.for_person(username).valid_to
    except NotFound:
        return None


# --- pages to look at -------------------------------------------------------------------------------------------------


def document_of(e_result: EResult) -> ObjectKey:
    """The PDF as it stands, or as it was uploaded.

    Raises:
        NotFound: There is none yet.
    """
    key = e_result.document or e_result.draft
    if key is None:
        raise NotFound("document")
    return key


def sheets(office: Services, e_result: EResult) -> list[Sheet]:
    """The pages of a stored document; an address names the content, so a browser may keep its picture."""
    key = document_of(e_result)
    with tempfile.TemporaryDirectory(dir=office.work_dir) as folder:
        file = Path(folder, "document.pdf")
        office.store.fetch(key, file)
        return _sheets(file, f"/ket-qua/{e_result.id}/trang", key.sha256[:SHORT_HASH], READING_DPI)


def glances(office: Services, e_result: EResult, pdf: bytes) -> list[Sheet]:
    """The pages of a draft as it looks in this version; each version has addresses of its own."""
    if not pdf:
        return []
    with tempfile.TemporaryDirectory(dir=office.work_dir) as folder:
        file = Path(folder, "draft.pdf")
        file.write_bytes(pdf)
        return _sheets(file, f"/ket-qua/{e_result.id}/xem-thu", str(e_result.version), GLANCE_DPI)


def _sheets(file: Path, address: str, version: str, dpi: float) -> list[Sheet]:
    scale = dpi / pdf_scan.POINTS_PER_INCH
    return [
        Sheet(at, f"{address}/{at}?v={version}", max(1, round(width * scale)), max(1, round(height * scale)))
        for at, (width, height) in enumerate(pdf_scan.sheet_sizes(file), 1)
    ]


def picture(office: Services, file: Path, number: int, dpi: float) -> bytes:
    """A page as JPEG.

    Raises:
        NotFound: There is no such page.
    """
    if not 1 <= number <= len(pdf_scan.sheet_sizes(file)):
        raise NotFound("page")
    return pdf_apart.page_jpeg(file, number, dpi=dpi, max_pixels=office.limits.max_pixels)


# --- the page ---------------------------------------------------------------------------------------------------------


def shown(
    frame: Frame, actor: Actor, office: Services, e_result_id: UUID, *, status: int = 200, **more: Any
) -> Response:
    """The page of one result. Raises NotFound."""
    return frame.page("result.html", status=status, **values(frame, actor, office, e_result_id, **more))


def refused(frame: Frame, actor: Actor, office: Services, e_result_id: UUID, error: Exception, **more: Any) -> Response:
    """The page again, with what went wrong on top and what was typed still there."""
    problem, listed = told(frame, error)
    return shown(frame, actor, office, e_result_id, status=problem["status"], problem=problem, listed=listed, **more)


def values(
    frame: Frame, actor: Actor, office: Services, e_result_id: UUID, *, typed: Typed | None = None, **more: Any
) -> dict[str, Any]:
    """What the templates of a result ask for.

    Args:
        typed: A draft's form as it was sent, to be shown instead of what is kept.
    """
    with office.begin() as work:
        found = opened(work, actor, e_result_id)
        leaders = signers(work, actor, found.e_result.drafters)
        waiting = to_sign(work, actor)
        is_mine = is_signer(actor, found.e_result)
        before = before_signing(work, actor.username, actor.agency, now=utc_now()) if is_mine else None
        with_it = work.annexes.of(found.e_result.id)
    r = found.e_result
    known: dict[str, Any] = {
        **vars(found),
        "r": r,
        "actor": actor,
        "annexes": with_it,
        "most_annexes": annexes.MOST,
        "State": ResultState,
        "WAITS": WAITS,
        "now": utc_now(),
        "before": before,
        "token": office.pins.look(before.record) if before and before.record and before.asks_pin else None,
        "marks": differences(r, found.dossier, found.procedure) if r.state is ResultState.SUBMITTED else (),
        "Differs": Differs,
        "moves": r.state in BEING_SIGNED or r.state is ResultState.SUBMITTED,
        "may_write": may_write(actor, r),
        "is_drafter": actor.username in r.drafters,
        "is_signer": is_signer(actor, r),
        "signs_by_token": own_token.may_sign(actor, r),
        "signers": leaders,
        "next_unread": next((row for row in waiting if not row.is_read and row.e_result.id != r.id), None),
        "left_unread": sum(not row.is_read and row.e_result.id != r.id for row in waiting),
        "read_ready": sum(row.is_read for row in waiting),
        "pages": [],
        "problem": None,
        "listed": (),
        "saved_at": None,
        "conflict": None,
    }
    if r.state in _READABLE_DRAFTS and r.template:
        known |= _draft_values(frame, actor, office, found, typed)
    elif r.state in (*_READABLE_DRAFTS, ResultState.SUBMITTED):
        known |= {"pages": sheets(office, r), "title": r.title, "leader": r.leader, "version": r.version}
    if r.state is ResultState.DRAFT and r.came_signed:
        known |= _signatures(frame, office, r)
    return known | more


def _signatures(frame: Frame, office: Services, e_result: EResult) -> dict[str, Any]:
    """What the signatures are worth that it came with: what the seal keeper answers for."""
    with tempfile.TemporaryDirectory(dir=office.work_dir) as folder:
        file = Path(folder, "signed.pdf")
        office.store.fetch(document_of(e_result), file)
        judged = verification.judge(office.begin, file, judge=office.judges, now=utc_now()).file
    return {
        "verdict": judged.verdict.value,
        "said": verdict_words.sentence(judged, language=frame.language),
        "signatures": judged.signatures,
    }


def _draft_values(frame: Frame, actor: Actor, office: Services, found: Opened, typed: Typed | None) -> dict[str, Any]:
    r = found.e_result
    look = issuance.look(office.begin, office.store, r.id, by=actor, verify_url=office.verify_url, face=office.typeface)
    with office.begin() as work:
        kind = layouts.of(work, r.template).kind
    known = drafts.first_words(found.dossier, found.procedure, kind)
    wrong = {one.key: linked(one, frame.language)["message"] for one in look.problems}
    data = typed.data if typed else r.data
    return {
        "pages": glances(office, r, look.pdf),
        "fields": draft_form.fields_of(kind, data, known, wrong),
        "todo": [linked(one, frame.language) for one in look.problems],
        "unnamed": drafts.names_somebody_else(found.dossier, data),
        "kind": (kind.type_name, kind.english),
        "title": typed.title if typed else r.title,
        "leader": typed.leader if typed else r.leader,
        "version": typed.version if typed else r.version,
    }
