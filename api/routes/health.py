"""Is it alive, is it ready?"""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.deps import Office, Public
from dossiers.ports import StoreUnavailable
from storage.database import DatabaseUnavailable

router = APIRouter(tags=["Health"], dependencies=[Public])


@router.get("/health/live")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/health/ready")
def ready(office: Office, response: Response) -> dict[str, str]:
    """Database and object store answer too; 503 while one doesn't."""
    found = {"database": "ready", "store": "ready"}
    try:
        office.database.probe()
    except DatabaseUnavailable:
        found["database"] = "unavailable"
    try:
        office.store.probe()
    except StoreUnavailable:
        found["store"] = "unavailable"
    if set(found.values()) != {"ready"}:
        response.status_code = 503
    return found
