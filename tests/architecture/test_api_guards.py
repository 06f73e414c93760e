"""What holds the doors: every route says who may use it, every error has an answer, every job has a worker."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.routing import APIRoute

import api
import digitize
import dossiers
import signing
import storage
from api import deps, jobs, worker
from api.app import API, PAGES, ROUTERS, create_app
from api.errors import OUTCOMES, problem
from api.routes import metrics
from storage import queue, workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.dependencies.models import Dependant

ROUTES = [route for router in (*ROUTERS, *PAGES) for route in router.routes if isinstance(route, APIRoute)]

#: Met at start or meaning a fault of ours: an unforeseen error is the right answer.
STAYS_INSIDE = {
    "BackupFailed": "only the command line takes and brings back backups, and ends with status 1",
    "BadCalendar": "the holidays file is read once, at start",
    "UnreadableInput": "only the command line meets it, and answers with exit status 65",
    "TemplateUnfit": "only the command line takes templates in, and answers with exit status 65",
    "Refused": "the room of an agency's template says it to whoever opened the room, which makes a LayoutError of it",
    "TypefaceUnfit": "the centre's typeface is looked at once, at start, and named among the bad settings",
    "TooMuch": "whoever inspects a PDF says that it can't be read",
    "UnknownReading": "our own file in the store has a form we never wrote",
}


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for below in dependant.dependencies:
        yield from _calls(below)


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{min(r.methods)} {r.path}")
def test_every_route_names_who_may_use_it(route: APIRoute) -> None:
    named = {deps.anyone, deps.account, deps.sender, metrics.watcher} & set(_calls(route.dependant))

    assert len(named) == 1, "a route says whom it is for: anyone, somebody signed in, a desk, who watches the instance"


def test_no_door_is_left_out() -> None:
    documented = {API + route.path for route in ROUTES if route.include_in_schema}

    assert documented == set(create_app().openapi()["paths"])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_full_disk_is_told_as_one_and_any_other_trouble_of_files_is_not(language: str) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="space") as refused:
        full.write(b"a scan")
    said = problem(refused.value, language, trace_id="x")
    assert (said["status"], said["code"]) == (507, "disk_full")
    assert problem(OSError("other"), language, trace_id="x")["status"] == 500


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("cls", OUTCOMES, ids=lambda c: c.__name__)
def test_every_outcome_says_what_happened_whether_work_is_safe_and_what_to_do(cls: type, language: str) -> None:
    outcome = OUTCOMES[cls]
    said = outcome.en if language == "en" else outcome.vi

    assert all(len(part) > 8 for part in (said.title, said.safe, said.next))
    assert 400 <= outcome.status < 600
    assert outcome.code.islower()


def _exceptions_of(package: object) -> Iterator[tuple[str, str]]:
    for file in Path(package.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.ClassDef)
                and not node.name.startswith("_")
                and any(
                    isinstance(base, ast.Name) and base.id in {"Exception", "OfficeError", "ValueError", "LookupError"}
                    for base in node.bases
                )
            ):
                yield file.stem, node.name


def test_every_error_a_route_or_job_can_meet_has_a_row() -> None:
    rows = {cls.__name__ for cls in OUTCOMES}
    found = {name for package in (dossiers, digitize, signing, storage) for _, name in _exceptions_of(package)}

    missing = found - rows - set(STAYS_INSIDE) - {"OfficeError"}

    assert not missing, f"no row in api/errors.py for {sorted(missing)}"


def test_an_unforeseen_error_tells_nothing_of_itself() -> None:
    body = problem(RuntimeError("Nguyễn Văn A, 022…"), "vi", trace_id="t")

    assert body["status"] == 500
    assert "Nguyễn" not in str(body)


def test_every_queue_has_a_worker_and_only_one_signs() -> None:
    assert set(worker.READING) | set(worker.SIGNING) == set(queue.QUEUE_OF.values())
    assert not set(worker.READING) & set(worker.SIGNING)
    assert set(worker.LOOKING) == {queue.LOOK} < set(worker.READING), (
        "looking is never behind reading, and never undone"
    )


def test_every_task_has_a_function() -> None:
    app = workers.make_app("")

    jobs.register(app, office=None, desk=object())

    assert set(queue.QUEUE_OF) <= set(app.tasks)


def test_a_reading_worker_does_not_even_know_how_to_sign() -> None:
    app = workers.make_app("")

    jobs.register(app, office=None, desk=None)

    assert not {queue.SIGN_COPY, queue.SIGN_E_RESULT} & set(app.tasks)


def test_only_programs_and_wiring_read_the_settings() -> None:
    may = {"wiring.py", "settings.py", "up.py", "doctor.py", "supervisor.py"}
    readers = {
        file.name
        for file in Path(api.__path__[0]).rglob("*.py")
        if "commands" not in file.parts and "settings_module.read()" in file.read_text("utf-8")
    }

    assert readers <= may
