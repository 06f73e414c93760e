"""Another reader beside Tesseract: TrueOCR's small networks for Vietnamese, in a process that ends with the page.

The networks come with the package and nothing is fetched. In its own process their memory goes when they do, and a
crash costs an opinion and not the page.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitize.types import Box
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_log = logging.getLogger(__name__)

_TIMEOUT_S = 60
_BATCH = 32
_LETTER_SHARE = 0.22  # half a letter's width, as a share of its line's height


@dataclass(frozen=True)
class SecondWord:
    """A word as the second reader sees it: NFC, its box in pixels of the page, its least sure letter from 0 to 100."""

    text: str
    box: Box
    confidence: float


def read(grey: NDArray[np.uint8]) -> tuple[SecondWord, ...] | None:
    """Ask for a second reading of a cleaned, upright page.

    Args:
        grey: Shape (height_px, width_px), dark on light.

    Returns:
        Words line by line; None when the reader fails or takes longer than a minute: the first reading stands then, and
        the log says so, without a word of the page.
    """
    _, data = cv2.imencode(".pgm", grey)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "digitize.recognition.second_reader"],
            input=data.tobytes(),
            capture_output=True,
            check=True,
            timeout=_TIMEOUT_S,
        )
        found = json.loads(done.stdout)
    except subprocess.CalledProcessError as ended:
        _log.warning("the second reader failed with return code %d", ended.returncode)
        return None
    except (OSError, subprocess.SubprocessError, ValueError) as trouble:
        _log.warning("the second reader failed: %s", type(trouble).__name__)
        return None
    return tuple(SecondWord(nfc(text), Box(*box), confidence) for text, box, confidence in found)


def loads() -> bool:
    """Whether the second reader's programs can be imported and its networks are there; nothing is read."""
    program = (
        "from pathlib import Path; import trueocr, trueocr.page, trueocr.preprocess, trueocr.recognizer; "
        "raise SystemExit(not any((Path(trueocr.__file__).parent / 'models').iterdir()))"
    )
    try:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def main() -> None:
    """Read the PGM on standard input; print its words as JSON."""
    cv2.setNumThreads(1)
    grey = cv2.imdecode(np.frombuffer(sys.stdin.buffer.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
    words = list(_words(np.asarray(grey, dtype=np.uint8)))
    json.dump([[w.text, [w.box.left, w.box.top, w.box.right, w.box.bottom], w.confidence] for w in words], sys.stdout)


def _words(grey: NDArray[np.uint8]) -> Iterator[SecondWord]:
    import trueocr
    from trueocr.page import PageEngine
    from trueocr.preprocess import pad_batch, prepare_image, width_batches
    from trueocr.recognizer import Recognizer

    models = Path(trueocr.__file__).parent / "models"
    reader = Recognizer(models, threads=1)
    boxes = [box for box in map(_whole, PageEngine(models, threads=1).detect(grey)) if box is not None]
    lines = [
        prepare_image(
            grey[box.top : box.bottom, box.left : box.right],
            max_width=reader.max_width,
            pad_y=reader.pad_y,
            pad_x=reader.pad_x,
        )
        for box in boxes
    ]
    for together in width_batches([line.shape[1] for line in lines], max_batch=_BATCH):
        tensor, widths = pad_batch([lines[index] for index in together])
        ids, sureness, lengths = reader.session.run(["ids", "conf", "lengths"], {"x": tensor, "widths": widths})
        for row, index in enumerate(together):
            length = int(lengths[row])
            letters = _letters(ids[row, :length], sureness[row, :length], reader.chars, boxes[index], reader.pad_x)
            yield from _split(letters, boxes[index])


def _whole(box: Any) -> Box | None:
    left, top = (max(0, int(value)) for value in np.floor(box[:2]))
    right, bottom = (int(value) for value in np.ceil(box[2:4]))
    return Box(left, top, right, bottom) if left < right and top < bottom else None


def _letters(ids: Any, sureness: Any, alphabet: str, line: Box, pad: float) -> list[tuple[str, float, float]]:
    """Letters with how sure they are and where in the page they stand; 0 in `ids` is none, and repeats are one letter.

    Source: greedy decoding of connectionist temporal classification, Graves and others, ICML 2006.
    """
    margin = pad * (line.bottom - line.top)
    start, span = line.left - margin, line.right - line.left + 2 * margin
    first = np.concatenate(([True], ids[1:] != ids[:-1])) & (ids != 0)
    return [
        (alphabet[int(ids[place]) - 1], float(sureness[place]), start + (place + 0.5) / len(ids) * span)
        for place in np.flatnonzero(first)
    ]


def _split(letters: list[tuple[str, float, float]], line: Box) -> Iterator[SecondWord]:
    half = _LETTER_SHARE * (line.bottom - line.top)
    word: list[tuple[str, float, float]] = []
    for letter in [*letters, (" ", 1.0, 0.0)]:
        if not letter[0].isspace():
            word.append(letter)
        elif word:
            left, right = max(0, round(word[0][2] - half)), round(word[-1][2] + half)
            yield SecondWord(
                "".join(text for text, _, _ in word),
                Box(left, line.top, max(right, left + 1), line.bottom),
                100 * min(sure for _, sure, _ in word),
            )
            word = []


if __name__ == "__main__":
    main()
