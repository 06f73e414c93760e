"""The desk: what waits for whom, and one dossier with everything that can be done about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter, Response

from api.deps import Closes, Office, Processes, Sees, SignedIn
from api.pages import holds, papers
from api.pages.frame import StaffFrame
from api.pages.result_view import is_signer
from api.wiring import utc_now
from dossiers import certificate_watch, intake, page_marks
from dossiers.calendar import local_day
from dossiers.history import gathered, history_of
from dossiers.page_marks import Counted
from dossiers.policy import MAY, Act
from dossiers.types import (
    Actor,
    ComponentState,
    Dossier,
    DossierState,
    EResult,
    ResultState,
    Step,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dossiers.ports import Begin, UnitOfWork
    from dossiers.types import Component, Procedure

router = APIRouter(include_in_schema=False)

#: Rows a queue looks over; more than this office can have open means that its counts are said as "500+".
_MOST = 500
_SHOWN = 60
_FINISHED = frozenset({DossierState.RETURNED, DossierState.REFUSED, DossierState.CANCELLED})


@dataclass(frozen=True)
class Row:
    """A dossier in the queue, with who acts next."""

    dossier: Dossier
    procedure: str
    step: Step | None
    paper_step: Step | None
    count: Counted
    papers_in_trouble: int

    def is_for(self, actor: Actor) -> bool:
        """Whether this person's role at this agency has the next move, with the dossier or its paper."""
        return _is_for(self.step, actor) or _is_for(self.paper_step, actor)

    def is_for_its_paper(self, actor: Actor) -> bool:
        """Whether it is the paper alone that waits for this person."""
        return _is_for(self.paper_step, actor) and not _is_for(self.step, actor)


def _is_for(step: Step | None, actor: Actor) -> bool:
    return step is not None and step.agency == actor.agency and step.role in actor.roles


@dataclass(frozen=True)
class View:
    """A way to look at the queue: its name in the address, its words, and which rows it keeps."""

    name: str
    vi: str
    en: str
    keeps: Callable[[Row, Actor], bool]


VIEWS = (
    View("cua-toi", "Của tôi", "Mine", lambda row, actor: row.is_for(actor)),
    View("tat-ca", "Tất cả đang mở", "All open", lambda row, _: row.dossier.state not in _FINISHED),
    View(
        "cho-quet", "Chờ thêm giấy", "Papers to add", lambda row, _: _step_in(row, "add_components", "scan", "receive")
    ),
    View("cho-soat", "Chờ soát", "To review", lambda row, _: _step_in(row, "review")),
    View("cho-ky", "Chờ ký", "To sign", lambda row, _: _step_in(row, "sign_copy", "approve", "mend_signing")),
    View("cho-ket-qua", "Chờ kết quả", "Result to prepare", lambda row, _: _step_in(row, "prepare_result", "submit")),
    View("cho-bo-sung", "Chờ bổ sung", "Supplement", lambda row, _: _step_in(row, "await_supplement")),
    View("qua-han", "Quá hạn", "Late", lambda row, _: _is_late(row)),
    View("loi", "Lỗi xử lý", "Stopped", lambda row, _: row.papers_in_trouble > 0 or _step_in(row, "mend_signing")),
    View("giay-dang-giu", "Giấy đang giữ", "Paper held here", lambda row, actor: _is_held(row.dossier, actor)),
    View("da-xong", "Đã xong", "Finished", lambda row, _: row.dossier.state in _FINISHED),
)


def _step_in(row: Row, *codes: str) -> bool:
    return row.step is not None and row.step.code in codes


def _is_late(row: Row) -> bool:
    dossier = row.dossier
    open_still = dossier.state not in _FINISHED and dossier.state is not DossierState.RESULT_READY
    return open_still and dossier.due_on is not None and dossier.due_on < local_day(utc_now())


def _is_held(dossier: Dossier, actor: Actor) -> bool:
    """Whether this agency answers for the paper; before reception it is still the applicant's own."""
    return dossier.paper_at == actor.agency and dossier.received_at is not None and dossier.state not in _FINISHED


def _next_step(
    dossier: Dossier, procedure: Procedure, components: Sequence[Component], results: Sequence[EResult]
) -> Step | None:
    """Who acts next. It isn't reception as long as a required paper is missing."""
    step = dossier.next_step(components, results)
    if step is None or step.code != "receive" or not missing_papers(procedure, components):
        return step
    return replace(step, code="add_components")


def missing_papers(procedure: Procedure, components: Sequence[Component]) -> list[str]:
    """Names of the required papers that aren't there yet."""
    there = {component.kind for component in components}
    return [kind.name for kind in procedure.components if kind.required and kind.code not in there]


@router.get("/viec")
def queue(account: SignedIn, office: Office, frame: StaffFrame, loc: str = "cua-toi") -> Response:
    """The queue: owner, due date and next step on every row. Whoever has no part in dossiers is told so, kindly."""
    ending = certificate_watch.ending(office.begin, account.actor, now=utc_now())
    if not account.roles & MAY[Act.SEE]:
        return frame.page("no_desk.html", ending=ending)
    return frame.page("queue.html", ending=ending, **_queue(account.actor, office.begin, loc))


@router.get("/viec/danh-sach")
def queue_rows(actor: Sees, office: Office, frame: StaffFrame, loc: str = "cua-toi") -> Response:
    """The queue alone, to be laid over the one on the page."""
    return frame.part("_queue.html", **_queue(actor, office.begin, loc))


def _queue(actor: Actor, begin: Begin, loc: str) -> dict[str, Any]:
    with begin() as work:
        rows = _rows(work, actor)
        agencies = {agency.code: agency.name for agency in work.agencies.all()}
        # A dossier whose result is ready speaks of handing it over, also while another one for it waits to be signed.
        to_sign = sum(r.state is ResultState.SUBMITTED and is_signer(actor, r) for r in work.e_results.waiting(actor))
    view = next((v for v in VIEWS if v.name == loc), VIEWS[0])
    kept = [row for row in rows if view.keeps(row, actor)]
    return {
        "view": view,
        "views": [(v, sum(v.keeps(row, actor) for row in rows)) for v in VIEWS],
        "rows": kept[:_SHOWN],
        "left_out": max(0, len(kept) - _SHOWN),
        "all_seen": len(rows) < _MOST,
        "agencies": agencies,
        "actor": actor,
        "to_sign": to_sign,
    }


def _rows(work: UnitOfWork, actor: Actor) -> list[Row]:
    found = work.dossiers.queue(actor, limit=_MOST)
    ids = [d.id for d in found]
    components = work.components.of_dossiers(ids)
    results = work.e_results.of_dossiers(ids)
    procedures = {p.code: p for p in work.procedures.all()}
    counts = page_marks.counts(work, [c for of_one in components.values() for c in of_one])
    return [
        Row(
            dossier=d,
            procedure=procedures[d.procedure].name,
            step=_next_step(d, procedures[d.procedure], components.get(d.id, ()), _seen(results.get(d.id, ()), actor)),
            paper_step=d.paper_step(),
            count=page_marks.total(components.get(d.id, ()), counts),
            papers_in_trouble=sum(
                c.state is ComponentState.SET_ASIDE and not d.is_given_up for c in components.get(d.id, ())
            ),
        )
        for d in found
    ]


def _seen(results: Sequence[EResult], actor: Actor) -> list[EResult]:
    return [shown for r in results if (shown := r.seen_by(actor.agency))]


def _opened(work: UnitOfWork, actor: Actor, dossier_id: UUID) -> dict[str, Any]:
    """Everything about a dossier that the asker may see: its papers as `papers.tray` lays them out, and the rest.

    Raises:
        NotFound: There is none, or the asker's agency has no part in it.
    """
    laid_out = papers.tray(work, actor, dossier_id)
    dossier = laid_out["dossier"]
    results = _seen(work.e_results.of_dossier(dossier.id), actor)
    return {
        **laid_out,
        "results": results,
        "history": gathered(history_of(work, dossier, to=actor))[::-1],
        "people": {p.username: p.name for code in dossier.agencies() for p in work.accounts.in_agency(code)},
        "step": _next_step(dossier, laid_out["procedure"], laid_out["components"], results),
        "missing": missing_papers(laid_out["procedure"], laid_out["components"]),
        "paper_step": dossier.paper_step(),
        **holds.of_dossier(work, actor, dossier),
    }


@router.get("/ho-so/{dossier_id}")
def dossier_page(dossier_id: UUID, actor: Sees, office: Office, frame: StaffFrame) -> Response:
    """One dossier: where it is, who has it, what can be done, its papers, its results, its history."""
    with office.begin() as work:
        found = _opened(work, actor, dossier_id)
        kept = work.retention.of_dossier(dossier_id, office.retention_years)
    return frame.page("dossier.html", actor=actor, State=DossierState, kept=kept, **found)


@router.post("/ho-so/{dossier_id}/giai-quyet")
def start_processing(dossier_id: UUID, actor: Processes, office: Office, frame: StaffFrame) -> Response:
    """The competent agency takes it into work."""
    intake.start_processing(office.begin, dossier_id, by=actor)
    return frame.to(f"/ho-so/{dossier_id}", tell="in_process")


@router.post("/ho-so/{dossier_id}/tiep-tuc")
def resume(dossier_id: UUID, actor: Closes, office: Office, frame: StaffFrame) -> Response:
    """Go on with a dossier that waited for a supplement."""
    intake.resume(office.begin, dossier_id, by=actor)
    return frame.to(f"/ho-so/{dossier_id}", tell="resumed")
