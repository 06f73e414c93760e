"""The review, the signing of copies and the search, as a browser without scripts meets them."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from api.demo import centre
from digitize.types import Flag
from dossiers.calendar import local_day
from dossiers.types import AgencyKind, Component, ComponentState
from tests.integration.test_api_e_results import ok
from tests.papers import decision_pdf, scan_pdf, scan_png, scanned

if TYPE_CHECKING:
    from tests.office import Office

OTHERS_CLERK = "motcua.coto"
UONG_BI = "motcua.uongbi"
HOSTILE = "\"><script>alert('x')</script>&lt;b&gt;"


class Form(HTMLParser):
    """What a browser would send of the page's main form, before anybody types."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.labels: list[str] = []
        self._area = ""
        self._in_form = 0
        self._in_label = False
        self.feed(re.sub(r"<template.*?</template>", "", html, flags=re.DOTALL))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "input" and name and given.get("type") != "checkbox":
            self.values[name] = given.get("value") or ""
        if tag == "textarea":
            self._area = name
            self.values[name] = ""
        self._in_label = tag == "label"

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        if tag == "label":
            self._in_label = False

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data
        elif self._in_label:
            self.labels.append(data.strip())


class Case:
    """A dossier with papers that were read."""

    def __init__(
        self, office: Office, *scans: bytes, who: str = centre.CLERK, name: str = "Lê Thị Hoa Mai", **declared: int
    ) -> None:
        self.office = office
        opened = ok(office.ask(who, "POST", "/dossiers", json={"procedure": "1.001612", "applicant": {"name": name}}))
        self.id, self.code = opened["id"], opened["code"]
        self.papers = [
            ok(
                office.ask(
                    who,
                    "POST",
                    f"/dossiers/{self.id}/components",
                    data={"name": f"Giấy {number}", **{k: str(v) for k, v in declared.items()}},
                    files={"file": (f"{number}.png", scan)},
                )
            )["id"]
            for number, scan in enumerate(scans, start=1)
        ]
        office.work_off()

    def at(self, number: int = 0) -> str:
        return f"/ho-so/{self.id}/giay-to/{self.papers[number]}"

    @property
    def signing(self) -> str:
        return f"/ho-so/{self.id}/ky-ban-sao"

    def form(self, number: int = 0, who: str = centre.CLERK) -> dict[str, str]:
        page = self.office.open(who, self.at(number))
        assert page.status_code == 200, page.text
        return {name: value for name, value in Form(page.text).values.items() if name[:2] in ("f-", "w-", "tr", "ke")}

    def component(self, number: int = 0) -> Component:
        with self.office.services.begin() as work:
            return work.components.of(UUID(self.papers[number]))

    def change(self, number: int = 0, **changes: Any) -> None:
        with self.office.services.begin() as work:
            work.components.keep(replace(work.components.lock(UUID(self.papers[number])), **changes))

    def values(self, number: int = 0) -> dict[str, Any]:
        path = f"/dossiers/{self.id}/components/{self.papers[number]}/fields"
        return {f["key"]: f for f in ok(self.office.ask(centre.CLERK, "GET", path))}


def scan(*lines: str, dpi: int = 200) -> bytes:
    return scan_png(*(lines or ("Đơn đề nghị",)), str(uuid.uuid4()), dpi=dpi)


def decision(number: int) -> bytes:
    return scanned(decision_pdf(number=number, dated=date(2026, 3, 5)))


def test_a_paper_is_reviewed_without_scripts_and_leads_on_to_the_next_one(office: Office) -> None:
    case = Case(office, decision(741), scan())
    form = case.form()

    assert form["f-issued_on"] == "05/03/2026"
    assert form["f-issued_on-seen"] == "2026-03-05"
    changed = form | {"f-issued_on": "6/3/2026", "f-signer": "Trần Thị Bé", "xong": "1"}
    answer = office.send(centre.CLERK, case.at(), changed)

    assert answer.url.path == case.at(1)
    assert "Đây là giấy tiếp theo" in answer.text
    assert case.component().state is ComponentState.REVIEWED
    fields = case.values()
    assert (fields["issued_on"]["value"], fields["issued_on"]["origin"]) == ("2026-03-06", "corrected")
    assert (fields["signer"]["value"], fields["signer"]["by"]) == ("Trần Thị Bé", centre.CLERK)
    assert fields["number"]["by"] == "", "what nobody touched is nobody's"

    last = office.send(centre.CLERK, case.at(1), case.form(1) | {"xong": "1"})
    assert last.url.path == f"/ho-so/{case.id}"


def poor(case: Case) -> None:
    """Its only page was read poorly."""
    with case.office.services.begin() as work:
        (page,) = work.components.pages(UUID(case.papers[0]))
        work.components.keep_page(replace(page, flags=(Flag.DOUBTFUL_READING,), measured={"expected_wer": 9.0}))


def test_a_page_that_was_read_poorly_is_gone_through_line_by_line_without_scripts(office: Office) -> None:
    case = Case(office, scan("Tờ khai lệ phí", "trước bạ nhà đất"), who=centre.POSTAL)
    poor(case)
    form = case.form() | lines_in(office.open(centre.CLERK, case.at()).text)
    assert not any(name.startswith("w-") for name in form), "words aren't asked for twice"
    assert [value for name, value in form.items() if name.startswith("l-") and not name.endswith("-seen")][:2] == [
        "Tờ khai lệ phí",
        "trước bạ nhà đất",
    ]

    office.send(centre.CLERK, case.at(), form | {"l-1-0": "Phiếu  khai lệ phí", "xong": "0"})
    page = office.open(centre.CLERK, case.at()).text
    assert "Phiếu khai lệ phí" in page
    assert page.count("✓ đã sửa, máy đọc “Tờ khai lệ phí”") == 1

    late = office.send(centre.POSTAL, case.at(), form | {"l-1-0": "Tờ khai án phí", "xong": "1"})
    assert late.status_code == 412
    assert 'href="#l-1-0"' in late.text
    again = lines_in(late.text)
    assert (again["l-1-0"], again["l-1-0-seen"]) == ("Tờ khai án phí", "Phiếu khai lệ phí")
    office.send(centre.POSTAL, case.at(), form | again | {"xong": "1"})
    assert case.component().state is ComponentState.REVIEWED
    assert [w["text"] for w in words_of(case)[:4]] == ["Tờ", "khai", "án", "phí"]
    # Reviewed again: lines are kept with the rest, in one go.
    reviewed = case.form() | lines_in(office.open(centre.CLERK, case.at()).text)
    office.work_off()
    office.send(centre.CLERK, case.at(), reviewed | {"l-1-0": "Tờ khai lệ phí", "xong": "1"})
    assert [w["text"] for w in words_of(case)[:4]] == ["Tờ", "khai", "lệ", "phí"]


def lines_in(html: str) -> dict[str, str]:
    return {name: value for name, value in Form(html).values.items() if name.startswith("l-")}


def test_what_is_saved_without_finishing_waits_for_its_review(office: Office) -> None:
    case = Case(office, scan("Tờ khai lệ phí"))
    words = ok(office.ask(centre.CLERK, "GET", f"/dossiers/{case.id}/components/{case.papers[0]}/pages/1/words"))
    raw = words["words"][0]["raw"]
    typed = {"w-1-0": "Phiếu", "w-1-0-seen": raw, "trang": "1", "xong": "0"}

    answer = office.send(centre.CLERK, case.at(), case.form() | typed)

    assert "Đã lưu những gì vừa sửa" in answer.text
    assert case.component().state is ComponentState.READ
    assert case.form()["w-1-0"] == "Phiếu", "a corrected word stays on the page"
    again = office.send(centre.CLERK, case.at(), case.form() | {"xong": "0"})
    assert again.status_code == 200
    path = f"/dossiers/{case.id}/history"
    events = [line["event"] for line in ok(office.ask(centre.CLERK, "GET", path))]
    assert events.count("component.corrected") == 1, "nothing new, nothing written down"


def test_another_s_change_is_shown_beside_mine_and_saving_again_keeps_mine(office: Office) -> None:
    case = Case(office, scan(), who=centre.POSTAL)
    form = case.form()
    theirs = {"fields": [{"key": "signer", "value": "Trần Thị Bình", "seen": ""}]}
    path = f"/dossiers/{case.id}/components/{case.papers[0]}"
    ok(office.ask(centre.POSTAL, "PATCH", f"{path}/corrections", json=theirs))

    refused = office.send(centre.CLERK, case.at(), form | {"f-signer": "Lê Văn Thử", "xong": "1"})

    assert refused.status_code == 412
    assert 'href="#f-signer"' in refused.text
    assert "Nguyễn Thị Lựu" in refused.text, "the person who was faster is named"
    both = Form(refused.text).values
    assert (both["f-signer"], both["f-signer-seen"]) == ("Lê Văn Thử", "Trần Thị Bình")
    assert case.component().state is ComponentState.READ
    assert case.values()["signer"]["value"] == "Trần Thị Bình"

    mine = {name: value for name, value in both.items() if name[:2] in ("f-", "w-")}
    office.send(centre.CLERK, case.at(), mine | {"xong": "1"})
    assert case.values()["signer"]["value"] == "Lê Văn Thử"
    assert case.component().state is ComponentState.REVIEWED


def test_another_s_answer_in_place_of_a_value_is_shown_beside_mine_and_can_be_taken_back(office: Office) -> None:
    case = Case(office, scan(), who=centre.POSTAL)
    form = case.form()
    office.send(centre.POSTAL, case.at(), form | {"f-number": "[không có]", "xong": "0"})

    refused = office.send(centre.CLERK, case.at(), form | {"f-number": "27", "xong": "1"})

    assert refused.status_code == 412
    assert "Nguyễn Thị Lựu vừa ghi" in " ".join(refused.text.split())
    both = inputs(refused.text)
    assert (both["f-number"], both["f-number-seen"]) == ("27", "[không có]")
    assert (case.values()["number"]["origin"], case.component().state) == ("absent", ComponentState.READ)
    office.send(centre.CLERK, case.at(), both | {"xong": "0"})
    assert (case.values()["number"]["value"], case.values()["number"]["by"]) == ("27", centre.CLERK)

    # And the other way round: what they typed isn't passed over by an answer.
    late = office.send(centre.POSTAL, case.at(), form | {"f-number": "[không đọc được]", "xong": "0"})
    assert late.status_code == 412
    office.send(centre.POSTAL, case.at(), inputs(late.text) | {"xong": "0"})
    assert case.values()["number"]["origin"] == "unreadable"
    shown = case.form(who=centre.POSTAL)
    assert shown["f-number"] == shown["f-number-seen"] == "[không đọc được]"
    office.send(centre.POSTAL, case.at(), shown | {"xong": "0"})
    assert case.values()["number"]["origin"] == "unreadable", "what nobody touched stays"
    office.send(centre.POSTAL, case.at(), shown | {"f-number": "", "xong": "0"})
    assert case.values()["number"]["origin"] == "typed"


def test_a_doubtful_scan_is_kept_only_with_a_reason_and_everything_wrong_is_listed(office: Office) -> None:
    case = Case(office, scan(dpi=150), pages_declared=2)
    page = office.open(centre.CLERK, case.at()).text
    assert f"/ho-so/{case.id}?thay={case.papers[0]}" in page
    for wrong in ("Trang 1: dưới 200 dpi", "Quầy đếm 2 trang, bản quét có 1 trang"):
        assert wrong in page

    refused = office.send(centre.CLERK, case.at(), case.form() | {"f-signer": "Trần Thị Bình", "xong": "1"})

    assert refused.status_code == 422
    assert refused.text.count('<a href="#keep_reason">') == 2
    assert case.component().state is ComponentState.READ
    kept = office.send(centre.CLERK, case.at(), case.form() | {"keep_reason": "bản duy nhất", "xong": "1"})
    assert kept.status_code == 200
    assert case.component().keep_reason == "bản duy nhất"
    office.work_off()
    assert "bản duy nhất" in office.open(centre.CLERK, case.signing).text


def test_a_reviewed_paper_can_be_reviewed_again_in_one_go(office: Office) -> None:
    case = Case(office, scan())
    office.send(centre.CLERK, case.at(), case.form() | {"xong": "1"})
    office.work_off()
    before = case.component().revision

    office.send(centre.CLERK, case.at(), case.form() | {"f-scope": "toàn quốc", "xong": "1"})

    assert case.values()["scope"]["value"] == "toàn quốc"
    assert case.component().revision == before + 1


def words_of(case: Case) -> list[dict[str, Any]]:
    path = f"/dossiers/{case.id}/components/{case.papers[0]}/pages/1/words"
    words: list[dict[str, Any]] = ok(case.office.ask(centre.CLERK, "GET", path))["words"]
    return words


def inputs(html: str) -> dict[str, str]:
    return {name: value for name, value in Form(html).values.items() if name[:2] in ("f-", "w-")}


def test_what_was_typed_while_somebody_else_finished_is_not_lost(office: Office) -> None:
    case = Case(office, scan("Tờ khai lệ phí trước bạ"), who=centre.POSTAL)
    form, sure = case.form(), words_of(case)[-1]
    name = f"w-1-{sure['index']}" if "index" in sure else f"w-1-{len(words_of(case)) - 1}"
    theirs = case.form(who=centre.POSTAL) | {"f-position": "Chủ tịch", "f-scope": "toàn quốc", "xong": "1"}
    office.send(centre.POSTAL, case.at(), theirs)
    typed = {"f-signer": "Lê Văn Thử", "f-scope": "trong tỉnh", name: "hạ", f"{name}-seen": sure["text"]}

    late = office.send(centre.CLERK, case.at(), form | typed | {"xong": "0"})

    assert late.status_code == 409
    assert "Người khác vừa soát xong giấy này" in late.text
    shown = inputs(late.text)
    assert (shown["f-signer"], shown["f-scope"], shown[name]) == ("Lê Văn Thử", "trong tỉnh", "hạ")
    assert shown["f-position"] == "Chủ tịch", "what nobody touched is shown as it is now"
    assert case.values()["signer"]["value"] == ""

    both = office.send(centre.CLERK, case.at(), shown | {"xong": "1"})
    assert both.status_code == 412, "the other's scope was never seen"
    assert 'href="#f-scope"' in both.text
    assert "toàn quốc" in both.text
    assert case.values()["signer"]["value"] == ""

    office.send(centre.CLERK, case.at(), inputs(both.text) | {"xong": "1"})
    kept = case.values()
    assert [kept[key]["value"] for key in ("signer", "scope", "position")] == ["Lê Văn Thử", "trong tỉnh", "Chủ tịch"]
    assert words_of(case)[-1]["text"] == "hạ"


def test_what_was_typed_on_a_paper_that_can_no_longer_be_changed_can_still_be_read(office: Office) -> None:
    case = Case(office, scan())
    form, word = case.form(), words_of(case)[0]["text"]
    case.change(state=ComponentState.SIGNING)
    typed = {"f-signer": HOSTILE, "f-issued_on": "6/3/2026", "w-1-0": "Phiếu", "w-1-0-seen": word}

    for finished in ("0", "1"):
        late = office.send(centre.CLERK, case.at(), form | typed | {"xong": finished})

        assert late.status_code == 409
        assert "Bạn đã gõ, chưa lưu:" in late.text
        assert "<dd>6/3/2026</dd>" in late.text
        assert "<dd>Phiếu</dd>" in late.text
        assert "alert(" in late.text
        assert "<script>alert" not in late.text
    case.change(state=ComponentState.READ)
    assert case.values()["signer"]["value"] == ""


def test_finishing_from_an_old_page_overwrites_nobody(office: Office) -> None:
    case = Case(office, scan(), who=centre.POSTAL)
    office.send(centre.CLERK, case.at(), case.form() | {"xong": "1"})
    office.work_off()
    old, raw = case.form(), words_of(case)[0]["text"]
    word = {"w-1-0-seen": raw, "xong": "1"}
    office.send(centre.POSTAL, case.at(), old | word | {"f-signer": "Trần Thị Bình", "w-1-0": "Phiếu"})

    late = office.send(centre.CLERK, case.at(), old | word | {"f-signer": "Lê Văn Thử", "w-1-0": "Bản"})

    assert late.status_code == 412
    assert 'href="#f-signer"' in late.text
    assert 'href="#w-1-0"' in late.text
    assert late.text.count("Nguyễn Thị Lựu vừa ghi") == 2
    assert (case.values()["signer"]["value"], words_of(case)[0]["text"]) == ("Trần Thị Bình", "Phiếu")


def test_nothing_a_paper_or_a_person_says_becomes_part_of_the_page(office: Office) -> None:
    case = Case(office, scan(), name=HOSTILE)
    path = f"/dossiers/{case.id}/components/{case.papers[0]}"
    raw = ok(office.ask(centre.CLERK, "GET", f"{path}/pages/1/words"))["words"][0]["raw"]
    typed = {
        "fields": [{"key": "signer", "value": HOSTILE, "seen": ""}, {"key": "abstract", "value": HOSTILE, "seen": ""}],
        "words": [{"page": 1, "index": 0, "text": HOSTILE, "seen": raw}],
    }
    ok(office.ask(centre.CLERK, "PATCH", f"{path}/corrections", json=typed))
    case.change(name=HOSTILE, keep_reason=HOSTILE, pages_declared=9)

    found = office.open(centre.CLERK, "/tim", params={"q": "script alert"})
    pages = [office.open(centre.CLERK, case.at()), office.open(centre.CLERK, case.signing), found]
    pages.append(office.open(centre.CLERK, "/tim", params={"q": HOSTILE}))
    pages.append(office.send(centre.CLERK, case.at(), {"keep_reason": HOSTILE, "f-signer": HOSTILE, "xong": "1"}))

    for page in pages:
        assert page.status_code < 500
        assert "<script>alert" not in page.text
    assert case.code in found.text
    form = Form(pages[0].text).values
    assert (form["f-signer"], form["f-abstract"].strip(), form["w-1-0"]) == (HOSTILE, HOSTILE, HOSTILE)


def test_what_a_form_or_an_address_may_hold_is_bounded_and_refused_in_words(office: Office) -> None:
    case = Case(office, scan())

    long = office.send(centre.CLERK, case.at(), {"f-signer": "a" * 4001, "xong": "1"})
    unknown = office.send(centre.CLERK, case.at(), {"f-nonsense": "a", "xong": "1"})
    nowhere = office.send(centre.CLERK, case.at(), {"w-99-0": "a", "xong": "1"})
    nul = office.send(centre.CLERK, case.at(), {"f-signer": "a\0b"})
    case.change(state=ComponentState.REVIEWED)
    made_up = [{"f-zzz_unknown": "a", "xong": "1"}, {"w-1-999999": "a", "xong": "1"}]
    assert [office.send(centre.CLERK, case.at(), form).status_code for form in made_up] == [404, 404]
    assert "zzz_unknown" not in case.values()
    case.change(state=ComponentState.READ)

    assert (long.status_code, unknown.status_code, nowhere.status_code, nul.status_code) == (422, 404, 404, 400)
    assert "dài quá mức lưu được" in long.text
    for number in ("0", "99", "-3", "abc"):
        assert office.open(centre.CLERK, f"{case.at()}?trang={number}").status_code in (200, 422)
        assert office.send(centre.CLERK, case.at(), {"trang": number, "xong": "0"}).status_code == 200
    assert case.component().state is ComponentState.READ


def test_another_agency_finds_none_of_it(office: Office) -> None:
    case = Case(office, scan())
    other = Case(office, scan())
    pages = (case.at(), f"{case.at()}/tinh-hinh", f"{case.at()}/chu-ky", case.signing, f"{case.signing}/danh-sach")

    assert {office.open(OTHERS_CLERK, page).status_code for page in pages} == {404}
    assert office.send(OTHERS_CLERK, case.at(), {"xong": "1"}).status_code == 404
    assert office.send(OTHERS_CLERK, case.signing, {"password": centre.PASSWORD, "giay": "x"}).status_code == 404
    assert "Thử ít chữ hơn" in office.open(OTHERS_CLERK, "/tim", params={"q": case.code}).text
    mixed = f"/ho-so/{other.id}/giay-to/{case.papers[0]}"
    assert office.open(centre.CLERK, mixed).status_code == 404
    assert office.send(centre.CLERK, mixed, {"xong": "1"}).status_code == 404
    assert case.component().state is ComponentState.READ


def test_who_may_only_look_gets_no_form(office: Office) -> None:
    case = Case(office, decision(742))

    page = office.open(centre.LEADER, case.at())

    assert page.status_code == 200
    assert 'name="xong"' not in page.text
    assert 'name="f-number"' not in page.text
    assert "Chỉ xem" in page.text
    assert ">742 <" in page.text
    assert office.send(centre.LEADER, case.at(), {"xong": "1"}).status_code == 403
    assert office.open("quantri", case.at()).status_code == 403


def test_each_state_says_what_is_going_on_and_what_can_be_done(office: Office) -> None:
    case = Case(office, scan_pdf("Trang một", f"Trang hai {uuid.uuid4()}"))
    case.change(state=ComponentState.RECEIVED)
    reading = office.open(centre.CLERK, case.at())
    assert "Máy đang đọc giấy này" in reading.text
    assert 'hx-trigger="every 1s"' in reading.text
    same = office.open(centre.CLERK, f"{case.at()}/tinh-hinh?tu=received-1")
    assert "hx-refresh" not in same.headers

    case.change(state=ComponentState.READ)
    over = office.open(centre.CLERK, f"{case.at()}/tinh-hinh?tu=received-1")
    assert over.headers["hx-refresh"] == "true"

    case.change(state=ComponentState.SET_ASIDE, trouble="reader_timeout")
    stopped = office.open(centre.CLERK, case.at())
    assert "Máy đọc chữ quá thời gian" in stopped.text
    assert f"/ho-so/{case.id}?thay={case.papers[0]}" in stopped.text
    again = office.send(centre.CLERK, f"{case.at()}/doc-lai", {"ve": "https://elsewhere.example/"})
    assert again.url.path == case.at()
    assert case.component().state is ComponentState.RECEIVED
    office.work_off()
    assert case.component().state is ComponentState.READ
    assert office.send(centre.CLERK, f"{case.at()}/doc-lai").status_code == 409

    case.change(state=ComponentState.REVIEWED)
    typing = office.open(centre.CLERK, f"{case.at()}/tinh-hinh?tu=reviewed-0")
    assert "hx-refresh" not in typing.headers, "somebody may be typing there"
    assert "Đã soát, chờ ký" in typing.text

    case.change(state=ComponentState.REPLACED)
    assert "đã được thay bằng bản khác" in office.open(centre.CLERK, case.at()).text


def test_a_page_without_words_says_so(office: Office) -> None:
    case = Case(office, scan_png("#h(1pt)"))

    page = office.open(centre.CLERK, case.at())

    assert "Trang không có chữ" in page.text


def test_a_scan_that_came_signed_is_kept_and_its_signatures_are_judged_now(office: Office) -> None:
    first = Case(office, scan("Giấy xác nhận"), who=UONG_BI)
    signed = office.ask(UONG_BI, "GET", f"/dossiers/{first.id}/components/{first.papers[0]}/copy").content
    case = Case(office, signed)

    page = office.open(centre.CLERK, case.at())
    judged = office.open(centre.CLERK, f"{case.at()}/chu-ky")
    office.send(centre.CLERK, case.at(), case.form() | {"xong": "1"})

    assert "Giữ nguyên, đã có chữ ký số" in page.text
    assert "Bùi Đình Hiếu" in judged.text
    assert office.open(centre.CLERK, f"{first.at()}/chu-ky").status_code == 404
    assert "Đã có chữ ký số từ trước, giữ nguyên" in office.open(centre.CLERK, case.signing).text
    assert office.ask(centre.CLERK, "GET", f"/dossiers/{case.id}/components/{case.papers[0]}/copy").content == signed


def choices(html: str) -> list[str]:
    return re.findall(r'name="giay" id="[^"]+" value="([^"]+)"', html)


def test_copies_are_signed_with_one_password_each_for_itself(office: Office) -> None:
    case = Case(office, scan(), scan(), scan(), scan())
    for number in (0, 1, 2):
        office.send(centre.CLERK, case.at(number), case.form(number) | {"xong": "1"})
    assert "đang làm lại lớp chữ" in office.open(centre.CLERK, case.signing).text
    refreshed = office.open(centre.CLERK, f"{case.signing}/danh-sach?san=0")
    assert "hx-refresh" not in refreshed.headers
    office.work_off()
    assert office.open(centre.CLERK, f"{case.signing}/danh-sach?san=0").headers["hx-refresh"] == "true"
    page = office.open(centre.CLERK, case.signing).text
    asked = choices(page)

    assert "Ký 3 bản số hóa" in page
    assert "Chưa soát" in page
    assert case.component().scan.sha256 in page
    assert "200 dpi" in page
    assert ">Sao y<" in page
    wrong = office.send(centre.CLERK, case.signing, {"password": "sai", "giay": asked[:2]})
    assert wrong.status_code == 401
    assert "Mật khẩu không đúng, chưa ký gì" in wrong.text
    assert "Ký 2 bản số hóa" in wrong.text, "what was chosen stays chosen"
    none = office.send(centre.CLERK, case.signing, {"password": centre.PASSWORD})
    assert none.status_code == 422
    assert {case.component(n).state for n in (0, 1, 2)} == {ComponentState.REVIEWED}

    office.send(centre.CLERK, case.at(1), case.form(1) | {"f-signer": "Lê Văn Thử", "xong": "1"})
    office.work_off()
    partly = office.send(centre.CLERK, case.signing, {"password": centre.PASSWORD, "giay": asked})
    assert "1 giấy không được gửi ký" in partly.text
    assert "Người khác vừa thay đổi" in partly.text
    assert [case.component(n).state for n in (0, 1, 2)] == [
        ComponentState.SIGNING,
        ComponentState.REVIEWED,
        ComponentState.SIGNING,
    ]
    assert "Đang ký" in office.open(centre.CLERK, f"{case.signing}/danh-sach?san=1").text

    office.work_off()
    later = office.open(centre.CLERK, case.signing).text
    assert later.count("✓ Đã ký") == 2
    assert f"/api/v1/dossiers/{case.id}/components/{case.papers[0]}/copy" in later
    rest = office.send(centre.CLERK, case.signing, {"password": centre.PASSWORD, "giay": choices(later)})
    assert "Đã gửi ký" in rest.text
    office.work_off()
    assert case.component(1).copy is not None


def test_a_copy_whose_signing_stopped_gives_its_reason_and_can_be_taken_up_again(office: Office) -> None:
    case = Case(office, scan())
    office.send(centre.CLERK, case.at(), case.form() | {"xong": "1"})
    office.work_off()
    case.change(state=ComponentState.SET_ASIDE, trouble="signing_certificate_expired")

    page = office.open(centre.CLERK, case.signing)
    assert "Chứng thư số đã hết hạn nên chưa ký gì" in page.text
    back = office.send(centre.CLERK, f"{case.at()}/doc-lai", {"ve": case.signing})
    office.work_off()

    assert back.url.path == case.signing
    assert "Ký 1 bản số hóa" in office.open(centre.CLERK, case.signing).text


def test_postal_staff_see_who_signs_and_cannot_sign_themselves(office: Office) -> None:
    case = Case(office, scan(), who=centre.POSTAL)
    office.send(centre.POSTAL, case.at(), case.form(who=centre.POSTAL) | {"xong": "1"})
    office.work_off()

    page = office.open(centre.POSTAL, case.signing)
    given = f"{case.papers[0]}:{case.component().revision}"
    answer = office.send(centre.POSTAL, case.signing, {"password": centre.PASSWORD, "giay": given})

    assert 'type="password"' not in page.text
    assert "Vũ Thị Mỹ Duyên" in page.text
    assert answer.status_code == 403
    assert case.component().state is ComponentState.REVIEWED


def test_a_dossier_without_papers_says_so_on_the_signing_page(office: Office) -> None:
    assert "chưa có giấy tờ nào" in office.open(centre.CLERK, Case(office).signing).text


def test_the_search_finds_names_without_accents_and_ranks_exact_ones_first(office: Office) -> None:
    mark = f"Q{uuid.uuid4().hex[:10]}"
    road = Case(office, name=f"Nguyễn Đình Đường {mark}")
    name = Case(office, name=f"Nguyễn Đình Dương {mark}")

    def order(asked: str) -> list[str]:
        page = office.open(centre.CLERK, "/tim", params={"q": asked}).text
        return sorted((c.code for c in (road, name) if c.code in page), key=page.index)

    assert set(order(f"nguyen dinh duong {mark}")) == {road.code, name.code}
    assert order(f"Nguyễn Đình Đường {mark}") == [road.code, name.code]
    assert order(f"Nguyễn Đình Dương {mark}") == [name.code, road.code]
    assert order(name.code) == [name.code]
    assert order(name.code.rpartition("H49-")[2]) == [name.code]


def test_a_phrase_is_found_in_a_paper_and_shown_where_it_stands(office: Office) -> None:
    rare = f"thửa đất {uuid.uuid4().int % 10**8:08d}"
    case = Case(office, scan("Giấy xác nhận", f"về {rare} tờ bản đồ"))

    exact = office.open(centre.CLERK, "/tim", params={"q": rare}).text
    folded = office.open(centre.CLERK, "/tim", params={"q": rare.replace("ử", "u").replace("ấ", "a").replace("đ", "d")})

    for page in (exact, folded.text):
        assert f"{case.at()}?trang=1&amp;tim=" in page
        assert f"<mark>{rare}</mark>" in page
        assert '<svg class="snippet"' in page
        assert "khác dấu" not in page
    assert "khác dấu" in office.open(centre.CLERK, "/tim", params={"q": rare.replace("ử", "ự")}).text
    opened = office.open(centre.CLERK, f"{case.at()}?trang=1&tim={rare}").text
    assert re.search(r'data-found="\d+ \d+ \d+ \d+"', opened)


def test_a_search_is_narrowed_by_agency_procedure_and_days(office: Office) -> None:
    rare = f"thửa đất {uuid.uuid4().int % 10**8:08d}"
    case = Case(office, scan("Giấy xác nhận", f"về {rare} tờ bản đồ"), name=f"Lê Mai {rare}")
    with office.services.begin() as work:
        dossier = work.dossiers.by_code(case.code)
        other = next(a for a in work.agencies.all() if a.kind is AgencyKind.COMMUNE and a.code != dossier.receiving)
    day = local_day(dossier.opened_at)
    before, after = day - timedelta(days=1), day + timedelta(days=1)

    def places(**chosen: str) -> tuple[bool, bool]:
        """Whether the dossier is found, and its page."""
        page = office.open(centre.CLERK, "/tim", params={"q": rare, **chosen})
        assert page.status_code == 200
        for name, value in chosen.items():
            picked = name in ("agency", "procedure")
            assert (
                f'value="{value}" selected' if picked else f'name="{name}" type="text" value="{value}"'
            ) in page.text
        return f'href="/ho-so/{case.id}"' in page.text, f"{case.at()}?trang=1" in page.text

    assert places() == (True, True)
    assert places(agency=dossier.receiving, procedure="1.001612") == (True, True)
    assert places(since=f"{day:%d/%m/%Y}", until=f"{day:%d/%m/%Y}") == (True, True)
    assert places(since=day.isoformat()) == (True, True)
    assert places(agency=other.code) == (False, False)
    assert places(procedure="1.004873") == (False, False)
    assert places(since=f"{after:%d/%m/%Y}") == (False, False)
    assert places(until=f"{before:%d/%m/%Y}") == (False, False)
    nothing = office.open(centre.CLERK, "/tim", params={"q": rare, "until": f"{before:%d/%m/%Y}"}).text
    assert "Không thấy trong phạm vi đã lọc" in nothing
    assert "Bỏ lọc" in nothing
    assert "Bỏ lọc" not in office.open(centre.CLERK, "/tim", params={"q": rare}).text


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("31/02/2026", "", "Không phải một ngày"),
        ("", "hôm qua", "Không phải một ngày"),
        ("01/01/0001", "", "Không phải một ngày"),
        ("", "31/12/9999", "Không phải một ngày"),
        ("02/03/2026", "01/03/2026", "Sớm hơn ngày bắt đầu"),
    ],
)
def test_a_day_that_is_none_is_said_and_nothing_typed_is_lost(
    office: Office, since: str, until: str, said: str
) -> None:
    page = office.open(centre.CLERK, "/tim", params={"q": "giấy xác nhận", "since": since, "until": until})

    assert page.status_code == 422
    assert said in page.text
    assert "Chưa tìm" in page.text
    assert page.text.count('aria-invalid="true"') == 1
    assert 'type="hidden" name="q" value="giấy xác nhận"' in page.text
    assert f'value="{since}"' in page.text
    assert f'value="{until}"' in page.text
    assert '<ol class="hits">' not in page.text


def test_a_search_that_finds_nothing_says_what_to_try(office: Office) -> None:
    nothing = office.open(centre.CLERK, "/tim", params={"q": "không có đâu xyzzy"})
    empty = office.open(centre.CLERK, "/tim")
    marks = office.open(centre.CLERK, "/tim", params={"q": "'\\&|!:*<->()"})
    long = office.open(centre.CLERK, "/tim", params={"q": "a" * 201})
    nul = office.open(centre.CLERK, "/tim", params={"q": "a\0"})

    assert "Thử ít chữ hơn; không cần gõ dấu" in nothing.text
    assert "Không cần gõ dấu" in empty.text
    assert marks.status_code == 200
    assert (long.status_code, nul.status_code) == (422, 422)
    assert office.open("quantri", "/tim", params={"q": "a"}).status_code == 403
