"""`hoso report corrections`: where the reader was wrong in earnest, by field and by flag. Counts only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.wiring import wire
from digitize.types import Flag
from dossiers import reader_report
from dossiers.labels import label

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

_NO_FLAG = "không có cờ (no flag)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`corrections` is the only report there is."""
    parser.add_argument("what", choices=["corrections"], help="những gì người soát đã sửa (what people corrected)")


def run(given: argparse.Namespace) -> int:  # noqa: ARG001  there is one report
    """Print it; always 0."""
    office = wire()
    try:
        found = reader_report.report(office.begin)
    finally:
        office.close()
    print("Trường (field): máy tỏ ra chắc / sai · máy ngờ / sai / đúng · gõ thêm · không có, không đọc được")
    print("                shown as sure / wrong · doubtful / wrong / right · filled in · absent, unreadable")
    _print(
        (
            label(f.key, "vi"),
            f"{f.sure} / {f.sure_changed}",
            f"{f.doubtful} / {f.doubtful_changed} / {f.doubtful_confirmed}",
            str(f.filled_in),
            str(f.said),
        )
        for f in found.fields
    )
    print("\nCờ của trang (flag): trang đã soát · trang có chữ sửa hoặc nhận · số chữ")
    print("                     reviewed pages · with words changed or confirmed · such words")
    _print((label_of(f.flag), str(f.pages), str(f.touched_pages), str(f.touched_words)) for f in found.flags)
    return 0


def label_of(flag: str) -> str:
    """A flag as people call it."""
    return label(Flag(flag), "vi") if flag else _NO_FLAG


def _print(rows: Iterable[Sequence[str]]) -> None:
    listed = list(rows)
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    for row in listed:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
