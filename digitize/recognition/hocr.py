"""hOCR → `OcrPage`: what Tesseract says it read, as values.

hOCR is XHTML with the geometry in `title` attributes: "bbox 10 20 30 40; baseline 0.01 -5; x_wconf 96". Pure.
Source: the hOCR 1.2 specification, sections 3 and 5, and Tesseract's own writer.
"""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from digitize.recognition.reading_order import in_order
from digitize.types import Box, OcrPage, OcrWord

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINES = {"ocr_line", "ocr_caption", "ocr_header", "ocr_textfloat"}
_BBOX = re.compile(r"\bbbox (-?\d+) (-?\d+) (-?\d+) (-?\d+)")
_BASELINE = re.compile(r"\bbaseline (-?[\d.]+(?:e-?\d+)?) (-?[\d.]+(?:e-?\d+)?)")
_CONFIDENCE = re.compile(r"\bx_wconf (-?[\d.]+)")


def parse(hocr: bytes, *, width_px: int, height_px: int, dpi: float, scale: float = 1.0) -> OcrPage:
    """Read the words of the first page.

    Args:
        hocr: As Tesseract wrote it.
        width_px, height_px, dpi: Of the page.
        scale: How large the picture that was read is beside the page.

    Returns:
        Words in reading order, NFC, boxes cut to the page. The mean confidence is weighted by letters, so
        that specks read as punctuation don't hide good text.
    """
    root = ET.fromstring(hocr)  # noqa: S314  Tesseract wrote it, on this machine
    words = in_order(tuple(_words(root, width_px, height_px, scale)))
    return OcrPage(width_px, height_px, dpi, words, mean_confidence(words))


def mean_confidence(words: tuple[OcrWord, ...]) -> float:
    """Mean over letters; 0 when there is nothing."""
    letters = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / letters if letters else 0.0


def _words(root: ET.Element, width: int, height: int, scale: float) -> Iterator[OcrWord]:
    block = paragraph = line = -1
    for area in _having(root, {"ocr_carea"}):
        block += 1
        for part in _having(area, {"ocr_par"}):
            paragraph += 1
            for row in _having(part, _LINES):
                line += 1
                baseline = _baseline(row.get("title", ""), scale)
                for element in _having(row, {"ocrx_word"}):
                    title = element.get("title", "")
                    text = "".join(unicodedata.normalize("NFC", "".join(element.itertext())).split())
                    box = _box(title, width, height, scale)
                    if text and box:
                        confidence = _CONFIDENCE.search(title)
                        yield OcrWord(
                            text,
                            box,
                            float(confidence[1]) if confidence else 0.0,
                            block=block,
                            paragraph=paragraph,
                            line=line,
                            baseline=baseline,
                        )


def _having(element: ET.Element, classes: set[str]) -> Iterator[ET.Element]:
    return (child for child in element.iter() if child.get("class") in classes)


def _box(title: str, width: int, height: int, scale: float) -> Box | None:
    found = _BBOX.search(title)
    if not found:
        return None
    left, top, right, bottom = (round(int(value) / scale) for value in found.groups())
    left, right = max(0, left), min(width, right)
    top, bottom = max(0, top), min(height, bottom)
    return Box(left, top, right, bottom) if left < right and top < bottom else None


def _baseline(title: str, scale: float) -> tuple[float, float]:
    found = _BASELINE.search(title)
    return (float(found[1]), float(found[2]) / scale) if found else (0.0, 0.0)
