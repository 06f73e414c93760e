"""Give a signature that is made what lets it be checked for years: time, evidence, and a timestamp over all of it.

The key isn't needed any more, so this may happen a moment or days after the signature was made. The signature's
timestamp is put into the room its maker left in /Contents: those digits are the only bytes of a file that its
signature doesn't cover, and all that is changed; evidence (B-LT) and document timestamp (B-LTA) are appended. "Augment"
is the word of ETSI EN 319 102-1, clause 5.5, for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Literal

from asn1crypto import cms
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.general import NonexistentAttributeError, SigningError, find_unique_cms_attribute
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

from signing import embedded, envelope, room, standings
from signing.timestamp import authority_of
from signing.trust import Standing, signer_standing, timestamp_authority_standing
from signing.types import FIELD_NAMES, Place, SigningRefused, TrustServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from asn1crypto import x509

    from signing.embedded import Embedded, Signatures
    from signing.timestamp import Timestamper
    from signing.trust import TrustStore

Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]

DIGEST = "sha256"
CHUNK = 1024 * 1024
_STRONG = ("sha256", "sha384", "sha512")
#: The last word on a document, kept for years: a timestamp over all of it follows.
_LASTING = {Place.SEAL, Place.COPY, Place.ANNEX, Place.REPORT}
#: What may happen to a signer's certificate before the signature's time is proven.
_TOO_LATE = ("certificate_revoked", "certificate_expired")


@dataclass(frozen=True)
class Augmented:
    """What a signature was raised to.

    Attributes:
        level: PAdES baseline level reached.
        timestamp: What the timestamp authority said of the signature; None where a document timestamp alone proves it.
        status_known: Whether revocation lists or responders spoke for the signer.
    """

    level: Level
    timestamp: datetime | None
    status_known: bool


def augment(
    source: Path,
    target: Path,
    *,
    place: Place,
    trust: TrustStore,
    timestamper: Timestamper,
    certificates: Sequence[str] = (),
    allow_unknown_status: bool = False,
    at: datetime | None = None,
) -> Augmented:
    """Write `source`, whose last signature is in the field of `place`, to `target` with time and evidence.

    A timestamp that the signature has already is kept. Leader and scanner become B-LT, the agency's seal, copies and
    annexes B-LTA. Does the same again when called again: nothing is signed here.

    Args:
        source: A PDF whose signature was made by `signing.sign.make`, or by the signer's own tool.
        target: May exist; is replaced, whole or not at all.
        place: Whose signature.
        trust: Registered anchors and cached lists.
        timestamper: Who proves the time.
        certificates: Whose signature is expected, SHA-256 of the certificate, lower-case hex; () takes anyone's, and
            then addresses in the certificate it finds are asked for its status.
        allow_unknown_status: As `signing.sign.sign`: then at most to B-T.
        at: Another moment than now, for tests and for nothing else.

    Raises:
        SigningRefused: The status of a certificate is unknown, or the timestamp authority doesn't count with us. With
            `lost`: the signature isn't there or isn't the expected one, or its certificate was revoked or expired
            before the time could be proven.
        TrustServiceUnavailable: Try again later; `source` is as it was.
        OSError: The disk refused.
    """
    with growing(source, target) as (file, changed):
        return add_time_and_evidence(
            file,
            changed,
            place=place,
            trust=trust,
            timestamper=timestamper,
            certificates=certificates,
            allow_unknown_status=allow_unknown_status,
            at=at,
        )


def add_time_and_evidence(
    file: BinaryIO,
    changed: list[tuple[int, int]],
    *,
    place: Place,
    trust: TrustStore,
    timestamper: Timestamper,
    certificates: Sequence[str] = (),
    allow_unknown_status: bool = False,
    at: datetime | None = None,
    signer: Standing | None = None,
) -> Augmented:
    """As `augment`, in an open file; the span of bytes that was filled is added to `changed`.

    Args:
        signer: The signer's standing, where it was found a moment ago.
    """
    signature, there = _signature_in(file, place)
    found = signature.signer_cert.sha256.hex()
    if certificates and found not in certificates:
        raise SigningRefused("wrong_certificate", "Chữ ký trong tệp không phải của chứng thư đã ghi.", lost=True)
    if signer is None:
        chain = [certificate.dump() for certificate in signature.other_certs]
        der = signature.signer_cert.dump()
        try:
            signer = _kept(der, trust, at, lambda: signer_standing(der, trust, chain=chain, at=at))
        except SigningRefused as refused:
            refused.lost = refused.reason in _TOO_LATE
            raise
    if not allow_unknown_status:
        require_known(signer, str(signer.certificate.subject.native.get("common_name", "")))
    before = len(timestamper.tokens)
    token = _token_of(signature) or _fill(file, changed, signature, there.stamps, timestamper)
    tokens = timestamper.tokens[before:] or ([token] if token else [])
    stamped = None if token is None else _time_of(token)
    proofs = _proofs(signer, tokens, trust, at, optional=allow_unknown_status)
    if not proofs:
        return Augmented("B-T", stamped, signer.known)
    lasting = token is None or place in _LASTING
    if lasting:
        proofs = [*proofs, *_earlier_signers(there, trust, at)]
    add_evidence(file, proofs, trust, timestamper if lasting else None, at)
    return Augmented("B-LTA" if lasting else "B-LT", stamped, signer.known)


def require_known(standing: Standing, name: str) -> None:
    """Refuse a certificate whose status nobody tells.

    Raises:
        SigningRefused: "status_unknown": no list and no responder speaks for it.
        TrustServiceUnavailable: One should have, and doesn't answer.
    """
    if standing.silent is not None:
        raise standing.silent
    if not standing.known:
        raise SigningRefused(
            "status_unknown",
            f"Không có danh sách thu hồi hay máy trả lời nào cho biết chứng thư của {name} còn hiệu lực. "
            "Chưa có gì được ký. Hãy nạp danh sách thu hồi (CRL) của nơi cấp.",
        )


# --- the signature's own timestamp --------------------------------------------------------------------------------


def _signature_in(file: BinaryIO, place: Place) -> tuple[Embedded, Signatures]:
    """The signature in our field, which must be the last one and as it was made; and all there are.

    Raises:
        SigningRefused: "field_missing", "forbidden_by_document" or "unreadable_pdf".
    """
    try:
        there = embedded.read(file)
        if there.signed and _stands_for(there.signed[-1].field_name, place):
            _require_as_signed(file, there.signed[-1])
            return there.signed[-1], there
    except SigningRefused:
        raise
    except Exception as error:  # the parser raises whatever a broken file provokes
        raise SigningRefused(
            "unreadable_pdf", "Tệp vừa ký không đọc được. Văn bản trước khi ký vẫn còn nguyên.", lost=True
        ) from error
    raise SigningRefused("field_missing", f"Tệp không có chữ ký {FIELD_NAMES[place]} ở lần ký cuối.", lost=True)


def _stands_for(field: str, place: Place) -> bool:
    """Whether a field is the one of `place`; a leader's own tool may have made another one (decision 0029)."""
    return field == FIELD_NAMES[place] or (place is Place.LEADER and field not in FIELD_NAMES.values())


def _require_as_signed(file: BinaryIO, signature: Embedded) -> None:
    """Digest what the signature covers and compare: neither before nor after we fill its room may a byte differ."""
    start, length, again, rest = (int(edge) for edge in signature.byte_range)
    digest = hashlib.new(signature.md_algorithm)
    for first, size in ((start, length), (again, rest)):
        file.seek(first)
        left = size
        while left and (piece := file.read(min(left, CHUNK))):
            digest.update(piece)
            left -= len(piece)
    said = find_unique_cms_attribute(signature.signer_info["signed_attrs"], "message_digest").native
    if digest.digest() != said:
        raise SigningRefused(
            "signature_unproven", "Tệp không còn đúng như lúc ký. Văn bản trước khi ký còn nguyên.", lost=True
        )


def _token_of(signature: Embedded) -> cms.ContentInfo | None:
    """The timestamp it came with."""
    try:
        token: cms.ContentInfo = find_unique_cms_attribute(
            signature.signer_info["unsigned_attrs"], "signature_time_stamp_token"
        )
    except NonexistentAttributeError:
        return None
    return token


def _fill(
    file: BinaryIO,
    changed: list[tuple[int, int]],
    signature: Embedded,
    stamps: Sequence[Embedded],
    timestamper: Timestamper,
) -> cms.ContentInfo | None:
    """Put a timestamp into the room the signature's maker left; None where there is none, or it is covered by now.

    The signer's own tool may have put a document timestamp over it, which covers that room. Then a document
    timestamp, which covers the signature as well, has to prove its time.
    """
    if any(stamp.end > signature.end for stamp in stamps):
        return None
    signed, value = signature.signer_info["signed_attrs"].dump(), signature.signer_info["signature"].native
    start, digits = _room(file, signature)
    if len(cms.ContentInfo.load(signature.content).dump()) * 2 + 2 * _LEAST_TOKEN > digits:
        return None
    algorithm = signature.md_algorithm if signature.md_algorithm in _STRONG else DIGEST
    token = asyncio.run(timestamper.async_timestamp(hashlib.new(algorithm, value).digest(), algorithm))
    filled = envelope.stamped(signature.content, token.dump())
    if filled is None or len(filled) * 2 > digits:
        return None
    again = cms.ContentInfo.load(filled)["content"]["signer_infos"][0]
    if (again["signed_attrs"].dump(), again["signature"].native) != (signed, value):
        return None
    file.seek(start)
    file.write(filled.hex().encode().ljust(digits, b"0"))
    file.flush()
    changed.append((start, start + digits))
    _require_as_signed(file, signature)
    return token


#: A timestamp token without certificates is hardly smaller, in bytes of DER.
_LEAST_TOKEN = 1024


def _room(file: BinaryIO, signature: Embedded) -> tuple[int, int]:
    """Where the hex digits of /Contents begin, and how many there are; nothing else lies outside the byte range.

    Raises:
        SigningRefused: "signature_unproven": something else does.
    """
    start, length, again, _ = (int(edge) for edge in signature.byte_range)
    file.seek(start + length)
    hole = file.read(again - start - length)
    if not (hole.startswith(b"<") and hole.endswith(b">") and start == 0):
        raise SigningRefused("signature_unproven", "Chữ ký trong tệp không theo khuôn dạng PAdES.", lost=True)
    return start + length + 1, len(hole) - 2


# --- evidence ------------------------------------------------------------------------------------------------------


def _proofs(
    signer: Standing, tokens: Sequence[cms.ContentInfo], trust: TrustStore, at: datetime | None, *, optional: bool
) -> list[Standing]:
    """What proves the standing of the signer and of the timestamp authority that answered; none if `optional`."""
    if not signer.known:
        return []
    try:
        return [signer, *authorities(tokens, trust, at)]
    except (SigningRefused, TrustServiceUnavailable):
        if not optional:
            raise
        return []


def add_evidence(
    file: BinaryIO, proofs: Sequence[Standing], trust: TrustStore, timestamper: Timestamper | None, at: datetime | None
) -> None:
    """Append the proofs and, with a timestamper, a timestamp over all of it."""
    if timestamper is None:
        writer = IncrementalPdfFileWriter(file)
        _store(writer, proofs)
        writer.write_in_place()  # type: ignore[no-untyped-call]
        return
    issued = len(timestamper.tokens)
    try:
        _stamp(file, proofs, timestamper, room.for_timestamp())
    except SigningError:  # another authority than before, with a longer answer
        _stamp(file, proofs, timestamper, room.AMPLE)
    known = {standing.certificate.sha256 for standing in proofs}
    strangers = [token for token in timestamper.tokens[issued:] if authority_of(token)[0].sha256 not in known]
    others = authorities(strangers, trust, at)
    if others:
        later = IncrementalPdfFileWriter(file)
        _store(later, others)
        later.write_in_place()  # type: ignore[no-untyped-call]


def _stamp(file: BinaryIO, proofs: Sequence[Standing], timestamper: Timestamper, kept_free: int) -> None:
    """Append the proofs and a timestamp over all of it, in so many digits; where they don't suffice, nothing.

    Raises:
        SigningError: They don't.
    """
    length = file.seek(0, os.SEEK_END)
    writer = IncrementalPdfFileWriter(file)
    _store(writer, proofs)
    stamping = PdfTimeStamper(timestamper, readable_field_name="Dấu thời gian")
    try:
        asyncio.run(
            stamping.async_timestamp_pdf(writer, DIGEST, bytes_reserved=kept_free, in_place=True, chunk_size=CHUNK)
        )
    except SigningError:
        file.truncate(length)
        raise


def authorities(tokens: Sequence[cms.ContentInfo], trust: TrustStore, at: datetime | None) -> list[Standing]:
    """Standing of whoever issued these tokens: fail-over may have brought another one than expected.

    Raises:
        SigningRefused: We don't trust it, or nobody tells its status: "status_unknown".
        TrustServiceUnavailable: Its status can't be asked for now.
    """
    found: dict[bytes, Standing] = {}
    for token in tokens:
        certificate, others = authority_of(token)
        if certificate.sha256 not in found:
            standing = _standing_of_authority(certificate, others, trust, at)
            require_known(standing, "dịch vụ dấu thời gian")
            found[certificate.sha256] = standing
    return list(found.values())


def _standing_of_authority(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    trust: TrustStore,
    at: datetime | None,
    *,
    fetch: bool = True,
) -> Standing:
    """As found within the last minute: in a batch the same authority answers, before the same lists."""

    def find() -> Standing:
        return timestamp_authority_standing(certificate, trust, extra=others, at=at, fetch=fetch)

    return _kept(certificate.dump(), trust, at, find)


def _kept(certificate: bytes, trust: TrustStore, at: datetime | None, find: Callable[[], Standing]) -> Standing:
    return find() if at is not None else standings.kept(certificate, trust, find, worth=lambda one: one.known)


def _earlier_signers(there: Signatures, trust: TrustStore, at: datetime | None) -> list[Standing]:
    """What our own lists, and the answers in the file, prove about those who signed before the last.

    Nothing is fetched for whoever isn't registered here: the file named them. Whoever isn't ours, or isn't in good
    standing any more, is left out; the verifier judges.
    """
    found: list[Standing] = []
    earlier = there.signed[:-1]
    if earlier:  # each answer is checked again before it counts
        trust = replace(trust, ocsps=(*trust.ocsps, *there.answers))
    for one in earlier:
        try:
            chain = [certificate.dump() for certificate in one.other_certs]
            signer = one.signer_cert.dump()
            ours = signer in trust.intermediates
            found.append(
                _kept(signer, trust, at, lambda: signer_standing(signer, trust, chain=chain, at=at, fetch=ours))  # noqa: B023 - called at once
            )
            token = find_unique_cms_attribute(one.signer_info["unsigned_attrs"], "signature_time_stamp_token")
            found.append(_standing_of_authority(*authority_of(token), trust, at, fetch=False))
        except (SigningRefused, KeyError, ValueError, TypeError, AttributeError):  # whatever a stranger wrote
            continue
    return found


def _store(writer: IncrementalPdfFileWriter, standings: Sequence[Standing]) -> None:
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        None,
        paths=[standing.path for standing in standings],
        crls=[listed for standing in standings for listed in standing.crls],
        ocsps=[answer for standing in standings for answer in standing.ocsps],
    )


def _time_of(token: cms.ContentInfo) -> datetime:
    moment: datetime = token["content"]["encap_content_info"]["content"].parsed["gen_time"].native
    return moment


# --- files that only grow -------------------------------------------------------------------------------------------


@contextmanager
def growing(source: Path, target: Path) -> Iterator[tuple[BinaryIO, list[tuple[int, int]]]]:
    """Give a copy of `source` to append to; it becomes `target`, durably, when the block ends well, else nothing does.

    The spans the block adds to the list may differ from the source; for anything else that does nothing is written.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    changed: list[tuple[int, int]] = []
    try:
        _copy_ending_in_newline(source, partial)
        with partial.open("rb+") as file:
            yield file, changed
            file.flush()
            os.fsync(file.fileno())
        _require_same_beginning(source, partial, changed)
        partial.replace(target)
        _fsync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def _copy_ending_in_newline(source: Path, target: Path) -> None:
    """An update appended right behind "%%EOF" breaks PDF/A (6.1.9): some writers leave the newline out."""
    shutil.copyfile(source, target)
    with target.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) not in b"\r\n":
            file.write(b"\n")


def _require_same_beginning(source: Path, grown: Path, but: Sequence[tuple[int, int]]) -> None:
    """Nothing already signed may change by a byte, but for the spans named."""
    edges = [0, *(edge for span in sorted(but) for edge in span), source.stat().st_size]
    with source.open("rb") as before, grown.open("rb") as after:
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            before.seek(start)
            after.seek(start)
            while start < stop:
                piece = before.read(min(CHUNK, stop - start))
                if not piece or after.read(len(piece)) != piece:
                    raise AssertionError("the signed file doesn't begin with the original")
                start += len(piece)  # noqa: PLW2901 - walks the span


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
