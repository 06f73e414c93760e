"""The administrator's part: certificates in use with their days left, and whom the office trusts.

An anchor is added from a file by one administrator and confirmed by another, each with the password again; nothing
is ever deleted.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Response, UploadFile

from api import sign_in
from api.demo.mark import is_demo_certificate
from api.deps import KeepsTrust, Office
from api.errors import WrongPassword
from api.pages.days import typed_day
from api.pages.frame import Frame, StaffFrame, Typed, TypedSecret
from api.store_words import STORE_WORDS
from api.wiring import Services, utc_now
from dossiers import anchors, authorities, trust_upkeep
from dossiers.anchors import AnchorState, FingerprintDiffers
from dossiers.calendar import VIETNAM
from dossiers.certificate_watch import watched
from dossiers.types import Duplicate, Incomplete, NotAllowed, OfficeError
from signing.certificates import MOST_BYTES, NotACertificate, grouped, read_one
from signing.examination import WARN_DAYS, warning_of
from signing.types import StoreName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dossiers.authorities import Authority
    from dossiers.types import Actor

router = APIRouter(include_in_schema=False)

_WHY = {
    "reason": (
        "Viết lý do: lấy từ đâu, theo văn bản nào.",
        "Write why: where it is from, which paper names it.",
    ),
    "trusted_to": ("Ngày thôi tin phải sau ngày bắt đầu tin.", "The trust has to end after it begins."),
    "day": ("Ngày viết như 31/12/2030.", "Write the day as 31/12/2030."),
    "file": ("Chọn tệp chứng thư.", "Choose the certificate's file."),
    "demo": (
        "Đây là chứng thư demo; hệ thống thật không nhận.",
        "A demo certificate; a real instance refuses it.",
    ),
    "already": ("Chứng thư này đã có trong danh sách.", "This certificate is in the list already."),
    "same_person": (
        "Người thêm không tự xác nhận được: cần quản trị viên thứ hai.",
        "Whoever added it can't confirm it: a second administrator is needed.",
    ),
}


@router.get("/quan-tri")
def certificates_page(actor: KeepsTrust, office: Office, frame: StaffFrame) -> Response:
    """Signing certificates in use, the first to end first, and how old lists and answers are."""
    now = utc_now()
    with office.begin() as work:
        agencies = {agency.code: agency.name for agency in work.agencies.all()}
        people = {a.username: a.name for code in agencies for a in work.accounts.in_agency(code)}
    return frame.page(
        "admin_certificates.html",
        watched=watched(office.begin, now=now),
        evidence=trust_upkeep.evidence(office.begin),
        stampers=_stampers(office),
        able=asdict(office.capabilities),
        STORE_WORDS=STORE_WORDS,
        agencies=agencies,
        people=people,
        now=now,
        lasts=_lasts,
        steps=WARN_DAYS,
        waiting=[a for a in anchors.every(office.begin) if a.state is AnchorState.PROPOSED],
        me=actor.username,
    )


def _stampers(office: Services) -> list[tuple[str, Authority | None]]:
    """The timestamp authorities named in the settings, in the order in which they are asked; None: not asked yet."""
    noted = authorities.noted(office.begin)
    return [(url, noted.get(url)) for url in office.tsa_urls]


@router.get("/quan-tri/goc-tin-cay")
def anchors_page(_actor: KeepsTrust, office: Office, frame: StaffFrame) -> Response:
    """Whom the office trusts, by store."""
    return _list(office, frame)


@router.post("/quan-tri/goc-tin-cay")
def add(
    actor: KeepsTrust,
    office: Office,
    frame: StaffFrame,
    file: Annotated[UploadFile | None, File()] = None,
    store: Typed = StoreName.NEAC.value,
    reason: Typed = "",
    since: Typed = "",
    until: Typed = "",
) -> Response:
    """Take an anchor in; it counts for nothing until a second administrator confirms it."""
    given = {"store": store, "reason": reason, "since": since, "until": until}
    try:
        chosen = StoreName(store)
        begins, ends = _day(since), _day(until)
    except ValueError:
        return _list(office, frame, given=given, error=Incomplete("day", ("day",)))
    if file is None or not file.filename:
        return _list(office, frame, given=given, error=Incomplete("file", ("file",)))
    try:
        der = read_one(file.file.read(MOST_BYTES + 1), name=file.filename[:80])
        if office.in_production and is_demo_certificate(der):
            raise Incomplete("demo", ("demo",))
        anchor = anchors.propose(
            office.begin,
            der,
            store=chosen,
            reason=reason,
            trusted_from=begins,
            trusted_to=ends,
            by=actor,
            now=utc_now(),
        )
    except Duplicate:
        return _list(office, frame, given=given, error=Incomplete("already", ("already",)))
    except (OfficeError, NotACertificate) as error:
        return _list(office, frame, given=given, error=error)
    return frame.to(f"/quan-tri/goc-tin-cay/{anchor.id}", tell="anchor_proposed")


def _list(
    office: Services, frame: Frame, *, given: Mapping[str, str] | None = None, error: Exception | None = None
) -> Response:
    found = anchors.every(office.begin)
    problem, listed = _told(frame, error)
    return frame.page(
        "admin_anchors.html",
        status=problem["status"] if problem else 200,
        stores=[(store, [a for a in found if a.store is store]) for store in StoreName],
        waiting=[a for a in found if a.state is AnchorState.PROPOSED],
        names=_people(office),
        now=utc_now(),
        lasts=_lasts,
        grouped_print=grouped,
        given=given or {"store": StoreName.NEAC.value, "reason": "", "since": "", "until": ""},
        problem=problem,
        listed=listed,
    )


@router.get("/quan-tri/goc-tin-cay/{anchor_id:uuid}")
def anchor_page(anchor_id: UUID, actor: KeepsTrust, office: Office, frame: StaffFrame) -> Response:
    """One anchor: what it says, who added and confirmed it, what became of it."""
    return _one(office, frame, actor, anchor_id)


@router.post("/quan-tri/goc-tin-cay/{anchor_id:uuid}/xac-nhan")
def confirm(
    anchor_id: UUID,
    actor: KeepsTrust,
    office: Office,
    frame: StaffFrame,
    fingerprint: Typed = "",
    password: TypedSecret = "",
) -> Response:
    """The second administrator compared the fingerprint with the authority's own."""
    now = utc_now()
    try:
        sign_in.check_password(office.begin, username=actor.username, password=password, now=now)
        anchors.confirm(office.begin, anchor_id, fingerprint=fingerprint, by=actor, now=now)
    except OfficeError as error:
        return _one(office, frame, actor, anchor_id, error=error, form="confirm")
    return frame.to(f"/quan-tri/goc-tin-cay/{anchor_id}", tell="anchor_confirmed")


@router.post("/quan-tri/goc-tin-cay/{anchor_id:uuid}/thoi-tin")
def retire(
    anchor_id: UUID,
    actor: KeepsTrust,
    office: Office,
    frame: StaffFrame,
    reason: Typed = "",
    at: Typed = "",
    broken: Typed = "",
    password: TypedSecret = "",
) -> Response:
    """Refuse one that waits, or end the trust in one; one administrator is enough to take trust away."""
    now = utc_now()
    try:
        day = _day(at)
    except ValueError:
        return _one(office, frame, actor, anchor_id, error=Incomplete("day", ("day",)), form="retire")
    try:
        sign_in.check_password(office.begin, username=actor.username, password=password, now=now)
        ended = anchors.end(office.begin, anchor_id, reason=reason, at=day, broken=bool(broken), by=actor, now=now)
    except OfficeError as error:
        return _one(office, frame, actor, anchor_id, error=error, form="retire")
    told = "anchor_refused" if ended.state is AnchorState.REFUSED else "anchor_retired"
    return frame.to(f"/quan-tri/goc-tin-cay/{anchor_id}", tell=told)


def _one(
    office: Services,
    frame: Frame,
    actor: Actor,
    anchor_id: UUID,
    *,
    error: OfficeError | None = None,
    form: str = "",
) -> Response:
    with office.begin() as work:
        anchor = work.trust.anchor(anchor_id)
        entries = work.audit.of(anchor_id)
    problem, listed = _told(frame, error)
    return frame.page(
        "admin_anchor.html",
        status=problem["status"] if problem else 200,
        anchor=anchor,
        facts=anchor.facts,
        fingerprint=grouped(anchor.sha256),
        entries=entries,
        names=_people(office),
        now=utc_now(),
        lasts=_lasts,
        may_confirm=anchor.state is AnchorState.PROPOSED and anchor.proposed_by != actor.username,
        may_end=anchor.state is not AnchorState.REFUSED,
        problem=problem,
        listed=listed,
        form=form,
    )


def _told(frame: Frame, error: Exception | None) -> tuple[Any, list[str]]:
    """The trouble in this language, and what exactly is wrong."""
    if error is None:
        return None, []
    problem = frame.trouble(error)
    english = frame.language == "en"
    if isinstance(error, Incomplete):
        return problem, [_WHY[code][english] if code in _WHY else code for code in error.missing]
    if isinstance(error, NotAllowed):
        return problem, [_WHY["same_person"][english]] if str(error) == "same_person" else []
    if isinstance(error, NotACertificate | anchors.NoAuthority):
        return problem, [f"{error}."]
    if isinstance(error, FingerprintDiffers | WrongPassword):
        return problem, []
    return problem, []


def _lasts(begins: datetime, ends: datetime, now: datetime) -> tuple[int, int, str]:
    """How much of a certificate's life is over (percent), the days left, and how that looks."""
    over = (now - begins) / (ends - begins) if ends > begins else 1.0
    left = (ends - now).days
    warns = warning_of(left)
    tone = "bad" if left < 0 or (warns is not None and warns <= WARN_DAYS[1]) else "warn" if warns else "good"
    return max(0, min(100, round(100 * over))), left, tone


def _people(office: Services) -> dict[str, str]:
    """Names of those whom the history names by username."""
    with office.begin() as work:
        return {a.username: a.name for agency in work.agencies.all() for a in work.accounts.in_agency(agency.code)}


def _day(text: str) -> datetime | None:
    """A day as typed, from its first minute in Vietnam; None for nothing.

    Raises:
        ValueError: It isn't one.
    """
    day = typed_day(text)
    return None if day is None else datetime.combine(day, time.min, VIETNAM)
