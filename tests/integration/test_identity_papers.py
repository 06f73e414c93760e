"""Who looks at somebody's proof of identity stands in the log before the picture is given out."""

from __future__ import annotations

import io
import itertools
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from PIL import Image

from api.demo import centre
from dossiers import identity_papers
from tests import stacks
from tests.integration import kept_office
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import add, open_dossier, unique_scan
from tests.integration.test_api_parcels import by_desk, paired, papers
from tests.integration.test_pages_post_office import text_of
from tests.integration.test_separator_sheets import brought, opened

if TYPE_CHECKING:
    from storage.database import PostgresUnitOfWork
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
        ways = ("scan", "searchable", "text", "fields", "pages/1/picture", "pages/1/thumbnail", "pages/1/words")
        for way, _twice in itertools.product(ways, range(2)):
            answer = office.ask(centre.CLERK, "GET", f"{files}/{way}")
            assert answer.status_code == 200, answer.text
        assert office.open(centre.CLERK, f"/ho-so/{opened['id']}/giay-to/{paper}").status_code == 200

    looks = [(centre.CLERK, what) for what in ("scan", "searchable", "text", "fields", "picture")]
    assert seen(office, card) == looks  # one line for one look, also where it fetches twenty pictures
    assert seen(office, form) == []

    refused = office.ask(centre.LEADER, "GET", f"/dossiers/{opened['id']}/components/{card}/scan")
    assert [who for who, _ in seen(office, card)].count(centre.LEADER) == (refused.status_code == 200)


def test_the_scan_as_it_came_is_as_sensitive_as_the_card_in_it(office: Office) -> None:
    dossier = opened(office)
    other, card = "TK", "CC"
    scan = stacks.as_pdf(
        [
            stacks.sheet(dossier["code"], other),
            stacks.paper(),
            stacks.sheet(dossier["code"], card),
            stacks.paper("Thẻ thử"),
        ]
    )
    brought(office, dossier, scan)
    form, proof = papers(office, dossier)
    assert (form["kind"], proof["kind"]) == (other, card)
    page = text_of(office.open(centre.CLERK, f"/ho-so/{dossier['id']}"))
    assert "có giấy tờ tùy thân: lần mở nào cũng ghi nhật ký" in page
    assert seen(office, proof["id"]) == [], "to see the dossier is no look at the card"

    for paper in (form, proof, form):  # by whichever paper it is opened, it shows the card
        whole = office.open(centre.CLERK, f"/ho-so/{dossier['id']}/giay-to/{paper['id']}/ban-quet-goc")
        assert whole.content == scan
        assert whole.headers["cache-control"] == "private, no-store"

    assert seen(office, proof["id"]) == [(centre.CLERK, "whole")]
    assert seen(office, form["id"]) == []
    with office.services.begin() as work:
        opens = [line.event for line in work.audit.of(UUID(form["id"]))].count("scan.opened")
    assert opens == 2, "every opening stands there besides"
    for stranger in ("motcua.uongbi", "quantri"):
        refused = office.open(stranger, f"/ho-so/{dossier['id']}/giay-to/{form['id']}/ban-quet-goc")
        assert refused.status_code in (403, 404)
    assert [who for who, _ in seen(office, proof["id"])] == [centre.CLERK]


def test_a_card_that_was_scanned_again_or_parted_by_hand_is_still_in_the_scan(office: Office) -> None:
    dossier = opened(office)
    scan = stacks.as_pdf([stacks.paper(), stacks.paper("Thẻ thử")])
    brought(office, dossier, scan, kind="TK")
    (one,) = papers(office, dossier)
    form, card = ok(office.ask(centre.CLERK, "POST", f"{of(dossier, one)}/part", json={"page": 2, "kind": "CC"}))
    ok(
        office.ask(
            centre.CLERK,
            "POST",
            f"/dossiers/{dossier['id']}/components",
            data={"kind": "CC", "replaces": card["id"]},
            files={"file": ("a.png", unique_scan())},
        )
    )

    office.open(centre.CLERK, f"/ho-so/{dossier['id']}/giay-to/{form['id']}/ban-quet-goc")

    assert seen(office, card["id"]) == [(centre.CLERK, "whole")]


def test_what_a_refusal_shows_is_a_look_too(office: Office) -> None:
    """Who types over words without having seen them is told what stands there, by the page and by the API."""
    for by_page in (True, False):
        case = opened(office)
        brought(office, case, stacks.as_pdf([stacks.paper(f"Thẻ thử {uuid.uuid4()}")]), kind="CC")
        office.work_off()
        (card,) = papers(office, case)
        if by_page:
            address = f"/ho-so/{case['id']}/giay-to/{card['id']}"
            refused = office.send(centre.CLERK, address, {"f-signer": "a" * 4001, "xong": "1"})
        else:
            typed = {"words": [{"page": 1, "index": 0, "text": "Bản", "seen": "Tờ"}]}
            refused = office.ask(centre.CLERK, "PATCH", f"{of(case, card)}/corrections", json=typed)
        assert refused.status_code == (422 if by_page else 412)
        assert seen(office, card["id"]) == [(centre.CLERK, "text")]


def test_no_browser_keeps_a_picture_of_a_card_nor_what_it_says(office: Office) -> None:
    case = opened(office)
    for kind in ("CC", "TK"):
        brought(office, case, stacks.as_pdf([stacks.paper(f"Thẻ thử {uuid.uuid4()}")]), kind=kind)
    office.work_off()
    kept = {}
    for paper in papers(office, case):
        with office.services.begin() as work:
            (page,) = work.components.pages(UUID(paper["id"]))
        assert page.picture is not None
        named = {"v": page.picture.sha256[:12]}
        picture = office.ask(centre.CLERK, "GET", f"{of(case, paper)}/pages/1/picture", params=named)
        kept[paper["kind"]] = "immutable" in picture.headers["cache-control"]
        for what in ("text", "fields", "pages/1/words"):
            answer = office.ask(centre.CLERK, "GET", f"{of(case, paper)}/{what}")
            assert answer.headers["cache-control"] == "private, no-store"
    assert kept == {"CC": False, "TK": True}


def test_a_card_parted_out_of_another_paper_makes_that_one_as_sensitive(office: Office) -> None:
    case = opened(office)
    brought(office, case, stacks.as_pdf([stacks.paper(), stacks.paper("Thẻ thử")]), kind="TK")
    office.work_off()
    (one,) = papers(office, case)
    form, card = ok(office.ask(centre.CLERK, "POST", f"{of(case, one)}/part", json={"page": 2, "kind": "CC"}))

    for way in ("scan", "pages/2/picture"):
        assert office.ask(centre.CLERK, "GET", f"{of(case, one)}/{way}").status_code == 200
    small = office.ask(centre.CLERK, "GET", f"{of(case, one)}/pages/2/thumbnail")

    assert seen(office, card["id"]) == [(centre.CLERK, "scan"), (centre.CLERK, "picture")]
    assert seen(office, form["id"]) == []
    assert small.headers["cache-control"] == "private, no-store", "masked, as the card's own is"
    assert "immutable" not in small.headers["cache-control"]


def test_a_file_is_looked_at_as_the_paper_it_became_and_nowhere_else(office: Office) -> None:
    case = opened(office)
    _, token = paired(office)
    told = by_desk(office, token, unique_scan(), filename=f"{uuid.uuid4()}.png")
    address = f"/hop-nhan/{told['id']}/tep"
    assert office.open(centre.CLERK, address).status_code == 200

    where = f"/parcels/{told['id']}/attach"
    ok(office.ask(centre.CLERK, "POST", where, json={"dossier": case["code"], "kind": "CC"}))

    assert office.open(centre.CLERK, address).status_code == 404
    (card,) = papers(office, case)
    assert seen(office, card["id"]) == []


def test_previews_of_an_identity_paper_are_masked_and_of_other_papers_not(office: Office) -> None:
    dossier = opened(office)
    marks = stacks.white()
    for left in range(100, 1600, 60):
        marks.paste("black", (left, 200, left + 30, 2200))
    shown = {}
    for kind in ("CC", "TK"):
        marks.putpixel((5, len(kind) + ord(kind[0])), (200, 200, 200))
        paper = ok(
            office.ask(
                centre.CLERK,
                "POST",
                f"/dossiers/{dossier['id']}/components",
                data={"kind": kind},
                files={"file": (f"{kind}.pdf", stacks.as_pdf([marks]))},
            )
        )
        office.work_off()
        answer = office.ask(centre.CLERK, "GET", f"{of(dossier, paper)}/pages/1/thumbnail")
        assert answer.status_code == 200
        picture = Image.open(io.BytesIO(answer.content)).convert("L")
        assert picture.width == 240
        row = picture.crop((40, picture.height // 2, 200, picture.height // 2 + 1)).tobytes()
        shown[kind] = (max(row) - min(row), answer.headers["cache-control"], seen(office, paper["id"]))
    assert shown["TK"][0] > 150, "stripes 4 mm wide are seen on any other paper"
    assert shown["CC"][0] < 90, "and not on an identity paper"
    assert shown["CC"][1:] == ("private, no-store", []), "nobody has looked at it yet"
    tray = office.open(centre.CLERK, f"/ho-so/{dossier['id']}").text
    assert tray.count("ai mở xem đều ghi nhật ký") == 1


def test_what_a_card_says_stands_in_no_list(office: Office) -> None:
    dossier = opened(office)
    said = "Lê Văn Thử sinh ngày 5 tháng 3 năm 1985 thường trú phường Hồng Gai"
    for kind in ("CC", "TK"):
        scan = stacks.as_pdf([stacks.paper(f"{said} {kind}")])
        brought(office, dossier, scan, kind=kind)
    office.work_off()

    tray = office.open(centre.CLERK, f"/ho-so/{dossier['id']}").text

    assert tray.count('class="said"') == 1


def test_a_search_says_where_a_card_is_and_not_what_is_written_on_it(office: Office) -> None:
    dossier = opened(office)
    mark = f"{uuid.uuid4().int % 10**12:012d}"
    for kind in ("CC", "TK"):
        brought(office, dossier, stacks.as_pdf([stacks.paper(f"Số định danh {mark} của tờ {kind}")]), kind=kind)
    office.work_off()
    form, card = sorted(papers(office, dossier), key=lambda paper: str(paper["kind"]), reverse=True)
    assert (form["kind"], card["kind"]) == ("TK", "CC")

    hits = {hit["component_id"]: hit for hit in ok(office.ask(centre.CLERK, "GET", "/search", params={"q": mark}))}
    page = office.open(centre.CLERK, "/tim", params={"q": mark})

    assert {of: hit["withheld"] for of, hit in hits.items()} == {form["id"]: False, card["id"]: True}
    assert mark in hits[form["id"]]["snippet"]
    assert hits[card["id"]]["snippet"] == ""
    assert page.text.count(f"<mark>{mark}</mark>") == 1
    assert page.text.count('class="snippet"') == 1
    assert f"components/{card['id']}/" not in page.text
    assert f"giay-to/{card['id']}?trang=1&amp;tim={mark}" in page.text, "whoever wants to see it opens it"
    assert "lần mở nào cũng ghi nhật ký" in text_of(page)
    assert seen(office, card["id"]) == [], "nobody has looked at it yet"


def of(dossier: dict[str, Any], paper: dict[str, Any]) -> str:
    return f"/dossiers/{dossier['id']}/components/{paper['id']}"


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("Bản chụp giấy tờ tùy thân", "", True),
        ("Giấy tờ tuỳ thân", "", True),
        ("Thẻ CĂN CƯỚC", "", True),
        ("CMND mặt trước", "", True),
        ("Hộ chiếu", "", True),
        ("cccd001.jpg", "", True),
        ("cccdmattruoc.jpg", "", True),
        ("CanCuocCongDan.jpg", "", True),
        ("can-cuoc1.png", "", True),
        ("khaisinh.pdf", "", True),
        ("Trích lục khai sinh", "", True),
        ("Chứng minh thư", "", True),
        ("Giấy chứng minh quân nhân", "", True),
        ("Giấy tờ chứng minh thu nhập", "", False),
        ("Giấy tờ chứng minh quan hệ nhân thân", "", False),
        ("Tờ khai đăng ký khai sinh", "", False),
        ("Căn cứ pháp lý", "", False),
        ("Đơn đề nghị", "CĂN CƯỚC CÔNG DÂN\nCitizen Identity Card", True),
        ("Đơn đề nghị", "Số căn cước công dân: 022185000123", False),
        ("Đơn đề nghị", f"{'bản sao ' * 300}\nHỘ CHIẾU / PASSPORT", True),
        ("scan_0001.pdf", "DẤU VẾT RIÊNG VÀ DỊ HÌNH\nNGÓN TRỎ TRÁI", True),
        ("Đơn đề nghị", "Place of business: Ha Long. Origin: local", False),
        ("Tờ khai", "", False),
    ],
)
def test_an_identity_paper_is_known_by_its_name_or_its_print(
    work: PostgresUnitOfWork, name: str, text: str, *, is_one: bool
) -> None:
    paper = kept_office.kept_component(work, name=name, filename="a.pdf")
    work.components.keep_page(replace(kept_office.page(paper), text=text))
    another = kept_office.kept_component(work, name="Bản vẽ", filename="b.pdf")

    assert identity_papers.among(work, [paper, another]) == ({paper.id} if is_one else frozenset())
