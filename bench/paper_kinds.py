"""The kinds of papers an office sees, each a pure function of its seed: decisions, letters, permits, applications."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from bench import paper_words as words
from bench.paper import BOTTOM, LEFT, LEFT_COLUMN, RIGHT, RIGHT_COLUMN, Paper, Setter

#: Name of the type, its abbreviation, and whether legal bases stand before the body.
TYPES = (
    ("Quyết định", "QĐ", True),
    ("Nghị quyết", "NQ", True),
    ("Chỉ thị", "CT", False),
    ("Thông báo", "TB", False),
    ("Báo cáo", "BC", False),
    ("Tờ trình", "TTr", False),
    ("Kế hoạch", "KH", True),
    ("Hướng dẫn", "HD", False),
    ("Chương trình", "CTr", False),
    ("Phương án", "PA", False),
    ("Giấy mời", "GM", False),
    ("Giấy giới thiệu", "GGT", False),
    ("Công điện", "CĐ", False),
)
PERMITS = (
    ("Giấy phép xây dựng", "GPXD"),
    ("Giấy xác nhận", "GXN"),
    ("Giấy chứng nhận", "GCN"),
    ("Giấy phép", "GP"),
    ("Trích lục", "TL"),
)
POSITIONS = {
    "commune": (("CHỦ TỊCH", "PHÓ CHỦ TỊCH"), "TM. ỦY BAN NHÂN DÂN"),
    "province": (("CHỦ TỊCH", "PHÓ CHỦ TỊCH"), "TM. ỦY BAN NHÂN DÂN"),
    "department": (("GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"), ""),
    "centre": (("GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"), ""),
    "section": (("TRƯỞNG PHÒNG", "PHÓ TRƯỞNG PHÒNG"), ""),
}


@dataclass
class Draft:
    """A paper being made."""

    rng: random.Random
    setter: Setter
    agency: words.Agency
    issued_on: date
    number: int
    truth: dict[str, str] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)

    @property
    def full_address(self) -> str:
        return words.address(self.rng, self.agency.province, self.agency.commune)


def make(seed: int) -> Paper:
    """One paper; kinds come in turn with the seed's chance."""
    rng = random.Random(f"paper-{seed}")  # noqa: S311  a paper, not a secret
    face = "liberation" if rng.random() < 0.75 else "dejavu"
    size = rng.choice((13.0, 13.5, 14.0)) if face == "liberation" else rng.choice((11.5, 12.0))
    issued_on = date(2019, 1, 1) + timedelta(days=rng.randrange(365 * 7))
    draft = Draft(
        rng, Setter(face, size), words.agency(rng), issued_on, rng.choice((rng.randint(1, 99), rng.randint(100, 9999)))
    )
    kind = rng.choices(("typed", "letter", "permit", "application"), (9, 5, 5, 4))[0]
    {"typed": _typed, "letter": _letter, "permit": _permit, "application": _application}[kind](draft)
    return Paper(kind, face, draft.setter.sheets(), dict(sorted(draft.truth.items())), frozenset(draft.doubtful))


def make_land(seed: int) -> Paper:
    """A land certificate in the layout of 2009 to 2024, or of Circular 10/2024 with eight digits."""
    rng = random.Random(f"land-{seed}")  # noqa: S311  a paper, not a secret
    face = "liberation" if rng.random() < 0.75 else "dejavu"
    issued_on = date(2010, 1, 1) + timedelta(days=rng.randrange(365 * 15))
    draft = Draft(rng, Setter(face, rng.choice((11.5, 12.0, 13.0))), words.agency(rng), issued_on, rng.randint(1, 9999))
    _land(draft)
    return Paper("land", face, draft.setter.sheets(), dict(sorted(draft.truth.items())), frozenset(draft.doubtful))


def _land(draft: Draft) -> None:
    rng, setter, agency = draft.rng, draft.setter, draft.agency
    new = rng.random() < 0.4
    setter.put("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", align="centre", style="b")
    setter.put("Độc lập - Tự do - Hạnh phúc", align="centre", style="b")
    setter.y += 16
    setter.put("GIẤY CHỨNG NHẬN", align="centre", style="b", size=18)
    name = "QUYỀN SỞ HỮU TÀI SẢN" if new else "QUYỀN SỞ HỮU NHÀ Ở VÀ TÀI SẢN KHÁC"
    setter.put(f"QUYỀN SỬ DỤNG ĐẤT, {name} GẮN LIỀN VỚI ĐẤT", align="centre", style="b")
    setter.y += 10
    setter.put(
        f"{'1' if new else 'I'}. Người sử dụng đất, chủ sở hữu {'tài sản' if new else 'nhà ở và tài sản khác'} "
        "gắn liền với đất:",
        style="b",
    )
    owner = words.person(rng)
    born = f"Năm sinh: {owner.born.year}, CCCD số: {owner.number}"
    setter.put(f"{'Bà' if owner.woman else 'Ông'}: {owner.name}", indent=18)
    setter.put(born, indent=18)
    setter.put(f"Địa chỉ thường trú: {draft.full_address}.", indent=18)
    _parcel(draft, new=new)
    setter.y += 10
    right = (300.0, RIGHT)
    setter.put(
        f"{agency.seat}, {words.spoken(draft.issued_on)}", between=right, align="centre", style="i", size=setter.size
    )
    setter.put("CHI NHÁNH VĂN PHÒNG ĐĂNG KÝ ĐẤT ĐAI", between=right, align="centre", style="b")
    setter.put("GIÁM ĐỐC", between=right, align="centre", style="b")
    setter.mark("seal", rng.uniform(318, 350), setter.y + 30, 50)
    setter.y += 62
    setter.put(words.person(rng).name, between=right, align="centre", style="b")
    register = f"{rng.choice(('CH', 'CS', 'CT', 'VP', 'CN'))}{rng.choice(('', ' '))}{rng.randint(1, 99999):05d}"
    called = rng.choice(("Số vào sổ cấp GCN", "Số vào sổ cấp Giấy chứng nhận"))
    setter.put(f"{called}: {register}", between=(LEFT, 290))
    letters = "".join(rng.choice("ABCDĐEGHKLMNPQRSTUVXY") for _ in range(2))
    serial = f"{letters} {rng.randrange(10 ** (8 if new else 6)):0{8 if new else 6}d}"
    setter.y += 14
    label = "Số phát hành: " if rng.random() < 0.2 else ""
    setter.put(f"{label}{serial}", between=right, align="right", style="b", size=setter.size + 1)
    draft.truth |= {"land_serial": serial, "land_register": register}


def _parcel(draft: Draft, *, new: bool) -> None:
    rng, setter = draft.rng, draft.setter
    parcel, sheet = str(rng.randint(1, 2999)), str(rng.randint(1, 220))
    if new:
        setter.put("2. Thông tin thửa đất:", style="b")
        setter.put(f"a) Thửa đất số: {parcel}; tờ bản đồ số: {sheet}", indent=18)
    else:
        setter.put("II. Thửa đất, nhà ở và tài sản khác gắn liền với đất", style="b")
        setter.put("1. Thửa đất:", indent=18)
        if rng.random() < 0.3:
            setter.put(f"a) Thửa đất số: {parcel}", indent=18)
            setter.put(f"Tờ bản đồ số: {sheet}", indent=18)
        else:
            setter.put(f"a) Thửa đất số: {parcel}, tờ bản đồ số: {sheet},", indent=18)
    area = f"{rng.randint(40, 900)},{rng.randint(0, 9)}"
    setter.put(f"b) Địa chỉ: {draft.full_address}", indent=18)
    setter.put(f"c) Diện tích: {area} m2", indent=18)
    setter.put("d) Hình thức sử dụng: riêng", indent=18)
    setter.put(f"đ) Mục đích sử dụng: đất ở tại {rng.choice(('đô thị', 'nông thôn'))}", indent=18)
    setter.put("e) Thời hạn sử dụng: lâu dài", indent=18)
    setter.put("g) Nguồn gốc sử dụng: Nhà nước giao đất có thu tiền sử dụng đất", indent=18)
    draft.truth |= {"parcel": parcel, "map_sheet": sheet}


def _head(draft: Draft, symbol: str, *, subject: str = "") -> None:
    rng, setter, agency = draft.rng, draft.setter, draft.agency
    size = setter.size - rng.choice((0.0, 0.5, 1.0))
    top = setter.y
    if rng.random() < 0.3:
        _incoming_stamp(draft)
    setter.y = top
    if agency.parent:
        setter.put(agency.parent, between=LEFT_COLUMN, align="centre", size=size)
    setter.put(agency.name, between=LEFT_COLUMN, align="centre", style="b", size=size)
    setter.mark("rule", 130, setter.y + 5, 60)
    left = setter.y
    setter.y = top
    title = rng.choice(("CỘNG HÒA", "CỘNG HOÀ"))
    setter.put(f"{title} XÃ HỘI CHỦ NGHĨA VIỆT NAM", between=RIGHT_COLUMN, align="centre", style="b", size=size - 0.5)
    setter.put("Độc lập - Tự do - Hạnh phúc", between=RIGHT_COLUMN, align="centre", style="b", size=size)
    setter.mark("rule", 325, setter.y + 5, 165)
    row = max(left, setter.y) + rng.uniform(3, 10)
    setter.y = row
    number = words.numbered(draft.number)
    colon = rng.choice((":", ":", ":", ""))
    gap = rng.choice(("", "", "", " "))
    setter.put(f"Số{colon} {number}{gap}/{symbol}", between=LEFT_COLUMN, align="centre", size=size)
    if subject:
        setter.put(f"V/v {subject}", between=(LEFT_COLUMN[0] + 8, LEFT_COLUMN[1] - 8), align="centre", size=size - 0.5)
        draft.truth["abstract"] = subject
    left = setter.y
    setter.y = row
    setter.put(
        f"{agency.seat}, {words.spoken(draft.issued_on)}", between=RIGHT_COLUMN, align="centre", style="i", size=size
    )
    setter.y = max(left, setter.y) + rng.uniform(6, 18)
    draft.truth |= {
        "number": number,
        "symbol": symbol,
        "issued_on": draft.issued_on.isoformat(),
        "place": agency.seat,
        "agency": agency.name,
    }
    if agency.parent:
        draft.truth["parent_agency"] = agency.parent


def _incoming_stamp(draft: Draft) -> None:
    """Another office's number and date, in the top margin or far left beside the title."""
    rng, setter = draft.rng, draft.setter
    later = draft.issued_on + timedelta(days=rng.randint(1, 9))
    between = rng.choice(((30.0, 150.0), (440.0, 560.0)))
    setter.y = rng.uniform(6, 16)
    setter.put("CÔNG VĂN ĐẾN", between=between, size=9, style="b", lead=1.1)
    setter.put(f"Số: {rng.randint(100, 9999)}", between=between, size=9, lead=1.1)
    setter.put(f"Ngày: {later:%d/%m/%Y}", between=between, size=9, lead=1.1)


def _title(draft: Draft, name: str, subject: str) -> None:
    rng, setter = draft.rng, draft.setter
    setter.put(name.upper(), align="centre", style="b", size=setter.size + rng.choice((0, 1)))
    if subject:
        said = rng.choice(("Về việc ", "Về việc ", "V/v ", ""))
        shown = said + subject if said else subject[0].upper() + subject[1:]
        setter.put(shown, between=(LEFT + 35, RIGHT - 35), align="centre", style="b")
        draft.truth["abstract"] = subject if said else shown
        setter.mark("rule", 270, setter.y + 6, 80)
        setter.y += 8
    draft.truth["document_type"] = name


def _body(draft: Draft, *, least: int = 1, most: int = 5) -> None:
    rng, setter = draft.rng, draft.setter
    for index in range(rng.randint(least, most)):
        text = rng.choice(words.BODY)
        if rng.random() < 0.3:
            day = words.spoken(draft.issued_on - timedelta(days=rng.randint(20, 400)))
            text += f" Xem Công văn số {rng.randint(5, 3000)}/UBND-{rng.choice(words.UNITS)} {day}."
        setter.put(f"{index + 1}. {text}", align="justify", indent=36)


def _typed(draft: Draft) -> None:
    rng, setter, agency = draft.rng, draft.setter, draft.agency
    name, short, with_bases = rng.choice(TYPES)
    head = agency.code
    symbol = rng.choice((f"{short}-{head}", f"{short}-{head}", f"{short}-{rng.choice(words.UNITS)}"))
    _head(draft, symbol)
    _title(draft, name, words.subject(rng, agency.commune, pieces=rng.randint(1, 5)))
    if with_bases:
        if name == "Quyết định":
            setter.put(f"CHỦ TỊCH {agency.name}", align="centre", style="b")
        bases = words.legal_bases(rng, rng.randint(1, 5))
        for index, base in enumerate(bases):
            end = "." if index == len(bases) - 1 else ";"
            setter.put(base + end, align="justify", style="i", indent=36)
        draft.truth["legal_bases"] = "\n".join(bases)
        if name in ("Quyết định", "Nghị quyết"):
            setter.put(f"{name.upper()}:", align="centre", style="b")
    elif name in ("Tờ trình", "Báo cáo") and rng.random() < 0.7:
        setter.put(f"Kính gửi: Ủy ban nhân dân {agency.province.kind} {agency.province.name}.", align="centre")
    _body(draft, most=rng.choice((3, 4, 6, 12)))
    if name == "Quyết định" and rng.random() < 0.4:
        until = draft.issued_on + timedelta(days=rng.randint(100, 3000))
        setter.put(f"Điều 3. Quyết định này có hiệu lực đến hết {words.spoken(until)}.", align="justify", indent=36)
        draft.truth["valid_until"] = until.isoformat()
    _foot(draft)
    if rng.random() < 0.15:
        _annex(draft, name)


def _letter(draft: Draft) -> None:
    rng, setter, agency = draft.rng, draft.setter, draft.agency
    head = "UBND" if agency.code == "UBND" else agency.code
    _head(
        draft, f"{head}-{rng.choice(words.UNITS)}", subject=words.subject(rng, agency.commune, pieces=rng.randint(1, 3))
    )
    draft.truth["document_type"] = "Công văn"
    setter.y += 8
    setter.put(f"Kính gửi: Sở {rng.choice(words.DEPARTMENTS)[0]}.", align="centre")
    setter.y += 8
    _body(draft, most=5)
    _foot(draft)


def _permit(draft: Draft) -> None:
    rng, setter, agency = draft.rng, draft.setter, draft.agency
    name, short = rng.choice(PERMITS)
    _head(draft, f"{short}-{agency.code}" if rng.random() < 0.6 else short)
    _title(draft, name, "")
    setter.y += 6
    setter.put(f"{agency.name} xác nhận:", indent=36)
    if rng.random() < 0.3:
        _organisation(draft)
    else:
        _individual(draft, rng.choice(("Cấp cho {}", "Họ và tên", "Ông/Bà", "Chứng nhận {}")))
    if rng.random() < 0.5:
        code = f"H{rng.randint(10, 64)}.{rng.randint(1, 99)}-{draft.issued_on:%y%m%d}-{rng.randint(1, 9999):04d}"
        setter.put(f"Mã hồ sơ: {code}", indent=36)
        draft.truth["dossier_code"] = code
    if rng.random() < 0.3:
        code = f"KQ.G{rng.randint(10, 99)}.{rng.randint(0, 999999):06d}"
        setter.put(f"Mã loại giấy tờ: {code}", indent=36)
        draft.truth["type_code"] = code
    _body(draft, most=2)
    if rng.random() < 0.7:
        until = draft.issued_on + timedelta(days=rng.randint(100, 3000))
        shown = rng.choice((words.spoken(until), f"ngày {until:%d/%m/%Y}"))
        setter.put(rng.choice(("Thời hạn hiệu lực: đến ", "Giấy này có giá trị đến ")) + shown + ".", indent=36)
        draft.truth["valid_until"] = until.isoformat()
    if rng.random() < 0.5:
        scope = rng.choice(
            (
                "toàn quốc",
                f"{agency.province.kind} {agency.province.name}",
                f"địa bàn {agency.commune.kind} {agency.commune.name}",
            )
        )
        setter.put(f"Phạm vi hiệu lực: {scope}.", indent=36)
        draft.truth["scope"] = scope
    _foot(draft)


def _individual(draft: Draft, called: str) -> words.Person:
    """Name, birth, sex, number and address; the number now and then contradicts birth or sex, which must be said."""
    rng, setter = draft.rng, draft.setter
    wrong = rng.random() < 0.12
    owner = words.person(rng, wrong_number=wrong)
    shown = owner.name.upper() if rng.random() < 0.5 else owner.name
    setter.put(f"{called.format('bà' if owner.woman else 'ông')}: {shown}", indent=36)
    draft.truth["owner_name"] = shown
    sex = "Nữ" if owner.woman else "Nam"
    setter.put(f"Ngày sinh: {owner.born:%d/%m/%Y}. Giới tính: {sex}. Quốc tịch: Việt Nam", indent=36)
    if rng.random() < 0.15:
        number = str(rng.randrange(10**8, 10**9))
        setter.put(f"{rng.choice(('CMND số', 'Số CMND'))}: {number}", indent=36)
    else:
        number = owner.number
        called = rng.choice(("Số định danh cá nhân", "Số CCCD", "Căn cước công dân số", "Số định danh cá nhân/CCCD"))
        issued = draft.issued_on - timedelta(days=rng.randint(30, 900))
        more = f", cấp ngày {issued:%d/%m/%Y}" if rng.random() < 0.4 else ""
        setter.put(f"{called}: {number}{more}", indent=36)
        if wrong:
            draft.doubtful.add("owner_id")
    draft.truth["owner_id"] = number
    lives = draft.full_address
    setter.put(f"{rng.choice(('Nơi thường trú', 'Địa chỉ thường trú', 'Địa chỉ', 'Nơi cư trú'))}: {lives}.", indent=36)
    draft.truth["owner_address"] = lives
    return owner


def _organisation(draft: Draft) -> None:
    rng, setter = draft.rng, draft.setter
    kind = rng.choice(("CÔNG TY TNHH", "CÔNG TY CỔ PHẦN", "HỢP TÁC XÃ", "DOANH NGHIỆP TƯ NHÂN"))
    name = f"{kind} {rng.choice(words.GIVEN)} {rng.choice(words.GIVEN)} {rng.choice(words.MIDDLE)}".upper()
    setter.put(f"{rng.choice(('Tên tổ chức', 'Tên doanh nghiệp', 'Cấp cho'))}: {name}", indent=36)
    draft.truth["owner_name"] = name
    wrong = rng.random() < 0.1
    code = words.tax_code(rng, wrong=wrong)
    if rng.random() < 0.2:
        code += f"-{rng.randint(1, 99):03d}"
    setter.put(f"{rng.choice(('Mã số thuế', 'Mã số doanh nghiệp/Mã số thuế', 'MST'))}: {code}", indent=36)
    draft.truth["tax_code"] = code
    if wrong:
        draft.doubtful.add("tax_code")
    seat = draft.full_address
    setter.put(f"{rng.choice(('Địa chỉ trụ sở chính', 'Trụ sở chính', 'Địa chỉ trụ sở'))}: {seat}.", indent=36)
    draft.truth["owner_address"] = seat


def _application(draft: Draft) -> None:
    """A form that a citizen fills in on a computer: no number, the date at the bottom."""
    rng, setter, agency = draft.rng, draft.setter, draft.agency
    title = rng.choice(("CỘNG HÒA", "CỘNG HOÀ"))
    if rng.random() < 0.3:
        setter.put("Mẫu số 01", align="right", between=(470, RIGHT), size=11)
    setter.put(f"{title} XÃ HỘI CHỦ NGHĨA VIỆT NAM", align="centre", style="b")
    setter.put("Độc lập - Tự do - Hạnh phúc", align="centre", style="b")
    setter.mark("rule", 235, setter.y + 5, 165)
    setter.y += 14
    name = rng.choice(("Đơn đề nghị", "Tờ khai", "Đơn xin xác nhận", "Giấy ủy quyền"))
    _title(draft, name, words.subject(rng, agency.commune, pieces=rng.randint(1, 2)))
    setter.put(f"Kính gửi: Ủy ban nhân dân {agency.commune.kind} {agency.commune.name}", align="centre")
    owner = _individual(draft, rng.choice(("Họ và tên", "Họ, chữ đệm, tên", "Tôi tên là", "Người đề nghị")))
    if rng.random() < 0.5:
        setter.put(f"Điện thoại: 09{rng.randrange(10**8):08d}", indent=36)
    _body(draft, most=3)
    setter.put("Tôi cam đoan những lời khai trên là đúng sự thật.", indent=36)
    setter.y += 8
    right = (300.0, RIGHT)
    setter.put(f"{agency.seat}, {words.spoken(draft.issued_on)}", between=right, align="centre", style="i")
    setter.put(rng.choice(("NGƯỜI LÀM ĐƠN", "NGƯỜI KHAI", "NGƯỜI ĐỀ NGHỊ")), between=right, align="centre", style="b")
    setter.put("(Ký và ghi rõ họ tên)", between=right, align="centre", style="i", size=11)
    setter.mark("pen", 380, setter.y + 30, 60)
    setter.y += 55
    setter.put(owner.name, between=right, align="centre", style="b")
    draft.truth |= {"issued_on": draft.issued_on.isoformat(), "place": agency.seat, "signer": owner.name}


def _foot(draft: Draft) -> None:
    rng, setter, agency = draft.rng, draft.setter, draft.agency
    if setter.y + 170 > BOTTOM:
        setter.new_page()
    setter.y += 8
    top, right = setter.y, (300.0, RIGHT)
    lines, position = _power(rng, agency.rank)
    for line in dict.fromkeys((*lines, position)):
        setter.put(line, between=right, align="centre", style="b")
    below = setter.y
    setter.mark("seal", rng.uniform(318, 350), below + rng.uniform(15, 35), 50)
    setter.mark("pen", 385, below + 34, 60)
    setter.y = below + rng.uniform(58, 75)
    signer = words.person(rng).name
    setter.put(signer, between=right, align="centre", style="b")
    draft.truth |= {"signer": signer, "position": position}
    if lines:
        draft.truth["power"] = "\n".join(lines)
    right_bottom, setter.y = setter.y, top
    listed = _recipients(draft)
    setter.put("Nơi nhận:", between=(LEFT, 280), style="bi", size=12)
    for index, one in enumerate(listed):
        end = "." if index == len(listed) - 1 else ";"
        setter.put(f"- {one}{end}", between=(LEFT, 280), size=11, lead=1.15)
    draft.truth["recipients"] = "\n".join(listed)
    setter.y = max(setter.y, right_bottom)


def _recipients(draft: Draft) -> list[str]:
    rng, agency = draft.rng, draft.agency
    others = [
        "Như Điều 3",
        "Như trên",
        f"UBND {agency.province.kind} {agency.province.name} (b/c)",
        "TT Đảng ủy, HĐND (b/c)",
        "Chủ tịch, các PCT UBND",
        f"Sở {rng.choice(words.DEPARTMENTS)[0]}",
        f"Phòng {rng.choice(words.SECTIONS)[0]}",
        f"Cổng Thông tin điện tử {agency.province.kind} {agency.province.name}",
        "Các cơ quan, đơn vị trực thuộc và các tổ chức đoàn thể trên địa bàn",
    ]
    archive = f"Lưu: VT, {rng.choice(words.UNITS)}"
    if rng.random() < 0.3:
        archive += f".{words.person(rng).name.split()[-1]}"
    return [*rng.sample(others, k=rng.randint(1, 5)), archive]


def _power(rng: random.Random, rank: str) -> tuple[list[str], str]:
    (chief, deputy), on_behalf = POSITIONS[rank]
    lines = [on_behalf] if on_behalf else []
    how = rng.random()
    if how < 0.35:
        return lines, chief
    if how < 0.75:
        return [*lines, f"KT. {chief}"], deputy
    if how < 0.87:
        return [f"TL. {chief}"], rng.choice(
            ("CHÁNH VĂN PHÒNG", "CHÁNH VĂN PHÒNG HỘI ĐỒNG NHÂN DÂN VÀ ỦY BAN NHÂN DÂN", "TRƯỞNG PHÒNG NỘI VỤ")
        )
    if how < 0.95:
        return [f"TUQ. {chief}"], rng.choice(("GIÁM ĐỐC TRUNG TÂM", "PHÓ CHÁNH VĂN PHÒNG", "TRƯỞNG PHÒNG"))
    return [*lines, f"Q. {chief}"], f"Q. {chief}"


def _annex(draft: Draft, name: str) -> None:
    """On a page of its own, with the draft of another paper whose number, date and signer are not this one's."""
    rng, setter = draft.rng, draft.setter
    setter.new_page()
    setter.put("PHỤ LỤC", align="centre", style="b")
    said = (
        f"(Kèm theo {name} số {words.numbered(draft.number)}/{draft.truth['symbol']} {words.spoken(draft.issued_on)})"
    )
    setter.put(said, align="centre", style="i")
    _body(draft, most=4)
    if rng.random() < 0.5:
        right = (300.0, RIGHT)
        later = draft.issued_on + timedelta(days=30)
        setter.put(
            f"{draft.agency.seat}, ngày     tháng {later.month} năm {later.year}",
            between=right,
            align="centre",
            style="i",
        )
        setter.put("TRƯỞNG BAN", between=right, align="centre", style="b")
        setter.y += 60
        setter.put(words.person(rng).name, between=right, align="centre", style="b")
