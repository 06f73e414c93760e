"""Annexes of an e-result that are kept in files of their own: brought to a draft, approved and signed with the result.

An annex has no force by itself. It is fixed when its result is submitted, the leader's approval covers its hash, the
agency signs it after the result is sealed, and the result is issued when all of them are signed (decision 0040).
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from digitize import load
from digitize.types import UnreadableScan
from dossiers import amendments, holds
from dossiers.policy import Act, require
from dossiers.signatures import complete, make_once, recorded
from dossiers.types import Actor, Annex, Incomplete, KeyHeld, NotAllowed, NotFound, ResultState, WrongState
from signing import appearance, prepare
from signing.corner import corner_apart
from signing.types import Place, SignaturePlace, SigningRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from dossiers.signatures import SigningDesk
    from dossiers.types import EResult, ObjectKey

#: More than any decision has; all of them are signed before the result is issued.
MOST = 20
MOST_TITLE = 300


def add(
    begin: Begin,
    store: ObjectStore,
    e_result_id: UUID,
    *,
    by: Actor,
    file: Path,
    title: str,
    limits: load.Limits,
    now: datetime,
    work_dir: Path,
) -> Annex:
    """Bring an annex to a draft: an unsigned PDF, behind those that are there.

    Raises:
        WrongState: It is no draft any more, or came signed.
        NotAllowed: The leader who is to sign it can't have a hand in it.
        Incomplete: No title; or it has as many annexes as it may have.
        UnreadableScan: It isn't a PDF we can take, or it carries signatures.
        SigningRefused: No signature can be put into it.
    """
    require(by, Act.DRAFT_RESULT)
    if not title.strip():
        raise Incomplete("annex_title", ("title",))
    with begin() as work:
        _require_room(work, _open_draft(work, e_result_id, by))
    facts = load.inspect(file, limits=limits)
    if facts.media_type != "application/pdf":
        raise UnreadableScan("wrong_type", "Phụ lục phải là tệp PDF. Hãy xuất lại thành PDF rồi tải lên.")
    if facts.signed:
        raise UnreadableScan(
            "signed_annex", "Phụ lục đã có chữ ký số. Hãy tải bản chưa ký: cơ quan ký phụ lục cùng văn bản chính."
        )
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        fielded = Path(folder, "fielded.pdf")
        where = corner_apart(file, Place.ANNEX)
        prepare.add_fields(file, fielded, [where])
        source = store.put(fielded, media_type="application/pdf")
    with begin() as work:
        e_result = _open_draft(work, e_result_id, by)
        there = _require_room(work, e_result)
        annex = work.annexes.keep(
            Annex(
                id=uuid.uuid4(),
                e_result_id=e_result.id,
                ordinal=len(there) + 1,
                title=title.strip(),
                source=source,
                place={"page": where.page, "box": list(where.box)},
                pages=facts.pages,
                added_by=by.username,
                added_at=now,
            )
        )
        _had_a_hand(work, e_result, by)
        work.audit.append(by, "e_result.annex_added", e_result.id, sha256=source.sha256, annex=annex.ordinal)
        return annex


def remove(begin: Begin, e_result_id: UUID, annex_id: UUID, *, by: Actor) -> None:
    """Take an annex off a draft; those behind it move up. Its bytes stay in the store.

    Raises:
        NotFound: The draft has no such annex.
        WrongState, NotAllowed: As `add`.
        Held: The dossier is under legal hold.
    """
    require(by, Act.DRAFT_RESULT)
    with begin() as work:
        e_result = _open_draft(work, e_result_id, by)
        there = work.annexes.of(e_result.id)
        gone = next((annex for annex in there if annex.id == annex_id), None)
        if gone is None:
            raise NotFound(str(annex_id))
        holds.refuse_if_held(work, e_result.dossier_id)
        work.annexes.drop(gone.id)
        for annex in there:
            if annex.ordinal > gone.ordinal:
                work.annexes.keep(replace(annex, ordinal=annex.ordinal - 1))
        _had_a_hand(work, e_result, by)
        amendments.log(
            work,
            by,
            "e_result.annex_removed",
            e_result.id,
            of=e_result.dossier_id,
            changes={"annex": (gone.title, None)},
            sha256=gone.source.sha256,
            annex=gone.ordinal,
        )


def of(begin: Begin, e_result_id: UUID, ordinal: int, *, by: Actor) -> tuple[EResult, Annex]:
    """One annex, for people of the result's agency.

    Raises:
        NotFound: There is none, or it is another agency's.
    """
    require(by, Act.SEE)
    with begin() as work:
        e_result = work.e_results.of(by, e_result_id)
        for annex in work.annexes.of(e_result.id):
            if annex.ordinal == ordinal:
                return e_result, annex
    raise NotFound("annex")


def fixed(work: UnitOfWork, e_result: EResult) -> str:
    """One hash over the annexes of a draft that is submitted now; "" without any.

    Raises:
        SigningRefused: "annex_own_token": the agency's key is on a token of its own, which signs whole results only.
    """
    there = work.annexes.of(e_result.id)
    if there and work.certificates.for_agency(e_result.agency).held is KeyHeld.OWN_TOKEN:
        raise SigningRefused("annex_own_token", "Con dấu của cơ quan nằm trên USB token nên chưa ký được phụ lục rời.")
    return _sha256_over(there)


def _sha256_over(annexes: Sequence[Annex]) -> str:
    """Titles count too: the leader approves an annex under its name."""
    lines = [f"{annex.source.sha256} {annex.title}" for annex in annexes]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else ""


def are_kept(begin: Begin, e_result_id: UUID) -> bool:
    """Whether every annex has its signature, be it without its timestamp yet."""
    with begin() as work:
        return all(annex.unstamped or annex.document for annex in work.annexes.of(e_result_id))


def are_whole(work: UnitOfWork, e_result: EResult) -> bool:
    """Whether nothing but issuing is left to do."""
    return all(annex.document for annex in work.annexes.of(e_result.id))


def sign(desk: SigningDesk, e_result: EResult) -> None:
    """Sign the annexes of a sealed result for its agency; have the result issued when all are whole.

    In two goes, as the result itself: every signature is made and kept first, then each gets its timestamp and
    evidence. What is kept is never made again. One that can't be signed doesn't hold up the others.

    Raises:
        SigningRefused: One of them can't be signed; the reason of the first. Each says its own.
        TrustServiceUnavailable, StoreUnavailable, SignatureUnproven: Try again later.
    """
    with desk.begin() as work:
        there = work.annexes.of(e_result.id)
    if _sha256_over(there) != e_result.annexes_sha256:
        raise SigningRefused("document_changed", "Phụ lục không còn đúng như khi lãnh đạo duyệt. Chưa có gì được ký.")
    to_make = [annex for annex in there if annex.document is None and annex.unstamped is None]
    refusals = []
    for annex in to_make or [annex for annex in there if annex.document is None]:
        try:
            if to_make:
                _make(desk, e_result, annex)
            else:
                _complete(desk, e_result, annex)
        except SigningRefused as refused:
            _stopped(desk, annex, refused)
            refusals.append(refused)
    if refusals:
        raise SigningRefused(refusals[0].reason, str(refusals[0]))
    with desk.begin() as work:
        now = work.e_results.for_job(e_result.id)
        if now.state is not ResultState.SEALED:
            return
        if now.trouble:
            work.e_results.keep(replace(now, trouble=""))
        if are_whole(work, now):
            work.jobs.issue(now.id)
        else:
            work.jobs.sign_e_result(now.id, Place.ANNEX, made=True)


def _make(desk: SigningDesk, e_result: EResult, annex: Annex) -> None:
    """Sign, and keep what was signed; the time comes later."""
    revision = e_result.number or 0
    with desk.begin() as work:
        agency = work.agencies.of(e_result.agency)
        record = work.certificates.for_agency(agency.code)
    made = make_once(
        desk,
        annex.id,
        revision,
        source=annex.source,
        place=Place.ANNEX,
        where=SignaturePlace(Place.ANNEX, annex.place["page"], tuple(annex.place["box"])),
        record=record,
        names=[agency.name, agency.letterhead],
        appearance=appearance.annex(e_result.full_number),
    )
    with desk.begin() as work:
        work.e_results.for_job(e_result.id)
        now = _as_it_is(work, annex)
        if now.unstamped is None and now.document is None:
            work.e_results.finish_attempt(annex.id, Place.ANNEX, revision, made)
            work.annexes.keep(replace(now, unstamped=made, trouble=""))
            _log(work, e_result, "e_result.annex_made", annex, made, record.sha256)
    recorded(desk, annex.id, Place.ANNEX, revision)


def _complete(desk: SigningDesk, e_result: EResult, annex: Annex) -> None:
    """Give a signature that is kept its timestamp and evidence."""
    if annex.unstamped is None:
        return
    recorded(desk, annex.id, Place.ANNEX, e_result.number or 0)
    with desk.begin() as work:
        records = work.certificates.of_agency(e_result.agency)
    document, signer = complete(desk, annex.unstamped, place=Place.ANNEX, records=records)
    with desk.begin() as work:
        work.e_results.for_job(e_result.id)
        now = _as_it_is(work, annex)
        if now.document is None and now.unstamped == annex.unstamped:
            work.annexes.keep(replace(now, unstamped=None, document=document, trouble=""))
            _log(work, e_result, "e_result.annex_signed", annex, document, signer)


def _stopped(desk: SigningDesk, annex: Annex, refused: SigningRefused) -> None:
    """Note why this one stopped. A signature that can never count is dropped, to be made anew when resumed."""
    with desk.begin() as work:
        e_result = work.e_results.for_job(annex.e_result_id)
        now = _as_it_is(work, annex)
        lost = now.unstamped if refused.lost else None
        work.annexes.keep(replace(now, trouble=refused.reason, unstamped=None if lost else now.unstamped))
        if lost:
            _log(work, e_result, "e_result.dropped", annex, lost, "")


def _as_it_is(work: UnitOfWork, annex: Annex) -> Annex:
    return next(one for one in work.annexes.of(annex.e_result_id) if one.id == annex.id)


def _log(
    work: UnitOfWork, e_result: EResult, event: str, annex: Annex, document: ObjectKey, certificate_sha256: str
) -> None:
    work.audit.append(
        Actor.system(e_result.agency),
        event,
        e_result.id,
        annex=annex.ordinal,
        sha256=document.sha256,
        certificate=certificate_sha256,
    )


def _open_draft(work: UnitOfWork, e_result_id: UUID, by: Actor) -> EResult:
    e_result = work.e_results.lock(by, e_result_id)
    if e_result.state is not ResultState.DRAFT or e_result.came_signed:
        raise WrongState(e_result.state)
    if by.username == e_result.leader:
        raise NotAllowed("leader")
    return e_result


def _require_room(work: UnitOfWork, e_result: EResult) -> Sequence[Annex]:
    there = work.annexes.of(e_result.id)
    if len(there) >= MOST:
        raise Incomplete("too_many_annexes", (f"{MOST}",))
    return there


def _had_a_hand(work: UnitOfWork, e_result: EResult, by: Actor) -> None:
    """Whoever brings or takes away an annex drafts; somebody who is writing the text isn't disturbed otherwise."""
    if by.username not in e_result.drafters:
        work.e_results.keep(replace(e_result, drafters=(*e_result.drafters, by.username)))
