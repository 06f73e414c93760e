"""Read generated tables with our pipeline and with plain Tesseract, in one run, and compare cell by cell.

    python bench/tables.py [--seeds 100:124] [--pictures FOLDER] [--set FOLDER]

Prints for each page, and for all, the share of wrong characters whatever the order of the words (the words are matched
as a bag, what is left over by the nearest), the share of wrong characters in order (row by row), cells whose words are
all right and no others, whether the grid is the one that was printed, and processor seconds. `--pictures` keeps the
pages with the grid drawn over them; `--set` only writes the pages as a labelled set, for `bench/foreign_damages.py` and
`bench/ocr_dev.py`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import table_pages
from digitize import pipeline
from digitize.recognition import hocr
from digitize.types import OcrPage, PageImage, ReadPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.table_pages import TablePage
    from digitize.types import OcrWord

_DASHES = str.maketrans("–—‐−", "----")


@dataclass
class Tally:
    """What one reader got wrong on some pages."""

    letters: int = 0
    wrong: int = 0
    wrong_in_order: int = 0
    cells: int = 0
    right_cells: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.letters += other.letters
        self.wrong += other.wrong
        self.wrong_in_order += other.wrong_in_order
        self.cells += other.cells
        self.right_cells += other.right_cells
        self.seconds += other.seconds

    def __str__(self) -> str:
        return (
            f"{100 * self.wrong / self.letters:6.2f} {100 * self.wrong_in_order / self.letters:6.2f}"
            f" {100 * self.right_cells / self.cells:6.1f}% {sum(self.seconds) / len(self.seconds):5.1f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="100:124")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--set", type=Path)
    given = parser.parse_args()
    first, last = map(int, given.seeds.split(":"))
    if given.set:
        write_set(range(first, last), given.set)
        return
    plain, ours, exact = Tally(), Tally(), 0
    print(f"{'seed':>4} cols rules   pt  dpi | plain: free  order  cells   CPU | ours: free  order  cells   CPU | grid")
    for seed in range(first, last):
        page = table_pages.page(seed)
        start = _spent()
        before = plain_reading(page)
        of_plain = judged(page, before, skew_deg=0.0, seconds=_spent() - start)
        start = _spent()
        read = pipeline.read_page(PageImage(page.pixels, float(page.dpi)))
        of_ours = judged(page, read.ocr, skew_deg=read.skew_deg, seconds=_spent() - start)
        same = grid_of(page) == {(c.row, c.column, c.rows, c.columns) for t in read.ocr.tables for c in t.cells}
        plain.add(of_plain)
        ours.add(of_ours)
        exact += same
        print(
            f"{seed:4} {page.columns:4} {page.rules:6} {page.points:4} {page.dpi:4} | {of_plain} | {of_ours} |"
            f" {'as printed' if same else 'otherwise'}",
            flush=True,
        )
        if given.pictures:
            given.pictures.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(given.pictures / f"{seed}.jpg"), drawn_over(read))
    print(f"all of them                  | {plain} | {ours} | {exact} of {last - first} as printed")


def plain_reading(page: TablePage) -> OcrPage:
    """What Tesseract reads in the scan as it is."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "page.png"
        cv2.imwrite(str(picture), cv2.cvtColor(page.pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
        subprocess.run(
            ["tesseract", str(picture), str(picture), "-l", "vie", "--dpi", str(page.dpi), "hocr"],
            check=True,
            capture_output=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
        height, width = page.pixels.shape[:2]
        read = (Path(folder) / "page.png.hocr").read_bytes()
        return hocr.parse(read, width_px=width, height_px=height, dpi=page.dpi)


def judged(page: TablePage, ocr: OcrPage, *, skew_deg: float, seconds: float) -> Tally:
    """How a reading compares with what was printed; `skew_deg` is how far the page was set straight before."""
    truth, read = plainly(page.text), plainly(ocr.text)
    cells, right = cells_right(page, ocr.words, page.lean_deg - skew_deg)
    return Tally(
        sum(map(len, truth.split())), bag_errors(truth.split(), read.split()), Levenshtein.distance(truth, read),
        cells, right, [seconds],
    )  # fmt: skip


def plainly(text: str) -> str:
    """NFC, one kind of dash, one blank between words."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_DASHES).split())


def bag_errors(truth: Sequence[str], read: Sequence[str]) -> int:
    """Wrong characters whatever the order: equal words cancel out, others are paired by nearness, the rest count."""
    wanted, found = Counter(truth), Counter(read)
    missing, extra = list((wanted - found).elements()), list((found - wanted).elements())
    pairs = sorted(
        (distance, i, j)
        for i, word in enumerate(missing)
        for j, other in enumerate(extra)
        if (distance := Levenshtein.distance(word, other)) < max(len(word), len(other))
    )
    errors, paired, used = 0, set[int](), set[int]()
    for distance, i, j in pairs:
        if i not in paired and j not in used:
            paired.add(i)
            used.add(j)
            errors += distance
    errors += sum(len(word) for i, word in enumerate(missing) if i not in paired)
    return errors + sum(len(word) for j, word in enumerate(extra) if j not in used)


def cells_right(page: TablePage, words: Sequence[OcrWord], lean_deg: float) -> tuple[int, int]:
    """How many cells have text, and in how many of them exactly their own words were read."""
    height, width = page.pixels.shape[:2]
    sine, cosine = math.sin(math.radians(lean_deg)), math.cos(math.radians(lean_deg))
    inside: dict[int, list[str]] = {}
    for word in words:
        x = (word.box.left + word.box.right - width) / 2
        y = (word.box.top + word.box.bottom - height) / 2
        x, y = width / 2 + cosine * x - sine * y, height / 2 + sine * x + cosine * y
        for index, cell in enumerate(page.cells):
            if cell.box[0] <= x < cell.box[2] and cell.box[1] <= y < cell.box[3]:
                inside.setdefault(index, []).append(word.text)
    written = [(index, cell) for index, cell in enumerate(page.cells) if cell.text]
    right = sum(
        sorted(plainly(" ".join(inside.get(index, []))).split()) == sorted(plainly(cell.text).split())
        for index, cell in written
    )
    return len(written), right


def grid_of(page: TablePage) -> set[tuple[int, int, int, int]]:
    """The grid that was printed."""
    return {(cell.row, cell.column, cell.rows, cell.columns) for cell in page.cells}


def drawn_over(read: ReadPage) -> np.ndarray:
    """The page with its cells in red, merged ones in blue."""
    picture = cv2.imdecode(np.frombuffer(read.picture, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    for cell in (cell for table in read.ocr.tables for cell in table.cells):
        colour = (0, 0, 255) if cell.rows * cell.columns == 1 else (255, 0, 0)
        corners = (cell.box.left + 3, cell.box.top + 3), (cell.box.right - 3, cell.box.bottom - 3)
        cv2.rectangle(picture, *corners, colour, 2)
    return picture


def write_set(seeds: range, folder: Path) -> None:
    """The pages as JPEG, with a manifest of what is printed on them."""
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for seed in seeds:
        page, name = table_pages.page(seed), f"table{seed}"
        cv2.imwrite(str(folder / f"{name}.jpg"), cv2.cvtColor(page.pixels, cv2.COLOR_RGB2BGR))
        (folder / f"{name}.txt").write_text(page.text, "utf-8")
        items.append(
            {"id": name, "page": name, "image": f"{name}.jpg", "truth": f"{name}.txt", "condition": "tables",
             "dpi": page.dpi, "seed": seed, "blocks": [[page.text]]}
        )  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps({"set": "tables", "items": items}, ensure_ascii=False), "utf-8")


def _spent() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
