"""Results are kept for decades: the evidence in them is renewed before it ends, by a timer, without any key.

What was handed out before stays ours: every document a result was given out as is noted for ever, and the register
answers for each of them. The renewed one begins with all the bytes of the old one and is what is handed out from then.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dossiers.signatures import trusted
from dossiers.types import Actor
from signing import renew
from signing.timestamp import Timestamper
from signing.types import SigningRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dossiers.ports import Begin, ObjectStore
    from dossiers.types import EResult
    from signing.trust import TrustStore

#: How long before its end evidence is renewed: time enough to notice that nobody does, and to mend it.
AHEAD = timedelta(days=90)
#: At most so many in one go, each with a timestamp; the next go takes the next ones.
AT_A_TIME = 200


@dataclass(frozen=True)
class RenewalDesk:
    """What renewing works with.

    Attributes:
        tsa_urls: Timestamp authorities, the preferred first.
        work_dir: For files in transit.
        hosts: Where hosts that certificates name are really reached.
        headers: Sent to the timestamp authority.
    """

    begin: Begin
    store: ObjectStore
    tsa_urls: tuple[str, ...]
    work_dir: Path
    hosts: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What one go did: documents weighed for the first time, renewed, and not renewed though it is time."""

    weighed: int = 0
    renewed: int = 0
    failed: int = 0


def renew_due(desk: RenewalDesk, *, now: datetime, at: datetime | None = None, limit: int = AT_A_TIME) -> Done:
    """Note how long the evidence of new documents lasts, and renew what ends within `AHEAD`.

    May run twice or be killed at any moment: a renewed document that wasn't recorded is made again.

    Args:
        at: As `signing.renew.renew`, for tests and for nothing else.

    Raises:
        TrustServiceUnavailable: Nobody tells the time now; the next go tries again.
    """
    with desk.begin() as work:
        known = replace(trusted(work), hosts=desk.hosts)
        unweighed = work.e_results.unweighed(limit)
    weighed = sum(_weigh(desk, one, known, at) for one in unweighed)
    with desk.begin() as work:
        due = work.e_results.ageing(now + AHEAD, limit)
    renewed = sum(_renew(desk, one, known, at) for one in due) if desk.tsa_urls else 0
    return Done(weighed, renewed, len(due) - renewed)


def _weigh(desk: RenewalDesk, e_result: EResult, known: TrustStore, at: datetime | None) -> bool:
    document = e_result.document
    if document is None:
        return False
    with tempfile.TemporaryDirectory(dir=desk.work_dir) as folder:
        file = Path(folder, "document.pdf")
        desk.store.fetch(document, file)
        try:
            lasts = renew.evidence_of(file, known, at=at)
        except SigningRefused as refused:
            _tell(desk, e_result, refused.reason)
            return False
    with desk.begin() as work:
        work.e_results.keep_evidence(e_result.id, document, lasts.ends)
    return True


def _renew(desk: RenewalDesk, e_result: EResult, known: TrustStore, at: datetime | None) -> bool:
    document = e_result.document
    if document is None:
        return False
    with tempfile.TemporaryDirectory(dir=desk.work_dir) as folder:
        old, new = Path(folder, "old.pdf"), Path(folder, "new.pdf")
        desk.store.fetch(document, old)
        timestamper = Timestamper(desk.tsa_urls, headers=desk.headers, hosts=desk.hosts)
        try:
            lasts = renew.renew(old, new, trust=known, timestamper=timestamper, at=at)
        except SigningRefused as refused:
            _tell(desk, e_result, refused.reason)
            return False
        renewed = desk.store.put(new, media_type="application/pdf")
    with desk.begin() as work:
        now = work.e_results.for_job(e_result.id)
        if now.document == document:
            work.e_results.keep_evidence(now.id, renewed, lasts.ends)
            work.e_results.keep(replace(now, document=renewed))
            work.audit.append(
                Actor.system(now.agency),
                "e_result.renewed",
                now.id,
                sha256=renewed.sha256,
                before=document.sha256,
                until=lasts.ends.isoformat(),
            )
    return True


def _tell(desk: RenewalDesk, e_result: EResult, reason: str) -> None:
    """Say once in the log why this document can't be renewed; it stays due, and is tried again."""
    with desk.begin() as work:
        last = next((line for line in work.audit.of(e_result.id) if line.event == "e_result.not_renewed"), None)
        if last is None or last.detail.get("reason") != reason:
            work.audit.append(Actor.system(e_result.agency), "e_result.not_renewed", e_result.id, reason=reason)
