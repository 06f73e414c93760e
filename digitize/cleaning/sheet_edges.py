"""The edges of a photographed sheet, found to a fraction of a pixel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_REACH = 0.012  # of the sheet's width: how far the rough outline may be off
_PLACES = 120  # along a side, where its edge is looked for
_ENDS = 0.04  # of a side left out at both ends: corners curl and are covered by fingers
_SMOOTH_PX = 1.0  # grain and the blocks of JPEG have steps of their own
_LEAST_STEP = 4.0  # levels a pixel by which paper must rise out of what lies around it
_STRAY_PX = 2.5  # a place farther off the line than this isn't of the edge
_AGREEING = 0.5  # share of the places that must lie on one line
_INSIDE_PX = 2.0  # the soft edge itself is left outside, or the reader takes it for writing
_ROUNDS = 6


def refined(pixels: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move rough corners to where the sheet's edges, as straight lines through many steep places, meet.

    An outline found on a shrunken picture is off by some pixels, and a strip of table along an edge is read as a line
    of letters: 65 of the 177 wrong characters of the development set's photographs were such strips.

    Args:
        pixels: The photograph, RGB.
        corners: As `crop.find_sheet` orders them, shape (4, 2).

    Returns:
        Corners, shape (4, 2), a pixel or two inside the paper. A side whose edge is not one straight line (a curled
        sheet, one in deep shadow) stays where it was.
    """
    reach = max(6.0, _REACH * math.dist(corners[0], corners[1]))
    centre = corners.mean(axis=0)
    sides = [
        _side(pixels, start, end, centre, reach)
        for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True)
    ]
    met = [_meeting(sides[index - 1], sides[index]) for index in range(len(sides))]
    moved = np.array([old if new is None else new for old, new in zip(corners, met, strict=True)], dtype=np.float32)
    far = np.linalg.norm(moved - corners, axis=1) > 3 * reach
    moved[far] = corners[far]
    return moved


def _side(
    pixels: NDArray[np.uint8],
    start: NDArray[np.float32],
    end: NDArray[np.float32],
    centre: NDArray[np.float32],
    reach: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A point on the side's line and the line's direction."""
    along = (end - start).astype(np.float64)
    along /= max(float(np.linalg.norm(along)), 1e-6)
    inward = np.array([-along[1], along[0]])
    if float(inward @ (centre - start)) < 0:
        inward = -inward
    at = np.linspace(_ENDS, 1 - _ENDS, _PLACES)[:, None] * (end - start)[None, :] + start[None, :]
    depth = np.arange(-reach, reach + 0.25, 0.5)
    points = at[:, None, :] + depth[None, :, None] * inward
    seen = cv2.remap(
        pixels,
        points[:, :, 0].astype(np.float32),
        points[:, :, 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    levels = cv2.GaussianBlur(seen.max(axis=2).astype(np.float32), (9, 1), 2 * _SMOOTH_PX)
    rise = (levels[:, 4:] - levels[:, :-4]) / 2
    found = rise.argmax(axis=1)
    sure = rise.max(axis=1) >= _LEAST_STEP
    distance = depth[2:-2][found]
    line = _line(np.linspace(_ENDS, 1 - _ENDS, _PLACES)[sure], distance[sure], wanted=_AGREEING * _PLACES)
    if line is None:
        return start.astype(np.float64), along
    offset, slope = line
    first = start + inward * (offset + _INSIDE_PX)
    last = end + inward * (offset + slope + _INSIDE_PX)
    return first, last - first


def _line(place: NDArray[np.float64], distance: NDArray[np.float64], *, wanted: float) -> tuple[float, float] | None:
    """Offset and slope of the line that most places lie on; None when fewer than `wanted` do."""
    if place.size < wanted:
        return None
    # Start from the line most places agree with, so that neither a shadow nor print along the edge pulls at it.
    pairs = np.stack([np.arange(place.size), np.roll(np.arange(place.size), place.size // 3)], axis=1)
    gaps = place[pairs[:, 1]] - place[pairs[:, 0]]
    pairs, gaps = pairs[np.abs(gaps) > 0.2], gaps[np.abs(gaps) > 0.2]  # noqa: PLR2004  of the side, for a steady slope
    if not gaps.size:
        return None
    slopes = (distance[pairs[:, 1]] - distance[pairs[:, 0]]) / gaps
    offsets = distance[pairs[:, 0]] - slopes * place[pairs[:, 0]]
    off = np.abs(offsets[:, None] + slopes[:, None] * place[None, :] - distance[None, :])
    near = off[int((off < _STRAY_PX).sum(axis=1).argmax())] < _STRAY_PX
    slope = offset = 0.0
    for _ in range(_ROUNDS):
        if near.sum() < wanted:
            return None
        slope, offset = (float(value) for value in np.polyfit(place[near], distance[near], 1))
        near = np.abs(offset + slope * place - distance) < _STRAY_PX
    return offset, slope


def _meeting(
    one: tuple[NDArray[np.float64], NDArray[np.float64]], other: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    """Where two lines cross."""
    matrix = np.stack([one[1], -other[1]], axis=1)
    if abs(float(np.linalg.det(matrix))) < 1e-6 * float(np.linalg.norm(one[1]) * np.linalg.norm(other[1])):
        return None
    reach = np.linalg.solve(matrix, other[0] - one[0])
    return np.asarray(one[0] + reach[0] * one[1], dtype=np.float64)
