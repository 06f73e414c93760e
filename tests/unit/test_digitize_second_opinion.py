"""Two readings of one page become one, and nothing that matters changes unseen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitize import pipeline
from digitize.cleaning import resample
from digitize.recognition import second_opinion, second_reader
from digitize.recognition.second_reader import SecondWord
from digitize.types import Box, Repair
from tests import scans


def first(text, confidence):
    page = scans.words(text)
    return replace(page, words=tuple(replace(word, confidence=confidence) for word in page.words))


def second(text, confidence, *, like):
    """The other reading of the same words, each in the box of its partner."""
    return tuple(SecondWord(word, at.box, confidence) for word, at in zip(text.split(), like.words, strict=True))


def weighed(mine, confidence, theirs, other_confidence):
    page = first(mine, confidence)
    return second_opinion.weigh(page, second(theirs, other_confidence, like=page)).words


def test_what_is_no_syllable_gives_way_to_one_and_is_kept_as_the_first_reading():
    (word,) = weighed("quyêt", 96, "quyết", 88)
    assert (word.text, word.raw, word.repair) == ("quyết", "quyêt", Repair.SECOND_OPINION)
    assert word.confidence <= second_opinion.DIFFERING


def test_a_sure_syllable_stays_whatever_the_other_says():
    (word,) = weighed("quyền", 95, "quyên", 100)
    assert (word.text, word.repair, word.confidence) == ("quyền", None, 95)


def test_a_doubtful_syllable_gives_way_to_a_sure_one():
    assert weighed("chỉ", 55, "chi", 99)[0].text == "chi"


@pytest.mark.parametrize(("mine", "theirs"), [("2147/QĐ-UBND", "2117/QĐ-UBND"), ("Thưởng", "Thường"), ("30/9", "3O/9")])
def test_a_number_or_name_that_differs_is_never_sure(mine, theirs):
    (word,) = weighed(mine, 97, theirs, 99)
    assert (word.text, word.repair) == (mine, None)
    assert word.confidence <= second_opinion.DIFFERING


def test_a_doubtful_number_gives_way_to_a_sure_one_and_is_shown():
    (word,) = weighed("8AI", 74, "8A1", 99)
    assert (word.text, word.raw) == ("8A1", "8AI")
    assert word.confidence <= second_opinion.DIFFERING


def test_a_word_is_not_taken_for_another_one():
    assert weighed("ðịnhz", 40, "hoàn", 99)[0].text == "ðịnhz"


def test_marks_of_dust_round_a_word_go_and_its_own_stay():
    assert weighed("'Quảng", 96, "Quảng", 99)[0].text == "Quảng"
    assert weighed("giải.", 70, "giải", 99)[0].text == "giải"
    assert weighed("này.", 96, "này", 99)[0].text == "này."
    assert weighed("này", 60, "này.", 99)[0].text == "này"


def test_a_lump_becomes_the_words_that_it_is():
    page = first("Tàntậtnặng", 50)
    (lump,) = page.words
    parts = [
        SecondWord(text, Box(left, lump.box.top, right, lump.box.bottom), 97)
        for text, left, right in (("Tàn", 150, 184), ("tật", 186, 220), ("nặng", 222, 268))
    ]
    words = second_opinion.weigh(page, parts).words
    assert [word.text for word in words] == ["Tàn", "tật", "nặng"]
    assert {word.raw for word in words} == {"Tàntậtnặng"}
    assert [word.line for word in words] == [lump.line] * 3


def test_dust_that_only_tesseract_saw_goes_where_it_was_in_doubt():
    page = first("~ định", 30)
    other = [SecondWord("định", page.words[1].box, 99)]
    assert [word.text for word in second_opinion.weigh(page, other).words] == ["định"]
    sure = first("Số định", 95)
    assert [word.text for word in second_opinion.weigh(sure, other).words] == ["Số", "định"]


@pytest.mark.parametrize("text", ["Nguyễn", "1250", "7", "A", "ký", "abc"])
def test_a_word_that_only_tesseract_saw_is_no_dust_when_it_may_be_a_name_a_number_or_a_word(text):
    page = first(f"{text} định", 55)
    other = [SecondWord("định", page.words[1].box, 99)]
    assert [word.text for word in second_opinion.weigh(page, other).words] == [text, "định"]


@pytest.mark.parametrize(
    ("mine", "confidence", "theirs"), [("-5", 96, "5"), ("-12,5", 96, "12,5"), ("12%", 80, "12"), ("(1)", 80, "1")]
)
def test_a_sign_beside_a_number_stays_and_is_no_longer_sure(mine, confidence, theirs):
    (word,) = weighed(mine, confidence, theirs, 95)
    assert (word.text, word.repair) == (mine, None)
    assert word.confidence <= second_opinion.DIFFERING


def test_the_first_of_three_readings_is_kept():
    page = first("quyêt", 96)
    page = replace(page, words=(replace(page.words[0], raw="quyct", repair=Repair.SECOND_OPINION),))
    (word,) = second_opinion.weigh(page, second("quyết", 88, like=page)).words
    assert (word.text, word.raw) == ("quyết", "quyct")


def test_words_are_compared_with_those_of_their_rows_and_no_others(monkeypatch):
    page = scans.words(*["một hai ba bốn"] * 100, height_px=5000)
    compared = 0
    down = second_opinion._down

    def counted(one, other):
        nonlocal compared
        compared += 1
        return down(one, other)

    def across(one, other):
        nonlocal compared
        compared += 1
        return max(0, min(one.right, other.right) - max(one.left, other.left)) / 100

    monkeypatch.setattr(second_opinion, "_down", counted)
    monkeypatch.setattr(second_opinion, "_across", across)
    other = tuple(SecondWord("khác", word.box, 50.0) for word in page.words)
    second_opinion.weigh(page, other)
    assert compared < 40 * len(page.words)


def test_without_a_second_reading_the_first_one_stands():
    page = first("quyêt 8AI", 40)
    assert second_opinion.weigh(page, ()) is page


@given(
    number=st.from_regex(r"[0-9]{1,4}(/[A-ZĐ]{1,4})?", fullmatch=True),
    other=st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=10),
    sureness=st.floats(0, 100),
)
def test_a_number_that_tesseract_is_sure_of_is_never_changed(number, other, sureness):
    page = first(number, 96)
    (word,) = second_opinion.weigh(page, second(other, sureness, like=page)).words
    assert word.text == number


def test_only_a_page_in_doubt_is_read_again():
    assert not second_opinion.is_worth_asking(replace(first("định", 95), mean_confidence=94.0), dusty=False)
    assert second_opinion.is_worth_asking(replace(first("định", 95), mean_confidence=94.0), dusty=True)
    assert second_opinion.is_worth_asking(replace(first("định", 95), mean_confidence=80.0), dusty=False)
    assert not second_opinion.is_worth_asking(scans.words(), dusty=True)


def test_the_second_reader_reads_a_page_by_itself_and_says_where_each_word_stands():
    page = scans.sheet(dpi=200)
    words = second_reader.read(resample.grey(page.pixels))
    read = " ".join(word.text for word in sorted(words, key=lambda word: (word.box.top // 20, word.box.left)))
    written = {word for line in scans.LETTER for word in line.split()}
    assert len(written & set(read.split())) > 0.8 * len(written)
    ink = resample.grey(page.pixels) < 128
    for word in words:
        box = word.box
        assert ink[box.top : box.bottom, box.left : box.right].any()
        assert 0 <= word.confidence <= 100
        assert box.right - box.left < 0.6 * len(word.text) * 14 / 72 * 200 * 1.5


def test_a_second_reader_that_fails_leaves_no_opinion_and_says_so_in_the_log(monkeypatch, caplog):
    monkeypatch.setattr(second_reader.sys, "executable", "/bin/false")
    assert second_reader.read(np.full((100, 100), 250, np.uint8)) is None
    assert [record.getMessage() for record in caplog.records] == ["the second reader failed with return code 1"]
    assert not second_reader.loads()
    monkeypatch.setattr(second_reader.sys, "executable", "/no/such/program")
    assert second_reader.read(np.full((100, 100), 250, np.uint8)) is None
    assert not second_reader.loads()


@pytest.mark.parametrize(("program", "step"), [("/bin/false", "second opinion failed"), (None, "second opinion")])
def test_a_page_tells_whether_the_second_reader_answered(monkeypatch, program, step):
    if program:
        monkeypatch.setattr(second_reader.sys, "executable", program)
    monkeypatch.setattr(second_opinion, "WORTH_ASKING", 101.0)
    page = scans.sheet(dpi=150)
    read = pipeline.read_page(replace(page, pixels=np.ascontiguousarray(page.pixels[:420])))
    assert [name for name in read.steps if name.startswith("second")] == [step]
