"""Paper dossiers from the post office to the desk and on to the deciding agency, through the API."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from api.demo import centre
from dossiers import transfers
from tests.papers import scan_pdf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx2

    from tests.office import Office

CO_TO_CLERK = "motcua.coto"
APPLICANT = {"name": "Nguyễn Thị Thử"}


def received(office: Office, who: str = centre.POSTAL, *, competent: str | None = None) -> dict[str, Any]:
    """A received dossier of one paper with two pages."""
    dossier = draft(office, who, competent=competent)
    assert office.ask(who, "POST", f"/dossiers/{dossier['id']}/receive").status_code == 200
    return seen(office, who, dossier)


def draft(office: Office, who: str = centre.POSTAL, *, competent: str | None = None) -> dict[str, Any]:
    body = {"procedure": "2.000908", "applicant": APPLICANT, "competent": competent}
    dossier = office.ask(who, "POST", "/dossiers", json=body)
    assert dossier.status_code == 201, dossier.text
    paper = scan_pdf(f"Giấy đề nghị {uuid.uuid4()}", "Trang hai")
    path = f"/dossiers/{dossier.json()['id']}/components"
    added = office.ask(who, "POST", path, data={"kind": "DN"}, files={"file": ("dn.pdf", paper)})
    assert added.status_code == 201, added.text
    found: dict[str, Any] = dossier.json()
    return found


def seen(office: Office, who: str, dossier: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = office.ask(who, "GET", f"/dossiers/{dossier['id']}").json()
    return found


def send(
    office: Office, *dossiers: dict[str, Any], who: str = centre.POSTAL, to: str = centre.HONG_GAI
) -> httpx2.Response:
    return office.ask(who, "POST", "/transfers", json={"dossiers": [d["id"] for d in dossiers], "receiver": to})


def accept(office: Office, slip: dict[str, Any], who: str = centre.CLERK, **missing: str) -> httpx2.Response:
    return office.ask(who, "POST", f"/transfers/{slip['id']}/accept", json={"missing": missing})


def recall(office: Office, slip: dict[str, Any], who: str = centre.POSTAL, reason: str = "nhầm túi") -> httpx2.Response:
    return office.ask(who, "POST", f"/transfers/{slip['id']}/recall", json={"reason": reason})


def waiting(office: Office, who: str) -> tuple[set[str], set[str]]:
    """Ids of the slips somebody's agency has to accept, and of those it has sent."""
    found = office.ask(who, "GET", "/transfers").json()
    return {t["id"] for t in found["to_accept"]}, {t["id"] for t in found["sent"]}


def step(dossier: dict[str, Any]) -> tuple[str, str, str] | None:
    found = dossier["paper_step"]
    return found and (found["code"], found["role"], found["agency"])


def events(office: Office, who: str, dossier: dict[str, Any]) -> list[str]:
    found = office.ask(who, "GET", f"/dossiers/{dossier['id']}/history").json()
    return [e["event"] for e in found if e["event"].startswith("dossier.paper_")]


def at_once(*moves: Callable[[], httpx2.Response]) -> Sequence[int]:
    with ThreadPoolExecutor(len(moves)) as people:
        return sorted(answer.status_code for answer in people.map(lambda move: move(), moves))


def test_paper_goes_from_the_post_office_to_the_desk_and_what_is_missing_stays_the_sender_s(office: Office) -> None:
    whole, short = received(office), received(office)
    assert (whole["paper_at"], whole["travelling"]) == (centre.POST_HONG_GAI, None)
    assert step(whole) == ("send_papers", "postal", centre.POST_HONG_GAI)

    sent = send(office, whole, short)

    assert sent.status_code == 201, sent.text
    slip = sent.json()
    assert slip["code"].startswith(f"BG-{centre.POST_HONG_GAI}-")
    assert (slip["papers"], slip["pages"]) == (2, 4)
    assert {line["code"] for line in slip["lines"]} == {whole["code"], short["code"]}
    on_its_way = seen(office, centre.CLERK, whole)
    assert (on_its_way["paper_at"], on_its_way["travelling"]) == (centre.POST_HONG_GAI, slip["id"])
    assert on_its_way["paper_state"]["code"] == "travelling"
    assert step(on_its_way) == ("accept_papers", "clerk", centre.HONG_GAI)
    assert slip["id"] in waiting(office, centre.CLERK)[0]
    assert slip["id"] in waiting(office, centre.POSTAL)[1]

    accepted = accept(office, slip, **{short["id"]: "không thấy trong túi"})

    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["state"]["vi"] == "đã nhận"
    assert {line["dossier_id"]: line["arrived"] for line in accepted.json()["lines"]} == {
        whole["id"]: True,
        short["id"]: False,
    }
    here, lost = seen(office, centre.CLERK, whole), seen(office, centre.POSTAL, short)
    assert (here["paper_at"], here["travelling"], step(here)) == (centre.HONG_GAI, None, None)
    assert (lost["paper_at"], lost["paper_note"]) == (centre.POST_HONG_GAI, "không thấy trong túi")
    assert step(lost) == ("find_papers", "postal", centre.POST_HONG_GAI)
    assert slip["id"] not in waiting(office, centre.CLERK)[0] | waiting(office, centre.POSTAL)[1]
    assert events(office, centre.CLERK, whole) == ["dossier.paper_sent", "dossier.paper_arrived"]

    found = send(office, lost).json()
    accept(office, found)

    assert seen(office, centre.CLERK, short)["paper_note"] == ""
    assert step(seen(office, centre.CLERK, short)) is None
    assert events(office, centre.CLERK, short) == [
        "dossier.paper_sent",
        "dossier.paper_missing",
        "dossier.paper_sent",
        "dossier.paper_arrived",
    ]


def test_the_desk_sends_on_to_the_agency_that_decides(office: Office) -> None:
    dossier = received(office, centre.CLERK, competent=centre.CO_TO)

    slip = send(office, dossier, who=centre.CLERK, to=centre.CO_TO).json()
    accepted = accept(office, slip, CO_TO_CLERK)

    assert accepted.status_code == 200, accepted.text
    assert seen(office, CO_TO_CLERK, dossier)["paper_at"] == centre.CO_TO


def test_other_agencies_never_learn_of_a_slip(office: Office) -> None:
    slip = send(office, received(office)).json()

    assert office.ask(CO_TO_CLERK, "GET", f"/transfers/{slip['id']}").status_code == 404
    assert accept(office, slip, CO_TO_CLERK).status_code == 404
    assert recall(office, slip, CO_TO_CLERK).status_code == 404
    assert slip["id"] not in set.union(*waiting(office, CO_TO_CLERK))
    assert office.ask(centre.CLERK, "GET", f"/transfers/{slip['id']}").json()["state"]["code"] == "sent"


def test_each_side_has_its_own_move_and_only_the_desk_roles_have_any(office: Office) -> None:
    slip = send(office, received(office)).json()

    assert accept(office, slip, centre.POSTAL).status_code == 403
    assert recall(office, slip, centre.CLERK).status_code == 403
    assert accept(office, slip, centre.LEADER).status_code == 403
    assert office.ask("", "GET", "/transfers").status_code == 401


def test_the_sender_takes_back_what_is_not_accepted_yet_with_a_reason(office: Office) -> None:
    dossier = received(office)
    slip = send(office, dossier).json()

    without_reason, taken_back = recall(office, slip, reason=" "), recall(office, slip, reason="nhầm túi")

    assert without_reason.status_code == 422
    assert taken_back.json()["state"]["code"] == "recalled"
    assert taken_back.json()["note"] == "nhầm túi"
    back = seen(office, centre.POSTAL, dossier)
    assert (back["paper_at"], back["travelling"], back["paper_note"]) == (centre.POST_HONG_GAI, None, "")
    assert events(office, centre.POSTAL, dossier) == ["dossier.paper_sent", "dossier.paper_recalled"]
    assert accept(office, slip).status_code == 409
    assert send(office, dossier).status_code == 201


def test_everything_that_keeps_dossiers_from_going_is_named_at_once_and_none_goes(office: Office) -> None:
    good, unfinished, travelling = received(office), draft(office), received(office)
    send(office, travelling)

    refused = send(office, good, unfinished, travelling, to=centre.UONG_BI)

    said = [e["message"] for e in refused.json()["errors"]]
    assert refused.status_code == 422
    assert {(code, sum(m.startswith(code) for m in said)) for code in (good["code"], unfinished["code"])} == {
        (good["code"], 1),
        (unfinished["code"], 2),
    }
    assert sum(m.startswith(travelling["code"]) for m in said) == 2
    assert seen(office, centre.POSTAL, good)["travelling"] is None


def test_paper_is_sent_only_by_who_holds_it(office: Office) -> None:
    dossier = received(office)

    refused = send(office, dossier, who=centre.CLERK, to=centre.POST_HONG_GAI)

    assert refused.status_code == 422
    assert "không ở cơ quan" in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize("to", ["", "000.99.99.H49"])
def test_an_unknown_receiver_is_not_found(office: Office, to: str) -> None:
    assert send(office, received(office), to=to).status_code == 404


def test_an_empty_slip_and_one_to_oneself_are_refused(office: Office) -> None:
    assert send(office).status_code == 422
    assert send(office, received(office), to=centre.POST_HONG_GAI).status_code == 422


def test_a_dossier_named_twice_lies_on_the_slip_once(office: Office) -> None:
    dossier = received(office)

    assert len(send(office, dossier, dossier).json()["lines"]) == 1


def test_what_is_said_to_be_missing_must_be_on_the_slip_and_have_a_note(office: Office) -> None:
    dossier = received(office)
    slip = send(office, dossier).json()

    refused = accept(office, slip, **{dossier["id"]: " ", str(uuid.uuid4()): "ở đâu ra"})

    assert refused.status_code == 422
    assert len(refused.json()["errors"]) == 2
    assert office.ask(centre.CLERK, "GET", f"/transfers/{slip['id']}").json()["state"]["code"] == "sent"


def test_of_two_who_accept_at_once_one_is_first(office: Office) -> None:
    dossiers = [received(office) for _ in range(3)]
    slip = send(office, *dossiers).json()
    waiting(office, centre.CLERK)  # signed in before the race

    assert at_once(*[lambda: accept(office, slip)] * 4) == [200, 409, 409, 409]
    assert events(office, centre.CLERK, dossiers[0]) == ["dossier.paper_sent", "dossier.paper_arrived"]


def test_taking_back_and_accepting_at_once_leave_one_holder(office: Office) -> None:
    dossier = received(office)
    slip = send(office, dossier).json()
    waiting(office, centre.CLERK)

    assert at_once(lambda: accept(office, slip), lambda: recall(office, slip)) == [200, 409]

    state = office.ask(centre.CLERK, "GET", f"/transfers/{slip['id']}").json()["state"]["code"]
    holder = {"accepted": centre.HONG_GAI, "recalled": centre.POST_HONG_GAI}[state]
    now = seen(office, centre.CLERK, dossier)
    assert (now["paper_at"], now["travelling"]) == (holder, None)


def test_a_dossier_put_on_two_slips_at_once_travels_in_one(office: Office) -> None:
    one, two = received(office), received(office)

    assert at_once(lambda: send(office, one, two), lambda: send(office, two, one)) == [201, 422]


def test_the_post_office_finds_what_it_still_has_to_send(office: Office) -> None:
    here, gone, unfinished = received(office), received(office), draft(office)
    send(office, gone)
    with office.services.begin() as work:
        postal, clerk = (work.accounts.of(who).actor for who in (centre.POSTAL, centre.CLERK))

    found = {str(d.id) for d in transfers.to_send(office.services.begin, by=postal)}

    assert here["id"] in found
    assert not {gone["id"], unfinished["id"]} & found
    assert here["id"] not in {str(d.id) for d in transfers.to_send(office.services.begin, by=clerk)}
