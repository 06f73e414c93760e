"""A page's reading kept as JSON beside its picture, and what people corrected in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from digitize.types import (
    Box,
    Cell,
    Flag,
    OcrPage,
    OcrWord,
    PageCode,
    PageFlags,
    PenMark,
    PenZone,
    ReadPage,
    Repair,
    Table,
)
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMA = 2
#: Of the width that words typed beside another want: with less they share its box.
_LEAST_ROOM = 0.5
#: Readings kept before words had a history are still read.
_READABLE = (1, SCHEMA)


class UnknownReading(ValueError):
    """The bytes are no reading, or of a schema newer than this program."""


def to_json(page: ReadPage) -> bytes:
    """Everything of the page but its picture. The same page always gives the same bytes."""
    ocr = page.ocr
    content = {
        "schema": SCHEMA,
        "width_px": ocr.width_px,
        "height_px": ocr.height_px,
        "dpi": ocr.dpi,
        "mean_confidence": ocr.mean_confidence,
        "picture_type": page.picture_type,
        "flags": sorted(flag.value for flag in page.flags.flags),
        "measured": dict(sorted(page.flags.measured.items())),
        "steps": list(page.steps),
        "turned_deg": page.turned_deg,
        "skew_deg": page.skew_deg,
        "words": [_word_out(word) for word in ocr.words],
        "tables": [_table_out(table) for table in ocr.tables],
        "pen": [[mark.zone.value, _box_out(mark.box)] for mark in ocr.pen],
        "codes": [[code.text, _box_out(code.box)] for code in ocr.codes],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def from_json(data: bytes, *, picture: bytes = b"") -> ReadPage:
    """The page again, with `picture` put back if it is given.

    Raises:
        UnknownReading: Not what `to_json` writes.
    """
    try:
        content = json.loads(data)
        _check_schema(content["schema"])
        ocr = OcrPage(
            width_px=int(content["width_px"]),
            height_px=int(content["height_px"]),
            dpi=float(content["dpi"]),
            words=tuple(_word_in(word) for word in content["words"]),
            mean_confidence=float(content["mean_confidence"]),
            tables=tuple(_table_in(table) for table in content.get("tables", [])),
            pen=tuple(PenMark(_box_in(box), PenZone(zone)) for zone, box in content.get("pen", [])),
            codes=tuple(PageCode(str(text), _box_in(box)) for text, box in content.get("codes", [])),
        )
        flags = PageFlags(
            frozenset(Flag(value) for value in content["flags"]),
            {str(name): float(value) for name, value in content["measured"].items()},
        )
        return ReadPage(
            picture=picture,
            picture_type=str(content["picture_type"]),
            ocr=ocr,
            flags=flags,
            steps=tuple(str(step) for step in content["steps"]),
            turned_deg=int(content["turned_deg"]),
            skew_deg=float(content["skew_deg"]),
        )
    except UnknownReading:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnknownReading(f"not a reading: {error!r}") from error


def _check_schema(schema: object) -> None:
    if schema not in _READABLE:
        raise UnknownReading(f"schema {schema}, expected one of {_READABLE}")


def corrected(ocr: OcrPage, corrections: Mapping[int, str]) -> OcrPage:
    """The page as a person has corrected it; the raw reading stays where it is kept.

    Args:
        ocr: As read.
        corrections: Index of the word → what it should be. "" drops the word. Of several words the one as long as what
            was read keeps its box when the others have room beside it; otherwise they share it by length. An index that
            isn't there is passed over: a later reading may have fewer words.
    """
    return replace(ocr, words=tuple(_corrected_words(ocr.words, corrections)))


def _corrected_words(words: tuple[OcrWord, ...], corrections: Mapping[int, str]) -> Iterator[OcrWord]:
    for index, word in enumerate(words):
        if index not in corrections:
            yield word
            continue
        for part, box in _placed(nfc(corrections[index]).split(), words, index):
            yield replace(word, text=part, box=box, confidence=100.0)


def _placed(parts: list[str], words: tuple[OcrWord, ...], index: int) -> Iterator[tuple[str, Box]]:
    """Each part of a corrected word with its place."""
    word = words[index]
    beside = words[index - 1 : index] if index else ()
    left = max((other.box.right for other in beside if _in_line(other, word)), default=0)
    beside = words[index + 1 : index + 2]
    right = min((other.box.left for other in beside if _in_line(other, word)), default=None)
    if len(parts) > 1 and len(parts[0]) == len(word.text):
        more = _beside(word, parts[1:], word.box.right, right)
        if more is not None:
            yield parts[0], word.box
            yield from _shared(parts[1:], more)
            return
    if len(parts) > 1 and len(parts[-1]) == len(word.text):
        more = _beside(word, parts[:-1], left, word.box.left, at_end=True)
        if more is not None:
            yield from _shared(parts[:-1], more)
            yield parts[-1], word.box
            return
    yield from _shared(parts, word.box)


def _in_line(one: OcrWord, other: OcrWord) -> bool:
    return (one.block, one.paragraph, one.line) == (other.block, other.paragraph, other.line)


def _beside(word: OcrWord, parts: list[str], left: int, right: int | None, *, at_end: bool = False) -> Box | None:
    """The place of words typed beside one that was read, in letters as wide as its own; None where there is no room.

    Args:
        left, right: The gap beside the word, in pixels; an end of the line is as wide as the words need.
        at_end: Whether they end at the word instead of beginning there.
    """
    letter = max(1, (word.box.right - word.box.left) // len(word.text))
    wanted = letter * len(" ".join(parts))
    gap = letter // 2
    room = wanted if right is None else right - left - 2 * gap
    if room < _LEAST_ROOM * wanted:
        return None
    wide = min(wanted, room)
    start = (right or 0) - gap - wide if at_end else left + gap
    return replace(word.box, left=start, right=start + wide)


def _shared(parts: list[str], box: Box) -> Iterator[tuple[str, Box]]:
    """A box divided among words by their length."""
    letters = len(" ".join(parts))
    width = box.right - box.left
    start = 0
    for part in parts:
        end = start + len(part)
        left = box.left + width * start // letters
        yield part, replace(box, left=left, right=max(left + 1, box.left + width * end // letters))
        start = end + 1


def _word_out(word: OcrWord) -> list[Any]:
    entry: list[Any] = [
        word.text,
        _box_out(word.box),
        word.confidence,
        [word.block, word.paragraph, word.line],
        list(word.baseline),
    ]
    more: dict[str, Any] = {}
    if word.repair:
        more |= {"raw": word.raw, "repair": word.repair.value}
    if word.by_pen:
        more["by_pen"] = True
    if word.risk is not None:
        more["risk"] = round(word.risk, 4)
    return [*entry, more] if more else entry


def _word_in(entry: list[Any]) -> OcrWord:
    text, box, confidence, (block, paragraph, line), (slope, offset), *rest = entry
    more = rest[0] if rest else {}
    return OcrWord(
        text=str(text),
        box=_box_in(box),
        confidence=float(confidence),
        block=int(block),
        paragraph=int(paragraph),
        line=int(line),
        baseline=(float(slope), float(offset)),
        raw=str(more.get("raw", "")),
        repair=Repair(more["repair"]) if "repair" in more else None,
        by_pen=bool(more.get("by_pen", False)),
        risk=float(more["risk"]) if "risk" in more else None,
    )


def _table_out(table: Table) -> dict[str, Any]:
    return {
        "box": _box_out(table.box),
        "cells": [[cell.row, cell.column, cell.rows, cell.columns, _box_out(cell.box)] for cell in table.cells],
    }


def _table_in(entry: Mapping[str, Any]) -> Table:
    return Table(
        _box_in(entry["box"]),
        tuple(
            Cell(int(row), int(column), _box_in(box), int(rows), int(columns))
            for row, column, rows, columns, box in entry["cells"]
        ),
    )


def _box_out(box: Box) -> list[int]:
    return [box.left, box.top, box.right, box.bottom]


def _box_in(sides: list[Any]) -> Box:
    left, top, right, bottom = (int(side) for side in sides)
    return Box(left, top, right, bottom)
