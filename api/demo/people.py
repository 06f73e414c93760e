"""Synthetic people: names put together at random, numbers that belong to nobody we know of.

Given the same `random.Random` state the same person comes out. Family names are the common ones, so that a name met
here says nothing about anybody; personal IDs keep the structure of real ones (`requirements.md` 5), with a serial that
begins with 000 to mark them as made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô", "Dương", "Đinh", "Phan", "Trịnh")
_MIDDLE_MALE = ("Văn", "Đình", "Quốc", "Hữu", "Đức", "Minh", "Xuân", "Quang")
_MIDDLE_FEMALE = ("Thị", "Thị Thu", "Ngọc", "Thị Mỹ", "Phương", "Thị Hồng", "Kim")
_GIVEN_MALE = ("Dương", "Hưng", "Thắng", "Khoa", "Tuấn", "Bình", "Quyết", "Thuận", "Vỹ", "Hiếu", "Lượng", "Sơn")
_GIVEN_FEMALE = ("Hương", "Quỳnh", "Nguyệt", "Thủy", "Hạnh", "Duyên", "Phượng", "Mai", "Oanh", "Yến", "Thảo", "Lựu")
_STREETS = ("Lê Thánh Tông", "Trần Hưng Đạo", "Nguyễn Văn Cừ", "Cao Thắng", "Hạ Long", "Kênh Liêm", "Quang Trung")
_WARDS = ("phường Hồng Gai", "phường Uông Bí", "đặc khu Cô Tô")

_SERIAL_OF_NOBODY = 1000  # serials 000000…000999


@dataclass(frozen=True)
class Person:
    """Somebody who doesn't exist."""

    name: str
    male: bool
    born: date
    id_number: str
    phone: str
    address: str

    @property
    def courtesy(self) -> str:
        """How official papers speak of them in a sentence: "ông" or "bà"."""
        return "ông" if self.male else "bà"

    @property
    def sex(self) -> str:
        """As forms have it."""
        return "Nam" if self.male else "Nữ"


def person(rng: Random) -> Person:
    """The next synthetic person."""
    male = rng.random() < 0.5  # noqa: PLR2004  one half
    middle, given = (_MIDDLE_MALE, _GIVEN_MALE) if male else (_MIDDLE_FEMALE, _GIVEN_FEMALE)
    name = f"{rng.choice(_FAMILY)} {rng.choice(middle)} {rng.choice(given)}"
    born = date(1958, 1, 1) + timedelta(days=rng.randrange(45 * 365))
    century_and_sex = 2 * (born.year // 100 - 19) + (0 if male else 1)
    return Person(
        name=name,
        male=male,
        born=born,
        id_number=f"022{century_and_sex}{born.year % 100:02d}{rng.randrange(_SERIAL_OF_NOBODY):06d}",
        phone=f"0900 000 {rng.randrange(1000):03d}",
        address=f"Số {rng.randrange(2, 299)}, đường {rng.choice(_STREETS)}, {rng.choice(_WARDS)}, tỉnh Quảng Ninh",
    )
