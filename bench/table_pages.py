"""Official pages with ruled tables that never were, and what stands in each of their cells.

A seed makes the same page again: 5 to 25 columns at 8 to 12 points, portrait or landscape; full grids, horizontal rules
only, dotted rules between rows, double frames, heads in two storeys, cells of several lines, rows that span the table;
then a seal over the cells, the scanner's grain, a lean of up to 1.5 degrees, 200 or 300 dpi and JPEG. All names are
made up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from api.demo import capture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_DPI = capture.DPI
_OWN = str(Path(__file__).parents[1] / "signing" / "fonts") + "/"
_SYSTEM = "/usr/share/fonts/truetype/"
_FONTS = (
    (_OWN + "LiberationSerif-Regular.ttf", _OWN + "LiberationSerif-Bold.ttf"),
    (_OWN + "LiberationSerif-Regular.ttf", _OWN + "LiberationSerif-Bold.ttf"),
    (_SYSTEM + "freefont/FreeSans.ttf", _SYSTEM + "freefont/FreeSansBold.ttf"),
    (_SYSTEM + "freefont/FreeSerif.ttf", _SYSTEM + "freefont/FreeSerifBold.ttf"),
    (_SYSTEM + "dejavu/DejaVuSerifCondensed.ttf", _SYSTEM + "dejavu/DejaVuSerifCondensed-Bold.ttf"),
    (_SYSTEM + "dejavu/DejaVuSansCondensed.ttf", _SYSTEM + "dejavu/DejaVuSansCondensed-Bold.ttf"),
)
_INK = (28, 28, 30)
_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô", "Lường", "Quách", "Nông", "Giàng")
_MIDDLE = ("Văn", "Thị", "Đức", "Hữu", "Thị Thu", "Quang", "Ngọc", "Xuân", "Mỹ", "A")
_GIVEN = (
    "Dương", "Hưng", "Thắng", "Khoa", "Tuấn", "Quyết", "Thuận", "Vỹ", "Hiếu", "Lượng", "Hương", "Quỳnh", "Nguyệt",
    "Thủy", "Hạnh", "Duyên", "Phượng", "Oanh", "Yến", "Lựu", "Khuyên", "Đạt", "Bổng", "Giáp", "Sửu",
)  # fmt: skip
_PLACES = ("Hòa Tiến", "An Phú", "Bình Khê", "Thượng Lâm", "Mỹ Đức", "Đồng Quang", "Vĩnh Hảo", "Tân Thuận", "Sơn Kỳ")
_AGENCIES = (
    "Ủy ban nhân dân xã {}", "Trường Tiểu học {}", "Trạm Y tế phường {}", "Phòng Kinh tế, Hạ tầng và Đô thị {}",
    "Trung tâm Phục vụ hành chính công {}", "Ban Quản lý dự án đầu tư xây dựng {}", "Hội Chữ thập đỏ xã {}",
    "Hợp tác xã dịch vụ nông nghiệp {}",
)  # fmt: skip
_NOTES = ("Hộ nghèo", "Hộ cận nghèo", "Đã duyệt", "Chuyển tiếp", "Con liệt sĩ", "Bổ sung đợt 2", "Khuyết tật nặng", "")
_GROUPS = ("Năm 2023", "Năm 2024", "Ước thực hiện", "Dự toán năm 2025", "Kinh phí hỗ trợ", "Chia theo nguồn vốn")
_FIGURES = (
    "Tổng số", "Dự toán", "Quyết toán", "So sánh (%)", "Ngân sách tỉnh", "Ngân sách xã", "Số hộ", "Số tiền",
    "Diện tích", "Đã cấp", "Còn lại", "Tỷ lệ (%)", "Vốn khác", "Kế hoạch", "Lũy kế", "Chi thường xuyên",
    "Đất ở", "Số người",
)  # fmt: skip
_WEIGHT = {"order": 0.55, "name": 2.4, "agency": 2.9, "born": 1.25, "place": 1.5, "symbol": 1.5, "note": 1.3}
_UNBROKEN = {"symbol": "2888/QĐ-UBND", "born": "28/08/1988", "order": "888"}
_HEADS = {
    "order": ("TT", "STT", "Số TT"), "name": ("Họ và tên", "Họ, chữ đệm và tên", "Chủ hộ"),
    "agency": ("Đơn vị", "Tên cơ quan, đơn vị", "Nội dung"), "born": ("Ngày sinh", "Ngày, tháng, năm sinh"),
    "place": ("Nơi cư trú", "Thôn, tổ dân phố"), "symbol": ("Số, ký hiệu văn bản", "Số quyết định"),
    "note": ("Ghi chú", "Đối tượng"),
}  # fmt: skip
_SECTIONS = ("Khối các xã, phường", "Các đơn vị sự nghiệp", "Vốn đầu tư công", "Đối tượng bảo trợ xã hội")


@dataclass(frozen=True)
class TrueCell:
    """One cell as printed: its place in the grid, its box on the straight page in pixels, its text line by line."""

    row: int
    column: int
    rows: int
    columns: int
    box: tuple[float, float, float, float]
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its lines with blanks between."""
        return " ".join(self.lines)


@dataclass(frozen=True)
class TablePage:
    """A page and its truth.

    Attributes:
        pixels: As scanned, RGB.
        lean_deg: How far it leans, counter-clockwise; cells' boxes are those of the page before it leant.
        around: Lines outside the table, each once, before and after it.
    """

    pixels: Pixels
    dpi: int
    lean_deg: float
    rules: str
    points: float
    sealed: bool
    cells: tuple[TrueCell, ...]
    around: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def columns(self) -> int:
        """How many columns the grid has."""
        return max(cell.column + cell.columns for cell in self.cells)

    @property
    def text(self) -> str:
        """Everything printed, the table row by row."""
        rows: dict[int, list[str]] = {}
        for cell in sorted(self.cells, key=lambda cell: (cell.row, cell.column)):
            rows.setdefault(cell.row, []).append(cell.text)
        return "\n".join([*self.around[0], *(" ".join(filter(None, row)) for row in rows.values()), *self.around[1]])


@dataclass
class _Sheet:
    """A page being drawn."""

    rng: Random
    landscape: bool
    regular: str
    bold: str
    image: Image.Image = field(init=False)
    draw: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        size = (capture.mm(297), capture.mm(210)) if self.landscape else (capture.mm(210), capture.mm(297))
        self.image = Image.new("RGB", size, (255, 255, 255))
        self.draw = ImageDraw.Draw(self.image)

    def font(self, points: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(self.bold if bold else self.regular, round(points / 72 * _DPI))

    def centred(self, text: str, x: float, y: float, points: float, *, bold: bool = False) -> str:
        self.draw.text((x, y), text, font=self.font(points, bold=bold), fill=_INK, anchor="ma")
        return text


def page(seed: int) -> TablePage:
    """The page that this seed makes."""
    rng = Random(seed)  # noqa: S311  a page to try, no secret
    columns = rng.choice((5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 21, 25))
    landscape = columns > 9 or rng.random() < 0.25
    points = rng.choice((8.0, 8.0, 9.0)) if columns > 12 else rng.choice((9.0, 10.0, 11.0, 12.0))
    sheet = _Sheet(rng, landscape, *rng.choice(_FONTS))
    rules = rng.choice(("grid", "grid", "grid", "dotted", "rows", "double"))
    before, top = _head(sheet)
    cells, bottom = _table(sheet, columns, points, top, rules)
    after = _foot(sheet, bottom)
    dpi = rng.choice((200, 300))
    sealed = rng.random() < 0.6
    lean = round(rng.uniform(-1.5, 1.5), 2)
    pixels = _scanned(np.asarray(sheet.image), rng, dpi=dpi, lean_deg=lean, seal_mm=_seal_place(rng, cells, sealed))
    scale = dpi / _DPI
    placed = tuple(
        TrueCell(c.row, c.column, c.rows, c.columns, tuple(side * scale for side in c.box), c.lines)  # type: ignore[arg-type]
        for c in cells
    )
    return TablePage(pixels, dpi, lean, rules, points, sealed, placed, (before, after))


def _head(sheet: _Sheet) -> tuple[tuple[str, ...], float]:
    rng, width = sheet.rng, sheet.image.width
    mm = capture.mm
    left, right, y = width * 0.27, width * 0.69, mm(14)
    place = rng.choice(_PLACES)
    lines = [sheet.centred("ỦY BAN NHÂN DÂN", left, y, 12, bold=True)]
    lines.append(sheet.centred(f"XÃ {place.upper()}", left, y + mm(5.5), 12, bold=True))
    lines.append(sheet.centred("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", right, y, 12, bold=True))
    lines.append(sheet.centred("Độc lập - Tự do - Hạnh phúc", right, y + mm(5.5), 12, bold=True))
    for x, half, below in ((left, mm(10), mm(11.2)), (right, mm(29), mm(11.2))):
        sheet.draw.line((x - half, y + below, x + half, y + below), fill=_INK, width=2)
    y += mm(16)
    number = f"{rng.randrange(3, 2900)}/QĐ-UBND ngày {rng.randrange(10, 28)}/{rng.randrange(10, 13)}/2025"
    for text, bold in (
        (
            rng.choice(("BIỂU TỔNG HỢP KẾT QUẢ THỰC HIỆN", "DANH SÁCH ĐƯỢC HỖ TRỢ KINH PHÍ", "BẢNG PHÂN BỔ DỰ TOÁN")),
            True,
        ),
        (f"(Kèm theo Quyết định số {number} của Ủy ban nhân dân xã {place})", False),
    ):
        lines.append(sheet.centred(text, width / 2, y, 12, bold=bold))
        y += mm(6)
    return tuple(lines), y + mm(4)


def _foot(sheet: _Sheet, y: float) -> tuple[str, ...]:
    mm, width, rng = capture.mm, sheet.image.width, sheet.rng
    lines = []
    for x, title in ((width * 0.28, "NGƯỜI LẬP BIỂU"), (width * 0.72, "CHỦ TỊCH")):
        lines.append(sheet.centred(title, x, y + mm(5), 12, bold=True))
        lines.append(sheet.centred(_name(rng), x, y + mm(24), 12, bold=True))
    return tuple(lines)


def _name(rng: Random) -> str:
    return f"{rng.choice(_FAMILY)} {rng.choice(_MIDDLE)} {rng.choice(_GIVEN)}"


def _table(sheet: _Sheet, columns: int, points: float, top: float, rules: str) -> tuple[list[TrueCell], float]:
    rng, mm = sheet.rng, capture.mm
    kinds = _kinds(rng, columns)
    left, right = mm(12 if columns > 12 else 18), sheet.image.width - mm(10 if columns > 12 else 14)
    font, bold = sheet.font(points), sheet.font(points, bold=True)
    edges = _edges(rng, kinds, font, left, right)
    contents = _header(rng, kinds)
    last_head = max(row for row, *_ in contents)
    contents += _body(rng, kinds, font, edges, start=last_head + 1)
    line, pad = points * 1.18 / 72 * _DPI, mm(0.9)
    heights: dict[int, float] = {}
    wrapped = []
    for row, column, rows, span, text in contents:
        face = bold if row <= last_head else font
        lines = _wrapped(text, face, edges[column + span] - edges[column] - 2 * pad)
        wrapped.append((row, column, rows, span, lines))
        needed = len(lines) * line + 2 * pad
        for r in range(row, row + rows):
            heights[r] = max(heights.get(r, line + 2 * pad), needed / rows)
    tops = [top]
    fits = sheet.image.height - mm(44)
    for row in sorted(heights):
        if tops[-1] + heights[row] > fits:
            break
        tops.append(tops[-1] + heights[row])
    shown = len(tops) - 1
    cells = []
    for row, column, rows, span, lines in wrapped:
        if row + rows > shown:
            continue
        box = (edges[column], tops[row], edges[column + span], tops[row + rows])
        head = row <= last_head
        align = "m" if head or (span > 1 and not head) else {"order": "m"}.get(kinds[column], "l")
        if not head and kinds[column] in {"money", "count", "percent"}:
            align = "r"
        _print_lines(sheet, lines, box, bold if head else font, line, pad, align)
        cells.append(TrueCell(row, column, rows, span, box, tuple(lines)))
    _rule(sheet, cells, rules, last_head)
    return cells, tops[shown]


def _edges(rng: Random, kinds: Sequence[str], font: ImageFont.FreeTypeFont, left: float, right: float) -> list[float]:
    """Where the columns begin and end: what can't be broken gets the width it needs, the rest is shared."""
    needed = [font.getlength(_UNBROKEN[kind]) + 2.2 * capture.mm(0.9) if kind in _UNBROKEN else 0 for kind in kinds]
    weights = [
        0 if need else _WEIGHT.get(kind, 1.0) * rng.uniform(0.9, 1.1) for kind, need in zip(kinds, needed, strict=True)
    ]
    share = (right - left - sum(needed)) / sum(weights)
    widths = [need or weight * share for need, weight in zip(needed, weights, strict=True)]
    return [left + sum(widths[:i]) for i in range(len(kinds) + 1)]


def _kinds(rng: Random, columns: int) -> list[str]:
    named = rng.choice(("name", "agency"))
    words = ["born", "place"] if named == "name" else ["symbol"]
    texts = [kind for kind in words if columns < 13 and rng.random() < 0.7]
    note = ["note"] if columns < 17 and rng.random() < 0.7 else []
    figures = columns - 2 - len(texts) - len(note)
    return [
        "order",
        named,
        *texts,
        *(rng.choice(("money", "money", "count", "percent")) for _ in range(figures)),
        *note,
    ]


def _header(rng: Random, kinds: Sequence[str]) -> list[tuple[int, int, int, int, str]]:
    """(row, column, rows, columns, text) of the head: one storey, or two with groups over the figures."""
    storeys = 2 if len(kinds) > 7 and rng.random() < 0.7 else 1
    cells, column = [], 0
    groups = rng.sample(_GROUPS, len(_GROUPS))
    figures = rng.sample(_FIGURES, len(_FIGURES)) * 2
    while column < len(kinds):
        kind = kinds[column]
        if kind in _HEADS:
            cells.append((0, column, storeys, 1, rng.choice(_HEADS[kind])))
            column += 1
            continue
        run = next((i for i in range(column, len(kinds)) if kinds[i] in _HEADS), len(kinds)) - column
        span = min(run, rng.randrange(2, 5))
        if storeys == 2 and span > 1 and groups:
            cells.append((0, column, 1, span, groups.pop()))
            cells += [(1, column + i, 1, 1, figures.pop()) for i in range(span)]
            column += span
        else:
            cells.append((0, column, storeys, 1, figures.pop()))
            column += 1
    if rng.random() < 0.4:
        cells += [(storeys, i, 1, 1, f"({i + 1})" if len(kinds) < 13 else str(i + 1)) for i in range(len(kinds))]
    return cells


def _body(
    rng: Random, kinds: Sequence[str], font: ImageFont.FreeTypeFont, edges: Sequence[float], *, start: int
) -> list[tuple[int, int, int, int, str]]:
    cells, order, sections = [], 0, rng.random() < 0.5
    magnitudes = [_magnitude(kind, font, edges[i + 1] - edges[i]) for i, kind in enumerate(kinds)]
    for row in range(start, start + 45):
        if sections and (row - start) % rng.choice((6, 8)) == 0 and len(kinds) > 2:
            cells.append((row, 0, 1, len(kinds), f"{'I' * rng.randrange(1, 4)}. {rng.choice(_SECTIONS)}"))
            continue
        order += 1
        for column, kind in enumerate(kinds):
            text = str(order) if kind == "order" else _value(rng, kind, magnitudes[column])
            cells.append((row, column, 1, 1, "" if column > 1 and rng.random() < 0.06 else text))
    return cells


def _magnitude(kind: str, font: ImageFont.FreeTypeFont, width: float) -> int:
    """How many digits a figure of this column may have."""
    most = {"money": 10, "count": 4, "percent": 3}.get(kind, 1)
    for digits in range(most, 1, -1):
        if font.getlength(f"{10**digits - 1:,}") <= width - 2 * capture.mm(1.1):
            return digits
    return 1


def _value(rng: Random, kind: str, digits: int) -> str:  # noqa: PLR0911  one line a kind
    match kind:
        case "name":
            return _name(rng)
        case "agency":
            return rng.choice(_AGENCIES).format(rng.choice(_PLACES))
        case "born":
            return f"{rng.randrange(1, 29):02}/{rng.randrange(1, 13):02}/{rng.randrange(1940, 2020)}"
        case "place":
            return f"Thôn {rng.randrange(1, 12)}, {rng.choice(_PLACES)}"
        case "symbol":
            return f"{rng.randrange(1, 3000)}/{rng.choice(('QĐ-UBND', 'TB-SNV', 'KH-UBND', 'TTr-STC'))}"
        case "note":
            return rng.choice(_NOTES)
        case "percent":
            return rng.choice((f"{rng.uniform(0, 10 ** (min(digits, 3) - 1)):.1f}".replace(".", ","), "100", "-"))
    value = rng.randrange(10 ** max(0, digits - 3), 10**digits)
    return f"{value:,}".replace(",", ".")


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _print_lines(
    sheet: _Sheet, lines: Sequence[str], box: tuple[float, float, float, float], font: ImageFont.FreeTypeFont,
    line: float, pad: float, align: str,
) -> None:  # fmt: skip
    left, top, right, bottom = box
    x = {"l": left + pad, "m": (left + right) / 2, "r": right - pad}[align]
    y = (top + bottom - len(lines) * line) / 2
    for index, text in enumerate(lines):
        sheet.draw.text((x, y + index * line), text, font=font, fill=_INK, anchor=f"{align}a")


def _rule(sheet: _Sheet, cells: Sequence[TrueCell], rules: str, last_head: int) -> None:
    width = sheet.rng.choice((2, 2, 3))
    outline = (
        min(c.box[0] for c in cells), min(c.box[1] for c in cells),
        max(c.box[2] for c in cells), max(c.box[3] for c in cells),
    )  # fmt: skip
    for cell in cells:
        left, top, right, bottom = cell.box
        solid = rules != "dotted" or cell.row <= last_head or bottom == outline[3]
        _line(sheet, (left, bottom, right, bottom), width, dotted=not solid)
        _line(sheet, (left, top, right, top), width, dotted=rules == "dotted" and cell.row > last_head + 1)
        if rules != "rows":
            _line(sheet, (left, top, left, bottom), width)
            _line(sheet, (right, top, right, bottom), width)
    if rules == "double":
        gap = capture.mm(0.6)
        sheet.draw.rectangle(
            (outline[0] - gap, outline[1] - gap, outline[2] + gap, outline[3] + gap), outline=_INK, width=width
        )


def _line(sheet: _Sheet, ends: tuple[float, float, float, float], width: int, *, dotted: bool = False) -> None:
    x0, y0, x1, y1 = ends
    if not dotted:
        sheet.draw.line(ends, fill=_INK, width=width)
        return
    for x in np.arange(x0, x1, 6.0):
        sheet.draw.line((x, y0, x + 2, y1), fill=_INK, width=width)


def _seal_place(rng: Random, cells: Sequence[TrueCell], sealed: bool) -> tuple[float, float] | None:  # noqa: FBT001
    if not sealed:
        return None
    cell = rng.choice([cell for cell in cells if cell.lines])
    return (cell.box[0] + cell.box[2]) / 2 / _DPI * 25.4, (cell.box[1] + cell.box[3]) / 2 / _DPI * 25.4


def _scanned(drawn: Pixels, rng: Random, *, dpi: int, lean_deg: float, seal_mm: tuple[float, float] | None) -> Pixels:
    noise = np.random.default_rng(rng.randrange(2**32))
    pixels = drawn
    if seal_mm:
        pixels = capture.press(
            pixels, _seal(), centre_mm=seal_mm, colour=capture.SEAL_RED, rng=noise, turn_deg=rng.uniform(-20, 20)
        )
    pixels = capture.skew(capture.scan(pixels, rng=noise), lean_deg)
    if dpi != _DPI:
        pixels = capture.resample(pixels, dpi)
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, rng.randrange(55, 88)])
    return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def _seal() -> NDArray[np.float32]:
    """A round seal of 36 mm: two rings, letters between them, a star."""
    side = capture.mm(38)
    middle, mask = side // 2, np.zeros((side, side), np.float32)
    for radius_mm, thickness_mm in ((18.0, 0.9), (16.8, 0.35), (11.5, 0.35)):
        cv2.circle(mask, (middle, middle), capture.mm(radius_mm), 1.0, capture.mm(thickness_mm), cv2.LINE_AA)
    image = Image.new("L", (side, side))
    font = ImageFont.truetype(_FONTS[0][1], capture.mm(3.6))
    for index, letter in enumerate("ỦY BAN NHÂN DÂN XÃ MẪU * TỈNH MẪU * "):
        turn = index * 10.0
        glyph = Image.new("L", (side, side))
        ImageDraw.Draw(glyph).text((middle, capture.mm(3.2)), letter, font=font, fill=255, anchor="ma")
        image.paste(255, mask=glyph.rotate(-turn, center=(middle, middle)))
    star = [
        (
            middle + capture.mm(5.5 if i % 2 == 0 else 2.2) * math.sin(math.pi * i / 5),
            middle - capture.mm(5.5 if i % 2 == 0 else 2.2) * math.cos(math.pi * i / 5),
        )
        for i in range(10)
    ]
    ImageDraw.Draw(image).polygon(star, fill=255)
    return np.maximum(mask, np.asarray(image, np.float32) / 255)
