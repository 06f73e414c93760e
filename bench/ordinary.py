"""Plain Tesseract and ours on pages that look like everyday scans, in one run: errors by kind, names and numbers.

    python bench/ordinary.py --seed 21 [--documents 0,3,5] [--out FOLDER]

OUT gets each page, its text and our reading of it, in the shape that `bench/risk.py` reads.

Prints word and letter errors, what kinds of words are wrong, how many names and numbers ours reads wrong that plain
Tesseract read right, and what mending alone changed for the worse. Needs the fonts named in ordinary_pages.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

import ordinary_pages
import ordinary_score

from digitize import load, pipeline, reading
from digitize.recognition import hocr
from digitize.types import Repair

if TYPE_CHECKING:
    from digitize.types import OcrPage

READERS = ("plain", "unmended", "ours")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--documents", help="which of the texts, with commas between; all of them unless said")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    out = given.out or Path(tempfile.mkdtemp(prefix="ordinary-"))
    out.mkdir(parents=True, exist_ok=True)
    documents = ordinary_pages.documents()
    chosen = range(len(documents)) if not given.documents else map(int, given.documents.split(","))
    totals = {reader: ordinary_score.Errors() for reader in READERS}
    worse: list[str] = []
    lost: list[str] = []
    seconds = dict.fromkeys(("plain", "ours"), 0.0)
    pages = 0
    for index in chosen:
        page = ordinary_pages.make(documents[index], name=f"p{index:02d}", seed=given.seed)
        file = out / f"{page.name}.jpg"
        file.write_bytes(page.jpeg)
        start = _spent()
        plain = _plain(file, page.dpi)
        seconds["plain"] += _spent() - start
        start = _spent()
        whole = pipeline.read_page(load.page(file, 1))
        seconds["ours"] += _spent() - start
        ours = whole.ocr
        (out / f"{page.name}.json").write_text(json.dumps({"parts": page.parts}, ensure_ascii=False), "utf-8")
        (out / f"{page.name}.ours.json").write_bytes(reading.to_json(whole))
        scores = {
            "plain": ordinary_score.score(plain, page.parts),
            "unmended": ordinary_score.score(_unmended(ours).text, page.parts),
            "ours": ordinary_score.score(ours.text, page.parts),
        }
        for reader, errors in scores.items():
            totals[reader].add(errors)
        words = [word for part in ordinary_score.truth_words(page.parts).values() for word in part]
        kept = ordinary_score.protected(page.parts)
        worse += [words[i] for i in sorted(scores["unmended"].right - scores["ours"].right)]
        lost += [words[i] for i in sorted((scores["plain"].right - scores["ours"].right) & kept)]
        pages += 1
        print(f"{page.name} WER {scores['plain'].wer:5.2f} {scores['ours'].wer:5.2f}  {page.made}", flush=True)
    for reader, errors in totals.items():
        kinds = ", ".join(f"{kind} {errors.kinds[kind]}" for kind in ordinary_score.KINDS)
        print(f"{reader:9} WER {errors.wer:5.2f} CER {errors.cer:5.2f} of {errors.words} words: {kinds}")
    print("right before mending, wrong after:", worse)
    print("names and numbers that plain read right and ours wrong:", lost)
    print(f"CPU s a page: plain {seconds['plain'] / pages:.2f}, ours {seconds['ours'] / pages:.2f}")


def _plain(file: Path, dpi: int) -> str:
    read = subprocess.run(
        ["tesseract", str(file), "-", "-l", "vie", "--dpi", str(dpi), "hocr"],
        check=True,
        capture_output=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )
    return hocr.parse(read.stdout, width_px=10**5, height_px=10**5, dpi=dpi).text


def _unmended(page: OcrPage) -> OcrPage:
    by_rule = (Repair.CONTEXT, Repair.GRAMMAR)
    words = (replace(word, text=word.raw) if word.repair in by_rule and word.raw else word for word in page.words)
    return replace(page, words=tuple(words))


def _spent() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
