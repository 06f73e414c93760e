"""The leader's part: read to the end, approve one or many with one password, or return with a comment."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response

from api import sign_in
from api.deps import Approves, Office, Returns
from api.pages import result_view as view
from api.pages.frame import Frame, StaffFrame, Typed, TypedSecret
from api.pages.result_trouble import TROUBLE, told
from api.pin_desk import MOST_IN_BATCH
from api.wiring import Services, utc_now
from dossiers import batches, issuance, own_token
from dossiers.before_signing import BeforeSigning, before_signing
from dossiers.differences import Differs
from dossiers.types import Actor, Changed, EResult, NotFound, OfficeError, ResultState
from signing.types import SigningRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import UnitOfWork
    from dossiers.types import SigningBatch

router = APIRouter(include_in_schema=False)

_NAMED = re.compile(r"([0-9a-f-]{36})(?::([0-9a-f]{64}))?")
_OUT_OF_OUR_HANDS = frozenset({ResultState.ISSUED, ResultState.WITHDRAWN, ResultState.SUPERSEDED})

#: Why one of a batch isn't signed.
WHY_NOT = {
    "unread": ("chưa đọc hết", "not read to the end"),
    "changed": ("đã thay đổi sau khi bạn đọc", "changed after you read it"),
    "not_yours": ("do người khác ký", "somebody else's to sign"),
    "returned": ("đã trả lại, không còn chờ ký", "returned, no longer waiting"),
    "closed": ("hồ sơ không còn ở bước giải quyết", "its dossier isn't in process any more"),
    "already": ("đã duyệt trước đó", "approved before"),
    "taken_back": ("đã dừng trước khi ký, chờ duyệt lại", "stopped before it was signed, waits for approval"),
    "one_each": ("thiết bị đòi mã PIN từng chữ ký: duyệt riêng ở trang của văn bản", "one PIN each: approve it alone"),
}


@router.post("/ket-qua/{e_result_id:uuid}/da-doc")
def mark_read(
    request: Request, e_result_id: UUID, actor: Approves, office: Office, frame: StaffFrame, sha256: Typed = ""
) -> Response:
    """The leader has come to the end of the document that was shown."""
    is_part = "hx-request" in request.headers
    problem: dict[str, Any] = {}
    try:
        issuance.mark_read(office.begin, e_result_id, by=actor, document_sha256=sha256)
    except OfficeError as error:
        if not is_part:
            return view.refused(frame, actor, office, e_result_id, error)
        problem = dict(zip(("problem", "listed"), told(frame, error), strict=True))
    if is_part:
        return frame.part("_result.html", **view.values(frame, actor, office, e_result_id, **problem))
    return frame.to(f"/ket-qua/{e_result_id}", tell="result_read")


@router.post("/ket-qua/{e_result_id:uuid}/duyet")
def approve(
    e_result_id: UUID,
    actor: Approves,
    office: Office,
    frame: StaffFrame,
    sha256: Typed = "",
    password: TypedSecret = "",
    pin: TypedSecret = "",
) -> Response:
    """The leader approves the very document that was read, with the password again; signing follows by itself."""
    now = utc_now()
    try:
        with office.begin() as work:
            row = view.rows_of(work, actor, [work.e_results.of(actor, e_result_id)])[0]
        sign_in.check_password(office.begin, username=actor.username, password=password, now=now)
        opened = _open_key(office, actor, [row] if not _why_not(row, actor) else [], pin)
        try:
            approved = issuance.approve(
                office.begin, e_result_id, by=actor, now=now, document_sha256=sha256, only_if_read=True
            )
        except OfficeError:
            office.pins.drop(opened)
            raise
    except TROUBLE as error:
        return view.refused(frame, actor, office, e_result_id, error)
    if approved.own_token:
        return frame.to(f"/ket-qua/{e_result_id}/ky-token", tell="approved_for_token")
    return frame.to(f"/ket-qua/{e_result_id}", tell="result_approved")


def _open_key(office: Services, actor: Actor, rows: Sequence[view.Row], pin: str) -> list[UUID]:
    """Before anything is approved: have the signing machine open the leader's key for exactly these documents.

    Gives those it was opened for; none where no PIN is asked for, or nothing is to be signed.

    Raises:
        PinRefused, SigningRefused: It can't sign; nothing was approved.
    """
    if not rows:
        return []
    with office.begin() as work:
        before = before_signing(work, actor.username, actor.agency, now=utc_now())
    if before.refusal:
        raise SigningRefused(before.refusal, before.refusal)
    if before.record is None or not before.asks_pin:
        return []
    if not pin:
        raise SigningRefused("pin_needed", "no PIN")
    items = {row.e_result.id: view.document_of(row.e_result).sha256 for row in rows}
    office.pins.open(before.record, items, pin)
    return list(items)


@router.post("/ket-qua/{e_result_id:uuid}/tra-lai")
def send_back(
    e_result_id: UUID, actor: Returns, office: Office, frame: StaffFrame, comment: Typed = "", sha256: Typed = ""
) -> Response:
    """The leader returns it with what is to be changed, or its drafter takes it back; its number is void."""
    try:
        returned = issuance.send_back(office.begin, e_result_id, by=actor, comment=comment, document_sha256=sha256)
    except OfficeError as error:
        return view.refused(frame, actor, office, e_result_id, error)
    taken_back = actor.username in returned.drafters
    return frame.to(f"/ket-qua/{e_result_id}", tell="result_taken_back" if taken_back else "result_returned")


# --- many at once -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    """One of those chosen for signing.

    Attributes:
        why_not: Why it can't be signed, or "" if it can.
    """

    row: view.Row
    why_not: str


@router.get("/ket-qua/duyet")
def approve_page(
    actor: Approves, office: Office, frame: StaffFrame, chon: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Before the password: which will be signed, which won't, and why."""
    return _chosen(actor, office, frame, chon or [])


@router.post("/ket-qua/duyet/xem")
def approve_many_page(
    actor: Approves, office: Office, frame: StaffFrame, chon: Annotated[list[str] | None, Form()] = None
) -> Response:
    """The same for as many as no address holds; nothing is changed."""
    return _chosen(actor, office, frame, chon or [])


def _chosen(actor: Actor, office: Services, frame: Frame, asked: Sequence[str]) -> Response:
    left = max(0, len(asked) - MOST_IN_BATCH)
    return _card(frame, actor, office, [one for one, _ in _named(asked)], left_for_later=left)


def _card(
    frame: Frame,
    actor: Actor,
    office: Services,
    ids: Sequence[UUID],
    *,
    error: Exception | None = None,
    left_for_later: int = 0,
) -> Response:
    problem, listed = told(frame, error) if error else (None, ())
    with office.begin() as work:
        before = before_signing(work, actor.username, actor.agency, now=utc_now())
        chosen = [Chosen(row, _why_not(row, actor)) for row in _rows(work, actor, ids)]
    ready = [one for one in chosen if not one.why_not]
    for_device = _for_the_device(before, ready)
    left_out = [replace(one, why_not=one.why_not or for_device) for one in chosen if one.why_not or for_device]
    return frame.page(
        "approve.html",
        status=problem["status"] if problem else 200,
        problem=problem,
        listed=listed,
        ready=[] if for_device or before.refusal else ready,
        left_out=left_out,
        left_for_later=left_for_later,
        most=MOST_IN_BATCH,
        batch_id=uuid.uuid4(),
        before=before,
        token=office.pins.look(before.record) if before.asks_pin and before.record else None,
        WHY_NOT=WHY_NOT,
        Differs=Differs,
    )


def _for_the_device(before: BeforeSigning, ready: Sequence[Chosen]) -> str:
    """Why none of these can be signed here although each could be by itself."""
    return "one_each" if before.one_at_a_time and len(ready) > 1 else ""


@router.post("/ket-qua/duyet")
def approve_many(
    actor: Approves,
    office: Office,
    frame: StaffFrame,
    password: TypedSecret = "",
    pin: TypedSecret = "",
    van_ban: Annotated[list[str] | None, Form()] = None,
    dot: Annotated[UUID | None, Form()] = None,
) -> Response:
    """Approve each of those that were read, all with one password and one PIN; each succeeds or fails alone.

    A form that is sent twice leads to the same batch: nothing is approved again, and no PIN presented.
    """
    now = utc_now()
    if dot is not None and _is_there(office, actor, dot):
        return frame.to(f"/ket-qua/dot-ky/{dot}")
    named = _named(van_ban or [])
    try:
        sign_in.check_password(office.begin, username=actor.username, password=password, now=now)
        with office.begin() as work:
            rows = _rows(work, actor, [one for one, _ in named])
        opened = _open_key(office, actor, [row for row in rows if not _why_not(row, actor)], pin)
    except TROUBLE as error:
        return _card(frame, actor, office, [one for one, _ in named], error=error)
    outcome = {one: _approve(office, actor, one, sha256) for one, sha256 in named}
    office.pins.drop([one for one in opened if outcome.get(one)])
    going = [one for one, why_not in outcome.items() if not why_not]
    refused = {one: why_not for one, why_not in outcome.items() if why_not}
    batch = batches.keep(office.begin, dot or uuid.uuid4(), going, refused, by=actor, now=now)
    return frame.to(f"/ket-qua/dot-ky/{batch.id}")


def _is_there(office: Services, actor: Actor, batch_id: UUID) -> bool:
    try:
        with office.begin() as work:
            work.batches.of(actor, batch_id)
    except NotFound:
        return False
    return True


def _approve(office: Services, actor: Actor, e_result_id: UUID, sha256: str) -> str:
    """Approve one; "", or why it isn't. Said again of one that this leader approved before, nothing happens."""
    try:
        issuance.approve(office.begin, e_result_id, by=actor, now=utc_now(), document_sha256=sha256, only_if_read=True)
    except OfficeError as error:
        with office.begin() as work:
            row = next(iter(_rows(work, actor, [e_result_id])), None)
        if row is None:
            return "not_yours"
        if row.e_result.approved_at is not None and row.is_mine(actor) and row.e_result.state in _APPROVED:
            return ""
        return _why_not(row, actor) or ("changed" if isinstance(error, Changed) else "closed")
    return ""


_APPROVED = view.BEING_SIGNED | _OUT_OF_OUR_HANDS


def _why_not(row: view.Row, actor: Actor) -> str:
    """Why a result can't be signed by this leader as it stands, or ""."""
    if not row.is_mine(actor):
        return "not_yours"
    if row.e_result.state in _APPROVED:
        return "already"
    if row.e_result.state is not ResultState.SUBMITTED:
        return "returned"
    if row.dossier.state not in issuance.DECIDABLE:
        return "closed"
    if row.was_read_before:
        return "changed"
    return "" if row.is_read else "unread"


# --- a batch, and what of it waits for the PIN ------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How far one of a batch is.

    Attributes:
        why_not: Why it isn't under way with this batch, or "".
    """

    e_result: EResult
    applicant: str
    why_not: str


#: So many of a batch are listed while it runs, those first that need somebody; the others are counted.
_SHOWN = 50

ShowAll = Annotated[bool, Query(alias="tat-ca")]


@router.get("/ket-qua/dot-ky/{batch_id:uuid}")
def batch(batch_id: UUID, actor: Approves, office: Office, frame: StaffFrame, *, tat_ca: ShowAll = False) -> Response:
    """How far those are that were approved together; reloading asks again and approves nothing."""
    return frame.page("batch.html", **_batch(actor, office, batch_id, show_all=tat_ca))


@router.get("/ket-qua/dot-ky/{batch_id:uuid}/tien-do")
def batch_part(
    batch_id: UUID, actor: Approves, office: Office, frame: StaffFrame, *, tat_ca: ShowAll = False, v: str = ""
) -> Response:
    """The progress alone; nothing (204) while it says the same as in `v`."""
    values = _batch(actor, office, batch_id, show_all=tat_ca, known=v)
    return frame.part("_batch.html", **values) if values else Response(status_code=204)


@router.post("/ket-qua/dot-ky/{batch_id:uuid}/dung")
def stop_batch(batch_id: UUID, actor: Approves, office: Office, frame: StaffFrame) -> Response:
    """Sign no more after the one at work; the rest waits for approval again."""
    office.pins.drop(batches.stop(office.begin, batch_id, by=actor, now=utc_now()))
    return frame.to(f"/ket-qua/dot-ky/{batch_id}", tell="batch_stopped")


def _batch(actor: Actor, office: Services, batch_id: UUID, *, show_all: bool, known: str = "") -> dict[str, Any]:
    """What the page of a batch says; {} when that is still what `known` stands for."""
    with office.begin() as work:
        kept = work.batches.of(actor, batch_id)
        found = _found(work, actor, [UUID(one) for one in (*kept.items, *kept.refused)])
        stamp = _stamp(kept, found)
        if stamp == known:
            return {}
        why_not = {r.id: _why_left(kept, r) for r in found}
        order = sorted(found, key=lambda r: (not why_not[r.id], not r.trouble, r.state in _OUT_OF_OUR_HANDS))
        shown = order if show_all else order[:_SHOWN]
        dossiers = work.dossiers.some(actor, {r.dossier_id for r in shown})
        unread = view.unread(work, actor)
    going = [r for r in found if not why_not[r.id]]
    done = [r for r in going if r.state in _OUT_OF_OUR_HANDS]
    signed = [r for r in going if _is_signed(r)]
    for_pin = [r for r in going if batches.waits_for_pin(r, actor)]
    stopped = [r for r in going if r.trouble not in ("", view.WAITS) and not batches.waits_for_pin(r, actor)]
    by_token = [r for r in going if own_token.awaited(r) and r.trouble in ("", view.WAITS)]
    return {
        "batch": kept,
        "rows": [Progress(r, dossiers[r.dossier_id].applicant.name, why_not[r.id]) for r in shown],
        "unlisted": len(order) - len(shown),
        "show_all": show_all,
        "stamp": stamp,
        "every_s": 1 if len(found) <= _SHOWN else 3,
        "going": len(going),
        "done": len(done),
        "signed": len(signed),
        "stopped": len(stopped),
        "for_pin": len(for_pin),
        "refused": len(found) - len(going),
        "by_token": sum(own_token.may_sign(actor, r) for r in by_token),
        "moves": len(done) + len(stopped) + len(for_pin) + len(by_token) < len(going),
        "may_stop": kept.stopped_at is None and len(signed) + len(stopped) + len(by_token) < len(going),
        "unread": unread,
        "again": [r.id for r in found if why_not[r.id] == "taken_back" and r.state is ResultState.SUBMITTED],
        "State": ResultState,
        "WAITS": view.WAITS,
        "WHY_NOT": WHY_NOT,
    }


def _stamp(kept: SigningBatch, found: Sequence[EResult]) -> str:
    """Differs whenever the batch would look different."""
    seen = [kept.stopped_at, *((r.id, r.version) for r in found)]
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def _is_signed(e_result: EResult) -> bool:
    """Whether the leader's own signature is made."""
    return e_result.unstamped is not None or e_result.state in (_APPROVED - {ResultState.APPROVED})


def _why_left(kept: SigningBatch, e_result: EResult) -> str:
    """Why one isn't under way with this batch, or ""."""
    refused = kept.refused.get(str(e_result.id), "")
    if refused:
        return refused if refused in WHY_NOT else "closed"
    return "" if e_result.state in _APPROVED else "taken_back"


@router.get("/ket-qua/go-pin")
def pin_page(actor: Approves, office: Office, frame: StaffFrame) -> Response:
    """What was approved and can't go on before the PIN is typed again."""
    return _pin_card(frame, actor, office)


@router.post("/ket-qua/go-pin")
def go_on(actor: Approves, office: Office, frame: StaffFrame, pin: TypedSecret = "") -> Response:
    """Open the key again for what is left; each is signed once, as before."""
    with office.begin() as work:
        left = batches.waiting_for_pin(work, actor)[:MOST_IN_BATCH]
        rows = view.rows_of(work, actor, left)
    if not left:
        return frame.to("/ket-qua?loc=cho-ky", tell="nothing_changed")
    try:
        opened = _open_key(office, actor, rows, pin)
    except TROUBLE as error:
        return _pin_card(frame, actor, office, error=error)
    ids = [one.id for one in left]
    going = batches.go_on(office.begin, ids, by=actor)
    office.pins.drop([one for one in opened if one not in going])
    kept = batches.keep(office.begin, uuid.uuid4(), ids, {}, by=actor, now=utc_now())
    return frame.to(f"/ket-qua/dot-ky/{kept.id}")


def _pin_card(frame: Frame, actor: Actor, office: Services, *, error: Exception | None = None) -> Response:
    problem, listed = told(frame, error) if error else (None, ())
    with office.begin() as work:
        rows = view.rows_of(work, actor, batches.waiting_for_pin(work, actor)[:MOST_IN_BATCH])
        before = before_signing(work, actor.username, actor.agency, now=utc_now())
    return frame.page(
        "pin.html",
        status=problem["status"] if problem else 200,
        problem=problem,
        listed=listed,
        rows=rows,
        before=before,
        token=office.pins.look(before.record) if before.asks_pin and before.record else None,
    )


def _named(given: Sequence[str]) -> list[tuple[UUID, str]]:
    """Results as a form or an address names them: id and the document's hash; what can't be one is left out."""
    found: dict[UUID, str] = {}
    for match in filter(None, map(_NAMED.fullmatch, given[:MOST_IN_BATCH])):
        try:
            one = UUID(match[1])
        except ValueError:
            continue
        found.setdefault(one, match[2] or "")
    return list(found.items())


def _rows(work: UnitOfWork, actor: Actor, ids: Sequence[UUID]) -> list[view.Row]:
    """Those of them that are the asker's agency's, in this order."""
    return view.rows_of(work, actor, _found(work, actor, ids))


def _found(work: UnitOfWork, actor: Actor, ids: Sequence[UUID]) -> list[EResult]:
    known = work.e_results.some(actor, ids)
    return [known[one] for one in ids if one in known]
