"""A page with tables read: its cells by themselves, what stands round them as a page, and both put in order. Pure.

The tables are taken out of the page before it is read: without them it is read in half the time and its columns aren't
mistaken. Their cells are read once, together, as lines of text (`digitize.tables.strip`).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from digitize.recognition.hocr import mean_confidence
from digitize.tables import without_rules
from digitize.tables.strip import CellWord, strip, words_on_page
from digitize.types import MM_PER_INCH, OcrPage, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from digitize.tables import Ruled
    from digitize.types import OcrWord

    Pixels = NDArray[np.uint8]
    Read = Callable[[Pixels], OcrPage]

_ROUND_MM = 0.6  # that the outermost rules may be thick


def read(grey: Pixels, found: Sequence[Ruled], *, dpi: float, page: Read, lines: Read) -> OcrPage:
    """Read a page on which tables were found.

    Args:
        grey: Shape (height_px, width_px), as the tables were found on it.
        found: At least one.
        dpi: Of `grey`.
        page: Reads a picture laid out as a page.
        lines: Reads a picture of nothing but lines of text, one below the other.

    Returns:
        Words in reading order: each table stands where it stands on the page, row by row, cell by cell. Words of one
        cell follow each other; words on one line of a row have one line's number. Where cells hold more lines than a
        reader takes at once, they are read with the page, in its order.
    """
    tables = [ruled.table for ruled in found]
    bare = without_rules(grey, found, dpi=dpi)
    cells = strip(bare, tables, dpi=dpi)
    around = page(bare if cells is None else _without_tables(bare, tables, dpi))
    in_cells: tuple[CellWord, ...] = ()
    if cells is not None:
        height, width = grey.shape
        in_cells = words_on_page(lines(cells.pixels).words, cells, width_px=width, height_px=height)
    words = in_order(around.words, tables, in_cells)
    return replace(around, words=words, mean_confidence=mean_confidence(words), tables=tuple(tables))


def _without_tables(grey: Pixels, tables: Sequence[Table], dpi: float) -> Pixels:
    """The page with paper where its tables are."""
    around = max(2, round(_ROUND_MM * dpi / MM_PER_INCH))
    paper = round(float(np.percentile(grey[::16, ::16], 60)))
    cleared = grey.copy()
    for table in tables:
        box = table.box
        cleared[max(0, box.top - around) : box.bottom + around, max(0, box.left - around) : box.right + around] = paper
    return cleared


def in_order(around: Sequence[OcrWord], tables: Sequence[Table], in_cells: Sequence[CellWord]) -> tuple[OcrWord, ...]:
    """What stands round the tables with each table before the first line below its middle, numbered anew."""
    parts: list[tuple[OcrWord, ...]] = [
        tuple(line) for _, line in groupby(around, key=lambda word: (word.block, word.paragraph, word.line))
    ]
    order = _Numbers()
    waiting = list(enumerate(tables))
    words: list[OcrWord] = []
    for part in parts:
        middle = (min(word.box.top for word in part) + max(word.box.bottom for word in part)) / 2
        while waiting and middle > (waiting[0][1].box.top + waiting[0][1].box.bottom) / 2:
            index, _ = waiting.pop(0)
            words += order.of_table(_cells_of(in_cells, index))
        words += order.of_page(part)
    for index, _ in waiting:
        words += order.of_table(_cells_of(in_cells, index))
    return tuple(words)


def _cells_of(in_cells: Sequence[CellWord], index: int) -> list[CellWord]:
    return [word for word in in_cells if word.table == index]


class _Numbers:
    """Blocks, paragraphs and lines counted along the page."""

    def __init__(self) -> None:
        self.block = self.paragraph = self.line = -1
        self._last: tuple[int, int] | None = None

    def line_of(self, words: Sequence[OcrWord], baseline: tuple[float, float]) -> Iterator[OcrWord]:
        self.line += 1
        for word in words:
            yield replace(word, block=self.block, paragraph=self.paragraph, line=self.line, baseline=baseline)

    def of_page(self, part: Sequence[OcrWord]) -> Iterator[OcrWord]:
        """A line of the page: of the block and paragraph that its reader saw."""
        first = part[0].block, part[0].paragraph
        if self._last is None or first[0] != self._last[0]:
            self.block += 1
        if first != self._last:
            self.paragraph += 1
        self._last = first
        yield from self.line_of(part, part[0].baseline)

    def of_table(self, words: Sequence[CellWord]) -> Iterator[OcrWord]:
        """A table: one block, a paragraph a row."""
        self._last = None
        self.block += 1
        for _, row in groupby(words, key=lambda word: word.cell.row):
            self.paragraph += 1
            # As long as the row goes on along one line it is one line; the second line of a cell begins another.
            for _, line in groupby(row, key=lambda word: word.line):
                here = list(line)
                offset = here[0].base_px - max(found.word.box.bottom for found in here)
                yield from self.line_of([found.word for found in here], (0.0, offset))
