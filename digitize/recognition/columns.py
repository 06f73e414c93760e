"""The two-column foot of an official paper, each column read by itself.

On the left "Nơi nhận" and its list in small print, on the right the signature block in capitals: read across the
page, Tesseract takes pieces of two lines for one and reads neither ("Nơi HỆ:"). Read column by column the same pixels
come out whole. Only a foot with a doubtful word is read again, both columns in one go. (The head was tried too: that
loses subjects and wins nothing.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.resample import shrunk
from digitize.recognition.hocr import mean_confidence
from digitize.recognition.reading_order import in_order
from digitize.types import Box, Repair
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitize.types import OcrPage, OcrWord

#: A foot with a word read less surely than this is read again.
DOUBTFUL = 85.0
_SHRUNK = 4
_INK = 0.72  # of the paper's level
_GUTTER_EM = 0.7
_LEAST_EM = 3.2
_LEAST_SHARED_EM = 1.5
_HEAD = 0.2  # above this share of the height stands the head, where there is one
_MOTTO = re.compile(r"doc lap|xa hoi chu nghia")
_MOST_WORDS = 150
#: Lines that run on through a gap by chance come near it on both sides; columns seldom do, and not line after line.
_NEAR_EM = 1.5
_MOST_NEAR = 0.5
_FULL_LINE = 0.8
_MARGIN_EM = 0.8
_READ_AT_DPI = 240.0
_LEAST_GAP = 40
_DIFFERING = 60.0  # a number or name that two readings differ on is never surer
_SAME_PLACE = 0.5  # of the smaller box


@dataclass(frozen=True)
class Piece:
    """One column: where it stands on the page, and where and at what scale in the picture that is read again."""

    box: Box
    left: int
    top: int
    bottom: int
    scale: float


def doubtful_foot(grey: NDArray[np.uint8], ocr: OcrPage) -> tuple[Box, Box] | None:
    """Find the foot where two columns stand beside each other and a word was read unsurely.

    Args:
        grey: Upright and straight, dark on light; `ocr` is what was read on it.

    Returns:
        Its left and right column; None when there is no such foot or all of it was read surely.
    """
    if ocr.tables or not ocr.words:
        return None
    em = float(np.median([word.box.bottom - word.box.top for word in ocr.words])) / _SHRUNK
    small = shrunk(grey, 1 / _SHRUNK)
    ink = (small < _INK * float(np.percentile(small, 75))).astype(np.uint8)
    foot = _foot(ink, em, ocr.words, below=_HEAD if _MOTTO.search(fold(ocr.text)) else 0.0)
    if foot is None or any(_crosses(foot, word) for word in ocr.words):
        return None
    foot = _with_words_at_its_edge(foot, ocr.words, round(em * _SHRUNK))
    return foot if _is_doubtful(foot, ocr.words) else None


def _with_words_at_its_edge(foot: tuple[Box, Box], words: Sequence[OcrWord], em_px: int) -> tuple[Box, Box]:
    """The left column with the ends of its lines: the ink of faint print wasn't seen, and the gutter began early."""
    left, right = foot
    edge = left.right
    for word in sorted(words, key=lambda word: word.box.left):
        box = word.box
        is_sure = left.top <= (box.top + box.bottom) / 2 < left.bottom and word.confidence >= DOUBTFUL
        if is_sure and box.left <= edge + em_px and edge < box.right < right.left - em_px:
            edge = box.right + round(_MARGIN_EM * em_px)
    return replace(left, right=min(edge, right.left)), right


def _crosses(foot: tuple[Box, Box], word: OcrWord) -> bool:
    """Whether a word that was read surely stands in the gutter: faint print leaves gaps that are none."""
    left, right = foot
    middle = (word.box.top + word.box.bottom) / 2
    within = max(left.top, right.top) <= middle < min(left.bottom, right.bottom)
    start, end = sorted((left.right, right.left))
    reaches = min(end, word.box.right) - max(start, word.box.left)
    return within and word.confidence >= DOUBTFUL and end > start and reaches > 0.5 * (end - start)


def _foot(ink: NDArray[np.uint8], em: float, words: Sequence[OcrWord], *, below: float) -> tuple[Box, Box] | None:
    """The tallest strip without ink, with text on both sides."""
    height, width = ink.shape
    half = max(1, round(_GUTTER_EM * em / 2))
    best: tuple[int, int, int] | None = None
    for x in range(round(0.3 * width), round(0.6 * width), half):
        crossed = np.flatnonzero(ink[:, x - half : x + half + 1].any(axis=1))
        for upper, lower in pairwise([-1, *crossed.tolist(), height]):
            tallest = best is None or lower - upper > best[1] - best[0]
            if upper >= below * height - 1 and lower - upper > _LEAST_EM * em and tallest:
                best = (upper + 1, lower, x)
    if best is None:
        return None
    top, bottom, x = best
    top += _first_blank(ink[top:bottom])
    top = _end_of_lines_across(words, top, x, em)
    if bottom - top < _LEAST_EM * em or _is_by_chance(ink[top:bottom], x, em):
        return None
    left, right = _text(ink[top:bottom, :x], 0, top, em), _text(ink[top:bottom, x:], x, top, em)
    if left is None or right is None:
        return None
    shared = min(left.bottom, right.bottom) - max(left.top, right.top)
    beside = shared > _LEAST_SHARED_EM * em
    return (_full(left, em, x, top, ink.shape), _full(right, em, x, top, ink.shape)) if beside else None


def _end_of_lines_across(words: Sequence[OcrWord], top: int, gutter: int, em: float) -> int:
    """Where the last full line ends that has a blank at the gutter by chance, on the small picture.

    It was read surely from margin to margin: text of two columns, taken for one line, is not.
    """
    lines: dict[tuple[int, int, int], list[OcrWord]] = {}
    for word in words:
        lines.setdefault((word.block, word.paragraph, word.line), []).append(word)
    full = _FULL_LINE * (max(word.box.right for word in words) - min(word.box.left for word in words))
    for line in lines.values():
        before = max((word.box.right for word in line if word.box.right <= gutter * _SHRUNK), default=None)
        after = min((word.box.left for word in line if word.box.left >= gutter * _SHRUNK), default=None)
        if before is None or after is None or after - before > _NEAR_EM * em * _SHRUNK:
            continue
        span = max(word.box.right for word in line) - min(word.box.left for word in line)
        if span >= full and mean_confidence(tuple(line)) >= DOUBTFUL:
            top = max(top, max(word.box.bottom for word in line) // _SHRUNK + 1)
    return top


def _is_by_chance(ink: NDArray[np.uint8], gutter: int, em: float) -> bool:
    """Whether the gap is one between words that happen to stand below each other, and the lines run on through it."""
    lines = np.asarray(cv2.dilate(ink, np.ones((max(1, round(0.8 * em)), 1), np.uint8)), dtype=np.bool_)
    near = max(1, round(_NEAR_EM * em))
    both = lines[:, :gutter].any(axis=1) & lines[:, gutter:].any(axis=1)
    close = lines[:, gutter - near : gutter].any(axis=1) & lines[:, gutter : gutter + near].any(axis=1)
    crossed, shared = int(np.count_nonzero(close & both)), int(np.count_nonzero(both))
    return crossed > _MOST_NEAR * shared


def _first_blank(ink: NDArray[np.uint8]) -> int:
    """Where the line that crosses the gutter above ends, all its letters included."""
    blank = np.flatnonzero(ink.sum(axis=1) <= 1)
    return int(blank[0]) if len(blank) else 0


def _text(ink: NDArray[np.uint8], left: int, top: int, em: float) -> Box | None:
    """Around the ink of a column, specks left out; None for less than two lines."""
    rows, columns = np.flatnonzero(ink.sum(axis=1) > 1), np.flatnonzero(ink.sum(axis=0) > 1)
    if not len(rows) or not len(columns) or rows[-1] - rows[0] < 2 * em:
        return None
    return Box(left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1)


def _full(box: Box, em: float, gutter: int, ceiling: int, shape: tuple[int, ...]) -> Box:
    """In pixels of the page, with a margin that stays on its side of the gutter."""
    margin = round(_MARGIN_EM * em)
    left = max(0, box.left - margin) if box.left < gutter else max(gutter, box.left - margin)
    right = min(gutter, box.right + margin) if box.left < gutter else min(shape[1], box.right + margin)
    top, bottom = max(ceiling, box.top - margin), min(shape[0], box.bottom + margin)
    return Box(left * _SHRUNK, top * _SHRUNK, right * _SHRUNK, bottom * _SHRUNK)


def _is_doubtful(foot: tuple[Box, Box], words: Sequence[OcrWord]) -> bool:
    inside = [word for word in words if any(_holds(box, word) for box in foot)]
    return 0 < len(inside) <= _MOST_WORDS and any(word.confidence < DOUBTFUL for word in inside)


def _holds(box: Box, word: OcrWord) -> bool:
    x, y = (word.box.left + word.box.right) / 2, (word.box.top + word.box.bottom) / 2
    return box.left <= x < box.right and box.top <= y < box.bottom


def stacked(grey: NDArray[np.uint8], boxes: Sequence[Box], *, dpi: float) -> tuple[NDArray[np.uint8], list[Piece]]:
    """Put columns one below another, with paper between, so that they are read in one go.

    At 300 dpi Tesseract still mistakes the last small line ("=IưƯU: VÌ"), at 240 or 200 it doesn't, and is quicker.
    """
    paper = int(np.percentile(grey[::8, ::8], 75))
    scale = min(1.0, _READ_AT_DPI / dpi)
    cuts = [
        cv2.resize(
            grey[box.top : box.bottom, box.left : box.right], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
        )
        for box in boxes
    ]
    gap = max(_LEAST_GAP, max(cut.shape[0] for cut in cuts) // 10)
    size = (sum(cut.shape[0] + gap for cut in cuts) + gap, max(cut.shape[1] for cut in cuts) + 2 * gap)
    picture = np.full(size, paper, dtype=np.uint8)
    pieces, top = [], gap
    for box, cut in zip(boxes, cuts, strict=True):
        bottom = top + cut.shape[0]
        picture[top:bottom, gap : gap + cut.shape[1]] = cut
        pieces.append(Piece(box, gap, top, bottom, scale))
        top = bottom + gap
    return picture, pieces


def merged(ocr: OcrPage, pieces: Sequence[Piece], again: OcrPage) -> OcrPage:
    """Take the second reading of each column that was read more surely, in place of the first.

    A number or a capitalised word on which they differ keeps what was read first, and isn't sure.

    Args:
        ocr: The page as first read.
        pieces: As `stacked` gave them.
        again: What was read on the stacked picture.
    """
    block = max((word.block for word in ocr.words), default=0) + 1
    columns: list[OcrWord] = []
    replaced: set[int] = set()
    is_better = False
    for piece in pieces:
        new = [
            replace(word, box=_on_page(word.box, piece), block=word.block + block)
            for word in again.words
            if piece.top <= (word.box.top + word.box.bottom) / 2 < piece.bottom
        ]
        here = [index for index, word in enumerate(ocr.words) if _holds(piece.box, word) and index not in replaced]
        old = [ocr.words[index] for index in here]
        takes_new = bool(old) and _worth(new) > _worth(old)
        columns += [_with_history(word, old) for word in new] if takes_new else old
        replaced.update(here)
        is_better |= takes_new
    if not is_better:
        return ocr
    # Both columns in whole, the left one first: one read anew between the other's lines would tear them apart.
    first = min(replaced)
    rest = [(index, word) for index, word in enumerate(ocr.words) if index not in replaced]
    before = [word for index, word in rest if index < first]
    after = [word for index, word in rest if index > first]
    ordered = in_order((*before, *columns, *after))
    return replace(ocr, words=ordered, mean_confidence=mean_confidence(ordered))


def _with_history(word: OcrWord, old: Sequence[OcrWord]) -> OcrWord:
    """A word read anew, beside what was read in its place before."""
    share, before = max(((_shared(word.box, other.box), other.text) for other in old), default=(0.0, ""))
    if share < _SAME_PLACE or before == word.text:
        return word
    if not any(letter.isdigit() or letter.isupper() for letter in word.text + before):
        return word
    confidence = min(word.confidence, _DIFFERING)
    return replace(word, raw=before, repair=Repair.SECOND_OPINION, confidence=confidence)


def _shared(one: Box, other: Box) -> float:
    """What two boxes share of the smaller one."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    areas = [(box.right - box.left) * (box.bottom - box.top) for box in (one, other)]
    return max(width, 0) * max(height, 0) / max(min(areas), 1)


def _worth(words: Sequence[OcrWord]) -> float:
    """Letters weighted by how surely they were read: a reading that lost a line isn't better for its sure rest."""
    return sum(len(word.text) * (word.confidence - 50.0) for word in words)


def _on_page(box: Box, piece: Piece) -> Box:
    left, top = piece.box.left, piece.box.top
    return Box(
        left + round((box.left - piece.left) / piece.scale),
        top + round((box.top - piece.top) / piece.scale),
        left + round((box.right - piece.left) / piece.scale),
        top + round((box.bottom - piece.top) / piece.scale),
    )
