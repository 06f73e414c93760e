"""How many bytes a page of a searchable PDF takes, and what the layers keep: colour of seals, resolution of ink.

    python bench/pdf_size.py FILE… [--keep FOLDER]

Reads every colour page of the scans at 250 dpi or more, writes each as a PDF of its own and prints, beside the picture
alone, the bytes of the PDF, the coarsest tile in colour, the mean ΔE2000 over the pixels of red seals (as PDFium draws
them, against the display page), and the largest difference of 0.7 mm. Then each file's pages as one PDF, as papers are
kept: the font, the metadata and the structure are there once.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pypdfium2

sys.path.insert(0, str(Path(__file__).parents[1]))

from digitize import load, pipeline
from digitize.pdf import assemble, layers
from tests.colour import delta_e_2000, red

if TYPE_CHECKING:
    from digitize.types import ReadPage

_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_SEAL_PX = 3000  # fewer red pixels are no seal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--keep", type=Path, help="where the PDFs stay")
    given = parser.parse_args()
    sizes: list[int] = []
    together: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        keep = given.keep or Path(folder)
        for file in given.files:
            pages: list[ReadPage] = []
            for number in range(1, load.inspect(file).pages + 1):
                image = load.page(file, number)
                if image.bitonal or image.dpi < layers.LEAST_DPI:
                    continue
                out = keep / f"{file.stem}-{number}.pdf"
                pages.append(pipeline.read_page(image))
                sizes.append(_measured(pages[-1], out))
            if pages:
                whole = _written(pages, keep / f"{file.stem}.pdf")
                print(f"{file.stem:40} {len(pages)} pages as one file: {whole / len(pages) / 1000:.0f} kB a page")
                together += [whole / len(pages)] * len(pages)
    alone, kept = (statistics.median(values) / 1000 for values in (sizes, together))
    print(f"{len(sizes)} pages, median {alone:.0f} kB each alone, {kept:.0f} kB a page in their files")


def _written(pages: list[ReadPage], out: Path) -> int:
    parts = [assemble.AssemblyPage(read.picture, read.picture_type, read.ocr) for read in pages]
    assemble.searchable_pdf(parts, out, title=out.stem, created_at=_NOW)
    return out.stat().st_size


def _measured(read: ReadPage, out: Path) -> int:
    size = _written([read], out)
    listed = subprocess.run(["pdfimages", "-list", out], check=True, capture_output=True, encoding="utf-8").stdout
    rows = [row.split() for row in listed.splitlines()[2:]]
    tiles = [int(row[12]) for row in rows if row[5] == "rgb"][1 if len(rows) > 1 else 0 :]
    before = cv2.imdecode(np.frombuffer(read.picture, np.uint8), cv2.IMREAD_COLOR_RGB)
    with pypdfium2.PdfDocument(out) as document:
        leaf = document[0]
        after = leaf.render(scale=read.ocr.dpi / 72).to_numpy()[:, :, 2::-1]
        leaf.close()
    height, width = (min(sides) for sides in zip(before.shape[:2], after.shape[:2], strict=True))
    before, after = before[:height, :width], np.ascontiguousarray(after[:height, :width])
    far = cv2.absdiff(*(cv2.blur(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (8, 8)) for p in (before, after))).max()
    seal = red(np.asarray(before, dtype=np.uint8))
    colour = f"{delta_e_2000(before[seal], after[seal]).mean():.2f}" if seal.sum() > _SEAL_PX else "-"
    print(
        f"{out.stem:40} picture {len(read.picture) // 1000:5} kB, PDF {size // 1000:4} kB, coarsest ink "
        f"{min(tiles, default=0)} dpi, seal ΔE2000 {colour}, largest difference {far}"
    )
    return size


if __name__ == "__main__":
    main()
