"""Measure how exactly fields are found: on papers made here, as perfect words, with a reader's slips, or really read.

    python bench/fields.py [--count N] [--seed N] [--slips SHARE] [--read FOLDER] [--show KEY] [--land]

Without --read the words are known exactly; --slips makes a share of them wrong as Tesseract would. With --read each
paper is drawn (200 and 300 dpi in turn) and read by the pipeline; what was read is kept in FOLDER and not read again.
With --land the papers are land certificates, and only what such a one is known by is compared.

Of each field: how often it stands on paper, exact %, left out or in doubt %, wrong and shown as sure (silent), and the
upper bound of the silent share at 95% (rule of three, Wilson where there are some).
"""

from __future__ import annotations

import argparse
import math
import pickle
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.paper import as_read, drawn
from bench.paper_kinds import make, make_land
from digitize import fields
from digitize.types import OcrPage, PageImage
from dossiers.record import SURE_FROM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.paper import Paper


LAND = ("land_serial", "land_register", "parcel", "map_sheet")


@dataclass
class Count:
    """What became of one field over all papers."""

    stands: int = 0
    exact: int = 0
    sure: int = 0
    silent: int = 0
    doubted_wrong: int = 0
    missing: int = 0
    values: set[str] = field(default_factory=set)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slips", type=float, default=0.0)
    parser.add_argument("--read", type=Path)
    parser.add_argument("--show", default="", help="key of which every miss is printed; 'silent' for all silent errors")
    parser.add_argument("--land", action="store_true")
    given = parser.parse_args()
    counts: dict[str, Count] = defaultdict(Count)
    for seed in range(given.seed * 100_000, given.seed * 100_000 + given.count):
        paper, pages = _pages(seed, given.slips, given.read, make_land if given.land else make)
        for key, said in compare(paper, pages, counts):
            if given.show in (key, "all") or (given.show == "silent" and said.startswith("silent")):
                print(seed, paper.kind, key, said)
    _print(counts)


def _pages(
    seed: int, slips: float, folder: Path | None, made: Callable[[int], Paper] = make
) -> tuple[Paper, list[OcrPage]]:
    if folder is None:
        paper = made(seed)
        return paper, as_read(paper, seed=seed, slips=slips)
    kept = folder / f"{seed}.pkl"
    if not kept.exists():
        from digitize import pipeline

        folder.mkdir(parents=True, exist_ok=True)
        paper, dpi = made(seed), (200, 300)[seed % 2]
        images = [PageImage(drawn(paper, n, dpi=dpi, seed=seed), float(dpi)) for n in range(len(paper.sheets))]
        kept.write_bytes(pickle.dumps((paper, [pipeline.read_page(image).ocr for image in images])))
    paper, pages = pickle.loads(kept.read_bytes())  # noqa: S301  written by the line above
    return paper, pages


def compare(paper: Paper, pages: list[OcrPage], counts: dict[str, Count]) -> Iterator[tuple[str, str]]:
    """Count each field of one paper and yield what isn't exact."""
    found = {f.key: f for f in fields.extract(pages)}
    for key in {*paper.truth, *(LAND if paper.kind == "land" else found)} & {*paper.truth, *found}:
        count, truth, got = counts[key], paper.truth.get(key), found.get(key)
        sure = got is not None and bool(got.value) and got.confidence >= SURE_FROM
        if truth is not None:
            count.stands += 1
            count.values.add(truth)
        count.sure += sure
        if got is not None and truth == got.value and not (sure and key in paper.doubtful):
            count.exact += 1
        elif sure:
            count.silent += 1
            yield key, f"silent: {truth!r} read {got.value!r} sure {got.confidence:.0f}"  # type: ignore[union-attr]
        elif got is not None and got.value:
            count.doubted_wrong += 1
            yield key, f"doubted: {truth!r} read {got.value!r} sure {got.confidence:.0f}"
        else:
            count.missing += 1
            yield key, f"left out: {truth!r}"


def upper_bound(errors: int, trials: int) -> float:
    """The share of errors is below this with 95% confidence: 3/n without errors, else Wilson's upper limit."""
    if trials == 0:
        return 1.0
    if errors == 0:
        return min(1.0, 3 / trials)
    z, share = 1.96, errors / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return (middle + spread) / (1 + z * z / trials)


def _print(counts: dict[str, Count]) -> None:
    print(
        f"{'field':16}{'papers':>7}{'values':>7}{'exact%':>8}{'sure%':>7}{'doubt%':>7}{'out%':>6}{'silent':>7}{'below':>8}"
    )
    for key in sorted(counts):
        c = counts[key]
        stands = max(1, c.stands)
        row = (100 * c.exact / stands, 100 * c.sure / stands, 100 * c.doubted_wrong / stands, 100 * c.missing / stands)
        print(
            f"{key:16}{c.stands:7}{len(c.values):7}{row[0]:8.2f}{row[1]:7.1f}{row[2]:7.2f}{row[3]:6.2f}{c.silent:7}"
            f"{100 * upper_bound(c.silent, c.sure):7.3f}%"
        )
    stands, exact = sum(c.stands for c in counts.values()), sum(c.exact for c in counts.values())
    sure, silent = sum(c.sure for c in counts.values()), sum(c.silent for c in counts.values())
    print(
        f"all: {stands} values, {100 * exact / stands:.2f}% exact, {100 * sure / stands:.1f}% sure, {silent} of {sure} "
        f"silently wrong, below {100 * upper_bound(silent, sure):.3f}%"
    )


if __name__ == "__main__":
    main()
