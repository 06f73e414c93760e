"""Pictures as scans: JPEG, PNG, WebP and multi-page TIFF become pages of known resolution.

Pillow reads the header first; nothing is decoded before its size is known to be acceptable.
"""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from digitize.types import MM_PER_INCH, PageImage, UnreadableScan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

A4_MM = (210.0, 297.0)

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/tiff": "TIFF"}
_MPO = "MPO"  # a JPEG with a second picture inside, as phones write; Pillow names it by what it holds

#: Nobody's office paper is larger than A0, nor smaller than a stamp: a stated resolution outside is a default left in.
_LARGEST_MM = 1300.0
_SMALLEST_MM = 40.0
#: Cameras and screens write these without having measured anything.
_UNMEASURED_DPI = (0.0, 1.0, 72.0, 96.0)
_UNMEASURED_LARGEST_MM = 425.0
#: Finer than this nothing is gained by reading, and memory is lost; the scan itself is kept elsewhere.
_FINEST_DPI = 400.0
_STRIP_PX = 512

_ORIENTATION = 0x0112
#: How far to turn clockwise what a camera held so, by its tag (EXIF 2.3, 4.6.4); the others mirror.
_TURNS = {1: 0, 3: 180, 6: 90, 8: 270}

#: Cameras put previews, and sloppy programs padding, after the end mark.
_TAIL_BYTES = 256 * 1024
_CUT_SHORT = "Tệp ảnh bị cắt cụt, chưa nhận đủ. Hãy gửi lại hoặc quét lại."

Image.MAX_IMAGE_PIXELS = 180_000_000  # Pillow's own guard, at our limit; the header is checked again below


def count_pages(path: Path, media_type: str, *, max_pixels: int) -> int:
    """Count the pictures in the file from its headers, and see that the file goes on to its end.

    Raises:
        UnreadableScan: Damaged, truncated, or its first page is larger than `max_pixels`.
    """
    with _opened(path, media_type) as image:
        _refuse_large(image, max_pixels)
        if not _is_whole(path, media_type, image):
            raise UnreadableScan("truncated", _CUT_SHORT)
        # Only TIFF holds pages; frames of other formats are animation or a camera's preview.
        return int(getattr(image, "n_frames", 1)) if media_type == "image/tiff" else 1


def page(path: Path, number: int, media_type: str, *, max_pixels: int) -> PageImage:
    """Decode one page, upright as the camera's own orientation tag says.

    Raises:
        UnreadableScan: No such page, damaged, truncated, or larger than `max_pixels`.
    """
    with _opened(path, media_type) as image:
        frames = int(getattr(image, "n_frames", 1)) if media_type == "image/tiff" else 1
        if number > frames:
            raise UnreadableScan("no_pages", f"Tệp chỉ có {frames} trang, không có trang {number}.")
        if frames > 1:
            image.seek(number - 1)
        _refuse_large(image, max_pixels)
        bitonal = image.mode == "1"
        dpi = _stated_dpi(image)
        stated = dpi is not None
        if dpi is None:
            dpi = deduced_dpi(image.width, image.height)
        whole_width = image.width
        if dpi > 2 * _FINEST_DPI and image.format == "JPEG":
            image.draft("RGB", (math.ceil(image.width / 2), math.ceil(image.height / 2)))
        pixels = _rgb(image)
        dpi *= (pixels.width if pixels.width != whole_width else whole_width) / whole_width
        if dpi > _FINEST_DPI:
            pixels, dpi = _coarser(pixels, dpi)
            bitonal = False
        ImageOps.exif_transpose(pixels, in_place=True)
        return PageImage(_as_array(pixels), dpi, dpi_is_stated=stated, bitonal=bitonal)


@dataclass(frozen=True)
class PlainJpeg:
    """What must be known of a JPEG to show its bytes as they are; `turned_deg` clockwise makes it upright."""

    width: int
    height: int
    grey: bool
    turned_deg: int


def plain_jpeg(path: Path) -> PlainJpeg | None:
    """The shape of a JPEG in grey or in three colours that nothing mirrors; None for any other.

    Raises:
        UnreadableScan: It is damaged.
    """
    with _opened(path, "image/jpeg") as image:
        turned = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
        if image.mode not in {"L", "RGB"} or turned is None:
            return None
        return PlainJpeg(image.width, image.height, image.mode == "L", turned)


def _as_array(image: Image.Image) -> NDArray[np.uint8]:
    """Its pixels, strip by strip: Pillow's own way holds three copies of a page at once."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _STRIP_PX):
        bottom = min(image.height, top + _STRIP_PX)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return pixels


def deduced_dpi(width_px: int, height_px: int) -> float:
    """Resolution under the assumption that the longer side is an A4 sheet's."""
    return max(width_px, height_px) / A4_MM[1] * MM_PER_INCH


def _rgb(image: Image.Image) -> Image.Image:
    """The picture on white paper, RGB, with its orientation tag kept."""
    exif = image.getexif()
    if image.mode in {"I;16", "I;16B", "I;16L", "I", "F"}:  # Pillow would clip these at 255, not scale them
        deep = np.asarray(image, dtype=np.float32)
        image = Image.fromarray((deep / max(float(deep.max()), 1.0) * 255).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        clear = image.convert("RGBA")
        image = Image.new("RGB", clear.size, (255, 255, 255))
        image.paste(clear, mask=clear.getchannel("A"))
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    rgb.load()
    rgb.info["exif"] = exif.tobytes() if exif else b""
    return rgb


def _coarser(image: Image.Image, dpi: float) -> tuple[Image.Image, float]:
    factor = math.ceil(dpi / _FINEST_DPI)
    exif = image.info.get("exif", b"")
    smaller = image.reduce(factor)
    smaller.info["exif"] = exif
    return smaller, dpi * smaller.width / image.width


def _stated_dpi(image: Image.Image) -> float | None:
    """The file's resolution, unless it is missing or can't be true."""
    stated = image.info.get("dpi")
    try:
        across, down = (float(value) for value in stated or (0, 0))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not (math.isfinite(across) and math.isfinite(down)) or min(across, down) <= 1:
        return None
    dpi = math.sqrt(across * down)
    long_mm = max(image.width / across, image.height / down) * MM_PER_INCH
    unmeasured = round(dpi) in _UNMEASURED_DPI
    if not _SMALLEST_MM < long_mm < (_UNMEASURED_LARGEST_MM if unmeasured else _LARGEST_MM):
        return None
    return dpi


def _is_whole(path: Path, media_type: str, image: Image.Image) -> bool:
    """Whether the file isn't cut short, told without decoding it: a citizen is waiting at the counter."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read()
    match media_type:
        case "image/jpeg":
            return b"\xff\xd9" in tail
        case "image/png":
            return b"IEND" in tail
        case "image/webp":
            return int.from_bytes(head[4:8], "little") + 8 <= size
        case _:
            return _strips_end(image) <= size


def _strips_end(image: Image.Image) -> int:
    """Where the last strip or tile of a TIFF's first page ends, in bytes."""
    tags = getattr(image, "tag_v2", {})
    ends = [0]
    for starts, counts in ((273, 279), (324, 325)):
        ends += [start + count for start, count in zip(tags.get(starts, ()), tags.get(counts, ()), strict=False)]
    return max(ends)


def _refuse_large(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise _too_large(image.width * image.height)


def _too_large(pixels: int | None = None) -> UnreadableScan:
    size = f" ({pixels // 10**6} triệu điểm ảnh)" if pixels else ""
    return UnreadableScan("page_too_large", f"Ảnh quá lớn{size}, không nhận. Hãy quét lại ở 300 dpi.")


@contextmanager
def _opened(path: Path, media_type: str) -> Iterator[Image.Image]:
    """The picture, with everything Pillow may say about a bad one turned into `UnreadableScan`."""
    wanted = [_FORMATS[media_type]] + ([_MPO] if media_type == "image/jpeg" else [])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "corrupt EXIF", "truncated tag": decoding decides, not a hint
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=wanted) as image:
                yield image
    except UnreadableScan:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except MemoryError as error:
        raise _too_large() from error
    except Exception as error:
        if "truncated" in str(error).lower() or isinstance(error, EOFError):
            raise UnreadableScan("truncated", _CUT_SHORT) from error
        message = "Tệp ảnh hỏng, không giải mã được. Hãy quét lại và gửi tệp khác."
        raise UnreadableScan("damaged", message) from error
