"""The mark by which everything of a demo trust service is known, and refused where things are real.

On its own, since production has to look for it without having the demo's packages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asn1crypto import x509

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Stands in the subject or the issuer of every certificate made for a demo.
DEMO_MARK = "DEMO – KHÔNG CÓ GIÁ TRỊ PHÁP LÝ"


def is_demo_certificate(der: bytes) -> bool:
    """Tell whether a certificate comes from a demo trust service, which production must refuse."""
    certificate = x509.Certificate.load(der)
    return any(DEMO_MARK in str(part) for name in (certificate.subject, certificate.issuer) for part in _values(name))


def _values(name: x509.Name) -> Iterator[str]:
    for value in name.native.values():
        yield from value if isinstance(value, list) else [value]
