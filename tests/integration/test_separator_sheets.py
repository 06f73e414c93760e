"""A stack with separator sheets, through every door: each paper in its row, the scan kept as it came, nothing lost."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from api.demo import centre
from digitize import load
from dossiers import parcels
from tests import stacks
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import add, open_dossier
from tests.integration.test_api_parcels import TUS, begun, by_desk, metadata, paired, papers, person, receipt, send
from tests.integration.test_api_profiles import file_of
from tests.integration.test_pages_post_office import text_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from PIL import Image

    from tests.office import Office

BUSINESS = "1.001612"


def opened(office: Office, who: str = centre.CLERK) -> dict[str, Any]:
    body = {"procedure": BUSINESS, "applicant": {"name": "Nguyễn Thị Thử"}}
    answer = office.ask(who, "POST", "/dossiers", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def kinds(office: Office) -> list[str]:
    with office.services.begin() as work:
        return [kind.code for kind in work.procedures.of(BUSINESS).components]


def stack(*pages: Image.Image) -> bytes:
    return stacks.as_pdf(pages)


def brought(office: Office, dossier: dict[str, Any], scan: bytes, **form: str) -> Any:
    files = {"file": ("chong.pdf", scan)}
    return office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/components", data=form, files=files)


def rows(office: Office, dossier: dict[str, Any]) -> list[tuple[str, int, list[int], str]]:
    return [(p["kind"], p["pages_total"], p["whole_numbers"], p["trouble"]) for p in papers(office, dossier)]


def bytes_of(office: Office, dossier: dict[str, Any], component: str, what: str = "scan") -> bytes:
    answer = office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}/components/{component}/{what}")
    assert answer.status_code == 200, answer.text
    content: bytes = answer.content
    return content


def test_a_stack_becomes_the_papers_of_its_rows_and_the_scan_stays_as_it_came(office: Office, tmp_path: Path) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    pages = [stacks.paper() for _ in range(3)]
    scan = stack(stacks.sheet(dossier["code"], first), *pages[:2], stacks.sheet(dossier["code"], second), pages[2])

    answer = brought(office, dossier, scan, pages_declared="3")

    assert answer.status_code == 201, answer.text
    assert rows(office, dossier) == [(first, 2, [2, 3], ""), (second, 1, [5], "")]
    whole = hashlib.sha256(scan).hexdigest()
    assert {paper["whole_sha256"] for paper in papers(office, dossier)} == {whole}
    assert [paper["pages_declared"] for paper in papers(office, dossier)] == [2, 1], "the count agrees"
    kept = office.open(centre.CLERK, f"/ho-so/{dossier['id']}/giay-to/{answer.json()['id']}/ban-quet-goc")
    assert kept.content == scan
    part = tmp_path / "part.pdf"
    part.write_bytes(bytes_of(office, dossier, papers(office, dossier)[1]["id"]))
    came = tmp_path / "whole.pdf"
    came.write_bytes(scan)
    assert (load.page(part, 1).pixels == load.page(came, 5).pixels).all()


def test_a_count_that_does_not_agree_shows(office: Office) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    scan = stack(
        stacks.sheet(dossier["code"], first), stacks.paper(), stacks.sheet(dossier["code"], second), stacks.paper()
    )

    brought(office, dossier, scan, pages_declared="5")

    assert [(paper["pages_declared"], paper["pages_total"]) for paper in papers(office, dossier)] == [(4, 1), (1, 1)]


def test_pages_before_the_first_sheet_are_what_their_sender_said(office: Office) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]

    brought(office, dossier, stack(stacks.paper(), stacks.sheet(dossier["code"], second), stacks.paper()), kind=first)

    assert rows(office, dossier) == [(first, 1, [1], ""), (second, 1, [3], "")]


def test_the_same_stack_again_is_known(office: Office) -> None:
    dossier = opened(office)
    scan = stack(stacks.sheet(dossier["code"], kinds(office)[0]), stacks.paper())
    assert brought(office, dossier, scan).status_code == 201

    assert brought(office, dossier, scan).status_code == 409
    assert len(papers(office, dossier)) == 1


def test_sheets_alone_are_no_paper_and_say_what_to_do(office: Office) -> None:
    dossier = opened(office)
    scan = stack(*(stacks.sheet(dossier["code"], kind) for kind in kinds(office)[:2]))

    answer = brought(office, dossier, scan)

    assert (answer.status_code, answer.json()["reason"]) == (422, "only_sheets")
    assert "Đặt giấy sau mỗi tờ ngăn" in answer.json()["message"]
    assert papers(office, dossier) == []
    page = office.send(centre.CLERK, f"/ho-so/{dossier['id']}/giay-to", {"kind": ""}, files={"file": ("a.pdf", scan)})
    assert page.status_code == 422
    assert "Đặt giấy sau mỗi tờ ngăn" in text_of(page)


def test_a_sheet_of_another_dossier_sends_its_pages_there_and_shows_no_page_of_the_one_in_the_other(
    office: Office,
) -> None:
    one, other = opened(office), opened(office)
    kind = kinds(office)[0]
    scan = stack(
        stacks.sheet(one["code"], kind), stacks.paper(), stacks.sheet(other["code"], kind), *[stacks.paper()] * 2
    )

    answer = brought(office, one, scan)

    assert answer.status_code == 201, answer.text
    assert rows(office, one) == [(kind, 1, [2], "")]
    assert rows(office, other) == [(kind, 2, [4, 5], "")]
    for dossier in (one, other):
        (paper,) = papers(office, dossier)
        assert paper["whole_sha256"] is None, "a scan with another dossier's pages is nobody's to open"
        page = office.open(centre.CLERK, f"/ho-so/{dossier['id']}/giay-to/{paper['id']}/ban-quet-goc")
        assert page.status_code == 404


def test_a_person_is_told_of_a_sheet_whose_dossier_cannot_be_had_and_nothing_is_taken(office: Office) -> None:
    dossier = opened(office)
    scan = stack(
        stacks.sheet(dossier["code"], kinds(office)[0]),
        stacks.paper(),
        stacks.sheet("000.00.01.H49-200101-9999", "X"),
        stacks.paper(),
    )

    answer = brought(office, dossier, scan)

    assert (answer.status_code, answer.json()["code"]) == (409, "sheet_astray")
    assert answer.json()["of"] == "000.00.01.H49-200101-9999"
    assert papers(office, dossier) == []
    page = office.send(centre.CLERK, f"/ho-so/{dossier['id']}/giay-to", {"kind": ""}, files={"file": ("a.pdf", scan)})
    assert page.status_code == 409
    assert "000.00.01.H49-200101-9999" in text_of(page)


def test_a_machines_stack_finds_its_dossier_by_its_sheets_alone(office: Office) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    scan = stack(
        stacks.sheet(dossier["code"], first), stacks.paper(), stacks.sheet(dossier["code"], second), stacks.paper()
    )

    told = by_desk(office, paired(office)[1], scan, filename="Scan_0042.pdf")

    assert (told["state"]["code"], told["sha256"]) == ("taken", hashlib.sha256(scan).hexdigest())
    assert [(one["dossier"], one["ordinal"], one["pages"]) for one in told["papers"]] == [
        (dossier["code"], 1, 1),
        (dossier["code"], 2, 1),
    ]
    assert rows(office, dossier) == [(first, 1, [2], ""), (second, 1, [4], "")]


def test_what_no_dossier_takes_waits_in_the_inbox_and_a_person_lays_it_where_it_belongs(office: Office) -> None:
    dossier = opened(office)
    kind = kinds(office)[0]
    scan = stack(
        stacks.paper(),
        stacks.sheet(dossier["code"], kind),
        stacks.paper(),
        stacks.sheet("000.00.01.H49-200101-9999", "X"),
        stacks.paper(),
        stacks.paper(),
    )
    name = f"{uuid.uuid4()}.pdf"

    by_desk(office, paired(office)[1], scan, filename=name)

    assert rows(office, dossier) == [(kind, 1, [3], "")]
    waiting = [p for p in parcels.waiting(office.services.begin, by=person(office, centre.CLERK)) if p.filename == name]
    assert sorted((p.trouble, p.pages) for p in waiting) == [("before_first_sheet", 1), ("sheet_dossier_unknown", 2)]
    shown = text_of(office.open(centre.CLERK, "/hop-nhan"))
    assert "không có, hoặc không thuộc cơ quan này" in shown
    for parcel in waiting:
        page = office.send(centre.CLERK, f"/hop-nhan/{parcel.id}/gan", {"dossier": dossier["code"]})
        assert page.status_code == 200, text_of(page)
    assert sorted(paper["pages_total"] for paper in papers(office, dossier)) == [1, 1, 2]


def test_a_stack_of_an_unknown_dossier_waits_whole_and_goes_where_a_person_says(office: Office) -> None:
    dossier = opened(office)
    kind = kinds(office)[0]
    scan = stack(stacks.sheet("000.00.01.H49-200101-9998", kind), stacks.paper())
    told = by_desk(office, paired(office)[1], scan, filename="Scan_0001.pdf")
    assert (told["state"]["code"], told["trouble"], told["sha256"]) == (
        "waiting",
        "sheet_dossier_unknown",
        hashlib.sha256(scan).hexdigest(),
    )

    page = office.send(centre.CLERK, f"/hop-nhan/{told['id']}/gan", {"dossier": dossier["code"]})

    assert page.status_code == 200, text_of(page)
    assert rows(office, dossier) == [(kind, 1, [2], "")]


def test_a_closed_dossiers_stack_waits_with_its_reason(office: Office) -> None:
    dossier = opened(office)
    body = {"state": "cancelled", "reason": "người nộp rút hồ sơ"}
    assert office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/close", json=body).status_code == 200
    scan = stack(stacks.sheet(dossier["code"], kinds(office)[0]), stacks.paper())

    told = by_desk(office, paired(office)[1], scan, filename="Scan_0001.pdf")

    assert (told["state"]["code"], told["trouble"]) == ("waiting", "sheet_dossier_closed")


def test_what_a_sheet_leaves_in_doubt_is_asked_and_answered_at_the_review(office: Office) -> None:
    dossier = opened(office)
    kind = kinds(office)[0]
    scan = stack(stacks.sheet(dossier["code"], kind), stacks.paper("Đơn"), stacks.spoiled_sheet(), stacks.paper("Hai"))
    paper = brought(office, dossier, scan).json()
    assert rows(office, dossier) == [(kind, 3, [2, 3, 4], "sheet_unread")]
    assert "giống tờ ngăn" in text_of(office.open(centre.CLERK, f"/ho-so/{dossier['id']}"))
    office.work_off()
    here = f"/dossiers/{dossier['id']}/components/{paper['id']}"
    state = office.ask(centre.CLERK, "GET", here).json()
    assert (state["state"]["code"], state["trouble"]) == ("read", "sheet_unread"), "reading goes on meanwhile"

    refused = office.ask(centre.CLERK, "POST", f"{here}/review", json={})
    assert (refused.status_code, refused.json()["reason"]) == (422, "rescan"), refused.text
    assert "sheet_unread" in refused.text
    assert "giống tờ ngăn" in text_of(office.open(centre.CLERK, f"/ho-so/{dossier['id']}/giay-to/{paper['id']}"))

    answered = office.ask(centre.CLERK, "POST", f"{here}/review", json={"keep_reason": "Là trang của đơn"})
    assert answered.status_code == 200, answered.text
    assert answered.json()["trouble"] == ""


def test_a_row_that_the_procedure_does_not_have_is_asked_about(office: Office) -> None:
    dossier = opened(office)

    brought(office, dossier, stack(stacks.sheet(dossier["code"], "LA"), stacks.paper()))

    (paper,) = papers(office, dossier)
    assert (paper["kind"], paper["trouble"], paper["name"]) == ("", "sheet_kind_unknown", "Giấy theo tờ ngăn LA")


def test_a_signed_stack_is_kept_whole(office: Office, tmp_path: Path) -> None:
    uong_bi = "motcua.uongbi"
    first = open_dossier(office, uong_bi)
    scan = stack(stacks.spoiled_sheet(), stacks.paper())
    paper = ok(add(office, first, "a.pdf", scan, who=uong_bi))
    office.work_off()
    signed = file_of(office, first, paper, "copy", uong_bi)
    (tmp_path / "signed.pdf").write_bytes(signed)
    assert load.inspect(tmp_path / "signed.pdf").signed
    dossier = opened(office)

    came = brought(office, dossier, signed).json()

    assert (came["signed_scan"], came["whole_numbers"], came["trouble"]) == (True, [], "")
    assert came["scan_sha256"] == hashlib.sha256(signed).hexdigest()


def test_a_stack_in_parts_over_a_line_is_parted_the_same(office: Office) -> None:
    dossier = opened(office)
    first, second = kinds(office)[:2]
    scan = stack(
        stacks.sheet(dossier["code"], first), stacks.paper(), stacks.sheet(dossier["code"], second), stacks.paper()
    )
    where = begun(office, scan, dossier=dossier["id"], pages_declared="2")

    assert send(office, where, scan, 0).status_code == 204

    told = receipt(office, where)
    assert [one["ordinal"] for one in told["papers"]] == [1, 2]
    assert office.ask(centre.CLERK, "HEAD", where, headers=TUS).headers["upload-offset"] == str(len(scan))
    assert rows(office, dossier) == [(first, 1, [2], ""), (second, 1, [4], "")]


def test_a_break_after_the_papers_were_laid_in_doubles_nothing(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault that is injected: the process ends between the two commits."""
    one, other = opened(office), opened(office)
    kind = kinds(office)[0]
    scan = stack(
        stacks.paper(),
        stacks.sheet(one["code"], kind),
        stacks.paper(),
        stacks.sheet(other["code"], kind),
        stacks.paper(),
    )
    name, bearer = f"{uuid.uuid4()}.pdf", {"authorization": f"Bearer {paired(office)[1]}"}
    headers = {**TUS, **bearer, "upload-length": str(len(scan)), "upload-metadata": metadata(filename=name)}
    where = office.ask("", "POST", "/parcels", headers=headers).headers["location"].removeprefix("/api/v1")

    def killed(*_: object, **__: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr(parcels, "_keep_over", killed)
        assert send(office, where, scan, 0, "", **bearer).status_code == 500
    assert send(office, where, b"", len(scan), "", **bearer).status_code == 204

    assert office.ask("", "GET", where, headers=bearer).json()["state"]["code"] == "taken"
    assert (len(papers(office, one)), len(papers(office, other))) == (1, 1)
    waiting = [p for p in parcels.waiting(office.services.begin, by=person(office, centre.CLERK)) if p.filename == name]
    assert [(p.trouble, p.pages) for p in waiting] == [("before_first_sheet", 1)]


def test_the_printed_page_has_a_sheet_for_each_row_chosen(office: Office) -> None:
    dossier = opened(office)
    here = f"/ho-so/{dossier['id']}/to-ngan"

    every, one = (
        office.open(centre.CLERK, here),
        office.open(centre.CLERK, f"{here}?giay={kinds(office)[0]}&giay=nonsense"),
    )

    assert every.text.count('class="sheet-a4 separator"') == len(kinds(office)) + 1
    assert one.text.count('class="sheet-a4 separator"') == 1
    assert office.open(centre.CLERK, f"/ho-so/{uuid.uuid4()}/to-ngan").status_code == 404
    assert office.open("motcua.coto", here).status_code == 404, "another agency's"
