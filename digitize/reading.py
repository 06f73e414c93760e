"""A page's reading kept as JSON beside its picture, and what people corrected in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from digitize.types import Box, Flag, OcrPage, OcrWord, PageFlags, ReadPage
from digitize.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMA = 1


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
    if schema != SCHEMA:
        raise UnknownReading(f"schema {schema}, expected {SCHEMA}")


def corrected(ocr: OcrPage, corrections: Mapping[int, str]) -> OcrPage:
    """The page as a person has corrected it; the raw reading stays where it is kept.

    Args:
        ocr: As read.
        corrections: Index of the word → what it should be. "" drops the word; several words share its box by length.
            An index that isn't there is passed over: a later reading may have fewer words.
    """
    return replace(ocr, words=tuple(_corrected_words(ocr.words, corrections)))


def _corrected_words(words: tuple[OcrWord, ...], corrections: Mapping[int, str]) -> Iterator[OcrWord]:
    for index, word in enumerate(words):
        if index not in corrections:
            yield word
            continue
        parts = nfc(corrections[index]).split()
        letters = sum(map(len, parts)) + max(0, len(parts) - 1)
        width = word.box.right - word.box.left
        start = 0
        for part in parts:
            end = start + len(part)
            left = word.box.left + width * start // letters
            right = max(left + 1, word.box.left + width * end // letters)
            yield replace(word, text=part, box=replace(word.box, left=left, right=right), confidence=100.0)
            start = end + 1


def _word_out(word: OcrWord) -> list[Any]:
    box = word.box
    return [
        word.text,
        [box.left, box.top, box.right, box.bottom],
        word.confidence,
        [word.block, word.paragraph, word.line],
        list(word.baseline),
    ]


def _word_in(entry: list[Any]) -> OcrWord:
    text, box, confidence, (block, paragraph, line), (slope, offset) = entry
    left, top, right, bottom = (int(value) for value in box)
    return OcrWord(
        text=str(text),
        box=Box(left, top, right, bottom),
        confidence=float(confidence),
        block=int(block),
        paragraph=int(paragraph),
        line=int(line),
        baseline=(float(slope), float(offset)),
    )
