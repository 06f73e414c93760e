"""What is typed is found: with accents first, without them too, and numbers as they are printed."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dossiers.types import Applicant, ComponentState, PageState, Within
from storage import search
from storage.search import snippet
from storage.words import folded, page_marks, phrase_marks, phrase_query, vector, words, written
from tests.integration.kept_office import (
    CENTRE,
    COMMUNE,
    NOON,
    POST_OFFICE,
    clerk_of,
    component,
    dossier,
    kept_component,
    page,
    taken_back,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from dossiers.types import Actor
    from storage.database import Database, PostgresUnitOfWork

CLERK = clerk_of(CENTRE)


@pytest.fixture(params=["the newest pages read", "the index asked"])
def work(
    database: Database, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresUnitOfWork]:
    """Each way to a phrase must find the same; of a few pages all would be read."""
    if request.param == "the index asked":
        monkeypatch.setattr(search, "_DOSSIERS_AT_FIRST", 0)
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
    work.components.keep_page(replace(first, text=""))
    assert work.search.pages(CLERK, "chữ mới") == []


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


@pytest.mark.parametrize(("at_first", "most_read"), [(0, 0), (3, 3), (3, 25), (1000, 1000)])
def test_whatever_the_way_the_same_is_found_in_the_same_order(
    database: Database, monkeypatch: pytest.MonkeyPatch, at_first: int, most_read: int
) -> None:
    """Against all pages looked through one by one, where several dossiers are of one moment and of several agencies."""
    monkeypatch.setattr(search, "_DOSSIERS_AT_FIRST", at_first)
    monkeypatch.setattr(search, "_MOST_DOSSIERS_READ", most_read)
    chance = random.Random(7)  # noqa: S311  no secret
    syllables = ["dương", "đường", "duong", "hoà", "hòa", "157"]
    agencies = (CENTRE, COMMUNE)
    with taken_back(database) as work:
        kept = []
        for _ in range(60):
            of = work.dossiers.keep(
                dossier(
                    receiving=chance.choice(agencies).code,
                    competent=chance.choice(agencies).code,
                    helped_at=chance.choice((None, None, POST_OFFICE.code)),
                    opened_at=NOON - timedelta(days=chance.randrange(12) * 61),
                )
            )
            for ordinal in range(1, chance.randint(2, 3)):
                paper = work.components.keep(component(of, ordinal=ordinal))
                for number in range(1, chance.randint(2, 4)):
                    text = " ".join(chance.choices(syllables, k=9))
                    work.components.keep_page(page(paper, number, text=text, state=PageState.READ))
                    kept.append((of, paper, number, text))

        def plainly(actor: Actor, phrase: str, within: Within, limit: int) -> list[tuple[UUID, int, bool]]:
            since, until = within.moments()
            found = []
            for of, paper, number, text in kept:
                seen = actor.agency in (of.receiving, of.competent, of.helped_at)
                inside = within.agency in ("", of.receiving, of.competent)
                inside &= (since is None or of.opened_at >= since) and (until is None or of.opened_at < until)
                rough, exact = (
                    f" {' '.join(form(phrase))} " in f" {' '.join(form(text))} " for form in (folded, written)
                )
                if seen and inside and rough:
                    order = (not exact, -of.opened_at.timestamp(), of.id, paper.ordinal, number)
                    found.append((order, (paper.id, number, exact)))
            return [hit for _, hit in sorted(found)][:limit]

        bounds = [
            Within(),
            Within(agency=COMMUNE.code),
            Within(since=date(2026, 1, 1), until=date(2026, 12, 31)),
            Within(agency=CENTRE.code, since=date(2025, 7, 1), until=date(2026, 3, 1)),
            Within(until=date(2025, 12, 31)),
            Within(since=date(2019, 12, 31), until=date(2026, 12, 31)),
        ]
        for agency in (CENTRE, COMMUNE, POST_OFFICE):
            for within in bounds:
                for _ in range(4):
                    phrase = " ".join(chance.choices(syllables, k=chance.randint(1, 4)))
                    limit = chance.choice((3, 10, 50))
                    hits = work.search.pages(clerk_of(agency), phrase, within=within, limit=limit)
                    given = [(hit.component_id, hit.page, hit.exact) for hit in hits]
                    assert given == plainly(clerk_of(agency), phrase, within, limit)


def test_a_dossier_is_found_where_it_is_now(work: PostgresUnitOfWork) -> None:
    of = work.dossiers.keep(dossier())
    kept = work.components.keep(component(of))
    work.components.keep_page(page(kept, text="giấy đi đường", state=PageState.READ))
    year = Within(since=date(2026, 1, 1), until=date(2026, 12, 31))
    other, helping = clerk_of(COMMUNE), clerk_of(POST_OFFICE)
    assert [len(work.search.pages(who, "giay di duong", within=year)) for who in (CLERK, other, helping)] == [1, 0, 0]

    of = work.dossiers.keep(replace(of, competent=COMMUNE.code, helped_at=POST_OFFICE.code))
    assert [len(work.search.pages(who, "giay di duong", within=year)) for who in (CLERK, other, helping)] == [1, 1, 1]

    work.dossiers.keep(replace(of, receiving=COMMUNE.code, opened_at=datetime(2025, 12, 31, 17, tzinfo=UTC)))
    assert [len(work.search.pages(who, "giay di duong", within=year)) for who in (CLERK, other, helping)] == [0, 1, 1]
    work.dossiers.keep(replace(work.dossiers.of(other, of.id), opened_at=datetime(2025, 12, 31, 16, 59, tzinfo=UTC)))
    assert work.search.pages(other, "giay di duong", within=year) == []


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


@settings(deadline=None, derandomize=True)
@given(st.text(), st.integers(0, 20), st.integers(1, 5))
def test_a_page_has_every_mark_of_every_phrase_on_it(text: str, first: int, count: int) -> None:
    marks = page_marks(text)
    assert len(set(marks)) == len(marks)
    phrase = " ".join(match[0] for match in list(words(text))[first : first + count])
    for exact in (True, False):
        assert set(phrase_marks(phrase, exact=exact)) <= set(marks) or "" in folded(phrase)


def test_words_with_other_accents_have_other_marks_unless_none_are_asked_for() -> None:
    written_marks, other = (phrase_marks(name, exact=True) for name in ("Đình Đường", "Đình Dương"))
    assert not set(written_marks) & set(other)
    assert phrase_marks("Đình Đường", exact=False) == phrase_marks("dinh duong", exact=False)
    assert not set(phrase_marks("dinh duong", exact=True)) & set(phrase_marks("dinh duong", exact=False))


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
