"""What is typed is found: with accents first, without them too, and numbers as they are printed."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dossiers.types import Applicant, ComponentState, PageState, Within
from storage.search import snippet
from storage.words import folded, phrase_query, vector, written
from tests.integration.kept_office import (
    CENTRE,
    COMMUNE,
    NOON,
    clerk_of,
    component,
    dossier,
    furnished,
    kept_component,
    page,
    taken_back,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.database import Database, PostgresUnitOfWork

CLERK = clerk_of(CENTRE)


@pytest.fixture(scope="module")
def database(postgres_server: str, migrated_template: str) -> Iterator[Database]:
    with furnished(postgres_server, migrated_template) as database:
        yield database


@pytest.fixture
def work(database: Database) -> Iterator[PostgresUnitOfWork]:
    with taken_back(database) as work:
        yield work


@pytest.fixture
def find(work: PostgresUnitOfWork) -> Callable[..., list[tuple[str, bool]]]:
    """Keep pages with these texts; then say which of them a phrase finds, in order, and whether exactly."""

    def find(phrase: str, *texts: str) -> list[tuple[str, bool]]:
        for number, text in enumerate(texts):
            of = work.dossiers.keep(dossier(opened_at=NOON - timedelta(minutes=number)))
            kept = work.components.keep(component(of, name=text))
            work.components.keep_page(page(kept, text=text, state=PageState.READ))
        return [(hit.component_name, hit.exact) for hit in work.search.pages(CLERK, phrase)]

    return find


def test_accents_typed_exactly_come_first_and_their_lack_is_forgiven(
    find: Callable[..., list[tuple[str, bool]]],
) -> None:
    road, name = "Ông Nguyễn Đình Đường", "Bà Nguyễn Đình Dương"
    assert find("Nguyễn Đình Dương", road, name) == [(name, True), (road, False)]
    assert find("nguyen dinh duong") == [(road, False), (name, False)]
    assert find("NGUYỄN ĐÌNH ĐƯỜNG") == [(road, True), (name, False)]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Số: 157/QĐ-UB ngày", "157/QĐ-UB"),
        ("Số: 157/QĐ-UB ngày", "157/qđ-ub"),
        ("Số: 157 / QĐ - UB ngày", "157/QĐ-UB"),
        ("mã 1.009999 và", "1.009999"),
        ("thửa 12, tờ 3 (BĐ)", "thửa 12 tờ 3"),
        ("mã hồ sơ 000.00.01.H99-261120-0001", "000.00.01.H99-261120-0001"),
        ("số 001099000001.", "001099000001"),
        ("www.mau.gov.vn/a/b.pdf", "mau.gov.vn/a"),
        ("Hoà Bình", "Hòa Bình"),
        ("thuỷ lợi", "thủy lợi"),
        ("HOÀ BÌNH", "hòa bình"),
        (unicodedata.normalize("NFD", "Hòa Bình"), "Hoà Bình"),
        ("Ðường Trần Hưng Ðạo", "đường trần hưng đạo"),  # the Icelandic letter, as old fonts have it
        ("hai\ndòng  liền", "hai dòng liền"),
    ],
)
def test_what_a_person_calls_the_same_is_found_exactly(
    find: Callable[..., list[tuple[str, bool]]], text: str, phrase: str
) -> None:
    assert [exact for _, exact in find(phrase, text)] == [True]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Quyết định số 157/QĐ-UB", "1570/QĐ-UB"),
        ("Quyết định số 157/QĐ-UB", "157/QĐ-UBND"),
        ("một hai ba", "một ba"),
        ("một hai ba", "hai một"),
        ("một hai ba", "ha"),
        ("một hai ba", "…"),
        ("một hai ba", ""),
        ("một hai ba", "'; DROP TABLE pages; --"),
        ("một hai ba", "một & !ba | (hai:*"),
    ],
)
def test_what_is_not_there_is_not_found(find: Callable[..., list[tuple[str, bool]]], text: str, phrase: str) -> None:
    assert find(phrase, text) == []


def test_a_page_read_again_is_found_by_its_new_words_only(work: PostgresUnitOfWork) -> None:
    of = kept_component(work)
    first = page(of, text="chữ củ", state=PageState.READ)
    work.components.keep_page(first)
    work.components.keep_page(replace(first, text="chữ mới"))
    assert work.search.pages(CLERK, "chữ củ") == []
    assert len(work.search.pages(CLERK, "chữ mới")) == 1


@pytest.mark.parametrize(
    ("within", "found"),
    [
        (Within(), ["now", "before"]),
        (Within(agency=CENTRE.code), ["now", "before"]),
        (Within(agency=COMMUNE.code), ["before"]),
        (Within(procedure="1.009999"), ["now", "before"]),
        (Within(procedure="1.000000"), []),
        (Within(since=date(2026, 11, 20)), ["now"]),
        (Within(until=date(2026, 11, 19)), ["before"]),
        (Within(since=date(2026, 11, 19), until=date(2026, 11, 20)), ["now", "before"]),
        (Within(since=date(2026, 11, 21)), []),
        (Within(agency=COMMUNE.code, since=date(2026, 11, 20)), []),
    ],
)
def test_a_search_looks_only_where_it_is_told_to(work: PostgresUnitOfWork, within: Within, found: list[str]) -> None:
    before = {"opened_at": datetime(2026, 11, 19, 16, 59, tzinfo=UTC), "competent": COMMUNE.code}  # 23:59 in Vietnam
    for name, more in (("now", {}), ("before", before)):
        of = work.components.keep(component(work.dossiers.keep(dossier(**more)), name=name))
        work.components.keep_page(page(of, text="Quyết định số 157/QĐ-UB", state=PageState.READ))
    hits = work.search.pages(CLERK, "157/QĐ-UB", within=within)
    assert [hit.component_name for hit in hits] == found


def test_what_stands_on_every_page_and_what_stands_far_back_come_in_the_same_order(work: PostgresUnitOfWork) -> None:
    """The newest dossier first, however many there are."""
    for number in range(70):
        of = work.dossiers.keep(dossier(opened_at=NOON - timedelta(minutes=number)))
        kept = work.components.keep(component(of, name=f"{number}"))
        far_back = "thửa đất cũ" if number % 30 == 5 else ""
        work.components.keep_page(page(kept, text=f"chữ ở mọi tờ {far_back}", state=PageState.READ))
    assert [hit.component_name for hit in work.search.pages(CLERK, "mọi tờ")] == [f"{n}" for n in range(50)]
    assert [hit.component_name for hit in work.search.pages(CLERK, "mọi tờ", limit=70)] == [f"{n}" for n in range(70)]
    assert [hit.component_name for hit in work.search.pages(CLERK, "thửa đất cũ")] == ["5", "35", "65"]
    assert [hit.component_name for hit in work.search.pages(CLERK, "thửa đất cũ", limit=2)] == ["5", "35"]


def test_a_replaced_paper_is_no_longer_found(work: PostgresUnitOfWork) -> None:
    of = kept_component(work)
    work.components.keep_page(page(of, text="tờ khai", state=PageState.READ))
    work.components.keep(replace(of, state=ComponentState.REPLACED))
    assert work.search.pages(CLERK, "tờ khai") == []


def test_exact_finds_fill_the_list_before_others(work: PostgresUnitOfWork) -> None:
    of = kept_component(work)
    for number in range(1, 7):
        work.components.keep_page(page(of, number, text="đường" if number > 3 else "dương", state=PageState.READ))
    hits = [(hit.page, hit.exact) for hit in work.search.pages(CLERK, "đường", limit=4)]
    assert hits == [(4, True), (5, True), (6, True), (1, False)]


def test_a_hit_says_where_it_is(work: PostgresUnitOfWork) -> None:
    of = kept_component(work)
    work.components.keep_page(page(of, 3, text="Căn cứ Quyết định số 157/QĐ-UB", state=PageState.READ))
    (hit,) = work.search.pages(CLERK, "157/qd-ub")
    code = work.dossiers.of(CLERK, of.dossier_id).code
    assert (hit.dossier_id, hit.dossier_code) == (of.dossier_id, code)
    assert (hit.component_id, hit.component_name, hit.page) == (of.id, of.name, 3)
    assert hit.snippet == "Căn cứ Quyết định số 157/QĐ-UB"


def test_a_snippet_is_cut_between_words_around_the_phrase() -> None:
    text = "đầu " * 100 + "giấy chứng\nnhận " + "cuối " * 100
    cut = snippet(text, "giay chung nhan", exact=False)
    assert "giấy chứng nhận" in cut
    assert cut.startswith("… đầu ")
    assert cut.endswith(" cuối …")
    assert len(cut) < 180
    assert snippet("không có", "gì", exact=True) == ""


def test_a_page_of_any_length_can_be_kept(work: PostgresUnitOfWork) -> None:
    """The server refuses vectors over 1 MB and words over 2 kB; a scan of noise may have either."""
    of = kept_component(work)
    noise = " ".join(f"từ{number}" + "ờ" * 60 for number in range(12_000))
    work.components.keep_page(page(of, 1, text=noise, state=PageState.READ))
    work.components.keep_page(page(of, 2, text="x" * 300_000, state=PageState.READ))


@settings(deadline=None, derandomize=True)
@given(st.text())
def test_every_text_gives_a_vector_and_finds_itself(text: str) -> None:
    for form in (written, folded):
        words = form(text)
        assert all(word and word.isprintable() and "'" not in word and "\\" not in word for word in words)
        assert vector(words).count("'") == 2 * len(set(words[:10_000]))
        assert phrase_query(words).count("<->") == max(min(len(words), 50) - 1, 0)
    if written(text):
        assert snippet(text, text, exact=True)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.lists(st.text(), max_size=40))
def test_the_server_takes_every_vector(postgres_server: str, texts: list[str]) -> None:
    with psycopg.connect(postgres_server) as connection:
        for text in texts:
            for words in (written(text), folded(text)):
                if words:
                    query = "SELECT %s::tsvector @@ %s::tsquery"
                    row = connection.execute(query, (vector(words), phrase_query(words))).fetchone()
                    assert row == (True,)


def test_no_plan_is_kept_from_one_phrase_to_the_next(work: PostgresUnitOfWork) -> None:
    """A plan for any phrase at all scans the index again for every component: minutes for a common one."""
    for _ in range(12):
        work.search.pages(CLERK, "ủy ban nhân dân")
    prepared = work.search._connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements")
    assert prepared.scalar_one() == 0


def test_a_dossier_is_found_by_its_applicants_name_exact_accents_first(work: PostgresUnitOfWork) -> None:
    road = work.dossiers.keep(dossier(applicant=Applicant("Nguyễn Đình Đường"), opened_at=NOON))
    name = work.dossiers.keep(
        dossier(applicant=Applicant("Nguyễn Đình Dương"), opened_at=NOON - timedelta(days=9), helped_at=None)
    )
    work.dossiers.keep(dossier(COMMUNE, applicant=Applicant("Nguyễn Đình Dương")))

    def found(text: str) -> list[str]:
        return [d.applicant.name for d in work.dossiers.find(CLERK, text)]

    assert found("nguyen dinh duong") == [road.applicant.name, name.applicant.name]
    assert found("Nguyễn Đình Dương") == [name.applicant.name, road.applicant.name]
    assert found("duong NGUYEN") == [road.applicant.name, name.applicant.name]
    assert found("nguyễn đình đư") == [road.applicant.name, name.applicant.name]
    assert found("Nguyễn Văn Dương") == []
    assert [d.id for d in work.dossiers.find(CLERK, "nguyen dinh duong", limit=1)] == [road.id]


def test_a_dossier_is_found_by_its_code_or_a_part_of_it(work: PostgresUnitOfWork) -> None:
    one = work.dossiers.keep(dossier(code="000.00.01.H99-270101-0042"))
    work.dossiers.keep(dossier(code="000.00.01.H99-270101-0043"))

    for text in ("000.00.01.H99-270101-0042", "270101-0042", "270101 0042", "nguyen dinh duong 270101-0042"):
        assert [d.id for d in work.dossiers.find(CLERK, text)] == [one.id]
    assert len(work.dossiers.find(CLERK, "270101")) == 2


def test_a_name_that_changes_is_found_by_its_new_words_alone(work: PostgresUnitOfWork) -> None:
    kept = work.dossiers.keep(dossier(applicant=Applicant("Trần Thị Mận")))
    work.dossiers.keep(replace(kept, applicant=Applicant("Trần Thị Mơ")))

    assert work.dossiers.find(CLERK, "tran thi man") == []
    assert [d.applicant.name for d in work.dossiers.find(CLERK, "tran thi mo")] == ["Trần Thị Mơ"]


@pytest.mark.parametrize("text", ["", "  …  ", "'", "a' | 'b", "\\", "& !", ":*"])
def test_no_text_breaks_the_search_for_dossiers(work: PostgresUnitOfWork, text: str) -> None:
    work.dossiers.keep(dossier())
    assert work.dossiers.find(CLERK, text) == []
