"""The two-dimensional codes on a page, as text: the ID card's says in full what its print says in part.

Looking for one costs 0.3 to 0.8 CPU seconds on an A4 page at 300 dpi, so that only pages are searched that speak of an
ID card; other codes lead to addresses of the paper's own system and say nothing about the paper.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitize.types import Box, PageCode
from digitize.words.vietnamese import fold, nfc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitize.types import OcrPage

_CARD = re.compile(r"can cuoc|citizen identity|identity card|chung minh nhan dan")
_LONGEST = 1000


def may_have_card(ocr: OcrPage) -> bool:
    """Whether a page's words speak of an identity card."""
    return bool(_CARD.search(fold(ocr.text)))


def codes(pixels: NDArray[np.uint8]) -> tuple[PageCode, ...]:
    """Read the QR codes of a page.

    Args:
        pixels: RGB, upright.

    Returns:
        What could be read, from the top of the page; text NFC.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    try:
        _, texts, corners, _ = cv2.QRCodeDetector().detectAndDecodeMulti(grey)
    except (cv2.error, UnicodeDecodeError):  # a code that isn't text, or none after all
        return ()
    found = []
    for text, outline in zip(texts, corners if corners is not None else (), strict=False):
        if text and len(text) <= _LONGEST:
            left, top = np.floor(outline.min(axis=0)).astype(int).tolist()
            right, bottom = np.ceil(outline.max(axis=0)).astype(int).tolist()
            found.append(PageCode(nfc(text), Box(left, top, right, bottom)))
    return tuple(sorted(found, key=lambda code: code.box.top))
