"""How long dossiers of each procedure are kept, set by an administrator on a legal basis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from api import sign_in
from api.deps import Office, SetsRetention
from api.errors import WrongPassword
from api.pages.frame import Frame, StaffFrame, Typed, TypedSecret
from api.wiring import Services, utc_now
from dossiers import retention
from dossiers.types import Incomplete, OfficeError

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter(include_in_schema=False)

_FOR_EVER = "vinh-vien"
_WHY = {
    "years": (
        f"Viết số năm từ 1 đến {retention.MOST_YEARS}, hoặc chọn vĩnh viễn.",
        f"Write a number of years from 1 to {retention.MOST_YEARS}, or choose for ever.",
    ),
    "basis": (
        "Ghi căn cứ: bảng thời hạn lưu, quyết định hoặc điều luật.",
        "Name what it rests on: the list of periods, a decision, the law.",
    ),
}


@router.get("/quan-tri/thoi-han-luu")
def periods_page(_actor: SetsRetention, office: Office, frame: StaffFrame) -> Response:
    """Every procedure with its period and what that rests on."""
    with office.begin() as work:
        rules = work.retention.in_force()
        rows = [(one, rules.get(one.code)) for one in work.procedures.all()]
    return frame.page("admin_retention.html", rows=rows, default=office.retention_years, names=_people(office))


@router.get("/quan-tri/thoi-han-luu/{code}")
def period_page(code: str, _actor: SetsRetention, office: Office, frame: StaffFrame) -> Response:
    """One procedure's period and its history, and a new decision about it."""
    return _one(office, frame, code)


@router.post("/quan-tri/thoi-han-luu/{code}")
def set_period(
    code: str,
    actor: SetsRetention,
    office: Office,
    frame: StaffFrame,
    kind: Typed = "",
    years: Typed = "",
    basis: Typed = "",
    password: TypedSecret = "",
) -> Response:
    """Decide, with the password: locks that follow can't be taken back."""
    now = utc_now()
    chosen = _chosen(kind, years)
    try:
        sign_in.check_password(office.begin, username=actor.username, password=password, now=now)
        retention.set_period(office.begin, code, chosen, basis=basis, default=office.retention_years, by=actor, now=now)
    except (Incomplete, WrongPassword) as error:
        return _one(office, frame, code, error=error, given={"kind": kind, "years": years, "basis": basis})
    return frame.to(f"/quan-tri/thoi-han-luu/{code}", tell="retention_set")


def _chosen(kind: str, years: str) -> int:
    """The period as it was chosen; for what isn't a number of years, one that nobody may set."""
    if kind == _FOR_EVER:
        return retention.PERMANENT
    number = int(years) if years.isascii() and years.isdecimal() else 0
    return number or retention.MOST_YEARS + 1


def _one(
    office: Services,
    frame: Frame,
    code: str,
    *,
    error: OfficeError | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    with office.begin() as work:
        procedure = work.procedures.of(code)
        rules = work.retention.rules(code)
        finished = work.retention.finished(code)
    problem = frame.trouble(error) if error else None
    english = frame.language == "en"
    return frame.page(
        "admin_retention_one.html",
        status=problem["status"] if problem else 200,
        procedure=procedure,
        rules=rules,
        finished=finished,
        default=office.retention_years,
        most=retention.MOST_YEARS,
        names=_people(office),
        given=given or {"kind": "", "years": "", "basis": ""},
        problem=problem,
        listed=[_WHY[one][english] for one in error.missing] if isinstance(error, Incomplete) else [],
    )


def _people(office: Services) -> dict[str, str]:
    """Names of those who set periods."""
    with office.begin() as work:
        return {a.username: a.name for agency in work.agencies.all() for a in work.accounts.in_agency(agency.code)}
