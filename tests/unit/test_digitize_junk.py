"""Strokes of seals and specks leave the text; short real words stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from digitize.types import Box, OcrPage, OcrWord, PenMark, PenZone
from digitize.words import junk

LINE = "Điều 1. Thành lập Tổ công tác rà soát các dự án đầu tư trên địa bàn tỉnh"


def word(text: str, left: int, *, high: int = 40, wide: int = 0, row: int = 1, confidence: float = 93.0) -> OcrWord:
    box = Box(left, 100 * row, left + (wide or 22 * len(text)), 100 * row + high)
    return OcrWord(text, box, confidence, line=row)


def page_with(*more: OcrWord) -> OcrPage:
    words, left = [], 100
    for text in LINE.split():
        words.append(word(text, left))
        left = words[-1].box.right + 12
    return OcrPage(2480, 3508, 300.0, (*words, *more), 93.0)


@pytest.mark.parametrize(
    "stray",
    [
        word("TC", 1500, high=150, wide=330, row=2, confidence=22),  # a seal taken for two letters
        word("ñ", 1500, high=8, wide=10, row=2, confidence=90),  # a speck taken for one
        word(".", 1500, high=3, wide=3, row=2),
        word("—", 1400, high=90, wide=220, row=2, confidence=11),  # the stroke of a pen
        word("px?", 1500, high=25, wide=100, row=2, confidence=34),
        word("\\", 1500, high=30, wide=20, row=2, confidence=87),
    ],
    ids=lambda stray: stray.text,
)
def test_what_print_can_not_be_is_no_text(stray: OcrWord) -> None:
    assert junk.without(page_with(stray)).words == page_with().words


@pytest.mark.parametrize(
    "tokens",
    [
        ("-", "Lưu:", "VT."),
        ("-",),  # the dash of an item whose words were read as another line
        ("316,5", "m²,"),
        ("3", "giải"),
        ("KT.", "BỘ", "TRƯỞNG"),
        ("Độc", "lập", "-", "Tự", "do"),
        ("ký./.",),
        ("a)", "ở"),
        ("HĐND", "&", "UBND"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("confidence", [93.0, 50.0])
def test_short_tokens_of_real_papers_stay(tokens: tuple[str, ...], confidence: float) -> None:
    more = [
        word(text, 400 + 120 * i, high=6 if text == "-" else 36, row=2, confidence=confidence)
        for i, text in enumerate(tokens)
    ]
    assert junk.without(page_with(*more)).words == page_with(*more).words


def test_strokes_among_words_are_dropped_on_coloured_ink_and_kept_on_black() -> None:
    doubted = word("l¿n", 700, row=2, confidence=30)
    near = word("trên", 700 + 22 * 3 + 20, row=2)  # so it doesn't stand apart
    black = np.full((300, 2480, 3), 240, np.uint8)
    red = black.copy()
    red[200:240, 700:740] = (220, 90, 90)
    assert junk.without(page_with(doubted, near), black).words == page_with(doubted, near).words
    assert junk.without(page_with(doubted, near), red).words == page_with(near).words


def test_a_doubted_name_under_a_seal_stays() -> None:
    name = (word("Lê", 700, row=2), word("xấn", 770, row=2, confidence=20), word("Dũng", 860, row=2))
    red = np.full((300, 2480, 3), (220, 90, 90), np.uint8)
    assert junk.without(page_with(*name), red).words == page_with(*name).words


def test_a_word_read_well_stays_though_its_box_is_two_pixels() -> None:
    stays = word("và", 700, high=3, wide=3, row=2, confidence=96)
    assert junk.without(page_with(stays)).words == page_with(stays).words


@pytest.mark.parametrize(("zone", "stays"), [(PenZone.NUMBER, True), (PenZone.DAY, True), (PenZone.SIGNATURE, False)])
def test_a_guess_at_pen_ink_stays_where_a_number_belongs_and_goes_from_a_signature(
    zone: PenZone, *, stays: bool
) -> None:
    guess = replace(word("—=", 1500, high=70, wide=200, row=2, confidence=12), by_pen=True)
    page = replace(page_with(guess), pen=(PenMark(Box(1480, 190, 1720, 280), zone),))
    assert (guess in junk.without(page).words) == stays


def test_a_page_of_few_words_is_not_judged() -> None:
    page = OcrPage(100, 100, 300.0, (word(".", 10, high=2),), 50.0)
    assert junk.without(page) is page


@pytest.mark.parametrize("text", ["2025", "UBND", "5", "QĐ-UBND", "Km138", "15/8", "HĐND&UBND,"])
def test_a_sure_number_or_abbreviation_stays_though_its_box_is_two_pixels(text: str) -> None:
    stays = word(text, 700, high=2, row=2, confidence=96)
    assert junk.without(page_with(stays)).words == page_with(stays).words


@pytest.mark.parametrize(("text", "confidence"), [("2025", 40.0), ("Kx1", 70.0), ("5", 70.0), ("ñ", 96.0)])
def test_a_doubted_token_in_a_box_of_two_pixels_goes(text: str, confidence: float) -> None:
    goes = word(text, 700, high=2, row=2, confidence=confidence)
    assert junk.without(page_with(goes)).words == page_with().words
