"""Paper dossiers on their way between offices: what to accept, what was sent, what is ready to go, and the slip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response

from api.deps import Office, Transfers
from api.errors import BadUpload
from api.pages.frame import Frame, StaffFrame, Typed
from api.schemas.common import clean
from api.wiring import Services, utc_now
from dossiers import page_marks, transfers
from dossiers.labels import label
from dossiers.transfers import Transfer
from dossiers.types import Actor, Dossier, Incomplete, NotFound, OfficeError, TransferState, WrongState
from signing import qr

if TYPE_CHECKING:
    from api.errors import Language

router = APIRouter(include_in_schema=False)

_MOST_INPUTS = 1000
_LONGEST_NOTE = 500
_NOTE = "note-"
_NO_REASON = ("Viết lý do rút phiếu.", "Write why it is taken back.")


@router.get("/ban-giao")
def transfers_page(actor: Transfers, office: Office, frame: StaffFrame) -> Response:
    """What waits to be accepted, what others haven't accepted yet, and what is ready to go."""
    return _list(office, frame, actor)


@router.post("/ban-giao")
def send(
    actor: Transfers,
    office: Office,
    frame: StaffFrame,
    receiver: Typed = "",
    dossiers: Annotated[list[UUID] | None, Form()] = None,
) -> Response:
    """Put the ticked dossiers on one slip, and lead to it; or say what keeps any of them from going."""
    try:
        slip = transfers.send(office.begin, dossiers or (), by=actor, receiver=receiver, now=utc_now())
    except (Incomplete, NotFound) as error:
        return _list(office, frame, actor, error=error, ticked=dossiers or ())
    return frame.to(f"/ban-giao/{slip.id}", tell="transfer_sent")


def _list(
    office: Services, frame: Frame, actor: Actor, *, error: OfficeError | None = None, ticked: Sequence[UUID] = ()
) -> Response:
    waiting = transfers.waiting(office.begin, by=actor)
    ready = transfers.to_send(office.begin, by=actor)
    with office.begin() as work:
        agencies = {agency.code: agency.name for agency in work.agencies.all()}
        procedures = {procedure.code: procedure.name for procedure in work.procedures.all()}
        papers = work.components.of_dossiers(dossier.id for dossier in ready)
        counts = page_marks.counts(work, [paper for of_one in papers.values() for paper in of_one])
        closed = work.transfers.closed(actor)
    problem = frame.trouble(error) if error else None
    return frame.page(
        "transfers.html",
        status=problem["status"] if problem else 200,
        waiting=waiting,
        closed=closed,
        bundles=_bundles(actor, ready, agencies),
        papers=papers,
        counts=counts,
        agencies=agencies,
        procedures=procedures,
        ticked=frozenset(ticked),
        problem=problem,
        listed=_reasons(error, frame.language),
    )


#: What a use case says in Vietnamese only, here in both.
_WHY_NOT = (
    "no_dossiers",
    "same_agency",
    "paper_not_received",
    "paper_elsewhere",
    "paper_travelling",
    "receiver_has_no_part",
)


def _reasons(error: OfficeError | None, language: Language) -> list[str]:
    """Why some can't go, in the person's language."""
    if not isinstance(error, Incomplete):
        return []
    words = {label(code): label(code, language) for code in _WHY_NOT}
    parts = (message.rpartition(": ") for message in error.missing)
    return [f"{code}{colon}{words.get(reason, reason)}" for code, colon, reason in parts]


def _bundles(
    actor: Actor, ready: Sequence[Dossier], agencies: Mapping[str, str]
) -> list[tuple[str, list[str], list[Dossier]]]:
    """What is ready, by whom it naturally goes to next; with everybody else it could go to."""

    def next_holder(dossier: Dossier) -> str:
        return dossier.receiving if actor.agency == dossier.helped_at else dossier.competent

    bundles = []
    by_holder = sorted(ready, key=lambda dossier: agencies[next_holder(dossier)])
    for holder, of_one in groupby(by_holder, key=next_holder):
        bundle = list(of_one)
        others = frozenset.union(*(dossier.agencies() for dossier in bundle)) - {actor.agency, holder}
        bundles.append((holder, sorted(others), bundle))
    return bundles


@dataclass(frozen=True)
class Counted:
    """What the receiver found, as ticked and written: which dossiers arrived whole, and notes on the others."""

    arrived: frozenset[UUID] = frozenset()
    notes: Mapping[UUID, str] = field(default_factory=dict)

    def missing(self, slip: Transfer) -> dict[UUID, str]:
        """Every dossier of the slip that wasn't ticked, with its note."""
        return {
            line.dossier_id: self.notes.get(line.dossier_id, "")
            for line in slip.lines
            if line.dossier_id not in self.arrived
        }


async def _counted(request: Request, _: Transfers) -> Counted:
    """The form, however many lines the slip has; read after asking who sends it.

    Raises:
        BadUpload: It isn't the form it should be.
    """
    form = await request.form(max_files=0, max_fields=_MOST_INPUTS)
    try:
        values = [(name, clean(text).strip()) for name, text in form.multi_items() if isinstance(text, str)]
        return Counted(
            arrived=frozenset(UUID(text) for name, text in values if name == "arrived"),
            notes={
                UUID(name.removeprefix(_NOTE)): text[:_LONGEST_NOTE] for name, text in values if name.startswith(_NOTE)
            },
        )
    except ValueError as error:
        raise BadUpload from error


@router.get("/ban-giao/{transfer_id}")
def slip_page(transfer_id: UUID, actor: Transfers, office: Office, frame: StaffFrame) -> Response:
    """One slip: to print, to count by, and to see how it ended."""
    return _slip(office, frame, actor, transfer_id)


@router.post("/ban-giao/{transfer_id}/nhan")
def accept(
    transfer_id: UUID,
    actor: Transfers,
    office: Office,
    frame: StaffFrame,
    counted: Annotated[Counted, Depends(_counted)],
) -> Response:
    """Accept what was ticked; what wasn't needs a note on what is missing, and is the sender's again."""
    missing = counted.missing(transfers.of(office.begin, transfer_id, by=actor))
    try:
        transfers.accept(office.begin, transfer_id, by=actor, missing=missing, now=utc_now())
    except (Incomplete, WrongState) as error:
        return _slip(office, frame, actor, transfer_id, error=error, counted=counted)
    return frame.to(f"/ban-giao/{transfer_id}", tell="transfer_accepted")


@router.post("/ban-giao/{transfer_id}/rut")
def recall(transfer_id: UUID, actor: Transfers, office: Office, frame: StaffFrame, reason: Typed = "") -> Response:
    """Take the slip back before it is accepted."""
    try:
        transfers.recall(office.begin, transfer_id, by=actor, reason=reason, now=utc_now())
    except (Incomplete, WrongState) as error:
        return _slip(office, frame, actor, transfer_id, error=error)
    return frame.to(f"/ban-giao/{transfer_id}", tell="transfer_recalled")


def _slip(
    office: Services,
    frame: Frame,
    actor: Actor,
    transfer_id: UUID,
    *,
    error: OfficeError | None = None,
    counted: Counted | None = None,
) -> Response:
    """The slip, with what was ticked and written so far when it couldn't be accepted as it was."""
    with office.begin() as work:
        slip = work.transfers.of(actor, transfer_id)
        dossiers = {line.dossier_id: work.dossiers.of(actor, line.dossier_id) for line in slip.lines}
        agencies = {agency.code: agency for agency in work.agencies.all()}
        procedures = {procedure.code: procedure.name for procedure in work.procedures.all()}
        papers = work.components.of_dossiers(dossiers)
        counts = page_marks.counts(work, [paper for of_one in papers.values() for paper in of_one])
        people = {
            person.username: person.name
            for code in (slip.sender, slip.receiver)
            for person in work.accounts.in_agency(code)
        }
    problem = frame.trouble(error) if error else None
    return frame.page(
        "transfer.html",
        status=problem["status"] if problem else 200,
        slip=slip,
        dossiers=dossiers,
        agencies=agencies,
        procedures=procedures,
        papers=papers,
        counts=counts,
        people=people,
        counting=slip.state is TransferState.SENT and actor.agency == slip.receiver,
        may_recall=slip.state is TransferState.SENT and actor.agency == slip.sender,
        counted=counted or Counted(),
        symbol=qr.symbol_for(f"{office.base_url}/ban-giao/{slip.id}"),
        problem=problem,
        listed=_listed(error, slip, counted, frame.language),
    )


def _listed(
    error: OfficeError | None, slip: Transfer, counted: Counted | None, language: Language
) -> list[dict[str, str]]:
    """What is wrong, each with the field it belongs to."""
    if not isinstance(error, Incomplete):
        return []
    if counted is None:
        return [{"field": "reason", "message": _NO_REASON[language == "en"]}]
    missing = counted.missing(slip)
    return [
        {"field": f"{_NOTE}{line.dossier_id}", "message": f"{line.code}: {label('missing_without_note', language)}"}
        for line in slip.lines
        if missing.get(line.dossier_id) == ""
    ]
