"""E-results: from the draft to the register, and out of force again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api import sign_in
from api.deps import Approves, Drafts, MendsSigning, Office, RegistersSigned, Returns, Sees, Submits, Withdraws
from api.files import file_response
from api.schemas.e_results import ApproveIn, CommentIn, DraftIn, EResultOut, ReasonIn, RedraftIn, SupersedeIn
from api.uploads import Upload, received
from api.wiring import utc_now
from dossiers import codes, issuance
from dossiers.types import NotFound

router = APIRouter(tags=["E-results"])


@router.post("/dossiers/{dossier_id}/e-results", status_code=201)
def draft(dossier_id: UUID, body: DraftIn, actor: Drafts, office: Office) -> EResultOut:
    """Begin a result from a template."""
    return EResultOut.of(
        issuance.draft(
            office.begin,
            dossier_id,
            by=actor,
            leader=body.leader,
            template=body.template,
            data=body.data,
            title=body.title,
        )
    )


async def _result_file(request: Request, _: Drafts, office: Office) -> AsyncIterator[Upload]:
    async for upload in received(request, most_bytes=office.max_verification_bytes, folder=office.work_dir):
        yield upload


@router.post("/dossiers/{dossier_id}/e-results/upload", status_code=201)
def upload_result(
    dossier_id: UUID, actor: Drafts, office: Office, upload: Annotated[Upload, Depends(_result_file)]
) -> EResultOut:
    """Begin a result from a finished PDF (form fields: file, leader, title); one that came signed is verified now."""
    return EResultOut.of(
        issuance.upload(
            office.begin,
            office.store,
            dossier_id,
            by=actor,
            leader=upload.fields.get("leader", ""),
            file=upload.path,
            title=codes.clean_filename(upload.fields["title"]) if upload.fields.get("title") else "",
            limits=office.limits,
            judge=office.judges,
            now=utc_now(),
        )
    )


@router.get("/e-results")
def waiting(actor: Sees, office: Office) -> list[EResultOut]:
    """Results of the asker's agency that are not yet issued, oldest first."""
    with office.begin() as work:
        return [EResultOut.of(r) for r in work.e_results.waiting(actor)]


@router.get("/e-results/{e_result_id}")
def e_result(e_result_id: UUID, actor: Sees, office: Office) -> EResultOut:
    """One result."""
    with office.begin() as work:
        return EResultOut.of(work.e_results.of(actor, e_result_id))


@router.patch("/e-results/{e_result_id}")
def redraft(e_result_id: UUID, body: RedraftIn, actor: Drafts, office: Office) -> EResultOut:
    """Change a draft."""
    return EResultOut.of(
        issuance.redraft(office.begin, e_result_id, by=actor, data=body.data, leader=body.leader, title=body.title)
    )


@router.get("/e-results/{e_result_id}/preview")
def preview(e_result_id: UUID, actor: Sees, office: Office) -> Response:
    """The draft as it would look, without a number."""
    pdf = issuance.preview(
        office.begin, office.store, e_result_id, by=actor, verify_url=office.verify_url, face=office.typeface
    )
    return Response(pdf, media_type="application/pdf", headers={"cache-control": "no-store"})


@router.get("/e-results/{e_result_id}/document")
def document(request: Request, e_result_id: UUID, actor: Sees, office: Office) -> Response:
    """The PDF as it stands: what the leader reads, and later what was issued."""
    with office.begin() as work:
        found = work.e_results.of(actor, e_result_id)
        code = work.dossiers.for_job(found.dossier_id).code
    key = found.document or found.draft
    if key is None:
        raise NotFound("document")
    return file_response(request, office.store, key, codes.result_filename(code, found.ordinal))


@router.post("/e-results/{e_result_id}/submit")
def submit(e_result_id: UUID, actor: Submits, office: Office) -> EResultOut:
    """Fix number, date and bytes, and lay it before the leader."""
    return EResultOut.of(
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
    )


@router.post("/e-results/{e_result_id}/return")
def send_back(e_result_id: UUID, body: CommentIn, actor: Returns, office: Office) -> EResultOut:
    """A leader returns it with a comment, or its drafter takes it back; its number is void."""
    return EResultOut.of(issuance.send_back(office.begin, e_result_id, by=actor, comment=body.comment))


@router.post("/e-results/{e_result_id}/discard")
def discard(e_result_id: UUID, body: ReasonIn, actor: Drafts, office: Office) -> EResultOut:
    """Whoever drafted it gives a draft up; it stays readable, and nothing is deleted."""
    return EResultOut.of(issuance.discard(office.begin, e_result_id, by=actor, reason=body.reason, now=utc_now()))


@router.post("/e-results/{e_result_id}/approve", status_code=202)
def approve(e_result_id: UUID, body: ApproveIn, actor: Approves, office: Office) -> EResultOut:
    """The leader approves these bytes, with the password typed again; signing, sealing and issuing follow."""
    now = utc_now()
    sign_in.check_password(office.begin, username=actor.username, password=body.password, now=now)
    return EResultOut.of(
        issuance.approve(office.begin, e_result_id, by=actor, now=now, document_sha256=body.document_sha256)
    )


@router.post("/e-results/{e_result_id}/resume", status_code=202)
def resume(e_result_id: UUID, actor: MendsSigning, office: Office) -> EResultOut:
    """What stopped the signing is mended; go on."""
    return EResultOut.of(issuance.resume_signing(office.begin, e_result_id, by=actor))


@router.post("/e-results/{e_result_id}/register")
def register_signed(e_result_id: UUID, actor: RegistersSigned, office: Office) -> EResultOut:
    """Issue a result that came with its signatures, as it is."""
    return EResultOut.of(
        issuance.register_signed(
            office.begin,
            office.store,
            e_result_id,
            by=actor,
            judge=office.judges,
            now=utc_now(),
            work_dir=office.work_dir,
        )
    )


@router.post("/e-results/{e_result_id}/withdraw")
def withdraw(e_result_id: UUID, body: ReasonIn, actor: Withdraws, office: Office) -> EResultOut:
    """Take it out of force; the file stays and the register answers for it."""
    return EResultOut.of(issuance.withdraw(office.begin, e_result_id, by=actor, reason=body.reason, now=utc_now()))


@router.post("/e-results/{e_result_id}/supersede")
def supersede(e_result_id: UUID, body: SupersedeIn, actor: Withdraws, office: Office) -> EResultOut:
    """Let another issued result take its place."""
    return EResultOut.of(
        issuance.supersede(
            office.begin,
            e_result_id,
            by=actor,
            replacement=body.replacement,
            reason=body.reason,
            now=utc_now(),
        )
    )
