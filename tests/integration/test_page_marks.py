"""Pages left out of a copy and brought back, and pages scanned with and without a stuck-on note (C5)."""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING, Any

import pypdf

from api.demo import centre
from tests import stacks
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import add, open_dossier
from tests.integration.test_api_profiles import file_of
from tests.integration.test_pages_post_office import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from tests.office import Office

TEXT = "Ủy ban nhân dân phường Hồng Gai xác nhận ông Lê Văn Thử đã nộp đủ hồ sơ ngày 5 tháng 3 năm 2026 số 214 tờ 3"


class Paper:
    """A paper that was read, as a clerk meets it."""

    def __init__(self, office: Office, pages: Sequence[Image.Image], *, counted: int | None = None) -> None:
        self.office = office
        self.dossier = open_dossier(office)
        form = {"kind": "", "name": "Giấy thử"} | ({} if counted is None else {"pages_declared": str(counted)})
        where, files = f"/dossiers/{self.dossier['id']}/components", {"file": ("a.pdf", stacks.as_pdf(pages))}
        self.component = ok(office.ask(centre.CLERK, "POST", where, data=form, files=files))
        office.work_off()

    @property
    def here(self) -> str:
        return f"/dossiers/{self.dossier['id']}/components/{self.component['id']}"

    @property
    def page(self) -> str:
        return f"/ho-so/{self.dossier['id']}/giay-to/{self.component['id']}/trang"

    def mark(self, number: int, **marks: Any) -> Any:
        return self.office.ask(centre.CLERK, "PUT", f"{self.here}/pages/{number}/marks", json=marks)

    def review(self, **decided: Any) -> Any:
        return self.office.ask(centre.CLERK, "POST", f"{self.here}/review", json=decided)

    def pages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ok(self.office.ask(centre.CLERK, "GET", f"{self.here}/progress"))["pages"]
        return found

    def in_the_copy(self) -> int:
        made = file_of(self.office, self.dossier, self.component, "searchable", centre.CLERK)
        return len(pypdf.PdfReader(io.BytesIO(made)).pages)


def test_a_blank_page_is_suggested_left_out_by_a_person_and_never_gone(office: Office) -> None:
    paper = Paper(office, [stacks.paper(TEXT), stacks.white(), stacks.paper(f"{TEXT} {uuid.uuid4()}")], counted=2)
    assert "blank" in paper.pages()[1]["flags"]
    assert paper.in_the_copy() == 3, "a suggestion drops nothing"
    assert paper.review().status_code == 422, "two were counted, three are there"

    assert paper.mark(2, left_out=True).status_code == 200
    assert paper.review().status_code == 200, "now the dossier says why"
    office.work_off()

    assert paper.in_the_copy() == 2
    assert [page["left_out"] for page in paper.pages()] == [False, True, False]
    shown = text_of(office.open(centre.CLERK, paper.page))
    assert "2 trang trong bản số hóa · 1 trang để ngoài · 3 ảnh quét, giữ đủ · ✓ khớp số đếm tay 2" in shown
    scan = pypdf.PdfReader(io.BytesIO(file_of(office, paper.dossier, paper.component, "scan", centre.CLERK)))
    assert len(scan.pages) == 3

    brought = office.send(centre.CLERK, f"{paper.page}/2/de-ngoai", {"out": ""})
    assert brought.status_code == 200
    office.work_off()
    assert paper.in_the_copy() == 3, "the copy of a reviewed paper is made again"


def test_a_page_with_a_note_and_without_it_are_one_page_and_both_are_in_the_copy(office: Office) -> None:
    bare = stacks.paper(TEXT)
    noted = bare.copy()
    noted.paste((255, 240, 120), (700, 600, 1000, 800))
    paper = Paper(office, [noted, bare], counted=1)
    assert paper.review().status_code == 422

    linked = office.send(centre.CLERK, f"{paper.page}/1/ghi-chu", {"without": "2"})

    assert linked.status_code == 200
    assert "1 ảnh có giấy ghi chú" in text_of(linked)
    assert "không có giấy ghi chú; có: trang 1" in text_of(linked)
    assert [page["without_note"] for page in paper.pages()] == [2, None]
    assert all("same_again" not in page["flags"] for page in paper.pages())
    assert paper.review(keep_reason="").status_code == 200
    office.work_off()
    assert paper.in_the_copy() == 2
    history = text_of(office.open(centre.CLERK, f"/ho-so/{paper.dossier['id']}"))
    assert "khớp số đếm tay" in history


def test_the_log_says_of_which_page_it_was_a_note_before(office: Office) -> None:
    paper = Paper(office, [stacks.paper(TEXT), stacks.paper("Trang hai"), stacks.paper("Trang ba")])
    for without in (2, 3, None):
        assert paper.mark(1, without_note=without).status_code == 200

    lines = ok(office.ask(centre.CLERK, "GET", f"/dossiers/{paper.dossier['id']}/history"))
    told = [(x["event"], x["detail"]["was"], x["detail"]["without"]) for x in lines if "without" in x["detail"]]
    assert told == [("page.note_linked", None, 2), ("page.note_linked", 2, 3), ("page.note_unlinked", 3, 3)]


def test_what_cannot_be_marked_says_why_and_changes_nothing(office: Office) -> None:
    paper = Paper(office, [stacks.paper(TEXT), stacks.paper("Trang hai")])
    assert paper.mark(2, without_note=1).status_code == 200

    assert paper.mark(1, without_note=2).status_code == 409, "what is bare bears no note"
    assert paper.mark(2, without_note=2).status_code == 409
    assert paper.mark(9, left_out=True).status_code == 404
    assert paper.mark(2, left_out=True).status_code == 200
    last = office.send(centre.CLERK, f"{paper.page}/1/de-ngoai", {"out": "yes"})
    assert last.status_code == 409
    assert "ít nhất một trang" in text_of(last)
    assert [page["left_out"] for page in paper.pages()] == [False, True]
    assert office.open("motcua.coto", paper.page).status_code == 404, "another agency's"
    assert office.open(centre.LEADER, paper.page).status_code in (403, 404), "not theirs to do"


def test_a_signed_copy_keeps_its_pages(office: Office) -> None:
    uong_bi = "motcua.uongbi"
    dossier = open_dossier(office, uong_bi)
    component = ok(add(office, dossier, "a.pdf", stacks.as_pdf([stacks.paper(TEXT), stacks.white()]), who=uong_bi))
    office.work_off()
    path = f"/dossiers/{dossier['id']}/components/{component['id']}/pages/2/marks"

    assert office.ask(uong_bi, "PUT", path, json={"left_out": True}).status_code == 409
    page = office.open(uong_bi, f"/ho-so/{dossier['id']}/giay-to/{component['id']}/trang")
    assert "Bản số hóa đã ký" in text_of(page)
    assert 'name="out"' not in page.text
