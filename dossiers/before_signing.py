"""What is known of a signer's certificate before anybody types a PIN: may it sign, does anybody say so, how long yet.

Told from the office's own records; nothing is fetched. The signing worker asks the authorities again when it signs,
and refuses what they refuse, or what nobody vouches for.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dossiers.signatures import trusted
from dossiers.types import KeyHeld, NotFound, PinAsked
from signing.trust import signer_standing
from signing.types import SigningRefused

if TYPE_CHECKING:
    from datetime import datetime

    from dossiers.ports import UnitOfWork
    from dossiers.types import CertificateRecord


@dataclass(frozen=True)
class BeforeSigning:
    """How a leader stands before signing.

    Attributes:
        record: The active certificate; None without one.
        refusal: Why nothing can be signed with it, as a stable code; "" if nothing is in the way.
        is_known: Whether a list in force speaks for it. If not, that is said; the worker asks again when it signs.
        days_left: Whole days until it ends; 0 on the last.
    """

    record: CertificateRecord | None
    refusal: str
    is_known: bool
    days_left: int

    @property
    def asks_pin(self) -> bool:
        """Whether the owner types a PIN or one-time code here."""
        return (
            self.record is not None
            and self.record.held in (KeyHeld.PKCS11, KeyHeld.REMOTE)
            and self.record.pin_asked is not PinAsked.NEVER
        )

    @property
    def one_at_a_time(self) -> bool:
        """Whether the device wants its PIN for every signature."""
        return self.record is not None and self.record.pin_asked is PinAsked.SIGNATURE


def before_signing(work: UnitOfWork, username: str, agency: str, *, now: datetime) -> BeforeSigning:
    """Look at the certificate that this leader would sign with for this agency: dates, path, revocation, usage, whose.

    Args:
        now: For the days left; the standing is judged by the clock.
    """
    try:
        record = work.certificates.for_person(username)
    except NotFound:
        return BeforeSigning(None, "certificate_missing", is_known=False, days_left=0)
    days = max(0, (record.valid_to - now).days)
    if record.agency != agency or not _is_theirs(record, work.accounts.of(username).name):
        return BeforeSigning(record, "wrong_certificate", is_known=False, days_left=days)
    if not record.der:  # of before certificates were kept; the worker judges it
        return BeforeSigning(record, "", is_known=False, days_left=days)
    try:
        standing = signer_standing(record.der, trusted(work), fetch=False)
    except SigningRefused as refused:
        return BeforeSigning(record, refused.reason, is_known=False, days_left=days)
    return BeforeSigning(record, "", is_known=standing.known, days_left=days)


def _is_theirs(record: CertificateRecord, name: str) -> bool:
    return _plain(record.subject) == _plain(name)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
