"""The demo centre: offices, people and procedures to try everything with, all on one page.

Place names are Quảng Ninh's and serve as offices only; every person is made up, and every demo account has the one
password printed at start. Procedure codes look like national ones: check them before borrowing any.
"""

from __future__ import annotations

import os
import sys
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.demo.trust_service import DemoSubject
from dossiers import administration
from dossiers.calendar import local_day
from dossiers.labels import label
from dossiers.types import (
    Account,
    Agency,
    AgencyKind,
    ComponentKind,
    DigitisationProfile,
    NotFound,
    Procedure,
    Role,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dossiers.ports import Begin, UnitOfWork

#: Of every demo account. Production never loads this module's data.
PASSWORD: Final = "ho-so-so-demo"  # noqa: S105  stated to everybody, on purpose

PROVINCE: Final = "000.00.01.H49"
HONG_GAI: Final = "000.01.01.H49"
UONG_BI: Final = "000.02.01.H49"
CO_TO: Final = "000.03.01.H49"
POST_HONG_GAI: Final = "001.01.01.H49"
POST_CO_TO: Final = "001.03.01.H49"

#: Who walks a dossier through Hồng Gai in `hoso demo`.
POSTAL: Final = "buudien.honggai"
CLERK: Final = "motcua.honggai"
LEADER: Final = "giamdoc.honggai"

_NAMESPACE = uuid.UUID("5d0f6b0a-3a57-4d6e-9a55-0f2f6c7f4a11")
_PROVINCE_NAME = "Trung tâm Phục vụ hành chính công tỉnh Quảng Ninh"


@dataclass(frozen=True)
class Login:
    """A made-up person with an account."""

    username: str
    name: str
    agency: str
    roles: frozenset[Role]
    title: str = ""

    @property
    def user_id(self) -> uuid.UUID:
        """The same in every demo centre."""
        return uuid.uuid5(_NAMESPACE, self.username)


@dataclass(frozen=True)
class Signer:
    """Whom the demo trust service gives a certificate: a person, or an agency for its seal (no username)."""

    subject: DemoSubject
    agency: str
    username: str = ""


@dataclass(frozen=True)
class Centre:
    """Everything the demo centre is made of."""

    agencies: tuple[Agency, ...]
    logins: tuple[Login, ...]
    procedures: tuple[Procedure, ...]
    signers: tuple[Signer, ...]


def _commune(code: str, place: str, kind: str, profile: DigitisationProfile = DigitisationProfile.REVIEW) -> Agency:
    return Agency(
        code=code,
        name=f"Trung tâm Phục vụ hành chính công {kind} {place}",
        kind=AgencyKind.COMMUNE,
        parent=PROVINCE,
        parent_name=_PROVINCE_NAME,
        symbol="TTPVHCC",
        place=place,
        phone="0203 000 000",
        digitisation=profile,
    )


def _post_office(code: str, place: str, helps: str) -> Agency:
    return Agency(code=code, name=f"Bưu điện {place}", kind=AgencyKind.POST_OFFICE, parent=helps, place=place)


_AGENCIES = (
    Agency(
        code=PROVINCE,
        name=_PROVINCE_NAME,
        kind=AgencyKind.CENTRE,
        parent_name="Ủy ban nhân dân tỉnh Quảng Ninh",
        symbol="TTPVHCC",
        place="Quảng Ninh",
        phone="0203 000 001",
    ),
    _commune(HONG_GAI, "Hồng Gai", "phường"),
    _commune(UONG_BI, "Uông Bí", "phường", DigitisationProfile.CAPTURE),
    _commune(CO_TO, "Cô Tô", "đặc khu"),
    _post_office(POST_HONG_GAI, "Hồng Gai", HONG_GAI),
    _post_office(POST_CO_TO, "Cô Tô", CO_TO),
)


def _login(username: str, name: str, agency: str, *roles: Role, title: str = "") -> Login:
    return Login(username, name, agency, frozenset(roles), title)


_LOGINS = (
    _login("quantri", "Ngô Minh Khoa", PROVINCE, Role.ADMINISTRATOR),
    _login("quantri2", "Mạc Thị Thu Ngân", PROVINCE, Role.ADMINISTRATOR),
    _login("motcua.tinh", "Trịnh Thị Oanh", PROVINCE, Role.CLERK),
    _login("giamdoc.tinh", "Hoàng Đức Lượng", PROVINCE, Role.LEADER, title="Giám đốc"),
    _login("vanthu.tinh", "Phan Thị Hồng Yến", PROVINCE, Role.SEAL_KEEPER),
    _login(CLERK, "Vũ Thị Mỹ Duyên", HONG_GAI, Role.CLERK),
    _login(LEADER, "Đặng Quốc Vỹ", HONG_GAI, Role.LEADER, title="Giám đốc"),
    _login("vanthu.honggai", "Lê Kim Phượng", HONG_GAI, Role.SEAL_KEEPER),
    _login("motcua.uongbi", "Bùi Đình Hiếu", UONG_BI, Role.CLERK),
    _login("giamdoc.uongbi", "Dương Thị Thu Hạnh", UONG_BI, Role.LEADER, title="Giám đốc"),
    _login("vanthu.uongbi", "Đỗ Ngọc Mai", UONG_BI, Role.SEAL_KEEPER),
    _login("motcua.coto", "Đinh Xuân Thuận", CO_TO, Role.CLERK),
    _login("giamdoc.coto", "Phạm Hữu Quyết", CO_TO, Role.LEADER, title="Giám đốc"),
    _login("vanthu.coto", "Trần Phương Thảo", CO_TO, Role.SEAL_KEEPER),
    _login(POSTAL, "Nguyễn Thị Lựu", POST_HONG_GAI, Role.POSTAL),
    _login("buudien.coto", "Hoàng Văn Thắng", POST_CO_TO, Role.POSTAL),
)

_PROCEDURES = (
    Procedure(
        code="1.001612",
        name="Đăng ký thành lập hộ kinh doanh",
        field_name="Thành lập và hoạt động của hộ kinh doanh",
        components=(
            ComponentKind("TK", "Giấy đề nghị đăng ký hộ kinh doanh"),
            ComponentKind("DD", "Giấy tờ về địa điểm kinh doanh"),
            ComponentKind("HD", "Hợp đồng thuê kho, mặt bằng"),
            ComponentKind("CC", "Bản chụp giấy tờ tùy thân", required=False),
            ComponentKind("BB", "Biên bản họp thành viên hộ gia đình", required=False),
            ComponentKind("XN", "Giấy xác nhận đã nộp tiền thuê", required=False),
            ComponentKind("UQ", "Giấy ủy quyền", required=False),
        ),
        working_days=3,
        result_name="Giấy chứng nhận đăng ký hộ kinh doanh",
        result_symbol="GCN",
        result_template="certificate",
    ),
    Procedure(
        code="1.004873",
        name="Cấp giấy xác nhận tình trạng hôn nhân",
        field_name="Hộ tịch",
        components=(
            ComponentKind("TK", "Tờ khai cấp giấy xác nhận tình trạng hôn nhân"),
            ComponentKind("CC", "Bản chụp giấy tờ tùy thân"),
            ComponentKind("LH", "Giấy tờ chứng minh đã ly hôn hoặc vợ, chồng đã chết", required=False),
        ),
        working_days=3,
        result_name="Giấy xác nhận tình trạng hôn nhân",
        result_symbol="XN",
        result_template="confirmation",
    ),
    Procedure(
        code="1.001776",
        name="Thực hiện, điều chỉnh, thôi hưởng trợ cấp xã hội hằng tháng",
        field_name="Bảo trợ xã hội",
        components=(
            ComponentKind("TK", "Tờ khai đề nghị trợ cấp xã hội"),
            ComponentKind("CC", "Bản chụp giấy tờ tùy thân"),
            ComponentKind("KT", "Giấy xác nhận khuyết tật", required=False),
        ),
        working_days=10,
        result_name="Quyết định về trợ cấp xã hội hằng tháng",
        result_symbol="QĐ",
        result_template="decision",
    ),
    Procedure(
        code="1.012796",
        name="Đính chính giấy chứng nhận quyền sử dụng đất đã cấp",
        field_name="Đất đai",
        components=(
            ComponentKind("DN", "Đơn đề nghị đính chính"),
            ComponentKind("GC", "Giấy chứng nhận đã cấp"),
            ComponentKind("CM", "Giấy tờ chứng minh sai sót", required=False),
        ),
        working_days=8,
        result_name="Quyết định đính chính giấy chứng nhận",
        result_symbol="QĐ",
        result_template="decision",
    ),
    Procedure(
        code="1.009994",
        name="Cấp giấy phép xây dựng mới nhà ở riêng lẻ",
        field_name="Xây dựng",
        components=(
            ComponentKind("DN", "Đơn đề nghị cấp giấy phép xây dựng"),
            ComponentKind("QS", "Giấy tờ về quyền sử dụng đất"),
            ComponentKind("BV", "Bản vẽ thiết kế"),
        ),
        working_days=10,
        result_name="Giấy phép xây dựng nhà ở riêng lẻ",
        result_symbol="GP",
        result_template="licence",
    ),
    Procedure(
        code="1.008455",
        name="Cung cấp thông tin quy hoạch xây dựng",
        field_name="Quy hoạch xây dựng",
        components=(
            ComponentKind("DN", "Đơn đề nghị cung cấp thông tin quy hoạch"),
            ComponentKind("SD", "Sơ đồ vị trí khu đất", required=False),
        ),
        working_days=5,
        result_name="Công văn cung cấp thông tin quy hoạch xây dựng",
        result_symbol="QH",
        result_template="letter",
    ),
    Procedure(
        code="2.000908",
        name="Cấp bản sao từ sổ gốc",
        field_name="Chứng thực",
        components=(ComponentKind("DN", "Giấy đề nghị cấp bản sao"),),
        working_days=0,
        result_name="Bản sao từ sổ gốc",
        result_symbol="BS",
    ),
)


def _signers() -> tuple[Signer, ...]:
    """Leaders, seals, and the clerk who signs what she scans where the capture profile holds."""
    names = {agency.code: agency.name for agency in _AGENCIES}
    profiles = {agency.code: agency.digitisation for agency in _AGENCIES}
    people = tuple(
        Signer(
            DemoSubject(id=login.username.replace(".", "-"), name=login.name, organization=names[login.agency]),
            login.agency,
            login.username,
        )
        for login in _LOGINS
        if Role.LEADER in login.roles
        or (Role.CLERK in login.roles and profiles[login.agency] is DigitisationProfile.CAPTURE)
    )
    seals = tuple(
        Signer(DemoSubject(id=f"con-dau-{agency.code.replace('.', '-')}", name=agency.name), agency.code)
        for agency in _AGENCIES
        if agency.kind is not AgencyKind.POST_OFFICE
    )
    return people + seals


CENTRE: Final = Centre(_AGENCIES, _LOGINS, _PROCEDURES, _signers())
LOGINS: Final = CENTRE.logins
SIGNERS: Final = CENTRE.signers
SUBJECTS: Final = tuple(signer.subject for signer in SIGNERS)


def load(begin: Begin, *, hash_password: Callable[[str], str], now: datetime) -> None:
    """Add what of the demo centre isn't there yet. What is there stays as somebody may have changed it.

    Args:
        now: Agencies are valid from this day.
    """
    with begin() as work:
        agencies = {agency.code for agency in work.agencies.all()}
        procedures = {procedure.code for procedure in work.procedures.all()}
        people = {login.username for login in LOGINS if _has_account(work, login.username)}
    today = local_day(now)
    administration.keep_agencies(
        begin, [replace(a, valid_from=today) for a in CENTRE.agencies if a.code not in agencies]
    )
    administration.keep_procedures(begin, [p for p in CENTRE.procedures if p.code not in procedures])
    missing = [login for login in LOGINS if login.username not in people]
    password_hash = hash_password(PASSWORD) if missing else ""
    administration.keep_accounts(begin, [_account(login, password_hash) for login in missing])


def welcome(base_url: str) -> str:
    """What a newcomer reads when the demo centre is up: who may sign in, and three things to try."""
    names = {agency.code: agency.name for agency in CENTRE.agencies}
    rows = [(login.username, label(next(iter(login.roles))), names[login.agency]) for login in LOGINS]
    width = max(len(username) for username, _, _ in rows)
    hoso = os.path.relpath(Path(sys.executable).with_name("hoso"))
    people = "\n".join(f"  {username:<{width}}  {role}, {agency}" for username, role, agency in rows)
    return f"""
Trung tâm DEMO: người, dấu và chứng thư đều là bịa. (Made-up people, seals and certificates.)
Mật khẩu của mọi tài khoản (password of every account): {PASSWORD}

{people}

Ba việc để thử (three things to try):
  1. {hoso} demo --papers giay-mau
     viết 12 trang giấy tờ mẫu; mở {base_url}/dang-nhap bằng {POSTAL},
     tạo hồ sơ mới rồi thả chúng vào (makes sample papers: sign in, open a new dossier, drop them in)
  2. {hoso} demo
     một hồ sơ mẫu đi từ bản quét đến kết luận của người dân, tự chạy (the whole way, by itself)
  3. {hoso} doctor
     tự kiểm tra, nói bằng lời điều gì chưa ổn (says in words what is wrong, if anything)
"""


def _has_account(work: UnitOfWork, username: str) -> bool:
    try:
        work.accounts.of(username)
    except NotFound:
        return False
    return True


def _account(login: Login, password_hash: str) -> Account:
    return Account(
        user_id=login.user_id,
        username=login.username,
        name=login.name,
        agency=login.agency,
        roles=login.roles,
        password_hash=password_hash,
        title=login.title,
    )
