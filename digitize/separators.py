"""Separator sheets in a stack of scanned pages: which pages are such sheets, and what their codes say.

A sheet's code is large, twice on the sheet, and stands on paper that is otherwise nearly white, so that pages are
looked at small: a tenth of what reading costs. A page with a large code that nobody can read is told apart from one
without: somebody must look at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize import load, picture
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

#: How every separator sheet's code begins.
MARK = "HOSO-NGAN"

#: Where the sheet's code has a module of 1.3 mm this leaves five pixels of it; then as fine as office scanners go.
_DPI, _FINE_DPI = 100.0, 200.0
#: A code on an identity card, a certificate or a receipt measures 10 to 25 mm.
_LARGE_MM = 35.0
_SQUARE = 0.25
#: Share of a sheet's pixels that may be dark: two codes and a few lines. A page of print and a table has less white.
_MOST_INK = 0.30
_DARK = 128


@dataclass(frozen=True)
class SeparatorSheet:
    """A page of a scan that is a separator sheet.

    Attributes:
        page: 1-based.
        text: What its code says after `MARK`; "" when a code is there and can't be read.
    """

    page: int
    text: str


def found(path: Path, pages: int, *, limits: load.Limits = load.LIMITS) -> tuple[SeparatorSheet, ...]:
    """The separator sheets of a scan, in order.

    Args:
        path: A file that `load.inspect` accepts, with so many pages.

    Raises:
        UnreadableScan: A page can't be drawn at all.
    """
    sheets = []
    for number, grey in _small_pages(path, pages, _DPI, limits):
        text, outlines = _read(grey)
        if text is None and any(_is_large(outline, _DPI) for outline in outlines) and _is_bare(grey):
            fine = next(iter(_small_pages(path, pages, _FINE_DPI, limits, only=number)))[1]
            text = _read(fine)[0] or ""
        if text is not None:
            sheets.append(SeparatorSheet(number, text))
    return tuple(sheets)


def _small_pages(
    path: Path, pages: int, dpi: float, limits: load.Limits, *, only: int = 0
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Pages in grey at about `dpi`, one at a time."""
    numbers = (only,) if only else range(1, pages + 1)
    media_type = load.media_type(path, limits)
    if media_type == load.PDF:
        from digitize.pdf import scan as pdf_scan

        yield from pdf_scan.small_pages(path, numbers, dpi=dpi, max_pixels=limits.max_pixels)
        return
    for number in numbers:
        page = picture.page(path, number, media_type, max_pixels=limits.max_pixels)
        grey = cv2.cvtColor(page.pixels, cv2.COLOR_RGB2GRAY)
        scale = min(1.0, dpi / page.dpi)
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        yield number, np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _read(grey: NDArray[np.uint8]) -> tuple[str | None, list[NDArray[np.float32]]]:
    """What our code says, None without one; and the outlines of codes that nobody could read."""
    unread: list[NDArray[np.float32]] = []
    for reader in (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco()):
        try:
            _, texts, corners, _ = reader.detectAndDecodeMulti(grey)
        except (cv2.error, UnicodeDecodeError):  # a code that isn't text, or none after all
            continue
        for text, outline in zip(texts, corners if corners is not None else (), strict=False):
            if text.startswith(f"{MARK}:"):
                return text.removeprefix(f"{MARK}:"), []
            if not text:
                unread.append(np.asarray(outline, dtype=np.float32))
    return None, unread


def _is_large(outline: NDArray[np.float32], dpi: float) -> bool:
    """Whether a code's outline is a square of the size that only separator sheets have."""
    sides = [float(np.linalg.norm(outline[i] - outline[(i + 1) % 4])) for i in range(4)]
    if min(sides) <= 0 or max(sides) / min(sides) - 1 > _SQUARE:
        return False
    return float(np.mean(sides)) / dpi * MM_PER_INCH >= _LARGE_MM


def _is_bare(grey: NDArray[np.uint8]) -> bool:
    return float(np.mean(grey < _DARK)) <= _MOST_INK
