"""Straight strokes found in the bits of whole numbers, and planes shrunk fast: the same as done pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitize.cleaning.resample import means_of_squares
from digitize.pdf import strokes


def stroke(length_px: int, slope: float) -> np.ndarray:
    """The stroke as a kernel."""
    half, rise = length_px // 2, round(abs(slope) * length_px / 2)
    kernel = np.zeros((2 * rise + 1, 2 * half + 1), np.uint8)
    across = np.arange(-half, half + 1)
    kernel[rise + np.rint(slope * across).astype(int).clip(-rise, rise), half + across] = 1
    return kernel


@pytest.mark.parametrize("slope", [0.0, 0.05, -0.05, 0.11, -0.11])
@pytest.mark.parametrize("length_px", [9, 40, 75])
def test_runs_in_bits_are_the_opening_by_a_stroke(slope, length_px):
    rng = np.random.default_rng(length_px)
    plane = np.zeros((60, 203), np.uint8)  # no width that bytes divide
    for _ in range(14):
        x, y, long = (int(rng.integers(0, most)) for most in (190, 60, 150))
        end = (x + long, y + round(long * rng.choice([0, 0.05, -0.05, 0.11, -0.11])))
        cv2.line(plane, (x, y), end, 1, int(rng.integers(1, 4)))
    kernel = stroke(length_px, slope)
    ends = cv2.erode(plane, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    wanted = cv2.dilate(ends, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    assert wanted.any()
    bits = strokes._Bits(plane.shape, kernel.shape[1])
    assert np.array_equal(bits.unpacked(bits.runs(bits.packed(plane), length_px, slope)), wanted)


def test_a_plane_as_bits_comes_back():
    plane = np.random.default_rng(4).integers(0, 2, (7, 29), np.uint8)
    bits = strokes._Bits(plane.shape, 5)
    assert np.array_equal(bits.unpacked(bits.packed(plane * 255)), plane)


@pytest.mark.parametrize("height", [1, 2, 5, 8])
def test_the_shadow_of_bits_has_the_columns_that_have_any(height):
    plane = (np.random.default_rng(height).random((height, 43)) < 0.3 / height).astype(np.uint8)
    plane[-1, 40] = plane[0, 7] = 1
    bits, row = strokes._Bits(plane.shape, 9), strokes._Bits((1, 43), 9)
    assert np.array_equal(row.unpacked(bits.shadow(bits.packed(plane)))[0], plane.max(axis=0))


@pytest.mark.parametrize("shape", [(60, 90), (61, 90, 3), (60, 91, 3), (59, 88), (1, 1)])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_squares_are_shrunk_to_their_means_and_what_is_left_at_the_edges_too(shape, steps):
    plane = np.random.default_rng(4).integers(0, 256, shape, np.uint8)
    small = means_of_squares(plane, steps)
    for row, column in ((0, 0), (small.shape[0] - 1, small.shape[1] - 1), (small.shape[0] - 1, 0)):
        square = plane[row * steps : (row + 1) * steps, column * steps : (column + 1) * steps]
        assert small[row, column] == pytest.approx(square.mean(axis=(0, 1)), abs=0.6)
