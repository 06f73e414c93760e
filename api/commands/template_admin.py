"""`hoso admin template …`: an agency's own templates, looked through before they are taken in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from api.wiring import Services, utc_now
from dossiers import layouts
from signing import own_templates

if TYPE_CHECKING:
    import argparse

_WHAT = "thư mục hoặc tệp .zip có template.json và main.typ hoặc main.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`check|add|list|retire`."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="check|add|list|retire")
    check = acts.add_parser("check", help="xem mẫu có dùng được không, chưa nhận vào")
    check.add_argument("source", type=Path, help=_WHAT)
    add = acts.add_parser("add", help="kiểm tra rồi nhận vào; mẫu cùng tên thành phiên bản mới")
    add.add_argument("source", type=Path, help=_WHAT)
    add.add_argument("--agency", required=True, help="mã cơ quan dùng mẫu này")
    listing = acts.add_parser("list", help="các mẫu đã nhận")
    listing.add_argument("--agency")
    retire = acts.add_parser("retire", help="không soạn mới bằng mẫu này nữa; văn bản cũ giữ nguyên")
    retire.add_argument("id", type=UUID)


def _check(office: Services, args: argparse.Namespace) -> str:
    package = own_templates.read(args.source)
    found = own_templates.check(package, face=office.typeface)
    if found.problems:
        raise own_templates.TemplateUnfit(found.problems)
    return "\n".join(
        (
            f"Dùng được: {package.name} ({package.kind.type_name}), PDF/A-{found.level}, {found.pages} trang mẫu.",
            f"Phông: {', '.join(found.fonts)}",
            f"In trên văn bản: {', '.join(found.printed)}",
            f"Không in: {', '.join(found.not_printed) or 'không có'}",
        )
    )


def _add(office: Services, args: argparse.Namespace) -> str:
    package = own_templates.read(args.source)
    added = layouts.add(office.begin, office.store, package, agency=args.agency, now=utc_now(), face=office.typeface)
    return f"Đã nhận mẫu {added.name}, phiên bản {added.version}, PDF/A-{added.level}: {added.id}"


def _list(office: Services, args: argparse.Namespace) -> str:
    found = layouts.all_of(office.begin, args.agency)
    lines = [
        f"{one.id}  {one.agency}  {one.name}  v{one.version}  PDF/A-{one.level}  {one.added_at:%d/%m/%Y}"
        f"{'  đã ngừng dùng' if one.retired_at else ''}"
        for one in found
    ]
    return "\n".join(lines) or "Chưa có mẫu riêng nào."


def _retire(office: Services, args: argparse.Namespace) -> str:
    retired = layouts.retire(office.begin, args.id, now=utc_now())
    return f"Mẫu {retired.name} phiên bản {retired.version} không dùng để soạn mới nữa. Văn bản đã soạn giữ nguyên."


DOES = {"check": _check, "add": _add, "list": _list, "retire": _retire}
