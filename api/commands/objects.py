"""`hoso objects check` reads every object now and compares; `hoso objects orphans` lists those that no row names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.wiring import utc_now, wire
from dossiers import fixity

if TYPE_CHECKING:
    import argparse

    from api.wiring import Services


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two verbs."""
    parser.add_argument(
        "what",
        choices=["check", "orphans"],
        help="check: đọc lại tất cả; orphans: tệp không thuộc dòng nào (read all; list what no row names)",
    )


def run(given: argparse.Namespace) -> int:
    """1 when an object is missing or damaged and couldn't be repaired; orphans are no fault."""
    office = wire()
    try:
        return _check(office) if given.what == "check" else _orphans(office)
    finally:
        office.close()


def _check(office: Services) -> int:
    found = fixity.check_slice(office.fixity_desk(), now=utc_now(), everything=True)
    for sha256 in found.quarantined:
        print(f"✗ {sha256}: sai, thiếu hoặc không đọc được, đã cách ly; không xóa gì (damaged, missing or unreadable)")
    for sha256 in found.repaired:
        print(f"✓ {sha256}: đã sửa từ bản sao thứ hai (repaired from the second copy)")
    print(f"{found.read} tệp đã đọc, {len(found.quarantined)} sai, {len(found.repaired)} đã sửa. (Objects read.)")
    return 1 if found.quarantined else 0


def _orphans(office: Services) -> int:
    found = fixity.orphans(office.fixity_desk(), now=utc_now())
    for sha256 in found:
        print(sha256)
    print(f"{len(found)} tệp quá 24 giờ không thuộc dòng nào; giữ nguyên tại chỗ. (No row names them; left alone.)")
    return 0
