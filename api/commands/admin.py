"""`hoso admin …`: fill an instance with agencies, people, procedures and certificates, one by one or from a file."""

from __future__ import annotations

import getpass
import os
import secrets
import sys
import tomllib
import unicodedata
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.commands import template_admin, trust_admin
from api.commands.trust_admin import BadEntry
from api.errors import OUTCOMES
from api.key_folder import KeyFolder
from api.sign_in import hash_password
from api.wiring import Services, wire
from dossiers import administration
from dossiers.labels import label
from dossiers.types import (
    Account,
    Agency,
    AgencyKind,
    CertificateRecord,
    ComponentKind,
    DigitisationProfile,
    KeyHeld,
    OfficeError,
    PinAsked,
    Procedure,
    Role,
)
from signing import pkcs11, trust
from signing.keys import open_pkcs12, read_passphrase_file
from signing.locators import RemoteKey, TokenKey
from signing.types import SigningRefused

if TYPE_CHECKING:
    import argparse

_UNREADABLE = 65
_OWNER_ONLY = 0o600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`hoso admin agency|user|procedure|certificate add|import`, `hoso admin template|trust …`."""
    things = parser.add_subparsers(
        dest="thing", required=True, metavar="agency|user|procedure|certificate|template|trust"
    )
    _agency(things.add_parser("agency", help="cơ quan"))
    _user(things.add_parser("user", help="người dùng"))
    _procedure(things.add_parser("procedure", help="thủ tục hành chính"))
    _certificate(things.add_parser("certificate", help="chứng thư ký và chứng thư trung gian"))
    template_admin.add_arguments(things.add_parser("template", help="mẫu văn bản riêng của cơ quan"))
    trust_admin.add_arguments(things.add_parser("trust", help="gốc tin cậy: một người thêm, người thứ hai xác nhận"))


def run(args: argparse.Namespace) -> int:
    """Do it and say so in a sentence; 0 done, 65 a file that can't be used, 1 refused."""
    office = wire()
    try:
        print(_DOES[args.thing, args.act](office, args))
    except (BadEntry, OSError, tomllib.TOMLDecodeError, ValueError) as error:
        print(f"Không nhập được: {error}. Chưa có gì thay đổi.", file=sys.stderr)
        return _UNREADABLE
    except (OfficeError, SigningRefused) as error:
        print(f"Không thực hiện được ({_why(error)}). Chưa có gì thay đổi.", file=sys.stderr)
        return 1
    finally:
        office.close()
    return 0


def _why(error: Exception) -> str:
    """What the pages say of this error, and its own words where it has any."""
    outcome = OUTCOMES.get(type(error))
    told = outcome.vi.title.rstrip(".") if outcome else type(error).__name__
    return f"{told}: {error}" if str(error) else told


def _agency(parser: argparse.ArgumentParser) -> None:
    add = _acts(parser, "TOML: [[agency]] code, name, kind, parent, parent_name, letterhead, symbol, place, …")
    add.add_argument("--code", required=True)
    add.add_argument("--name", required=True)
    add.add_argument("--kind", required=True, choices=[k.value for k in AgencyKind])
    for option in ("parent", "parent-name", "letterhead", "symbol", "place", "phone"):
        add.add_argument(f"--{option}", default=None)
    add.add_argument("--digitisation", choices=[p.value for p in DigitisationProfile])


def _user(parser: argparse.ArgumentParser) -> None:
    add = _acts(parser, "TOML: [[user]] username, name, agency, roles, title; mật khẩu đầu tiên ghi ra tệp 0600")
    add.add_argument("--username", required=True)
    add.add_argument("--name", required=True)
    add.add_argument("--agency", required=True)
    add.add_argument("--role", action="append", required=True, dest="roles", choices=[r.value for r in Role])
    add.add_argument("--title", default="", help="chức vụ in trên văn bản; bắt buộc với lãnh đạo")
    add.add_argument("--password-file", type=Path, help="tệp 0600; không có thì hỏi tại chỗ")


def _procedure(parser: argparse.ArgumentParser) -> None:
    add = _acts(parser, "TOML: [[procedure]] code, name, working_days, result_name, result_symbol, components, …")
    add.add_argument("--code", required=True)
    add.add_argument("--name", required=True)
    add.add_argument("--working-days", required=True, type=int)
    add.add_argument("--result-name", required=True)
    add.add_argument("--result-symbol", required=True)
    add.add_argument("--result-template", default="")
    add.add_argument(
        "--component",
        action="append",
        required=True,
        dest="components",
        metavar="MÃ=TÊN",
        help="thêm '?' sau mã: không bắt buộc",
    )


def _certificate(parser: argparse.ArgumentParser) -> None:
    add = _acts(parser, "chứng thư trung gian PEM/DER của cơ quan chứng thực; gốc tin cậy: hoso admin trust add")
    add.add_argument("--agency", required=True)
    add.add_argument("--user", default="", help="chủ chứng thư; bỏ trống: con dấu của cơ quan")
    add.add_argument(
        "--held",
        type=KeyHeld,
        choices=list(KeyHeld),
        default=KeyHeld.FOLDER,
        help="khóa ở đâu: folder tệp PKCS#12 (mặc định); own_token thiết bị của người ký; pkcs11 token/HSM ở máy ký; "
        "remote dịch vụ ký từ xa (CSC)",
    )
    add.add_argument("--p12", type=Path, help="folder: tệp khóa")
    add.add_argument("--passphrase-file", type=Path, help="folder: tệp 0600; không có thì hỏi tại chỗ")
    add.add_argument(
        "--certificate",
        type=Path,
        metavar="FILE",
        help="nơi khác: chứng thư của khóa, PEM hoặc DER; token có sẵn thì thôi",
    )
    add.add_argument("--module", help="pkcs11: thư viện của nhà sản xuất (.so), đường dẫn đầy đủ")
    add.add_argument("--token-label", help="pkcs11: nhãn của token")
    add.add_argument("--key-label", default="", help="pkcs11: nhãn của khóa")
    add.add_argument("--key-id", default="", metavar="HEX", help="pkcs11: mã của khóa, thay cho nhãn")
    add.add_argument("--service-url", help="remote: địa chỉ dịch vụ, https://")
    add.add_argument("--credential-id", help="remote: mã chứng thư ở dịch vụ")
    add.add_argument(
        "--pin-asked",
        type=PinAsked,
        choices=list(PinAsked),
        default=None,
        help="pkcs11, remote: người ký gõ mã PIN khi nào; never: để trong --secret-file (mặc định với con dấu); "
        "batch: một lần cho cả đợt (mặc định với người ký); signature: mỗi chữ ký một lần",
    )
    add.add_argument(
        "--secret-file", type=Path, help="pkcs11: tệp 0600 chứa mã PIN; remote: chứa thẻ truy cập (token) của dịch vụ"
    )
    add.add_argument("--picture", type=Path, help="chữ ký (xanh) hoặc con dấu (đỏ), PNG/SVG nền trong suốt")


def _acts(parser: argparse.ArgumentParser, what_file: str) -> argparse.ArgumentParser:
    acts = parser.add_subparsers(dest="act", required=True, metavar="add|import")
    imported = acts.add_parser("import", help="nhập từ tệp")
    imported.add_argument("files", nargs="+", type=Path, help=what_file)
    added: argparse.ArgumentParser = acts.add_parser("add", help="thêm hoặc sửa một mục")
    return added


def _add_agency(office: Services, args: argparse.Namespace) -> str:
    names = ("code", "name", "kind", "parent", "parent_name", "letterhead", "symbol", "place", "phone", "digitisation")
    row = {n: getattr(args, n) for n in names if getattr(args, n) is not None}
    administration.keep_agencies(office.begin, [_read_agency(row)])
    return f"Đã lưu cơ quan {args.code}."


def _import_agencies(office: Services, args: argparse.Namespace) -> str:
    agencies = [_read_agency(row) for row in _rows(args.files, "agency")]
    administration.keep_agencies(office.begin, agencies)
    return f"Đã lưu {len(agencies)} cơ quan."


def _add_user(office: Services, args: argparse.Namespace) -> str:
    password = read_passphrase_file(args.password_file).decode() if args.password_file else _ask_twice("Mật khẩu")
    names = ("username", "name", "agency", "roles", "title")
    administration.keep_accounts(office.begin, [_read_account({n: getattr(args, n) for n in names}, password)])
    return f"Đã lưu người dùng {args.username}."


def _import_users(office: Services, args: argparse.Namespace) -> str:
    """First passwords are made here and written to a file only its owner can read, to be handed out and deleted."""
    passwords = {}
    accounts = []
    for row in _rows(args.files, "user"):
        password = secrets.token_urlsafe(12)
        account = _read_account(row, password)
        accounts.append(account)
        passwords[account.username] = password
    handout = args.files[0].with_suffix(".passwords")
    descriptor = os.open(handout, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{username}\t{password}\n" for username, password in passwords.items())
    try:
        administration.keep_accounts(office.begin, accounts)
    except BaseException:
        handout.unlink()
        raise
    return f"Đã lưu {len(accounts)} người dùng. Mật khẩu đầu tiên ở {handout}: phát cho từng người rồi xóa tệp."


def _add_procedure(office: Services, args: argparse.Namespace) -> str:
    components = []
    for text in args.components:
        code, equals, name = text.partition("=")
        if not equals or not name.strip():
            raise BadEntry(f"--component {text!r}: viết MÃ=TÊN")
        components.append({"code": code.rstrip("?"), "name": name, "required": not code.endswith("?")})
    names = ("code", "name", "working_days", "result_name", "result_symbol", "result_template")
    row = {n: getattr(args, n) for n in names} | {"components": components}
    administration.keep_procedures(office.begin, [_read_procedure(row)])
    return f"Đã lưu thủ tục {args.code}."


def _import_procedures(office: Services, args: argparse.Namespace) -> str:
    procedures = [_read_procedure(row) for row in _rows(args.files, "procedure")]
    administration.keep_procedures(office.begin, procedures)
    return f"Đã lưu {len(procedures)} thủ tục."


def _add_certificate(office: Services, args: argparse.Namespace) -> str:
    picture = args.picture.read_bytes() if args.picture else None
    folder = KeyFolder(office.keys_folder)
    if args.held is KeyHeld.FOLDER:
        record = _add_key(office, folder, args, picture)
    else:
        record = _add_note(office, folder, args, picture)
    where = f" Khóa: {label(record.held)}."
    listed = trust_admin.refresh(office)
    return f"Đã nhận chứng thư {record.subject}, hiệu lực đến {record.valid_to:%d/%m/%Y}.{where} {listed}"


def _add_key(office: Services, folder: KeyFolder, args: argparse.Namespace, picture: bytes | None) -> CertificateRecord:
    """Take a PKCS#12 file in."""
    if args.p12 is None:
        raise BadEntry("thiếu --p12")
    passphrase = (
        read_passphrase_file(args.passphrase_file)
        if args.passphrase_file
        else getpass.getpass("Mật khẩu của tệp PKCS#12: ").encode()
    )
    key = open_pkcs12(args.p12, passphrase)
    chain = [key.certificate_der, *key.chain_der]
    trust_admin.refuse_demo(chain)  # before anything is written
    with folder.take_in(args.p12, passphrase, agency=args.agency, owner=args.user, picture=picture) as (record, _):
        administration.keep_certificate(office.begin, record, chain=chain)
    return record


def _add_note(
    office: Services, folder: KeyFolder, args: argparse.Namespace, picture: bytes | None
) -> CertificateRecord:
    """Note a certificate whose key is on a token or with a service."""
    where = _where(args)
    if args.certificate:
        chain = trust.load([args.certificate]).anchors
    elif isinstance(where, TokenKey):
        chain = tuple(pkcs11.certificates(where))
    else:
        chain = ()
    if not chain:
        raise BadEntry("thiếu --certificate: tệp chứng thư của người ký, PEM hoặc DER (token không có sẵn chứng thư)")
    trust_admin.refuse_demo(chain)
    pin_asked = _pin_asked(args)
    with folder.take_note(
        chain[0],
        agency=args.agency,
        owner=args.user,
        held=args.held,
        at=where,
        pin_asked=pin_asked,
        opens=read_passphrase_file(args.secret_file) if args.secret_file else None,
        picture=picture,
    ) as record:
        administration.keep_certificate(office.begin, record, chain=chain)
    return record


def _where(args: argparse.Namespace) -> TokenKey | RemoteKey | None:
    match args.held:
        case KeyHeld.PKCS11:
            return TokenKey(args.module or "", args.token_label or "", args.key_label, bytes.fromhex(args.key_id))
        case KeyHeld.REMOTE:
            return RemoteKey((args.service_url or "").rstrip("/"), args.credential_id or "")
    return None


def _pin_asked(args: argparse.Namespace) -> PinAsked:
    """How often; a seal signs by itself, so that nobody can be asked for it."""
    if args.held is KeyHeld.OWN_TOKEN:
        return PinAsked.NEVER
    asked: PinAsked = args.pin_asked or (PinAsked.BATCH if args.user else PinAsked.NEVER)
    if not args.user and asked is not PinAsked.NEVER:
        raise BadEntry("con dấu được ký tự động, không có ai để hỏi mã PIN: dùng --pin-asked never và --secret-file")
    if args.secret_file is None and (asked is PinAsked.NEVER or args.held is KeyHeld.REMOTE):
        raise BadEntry("thiếu --secret-file")
    if args.secret_file and asked is not PinAsked.NEVER and args.held is KeyHeld.PKCS11:
        raise BadEntry("mã PIN được gõ khi ký thì không để trong tệp: bỏ --secret-file, hoặc dùng --pin-asked never")
    return asked


def _import_certificates(office: Services, args: argparse.Namespace) -> str:
    certificates = trust.load(args.files).anchors
    if not certificates:
        raise BadEntry("không có chứng thư nào trong các tệp này")
    trust_admin.refuse_demo(certificates)
    administration.add_intermediates(office.begin, certificates)
    return f"Đã thêm {len(certificates)} chứng thư trung gian. {trust_admin.refresh(office)}"


def _rows(files: list[Path], thing: str) -> list[dict[str, Any]]:
    rows = [row for file in files for row in tomllib.loads(file.read_text("utf-8")).get(thing, [])]
    if not rows:
        raise BadEntry(f"không thấy mục [[{thing}]] nào")
    return rows


def _read_agency(row: dict[str, Any]) -> Agency:
    agency: Agency = _made(Agency, row, kind=AgencyKind, digitisation=DigitisationProfile)
    return agency


def _read_account(row: dict[str, Any], password: str) -> Account:
    account: Account = _made(
        Account,
        row | {"user_id": uuid.uuid4(), "password_hash": hash_password(password)},
        roles=lambda roles: frozenset(Role(r) for r in roles),
    )
    return account


def _read_procedure(row: dict[str, Any]) -> Procedure:
    procedure: Procedure = _made(Procedure, row, components=lambda rows: tuple(_made(ComponentKind, r) for r in rows))
    return procedure


def _made(cls: Any, row: dict[str, Any], **turn: Any) -> Any:
    """A dataclass from a row: text in NFC, some values turned, and the row named when it doesn't fit."""
    values = {k: unicodedata.normalize("NFC", v).strip() if isinstance(v, str) else v for k, v in row.items()}
    try:
        return cls(**{k: turn[k](v) if k in turn else v for k, v in values.items()})
    except (TypeError, ValueError) as error:
        named = row.get("code") or row.get("username") or "?"
        raise BadEntry(f"mục {named}: {error}") from error


def _ask_twice(what: str) -> str:
    first = getpass.getpass(f"{what}: ")
    if first != getpass.getpass(f"{what}, gõ lại: "):
        raise BadEntry("hai lần gõ không giống nhau")
    return first


_DOES = {
    ("agency", "add"): _add_agency,
    ("agency", "import"): _import_agencies,
    ("user", "add"): _add_user,
    ("user", "import"): _import_users,
    ("procedure", "add"): _add_procedure,
    ("procedure", "import"): _import_procedures,
    ("certificate", "add"): _add_certificate,
    ("certificate", "import"): _import_certificates,
    **{("trust", act): does for act, does in trust_admin.DOES.items()},
    **{("template", act): does for act, does in template_admin.DOES.items()},
}
