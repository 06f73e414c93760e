"""Figures for a Prometheus server, which shows the token it was given."""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Depends, Request, Response

from api.deps import Office
from api.errors import NotSignedIn
from api.figures import exposition
from dossiers.types import NotFound

_BEARER = "Bearer "
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def watcher(request: Request, office: Office) -> None:
    """Whoever watches the instance: `HOSO_METRICS_TOKEN_FILE` holds their token, and without it the door isn't there.

    Raises:
        NotFound: No token is set.
        NotSignedIn: Another token, or none.
    """
    if not office.metrics_token:
        raise NotFound("metrics")
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), (_BEARER + office.metrics_token).encode()):
        raise NotSignedIn


router = APIRouter(tags=["Health"], dependencies=[Depends(watcher)])


@router.get("/metrics")
def metrics(office: Office) -> Response:
    """Queues, workers, what is stuck, pages read, answers of trust services, certificates: Prometheus' text format."""
    return Response(exposition(office.database), media_type=_TYPE)
