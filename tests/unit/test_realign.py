"""A person's corrections follow their words to another reading of the page."""

from __future__ import annotations

from dataclasses import replace

from digitize.realign import carried
from digitize.types import Box, OcrPage, OcrWord
from tests import scans

PAGE = scans.words("Căn cứ Luật Đất đai", "Điều 1. Câp giấy phép")
CORRECTED = {index: "Cấp" for index, word in enumerate(PAGE.words) if word.text == "Câp"}


def with_words(*words: OcrWord, page: OcrPage = PAGE) -> OcrPage:
    return replace(page, words=words)


def test_a_correction_goes_with_its_place_and_not_with_its_number() -> None:
    again = with_words(OcrWord("|", Box(2, 2, 10, 40), 20.0), *PAGE.words[2:])

    placed, lost = carried(CORRECTED, PAGE, again)

    assert {again.words[index].text: text for index, text in placed.items()} == {"Câp": "Cấp"}
    assert lost == []


def test_a_page_read_at_another_resolution_keeps_its_corrections() -> None:
    twice = replace(
        PAGE,
        width_px=2 * PAGE.width_px,
        height_px=2 * PAGE.height_px,
        words=tuple(
            replace(w, box=Box(2 * w.box.left, 2 * w.box.top, 2 * w.box.right, 2 * w.box.bottom)) for w in PAGE.words
        ),
    )
    assert carried(CORRECTED, PAGE, twice) == (CORRECTED, [])


def test_a_word_read_as_two_takes_the_correction_once() -> None:
    (index,) = CORRECTED
    box = PAGE.words[index].box
    middle = (box.left + box.right) // 2
    halves = [replace(PAGE.words[index], text=t, box=replace(box, left=a, right=b))
              for t, a, b in (("C", box.left, middle), ("p", middle, box.right))]  # fmt: skip
    again = with_words(*PAGE.words[:index], *halves, *PAGE.words[index + 1 :])

    assert carried(CORRECTED, PAGE, again) == ({index: "Cấp", index + 1: ""}, [])


def test_what_finds_no_place_is_told_and_a_stain_that_is_gone_needs_none() -> None:
    (index,) = CORRECTED
    again = with_words(*(word for i, word in enumerate(PAGE.words) if i not in (0, index)))

    assert carried(CORRECTED | {0: ""}, PAGE, again) == ({}, ["Cấp"])
    assert carried({99: "đâu"}, PAGE, again) == ({}, ["đâu"])


def test_a_page_that_was_turned_carries_nothing() -> None:
    turned = replace(PAGE, width_px=PAGE.height_px, height_px=PAGE.width_px)
    assert carried(CORRECTED, PAGE, turned) == ({}, ["Cấp"])
