"""`hoso admin trust …`: one administrator adds an anchor, a second confirms it, each with a password of their own."""

from __future__ import annotations

import getpass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api import settings as settings_module
from api import sign_in
from api.demo.mark import is_demo_certificate
from api.wiring import Services, utc_now
from dossiers import anchors
from dossiers.anchors import AnchorState, TrustAnchor
from dossiers.calendar import VIETNAM, local_day
from dossiers.labels import label
from dossiers.trust_upkeep import refresh_revocation_lists
from dossiers.types import NotFound
from signing.certificates import grouped, read_one
from signing.keys import read_passphrase_file
from signing.types import StoreName

if TYPE_CHECKING:
    import argparse

    from dossiers.types import Actor


class BadEntry(Exception):
    """What was given isn't right; the message names it and says why. Nothing was changed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`hoso admin trust list|show|add|confirm|retire`."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="list|show|add|confirm|retire")
    acts.add_parser("list", help="mọi gốc tin cậy, theo kho")
    show = acts.add_parser("show", help="một gốc, với lịch sử")
    show.add_argument("anchor", metavar="GỐC", help="mã, hoặc mấy ký tự đầu của dấu vân tay")

    add = acts.add_parser("add", help="thêm; chưa được tin cho tới khi người thứ hai xác nhận")
    add.add_argument("file", type=Path, metavar="TỆP", help="một chứng thư, PEM hoặc DER")
    add.add_argument("--store", required=True, choices=[store.value for store in StoreName])
    add.add_argument("--reason", required=True, help="lấy từ đâu, theo văn bản nào")
    add.add_argument("--from", dest="since", type=_day, metavar="NGÀY", help="tin từ ngày; mặc định: từ đầu chứng thư")
    add.add_argument("--until", type=_day, metavar="NGÀY", help="chỉ tin những gì có trước ngày này")

    confirm = acts.add_parser("confirm", help="người thứ hai xác nhận dấu vân tay")
    confirm.add_argument("anchor", metavar="GỐC")
    given = confirm.add_mutually_exclusive_group(required=True)
    given.add_argument("--fingerprint", help="SHA-256 do cơ quan chứng thực công bố, gõ hoặc dán đủ 64 ký tự")
    given.add_argument("--file", type=Path, help="chứng thư do chính người xác nhận lấy từ nguồn khác")

    retire = acts.add_parser("retire", help="thôi tin, hoặc từ chối một gốc đang chờ; không xóa gì")
    retire.add_argument("anchor", metavar="GỐC")
    retire.add_argument("--reason", required=True)
    retire.add_argument("--at", type=_day, metavar="NGÀY", help="thôi tin từ ngày; mặc định: từ bây giờ")
    retire.add_argument("--broken", action="store_true", help="khóa của nơi cấp có thể đã lộ: thôi cả dấu thời gian")
    for act in (add, confirm, retire):
        act.add_argument("--as", dest="username", required=True, metavar="TÊN", help="tài khoản quản trị của bạn")
        act.add_argument("--password-file", type=Path, help="tệp 0600; không có thì hỏi tại chỗ")


def refuse_demo(certificates: Any) -> None:
    """No production instance trusts the throw-away trust service.

    Raises:
        BadEntry: It would.
    """
    if not settings_module.read().is_demo and any(is_demo_certificate(der) for der in certificates):
        raise BadEntry("đây là chứng thư DEMO, hệ thống vận hành thật không nhận")


def refresh(office: Services) -> str:
    """Fetch the lists of whoever is trusted now, and say how it went."""
    failed = refresh_revocation_lists(office.begin, now=utc_now(), hosts=office.hosts)
    return f"CHƯA tải được danh sách thu hồi: {', '.join(failed)}." if failed else "Danh sách thu hồi đã tải."


def _list(office: Services, _args: argparse.Namespace) -> str:
    found = anchors.every(office.begin)
    if not found:
        return "Chưa có gốc tin cậy nào. Thêm: hoso admin trust add TỆP --store neac --reason … --as TÊN"
    now = utc_now()
    lines = []
    for store in StoreName:
        lines.append(f"{label(store)}:")
        inside = [anchor for anchor in found if anchor.store is store]
        lines += [f"  {_line(anchor, now)}" for anchor in inside] or ["  (chưa có)"]
    return "\n".join(lines)


def _show(office: Services, args: argparse.Namespace) -> str:
    anchor = _named(office, args.anchor)
    facts = anchor.facts
    lines = [
        f"{facts.subject} ({label(anchor.store)})",
        f"  trạng thái: {label(anchor.state)}",
        f"  nơi cấp: {facts.issuer}; số {facts.serial}; khóa {facts.key}",
        f"  chứng thư: {_on(facts.valid_from)} – {_on(facts.valid_to)}",
        f"  được tin cho những gì có từ {_on(anchor.trusted_from)}"
        + (f", trước {_on(anchor.trusted_to)}" if anchor.trusted_to else ""),
        f"  SHA-256: {grouped(anchor.sha256)}",
        f"  lý do: {anchor.reason}",
    ]
    with office.begin() as work:
        entries = work.audit.of(anchor.id)
    lines += [f"  {entry.at:%d/%m/%Y %H:%M} {entry.actor}: {label(entry.event)}" for entry in entries]
    return "\n".join([*lines, *([f"  thôi tin vì: {anchor.end_reason}"] if anchor.end_reason else [])])


def _add(office: Services, args: argparse.Namespace) -> str:
    der = read_one(args.file.read_bytes(), name=args.file.name)
    refuse_demo([der])
    anchor = anchors.propose(
        office.begin,
        der,
        store=StoreName(args.store),
        reason=args.reason,
        trusted_from=args.since,
        trusted_to=args.until,
        by=_who(office, args),
        now=utc_now(),
    )
    return (
        f"Đã thêm {anchor.facts.subject}, CHƯA được tin. Nhờ quản trị viên thứ hai đối chiếu dấu vân tay với nguồn của "
        f"cơ quan chứng thực rồi chạy:\n  hoso admin trust confirm {anchor.id} --fingerprint … --as TÊN\n"
        f"  SHA-256: {grouped(anchor.sha256)}"
    )


def _confirm(office: Services, args: argparse.Namespace) -> str:
    anchor = _named(office, args.anchor)
    given = args.fingerprint or sha256(read_one(args.file.read_bytes(), name=args.file.name)).hexdigest()
    by = _who(office, args)
    confirmed = anchors.confirm(office.begin, anchor.id, fingerprint=given, by=by, now=utc_now())
    return f"Đã xác nhận: {confirmed.facts.subject} được tin từ bây giờ. {refresh(office)}"


def _retire(office: Services, args: argparse.Namespace) -> str:
    anchor = _named(office, args.anchor)
    by = _who(office, args)
    now = utc_now()
    ended = anchors.end(office.begin, anchor.id, reason=args.reason, at=args.at, broken=args.broken, by=by, now=now)
    if ended.state is AnchorState.REFUSED:
        return f"Đã từ chối {ended.facts.subject}; nó không được tin. Mục này vẫn nằm trong lịch sử."
    day = ended.trusted_to or now
    return f"{ended.facts.subject} thôi được tin từ {_on(day)}. Những gì đã ký và có dấu thời gian trước đó " + (
        "chỉ còn được tin khi có dấu thời gian của nơi khác." if ended.broken else "vẫn được xét theo lòng tin cũ."
    )


def _who(office: Services, args: argparse.Namespace) -> Actor:
    """The administrator, by their own password: two people at one console are still two."""
    if args.password_file:
        password = read_passphrase_file(args.password_file).decode()
    else:
        password = getpass.getpass(f"Mật khẩu của {args.username}: ")
    account = sign_in.check_password(office.begin, username=args.username, password=password, now=utc_now())
    return account.actor


def _named(office: Services, named: str) -> TrustAnchor:
    """By id or by the first digits of the fingerprint; a later decision before an earlier one."""
    digits = "".join(named.split()).lower()
    least = 8
    for anchor in anchors.every(office.begin):
        if str(anchor.id) == digits or (len(digits) >= least and anchor.sha256.startswith(digits)):
            return anchor
    raise NotFound(f"không có gốc tin cậy {named}; xem hoso admin trust list")


def _line(anchor: TrustAnchor, now: datetime) -> str:
    facts = anchor.facts
    days = (facts.valid_to - now).days
    left = f"còn {days} ngày" if days >= 0 else "chứng thư đã hết hạn"
    state = label(anchor.state)
    return f"{anchor.sha256[:16]}  {facts.subject} – {state}, {left} (hết {_on(facts.valid_to)})  {anchor.id}"


def _on(moment: datetime) -> str:
    return f"{local_day(moment):%d/%m/%Y}"


def _day(text: str) -> datetime:
    for pattern in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=VIETNAM)
        except ValueError:
            continue
    raise ValueError(text)


DOES = {"list": _list, "show": _show, "add": _add, "confirm": _confirm, "retire": _retire}
