"""Digest out, signature in: for a device or browser plug-in that signs a hash and knows nothing of PDF.

As `dossiers.own_token`, without a file on the way: the document is made ready here with an empty signature, its digest
goes out with a one-time token, and what comes back is put in. The finished document then has to pass the very same
examination as a file that a desktop tool sent back. What lies between the two goes is kept in store and record, so that
any process may finish what another began. No key is here, and no authority is asked.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dossiers import own_token
from dossiers.own_token import HandedOut, MadeReady, NoLink, SigningLink, Taken
from dossiers.policy import Act, require
from dossiers.signatures import trusted
from dossiers.types import NotAllowed, NotFound, OfficeError
from signing import appearance, deferred
from signing.types import Place, SignaturePlace, SigningRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.labels import Language
    from dossiers.ports import Begin, Examiner, ObjectStore, UnitOfWork
    from dossiers.types import Actor, EResult, ObjectKey
    from signing.deferred import Prepared
    from signing.typeface import Typeface


class SignatureNotTaken(OfficeError):
    """What came back isn't the signature that was asked for; nothing changed. `taken` says why."""

    def __init__(self, taken: Taken) -> None:
        super().__init__(taken.refusal)
        self.reason = taken.refusal
        self.taken = taken

    def words(self, language: Language) -> str:
        """Why, that nothing was changed, and what to do."""
        return self.taken.words(language)


@dataclass(frozen=True)
class DigestHandedOut:
    """What the device is to sign, with the one-time token by which its signature is brought back."""

    handed_out: HandedOut
    prepared: Prepared


def hand_out(
    begin: Begin,
    store: ObjectStore,
    e_result_id: UUID,
    *,
    by: Actor,
    now: datetime,
    work_dir: Path,
    prefer_pss: bool = True,
    typeface: Typeface | None = None,
) -> DigestHandedOut:
    """Make the document ready for its signer's device, and give out what the device is to sign.

    Args:
        prefer_pss: For RSA; False for devices that only know PKCS#1 v1.5.
        typeface: Of the visible block; the centre's own, if it has one.

    Raises:
        WrongState, NotAllowed, SigningRefused: As `own_token.hand_out`.
        Changed: The document became another one meanwhile.
        StoreUnavailable, ObjectMissing: Nothing was given out.
    """
    require(by, Act.SIGN_WITH_TOKEN)
    with begin() as work:
        e_result = work.e_results.of(by, e_result_id)
        place = own_token.must_be_theirs(e_result, by)
        record = own_token.certificate_awaited(work, e_result)
        document = own_token.document_awaited(e_result)
        look = _look(work, e_result, place, typeface)
        known = trusted(work)
    own_token.standing_of(record, known)
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        source, ready = Path(folder, "document.pdf"), Path(folder, "waiting.pdf")
        store.fetch(document, source)
        prepared = deferred.prepare(
            source,
            ready,
            place=_field_of(e_result.places, place),
            certificate_der=record.der,
            trust=known,
            appearance=look,
            prefer_pss=prefer_pss,
            ask=False,
        )
        waiting = store.put(ready, media_type="application/pdf")
    made_ready = MadeReady(document, waiting, prepared.as_text())
    return DigestHandedOut(own_token.hand_out(begin, e_result_id, by=by, now=now, made_ready=made_ready), prepared)


def take(
    begin: Begin,
    store: ObjectStore,
    e_result_id: UUID,
    token: str,
    signature: bytes,
    *,
    by: Actor,
    examiner: Examiner,
    now: datetime,
    work_dir: Path,
) -> None:
    """Take the device's signature: done, now or before, or else nothing changed.

    Args:
        signature: Raw, as the device gives it; ECDSA in DER or as r and s side by side.

    Raises:
        NoLink: The token was never given out for this result, or can't be used any more.
        NotAllowed: It was given out to somebody else.
        SignatureNotTaken: It isn't the expected signature. What was asked for may still come.
        JudgesBusy, StoreUnavailable, ObjectMissing: Nothing was looked at; send it again.
    """
    require(by, Act.SIGN_WITH_TOKEN)
    with begin() as work:
        e_result = work.e_results.of(by, e_result_id)
        link = own_token.by_token(work, token, of_digest=True)
        if link.e_result_id != e_result.id:
            raise NoLink("link_unknown")
        if link.person != by.username:
            raise NotAllowed("leader")
        ended = link.ended(now) or own_token.moved_on(link, e_result)
        expected = None if ended else own_token.certificate_awaited(work, e_result)
        known = trusted(work)
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        signed = Path(folder, "signed.pdf")
        if expected is None:
            if link.returned is None or not _is_the_same(store, link, signature, signed):
                raise NoLink(ended)
            return
        taken = _finished(store, link, signature, signed)
        if not taken.refusal:
            taken = own_token.judged(store, link, signed, expected, known, examiner, work_dir)
        if taken.refusal:
            own_token.note_refusal(begin, link, taken, now)
            raise SignatureNotTaken(taken)
        kept = store.put(signed, media_type="application/pdf")
    recorded = own_token.record(begin, link, kept, now=now)
    if recorded.refusal:
        raise NoLink(recorded.refusal)


def _finished(store: ObjectStore, link: SigningLink, signature: bytes, target: Path) -> Taken:
    """Put the signature into what was made ready, or say that it doesn't belong there."""
    waiting = target.with_name("waiting.pdf")
    store.fetch(_waiting(link), waiting)
    try:
        deferred.finish(waiting, deferred.Prepared.from_text(link.prepared), signature, target)
    except SigningRefused:
        return Taken("signature_not_expected", link.e_result_id)
    return Taken("", link.e_result_id)


def _is_the_same(store: ObjectStore, link: SigningLink, signature: bytes, target: Path) -> bool:
    """Whether this is the signature that was taken: the same signature makes the same file."""
    if link.returned is None or _finished(store, link, signature, target).refusal:
        return False
    with target.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == link.returned.sha256


def _waiting(link: SigningLink) -> ObjectKey:
    if link.waiting is None:
        raise NoLink("link_unknown")
    return link.waiting


def _look(work: UnitOfWork, e_result: EResult, place: Place, typeface: Typeface | None) -> appearance.Appearance:
    """The block: plain lines, since drawn signatures and seals lie with the keys, and this key is elsewhere."""
    if place is Place.LEADER:
        look = appearance.leader(work.accounts.of(e_result.leader).name)
    else:
        agency = work.agencies.of(e_result.agency)
        look = appearance.seal(agency.letterhead or agency.name)
    return replace(look, typeface=typeface)


def _field_of(places: Sequence[dict[str, Any]], place: Place) -> SignaturePlace:
    for one in places:
        if one["place"] == place:
            return SignaturePlace(place=place, page=one["page"], box=tuple(one["box"]))
    raise NotFound(place)
