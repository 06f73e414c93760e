"""What the whole job costs, from a scan on disk to a searchable PDF/A on disk, beside OCRmyPDF in the same run.

    python bench/whole_job.py SET [--conditions clean300,scan200gray] [--pages 3] [--ocrmypdf PROGRAM]

SET holds `manifest.json` (items with id, image, condition) and the images. They go through three programs: `hoso
digitize --jobs 1`, OCRmyPDF as it comes, and OCRmyPDF with `--rotate-pages --deskew --clean`. First all pages of a
condition as one scan, a PDF as a scanner makes it, which is how papers come; then each page as a file of its own, with
a program's start for each. Last the same pages through our steps within one process, as a worker does, each step timed
apart. Processor seconds are the user's and the system's, of the process and of all its children; never the clock's.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import pikepdf
from PIL import Image

from digitize import load, pipeline, quality, reading
from digitize.cleaning import crop, illumination
from digitize.pdf import assemble
from digitize.recognition import second_reader, tesseract

if TYPE_CHECKING:
    from collections.abc import Callable

_CLEANING = ("--rotate-pages", "--deskew", "--clean")
_LIMITS = {"plain": 0.6, "cleaning": 0.25}
_BESIDE_RECOGNITION = 0.35
_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
#: Both programs with their byte code kept, as an installation keeps it; a run that isn't counted makes it.
_BYTE_CODE = tempfile.TemporaryDirectory(prefix="whole-job-")
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "OMP_THREAD_LIMIT": "1",
    "PYTHONPYCACHEPREFIX": _BYTE_CODE.name,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("--conditions", default="clean300,scan200gray", help="with commas between")
    parser.add_argument("--pages", type=int, default=3, help="of each condition")
    parser.add_argument("--skip", type=int, default=0, help="pages of each condition left out first")
    parser.add_argument("--ocrmypdf", default="ocrmypdf")
    parser.add_argument("--ours", action="store_true", help="without OCRmyPDF")
    given = parser.parse_args()
    items = json.loads((given.set / "manifest.json").read_text("utf-8"))["items"]
    chosen = {
        condition: [given.set / i["image"] for i in items if i["condition"] == condition][given.skip :][: given.pages]
        for condition in given.conditions.split(",")
    }
    _compared(chosen, [] if given.ours else [given.ocrmypdf])
    _split(chosen)


def _compared(chosen: dict[str, list[Path]], ocrmypdf: list[str]) -> None:
    ours = [str(Path(sys.executable).with_name("hoso")), "digitize", "--jobs", "1", "-o", "OUT", "IN"]
    plain = [*ocrmypdf, "-l", "vie", "--output-type", "pdfa", "--jobs", "1", "--quiet"]
    commands = {"ours": ours}
    if ocrmypdf:
        commands |= {"plain": [*plain, "IN", "OUT"], "cleaning": [*plain, *_CLEANING, "IN", "OUT"]}
    for command in commands.values():
        _run(command, next(iter(chosen.values()))[0])
    with tempfile.TemporaryDirectory() as folder:
        for condition, images in chosen.items():
            scan = _as_one_scan(images, Path(folder, f"{condition}.pdf"))
            print(f"\n{condition}: CPU s a page, {len(images)} pages as one scan")
            _print_ratios(commands, [scan], len(images))
            print(f"{condition}: CPU s a page, each page a run of its own")
            _print_ratios(commands, images, len(images))


def _print_ratios(commands: dict[str, list[str]], files: list[Path], pages: int) -> None:
    means = {}
    for name, command in commands.items():
        spent = [_run(command, file) for file in files]
        means[name] = sum(seconds for seconds, _ in spent) / pages
        size = sum(size for _, size in spent) / pages
        print(f"  {name:9} {means[name]:6.2f} s {size / 1000:7.0f} kB")
    for name, limit in _LIMITS.items():
        if name in means:
            ratio = means["ours"] / means[name]
            print(f"  ours is {ratio:.2f} of {name} (at most {limit}){' !' * (ratio > limit)}")


def _as_one_scan(images: list[Path], target: Path) -> Path:
    """The pictures as the pages of one PDF, each without loss at its own resolution."""
    pages = [Image.open(image) for image in images]
    with pikepdf.new() as pdf:
        for image in pages:
            dpi = float(image.info.get("dpi", (300, 300))[0])
            box = [0, 0, image.width * 72 / dpi, image.height * 72 / dpi]
            grey = image.mode in {"1", "L"}
            picture = pikepdf.Stream(pdf, zlib.compress(image.convert("L" if grey else "RGB").tobytes()))
            picture.update(
                pikepdf.Dictionary(
                    Type=pikepdf.Name.XObject,
                    Subtype=pikepdf.Name.Image,
                    Width=image.width,
                    Height=image.height,
                    BitsPerComponent=8,
                    ColorSpace=pikepdf.Name.DeviceGray if grey else pikepdf.Name.DeviceRGB,
                    Filter=pikepdf.Name.FlateDecode,
                )
            )
            page = pdf.add_blank_page(page_size=(box[2], box[3]))
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Page=picture))
            page.Contents = pikepdf.Stream(pdf, f"q {box[2]} 0 0 {box[3]} 0 0 cm /Page Do Q".encode())
        pdf.save(target)
    return target


def _run(command: list[str], image: Path) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out.pdf")
        words = [{"IN": str(image), "OUT": str(out)}.get(word, word) for word in command]
        before = _spent()
        done = subprocess.run(words, capture_output=True, env=_ENVIRONMENT, check=False)
        seconds = _spent() - before
        if not out.exists():
            raise SystemExit(f"{words}: {done.stderr.decode()[-2000:]}")
        return seconds, out.stat().st_size


def _split(chosen: dict[str, list[Path]]) -> None:
    print("\nour steps within a worker, CPU s a page")
    for condition, images in chosen.items():
        seconds: dict[str, float] = defaultdict(float)
        with tempfile.TemporaryDirectory() as folder:
            for image in images:
                for step, spent in _steps(image, Path(folder)).items():
                    seconds[step] += spent / len(images)
        beside = seconds["clean"] + seconds["orient"] + seconds["write"]  # what is done with words is no part of it
        share = beside / seconds["recognise"]
        print(condition, ", ".join(f"{step} {spent:.3f}" for step, spent in seconds.items()))
        print(
            f"{condition:12} cleaning, orientation and writing are {share:.2f} of the recognition "
            f"(at most {_BESIDE_RECOGNITION}){' !' * (share > _BESIDE_RECOGNITION)}"
        )
    peaks = {who: resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)}
    print(f"peak memory {peaks[resource.RUSAGE_SELF]:.0f} MB, of a child {peaks[resource.RUSAGE_CHILDREN]:.0f} MB")


def _steps(image: Path, folder: Path) -> dict[str, float]:
    """Seconds of each step of one page: what is done to the picture, the recognition, and what is done with words."""
    spent: dict[str, float] = {}
    timed: dict[str, float] = defaultdict(float)
    kept: list[tuple[Any, str, Callable[..., Any]]] = []

    def watch(module: Any, name: str, step: str) -> None:
        function = getattr(module, name)
        kept.append((module, name, function))

        def call(*args: Any, **options: Any) -> Any:
            before, inside = _spent(), sum(timed.values())
            try:
                return function(*args, **options)
            finally:  # what steps within this one took is theirs
                timed[step] += _spent() - before - (sum(timed.values()) - inside)

        setattr(module, name, call)

    watch(tesseract, "recognise", "recognise")
    watch(tesseract, "orientation", "orient")
    watch(second_reader, "read", "second opinion")
    for module, name in ((crop, "find_sheet"), (crop, "cut"), (quality, "flags_of_sheet"), (pipeline, "_clean")):
        watch(module, name, "clean")
    watch(illumination, "lighten", "write")
    watch(pipeline, "_encoded", "write")
    try:
        start = _spent()
        page = load.page(image, 1)
        spent["load"] = _spent() - start
        start = _spent()
        read = pipeline.read_page(page)
        whole = _spent() - start
    finally:
        for module, name, function in kept:
            setattr(module, name, function)
    start = _spent()
    ocr = reading.from_json(reading.to_json(read)).ocr
    assemble.searchable_pdf(
        iter([assemble.AssemblyPage(read.picture, read.picture_type, ocr)]),
        folder / "out.pdf",
        title=image.stem,
        created_at=_NOW,
    )
    words = whole - sum(timed.values())
    timed["write"] += _spent() - start
    steps = ("clean", "orient", "recognise", "second opinion", "write")
    return spent | {step: timed[step] for step in steps} | {"words": words}


def _spent() -> float:
    """Processor seconds of this process and of the children it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
