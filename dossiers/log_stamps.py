"""The audit log's head, stamped every day by an authority outside, so that nobody can rewrite the log unseen.

Whoever owns the database can change a line and compute every hash behind it anew. What they can't have is a timestamp
of an earlier day over the new hashes. So each day the hash of the last line goes to the timestamp authority; its token
lies in the store under the longest lock there is, and in the log itself, where the next day's head covers it.

`verify` walks the chain and holds every stamp against it: a line that a stamp names must be there, with that hash. It
also holds the values before and after corrections, which are kept beside the log, against the lines that bind them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dossiers.calendar import VIETNAM
from dossiers.signatures import trusted
from dossiers.types import Actor
from signing.stamp_check import CheckedStamp, check
from signing.timestamp import Timestamper
from signing.types import SigningRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from dossiers.ports import Begin, Vault
    from dossiers.types import AuditEntry

#: Subject and event of the lines that carry a stamp.
SUBJECT = "audit-log"
STAMPED = "audit.stamped"


@dataclass(frozen=True)
class LogDesk:
    """What stamping works with.

    Attributes:
        tsa_urls: Timestamp authorities, the preferred first.
        hosts: Where hosts that certificates name are really reached.
        headers: Sent to the timestamp authority.
    """

    begin: Begin
    vault: Vault
    tsa_urls: tuple[str, ...]
    hosts: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stamp:
    """A timestamp over the log's head as it was.

    Attributes:
        sequence, hash: Of the last line then.
        token: RFC 3161, DER, over the hash.
    """

    sequence: int
    hash: str
    token: bytes

    @staticmethod
    def read(said: Mapping[str, Any]) -> Stamp | None:
        """From a line's detail or a kept file; None for what isn't one."""
        try:
            token = base64.b64decode(said["token"], validate=True)
            digest = str(said["hash"])
            bytes.fromhex(digest)
            return Stamp(int(said["sequence"]), digest, token)
        except (KeyError, TypeError, ValueError, binascii.Error):
            return None

    def written(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"sequence": self.sequence, "hash": self.hash, "token": base64.b64encode(self.token).decode()}


@dataclass(frozen=True)
class Wrong:
    """Something wrong with the log.

    Attributes:
        code: "broken" (a line is missing or changed), "cut_short" (it ends before a stamped line), "rewritten" (another
            line stands where one was stamped), "stamp_unreadable", "stamp_lost" (the log names one that the store
            hasn't), "stamp_bad" (see `reason`); of values before and after "values_changed", "values_missing",
            "values_added" (`amendments.Misfit`).
        sequence: The line concerned; 0 where none is.
        reason: For "stamp_bad", as `signing.stamp_check` says.
        at: When the stamp was made, where there is one.
    """

    code: str
    sequence: int
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class LogVerdict:
    """What a walk through the log found.

    Attributes:
        lines: How many there are, by the end that is kept.
        stamps: How many stamps hold.
        proven: The last line that a stamp covers, and since when it can't have been changed; None without any.
        wrong: Everything wrong, the earliest line first. The log holds when there is nothing.
    """

    lines: int
    stamps: int
    proven: tuple[int, datetime] | None
    wrong: tuple[Wrong, ...]


def stamp(desk: LogDesk, *, now: datetime) -> Stamp | None:
    """Have the log's head stamped, unless it was today or nothing has happened since; the new stamp or None.

    May run twice or be killed at any moment: a stamp that the log doesn't know of is still a true one.

    Raises:
        TrustServiceUnavailable, StoreUnavailable: Later, then.
        SigningRefused: The token isn't by anybody we trust; it proves nothing and isn't kept.
    """
    with desk.begin() as work:
        sequence, digest = work.audit.end()
        last = _newest(work.audit.of(SUBJECT))
        known = trusted(work)
    if last is not None:
        made, covered = last
        nothing_since = sequence <= covered.sequence + 1  # the stamp's own line
        if nothing_since or made.astimezone(VIETNAM).date() >= now.astimezone(VIETNAM).date():
            return None
    if not sequence or not desk.tsa_urls:
        return None
    asker = Timestamper(desk.tsa_urls, hosts=desk.hosts, headers=desk.headers)
    token = asyncio.run(asker.async_timestamp(bytes.fromhex(digest), "sha256"))
    made_now = Stamp(sequence, digest, token.dump())
    checked = check(made_now.token, bytes.fromhex(digest), known)
    if checked.problem:
        raise SigningRefused(
            f"log_stamp_{checked.problem}",
            "Dấu thời gian cho nhật ký không kiểm tra được với các gốc tin cậy đang có; chưa ghi gì. "
            "Thêm gốc tin cậy của dịch vụ dấu thời gian (hoso admin trust).",
        )
    desk.vault.keep_log_stamp(f"{sequence:020d}", json.dumps(made_now.written()).encode())
    with desk.begin() as work:
        work.audit.append(Actor.system(""), STAMPED, SUBJECT, **made_now.written())
    return made_now


def verify(begin: Begin, vault: Vault, *, now: datetime, recent: bool = False) -> LogVerdict:
    """Walk the log and hold it against every stamp that was ever made.

    Args:
        recent: Only from the last stamp on, for a look every day. A change before it shows at that stamp all the same
            where the stamped line changed with it; what else was changed before only the whole walk tells.

    Raises:
        StoreUnavailable: The stamps can't be read; then nothing can be said.
    """
    kept = vault.log_stamps()
    with begin() as work:
        known = trusted(work)
        lines, _ = work.audit.end()
        logged = [entry for entry in work.audit.of(SUBJECT) if entry.event == STAMPED]
        stamps, wrong = _gathered(kept, logged)
        there = work.audit.hashes({one.sequence for one in stamps})
        last = max((one.sequence for one in stamps if one.sequence in there), default=0) if recent else 0
        broken = work.audit.first_break(after=last)
        misfits = work.amendments.misfits(after=last)
    proven: tuple[int, datetime] | None = None
    held = 0
    for one in sorted(stamps, key=lambda one: one.sequence):
        checked = check(one.token, bytes.fromhex(one.hash), known, now=now)
        found = _against(one, checked, there, lines)
        if found is not None:
            wrong.append(found)
        elif checked.at is not None:
            held, proven = held + 1, (one.sequence, checked.at)
    if broken is not None:
        wrong.append(Wrong("broken", broken))
    wrong += [Wrong(one.code, one.sequence) for one in misfits]
    return LogVerdict(lines, held, proven, tuple(sorted(wrong, key=lambda one: one.sequence)))


def last_stamped(begin: Begin) -> tuple[datetime, int, int] | None:
    """When the log was last stamped, up to which line, and how many lines there are; None before the first time."""
    with begin() as work:
        last = _newest(work.audit.of(SUBJECT))
        lines, _ = work.audit.end()
    return None if last is None else (last[0], last[1].sequence, lines)


def _newest(entries: Sequence[AuditEntry]) -> tuple[datetime, Stamp] | None:
    found = [(entry.at, Stamp.read(entry.detail)) for entry in entries if entry.event == STAMPED]
    return next(((at, one) for at, one in reversed(found) if one is not None), None)


def _gathered(kept: Iterable[bytes], logged: Iterable[AuditEntry]) -> tuple[set[Stamp], list[Wrong]]:
    """The stamps of the store and of the log together, and what is wrong with them as such."""
    stamps: set[Stamp] = set()
    wrong: list[Wrong] = []
    for content in kept:
        try:
            one = Stamp.read(json.loads(content))
        except (ValueError, UnicodeDecodeError):
            one = None
        if one is None:
            wrong.append(Wrong("stamp_unreadable", 0))
        else:
            stamps.add(one)
    for entry in logged:
        one = Stamp.read(entry.detail)
        if one is None:
            wrong.append(Wrong("stamp_unreadable", entry.sequence))
        elif one not in stamps:
            wrong.append(Wrong("stamp_lost", one.sequence, at=entry.at))
            stamps.add(one)
    return stamps, wrong


def _against(one: Stamp, checked: CheckedStamp, there: Mapping[int, str], lines: int) -> Wrong | None:
    """What a stamp says against the log; a stamp that doesn't hold accuses nobody but itself."""
    if checked.problem:
        return Wrong("stamp_bad", one.sequence, checked.problem, checked.at)
    if one.sequence > lines:
        return Wrong("cut_short", one.sequence, at=checked.at)
    if there.get(one.sequence) != one.hash:
        return Wrong("rewritten", one.sequence, at=checked.at)
    return None
