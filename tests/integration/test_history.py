"""What a dossier's history tells, and whom."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from api.demo import centre
from api.wiring import utc_now
from dossiers import holds
from dossiers.history import history_of
from dossiers.types import ResultState
from tests.integration import kept_office
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import scan_pdf
from tests.integration.test_api_transfers import received
from tests.integration.test_pages_post_office import text_of
from tests.integration.test_separator_sheets import person

if TYPE_CHECKING:
    from storage.database import PostgresUnitOfWork
    from tests.office import Office


def told(office: Office, who: str, dossier: dict[str, Any]) -> list[str]:
    return [line["event"] for line in ok(office.ask(who, "GET", f"/dossiers/{dossier['id']}/history"))]


def test_a_paper_that_was_scanned_again_keeps_its_history(office: Office) -> None:
    dossier = received(office)
    (first,) = ok(office.ask(centre.POSTAL, "GET", f"/dossiers/{dossier['id']}"))["components"]
    before = told(office, centre.POSTAL, dossier)

    again = scan_pdf(f"Giấy đề nghị {uuid.uuid4()}", "Trang hai")
    ok(
        office.ask(
            centre.POSTAL,
            "POST",
            f"/dossiers/{dossier['id']}/components",
            data={"kind": "DN", "replaces": first["id"]},
            files={"file": ("dn-2.pdf", again)},
        )
    )

    after = told(office, centre.POSTAL, dossier)
    assert after[: len(before)] == before, "nothing that was told is gone"
    assert sorted(after[len(before) :]) == ["component.received", "component.replaced"]
    assert "bản cũ vẫn giữ" in text_of(office.open(centre.POSTAL, f"/ho-so/{dossier['id']}"))


def test_of_a_result_that_isn_t_published_only_its_agency_reads_anything(office: Office) -> None:
    opened = received(office)
    assert opened["competent"] == centre.HONG_GAI
    clerk = person(office, centre.CLERK)
    with office.services.begin() as work:
        dossier = work.dossiers.by_code(opened["code"])
        result = work.e_results.keep(kept_office.e_result(dossier))
        work.audit.append(clerk, "e_result.drafted", result.id)

    assert "e_result.drafted" in told(office, centre.CLERK, opened)
    assert "e_result.drafted" not in told(office, centre.POSTAL, opened)


def test_by_whose_letter_a_dossier_is_held_is_told_to_those_who_took_it_in_or_decide_it(office: Office) -> None:
    keeper = next(x.username for x in centre.LOGINS if x.agency == centre.HONG_GAI and "seal_keeper" in {*x.roles})
    opened = received(office)
    assert (opened["helped_at"], opened["competent"]) == (centre.POST_HONG_GAI, centre.HONG_GAI)
    with office.services.begin() as work:
        dossier = work.dossiers.by_code(opened["code"])
    letter = "12/GM-TTr ngày 1/11/2026"
    holds.place(
        office.services.begin,
        dossier.id,
        reason="Thanh tra",
        reference=letter,
        by=person(office, keeper),
        now=utc_now(),
    )

    def letters(who: str) -> list[object]:
        lines = ok(office.ask(who, "GET", f"/dossiers/{opened['id']}/history"))
        return [line["detail"].get("reference") for line in lines if line["event"] == "hold.placed"]

    assert (letters(centre.CLERK), letters(centre.POSTAL)) == ([letter], [None])


def test_of_another_agency_s_published_result_no_more_is_told_than_that_it_is(work: PostgresUnitOfWork) -> None:
    own, other = kept_office.clerk_of(kept_office.COMMUNE), kept_office.clerk_of(kept_office.CENTRE)
    dossier = work.dossiers.keep(kept_office.dossier(competent=own.agency))
    result = work.e_results.keep(kept_office.e_result(dossier, state=ResultState.ISSUED))
    way = ["e_result.drafted", "e_result.returned", "e_result.trouble", "e_result.issued"]
    for event in way:
        work.audit.append(own, event, result.id)

    lines = {who.agency: [line.event for line in history_of(work, dossier, to=who)] for who in (own, other)}

    assert lines == {own.agency: way, other.agency: ["e_result.issued"]}
