"""The only subprocess: Tesseract, through pytesseract, one core a page and never for ever.

Pictures are handed over as BMP files written here: pytesseract would compress an array as PNG, at twice the cost, and a
JPEG as JPEG again, with loss. Leptonica reads a PGM pixel by pixel, a BMP row by row: 0.13 CPU seconds a page less.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytesseract

from digitize.types import ReadingFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

READ_TIMEOUT_S = 180
ORIENTATION_TIMEOUT_S = 60

#: Tesseract believes what it is told, and reads badly when told too much.
_BELIEVABLE_DPI = (70, 400)
_NO_ORIENTATION = re.compile(r"too few characters|invalid resolution|no page|estimat", re.IGNORECASE)


def recognise(grey: NDArray[np.uint8], *, dpi: float, language: str, column: bool = False) -> bytes:
    """Read a page: its words, boxes, lines and confidences as hOCR.

    Args:
        grey: Shape (height_px, width_px), upright, dark on light.
        dpi: Of `grey`; understated is harmless, overstated is not.
        language: Tesseract's name, for instance "vie" or "vie+eng".
        column: It is one column of text; else Tesseract finds the columns.

    Raises:
        ReadingFailed: Tesseract is missing, was killed or took longer than `READ_TIMEOUT_S`.
    """
    hint = min(max(round(dpi), _BELIEVABLE_DPI[0]), _BELIEVABLE_DPI[1])
    with _picture(grey) as name, _failures_named():
        hocr = pytesseract.image_to_pdf_or_hocr(
            name,
            lang=language,
            config=f"--oem 1 --psm {4 if column else 3} --dpi {hint}",
            extension="hocr",
            timeout=READ_TIMEOUT_S,
        )
    return bytes(hocr)


def orientation(grey: NDArray[np.uint8], *, dpi: float) -> tuple[int, float]:
    """Ask Tesseract which way up a page is.

    Returns:
        Clockwise quarter turn in degrees that makes it upright, and how sure: above 6 it is worth trying. (0, 0.0)
        when there are too few characters to tell.

    Raises:
        ReadingFailed: As for `recognise`.
    """
    hint = min(max(round(dpi), _BELIEVABLE_DPI[0]), _BELIEVABLE_DPI[1])
    with _picture(grey) as name, _failures_named():
        try:
            answer = pytesseract.image_to_osd(
                name, config=f"--dpi {hint}", output_type=pytesseract.Output.DICT, timeout=ORIENTATION_TIMEOUT_S
            )
        except pytesseract.TesseractError as error:
            if _NO_ORIENTATION.search(str(error.message)):
                return 0, 0.0
            raise
    return int(answer.get("rotate", 0)) % 360, float(answer.get("orientation_conf", 0.0))


@contextlib.contextmanager
def _picture(grey: NDArray[np.uint8]) -> Iterator[str]:
    """The page as a BMP file, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hoso-page-") as folder:
        path = Path(folder) / "page.bmp"
        encoded, data = cv2.imencode(".bmp", grey)
        if not encoded:
            raise ReadingFailed("crashed", "Không ghi được ảnh tạm để đọc chữ. Ảnh gốc vẫn an toàn.")
        path.write_bytes(data.tobytes())
        # More threads cost five times the processor time on one page; pages run beside each other instead.
        os.environ["OMP_THREAD_LIMIT"] = "1"
        yield str(path)  # pytesseract takes a name only as str


@contextlib.contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except pytesseract.TesseractNotFoundError as error:
        message = "Không tìm thấy Tesseract trên máy. Ảnh gốc vẫn an toàn; hãy báo quản trị viên chạy «hoso doctor»."
        raise ReadingFailed("missing", message) from error
    except pytesseract.TesseractError as error:
        if "language" in str(error.message).lower():
            message = "Tesseract thiếu dữ liệu tiếng Việt. Ảnh gốc vẫn an toàn; hãy chạy «hoso doctor»."
            raise ReadingFailed("missing", message) from error
        raise ReadingFailed("crashed", "Máy đọc chữ dừng giữa chừng. Ảnh gốc vẫn an toàn; sẽ thử lại.") from error
    except RuntimeError as error:  # how pytesseract says that time is up
        raise ReadingFailed("timeout", "Máy đọc chữ quá thời gian. Ảnh gốc vẫn an toàn; sẽ thử lại.") from error
