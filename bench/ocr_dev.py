"""Read every page of a labelled set with our pipeline and with plain Tesseract, in one run on one machine.

    python bench/ocr_dev.py SET [--score SCRIPT] [--out FOLDER] [--only CONDITION,…] [--jobs N] [--ours] [--no-harm]

SET holds `manifest.json` (items with id, image, condition) and the images. Prints processor seconds a page by condition
and, given the scoring script, the character error rates of both and their difference in points. The recognised texts
stay in FOLDER/plain and FOLDER/ours. Pages that we read worse than plain Tesseract does, by more than three characters
and more than 0.3 points, are named; with --no-harm one such page makes the run fail.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from digitize import load, pipeline

READERS = ("plain", "ours")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", type=Path)
    parser.add_argument(
        "--score", type=Path, help="script that scores a folder of texts: SCRIPT SET FOLDER --json FILE"
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", help="conditions, with commas between")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument(
        "--ours", action="store_true", help="leave plain Tesseract out; its texts may be in --out already"
    )
    parser.add_argument(
        "--no-harm", action="store_true", help="fail when a page reads worse than with plain Tesseract; needs --score"
    )
    given = parser.parse_args()
    if given.no_harm and not given.score:
        parser.error("--no-harm needs --score")
    out = given.out or Path(tempfile.mkdtemp(prefix="ocr-dev-"))
    for reader in READERS:
        (out / reader).mkdir(parents=True, exist_ok=True)
    items = json.loads((given.set / "manifest.json").read_text("utf-8"))["items"]
    only = set(given.only.split(",")) if given.only else None
    items = [item for item in items if not only or item["condition"] in only]
    seconds = _read_all(items, given.set, out, given.jobs, ours_only=given.ours)
    for reader in seconds:
        for condition, spent in seconds[reader].items():
            print(f"{reader:6} {condition:12} {sum(spent) / len(spent):.2f} CPU s a page")
    print(f"texts in {out}")
    if given.score:
        harmed = _print_scores(given.set, out, given.score, sorted({item["condition"] for item in items}))
        if given.no_harm and harmed:
            sys.exit(1)


def _read_all(
    items: list[dict[str, Any]], folder: Path, out: Path, jobs: int, *, ours_only: bool
) -> dict[str, dict[str, list[float]]]:
    seconds: dict[str, dict[str, list[float]]] = {reader: defaultdict(list) for reader in READERS}
    with ProcessPoolExecutor(jobs) as pool:
        for item, times in zip(
            items,
            pool.map(
                _read,
                [folder / i["image"] for i in items],
                [i["id"] for i in items],
                [out] * len(items),
                [ours_only] * len(items),
            ),
            strict=True,
        ):
            for reader, spent in times.items():
                seconds[reader][item["condition"]].append(spent)
                seconds[reader]["all"].append(spent)
    return seconds


def _read(image: Path, name: str, out: Path, ours_only: bool) -> dict[str, float]:  # noqa: FBT001  through pool.map
    times = {}
    if not ours_only:
        start = _spent()
        subprocess.run(
            ["tesseract", str(image), str(out / "plain" / name), "-l", "vie"],
            check=True,
            capture_output=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
        times["plain"] = _spent() - start
    start = _spent()
    page = pipeline.read_page(load.page(image, 1))
    times["ours"] = _spent() - start
    (out / "ours" / f"{name}.txt").write_text(page.ocr.text, "utf-8")
    note = f"{','.join(page.steps)} turn {page.turned_deg} skew {page.skew_deg:.2f} {page.flags.measured}"
    (out / "ours" / f"{name}.log").write_text(f"{note} {sorted(page.flags.flags)}\n", "utf-8")
    return times


def _spent() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _print_scores(folder: Path, out: Path, script: Path, conditions: list[str]) -> int:
    """Print both readers' scores and the pages that ours harmed; gives their number."""
    scores, errors = {}, {}
    for reader in READERS:
        result = out / f"{reader}.json"
        subprocess.run(
            [
                sys.executable,
                str(script),
                str(folder),
                str(out / reader),
                "--json",
                str(result),
                "--only",
                ",".join(conditions),
            ],
            check=True,
            capture_output=True,
        )
        found = json.loads(result.read_text("utf-8"))
        scores[reader] = found["summary"]
        errors[reader] = {row["id"]: (row["e"], row["n"]) for row in found["rows"]}
    print(f"{'condition':12} {'plain':>7} {'ours':>7} {'diff':>7}   WER {'plain':>7} {'ours':>7}")
    for condition in [*conditions, "ALL"]:
        plain, ours = (scores[reader][condition] for reader in READERS)
        print(
            f"{condition:12} {plain['CER']:7.2f} {ours['CER']:7.2f} {ours['CER'] - plain['CER']:+7.2f}"
            f"       {plain['WER']:7.2f} {ours['WER']:7.2f}"
        )
    harmed = 0
    for name, (ours, length) in sorted(errors["ours"].items()):
        plain = errors["plain"][name][0]
        if is_harmed(plain, ours, length):
            harmed += 1
            print(f"harmed: {name} plain {plain} ours {ours} wrong characters of {length}")
    return harmed


def is_harmed(plain: int, ours: int, length: int) -> bool:
    """Whether a page reads worse than with plain Tesseract: by more than 3 characters and more than 0.3 points."""
    return ours - plain > max(3, 0.003 * length)


if __name__ == "__main__":
    main()
