"""What nobody waits for steps back: a citizen's page is read before a back-file, however long that has waited."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pypdf

from api.demo import centre
from dossiers import digitization
from storage import workers
from storage.queue import ASSEMBLE, EXTRACT_FIELDS, LOOK, LOOK_AT_PAGES, PAGE, PAPER, QUEUE_OF, READ_PAGE
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import APPLICANT, add, open_dossier
from tests.papers import scan_pdf, scan_png

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.office import Office

MANY = 50


def open_back_file(office: Office, who: str = centre.CLERK) -> dict[str, Any]:
    given = {"procedure": "1.001612", "applicant": APPLICANT, "back_file": True}
    opened: dict[str, Any] = ok(office.ask(who, "POST", "/dossiers", json=given))
    return opened


def empty_pages(count: int) -> bytes:
    writer = pypdf.PdfWriter()
    for _ in range(count):
        writer.add_blank_page(595, 842)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def ids_of_pages(office: Office, component: dict[str, Any]) -> list[str]:
    with office.services.begin() as work:
        return [str(page.id) for page in work.components.pages(UUID(component["id"]))]


def order_of_work(office: Office, *queues: str, of: Sequence[dict[str, Any]]) -> Sequence[tuple[str, str]]:
    """What a worker of these queues does with these papers, one after the other, until nothing waits.

    Whatever other tests have left in the shared queue is done and not told.
    """
    subjects = {one for component in of for one in (component["id"], *ids_of_pages(office, component))}
    done: list[tuple[str, str]] = []
    app = workers.make_app(office.services.dsn)
    for name in (LOOK_AT_PAGES, READ_PAGE, ASSEMBLE, EXTRACT_FIELDS):

        def note(_name: str = name, **ids: Any) -> None:
            about = ids.get("page_id") or ids["component_id"]
            if about in subjects:
                done.append((_name, about))

        app.task(name=name, queue=QUEUE_OF[name])(note)

    async def work() -> None:
        async with app.open_async():
            await app.run_worker_async(
                queues=list(queues), wait=False, listen_notify=False, install_signal_handlers=False
            )

    asyncio.run(work())
    return done


def test_a_page_from_the_counter_is_read_before_fifty_of_a_back_file_that_came_earlier(office: Office) -> None:
    old = ok(add(office, open_back_file(office), "cu.pdf", empty_pages(MANY)))
    counter = ok(add(office, open_dossier(office), "moi.pdf", empty_pages(1)))

    order = order_of_work(office, PAGE, of=[old, counter])

    assert order[0] == (READ_PAGE, ids_of_pages(office, counter)[0])
    assert [page for _, page in order[1:]] == ids_of_pages(office, old)


def test_the_last_page_of_a_citizens_big_file_comes_before_the_first_of_a_back_file(office: Office) -> None:
    old = ok(add(office, open_back_file(office), "cu.pdf", empty_pages(1)))
    big = ok(add(office, open_dossier(office), "to.pdf", empty_pages(MANY)))
    with office.services.begin() as work:
        for _ in range(50 * MANY):  # as if it had so many pages that it steps back as far as anything can
            work.jobs.read_page(UUID(big["id"]))

    order = order_of_work(office, PAGE, of=[old, big])

    assert order[-1] == (READ_PAGE, ids_of_pages(office, old)[0])


def test_also_looking_and_making_the_pdf_of_a_back_file_wait(office: Office) -> None:
    """A worker that reads and looks does all that a citizen waits for before the first of a back-file."""
    old = ok(add(office, open_back_file(office), "cu.pdf", empty_pages(2)))
    with office.services.begin() as work:
        work.jobs.assemble(UUID(old["id"]), 1, back_file=True)
        work.jobs.extract_fields(UUID(old["id"]), back_file=True)
    counter = ok(add(office, open_dossier(office), "moi.pdf", empty_pages(1)))

    order = order_of_work(office, LOOK, PAGE, PAPER, of=[old, counter])

    (page,) = ids_of_pages(office, counter)
    assert order[:2] == [(LOOK_AT_PAGES, counter["id"]), (READ_PAGE, page)]
    assert {about for _, about in order[2:]} == {old["id"], *ids_of_pages(office, old)}


def test_what_follows_from_a_back_files_page_waits_too(office: Office) -> None:
    """The mark goes with the dossier through every job that one job asks for."""
    old = ok(add(office, open_back_file(office), "cu.pdf", scan_pdf("Quyết định cũ")))
    services = office.services
    (page,) = ids_of_pages(office, old)
    digitization.read_page(
        services.begin, services.store, UUID(page), limits=services.limits, work_dir=services.work_dir
    )  # which asks for its PDF
    counter = ok(add(office, open_dossier(office), "moi.png", scan_png("Đơn của người ở quầy")))

    order = order_of_work(office, PAGE, PAPER, of=[old, counter])

    assert order[0] == (READ_PAGE, ids_of_pages(office, counter)[0])
    assert (ASSEMBLE, old["id"]) in order[1:]


def test_a_back_file_is_read_like_any_other_and_says_what_it_is(office: Office) -> None:
    opened = open_back_file(office)
    ok(add(office, opened, "cu.png", scan_png("Quyết định cũ")))
    office.work_off()

    kept = ok(office.ask(centre.CLERK, "GET", f"/dossiers/{opened['id']}"))
    history = ok(office.ask(centre.CLERK, "GET", f"/dossiers/{opened['id']}/history"))
    page = office.open(centre.CLERK, f"/ho-so/{opened['id']}")

    assert kept["back_file"]
    assert kept["components"][0]["state"]["code"] == "read"
    assert history[0]["detail"]["back_file"]
    assert "Hồ sơ cũ, số hóa bù" in page.text


def test_the_form_at_the_counter_asks_and_keeps_the_answer(office: Office) -> None:
    form = {"name": "Nguyễn Văn Thử", "procedure": "1.001612", "back_file": "yes"}
    refused = office.send(centre.CLERK, "/ho-so/moi", {**form, "name": ""})
    opened = office.send(centre.CLERK, "/ho-so/moi", form)
    plain = office.send(centre.CLERK, "/ho-so/moi", {**form, "name": "Trần Thị Thử", "back_file": ""})

    assert 'name="back_file" value="yes" checked' in refused.text
    assert "Hồ sơ cũ, số hóa bù" in opened.text
    assert "Hồ sơ cũ, số hóa bù" not in plain.text
