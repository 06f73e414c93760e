"""What a page written on a computer says of itself: taken where it is seen, never where it isn't."""

from __future__ import annotations

import numpy as np
import pikepdf
import pytest
from pikepdf import Name

from digitize import load, pipeline
from digitize.pdf import own_text, text_font
from digitize.pdf.assemble import AssemblyPage, searchable_pdf
from digitize.recognition import tesseract
from tests import scans
from tests.integration.test_digitize_pdf import NOW, poppler

LINES = (
    "ỦY BAN NHÂN DÂN XÃ AN PHÚ",
    "Điều 1. Cấp giấy phép cho ông Khuất Duy Thưởng, số 02/QĐ-BCĐ;",
    "chữ chỉ khác dấu: chi chỉ chí, tỉnh tính tình, ố ổ ộ ồ ỗ.",
)


def written(tmp_path, lines=LINES, *, mode=0, grey=0.0, more="", font_name=None):
    """A page set in letters, as a word processor would: mode 3 is invisible, grey 1.0 is white."""
    ocr = scans.words("x y")
    page = AssemblyPage(scans.as_bytes(scans.sheet((" ",), dpi=150, paper=255), "JPEG"), "image/jpeg", ocr)
    made = tmp_path / "made.pdf"
    searchable_pdf([page], made, title="x", created_at=NOW)
    drawn = "".join(
        f"1 0 0 1 60 {700 - 30 * place} Tm <{text_font.encoded(line).decode()}> Tj\n"
        for place, line in enumerate(lines)
    )
    with pikepdf.open(made) as pdf:
        leaf = pdf.pages[0]
        leaf.Contents = pdf.make_stream(f"BT {grey} g {mode} Tr /F1 14 Tf\n{drawn}ET\n{more}".encode())
        del leaf.Resources.XObject
        font = leaf.Resources.Font.F1
        whole = text_font.text_font().program  # the file's own has the letters of its words alone
        descriptor = font.DescendantFonts[0].FontDescriptor
        descriptor.FontFile2 = pdf.make_stream(whole, Length1=len(whole))
        if font_name:
            font.BaseFont = font.DescendantFonts[0].BaseFont = descriptor.FontName = Name("/" + font_name)
        pdf.save(tmp_path / "written.pdf")
    return tmp_path / "written.pdf"


def test_a_page_written_on_a_computer_keeps_every_letter_and_needs_no_reader(tmp_path, monkeypatch):
    def never(*_args, **_options):
        raise AssertionError("nothing is to be recognised")

    monkeypatch.setattr(tesseract, "recognise", never)
    page = load.page(written(tmp_path), 1)
    read = pipeline.read_page(page)
    assert read.ocr.text.split() == " ".join(LINES).split()
    assert len(read.ocr.text.splitlines()) >= len(LINES)
    out = tmp_path / "out.pdf"
    searchable_pdf([AssemblyPage(read.picture, read.picture_type, read.ocr)], out, title="x", created_at=NOW)
    assert poppler(out).split() == " ".join(LINES).split()


@pytest.mark.parametrize("hidden", [{"mode": 3}, {"grey": 1.0}], ids=["invisible", "white on white"])
def test_what_nobody_sees_does_not_enter(tmp_path, hidden):
    page = load.page(written(tmp_path, **hidden), 1)
    assert own_text.read(page) is None


def test_words_on_top_of_each_other_are_not_believed(tmp_path):
    cover = "q 1 g 40 600 500 130 re f Q\n"
    again = f"BT 0 Tr /F1 14 Tf 1 0 0 1 60 700 Tm <{text_font.encoded('Số tiền thật là 900 triệu').decode()}> Tj ET\n"
    page = load.page(written(tmp_path, LINES[:1] * 1, more=cover + again), 1)
    assert page.own_words
    assert own_text.read(page) is None


@pytest.mark.parametrize("name", [".VnTime", "ABCDEF+VNI-Times"])
def test_a_font_of_the_time_before_unicode_is_left_to_the_reader(tmp_path, name):
    assert load.page(written(tmp_path, font_name=name), 1).own_words == ()


def test_letters_no_office_writes_are_left_to_the_reader(tmp_path):
    page = load.page(written(tmp_path, ("Céng hßa x· héi chñ nghÜa ViÖt Nam ®éc lËp tù do",)), 1)
    assert own_text.read(page) is None


def test_what_only_the_picture_shows_is_added_to_the_pages_own_words():
    own = own_text.read(_page("Số tiền là 900 triệu đồng"))
    ocr = scans.words("Sô tiên la 900 triêu dông", "KÝ BỞI")
    joined = own_text.joined(own, ocr)
    assert joined.text.split() == ["Số", "tiền", "là", "900", "triệu", "đồng", "KÝ", "BỞI"]


def _page(line):
    from dataclasses import replace

    ocr = scans.words(line)
    pixels = np.full((ocr.height_px, ocr.width_px, 3), 255, np.uint8)
    for word in ocr.words:
        pixels[word.box.top + 5 : word.box.bottom - 5, word.box.left + 2 : word.box.right - 2 : 3] = 0
    return replace(scans.sheet(), pixels=pixels, own_words=tuple((w.text, w.box) for w in ocr.words))
