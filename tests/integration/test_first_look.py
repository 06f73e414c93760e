"""The first look at a page: its small picture and its flags, while the paper is still on the desk."""

from __future__ import annotations

import io
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import cv2
import psycopg
import pytest
from PIL import Image

from api.demo import centre, sample
from digitize import quality, sequence
from digitize.types import Flag
from dossiers import digitization
from dossiers.types import ObjectKey, Page, PageState
from storage import queue
from tests import scans
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import add, open_dossier
from tests.papers import scan_pdf, scan_png

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from digitize.types import PageFlags, PageImage
    from tests.office import Office


def path_of(dossier: dict[str, Any], component: dict[str, Any]) -> str:
    return f"/dossiers/{dossier['id']}/components/{component['id']}"


def pages_of(office: Office, path: str) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = ok(office.ask(centre.CLERK, "GET", f"{path}/progress"))["pages"]
    return pages


def kept_pages(office: Office, component: dict[str, Any]) -> Sequence[Page]:
    with office.services.begin() as work:
        return work.components.pages(UUID(component["id"]))


def look(office: Office, component: dict[str, Any], first: int = 1) -> None:
    services = office.services
    digitization.look_at_pages(
        services.begin,
        services.store,
        UUID(component["id"]),
        first,
        limits=services.limits,
        work_dir=services.work_dir,
    )


def two_pages() -> bytes:
    return scan_pdf(f"Trang một {uuid.uuid4()}", "Trang hai")


def test_small_pictures_and_flags_are_there_before_anything_is_read(office: Office) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "mo.png", scan_png(f"Bản quét thưa {uuid.uuid4()}", dpi=120)))
    path = path_of(dossier, component)
    assert pages_of(office, path)[0]["thumbnail"] is None
    assert office.ask(centre.CLERK, "GET", f"{path}/pages/1/thumbnail").status_code == 404

    office.work_off(queue.LOOK)

    (page,) = pages_of(office, path)
    assert page["state"]["code"] == "received"
    assert "low_resolution" in page["flags"]
    assert {"code": "low_resolution", "vi": "dưới 200 dpi", "en": "below 200 dpi"} in page["flag_words"]
    shown = office.ask(centre.CLERK, "GET", f"{path}/pages/1/thumbnail")
    with Image.open(io.BytesIO(shown.content)) as small:
        assert (small.format, small.width) == ("JPEG", 240)


def test_an_address_that_names_the_content_is_kept_by_the_browser_and_no_other(office: Office) -> None:
    dossier = open_dossier(office)
    path = path_of(dossier, ok(add(office, dossier, "a.png", scan_png(f"Đơn {uuid.uuid4()}"))))
    office.work_off()
    (page,) = pages_of(office, path)

    for what in ("thumbnail", "picture"):
        address = f"{path}/pages/1/{what}"
        plain = office.ask(centre.CLERK, "GET", address)
        named = office.ask(centre.CLERK, "GET", address, params={"v": page[what]})
        stale = office.ask(centre.CLERK, "GET", address, params={"v": "0" * 12})

        assert plain.headers["content-disposition"].startswith("inline")
        assert plain.headers["content-type"].startswith("image/")
        assert plain.content == named.content == stale.content
        assert plain.headers["cache-control"] == stale.headers["cache-control"] == "private, no-store"
        assert named.headers["cache-control"] == "private, max-age=36000, immutable"
    scan = office.ask(centre.CLERK, "GET", f"{path}/scan", params={"v": "x"})
    assert scan.headers["content-disposition"].startswith("attachment")
    assert office.ask("motcua.uongbi", "GET", f"{path}/pages/1/thumbnail").status_code == 404


def test_a_second_look_and_a_look_after_reading_change_nothing(office: Office) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.pdf", two_pages()))
    office.work_off()
    before = kept_pages(office, component)

    look(office, component)

    assert [p.state for p in before] == [PageState.READ] * 2
    assert all(p.thumbnail for p in before)
    assert [p.attempts for p in before] == [0, 0]
    assert kept_pages(office, component) == before


def test_a_late_look_gives_a_read_page_its_small_picture_and_nothing_else(office: Office) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.pdf", two_pages()))
    office.work_off(queue.PAGE, queue.PAPER)  # the reader was faster
    before = kept_pages(office, component)[0]
    small = ObjectKey("ab" * 32, 5, "image/jpeg")

    with office.services.begin() as work:
        work.components.keep_look(before.id, small, flags=["blank"], measured={"ink": 0.0})

    after = kept_pages(office, component)[0]
    assert (before.thumbnail, after.thumbnail) == (None, small)
    assert (after.state, after.flags, after.measured, after.text) == (
        PageState.READ,
        before.flags,
        before.measured,
        before.text,
    )


def test_a_look_that_meets_a_reading_waits_for_it_and_takes_nothing_back(office: Office) -> None:
    """Two workers at one page: the reader holds the paper with its findings not yet committed, the other has looked."""
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.png", scan_png(f"Đơn {uuid.uuid4()}")))
    begin = office.services.begin
    with ThreadPoolExecutor(1) as other:
        with begin() as reader:
            reader.components.lock(UUID(component["id"]))
            (page,) = reader.components.pages(UUID(component["id"]))
            reader.components.keep_page(
                replace(page, state=PageState.READ, text="Đơn", flags=("turned",), measured={"turned_deg": 180.0})
            )
            looking = other.submit(look, office, component)
            until(lambda: waits_for_a_lock(office))
            assert not looking.done()
        looking.result(60)

    (after,) = kept_pages(office, component)
    assert after.thumbnail
    assert (after.state, after.text, after.flags) == (PageState.READ, "Đơn", ("turned",))
    assert after.measured == {"turned_deg": 180.0}
    office.work_off()


def until(true: Callable[[], bool], *, within_s: float = 60.0) -> None:
    give_up = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up, "it never came true"
        time.sleep(0.02)


def waits_for_a_lock(office: Office) -> bool:
    with psycopg.connect(office.services.dsn) as connection:
        waiting = connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return waiting is not None


def test_looking_and_reading_at_once_lose_nothing(office: Office) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.pdf", scan_pdf(f"Một {uuid.uuid4()}", "Hai", "Ba", "Bốn")))

    with ThreadPoolExecutor(3) as workers:
        for done in [workers.submit(office.work_off, name) for name in (queue.LOOK, queue.PAGE, queue.PAGE)]:
            done.result(120)
    office.work_off()

    pages = kept_pages(office, component)
    assert [(p.state, bool(p.thumbnail), bool(p.words)) for p in pages] == [(PageState.READ, True, True)] * 4
    assert ok(office.ask(centre.CLERK, "GET", path_of(dossier, component)))["state"]["code"] == "read"


def test_reading_keeps_the_small_picture_and_the_paper_goes_on(office: Office) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.pdf", two_pages()))
    office.work_off(queue.LOOK)
    looked_at = [p.thumbnail for p in kept_pages(office, component)]

    office.work_off()

    assert all(looked_at)
    assert [p.thumbnail for p in kept_pages(office, component)] == looked_at
    assert ok(office.ask(centre.CLERK, "GET", path_of(dossier, component)))["state"]["code"] == "read"


def test_a_page_that_cannot_be_seen_is_left_to_reading_and_the_others_are_seen(
    office: Office,
) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.pdf", scan_pdf(f"Một {uuid.uuid4()}", "Hai", "Ba")))
    with office.services.begin() as work:
        poison = work.components.pages(UUID(component["id"]))[1].id
        for _ in range(digitization.MAX_ATTEMPTS):
            work.components.begin_look(poison)  # as if it had killed whoever looked, and whoever read, three times
            work.components.begin_attempt(poison)
    office.work_off(queue.LOOK)
    seen = [page["thumbnail"] is not None for page in pages_of(office, path_of(dossier, component))]
    office.work_off()
    states = [page["state"]["code"] for page in pages_of(office, path_of(dossier, component))]

    ok(office.ask(centre.CLERK, "POST", f"{path_of(dossier, component)}/retry"))
    office.work_off()

    assert seen == [True, False, True]
    assert states == ["read", "set_aside", "read"]
    assert all(page["thumbnail"] for page in pages_of(office, path_of(dossier, component)))


@pytest.mark.parametrize("trouble", [cv2.error("assertion failed"), MemoryError(), OSError(28, "disk full")])
def test_a_failed_look_spends_no_attempt_of_the_reader_and_the_other_pages_are_seen(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.pdf", scan_pdf(f"Một {uuid.uuid4()}", "Hai", "Ba")))
    with monkeypatch.context() as patched:
        looked, flags_of = [], quality.flags_of

        def fails_at_the_second(image: PageImage) -> PageFlags:
            looked.append(image)
            if len(looked) % 3 == 2 or len(looked) > 3:  # page 2, each time
                raise trouble
            return flags_of(image)

        patched.setattr(quality, "flags_of", fails_at_the_second)
        for _ in range(digitization.MAX_ATTEMPTS + 1):
            look(office, component)
    pages = kept_pages(office, component)

    assert [bool(p.thumbnail) for p in pages] == [True, False, True]
    assert [p.attempts for p in pages] == [0, 0, 0]
    told = [record for record in caplog.records if record.message == "page_not_looked_at"]
    assert {(record.page, record.error) for record in told} == {(str(pages[1].id), type(trouble).__name__)}  # type: ignore[attr-defined]
    office.work_off()
    assert [p.state for p in kept_pages(office, component)] == [PageState.READ] * 3


def test_a_long_file_is_looked_at_in_parts_so_that_others_come_between(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digitization, "LOOKED_AT_IN_A_ROW", 1)
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.pdf", scan_pdf(f"Một {uuid.uuid4()}", "Hai", "Ba")))

    look(office, component)
    after_one = [bool(p.thumbnail) for p in kept_pages(office, component)]
    office.work_off(queue.LOOK)

    assert after_one == [True, False, False]
    assert all(p.thumbnail for p in kept_pages(office, component))


def test_all_papers_of_a_dossier_are_followed_at_one_address(office: Office) -> None:
    dossier = open_dossier(office)
    path = f"/dossiers/{dossier['id']}/progress"
    empty = ok(office.ask(centre.CLERK, "GET", path))
    first = ok(add(office, dossier, "a.pdf", two_pages()))
    second = ok(add(office, dossier, "b.png", scan_png(f"Đơn {uuid.uuid4()}")))
    waiting = ok(office.ask(centre.CLERK, "GET", path))
    office.work_off()
    done = ok(office.ask(centre.CLERK, "GET", path))

    assert (empty["done"], empty["total"], empty["components"]) == (0, 0, [])
    assert (waiting["done"], waiting["total"]) == (0, 3)
    assert waiting["state"]["code"] == "draft"
    assert (done["done"], done["total"]) == (3, 3)
    assert done["next_step"]["code"] == "receive"
    assert [c["component"] for c in done["components"]] == [first["id"], second["id"]]
    assert done["components"][0] == ok(office.ask(centre.CLERK, "GET", f"{path_of(dossier, first)}/progress"))
    assert office.ask("motcua.uongbi", "GET", path).status_code == 404


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> sample.SampleDossier:
    return sample.make_dossier(tmp_path_factory.mktemp("damaged"), seed=5, size="full")


def test_what_is_said_at_the_counter_is_still_said_after_reading(office: Office, damaged: sample.SampleDossier) -> None:
    """Blurred, and cut: what the person at the counter was told is not taken back when the page has been read."""
    dossier = open_dossier(office)
    papers = {
        kind: ok(add(office, dossier, paper.file.name, Path(paper.file).read_bytes()))
        for paper in damaged.components
        if (kind := paper.kind) in {"BB", "UQ"}
    }
    office.work_off(queue.LOOK)
    first = {kind: [set(p.flags) for p in kept_pages(office, paper)] for kind, paper in papers.items()}
    office.work_off()
    final = {kind: [set(p.flags) for p in kept_pages(office, paper)] for kind, paper in papers.items()}

    assert first == {"BB": [{Flag.BLURRED}], "UQ": [set(), {Flag.CUT_EDGE}]}
    for kind, pages in first.items():
        assert all(seen <= read for seen, read in zip(pages, final[kind], strict=True)), kind


def test_what_only_the_pages_together_show_is_said_when_the_last_of_them_is_read(office: Office) -> None:
    title = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")
    decision = scans.sheet((*title, *scans.LETTER), dpi=200)
    another = scans.sheet((*title, f"ĐƠN ĐỀ NGHỊ {uuid.uuid4()}", "Kính gửi: Ủy ban nhân dân xã An Phú"), dpi=200)
    pictures = [Image.fromarray(page.pixels) for page in (decision, decision, another)]
    file = io.BytesIO()
    pictures[0].save(file, "PDF", resolution=200, save_all=True, append_images=pictures[1:])

    component = ok(add(office, open_dossier(office), "a.pdf", file.getvalue()))
    office.work_off()

    first, second, third = ({*page.flags} & sequence.REMARKS for page in kept_pages(office, component))
    assert (first, second, third) == (set(), {Flag.SAME_AGAIN}, {Flag.ANOTHER_PAPER})


def test_a_process_that_dies_looking_and_reading_at_once_costs_the_reader_one_attempt(office: Office) -> None:
    dossier = open_dossier(office)
    paper = ok(add(office, dossier, "a.png", scan_png(f"Đơn đề nghị {uuid.uuid4()}")))
    (page,) = kept_pages(office, paper)
    for _ in range(2):
        with office.services.begin() as work:
            work.components.begin_look(page.id)  # as if both had been killed, twice
            work.components.begin_attempt(page.id)

    office.work_off()

    assert kept_pages(office, paper)[0].state is PageState.READ
