"""Digest out, signature in: sign with a key that only its owner's device reaches, in two goes.

`prepare` makes the document as it will be signed, with an empty signature in it, and says what the device is to sign.
Minutes later, in whatever process, `finish` puts the device's answer in, after checking that it is the certificate's
signature over exactly that. What is between the two is a file and one line of text; the key is needed for neither.

Source: interrupted signing, ETSI EN 319 142-1 (PAdES) over RFC 5652, 5.4: signed are the signed attributes, in DER.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from asn1crypto import algos, cms
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pyhanko.pdf_utils.reader import PdfFileReader

from signing.envelope import EnvelopeSigner
from signing.keys import key_of, require_strong
from signing.mechanisms import DIGEST, longest, mechanism_for, must_be_signed_by
from signing.sign import sign
from signing.types import SigningRefused

if TYPE_CHECKING:
    from pathlib import Path

    from signing.appearance import Appearance
    from signing.keys import PublicKey
    from signing.trust import TrustStore
    from signing.types import SignaturePlace

_OTHER_FILE = "Tệp chờ ký không còn như lúc chuẩn bị. Chưa có gì được ký. Hãy ký lại từ đầu ở trang của văn bản."
_NO_SIGNATURE = "Thiết bị ký trả về không phải một chữ ký. Chưa có gì được ghi nhận. Hãy ký lại."


@dataclass(frozen=True)
class Prepared:
    """What has to be signed, and what is needed to finish; nothing in it is secret.

    Attributes:
        data: To be signed: the signed attributes in DER. Devices that hash by themselves are given this.
        algorithm: "rsassa_pss" (salt as long as the digest), "sha256_rsa" (PKCS#1 v1.5) or "sha256_ecdsa".
        certificate_der: Whose signature it is to be.
        file_sha256: Of the prepared file, lower-case hex.
        signed_at: The moment that the signature claims and the visible block shows.
    """

    data: bytes
    algorithm: str
    certificate_der: bytes
    file_sha256: str
    signed_at: datetime

    @property
    def digest(self) -> bytes:
        """SHA-256 of `data`, for devices that sign what was hashed before."""
        return hashlib.sha256(self.data).digest()

    def as_text(self) -> str:
        """One line, to be kept until the signature comes."""
        return json.dumps(
            {
                "data": base64.b64encode(self.data).decode(),
                "algorithm": self.algorithm,
                "certificate": base64.b64encode(self.certificate_der).decode(),
                "file": self.file_sha256,
                "at": self.signed_at.isoformat(),
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Prepared:
        """Read what `as_text` wrote."""
        kept: dict[str, str] = json.loads(text)
        return cls(
            data=base64.b64decode(kept["data"]),
            algorithm=kept["algorithm"],
            certificate_der=base64.b64decode(kept["certificate"]),
            file_sha256=kept["file"],
            signed_at=datetime.fromisoformat(kept["at"]),
        )


def prepare(
    source: Path,
    waiting: Path,
    *,
    place: SignaturePlace,
    certificate_der: bytes,
    trust: TrustStore,
    chain: tuple[bytes, ...] = (),
    appearance: Appearance | None = None,
    reason: str | None = None,
    prefer_pss: bool = True,
    ask: bool = True,
    at: datetime | None = None,
) -> Prepared:
    """Write the document as it will be signed to `waiting`, and say what is to be signed.

    Everything that can be refused is refused here, as for a key of our own: dates, path, revocation, key usage.

    Args:
        source: A PDF with the empty field, see `signing.prepare.add_fields`.
        waiting: Kept until `finish`; its signature is empty, and no verifier takes it for one.
        certificate_der: The owner's registered certificate. chain: issuing authorities to go along.
        prefer_pss: For RSA; False for devices that only know PKCS#1 v1.5.
        ask: False where nobody may be asked now: what our own lists say decides, and what they don't tell is no
            hindrance; it is the caller's to say.
        place, trust, appearance, reason, at: As `signing.sign.sign`.

    Raises:
        SigningRefused: With its reason.
        TrustServiceUnavailable: A needed list couldn't be fetched.
        OSError: The disk refused.
    """
    blank = _Blank(certificate_der, chain, prefer_pss=prefer_pss)
    made = sign(
        source,
        waiting,
        place=place,
        key=key_of(blank, certificate_der, chain),
        trust=trust,
        timestamper=None,
        appearance=appearance,
        reason=reason,
        allow_unknown_status=not ask,
        ask=ask,
        at=at,
    )
    return Prepared(
        data=blank.data,
        algorithm=blank.mechanism["algorithm"].native,
        certificate_der=certificate_der,
        file_sha256=_sha256(waiting),
        signed_at=made.signed_at,
    )


def finish(waiting: Path, prepared: Prepared, signature: bytes, target: Path) -> None:
    """Put the device's signature into the document it was asked for: `target` is written whole or not at all.

    The result is B-B, as a signature of our own before its timestamp. Said again with the same signature, the same
    file is made.

    Args:
        waiting: As `prepare` left it.
        signature: Raw, as the device gives it; ECDSA in DER or as r and s side by side.

    Raises:
        SigningRefused: "wrong_certificate": another key signed, or signed something else; "document_changed": the
            waiting file isn't the one that was prepared. Nothing was written.
        OSError: The disk refused.
    """
    public = require_strong(prepared.certificate_der)
    if _sha256(waiting) != prepared.file_sha256:
        raise SigningRefused("document_changed", _OTHER_FILE)
    signature = _in_der(public, signature)
    must_be_signed_by(public, signature, prepared.data, _mechanism(public, prepared.algorithm))
    start, room, signed = _filled(waiting, prepared, signature)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(waiting, partial)
        with partial.open("rb+") as file:
            file.seek(start)
            file.write(signed.hex().upper().encode().ljust(room, b"0"))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _filled(waiting: Path, prepared: Prepared, signature: bytes) -> tuple[int, int, bytes]:
    """Where the signature goes, hex digits of room there, and the CMS object with it in."""
    with waiting.open("rb") as file:
        blank = PdfFileReader(file).embedded_regular_signatures[-1]
        content = cms.ContentInfo.load(blank.pkcs7_content)
        _, first, second, _ = (int(number) for number in blank.byte_range)
    (signer,) = content["content"]["signer_infos"]
    if signer["signed_attrs"].untag().dump() != prepared.data or any(signer["signature"].native):
        raise SigningRefused("document_changed", _OTHER_FILE)
    signer["signature"] = signature
    signed = content.dump(force=True)
    room = second - first - 2  # "<" and ">" aren't signed either
    if 2 * len(signed) > room:
        raise SigningRefused("wrong_certificate", _NO_SIGNATURE)
    return first + 1, room, signed


def _in_der(public: PublicKey, signature: bytes) -> bytes:
    """ECDSA as PDF has it: smart cards and browsers give r and s side by side."""
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return signature
    size = (public.key_size + 7) // 8
    if len(signature) != 2 * size:
        return signature
    return encode_dss_signature(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))


def _mechanism(public: PublicKey, algorithm: str) -> algos.SignedDigestAlgorithm:
    return mechanism_for(public, prefer_pss=algorithm == "rsassa_pss")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Blank(EnvelopeSigner):
    """Signs with nothing, and remembers what should have been signed."""

    def __init__(self, certificate_der: bytes, chain: tuple[bytes, ...], *, prefer_pss: bool) -> None:
        self._public = require_strong(certificate_der)
        self.mechanism: Any = mechanism_for(self._public, prefer_pss=prefer_pss)
        self.data = b""
        super().__init__(certificate_der, chain, prefer_pss=prefer_pss, mechanism=self.mechanism)

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: FBT001, FBT002 - pyHanko's signature
        if digest_algorithm != DIGEST:
            raise ValueError(digest_algorithm)
        if not dry_run:
            self.data = data
        return bytes(longest(self._public))
