"""Who looks at somebody's proof of identity stands in the log before the picture is given out."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from api.demo import centre
from dossiers import identity_papers
from tests.integration.kept_office import component, dossier, page
from tests.integration.test_api_intake import add, open_dossier, unique_scan

if TYPE_CHECKING:
    from tests.office import Office


def seen(office: Office, component_id: str) -> list[tuple[str, str]]:
    with office.services.begin() as work:
        lines = work.audit.of(UUID(component_id))
    return [(line.actor, line.detail["what"]) for line in lines if line.event == identity_papers.SEEN]


def test_every_way_to_look_at_an_identity_paper_is_in_the_log_and_of_other_papers_none(office: Office) -> None:
    opened = open_dossier(office)
    card = add(office, opened, "can-cuoc-cong-dan.png", unique_scan()).json()["id"]
    form = add(office, opened, "don.png", unique_scan()).json()["id"]
    office.work_off()
    for paper in (card, form):
        files = f"/dossiers/{opened['id']}/components/{paper}"
        ways = ("scan", "searchable", "text", "pages/1/picture", "pages/1/thumbnail", "pages/1/words")
        for way, _twice in itertools.product(ways, range(2)):
            answer = office.ask(centre.CLERK, "GET", f"{files}/{way}")
            assert answer.status_code == 200, answer.text
        assert office.open(centre.CLERK, f"/ho-so/{opened['id']}/giay-to/{paper}").status_code == 200

    looks = [(centre.CLERK, what) for what in ("scan", "searchable", "text", "picture")]
    assert seen(office, card) == looks  # one line for one look, also where it fetches twenty pictures
    assert seen(office, form) == []

    refused = office.ask(centre.LEADER, "GET", f"/dossiers/{opened['id']}/components/{card}/scan")
    assert [who for who, _ in seen(office, card)].count(centre.LEADER) == (refused.status_code == 200)


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("Bản chụp giấy tờ tùy thân", "", True),
        ("Giấy tờ tuỳ thân", "", True),
        ("Thẻ CĂN CƯỚC", "", True),
        ("CMND mặt trước", "", True),
        ("Hộ chiếu", "", True),
        ("Đơn đề nghị", "CĂN CƯỚC CÔNG DÂN\nCitizen Identity Card", True),
        ("Đơn đề nghị", "Số căn cước công dân: 022185000123", False),
        ("Tờ khai", "", False),
    ],
)
def test_an_identity_paper_is_known_by_its_name_or_its_print(name: str, text: str, *, is_one: bool) -> None:
    paper = component(dossier(), name=name, filename="a.pdf")
    assert identity_papers.is_identity_paper(paper, [replace(page(paper), text=text)]) is is_one
