"""Paper dossiers on their way from one office to another."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.deps import Office, Transfers
from api.schemas.transfers import AcceptIn, RecallIn, TransferIn, TransferOut, TransfersOut
from api.wiring import utc_now
from dossiers import transfers

router = APIRouter(tags=["Transfers"])


@router.post("/transfers", status_code=201)
def send(body: TransferIn, actor: Transfers, office: Office) -> TransferOut:
    """Send the paper of received dossiers to another agency, on one slip."""
    return TransferOut.of(transfers.send(office.begin, body.dossiers, by=actor, receiver=body.receiver, now=utc_now()))


@router.get("/transfers")
def waiting(actor: Transfers, office: Office) -> TransfersOut:
    """Slips that the asker's agency has to accept, and its own that aren't accepted yet."""
    return TransfersOut.of(transfers.waiting(office.begin, by=actor))


@router.get("/transfers/{transfer_id}")
def transfer(transfer_id: UUID, actor: Transfers, office: Office) -> TransferOut:
    """One slip, for its sender and its receiver."""
    return TransferOut.of(transfers.of(office.begin, transfer_id, by=actor))


@router.post("/transfers/{transfer_id}/accept")
def accept(transfer_id: UUID, body: AcceptIn, actor: Transfers, office: Office) -> TransferOut:
    """Accept what arrived; what didn't is the sender's again, with a note."""
    return TransferOut.of(transfers.accept(office.begin, transfer_id, by=actor, missing=body.missing, now=utc_now()))


@router.post("/transfers/{transfer_id}/recall")
def recall(transfer_id: UUID, body: RecallIn, actor: Transfers, office: Office) -> TransferOut:
    """Take a slip back before it is accepted."""
    return TransferOut.of(transfers.recall(office.begin, transfer_id, by=actor, reason=body.reason, now=utc_now()))
