"""Feet of documents, signed and not: what `digitize.pen` says of black signatures, missed and imagined.

    python bench/pen_feet.py [--pages 60] [--seed 1] [--keep FOLDER] [--papers N]

Draws signature blocks with recipients beside them in several typefaces, coloured, grey and bitonal: signed in black or
blue (strokes of splines over several lines, a tail now and then), unsigned, with or without a seal, with a printed note
or a picture of an electronic signature in the pen's place. Each is read by the pipeline's own reader. A red seal comes
black on grey and bitonal ones. With --papers, instead: whole papers of `bench/paper_kinds.py`
with their seals and no signature, words known, in colour and bitonal in turn. Bounds as in `bench/pen.py`.
"""

from __future__ import annotations

import argparse
import math
import pickle
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import pen as heads
from bench.paper import as_read, printed
from bench.paper_kinds import make
from digitize import pen
from digitize.types import PageImage, PenZone

HOW = ("black", "blue", "none", "note")
SIGNERS = (
    (("TM. ỦY BAN NHÂN DÂN",), "CHỦ TỊCH"), (("TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH"), "PHÓ CHỦ TỊCH"),
    (("KT. BỘ TRƯỞNG",), "THỨ TRƯỞNG"), (("KT. GIÁM ĐỐC",), "PHÓ GIÁM ĐỐC"), ((), "TRƯỞNG PHÒNG"), ((), "GIÁM ĐỐC"),
    (("TL. CHỦ TỊCH",), "CHÁNH VĂN PHÒNG"), ((), "NGƯỜI LÀM ĐƠN"),
)  # fmt: skip
NAMES = ("Khuất Duy Thưởng", "Lường Thị Hạnh", "Mạc Văn Dũng", "Trần Đình Nghĩa", "Quách Thị Lụa", "Phùng Bá Ngọc Kiên")
NOTES = ("(Đã ký)", "(Ký, ghi rõ họ tên)", "(Ký tên, đóng dấu)", "Đã ký điện tử")
RECIPIENTS = ("Nơi nhận:", "- Như trên;", "- Chủ tịch, các PCT;", "- Phòng Nội vụ;", "- Lưu: VT, NC.")


@dataclass(frozen=True)
class Foot:
    """A drawn foot: what stands in the signature's place, and whether a seal does."""

    page: PageImage
    how: str
    sealed: bool
    look: str


def draw(random: Random) -> Foot:
    """One foot, drawn by chance."""
    how = random.choices(HOW, (40, 15, 30, 15))[0]
    sealed = random.random() < 0.7
    size = random.choice((50, 54, 58))
    canvas = Image.new("RGB", (heads.WIDTH, heads.HEIGHT), (255, 255, 255))
    sheet = heads._Sheet(  # noqa: SLF001
        canvas, random.choice([*heads.FONTS, *heads.TIMES]), size, (random.randint(10, 50),) * 3, random
    )
    middle, y = random.randint(1600, 1850), random.randint(130, 220)
    sheet.text(330, y - 70, "chịu trách nhiệm thi hành Quyết định này kể từ ngày ký./.", "regular")
    above, position = random.choice(SIGNERS)
    for line in (*above, position):
        sheet.centred(middle, y + 30, line, "bold")
        y += round(1.3 * size)
    room = random.randint(330, 560)
    if how == "note":
        sheet.centred(middle, y + random.randint(60, 200), random.choice(NOTES), random.choice(("italic", "regular")))
    sheet.centred(middle, y + room, random.choice(NAMES), "bold")
    for index, text in enumerate(RECIPIENTS):
        sheet.text(330, 220 + round(1.2 * size * index), text, "italic" if index == 0 else "regular")
    pixels = np.asarray(canvas).copy()
    if sealed:
        _seal(pixels, (middle - random.randint(120, 330), y + random.randint(120, room - 90)), random)
    if how in ("black", "blue"):
        _signature(pixels, (middle - 150, y + room // 2), room, how, random)
    scanned, look = heads._scanned(pixels, random)  # noqa: SLF001
    return Foot(PageImage(scanned, 150.0 if look == "150 dpi" else 300.0, bitonal=look == "bitonal"), how, sealed, look)


def _seal(pixels: np.ndarray, at: tuple[int, int], random: Random) -> None:
    red = (random.randint(190, 220), random.randint(35, 70), random.randint(45, 80))
    layer = np.full_like(pixels, 255)
    for radius, width in ((212, 8), (196, 3), (130, 3)):
        cv2.circle(layer, at, radius, red, width, cv2.LINE_AA)
    for k in range(24):
        angle = k * math.tau / 24
        spot = (round(at[0] + 163 * math.sin(angle)), round(at[1] - 163 * math.cos(angle)))
        cv2.putText(
            layer, random.choice("NHDUYBAX"), (spot[0] - 14, spot[1] + 14), cv2.FONT_HERSHEY_SIMPLEX, 1.2, red, 5
        )
    star = [
        (at[0] + r * math.sin(k * math.pi / 5), at[1] - r * math.cos(k * math.pi / 5))
        for k in range(10)
        for r in [95 if k % 2 == 0 else 38]
    ]
    cv2.fillPoly(layer, [np.array(star, np.int32)], red)
    np.copyto(pixels, np.minimum(pixels, layer))


def _signature(pixels: np.ndarray, at: tuple[int, int], room: int, how: str, random: Random) -> None:
    """Loops that run to the right, a tail that goes far, a stroke through them now and then."""
    dark = random.randint(10, 70)
    colour = (dark, dark, dark + random.randint(0, 15))
    if how == "blue":
        colour = (random.randint(20, 70), random.randint(40, 90), random.randint(130, 200))
    thick = random.uniform(3.0, 8.0)
    x, y = at
    wide, high = random.uniform(250, 620), random.uniform(0.25, 0.7) * room
    points = [
        (x + wide * k / 9 + random.gauss(0, wide / 16), y + random.uniform(-0.5, 0.5) * high * (1 - k / 14))
        for k in range(random.randint(6, 10))
    ]
    strokes = [points]
    if random.random() < 0.6:
        strokes.append([points[-1], (x + wide * 1.1, y - high * random.uniform(-0.2, 0.8))])
    if random.random() < 0.4:
        strokes.append([(x - 30, y + 0.3 * high), (x + 0.5 * wide, y + 0.1 * high), (x + wide, y + 0.35 * high)])
    for stroke in strokes:
        path = heads._smooth(stroke)  # noqa: SLF001
        cv2.polylines(
            pixels, [np.array(path, np.int32)], isClosed=False, color=colour, thickness=round(thick), lineType=16
        )


def _unsigned(number: int, seed: int) -> None:
    imagined = pages = 0
    for index in range(seed * 100_000, seed * 100_000 + number):
        paper = make(index)
        sheets = tuple(replace(s, marks=tuple(m for m in s.marks if m.kind != "pen")) for s in paper.sheets)
        bare, bitonal = replace(paper, sheets=sheets), index % 2 == 1
        for sheet, ocr in enumerate(as_read(bare, dpi=200, seed=index)):
            pixels = printed(sheets[sheet], paper.face, dpi=200, seed=index)
            if bitonal:
                grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
                pixels = np.repeat(np.where(grey > 165, 255, 0).astype(np.uint8)[:, :, None], 3, axis=2)
            said = any(
                mark.zone is PenZone.SIGNATURE for mark in pen.find(PageImage(pixels, 200.0, bitonal=bitonal), ocr)
            )
            pages, imagined = pages + 1, imagined + said
            if said:
                print(index, paper.kind, sheet, "bitonal" if bitonal else "colour")
    print(f"{imagined} imagined on {pages} pages (at most {100 * heads.bound(imagined, pages):.1f}%)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for readings: read once, used again")
    parser.add_argument("--save", type=Path, help="folder for pictures of what was judged wrongly")
    parser.add_argument("--papers", type=int, default=0)
    given = parser.parse_args()
    if given.papers:
        _unsigned(given.papers, given.seed)
        return
    wrong: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    for index in range(given.pages):
        foot = draw(Random(given.seed * 200_003 + index))  # noqa: S311  the same every time
        kept = given.keep / f"{given.seed}-{index}.pkl" if given.keep else None
        if kept is not None and kept.exists():
            ocr = pickle.loads(kept.read_bytes())  # noqa: S301  written below
        else:
            ocr = heads.read(heads.Head(foot.page, {}, foot.look))
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(pickle.dumps(ocr))
        said = any(mark.zone is PenZone.SIGNATURE for mark in pen.find(foot.page, ocr))
        what = f"{foot.how}{', seal' if foot.sealed else ''}"
        look = "in colour" if foot.look in ("colour", "150 dpi") else "grey, bitonal"
        total[what, look] += 1
        if said != (foot.how in ("black", "blue")):
            wrong[what, look] += 1
            print(f"{given.seed}-{index}: {what}, {foot.look}: {'imagined' if said else 'missed'}")
            if given.save:
                given.save.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(given.save / f"{given.seed}-{index}.png"), foot.page.pixels[:, :, ::-1])
    for (what, look), of in sorted(total.items()):
        word = "missed" if what.startswith(("black", "blue")) else "false alarms"
        at_most = 100 * heads.bound(wrong[what, look], of)
        print(f"{what:12} {look:14} {wrong[what, look]:3} {word} of {of} (at most {at_most:.1f}%)")
    for word, signed in (("missed", True), ("false alarms", False)):
        of = sum(n for (what, _), n in total.items() if what.startswith(("black", "blue")) is signed)
        number = sum(n for (what, _), n in wrong.items() if what.startswith(("black", "blue")) is signed)
        print(f"all: {number} {word} of {of} (at most {100 * heads.bound(number, of):.1f}%)")


if __name__ == "__main__":
    main()
