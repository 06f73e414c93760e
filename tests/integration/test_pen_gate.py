"""A decision whose number a hand filled in: nobody calls it reviewed before a person has said what stands there."""

from __future__ import annotations

import io
import uuid
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import cv2
import numpy as np
from PIL import Image

from api.demo import centre
from digitize.types import Flag
from dossiers import reader_report
from dossiers.digitization import KEPT_READING
from dossiers.types import ComponentState, PageState
from tests.integration.test_api_corrections import Paper
from tests.integration.test_api_e_results import ok
from tests.papers import decision_pdf, scan_png, scanned

if TYPE_CHECKING:
    from tests.office import Office

SEVEN = [[(0.0, 0.95), (0.85, 1.05), (0.4, -0.1)], [(0.1, 0.5), (0.75, 0.55)]]
TWO = [[(0.1, 0.8), (0.45, 1.1), (0.8, 0.85), (0.1, -0.05), (0.95, 0.08)]]


def by_hand() -> bytes:
    """A decision with its printed number painted over and another one written there, in blue."""
    pixels = np.asarray(
        Image.open(io.BytesIO(scanned(decision_pdf(number=8888, dated=date(2026, 3, 5)), dpi=300)))
    ).copy()
    left, top, right, bottom = number_box(pixels)
    pixels[top - 8 : bottom + 8, left:right] = 255
    x, height = left + 4, bottom - top
    for digit in (TWO, SEVEN):
        for stroke in digit:
            points = np.array(
                [[x + px * 0.75 * height, bottom + 3 - py * 1.15 * height] for px, py in stroke], np.int32
            )
            cv2.polylines(pixels, [points], isClosed=False, color=(40, 60, 170), thickness=7, lineType=cv2.LINE_AA)
        x += round(height)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", dpi=(300, 300))
    return file.getvalue()


def number_box(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """Where "8888" is printed: found as four equal shapes in a row, left of the middle."""
    ink = (pixels[: pixels.shape[0] // 3, : pixels.shape[1] // 2].min(axis=2) < 140).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    shapes = sorted((tuple(map(int, row[:4])) for row in stats[1:]), key=lambda s: s[0])
    for one in shapes:
        alike = [s for s in shapes if max(abs(s[i] - one[i]) for i in (1, 2, 3)) <= 1]
        row = [s for s in alike if 0 <= s[0] - one[0] < 4 * one[2]]
        if len(row) == 4:
            return row[0][0] - 3, one[1], row[-1][0] + row[-1][2] + 3, one[1] + one[3]
    raise AssertionError("no number on the page")


def settle(paper: Paper, **values: str) -> None:
    """Type these fields, whatever stood there."""
    stood = paper.fields()
    ok(paper.correct(fields=[(key, value, stood[key]["value"]) for key, value in values.items()]))


def test_a_number_by_hand_holds_up_the_review_until_a_person_has_settled_it(office: Office) -> None:
    paper = Paper(office, by_hand())

    assert paper.fields()["number"]["doubt"] == "by_hand"
    assert paper.fields()["issued_on"]["doubt"] is None
    refused = paper.ask("POST", "/review", json={})
    assert refused.status_code == 422
    assert refused.json()["reason"] == "by_hand"
    assert [each["message"] for each in refused.json()["errors"]] == ["number"]
    page = office.open(centre.CLERK, f"/ho-so/{paper.dossier['id']}/giay-to/{paper.component['id']}").text
    assert "số viết tay" in page
    assert "nhìn ảnh mà gõ" in page

    settle(paper, number="27")
    assert paper.fields()["number"]["doubt"] is None
    assert ok(paper.ask("POST", "/review", json={}))["state"]["code"] == "reviewed"


def test_a_person_may_say_that_there_is_no_number_or_that_nobody_can_read_it(office: Office) -> None:
    paper = Paper(office, by_hand() + uuid.uuid4().bytes)

    settle(paper, number="[không đọc được]")
    field = paper.fields()["number"]
    assert (field["value"], field["origin"], field["by"]) == ("", "unreadable", centre.CLERK)
    settle(paper, number="[không có]")
    assert paper.fields()["number"]["origin"] == "absent"
    settle(paper, number="28")
    assert paper.fields()["number"]["value"] == "28"

    assert ok(paper.ask("POST", "/review", json={}))["state"]["code"] == "reviewed"


def test_the_report_counts_what_people_changed_by_field_and_by_flag_and_tells_no_value(office: Office) -> None:
    begin = office.services.begin
    before = reader_report.report(begin)
    paper = Paper(office, by_hand() + uuid.uuid4().bytes)
    settle(paper, number="31", document_type="Quy định", type_code="QD")
    assert reader_report.report(begin) == before, "nothing counts before the paper is reviewed"
    ok(paper.ask("POST", "/review", json={}))

    after = reader_report.report(begin)
    fields, was = ({f.key: f for f in r.fields} for r in (after, before))
    empty = reader_report.FieldReport("")
    assert fields["document_type"].sure_changed == was.get("document_type", empty).sure_changed + 1
    assert fields["issued_on"].sure_changed == was.get("issued_on", empty).sure_changed
    assert fields["type_code"].filled_in == was.get("type_code", empty).filled_in + 1
    number = fields["number"]
    assert number.filled_in + number.doubtful_changed > sum(
        (was.get("number", empty).filled_in, was.get("number", empty).doubtful_changed)
    )
    assert number.sure_changed == was.get("number", empty).sure_changed, "what a pen wrote was never shown as sure"
    inked = next(f for f in after.flags if f.flag == "handwritten_number")
    assert inked.pages >= 1


def change_page(office: Office, paper: Paper, component_state: ComponentState, **changes: Any) -> None:
    """Put a paper's only page into another condition."""
    with office.services.begin() as work:
        component = work.components.lock(UUID(paper.component["id"]))
        (page,) = work.components.pages(component.id)
        work.components.keep_page(replace(page, **changes))
        work.components.keep(replace(component, state=component_state))


def test_a_page_read_again_keeps_what_a_person_corrected_and_a_poor_one_goes_whole_to_a_person(office: Office) -> None:
    paper = Paper(office, scan_png("Đơn đề nghị cấp giấy phép", str(uuid.uuid4())))
    index, word = next((i, w["text"]) for i, w in enumerate(paper.words()) if w["text"] == "cấp")
    ok(paper.correct(words=[(index, "CẤP LẠI", word)]))
    aside = {"state": PageState.SET_ASIDE, "trouble": "reader_timeout"}
    change_page(office, paper, ComponentState.SET_ASIDE, **aside)
    ok(paper.ask("POST", "/retry"))
    office.work_off()

    assert paper.state() == "read"
    assert "CẤP LẠI" in paper.text()
    assert paper.words()[index]["corrected"]

    poor = {"flags": (Flag.DOUBTFUL_READING,), "measured": {"expected_wer": 14.0, KEPT_READING: 1.0}}
    change_page(office, paper, ComponentState.READ, **poor)
    address = f"/ho-so/{paper.dossier['id']}/giay-to/{paper.component['id']}"
    page = office.open(centre.CLERK, address).text
    assert "ước chừng 14 chữ sai trong 100" in page
    assert "Máy đã đọc lại trang này" in page
    assert '<details class="whole-text" data-text open data-lines>' in page
