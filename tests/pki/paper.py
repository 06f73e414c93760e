"""A plain document to sign: one page, tagged, PDF/A-2a and PDF/UA-1, with room for every signature."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import typst

from signing.types import Place, SignaturePlace

LEADER_PLACE = SignaturePlace(Place.LEADER, 1, (350, 300, 503, 362))
SEAL_PLACE = SignaturePlace(Place.SEAL, 1, (299, 280, 401, 382))
COPY_PLACE = SignaturePlace(Place.COPY, 1, (417, 804, 587, 834))
SCANNER_PLACE = SignaturePlace(Place.SCANNER, 1, (8, 810, 178, 834))

_FONTS = Path(__file__).parents[2] / "signing" / "fonts"
_SOURCE = """
#set document(title: "Quyết định thử")
#set page(paper: "a4", margin: (top: 20mm, bottom: 20mm, left: 30mm, right: 20mm))
#set text(font: "Liberation Serif", size: 13pt, lang: "vi")
#align(center)[*CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM* \\ *Độc lập - Tự do - Hạnh phúc*]
= QUYẾT ĐỊNH
Về việc thử chữ ký số trên một văn bản không có thật.
"""


@cache
def paper() -> bytes:
    """Lay the document out, once a process. It ends without a newline, as typst leaves it."""
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(_FONTS)])
    page = typst.compile(_SOURCE.encode(), font_paths=fonts, pdf_standards=["a-2a", "ua-1"])
    assert isinstance(page, bytes)
    return page
