"""`hoso scan`: drive a scanner at the counter through SANE, and send what it scans. Loads nothing but `counter`."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands import CommandFailed
from api.commands.send import add_line, say, signed_in, spool_for, watch
from counter import key, scanner
from counter.folder import Folder
from counter.scanner import Abilities, NoScanner, Pile, SidesDiffer, Wanted
from counter.sending import Sender
from counter.stack import BadPage

if TYPE_CHECKING:
    import argparse

_DONE, _NOT_ALL, _USAGE, _NO_SCANNER = 0, 1, 64, 69
_SCANS = "da-quet"
#: What a person is told when the scanner stops: what happened, and what to do with the paper.
_STOPS = {
    scanner.BUSY: ("máy quét đang bận", "the scanner is busy"),
    scanner.JAMMED: ("KẸT GIẤY: mở máy, gỡ giấy", "paper jam: open the scanner and take the sheet out"),
    scanner.EMPTY: ("khay không có giấy", "the feeder is empty"),
    scanner.COVER_OPEN: ("nắp máy đang mở", "the cover is open"),
    scanner.SILENT: (
        "máy quét không trả lời: tắt rồi bật lại máy, xem dây nối",
        "the scanner doesn't answer: switch it off and on, look at its cable",
    ),
    scanner.BROKEN: ("máy quét báo lỗi; xem dây và nguồn", "the scanner reports an error; look at cable and power"),
}
_OTHER_STOP = ("máy quét dừng", "the scanner has stopped")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `hoso scan` takes."""
    parser.allow_abbrev = False
    add_line(parser, needed=False)
    parser.add_argument("--devices", action="store_true", help="kể tên các máy quét mà SANE thấy rồi thôi")
    parser.add_argument("--folder", type=Path, help="nơi để tệp quét trên máy này")
    parser.add_argument("--device", default="", help="tên máy quét theo SANE (mặc định: máy đầu tiên)")
    parser.add_argument("--source", default="", help="khay nạp hay mặt kính, theo tên máy quét gọi")
    parser.add_argument("--duplex", action="store_true", help="quét hai mặt; máy một mặt thì lật giấy quét lần hai")
    parser.add_argument("--dpi", type=int, default=300, help="độ phân giải (mặc định: 300)")
    parser.add_argument("--mode", default="Color", help="Color, Gray hay Lineart (mặc định: Color)")
    parser.add_argument("--lossless", action="store_true", help="giữ ảnh không nén mất (tệp lớn gấp nhiều lần)")
    parser.add_argument(
        "--page-s",
        type=float,
        default=scanner.PAGE_S,
        metavar="GIÂY",
        help="chờ mỗi trang bao lâu rồi coi là máy quét không trả lời (mặc định: %(default).0f)",
    )
    parser.add_argument("--dossier", default="", metavar="MÃ", help="mã hồ sơ; không có thì theo tờ ngăn")


def run(given: argparse.Namespace) -> int:
    """One pile after another until the person has no more; then everything is sent."""
    try:
        if given.devices:
            return _tell_devices()
        if not given.to:
            raise CommandFailed("cần --to URL (where to send)", _USAGE)
        wanted = Wanted(given.device, given.source, given.mode, given.dpi, given.lossless, given.page_s)
        if not wanted.device:
            found = scanner.devices()
            if not found:
                raise CommandFailed("SANE không thấy máy quét nào; xem dây, nguồn (no scanner found)", _NO_SCANNER)
            wanted = replace(wanted, device=found[0].name)
        can = scanner.abilities(wanted.device)
    except NoScanner as error:
        raise CommandFailed(
            f"không dùng được máy quét ({error}). Cài sane-utils; xem `hoso scan --devices` (can't use the scanner)",
            _NO_SCANNER,
        ) from None
    folder = (given.folder or key.own_folder() / _SCANS).expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    duplex = given.duplex and not can.duplex
    source = wanted.source or (can.duplex if given.duplex else "") or can.feeder or next(iter(can.sources), "")
    desk = _Desk(folder, replace(wanted, source=source), can, turned=duplex)
    with contextlib.closing(signed_in(given)) as line, contextlib.closing(spool_for(given, folder)) as spool:
        sender = Sender(Folder(folder, settle_s=0.0), spool, line, say)
        if not desk.go_on_with_what_is_left():
            return _NOT_ALL
        name = " ".join(filter(None, [f"{datetime.now().astimezone():%Y%m%d-%H%M%S}", given.dossier.strip()]))
        if not desk.scan(Pile(folder, name)):
            return _NOT_ALL
        return watch(sender, once=True)


def _tell_devices() -> int:
    found = scanner.devices()
    for device in found:
        print(f"{device.name}\t{device.what}")
    if not found:
        say("SANE không thấy máy quét nào (no scanner found)")
    return _DONE if found else _NO_SCANNER


class _Desk:
    """A person at a scanner: asked after each stop what to do with what is scanned."""

    def __init__(self, folder: Path, wanted: Wanted, can: Abilities, *, turned: bool) -> None:
        self._folder = folder
        self._wanted = wanted
        self._can = can
        self._turned = turned
        self._feeds = "adf" in wanted.source.lower() or "feed" in wanted.source.lower()

    def go_on_with_what_is_left(self) -> bool:
        """Ask about piles that a jam or a power cut left half-way; False when the person has gone."""
        for pile in Pile.left(self._folder):
            say(f"Có chồng giấy quét dở {pile.name}: đã có {len(pile.fronts)} trang, còn nguyên.")
            answer = _ask("Enter quét tiếp từ trang sau · G gửi những trang đã có")
            if answer is None:
                return False
            if not (self._end(pile) if answer.startswith("g") else self.scan(pile)):
                return False
        return True

    def scan(self, pile: Pile) -> bool:
        """Scan a pile to its end and make it a file; False leaves it as it is, for the next time."""
        if not pile.backs and not self._side(pile, backs=False):
            return False
        while self._turned:
            say(f"Đã quét {len(pile.fronts)} mặt trước. Lật cả chồng, đặt lại vào khay.")
            if _ask("Enter quét mặt sau") is None or not self._side(pile, backs=True):
                return False
            if len(pile.fronts) == len(pile.backs):
                break
            say(
                f"⚠ {len(pile.fronts)} mặt trước nhưng {len(pile.backs)} mặt sau: có tờ dính nhau. "
                "Mặt trước vẫn giữ; quét lại mặt sau. (Sheets stuck together: scan the backs again.)"
            )
            pile.drop_backs()
        return self._end(pile)

    def _side(self, pile: Pile, *, backs: bool) -> bool:
        while True:
            only = 0 if self._feeds else 1
            status = pile.scan(
                self._wanted, self._can, backs=backs, only=only, tell=lambda number: say(f"✓ trang {number} đã giữ")
            )
            there = len(pile.backs if backs else pile.fronts)
            if status == scanner.GOOD and self._feeds:
                return True
            if status == scanner.GOOD:
                answer = _ask("Đặt trang tiếp rồi Enter · X hết")
                if answer is None or answer.startswith("x"):
                    return answer is not None
                continue
            vi, en = _STOPS.get(status, _OTHER_STOP)
            say(f"⚠ {vi}. {there} trang đã quét vẫn giữ nguyên. ({en}; {there} pages are kept.)")
            answer = _ask(f"Đặt lại giấy từ trang {there + 1} rồi Enter quét tiếp · G dừng ở đây và gửi {there} trang")
            if answer is None:
                say("Các trang đã quét nằm chờ trên máy này; lần chạy sau sẽ hỏi tiếp. (Kept for the next time.)")
                return False
            if answer.startswith("g") and there:
                return True

    def _end(self, pile: Pile) -> bool:
        try:
            pages = pile.pages()
            target = pile.finish(pages, dpi=self._wanted.dpi)
        except SidesDiffer as error:
            say(f"⚠ {error.fronts} mặt trước, {error.backs} mặt sau: chưa ghép được. Các trang vẫn giữ nguyên.")
            return False
        except BadPage as error:
            say(f"⚠ Ảnh {error} không trọn vẹn; chưa ghép được tệp. Các trang vẫn giữ nguyên. (A page isn't whole.)")
            return False
        say(f"✓ {target.name}: {len(pages)} trang")
        return True


def _ask(words: str) -> str | None:
    """What the person answers, in small letters; None when nobody is there."""
    print(f"{words}: ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    return answer.strip().lower() if answer else None
