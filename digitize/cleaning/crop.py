"""The sheet cut out of a photograph and laid flat."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.cleaning import sheet_edges
from digitize.cleaning.resample import shrunk
from digitize.picture import A4_MM
from digitize.types import MM_PER_INCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from digitize.types import PageImage

_SEARCHED_PX = 640
_LEAST_SHARE = 0.25  # of the picture; a smaller sheet is not what the picture is of
_MOST_SHARE = 0.97
_MOST_SHARE_SCANNED = 0.88  # a scanner's picture is the sheet, but for a frame that is no reason to change its size
_SUPPORTED = 0.75  # share of the outline that lies on an edge of the picture
_DARKER_OUTSIDE = 18.0  # levels by which the surroundings are darker than the sheet
_COMPARABLE = 0.5  # of the larger sheet's area
_SIDES = 4
_A_SERIES = math.sqrt(2)
_A_SERIES_TOLERANCE = 0.09


def find_sheet(page: PageImage) -> NDArray[np.float32] | None:
    """Find the four corners of a sheet that lies on something darker.

    Returns:
        Corners in pixels, shape (4, 2): top left, top right, bottom right, bottom left. None when the picture is the
        sheet already, as with any scanner, or when no outline is sure.
    """
    scale = min(1.0, _SEARCHED_PX / max(page.height_px, page.width_px))
    most = _MOST_SHARE_SCANNED if page.dpi_is_stated else _MOST_SHARE
    if page.bitonal or not _is_surrounded(page.pixels):
        return None
    small = shrunk(page.pixels, scale)
    smooth = np.asarray(cv2.bilateralFilter(small, 7, 40, 7), dtype=np.uint8)
    edges = _edges(smooth)
    near_edges = np.asarray(cv2.dilate(edges, np.ones((7, 7), np.uint8)), dtype=np.uint8)
    best, best_area = None, 0.0
    for quad in _quads(smooth, edges):
        area = float(cv2.contourArea(quad))
        share = area / (small.shape[0] * small.shape[1])
        if not _LEAST_SHARE < share < most or area <= best_area:
            continue
        if _support(quad, near_edges) >= _SUPPORTED and _lies_on_dark(quad, smooth) and _is_sheet_like(quad):
            best, best_area = quad, area
    if best is None or _leaves_out_a_sheet(best, smooth):
        return None
    corners = np.asarray((_ordered(best) + 0.5) / scale - 0.5, dtype=np.float32)  # of a shrunken pixel, its middle
    return sheet_edges.refined(page.pixels, corners)


def cut(page: PageImage, corners: NDArray[np.float32]) -> PageImage:
    """Lay the sheet flat. Where the file states no resolution it follows from the paper: A4 if the shape is A4's.

    Args:
        page: The photograph.
        corners: As `find_sheet` gives them.
    """
    top_left, top_right, bottom_right, bottom_left = corners
    width = max(math.dist(top_left, top_right), math.dist(bottom_left, bottom_right))
    height = max(math.dist(top_left, bottom_left), math.dist(top_right, bottom_right))
    dpi = page.dpi
    if not page.dpi_is_stated:
        long_side, short_side = max(width, height), min(width, height)
        dpi = long_side / A4_MM[1] * MM_PER_INCH
        if abs(long_side / short_side / _A_SERIES - 1) < _A_SERIES_TOLERANCE:
            short_side = long_side / A4_MM[1] * A4_MM[0]
        width, height = (short_side, long_side) if height >= width else (long_side, short_side)
    width_px, height_px = round(width), round(height)
    flat = np.array([[0, 0], [width_px, 0], [width_px, height_px], [0, height_px]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), flat)
    pixels = cv2.warpPerspective(
        page.pixels, matrix, (width_px, height_px), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return replace(page, pixels=np.asarray(pixels, dtype=np.uint8), dpi=dpi)


def _is_surrounded(pixels: NDArray[np.uint8]) -> bool:
    """Whether all four rims are darker than the sheet in the middle; a quick no for nearly every scan."""
    step = max(1, min(pixels.shape[:2]) // 300)
    light = pixels[::step, ::step].max(axis=2)
    sheet = float(np.percentile(light, 80)) - _DARKER_OUTSIDE
    rim = max(1, min(light.shape) // 100)
    return all(
        float(np.median(strip)) < sheet for strip in (light[:rim], light[-rim:], light[:, :rim], light[:, -rim:])
    )


def _edges(smooth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Edges of any of the three channels: a sheet in shadow may differ from a table only in colour."""
    found = [cv2.Canny(np.ascontiguousarray(smooth[:, :, channel]), 20, 60) for channel in range(3)]
    return np.asarray(cv2.max(cv2.max(found[0], found[1]), found[2]), dtype=np.uint8)


def _quads(smooth: NDArray[np.uint8], edges: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """Four-cornered outlines, from edges and from several levels of lightness."""
    light = smooth.max(axis=2)
    masks = [cv2.dilate(edges, np.ones((3, 3), np.uint8))]
    otsu, _ = cv2.threshold(light, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    for level in {otsu, *np.percentile(light, (10, 20, 30, 40))}:
        mask = (light > level).astype(np.uint8) * 255
        masks.append(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)))
    for mask in masks:
        contours, _ = cv2.findContours(np.ascontiguousarray(mask), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        largest = sorted(contours, key=cv2.contourArea, reverse=True)[:3]
        if len(largest) > 1 and cv2.contourArea(largest[1]) > _COMPARABLE * cv2.contourArea(largest[0]):
            largest.append(np.concatenate(largest[:2]))  # the two pages of a booklet, parted by the shadow of its fold
        for contour in largest:
            hull = cv2.convexHull(contour)
            for tolerance in (0.01, 0.015, 0.02, 0.03, 0.05):
                corners = cv2.approxPolyDP(hull, tolerance * cv2.arcLength(hull, closed=True), closed=True)
                if len(corners) == _SIDES:
                    yield corners.reshape(_SIDES, 2).astype(np.float32)
                    break


def _support(quad: NDArray[np.float32], near_edges: NDArray[np.uint8]) -> float:
    """Share of the outline that lies on an edge, the least of the four sides counting half."""
    shares = []
    height, width = near_edges.shape
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        points = start + (end - start) * np.linspace(0.03, 0.97, 60)[:, None]
        x = np.clip(points[:, 0].round().astype(int), 0, width - 1)
        y = np.clip(points[:, 1].round().astype(int), 0, height - 1)
        shares.append(float((near_edges[y, x] > 0).mean()))
    return (min(shares) + sum(shares) / _SIDES) / 2


def _lies_on_dark(quad: NDArray[np.float32], smooth: NDArray[np.uint8]) -> bool:
    """Whether a strip just inside is lighter than one just outside, all the way round (most of it)."""
    light = smooth.max(axis=2).astype(np.float32)
    height, width = light.shape
    centre = quad.mean(axis=0)
    darker = []
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        points = start + (end - start) * np.linspace(0.06, 0.94, 40)[:, None]
        inward = centre - points
        inward /= np.linalg.norm(inward, axis=1, keepdims=True)
        levels = []
        for step in (9.0, -9.0):
            at = points + inward * step
            x, y = at[:, 0].round().astype(int), at[:, 1].round().astype(int)
            seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            levels.append(np.where(seen, light[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)], np.nan))
        difference = levels[0] - levels[1]
        difference = difference[~np.isnan(difference)]
        darker.append(difference.size > 0 and float(np.median(difference)) > _DARKER_OUTSIDE)
    return all(darker)


def _leaves_out_a_sheet(quad: NDArray[np.float32], smooth: NDArray[np.uint8]) -> bool:
    """Whether something as light and about as large lies beside the sheet: to cut it away could lose a page."""
    light = smooth.max(axis=2)
    inside = cv2.fillConvexPoly(np.zeros(light.shape, np.uint8), quad.round().astype(np.int32), 1)
    around = cv2.dilate(inside, np.ones((9, 9), np.uint8))
    if around.all():
        return False
    # What lies around is the darkest of it: where there is a second sheet, half of it isn't table.
    middle = (float(np.median(light[inside > 0])) + float(np.percentile(light[around == 0], 15))) / 2
    other = ((light > max(middle, 1.0)) & (around == 0)).astype(np.uint8)
    other = np.asarray(cv2.morphologyEx(other, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)), dtype=np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(other, connectivity=4)
    return bool(stats[1:, cv2.CC_STAT_AREA].max(initial=0) > _COMPARABLE * inside.sum())


def _is_sheet_like(quad: NDArray[np.float32]) -> bool:
    """Opposite sides alike and corners not sharp: what a sheet seen from above can look like."""
    sides = [math.dist(a, b) for a, b in zip(quad, np.roll(quad, -1, axis=0), strict=True)]
    for one, opposite in ((sides[0], sides[2]), (sides[1], sides[3])):
        if not 0.6 < one / max(opposite, 1.0) < 1.67:  # noqa: PLR2004
            return False
    long_side, short_side = max(sides[0] + sides[2], sides[1] + sides[3]), min(sides[0] + sides[2], sides[1] + sides[3])
    return long_side / max(short_side, 1.0) < 3  # noqa: PLR2004  longer than a receipt


def _ordered(quad: NDArray[np.float32]) -> NDArray[np.float32]:
    """Top left first, then clockwise."""
    by_row = quad[np.argsort(quad.sum(axis=1))]
    top_left, bottom_right = by_row[0], by_row[-1]
    rest = by_row[1:-1]
    top_right, bottom_left = rest[np.argsort(rest[:, 1] - rest[:, 0])]
    return np.array([top_left, top_right, bottom_right, bottom_left], dtype=np.float32)
