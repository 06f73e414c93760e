"""A signature in black ink, told by its form from the print and the seal round it.

Blue strokes are a pen's wherever they stand. Black ones are looked for only where a signature belongs: between the
line that says who signs ("CHỦ TỊCH", "KT. BỘ TRƯỞNG") and the printed name below it. Letters of print never join to
something so wide and high with so little ink in it. A seal that came black on a copy does: its circle is blanked, so a
signature that stays within it isn't told from it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning.resample import shrunk
from digitize.types import MM_PER_INCH, Box
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from digitize.types import OcrPage, OcrWord, PageImage

_SIGNS = re.compile(
    r"\b(?:chu tich|giam doc|bo truong|thu truong|thu tuong|truong (?:phong|ban|khoa)|cuc truong|vu truong|"
    r"vien truong|hieu truong|chanh (?:van phong|thanh tra)|tong (?:giam doc|cuc truong)|cong chung vien|chu ho|"
    r"nguoi (?:lam don|khai|de nghi|uy quyen|duoc uy quyen|nop|nhan|lap))\b"
)
_SURE_OF_PRINT = 85.0
_MEASURED_DPI = 150.0
_RIGHT = 0.4  # of the page's width: a signer stands on the right
_GAP_MM = (8.0, 62.0)  # from the line to the name
_USUAL_MM = 32.0  # where no name was read
_BESIDE_MM = 28.0  # between the middles of line and name
_MARGIN_MM = 18.0  # a signature reaches so far beyond both
_NAME_WORDS = (2, 6)
_LEAST_MM = (9.0, 3.0)  # the longer and the shorter side of a stroke of a signature
_MOST_INK = 0.3  # of its own box; print that ran together has 0.35 and more
_MOST_PRINT = 0.5
_DARK = 0.55  # of the paper; red ink has 0.75 and more
_AROUND_MM = 25.0
_SEAL_MM = 20.0
_SEAL_INK = 0.08
_RADIUS_MM = (14.0, 21.0)
_RIM_MM = 1.6
_RINGS_MM = 4.0
_ROUND_PX_PER_MM = 3.0
_MOST_CIRCLES = 8
_MOSTLY_DRAWN = 0.7
_FAINT = 60
_SEAL_SHAPE = 1.35  # no wider beside its height, nor higher beside its width: a seal, and what can't be told from one


def black(page: PageImage, ocr: OcrPage) -> Iterator[Box]:
    """The signatures between who signs and the printed name, each boxed within that room; print there is left out."""
    for room in rooms(ocr):
        found = _strokes(page, ocr, room)
        if found is not None:
            yield found


def rooms(ocr: OcrPage) -> Iterator[Box]:
    """Where signatures belong: below a line in capitals that names an office, down to the next line of print."""
    lines = _lines([word for word in ocr.words if word.box.left > _RIGHT * ocr.width_px])
    for index, line in enumerate(lines):
        if not _says_who_signs(line):
            continue
        room = _room(line, lines[index + 1 :], ocr)
        if not any(
            _says_who_signs(below) and room.holds_middle_of(Box.around(word.box for word in below))
            for below in lines[index + 1 :]
        ):
            yield room


def _room(line: Sequence[OcrWord], lines: Sequence[Sequence[OcrWord]], ocr: OcrPage) -> Box:
    """From a line that says who signs down to the name; where a seal made that unreadable, as far as is usual."""
    box, mm = Box.around(word.box for word in line), ocr.dpi / MM_PER_INCH
    bottom, left, right = box.bottom + round(_USUAL_MM * mm), box.left, box.right
    for below in lines:
        there = Box.around(word.box for word in below)
        gap, aside = there.top - box.bottom, abs(there.left + there.right - box.left - box.right) / 2
        if gap > _GAP_MM[1] * mm:
            break
        if aside <= _BESIDE_MM * mm and gap >= _GAP_MM[0] * mm and (_is_sure(below) or _is_name(below)):
            bottom, left, right = there.top, min(left, there.left), max(right, there.right)
            break
    margin = round(_MARGIN_MM * mm)
    return Box(max(0, left - margin), box.bottom, min(ocr.width_px, right + margin), min(bottom, ocr.height_px))


def _strokes(page: PageImage, ocr: OcrPage, room: Box) -> Box | None:
    """What a pen wrote in a room; None when nothing there is wide, high and thin enough."""
    scale = min(1.0, _MEASURED_DPI / page.dpi)
    beyond = round(_AROUND_MM * page.dpi / MM_PER_INCH)  # so that a seal is seen whole
    left, top = max(0, room.left - beyond), max(0, room.top - beyond)
    small = shrunk(page.pixels[top : room.bottom + beyond, left : room.right + beyond], scale)
    if min(small.shape[:2]) < 2:  # noqa: PLR2004  no room
        return None
    red = small[:, :, 0]  # a red seal is as light as the paper here
    ink = np.asarray(red < _DARK * float(np.percentile(red, 90)), dtype=np.uint8)
    mm = page.dpi * scale / MM_PER_INCH
    _without_seals(ink, mm)
    found = []
    for part in _like_strokes(ink, mm):
        box = Box(*(round(side / scale) for side in (part.left, part.top, part.right, part.bottom)))
        box = _within(Box(box.left + left, box.top + top, box.right + left, box.bottom + top), room)
        if _is_large(box.right - box.left, box.bottom - box.top, mm / scale) and _printed(box, ocr) < _MOST_PRINT:
            found.append(box)
    if not found:
        return None
    return Box.around(found)


def _without_seals(ink: NDArray[np.uint8], mm: float) -> None:
    """Blank what lies within a round seal that came as dark as the print: what a pen drew beyond it is left.

    Source: Hough's transform for circles along the ink's gradient (Yuen and others, 1990), as in OpenCV; a circle
    counts only where most of it is drawn.
    """
    scale = min(1.0, _ROUND_PX_PER_MM / mm)
    seen = cv2.resize(255 * ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    unit = mm * scale
    least, most = (round(radius * unit) for radius in _RADIUS_MM)
    circles = cv2.HoughCircles(
        seen, cv2.HOUGH_GRADIENT, 1.5, 10 * unit, param1=120, param2=22, minRadius=least, maxRadius=most
    )
    if circles is None:
        return
    drawn = cv2.dilate(seen, np.ones((3, 3), np.uint8)) > _FAINT
    for x, y, radius in circles[0][:_MOST_CIRCLES].tolist():
        # The outermost of its rings counts, whichever was found.
        rings = [
            r for r in np.arange(radius, radius + _RINGS_MM * unit) if _share_drawn(drawn, x, y, r) >= _MOSTLY_DRAWN
        ]
        if rings:
            reach = round((max(rings) + _RIM_MM * unit) / scale)
            cv2.circle(ink, (round(x / scale), round(y / scale)), reach, 0, -1)


def _share_drawn(drawn: NDArray[np.bool_], x: float, y: float, radius: float) -> float:
    angles = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    across = np.clip(np.rint(x + radius * np.cos(angles)).astype(int), 0, drawn.shape[1] - 1)
    down = np.clip(np.rint(y + radius * np.sin(angles)).astype(int), 0, drawn.shape[0] - 1)
    return float(drawn[down, across].mean())


def _like_strokes(ink: NDArray[np.uint8], mm: float) -> Iterator[Box]:
    """Shapes that a pen may have drawn: no seal, nothing within one, nothing filled."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    shapes = [(Box(x, y, x + w, y + h), area) for x, y, w, h, area in stats[1:].tolist() if _is_large(w, h, mm)]
    seals = [box for box, area in shapes if _is_seal(box, area, mm)]
    for box, area in shapes:
        if area > _MOST_INK * (box.right - box.left) * (box.bottom - box.top):
            continue
        if not any(seal.holds_middle_of(box) for seal in seals):
            yield box


def _is_large(width: float, height: float, mm: float) -> bool:
    return max(width, height) >= _LEAST_MM[0] * mm and min(width, height) >= _LEAST_MM[1] * mm


def _is_seal(box: Box, area: int, mm: float) -> bool:
    longer, shorter = sorted((box.right - box.left, box.bottom - box.top), reverse=True)
    drawn = area > _SEAL_INK * longer * shorter  # one long stroke slantwise is as high as wide, with hardly any ink
    return shorter > _SEAL_MM * mm and longer < _SEAL_SHAPE * shorter and drawn


def _within(box: Box, room: Box) -> Box:
    left, top = max(box.left, room.left), max(box.top, room.top)
    return Box(left, top, max(left, min(box.right, room.right)), max(top, min(box.bottom, room.bottom)))


def _printed(box: Box, ocr: OcrPage) -> float:
    """How much of a box sure words cover."""
    sure = (_within(word.box, box) for word in ocr.words if word.confidence >= _SURE_OF_PRINT)
    covered = sum((word.right - word.left) * (word.bottom - word.top) for word in sure)
    return covered / max(1, (box.right - box.left) * (box.bottom - box.top))


def _lines(words: Sequence[OcrWord]) -> list[list[OcrWord]]:
    """Words side by side, from the top down; each line from the left."""
    lines: list[list[OcrWord]] = []
    for word in sorted(words, key=lambda w: w.box.top + w.box.bottom):
        middle = (word.box.top + word.box.bottom) / 2
        last = Box.around(word.box for word in lines[-1]) if lines else None
        if last is not None and last.top < middle < last.bottom:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda word: word.box.left) for line in lines]


def _says_who_signs(line: Sequence[OcrWord]) -> bool:
    text = " ".join(word.text for word in line)
    letters = [letter for letter in text if letter.isalpha()]
    return bool(letters) and all(map(str.isupper, letters)) and _SIGNS.search(fold(text)) is not None


def _is_name(line: Sequence[OcrWord]) -> bool:
    """Whether a line may be a printed name: a few words that each begin with a capital."""
    words = [word.text.strip(".,;:") for word in line]
    proper = all(word[:1].isupper() and word.replace("-", "").isalpha() for word in words if word)
    return _NAME_WORDS[0] <= len(words) <= _NAME_WORDS[1] and proper and not all(map(str.isupper, words))


def _is_sure(line: Sequence[OcrWord]) -> bool:
    return len(line) > 1 and min(word.confidence for word in line) >= _SURE_OF_PRINT
