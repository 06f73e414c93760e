"""Corrections kept as they are typed: nothing lost, nothing overwritten, by nobody."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from api.demo import centre
from digitize import risk
from dossiers.types import ComponentState, PageState
from storage import queue
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import add, open_dossier
from tests.papers import decision_pdf, scan_png, scanned

if TYPE_CHECKING:
    from tests.office import Office


class Paper:
    """A paper that was read, at its addresses."""

    def __init__(self, office: Office, content: bytes, *, who: str = centre.CLERK) -> None:
        self.office, self.who = office, who
        self.dossier = open_dossier(office, who)
        self.component = ok(add(office, self.dossier, "a.png", content, who=who))
        self.path = f"/dossiers/{self.dossier['id']}/components/{self.component['id']}"
        office.work_off()

    def ask(self, method: str, path: str = "", *, who: str = "", **body: Any) -> Any:
        return self.office.ask(who or self.who, method, f"{self.path}{path}", **body)

    def correct(self, *, who: str = "", fields: Any = (), words: Any = ()) -> Any:
        body = {
            "fields": [{"key": key, "value": value, "seen": seen} for key, value, seen in fields],
            "words": [{"page": 1, "index": index, "text": text, "seen": seen} for index, text, seen in words],
        }
        return self.ask("PATCH", "/corrections", who=who, json=body)

    def words(self) -> list[dict[str, Any]]:
        words: list[dict[str, Any]] = ok(self.ask("GET", "/pages/1/words"))["words"]
        return words

    def fields(self) -> dict[str, dict[str, Any]]:
        return {f["key"]: f for f in ok(self.ask("GET", "/fields"))}

    def text(self) -> str:
        text: str = ok(self.ask("GET", "/text"))["pages"][0]["text"]
        return text

    def state(self) -> str:
        state: str = ok(self.ask("GET"))["state"]["code"]
        return state

    def log(self) -> list[dict[str, Any]]:
        history = ok(self.office.ask(self.who, "GET", f"/dossiers/{self.dossier['id']}/history"))
        return [line for line in history if line["event"] == "component.corrected"]


def decision(office: Office, *, number: int, who: str = centre.CLERK) -> Paper:
    """A decision whose number and date are read; each test has a number of its own."""
    return Paper(office, scanned(decision_pdf(number=number, dated=date(2026, 3, 5))), who=who)


def test_a_correction_is_kept_at_once_and_in_the_search_and_the_log_says_where_but_not_what(office: Office) -> None:
    paper = Paper(office, scan_png(f"Tờ khai lệ phí {uuid.uuid4()}"))
    raw = paper.words()[0]["raw"]

    answer = paper.correct(words=[(0, "Phiếu", raw)], fields=[("signer", "Trần Thị Thử", "")])

    assert (answer.status_code, answer.json()["state"]["code"]) == (200, "read")
    word = paper.words()[0]
    assert (word["text"], word["raw"], word["corrected"], word["doubt"]) == ("Phiếu", raw, True, False)
    assert paper.text().startswith("Phiếu")
    signer = paper.fields()["signer"]
    assert (signer["value"], signer["origin"], signer["by"]) == ("Trần Thị Thử", "typed", centre.CLERK)
    (line,) = paper.log()
    assert line["actor"] == centre.CLERK
    assert line["detail"].pop("amendment")
    assert line["detail"] == {"fields": ["signer"], "words": {"1": [0]}}


def test_the_record_lists_every_field_and_says_which_to_look_at(office: Office) -> None:
    paper = decision(office, number=311)
    found = paper.fields()

    assert [*found][:5] == ["type_code", "owner_id", "document_type", "number", "symbol"]
    assert (found["scope"]["value"], found["scope"]["origin"], found["scope"]["doubt"]) == ("", "missing", None)
    number = found["number"]
    assert (number["vi"], number["en"]) == ("số", "number")
    assert number["doubt"] == ("low_confidence" if number["confidence"] < 80 else None)

    paper.correct(fields=[("issued_on", "31/02/2026", "2026-03-05"), ("owner_id", "022999", "")])
    found = paper.fields()
    assert found["issued_on"]["doubt"] == "no_such_day"
    assert found["issued_on"]["doubt_words"]["vi"] == "ngày này không có trong lịch"
    assert found["owner_id"]["doubt"] == "owner_id"

    paper.correct(fields=[("issued_on", "6/3/2026", "31/02/2026")])
    mended = paper.fields()["issued_on"]
    assert (mended["value"], mended["doubt"], mended["origin"]) == ("2026-03-06", None, "corrected")


def test_two_clerks_at_one_paper_each_see_what_the_other_did_and_nothing_is_overwritten(office: Office) -> None:
    """The post office that took the paper in, and the clerk of the centre it helps."""
    paper = Paper(office, scan_png(f"Tờ khai lệ phí trước bạ {uuid.uuid4()}"), who=centre.POSTAL)
    first, second = paper.words()[0]["raw"], paper.words()[1]["raw"]
    ok(paper.correct(words=[(0, "Phiếu", first)], fields=[("signer", "Trần Thị Thử", "")]))

    late = paper.correct(
        who=centre.CLERK,
        words=[(0, "Bản", first), (1, "kê", second)],
        fields=[("signer", "Lê Văn Thử", ""), ("position", "Chủ tịch", "")],
    )

    body = late.json()
    assert (late.status_code, body["code"]) == (412, "changed")
    assert body["conflicts"] == [
        {"key": "signer", "present": "Trần Thị Thử", "by": centre.POSTAL},
        {"page": 1, "index": 0, "present": "Phiếu", "by": centre.POSTAL},
    ]
    # Nothing of that call was kept, not even what nobody else had touched.
    assert [w["text"] for w in paper.words()[:2]] == ["Phiếu", second]
    assert paper.fields()["position"]["origin"] == "missing"
    # Having seen both, they choose.
    chosen = paper.correct(
        who=centre.CLERK, words=[(0, "Bản", "Phiếu")], fields=[("signer", "Lê Văn Thử", "Trần Thị Thử")]
    )
    assert chosen.status_code == 200
    assert (paper.words()[0]["text"], paper.fields()["signer"]["by"]) == ("Bản", centre.CLERK)


@pytest.mark.parametrize("answer", ["[không có]", "[không đọc được]"])
def test_what_somebody_said_in_place_of_a_value_is_not_passed_over_either(office: Office, answer: str) -> None:
    paper = Paper(office, scan_png(f"Tờ khai lệ phí trước bạ {uuid.uuid4()}"), who=centre.POSTAL)
    ok(paper.correct(fields=[("number", answer, "")]))
    origin = paper.fields()["number"]["origin"]

    late = paper.correct(who=centre.CLERK, fields=[("number", "27", "")])

    assert late.status_code == 412
    assert late.json()["conflicts"] == [{"key": "number", "present": answer, "by": centre.POSTAL}]
    assert (paper.fields()["number"]["value"], paper.fields()["number"]["origin"]) == ("", origin)
    assert paper.correct(who=centre.CLERK, fields=[("number", answer, "")]).status_code == 200, "they agree"
    # Having seen it, they choose; and an answer that is taken back is one no longer.
    ok(paper.correct(who=centre.POSTAL, fields=[("number", "", answer)]))
    assert paper.fields()["number"]["origin"] == "typed"
    ok(paper.correct(who=centre.CLERK, fields=[("number", "27", "")]))
    assert paper.fields()["number"]["value"] == "27"


def line_change(words: list[dict[str, Any]], line: int, text: str) -> dict[str, Any]:
    seen = " ".join(w["text"] for w in words if w["line"] == line and w["text"])
    return {"page": 1, "line": line, "text": text, "seen": seen}


def test_a_whole_line_is_typed_and_each_of_its_words_keeps_what_was_read_and_its_place(office: Office) -> None:
    paper = Paper(office, scan_png("Tờ khai lệ phí trước bạ", f"{uuid.uuid4()}"))
    before = paper.words()
    first = before[0]["line"]
    count = sum(word["line"] == first for word in before)

    ok(paper.ask("PATCH", "/corrections", json={"lines": [line_change(before, first, "Tờ kê khai lệ phí")]}))

    words = paper.words()
    assert [w["text"] for w in words[:count]] == ["Tờ kê", "khai", "lệ", "phí", "", ""]
    assert [(w["raw"], w["box"]) for w in words] == [(w["raw"], w["box"]) for w in before]
    assert [w["corrected"] for w in words[: count + 1]] == [True] * count + [False], "whoever leaves a line has seen it"
    assert not any(w["doubt"] for w in words[:count])
    assert paper.text().startswith("Tờ kê khai lệ phí\n")
    assert paper.log()[0]["detail"]["words"] == {"1": [*range(count)]}
    # Typed again it is changed once more, from how it stands now.
    ok(paper.ask("PATCH", "/corrections", json={"lines": [line_change(words, first, "Tờ khai phí trước bạ")]}))
    assert paper.text().startswith("Tờ khai phí trước bạ\n")
    # And the review takes it over.
    ok(paper.ask("POST", "/review", json={}))
    assert paper.text().startswith("Tờ khai phí trước bạ\n")


def test_a_line_in_which_somebody_else_changed_a_word_is_shown_and_not_overwritten(office: Office) -> None:
    paper = Paper(office, scan_png("Tờ khai lệ phí", f"{uuid.uuid4()}"), who=centre.POSTAL)
    before = paper.words()
    mine = line_change(before, 0, "Tờ khai án phí")
    ok(paper.correct(words=[(1, "kê", before[1]["raw"])]))

    late = paper.ask("PATCH", "/corrections", who=centre.CLERK, json={"lines": [mine]})

    assert late.status_code == 412
    conflict = {"page": 1, "line": 0, "present": "Tờ kê lệ phí", "by": centre.POSTAL}
    assert late.json()["conflicts"] == [conflict]
    assert paper.text().startswith("Tờ kê lệ phí\n")
    assert paper.ask("PATCH", "/corrections", json={"lines": [mine | {"line": 1}]}).status_code == 404
    ok(paper.ask("PATCH", "/corrections", who=centre.CLERK, json={"lines": [mine | {"seen": conflict["present"]}]}))
    assert paper.text().startswith("Tờ khai án phí\n")


def test_two_who_type_the_same_agree_and_saving_twice_is_written_once(office: Office) -> None:
    paper = Paper(office, scan_png(f"Tờ khai {uuid.uuid4()}"))
    raw = paper.words()[0]["raw"]

    for _ in range(2):
        assert paper.correct(words=[(0, "Phiếu", raw)], fields=[("signer", "Trần Thị Thử", "")]).status_code == 200

    assert len(paper.log()) == 1


def test_the_same_text_again_confirms_what_was_read(office: Office) -> None:
    paper = decision(office, number=312)
    word, number = paper.words()[0], paper.fields()["number"]

    ok(paper.correct(words=[(0, word["text"], word["text"])], fields=[("number", "312", "312")]))

    assert paper.words()[0]["corrected"]
    confirmed = paper.fields()["number"]
    assert (number["by"], confirmed["by"], confirmed["origin"]) == ("", centre.CLERK, "ocr")


def test_doubtful_words_are_the_risky_ones_that_nobody_has_looked_at(office: Office) -> None:
    paper = Paper(office, scan_png("Tờ khai lệ phí trước bạ", f"{uuid.uuid4()}"))  # letters among digits are a risk

    words = paper.words()

    assert [w["doubt"] for w in words] == [w["by_pen"] or w["risk"] >= risk.RISKY for w in words]
    doubtful = next(w for w in words if w["doubt"])
    ok(paper.correct(words=[(doubtful["index"], doubtful["text"], doubtful["text"])]))
    assert not paper.words()[doubtful["index"]]["doubt"]


@pytest.mark.parametrize(
    "body",
    [
        {"words": [{"page": 1, "index": 9999, "text": "a", "seen": "b"}]},
        {"words": [{"page": 1, "index": -1, "text": "a", "seen": "b"}]},
        {"words": [{"page": 7, "index": 0, "text": "a", "seen": "b"}]},
        {"fields": [{"key": "shoe_size", "value": "42", "seen": ""}]},
    ],
)
def test_what_is_not_on_the_paper_cannot_be_corrected(office: Office, body: dict[str, Any]) -> None:
    paper = Paper(office, scan_png(f"Tờ khai {uuid.uuid4()}"))

    assert paper.ask("PATCH", "/corrections", json=body).status_code == 404
    assert paper.log() == []


def test_only_a_paper_that_waits_for_its_review_is_corrected_word_by_word(office: Office) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.png", scan_png(f"Tờ khai {uuid.uuid4()}")))
    path = f"/dossiers/{dossier['id']}/components/{component['id']}"
    change = {"fields": [{"key": "signer", "value": "A", "seen": ""}]}
    unread = office.ask(centre.CLERK, "PATCH", f"{path}/corrections", json=change)
    office.work_off()
    ok(office.ask(centre.CLERK, "POST", f"{path}/review", json={}))
    reviewed = office.ask(centre.CLERK, "PATCH", f"{path}/corrections", json=change)

    assert [unread.status_code, reviewed.status_code] == [409, 409]
    assert office.ask("motcua.uongbi", "PATCH", f"{path}/corrections", json=change).status_code == 404


def test_the_review_keeps_what_was_corrected_before_it(office: Office) -> None:
    paper = decision(office, number=314)
    raw = [w["raw"] for w in paper.words()]
    ok(paper.correct(words=[(0, "Phiếu", raw[0])], fields=[("number", "315", "314")]))

    ok(paper.ask("POST", "/review", json={"words": {"1": {"1": "kê"}}, "fields": {"signer": "Trần Thị Thử"}}))
    paper.office.work_off()

    assert [w["text"] for w in paper.words()[:2]] == ["Phiếu", "kê"]
    assert paper.text().split()[:2] == ["Phiếu", "kê"]
    found = paper.fields()
    assert (found["number"]["value"], found["signer"]["value"]) == ("315", "Trần Thị Thử")
    assert paper.state() == "reviewed"


def test_a_review_of_an_older_version_is_refused(office: Office) -> None:
    paper = Paper(office, scan_png(f"Tờ khai {uuid.uuid4()}"), who=centre.POSTAL)
    seen = ok(paper.ask("GET"))["version"]
    ok(paper.correct(fields=[("signer", "Trần Thị Thử", "")]))
    mine = {"fields": {"signer": "Lê Văn Thử"}, "version": seen}

    late = paper.ask("POST", "/review", who=centre.CLERK, json=mine)

    assert (late.status_code, late.json()["code"]) == (412, "changed")
    assert (paper.fields()["signer"]["value"], paper.state()) == ("Trần Thị Thử", "read")
    ok(paper.ask("POST", "/review", who=centre.CLERK, json=mine | {"version": ok(paper.ask("GET"))["version"]}))
    assert (paper.fields()["signer"]["value"], paper.state()) == ("Lê Văn Thử", "reviewed")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"fields": {"zzz_unknown": "a"}}, 404),
        ({"words": {"1": {"999999": "a"}}}, 404),
        ({"words": {"1": {"-1": "a"}}}, 404),
        ({"words": {"7": {"0": "a"}}}, 404),
        ({"fields": {f"k{n}": "a" for n in range(201)}}, 422),
        ({"fields": {"k" * 41: "a"}}, 422),
        ({"words": {"1": {str(n): "a" for n in range(3000)}, "2": {str(n): "a" for n in range(3000)}}}, 422),
    ],
)
def test_what_is_not_on_the_paper_cannot_be_reviewed(office: Office, body: dict[str, Any], status: int) -> None:
    paper = Paper(office, scan_png(f"Tờ khai {uuid.uuid4()}"))

    assert paper.ask("POST", "/review", json=body).status_code == status
    assert paper.state() == "read"


def test_reading_again_keeps_every_human_edit(office: Office) -> None:
    paper = decision(office, number=316)
    words, begin = paper.words(), office.services.begin
    ok(
        paper.correct(
            words=[(0, "Phiếu", words[0]["raw"])],
            fields=[
                ("number", "317", "316"),
                ("symbol", "QĐ-UBND", "QĐ-UBND"),
                ("signer", "Trần Thị Thử", paper.fields()["signer"]["value"]),
            ],
        )
    )
    component_id = UUID(paper.component["id"])
    before = {key: (f["value"], f["origin"], f["by"]) for key, f in paper.fields().items()}

    with begin() as work:  # every job again, as if its worker had died; and the page itself read anew
        component = work.components.lock(component_id)
        (page,) = work.components.pages(component_id)
        work.components.keep_page(replace(page, state=PageState.SET_ASIDE, trouble="reader_died"))
        work.components.keep(replace(component, state=ComponentState.SET_ASIDE, trouble="reader_died"))
    ok(paper.ask("POST", "/retry"))
    office.work_off()
    with begin() as work:
        work.jobs.extract_fields(component_id)
        work.jobs.read_page(page.id)
    office.work_off(queue.PAGE, queue.PAPER)

    assert paper.state() == "read"
    assert (paper.words()[0]["text"], paper.words()[0]["raw"]) == ("Phiếu", words[0]["raw"])
    assert paper.text().startswith("Phiếu")
    assert {key: (f["value"], f["origin"], f["by"]) for key, f in paper.fields().items()} == before
    assert before["number"] == ("317", "corrected", centre.CLERK)
    assert before["symbol"] == ("QĐ-UBND", "ocr", centre.CLERK)
