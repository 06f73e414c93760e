"""Separator sheets in a stack of scanned pages: which pages are such sheets, and what their codes say.

A sheet's code is large, twice on the sheet, and stands on paper that is otherwise nearly white. No page of print is
half black over the width of a code, so that a glimpse clears nearly every page, and only what it leaves is searched
for codes: whoever hands in the stack is waiting. A page with a large code that nobody can read is told apart from one
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
    from pathlib import Path

    from numpy.typing import NDArray

#: How every separator sheet's code begins.
MARK = "HOSO-NGAN"

#: Where the sheet's code has a module of 1.3 mm this leaves five pixels of it; then as fine as office scanners go.
_DPI, _FINE_DPI = 100.0, 200.0
#: Fine enough that strokes of print are as dark as ink; how dark a place is, is told at less.
_GLIMPSE_DPI, _SHADE_DPI = 60.0, 25.0
#: Half of a code is dark, wherever one looks in it: 0.49 and more in every sheet tried, faint, blurred and folded ones
#: too. Print reaches 0.28, print under stamps 0.34; photographs and copies with black edges go beyond and are searched.
_DENSE_MM, _DENSE = 35.0, 0.40
#: Paper is what a tenth of the page outshines; a page with less contrast than this is taken for dirt on it.
_PAPER, _INK, _LEAST_CONTRAST = 0.90, 0.01, 40.0
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
    media_type = load.media_type(path, limits)
    sheets = []
    for number in range(1, pages + 1):
        seen = _glimpse(path, number, media_type, limits)
        if seen is not None and not _may_hold_code(*seen):
            continue
        grey = _small_page(path, number, media_type, _DPI, limits)
        if not _may_hold_code(grey, _DPI):
            continue
        text, outlines = _read(grey)
        if text is None and any(_is_large(outline, _DPI) for outline in outlines) and _is_bare(grey):
            text = _read(_small_page(path, number, media_type, _FINE_DPI, limits))[0] or ""
        if text is not None:
            sheets.append(SeparatorSheet(number, text))
    return tuple(sheets)


def _glimpse(path: Path, number: int, media_type: str, limits: load.Limits) -> tuple[NDArray[np.uint8], float] | None:
    """A page as coarse as can be had for little, and its resolution; None when it must be drawn."""
    if media_type != load.PDF:
        return None
    from digitize.pdf import scan as pdf_scan

    return pdf_scan.glimpse(path, number, dpi=_GLIMPSE_DPI, max_pixels=limits.max_pixels)


def _may_hold_code(grey: NDArray[np.uint8], dpi: float) -> bool:
    """Whether any place of the width of a code is dark enough for one."""
    reached = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256])) / grey.size
    ink, paper = (float(np.searchsorted(reached, share)) for share in (_INK, _PAPER))
    scale = min(1.0, _SHADE_DPI / dpi)
    coarse = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    dark = np.clip((paper - coarse) / max(paper - ink, _LEAST_CONTRAST), 0, 1)
    side = round(_DENSE_MM / MM_PER_INCH * dpi * scale)
    return bool(cv2.boxFilter(dark, -1, (side, side), borderType=cv2.BORDER_REPLICATE).max() >= _DENSE)


def _small_page(path: Path, number: int, media_type: str, dpi: float, limits: load.Limits) -> NDArray[np.uint8]:
    """A page in grey at about `dpi`."""
    if media_type == load.PDF:
        from digitize.pdf import scan as pdf_scan

        return pdf_scan.small_page(path, number, dpi=dpi, max_pixels=limits.max_pixels)
    page = picture.page(path, number, media_type, max_pixels=limits.max_pixels)
    grey = cv2.cvtColor(page.pixels, cv2.COLOR_RGB2GRAY)
    scale = min(1.0, dpi / page.dpi)
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


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
