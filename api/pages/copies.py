"""The signing of digitised copies: everything is seen once more, one password signs, each paper ends for itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api import sign_in
from api.deps import Office, Sees, SignsCopies
from api.errors import AccountLocked, WrongPassword
from api.pages.frame import Frame, StaffFrame, TypedSecret
from api.wiring import Services, utc_now
from digitize.types import RESCAN, Flag
from dossiers import review as reviewing
from dossiers.calendar import VIETNAM, local_day
from dossiers.policy import MAY, Act
from dossiers.types import Actor, Component, ComponentState, Incomplete, NotFound, OfficeError, Role
from signing import appearance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dossiers.types import Agency, CertificateRecord, Dossier, Page

router = APIRouter(include_in_schema=False)

#: A paper as it stood when the clerk looked: its id and how often its text layer was asked for.
_CHOICE = re.compile(r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(?P<revision>\d{1,9})")
_MOST_CHOICES = 200
#: A seal that ends so soon is said to.
_WARN_DAYS = 30
_COMMON_NAME = re.compile(r"(?:^|,\s*)(?:CN=|Common Name: )(?P<name>[^,]+)")


@dataclass(frozen=True)
class CopyRow:
    """A paper on the signing page.

    Attributes:
        flagged: Pages that ought to be scanned again, each with why.
    """

    component: Component
    pages: Sequence[Page]

    @property
    def is_ready(self) -> bool:
        """Whether it can be signed now."""
        return self.component.state is ComponentState.REVIEWED and self.component.searchable is not None

    @property
    def is_at_work(self) -> bool:
        """Whether the service is busy with it."""
        return self.component.state in (
            ComponentState.RECEIVED,
            ComponentState.CAPTURE_SIGNING,
            ComponentState.SIGNING,
        ) or (self.component.state is ComponentState.REVIEWED and self.component.searchable is None)

    @property
    def dpi(self) -> list[int]:
        """The lowest and the highest resolution of its pages, once if they are the same."""
        found = sorted({round(page.measured["dpi"]) for page in self.pages if page.measured.get("dpi")})
        return found[:1] + found[-1:] if len(found) > 1 else found

    @property
    def flagged(self) -> list[tuple[int, list[Flag]]]:
        """Page number and what is wrong there."""
        found = [(page.number, sorted(RESCAN & {Flag(flag) for flag in page.flags})) for page in self.pages]
        return [(number, flags) for number, flags in found if flags]

    @property
    def choice(self) -> str:
        """What the form says of it."""
        return f"{self.component.id}:{self.component.revision}"


@dataclass(frozen=True)
class Desk:
    """A dossier's papers on the way to being signed, and who may sign."""

    dossier: Dossier
    rows: Sequence[CopyRow]
    receiving: Agency
    seal: CertificateRecord | None
    signers: Sequence[str]
    may_sign: bool

    @property
    def ready(self) -> list[CopyRow]:
        """Papers that can be signed now."""
        return [row for row in self.rows if row.is_ready]


@router.get("/ho-so/{dossier_id}/ky-ban-sao")
def copies_page(dossier_id: UUID, actor: Sees, office: Office, frame: StaffFrame) -> Response:
    """Every paper of the dossier: what will be signed, what was signed, what isn't ready and why."""
    return _shown(frame, _desk(office, actor, dossier_id))


@router.get("/ho-so/{dossier_id}/ky-ban-sao/danh-sach")
def copies_list(dossier_id: UUID, actor: Sees, office: Office, frame: StaffFrame, san: int = 0) -> Response:
    """The papers that aren't ready to be signed, or no longer; `san` is how many were ready when the page was made."""
    desk = _desk(office, actor, dossier_id)
    response = frame.part("_copies.html", **_values(desk, shown_ready=san))
    if not san and desk.ready:
        response.headers["hx-refresh"] = "true"
    return response


@router.post("/ho-so/{dossier_id}/ky-ban-sao")
def sign_copies(
    dossier_id: UUID,
    actor: SignsCopies,
    office: Office,
    frame: StaffFrame,
    password: TypedSecret = "",
    giay: Annotated[list[str], Form()] = [],  # noqa: B006  never changed
) -> Response:
    """Have the chosen papers signed, each for itself, after the clerk's password has been asked for again."""
    desk = _desk(office, actor, dossier_id)
    chosen = [match for given in giay[:_MOST_CHOICES] if (match := _CHOICE.fullmatch(given))]
    try:
        _require(chosen)
        sign_in.check_password(office.begin, username=actor.username, password=password, now=utc_now())
    except (Incomplete, WrongPassword, AccountLocked) as error:
        problem = frame.trouble(error)
        return _shown(frame, desk, problem=problem, chosen=frozenset(giay), status=problem["status"])
    refused: dict[UUID, Mapping[str, Any]] = {}
    for match in chosen:
        component_id = UUID(match["id"])
        try:
            reviewing.ask_for_copy(
                office.begin, component_id, by=actor, dossier_id=dossier_id, revision=int(match["revision"])
            )
        except OfficeError as error:
            refused[component_id] = frame.trouble(error)
    if refused:
        return _shown(frame, _desk(office, actor, dossier_id), refused=refused, asked=len(chosen) - len(refused))
    return frame.to(f"/ho-so/{dossier_id}/ky-ban-sao", tell="copies_asked")


def _require(chosen: Sequence[object]) -> None:
    """Raises Incomplete: nothing was chosen."""
    if not chosen:
        raise Incomplete("papers", ("papers",))


def _desk(office: Services, actor: Actor, dossier_id: UUID) -> Desk:
    """Raises NotFound: there is no such dossier, or the asker's agency has no part in it."""
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        try:
            seal = work.certificates.for_agency(dossier.receiving)
        except NotFound:
            seal = None
        return Desk(
            dossier=dossier,
            rows=[CopyRow(c, work.components.pages(c.id)) for c in work.components.of_dossier(dossier.id)],
            receiving=work.agencies.of(dossier.receiving),
            seal=seal,
            signers=[p.name for p in work.accounts.in_agency(dossier.receiving) if Role.CLERK in p.roles],
            may_sign=actor.agency == dossier.receiving and bool(actor.roles & MAY[Act.SIGN_COPY]),
        )


def _shown(frame: Frame, desk: Desk, *, status: int = 200, **more: Any) -> Response:
    values = {"problem": None, "chosen": None, "refused": {}, "asked": 0} | more
    now = utc_now()
    return frame.page(
        "copies.html",
        status=status,
        block=appearance.copy(desk.receiving.name).lines,
        block_time=now.astimezone(VIETNAM).isoformat(timespec="seconds"),
        seal_name=_named(desk.seal),
        seal_days=(local_day(desk.seal.valid_to) - local_day(now)).days if desk.seal else 0,
        warn_days=_WARN_DAYS,
        **_values(desk, shown_ready=len(desk.ready)),
        **values,
    )


def _values(desk: Desk, *, shown_ready: int) -> dict[str, Any]:
    rest = [row for row in desk.rows if not row.is_ready]
    return {
        "desk": desk,
        "dossier": desk.dossier,
        "rest": rest,
        "State": ComponentState,
        "shown_ready": shown_ready,
        "newly_ready": max(0, len(desk.ready) - shown_ready),
        "at_work": any(row.is_at_work for row in rest),
        "all_done": bool(desk.rows) and all(row.component.state is ComponentState.DIGITIZED for row in desk.rows),
    }


def _named(seal: CertificateRecord | None) -> str:
    """Whom a certificate names."""
    if seal is None:
        return ""
    found = _COMMON_NAME.search(seal.subject)
    return found["name"] if found else seal.subject
