"""What is kept comes back as it was, in the order people need it, and only to those it concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from dossiers.types import (
    Actor,
    CertificateRecord,
    ComponentState,
    DigitisationProfile,
    DossierState,
    Duplicate,
    ExtractedField,
    NotFound,
    PageState,
    ResultState,
)
from tests.integration.kept_office import (
    CENTRE,
    COMMUNE,
    NOON,
    POST_OFFICE,
    PROCEDURE,
    account,
    clerk_of,
    component,
    dossier,
    e_result,
    kept_component,
    key,
    page,
)

if TYPE_CHECKING:
    from storage.database import PostgresUnitOfWork

CLERK = clerk_of(CENTRE)
STRANGER = clerk_of(COMMUNE)


def test_the_office_and_its_catalogue_come_back_as_they_were(work: PostgresUnitOfWork) -> None:
    assert work.agencies.all() == [CENTRE, COMMUNE, POST_OFFICE]
    assert work.agencies.of(POST_OFFICE.code) == POST_OFFICE
    changed = replace(COMMUNE, digitisation=DigitisationProfile.CAPTURE, valid_to=date(2030, 1, 1))
    work.agencies.keep(changed)
    assert work.agencies.of(COMMUNE.code) == changed
    assert work.procedures.all() == [PROCEDURE]
    assert work.procedures.of(PROCEDURE.code) == PROCEDURE
    with pytest.raises(NotFound):
        work.agencies.of("không có")
    with pytest.raises(NotFound):
        work.procedures.of("không có")


def test_people_come_back_as_they_were(work: PostgresUnitOfWork) -> None:
    anna, binh = account("anna", title="Giám đốc"), account("binh", active=False)
    for each in (binh, anna):
        work.accounts.keep(each)
    assert work.accounts.of("anna") == anna
    assert work.accounts.in_agency(CENTRE.code) == [anna]
    locked = replace(anna, failed_sign_ins=5, locked_until=NOON)
    work.accounts.keep(locked)
    assert work.accounts.of("anna") == locked
    with pytest.raises(NotFound):
        work.accounts.of("ai")
    with pytest.raises(Duplicate):
        work.accounts.keep(account("anna"))


def test_a_session_ends_by_time_by_leaving_and_by_losing_the_account(work: PostgresUnitOfWork) -> None:
    anna = account("anna")
    work.accounts.keep(anna)
    later = NOON + timedelta(days=365_000 // 100)
    work.accounts.open_session(anna, "a" * 64, expires_at=later)
    work.accounts.open_session(anna, "b" * 64, expires_at=later)
    assert work.accounts.by_session("a" * 64, now=NOON) == anna
    with pytest.raises(NotFound):
        work.accounts.by_session("a" * 64, now=later)
    with pytest.raises(NotFound):
        work.accounts.by_session("c" * 64, now=NOON)
    work.accounts.close_session("a" * 64)
    work.accounts.close_session("never opened")
    with pytest.raises(NotFound):
        work.accounts.by_session("a" * 64, now=NOON)
    work.accounts.keep(replace(anna, active=False))
    with pytest.raises(NotFound):
        work.accounts.by_session("b" * 64, now=NOON)


def test_tries_are_counted_by_window(work: PostgresUnitOfWork) -> None:
    def hits(bucket: str, seconds: int) -> bool:
        return work.limits.hit(bucket, now=NOON + timedelta(seconds=seconds), window_s=60, limit=2)

    assert [hits("sign_in:anna", second) for second in (0, 1, 2, 59)] == [True, True, False, False]
    assert hits("sign_in:binh", 3) is True
    assert [hits("sign_in:anna", second) for second in (60, 61, 62)] == [True, True, False]


def test_a_new_certificate_retires_the_one_before_it(work: PostgresUnitOfWork) -> None:
    def certificate(owner: str, sha256: str, agency: str = CENTRE.code) -> CertificateRecord:
        return CertificateRecord(
            uuid4(), agency, owner, "CN=Mẫu", "CN=CA", "0a", sha256, NOON, NOON + timedelta(days=365), f"{sha256}.p12"
        )

    old, new = certificate("lanhdao", "1"), certificate("lanhdao", "2")
    seal, other_seal = certificate("", "3"), certificate("", "4", COMMUNE.code)
    for record in (old, seal, other_seal, new):
        work.certificates.keep(record)
    assert work.certificates.for_person("lanhdao") == new
    assert work.certificates.for_agency(CENTRE.code) == seal
    assert work.certificates.for_agency(COMMUNE.code) == other_seal
    kept = list(work.certificates.all())
    assert [record.sha256 for record in kept[:1]] == ["3"]
    assert replace(old, active=False) in kept
    assert len(kept) == 4
    moved = replace(certificate("lanhdao", "5", COMMUNE.code))
    work.certificates.keep(moved)
    assert work.certificates.for_person("lanhdao") == moved
    with pytest.raises(NotFound):
        work.certificates.for_person("")
    with pytest.raises(NotFound):
        work.certificates.for_agency(POST_OFFICE.code)


def test_trust_material_is_kept_once(work: PostgresUnitOfWork) -> None:
    work.trust.add_certificate(b"issuing")
    work.trust.add_certificate(b"issuing")
    assert work.trust.intermediates() == [b"issuing"]
    assert not work.trust.holds_demo()
    work.trust.add_certificate(b"issuing", demo=True)
    work.trust.add_certificate(b"issuing")
    assert work.trust.holds_demo()
    work.trust.keep_crl("http://crl/1", b"old", fetched_at=NOON)
    work.trust.keep_crl("http://crl/2", b"other", fetched_at=NOON)
    work.trust.keep_crl("http://crl/1", b"new", fetched_at=NOON)
    assert work.trust.crls() == [b"new", b"other"]


def test_a_dossier_comes_back_as_it_was(work: PostgresUnitOfWork) -> None:
    new = dossier(competent=COMMUNE.code, helped_at=POST_OFFICE.code, received_at=NOON, due_on=date(2026, 11, 27))
    kept = work.dossiers.keep(new)
    assert kept == replace(new, version=1)
    assert work.dossiers.of(CLERK, new.id) == kept
    assert work.dossiers.by_code(new.code) == kept
    assert work.dossiers.for_job(new.id) == kept


@pytest.mark.parametrize("part", ["receiving", "competent", "helped_at"])
def test_an_agency_with_a_part_in_it_finds_a_dossier(work: PostgresUnitOfWork, part: str) -> None:
    kept = work.dossiers.keep(dossier(POST_OFFICE, **{part: COMMUNE.code}))
    for who in (STRANGER, Actor.system(COMMUNE.code)):
        assert work.dossiers.of(who, kept.id) == kept
        assert work.dossiers.lock(who, kept.id) == kept
        assert work.dossiers.queue(who) == [kept]


def test_another_agencys_clerk_finds_nothing(work: PostgresUnitOfWork) -> None:
    of = kept_component(work)
    work.components.keep_page(page(of, text="Giấy khai sinh", state=PageState.READ))
    result = work.e_results.keep(e_result(work.dossiers.of(CLERK, of.dossier_id)))
    for find in (work.dossiers.of, work.dossiers.lock):
        with pytest.raises(NotFound):
            find(STRANGER, of.dossier_id)
    for find_result in (work.e_results.of, work.e_results.lock):
        with pytest.raises(NotFound):
            find_result(STRANGER, result.id)
    assert work.dossiers.queue(STRANGER) == []
    assert work.e_results.waiting(STRANGER) == []
    assert work.search.pages(STRANGER, "Giấy khai sinh") == []
    assert len(work.search.pages(CLERK, "Giấy khai sinh")) == 1


def test_the_most_urgent_dossier_comes_first_and_finished_ones_last(work: PostgresUnitOfWork) -> None:
    soon = work.dossiers.keep(dossier(due_on=date(2026, 11, 23), state=DossierState.IN_PROCESS))
    open_end = work.dossiers.keep(dossier())
    later = work.dossiers.keep(dossier(due_on=date(2026, 12, 1), state=DossierState.RECEIVED))
    early_that_day = work.dossiers.keep(dossier(due_on=date(2026, 12, 1), opened_at=NOON - timedelta(hours=1)))
    finished = work.dossiers.keep(dossier(due_on=date(2026, 1, 1), state=DossierState.RETURNED))
    expected = [soon, early_that_day, later, open_end, finished]
    assert work.dossiers.queue(CLERK) == expected
    assert work.dossiers.queue(CLERK, states=[DossierState.IN_PROCESS, DossierState.RECEIVED]) == [soon, later]
    shown = []
    while batch := work.dossiers.queue(CLERK, limit=2, after=shown[-1].id if shown else None):
        shown += batch
    assert shown == expected


def test_a_component_comes_back_as_it_was(work: PostgresUnitOfWork) -> None:
    of = work.dossiers.keep(dossier())
    new = component(
        of, pages_declared=2, searchable=key("searchable"), copy=key("copy"), signed_scan=True, keep_reason="nhòe"
    )
    kept = work.components.keep(new)
    assert kept == replace(new, version=1)
    assert work.components.of(new.id) == work.components.lock(new.id) == kept
    assert work.register.copy_with(key("copy").sha256) == kept
    assert work.register.copy_with(key("searchable").sha256) is None
    assert work.components.with_scan(of.id, new.scan.sha256) == kept
    assert work.components.with_scan(of.id, key("other").sha256) is None
    assert work.components.with_scan(uuid4(), new.scan.sha256) is None
    with pytest.raises(NotFound):
        work.components.of(uuid4())


def test_a_replaced_paper_gives_its_place_away(work: PostgresUnitOfWork) -> None:
    of = work.dossiers.keep(dossier())
    first, second = (work.components.keep(component(of, ordinal=n)) for n in (1, 2))
    with pytest.raises(Duplicate):
        work.components.keep(component(of, ordinal=1))
    work.components.keep(replace(first, state=ComponentState.REPLACED))
    assert work.components.last_ordinal(of.id) == 2
    instead = work.components.keep(component(of, ordinal=1, scan=first.scan))
    assert work.components.of_dossier(of.id) == [instead, second]
    assert work.components.with_scan(of.id, first.scan.sha256) == instead
    assert work.components.last_ordinal(uuid4()) == 0


def test_a_page_comes_back_as_it_was(work: PostgresUnitOfWork) -> None:
    of = kept_component(work)
    new = page(
        of,
        2,
        picture=key("picture", "image/jpeg"),
        words=key("words", "application/json"),
        text="Điều 1.\n\nHoà Bình",
        flags=("low_resolution", "skewed"),
        measured={"dpi": 150.0, "skew_deg": 1.2},
        corrections={0: "Điều", 17: "Bình"},
        state=PageState.REVIEWED,
        reviewed_by="canbo.mau",
    )
    before = page(of, 1)
    for each in (new, before):
        work.components.keep_page(each)
    assert work.components.page(new.id) == new
    assert work.components.pages(of.id) == [before, new]
    with pytest.raises(NotFound):
        work.components.page(uuid4())


def test_tries_at_reading_a_page_are_counted(work: PostgresUnitOfWork) -> None:
    of = kept_component(work)
    first = page(of)
    work.components.keep_page(first)
    assert [work.components.begin_attempt(first.id) for _ in range(3)] == [1, 2, 3]
    assert work.components.page(first.id).attempts == 3
    with pytest.raises(NotFound):
        work.components.begin_attempt(uuid4())


def test_pages_not_read_yet_are_counted(work: PostgresUnitOfWork) -> None:
    of = kept_component(work)
    for number, state in enumerate(PageState, start=1):
        work.components.keep_page(page(of, number, state=state))
    assert work.components.unread(of.id) == 2  # received, cleaned


def test_reading_again_leaves_what_a_person_wrote(work: PostgresUnitOfWork) -> None:
    of = kept_component(work)

    def field(name: str, value: str, origin: str = "ocr") -> ExtractedField:
        return ExtractedField(of.id, name, value, value, 1, (1, 2, 3, 4), 91.5, origin)

    work.components.keep_fields(of.id, [field("number", "157"), field("symbol", "QĐ-UB"), field("abstract", "V/v")])
    work.components.keep_field(replace(field("number", "158", "corrected"), raw="157", by="canbo.mau", box=None))
    work.components.keep_field(field("owner", "Nguyễn", "typed"))
    work.components.keep_fields(of.id, [field("number", "159"), field("symbol", "QĐ-UBND"), field("owner", "Ng")])
    kept = {each.key: (each.value, each.origin, each.box) for each in work.components.fields(of.id)}
    assert kept == {
        "number": ("158", "corrected", None),
        "owner": ("Nguyễn", "typed", (1, 2, 3, 4)),
        "symbol": ("QĐ-UBND", "ocr", (1, 2, 3, 4)),
    }
    work.components.keep_fields(of.id, [])
    assert [each.key for each in work.components.fields(of.id)] == ["number", "owner"]


def test_an_e_result_comes_back_as_it_was(work: PostgresUnitOfWork) -> None:
    of = work.dossiers.keep(dossier())
    new = e_result(
        of,
        data={"ho_ten": "Nguyễn Đình Dương", "dong": [1, None, {"a": True}]},
        draft=key("draft"),
        document=key("document"),
        number=7,
        symbol="GCN-TTPVHCC",
        dated=date(2026, 11, 20),
        lookup_code="1234567890123",
        places=({"place": "leader", "page": 1, "box": [1.5, 2, 3, 4]},),
        approved_at=NOON,
    )
    kept = work.e_results.keep(new)
    assert kept == replace(new, version=1)
    assert work.e_results.of(CLERK, new.id) == work.e_results.lock(CLERK, new.id) == kept
    assert work.e_results.for_job(new.id) == kept
    assert work.e_results.of_dossier(of.id) == [kept]
    with pytest.raises(NotFound):
        work.e_results.for_job(uuid4())


@pytest.mark.parametrize("state", list(ResultState))
def test_the_register_answers_only_for_what_was_issued(work: PostgresUnitOfWork, state: ResultState) -> None:
    of = work.dossiers.keep(dossier())
    kept = work.e_results.keep(e_result(of, state=state, document=key("document"), lookup_code="1234567890123"))
    published = state in {ResultState.ISSUED, ResultState.WITHDRAWN, ResultState.SUPERSEDED}
    expected = kept if published else None
    assert work.e_results.by_document(key("document").sha256) == expected
    assert work.e_results.by_lookup_code("1234567890123") == expected
    assert work.e_results.by_lookup_code("") is None
    over = published or state is ResultState.DISCARDED
    assert work.e_results.waiting(CLERK) == ([] if over else [kept])


def test_a_file_registered_again_is_answered_for_by_the_one_in_force(work: PostgresUnitOfWork) -> None:
    of = work.dossiers.keep(dossier())
    in_force = e_result(of, state=ResultState.ISSUED, document=key("d"), issued_at=NOON)
    withdrawn = e_result(of, state=ResultState.WITHDRAWN, document=key("d"), issued_at=NOON + timedelta(days=1))
    kept, _ = work.e_results.keep(in_force), work.e_results.keep(withdrawn)
    assert work.e_results.by_document(key("d").sha256) == kept


def test_what_was_published_comes_by_pages_with_what_happened_last_first(work: PostgresUnitOfWork) -> None:
    of = work.dossiers.keep(dossier())
    hour = timedelta(hours=1)
    first = work.e_results.keep(e_result(of, state=ResultState.ISSUED, issued_at=NOON))
    second = work.e_results.keep(e_result(of, state=ResultState.ISSUED, issued_at=NOON + hour))
    closed = work.e_results.keep(
        e_result(of, state=ResultState.WITHDRAWN, issued_at=NOON - hour, closed_at=NOON + 2 * hour)
    )
    work.e_results.keep(e_result(of, state=ResultState.SEALED))

    page = work.e_results.published(CLERK, limit=2)

    assert page == [closed, second]
    assert work.e_results.published(CLERK, after=page[-1].id) == [first]
    assert work.e_results.published(STRANGER) == []
    assert work.e_results.published(STRANGER, after=second.id) == [], "another agency's id tells nothing"


def test_a_signature_is_begun_once(work: PostgresUnitOfWork) -> None:
    subject = uuid4()
    assert work.e_results.begin_attempt(subject, "leader", 1) is True
    assert work.e_results.begin_attempt(subject, "leader", 1) is False
    assert work.e_results.begin_attempt(subject, "seal", 1) is True
    assert work.e_results.begin_attempt(subject, "leader", 2) is True
    work.e_results.finish_attempt(subject, "leader", 1, key("signed"))
    with pytest.raises(NotFound):
        work.e_results.finish_attempt(subject, "copy", 1, key("signed"))


def test_several_are_asked_for_at_once_and_another_agencys_left_out(work: PostgresUnitOfWork) -> None:
    ours = [work.dossiers.keep(dossier()) for _ in range(2)]
    theirs = work.dossiers.keep(dossier(COMMUNE))
    results = [work.e_results.keep(e_result(one)) for one in (*ours, theirs)]

    found = work.dossiers.some(CLERK, [*(one.id for one in ours), theirs.id, uuid4()])
    known = work.e_results.some(CLERK, [one.id for one in results])

    assert found == {one.id: one for one in ours}
    assert known == {one.id: one for one in results[:2]}
    assert work.dossiers.some(CLERK, []) == {}
    assert set(work.dossiers.some(STRANGER, [theirs.id])) == {theirs.id}
