"""Some pages of a scan as a PDF of their own, or photographs bound into one, their pictures exactly as they came.

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
from digitize.pdf.scan import PHOTOGRAPH
from digitize.types import UnreadableScan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from digitize.picture import PlainJpeg
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


def bind(pictures: Sequence[Path], target: Path, *, limits: Limits = LIMITS) -> None:
    """Write photographs, one a page in this order, to the PDF `target`; a JPEG's bytes stand in it unchanged.

    A camera tells no true resolution: each page is as long as an A4 sheet and marked, so that whoever loads it again
    knows that its size says nothing (`pdf.scan`).

    Raises:
        UnreadableScan: One of them is no picture, or is damaged.
    """
    with closing(pikepdf.new()) as whole:
        for path in pictures:
            kind = media_type(path, limits)
            if kind == PDF:
                raise UnreadableScan("not_a_picture", "Tệp không phải ảnh chụp. Hãy chụp lại.")
            as_it_came = picture.plain_jpeg(path) if kind == "image/jpeg" else None
            if as_it_came is not None:
                _add_jpeg(whole, path, as_it_came)
            else:
                _add_page(whole, picture.page(path, 1, kind, max_pixels=limits.max_pixels), mark=PHOTOGRAPH)
        whole.save(target, deterministic_id=True)


def _add_jpeg(whole: pikepdf.Pdf, path: Path, jpeg: PlainJpeg) -> None:
    shown = pikepdf.Stream(
        whole,
        path.read_bytes(),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=jpeg.width,
        Height=jpeg.height,
        ColorSpace=pikepdf.Name("/DeviceGray" if jpeg.grey else "/DeviceRGB"),
        BitsPerComponent=8,
        Filter=pikepdf.Name.DCTDecode,
    )
    _lay(whole, shown, jpeg.width, jpeg.height, picture.deduced_dpi(jpeg.width, jpeg.height), mark=PHOTOGRAPH)
    if jpeg.turned_deg:
        whole.pages[-1].Rotate = jpeg.turned_deg


def _carry_over(source: Path, numbers: Sequence[int], part: pikepdf.Pdf) -> None:
    with pikepdf.open(source, suppress_warnings=True) as whole:
        for number in numbers:
            part.pages.append(whole.pages[number - 1])


def _add_page(part: pikepdf.Pdf, page: PageImage, *, mark: str = "") -> None:
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
    _lay(part, shown, width, height, page.dpi, mark=mark)


def _lay(part: pikepdf.Pdf, shown: pikepdf.Stream, width: int, height: int, dpi: float, *, mark: str) -> None:
    """Add a page that is this picture."""
    across, down = (side / dpi * _POINTS_PER_INCH for side in (width, height))
    leaf = part.add_blank_page(page_size=(across, down))
    leaf.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=shown))
    drawn = f"q {across:.4f} 0 0 {down:.4f} 0 0 cm /P Do Q"
    leaf.Contents = pikepdf.Stream(part, (f"/{mark} BMC {drawn} EMC" if mark else drawn).encode("ascii"))
