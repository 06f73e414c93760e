"""What is known of Vietnamese alone is not laid upon a page of another language."""

from __future__ import annotations

import pytest

from digitize import pipeline
from tests import scans

ENGLISH = (
    "The number of this letter is on its first line, and",
    "its date is on the second. The other party agrees.",
) * 4


@pytest.mark.parametrize(("language", "weighed"), [("eng", False), ("eng+vie", True)])
def test_only_a_page_that_may_be_vietnamese_is_weighed_by_its_grammar(language: str, *, weighed: bool) -> None:
    read = pipeline.read_page(scans.sheet(ENGLISH, dpi=100), language=language).ocr

    assert len(read.words) > 40
    assert {word.risk is not None for word in read.words} == {weighed}
    assert weighed or not any(word.repair for word in read.words)
