"""At which size pages are read best and cheapest: recognition alone, on cleaned pages, by height of small letters.

    python bench/reading_size.py SET [--heights 0,20,17.5,15.5,14] [--conditions clean300,stamp300] [--score SCRIPT]

SET holds `manifest.json` (items with id, image, condition), the images and their texts. Each page is cleaned once and
read at each height, in pixels; 0 is as it is, the peer. Printed by condition: processor seconds of Tesseract a page,
its mean confidence and, given the scoring script, the character error rate.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from digitize import load, pipeline
from digitize.cleaning import crop
from digitize.cleaning.resample import shrunk
from digitize.recognition import hocr, reader, tesseract


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("--heights", default="0,20,17.5,15.5,14")
    parser.add_argument("--conditions", help="with commas between; all of them unless said")
    parser.add_argument("--score", type=Path, help="SCRIPT SET FOLDER --json FILE --only CONDITION,…")
    given = parser.parse_args()
    items = json.loads((given.set / "manifest.json").read_text("utf-8"))["items"]
    conditions = given.conditions.split(",") if given.conditions else sorted({item["condition"] for item in items})
    heights = [float(height) for height in given.heights.split(",")]
    seconds: dict[tuple[str, float], list[float]] = defaultdict(list)
    confidences: dict[tuple[str, float], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        for item in items:
            if item["condition"] not in conditions:
                continue
            page = load.page(given.set / item["image"], 1)
            corners = crop.find_sheet(page)
            sheet = page if corners is None else crop.cut(page, corners)
            cleaned = pipeline._clean(sheet, was_cut_out=corners is not None)  # noqa: SLF001  all but the reading
            dpi = cleaned.display.dpi
            letters = reader.x_height(cleaned.grey, dpi=dpi)
            for height in heights:
                scale = min(1.0, height / letters) if height and letters else 1.0
                before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
                markup = tesseract.recognise(shrunk(cleaned.grey, scale), dpi=dpi * scale, language="vie")
                spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
                rows, columns = cleaned.grey.shape
                read = hocr.parse(markup, width_px=columns, height_px=rows, dpi=dpi, scale=scale)
                seconds[item["condition"], height].append(spent)
                confidences[item["condition"], height].append(read.mean_confidence)
                (out / f"{height:g}").mkdir(exist_ok=True)
                (out / f"{height:g}" / f"{item['id']}.txt").write_text(read.text, "utf-8")
        for condition in conditions:
            for height in heights:
                pages = len(seconds[condition, height])
                wrong = f", CER {_cer(given, out / f'{height:g}', condition):.2f} %" if given.score else ""
                print(
                    f"{condition:12} {f'{height:g} px' if height else 'as it is':8} "
                    f"{sum(seconds[condition, height]) / pages:.2f} CPU s, confidence "
                    f"{sum(confidences[condition, height]) / pages:.1f}{wrong}"
                )


def _cer(given: argparse.Namespace, texts: Path, condition: str) -> float:
    result = texts / "scores.json"
    command = [sys.executable, str(given.score), str(given.set), str(texts), "--json", str(result), "--only", condition]
    subprocess.run(command, check=True, capture_output=True)
    return float(json.loads(result.read_text("utf-8"))["summary"]["ALL"]["CER"])


if __name__ == "__main__":
    main()
