"""The QR code of an identity card, as readers type it. All people are made up."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest

from dossiers.codes import BadCode
from dossiers.id_card import parse
from dossiers.types import Applicant

TODAY = date(2026, 11, 22)
CARD = "022190001234|100123456|Nguyễn Thị Lựu|05021990|Nữ|Tổ 3, khu 5, phường Hồng Gai, Quảng Ninh|10052021"
HOLDER = Applicant("Nguyễn Thị Lựu", "022190001234", "", "Tổ 3, khu 5, phường Hồng Gai, Quảng Ninh")


@pytest.mark.parametrize(
    "typed",
    [
        CARD,
        CARD + "\r\n",
        "\ufeff" + CARD,
        CARD.replace("100123456", ""),
        CARD + "|||Nguyễn Văn Cha|Trần Thị Mẹ|",
        CARD.replace("Nguyễn Thị Lựu", "  Nguyễn  Thị Lựu "),
        unicodedata.normalize("NFD", CARD),
    ],
    ids=["plain", "enter", "mark", "no earlier number", "newer card", "blanks", "decomposed"],
)
def test_a_card_tells_number_name_and_address(typed: str) -> None:
    assert parse(typed, today=TODAY) == HOLDER


@pytest.mark.parametrize(
    "typed",
    ["", "|||||||", "022190001234", "https://vi.du/kiem-tra/482011739055", CARD.replace("|", ";"), "x" * 2000 + CARD],
)
def test_another_code_is_refused_with_what_to_do(typed: str) -> None:
    with pytest.raises(BadCode, match="gõ tay"):
        parse(typed, today=TODAY)


@pytest.mark.parametrize("number", ["02219000123", "000190001234", "022999001234", "02219000123A"])
def test_a_number_that_can_be_nobody_s_is_refused(number: str) -> None:
    with pytest.raises(BadCode, match="Số định danh"):
        parse(CARD.replace("022190001234", number), today=TODAY)
