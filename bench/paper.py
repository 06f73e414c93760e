"""Official papers laid out as Decree 30 asks, with the exact place of every word and the exact value of every field.

    python bench/paper.py OUT [--count N] [--seed N] [--dpi N]

A paper is a pure function of its seed. `drawn` makes a scan of a page (light damage), `as_read` the words as a perfect
reader would give them; with `slips` above 0 with the slips that Tesseract makes in Vietnamese.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).parents[1]))

from digitize.types import Box, OcrPage, OcrWord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAGE_PT = (595.0, 842.0)
LEFT, RIGHT, TOP, BOTTOM = 85.0, 552.0, 57.0, 785.0
LEFT_COLUMN, RIGHT_COLUMN = (62.0, 262.0), (262.0, 556.0)
_LIBERATION = Path(__file__).parents[1] / "signing" / "fonts"
_DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
FACES = {
    "liberation": {
        "": _LIBERATION / "LiberationSerif-Regular.ttf",
        "b": _LIBERATION / "LiberationSerif-Bold.ttf",
        "i": _LIBERATION / "LiberationSerif-Italic.ttf",
        "bi": _LIBERATION / "LiberationSerif-BoldItalic.ttf",
    },
    "dejavu": {
        "": _DEJAVU / "DejaVuSerifCondensed.ttf",
        "b": _DEJAVU / "DejaVuSerifCondensed-Bold.ttf",
        "i": _DEJAVU / "DejaVuSerifCondensed-Italic.ttf",
        "bi": _DEJAVU / "DejaVuSerifCondensed-BoldItalic.ttf",
    },
}
_MEASURED_AT = 200
#: Word processors set Times without kerning unless told to: "VT," keeps its letters apart.
UNKERNED = ["-kern"]


@cache
def _font(face: str, style: str, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FACES[face][style]), size_px)


@cache
def _extent(face: str, style: str, text: str) -> tuple[float, float, float, float, float]:
    """Left, top, right, bottom of the ink from the pen's place on the baseline, and the advance; for size 1."""
    font = _font(face, style, _MEASURED_AT)
    left, top, right, bottom = font.getbbox(text, anchor="ls", features=UNKERNED)
    return (
        left / _MEASURED_AT,
        top / _MEASURED_AT,
        right / _MEASURED_AT,
        bottom / _MEASURED_AT,
        font.getlength(text, features=UNKERNED) / _MEASURED_AT,
    )


@dataclass(frozen=True)
class Placed:
    """A word on paper: x and the baseline y in points from the top left; line: words that stand together."""

    text: str
    x: float
    y: float
    size: float
    style: str
    line: int
    block: int


@dataclass(frozen=True)
class Mark:
    """A seal, a pen's stroke or a rule, in points."""

    kind: str
    x: float
    y: float
    size: float


@dataclass(frozen=True)
class Sheet:
    words: tuple[Placed, ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Paper:
    """truth: field key → value, as `digitize.fields.extract` gives it; a key that isn't there isn't on the paper.

    doubtful: keys whose printed value breaks a rule, so that nobody may be told it is sure.
    """

    kind: str
    face: str
    sheets: tuple[Sheet, ...]
    truth: dict[str, str]
    doubtful: frozenset[str] = frozenset()


@dataclass
class Setter:
    """Sets lines one below another; begins a new page when one is full."""

    face: str
    size: float
    pages: list[list[Placed]] = field(default_factory=lambda: [[]])
    marks: list[list[Mark]] = field(default_factory=lambda: [[]])
    y: float = TOP
    _line: int = 0
    _block: int = 0

    def width(self, text: str, style: str, size: float) -> float:
        return _extent(self.face, style, text)[4] * size

    def wrapped(self, text: str, width: float, style: str, size: float, indent: float = 0.0) -> list[list[str]]:
        lines: list[list[str]] = [[]]
        room, space = width - indent, self.width(" ", style, size)
        for word in text.split():
            needs = self.width(word, style, size)
            if lines[-1] and needs > room:
                lines.append([])
                room = width
            lines[-1].append(word)
            room -= needs + space
        return lines

    def put(
        self,
        text: str,
        *,
        between: tuple[float, float] = (LEFT, RIGHT),
        align: str = "left",
        style: str = "",
        size: float = 0.0,
        lead: float = 1.25,
        indent: float = 0.0,
    ) -> float:
        """Set a paragraph from the present height on, and return the height below it. `align` also "justify"."""
        size = size or self.size
        self._block += 1
        left, right = between
        lines = self.wrapped(text, right - left, style, size, indent)
        for index, words in enumerate(lines):
            if self.y + size * lead > BOTTOM:
                self.new_page()
            self.y += size * lead
            self._line += 1
            self._place(
                words, left + (0.0 if index else indent), right, align, style, size, last=index == len(lines) - 1
            )
        return self.y

    def _place(
        self, words: Sequence[str], left: float, right: float, align: str, style: str, size: float, *, last: bool
    ) -> None:
        space = self.width(" ", style, size)
        natural = sum(self.width(word, style, size) for word in words) + space * (len(words) - 1)
        x = left
        if align == "centre":
            x = (left + right - natural) / 2
        elif align == "justify" and not last and len(words) > 1:
            space += (right - left - natural) / (len(words) - 1)
        for word in words:
            self.pages[-1].append(Placed(word, x, self.y, size, style, self._line, self._block))
            x += self.width(word, style, size) + space

    def beside(self, *columns: tuple[float, Sequence[float]]) -> None:
        """Go on below the lowest of columns that were set from the same height."""
        self.y = max(height for height, _ in columns)

    def new_page(self) -> None:
        self.pages.append([])
        self.marks.append([])
        self.y = TOP

    def mark(self, kind: str, x: float, y: float, size: float) -> None:
        self.marks[-1].append(Mark(kind, x, y, size))

    def sheets(self) -> tuple[Sheet, ...]:
        return tuple(Sheet(tuple(words), tuple(marks)) for words, marks in zip(self.pages, self.marks, strict=True))


def as_read(paper: Paper, *, dpi: float = 300.0, seed: int = 0, slips: float = 0.0) -> list[OcrPage]:
    """The words of a paper with their boxes in pixels, as if read; `slips`: the share of words read wrongly."""
    from bench import slips as making

    rng = random.Random(f"{seed}-read")  # noqa: S311  a paper, not a secret
    scale = dpi / 72
    pages = []
    for sheet in paper.sheets:
        words = [_word(paper.face, placed, scale) for placed in sheet.words]
        if slips:
            words = making.made(words, rng, slips)
        confidence = sum(w.confidence for w in words) / max(1, len(words))
        size = (round(PAGE_PT[0] * scale), round(PAGE_PT[1] * scale))
        pages.append(OcrPage(*size, dpi, tuple(words), confidence))
    return pages


def _word(face: str, placed: Placed, scale: float) -> OcrWord:
    left, top, right, bottom, _ = _extent(face, placed.style, placed.text)
    box = Box(
        round((placed.x + left * placed.size) * scale),
        round((placed.y + top * placed.size) * scale),
        round((placed.x + right * placed.size) * scale),
        round((placed.y + bottom * placed.size) * scale),
    )
    # A perfect reader is sure of every word; `slips` takes that back.
    return OcrWord(placed.text, box, 96.0, placed.block, placed.block, placed.line, risk=0.0)


def drawn(paper: Paper, number: int, *, dpi: int, seed: int) -> NDArray[np.uint8]:
    """A colour scan of page `number` (from 0): slightly blurred, grainy, leaning at most 1 degree, as JPEG."""
    rng = np.random.default_rng([seed, number, dpi])
    scale = dpi / 72
    sheet = paper.sheets[number]
    grey = _print_of(sheet, paper.face, scale)
    size = (grey.shape[1], grey.shape[0])
    lean = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), float(rng.uniform(-1, 1)), 1.0)
    ink = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.4, 0.9)) * dpi / 300 + 0.1)
    pixels = np.repeat(ink[:, :, None], 3, axis=2).astype(np.float32)
    dark, paper_level = rng.uniform(20, 70), rng.uniform(236, 252)
    pixels = dark + pixels / 255 * (paper_level - dark)
    for mark in sheet.marks:
        _draw_mark(pixels, mark, scale, rng)
    pixels = cv2.warpAffine(pixels, lean, size, flags=cv2.INTER_LINEAR, borderValue=(paper_level,) * 3)
    grain = rng.standard_normal((size[1] // 2 + 1, size[0] // 2 + 1)).astype(np.float32) * rng.uniform(2, 7)
    pixels += cv2.resize(grain, size, interpolation=cv2.INTER_LINEAR)[:, :, None]
    scan = np.clip(pixels, 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", scan[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 90))])[1]
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[:, :, ::-1])


def printed(sheet: Sheet, face: str, *, dpi: int, seed: int) -> NDArray[np.uint8]:
    """A page as it left the printer, seal and signature on it, before anything happened to it: RGB."""
    scale = dpi / 72
    pixels = np.repeat(_print_of(sheet, face, scale)[:, :, None], 3, axis=2).astype(np.float32)
    for mark in sheet.marks:
        _draw_mark(pixels, mark, scale, np.random.default_rng([seed, dpi]))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _print_of(sheet: Sheet, face: str, scale: float) -> NDArray[np.uint8]:
    grey = Image.new("L", (round(PAGE_PT[0] * scale), round(PAGE_PT[1] * scale)), 255)
    draw = ImageDraw.Draw(grey)
    for word in sheet.words:
        font = _font(face, word.style, round(word.size * scale))
        draw.text((word.x * scale, word.y * scale), word.text, font=font, fill=0, anchor="ls", features=UNKERNED)
    return np.asarray(grey)


def _draw_mark(pixels: NDArray[np.float32], mark: Mark, scale: float, rng: np.random.Generator) -> None:
    x, y, size = (round(value * scale) for value in (mark.x, mark.y, mark.size))
    if mark.kind == "rule":
        cv2.line(pixels, (x, y), (x + size, y), (40, 40, 40), max(1, round(0.7 * scale)))
        return
    layer = np.full_like(pixels, 255)
    if mark.kind == "seal":
        red = (205, 45, 55)
        for radius, width in ((1.0, 1.6), (0.93, 0.6), (0.62, 0.8)):
            cv2.circle(layer, (x, y), round(size * radius), red, max(1, round(width * scale)), cv2.LINE_AA)
        star = [
            (x + r * np.sin(a), y - r * np.cos(a))
            for k in range(10)
            for r, a in [(size * (0.45 if k % 2 == 0 else 0.18), k * np.pi / 5)]
        ]
        cv2.fillPoly(layer, [np.array(star, dtype=np.int32)], red, cv2.LINE_AA)
        for k in range(14):  # the letters around the rim
            angle = k * 0.45
            at = (round(x + 0.78 * size * np.sin(angle)), round(y - 0.78 * size * np.cos(angle)))
            cv2.circle(layer, at, round(0.07 * size), red, max(1, round(0.8 * scale)), cv2.LINE_AA)
    else:  # a signature
        t = np.linspace(0, 1, 160)
        wave = np.sin(t * rng.uniform(18, 30)) * np.exp(-t * 1.5) * size * 0.35
        points = np.stack([x + t * size * 1.6, y + wave - t * size * 0.2], axis=1).astype(np.int32)
        cv2.polylines(layer, [points], isClosed=False, color=(45, 60, 165), thickness=max(2, round(1.1 * scale)))
    strength = 0.75
    np.minimum(pixels, pixels * (1 - strength) + strength * layer * (pixels / 255), out=pixels)


def main() -> None:
    from bench.paper_kinds import make

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dpi", type=int, default=300)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for index in range(given.count):
        seed = given.seed * 100_000 + index
        paper = make(seed)
        name = f"{seed}-{paper.kind}"
        (given.out / f"{name}.json").write_text(json.dumps(paper.truth, ensure_ascii=False, indent=1), "utf-8")
        for number in range(len(paper.sheets)):
            scan = Image.fromarray(drawn(paper, number, dpi=given.dpi, seed=seed))
            scan.save(given.out / f"{name}-{number + 1}.jpg", quality=85, dpi=(given.dpi, given.dpi))


if __name__ == "__main__":
    main()
