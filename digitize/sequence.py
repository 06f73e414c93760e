"""What the pages of one file say of each other: one page twice, another paper's beginning, a page out of order."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from digitize import likeness
from digitize.types import Flag
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: What only the pages together show.
REMARKS = frozenset({Flag.SAME_AGAIN, Flag.ANOTHER_PAPER, Flag.OUT_OF_ORDER})

_NEAR = 60  # pages; a sheet fed twice lies near its first scan, and nobody waits for 2,000 pages squared
_FEWEST_WORDS = 20
_SAME_WORDS = 0.9
_SAME_NUMBERS = 0.8  # two filled copies of one form have their words in common, not their numbers
_HEAD_LINES = 12
_TITLE = ("xahoichunghia", "chunghiavietnam")
_MOTTO = ("doclaptudo", "tudohanhphuc")
_IN_CAPITALS = 0.8  # of the letters of a title's line; a law's name in a sentence isn't one
_LARGEST_NUMBER = 400


def remarks(texts: Sequence[str], looks: Sequence[float]) -> tuple[frozenset[Flag], ...]:
    """For each page what stands out beside the others: a warning for a person, never a reason to drop anything.

    Args:
        texts: Of each page in the order of the file, as read.
        looks: As `likeness.look` gave them; below 0 where there is none.

    Returns:
        `SAME_AGAIN` for a page that came before, `ANOTHER_PAPER` where the national title stands a second time (several
        papers scanned as one), `OUT_OF_ORDER` where the page's own number doesn't follow the one before.
    """
    found: list[set[Flag]] = [set() for _ in texts]
    for page in _repeated(texts, looks):
        found[page].add(Flag.SAME_AGAIN)
    titled = [page for page, text in enumerate(texts) if _begins_a_paper(text)]
    for page in titled[1:]:
        if Flag.SAME_AGAIN not in found[page]:
            found[page].add(Flag.ANOTHER_PAPER)
    last: tuple[int, int] | None = None
    for page, text in enumerate(texts):
        if page in titled:
            last = None
        number = _page_number(text)
        if number is None or Flag.SAME_AGAIN in found[page]:
            continue
        if last is not None and not 1 <= number - last[1] <= page - last[0]:
            found[page].add(Flag.OUT_OF_ORDER)
        last = (page, number)
    return tuple(frozenset(flags) for flags in found)


def _repeated(texts: Sequence[str], looks: Sequence[float]) -> Iterator[int]:
    words = [Counter(re.findall(r"\w+", fold(text))) for text in texts]
    numbers = [Counter(re.findall(r"\d+", text)) for text in texts]
    for page, own in enumerate(words):
        if own.total() < _FEWEST_WORDS:
            continue
        for earlier in range(max(0, page - _NEAR), page):
            if (
                min(looks[page], looks[earlier]) >= 0
                and likeness.difference(looks[page], looks[earlier]) <= likeness.ALIKE
                and _in_common(own, words[earlier]) >= _SAME_WORDS
                and _in_common(numbers[page], numbers[earlier]) >= _SAME_NUMBERS
            ):
                yield page
                break


def _in_common(one: Counter[str], other: Counter[str]) -> float:
    both = one.total() + other.total()
    return 2 * (one & other).total() / both if both else 1.0


def _begins_a_paper(text: str) -> bool:
    head = [line for line in text.splitlines() if line.strip()][:_HEAD_LINES]
    return any(_has(line, _TITLE) and _is_in_capitals(line) for line in head) and any(
        _has(line, _MOTTO) for line in head
    )


def _has(line: str, parts: tuple[str, ...]) -> bool:
    letters = "".join(filter(str.isalpha, fold(line)))
    return any(part in letters for part in parts)


def _is_in_capitals(line: str) -> bool:
    letters = [letter for letter in line if letter.isalpha()]
    return sum(map(str.isupper, letters)) >= _IN_CAPITALS * len(letters)


def _page_number(text: str) -> int | None:
    """The number that stands alone on the first line, as Decree 30/2020 wants it from the second page on."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    number = int(first) if re.fullmatch(r"[0-9]{1,3}", first) else 0
    return number if 1 < number <= _LARGEST_NUMBER else None
