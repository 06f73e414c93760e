"""The keys folder: PKCS#12 files with their passphrases beside them, and the way to keys that are elsewhere.

Opened by the signing worker alone.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.x509 import load_der_x509_certificate
from cryptography.x509.oid import NameOID

from api.pin_desk import Opened, PinDesk, open_at_worker
from dossiers.types import CertificateRecord, KeyHeld, PinAsked
from signing import keys
from signing.pin import Pin
from signing.types import PinRefused, SigningRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from uuid import UUID

    from cryptography import x509

    from signing.keys import SigningKey
    from signing.locators import RemoteKey, TokenKey

_OWNER_ONLY = 0o600

_ELSEWHERE = (
    "Khóa của {subject} nằm trong thiết bị của chính người ký; máy chủ không ký thay được. Chưa có gì được ký. "
    "Hãy ký bằng thiết bị đó ở trang của văn bản."
)
_STORED_PIN = (
    "Mã PIN trong tệp đã bị token từ chối; hệ thống không thử lại để token khỏi bị khóa. Chưa có gì được ký. "
    "Hãy ghi đúng mã PIN vào tệp rồi cho ký tiếp."
)


@dataclass(frozen=True)
class KeyFolder:
    """`dossiers.signatures.Keys` over a folder of mode 0700.

    Attributes:
        pins: Keys that their owners opened with a PIN.
        _standing: Tokens that open with what lies in the folder, kept open.
    """

    folder: Path
    pins: PinDesk = field(init=False)
    _standing: dict[str, Opened] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pins", PinDesk(self.folder))

    def open(self, record: CertificateRecord, *, subject: UUID, sha256: str) -> SigningKey:
        """The key of this certificate.

        Raises:
            SigningRefused: It can't be used, or isn't within the server's reach; "pin_needed".
        """
        file = self.folder / record.key_file
        match record.held:
            case KeyHeld.FOLDER:
                return keys.open_pkcs12(file, keys.read_passphrase_file(_passphrase_file(file)))
            case KeyHeld.PKCS11 | KeyHeld.REMOTE if record.pin_asked is not PinAsked.NEVER:
                return self.pins.key(record, subject, sha256)
            case KeyHeld.PKCS11:
                return self._standing_key(record, file)
            case KeyHeld.REMOTE:
                return open_at_worker(self.folder, record, None, 1).key(record.der)
            case KeyHeld.OWN_TOKEN:
                raise SigningRefused("held_elsewhere", _ELSEWHERE.format(subject=record.subject))

    def done(self, subject: UUID) -> None:
        """Whatever its owner opened for this is needed no more."""
        self.pins.done(subject)

    def close(self) -> None:
        """Log out of every token."""
        self.pins.close()
        while self._standing:
            self._standing.popitem()[1].close()

    def _standing_key(self, record: CertificateRecord, file: Path) -> SigningKey:
        """A token that opens with the PIN in the folder.

        A PIN that was refused isn't presented again, by this worker or the next, until its file is another one: jobs
        come back, and three wrong ones lock the token.
        """
        if record.sha256 not in self._standing:
            kept = _passphrase_file(file)
            pin = Pin(keys.read_passphrase_file(kept))
            refused = kept.with_name(kept.name + ".refused")
            age = f"{kept.stat().st_mtime_ns}".encode()
            if refused.exists() and refused.read_bytes() == age:
                raise PinRefused("pin_wrong", _STORED_PIN)
            try:
                self._standing[record.sha256] = open_at_worker(self.folder, record, pin, 1)
            except PinRefused:
                pin.wipe()
                _write(refused, age)
                raise
            refused.unlink(missing_ok=True)
        return self._standing[record.sha256].key(record.der)

    def picture(self, record: CertificateRecord) -> bytes | None:
        """The owner's signature or seal as drawn, if one was given."""
        file = _picture_file(self.folder / record.key_file)
        return file.read_bytes() if file.exists() else None

    @contextmanager
    def take_in(
        self, p12: Path, passphrase: bytes, *, agency: str, owner: str, picture: bytes | None = None
    ) -> Iterator[tuple[CertificateRecord, SigningKey]]:
        """Copy a key into the folder, durably and for its owner only, and describe its certificate.

        The caller records it meanwhile; where that fails, the folder is as it was.

        Args:
            owner: Username, or "" for the agency's seal.
            picture: PNG or SVG, transparent: the handwritten signature in blue, or the seal in red at real size.

        Raises:
            SigningRefused: The key can't be opened with this passphrase, or is too weak.
        """
        key = keys.open_pkcs12(p12, passphrase)
        record = _record(key.certificate_der, agency=agency, owner=owner, ending="p12")
        with self._kept(record, p12.read_bytes(), passphrase, picture):
            yield record, key

    @contextmanager
    def take_note(
        self,
        certificate_der: bytes,
        *,
        agency: str,
        owner: str,
        held: KeyHeld,
        at: TokenKey | RemoteKey | None = None,
        pin_asked: PinAsked = PinAsked.NEVER,
        opens: bytes | None = None,
        picture: bytes | None = None,
    ) -> Iterator[CertificateRecord]:
        """Describe a certificate whose key is elsewhere; otherwise as `take_in`.

        Args:
            at: Where a token's or a service's key is found; None for an official's own token.
            opens: What opens it without anybody typing: the token's PIN, the service's access token.

        Raises:
            SigningRefused: Its public key is too weak.
        """
        keys.require_strong(certificate_der)
        record = _record(
            certificate_der,
            agency=agency,
            owner=owner,
            ending="cer",
            held=held,
            locator=str(at) if at else "",
            pin_asked=pin_asked,
        )
        with self._kept(record, certificate_der, opens, picture):
            yield record

    @contextmanager
    def _kept(
        self, record: CertificateRecord, content: bytes, opens: bytes | None, picture: bytes | None
    ) -> Iterator[None]:
        """Files of a record in their place; put back as they were where the caller fails."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.folder / record.key_file
        wanted = {file: content, _passphrase_file(file): opens, _picture_file(file): picture}
        given = {name: made for name, made in wanted.items() if made is not None}
        before = {name: name.read_bytes() if name.exists() else None for name in given}
        try:
            _put(given)
            yield
        except BaseException:
            _put(before)
            raise


def _record(certificate_der: bytes, *, agency: str, owner: str, ending: str, **held: object) -> CertificateRecord:
    certificate = load_der_x509_certificate(certificate_der)
    sha256 = hashlib.sha256(certificate_der).hexdigest()
    return CertificateRecord(
        id=uuid.uuid5(uuid.NAMESPACE_OID, f"{agency}/{owner}/{sha256}"),
        agency=agency,
        owner=owner,
        subject=keys.subject_of(certificate_der),
        issuer=_common_name(certificate.issuer),
        serial=f"{certificate.serial_number:x}",
        sha256=sha256,
        valid_from=certificate.not_valid_before_utc,
        valid_to=certificate.not_valid_after_utc,
        key_file=f"{sha256[:32]}.{ending}",
        der=certificate_der,
        **held,  # type: ignore[arg-type]
    )


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _passphrase_file(file: Path) -> Path:
    return file.with_name(file.name + ".pass")


def _picture_file(file: Path) -> Path:
    return file.with_name(file.name + ".picture")


def _put(contents: Mapping[Path, bytes | None]) -> None:
    for file, content in contents.items():
        if content is None:
            file.unlink(missing_ok=True)
        else:
            _write(file, content)


def _write(file: Path, content: bytes) -> None:
    """Replace a file in one step; its content is on disk before its name is."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(file)
