"""Is a timestamp over a hash, on its own and in no document, what it says? Asked of what is at hand, never fetched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from asn1crypto import cms
from pyhanko.sign.general import CMSExtractionError, CMSStructuralError
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from signing.certificates import read
from signing.proof import CLOCK_SKEW, common_name
from signing.timestamp import authority_of

if TYPE_CHECKING:
    from signing.trust import TrustStore


@dataclass(frozen=True)
class CheckedStamp:
    """What a timestamp is worth.

    Attributes:
        at: The moment it states; None where it can't be read.
        authority: Common name of who gave it.
        problem: Stable code, "" when it holds: "unreadable", "other_digest", "altered", "untrusted", "revoked",
            "from_the_future".
    """

    at: datetime | None
    authority: str
    problem: str


def check(token: bytes, digest: bytes, trust: TrustStore, *, now: datetime | None = None) -> CheckedStamp:
    """Judge a token (DER) over a SHA-256 digest: whether whoever gave it counted with us at the moment it states.

    A certificate that has ended since takes nothing from it: the log goes on, and its next stamp covers this one. One
    that was revoked before that moment does.
    """
    try:
        content = cms.ContentInfo.load(token, strict=True)
        said = content["content"]["encap_content_info"]["content"].parsed
        at: datetime = said["gen_time"].native
        imprint = said["message_imprint"]
        names = (imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native)
        certificate, others = authority_of(content)
    except (ValueError, TypeError, KeyError, AttributeError):
        return CheckedStamp(None, "", "unreadable")
    authority = common_name(certificate.subject)
    now = now or datetime.now(UTC)
    if names != ("sha256", digest):
        problem = "other_digest"
    elif at > now + CLOCK_SKEW:
        problem = "from_the_future"
    else:
        context = ValidationContext(
            trust_roots=[read(der) for der in trust.vouching(at, seen_from=now)],
            other_certs=[*map(read, trust.intermediates), *others],
            moment=at,
            crls=list(trust.crls),
            ocsps=list(trust.ocsps),
            revocation_mode="soft-fail",
            retroactive_revinfo=True,
            weak_hash_algos={"md2", "md5", "sha1"},
        )
        problem = _problem(content["content"], context, digest)
    return CheckedStamp(at, authority, problem)


def _problem(token: cms.SignedData, context: ValidationContext, digest: bytes) -> str:
    """What is wrong with a token's signature or signer, "" for nothing."""
    try:
        found = TimestampSignatureStatus(**asyncio.run(validate_tst_signed_data(token, context, lambda _: digest)))
    except (SignatureValidationError, CMSExtractionError, CMSStructuralError):
        return "altered"
    except (PathError, ValidationError, ValueError):
        return "untrusted"
    if not (found.intact and found.valid):
        return "altered"
    if found.revoked:
        return "revoked"
    return "" if found.trusted else "untrusted"
