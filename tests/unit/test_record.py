"""The descriptive record of a paper: what it asks for at least, and which values a person should look at again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from digitize.types import Box, Flag, OcrWord
from dossiers import record
from dossiers.labels import CODES
from dossiers.types import Doubt, ExtractedField, Page, PageState

TODAY = date(2026, 3, 5)


def field(key: str, value: str, *, confidence: float = 96.0, by: str = "") -> ExtractedField:
    return ExtractedField(uuid4(), key, value, value, 1, (0, 0, 1, 1), confidence, by=by)


def doubt(key: str, value: str) -> Doubt | None:
    return record.doubt_of(field(key, value), today=TODAY)


@pytest.mark.parametrize("value", ["2026-03-05", "1998-02-28", "2024-02-29", "05/03/2026", "5-3-2026", "28.2.1998"])
def test_a_day_of_the_calendar_up_to_today_is_not_in_doubt(value: str) -> None:
    assert doubt("issued_on", value) is None


@pytest.mark.parametrize("value", ["21/0/1973", "2025-02-29", "31/4/2026", "hôm qua", "0000-01-01", "20260305", "5/3"])
def test_a_day_that_is_in_no_calendar_is(value: str) -> None:
    assert doubt("issued_on", value) is Doubt.NO_SUCH_DAY


def test_nothing_was_issued_tomorrow() -> None:
    assert doubt("issued_on", "2026-03-06") is Doubt.FUTURE_DAY


@pytest.mark.parametrize(
    ("value", "wrong"), [("05", False), ("2147", False), ("214a", False), ("2l4", True), ("", False)]
)
def test_a_number_is_digits(value: str, wrong: bool) -> None:  # noqa: FBT001  a table
    assert doubt("number", value) is (Doubt.NUMBER_PATTERN if wrong else None)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("QĐ-UBND", False),
        ("2025/NĐ-CP", False),
        ("UBND-VX", False),
        ("TTr-SKH&ĐT", False),
        ("QĐ - UBND", False),
        ("QĐ-UBND.", True),
        ("QĐ/UBND", True),
        ("-UBND", True),
        ("QĐ—UBND", True),
    ],
)
def test_a_symbol_has_the_form_of_decree_30(value: str, wrong: bool) -> None:  # noqa: FBT001  a table
    assert doubt("symbol", value) is (Doubt.SYMBOL_PATTERN if wrong else None)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("022185000123", False),
        ("022 185 000 123", False),
        ("123456789", False),  # an identity card of old
        ("0101234567", False),  # a tax code
        ("0101234567-001", False),
        ("022285000123", True),  # born in 2085
        ("000185000123", True),
        ("02218500012", True),
        ("O22185000123", True),
    ],
)
def test_an_owner_s_number_is_one_that_can_be(value: str, wrong: bool) -> None:  # noqa: FBT001  a table
    assert doubt("owner_id", value) is (Doubt.OWNER_ID if wrong else None)


def test_what_was_read_unsurely_is_in_doubt_until_a_person_has_looked() -> None:
    unsure = field("abstract", "Về việc công nhận", confidence=79.9)

    assert record.doubt_of(unsure, today=TODAY) is Doubt.LOW_CONFIDENCE
    assert record.doubt_of(field("abstract", "Về việc", confidence=80.0), today=TODAY) is None
    assert record.doubt_of(field("abstract", "Về việc", confidence=20.0, by="an"), today=TODAY) is None


def test_a_person_s_own_slip_is_in_doubt_too() -> None:
    assert record.doubt_of(field("issued_on", "31/02/2026", by="an"), today=TODAY) is Doubt.NO_SUCH_DAY


def test_a_day_is_kept_in_one_form_and_what_is_none_as_it_was_typed() -> None:
    assert record.tidied("issued_on", " 5/3/2026 ") == "2026-03-05"
    assert record.tidied("issued_on", "31/02/2026") == "31/02/2026"
    assert record.tidied("abstract", " 5/3/2026 ") == "5/3/2026"
    assert record.tidied("signer", "Tra\u0302\u0300n") == "Trần"


def test_the_record_is_whole_in_order_and_loses_nothing_that_was_found() -> None:
    found = [field("symbol", "QĐ-UBND"), field("place", "Hồng Gai"), field("number", "05")]

    whole = record.whole(uuid4(), found)

    assert [f.key for f in whole] == [*record.MINIMUM, "place"]
    values = {f.key: (f.value, f.origin) for f in whole}
    assert values["number"] == ("05", "ocr")
    assert values["recipients"] == ("", "missing")
    assert all(record.doubt_of(f, today=TODAY) is None for f in whole if f.origin == "missing")


def test_every_key_of_the_record_has_words() -> None:
    assert set(record.KNOWN) <= CODES.keys()


def a_page(number: int, *flags: Flag) -> Page:
    return Page(id=uuid4(), component_id=uuid4(), number=number, state=PageState.READ, flags=tuple(flags))


def test_a_number_under_a_pen_is_asked_for_until_a_person_has_settled_it() -> None:
    inked = [a_page(1, Flag.HANDWRITTEN_NUMBER)]
    guess = field("number", "22")

    assert record.by_hand([guess], inked) == {"number"}
    assert record.by_hand([], inked) == {"number"}
    assert record.by_hand([replace(guess, by="an")], inked) == set()
    assert record.by_hand([replace(guess, value="", by="an", origin="absent")], inked) == set()
    assert record.by_hand([replace(guess, value="", by="an", origin="corrected")], inked) == {"number"}
    assert record.by_hand([guess], [a_page(1), a_page(2, Flag.HANDWRITTEN_NUMBER)]) == set()
    assert record.doubt_of(guess, today=TODAY, by_hand=True) is Doubt.BY_HAND


def test_the_riskiest_words_are_doubtful_and_those_of_a_pen_and_of_old_readings_by_confidence() -> None:
    word = OcrWord("kiêm", Box(0, 0, 40, 20), 96.0)

    assert not record.is_doubtful(word)
    assert record.is_doubtful(replace(word, risk=0.3))
    assert not record.is_doubtful(replace(word, risk=0.01, confidence=70.0))
    assert record.is_doubtful(replace(word, confidence=70.0))
    assert record.is_doubtful(replace(word, by_pen=True, risk=0.01))


def test_what_is_longer_than_the_law_allows_is_in_doubt_whoever_wrote_it() -> None:
    long = field("signer", "A" * 51, by="an")
    assert record.doubt_of(long, today=TODAY) is Doubt.TOO_LONG
    assert doubt("signer", "A" * 50) is None
    assert doubt("abstract", "a" * 501) is Doubt.TOO_LONG
