"""Synthetic scans: pages drawn here, with people and agencies that don't exist."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitize.types import Box, OcrPage, OcrWord, PageImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

LETTER = (
    "ỦY BAN NHÂN DÂN XÃ AN PHÚ",
    "Số: 2147/QĐ-UBND",
    "An Phú, ngày 18 tháng 9 năm 2026",
    "QUYẾT ĐỊNH",
    "Căn cứ Luật Đất đai số 45/2013/QH13 ngày 29 tháng 11 năm 2013;",
    "Điều 1. Cấp giấy phép cho ông Khuất Duy Thưởng, địa chỉ tại số 37,",
    "ngách 82 phố Khâm Thiên, với tổng số tiền là ba triệu đồng chẵn.",
    "Điều 2. Văn phòng, Phòng Kinh tế và người có tên tại Điều 1 chịu",
    "trách nhiệm thi hành quyết định này kể từ ngày ký.",
    "Người ký: Trịnh Hữu Tuấn",
)


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    program = (resources.files("digitize") / "fonts" / "text.ttf").read_bytes()
    return ImageFont.truetype(io.BytesIO(program), size_px)


def sheet(lines: tuple[str, ...] = LETTER, *, dpi: int = 150, repeat: int = 1, paper: int = 250) -> PageImage:
    """An A4 page with lines of 14-point print."""
    width, height = round(210 / 25.4 * dpi), round(297 / 25.4 * dpi)
    image = Image.new("RGB", (width, height), (paper, paper, paper))
    draw = ImageDraw.Draw(image)
    size = round(14 / 72 * dpi)
    for index, line in enumerate(lines * repeat):
        draw.text((dpi, dpi + index * size * 1.6), line, font=_font(size), fill=(25, 25, 25))
    return PageImage(np.asarray(image).copy(), float(dpi))


def with_pixels(page: PageImage, pixels: NDArray[np.uint8]) -> PageImage:
    return replace(page, pixels=np.ascontiguousarray(pixels))


def skewed(page: PageImage, skew_deg: float) -> PageImage:
    """The page leaning counter-clockwise."""
    centre = ((page.width_px - 1) / 2, (page.height_px - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, skew_deg, 1.0)
    paper = tuple(int(value) for value in page.pixels[0, 0])
    return with_pixels(
        page,
        cv2.warpAffine(page.pixels, matrix, (page.width_px, page.height_px), flags=cv2.INTER_CUBIC, borderValue=paper),
    )


def stamped(page: PageImage, *, at_mm: tuple[float, float] = (80, 60)) -> PageImage:
    """With a round red seal and a blue stroke of a pen over the print."""
    pixels = page.pixels.copy()
    mm = page.dpi / 25.4
    x, y = (round(value * mm) for value in at_mm)
    ink = np.full_like(pixels, 255)
    cv2.circle(ink, (x, y), round(18 * mm), (215, 45, 50), max(2, round(1.2 * mm)), cv2.LINE_AA)
    cv2.circle(ink, (x, y), round(12 * mm), (215, 45, 50), max(1, round(0.6 * mm)), cv2.LINE_AA)
    cv2.ellipse(
        ink, (x + round(25 * mm), y), (round(16 * mm), round(7 * mm)), 20, 0, 300, (40, 70, 190), round(mm), cv2.LINE_AA
    )
    return with_pixels(page, np.minimum(pixels, ink))


def on_a_table(page: PageImage) -> PageImage:
    """Photographed from a little aside, on a dark table, without a stated resolution."""
    height, width = round(page.height_px * 1.25), round(page.width_px * 1.25)
    corners = np.array(
        [[0, 0], [page.width_px, 0], [page.width_px, page.height_px], [0, page.height_px]], dtype=np.float32
    )
    seen = np.array(
        [[0.12 * width, 0.08 * height], [0.88 * width, 0.1 * height], [0.92 * width, 0.93 * height],
         [0.08 * width, 0.91 * height]], dtype=np.float32,
    )  # fmt: skip
    matrix = cv2.getPerspectiveTransform(corners, seen)
    pixels = cv2.warpPerspective(page.pixels, matrix, (width, height), borderValue=(70, 50, 40))
    return PageImage(np.ascontiguousarray(pixels), page.dpi, dpi_is_stated=False)


def as_bytes(page: PageImage, kind: str, **options: object) -> bytes:
    """The page as a file of this kind: "JPEG", "PNG", "WEBP", "TIFF" or "PDF"."""
    buffer = io.BytesIO()
    image = Image.fromarray(page.pixels)
    if page.bitonal:
        image = image.convert("1", dither=Image.Dither.NONE)
    if kind == "PDF":
        image.save(buffer, kind, resolution=page.dpi, **options)
    else:
        image.save(buffer, kind, dpi=(page.dpi, page.dpi), **options)
    return buffer.getvalue()


def bitonal(page: PageImage) -> PageImage:
    grey = cv2.cvtColor(page.pixels, cv2.COLOR_RGB2GRAY)
    return replace(page, pixels=np.repeat((grey > 128).astype(np.uint8)[:, :, None] * 255, 3, axis=2), bitonal=True)


def words(*lines: str, dpi: float = 150.0, width_px: int = 1240, height_px: int = 1754, left: int = 150) -> OcrPage:
    """A page as if read: each line set from `left`, 30 pixels high, 12 pixels a letter. "|" starts the right column."""
    found = []
    for index, line in enumerate(lines):
        top = 100 + index * 40
        for column, part in enumerate(line.split("|")):
            x = left + column * width_px // 2
            for word in part.split():
                box = Box(x, top, x + 12 * len(word), top + 30)
                found.append(OcrWord(word, box, 90.0, block=column, paragraph=column, line=2 * index + column))
                x += 12 * (len(word) + 1)
    return OcrPage(width_px, height_px, dpi, tuple(found), 90.0)
