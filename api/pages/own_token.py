"""Signing with one's own token: the page that speaks to the desktop tool, and the way without it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from api.deps import Office, SignsWithToken
from api.errors import BadUpload, TooLarge, problem, trace_id_of
from api.pages import result_view as view
from api.pages.frame import SECURITY_POLICY, Frame, StaffFrame
from api.pages.result_trouble import TROUBLE, told
from api.routes.own_token import filename_of
from api.schemas.own_token import COMMANDS, SigningLinkOut
from api.uploads import Upload, received_or_why
from api.wiring import Services, utc_now
from dossiers import own_token
from dossiers.own_token import Taken
from dossiers.types import Actor, EResult, NotFound, OfficeError, ResultState
from signing.isolation import JudgesBusy
from signing.types import Place, SigningRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import UnitOfWork
    from dossiers.types import CertificateRecord

router = APIRouter(include_in_schema=False)

#: A certificate that ends so soon is said to.
_WARN_DAYS = 30


@dataclass(frozen=True)
class Expected:
    """Whose signature is awaited, as the page shows it. `subject` is the name in the certificate."""

    subject: str
    issuer: str
    serial: str
    valid_to: Any
    days: int

    @property
    def ends_soon(self) -> bool:
        """Whether it is time to renew it."""
        return self.days <= _WARN_DAYS


def waiting(work: UnitOfWork, actor: Actor) -> list[view.Row]:
    """What waits for this person's own token, the most urgent first."""
    found = [r for r in work.e_results.waiting(actor) if own_token.may_sign(actor, r)]
    return sorted(view.rows_of(work, actor, found), key=view.urgency)


@router.get("/ket-qua/ky-token")
def first(actor: SignsWithToken, office: Office, frame: StaffFrame) -> Response:
    """The first of those that wait for this person's token; they follow one after the other."""
    with office.begin() as work:
        rows = waiting(work, actor)
    return frame.to(f"/ket-qua/{rows[0].e_result.id}/ky-token" if rows else "/ket-qua")


@router.get("/ket-qua/{e_result_id:uuid}/ky-token")
def page(e_result_id: UUID, actor: SignsWithToken, office: Office, frame: StaffFrame) -> Response:
    """What will be signed, by which certificate, and how it went."""
    return _page(frame, actor, office, e_result_id)


@router.get("/ket-qua/{e_result_id:uuid}/ky-token/tinh-trang")
def part(e_result_id: UUID, actor: SignsWithToken, office: Office, frame: StaffFrame, v: str = "") -> Response:
    """How it went, alone; nothing (204) while it is as it was."""
    values = _values(frame, actor, office, e_result_id)
    return Response(status_code=204) if values["stamp"] == v else frame.part("_own_token.html", **values)


@router.post("/ket-qua/{e_result_id:uuid}/ky-token/mo")
def hand_out(
    request: Request, e_result_id: UUID, actor: SignsWithToken, office: Office, frame: StaffFrame
) -> JSONResponse:
    """A one-time link, for the page's script to pass to the desktop tool."""
    try:
        handed_out = own_token.hand_out(office.begin, e_result_id, by=actor, now=utc_now())
    except TROUBLE as error:
        body = problem(error, frame.language, trace_id=trace_id_of(request))
        return JSONResponse({"Message": f"{body['title']} {body['safe']} {body['next']}"}, body["status"])
    link = SigningLinkOut.of(handed_out, office.base_url, filename_of(office, e_result_id))
    return JSONResponse({"command": link.command, "parameters": link.parameters}, headers={"cache-control": "no-store"})


async def _file(request: Request, _: SignsWithToken, office: Office) -> AsyncIterator[Upload | TooLarge | BadUpload]:
    async for upload in received_or_why(request, most_bytes=office.max_verification_bytes, folder=office.work_dir):
        yield upload


@router.post("/ket-qua/{e_result_id:uuid}/ky-token/tai-len")
def upload(
    e_result_id: UUID,
    actor: SignsWithToken,
    office: Office,
    frame: StaffFrame,
    sent: Annotated[Upload | TooLarge | BadUpload, Depends(_file)],
) -> Response:
    """The way without the tool: the file, signed anywhere, from the person's own computer."""
    match sent:
        case TooLarge():
            return _page(frame, actor, office, e_result_id, refused=Taken("upload_too_large"))
        case BadUpload():
            return _page(frame, actor, office, e_result_id, refused=Taken("upload_broken"))
    try:
        taken = own_token.take_by_hand(
            office.begin,
            office.store,
            e_result_id,
            sent.path,
            by=actor,
            examiner=office.judges,
            now=utc_now(),
            work_dir=office.work_dir,
        )
    except (OfficeError, SigningRefused, JudgesBusy) as error:
        return _page(frame, actor, office, e_result_id, error=error)
    if taken.refusal:
        return _page(frame, actor, office, e_result_id, refused=taken)
    return frame.to(f"/ket-qua/{e_result_id}/ky-token", tell="token_signed")


def _page(
    frame: Frame,
    actor: Actor,
    office: Services,
    e_result_id: UUID,
    *,
    refused: Taken | None = None,
    error: Exception | None = None,
) -> Response:
    values = _values(frame, actor, office, e_result_id)
    status = 200
    if refused is not None:
        values |= {"refusal": refused.words(frame.language)}
        status = 422
    if error is not None:
        values |= dict(zip(("problem", "listed"), told(frame, error), strict=True))
        status = values["problem"]["status"]
    pages = len(view.sheets(office, values["r"])) if values["r"].document else 0
    response = frame.page("own_token.html", status=status, pages=pages, **values)
    response.headers["content-security-policy"] = _policy(office.signing_tool_urls)
    return response


def _policy(tools: Sequence[str]) -> str:
    """This page alone may also speak to the tool on the person's own computer, and to nothing else."""
    return SECURITY_POLICY.replace("connect-src 'self'", " ".join(["connect-src 'self'", *tools]))


def _values(frame: Frame, actor: Actor, office: Services, e_result_id: UUID) -> dict[str, Any]:
    with office.begin() as work:
        found = view.opened(work, actor, e_result_id)
        r = found.e_result
        place = own_token.awaited(r)
        record = _record(work, r, place)
        link = work.signing_links.newest(r.id)
        rows = waiting(work, actor)
    mine = own_token.may_sign(actor, r)
    others = [row for row in rows if row.e_result.id != r.id]
    refusal = ""
    if mine and link is not None and link.refusal:
        vi, en = own_token.words_of(office.begin, link)
        refusal = en if frame.language == "en" else vi
    signed = link is not None and link.returned is not None and place is None
    return {
        "r": r,
        "dossier": found.dossier,
        "State": ResultState,
        "mine": mine,
        "place": place,
        "is_seal": place is Place.SEAL,
        "command": COMMANDS[place] if place else "",
        "tools": " ".join(office.signing_tool_urls),
        "expected": _expected(record),
        "filename": filename_of(office, r.id),
        "signed": signed,
        "refusal": refusal,
        "refused_at": link.refused_at if link and refusal else None,
        "fetched": bool(mine and link and link.fetched_at and not refusal),
        "others": len(others),
        "next_one": others[0] if others else None,
        "moves": mine or (signed and r.state in view.BEING_SIGNED),
        "stamp": f"{r.version}-{link.version if link else 0}-{link.id if link else ''}-{len(others)}",
        "problem": None,
        "listed": (),
    }


def _record(work: UnitOfWork, e_result: EResult, place: Place | None) -> CertificateRecord | None:
    try:
        if place is Place.SEAL:
            return work.certificates.for_agency(e_result.agency)
        return work.certificates.for_person(e_result.leader)
    except NotFound:
        return None


def _expected(record: CertificateRecord | None) -> Expected | None:
    if record is None:
        return None
    days = max(0, (record.valid_to - utc_now()).days)
    return Expected(record.subject, record.issuer, record.serial, record.valid_to, days)
