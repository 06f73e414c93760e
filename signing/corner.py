"""Where a signature shows on a page nobody laid out for it: in a corner, over nothing.

On scans (`requirements.md` 1.1 and 2.2): top right of the first page for the agency's electronic copy and for an annex,
top left for the scanning person; the size is what real tools use on A4, 170 x 30 pt and 8 pt from the edges, scaled
with the page. The leader and the seal, asked for without a printed title and name, get the bottom right of the last
page.

What is there already is looked for on the picture of the page, since a scan has no text to ask: a QR code, a stamp of
receipt, a heading set high. The block gives way along the upper margin, first aside, then down, then it becomes lower;
where nothing is free it takes the emptiest place.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2

from signing.ink import DUST, Ink
from signing.types import Place, SignaturePlace, SigningRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.ink import Box

_A4_WIDTH_PT = 595.0
_BLOCK_PT = (170.0, 30.0)
_FROM_EDGE_PT = 8.0
#: The least upper margin that the decree allows: no block grows or moves below it.
_MARGIN_PT = 20 * 72 / 25.4
#: The block becomes lower rather than cover something; below this it couldn't be read.
_HEIGHTS_PT = (30.0, 26.0, 22.0, 19.0, 16.0)
_STEP_PT = 4.0
#: Kept free around it: the quiet zone that a reader of QR codes asks for is wider than what print needs.
_CLEAR_PT = 3.0
#: On A4, points: the leader's signature, and the seal over a third of it on its left.
_AT_THE_END = {Place.LEADER: (400.0, 60.0, 553.0, 122.0), Place.SEAL: (349.0, 40.0, 451.0, 142.0)}
_RIGHT = frozenset({Place.COPY, Place.ANNEX})
_TIMEOUT_S = 120.0


def corner(file: Path, place: Place) -> SignaturePlace:
    """The corner of `file` for `place`, over nothing where there is room for that; the same file, the same place."""
    with pypdfium2.PdfDocument(file) as document:
        if document.get_formtype():
            document.init_forms()  # or blocks of earlier signatures aren't seen
        last = len(document)
        number = last if place in _AT_THE_END else 1
        page = document[number - 1]
        sheet: Box = page.get_cropbox()
        scale = (sheet[2] - sheet[0]) / _A4_WIDTH_PT
        if place in _AT_THE_END:
            box = _at_the_end(page, sheet, scale, place)
        else:
            seen = Ink.on(page, sheet, (sheet[0], sheet[3] - _MARGIN_PT * scale, sheet[2], sheet[3]))
            box = _emptiest(seen, list(_in_the_margin(sheet, scale, at_right=place in _RIGHT)), _CLEAR_PT * scale)
        page.close()
    return SignaturePlace(place=place, page=number, box=box)


def corner_apart(file: Path, place: Place) -> SignaturePlace:
    """As `corner`, of a file that somebody brought: it is drawn in a process of its own, which it may end.

    Raises:
        SigningRefused: "unreadable_pdf".
    """
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "signing.corner", str(file.absolute()), place.value],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        page, box = json.loads(answer.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise SigningRefused(
            "unreadable_pdf", "Không vẽ được trang đầu của tệp PDF. Chưa có gì được ký. Hãy xuất lại tệp PDF."
        ) from error
    return SignaturePlace(place=place, page=page, box=tuple(box))


def _in_the_margin(sheet: Box, scale: float, *, at_right: bool) -> Iterator[tuple[float, Box]]:
    """Places for a block in its half of the upper margin, each with what it costs to leave the corner."""
    left, _, right, top = sheet
    width, edge, step = _BLOCK_PT[0] * scale, _FROM_EDGE_PT * scale, _STEP_PT * scale
    aside = int(((right - left) / 2 - edge - width) / step)
    for height_pt in _HEIGHTS_PT:
        height = height_pt * scale
        down = int((_MARGIN_PT * scale - edge - height) / step)
        for below in range(max(down, 0) + 1):
            for beside in range(max(aside, 0) + 1):
                x1 = right - edge - width - beside * step if at_right else left + edge + beside * step
                y2 = top - edge - below * step
                cost = beside + 1.5 * below + 6.0 * (_HEIGHTS_PT[0] - height_pt)
                yield cost, (x1, y2 - height, x1 + width, y2)


def _at_the_end(page: pypdfium2.PdfPage, sheet: Box, scale: float, place: Place) -> Box:
    """Leader or seal on a last page: both move up together until neither covers anything."""
    leader, seal = _AT_THE_END[Place.LEADER], _AT_THE_END[Place.SEAL]
    both = (min(leader[0], seal[0]), min(leader[1], seal[1]), max(leader[2], seal[2]), max(leader[3], seal[3]))
    moves = int(((sheet[3] - sheet[1]) / scale - both[3] - _MARGIN_PT) / _STEP_PT)
    seen = Ink.on(page, sheet, sheet)
    tried = [(float(up), _moved(both, sheet, scale, up * _STEP_PT)) for up in range(max(moves, 0) + 1)]
    found = _emptiest(seen, tried, _CLEAR_PT * scale)
    return _moved(_AT_THE_END[place], sheet, scale, (found[1] - sheet[1]) / scale - both[1])


def _moved(box: Box, sheet: Box, scale: float, up_pt: float) -> Box:
    x1, y1, x2, y2 = box
    left, low = sheet[0], sheet[1]
    return (left + x1 * scale, low + (y1 + up_pt) * scale, left + x2 * scale, low + (y2 + up_pt) * scale)


def _emptiest(seen: Ink, places: list[tuple[float, Box]], clear: float) -> Box:
    """The cheapest place over nothing; failing that, the one over the least."""
    rated = [(seen.share(box, clear), cost, box) for cost, box in places]
    free = [(cost, box) for share, cost, box in rated if share <= DUST]
    return min(free)[1] if free else min(rated)[2]


if __name__ == "__main__":
    found = corner(Path(sys.argv[1]), Place(sys.argv[2]))
    print(json.dumps([found.page, found.box]))
