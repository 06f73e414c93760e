"""The counter: a dossier is opened, received with a receipt, stopped with a reason, and its result handed over.

Everything wrong with a form is said at once and beside its field, and what was typed stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response

from api.deps import Closes, HandsOver, Office, Opens, Receives, Sees
from api.files import file_response, made_response
from api.pages import papers
from api.pages.frame import Frame, StaffFrame, Typed
from api.schemas.common import Text
from api.wiring import Services, utc_now
from digitize.types import RESCAN, Flag
from dossiers import codes, forms, id_card, intake, page_marks
from dossiers.calendar import local_day
from dossiers.codes import BadCode
from dossiers.labels import label
from dossiers.types import (
    Actor,
    Agency,
    AgencyKind,
    Applicant,
    Dossier,
    DossierState,
    EResult,
    Incomplete,
    NotFound,
    OfficeError,
    Procedure,
    ResultState,
    WrongState,
)
from signing import qr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from api.errors import Language
    from dossiers.ports import UnitOfWork

router = APIRouter(include_in_schema=False)

_LONGEST_NAME = 200
_LONGEST_ADDRESS = 500
_PHONE = re.compile(r"\+?\d{8,15}")
_PHONE_GAPS = re.compile(r"[\s.()-]+")

# ── a new dossier


@dataclass(frozen=True)
class NewDossier:
    """The form of a new dossier, as it was typed; `card` is what a reader typed of an identity card."""

    card: str = ""
    name: str = ""
    id_number: str = ""
    phone: str = ""
    address: str = ""
    procedure: str = ""
    competent: str = ""
    back_file: bool = False


def _typed_dossier(
    card: Typed = "",
    name: Typed = "",
    id_number: Typed = "",
    phone: Typed = "",
    address: Typed = "",
    procedure: Typed = "",
    competent: Typed = "",
    back_file: Typed = "",
) -> NewDossier:
    return NewDossier(card, name, id_number, phone, address, procedure, competent, bool(back_file))


@router.get("/ho-so/moi")
def new_dossier(actor: Opens, office: Office, frame: StaffFrame, thu_tuc: str = "") -> Response:
    """The form of a new dossier; `thu_tuc` is a procedure already chosen."""
    return _form(_Desk.of(office, actor), frame, NewDossier(procedure=thu_tuc))


@router.get("/ho-so/moi/thu-tuc")
def chosen_procedure(actor: Opens, office: Office, frame: StaffFrame, procedure: str = "") -> Response:
    """What the chosen procedure asks for and promises, to be laid into the form."""
    return frame.part("_procedure.html", **_Desk.of(office, actor).promise(procedure))


@router.post("/ho-so/moi")
def open_dossier(
    actor: Opens,
    office: Office,
    frame: StaffFrame,
    given: Annotated[NewDossier, Depends(_typed_dossier)],
    anyway: Typed = "",
) -> Response:
    """Open the dossier, or show the form again with all that is wrong, or with the dossier this person has already."""
    now = utc_now()
    desk = _Desk.of(office, actor)
    if given.card and not given.name:
        return _read_card(desk, frame, given, now)
    applicant, wrong = _applicant(given, frame.language, now)
    wrong |= desk.wrong_choices(given, frame.language)
    if wrong:
        return _form(desk, frame, given, wrong=wrong)
    if not anyway:
        with office.begin() as work:
            twins = work.dossiers.still_open(actor, given.procedure, applicant)
        if twins:
            return _form(desk, frame, given, twins=twins)
    dossier = intake.open_dossier(
        office.begin,
        by=actor,
        procedure=given.procedure,
        applicant=applicant,
        competent=given.competent or None,
        back_file=given.back_file,
        now=now,
    )
    return frame.to(f"/ho-so/{dossier.id}#papers", tell="opened")


@dataclass(frozen=True)
class _Desk:
    """What there is to choose from at this counter.

    Attributes:
        receiving: Who receives what is opened here; a post office opens it for the agency it helps.
        deciding: Agencies that may decide a dossier opened today.
    """

    office: Services
    procedures: Sequence[Procedure]
    receiving: Agency
    is_helping: bool
    deciding: Sequence[Agency]

    @staticmethod
    def of(office: Services, actor: Actor) -> _Desk:
        today = local_day(utc_now())
        with office.begin() as work:
            own = work.agencies.of(actor.agency)
            is_helping = own.kind is AgencyKind.POST_OFFICE
            return _Desk(
                office=office,
                procedures=sorted(work.procedures.all(), key=lambda p: (p.field_name, p.name)),
                receiving=work.agencies.of(own.parent) if is_helping and own.parent else own,
                is_helping=is_helping,
                deciding=[
                    agency
                    for agency in work.agencies.all()
                    if agency.kind is not AgencyKind.POST_OFFICE
                    and (agency.valid_from is None or agency.valid_from <= today)
                    and (agency.valid_to is None or today <= agency.valid_to)
                ],
            )

    def promise(self, code: str) -> dict[str, Any]:
        """The procedure with this code and the day it would be promised for, received now; None while none is."""
        chosen = next((p for p in self.procedures if p.code == code), None)
        due_on = self.office.calendar.due_on(utc_now(), chosen.working_days) if chosen else None
        return {"chosen": chosen, "due_on": due_on}

    def wrong_choices(self, given: NewDossier, language: Language) -> dict[str, str]:
        """What can't be chosen, by field."""
        say = _Say(language)
        if given.procedure not in {p.code for p in self.procedures}:
            say.wrong("procedure", "Chọn thủ tục.", "Choose the procedure.")
        if given.competent not in {"", *(agency.code for agency in self.deciding)}:
            say.wrong(
                "competent", "Cơ quan này không nhận giải quyết nữa; chọn lại.", "It takes no more; choose again."
            )
        return say.said


class _Say:
    """Collects what is wrong with a form, by field, in the person's language."""

    def __init__(self, language: Language) -> None:
        self._english = language == "en"
        self.said: dict[str, str] = {}

    def wrong(self, field: str, vi: str, en: str) -> None:
        self.said[field] = en if self._english else vi


def _applicant(given: NewDossier, language: Language, now: datetime) -> tuple[Applicant, dict[str, str]]:
    """The person as typed, tidied; and everything wrong with it, by field."""
    say = _Say(language)
    if not given.name:
        say.wrong("name", "Nhập họ và tên người nộp.", "Enter the applicant's full name.")
    elif len(given.name) > _LONGEST_NAME:
        say.wrong("name", f"Họ và tên dài quá {_LONGEST_NAME} chữ.", f"Longer than {_LONGEST_NAME} letters.")
    id_number = given.id_number
    if id_number:
        try:
            id_number = codes.parse_personal_id(id_number, today=local_day(now)).digits
        except BadCode as error:
            say.wrong("id_number", str(error), error.english)
    phone = _PHONE_GAPS.sub("", given.phone)
    if phone and not _PHONE.fullmatch(phone):
        say.wrong(
            "phone",
            "Số điện thoại chỉ gồm chữ số, thường là 10 số và bắt đầu bằng 0.",
            "A telephone number has digits only, usually 10 of them, beginning with 0.",
        )
    if len(given.address) > _LONGEST_ADDRESS:
        say.wrong("address", f"Địa chỉ dài quá {_LONGEST_ADDRESS} chữ.", f"Longer than {_LONGEST_ADDRESS} letters.")
    return Applicant(" ".join(given.name.split()), id_number, phone, given.address), say.said


def _read_card(desk: _Desk, frame: Frame, given: NewDossier, now: datetime) -> Response:
    """The reader's Enter sent the form by itself: fill in what the card says, and let the person look at it first."""
    try:
        holder = id_card.parse(given.card, today=local_day(now))
    except BadCode as error:
        return _form(desk, frame, given, wrong={"card": error.english if frame.language == "en" else str(error)})
    filled = replace(given, card="", name=holder.name, id_number=holder.id_number, address=holder.address)
    return _form(desk, frame, filled)


def _form(
    desk: _Desk,
    frame: Frame,
    given: NewDossier,
    *,
    wrong: Mapping[str, str] | None = None,
    twins: Sequence[Dossier] = (),
) -> Response:
    wrong = wrong or {}
    return frame.page(
        "new_dossier.html",
        status=422 if wrong else 409 if twins else 200,
        given=given,
        wrong=wrong,
        listed=[{"field": field, "message": message} for field, message in wrong.items()],
        problem=frame.trouble(Incomplete("form")) if wrong else None,
        twins=twins,
        desk=desk,
        **desk.promise(given.procedure),
    )


# ── receiving it


@router.post("/ho-so/{dossier_id}/tiep-nhan")
def receive(dossier_id: UUID, actor: Receives, office: Office, frame: StaffFrame) -> Response:
    """Receive the dossier and lead to its receipt; or say everything that is missing, beside the papers."""
    try:
        intake.receive(office.begin, dossier_id, by=actor, calendar=office.calendar, now=utc_now())
    except Incomplete as error:
        return papers.shown(office, frame, actor, dossier_id, error=error)
    return frame.to(f"/ho-so/{dossier_id}/giay-hen", tell="received")


@router.get("/ho-so/{dossier_id}/giay-hen")
def receipt(dossier_id: UUID, actor: Sees, office: Office, frame: StaffFrame) -> Response:
    """The receipt, to print; again whenever it is asked for."""
    found = intake.receipt(office.begin, dossier_id, by=actor)
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        procedure = work.procedures.of(dossier.procedure)
        agencies = {agency.code: agency for agency in work.agencies.all()}
        received_by = _received_by(work, dossier)
    look_up = f"{office.base_url}/tra-cuu"
    return frame.page(
        "receipt.html",
        dossier=dossier,
        receipt=found,
        procedure=procedure,
        agencies=agencies,
        received_by=received_by,
        symbol=qr.symbol_for(f"{look_up}#hs={dossier.code}&ma={dossier.lookup_code}"),
        look_up=look_up.partition("://")[2],
    )


@router.get("/ho-so/{dossier_id}/giay-hen.pdf")
def receipt_form(dossier_id: UUID, actor: Sees, office: Office, _: StaffFrame) -> Response:
    """The receipt as a document: form 01, to print anywhere or to send."""
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
    pdf = forms.receipt(office.begin, dossier_id, by=actor, base_url=office.base_url, face=office.typeface)
    return made_response(pdf, codes.form_filename(dossier.code, "receipt"))


@router.get("/ho-so/{dossier_id}/phieu.pdf")
def stopped_form(dossier_id: UUID, actor: Sees, office: Office, _: StaffFrame) -> Response:
    """What the citizen is given when the dossier stops: request for supplements (form 02) or refusal (form 03)."""
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
    pdf = forms.stopped(office.begin, dossier_id, by=actor, base_url=office.base_url, face=office.typeface)
    return made_response(pdf, codes.form_filename(dossier.code, forms.STOPPED[dossier.state]))


def _received_by(work: UnitOfWork, dossier: Dossier) -> str:
    """The name of the person who received it, "" when that account is gone: they sign for it, whoever prints."""
    usernames = [entry.actor for entry in work.audit.of(dossier.id) if entry.event == "dossier.received"]
    try:
        return work.accounts.of(usernames[0]).name if usernames else ""
    except NotFound:
        return ""


# ── stopping it


@router.get("/ho-so/{dossier_id}/dung")
def stop_page(dossier_id: UUID, actor: Closes, office: Office, frame: StaffFrame) -> Response:
    """Ask for a supplement, refuse or cancel: what the citizen will read is written here."""
    return _stop_form(office, frame, actor, dossier_id)


@router.post("/ho-so/{dossier_id}/dung")
def stop(
    dossier_id: UUID,
    actor: Closes,
    office: Office,
    frame: StaffFrame,
    state: Typed = "",
    reason: Typed = "",
    found: Annotated[list[Text] | None, Form()] = None,
) -> Response:
    """Stop the dossier with a reason, and lead back to it."""
    found = found or []
    whole = "\n".join(filter(None, [reason, *(f"- {line}" for line in found)]))
    say = _Say(frame.language)
    if state not in set(_STOPS):
        say.wrong("state", "Chọn một trong các cách dừng.", "Choose how it is to be stopped.")
    if not whole:
        say.wrong("reason", "Viết lý do để người dân đọc.", "Write the reason for the citizen to read.")
    if say.said:
        return _stop_form(office, frame, actor, dossier_id, state=state, reason=reason, ticked=found, wrong=say.said)
    try:
        intake.close(office.begin, dossier_id, by=actor, state=DossierState(state), reason=whole, now=utc_now())
    except WrongState as error:
        return _stop_form(office, frame, actor, dossier_id, state=state, reason=reason, ticked=found, error=error)
    return frame.to(f"/ho-so/{dossier_id}", tell=f"stopped_{state}")


#: What stops a dossier, in the order of how often it happens.
_STOPS: Final = (DossierState.NEEDS_SUPPLEMENT, DossierState.REFUSED, DossierState.CANCELLED)


def _stop_form(
    office: Services,
    frame: Frame,
    actor: Actor,
    dossier_id: UUID,
    *,
    state: str = "",
    reason: str = "",
    ticked: Sequence[str] = (),
    wrong: Mapping[str, str] | None = None,
    error: OfficeError | None = None,
) -> Response:
    """The form as it was filled in.

    Raises:
        WrongState: The dossier can't be stopped in any way now.
    """
    wrong = wrong or {}
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        ways = [way for way in _STOPS if _may_move(dossier, way)]
        if not ways:
            raise WrongState(dossier.state)
        seen = list(_shortcomings(work, dossier))
    shown_error = error or (Incomplete("form") if wrong else None)
    problem = frame.trouble(shown_error) if shown_error else None
    return frame.page(
        "stop.html",
        status=problem["status"] if problem else 200,
        dossier=dossier,
        stops=ways,
        seen=seen,
        state=state or ways[0].value,
        reason=reason,
        ticked=ticked,
        wrong=wrong,
        listed=[{"field": field, "message": message} for field, message in wrong.items()],
        problem=problem,
    )


def _may_move(dossier: Dossier, to: DossierState) -> bool:
    try:
        dossier.move(to)
    except WrongState:
        return False
    return True


def _shortcomings(work: UnitOfWork, dossier: Dossier) -> Iterator[str]:
    """What a supplement may be asked for, all of it, in the citizen's language: missing papers, pages to scan again."""
    components = work.components.of_dossier(dossier.id)
    there = {component.kind for component in components}
    for kind in work.procedures.of(dossier.procedure).components:
        if kind.required and kind.code not in there:
            yield f"Thiếu: {kind.name}"
    pages = work.components.glance(component.id for component in components)
    for component in components:
        for page in pages:
            flags = [flag for flag in page.flags if Flag(flag) in RESCAN]
            if page.component_id == component.id and flags:
                yield f"{component.name}, trang {page.number}: {', '.join(label(Flag(flag)) for flag in flags)}"
        count = page_marks.counted([page for page in pages if page.component_id == component.id])
        if not count.agrees(component.pages_declared):
            yield f"{component.name}: nhận {count.pages} trang, đếm tay {component.pages_declared} trang"


# ── handing over the result


@router.get("/ho-so/{dossier_id}/tra")
def hand_over_page(dossier_id: UUID, actor: HandsOver, office: Office, frame: StaffFrame) -> Response:
    """What is handed over, to whom, and the button that says it was.

    Raises:
        WrongState: There is no result to hand over.
    """
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        if dossier.state is not DossierState.RESULT_READY:
            raise WrongState(dossier.state)
        return frame.page(
            "hand_over.html",
            dossier=dossier,
            procedure=work.procedures.of(dossier.procedure),
            results=_issued(work, dossier),
            annexes=work.annexes.of_all([result.id for result in _issued(work, dossier)]),
        )


@router.get("/ho-so/{dossier_id}/tra/{ordinal}")
def issued_document(
    request: Request, dossier_id: UUID, ordinal: int, actor: HandsOver, office: Office, _: StaffFrame
) -> Response:
    """An issued result as a file, to print for somebody without a telephone: for every counter with a part in it."""
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        found = next((result for result in _issued(work, dossier) if result.ordinal == ordinal), None)
        if found is None or found.document is None:
            raise NotFound(str(ordinal))
        work.audit.append(actor, "e_result.taken_out", found.id, dossier=dossier.code)
    return file_response(request, office.store, found.document, codes.result_filename(dossier.code, ordinal))


@router.get("/ho-so/{dossier_id}/tra/{ordinal}/{annex}")
def issued_annex(
    request: Request, dossier_id: UUID, ordinal: int, annex: int, actor: HandsOver, office: Office, _: StaffFrame
) -> Response:
    """An annex of an issued result, for the same people."""
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        its = (one for r in _issued(work, dossier) if r.ordinal == ordinal for one in work.annexes.of(r.id))
        found = next((one for one in its if one.ordinal == annex), None)
        if found is None or found.document is None:
            raise NotFound(f"{ordinal}/{annex}")
        work.audit.append(actor, "e_result.taken_out", found.e_result_id, dossier=dossier.code, annex=annex)
    return file_response(request, office.store, found.document, codes.annex_filename(dossier.code, ordinal, annex))


@router.post("/ho-so/{dossier_id}/tra")
def hand_over(dossier_id: UUID, actor: HandsOver, office: Office, frame: StaffFrame) -> Response:
    """The citizen has the result."""
    intake.hand_over(office.begin, dossier_id, by=actor)
    return frame.to(f"/ho-so/{dossier_id}", tell="handed_over")


def _issued(work: UnitOfWork, dossier: Dossier) -> list[EResult]:
    return [result for result in work.e_results.of_dossier(dossier.id) if result.state is ResultState.ISSUED]
