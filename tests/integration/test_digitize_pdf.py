"""Searchable PDFs as other programs see them: veraPDF, poppler, PDFium."""

from __future__ import annotations

import re
import subprocess
import tracemalloc
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pikepdf
import pypdfium2
import pytest
from lxml import etree

from digitize import load, reading
from digitize.pdf.assemble import AssemblyPage, searchable_pdf
from digitize.pdf.xmp import PaperFacts
from tests import scans
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 9, 30, 12, tzinfo=UTC)
LINES = (
    "Điều 1. Ủy ban nhân dân xã quyết định cấp giấy phép",
    "cho ông Nguyễn Văn Ẩn, thửa đất số 37, tờ bản đồ 12;",
    "tổng diện tích 1.250,5 m² – theo Mẫu số 02/ĐK (bản chính).",
    "Ký hiệu lạ: Ω → 漢 ✓ vẫn tìm được.",
)


def a_page(*lines: str, kind: str = "jpeg", dpi: float = 150.0) -> AssemblyPage:
    page = scans.sheet(dpi=round(dpi))
    if kind == "bitonal":
        data, kind = scans.as_bytes(scans.bitonal(page), "PNG"), "png"
    else:
        data = scans.as_bytes(page, kind.upper())
    ocr = replace(scans.words(*lines), width_px=page.width_px, height_px=page.height_px, dpi=page.dpi)
    return AssemblyPage(data, f"image/{kind}", ocr)


def made(path: Path, *pages: AssemblyPage, **options: str) -> Path:
    searchable_pdf(iter(pages), path, title="Quyết định cấp phép", created_at=NOW, **options)
    return path


def poppler(path: Path, *options: str) -> str:
    return subprocess.run(
        ["pdftotext", *options, str(path), "-"], check=True, capture_output=True, encoding="utf-8"
    ).stdout


def pdfium(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as document:
        texts = []
        for index in range(len(document)):
            page = document[index]
            text = page.get_textpage()
            texts.append(text.get_text_bounded())
            text.close()
            page.close()
    return "\f".join(texts)


def test_it_is_pdf_a_by_the_reference_validator(tmp_path):
    path = made(
        tmp_path / "out.pdf", a_page(*LINES), a_page(kind="bitonal"), a_page("một", kind="png"), notice="Bản dẫn xuất"
    )
    assert_pdfa(path, "2u")
    assert_pdfa(path, "2b")


def test_other_programs_find_exactly_our_words_in_our_order(tmp_path):
    path = made(tmp_path / "out.pdf", a_page(*LINES))
    wanted = " ".join(LINES).split()
    assert poppler(path).split() == wanted
    assert poppler(path, "-raw").split() == wanted
    assert pdfium(path).split() == wanted


def test_a_letter_alone_on_its_line_is_found_and_has_a_place(tmp_path):
    path = made(tmp_path / "out.pdf", a_page("2", "漢", "m", "Điều 1. Ủy ban"))
    assert pdfium(path).split() == ["2", "漢", "m", "Điều", "1.", "Ủy", "ban"]
    assert poppler(path, "-raw").split() == ["2", "漢", "m", "Điều", "1.", "Ủy", "ban"]
    with pypdfium2.PdfDocument(path) as document, closing(document[0]) as page, closing(page.get_textpage()) as text:
        letters = text.get_text_range()
        for place, letter in enumerate(letters):
            left, bottom, right, top = text.get_charbox(place)
            assert letter.isspace() or min(right - left, top - bottom) > 1


@pytest.mark.parametrize("gap_px", [12, 3, 0, -4])
def test_words_whose_boxes_touch_stay_apart(tmp_path, gap_px):
    page, words, left = a_page(*LINES), [], 0
    for word in page.ocr.words:
        width = word.box.right - word.box.left
        left = word.box.left if not words or word.line != words[-1].line else left + gap_px
        words.append(replace(word, box=replace(word.box, left=left, right=left + width)))
        left += width
    path = made(tmp_path / "out.pdf", replace(page, ocr=replace(page.ocr, words=tuple(words))))
    wanted = " ".join(LINES).split()
    assert poppler(path).split() == wanted
    assert poppler(path, "-raw").split() == wanted
    assert pdfium(path).split() == wanted


def test_words_stand_where_they_were_read(tmp_path):
    path = made(tmp_path / "out.pdf", a_page(*LINES))
    seen = re.findall(
        r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(\S+)<', poppler(path, "-bbox")
    )
    words = scans.words(*LINES).words
    assert len(seen) == len(words)
    for (*edges, text), word in zip(seen, words, strict=True):
        left, top, right, bottom = (float(edge) * 150 / 72 for edge in edges)
        assert text == word.text
        assert left == pytest.approx(word.box.left, abs=2)
        assert right == pytest.approx(word.box.right, abs=2)
        assert top < (word.box.top + word.box.bottom) / 2 < bottom


def test_nothing_of_the_text_is_visible(tmp_path):
    bare, full = made(tmp_path / "a.pdf", a_page()), made(tmp_path / "b.pdf", a_page(*LINES))
    assert np.array_equal(load.page(bare, 1).pixels, load.page(full, 1).pixels)


def test_the_page_has_the_size_of_the_paper(tmp_path):
    with pikepdf.open(made(tmp_path / "out.pdf", a_page(*LINES))) as pdf:
        _, _, width, height = (float(value) / 72 * 25.4 for value in pdf.pages[0].MediaBox)
        assert (width, height) == (pytest.approx(210, rel=0.01), pytest.approx(297, rel=0.01))
        assert pdf.Root.Lang == "vi"
        assert pdf.docinfo["/Title"] == "Quyết định cấp phép"
        assert pdf.pdf_version == "1.7"


def test_a_jpeg_goes_in_as_it_is_and_a_bitonal_page_stays_bitonal(tmp_path):
    jpeg, bitonal = a_page(), a_page(kind="bitonal")
    path = made(tmp_path / "out.pdf", jpeg, bitonal)
    with pikepdf.open(path) as pdf:
        (picture,), (small,) = (page.Resources.XObject.values() for page in pdf.pages)
        assert picture.read_raw_bytes() == jpeg.picture
        assert small.Filter == pikepdf.Name.CCITTFaxDecode
    page = load.page(path, 2)
    assert page.bitonal
    assert np.array_equal(page.pixels, scans.bitonal(scans.sheet()).pixels)


def test_the_same_pages_give_the_same_bytes(tmp_path):
    assert (
        made(tmp_path / "a.pdf", a_page(*LINES)).read_bytes() == made(tmp_path / "b.pdf", a_page(*LINES)).read_bytes()
    )


def test_a_notice_is_seen_on_the_first_page_and_in_the_metadata(tmp_path):
    notice = "Bản dẫn xuất để tra cứu, không có chữ ký số"
    path = made(tmp_path / "out.pdf", a_page(), a_page(), notice=notice)
    plain = made(tmp_path / "plain.pdf", a_page(), a_page())
    first, second = poppler(path).split("\f")[:2]
    assert (notice in first, notice in second) == (True, False)
    foot = load.page(path, 1).pixels[-60:], load.page(plain, 1).pixels[-60:]
    assert cv2.absdiff(*foot).max() > 100
    with pikepdf.open(path) as pdf, pdf.open_metadata() as metadata:
        assert metadata["dc:description"] == notice


def test_the_text_is_made_again_with_the_corrected_words(tmp_path):
    page = a_page("Tô chức thực hiện")
    again = replace(page, ocr=reading.corrected(page.ocr, {0: "Tổ"}))
    assert poppler(made(tmp_path / "out.pdf", again)).split() == ["Tổ", "chức", "thực", "hiện"]


def test_many_pages_need_no_more_memory_than_a_few(tmp_path):
    page = a_page(*LINES)

    def peak(count: int) -> int:
        tracemalloc.start()
        searchable_pdf((page for _ in range(count)), tmp_path / "out.pdf", title="x", created_at=NOW)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(200) < peak(5) + 1_000_000


def test_a_pdf_without_pages_is_not_made(tmp_path):
    with pytest.raises(ValueError, match="page"):
        made(tmp_path / "out.pdf")


def bookmarks(path: Path) -> list[tuple[str, int]]:
    with pypdfium2.PdfDocument(path) as document:
        return [(mark.get_title(), mark.get_dest().get_index()) for mark in document.get_toc()]


def test_bookmarks_lead_to_each_document_of_a_scan(tmp_path):
    first = a_page("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")
    path = made(tmp_path / "out.pdf", first, a_page(*LINES), first, replace(a_page(), part="Sổ hộ khẩu"))
    assert bookmarks(path) == [("Quyết định cấp phép", 0), ("Văn bản 2 (trang 3)", 2), ("Sổ hộ khẩu", 3)]
    assert bookmarks(made(tmp_path / "single.pdf", a_page(*LINES))) == [("Quyết định cấp phép", 0)]


def test_the_facts_of_the_paper_stand_in_the_metadata_of_a_valid_pdfa(tmp_path):
    facts = PaperFacts(
        dossier_code="H49.242-261120-0007",
        component_name="Quyết định <cấp phép> & bản vẽ",
        number_symbol="15/QĐ-UBND",
        issued_on="2026-11-05",
        scan_sha256="ab" * 32,
        converted_by="Lò Thị Ẩn",
        converted_at="2026-11-20T16:30:12+07:00",
        conversion_mark="Bản điện tử chuyển đổi từ văn bản giấy",
    )
    path = tmp_path / "out.pdf"
    searchable_pdf(iter([a_page(*LINES)]), path, title="x", created_at=NOW, facts=facts)
    assert_pdfa(path, "2u")
    with pikepdf.open(path) as pdf, pdf.open_metadata() as metadata:
        kept = {name: metadata.get(f"{{urn:x-hoso:paper:1#}}{name}", "") for name in facts.__dataclass_fields__}
    assert kept == {name: getattr(facts, name) for name in facts.__dataclass_fields__}


def test_what_xml_has_no_character_for_is_a_blank_in_the_metadata(tmp_path):
    path = tmp_path / "out.pdf"
    facts = PaperFacts(agency="UBND\x0btỉnh\ufffe <A & B>", dossier_code="\x00\x1f\x7f\n")
    page = a_page(*LINES)
    searchable_pdf([page], path, title="Tờ\x01trình", notice="Bản\x0csao", created_at=NOW, facts=facts)
    with pikepdf.open(path) as pdf:
        packet = pdf.Root.Metadata.read_bytes()
    elements = list(etree.fromstring(packet).iter("{*}*"))
    texts = {etree.QName(element).localname: element.text for element in elements}
    assert texts["agency"] == "UBND tỉnh  <A & B>"
    assert texts["dossier_code"] == "  \x7f\n"
    words = [element.text for element in elements if element.tag.endswith("}li")]
    assert {"Tờ trình", "Bản sao"} <= set(words)


def test_a_scan_without_a_name_is_assembled_and_its_bookmark_bears_ours(tmp_path):
    path = tmp_path / "out.pdf"
    searchable_pdf([a_page(*LINES), a_page(*LINES)], path, title="", created_at=NOW)
    assert bookmarks(path) == [("Hồ sơ số", 0)]


def test_pdfium_copies_leaning_lines_word_by_word_in_order(tmp_path):
    page = a_page(*LINES)
    words = tuple(replace(word, baseline=(0.03, -6.0)) for word in page.ocr.words)
    path = made(tmp_path / "out.pdf", replace(page, ocr=replace(page.ocr, words=words)))
    wanted = " ".join(LINES).split()
    assert pdfium(path).split() == wanted
    assert poppler(path).split() == wanted
