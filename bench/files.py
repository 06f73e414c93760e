"""Files of several pages whose faults are known: fed in order, twice, swapped, short of one, two papers as one.

Pages are sheets of made papers (`bench/paper_kinds.py`), numbered from the second on as Decree 30 wants. Their words
are known, with as many slips as an ordinary reader makes, each scan anew; looks are taken from pages really drawn.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bench.paper import TOP, Placed, as_read, drawn
from bench.paper_kinds import make
from digitize import likeness
from digitize.cleaning import illumination, resample
from digitize.types import Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.paper import Paper, Sheet

_DPI = 100
_SLIPS = 0.02
_HEAD_PT = 190.0
_LONGEST = 8
_BLANK = ("", -1.0)

Scan = tuple[str, float]  # a page's text as read, and its look


@dataclass(frozen=True)
class File:
    """Scans in the order of the file, and what each is: `faults` by page; `swapped`, whether any page may be blamed."""

    scans: list[Scan]
    faults: dict[int, Flag]
    anywhere: Flag | None = None


class _Maker:
    """A file being fed, one page after the other."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"file-{seed}")  # noqa: S311  a paper, not a secret
        self.seed = seed
        self._scans = 0

    def paper(self, pages: int) -> list[tuple[Paper, Sheet]]:
        """A first page with a head, and pages of text, numbered from 2."""
        first = make(self.rng.randrange(10**6))
        sheets = [(first, first.sheets[0])]
        while len(sheets) < pages:
            other = make(self.rng.randrange(10**6))
            body = tuple(word for word in other.sheets[0].words if word.y > _HEAD_PT)
            if len(body) < 60:  # hardly a page of text
                continue
            number = Placed(str(len(sheets) + 1), 295.0, TOP - 12, 13.0, "", -1, -1)
            sheets.append((other, replace(other.sheets[0], words=(number, *body))))
        return sheets

    def scan(self, page: tuple[Paper, Sheet]) -> Scan:
        """The page on the glass once more: other slips, another lean, other grain."""
        self._scans += 1
        seed = self.seed * 1000 + self._scans
        alone = replace(page[0], sheets=(page[1],))
        (read,) = as_read(alone, seed=seed, slips=_SLIPS)
        grey = resample.grey(drawn(alone, 0, dpi=_DPI, seed=seed))
        levels = cv2.resize(illumination.background(grey), (grey.shape[1], grey.shape[0]))
        return read.text, likeness.look(grey, np.asarray(levels, dtype=np.float32))

    def scans(self, pages: list[tuple[Paper, Sheet]]) -> list[Scan]:
        return [self.scan(page) for page in pages]


def _in_order(maker: _Maker) -> File:
    scans = maker.scans(maker.paper(maker.rng.randint(2, _LONGEST)))
    if maker.rng.random() < 0.4:  # both sides fed, the backs blank
        scans = [each for scan in scans for each in (scan, _BLANK)]
    return File(scans, {})


def _fed_twice(maker: _Maker) -> File:
    pages = maker.paper(maker.rng.randint(1, _LONGEST))
    scans = maker.scans(pages)
    again = maker.rng.randrange(len(pages))
    at = maker.rng.randint(again + 1, len(pages))
    scans.insert(at, maker.scan(pages[again]))
    return File(scans, {at: Flag.SAME_AGAIN})


def _two_papers(maker: _Maker) -> File:
    first = maker.scans(maker.paper(maker.rng.randint(1, 4)))
    return File([*first, *maker.scans(maker.paper(maker.rng.randint(1, 4)))], {len(first): Flag.ANOTHER_PAPER})


def _swapped(maker: _Maker) -> File:
    scans = maker.scans(maker.paper(maker.rng.randint(3, _LONGEST)))
    at = maker.rng.randrange(1, len(scans) - 1)
    scans[at], scans[at + 1] = scans[at + 1], scans[at]
    return File(scans, {}, Flag.OUT_OF_ORDER)


def _one_missing(maker: _Maker) -> File:
    scans = maker.scans(maker.paper(maker.rng.randint(4, _LONGEST)))
    del scans[maker.rng.randrange(2, len(scans) - 1)]  # the first number to be seen, and the last, can't be missed
    return File(scans, {}, Flag.OUT_OF_ORDER)


def _form_for_two(maker: _Maker) -> File:
    """One form filled in twice: its words stay, numbers and a few names are others."""
    paper, sheet = maker.paper(1)[0]
    words = [word for word in sheet.words if not word.text.isdigit()]
    others = tuple(
        replace(word, text="".join(str(maker.rng.randrange(10)) if c.isdigit() else c for c in word.text))
        if any(map(str.isdigit, word.text))
        else replace(word, text=maker.rng.choice(words).text)
        if word.y > _HEAD_PT and maker.rng.random() < 0.03
        else word
        for word in sheet.words
    )
    scans = [maker.scan((paper, sheet)), maker.scan((paper, replace(sheet, words=others)))]
    # A title in capitals stands on both: that they are two papers is right.
    return File(scans, {1: Flag.ANOTHER_PAPER})


WAYS: dict[str, Callable[[_Maker], File]] = {
    "in order": _in_order,
    "fed twice": _fed_twice,
    "two papers": _two_papers,
    "swapped": _swapped,
    "one missing": _one_missing,
    "form for two": _form_for_two,
}


def made(files: int, seed: int) -> Iterator[tuple[str, int, File]]:
    """So many files of each way, always the same for a seed."""
    for index, (way, make_one) in enumerate(WAYS.items()):
        for number in range(files):
            yield way, number, make_one(_Maker((seed * 100 + index) * 100_000 + number))
