"""`hoso audit verify` walks the log and holds it against its stamps; `hoso audit stamp` has it stamped now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api import log_words
from api.commands import CommandFailed
from api.wiring import utc_now, wire
from dossiers import log_stamps
from signing.types import SigningRefused, TrustServiceUnavailable

if TYPE_CHECKING:
    import argparse

    from api.wiring import Services

HOLDS = 0
WRONG = 1
UNPROVEN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two verbs."""
    parser.add_argument(
        "what",
        choices=["verify", "stamp"],
        help="verify: đi hết nhật ký và đối chiếu với các dấu thời gian (thoát 0: đúng; 1: sai; 3: chưa có dấu thời "
        "gian nào); stamp: đóng dấu thời gian ngay (walk the log; have it stamped now)",
    )


def run(given: argparse.Namespace) -> int:
    """0 when the log holds, 1 when something is wrong with it, 3 when it holds and nothing from outside proves it."""
    office = wire()
    try:
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
