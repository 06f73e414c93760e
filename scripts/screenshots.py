"""Pictures of our pages, to look at a change with one's own eyes.

`make screenshots` takes all of them, `.venv/bin/python -m scripts.screenshots NAME…` the named ones.

A service of its own is filled with made-up dossiers in every state; each page of `PAGES` is then photographed in both
languages at a telephone's width and a desk's, into build/screenshots/, with index.html to see them all side by side.
A new page is one line in `PAGES`.
"""

from __future__ import annotations

import html
import io
import shutil
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image
from playwright.sync_api import Error

from api.commands.demo import result_data
from api.demo import capture, centre, people, sample
from api.demo.story import altered
from api.pages.frame import LANGUAGE_COOKIE
from dossiers.types import Applicant
from tests import live
from tests.papers import heic
from tests.scans import LETTER, sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.sync_api import Browser, FilePayload
    from playwright.sync_api import Page as Tab

    from api.demo.story import Story

POSTAL, CLERK, LEADER, NOBODY = centre.POSTAL, centre.CLERK, centre.LEADER, ""
KEEPER = "vanthu.honggai"
LANGUAGES: Final = ("vi", "en")
WIDTHS_PX: Final = (360, 1280)
_TELEPHONES_PX: Final = (320, 360)
OUT: Final = Path("build/screenshots")

_HEIGHT_PX = 800
_HELD_WITHIN_S = 30
_WITHIN_MS = 30_000
_ONE_PAPER = "2.000908"  # a procedure that asks for one paper only


@dataclass
class Office:
    """What the service was filled with, by the state that each was left in.

    Attributes:
        dossiers: "draft", "digitizing" (papers to review), "needs_supplement", "digitized", "in_process" (a result in
            draft), "submitted" (a result to approve), "result_ready", "returned", "withdrawn", "refused",
            "cancelled" → the dossier as the API gives it, papers included.
        results: The same names, where there is a result.
        receipts: The same names, where it was received: "code", "lookup_code".
        documents: The same names, where a result was issued: the PDF.
    """

    dossiers: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)

    def dossier(self, state: str, rest: str = "") -> str:
        """The address of the dossier's page, or of one below it."""
        return f"/ho-so/{self.dossiers[state]['id']}{rest}"

    def paper(self, state: str, number: int = 1) -> str:
        """The address of one of its papers."""
        return self.dossier(state, f"/giay-to/{self.dossiers[state]['components'][number - 1]['id']}")

    def result(self, state: str) -> str:
        """The address of the result's page."""
        return f"/ket-qua/{self.results[state]['id']}"


@dataclass(frozen=True)
class Page:
    """A page to photograph.

    Attributes:
        address: A path, or what gives one once the office is filled.
        who: Signed in as; "" is the public.
        then: What to do there first: fill in a form, open a box.
        widths_px: How wide it is shown.
    """

    name: str
    address: str | Callable[[Office], str]
    who: str = NOBODY
    then: Callable[[Tab, Office], None] | None = None
    widths_px: tuple[int, ...] = WIDTHS_PX


def _look_up(tab: Tab, office: Office) -> None:
    receipt = office.receipts["result_ready"]
    tab.locator("[name=ma_ho_so]").fill(receipt["code"])
    tab.locator("[name=ma_tra_cuu]").fill(receipt["lookup_code"])
    with tab.expect_navigation():
        tab.locator("[name=ma_tra_cuu]").press("Enter")


def _ask_about(state: str, tab: Tab, office: Office, *, alter: bool = False) -> None:
    pdf = office.documents[state]
    upload = {"name": "ket-qua.pdf", "mimeType": "application/pdf", "buffer": altered(pdf) if alter else pdf}
    tab.locator("input[type=file]").set_input_files([upload])  # type: ignore[list-item]
    with tab.expect_navigation():
        tab.locator("form[enctype] button").first.press("Enter")


def _look_at_a_field(tab: Tab, _office: Office) -> None:
    tab.locator("[data-item][data-box] :is(input, textarea):not([type=hidden])").first.focus()
    tab.locator(".sheet-of-paper:not(.coming) .now").first.wait_for(state="attached")


def _correct(tab: Tab, office: Office) -> None:
    """A field, to see what stood there before."""
    back = tab.url
    tab.goto(office.paper("digitizing"))
    field = tab.locator("[data-item] input[name^='f-']:not([type=hidden])").first
    with tab.expect_response(lambda answer: answer.url.endswith("/corrections")):
        field.fill(f"{field.input_value()} {uuid.uuid4().hex[:4]}".strip())
        field.press("Tab")
    tab.goto(back)


def _follow_the_printed_code(tab: Tab, _office: Office) -> None:
    tab.goto(tab.locator("a[href*='/kiem-tra/']").first.get_attribute("href") or "")


def _hold_it(tab: Tab, _office: Office) -> None:
    """Once; and until the store holds it."""
    back = tab.url
    tab.goto(f"{back.partition('/giu-nguyen')[0]}/giu-nguyen")
    if tab.locator("section[aria-labelledby^=hold-]").count() == 0:
        tab.locator("[name=reference]").fill("12/GM-TTr ngày 30/11/2026, Thanh tra tỉnh")
        tab.locator("[name=reason]").fill("Thanh tra việc cấp giấy chứng nhận quý IV")
        with tab.expect_navigation():
            tab.locator("form[action$='/giu-nguyen'] button").press("Enter")
    for _ in range(_HELD_WITHIN_S):
        if tab.locator(".head .tag.good").count():
            break
        tab.wait_for_timeout(1_000)
        tab.goto(f"{back.partition('/giu-nguyen')[0]}/giu-nguyen")
    tab.goto(back)


def _release_it(tab: Tab, office: Office) -> None:
    """As far as the first person can."""
    _hold_it(tab, office)
    if tab.locator("[name=release_reason]").count():
        tab.locator("details summary").first.press("Enter")
        tab.locator("[name=release_reason]").fill("Kết luận 30/KL-TTr đã thi hành xong")
        with tab.expect_navigation():
            tab.locator("form[action*='xin-thoi'] button").press("Enter")
        tab.reload()


def _set_a_period(tab: Tab, _office: Office) -> None:
    if tab.get_by_text("12/QĐ-UBND").count() == 0:
        tab.locator("[name=years]").fill("20")
        tab.locator("[name=basis]").fill("Bảng thời hạn lưu kèm Quyết định 12/QĐ-UBND")
        tab.locator("[name=password]").fill(centre.PASSWORD)
        with tab.expect_navigation():
            tab.locator("form[action*='thoi-han-luu'] button").press("Enter")
        tab.reload()


def _show_a_code(tab: Tab, _office: Office) -> None:
    tab.locator("form[action$='/dien-thoai'] button").first.press("Enter")
    tab.locator(".by-phone .qr").wait_for()


def _scan_the_code(tab: Tab, office: Office) -> None:
    _show_a_code(tab, office)
    tab.goto("/" + tab.locator(".by-phone p .code").inner_text().partition("/")[2])


def _take_pictures(tab: Tab, office: Office) -> None:
    _scan_the_code(tab, office)
    _choose(tab, _pictures()[0])
    tab.locator("#brought:not([data-waiting='0'])").wait_for(timeout=_WITHIN_MS)
    tab.locator(".item").first.wait_for(state="detached", timeout=_WITHIN_MS)


def _take_bad_pictures(tab: Tab, office: Office) -> None:
    """One on which somebody has to decide, and one that isn't taken."""
    _scan_the_code(tab, office)
    _, dark, of_an_iphone = _pictures()
    _choose(tab, dark)
    tab.locator(".faults:not([hidden])").wait_for(timeout=_WITHIN_MS)
    _choose(tab, of_an_iphone)
    tab.locator(".item.bad").wait_for(timeout=_WITHIN_MS)


def _open_a_dead_code(tab: Tab, _office: Office) -> None:
    tab.goto("/chup/khong-co-ma-nay")


def _choose(tab: Tab, picture: FilePayload) -> None:
    with tab.expect_file_chooser() as chooser:
        tab.locator("[data-choose]").click()
    chooser.value.set_files(picture)


def _pictures() -> list[FilePayload]:
    """A letter on a desk; the same in the dark; and an iPhone's own format."""
    page = sheet(LETTER, dpi=300, repeat=2)
    taken = Image.fromarray(capture.photograph(page.pixels, rng=np.random.default_rng(1)))
    made: list[FilePayload] = []
    for image in (taken, taken.point(lambda level: level * 0.35)):
        exif, buffer = Image.Exif(), io.BytesIO()
        exif[0x9286] = str(uuid.uuid4())  # no two alike, in whichever language
        image.save(buffer, "JPEG", quality=88, exif=exif)
        made.append({"name": "image.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()})
    return [*made, {"name": "IMG_0001.HEIC", "mimeType": "image/heic", "buffer": heic()}]


PAGES: Final = (
    Page("dang-nhap", "/dang-nhap"),
    Page("giao-dien", "/giao-dien"),
    # the citizen
    Page("trang-dau", "/"),
    Page("tra-cuu", "/tra-cuu"),
    Page("tra-cuu-ho-so", "/tra-cuu", then=_look_up),
    Page("kiem-tra", "/kiem-tra"),
    Page("kiem-tra-that", "/kiem-tra", then=partial(_ask_about, "result_ready")),
    Page("kiem-tra-bi-sua", "/kiem-tra", then=partial(_ask_about, "result_ready", alter=True)),
    Page("kiem-tra-thu-hoi", "/kiem-tra", then=partial(_ask_about, "withdrawn")),
    # the administrator
    Page("quan-tri", "/quan-tri", "quantri"),
    Page("goc-tin-cay", "/quan-tri/goc-tin-cay", "quantri"),
    Page("thoi-han-luu", "/quan-tri/thoi-han-luu", "quantri"),
    Page("thoi-han-luu-dat", "/quan-tri/thoi-han-luu/1.001612", "quantri", then=_set_a_period),
    # the archive
    Page("giu-nguyen-dat", lambda office: office.dossier("in_process", "/giu-nguyen"), KEEPER),
    Page("giu-nguyen", lambda office: office.dossier("returned", "/giu-nguyen"), KEEPER, then=_hold_it),
    Page("giu-nguyen-cho-thoi", lambda office: office.dossier("withdrawn", "/giu-nguyen"), KEEPER, then=_release_it),
    Page("ho-so-giu-nguyen", lambda office: office.dossier("returned"), LEADER, then=_hold_it),
    Page("nop-luu", "/nop-luu", KEEPER),
    # the counter
    Page("viec-buu-dien", "/viec", POSTAL),
    Page("ho-so-moi", "/ho-so/moi?thu_tuc=1.001612", POSTAL),
    Page("ho-so-nhap", lambda office: office.dossier("draft"), POSTAL),
    Page("dien-thoai", lambda office: office.dossier("draft"), POSTAL, then=_show_a_code),
    Page("chup", lambda office: office.dossier("draft"), POSTAL, then=_scan_the_code, widths_px=_TELEPHONES_PX),
    Page("chup-da-nhan", lambda office: office.dossier("draft"), POSTAL, _take_pictures, _TELEPHONES_PX),
    Page("chup-nghi", lambda office: office.dossier("draft"), POSTAL, _take_bad_pictures, _TELEPHONES_PX),
    Page("chup-het-han", "/", then=_open_a_dead_code, widths_px=_TELEPHONES_PX),
    Page("giay-hen", lambda office: office.dossier("digitizing", "/giay-hen"), POSTAL),
    Page("to-ngan", lambda office: office.dossier("draft", "/to-ngan"), POSTAL),
    Page("ban-giao", "/ban-giao", POSTAL),
    Page("hop-nhan", "/hop-nhan", POSTAL),
    Page("trang-giay", lambda office: f"{office.paper('digitizing')}/trang", CLERK),
    Page("tach-giay", lambda office: f"{office.paper('digitizing')}/trang/2/tach", CLERK),
    Page("tach-giay-xem", lambda office: f"{office.paper('digitizing')}/trang/2/tach?la=giay&xem=1", CLERK),
    Page("hop-nhan-mot-cua", "/hop-nhan", CLERK),
    Page("dung-ho-so", lambda office: office.dossier("digitizing", "/dung"), CLERK),
    Page("tra-ket-qua", lambda office: office.dossier("result_ready", "/tra"), CLERK),
    # the desk
    Page("viec-mot-cua", "/viec", CLERK),
    Page("viec-tat-ca", "/viec?loc=tat-ca", CLERK),
    Page("ho-so-dang-so-hoa", lambda office: office.dossier("digitizing"), CLERK),
    Page("ho-so-da-tra", lambda office: office.dossier("returned"), CLERK),
    Page("soat", lambda office: office.paper("digitizing"), CLERK, then=_look_at_a_field),
    Page("truoc-va-sau", lambda office: office.paper("digitizing").replace("giay-to", "sua-doi"), CLERK, then=_correct),
    Page("ky-ban-sao", lambda office: office.dossier("digitizing", "/ky-ban-sao"), CLERK),
    Page("ky-ban-sao-xong", lambda office: office.dossier("digitized", "/ky-ban-sao"), CLERK),
    Page("tim", "/tim?q=ho+kinh+doanh", CLERK),
    Page("tim-loc", "/tim?q=ho+kinh+doanh&since=01/01/2020&until=31/12/2026", CLERK),
    # results
    Page("soan-ket-qua", lambda office: office.dossier("in_process", "/ket-qua/moi"), CLERK),
    Page("ket-qua-du-thao", lambda office: office.result("in_process"), CLERK),
    Page("viec-lanh-dao", "/viec", LEADER),
    Page("ket-qua-cho-ky", "/ket-qua", LEADER),
    Page("ket-qua-de-doc", lambda office: office.result("submitted"), LEADER),
    Page("ket-qua-ky-nhieu", lambda office: f"/ket-qua/duyet?chon={office.results['submitted']['id']}", LEADER),
    Page("ket-qua-da-phat-hanh", "/ket-qua?loc=da-phat-hanh", LEADER),
    Page("ket-qua-trong-so", lambda office: office.result("result_ready"), LEADER),
    Page("kiem-tra-ma", lambda office: office.result("result_ready"), LEADER, then=_follow_the_printed_code),
    Page("ket-qua-thu-hoi", lambda office: f"{office.result('result_ready')}/thu-hoi", LEADER),
    Page("ket-qua-thay-the", lambda office: f"{office.result('result_ready')}/thay-the", LEADER),
    Page("ket-qua-da-thu-hoi", lambda office: office.result("withdrawn"), LEADER),
)


def main(names: list[str]) -> int:
    """Photograph the pages of these names, or all; 1 when one of them answers with an error."""
    chosen = [page for page in PAGES if not names or page.name in names]
    if unknown := set(names) - {page.name for page in PAGES}:
        print(f"Không có trang (no such page): {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    began = time.monotonic()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    with live.running_service() as service, live.chromium() as browser:
        office = fill(service)
        filled = time.monotonic()
        if troubles := _photograph(browser, service.base_url, chosen, office):
            (OUT / "logs.txt").write_text(service.log_tails(), "utf-8")
    _contact_sheet(chosen)
    _for_the_readme()
    took = time.monotonic() - began
    count = len(list(OUT.glob("*.png")))
    print(f"{OUT / 'index.html'}: {count} ảnh, {took:.0f} giây (pictures, seconds; filled after {filled - began:.0f})")
    if troubles:
        print("\n".join(troubles), f"\n{OUT / 'logs.txt'} tells why", file=sys.stderr)
    return 1 if troubles else 0


def fill(service: live.Service) -> Office:
    """Put made-up dossiers into every state, by the API, as the people of the office would."""
    office = Office()
    with tempfile.TemporaryDirectory() as scratch:
        big = sample.make_dossier(Path(scratch) / "big", seed=3)
        story = service.story()
        try:
            for who in (POSTAL, CLERK, LEADER, NOBODY):
                story.sign_in(who)  # once, for all the dossiers told beside each other
            tales = [
                partial(_digitizing, big),
                *(partial(_tale, big, name, number) for number, name in enumerate(_TALES)),
            ]
            with ThreadPoolExecutor(4) as pool:
                told = [pool.submit(tale, replace(story, dossier={}, receipt={}, result={}), office) for tale in tales]
                for one in told:
                    one.result()
        finally:
            story.close()
    return office


def _digitizing(papers: sample.SampleDossier, story: Story, office: Office) -> None:
    story.hand_in(POSTAL, papers)
    story.watch(POSTAL)
    _keep(story, office, "digitizing")


def _tale(papers: sample.SampleDossier, name: str, number: int, story: Story, office: Office) -> None:
    """A dossier of one paper, led to where `name` says."""
    who = people.person(Random(number))  # noqa: S311  a made-up person, not a secret
    paper = next(component for component in papers.components if component.media_type == "image/jpeg")
    one = sample.SampleDossier(
        _ONE_PAPER,
        Applicant(who.name, who.id_number, who.phone.replace(" ", ""), who.address),
        (replace(paper, kind="DN"),),
    )
    _TALES[name](story, one)
    _keep(story, office, name)


def _keep(story: Story, office: Office, name: str) -> None:
    dossier = story.sign_in(CLERK).get(f"/dossiers/{story.dossier['id']}").json()
    office.dossiers[name] = dossier
    if story.receipt:
        office.receipts[name] = story.receipt
    if story.result:
        office.results[name] = story.result
        if story.result["state"]["code"] in ("issued", "withdrawn"):
            issued = story.sign_in(CLERK).get(f"/e-results/{story.result['id']}/document").raise_for_status()
            office.documents[name] = issued.content


def _draft(story: Story, papers: sample.SampleDossier) -> None:
    body = {
        "procedure": papers.procedure,
        "applicant": {"name": papers.applicant.name, "id_number": papers.applicant.id_number},
    }
    story.dossier = story.sign_in(POSTAL).post("/dossiers", json=body).raise_for_status().json()


def _closed(story: Story, papers: sample.SampleDossier, *, state: str, reason: str) -> None:
    story.hand_in(POSTAL, papers)
    body = {"state": state, "reason": reason}
    story.sign_in(CLERK).post(f"/dossiers/{story.dossier['id']}/close", json=body).raise_for_status()


def _digitized(story: Story, papers: sample.SampleDossier) -> None:
    story.hand_in(POSTAL, papers)
    story.watch(POSTAL)
    story.review(CLERK)
    story.sign_copies(CLERK)


def _in_process(story: Story, papers: sample.SampleDossier) -> None:
    _digitized(story, papers)
    client = story.sign_in(CLERK)
    here = f"/dossiers/{story.dossier['id']}"
    client.post(f"{here}/process").raise_for_status()
    body = {"template": "certificate", "leader": LEADER, "data": result_data(papers)}
    story.result = client.post(f"{here}/e-results", json=body).raise_for_status().json()


def _submitted(story: Story, papers: sample.SampleDossier) -> None:
    _digitized(story, papers)
    story.draft(CLERK, leader=LEADER, template="certificate", data=result_data(papers))


def _result_ready(story: Story, papers: sample.SampleDossier) -> None:
    _submitted(story, papers)
    story.approve(LEADER)
    story.await_issue(CLERK)


def _returned(story: Story, papers: sample.SampleDossier) -> None:
    _result_ready(story, papers)
    story.sign_in(CLERK).post(f"/dossiers/{story.dossier['id']}/hand-over").raise_for_status()


def _withdrawn(story: Story, papers: sample.SampleDossier) -> None:
    _result_ready(story, papers)
    story.withdraw(LEADER, "Ghi sai địa chỉ kinh doanh")


_TALES: Mapping[str, Callable[[Story, sample.SampleDossier], None]] = {
    "result_ready": _result_ready,
    "returned": _returned,
    "withdrawn": _withdrawn,
    "submitted": _submitted,
    "in_process": _in_process,
    "digitized": _digitized,
    "needs_supplement": partial(
        _closed, state="needs_supplement", reason="Thiếu trang 2 của giấy đề nghị; xin bổ sung bản có chữ ký."
    ),
    "refused": partial(_closed, state="refused", reason="Không thuộc thẩm quyền của trung tâm."),
    "cancelled": partial(_closed, state="cancelled", reason="Người nộp rút hồ sơ."),
    "draft": _draft,
}


def _photograph(browser: Browser, base_url: str, pages: list[Page], office: Office) -> list[str]:
    """A file for each page, language and width; gives what went wrong."""
    troubles: list[str] = []
    for who in dict.fromkeys(page.who for page in pages):
        context = browser.new_context(
            base_url=base_url, timezone_id="Asia/Ho_Chi_Minh", locale="vi-VN", reduced_motion="reduce"
        )
        tab = context.new_page()
        if who:
            live.sign_in(tab, who)
        for language in LANGUAGES:
            context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": base_url}])
            for page in [page for page in pages if page.who == who]:
                try:
                    troubles += _one(tab, page, language, office)
                except (Error, LookupError) as failed:
                    troubles.append(f"{page.name}-{language}: {failed!r}")
        context.close()
    return troubles


def _one(tab: Tab, page: Page, language: str, office: Office) -> list[str]:
    address = page.address if isinstance(page.address, str) else page.address(office)
    tab.set_viewport_size({"width": page.widths_px[0], "height": _HEIGHT_PX})
    answer = tab.goto(address)
    if page.then is not None:
        page.then(tab, office)
    for width in page.widths_px:
        tab.set_viewport_size({"width": width, "height": _HEIGHT_PX})
        tab.screenshot(
            path=OUT / _file(page, language, width), full_page=True, animations="disabled", caret="hide", timeout=15_000
        )
    return [] if answer is None or answer.ok else [f"{page.name}-{language}: {answer.status} {address}"]


def _file(page: Page, language: str, width: int) -> str:
    return f"{page.name}-{language}-{width}.png"


def _for_the_readme() -> None:
    """The picture the README shows: the desk's review beside the citizen's verdict. Copied into docs by hand."""
    desk, phone = OUT / "soat-vi-1280.png", OUT / "kiem-tra-that-vi-360.png"
    if not (desk.exists() and phone.exists()):
        return
    gap, height = 24, 800
    with Image.open(desk) as wide, Image.open(phone) as narrow:
        sheet = Image.new("RGB", (wide.width + narrow.width + 3 * gap, height + 2 * gap), (221, 227, 232))
        sheet.paste(wide.crop((0, 0, wide.width, height)), (gap, gap))
        sheet.paste(narrow.crop((0, 0, narrow.width, height)), (wide.width + 2 * gap, gap))
        sheet.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(OUT / "readme.png", optimize=True)


def _contact_sheet(pages: list[Page]) -> None:
    rows = "".join(
        f"<h2 id={html.escape(page.name)}>{html.escape(page.name)}</h2><div>"
        + "".join(
            f'<figure><a href="{name}"><img src="{name}" alt="" loading="lazy" width="{width // 3}"></a>'
            f"<figcaption>{language} {width}</figcaption></figure>"
            for language in LANGUAGES
            for width in page.widths_px
            if (OUT / (name := _file(page, language, width))).exists()
        )
        + "</div>"
        for page in pages
    )
    style = "div{display:flex;gap:1em;align-items:start}img{border:1px solid #999}body{font-family:sans-serif}"
    (OUT / "index.html").write_text(
        f'<!doctype html><html lang="vi"><meta charset="utf-8"><title>Hồ sơ số</title><style>{style}</style>{rows}',
        "utf-8",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
