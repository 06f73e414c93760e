"""Makes pages that look like everyday office scans: real layout, Times-like type, the small damages that cost accents.

A page is set at 600 dpi, printed (toner gained or lost, ragged edges), sealed and signed over the print, and scanned:
blur, paper, a little lean, grain, specks, JPEG. Everything comes from the seed. The texts are made up for this.
"""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

TEXTS = Path(__file__).parent / "ordinary_texts"
SET_DPI = 600
PAPER = (4960, 7016)
_PT = SET_DPI / 72
_MM = SET_DPI / 25.4
_LEFT, _RIGHT = round(30 * _MM), round(192 * _MM)

#: Upright, bold, italic. Debian: fonts-croscore, fonts-liberation2, fonts-freefont-ttf, fonts-linuxlibertine,
#: fonts-noto-core. (Liberation 1 has no Vietnamese.)
FAMILIES = {
    "tinos": ("croscore/Tinos-{}.ttf", "Regular", "Bold", "Italic"),
    "liberation": ("liberation2/LiberationSerif-{}.ttf", "Regular", "Bold", "Italic"),
    "freeserif": ("freefont/FreeSerif{}.ttf", "", "Bold", "Italic"),
    "libertine": ("../opentype/linux-libertine/LinLibertine_R{}.otf", "", "B", "I"),
    "notoserif": ("noto/NotoSerif-{}.ttf", "Regular", "Bold", "Italic"),
}
_FOLDER = Path("/usr/share/fonts/truetype")


@dataclass(frozen=True)
class Page:
    """A scan and what stands on it: the lines of each part, in reading order within the part."""

    name: str
    pixels: np.ndarray[Any, Any]
    dpi: int
    jpeg: bytes
    parts: dict[str, list[str]]
    made: dict[str, Any] = field(default_factory=dict)


def documents(folder: Path = TEXTS) -> list[list[tuple[str, str]]]:
    """Each document as (kind, text) lines."""
    found: list[list[tuple[str, str]]] = []
    for file in sorted(folder.glob("*.txt")):
        for line in file.read_text("utf-8").splitlines():
            if line.startswith("#doc"):
                found.append([])
            elif line.strip():
                kind, _, text = line.partition(": ")
                found[-1].append((kind, text.strip()))
    return found


def make(document: list[tuple[str, str]], *, name: str, seed: int) -> Page:
    """Set, print, seal and scan one document."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    family = str(rng.choice(["tinos"] * 4 + ["liberation"] * 2 + ["freeserif"] * 2 + ["libertine"] + ["notoserif"]))
    size = float(rng.choice([11.5, 12, 13, 13, 13.5, 14])) - (1.5 if family == "notoserif" else 0)
    dpi = int(rng.choice([300, 300, 300, 200, 200, 150]))
    ink, parts, sign_at = _typeset(document, family, size)
    made: dict[str, Any] = {"family": family, "size": size, "dpi": dpi}
    paper = _printed(ink, rng, made)
    coloured = bool(rng.random() < 0.75)
    made["coloured"] = coloured
    page = _sealed(paper, sign_at, rng)
    pixels, jpeg = _scanned(page, dpi, rng, made, coloured=coloured)
    return Page(name, pixels, dpi, jpeg, parts, made)


def _font(family: str, style: int, points: float) -> ImageFont.FreeTypeFont:
    pattern, *styles = FAMILIES[family]
    return ImageFont.truetype(str(_FOLDER / pattern.format(styles[style])), round(points * _PT))


@dataclass
class _Sheet:
    """The paper while it is set: what is drawn, and the lines of each part."""

    family: str
    size: float
    picture: Image.Image = field(default_factory=lambda: Image.new("L", PAPER, 255))
    parts: dict[str, list[str]] = field(
        default_factory=lambda: {"left": [], "right": [], "body": [], "recipients": [], "sign": []}
    )

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.picture)

    @property
    def step(self) -> int:
        return round(self.size * _PT * 1.28)

    def font(self, style: int, smaller: float = 0) -> ImageFont.FreeTypeFont:
        return _font(self.family, style, self.size - smaller)

    def centred(self, text: str, middle: float, top: float, font: ImageFont.FreeTypeFont, part: str) -> None:
        self.draw.text((middle - self.draw.textlength(text, font=font) / 2, top), text, font=font, fill=0)
        self.parts[part].append(text)


def _typeset(
    document: list[tuple[str, str]], family: str, size: float
) -> tuple[np.ndarray[Any, Any], dict[str, list[str]], tuple[int, int]]:
    sheet = _Sheet(family, size)
    at = _body(sheet, document, _head(sheet, dict(document)))
    seal_at = _foot(sheet, dict(document), at + sheet.step * 0.3)
    return np.asarray(sheet.picture), sheet.parts, seal_at


def _head(sheet: _Sheet, rows: dict[str, str]) -> float:
    """The two columns; gives back where the body begins."""
    top, step = round(20 * _MM), sheet.step
    one, two = _LEFT + 30 * _MM, _LEFT + 116 * _MM
    small = sheet.font(0, 1)
    upper, lower = (text.strip() for text in rows["left"].split("|"))
    sheet.centred(upper, one, top, small, "left")
    sheet.centred(lower, one, top + step, sheet.font(1, 0.5), "left")
    sheet.draw.line((one - 9 * _MM, top + 2.15 * step, one + 9 * _MM, top + 2.15 * step), fill=0, width=5)
    sheet.centred(rows["number"], one, top + 2.5 * step, small, "left")
    sheet.centred("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", two, top, sheet.font(1, 1), "right")
    sheet.centred("Độc lập - Tự do - Hạnh phúc", two, top + step, sheet.font(1), "right")
    sheet.draw.line((two - 28 * _MM, top + 2.15 * step, two + 28 * _MM, top + 2.15 * step), fill=0, width=5)
    sheet.centred(rows["place"], two, top + 2.5 * step, sheet.font(2), "right")
    at = top + 4.0 * step
    if "subject" in rows:
        for line in _wrapped(sheet.draw, rows["subject"], small, 62 * _MM):
            sheet.centred(line, one, at - 0.5 * step, small, "left")
            at += step * 0.9
        at += step * 0.5
    return at


def _body(sheet: _Sheet, document: list[tuple[str, str]], at: float) -> float:
    middle, step = (_LEFT + _RIGHT) / 2, sheet.step
    bold = sheet.font(1)
    for kind, text in document:
        if kind in {"title", "centre"}:
            at += step * 0.25
            sheet.centred(text, middle, at, bold, "body")
            at += step * 1.2
        elif kind == "about":
            for line in _wrapped(sheet.draw, text, bold, 120 * _MM):
                sheet.centred(line, middle, at, bold, "body")
                at += step
            at += step * 0.4
        elif kind in {"p", "italic"}:
            at = _paragraph(sheet, text, sheet.font(2 if kind == "italic" else 0), at) + step * 0.25
    return at


def _foot(sheet: _Sheet, rows: dict[str, str], at: float) -> tuple[int, int]:
    """Recipients and signature; gives back the middle of the seal."""
    step, y = sheet.step, at
    sheet.draw.text((_LEFT, y), "Nơi nhận:", font=sheet.font(2, 2), fill=0)
    sheet.parts["recipients"].append("Nơi nhận:")
    for item in rows["recipients"].split("|"):
        y += step * 0.85
        sheet.draw.text((_LEFT, y), item.strip(), font=sheet.font(0, 2.5), fill=0)
        sheet.parts["recipients"].append(item.strip())
    middle = _LEFT + 115 * _MM
    lines = [line.strip() for line in rows["sign"].split("|")]
    for index, line in enumerate(lines[:-1]):
        sheet.centred(line, middle, at + index * step, sheet.font(1), "sign")
    sheet.centred(lines[-1], middle, at + (len(lines) - 1) * step + 24 * _MM, sheet.font(1), "sign")
    return round(middle - 14 * _MM), round(at + (len(lines) - 0.2) * step)


def _wrapped(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font=font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _paragraph(sheet: _Sheet, text: str, font: ImageFont.FreeTypeFont, top: float) -> float:
    """Justified, the first line set in."""
    words, draw = text.split(), sheet.draw
    start = _LEFT + 10 * _MM
    while words:
        count = 1
        while count < len(words) and draw.textlength(" ".join(words[: count + 1]), font=font) <= _RIGHT - start:
            count += 1
        line, words = words[:count], words[count:]
        sheet.parts["body"].append(" ".join(line))
        widths = [draw.textlength(word, font=font) for word in line]
        gap = draw.textlength(" ", font=font)
        if words and len(line) > 1:
            gap = (_RIGHT - start - sum(widths)) / (len(line) - 1)
        x = float(start)
        for word, width in zip(line, widths, strict=True):
            draw.text((x, top), word, font=font, fill=0)
            x += width + gap
        top += sheet.step
        start = _LEFT
    return top


def _printed(ink: np.ndarray[Any, Any], rng: np.random.Generator, made: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Toner: spread or thin, its edge ragged, its black uneven."""
    spread = float(rng.uniform(0.9, 2.2))
    gain = float(rng.choice([-0.5, -0.2, 0.1, 0.35, 0.5, 0.6]))
    ragged = float(rng.uniform(0.08, 0.3))
    made |= {"spread": round(spread, 2), "gain": gain, "ragged": round(ragged, 2)}
    soft = cv2.GaussianBlur(255 - ink, (0, 0), spread).astype(np.float32) / 255
    noise = rng.standard_normal((ink.shape[0] // 2 + 1, ink.shape[1] // 2 + 1), dtype=np.float32)
    noise = cv2.resize(cv2.GaussianBlur(noise, (0, 0), 0.9) * 2, (ink.shape[1], ink.shape[0]))
    edge = 0.5 - 0.3 * gain
    toner = np.clip((soft + ragged * noise * (soft > 0.02) * (soft < 0.98) - edge) * 5 + 0.5, 0, 1)
    black = float(rng.uniform(20, 85))
    return np.asarray(255 - toner * (255 - black), dtype=np.float32)


def _sealed(paper: np.ndarray[Any, Any], at: tuple[int, int], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """A red seal over the signer's title and a signature in blue or black."""
    page = cv2.merge([paper, paper, paper])
    mm = _MM
    x = at[0] + round(float(rng.uniform(-8, 4)) * mm)
    y = at[1] + round(float(rng.uniform(-3, 6)) * mm)
    seal = Image.new("L", (PAPER[0], PAPER[1]), 0)
    draw = ImageDraw.Draw(seal)
    for radius, width in ((17.5, 0.7), (16.2, 0.3), (11, 0.3)):
        r = radius * mm
        draw.ellipse((x - r, y - r, x + r, y + r), outline=255, width=max(1, round(width * mm)))
    font = ImageFont.truetype(str(_FOLDER / "liberation2/LiberationSans-Bold.ttf"), round(2.6 * mm))
    for index, letter in enumerate("ỦY BAN NHÂN DÂN * CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM * "):
        angle = 2 * math.pi * index / 54
        draw.text((x + 13.6 * mm * math.sin(angle), y - 13.6 * mm * math.cos(angle)), letter, font=font, fill=255)
    star = [
        (x + r * mm * math.sin(math.pi * i / 5), y - r * mm * math.cos(math.pi * i / 5))
        for i, r in ((i, 6.0 if i % 2 == 0 else 2.5) for i in range(10))
    ]
    draw.polygon(star, fill=255)
    _inked(page, np.asarray(seal), (205, 45, 50), strength=float(rng.uniform(0.55, 0.9)))
    pen = Image.new("L", (PAPER[0], PAPER[1]), 0)
    draw = ImageDraw.Draw(pen)
    x, y = x + 10 * mm, y + float(rng.uniform(0, 6)) * mm
    points = [(x + float(rng.normal(0, 11)) * mm, y + float(rng.normal(0, 5)) * mm) for _ in range(9)]
    curve = []
    for first, second, third in zip(points, points[1:], points[2:], strict=False):
        a, b, c = (np.asarray(p) for p in ((np.add(first, second) / 2), second, (np.add(second, third) / 2)))
        curve += [tuple((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c) for t in np.linspace(0, 1, 24)]
    draw.line(curve, fill=255, width=round(0.6 * mm))
    colour = (40, 60, 150) if rng.random() < 0.7 else (30, 30, 40)
    _inked(page, np.asarray(pen), colour, strength=0.95)
    return page


def _inked(
    page: np.ndarray[Any, Any], mask: np.ndarray[Any, Any], colour: tuple[int, int, int], *, strength: float
) -> None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    here = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    share = (mask[here].astype(np.float32) / 255 * strength)[..., None]
    page[here] *= 1 - share * (1 - np.asarray(colour, dtype=np.float32) / 255)


def _scanned(
    page: np.ndarray[Any, Any], dpi: int, rng: np.random.Generator, made: dict[str, Any], *, coloured: bool
) -> tuple[np.ndarray[Any, Any], bytes]:
    scale = dpi / SET_DPI
    blur = float(rng.uniform(0.6, 1.3)) * (1.0 if dpi == 300 else 0.8)
    lean = float(rng.normal(0, 0.35))
    quality = int(rng.integers(38, 72))
    made |= {"blur": round(blur, 2), "lean": round(lean, 2), "jpeg": quality}
    small = cv2.resize(page, (round(PAPER[0] * scale), round(PAPER[1] * scale)), interpolation=cv2.INTER_AREA)
    turn = cv2.getRotationMatrix2D((small.shape[1] / 2, small.shape[0] / 2), lean, 1)
    small = cv2.warpAffine(small, turn, small.shape[1::-1], borderValue=(255, 255, 255))
    small = cv2.GaussianBlur(small, (0, 0), blur)
    level = float(rng.uniform(226, 250))
    tint = np.asarray([level, level - rng.uniform(0, 4), level - rng.uniform(0, 10)], dtype=np.float32)
    small = small / 255 * tint
    grain = rng.standard_normal(small.shape[:2], dtype=np.float32) * float(rng.uniform(1.5, 6))
    small += cv2.GaussianBlur(grain, (0, 0), 0.6)[..., None]
    for _ in range(int(rng.integers(0, 40))):
        centre = (int(rng.integers(0, small.shape[1])), int(rng.integers(0, small.shape[0])))
        cv2.circle(small, centre, int(rng.integers(1, max(2, dpi // 110))), (90, 90, 90), -1, cv2.LINE_AA)
    pixels = np.clip(small, 0, 255).astype(np.uint8)
    if not coloured:
        pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    jpeg = _with_dpi(data.tobytes(), dpi)
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), jpeg


def _with_dpi(jpeg: bytes, dpi: int) -> bytes:
    """The JFIF head says how fine the scan is."""
    return re.sub(
        rb"JFIF\x00(..).....", lambda m: b"JFIF\x00" + m[1] + b"\x01" + dpi.to_bytes(2, "big") * 2, jpeg, count=1,
        flags=re.DOTALL,
    )  # fmt: skip
