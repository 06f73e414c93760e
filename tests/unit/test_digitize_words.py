"""What is found in the words, and what becomes of them when people correct them."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitize import fields, reading
from digitize.recognition import hocr
from digitize.recognition.reading_order import in_order
from digitize.types import Box, Flag, OcrPage, OcrWord, PageFlags, ReadPage
from digitize.words.vietnamese import fold, one_tone_style
from tests import scans

HEAD = (
    "UBND TỈNH AN PHÚ|CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "SỞ XÂY DỰNG|Độc lập - Tự do - Hạnh phúc",
)


def found(*lines):
    return {field.key: field.value for field in fields.extract([scans.words(*lines)])}


def test_number_symbol_place_and_date_stand_in_the_head():
    values = found(*HEAD, "Số: 2147/QĐ-UBND|An Phú, ngày 18 tháng 9 năm 2026", "", "Căn cứ Luật số 45/2013/QH13;")
    stated = {key: values[key] for key in ("number", "symbol", "issued_on", "place")}
    assert stated == {"number": "2147", "symbol": "QĐ-UBND", "issued_on": "2026-09-18", "place": "An Phú"}
    assert (values["parent_agency"], values["agency"]) == ("UBND TỈNH AN PHÚ", "SỞ XÂY DỰNG")


@pytest.mark.parametrize(
    ("printed", "symbol"),
    [
        ("Số: 12/QĐ- BGTVT", "QĐ-BGTVT"),
        ("Số: 12 / 0Đ-UBND", "QĐ-UBND"),
        ("Sô: 12/QÐ-UBND", "QĐ-UBND"),
        ("Số 12/2026/NĐ-CP", "2026/NĐ-CP"),
        ("Số: 12/TTr-SXD", "TTr-SXD"),
        ("Số: 12/GPXD", "GPXD"),
        ("Số: 12/SXD-QLĐT&HT", "SXD-QLĐT&HT"),
    ],
)
def test_slips_of_the_reader_in_a_symbol_are_mended(printed, symbol):
    assert found(*HEAD, printed)["symbol"] == symbol


@pytest.mark.parametrize(
    "line",
    ["Số: # /CT-UBND", "Số: /QĐ-UBND", "Số: 240517839", "Số: 203/2011", "số 15/2020/TT-BGDĐT ngày 26 tháng 5 năm 2020"],
)
def test_a_number_that_is_not_sure_is_left_out(line):
    assert "number" not in found(*HEAD, line)


def test_a_number_filled_in_by_hand_is_taken_only_when_it_was_read_surely():
    page = scans.words(*HEAD, "Số: 505 /TB-UBND")
    unsure = replace(page, words=tuple(replace(w, confidence=64.0 if w.text == "505" else 90.0) for w in page.words))
    assert [field.key for field in fields.extract([page])][:2] == ["number", "symbol"]
    assert [field.key for field in fields.extract([unsure])][:1] == ["symbol"]


def test_legal_bases_are_not_the_documents_own_number_or_date():
    values = found(*HEAD, "", "", "", "", "", "Số 45/2013/QH13 của Quốc hội", "Hà Nội, ngày 11 tháng 9 năm 2019")
    assert not {"number", "symbol", "issued_on", "place"} & values.keys()


def test_an_incoming_stamp_above_the_title_is_not_the_date():
    values = found("", *(["Số: 99/ĐEN", "Đến, ngày 01 tháng 10 năm 2026"]), "", "", "", *HEAD)
    assert "number" not in values
    assert "issued_on" not in values


def test_blanks_the_reader_lost_in_a_date_are_no_matter():
    assert found(*HEAD, "Số: 1/QĐ-UBND|Hà Nội, ngày 03 tháng10năm 2025")["issued_on"] == "2025-10-03"


def test_a_day_that_does_not_exist_is_left_out():
    assert "issued_on" not in found(*HEAD, "Số: 1/QĐ-UBND|An Phú, ngày 80 tháng 3 năm 2026")


def test_type_and_abstract_stand_below_the_head():
    page = scans.words(*HEAD, "Số: 1/QĐ-UBND", "", "", left=150)
    heading = scans.words("", "", "", "", "", "QUYẾT ĐỊNH", "Về việc cấp giấy phép xây dựng", left=500)
    lines = tuple(word for word in heading.words)
    moved = OcrPage(1240, 1754, 150.0, page.words + lines, 90.0)
    values = {field.key: field.value for field in fields.extract([moved])}
    assert values["document_type"] == "Quyết định"
    assert values["abstract"] == "cấp giấy phép xây dựng"


def test_a_field_says_where_it_stands_and_how_sure_it_is():
    number = next(field for field in fields.extract([scans.words(*HEAD, "Số: 7/QĐ-UBND")]) if field.key == "number")
    assert (number.page, number.raw, number.confidence) == (1, "Số: 7/QĐ-UBND", 90.0)
    assert number.box == Box(150, 180, 150 + 12 * 13, 210)


def _line(text, left, top, line, block=0):
    return OcrWord(text, Box(left, top, left + 300, top + 30), 90.0, block=block, line=line)


def test_a_line_right_above_another_is_read_before_it():
    words = (_line("sau", 100, 300, 0), _line("trước", 150, 200, 1))
    assert [word.text for word in in_order(words)] == ["trước", "sau"]


def test_columns_stay_as_tesseract_read_them():
    words = tuple(
        _line(text, left, top, line)
        for line, (text, left, top) in enumerate(
            [("trái 1", 100, 100), ("trái 2", 100, 150), ("phải 1", 700, 100), ("phải 2", 700, 150)]
        )
    )
    assert in_order(words) == words


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(1, 400), st.integers(1, 200)), max_size=25)
)
def test_ordering_loses_no_line_and_doubles_none(places):
    words = tuple(
        OcrWord(str(line), Box(left, top, left + width, top + height), 90.0, line=line)
        for line, (left, top, width, height) in enumerate(places)
    )
    assert sorted(in_order(words), key=lambda word: word.line) == list(words)


def _above(upper, lower):
    """The rule of two lines, written out for one pair."""
    if upper.top + upper.bottom >= lower.top + lower.bottom:
        return False
    if min(upper.bottom, lower.bottom) - max(upper.top, lower.top) > 0.5 * min(
        upper.bottom - upper.top, lower.bottom - lower.top
    ):
        return False
    common = min(upper.right, lower.right) - max(upper.left, lower.left)
    return common > 0.2 * min(upper.right - upper.left, lower.right - lower.left)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(1, 40), st.integers(1, 20)), max_size=25))
def test_the_next_line_is_always_the_first_that_no_other_stands_above(places):
    left = [
        OcrWord(str(line), Box(x, y, x + width, y + height), 90.0, line=line)
        for line, (x, y, width, height) in enumerate(places)
    ]
    ordered = in_order(tuple(left))
    for word in ordered:
        assert word is next(w for w in left if not any(_above(other.box, w.box) for other in left))
        left.remove(word)
    assert not left


def test_a_page_of_two_thousand_lines_is_ordered_in_a_moment():
    words = tuple(_line(str(line), 100 + 400 * (line % 4), 20_000 - 40 * (line // 4), line) for line in range(2000))
    began = time.process_time()
    ordered = in_order(words)
    assert time.process_time() - began < 4.0  # pair by pair it takes above ten
    assert [word.box.top for word in ordered if word.box.left == 100] == sorted({word.box.top for word in words})


def test_hocr_becomes_words_in_the_composed_form():
    title = unicodedata.normalize("NFD", "Quyết")
    markup = f"""<html xmlns="http://www.w3.org/1999/xhtml"><body><div class='ocr_page'>
    <div class='ocr_carea'>
    <p class='ocr_par'><span class='ocr_header' title="bbox 10 20 200 60; baseline 0.01 -8">
    <span class='ocrx_word' title='bbox 10 20 90 60; x_wconf 96'><strong>{title}</strong></span>
    <span class='ocrx_word' title='bbox 100 20 999 60; x_wconf 41'>định</span>
    <span class='ocrx_word' title='bbox 300 20 400 60; x_wconf 95'> </span></span></p></div></div></body></html>"""
    page = hocr.parse(markup.encode(), width_px=210, height_px=100, dpi=200)
    assert [word.text for word in page.words] == ["Quyết", "định"]
    assert page.words[1].box == Box(100, 20, 210, 60)
    assert page.words[0].baseline == (0.01, -8.0)
    assert page.mean_confidence == pytest.approx((96 * 5 + 41 * 4) / 9)
    assert page.text == "Quyết định"


WORDS = scans.words("Tô chức thực hiện", "Diéu 2.")


def test_corrections_change_drop_and_split_words_and_leave_the_rest():
    corrected = reading.corrected(WORDS, {0: "Tổ", 1: "", 3: "hiện ngay", 4: "Điều", 99: "x"})
    assert corrected.text.split() == ["Tổ", "thực", "hiện", "ngay", "Điều", "2."]
    first, second = (word.box for word in corrected.words[2:4])
    assert WORDS.words[3].box.left == first.left < first.right <= second.left < second.right
    assert WORDS.words[0].text == "Tô"


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=8), st.floats(0, 100, width=32)), max_size=6),
    st.sets(st.sampled_from(sorted(Flag))),
)
def test_a_reading_comes_back_from_json_as_it_was(entries, flags):
    words = tuple(
        OcrWord(text, Box(index, 2, index + 5, 9), sure, block=index, line=index, baseline=(0.01, -3.0))
        for index, (text, sure) in enumerate(entries)
        if text.isprintable()
    )
    ocr = OcrPage(9, 9, 200.0, words, 81.5)
    page = ReadPage(b"", "image/jpeg", ocr, PageFlags(frozenset(flags), {"dpi": 200.0}), ("crop",), 90, 1.25)
    assert reading.from_json(reading.to_json(page)) == page


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"schema": 99}', b'{"schema": 1}', b"\xff"])
def test_what_is_no_reading_is_refused(data):
    with pytest.raises(reading.UnknownReading):
        reading.from_json(data)


def test_folding_finds_words_without_their_marks():
    assert fold("Quyết  ĐỊNH số Ð7") == "quyet dinh so d7"


@pytest.mark.parametrize(
    ("one", "other"),
    [("hoà", "hòa"), ("Uỷ", "Ủy"), ("thuỷ", "thủy"), ("khoẻ", "khỏe"), ("quý", "quý"), ("hoàn", "hoàn")],
)
def test_both_habits_of_placing_tone_marks_compare_equal(one, other):
    assert one_tone_style(one) == one_tone_style(other) == unicodedata.normalize("NFC", other)
