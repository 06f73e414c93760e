"""Who is named above a result's text: the head whom the signer stands in for, or the body in whose name they sign."""

from __future__ import annotations

import pytest

from dossiers.issuance import _authority
from dossiers.types import Agency, AgencyKind

WARD = Agency("000.01.01.H49", "UBND phường Hồng Gai", AgencyKind.COMMUNE, letterhead="Ủy ban nhân dân phường Hồng Gai")


@pytest.mark.parametrize(
    ("power", "title", "above"),
    [
        ("", "Chủ tịch", "CHỦ TỊCH ỦY BAN NHÂN DÂN PHƯỜNG HỒNG GAI"),
        ("KT. Chủ tịch", "Phó Chủ tịch", "CHỦ TỊCH ỦY BAN NHÂN DÂN PHƯỜNG HỒNG GAI"),
        ("TUQ. CHỦ TỊCH", "Giám đốc Trung tâm", "CHỦ TỊCH ỦY BAN NHÂN DÂN PHƯỜNG HỒNG GAI"),
        ("TM. Ủy ban nhân dân", "Chủ tịch", "ỦY BAN NHÂN DÂN PHƯỜNG HỒNG GAI"),
        ("tm. ủy ban nhân dân", "Chủ tịch", "ỦY BAN NHÂN DÂN PHƯỜNG HỒNG GAI"),
    ],
)
def test_a_deputy_decides_as_the_head_and_a_chair_for_the_committee(power: str, title: str, above: str) -> None:
    assert _authority(power, title, WARD) == above
