"""Codes people read aloud, mistype and find as file names."""

import itertools
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossiers import codes
from dossiers.codes import BadCode

AGENCIES = st.sampled_from(["000.00.01.H49", "000.00.00.H49", "H49", "H55.242"])
DAYS = st.dates(date(2020, 1, 1), date(2099, 12, 31))
ORDINALS = st.integers(1, 999_999)
LOOKUP_CODES = st.integers(0, 10**12 - 1).map(lambda n: f"{n:012d}" + str(codes._damm(f"{n:012d}")))


def test_a_dossier_code_is_agency_day_and_ordinal() -> None:
    assert codes.dossier_code("000.00.01.H49", date(2026, 11, 21), 7) == "000.00.01.H49-261121-0007"


@given(AGENCIES, DAYS, ORDINALS)
def test_a_dossier_code_reads_back(agency: str, day: date, ordinal: int) -> None:
    parsed = codes.parse_dossier_code(codes.dossier_code(agency, day, ordinal))
    assert (parsed.agency, parsed.day, parsed.ordinal) == (agency, day, ordinal)


@pytest.mark.parametrize(
    "typed",
    [
        " 000.00.01.h49-261121-0007 ",
        "000.00.01.H49 - 261121 - 0007",
        "000.00.01.H49–261121–0007",
        "０００.００.０１.H49-261121-0007",
        "000.00.01.H49-26 11 21-0007\n",
    ],
)
def test_a_dossier_code_is_read_whatever_its_spaces_case_and_dashes(typed: str) -> None:
    assert str(codes.parse_dossier_code(typed)) == "000.00.01.H49-261121-0007"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0007",
        "000.00.01.H49-261321-0007",
        "000.00.01.H49-261121-0000",
        "000.00.01.H49-261121-7",
        "../etc-261121-0007",
    ],
)
def test_what_is_no_dossier_code_is_refused_in_vietnamese(typed: str) -> None:
    with pytest.raises(BadCode, match="Mã hồ sơ"):
        codes.parse_dossier_code(typed)


@pytest.mark.parametrize(("agency", "ordinal"), [("", 1), ("h49", 1), ("H49/..", 1), ("A" * 36, 1), ("H49", 0)])
def test_no_code_is_made_from_what_it_could_not_be_read_from(agency: str, ordinal: int) -> None:
    with pytest.raises(ValueError, match="not an"):
        codes.dossier_code(agency, date(2026, 1, 1), ordinal)


def test_a_result_code_is_read_with_and_without_the_brackets_of_the_decree() -> None:
    written = codes.result_code("000.00.01.H49-261121-0007", 1)
    assert written == "000.00.01.H49-261121-0007-KQ1"
    for typed in (written, "000.00.01.H49-261121-0007-KQ(1)", written.lower(), " 000.00.01.H49-261121-0007 - kq ( 1 )"):
        parsed, ordinal = codes.parse_result_code(typed)
        assert (str(parsed), ordinal) == ("000.00.01.H49-261121-0007", 1)


@pytest.mark.parametrize("typed", ["000.00.01.H49-261121-0007", "…-KQ(1", "000.00.01.H49-261121-0007-KQ0", "-KQ1"])
def test_what_is_no_result_code_is_refused(typed: str) -> None:
    with pytest.raises(BadCode):
        codes.parse_result_code(typed)


def test_a_fresh_lookup_code_is_thirteen_digits_in_groups_and_reads_back() -> None:
    fresh = {codes.new_lookup_code() for _ in range(200)}
    assert len(fresh) == 200
    for code in fresh:
        printed = codes.format_lookup_code(code)
        assert [len(group) for group in printed.split("-")] == [4, 4, 4, 1]
        assert codes.normalise_lookup_code(printed) == code


@given(LOOKUP_CODES)
def test_any_single_wrong_digit_of_a_lookup_code_is_noticed(code: str) -> None:
    for place, digit in itertools.product(range(13), "0123456789"):
        if code[place] != digit:
            with pytest.raises(BadCode):
                codes.normalise_lookup_code(code[:place] + digit + code[place + 1 :])


@given(LOOKUP_CODES)
def test_any_two_neighbours_swapped_in_a_lookup_code_are_noticed(code: str) -> None:
    for place in range(12):
        if code[place] != code[place + 1]:
            with pytest.raises(BadCode):
                codes.normalise_lookup_code(code[:place] + code[place + 1] + code[place] + code[place + 2 :])


def test_the_check_digit_table_is_a_totally_antisymmetric_quasigroup() -> None:
    table, digits = codes._DAMM, range(10)
    assert all(sorted(row) == list(digits) for row in table)
    assert all(sorted(column) == list(digits) for column in zip(*table, strict=True))
    assert all(table[x][x] == 0 for x in digits)
    assert all(
        table[table[c][x]][y] != table[table[c][y]][x] for c in digits for x, y in itertools.combinations(digits, 2)
    )


@given(LOOKUP_CODES, st.sampled_from([" ", "-", "–", "\u00a0", "\u200b", "."]))
def test_a_lookup_code_is_read_whatever_separates_its_digits(code: str, gap: str) -> None:
    assert codes.normalise_lookup_code(gap.join(code)) == code


@pytest.mark.parametrize("typed", ["", "4820", "4820-1173-9055-6-1", "48201173 9055x", "²820117390556"])
def test_what_is_no_lookup_code_is_refused(typed: str) -> None:
    with pytest.raises(BadCode, match="Mã tra cứu"):
        codes.normalise_lookup_code(typed)


def test_file_names_follow_the_archive_rule() -> None:
    assert codes.copy_filename("000.00.01.H49-261121-0007", 3) == "000.00.01.H49-261121-0007.003.pdf"
    assert codes.result_filename("000.00.01.H49-261121-0007", 1) == "000.00.01.H49-261121-0007-KQ1.pdf"


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("tờ khai.pdf", "tờ khai.pdf"),
        ("C:\\Users\\An\\tờ khai.pdf", "tờ khai.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a\x00b\n\tc\x1b[31m.pdf", "ab c[31m.pdf"),
        ("hoá đơn\u202efdp.exe", "hoá đơnfdp.exe"),
        ("to\u0302\u0300 khai.PDF", "tồ khai.PDF"),
        ("...", "khong-ten"),
        ("", "khong-ten"),
        ("/", "khong-ten"),
        ('a<b>:"|?*.pdf', "a_b______.pdf"),
        (".bashrc", "bashrc"),
        ("scan.pdf. ", "scan.pdf"),
    ],
)
def test_a_strangers_file_name_is_made_harmless(given_name: str, cleaned: str) -> None:
    assert codes.clean_filename(given_name) == cleaned


def test_a_long_file_name_keeps_its_extension_and_its_letters_whole() -> None:
    cleaned = codes.clean_filename("Đơn đề nghị " * 40 + ".pdf")
    assert cleaned.endswith(".pdf")
    assert len(cleaned.encode()) <= codes.MAX_FILENAME_BYTES
    assert unicodedata.is_normalized("NFC", cleaned)


@given(st.text(max_size=400))
def test_a_cleaned_file_name_is_never_empty_and_cleaning_again_changes_nothing(name: str) -> None:
    cleaned = codes.clean_filename(name)
    assert cleaned
    assert len(cleaned.encode()) <= codes.MAX_FILENAME_BYTES
    assert not set(cleaned) & set("/\\\x00\n")
    assert codes.clean_filename(cleaned) == cleaned


def test_a_personal_id_tells_place_century_and_sex() -> None:
    found = codes.parse_personal_id("022 195 000123", today=date(2026, 11, 21))
    assert (found.digits, found.place, found.male, found.birth_year) == ("022195000123", "022", False, 1995)
    assert codes.parse_personal_id("022203000123", today=date(2026, 11, 21)).birth_year == 2003


@pytest.mark.parametrize("typed", ["", "123456789", "000195000123", "022295000123", "0221950001234", "02219500012a"])
def test_a_number_that_cannot_be_a_personal_id_is_refused(typed: str) -> None:
    with pytest.raises(BadCode, match="Số định danh"):
        codes.parse_personal_id(typed, today=date(2026, 11, 21))


@pytest.mark.parametrize(
    "said",
    ["000.01.01.h49 261122 0028", "0000101H492611220028", "000 01 01 H49 - 261122 - 0028", "000.01.01.H49-2611220028"],
)
def test_a_dossier_code_is_read_without_its_dots_and_dashes(said: str) -> None:
    assert str(codes.parse_dossier_code(said)) == "000.01.01.H49-261122-0028"
