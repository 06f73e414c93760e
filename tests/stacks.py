"""Stacks of paper as a feeder scans them: separator sheets with papers behind them. Nobody's papers are real."""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING

import segno
from PIL import Image

from dossiers.separation import sheet_text
from tests.papers import scan_png

if TYPE_CHECKING:
    from collections.abc import Sequence

DPI = 200
_A4_MM = (210, 297)
_CODE_MM = 60


def _px(mm: float) -> int:
    return round(mm / 25.4 * DPI)


def paper(text: str = "") -> Image.Image:
    """A page that says something no other page says."""
    return Image.open(io.BytesIO(scan_png(text or f"Trang {uuid.uuid4()}", dpi=DPI))).convert("RGB")


def white() -> Image.Image:
    """The back of a sheet printed on one side."""
    return Image.new("RGB", (_px(_A4_MM[0]), _px(_A4_MM[1])), "white")


def sheet(dossier_code: str, kind: str) -> Image.Image:
    """A separator sheet, its code twice."""
    page, code = white(), _code(sheet_text(dossier_code, kind))
    page.paste(code, (_px(10), _px(10)))
    page.paste(code, (_px(140), _px(225)))
    return page


def spoiled_sheet() -> Image.Image:
    """A separator sheet with both codes scribbled over."""
    page = sheet("000.00.01.H49-261121-0007", "TK")
    scribble = Image.new("RGB", (_px(22), _px(22)), "black")
    page.paste(scribble, (_px(29), _px(29)))
    page.paste(scribble, (_px(159), _px(244)))
    return page


def as_pdf(pages: Sequence[Image.Image]) -> bytes:
    """As a scanner's PDF: pictures only."""
    file = io.BytesIO()
    pages[0].save(file, "PDF", resolution=DPI, save_all=True, append_images=list(pages[1:]))
    return file.getvalue()


def as_tiff(pages: Sequence[Image.Image]) -> bytes:
    """As a scanner's TIFF of several pages."""
    file = io.BytesIO()
    pages[0].copy().save(
        file,
        "TIFF",
        dpi=(DPI, DPI),
        compression="tiff_lzw",
        save_all=True,
        append_images=[page.copy() for page in pages[1:]],
    )
    return file.getvalue()


def _code(text: str) -> Image.Image:
    made = io.BytesIO()
    segno.make_qr(text, error="m").save(made, kind="png", scale=10, border=0)
    size = _px(_CODE_MM)
    return Image.open(made).convert("RGB").resize((size, size), Image.Resampling.NEAREST)
