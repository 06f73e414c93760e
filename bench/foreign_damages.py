"""Damage a clean set with Augraphy, so that a gain isn't one over our own idea of damage.

    uv run --no-project --with augraphy==8.2.6 python bench/foreign_damages.py SET OUT [--seed N] [--only DAMAGE,…]

SET holds `manifest.json` and clean pages, as `bench/wide_set.py` and the development set do; OUT gets one condition for
each damage, with the same truth, for `bench/ocr_dev.py OUT`. Augraphy (MIT) is fetched for the run and is no part of
the project: A. Groleau and others, "Augraphy: A data augmentation library for document images", 2022.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from pathlib import Path
from typing import Any

import augraphy
import cv2
import numpy as np
from PIL import Image

_DPI = 200

#: What happens to paper, in the order in which it does: ink, paper, machine, light.
DAMAGES: dict[str, list[Any]] = {
    "aug-copy": [augraphy.InkBleed(p=1), augraphy.BadPhotoCopy(p=1), augraphy.SubtleNoise(p=1)],
    "aug-drum": [
        # A drum as dirty as the library's default leaves nothing to read for anybody.
        augraphy.DirtyDrum(line_width_range=(1, 3), line_concentration=0.05, noise_intensity=0.2, p=1),
        augraphy.SubtleNoise(p=1),
        augraphy.Jpeg(quality_range=(40, 70), p=1),
    ],
    "aug-faint": [augraphy.LowInkRandomLines(p=1), augraphy.InkBleed(p=1), augraphy.NoiseTexturize(p=1)],
    "aug-bleed": [augraphy.BleedThrough(p=1), augraphy.SubtleNoise(p=1)],
    "aug-light": [
        augraphy.NoiseTexturize(p=1),
        augraphy.ShadowCast(p=1),
        augraphy.LightingGradient(p=1),
        augraphy.Jpeg(quality_range=(50, 80), p=1),
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="damages, with commas between")
    parser.add_argument("--condition", default="clean300", help="the clean condition of SET (default clean300)")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    wanted = given.only.split(",") if given.only else list(DAMAGES)
    pages = json.loads((given.set / "manifest.json").read_text("utf-8"))["items"]
    items = []
    for index, item in enumerate(page for page in pages if page["condition"] == given.condition):
        clean = cv2.imread(str(given.set / item["image"]))
        scale = _DPI / item["dpi"]
        small = cv2.resize(clean, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for damage in wanted:
            seed = given.seed * 1000 + index
            pixels = damaged(small, damage, seed)
            name = f"{item['page']}__{damage}"
            _write(given.out / f"{name}.png", pixels)
            shutil.copyfile(given.set / item["truth"], given.out / f"{name}.txt")
            items.append(
                {
                    **item,
                    "id": name,
                    "image": f"{name}.png",
                    "truth": f"{name}.txt",
                    "condition": damage,
                    "dpi": _DPI,
                    "seed": seed,
                }
            )
    (given.out / "manifest.json").write_text(json.dumps({"items": items}, ensure_ascii=False, indent=1), "utf-8")
    print(f"{len(items)} pages in {given.out}")


def damaged(page: np.ndarray[Any, Any], damage: str, seed: int) -> np.ndarray[Any, Any]:
    """The page after what `damage` names, at its own size; the same seed gives the same page."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  the library draws from the global generator
    cv2.setRNGSeed(seed)
    pixels = page
    for step in DAMAGES[damage]:
        made = step(pixels.copy())
        pixels = made[0] if isinstance(made, tuple) else made
        if pixels.ndim == 2:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    return pixels


def _write(path: Path, pixels: np.ndarray[Any, Any]) -> None:
    """With its resolution in the file, as a scanner does; OpenCV can't."""
    Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)).save(path, dpi=(_DPI, _DPI))


if __name__ == "__main__":
    main()
