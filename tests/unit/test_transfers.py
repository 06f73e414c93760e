"""A paper dossier between two offices: at every moment one of them answers for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from dossiers import codes
from dossiers.transfers import Transfer, TransferLine
from dossiers.types import (
    Actor,
    Applicant,
    Dossier,
    DossierState,
    Incomplete,
    NotAllowed,
    PaperState,
    Role,
    Step,
    TransferState,
    WrongState,
)

if TYPE_CHECKING:
    from collections.abc import Callable

POST, DESK, DECIDER = "001.01.01.H49", "000.01.01.H49", "000.00.01.H49"
NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
POSTMAN = Actor(uuid4(), "buudien.mau", "Người Mẫu", POST, frozenset({Role.POSTAL}))
CLERK = Actor(uuid4(), "motcua.mau", "Người Mẫu", DESK, frozenset({Role.CLERK}))
ONE, TWO = UUID(int=1), UUID(int=2)
SLIP = UUID(int=9)


def received(*, helped_at: str | None = POST, state: DossierState = DossierState.DIGITIZED) -> Dossier:
    return Dossier(
        id=ONE,
        code=f"{DESK}-261120-0001",
        lookup_code="0000000000017",
        procedure="2.000908",
        applicant=Applicant("Nguyễn Thị Thử"),
        receiving=DESK,
        competent=DECIDER,
        helped_at=helped_at,
        paper_at=helped_at or DESK,
        state=state,
        opened_by=POSTMAN.username,
        opened_at=NOON,
        received_at=None if state is DossierState.DRAFT else NOON,
    )


def slip() -> Transfer:
    return Transfer(
        id=SLIP,
        code=codes.transfer_code(POST, date(2026, 11, 20), 1),
        sender=POST,
        receiver=DESK,
        sent_by=POSTMAN.username,
        sent_at=NOON,
        lines=(TransferLine(ONE, "một", papers=3, pages=12), TransferLine(TWO, "hai", papers=1, pages=2)),
    )


def test_a_slip_is_numbered_by_its_sender_and_day() -> None:
    assert slip().code == "BG-001.01.01.H49-261120-0001"


def test_a_slip_adds_up_what_lies_in_the_envelope() -> None:
    assert (slip().papers, slip().pages) == (4, 14)


def test_the_sender_answers_for_the_paper_until_it_has_arrived() -> None:
    travelling = received().send_paper(SLIP, to=DESK)
    assert (travelling.paper_at, travelling.paper_state) == (POST, PaperState.TRAVELLING)
    arrived = travelling.paper_arrived()
    assert (arrived.paper_at, arrived.paper_state, arrived.transfer) == (DESK, PaperState.HELD, None)


def test_what_did_not_arrive_is_the_sender_s_to_look_for_until_it_is_sent_again() -> None:
    lost = received().send_paper(SLIP, to=DESK).paper_back(missing="thiếu tờ khai")
    assert (lost.paper_at, lost.paper_state, lost.paper_note) == (POST, PaperState.MISSING, "thiếu tờ khai")
    assert lost.paper_step() == Step("find_papers", Role.POSTAL, POST)
    again = lost.send_paper(uuid4(), to=DESK)
    assert (again.paper_state, again.paper_note) == (PaperState.TRAVELLING, "")


def test_the_desk_looks_for_what_it_lost_as_well() -> None:
    lost = received(helped_at=None).send_paper(SLIP, to=DECIDER).paper_back(missing="không thấy")
    assert lost.paper_step() == Step("find_papers", Role.CLERK, DESK)


def test_the_paper_of_a_post_office_has_a_next_step_until_the_desk_holds_it() -> None:
    assert received().paper_step() == Step("send_papers", Role.POSTAL, POST)
    travelling = received().send_paper(SLIP, to=DESK)
    assert travelling.paper_step() == Step("accept_papers", Role.CLERK, DESK)
    assert travelling.paper_arrived().paper_step() is None


def test_paper_on_its_way_back_is_accepted_by_the_post_office() -> None:
    at_desk = replace(received(state=DossierState.REFUSED), paper_at=DESK)
    travelling = at_desk.send_paper(SLIP, to=POST)
    assert travelling.paper_step() == Step("accept_papers", Role.POSTAL, POST)
    assert travelling.paper_arrived().paper_step() is None


@pytest.mark.parametrize("state", [DossierState.DRAFT, DossierState.REFUSED, DossierState.CANCELLED])
def test_nobody_is_asked_to_send_on_what_goes_back_to_the_applicant(state: DossierState) -> None:
    assert received(state=state).paper_step() is None


@pytest.mark.parametrize("state", sorted(set(DossierState) - {DossierState.DRAFT}))
def test_the_paper_changes_nothing_in_whose_turn_it_is_otherwise(state: DossierState) -> None:
    here = received(state=state)
    assert here.send_paper(SLIP, to=DESK).next_step() == here.next_step()


@pytest.mark.parametrize(
    "move",
    [
        lambda: received(state=DossierState.DRAFT).send_paper(SLIP, to=DESK),
        lambda: received().send_paper(SLIP, to=DESK).send_paper(uuid4(), to=DECIDER),
        lambda: received().paper_arrived(),
        lambda: received().paper_back(),
    ],
    ids=["send a draft", "send twice", "arrive unsent", "come back unsent"],
)
def test_paper_cannot_be_where_it_could_not_have_come(move: Callable[[], Dossier]) -> None:
    with pytest.raises(WrongState):
        move()


def test_accepting_marks_every_line() -> None:
    accepted = slip().accept({TWO: "  thiếu trang 2 "}, by=CLERK, now=NOON)
    assert [(line.arrived, line.note) for line in accepted.lines] == [(True, ""), (False, "thiếu trang 2")]
    assert (accepted.state, accepted.closed_by, accepted.closed_at) == (TransferState.ACCEPTED, CLERK.username, NOON)


def test_everything_wrong_with_the_missing_ones_is_named_at_once() -> None:
    with pytest.raises(Incomplete) as refused:
        slip().accept({TWO: " ", uuid4(): "ở đâu ra"}, by=CLERK, now=NOON)
    assert len(refused.value.missing) == 2
    assert any(said.startswith("hai: ") for said in refused.value.missing)


def test_taking_back_needs_a_reason() -> None:
    with pytest.raises(Incomplete):
        slip().recall(" ", by=POSTMAN, now=NOON)
    assert slip().recall("nhầm túi", by=POSTMAN, now=NOON).note == "nhầm túi"


def test_each_side_has_its_own_move() -> None:
    with pytest.raises(NotAllowed):
        slip().accept({}, by=POSTMAN, now=NOON)
    with pytest.raises(NotAllowed):
        slip().recall("nhầm túi", by=CLERK, now=NOON)


@pytest.mark.parametrize(
    "closed",
    [slip().accept({}, by=CLERK, now=NOON), slip().recall("nhầm túi", by=POSTMAN, now=NOON)],
    ids=["accepted", "recalled"],
)
def test_a_closed_slip_stays_closed(closed: Transfer) -> None:
    with pytest.raises(WrongState):
        closed.accept({}, by=CLERK, now=NOON)
    with pytest.raises(WrongState):
        closed.recall("nhầm túi", by=POSTMAN, now=NOON)
