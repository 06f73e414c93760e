"""The font of the text layer: real Vietnamese letters, and an empty glyph for whatever else somebody types.

Codes are Unicode code points of the Basic Multilingual Plane, two bytes each, so that the text of a page can be read in
its content stream and the map back to Unicode is the identity. `fonts/README.md` says where the font comes from.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLANK_WIDTH = 500
_REPLACEMENT = 0xFFFD
_LAST_BMP = 0xFFFF
_SURROGATES = range(0xD800, 0xE000)
_NEEDED = frozenset({b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp", b"post"})
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


def program_for(font: TextFont, seen: Iterable[int], hidden: Iterable[int] = ()) -> bytes:
    """The font with the outlines of some characters, and plain boxes for others that are never seen.

    PDFium finds and marks letters by the boxes around their outlines: a number alone on its line is lost without one.
    Glyphs keep their numbers and widths; any other one is empty. Tables are left out that a PDF doesn't need, since it
    says the same itself (ISO 32000-1, 9.9).

    Args:
        font: Whole.
        seen: Codes of characters that are drawn.
        hidden: Codes of others.
    """
    tables = {tag: table for tag, table in _tables(font.program).items() if tag in _NEEDED}
    loca, glyf = tables[b"loca"], tables[b"glyf"]
    offsets = [2 * half for (half,) in struct.iter_unpack(">H", loca)]
    outlines = [glyf[start:end] for start, end in pairwise(offsets)]
    waiting = {0, *(font.glyphs.get(code, (font.blank, 0))[0] for code in seen)}
    kept: set[int] = set()
    while waiting:
        glyph = waiting.pop()
        kept.add(glyph)
        waiting.update(set(_components(outlines[glyph])) - kept)
    boxed = {font.glyphs.get(code, (font.blank, 0))[0] for code in hidden if not chr(code).isspace()} - kept
    boxes = _boxes(font, tables, boxed)
    outlines = [outline if glyph in kept else boxes.get(glyph, b"") for glyph, outline in enumerate(outlines)]
    ends = accumulate((len(outline) for outline in outlines), initial=0)
    tables[b"loca"] = b"".join(struct.pack(">H", end // 2) for end in ends)
    tables[b"glyf"] = b"".join(outlines)
    tables[b"post"] = struct.pack(">I", 0x00030000) + tables[b"post"][4:32]  # glyphs without names
    return _font_file(tables)


def _boxes(font: TextFont, tables: dict[bytes, bytes], glyphs: Iterable[int]) -> dict[int, bytes]:
    """For each glyph a box as wide as it is, from the tails of letters to the tops of capitals (OpenType 1.9, glyf)."""
    (em,) = struct.unpack_from(">H", tables[b"head"], 18)
    (full,) = struct.unpack_from(">H", tables[b"hhea"], 34)
    bottom, top = font.descent * em // 1000, font.cap_height * em // 1000
    boxes = {}
    for glyph in glyphs:
        advance, left = struct.unpack_from(">Hh", tables[b"hmtx"], 4 * min(glyph, full - 1))
        if glyph >= full:  # these are as wide as the last one
            (left,) = struct.unpack_from(">h", tables[b"hmtx"], 4 * full + 2 * (glyph - full))
        right = max(advance - left, left + 1)
        corners = left, 0, right - left, 0, bottom, top - bottom, 0, bottom - top
        boxes[glyph] = struct.pack(">5hHH4B8h", 1, left, bottom, right, top, 3, 0, 1, 1, 1, 1, *corners)
    return boxes


def subset_tag(used: Iterable[int]) -> str:
    """Six letters that tell one subset from another (ISO 32000-1, 9.6.4), the same for the same characters."""
    digest = hashlib.sha256(",".join(map(str, sorted(used))).encode("ascii")).digest()
    return "".join(chr(ord("A") + byte % 26) for byte in digest[:6])


def _tables(program: bytes) -> dict[bytes, bytes]:
    """Tables of a TrueType font by their tags."""
    (count,) = struct.unpack_from(">H", program, 4)
    entries = struct.iter_unpack(">4sIII", program[12 : 12 + 16 * count])
    return {tag: program[offset : offset + length] for tag, _, offset, length in entries}


def _components(outline: bytes) -> Iterator[int]:
    """Glyphs that a composite glyph is made of (OpenType 1.9, glyf)."""
    if not outline or struct.unpack_from(">h", outline)[0] >= 0:
        return
    words, scale, more, two_scales, matrix = 0x1, 0x8, 0x20, 0x40, 0x80
    place, flags = 10, more
    while flags & more:
        flags, glyph = struct.unpack_from(">HH", outline, place)
        yield glyph
        place += 8 if flags & words else 6
        place += 2 if flags & scale else 4 if flags & two_scales else 8 if flags & matrix else 0


def _font_file(tables: dict[bytes, bytes]) -> bytes:
    """A TrueType font of these tables, with its sums of 32-bit words in order."""
    head = bytearray(tables[b"head"])
    head[8:12] = bytes(4)
    tables = {**tables, b"head": bytes(head)}
    power = len(tables).bit_length() - 1
    start = struct.pack(">IHHHH", 0x00010000, len(tables), 16 << power, power, 16 * len(tables) - (16 << power))
    offset = len(start) + 16 * len(tables)
    directory, body = b"", b""
    for tag in sorted(tables):
        data = tables[tag]
        directory += struct.pack(">4sIII", tag, _sum(data), offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    whole = bytearray(start + directory + body)
    places = {tag: place for tag, _, place, _ in struct.iter_unpack(">4sIII", directory)}
    struct.pack_into(">I", whole, places[b"head"] + 8, (0xB1B0AFBA - _sum(whole)) % 2**32)
    return bytes(whole)


def _sum(data: bytes | bytearray) -> int:
    padded = bytes(data) + bytes(-len(data) % 4)
    return int(sum(struct.unpack(f">{len(padded) // 4}I", padded))) % 2**32


def glyph_map(font: TextFont, used: Iterable[int]) -> bytes:
    """CIDToGIDMap: two bytes for each of 65,536 codes; those that a document doesn't use have the empty glyph."""
    table = bytearray(font.blank.to_bytes(2, "big") * (_LAST_BMP + 1))
    for code in font.glyphs.keys() & set(used):
        table[2 * code : 2 * code + 2] = font.glyphs[code][0].to_bytes(2, "big")
    return bytes(table)


def widths(font: TextFont, used: Iterable[int]) -> bytes:
    """The /W array of the characters that a document uses: runs of consecutive codes."""
    runs: list[tuple[int, list[int]]] = []
    for code in sorted(font.glyphs.keys() & set(used)):
        width = font.glyphs[code][1]
        if runs and runs[-1][0] + len(runs[-1][1]) == code:
            runs[-1][1].append(width)
        else:
            runs.append((code, [width]))
    return b"[" + b" ".join(b"%d [%s]" % (first, b" ".join(b"%d" % w for w in run)) for first, run in runs) + b"]"


def to_unicode(used: Iterable[int]) -> bytes:
    """The ToUnicode CMap: the identity, for the rows of 256 that a document uses, without what means nothing."""
    ranges = [(high << 8, (high << 8) + 0xFF) for high in sorted({code >> 8 for code in used})]
    for hole in _FORBIDDEN:
        ranges = [part for first, last in ranges for part in _without(first, last, hole)]
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
