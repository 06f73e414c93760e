"""Symbols, dates and signs mended by grammar, and the ambiguous left alone."""

from __future__ import annotations

import pytest

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
        ("Quyết định số 16/QĐ -BGTVT.", "Quyết định số 16/QĐ-BGTVT."),
        ("Số: 840TB-PCTQ", "Số: 840/TB-PCTQ"),
        ("ngày I1 tháng O8 năm 2025", "ngày 11 tháng 08 năm 2025"),
        ("ngày 2] tháng _7 năm 2025", "ngày 21 tháng 7 năm 2025"),
        ("từ I5 giờ", "từ 15 giờ"),
        ("~ Lưu: VT.", "- Lưu: VT."),
        ("sau bão. mưa lũ kéo dài", "sau bão, mưa lũ kéo dài"),
        ("- Cục trưởng (để b/€);", "- Cục trưởng (để b/c);"),
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
        "Luật số 31/2024/QH15 và Km138+500",
        "theo quy định. Trong thời hạn 15 ngày",
        "tài khoản 0O1234",
        "Số: 71/TB-UBND Đồng Lạc, ngày 19 tháng 9 năm 2025",
        "2290138, Y = 601427; 24/24 giờ; 10%",
    ],
)
def test_what_could_be_two_things_or_is_right_stays(text: str) -> None:
    assert symbols.mended(page_of(text)).words == page_of(text).words
