"""Curled sheets are laid flat and open booklets read page by page; what is flat and single stays as it was."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitize.cleaning import crop, deskew, dewarp, moire, resample, sharpen, spread
from digitize.cleaning.deskew import row_sharpness
from digitize.types import PageImage
from tests import scans

LETTER = scans.sheet(repeat=2)


def curled(page, rise_mm):
    """Lines rise and fall by this much, as a function of x from -1 to 1."""
    x = np.linspace(-1, 1, page.width_px)
    rows = np.arange(page.height_px)[:, None] + (rise_mm(x) * page.dpi / 25.4)[None, :]
    columns = np.broadcast_to(np.arange(page.width_px)[None, :], rows.shape)
    pixels = cv2.remap(
        page.pixels,
        np.ascontiguousarray(columns, dtype=np.float32),
        rows.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return scans.with_pixels(page, pixels)


def side_by_side(left, right, *, shade=1.0):
    pixels = np.concatenate([left.pixels, right.pixels], axis=1)
    fold = np.exp(-np.abs(np.arange(pixels.shape[1]) - left.width_px) / 20)
    return np.clip(pixels * (1 - (1 - shade) * fold)[None, :, None], 0, 255).astype(np.uint8)


def sharpness(grey):
    """At half the size: print that was drawn on whole pixels is sharper than any that was moved by a part of one."""
    return row_sharpness((resample.shrunk(grey, 0.5) < 160).astype(np.uint8))


@pytest.mark.parametrize(
    "rise_mm",
    [
        lambda x: 4 * x**2,
        lambda x: -3 * x**2 + 2 * x**3,
        lambda x: 2.5 * np.sin(3.5 * x),
        lambda x: 5 * np.exp(-3 - 3 * x),
    ],
    ids=["bow", "lopsided", "wave", "gutter"],
)
def test_the_lines_of_a_curled_sheet_become_straight_to_a_fifth_of_a_millimetre(rise_mm):
    flat = resample.grey(LETTER.pixels)
    bent = resample.grey(curled(LETTER, rise_mm).pixels)
    bend = dewarp.find_bend(bent, dpi=LETTER.dpi)
    assert bend is not None
    straight = dewarp.straightened(bent, bend, paper=250)
    assert straight.shape == bent.shape
    assert sharpness(bent) < 0.6 * sharpness(flat)
    assert sharpness(straight) > 0.7 * sharpness(flat)
    x = np.linspace(*bend.inked[:2], 30)
    for y in np.linspace(*bend.inked[2:], 3):
        off_mm = bend.shift(x, np.full_like(x, y)) * 210 + rise_mm(x)
        assert np.std(off_mm) < 0.2


def test_a_bend_measured_once_straightens_the_picture_in_colour_too():
    bent = curled(LETTER, lambda x: 4 * x**2)
    bend = dewarp.find_bend(resample.grey(bent.pixels), dpi=bent.dpi)
    assert bend is not None
    straight = dewarp.straightened(bent.pixels, bend, paper=(250, 250, 250))
    assert np.array_equal(resample.grey(straight), dewarp.straightened(resample.grey(bent.pixels), bend, paper=250))


@pytest.mark.parametrize(
    "page", [LETTER, scans.stamped(LETTER), scans.bitonal(LETTER), scans.skewed(LETTER, 0.3), scans.sheet(())]
)
def test_a_flat_sheet_is_not_bent(page):
    assert dewarp.find_bend(resample.grey(page.pixels), dpi=page.dpi) is None


@pytest.mark.parametrize("shade", [1.0, 0.4])
def test_an_open_booklet_is_two_pages_and_the_fold_lies_between_them(shade):
    grey = resample.grey(side_by_side(LETTER, LETTER, shade=shade))
    fold = spread.find_fold(grey, dpi=LETTER.dpi)
    assert fold is not None
    assert abs(fold - LETTER.width_px) < 0.08 * grey.shape[1]
    left, right = spread.sides(grey.shape[1], fold)
    assert (grey[:, left] < 100).sum() == pytest.approx((grey[:, right] < 100).sum(), rel=0.01)


def landscape(lines):
    page = scans.sheet(lines, dpi=150)
    wide = np.full((page.width_px, page.height_px, 3), 250, np.uint8)
    wide[:, : page.width_px] = page.pixels[: page.width_px]
    return wide


def test_one_page_is_one_page_upright_or_landscape():
    letter = resample.grey(LETTER.pixels)
    assert spread.find_fold(letter, dpi=LETTER.dpi) is None
    assert spread.find_fold(resample.grey(landscape(scans.LETTER)), dpi=150) is None
    titled = side_by_side(LETTER, LETTER)
    titled[60:90, 900:1600:3] = 20  # a title across the middle
    assert spread.find_fold(resample.grey(titled), dpi=150) is None


def test_words_of_the_left_page_come_first_and_those_of_the_right_lie_on_the_right():
    left, right = scans.words("một hai", "ba"), scans.words("bốn", "năm")
    both = spread.joined([left, right], [0, left.width_px], width_px=2 * left.width_px)
    assert [word.text for word in both.words] == ["một", "hai", "ba", "bốn", "năm"]
    assert both.width_px == 2 * left.width_px
    assert [word.box.left for word in both.words[3:]] == [left.width_px + word.box.left for word in right.words]
    assert both.text == f"{left.text}\n\n{right.text}"


def test_pixels_of_a_page_image_are_never_changed_in_place():
    before = PageImage(LETTER.pixels.copy(), LETTER.dpi)
    bend = dewarp.Bend((0.0, 0.02), (0.0,), (-1, 1, -1, 1))
    dewarp.straightened(before.pixels, bend, paper=250)
    assert np.array_equal(before.pixels, LETTER.pixels)


def on_a_table(pixels, seen):
    height, width = pixels.shape[:2]
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, np.array(seen, np.float32))
    photo = cv2.warpPerspective(pixels, matrix, (2900, 2100), borderValue=(70, 50, 40))
    return PageImage(photo, 200.0, dpi_is_stated=False)


def test_of_an_open_booklet_with_a_deep_shadow_in_its_fold_no_page_is_cut_away():
    photo = on_a_table(side_by_side(LETTER, LETTER, shade=0.1), [[250, 180], [2650, 210], [2600, 1880], [270, 1900]])
    corners = crop.find_sheet(photo)
    assert corners is not None
    assert cv2.contourArea(corners) > 0.9 * (2400 * 1700)


def test_of_two_sheets_on_a_table_neither_is_cut_away():
    photo = on_a_table(LETTER.pixels, [[150, 180], [1250, 200], [1270, 1800], [130, 1780]])
    second = on_a_table(LETTER.pixels, [[1650, 150], [2750, 260], [2700, 1850], [1560, 1790]])
    both = PageImage(np.maximum(photo.pixels, second.pixels), 200.0, dpi_is_stated=False)
    corners = crop.find_sheet(both)
    assert corners is None or cv2.contourArea(corners) > 0.9 * (2 * 1100 * 1600)


def test_a_seal_or_a_stroke_of_the_pen_alone_leans_nowhere():
    seal = resample.grey(scans.stamped(scans.sheet(())).pixels)
    assert deskew.estimate_skew(seal, dpi=150) == 0.0


def test_the_dots_of_a_screen_are_told_from_paper_and_run_together():
    shown = LETTER.pixels.copy()
    shown[:, 0::3, 1:] //= 3
    shown[:, 1::3, ::2] //= 3
    shown[:, 2::3, :2] //= 3
    screen = scans.with_pixels(LETTER, shown)
    assert moire.is_of_a_screen(screen)
    for page in (LETTER, scans.stamped(LETTER), scans.bitonal(LETTER)):
        assert not moire.is_of_a_screen(page)
    red, blue = (moire.softened(screen).pixels[:150, 3:-3, channel].astype(int) for channel in (0, 2))
    assert np.abs(red - blue).mean() < 0.5 * np.abs(shown[:150, 3:-3, 0].astype(int) - shown[:150, 3:-3, 2]).mean()


def test_unsharp_print_becomes_crisper_and_paper_stays_paper():
    soft = cv2.GaussianBlur(resample.grey(LETTER.pixels), (0, 0), 1.2)
    crisp = sharpen.crisper(soft, dpi=LETTER.dpi)
    assert np.abs(np.diff(crisp.astype(int), axis=1)).max() > 1.2 * np.abs(np.diff(soft.astype(int), axis=1)).max()
    assert np.array_equal(crisp[:100], soft[:100])
