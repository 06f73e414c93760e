"""Many results approved together: what became of each, stopping the rest, going on after the PIN was typed again."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from dossiers import issuance
from dossiers.policy import Act, require
from dossiers.types import WAITS_FOR_PIN, NotFound, ResultState, SigningBatch
from signing.types import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.ports import Begin, UnitOfWork
    from dossiers.types import Actor, EResult


def keep(
    begin: Begin, batch_id: UUID, approved: Sequence[UUID], refused: Mapping[UUID, str], *, by: Actor, now: datetime
) -> SigningBatch:
    """Remember what was approved together, so that its page can be opened again."""
    require(by, Act.APPROVE_RESULT)
    batch = SigningBatch(
        id=batch_id,
        agency=by.agency,
        leader=by.username,
        items=tuple(str(one) for one in approved),
        refused={str(one): why for one, why in refused.items()},
        begun_at=now,
    )
    with begin() as work:
        work.batches.keep(batch)
        work.audit.append(by, "batch.approved", batch.id, results=len(approved))
    return batch


def stop(begin: Begin, batch_id: UUID, *, by: Actor, now: datetime) -> list[UUID]:
    """Sign no more of a batch after the one at work: those not begun wait for approval again, as before.

    Gives those that were taken back. Said twice, nothing more happens.

    Raises:
        NotFound: There is no such batch of this leader's.
    """
    require(by, Act.APPROVE_RESULT)
    with begin() as work:
        batch = work.batches.of(by, batch_id)
        if batch.stopped_at is None:
            work.batches.keep(replace(batch, stopped_at=now))
            work.audit.append(by, "batch.stopped", batch.id)
    taken_back = []
    for one in batch.items:
        with begin() as work:  # each for itself: none waits for the others' rows
            e_result = work.e_results.lock(by, uuid.UUID(one))
            if _is_untouched(work, e_result):
                work.e_results.keep(e_result.move(ResultState.SUBMITTED, approved_at=None, own_token=False, trouble=""))
                work.audit.append(by, "e_result.approval_stopped", e_result.id)
                taken_back.append(e_result.id)
    return taken_back


def _is_untouched(work: UnitOfWork, e_result: EResult) -> bool:
    """Approved, and no key was touched for it, nor is about to be."""
    if e_result.state is not ResultState.APPROVED or e_result.unstamped is not None:
        return False
    if e_result.trouble in WAITS_FOR_PIN:
        return True  # its job is over, and was refused the key
    return not work.e_results.attempt_begun(e_result.id, Place.LEADER, e_result.number or 0)


def waiting_for_pin(work: UnitOfWork, by: Actor) -> list[EResult]:
    """What this leader approved and what can't go on before the PIN is typed, oldest first."""
    found = [e_result for e_result in work.e_results.waiting(by) if waits_for_pin(e_result, by)]
    return sorted(found, key=lambda e_result: (e_result.approved_at is None, e_result.approved_at))


def waits_for_pin(e_result: EResult, by: Actor) -> bool:
    """Whether this leader approved it, and it can't go on before the PIN is typed."""
    return (
        e_result.leader == by.username
        and e_result.state is ResultState.APPROVED
        and e_result.unstamped is None
        and e_result.trouble in WAITS_FOR_PIN
    )


def go_on(begin: Begin, e_results: Iterable[UUID], *, by: Actor) -> list[UUID]:
    """The PIN was typed again: what waited for it is signed. What doesn't wait any more is left alone."""
    require(by, Act.APPROVE_RESULT)
    gone_on = []
    for one in e_results:
        try:
            with begin() as work:
                e_result = work.e_results.lock(by, one)
                if e_result.leader != by.username or e_result.trouble not in WAITS_FOR_PIN:
                    continue
                issuance.sign_on(work, e_result, by)
        except NotFound:
            continue
        gone_on.append(one)
    return gone_on
