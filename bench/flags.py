"""Count the misses and the false alarms of every flag on pages whose faults are known.

    python bench/flags.py [--pages N] [--seed N] [--list] [--files N]

Pages of `bench/damaged.py` are spoilt one way each; every flag is judged on all of them, but where a way of spoiling
makes another flag a matter of taste. Bounds are Wilson's at 95%. Nothing is recognised: what reading alone can tell
(doubtful reading) is measured elsewhere. With --files, instead: what the pages of one file say of each other, on N
files of each way of `bench/files.py`.
"""

from __future__ import annotations

import argparse
import math
import resource
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import damaged, damages, files
from digitize import pipeline, quality, sequence
from digitize.cleaning import crop
from digitize.types import Flag, PageFlags, PageImage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Rng = np.random.Generator
Made = tuple[PageImage, frozenset[Flag], frozenset[Flag]]  # page, its faults, flags that are a matter of taste there
_DPI = 200
JUDGED = (
    Flag.LOW_RESOLUTION,
    Flag.BLANK,
    Flag.BLURRED,
    Flag.CUT_EDGE,
    Flag.DARK,
    Flag.GLARE,
    Flag.BLEED_THROUGH,
    Flag.UNUSUAL_SIZE,
    Flag.TURNED,
    Flag.SKEWED,
    Flag.TWO_PAGES,
)


def _print(number: int, dpi: int = _DPI) -> np.ndarray:
    return damaged.page(number, dpi=dpi)[0]


def _scan(number: int, rng: Rng) -> Made:
    dpi = int(rng.choice([200, 200, 300]))
    return PageImage(damages.scanned(_print(number, dpi), rng), dpi), frozenset(), frozenset()


def _coarse(number: int, rng: Rng) -> Made:
    dpi = int(rng.choice([100, 120, 150, 180]))
    page = PageImage(damages.scanned(_print(number, dpi), rng), dpi)
    return page, frozenset({Flag.LOW_RESOLUTION}), frozenset({Flag.BLURRED})


def _empty(_: int, rng: Rng) -> Made:
    paper = np.full((2339, 1654, 3), 255, np.uint8)
    if rng.random() < 0.5:  # with the back showing through, or with dust
        back = _print(int(rng.integers(100)))
        paper = cv2.addWeighted(paper, 0.94, cv2.GaussianBlur(back[:, ::-1], (0, 0), 3), 0.06, 0)
    return PageImage(damages.scanned(paper, rng), _DPI), frozenset({Flag.BLANK}), frozenset()


def _seal_only(_: int, rng: Rng) -> Made:
    paper = np.full((2339, 1654, 3), 255, np.uint8)
    centre = tuple(map(int, rng.uniform((300, 300), (1300, 2000))))
    colour = tuple(map(int, rng.uniform((190, 40, 40), (235, 110, 110))))
    cv2.circle(paper, centre, 140, colour, 8, cv2.LINE_AA)
    cv2.circle(paper, centre, 95, colour, 4, cv2.LINE_AA)
    return PageImage(damages.scanned(paper, rng), _DPI), frozenset(), frozenset({Flag.BLURRED})


def _pencil_only(_: int, rng: Rng) -> Made:
    paper = np.full((2339, 1654, 3), 255, np.uint8)
    start = rng.uniform((250, 300), (900, 2000))
    length, level = rng.uniform(80, 400), int(rng.uniform(150, 200))
    stroke = np.stack([start[0] + np.linspace(0, length, 40), start[1] + 25 * np.sin(np.linspace(0, 9, 40))], axis=1)
    cv2.polylines(
        paper, [stroke.astype(np.int32)], isClosed=False, color=(level,) * 3, thickness=3, lineType=cv2.LINE_AA
    )
    return PageImage(damages.scanned(paper, rng), _DPI), frozenset(), frozenset({Flag.BLURRED})


def _odd_size(number: int, rng: Rng) -> Made:
    height = int(rng.uniform(1300, 1550)) if rng.random() < 0.5 else int(rng.uniform(1850, 2150))
    pixels = damages.scanned(_print(number)[:height], rng)
    return PageImage(pixels, _DPI), frozenset({Flag.UNUSUAL_SIZE}), frozenset({Flag.CUT_EDGE})


def _turned(number: int, rng: Rng) -> Made:
    turns = int(rng.integers(1, 4))
    return (
        PageImage(np.rot90(damages.scanned(_print(number), rng), turns).copy(), _DPI),
        frozenset({Flag.TURNED}),
        frozenset(),
    )


def _leaning(number: int, rng: Rng) -> Made:
    lean = rng.uniform(3.3, 8) * rng.choice([-1, 1])
    return PageImage(_rotated(_print(number), lean, rng), _DPI), frozenset({Flag.SKEWED}), frozenset({Flag.CUT_EDGE})


def _hardly_leaning(number: int, rng: Rng) -> Made:
    return PageImage(_rotated(_print(number), rng.uniform(-2.7, 2.7), rng), _DPI), frozenset(), frozenset()


def _rotated(page: np.ndarray, lean_deg: float, rng: Rng) -> np.ndarray:
    height, width = page.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), lean_deg, 1.0)
    turned = cv2.warpAffine(page, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(255, 255, 255))
    return damages.scanned(turned, rng)


def _opened(number: int, rng: Rng) -> Made:
    pixels = damages.opened(_print(number), _print(number + 1), rng)
    if rng.random() < 0.5:
        return damaged.as_photo(damages.photographed(pixels, rng)), frozenset({Flag.TWO_PAGES}), _OF_PHOTOS
    return PageImage(pixels, _DPI), frozenset({Flag.TWO_PAGES}), frozenset({Flag.UNUSUAL_SIZE})


def _landscape(number: int, rng: Rng) -> Made:
    """One landscape page: a title across the middle, and below it two columns or a ruled table."""
    upright = _print(number)
    page = np.full((1654, 2339, 3), 255, np.uint8)
    page[150:320, 350:1950] = upright[160:330, 50:1650]
    half = upright[160:1100, 180:1080]
    page[400:1340, 180:1080] = half
    page[400:1340, 1260:2160] = half[:, ::1]
    if rng.random() < 0.5:
        for row in range(390, 1360, 95):
            cv2.line(page, (160, row), (2180, row), (30, 30, 30), 3)
    return PageImage(damages.scanned(page, rng), _DPI), frozenset(), frozenset()


_OF_PHOTOS = frozenset({Flag.LOW_RESOLUTION, Flag.UNUSUAL_SIZE})


def _damaged(name: str, fault: Flag | None, taste: frozenset[Flag] = frozenset()) -> Callable[[int, Rng], Made]:
    def make(number: int, rng: Rng) -> Made:
        pixels = damages.DAMAGES[name](_print(number), rng)
        page = damaged.as_photo(pixels) if name in {"photographed", "on_a_screen"} else PageImage(pixels, _DPI)
        ignored = taste | (_OF_PHOTOS if page.dpi_is_stated is False else frozenset())
        return page, frozenset({fault} if fault else ()), ignored

    return make


def _shining_through(number: int, rng: Rng) -> Made:
    page = damages.shining_through(_print(number), _print(number + 1), rng)
    return PageImage(page, _DPI), frozenset({Flag.BLEED_THROUGH}), frozenset()


WAYS: dict[str, Callable[[int, Rng], Made]] = {
    "scan": _scan,
    "coarse": _coarse,
    "empty": _empty,
    "seal only": _seal_only,
    "pencil only": _pencil_only,
    "odd size": _odd_size,
    "turned": _turned,
    "leaning": _leaning,
    "hardly leaning": _hardly_leaning,
    "opened": _opened,
    "landscape": _landscape,
    "shining through": _shining_through,
    "out of focus": _damaged("out_of_focus", Flag.BLURRED),
    "cut off": _damaged("cut_off", Flag.CUT_EDGE),
    "in the dark": _damaged("in_the_dark", Flag.DARK, frozenset({Flag.BLURRED})),
    "glaring": _damaged("glaring", Flag.GLARE),
    "photographed": _damaged("photographed", None, frozenset({Flag.DARK})),
    "curled": _damaged("curled", None, frozenset({Flag.UNUSUAL_SIZE})),
    "in a binding": _damaged("in_a_binding", None),
    "held": _damaged("held", None),
    "punched": _damaged("punched", None),
    "faint": _damaged("faint", None),
    "on a screen": _damaged("on_a_screen", None, frozenset({Flag.BLURRED, Flag.SKEWED})),
}


def judged(image: PageImage) -> PageFlags:
    """All flags that need no reading."""
    corners = crop.find_sheet(image)
    sheet = image if corners is None else crop.cut(image, corners)
    before = quality.flags_of_sheet(sheet, was_cut_out=corners is not None)
    if Flag.BLANK in before.flags:
        return before
    found = set(before.flags)
    cleaned = pipeline._clean(sheet, was_cut_out=corners is not None)  # noqa: SLF001  all but the reading
    found |= {Flag.TURNED} if cleaned.turned_deg else set()
    found |= {Flag.SKEWED} if abs(cleaned.skew_deg) > 3 else set()
    found |= {Flag.TWO_PAGES} if cleaned.fold else set()
    return PageFlags(frozenset(found), before.measured)


def wilson(events: int, cases: int) -> tuple[float, float]:
    """The 95% interval of a share, in per cent."""
    if not cases:
        return 0.0, 100.0
    z, share = 1.96, events / cases
    middle = share + z * z / (2 * cases)
    reach = z * math.sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))
    low, high = (middle - reach) / (1 + z * z / cases), (middle + reach) / (1 + z * z / cases)
    return 100 * max(low, 0.0), 100 * min(high, 1.0)


def _cases(pages: int, seed: int) -> Iterator[tuple[str, int, Made]]:
    for index, (way, make) in enumerate(WAYS.items()):
        for number in range(pages):
            yield way, number, make(number, np.random.default_rng([seed, index, number]))


def _of_files(number: int, seed: int, *, listed: bool) -> dict[Flag, dict[str, int]]:
    """Misses a fault, false alarms a page; where any page may be blamed, one that is blamed is enough."""
    counts: dict[Flag, dict[str, int]] = {flag: defaultdict(int) for flag in sorted(sequence.REMARKS)}
    for way, which, file in files.made(number, seed):
        found = sequence.remarks([text for text, _ in file.scans], [look for _, look in file.scans])
        for flag, count in counts.items():
            if flag is file.anywhere:
                pages = {0: any(flag in page for page in found)}
                faults = {0}
            else:
                pages = {page: flag in flags for page, flags in enumerate(found)}
                faults = {page for page, fault in file.faults.items() if fault is flag}
            for page, said in pages.items():
                is_so = page in faults
                count["with" if is_so else "without"] += 1
                count["missed" if is_so else "alarms"] += is_so != said
                if listed and is_so != said:
                    print("missed" if is_so else "alarm", flag.value, way, which, "page", page)
    return counts


def _table(counts: dict[Flag, dict[str, int]]) -> None:
    print(f"{'flag':16} {'with':>5} {'without':>8}   missed              false alarms")
    for flag, count in counts.items():
        missed, alarms = count["missed"], count["alarms"]
        bounds = "{:3d} ({:.1f} to {:.1f}%)"
        print(
            f"{flag.value:16} {count['with']:5d} {count['without']:8d}   "
            f"{bounds.format(missed, *wilson(missed, count['with'])):20}"
            f"{bounds.format(alarms, *wilson(alarms, count['without']))}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=12, help="of each way of spoiling")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="name every wrong judgement")
    parser.add_argument("--files", type=int, default=0, help="judge this many files of each way instead of pages")
    parser.add_argument("--only", help="ways of spoiling, with commas between")
    given = parser.parse_args()
    if given.only:
        for way in set(WAYS) - set(given.only.split(",")):
            del WAYS[way]
    if given.files:
        _table(_of_files(given.files, given.seed, listed=given.list))
        return
    counts: dict[Flag, dict[str, int]] = {flag: defaultdict(int) for flag in JUDGED}
    seconds = 0.0
    for way, number, (image, faults, taste) in _cases(given.pages, given.seed):
        start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        seen = judged(image)
        seconds += resource.getrusage(resource.RUSAGE_SELF).ru_utime - start
        for flag in JUDGED:
            if flag in taste:
                continue
            is_so, said = flag in faults, flag in seen.flags
            counts[flag]["with" if is_so else "without"] += 1
            if is_so != said:
                counts[flag]["missed" if is_so else "alarms"] += 1
                if given.list:
                    print("missed" if is_so else "alarm", flag.value, way, number, seen.measured)
    _table(counts)
    print(f"{seconds / max(1, len(WAYS) * given.pages):.2f} CPU s a page")


if __name__ == "__main__":
    main()
