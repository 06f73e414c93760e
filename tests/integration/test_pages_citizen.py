"""The citizen's door as a browser without any script meets it: two codes, one result, one verdict."""

from __future__ import annotations

import itertools
import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from api import tickets
from api.demo import centre
from api.demo.story import altered
from api.pages import citizen
from dossiers import codes
from dossiers.types import Component, EResult, RegisterStatus
from dossiers.verification import Judgement
from signing.types import FileVerdict, Integrity, Kind, Verdict
from tests import signed_files
from tests.integration.test_api_e_results import SEAL_KEEPER, digitised_dossier, document, issued, ok
from tests.integration.test_api_intake import add, unique_scan
from tests.papers import BAD_FILES, page_pdf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx2

    from tests.office import Office
    from tests.pki import Pki

HOSTILE = "<script>alert(\"x\")</script> & 'Bà'"
ESCAPED = "&lt;script&gt;"
NAME = "Nguyễn Thị Thử"
LANGUAGES = pytest.mark.parametrize("language", ["vi", "en"])

_address = itertools.count(1)


# ── a telephone without scripts


class _Forms(HTMLParser):
    """The forms of a page: where they go, how, and what is in them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append({"method": "get", "enctype": "", "fields": {}, "files": []} | given)
        elif tag == "input" and self.found and "name" in given:
            if given.get("type") == "file":
                self.found[-1]["files"].append(given["name"])
            else:
                self.found[-1]["fields"][given["name"]] = given.get("value", "")


@dataclass
class Phone:
    """A person's telephone: its own cookies, its own address, no scripts."""

    client: TestClient
    page: httpx2.Response | None = None

    def open(self, path: str) -> str:
        """Go to a page."""
        self.page = self.client.get(path)
        return self.page.text

    def send(self, action: str, **values: Any) -> str:
        """Fill in the form that goes to `action`, as it stands on the page, and send it."""
        assert self.page is not None
        form = next(
            f for f in _Forms(self.page.text).found if f["action"] == action and f["fields"].keys() >= _texts(values)
        )
        assert {name for name, value in values.items() if not isinstance(value, str)} <= {*form["files"]}
        data = form["fields"] | {name: value for name, value in values.items() if isinstance(value, str)}
        files = {name: value for name, value in values.items() if not isinstance(value, str)}
        if form["method"] == "get":
            self.page = self.client.get(action, params=data)
        else:
            assert bool(files) == (form["enctype"] == "multipart/form-data")
            self.page = self.client.post(action, data=data, files=files or None)
        return self.page.text

    def check(self, content: bytes, name: str = "van-ban.pdf") -> str:
        """Have a file judged."""
        self.open("/kiem-tra")
        return self.send("/kiem-tra", file=(name, content))

    def speak(self, language: str) -> Phone:
        """In this language from now on."""
        self.client.get(f"/ngon-ngu/{language}")
        return self

    @property
    def status(self) -> int:
        """Of the last answer."""
        assert self.page is not None
        return self.page.status_code


def _texts(values: dict[str, Any]) -> set[str]:
    return {name for name, value in values.items() if isinstance(value, str)}


@contextmanager
def phone_of(office: Office) -> Iterator[Phone]:
    address = f"10.11.{next(_address)}.7"
    client = TestClient(office.client.app, raise_server_exceptions=False, client=(address, 50000))
    yield Phone(client)
    client.close()


@pytest.fixture
def phone(office: Office) -> Iterator[Phone]:
    with phone_of(office) as one:
        yield one


@pytest.fixture(scope="module")
def dossier(office: Office) -> dict[str, Any]:
    """A dossier in process, its papers signed copies."""
    return digitised_dossier(office)


@pytest.fixture(scope="module")
def result(office: Office, dossier: dict[str, Any]) -> dict[str, Any]:
    """An issued result of it that stays in force."""
    return issued(office, dossier)


@pytest.fixture(scope="module")
def pdf(office: Office, result: dict[str, Any]) -> bytes:
    return document(office, result)


def printed_code(office: Office, result: dict[str, Any]) -> str:
    with office.services.begin() as work:
        return work.e_results.for_job(UUID(result["id"])).lookup_code


def follow(phone: Phone, receipt: dict[str, Any]) -> str:
    phone.open("/tra-cuu")
    return phone.send("/tra-cuu", ma_ho_so=receipt["code"], ma_tra_cuu=receipt["lookup_code"])


def tone(html: str) -> str:
    (found,) = re.findall(r'<div class="verdict (\w+)">', html)
    return found


def headline(html: str) -> str:
    (found,) = re.findall(r"<h1>.*?<span>(.*?)</span></h1>", html, re.DOTALL)
    return found


def proofs(html: str) -> list[tuple[str, str]]:
    """The three lines: tone and title."""
    listed = html[html.index('<ol class="proofs') :]
    return re.findall(r'<li class="(\w+)">.*?<h2>(.*?)</h2>', listed, re.DOTALL)


# ── from the receipt to the result


def test_a_citizen_finds_takes_and_checks_the_result_without_any_script(
    phone: Phone, dossier: dict[str, Any], pdf: bytes
) -> None:
    receipt = dossier["receipt"]
    groups = codes.format_lookup_code(receipt["lookup_code"].replace("-", "")).replace("-", " – ")
    phone.open("/")
    assert 'href="/tra-cuu"' in phone.page.text
    phone.open("/tra-cuu")

    seen = phone.send("/tra-cuu", ma_ho_so=f"  {receipt['code'].lower().replace('-', '—')} ", ma_tra_cuu=groups)

    assert phone.page.url.path == "/tra-cuu/ho-so"
    assert "Đã có kết quả" in seen
    assert "Nguyễn T*** T***" in seen
    (taking,) = re.findall(r'<a class="button big" href="([^"]+)"', seen)
    taken = phone.client.get(taking)
    assert taken.content == pdf
    assert taken.headers["content-type"] == "application/pdf"
    assert taken.headers["content-disposition"].startswith("attachment; filename=")
    assert taking.endswith(f"{receipt['code']}-KQ1.pdf")
    assert phone.client.head(taking).headers["content-length"] == str(len(pdf))
    piece = phone.client.get(taking, headers={"range": "bytes=0-7"})
    assert (piece.status_code, piece.content) == (206, pdf[:8])
    verdict = phone.check(taken.content)
    assert headline(verdict) == "TÀI LIỆU THẬT, CÒN HIỆU LỰC."


def test_the_dossier_survives_a_reload_and_a_change_of_language_and_can_be_closed(
    phone: Phone, dossier: dict[str, Any], result: dict[str, Any]
) -> None:
    follow(phone, dossier["receipt"])

    assert phone.open("/tra-cuu/ho-so").count("<h1") == 1
    assert "The result is ready" in phone.speak("en").open("/tra-cuu/ho-so")
    assert result["number"] in phone.page.text
    assert dossier["receipt"]["code"] in phone.open("/tra-cuu")
    phone.open("/tra-cuu/ho-so")
    closed = phone.send("/tra-cuu/dong")
    assert "closed on this device" in closed
    phone.open("/tra-cuu/ho-so")
    assert phone.page.url.path == "/tra-cuu"


def test_nobody_s_number_and_no_full_name_stands_on_the_page(phone: Phone, dossier: dict[str, Any]) -> None:
    seen = follow(phone, dossier["receipt"])

    assert NAME not in seen
    assert "022185000123" not in seen
    assert dossier["receipt"]["lookup_code"] not in seen
    assert dossier["receipt"]["lookup_code"].replace("-", "") not in seen


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Nguyễn Văn An", "Nguyễn V*** A***"),
        ("Lựu", "L***"),
        ("", ""),
        ("  Công ty TNHH  Đá Bạc ", "Công t*** T*** Đ*** B***"),
    ],
)
def test_a_name_is_masked_so_that_only_its_owner_knows_it(name: str, shown: str) -> None:
    assert citizen.masked(name) == shown


@pytest.mark.parametrize(
    ("code", "secret", "told"),
    [
        ("000.01", "0000-0000-0000-0", {"vi": "Mã hồ sơ không đúng dạng", "en": "doesn&#39;t have the right form"}),
        (
            "000.01.01.H49-261122-0005",
            "4820-1173-9055-7",
            {"vi": "chữ số chưa đúng", "en": "A digit of the look-up code"},
        ),
        ("000.01.01.H49-269922-0005", "0000000000000", {"vi": "phần ngày không tồn tại", "en": "doesn&#39;t exist"}),
        ("000.01.01.H49-261122-0005", "", {"vi": "Xin nhập mã tra cứu", "en": "enter the look-up code"}),
    ],
)
@LANGUAGES
def test_a_slip_is_told_beside_its_field_and_what_was_typed_stays(
    phone: Phone, code: str, secret: str, told: dict[str, str], language: str
) -> None:
    phone.speak(language).open("/tra-cuu")

    answer = phone.send("/tra-cuu", ma_ho_so=code, ma_tra_cuu=secret)

    assert phone.status == 422
    assert answer.count(told[language]) == 2, "once in the summary, once beside the field"
    assert f'value="{code}"' in answer
    assert answer.count('aria-invalid="true"') == 1


def test_an_unknown_dossier_and_a_wrong_secret_get_the_same_page(phone: Phone, dossier: dict[str, Any]) -> None:
    def answered(code: str) -> tuple[int, str]:
        phone.open("/tra-cuu")
        text = phone.send("/tra-cuu", ma_ho_so=code, ma_tra_cuu="0000-0000-0000-0")
        return phone.status, text.replace(code, "")

    known, unknown = answered(dossier["receipt"]["code"]), answered(f"{centre.HONG_GAI}-200101-0001")

    assert known == unknown
    assert known[0] == 404
    assert "Không có hồ sơ nào khớp cả hai mã." in known[1]


def opened_code(office: Office) -> str:
    """The code of a dossier that no other test asks for."""
    opened = office.ask(centre.CLERK, "POST", "/dossiers", json={"procedure": "1.001612", "applicant": {"name": NAME}})
    return str(ok(opened)["code"])


def tries_until_refused(ask: Callable[[], httpx2.Response]) -> tuple[int, httpx2.Response]:
    """How often one may ask; a limit's window may have ended meanwhile, so up to twice as often as it says."""
    for tries in range(200):
        if (answer := ask()).status_code == 429:
            return tries, answer
    raise AssertionError("nobody stops it")


def test_guessing_at_one_dossier_is_stopped_and_what_was_typed_stays(office: Office, phone: Phone) -> None:
    code = opened_code(office)
    phone.open("/tra-cuu")

    def guess() -> httpx2.Response:
        phone.send("/tra-cuu", ma_ho_so=code, ma_tra_cuu="0000-0000-0000-0")
        assert phone.page is not None
        return phone.page

    tries, refused = tries_until_refused(guess)

    assert 10 <= tries <= 20
    assert "Thử lại sau 10 phút." in refused.text
    assert f'value="{code}"' in refused.text


def test_one_address_that_tries_too_often_is_answered_with_a_page(phone: Phone) -> None:
    form = {"ma_ho_so": "x", "ma_tra_cuu": "x"}
    tries, refused = tries_until_refused(lambda: phone.client.post("/tra-cuu", data=form))
    assert 30 <= tries <= 60
    assert refused.headers["content-type"].startswith("text/html")
    assert "Bạn thử quá nhiều lần." in refused.text

    tries, refused = tries_until_refused(lambda: phone.client.post("/kiem-tra"))
    assert 60 <= tries <= 120
    assert "Thử lại sau 60 giây." in refused.text


def test_the_page_and_the_program_share_their_limits(office: Office, phone: Phone) -> None:
    body = {"dossier_code": opened_code(office), "lookup_code": "0000-0000-0000-0"}
    form = {"ma_ho_so": body["dossier_code"], "ma_tra_cuu": body["lookup_code"]}
    by_page = itertools.cycle((False, True))

    def ask() -> httpx2.Response:
        if next(by_page):
            return phone.client.post("/tra-cuu", data=form)
        return phone.client.post("/api/v1/citizen/look-up", json=body)

    tries, _ = tries_until_refused(ask)

    assert 10 <= tries <= 20


# ── the hour, and who forges it


def test_a_cookie_can_t_be_forged_borrowed_or_kept_for_longer(
    office: Office, phone: Phone, dossier: dict[str, Any], result: dict[str, Any]
) -> None:
    secret, now, code = office.services.secret, datetime.now(UTC), dossier["receipt"]["code"]
    assert result["state"]["code"] == "issued"
    good = tickets.sealed(secret, "dossier", code, until=now + timedelta(minutes=1))
    other_body = tickets.sealed(b"x" * 40, "dossier", code, until=now + timedelta(minutes=1)).partition(".")[0]
    refused = {
        "ended": tickets.sealed(secret, "dossier", code, until=now - timedelta(seconds=2)),
        "for something else": tickets.sealed(secret, "download", code, until=now + timedelta(minutes=1)),
        "another's secret": tickets.sealed(b"x" * 40, "dossier", code, until=now + timedelta(minutes=1)),
        "longer": f"{other_body[:-4]}AAAA.{good.partition('.')[2]}",
        "cut": good[:-1],
        "nonsense": "\u00e9.\u00e9",
        "empty": "",
    }

    def opened(ticket: str) -> str:
        answer = phone.client.get(
            "/tra-cuu/ho-so",
            headers={"cookie": f"{citizen.COOKIE}={ticket}".encode("latin-1")},  # type: ignore[dict-item]
            follow_redirects=False,
        )
        return answer.headers.get("location", "opened")

    assert opened(good) == "opened"
    assert {why: opened(ticket) for why, ticket in refused.items()} == dict.fromkeys(refused, "/tra-cuu?het-gio=1")


@LANGUAGES
def test_when_the_hour_is_over_the_form_says_so_kindly(phone: Phone, language: str) -> None:
    told = phone.speak(language).open("/tra-cuu/ho-so")

    assert phone.page.url.path == "/tra-cuu"
    assert {"vi": "một giờ sau khi nhập mã", "en": "open for an hour"}[language] in told
    assert 'name="ma_ho_so"' in told


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_pages(phone: Phone, dossier: dict[str, Any]) -> None:
    form = {"ma_ho_so": dossier["receipt"]["code"], "ma_tra_cuu": dossier["receipt"]["lookup_code"]}
    answer = phone.client.post("/tra-cuu", data=form, follow_redirects=False)

    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith(citizen.COOKIE)]
    assert answer.status_code == 303
    for word in ("HttpOnly", "Path=/tra-cuu", "SameSite=lax", "Max-Age=3600"):
        assert word.lower() in cookie.lower()
    assert dossier["receipt"]["lookup_code"].replace("-", "") not in cookie


def test_a_download_that_has_ended_leads_back_to_the_dossier(
    office: Office, phone: Phone, dossier: dict[str, Any], result: dict[str, Any]
) -> None:
    follow(phone, dossier["receipt"])
    old = tickets.sealed(
        office.services.secret,
        "download",
        dossier["receipt"]["code"],
        1,
        result["document_sha256"],
        until=datetime.now(UTC) - timedelta(seconds=1),
    )

    phone.open(f"/tra-cuu/tai/{old}/x.pdf")

    assert phone.page.url.path == "/tra-cuu/ho-so"
    assert "TẢI KẾT QUẢ" in phone.page.text
    assert phone.client.get("/tra-cuu/tai/khong-phai-ve/x.pdf", follow_redirects=False).status_code == 303


# ── each state in plain words


def received(office: Office, **applicant: str) -> dict[str, Any]:
    """A dossier that was received and isn't digitised yet."""
    body = {"procedure": "2.000908", "applicant": {"name": NAME} | applicant}
    dossier = ok(office.ask(centre.POSTAL, "POST", "/dossiers", json=body))
    procedure = next(p for p in ok(office.ask("", "GET", "/procedures")) if p["code"] == dossier["procedure"])
    for kind in (c["code"] for c in procedure["components"] if c["required"]):
        ok(add(office, dossier, f"{kind}.png", unique_scan(), kind=kind, who=centre.POSTAL))
    dossier["receipt"] = ok(office.ask(centre.POSTAL, "POST", f"/dossiers/{dossier['id']}/receive"))
    return dossier


def closed(office: Office, dossier: dict[str, Any], state: str, reason: str) -> None:
    ok(office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/close", json={"state": state, "reason": reason}))


@LANGUAGES
def test_a_dossier_on_its_way_says_where_it_is_and_that_nothing_has_to_be_done(
    office: Office, phone: Phone, language: str
) -> None:
    dossier = received(office)
    seen = follow(phone.speak(language), dossier["receipt"])

    promised = datetime.fromisoformat(dossier["receipt"]["due_on"]).strftime("%d/%m/%Y")
    expected = {
        "vi": (
            "đang số hóa giấy tờ.",
            "Chưa phải làm gì.",
            f"Chưa có kết quả. Hẹn ngày {promised}.",
            "Bưu điện Hồng Gai",
        ),
        "en": (
            "being digitised.",
            "Nothing yet.",
            f"No result yet. It is promised for {promised}.",
            "Bưu điện Hồng Gai",
        ),
    }
    for words in expected[language]:
        assert words in seen
    assert re.search(r'<li class="now" aria-current="step">(Số hóa giấy tờ|Papers digitised)', seen)
    assert 'href="tel:0203000000"' in seen
    assert "/tra-cuu/tai/" not in seen


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("needs_supplement", {"vi": "chờ bạn bổ sung giấy tờ", "en": "waiting for papers from you"}),
        ("refused", {"vi": "Hồ sơ bị từ chối.", "en": "The dossier was refused."}),
        ("cancelled", {"vi": "Hồ sơ đã rút.", "en": "The dossier was cancelled."}),
    ],
)
def test_what_stops_a_dossier_is_told_with_its_whole_reason(
    office: Office, phone: Phone, state: str, told: dict[str, str]
) -> None:
    dossier = received(office, name=HOSTILE)
    closed(office, dossier, state, f"Thiếu hợp đồng thuê.\nẢnh mờ {HOSTILE}")

    for language in ("vi", "en"):
        seen = follow(phone.speak(language), dossier["receipt"])
        assert told[language] in seen
        assert "Thiếu hợp đồng thuê.\nẢnh mờ" in seen
        assert ESCAPED in seen
        assert "<script>alert" not in seen
        assert "/tra-cuu/tai/" not in seen


def test_an_overdue_dossier_says_so_and_whom_to_call(office: Office, phone: Phone) -> None:
    dossier = received(office)
    with office.services.begin() as work:
        kept = work.dossiers.by_code(dossier["receipt"]["code"])
        work.dossiers.keep(replace(kept, due_on=datetime.now(UTC).date() - timedelta(days=20)))

    assert re.search(r"đã quá hẹn \d+ ngày làm việc\.", follow(phone, dossier["receipt"]))
    assert "Việc đã quá hẹn; bạn có thể gọi để hỏi." in phone.page.text
    assert re.search(r"now \d+ working days late\.", phone.speak("en").open("/tra-cuu/ho-so"))


def test_withdrawn_and_superseded_results_keep_their_reason_and_lose_their_button(office: Office, phone: Phone) -> None:
    dossier = digitised_dossier(office)
    first, second = issued(office, dossier), issued(office, dossier)
    body = {"replacement": second["id"], "reason": f"Sai tên đường {HOSTILE}"}
    ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{first['id']}/supersede", json=body))

    seen = follow(phone, dossier["receipt"])
    assert re.search(rf"Đã được thay thế ngày [\d/]+, bằng số {re.escape(second['number'])}\.", seen)
    assert f"Sai tên đường {ESCAPED}" in seen
    assert seen.count("/tra-cuu/tai/") == 1
    assert f"{dossier['receipt']['code']}-KQ2.pdf" in seen

    ok(office.ask(centre.LEADER, "POST", f"/e-results/{second['id']}/withdraw", json={"reason": "Cấp nhầm"}))
    seen = phone.open("/tra-cuu/ho-so")
    assert "Kết quả trước không còn hiệu lực" in seen
    assert "Cấp nhầm" in seen
    assert "/tra-cuu/tai/" not in seen
    assert "no longer in force" in phone.speak("en").open("/tra-cuu/ho-so")


def test_a_digitised_copy_is_never_offered_as_a_result(office: Office, phone: Phone) -> None:
    seen = follow(phone, digitised_dossier(office)["receipt"])

    assert "Chưa có kết quả." in seen
    assert ".pdf" not in seen


# ── is this document genuine?


def verdicts(phone: Phone, content: bytes, name: str = "van-ban.pdf") -> dict[str, tuple[str, str]]:
    """Tone and headline in both languages; the three lines are there in order in each."""
    found = {}
    for language, titles in (
        ("vi", ["Nội dung", "Người ký", "Sổ phát hành"]),
        ("en", ["Content", "Signed by", "Register"]),
    ):
        html = phone.speak(language).check(content, name)
        assert phone.status == 200, html
        assert [title for _, title in proofs(html)] == titles
        if tone(html) != "good":
            assert "✓</span><span>" not in html or tone(html) == "info"
        found[language] = (tone(html), headline(html))
    return found


def test_a_result_in_force_is_green_and_says_who_and_when(
    office: Office, phone: Phone, result: dict[str, Any], pdf: bytes
) -> None:
    assert verdicts(phone, pdf) == {
        "vi": ("good", "TÀI LIỆU THẬT, CÒN HIỆU LỰC."),
        "en": ("good", "GENUINE AND IN FORCE."),
    }
    html = phone.speak("vi").check(pdf, "ket-qua.pdf")
    leader = next(x for x in centre.LOGINS if x.username == centre.LEADER)
    assert [how for how, _ in proofs(html)] == ["good", "good", "good"]
    for words in (
        leader.name,
        "người có thẩm quyền",
        "con dấu của cơ quan",
        "giờ do dấu thời gian chứng nhận",
        result["number"],
    ):
        assert words in html
    for words in (
        "TOTAL-PASSED",
        "đạt mọi bước kiểm tra",
        "hoso-1",
        "Kho riêng của trung tâm",
        result["document_sha256"],
        "ket-qua.pdf",
    ):
        assert words in html
    assert NAME not in html
    assert "GENUINE AND IN FORCE." in html, "the headline stands in the other language too"
    assert f"{office.services.verify_url}/{printed_code(office, result)}" in html, "the print says where to look it up"


def test_a_withdrawn_and_a_superseded_result_warn_and_never_look_broken(
    office: Office, phone: Phone, dossier: dict[str, Any]
) -> None:
    old, gone, new = (issued(office, dossier) for _ in range(3))
    ok(office.ask(centre.LEADER, "POST", f"/e-results/{gone['id']}/withdraw", json={"reason": "Cấp nhầm"}))
    body = {"replacement": new["id"], "reason": "Sai địa chỉ"}
    ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{old['id']}/supersede", json=body))

    withdrawn = verdicts(phone, document(office, gone))
    superseded = verdicts(phone, document(office, old))

    assert {tone for tone, _ in (*withdrawn.values(), *superseded.values())} == {"warn"}
    assert withdrawn["vi"][1].startswith("THẬT, NHƯNG ĐÃ BỊ THU HỒI ngày ")
    assert withdrawn["en"][1].startswith("GENUINE, BUT WITHDRAWN on ")
    assert superseded["vi"][1].startswith("THẬT, NHƯNG ĐÃ BỊ THAY THẾ ngày ")
    assert superseded["en"][1].startswith("GENUINE, BUT SUPERSEDED on ")
    assert f"/kiem-tra/{printed_code(office, new)}" in phone.page.text
    assert new["number"] in phone.page.text
    assert [how for how, _ in proofs(phone.page.text)] == ["good", "good", "warn"]


def test_what_was_tampered_with_is_red(phone: Phone, pdf: bytes) -> None:
    assert verdicts(phone, altered(pdf)) == {
        "vi": ("bad", "ĐÃ BỊ SỬA sau khi ký."),
        "en": ("bad", "ALTERED after it was signed."),
    }
    assert "isn&#39;t confirmed" in phone.page.text, "no name of an altered file is vouched for"
    assert [how for how, _ in proofs(phone.page.text)] == ["bad", "unknown", "unknown"]


def test_a_genuine_file_that_the_register_lacks_warns(phone: Phone, pdf: bytes) -> None:
    assert verdicts(phone, pdf + b"\n") == {
        "vi": ("warn", "CHỮ KÝ HỢP LỆ, NHƯNG KHÔNG CÓ TRONG SỔ."),
        "en": ("warn", "THE SIGNATURE IS VALID, BUT THE REGISTER DOESN&#39;T HAVE IT."),
    }


def test_what_another_system_signed_is_never_called_ours(office: Office, phone: Phone, tmp_path: Path) -> None:
    leader = next(s.subject for s in centre.SIGNERS if s.username == centre.LEADER)
    file = signed_files.signed_by_hand(
        office.pki,
        page_pdf("Văn bản của nơi khác"),
        tmp_path / "a.pdf",
        who=leader,
        timestamper=office.pki.timestamper(),
    )

    assert verdicts(phone, file.read_bytes()) == {
        "vi": ("warn", "CHỮ KÝ HỢP LỆ, NHƯNG KHÔNG DO TRUNG TÂM NÀY PHÁT HÀNH."),
        "en": ("warn", "THE SIGNATURE IS VALID, BUT THIS CENTRE DIDN&#39;T ISSUE IT."),
    }


def test_a_copy_is_called_a_copy_and_isn_t_green(office: Office, phone: Phone, dossier: dict[str, Any]) -> None:
    here = f"/dossiers/{dossier['id']}"
    component = ok(office.ask(centre.CLERK, "GET", here))["components"][0]
    copy = office.ask(centre.CLERK, "GET", f"{here}/components/{component['id']}/copy").content

    assert verdicts(phone, copy) == {
        "vi": ("info", "BẢN SAO ĐIỆN TỬ THẬT."),
        "en": ("info", "A GENUINE ELECTRONIC COPY."),
    }
    assert "It is not itself a result." in phone.page.text
    elsewhere = verdicts(phone, copy + b"\n")
    assert elsewhere["vi"] == ("warn", "BẢN SAO ĐIỆN TỬ CÓ CHỮ KÝ HỢP LỆ, NHƯNG KHÔNG CÓ Ở ĐÂY.")


def test_a_signer_nobody_here_trusts_is_unknown_and_not_vouched_for(phone: Phone, pki: Pki, tmp_path: Path) -> None:
    assert verdicts(phone, signed_files.issued(pki, tmp_path).read_bytes()) == {
        "vi": ("unknown", "CHƯA XÁC NHẬN ĐƯỢC."),
        "en": ("unknown", "NOT CONFIRMED."),
    }
    html = phone.page.text
    assert "The signature names “Trần Thị Bình”" in html
    assert "<strong>Trần Thị Bình" not in html
    assert re.findall(r"<code>(INDETERMINATE[^<]*)", html) == ["INDETERMINATE / NO_CERTIFICATE_CHAIN_FOUND"] * 2
    assert [how for how, _ in proofs(html)] == ["unknown", "unknown", "unknown"]


def test_a_certificate_revoked_before_it_signed_is_red_and_not_called_altered(
    own_office: Office, tmp_path: Path
) -> None:
    leader = next(s.subject for s in centre.SIGNERS if s.username == centre.LEADER)
    own_office.pki.trust.revoke(leader.id, at=datetime.now(UTC) - timedelta(hours=1))
    own_office.refresh_lists()
    stamp = own_office.pki.timestamper()
    file = signed_files.signed_by_hand(
        own_office.pki, page_pdf("Ký muộn"), tmp_path / "a.pdf", who=leader, timestamper=stamp
    )

    with phone_of(own_office) as phone:
        found = verdicts(phone, file.read_bytes())

    assert found["vi"] == ("bad", "CHỨNG THƯ ĐÃ BỊ THU HỒI trước khi ký.")
    assert found["en"][0] == "bad"


@pytest.mark.parametrize("case", BAD_FILES)
@LANGUAGES
def test_no_file_is_answered_without_a_next_step(phone: Phone, case: str, language: str) -> None:
    name, make, _ = BAD_FILES[case]

    html = phone.speak(language).check(make(), name)

    assert phone.status == 200
    assert tone(html) == "unknown"
    _, next_step = re.findall(r'<p class="plainly">(.*?)</p>', html)
    assert len(next_step) > len("<strong></strong>") + 10


def test_a_plain_pdf_says_that_it_has_no_signature(phone: Phone) -> None:
    assert verdicts(phone, page_pdf("Chưa ký"))["vi"] == ("unknown", "KHÔNG CÓ CHỮ KÝ SỐ.")
    assert "#ma" in phone.page.text, "the printed code is the other way"


@LANGUAGES
def test_no_file_an_empty_one_and_a_broken_form_each_get_their_sentence(phone: Phone, language: str) -> None:
    nothing = b'--x\r\ncontent-disposition: form-data; name="file"; filename=""\r\n'  # as browsers send it
    nothing += b"content-type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
    multipart = {"content-type": "multipart/form-data; boundary=x"}
    chosen = phone.speak(language).client.post("/kiem-tra", content=nothing, headers=multipart)
    assert chosen.status_code == 422
    assert {"vi": "Chưa chọn tệp nào.", "en": "No file was chosen."}[language] in chosen.text

    empty = phone.check(b"", "trong.pdf")
    assert {"vi": "Tệp rỗng.", "en": "The file is empty."}[language] in empty
    assert "(0 kB)" in empty

    for content, kind in (
        (b"x=1", "application/x-www-form-urlencoded"),
        (b"--y\r\n", "multipart/form-data; boundary=x"),
    ):
        broken = phone.client.post("/kiem-tra", content=content, headers={"content-type": kind})
        assert broken.status_code == 400
        assert {"vi": "bị đứt giữa chừng", "en": "The upload broke off."}[language] in broken.text


@LANGUAGES
def test_a_file_over_the_limit_is_refused_in_words_before_it_is_kept(
    phone: Phone, office: Office, language: str
) -> None:
    most = office.services.max_verification_bytes
    boundary = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    headers = {"content-type": "multipart/form-data; boundary=x"}

    def pieces() -> Iterator[bytes]:
        yield boundary
        for _ in range(most // 1_000_000 + 1):
            yield bytes(1_000_000)

    told = phone.speak(language).client.post("/kiem-tra", content=pieces(), headers=headers)

    assert told.status_code == 413
    assert {"vi": "Tệp lớn hơn 50 MB", "en": "larger than 50 MB"}[language] in told.text
    assert list(office.services.work_dir.glob("tmp*/file")) == []


def test_the_name_of_a_file_can_do_no_harm(phone: Phone) -> None:
    html = phone.check(page_pdf("a"), '<img src=x onerror="alert(1)">.pdf')

    assert "<img src=x" not in html
    assert 'onerror="' not in html


def test_nothing_of_a_checked_file_is_left(office: Office, phone: Phone, pdf: bytes) -> None:
    phone.check(pdf)

    assert [
        f
        for f in office.services.work_dir.rglob("*")
        if f.is_file() and f.read_bytes() == pdf and "cache" not in f.parts
    ] == []


# ── the printed code


@LANGUAGES
def test_the_printed_code_tells_what_the_register_says_and_nothing_personal(
    office: Office, phone: Phone, dossier: dict[str, Any], result: dict[str, Any], language: str
) -> None:
    code = printed_code(office, result)
    html = phone.speak(language).open(f"/kiem-tra/{code}")

    assert phone.status == 200
    assert tone(html) == "info", "a code in the register doesn't make the paper genuine"
    assert result["number"] in html
    assert codes.format_lookup_code(code) in html
    assert {"vi": "so từng dòng dưới đây", "en": "compare each line below"}[language] in html
    assert NAME not in html
    assert "022185000123" not in html
    assert dossier["receipt"]["code"] not in html
    assert 'name="file"' in html, "the file itself can be checked here"


def test_the_printed_code_can_be_typed_in_any_way(office: Office, phone: Phone, result: dict[str, Any]) -> None:
    code = printed_code(office, result)
    phone.open("/kiem-tra")

    html = phone.send("/kiem-tra", ma=codes.format_lookup_code(code).replace("-", " – "))

    assert phone.page.url.path == f"/kiem-tra/{code}"
    assert result["number"] in html
    assert result["number"] in phone.open(f"/kiem-tra/{codes.format_lookup_code(code)}")


def test_a_code_out_of_force_says_so_and_leads_to_what_took_its_place(
    office: Office, phone: Phone, dossier: dict[str, Any]
) -> None:
    old, new = issued(office, dossier), issued(office, dossier)
    body = {"replacement": new["id"], "reason": f"Nói riêng với người nộp {HOSTILE}"}
    ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{old['id']}/supersede", json=body))

    html = phone.open(f"/kiem-tra/{printed_code(office, old)}")

    assert tone(html) == "warn"
    assert f"/kiem-tra/{printed_code(office, new)}" in html
    assert "Nói riêng" not in html, "the reason is told to the holder, not to everybody"


@LANGUAGES
def test_unknown_and_mistyped_codes_get_clear_words(phone: Phone, language: str) -> None:
    phone.speak(language)
    unknown = phone.open("/kiem-tra/0000000000000")
    assert phone.status == 404
    assert {"vi": "không có văn bản nào mang mã này", "en": "no document with this code"}[language] in unknown
    wrong = phone.open("/kiem-tra/0000000000001")
    assert phone.status == 422
    assert {"vi": "chữ số chưa đúng", "en": "isn&#39;t right"}[language] in wrong
    phone.open("/kiem-tra")
    missing = phone.send("/kiem-tra", ma="")
    assert {"vi": "Xin nhập mã", "en": "enter the code"}[language] in missing
    dossier = phone.send("/kiem-tra", ma="000.01.01.H49-261122-0008-KQ(1)")
    assert {"vi": "Đây là mã hồ sơ", "en": "the code of a dossier"}[language] in dossier


@pytest.mark.parametrize("code", ["<script>alert(1)", "%00", "%F0%9F%92%A9", "a" * 3000, "..", "1-2-3"])
def test_strange_codes_are_answered_and_do_no_harm(phone: Phone, code: str) -> None:
    html = phone.open(f"/kiem-tra/{code}")

    assert phone.status in (200, 404, 422)
    assert "<script>alert" not in html
    html = phone.client.get("/kiem-tra", params={"ma": code}).text
    assert "<script>alert" not in html


# ── light, and from nowhere else


def test_pages_are_light_and_ask_nobody_else_for_anything(
    office: Office, phone: Phone, dossier: dict[str, Any], result: dict[str, Any], pdf: bytes
) -> None:
    pages = {
        path: phone.open(path) for path in ("/", "/tra-cuu", "/kiem-tra", f"/kiem-tra/{printed_code(office, result)}")
    }
    pages["verdict"] = phone.check(pdf)
    pages["dossier"] = follow(phone, dossier["receipt"])

    for path, html in pages.items():
        assets = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', html))
        loaded = [phone.client.get(asset, headers={"accept-encoding": "gzip"}) for asset in assets]
        weight = len(html.encode()) + sum(int(asset.headers["content-length"]) for asset in loaded)
        assert weight < 60_000, (path, weight)
        assert not re.search(r"""(?:src|href|action)=["']?(?:https?:)?//""", html), path
        assert "style=" not in html
        assert not re.search(r"<script(?![^>]*src=)", html), path


# ── colours


def _judged(verdict: Verdict, register: RegisterStatus, kind: Kind, *, copy: bool) -> Judgement:
    return Judgement(
        file=FileVerdict(verdict, kind, Integrity.UNKNOWN),
        register=register,
        sha256="",
        checked_at=datetime.now(UTC),
        e_result=object.__new__(EResult) if register is not RegisterStatus.NOT_OURS else None,
        copy=object.__new__(Component) if copy else None,
    )


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("register", RegisterStatus)
@pytest.mark.parametrize("verdict", Verdict)
def test_green_is_only_for_what_is_genuine_and_in_force(
    verdict: Verdict,
    register: RegisterStatus,
    kind: Kind,
    copy: bool,  # noqa: FBT001
) -> None:
    shown = citizen.tone_of(_judged(verdict, register, kind, copy=copy))

    assert (shown == "good") == (verdict is Verdict.GENUINE and register is RegisterStatus.ISSUED)
    if verdict in (Verdict.ALTERED, Verdict.REVOKED):
        assert shown == "bad"
    elif verdict is not Verdict.GENUINE:
        assert shown == "unknown"
    elif register is RegisterStatus.NOT_OURS:
        assert shown == ("info" if copy and kind is Kind.ELECTRONIC_COPY else "warn")
