"""`hoso archive export` writes finished dossiers as a bag, `import` and `check` take one, `due` and `ending` list."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands import CommandFailed
from api.wiring import utc_now, wire
from dossiers import archive, bags, retention
from dossiers.calendar import VIETNAM
from dossiers.ports import ObjectMissing
from dossiers.types import Duplicate, NotFound

if TYPE_CHECKING:
    import argparse

    from api.wiring import Services

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_DATA_ERROR = 65  # sysexits.h, EX_DATAERR
_DECEMBER = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Five verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    export = verbs.add_parser("export", help="xuất hồ sơ đã kết thúc thành gói BagIt (export finished dossiers)")
    export.add_argument("which", help="mã hồ sơ, hoặc tháng kết thúc: 2026-11 (a dossier's code, or a month)")
    export.add_argument("--to", type=Path, required=True, help="thư mục sẽ tạo (folder to make)")
    take_in = verbs.add_parser("import", help="nhập lại một gói (take a bag in)")
    take_in.add_argument("bag", type=Path)
    check = verbs.add_parser("check", help="kiểm tra một gói có nguyên vẹn không (see that a bag is whole)")
    check.add_argument("bag", type=Path)
    verbs.add_parser("due", help="hồ sơ sắp hết hạn nộp lưu (dossiers due for the archive)")
    verbs.add_parser("ending", help="hồ sơ sắp hết thời hạn lưu (dossiers whose period of keeping ends)")


def run(given: argparse.Namespace) -> int:
    """0 when done; 65 for a bag that isn't whole or isn't ours."""
    if given.what == "check":
        print(f"Gói nguyên vẹn: {_whole(given.bag)} (The bag is whole.)")
        return 0
    office = wire()
    try:
        if given.what == "export":
            return _export(office, given.which, given.to)
        if given.what == "ending":
            return _ending(office)
        return _import(office, given.bag) if given.what == "import" else _due(office)
    finally:
        office.close()


def _export(office: Services, which: str, to: Path) -> int:
    month = _MONTH.fullmatch(which)
    with office.begin() as work:
        if month:
            year, number = int(month[1]), int(month[2])
            since = datetime(year, number, 1, tzinfo=VIETNAM)
            before = datetime(year + number // _DECEMBER, number % _DECEMBER + 1, 1, tzinfo=VIETNAM)
            chosen = list(work.archive.finished(since, before))
        else:
            found = work.archive.with_code(which)
            chosen = [found] if found else []
    try:
        made = archive.export(office.begin, office.store, chosen, to.absolute(), now=utc_now())
    except NotFound as nothing:
        raise CommandFailed(
            f"{which}: không có hồ sơ đã kết thúc nào. (No finished dossier by that code or of that month.)"
        ) from nothing
    except FileExistsError as there:
        raise CommandFailed(f"{to} đã có; chọn tên khác. (It is there already.)", 73) from there
    except ObjectMissing as lost:
        raise CommandFailed(
            f"Kho thiếu một tệp của hồ sơ, chưa xuất gì: {lost}. Xem `hoso doctor`. (A file is missing.)"
        ) from lost
    print(f"Đã xuất {len(made.codes)} hồ sơ vào {made.folder} ({len(made.codes)} dossiers exported).")
    print(f"SHA-256 của tagmanifest, nên ghi vào biên bản giao nhận (write it down): {made.sha256}")
    return 0


def _import(office: Services, bag: Path) -> int:
    _whole(bag)
    try:
        codes = archive.take_in(office.begin, office.store, bag)
    except Duplicate as here:
        raise CommandFailed(f"Hồ sơ {here.of} đã có ở đây; gói không được nhập tiếp. (It is here already.)") from here
    except archive.NotOurRows as other:
        raise CommandFailed(
            f"Gói này không đọc được bằng phiên bản đang chạy ({other}); chưa nhập hồ sơ đó. (Not ours.)", _DATA_ERROR
        ) from other
    print(f"Đã nhập {len(codes)} hồ sơ ({len(codes)} dossiers taken in):")
    for code in codes:
        print(f"  {code}")
    return 0


def _due(office: Services) -> int:
    with office.begin() as work:
        waiting = work.archive.due(None, by=utc_now() + archive.WARN_AHEAD, limit=1_000)
    for one in waiting:
        print(f"{one.due.astimezone(VIETNAM):%d/%m/%Y}  {one.code}  {one.procedure}")
    print(f"{len(waiting)} hồ sơ phải nộp lưu trong 30 ngày tới hoặc đã quá hạn. (Due within 30 days, or overdue.)")
    return 0


def _ending(office: Services) -> int:
    with office.begin() as work:
        found = work.retention.ending(None, by=utc_now() + retention.WARN_AHEAD, limit=1_000)
    for one in found:
        held = "  (đang giữ nguyên · under legal hold)" if one.held else ""
        print(f"{one.until.astimezone(VIETNAM):%d/%m/%Y}  {one.code}  {one.procedure}{held}")
    print(f"{len(found)} hồ sơ hết thời hạn lưu trong 30 ngày tới hoặc đã hết; không gì tự bị xóa. (Periods that end.)")
    return 0


def _whole(bag: Path) -> str:
    try:
        return bags.check(bag)
    except bags.BadBag as bad:
        listed = "\n  ".join(bad.wrong[:20])
        raise CommandFailed(
            f"Gói không nguyên vẹn, chưa nhập gì: (The bag isn't whole.)\n  {listed}", _DATA_ERROR
        ) from bad
