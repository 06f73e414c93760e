"""Whatever is decided can be said, in both languages."""

from __future__ import annotations

import pytest
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate

from signing import words
from signing.changes import Later
from signing.types import (
    AtSigning,
    FileVerdict,
    Indication,
    Integrity,
    Kind,
    Reason,
    SignatureReport,
    TimeSource,
    Verdict,
)


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


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_code_of_the_technical_part_has_words(language: words.Language) -> None:
    assert all(words.later_words(code.value, language=language) for code in Later)
    assert all(words.at_signing_words(at, language=language) for at in AtSigning)
    assert all(words.time_source_words(source, language=language) for source in TimeSource)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_sub_indication_of_the_library_has_words(language: words.Language) -> None:
    known = [code.standard_name for kind in (AdESFailure, AdESIndeterminate) for code in kind]
    assert [code for code in known if not words.sub_indication_words(code, language=language)] == []
    assert not words.sub_indication_words("NO_SUCH_CODE", language=language)
