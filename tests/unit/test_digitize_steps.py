"""Each cleaning step does its one thing, and leaves alone what it isn't for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitize import quality
from digitize.cleaning import border, crop, deskew, despeckle, illumination, ink, orient, resample
from digitize.types import Flag, PageImage
from tests import scans


def red_pixels(pixels):
    hue, saturation, value = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV))
    return int((((hue < 8) | (hue > 172)) & (saturation > 70) & (value > 90)).sum())


def blue_pixels(pixels):
    hue, saturation, value = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV))
    return int(((hue > 105) & (hue < 130) & (saturation > 70) & (value > 60)).sum())


LETTER = scans.sheet(repeat=2)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(lean=st.floats(-6, 6).map(lambda angle: round(angle, 2)))
def test_the_lean_of_a_page_is_measured_to_a_tenth_of_a_degree(lean):
    grey = resample.grey(scans.skewed(LETTER, lean).pixels)
    assert deskew.estimate_skew(grey, dpi=LETTER.dpi) == pytest.approx(lean, abs=0.1)


@pytest.mark.parametrize("dpi", [100, 200, 300])
def test_a_small_lean_is_seen_at_every_resolution(dpi):
    grey = resample.grey(scans.skewed(scans.sheet(dpi=dpi, repeat=2), 0.4).pixels)
    assert deskew.estimate_skew(grey, dpi=dpi) == pytest.approx(0.4, abs=0.1)


def test_a_leaning_page_stands_straight_afterwards():
    grey = resample.grey(scans.skewed(LETTER, 2.3).pixels)
    straight = deskew.rotate(grey, 2.3, paper=250)
    assert straight.shape == grey.shape
    assert abs(deskew.estimate_skew(straight, dpi=LETTER.dpi)) <= 0.1


def test_setting_a_page_straight_can_keep_its_corners():
    grey = np.full((1754, 1240), 250, np.uint8)
    grey[:20, :20] = grey[-20:, -20:] = 0
    assert (deskew.rotate(grey, 6.0, paper=250) < 100).sum() == 0
    assert (deskew.rotate(grey, 6.0, paper=250, expand=True) < 100).sum() > 700


def test_an_empty_page_leans_nowhere():
    assert deskew.estimate_skew(np.full((1754, 1240), 250, np.uint8), dpi=150) == 0.0


def test_upright_lines_say_so_without_tesseract(monkeypatch):
    monkeypatch.setattr(orient.tesseract, "orientation", lambda *_, **__: pytest.fail("Tesseract was asked"))
    assert orient.estimate_turn(resample.grey(LETTER.pixels), dpi=LETTER.dpi) == 0


@pytest.mark.parametrize("turn_deg", [90, 180, 270])
def test_turning_four_quarters_comes_back_to_the_start(turn_deg):
    page = LETTER.pixels
    assert np.array_equal(orient.turn(orient.turn(page, turn_deg), 360 - turn_deg), page)


def test_a_sheet_photographed_on_a_table_is_cut_out_and_laid_flat():
    photo = scans.on_a_table(LETTER)
    corners = crop.find_sheet(photo)
    assert corners is not None
    flat = crop.cut(photo, corners)
    width_mm, height_mm = flat.size_mm
    assert width_mm == pytest.approx(210, rel=0.01)
    assert height_mm == pytest.approx(297, rel=0.01)
    small = cv2.resize(flat.pixels, (210, 297), interpolation=cv2.INTER_AREA)
    straight = cv2.resize(LETTER.pixels, (210, 297), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - straight).mean() < 8


def _photographed(seen, *, shadow=1.0):
    """A grainy sheet between these corners on a dark grainy table; from the middle to the right in shadow."""
    grain = np.random.default_rng(11).normal(0, 4, (1800, 1400, 1))
    page = scans.with_pixels(LETTER, np.clip(LETTER.pixels - 20 + grain[: LETTER.height_px, : LETTER.width_px], 0, 255))
    flat = np.array([[0, 0], [1240, 0], [1240, 1754], [0, 1754]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, np.array(seen, np.float32))
    pixels = cv2.warpPerspective(page.pixels.astype(np.float32), matrix, (1400, 1800), borderValue=(70, 50, 40))
    pixels[:, 700:] *= shadow
    pixels = cv2.GaussianBlur(np.clip(pixels + grain, 0, 255).astype(np.uint8), (0, 0), 0.8)
    return PageImage(pixels, 150.0, dpi_is_stated=False)


@pytest.mark.parametrize("shadow", [1.0, 0.6])
def test_the_corners_of_a_photographed_sheet_are_found_to_a_few_pixels_and_no_table_is_left_along_its_edges(shadow):
    seen = [[131.3, 92.6], [1268.8, 118.2], [1310.4, 1699.9], [88.1, 1671.4]]
    photo = _photographed(seen, shadow=shadow)
    corners = crop.find_sheet(photo)
    assert corners is not None
    assert np.abs(corners - np.array(seen)).max() < 4
    flat = crop.cut(photo, corners).pixels
    for rim in (flat[:2], flat[-2:], flat[:, :2], flat[:, -2:]):
        assert np.percentile(rim, 5) > 105  # the table is at 70 and less


@pytest.mark.parametrize("page", [LETTER, scans.stamped(LETTER), scans.bitonal(LETTER)])
def test_a_scan_that_is_the_sheet_already_is_not_cropped(page):
    assert crop.find_sheet(page) is None


def test_ink_of_seal_and_pen_leaves_the_picture_that_is_read_and_print_stays():
    stamped = scans.stamped(LETTER)
    plain = resample.grey(LETTER.pixels)
    cleaned = ink.drop(stamped)
    print_pixels = plain < 100
    coloured = (np.abs(resample.grey(stamped.pixels).astype(int) - plain) > 40) & (plain > 200)
    assert cleaned[coloured].mean() > 225
    assert cleaned[print_pixels].mean() < 100


def test_red_print_is_no_seal():
    page = LETTER.pixels.copy()
    band = page[150:200]
    band[band[:, :, 0] < 150] = (190, 30, 30)
    grey = ink.drop(scans.with_pixels(LETTER, page))
    assert grey[150:200].min() < 120


def test_the_page_that_is_kept_keeps_its_red_and_its_blue():
    dull = scans.stamped(scans.sheet(paper=205))
    light = illumination.lighten(dull)
    assert light.pixels.mean() > dull.pixels.mean() + 15
    assert red_pixels(light.pixels) > 0.9 * red_pixels(dull.pixels) > 0
    assert blue_pixels(light.pixels) > 0.9 * blue_pixels(dull.pixels) > 0


def test_a_light_page_is_not_touched():
    assert illumination.lighten(LETTER) is LETTER


def test_a_shadow_is_divided_away_and_grey_stays_grey():
    shade = np.linspace(1.0, 0.4, LETTER.width_px)[None, :, None]
    shaded = scans.with_pixels(LETTER, (LETTER.pixels * shade).astype(np.uint8))
    grey = resample.grey(shaded.pixels)
    assert not illumination.is_even(illumination.background(grey))
    flat = illumination.flatten(grey)
    assert np.percentile(flat[:, -300:], 80) > 235
    assert len(np.unique(flat)) > 60


def test_a_dark_frame_takes_the_level_of_the_paper():
    page = scans.sheet(paper=200, repeat=2)
    grey = resample.grey(page.pixels)
    framed = grey.copy()
    framed[:, :40] = 20
    framed[-50:] = 20
    filled = border.fill(framed, dpi=page.dpi)
    assert filled[:, :40].min() >= 195
    assert np.array_equal(filled[100:-100, 100:], grey[100:-100, 100:])


def test_a_page_without_a_frame_is_handed_back_itself():
    grey = resample.grey(LETTER.pixels)
    assert border.fill(grey, dpi=LETTER.dpi) is grey


def test_dust_is_taken_off_and_accents_stay():
    grey = resample.grey(LETTER.pixels)
    random = np.random.default_rng(7)
    dusty = grey.copy()
    for y, x in zip(
        random.integers(0, grey.shape[0] - 2, 900), random.integers(0, grey.shape[1] - 2, 900), strict=True
    ):
        dusty[y : y + 2, x : x + 2] = 60
    assert despeckle.speckle_level(grey, dpi=150) < despeckle.DIRTY < despeckle.speckle_level(dusty, dpi=150)
    cleaned = despeckle.remove(dusty, dpi=150)
    printed = cv2.erode((grey < 120).astype(np.uint8), np.ones((2, 2), np.uint8)) > 0
    assert (cleaned[-400:] < 150).sum() < 0.1 * (dusty[-400:] < 150).sum()
    assert (cleaned[printed] < 200).mean() > 0.97


def dulled(page, level):
    """The page as a worn copier gives it: soft, its print only grey."""
    grey = cv2.GaussianBlur(resample.grey(page.pixels), (0, 0), 0.8).astype(np.float32)
    return np.clip(245 - (250 - grey) * (245 - level) / 225, 0, 255).astype(np.uint8)


def test_dust_darker_than_worn_print_goes_even_from_letters():
    dull = dulled(scans.sheet(dpi=200, repeat=3), 170)
    random = np.random.default_rng(11)
    dusty = dull.copy()
    for y, x in zip(random.integers(3, 2000, 1500), random.integers(3, 1600, 1500), strict=True):
        cv2.circle(dusty, (int(x), int(y)), 2, 30, -1)
    print_pixels = dull < 200
    assert (dusty[print_pixels] < 120).sum() > 400
    cleaned = despeckle.remove(dusty, dpi=200)
    assert (cleaned < 120).sum() < 0.03 * (dusty < 120).sum()
    assert np.abs(cleaned[print_pixels].astype(int) - dull[print_pixels]).mean() < 12


def test_the_dots_of_a_dark_heading_on_a_worn_page_are_no_dust():
    dull = dulled(scans.sheet(dpi=200, repeat=3), 170)
    heading = resample.grey(scans.sheet(("VIỆN KIỂM NGHIỆM", "mười bị ít ỉ ĩ í ị"), dpi=200).pixels)
    page = np.minimum(dull, np.roll(heading, 1200, axis=0))
    kept = despeckle.remove(page, dpi=200)
    printed = cv2.erode((np.roll(heading, 1200, axis=0) < 60).astype(np.uint8), np.ones((2, 2), np.uint8)) > 0
    assert (kept[printed] < 110).mean() > 0.98


def test_rows_of_dots_to_write_on_are_no_dust():
    lines = (
        "Họ và tên: .........................",
        "Quê quán: ........................",
        "Nơi cư trú: ........................",
    )
    form = resample.grey(scans.sheet(lines, dpi=200, repeat=8).pixels)
    assert despeckle.speckle_level(form, dpi=200) == 0
    dots = cv2.erode((form < 90).astype(np.uint8), np.ones((2, 2), np.uint8)) > 0
    assert (despeckle.remove(form, dpi=200)[dots] < 200).all()


def flags(page):
    return quality.flags_of(page).flags


def test_an_ordinary_page_has_no_flag():
    for page in (LETTER, scans.stamped(LETTER), scans.skewed(LETTER, 1.5), scans.bitonal(scans.sheet(dpi=200))):
        assert flags(page) - {Flag.LOW_RESOLUTION} == frozenset()


def test_less_than_200_dpi_is_flagged():
    assert Flag.LOW_RESOLUTION in flags(scans.sheet(dpi=150))
    assert Flag.LOW_RESOLUTION not in flags(scans.sheet(dpi=200))


def test_an_empty_sheet_is_blank():
    random = np.random.default_rng(3)
    empty = scans.sheet((), dpi=200)
    noisy = np.clip(empty.pixels + random.normal(0, 4, empty.pixels.shape), 0, 255).astype(np.uint8)
    assert Flag.BLANK in flags(empty)
    assert Flag.BLANK in flags(scans.with_pixels(empty, noisy))


def test_a_sheet_with_only_a_seal_is_not_blank():
    assert Flag.BLANK not in flags(scans.stamped(scans.sheet((), dpi=200)))


def test_a_sheet_with_only_a_line_in_pencil_is_not_blank():
    page = scans.sheet((), dpi=200)
    pixels = page.pixels.copy()
    cv2.line(pixels, (400, 900), (900, 880), (190, 190, 190), 3, cv2.LINE_AA)
    assert Flag.BLANK not in flags(scans.with_pixels(page, pixels))


def test_a_blurred_page_is_flagged():
    page = scans.sheet(dpi=200, repeat=2)
    blurred = cv2.GaussianBlur(page.pixels, (0, 0), 3.5)
    assert Flag.BLURRED in flags(scans.with_pixels(page, blurred))


def test_print_that_runs_off_the_sheet_is_flagged():
    page = scans.sheet(dpi=200, repeat=2)
    cut = scans.with_pixels(page, page.pixels[:, 230:])
    assert Flag.CUT_EDGE in flags(cut)


def test_a_dark_page_is_flagged():
    assert Flag.DARK in flags(scans.sheet(dpi=200, paper=85))


def test_unusual_paper_is_flagged():
    page = scans.sheet(dpi=200)
    assert Flag.UNUSUAL_SIZE in flags(scans.with_pixels(page, page.pixels[:900]))


def test_a_thumbnail_is_a_small_jpeg():
    data = quality.thumbnail(LETTER)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 240
    assert len(data) < 40_000


@pytest.mark.parametrize("size", [(1000, 700), (257, 31), (1, 1)])
def test_a_smooth_picture_spread_in_bands_is_the_whole_one(size: tuple[int, int]) -> None:
    small = np.random.default_rng(3).random((60, 42), dtype=np.float32) * 200
    whole = cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR)

    bands = [band for _, band in illumination._spread_in_bands(small, *size)]

    assert np.allclose(np.vstack(bands), whole, atol=1e-3)
