"""What the first look at a page costs, beside what reading it costs, on the sample dossier's twelve pages.

    python bench/first_look.py [--seed N]

Prints CPU seconds a page, loading included, in one run on one machine: the look (flags and small picture, what a person
at the counter waits for), and plain Tesseract on the same page as the peer that knows nothing before it has read.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[1]))

from api.demo import sample
from digitize import load, quality


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    looked, read = [], []
    with tempfile.TemporaryDirectory() as folder:
        papers = sample.make_dossier(Path(folder), seed=given.seed, size="full")
        for component in papers.components:
            for page in component.pages:
                began = time.process_time()
                image = load.page(component.file, page.number)
                flags = quality.flags_of(image).flags
                quality.thumbnail(image)
                looked.append(time.process_time() - began)
                read.append(_plain(Path(folder, "page.png"), image))
                said = ", ".join(sorted(flags)) or "-"
                costs = f"look {looked[-1]:5.2f} s  plain Tesseract {read[-1]:6.2f} s"
                print(f"{component.kind}{page.number}  {costs}  {said}")
    print(f"mean {sum(looked) / len(looked):.2f} s, worst {max(looked):.2f} s; ratio {sum(looked) / sum(read):.3f}")


def _plain(file: Path, image: load.PageImage) -> float:
    cv2.imwrite(str(file), cv2.cvtColor(image.pixels, cv2.COLOR_RGB2BGR))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["tesseract", str(file), "-", "-l", "vie", "--dpi", str(round(image.dpi))]
    subprocess.run(command, check=True, capture_output=True, env={"OMP_THREAD_LIMIT": "1", "PATH": "/usr/bin:/bin"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
