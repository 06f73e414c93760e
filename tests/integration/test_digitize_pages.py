"""Whole pages through the real Tesseract, and the command line that does it for files."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import unicodedata
from dataclasses import replace

import cv2
import numpy as np
import pikepdf
import pytest
from PIL import Image

from api.commands import digitize as command
from digitize import load, pipeline
from digitize.recognition import tesseract
from digitize.types import Flag, ReadingFailed
from tests import scans
from tests.verapdf import assert_pdfa


def share_read(text: str, lines: tuple[str, ...] = scans.LETTER) -> float:
    """Share of the printed words that were read letter by letter."""
    wanted = " ".join(lines).split()
    read = set(text.split())
    return sum(word in read for word in wanted) / len(wanted)


def picture(page) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(page.picture)).convert("RGB"))


def red(pixels: np.ndarray) -> int:
    hue, saturation, value = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV))
    return int((((hue < 8) | (hue > 172)) & (saturation > 70) & (value > 90)).sum())


@pytest.fixture
def runs(monkeypatch) -> list[str]:
    """What Tesseract was asked, the real one answering."""
    asked: list[str] = []
    for name in ("recognise", "orientation"):
        real = getattr(tesseract, name)
        monkeypatch.setattr(
            tesseract,
            name,
            lambda *args, _name=name, _real=real, **kwargs: asked.append(_name) or _real(*args, **kwargs),
        )
    return asked


def test_a_blank_back_is_kept_as_it_is_and_not_read(runs):
    empty = scans.sheet((), dpi=200)
    grain = np.random.default_rng(5).normal(0, 5, empty.pixels.shape)
    page = pipeline.read_page(scans.with_pixels(empty, np.clip(empty.pixels + grain, 0, 255).astype(np.uint8)))
    assert runs == []
    assert page.flags.flags == {Flag.BLANK}
    assert page.ocr.words == ()


def test_an_ordinary_page_is_read_once_and_stays_as_it_is(runs):
    sheet = scans.sheet(dpi=200, repeat=2)
    page = pipeline.read_page(sheet)
    assert runs == ["recognise"]
    assert share_read(page.ocr.text) > 0.95
    assert unicodedata.is_normalized("NFC", page.ocr.text)
    assert (page.steps, page.turned_deg, page.flags.flags) == ((), 0, frozenset())
    assert np.abs(picture(page).astype(int) - sheet.pixels).mean() < 3
    assert os.environ["OMP_THREAD_LIMIT"] == "1"


def test_a_leaning_page_upside_down_under_a_seal_is_put_right(runs):
    sheet = scans.stamped(scans.sheet(dpi=150, repeat=2))
    page = pipeline.read_page(scans.with_pixels(sheet, scans.skewed(sheet, 1.6).pixels[::-1, ::-1]))
    assert runs == ["orientation", "recognise"]
    assert page.turned_deg == 180
    assert page.skew_deg == pytest.approx(1.6, abs=0.15)
    assert {Flag.TURNED} <= page.flags.flags
    assert share_read(page.ocr.text) > 0.9
    assert red(picture(page)) > 0.85 * red(sheet.pixels) > 0
    # A word's box means the same on the page that is kept: there is ink in it, and none beside the first line.
    word = next(word for word in page.ocr.words if word.text == "ĐỊNH" or word.text.startswith("2147"))
    inside = picture(page)[word.box.top : word.box.bottom, word.box.left : word.box.right]
    assert (inside.max(axis=2) < 110).mean() > 0.1


def test_a_photograph_on_a_table_becomes_a_sheet_of_real_size():
    shade = np.linspace(1.0, 0.45, 1550)[None, :, None]
    photo = scans.on_a_table(scans.sheet(dpi=150))
    photo = replace(photo, pixels=(photo.pixels * shade[:, : photo.width_px]).astype(np.uint8))
    page = pipeline.read_page(photo)
    assert "crop" in page.steps
    assert page.ocr.width_px / page.ocr.dpi * 25.4 == pytest.approx(210, rel=0.01)
    assert share_read(page.ocr.text) > 0.9


def test_a_framed_page_on_grey_paper_is_read():
    sheet = scans.sheet(dpi=150, paper=190)
    framed = sheet.pixels.copy()
    framed[:, :55], framed[:40] = 15, 15
    page = pipeline.read_page(replace(sheet, pixels=framed))
    assert "border" in page.steps
    assert share_read(page.ocr.text) > 0.9
    assert (picture(page)[:30] < 60).mean() > 0.9  # what people keep is not painted over


def test_a_page_that_tesseract_cannot_finish_is_an_error_with_words_for_people(monkeypatch):
    monkeypatch.setattr(tesseract, "READ_TIMEOUT_S", 0.01)
    with pytest.raises(ReadingFailed, match="an toàn") as error:
        pipeline.read_page(scans.sheet(dpi=100))
    assert error.value.reason == "timeout"


def test_a_language_that_is_not_installed_is_an_error_with_words_for_people():
    with pytest.raises(ReadingFailed) as error:
        pipeline.read_page(scans.sheet(dpi=72), language="xxx")
    assert error.value.reason == "missing"


def hoso_digitize(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(argument) for argument in arguments]))


def test_a_folder_becomes_one_pdf_in_natural_order_with_text_and_words(tmp_path, capsys):
    folder = tmp_path / "quét"
    folder.mkdir()
    for number in (10, 2):
        (folder / f"trang {number}.png").write_bytes(
            scans.as_bytes(scans.sheet((f"Trang số {number} của hồ sơ này",) * 6, dpi=200), "PNG")
        )
    (folder / "ghi chú.txt").write_text("không phải ảnh")
    out, text, words = tmp_path / "out.pdf", tmp_path / "out.txt", tmp_path / "out.json"
    assert hoso_digitize(folder, "-o", out, "--text", text, "--json", words, "--jobs", 2) == 0
    assert_pdfa(out)
    pages = text.read_text("utf-8").split("\f")
    assert ["số 2 " in pages[0], "số 10 " in pages[1], len(pages)] == [True, True, 2]
    content = json.loads(words.read_text("utf-8"))
    assert [page["source"] for page in content["pages"]] == ["trang 2.png", "trang 10.png"]
    said = capsys.readouterr()
    assert said.out.startswith("Đã số hóa 2 trang")
    assert "2/2" in said.err


def test_a_page_that_needs_rescanning_is_named_with_its_reason(tmp_path, capsys):
    scan = tmp_path / "mờ.tif"
    scan.write_bytes(scans.as_bytes(scans.sheet(("Một dòng chữ",), dpi=100), "TIFF"))
    assert hoso_digitize(scan, "-o", tmp_path / "out.pdf") == 3
    said = capsys.readouterr().out
    assert "Trang 1" in said
    assert "200 dpi" in said
    assert (tmp_path / "out.pdf").exists()


def test_a_signed_scan_is_left_alone_and_its_derivative_says_what_it_is(tmp_path, capsys):
    with pikepdf.open(io.BytesIO(scans.as_bytes(scans.sheet(("Đã ký",), dpi=200), "PDF"))) as pdf:
        value = pikepdf.Dictionary(Type=pikepdf.Name.Sig, Contents=b"\x30\x00", ByteRange=[0, 1, 2, 3])
        pdf.Root.AcroForm = pikepdf.Dictionary(
            Fields=[pdf.make_indirect(pikepdf.Dictionary(FT=pikepdf.Name.Sig, T="s", V=value))]
        )
        pdf.save(tmp_path / "in.pdf")
    before = hashlib.sha256((tmp_path / "in.pdf").read_bytes()).hexdigest()
    assert hoso_digitize(tmp_path / "in.pdf", "-o", tmp_path / "out.pdf") == 0
    assert hashlib.sha256((tmp_path / "in.pdf").read_bytes()).hexdigest() == before
    assert not load.inspect(tmp_path / "out.pdf").signed
    with pikepdf.open(tmp_path / "out.pdf") as pdf, pdf.open_metadata() as metadata:
        assert "không có chữ ký số" in metadata["dc:description"]
    assert "giữ nguyên" in capsys.readouterr().out


def test_an_unreadable_input_writes_nothing(tmp_path, capsys):
    good, bad = tmp_path / "1.png", tmp_path / "2.pdf"
    good.write_bytes(scans.as_bytes(scans.sheet(dpi=72), "PNG"))
    bad.write_bytes(b"")
    (tmp_path / "out.pdf").write_bytes(b"earlier")
    assert hoso_digitize(good, bad, "-o", tmp_path / "out.pdf", "--text", tmp_path / "out.txt") == 65
    assert "2.pdf" in capsys.readouterr().out
    assert (tmp_path / "out.pdf").read_bytes() == b"earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.png", "2.pdf", "out.pdf"]


@pytest.mark.parametrize("broken", ["missing input", "input is output", "no such folder", "no jobs", "empty folder"])
def test_what_cannot_be_meant_is_a_usage_error(tmp_path, broken):
    scan = tmp_path / "1.png"
    scan.write_bytes(scans.as_bytes(scans.sheet(dpi=40), "PNG"))
    (tmp_path / "empty").mkdir()
    arguments = {
        "missing input": (tmp_path / "0.png", "-o", tmp_path / "out.pdf"),
        "input is output": (scan, "-o", scan),
        "no such folder": (scan, "-o", tmp_path / "x" / "out.pdf"),
        "no jobs": (scan, "-o", tmp_path / "out.pdf", "--jobs", 0),
        "empty folder": (tmp_path / "empty", "-o", tmp_path / "out.pdf"),
    }[broken]
    assert hoso_digitize(*arguments) == 64
    assert not (tmp_path / "out.pdf").exists()
