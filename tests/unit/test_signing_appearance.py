"""Visible blocks: what they say, in which typeface, and that nothing overflows."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pikepdf
import pypdfium2
import pytest

from api.demo import artwork
from signing import appearance
from signing.appearance import Appearance, render

AT = datetime(2026, 11, 21, 23, 59, 59, 999, tzinfo=UTC)


def text_of(page: bytes) -> list[str]:
    with pypdfium2.PdfDocument(page) as document:
        assert len(document) == 1
        return document[0].get_textpage().get_text_range().split("\r\n")


def letters_of(page: bytes) -> list[tuple[float, float, float, float]]:
    with pypdfium2.PdfDocument(page) as document:
        text = document[0].get_textpage()
        return [text.get_rect(index) for index in range(text.count_rects())]


def test_a_copy_says_form_agency_and_time_in_vietnam() -> None:
    page = render(appearance.copy("Ủy ban nhân dân phường Hồng Gai"), width_pt=170, height_pt=30, at=AT)
    assert text_of(page) == ["Sao y", "Ủy ban nhân dân phường Hồng Gai", "2026-11-22T06:59:59+07:00"]


def test_other_blocks_say_what_the_rules_ask() -> None:
    scanned = render(appearance.scanner("Phạm Thị Hường"), width_pt=170, height_pt=24, at=AT)
    assert text_of(scanned) == ["Phạm Thị Hường", "2026-11-22T06:59:59+07:00"]
    annexed = render(appearance.annex("12/QĐ-UBND"), width_pt=170, height_pt=24, at=AT)
    assert text_of(annexed) == ["12/QĐ-UBND", "2026-11-22T06:59:59+07:00"]
    plain = render(appearance.leader("Lê Thị Ánh"), width_pt=150, height_pt=60, at=AT)
    assert "Lê Thị Ánh" in text_of(plain)


def test_the_page_is_as_large_as_the_field_and_embeds_liberation_serif_10_pt() -> None:
    page = render(appearance.copy("Xã Thử"), width_pt=170, height_pt=30, at=AT)
    with pikepdf.open(BytesIO(page)) as pdf:
        assert [float(edge) for edge in pdf.pages[0].mediabox] == [0, 0, 170, 30]
        fonts = pdf.pages[0].Resources.Font
        assert all("LiberationSerif" in str(font.BaseFont) for font in fonts.values())
        assert all("/FontFile2" in f.DescendantFonts[0].FontDescriptor for f in fonts.values())
    with pypdfium2.PdfDocument(page) as document:
        sizes = {round(obj.get_font_size(), 1) for obj in document[0].get_objects() if obj.type == 1}
    assert sizes == {10.0}


@pytest.mark.parametrize(
    "agency", ["Trung tâm Phục vụ hành chính công tỉnh Quảng Ninh", "Ủy " * 60, "M" * 60, "A\nB", "X"]
)
@pytest.mark.parametrize("height", [16.0, 30.0])
def test_long_names_shrink_and_stay_inside(agency: str, height: float) -> None:
    page = render(appearance.copy(agency), width_pt=170, height_pt=height, at=AT)
    for left, bottom, right, top in letters_of(page):
        assert -0.5 <= left <= right <= 170.5
        assert -1.5 <= bottom <= top <= height + 1.5


def test_text_is_data_and_never_markup() -> None:
    hostile = '#read("/etc/passwd") *x* $1$ <b> \\u{41} "'
    page = render(Appearance(lines=(hostile,)), width_pt=400, height_pt=30, at=AT)
    assert " ".join(text_of(page)) == hostile


def test_decomposed_letters_become_composed() -> None:
    page = render(Appearance(lines=("Lê Thị Ánh",)), width_pt=170, height_pt=30, at=AT)
    assert text_of(page) == ["Lê Thị Ánh"]


def test_letters_the_typeface_lacks_are_an_error_and_not_a_box() -> None:
    with pytest.raises(ValueError, match="không vẽ được"):
        render(Appearance(lines=("漢字",)), width_pt=170, height_pt=30, at=AT)


def test_pictures_are_drawn_and_other_files_refused() -> None:
    for picture in (artwork.seal("Xã Thử"), artwork.handwriting("Lê Thị Ánh")):
        page = render(Appearance(picture=picture), width_pt=102, height_pt=102, at=AT)
        with pypdfium2.PdfDocument(page) as document:
            pixels = document[0].render(scale=1).to_pil().convert("RGB")
        assert len(pixels.getcolors(1 << 20)) > 2
    with pytest.raises(ValueError, match="PNG"):
        render(Appearance(picture=b"GIF89a"), width_pt=10, height_pt=10, at=AT)
    with pytest.raises(ValueError, match="không vẽ được"):
        render(Appearance(picture=b"\x89PNG\r\n\x1a\nbroken"), width_pt=10, height_pt=10, at=AT)


def test_a_seal_is_red_a_hand_is_blue_and_the_paper_shows_through() -> None:
    for picture, main in ((artwork.seal("Xã Thử"), 0), (artwork.handwriting("Lê Thị Ánh"), 2)):
        page = render(Appearance(picture=picture), width_pt=102, height_pt=102, at=AT)
        with pypdfium2.PdfDocument(page) as document:
            drawn = document[0].render(scale=2, fill_color=(255, 255, 0, 255)).to_pil().convert("RGB")
        counted = sorted(((count, colour) for count, colour in drawn.getcolors(1 << 20)), reverse=True)
        assert counted[0][1] == (255, 255, 0)
        assert max(range(3), key=lambda channel: counted[1][1][channel]) == main
