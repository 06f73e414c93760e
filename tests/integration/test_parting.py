"""Two papers in one file, parted by a person: as if the separator sheet had been there, and readable."""

from __future__ import annotations

import hashlib
import threading
import uuid
from typing import TYPE_CHECKING, Any
from uuid import UUID

from api.demo import centre
from digitize import pipeline
from dossiers import digitization, parcels, parting, separation
from tests import stacks
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import add, open_dossier
from tests.integration.test_api_parcels import by_desk, paired, papers
from tests.integration.test_api_profiles import file_of
from tests.integration.test_pages_post_office import text_of
from tests.integration.test_separator_sheets import brought, bytes_of, kinds, opened, rows, stack

if TYPE_CHECKING:
    import pytest
    from PIL import Image

    from tests.office import Office

TEXT = "Ủy ban nhân dân phường Hồng Gai xác nhận ông Lê Văn Thử đã nộp đủ hồ sơ ngày 5 tháng 3 năm 2026 số 214 tờ 3"


def part(office: Office, dossier: dict[str, Any], paper: dict[str, Any], who: str = centre.CLERK, **at: Any) -> Any:
    return office.ask(who, "POST", f"/dossiers/{dossier['id']}/components/{paper['id']}/part", json=at)


def hashes(office: Office, dossier: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(paper["scan_sha256"], paper["whole_sha256"]) for paper in papers(office, dossier)]


def events(office: Office, component_id: str) -> list[str]:
    with office.services.begin() as work:
        return [line.event for line in work.audit.of(UUID(component_id))]


def test_a_ruined_sheet_parted_by_hand_gives_what_a_readable_one_would_have_given(office: Office) -> None:
    pages = [stacks.paper(f"{TEXT} {uuid.uuid4()}") for _ in range(4)]
    ruined = opened(office)
    first, second = kinds(office)[:2]
    readable = opened(office)

    def scanned(dossier: dict[str, Any], between: Image.Image) -> bytes:
        scan = stack(*pages[:2], between, *pages[2:])
        brought(office, dossier, scan, kind=first, pages_declared="4")
        return scan

    by_sheet = scanned(readable, stacks.sheet(readable["code"], second))
    by_hand = scanned(ruined, stacks.spoiled_sheet())
    (one,) = papers(office, ruined)
    assert one["trouble"] == "sheet_unread"
    assert "scan.parted" not in events(office, one["id"]), "a sheet that can't be read has parted nothing"
    assert "scan.parted" in events(office, papers(office, readable)[0]["id"])

    made = ok(part(office, ruined, one, page=3, is_sheet=True, kind=second))

    assert rows(office, ruined) == rows(office, readable) == [(first, 2, [1, 2], ""), (second, 2, [4, 5], "")]
    assert [sha256 for sha256, _ in hashes(office, ruined)] == [sha256 for sha256, _ in hashes(office, readable)]
    assert {whole for _, whole in hashes(office, ruined)} == {hashlib.sha256(by_hand).hexdigest()}
    assert {whole for _, whole in hashes(office, readable)} == {hashlib.sha256(by_sheet).hexdigest()}
    assert [paper["pages_declared"] for paper in papers(office, ruined)] == [2, 2], "the count agrees"
    kept = office.open(centre.CLERK, f"/ho-so/{ruined['id']}/giay-to/{made[0]['id']}/ban-quet-goc")
    assert kept.content == by_hand, "the scan as it came, its ruined sheet too"
    assert bytes_of(office, ruined, one["id"]) == by_hand, "what was one paper is superseded, never deleted"
    assert events(office, one["id"])[-1] == "component.parted"
    told = text_of(office.open(centre.CLERK, f"/ho-so/{ruined['id']}"))
    assert "tách tay một bản quét thành các giấy: trang 1–2 và 4–5; tờ ngăn: 3" in told
    office.work_off()
    assert {paper["state"]["code"] for paper in papers(office, ruined)} == {"read"}


def test_a_forgotten_sheet_is_a_cut_between_two_pages(office: Office) -> None:
    dossier = opened(office)
    first = kinds(office)[0]
    scan = stack(stacks.paper(), stacks.paper(), stacks.paper())
    brought(office, dossier, scan, kind=first, pages_declared="2")
    (one,) = papers(office, dossier)

    ok(part(office, dossier, one, page=2, name="Bản vẽ nhà"))

    assert rows(office, dossier) == [(first, 1, [1], ""), ("", 2, [2, 3], "")]
    assert [paper["name"] for paper in papers(office, dossier)][1] == "Bản vẽ nhà"
    assert [paper["pages_declared"] for paper in papers(office, dossier)] == [0, 2], (
        "two counted, three there: it shows"
    )


def test_pages_alike_to_the_last_byte_stay_two_papers(office: Office) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    page = stacks.paper()
    brought(office, dossier, stack(page, page), kind=first)
    (one,) = papers(office, dossier)

    ok(part(office, dossier, one, page=2, kind=second))

    assert rows(office, dossier) == [(first, 1, [1], ""), (second, 1, [2], "")]


def test_a_sheet_in_front_or_behind_is_taken_out_and_counts_in_no_paper(office: Office) -> None:
    first, second = kinds(office)[:2]
    for pages, at, left in (
        ((stacks.spoiled_sheet(), stacks.paper()), 1, (second, 1, [2], "")),
        ((stacks.paper(), stacks.spoiled_sheet()), 2, (first, 1, [1], "")),
    ):
        dossier = opened(office)
        brought(office, dossier, stack(*pages), kind=first)
        (one,) = papers(office, dossier)
        ok(part(office, dossier, one, page=at, is_sheet=True, kind=second))
        assert rows(office, dossier) == [left]


def test_a_second_ruined_sheet_is_still_asked_about(office: Office) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    scan = stack(stacks.paper(), stacks.spoiled_sheet(), stacks.paper(), stacks.spoiled_sheet(), stacks.paper())
    brought(office, dossier, scan, kind=first)
    (one,) = papers(office, dossier)

    _, rest = ok(part(office, dossier, one, page=2, is_sheet=True, kind=second))

    assert rows(office, dossier) == [(first, 1, [1], ""), (second, 3, [3, 4, 5], "sheet_unread")]
    ok(part(office, dossier, rest, page=2, is_sheet=True, kind=first))
    assert rows(office, dossier) == [(first, 1, [1], ""), (second, 1, [3], ""), (first, 1, [5], "")]
    assert len({whole for _, whole in hashes(office, dossier)}) == 1, "all of them are of the one scan that came"


def test_a_part_of_a_stack_is_parted_again_and_the_stack_sent_again_doubles_nothing(office: Office) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    scan = stack(stacks.sheet(dossier["code"], first), stacks.paper(), stacks.paper(), stacks.paper())
    brought(office, dossier, scan)
    (one,) = papers(office, dossier)

    ok(part(office, dossier, one, page=2, kind=second))

    assert rows(office, dossier) == [(first, 1, [2], ""), (second, 2, [3, 4], "")]
    assert {whole for _, whole in hashes(office, dossier)} == {hashlib.sha256(scan).hexdigest()}
    assert brought(office, dossier, scan).status_code == 409
    assert len(papers(office, dossier)) == 2


def test_of_a_stack_of_two_dossiers_only_the_own_part_is_opened(office: Office) -> None:
    one, other = opened(office), opened(office)
    kind = kinds(office)[0]
    scan = stack(
        stacks.sheet(one["code"], kind),
        stacks.paper(),
        stacks.paper(),
        stacks.sheet(other["code"], kind),
        stacks.paper(),
    )
    brought(office, one, scan)
    (paper,) = papers(office, one)

    made = ok(part(office, one, paper, page=2))

    assert {whole for _, whole in hashes(office, one)} == {paper["scan_sha256"]}
    kept = office.open(centre.CLERK, f"/ho-so/{one['id']}/giay-to/{made[1]['id']}/ban-quet-goc")
    assert hashlib.sha256(kept.content).hexdigest() == paper["scan_sha256"]
    assert brought(office, one, scan).status_code == 409
    assert (len(papers(office, one)), len(papers(office, other))) == (2, 1)


def test_what_was_read_and_corrected_goes_with_its_page_and_is_not_read_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    brought(office, dossier, stack(*(stacks.paper(f"{TEXT} {uuid.uuid4()}") for _ in range(3))), kind=first)
    office.work_off()
    (one,) = papers(office, dossier)
    here = f"/dossiers/{dossier['id']}/components/{one['id']}"
    read = ok(office.ask(centre.CLERK, "GET", f"{here}/pages/3/words"))
    typed = {
        "words": [{"page": 3, "index": 0, "text": "ĐÃ-SỬA", "seen": read["words"][0]["text"]}],
        "fields": [{"key": "symbol", "value": "XN-UBND", "seen": ""}],
    }
    ok(office.ask(centre.CLERK, "PATCH", f"{here}/corrections", json=typed))

    _, new = ok(part(office, dossier, one, page=2, kind=second))

    monkeypatch.setattr(pipeline, "read_page", None)  # whoever reads a page now, fails
    office.work_off()
    there = f"/dossiers/{dossier['id']}/components/{new['id']}"
    assert ok(office.ask(centre.CLERK, "GET", there))["state"]["code"] == "read"
    assert "ĐÃ-SỬA" in office.ask(centre.CLERK, "GET", f"{there}/text").text
    fields = [
        {field["key"]: field["value"] for field in ok(office.ask(centre.CLERK, "GET", f"{way}/fields"))}
        for way in (f"/dossiers/{dossier['id']}/components/{papers(office, dossier)[0]['id']}", there)
    ]
    assert fields[0]["symbol"] == "XN-UBND"
    assert fields[1].get("symbol") != "XN-UBND"


def test_two_clicks_at_once_and_a_reload_part_it_once(office: Office) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    brought(office, dossier, stack(stacks.paper(), stacks.paper()), kind=first)
    (one,) = papers(office, dossier)
    answers: list[Any] = []
    clicks = [
        threading.Thread(target=lambda: answers.append(part(office, dossier, one, page=2, kind=second)))
        for _ in range(2)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    answers.append(part(office, dossier, one, page=2, kind=second))

    assert [answer.status_code for answer in answers] == [200, 200, 200], [answer.text for answer in answers]
    assert len({tuple(paper["id"] for paper in answer.json()) for answer in answers}) == 1
    assert rows(office, dossier) == [(first, 1, [1], ""), (second, 1, [2], "")]
    other = part(office, dossier, one, page=1, is_sheet=True)
    assert (other.status_code, other.json()["code"]) == (409, "wrong_state"), "another cut isn't this one"


def test_a_break_anywhere_leaves_all_or_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that is injected: the process ends after the parts are stored, and again before the commit."""
    dossier = opened(office)
    first, second = kinds(office)[:2]
    brought(office, dossier, stack(stacks.paper(), stacks.spoiled_sheet(), stacks.paper()), kind=first)
    (one,) = papers(office, dossier)
    before = rows(office, dossier)

    def killed(*_: object, **__: object) -> None:
        raise InterruptedError

    for step in ("lay", "put_parts"):
        with monkeypatch.context() as patched:
            patched.setattr(separation, step, killed)
            assert part(office, dossier, one, page=2, is_sheet=True, kind=second).status_code == 500
        assert rows(office, dossier) == before
    with monkeypatch.context() as patched:
        patched.setattr(parting, "_pictures_follow", killed)  # all of it is laid, nothing committed
        assert part(office, dossier, one, page=2, is_sheet=True, kind=second).status_code == 500
    assert rows(office, dossier) == before

    ok(part(office, dossier, one, page=2, is_sheet=True, kind=second))
    assert rows(office, dossier) == [(first, 1, [1], ""), (second, 1, [3], "")]
    office.work_off()
    assert {paper["state"]["code"] for paper in papers(office, dossier)} == {"read"}


def test_a_page_at_work_when_its_paper_is_parted_is_read_in_its_new_paper(office: Office) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    brought(office, dossier, stack(stacks.paper(TEXT), stacks.paper("Trang hai")), kind=first)
    (one,) = papers(office, dossier)
    with office.services.begin() as work:
        page = work.components.pages(UUID(one["id"]))[1]
    ok(part(office, dossier, one, page=2, kind=second))

    digitization.read_page(
        office.services.begin,
        office.services.store,
        page.id,
        limits=office.services.limits,
        work_dir=office.services.work_dir,
    )
    with office.services.begin() as work:
        assert work.components.page(page.id).state.value == "received", "nobody wants it of the old paper any more"
    office.work_off()
    assert {paper["state"]["code"] for paper in papers(office, dossier)} == {"read"}


def test_a_machines_receipt_names_what_its_file_has_become(office: Office) -> None:
    dossier = opened(office)
    kind = kinds(office)[0]
    scan = stack(stacks.sheet(dossier["code"], kind), stacks.paper(), stacks.spoiled_sheet(), stacks.paper())
    told = by_desk(office, paired(office)[1], scan, filename="Scan_0077.pdf")
    (one,) = papers(office, dossier)

    ok(part(office, dossier, one, page=2, is_sheet=True))

    with office.services.begin() as work:
        parcel = work.parcels.of(by_whom(office), UUID(told["id"]))
    named = parcels.papers_of(office.services.begin, parcel, by=by_whom(office))
    assert [(code, paper.pages_total) for code, paper in named] == [(dossier["code"], 1), (dossier["code"], 1)]


def by_whom(office: Office) -> Any:
    with office.services.begin() as work:
        return work.accounts.of(centre.CLERK).actor


def test_who_may_not_and_what_is_signed_is_refused_in_words(office: Office) -> None:
    uong_bi = "motcua.uongbi"
    dossier = open_dossier(office, uong_bi)
    scan = stack(stacks.paper(TEXT), stacks.paper("Trang hai"))
    paper = ok(add(office, dossier, "a.pdf", scan, who=uong_bi))
    assert part(office, dossier, paper, page=2).status_code == 404, "another agency's"
    assert part(office, dossier, paper, page=9, who=uong_bi).status_code == 404
    page = f"/ho-so/{dossier['id']}/giay-to/{paper['id']}/trang"
    first = office.send(uong_bi, f"{page}/1/tach", {"la": "giay"})
    assert first.status_code == 409
    assert "Trang 1 mở đầu chính giấy này" in text_of(first)
    assert (
        office.ask(
            centre.LEADER, "POST", f"/dossiers/{dossier['id']}/components/{paper['id']}/part", json={"page": 2}
        ).status_code
        == 403
    )
    office.work_off()

    refused = part(office, dossier, paper, page=2, who=uong_bi)
    assert refused.status_code == 409, "the person who scanned has signed it"
    said = office.send(uong_bi, f"{page}/2/tach", {"la": "giay"})
    assert said.status_code == 409
    assert "đã ký hoặc đang ký nên không tách" in text_of(said)
    assert "tach" not in office.open(uong_bi, page).text
    signed = file_of(office, dossier, paper, "copy", uong_bi)
    came = opened(office)
    kept = ok(brought(office, came, signed))
    assert part(office, came, kept, page=2).status_code == 409
    shown = office.open(centre.CLERK, f"/ho-so/{came['id']}/giay-to/{kept['id']}/trang/2/tach")
    assert "giữ nguyên từng byte" in text_of(shown)


def test_a_given_up_dossier_keeps_its_papers_as_they_are(office: Office) -> None:
    dossier = opened(office)
    brought(office, dossier, stack(stacks.paper(), stacks.paper()), kind=kinds(office)[0])
    (one,) = papers(office, dossier)
    body = {"state": "cancelled", "reason": "người nộp rút hồ sơ"}
    assert office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/close", json=body).status_code == 200

    page = office.send(centre.CLERK, f"/ho-so/{dossier['id']}/giay-to/{one['id']}/trang/2/tach", {"la": "giay"})

    assert page.status_code == 409
    assert "không nhận hay đổi giấy tờ nữa" in text_of(page)
    assert len(papers(office, dossier)) == 1


def test_the_page_says_what_will_come_of_it_before_it_does_it(office: Office) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    brought(office, dossier, stack(stacks.paper(), stacks.spoiled_sheet(), stacks.paper()), kind=first)
    (one,) = papers(office, dossier)
    here = f"/ho-so/{dossier['id']}/giay-to/{one['id']}/trang"
    assert "Tách giấy" in text_of(office.open(centre.CLERK, f"/ho-so/{dossier['id']}"))
    assert f"{here}/2/tach" in office.open(centre.CLERK, here).text

    asked = office.open(centre.CLERK, f"{here}/2/tach")
    assert "Trang 2 là gì?" in text_of(asked)
    shown = text_of(office.open(centre.CLERK, f"{here}/2/tach?la=to-ngan&kind={second}&xem=1"))

    assert "không tính là trang của giấy nào; vẫn còn trong bản quét gốc" in shown
    assert "Tách thành hai giấy" in shown
    assert len(papers(office, dossier)) == 1, "nothing is done by looking"
    done = office.send(centre.CLERK, f"{here}/2/tach", {"la": "to-ngan", "kind": second})
    assert done.status_code == 200
    assert "Đã tách. Bản quét gốc giữ nguyên" in text_of(done)
    assert rows(office, dossier) == [(first, 1, [1], ""), (second, 1, [3], "")]
    again = office.send(centre.CLERK, f"{here}/2/tach", {"la": "to-ngan", "kind": second})
    assert again.status_code == 200
    assert rows(office, dossier) == [(first, 1, [1], ""), (second, 1, [3], "")]
    gone = office.open(centre.CLERK, f"{here}/2/tach")
    assert "đã tách, đã thay hoặc đã bỏ" in text_of(gone)
