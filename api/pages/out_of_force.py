"""Taking a result out of force, by withdrawing it or by another in its place: not undoable, and the page says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter, Response

from api.deps import Office, Withdraws
from api.pages import result_view as view
from api.pages.frame import Frame, StaffFrame, Typed
from api.pages.result_trouble import told
from api.wiring import Services, utc_now
from dossiers import issuance
from dossiers.types import Actor, DossierState, EResult, Incomplete, OfficeError, ResultState, WrongState

if TYPE_CHECKING:
    from dossiers.ports import UnitOfWork

router = APIRouter(include_in_schema=False)

#: Why a result goes out of force: key → Vietnamese, as it is registered, and English. "other" needs words of its own.
REASONS = {
    "mistake": ("Nội dung có sai sót", "Its content has a mistake"),
    "authority": ("Cấp không đúng thẩm quyền", "It was issued without authority"),
    "untrue": ("Giấy tờ trong hồ sơ không đúng sự thật", "A paper of the dossier isn't true"),
    "asked": ("Theo đề nghị của người được cấp", "Its holder asked for it"),
    "decided": ("Theo quyết định của cơ quan có thẩm quyền hoặc bản án", "An authority or a court decided so"),
    "other": ("Lý do khác", "Another reason"),
}


@dataclass(frozen=True)
class Given:
    """The reason as it was typed: from the list, in words, and the number of a decision."""

    reason: str = ""
    note: str = ""
    decision: str = ""

    def missing(self) -> list[str]:
        """Inputs that must still be filled in."""
        if self.reason not in REASONS:
            return ["reason"]
        return ["note"] if self.reason == "other" and not self.note else []

    def words(self) -> str:
        """As it goes into the register."""
        listed = "" if self.reason == "other" else REASONS[self.reason][0]
        decision = f"Quyết định số {self.decision}" if self.decision else ""
        return ". ".join(part.rstrip(" .;") for part in (listed, self.note, decision) if part)


@router.get("/ket-qua/{e_result_id:uuid}/thu-hoi")
def withdraw_page(e_result_id: UUID, actor: Withdraws, office: Office, frame: StaffFrame) -> Response:
    """What withdrawing means, and why it is done."""
    return _page(frame, actor, office, e_result_id, Given(), supersedes=False)


@router.post("/ket-qua/{e_result_id:uuid}/thu-hoi")
def withdraw(
    e_result_id: UUID,
    actor: Withdraws,
    office: Office,
    frame: StaffFrame,
    reason: Typed = "",
    note: Typed = "",
    decision: Typed = "",
) -> Response:
    """Take it out of force."""
    given = Given(reason, note, decision)
    try:
        _must_be_whole(given.missing())
        issuance.withdraw(office.begin, e_result_id, by=actor, reason=given.words(), now=utc_now())
    except OfficeError as error:
        return _page(frame, actor, office, e_result_id, given, supersedes=False, error=error)
    return frame.to(f"/ket-qua/{e_result_id}", tell="result_withdrawn")


@router.get("/ket-qua/{e_result_id:uuid}/thay-the")
def supersede_page(e_result_id: UUID, actor: Withdraws, office: Office, frame: StaffFrame) -> Response:
    """What superseding means, by which other result, and why it is done."""
    return _page(frame, actor, office, e_result_id, Given(), supersedes=True)


@router.post("/ket-qua/{e_result_id:uuid}/thay-the")
def supersede(
    e_result_id: UUID,
    actor: Withdraws,
    office: Office,
    frame: StaffFrame,
    replacement: Typed = "",
    reason: Typed = "",
    note: Typed = "",
    decision: Typed = "",
) -> Response:
    """Let another issued result of the same dossier take its place."""
    given = Given(reason, note, decision)
    try:
        with office.begin() as work:
            offered = {str(r.id): r.id for r in _others(work, actor, work.e_results.of(actor, e_result_id))}
        newer = offered.get(replacement)
        _must_be_whole(([] if newer else ["replacement"]) + given.missing())
        if newer is not None:
            issuance.supersede(
                office.begin, e_result_id, by=actor, replacement=newer, reason=given.words(), now=utc_now()
            )
    except OfficeError as error:
        return _page(frame, actor, office, e_result_id, given, supersedes=True, error=error, chosen=replacement)
    return frame.to(f"/ket-qua/{e_result_id}", tell="result_superseded")


def _must_be_whole(missing: list[str]) -> None:
    if missing:
        raise Incomplete("out_of_force", tuple(missing))


#: What is missing: input → Vietnamese, English.
_MISSING = {
    "reason": ("Chọn lý do", "Choose a reason"),
    "note": ("Ghi rõ lý do khác", "Say what the other reason is"),
    "replacement": ("Chọn văn bản thay thế", "Choose what takes its place"),
}


def _page(
    frame: Frame,
    actor: Actor,
    office: Services,
    e_result_id: UUID,
    given: Given,
    *,
    supersedes: bool,
    error: OfficeError | None = None,
    chosen: str = "",
) -> Response:
    """The card before it is done; also where it can't be done (any more), with the way on."""
    with office.begin() as work:
        found = view.opened(work, actor, e_result_id)
        others = _others(work, actor, found.e_result)
        on_the_way = [r for r in work.e_results.of_dossier(found.dossier.id) if _is_on_the_way(r, actor)]
    in_force = found.e_result.state is ResultState.ISSUED
    if not in_force and error is None:
        error = WrongState(found.e_result.state)
    problem: dict[str, Any] | None = None
    listed: list[Any] = []
    missing: tuple[str, ...] = ()
    if error is not None:
        problem, listed = told(frame, error)
        missing = error.missing if isinstance(error, Incomplete) else ()
        listed = [{"field": one, "message": _MISSING[one][frame.language == "en"]} for one in missing] or listed
    return frame.page(
        "out_of_force.html",
        status=problem["status"] if problem else 200,
        **vars(found),
        r=found.e_result,
        supersedes=supersedes,
        in_force=in_force,
        problem=problem,
        listed=listed,
        missing={one: _MISSING[one][frame.language == "en"] for one in missing},
        given=given,
        chosen=chosen or (str(others[-1].id) if len(others) == 1 else ""),
        reasons=REASONS,
        others=others,
        on_the_way=on_the_way,
        can_draft=found.dossier.state in (DossierState.IN_PROCESS, DossierState.RESULT_READY),
        State=ResultState,
    )


def _others(work: UnitOfWork, actor: Actor, e_result: EResult) -> list[EResult]:
    """What could take its place: other results of its dossier that are in force."""
    return [
        r
        for r in work.e_results.of_dossier(e_result.dossier_id)
        if r.id != e_result.id and r.agency == actor.agency and r.state is ResultState.ISSUED
    ]


def _is_on_the_way(e_result: EResult, actor: Actor) -> bool:
    return e_result.agency == actor.agency and e_result.next_step() is not None
