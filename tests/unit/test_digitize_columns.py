"""The two-column foot of a paper is read column by column where its first reading was doubtful."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.paper import as_read, drawn
from bench.paper_kinds import make
from digitize.recognition import columns
from digitize.types import Box, OcrPage, OcrWord, Repair

DPI = 100


@pytest.fixture(scope="module")
def letter():
    """A letter with the words on it, and its picture without damage to speak of."""
    seed = next(s for s in range(100) if make(s).kind == "letter" and len(make(s).sheets) == 1)
    page = as_read(make(seed), dpi=DPI)[0]
    return page, np.ascontiguousarray(drawn(make(seed), 0, dpi=DPI, seed=seed)[:, :, 1])


def _doubted(page: OcrPage, text: str) -> OcrPage:
    words = tuple(replace(w, confidence=20.0) if w.text == text else w for w in page.words)
    return replace(page, words=words)


def test_a_foot_with_a_doubtful_word_is_cut_into_its_two_columns(letter):
    page, grey = letter
    foot = columns.doubtful_foot(grey, _doubted(page, "nhận:"))
    assert foot is not None
    label = next(w.box for w in page.words if w.text == "nhận:")
    left, right = foot
    assert left.left < label.left
    assert left.top < label.top
    assert label.right < left.right <= right.left
    assert label.bottom < left.bottom


def test_a_foot_that_was_read_surely_is_left_alone(letter):
    page, grey = letter
    assert columns.doubtful_foot(grey, page) is None


def test_doubt_above_the_foot_is_no_reason(letter):
    page, grey = letter
    assert columns.doubtful_foot(grey, _doubted(page, "Kính")) is None


def _word(text: str, top: int, *, left: int = 100, confidence: float = 90.0, block: int = 0) -> OcrWord:
    return OcrWord(text, Box(left, top, left + 80, top + 20), confidence, block=block, line=top)


def _seen(piece: columns.Piece, box: Box) -> Box:
    """Where a place of the page is in the stacked picture, at half its scale."""
    assert piece.scale == 0.5
    x, y = piece.left - piece.box.left // 2, piece.top - piece.box.top // 2
    return Box(x + box.left // 2, y + box.top // 2, x + box.right // 2, y + box.bottom // 2)


def test_the_surer_reading_of_each_column_is_kept():
    first = (_word("Điều", 50), _word("HỆ", 500, confidence=10.0), _word("KT.", 500, left=900, confidence=95.0))
    page = OcrPage(1200, 1700, 150.0, first, 60.0)
    boxes = [Box(60, 480, 500, 560), Box(800, 480, 1200, 560)]
    picture, pieces = columns.stacked(np.full((1700, 1200), 250, dtype=np.uint8), boxes, dpi=480.0)
    height, width = picture.shape
    again = OcrPage(
        width,
        height,
        150.0,
        (
            OcrWord("nhận:", _seen(pieces[0], Box(100, 500, 180, 520)), 96.0),
            OcrWord("K", _seen(pieces[1], Box(900, 500, 980, 520)), 40.0, block=1, line=1),
        ),
        90.0,
    )
    merged = columns.merged(page, pieces, again)
    assert [word.text for word in merged.words] == ["Điều", "nhận:", "KT."]
    assert merged.words[1].box == Box(100, 500, 180, 520)


def test_a_number_or_name_read_otherwise_the_second_time_keeps_its_first_reading_and_is_not_sure():
    first = (
        _word("02", 500, confidence=60.0),
        _word("Bổng", 500, left=200, confidence=60.0),
        _word("lưu", 500, left=300, confidence=60.0),
        _word("2026", 500, left=400, confidence=60.0),
    )
    page = OcrPage(1200, 1700, 150.0, first, 60.0)
    _, pieces = columns.stacked(np.full((1700, 1200), 250, dtype=np.uint8), [Box(60, 480, 600, 560)], dpi=480.0)
    again = tuple(
        OcrWord(text, _seen(pieces[0], word.box), 88.0)
        for text, word in zip(("92", "Bông", "lưa", "2026"), first, strict=True)
    )
    number, name, small, same = columns.merged(page, pieces, OcrPage(800, 800, 75.0, again, 88.0)).words
    assert (number.text, number.raw, number.repair) == ("92", "02", Repair.SECOND_OPINION)
    assert (name.text, name.raw, name.repair) == ("Bông", "Bổng", Repair.SECOND_OPINION)
    assert number.confidence == name.confidence == 60.0
    assert (small.text, small.raw, small.confidence) == ("lưa", "", 88.0)
    assert (same.text, same.raw, same.confidence) == ("2026", "", 88.0)


def test_the_end_of_a_line_too_faint_to_be_seen_as_ink_stays_with_its_column():
    """Its words were read surely all the same; left outside, one would come after the whole foot."""
    foot = Box(90, 400, 300, 500), Box(600, 400, 800, 500)
    line = [_word("các", 440, left=210), _word("tổ", 440, left=305), _word("chức", 440, left=400)]
    above = _word("rằng", 380, left=310)
    far, unsure = _word("KT.", 440, left=510), _word("~", 440, left=305, confidence=40.0)

    assert columns._with_words_at_its_edge(foot, (*line, above), 20)[0].right in range(480, 520)
    assert columns._with_words_at_its_edge(foot, (far, unsure, above), 20) == foot
