"""`hoso audit verify` walks the log and holds it against its stamps; `stamp` has it stamped now; `erase` takes values.

Nothing is erased by itself: a person names the dossier, whose period must have ended, and the decision it rests on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from api import log_words
from api.commands import CommandFailed
from api.wiring import utc_now, wire
from dossiers import amendments, holds, log_stamps
from dossiers.administration import CONSOLE
from dossiers.types import Incomplete, WrongState
from signing.types import SigningRefused, TrustServiceUnavailable

if TYPE_CHECKING:
    import argparse

    from api.wiring import Services

HOLDS = 0
WRONG = 1
UNPROVEN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Three verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    verbs.add_parser(
        "verify",
        help="đi hết nhật ký, đối chiếu với các dấu thời gian và giá trị trước, sau khi sửa (thoát 0: đúng; 1: sai; 3: "
        "chưa có dấu thời gian nào) (walk the log)",
    )
    verbs.add_parser("stamp", help="đóng dấu thời gian ngay (have it stamped now)")
    erase = verbs.add_parser(
        "erase",
        help="xóa giá trị trước và sau khi sửa của một hồ sơ đã hết thời hạn lưu; dòng nhật ký vẫn còn (erase the "
        "values before and after corrections of a dossier whose period has ended; the lines stay)",
    )
    erase.add_argument("code", help="mã hồ sơ (the dossier's code)")
    erase.add_argument("--basis", required=True, help="quyết định làm căn cứ: số, ngày, cơ quan (the decision)")


def run(given: argparse.Namespace) -> int:
    """0 when the log holds, 1 when something is wrong with it, 3 when it holds and nothing from outside proves it."""
    office = wire()
    try:
        if given.what == "erase":
            return _erase(office, given.code, given.basis)
        return _stamp(office) if given.what == "stamp" else _verify(office)
    finally:
        office.close()


def _verify(office: Services) -> int:
    found = log_stamps.verify(office.begin, office.vault, now=utc_now())
    for one in found.wrong:
        vi, en = log_words.told(one)
        print(f"✗ {vi}\n  ({en})")
    if found.wrong:
        print(f"\nNhật ký KHÔNG đúng: {len(found.wrong)} điểm sai. {log_words.NEXT_STEP_VI}")
        print(f"(The log does NOT hold: {len(found.wrong)} findings. {log_words.NEXT_STEP_EN})")
        return WRONG
    vi, en = log_words.holds(found)
    print(f"{'✓' if found.proven else '!'} {vi}\n  ({en})")
    return HOLDS if found.proven else UNPROVEN


def _stamp(office: Services) -> int:
    if not office.tsa_urls:
        raise CommandFailed("Chưa đặt HOSO_TSA_URLS. (No timestamp authority is named.)", 78)
    try:
        made = log_stamps.stamp(office.log_desk(), now=utc_now())
    except TrustServiceUnavailable as silent:
        raise CommandFailed(f"{silent} (No timestamp authority answered; nothing is lost.)", 69) from silent
    except SigningRefused as refused:
        raise CommandFailed(f"{refused} (The token isn't by anybody we trust.)") from refused
    if made is None:
        print("Hôm nay đã đóng dấu, hoặc chưa có dòng nào mới. (Stamped today, or nothing new since.)")
    else:
        print(f"Đã đóng dấu thời gian tới dòng {made.sequence}. (Stamped up to line {made.sequence}.)\n{made.hash}")
    return HOLDS


def _erase(office: Services, code: str, basis: str) -> int:
    with office.begin() as work:
        found = work.archive.with_code(code)
    if found is None:
        raise CommandFailed(f"{code}: không có hồ sơ đã kết thúc nào mang mã này. (No finished dossier by that code.)")
    try:
        lines = amendments.erase(office.begin, found, by=CONSOLE, basis=basis, now=utc_now())
    except Incomplete as unsaid:
        raise CommandFailed("Ghi quyết định làm căn cứ: --basis. (Name the decision.)") from unsaid
    except holds.Held as held:
        raise CommandFailed("Hồ sơ đang được giữ nguyên; chưa xóa gì. (It is under legal hold.)") from held
    except WrongState as early:
        raise CommandFailed(
            "Hồ sơ chưa hết thời hạn lưu, hoặc lưu vĩnh viễn; chưa xóa gì. (Its period hasn't ended.)"
        ) from early
    print(f"Đã xóa giá trị trước và sau khi sửa của {lines} dòng nhật ký; các dòng vẫn còn. (Values of {lines} lines.)")
    return HOLDS
