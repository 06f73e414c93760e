"""A file that came back from the signer's own tool: is it the one that was sent, with one signature more and no other?

A desktop tool is sent a PDF and sends back a whole PDF, so everything about it is checked anew. It has to begin with
the bytes that were sent, to the last one; what follows is one revision with one new signature, by the certificate that
was expected, over all of it; and after that nothing but evidence. Whether that certificate may be trusted today is
`signing.verify`'s to say.

The signature stands in the field that was prepared for it. Tools that can't fill a field make one of their own: for
the person's signature that is taken too, where the new field covers no text (decision 0029).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pikepdf
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    ModificationLevel,
    ReferenceUpdate,
    SuspiciousModification,
)
from pyhanko.sign.diff_analysis.constants import ROOT_EXEMPT_STRICT_COMPARISON
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.general import SigningError, check_ess_certid, find_unique_cms_attribute
from pyhanko.sign.validation import read_certification_data
from pyhanko.sign.validation.status import SignatureCoverageLevel

from signing import covered, integrity
from signing.late_fields import LateFields
from signing.proof import common_name
from signing.types import FIELD_NAMES, Integrity, Place, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

    from signing.integrity import Found

_CHUNK = 1024 * 1024
_STRONG = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"})
_LEAST_RSA_BITS = 2048
#: A block is drawn once, or on each page of a short document; each place is looked at by itself.
_MOST_SHOWN = 16
_WHOLE = (SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION)


class Refusal(StrEnum):
    """Why a returned file isn't taken. Stable codes; the words for people are in `dossiers.labels`."""

    NOT_A_PDF = "returned_not_a_pdf"
    UNSIGNED = "returned_unsigned"
    CUT_SHORT = "returned_cut_short"
    ANOTHER_DOCUMENT = "returned_another_document"
    REWRITTEN = "returned_rewritten"
    DAMAGED = "returned_damaged"
    CONTENT_CHANGED = "returned_content_changed"
    ADDED_AFTERWARDS = "returned_added_afterwards"
    SEVERAL_SIGNATURES = "returned_several_signatures"
    PARTLY_SIGNED = "returned_partly_signed"
    BROKEN_SIGNATURE = "returned_broken_signature"
    ANOTHER_CERTIFICATE = "returned_another_certificate"
    UNBOUND_CERTIFICATE = "returned_unbound_certificate"
    WEAK_ALGORITHM = "returned_weak_algorithm"
    WRONG_FIELD = "returned_wrong_field"
    MOVED_FIELD = "returned_moved_field"
    COVERS_TEXT = "returned_covers_text"
    LOCKS_DOCUMENT = "returned_locks_document"
    TOO_COMPLEX = "returned_too_complex"


@dataclass(frozen=True)
class Returned:
    """What came back.

    Attributes:
        refusal: Why it isn't taken; None when it is.
        signer: Common name in the certificate that signed it, as far as the file came to be looked at; "" before.
        certificate_sha256: Of that certificate.
        field: Name of the field the new signature stands in.
        own_field: The tool made that field itself.
        shown: Where such a field shows: page from 1, and box. Nothing that is written may stand there, see `fit`.
    """

    refusal: Refusal | None
    signer: str = ""
    certificate_sha256: str = ""
    field: str = ""
    own_field: bool = False
    shown: tuple[tuple[int, covered.Rect], ...] = ()


class _Refused(Exception):
    def __init__(self, refusal: Refusal, about: Returned | None = None) -> None:
        super().__init__(refusal.value)
        self.refusal, self.about = refusal, about


def examine(sent: Path, returned: Path, *, place: Place, certificate_sha256: str) -> Returned:
    """Compare what came back with what was sent. Never raises for anything in the returned file.

    Strangers' files are examined by `signing.isolation`, which says the same and loses nothing by a hostile one.

    Args:
        sent: The exact file the tool was given: a document with the empty field of `place`.
        returned: What it gave back; no larger than may be read into memory.
        place: Whose signature was asked for.
        certificate_sha256: The signer's, as registered; lower-case hex of the DER.
    """
    found = examine_bytes(sent.read_bytes(), returned.read_bytes(), place=place, certificate_sha256=certificate_sha256)
    return fit(sent, found)


def examine_bytes(sent: bytes, returned: bytes, *, place: Place, certificate_sha256: str) -> Returned:
    """As `examine`, without a look at the page: opens no file and starts nothing. `fit` has the last word."""
    try:
        return _examined(sent, returned, place, certificate_sha256)
    except _Refused as refused:
        about = refused.about or Returned(refused.refusal)
        return Returned(refused.refusal, about.signer, about.certificate_sha256, about.field, own_field=about.own_field)
    except integrity.OUR_TROUBLE:  # no memory was left: that says nothing about the file
        return Returned(Refusal.TOO_COMPLEX)
    except Exception:  # noqa: BLE001  hostile bytes raise anything, RecursionError too: an answer
        return Returned(Refusal.DAMAGED)


def fit(sent: Path, found: Returned) -> Returned:
    """Refuse a field of the tool's own that covers something written on the page as it was sent, which is ours."""
    for page, box in found.shown:
        if box[0] < box[2] and box[1] < box[3] and covered.covers_text(sent, page, box):
            return replace(found, refusal=Refusal.COVERS_TEXT)
    return found


def _examined(sent: bytes, content: bytes, place: Place, certificate_sha256: str) -> Returned:
    _require_extension(sent, content)
    before = integrity.open_pdf(BytesIO(sent))
    revisions = int(before.total_revisions)
    filled_before = {name for name, _ in integrity.filled_fields(before)}
    reader = _open(content)
    found = integrity.examine_all(reader, integrity.filled_fields(reader), content)
    _require_whole(reader, content, found)
    signature = _the_new_one(found, filled_before)
    embedded = _intact(signature)
    about = Returned(
        None, common_name(embedded.signer_cert.subject), embedded.signer_cert.sha256.hex(), signature.field
    )
    if place is not Place.LEADER and signature.field != FIELD_NAMES[place]:
        raise _Refused(Refusal.WRONG_FIELD, about)
    if any(one.integrity is not Integrity.INTACT for one in found if one.field in filled_before):
        raise _Refused(Refusal.CONTENT_CHANGED, about)
    _require_strength(embedded, about)
    if about.certificate_sha256 != certificate_sha256:
        raise _Refused(Refusal.ANOTHER_CERTIFICATE, about)
    created = _require_nothing_else(embedded, content, revisions, about)
    if not signature.only_evidence_follows:
        raise _Refused(Refusal.ADDED_AFTERWARDS, about)
    shown = _own_field(content, signature.field, place, about) if created else ()
    if not created and signature.field != FIELD_NAMES[place]:
        raise _Refused(Refusal.WRONG_FIELD, about)
    _require_room_for_the_seal(embedded, content, place, about)
    return replace(about, own_field=created, shown=shown)


# --- the file ---------------------------------------------------------------------------------------------------------


def _require_extension(sent: bytes, returned: bytes) -> None:
    """The returned file goes on where the sent one ends."""
    common = _common_beginning(sent, returned)
    if common == len(returned) == len(sent):
        raise _Refused(Refusal.UNSIGNED)
    if common == len(returned):
        raise _Refused(Refusal.CUT_SHORT if returned else Refusal.NOT_A_PDF)
    if common == len(sent):
        return
    if b"%PDF-" not in returned[:1024]:
        raise _Refused(Refusal.NOT_A_PDF)
    raise _Refused(Refusal.REWRITTEN if _same_origin(sent, returned) else Refusal.ANOTHER_DOCUMENT)


def _common_beginning(sent: bytes, returned: bytes) -> int:
    """How many bytes the two share from the start; exact up to the piece in which they part."""
    most = min(len(sent), len(returned))
    for at in range(0, most, _CHUNK):
        end = min(at + _CHUNK, most)
        if sent[at:end] != returned[at:end]:
            return at
    return most


def _same_origin(sent: bytes, returned: bytes) -> bool:
    """Whether the returned file says that it was made from the sent one: a program keeps the first half of /ID."""
    try:
        with pikepdf.open(BytesIO(sent)) as one, pikepdf.open(BytesIO(returned)) as other:
            return bytes(one.trailer.ID[0]) == bytes(other.trailer.ID[0])
    except (pikepdf.PdfError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return False


def _open(content: bytes) -> PdfFileReader:
    try:
        reader = integrity.open_pdf(BytesIO(content))
        encrypted = bool(reader.encrypted)
    except (PdfError, ValueError, TypeError, KeyError, IndexError) as error:
        raise _Refused(Refusal.DAMAGED) from error
    if encrypted or reader.xrefs.hybrid_xrefs_present:
        raise _Refused(Refusal.DAMAGED)
    return reader


def _require_whole(reader: PdfFileReader, content: bytes, found: Sequence[Found]) -> None:
    if integrity.has_tail(reader, content):
        raise _Refused(Refusal.ADDED_AFTERWARDS if found else Refusal.UNSIGNED)
    if integrity.has_hidden_signature(content, len(found)):
        raise _Refused(Refusal.BROKEN_SIGNATURE)


# --- the signature ----------------------------------------------------------------------------------------------------


def _the_new_one(found: Sequence[Found], filled_before: set[str]) -> Found:
    new = [one for one in found if one.field not in filled_before and not one.is_timestamp]
    if not new:
        raise _Refused(Refusal.UNSIGNED)
    if len(new) > 1:
        raise _Refused(Refusal.SEVERAL_SIGNATURES)
    return new[0]


def _intact(signature: Found) -> EmbeddedPdfSignature:
    """The signature, its mathematics right and nothing left out of it."""
    reasons = {
        Reason.PARTLY_COVERED: Refusal.PARTLY_SIGNED,
        Reason.CHANGED_AFTER_SIGNING: Refusal.ADDED_AFTERWARDS,
        Reason.CONTENT_CHANGED: Refusal.BROKEN_SIGNATURE,
    }
    if signature.integrity is not Integrity.INTACT or signature.embedded is None:
        reason = signature.reason or Reason.DAMAGED_SIGNATURE
        coverage: Any = signature.embedded.coverage if signature.embedded else None
        if reason is Reason.CHANGED_AFTER_SIGNING and coverage not in _WHOLE:
            reason = Reason.PARTLY_COVERED
        raise _Refused(reasons.get(reason, Refusal.BROKEN_SIGNATURE))
    return signature.embedded


def _require_strength(embedded: EmbeddedPdfSignature, about: Returned) -> None:
    """No SHA-1 anywhere, no short key, and the signature itself says by which certificate it was made.

    Without that link (signing-certificate-v2, RFC 5035) another certificate with the same key could be put in the
    place of the signer's; ETSI EN 319 142-1 demands it.
    """
    info = embedded.signer_info
    algorithm = info["signature_algorithm"]
    digests = {embedded.md_algorithm, info["digest_algorithm"]["algorithm"].native, _hash_of(algorithm)}
    key = embedded.signer_cert.public_key
    short = key.algorithm == "rsa" and key.bit_size < _LEAST_RSA_BITS
    if short or not {digest for digest in digests if digest} <= _STRONG:
        raise _Refused(Refusal.WEAK_ALGORITHM, about)
    try:
        link = find_unique_cms_attribute(info["signed_attrs"], "signing_certificate_v2")
        bound = check_ess_certid(embedded.signer_cert, link["certs"][0])
        digest = link["certs"][0]["hash_algorithm"]["algorithm"].native
    except (SigningError, KeyError, ValueError, IndexError, LookupError):
        raise _Refused(Refusal.UNBOUND_CERTIFICATE, about) from None
    if not bound:
        raise _Refused(Refusal.UNBOUND_CERTIFICATE, about)
    if digest not in _STRONG:
        raise _Refused(Refusal.WEAK_ALGORITHM, about)


def _hash_of(algorithm: Any) -> str:
    """The digest a signature algorithm names, "" when it leaves that to the signer's other statements."""
    try:
        return str(algorithm.hash_algo)
    except ValueError:
        return ""


def _require_nothing_else(embedded: EmbeddedPdfSignature, content: bytes, revisions: int, about: Returned) -> bool:
    """The revision that brought the signature brought nothing else; gives whether it brought a field of its own.

    The diff analysis that judges what follows a signature is asked here about the signature's own revision, as if the
    sent file had been signed: no page, no annotation, no other field may be touched by it.
    """
    if embedded.signed_revision != revisions:
        raise _Refused(Refusal.CONTENT_CHANGED, about)
    start, length = embedded.byte_range[2], embedded.byte_range[3]
    alone = _open(content[: start + length])
    late = LateFields({about.field}, ())
    try:
        changes = integrity.afterwards(late, _Certifying(about.field)).apply(
            alone.get_historical_resolver(revisions - 1), alone.get_historical_resolver(revisions)
        )
    except SuspiciousModification as error:
        moved = _place_of(alone, revisions - 1, about.field) not in (None, _place_of(alone, revisions, about.field))
        raise _Refused(Refusal.MOVED_FIELD if moved else Refusal.CONTENT_CHANGED, about) from error
    if changes.modification_level.value > ModificationLevel.FORM_FILLING.value:
        raise _Refused(Refusal.CONTENT_CHANGED, about)
    if late.created | late.filled != {about.field}:
        raise _Refused(Refusal.CONTENT_CHANGED, about)
    return about.field in late.created


def _place_of(reader: PdfFileReader, revision: int, field: str) -> Any:
    """Where a field stood in a revision; None where it wasn't there."""
    known = {name: ref.get_object() for name, _, ref in enumerate_sig_fields(reader.get_historical_resolver(revision))}
    return known[field].get("/Rect") if field in known else None


class _Certifying(CatalogModificationRule):
    """A first signature may be named in the catalog as the one that certifies the document; nothing else may."""

    def __init__(self, field: str) -> None:
        super().__init__(ignored_keys=ROOT_EXEMPT_STRICT_COMPARISON | {"/Perms"})  # type: ignore[no-untyped-call]
        self._field = field

    def apply_qualified(
        self, old: HistoricalResolver, new: HistoricalResolver
    ) -> Iterable[tuple[ModificationLevel, ReferenceUpdate]]:
        """As the rule it extends.

        Raises:
            SuspiciousModification: The catalog grants or names something else.
        """
        yield from super().apply_qualified(old, new)
        before, after = old.root.get("/Perms"), new.root.get("/Perms")
        if before == after:
            return
        new_one = next(ref.get_object() for name, _, ref in enumerate_sig_fields(new) if name == self._field)
        if (
            before is not None
            or after is None
            or set(after) != {"/DocMDP"}
            or after.raw_get("/DocMDP") != new_one.raw_get("/V")
        ):
            raise SuspiciousModification("the catalog certifies by another signature than the new one")
        named = new.root.raw_get("/Perms")
        if isinstance(named, generic.IndirectObject):
            yield ModificationLevel.LTA_UPDATES, ReferenceUpdate(named.reference)


def _require_room_for_the_seal(embedded: EmbeddedPdfSignature, content: bytes, place: Place, about: Returned) -> None:
    """The person's signature may certify the document, but must let the agency sign after it."""
    if place is not Place.LEADER:
        return
    certification = read_certification_data(integrity.open_pdf(BytesIO(content)))
    forbids = certification is not None and certification.permission is MDPPerm.NO_CHANGES
    lock = embedded.fieldmdp
    if forbids or (lock is not None and lock.is_locked(FIELD_NAMES[Place.SEAL])):
        raise _Refused(Refusal.LOCKS_DOCUMENT, about)


# --- a field of the tool's own making ---------------------------------------------------------------------------------


def _own_field(content: bytes, name: str, place: Place, about: Returned) -> tuple[tuple[int, covered.Rect], ...]:
    """Where a field of the tool's own shows. Only the person's signature may stand in one."""
    if place is not Place.LEADER or name in FIELD_NAMES.values():
        raise _Refused(Refusal.WRONG_FIELD, about)
    shown = tuple(_shown_at(content, name))
    if len(shown) > _MOST_SHOWN:
        raise _Refused(Refusal.COVERS_TEXT, about)
    return shown


def _shown_at(content: bytes, name: str) -> Iterator[tuple[int, covered.Rect]]:
    """Where a field shows: page from 1, and box."""
    with pikepdf.open(BytesIO(content)) as pdf:
        for number, page in enumerate(pdf.pages, 1):
            for widget in page.get("/Annots", []):
                owner = widget if "/T" in widget else widget.get("/Parent")
                if owner is not None and str(owner.get("/T", "")) == name:
                    a, b, c, d = (float(edge) for edge in widget.Rect)
                    yield number, (min(a, c), min(b, d), max(a, c), max(b, d))
