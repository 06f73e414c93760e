"""Tables: the grid is found as it is drawn, nothing else is taken for one, and what is read stands in its cells."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from importlib import resources

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitize import pipeline, reading, tables
from digitize.tables import reading as table_reading
from digitize.tables import strip as table_strip
from digitize.types import Box, Cell, OcrPage, OcrWord, PageFlags, PageImage, ReadPage, Repair, Table
from digitize.words import symbols
from tests import scans

DPI = 150
WIDTH, HEIGHT = 1240, 1754
#: Left edges of columns and tops of rows of the table that is drawn, and their ends.
XS = (120, 200, 520, 760, 1000)
YS = (300, 345, 390, 435, 480, 525)
ROWS = (
    ("TT", "Họ và tên", "Ngày sinh", "Số tiền"),
    ("1", "Quách Thị Lựu", "12/03/1961", "1.250.000"),
    ("2", "Nông Văn Bổng", "05/11/1948", "870.500"),
    ("3", "Giàng Mỹ Duyên", "21/07/1990", "-"),
    ("4", "Lường Quang Hiếu", "30/01/1975", "2.016.400"),
)  # fmt: skip


def font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO((resources.files("digitize") / "fonts" / "text.ttf").read_bytes()), size)


def paper() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (WIDTH, HEIGHT), 246)
    return image, ImageDraw.Draw(image)


def draw_text(draw: ImageDraw.ImageDraw) -> None:
    for row, texts in enumerate(ROWS):
        for column, text in enumerate(texts):
            draw.text((XS[column] + 10, YS[row] + 9), text, font=font(23), fill=30)


def grid_page(*, dotted: bool = False, double: bool = False, upright: bool = True) -> np.ndarray:
    image, draw = paper()
    draw_text(draw)
    for index, y in enumerate(YS):
        if dotted and 1 < index < len(YS) - 1:
            for x in range(XS[0], XS[-1], 5):
                draw.rectangle((x, y, x + 1, y + 1), fill=60)
        else:
            draw.line((XS[0], y, XS[-1], y), fill=40, width=2)
    for x in XS if upright else ():
        draw.line((x, YS[0], x, YS[-1]), fill=40, width=2)
    if double:
        draw.rectangle((XS[0] - 5, YS[0] - 5, XS[-1] + 5, YS[-1] + 5), outline=40, width=2)
    return np.asarray(image)


def places(found: tuple[tables.Ruled, ...]) -> list[tuple[int, int, int, int]]:
    assert len(found) == 1
    return [(cell.row, cell.column, cell.rows, cell.columns) for cell in found[0].table.cells]


EVERY_PLACE = [(row, column, 1, 1) for row in range(5) for column in range(4)]


@pytest.mark.parametrize("how", [{}, {"dotted": True}, {"double": True}, {"upright": False}])
def test_a_grid_is_found_as_it_is_drawn(how: dict[str, bool]) -> None:
    assert places(tables.find(grid_page(**how), dpi=DPI)) == EVERY_PLACE


@pytest.mark.parametrize("skew_deg", [-0.3, 0.3])
def test_a_table_that_still_leans_a_little_keeps_its_grid(skew_deg: float) -> None:
    page = PageImage(np.repeat(grid_page()[:, :, None], 3, axis=2), float(DPI))
    assert places(tables.find(scans.skewed(page, skew_deg).pixels[:, :, 0], dpi=DPI)) == EVERY_PLACE


def test_a_cell_box_lies_between_its_rules() -> None:
    (found,) = tables.find(grid_page(), dpi=DPI)
    cell = next(cell for cell in found.table.cells if (cell.row, cell.column) == (2, 1))
    wanted = Box(XS[1], YS[2], XS[2], YS[3])
    assert np.abs(np.array([cell.box.left, cell.box.top, cell.box.right, cell.box.bottom])
                  - np.array([wanted.left, wanted.top, wanted.right, wanted.bottom])).max() <= 3  # fmt: skip


def test_cells_that_were_merged_span_rows_and_columns() -> None:
    image, draw = paper()
    draw.rectangle((XS[0], YS[0], XS[-1], YS[-1]), outline=40, width=2)
    for y in YS[2:-1]:
        draw.line((XS[0], y, XS[-1], y), fill=40, width=2)
    draw.line((XS[2], YS[1], XS[-1], YS[1]), fill=40, width=2)  # a heading over the last two columns
    for x, top in zip(XS[1:-1], (YS[0], YS[0], YS[1]), strict=True):
        draw.line((x, top, x, YS[-1]), fill=40, width=2)
    assert set(places(tables.find(np.asarray(image), dpi=DPI))) == {
        (0, 0, 2, 1), (0, 1, 2, 1), (0, 2, 1, 2), (1, 2, 1, 1), (1, 3, 1, 1),
        *((row, column, 1, 1) for row in range(2, 5) for column in range(4)),
    }  # fmt: skip


def test_a_page_of_text_has_no_table() -> None:
    page = scans.sheet(dpi=DPI, repeat=2)
    assert tables.find(page.pixels[:, :, 0], dpi=DPI) == ()


def test_frames_underlines_stamps_and_writing_lines_are_no_tables() -> None:
    image, draw = paper()
    draw.rectangle((60, 60, WIDTH - 60, HEIGHT - 60), outline=40, width=3)
    draw.rectangle((68, 68, WIDTH - 68, HEIGHT - 68), outline=40, width=1)
    draw.line((700, 180, 1000, 180), fill=40, width=2)
    draw.rectangle((120, 200, 420, 330), outline=40, width=2)  # an incoming stamp, with lines to write on
    for y in (245, 290):
        draw.line((120, y, 420, y), fill=40, width=2)
    for index in range(8):
        y = 600 + 60 * index
        draw.text(
            (120, y - 32), "Họ và tên người đề nghị cấp giấy phép xây dựng nhà ở riêng lẻ", font=font(24), fill=30
        )
        draw.line((120, y, 1100, y), fill=40, width=2)
    assert tables.find(np.asarray(image), dpi=DPI) == ()


def test_rules_go_and_a_stroke_that_crosses_one_stays() -> None:
    page = grid_page().copy()
    cv2.line(page, (300, YS[2] - 12), (300, YS[2] + 12), 20, 3)
    cleared = tables.without_rules(page, tables.find(page, dpi=DPI), dpi=DPI)
    assert cleared[YS[2], 600:700].min() > 225
    assert cleared[YS[1] + 4 : YS[2] - 4, XS[1]].min() > 225
    assert cleared[YS[2] - 10 : YS[2] + 10, 300].max() < 90
    outside = np.ones(page.shape, dtype=bool)
    outside[YS[0] - 10 : YS[-1] + 10, XS[0] - 10 : XS[-1] + 10] = False
    assert (cleared[outside] == page[outside]).all()


def test_what_is_read_on_a_strip_returns_to_its_cells() -> None:
    page = grid_page()
    found = tables.find(page, dpi=DPI)
    bare = tables.without_rules(page, found, dpi=DPI)
    laid_out = table_strip.strip(bare, [found[0].table], dpi=DPI)
    assert laid_out is not None
    # As if a reader had read each piece as one word, and glued the first two of each line together.
    read = []
    for number, line in enumerate(laid_out.lines):
        for piece, text in zip(line, ROWS[number], strict=True):
            height = piece.box.bottom - piece.box.top
            box = Box(piece.left + 2, piece.top + 2, piece.right - 2, piece.top + height - 2)
            read.append(OcrWord(text.replace(" ", ""), box, 90.0, line=number))
        first, second, *_ = read[-4:]
        read[-4:-2] = [replace(first, text=first.text + second.text, box=replace(first.box, right=second.box.right))]
    back = table_strip.words_on_page(read, laid_out, width_px=WIDTH, height_px=HEIGHT)
    for word in back:
        assert word.cell.box.left <= word.word.box.left < word.word.box.right <= word.cell.box.right
        assert word.cell.box.top <= word.word.box.top < word.word.box.bottom <= word.cell.box.bottom
    for word in back:
        if word.cell.column < 2:  # what was glued is divided by width alone
            assert (word.word.repair, word.word.confidence) == (Repair.SECOND_OPINION, 60.0)
            assert word.word.raw == "".join(ROWS[word.cell.row][:2]).replace(" ", "")
        else:
            assert (word.word.repair, word.word.confidence, word.word.raw) == (None, 90.0, "")
    page_read = OcrPage(WIDTH, HEIGHT, DPI, tuple(word.word for word in back), 90.0)
    assert symbols.mended(page_read).words == page_read.words
    in_order = [(word.cell.row, word.cell.column) for word in back]
    assert in_order == sorted(in_order)
    assert [word.word.text for word in back if word.cell.column == 3] == [row[3].replace(" ", "") for row in ROWS]
    assert "".join(word.word.text for word in back) == "".join("".join(row) for row in ROWS).replace(" ", "")


def test_a_page_with_a_table_is_read_row_by_row_and_its_grid_is_kept() -> None:
    image = Image.fromarray(grid_page())
    draw = ImageDraw.Draw(image)
    draw.text((400, 220), "DANH SÁCH ĐƯỢC HỖ TRỢ", font=font(28), fill=30)
    draw.text((700, 600), "NGƯỜI LẬP BIỂU", font=font(28), fill=30)
    page = PageImage(np.repeat(np.asarray(image)[:, :, None], 3, axis=2), float(DPI))
    read = pipeline.read_page(page)
    lines = [line for line in read.ocr.text.splitlines() if line]
    assert lines == ["DANH SÁCH ĐƯỢC HỖ TRỢ", *(" ".join(row) for row in ROWS), "NGƯỜI LẬP BIỂU"]
    again = reading.from_json(reading.to_json(read))
    assert again.ocr.tables == read.ocr.tables
    assert [(c.row, c.column) for c in again.ocr.tables[0].cells] == [(r, c) for r, c, _, _ in EVERY_PLACE]


def test_each_table_stands_where_it_stands_on_the_page() -> None:
    first, second = (
        Table(Box(0, top, 100, top + 100), (Cell(0, 0, Box(0, top, 100, top + 100)),)) for top in (100, 400)
    )

    def word(text: str, top: int, line: int) -> OcrWord:
        return OcrWord(text, Box(10, top, 60, top + 20), 90.0, line=line)

    around = (word("trên", 50, 0), word("giữa", 300, 1), word("dưới", 600, 2))
    cells = tuple(
        table_strip.CellWord(index, table.cells[0], word(text, table.box.top + 40, 0), 0, table.box.top + 55.0)
        for index, (table, text) in enumerate(((first, "một"), (second, "hai")))
    )
    ordered = table_reading.in_order(around, (first, second), cells)
    assert [found.text for found in ordered] == ["trên", "một", "giữa", "hai", "dưới"]
    page = OcrPage(200, 800, 100.0, ordered, 90.0, (first, second))
    assert reading.from_json(reading.to_json(ReadPage(b"", "image/png", page, PageFlags()))).ocr == page


def specks(count: int, height: int) -> np.ndarray:
    """A page of dust as tall as letters, every 4 pixels."""
    page = np.full((height, WIDTH), 246, np.uint8)
    places = np.stack(np.meshgrid(np.arange(140, WIDTH - 140, 4), np.arange(140, height - 140, 9)), -1).reshape(-1, 2)
    assert len(places) > count
    for x, y in places[np.random.default_rng(4).permutation(len(places))[:count]].tolist():
        page[y : y + 6, x : x + 2] = 30
    return page


def test_tens_of_thousands_of_specks_in_a_frame_are_laid_out_in_a_moment() -> None:
    cell = Cell(0, 0, Box(100, 100, WIDTH - 100, HEIGHT - 100))
    page = specks(30_000, HEIGHT)
    began = time.process_time()
    laid_out = table_strip.strip(page, [Table(cell.box, (cell,))], dpi=DPI)
    assert laid_out is not None
    assert time.process_time() - began < 2.0


def test_lines_of_a_cell_are_as_if_each_shape_went_to_the_nearest_mean() -> None:
    random = np.random.default_rng(11)
    for _ in range(40):
        tops = random.integers(0, 300, 60)
        heights = random.choice([3, 5, 14, 20], 60)
        shapes = [Box(5 * i, int(t), 5 * i + 4, int(t + h)) for i, (t, h) in enumerate(zip(tops, heights, strict=True))]
        cell = Cell(0, 0, Box(0, 0, 400, 400))
        found = {(piece.box.left, piece.box.right, round(piece.middle, 6)) for piece in _pieces(cell, shapes)}
        assert found == {
            (min(s.left for s in line), max(s.right for s in line), round(_mean(line), 6)) for line in _nearest(shapes)
        }


def _pieces(cell: Cell, shapes: list[Box]) -> list[table_strip._Piece]:
    return list(table_strip._pieces(0, cell, shapes, 20.0))


def _middle(shape: Box) -> float:
    return (shape.top + shape.bottom) / 2


def _mean(line: list[Box]) -> float:
    letters = [_middle(shape) for shape in line if shape.bottom - shape.top >= 12]
    return float(np.mean(letters or [_middle(shape) for shape in line]))


def _nearest(shapes: list[Box]) -> list[list[Box]]:
    lines: list[list[Box]] = []
    for shape in sorted(shapes, key=lambda shape: (shape.bottom - shape.top < 12, _middle(shape))):
        reach = 15.0 if shape.bottom - shape.top >= 12 else 32.0
        near = min(sorted(lines, key=_mean), key=lambda line: abs(_mean(line) - _middle(shape)), default=None)
        if near is None or abs(_mean(near) - _middle(shape)) > reach:
            lines.append([shape])
        else:
            near.append(shape)
    return lines


def test_a_table_with_more_lines_than_a_reader_takes_is_read_with_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    assert table_strip._MOST_PX < 32_767  # Tesseract's own limit
    monkeypatch.setattr(table_strip, "_MOST_PX", 100)
    page = grid_page()
    found = tables.find(page, dpi=DPI)
    seen = []

    def as_page(grey: np.ndarray) -> OcrPage:
        seen.append(grey)
        return OcrPage(WIDTH, HEIGHT, DPI, (OcrWord("TT", Box(XS[0] + 10, YS[0] + 9, 160, 335), 90.0),), 90.0)

    def as_lines(grey: np.ndarray) -> OcrPage:
        raise AssertionError(grey.shape)

    read = table_reading.read(page, found, dpi=DPI, page=as_page, lines=as_lines)
    assert (seen[0] == tables.without_rules(page, found, dpi=DPI)).all()
    assert [word.text for word in read.words] == ["TT"]
