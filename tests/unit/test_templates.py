"""Results look as Decree 30/2020 (Appendix I) says they must, whatever words they are filled with."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import templates, typeface
from signing.places import MM
from signing.types import Place
from tests.documents import EVERYTHING, LONG_TEXT, PAPER, RESULTS, VERIFIED
from tests.printed import find, middle, page_count, page_letters, rules, text_of
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", [*templates.names(), *templates.forms()])
@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_every_template_becomes_an_accessible_archive_document(name: str, *, long: bool, tmp_path: Path) -> None:
    data = EVERYTHING[name] | (LONG_TEXT[name] if long else {})
    rendered = templates.render(name, data, watermark="DỮ LIỆU THỬ")
    (tmp_path / "a.pdf").write_bytes(rendered.pdf)
    assert_pdfa(tmp_path / "a.pdf", "2a")
    assert_pdfa(tmp_path / "a.pdf", "ua1")
    assert rendered.pdf.startswith(b"%PDF-1.7")
    assert rendered.pdf.endswith(b"%%EOF\n")


def test_the_same_data_gives_the_same_bytes() -> None:
    assert templates.render("decision", VERIFIED).pdf == templates.render("decision", VERIFIED).pdf


# --- layout ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "size", "font"),
    [
        ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", 13, "Bold"),
        ("Độc lập - Tự do - Hạnh phúc", 14, "Bold"),
        ("ỦY BAN NHÂN DÂN", 13, "Regular"),
        ("TRUNG TÂM PHỤC VỤ", 13, "Bold"),
        ("Số: 05/QĐ-TTPVHCC", 13, "Regular"),
        ("Quảng Ninh, ngày 03 tháng 02 năm 2026", 14, "Italic"),
        ("QUYẾT ĐỊNH", 14, "Bold"),
        ("Về việc chấp thuận", 14, "Bold"),
        ("GIÁM ĐỐC TRUNG TÂM", 14, "Bold"),
        ("Căn cứ Luật Tổ chức chính quyền địa phương;", 14, "Italic"),
        ("Theo đề nghị của Trưởng phòng.", 14, "Italic"),
        ("QUYẾT ĐỊNH:", 14, "Bold"),
        ("Điều 1.", 14, "Bold"),
        ("Chấp thuận đăng ký", 14, "Regular"),
        ("có hiệu lực kể từ ngày ký./.", 14, "Regular"),
        ("GIÁM ĐỐC", 14, "Bold"),
        ("Trần Thị Bình", 14, "Bold"),
        ("Nơi nhận:", 12, "BoldItalic"),
        ("- Như Điều 1;", 11, "Regular"),
        ("- Lưu: VT.", 11, "Regular"),
        ("Mã tra cứu: 4820-1173-9055-6", 11, "Regular"),
    ],
)
def test_each_box_has_the_size_and_the_face_of_the_decree(line: str, size: float, font: str) -> None:
    letters = page_letters(templates.render("decision", VERIFIED), 0)
    found = find(letters, line)
    assert {round(letter.size, 1) for letter in found} == {size}
    assert {letter.font.removeprefix("LiberationSerif").lstrip("-") or "Regular" for letter in found} == {font}


def test_text_keeps_to_the_margins_and_the_seat_of_each_box() -> None:
    letters = page_letters(templates.render("decision", VERIFIED), 0)
    inside = [letter for letter in letters if letter.size > 7 and letter.top > 57]  # the rest: under the QR, the foot
    assert min(letter.left for letter in inside) >= 30 * MM - 1
    assert max(letter.right for letter in inside) <= 195 * MM + 1
    assert max(letter.top for letter in inside) <= 277 * MM + 1

    nation, agency = find(letters, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"), find(letters, "TRUNG TÂM PHỤC VỤ")
    assert middle(agency) < 98 * MM < min(letter.left for letter in nation)
    assert middle(find(letters, "Độc lập - Tự do - Hạnh phúc")) == pytest.approx(middle(nation), abs=1)
    number, date = find(letters, "Số: 05/QĐ-TTPVHCC"), find(letters, "Quảng Ninh, ngày 03")
    assert number[0].base == pytest.approx(date[0].base, abs=3)
    assert middle(number) == pytest.approx(middle(agency), abs=3)
    body = find(letters, "Điều 1.")
    assert body[0].left == pytest.approx(30 * MM + 12.7 * MM, abs=2)
    recipients, title = find(letters, "Nơi nhận:"), find(letters, "GIÁM ĐỐC", nth=1)
    assert recipients[0].base == pytest.approx(title[0].base, abs=4)
    assert max(letter.right for letter in recipients) < min(letter.left for letter in title)


def test_the_rules_under_agency_motto_and_subject_are_as_long_as_the_decree_says() -> None:
    rendered = templates.render("decision", VERIFIED)
    letters, lines = page_letters(rendered, 0), rules(rendered)
    motto = find(letters, "Độc lập - Tự do - Hạnh phúc")
    length = motto[-1].right - motto[0].left
    assert any(abs((right - left) - length) < 2 for left, right, _ in lines)
    agency = find(letters, "HÀNH CHÍNH CÔNG")
    under = [r for r in lines if abs((r[0] + r[1]) / 2 - middle(agency)) < 3 and 0 < agency[0].base - r[2] < 14]
    width = max(agency[-1].right - agency[0].left, 0)
    assert len(under) == 1
    assert width / 3 - 1 <= under[0][1] - under[0][0] <= width / 2 + 6


@pytest.mark.parametrize(
    ("dated", "printed"),
    [
        ("2026-01-05", "ngày 05 tháng 01 năm 2026"),
        ("2026-02-28", "ngày 28 tháng 02 năm 2026"),
        ("2026-03-09", "ngày 09 tháng 3 năm 2026"),
        ("2026-11-30", "ngày 30 tháng 11 năm 2026"),
    ],
)
def test_only_days_under_ten_and_the_first_two_months_get_a_zero(dated: str, printed: str) -> None:
    assert printed in text_of(templates.render("decision", VERIFIED | {"dated": dated}))


@pytest.mark.parametrize(
    ("number", "printed"), [(1, "Số: 01/"), ("9", "Số: 09/"), (10, "Số: 10/"), (1234, "Số: 1234/")]
)
def test_numbers_under_ten_get_a_zero(number: int | str, printed: str) -> None:
    assert printed in text_of(templates.render("decision", VERIFIED | {"number": number}))


def test_a_draft_leaves_number_and_day_open() -> None:
    text = text_of(templates.render("decision", VERIFIED | {"number": None, "dated": None}))
    assert "/QĐ-TTPVHCC" in text
    assert "Số: 0" not in text


def test_page_numbers_stand_at_the_top_centre_from_the_second_page() -> None:
    rendered = templates.render("decision", VERIFIED | {"articles": ["Nội dung dài. " * 90] * 8})
    assert page_count(rendered) >= 3
    assert not [letter for letter in page_letters(rendered, 0) if letter.base > 842 - 20 * MM and letter.size > 7]
    for index in (1, 2):
        number = [letter for letter in page_letters(rendered, index) if letter.base > 842 - 20 * MM]
        assert "".join(letter.text for letter in number) == str(index + 1)
        assert middle(number) == pytest.approx((30 + 195) / 2 * MM, abs=3)


def test_the_signer_never_stands_on_a_page_without_text() -> None:
    for lines in range(16, 44, 3):
        rendered = templates.render("decision", VERIFIED | {"articles": ["Một dòng."] * lines})
        last = text_of(rendered, page_count(rendered) - 1)
        assert "Trần Thị Bình" in last
        assert "Một dòng./." in last
        assert rendered.places[0].page == page_count(rendered)


def test_a_long_last_article_breaks_and_its_end_stays_with_the_signer() -> None:
    rendered = templates.render("decision", VERIFIED | {"articles": ["Điều khoản rất dài. " * 250]})
    assert page_count(rendered) == 3
    assert "dài./." in text_of(rendered, 2)
    assert "Trần Thị Bình" in text_of(rendered, 2)


def test_names_as_long_as_the_law_allows_still_fit() -> None:
    long = {
        "parent_name": "Ủy ban nhân dân " * 12,
        "agency_name": "Trung tâm phục vụ hành chính công " * 5,
        "subject": "Về việc " * 60,
        "signer_title": "Phó giám đốc phụ trách " * 4,
        "signer_name": "Nguyễn Hoàng Phương Thảo Lấp Lánh Ánh Bình Minh",
    }
    letters = page_letters(templates.render("decision", VERIFIED | long), 0)
    body = [letter for letter in letters if letter.size > 7]
    assert max(letter.right for letter in body) <= 195 * MM + 1
    assert min(letter.left for letter in body) >= 30 * MM - 1


@pytest.mark.parametrize(
    ("name", "procedure", "symbol"),
    [
        ("decision", "QĐ", "QĐ-UBND"),
        ("decision", "", "QĐ-UBND"),
        ("licence", "GPXD", "GPXD-UBND"),
        ("letter", "VX", "UBND-VX"),
        ("letter", "", "UBND"),
    ],
)
def test_the_symbol_names_the_kind_before_the_agency_and_on_letters_the_unit_behind_it(
    name: str, procedure: str, symbol: str
) -> None:
    assert templates.symbol(name, agency="UBND", procedure=procedure) == symbol


# --- places ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", templates.names())
@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_the_places_lie_between_title_and_name_and_over_no_text(name: str, *, long: bool) -> None:
    rendered = templates.render(name, RESULTS[name] | (LONG_TEXT[name] if long else {}))
    leader, seal = rendered.places
    assert (leader.place, seal.place, leader.page) == (Place.LEADER, Place.SEAL, seal.page)
    letters = page_letters(rendered, leader.page - 1)
    signer = find(letters, "Trần Thị Bình")
    title = find(letters, RESULTS[name]["signer_title"].upper(), nth=-1)
    x1, y1, x2, y2 = leader.box
    assert signer[0].top < y1 < y2 < title[0].base
    assert (x1 + x2) / 2 == pytest.approx(middle(signer), abs=2)
    for box in (leader.box, seal.box):
        assert not any(
            box[0] < letter.right and letter.left < box[2] and box[1] < letter.top and letter.base < box[3]
            for letter in letters
            if letter.text.strip()
        )


def test_the_seal_is_36_mm_and_covers_the_left_third_of_the_signature() -> None:
    leader, seal = (place.box for place in templates.render("decision", VERIFIED).places)
    assert seal[2] - seal[0] == pytest.approx(36 * MM)
    assert seal[3] - seal[1] == pytest.approx(36 * MM)
    assert seal[2] - leader[0] == pytest.approx((leader[2] - leader[0]) / 3)
    small = templates.render("decision", VERIFIED, seal_mm=30).places[1].box
    assert small[2] - small[0] == pytest.approx(30 * MM)


# --- data -----------------------------------------------------------------------------------------------------------


def test_every_problem_is_told_at_once() -> None:
    wrong = VERIFIED | {
        "subject": "",
        "signer_name": "TS. Trần Thị Bình",
        "number": "abc",
        "dated": "31/12/2026",
        "symbol": "X" * 31,
        "bases": "Căn cứ",
        "articles": ["một 😀"],
        "color": "red",
        "verify_url": "",
    }
    with pytest.raises(templates.TemplateDataError) as caught:
        templates.render("decision", wrong)
    keys = {problem.key for problem in caught.value.problems}
    assert keys == {
        "subject", "signer_name", "number", "dated", "symbol", "bases", "articles", "color", "lookup_code"
    }  # fmt: skip
    assert all(problem.message != problem.english for problem in caught.value.problems)
    english = {problem.english for problem in caught.value.problems}
    assert "Missing: subject" in english
    assert "Articles, entry 1 has characters that can't be printed: U+1F600" in english


@pytest.mark.parametrize("value", ["😀", "\u202e", "\x00", "\ufffd", "漢"])
def test_letters_that_can_not_be_printed_are_refused_with_their_code(value: str) -> None:
    with pytest.raises(templates.TemplateDataError, match=f"U\\+{ord(value):04X}"):
        templates.render("decision", VERIFIED | {"subject": f"Về việc {value}"})


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {},
        "x" * 99,
        [None],
        [["a"]],
        [["a", ""]],
        [["", "b"]],
        [["a", "b", "c"]],
        [[1, 2]],
        7,
        [["a" * 999, "b"]],
    ],
    ids=str,
)
def test_facts_that_are_no_pairs_are_refused(broken: Any) -> None:
    with pytest.raises(templates.TemplateDataError):
        templates.render("certificate", PAPER | {"facts": broken})


def test_decomposed_letters_become_the_ones_everybody_searches_for() -> None:
    decomposed = {
        key: unicodedata.normalize("NFD", value) if isinstance(value, str) else value for key, value in VERIFIED.items()
    }
    assert templates.render("decision", decomposed).pdf == templates.render("decision", VERIFIED).pdf


_LETTERS = st.one_of(
    st.characters(codec="utf-8"),
    st.sampled_from("#$\\\"'`*_=-+/<>@[]{}()~^&%|;:\u202e\u200f\u2066\x00\x1b\x7f\ufeff\u00ad\u0301漢😀ạỨ \t\n"),
)


@given(text=st.text(_LETTERS, max_size=80))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_whatever_is_typed_stays_text_or_is_refused(text: str) -> None:
    words = f"a {text} b"
    data = PAPER | {"closing": [words, "Hết"], "opening": [], "subject": words, "facts": [[words, words]]}
    try:
        rendered = templates.render("certificate", data)
    except templates.TemplateDataError as refused:
        assert all(problem.message and problem.key in data for problem in refused.problems)  # noqa: PT017
        return
    seen = "".join(text_of(rendered).split())
    unseen = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
    typed = "".join(unicodedata.normalize("NFC", words.translate(unseen)).split())
    assert seen.count(typed) >= 1
    body = [letter for letter in page_letters(rendered, 0) if letter.text.strip() and letter.size > 7]
    assert all(letter.left >= 30 * MM - 1 and letter.right <= 195 * MM + 1 for letter in body)


@pytest.mark.parametrize("name", [*templates.names(), *templates.forms()])
def test_a_word_longer_than_its_line_is_refused_in_words_and_not_printed_over_the_margin(name: str) -> None:
    fields = {field.key: field for field in templates.fields(name)}
    line = {"body": 143 * MM, "right": 95 * MM, "left": 64 * MM, "left upper": 64 * MM, "free": float("inf")}
    for key, value in EVERYTHING[name].items():
        if not isinstance(value, str | list) or fields[key].kind in ("number", "date", "power"):
            continue
        long = "Ớ" * (fields[key].max_length - 1)
        given = long if isinstance(value, str) else [[long, long]] if fields[key].kind == "facts" else [long]
        if typeface.ours().width_pt(long, 13) <= line[fields[key].seat]:
            continue  # even the longest that may be typed fits
        with pytest.raises(templates.TemplateDataError, match="dài quá một dòng"):
            templates.render(name, EVERYTHING[name] | {key: given})


@pytest.mark.parametrize("power", ["KT Giám đốc", "Giám đốc", "P. Giám đốc", "TM.", "#KT. x"])
def test_a_power_that_the_decree_does_not_know_is_refused(power: str) -> None:
    with pytest.raises(templates.TemplateDataError, match="TUQ"):
        templates.render("decision", VERIFIED | {"signer_power": power})


@pytest.mark.parametrize(
    "markup", ['#read("/etc/passwd")', "$x^2$", "*đậm*", "= Đề mục", "- mục", "@ai", "<nhan>", "\\", "#[", "//", "/*"]
)
def test_typst_markup_is_printed_not_obeyed(markup: str) -> None:
    text = text_of(templates.render("decision", VERIFIED | {"articles": [f"Trước {markup} sau"]}))
    assert f"Trước {markup} sau" in " ".join(text.split())


def test_each_field_says_who_fills_it_in_and_how_long_it_may_be() -> None:
    for name in templates.names():
        fields = templates.fields(name)
        assert len({field.key for field in fields}) == len(fields)
        assert {field.source for field in fields} == {"clerk", "office", "system"}
        lengths = {field.key: field.max_length for field in fields}
        assert (lengths["symbol"], lengths["subject"], lengths["signer_title"], lengths["signer_name"]) == (
            30, 500, 100, 50
        )  # fmt: skip
        assert lengths["agency_name"] == 200
        assert all(field.label[0].isupper() for field in fields)


def test_an_unknown_template_is_said_to_be_unknown() -> None:
    with pytest.raises(templates.UnknownTemplate):
        templates.render("nghi-quyet", {})


def test_a_typeface_that_is_not_there_is_an_error_and_not_another_typeface() -> None:
    with pytest.raises(templates.LayoutError):
        templates.render(
            "decision", VERIFIED, face=replace(typeface.ours(), postscript_names=frozenset({"TimesNewRomanPSMT"}))
        )


def test_a_watermark_stands_on_every_page_and_only_when_asked_for() -> None:
    long = VERIFIED | {"articles": ["Nội dung dài. " * 90] * 5}
    rendered = templates.render("decision", long, watermark="DỮ LIỆU THỬ")
    assert all("DỮ LIỆU THỬ" in text_of(rendered, page) for page in range(page_count(rendered)))
    assert "THỬ" not in text_of(templates.render("decision", long))
