"""Whether what we write is found again in browsers: words, order and spaces in pdf.js, poppler and PDFium.

    python bench/pdfjs.py FILE… [--pages 1] [--modules FOLDER]

Reads each scan, writes its PDF, and compares the text that each program finds with the page's own: words that are
missing or that nobody read, words in another place, and lines that come out as they were read. Without `-raw`, poppler
puts words in an order of its own, from where they stand. pdf.js is fetched with npm into a
temporary folder, or taken from FOLDER where it has been fetched before.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2

sys.path.insert(0, str(Path(__file__).parents[1]))

from digitize import load, pipeline
from digitize.pdf import assemble

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = "pdfjs-dist@5.4"
_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_SHOWN = 8  # differences of a page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--pages", type=int, default=1, help="of each file")
    parser.add_argument("--modules", type=Path, help="folder with node_modules/pdfjs-dist")
    given = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="pdfjs-") as folder:
        modules = given.modules or _fetched(Path(folder))
        readers: dict[str, Callable[[Path], str]] = {
            "pdf.js": lambda path: pdfjs(modules, path),
            "poppler": poppler,
            "poppler -raw": lambda path: poppler(path, "-raw"),
            "PDFium": pdfium,
        }
        for file in given.files:
            for number in range(1, min(given.pages, load.inspect(file).pages) + 1):
                read = pipeline.read_page(load.page(file, number))
                path = Path(folder, "out.pdf")
                page = assemble.AssemblyPage(read.picture, read.picture_type, read.ocr)
                assemble.searchable_pdf([page], path, title=file.stem, created_at=_NOW)
                print(f"{file.stem} {number}: {len(read.ocr.words)} words")
                wrong += sum(_compared(name, reader(path), read.ocr.text) for name, reader in readers.items())
    if wrong:
        raise SystemExit(f"{wrong} words are missing or strange")


def _compared(name: str, found: str, wanted: str) -> int:
    """Print how what is found differs from what was read; returns how many words are missing or strange."""
    words, others = wanted.split(), found.split()
    either = Counter(words), Counter(others)
    strange = sum(((either[0] - either[1]) + (either[1] - either[0])).values())
    changes = [
        (words[a:b], others[c:d])
        for tag, a, b, c, d in SequenceMatcher(None, words, others, autojunk=False).get_opcodes()
        if tag != "equal"
    ]
    moved = sum(max(len(one), len(other)) for one, other in changes)
    lines = [" ".join(line.split()) for line in wanted.splitlines() if line.strip()]
    seen = {" ".join(line.split()) for line in found.splitlines()}
    as_read = sum(line in seen for line in lines)
    print(f"  {name:13} missing or strange {strange:3}, out of place {moved:3}, lines as read {as_read}/{len(lines)}")
    for one, other in changes[:_SHOWN]:
        print(f"    {' '.join(one)!r} → {' '.join(other)!r}")
    return strange


def pdfjs(modules: Path, path: Path) -> str:
    """The text of a PDF by pdf.js."""
    script = Path(__file__).with_suffix(".mjs")
    done = subprocess.run(["node", script, modules, path], check=True, capture_output=True)
    ((*pages,),) = json.loads(done.stdout)
    return "\n".join(pages)


def poppler(path: Path, *options: str) -> str:
    """The text of a PDF by poppler."""
    return subprocess.run(["pdftotext", *options, path, "-"], check=True, capture_output=True, encoding="utf-8").stdout


def pdfium(path: Path) -> str:
    """The text of a PDF by PDFium."""
    texts = []
    with pypdfium2.PdfDocument(path) as document:
        for index in range(len(document)):
            with closing(document[index]) as page, closing(page.get_textpage()) as text:
                texts.append(text.get_text_bounded())
    return "\n".join(texts)


def _fetched(folder: Path) -> Path:
    """The folder, with pdf.js in it."""
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--omit=optional", "--ignore-scripts", PACKAGE],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


if __name__ == "__main__":
    main()
