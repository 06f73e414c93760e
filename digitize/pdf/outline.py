"""Bookmarks: where each document within a scan begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from digitize.pdf.file import dictionary, reference, text_string
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitize.pdf.file import PdfFile
    from digitize.types import OcrPage

_NATION = "cong hoa xa hoi chu nghia viet nam"
_HEAD = 0.3  # of the page's height, within which the national title of a document stands


@dataclass(frozen=True)
class Bookmark:
    """A name in the outline and the page object that it leads to."""

    name: str
    page: int


def begins_document(ocr: OcrPage) -> bool:
    """Whether the nation's name stands at the head of the page, as on the first page of every official document."""
    head = " ".join(word.text for word in ocr.words if word.box.bottom < _HEAD * ocr.height_px)
    return _NATION in fold(head)


def put(pdf: PdfFile, bookmarks: Sequence[Bookmark]) -> int:
    """Write the outline; returns its number."""
    root = pdf.reserve()
    numbers = [pdf.reserve() for _ in bookmarks]
    for place, (number, bookmark) in enumerate(zip(numbers, bookmarks, strict=True)):
        entries = {
            "Title": text_string(bookmark.name),
            "Parent": reference(root),
            "Dest": b"[%s /Fit]" % reference(bookmark.page),
        }
        if place:
            entries["Prev"] = reference(numbers[place - 1])
        if place < len(numbers) - 1:
            entries["Next"] = reference(numbers[place + 1])
        pdf.put(dictionary(entries), number=number)
    ends = {"First": reference(numbers[0]), "Last": reference(numbers[-1]), "Count": b"%d" % len(numbers)}
    return pdf.put(dictionary({"Type": b"/Outlines", **ends}), number=root)
