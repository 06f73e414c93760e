"""The administrator's page of periods, what a dossier's page says of its own, and the list of those that end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg

from api import cli
from api.demo import centre
from api.doctor_archive import kept
from api.finding import State
from api.settings import Settings
from dossiers import retention
from tests.integration.test_api_e_results import ok
from tests.integration.test_api_intake import add, open_dossier, unique_scan

if TYPE_CHECKING:
    import pytest

    from tests.office import Office

ADMIN = "quantri"
ADDRESS = "/quan-tri/thoi-han-luu"
ONE = f"{ADDRESS}/1.001612"


def test_a_period_is_set_with_its_basis_and_the_password_and_told_on_the_dossier(
    own_office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    office = own_office
    dossier = open_dossier(office)
    ok(add(office, dossier, "don.png", unique_scan()))
    here = f"/ho-so/{dossier['id']}"
    assert "10 năm kể từ khi kết thúc" in office.open(centre.CLERK, here).text
    assert "chưa đặt" in office.open(ADMIN, ADDRESS).text
    assert office.open(centre.LEADER, ADDRESS).status_code == 403
    assert office.send(centre.LEADER, ONE, {"years": "5"}).status_code == 403
    assert office.open(ADMIN, f"{ADDRESS}/9.999999").status_code == 404

    given = {"kind": "nam", "years": "1", "basis": "Quyết định 12/QĐ", "password": centre.PASSWORD}
    wrong = office.send(ADMIN, ONE, given | {"password": "sai"})
    assert (wrong.status_code, "Quyết định 12/QĐ" in wrong.text) == (401, True)  # what was typed stays
    for bad in ("", "0", "101", "-1", "²", "mười"):
        refused = office.send(ADMIN, ONE, given | {"years": bad})
        assert (refused.status_code, "Viết số năm từ 1 đến 100" in refused.text) == (422, True), bad
    assert "Ghi căn cứ" in office.send(ADMIN, ONE, given | {"basis": ""}).text
    done = office.send(ADMIN, ONE, given)
    assert ("Đã đặt thời hạn lưu" in done.text, "1 năm" in done.text) == (True, True)
    assert "1 năm kể từ khi kết thúc" in office.open(centre.CLERK, here).text

    closed = {"state": "cancelled", "reason": "Rút hồ sơ"}
    ok(office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/close", json=closed))
    retention.work_off(office.services.retention_desk(), now=datetime.now(UTC))
    page = office.open(centre.CLERK, here).text
    assert ("1 năm, đến 01/01/" in page, "tệp đã khóa trong kho" in page) == (True, True)

    settings = Settings(database=office.services.dsn)
    assert [one.state for one in kept(settings)] == [State.GOOD]
    assert dossier["code"] not in office.open(centre.LEADER, "/nop-luu").text
    with psycopg.connect(office.services.dsn) as connection:
        connection.execute("UPDATE dossiers SET kept_until = now() + interval '10 days', archived_at = now()")
    page = office.open(centre.LEADER, "/nop-luu").text
    assert (dossier["code"] in page, "Hội đồng xét hủy" in page, "Không gì tự bị xóa" in page) == (True, True, True)
    (told,) = kept(settings)
    assert (told.state, "1 hồ sơ hết thời hạn" in told.vi) == (State.DOUBTFUL, True)
    monkeypatch.setattr("api.commands.archive.wire", lambda: office.services)
    monkeypatch.setattr(type(office.services), "close", lambda _: None)
    assert cli.main(["archive", "ending"]) == 0
    assert dossier["code"] in capsys.readouterr().out

    office.send(ADMIN, ONE, given | {"kind": "vinh-vien", "years": ""})
    retention.work_off(office.services.retention_desk(), now=datetime.now(UTC))
    assert "vĩnh viễn" in office.open(centre.CLERK, here).text
    history = office.open(ADMIN, ONE, cookies={"hoso_language": "en"}).text
    assert ("for ever" in history, "1 year" in history, "Ngô Minh Khoa" in history) == (True, True, True)
