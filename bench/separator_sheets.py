"""What looking for separator sheets costs the person who hands a stack in, and which sheets it misses.

The peer is what one would write first: each page drawn at 100 dpi, and OpenCV's reader of QR codes on it. Processor
seconds a page, over a stack of made papers; then sheets under every damage of `damages.py`, each also with one of its
codes cut away and with both scribbled over: how many either tells from a paper.

    python -m bench.separator_sheets
"""

from __future__ import annotations

import inspect
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pypdfium2
from PIL import Image

from bench import damages
from bench.sample_scan import sample_scan
from digitize import load, separators
from tests import stacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

_TIMES = 6
_SEEDS = range(3)
_QUALITIES = (30, 75)
_A4_INCHES = 297 / 25.4
_CODE = "000.00.01.H49-261121-0007"


def main() -> None:
    """Measure both, and print what was found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stack = folder / "stack.pdf"
        stack.write_bytes(sample_scan(folder))
        pages = load.inspect(stack).pages
        ours = _cost(lambda: separators.found(stack, pages)) / pages
        peer = _cost(lambda: _plainly(stack)) / pages
        print(f"a page of a stack of papers: {ours:.1f} ms, peer {peer:.1f} ms, ratio {peer / ours:.1f}")
        tried, told, read, peers = 0, 0, 0, 0
        for page, quality in _damaged():
            sheet = folder / "sheet.pdf"
            page.save(sheet, "PDF", resolution=page.height / _A4_INCHES, quality=quality)
            found = separators.found(sheet, 1)
            tried, told = tried + 1, told + bool(found)
            read, peers = read + any(one.text for one in found), peers + bool(_plainly(sheet))
        print(f"{tried} damaged sheets: {told} told from a paper, {read} of them read; the peer read {peers}")


def _cost(work: Callable[[], object]) -> float:
    """Least milliseconds of processor of a few runs."""
    least = float("inf")
    for _ in range(_TIMES):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
    return 1000 * least


def _plainly(path: Path) -> list[str]:
    found = []
    for page in pypdfium2.PdfDocument(path):
        grey = np.asarray(page.render(scale=100 / 72, grayscale=True).to_numpy())
        try:
            _, texts, _, _ = cv2.QRCodeDetector().detectAndDecodeMulti(grey)
        except (cv2.error, UnicodeDecodeError):
            continue
        found += [text for text in texts if text.startswith(separators.MARK)]
    return found


def _damaged() -> Iterator[tuple[Image.Image, int]]:
    kinds = [f for _, f in inspect.getmembers(damages, inspect.isfunction) if f.__module__ == damages.__name__]
    for damage in (kind for kind in kinds if not kind.__name__.startswith("_")):
        for seed in _SEEDS:
            half = stacks.sheet(_CODE, "TK")
            half.paste("white", (0, 0, half.width, half.height // 2))
            for sheet in (stacks.sheet(_CODE, "TK"), half, stacks.spoiled_sheet()):
                spoiled = Image.fromarray(_under(damage, np.asarray(sheet), seed))
                yield from ((spoiled, quality) for quality in _QUALITIES)


def _under(damage: Callable[..., NDArray[np.uint8]], page: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """The page damaged; where a second page belongs beside or behind it, a white one."""
    others = {"back", "right"} & inspect.signature(damage).parameters.keys()
    return damage(page, *[_WHITE for _ in others], np.random.default_rng(seed))


_WHITE = np.asarray(stacks.white())


if __name__ == "__main__":
    main()
