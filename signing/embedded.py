"""The signatures of a file that is one of ours: where they lie and what they hold.

For completing and renewing what we made ourselves, or what was examined when it came back; nothing is judged here, that
is `signing.verify`'s business. The file is parsed by qpdf, since pyHanko's reader decodes /Contents digit by digit: a
fifth of what a signature cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

import pikepdf
from asn1crypto import cms
from pikepdf import Dictionary, Name
from pyhanko.sign.general import extract_signer_info

from signing.envelope import signer_of
from signing.prepare import signature_fields

if TYPE_CHECKING:
    from asn1crypto import x509

_EDGES = 4


@dataclass(frozen=True)
class Embedded:
    """A signature or document timestamp.

    Attributes:
        field_name: Its field.
        byte_range: Offset and length, twice: what it covers.
        content: The CMS as it lies there, DER with what fills its room up.
    """

    field_name: str
    byte_range: tuple[int, int, int, int]
    content: bytes

    @property
    def end(self) -> int:
        """Where the revision it was added by ends."""
        return self.byte_range[2] + self.byte_range[3]

    @cached_property
    def signer_info(self) -> cms.SignerInfo:
        """The one signer's part of the CMS."""
        return extract_signer_info(cms.ContentInfo.load(self.content)["content"])

    @cached_property
    def _certificates(self) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
        return signer_of(cms.ContentInfo.load(self.content)["content"])

    @property
    def signer_cert(self) -> x509.Certificate:
        """Whose signature it says it is."""
        return self._certificates[0]

    @property
    def other_certs(self) -> tuple[x509.Certificate, ...]:
        """What else it brings along."""
        return self._certificates[1]

    @property
    def md_algorithm(self) -> str:
        """The digest over what it covers, for instance "sha256"."""
        return str(self.signer_info["digest_algorithm"]["algorithm"].native)


@dataclass(frozen=True)
class Signatures:
    """All of a file's, oldest first.

    Attributes:
        signed: Signatures of people and agencies.
        stamps: Document timestamps.
        answers: OCSP responses in its document security store, DER.
    """

    signed: tuple[Embedded, ...]
    stamps: tuple[Embedded, ...]
    answers: tuple[bytes, ...]


def read(file: BinaryIO) -> Signatures:
    """Read the signatures of a file; it stays open.

    Raises:
        ValueError, pikepdf.PdfError: Its structure is none that we or a tool would write.
    """
    file.seek(0)
    signed: list[Embedded] = []
    stamps: list[Embedded] = []
    with pikepdf.open(file, access_mode=pikepdf.AccessMode.stream) as pdf:
        for field in signature_fields(pdf):
            value = field.get("/V")
            if not isinstance(value, Dictionary):
                continue
            edges = [int(edge) for edge in value.ByteRange]
            if len(edges) != _EDGES:
                raise ValueError("a signature that covers other than two stretches")
            one = Embedded(str(field.get("/T", "")), (edges[0], edges[1], edges[2], edges[3]), bytes(value.Contents))
            is_stamp = value.get("/Type") == Name.DocTimeStamp or value.get("/SubFilter") == Name("/ETSI.RFC3161")
            (stamps if is_stamp else signed).append(one)
        answers = _answers(pdf)
    return Signatures(_by_age(signed), _by_age(stamps), answers)


def _by_age(found: list[Embedded]) -> tuple[Embedded, ...]:
    return tuple(sorted(found, key=lambda one: one.end))


def _answers(pdf: pikepdf.Pdf) -> tuple[bytes, ...]:
    """None where there is no store, or a damaged one: no evidence."""
    try:
        return tuple(answer.read_bytes() for answer in pdf.Root.DSS.get("/OCSPs", []))
    except (AttributeError, KeyError, TypeError, ValueError, pikepdf.PdfError):
        return ()
