"""One signature, made once: attempt, sign, put, record; then, once the time is told: augment, verify, put, record.

The signing worker is one process. It writes what it signs to its outbox first, durably; killed at any moment, it finds
there what was already signed and never signs the same thing twice. What is signed is kept in the store before anybody
is asked for the time, so that a timestamp authority that is slow or dead loses no signature (decision 0030). We verify
our own signature before it is recorded.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import time
import unicodedata
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dossiers.types import OfficeError
from signing import augment, prepare, sign, trust, verify
from signing.corner import corner
from signing.timestamp import Timestamper
from signing.types import FIELD_NAMES, Integrity, Place, SignaturePlace, SigningRefused, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from dossiers.types import CertificateRecord, ObjectKey
    from signing.appearance import Appearance
    from signing.keys import SigningKey
    from signing.typeface import Typeface
    from signing.types import FileVerdict


class SignatureUnproven(OfficeError):
    """What was just signed doesn't pass our own verification; it isn't recorded and the record stays as it was."""


class Keys(Protocol):
    """Opens the keys the office holds; in the signing worker only."""

    def open(self, record: CertificateRecord, *, subject: UUID, sha256: str) -> SigningKey:
        """The key of this certificate.

        Args:
            subject: What it is to sign. sha256: of the document as it was approved.

        Raises:
            SigningRefused: It can't be used; "pin_needed" where its owner has to type a PIN for this first.
        """
        ...

    def done(self, subject: UUID) -> None:
        """Whatever its owner opened for this is needed no more."""
        ...

    def picture(self, record: CertificateRecord) -> bytes | None:
        """The owner's signature or seal as drawn, if one was given."""
        ...


@dataclass(frozen=True)
class SigningDesk:
    """What the one signing worker works with.

    Attributes:
        tsa_urls: Timestamp authorities, the preferred first.
        outbox: Folder for what is signed and not yet recorded; on a disk that keeps it.
        hosts: Where hosts that certificates name are really reached.
        typeface: The centre's own, of the blocks of signatures; None is the one that comes with the service.
    """

    begin: Begin
    store: ObjectStore
    keys: Keys
    tsa_urls: tuple[str, ...]
    outbox: Path
    typeface: Typeface | None = None
    hosts: Mapping[str, str] = field(default_factory=dict)


def trusted(work: UnitOfWork) -> trust.TrustStore:
    """The office's trust material as the verifier takes it."""
    anchors = work.trust.trusted_anchors()
    return trust.TrustStore(
        anchors=tuple(dict.fromkeys(anchor.der for anchor in anchors)),
        terms=tuple(anchor.term for anchor in anchors),
        intermediates=tuple(work.trust.intermediates()),
        crls=tuple(work.trust.crls()),
    )


def _asking(desk: SigningDesk, work: UnitOfWork) -> trust.TrustStore:
    """The same for signing: with what responders last said of our own signers, and where they are reached."""
    answers = tuple(answer.der for answer in work.trust.kept_answers())
    return replace(trusted(work), ocsps=answers, hosts=desk.hosts)


def _as_strangers_do(known: trust.TrustStore) -> trust.TrustStore:
    """Without what only we know: the file has to bring the answers that it rests on."""
    return replace(known, ocsps=())


#: A worker that lost its place to another may go on for as long with what it has in its hands.
_FINISHED_WITHIN_S = 3600.0
#: One key is in use at a time, whatever else goes on: tokens have one session, and people one PIN.
_KEY_IN_USE = threading.Lock()


def make_once(
    desk: SigningDesk,
    subject: UUID,
    revision: int,
    *,
    source: ObjectKey,
    place: Place,
    where: SignaturePlace | None = None,
    record: CertificateRecord,
    names: Sequence[str],
    appearance: Appearance,
) -> ObjectKey:
    """The document with one more signature, stored and still without its timestamp; the caller records it.

    Args:
        subject: What is being signed; with `place` and `revision` it names the attempt.
        source: The document before this signature.
        where: Its field, there since the result was submitted; None makes one in a corner of the first page, for scans.
        names: Whose certificate it has to be, as the office's records write them; it has to bear one of them.

    Raises:
        SigningRefused: Nothing was signed and nothing will be by trying again.
        TrustServiceUnavailable, StoreUnavailable: Try again later; what is signed already is kept.
    """
    outbox = _outbox_file(desk, subject, place, revision)
    with desk.begin() as work:
        # Begun before and not in the outbox means that its maker died with it: nobody has that signature.
        work.e_results.begin_attempt(subject, place, revision)
        known = _asking(desk, work)
    if not outbox.exists():
        with tempfile.TemporaryDirectory(dir=desk.outbox) as folder:
            stored, unsigned = Path(folder, "stored.pdf"), Path(folder, "fielded.pdf")
            desk.store.fetch(source, stored)
            if where is None:
                where = corner(stored, place)
                prepare.add_fields(stored, unsigned, [where])
            else:
                unsigned = stored
            look = replace(appearance, typeface=desk.typeface)
            with _KEY_IN_USE:
                key = desk.keys.open(record, subject=subject, sha256=source.sha256)
                _must_be_theirs(key, record, names)
                sign.make(unsigned, outbox, place=where, key=key, trust=known, appearance=look)
    _must_be_whole(outbox, _as_strangers_do(known), place, record)
    return desk.store.put(outbox, media_type="application/pdf")


def complete(
    desk: SigningDesk, unstamped: ObjectKey, *, place: Place, records: Iterable[CertificateRecord]
) -> tuple[ObjectKey, str]:
    """A signature that was made, with its timestamp and evidence, verified and stored; the caller records it.

    Done twice it costs another timestamp and nothing else: no key is touched.

    Args:
        unstamped: The document with the signature; the last one in it.
        records: All certificates of whoever was to sign: the active one may be another by now.

    Returns:
        The document, and which certificate signed it, as lower-case hex of its SHA-256.

    Raises:
        SigningRefused: It can't be completed; with `lost` it never will.
        TrustServiceUnavailable, StoreUnavailable, SignatureUnproven: Try again later; the signature is kept.
    """
    with desk.begin() as work:
        known = _asking(desk, work)
    theirs = {record.sha256: record for record in records}
    with tempfile.TemporaryDirectory(dir=desk.outbox) as folder:
        made, whole = Path(folder, "made.pdf"), Path(folder, "whole.pdf")
        desk.store.fetch(unstamped, made)
        augment.augment(
            made,
            whole,
            place=place,
            trust=known,
            timestamper=Timestamper(desk.tsa_urls, hosts=desk.hosts),
            certificates=tuple(theirs),
        )
        signer = _must_prove(whole, _as_strangers_do(known), place, theirs)
        return desk.store.put(whole, media_type="application/pdf"), signer


def seal_report(
    desk: SigningDesk,
    subject: UUID,
    report: bytes,
    target: Path,
    *,
    where: SignaturePlace,
    record: CertificateRecord,
    names: Sequence[str],
    look: Appearance,
) -> None:
    """Seal a report of a check and write it to `target`, proven as a stranger would.

    No attempt is recorded and nothing lies in the outbox: one that got lost is made anew, and says the same.

    Raises:
        SigningRefused: Nothing was signed, or what was signed doesn't count.
        TrustServiceUnavailable, SignatureUnproven: Try again later.
    """
    with desk.begin() as work:
        known = _asking(desk, work)
    with tempfile.TemporaryDirectory(dir=desk.outbox) as folder:
        plain, fielded, made = (Path(folder, name) for name in ("plain.pdf", "fielded.pdf", "made.pdf"))
        plain.write_bytes(report)
        prepare.add_fields(plain, fielded, [where])
        with _KEY_IN_USE:
            key = desk.keys.open(record, subject=subject, sha256=hashlib.sha256(report).hexdigest())
            _must_be_theirs(key, record, names)
            sign.make(
                fielded, made, place=where, key=key, trust=known, appearance=replace(look, typeface=desk.typeface)
            )
        augment.augment(
            made,
            target,
            place=where.place,
            trust=known,
            timestamper=Timestamper(desk.tsa_urls, hosts=desk.hosts),
            certificates=(record.sha256,),
        )
    _must_prove(target, _as_strangers_do(known), where.place, {record.sha256: record})


def recorded(desk: SigningDesk, subject: UUID, place: Place, revision: int) -> None:
    """Clear the outbox of a signature that is recorded now: once it was, and again by whoever goes on with it."""
    _outbox_file(desk, subject, place, revision).unlink(missing_ok=True)


def clear_broken_off(desk: SigningDesk) -> None:
    """Sweep out what a killed signing worker was in the middle of, an hour after it began: before, it may live."""
    for left in desk.outbox.iterdir():
        if left.is_dir() and time.time() - left.stat().st_mtime > _FINISHED_WITHIN_S:
            shutil.rmtree(left, ignore_errors=True)


def _outbox_file(desk: SigningDesk, subject: UUID, place: Place, revision: int) -> Path:
    return desk.outbox / f"{subject}-{place}-{revision}.pdf"


def _must_be_theirs(key: SigningKey, record: CertificateRecord, names: Sequence[str]) -> None:
    """The key is that of the certificate on record, and the certificate names the person or agency on record.

    Raises:
        SigningRefused: "wrong_certificate".
    """
    if hashlib.sha256(key.certificate_der).hexdigest() != record.sha256:
        raise SigningRefused("wrong_certificate", "Tệp khóa không phải của chứng thư đã ghi.")
    if not {_plain(key.subject), _plain(key.organization) if not record.owner else ""} & {_plain(n) for n in names}:
        raise SigningRefused("wrong_certificate", "Chứng thư không mang tên người hoặc cơ quan phải ký.")


def _plain(name: str) -> str:
    """A name as two people who write it differently would both read it."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split()) or "\0"


def _must_be_whole(file: Path, known: trust.TrustStore, place: Place, record: CertificateRecord) -> None:
    """The new signature is the expected one, over everything; what it is worth shows when its time is proven.

    A file that is damaged or carries another's signature is kept aside as evidence, and a person decides whether to
    sign again.
    """
    found = verify.verify(file, trust=known, max_bytes=None)
    if found.integrity is not Integrity.INTACT or _signers(found, place) != [record.sha256]:
        file.rename(file.with_suffix(f".{uuid.uuid4().hex}.unproven"))
        raise SigningRefused("signature_unproven", ",".join(found.reasons) or found.integrity)


def _must_prove(file: Path, known: trust.TrustStore, place: Place, records: Mapping[str, CertificateRecord]) -> str:
    """Judge the completed signature as a stranger would; gives the certificate that signed.

    One whose status can't be told now (a list is stale) is judged again later.
    """
    found = verify.verify(file, trust=known, max_bytes=None)
    signers = _signers(found, place)
    if found.integrity is not Integrity.INTACT or len(signers) != 1 or signers[0] not in records:
        raise SigningRefused("signature_unproven", ",".join(found.reasons) or found.integrity, lost=True)
    if any(s.verdict is not Verdict.GENUINE for s in found.signatures):
        raise SignatureUnproven(",".join(found.reasons) or found.verdict)
    return signers[0]


def _signers(found: FileVerdict, place: Place) -> list[str]:
    return [s.certificate_sha256 for s in found.signatures if s.field == FIELD_NAMES[place]]
