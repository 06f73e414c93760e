"""Machines at counters: a code typed there becomes what they sign in with. Codes are made on a page, by a person."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.deps import Office, Public, limit
from api.schemas.parcels import PairedOut, PairIn
from api.wiring import utc_now
from dossiers import desks

router = APIRouter(tags=["Parcels"])


@router.post("/desks/pair", status_code=201, dependencies=[Public, Depends(limit("pair", most=60, window_s=600))])
def pair(body: PairIn, office: Office) -> PairedOut:
    """Exchange the code of the counter's page for a token that sends scans, and can do nothing else."""
    desk, token = desks.pair(office.begin, body.code, now=utc_now())
    with office.begin() as work:
        return PairedOut.of(desk, token, work.agencies.of(desk.agency).name)
