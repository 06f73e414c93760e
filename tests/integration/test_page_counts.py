"""Pages of paper and pictures of them: receipts, slips and lists say the first, and both where they differ (C4)."""

from __future__ import annotations

import io
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pypdf
import pytest

from api.demo import centre
from dossiers import page_marks
from dossiers.page_marks import Counted
from tests import stacks
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_parcels import papers
from tests.integration.test_api_transfers import send
from tests.integration.test_pages_post_office import text_of
from tests.integration.test_separator_sheets import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image

    from tests.office import Office

TEXT = "Ủy ban nhân dân phường Hồng Gai xác nhận ông Lê Văn Thử đã nộp đủ hồ sơ ngày 5 tháng 3 năm 2026 số 214 tờ 3"


@pytest.mark.parametrize(
    ("pages", "images", "vi", "en"),
    [
        (12, 12, "12 trang", "12 pages"),
        (1, 1, "1 trang", "1 page"),
        (12, 14, "12 trang (14 ảnh)", "12 pages (14 images)"),
    ],
)
def test_pages_are_said_alone_where_pictures_agree(pages: int, images: int, vi: str, en: str) -> None:
    assert page_marks.amount(pages, images) == vi
    assert page_marks.amount(pages, images, "en") == en
    assert page_marks.amount(pages, images, bare=True) == vi.replace(" trang", "")


class Case:
    """A dossier that is ready to be received, its first paper of these pages."""

    def __init__(self, office: Office, pages: Sequence[Image.Image], who: str = centre.CLERK) -> None:
        self.office, self.who = office, who
        self.dossier = opened(office, who)
        with office.services.begin() as work:
            rows = work.procedures.of(self.dossier["procedure"]).components
        self.kinds = [kind.code for kind in rows]
        self.add(self.kinds[0], pages)
        for kind in rows[1:]:
            if kind.required:
                self.add(kind.code, [stacks.paper()])

    def add(self, kind: str, pages: Sequence[Image.Image], **form: str) -> dict[str, Any]:
        files = {"file": ("a.pdf", stacks.as_pdf(pages))}
        where = f"/dossiers/{self.dossier['id']}/components"
        added: dict[str, Any] = ok(self.office.ask(self.who, "POST", where, data={"kind": kind, **form}, files=files))
        return added

    @property
    def first(self) -> dict[str, Any]:
        """The paper of the first row."""
        return next(p for p in papers(self.office, self.dossier, self.who) if p["kind"] == self.kinds[0])

    def mark(self, number: int, **marks: Any) -> None:
        paper = self.first
        ok(
            self.office.ask(
                self.who,
                "PUT",
                f"/dossiers/{self.dossier['id']}/components/{paper['id']}/pages/{number}/marks",
                json=marks,
            )
        )

    def receive(self) -> dict[str, Any]:
        received: dict[str, Any] = ok(self.office.ask(self.who, "POST", f"/dossiers/{self.dossier['id']}/receive"))
        return received

    def receipt(self) -> dict[str, Any]:
        found: dict[str, Any] = ok(self.office.ask(self.who, "GET", f"/dossiers/{self.dossier['id']}/receipt"))
        return found

    def printed(self) -> str:
        form = self.office.ask(self.who, "GET", f"/dossiers/{self.dossier['id']}/receipt.pdf")
        assert form.status_code == 200, form.text
        return " ".join(
            " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(form.content)).pages).split()
        )

    def shown(self) -> str:
        return text_of(self.office.open(self.who, f"/ho-so/{self.dossier['id']}/giay-hen"))


def blank_back(case: Case) -> None:
    case.mark(3, left_out=True)


def note_on_a_page(case: Case) -> None:
    case.mark(2, without_note=1)


def separator_sheet(case: Case) -> None:
    ok(
        case.office.ask(
            case.who,
            "POST",
            f"/dossiers/{case.dossier['id']}/components/{case.first['id']}/part",
            json={"page": 3, "is_sheet": True},
        )
    )


@pytest.mark.parametrize(
    ("mark", "pages", "images"), [(blank_back, 2, 3), (note_on_a_page, 2, 3), (separator_sheet, 2, 2)]
)
def test_what_is_no_page_of_the_paper_counts_on_no_receipt(
    office: Office, mark: Callable[[Case], None], pages: int, images: int
) -> None:
    case = Case(office, [stacks.paper(f"{TEXT} {uuid.uuid4()}"), stacks.paper(), stacks.white()])
    mark(case)

    line = case.receive()["lines"][0] if mark is not separator_sheet else first_of(case)

    assert (line["pages"], line["images"]) == (pages, images)
    said = page_marks.amount(pages, images, bare=True)
    assert said in case.shown()
    assert said in case.printed()
    assert case.receipt()["changes"] == []


def first_of(case: Case) -> dict[str, Any]:
    """The line of the first row: a paper that gave way to its part has another number."""
    name = case.first["name"]
    lines = case.receive()["lines"]
    found: dict[str, Any] = next(line for line in lines if line["name"] == name)
    return found


def test_a_receipt_stays_as_it_was_given_and_says_what_was_marked_since(office: Office) -> None:
    case = Case(office, [stacks.paper(), stacks.paper(), stacks.white()])
    given = case.receive()
    assert (given["lines"][0]["pages"], given["lines"][0]["images"]) == (3, 3)

    blank_back(case)

    again = case.receipt()
    assert again["lines"] == given["lines"], "the citizen holds the same"
    name = given["lines"][0]["name"]
    assert [(c["kind"]["code"], c["name"], c["pages"], c["images"]) for c in again["changes"]] == [
        ("recounted", name, 2, 3)
    ]
    for printed in (case.shown(), case.printed()):
        assert "Thay đổi sau khi nhận (bảng trên là khi nhận)" in printed
        assert f"{name}, 2 trang (3 ảnh): đếm lại" in printed
    with office.services.begin() as work:
        entry = next(e for e in work.audit.of(UUID(case.dossier["id"])) if e.event == "dossier.received")
    assert entry.detail["papers"][0] == [given["lines"][0]["sha256"], 3, 3], "and the log can prove it"


def test_a_paper_parted_or_brought_after_reception_is_told_beside_the_receipt(office: Office) -> None:
    case = Case(office, [stacks.paper(), stacks.paper(), stacks.paper()])
    given = case.receive()
    case.add("", [stacks.paper()], name="Giấy nộp thêm")
    ok(
        office.ask(
            case.who,
            "POST",
            f"/dossiers/{case.dossier['id']}/components/{case.first['id']}/part",
            json={"page": 3, "name": "Giấy thứ hai"},
        )
    )

    again = case.receipt()

    assert again["lines"] == given["lines"]
    told = [(change["kind"]["code"], change["name"], change["pages"]) for change in again["changes"]]
    assert told[0] == ("gone", given["lines"][0]["name"], 3)
    assert sorted(told[1:]) == sorted(
        [("new", "Giấy nộp thêm", 1), ("new", given["lines"][0]["name"], 2), ("new", "Giấy thứ hai", 1)]
    )


def test_a_receipt_from_before_lines_were_kept_says_what_it_said(office: Office) -> None:
    case = Case(office, [stacks.paper(), stacks.paper(), stacks.white()])
    given = case.receive()
    with office.services.begin() as work:
        work.dossiers.keep(replace(work.dossiers.seen_by_job(UUID(case.dossier["id"])), receipt=()))

    blank_back(case)

    assert case.receipt()["lines"] == given["lines"]
    assert [change["kind"]["code"] for change in case.receipt()["changes"]] == ["recounted"]


def test_a_slip_says_pages_and_pictures_as_they_were_when_it_left(office: Office) -> None:
    case = Case(office, [stacks.paper(), stacks.paper(), stacks.white()], centre.POSTAL)
    blank_back(case)
    case.receive()
    others = len(papers(office, case.dossier)) - 1

    slip = ok(send(office, case.dossier))

    assert (slip["lines"][0]["pages"], slip["lines"][0]["images"]) == (2 + others, 3 + others)
    said = page_marks.amount(2 + others, 3 + others, bare=True)
    page = text_of(office.open(centre.POSTAL, f"/ban-giao/{slip['id']}"))
    assert f"{said} " in page
    counting = text_of(office.open(centre.CLERK, f"/ban-giao/{slip['id']}"))
    assert page_marks.amount(2 + others, 3 + others) in counting
    assert page_marks.amount(2 + others, 3 + others) in text_of(office.open(centre.POSTAL, "/ban-giao"))
    case.mark(3, left_out=False)
    kept = ok(office.ask(centre.POSTAL, "GET", f"/transfers/{slip['id']}"))
    assert kept["lines"] == slip["lines"], "a slip that has left doesn't change"


def test_the_queue_and_the_tray_say_the_same(own_office: Office) -> None:
    office = own_office  # the queue shows the first sixty
    case = Case(office, [stacks.paper(), stacks.paper(), stacks.white()])
    blank_back(case)
    count = sum((page_marks.counted([], paper["pages_total"]) for paper in papers(office, case.dossier)), Counted(0))
    said = page_marks.amount(count.images - 1, count.images)

    assert said in text_of(office.open(centre.CLERK, f"/ho-so/{case.dossier['id']}"))
    row = office.open(centre.CLERK, "/viec?loc=tat-ca").text.partition(f'id="row-{case.dossier["id"]}"')[2]
    assert said in row.partition("</tr>")[0]


def test_only_marked_pages_are_asked_for(office: Office) -> None:
    case = Case(office, [stacks.paper(), stacks.paper(), stacks.white()])
    blank_back(case)
    with office.services.begin() as work:
        components = work.components.of_dossier(UUID(case.dossier["id"]))
        marked = work.components.marked([component.id for component in components])
        counts = page_marks.counts(work, components)
        by_all = {c.id: page_marks.counted(work.components.pages(c.id)) for c in components}
    assert [page.number for page in marked] == [3]
    assert counts == by_all
