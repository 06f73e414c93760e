"""Forms: a label and what is filled in behind it belong together, and dots to write on are no text."""

from __future__ import annotations

import pytest

from digitize import forms
from digitize.types import Box, Cell, Table
from tests import scans


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("Họ và tên: Quách Thị Lựu", [("Họ và tên", "Quách Thị Lựu")]),
        ("1. Họ, chữ đệm, tên: NÔNG VĂN BỔNG", [("Họ, chữ đệm, tên", "NÔNG VĂN BỔNG")]),
        ("Số CCCD: ……………… Ngày cấp: ........ Nơi cấp: _____", [("Số CCCD", ""), ("Ngày cấp", ""), ("Nơi cấp", "")]),
        ("Ngày sinh: 12/03/1961 Giới tính: Nữ", [("Ngày sinh", "12/03/1961"), ("Giới tính", "Nữ")]),
        ("Điện thoại:.....0000000000.....", [("Điện thoại", "0000000000")]),
        ("Trụ sở làm việc mở cửa từ 7:30 đến 17:00 các ngày trong tuần", []),
        ("căn cứ các quy định sau đây:", []),
    ],
)
def test_a_line_of_a_form_is_its_labels_and_values(line: str, wanted: list[tuple[str, str]]) -> None:
    assert [(pair.label, pair.value) for pair in forms.pairs(scans.words(line))] == wanted


def test_an_empty_value_has_no_place_and_no_surety() -> None:
    (pair,) = forms.pairs(scans.words("Nơi cư trú: ......................"))
    assert (pair.value, pair.value_box, pair.confidence) == ("", None, 0.0)


def test_label_and_value_say_where_they_stand() -> None:
    page = scans.words("Họ và tên: Quách Thị Lựu")
    (pair,) = forms.pairs(page)
    assert pair.value_box is not None
    assert pair.label_box == Box(page.words[0].box.left, 100, page.words[2].box.right, 130)
    assert pair.value_box == Box(page.words[3].box.left, 100, page.words[-1].box.right, 130)


def test_cells_of_a_table_are_no_fields_of_a_form() -> None:
    page = scans.words("Tổng số: 15")
    whole = Box(0, 0, page.width_px, page.height_px)
    in_table = type(page)(
        page.width_px, page.height_px, page.dpi, page.words, 90.0, (Table(whole, (Cell(0, 0, whole),)),)
    )
    assert forms.pairs(in_table) == ()
