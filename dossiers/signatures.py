"""One signature, made once: attempt, sign, verify, put, record.

The signing worker is one process. It writes what it signs to its outbox first, durably; killed at any moment, it finds
there what was already signed and never signs the same thing twice. We verify our own signature before it is recorded.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dossiers.types import OfficeError
from signing import prepare, sign, trust, verify
from signing.corner import corner
from signing.timestamp import Timestamper
from signing.types import FIELD_NAMES, Integrity, Place, SignaturePlace, SigningRefused, Verdict

if TYPE_CHECKING:
    from uuid import UUID

    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from dossiers.types import CertificateRecord, ObjectKey
    from signing.appearance import Appearance
    from signing.keys import SigningKey


class SignatureUnproven(OfficeError):
    """What was just signed doesn't pass our own verification; it isn't recorded and the record stays as it was."""


class Keys(Protocol):
    """Opens the keys the office holds; in the signing worker only."""

    def open(self, record: CertificateRecord) -> SigningKey:
        """The key of this certificate.

        Raises:
            SigningRefused: The key file or its passphrase can't be used.
        """
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
    """

    begin: Begin
    store: ObjectStore
    keys: Keys
    tsa_urls: tuple[str, ...]
    outbox: Path


def trusted(work: UnitOfWork) -> trust.TrustStore:
    """The office's trust material as the verifier takes it."""
    anchors = work.trust.trusted_anchors()
    return trust.TrustStore(
        anchors=tuple(dict.fromkeys(anchor.der for anchor in anchors)),
        terms=tuple(anchor.term for anchor in anchors),
        intermediates=tuple(work.trust.intermediates()),
        crls=tuple(work.trust.crls()),
    )


def sign_once(
    desk: SigningDesk,
    subject: UUID,
    revision: int,
    *,
    source: ObjectKey,
    place: Place,
    where: SignaturePlace | None = None,
    record: CertificateRecord,
    appearance: Appearance,
) -> ObjectKey:
    """The document with one more signature, verified and stored; the caller records it.

    Args:
        subject: What is being signed; with `place` and `revision` it names the attempt.
        source: The document before this signature.
        where: Its field, there since the result was submitted; None makes one in a corner of the first page, for scans.

    Raises:
        SigningRefused: Nothing was signed and nothing will be by trying again.
        TrustServiceUnavailable, StoreUnavailable: Try again later; what is signed already is kept.
        SignatureUnproven: The new signature can't be confirmed yet; it is kept and judged again later.
    """
    outbox = _outbox_file(desk, subject, place, revision)
    with desk.begin() as work:
        # Begun before and not in the outbox means that its maker died with it: nobody has that signature.
        work.e_results.begin_attempt(subject, place, revision)
        known = trusted(work)
    if not outbox.exists():
        with tempfile.TemporaryDirectory(dir=desk.outbox) as folder:
            stored, unsigned = Path(folder, "stored.pdf"), Path(folder, "fielded.pdf")
            desk.store.fetch(source, stored)
            if where is None:
                where = corner(stored, place)
                prepare.add_fields(stored, unsigned, [where])
            else:
                unsigned = stored
            key = desk.keys.open(record)
            if hashlib.sha256(key.certificate_der).hexdigest() != record.sha256:
                raise SigningRefused("wrong_certificate", "Tệp khóa không phải của chứng thư đã ghi.")
            sign.sign(
                unsigned,
                outbox,
                place=where,
                key=key,
                trust=known,
                timestamper=Timestamper(desk.tsa_urls),
                appearance=appearance,
            )
    _must_prove(outbox, known, place, record)
    return desk.store.put(outbox, media_type="application/pdf")


def recorded(desk: SigningDesk, subject: UUID, place: Place, revision: int) -> None:
    """Clear the outbox of a signature that is recorded now."""
    _outbox_file(desk, subject, place, revision).unlink(missing_ok=True)


def _outbox_file(desk: SigningDesk, subject: UUID, place: Place, revision: int) -> Path:
    return desk.outbox / f"{subject}-{place}-{revision}.pdf"


def _must_prove(file: Path, known: trust.TrustStore, place: Place, record: CertificateRecord) -> None:
    """Judge the new signature as a stranger would.

    A file that is damaged or carries another's signature is kept aside as evidence, and a person decides whether to
    sign again; one whose status can't be told now (a list is stale) stays in the outbox and is judged again later.
    """
    found = verify.verify(file, trust=known, max_bytes=None)
    ours = [s for s in found.signatures if s.field == FIELD_NAMES[place]]
    if found.integrity is not Integrity.INTACT or [s.certificate_sha256 for s in ours] != [record.sha256]:
        file.rename(file.with_suffix(f".{uuid.uuid4().hex}.unproven"))
        raise SigningRefused("signature_unproven", ",".join(found.reasons) or found.integrity)
    if any(s.verdict is not Verdict.GENUINE for s in found.signatures):
        raise SignatureUnproven(",".join(found.reasons) or found.verdict)
