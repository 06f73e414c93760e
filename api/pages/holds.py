"""A dossier under legal hold: who asked for it, how far the store is, and the two people who release it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter, Response

from api import sign_in
from api.deps import Holds, Office, Sees
from api.errors import WrongPassword
from api.pages.frame import Frame, StaffFrame, Typed, TypedSecret
from api.wiring import Services, utc_now
from dossiers import holds
from dossiers.types import Duplicate, Incomplete, NotAllowed, NotFound, OfficeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dossiers.ports import UnitOfWork
    from dossiers.types import Actor, Dossier

router = APIRouter(include_in_schema=False)

_WHY = {
    "reason": ("Viết lý do giữ.", "Write why it is held."),
    "reference": (
        "Ghi số, ngày văn bản yêu cầu và cơ quan gửi.",
        "Name the letter that asks for it: number, day, sender.",
    ),
    "release_reason": ("Viết lý do thôi giữ.", "Write why it is released."),
    "already": ("Hồ sơ đã được giữ theo văn bản này.", "The dossier is held by this letter already."),
    "same_person": (
        "Người xin thôi giữ không tự xác nhận được: cần người thứ hai.",
        "Whoever asked for the release can't confirm it: a second person is needed.",
    ),
}


def of_dossier(work: UnitOfWork, actor: Actor, dossier: Dossier) -> dict[str, Any]:
    """What a dossier's page says of its holds."""
    found = work.holds.of_dossier(dossier.id)
    live = [one for one in found if one.is_live]
    return {
        "holds": live,
        "past_holds": [one for one in found if not one.is_live],
        "coverage": holds.coverage_of(work, dossier.id, now=utc_now()) if live else None,
        "may_hold": holds.may_hold(actor, dossier),
        "sees_why": holds.sees_why(actor, dossier),
    }


@router.get("/ho-so/{dossier_id}/giu-nguyen")
def hold_page(dossier_id: UUID, actor: Sees, office: Office, frame: StaffFrame) -> Response:
    """The holds on a dossier, live and past, and what can be done about them."""
    return _page(office, frame, actor, dossier_id)


@router.post("/ho-so/{dossier_id}/giu-nguyen")
def place(
    dossier_id: UUID, actor: Holds, office: Office, frame: StaffFrame, reason: Typed = "", reference: Typed = ""
) -> Response:
    """Put the dossier under hold; it counts at once, and the store follows within seconds."""
    try:
        holds.place(office.begin, dossier_id, reason=reason, reference=reference, by=actor, now=utc_now())
    except (Incomplete, Duplicate) as error:
        return _page(office, frame, actor, dossier_id, error=error, given={"reason": reason, "reference": reference})
    return frame.to(f"/ho-so/{dossier_id}/giu-nguyen", tell="hold_placed")


@router.post("/ho-so/{dossier_id}/giu-nguyen/xin-thoi")
def ask_release(
    dossier_id: UUID, actor: Holds, office: Office, frame: StaffFrame, hold: UUID, release_reason: Typed = ""
) -> Response:
    """The first person asks for the release."""
    try:
        holds.ask_release(office.begin, hold, reason=release_reason, by=actor, now=utc_now())
    except Incomplete as error:
        return _page(office, frame, actor, dossier_id, error=error)
    return frame.to(f"/ho-so/{dossier_id}/giu-nguyen", tell="hold_release_asked")


@router.post("/ho-so/{dossier_id}/giu-nguyen/thoi-giu")
def confirm_release(
    dossier_id: UUID, actor: Holds, office: Office, frame: StaffFrame, hold: UUID, password: TypedSecret = ""
) -> Response:
    """The second person confirms it, with the password."""
    now = utc_now()
    try:
        sign_in.check_password(office.begin, username=actor.username, password=password, now=now)
        holds.confirm_release(office.begin, hold, by=actor, now=now)
    except NotFound:
        raise
    except OfficeError as error:
        return _page(office, frame, actor, dossier_id, error=error)
    return frame.to(f"/ho-so/{dossier_id}/giu-nguyen", tell="hold_released")


@router.post("/ho-so/{dossier_id}/giu-nguyen/giu-tiep")
def keep_on(dossier_id: UUID, actor: Holds, office: Office, frame: StaffFrame, hold: UUID) -> Response:
    """The release is refused or taken back."""
    holds.keep_on(office.begin, hold, by=actor)
    return frame.to(f"/ho-so/{dossier_id}/giu-nguyen", tell="hold_kept_on")


def _page(
    office: Services,
    frame: Frame,
    actor: Actor,
    dossier_id: UUID,
    *,
    error: OfficeError | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        said = of_dossier(work, actor, dossier)
        names = {p.username: p.name for code in dossier.agencies() for p in work.accounts.in_agency(code)}
        agencies = {agency.code: agency.name for agency in work.agencies.all()}
    problem = frame.trouble(error) if error else None
    return frame.page(
        "hold.html",
        status=problem["status"] if problem else 200,
        dossier=dossier,
        actor=actor,
        names=names,
        agencies=agencies,
        given=given or {"reason": "", "reference": ""},
        problem=problem,
        listed=_listed(frame, error),
        **said,
    )


def _listed(frame: Frame, error: OfficeError | None) -> list[str]:
    """What exactly is wrong, in this language."""
    english = frame.language == "en"
    match error:
        case Incomplete(missing=missing):
            return [_WHY[code][english] for code in missing]
        case Duplicate():
            return [_WHY["already"][english]]
        case NotAllowed() if str(error) == "same_person":
            return [_WHY["same_person"][english]]
        case WrongPassword():
            return []
    return []
