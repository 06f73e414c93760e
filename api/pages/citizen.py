"""The citizen's door: follow a dossier, take its result, ask whether a document is genuine. No sign-in, no script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, StringConstraints

from api import counter, tickets
from api.deps import NotForeign, Office, Public
from api.errors import BadUpload, NoTicket, TooLarge, TooManyRequests
from api.pages import verdict_report
from api.pages.frame import PublicFrame, Typed, forget_pictures
from api.schemas.common import clean
from api.uploads import Upload, received_or_why
from api.wiring import utc_now
from dossiers import codes, verification
from dossiers.answers import answer
from dossiers.codes import BadCode
from dossiers.types import AgencyKind, DossierState, NotFound, RegisterStatus, ResultState
from signing.changes import Later
from signing.types import Kind, Verdict
from signing.words import (
    at_signing_words,
    later_words,
    reason_words,
    sub_indication_words,
    time_source_words,
)

if TYPE_CHECKING:
    from datetime import datetime

    from api.errors import Language
    from api.pages.frame import Frame
    from api.wiring import Services
    from dossiers.types import Annex, EResult
    from dossiers.verification import CitizenView, Judgement
    from signing.types import FileVerdict

router = APIRouter(dependencies=[Public], include_in_schema=False)

#: Who has shown both codes sees the dossier for an hour, by a sealed cookie that no script can read.
COOKIE = "hoso_citizen"
_FINDING = "/tra-cuu"
_DOSSIER = "/tra-cuu/ho-so"
_SEEN = "dossier"

#: What was asked for in an address.
Asked = Annotated[str, Query(), StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(clean)]

#: How many of the five stops on its way a dossier has behind it: received, digitised, processed, ready, handed over.
_BEHIND: Final = {
    DossierState.DRAFT: 0,
    DossierState.RECEIVED: 1,
    DossierState.DIGITIZING: 1,
    DossierState.NEEDS_SUPPLEMENT: 1,
    DossierState.DIGITIZED: 2,
    DossierState.IN_PROCESS: 2,
    DossierState.RESULT_READY: 4,
    DossierState.RETURNED: 5,
    DossierState.REFUSED: 1,
    DossierState.CANCELLED: 1,
}
_OVER = frozenset({DossierState.REFUSED, DossierState.CANCELLED})
_READY = frozenset({DossierState.RESULT_READY, DossierState.RETURNED})

#: What surrounds a sentence: green is for what is genuine and in force, and for nothing else.
_TONES: Final = {
    Verdict.ALTERED: "bad",
    Verdict.REVOKED: "bad",
    Verdict.UNCONFIRMED: "unknown",
    Verdict.UNSIGNED: "unknown",
    Verdict.UNREADABLE: "unknown",
}


# ── the first page


@router.get("/")
def home(frame: PublicFrame, office: Office) -> Response:
    """Two doors, and who to call."""
    with office.begin() as work:
        phones = [a.phone for a in work.agencies.all() if a.kind is AgencyKind.CENTRE and a.phone]
    return frame.page("citizen_home.html", phone=next(iter(phones), ""))


# ── a dossier and its result


@router.get("/tra-cuu")
def finding_page(
    request: Request, frame: PublicFrame, office: Office, ended: Annotated[str, Query(alias="het-gio")] = ""
) -> Response:
    """The form for both codes. The QR code of a receipt leads here with them behind "#", which no server sees."""
    still_open = _seen(request, office, utc_now())
    return frame.page("citizen_find.html", **_blank_find() | {"ended": bool(ended), "still_open": still_open})


@router.post("/tra-cuu", dependencies=[NotForeign, counter.LOOK_UP_TRIES])
def find(frame: PublicFrame, office: Office, ma_ho_so: Typed = "", ma_tra_cuu: Typed = "") -> Response:
    """Both codes in any writing; one neutral answer whether the dossier is unknown or the code isn't its own."""
    given = _blank_find() | {"dossier_code": ma_ho_so, "lookup_code": ma_tra_cuu}
    wrong = {
        field: said
        for field, text, read in (
            ("ma_ho_so", ma_ho_so, codes.parse_dossier_code),
            ("ma_tra_cuu", ma_tra_cuu, codes.normalise_lookup_code),
        )
        if (said := _slip(read, text, frame.language)) is not None
    }
    if wrong:
        return frame.page("citizen_find.html", status=422, **given | {"wrong": wrong})
    now = utc_now()
    try:
        view = counter.look_up(office, dossier_code=ma_ho_so, lookup_code=ma_tra_cuu, now=now)
    except NotFound:
        return frame.page("citizen_find.html", status=404, **given | {"unknown": True})
    except TooManyRequests as error:
        return frame.page("citizen_find.html", status=429, **given | {"problem": frame.trouble(error)})
    response = frame.to(_DOSSIER)
    response.set_cookie(
        COOKIE,
        tickets.sealed(office.secret, _SEEN, view.dossier.code, until=now + counter.DOWNLOAD_LIFE),
        max_age=int(counter.DOWNLOAD_LIFE.total_seconds()),
        path=_FINDING,
        httponly=True,
        samesite="lax",
        secure=office.base_url.startswith("https://"),
    )
    return response


@router.get("/tra-cuu/ho-so")
def dossier_page(request: Request, frame: PublicFrame, office: Office) -> Response:
    """Where the dossier is, what to do next, and its results to take; back to the form once the hour is over."""
    now = utc_now()
    code = _seen(request, office, now)
    if not code:
        response = frame.to(f"{_FINDING}?het-gio=1")
        response.delete_cookie(COOKIE, path=_FINDING)
        return response
    view = verification.look_again(office.begin, dossier_code=code)
    return frame.page("citizen_dossier.html", **_followed(office, view, now))


@router.head("/tra-cuu/tai/{ticket}/{name}")
@router.get("/tra-cuu/tai/{ticket}/{name}")
def take(request: Request, frame: PublicFrame, office: Office, ticket: str, name: str) -> Response:  # noqa: ARG001
    """The result as a plain attachment, for browsers inside other apps too; `name` is for those that go by addresses.

    A ticket that has ended leads to the dossier's page, where a fresh one is.
    """
    try:
        return counter.download(request, office, ticket, now=utc_now())
    except (NoTicket, NotFound):
        return frame.to(_DOSSIER)


@router.post("/tra-cuu/dong", dependencies=[NotForeign])
def close(frame: PublicFrame) -> Response:
    """Forget the dossier on this telephone or computer, before the hour is over."""
    response = frame.to(_FINDING, tell="look_up_closed")
    response.delete_cookie(COOKIE, path=_FINDING)
    return forget_pictures(response)


def _blank_find() -> dict[str, Any]:
    return {
        "dossier_code": "",
        "lookup_code": "",
        "wrong": {},
        "unknown": False,
        "problem": None,
        "ended": False,
        "still_open": "",
    }


def _slip(read: Any, text: str, language: Language) -> str | None:
    """What is wrong with a code as typed: "" for one that wasn't typed at all, None for a good one."""
    if not text:
        return ""
    try:
        read(text)
    except BadCode as error:
        return error.english if language == "en" else str(error)
    return None


def _seen(request: Request, office: Services, now: datetime) -> str:
    """The code of the dossier that this browser has shown both codes of within the hour, or ""."""
    try:
        (code,) = tickets.opened(office.secret, _SEEN, request.cookies.get(COOKIE, ""), now=now)
    except NoTicket:
        return ""
    return str(code)


@dataclass(frozen=True)
class Stop:
    """One of the stops on the way; `how` is "done", "now", "stopped" or ""."""

    key: str
    how: str
    at: datetime | None


def _followed(office: Services, view: CitizenView, now: datetime) -> dict[str, Any]:
    """What the page about a dossier says."""
    dossier = view.dossier
    in_force = [r for r in view.e_results if r.state is ResultState.ISSUED]
    ready_at = max((r.issued_at for r in in_force if r.issued_at), default=None)
    until = ready_at if dossier.state in _READY else now
    days_left = office.calendar.working_days_left(dossier.due_on, until) if dossier.due_on and until else None
    return {
        "view": view,
        "dossier": dossier,
        "applicant": masked(dossier.applicant.name),
        "stops": _stops(view, ready_at),
        "ready_at": ready_at,
        "days_left": days_left,
        "again": dossier.state is DossierState.IN_PROCESS and bool(view.e_results) and not in_force,
        "results": [_taken(office, view, r, now) for r in reversed(view.e_results)],
        "phone": view.receiving.phone or view.competent.phone,
        "closes_at": now + counter.DOWNLOAD_LIFE,
    }


def _stops(view: CitizenView, ready_at: datetime | None) -> list[Stop]:
    dossier, since = view.dossier, view.since
    behind = _BEHIND[dossier.state]
    over = dossier.state in _OVER
    reached = {
        "received": dossier.received_at,
        "digitised": None,
        "processed": since.get(DossierState.IN_PROCESS),
        "ready": ready_at,
        "handed_over": since.get(DossierState.RETURNED),
    }
    if over:
        received = [Stop("received", "done", dossier.received_at)] if dossier.received_at else []
        return [*received, Stop(dossier.state.value, "stopped", since.get(dossier.state))]
    return [
        Stop(key, "done" if n < behind else "now" if n == behind else "", at if n <= behind else None)
        for n, (key, at) in enumerate(reached.items())
    ]


def _taken(office: Services, view: CitizenView, e_result: EResult, now: datetime) -> dict[str, Any]:
    """One result as its holder sees it, with where to take it while it is in force."""
    ticket = counter.download_ticket(office, view, e_result, now=now)
    name = codes.result_filename(view.dossier.code, e_result.ordinal)
    newer = next((r for r in view.e_results if r.id == e_result.superseded_by), None)
    return {
        "it": e_result,
        "code": codes.result_code(view.dossier.code, e_result.ordinal),
        "href": f"/tra-cuu/tai/{ticket}/{name}" if ticket else "",
        "size": e_result.document.size if e_result.document else 0,
        "newer": newer.full_number if newer else "",
        "annexes": [_annex_taken(office, view, e_result, annex, now) for annex in view.annexes.get(e_result.id, ())],
    }


def _annex_taken(office: Services, view: CitizenView, e_result: EResult, annex: Annex, now: datetime) -> dict[str, Any]:
    ticket = counter.annex_ticket(office, view, e_result, annex, now=now)
    name = codes.annex_filename(view.dossier.code, e_result.ordinal, annex.ordinal)
    return {
        "it": annex,
        "href": f"/tra-cuu/tai/{ticket}/{name}" if ticket else "",
        "size": annex.document.size if annex.document else 0,
    }


def masked(name: str) -> str:
    """A person's name so that its owner knows it again and nobody else learns it: "Nguyễn V*** A***"."""
    first, *rest = name.split() or [""]
    if not rest:
        return f"{first[:1]}***" if first else ""
    return " ".join([first, *(f"{word[:1]}***" for word in rest)])


# ── is this document genuine?

#: What may follow a signature without changing the document.
_HARMLESS = frozenset({Later.SIGNATURE, Later.TIMESTAMP, Later.EVIDENCE})


@router.get("/kiem-tra")
def checking_page(frame: PublicFrame, office: Office, ma: Asked | None = None) -> Response:
    """The form: a file to judge, or the code printed on a document, which leads on to what the register says of it."""
    if ma is None:
        return _checking(frame, office)
    slip = _slip(codes.normalise_lookup_code, ma, frame.language)
    if slip is None:
        return frame.to(f"/kiem-tra/{codes.normalise_lookup_code(ma)}")
    return _checking(frame, office, status=422, code=ma, wrong_code=slip, is_dossier=_is_dossier(ma))


async def _file(request: Request, office: Office) -> AsyncIterator[Upload | TooLarge | BadUpload]:
    """The upload, or why there is none: the page says that in its own words."""
    of_form = received_or_why(request, most_bytes=office.max_verification_bytes, folder=office.work_dir)
    async with aclosing(of_form) as uploads:
        async for upload in uploads:
            yield upload


@router.post("/kiem-tra", dependencies=[counter.VERIFY_TRIES, counter.VERIFY_AT_ONCE])
def check(
    frame: PublicFrame, office: Office, upload: Annotated[Upload | TooLarge | BadUpload, Depends(_file)]
) -> Response:
    """The verdict on a file; nothing of it is kept. What can't be judged is answered with what to do instead."""
    if isinstance(upload, TooLarge):
        return _checking(frame, office, status=413, wrong_file="too_large")
    if isinstance(upload, BadUpload):
        return _checking(frame, office, status=400, wrong_file="broken")
    size = upload.path.stat().st_size
    if not upload.filename and not size:
        return _checking(frame, office, status=422, wrong_file="none")
    judgement = verification.judge(office.begin, upload.path, judge=office.judges, now=utc_now())
    other: Language = "vi" if frame.language == "en" else "en"
    return frame.page(
        "citizen_verdict.html",
        judgement=judgement,
        said=answer(judgement, language=frame.language),
        also=answer(judgement, language=other).headline,
        tone=tone_of(judgement),
        signatures=[
            (report, [reason_words(r, language=frame.language) for r in report.reasons])
            for report in judgement.file.signatures
        ],
        changed=_changed(judgement.file, frame.language),
        told=_told_of(judgement.file, frame.language),
        filename=codes.clean_filename(upload.filename),
        size=size,
        policy=counter.POLICY,
        address=office.verify_url,
        report=verdict_report.sealed_words(office, judgement, size=size),
    )


@router.get("/kiem-tra/chinh-sach")
def policy_page(frame: PublicFrame) -> Response:
    """By which rules verdicts are made; every verdict names them and leads here."""
    return frame.page("citizen_policy.html", policy=counter.POLICY)


@router.get("/kiem-tra/{code}", dependencies=[counter.REGISTER_TRIES])
def printed_code(frame: PublicFrame, office: Office, code: str) -> Response:
    """What the register says of the result with this printed code. QR codes lead here: it must answer for ever."""
    slip = _slip(codes.normalise_lookup_code, code, frame.language)
    typed = code if code.isprintable() else ""
    if slip is not None:
        return _checking(frame, office, status=422, code=typed, wrong_code=slip, is_dossier=_is_dossier(code))
    try:
        entry = verification.in_register(office.begin, lookup_code=code)
    except NotFound:
        return _checking(frame, office, status=404, code=typed, unknown=True)
    return frame.page("citizen_register.html", entry=entry, limit=office.max_verification_bytes)


def _changed(found: FileVerdict, language: Language) -> str:
    """What kind of thing was changed after signing, for an altered file; "" when that can't be told."""
    about = next((report for report in found.signatures if report.changed_in), None)
    kinds = about.later if about else ()
    return "; ".join(later_words(code, language=language) for code in kinds if code not in _HARMLESS)


def _told_of(found: FileVerdict, language: Language) -> list[dict[str, str]]:
    """Of each signature what codes stand for, in words."""
    return [
        {
            "later": "; ".join(later_words(code, language=language) for code in report.later),
            "at_signing": at_signing_words(report.at_signing, language=language),
            "time_source": time_source_words(report.time_source, language=language),
            "sub_indication": sub_indication_words(report.sub_indication or "", language=language),
        }
        for report in found.signatures
    ]


def tone_of(judgement: Judgement) -> str:
    """What surrounds the sentence: "good" only for a genuine result in force, "info" for a copy or report of ours.

    "warn" is for what is genuine and no longer, or not here, in the register; "bad" for what was tampered with;
    "unknown" for everything that can't be told.
    """
    if judgement.in_force:
        return "good"
    if judgement.file.verdict is not Verdict.GENUINE:
        return _TONES[judgement.file.verdict]
    ours = judgement.register is not RegisterStatus.NOT_OURS
    if not ours and judgement.file.kind is Kind.ELECTRONIC_COPY and judgement.copy is not None:
        return "info"
    return "info" if judgement.reported_by is not None else "warn"


def _checking(frame: Frame, office: Services, *, status: int = 200, **given: Any) -> Response:
    """The form, with what was typed and what is wrong with it."""
    values = {"code": "", "wrong_code": None, "is_dossier": False, "unknown": False, "wrong_file": ""} | given
    return frame.page("citizen_check.html", status=status, limit=office.max_verification_bytes, **values)


def _is_dossier(text: str) -> bool:
    """Whether somebody typed the code of a dossier, or of a result, where the printed code belongs."""
    for read in (codes.parse_dossier_code, codes.parse_result_code):
        try:
            read(text)
        except BadCode:
            continue
        return True
    return False
