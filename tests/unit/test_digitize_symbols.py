"""Symbols, dates and signs mended by grammar, and the ambiguous left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitize.types import Box, OcrPage, OcrWord, Repair
from digitize.words import symbols


def page_of(text: str) -> OcrPage:
    words = []
    for row, line in enumerate(text.splitlines()):
        left = 100
        for piece in line.split():
            words.append(OcrWord(piece, Box(left, 50 * row, left + 20 * len(piece), 50 * row + 40), 90.0, line=row))
            left = words[-1].box.right + 12
    return OcrPage(2480, 3508, 300.0, tuple(words), 90.0)


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("Số: 02/0Đ-BCĐ", "Số: 02/QĐ-BCĐ"),
        ("Số: 138/QĐÐ-UBND", "Số: 138/QĐ-UBND"),
        ("Nghị định số 45/2025/NÐ-CP", "Nghị định số 45/2025/NĐ-CP"),
        ("Quyết định số 16/2024/QĐ- BGTVT ngày", "Quyết định số 16/2024/QĐ-BGTVT ngày"),
        ("Quyết định số 16/2024/QÐ- BGDÐT ngày", "Quyết định số 16/2024/QĐ-BGDĐT ngày"),
        ("Quyết định số 16⁄QĐ- BGTVT ngày", "Quyết định số 16/QĐ-BGTVT ngày"),
        ("Quyết định số 16/QĐ -BGTVT.", "Quyết định số 16/QĐ-BGTVT."),
        ("Số: 840TB-PCTQ", "Số: 840/TB-PCTQ"),
        ("ngày I1 tháng O8 năm 2025", "ngày 11 tháng 08 năm 2025"),
        ("ngày 2] tháng _7 năm 2025", "ngày 21 tháng 7 năm 2025"),
        ("~ Lưu: VT.", "- Lưu: VT."),
        ("sau bão. mưa lũ kéo dài", "sau bão, mưa lũ kéo dài"),
        ("- Cục trưởng (để b/€);", "- Cục trưởng (để b/c);"),
        ("- Cục trưởng (đế b/C);", "- Cục trưởng (để b/c);"),
        ("- HĐQT (đề b/e);", "- HĐQT (để b/c);"),
        ("- UBND xã (đê p/h);", "- UBND xã (để p/h);"),
        ("Nghị định số 45⁄2025⁄NĐ-CP", "Nghị định số 45/2025/NĐ-CP"),
        ("ngày 09 tháng 0! năm 2025", "ngày 09 tháng 01 năm 2025"),
        ("ngày 1ó tháng 0ó năm 2025", "ngày 16 tháng 06 năm 2025"),
    ],
)
def test_what_grammar_leaves_one_reading_for_is_mended(read: str, meant: str) -> None:
    page = symbols.mended(page_of(read))
    assert page.text == meant
    repaired = [word for word in page.words if word.repair]
    assert repaired
    assert all(word.repair is Repair.GRAMMAR and word.raw for word in repaired)


@pytest.mark.parametrize(
    "text",
    [
        "ngày 0S tháng 8 năm 2025",  # 05 or 08
        "ngày 04 tháng II năm 2025",  # Roman for February, or 11
        "Khu Quản lý đường bộ II và lớp I2B",
        "hồ sơ số I của tổ",
        "mục [5] và căn hộ 5O2",
        "Luật số 31/2024/QH15 và Km138+500",
        "theo quy định. Trong thời hạn 15 ngày",
        "tài khoản 0O1234",
        "Số: 71/TB-UBND Đồng Lạc, ngày 19 tháng 9 năm 2025",
        "2290138, Y = 601427; 24/24 giờ; 10%",
        "đắp (đê bao) và mục (đ) b/b",
        "ngày ó tháng 8 năm 2025",
    ],
)
def test_what_could_be_two_things_or_is_right_stays(text: str) -> None:
    assert symbols.mended(page_of(text)).words == page_of(text).words


@pytest.mark.parametrize("number", ["|25", "5|", "5l", "20l", "3l", "I5", "(I5),", "021QĐ-UBND", "137QÐ-UBND"])
def test_a_stroke_beside_digits_is_left_as_it_was_read_and_shown_as_a_doubt(number: str) -> None:
    before, doubt, after = symbols.mended(page_of(f"khu {number} xăng")).words
    assert doubt.text == number.replace("Ð", "Đ")
    assert doubt.confidence == 60.0
    assert before.confidence == after.confidence == 90.0


@pytest.mark.parametrize("day", ["|5", "]5", "I5", "II", "_5", "1ó", "!5"])
def test_a_day_put_right_by_grammar_is_shown_to_a_person(day: str) -> None:
    mended = symbols.mended(page_of(f"ngày {day} tháng 8 năm 2025")).words
    assert mended[1].repair is Repair.GRAMMAR
    assert [word.confidence for word in mended] == [90.0, 60.0, 90.0, 90.0, 90.0, 90.0]


def test_a_slash_put_in_is_shown_to_a_person() -> None:
    (word,) = symbols.mended(page_of("840TB-PCTQ")).words
    assert (word.text, word.confidence) == ("840/TB-PCTQ", 60.0)


def test_a_lower_confidence_is_not_raised() -> None:
    page = page_of("khu |25")
    low = replace(page, words=tuple(replace(word, confidence=20.0) for word in page.words))
    assert symbols.mended(low).words == low.words


TOKENS = st.one_of(
    st.text("0123456789Il|]OoSs_.,/-", min_size=1, max_size=6),
    st.from_regex(r"[0-9Il|]{1,4}/?(QĐ|0Đ|QÐ|QD|TB|ND|TTr)Đ?-(UBNDĐ?|BCĐ|CP)[.,_]?", fullmatch=True),
)


@settings(deadline=None, derandomize=True)
@given(st.sampled_from(["ngày {} tháng 8 năm 2025", "ngày 3 tháng {} năm 2025", "khu {} xăng", "{}", "Số: {}"]), TOKENS)
def test_no_number_is_changed_and_still_sure(line: str, token: str) -> None:
    page = page_of(line.format(token))
    mended = symbols.mended(page)
    assert len(mended.words) == len(page.words)
    for read, word in zip(page.words, mended.words, strict=True):
        has_digit = any(map(str.isdigit, read.text + word.text))
        other = [text.translate(dict.fromkeys(map(ord, "DĐÐdđð"))) for text in (read.text, word.text)]
        if has_digit and other[0] != other[1]:
            assert word.confidence <= 60.0
