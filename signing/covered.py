"""Whether a box on a page lies over something that is written there.

As in `signing.places` the letters are read by PDFium in a process of its own. Units: PDF points, origin at the bottom
left.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT_S = 60.0
#: A letter's box is a little larger than its ink, and a frame may touch it.
_TOUCH_PT = 1.0

Rect = tuple[float, float, float, float]


def covers_text(pdf: Path, page: int, box: Rect) -> bool:
    """Whether any letter of that page stands under the box; also where it can't be found out.

    Args:
        page: From 1.
        box: (x1, y1, x2, y2).
    """
    asked = {"pdf": str(pdf.absolute()), "page": page, "box": box}
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "signing.covered"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_TIMEOUT_S,
            check=True,
        )
        return json.loads(answer.stdout) is not False
    except (subprocess.SubprocessError, ValueError):
        return True


def _answer(asked: dict[str, Any]) -> bool:
    from pypdfium2 import PdfDocument

    x1, y1, x2, y2 = asked["box"]
    document = PdfDocument(asked["pdf"])
    try:
        words = document[asked["page"] - 1].get_textpage()
        for at in range(words.count_chars()):
            char = words.get_text_range(at, 1)
            left, bottom, right, top = words.get_charbox(at)
            apart = (
                right <= x1 + _TOUCH_PT or left >= x2 - _TOUCH_PT or top <= y1 + _TOUCH_PT or bottom >= y2 - _TOUCH_PT
            )
            if char.strip() and char.isprintable() and not apart:
                return True
        return False
    finally:
        document.close()


def main() -> int:
    """Answer one question from standard input."""
    print(json.dumps(_answer(json.load(sys.stdin))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
