"""The lines of a page as a person reads them, and a line typed anew put back onto its words. Pure.

Whoever goes through a badly read page types whole lines. What is kept is still a text for each word that was read, so
that words which stay the same keep their places on the paper and later readings can be lined up with them.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from digitize.words.vietnamese import fold, nfc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digitize.types import OcrPage

#: A word left out, or one more, costs so much; taking one word for another at most 1, so that words are paired first.
_GAP = 0.55
_SAME_LETTERS = 0.15  # other marks or capitals on the same letters
_MOST_PAIRS = 10_000


def lines_of(ocr: OcrPage) -> list[range]:
    """Each line of the page as the indexes of its words, in reading order."""
    lines, start = [], 0
    for _, words in groupby(ocr.words, key=lambda word: (word.block, word.paragraph, word.line)):
        end = start + sum(1 for _ in words)
        lines.append(range(start, end))
        start = end
    return lines


def standing(ocr: OcrPage, corrections: Mapping[int, str], line: range) -> str:
    """A line as it counts now: what a person made of its words, the reading elsewhere."""
    return " ".join(filter(None, (corrections.get(index, ocr.words[index].text) for index in line)))


def onto_words(words: Sequence[str], typed: str) -> list[str]:
    """What each word of a line becomes when the line is typed so.

    Args:
        words: As they count now: "" was left out, several words may stand in the place of one.
        typed: The whole line; blanks part its words.

    Returns:
        One text a word of `words`: the same where nothing changed, "" where it is gone. A word more goes to the one
        before it, at the beginning to the one behind it.
    """
    new = nfc(typed).split()
    old = [(owner, part) for owner, word in enumerate(words) for part in word.split()]
    given: list[list[str]] = [[] for _ in words]
    if not old:
        return [" ".join(new), *("" for _ in words[1:])]
    ahead: list[str] = []
    last: int | None = None
    for before, after in _paired([part for _, part in old], new):
        if before is not None and after is not None:
            last = old[before][0]
            given[last] += [*ahead, new[after]]
            ahead = []
        elif after is not None and last is not None:
            given[last].append(new[after])
        elif after is not None:
            ahead.append(new[after])
    return [" ".join(parts) for parts in given]


def _paired(old: Sequence[str], new: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """The cheapest way to make one row of words the other, in order: index and index, or None where one has no match.

    Needleman and Wunsch, 1970, over words. Equal beginnings and ends are never weighed.
    """
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - head) if old[-1 - i] != new[-1 - i]), most - head)
    pairs: list[tuple[int | None, int | None]] = [(i, i) for i in range(head)]
    pairs += _weighed(old, new, range(head, len(old) - tail), range(head, len(new) - tail))
    return [*pairs, *((len(old) - i, len(new) - i) for i in range(tail, 0, -1))]


def _weighed(
    old: Sequence[str], new: Sequence[str], rows: range, columns: range
) -> list[tuple[int | None, int | None]]:
    if len(rows) * len(columns) > _MOST_PAIRS:  # nobody types such a line: in turn, the rest to the last
        return [
            (rows[i] if i < len(rows) else None, columns[i] if i < len(columns) else None)
            for i in range(max(len(rows), len(columns)))
        ]
    cost = [[_GAP * (i + j) if not i or not j else 0.0 for j in range(len(columns) + 1)] for i in range(len(rows) + 1)]
    for i, row in enumerate(rows, start=1):
        for j, column in enumerate(columns, start=1):
            together = cost[i - 1][j - 1] + _unlike(old[row], new[column])
            cost[i][j] = min(together, cost[i - 1][j] + _GAP, cost[i][j - 1] + _GAP)
    i, j, pairs = len(rows), len(columns), list[tuple[int | None, int | None]]()
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + _unlike(old[rows[i - 1]], new[columns[j - 1]]):
            i, j = i - 1, j - 1
            pairs.append((rows[i], columns[j]))
        elif i and (not j or cost[i][j] == cost[i - 1][j] + _GAP):
            i -= 1
            pairs.append((rows[i], None))
        else:
            j -= 1
            pairs.append((None, columns[j]))
    return pairs[::-1]


def _unlike(one: str, other: str) -> float:
    """How little one word is like the other, 0 to 1: by their letters without marks."""
    if one == other:
        return 0.0
    ours, theirs = Counter(fold(one)), Counter(fold(other))
    share = 2 * (ours & theirs).total() / max(1, ours.total() + theirs.total())
    return _SAME_LETTERS + (1 - _SAME_LETTERS) * (1 - share)
