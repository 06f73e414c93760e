"""Make a labelled set of pages with other texts, seeds and damages than any set the reader was tried on.

    python bench/wide_set.py OUT [--papers N] [--seed N] [--only CONDITION,…]

OUT gets the pages, their exact text and a manifest, in the shape that `bench/ocr_dev.py` reads: each paper in every
condition. Two columns beside each other may be read column by column or row by row: the manifest has both orders. For
damage that isn't ours see `bench/foreign_damages.py`, which takes this set's clean pages.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import damages, paper
from bench.paper_kinds import make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Damage = Callable[[Pixels, np.random.Generator], Pixels]


def _clean(page: Pixels, rng: np.random.Generator) -> Pixels:
    del rng
    return page


def _at_150_dpi(page: Pixels, rng: np.random.Generator) -> Pixels:
    small = cv2.resize(page, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 45))])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def _at_200_dpi(page: Pixels, rng: np.random.Generator) -> Pixels:
    return _leaning(_scaled(damages.scanned(page, rng), 200), rng.uniform(-2, 2), 250)


def _faxed(page: Pixels, rng: np.random.Generator) -> Pixels:
    grey = cv2.cvtColor(_leaning(_scaled(page, 200), rng.uniform(-0.7, 0.7), 255), cv2.COLOR_RGB2GRAY)
    rough = grey + rng.normal(0, 14, grey.shape)
    return _as_rgb((rough > rng.uniform(115, 150)) * 255)


def _photocopied(page: Pixels, rng: np.random.Generator) -> Pixels:
    """A copy of a copy: worn or heavy toner, dust, a dark frame where the lid stood open."""
    grey = cv2.cvtColor(_leaning(_scaled(page, 200), rng.uniform(-1.2, 1.2), 255), cv2.COLOR_RGB2GRAY)
    toner = int(rng.integers(-1, 2))
    if toner:
        grey = (cv2.erode if toner > 0 else cv2.dilate)(grey, np.ones((2, 2), np.uint8))
    soft = cv2.GaussianBlur(grey, (0, 0), 0.8).astype(np.float32)
    soft = np.clip((soft - 110) * rng.uniform(1.6, 2.4) + 110, 0, 255)
    height, width = soft.shape
    for _ in range(int(rng.integers(1500, 4000))):
        x, y = rng.integers(0, width), rng.integers(0, height)
        cv2.circle(soft, (int(x), int(y)), int(rng.integers(0, 3)), float(rng.uniform(20, 150)), -1)
    wide = [round(share * width) for share in rng.uniform(0.0, 0.03, 4)]
    soft[:, : wide[0]], soft[:, width - wide[1] :] = 25, 25
    soft[: wide[2]], soft[height - wide[3] :] = 25, 25
    return _as_rgb(soft + rng.normal(0, 9, soft.shape))


def _turned(page: Pixels, rng: np.random.Generator) -> Pixels:
    upright = _leaning(_scaled(page, 200), rng.uniform(-1, 1), 255)
    return np.ascontiguousarray(np.rot90(upright, int(rng.integers(1, 4))))


def _photographed(page: Pixels, rng: np.random.Generator) -> Pixels:
    return damages.photographed(_scaled(page, 230), rng)


def _faint(page: Pixels, rng: np.random.Generator) -> Pixels:
    return damages.faint(_scaled(page, 200), rng)


#: Name → damage, the resolution that its file states (None: none), and whether seal and signature are on the page.
CONDITIONS: dict[str, tuple[Damage, int | None, bool]] = {
    "clean300": (_clean, 300, False),
    "stamp300": (damages.scanned, 300, True),
    "scan200": (_at_200_dpi, 200, False),
    "jpeg150": (_at_150_dpi, 150, False),
    "fax200": (_faxed, 200, False),
    "photocopy": (_photocopied, 200, False),
    "faint": (_faint, 200, False),
    "rotated": (_turned, 200, False),
    "photo": (_photographed, None, True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--papers", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="conditions, with commas between")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    wanted = given.only.split(",") if given.only else list(CONDITIONS)
    items = [
        item for index in range(given.papers) for item in _of_paper(given.out, given.seed * 100_000 + index, wanted)
    ]
    manifest = {"set": f"wide-{given.seed}", "items": items}
    (given.out / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), "utf-8")
    print(f"{len(items)} pages in {given.out}")


def _of_paper(out: Path, seed: int, wanted: Iterable[str]) -> Iterable[dict[str, Any]]:
    made = make(seed)
    blocks = _blocks(made.sheets[0].words)
    name = f"w{seed}_{made.kind}"
    (out / f"{name}.txt").write_text("\n".join(orders[0] for orders in blocks) + "\n", "utf-8")
    bare = replace(made.sheets[0], marks=tuple(mark for mark in made.sheets[0].marks if mark.kind == "rule"))
    sealed = replace(bare, marks=(*bare.marks, *_seal_and_signature(bare)))
    for condition in wanted:
        damage, dpi, marked = CONDITIONS[condition]
        page = paper.printed(sealed if marked else bare, made.face, dpi=300, seed=seed)
        pixels = damage(page, np.random.default_rng([seed, list(CONDITIONS).index(condition)]))
        image = f"{name}__{condition}.png"
        stated = {"dpi": (dpi, dpi)} if dpi else {}
        picture = Image.fromarray(pixels)
        (picture.convert("1") if condition == "fax200" else picture).save(out / image, **stated)
        yield {
            "id": f"{name}__{condition}",
            "page": name,
            "image": image,
            "truth": f"{name}.txt",
            "condition": condition,
            "dpi": dpi,
            "font": made.face,
            "seed": seed,
            "blocks": blocks,
        }


def _seal_and_signature(sheet: paper.Sheet) -> tuple[paper.Mark, ...]:
    """Over the last lines on the right, where they stand on most papers."""
    lowest = max(word.y for word in sheet.words)
    return (paper.Mark("seal", 360, lowest - 45, 51), paper.Mark("signature", 380, lowest - 30, 60))


def _blocks(words: Iterable[paper.Placed]) -> list[list[str]]:
    """The text in parts; of a part with two columns, both orders."""
    lines: dict[tuple[int, int], list[paper.Placed]] = {}
    for word in words:
        lines.setdefault((word.block, word.line), []).append(word)
    of_block: dict[int, list[list[paper.Placed]]] = {}
    for (block, _), line in lines.items():
        of_block.setdefault(block, []).append(line)
    bands: list[list[list[list[paper.Placed]]]] = []
    reach = 0.0
    for block in sorted(of_block.values(), key=lambda block: block[0][0].y):
        beside = bands and block[0][0].y <= reach + 1
        if bands and (beside or (_is_half(block) and all(map(_is_half, bands[-1])))):
            bands[-1].append(block)
        else:
            bands.append([block])
        reach = max(reach, block[-1][0].y)
    return [_orders(band) for band in bands]


def _is_half(block: list[list[paper.Placed]]) -> bool:
    """Whether a block stands in one of two columns."""
    across = [word.x for line in block for word in line]
    return max(across) < paper.LEFT_COLUMN[1] or min(across) >= paper.LEFT_COLUMN[1] - 12


def _orders(band: list[list[list[paper.Placed]]]) -> list[str]:
    if len(band) == 1:
        return ["\n".join(_text(line) for line in band[0])]
    lines = [line for block in band for line in block]
    by_column = sorted(lines, key=lambda line: (line[0].x > paper.PAGE_PT[0] * 0.42, line[0].y))
    by_row = sorted(lines, key=lambda line: (round(line[0].y / 6), line[0].x))
    return ["\n".join(_text(line) for line in ordered) for ordered in (by_column, by_row)]


def _text(line: list[paper.Placed]) -> str:
    return " ".join(word.text for word in line)


def _scaled(page: Pixels, dpi: int) -> Pixels:
    scale = dpi / 300
    return np.asarray(cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _leaning(page: Pixels, lean_deg: float, level: int) -> Pixels:
    height, width = page.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), lean_deg, 1.0)
    leaning = cv2.warpAffine(page, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(level,) * 3)
    return np.asarray(leaning, dtype=np.uint8)


def _as_rgb(grey: NDArray[Any]) -> Pixels:
    levels = np.clip(grey, 0, 255).astype(np.uint8)
    return np.repeat(levels[:, :, None], 3, axis=2)


if __name__ == "__main__":
    main()
