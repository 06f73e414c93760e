"""The folder of signing keys: PKCS#12 files with their passphrases beside them, opened by the signing worker alone."""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.x509 import load_der_x509_certificate
from cryptography.x509.oid import NameOID

from dossiers.types import CertificateRecord
from signing import keys

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

    from signing.keys import SigningKey

_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class KeyFolder:
    """`dossiers.signatures.Keys` over a folder of mode 0700."""

    folder: Path

    def open(self, record: CertificateRecord) -> SigningKey:
        """The key of this certificate.

        Raises:
            SigningRefused: The file or its passphrase can't be used.
        """
        file = self.folder / record.key_file
        return keys.open_pkcs12(file, keys.read_passphrase_file(_passphrase_file(file)))

    def picture(self, record: CertificateRecord) -> bytes | None:
        """The owner's signature or seal as drawn, if one was given."""
        file = _picture_file(self.folder / record.key_file)
        return file.read_bytes() if file.exists() else None

    def take_in(
        self, p12: Path, passphrase: bytes, *, agency: str, owner: str, picture: bytes | None = None
    ) -> tuple[CertificateRecord, SigningKey]:
        """Copy a key into the folder, durably and for its owner only, and describe its certificate.

        Args:
            owner: Username, or "" for the agency's seal.
            picture: PNG or SVG, transparent: the handwritten signature in blue, or the seal in red at real size.

        Raises:
            SigningRefused: The key can't be opened with this passphrase, or is too weak.
        """
        key = keys.open_pkcs12(p12, passphrase)
        certificate = load_der_x509_certificate(key.certificate_der)
        sha256 = hashlib.sha256(key.certificate_der).hexdigest()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.folder / f"{sha256[:32]}.p12"
        _write(file, p12.read_bytes())
        _write(_passphrase_file(file), passphrase)
        if picture is not None:
            _write(_picture_file(file), picture)
        record = CertificateRecord(
            id=uuid.uuid5(uuid.NAMESPACE_OID, f"{agency}/{owner}/{sha256}"),
            agency=agency,
            owner=owner,
            subject=key.subject,
            issuer=_common_name(certificate.issuer),
            serial=f"{certificate.serial_number:x}",
            sha256=sha256,
            valid_from=key.valid_from,
            valid_to=key.valid_to,
            key_file=file.name,
        )
        return record, key


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _passphrase_file(file: Path) -> Path:
    return file.with_name(file.name + ".pass")


def _picture_file(file: Path) -> Path:
    return file.with_name(file.name + ".picture")


def _write(file: Path, content: bytes) -> None:
    """Replace a file in one step; its content is on disk before its name is."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(file)
