"""What a person corrected, carried over to another reading of the same page.

A correction is kept by the word's place among the words. Another reading may have other words at those places, so each
correction goes to the word that stands where the old one stood on the paper. Nothing is guessed: where no word of the
new reading covers the place, that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitize.types import Box

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digitize.types import OcrPage, OcrWord

_ALIKE_SHAPE = 0.02
_COVERED = 0.6
_PART = 0.7


def carried(corrections: Mapping[int, str], before: OcrPage, after: OcrPage) -> tuple[dict[int, str], list[str]]:
    """Corrections of one reading as corrections of another.

    Args:
        corrections: Index of a word of `before` → what a person made of it; "" left it out.
        before, after: Two readings of the same page. A page that was turned or cropped otherwise has another shape,
            and nothing can be carried to it.

    Returns:
        Index of a word of `after` → text, and the texts that found no place. A word that was left out and that `after`
        hasn't read at all needs none. Where one old word is now several, its text takes the first and the others are
        left out.
    """
    scale = _scale(before, after)
    placed: dict[int, str] = {}
    lost: list[str] = []
    for index, text in sorted(corrections.items()):
        if index >= len(before.words):
            lost.append(text)
            continue
        found = [] if scale is None else _standing(_scaled(before.words[index].box, scale), after.words)
        free = [other for other in found if other not in placed]
        if free:
            placed[free[0]] = text
            placed.update(dict.fromkeys(free[1:], ""))
        elif text or scale is None:
            lost.append(text)
    return placed, lost


def _scale(before: OcrPage, after: OcrPage) -> tuple[float, float] | None:
    across, down = after.width_px / before.width_px, after.height_px / before.height_px
    return (across, down) if abs(across / down - 1) < _ALIKE_SHAPE else None


def _standing(box: Box, words: Sequence[OcrWord]) -> list[int]:
    """The words that stand where the box is, in reading order: one that shares most of it, or its parts."""
    whole = [i for i, w in enumerate(words) if _share(w.box, box) >= _COVERED and _share(box, w.box) >= _COVERED]
    if whole:
        return whole[:1]
    return [i for i, w in enumerate(words) if _share(w.box, box) >= _PART]


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    across, down = scale
    return Box(round(box.left * across), round(box.top * down), round(box.right * across), round(box.bottom * down))


def _share(box: Box, of: Box) -> float:
    """Which part of a box lies in the other."""
    width = min(box.right, of.right) - max(box.left, of.left)
    height = min(box.bottom, of.bottom) - max(box.top, of.top)
    area = (box.right - box.left) * (box.bottom - box.top)
    return max(0, width) * max(0, height) / max(1, area)
