"""Pages are read at the size at which Tesseract reads best, and their words stand where they stand on the page."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitize.cleaning import resample
from digitize.recognition import reader
from tests.scans import sheet

GREY_300 = cv2.cvtColor(sheet(dpi=300, repeat=2).pixels, cv2.COLOR_RGB2GRAY)


def test_large_print_is_read_smaller_and_small_print_as_it_is() -> None:
    height = reader.x_height(GREY_300, dpi=300)

    assert 20 < height < 32, "12-point print at 300 dpi"
    assert reader.best_scale(GREY_300, dpi=300) == pytest.approx(reader.BEST_X_HEIGHT_PX / height)
    assert reader.best_scale(resample.shrunk(GREY_300, 0.5), dpi=150) == 1.0


@pytest.mark.parametrize("level", [0, 255])
def test_a_page_without_print_keeps_its_size(level: int) -> None:
    assert reader.best_scale(np.full((800, 600), level, np.uint8), dpi=300) == 1.0


def test_a_page_of_two_tones_is_measured_like_a_grey_one() -> None:
    two_tones = np.where(GREY_300 < 140, 0, 255).astype(np.uint8)

    assert reader.x_height(two_tones, dpi=300) == pytest.approx(reader.x_height(GREY_300, dpi=300), abs=2.5)


def test_words_of_a_page_that_was_read_smaller_stand_on_their_ink() -> None:
    page = reader.read(GREY_300, dpi=300, language="vie")

    assert (page.width_px, page.height_px) == GREY_300.shape[::-1]
    assert len(page.words) > 20
    for word in page.words:
        box = word.box
        inked = np.argwhere(GREY_300[box.top - 6 : box.bottom + 6, box.left - 6 : box.right + 6] < 128)
        top, left = inked.min(axis=0) - 6
        bottom, right = inked.max(axis=0) + 1 - 6
        within = (left, top, right - (box.right - box.left), bottom - (box.bottom - box.top))
        assert max(map(abs, within)) <= 6, f"{word.text} is boxed beside its ink"
        slope, offset = word.baseline
        assert abs(slope) < 0.02
        assert -0.4 * (box.bottom - box.top) <= offset <= 3, f"{word.text} stands off its line"


@pytest.mark.parametrize("scale", [0.5, 1 / 3, 0.25, 0.21, 0.7])
@pytest.mark.parametrize("shape", [(801, 603), (640, 480), (803, 601, 3)])
def test_a_shrunken_picture_is_as_large_as_asked_and_as_light(scale: float, shape: tuple[int, ...]) -> None:
    ramp = np.linspace(0, 255, shape[1]).astype(np.uint8)
    picture = np.broadcast_to(ramp[:, None] if len(shape) == 3 else ramp, shape).copy()

    small = resample.shrunk(picture, scale)

    assert all(abs(got - scale * wanted) <= 1 for got, wanted in zip(small.shape[:2], shape[:2], strict=True))
    expected = np.interp((np.arange(small.shape[1]) + 0.5) / scale - 0.5, np.arange(shape[1]), ramp)
    level = small[small.shape[0] // 2].reshape(small.shape[1], -1)[:, 0]
    assert np.abs(level[2:-2] - expected[2:-2]).max() <= 2
