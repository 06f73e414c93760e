"""What a certificate says of itself: whose it is, who issued it, until when, how strong its key is."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asn1crypto import pem, x509

if TYPE_CHECKING:
    from datetime import datetime

#: TT 15/2025/TT-BKHCN, as collected in requirements.md 3.2.
LEAST_RSA_BITS = 2048
LEAST_CURVE_BITS = 256
#: The largest file that may hold one certificate.
MOST_BYTES = 64 * 1024
_SHA256_HEX = 64
_GROUP = 4


class NotACertificate(ValueError):
    """The file isn't one certificate, PEM or DER. The message is for a person."""


@dataclass(frozen=True)
class Facts:
    """A certificate in words.

    Attributes:
        subject, issuer: Common name, else the organisation's.
        organization: Of the subject, or "".
        serial: Upper-case hex.
        sha256: Lower-case hex of the DER.
        is_authority: Whether it may issue others (basic constraints).
        self_issued: Subject and issuer are one, as with roots.
        key: For example "RSA 2048" or "EC 256".
        weak: The key is shorter than what the rules ask for.
    """

    subject: str
    issuer: str
    organization: str
    serial: str
    sha256: str
    valid_from: datetime
    valid_to: datetime
    is_authority: bool
    self_issued: bool
    key: str
    weak: bool


#: Read certificates, by thread: what asn1crypto reads of them lazily isn't safe to share between threads.
_here = threading.local()
_MOST_KEPT = 256


def read(der: bytes) -> x509.Certificate:
    """A certificate of our own registers (DER), with all that was found out about it before on this thread."""
    known: OrderedDict[bytes, x509.Certificate] | None = getattr(_here, "known", None)
    if known is None:
        known = _here.known = OrderedDict()
    found = known.get(der)
    if found is None:
        found = known[der] = x509.Certificate.load(der)
        if len(known) > _MOST_KEPT:
            known.popitem(last=False)
    return found


def facts(der: bytes) -> Facts:
    """Read a certificate (DER).

    Raises:
        NotACertificate: It isn't one.
    """
    try:
        certificate = x509.Certificate.load(der, strict=True)
        constraints = certificate.basic_constraints_value
        key = certificate.public_key
        least = LEAST_CURVE_BITS if key.algorithm == "ec" else LEAST_RSA_BITS
        return Facts(
            subject=name_of(certificate.subject),
            issuer=name_of(certificate.issuer),
            organization=_first(certificate.subject.native.get("organization_name")),
            serial=f"{certificate.serial_number:X}",
            sha256=hashlib.sha256(der).hexdigest(),
            valid_from=certificate.not_valid_before,
            valid_to=certificate.not_valid_after,
            is_authority=bool(constraints is not None and constraints["ca"].native),
            self_issued=certificate.subject == certificate.issuer,
            key=f"{key.algorithm.upper()} {key.bit_size}",
            weak=key.bit_size < least,
        )
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, RecursionError) as error:
        raise NotACertificate("không phải chứng thư X.509") from error


def read_one(content: bytes, *, name: str) -> bytes:
    """The one certificate of a file, PEM or DER, as DER.

    Args:
        name: Of the file, for the message.

    Raises:
        NotACertificate: The message says which file and why, in Vietnamese.
    """
    if len(content) > MOST_BYTES:
        raise NotACertificate(f"{name} quá lớn: một chứng thư chỉ vài kB")
    try:
        if pem.detect(content):
            ders = [der for kind, _, der in pem.unarmor(content, multiple=True) if kind == "CERTIFICATE"]
        else:
            ders = [content]
    except (ValueError, TypeError) as error:
        raise NotACertificate(f"{name} là tệp PEM bị hỏng") from error
    if not ders:
        raise NotACertificate(f"{name} không chứa chứng thư nào (cần tệp .cer, .crt hoặc .pem)")
    if len(ders) > 1:
        raise NotACertificate(f"{name} chứa {len(ders)} chứng thư; mỗi lần chỉ thêm một, để đối chiếu từng dấu vân tay")
    try:
        facts(ders[0])
    except NotACertificate as error:
        raise NotACertificate(f"{name} không phải chứng thư X.509 (cần tệp .cer, .crt hoặc .pem)") from error
    return bytes(ders[0])


def name_of(name: x509.Name) -> str:
    """The name to tell people: common name, else organisation, else all of it."""
    parts = name.native
    return _first(parts.get("common_name")) or _first(parts.get("organization_name")) or str(name.human_friendly)


def grouped(sha256: str) -> str:
    """A fingerprint as people compare it: upper-case, in groups of four."""
    digits = sha256.upper()
    return " ".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))


def typed_fingerprint(text: str) -> str:
    """A fingerprint as typed or pasted, whatever stands between its digits, as lower-case hex; "" if it is none."""
    digits = "".join(letter for letter in text if not letter.isspace() and letter not in ":-.").lower()
    digits = digits.removeprefix("sha256=").removeprefix("sha256")
    return digits if len(digits) == _SHA256_HEX and set(digits) <= set("0123456789abcdef") else ""


def _first(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return str(value or "")
