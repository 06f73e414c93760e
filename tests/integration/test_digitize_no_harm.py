"""No page reads worse for being cleaned: ours against plain Tesseract on the same picture, on pages drawn here."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import cv2
import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from bench.ocr_dev import is_harmed
from digitize import pipeline
from digitize.cleaning import despeckle, resample
from tests import scans

LINES = (
    "Căn cứ Nghị quyết số 73/NQ-HĐND ngày 12 tháng 7 năm 2026 về việc",
    "hỗ trợ sửa chữa kênh mương nội đồng trước mùa mưa lũ; xét đề nghị",
    "của Trưởng phòng Kinh tế tại Tờ trình số 48/TTr-KT ngày 09/8/2026,",
    "Điều 1. Phân bổ 1.275.400.000 đồng cho bảy hợp tác xã có tên trong",
    "danh sách kèm theo. Thời hạn giải ngân chậm nhất là ngày 30 tháng 9.",
    "Điều 2. Bà Quách Thị Nguyệt Hằng chịu trách nhiệm nghiệm thu từng",
    "hạng mục, lập biên bản có chữ ký của đại diện những hộ dân hưởng lợi.",
    "Điều 3. Quyết định này có hiệu lực kể từ ngày ký và được niêm yết.",
)
SHEET = scans.sheet(LINES, dpi=200, repeat=2)
TRUTH = " ".join(LINES * 2)


def grained(pixels, *, seed, spread):
    grain = np.random.default_rng(seed).normal(0, spread, pixels.shape[:2])
    return np.clip(pixels.astype(np.float32) + grain[:, :, None], 0, 255).astype(np.uint8)


def dusted(pixels, *, seed, specks, level):
    dusty, random = pixels.copy(), np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    for y, x, radius in zip(
        random.integers(0, height, specks),
        random.integers(0, width, specks),
        random.integers(0, 3, specks),
        strict=True,
    ):
        cv2.circle(dusty, (int(x), int(y)), int(radius), (level,) * 3, -1)
    return dusty


def clean_scan():
    return scans.with_pixels(SHEET, grained(SHEET.pixels, seed=1, spread=2))


def fax():
    return scans.bitonal(scans.with_pixels(SHEET, grained(SHEET.pixels, seed=2, spread=22)))


def faint_toner():
    """Thin grey strokes, here paler and there, on a page with some dust: what cleaning must not eat."""
    random = np.random.default_rng(3)
    thin = cv2.dilate(SHEET.pixels, np.ones((2, 2), np.uint8)).astype(np.float32)
    toner = cv2.resize(random.uniform(0.35, 0.7, (30, 20)).astype(np.float32), (SHEET.width_px, SHEET.height_px))
    faint = 240 - (250 - thin) * toner[:, :, None]
    return scans.with_pixels(SHEET, dusted(grained(faint, seed=4, spread=3), seed=5, specks=320, level=150))


def worn_copy():
    """Soft grey print on a grey sheet with black dust and a black frame."""
    soft = cv2.GaussianBlur(SHEET.pixels, (0, 0), 0.9).astype(np.float32)
    dull = dusted(np.clip(205 - (250 - soft) * 0.45, 0, 255), seed=6, specks=2200, level=25)
    dull[:, :30] = dull[-40:] = 15
    return scans.with_pixels(SHEET, grained(dull, seed=7, spread=6))


def wrong_letters(text):
    return Levenshtein.distance(TRUTH, " ".join(text.split()))


def plainly_read(page, folder):
    file = folder / "page.png"
    file.write_bytes(scans.as_bytes(page, "PNG"))
    done = subprocess.run(
        ["tesseract", str(file), "stdout", "-l", "vie"],
        check=True,
        capture_output=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )
    return done.stdout.decode()


@pytest.mark.parametrize("damaged", [clean_scan, fax, faint_toner])
def test_no_page_reads_worse_than_with_plain_tesseract(damaged, tmp_path):
    page = damaged()
    ours, plain = (wrong_letters(text) for text in (pipeline.read_page(page).ocr.text, plainly_read(page, tmp_path)))
    assert not is_harmed(plain, ours, len(TRUTH)), (plain, ours)


def test_faint_print_with_dust_is_taken_for_a_dirty_page_so_that_the_test_above_means_something():
    grey = resample.grey(faint_toner().pixels)
    assert despeckle.speckle_level(grey, dpi=200) >= despeckle.DIRTY


def test_a_worn_copy_reads_as_well_as_a_clean_scan_does_nearly(tmp_path):
    page = worn_copy()
    read = pipeline.read_page(page)
    assert {"border", "despeckle"} <= set(read.steps)
    ours, plain = wrong_letters(read.ocr.text), wrong_letters(plainly_read(page, tmp_path))
    assert ours < 0.01 * len(TRUTH) < plain / 5, (plain, ours)


def test_a_page_that_is_no_dirty_copy_is_not_despeckled_and_gets_no_second_opinion():
    read = pipeline.read_page(replace(clean_scan()))
    assert not {"despeckle", "second opinion"} & set(read.steps)
