"""What official papers are made of: names, agencies, numbers and phrases, put together at random. Nobody is real."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from digitize import gazetteer

if TYPE_CHECKING:
    import random

_FAMILY = (
    "Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Lương Trịnh Khuất Tạ Quách Mai "
    "Lã Tống Vương Đoàn Giáp Thân Ninh Kiều Chử Lục Nông Bế Hà Cao Tô Từ Âu "
)
FAMILY = _FAMILY.split()
_MIDDLE = (
    "Văn Thị Đức Minh Thanh Quốc Hữu Ngọc Thu Bích Kim Xuân Đình Công Duy Gia Bảo Hoàng Khánh Tuấn Mạnh Quang "
    "Thùy Diệu Hải Phương Hồng Trọng Viết Thế "
)
MIDDLE = _MIDDLE.split()
_GIVEN = (
    "An Ánh Bình Cường Chi Châu Dũng Dung Đạt Điệp Giang Hà Hạnh Hằng Hiếu Hiền Hòa Hoài Huệ Hùng Hương Khải Khoa "
    "Kiên Lan Lâm Liên Linh Loan Lộc Long Lựu Mai Nam Nga Ngân Nghĩa Nhung Oanh Phúc Phượng Quân Quyên Quý Sơn "
    "Tâm Tấn Thảo Thắng Thịnh Thoa Thuận Thưởng Tiến Toàn Trang Trí Tuyết Tùng Uyên Vân Việt Vinh Vượng Xuyến Yến "
    "Ý Tú Tuân "
)
GIVEN = _GIVEN.split()
_STREETS = (
    "Trần Phú,Lê Lợi,Nguyễn Trãi,Hùng Vương,Bà Triệu,Lý Thường Kiệt,Hoàng Diệu,Tô Hiệu,Điện Biên Phủ,Phan Bội Châu,"
    "Quang Trung,Ngô Quyền,Võ Thị Sáu,Khâm Thiên,Cửa Đông,Hàng Bún,Kênh Liêm,Giếng Đồn,Cao Thắng,Lê Thánh Tông"
)
STREETS = _STREETS.split(",")
DEPARTMENTS = (
    ("Xây dựng", "SXD"),
    ("Tài chính", "STC"),
    ("Nội vụ", "SNV"),
    ("Tư pháp", "STP"),
    ("Y tế", "SYT"),
    ("Công Thương", "SCT"),
    ("Giáo dục và Đào tạo", "SGDĐT"),
    ("Nông nghiệp và Môi trường", "SNNMT"),
    ("Khoa học và Công nghệ", "SKHCN"),
    ("Văn hóa, Thể thao và Du lịch", "SVHTTDL"),
    ("Dân tộc và Tôn giáo", "SDTTG"),
)
SECTIONS = (
    ("Kinh tế, Hạ tầng và Đô thị", "KTHTĐT"),
    ("Văn hóa - Xã hội", "VHXH"),
    ("Kinh tế", "KT"),
    ("Tư pháp", "TP"),
    ("Nội vụ", "NV"),
)
_UNITS = "VX NC KT TH TD QLĐT TNMT XD TCHC KSTT NNMT HCTP "
UNITS = _UNITS.split()
DOING = (
    "cấp giấy phép xây dựng nhà ở riêng lẻ",
    "phê duyệt quy hoạch chi tiết xây dựng",
    "giao đất, cho thuê đất",
    "cho phép chuyển mục đích sử dụng đất",
    "công bố danh mục thủ tục hành chính",
    "bổ nhiệm công chức giữ chức vụ lãnh đạo",
    "thành lập Tổ công tác rà soát hồ sơ",
    "hỗ trợ kinh phí cho các hộ bị thiệt hại do bão",
    "điều chỉnh dự toán thu, chi ngân sách nhà nước",
    "đính chính thông tin trên giấy chứng nhận",
    "thu hồi giấy phép khai thác khoáng sản",
    "kiểm tra công tác phòng cháy, chữa cháy",
    "tăng cường kỷ luật, kỷ cương hành chính",
    "triển khai số hóa hồ sơ, kết quả giải quyết thủ tục hành chính",
    "trả lời kiến nghị của cử tri",
    "đăng ký biến động đất đai",
    "giải quyết chế độ trợ cấp xã hội hằng tháng",
    "nghiệm thu công trình đường giao thông nông thôn",
)
ABOUT = (
    "trên địa bàn",
    "tại",
    "của Ủy ban nhân dân",
    "thuộc phạm vi quản lý của",
    "theo đề nghị của Ủy ban nhân dân",
)
PURPOSE = (
    "phục vụ công tác quản lý nhà nước năm {y}",
    "giai đoạn {y} - {z}",
    "theo Quyết định số {n}/QĐ-UBND ngày {d} của Ủy ban nhân dân tỉnh",
    "theo Nghị quyết số {n}/NQ-HĐND",
    "quý IV năm {y}",
    "và các nội dung có liên quan",
    "tại Thông báo số {n}/TB-UBND ngày {d}",
)
BODY = (
    (
        "Thực hiện chỉ đạo của cấp có thẩm quyền, đơn vị đã phối hợp với các cơ quan liên quan rà soát hồ sơ, "
        "đối chiếu quy định hiện hành và lấy ý kiến của người dân trong khu vực."
    ),
    "Qua kiểm tra, hồ sơ đủ thành phần, đúng trình tự; thời gian giải quyết bảo đảm theo giấy hẹn trả kết quả.",
    (
        "Các cơ quan, đơn vị được giao nhiệm vụ chủ động xây dựng kế hoạch, bố trí nhân lực và kinh phí, báo cáo "
        "kết quả trước ngày 25 hằng tháng."
    ),
    "Trong quá trình thực hiện, nếu có vướng mắc, đề nghị phản ánh kịp thời để được hướng dẫn, giải quyết.",
    "Kinh phí thực hiện được bố trí từ nguồn ngân sách theo phân cấp và các nguồn hợp pháp khác.",
    "Việc niêm yết công khai được thực hiện tại trụ sở trong thời gian 15 ngày làm việc.",
)
LAWS = (
    ("Luật Tổ chức chính quyền địa phương", "QH15"),
    ("Luật Đất đai", "QH15"),
    ("Luật Xây dựng", "QH13"),
    ("Luật Ngân sách nhà nước", "QH13"),
    ("Luật Hộ tịch", "QH13"),
)
DECREES = ("quy định chi tiết một số điều của luật", "về công tác văn thư", "về thực hiện thủ tục hành chính")


@dataclass(frozen=True)
class Person:
    name: str
    woman: bool
    born: date
    number: str


@dataclass(frozen=True)
class Agency:
    """parent: "" when there is none; seat: what stands before the date; rank: "commune", "province" or "department"."""

    name: str
    parent: str
    seat: str
    rank: str
    code: str
    province: gazetteer.Province
    commune: gazetteer.Commune


def person(rng: random.Random, *, wrong_number: bool = False) -> Person:
    woman = rng.random() < 0.5
    middle = "Thị" if woman and rng.random() < 0.5 else rng.choice(MIDDLE)
    names = [rng.choice(FAMILY), middle, *([rng.choice(MIDDLE)] if rng.random() < 0.3 else []), rng.choice(GIVEN)]
    born = date(1940, 1, 1) + timedelta(days=rng.randrange(365 * 66))
    sign = 2 * (born.year // 100 - 19) + woman
    if wrong_number:
        sign = (sign + 1) % 4
    province = rng.choice(("001", "002", "022", "031", "038", "040", "048", "079", "091", "096"))
    number = f"{province}{sign}{born.year % 100:02d}{rng.randrange(10**6):06d}"
    return Person(" ".join(names), woman, born, number)


def tax_code(rng: random.Random, *, wrong: bool = False) -> str:
    """Ten digits, the last of them the check digit."""
    while True:
        nine = [rng.randrange(10) for _ in range(9)]
        check = 10 - sum(w * d for w, d in zip((31, 29, 23, 19, 17, 13, 7, 5, 3), nine, strict=True)) % 11
        if check < 10:
            last = (check + 3) % 10 if wrong else check
            return "".join(map(str, nine)) + str(last)


def place(rng: random.Random) -> tuple[gazetteer.Province, gazetteer.Commune]:
    province = rng.choice(gazetteer.provinces())
    return province, rng.choice(province.communes)


def address(rng: random.Random, province: gazetteer.Province, commune: gazetteer.Commune) -> str:
    first = rng.choice(
        (
            f"số {rng.randint(1, 400)} đường {rng.choice(STREETS)}",
            f"tổ {rng.randint(1, 20)}, khu {rng.randint(1, 9)}",
            f"thôn {rng.choice(GIVEN)} {rng.choice(GIVEN)}",
            f"số {rng.randint(1, 90)}, ngõ {rng.randint(1, 200)}, phố {rng.choice(STREETS)}",
            f"thôn {rng.randint(1, 12)}",
        )
    )
    return f"{first}, {commune.kind} {commune.name}, {province.kind} {province.name}"


def agency(rng: random.Random) -> Agency:
    province, commune = place(rng)
    upper = f"{province.kind} {province.name}".upper()
    rank = rng.choices(("commune", "province", "department", "section", "centre"), (5, 3, 4, 2, 2))[0]
    seat = province.name
    if rank == "commune":
        name = f"ỦY BAN NHÂN DÂN {commune.kind} {commune.name}".upper()
        if rng.random() < 0.25:
            name = name.replace("ỦY BAN NHÂN DÂN", "UBND")
        parent = rng.choice(("", f"ỦY BAN NHÂN DÂN {upper}", f"UBND {upper}"))
        return Agency(name, parent, commune.name, rank, "UBND", province, commune)
    if rank == "province":
        return Agency(f"ỦY BAN NHÂN DÂN {upper}", "", seat, rank, "UBND", province, commune)
    if rank == "section":
        section, code = rng.choice(SECTIONS)
        parent = f"UBND {commune.kind} {commune.name}".upper()
        return Agency(f"PHÒNG {section}".upper(), parent, commune.name, rank, f"P{code}", province, commune)
    if rank == "centre":
        parent = f"UBND {commune.kind} {commune.name}".upper()
        name = "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG"
        return Agency(name, parent, commune.name, rank, "TTPVHCC", province, commune)
    department, code = rng.choice(DEPARTMENTS)
    return Agency(f"SỞ {department}".upper(), f"UBND {upper}", seat, rank, code, province, commune)


def spoken(day: date) -> str:
    """As Decree 30 writes it: a leading 0 on days below 10 and on the months 1 and 2."""
    month = f"{day.month:02d}" if day.month < 3 else str(day.month)
    return f"ngày {day.day:02d} tháng {month} năm {day.year}"


def numbered(number: int) -> str:
    return f"{number:02d}"


def subject(rng: random.Random, commune: gazetteer.Commune, *, pieces: int) -> str:
    """What a paper is about: 1 to 5 lines, now and then with another paper's number and date in it."""
    text = rng.choice(DOING)
    if pieces > 1:
        text += f" {rng.choice(ABOUT)} {commune.kind} {commune.name}"
    for phrase in rng.sample(PURPOSE, k=max(0, pieces - 2)):
        year = rng.randint(2021, 2026)
        day = f"{rng.randint(1, 28):02d}/{rng.randint(1, 12):02d}/{year}"
        text += ", " + phrase.format(y=year, z=year + 5, n=rng.randint(10, 4000), d=day)
    return text


def legal_bases(rng: random.Random, count: int) -> list[str]:
    """Each with another paper's number and date: what must not be taken for this paper's own."""
    found = []
    for _ in range(count):
        day = date(2012, 1, 1) + timedelta(days=rng.randrange(365 * 13))
        law, congress = rng.choice(LAWS)
        found.append(
            rng.choice(
                (
                    f"Căn cứ {law} số {rng.randint(10, 99)}/{day.year}/{congress} {spoken(day)}",
                    f"Căn cứ {law} {spoken(day)}",
                    (
                        f"Căn cứ Nghị định số {rng.randint(10, 190)}/{day.year}/NĐ-CP {spoken(day)} của Chính phủ "
                        f"{rng.choice(DECREES)}"
                    ),
                    (
                        f"Căn cứ Quyết định số {rng.randint(10, 4000)}/QĐ-UBND {spoken(day)} của Ủy ban nhân dân tỉnh "
                        f"về việc {rng.choice(DOING)}"
                    ),
                    (
                        f"Theo đề nghị của Trưởng phòng {rng.choice(SECTIONS)[0]} tại Tờ trình "
                        f"số {rng.randint(2, 900)}/TTr-P"
                        f" {spoken(day)}"
                    ),
                    f"Xét đề nghị của Giám đốc Sở {rng.choice(DEPARTMENTS)[0]}",
                )
            )
        )
    first = f"Căn cứ {rng.choice(LAWS)[0]} {spoken(date(2015, 1, 1) + timedelta(days=rng.randrange(3600)))}"
    return list(dict.fromkeys([first, *found[1:]]))
