"""The model of official Vietnamese: what is likelier, and that the file gives back what was counted."""

from __future__ import annotations

import numpy as np

from digitize.words.language import MARKS, Counts, Language, official, packed, tokens, unpacked
from digitize.words.syllables import is_syllable


def log_p(model: Language, *words: str) -> float:
    first, second, third = (np.asarray([model.number(word)]) for word in words)
    return float(model.log_p(first, second, third)[0])


def test_official_words_are_likelier_than_the_same_letters_with_other_marks() -> None:
    model = official()
    assert log_p(model, "<s>", "quyết", "định") > log_p(model, "<s>", "quyết", "đình") + 3
    assert log_p(model, "ủy", "ban", "nhân") > log_p(model, "ủy", "ban", "nhận") + 3
    assert log_p(model, "có", "thẩm", "quyền") > log_p(model, "có", "thẩm", "quyển") + 3


def test_the_likelihoods_after_two_words_add_up_to_one() -> None:
    model = official()
    everything = np.arange(len(model.words))
    for first, second in (("ủy", "ban"), ("<s>", "điều"), ("thửa", "đất"), ("zzz", "đất")):
        one, two = (np.full(len(everything), model.number(word)) for word in (first, second))
        assert abs(np.exp(model.log_p(one, two, everything)).sum() - 1) < 0.02


def test_only_syllables_and_signs_are_in_the_model() -> None:
    assert all(word in MARKS or is_syllable(word) for word in official().words)


def test_the_file_gives_back_what_was_counted_and_is_always_the_same() -> None:
    words = [*MARKS, "an", "ban", "cơ"]
    size = len(words)
    one = {5: 7, 6: 2, 7: 300}
    pairs = {5 * size + 6: 3, 6 * size + 7: 999}
    triples = {1 * size + 5: 2}
    data = packed(words, one, pairs, triples, {"an ban"})
    assert data == packed(words, one, dict(reversed(pairs.items())), triples, {"an ban"})
    model = unpacked(data)
    assert model.words == tuple(words)
    assert model.phrases == {"an ban"}
    assert model.seen(5, 6)
    assert not model.seen(6, 5)
    assert isinstance(model._pairs, Counts)
    assert model._pairs.counts.tolist() == [3, 255]


def test_a_text_becomes_syllables_and_signs_in_one_habit_of_tone_marks() -> None:
    assert tokens("Điều 1. Hoà giải, UBND; 138/QĐ") == [
        "điều", "<n>", "hòa", "giải", ",", "ubnd", "<s>", "<n>", "qđ",
    ]  # fmt: skip


def test_a_tone_below_a_marked_letter_stays_on_it() -> None:
    assert tokens("Luật huệ hoạ uỷ") == ["luật", "huệ", "họa", "ủy"]
