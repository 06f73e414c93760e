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
from digitize.types import Flag
from tests import scans
from tests.integration.test_digitize_pdf import NOW, poppler

LINES = (
    "ỦY BAN NHÂN DÂN XÃ AN PHÚ",
    "Điều 1. Cấp giấy phép cho ông Khuất Duy Thưởng, số 02/QĐ-BCĐ;",
    "chữ chỉ khác dấu: chi chỉ chí, tỉnh tính tình, ố ổ ộ ồ ỗ.",
)


def told(text):
    """A piece of a line, as a page's stream says it."""
    return f"<{text_font.encoded(text).decode()}> Tj "


def written(tmp_path, lines=LINES, *, mode=0, grey=0.0, more="", font_name=None, picture=None):
    """A page set in letters, as a word processor would: mode 3 is invisible, grey 1.0 is white, /Clear lets through."""
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
        leaf.Resources.ExtGState = pikepdf.Dictionary(Clear=pikepdf.Dictionary(ca=0), Shown=pikepdf.Dictionary(ca=1))
        if picture is not None:
            height, width = picture.shape
            leaf.Resources.XObject = pikepdf.Dictionary(
                Im=pdf.make_stream(
                    picture.tobytes(),
                    Type=Name.XObject,
                    Subtype=Name.Image,
                    Width=width,
                    Height=height,
                    BitsPerComponent=8,
                    ColorSpace=Name.DeviceGray,
                )
            )
        font = leaf.Resources.Font.F1
        whole = text_font.text_font()  # the file's own has the widths of its words' letters alone, and no outlines
        cid, descriptor = font.DescendantFonts[0], font.DescendantFonts[0].FontDescriptor
        descriptor.FontFile2 = pdf.make_stream(whole.program, Length1=len(whole.program))
        cid.CIDToGIDMap = pdf.make_stream(text_font.glyph_map(whole, whole.glyphs))
        cid.W = pikepdf.Object.parse(text_font.widths(whole, whole.glyphs))
        font.ToUnicode = pdf.make_stream(text_font.to_unicode(whole.glyphs))
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


@pytest.mark.parametrize("hide", ["3 Tr", "7 Tr", "/Clear gs", "1 g"])
def test_hidden_letters_inside_a_word_do_not_enter(tmp_path, hide):
    parts = f"{told('Số 12')} {hide} {told('99999')} 0 Tr 0 g /Shown gs {told('34 bảy')}"
    line = f"BT 0 Tr /F1 14 Tf 1 0 0 1 60 500 Tm {parts} ET\n"
    page = load.page(written(tmp_path, LINES[:1], more=line), 1)
    words = own_text.read(page).text.split()
    assert words == [*LINES[0].split(), "Số", "12", "34", "bảy"]


def test_of_words_that_claim_one_place_neither_is_believed(tmp_path):
    def line(text, height):
        return f"BT 0 Tr /F1 14 Tf 1 0 0 1 60 {height} Tm {told(text)} ET\n"

    many = "".join(line("một hai ba bốn năm sáu bảy tám chín mười", 500 - 30 * place) for place in range(8))
    forged = line("Giá trị 999", 200) + "q 1 g 40 190 500 30 re f Q\n0 g\n" + line("Giá trị 111", 200)
    page = load.page(written(tmp_path, more=many + forged), 1)
    own = own_text.read(page)
    words = own.text.split()
    assert words.count("mười") == 8
    assert words.count("Giá") == 1
    assert not {"999", "111"} & set(words)
    assert page.own_is_all
    assert not own_text.is_all(page, own)


@pytest.mark.parametrize("strips", [1, 4])
def test_text_under_a_picture_of_the_page_does_not_enter(tmp_path, strips):
    seen = scans.sheet(dpi=50).pixels[:, :, 0]
    each = 842 / strips
    over = "".join(f"q 595 0 0 {each} 0 {each * place} cm /Im Do Q\n" for place in range(strips))
    assert load.page(written(tmp_path, more=over, picture=seen), 1).own_words == ()


def test_text_beside_a_small_picture_stays_the_pages_own(tmp_path):
    logo = "q 80 0 0 80 400 100 cm /Im Do Q\n"
    page = load.page(written(tmp_path, more=logo, picture=scans.sheet(dpi=20).pixels[:, :, 0]), 1)
    assert own_text.read(page).text.split() == " ".join(LINES).split()
    assert not page.own_is_all


@pytest.mark.parametrize(
    ("drawn", "is_all"),
    [
        ("0.5 w 50 400 500 60 re S 50 430 m 550 430 l S 120 692 m 160 692 l S", True),
        ("1.4 w 300 500 m 307 500 l 302 490 l S", False),
        ("1 1 0 RG 1.4 w 300 500 m 307 500 l 302 490 l S", False),
        ("300 500 100 40 re f 1 g", False),
    ],
    ids=["rules", "a seven", "a yellow seven", "a bar"],
)
def test_what_is_drawn_as_curves_is_not_taken_for_nothing(tmp_path, drawn, is_all):
    page = load.page(written(tmp_path, more=f"0 G 0 g {drawn}\n"), 1)
    own = own_text.read(page)
    assert own.text.split() == " ".join(LINES).split()
    assert page.own_is_all
    assert own_text.is_all(page, own) == is_all


def test_a_number_set_in_off_the_line_is_flagged_where_nothing_is_recognised(tmp_path):
    number = f"BT 0 Tr /F1 14 Tf 1 0 0 1 60 560 Tm {told('Số:')} /F1 19 Tf -4 Ts 0.1 0.2 0.8 rg {told(' 47')} "
    symbol = f"0 Ts 0 g /F1 14 Tf {told(' /QĐ-UBND')} ET\n"
    read = pipeline.read_page(load.page(written(tmp_path, more=number + symbol), 1))
    assert read.steps == ("own text",)
    assert Flag.HANDWRITTEN_NUMBER in read.flags.flags
    plain = f"BT 0 Tr /F1 14 Tf 1 0 0 1 60 560 Tm {told('Số: 47 /QĐ-UBND')} ET\n"
    assert not pipeline.read_page(load.page(written(tmp_path, more=plain), 1)).ocr.pen


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
