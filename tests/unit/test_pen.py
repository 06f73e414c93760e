"""Ink of a pen on synthetic heads: what a hand wrote is found, what was printed isn't."""

from __future__ import annotations

import io
from dataclasses import replace
from importlib import resources

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitize import pen
from digitize.pen import strokes as pen_strokes
from digitize.pen import zones as pen_zones
from digitize.types import Box, OcrPage, OcrWord, PageImage, PenMark, PenZone
from tests import scans

BLUE, BLACK = (40, 60, 170), (25, 25, 25)
BASE = 300
#: Strokes of hand-like digits in a square of 1: x to the right, y up.
SEVEN = [[(0.0, 0.95), (0.85, 1.05), (0.4, -0.1)], [(0.1, 0.5), (0.75, 0.55)]]
TWO = [[(0.1, 0.8), (0.45, 1.1), (0.8, 0.85), (0.1, -0.05), (0.95, 0.08)]]


def head(number: str = "2147", day: str = "18", *, size: int = 54) -> tuple[Image.Image, OcrPage]:
    """A head as an office prints it, with what a reader reads of it. Spaces leave room for a pen."""
    program = (resources.files("digitize") / "fonts" / "text.ttf").read_bytes()
    font = ImageFont.truetype(io.BytesIO(program), size)
    image = Image.new("RGB", (2480, 1200), (252, 252, 252))
    draw = ImageDraw.Draw(image)
    words = []
    for left, line in (
        (350, ["Số:", number, "/QĐ-UBND"]),
        (1250, ["An", "Phú,", "ngày", day, "tháng", "9", "năm", "2026"]),
    ):
        x = left
        for part in line:
            draw.text((x, BASE), part, font=font, fill=BLACK, anchor="ls")
            if part.strip():
                box = Box(*(round(side) for side in font.getbbox(part, anchor="ls")))
                at = Box(x + box.left, BASE + box.top, x + box.right, BASE + box.bottom)
                words.append(OcrWord(part, at, 93.0, block=left, line=left))
            x += round(font.getlength(part + " "))
    return image, OcrPage(2480, 1200 * 3, 300.0, tuple(words), 93.0)


def write(
    image: Image.Image, digits: list[list[list[tuple[float, float]]]], x: int, colour: tuple[int, int, int]
) -> Image.Image:
    pixels = np.asarray(image).copy()
    for digit in digits:
        for stroke in digit:
            points = np.array([[x + px * 32, BASE - py * 46 + 4] for px, py in stroke], dtype=np.int32)
            cv2.polylines(pixels, [points], isClosed=False, color=colour, thickness=6, lineType=cv2.LINE_AA)
        x += 40
    return Image.fromarray(pixels)


def found(image: Image.Image, ocr: OcrPage, *, bitonal: bool = False) -> set[PenZone]:
    pixels = np.asarray(image).copy()
    if bitonal:
        pixels = np.where(pixels.min(axis=2, keepdims=True) < 150, 0, 255).astype(np.uint8).repeat(3, axis=2)
    return {mark.zone for mark in pen.find(PageImage(pixels, 300.0, bitonal=bitonal), ocr)}


@pytest.mark.parametrize("bitonal", [False, True])
def test_print_is_not_taken_for_a_pen(*, bitonal: bool) -> None:
    assert found(*head(), bitonal=bitonal) == set()
    assert found(*head("5", "03", size=48), bitonal=bitonal) == set()


@pytest.mark.parametrize(("colour", "bitonal"), [(BLUE, False), (BLACK, False), (BLACK, True)])
def test_a_number_and_a_day_filled_in_by_hand_are_found(colour: tuple[int, int, int], *, bitonal: bool) -> None:
    image, ocr = head("      ", "      ")
    image = write(image, [SEVEN, TWO], 455, colour)
    image = write(image, [TWO, SEVEN], 1620, colour)

    assert found(image, ocr, bitonal=bitonal) == {PenZone.NUMBER, PenZone.DAY}


def test_a_number_by_hand_beside_a_printed_day_is_the_only_one_found() -> None:
    image, ocr = head("      ", "18")
    assert found(write(image, [SEVEN, SEVEN], 455, BLACK), ocr) == {PenZone.NUMBER}


def test_room_that_was_left_blank_is_no_pen() -> None:
    assert found(*head("      ", "      ")) == set()


def test_a_number_named_in_a_sentence_is_not_the_documents_own() -> None:
    image, ocr = head("      ", "18")
    image = write(image, [SEVEN, TWO], 455, BLUE)
    named = OcrWord("Quyết định", Box(250, 265, 345, 305), 95.0)

    assert PenZone.NUMBER not in found(image, OcrPage(2480, 3600, 300.0, (named, *ocr.words), 93.0))


def test_a_blue_signature_is_found_and_print_below_it_stays_print() -> None:
    image, ocr = head()
    pixels = np.asarray(image).copy()
    cv2.ellipse(pixels, (1700, 800), (220, 90), 15, 20, 330, BLUE, 7, cv2.LINE_AA)
    cv2.ellipse(pixels, (1800, 790), (60, 140), 40, 20, 330, BLUE, 7, cv2.LINE_AA)
    marks = pen.find(PageImage(pixels, 300.0), ocr)
    assert {mark.zone for mark in marks} == {PenZone.SIGNATURE}

    name = OcrWord("Bình", Box(1650, 780, 1750, 820), 96.0)
    scrawl = OcrWord("“{Ž", Box(1650, 720, 1750, 780), 20.0)
    read = pen.marked(OcrPage(2480, 3600, 300.0, (name, scrawl), 60.0), marks)
    assert [word.by_pen for word in read.words] == [False, True]


def test_a_word_that_a_pen_touches_is_a_guess_as_a_whole() -> None:
    label = OcrWord("Số:11", Box(350, 260, 520, 305), 90.0)
    mark = PenMark(Box(435, 255, 560, 310), PenZone.NUMBER)
    beside = OcrWord("/QĐ-UBND", Box(565, 260, 800, 305), 90.0)

    read = pen.marked(OcrPage(2480, 3600, 300.0, (label, beside), 90.0), (mark,))

    assert [word.by_pen for word in read.words] == [True, False]
    assert read.pen == (mark,)


def _flat(ocr: OcrPage, *texts: str) -> OcrPage:
    words = (
        replace(word, box=replace(word.box, top=BASE - 16, bottom=BASE - 14)) if word.text in texts else word
        for word in ocr.words
    )
    return replace(ocr, words=tuple(words))


@pytest.mark.parametrize("flat", [("tháng",), ("ngày", "tháng", "năm")])
def test_labels_boxed_as_flat_lines_enlarge_nothing_without_end(
    flat: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    image, ocr = head("2147", "      ")
    seen = []
    ink_of = pen_strokes.ink_of
    monkeypatch.setattr(pen_strokes, "ink_of", lambda pixels: (seen.append(pixels.size), ink_of(pixels))[1])
    found(write(image, [TWO, SEVEN], 1620, BLUE), _flat(ocr, *flat))
    assert seen
    assert max(seen) <= 4_000_000


def test_a_day_by_hand_before_a_label_that_was_boxed_as_a_flat_line_is_found() -> None:
    image, ocr = head("2147", "      ")
    assert found(write(image, [TWO, SEVEN], 1620, BLUE), _flat(ocr, "tháng")) == {PenZone.DAY}


def _line(*words: tuple[str, float], left: int = 900, top: int = 900) -> OcrPage:
    """A page with one line of words and how surely each was read."""
    placed, x = [], left
    for text, confidence in words:
        width = 26 * len(text)
        placed.append(OcrWord(text, Box(x, top, x + width, top + 50), confidence, block=1, line=1))
        x += width + 20
    return OcrPage(2480, 3508, 300.0, tuple(placed), 93.0)


def test_a_name_that_sounds_like_the_words_of_a_date_is_no_place_for_a_day() -> None:
    """Two signers side by side: "Thắng" without its marks is "tháng", and "Nguyễn" begins like "ngày"."""
    page = _line(("Nguyễn", 96.0), ("Hữu", 96.0), ("Thắng", 96.0), ("Phạm", 96.0), ("Văn", 96.0), ("Năm", 96.0))

    assert not list(pen_zones.places(page))


def test_two_names_beside_each_other_are_no_date_however_unsurely_they_were_read() -> None:
    """On a blurred page "Nguyễn Quốc Thuận … Đặng Quốc Thắng" asked for a day."""
    words = ("Nguyễn", "Quốc", "Thuận", "Đặng", "Quốc", "Thắng")

    assert not list(pen_zones.places(_line(*((word, 60.0) for word in words))))


@pytest.mark.parametrize("month", ["tháng", "thang", "thảng", "tháng9"])
def test_a_date_whose_words_lost_their_marks_keeps_its_places(month: str) -> None:
    page = _line(("Phú,", 93.0), ("ngày", 93.0), (month, 93.0), ("năm", 93.0), left=1300)
    far = replace(page, words=tuple(replace(w, box=_moved(w.box, 90 * i)) for i, w in enumerate(page.words)))

    assert PenZone.DAY in {place.zone for place in pen_zones.places(far)}


def _moved(box: Box, by: int) -> Box:
    return Box(box.left + by, box.top, box.right + by, box.bottom)


def test_a_day_within_a_sentence_is_not_the_papers_own() -> None:
    """ "Hôm nay, ngày … tháng … năm …, tại …" of a record: a pen may have written it, elsewhere."""
    said = ["Hôm", "nay,", "ngày", "tháng", "năm", "2026,", "tại", "trụ", "sở", "phường"]
    page = _line(*((word, 93.0) for word in said), left=500)
    apart = replace(page, words=tuple(replace(w, box=_moved(w.box, 30 * i)) for i, w in enumerate(page.words)))

    assert {place.zone for place in pen_zones.places(apart)} == {PenZone.ELSEWHERE}


def foot(
    *, seal: tuple[int, int, int] | None = None, note: str = "", signed: bool = False
) -> tuple[Image.Image, OcrPage]:
    """A signature block with what a reader reads of it."""
    program = (resources.files("digitize") / "fonts" / "text.ttf").read_bytes()
    font = ImageFont.truetype(io.BytesIO(program), 54)
    image = Image.new("RGB", (2480, 1200), (250, 250, 250))
    draw = ImageDraw.Draw(image)
    words = []
    for line, (top, text) in enumerate(
        [(200, "KT. CHỦ TỊCH"), (270, "PHÓ CHỦ TỊCH"), (500, note), (760, "Lường Thị Hạnh")]
    ):
        x = 1560
        for part in text.split():
            draw.text((x, top), part, font=font, fill=BLACK, anchor="ls")
            at = font.getbbox(part, anchor="ls")
            box = Box(x + round(at[0]), top + round(at[1]), x + round(at[2]), top + round(at[3]))
            words.append(OcrWord(part, box, 95.0, line=line))
            x += round(font.getlength(part + " "))
    pixels = np.asarray(image).copy()
    if seal:
        for radius, width in ((205, 8), (190, 3), (130, 3)):
            cv2.circle(pixels, (1600, 520), radius, seal, width, cv2.LINE_AA)
        cv2.circle(pixels, (1600, 520), 60, seal, -1, cv2.LINE_AA)
    if signed:
        stroke = [(1650, 560), (1720, 430), (1780, 590), (1850, 450), (1900, 560), (2050, 500), (2160, 380)]
        cv2.polylines(pixels, [np.array(stroke)], isClosed=False, color=BLACK, thickness=6, lineType=cv2.LINE_AA)
    return Image.fromarray(pixels), OcrPage(2480, 1200, 300.0, tuple(words), 95.0)


def signature_in(image: Image.Image, ocr: OcrPage, *, bitonal: bool = False) -> list[Box]:
    pixels = np.asarray(image)
    if bitonal:
        pixels = np.where(pixels.min(axis=2, keepdims=True) > 128, 255, 0).astype(np.uint8).repeat(3, axis=2)
    page = PageImage(np.ascontiguousarray(pixels), 300.0, bitonal=bitonal)
    return [mark.box for mark in pen.find(page, ocr) if mark.zone is PenZone.SIGNATURE]


@pytest.mark.parametrize("bitonal", [False, True])
@pytest.mark.parametrize("seal", [None, (210, 45, 55), BLACK])
def test_a_black_signature_between_office_and_name_is_found_beside_and_under_a_seal(seal, bitonal):
    image, ocr = foot(seal=seal, signed=True)
    (box,) = signature_in(image, ocr, bitonal=bitonal)
    assert 2100 < box.right < 2220
    assert 270 < box.top < box.bottom < 720, "the printed lines above and below are not the signature's"


@pytest.mark.parametrize("bitonal", [False, True])
@pytest.mark.parametrize("seal", [None, (210, 45, 55), BLACK])
@pytest.mark.parametrize("note", ["", "(Đã ký)", "Ký, ghi rõ họ tên"])
def test_a_seal_alone_or_a_printed_note_is_no_signature(seal, note, bitonal):
    assert signature_in(*foot(seal=seal, note=note), bitonal=bitonal) == []


def test_black_strokes_where_nobody_signs_are_left_alone():
    image, ocr = foot(signed=True)
    other = replace(ocr, words=tuple(replace(word, text="phường") for word in ocr.words))
    assert signature_in(image, other) == []


def test_the_month_of_a_heading_in_capitals_is_no_place_of_a_day():
    page = scans.words("II. NHIỆM VỤ TRỌNG|TÂM THÁNG 02 NĂM 2025", "1. Ban hành các kế hoạch")
    assert list(pen_zones.places(page_of_sure(page))) == []
    dated = page_of_sure(scans.words("Số: 12/QĐ-UBND|An Phú, ngày 02 tháng 02 năm 2025"))
    assert {place.zone for place in pen_zones.places(dated)} >= {PenZone.DAY}


def page_of_sure(page: OcrPage) -> OcrPage:
    return replace(page, words=tuple(replace(word, confidence=95.0) for word in page.words))
