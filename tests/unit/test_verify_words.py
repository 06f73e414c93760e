"""Whatever is decided can be said, in both languages."""

from __future__ import annotations

import pytest

from signing import words
from signing.types import FileVerdict, Indication, Integrity, Kind, Reason, SignatureReport, Verdict


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_and_a_next_step(reason: Reason, language: words.Language) -> None:
    told = words.sentence(
        FileVerdict(Verdict.UNCONFIRMED, Kind.FOREIGN, Integrity.UNKNOWN, reasons=(reason.value,)), language=language
    )
    assert told.headline
    assert told.reason.endswith(".")
    assert told.next_step.endswith(".")
    assert words.reason_words(reason.value, language=language) == told.reason


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("kind", Kind)
def test_every_verdict_has_words(verdict: Verdict, kind: Kind, language: words.Language) -> None:
    assert str(words.sentence(FileVerdict(verdict, kind, Integrity.UNKNOWN), language=language))


def test_no_two_reasons_sound_the_same() -> None:
    told = [words.reason_words(reason.value, language="vi") for reason in Reason]
    assert len(set(told)) == len(told)


def test_the_decisive_reason_speaks_first() -> None:
    verdict = FileVerdict(
        Verdict.ALTERED, Kind.E_RESULT, Integrity.ALTERED, reasons=("content_changed", "untrusted_issuer")
    )
    assert "không còn nguyên vẹn" in words.sentence(verdict, language="vi").reason


def test_a_genuine_file_names_its_signers() -> None:
    report = SignatureReport("F", "Trần Thị Bình", Indication.PASSED, Verdict.GENUINE, Integrity.INTACT)
    verdict = FileVerdict(Verdict.GENUINE, Kind.E_RESULT, Integrity.INTACT, (report,))
    assert "Trần Thị Bình" in words.sentence(verdict, language="vi").reason
    assert "Trần Thị Bình" in words.sentence(verdict, language="en").reason


def test_a_digitised_copy_is_never_called_a_result() -> None:
    verdict = FileVerdict(Verdict.GENUINE, Kind.ELECTRONIC_COPY, Integrity.INTACT)
    assert "không phải là kết quả" in words.sentence(verdict, language="vi").reason
    assert "not itself a result" in words.sentence(verdict, language="en").reason
