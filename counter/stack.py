"""Scanned pages as one PDF, each picture exactly as the scanner's program wrote it. Python's own library is enough.

A JPEG is a PDF's picture as it stands; so are the packed lines of a PNG (PDF 1.7, 7.4.4.4 and 7.4.8).
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_POINTS_PER_INCH = 72
_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
#: Markers that open a JPEG's frame and tell its size: all of 0xC0 to 0xCF that aren't tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})


class BadPage(Exception):
    """This isn't a whole picture that can stand in a PDF."""


def write(pages: Sequence[Path], target: Path, *, dpi: int) -> None:
    """Write pages to `target`, durable when this returns; it gets its name only when it is whole.

    Raises:
        BadPage: The message names the file.
        OSError: The disk is full, or broken.
    """
    new = target.with_name(f".{target.name}.new")
    with new.open("wb") as file:
        offsets: list[int] = []
        file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        kids = b" ".join(b"%d 0 R" % (3 + 3 * number) for number in range(len(pages)))
        _put(file, offsets, b"<< /Type /Catalog /Pages 2 0 R >>")
        _put(file, offsets, b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids))
        for number, page in enumerate(pages):
            width, height, entries, data = _picture(page)
            across, down = (side / dpi * _POINTS_PER_INCH for side in (width, height))
            own = 3 + 3 * number
            _put(
                file,
                offsets,
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.4f %.4f] /Contents %d 0 R "
                b"/Resources << /XObject << /P %d 0 R >> >> >>" % (across, down, own + 1, own + 2),
            )
            drawn = b"q %.4f 0 0 %.4f 0 0 cm /P Do Q" % (across, down)
            _put(file, offsets, b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn))
            said = b"/Type /XObject /Subtype /Image /Width %d /Height %d /Length %d %s" % (
                width,
                height,
                len(data),
                entries,
            )
            _put(file, offsets, b"<< %s >>\nstream\n%s\nendstream" % (said, data))
        start = file.tell()
        table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        file.write(b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(offsets) + 1, table))
        file.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, start))
        file.flush()
        os.fsync(file.fileno())
    new.replace(target)


def _put(file: BinaryIO, offsets: list[int], body: bytes) -> None:
    offsets.append(file.tell())
    file.write(b"%d 0 obj\n%s\nendobj\n" % (len(offsets), body))


def _picture(page: Path) -> tuple[int, int, bytes, bytes]:
    """Width, height, entries and data of a picture.

    Raises:
        BadPage: It is neither a JPEG nor a plain PNG, or isn't whole.
    """
    data = page.read_bytes()
    try:
        if data.startswith(_JPEG) and data.rstrip(b"\0").endswith(b"\xff\xd9"):
            width, height, colours = _jpeg_frame(data)
            space = {1: b"/DeviceGray", 3: b"/DeviceRGB"}[colours]
            return width, height, b"/ColorSpace %s /BitsPerComponent 8 /Filter /DCTDecode" % space, data
        if data.startswith(_PNG):
            return _png(data)
    except (KeyError, IndexError, struct.error, ValueError) as error:
        raise BadPage(page.name) from error
    raise BadPage(page.name)


def _jpeg_frame(data: bytes) -> tuple[int, int, int]:
    at = 2
    while True:
        if data[at] != 0xFF:  # noqa: PLR2004  every marker begins so
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width, colours = struct.unpack(">HHB", data[at + 5 : at + 10])
            return width, height, colours
        at += 2 if marker in _ALONE else 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]


def _png(data: bytes) -> tuple[int, int, bytes, bytes]:
    width, height, depth, colour, _, _, woven = struct.unpack(">IIBBBBB", data[16:29])
    colours, space = {0: (1, b"/DeviceGray"), 2: (3, b"/DeviceRGB")}[colour]
    if woven or depth not in (1, 8):
        raise ValueError("not plain")
    packed, at, ended = [], 8, False
    while at < len(data) and not ended:
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind = data[at + 4 : at + 8]
        if kind == b"IDAT":
            packed.append(data[at + 8 : at + 8 + length])
        ended = kind == b"IEND"
        at += 12 + length
    if not ended:
        raise ValueError("cut short")
    lines = b"<< /Predictor 15 /Colors %d /BitsPerComponent %d /Columns %d >>" % (colours, depth, width)
    entries = b"/ColorSpace %s /BitsPerComponent %d /Filter /FlateDecode /DecodeParms %s" % (space, depth, lines)
    return width, height, entries, b"".join(packed)
