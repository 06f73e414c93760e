"""The corner blocks cover nothing: measured on pictures of pages, since a scan has no text to ask."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from signing import templates
from signing.corner import corner
from signing.types import Place
from tests.documents import EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

A4_PX = (1654, 2339)  # 200 dpi
PX = 200 / 72
CORNERS = [Place.SCANNER, Place.COPY, Place.ANNEX]


def scan_of(pdf: bytes, file: Path) -> Path:
    """What a scanner makes of the first page: a picture and no text, with its grain."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0].render(scale=PX).to_pil().convert("RGB")
    grain = np.random.default_rng(1).normal(0, 6, (page.height, page.width, 1))
    worn = Image.fromarray(np.clip(np.asarray(page, dtype=float) * 0.94 + grain, 0, 255).astype(np.uint8))
    return saved(worn, file)


def saved(picture: Image.Image, file: Path) -> Path:
    picture.save(file, "PDF", resolution=200)
    return file


def under(file: Path, box: tuple[float, float, float, float]) -> float:
    """The share of dark pixels under a box, measured on another picture than the one the place was chosen by."""
    with pypdfium2.PdfDocument(file) as document:
        high = document[0].get_size()[1]
        pixels = np.asarray(document[0].render(scale=PX).to_pil().convert("L"))
    x1, y1, x2, y2 = (int(side * PX) for side in (box[0], high - box[3], box[2], high - box[1]))
    return float((pixels[y1:y2, x1:x2] < 140).mean())


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize("place", CORNERS)
def test_on_a_scan_of_any_of_our_documents_the_block_covers_nothing(name: str, place: Place, tmp_path: Path) -> None:
    scanned = scan_of(templates.render(name, EVERYTHING[name]).pdf, tmp_path / "scan.pdf")

    found = corner(scanned, place)

    assert under(scanned, found.box) == 0
    assert found.box[1] >= 842 - 57.5, "it stays within the upper margin"


def test_the_scanners_block_gives_way_to_a_code_at_the_top_left(tmp_path: Path) -> None:
    pdf = templates.render("receipt", EVERYTHING["receipt"]).pdf
    scanned = scan_of(pdf, tmp_path / "scan.pdf")
    bare = saved(Image.new("RGB", A4_PX, "white"), tmp_path / "bare.pdf")

    beside, in_corner = corner(scanned, Place.SCANNER).box, corner(bare, Place.SCANNER).box

    assert in_corner == pytest.approx((8, 804, 178, 834), abs=0.5)
    assert beside[0] >= 28 * 72 / 25.4, "right of the code and its quiet zone"
    assert beside[3] - beside[1] == pytest.approx(30, abs=0.5), "aside rather than smaller"
    with Image.open(BytesIO(_picture(scanned, beside))) as page:
        code = page.crop((0, 0, int(30 / 25.4 * 200), int(30 / 25.4 * 200)))
        assert code.getcolors(1 << 24) is not None
    assert _read(scanned, beside) == EVERYTHING["receipt"]["look_up_url"]


def _picture(file: Path, box: tuple[float, float, float, float]) -> bytes:
    """The first page with the block painted over it, as a reader of the code would meet it."""
    with pypdfium2.PdfDocument(file) as document:
        page = document[0].render(scale=PX).to_pil().convert("RGB")
    high = page.height / PX
    ImageDraw.Draw(page).rectangle([box[0] * PX, (high - box[3]) * PX, box[2] * PX, (high - box[1]) * PX], fill="black")
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def _read(file: Path, box: tuple[float, float, float, float]) -> str:
    import cv2

    image = cv2.imdecode(np.frombuffer(_picture(file, box), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    corner_of_page = image[: int(32 / 25.4 * 200), : int(32 / 25.4 * 200)]
    return str(cv2.QRCodeDetector().detectAndDecode(cv2.resize(corner_of_page, None, fx=3, fy=3))[0])


@pytest.mark.parametrize("place", CORNERS)
def test_text_set_high_makes_the_block_lower_and_never_smaller_than_can_be_read(place: Place, tmp_path: Path) -> None:
    page = Image.new("RGB", A4_PX, (244, 241, 230))
    ImageDraw.Draw(page).rectangle([0, int(28 * PX), A4_PX[0], int(60 * PX)], fill=(40, 40, 40))
    file = saved(page, tmp_path / "high.pdf")

    box = corner(file, place).box

    assert under(file, box) == 0
    assert 16 - 0.1 <= box[3] - box[1] < 30


@pytest.mark.parametrize("place", CORNERS)
def test_on_a_page_full_to_its_edges_the_emptiest_place_is_taken(place: Place, tmp_path: Path) -> None:
    page = Image.new("RGB", A4_PX, "white")
    draw = ImageDraw.Draw(page)
    for y in range(0, 400, 12):
        draw.rectangle([0, y, A4_PX[0], y + (2 if y > 120 else 8)], fill="black")
    file = saved(page, tmp_path / "full.pdf")

    box = corner(file, place).box

    lower = under(file, (box[0], 842 - 57, box[2], 842 - 41))
    assert under(file, box) <= lower + 0.08


def test_a_red_stamp_of_receipt_is_ink_too(tmp_path: Path) -> None:
    page = Image.new("RGB", A4_PX, "white")
    ImageDraw.Draw(page).rectangle([10, 10, 500, 70], outline=(250, 120, 120), width=6)
    file = saved(page, tmp_path / "stamped.pdf")

    box = corner(file, Place.SCANNER).box

    assert box[0] * PX > 500 or (842 - box[3]) * PX > 70


def test_blocks_of_scanner_and_agency_never_meet(tmp_path: Path) -> None:
    for name in EVERYTHING:
        scanned = scan_of(templates.render(name, EVERYTHING[name]).pdf, tmp_path / "scan.pdf")
        left, right = corner(scanned, Place.SCANNER).box, corner(scanned, Place.COPY).box
        assert left[2] <= right[0]


def test_leader_and_seal_move_up_together_until_they_cover_nothing(tmp_path: Path) -> None:
    page = Image.new("RGB", A4_PX, "white")
    ImageDraw.Draw(page).rectangle([900, 1900, 1600, 2300], fill="black")
    file = saved(page, tmp_path / "foot.pdf")

    leader, seal = corner(file, Place.LEADER).box, corner(file, Place.SEAL).box

    assert under(file, leader) == under(file, seal) == 0
    assert seal[2] - leader[0] == pytest.approx((leader[2] - leader[0]) / 3, abs=0.5)
