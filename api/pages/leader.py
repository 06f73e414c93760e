"""The leader's part: read to the end, approve one or many with one password, or return with a comment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response

from api import sign_in
from api.deps import Approves, Office, Returns
from api.errors import AccountLocked, WrongPassword
from api.pages import result_view as view
from api.pages.frame import Frame, StaffFrame, Typed, TypedSecret
from api.pages.result_trouble import told
from api.wiring import Services, utc_now
from dossiers import issuance
from dossiers.types import Actor, Changed, EResult, NotFound, OfficeError, ResultState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import UnitOfWork

router = APIRouter(include_in_schema=False)

#: More than anybody reads before signing.
_MOST_AT_ONCE = 200
_NAMED = re.compile(r"([0-9a-f-]{36})(?::([0-9a-f]{64}))?(?:~([a-z_]{1,20}))?")
_OUT_OF_OUR_HANDS = frozenset({ResultState.ISSUED, ResultState.WITHDRAWN, ResultState.SUPERSEDED})

#: Why one of a batch isn't signed.
WHY_NOT = {
    "unread": ("chưa đọc hết", "not read to the end"),
    "changed": ("đã thay đổi sau khi bạn đọc", "changed after you read it"),
    "not_yours": ("do người khác ký", "somebody else's to sign"),
    "returned": ("đã trả lại, không còn chờ ký", "returned, no longer waiting"),
    "closed": ("hồ sơ không còn ở bước giải quyết", "its dossier isn't in process any more"),
    "already": ("đã duyệt trước đó", "approved before"),
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
) -> Response:
    """The leader approves the very document that was read, with the password again; signing follows by itself."""
    now = utc_now()
    try:
        with office.begin() as work:
            work.e_results.of(actor, e_result_id)
        sign_in.check_password(office.begin, username=actor.username, password=password, now=now)
        issuance.approve(office.begin, e_result_id, by=actor, now=now, document_sha256=sha256, only_if_read=True)
    except OfficeError as error:
        return view.refused(frame, actor, office, e_result_id, error)
    return frame.to(f"/ket-qua/{e_result_id}", tell="result_approved")


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
    """One of those chosen for signing: why it can't be signed, or "" if it can."""

    row: view.Row
    why_not: str


@router.get("/ket-qua/duyet")
def approve_page(
    actor: Approves, office: Office, frame: StaffFrame, chon: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Before the password: which will be signed, which won't, and why."""
    asked = chon or []
    left = max(0, len(asked) - _MOST_AT_ONCE)
    return _card(frame, actor, office, [e_result_id for e_result_id, _, _ in _named(asked)], left_for_later=left)


def _card(
    frame: Frame,
    actor: Actor,
    office: Services,
    ids: Sequence[UUID],
    *,
    problem: Any = None,
    left_for_later: int = 0,
) -> Response:
    with office.begin() as work:
        chosen = [Chosen(row, _why_not(row, actor)) for row in _rows(work, actor, ids)]
    return frame.page(
        "approve.html",
        status=problem["status"] if problem else 200,
        problem=problem,
        ready=[one for one in chosen if not one.why_not],
        left_out=[one for one in chosen if one.why_not],
        left_for_later=left_for_later,
        WHY_NOT=WHY_NOT,
    )


@router.post("/ket-qua/duyet")
def approve_many(
    actor: Approves,
    office: Office,
    frame: StaffFrame,
    password: TypedSecret = "",
    van_ban: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Approve each of those that were read, all with one password; each succeeds or fails alone."""
    now = utc_now()
    named = _named(van_ban or [])
    try:
        sign_in.check_password(office.begin, username=actor.username, password=password, now=now)
    except (WrongPassword, AccountLocked) as error:
        return _card(frame, actor, office, [one for one, _, _ in named], problem=frame.trouble(error))
    outcome = [(one, _approve(office, actor, one, sha256)) for one, sha256, _ in named]
    asked = [("k", f"{one}~{why_not}" if why_not else str(one)) for one, why_not in outcome]
    return frame.to(f"/ket-qua/dot-ky?{urlencode(asked)}")


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
    if row.was_read_before:
        return "changed"
    return "" if row.is_read else "unread"


@router.get("/ket-qua/dot-ky")
def batch(
    actor: Approves, office: Office, frame: StaffFrame, k: Annotated[list[str] | None, Query()] = None
) -> Response:
    """How far those are that were approved together; reloading asks again and approves nothing."""
    return frame.page("batch.html", **_batch(actor, office, k or []))


@router.get("/ket-qua/dot-ky/tien-do")
def batch_part(
    actor: Approves, office: Office, frame: StaffFrame, k: Annotated[list[str] | None, Query()] = None
) -> Response:
    """The progress alone."""
    return frame.part("_batch.html", **_batch(actor, office, k or []))


def _batch(actor: Actor, office: Services, asked: Sequence[str]) -> dict[str, Any]:
    named = _named(asked)
    why_not = {one: why for one, _, why in named if why in WHY_NOT}
    with office.begin() as work:
        rows = _rows(work, actor, [one for one, _, _ in named])
        unread = sum(not row.is_read for row in view.to_sign(work, actor))
    going = [row for row in rows if row.e_result.id not in why_not]
    done = [row for row in going if row.e_result.state in _OUT_OF_OUR_HANDS]
    stopped = [row for row in going if row.e_result.trouble not in ("", view.WAITS)]
    return {
        "rows": [Chosen(row, why_not.get(row.e_result.id, "")) for row in rows],
        "going": len(going),
        "done": len(done),
        "stopped": len(stopped),
        "refused": len(rows) - len(going),
        "moves": len(done) + len(stopped) < len(going),
        "unread": unread,
        "query": urlencode([("k", one) for one in asked]),
        "State": ResultState,
        "WAITS": view.WAITS,
        "WHY_NOT": WHY_NOT,
    }


def _named(given: Sequence[str]) -> list[tuple[UUID, str, str]]:
    """Results as a form or an address names them: id, the document's hash, why not; what can't be one is left out."""
    found: dict[UUID, tuple[UUID, str, str]] = {}
    for match in filter(None, map(_NAMED.fullmatch, given[:_MOST_AT_ONCE])):
        try:
            one = UUID(match[1])
        except ValueError:
            continue
        found.setdefault(one, (one, match[2] or "", match[3] or ""))
    return list(found.values())


def _rows(work: UnitOfWork, actor: Actor, ids: Sequence[UUID]) -> list[view.Row]:
    """Those of them that are the asker's agency's, in this order."""
    found: list[EResult] = []
    for one in ids:
        try:
            found.append(work.e_results.of(actor, one))
        except NotFound:
            continue
    return view.rows_of(work, actor, found)
