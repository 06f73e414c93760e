"""What happens to a page between the printer and the file: ink, a scanner's bed, a telephone's camera, a hurry.

Pages are RGB, uint8, shape (height, width, 3); positions are millimetres from the top left of the paper. Every random
choice comes from the generator given, so a seed makes the same page twice. The strengths were set by eye against
everyday office scans; they are meant to look ordinary, not to be as bad as can be.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Mask = NDArray[np.float32]

DPI = 300
SEAL_RED = (206, 32, 40)
PEN_BLUE = (24, 44, 150)

_LID = (246, 246, 243)  # what a scanner sees beside the paper


def mm(length: float, dpi: float = DPI) -> int:
    """Millimetres as pixels."""
    return round(length / 25.4 * dpi)


def press(
    page: Pixels,
    stamp: Mask,
    *,
    centre_mm: tuple[float, float],
    colour: tuple[int, int, int],
    rng: np.random.Generator,
    turn_deg: float = 0.0,
) -> Pixels:
    """Stamp `stamp` (1 where there is rubber) on the page: the ink lies unevenly and the print below shows through."""
    height, width = stamp.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    ink = cv2.warpAffine(stamp, turn, (width, height))
    ink = ink * (0.72 + 0.28 * _clouds((height, width), cell_px=24, rng=rng)) * (rng.random(stamp.shape) > 0.03)  # noqa: PLR2004  specks without ink
    return _inked(page, ink.astype(np.float32), (mm(centre_mm[0]) - width // 2, mm(centre_mm[1]) - height // 2), colour)


def sign(page: Pixels, *, centre_mm: tuple[float, float], width_mm: float, rng: np.random.Generator) -> Pixels:
    """Write an unreadable signature in blue ink: a run of loops with a stroke below."""
    width, height = mm(width_mm), mm(width_mm * 0.45)
    steps = np.linspace(0.0, 1.0, 900)
    loops = rng.uniform(4.0, 6.0)
    swell = 0.25 + 0.75 * np.abs(np.sin(np.pi * (steps * rng.uniform(1.2, 1.8) + rng.uniform())))
    x = 0.08 + 0.8 * steps + 0.07 * np.cos(2 * np.pi * loops * steps)
    y = 0.45 - 0.3 * swell * np.sin(2 * np.pi * loops * steps + rng.uniform(0, 2)) + 0.1 * (0.5 - steps)
    flourish_x = np.linspace(0.9, 0.15, 200)
    flourish_y = 0.82 - 0.12 * np.sin(np.linspace(0.0, np.pi, 200)) * rng.uniform(0.5, 1.2)
    ink = np.zeros((height, width), np.float32)
    for xs, ys, weight in ((x, y, 1.0), (flourish_x, flourish_y, 0.8)):
        points = np.stack([xs * width, ys * height], axis=1)
        pressure = weight * (4.0 + 2.5 * np.sin(np.linspace(0.0, 9.0, len(points)) + rng.uniform(0, 6)))
        for (a, b), thickness in zip(pairwise(points), pressure, strict=False):
            start, end = tuple(map(int, a)), tuple(map(int, b))
            cv2.line(ink, start, end, 1.0, max(2, round(float(thickness))), cv2.LINE_AA)
    ink = cv2.GaussianBlur(ink, (0, 0), 0.8) * 0.92
    return _inked(page, ink, (mm(centre_mm[0]) - width // 2, mm(centre_mm[1]) - height // 2), PEN_BLUE)


def scan(page: Pixels, *, rng: np.random.Generator, soften_px: float = 0.7) -> Pixels:
    """Lay the page on a scanner: paper isn't white, edges aren't sharp, the sensor isn't silent."""
    height, width = page.shape[:2]
    clouds = _clouds((height // 100, width // 100), cell_px=5, rng=rng)
    paper = np.array([250, 248, 243], np.float32) / 255 - 0.012 * clouds[..., None]
    grain = cv2.resize(_noise((height // 2, width // 2), 2.6, rng), (width, height))
    lit = cv2.multiply(cv2.GaussianBlur(page, (0, 0), soften_px), cv2.resize(paper, (width, height)), dtype=cv2.CV_32F)
    return _pixels(cv2.add(lit, cv2.merge([grain, grain, grain]), dtype=cv2.CV_8U))


def skew(page: Pixels, degrees: float) -> Pixels:
    """Put the page on the bed at an angle, counter-clockwise positive."""
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return _pixels(cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=_LID))


def turn_upside_down(page: Pixels) -> Pixels:
    """Feed the page the wrong way round."""
    return np.ascontiguousarray(page[::-1, ::-1])


def resample(page: Pixels, dpi: int) -> Pixels:
    """Scan at `dpi` instead of 300."""
    height, width = page.shape[:2]
    size = (round(width * dpi / DPI), round(height * dpi / DPI))
    return _pixels(cv2.resize(page, size, interpolation=cv2.INTER_AREA))


def blur(page: Pixels, *, radius_mm: float = 0.4) -> Pixels:
    """Miss the focus."""
    return _pixels(cv2.GaussianBlur(page, (0, 0), radius_mm / 25.4 * DPI))


def cut(page: Pixels, *, left_mm: float) -> Pixels:
    """Lay the page over the edge of the bed: its left is lost, the lid shows at the right."""
    lost = mm(left_mm)
    out = np.empty_like(page)
    out[:] = _LID
    out[:, : page.shape[1] - lost] = page[:, lost:]
    return out


def photograph(page: Pixels, *, rng: np.random.Generator) -> Pixels:
    """Photograph the page on a desk: from a slant, under one lamp, with the shadow of a hand."""
    width, height = 3000, 4000
    source = np.array([[0, 0], [page.shape[1], 0], [page.shape[1], page.shape[0]], [0, page.shape[0]]], np.float32)
    edge = np.array([[250, 300], [2740, 260], [2800, 3760], [190, 3800]], np.float32)
    corners = edge + rng.uniform(-45, 45, (4, 2)).astype(np.float32)
    warp = cv2.getPerspectiveTransform(source, corners)
    grain = cv2.resize(_noise((height // 8, width // 2), 9.0, rng), (width, height))  # along the boards
    desk = np.array([94, 70, 52], np.float32) + grain[..., None]
    paper = cv2.warpPerspective(page, warp, (width, height), flags=cv2.INTER_AREA).astype(np.float32)
    covered = cv2.warpPerspective(np.ones(page.shape[:2], np.float32), warp, (width, height))[..., None]
    picture = paper * covered + desk * (1 - covered)
    lit = picture * _lamp((height, width), rng)[..., None] * np.array([1.0, 0.975, 0.92], np.float32)
    seen = cv2.GaussianBlur(lit, (0, 0), 1.0) + _noise((height, width), 3.0, rng)[..., None]
    return _pixels(np.clip(seen, 0, 255))


def _lamp(shape: tuple[int, int], rng: np.random.Generator) -> Mask:
    """Light over a picture, 1 at its brightest: falls off to one side; a soft shadow lies across one corner."""
    y, x = np.mgrid[0:1:100j, 0:1:75j].astype(np.float32)
    light = 1.0 - 0.28 * (x * rng.uniform(0.4, 1.0) + y * rng.uniform(0.2, 0.6))
    shadow = 1 / (1 + np.exp(-(x + 0.8 * y - rng.uniform(1.0, 1.15)) * 26))
    return _mask(
        cv2.resize((light * (1 - 0.3 * shadow)).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    )


def _clouds(shape: tuple[int, int], *, cell_px: int, rng: np.random.Generator) -> Mask:
    """Smooth random values from 0 to 1, varying over about `cell_px`."""
    cells = rng.random((shape[0] // cell_px + 2, shape[1] // cell_px + 2), np.float32)
    return _mask(np.clip(cv2.resize(cells, shape[::-1], interpolation=cv2.INTER_CUBIC), 0, 1))


def _noise(shape: Sequence[int], sigma: float, rng: np.random.Generator) -> Mask:
    return rng.standard_normal(shape, np.float32) * np.float32(sigma)


def _inked(page: Pixels, ink: Mask, corner: tuple[int, int], colour: tuple[int, int, int]) -> Pixels:
    """The page with ink laid over it: ink takes away light, it never adds any."""
    left, top = corner
    height, width = ink.shape
    out = page.copy()
    there = out[top : top + height, left : left + width].astype(np.float32)
    kept = 1 - ink[: there.shape[0], : there.shape[1], None] * (1 - np.array(colour, np.float32) / 255)
    out[top : top + height, left : left + width] = (there * kept).astype(np.uint8)
    return out


def _pixels(values: object) -> Pixels:
    return np.asarray(values, np.uint8)


def _mask(values: object) -> Mask:
    return np.asarray(values, np.float32)
