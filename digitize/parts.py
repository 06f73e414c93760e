"""Some pages of a scan as a PDF of their own, their pictures exactly as they came.

A PDF's pages are carried over with the very bytes of their pictures; a TIFF's pictures are packed without loss. The
scan itself is never touched. The same pages always give the same bytes, so that work done twice stores once.
"""

from __future__ import annotations

import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pikepdf

from digitize import picture
from digitize.load import LIMITS, PDF, Limits, media_type
from digitize.types import UnreadableScan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from digitize.types import PageImage

_POINTS_PER_INCH = 72.0
_WHITE = 128


def write(source: Path, numbers: Sequence[int], target: Path, *, limits: Limits = LIMITS) -> None:
    """Write these pages of a scan, 1-based and in this order, to the PDF `target`.

    Raises:
        UnreadableScan: The file can't be taken apart.
    """
    kind = media_type(source, limits)
    try:
        with closing(pikepdf.new()) as part:
            if kind == PDF:
                _carry_over(source, numbers, part)
            else:
                for number in numbers:
                    _add_page(part, picture.page(source, number, kind, max_pixels=limits.max_pixels))
            part.save(target, deterministic_id=True)
    except (pikepdf.PdfError, IndexError) as error:
        words = "Không tách được các trang của tệp này. Hãy quét lại thành PDF và gửi tệp khác."
        raise UnreadableScan("damaged", words) from error


def _carry_over(source: Path, numbers: Sequence[int], part: pikepdf.Pdf) -> None:
    with pikepdf.open(source, suppress_warnings=True) as whole:
        for number in numbers:
            part.pages.append(whole.pages[number - 1])


def _add_page(part: pikepdf.Pdf, page: PageImage) -> None:
    height, width = page.pixels.shape[:2]
    if page.bitonal:
        data, space, bits = np.packbits(page.pixels[:, :, 0] >= _WHITE, axis=1).tobytes(), "/DeviceGray", 1
    else:
        data, space, bits = page.pixels.tobytes(), "/DeviceRGB", 8
    shown = pikepdf.Stream(
        part,
        zlib.compress(data, 6),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=width,
        Height=height,
        ColorSpace=pikepdf.Name(space),
        BitsPerComponent=bits,
        Filter=pikepdf.Name.FlateDecode,
    )
    across, down = (side / page.dpi * _POINTS_PER_INCH for side in (width, height))
    leaf = part.add_blank_page(page_size=(across, down))
    leaf.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=shown))
    leaf.Contents = pikepdf.Stream(part, f"q {across:.4f} 0 0 {down:.4f} 0 0 cm /P Do Q".encode("ascii"))
