"""The risk of a word: what is wrong stands out, what is right doesn't, and a page tells how wrong it probably is."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from digitize import risk
from digitize.fields import people
from digitize.recognition import second_opinion
from digitize.types import OcrPage, Repair
from digitize.words import figures, punctuation, symbols
from tests import scans

LINES = (
    "Căn cứ Luật Tổ chức chính quyền địa phương năm 2025;",
    "Theo đề nghị của Chánh Văn phòng Ủy ban nhân dân tỉnh,",
    "Điều 1. Phê duyệt kế hoạch kiểm tra việc thực hiện thủ tục hành chính.",
    "Điều 2. Các cơ quan, đơn vị chịu trách nhiệm thi hành quyết định này.",
)


def page(*lines: str) -> OcrPage:
    read = scans.words(*lines)
    return replace(read, words=tuple(replace(word, confidence=95.0) for word in read.words))


def risk_of(text: str, *lines: str) -> float:
    found = next(word.risk for word in risk.assessed(page(*lines)).words if word.text == text)
    assert found is not None
    return found


def test_print_that_was_read_right_is_no_risk() -> None:
    read = risk.assessed(page(*LINES))

    assert all(word.risk is not None and word.risk < risk.RISKY for word in read.words)
    expected = risk.expected_wer(read)
    assert expected is not None
    assert expected < risk.DIRTY_WER


def test_a_lost_accent_is_a_risk_though_the_reader_is_sure_of_it() -> None:
    right = risk_of("kiểm", *LINES)
    wrong = risk_of("kiêm", *(line.replace("kiểm", "kiêm") for line in LINES))

    assert wrong > risk.RISKY
    assert wrong > 5 * right


def test_letters_for_digits_and_words_that_are_none_are_risks() -> None:
    assert risk_of("n4m", *(line.replace("năm", "n4m") for line in LINES)) > risk.RISKY
    assert risk_of("thrc", *(line.replace("thực", "thrc") for line in LINES)) > risk.RISKY


def test_a_full_stop_inside_a_sentence_is_a_risk() -> None:
    assert risk_of("quan.", *(line.replace("quan,", "quan.") for line in LINES)) > risk.RISKY


def test_a_mark_that_is_easily_misread_is_the_greater_risk() -> None:
    read_so = risk_of("chuyến", *(line.replace("kiểm tra", "chuyến tiền") for line in LINES))
    never_so = risk_of("chuyển", *(line.replace("kiểm tra", "chuyển bay") for line in LINES))

    assert read_so > risk.RISKY
    assert never_so < risk.RISKY


@pytest.mark.parametrize("text", ["'thủ", "thủ}", "thủ~", "thủ,.", "thủ./", "_thủ"])
def test_a_sign_that_no_word_has_beside_it_is_a_risk(text: str) -> None:
    assert risk_of(text, *(line.replace("thủ", text) for line in LINES)) > risk.RISKY


@pytest.mark.parametrize("text", ["thủ.", "(thủ", "“thủ", "thủ”;", "thủ),", "thủ...", "thủ./.", "-thủ", "20%);", "m²,"])
def test_a_sign_that_words_have_beside_them_is_none(text: str) -> None:
    assert not punctuation.has_odd_signs(text)


@pytest.mark.parametrize("text", ["V/v", "b/c", "mm", "kg", "B", "Đắk", "Krông", "UBND", "7A3", "Km138+500"])
def test_shorthand_units_and_known_names_are_no_misspelt_words(text: str) -> None:
    words = page(f"các cơ quan, đơn vị {text} chịu trách nhiệm thi hành").words
    index = [word.text for word in words].index(text)
    found = risk.features(words)[index]

    assert not found[risk.FEATURES.index("misspelt")]
    assert not found[risk.FEATURES.index("unheard_of")]
    assert not found[risk.FEATURES.index("mixed")]


def test_what_is_likely_in_prose_says_little_of_a_name() -> None:
    names = risk.features(page("- Ông, bà Vi Thị Quyên, chuyển đến từ phường").words)
    prose = risk.features(page("- Ông, bà có quyên chuyển đến từ phường").words)
    better, of_name = risk.FEATURES.index("better_otherwise"), risk.FEATURES.index("name_otherwise")

    assert names[5][better] == 0 < names[5][of_name]
    assert prose[4][of_name] == 0 < prose[4][better]


def test_a_family_that_is_none_is_a_risk() -> None:
    assert risk_of("Định", "chứng nhận: Tôi, Định Thị Phượng Uyên, công chứng viên") > risk.RISKY
    assert risk_of("Đinh", "chứng nhận: Tôi, Đinh Thị Phượng Uyên, công chứng viên") < risk.RISKY


def test_a_place_that_is_none_is_a_risk() -> None:
    assert risk_of("Chỉ,", "Củ Chỉ, ngày 06 tháng 8 năm 2025") > risk.RISKY
    assert risk_of("Chỉ", "của Hội đồng nhân dân huyện Củ Chỉ khóa XI") > risk.RISKY
    assert risk_of("Chi", "của Hội đồng nhân dân huyện Củ Chi khóa XI") < risk.RISKY


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("20135;", "Hiến pháp ngày 28 tháng 11 năm 20135;"),
        ("202", "Hà Nội, ngày 05 tháng 4 năm 202 Nơi nhận"),
        ("1:650.000.000", "giá chuyển nhượng là 1:650.000.000 đồng"),
        ("316.5", "tờ bản đồ số 18, diện tích 316.5 m², loại đất"),
        ("1", "có 27 lớp với 1 143 học sinh"),
        ("143", "có 27 lớp với 1 143 học sinh"),
    ],
)
def test_a_number_written_as_none_is_is_a_risk(text: str, line: str) -> None:
    assert risk_of(text, line) > risk.RISKY


@pytest.mark.parametrize(
    "line",
    [
        "năm 2025, năm 1980; trong 05 năm 12 tháng",
        "điện thoại 024 3825 123 hoặc 12 345 678",
        "tỷ lệ 1:500, lúc 8:30 giá 1.650.000.000 đồng và 4.867,5 m²",
        "Điều 12 Luật số 31/2024/QH15; mục 2.1 và 3.2.1 ngày 03.7.2025",
    ],
)
def test_a_number_written_as_numbers_are_is_none(line: str) -> None:
    words = page(line).words
    assert not any(figures.is_odd(words, index) for index in range(len(words)))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Cơ", "đất đá tràn xuống lòng đường, tiềm ẩn nguy Cơ gây tai nạn"),
        ("VỊ", "- VỊ trí xây dựng: thửa đất số 214"),
    ],
)
def test_a_capital_where_print_has_none_is_told(text: str, line: str) -> None:
    words = page(line).words
    odd = [word.text for index, word in enumerate(words) if punctuation.has_odd_case(words, index)]
    assert odd == [text]


@pytest.mark.parametrize(("text", "line"), [("G", "THỦ TRƯỞN G PHÒNG"), ("FRU", "FRU PHÒNG"), ("JC", "PHÓ JC TRƯỞNG")])
def test_bits_of_a_word_in_capitals_are_risks(text: str, line: str) -> None:
    assert risk_of(text, line) > risk.RISKY


@pytest.mark.parametrize("text", ["Š", "ÿ", "ŸRƯỜNG", "Đóñg"])
def test_a_letter_of_another_alphabet_is_a_risk(text: str) -> None:
    assert risk_of(text, f"ngày 30 tháng {text} năm 2025") > risk.RISKY


def test_a_comma_read_as_a_stop_before_a_number_is_a_risk() -> None:
    list_of_numbers = "Các tổ dân phố 3, 4, 8 phường Minh Xuân chịu trách nhiệm."

    assert risk_of("4.", list_of_numbers.replace("4,", "4.")) > risk.RISKY
    assert risk_of("4.", "Theo quy định tại Điều 4. 15 ngày sau đó") < risk.RISKY


def test_what_a_pen_wrote_is_never_sure() -> None:
    read = page(*LINES)
    read = replace(read, words=(replace(read.words[0], by_pen=True), *read.words[1:]))

    assert risk.assessed(read).words[0].risk == 1.0


def test_two_readings_that_differ_and_a_doubtful_reader_raise_the_risk() -> None:
    read = page(*LINES)
    plain = risk.assessed(read).words[5].risk
    other = replace(read.words[5], raw="chúc", repair=Repair.SECOND_OPINION)
    doubted = replace(read.words[5], confidence=60.0)
    for changed in (other, doubted):
        words = (*read.words[:5], changed, *read.words[6:])
        found = risk.assessed(replace(read, words=words)).words[5].risk
        assert found is not None
        assert plain is not None
        assert found > plain


def test_a_page_of_poor_reading_goes_whole_to_a_person() -> None:
    spoilt = page(*(line.replace("i", "í").replace("n", "r") for line in LINES))
    spoilt = replace(spoilt, words=tuple(replace(word, confidence=82.0) for word in spoilt.words))
    expected = risk.expected_wer(risk.assessed(spoilt))

    assert expected is not None
    assert expected > 5 * risk.DIRTY_WER
    assert risk.is_dirty(risk.assessed(spoilt))


def test_one_doubtful_word_on_a_short_page_is_looked_at_by_itself() -> None:
    read = page("Tờ khai lệ phí trước bạ", "8ef1b847-7bca")
    read = replace(read, words=(*read.words[:-1], replace(read.words[-1], confidence=30.0)))
    expected = risk.expected_wer(risk.assessed(read))

    assert expected is not None
    assert expected > risk.DIRTY_WER
    assert not risk.is_dirty(risk.assessed(read))


def test_a_page_without_words_has_no_risk_to_tell() -> None:
    empty = OcrPage(100, 100, 300.0, (), 0.0)
    assert risk.assessed(empty) == empty
    assert risk.expected_wer(empty) is None


LONG = 5000


@pytest.mark.parametrize(
    "token",
    [
        "A" + "&" * LONG + "!b",
        "A" + "-AA" * (LONG // 3) + "!b",
        "A" * LONG + "!b",
        "a" + "!" * LONG + "b",
        "Ab'" * (LONG // 3),
        "12QĐ-U" + "&" * LONG + "a,b",
    ],
    ids=lambda token: token[:6],
)
def test_a_token_of_any_length_is_weighed_in_a_moment(token: str) -> None:
    read = page(LINES[0])
    read = replace(read, words=(replace(read.words[0], text=token), *read.words[1:]))
    risk.assessed(page(LINES[0]))  # the model is loaded once
    start = time.process_time()

    risk.assessed(symbols.mended(read))
    people.is_name(f"{token} {token}")
    second_opinion._core(token)

    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("text", ["QĐ-UBND", "02/QĐ-UBND", "HĐND&UBND", "A&&B", "12/2025/TT-BTC", "TTr-STC", "QH15"])
def test_a_symbol_is_no_mix_of_letters_and_digits(text: str) -> None:
    assert risk._SYMBOL.fullmatch(text)


@pytest.mark.parametrize("text", ["A&", "QĐ-", "-UBND", "n4m", "A-&b!"])
def test_what_only_begins_like_a_symbol_is_none(text: str) -> None:
    assert not risk._SYMBOL.fullmatch(text)


@pytest.mark.parametrize(("text", "core"), [("(“năm”),", "năm"), ("…", ""), ("", ""), ("a!b.", "a!b")])
def test_signs_round_a_word_are_no_part_of_it(text: str, core: str) -> None:
    assert punctuation.core(text) == core
