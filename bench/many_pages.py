"""Whether a job of two thousand pages needs more memory than one of a hundred.

    nice python bench/many_pages.py [--pages 2000] [--printed-every 4] [--only assembly|whole]

First the writing alone: layered colour pages, a slip of A6 at 300 dpi with print and a red seal, whose words are known.
Then the whole job by `digitize_files` in one process: a PDF of slips at 200 dpi, every fourth of them printed and the
others their blank backs, as a scanner that takes both sides delivers them. Printed is the resident memory of this
process after so many pages, and the most it ever was.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).parents[1]))

from digitize import batch
from digitize.pdf import assemble
from digitize.types import Box, OcrPage, OcrWord

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_FONT = "/usr/share/fonts/truetype/liberation2/LiberationSerif-Regular.ttf"
_SIZE_MM = 105, 148
_LINES = (
    "GIẤY TIẾP NHẬN HỒ SƠ",
    "Họ và tên: {name}",
    "Mã hồ sơ: H49.242-261120-{number:04d}",
    "Thủ tục: Đăng ký khai sinh",
    "Ngày hẹn trả: {day:02d}/12/2026",
    "Cán bộ tiếp nhận ký và ghi rõ họ tên",
)
_NAMES = ("Trần Thị Hạnh", "Lò Văn Ẩn", "Nguyễn Đức Thịnh", "Hoàng Thị Mỷ", "Vàng A Páo")
_TOLD = (1, 100, 500, 1000, 1500, 2000)
_DIFFERENT = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--printed-every", type=int, default=4)
    parser.add_argument("--only", choices=("assembly", "whole"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="many-pages-") as folder:
        if given.only != "whole":
            print("writing alone")
            out = Path(folder, "layered.pdf")
            layered = [_slip(number, dpi=300) for number in range(_DIFFERENT)]
            pages = (layered[number % _DIFFERENT] for number in range(given.pages))
            assemble.searchable_pdf(_watched(pages), out, title="x", created_at=_NOW)
            print(f"  {out.stat().st_size / given.pages / 1000:.1f} kB a page")
        if given.only != "assembly":
            print("the whole job")
            _whole(Path(folder), given.pages, given.printed_every)


def _whole(folder: Path, pages: int, printed_every: int) -> None:
    scan = folder / "scan.pdf"
    slips = [_slip(number, dpi=200, seal=False) for number in range(_DIFFERENT)]
    blank = _slip(0, dpi=200, seal=False, lines=())
    sides = (
        replace(slips[number % _DIFFERENT] if number % printed_every == 0 else blank, ocr=blank.ocr)
        for number in range(pages)
    )
    assemble.searchable_pdf(sides, scan, title="scan", created_at=_NOW)
    started, told = time.process_time(), _Told()
    outcome = batch.digitize_files(
        [scan], folder / "out.pdf", created_at=_NOW, text_to=folder / "out.txt", progress=lambda done, _: told.at(done)
    )
    words = len((folder / "out.txt").read_text("utf-8").split())
    spent = time.process_time() - started
    print(f"  {len(outcome.pages)} pages, {words} words, {spent / pages:.3f} CPU s a page beside Tesseract's")


def _watched(pages: Iterator[assemble.AssemblyPage]) -> Iterator[assemble.AssemblyPage]:
    told = _Told()
    for done, page in enumerate(pages, start=1):
        yield page
        told.at(done)


class _Told:
    """Says at some counts of pages how much memory is resident, and the most since the count before."""

    def at(self, done: int) -> None:
        if done in _TOLD:
            now, most = (_megabytes(name) for name in ("VmRSS", "VmHWM"))
            print(f"  after {done:5} pages {now:4.0f} MB, at most {most:4.0f} MB", flush=True)


def _megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def _slip(number: int, *, dpi: int, seal: bool = True, lines: tuple[str, ...] = _LINES) -> assemble.AssemblyPage:
    """A slip as a JPEG, with grain, and where its words stand."""
    width, height = (round(side / 25.4 * dpi) for side in _SIZE_MM)
    image = Image.new("RGB", (width, height), (247, 245, 240))
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(_FONT, round(12 / 72 * dpi))
    blank, size = draw.textlength(" ", font=font), round(12 / 72 * dpi)
    words = []
    for index, line in enumerate(lines):
        x, top = 0.1 * width, round(0.08 * height + index * 2 * size)
        for word in line.format(name=_NAMES[number % len(_NAMES)], number=number, day=number + 1).split():
            draw.text((x, top), word, font=font, fill=(30, 30, 34))
            box = Box(*(round(edge) for edge in draw.textbbox((x, top), word, font=font)))
            words.append(OcrWord(word, box, 95.0, line=index))
            x += draw.textlength(word, font=font) + blank
    if seal:
        middle, radius = (round(0.7 * width), round(0.75 * height)), 0.15 * width
        draw.circle(middle, radius, outline=(205, 45, 50), width=max(2, dpi // 60))
        draw.circle(middle, 0.7 * radius, outline=(205, 45, 50), width=max(1, dpi // 100))
    grain = np.random.default_rng(number).normal(0, 1.5, (height, width, 1))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
    ocr = OcrPage(width, height, float(dpi), tuple(words), 95.0)
    return assemble.AssemblyPage(buffer.getvalue(), "image/jpeg", ocr)


if __name__ == "__main__":
    main()
