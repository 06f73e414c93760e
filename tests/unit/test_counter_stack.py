"""Scanned pages become one PDF at the counter with the very pictures that the scanner wrote."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pikepdf
import pytest
from PIL import Image

from counter import scanner, stack
from counter.scanner import Pile, SidesDiffer
from digitize import load

if TYPE_CHECKING:
    from pathlib import Path


def picture(number: int, mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(number).integers(0, 256, (351, 248, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def saved(folder: Path, name: str, image: Image.Image, kind: str) -> Path:
    image.save(folder / name, kind)
    return folder / name


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_a_lossless_page_shows_every_pixel_at_its_real_size(tmp_path: Path, mode: str) -> None:
    page = saved(tmp_path, "a.png", picture(1, mode), "PNG")

    stack.write([page], tmp_path / "a.pdf", dpi=300)

    seen = load.page(tmp_path / "a.pdf", 1)
    assert np.array_equal(seen.pixels, np.asarray(picture(1, mode).convert("RGB")))
    assert seen.dpi == pytest.approx(300, abs=0.1)


def test_a_jpeg_stands_in_the_file_byte_for_byte(tmp_path: Path) -> None:
    pages = [
        saved(tmp_path, f"{number}.jpg", picture(number, mode), "JPEG") for number, mode in enumerate(("RGB", "L"))
    ]

    stack.write(pages, tmp_path / "a.pdf", dpi=300)

    assert load.inspect(tmp_path / "a.pdf").pages == 2
    with pikepdf.open(tmp_path / "a.pdf") as made:
        held = [bytes(page.Resources.XObject.P.read_raw_bytes()) for page in made.pages]
    assert held == [page.read_bytes() for page in pages]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_page_cut_short_makes_no_file(tmp_path: Path, kind: str) -> None:
    made = io.BytesIO()
    picture(1).save(made, kind)
    (tmp_path / "half").write_bytes(made.getvalue()[:-300])

    with pytest.raises(stack.BadPage, match="half"):
        stack.write([tmp_path / "half"], tmp_path / "a.pdf", dpi=300)

    assert not (tmp_path / "a.pdf").exists()


def test_backs_of_a_turned_pile_go_between_their_fronts(tmp_path: Path) -> None:
    pile = Pile(tmp_path, "x")
    place = tmp_path / ".dang-quet-x"
    for name in ("truoc-0001", "truoc-0002", "truoc-0003", "sau-0001", "sau-0002", "sau-0003"):
        (place / f"{name}.jpg").touch()
    (place / "truoc-0004.jpg.part").touch()

    assert [page.stem for page in pile.pages()] == [
        "truoc-0001",
        "sau-0003",
        "truoc-0002",
        "sau-0002",
        "truoc-0003",
        "sau-0001",
    ]
    (place / "sau-0003.jpg").unlink()
    with pytest.raises(SidesDiffer):
        pile.pages()


def test_a_pile_that_is_a_file_already_is_swept_out_and_one_that_isnt_is_found(tmp_path: Path) -> None:
    for name in ("made", "left", "empty"):
        Pile(tmp_path, name)
        if name != "empty":
            saved(tmp_path / f".dang-quet-{name}", "truoc-0001.jpg", picture(1), "JPEG")
    (tmp_path / "da-nhan").mkdir()
    (tmp_path / "da-nhan" / "made.pdf").touch()

    assert [pile.name for pile in Pile.left(tmp_path)] == ["left"]
    assert [path.name for path in tmp_path.glob(".dang-quet-*")] == [".dang-quet-left"]


def test_a_computer_without_sane_is_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(scanner.NoScanner):
        scanner.devices()
