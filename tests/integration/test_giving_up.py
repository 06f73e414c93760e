"""A paper or a dossier given up while its pages wait: nothing more is made of it, and nothing of it is lost."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest

from api.demo import centre
from digitize import pipeline
from dossiers import digitization
from dossiers.types import PageState
from storage import queue
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import add, open_dossier
from tests.papers import scan_pdf, scan_png

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.office import Office

WAYS = ("dropped", "replaced", "cancelled")


def waiting(office: Office, component: dict[str, Any]) -> list[str]:
    """Tasks that wait to be done with a paper."""
    with psycopg.connect(office.services.dsn) as connection:
        rows = connection.execute(
            "SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' AND (args ->> 'component_id' = %(id)s "
            "OR args ->> 'page_id' IN (SELECT id::text FROM pages WHERE component_id = %(id)s::uuid)) ORDER BY 1",
            {"id": component["id"]},
        )
        return [task for (task,) in rows]


def give_up(office: Office, way: str, dossier: dict[str, Any], component: dict[str, Any]) -> None:
    path = f"/dossiers/{dossier['id']}"
    match way:
        case "dropped":
            ok(office.ask(centre.CLERK, "DELETE", f"{path}/components/{component['id']}"))
        case "replaced":
            new = scan_png("Bản quét lại", str(uuid.uuid4()))
            ok(
                office.ask(
                    centre.CLERK,
                    "POST",
                    f"{path}/components",
                    data={"kind": "", "name": "Bản quét lại", "replaces": component["id"]},
                    files={"file": ("lai.png", new)},
                )
            )
        case _:
            ok(office.ask(centre.CLERK, "POST", f"{path}/close", json={"state": way, "reason": "Người nộp rút"}))


def kept_scan(office: Office, dossier: dict[str, Any], component: dict[str, Any]) -> str:
    answer = office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}/components/{component['id']}/scan")
    assert answer.status_code == 200
    return hashlib.sha256(answer.content).hexdigest()


def objects(office: Office) -> set[str]:
    return {name for name, _ in office.services.vault.objects()}


@pytest.mark.parametrize("way", WAYS)
def test_waiting_jobs_of_what_is_given_up_are_dropped_and_nobody_elses(office: Office, way: str) -> None:
    dossier, other = open_dossier(office), open_dossier(office)
    scan = scan_pdf(*(f"Trang {number} {uuid.uuid4()}" for number in range(3)))
    component = ok(add(office, dossier, "a.pdf", scan))
    neighbour = ok(add(office, other, "b.png", scan_png(f"Đơn {uuid.uuid4()}")))
    assert waiting(office, component) == ["look_at_pages", *["read_page"] * 3]

    give_up(office, way, dossier, component)

    assert waiting(office, component) == []
    assert waiting(office, neighbour) == ["look_at_pages", "read_page"]
    assert kept_scan(office, dossier, component) == hashlib.sha256(scan).hexdigest()
    told = {event: detail for event, detail in history(office, dossier, component) if "unread" in detail}
    assert [detail["unread"] for detail in told.values()] == [3]
    give_up(office, "cancelled", other, neighbour)


def history(office: Office, dossier: dict[str, Any], component: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    with office.services.begin() as work:
        entries = work.audit.of_all([UUID(dossier["id"]), UUID(component["id"])])
        return [(entry.event, dict(entry.detail)) for entry in entries]


@pytest.mark.parametrize("way", WAYS)
def test_a_page_being_read_while_its_paper_is_given_up_ends_without_a_result(
    office: Office, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clerk gives up in the very moment in which the reader has the page in hand."""
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.png", scan_png(f"Đơn {uuid.uuid4()}")))
    really_read = pipeline.read_page
    seen: list[set[str]] = []

    def read(*page: Any, **how: Any) -> Any:
        found = really_read(*page, **how)
        give_up(office, way, dossier, component)
        seen.append(objects(office))
        return found

    monkeypatch.setattr(pipeline, "read_page", read)
    (page,) = pages(office, component)
    services = office.services
    digitization.read_page(services.begin, services.store, page.id, limits=services.limits, work_dir=services.work_dir)

    (after,) = pages(office, component)
    assert len(seen) == 1
    assert (after.state, after.text, after.picture, after.attempts) == (PageState.RECEIVED, "", None, 0)
    assert waiting(office, component) == []
    assert objects(office) == seen[0]  # not even stored


def pages(office: Office, component: dict[str, Any]) -> Any:
    with office.services.begin() as work:
        return work.components.pages(UUID(component["id"]))


@pytest.mark.parametrize("way", WAYS)
def test_giving_up_between_the_last_look_and_the_record_leaves_no_record(office: Office, way: str) -> None:
    """The reading is stored and about to be recorded: whoever holds the paper first is the one who counts."""
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.png", scan_png(f"Đơn {uuid.uuid4()}")))
    (page,) = pages(office, component)
    services = office.services

    class Store:
        """The real store, with a clerk who gives up after the second object of the page."""

        puts = 0

        def __getattr__(self, name: str) -> Callable[..., Any]:
            real: Callable[..., Any] = getattr(services.store, name)
            return real

        def put(self, *args: Any, **more: Any) -> Any:
            key = services.store.put(*args, **more)
            self.puts += 1
            if self.puts == 2:
                give_up(office, way, dossier, component)
            return key

    digitization.read_page(
        services.begin,
        Store(),  # type: ignore[arg-type]
        page.id,
        limits=services.limits,
        work_dir=services.work_dir,
    )

    (after,) = pages(office, component)
    assert (after.state, after.text) == (PageState.RECEIVED, "")
    assert waiting(office, component) == []


def test_pages_and_streams_say_that_a_given_up_dossier_is_at_rest(office: Office) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.pdf", scan_pdf("Trang một", str(uuid.uuid4()))))
    give_up(office, "cancelled", dossier, component)
    here = f"/dossiers/{dossier['id']}/components/{component['id']}"

    tray = office.open(centre.CLERK, f"/ho-so/{dossier['id']}")
    review = office.open(centre.CLERK, f"/ho-so/{dossier['id']}/giay-to/{component['id']}")
    stream = office.ask(centre.CLERK, "GET", f"{here}/events")  # comes to its end
    progress = ok(office.ask(centre.CLERK, "GET", f"{here}/progress"))

    assert "bản quét được giữ, không đọc" in tray.text
    assert "chờ đọc" not in tray.text
    assert "Bản quét vẫn được giữ" in review.text
    assert "Máy đang đọc" not in review.text
    assert "event: progress" in stream.text
    assert progress["given_up"]


def test_of_a_given_up_dossier_nothing_is_reviewed_read_again_or_signed(office: Office) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.png", scan_png(f"Đơn {uuid.uuid4()}")))
    office.work_off(queue.PAGE, queue.PAPER)
    give_up(office, "cancelled", dossier, component)
    here = f"/dossiers/{dossier['id']}/components/{component['id']}"

    asked: dict[str, dict[str, Any]] = {"review": {}, "retry": {}, "copy": {"password": centre.PASSWORD}}
    answers = [office.ask(centre.CLERK, "POST", f"{here}/{what}", json=body) for what, body in asked.items()]

    assert [answer.status_code for answer in answers] == [409] * 3
    assert ok(office.ask(centre.CLERK, "GET", here))["state"]["code"] == "read"


def test_only_who_adds_papers_takes_them_out_and_only_before_the_receipt_names_them(office: Office) -> None:
    dossier = open_dossier(office)
    component = ok(add(office, dossier, "a.png", scan_png(f"Đơn {uuid.uuid4()}")))
    here = f"/dossiers/{dossier['id']}/components/{component['id']}"

    strangers = office.ask("motcua.uongbi", "DELETE", here)
    leader = office.ask(centre.LEADER, "DELETE", here)
    taken_out = ok(office.ask(centre.CLERK, "DELETE", here))
    again = office.ask(centre.CLERK, "DELETE", here)

    assert (strangers.status_code, leader.status_code, again.status_code) == (404, 403, 409)
    assert taken_out == {"unread_pages": 1, "scan_sha256": component["scan_sha256"]}
