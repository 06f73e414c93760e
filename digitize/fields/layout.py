"""Lines of a page as a person sees them: columns apart, pieces of a line together, from top to bottom."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from digitize.types import Box, Field, Repair
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from digitize.types import OcrPage, OcrWord, PageCode, PenMark

#: A gap this wide, in heights of a line, parts two columns; justified print has gaps up to about 1.2.
_COLUMN_GAP = 1.6
_SAME_LINE_GAP = 0.9
_LONE_MARKS = "^`´ˆ˜˘˙¨'\"‘’“”"  # read apart from the letter they stand on
_LEAST_LETTER = 0.3  # of a typical word's height
_NATIONAL = re.compile(r"(?<![a-z])(?:cong hoa xa hoi chu|doc lap\s*[-–—~]?\s*tu do)")
#: What is read under a pen is a guess.
BY_PEN = 0.0
#: Given to a value that breaks a rule or can't be checked where it should be: a person looks at it.
DOUBT = 60.0
#: Given to free text that nothing but Tesseract's own confidence speaks for.
UNWITNESSED = 75.0
_SURE_FREE_TEXT = 0.95


@dataclass(frozen=True)
class Line:
    """Words that stand together on one line and in one column."""

    words: tuple[OcrWord, ...]

    @cached_property
    def text(self) -> str:
        """The words with blanks between."""
        return " ".join(word.text for word in self.words)

    @cached_property
    def plain(self) -> str:
        """The text without marks and case; letter for letter as long as `text`."""
        return plain(self.text)

    @cached_property
    def box(self) -> Box:
        """Around all words."""
        return Box.around(word.box for word in self.words)

    @cached_property
    def height(self) -> float:
        """Of a typical word, in pixels."""
        return float(median(word.box.bottom - word.box.top for word in self.words))

    @property
    def middle(self) -> float:
        """Its horizontal centre."""
        return (self.box.left + self.box.right) / 2

    def part(self, start: int, end: int) -> tuple[OcrWord, ...]:
        """Words that the characters from `start` to `end` of the text belong to."""
        found, at = [], 0
        for word in self.words:
            if at < end and at + len(word.text) > start:
                found.append(word)
            at += len(word.text) + 1
        return tuple(found)

    def after(self, start: int) -> Line | None:
        """The line from the word on in which character `start` stands; None when nothing is left."""
        words = self.part(start, len(self.text) + 1)
        return Line(words) if words else None


@dataclass(frozen=True)
class Sheet:
    """One page with its lines."""

    number: int
    width: int
    height: int
    lines: tuple[Line, ...]
    pen: tuple[PenMark, ...]
    codes: tuple[PageCode, ...] = ()

    @cached_property
    def em(self) -> float:
        """Height of a typical line, in pixels."""
        return float(median(line.height for line in self.lines)) if self.lines else self.height / 60

    @cached_property
    def text_edges(self) -> tuple[float, float]:
        """Where running text begins and ends, from the lines that are wide."""
        wide = [line.box for line in self.lines if line.box.right - line.box.left > 0.55 * self.width]
        if not wide:
            return 0.1 * self.width, 0.95 * self.width
        return float(median(box.left for box in wide)), float(max(box.right for box in wide))


def plain(text: str) -> str:
    """As `fold`, but every letter in its place: what is found in it can be cut out of `text`."""
    return "".join(fold(letter) or letter for letter in text)


def sheet_of(page: OcrPage, number: int) -> Sheet:
    """Take a page apart into lines, from top to bottom and left to right."""
    pieces: list[Line] = []
    for line in _as_read(page):
        pieces.extend(_columns(line))
    joined = _joined(pieces)
    return Sheet(number, page.width_px, page.height_px, tuple(_top_down(joined)), page.pen, page.codes)


def _as_read(page: OcrPage) -> list[Line]:
    """Tesseract's lines without what is too small to be a letter: bits of marks and seals read as words."""
    heights = [word.box.bottom - word.box.top for word in page.words if len(word.text) > 1]
    least = _LEAST_LETTER * median(heights) if heights else 0.0
    lines: dict[tuple[int, int, int], list[OcrWord]] = {}
    for word in page.words:
        too_small = word.box.bottom - word.box.top < least and word.text.strip("-–—.,:;_…=~")
        if too_small or not word.text.strip(_LONE_MARKS):
            continue
        lines.setdefault((word.block, word.paragraph, word.line), []).append(word)
    sorted_lines = [Line(tuple(sorted(words, key=lambda word: word.box.left))) for words in lines.values()]
    return [line for line in sorted_lines if _says_something(line)]


def _says_something(line: Line) -> bool:
    """A lone mark of punctuation or a lone letter read unsurely is a speck; a dash begins an item of a list."""
    text = line.text
    if len(text) > 2 or text in "-–" or text.isdigit():  # noqa: PLR2004
        return True
    return any(letter.isalnum() for letter in text) and min(word.confidence for word in line.words) > DOUBT


def _columns(line: Line) -> list[Line]:
    """Part a line at wide gaps, and before the national title, which an agency's name may nearly touch."""
    cuts = set()
    for index, (before, word) in enumerate(pairwise(line.words), start=1):
        if word.box.left - before.box.right > _COLUMN_GAP * line.height:
            cuts.add(index)
    for found in _NATIONAL.finditer(line.plain):
        cuts.add(line.text[: found.start()].count(" "))
    edges = [0, *sorted(cuts - {0}), len(line.words)]
    return [Line(line.words[start:end]) for start, end in pairwise(edges)]


def _joined(pieces: Sequence[Line]) -> list[Line]:
    """Put together what stands on one line with a small gap but was read as two."""
    found: list[Line] = []
    for piece in sorted(pieces, key=lambda line: line.box.left):
        for index, line in enumerate(found):
            gap = piece.box.left - line.box.right
            national = _NATIONAL.match(piece.plain)
            if -0.3 * line.height < gap < _SAME_LINE_GAP * line.height and _beside(line, piece) and not national:
                found[index] = Line(line.words + piece.words)
                break
        else:
            found.append(piece)
    return found


def _beside(one: Line, other: Line) -> bool:
    last = one.words[-1].box
    first = other.words[0].box
    shared = min(last.bottom, first.bottom) - max(last.top, first.top)
    return shared > 0.5 * min(last.bottom - last.top, first.bottom - first.top)


def _top_down(lines: Iterable[Line]) -> list[Line]:
    """Rows from the top, each from the left: two lines are one row when the middle of one is within the other."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.box.top + line.box.bottom):
        centre = (line.box.top + line.box.bottom) / 2
        last = rows[-1][-1] if rows else None
        if (
            last is not None
            and last.box.top < centre - 0.25 * last.height
            and centre + 0.25 * last.height < last.box.bottom
        ):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.box.left)]


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share a pixel."""
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom


def sureness(words: Sequence[OcrWord], pen: Sequence[PenMark] = ()) -> float:
    """How sure a value is, 0 to 100: as its least sure word and as all their risks together; 0 where a pen was at work.

    Where a word's risk was assessed, it counts beside Tesseract's confidence, which is high for most wrong tone marks.
    """
    if touched(words, pen):
        return BY_PEN
    return min(*(word.confidence for word in words), 100.0 * _all_right(words))


def _all_right(words: Sequence[OcrWord]) -> float:
    """How likely it is that every word is right, as far as their risks were assessed."""
    return math.prod(1.0 - (word.risk or 0.0) for word in words)


def touched(words: Sequence[OcrWord], pen: Sequence[PenMark]) -> bool:
    """Whether a pen wrote or crossed one of the words."""
    return any(word.by_pen or any(overlap(word.box, mark.box) for mark in pen) for word in words)


def witnessed(words: Sequence[OcrWord]) -> bool:
    """Whether more than Tesseract's own confidence speaks for each word: its risk was assessed, or the file says so.

    More than half of the wrong words have a confidence of 90 and more: free text isn't sure on that alone. Wrong
    subjects and names had a share of `_all_right` up to 0.79 on drawn pages, right ones a median of 0.9.
    """
    assessed = all(word.risk is not None or word.repair is Repair.OWN_TEXT for word in words)
    return assessed and _all_right(words) >= _SURE_FREE_TEXT


def found(
    key: str,
    value: str,
    sheet: Sheet,
    words: Sequence[OcrWord],
    *,
    raw: str = "",
    pen: Sequence[PenMark] = (),
    most: float = 100.0,
    guess: bool = True,
) -> Field:
    """Make a field of the words it was read from.

    Args:
        pen: Ink that makes the value a guess where it touches one of the words.
        most: Confidence is at most this: what a rule says about the value.
        guess: What was read under a pen is given as a guess, sure to 0; otherwise not at all.
    """
    text = raw or " ".join(word.text for word in words)
    sure = sureness(words, pen)
    return Field(
        key,
        "" if not guess and touched(words, pen) else value,
        text,
        sheet.number,
        Box.around(w.box for w in words),
        min(sure, most),
    )


def doubted(field: Field, most: float = DOUBT) -> Field:
    """The same value for a person to look at."""
    return replace(field, confidence=min(field.confidence, most))
