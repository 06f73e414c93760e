"""A centre at work loses nothing, doubles nothing and leaves nothing stuck, whatever dies; and a real loss is found."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.faults.running import running_centre
from tests.faults.shaky_s3 import How
from tests.faults.troubles import kill_at_random, new_case, people_at_work, settle, store_is

if TYPE_CHECKING:
    from tests.faults.clerks import Case

pytestmark = pytest.mark.timeout(600)

KILLS = 8
PATIENCE_S = 300


def test_a_centre_at_work_survives_kills_and_a_lying_store() -> None:
    chance = Random(20261130)  # noqa: S311  nothing secret
    cases: list[Case] = [new_case(chance, number) for number in range(2)]
    with running_centre() as running:
        with people_at_work(running, cases, chance, at_once=2):
            kill_at_random(running, chance, KILLS, wait_s=(0.5, 2.0))
            with store_is(How.LYING)(running):
                kill_at_random(running, chance, 1, wait_s=(1.0, 2.0))
        found = settle(running, cases, patience_s=PATIENCE_S)

    assert found.is_clean, found.told()
    assert found.papers >= 3 * len(cases)
    assert found.hashes > 10 * len(cases)
