"""Dossiers and their papers: from the counter to the digitised copy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator
from starlette.concurrency import run_in_threadpool

from api import sign_in
from api.deps import (
    AddsPapers,
    Closes,
    HandsOver,
    Office,
    Opens,
    Processes,
    Receives,
    Reviews,
    Sees,
    SignsCopies,
)
from api.files import file_response, made_response, masked_response
from api.schemas.common import PasswordIn, clean
from api.schemas.dossiers import (
    AmendmentOut,
    CloseIn,
    ComponentOut,
    CorrectionsIn,
    DossierIn,
    DossierOut,
    DossierProgressOut,
    DossiersOut,
    DroppedOut,
    EventOut,
    FieldOut,
    KeepingOut,
    PageMarksIn,
    PartIn,
    ProgressOut,
    ReceiptOut,
    ReviewIn,
    SearchHitOut,
)
from api.uploads import Upload, received
from api.wiring import Services, utc_now
from digitize import quality, reading
from digitize.lines import lines_of
from dossiers import codes, forms, holds, identity_papers, intake, page_marks, parting, record, separation
from dossiers import review as reviewing
from dossiers.calendar import local_day
from dossiers.history import changes_of, history_of
from dossiers.separation import Meant
from dossiers.types import Actor, Applicant, Component, DossierState, Incomplete, NotFound, ObjectKey, Page, Within

router = APIRouter(tags=["Dossiers"])

#: How often a progress stream looks, and how often it says that it is alive, in seconds.
_LOOK_EVERY_S = 0.4
_BEAT_EVERY_S = 15.0


@router.post("/dossiers", status_code=201)
def open_dossier(body: DossierIn, actor: Opens, office: Office) -> DossierOut:
    """Open a draft dossier."""
    return DossierOut.of(
        intake.open_dossier(
            office.begin,
            by=actor,
            procedure=body.procedure,
            applicant=Applicant(**body.applicant.model_dump()),
            receiving=body.receiving,
            competent=body.competent,
            back_file=body.back_file,
            now=utc_now(),
        )
    )


@router.get("/dossiers")
def queue(
    actor: Sees,
    office: Office,
    state: Annotated[list[DossierState] | None, Query()] = None,
    cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DossiersOut:
    """The asker's dossiers, most urgent first."""
    with office.begin() as work:
        found = work.dossiers.queue(actor, states=state, after=cursor, limit=limit)
    return DossiersOut(
        items=[DossierOut.of(d) for d in found], next_cursor=found[-1].id if len(found) == limit else None
    )


@router.get("/dossiers/{dossier_id}")
def dossier(dossier_id: UUID, actor: Sees, office: Office) -> DossierOut:
    """A dossier with its papers and results, whether it is held, and for how long it is kept."""
    with office.begin() as work:
        found = work.dossiers.of(actor, dossier_id)
        results = [shown for r in work.e_results.of_dossier(found.id) if (shown := r.seen_by(actor.agency))]
        held = work.holds.is_held(found.id)
        keeping = KeepingOut.of(
            work.retention.of_dossier(found.id, office.retention_years),
            holds.coverage_of(work, found.id, now=utc_now()) if held else None,
        )
        return DossierOut.of(found, work.components.of_dossier(found.id), results, keeping=keeping)


@router.get("/dossiers/{dossier_id}/progress")
def dossier_progress(dossier_id: UUID, actor: Sees, office: Office) -> DossierProgressOut:
    """How far its papers are, page by page, and who acts next."""
    with office.begin() as work:
        found = work.dossiers.of(actor, dossier_id)
        components = work.components.of_dossier(found.id)
        return DossierProgressOut.of(found, components, work.components.glance(c.id for c in components))


@router.get("/dossiers/{dossier_id}/history")
def history(dossier_id: UUID, actor: Sees, office: Office) -> list[EventOut]:
    """What happened to a dossier and its papers, oldest first."""
    with office.begin() as work:
        found = work.dossiers.of(actor, dossier_id)
        entries = history_of(work, found, to=actor)
    return [EventOut(at=e.at, actor=e.actor, agency=e.agency, event=e.event, detail=e.detail) for e in entries]


@router.get("/dossiers/{dossier_id}/amendments/{subject}")
def amendments(dossier_id: UUID, subject: UUID, actor: Sees, office: Office) -> list[AmendmentOut]:
    """What persons changed of a dossier (`subject` is its own id), of one of its papers or results: before and after.

    Of an identity paper it is a look, and stands in the log.
    """
    return [AmendmentOut.of(told) for told in changes_of(office.begin, dossier_id, subject, by=actor, now=utc_now())]


@router.post("/dossiers/{dossier_id}/receive")
def receive(dossier_id: UUID, actor: Receives, office: Office) -> ReceiptOut:
    """Receive it: nothing required is missing, the promised date is set."""
    return ReceiptOut.of(intake.receive(office.begin, dossier_id, by=actor, calendar=office.calendar, now=utc_now()))


@router.get("/dossiers/{dossier_id}/receipt")
def receipt(dossier_id: UUID, actor: Sees, office: Office) -> ReceiptOut:
    """The receipt, to print again."""
    return ReceiptOut.of(intake.receipt(office.begin, dossier_id, by=actor))


@router.get("/dossiers/{dossier_id}/receipt.pdf")
def receipt_form(dossier_id: UUID, actor: Sees, office: Office) -> Response:
    """The receipt as a document: form 01, PDF/A, to print or send."""
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
    pdf = forms.receipt(office.begin, dossier_id, by=actor, base_url=office.base_url, face=office.typeface)
    return made_response(pdf, codes.form_filename(dossier.code, "receipt"))


@router.get("/dossiers/{dossier_id}/stopped.pdf")
def stopped_form(dossier_id: UUID, actor: Sees, office: Office) -> Response:
    """What the citizen is told when it stops: the request for supplements (form 02) or the refusal (form 03), PDF/A."""
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
    pdf = forms.stopped(office.begin, dossier_id, by=actor, base_url=office.base_url, face=office.typeface)
    return made_response(pdf, codes.form_filename(dossier.code, forms.STOPPED[dossier.state]))


@router.post("/dossiers/{dossier_id}/close")
def close(dossier_id: UUID, body: CloseIn, actor: Closes, office: Office) -> DossierOut:
    """Refuse it, cancel it, or ask for a supplement, with a reason.

    Of a refused or cancelled one nothing more is read; its scans are kept.
    """
    return DossierOut.of(
        intake.close(office.begin, dossier_id, by=actor, state=body.state, reason=body.reason, now=utc_now())
    )


@router.post("/dossiers/{dossier_id}/resume")
def resume(dossier_id: UUID, actor: Closes, office: Office) -> DossierOut:
    """Go on with a dossier that waited for a supplement, with the papers it has."""
    return DossierOut.of(intake.resume(office.begin, dossier_id, by=actor))


@router.post("/dossiers/{dossier_id}/process")
def start_processing(dossier_id: UUID, actor: Processes, office: Office) -> DossierOut:
    """The competent agency takes it into work."""
    return DossierOut.of(intake.start_processing(office.begin, dossier_id, by=actor))


@router.post("/dossiers/{dossier_id}/hand-over")
def hand_over(dossier_id: UUID, actor: HandsOver, office: Office) -> DossierOut:
    """The result has reached the citizen."""
    return DossierOut.of(intake.hand_over(office.begin, dossier_id, by=actor))


async def _scan(request: Request, _: AddsPapers, office: Office) -> AsyncIterator[Upload]:
    async for upload in received(request, most_bytes=office.limits.max_bytes, folder=office.work_dir):
        yield upload


@router.post(
    "/dossiers/{dossier_id}/components",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {
                            "file": {"type": "string", "format": "binary"},
                            "kind": {"type": "string"},
                            "name": {"type": "string"},
                            "pages_declared": {"type": "integer"},
                            "replaces": {"type": "string", "format": "uuid"},
                        },
                    }
                }
            },
        }
    },
)
def add_component(
    dossier_id: UUID, actor: AddsPapers, office: Office, upload: Annotated[Upload, Depends(_scan)]
) -> ComponentOut:
    """Take in one scanned paper. 201 means: durable, read back, its pages queued.

    A stack with separator sheets becomes several papers; this answers with the first.
    """
    counted = upload.fields.get("pages_declared", "")
    replaces = upload.fields.get("replaces", "")
    meant = Meant(
        dossier_id,
        kind=upload.fields.get("kind", ""),
        name=codes.clean_filename(upload.fields["name"]) if upload.fields.get("name") else "",
        filename=upload.filename,
        pages_declared=_count(counted) if counted else None,
        replaces=_uuid(replaces) if replaces else None,
    )
    brought = separation.bring_in(
        office.begin, office.store, meant, by=actor, file=upload.path, limits=office.limits, now=utc_now()
    )
    return ComponentOut.of(brought.papers[0])


@router.get("/dossiers/{dossier_id}/components/{component_id}")
def component(dossier_id: UUID, component_id: UUID, actor: Sees, office: Office) -> ComponentOut:
    """One paper."""
    return ComponentOut.of(_component(office, actor, dossier_id, component_id))


@router.delete("/dossiers/{dossier_id}/components/{component_id}")
def drop_component(dossier_id: UUID, component_id: UUID, actor: AddsPapers, office: Office) -> DroppedOut:
    """Take a paper out of a dossier that wasn't received yet: what waits is dropped, its scan is kept."""
    unread = intake.drop_component(office.begin, component_id, by=actor, dossier_id=dossier_id)
    return DroppedOut(unread_pages=unread, scan_sha256=_component(office, actor, dossier_id, component_id).scan.sha256)


@router.get("/dossiers/{dossier_id}/components/{component_id}/progress")
def progress(dossier_id: UUID, component_id: UUID, actor: Sees, office: Office) -> ProgressOut:
    """How far it is, page by page."""
    found = _component(office, actor, dossier_id, component_id)
    with office.begin() as work:
        return ProgressOut.of(work.dossiers.of(actor, dossier_id), found, work.components.glance([found.id]))


@router.get("/dossiers/{dossier_id}/components/{component_id}/events")
async def events(
    request: Request, dossier_id: UUID, component_id: UUID, actor: Sees, office: Office
) -> StreamingResponse:
    """The same as a stream (SSE): one event whenever something changed, until the paper is at rest.

    Each event carries the whole picture, so a line that was lost is made good by the next one.
    """
    first = await run_in_threadpool(progress, dossier_id, component_id, actor, office)

    async def stream() -> AsyncIterator[str]:
        now, last, beat = first, "", time.monotonic()
        sequence = 0
        while True:
            body = now.model_dump_json()
            if body != last:
                last, beat, sequence = body, time.monotonic(), sequence + 1
                yield f"id: {sequence}\nevent: progress\ndata: {body}\n\n"
            elif time.monotonic() - beat > _BEAT_EVERY_S:
                beat = time.monotonic()
                yield ": still here\n\n"
            at_rest = now.state.code in _AT_REST or (now.state.code == "reviewed" and now.searchable) or now.given_up
            if at_rest or await request.is_disconnected():
                return
            await asyncio.sleep(_LOOK_EVERY_S)
            now = await run_in_threadpool(progress, dossier_id, component_id, actor, office)

    return StreamingResponse(
        stream(),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


_AT_REST = frozenset({"read", "digitized", "set_aside", "replaced"})
_MOST_DIGITS = 5
_LAST_DAY = date(9000, 1, 1)  # days after it can't be counted on


@router.get("/dossiers/{dossier_id}/components/{component_id}/text")
def text(dossier_id: UUID, component_id: UUID, actor: Sees, office: Office) -> dict[str, list[dict[str, object]]]:
    """The text, page by page, as corrected so far."""
    found = _seen(office, actor, dossier_id, component_id, "text")
    with office.begin() as work:
        return {"pages": [{"number": p.number, "text": p.text} for p in work.components.pages(found.id)]}


@router.get("/dossiers/{dossier_id}/components/{component_id}/pages/{number}/words")
def words(dossier_id: UUID, component_id: UUID, number: int, actor: Sees, office: Office) -> dict[str, object]:
    """Every word of a page with its box and confidence, the first word of its line, and what a person made of it."""
    page = _page(office, _seen(office, actor, dossier_id, component_id, "text"), number)
    if page.words is None:
        raise NotFound(str(number))
    with office.store.open(page.words) as stream:
        ocr = reading.from_json(stream.read()).ocr
    line_of = {index: line.start for line in lines_of(ocr) for index in line}
    return {
        "width_px": ocr.width_px,
        "height_px": ocr.height_px,
        "dpi": ocr.dpi,
        "words": [
            {
                "index": i,
                "line": line_of[i],
                "text": page.corrections.get(i, w.text),
                "raw": w.text,
                "confidence": w.confidence,
                "risk": w.risk,
                "by_pen": w.by_pen,
                "read_first": w.raw,
                "risky": record.is_doubtful(w),
                "doubt": i not in page.corrections and record.is_doubtful(w),
                "corrected": i in page.corrections,
                "box": [w.box.left, w.box.top, w.box.right, w.box.bottom],
            }
            for i, w in enumerate(ocr.words)
        ],
    }


@router.get("/dossiers/{dossier_id}/components/{component_id}/pages/{number}/picture")
def picture(
    request: Request, dossier_id: UUID, component_id: UUID, number: int, actor: Sees, office: Office
) -> Response:
    """The cleaned display page, to be shown; with `?v=` and the beginning of its hash it may be kept for good."""
    found = _component(office, actor, dossier_id, component_id)
    proof = identity_papers.note_seen(office.begin, found, by=actor, what="picture", now=utc_now())
    picture = _there(_page(office, found, number).picture)
    return file_response(request, office.store, picture, f"page-{number}", inline=True, sensitive=proof)


@router.get("/dossiers/{dossier_id}/components/{component_id}/pages/{number}/thumbnail")
def thumbnail(
    request: Request, dossier_id: UUID, component_id: UUID, number: int, actor: Sees, office: Office
) -> Response:
    """The page as it came, small, to be shown; 404 until it is there. `?v=` as for the picture.

    Of an identity paper it is masked: nothing can be read in it, and it is no look that the log has to name.
    """
    found = _component(office, actor, dossier_id, component_id)
    with office.begin() as work:
        page = next((page for page in work.components.glance([found.id]) if page.number == number), None)
        masked = identity_papers.shown_by(work, found)
    if page is None:
        raise NotFound(str(number))
    small, name = _there(page.thumbnail), f"page-{number}-small.jpg"
    if not masked:
        return file_response(request, office.store, small, name, inline=True)
    with office.store.open(small) as stream:
        return masked_response(quality.masked(stream.read()), name)


@router.get("/dossiers/{dossier_id}/components/{component_id}/fields")
def fields(dossier_id: UUID, component_id: UUID, actor: Sees, office: Office) -> list[FieldOut]:
    """The minimum record in order and what else was found: where it stands, who says so, what is in doubt."""
    found = _seen(office, actor, dossier_id, component_id, "fields")
    with office.begin() as work:
        kept = work.components.fields(found.id)
        asked = record.by_hand(kept, work.components.pages(found.id))
    today = local_day(utc_now())
    return [FieldOut.of(f, today=today, by_hand=f.key in asked) for f in record.whole(found.id, kept)]


@router.patch("/dossiers/{dossier_id}/components/{component_id}/corrections")
def correct(dossier_id: UUID, component_id: UUID, body: CorrectionsIn, actor: Reviews, office: Office) -> ComponentOut:
    """Keep corrections as they are typed. 412: somebody else was faster, `conflicts` says what is there now."""
    _seen(office, actor, dossier_id, component_id, "text")  # the conflicts tell it
    return ComponentOut.of(
        reviewing.correct(
            office.begin,
            office.store,
            component_id,
            by=actor,
            dossier_id=dossier_id,
            fields=[reviewing.FieldChange(**change.model_dump()) for change in body.fields],
            words=[reviewing.WordChange(**change.model_dump()) for change in body.words],
            lines=[reviewing.LineChange(**change.model_dump()) for change in body.lines],
            work_dir=office.work_dir,
        )
    )


@router.post("/dossiers/{dossier_id}/components/{component_id}/review")
def review(dossier_id: UUID, component_id: UUID, body: ReviewIn, actor: Reviews, office: Office) -> ComponentOut:
    """Record corrections and call it reviewed; the text layer is made again where the profile says so.

    412: it is no longer in the `version` that was seen.
    """
    return ComponentOut.of(
        reviewing.review(
            office.begin,
            office.store,
            component_id,
            by=actor,
            dossier_id=dossier_id,
            decided=reviewing.Review(
                fields=[reviewing.FieldChange(key, value, seen=None) for key, value in body.fields.items()],
                words=[
                    reviewing.WordChange(page, index, text, seen=None)
                    for page, words in body.words.items()
                    for index, text in words.items()
                ],
                keep_reason=body.keep_reason,
                version=body.version,
            ),
            work_dir=office.work_dir,
        )
    )


@router.post("/dossiers/{dossier_id}/components/{component_id}/copy", status_code=202)
def ask_for_copy(
    dossier_id: UUID, component_id: UUID, body: PasswordIn, actor: SignsCopies, office: Office
) -> ComponentOut:
    """Have the reviewed paper signed as an electronic copy; the clerk's password is asked for again."""
    sign_in.check_password(office.begin, username=actor.username, password=body.password, now=utc_now())
    return ComponentOut.of(reviewing.ask_for_copy(office.begin, component_id, by=actor, dossier_id=dossier_id))


@router.post("/dossiers/{dossier_id}/components/{component_id}/retry")
def try_again(dossier_id: UUID, component_id: UUID, actor: Reviews, office: Office) -> ComponentOut:
    """Take up again a paper that was set aside."""
    return ComponentOut.of(reviewing.try_again(office.begin, component_id, by=actor, dossier_id=dossier_id))


@router.put("/dossiers/{dossier_id}/components/{component_id}/pages/{number}/marks")
def mark_page(
    dossier_id: UUID, component_id: UUID, number: int, body: PageMarksIn, actor: Reviews, office: Office
) -> ComponentOut:
    """Leave a page out of the copy, and say which page is the same one without the note stuck on it."""
    page_marks.link_note(
        office.begin, component_id, by=actor, dossier_id=dossier_id, number=number, without=body.without_note
    )
    return ComponentOut.of(
        page_marks.leave_out(
            office.begin, component_id, by=actor, dossier_id=dossier_id, number=number, out=body.left_out
        )
    )


@router.post("/dossiers/{dossier_id}/components/{component_id}/part")
def part(dossier_id: UUID, component_id: UUID, body: PartIn, actor: AddsPapers, office: Office) -> list[ComponentOut]:
    """Part two papers that were scanned as one; what was one gives way to them. Asked twice, it is done once."""
    papers = parting.by_hand(
        office.begin,
        office.store,
        component_id,
        by=actor,
        dossier_id=dossier_id,
        at=parting.Cut(body.page, body.is_sheet, body.kind.strip(), body.name.strip()),
        limits=office.limits,
        work_dir=office.work_dir,
        now=utc_now(),
    )
    return [ComponentOut.of(paper) for paper in papers]


@router.get("/dossiers/{dossier_id}/components/{component_id}/scan")
def scan(request: Request, dossier_id: UUID, component_id: UUID, actor: Sees, office: Office) -> Response:
    """The bytes as they came."""
    found = _seen(office, actor, dossier_id, component_id, "scan")
    return file_response(request, office.store, found.scan, found.filename)


@router.get("/dossiers/{dossier_id}/components/{component_id}/searchable")
def searchable(request: Request, dossier_id: UUID, component_id: UUID, actor: Sees, office: Office) -> Response:
    """The searchable PDF/A, unsigned."""
    found = _seen(office, actor, dossier_id, component_id, "searchable")
    return file_response(request, office.store, _there(found.searchable), f"{found.ordinal:03d}.pdf")


@router.get("/dossiers/{dossier_id}/components/{component_id}/copy")
def copy(request: Request, dossier_id: UUID, component_id: UUID, actor: Sees, office: Office) -> Response:
    """The signed digitised copy."""
    with office.begin() as work:
        code = work.dossiers.of(actor, dossier_id).code
    found = _seen(office, actor, dossier_id, component_id, "copy")
    return file_response(request, office.store, _there(found.copy), codes.copy_filename(code, found.ordinal))


@router.get("/search")
def search(
    actor: Sees,
    office: Office,
    q: Annotated[str, Query(min_length=1, max_length=200), AfterValidator(clean)],
    agency: Annotated[str, Query(max_length=40), AfterValidator(clean)] = "",
    procedure: Annotated[str, Query(max_length=40), AfterValidator(clean)] = "",
    since: Annotated[date | None, Query(le=_LAST_DAY)] = None,
    until: Annotated[date | None, Query(le=_LAST_DAY)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[SearchHitOut]:
    """Pages with this phrase, exact accents first, then without; in dossiers of an agency, a procedure, some days."""
    within = Within(agency, procedure, since, until)
    with office.begin() as work:
        hits = work.search.pages(actor, q, within=within, limit=limit)
        return [SearchHitOut.of(hit) for hit in identity_papers.without_words(work, hits)]


def _component(office: Services, actor: Actor, dossier_id: UUID, component_id: UUID) -> Component:
    with office.begin() as work:
        return work.components.of(component_id, within=work.dossiers.of(actor, dossier_id).id)


def _seen(office: Services, actor: Actor, dossier_id: UUID, component_id: UUID, what: str) -> Component:
    """The paper, whose view is in the log before it is given out where it says who somebody is."""
    found = _component(office, actor, dossier_id, component_id)
    identity_papers.note_seen(office.begin, found, by=actor, what=what, now=utc_now())
    return found


def _page(office: Services, component: Component, number: int) -> Page:
    with office.begin() as work:
        for page in work.components.pages(component.id):
            if page.number == number:
                return page
    raise NotFound(str(number))


def _there(key: ObjectKey | None) -> ObjectKey:
    if key is None:
        raise NotFound("file")
    return key


def _count(text: str) -> int:
    """How many pages somebody counted."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Incomplete("pages_declared", ("pages_declared",))
    return int(text)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("component") from None
