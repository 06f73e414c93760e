"""Parcels and the machines that send them, at the HTTP edge."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from api.schemas.common import In, Labelled, Text
from dossiers.desks import Desk
from dossiers.parcels import Parcel


class PairIn(In):
    """The code that a person reads on the counter's page."""

    code: Text


class PairedOut(BaseModel):
    """What the machine shows from now on, this once; and as whose it counts."""

    token: str
    desk: str
    agency: str

    @staticmethod
    def of(desk: Desk, token: str, agency: str) -> PairedOut:
        """As it was paired."""
        return PairedOut(token=token, desk=desk.name, agency=agency)


class AttachIn(In):
    """Which dossier a parcel of the inbox belongs to, and as what."""

    dossier: Text
    kind: Text = ""


class ParcelOut(BaseModel):
    """How far a parcel has come; once it is over, the receipt: pages, hash, dossier.

    Attributes:
        sha256: Of what is kept here once it is over; before, as its sender announced it.
        dossier, ordinal: Code of the dossier it lies in, and which paper of it; None while it lies in none.
        trouble: Why it was refused or waits; "duplicate" for one that was there already.
    """

    id: UUID
    state: Labelled
    filename: str
    size: int
    arrived: int
    sha256: str
    pages: int | None
    dossier: str | None
    dossier_id: UUID | None
    ordinal: int | None
    component_id: UUID | None
    trouble: str
    touched_at: datetime

    @staticmethod
    def of(parcel: Parcel, *, dossier: str | None, ordinal: int | None) -> ParcelOut:
        """As it is now."""
        return ParcelOut(
            id=parcel.id,
            state=Labelled.of(parcel.state),
            filename=parcel.filename,
            size=parcel.size,
            arrived=parcel.arrived,
            sha256=parcel.file.sha256 if parcel.file else parcel.sha256,
            pages=parcel.pages,
            dossier=dossier,
            dossier_id=parcel.dossier_id,
            ordinal=ordinal,
            component_id=parcel.component_id,
            trouble=parcel.trouble,
            touched_at=parcel.touched_at,
        )
