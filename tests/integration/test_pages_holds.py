"""The pages of legal hold: placed with a letter, told on every page about the dossier, released by two people."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from minio.error import S3Error

from api import cli
from api.demo import centre
from dossiers import fixity, holds, retention
from dossiers.calendar import VIETNAM
from dossiers.types import Actor, Role
from storage.holds import objects_by_dossier
from tests.integration.test_api_e_results import digitised_dossier, issued, ok
from tests.integration.test_api_intake import add, open_dossier, unique_scan

if TYPE_CHECKING:
    import pytest
    from minio import Minio

    from tests.office import Office

KEEPER = "vanthu.honggai"
REFERENCE = "12/GM-TTr ngày 30/11/2026"
PASSWORD = {"password": centre.PASSWORD}


def work_off(office: Office) -> holds.Round:
    """What the timer does."""
    return holds.work_off(office.services.hold_desk(), now=datetime.now(UTC))


def place(office: Office, dossier: dict[str, Any], reference: str = REFERENCE) -> str:
    address = f"/ho-so/{dossier['id']}/giu-nguyen"
    page = office.send(KEEPER, address, {"reference": reference, "reason": "Thanh tra việc cấp phép"})
    assert (page.status_code, "Đã đặt lệnh giữ" in page.text) == (200, True)
    return address


def the_hold(office: Office, dossier: dict[str, Any]) -> holds.Hold:
    with office.services.begin() as work:
        return work.holds.of_dossier(UUID(dossier["id"]))[0]


def test_a_hold_is_placed_told_on_every_page_and_released_by_two(office: Office) -> None:
    dossier = open_dossier(office)
    ok(add(office, dossier, "don.png", unique_scan()))
    here = f"/ho-so/{dossier['id']}"
    assert "Giữ nguyên theo yêu cầu…" in office.open(KEEPER, here).text
    assert "Giữ nguyên theo yêu cầu" not in office.open(centre.CLERK, here).text
    address = place(office, dossier)
    assert "mới giữ được 0/1 tệp" in office.open(centre.CLERK, here).text
    assert "mới giữ được 0/1 tệp" in office.open(KEEPER, "/nop-luu").text
    work_off(office)
    for page in (office.open(centre.CLERK, here), office.open(KEEPER, address), office.open(KEEPER, "/nop-luu")):
        assert "đang giữ cả 1 tệp" in page.text
    history = office.open(centre.CLERK, here).text
    assert ("giữ nguyên theo yêu cầu" in history, REFERENCE in history) == (True, True)

    hold = f"?hold={the_hold(office, dossier).id}"
    again = office.send(KEEPER, address, {"reference": REFERENCE, "reason": "Lại"})
    assert (again.status_code, "đã được giữ theo văn bản này" in again.text, "Lại" in again.text) == (409, True, True)
    empty = office.send(KEEPER, address, {"reference": " ", "reason": ""})
    assert (empty.status_code, "Ghi số, ngày văn bản yêu cầu" in empty.text) == (422, True)
    assert office.send(KEEPER, f"{address}/xin-thoi{hold}", {"release_reason": " "}).status_code == 422
    asked = office.send(KEEPER, f"{address}/xin-thoi{hold}", {"release_reason": "Đã có kết luận"})
    assert "Bạn đã xin thôi giữ, nên cần người khác" in asked.text
    own = office.send(KEEPER, f"{address}/thoi-giu{hold}", PASSWORD)
    assert (own.status_code, "cần người thứ hai" in own.text) == (403, True)
    wrong = office.send(centre.LEADER, f"{address}/thoi-giu{hold}", {"password": "sai"})
    assert (wrong.status_code, "đang giữ cả 1 tệp" in wrong.text) == (401, True)
    assert "Hồ sơ vẫn được giữ nguyên" in office.send(centre.LEADER, f"{address}/giu-tiep{hold}", {}).text
    office.send(KEEPER, f"{address}/xin-thoi{hold}", {"release_reason": "Đã có kết luận"})
    done = office.send(centre.LEADER, f"{address}/thoi-giu{hold}", PASSWORD)
    assert ("Đã thôi giữ." in done.text, "Hồ sơ này không bị giữ" in done.text) == (True, True)
    assert work_off(office).lifted == 1


def test_who_has_no_say_is_refused_and_isnt_told_why(office: Office) -> None:
    dossier = open_dossier(office, centre.POSTAL)
    address = f"/ho-so/{dossier['id']}/giu-nguyen"
    assert office.send(centre.CLERK, address, {"reference": "1", "reason": "x"}).status_code == 403
    place(office, dossier)
    seen = office.open(centre.POSTAL, address).text
    assert ("đang được giữ nguyên" in office.open(centre.POSTAL, f"/ho-so/{dossier['id']}").text) is True
    assert REFERENCE not in seen
    assert "Thanh tra việc cấp phép" not in seen
    assert office.open("giamdoc.uongbi", address).status_code == 404
    hold = f"?hold={the_hold(office, dossier).id}"
    assert office.send("giamdoc.uongbi", f"{address}/xin-thoi{hold}", {"release_reason": "x"}).status_code == 404
    place(office, dossier, "the next")


def test_a_hold_says_in_english_what_is_the_matter(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = open_dossier(office)
    ok(add(office, dossier, "don.png", unique_scan()))
    address = place(office, dossier)
    monkeypatch.setattr(type(office.services.vault), "can_hold", False)
    work_off(office)
    page = office.open(KEEPER, address, cookies={"hoso_language": "en"}).text
    assert ("0 of 1 files held so far" in page, "This object store can&#39;t hold files" in page) == (True, True)
    monkeypatch.undo()
    work_off(office)


def _objects(office: Office, dossier: dict[str, Any]) -> set[str]:
    named = objects_by_dossier().subquery()
    query = sa.select(named.c.sha256).where(named.c.dossier_id == UUID(dossier["id"]))
    with office.services.database._engine.connect() as connection:
        return set(connection.execute(query).scalars())


def test_whatever_is_given_up_replaced_or_swept_no_byte_of_a_held_dossier_can_be_deleted(own_office: Office) -> None:
    """Every way in which the office gives something up, then every sweep, then somebody with the store's keys."""
    office = own_office
    dossier = digitised_dossier(office)
    issued(office, dossier)
    taken = open_dossier(office)
    ok(add(office, taken, "don.png", unique_scan()))
    here = f"/dossiers/{taken['id']}"
    place(office, dossier)
    place(office, taken)
    work_off(office)
    before = {one for which in (dossier, taken) for one in _objects(office, which)}
    assert len(before) > 10

    (paper,) = ok(office.ask(centre.CLERK, "GET", here))["components"]
    ok(office.ask(centre.CLERK, "DELETE", f"{here}/components/{paper['id']}"))
    ok(office.ask(centre.CLERK, "POST", f"{here}/close", json={"state": "cancelled", "reason": "Rút hồ sơ"}))
    result = ok(office.ask(centre.CLERK, "GET", f"/dossiers/{dossier['id']}"))["e_results"][0]
    ok(office.ask(centre.LEADER, "POST", f"/e-results/{result['id']}/withdraw", json={"reason": "Sai"}))
    services, much_later = office.services, datetime.now(UTC) + timedelta(days=4000)
    with services.begin() as work:
        work.parcels.forget_unfinished(before=much_later)
        work.verdict_reports.forget(before=much_later)
        work.holds.collect()
    fixity.check_slice(services.fixity_desk(), now=datetime.now(UTC))
    assert not before & set(fixity.orphans(services.fixity_desk(), now=much_later))
    services.archive_store.probe()
    work_off(office)

    store = services.archive_store
    client: Minio = store.client  # type: ignore[attr-defined]
    bucket: str = store.bucket  # type: ignore[attr-defined]
    listed = client.list_objects(bucket, prefix="sha256/", recursive=True, include_version=True)
    versions = [one for one in listed if str(one.object_name).rpartition("/")[2] in before]
    assert {str(one.object_name).rpartition("/")[2] for one in versions} == before
    for one in versions:
        assert client.is_object_legal_hold_enabled(bucket, str(one.object_name), version_id=one.version_id)
        try:
            client.remove_object(bucket, str(one.object_name), version_id=one.version_id)
        except S3Error:
            continue
        raise AssertionError(f"{one.object_name} could be deleted")


def test_a_program_is_told_whether_a_dossier_is_held_and_for_how_long_it_is_kept(own_office: Office) -> None:
    office = own_office
    dossier = open_dossier(office)
    ok(add(office, dossier, "don.png", unique_scan()))
    address, years = f"/dossiers/{dossier['id']}", office.services.retention_years

    def keeping() -> dict[str, Any]:
        return dict(ok(office.ask(centre.CLERK, "GET", address))["keeping"])

    unheld = {"held": False, "held_in_store": False, "years": years, "until": None, "locked_at": None}
    assert keeping() == unheld
    page = place(office, dossier)
    assert keeping() == unheld | {"held": True}
    work_off(office)
    assert keeping() == unheld | {"held": True, "held_in_store": True}
    assert REFERENCE not in office.ask(centre.CLERK, "GET", address).text

    ok(office.ask(centre.CLERK, "POST", f"{address}/close", json={"state": "cancelled", "reason": "Rút hồ sơ"}))
    retention.work_off(office.services.retention_desk(), now=datetime.now(UTC))
    kept = keeping()
    ends = datetime.fromisoformat(kept["until"]).astimezone(VIETNAM)
    assert (ends.year, ends.month, ends.day) == (datetime.now(VIETNAM).year + 1 + years, 1, 1)
    assert (kept["years"], kept["locked_at"] is not None) == (years, True)
    hold = the_hold(office, dossier).id
    office.send(KEEPER, f"{page}/xin-thoi?hold={hold}", {"release_reason": "Xong"})
    office.send(centre.LEADER, f"{page}/thoi-giu?hold={hold}", PASSWORD)
    assert keeping()["held"] is False


def test_the_command_lists_holds_without_their_reason_and_periods(
    own_office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    office = own_office
    monkeypatch.setattr("api.commands.archive.wire", lambda: office.services)
    monkeypatch.setattr(type(office.services), "close", lambda _: None)  # the office goes on

    def told(*arguments: str) -> str:
        assert cli.main(["archive", *arguments]) == 0
        return capsys.readouterr().out

    dossier = open_dossier(office)
    ok(add(office, dossier, "don.png", unique_scan()))
    page = place(office, dossier)
    hold = the_hold(office, dossier)
    (line,) = (line for line in told("holds").splitlines() if dossier["code"] in line)
    assert "kho giữ 0/1 tệp" in line
    work_off(office)
    office.send(KEEPER, f"{page}/xin-thoi?hold={hold.id}", {"release_reason": "Xong"})
    (line,) = (line for line in told("holds").splitlines() if dossier["code"] in line)
    assert ("kho giữ 1/1 tệp" in line, "chờ người thứ hai" in line) == (True, True)
    listed = told("holds", "--json")
    (found,) = (one for one in map(json.loads, listed.splitlines()) if one["hold"] == str(hold.id))
    assert (found["objects"], found["held_in_store"], found["troubles"]) == (1, 1, [])
    assert found["release_asked_at"] is not None
    for words in (listed, told("holds")):
        assert not any(secret in words for secret in (REFERENCE, "Thanh tra", "Xong"))

    with office.services.begin() as work:
        procedures = {one.code for one in work.procedures.all()}
    retention.set_period(
        office.services.begin,
        dossier["procedure"],
        70,
        basis="Bảng thời hạn 12/QĐ",
        default=office.services.retention_years,
        by=Actor(uuid4(), "quantri", "Quản Trị", "", frozenset({Role.ADMINISTRATOR})),
        now=datetime.now(UTC),
    )
    (line,) = (line for line in told("retention").splitlines() if f" {dossier['procedure']} " in line)
    assert ("70 năm" in line, "Bảng thời hạn 12/QĐ" in line) == (True, True)
    periods = {one["procedure"]: one for one in map(json.loads, told("retention", "--json").splitlines())}
    assert periods.keys() == procedures
    assert (periods[dossier["procedure"]]["years"], periods[dossier["procedure"]]["basis"]) == (
        70,
        "Bảng thời hạn 12/QĐ",
    )
    for verb in ("due", "ending"):
        assert told(verb, "--json") == ""
