"""What stood there before a correction is kept beside the log, bound by it, told to whoever may see it, erasable."""

from __future__ import annotations

import json
import re
import uuid
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa

from api import cli
from api.commands import audit as command
from api.commands.backup import programs
from api.demo import centre
from dossiers import amendments, archive, holds, identity_papers, issuance
from dossiers.administration import CONSOLE, keep_accounts, keep_agencies, keep_certificate, keep_procedures
from dossiers.amendments import Misfit
from dossiers.archive import NotOurRows
from dossiers.holds import Held
from dossiers.types import CertificateRecord, DossierState, Incomplete, Role, WrongState
from storage import backup
from storage.audit import canonical, line_hash
from storage.database import Database
from tests.conftest import _database
from tests.integration import kept_office
from tests.integration.kept_office import CENTRE, KeptOffice, account, clerk_of, dossier, furnished, opened_store
from tests.integration.test_api_corrections import Paper
from tests.integration.test_api_e_results import approve, digitised_dossier, drafted, ok
from tests.integration.test_api_intake import add, open_dossier, unique_scan
from tests.integration.test_api_transfers import received
from tests.integration.test_separator_sheets import person
from tests.papers import page_pdf, scan_png

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import S3Settings
    from tests.office import Office

NOW = datetime.now(UTC)
CLERK = clerk_of(CENTRE)
TRIGGERS = ("amendments_are_append_only", "refuse_within_period")


def told(office: Office, who: str, opened: dict[str, Any], subject: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Who, what, and every value before and after, as the API tells them."""
    answer = office.ask(who, "GET", f"/dossiers/{opened['id']}/amendments/{subject}")
    assert answer.headers["cache-control"] == "private, no-store"
    return [
        (line["actor"], line["event"], {c["where"]: (c["before"], c["after"]) for c in line["changes"]})
        for line in ok(answer)
    ]


def test_a_correction_by_one_person_and_then_another_keeps_what_stood_there_each_time(office: Office) -> None:
    paper = Paper(office, scan_png(f"Tờ khai lệ phí {uuid.uuid4()}"), who=centre.POSTAL)
    raw = paper.words()[0]["raw"]
    ok(paper.correct(fields=[("signer", "Trần Thị Thử", "")], words=[(0, "Phiếu", raw)]))
    ok(paper.correct(who=centre.CLERK, fields=[("signer", "Lê Văn Thử", "Trần Thị Thử")], words=[(0, "Bản", "Phiếu")]))
    ok(paper.correct(who=centre.CLERK, fields=[("signer", "[không có]", "Lê Văn Thử")]))

    found = told(office, centre.CLERK, paper.dossier, paper.component["id"])

    assert found == [
        (centre.POSTAL, "component.corrected", {"field.signer": ("", "Trần Thị Thử"), "word.1.0": (raw, "Phiếu")}),
        (
            centre.CLERK,
            "component.corrected",
            {"field.signer": ("Trần Thị Thử", "Lê Văn Thử"), "word.1.0": ("Phiếu", "Bản")},
        ),
        (centre.CLERK, "component.corrected", {"field.signer": ("Lê Văn Thử", "[không có]")}),
    ]


def test_no_value_stands_in_the_log_itself(office: Office) -> None:
    paper = Paper(office, scan_png(f"Tờ khai lệ phí {uuid.uuid4()}"))
    name = f"Trần {uuid.uuid4()}"
    ok(paper.correct(fields=[("signer", name, "")]))
    ok(paper.ask("POST", "/review", json={"fields": {"signer": f"Lê {name}"}}))

    with office.services.begin() as work:
        lines = work.audit.of(UUID(paper.component["id"]))
    with psycopg.connect(office.services.dsn) as connection:
        kept = connection.execute("SELECT count(*) FROM amendments WHERE after LIKE %s", (f"%{name}%",)).fetchone()
        logged = connection.execute("SELECT count(*) FROM audit_log WHERE detail LIKE %s", (f"%{name}%",)).fetchone()
    assert (kept, logged) == ((2,), (0,))
    bound = [line.detail[amendments.BOUND_BY] for line in lines if amendments.BOUND_BY in line.detail]
    assert len({*bound}) == 2


def test_to_confirm_a_value_is_a_line_and_no_change_of_one(office: Office) -> None:
    paper = Paper(office, scan_png(f"Tờ khai lệ phí {uuid.uuid4()}"))
    raw = paper.words()[0]["raw"]

    ok(paper.correct(words=[(0, raw, raw)]))

    (line,) = paper.log()
    assert line["detail"] == {"fields": [], "words": {"1": [0]}}
    assert told(office, centre.CLERK, paper.dossier, paper.component["id"]) == []


def test_why_a_doubtful_scan_was_kept_is_not_lost_when_somebody_gives_another_reason(office: Office) -> None:
    opened = open_dossier(office)
    form = {"kind": "", "name": "Giấy", "pages_declared": "2"}
    files = {"file": ("a.png", unique_scan())}
    here = f"/dossiers/{opened['id']}/components"
    paper = ok(office.ask(centre.CLERK, "POST", here, data=form, files=files))
    office.work_off()
    for reason in ("Tờ sau để trắng", "Ông Mẫu giữ tờ sau"):
        ok(office.ask(centre.CLERK, "POST", f"{here}/{paper['id']}/review", json={"keep_reason": reason}))
        office.work_off()

    assert [changes for _, _, changes in told(office, centre.CLERK, opened, paper["id"])] == [
        {"keep_reason": ("", "Tờ sau để trắng")},
        {"keep_reason": ("Tờ sau để trắng", "Ông Mẫu giữ tờ sau")},
    ]


def test_the_name_of_a_paper_and_why_a_dossier_stops_are_kept_as_they_were(office: Office) -> None:
    opened = open_dossier(office)
    here = f"/ho-so/{opened['id']}"
    paper = ok(add(office, opened, "giay.png", unique_scan()))
    office.send(centre.CLERK, f"{here}/giay-to/{paper['id']}/chuyen", {"kind": "", "name": "Giấy của bà Thử"})
    ok(add(office, opened, "tk.png", unique_scan(), kind="TK"))
    close = f"/dossiers/{opened['id']}/close"
    office.work_off()
    for reason in ("Thiếu ảnh của ông Mẫu", "Thiếu sổ của ông Mẫu"):
        with office.services.begin() as work:  # as a received one is; what it lacks besides is no matter here
            found = work.dossiers.by_code(opened["code"])
            if found.state is DossierState.DRAFT:
                work.dossiers.keep(found.move(DossierState.RECEIVED).move(DossierState.DIGITIZING))
        ok(office.ask(centre.CLERK, "POST", close, json={"state": "needs_supplement", "reason": reason}))
        ok(office.ask(centre.CLERK, "POST", f"/dossiers/{opened['id']}/resume"))

    assert told(office, centre.CLERK, opened, paper["id"]) == [
        (centre.CLERK, "component.moved", {"name": ("Giấy thử", "Giấy của bà Thử")})
    ]
    assert [(event, changes) for _, event, changes in told(office, centre.CLERK, opened, opened["id"])] == [
        ("dossier.needs_supplement", {"note": ("", "Thiếu ảnh của ông Mẫu")}),
        ("dossier.resumed", {"note": ("Thiếu ảnh của ông Mẫu", "")}),
        ("dossier.needs_supplement", {"note": ("", "Thiếu sổ của ông Mẫu")}),
        ("dossier.resumed", {"note": ("Thiếu sổ của ông Mẫu", "")}),
    ]


def test_what_is_changed_of_a_draft_and_why_it_came_back_are_kept_as_they_were(office: Office, tmp_path: Path) -> None:
    opened = digitised_dossier(office)
    result = drafted(office, opened)
    here = f"/e-results/{result['id']}"
    facts = [["Chủ hộ", "Trần Văn Thử"]]
    data = {"subject": "Đăng ký hộ kinh doanh", "opening": ["Căn cứ hồ sơ đã tiếp nhận,"], "closing": ["Từ ngày ký"]}
    for _twice in range(2):  # saved again as it stands, it is no change
        ok(office.ask(centre.CLERK, "PATCH", here, json={"title": "Giấy chứng nhận", "data": {**data, "facts": facts}}))
    annex = tmp_path / "a.pdf"
    annex.write_bytes(page_pdf("Phụ lục"))
    added = ok(
        office.ask(
            centre.CLERK,
            "POST",
            f"{here}/annexes",
            data={"title": "Sơ đồ nhà bà Thử"},
            files={"file": ("a.pdf", annex.read_bytes())},
        )
    )
    assert office.ask(centre.CLERK, "DELETE", f"{here}/annexes/{added['id']}").is_success
    ok(office.ask(centre.CLERK, "POST", f"{here}/submit"))
    ok(office.ask(centre.LEADER, "POST", f"{here}/return", json={"comment": "Sai tên bà Thử"}))

    found = told(office, centre.CLERK, opened, result["id"])

    assert [who for who, _, _ in found] == [centre.CLERK, centre.CLERK, centre.LEADER]
    changed, annexed, returned = (changes for _, _, changes in found)
    assert changed["data.facts"] == ([["Chủ hộ", "Nguyễn Thị Thử"]], facts)
    assert changed["title"][1] == "Giấy chứng nhận"
    assert changed["data.closing"] == (["Giấy này có giá trị kể từ ngày ký"], ["Từ ngày ký"])
    assert "data.subject" not in changed
    assert (annexed, returned) == ({"annex": ("Sơ đồ nhà bà Thử", None)}, {"comment": ("", "Sai tên bà Thử")})


def test_whoever_may_not_see_the_paper_learns_nothing_of_what_was_changed(office: Office) -> None:
    opened = received(office)
    (paper,) = ok(office.ask(centre.POSTAL, "GET", f"/dossiers/{opened['id']}"))["components"]
    with office.services.begin() as work:
        found = work.dossiers.by_code(opened["code"])
        clerk = person(office, centre.CLERK)
        amendments.log(work, clerk, "component.moved", UUID(paper["id"]), of=found.id, changes={"name": ("a", "b")})

    assert told(office, centre.POSTAL, opened, paper["id"]) == [(centre.CLERK, "component.moved", {"name": ("a", "b")})]
    for stranger, status in (("motcua.uongbi", 404), ("quantri", 403), ("", 401)):
        refused = office.ask(stranger, "GET", f"/dossiers/{opened['id']}/amendments/{paper['id']}")
        assert refused.status_code == status
    other = open_dossier(office)
    of_another = office.ask(centre.CLERK, "GET", f"/dossiers/{other['id']}/amendments/{paper['id']}")
    assert of_another.status_code == 404


def test_of_another_agency_s_result_nobody_learns_what_was_changed_neither_as_a_draft_nor_once_issued(
    office: Office,
) -> None:
    opened = digitised_dossier(office)
    with office.services.begin() as work:  # as if the applicant had been helped at the post office
        work.dossiers.keep(_with(work.dossiers.by_code(opened["code"]), helped_at=centre.POST_HONG_GAI))
    result = drafted(office, opened)
    here = f"/e-results/{result['id']}"
    ok(office.ask(centre.CLERK, "PATCH", here, json={"title": "Giấy chứng nhận của bà Thử"}))
    api = f"/dossiers/{opened['id']}/amendments/{result['id']}"
    page = f"/ho-so/{opened['id']}/sua-doi/{result['id']}"

    def hidden_from_the_post_office() -> None:
        assert office.ask(centre.POSTAL, "GET", api).status_code == 404
        assert office.open(centre.POSTAL, page).status_code == 404
        assert page not in office.open(centre.POSTAL, f"/ho-so/{opened['id']}").text
        # Its own agency's people are told at the same places.
        assert [event for _, event, _ in told(office, centre.CLERK, opened, result["id"])] == ["e_result.changed"]
        assert "Giấy chứng nhận của bà Thử" in office.open(centre.CLERK, page).text
        assert page in office.open(centre.CLERK, f"/ho-so/{opened['id']}").text

    def known_to_the_post_office() -> list[str]:
        lines = ok(office.ask(centre.POSTAL, "GET", f"/dossiers/{opened['id']}/history"))
        return [line["event"] for line in lines if line["event"].startswith("e_result.")]

    hidden_from_the_post_office()
    assert known_to_the_post_office() == []
    ok(approve(office, ok(office.ask(centre.CLERK, "POST", f"{here}/submit"))))
    office.work_off()
    assert known_to_the_post_office() == ["e_result.issued"]
    hidden_from_the_post_office()


def test_to_look_at_what_was_corrected_of_an_identity_paper_is_a_look_at_it(office: Office) -> None:
    opened = open_dossier(office)
    papers = {
        name: ok(add(office, opened, f"{name}.png", unique_scan()))["id"] for name in ("can-cuoc-cong-dan", "don")
    }
    for paper in papers.values():
        for _twice in range(2):
            told(office, centre.CLERK, opened, paper)
    with office.services.begin() as work:
        looks = {
            name: [line.detail["what"] for line in work.audit.of(UUID(id_)) if line.event == identity_papers.SEEN]
            for name, id_ in papers.items()
        }
    assert looks == {"can-cuoc-cong-dan": ["amendments"], "don": []}


@pytest.fixture
def own_database(postgres_server: str, migrated_template: str) -> Iterator[Database]:
    """A furnished one of the test's own, since what it sets stays."""
    with furnished(postgres_server, migrated_template) as database:
        yield database


def test_of_settings_that_are_nobodys_the_log_itself_says_before_and_after(own_database: Database) -> None:
    database = own_database
    with database.begin() as work:
        agency = work.agencies.of(CENTRE.code)
        (procedure,) = work.procedures.all()
    person_ = _with(account(f"a.{uuid4()}"), roles=frozenset({Role.CLERK}))
    keep_agencies(database.begin, [agency])
    keep_agencies(database.begin, [_with(agency, phone="0203 111 222")])
    keep_procedures(database.begin, [_with(procedure, working_days=procedure.working_days + 1)])
    keep_accounts(database.begin, [person_])
    keep_accounts(database.begin, [_with(person_, name="Tên khác", roles=frozenset({Role.LEADER}), title="Giám đốc")])

    with database.begin() as work:
        details = {
            subject: [line.detail for line in work.audit.of(subject)]
            for subject in (agency.code, procedure.code, person_.username)
        }
    assert details[agency.code] == [
        {"before": {}, "after": {}},
        {"before": {"phone": agency.phone}, "after": {"phone": "0203 111 222"}},
    ]
    days = procedure.working_days
    assert details[procedure.code] == [{"before": {"working_days": days}, "after": {"working_days": days + 1}}]
    assert details[person_.username] == [
        {"agency": CENTRE.code},
        {
            "agency": CENTRE.code,
            "before": {"roles": ["clerk"], "title": ""},
            "after": {"roles": ["leader"], "title": "Giám đốc"},
            "withheld": ["name"],
        },
    ]


def test_a_new_seal_s_line_names_the_one_it_replaced(own_database: Database) -> None:
    database = own_database
    for sha256 in ("a" * 64, "b" * 64):
        record = CertificateRecord(
            uuid4(), CENTRE.code, "", "CN=Mẫu", "CN=CA", "0a", sha256, NOW, NOW + timedelta(days=365), f"{sha256}.p12"
        )
        keep_certificate(database.begin, record, chain=())
    with database.begin() as work:
        before = [work.audit.of(sha256)[0].detail["before"] for sha256 in ("a" * 64, "b" * 64)]
    assert before == [[], ["a" * 64]]


def _with(value: Any, **changes: Any) -> Any:
    return type(value)(**{**vars(value), **changes})


class Kept(KeptOffice):
    """A dossier of which two people have changed something."""

    def __init__(self, dsn: str, s3: S3Settings, folder: Path) -> None:
        super().__init__(dsn, s3, folder)
        with self.database.begin() as work:
            self.dossier = work.dossiers.keep(dossier(state=DossierState.RETURNED))
            for before, after in (("A", "B"), ("B", "C")):
                changes = {"note": (before, after), "name": ("như cũ", "như cũ")}
                amendments.log(
                    work, CLERK, "dossier.resumed", self.dossier.id, of=self.dossier.id, changes=changes, code="x"
                )
            work.audit.append(CLERK, "dossier.returned", self.dossier.id)

    def run(self, *statements: str) -> None:
        """By whoever owns the database: past its guards."""
        with psycopg.connect(self.dsn) as connection:
            for trigger in TRIGGERS:
                connection.execute(f"ALTER TABLE amendments DISABLE TRIGGER {trigger}")  # type: ignore[arg-type]
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]
            for trigger in TRIGGERS:
                connection.execute(f"ALTER TABLE amendments ENABLE TRIGGER {trigger}")  # type: ignore[arg-type]

    def misfits(self, *, after: int = 0) -> list[Misfit]:
        with self.database.begin() as work:
            return list(work.amendments.misfits(after=after))

    def values(self) -> list[dict[str, tuple[str, str]] | None]:
        with self.database.begin() as work:
            found = amendments.of_lines(work, work.audit.of(self.dossier.id))
        return [None if one.changes is None else dict(one.changes) for one in found]

    def end_period(self) -> None:
        with psycopg.connect(self.dsn) as connection:
            connection.execute("UPDATE dossiers SET kept_years = 1, kept_until = now() - interval '1 day'")

    def erase(self, basis: str = "Quyết định 7/QĐ-LT") -> int:
        return amendments.erase(self.database.begin, self.dossier.id, by=CONSOLE, basis=basis, now=datetime.now(UTC))


@pytest.fixture
def kept(migrated_dsn: str, s3_settings: S3Settings, tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(migrated_dsn, s3_settings, tmp_path)
    yield kept
    kept.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE amendments SET after = '{}'",
        "UPDATE amendments SET salt = '' WHERE false",
        "DELETE FROM amendments",
        "TRUNCATE amendments",
    ],
)
def test_the_database_refuses_to_change_what_stood_there(kept: Kept, statement: str) -> None:
    with psycopg.connect(kept.dsn) as connection, pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute(statement)  # type: ignore[arg-type]
    assert kept.values() == [{"note": ("A", "B")}, {"note": ("B", "C")}]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("""UPDATE amendments SET before = '{"note": "X"}' WHERE before LIKE '%B%'""", [Misfit("values_changed", 2)]),
        ("""UPDATE amendments SET after = '{"note": "X"}' WHERE after LIKE '%B%'""", [Misfit("values_changed", 1)]),
        ("UPDATE amendments SET salt = 'x' WHERE after LIKE '%B%'", [Misfit("values_changed", 1)]),
        ("UPDATE amendments SET before = after, after = before", [Misfit("values_changed", n) for n in (1, 2)]),
        ("DELETE FROM amendments WHERE after LIKE '%C%'", [Misfit("values_missing", 2)]),
        (
            "INSERT INTO amendments SELECT repeat('0', 64), dossier_id, salt, before, after FROM amendments LIMIT 1",
            [Misfit("values_added", 0)],
        ),
        (
            "UPDATE amendments SET sha256 = repeat('0', 64) WHERE after LIKE '%C%'",
            [Misfit("values_added", 0), Misfit("values_missing", 2)],
        ),
    ],
)
def test_values_that_were_changed_taken_away_or_added_are_found_out(
    kept: Kept, statement: str, found: list[Misfit]
) -> None:
    assert kept.misfits() == []
    kept.run(statement)
    assert kept.misfits() == found
    # Behind a line only that line's own are looked at, as the doctor does every day.
    assert kept.misfits(after=1) == [one for one in found if one.sequence == 2]
    assert kept.misfits(after=3) == []


def test_the_command_says_so_and_passes_again_once_it_is_as_it_was(
    own_office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = open_dossier(own_office)
    paper = ok(add(own_office, opened, "giay.png", unique_scan()))
    page = f"/ho-so/{opened['id']}/giay-to/{paper['id']}/chuyen"
    own_office.send(centre.CLERK, page, {"kind": "", "name": "Giấy của bà Thử"})
    monkeypatch.setattr("api.commands.audit.wire", lambda: own_office.services)
    monkeypatch.setattr(type(own_office.services), "close", lambda _: None)
    assert cli.main(["audit", "verify"]) == command.UNPROVEN
    with psycopg.connect(own_office.services.dsn) as connection:
        connection.execute("ALTER TABLE amendments DISABLE TRIGGER amendments_are_append_only")
        connection.execute("UPDATE amendments SET after = replace(after, 'Thử', 'Khác')")
    assert cli.main(["audit", "verify"]) == command.WRONG
    assert "Giá trị trước và sau khi sửa của dòng" in capsys.readouterr().out
    with psycopg.connect(own_office.services.dsn) as connection:
        connection.execute("UPDATE amendments SET after = replace(after, 'Khác', 'Thử')")
    assert cli.main(["audit", "verify"]) == command.UNPROVEN
    # Nothing is erased within the period, and nothing of what isn't there.
    assert cli.main(["audit", "erase", opened["code"], "--basis", "7/QĐ"]) == 1
    ok(
        own_office.ask(
            centre.CLERK, "POST", f"/dossiers/{opened['id']}/close", json={"state": "cancelled", "reason": "Rút"}
        )
    )
    assert cli.main(["audit", "erase", opened["code"], "--basis", "7/QĐ"]) == 1
    assert "chưa hết thời hạn lưu" in capsys.readouterr().err
    with psycopg.connect(own_office.services.dsn) as connection:
        connection.execute("UPDATE dossiers SET kept_years = 1, kept_until = now() - interval '1 day'")
    assert cli.main(["audit", "erase", opened["code"], "--basis", "7/QĐ"]) == 0
    assert cli.main(["audit", "verify"]) == command.UNPROVEN
    (line,) = ok(own_office.ask(centre.CLERK, "GET", f"/dossiers/{opened['id']}/amendments/{paper['id']}"))
    assert (line["event"], line["changes"]) == ("component.moved", None)


def test_the_values_of_a_dossier_that_is_destroyed_go_with_it_and_the_log_still_holds(kept: Kept) -> None:
    for early in (WrongState, WrongState):
        with pytest.raises(early):
            kept.erase()
        with psycopg.connect(kept.dsn) as connection:  # for ever
            connection.execute("UPDATE dossiers SET kept_years = 0, kept_until = NULL")
    kept.end_period()
    with pytest.raises(Incomplete):
        kept.erase(" ")
    with psycopg.connect(kept.dsn) as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("DELETE FROM dossiers")  # not before what was kept of it is erased with a line that says so

    assert kept.erase() == 2
    assert kept.erase() == 0
    with psycopg.connect(kept.dsn) as connection:
        connection.execute("DELETE FROM dossiers")

    assert kept.values() == [None, None]
    assert kept.misfits() == []
    with kept.database.begin() as work:
        assert work.audit.first_break() is None
        *_, last = work.audit.of(kept.dossier.id)
    assert (last.event, last.actor, last.detail["basis"]) == (amendments.ERASED, "console", "Quyết định 7/QĐ-LT")
    assert len(last.detail["erased"]) == 2


def test_within_the_period_by_the_database_s_clock_nothing_is_erased_though_ours_is_ahead(kept: Kept) -> None:
    with psycopg.connect(kept.dsn) as connection:
        connection.execute("UPDATE dossiers SET kept_years = 1, kept_until = now() + interval '1 day'")
    ahead = datetime.now(UTC) + timedelta(days=2)

    with pytest.raises(WrongState, match="period"):
        amendments.erase(kept.database.begin, kept.dossier.id, by=CONSOLE, basis="7/QĐ", now=ahead)

    assert kept.values() == [{"note": ("A", "B")}, {"note": ("B", "C")}]


def test_what_is_held_is_not_erased_by_whatever_way(kept: Kept) -> None:
    kept.end_period()
    keeper = person_of(Role.SEAL_KEEPER)
    holds.place(kept.database.begin, kept.dossier.id, reason="Thanh tra", reference="12/GM", by=keeper, now=NOW)
    with pytest.raises(Held):
        kept.erase()
    with psycopg.connect(kept.dsn) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute("DELETE FROM amendments")
    assert refused.value.sqlstate == "HS001"
    assert kept.values() == [{"note": ("A", "B")}, {"note": ("B", "C")}]


def person_of(role: Role) -> Any:
    return _with(CLERK, roles=frozenset({role}))


def test_a_bag_carries_what_stood_there_and_an_import_holds_it_against_the_log(
    kept: Kept, postgres_server: str, migrated_template: str, s3_settings: S3Settings, tmp_path: Path
) -> None:
    bag = archive.export(kept.database.begin, kept.store, [kept.dossier.id], tmp_path / "bag", now=NOW).folder
    rows = json.loads((bag / "data" / kept.dossier.code / "records.json").read_text("utf-8"))
    elsewhere = contextmanager(_database)(postgres_server, template=migrated_template)
    with (
        elsewhere as dsn,
        closing(Database(dsn)) as there,
        closing(opened_store(s3_settings, bucket=f"{s3_settings.bucket}-2")) as store,
    ):
        for wrong in ({"after": '{"note": "X"}'}, {"sha256": "0" * 64}):
            changed = {**rows, "amendments": [rows["amendments"][0] | wrong, *rows["amendments"][1:]]}
            with pytest.raises(NotOurRows), there.begin() as work:
                work.archive.put(changed)
        archive.take_in(there.begin, store, bag)
        with there.begin() as work:
            found = amendments.of_lines(work, work.audit.of(kept.dossier.id))
            assert [one.changes for one in found] == kept.values()
            assert list(work.amendments.misfits()) == []
            assert work.archive.rows(kept.dossier.id)["amendments"] == rows["amendments"]
        with psycopg.connect(dsn) as connection:
            connection.execute("ALTER TABLE amendments DISABLE TRIGGER amendments_are_append_only")
            connection.execute("UPDATE amendments SET salt = 'x'")
        with there.begin() as work:
            assert list(work.amendments.misfits()) == [Misfit("values_changed", 0)] * 2


@contextmanager
def _installation(server: str, template: str) -> Iterator[tuple[str, Database]]:
    with contextmanager(_database)(server, template=template) as dsn, closing(Database(dsn)) as database:
        yield dsn, database


def _refused(there: Database, rows: Any) -> bool:
    """As a bag that isn't ours: never by whatever went wrong in reading it."""
    with pytest.raises(NotOurRows), there.begin() as work:
        work.archive.put(rows)
    return True


def _line(rows: Any, number: int, **changes: Any) -> dict[str, Any]:
    """A line of a bag made anew, with a hash that fits, as anybody can make one."""
    line = rows["audit"][number] | changes
    return line | {"hash": line_hash(line | {"at": datetime.fromisoformat(line["at"])})}


def test_an_import_refuses_values_that_are_missing_and_whatever_it_can_t_read_of_them(
    kept: Kept, postgres_server: str, migrated_template: str
) -> None:
    with kept.database.begin() as work:
        rows = work.archive.rows(kept.dossier.id)
    first, *others = rows["amendments"]
    same_dossier = {"dossier_id": first["dossier_id"]}
    no_json = amendments.Amendment(amendments._hash(kept.dossier.id, "", "{", "{"), kept.dossier.id, "", "{", "{")
    garbled = _line(rows, 0, detail=canonical({amendments.BOUND_BY: no_json.sha256}))
    with _installation(postgres_server, migrated_template) as (_, there):
        assert _refused(there, {**rows, "amendments": []})
        assert _refused(there, {**rows, "amendments": others})
        for wrong in ({}, same_dossier, first | {"more": 1}, first | {"after": None}, first | {"sha256": []}, 7):
            assert _refused(there, {**rows, "amendments": [wrong, *others]})
        kept_one = f'"{first["sha256"]}"'
        for detail in ("{", "[]", "7", f'{{"amendment": {kept_one}}}', f'{{"x":{{"amendment":{kept_one}}}}}'):
            assert _refused(there, {**rows, "audit": [*rows["audit"], _line(rows, -1, sequence=99, detail=detail)]})
        # It fits its line, and nobody could read it.
        assert _refused(
            there,
            {
                **rows,
                "audit": [garbled, *rows["audit"][1:]],
                "amendments": [vars(no_json) | same_dossier, *rows["amendments"]],
            },
        )
        with there.begin() as work:
            work.archive.put(rows)


def test_a_bag_whose_values_were_erased_is_taken_in_and_the_log_holds_there(
    kept: Kept, postgres_server: str, migrated_template: str
) -> None:
    kept.end_period()
    assert kept.erase() == 2
    with kept.database.begin() as work:
        rows = work.archive.rows(kept.dossier.id)
    assert rows["amendments"] == []
    *before, _erased = rows["audit"]
    with _installation(postgres_server, migrated_template) as (_, there):
        assert _refused(there, {**rows, "audit": before})
        with there.begin() as work:
            work.archive.put(rows)
        with there.begin() as work:
            assert list(work.amendments.misfits()) == []


def test_no_line_of_a_bag_excuses_that_another_dossier_s_values_are_gone(
    kept: Kept, postgres_server: str, migrated_template: str
) -> None:
    with kept.database.begin() as work:
        other = work.dossiers.keep(dossier(state=DossierState.RETURNED))
        amendments.log(work, CLERK, "dossier.resumed", other.id, of=other.id, changes={"note": ("X", "Y")})
    with kept.database.begin() as work:
        rows, of_other = work.archive.rows(kept.dossier.id), work.archive.rows(other.id)
    said = {
        "log": "f" * 64,
        "sequence": 99,
        "event": amendments.ERASED,
        "detail": json.dumps({"erased": [row["sha256"] for row in rows["amendments"]]}),
    }
    with _installation(postgres_server, migrated_template) as (dsn, there):
        with there.begin() as work:
            work.archive.put(rows)
        about_it = _line(of_other, -1, **said, subject=str(kept.dossier.id))
        assert _refused(there, {**of_other, "audit": [*of_other["audit"], about_it]})
        with there.begin() as work:
            work.archive.put({**of_other, "audit": [*of_other["audit"], _line(of_other, -1, **said)]})
        with there.begin() as work:
            assert list(work.amendments.misfits()) == []
        with psycopg.connect(dsn) as connection:
            connection.execute("ALTER TABLE amendments DISABLE TRIGGER USER")
            connection.execute("DELETE FROM amendments WHERE dossier_id = %s", (kept.dossier.id,))
        with there.begin() as work:
            assert list(work.amendments.misfits()) == [Misfit("values_missing", 0)] * 2


def test_what_is_corrected_while_a_bag_is_written_is_in_it_whole_or_not_at_all(
    kept: Kept, postgres_server: str, migrated_template: str
) -> None:
    asking: list[sa.Connection] = []

    def correct_behind_each(asked: sa.Connection, *_: Any) -> None:
        asking.append(asked)
        if asked is asking[0]:  # and behind nothing that the correction itself asks
            with kept.database.begin() as meanwhile:
                changes = {"note": (f"{len(asking)}", f"{len(asking) + 1}")}
                amendments.log(meanwhile, CLERK, "x", kept.dossier.id, of=kept.dossier.id, changes=changes)

    with kept.database.begin() as work:
        sa.event.listen(sa.Engine, "after_cursor_execute", correct_behind_each)
        try:
            rows = work.archive.rows(kept.dossier.id)
        finally:
            sa.event.remove(sa.Engine, "after_cursor_execute", correct_behind_each)

    assert len(kept.values()) > len(rows["amendments"])
    with _installation(postgres_server, migrated_template) as (_, there), there.begin() as work:
        work.archive.put(rows)
        assert list(work.amendments.misfits()) == []


def test_a_backup_brings_them_back_with_their_guards(
    kept: Kept, postgres_dsn: str, s3_settings: S3Settings, tmp_path: Path
) -> None:
    taken = backup.take(kept.dsn, kept.store, tmp_path / "backups", programs=programs())
    with closing(opened_store(s3_settings, bucket=f"{s3_settings.bucket}-2")) as store:
        backup.restore(taken.folder, postgres_dsn, store, programs=programs())
    with closing(Database(postgres_dsn)) as there, there.begin() as work:
        found = amendments.of_lines(work, work.audit.of(kept.dossier.id))
        assert [one.changes for one in found] == kept.values()
        assert list(work.amendments.misfits()) == []
    for statement in ("UPDATE amendments SET salt = ''", "DELETE FROM amendments"):
        with psycopg.connect(postgres_dsn) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement)  # type: ignore[arg-type]


def test_a_correction_that_is_not_kept_leaves_neither_line_nor_values(kept: Kept) -> None:
    changes = {"note": ("C", "D")}
    with suppress(ZeroDivisionError), kept.database.begin() as work:
        amendments.log(work, CLERK, "x", kept.dossier.id, of=kept.dossier.id, changes=changes)
        raise ZeroDivisionError
    assert len(kept.values()) == 2
    assert kept.misfits() == []


def test_the_same_values_twice_have_no_hash_in_common(kept: Kept) -> None:
    """So that nobody can find out by trying names which one stood there."""
    with kept.database.begin() as work:
        for _twice in range(2):
            amendments.log(work, CLERK, "x", kept.dossier.id, of=kept.dossier.id, changes={"note": ("A", "B")})
        hashes = [line.detail.get(amendments.BOUND_BY) for line in work.audit.of(kept.dossier.id)]
    assert len({one for one in hashes if one}) == 4


def test_the_page_shows_before_and_after_to_whoever_may_see_the_paper_and_keeps_no_copy(office: Office) -> None:
    paper = Paper(office, scan_png(f"Tờ khai lệ phí {uuid.uuid4()}"), who=centre.POSTAL)
    raw = paper.words()[0]["raw"]
    ok(paper.correct(fields=[("signer", "Trần Thị Thử", "")], words=[(0, "Phiếu", raw)]))
    ok(paper.correct(who=centre.CLERK, fields=[("signer", "Lê <Văn> Thử", "Trần Thị Thử")]))
    here = f"/ho-so/{paper.dossier['id']}"
    address = f"{here}/sua-doi/{paper.component['id']}"

    for page in (here, f"{here}/giay-to/{paper.component['id']}"):
        assert f'href="{address}"' in office.open(centre.CLERK, page).text
    shown = office.open(centre.CLERK, address)

    assert shown.headers["cache-control"] == "no-store"
    changes = re.findall(r"<dt>([^<]+).*?(?:<del>(.*?)</del>|\(trống\)).*?<ins>(.*?)</ins>", shown.text, re.DOTALL)
    assert changes == [
        ("người ký", "Trần Thị Thử", "Lê &lt;Văn&gt; Thử"),
        ("người ký", "", "Trần Thị Thử"),
        ("trang 1, chữ 1", raw, "Phiếu"),
    ]
    names = re.findall(r"<h2[^>]*>([^,<]+),", shown.text)
    assert names == ["Vũ Thị Mỹ Duyên", "Nguyễn Thị Lựu"]
    for agency in ("TT PVHCC phường Hồng Gai", "Bưu điện Hồng Gai"):
        assert f"{agency} · sửa chữ đã đọc" in shown.text
    assert office.open("motcua.uongbi", address).status_code == 404
    assert "Chưa có gì bị sửa ở đây" in office.open(centre.CLERK, f"{here}/sua-doi/{paper.dossier['id']}").text


def test_of_an_identity_paper_the_page_is_a_look_and_says_so(office: Office) -> None:
    opened = open_dossier(office)
    card = ok(add(office, opened, "can-cuoc-cong-dan.png", unique_scan()))["id"]

    shown = office.open(centre.CLERK, f"/ho-so/{opened['id']}/sua-doi/{card}")

    assert "lần xem này đã ghi vào nhật ký" in shown.text
    with office.services.begin() as work:
        looks = [(x.actor, x.detail["what"]) for x in work.audit.of(UUID(card)) if x.event == identity_papers.SEEN]
    assert looks == [(centre.CLERK, "amendments")]


def test_a_draft_that_saves_itself_is_one_line_of_the_history_and_one_change(office: Office) -> None:
    opened = digitised_dossier(office)
    result = drafted(office, opened)
    for typed in ("T", "Từ", "Từ ngày ký"):
        ok(office.ask(centre.CLERK, "PATCH", f"/e-results/{result['id']}", json={"data": {"closing": [typed]}}))
    here = f"/ho-so/{opened['id']}/sua-doi/{result['id']}"

    for page in (f"/ho-so/{opened['id']}", f"/ket-qua/{result['id']}"):
        assert office.open(centre.CLERK, page).text.count(f'href="{here}"') == 1
    shown = office.open(centre.CLERK, here).text

    assert "lưu 3 lần" in shown
    assert shown.count("<ins>Từ ngày ký</ins>") == 1
    assert "<del>Giấy này có giá trị kể từ ngày ký</del>" in shown
    assert "<ins>T</ins>" not in shown
    assert len(told(office, centre.CLERK, opened, result["id"])) == 3, "programs are told each of them"


def test_what_lay_before_the_leader_is_told_even_if_it_was_taken_back_afterwards(office: Office) -> None:
    opened = received(office)
    clerk, leader = person(office, centre.CLERK), person(office, centre.LEADER)
    with office.services.begin() as work:
        found = work.dossiers.by_code(opened["code"])
        result = work.e_results.keep(kept_office.e_result(found))

    def typed(before: str, after: str) -> None:
        with office.services.begin() as work:
            changes = {"title": (before, after)}
            amendments.log(work, clerk, issuance.CHANGED, result.id, of=found.id, changes=changes)

    def shown() -> str:
        text: str = office.open(centre.CLERK, f"/ho-so/{opened['id']}/sua-doi/{result.id}").text
        return text

    typed("Giấy A", "Giấy B")
    with office.services.begin() as work:  # neither line comes with values
        work.audit.append(clerk, "e_result.submitted", result.id)
        work.audit.append(leader, "e_result.returned", result.id)
    typed("Giấy B", "Giấy A")

    assert [shown().count(f"<ins>{title}</ins>") for title in ("Giấy A", "Giấy B")] == [1, 1]
    assert "Cuối cùng lại như cũ" not in shown()
    typed("Giấy A", "Giấy C")
    typed("Giấy C", "Giấy B")
    assert "lưu 3 lần" in shown()
    assert "Cuối cùng lại như cũ" in shown()
