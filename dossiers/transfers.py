"""Paper dossiers from one office to another: sent on a slip, counted and accepted by the receiver, or taken back.

The sender answers for the paper until the receiver has accepted it line by line; what didn't arrive is the sender's
again, with the receiver's words. So at every moment somebody has each paper to answer for.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003  the fields are read at run time by whoever walks these dataclasses
from typing import TYPE_CHECKING
from uuid import UUID

from dossiers import codes, page_marks
from dossiers.calendar import local_day
from dossiers.labels import label
from dossiers.policy import Act, require
from dossiers.types import Incomplete, NotAllowed, TransferState, WrongState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dossiers.ports import Begin, UnitOfWork
    from dossiers.types import Actor, Dossier


@dataclass(frozen=True)
class TransferLine:
    """One dossier on the slip, as it was counted when it left.

    Attributes:
        papers, pages: Papers of the dossier and their pages, as they were counted when it left.
        images: Of their scans; 0 on a slip from before they were counted apart.
        arrived: What the receiver found; None until the slip is accepted.
        note: What the receiver says of a dossier that didn't arrive whole.
    """

    dossier_id: UUID
    code: str
    papers: int
    pages: int
    arrived: bool | None = None
    note: str = ""
    images: int = 0

    @property
    def scanned(self) -> int:
        """Images of its papers; pages, where nobody counted apart."""
        return self.images or self.pages


@dataclass(frozen=True)
class Transfer:
    """Phiếu bàn giao: which paper dossiers one agency gave another, and what the other found.

    Attributes:
        code: "BG-<sender's code>-YYMMDD-NNNN", printed on the slip.
        sent_by, closed_by: Usernames of who made it out, and of who accepted it or took it back.
        note: Why it was taken back.
        version: Goes up by one with each change.
    """

    id: UUID
    code: str
    sender: str
    receiver: str
    sent_by: str
    sent_at: datetime
    lines: tuple[TransferLine, ...]
    state: TransferState = TransferState.SENT
    closed_by: str = ""
    closed_at: datetime | None = None
    note: str = ""
    version: int = 0

    @property
    def papers(self) -> int:
        """Papers of all its dossiers, as they left."""
        return sum(line.papers for line in self.lines)

    @property
    def pages(self) -> int:
        """Pages of all its dossiers, as they left."""
        return sum(line.pages for line in self.lines)

    @property
    def scanned(self) -> int:
        """Images of all its dossiers, as they left."""
        return sum(line.scanned for line in self.lines)

    def accept(self, missing: Mapping[UUID, str], *, by: Actor, now: datetime) -> Transfer:
        """The slip with every line marked: arrived, or missing with a note on what isn't there.

        Raises:
            WrongState: It was accepted or taken back before.
            NotAllowed: `by` isn't of the receiving agency.
            Incomplete: A missing dossier isn't on the slip, or has no note; all of them are named at once.
        """
        if by.agency != self.receiver:
            raise NotAllowed("receiver")
        self._must_be_on_its_way()
        notes = {dossier_id: note.strip() for dossier_id, note in missing.items()}
        on_slip = {line.dossier_id: line.code for line in self.lines}
        problems = [label("not_on_slip")] if notes.keys() - on_slip.keys() else []
        problems += [
            f"{code}: {label('missing_without_note')}" for of, code in on_slip.items() if notes.get(of, "-") == ""
        ]
        if problems:
            raise Incomplete("missing", tuple(problems))
        lines = tuple(
            replace(line, arrived=line.dossier_id not in notes, note=notes.get(line.dossier_id, ""))
            for line in self.lines
        )
        return replace(self, state=TransferState.ACCEPTED, lines=lines, closed_by=by.username, closed_at=now)

    def recall(self, reason: str, *, by: Actor, now: datetime) -> Transfer:
        """The slip taken back by its sender, with a reason.

        Raises:
            WrongState: It was accepted or taken back before.
            NotAllowed: `by` isn't of the sending agency.
            Incomplete: No reason given.
        """
        if by.agency != self.sender:
            raise NotAllowed("sender")
        self._must_be_on_its_way()
        if not reason.strip():
            raise Incomplete("reason", ("reason",))
        return replace(self, state=TransferState.RECALLED, note=reason.strip(), closed_by=by.username, closed_at=now)

    def _must_be_on_its_way(self) -> None:
        if self.state is not TransferState.SENT:
            raise WrongState(self.state)


@dataclass(frozen=True)
class Waiting:
    """Slips that wait for somebody: those the asker's agency has to accept, and its own that others haven't yet."""

    to_accept: tuple[Transfer, ...]
    sent: tuple[Transfer, ...]


def send(begin: Begin, dossier_ids: Iterable[UUID], *, by: Actor, receiver: str, now: datetime) -> Transfer:
    """Put received dossiers on one slip to another agency that has a part in all of them.

    Raises:
        NotFound: No such receiver, or a dossier the asker's agency has no part in.
        Incomplete: Some can't go; every reason of every dossier is named at once, and none is sent.
    """
    require(by, Act.TRANSFER)
    with begin() as work:
        work.agencies.of(receiver)
        # Locked in one order by everybody, so that no two slips wait for each other.
        dossiers = [work.dossiers.lock(by, dossier_id) for dossier_id in sorted(set(dossier_ids))]
        dossiers.sort(key=lambda dossier: dossier.code)
        problems = tuple(_problems(dossiers, sender=by.agency, receiver=receiver))
        if problems:
            raise Incomplete("dossiers", problems)
        day = local_day(now)
        transfer = work.transfers.keep(
            Transfer(
                id=uuid.uuid4(),
                code=codes.transfer_code(by.agency, day, work.transfers.next_ordinal(by.agency, day)),
                sender=by.agency,
                receiver=receiver,
                sent_by=by.username,
                sent_at=now,
                lines=tuple(_line(work, dossier) for dossier in dossiers),
            )
        )
        for dossier in dossiers:
            work.dossiers.keep(dossier.send_paper(transfer.id, to=receiver))
            work.audit.append(by, "dossier.paper_sent", dossier.id, transfer=transfer.code, receiver=receiver)
        work.audit.append(
            by, "transfer.sent", transfer.id, code=transfer.code, receiver=receiver, dossiers=len(dossiers)
        )
        return transfer


def accept(begin: Begin, transfer_id: UUID, *, by: Actor, missing: Mapping[UUID, str], now: datetime) -> Transfer:
    """Accept what arrived; a dossier in `missing` is the sender's again, who is told what the receiver found.

    Raises:
        WrongState: It was accepted or taken back before, perhaps a moment ago.
        NotAllowed: The asker's agency is the sender.
        Incomplete: A missing dossier isn't on the slip, or has no note.
    """
    require(by, Act.TRANSFER)
    with begin() as work:
        transfer = work.transfers.keep(work.transfers.lock(by, transfer_id).accept(missing, by=by, now=now))
        for line in _in_locking_order(transfer):
            dossier = work.dossiers.lock(by, line.dossier_id)
            event = "dossier.paper_arrived" if line.arrived else "dossier.paper_missing"
            work.dossiers.keep(dossier.paper_arrived() if line.arrived else dossier.paper_back(missing=line.note))
            work.audit.append(by, event, dossier.id, transfer=transfer.code)
        arrived = sum(line.arrived is True for line in transfer.lines)
        work.audit.append(
            by,
            "transfer.accepted",
            transfer.id,
            code=transfer.code,
            arrived=arrived,
            missing=len(transfer.lines) - arrived,
        )
        return transfer


def recall(begin: Begin, transfer_id: UUID, *, by: Actor, reason: str, now: datetime) -> Transfer:
    """Take a slip back before it is accepted; all its papers are held by the sender again.

    Raises:
        WrongState: It was accepted or taken back before, perhaps a moment ago.
        NotAllowed: The asker's agency is the receiver.
        Incomplete: No reason given.
    """
    require(by, Act.TRANSFER)
    with begin() as work:
        transfer = work.transfers.keep(work.transfers.lock(by, transfer_id).recall(reason, by=by, now=now))
        for line in _in_locking_order(transfer):
            dossier = work.dossiers.keep(work.dossiers.lock(by, line.dossier_id).paper_back())
            work.audit.append(by, "dossier.paper_recalled", dossier.id, transfer=transfer.code)
        work.audit.append(by, "transfer.recalled", transfer.id, code=transfer.code)
        return transfer


def of(begin: Begin, transfer_id: UUID, *, by: Actor) -> Transfer:
    """One slip, to print or to count by, for the people of its sender and its receiver.

    Raises:
        NotFound: There is none, or it is between other agencies.
    """
    require(by, Act.TRANSFER)
    with begin() as work:
        return work.transfers.of(by, transfer_id)


def waiting(begin: Begin, *, by: Actor) -> Waiting:
    """Slips on their way to and from the asker's agency, oldest first."""
    require(by, Act.TRANSFER)
    with begin() as work:
        found = work.transfers.waiting(by)
    return Waiting(
        to_accept=tuple(t for t in found if t.receiver == by.agency),
        sent=tuple(t for t in found if t.sender == by.agency),
    )


def to_send(begin: Begin, *, by: Actor) -> Sequence[Dossier]:
    """Dossiers whose paper the asker's agency could put on a slip, the longest received first; 200 at most."""
    require(by, Act.TRANSFER)
    with begin() as work:
        return work.dossiers.to_send(by)


def _problems(dossiers: Sequence[Dossier], *, sender: str, receiver: str) -> Iterator[str]:
    """Everything that keeps these dossiers from going, in the office's words."""
    if not dossiers:
        yield label("no_dossiers")
    if receiver == sender:
        yield label("same_agency")
    for dossier in dossiers:
        reasons = {
            "paper_not_received": dossier.received_at is None,
            "paper_elsewhere": dossier.paper_at != sender,
            "paper_travelling": dossier.transfer is not None,
            "receiver_has_no_part": receiver not in dossier.agencies(),
        }
        yield from (f"{dossier.code}: {label(reason)}" for reason, holds in reasons.items() if holds)


def _line(work: UnitOfWork, dossier: Dossier) -> TransferLine:
    components = work.components.of_dossier(dossier.id)
    count = page_marks.total(components, page_marks.counts(work, components))
    return TransferLine(dossier.id, dossier.code, len(components), count.pages, images=count.images)


def _in_locking_order(transfer: Transfer) -> list[TransferLine]:
    return sorted(transfer.lines, key=lambda line: line.dossier_id)
