"""Fields of a Vietnamese administrative document, found by the layout that Decree 30 prescribes.

The head of the first page has two columns: the agency and "Số: …/…" on the left; on the right the national title and
"Hà Nội, ngày … tháng … năm …". Numbers and dates of other documents stand all over the text ("Căn cứ Luật số …") and
in incoming stamps, so a value is taken only where the layout puts it, and nothing is better than something wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from digitize.types import Box, Field, OcrPage
from digitize.vietnamese import fold, nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.types import OcrWord

#: The head of a document ends here at the latest, as a share of the page's height.
_HEAD = 0.40
_HEAD_WITHOUT_TITLE = 0.18
#: Names of document types (Decree 30, appendix III), folded, longest first when matched.
_TYPES = (
    "Nghị quyết", "Quyết định", "Chỉ thị", "Quy chế", "Quy định", "Thông cáo", "Thông báo", "Hướng dẫn", "Chương trình",
    "Kế hoạch", "Phương án", "Đề án", "Dự án", "Báo cáo", "Biên bản", "Tờ trình", "Hợp đồng", "Công điện",
    "Bản ghi nhớ", "Bản thỏa thuận", "Giấy ủy quyền", "Giấy mời", "Giấy giới thiệu", "Giấy nghỉ phép", "Phiếu gửi",
    "Phiếu chuyển", "Phiếu báo", "Thư công", "Giấy phép", "Giấy phép xây dựng", "Giấy chứng nhận", "Giấy xác nhận",
    "Giấy khai sinh", "Trích lục", "Đơn đề nghị", "Tờ khai",
)  # fmt: skip

_NUMBER = re.compile(
    r"""^\s*S[ốôóồỗ6o]\s*[:.;]?\s*          # "Số:"; the accent and the colon are what is lost first
        (?P<number>\d{1,6}[a-z]?)\s*/\s*
        (?P<symbol>(?:\d{4}\s*/\s*)?[A-ZĐÐ0][A-Za-zĐđÐ0-9&]*(?:\s*[-–]\s*[A-ZĐÐ][A-Za-zĐđÐ0-9&.]*)*)""",
    re.VERBOSE,
)
_DATE = re.compile(
    r"(?P<place>[^,;:\n]{2,60}?)\s*[,.]\s*ng[àaáả]y\s*(?P<day>\d{1,2})\s*th[áaàả]ng\s*(?P<month>\d{1,2})\s*"
    r"n[ăaâ]m\s+(?P<year>(?:19|20)\d{2})\b",
    re.IGNORECASE,
)
_TITLE = re.compile(r"cong hoa xa hoi chu nghia viet nam")
_MOTTO = re.compile(r"doc lap.{1,5}tu do.{1,5}hanh phuc")
_SUBJECT = re.compile(r"^\s*(?:V/v|Về việc|v/v)\s*:?\s*(?P<subject>\S.{5,})", re.IGNORECASE)
_UPPER_SHARE = 0.75
_EARLIEST_YEAR = 1945
_SURE_OF_FILLED_IN = 75.0
_SURE_OF_DAY = 50.0


@dataclass(frozen=True)
class _Line:
    words: tuple[OcrWord, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        return _around(self.words)

    def part(self, start: int, end: int) -> tuple[OcrWord, ...]:
        """Words that the characters from `start` to `end` of the text belong to."""
        found, at = [], 0
        for word in self.words:
            if at < end and at + len(word.text) > start:
                found.append(word)
            at += len(word.text) + 1
        return tuple(found)


def extract(pages: Sequence[OcrPage]) -> list[Field]:
    """Find what a document says about itself.

    Keys: "number" and "symbol" of "Số: 2147/QĐ-UBND"; "issued_on" (ISO date) and "place"; "document_type"; "abstract";
    "agency". Each at most once, from the first page that has it; what isn't sure is left out.
    """
    found: dict[str, Field] = {}
    for page_number, page in enumerate(pages, start=1):
        for field in _of_page(page, page_number):
            found.setdefault(field.key, field)
    return list(found.values())


def _of_page(page: OcrPage, page_number: int) -> Iterator[Field]:
    lines = _lines(page)
    head = [line for line in lines if line.box.top < _HEAD * page.height_px]
    title = next((line for line in head if _TITLE.search(fold(line.text))), None)
    motto = next((line for line in head if _MOTTO.search(fold(line.text))), None)
    anchor = motto or title
    yield from _number(head, page, page_number, anchor)
    yield from _date(head, page, page_number, anchor)
    yield from _type_and_abstract(head, page, page_number, anchor)


def _number(head: list[_Line], page: OcrPage, page_number: int, anchor: _Line | None) -> Iterator[Field]:
    for line in head:
        for start in _starts(line):
            text = line.text[start:]
            match = _NUMBER.match(text)
            if not match or line.box.left > 0.55 * page.width_px:
                continue
            if not _beside(line, anchor, page):
                continue
            symbol = _mended_symbol(match["symbol"])
            if not symbol:
                continue
            end = start + match.end()
            words = line.part(start, end)
            raw = text[: match.end()].strip()
            at = line.part(start + match.start("number"), start + match.end("number"))
            # A number that stands apart from its symbol was filled in, often by hand: believed only when read surely.
            if "/" in at[-1].text or min(word.confidence for word in at) >= _SURE_OF_FILLED_IN:
                yield _field("number", match["number"], raw, page_number, words)
            yield _field("symbol", symbol, raw, page_number, words)
            return


def _beside(line: _Line, anchor: _Line | None, page: OcrPage) -> bool:
    """Whether a line is of the head's two columns: beside the national title and motto, not in the text below them.

    Above them stand stamps; below them other documents' numbers, of which one may well begin a line.
    """
    if anchor is None:
        return line.box.top < _HEAD_WITHOUT_TITLE * page.height_px
    height = anchor.box.bottom - anchor.box.top
    return anchor.box.top - 2.5 * height < line.box.top < anchor.box.bottom + 4.5 * height


def _starts(line: _Line) -> list[int]:
    """Where a number may begin: at the line's start, or after a wide gap when both columns were read as one line."""
    starts, at = [0], 0
    for before, word in zip(line.words, line.words[1:], strict=False):
        at += len(before.text) + 1
        if word.box.left - before.box.right > 2 * (word.box.bottom - word.box.top):
            starts.append(at)
    return starts


def _mended_symbol(symbol: str) -> str:
    """Put "QÐ - UBND" and "0Đ-UBND" as they were printed; "" when it can't be a symbol."""
    joined = re.sub(r"\s*([-–/])\s*", r"\1", symbol).replace("–", "-").replace("Ð", "Đ").strip(".-")
    joined = re.sub(r"(?<![A-ZĐ\d])(?:0|O)Đ(?=-|$)", "QĐ", joined)
    joined = re.sub(r"\bQ(?:D|0)(?=-|$)", "QĐ", joined)
    joined = re.sub(r"\bTT[TR](?=-)", "TTr", joined)
    joined = re.sub(r"\bN(?:D|0)(?=-CP|$)", "NĐ", joined)
    letters = [letter for letter in joined if letter.isalpha()]
    if len(letters) < 2 or sum(letter.isupper() for letter in letters) < _UPPER_SHARE * len(letters):  # noqa: PLR2004
        return joined if re.fullmatch(r"TTr(?:-[A-ZĐ&]+)*", joined) else ""
    return joined


def _date(head: list[_Line], page: OcrPage, page_number: int, anchor: _Line | None) -> Iterator[Field]:
    for line in head:
        for match in _DATE.finditer(line.text):
            place = _place(match["place"])
            issued_on = _valid(int(match["year"]), int(match["month"]), int(match["day"]))
            if not place or not issued_on:
                continue
            if not _beside(line, anchor, page):
                continue
            start = match.start() + match["place"].rfind(place)
            words = line.part(start, match.end())
            day = line.part(match.start("day"), match.end("day"))
            if min(word.confidence for word in day) < _SURE_OF_DAY:
                continue
            raw = line.text[start : match.end()].strip()
            yield _field("issued_on", issued_on.isoformat(), raw, page_number, words)
            yield _field("place", place, raw, page_number, line.part(start, start + len(place)))
            return


def _place(text: str) -> str:
    """The place before "ngày", without what stood left of it on the same line; "" when it is no place."""
    words = text.split()
    kept: list[str] = []
    for word in reversed(words):
        if not (word[:1].isupper() or word == "-") or any(letter.isdigit() for letter in word[1:]) or "/" in word:
            break
        kept.insert(0, word)
    folded = fold(" ".join(words))
    if not kept or len(kept) > 6 or re.search(r"\b(can cu|luat|theo|tai|quyet dinh|so)\b", folded):  # noqa: PLR2004
        return ""
    return nfc(" ".join(kept))


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if found.year >= _EARLIEST_YEAR else None


def _type_and_abstract(head: list[_Line], page: OcrPage, page_number: int, anchor: _Line | None) -> Iterator[Field]:
    below = [line for line in head if anchor is None or line.box.top > anchor.box.top]
    by_fold = {fold(name): name for name in _TYPES}
    for index, line in enumerate(below):
        name = by_fold.get(fold(line.text).strip(" .:-"))
        middle = (line.box.left + line.box.right) / 2
        if not name or not _is_upper(line.text) or abs(middle - page.width_px / 2) > 0.2 * page.width_px:
            continue
        yield _field("document_type", name, line.text, page_number, line.words)
        yield from _abstract_below(below[index + 1 :], line, page_number)
        return
    for line in below:
        match = _SUBJECT.match(line.text)
        if match and line.text.lstrip()[:3].casefold() == "v/v":
            yield _field("abstract", nfc(match["subject"].strip()), line.text, page_number, line.words)
            return


def _abstract_below(lines: list[_Line], heading: _Line, page_number: int) -> Iterator[Field]:
    """Take "Về việc …" right under the type's name, with its continuation lines."""
    if not lines or not _SUBJECT.match(lines[0].text):
        return
    taken = [lines[0]]
    size = heading.box.bottom - heading.box.top
    for line in lines[1:4]:
        gap = line.box.top - taken[-1].box.bottom
        centred = abs((line.box.left + line.box.right) - (heading.box.left + heading.box.right)) < 6 * size
        if gap > size or not centred or _is_upper(line.text) or re.match(r"\s*(Căn cứ|Kính gửi|Điều)", line.text):
            break
        taken.append(line)
    match = _SUBJECT.match(" ".join(line.text for line in taken))
    if match:
        words = tuple(word for line in taken for word in line.words)
        subject = nfc(match["subject"].strip())
        yield _field("abstract", subject, " ".join(line.text for line in taken), page_number, words)


def _is_upper(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return bool(letters) and sum(letter.isupper() for letter in letters) >= _UPPER_SHARE * len(letters)


def _lines(page: OcrPage) -> list[_Line]:
    lines: dict[tuple[int, int, int], list[OcrWord]] = {}
    for word in page.words:
        lines.setdefault((word.block, word.paragraph, word.line), []).append(word)
    return [_Line(tuple(words)) for words in lines.values()]


def _field(key: str, value: str, raw: str, page_number: int, words: tuple[OcrWord, ...]) -> Field:
    return Field(key, value, raw, page_number, _around(words), min(word.confidence for word in words))


def _around(words: tuple[OcrWord, ...]) -> Box:
    return Box(
        min(word.box.left for word in words),
        min(word.box.top for word in words),
        max(word.box.right for word in words),
        max(word.box.bottom for word in words),
    )
