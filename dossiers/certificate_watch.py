"""The signing certificates in use, each looked over with what is at hand, so that none dies unnoticed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from dossiers.signatures import trusted
from dossiers.types import Role
from signing.certificates import NotACertificate
from signing.examination import examine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dossiers.ports import Begin
    from dossiers.types import Actor, CertificateRecord
    from signing.examination import Examination


@dataclass(frozen=True)
class Watched:
    """A certificate in use, and what it is worth now; None when its bytes aren't there any more."""

    record: CertificateRecord
    found: Examination | None


#: Its owner and the administrators are told on the page they come to: time to order a new one.
TOLD_DAYS = 30
#: What can't wait.
URGENT_DAYS = 7


@dataclass(frozen=True)
class Ending:
    """A certificate in use that ends soon, or has ended, as one of those who answer for it is told.

    Attributes:
        days_left: Whole days; negative once it has ended.
        own: Whether it is the person's own, rather than the agency's seal or anybody's.
    """

    record: CertificateRecord
    days_left: int
    own: bool

    @property
    def is_urgent(self) -> bool:
        """Whether it ends within the week, or has ended."""
        return self.days_left <= URGENT_DAYS


def ending(begin: Begin, actor: Actor, *, now: datetime) -> Sequence[Ending]:
    """Certificates that this person answers for and that end within a month, the first to end first.

    One's own; its agency's seal, for a seal keeper; all of them, for an administrator.
    """
    with begin() as work:
        records = [record for record in work.certificates.all() if record.active]
    found = [
        Ending(record, (record.valid_to - now).days, record.owner == actor.username)
        for record in records
        if _answers_for(actor, record) and (record.valid_to - now).days <= TOLD_DAYS
    ]
    return sorted(found, key=lambda one: one.record.valid_to)


def _answers_for(actor: Actor, record: CertificateRecord) -> bool:
    if Role.ADMINISTRATOR in actor.roles:
        return True
    if record.owner:
        return record.owner == actor.username
    return record.agency == actor.agency and Role.SEAL_KEEPER in actor.roles


def watched(begin: Begin, *, now: datetime) -> Sequence[Watched]:
    """All certificates in use, the first to end first. Nothing is fetched: lists and answers are the timer's work."""
    with begin() as work:
        records = [record for record in work.certificates.all() if record.active]
        known = replace(trusted(work), ocsps=tuple(answer.der for answer in work.trust.kept_answers()))
        registered = {sha256(der).hexdigest(): der for der in work.trust.intermediates()}
    found = []
    for record in sorted(records, key=lambda one: one.valid_to):
        der = record.der or registered.get(record.sha256)
        try:
            found.append(Watched(record, examine(der, known, now=now) if der is not None else None))
        except NotACertificate:
            found.append(Watched(record, None))
    return found
