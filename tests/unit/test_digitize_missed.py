"""A line of print that nobody read is found by its ink and read again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from digitize.recognition import hocr, missed, tesseract
from digitize.types import Box, OcrWord
from tests.scans import _font

if TYPE_CHECKING:
    from digitize.types import OcrPage

LINES = (
    "ỦY BAN NHÂN DÂN",
    "TỈNH THÁI NGUYÊN",
    "Căn cứ Luật Tổ chức chính quyền địa phương ngày 16 tháng 6 năm 2025;",
    "Căn cứ Nghị định quy định tổ chức các cơ quan chuyên môn thuộc tỉnh;",
    "Theo đề nghị của Giám đốc Sở Tài chính tại Tờ trình số 517/TTr-STC.",
)


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    sheet = Image.new("L", (1654, 900), 245)
    draw = ImageDraw.Draw(sheet)
    for row, line in enumerate(LINES):
        draw.text((120, 80 + 90 * row), line, font=_font(36), fill=40)
    draw.line((120, 620, 900, 620), fill=40, width=3)  # a rule
    draw.ellipse((1000, 560, 1300, 860), outline=120, width=8)  # the ring of a seal, copied in grey
    return np.asarray(sheet)


@pytest.fixture(scope="module")
def page(grey: np.ndarray) -> OcrPage:
    read = tesseract.recognise(grey, dpi=200, language="vie")
    return hocr.parse(read, width_px=grey.shape[1], height_px=grey.shape[0], dpi=200)


def test_nothing_is_missed_on_a_page_that_was_read(grey: np.ndarray, page: OcrPage) -> None:
    assert missed.find(grey, page) == ()


def test_a_line_that_was_lost_is_found_and_comes_back_in_its_place(grey: np.ndarray, page: OcrPage) -> None:
    lost = [word for word in page.words if not 160 < (word.box.top + word.box.bottom) / 2 < 230]
    assert 0 < len(lost) < len(page.words)
    without = replace(page, words=tuple(lost))
    boxes = missed.find(grey, without)
    assert len(boxes) == 1
    sheet, tops = missed.stacked(grey, boxes)
    read = tesseract.recognise(sheet, dpi=200, language="vie")
    again = hocr.parse(read, width_px=sheet.shape[1], height_px=sheet.shape[0], dpi=200)
    mended = missed.added(without, boxes, tops, again)
    assert [word.text for word in mended.words] == [word.text for word in page.words]
    found = next(word for word in mended.words if word.text == "NGUYÊN")
    original = next(word for word in page.words if word.text == "NGUYÊN")
    assert abs(found.box.left - original.box.left) < 12
    assert abs(found.box.top - original.box.top) < 12


def test_what_reads_like_strokes_the_second_time_is_not_added(grey: np.ndarray, page: OcrPage) -> None:
    without = replace(page, words=tuple(word for word in page.words if word.box.top > 160))
    boxes = missed.find(grey, without)
    assert boxes
    _, tops = missed.stacked(grey, boxes)
    strokes = replace(page.words[0], text="IRKUt(Q", confidence=90.0)
    doubted = replace(page.words[1], confidence=30.0)
    again = replace(page, words=(strokes, doubted))
    assert missed.added(without, boxes, tops, again) is without


def test_a_blank_rest_costs_nothing(grey: np.ndarray, page: OcrPage) -> None:
    blank = cv2.rectangle(grey.copy(), (0, 550), (1654, 900), 245, -1)
    assert missed.find(blank, page) == ()


BOX = Box(200, 700, 900, 740)


def recovered(page: OcrPage, *tokens: tuple[str, float]) -> list[str] | None:
    """What is added of a line read again as these tokens with these confidences."""
    words = tuple(
        replace(page.words[0], text=text, confidence=confidence, box=Box(20 + 90 * at, 22, 100 + 90 * at, 50))
        for at, (text, confidence) in enumerate(tokens)
    )
    mended = missed.added(page, [BOX], [20], replace(page, words=words))
    return None if mended is page else [word.text for word in mended.words if word not in page.words]


def test_a_line_comes_back_with_its_short_numbers(page: OcrPage) -> None:
    read = ("ngày", 95.0), ("15", 95.0), ("tháng", 95.0), ("8,", 95.0), ("IRKUt(", 90.0)
    assert recovered(page, *read) == ["ngày", "15", "tháng", "8,"]


@pytest.mark.parametrize("number", [("15", 60.0), ("I5", 95.0), ("2025", 40.0), ("15/8", 40.0)])
def test_a_line_with_a_doubted_number_does_not_come_back_without_it(page: OcrPage, number: tuple[str, float]) -> None:
    assert recovered(page, ("ngày", 95.0), number, ("tháng", 95.0), ("nghiêm", 95.0)) is None


def test_a_lost_line_comes_before_what_stands_to_its_right() -> None:
    """ "Nơi nhận:" beside "TM. ỦY BAN NHÂN DÂN": found late, it is still the first of its row."""
    right = [
        OcrWord(text, Box(960 + 90 * i, 731, 1040 + 90 * i, 765), 95.0, block=4, line=9)
        for i, text in enumerate(("TM.", "ỦY", "BAN"))
    ]
    below = [OcrWord("Như", Box(262, 770, 340, 803), 95.0, block=4, line=10)]

    assert missed._place_of(Box(238, 733, 377, 763), [*right, *below]) == 0
    assert missed._place_of(Box(238, 820, 377, 850), [*right, *below]) == len(right) + len(below)
    assert missed._place_of(Box(960, 700, 1200, 728), [*below, *right]) == 1
