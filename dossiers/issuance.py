"""Draft, approve, sign, issue, withdraw, supersede an e-result.

Number, date and bytes are fixed at submission; a return voids the number. After approval the signing worker goes on by
itself: the leader's signature, the agency's seal, issue. Each step is recorded before the next is asked for.
"""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitize import load
from digitize.types import UnreadableScan
from dossiers import amendments, annexes, codes, drafts, layouts, own_token
from dossiers.calendar import local_day
from dossiers.policy import Act, require
from dossiers.signatures import SignatureUnproven, SigningDesk, complete, make_once, recorded, trusted
from dossiers.types import (
    Actor,
    Changed,
    DossierState,
    Duplicate,
    EResult,
    Incomplete,
    KeyHeld,
    NotAllowed,
    NotFound,
    OfficeError,
    ResultState,
    Role,
    WrongState,
)
from signing import appearance, places, prepare, templates
from signing.templates import LayoutError, TemplateDataError
from signing.types import Kind, Place, Profile, SignaturePlace, SigningRefused, TrustServiceUnavailable, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from dossiers.ports import Begin, Judge, ObjectStore, UnitOfWork
    from dossiers.types import Account, Agency, AuditEntry, Dossier, ObjectKey, Procedure
    from signing.templates import TemplateProblem
    from signing.trust import TrustStore
    from signing.typeface import Typeface


#: In these states of its dossier a result may be drafted, submitted and approved.
DECIDABLE = frozenset({DossierState.IN_PROCESS, DossierState.RESULT_READY})

PREVIEW_MARK = "BẢN XEM THỬ"

#: What the log says when the leader has read a document to its end.
READ = "e_result.read"
CHANGED = "e_result.changed"


class Unread(OfficeError):
    """The leader hasn't read the document to its end."""


def draft(
    begin: Begin,
    dossier_id: UUID,
    *,
    by: Actor,
    leader: str,
    template: str,
    data: Mapping[str, Any],
    title: str = "",
) -> EResult:
    """Begin a result from a template. What the template still lacks is named at submission, all at once.

    Raises:
        WrongState: The dossier isn't in process.
        NotAllowed: Another agency decides this dossier; or `leader` doesn't sign for it; or is the drafter.
        NotFound: No such template.
    """
    with begin() as work:
        layouts.usable(work, template, by.agency)
    return _begin_result(begin, dossier_id, by=by, leader=leader, template=template, data=dict(data), title=title)


def redraft(
    begin: Begin,
    e_result_id: UUID,
    *,
    by: Actor,
    data: Mapping[str, Any] | None = None,
    leader: str | None = None,
    title: str | None = None,
    version: int | None = None,
) -> EResult:
    """Change a draft.

    Args:
        version: The one that was changed, where somebody else may be at work on it too.

    Raises:
        WrongState: It is no draft any more.
        Changed: It isn't in that version.
    """
    require(by, Act.DRAFT_RESULT)
    with begin() as work:
        e_result = work.e_results.lock(by, e_result_id)
        if e_result.state is not ResultState.DRAFT:
            raise WrongState(e_result.state)
        if version is not None and version != e_result.version:
            raise Changed(str(e_result_id))
        drafted = replace(
            _drafted_by(e_result, by),
            data=e_result.data if data is None else dict(data),
            leader=leader or e_result.leader,
            title=title or e_result.title,
            prepared_by=by.username,
        )
        _must_sign_for(work, drafted.leader, by, drafted.drafters)
        changes = amendments.differing(_words_of(e_result), _words_of(drafted))
        drafted = work.e_results.keep(drafted)
        if changes:
            amendments.log(work, by, CHANGED, drafted.id, of=drafted.dossier_id, changes=changes)
        return drafted


def upload(
    begin: Begin,
    store: ObjectStore,
    dossier_id: UUID,
    *,
    by: Actor,
    leader: str,
    file: Path,
    title: str,
    limits: load.Limits,
    judge: Judge,
    now: datetime,
) -> EResult:
    """Begin a result from a finished PDF.

    An unsigned one is signed where its printed title and name stand. One that arrives signed is verified here and now,
    and can only be registered and delivered as it is.

    Raises:
        UnreadableScan: It isn't a PDF we can take.
        PlaceNotFound: The signer's title or name isn't printed in it.
        SigningRefused: It carries signatures that aren't genuine.
    """
    require(by, Act.DRAFT_RESULT)
    facts = load.inspect(file, limits=limits)
    if facts.media_type != "application/pdf":
        raise UnreadableScan("wrong_type", "Kết quả phải là tệp PDF. Hãy xuất lại thành PDF rồi tải lên.")
    with begin() as work:
        _must_be_decidable(work.dossiers.of(by, dossier_id), by)
        known = trusted(work)
        signer = None if facts.signed else _must_sign_for(work, leader, by, (by.username,))
    if signer is None:
        _must_be_genuine(judge, file, known, now)
    else:
        places.find(file, signer_title=signer.title, signer_name=signer.name)
    uploaded = store.put(file, media_type="application/pdf")
    with begin() as work:
        _must_be_new(work, uploaded)
    return _begin_result(begin, dossier_id, by=by, leader=leader, draft=uploaded, title=title, came_signed=facts.signed)


def submit(
    begin: Begin,
    store: ObjectStore,
    e_result_id: UUID,
    *,
    by: Actor,
    verify_url: str,
    now: datetime,
    work_dir: Path,
    face: Typeface | None = None,
    profile: Profile = Profile.CERTIFIED,
) -> EResult:
    """Fix number, date, bytes and the profile of its signatures, and lay the result before the leader.

    The number is taken and kept on the draft first; then the bytes are made; then the state moves. Killed in between,
    the next try uses the same number.

    Raises:
        TemplateDataError: The template's fields aren't right; all problems at once.
        NotFound: The leader or the agency has no active certificate: it couldn't be signed later.
        SigningRefused: It has annexes, and the agency's key can't sign them.
    """
    require(by, Act.SUBMIT_RESULT)
    with begin() as work:
        e_result = work.e_results.lock(by, e_result_id)
        if e_result.state is not ResultState.DRAFT or e_result.came_signed:
            raise WrongState(e_result.state)
        _must_be_decidable(work.dossiers.for_job(e_result.dossier_id), by)
        e_result = _drafted_by(e_result, by)
        leader = _must_sign_for(work, e_result.leader, by, e_result.drafters)
        work.certificates.for_person(leader.username)
        work.certificates.for_agency(e_result.agency)
        annexes.fixed(work, e_result)
        layout = layouts.of(work, e_result.template) if e_result.template else None
        if layout is not None:
            layout.render(store, _filled(work, e_result, verify_url), face=face)
        e_result = work.e_results.keep(_numbered(work, e_result, now))
        data = _filled(work, e_result, verify_url) if e_result.template else {}
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        target = Path(folder, "draft.pdf")
        if layout is not None:
            rendered = layout.render(store, data, face=face)
            source = Path(folder, "rendered.pdf")
            source.write_bytes(rendered.pdf)
            found = rendered.places
        else:
            source = Path(folder, "uploaded.pdf")
            store.fetch(_key(e_result.draft), source)
            found = places.find(source, signer_title=leader.title, signer_name=leader.name)
        prepare.add_fields(source, target, found, profile=profile)
        prepared = store.put(target, media_type="application/pdf")
    with begin() as work:
        locked = work.e_results.lock(by, e_result_id)
        if locked.version != e_result.version:
            raise Changed(str(e_result_id))
        e_result = work.e_results.keep(
            locked.move(
                ResultState.SUBMITTED,
                document=prepared,
                places=tuple(_as_data(p) for p in found),
                annexes_sha256=annexes.fixed(work, locked),
                comment="",
            )
        )
        work.audit.append(by, "e_result.submitted", e_result.id, number=e_result.full_number, sha256=prepared.sha256)
        return e_result


def preview(
    begin: Begin, store: ObjectStore, e_result_id: UUID, *, by: Actor, verify_url: str, face: Typeface | None = None
) -> bytes:
    """The draft as it would look, without a number.

    Raises:
        TemplateDataError: The template's fields aren't right; all problems at once.
        WrongState: It is an uploaded PDF, which is its own preview.
    """
    require(by, Act.SEE)
    with begin() as work:
        e_result = work.e_results.of(by, e_result_id)
        if not e_result.template:
            raise WrongState("uploaded")
        layout, data = layouts.of(work, e_result.template), _filled(work, e_result, verify_url)
    return layout.render(store, data, watermark=PREVIEW_MARK, face=face).pdf


@dataclass(frozen=True)
class Look:
    """A draft on its way: its PDF, b"" if none can be made of it yet, and everything that is wrong with it so far."""

    pdf: bytes
    problems: tuple[TemplateProblem, ...]


def look(
    begin: Begin, store: ObjectStore, e_result_id: UUID, *, by: Actor, verify_url: str, face: Typeface | None = None
) -> Look:
    """As `preview`, while it is being written: what is missing or can't stand is shown as a gap, and listed.

    Raises:
        WrongState: It is an uploaded PDF, which is its own preview.
    """
    require(by, Act.SEE)
    with begin() as work:
        e_result = work.e_results.of(by, e_result_id)
        if not e_result.template:
            raise WrongState("uploaded")
        layout, data = layouts.of(work, e_result.template), _filled(work, e_result, verify_url)
    problems: tuple[TemplateProblem, ...] = ()
    for mended in (drafts.as_it_is, drafts.with_blanks, drafts.with_gaps):
        try:
            data = mended(layout.kind, data, problems)
            return Look(layout.render(store, data, watermark=PREVIEW_MARK, face=face).pdf, problems)
        except LayoutError:  # an agency's own template can't set what is half written
            return Look(b"", problems)
        except TemplateDataError as wrong:
            problems = problems or wrong.problems
    return Look(b"", problems)


def send_back(
    begin: Begin, e_result_id: UUID, *, by: Actor, comment: str, document_sha256: str | None = None
) -> EResult:
    """A leader returns a submitted result with a comment, or who drafted it takes it back; its number is void.

    So does an approved result whose signing stopped before anything was signed, say for a revoked certificate, or
    that still waits for the leader's own token.

    Args:
        document_sha256: Of what was looked at (`EResult.approval_sha256`); another isn't returned unseen. None
            doesn't ask.

    Raises:
        Changed: The document isn't the one that was looked at.
        Incomplete: No comment: the drafter must learn what to change.
    """
    require(by, Act.RETURN_RESULT)
    if not comment.strip():
        raise Incomplete("comment", ("comment",))
    with begin() as work:
        e_result = work.e_results.lock(by, e_result_id)
        if Role.LEADER not in by.roles and by.username not in e_result.drafters:
            raise NotAllowed("drafter")
        if document_sha256 is not None:
            _must_be_these_bytes(e_result, document_sha256)
        stands_still = e_result.trouble or own_token.awaited(e_result)
        if e_result.state is ResultState.APPROVED and not stands_still:
            raise WrongState(e_result.state)  # it is being signed
        if e_result.number is not None and e_result.dated is not None:
            work.e_results.void_number(
                e_result.agency, e_result.symbol, e_result.dated.year, e_result.number, "returned"
            )
        returned = work.e_results.keep(
            e_result.move(
                ResultState.DRAFT,
                number=None,
                symbol="",
                dated=None,
                document=None,
                unstamped=None,
                own_token=False,
                places=(),
                annexes_sha256="",
                comment=comment,
                trouble="",
                returned_data=e_result.data,
            )
        )
        amendments.log(
            work,
            by,
            "e_result.returned",
            e_result.id,
            of=e_result.dossier_id,
            changes={"comment": (e_result.comment, comment)},
            number=e_result.full_number,
        )
        return returned


def discard(begin: Begin, e_result_id: UUID, *, by: Actor, reason: str, now: datetime) -> EResult:
    """Whoever drafted it gives a draft up, with a reason. Nothing is deleted; a number kept on it is void.

    Raises:
        Incomplete: No reason given.
        NotAllowed: Somebody else's draft.
        WrongState: It is no draft: what was submitted is taken back first.
    """
    require(by, Act.DRAFT_RESULT)
    if not reason.strip():
        raise Incomplete("reason", ("reason",))
    with begin() as work:
        e_result = work.e_results.lock(by, e_result_id)
        if by.username not in e_result.drafters:
            raise NotAllowed("drafter")
        discarded = e_result.move(ResultState.DISCARDED, closed_at=now, closed_reason=reason)
        if e_result.number is not None and e_result.dated is not None:  # killed in the midst of a submission
            work.e_results.void_number(
                e_result.agency, e_result.symbol, e_result.dated.year, e_result.number, "discarded"
            )
        work.audit.append(by, "e_result.discarded", e_result.id, number=e_result.full_number)
        return work.e_results.keep(discarded)


def mark_read(begin: Begin, e_result_id: UUID, *, by: Actor, document_sha256: str) -> None:
    """The leader who is to sign has read these very bytes to their end; said twice, it is noted once.

    Raises:
        Changed: The document isn't the one that was read.
        NotAllowed: It is somebody else's to sign.
        WrongState: It doesn't wait for approval.
    """
    require(by, Act.APPROVE_RESULT)
    with begin() as work:
        e_result = work.e_results.lock(by, e_result_id)
        _must_be_the_leader(e_result, by)
        if e_result.state is not ResultState.SUBMITTED:
            raise WrongState(e_result.state)
        _must_be_these_bytes(e_result, document_sha256)
        if not was_read(e_result, work.audit.of(e_result.id)):
            work.audit.append(by, READ, e_result.id, sha256=document_sha256)


def was_read(e_result: EResult, history: Iterable[AuditEntry]) -> bool:
    """Whether the leader who is to sign has read the document as it stands now."""
    return e_result.document is not None and e_result.approval_sha256 in _read_by_leader(e_result, history)


def was_read_before(e_result: EResult, history: Iterable[AuditEntry]) -> bool:
    """Whether the leader has read it in an earlier version only: it was changed since."""
    return bool(_read_by_leader(e_result, history)) and not was_read(e_result, history)


def _read_by_leader(e_result: EResult, history: Iterable[AuditEntry]) -> set[str]:
    """The hashes of the documents that the leader has read, of this result."""
    return {
        line.detail.get("sha256", "")
        for line in history
        if line.event == READ and line.actor == e_result.leader and line.subject == str(e_result.id)
    }


def approve(
    begin: Begin,
    e_result_id: UUID,
    *,
    by: Actor,
    now: datetime,
    document_sha256: str,
    only_if_read: bool = False,
) -> EResult:
    """The leader approves these very bytes; the signing worker signs, seals and issues them.

    A leader whose key is on a token of their own signs with that next (`dossiers.own_token`). The caller has
    checked the leader's password anew.

    Args:
        document_sha256: Of what the leader read (`EResult.approval_sha256`); approving anything else is refused.
        only_if_read: Whether the log must say so too (`mark_read`), as on our own pages.

    Raises:
        Changed: The document isn't the one that was read.
        Unread: The log doesn't say that it was read.
        NotAllowed: It is somebody else's to sign, or the leader drafted it.
    """
    require(by, Act.APPROVE_RESULT)
    with begin() as work:
        e_result = work.e_results.lock(by, e_result_id)
        _must_be_the_leader(e_result, by)
        _must_be_decidable(work.dossiers.for_job(e_result.dossier_id), by)
        _must_be_these_bytes(e_result, document_sha256)
        if (
            only_if_read
            and e_result.state is ResultState.SUBMITTED
            and not was_read(e_result, work.audit.of(e_result.id))
        ):
            raise Unread(str(e_result.id))
        e_result = e_result.move(ResultState.APPROVED, approved_at=now)
        e_result = work.e_results.keep(_signature_asked(work, e_result, Place.LEADER))
        work.audit.append(by, "e_result.approved", e_result.id, sha256=document_sha256)
        return e_result


#: From which state each signature leads on.
_SIGNED_FROM = {
    Place.LEADER: ResultState.APPROVED,
    Place.SEAL: ResultState.LEADER_SIGNED,
    Place.ANNEX: ResultState.SEALED,
}


def sign(desk: SigningDesk, e_result_id: UUID, place: Place) -> None:
    """Sign an approved result as its leader, seal a signed one, or sign the annexes of a sealed one.

    Nothing happens if that is done already.

    In two goes, the second as a job of its own: the key is touched and the signature kept (`unstamped`); then it gets
    its timestamp and evidence, however long that takes. A signature that is kept is never made again.

    Raises:
        TrustServiceUnavailable, StoreUnavailable, SignatureUnproven: Try again later; the record says that it waits.
    """
    with desk.begin() as work:
        e_result = work.e_results.for_job(e_result_id)
        if e_result.state is not _SIGNED_FROM[place] or own_token.awaited(e_result) is place:
            return
    try:
        if place is Place.ANNEX:
            annexes.sign(desk, e_result)
        elif e_result.unstamped is None:
            _make(desk, e_result, place)
        else:
            _complete(desk, e_result, place)
    except SigningRefused as refused:
        give_up(desk.begin, e_result_id, refused.reason, lost=e_result.unstamped if refused.lost else None)
    except TrustServiceUnavailable:
        kept = annexes.are_kept(desk.begin, e_result_id) if place is Place.ANNEX else e_result.unstamped is not None
        if not kept:  # else it says so already, and goes on by itself
            give_up(desk.begin, e_result_id, "waiting_for_trust_service")
        raise
    except SignatureUnproven:
        give_up(desk.begin, e_result_id, "signature_unproven")
        raise


def _make(desk: SigningDesk, e_result: EResult, place: Place) -> None:
    """Sign, and keep what was signed; the time comes later."""
    revision = e_result.number or 0
    with desk.begin() as work:
        now = work.e_results.for_job(e_result.id)
        if (now.state, now.document) != (e_result.state, e_result.document):
            return  # the leader has stopped it meanwhile
        # From here on it can't be stopped: see `batches.stop`, which holds the same row.
        work.e_results.begin_attempt(e_result.id, place, revision)
        agency = work.agencies.of(e_result.agency)
        if place is Place.LEADER:
            leader = _still_the_leader(work, e_result)
            record, names = work.certificates.for_person(leader.username), [leader.name]
            look = appearance.leader(leader.name, desk.keys.picture(record))
        else:
            record, names = work.certificates.for_agency(agency.code), [agency.name, agency.letterhead]
            look = appearance.seal(agency.letterhead or agency.name, desk.keys.picture(record))
    if record.agency != e_result.agency:  # the person has moved, and their certificate hasn't
        raise SigningRefused("wrong_certificate", "Chứng thư của cơ quan khác.")
    made = make_once(
        desk,
        e_result.id,
        revision,
        source=_key(e_result.document),
        place=place,
        where=_place_of(e_result, place),
        record=record,
        names=names,
        appearance=look,
    )
    with desk.begin() as work:
        now = work.e_results.for_job(e_result.id)
        if now.state is _SIGNED_FROM[place] and now.unstamped is None and now.document == e_result.document:
            work.e_results.finish_attempt(e_result.id, place, revision, made)
            work.e_results.keep(replace(now, unstamped=made, unstamped_at=datetime.now(UTC), trouble=""))
            work.jobs.sign_e_result(e_result.id, place, made=True)
            work.audit.append(
                Actor.system(e_result.agency),
                "e_result.made",
                e_result.id,
                place=place.value,
                sha256=made.sha256,
                certificate=record.sha256,
            )
    recorded(desk, e_result.id, place, revision)


def _still_the_leader(work: UnitOfWork, e_result: EResult) -> Account:
    """Who is to sign is at this moment what they were at approval.

    Raises:
        SigningRefused: "signer_left".
    """
    leader = work.accounts.of(e_result.leader)
    may = leader.active and Role.LEADER in leader.roles and leader.agency == e_result.agency
    if not may or leader.username in e_result.drafters:
        raise SigningRefused("signer_left", "Người phải ký không còn là lãnh đạo của cơ quan này. Chưa có gì được ký.")
    return leader


def _complete(desk: SigningDesk, e_result: EResult, place: Place) -> None:
    """Give a signature that is kept its timestamp and evidence, and move on."""
    waiting = _key(e_result.unstamped)
    recorded(desk, e_result.id, place, e_result.number or 0)
    with desk.begin() as work:
        known = work.certificates
        records = known.of_person(e_result.leader) if place is Place.LEADER else known.of_agency(e_result.agency)
    records = [record for record in records if record.agency == e_result.agency]
    document, signer = complete(desk, waiting, place=place, records=records)
    with desk.begin() as work:
        now = work.e_results.for_job(e_result.id)
        if now.state is _SIGNED_FROM[place] and now.unstamped == waiting:
            _signed(work, now, place, document, signer)


def _signed(work: UnitOfWork, e_result: EResult, place: Place, document: ObjectKey, certificate_sha256: str) -> EResult:
    """A signature was made and verified: keep it and ask for what follows."""
    state = ResultState.LEADER_SIGNED if place is Place.LEADER else ResultState.SEALED
    e_result = e_result.move(state, document=document, unstamped=None, own_token=False, trouble="")
    if state is ResultState.LEADER_SIGNED:
        e_result = _signature_asked(work, e_result, Place.SEAL)
    elif e_result.annexes_sha256:
        work.jobs.sign_e_result(e_result.id, Place.ANNEX)
    else:
        work.jobs.issue(e_result.id)
    e_result = work.e_results.keep(e_result)
    work.audit.append(
        Actor.system(e_result.agency),
        f"e_result.{state}",
        e_result.id,
        sha256=document.sha256,
        certificate=certificate_sha256,
    )
    return e_result


def _signature_asked(work: UnitOfWork, e_result: EResult, place: Place) -> EResult:
    """Who holds the key is asked for the signature: the signing worker, or a person with a token of their own."""
    known = work.certificates
    records = known.of_person(e_result.leader) if place is Place.LEADER else known.of_agency(e_result.agency)
    held = next((record.held for record in records if record.active), None)
    waits = e_result.unstamped is None and held is KeyHeld.OWN_TOKEN
    if not waits:
        work.jobs.sign_e_result(e_result.id, place, made=e_result.unstamped is not None)
    return replace(e_result, own_token=waits)


def give_up(
    begin: Begin, e_result_id: UUID, trouble: str, *, lost: ObjectKey | None = None, place: Place | None = None
) -> None:
    """The signing worker can't go on: the seal keeper is told why, and resumes it.

    Args:
        place: The signature that can't be made: nothing stops for one that isn't the next. None doesn't ask.
        lost: A signature that was kept and can never count; resumed, it is made anew. Its bytes stay in the store.
    """
    with begin() as work:
        e_result = work.e_results.for_job(e_result_id)
        if e_result.state not in (ResultState.APPROVED, ResultState.LEADER_SIGNED) and not _signs_annexes(e_result):
            return
        if place is not None and (e_result.state is not _SIGNED_FROM[place] or own_token.awaited(e_result) is place):
            return
        system = Actor.system(e_result.agency)
        if lost is not None and e_result.unstamped == lost:
            e_result = work.e_results.keep(replace(e_result, unstamped=None))
            work.audit.append(system, "e_result.dropped", e_result.id, sha256=lost.sha256, trouble=trouble)
        if e_result.trouble != trouble:
            work.e_results.keep(replace(e_result, trouble=trouble))
            work.audit.append(system, "e_result.trouble", e_result.id, trouble=trouble)


def resume_signing(begin: Begin, e_result_id: UUID, *, by: Actor) -> EResult:
    """What stopped the signing is mended; go on where it stopped."""
    require(by, Act.MEND_SIGNING)
    with begin() as work:
        return sign_on(work, work.e_results.lock(by, e_result_id), by)


def sign_on(work: UnitOfWork, e_result: EResult, by: Actor) -> EResult:
    """Have the signing job take it up where it stopped.

    Raises:
        WrongState: It isn't being signed.
    """
    if _signs_annexes(e_result):
        work.audit.append(by, "e_result.resumed", e_result.id)
        work.jobs.sign_e_result(e_result.id, Place.ANNEX)
        return work.e_results.keep(replace(e_result, trouble=""))
    places_left = {ResultState.APPROVED: Place.LEADER, ResultState.LEADER_SIGNED: Place.SEAL}
    if e_result.state not in places_left:
        raise WrongState(e_result.state)
    work.audit.append(by, "e_result.resumed", e_result.id)
    e_result = _signature_asked(work, e_result, places_left[e_result.state])
    return work.e_results.keep(replace(e_result, trouble=""))


def _signs_annexes(e_result: EResult) -> bool:
    """Sealed, and its annexes are being signed."""
    return e_result.state is ResultState.SEALED and bool(e_result.annexes_sha256)


def issue(begin: Begin, e_result_id: UUID, *, now: datetime) -> None:
    """Enter a sealed result, all annexes signed, in the register; from now on the citizen can fetch it."""
    with begin() as work:
        e_result = work.e_results.for_job(e_result_id)
        if e_result.state is not ResultState.SEALED or not annexes.are_whole(work, e_result):
            return
        _enter(work, e_result, by=Actor.system(e_result.agency), now=now)


def register_signed(
    begin: Begin, store: ObjectStore, e_result_id: UUID, *, by: Actor, judge: Judge, now: datetime, work_dir: Path
) -> EResult:
    """Issue a result that came with its signatures, byte for byte as it is, after judging it once more.

    The seal keeper answers for it, never the one who brought it in (decision 0013).

    Raises:
        NotAllowed: The same person uploaded it.
        SigningRefused: Its signatures aren't genuine (any more).
        Duplicate: The register has these very bytes.
    """
    require(by, Act.REGISTER_SIGNED)
    with begin() as work:
        e_result = work.e_results.of(by, e_result_id)
        known = trusted(work)
    if not e_result.came_signed:
        raise WrongState(e_result.state)
    if by.username in e_result.drafters:
        raise NotAllowed("drafter")
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        file = Path(folder, "signed.pdf")
        store.fetch(_key(e_result.draft), file)
        _must_be_genuine(judge, file, known, now)
    with begin() as work:
        e_result = work.e_results.lock(by, e_result_id)
        _must_be_new(work, _key(e_result.draft))
        return _enter(work, replace(e_result, document=e_result.draft), by=by, now=now)


def withdraw(begin: Begin, e_result_id: UUID, *, by: Actor, reason: str, now: datetime) -> EResult:
    """Take an issued e-result out of force. The file stays; the register answers for it.

    Raises:
        WrongState: It was never issued, or is already withdrawn or superseded.
        Incomplete: No reason given.
    """
    require(by, Act.WITHDRAW)
    with begin() as work:
        e_result = work.e_results.lock(by, e_result_id)
        return _take_out_of_force(work, e_result, ResultState.WITHDRAWN, by=by, reason=reason, now=now)


def supersede(begin: Begin, e_result_id: UUID, *, by: Actor, replacement: UUID, reason: str, now: datetime) -> EResult:
    """Let an issued result of the same agency take the place of another.

    Raises:
        WrongState: One of the two isn't in force, or they are one and the same.
    """
    require(by, Act.WITHDRAW)
    with begin() as work:
        # Both are held, in one order for everybody, so that two can't take each other's place at once.
        locked = {some: work.e_results.lock(by, some) for some in sorted({e_result_id, replacement})}
        e_result, newer = locked[e_result_id], locked[replacement]
        if newer.id == e_result.id or newer.state is not ResultState.ISSUED:
            raise WrongState("replacement")
        return _take_out_of_force(
            work, e_result, ResultState.SUPERSEDED, by=by, reason=reason, now=now, superseded_by=newer.id
        )


def _begin_result(begin: Begin, dossier_id: UUID, *, by: Actor, leader: str, title: str, **given: Any) -> EResult:
    require(by, Act.DRAFT_RESULT)
    with begin() as work:
        dossier = work.dossiers.lock(by, dossier_id)
        _must_be_decidable(dossier, by)
        if not given.get("came_signed"):
            _must_sign_for(work, leader, by, (by.username,))
        earlier = work.e_results.of_dossier(dossier.id)
        e_result = work.e_results.keep(
            EResult(
                id=uuid.uuid4(),
                dossier_id=dossier.id,
                agency=by.agency,
                ordinal=len(earlier) + 1,
                state=ResultState.DRAFT,
                title=title or work.procedures.of(dossier.procedure).result_name,
                prepared_by=by.username,
                drafters=(by.username,),
                leader=leader,
                lookup_code=codes.new_lookup_code(),
                **given,
            )
        )
        work.audit.append(by, "e_result.drafted", e_result.id, dossier=dossier.code)
        return e_result


def _must_be_decidable(dossier: Dossier, by: Actor) -> None:
    if dossier.competent != by.agency:
        raise NotAllowed("competent")
    if dossier.state not in DECIDABLE:
        raise WrongState(dossier.state)


def _must_be_new(work: UnitOfWork, document: ObjectKey) -> None:
    if work.e_results.by_document(document.sha256) is not None:
        raise Duplicate(document.sha256, of="register")
    if work.register.copy_with(document.sha256) is not None:
        raise Duplicate(document.sha256, of="copies")


def _words_of(e_result: EResult) -> dict[str, Any]:
    """What a person can change of a draft, by its place."""
    given = {"title": e_result.title, "leader": e_result.leader}
    return given | {f"data.{key}": value for key, value in e_result.data.items()}


def _drafted_by(e_result: EResult, by: Actor) -> EResult:
    """The result, with one more who had a hand in it."""
    drafters = e_result.drafters if by.username in e_result.drafters else (*e_result.drafters, by.username)
    return replace(e_result, drafters=drafters)


def _must_sign_for(work: UnitOfWork, leader: str, by: Actor, drafters: Sequence[str]) -> Account:
    """The signer is a leader of this agency, and never one who had a hand in the draft."""
    account = work.accounts.of(leader)
    if account.agency != by.agency or Role.LEADER not in account.roles or account.username in drafters:
        raise NotAllowed("leader")
    return account


def _must_be_the_leader(e_result: EResult, by: Actor) -> None:
    if by.username != e_result.leader or by.username in e_result.drafters:
        raise NotAllowed("leader")


def _must_be_these_bytes(e_result: EResult, sha256: str) -> None:
    """The document, and its annexes where it has any, are those that were read."""
    if e_result.document is None or e_result.approval_sha256 != sha256:
        raise Changed(str(e_result.id))


def _must_be_genuine(judge: Judge, file: Path, known: TrustStore, now: datetime) -> None:
    """A result in force: no copy of one, no annex, no report of a check."""
    found = judge.verify(file, trust=known, at=now)
    if found.verdict is not Verdict.GENUINE or found.kind in (Kind.ELECTRONIC_COPY, Kind.ANNEX, Kind.CHECK_REPORT):
        raise SigningRefused("not_genuine", ",".join(found.reasons) or found.kind)


def _numbered(work: UnitOfWork, e_result: EResult, now: datetime) -> EResult:
    """The draft with today's date and a number; one that already has a number of this year keeps it."""
    day = local_day(now)
    if e_result.number is not None and e_result.dated is not None:
        if e_result.dated.year == day.year:
            return replace(e_result, dated=day)
        work.e_results.void_number(
            e_result.agency, e_result.symbol, e_result.dated.year, e_result.number, "not_submitted"
        )
    procedure = work.procedures.of(work.dossiers.for_job(e_result.dossier_id).procedure)
    symbol = _symbol(work, e_result, procedure, work.agencies.of(e_result.agency))
    number = work.e_results.take_number(e_result.agency, symbol, day.year, e_result.id)
    return replace(e_result, number=number, symbol=symbol, dated=day)


def _filled(work: UnitOfWork, e_result: EResult, verify_url: str) -> dict[str, Any]:
    """What the clerk filled in, with what only the office and the system may say put over it."""
    dossier = work.dossiers.for_job(e_result.dossier_id)
    procedure = work.procedures.of(dossier.procedure)
    agency = work.agencies.of(e_result.agency)
    leader = work.accounts.of(e_result.leader)
    given = {f.key for f in layouts.of(work, e_result.template).kind.fields if f.source == "clerk"}
    filled = {k: v for k, v in e_result.data.items() if k in given}
    filled |= {
        "parent_name": agency.parent_name,
        "agency_name": agency.letterhead or agency.name,
        "place": agency.place,
        "symbol": e_result.symbol or _symbol(work, e_result, procedure, agency),
        "signer_title": leader.title,
        "signer_name": leader.name,
        "authority": _authority(str(e_result.data.get("signer_power") or ""), leader.title, agency),
        "archive_unit": "",
        "lookup_code": codes.format_lookup_code(e_result.lookup_code),
        "verify_url": verify_url,
        "dossier_code": dossier.code,
        "procedure_code": procedure.code,
        "applicant_id": dossier.applicant.id_number,
        "system_name": "Hồ sơ số",
    }
    if e_result.number is not None and e_result.dated is not None:
        filled |= {"number": e_result.number, "dated": e_result.dated}
    return filled


def _symbol(work: UnitOfWork, e_result: EResult, procedure: Procedure, agency: Agency) -> str:
    """The procedure's own, unless the result is of another kind than its results are."""
    if not e_result.template:
        return f"{procedure.result_symbol}-{agency.symbol}"
    usual = procedure.result_symbol if e_result.template == procedure.result_template else ""
    return templates.symbol(layouts.of(work, e_result.template).kind, agency=agency.symbol, procedure=usual)


def _authority(power: str, title: str, agency: Agency) -> str:
    """Who decides, above the text: the head whom the signer stands in for, or the body in whose name they sign."""
    name = agency.letterhead or agency.name
    sign, _, whose = power.partition(".")
    if sign.strip().upper() == "TM":
        return name.upper()
    return f"{whose.strip() or title} {name}".upper()


def _as_data(place: SignaturePlace) -> dict[str, Any]:
    return {"place": place.place.value, "page": place.page, "box": list(place.box)}


def _enter(work: UnitOfWork, e_result: EResult, *, by: Actor, now: datetime) -> EResult:
    e_result = work.e_results.keep(e_result.move(ResultState.ISSUED, issued_at=now))
    dossier = work.dossiers.for_job(e_result.dossier_id)
    if dossier.state is DossierState.IN_PROCESS:
        work.dossiers.keep(dossier.move(DossierState.RESULT_READY))
    sha256 = e_result.document.sha256 if e_result.document else ""
    work.audit.append(by, "e_result.issued", e_result.id, number=e_result.full_number, sha256=sha256)
    return e_result


def _take_out_of_force(
    work: UnitOfWork,
    e_result: EResult,
    state: ResultState,
    *,
    by: Actor,
    reason: str,
    now: datetime,
    superseded_by: UUID | None = None,
) -> EResult:
    if not reason.strip():
        raise Incomplete("reason", ("reason",))
    e_result = work.e_results.keep(
        e_result.move(state, closed_at=now, closed_reason=reason, superseded_by=superseded_by)
    )
    dossier = work.dossiers.for_job(e_result.dossier_id)
    in_force = [r for r in work.e_results.of_dossier(dossier.id) if r.state is ResultState.ISSUED]
    if not in_force and dossier.state in (DossierState.RESULT_READY, DossierState.RETURNED):
        work.dossiers.keep(dossier.move(DossierState.IN_PROCESS))
    work.audit.append(by, f"e_result.{state}", e_result.id, number=e_result.full_number)
    return e_result


def _place_of(e_result: EResult, place: Place) -> SignaturePlace:
    """Where a signature of a submitted result stands."""
    for p in e_result.places:
        if p["place"] == place:
            return SignaturePlace(place=place, page=p["page"], box=tuple(p["box"]))
    raise NotFound(place)


def _key(key: ObjectKey | None) -> ObjectKey:
    if key is None:
        raise WrongState("no_document")
    return key
