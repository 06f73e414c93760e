"""Put a signature into a prepared PDF, file to file, so that it can be checked for years without us.

In two steps, because only the first needs the key: `make` signs (PAdES B-B), `signing.augment` adds time and evidence
afterwards, now or days later. `sign` is both in one call. Everything that can be refused is refused before the key is
touched, and the file only ever grows: the result starts with the source's bytes. Profiles: ETSI EN 319 142-1.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

import pikepdf
from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, InnerScaling, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import FieldMDPSpec, MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigAppearanceSetup, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.stamp import StaticStampStyle

from signing import appearance as looks
from signing import prepare, room, standings
from signing.augment import CHUNK, add_time_and_evidence, growing, require_known
from signing.trust import signer_standing
from signing.types import FIELD_NAMES, Place, SigningRefused

if TYPE_CHECKING:
    from pyhanko.pdf_utils.generic import DictionaryObject

    from signing.augment import Level
    from signing.keys import SigningKey
    from signing.timestamp import Timestamper
    from signing.trust import Standing, TrustStore
    from signing.types import SignaturePlace

_VIETNAM = timezone(timedelta(hours=7))


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


@dataclass(frozen=True)
class Made:
    """A signature that is made and still without a proven time (B-B).

    Attributes:
        signed_at: What our clock said; also what the visible block shows.
        status_known: Whether revocation lists or responders spoke for the signer.
        standing: The signer's, as found before the key was touched.
    """

    signed_at: datetime
    status_known: bool
    standing: Standing


def make(
    source: Path,
    target: Path,
    *,
    place: SignaturePlace,
    key: SigningKey,
    trust: TrustStore,
    appearance: looks.Appearance | None = None,
    reason: str | None = None,
    allow_unknown_status: bool = False,
    at: datetime | None = None,
) -> Made:
    """Sign `source` in the field of `place` and write the result to `target`, whole or not at all.

    The key is touched once. No timestamp authority is asked: `signing.augment.augment` does the rest.
    The leader's signature certifies the document (form filling and further signatures allowed) and the seal locks it,
    unless its profile, fixed with its fields, is the plain one. Memory use doesn't
    depend on the size of the file.

    Args:
        source: A PDF with the empty field, see `signing.prepare.add_fields`.
        target: May exist; is replaced.
        place: Which field; page and box are the field's own by now.
        key: From `signing.keys`.
        trust: Registered anchors and cached lists; missing lists are fetched for our own certificates only.
        appearance: What the field shows; by default a few plain lines.
        reason: Recorded in the signature, e.g. "Sao y".
        allow_unknown_status: Sign even when nobody says whether the certificate is revoked.
        at: Another moment than now, for tests and for nothing else: no lists are fetched then.

    Raises:
        SigningRefused: With its reason; nothing was signed.
        TrustServiceUnavailable: A needed list couldn't be fetched; nothing was signed.
        OSError: The disk refused.
    """
    ready = _ready(source, place, key, trust, appearance, allow_unknown_status, at)
    with growing(source, target) as (file, _):
        _write_signature(file, place.place, key, ready, reason)
    return Made(ready.claimed, ready.standing.known, ready.standing)


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
    ask: bool = True,
    at: datetime | None = None,
) -> Signed:
    """Make a signature and augment it in one call: all of it is written to `target`, or nothing is.

    The leader's signature becomes B-LT, the scanner's B-LT without certifying, the agency's seal, copies and annexes
    B-LTA. Without a timestamper all are B-B.

    Args:
        timestamper: Who proves the time; or None.
        allow_unknown_status: Sign even when nobody says whether the certificate or the timestamp authority's is
            revoked; then at most to B-T.
        ask: Whether lists and responders are asked before signing; else what is known has to do.
        source, target, place, key, trust, appearance, reason, at: As `make`.

    Raises:
        SigningRefused: With its reason; nothing was signed.
        TrustServiceUnavailable: Nobody told the time, or a needed list couldn't be fetched; nothing was signed.
        OSError: The disk refused.
    """
    ready = _ready(source, place, key, trust, appearance, allow_unknown_status, at, ask=ask)
    with growing(source, target) as (file, _):
        _write_signature(file, place.place, key, ready, reason)
        if timestamper is None:
            return Signed("B-B", ready.claimed, None, ready.standing.known)
        reached = add_time_and_evidence(
            file,
            [],
            place=place.place,
            trust=trust,
            timestamper=timestamper,
            allow_unknown_status=allow_unknown_status,
            at=at,
            signer=ready.standing,
        )
    return Signed(reached.level, ready.claimed, reached.timestamp, reached.status_known)


@dataclass(frozen=True)
class _Ready:
    """Everything that could be refused was not: what is about to be signed with."""

    standing: Standing
    claimed: datetime
    drawn: bytes
    certifies: bool


def _ready(
    source: Path,
    place: SignaturePlace,
    key: SigningKey,
    trust: TrustStore,
    appearance: looks.Appearance | None,
    allow_unknown_status: bool,  # noqa: FBT001 - the caller's, passed on
    at: datetime | None,
    *,
    ask: bool = True,
) -> _Ready:
    """Look at document, certificate and block before the key is touched."""
    width_pt, height_pt, certifies = _require_empty_field(source, place)
    standing = signer_standing(key.certificate_der, trust, chain=key.chain_der, at=at, fetch=ask)
    if not allow_unknown_status:
        require_known(standing, key.subject)
    if at is None and standing.known:
        standings.keep(key.certificate_der, trust, standing)  # for the evidence, which needs no key
    claimed = (at or datetime.now(UTC)).astimezone(_VIETNAM).replace(microsecond=0)
    block = appearance or _plain(place.place, key)
    if block.with_time or block.typeface is not None:
        drawn = looks.render(block, width_pt=width_pt, height_pt=height_pt, at=claimed)
    else:
        drawn = _drawn_once(block, width_pt, height_pt)
    return _Ready(standing, claimed, drawn, certifies)


@lru_cache(maxsize=32)
def _drawn_once(block: looks.Appearance, width_pt: float, height_pt: float) -> bytes:
    """A block that shows no time looks the same in every document: a batch has one seal and one signer."""
    return looks.render(block, width_pt=width_pt, height_pt=height_pt, at=datetime(2026, 1, 1, tzinfo=UTC))


def _require_empty_field(source: Path, place: SignaturePlace) -> tuple[float, float, bool]:
    """Make sure the document takes this signature.

    Gives width and height of its field, in points, and whether it certifies: the leader's does, unless the seal's
    field says by its lack of a lock that the document is of the other profile.
    """
    try:
        with prepare.opened(source) as pdf:
            fields = {str(field.get("/T", "")): field for field in prepare.signature_fields(pdf)}
            filled = {name for name, field in fields.items() if "/V" in field}
            forbidden = prepare.forbids_everything(pdf)
            box = [float(edge) for edge in fields[place.field_name].Rect] if place.field_name in fields else []
            seal = fields.get(FIELD_NAMES[Place.SEAL])
            locks = seal is None or "/Lock" in seal
    except (AttributeError, KeyError, TypeError, ValueError, pikepdf.PdfError) as error:
        raise _unreadable() from error
    if not box:
        raise SigningRefused(
            "field_missing",
            f"Văn bản không có khung chữ ký {place.field_name}. Chưa có gì được ký. Hãy chuẩn bị lại tệp.",
        )
    if place.field_name in filled:
        raise SigningRefused("already_signed", "Khung này đã có chữ ký. Văn bản vẫn còn nguyên.")
    if place.place is Place.LEADER and filled:
        raise SigningRefused(
            "already_signed", "Người có thẩm quyền phải ký đầu tiên, nhưng tệp đã có chữ ký. Tệp vẫn còn nguyên."
        )
    if forbidden:
        raise SigningRefused(
            "forbidden_by_document", "Chữ ký trước không cho phép thêm chữ ký nào nữa. Tệp vẫn còn nguyên."
        )
    return abs(box[2] - box[0]), abs(box[3] - box[1]), place.place is Place.LEADER and locks


def _unreadable() -> SigningRefused:
    return SigningRefused(
        "unreadable_pdf", "Tệp không phải PDF hoặc đã hỏng. Chưa có gì được ký. Hãy xuất lại tệp PDF."
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
        case Place.ANNEX:
            return looks.annex("Phụ lục")
        case Place.REPORT:
            return looks.seal(key.organization or key.subject)


def _write_signature(file: BinaryIO, place: Place, key: SigningKey, ready: _Ready, reason: str | None) -> None:
    """Append the signature as one revision, with room for its timestamp.

    What pyHanko's `PdfSigner` would look at before was looked at by `_require_empty_field`: it reads all earlier
    signatures for that, digit by digit.
    """
    writer = IncrementalPdfFileWriter.from_reader(_regular(file))
    steps = PdfCMSEmbedder().write_cms(FIELD_NAMES[place], writer, existing_fields_only=True)
    field = next(steps).get_object()
    signer = PdfSigner(PdfSignatureMetadata(subfilter=SigSeedSubFilter.PADES), key.signer)
    signer.register_extensions(writer, md_algorithm=key.digest)
    with TemporaryDirectory(prefix="hoso-stamp-") as folder:
        page = Path(folder) / "stamp.pdf"
        page.write_bytes(ready.drawn)  # read when the appearance is written, so kept until then
        setup = SigObjSetup(
            sig_placeholder=SignatureObject(
                timestamp=ready.claimed,
                subfilter=SigSeedSubFilter.PADES,
                name=key.subject,
                reason=reason,
                bytes_reserved=room.for_signature((key.certificate_der, *key.chain_der)),
            ),
            mdp_setup=_forbidding(field, key.digest, certifies=ready.certifies),
            appearance_setup=SigAppearanceSetup(_stamp_style(page), ready.claimed, key.subject),
        )
        steps.send(setup)
        prepared, _ = steps.send(SigIOSetup(md_algorithm=key.digest, in_place=True, chunk_size=CHUNK))
    steps.send(asyncio.run(key.signer.async_sign(prepared.document_digest, key.digest, use_pades=True)))


def _regular(file: BinaryIO) -> PdfFileReader:
    """A reader of the file, where it can be added to."""
    try:
        reader = PdfFileReader(file)
        hybrid = reader.xrefs.hybrid_xrefs_present
    except Exception as error:  # the parser raises whatever a broken file provokes
        raise _unreadable() from error
    if hybrid:
        raise SigningRefused("unreadable_pdf", "Tệp PDF có bảng tham chiếu kép. Hãy chuẩn bị lại tệp để ký.")
    return reader


def _forbidding(field: DictionaryObject, digest: str, *, certifies: bool) -> SigMDPSetup:
    """What the signature forbids to change: what it certifies, or what its field locks."""
    if certifies:
        return SigMDPSetup(digest, certify=True, docmdp_perms=MDPPerm.FILL_FORMS)
    if "/Lock" not in field:
        return SigMDPSetup(digest)
    lock = field["/Lock"]
    forbids = MDPPerm(lock["/P"]) if "/P" in lock else None
    return SigMDPSetup(digest, field_lock=FieldMDPSpec.from_pdf_object(lock), docmdp_perms=forbids)


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
