"""Signed with the signer's own token: the document goes out by a one-time link, and the signed one comes back.

The key is on the person's USB token or SIM; their desktop tool is given two addresses, one to fetch the document from
and one to send the signed file to. The state moves when, and only when, what came back is the very document with
exactly their signature (`signing.returned`, decision 0029): it is kept durably first, then recorded in one commit, and
the signing job gives it timestamp and evidence. Whatever else comes back changes nothing but the link's own record.

A link is made for one document, one place and one person. It may be tried until it is used, over, or worn out; the
same upload sent again is answered as done.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from dossiers.labels import label
from dossiers.policy import Act, require
from dossiers.signatures import trusted
from dossiers.types import (
    Actor,
    Changed,
    EResult,
    KeyHeld,
    NotAllowed,
    NotFound,
    ObjectKey,
    OfficeError,
    ResultState,
    Role,
    WrongState,
)
from signing import trust
from signing.types import Place, SigningRefused

if TYPE_CHECKING:
    from dossiers.labels import Language
    from dossiers.ports import Begin, Examiner, ObjectStore, UnitOfWork
    from dossiers.types import CertificateRecord

#: How long a link may be used: a sitting at the desk, with a token that has to be looked for.
LASTS = timedelta(hours=1)
#: Files that didn't pass, before a new link is needed.
MOST_REFUSALS = 20

_CHUNK = 1024 * 1024
#: Which signature is awaited in which state.
PLACES = {ResultState.APPROVED: Place.LEADER, ResultState.LEADER_SIGNED: Place.SEAL}


class NoLink(OfficeError):
    """The link leads nowhere (any more). `reason` says why: a code that `dossiers.labels` has words for."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SigningLink:
    """A document given out to be signed with its signer's own token.

    Attributes:
        token_sha256: Of the secret in the address; the secret itself is kept nowhere.
        person: Username of who asked for the link and is to sign.
        document: What was sent.
        certificate_sha256: Whose signature is expected.
        refusal: Why the last file that came back wasn't taken, or "". refused_signer: who had signed that one.
        refusals: How many weren't.
        returned: The file that was taken; the link is used then.
        waiting: Where a digest was given out instead of the document (`dossiers.digests`): the document with an empty
            signature in it. prepared: what is needed to finish it, as `signing.deferred` writes it; "" for a document.
    """

    id: UUID
    token_sha256: str
    e_result_id: UUID
    agency: str
    place: Place
    person: str
    document: ObjectKey
    certificate_sha256: str
    made_at: datetime
    expires_at: datetime
    fetched_at: datetime | None = None
    refusal: str = ""
    refused_signer: str = ""
    refused_at: datetime | None = None
    refusals: int = 0
    returned: ObjectKey | None = None
    returned_at: datetime | None = None
    waiting: ObjectKey | None = None
    prepared: str = ""
    version: int = 0

    def ended(self, now: datetime) -> str:
        """Why it can't be used any more, "" while it can."""
        if self.returned is not None:
            return "link_used"
        if now >= self.expires_at:
            return "link_expired"
        return "link_worn_out" if self.refusals >= MOST_REFUSALS else ""


@dataclass(frozen=True)
class HandedOut:
    """A new link, and the one time its secret is told.

    Attributes:
        status_known: Whether revocation lists spoke for the certificate; where not, the signer is told before signing.
    """

    link: SigningLink
    token: str
    certificate: CertificateRecord
    status_known: bool


@dataclass(frozen=True)
class Taken:
    """What became of an upload.

    Attributes:
        refusal: Why it wasn't taken; "" when it was, now or before.
        signer: Who had signed it instead. expected: who should have.
    """

    refusal: str
    e_result_id: UUID | None = None
    signer: str = ""
    expected: str = ""

    def words(self, language: Language) -> str:
        """What happened, that nothing was changed, and what to do."""
        return label(self.refusal or "link_done", language).format(signer=self.signer, expected=self.expected)


def awaited(e_result: EResult) -> Place | None:
    """Which signature its signer's own token is to make now, if any."""
    return PLACES.get(e_result.state) if e_result.own_token and e_result.unstamped is None else None


def may_sign(actor: Actor, e_result: EResult) -> bool:
    """Whether this person's token is the one that is awaited."""
    place = awaited(e_result)
    if place is Place.LEADER:
        return Role.LEADER in actor.roles and actor.username == e_result.leader
    return place is Place.SEAL and Role.SEAL_KEEPER in actor.roles


@dataclass(frozen=True)
class MadeReady:
    """A document made ready for a signature alone: what it was made from, and what `SigningLink` keeps of it."""

    document: ObjectKey
    waiting: ObjectKey
    prepared: str


def hand_out(
    begin: Begin, e_result_id: UUID, *, by: Actor, now: datetime, made_ready: MadeReady | None = None
) -> HandedOut:
    """A link by which the asker's own tool fetches the document and brings it back signed.

    Args:
        made_ready: Where a digest goes out instead.

    Raises:
        Changed: What was made ready isn't the document any more.
        WrongState: No signature by an own token is awaited.
        NotAllowed: It is somebody else's to sign.
        SigningRefused: The certificate is revoked, expired or not to be trusted: it mustn't be used at all.
    """
    require(by, Act.SIGN_WITH_TOKEN)
    with begin() as work:
        e_result = work.e_results.of(by, e_result_id)
        record = certificate_awaited(work, e_result)
        known = trusted(work)
    standing = standing_of(record, known)
    token = secrets.token_urlsafe(32)
    with begin() as work:
        e_result = work.e_results.lock(by, e_result_id)
        place = must_be_theirs(e_result, by)
        if made_ready is not None and made_ready.document != e_result.document:
            raise Changed("document")
        link = work.signing_links.keep(
            SigningLink(
                id=uuid.uuid4(),
                token_sha256=hash_of(token),
                e_result_id=e_result.id,
                agency=e_result.agency,
                place=place,
                person=by.username,
                document=document_awaited(e_result),
                certificate_sha256=record.sha256,
                made_at=now,
                expires_at=now + LASTS,
                waiting=made_ready.waiting if made_ready else None,
                prepared=made_ready.prepared if made_ready else "",
            )
        )
        work.audit.append(
            by, "e_result.sent_to_token", e_result.id, link=str(link.id), sha256=link.document.sha256, place=place.value
        )
    return HandedOut(link, token, record, status_known=standing.known)


def fetch(begin: Begin, token: str, *, now: datetime) -> tuple[ObjectKey, EResult]:
    """The document a link is for.

    Raises:
        NoLink: It has ended, or the document isn't waiting for this signature any more.
    """
    with begin() as work:
        link = by_token(work, token)
        e_result = work.e_results.for_job(link.e_result_id)
        link = work.signing_links.lock(link.id)
        if reason := link.ended(now) or moved_on(link, e_result):
            raise NoLink(reason)
        if link.fetched_at is None:
            work.signing_links.keep(replace(link, fetched_at=now))
        return link.document, e_result


def must_be_open(begin: Begin, token: str) -> None:
    """Say early, before an upload is read, that a link was never ours. One that has ended is told its file's fate.

    Raises:
        NoLink: There is none.
    """
    with begin() as work:
        by_token(work, token)


def take(
    begin: Begin, store: ObjectStore, token: str, file: Path, *, examiner: Examiner, now: datetime, work_dir: Path
) -> Taken:
    """What the tool sent back: kept and recorded if it is the document with the expected signature.

    Raises:
        JudgesBusy: Nothing was looked at; the link stays as it was.
        NoLink: There is no such link.
        StoreUnavailable, ObjectMissing: Nothing was accepted.
    """
    digest = _digest(file)
    with begin() as work:
        link = by_token(work, token)
        if link.returned is not None and link.returned.sha256 == digest:
            return Taken("", link.e_result_id)
        e_result = work.e_results.for_job(link.e_result_id)
        ended = link.ended(now) or moved_on(link, e_result)
        expected = None if ended else certificate_awaited(work, e_result)
        known = trusted(work)
    if expected is None:
        return Taken(ended, link.e_result_id)
    taken = judged(store, link, file, expected, known, examiner, work_dir)
    if taken.refusal:
        note_refusal(begin, link, taken, now)
        return taken
    return record(begin, link, store.put(file, media_type="application/pdf"), now=now)


def record(begin: Begin, link: SigningLink, kept: ObjectKey, *, now: datetime) -> Taken:
    """Record a signed file that passed and is stored: result, link and job in one commit, once."""
    with begin() as work:
        # The result first, then the link: in one order for everybody, so that two uploads at once wait, not clash.
        e_result = work.e_results.for_job(link.e_result_id)
        link = work.signing_links.lock(link.id)
        if link.returned is not None:
            return Taken("" if link.returned == kept else "link_used", link.e_result_id)
        if reason := moved_on(link, e_result):
            return Taken(reason, link.e_result_id)
        work.signing_links.keep(replace(link, returned=kept, returned_at=now, refusal="", refused_signer=""))
        work.e_results.keep(replace(e_result, unstamped=kept, unstamped_at=now, own_token=False, trouble=""))
        work.jobs.sign_e_result(e_result.id, link.place, made=True)
        work.audit.append(
            _signer(link),
            "e_result.token_signed",
            e_result.id,
            link=str(link.id),
            sha256=kept.sha256,
            certificate=link.certificate_sha256,
            place=link.place.value,
        )
    return Taken("", link.e_result_id)


def take_by_hand(
    begin: Begin,
    store: ObjectStore,
    e_result_id: UUID,
    file: Path,
    *,
    by: Actor,
    examiner: Examiner,
    now: datetime,
    work_dir: Path,
) -> Taken:
    """As `take`, from the person at our own page: signed in any tool, uploaded like any file.

    Raises:
        WrongState, NotAllowed, SigningRefused: As `hand_out`.
        JudgesBusy: As `take`.
        StoreUnavailable, ObjectMissing: Nothing was accepted.
    """
    digest = _digest(file)
    with begin() as work:
        e_result = work.e_results.of(by, e_result_id)
        before = work.signing_links.newest(e_result.id)
        if before is not None and before.returned is not None and before.returned.sha256 == digest:
            return Taken("", e_result.id)
    handed_out = hand_out(begin, e_result_id, by=by, now=now)
    return take(begin, store, handed_out.token, file, examiner=examiner, now=now, work_dir=work_dir)


def refuse(begin: Begin, token: str, reason: str, *, now: datetime) -> Taken:
    """An upload that never became a file: broken off, or larger than may be read. Noted for the signer's page.

    Raises:
        NoLink: There is no such link.
    """
    with begin() as work:
        link = by_token(work, token)
    if ended := link.ended(now):
        return Taken(ended, link.e_result_id)
    taken = Taken(reason, link.e_result_id)
    note_refusal(begin, link, taken, now)
    return taken


def words_of(begin: Begin, link: SigningLink) -> tuple[str, str]:
    """Why the last file of a link wasn't taken, in Vietnamese and English; "" both when none was refused."""
    if not link.refusal:
        return "", ""
    with begin() as work:
        known = work.certificates
        records = known.of_person(link.person) if link.place is Place.LEADER else known.of_agency(link.agency)
    expected = next((record.subject for record in records if record.sha256 == link.certificate_sha256), link.person)
    told = Taken(link.refusal, link.e_result_id, link.refused_signer, expected)
    return told.words("vi"), told.words("en")


# --- deciding ---------------------------------------------------------------------------------------------------------


def must_be_theirs(e_result: EResult, by: Actor) -> Place:
    """Which signature is awaited of this person.

    Raises:
        WrongState: None is. NotAllowed: It is somebody else's to make.
    """
    place = awaited(e_result)
    if place is None:
        raise WrongState(e_result.state)
    if not may_sign(by, e_result):
        raise NotAllowed("leader")
    return place


def certificate_awaited(work: UnitOfWork, e_result: EResult) -> CertificateRecord:
    """Whose signature is awaited; the key is on that person's own token.

    Raises:
        WrongState: None is awaited, or it is another kind of key by now.
        NotFound: There is no certificate any more.
    """
    place = awaited(e_result)
    if place is None:
        raise WrongState(e_result.state)
    known = work.certificates
    record = known.for_person(e_result.leader) if place is Place.LEADER else known.for_agency(e_result.agency)
    if record.held is not KeyHeld.OWN_TOKEN:
        raise WrongState(record.held)
    if record.agency != e_result.agency:
        raise SigningRefused("wrong_certificate", "Chứng thư của cơ quan khác.")
    return record


def standing_of(record: CertificateRecord, known: trust.TrustStore) -> trust.Standing:
    """What our own lists say of the certificate; nobody is asked.

    Raises:
        SigningRefused: It mustn't sign.
    """
    return trust.signer_standing(record.der, known, fetch=False)


def moved_on(link: SigningLink, e_result: EResult) -> str:
    """Why the document of a link isn't the one that waits any more, "" while it is."""
    is_same = e_result.document is not None and e_result.document == link.document
    return "" if is_same and awaited(e_result) is link.place else "link_moved_on"


def judged(
    store: ObjectStore,
    link: SigningLink,
    file: Path,
    record: CertificateRecord,
    known: trust.TrustStore,
    examiner: Examiner,
    work_dir: Path,
) -> Taken:
    """Whether a file is what was sent, signed by whom it should be, who may still sign."""
    if record.sha256 != link.certificate_sha256:
        return Taken("link_certificate_changed", link.e_result_id)
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        sent = Path(folder, "sent.pdf")
        store.fetch(link.document, sent)
        found = examiner.examine(sent, file, place=link.place, certificate_sha256=link.certificate_sha256)
    if found.refusal is not None:
        return Taken(found.refusal.value, link.e_result_id, found.signer, record.subject)
    try:
        standing_of(record, known)
    except SigningRefused as refused:
        return Taken(f"returned_{refused.reason}", link.e_result_id, found.signer, record.subject)
    return Taken("", link.e_result_id)


def note_refusal(begin: Begin, link: SigningLink, taken: Taken, now: datetime) -> None:
    """Keep why something wasn't taken, for the signer's page."""
    with begin() as work:
        link = work.signing_links.lock(link.id)
        if link.returned is not None:
            return
        work.signing_links.keep(
            replace(
                link,
                refusal=taken.refusal,
                refused_signer=taken.signer,
                refused_at=now,
                refusals=link.refusals + 1,
            )
        )
        work.audit.append(
            _signer(link), "e_result.token_refused", link.e_result_id, link=str(link.id), trouble=taken.refusal
        )


def by_token(work: UnitOfWork, token: str, *, of_digest: bool = False) -> SigningLink:
    """The link with this secret.

    Args:
        of_digest: Whether a digest was given out by it, or the document.

    Raises:
        NoLink: There is none of this kind.
    """
    try:
        link = work.signing_links.by_token(hash_of(token))
    except NotFound:
        raise NoLink("link_unknown") from None
    if (link.waiting is not None) is not of_digest:
        raise NoLink("link_unknown")
    return link


def _signer(link: SigningLink) -> Actor:
    """In whose name the upload comes: whoever asked for the link, by the secret in it."""
    return Actor(None, link.person, link.person, link.agency, frozenset())


def document_awaited(e_result: EResult) -> ObjectKey:
    """The document that is to be signed. Raises WrongState."""
    if e_result.document is None:
        raise WrongState("no_document")
    return e_result.document


def hash_of(token: str) -> str:
    """How the secret of a link is kept."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
