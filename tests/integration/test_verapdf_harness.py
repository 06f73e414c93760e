"""The judge itself: it must see what is wrong, or every green test of ours means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typst

from tests.verapdf import assert_pdfa, failures

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    page = tmp_path / "page.typ"
    page.write_text("#set document(title: [Giấy]) \nXin chào")
    return page


def test_the_judge_accepts_an_archival_file_and_names_what_a_plain_one_lacks(typed: Path, tmp_path: Path) -> None:
    archival, plain = tmp_path / "archival.pdf", tmp_path / "plain.pdf"
    archival.write_bytes(typst.compile(typed, pdf_standards=["a-2b"]))
    plain.write_bytes(typst.compile(typed))

    assert_pdfa(archival)
    assert "6.6.4-1" in {rule.clause for rule in failures(plain)}
    with pytest.raises(AssertionError, match="is not 2b"):
        assert_pdfa(plain)


def test_the_judge_says_so_when_it_cannot_read_a_file_and_goes_on(tmp_path: Path, typed: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"no PDF")
    with pytest.raises(ValueError, match="broken"):
        failures(tmp_path / "broken.pdf")
    (tmp_path / "good.pdf").write_bytes(typst.compile(typed, pdf_standards=["a-2b"]))
    assert_pdfa(tmp_path / "good.pdf")
