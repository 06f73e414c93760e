"""Whatever somebody sends, the door says what it is or why it can't be taken, and nothing else happens."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from digitize import load
from digitize.load import Limits
from digitize.types import UnreadableScan
from tests import scans

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff", "PDF": "application/pdf"}


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(data: bytes, name: str = "scan") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def refused(path: Path, **limits: int) -> str:
    """The reason for which a file is refused, by whichever of the two doors refuses it."""
    with pytest.raises(UnreadableScan) as error:  # noqa: PT012  either door may be the one that refuses
        load.inspect(path, limits=Limits(**limits))
        load.page(path, 1, limits=Limits(**limits))
    assert str(error.value)
    return error.value.reason


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_known_by_its_content_and_keeps_its_resolution(file, kind):
    page = scans.sheet(dpi=100)
    path = file(scans.as_bytes(page, kind), "scan.txt")
    facts = load.inspect(path)
    assert (facts.media_type, facts.pages, facts.signed) == (KINDS[kind], 1, False)
    loaded = load.page(path, 1)
    # WebP stores no resolution; A4 is deduced from the shape.
    assert loaded.dpi == pytest.approx(100, rel=0.01)
    assert loaded.pixels.shape == page.pixels.shape
    assert np.abs(loaded.pixels.astype(int) - page.pixels).mean() < 3


def test_a_tiff_has_as_many_pages_as_pictures(file):
    buffer = io.BytesIO()
    leaves = [Image.new("1", (827, 1169), 1), Image.new("1", (827, 1169), 0), Image.new("1", (600, 400), 1)]
    leaves[0].save(buffer, "TIFF", save_all=True, append_images=leaves[1:], dpi=(100, 100), compression="group4")
    path = file(buffer.getvalue())
    assert load.inspect(path).pages == 3
    assert load.page(path, 2).bitonal
    assert load.page(path, 2).pixels.max() == 0
    assert load.page(path, 3).pixels.shape == (400, 600, 3)
    with pytest.raises(UnreadableScan, match="trang 4"):
        load.page(path, 4)


def test_a_camera_orientation_is_obeyed(file):
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (600, 400), "white").save(buffer, "JPEG", exif=exif)
    assert load.page(file(buffer.getvalue()), 1).pixels.shape == (600, 400, 3)


def test_a_resolution_nobody_measured_is_deduced_from_the_paper(file):
    page = scans.sheet(dpi=200)
    path = file(scans.as_bytes(scans.PageImage(page.pixels, 72.0), "JPEG"))
    loaded = load.page(path, 1)
    assert not loaded.dpi_is_stated
    assert loaded.dpi == pytest.approx(200, rel=0.01)


def test_a_scanned_page_of_a_pdf_is_its_own_picture_pixel_for_pixel(file):
    page = scans.bitonal(scans.sheet(dpi=150))
    loaded = load.page(file(scans.as_bytes(page, "PDF")), 1)
    assert loaded.bitonal
    assert np.array_equal(loaded.pixels, page.pixels)


def test_a_turned_pdf_page_is_drawn_as_it_is_seen(file):
    with pikepdf.open(io.BytesIO(scans.as_bytes(scans.sheet(dpi=100), "PDF"))) as pdf:
        pdf.pages[0].Rotate = 90
        buffer = io.BytesIO()
        pdf.save(buffer)
    height, width, _ = load.page(file(buffer.getvalue()), 1).pixels.shape
    assert width > height


def test_a_signature_is_seen_also_when_the_fields_run_in_a_circle(file):
    pdf = pikepdf.new()
    pdf.add_blank_page()
    loop = pdf.make_indirect(pikepdf.Dictionary(T="a"))
    loop.Kids = pikepdf.Array([loop])
    value = pikepdf.Dictionary(Type=pikepdf.Name.Sig, Contents=b"\x30\x00", ByteRange=[0, 1, 2, 3])
    signature = pdf.make_indirect(pikepdf.Dictionary(FT=pikepdf.Name.Sig, T="s", V=value))
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[loop, signature])
    buffer = io.BytesIO()
    pdf.save(buffer)
    assert load.inspect(file(buffer.getvalue())).signed


def test_an_empty_signature_field_is_no_signature(file):
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[pikepdf.Dictionary(FT=pikepdf.Name.Sig, T="s")])
    buffer = io.BytesIO()
    pdf.save(buffer)
    assert not load.inspect(file(buffer.getvalue())).signed


def test_an_empty_file_is_refused(file):
    assert refused(file(b"")) == "empty"


def test_a_wrong_type_behind_a_right_name_is_refused(file):
    assert refused(file(b"MZ\x90\x00 this is a program", "scan.pdf")) == "wrong_type"


def test_a_file_that_is_missing_is_refused(tmp_path):
    assert refused(tmp_path / "nothing.pdf") == "damaged"


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_file_is_refused(file, kind):
    data = scans.as_bytes(scans.sheet(dpi=100), kind)
    assert refused(file(data[: len(data) // 2])) in {"truncated", "damaged"}


def test_a_file_with_a_password_is_refused(file):
    pdf = pikepdf.new()
    pdf.add_blank_page()
    buffer = io.BytesIO()
    pdf.save(buffer, encryption=pikepdf.Encryption(owner="chủ", user="mật khẩu"))
    assert refused(file(buffer.getvalue())) == "encrypted"


def test_a_pdf_without_pages_is_refused(file):
    buffer = io.BytesIO()
    pikepdf.new().save(buffer)
    assert refused(file(buffer.getvalue())) == "no_pages"


def test_more_pages_than_allowed_are_refused(file):
    pdf = pikepdf.new()
    for _ in range(3):
        pdf.add_blank_page()
    buffer = io.BytesIO()
    pdf.save(buffer)
    assert refused(file(buffer.getvalue()), max_pages=2) == "too_many_pages"


def test_a_file_larger_than_allowed_is_refused(file):
    assert refused(file(scans.as_bytes(scans.sheet(dpi=72), "PNG")), max_bytes=1000) == "too_large"


def _png(width: int, height: int) -> bytes:
    """A picture that says it is large and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [14_000, 60_000])
def test_a_picture_that_unpacks_to_more_than_allowed_is_refused_from_its_header(file, side):
    assert refused(file(_png(side, side))) == "page_too_large"


def test_a_pdf_whose_picture_is_too_large_is_refused_before_it_is_decoded(file):
    with pikepdf.open(io.BytesIO(scans.as_bytes(scans.sheet(dpi=72), "PDF"))) as pdf:
        (image,) = pdf.pages[0].Resources.XObject.values()
        image.Width = 50_000
        image.Height = 50_000
        buffer = io.BytesIO()
        pdf.save(buffer)
    assert refused(file(buffer.getvalue())) == "page_too_large"


def test_a_page_description_that_unpacks_without_end_is_refused(file):
    pdf = pikepdf.new()
    page = pdf.add_blank_page()
    page.Contents = pikepdf.Stream(pdf, zlib.compress(bytes(80_000_000), 1), Filter=pikepdf.Name.FlateDecode)
    buffer = io.BytesIO()
    pdf.save(buffer, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    path = file(buffer.getvalue())
    assert path.stat().st_size < 1_000_000
    assert refused(path) == "page_too_large"


def test_paper_larger_than_a_house_is_refused(file):
    pdf = pikepdf.new()
    pdf.add_blank_page().MediaBox = [0, 0, 200_000, 200_000]
    buffer = io.BytesIO()
    pdf.save(buffer)
    assert refused(file(buffer.getvalue())) in {"page_too_large", "damaged"}


_WHOLE = {kind: scans.as_bytes(scans.sheet(dpi=40), kind) for kind in KINDS}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_a_damaged_file_is_read_or_refused_and_never_breaks_anything(tmp_path, kind, data):
    whole = bytearray(_WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "scan"
    path.write_bytes(whole)
    try:
        facts = load.inspect(path)
        page = load.page(path, facts.pages)
    except UnreadableScan:
        return
    assert page.dpi > 0
