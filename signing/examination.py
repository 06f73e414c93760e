"""All there is to say about a certificate before its key is touched: for the queue page, the doctor, the administrator.

It refuses what signing would refuse, by the same function; what it adds are the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from asn1crypto import x509

from signing.certificates import Facts, facts, name_of
from signing.trust import signer_standing
from signing.types import SigningRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from signing.trust import Standing, TrustStore
    from signing.types import StoreName

#: Days before its end at which a certificate is warned of.
WARN_DAYS = (1, 7, 14, 30, 60)


class Status(StrEnum):
    """Whether a certificate was taken out of force, as far as anybody tells."""

    GOOD = "good"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Who tells the status."""

    RESPONDER = "ocsp"
    LIST = "crl"
    NOBODY = ""


@dataclass(frozen=True)
class Examination:
    """What a certificate is worth for signing at a moment.

    Attributes:
        facts: What it says of itself.
        refusal: Code of why it can't be used (as `SigningRefused.reason`), or "".
        why: The refusal in Vietnamese, or "".
        chain: Names from the anchor to the certificate; () when nobody vouches for it.
        store: Whose anchor vouches.
        source, source_made: Who tells the status, and when they said so.
        usage, extended_usage: RFC 5280's words.
        days_left: Whole days until it ends; below zero: since.
    """

    facts: Facts
    refusal: str
    why: str
    chain: tuple[str, ...]
    store: StoreName | None
    status: Status
    source: Source
    source_made: datetime | None
    usage: tuple[str, ...]
    extended_usage: tuple[str, ...]
    days_left: int

    @property
    def usable(self) -> bool:
        """Whether a key with it may sign: nothing speaks against it, and its status is known."""
        return not self.refusal and self.status is Status.GOOD

    @property
    def warns(self) -> int | None:
        """The last warning reached, in days before the end; None while the end is far."""
        return warning_of(self.days_left)


def warning_of(days_left: int) -> int | None:
    """The warning reached with so many days left, of `WARN_DAYS`; None while there are more."""
    return next((days for days in WARN_DAYS if days_left <= days), None)


def examine(
    certificate: bytes,
    trust: TrustStore,
    *,
    now: datetime,
    chain: Sequence[bytes] = (),
    fetch: bool = False,
    timeout: float = 5.0,
) -> Examination:
    """Look a signing certificate (DER) over.

    Args:
        trust: With the lists and answers at hand.
        now: The moment; with `fetch` it has to be the present one.
        chain: What came along with the key.
        fetch: Ask its responder, too.
        timeout: Seconds for each exchange.

    Raises:
        signing.certificates.NotACertificate: It isn't one.
    """
    known = facts(certificate)
    held = x509.Certificate.load(certificate)
    usage, extended = held.key_usage_value, held.extended_key_usage_value
    standing: Standing | None = None
    refusal = why = ""
    status = Status.UNKNOWN
    try:
        standing = signer_standing(
            certificate, trust, chain=chain, at=None if fetch else now, fetch=fetch, timeout=timeout
        )
    except SigningRefused as refused:
        refusal, why = refused.reason, str(refused)
        status = {"certificate_revoked": Status.REVOKED, "certificate_suspended": Status.SUSPENDED}.get(
            refusal, Status.UNKNOWN
        )
    source, made = _told(standing)
    if standing is not None and standing.known:
        status = Status.GOOD
    path = [] if standing is None else list(standing.path.iter_certs(include_root=True))
    return Examination(
        facts=known,
        refusal=refusal,
        why=why,
        chain=tuple(name_of(one.subject) for one in path),
        store=trust.store_of(path[0].dump()) if path else None,
        status=status,
        source=source,
        source_made=made,
        usage=tuple(sorted(usage.native)) if usage is not None else (),
        extended_usage=tuple(extended.native) if extended is not None else (),
        days_left=(known.valid_to - now).days,
    )


def _told(standing: Standing | None) -> tuple[Source, datetime | None]:
    """Who tells the status of the certificate itself."""
    if standing is None or not standing.sources:
        return Source.NOBODY, None
    own = standing.sources[-1]
    if own.answer is not None:
        return Source.RESPONDER, own.answer.made
    if own.all_lists:
        return Source.LIST, max(one.made for one in own.all_lists)
    return Source.NOBODY, None
