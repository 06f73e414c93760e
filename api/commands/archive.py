"""`hoso archive export` writes finished dossiers as a bag, `import` and `check` take one; the others list.

Nothing is held, released or given a period here: that is done by people who sign in, and a release takes two of them
(decision 0057). Whoever runs a command speaks for the machine, and could speak for both. No list tells why a dossier is
held: a command is the administrator's, who has no part in dossiers.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from api.commands import CommandFailed
from api.wiring import utc_now, wire
from dossiers import archive, bags, holds, retention
from dossiers.calendar import VIETNAM
from dossiers.labels import label
from dossiers.ports import ObjectMissing
from dossiers.types import Duplicate, NotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from api.wiring import Services

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_DATA_ERROR = 65  # sysexits.h, EX_DATAERR
_DECEMBER = 12
_LISTED = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Three verbs that work on bags, four that list."""
    verbs = parser.add_subparsers(dest="what", required=True)
    export = verbs.add_parser("export", help="xuất hồ sơ đã kết thúc thành gói BagIt (export finished dossiers)")
    export.add_argument("which", help="mã hồ sơ, hoặc tháng kết thúc: 2026-11 (a dossier's code, or a month)")
    export.add_argument("--to", type=Path, required=True, help="thư mục sẽ tạo (folder to make)")
    take_in = verbs.add_parser("import", help="nhập lại một gói (take a bag in)")
    take_in.add_argument("bag", type=Path)
    check = verbs.add_parser("check", help="kiểm tra một gói có nguyên vẹn không (see that a bag is whole)")
    check.add_argument("bag", type=Path)
    for name, said in (
        ("due", "hồ sơ sắp hết hạn nộp lưu (dossiers due for the archive)"),
        ("ending", "hồ sơ sắp hết thời hạn lưu (dossiers whose period of keeping ends)"),
        ("holds", "hồ sơ đang giữ nguyên, và kho đã giữ được bao nhiêu (dossiers under legal hold)"),
        ("retention", "thời hạn lưu của từng thủ tục (how long dossiers of each procedure are kept)"),
    ):
        listed = verbs.add_parser(name, help=said)
        listed.add_argument("--json", action="store_true", help="mỗi mục một dòng JSON (a line of JSON for each)")


def run(given: argparse.Namespace) -> int:
    """0 when done; 65 for a bag that isn't whole or isn't ours."""
    if given.what == "check":
        print(f"Gói nguyên vẹn: {_whole(given.bag)} (The bag is whole.)")
        return 0
    office = wire()
    try:
        if given.what == "export":
            return _export(office, given.which, given.to)
        if given.what == "import":
            return _import(office, given.bag)
        return _listed(_LISTS[given.what](office), as_json=given.json)
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


class _List(NamedTuple):
    """What a verb lists: for programs, and in lines for people, the last of which says how many."""

    items: Sequence[Mapping[str, object]]
    lines: Sequence[str]


def _due(office: Services) -> _List:
    now = utc_now()
    with office.begin() as work:
        found = work.archive.due(None, by=now + archive.WARN_AHEAD, limit=_LISTED)
    lines = [f"{_day(one.due)}  {one.code}  {one.procedure}" for one in found]
    lines += [f"{len(found)} hồ sơ phải nộp lưu trong 30 ngày tới hoặc đã quá hạn. (Due within 30 days, or overdue.)"]
    return _List([asdict(one) | {"overdue": one.due <= now} for one in found], lines)


def _ending(office: Services) -> _List:
    now = utc_now()
    with office.begin() as work:
        found = work.retention.ending(None, by=now + retention.WARN_AHEAD, limit=_LISTED)
    held = "  (đang giữ nguyên · under legal hold)"
    lines = [f"{_day(one.until)}  {one.code}  {one.procedure}{held if one.held else ''}" for one in found]
    last = "hồ sơ hết thời hạn lưu trong 30 ngày tới hoặc đã hết; không gì tự bị xóa. (Periods that end.)"
    return _List([asdict(one) | {"past": one.until <= now} for one in found], [*lines, f"{len(found)} {last}"])


def _holds(office: Services) -> _List:
    with office.begin() as work:
        found = holds.live(work, None, now=utc_now(), limit=_LISTED)
    items, lines = [], []
    for one in found:
        hold, coverage = one.hold, one.coverage
        items.append(
            {
                "hold": hold.id,
                "code": one.code,
                "agency": hold.agency,
                "placed_at": hold.placed_at,
                "release_asked_at": hold.release_asked_at,
                "objects": coverage.objects,
                "held_in_store": coverage.held,
                "troubles": coverage.troubles,
            }
        )
        waits = "  (chờ người thứ hai xác nhận thôi giữ · to be confirmed)" if hold.is_to_be_released else ""
        so_far = f"{coverage.held}/{coverage.objects} tệp"
        lines.append(f"{_day(hold.placed_at)}  {one.code}  {hold.agency}  kho giữ {so_far}{waits}")
        lines += [f"    {label(code)} ({label(code, 'en')})" for code in coverage.troubles]
    return _List(items, [*lines, f"{len(found)} lệnh giữ. Lý do, thôi giữ: ở trang hồ sơ. (Holds in force.)"])


def _retention(office: Services) -> _List:
    with office.begin() as work:
        rules = work.retention.in_force()
        procedures = work.procedures.all()
        waiting = work.retention.unlocked_now(at=utc_now()).dossiers
    items, lines = [], []
    for one in procedures:
        rule = rules.get(one.code)
        years = rule.years if rule else office.retention_years
        basis, since = (rule.basis, rule.set_at) if rule else (None, None)
        items.append({"procedure": one.code, "name": one.name, "years": years, "basis": basis, "set_at": since})
        length = "vĩnh viễn" if years == retention.PERMANENT else f"{years} năm"
        why = f"{basis}; {_day(since)}" if since else "chưa đặt, theo mặc định · not set"
        lines.append(f"{length:>9}  {one.code}  {one.name}  ({why})")
    lines += [
        f"{len(procedures)} thủ tục, {len(procedures) - len(rules)} theo mặc định. (Procedures; by the default.)",
        f"{waiting} hồ sơ đã kết thúc chưa khóa đến hết thời hạn. (Ended dossiers that wait for their lock.)",
    ]
    return _List(items, lines)


_LISTS: dict[str, Callable[[Services], _List]] = {
    "due": _due,
    "ending": _ending,
    "holds": _holds,
    "retention": _retention,
}


def _listed(found: _List, *, as_json: bool) -> int:
    """For people, or a line of JSON for each: moments with their zone, ids as words."""
    for line in () if as_json else found.lines:
        print(line)
    for one in found.items if as_json else ():
        plain = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in one.items()}
        print(json.dumps(plain, ensure_ascii=False, default=str))
    return 0


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(VIETNAM):%d/%m/%Y}"


def _whole(bag: Path) -> str:
    try:
        return bags.check(bag)
    except bags.BadBag as bad:
        listed = "\n  ".join(bad.wrong[:20])
        raise CommandFailed(
            f"Gói không nguyên vẹn, chưa nhập gì: (The bag isn't whole.)\n  {listed}", _DATA_ERROR
        ) from bad
