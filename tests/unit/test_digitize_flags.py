"""Flags that were found wanting at the desk: glare, the back showing through, the same page twice."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from bench import flags as measured
from digitize import likeness, quality
from digitize.cleaning import resample
from digitize.types import Flag
from tests import scans

LETTER = scans.sheet(dpi=200, repeat=2)
OTHER = scans.sheet(tuple(reversed(scans.LETTER[:7])), dpi=200, repeat=3)


def flags(page):
    return quality.flags_of(page).flags


def with_back(front, back, strength):
    through = cv2.GaussianBlur(back.pixels[:, ::-1], (0, 0), 1.3).astype(np.float32)
    return scans.with_pixels(front, (front.pixels * (1 - strength * (1 - through / 255))).astype(np.uint8))


def under_a_lamp(page, *, brightness=260.0):
    rows, columns = np.mgrid[0 : page.height_px, 0 : page.width_px].astype(np.float32)
    spot = np.exp(-(((columns - 700) / 260) ** 2) - ((rows - 900) / 220) ** 2)[:, :, None]
    return scans.with_pixels(page, np.clip(page.pixels * 0.72 + spot * brightness, 0, 255).astype(np.uint8))


def test_a_spot_of_glare_is_seen():
    assert Flag.GLARE in flags(under_a_lamp(LETTER))


@pytest.mark.parametrize("number", [1, 3, 7])
def test_light_that_spills_from_a_glaring_spot_is_no_back_showing_through(number):
    index = [*measured.WAYS].index("glaring")
    page, faults, _ = measured.WAYS["glaring"](number, np.random.default_rng([41, index, number]))
    assert flags(page) & {Flag.GLARE, Flag.BLEED_THROUGH} == faults


def test_a_white_page_a_dim_one_and_the_white_lid_beside_a_grey_sheet_are_no_glare():
    assert Flag.GLARE not in flags(LETTER)
    assert Flag.GLARE not in flags(under_a_lamp(LETTER, brightness=40))
    beside = scans.sheet(dpi=200, repeat=2, paper=205).pixels
    beside[:, 1300:] = 255
    assert Flag.GLARE not in flags(scans.with_pixels(LETTER, beside))


@pytest.mark.parametrize("strength", [0.2, 0.35])
def test_the_back_showing_through_is_seen(strength):
    assert Flag.BLEED_THROUGH in flags(with_back(LETTER, OTHER, strength))


def test_clean_stamped_and_faint_pages_and_light_grey_letterheads_do_not_show_their_back():
    grain = np.random.default_rng(3).normal(0, 5, LETTER.pixels.shape)
    faint = np.clip(255 - (255 - LETTER.pixels.astype(np.float32)) * 0.3 + grain, 0, 255).astype(np.uint8)
    pages = (LETTER, scans.stamped(LETTER), scans.bitonal(LETTER), scans.with_pixels(LETTER, faint))
    for page in pages:
        assert Flag.BLEED_THROUGH not in flags(page)


def look(page):
    return quality.flags_of(page).measured["look"]


def test_two_scans_of_a_page_look_alike_and_two_pages_do_not():
    rng = np.random.default_rng(5)
    moved = np.roll(scans.skewed(LETTER, 0.4).pixels, (14, -11), axis=(0, 1))
    again = np.clip(moved * 0.93 + rng.normal(0, 4, moved.shape), 0, 255).astype(np.uint8)
    assert likeness.difference(look(LETTER), look(scans.with_pixels(LETTER, again))) <= likeness.ALIKE
    form = scans.sheet(("ĐƠN XIN XÁC NHẬN", "Kính gửi:", "Tôi tên là:"), dpi=200)
    assert likeness.difference(look(LETTER), look(form)) > likeness.ALIKE


def test_a_look_survives_being_kept_as_json():
    seen = look(LETTER)
    assert json.loads(json.dumps(seen)) == seen == int(seen)
    assert 0 < seen < 2**likeness.BITS <= 2**53


def test_percentiles_by_counting_are_percentiles():
    values = np.random.default_rng(1).integers(0, 200, (97, 53)).astype(np.uint8)
    for share in (0.5, 50, 90, 99.5):
        assert resample.percentile(values, share) == pytest.approx(np.percentile(values, share), abs=1)


@pytest.mark.parametrize("size", [(1, 400), (400, 1), (1, 1)])
def test_a_picture_one_pixel_wide_or_high_is_judged_like_any_other(size):
    width, height = size
    sliver = scans.with_pixels(LETTER, np.full((height, width, 3), 255, np.uint8))
    sliver.pixels[: height // 2] = 0
    assert flags(sliver)
