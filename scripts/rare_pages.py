"""Pictures of pages that an office rarely shows: each verdict on a file, each refusal of a signer's tool, and the like.

`.venv/bin/python -m scripts.rare_pages` takes all of them, `… NAME…` those whose name begins so. They land beside those
of `scripts.screenshots`, in build/rare-pages/, with index.html to see them all: Vietnamese and English, at a
telephone's width and a desk's. A new kind of file is one line in `verdict_files`, a new page one in `staff_pages`.

Unlike `scripts.screenshots` this is an office in this very process, as the tests have it: authorities die here, keys
move onto tokens, certificates end. It says of each page that is wider than its screen that it is.
"""

from __future__ import annotations

import html
import os
import shutil
import socket
import sys
import tempfile
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

import uvicorn
from playwright.sync_api import Error

from api.app import create_app
from api.demo import centre
from api.demo.story import altered
from api.embedded import postgres, s3
from api.pages.frame import LANGUAGE_COOKIE
from api.wiring import utc_now
from dossiers import anchors
from dossiers.types import KeyHeld, PinAsked
from signing.timestamp import BREAKERS
from signing.types import StoreName
from storage.migrations import migrate
from tests import attacks, desktop_tool, foreign_files, live, signed_files
from tests.integration import test_annexes as annexes
from tests.integration.conftest import bucket
from tests.integration.test_api_e_results import (
    DATA,
    SEAL_KEEPER,
    approve,
    digitised_dossier,
    document,
    drafted,
    issued,
    ok,
    submitted,
)
from tests.integration.test_ten_files import page_added
from tests.office import Office, onto_own_token, running_office, seal_onto_own_token
from tests.papers import page_pdf, scan_pdf
from tests.pki import CLERK as STRANGER
from tests.pki import LEADER as STRANGERS_LEADER
from tests.pki import SEAL as STRANGERS_SEAL
from tests.pki import running_pki
from tests.softhsm import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab

T = TypeVar("T")

OUT: Final = Path("build/rare-pages")
LANGUAGES: Final = ("vi", "en")
_HEIGHT_PX: Final = 800
_PIN: Final = "246813"
_NOBODY_ANSWERS: Final = ("http://127.0.0.1:9/",)
_OTHERS_LEADER: Final = "giamdoc.coto"


@dataclass(frozen=True)
class Picture:
    """One page to photograph.

    Attributes:
        who: Signed in as; "" is the public.
        then: What to do there first.
        before: What happens in the office before: a certificate ends, an authority dies.
    """

    name: str
    address: str
    who: str = ""
    then: Callable[[Tab], None] | None = None
    before: Callable[[], None] | None = None


def verdict_files(office: Office, folder: Path) -> dict[str, bytes]:
    """A file for each kind of answer that the public page gives, by name."""
    dossier = digitised_dossier(office)
    good, withdrawn, superseded = (issued(office, dossier) for _ in range(3))
    gone = {"reason": "Cấp nhầm"}
    ok(office.ask(centre.LEADER, "POST", f"/e-results/{withdrawn['id']}/withdraw", json=gone))
    instead = {"replacement": good["id"], "reason": "Sai địa chỉ"}
    ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{superseded['id']}/supersede", json=instead))
    with_annex, annex_withdrawn = (annexes.issued(office, dossier, text) for text in ("thứ nhất", "thứ hai"))
    ok(office.ask(centre.LEADER, "POST", f"/e-results/{annex_withdrawn['id']}/withdraw", json=gone))
    here = f"/dossiers/{dossier['id']}"
    paper = ok(office.ask(centre.CLERK, "GET", here))["components"][0]
    copy = office.ask(centre.CLERK, "GET", f"{here}/components/{paper['id']}/copy").content
    genuine = document(office, good)
    leader, other = (_subject(name) for name in (centre.LEADER, _OTHERS_LEADER))
    plain = page_pdf("Văn bản của cơ quan khác")

    def by_hand(source: bytes = plain, who: Any = leader, field: str = "Signature1", **how: Any) -> bytes:
        given = {"timestamper": office.pki.timestamper()} | how
        made = signed_files.signed_by_hand(office.pki, source, folder / "hand.pdf", who=who, field=field, **given)
        return made.read_bytes()

    once = by_hand()
    keeper = next(s.subject for s in centre.SIGNERS if s.agency == centre.HONG_GAI and not s.username)
    files = {
        "genuine": genuine,
        "withdrawn": document(office, withdrawn),
        "superseded": document(office, superseded),
        "annex": annexes.annex_file(office, with_annex, 1),
        "annex-withdrawn": annexes.annex_file(office, annex_withdrawn, 1),
        "copy": copy,
        "foreign": once,
        "foreign-two-signers": by_hand(once, keeper, "Signature2"),
        "altered": altered(genuine),
        "page-added": attacks.updated(genuine, page_added),
        "stamped-over": attacks.updated(genuine, attacks.stamp_over_the_page),
        "foreign-altered": attacks.updated(once, attacks.stamp_over_the_page),
        "photo": scan_pdf("Ảnh chụp quyết định"),
        "no-timestamp": by_hand(timestamper=None),
        "weak": foreign_files.signed_in_old_ways(office.pki, plain, who=leader, digest="sha1"),
        "empty": b"",
        "not-pdf": b"<html><p>not a document</p></html>" * 20,
        "cut-off": genuine[: len(genuine) // 2],
    }
    with running_pki(folder / "strange", (STRANGERS_LEADER, STRANGERS_SEAL, STRANGER), organization="Nơi lạ") as pki:
        files["unknown-signer"] = signed_files.issued(pki, folder).read_bytes()
    office.pki.trust.revoke(_subject(_OTHERS_LEADER).id, at=utc_now() - timedelta(hours=1))
    office.refresh_lists()
    files["revoked"] = by_hand(who=other)
    return files


def _subject(username: str) -> Any:
    return next(s.subject for s in centre.SIGNERS if s.username == username)


def _check(file: Path, name: str, tab: Tab) -> None:
    upload = {"name": f"{name}.pdf", "mimeType": "application/pdf", "buffer": file.read_bytes()}
    tab.locator("input[type=file]").set_input_files([upload])  # type: ignore[list-item]
    with tab.expect_navigation():
        tab.locator("form[enctype] button").first.press("Enter")


def _unfold(file: Path, name: str, tab: Tab) -> None:
    _check(file, name, tab)
    tab.locator("details summary").last.press("Enter")


def _report(office: Office, file: Path, tab: Tab) -> None:
    _check(file, file.stem, tab)
    with tab.expect_navigation():
        tab.locator("form[action='/kiem-tra/bien-ban'] button").press("Enter")
    _elsewhere(office.work_off)
    tab.reload()
    link = tab.locator("a[download]").get_attribute("href")
    answer = tab.request.get(link or "")
    (OUT / f"report-{file.stem}.pdf").write_bytes(answer.body())


def citizen_pictures(office: Office, folder: Path) -> list[Picture]:
    """The page with each verdict; the sealed report; and, last, what is told when nobody answers any more."""
    pictures = []
    for name, content in verdict_files(office, folder).items():
        file = folder / f"{name}.pdf"
        file.write_bytes(content)
        pictures.append(Picture(f"verdict-{name}", "/kiem-tra", then=partial(_check, file, name)))
    for name in ("genuine", "foreign-two-signers", "altered"):
        file = folder / f"{name}.pdf"
        pictures.append(Picture(f"details-{name}", "/kiem-tra", then=partial(_unfold, file, name)))
    pictures += [
        Picture(f"report-{name}", "/kiem-tra", then=partial(_report, office, folder / f"{name}.pdf"))
        for name in ("genuine", "altered", "annex")
    ]
    unheard = folder / "status-unreachable.pdf"
    made = signed_files.signed_by_hand(
        office.pki,
        page_pdf("Văn bản nơi khác"),
        unheard,
        who=_subject(centre.LEADER),
        timestamper=office.pki.timestamper(),
    )
    then = partial(_check, made, "status-unreachable")
    return [*pictures, Picture("verdict-status-unreachable", "/kiem-tra", then=then, before=partial(_silence, office))]


def _silence(office: Office) -> None:
    """Nobody tells who was revoked, and what was last said is no longer there."""
    office.pki.stop()
    with office.services.database._engine.begin() as connection:  # noqa: SLF001  no use case forgets evidence
        connection.exec_driver_sql("DELETE FROM crls")
        connection.exec_driver_sql("DELETE FROM ocsp_answers")


def _read(office: Office, result: dict[str, Any]) -> dict[str, Any]:
    office.send(centre.LEADER, f"/ket-qua/{result['id']}/da-doc", {"sha256": result["document_sha256"]})
    return result


@dataclass(frozen=True)
class Batch:
    """Results approved together, and the page about them."""

    address: str
    results: list[dict[str, Any]]


def _approved(office: Office, results: list[dict[str, Any]], **more: str) -> Batch:
    """Approve these together."""
    form: dict[str, Any] = {
        "van_ban": [f"{one['id']}:{one['document_sha256']}" for one in results],
        "password": centre.PASSWORD,
        "dot": str(uuid.uuid4()),
    }
    return Batch(str(office.send(centre.LEADER, "/ket-qua/duyet", form | more).url.path), results)


def _batches(
    office: Office, waiting: Callable[[], dict[str, Any]], unread: dict[str, Any]
) -> tuple[Batch, Batch, Batch]:
    """One whose timestamps wait and where one met a fault; one that was stopped; one with a document not yet read."""
    tsa = office.services.tsa_urls
    office.services = replace(office.services, tsa_urls=_NOBODY_ANSWERS)
    late = [waiting() for _ in range(3)]
    late_batch = _approved(office, late)
    office.work_off()
    spoilt = UUID(late[0]["id"])
    with office.services.begin() as work:
        one = work.e_results.for_job(spoilt)
        work.e_results.keep(replace(one, unstamped=one.document))
    office.services = replace(office.services, tsa_urls=tsa)
    BREAKERS.reset()
    with office.services.begin() as work:
        work.jobs.sign_e_result(spoilt, desktop_tool.Place.LEADER)
    office.work_off()
    stopped = _approved(office, [waiting() for _ in range(3)])
    office.send(centre.LEADER, f"{stopped.address}/dung")
    return late_batch, stopped, _approved(office, [*(waiting() for _ in range(3)), unread])


def staff_pictures(office: Office, folder: Path) -> list[Picture]:
    """Pages of the office while something is unusual; each in the state that it is photographed in."""
    shelf = _shelf(folder / "softhsm")
    dossier = digitised_dossier(office)
    leader = centre.LEADER

    def waiting() -> dict[str, Any]:
        return _read(office, submitted(office, dossier))

    def record(**changes: Any) -> None:
        with office.services.begin() as work:
            work.certificates.keep(replace(work.certificates.for_person(leader), **changes))

    late_batch, stopped_batch, under_way = _batches(office, waiting, submitted(office, dossier))
    late, spoilt = late_batch.results[1], late_batch.results[0]

    # What the queue shows beside each.
    unread = submitted(office, dossier)
    somebody_else = drafted(office, dossier, data=DATA | {"facts": [["Chủ hộ", "Người Khác Hẳn"]]})
    differing = ok(office.ask(centre.CLERK, "POST", f"/e-results/{somebody_else['id']}/submit"))
    read = [waiting() for _ in range(2)]
    returned = waiting()
    comment = {"comment": "Sửa lại tên chủ hộ cho đúng giấy đề nghị", "sha256": returned["document_sha256"]}
    office.send(leader, f"/ket-qua/{returned['id']}/tra-lai", comment)
    given_up = drafted(office, dossier)
    office.send(centre.CLERK, f"/ket-qua/{given_up['id']}/bo-du-thao", {"reason": "Soạn nhầm mẫu"})
    chosen = "&".join(f"chon={one['id']}" for one in (*read, unread, differing))
    soon = partial(record, valid_to=utc_now() + timedelta(days=6))
    with office.services.begin() as work:
        lasting = work.certificates.for_person(leader).valid_to
    back = partial(record, valid_to=lasting)

    # Keys on a token at the signing machine, then on the leader's own.
    shelf.token("lanhdao", pin=_PIN)
    at = shelf.put("lanhdao", shelf.key_of(office.pki, _subject(leader).id), label="khoa", pin=_PIN)

    def at_the_machine() -> None:
        back()
        record(held=KeyHeld.PKCS11, locator=str(at), pin_asked=PinAsked.BATCH)

    for_pin = waiting()

    def lost_pin() -> None:
        at_the_machine()
        _approved(office, [for_pin], pin=_PIN)
        office.keys.pins.close()
        _elsewhere(office.work_off)

    pictures = [
        Picture("queue", "/ket-qua?loc=cho-ky", leader),
        Picture("queue-keyboard", "/ket-qua?loc=cho-ky", leader, then=lambda tab: _press(tab, "KeyJ", "KeyX", "Tab")),
        Picture("queue-being-signed", "/ket-qua?loc=dang-ky", leader),
        Picture("queue-seal-keeper", "/ket-qua?loc=cho-van-thu", SEAL_KEEPER),
        Picture("card", f"/ket-qua/duyet?{chosen}", leader),
        Picture("differing", f"/ket-qua/{differing['id']}", leader),
        Picture("returned", f"/ket-qua/{returned['id']}", centre.CLERK),
        Picture("draft", f"/ket-qua/{drafted(office, dossier)['id']}", centre.CLERK),
        Picture("draft-discarded", f"/ket-qua/{given_up['id']}", centre.CLERK),
        Picture("batch-waits-for-time", late_batch.address, leader),
        Picture("batch-stopped", stopped_batch.address, leader),
        Picture("batch-under-way", under_way.address, leader),
        Picture("result-waits-for-time", f"/ket-qua/{late['id']}", leader),
        Picture("result-stopped", f"/ket-qua/{spoilt['id']}", SEAL_KEEPER),
        Picture("batch-done", under_way.address, leader, before=partial(_elsewhere, office.work_off)),
        Picture("queue-ends-soon", "/ket-qua?loc=cho-ky", leader, before=soon),
        Picture("desk-ends-soon", "/viec", leader),
        Picture("certificates", "/quan-tri", "quantri"),
        Picture("desk-administrator", "/viec", "quantri"),
        Picture("card-pin", f"/ket-qua/duyet?{chosen}", leader, before=at_the_machine),
        Picture("pin-again", "/ket-qua/go-pin", leader, before=lost_pin),
        *_trust_pictures(office, folder),
    ]

    def revoked() -> None:
        office.pki.trust.revoke(_subject(leader).id)
        office.refresh_lists()

    last = Picture("card-revoked", f"/ket-qua/duyet?{chosen}", leader, before=revoked)
    return [*pictures, *_token_pictures(office, dossier, folder, back, record), last]


def _shelf(folder: Path) -> Shelf:
    """A shelf of tokens, for this process."""
    (folder / "tokens").mkdir(parents=True)
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(conf)
    return Shelf(folder)


def _press(tab: Tab, *keys: str) -> None:
    for key in keys:
        tab.keyboard.press(key)


def _trust_pictures(office: Office, folder: Path) -> list[Picture]:
    with running_pki(folder / "new", (STRANGER,), organization="Cơ quan chứng thực mới") as pki:
        der = pki.trust.anchor_der
    with office.services.begin() as work:
        account = work.accounts.of("quantri")
    anchor = anchors.propose(
        office.services.begin,
        der,
        store=StoreName.NEAC,
        reason="Lấy từ trang của NEAC ngày 20/11/2026, theo công văn số 12/CV",
        trusted_from=None,
        trusted_to=None,
        by=account.actor,
        now=utc_now(),
    )
    here = f"/quan-tri/goc-tin-cay/{anchor.id}"

    def mismatch(tab: Tab) -> None:
        tab.locator("[name=fingerprint]").fill("0" * 64)
        tab.locator("form[action$=xac-nhan] [name=password]").fill(centre.PASSWORD)
        with tab.expect_navigation():
            tab.locator("form[action$=xac-nhan] button").press("Enter")

    return [
        Picture("anchors", "/quan-tri/goc-tin-cay", "quantri"),
        Picture("anchor-own", here, "quantri"),
        Picture("anchor-to-confirm", here, "quantri2"),
        Picture("anchor-mismatch", here, "quantri2", then=mismatch),
    ]


def _token_pictures(
    office: Office, dossier: dict[str, Any], folder: Path, back: Callable[[], None], record: Callable[..., None]
) -> list[Picture]:
    """The page of the own token: waiting, each refusal, the seal keeper's; the states are made as the pictures are."""
    keys: dict[str, Any] = {}
    results = {name: _read(office, submitted(office, dossier)) for name in ("leader", "seal")}

    def own_token() -> None:
        back()
        record(held=KeyHeld.FOLDER, pin_asked=PinAsked.NEVER)
        ok(approve(office, results["seal"]))
        keys["seal"] = seal_onto_own_token(office, centre.HONG_GAI)
        _elsewhere(office.work_off)
        keys["leader"] = onto_own_token(office, centre.LEADER)
        ok(approve(office, results["leader"]))

    tool = desktop_tool
    bad: dict[str, Callable[[bytes], bytes]] = {
        "unsigned": lambda sent: sent,
        "no-pdf": lambda _: b"<html>" * 400,
        "half": lambda sent: sent[: len(sent) // 2],
        "another-document": lambda sent: tool.signed(tool.another(sent), keys["leader"]),
        "edited": lambda sent: tool.signed(tool.edited(sent), keys["leader"]),
        "signed-twice": lambda sent: tool.signed(
            tool.signed(sent, keys["leader"]), keys["leader"], own_field=(60, 60, 230, 90)
        ),
        "wrong-field": lambda sent: tool.signed(sent, keys["leader"], place=tool.Place.SEAL),
        "another-certificate": lambda sent: tool.signed(sent, tool.key_of(office.pki, _OTHERS_LEADER)),
    }

    def send(make: Callable[[bytes], bytes], name: str, tab: Tab) -> None:
        sent = _elsewhere(lambda: make(document(office, results[name])))
        file = folder / "signed.pdf"
        file.write_bytes(sent)
        tab.locator("details summary").first.evaluate("it => it.parentElement.open = true")
        tab.locator("#signed-file").set_input_files(file)
        with tab.expect_navigation():
            tab.locator("form[action$=tai-len] button").press("Enter")

    leader, seal = (f"/ket-qua/{results[name]['id']}/ky-token" for name in ("leader", "seal"))
    return [
        Picture("token", leader, centre.LEADER, before=own_token),
        Picture("token-result", f"/ket-qua/{results['leader']['id']}", centre.LEADER),
        Picture("token-seal", seal, SEAL_KEEPER),
        *(
            Picture(f"token-refused-{name}", leader, centre.LEADER, then=partial(send, make, "leader"))
            for name, make in bad.items()
        ),
    ]


# --- how the pictures are taken ---------------------------------------------------------------------------------------

GROUPS: Final[Mapping[str, tuple[Callable[[Office, Path], list[Picture]], tuple[int, ...]]]] = {
    "citizen": (citizen_pictures, (320, 1280)),
    "staff": (staff_pictures, (360, 1280)),
}


def main(asked: list[str]) -> int:
    """Photograph these groups (all by default), of them the pages whose names begin so (all by default).

    Gives 1 when a page couldn't be photographed, or is wider than its screen.
    """
    groups = [name for name in GROUPS if name in asked or not GROUPS.keys() & set(asked)]
    names = tuple(name for name in asked if name not in GROUPS)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    troubles: list[str] = []
    for group in groups:
        pictures_of, widths = GROUPS[group]
        with _running_site() as (office, base_url, folder):
            pictures = pictures_of(office, folder)
            with live.chromium() as browser:
                troubles += _photograph(browser, base_url, pictures, names, widths)
    _contact_sheet()
    print(f"{OUT / 'index.html'}: {len(list(OUT.glob('*.png')))} ảnh (pictures)")
    print("\n".join(troubles), file=sys.stderr)
    return 1 if troubles else 0


def _elsewhere(call: Callable[[], T]) -> T:
    """Done in a thread of its own: the browser keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()


@contextmanager
def _running_site() -> Iterator[tuple[Office, str, Path]]:
    """An office with servers and a shelf of tokens of its own, its pages on a free port, and a folder for files."""
    folder = Path(tempfile.mkdtemp(prefix="hoso-rare-pages-"))
    folder.chmod(0o711)  # as root, the database's user must reach it
    work = folder / "office"
    work.mkdir()
    try:
        dsn = postgres.start(folder / "postgres")
        migrate(dsn)
        store = bucket(s3.start(folder / "s3"))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            more = {"public_url": base_url, "reports_by": centre.PROVINCE}
            with running_office(work, dsn, store, **more) as office:
                server = uvicorn.Server(uvicorn.Config(create_app(built=office.services), log_config=None))
                thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
                thread.start()
                yield office, base_url, folder
                server.should_exit = True
                thread.join()
    finally:
        postgres.stop(folder / "postgres")
        s3.stop(folder / "s3")
        shutil.rmtree(folder, ignore_errors=True)


def _photograph(
    browser: Browser, base_url: str, pictures: list[Picture], names: tuple[str, ...], widths: tuple[int, ...]
) -> list[str]:
    """A file for each picture, language and width, in the pictures' order; gives what went wrong."""
    troubles: list[str] = []
    tabs: dict[str, Tab] = {}
    for picture in pictures:
        if picture.before is not None:
            picture.before()
        if names and not picture.name.startswith(names):
            continue
        if picture.who not in tabs:
            context = browser.new_context(
                base_url=base_url, timezone_id="Asia/Ho_Chi_Minh", locale="vi-VN", reduced_motion="reduce"
            )
            tabs[picture.who] = context.new_page()
            if picture.who:
                live.sign_in(tabs[picture.who], picture.who)
        tab = tabs[picture.who]
        for language in LANGUAGES:
            tab.context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": base_url}])
            try:
                troubles += _one(tab, picture, language, widths)
            except Error as failed:
                troubles.append(f"{picture.name}-{language}: {failed!r}")
    return troubles


def _one(tab: Tab, picture: Picture, language: str, widths: tuple[int, ...]) -> list[str]:
    troubles = []
    tab.set_viewport_size({"width": widths[-1], "height": _HEIGHT_PX})
    answer = tab.goto(picture.address)
    if answer is None or not answer.ok:
        troubles.append(f"{picture.name}-{language}: {answer and answer.status} {picture.address}")
    if picture.then is not None:
        picture.then(tab)
    for width in widths:
        tab.set_viewport_size({"width": width, "height": _HEIGHT_PX})
        if tab.evaluate("document.documentElement.scrollWidth") > width:
            troubles.append(f"{picture.name}-{language}: wider than {width} px")
        tab.screenshot(path=OUT / f"{picture.name}-{language}-{width}.png", full_page=True, animations="disabled")
    return troubles


def _contact_sheet() -> None:
    by_page: dict[str, list[str]] = {}
    for file in sorted(OUT.glob("*.png")):
        by_page.setdefault(file.stem.rsplit("-", 2)[0], []).append(file.name)
    rows = "".join(
        f"<h2>{html.escape(page)}</h2><div>"
        + "".join(
            f'<figure><a href="{name}"><img src="{name}" alt="" loading="lazy" width="300"></a>'
            f"<figcaption>{name}</figcaption></figure>"
            for name in files
        )
        + "</div>"
        for page, files in by_page.items()
    )
    style = "div{display:flex;gap:1em;align-items:start}img{border:1px solid #999}body{font-family:sans-serif}"
    (OUT / "index.html").write_text(
        f'<!doctype html><html lang="vi"><meta charset="utf-8"><title>Hồ sơ số</title><style>{style}</style>{rows}',
        "utf-8",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
