"""What must be handed over to the archive soon, what is under legal hold, and what needn't be kept any longer."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.deps import Office, Sees
from api.pages.frame import StaffFrame
from api.wiring import utc_now
from dossiers import holds, retention
from dossiers.archive import WARN_AHEAD
from dossiers.calendar import local_day

router = APIRouter(include_in_schema=False)


@router.get("/nop-luu")
def due_page(actor: Sees, office: Office, frame: StaffFrame) -> Response:
    """Dossiers within 30 days of a limit, or beyond it; dossiers under legal hold."""
    now = utc_now()
    with office.begin() as work:
        waiting = work.archive.due(actor, by=now + WARN_AHEAD)
        held = holds.live(work, actor, now=now)
        ending = work.retention.ending(actor, by=now + retention.WARN_AHEAD)
    today = local_day(now)
    return frame.page(
        "archive.html",
        rows=[(one, (local_day(one.due) - today).days) for one in waiting],
        held=held,
        ending=[(one, (local_day(one.until) - today).days) for one in ending],
    )
