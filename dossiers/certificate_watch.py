"""The signing certificates in use, each looked over with what is at hand, so that none dies unnoticed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from dossiers.signatures import trusted
from signing.certificates import NotACertificate
from signing.examination import examine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dossiers.ports import Begin
    from dossiers.types import CertificateRecord
    from signing.examination import Examination


@dataclass(frozen=True)
class Watched:
    """A certificate in use, and what it is worth now; None when its bytes aren't there any more."""

    record: CertificateRecord
    found: Examination | None


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
