"""Parcels and the machines that send them, at the HTTP edge."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel

from api.schemas.common import In, Labelled, Text
from dossiers.desks import Desk
from dossiers.parcels import Parcel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.types import Component


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


class ParcelPaperOut(BaseModel):
    """A paper that a parcel became: its dossier's code, its number there, its pages."""

    dossier: str
    ordinal: int
    pages: int


class ParcelOut(BaseModel):
    """How far a parcel has come; once it is over, the receipt: pages, hash, dossier.

    Attributes:
        sha256: Of what is kept here once it is over; before, as its sender announced it.
        dossier, ordinal: Code of the dossier it lies in, and which paper of it; None while it lies in none.
        papers: All papers it became; several where separator sheets parted it.
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
    papers: list[ParcelPaperOut]
    trouble: str
    touched_at: datetime

    @staticmethod
    def of(parcel: Parcel, papers: Sequence[tuple[str, Component]]) -> ParcelOut:
        """As it is now."""
        return ParcelOut(
            id=parcel.id,
            state=Labelled.of(parcel.state),
            filename=parcel.filename,
            size=parcel.size,
            arrived=parcel.arrived,
            sha256=parcel.file.sha256 if parcel.file else parcel.sha256,
            pages=parcel.pages,
            dossier=papers[0][0] if papers else None,
            dossier_id=papers[0][1].dossier_id if papers else parcel.dossier_id,
            ordinal=papers[0][1].ordinal if papers else None,
            component_id=parcel.component_id,
            papers=[ParcelPaperOut(dossier=code, ordinal=c.ordinal, pages=c.pages_total) for code, c in papers],
            trouble=parcel.trouble,
            touched_at=parcel.touched_at,
        )
