"""Pictures for the demo centre: a red seal that says DEMO, and blue scribbles that belong to nobody."""

from __future__ import annotations

import hashlib
import json
import random
import unicodedata
from pathlib import Path

import typst

from api.demo.mark import DEMO_MARK
from signing import typeface, typesetting

_RING_PT = 148.0  # of the upper ring, what a name may take


def seal(agency: str) -> bytes:
    """Draw a round red seal, 36 mm across, transparent, marked as demo. SVG."""
    name = unicodedata.normalize("NFC", agency).upper()
    data = {
        "agency": name,
        "mark": DEMO_MARK,
        "size": min(7.0, _RING_PT / (0.68 * len(name))),
        "typeface": typeface.ours().family,
    }
    drawn = typst.compile(
        str(Path(__file__).with_name("seal.typ")),
        font_paths=typesetting.fonts(typeface.FOLDER),
        sys_inputs={"data": json.dumps(data)},
        format="svg",
    )
    assert isinstance(drawn, bytes)  # noqa: S101 - one page, so never a list
    return drawn


def handwriting(name: str) -> bytes:
    """Draw a blue scribble, always the same for the same name, transparent. SVG, 54 × 22 mm."""
    hand = random.Random(hashlib.sha256(unicodedata.normalize("NFC", name).encode()).digest())  # noqa: S311 - a drawing
    x, y = 14.0, 34.0
    stroke = [f"M {x:.1f} {y:.1f}"]
    for _ in range(6 + len(name) // 3):
        rise, width = hand.uniform(10, 24), hand.uniform(5, 10)
        stroke.append(
            f"c {hand.uniform(1, 6):.1f} {-rise:.1f} {width + hand.uniform(2, 7):.1f} {-rise * 0.9:.1f} "
            f"{width * 0.6:.1f} {hand.uniform(-3, 2):.1f}"
        )
        stroke.append(
            f"s {-hand.uniform(1, 5):.1f} {hand.uniform(4, 12):.1f} {width * 0.5:.1f} {hand.uniform(-2, 2):.1f}"
        )
    flourish = f"M 18 50 c 30 {-hand.uniform(4, 9):.1f} 70 {hand.uniform(-2, 6):.1f} 112 {-hand.uniform(8, 16):.1f}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 153 62" width="54mm" height="22mm">'
        f'<g fill="none" stroke="#1238a8" stroke-linecap="round" stroke-linejoin="round">'
        f'<path stroke-width="1.7" d="{" ".join(stroke)}"/><path stroke-width="1.2" d="{flourish}"/></g></svg>'
    ).encode()
