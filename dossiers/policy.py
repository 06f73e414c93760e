"""Who may do what: one table of roles and acts. To which agency's things is the repositories' business."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from dossiers.types import NotAllowed, Role

if TYPE_CHECKING:
    from dossiers.types import Actor


class Act(StrEnum):
    """Something a signed-in person may do."""

    SEE = "see"
    OPEN_DOSSIER = "open_dossier"
    ADD_COMPONENT = "add_component"
    RECEIVE = "receive"
    REVIEW = "review"
    SIGN_COPY = "sign_copy"
    PROCESS = "process"
    CLOSE = "close"
    DRAFT_RESULT = "draft_result"
    SUBMIT_RESULT = "submit_result"
    APPROVE_RESULT = "approve_result"
    RETURN_RESULT = "return_result"
    REGISTER_SIGNED = "register_signed"
    MEND_SIGNING = "mend_signing"
    SIGN_WITH_TOKEN = "sign_with_token"  # noqa: S105  the signer's own device
    WITHDRAW = "withdraw"
    HAND_OVER = "hand_over"
    TRANSFER = "transfer"
    HOLD = "hold"
    SET_RETENTION = "set_retention"
    KEEP_TRUST = "keep_trust"


_DESK = frozenset({Role.POSTAL, Role.CLERK})
_OFFICE = frozenset({Role.CLERK, Role.LEADER, Role.SEAL_KEEPER})

#: The postal role scans, indexes and hands over; it never signs or decides for an agency (`requirements.md` P7). The
#: administrator has no part in the content of dossiers.
MAY: dict[Act, frozenset[Role]] = {
    Act.SEE: _OFFICE | _DESK,
    Act.OPEN_DOSSIER: _DESK,
    Act.ADD_COMPONENT: _DESK,
    Act.RECEIVE: _DESK,
    Act.REVIEW: _DESK,
    Act.SIGN_COPY: frozenset({Role.CLERK}),
    Act.PROCESS: frozenset({Role.CLERK}),
    Act.CLOSE: frozenset({Role.CLERK, Role.LEADER}),
    Act.DRAFT_RESULT: frozenset({Role.CLERK}),
    Act.SUBMIT_RESULT: frozenset({Role.CLERK}),
    Act.APPROVE_RESULT: frozenset({Role.LEADER}),
    Act.RETURN_RESULT: frozenset({Role.LEADER, Role.CLERK}),
    Act.REGISTER_SIGNED: frozenset({Role.SEAL_KEEPER}),
    Act.MEND_SIGNING: frozenset({Role.SEAL_KEEPER, Role.LEADER}),
    Act.SIGN_WITH_TOKEN: frozenset({Role.LEADER, Role.SEAL_KEEPER}),
    Act.WITHDRAW: frozenset({Role.LEADER, Role.SEAL_KEEPER}),
    Act.HAND_OVER: _DESK,
    Act.TRANSFER: _DESK,
    Act.HOLD: frozenset({Role.LEADER, Role.SEAL_KEEPER}),
    Act.SET_RETENTION: frozenset({Role.ADMINISTRATOR}),
    Act.KEEP_TRUST: frozenset({Role.ADMINISTRATOR}),
}


def require(actor: Actor, act: Act) -> None:
    """Refuse an actor whose roles don't permit `act`.

    Raises:
        NotAllowed: None of the actor's roles may do that.
    """
    if not actor.roles & MAY[act]:
        raise NotAllowed(act.value)
