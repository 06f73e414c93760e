"""A page taken apart into print, ink and paper: what each layer holds, and what is never lost."""

from __future__ import annotations

import io
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pypdfium2
import pytest
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw

from digitize.pdf import layers, print_mask, text_font
from digitize.pdf.assemble import AssemblyPage, searchable_pdf
from digitize.types import Box, OcrPage, OcrWord
from tests import scans
from tests.colour import delta_e_2000, red

DPI = 300
MM = DPI / 25.4
LINES = scans.LETTER[4:8]


def a_scan(*, confidence: float = 95.0):
    """A seal and a blue pen over four lines of print, a black stroke through the second, a pencil note beside."""
    page = scans.stamped(scans.sheet(LINES, dpi=DPI), at_mm=(60, 40))
    image = Image.fromarray(page.pixels)
    draw = ImageDraw.Draw(image)
    draw.line((30 * MM, 90 * MM, 80 * MM, 92 * MM), fill=(222, 222, 222), width=round(0.4 * MM))  # pencil, hardly there
    draw.line((100 * MM, 20 * MM, 110 * MM, 48 * MM), fill=(30, 30, 30), width=round(0.6 * MM))  # a black pen
    size = round(14 / 72 * DPI)
    words, font = [], scans._font(size)
    for index, line in enumerate(LINES):
        x, top = float(DPI), round(DPI + index * size * 1.6)
        for word in line.split():
            right = x + draw.textlength(word, font=font)
            box = Box(round(x), top, round(right), round(top + 1.25 * size))
            words.append(OcrWord(word, box, confidence, line=index))
            x = right + draw.textlength(" ", font=font)
    grain = np.random.default_rng(4).normal(0, 1.2, (page.height_px, page.width_px, 1))
    pixels = np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    return pixels, data.tobytes(), OcrPage(page.width_px, page.height_px, float(DPI), tuple(words), confidence)


@pytest.fixture(scope="module")
def scan():
    return a_scan()


@pytest.fixture(scope="module")
def pdf(scan, tmp_path_factory):
    _, data, ocr = scan
    path = tmp_path_factory.mktemp("layers") / "out.pdf"
    page = AssemblyPage(data, "image/jpeg", ocr)
    searchable_pdf([page], path, title="x", created_at=datetime(2026, 11, 20, tzinfo=UTC))
    return path


@pytest.fixture(scope="module")
def drawn(pdf):
    """The page as PDFium shows it."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        shown = page.render(scale=DPI / 72).to_numpy()[:, :, 2::-1]
        page.close()
    return np.ascontiguousarray(shown)


def darkness(pixels, box_mm):
    left, top, right, bottom = (round(edge * MM) for edge in box_mm)
    here = cv2.cvtColor(pixels[top:bottom, left:right], cv2.COLOR_RGB2GRAY).astype(float)
    return np.percentile(here, 90) - here.mean()


def test_the_layers_show_the_page_in_a_fraction_of_its_bytes(scan, pdf, drawn):
    pixels, data, _ = scan
    assert pdf.stat().st_size < len(data) / 4
    shown = drawn[: pixels.shape[0], : pixels.shape[1]]
    window = (9, 9)
    far = cv2.absdiff(cv2.blur(pixels[: shown.shape[0], : shown.shape[1]], window), cv2.blur(shown, window))
    assert np.percentile(far, 99.9) < 40


def test_a_seal_keeps_its_colour(scan, drawn):
    pixels = scan[0][: drawn.shape[0], : drawn.shape[1]]
    where = red(pixels)
    assert where.sum() > 10_000
    assert delta_e_2000(pixels[where], drawn[: pixels.shape[0], : pixels.shape[1]][where]).mean() < 5


def test_a_pencil_line_that_can_hardly_be_seen_stays(scan, drawn):
    place = (28, 87, 82, 95)
    before, after = darkness(scan[0], place), darkness(drawn, place)
    assert before > 1
    assert after == pytest.approx(before, rel=0.25)


def test_a_page_with_nothing_but_a_faint_mark_keeps_it():
    """Without a word on it there is no print, and the page isn't taken apart."""
    pixels, _, ocr = a_scan()
    assert layers.taken_apart(pixels, replace(ocr, words=())) is None


def test_only_print_is_in_the_mask(scan):
    pixels, _, ocr = scan
    found = print_mask.of(pixels, ocr)
    on_print = found.mask > 0
    assert on_print.mean() > 0.005
    assert not (on_print & red(pixels)).any()
    pen = np.zeros(on_print.shape, np.uint8)
    cv2.line(pen, (round(100 * MM), round(20 * MM)), (round(110 * MM), round(48 * MM)), 255, 3)
    assert not (on_print & (pen > 0)).any()
    assert max(found.colour) < 60


def test_words_that_are_not_sure_or_by_a_pen_stay_in_colour():
    pixels, _, ocr = a_scan(confidence=50.0)
    assert print_mask.of(pixels, ocr) is None
    by_pen = replace(ocr, words=tuple(replace(word, confidence=95.0, by_pen=True) for word in ocr.words))
    assert print_mask.of(pixels, by_pen) is None


def test_every_layer_with_ink_is_in_colour_at_200_dpi_or_more_and_the_print_without_loss(pdf):
    listed = subprocess.run(["pdfimages", "-list", pdf], check=True, capture_output=True, encoding="utf-8").stdout
    rows = [line.split() for line in listed.splitlines()[2:]]
    paper, *tiles, mask = rows
    assert (mask[2], mask[8]) == ("stencil", "ccitt")
    assert int(mask[12]) == pytest.approx(DPI, abs=2)
    assert tiles
    assert all((row[5], row[8]) == ("rgb", "jpeg") and int(row[12]) >= 200 for row in tiles)
    assert int(paper[12]) < 100


def test_nothing_stands_on_the_paper_that_is_kept_coarsely(scan):
    pixels, _, ocr = scan
    found = layers.taken_apart(pixels, ocr)
    paper = cv2.imdecode(np.frombuffer(found.paper, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert int(paper.max()) - int(paper.min()) < 30
    covered = np.zeros(pixels.shape[:2], bool)
    for box, _tile in found.tiles:
        covered[box.top : box.bottom, box.left : box.right] = True
    assert covered[red(pixels)].all()


def test_poppler_and_pdfium_show_the_same(pdf, drawn, tmp_path):
    subprocess.run(["pdftoppm", "-r", str(DPI), "-png", pdf, tmp_path / "page"], check=True)
    (file,) = tmp_path.glob("page*.png")
    other = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
    height, width = (min(sides) for sides in zip(other.shape[:2], drawn.shape[:2], strict=True))
    far = cv2.absdiff(*(cv2.blur(page[:height, :width], (9, 9)) for page in (other, drawn)))
    assert np.percentile(far, 99.9) < 24


def test_a_coarse_page_stays_one_picture(scan):
    pixels, _, ocr = scan
    assert layers.taken_apart(pixels, replace(ocr, dpi=200.0)) is None


def crossed_out(mark_levels: float, *, below: bool = False, height_px: int = 700):
    """Four lines of 11-point print, and where a stroke of 3 pixels runs along the second: through it or under it."""
    size = round(11 / 72 * DPI)
    image = Image.new("RGB", (2480, height_px), (250, 250, 250))
    draw, font, words = ImageDraw.Draw(image), scans._font(size), []
    for index, line in enumerate(LINES):
        x, top = float(DPI), round(DPI + index * size * 1.6)
        for word in line.split():
            draw.text((x, top), word, font=font, fill=(25, 25, 25))
            box = Box(*(round(edge) for edge in draw.textbbox((x, top), word, font=font)))
            words.append(OcrWord(word, box, 95.0, line=index))
            x += draw.textlength(word + " ", font=font)
    stroke = np.zeros((image.height, image.width), np.uint8)
    y = round(DPI + size * (1.6 + (1.02 if below else 0.62)))
    cv2.line(stroke, (DPI + 20, y), (1500, y + 12), 255, 3)
    pixels = cv2.GaussianBlur(np.asarray(image), (0, 0), 0.8).astype(float)
    pixels = np.maximum(pixels - mark_levels * (stroke > 0)[:, :, None], 20)
    pixels += np.random.default_rng(4).normal(0, 1.5, (*stroke.shape, 1))
    _, data = cv2.imencode(".jpg", np.clip(pixels, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])
    ocr = OcrPage(image.width, image.height, float(DPI), tuple(words), 95.0)
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), ocr, stroke > 0


def put_together(found: layers.Layers):
    height, width = found.print_mask.shape
    page = cv2.resize(cv2.imdecode(np.frombuffer(found.paper, np.uint8), cv2.IMREAD_COLOR_RGB), (width, height))
    for box, tile in found.tiles:
        colours = cv2.imdecode(np.frombuffer(tile, np.uint8), cv2.IMREAD_COLOR_RGB)
        page[box.top : box.bottom, box.left : box.right] = colours
    page[found.print_mask > 0] = found.print_colour
    return page


@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("levels", [30, 110, 220])
def test_a_stroke_through_or_under_print_stays_as_dark_as_it_is(levels, below):
    pixels, ocr, stroke = crossed_out(levels, below=below)
    found = layers.taken_apart(pixels, ocr)
    shown = put_together(found)
    letters = cv2.dilate((crossed_out(0)[0].max(axis=2) < 200).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    for where in (stroke, stroke & ~letters):
        assert 250 - shown[where].mean() == pytest.approx(250 - pixels[where].mean(), rel=0.25)
    assert not (stroke & ~letters & (found.print_mask > 0)).any()
    assert found.print_mask.any()


def test_print_without_a_stroke_is_in_the_mask():
    pixels, ocr, _ = crossed_out(0)
    mask = print_mask.of(pixels, ocr).mask > 0
    assert mask[pixels.max(axis=2) < 100].mean() > 0.98


def test_many_dots_on_the_paper_share_a_few_tiles():
    pixels, ocr, _ = crossed_out(0, height_px=1200)
    pixels = np.vstack([pixels, np.full_like(pixels, 250)])
    step = round(8 * MM)
    for y in range(1000, 2300, step):
        for x in range(100, 2400, step):
            cv2.circle(pixels, (x, y), 5, (200, 200, 200), -1)
    found = layers.taken_apart(pixels, replace(ocr, height_px=pixels.shape[0]))
    assert 1 <= len(found.tiles) <= 4


def test_print_on_clean_paper_needs_no_tile():
    pixels, ocr, _ = crossed_out(0)
    clean = np.where(print_mask.without(print_mask.of(pixels, ocr), DPI)[:, :, None] > 0, 250, pixels)
    found = layers.taken_apart(clean.astype(np.uint8), ocr)
    assert found.tiles == ()
    assert found.print_mask.any()


def test_a_tile_ends_where_what_stands_in_it_does():
    pixels, ocr, _ = crossed_out(0, height_px=1400)
    cv2.circle(pixels, (1200, 1200), 60, (200, 40, 50), 6)
    (tile,) = (box for box, _ in layers.taken_apart(pixels, ocr).tiles if box.top > 1000)
    wanted = Box(1137, 1137, 1263, 1263)
    reach = round(0.7 * MM)
    assert tile.left <= wanted.left
    assert tile.bottom >= wanted.bottom
    assert tile.right - tile.left < wanted.right - wanted.left + 2 * reach
    assert tile.bottom - tile.top < wanted.bottom - wanted.top + 2 * reach


def test_a_line_of_more_specks_than_can_be_counted_is_no_print():
    pixels, ocr, _ = crossed_out(0, height_px=1200)
    pixels[600:1160:2, 10:2470:2] = 25
    pixels[600:1160:2, 11:2470:2] = 250
    pixels[601:1160:2] = 250
    speckled = OcrWord("x", Box(10, 600, 2470, 1150), 95.0, line=9)
    assert not print_mask.of(pixels, replace(ocr, words=(*ocr.words, speckled))).mask[700:].any()


def test_the_font_of_a_document_has_the_outlines_of_its_letters_and_all_widths():
    whole = text_font.text_font()
    used = [ord(letter) for letter in "Ủy ban nhân dân ệ"]
    program = text_font.program_for(whole, used)
    assert len(program) < 0.45 * len(whole.program)
    cut, full = TTFont(io.BytesIO(program), checkChecksums=2), TTFont(io.BytesIO(whole.program))
    names = full.getGlyphOrder()
    for code in used:
        name = names[whole.glyphs[code][0]]
        before = full["glyf"][name].getCoordinates(full["glyf"])[0]
        after = cut["glyf"][cut.getGlyphOrder()[whole.glyphs[code][0]]].getCoordinates(cut["glyf"])[0]
        assert list(after) == list(before)
    assert len(cut["hmtx"].metrics) == len(names)
    assert re.fullmatch("[A-Z]{6}", text_font.subset_tag(used))


def test_letters_that_are_never_seen_are_boxes_of_their_widths():
    whole = text_font.text_font()
    hidden = [ord(letter) for letter in "Ủy ban 漢"]
    program = text_font.program_for(whole, [ord("n")], hidden)
    assert len(program) < 0.12 * len(whole.program)
    bare, full = TTFont(io.BytesIO(program), checkChecksums=2), TTFont(io.BytesIO(whole.program))
    assert list(bare["hmtx"].metrics.values()) == list(full["hmtx"].metrics.values())
    glyphs, order = bare["glyf"], bare.getGlyphOrder()
    drawn = {place for place, name in enumerate(order) if place and glyphs[name].numberOfContours}
    unseen = {whole.glyphs[ord(letter)][0] for letter in "Ủyba"} | {whole.blank}
    assert drawn == unseen | {whole.glyphs[ord("n")][0]}
    for place in unseen:
        points, ends, _ = glyphs[order[place]].getCoordinates(glyphs)
        (left, bottom), (left_up, top), (right, top_right), (right_down, bottom_right) = points
        assert list(ends) == [3]
        assert (left, right, top, bottom) == (left_up, right_down, top_right, bottom_right)
        assert 0 <= left < right <= bare["hmtx"].metrics[order[place]][0]
        assert top - bottom > 0.8 * bare["head"].unitsPerEm


def test_two_colours_are_as_far_apart_as_in_the_published_examples():
    pairs = {((255, 0, 0), (255, 0, 0)): 0.0, ((0, 0, 0), (255, 255, 255)): 100.0, ((255, 0, 0), (0, 255, 0)): 86.6}
    for (one, other), wanted in pairs.items():
        assert delta_e_2000(np.array([one], np.uint8), np.array([other], np.uint8))[0] == pytest.approx(wanted, abs=0.2)
