"""The main story: a paper dossier of twelve pages goes from the post office's counter to the citizen's verdict.

Everybody who works at the office uses the keyboard alone; the citizen has a phone and no scripts. The papers are new in
each run (the seed is printed; `HOSO_STORY_SEED` repeats one), and what is printed on them is known to the letter, so
that flags, fields and phrases are held against the truth.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from api.demo import centre, sample
from api.demo.story import altered
from digitize.types import Flag
from digitize.words.vietnamese import fold
from dossiers.labels import label
from tests.browser import assert_accessible, expecting, key_presses
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser import Visits
    from tests.live import Service

pytestmark = pytest.mark.timeout(900)

PATIENCE_MS = 180_000
OTHERS_CLERK = "motcua.coto"
SIGNED = "UQ"
#: Depends on the reader, so it isn't known beforehand.
READERS_OWN = {
    Flag.DOUBTFUL_READING,
    Flag.ANOTHER_PAPER,
    # On a blurred or cut page print may look like a hand's: a person is asked in vain, as `bench/pen.py` measures.
    Flag.HANDWRITTEN_NUMBER,
    Flag.HANDWRITTEN_DAY,
}


@dataclass
class Told:
    """What the story measures, printed at its end."""

    lines: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    pressed: dict[int, int] = field(default_factory=dict)

    def done(self, what: str, page: Page) -> None:
        """A stretch of the way has ended for this person."""
        now, keys = time.monotonic(), key_presses(page)
        before = self.pressed.get(id(page), 0)
        self.lines.append(f"{what}: {keys - before} keys, {now - self.began:.1f} s")
        self.began, self.pressed[id(page)] = now, keys

    def restart(self) -> None:
        """What comes next begins now."""
        self.began = time.monotonic()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, selector: str, *, most: int = 60) -> None:
    """Press Tab until an element that fits has the focus."""
    for _ in range(most):
        if page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
            return
        press(page, "Tab")
    raise AssertionError(f"no {selector} within {most} tabs on {page.url}")


def gone_on(page: Page, address: str, *keys: str) -> None:
    """Press the keys and wait until they have led to an address like this one."""
    with page.expect_navigation(url=re.compile(address), timeout=PATIENCE_MS):
        press(page, *keys)


def digitally_signed(papers: sample.SampleDossier, service: Service, folder: Path) -> bytes:
    """Give one of the papers a digital signature, as another office would send it; gives its bytes."""
    file = next(c for c in papers.components if c.kind == SIGNED).file
    trust = service.data / "demo-trust"
    tsa = json.loads((trust / "service.json").read_text())["base_url"] + "/tsa"
    person = trust / "subjects" / "giamdoc-tinh"
    target = folder / "signed.pdf"
    command = [sys.executable, "-m", "api.cli", "sign", str(file), "-o", str(target), "--place", "copy", "--tsa", tsa]
    command += ["--p12", f"{person}.p12", "--passphrase-file", f"{person}.passphrase"]
    command += ["--anchors", str(trust / "root.crt")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    file.write_bytes(target.read_bytes())
    return file.read_bytes()


# ── the counter


def open_dossier(page: Page, papers: sample.SampleDossier) -> str:
    """From the queue to a new dossier's own page; gives its id."""
    who = papers.applicant
    gone_on(page, "/ho-so/moi$", "n")
    page.keyboard.type(f"{who.id_number}||{who.name}|01011980|Nữ|{who.address}|01012022")
    press(page, "Enter")
    page.wait_for_function("name => document.getElementById('name').value === name", arg=who.name)
    press(page, "Alt+Digit2")
    page.keyboard.type("ho kinh doanh")
    press(page, "Enter")
    page.get_by_text("Giấy đề nghị đăng ký hộ kinh doanh").first.wait_for()
    gone_on(page, r"/ho-so/[0-9a-f-]{36}", "Control+Enter")
    return re.search(r"/ho-so/([0-9a-f-]{36})", page.url)[1]


def bring_in(page: Page, papers: sample.SampleDossier) -> None:
    """Each paper onto its row: the row's number, then U, then the file."""
    kinds = [kind.code for kind in next(p for p in centre.CENTRE.procedures if p.code == papers.procedure).components]
    for component in papers.components:
        number = kinds.index(component.kind) + 1
        press(page, f"Digit{number}")
        with page.expect_file_chooser() as chooser:
            press(page, "u")
        chooser.value.set_files(component.file)
        page.locator(f"#kind-{number} .paper").wait_for(timeout=PATIENCE_MS)


def await_read(page: Page, pages: int) -> None:
    page.wait_for_function(
        "n => { const p = document.getElementById('papers'); return p && p.dataset.done === String(n) "
        "&& p.dataset.total === String(n) && !p.querySelector('.at-work'); }",
        arg=pages,
        timeout=3 * PATIENCE_MS,
    )


def flags_shown(page: Page, papers: sample.SampleDossier) -> dict[str, set[str]]:
    """What the tray says of each page: "TK1" → the words of its flags."""
    kinds = [kind.code for kind in next(p for p in centre.CENTRE.procedures if p.code == papers.procedure).components]
    shown = {}
    for component in papers.components:
        sheets = page.locator(f"#kind-{kinds.index(component.kind) + 1} .sheet").all()
        for number, sheet in enumerate(sheets, start=1):
            tags = {re.sub(r"^\W+", "", tag).strip() for tag in sheet.locator(".tag").all_inner_texts()}
            shown[f"{component.kind}{number}"] = tags - {label(flag) for flag in READERS_OWN}
    return shown


def receive(page: Page) -> tuple[str, str]:
    """Receive it and look at the receipt: both codes."""
    gone_on(page, "/giay-hen$", "Control+Enter")
    code, lookup = page.locator(".codes .code").all_inner_texts()
    return code, lookup


# ── the desk


def find_row(page: Page, code: str) -> None:
    """Walk down the list until the row of this dossier has the focus."""
    for _ in range(60):
        press(page, "j")
        if page.evaluate("code => document.activeElement.textContent.includes(code)", code):
            return
    raise AssertionError(f"{code} isn't in the list at {page.url}")


def review_everything(page: Page, dossier: str, papers: sample.SampleDossier) -> tuple[int, int]:
    """Go through every paper: the truth is put where the reading differs, a reason where a page is flagged.

    Gives how many fields were right as read, of how many.
    """
    page.get_by_role("link", name="Soát giấy tờ").wait_for(timeout=PATIENCE_MS)
    gone_on(page, "/giay-to/", "Control+Enter")
    right, asked = 0, 0
    for _ in papers.components:
        name = page.locator("h1").inner_text()
        component = next(c for c in papers.components if c.kind and _name_of(papers, c) in name)
        for key, truth in _truth(component).items():
            asked += 1
            box = page.locator(f"#f-{key}")
            if box.input_value() == truth:
                right += 1
                continue
            tab_to(page, f"#f-{key}", most=200)
            press(page, "Control+a")
            page.keyboard.type(truth)
            press(page, "Enter")
            page.locator(f"[data-key-of={key}] .kept", has_text="đã lưu").wait_for()
        for key in page.locator("[data-asked]").evaluate_all("rows => rows.map(row => row.dataset.keyOf)"):
            if key not in _truth(component):
                tab_to(page, f"#f-{key}", most=200)
                page.keyboard.type("[không có]")
                press(page, "Enter")
                page.locator(f"[data-key-of={key}] .kept", has_text="đã lưu").wait_for()
        here = page.url
        if page.locator("#keep_reason").count():
            tab_to(page, "#keep_reason", most=3000)
            page.keyboard.type("giấy gốc đã mờ")
        press(page, "Control+Enter")
        page.wait_for_url(lambda url, here=here: url.split("?")[0] != here.split("?")[0], timeout=PATIENCE_MS)
    assert page.url.split("#")[0].split("?")[0].endswith(f"/ho-so/{dossier}")
    return right, asked


def _name_of(papers: sample.SampleDossier, component: sample.SampleComponent) -> str:
    procedure = next(p for p in centre.CENTRE.procedures if p.code == papers.procedure)
    return next(kind.name for kind in procedure.components if kind.code == component.kind)


def _truth(component: sample.SampleComponent) -> dict[str, str]:
    """What the fields of a paper must say, as the page writes them."""
    truth = {"number": component.number, "symbol": component.symbol}
    if component.dated is not None and component.number:
        truth["issued_on"] = f"{component.dated:%d/%m/%Y}"
    return {key: value for key, value in truth.items() if value}


def sign_copies(page: Page, papers: int) -> None:
    """Sign what is ready, as often as something is: a paper whose text layer is still being made comes later."""
    page.get_by_role("link", name="Ký bản số hóa").wait_for(timeout=PATIENCE_MS)
    gone_on(page, "/ky-ban-sao", "Control+Enter")
    done, more = page.get_by_text("Đã ký xong cả"), page.locator("form[data-sign]")
    for _ in range(papers):
        done.or_(more).first.wait_for(timeout=PATIENCE_MS)
        if done.count():
            return
        tab_to(page, "[name=password]")
        page.keyboard.type(centre.PASSWORD)
        gone_on(page, "/ky-ban-sao", "Control+Enter")
    done.wait_for(timeout=PATIENCE_MS)


def draft(page: Page, matter: Matter) -> str:
    """Take it into work, draft the certificate, look at the preview, submit; gives the result's id."""
    dossier = matter.dossier
    page.goto(f"/ho-so/{dossier}")
    page.get_by_role("button", name="Bắt đầu giải quyết").wait_for()
    gone_on(page, f"/ho-so/{dossier}$", "Control+Enter")
    gone_on(page, "/ket-qua/moi", "Control+Enter")
    gone_on(page, "/ket-qua/[0-9a-f-]{36}$", "Control+Enter")
    tab_to(page, "#f-closing", most=200)
    page.keyboard.type("Giấy này có giá trị kể từ ngày ký")
    page.get_by_text(re.compile(r"Đã lưu.*\d\d:\d\d")).first.wait_for(timeout=PATIENCE_MS)
    assert matter.papers.applicant.name in page.locator("#draft").inner_html()
    page.locator("#draft-state img").first.wait_for()
    press(page, "Control+Enter")
    page.get_by_text("Đang chờ ký").first.wait_for(timeout=PATIENCE_MS)
    return re.search("/ket-qua/([0-9a-f-]{36})", page.url)[1]


def read_and_approve(page: Page, matter: Matter) -> None:
    """The leader opens the list, reads to the end, and approves with the password."""
    page.goto("/ket-qua")
    find_row_of(page, matter.papers.applicant.name)
    gone_on(page, f"/ket-qua/{matter.result}$", "Enter")
    for _ in range(40):
        if page.locator("#decide [name=password]").count():
            break
        press(page, "Space")
        page.wait_for_timeout(150)
    tab_to(page, "#decide [name=password]")
    page.keyboard.type(centre.PASSWORD)
    press(page, "Control+Enter")
    page.locator("h1 .tag", has_text="đã phát hành").wait_for(timeout=PATIENCE_MS)


def find_row_of(page: Page, applicant: str) -> None:
    for _ in range(60):
        press(page, "j")
        if page.evaluate("name => document.activeElement.closest('[data-row]')?.textContent.includes(name)", applicant):
            return
    raise AssertionError(f"nothing of {applicant} in the list at {page.url}")


# ── the citizen


def look_up(page: Page, code: str, lookup: str) -> bytes:
    """On a phone, with both codes: the result as a download."""
    page.goto("/")
    page.get_by_role("link", name="Tra cứu hồ sơ").last.click()
    page.get_by_label("Mã hồ sơ").fill(code.lower())
    page.get_by_label("Mã tra cứu").fill(lookup.replace("-", " "))
    page.get_by_role("button", name="Xem hồ sơ").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("TẢI KẾT QUẢ")).click()
    return download.value.path().read_bytes()


def verdict(page: Page, pdf: bytes) -> tuple[str, str]:
    """Ask whether a file is genuine: the headline, and its tone."""
    page.goto("/kiem-tra")
    upload = {"name": "van-ban.pdf", "mimeType": "application/pdf", "buffer": pdf}
    page.locator("input[type=file]").set_input_files(upload)
    page.get_by_role("button", name=re.compile("Kiểm tra")).click()
    page.locator(".verdict").wait_for(timeout=PATIENCE_MS)
    tones = page.locator(".verdict").get_attribute("class").split()
    return page.locator(".verdict h1 span:not(.sign)").inner_text(), next(t for t in tones if t != "verdict")


# ── the story


@dataclass
class Matter:
    """One dossier on its way, and the truth about it."""

    papers: sample.SampleDossier
    came_signed: bytes
    told: Told
    dossier: str = ""
    code: str = ""
    lookup: str = ""
    result: str = ""


def test_a_dossier_goes_from_the_counter_to_the_citizens_verdict(
    visit: Visits, service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("HOSO_STORY_SEED") or secrets.randbelow(10**6))
    papers = sample.make_dossier(tmp_path / "papers", seed=seed, size="full")
    assert papers.page_count == 12
    matter = Matter(papers, digitally_signed(papers, service, tmp_path), Told([f"seed {seed}"]))
    counter = visit(centre.POSTAL, keyboard_only=True)
    desk = visit(centre.CLERK, keyboard_only=True)
    leader = visit(centre.LEADER, keyboard_only=True)
    try:
        at_the_counter(counter, matter, service)
        at_the_desk(desk, matter)
        hand_over_paper(counter, desk, matter.code)
        matter.told.restart()
        matter.result = draft(desk, matter)
        matter.told.done("draft and submit", desk)
        read_and_approve(leader, matter)
        matter.told.done("read, approve, signed, sealed, issued", leader)
        phrases_are_found(desk, matter)
        files_are_what_they_should_be(desk, service, matter, tmp_path)
        on_the_phone(visit(width=360, height=740, javascript=False), desk, leader, matter)
        nobody_else_sees_it(visit(OTHERS_CLERK), matter)
    finally:
        with capsys.disabled():
            print("\n" + "\n".join(f"  {line}" for line in matter.told.lines))


def at_the_counter(page: Page, matter: Matter, service: Service) -> None:
    """Open, scan, receive; the reading workers are killed meanwhile, and nobody notices."""
    matter.told.restart()
    matter.dossier = open_dossier(page, matter.papers)
    matter.told.done("open the dossier", page)
    bring_in(page, matter.papers)
    matter.told.done("twelve pages in seven files", page)
    service.kill(*service.reading_workers)
    matter.code, matter.lookup = receive(page)
    matter.told.done("receive, receipt", page)
    page.goto(f"/ho-so/{matter.dossier}")
    await_read(page, matter.papers.page_count)
    matter.told.done("all pages read though the reading workers were killed", page)
    assert_accessible(page)
    assert flags_shown(page, matter.papers) == {
        f"{component.kind}{printed.number}": {label(flag) for flag in printed.flags - READERS_OWN}
        for component in matter.papers.components
        for printed in component.pages
    }


def at_the_desk(page: Page, matter: Matter) -> None:
    """Found in the queue, reviewed, signed."""
    page.reload()
    find_row(page, matter.code)
    gone_on(page, f"/ho-so/{matter.dossier}$", "Enter")
    matter.told.restart()
    right, asked = review_everything(page, matter.dossier, matter.papers)
    matter.told.done(f"review ({right} of {asked} fields right as read)", page)
    sign_copies(page, len(matter.papers.components))
    matter.told.done("copies signed", page)


def on_the_phone(page: Page, desk: Page, leader: Page, matter: Matter) -> None:
    """The citizen's way, without scripts: the very bytes that were issued, and a true answer about each file."""
    issued = look_up(page, matter.code, matter.lookup)
    assert issued == fetched(desk, f"/api/v1/e-results/{matter.result}/document")
    assert verdict(page, issued) == ("TÀI LIỆU THẬT, CÒN HIỆU LỰC.", "good")
    headline, tone = verdict(page, altered(issued))
    assert "BỊ SỬA" in headline
    assert tone == "bad"
    copied = next(c for c in components(desk, matter.dossier) if not c["signed_scan"])
    headline, tone = verdict(page, fetched(desk, f"/api/v1/dossiers/{matter.dossier}/components/{copied['id']}/copy"))
    assert "BẢN SAO" in headline
    assert tone == "info"
    withdraw(leader, matter.result)
    headline, tone = verdict(page, issued)
    assert "THẬT, NHƯNG ĐÃ BỊ THU HỒI" in headline
    assert tone == "warn"


def nobody_else_sees_it(page: Page, matter: Matter) -> None:
    """A clerk of another agency finds nothing."""
    expecting(page, "404")
    answer = page.goto(f"/ho-so/{matter.dossier}")
    assert answer is not None
    assert answer.status == 404
    page.goto(f"/tim?q={matter.code}")
    assert matter.dossier not in page.content()
    page.goto(f"/tim?q={matter.papers.applicant.name}")
    assert matter.dossier not in page.content()


def hand_over_paper(counter: Page, desk: Page, code: str) -> None:
    """The post office puts the dossier on a slip; the desk counts and accepts it."""
    counter.goto("/ban-giao")
    counter.locator("[data-scan]:focus").wait_for()
    counter.keyboard.type(code)
    press(counter, "Enter")
    gone_on(counter, "/ban-giao/[0-9a-f-]{36}$", "Control+Enter")
    slip = counter.url
    assert code in counter.locator("main").inner_text()
    desk.goto(slip)
    press(desk, "F8")
    desk.keyboard.type(code)
    press(desk, "Enter")
    press(desk, "Control+Enter")
    desk.locator("h1 .tag", has_text="đã nhận").wait_for(timeout=PATIENCE_MS)


def withdraw(page: Page, result: str) -> None:
    page.goto(f"/ket-qua/{result}/thu-hoi")
    tab_to(page, "[name=reason]")
    press(page, "Space")
    tab_to(page, "[name=note]")
    page.keyboard.type("Thu hồi trong buổi chạy thử")
    tab_to(page, "main button.danger")
    gone_on(page, f"/ket-qua/{result}$", "Enter")


def fetched(page: Page, address: str) -> bytes:
    answer = page.request.get(address)
    assert answer.status == 200, f"{address}: {answer.status}"
    return answer.body()


def components(page: Page, dossier: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(fetched(page, f"/api/v1/dossiers/{dossier}"))["components"]
    return found


def phrases_are_found(page: Page, matter: Matter) -> None:
    """What is printed on the papers is found with its accents and without; a little may be misread."""
    papers, dossier = matter.papers, matter.dossier
    asked = [
        phrase
        for component in papers.components
        for printed in component.pages
        if not printed.flags & {Flag.BLURRED, Flag.CUT_EDGE, Flag.LOW_RESOLUTION}
        for phrase in printed.phrases[:3]
    ]
    for written in (lambda phrase: phrase, fold):
        found = 0
        for phrase in asked:
            hits = json.loads(fetched(page, f"/api/v1/search?limit=200&q={written(phrase)}"))
            found += any(hit["dossier_id"] == dossier for hit in hits)
        assert found >= 0.85 * len(asked), f"{found} of {len(asked)} phrases were found"
    page.goto(f"/tim?q={fold(papers.applicant.name)}")
    assert dossier in page.content()


def files_are_what_they_should_be(page: Page, service: Service, matter: Matter, folder: Path) -> None:
    """Scans are kept to the byte, copies are PDF/A, the one that came signed is its own copy; nothing is done twice."""
    assert service.is_ready()
    papers, dossier = matter.papers, matter.dossier
    by_kind = {c["kind"]: c for c in components(page, dossier)}
    for component in papers.components:
        found = by_kind[component.kind]
        here = f"/api/v1/dossiers/{dossier}/components/{found['id']}"
        assert fetched(page, f"{here}/scan") == component.file.read_bytes(), component.kind
        copy = fetched(page, f"{here}/copy")
        if component.kind == SIGNED:
            assert copy == matter.came_signed
            continue
        file = folder / f"{component.kind}.pdf"
        file.write_bytes(copy)
        assert_pdfa(file)
    events = [e["event"] for e in json.loads(fetched(page, f"/api/v1/dossiers/{dossier}/history"))]
    assert events.count("copy.signed") == len(papers.components) - 1
    for once in ("e_result.leader_signed", "e_result.sealed", "e_result.issued", "dossier.received"):
        assert events.count(once) == 1
