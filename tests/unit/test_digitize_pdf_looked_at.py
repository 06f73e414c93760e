"""Pages of a PDF as a reader sees them: what a leader approves by must be what is there."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pikepdf
import pytest
from PIL import Image

from digitize.pdf import scan as pdf_scan
from digitize.types import UnreadableScan
from tests.papers import BAD_FILES, page_pdf, scan_pdf

if TYPE_CHECKING:
    from pathlib import Path

MAX_PIXELS = 180_000_000


def looked_at(pdf: bytes, folder: Path, number: int = 1, dpi: float = 100.0) -> Image.Image:
    file = folder / "a.pdf"
    file.write_bytes(pdf)
    return Image.open(BytesIO(pdf_scan.page_jpeg(file, number, dpi=dpi, max_pixels=MAX_PIXELS)))


def darkest(picture: Image.Image) -> int:
    return picture.convert("L").getextrema()[0]


def test_a_page_is_drawn_at_the_resolution_asked_for(tmp_path: Path) -> None:
    picture = looked_at(page_pdf("Kết quả"), tmp_path)

    assert picture.format == "JPEG"
    assert picture.size == (583, 413), "148 × 105 mm at 100 dpi"
    assert darkest(picture) < 60


def test_every_page_has_a_size_and_a_scan_is_drawn_too(tmp_path: Path) -> None:
    pdf = scan_pdf("Trang một", "Trang hai")
    picture = looked_at(pdf, tmp_path, number=2)

    assert len(pdf_scan.sheet_sizes(tmp_path / "a.pdf")) == 2
    assert darkest(picture) < 60


def test_what_stands_on_the_page_as_an_annotation_is_seen(tmp_path: Path) -> None:
    file = BytesIO()
    with pikepdf.open(BytesIO(page_pdf())) as pdf:
        look = pdf.make_stream(b"1 0 0 rg 0 0 100 100 re f")
        look.update({"/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Form, "/BBox": [0, 0, 100, 100]})
        pdf.pages[0]["/Annots"] = pdf.make_indirect(
            pikepdf.Array(
                [
                    pikepdf.Dictionary(
                        Type=pikepdf.Name.Annot,
                        Subtype=pikepdf.Name.Stamp,
                        Rect=[50, 50, 150, 150],
                        F=4,
                        AP=pikepdf.Dictionary(N=look),
                    )
                ]
            )
        )
        pdf.save(file)

    red, green, blue = looked_at(file.getvalue(), tmp_path).getpixel((139, 274))

    assert red > 200
    assert green < 60
    assert blue < 60


def test_a_sheet_like_a_wall_is_drawn_coarser_not_refused(tmp_path: Path) -> None:
    file = BytesIO()
    with pikepdf.open(BytesIO(page_pdf("Bản đồ"))) as pdf:
        pdf.pages[0].mediabox = [0, 0, 5000, 4000]
        pdf.save(file)

    picture = looked_at(file.getvalue(), tmp_path, dpi=300)

    assert picture.width * picture.height <= 8_010_000
    assert picture.width / picture.height == pytest.approx(5 / 4, rel=0.01)


@pytest.mark.parametrize("number", [0, -1, 2])
def test_there_is_no_other_page(tmp_path: Path, number: int) -> None:
    with pytest.raises(UnreadableScan, match="không có trang"):
        looked_at(page_pdf("Một"), tmp_path, number=number)


@pytest.mark.parametrize("case", ["truncated pdf", "encrypted", "text in disguise"])
def test_a_file_that_is_no_whole_pdf_is_refused_in_words(tmp_path: Path, case: str) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(BAD_FILES[case][1]())

    with pytest.raises(UnreadableScan):
        pdf_scan.sheet_sizes(file)
    with pytest.raises(UnreadableScan):
        pdf_scan.page_jpeg(file, 1, dpi=100, max_pixels=MAX_PIXELS)
