"""Writing a result: choose a template or bring a PDF, fill it in while the picture follows, submit it for approval."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from api.deps import Drafts, Office, Submits
from api.errors import BadUpload
from api.pages import draft_form
from api.pages import result_view as view
from api.pages.frame import Frame, StaffFrame, Typed
from api.pages.result_trouble import TROUBLE, told
from api.schemas.common import clean
from api.uploads import Upload, received
from api.wiring import Services, utc_now
from dossiers import codes, drafts, issuance, layouts
from dossiers.types import (
    Actor,
    Changed,
    DossierState,
    EResult,
    Incomplete,
    NotAllowed,
    NotFound,
    ResultState,
    WrongState,
)
from signing.document_kinds import DocumentKind

router = APIRouter(include_in_schema=False)

#: Inputs of a form: 400 facts, two inputs each, are more than any template takes.
_MOST_INPUTS = 1000


async def _form(request: Request, _: Drafts) -> FormData:
    """A form whose inputs are a template's fields: text only, cleaned as everything typed is."""
    try:
        form = await request.form(max_files=0, max_fields=_MOST_INPUTS)
        return FormData([(name, clean(text)) for name, text in form.multi_items() if isinstance(text, str)])
    except (HTTPException, ValueError) as error:
        raise BadUpload from error


SentForm = Annotated[FormData, Depends(_form)]


# --- a new one --------------------------------------------------------------------------------------------------------


@router.get("/ho-so/{dossier_id:uuid}/ket-qua/moi")
def new_result(dossier_id: UUID, actor: Drafts, office: Office, frame: StaffFrame) -> Response:
    """Choose how the result is made: from the procedure's template, from another, or from a finished PDF."""
    return _new(frame, actor, office, dossier_id)


def _new(frame: Frame, actor: Actor, office: Services, dossier_id: UUID, status: int = 200, **more: Any) -> Response:
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        procedure = work.procedures.of(dossier.procedure)
        signers = view.signers(work, actor)
        kinds = layouts.offered(work, actor.agency)
        earlier = [r for one in work.e_results.of_dossier(dossier.id) if (r := one.seen_by(actor.agency))]
    known = {
        "dossier": dossier,
        "procedure": procedure,
        "earlier": earlier,
        "signers": signers,
        "is_ours": dossier.competent == actor.agency,
        "is_open": dossier.state in (DossierState.IN_PROCESS, DossierState.RESULT_READY),
        "kinds": kinds,
        "wanted": procedure.result_template,
        "title": procedure.result_name,
        "leader": signers[0].username if len(signers) == 1 else "",
        "problem": None,
        "listed": (),
        "missing": set(),
    }
    return frame.page("result_new.html", status=status, **(known | more))


@router.post("/ho-so/{dossier_id:uuid}/ket-qua/moi")
def begin_draft(dossier_id: UUID, actor: Drafts, office: Office, frame: StaffFrame, form: SentForm) -> Response:
    """Begin a draft from a template, with what the dossier knows already in it."""
    typed = _typed_new(form)
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        procedure = work.procedures.of(dossier.procedure)
    try:
        kind = _chosen(office, actor, typed)
        known = drafts.first_words(dossier, procedure, kind)
        e_result = issuance.draft(
            office.begin,
            dossier_id,
            by=actor,
            leader=typed["leader"],
            template=typed["template"],
            data={key: one.value for key, one in known.items()},
            title=typed["title"],
        )
    except TROUBLE as error:
        return _not_begun(frame, actor, office, dossier_id, error, typed)
    return frame.to(f"/ket-qua/{e_result.id}", tell="result_drafted")


async def _result_file(request: Request, _: Drafts, office: Office) -> AsyncIterator[Upload]:
    async for upload in received(request, most_bytes=office.max_verification_bytes, folder=office.work_dir):
        yield upload


@router.get("/ho-so/{dossier_id:uuid}/ket-qua/tai-len")
def upload_page(dossier_id: UUID, _: Drafts, frame: StaffFrame) -> Response:
    """Where the upload's form is."""
    return frame.to(f"/ho-so/{dossier_id}/ket-qua/moi")


@router.post("/ho-so/{dossier_id:uuid}/ket-qua/tai-len")
def upload_result(
    dossier_id: UUID,
    actor: Drafts,
    office: Office,
    frame: StaffFrame,
    upload: Annotated[Upload, Depends(_result_file)],
) -> Response:
    """Begin a result from a finished PDF; one that comes signed is judged now and kept byte for byte."""
    typed = _typed_new(FormData(list(upload.fields.items())))
    try:
        e_result = issuance.upload(
            office.begin,
            office.store,
            dossier_id,
            by=actor,
            leader=typed["leader"],
            file=upload.path,
            title=codes.clean_filename(typed["title"]) if typed["title"] else "",
            limits=office.limits,
            judge=office.judges,
            now=utc_now(),
        )
    except TROUBLE as error:
        unnamed = isinstance(error, NotFound) and not typed["leader"]
        return _not_begun(frame, actor, office, dossier_id, Incomplete("no_leader") if unnamed else error, typed)
    return frame.to(f"/ket-qua/{e_result.id}", tell="came_signed" if e_result.came_signed else "result_uploaded")


def _typed_new(form: FormData) -> dict[str, str]:
    typed = {name: str(form.get(name, "")).strip() for name in ("template", "leader", "title")}
    return typed | {"title": typed["title"][: draft_form.MOST_TITLE]}


def _chosen(office: Services, actor: Actor, typed: dict[str, str]) -> DocumentKind:
    """What the chosen template makes.

    Raises:
        Incomplete: No template, or none that is offered; or no leader.
    """
    try:
        with office.begin() as work:
            kind = layouts.usable(work, typed["template"], actor.agency).kind
    except NotFound:
        raise Incomplete("no_template") from None
    if not typed["leader"]:
        raise Incomplete("no_leader")
    return kind


def _kind_of(office: Services, e_result: EResult) -> str | DocumentKind:
    """What its template takes; "" for an uploaded PDF."""
    if not e_result.template:
        return ""
    with office.begin() as work:
        return layouts.of(work, e_result.template).kind


def _not_begun(
    frame: Frame, actor: Actor, office: Services, dossier_id: UUID, error: Exception, typed: dict[str, str]
) -> Response:
    problem, listed = told(frame, error)
    kept = {"wanted" if name == "template" else name: text for name, text in typed.items() if text}
    return _new(frame, actor, office, dossier_id, problem["status"], problem=problem, listed=listed, **kept)


# --- a draft ----------------------------------------------------------------------------------------------------------


@router.post("/ket-qua/{e_result_id:uuid}/luu")
def save(
    request: Request, e_result_id: UUID, actor: Drafts, office: Office, frame: StaffFrame, form: SentForm
) -> Response:
    """Keep what was typed; a page that saves by itself gets back what is new: pictures, and what is still missing."""
    is_part = "hx-request" in request.headers
    try:
        _keep(office, actor, e_result_id, form)
    except TROUBLE as error:
        return _not_kept(frame, actor, office, e_result_id, error, form, is_part=is_part)
    if is_part:
        return frame.part("_draft_state.html", **view.values(frame, actor, office, e_result_id, saved_at=utc_now()))
    return frame.to(f"/ket-qua/{e_result_id}", tell="result_saved")


@router.post("/ket-qua/{e_result_id:uuid}/trinh")
def submit(e_result_id: UUID, actor: Submits, office: Office, frame: StaffFrame, form: SentForm) -> Response:
    """Keep what was typed, fix number, date and bytes, and lay it before the leader."""
    try:
        _keep(office, actor, e_result_id, form)
    except TROUBLE as error:
        return _not_kept(frame, actor, office, e_result_id, error, form, is_part=False)
    try:
        issuance.submit(
            office.begin,
            office.store,
            e_result_id,
            by=actor,
            verify_url=office.verify_url,
            face=office.typeface,
            now=utc_now(),
            work_dir=office.work_dir,
            profile=office.signature_profile,
        )
    except NotFound:  # the result is there: it was kept a moment ago
        return view.refused(frame, actor, office, e_result_id, Incomplete("certificate"))
    except TROUBLE as error:
        return view.refused(frame, actor, office, e_result_id, error)
    return frame.to(f"/ket-qua/{e_result_id}", tell="result_submitted")


@router.post("/ket-qua/{e_result_id:uuid}/bo-du-thao")
def discard(e_result_id: UUID, actor: Drafts, office: Office, frame: StaffFrame, reason: Typed = "") -> Response:
    """Whoever drafted it gives it up, with a reason."""
    try:
        issuance.discard(office.begin, e_result_id, by=actor, reason=reason, now=utc_now())
    except TROUBLE as error:
        return view.refused(frame, actor, office, e_result_id, error)
    return frame.to(f"/ket-qua/{e_result_id}", tell="result_discarded")


def _keep(office: Services, actor: Actor, e_result_id: UUID, form: FormData) -> None:
    """Keep a draft's form.

    Raises:
        Changed: The draft isn't in the version that was typed over.
        WrongState: It is no draft any more.
        NotAllowed: The leader named in it can't sign it.
    """
    with office.begin() as work:
        e_result = work.e_results.of(actor, e_result_id)
    if not view.may_write(actor, e_result):
        raise WrongState(e_result.state)
    typed = draft_form.typed(_kind_of(office, e_result), form)
    try:
        issuance.redraft(
            office.begin,
            e_result_id,
            by=actor,
            data=typed.data if e_result.template else None,
            leader=typed.leader or None,
            title=typed.title or None,
            version=typed.version,
        )
    except NotFound:  # nobody has that name
        raise NotAllowed("leader") from None


def _not_kept(
    frame: Frame, actor: Actor, office: Services, e_result_id: UUID, error: Exception, form: FormData, *, is_part: bool
) -> Response:
    """What was typed stands in the form still; where somebody else was quicker, a person decides what stays."""
    with office.begin() as work:
        e_result = work.e_results.of(actor, e_result_id)
    is_draft = e_result.state is ResultState.DRAFT
    more: dict[str, Any] = {"typed": draft_form.typed(_kind_of(office, e_result), form) if is_draft else None}
    if isinstance(error, Changed | WrongState):
        status, more["conflict"] = 412, "changed" if is_draft else "gone"
    else:
        more["problem"], more["listed"] = told(frame, error)
        status = more["problem"]["status"]
    if is_part:
        return frame.part("_draft_state.html", **view.values(frame, actor, office, e_result_id, **more))
    return view.shown(frame, actor, office, e_result_id, status=status, **more)
