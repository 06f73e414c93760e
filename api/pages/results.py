"""Results: the list of what waits and what was issued, one result's page and pictures, and the seal keeper's part."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.deps import MendsSigning, Office, RegistersSigned, Sees
from api.files import SHORT_HASH
from api.pages import result_view as view
from api.pages.frame import StaffFrame
from api.pages.result_trouble import TROUBLE
from api.pages.result_view import Row
from api.wiring import Services, utc_now
from dossiers import batches, issuance, own_token
from dossiers.before_signing import before_signing
from dossiers.differences import Differs
from dossiers.types import WAITS_FOR_PIN, Actor, EResult, NotFound, ResultState, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

router = APIRouter(include_in_schema=False)

_PER_PAGE = 30


@dataclass(frozen=True)
class View:
    """A way to look at the list: its name in the address, its words, and which results it keeps."""

    name: str
    vi: str
    en: str
    keeps: Callable[[EResult], bool]


VIEWS = (
    View("cho-ky", "Chờ ký", "To sign", lambda r: r.state is ResultState.SUBMITTED),
    View("dang-soan", "Đang soạn", "Drafts", lambda r: r.state is ResultState.DRAFT and not r.came_signed),
    View(
        "cho-van-thu",
        "Chờ văn thư",
        "For the seal keeper",
        lambda r: (
            bool(r.trouble and r.trouble not in WAITS_FOR_PIN)
            or (r.state is ResultState.DRAFT and r.came_signed)
            or r.waits_long(utc_now()) is not None
        ),
    ),
    View(
        "dang-ky",
        "Đang ký",
        "Being signed",
        lambda r: r.state in view.BEING_SIGNED and r.trouble in ("", *WAITS_FOR_PIN),
    ),
)
PUBLISHED = View("da-phat-hanh", "Đã phát hành", "Issued", lambda _: False)


@router.get("/ket-qua")
def results(
    actor: Sees,
    office: Office,
    frame: StaffFrame,
    loc: str = "",
    chon: Annotated[list[str] | None, Query()] = None,
    sau: UUID | None = None,
) -> Response:
    """What waits for whom, and what was issued."""
    return frame.page("results.html", **_listed(actor, office, loc, chon or [], sau))


@router.get("/ket-qua/danh-sach")
def result_rows(
    actor: Sees,
    office: Office,
    frame: StaffFrame,
    loc: str = "",
    chon: Annotated[list[str] | None, Query()] = None,
    v: str = "",
) -> Response:
    """The list alone, to be laid over the one on the page; nothing (204) while it says the same as in `v`."""
    listed = _listed(actor, office, loc, chon or [], None)
    return Response(status_code=204) if listed["stamp"] == v else frame.part("_results_list.html", **listed)


def _listed(actor: Actor, office: Services, loc: str, chosen: Sequence[str], after: UUID | None) -> dict[str, Any]:
    asked = {one.name: one for one in (*VIEWS, PUBLISHED)}.get(loc) or _own_view(actor)
    with office.begin() as work:
        waiting = work.e_results.waiting(actor)
        if asked is PUBLISHED:
            found = work.e_results.published(actor, after=after, limit=_PER_PAGE + 1)
            rows = view.rows_of(work, actor, found[:_PER_PAGE])
        else:
            found = [r for r in waiting if asked.keeps(r)]
            rows = sorted(
                view.rows_of(work, actor, found), key=lambda row: (not row.is_mine(actor), *view.urgency(row))
            )
        people = view.names(work, [name for r in found for name in (r.leader, r.prepared_by)])
        agencies = {agency.code: agency.name for agency in work.agencies.all()}
        leads = Role.LEADER in actor.roles and asked.name == "cho-ky"
        before = before_signing(work, actor.username, actor.agency, now=utc_now()) if leads else None
        for_pin = len(batches.waiting_for_pin(work, actor)) if leads else 0
    mine = [row for row in rows if row.is_mine(actor)]
    read = {str(row.e_result.id) for row in mine if row.is_read}
    return {
        "actor": actor,
        "view": asked,
        "views": [(one, _count(one, actor, waiting)) for one in VIEWS] + [(PUBLISHED, None)],
        "rows": rows,
        "before": before,
        "for_pin": for_pin,
        "Differs": Differs,
        "signs": bool(mine) and asked.name == "cho-ky",
        "read": read,
        "chosen": read if "da-doc" in chosen else set(chosen),
        "next_page": found[_PER_PAGE - 1].id if len(rows) < len(found) else None,
        "is_first_page": after is None,
        "people": people,
        "agencies": agencies,
        "State": ResultState,
        "WAITS": view.WAITS,
        "now": utc_now(),
        "for_token": sum(own_token.may_sign(actor, r) for r in waiting),
        "stamp": _stamp(asked, rows, waiting),
    }


def _own_view(actor: Actor) -> View:
    """Where this person's own work is."""
    to_sign, drafting, for_the_seal, _ = VIEWS
    if Role.LEADER in actor.roles:
        return to_sign
    return for_the_seal if Role.SEAL_KEEPER in actor.roles and Role.CLERK not in actor.roles else drafting


def _count(asked: View, actor: Actor, waiting: Sequence[EResult]) -> int:
    """A leader counts what waits for the own signature, everybody else what waits at all."""
    only_own = asked.name == "cho-ky" and Role.LEADER in actor.roles
    return sum(asked.keeps(r) and (not only_own or view.is_signer(actor, r)) for r in waiting)


def _stamp(asked: View, rows: Sequence[Row], waiting: Sequence[EResult]) -> str:
    """Differs whenever the list would look different."""
    seen = [(asked.name, len(rows)), *((row.e_result.id, row.is_read, row.dossier.due_on) for row in rows)]
    return hashlib.sha256(repr([seen, [(r.id, r.version) for r in waiting]]).encode()).hexdigest()[:16]


@router.get("/ket-qua/{e_result_id:uuid}")
def result(e_result_id: UUID, actor: Sees, office: Office, frame: StaffFrame) -> Response:
    """One result: where it is, who acts next, the document, its history."""
    return view.shown(frame, actor, office, e_result_id)


@router.get("/ket-qua/{e_result_id:uuid}/tinh-trang")
def result_part(e_result_id: UUID, actor: Sees, office: Office, frame: StaffFrame, v: int = -1) -> Response:
    """The inside of that page for whoever looks on; nothing (204) while it is still as in version `v`."""
    with office.begin() as work:
        if work.e_results.of(actor, e_result_id).version == v:
            return Response(status_code=204)
    return frame.part("_result.html", **view.values(frame, actor, office, e_result_id))


@router.get("/ket-qua/{e_result_id:uuid}/trang/{number:int}")
def page_picture(e_result_id: UUID, number: int, actor: Sees, office: Office, v: str = "") -> Response:
    """A page of the document as it stands; with `?v=` and the beginning of its hash it may be kept for good."""
    with office.begin() as work:
        key = view.document_of(work.e_results.of(actor, e_result_id))
    with tempfile.TemporaryDirectory(dir=office.work_dir) as folder:
        file = Path(folder, "document.pdf")
        office.store.fetch(key, file)
        drawn = view.picture(office, file, number, view.READING_DPI)
    same_for_ever = v == key.sha256[:SHORT_HASH]
    return _jpeg(drawn, "private, max-age=36000, immutable" if same_for_ever else "private, no-store")


@router.get("/ket-qua/{e_result_id:uuid}/xem-thu/{number:int}")
def draft_picture(e_result_id: UUID, number: int, actor: Sees, office: Office) -> Response:
    """A page of a draft as it would look now, gaps included."""
    look = issuance.look(
        office.begin, office.store, e_result_id, by=actor, verify_url=office.verify_url, face=office.typeface
    )
    if not look.pdf:
        raise NotFound("preview")
    with tempfile.TemporaryDirectory(dir=office.work_dir) as folder:
        file = Path(folder, "draft.pdf")
        file.write_bytes(look.pdf)
        return _jpeg(view.picture(office, file, number, view.GLANCE_DPI), "private, no-store")


def _jpeg(drawn: bytes, kept: str) -> Response:
    return Response(drawn, media_type="image/jpeg", headers={"cache-control": kept})


@router.post("/ket-qua/{e_result_id:uuid}/ky-tiep")
def resume(e_result_id: UUID, actor: MendsSigning, office: Office, frame: StaffFrame) -> Response:
    """What stopped the signing is mended; go on."""
    try:
        issuance.resume_signing(office.begin, e_result_id, by=actor)
    except TROUBLE as error:
        return view.refused(frame, actor, office, e_result_id, error)
    return frame.to(f"/ket-qua/{e_result_id}", tell="signing_resumed")


@router.post("/ket-qua/{e_result_id:uuid}/vao-so")
def register_signed(e_result_id: UUID, actor: RegistersSigned, office: Office, frame: StaffFrame) -> Response:
    """The seal keeper enters a result that came with its signatures, byte for byte as it is."""
    try:
        issuance.register_signed(
            office.begin,
            office.store,
            e_result_id,
            by=actor,
            judge=office.judges,
            now=utc_now(),
            work_dir=office.work_dir,
        )
    except TROUBLE as error:
        return view.refused(frame, actor, office, e_result_id, error)
    return frame.to(f"/ket-qua/{e_result_id}", tell="result_registered")
