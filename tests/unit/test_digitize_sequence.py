"""What the pages of one file say of each other, and what they must not be taken to say."""

from __future__ import annotations

import pytest

from digitize import sequence
from digitize.types import Flag

HEAD = "ỦY BAN NHÂN DÂN CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nXÃ AN PHÚ Độc lập - Tự do - Hạnh phúc\n"
BODY = (
    "Căn cứ Luật Đất đai số 45/2013/QH13 ngày 29 tháng 11 năm 2013; xét đề nghị của ông Khuất Duy Thưởng, địa chỉ tại "
    "số 37, ngách 82 phố Khâm Thiên, về việc cấp lại giấy phép xây dựng nhà ở riêng lẻ."
)
MORE = (
    "Văn phòng, Phòng Kinh tế và người có tên tại Điều 1 chịu trách nhiệm thi hành quyết định này kể từ ngày ký; hồ sơ "
    "gồm đơn đề nghị, bản vẽ và 02 ảnh chụp hiện trạng thửa đất số 118 do chủ hộ tự nộp ở bộ phận một cửa."
)
LOOK = float(0b1011_0010_1110)


def flags(*texts, looks=None):
    return [set(found) for found in sequence.remarks(texts, looks or [LOOK] * len(texts))]


def test_a_paper_of_several_numbered_pages_is_left_alone():
    assert flags(HEAD + BODY, f"2\n{MORE}", f"3\n{BODY[::-1]}") == [set(), set(), set()]


def test_a_second_national_title_may_begin_another_paper():
    assert flags(HEAD + BODY, MORE, HEAD + MORE) == [set(), set(), {Flag.ANOTHER_PAPER}]


@pytest.mark.parametrize(
    "title",
    [
        "CỘNG HOÀ XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập – Tự do – Hạnh phúc",
        "CQNG HÒA XÃ HỘI CHỦ NGHĨA VIÊT NAM\nĐộc lâp - Tự do - Hạnh phúc",
    ],
)
def test_a_title_is_known_in_both_spellings_and_with_a_slip_of_the_reader(title):
    assert flags(HEAD + BODY, f"{title}\n{MORE}")[1] == {Flag.ANOTHER_PAPER}


def test_a_law_named_in_a_sentence_is_no_title():
    sentence = "Căn cứ Hiến pháp nước Cộng hòa xã hội chủ nghĩa Việt Nam;\nvì độc lập, tự do, hạnh phúc của nhân dân\n"
    assert flags(HEAD + BODY, sentence + MORE) == [set(), set()]


def test_the_same_page_again_is_the_same_with_a_few_words_read_otherwise():
    again = BODY.replace("Thưởng", "Thường").replace("riêng lẻ", "riêng lê")
    assert flags(HEAD + BODY, MORE, HEAD + again) == [set(), set(), {Flag.SAME_AGAIN}]


def test_one_form_filled_for_two_people_is_two_pages():
    other = BODY.replace("45/2013", "61/2020").replace("29 tháng 11", "17 tháng 6").replace("37, ngách 82", "5, ngõ 9")
    assert Flag.SAME_AGAIN not in flags(BODY, other)[1]


def test_the_same_words_on_pages_that_look_different_are_two_pages():
    assert flags(BODY, BODY, looks=[LOOK, float(int(LOOK) ^ 0xFFFF_F000)]) == [set(), set()]
    assert flags(BODY, BODY, looks=[LOOK, -1.0]) == [set(), set()]


def test_pages_with_hardly_a_word_are_never_the_same_again():
    assert flags("", "", "Ảnh 4x6", "Ảnh 4x6") == [set()] * 4


def test_page_numbers_that_go_back_or_leap_are_out_of_order():
    assert flags(HEAD + BODY, f"3\n{MORE}", f"2\n{BODY[::-1]}") == [set(), set(), {Flag.OUT_OF_ORDER}]
    assert flags(HEAD + BODY, f"2\n{MORE}", f"5\n{BODY[::-1]}") == [set(), set(), {Flag.OUT_OF_ORDER}]


def test_blank_backs_between_numbered_pages_and_a_new_paper_are_in_order():
    assert flags(HEAD + BODY, "", f"2\n{MORE}", "", f"3\n{BODY[::-1]}") == [set()] * 5
    assert flags(f"4\n{BODY}", HEAD + MORE, f"2\n{BODY[::-1]}") == [set(), set(), set()]
