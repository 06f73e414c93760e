"""Measure whether the riskiest words are the wrong ones, against going by the reader's confidence; fit the weights.

    python bench/risk.py SET... [--fit SET...] [--documents 0-7] [--share 5] [--dirty 3]

A SET is a folder of pages read once: `NAME.ours.json` (a reading as `digitize.reading` writes it) beside `NAME.json`
with the page's text as {"parts": …} (`bench/ordinary.py --out` leaves both) or {"text": …}. Each reading is mended anew
as the pipeline does, aligned with the truth word by word, and its words are ranked. Printed by set: how many of the
wrong words the riskiest share of each page's words holds, on pages with at most so many wrong words of a hundred, with
the 95% interval; how many words are shown at `risk.RISKY` and what they hold; and how well the expected word error rate
tells dirty pages. With --fit weights are fitted to those sets by logistic regression (ridge, deterministic) and
printed; without it the shipped ones are measured. --documents takes some of the papers for fitting and leaves the
others for measuring, so that neither scan nor text was seen before.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import ordinary_score
from rapidfuzz.distance import Levenshtein

from digitize import reading, risk
from digitize.types import Repair
from digitize.words import context, junk, symbols
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from digitize.types import OcrPage


@dataclass(frozen=True)
class Judged:
    """A page's words: what speaks against each, whether it is wrong, and the page's own error rate."""

    name: str
    ocr: OcrPage
    features: np.ndarray
    wrong: np.ndarray
    missing: int
    truth: int

    @property
    def wer(self) -> float:
        return 100 * (self.wrong.sum() + self.missing) / max(self.truth, 1)


def judged(folder: Path, *, mended: bool = True) -> list[Judged]:
    """The pages of a set; not `mended`, as the reader left them: the same mistakes, and more of them."""
    pages = []
    for file in sorted(folder.glob("*.ours.json")):
        ocr = _as_read(reading.from_json(file.read_bytes()).ocr)
        if mended:
            ocr = context.mended(symbols.mended(junk.without(ocr)))
        said = [nfc(word.text) for word in ocr.words]
        truth = _truth(file.with_name(file.name.replace(".ours.json", ".json")), said)
        wrong, missing = _wrong(truth, said)
        pages.append(Judged(file.stem, ocr, risk.features(ocr.words), wrong, missing, len(truth)))
    return pages


def _wrong(truth: list[str], said: list[str]) -> tuple[np.ndarray, int]:
    """Which words aren't what stands there, and how many were left out; a word read in another order is none."""
    wrong = np.ones(len(said), dtype=bool)
    left_out: Counter[str] = Counter()
    missing = 0
    for piece in Levenshtein.opcodes(truth, said):
        if piece.tag == "equal":
            wrong[piece.dest_start : piece.dest_end] = False
            continue
        left_out.update(truth[piece.src_start : piece.src_end])
        if piece.tag == "delete":
            missing += piece.src_end - piece.src_start
    for place in np.flatnonzero(wrong):
        if left_out[said[place]]:
            left_out[said[place]] -= 1
            wrong[place] = False
            missing = max(0, missing - 1)
    return wrong, missing


def _as_read(ocr: OcrPage) -> OcrPage:
    """Without what grammar and context changed; a symbol joined of two words stays joined."""
    by_rule = {Repair.CONTEXT, Repair.GRAMMAR}
    words = (
        replace(word, text=word.raw, raw="", repair=None)
        if word.repair in by_rule and word.raw and " " not in word.raw
        else word
        for word in ocr.words
    )
    return replace(ocr, words=tuple(words))


def _truth(file: Path, said: list[str]) -> list[str]:
    content = json.loads(file.read_text("utf-8"))
    if "text" in content:
        return nfc(content["text"]).split()
    parts = content["parts"]
    words = ordinary_score.truth_words(parts)
    starts, at = {}, 0
    for name, listed in words.items():
        starts[name], at = at, at + len(listed)
    return [nfc(word) for word, _ in ordinary_score._order(parts, starts, said)]  # noqa: SLF001  the same alignment


def fitted(pages: list[Judged]) -> tuple[np.ndarray, float]:
    """Weights and bias: logistic regression with a little ridge, by Newton's method; no weight below 0."""
    x = np.concatenate([page.features for page in pages])
    y = np.concatenate([page.wrong for page in pages]).astype(float)
    keep = np.ones(x.shape[1], dtype=bool)
    while True:
        columns = np.flatnonzero(keep)
        z = np.c_[x[:, columns], np.ones(len(x))]
        w = np.zeros(z.shape[1])
        ridge = np.r_[np.full(len(columns), 0.3), 0.0]
        for _ in range(30):
            p = 1 / (1 + np.exp(-np.clip(z @ w, -30, 30)))
            gradient = z.T @ (p - y) + ridge * w
            hessian = (z * (p * (1 - p))[:, None]).T @ z + np.diag(ridge + 1e-6)
            w -= np.linalg.solve(hessian, gradient)
        if (w[:-1] >= 0).all():
            full = np.zeros(x.shape[1])
            full[columns] = w[:-1]
            return full, float(w[-1])
        keep[columns[np.argmin(w[:-1])]] = False


def _is_among(page: Judged, documents: str | None, *, if_none: bool) -> bool:
    if not documents:
        return if_none
    first, last = map(int, documents.split("-"))
    return first <= int(page.name.strip("p").split(".")[0]) <= last


def caught(page: Judged, order: np.ndarray, share: float) -> int:
    """Wrong words among the first `share` percent of the order."""
    return int(page.wrong[order[: max(1, round(len(order) * share / 100))]].sum())


def interval(hits: int, of: int) -> tuple[float, float]:
    """Between which percentages a share lies, 95% of the time (Wilson's score interval)."""
    z = 1.96
    middle, half = hits + z * z / 2, z * (hits * (of - hits) / of + z * z / 4) ** 0.5
    return 100 * (middle - half) / (of + z * z), 100 * (middle + half) / (of + z * z)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--fit", type=Path, nargs="*")
    parser.add_argument("--documents", help="fit on these papers only, measure on the others; first-last")
    parser.add_argument("--share", type=float, default=5)
    parser.add_argument("--dirty", type=float, default=3)
    given = parser.parse_args()
    weights, bias = np.array([risk.WEIGHTS[name] for name in risk.FEATURES]), risk.BIAS
    if given.fit:
        learnt = [page for folder in given.fit for how in (True, False) for page in judged(folder, mended=how)]
        weights, bias = fitted([page for page in learnt if _is_among(page, given.documents, if_none=True)])
        print({name: round(float(w), 1) for name, w in zip(risk.FEATURES, weights, strict=True)}, round(bias, 1))
    for folder in given.sets:
        pages = [page for page in judged(folder) if not _is_among(page, given.documents, if_none=False)]
        clean = [page for page in pages if page.wer <= given.dirty]
        total = sum(int(page.wrong.sum()) for page in clean)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        scores = [risk.features(page.ocr.words) @ weights + bias for page in clean]
        spent = (resource.getrusage(resource.RUSAGE_SELF).ru_utime - before) / max(1, len(clean))
        by_risk = sum(caught(p, np.argsort(-s, kind="stable"), given.share) for p, s in zip(clean, scores, strict=True))
        by_doubt = sum(
            caught(p, np.argsort([w.confidence for w in p.ocr.words], kind="stable"), given.share) for p in clean
        )
        shown = [1 / (1 + np.exp(-score)) >= risk.RISKY for score in scores]
        held = sum(int(page.wrong[mark].sum()) for page, mark in zip(clean, shown, strict=True))
        least, most = interval(by_risk, max(total, 1))
        print(
            f"{folder.name}: {len(clean)} of {len(pages)} pages with WER ≤ {given.dirty:g}, {total} wrong words, "
            f"{sum(p.missing for p in clean)} missing; the {given.share:g}% riskiest hold "
            f"{by_risk}, {100 * by_risk / max(total, 1):.0f}% ({least:.0f}-{most:.0f}; by confidence "
            f"{100 * by_doubt / max(total, 1):.0f}%), {spent:.3f} CPU s a page; from {risk.RISKY:g} on "
            f"{100 * sum(map(np.sum, shown)) / max(1, sum(map(len, shown))):.1f}% of the words hold "
            f"{100 * held / max(total, 1):.0f}%"
        )
        for page in pages:
            expected = 100 * float(np.mean(1 / (1 + np.exp(-(page.features @ weights + bias)))))
            print(
                f"  {page.name}: WER {page.wer:5.1f}, expected {expected:5.1f}, "
                f"confidence {page.ocr.mean_confidence:.1f}"
            )


if __name__ == "__main__":
    main()
