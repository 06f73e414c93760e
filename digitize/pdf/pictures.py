"""What a page looks like, as pictures of a PDF: in layers where that is smaller, as it is otherwise."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageChops
from PIL.TiffImagePlugin import TiffImageFile

from digitize.pdf import layers
from digitize.pdf.text_layer import POINTS_PER_INCH
from digitize.types import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.pdf.file import PdfFile
    from digitize.pdf.layers import Layers
    from digitize.types import OcrPage

_HAIR_PX = 0.02
_WORTH_IT = 0.8  # of the single picture's size; above it the simpler page is the better one


def put_page(pdf: PdfFile, picture: bytes, ocr: OcrPage) -> tuple[dict[str, int], bytes]:
    """Put a page's picture into the file.

    Args:
        pdf: Being written.
        picture: The display page: JPEG as it is, or PNG; bitonal stays bitonal.
        ocr: Its words, which tell print from ink.

    Returns:
        Numbers of the picture objects by their names in the page's resources, and the operators that draw them.
    """
    width, height = (side * POINTS_PER_INCH / ocr.dpi for side in (ocr.width_px, ocr.height_px))
    found = _layers(picture, ocr)
    if found is None:
        return {"Im1": _put_whole(pdf, picture)}, b"q %.3f 0 0 %.3f 0 0 cm /Im1 Do Q\n" % (width, height)
    parts, mask = found
    pictures = {"Im1": _put_whole(pdf, parts.paper)}
    drawing = [b"q %.3f 0 0 %.3f 0 0 cm /Im1 Do Q\n" % (width, height)]
    for place, (box, tile) in enumerate(parts.tiles, start=2):
        size = box.right - box.left, box.bottom - box.top
        pictures[f"Im{place}"] = _put_jpeg(pdf, tile, size, b"/DeviceRGB")
        drawing.append(b"q %s cm /Im%d Do Q\n" % (_matrix(box, ocr), place))
    stencil = {"ImageMask": b"true", "BitsPerComponent": b"1", **_group4_entries(parts.print_mask.shape)}
    pictures["Print"] = pdf.put_stream(mask, stencil, compress=False)
    colour = b"%.3f %.3f %.3f rg" % tuple(level / 255 for level in parts.print_colour)
    everywhere = _matrix(Box(0, 0, ocr.width_px, ocr.height_px), ocr)
    drawing.append(b"q %s %s cm /Print Do Q\n" % (colour, everywhere))
    return pictures, b"".join(drawing)


def _layers(picture: bytes, ocr: OcrPage) -> tuple[Layers, bytes] | None:
    """The page in layers and its mask as CCITT data, where they show the page as well in fewer bytes."""
    if ocr.dpi < layers.LEAST_DPI or not picture.startswith(b"\xff\xd8"):
        return None
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR_RGB)
    if pixels is None or pixels.shape[:2] != (ocr.height_px, ocr.width_px):
        return None
    found = layers.taken_apart(np.asarray(pixels, dtype=np.uint8), ocr)
    if found is None:
        return None
    mask = _group4(_as_bits(found.print_mask))
    size = len(mask) + len(found.paper) + sum(len(tile) for _, tile in found.tiles)
    return (found, mask) if size < _WORTH_IT * len(picture) else None


def _matrix(box: Box, ocr: OcrPage) -> bytes:
    """Where a part lies, drawn in by a hair: PDFium rounds outwards and would stretch it by a pixel."""
    points = POINTS_PER_INCH / ocr.dpi
    left, right = (box.left + _HAIR_PX) * points, (box.right - _HAIR_PX) * points
    top, bottom = (ocr.height_px - box.top - _HAIR_PX) * points, (ocr.height_px - box.bottom + _HAIR_PX) * points
    return b"%.4f 0 0 %.4f %.4f %.4f" % (right - left, top - bottom, left, bottom)


def _put_whole(pdf: PdfFile, data: bytes) -> int:
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
        if image.format == "JPEG" and image.mode in {"RGB", "L"}:
            return _put_jpeg(pdf, data, image.size, b"/DeviceGray" if image.mode == "L" else b"/DeviceRGB")
        if image.mode == "1":
            entries = {"ColorSpace": b"/DeviceGray", "BitsPerComponent": b"1"}
            entries |= _group4_entries((image.height, image.width))
            return pdf.put_stream(_group4(ImageChops.invert(image)), entries, compress=False)
        size = {"Width": b"%d" % image.width, "Height": b"%d" % image.height}
        entries = {"Type": b"/XObject", "Subtype": b"/Image", **size}
        entries |= {"BitsPerComponent": b"8", "ColorSpace": b"/DeviceRGB"}
        return pdf.put_stream(image.convert("RGB").tobytes(), entries)


def _put_jpeg(pdf: PdfFile, data: bytes, size: tuple[int, int], colours: bytes) -> int:
    width, height = size
    entries = {
        "Type": b"/XObject",
        "Subtype": b"/Image",
        "Width": b"%d" % width,
        "Height": b"%d" % height,
        "BitsPerComponent": b"8",
        "ColorSpace": colours,
        "Filter": b"/DCTDecode",
    }
    return pdf.put_stream(data, entries, compress=False)


def _as_bits(plane: NDArray[np.uint8]) -> Image.Image:
    """A plane of 0 and 255 as a bitonal picture; Pillow's own way looks at every pixel in turn."""
    height, width = plane.shape
    return Image.frombytes("1", (width, height), np.packbits(plane, axis=1).tobytes())


def _group4_entries(shape: tuple[int, ...]) -> dict[str, bytes]:
    height, width = shape
    return {
        "Type": b"/XObject",
        "Subtype": b"/Image",
        "Width": b"%d" % width,
        "Height": b"%d" % height,
        "Filter": b"/CCITTFaxDecode",
        "DecodeParms": b"<< /K -1 /Columns %d /Rows %d >>" % (width, height),
    }


def _group4(ink: Image.Image) -> bytes:
    """ITU-T T.6, one strip. libtiff codes zero bits as white, so ink must be ones."""
    buffer = io.BytesIO()
    rows_per_strip, offsets, counts = 278, 273, 279
    ink.save(buffer, "TIFF", compression="group4", tiffinfo={rows_per_strip: ink.height})
    buffer.seek(0)
    tags = TiffImageFile(buffer).tag_v2
    (offset,), (count,) = tags[offsets], tags[counts]
    return buffer.getvalue()[offset : offset + count]
