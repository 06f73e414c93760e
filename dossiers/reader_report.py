"""What people made of what was read: where the reader is wrong in earnest, by field and by flag. No value is told."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dossiers import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import Begin


@dataclass(frozen=True)
class FieldTally:
    """So many values of one field met one fate.

    Attributes:
        sure: Whether it was shown as sure: read with confidence, and not by a pen.
        origin: As of `ExtractedField`: "ocr" confirmed, "corrected" changed, "typed" not found and filled in, "absent",
            "unreadable"; the last two are "corrected" where something had been read.
        looked_at: Whether a person has said anything of it; a reviewed paper's other values were left as they stood.
    """

    key: str
    sure: bool
    origin: str
    looked_at: bool
    count: int


@dataclass(frozen=True)
class FlagTally:
    """Reviewed pages of a flag ("" for those without), and how many of their words people changed or accepted."""

    flag: str
    pages: int
    touched_pages: int
    touched_words: int


@dataclass(frozen=True)
class FieldReport:
    """What became of one field's values on reviewed papers.

    Attributes:
        sure_changed: Shown as sure and wrong all the same: what no reviewer would have found by the marks.
        doubtful_changed, doubtful_confirmed: Of the doubtful ones; many confirmed are false alarms.
        filled_in: Not found by the reader, typed by a person.
        said: Said not to be on the paper, or not to be readable.
    """

    key: str
    sure: int = 0
    sure_changed: int = 0
    doubtful: int = 0
    doubtful_changed: int = 0
    doubtful_confirmed: int = 0
    filled_in: int = 0
    said: int = 0


@dataclass(frozen=True)
class ReaderReport:
    """Fields by how often they were wrong while shown as sure; flags by name."""

    fields: Sequence[FieldReport]
    flags: Sequence[FlagTally]


def report(begin: Begin) -> ReaderReport:
    """Count what became of every value and every flagged page of the papers that people have reviewed."""
    with begin() as work:
        tallies = work.components.tally_fields(sure_from=record.SURE_FROM, by_hand=record.BY_HAND)
        flags = work.components.tally_flags()
    by_key: dict[str, list[FieldTally]] = defaultdict(list)
    for tally in tallies:
        by_key[tally.key].append(tally)
    fields = [_of_field(key, those) for key, those in sorted(by_key.items())]
    return ReaderReport(
        fields=sorted(fields, key=lambda f: (-f.sure_changed, -f.doubtful_changed, f.key)),
        flags=sorted(flags, key=lambda f: f.flag),
    )


def _of_field(key: str, tallies: Sequence[FieldTally]) -> FieldReport:
    def count(*origins: str, sure: bool | None = None, looked_at: bool | None = None) -> int:
        return sum(
            t.count
            for t in tallies
            if t.origin in origins and sure in (None, t.sure) and looked_at in (None, t.looked_at)
        )

    return FieldReport(
        key=key,
        sure=count("ocr", "corrected", sure=True),
        sure_changed=count("corrected", sure=True),
        doubtful=count("ocr", "corrected", sure=False),
        doubtful_changed=count("corrected", sure=False),
        doubtful_confirmed=count("ocr", sure=False, looked_at=True),
        filled_in=count("typed"),
        said=count(*record.ANSWERS.values()),
    )
