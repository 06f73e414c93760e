"""One component from scan to searchable, signed copy: the machine's part. A person's part is in `review`.

Each job below may run twice, or die anywhere: it looks at the record first and leaves quietly when there is nothing
left to do; objects are content-addressed, so storing them again changes nothing.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from digitize import fields as paper_fields
from digitize import load, pipeline, quality, reading, sequence
from digitize.pdf import assemble as pdf
from digitize.pdf.xmp import PaperFacts
from digitize.realign import carried
from digitize.types import Flag, ReadingFailed, UnreadableScan
from dossiers.calendar import VIETNAM
from dossiers.ports import ObjectMissing
from dossiers.signatures import SignatureUnproven, SigningDesk, complete, make_once, recorded
from dossiers.types import (
    Actor,
    ComponentState,
    DigitisationProfile,
    DossierState,
    ExtractedField,
    NotFound,
    PageState,
)
from signing import appearance
from signing.types import Place, SigningRefused, TrustServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from digitize.types import OcrPage, PageFlags, ReadPage
    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from dossiers.types import Component, Dossier, ObjectKey, Page

log = logging.getLogger(__name__)

#: A page whose reading was begun this often without an end is set aside: it probably kills the process that reads it.
MAX_ATTEMPTS = 3

#: So many pages of one component are looked at in a row; then it is another's turn.
LOOKED_AT_IN_A_ROW = 10

#: Measured of a page that was read again and keeps its earlier reading, for the sake of what a person corrected in it.
KEPT_READING = "kept_reading"

_SIGNED_IN = (ComponentState.CAPTURE_SIGNING, ComponentState.SIGNING)
_ASSEMBLED_IN = (ComponentState.RECEIVED, ComponentState.REVIEWED)

#: Marks a copy as converted from paper (Decree 137/2024, article 4), unless a centre sets words of its own.
CONVERTED_NOTICE = "Bản điện tử chuyển đổi từ văn bản giấy"
DERIVATIVE_NOTICE = "Bản dẫn xuất để tra cứu, không có chữ ký số. Bản có chữ ký số được giữ nguyên bên cạnh."


def look_at_pages(
    begin: Begin,
    store: ObjectStore,
    component_id: UUID,
    first: int = 1,
    *,
    limits: load.Limits,
    work_dir: Path,
) -> None:
    """Make each page's small picture and say what is wrong with it, before anything is cleaned or read.

    A page that was only looked at stays RECEIVED; one that was read or set aside meanwhile keeps what was found. Pages
    that can't be looked at are left to `read_page`, whose attempts are counted apart: only a look that its process
    doesn't survive counts, and after `MAX_ATTEMPTS` of those there is no other. One commit a page, so that they appear
    one by one; what comes after `LOOKED_AT_IN_A_ROW` waits behind other people's first pages.

    Raises:
        StoreUnavailable: The job is to be tried again.
    """
    with begin() as work:
        component = work.components.of(component_id)
        dossier = _wanted(work, component)
        if dossier is None:
            return
        pages = [p for p in work.components.glance([component_id]) if p.number >= first and p.thumbnail is None]
        if len(pages) > LOOKED_AT_IN_A_ROW:
            work.jobs.look_at_pages(component_id, pages[LOOKED_AT_IN_A_ROW].number, back_file=dossier.back_file)
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        scan = Path(folder, "scan")
        try:
            store.fetch(component.scan, scan)
        except ObjectMissing:
            return
        for page in pages[:LOOKED_AT_IN_A_ROW]:
            with begin() as work:
                if _wanted(work, work.components.of(component_id)) is None:
                    return
                looks = work.components.begin_look(page.id)
            small = Path(folder, "thumbnail")
            try:
                if looks > MAX_ATTEMPTS:  # it probably kills the process that looks at it
                    continue
                seen = _seen_on(scan, page.number, small, limits=limits)
            except Exception as error:  # noqa: BLE001  whatever it is: the other pages are still to be seen
                log.warning("page_not_looked_at", extra={"page": str(page.id), "error": type(error).__name__})
                continue
            finally:
                with begin() as work:
                    work.components.end_look(page.id)
            key = store.put(small, media_type="image/jpeg")
            with begin() as work:
                work.components.lock(component_id)  # whoever reads the page keeps all of it, its small picture too
                work.components.keep_look(page.id, key, flags=sorted(seen.flags), measured=seen.measured)


def _seen_on(scan: Path, number: int, small: Path, *, limits: load.Limits) -> PageFlags:
    """What is wrong with a page as it came; its small picture is written to `small`."""
    image = load.page(scan, number, limits=limits)
    seen = quality.flags_of(image)
    small.write_bytes(quality.thumbnail(image))
    return seen


def read_page(
    begin: Begin, store: ObjectStore, page_id: UUID, *, limits: load.Limits, work_dir: Path, patient: bool = False
) -> None:
    """Clean and read one page; the last page of a component asks for its searchable PDF, once.

    Args:
        patient: A scan that can't be had as it was stored is to be asked for again, before the page is set aside.

    Raises:
        StoreUnavailable, ReadingFailed: The job is to be tried again.
        ObjectMissing: The same, where `patient`.
    """
    with begin() as work:
        page = work.components.page(page_id)
        component = work.components.of(page.component_id)
        if page.state is not PageState.RECEIVED or _wanted(work, component) is None:
            return
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        scan = Path(folder, "scan")
        try:
            store.fetch(component.scan, scan)
            with begin() as work:
                attempt = work.components.begin_attempt(page_id)
            if attempt > MAX_ATTEMPTS:
                _set_page_aside(begin, page, "reader_died")
                return
            read = pipeline.read_page(load.page(scan, page.number, limits=limits))
        except (UnreadableScan, ObjectMissing) as error:
            if patient and isinstance(error, ObjectMissing):
                raise
            _set_page_aside(begin, page, getattr(error, "reason", "object_missing"))
            return
        except ReadingFailed as error:
            if attempt < MAX_ATTEMPTS:
                raise
            _set_page_aside(begin, page, f"reader_{error.reason}")
            return
        with begin() as work:
            work.components.end_attempt(page_id)  # the reader lives: an outage from here on is no fault of the page
            if _wanted(work, work.components.of(component.id)) is None:
                return
        picture, words = Path(folder, "picture"), Path(folder, "words")
        before = reading_of(store, page, Path(folder)).ocr if page.corrections and page.words else None
        picture.write_bytes(read.picture)
        words.write_bytes(reading.to_json(read))
        picture_key = store.put(picture, media_type=read.picture_type)
        words_key = store.put(words, media_type="application/json")
    with begin() as work:
        component = work.components.lock(page.component_id)
        page = work.components.page(page_id)
        if page.state is not PageState.RECEIVED or _wanted(work, component) is None:
            return
        work.components.keep_page(_as_read(page, before, read, picture_key, words_key))
        after_page(work, component)


def _as_read(page: Page, before: OcrPage | None, read: ReadPage, picture: ObjectKey, words: ObjectKey) -> Page:
    """The page with its new reading, a person's corrections carried over from the one before.

    Where one of them finds no place on the new reading, the page that the person saw stays, and says so.
    """
    corrections, lost = (page.corrections, []) if before is None else carried(page.corrections, before, read.ocr)
    if lost:
        return replace(page, state=PageState.READ, measured={**page.measured, KEPT_READING: 1.0})
    return replace(
        page,
        state=PageState.READ,
        picture=picture,
        words=words,
        text=reading.corrected(read.ocr, corrections).text,
        flags=tuple(sorted(read.flags.flags)),
        measured=dict(read.flags.measured),
        corrections=corrections,
    )


def assemble(
    begin: Begin,
    store: ObjectStore,
    component_id: UUID,
    revision: int,
    *,
    now: datetime,
    work_dir: Path,
    conversion_words: str = CONVERTED_NOTICE,
) -> None:
    """Make the searchable PDF/A of a component from its pages and the corrections a person made.

    Args:
        conversion_words: Mark it as converted from paper, before the time and the person who scanned.
    """
    with begin() as work:
        component = work.components.of(component_id)
        if component.revision != revision or component.state not in _ASSEMBLED_IN or _wanted(work, component) is None:
            return
        attempt = work.components.begin_assembly(component_id)
    if attempt > MAX_ATTEMPTS:  # it probably kills the process that makes it
        give_up(begin, component_id, "assembly_died")
        return
    try:
        searchable = _made(begin, store, component, work_dir=work_dir, conversion_words=conversion_words)
    finally:
        with begin() as work:
            work.components.end_assembly(component_id)
    with begin() as work:
        component = work.components.lock(component_id)
        if component.revision != revision or component.state not in _ASSEMBLED_IN or _wanted(work, component) is None:
            return
        dossier = work.dossiers.for_job(component.dossier_id)
        _after_assembly(work, dossier, replace(component, searchable=searchable))
        work.audit.append(
            _system(dossier), "component.assembled", component.id, sha256=searchable.sha256, at=now.isoformat()
        )


def _made(
    begin: Begin, store: ObjectStore, component: Component, *, work_dir: Path, conversion_words: str
) -> ObjectKey:
    """The searchable PDF of a component, stored."""
    component_id = component.id
    if component.state is ComponentState.RECEIVED:
        # Before the PDF, which says them; and before anybody may review the paper, who is to see them.
        extract_fields(begin, store, component_id, work_dir=work_dir)
    with begin() as work:
        pages = work.components.pages(component_id)
        notice = DERIVATIVE_NOTICE if component.signed_scan else _converted(work, component, conversion_words)
        facts = _facts(work, component, conversion_words)
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        target = Path(folder, "searchable.pdf")
        pdf.searchable_pdf(
            _assembly_pages(store, pages, Path(folder)),
            target,
            title=component.name,
            notice=notice,
            created_at=component.scanned_at,
            facts=facts,
        )
        return store.put(target, media_type="application/pdf")


def extract_fields(begin: Begin, store: ObjectStore, component_id: UUID, *, work_dir: Path) -> None:
    """Find number, symbol, date and what else the paper states; what a person typed stays."""
    with begin() as work:
        work.components.of(component_id)
        pages = work.components.pages(component_id)
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        found = paper_fields.extract([reading_of(store, page, Path(folder)).ocr for page in pages if page.words])
    with begin() as work:
        work.components.lock(component_id)
        work.components.keep_fields(
            component_id,
            [
                ExtractedField(
                    component_id=component_id,
                    key=f.key,
                    value=f.value,
                    raw=f.raw,
                    page=f.page,
                    box=None if f.box is None else (f.box.left, f.box.top, f.box.right, f.box.bottom),
                    confidence=f.confidence,
                )
                for f in found
            ],
        )


def sign_copy(desk: SigningDesk, component_id: UUID, revision: int) -> None:
    """Sign the searchable PDF: as the scanning person at capture, or as the agency's electronic copy (SAO Y).

    In two goes, as results are (`issuance.sign`): the signature is made and kept, then gets its timestamp.

    Raises:
        TrustServiceUnavailable, StoreUnavailable, SignatureUnproven: Try again later.
    """
    with desk.begin() as work:
        component = work.components.of(component_id)
        if component.revision != revision or component.state not in _SIGNED_IN or component.searchable is None:
            return
        dossier = _wanted(work, component)
        if dossier is None:
            return
    try:
        if component.unstamped is None:
            _make_copy(desk, dossier, component, component.searchable)
        else:
            _complete_copy(desk, dossier, component, component.unstamped)
    except SigningRefused as refused:
        give_up(desk.begin, component_id, f"signing_{refused.reason}")
    except TrustServiceUnavailable:
        waits = "waiting_for_trust_service" if component.unstamped is None else "waiting_for_timestamp"
        note(desk.begin, component_id, waits)
        raise
    except SignatureUnproven:
        note(desk.begin, component_id, "signature_unproven")
        raise


def _make_copy(desk: SigningDesk, dossier: Dossier, component: Component, searchable: ObjectKey) -> None:
    with desk.begin() as work:
        agency = work.agencies.of(dossier.receiving)
        if component.state is ComponentState.CAPTURE_SIGNING:
            record = work.certificates.for_person(component.scanned_by)
            name = work.accounts.of(component.scanned_by).name
            place, look, names = Place.SCANNER, appearance.scanner(name), [name]
        else:
            record = work.certificates.for_agency(agency.code)
            place, look, names = Place.COPY, appearance.copy(agency.name), [agency.name, agency.letterhead]
    made = make_once(
        desk,
        component.id,
        component.revision,
        source=searchable,
        place=place,
        record=record,
        names=names,
        appearance=look,
    )
    with desk.begin() as work:
        now = work.components.lock(component.id)
        if (now.revision, now.state, now.unstamped) == (component.revision, component.state, None):
            work.e_results.finish_attempt(component.id, place, component.revision, made)
            work.components.keep(replace(now, unstamped=made, trouble=""))
            work.jobs.sign_copy(component.id, component.revision, made=True, back_file=dossier.back_file)
            work.audit.append(
                _system(dossier), "copy.made", component.id, sha256=made.sha256, certificate=record.sha256
            )
    recorded(desk, component.id, place, component.revision)


def _complete_copy(desk: SigningDesk, dossier: Dossier, component: Component, unstamped: ObjectKey) -> None:
    captures = component.state is ComponentState.CAPTURE_SIGNING
    place = Place.SCANNER if captures else Place.COPY
    recorded(desk, component.id, place, component.revision)
    with desk.begin() as work:
        known = work.certificates
        records = known.of_person(component.scanned_by) if captures else known.of_agency(dossier.receiving)
    copy, signer = complete(desk, unstamped, place=place, records=records)
    with desk.begin() as work:
        now = work.components.lock(component.id)
        if (now.revision, now.state, now.unstamped) == (component.revision, component.state, unstamped):
            _copied(work, work.dossiers.for_job(component.dossier_id), replace(now, unstamped=None), copy, signer)


def _copied(
    work: UnitOfWork, dossier: Dossier, component: Component, copy: ObjectKey, certificate_sha256: str
) -> Component:
    """Record the verified signed copy of a component: what follows depends on the profile."""
    if component.state is ComponentState.CAPTURE_SIGNING:
        component = work.components.keep(replace(component, state=ComponentState.READ, copy=copy, trouble=""))
        work.jobs.extract_fields(component.id, back_file=dossier.back_file)
    else:
        component = work.components.keep(replace(component, state=ComponentState.DIGITIZED, copy=copy, trouble=""))
        settle(work, dossier)
    work.audit.append(_system(dossier), "copy.signed", component.id, sha256=copy.sha256, certificate=certificate_sha256)
    return component


def give_up(begin: Begin, component_id: UUID, trouble: str, *, revision: int | None = None) -> None:
    """A job of this component failed in a way that waiting doesn't mend: a person must look.

    Args:
        revision: That the job was for: it says nothing of another one. None doesn't ask.
    """
    with begin() as work:
        component = work.components.lock(component_id)
        if revision not in (None, component.revision):
            return
        if component.state in (*_ASSEMBLED_IN, *_SIGNED_IN) and _wanted(work, component) is not None:
            _set_aside(work, component, trouble)


def note(begin: Begin, component_id: UUID, trouble: str) -> None:
    """Say what a component is waiting for, or what it came without; it goes on all the same."""
    with begin() as work:
        component = work.components.lock(component_id)
        if component.trouble != trouble and _wanted(work, component) is not None:
            work.components.keep(replace(component, trouble=trouble))


def _set_aside(work: UnitOfWork, component: Component, trouble: str) -> Component:
    """Put a component where a person must look, with a reason; the rest of the dossier goes on."""
    dossier = work.dossiers.for_job(component.dossier_id)
    work.audit.append(_system(dossier), "component.set_aside", component.id, trouble=trouble)
    return work.components.keep(replace(component, state=ComponentState.SET_ASIDE, trouble=trouble))


def _wanted(work: UnitOfWork, component: Component) -> Dossier | None:
    """Its dossier, as long as anybody wants something made of this paper: it isn't replaced, nor the dossier given up.

    Asked with the component held, the answer stays true until the block ends: giving up holds the component as well.
    """
    if component.state is ComponentState.REPLACED:
        return None
    dossier = work.dossiers.seen_by_job(component.dossier_id)
    return None if dossier.is_given_up else dossier


def after_page(work: UnitOfWork, component: Component) -> None:
    """The fan-in: whoever ends the last page, with the component locked, asks for the next thing. No page left, too."""
    if component.state is not ComponentState.RECEIVED or work.components.unread(component.id):
        return
    broken = [p for p in work.components.pages(component.id) if p.state is PageState.SET_ASIDE]
    if broken:
        _set_aside(work, component, broken[0].trouble)
    else:
        _remark(work, component)
        back_file = work.dossiers.seen_by_job(component.dossier_id).back_file
        work.jobs.assemble(component.id, component.revision, back_file=back_file)


def _remark(work: UnitOfWork, component: Component) -> None:
    """Flag what only the pages together show: a page scanned twice, another paper's first page, a page out of order."""
    pages = work.components.pages(component.id)
    remarks = sequence.remarks([page.text for page in pages], [page.measured.get("look", -1.0) for page in pages])
    bare = {page.without_note for page in pages}
    for page, found in zip(pages, remarks, strict=True):
        if page.without_note is not None or page.number in bare:
            found -= {Flag.SAME_AGAIN}
        flags = tuple(sorted({*page.flags} - sequence.REMARKS | found))
        if flags != page.flags:
            work.components.keep_page(replace(page, flags=flags))


def _set_page_aside(begin: Begin, page: Page, trouble: str) -> None:
    with begin() as work:
        component = work.components.lock(page.component_id)
        page = work.components.page(page.id)
        if page.state is not PageState.RECEIVED or _wanted(work, component) is None:
            return
        work.components.keep_page(replace(page, state=PageState.SET_ASIDE, trouble=trouble))
        after_page(work, component)


def _after_assembly(work: UnitOfWork, dossier: Dossier, component: Component) -> None:
    if component.state is ComponentState.REVIEWED:
        work.components.keep(component)
    elif component.signed_scan:
        work.components.keep(replace(component, state=ComponentState.READ, copy=component.scan))
    elif _scanner_signs(work, dossier, component):
        work.components.keep(replace(component, state=ComponentState.CAPTURE_SIGNING))
        work.jobs.sign_copy(component.id, component.revision, back_file=dossier.back_file)
    else:
        work.components.keep(replace(component, state=ComponentState.READ))


def _converted(work: UnitOfWork, component: Component, words: str) -> str:
    """The mark Decree 137/2024 asks for on a file made from paper: the words, the time, who made it."""
    at = component.scanned_at.astimezone(VIETNAM)
    return f"{words} · {at:%H:%M %d/%m/%Y} · {work.accounts.of(component.scanned_by).name}"


def _facts(work: UnitOfWork, component: Component, words: str) -> PaperFacts:
    """What the PDF says of its paper: what was read or typed so far, and how it came to be."""
    known = {field.key: field.value for field in work.components.fields(component.id)}
    return PaperFacts(
        dossier_code=work.dossiers.for_job(component.dossier_id).code,
        component_name=component.name,
        document_type=known.get("document_type", ""),
        number_symbol="/".join(filter(None, (known.get("number", ""), known.get("symbol", "")))),
        issued_on=known.get("issued_on", ""),
        agency=known.get("agency", ""),
        scan_sha256=component.scan.sha256,
        converted_by=work.accounts.of(component.scanned_by).name,
        converted_at=component.scanned_at.astimezone(VIETNAM).isoformat(timespec="seconds"),
        conversion_mark="" if component.signed_scan else words,
    )


def _scanner_signs(work: UnitOfWork, dossier: Dossier, component: Component) -> bool:
    """Whether the capture profile applies: a scanning person without a certificate leaves it to the clerk's review."""
    if work.agencies.of(dossier.receiving).digitisation is not DigitisationProfile.CAPTURE:
        return False
    try:
        work.certificates.for_person(component.scanned_by)
    except NotFound:
        return False
    return True


def settle(work: UnitOfWork, dossier: Dossier) -> None:
    """Call the dossier digitised once every one of its papers is."""
    if dossier.state is DossierState.DIGITIZING and all(
        c.state is ComponentState.DIGITIZED for c in work.components.of_dossier(dossier.id)
    ):
        work.dossiers.keep(dossier.move(DossierState.DIGITIZED))


def reading_of(store: ObjectStore, page: Page, folder: Path) -> ReadPage:
    """What was read on a page, as it was read.

    Args:
        folder: For the file in transit.

    Raises:
        ObjectMissing: The page hasn't been read, or the store doesn't give its reading back.
    """
    if page.words is None:
        raise ObjectMissing(str(page.id))
    file = folder / "words"
    store.fetch(page.words, file)
    return reading.from_json(file.read_bytes())


def _assembly_pages(store: ObjectStore, pages: Sequence[Page], folder: Path) -> Iterator[pdf.AssemblyPage]:
    """One page at a time, so that memory doesn't grow with the number of pages; those that were left out stay out."""
    for page in pages:
        if page.left_out_by:
            continue
        if page.picture is None:
            raise ObjectMissing(str(page.id))
        picture = folder / "picture"
        store.fetch(page.picture, picture)
        ocr = reading.corrected(reading_of(store, page, folder).ocr, page.corrections)
        yield pdf.AssemblyPage(picture=picture.read_bytes(), picture_type=page.picture.media_type, ocr=ocr)


def _system(dossier: Dossier) -> Actor:
    return Actor.system(dossier.receiving)
