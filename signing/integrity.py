"""Are the bytes as they were when they were signed? Nothing here asks who signed, or whether anyone trusts them.

A PDF grows by revisions, and each signature covers one of them with everything before it. What may follow is a short
list: other signatures in their fields, then evidence (document security store, document timestamps, metadata).
Whatever else follows is a change, shown or hidden.

Attack classes: incremental saving, signature wrapping and universal forgery (Mladenov and others, "1 Trillion Dollar
Refund", 2019), shadow attacks (Mainka and others, 2021), and a text field filled in again after the seal.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from asn1crypto import cms, core, parser
from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DiffResult,
    DocInfoRule,
    DSSCompareRule,
    FormUpdatingRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    XrefStreamRule,
)
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter, validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from signing import bare_signature
from signing.bare_signature import BareSignature
from signing.late_fields import LateFields
from signing.reader import QuickReader
from signing.types import Integrity, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from mmap import mmap

    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.rw_common import PdfHandler
    from pyhanko.sign.diff_analysis import QualifiedWhitelistRule
    from pyhanko_certvalidator.sig_validate import SignatureValidator

    #: All bytes of a file, in memory or mapped.
    Content = bytes | mmap

MIB = 1024 * 1024
#: What says nothing about the file: no memory was left, or nothing could be opened. It ends the whole examination.
#: (SystemError is what Python itself says when it finds no memory even for the error.)
OUR_TROUBLE = (MemoryError, OSError, SystemError)
#: Far above any real document, far below what hurts: one stream, and all streams of a file together.
DECODE_LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=64 * MIB),
    document_budget=DocumentDecodeBudget(base_allowance=128 * MIB, max_ratio=8),
)


def afterwards(late: LateFields, catalog: QualifiedWhitelistRule | None = None) -> StandardDiffPolicy:
    """What may follow a signature. Unlike pyHanko's own list it doesn't let a text field be filled in again.

    Args:
        catalog: What may change in the catalog, if more than usual.
    """
    return StandardDiffPolicy(
        global_rules=[
            catalog or CatalogModificationRule(),  # type: ignore[no-untyped-call]  # untyped in 0.38, like two below
            *(
                rule.as_qualified(ModificationLevel.LTA_UPDATES)
                for rule in (
                    XrefStreamRule(),
                    ObjectStreamRule(),
                    DSSCompareRule(),
                    DocInfoRule(),
                    MetadataUpdateRule(),  # type: ignore[no-untyped-call]
                )
            ),
        ],
        form_rule=FormUpdatingRule(
            field_rules=[
                SigFieldCreationRule(),  # type: ignore[no-untyped-call]
                SigFieldModificationRule(),
                late,
            ]
        ),
    )


#: Encodings of a signature whose bytes we know how to check.
_FORMATS = ("/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/adbe.pkcs7.sha1", bare_signature.ENCODING)
#: Signs the SHA-1 of the bytes instead of the bytes: told intact, and never strong enough to prove anything.
_SIGNED_SHA1 = "/adbe.pkcs7.sha1"
_TIMESTAMP_FORMAT = "/ETSI.RFC3161"

_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s*\]")
_FORMAT = re.compile(rb"/SubFilter\s*/(?:ETSI\.|adbe\.)")
_END = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF")
_WHITE = b" \t\r\n\f\0"


@dataclass(frozen=True)
class Found:
    """A filled signature field.

    Attributes:
        embedded: What pyHanko made of it; None when it couldn't be read at all.
        integrity: Of the bytes it covers and of what follows them.
        reason: Why it isn't intact, or None.
        is_timestamp: A document timestamp: evidence, nobody's signature.
        only_evidence_follows: Nothing but evidence was added after it.
        filled_later: Where nothing was added after it but evidence and signatures in fields that had been there,
            empty: the names of those fields. None where more was added.
    """

    field: str
    embedded: EmbeddedPdfSignature | None
    integrity: Integrity
    reason: Reason | None = None
    is_timestamp: bool = False
    only_evidence_follows: bool = False
    filled_later: frozenset[str] | None = None

    @property
    def has_timestamp(self) -> bool:
        """Whether it brings a timestamp of its own, whoever gave it."""
        if self.embedded is None:
            return False
        return any(True for _ in extract_tst_data_iter(self.embedded.signer_info, signed=False))

    @property
    def revision(self) -> int:
        """The revision it was added by, from 0."""
        return int(self.embedded.signed_revision) if self.embedded else -1


def open_pdf(stream: BinaryIO) -> PdfFileReader:
    """A reader that refuses whatever is irregular; raises exceptions of many classes."""
    return QuickReader(stream, decode_limits=DECODE_LIMITS)


def filled_fields(reader: PdfFileReader) -> list[tuple[str, Any]]:
    """Name and dictionary of each signature field that holds a signature."""
    return [(str(name), field) for name, value, field in enumerate_sig_fields(reader) if value is not None]


def examine_all(
    reader: PdfFileReader,
    fields: Sequence[tuple[str, Any]],
    content: Content,
    mathematics: SignatureValidator | None = None,
) -> list[Found]:
    """Read every signature and check its bytes. A damaged one is an answer, not an error.

    Args:
        mathematics: Who checks the signatures themselves; pyHanko by default.
    """
    found = [_read(reader, name, field) for name, field in fields]
    stamps = {one.field for one in found if one.is_timestamp}
    signatures = {one.field for one in found} - stamps
    return [_examine(one, LateFields(signatures, stamps), content, mathematics) for one in found]


def _read(reader: PdfFileReader, name: str, field: Any) -> Found:
    """Read a signature; whether it is intact isn't known yet."""
    try:
        embedded = (bare_signature.read if bare_signature.is_bare(field) else EmbeddedPdfSignature)(reader, field, name)
        if isinstance(embedded, Reason):
            return Found(name, None, Integrity.UNKNOWN, embedded)
        kind = str(embedded.sig_object.get("/SubFilter", ""))
    except OUR_TROUBLE:
        raise
    except Exception:  # noqa: BLE001  hostile bytes raise anything: a signature we can't read proves nothing
        return Found(name, None, Integrity.UNKNOWN, Reason.DAMAGED_SIGNATURE)
    stamp = embedded.sig_object_type == "/DocTimeStamp" or kind == _TIMESTAMP_FORMAT
    known = kind in ((_TIMESTAMP_FORMAT,) if stamp else _FORMATS)
    return Found(name, embedded, Integrity.UNKNOWN, None if known else Reason.UNSUPPORTED_SIGNATURE, stamp)


def _examine(found: Found, late: LateFields, content: Content, mathematics: SignatureValidator | None) -> Found:
    """Check the bytes of a signature that could be read, and what follows them."""
    embedded = found.embedded
    if embedded is None or found.reason:
        return found
    try:
        reason = _bytes_reason(embedded, content, mathematics, stamp=found.is_timestamp)
        level = None if reason else _what_follows(embedded, late)
    except OUR_TROUBLE:
        raise
    except Exception:  # noqa: BLE001  as above
        return replace(found, reason=Reason.DAMAGED_SIGNATURE)
    if reason or level is None:
        return replace(found, integrity=Integrity.ALTERED, reason=reason or Reason.CHANGED_AFTER_SIGNING)
    return replace(
        found,
        integrity=Integrity.INTACT,
        reason=Reason.WEAK_ALGORITHM if _signs_sha1(embedded) or isinstance(embedded, BareSignature) else None,
        only_evidence_follows=level.value <= ModificationLevel.LTA_UPDATES.value and late.only_evidence,
        filled_later=late.filled if late.form_kept and not late.created else None,
    )


def _bytes_reason(
    embedded: EmbeddedPdfSignature, content: Content, mathematics: SignatureValidator | None, *, stamp: bool
) -> Reason | None:
    """Check coverage, digest and the signature's own mathematics."""
    if not _gap_is_the_signature(embedded, content):
        return Reason.PARTLY_COVERED
    if _padding(embedded.pkcs7_content).strip(b"\0"):
        return Reason.DAMAGED_SIGNATURE
    reason = _content_reason(embedded, stamp=stamp)
    if reason:
        return reason
    digest = None if stamp else detached_digest(embedded)
    if digest is None:
        digest = hashlib.new(embedded.md_algorithm, bytes(_inner(embedded))).digest()
    intact, valid = validate_sig_integrity(
        embedded.signer_info,
        embedded.signer_cert,
        expected_content_type="tst_info" if stamp else "data",
        actual_digest=digest,
        sig_validator=mathematics,
    )
    if not intact:
        return Reason.CONTENT_CHANGED
    return None if valid else Reason.DAMAGED_SIGNATURE


def _inner(embedded: EmbeddedPdfSignature) -> Any:
    """What the signature carries inside itself, if anything."""
    return embedded.signed_data["encap_content_info"]["content"]


def _content_reason(embedded: EmbeddedPdfSignature, *, stamp: bool) -> Reason | None:
    """Check what the signature carries inside itself: a token's imprint, a digest in its place, or nothing."""
    inner = _inner(embedded)
    if stamp:
        imprint = inner.parsed["message_imprint"]
        stated = imprint["hash_algorithm"]["algorithm"].native
        same = imprint["hashed_message"].native == embedded.compute_digest(stated)
    elif _signs_sha1(embedded):
        same = bytes(inner) == embedded.compute_digest("sha1")
    elif inner is not core.VOID:
        return Reason.DAMAGED_SIGNATURE  # a detached signature carries no second content
    else:
        return None
    return None if same else Reason.CONTENT_CHANGED


def _signs_sha1(embedded: EmbeddedPdfSignature) -> bool:
    return bool(embedded.sig_object.get("/SubFilter") == _SIGNED_SHA1)


def detached_digest(embedded: EmbeddedPdfSignature) -> bytes | None:
    """The digest of the covered bytes; None where a SHA-1 of them is inside and signed in their place.

    Source: ISO 32000-1, 12.8.3.3.
    """
    return None if _signs_sha1(embedded) else embedded.compute_digest()


def _gap_is_the_signature(embedded: EmbeddedPdfSignature, content: Content) -> bool:
    """Whether the one gap in the covered range holds this signature in hexadecimal and nothing else.

    A second copy of a signature dictionary may name another gap, in which anything can hide.
    """
    parts = [int(number) for number in embedded.byte_range]
    if len(parts) != 4 or parts[0] != 0:  # noqa: PLR2004  two stretches, the first from the start of the file
        return False
    _, first, second, length = parts
    gap = content[first:second]
    if not (0 < first < second and second + length <= len(content) and gap[:1] == b"<" and gap[-1:] == b">"):
        return False
    try:
        return bytes.fromhex(gap[1:-1].decode("ascii")) == embedded.pkcs7_content
    except ValueError:
        return False


def _padding(signature: bytes) -> bytes:
    """What stands behind the signature in the room kept for it. No signature covers it, so it has to be zeros."""
    _, _, _, header, contents, trailer = parser.parse(signature)
    return signature[len(header) + len(contents) + len(trailer) :]


def _what_follows(embedded: EmbeddedPdfSignature, late: LateFields) -> ModificationLevel | None:
    """The gravest thing done after the signature, None when it isn't on the list."""
    embedded.compute_integrity_info(diff_policy=afterwards(late))  # type: ignore[no-untyped-call]  # untyped in 0.38
    coverage: Any = embedded.coverage  # declared None there, set by the call above
    if coverage not in {SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION}:
        return None
    result: Any = embedded.diff_result
    if not isinstance(result, DiffResult) or not embedded.summarise_integrity_info()["docmdp_ok"]:
        return None
    level = result.modification_level
    return level if level.value <= ModificationLevel.FORM_FILLING.value else None


# --- the file as a whole --------------------------------------------------------------------------------------------


def evidence_kept(reader: PdfFileReader, revision: int) -> bool:
    """Whether all evidence that was ever added since a revision (from 0) is still there: it may only grow."""
    final = _evidence(reader)
    return all(_evidence(reader.get_historical_resolver(n)) <= final for n in range(revision, reader.total_revisions))


def _evidence(handler: PdfHandler) -> set[int]:
    """The objects that the document security store refers to, by number."""
    root = handler.root
    store = root["/DSS"] if "/DSS" in root else {}  # noqa: SIM401 - `get` would not follow the reference
    lists = [store[key] for key in ("/Certs", "/CRLs", "/OCSPs") if key in store]
    return {one.raw_get(n).idnum for one in lists for n in range(len(one))}


def has_tail(reader: PdfFileReader, content: Content) -> bool:
    """Whether anything but white space follows the end that the last cross-reference section leads to.

    Readers that repair files would show what stands there; a strict one never sees it.
    """
    start = reader.last_startxref or 0
    end = _END.search(content, start)
    return end is None or int(end[1]) != start or bool(content[end.end() :].strip(_WHITE))


def has_hidden_signature(content: Content, shown: int) -> bool:
    """Whether the file holds more signatures than its form shows: one was taken out of the form afterwards."""
    return len(_BYTE_RANGE.findall(content)) > shown


def named_signatures(content: Content) -> int:
    """How many signatures the bytes name, well-formed or not: each of them would have to be hashed."""
    return sum(1 for _ in _BYTE_RANGE.finditer(content))


def has_traces(content: Content) -> bool:
    """Whether a signature once stood in a file in which none can be found any more."""
    return _FORMAT.search(content) is not None


@dataclass(frozen=True)
class Sketch:
    """What can be said of a file that no strict reader opens, from its bytes alone.

    Attributes:
        signatures: How many there are.
        truncated: One covers bytes beyond the end of the file.
        changed: One doesn't fit the bytes it covers.
        covered: An intact one reaches the end of the file.
    """

    signatures: int
    truncated: bool
    changed: bool
    covered: bool


def sketch(content: Content) -> Sketch:
    """Look for signatures in the bytes and compare their digests, whatever the structure around them."""
    ranges = [tuple(int(number) for number in found) for found in _BYTE_RANGE.findall(content)]
    truncated = any(second + length > len(content) for _, _, second, length in ranges)
    inside = [found for found in ranges if found[2] + found[3] <= len(content)]
    fits = [_digest_fits(content, found) for found in inside]
    ends = [found[2] + found[3] for found, good in zip(inside, fits, strict=True) if good]
    covered = bool(ends) and not content[max(ends) :].strip(_WHITE)
    return Sketch(len(ranges), truncated, not all(fits), covered)


def _digest_fits(content: Content, found: Sequence[int]) -> bool:
    start, first, second, length = found
    try:
        padded = bytes.fromhex(content[start + first + 1 : second - 1].decode("ascii"))
        signed = cms.ContentInfo.load(padded)["content"]
        info = signed["signer_infos"][0]
        covered = content[start : start + first] + content[second : second + length]
        encapsulated = signed["encap_content_info"]
        if encapsulated["content_type"].native == "tst_info":
            imprint = encapsulated["content"].parsed["message_imprint"]
            algorithm, stated = imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native
        else:
            algorithm = info["digest_algorithm"]["algorithm"].native
            stated = next(a["values"][0].native for a in info["signed_attrs"] if a["type"].native == "message_digest")
        return bool(hashlib.new(algorithm, covered).digest() == stated)
    except OUR_TROUBLE:
        raise
    except Exception:  # noqa: BLE001  bytes that can't be a signature any more don't fit
        return False
