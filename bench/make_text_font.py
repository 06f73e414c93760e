"""Make `digitize/fonts/text.ttf` and `text.json` anew from Liberation Serif of Debian's fonts-liberation2.

    python bench/make_text_font.py /usr/share/fonts/truetype/liberation2/LiberationSerif-Regular.ttf

Kept: Latin with all Vietnamese letters, digits, punctuation and what office papers add. One empty glyph of half an em
is appended for every other character, so that nothing a person types is without a glyph. The licence reserves the name
"Liberation", so the changed font has another one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph

NAME = "HoSoSo Text"
BLANK = "blank"
RANGES = (
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x1A0, 0x1A1),
    (0x1AF, 0x1B0),
    (0x300, 0x309),
    (0x323, 0x323),
    (0x1E00, 0x1EFF),
    (0x2010, 0x2026),
    (0x2030, 0x2044),
    (0x20AB, 0x20AC),
    (0x2116, 0x2122),
    (0x2190, 0x2193),
    (0x2212, 0x2265),
    (0x25A0, 0x25CF),
)


def make(source: Path, target: Path) -> None:
    """Cut the font down, give it the empty glyph and a name of its own."""
    font = TTFont(source, recalcTimestamp=False)
    options = subset.Options(
        hinting=False, layout_features=[], glyph_names=True, notdef_outline=True, name_IDs=[0, 1, 2, 4, 5, 6, 13, 14]
    )
    options.drop_tables += ["FFTM", "GPOS", "GSUB", "GDEF", "kern"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[point for first, last in RANGES for point in range(first, last + 1)])
    cutter.subset(font)
    order = [*font.getGlyphOrder(), BLANK]
    font.setGlyphOrder(order)
    font["glyf"].glyphs[BLANK] = Glyph()
    font["glyf"].glyphOrder = order
    font["hmtx"].metrics[BLANK] = (font["head"].unitsPerEm // 2, 0)
    names = font["name"]
    for record in names.names:
        if record.nameID in {1, 4}:
            record.string = NAME
        elif record.nameID == 6:
            record.string = NAME.replace(" ", "")
    font.save(target)
    target.with_suffix(".json").write_text(json.dumps(_facts(font), separators=(",", ":")) + "\n", encoding="ascii")


def _facts(font: TTFont) -> dict[str, object]:
    """What a PDF must say about the font, so that nobody has to parse it again."""
    em = font["head"].unitsPerEm

    def per_mille(units: float) -> int:
        return round(units * 1000 / em)

    ids = {name: index for index, name in enumerate(font.getGlyphOrder())}
    metrics = font["hmtx"].metrics
    head, hhea, os2 = font["head"], font["hhea"], font["OS/2"]
    return {
        "name": NAME.replace(" ", ""),
        "ascent": per_mille(hhea.ascent),
        "descent": per_mille(hhea.descent),
        "cap_height": per_mille(getattr(os2, "sCapHeight", hhea.ascent)),
        "bbox": [per_mille(value) for value in (head.xMin, head.yMin, head.xMax, head.yMax)],
        "blank": ids[BLANK],
        "glyphs": {str(code): [ids[name], per_mille(metrics[name][0])] for code, name in font.getBestCmap().items()},
    }


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(__file__).parents[1] / "digitize" / "fonts" / "text.ttf")
