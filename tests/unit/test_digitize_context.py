"""Accents put right by context, and everything that must be left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitize.types import Box, OcrPage, OcrWord, Repair
from digitize.words.context import mended
from digitize.words.vietnamese import fold


def page_of(text: str, *, confidence: float = 93.0) -> OcrPage:
    words = tuple(
        OcrWord(word, Box(10, 40 * row, 20, 40 * row + 30), confidence, line=row)
        for row, line in enumerate(text.splitlines())
        for word in line.split()
    )
    return OcrPage(1000, 1400, 300.0, words, confidence)


def test_an_accent_lost_in_plain_words_comes_back_and_the_first_reading_stays() -> None:
    page = mended(page_of("cơ quan có thẩm quyền kiêm tra việc thực hiện"))
    assert page.text == "cơ quan có thẩm quyền kiểm tra việc thực hiện"
    word = page.words[5]
    assert (word.raw, word.repair) == ("kiêm", Repair.CONTEXT)
    assert all(other.repair is None for other in page.words if other is not word)


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("QUYÉT ĐỊNH", "QUYẾT ĐỊNH"),
        ("Theo quyêt định của Tòa án nhân dân", "Theo quyết định của Tòa án nhân dân"),
        ("người sử dụng đất, quyên sở hữu tài sản", "người sử dụng đất, quyền sở hữu tài sản"),
        ("Căn cứ Luật Tổ chức chính quyền; Ùy ban nhân dân", "Căn cứ Luật Tổ chức chính quyền; Ủy ban nhân dân"),
    ],
)
def test_headings_phrases_and_official_terms_are_mended(read: str, meant: str) -> None:
    assert mended(page_of(read)).text == meant


@pytest.mark.parametrize(
    "text",
    [
        "ông Nguyễn Văn Quyên và bà Trần Thị Kiêm trú tại thôn Yên",  # names spelt like words misread
        "bà Lê Thị Quyên có quyền khởi kiện",
        "thửa đất số 138, tờ bản đồ số 02/QĐ-BCĐ ngày 11 tháng 8 năm 2025",
        "a) Quyền sử dụng đất; đ) Nghĩa vụ khác",
        "người làm chứng kiêm phiên dịch",  # kiêm is a word of its own
        "Cộng hòa xã hội chủ nghĩa Việt Nam; hoà giải ở cơ sở",  # both habits of placing a tone
    ],
)
def test_what_may_be_right_stays(text: str) -> None:
    assert mended(page_of(text)).text == text


def test_words_mended_before_or_written_by_pen_are_left_alone() -> None:
    page = page_of("cơ quan kiêm tra")
    first = OcrWord("kiêm", Box(1, 1, 9, 9), 93.0, raw="kiêrn", repair=Repair.SECOND_OPINION)
    by_pen = OcrWord("kiêm", Box(1, 1, 9, 9), 93.0, by_pen=True)
    for word in (first, by_pen):
        words = (*page.words[:2], word, page.words[3])
        kept = mended(OcrPage(100, 100, 300.0, words, 93.0))
        assert kept.words == words


PIECES = st.sampled_from(
    ("quyên", "kiêm", "tra", "QUYÉT", "ĐỊNH", "tô", "chức", "ông", "Nguyên", "Văn", "Thâm", "138/QĐ-UBND", "ngày",
     "11,", "(để", "b/c);", "Ủy", "ban", "đâu", "tư.", "a)", "m²", "-", "số")
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=14))
def test_only_marks_ever_change_and_nothing_with_a_digit(pieces: list[str]) -> None:
    page = page_of(" ".join(pieces))
    for before, after in zip(page.words, mended(page).words, strict=True):
        assert fold(after.text) == fold(before.text)
        assert after.box == before.box
        assert after.text == before.text or not any(letter.isdigit() for letter in before.text)
        assert after.raw == ("" if after.repair is None else before.text)


@pytest.mark.parametrize("text", ["VIỆT NAM\nTHUẾ CƠ SỞ 3", "căn cứ kế hoạch kiển tra năm 2025"])
def test_what_is_hardly_ever_misread_so_stays_though_the_reader_doubts_it(text: str) -> None:
    assert mended(page_of(text, confidence=15.0)).text == text
