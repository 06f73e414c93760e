"""The writing of a table's cells laid out as ordinary lines of text, and the words read there put back. Pure.

Tesseract reads lines. A column three letters wide, a dash alone in its cell or a "1" by itself it reads badly or not at
all, and a process for each cell costs more than the page. So what stands on one line of a row is set side by side, a
little more than a blank apart, and all such lines below each other on one picture, which is read once.
"""

from __future__ import annotations

from bisect import bisect, bisect_right
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.types import MM_PER_INCH, Box, Cell, OcrWord, Repair, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_INKED = 0.35  # of the way from paper to ink
_INSIDE_MM = 0.2  # of a cell that may still be the edge of its rule
_SPECK_MM = 0.2
_LETTER_MM = (0.9, 6.0)
_CORE = 0.6  # of a letter's height: accents, dots and commas are lower and belong to the line of a letter
_SAME_LINE = 0.75  # of a letter's height between the middles of what stands on one line of a cell
_SAME_ROW = 0.3  # the same for lines of neighbouring cells
_LEFT_OVER_MM = 0.35  # thickness of what may remain of a rule along a cell's edge
_PAD_MM = 0.35
#: Blanks between cells, in heights of a letter. At 0.35 to 0.7 blanks within cells are read as such; from 0.9 on the
#: reader takes only the wide gaps for blanks and glues the words of a cell together.
_BLANK = 0.6
_LEADING = 0.9
_MARGIN_MM = 4.0
_MOST_SHAPES = 10_000  # of a cell: a dense page has some 6,000, and dust on a framed one tens of thousands
_MOST_PX = 30_000  # a side of the strip: Tesseract takes no picture above 32,767
_DIVIDED = 60.0  # where a glued word is cut by width, no letter is surely in its cell
_OVERLAP = 0.35  # of a piece that a word must cover to have letters of it


@dataclass(frozen=True)
class _Piece:
    """What one cell has on one line: where on the page, and where on the strip its top left is put."""

    table: int
    cell: Cell
    box: Box
    middle: float
    left: int = 0
    top: int = 0

    @property
    def right(self) -> int:
        return self.left + self.box.right - self.box.left


@dataclass(frozen=True)
class Strip:
    """A picture to read, and where its pieces come from.

    Attributes:
        pixels: Grey, dark on light.
        lines: Pieces line by line, from left to right; `tops` are where the lines begin.
    """

    pixels: Pixels
    lines: tuple[tuple[_Piece, ...], ...]
    tops: tuple[int, ...]


@dataclass(frozen=True)
class CellWord:
    """A word read on the strip: with its box on the page, and the cell it belongs to.

    Attributes:
        table: Which of the page's tables, from 0.
        line: Which line of the strip; lines of one row that are one line are one.
        base_px: Where its baseline lies on the page.
    """

    table: int
    cell: Cell
    word: OcrWord
    line: int
    base_px: float


def strip(grey: Pixels, tables: Sequence[Table], *, dpi: float) -> Strip | None:
    """Set the writing of all cells as lines of text.

    Args:
        grey: The page without the tables' rules.
        tables: In pixels of `grey`.
        dpi: Of `grey`.

    Returns:
        None when nothing is written in any cell, or so much that no reader takes it as one picture.
    """
    mm = dpi / MM_PER_INCH
    found = [(index, cell, shapes) for index, cell, shapes in _written(grey, tables, mm) if shapes]
    if not found:
        return None
    letter = _letter_height([shape for _, _, shapes in found for shape in shapes], mm)
    pieces = [piece for index, cell, shapes in found for piece in _pieces(index, cell, shapes, letter)]
    return _set(grey, _rows(pieces, letter), letter, mm)


def words_on_page(words: Sequence[OcrWord], strip: Strip, *, width_px: int, height_px: int) -> tuple[CellWord, ...]:
    """The words read on a strip, back in their cells: table by table, row by row, cell by cell, line by line."""
    placed: list[CellWord] = []
    for _, read_line in groupby(words, key=lambda word: (word.block, word.paragraph, word.line)):
        line = list(read_line)
        base = max(word.box.bottom for word in line) + line[0].baseline[1]
        for word, following in zip(line, [*line[1:], None], strict=True):
            # What was glued together gets a box that runs on over the words behind it.
            end = following.box.left if following and following.box.left > word.box.left else word.box.right
            cut = replace(word, box=replace(word.box, right=min(word.box.right, end)))
            placed += _placed(cut, strip, base, (width_px, height_px))
    placed.sort(key=lambda at: (at.table, at.cell.row, at.cell.column, at.line, at.word.box.left))
    return tuple(placed)


def _written(grey: Pixels, tables: Sequence[Table], mm: float) -> Iterator[tuple[int, Cell, list[Box]]]:
    """The dark shapes in each cell, on the page."""
    inside, speck = max(1, round(_INSIDE_MM * mm)), (_SPECK_MM * mm) ** 2
    for index, table in enumerate(tables):
        box = table.box
        paper, ink = np.percentile(grey[box.top : box.bottom, box.left : box.right], (60, 1))
        level = float(paper - _INKED * (paper - ink))
        for cell in table.cells:
            left, top = cell.box.left + inside, cell.box.top + inside
            area = grey[top : cell.box.bottom - inside, left : cell.box.right - inside]
            if min(area.shape) < 2:  # noqa: PLR2004
                continue
            _, _, stats, _ = cv2.connectedComponentsWithStats((area < level).astype(np.uint8), connectivity=8)
            largest = np.sort(np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:_MOST_SHAPES])
            yield (
                index,
                cell,
                [
                    Box(left + x, top + y, left + x + width, top + y + height)
                    for x, y, width, height, count in stats[1:][largest].tolist()
                    if count > speck and not _is_left_over(x, y, width, height, area.shape, mm)
                ],
            )


def _is_left_over(x: int, y: int, width: int, height: int, shape: tuple[int, ...], mm: float) -> bool:
    """Whether a shape is what remained of a rule: thin, long, along the edge of its cell."""
    thin, edge = _LEFT_OVER_MM * mm, 2
    at_side = x <= edge or x + width >= shape[1] - edge
    at_end = y <= edge or y + height >= shape[0] - edge
    return (at_end and height <= thin and width > 4 * thin) or (at_side and width <= thin and height > 4 * thin)


def _letter_height(shapes: Sequence[Box], mm: float) -> float:
    heights = [shape.bottom - shape.top for shape in shapes]
    letters = [height for height in heights if _LETTER_MM[0] * mm < height < _LETTER_MM[1] * mm]
    return float(np.median(letters)) if letters else 2.0 * mm


@dataclass
class _Line:
    """Shapes on one line of a cell; its middle is the mean of its letters', of all shapes' where there are none."""

    shapes: list[Box]
    has_letters: bool
    total: float
    count: int = 1

    def add(self, shape: Box, *, is_letter: bool) -> None:
        self.shapes.append(shape)
        if is_letter or not self.has_letters:
            self.total += _middle(shape)
            self.count += 1

    @property
    def middle(self) -> float:
        return self.total / self.count


def _pieces(table: int, cell: Cell, shapes: Sequence[Box], letter: float) -> Iterator[_Piece]:
    """The lines of one cell: letters by their middles, then each accent, dot and dash where it is nearest."""
    lines: list[_Line] = []  # from the top down, and so they stay: a shape pulls the nearest line towards it
    middles: list[float] = []
    for shape in sorted(shapes, key=lambda shape: (shape.bottom - shape.top < _CORE * letter, _middle(shape))):
        is_letter, middle = shape.bottom - shape.top >= _CORE * letter, _middle(shape)
        reach = _SAME_LINE * letter if is_letter else 1.6 * letter
        at = bisect(middles, middle)
        near = min(range(max(0, at - 1), min(at + 1, len(lines))), key=lambda i: abs(middles[i] - middle), default=None)
        if near is None or abs(middles[near] - middle) > reach:
            lines.insert(at, _Line([shape], is_letter, middle))
            middles.insert(at, middle)
        else:
            lines[near].add(shape, is_letter=is_letter)
            middles[near] = lines[near].middle
    for line, middle in zip(lines, middles, strict=True):
        box = _around(line.shapes)
        if box.bottom - box.top < _CORE * letter:  # a dash needs the height of a line to be read as one
            half = round(_CORE * letter)
            box = replace(box, top=round(middle) - half, bottom=round(middle) + half)
        yield _Piece(table, cell, box, middle)


def _middle(shape: Box) -> float:
    return (shape.top + shape.bottom) / 2


def _around(shapes: Sequence[Box]) -> Box:
    return Box(
        min(shape.left for shape in shapes),
        min(shape.top for shape in shapes),
        max(shape.right for shape in shapes),
        max(shape.bottom for shape in shapes),
    )


def _rows(pieces: Sequence[_Piece], letter: float) -> list[list[_Piece]]:
    """Pieces of one row that stand on one line, together."""
    lines: list[list[_Piece]] = []
    ordered = sorted(pieces, key=lambda piece: (piece.table, piece.cell.row, piece.middle))
    for _, row in groupby(ordered, key=lambda piece: (piece.table, piece.cell.row)):
        here: list[list[_Piece]] = []
        for piece in row:
            fitting = [line for line in here if abs(line[0].middle - piece.middle) < _SAME_ROW * letter]
            if fitting:
                fitting[-1].append(piece)
            else:
                here.append([piece])
        lines += here
    return [sorted(line, key=lambda piece: piece.box.left) for line in lines]


def _set(grey: Pixels, rows: Sequence[Sequence[_Piece]], letter: float, mm: float) -> Strip | None:
    pad, margin, blank = round(_PAD_MM * mm), round(_MARGIN_MM * mm), round(_BLANK * letter)
    lines, tops, bottom = [], [], margin
    for row in rows:
        first = min(piece.box.top for piece in row) - pad
        line, left = [], margin
        for piece in row:
            cell = piece.cell.box
            wide = Box(
                max(piece.box.left - pad, cell.left + 1), max(piece.box.top - pad, cell.top + 1),
                min(piece.box.right + pad, cell.right - 1), min(piece.box.bottom + pad, cell.bottom - 1),
            )  # fmt: skip
            line.append(replace(piece, box=wide, left=left, top=bottom + wide.top - first))
            left = line[-1].right + blank
        lines.append(tuple(line))
        tops.append(bottom)
        bottom = max(piece.top + piece.box.bottom - piece.box.top for piece in line) + round(_LEADING * letter)
    size = bottom + margin, max(line[-1].right for line in lines) + margin
    if max(size) > _MOST_PX:
        return None
    paper = round(float(np.percentile(grey[::16, ::16], 60)))
    pixels = np.full(size, paper, dtype=np.uint8)
    for piece in (piece for line in lines for piece in line):
        taken = grey[piece.box.top : piece.box.bottom, piece.box.left : piece.box.right]
        pixels[piece.top : piece.top + taken.shape[0], piece.left : piece.left + taken.shape[1]] = taken
    return Strip(pixels, tuple(lines), tuple(tops))


def _placed(word: OcrWord, strip: Strip, base: float, size: tuple[int, int]) -> Iterator[CellWord]:
    """A word on the page; one that runs over several pieces is shared between them, letter by letter.

    Where one ends and the next begins is reckoned from their widths: every part keeps the whole and isn't sure.
    """
    index = max(0, bisect_right(strip.tops, (word.box.top + word.box.bottom) / 2) - 1)
    line = strip.lines[index]
    middle = (word.box.left + word.box.right) / 2
    covered = [
        piece for piece in line
        if min(word.box.right, piece.right) - max(word.box.left, piece.left) > _OVERLAP * (piece.right - piece.left)
    ]  # fmt: skip
    if len(covered) < 2 or len(word.text) < len(covered):  # noqa: PLR2004
        piece = min(line, key=lambda piece: max(piece.left - middle, middle - piece.right, 0))
        yield _moved(word, piece, index, base, size)
        return
    total = sum(piece.right - piece.left for piece in covered)
    start = done = 0
    for piece in covered:
        done += piece.right - piece.left
        end = round(len(word.text) * done / total)
        if end > start:
            left, right = max(piece.left, word.box.left), min(piece.right, word.box.right)
            part = replace(
                word,
                text=word.text[start:end],
                box=replace(word.box, left=left, right=right),
                raw=word.text,
                repair=Repair.SECOND_OPINION,  # nothing is mended in it, by grammar or context
                confidence=min(word.confidence, _DIVIDED),
            )
            yield _moved(part, piece, index, base, size)
        start = end


def _moved(word: OcrWord, piece: _Piece, line: int, base: float, size: tuple[int, int]) -> CellWord:
    right, down = piece.box.left - piece.left, piece.box.top - piece.top
    width, height = size
    box = Box(
        min(max(word.box.left + right, 0), width - 1), min(max(word.box.top + down, 0), height - 1),
        min(max(word.box.right + right, 1), width), min(max(word.box.bottom + down, 1), height),
    )  # fmt: skip
    return CellWord(piece.table, piece.cell, replace(word, box=box), line, base + down)
