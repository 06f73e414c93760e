"""A line typed anew goes back onto the words that were read, and whatever stays the same keeps its place."""

from __future__ import annotations

import random

import pytest

from digitize import reading
from digitize.lines import lines_of, onto_words, standing
from tests import scans

PAGE = scans.words("Căn cứ Luật Đất đai", "Điều l. Câp giấy phép")


@pytest.mark.parametrize(
    ("words", "typed", "becomes"),
    [
        ("Điều l. Câp giấy phép", "Điều 1. Cấp giấy phép", ["Điều", "1.", "Cấp", "giấy", "phép"]),
        ("Điều l. Câp giấy phép", "Điều l. Câp giấy phép", ["Điều", "l.", "Câp", "giấy", "phép"]),
        ("Câp | giấy phép", "Cấp giấy phép", ["Cấp", "", "giấy", "phép"]),
        ("Câp phép", "Cấp giấy phép", ["Cấp giấy", "phép"]),
        ("giấy phép", "Cấp giấy phép", ["Cấp giấy", "phép"]),
        ("giấyphép xây", "giấy phép xây dựng", ["giấy phép", "xây dựng"]),
        ("ñy b@n nh¡n d¢n", "Ủy ban nhân dân", ["Ủy", "ban", "nhân", "dân"]),
        ("~ xã An Phú ~", "xã An Phú", ["", "xã", "An", "Phú", ""]),
        ("xã An Phú", "", ["", "", ""]),
        ("xã", "tỉnh Hà Giang", ["tỉnh Hà Giang"]),
    ],
)
def test_each_word_becomes_what_was_typed_in_its_place(words: str, typed: str, becomes: list[str]) -> None:
    assert onto_words(words.split(), typed) == becomes


def test_what_was_left_out_or_written_twice_before_is_typed_anew_as_well() -> None:
    assert onto_words(["CẤP LẠI", "", "giấy"], "CẤP MỚI giấy phép") == ["CẤP MỚI", "", "giấy phép"]
    assert onto_words(["", ""], "Điều 1.") == ["Điều 1.", ""]


def test_whatever_is_typed_is_what_the_line_says_afterwards() -> None:
    rng = random.Random(5)  # noqa: S311
    letters = ("Điều", "1.", "cấp", "câp", "giấy", "phép", "|", "xây", "dựng", "nhà", "ở")
    for _ in range(300):
        words = [rng.choice((*letters, "", "hai chữ")) for _ in range(rng.randint(1, 9))]
        typed = " ".join(rng.choices(letters, k=rng.randint(0, 9)))
        assert " ".join(filter(None, onto_words(words, typed))) == typed
    long = " ".join(f"chữ{n}" for n in range(400))
    assert " ".join(filter(None, onto_words([f"c{n}" for n in range(350)], long))) == long


def test_a_page_has_the_lines_of_its_text() -> None:
    assert [standing(PAGE, {}, line) for line in lines_of(PAGE)] == [line for line in PAGE.text.split("\n") if line]
    assert standing(PAGE, {0: "", 2: "Bộ luật"}, lines_of(PAGE)[0]) == "cứ Bộ luật Đất đai"


def test_a_word_more_stands_in_the_gap_and_its_neighbours_stay_where_they_are() -> None:
    line = lines_of(PAGE)[1]
    last = PAGE.words[line[-1]]
    added = reading.corrected(PAGE, {line[-1]: f"{last.text} mới"}).words

    kept, new = added[-2:]
    assert (kept.text, kept.box) == (last.text, last.box)
    assert new.text == "mới"
    assert new.box.left > last.box.right
    assert new.box.right <= PAGE.width_px

    first = PAGE.words[0]
    before, after = reading.corrected(PAGE, {0: f"1. {first.text}"}).words[:2]
    if first.box.left > 40:
        assert (after.text, after.box) == (first.text, first.box)
        assert before.box.right <= first.box.left


def test_a_word_more_where_there_is_no_room_shares_the_place_of_its_neighbour() -> None:
    first, second = PAGE.words[:2]
    parts = reading.corrected(PAGE, {0: f"{first.text} cớ"}).words[:2]

    assert (parts[0].box.left, parts[1].box.right) == (first.box.left, first.box.right)
    assert parts[1].box.right <= second.box.left
