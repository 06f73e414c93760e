"""What may be a Vietnamese syllable, by rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitize.words.syllables import is_syllable

_SYLLABLES = """
    căn cứ luật tổ chức chính quyền địa phương ngày tháng năm nghị định quy về việc ban hành quốc hội giêng giếng gì giữ
    gìn giấy già giúp quýt quỳnh quyển quất khuyên khuya khuỷu nguyễn nghiêng ngoằn ngoèo xoong goòng
    uỷ ủy hòa hoà hoè yêu yến
    y ỷ lý kỹ tỷ mỹ hy vy thy oanh oai ơn ăn âu ưu ướt mướp rượu bưởi thuở huơ tuân chuẩn khuấy đường đông thưởng khuất
    ngoãn gieo thuế tuần tuýp đoàn toàn họp xã phường ghế nghề kết kiện
"""
_NONE = """
    quyêt cac hocj ngiêm kanh cê gế nge hòan thửơng tốan qúy thõai bbac đuờnn fan jo wa zu xyz ubnd ñam côngty nghĩaa
    ơc hêng
    mp ng nh tiếếng hoc phat hỏat dp 2019 a1 được. - Q
"""


@pytest.mark.parametrize("text", _SYLLABLES.split())
def test_words_of_official_papers_are_syllables_in_every_case(text):
    assert is_syllable(text)
    assert is_syllable(text.upper())
    assert is_syllable(text.capitalize())


@pytest.mark.parametrize("text", _NONE.split())
def test_what_breaks_a_rule_of_spelling_is_none(text):
    assert not is_syllable(text)


@pytest.mark.parametrize("text", ["", " ", "PHó", "đưỢC", "và đi"])
def test_nothing_two_words_and_capitals_in_the_middle_are_none(text):
    assert not is_syllable(text)


@given(st.text(max_size=12))
def test_any_text_gets_an_answer(text):
    assert is_syllable(text) in {True, False}


def test_decomposed_letters_count_as_composed_ones():
    assert is_syllable("quye\u0302\u0301t")
