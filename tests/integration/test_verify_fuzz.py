"""Mutations by somebody who knows PDF and CMS: never an exception, never accepted unless nothing was changed.

Brief here, for hours in `bench/fuzz_verify.py`, which has the coverage of the code lead the way.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing.proof import Known
from signing.types import Verdict
from signing.verify import verify_file
from tests.mutations import mutate, ranges, shows
from tests.signed_files import issued

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pki import Pki

_MOST_CPU_S = 5.0


class _Drawn:
    """Choices that hypothesis makes, and makes smaller once something breaks."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def number(self, least: int, most: int) -> int:
        return self._data.draw(st.integers(least, most))

    def some(self, most: int) -> bytes:
        return self._data.draw(st.binary(max_size=most))


@pytest.fixture(scope="module")
def good(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An issued e-result."""
    return issued(pki, tmp_path_factory.mktemp("good")).read_bytes()


@pytest.fixture(scope="module")
def known(pki: Pki) -> Known:
    return Known(pki.store())


@given(data=st.data())
@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_mutation_is_accepted_or_raises(good: bytes, known: Known, tmp_path: Path, data: st.DataObject) -> None:
    content = mutate(good, _Drawn(data))
    file = tmp_path / "mutated.pdf"
    file.write_bytes(content)
    began = time.process_time()
    with file.open("rb") as opened:
        found = verify_file(opened, known=known, at=datetime.now(UTC))
    assert time.process_time() - began < _MOST_CPU_S
    assert found.reasons or found.verdict is Verdict.GENUINE
    if found.verdict is Verdict.GENUINE:
        start, first, second, length = ranges(good)[1]  # the seal covers the leader's signature
        assert content[start:first] == good[start:first]
        assert content[second : second + length] == good[second : second + length]
        assert shows(content) == shows(good)
