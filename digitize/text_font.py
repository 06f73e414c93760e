"""The font of the text layer: real Vietnamese letters, and an empty glyph for whatever else somebody types.

Codes are Unicode code points of the Basic Multilingual Plane, two bytes each, so that the text of a page can be read in
its content stream and the map back to Unicode is the identity. `fonts/README.md` says where the font comes from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

BLANK_WIDTH = 500
_REPLACEMENT = 0xFFFD
_LAST_BMP = 0xFFFF
_SURROGATES = range(0xD800, 0xE000)
#: Code points that PDF/A-2u doesn't allow as a meaning (ISO 19005-2, 6.2.11.7.2).
_FORBIDDEN = frozenset({0x0000, 0xFEFF, 0xFFFE, 0xFFFF})


@dataclass(frozen=True)
class TextFont:
    """What a PDF says about the font. Lengths are thousandths of an em."""

    name: str
    ascent: int
    descent: int
    cap_height: int
    bbox: tuple[int, int, int, int]
    blank: int
    glyphs: dict[int, tuple[int, int]]
    program: bytes

    def width(self, text: str) -> int:
        """Width of `text` at one em, in thousandths."""
        return sum(self.glyphs.get(code, (0, BLANK_WIDTH))[1] for code in codes(text))


def codes(text: str) -> list[int]:
    """Codes of the characters; one that has no place in the plane, or no meaning, becomes U+FFFD."""
    return [
        code if code <= _LAST_BMP and code not in _SURROGATES and code not in _FORBIDDEN else _REPLACEMENT
        for code in map(ord, text)
    ]


def encoded(text: str) -> bytes:
    """The text as a hexadecimal string of a content stream, without its brackets."""
    return "".join(f"{code:04X}" for code in codes(text)).encode("ascii")


@cache
def text_font() -> TextFont:
    """The bundled font, read once."""
    folder = resources.files("digitize") / "fonts"
    facts = json.loads((folder / "text.json").read_text("ascii"))
    left, bottom, right, top = facts["bbox"]
    return TextFont(
        name=facts["name"],
        ascent=facts["ascent"],
        descent=facts["descent"],
        cap_height=facts["cap_height"],
        bbox=(left, bottom, right, top),
        blank=facts["blank"],
        glyphs={int(code): (glyph, width) for code, (glyph, width) in facts["glyphs"].items()},
        program=(folder / "text.ttf").read_bytes(),
    )


def glyph_map(font: TextFont) -> bytes:
    """CIDToGIDMap: two bytes for each of 65,536 codes."""
    table = bytearray(font.blank.to_bytes(2, "big") * (_LAST_BMP + 1))
    for code, (glyph, _) in font.glyphs.items():
        table[2 * code : 2 * code + 2] = glyph.to_bytes(2, "big")
    return bytes(table)


def widths(font: TextFont) -> bytes:
    """The /W array: runs of consecutive codes."""
    runs: list[tuple[int, list[int]]] = []
    for code in sorted(font.glyphs):
        width = font.glyphs[code][1]
        if runs and runs[-1][0] + len(runs[-1][1]) == code:
            runs[-1][1].append(width)
        else:
            runs.append((code, [width]))
    return b"[" + b" ".join(b"%d [%s]" % (first, b" ".join(b"%d" % w for w in run)) for first, run in runs) + b"]"


def to_unicode() -> bytes:
    """The ToUnicode CMap: the identity, without surrogates and the code points that mean nothing."""
    ranges = [(high << 8, (high << 8) + 0xFF) for high in range(0x100) if high << 8 not in _SURROGATES]
    ranges[0] = (0x0001, 0x00FF)
    ranges[-1] = (0xFF00, 0xFFFD)
    ranges = [part for first, last in ranges for part in _without(first, last, 0xFEFF)]
    blocks = []
    for start in range(0, len(ranges), 100):  # a CMap holds at most a hundred ranges in one block
        block = ranges[start : start + 100]
        lines = "\n".join(f"<{first:04X}> <{last:04X}> <{first:04X}>" for first, last in block)
        blocks.append(f"{len(block)} beginbfrange\n{lines}\nendbfrange")
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        + "\n".join(blocks)
        + "\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")


def _without(first: int, last: int, hole: int) -> list[tuple[int, int]]:
    if not first <= hole <= last:
        return [(first, last)]
    return [part for part in ((first, hole - 1), (hole + 1, last)) if part[0] <= part[1]]
