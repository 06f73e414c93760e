"""Where an uploaded PDF is to be signed: between the signer's printed title and name, and the seal over the left third.

The text is read with its positions by PDFium, in a process of its own: PDFium may be called by one thread only, and
what people upload may crash it. Nothing is ever placed over text.

Units: PDF points, origin at the bottom left. Rule: Decree 30/2020, Appendix I, boxes 7a, 7b, 7c and 8.
"""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signing.ink import DUST, Ink
from signing.types import Place, SignaturePlace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pypdfium2 import PdfPage

MM = 72 / 25.4
SEAL_MM = 36.0  # the agency seal at real size; `requirements.md` 2.2 keeps it configurable
LEADER_MM = (54.0, 22.0)  # room for the picture of the leader's signature
SEAL_SHARE = 1 / 3  # of the leader's picture the seal covers, on its left

TIMEOUT_S = 60.0
LEAST_GAP = 14 * MM  # between title and name: less isn't room for a signature
MOST_GAP = 110 * MM  # more means that they belong to different things
MOST_OFF_CENTRE = 45 * MM  # title and name stand one above the other
LEAST_SEAL_MM = 20.0
LEAST_LEADER_MM = 25.0
CLEAR = 1.5  # points kept free around text

Rect = tuple[float, float, float, float]


class PlaceNotFound(Exception):
    """There is no place for the signatures. The message is for people.

    Attributes:
        reason: "name_missing", "title_missing", "no_room" or "unreadable_pdf".
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


_WORDS = {
    "name_missing": "Không tìm thấy họ và tên người ký “{name}” trong văn bản. Tệp vẫn còn nguyên. "
    "Hãy kiểm tra người ký đã chọn và tên in ở cuối văn bản (tệp phải có chữ, không phải ảnh quét).",
    "title_missing": "Không tìm thấy chức vụ “{title}” phía trên tên “{name}”. Tệp vẫn còn nguyên. "
    "Hãy kiểm tra chức vụ in trong văn bản.",
    "no_room": "Giữa chức vụ và tên người ký không đủ chỗ trống cho chữ ký và con dấu. Tệp vẫn còn nguyên. "
    "Hãy chừa khoảng trống chừng 4 cm rồi xuất lại tệp.",
    "unreadable_pdf": "Không đọc được chữ trong tệp PDF. Tệp vẫn còn nguyên. Hãy xuất lại tệp rồi tải lên.",
}


def find(
    pdf: Path, *, signer_title: str, signer_name: str, seal_mm: float = SEAL_MM
) -> tuple[SignaturePlace, SignaturePlace]:
    """Find the leader's and the seal's place by the printed title and name, on whichever page they stand.

    Accents count, case and spaces don't, and a title may run over two lines. Where the pair stands more than once, the
    last one counts.

    Args:
        pdf: An unsigned PDF with text.
        signer_title: As printed, for instance "Phó Giám đốc".
        signer_name: As printed.
        seal_mm: Diameter of the seal; it is made smaller, down to 20 mm, only where text would be covered.

    Raises:
        PlaceNotFound: Title or name isn't there, or there is no room between them.
    """
    asked = {"pdf": str(pdf.absolute()), "title": signer_title, "name": signer_name, "seal_mm": seal_mm}
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "signing.places"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            check=True,
        )
        found = json.loads(answer.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise _not_found("unreadable_pdf", signer_title, signer_name) from error
    if isinstance(found, str):
        raise _not_found(found, signer_title, signer_name)
    leader, seal = ((page, tuple(box)) for page, box in found)
    return SignaturePlace(Place.LEADER, *leader), SignaturePlace(Place.SEAL, *seal)


def _not_found(reason: str, title: str, name: str) -> PlaceNotFound:
    return PlaceNotFound(reason, _WORDS[reason].format(title=title, name=name))


# --- pure: letters in, places out -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Letter:
    """A printed letter, NFC and case-folded, with its box."""

    text: str
    box: Rect


def places_on(
    letters: Sequence[Letter],
    page: int,
    *,
    sheet: Rect,
    title: str,
    name: str,
    seal_mm: float = SEAL_MM,
    seen: Ink | None = None,
) -> tuple[SignaturePlace, SignaturePlace] | str:
    """The two places on one page, inside `sheet`, or the reason why there are none.

    Text is never covered. Of what else the page's picture shows (`seen`) as little as can be: a coloured ground can't
    be helped.
    """
    names = _occurrences(letters, name)
    if not names:
        return "name_missing"
    pairs = [
        (below, above)
        for below in names
        for above in _occurrences(letters, title)
        if 0 < above[1] - below[3] < MOST_GAP and abs(_middle(above) - _middle(below)) < MOST_OFF_CENTRE
    ]
    if not pairs:
        return "title_missing"
    lowest = min(below[1] for below, _ in pairs)
    below, above = min((p for p in pairs if p[0][1] == lowest), key=lambda pair: pair[1][1] - pair[0][3])
    gap = above[1] - below[3]
    if gap < LEAST_GAP:
        return "no_room"
    centre = (_middle(below), below[3] + gap / 2)
    text = [letter.box for letter in letters]
    over_something: list[tuple[float, tuple[SignaturePlace, SignaturePlace]]] = []
    for width, seal in _sizes(seal_mm):
        height = min(LEADER_MM[1] * MM, gap - 2 * CLEAR)
        leader = (width * MM, min(height, width * MM * LEADER_MM[1] / LEADER_MM[0]))
        found = signature_places(page, centre, leader, seal * MM)
        if all(_inside(place.box, sheet) for place in found) and not any(
            _overlap(place.box, box) for place in found for box in text
        ):
            covered = 0.0 if seen is None else sum(seen.share(place.box, CLEAR) for place in found)
            if covered <= DUST:
                return found
            over_something.append((round(covered, 3), found))
    return min(over_something, key=lambda tried: tried[0])[1] if over_something else "no_room"


def _sizes(seal_mm: float) -> Iterable[tuple[float, float]]:
    """Leader's width and seal's diameter in millimetres, the largest first."""
    seals = [seal_mm, *(size for size in (34.0, 32.0, 30.0, 28.0, 26.0, 24.0, 22.0, LEAST_SEAL_MM) if size < seal_mm)]
    widths = [LEADER_MM[0], 46.0, 38.0, 32.0, LEAST_LEADER_MM]
    return [(width, seal) for seal in seals for width in widths]


def signature_places(
    page: int, middle: tuple[float, float], leader: tuple[float, float], seal: float
) -> tuple[SignaturePlace, SignaturePlace]:
    """Leader and seal around `middle`, all in points: the seal covers a third of the leader's picture, on its left."""
    (x, y), (width, height) = middle, leader
    left = x - width / 2
    seal_right = left + width * SEAL_SHARE
    return (
        SignaturePlace(Place.LEADER, page, (left, y - height / 2, left + width, y + height / 2)),
        SignaturePlace(Place.SEAL, page, (seal_right - seal, y - seal / 2, seal_right, y + seal / 2)),
    )


def _occurrences(letters: Sequence[Letter], phrase: str) -> list[Rect]:
    """Boxes of the places where `phrase` is printed, spaces and line ends left out of account."""
    wanted = _folded(phrase)
    if not wanted:
        return []
    whole = "".join(letter.text for letter in letters)
    owner = [at for at, letter in enumerate(letters) for _ in letter.text]
    found = []
    start = whole.find(wanted)
    while start >= 0:
        inside = letters[owner[start] : owner[start + len(wanted) - 1] + 1]
        found.append(
            (
                min(letter.box[0] for letter in inside),
                min(letter.box[1] for letter in inside),
                max(letter.box[2] for letter in inside),
                max(letter.box[3] for letter in inside),
            )
        )
        start = whole.find(wanted, start + 1)
    return found


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).casefold().split())


def _middle(box: Rect) -> float:
    return (box[0] + box[2]) / 2


def _inside(box: Rect, sheet: Rect) -> bool:
    return box[0] >= sheet[0] and box[1] >= sheet[1] and box[2] <= sheet[2] and box[3] <= sheet[3]


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] + CLEAR and b[0] < a[2] + CLEAR and a[1] < b[3] + CLEAR and b[1] < a[3] + CLEAR


# --- the process that reads -----------------------------------------------------------------------------------------


def _letters(page: PdfPage) -> list[Letter]:
    """Letters in reading order; marks of decomposed text join the letter they stand on."""
    words = page.get_textpage()
    try:
        found: list[Letter] = []
        for at in range(words.count_chars()):
            char = words.get_text_range(at, 1)
            if not char.strip() or not char.isprintable():
                continue
            box = words.get_charbox(at)
            if found and all(unicodedata.combining(mark) for mark in char):
                last = found[-1]
                found[-1] = Letter(_folded(last.text + char), last.box)
            else:
                found.append(Letter(_folded(char), box))
        return found
    finally:
        words.close()


def _answer(asked: dict[str, Any]) -> list[tuple[int, Rect]] | str:
    """Look through the pages from the last to the first; of several failures the one that got furthest."""
    reasons = ["name_missing"]
    from pypdfium2 import PdfDocument

    document = PdfDocument(asked["pdf"])
    try:
        for index in reversed(range(len(document))):
            page = document[index]
            found = places_on(
                _letters(page),
                index + 1,
                sheet=page.get_cropbox(),
                title=asked["title"],
                name=asked["name"],
                seal_mm=asked["seal_mm"],
                seen=Ink.on(page, page.get_cropbox(), page.get_cropbox()),
            )
            page.close()
            if not isinstance(found, str):
                return [(place.page, place.box) for place in found]
            reasons.append(found)
    finally:
        document.close()
    return max(reasons, key=("name_missing", "title_missing", "no_room").index)


def main() -> int:
    """Answer one question from standard input."""
    from pypdfium2 import PdfiumError

    try:
        found = _answer(json.load(sys.stdin))
    except PdfiumError:
        found = "unreadable_pdf"
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
