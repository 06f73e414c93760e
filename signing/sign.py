"""Put a signature into a prepared PDF, file to file, so that it can be checked for years without us.

Order: everything that can be refused is refused before the key is touched; then signature and timestamp (PAdES B-T),
then the evidence for signer and timestamp authority (B-LT), then a document timestamp over all of it (B-LTA). The
file only ever grows: the result starts with the source's bytes. Profiles: ETSI EN 319 142-1.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, Literal

from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, InnerScaling, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.general import find_unique_cms_attribute
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.validation import read_certification_data
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.stamp import StaticStampStyle

from signing import appearance as looks
from signing.timestamp import authority_of
from signing.trust import Standing, signer_standing, timestamp_authority_standing
from signing.types import FIELD_NAMES, Place, SigningRefused, TrustServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asn1crypto import cms

    from signing.keys import SigningKey
    from signing.timestamp import Timestamper
    from signing.trust import TrustStore
    from signing.types import SignaturePlace

Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]

_VIETNAM = timezone(timedelta(hours=7))
_DIGEST = "sha256"
#: Hex digits kept free for a signature or timestamp: 16 KiB of DER, twice the largest seen in practice.
_RESERVED = 32768
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Signed:
    """What was made.

    Attributes:
        level: PAdES baseline level reached.
        signed_at: What our clock said; also what the visible block shows.
        timestamp: What the timestamp authority said, or None.
        status_known: Whether revocation lists or responders spoke for the signer.
    """

    level: Level
    signed_at: datetime
    timestamp: datetime | None
    status_known: bool


def sign(
    source: Path,
    target: Path,
    *,
    place: SignaturePlace,
    key: SigningKey,
    trust: TrustStore,
    timestamper: Timestamper | None,
    appearance: looks.Appearance | None = None,
    reason: str | None = None,
    allow_unknown_status: bool = False,
    at: datetime | None = None,
) -> Signed:
    """Sign `source` in the field of `place` and write the result to `target`, whole or not at all.

    The leader's signature certifies the document (form filling and further signatures allowed) and becomes B-LT, the
    scanner's B-LT without certifying, the agency's seal and the electronic copy's B-LTA. Without a timestamper all
    are B-B. Memory use doesn't depend on the size of the file.

    Args:
        source: A PDF with the empty field, see `signing.prepare.add_fields`.
        target: May exist; is replaced.
        place: Which field; page and box are the field's own by now.
        key: From `signing.keys`.
        trust: Registered anchors and cached lists; missing lists are fetched for our own certificates only.
        timestamper: Who proves the time; or None.
        appearance: What the field shows; by default a few plain lines.
        reason: Recorded in the signature, e.g. "Sao y".
        allow_unknown_status: Sign even when nobody says whether the certificate or the timestamp authority's is
            revoked; then at most to B-T.
        at: Another moment than now, for tests and for nothing else: no lists are fetched then.

    Raises:
        SigningRefused: With its reason; nothing was signed.
        TrustServiceUnavailable: Nobody told the time, or a needed list couldn't be fetched; nothing was signed.
        OSError: The disk refused.
    """
    field_size = _require_empty_field(source, place)
    signer = signer_standing(key.certificate_der, trust, chain=key.chain_der, at=at)
    if not allow_unknown_status:
        _require_known(signer, key.subject)
    claimed = (at or datetime.now(UTC)).astimezone(_VIETNAM).replace(microsecond=0)
    drawn = looks.render(
        appearance or _plain(place.place, key), width_pt=field_size[0], height_pt=field_size[1], at=claimed
    )
    before = len(timestamper.tokens) if timestamper else 0
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        _copy_ending_in_newline(source, partial)
        with partial.open("rb+") as file:
            asyncio.run(_write_signature(file, place.place, key, timestamper, drawn, claimed, reason))
            level: Level = "B-B"
            if timestamper is not None:
                proofs = _proofs(signer, timestamper.tokens[before:], trust, at, optional=allow_unknown_status)
                level = _add_evidence(file, place.place, proofs, trust, timestamper, at) if proofs else "B-T"
            file.flush()
            os.fsync(file.fileno())
        _require_same_beginning(source, partial)
        partial.replace(target)
        _fsync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)
    return Signed(
        level=level,
        signed_at=claimed,
        timestamp=_time_of(timestamper.tokens[before]) if timestamper else None,
        status_known=signer.known,
    )


def _require_empty_field(source: Path, place: SignaturePlace) -> tuple[float, float]:
    """Make sure the document takes this signature; give width and height of its field, in points."""
    with source.open("rb") as file:
        try:
            reader = PdfFileReader(file)
            encrypted, hybrid = reader.encrypted, reader.xrefs.hybrid_xrefs_present
            fields = {} if encrypted else {name: (value, ref) for name, value, ref in enumerate_sig_fields(reader)}
            certification = None if encrypted else read_certification_data(reader)
            _, field = fields.get(place.field_name, (None, None))
            box = [float(edge) for edge in field.get_object()["/Rect"]] if field else []
        except Exception as error:  # the parser raises whatever a broken file provokes
            raise SigningRefused(
                "unreadable_pdf", "Tệp không phải PDF hoặc đã hỏng. Chưa có gì được ký. Hãy xuất lại tệp PDF."
            ) from error
    if encrypted:
        raise SigningRefused("encrypted_pdf", "Tệp PDF được mã hóa. Chưa có gì được ký. Hãy bỏ mật khẩu rồi thử lại.")
    if hybrid:
        raise SigningRefused("unreadable_pdf", "Tệp PDF có bảng tham chiếu kép. Hãy chuẩn bị lại tệp để ký.")
    if field is None:
        raise SigningRefused(
            "field_missing",
            f"Văn bản không có khung chữ ký {place.field_name}. Chưa có gì được ký. Hãy chuẩn bị lại tệp.",
        )
    if fields[place.field_name][0] is not None:
        raise SigningRefused("already_signed", "Khung này đã có chữ ký. Văn bản vẫn còn nguyên.")
    if place.place is Place.LEADER and any(value is not None for value, _ in fields.values()):
        raise SigningRefused(
            "already_signed", "Người có thẩm quyền phải ký đầu tiên, nhưng tệp đã có chữ ký. Tệp vẫn còn nguyên."
        )
    if certification is not None and certification.permission is MDPPerm.NO_CHANGES:
        raise SigningRefused(
            "forbidden_by_document", "Chữ ký trước không cho phép thêm chữ ký nào nữa. Tệp vẫn còn nguyên."
        )
    return abs(box[2] - box[0]), abs(box[3] - box[1])


def _require_known(standing: Standing, name: str) -> None:
    if standing.silent is not None:
        raise standing.silent
    if not standing.known:
        raise SigningRefused(
            "status_unknown",
            f"Không có danh sách thu hồi hay máy trả lời nào cho biết chứng thư của {name} còn hiệu lực. "
            "Chưa có gì được ký. Hãy nạp danh sách thu hồi (CRL) của nơi cấp.",
        )


def _plain(place: Place, key: SigningKey) -> looks.Appearance:
    match place:
        case Place.LEADER:
            return looks.leader(key.subject)
        case Place.SEAL:
            return looks.seal(key.subject)
        case Place.COPY:
            return looks.copy(key.organization or key.subject)
        case Place.SCANNER:
            return looks.scanner(key.subject)


async def _write_signature(
    file: BinaryIO,
    place: Place,
    key: SigningKey,
    timestamper: Timestamper | None,
    drawn: bytes,
    claimed: datetime,
    reason: str | None,
) -> None:
    """Append the signature, with its timestamp, as one revision."""
    certifies = place is Place.LEADER
    metadata = PdfSignatureMetadata(
        field_name=FIELD_NAMES[place],
        md_algorithm=_DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        certify=certifies,
        docmdp_permissions=MDPPerm.FILL_FORMS,
        name=key.subject,
        reason=reason,
    )
    with TemporaryDirectory(prefix="hoso-stamp-") as folder:
        page = Path(folder) / "stamp.pdf"
        page.write_bytes(drawn)  # read when the appearance is written, so kept until then
        signer = PdfSigner(metadata, key.signer, timestamper=timestamper, stamp_style=_stamp_style(page))
        session = signer.init_signing_session(IncrementalPdfFileWriter(file), existing_fields_only=True)
        session.system_time = claimed
        document = session.prepare_tbs_document(validation_info=None, bytes_reserved=_RESERVED)
        prepared, _ = document.digest_tbs_document(in_place=True, chunk_size=_CHUNK)
        await document.perform_signature(prepared.document_digest, PdfCMSSignedAttributes(signing_time=claimed))


def _stamp_style(page: Path) -> StaticStampStyle:
    """The drawn page as it is: as large as the field, opaque, without a frame."""
    exact = SimpleBoxLayoutRule(
        x_align=AxisAlignment.ALIGN_MID,
        y_align=AxisAlignment.ALIGN_MID,
        margins=Margins(),
        inner_content_scaling=InnerScaling.SHRINK_TO_FIT,
    )
    imported = ImportedPdfPage(str(page))  # type: ignore[no-untyped-call]
    return StaticStampStyle(background=imported, background_layout=exact, background_opacity=1.0, border_width=0)


def _proofs(
    signer: Standing, tokens: Sequence[cms.ContentInfo], trust: TrustStore, at: datetime | None, *, optional: bool
) -> list[Standing]:
    """What proves the standing of the signer and of the timestamp authority that answered; none if `optional`."""
    if not signer.known:
        return []
    try:
        return [signer, *_authorities(tokens, trust, at)]
    except (SigningRefused, TrustServiceUnavailable):
        if not optional:
            raise
        return []


def _add_evidence(
    file: BinaryIO,
    place: Place,
    proofs: list[Standing],
    trust: TrustStore,
    timestamper: Timestamper,
    at: datetime | None,
) -> Level:
    """Append the proofs; for seal and copy also those of earlier signers, and a timestamp over all of it."""
    lasting = place in {Place.SEAL, Place.COPY}
    gathered = [*proofs, *_earlier_signers(file, trust, at)] if lasting else proofs
    writer = IncrementalPdfFileWriter(file)
    _store(writer, gathered)
    if not lasting:
        writer.write_in_place()  # type: ignore[no-untyped-call]
        return "B-LT"
    issued = len(timestamper.tokens)
    stamping = PdfTimeStamper(timestamper, readable_field_name="Dấu thời gian")
    asyncio.run(
        stamping.async_timestamp_pdf(writer, _DIGEST, bytes_reserved=_RESERVED, in_place=True, chunk_size=_CHUNK)
    )
    known = {standing.certificate.sha256 for standing in gathered}
    changed = [s for s in _authorities(timestamper.tokens[issued:], trust, at) if s.certificate.sha256 not in known]
    if changed:
        later = IncrementalPdfFileWriter(file)
        _store(later, changed)
        later.write_in_place()  # type: ignore[no-untyped-call]
    return "B-LTA"


def _authorities(tokens: Sequence[cms.ContentInfo], trust: TrustStore, at: datetime | None) -> list[Standing]:
    """Standing of whoever issued these tokens: fail-over may have brought another one than expected.

    Raises:
        SigningRefused: We don't trust it, or nobody tells its status: "status_unknown".
        TrustServiceUnavailable: Its status can't be asked for now.
    """
    found: dict[bytes, Standing] = {}
    for token in tokens:
        certificate, others = authority_of(token)
        if certificate.sha256 not in found:
            standing = timestamp_authority_standing(certificate, trust, extra=others, at=at)
            _require_known(standing, "dịch vụ dấu thời gian")
            found[certificate.sha256] = standing
    return list(found.values())


def _earlier_signers(file: BinaryIO, trust: TrustStore, at: datetime | None) -> list[Standing]:
    """What our own lists prove about those who signed before. Nothing is fetched for them: the file named them.

    Whoever isn't ours, or isn't in good standing any more, is left out; the verifier judges.
    """
    found: list[Standing] = []
    for earlier in PdfFileReader(file).embedded_regular_signatures[:-1]:
        try:
            chain = [certificate.dump() for certificate in earlier.other_embedded_certs]
            found.append(signer_standing(earlier.signer_cert.dump(), trust, chain=chain, at=at, fetch=False))
            token = find_unique_cms_attribute(earlier.signer_info["unsigned_attrs"], "signature_time_stamp_token")
            certificate, others = authority_of(token)
            found.append(timestamp_authority_standing(certificate, trust, extra=others, at=at, fetch=False))
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


def _copy_ending_in_newline(source: Path, target: Path) -> None:
    """An update appended right behind "%%EOF" breaks PDF/A (6.1.9): some writers leave the newline out."""
    shutil.copyfile(source, target)
    with target.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) not in b"\r\n":
            file.write(b"\n")


def _require_same_beginning(source: Path, grown: Path) -> None:
    """Nothing already signed may change by a byte."""
    with source.open("rb") as before, grown.open("rb") as after:
        while piece := before.read(_CHUNK):
            if after.read(len(piece)) != piece:
                raise AssertionError("the signed file doesn't begin with the original")


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
