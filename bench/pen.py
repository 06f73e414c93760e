"""Measure how surely pen ink is told from print where a document's number and day stand.

    python bench/pen.py [--pages 60] [--seed 1] [--keep FOLDER]

Draws heads of documents as Decree 30 lays them out, in several typefaces, weights and slants, coloured, grey and
bitonal. The number and the day are printed with the rest, filled in by a hand-like pen (jittered splines, blue or
black, 3 to 7 pixels thick at 300 dpi, touching print or not), left blank, or set in afterwards by another program
(other size, off the line). Each head is read by the pipeline's own reader. Prints misses and false alarms of
`digitize.pen`, each with the upper bound of its 95% interval (Clopper and Pearson). The same seed always draws the
same heads.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).parents[1]))

from digitize import pen, reading
from digitize.cleaning import ink
from digitize.recognition import hocr, tesseract
from digitize.types import OcrPage, PageFlags, PageImage, PenZone, ReadPage

DPI = 300
WIDTH, HEIGHT = 2480, 1180
HOW = ("print", "pen", "blank", "set in")

#: Upright, bold, italic, bold italic.
FONTS = {
    "liberation serif": "LiberationSerif-{Regular,Bold,Italic,BoldItalic}.ttf",
    "free serif": "/usr/share/fonts/truetype/freefont/FreeSerif{,Bold,Italic,BoldItalic}.ttf",
    "dejavu serif": "/usr/share/fonts/truetype/dejavu/DejaVuSerif{,-Bold,-Italic,-BoldItalic}.ttf",
    "dejavu sans": "/usr/share/fonts/truetype/dejavu/DejaVuSans{,-Bold,-Oblique,-BoldOblique}.ttf",
    "free sans": "/usr/share/fonts/truetype/freefont/FreeSans{,Bold,Oblique,BoldOblique}.ttf",
}
#: What the decree prescribes looks like these.
TIMES = ("liberation serif", "free serif")
_FOLDER = Path(__file__).parents[1] / "signing" / "fonts"

#: Digits as hands write them: strokes of points, x and y from 0 to 1 (y down), several ways each.
HAND: dict[str, list[list[list[tuple[float, float]]]]] = {
    "0": [
        [[(0.55, 0.02), (0.15, 0.2), (0.08, 0.65), (0.4, 0.98), (0.8, 0.75), (0.85, 0.3), (0.55, 0.02), (0.4, 0.06)]],
        [[(0.7, 0.08), (0.3, 0.05), (0.05, 0.5), (0.3, 0.95), (0.75, 0.9), (0.95, 0.45), (0.65, 0.0)]],
    ],
    "1": [
        [[(0.15, 0.3), (0.55, 0.02), (0.45, 1.0)]],
        [[(0.6, 0.0), (0.4, 1.0)]],
        [[(0.05, 0.45), (0.6, 0.0), (0.55, 0.5), (0.5, 1.0)]],
        [[(0.2, 0.25), (0.55, 0.0), (0.5, 1.0)], [(0.2, 1.0), (0.85, 0.96)]],
    ],
    "2": [
        [[(0.1, 0.25), (0.4, 0.0), (0.8, 0.2), (0.6, 0.6), (0.05, 0.98), (0.5, 0.93), (0.98, 0.97)]],
        [[(0.15, 0.2), (0.5, 0.0), (0.8, 0.3), (0.4, 0.8), (0.1, 0.95), (0.25, 0.75), (0.55, 0.95), (1.0, 0.85)]],
    ],
    "3": [
        [[(0.1, 0.12), (0.5, 0.0), (0.8, 0.2), (0.35, 0.45), (0.85, 0.65), (0.6, 0.98), (0.05, 0.9)]],
        [[(0.1, 0.03), (0.85, 0.03), (0.4, 0.4), (0.85, 0.6), (0.65, 0.95), (0.05, 0.92)]],
    ],
    "4": [
        [[(0.45, 0.0), (0.05, 0.65), (0.95, 0.6)], [(0.7, 0.3), (0.6, 1.0)]],
        [[(0.2, 0.0), (0.1, 0.5), (0.8, 0.48)], [(0.75, 0.05), (0.7, 1.0)]],
    ],
    "5": [
        [[(0.8, 0.03), (0.25, 0.05), (0.15, 0.42), (0.6, 0.38), (0.85, 0.7), (0.5, 1.0), (0.05, 0.9)]],
        [[(0.25, 0.05), (0.15, 0.45), (0.65, 0.45), (0.75, 0.8), (0.05, 0.98)], [(0.25, 0.05), (0.9, 0.0)]],
    ],
    "6": [
        [[(0.75, 0.0), (0.25, 0.35), (0.1, 0.8), (0.5, 1.0), (0.85, 0.75), (0.5, 0.5), (0.12, 0.75)]],
        [[(0.5, 0.0), (0.12, 0.55), (0.3, 0.98), (0.8, 0.85), (0.65, 0.55), (0.2, 0.7)]],
    ],
    "7": [
        [[(0.05, 0.08), (0.9, 0.02), (0.55, 0.5), (0.35, 1.0)], [(0.2, 0.52), (0.8, 0.47)]],
        [[(0.1, 0.15), (0.15, 0.03), (0.9, 0.05), (0.4, 1.0)], [(0.25, 0.5), (0.85, 0.5)]],
        [[(0.05, 0.05), (0.95, 0.0), (0.3, 1.0)]],
    ],
    "8": [
        [[(0.75, 0.12), (0.35, 0.02), (0.2, 0.28), (0.75, 0.65), (0.6, 0.98), (0.15, 0.85), (0.3, 0.55), (0.8, 0.15)]],
        [[(0.5, 0.48), (0.15, 0.2), (0.5, 0.0), (0.8, 0.2), (0.45, 0.5), (0.1, 0.8), (0.5, 1.0), (0.85, 0.75),
          (0.5, 0.48)]],
    ],
    "9": [
        [[(0.8, 0.2), (0.4, 0.02), (0.15, 0.3), (0.5, 0.5), (0.8, 0.2), (0.7, 1.0)]],
        [[(0.8, 0.25), (0.45, 0.0), (0.12, 0.25), (0.4, 0.5), (0.82, 0.15), (0.75, 0.7), (0.2, 1.0)]],
    ],
}  # fmt: skip

AGENCIES = (
    ("ỦY BAN NHÂN DÂN", "PHƯỜNG HÒA THUẬN"), ("SỞ NỘI VỤ", "TỈNH AN HẢI"), ("UBND XÃ ĐỒNG TIẾN", "VĂN PHÒNG"),
    ("BỘ NỘI VỤ", "CỤC VĂN THƯ"), ("HỘI ĐỒNG NHÂN DÂN", "TỈNH TÂN SƠN"), ("CHI CỤC THUẾ", "KHU VỰC 7"),
)  # fmt: skip
PLACES = ("An Hải", "Hòa Thuận", "Đồng Tiến", "Tân Sơn", "Phú Lộc", "Bình Minh")
KINDS = ("QĐ", "TB", "BC", "TTr", "CT", "KH", "GP", "CV")
UNITS = ("UBND", "SNV", "HĐND", "VP", "CCT", "BNV")
BODY = (
    "Căn cứ Luật Tổ chức chính quyền địa phương số 72/2025/QH15 ngày 16 tháng 6 năm 2025;",
    "Theo đề nghị của Chánh Văn phòng tại Tờ trình số 115/TTr-VP ngày 04 tháng 8 năm 2025.",
    "Điều 1. Phê duyệt danh sách kèm theo quyết định này và giao các đơn vị thực hiện.",
)


@dataclass(frozen=True)
class Head:
    """A drawn head: how its number and day were written, and the page."""

    page: PageImage
    how: dict[PenZone, str]
    look: str


def draw(random: Random) -> Head:
    """One head, drawn by chance."""
    font_name = random.choice([*FONTS, *TIMES, *TIMES])
    size = random.choice((50, 54, 54, 58))
    how = {zone: random.choices(HOW, (40, 45, 8, 7))[0] for zone in (PenZone.NUMBER, PenZone.DAY)}
    canvas = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
    black = (random.randint(10, 50),) * 3
    sheet = _Sheet(canvas, font_name, size, black, random)
    agency, kind = random.choice(AGENCIES), f"{random.choice(KINDS)}-{random.choice(UNITS)}"
    y = random.randint(140, 240)
    sheet.centred(620, y, agency[0], "regular")
    sheet.centred(1700, y, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "bold")
    sheet.centred(620, y + round(1.3 * size), agency[1], "bold")
    sheet.centred(1700, y + round(1.3 * size), "Độc lập - Tự do - Hạnh phúc", "bold")
    line = y + round(2.9 * size) + random.randint(0, 12)
    number = str(random.choice((random.randint(1, 99), random.randint(1, 999), random.randint(1, 4999))))
    if random.random() < 0.3:
        number = number.zfill(2)
    _number(sheet, random.randint(330, 480), line, number, kind, how[PenZone.NUMBER])
    date_style = "italic" if random.random() < 0.85 else "regular"
    _date(sheet, random.randint(1250, 1400), line + random.randint(-3, 12), date_style, how[PenZone.DAY])
    top = line + 3 * size
    sheet.centred(WIDTH // 2, top, "QUYẾT ĐỊNH", "bold")
    for index, text in enumerate(BODY):
        sheet.text(330, top + round((1.6 + 1.4 * index) * size), text, "regular")
    if random.random() < 0.25:  # an incoming stamp with a hand's number of its own
        sheet.stamp(random.randint(200, 500), 10)
    pixels, look = _scanned(np.asarray(canvas).copy(), random)
    return Head(PageImage(pixels, float(DPI), bitonal=look == "bitonal"), how, f"{font_name}, {look}")


def _number(sheet: _Sheet, x: int, y: int, number: str, kind: str, how: str) -> None:
    random, size = sheet.random, sheet.size
    if how == "print":
        gap = random.choice(("", "", " "))
        sheet.text(x, y, f"Số: {number}{gap}/{kind}", "regular")
        return
    x = sheet.text(x, y, "Số:", "regular")
    end = x
    if how == "pen":
        end = sheet.hand(x + random.randint(-6, 26), y, number)
    elif how == "set in":
        end = sheet.set_in(x + random.randint(2, 26), y, number, "regular")
    room = max(end + random.randint(-6, 40), x + round(size * random.uniform(0.6, 2.6)))
    sheet.text(room, y, f"/{kind}", "regular")


def _date(sheet: _Sheet, x: int, y: int, style: str, how: str) -> None:
    random, size = sheet.random, sheet.size
    day, month, year = str(random.randint(1, 28)).zfill(2), random.randint(1, 12), random.randint(2018, 2026)
    month_text = f"{month:02d}" if month < 3 else str(month)
    place = random.choice(PLACES)
    if how == "print":
        sheet.text(x, y, f"{place}, ngày {day} tháng {month_text} năm {year}", style)
        return
    x = sheet.text(x, y, f"{place}, ngày", style)
    end = x
    if how == "pen":
        end = sheet.hand(x + random.randint(-8, 22), y, day)
    elif how == "set in":
        end = sheet.set_in(x + random.randint(2, 22), y, day, style)
    room = max(end + random.randint(-4, 24), x + round(size * random.uniform(0.5, 1.6)))
    if how == "pen" and random.random() < 0.4:  # the month by hand as well
        x = sheet.text(room, y, "tháng", style)
        end = sheet.hand(x + random.randint(-2, 22), y, month_text)
        sheet.text(max(end + 10, x + size), y, f"năm {year}", style)
    else:
        sheet.text(room, y, f"tháng {month_text} năm {year}", style)


class _Sheet:
    """A canvas with one typeface and one hand."""

    def __init__(self, canvas: Image.Image, font: str, size: int, black: tuple[int, int, int], random: Random) -> None:
        self.draw, self.canvas, self.size, self.black, self.random = ImageDraw.Draw(canvas), canvas, size, black, random
        stem, styles = FONTS[font].split("{")
        self.fonts = {
            style: ImageFont.truetype(_FOLDER / f"{stem}{name}.ttf", size)
            for style, name in zip(("regular", "bold", "italic", "both"), styles.split("}")[0].split(","), strict=True)
        }
        self.blue = random.random() < 0.6
        self.colour = (random.randint(20, 70), random.randint(40, 90), random.randint(130, 200)) if self.blue else black
        self.thick = random.uniform(3.0, 7.0)
        self.slant = random.uniform(-0.1, 0.45)
        self.tall = size * random.uniform(0.62, 1.15)
        self.wide = random.uniform(0.5, 0.8)

    def text(self, x: int, y: int, text: str, style: str) -> int:
        self.draw.text((x, y), text, font=self.fonts[style], fill=self.black, anchor="ls")
        return x + round(self.fonts[style].getlength(text))

    def centred(self, x: int, y: int, text: str, style: str) -> None:
        self.draw.text((x, y), text, font=self.fonts[style], fill=self.black, anchor="ms")

    def set_in(self, x: int, y: int, text: str, style: str) -> int:
        font = self.fonts[style].font_variant(size=round(self.size * self.random.uniform(0.85, 1.12)))
        self.draw.text((x, y - self.random.randint(-6, 12)), text, font=font, fill=self.black, anchor="ls")
        return x + round(font.getlength(text))

    def stamp(self, x: int, y: int) -> None:
        """An incoming stamp: red box, a number and a day by hand."""
        red = (205, 40, 50)
        self.draw.rectangle((x, y, x + 560, y + 110), outline=red, width=4)
        small = self.fonts["regular"].font_variant(size=34)
        self.draw.text((x + 20, y + 70), "ĐẾN  Số:", font=small, fill=red, anchor="ls")
        self.hand(x + 190, y + 70, str(self.random.randint(100, 3000)))

    def hand(self, x: int, y: int, digits: str) -> int:
        """Digits by the sheet's hand; returns where they end."""
        random = self.random
        pixels = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        rise = random.uniform(-0.06, 0.06)
        start = x
        for digit in digits:
            tall = self.tall * random.uniform(0.88, 1.12)
            wide = tall * self.wide * random.uniform(0.85, 1.15) * (0.6 if digit == "1" else 1.0)
            base = y + random.uniform(-0.08, 0.1) * tall + rise * (x - start)
            for stroke in random.choice(HAND[digit]):
                points = [
                    (
                        x + (px + random.gauss(0, 0.035)) * wide + self.slant * (1 - py) * tall * 0.6,
                        base - (1 - py + random.gauss(0, 0.025)) * tall,
                    )
                    for px, py in stroke
                ]
                self._stroke(pixels, points)
            x += round(wide * random.uniform(0.95, 1.3) + self.thick)
        drawn = np.minimum(np.asarray(self.canvas), pixels)
        self.canvas.paste(Image.fromarray(drawn))
        return x

    def _stroke(self, pixels: np.ndarray, points: list[tuple[float, float]]) -> None:
        """A smooth line through the points (Catmull-Rom), its thickness breathing as a hand presses."""
        path = _smooth(points)
        phase = self.random.uniform(0, 6.28)
        for index, (one, other) in enumerate(pairwise(path)):
            thick = max(2, round(self.thick * (1 + 0.12 * math.sin(phase + index / 9))))
            cv2.line(pixels, _whole(one), _whole(other), self.colour, thick, cv2.LINE_AA)


def _whole(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def _smooth(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    around = [points[0], *points, points[-1]]
    path = []
    for a, b, c, d in zip(around, around[1:], around[2:], around[3:], strict=False):
        for step in range(12):
            t = step / 12
            path.append(tuple(
                0.5 * (2 * b[i] + (c[i] - a[i]) * t + (2 * a[i] - 5 * b[i] + 4 * c[i] - d[i]) * t**2
                       + (3 * b[i] - a[i] - 3 * c[i] + d[i]) * t**3) for i in (0, 1)
            ))  # fmt: skip
    return [*path, points[-1]]


def _scanned(pixels: np.ndarray, random: Random) -> tuple[np.ndarray, str]:
    """As a scanner gives it: a little blurred and noisy, in colour, grey or bitonal."""
    noise = np.random.default_rng(random.randrange(2**32))
    soft = cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.5, 1.1)).astype(np.float32)
    soft = soft * (random.uniform(0.93, 1.0)) + noise.normal(0, random.uniform(1, 5), pixels.shape)
    pixels = np.clip(soft, 0, 255).astype(np.uint8)
    look = random.choices(("colour", "grey", "bitonal", "150 dpi"), (45, 25, 20, 10))[0]
    if look in {"grey", "bitonal"}:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        if look == "bitonal":
            grey = np.where(grey > random.randint(120, 175), 255, 0).astype(np.uint8)
        pixels = np.repeat(grey[:, :, None], 3, axis=2)
    if look == "150 dpi":
        half = cv2.resize(pixels, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
        _, data = cv2.imencode(".jpg", half, [cv2.IMWRITE_JPEG_QUALITY, 75])
        pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(pixels), look


def read(head: Head) -> OcrPage:
    """As the pipeline reads it, without its cleaning: these pages are straight."""
    grey = ink.drop(head.page)
    dpi = head.page.dpi
    found = tesseract.recognise(grey, dpi=dpi, language="vie")
    return hocr.parse(found, width_px=head.page.width_px, height_px=head.page.height_px, dpi=dpi)


def bound(wrong: int, of: int) -> float:
    """Upper end of the two-sided 95% interval of Clopper and Pearson, by bisection on the binomial tail."""
    low, high = wrong / max(of, 1), 1.0
    for _ in range(50):
        middle = (low + high) / 2
        tail = sum(math.comb(of, k) * middle**k * (1 - middle) ** (of - k) for k in range(wrong + 1))
        low, high = (middle, high) if tail > 0.025 else (low, middle)
    return high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for pages and readings: read once, used again")
    given = parser.parse_args()
    right: Counter[tuple[PenZone, str]] = Counter()
    total: Counter[tuple[PenZone, str]] = Counter()
    for index in range(given.pages):
        head = draw(Random(given.seed * 100_003 + index))  # noqa: S311  the same every time
        ocr = _kept(head, given.keep, f"{given.seed}-{index}")
        zones = {mark.zone for mark in pen.find(head.page, ocr)}
        for zone, how in head.how.items():
            total[zone, how] += 1
            good = (zone in zones) == (how == "pen")
            right[zone, how] += good
            if not good and how != "set in":
                print(f"{given.seed}-{index}: {zone.value} {how}, {head.look}")
    for zone in (PenZone.NUMBER, PenZone.DAY):
        for how in HOW:
            of, wrong = total[zone, how], total[zone, how] - right[zone, how]
            word = "missed" if how == "pen" else "false alarms"
            print(f"{zone.value:7} {how:7} {wrong:3} {word} of {of} (at most {100 * bound(wrong, of):.1f}%)")


def _kept(head: Head, folder: Path | None, name: str) -> OcrPage:
    if folder is None:
        return read(head)
    file = folder / f"{name}.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{name}.png"), head.page.pixels[:, :, ::-1])
        file.write_bytes(reading.to_json(ReadPage(b"", "image/png", read(head), PageFlags())))
    return reading.from_json(file.read_bytes()).ocr


if __name__ == "__main__":
    main()
