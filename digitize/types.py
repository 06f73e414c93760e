"""The words of digitising, as values: a page image, a box on it, a word read there, what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

MM_PER_INCH = 25.4


@dataclass(frozen=True)
class PageImage:
    """One page as pixels, before or after a cleaning step.

    Attributes:
        pixels: RGB, uint8, shape (height_px, width_px, 3).
        dpi: Dots per inch of these pixels; always positive. Where the file states none it is deduced from the
            paper size (see `dpi_is_stated`).
        dpi_is_stated: Whether the file itself gave the resolution.
        bitonal: The page came as black and white only.
        own_is_all: The page has no picture, no stamp and no form field besides those words; curves it may have.
        active: The file carries programs or other files besides its pages; said of its first page.
        own_words: Words that the file itself says stand there, with their boxes: a page written on a computer.
    """

    pixels: NDArray[np.uint8]
    dpi: float
    dpi_is_stated: bool = True
    bitonal: bool = False
    own_words: tuple[tuple[str, Box], ...] = ()
    own_is_all: bool = False
    active: bool = False

    @property
    def width_px(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height on paper, millimetres."""
        return self.width_px / self.dpi * MM_PER_INCH, self.height_px / self.dpi * MM_PER_INCH


@dataclass(frozen=True)
class Box:
    """A rectangle on a page in pixels, origin at the top left, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @staticmethod
    def around(boxes: Iterable[Box]) -> Box:
        """The smallest box with all of them in it; at least one is needed."""
        every = list(boxes)
        return Box(
            min(box.left for box in every),
            min(box.top for box in every),
            max(box.right for box in every),
            max(box.bottom for box in every),
        )

    def holds_middle_of(self, other: Box) -> bool:
        """Whether the middle of `other` lies within."""
        x, y = (other.left + other.right) / 2, (other.top + other.bottom) / 2
        return self.left <= x < self.right and self.top <= y < self.bottom


class Repair(StrEnum):
    """Why a word isn't what was read first. A name or a number is never repaired by context."""

    CONTEXT = "context"
    GRAMMAR = "grammar"
    SECOND_OPINION = "second_opinion"
    OWN_TEXT = "own_text"


class PenZone(StrEnum):
    """Where on a document somebody wrote by hand."""

    NUMBER = "number"
    DAY = "day"
    SIGNATURE = "signature"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class PenMark:
    """Ink of a pen on a page, in pixels of its display page."""

    box: Box
    zone: PenZone


@dataclass(frozen=True)
class PageCode:
    """A QR code on a page: its text and where it stands."""

    text: str
    box: Box


@dataclass(frozen=True)
class Cell:
    """One cell of a table; row and column count from 0 and may span several."""

    row: int
    column: int
    box: Box
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True)
class Table:
    """A ruled table on a page: its outline and cells, row by row. Words belong to the cell they stand in."""

    box: Box
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class OcrWord:
    """One word as Tesseract read it, NFC, with its box on the display page.

    Attributes:
        text: NFC, never empty, no white space.
        confidence: 0 to 100, Tesseract's own.
        baseline: Slope and offset of the line's baseline as in hOCR, or (0, 0) when unknown.
        raw: What was read first, where `text` is a repair of it; "" where nothing was repaired.
        repair: Why it was repaired, see `Repair`; None where nothing was.
        by_pen: Pen ink stands here: what was read is a guess and never shown as sure.
        risk: From 0 to 1, how likely it is that the word is wrong; None before it was assessed.
    """

    text: str
    box: Box
    confidence: float
    block: int = 0
    paragraph: int = 0
    line: int = 0
    baseline: tuple[float, float] = (0.0, 0.0)
    raw: str = ""
    repair: Repair | None = None
    by_pen: bool = False
    risk: float | None = None


@dataclass(frozen=True)
class OcrPage:
    """All words of one page in reading order, in the pixel space of its display page."""

    width_px: int
    height_px: int
    dpi: float
    words: tuple[OcrWord, ...]
    mean_confidence: float
    tables: tuple[Table, ...] = ()
    pen: tuple[PenMark, ...] = ()
    codes: tuple[PageCode, ...] = ()

    @property
    def text(self) -> str:
        """The page as plain NFC text: one line a line, a blank line between blocks."""
        lines: list[str] = []
        last: OcrWord | None = None
        for word in self.words:
            if last is None:
                lines.append(word.text)
            elif (word.block, word.paragraph, word.line) == (last.block, last.paragraph, last.line):
                lines[-1] += " " + word.text
            else:
                if word.block != last.block:
                    lines.append("")
                lines.append(word.text)
            last = word
        return "\n".join(lines)


class Flag(StrEnum):
    """What may be wrong with a page, said while the paper is still on the desk (`screens.md` P5)."""

    LOW_RESOLUTION = "low_resolution"
    BLANK = "blank"
    BLURRED = "blurred"
    CUT_EDGE = "cut_edge"
    DARK = "dark"
    TURNED = "turned"
    SKEWED = "skewed"
    UNUSUAL_SIZE = "unusual_size"
    TWO_PAGES = "two_pages"
    GLARE = "glare"
    BLEED_THROUGH = "bleed_through"
    SAME_AGAIN = "same_again"
    ANOTHER_PAPER = "another_paper"
    OUT_OF_ORDER = "out_of_order"
    DOUBTFUL_READING = "doubtful_reading"
    HANDWRITTEN_NUMBER = "handwritten_number"
    HANDWRITTEN_DAY = "handwritten_day"
    ACTIVE_CONTENT = "active_content"


#: A page with one of these should be scanned again; it may be kept only with a reason.
RESCAN = frozenset({Flag.LOW_RESOLUTION, Flag.BLURRED, Flag.CUT_EDGE})


@dataclass(frozen=True)
class PageFlags:
    """The flags of one page and the measurements behind them, for instance {"dpi": 150.0, "skew_deg": 1.2}."""

    flags: frozenset[Flag] = frozenset()
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def needs_rescan(self) -> bool:
        """Whether the page should be scanned again."""
        return bool(self.flags & RESCAN)


@dataclass(frozen=True)
class ReadPage:
    """One page cleaned and read: the display picture and the words on it.

    Attributes:
        picture: The display page, JPEG bytes in colour (or PNG for a bitonal page), at real size.
        picture_type: "image/jpeg" or "image/png".
        ocr: Words in the pixel space of `picture`.
        steps: Names of the cleaning steps that were kept, in order.
        turned_deg: Clockwise quarter turn applied to make the page upright: 0, 90, 180 or 270.
        skew_deg: Lean that was removed, counter-clockwise positive.
    """

    picture: bytes
    picture_type: str
    ocr: OcrPage
    flags: PageFlags
    steps: tuple[str, ...] = ()
    turned_deg: int = 0
    skew_deg: float = 0.0


@dataclass(frozen=True)
class Field:
    """A value found on a page, with where it stands and how it got there.

    Attributes:
        key: "number", "symbol", "issued_on", …: see `digitize.fields`.
        value: Normalised: NFC text, ISO date.
        raw: As read.
        page: 1-based page number.
        box: Where it stands on the display page; None when it was put together from several places.
        confidence: 0 to 100, the lowest of its words.
    """

    key: str
    value: str
    raw: str
    page: int
    box: Box | None
    confidence: float


@dataclass(frozen=True)
class ScanFacts:
    """What a scan file is, found without decoding its pages.

    Attributes:
        media_type: By content, never by name: "application/pdf", "image/jpeg", "image/png", "image/webp", "image/tiff".
        pages: At least 1.
        signed: A PDF that carries at least one digital signature; its bytes are kept for ever.
        born_digital: A PDF whose pages have text of their own and no page-covering picture.
        active_content: What it would do or carries besides pages, see `digitize.pdf.active_content`; left out of
            whatever is made from it.
    """

    media_type: str
    pages: int
    signed: bool = False
    born_digital: bool = False
    active_content: tuple[str, ...] = ()


class UnreadableScan(Exception):
    """The file can't be taken as a scan. `reason` is stable, the message is for people.

    Attributes:
        reason: "empty", "truncated", "encrypted", "wrong_type", "heic", "no_pages", "too_many_pages", "page_too_large",
            "too_large", "only_sheets" or "damaged".
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ReadingFailed(Exception):
    """Tesseract is missing, was killed or ran out of time. The page itself is unharmed; try again later.

    Attributes:
        reason: "missing", "timeout" or "crashed".
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
