"""Transfer slips at the HTTP edge."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.common import In, Labelled, Text
from dossiers.transfers import Transfer, Waiting

#: What one person can count while another waits.
_MOST_DOSSIERS = 200


class TransferIn(In):
    """Which dossiers' paper goes to which agency."""

    dossiers: Annotated[list[UUID], Field(max_length=_MOST_DOSSIERS)]
    receiver: Text


class AcceptIn(In):
    """What didn't arrive: dossier id → what is missing. All else on the slip did."""

    missing: Annotated[dict[UUID, Text], Field(default_factory=dict, max_length=_MOST_DOSSIERS)]


class RecallIn(In):
    """Why the sender takes it back."""

    reason: Text


class TransferLineOut(BaseModel):
    """One dossier on the slip; `arrived` is null until the receiver has counted."""

    dossier_id: UUID
    code: str
    papers: int
    pages: int
    images: Annotated[int, Field(description="Of the scans: more than pages where one was scanned twice or left out.")]
    arrived: bool | None
    note: str


class TransferOut(BaseModel):
    """Phiếu bàn giao: who gave what to whom, and what the receiver found."""

    id: UUID
    code: str
    sender: str
    receiver: str
    state: Labelled
    sent_by: str
    sent_at: datetime
    papers: int
    pages: int
    lines: list[TransferLineOut]
    closed_by: str
    closed_at: datetime | None
    note: str
    version: int

    @staticmethod
    def of(transfer: Transfer) -> TransferOut:
        """As kept, with its totals."""
        return TransferOut(
            id=transfer.id,
            code=transfer.code,
            sender=transfer.sender,
            receiver=transfer.receiver,
            state=Labelled.of(transfer.state),
            sent_by=transfer.sent_by,
            sent_at=transfer.sent_at,
            papers=transfer.papers,
            pages=transfer.pages,
            lines=[
                TransferLineOut(
                    dossier_id=line.dossier_id,
                    code=line.code,
                    papers=line.papers,
                    pages=line.pages,
                    images=line.scanned,
                    arrived=line.arrived,
                    note=line.note,
                )
                for line in transfer.lines
            ],
            closed_by=transfer.closed_by,
            closed_at=transfer.closed_at,
            note=transfer.note,
            version=transfer.version,
        )


class TransfersOut(BaseModel):
    """Slips on their way: to the asker's agency, and from it."""

    to_accept: list[TransferOut]
    sent: list[TransferOut]

    @staticmethod
    def of(waiting: Waiting) -> TransfersOut:
        """Oldest first."""
        return TransfersOut(
            to_accept=[TransferOut.of(t) for t in waiting.to_accept], sent=[TransferOut.of(t) for t in waiting.sent]
        )
