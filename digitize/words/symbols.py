"""Numbers, dates and symbols of papers put right by their grammar, where it leaves one reading.

"Số: 02/QĐ-BCĐ", "ngày 11 tháng 8 năm 2025": a digit never stands beside a capital I there, Đ is no Icelandic Ð, and no
blank follows the hyphen of a symbol (Decree 30, appendix I and III). What could be two things ("0S": 05 or 08; "tháng
II"; "5l": 51 or five litres) stays as it was read, for a person; and so does a number that was changed, as a doubt.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from digitize.types import Box, Repair
from digitize.words.syllables import is_syllable
from digitize.words.vietnamese import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.types import OcrPage, OcrWord

#: Abbreviated types of papers (Decree 30, appendix III) that may follow a number and a slash.
_TYPES = (
    "QĐ|NQ|NĐ|CT|QC|QyĐ|QYĐ|TC|TB|HD|CTr|CTR|KH|PA|ĐA|DA|BC|BB|TTr|TTR|HĐ|CĐ|BGN|BTT|GUQ|GM|GGT|GNP|PG|PC|PB|TT|"
    "GP|GCN|GXN|KL|PL|TTLT|UBND|VPCP"
)  # fmt: skip
_ONES = str.maketrans("Il|]!Ooó", "11111006")
_MIXED_NUMBER = re.compile(r"^(?=.*\d)(?=.*[Il|])[\dIl|]{2,}$")
_DAY_OR_MONTH = re.compile(r"^(?:[\dIl|\]!Oo]{1,2}|\dó)$")
_LOST_SLASH = re.compile(rf"^(\d{{1,5}})((?:{_TYPES})-[A-ZĐ][A-Za-zĐđ&]*+\W*)$")
_FRACTION_BAR = re.compile(r"(?<=\w)⁄(?=\w)")  # a slash in italics; no paper has the other sign
_FOR_A_REPORT = re.compile(r"(?<!\w)b/[€Ceé](?=\W*$)")
_PURPOSE = re.compile(r"^[^\W\d_]/[^\W\d_€]\W*$|^b/€")  # b/c, p/h: whom a copy goes to, and what for
_LIKE_A_SLASH = frozenset("17")
_ALIKE_D = re.compile(r"[DĐÐdđð\s]")
_SYMBOL_START = re.compile(rf"^\d{{1,6}}[a-z]?/(?:(?:19|20)\d\d/)?(?:{_TYPES})-$")
_SYMBOL_HALF = re.compile(rf"^\d{{1,6}}[a-z]?/(?:(?:19|20)\d\d/)?(?:{_TYPES})$")
_AGENCY = re.compile(r"^-?[A-ZĐ][A-ZĐ&]{1,9}[.,;:)]?$")
_ENDS_SMALL = re.compile(r"^\W*([^\W\d_]{2,})\.$")
_LAST_MONTH = 12
_LAST_DAY = 31
#: A number that was changed, or that may be another one, is never surer than this: a person looks at it.
_DOUBT = 60.0


def mended(page: OcrPage) -> OcrPage:
    """The page with its symbols, dates and signs as grammar says; what was read first stays with each word."""
    words = list(_joined(page.words))
    for index, word in enumerate(words):
        if word.repair or word.by_pen:
            continue
        text = _mended_word(words, index)
        sure = min(word.confidence, _DOUBT) if _is_doubtful(word.text, text) else word.confidence
        if text != word.text:
            words[index] = replace(word, text=text, raw=word.text, repair=Repair.GRAMMAR, confidence=sure)
        elif sure != word.confidence:
            words[index] = replace(word, confidence=sure)
    return replace(page, words=tuple(words))


def _is_doubtful(read: str, text: str) -> bool:
    """Whether a number was changed by more than a Đ, or has a stroke that may be a digit, a letter or a slash."""
    if not any(map(str.isdigit, read + text)):
        return False
    if _ALIKE_D.sub("", _FRACTION_BAR.sub("/", read)) != _ALIKE_D.sub("", text):
        return True
    return bool(_MIXED_NUMBER.match(text.strip(".,:;()")) or _LOST_SLASH.match(text))


def _mended_word(words: Sequence[OcrWord], index: int) -> str:
    word = words[index]
    text = _our_letters(word.text)
    if set(text) != {"_"}:
        text = text.strip("_")  # the end of a rule; no word of a paper has one
    if "/" in text and any(letter.isdigit() for letter in text):
        text = _symbol(text)
    # A slash is often read as 1 or 7: "021QĐ-BCĐ" is 02/QĐ-BCĐ, or number 21 of another book.
    if (found := _LOST_SLASH.match(text)) and found[1][-1] not in _LIKE_A_SLASH:
        text = f"{found[1]}/{found[2]}"
    text = _FOR_A_REPORT.sub("b/c", text)
    core = text.strip(".,:;()")
    if text[0] == "(" and fold(text) == "(de" and _is_before_a_purpose(words, index):
        text = "(để"
    if core and _is_of_a_date(words, index, core):
        text = text.replace(core, core.translate(_ONES))
    elif text == "~" and _begins_line(words, index) and _has_line_mate(words, index):
        text = "-"
    elif _breaks_off(words, index):
        text = text[:-1] + ","
    return text


def _our_letters(text: str) -> str:
    """Without what no Vietnamese word has: the Icelandic letter, and the bar of a fraction for a slash."""
    return _FRACTION_BAR.sub("/", text.replace("Ð", "Đ").replace("ð", "đ"))


def _symbol(text: str) -> str:
    """A number with its symbol: "02/0Đ-BCĐ", "02/QĐĐ-UBND", "02/QÐ-UBND" are one and the same kind of paper."""
    text = re.sub(r"(?<=/)[0OQ]Đ+(?=-)", "QĐ", text)
    text = re.sub(r"(?<=/)QD(?=-[A-ZĐ])", "QĐ", text)
    text = re.sub(r"(?<=/)ND(?=-CP)", "NĐ", text)
    return re.sub(r"-UBNDĐ?$", "-UBND", text)


def _is_of_a_date(words: Sequence[OcrWord], index: int, core: str) -> bool:
    """Whether a token is the day or the month between "ngày" and "năm", misread in one way only."""
    if index == 0 or not _DAY_OR_MONTH.match(core) or core.isdigit():
        return False
    before = fold(words[index - 1].text.strip(".,:;()"))
    after = fold(words[index + 1].text.strip(".,:;()")) if index + 1 < len(words) else ""
    number = int(core.translate(_ONES))
    if before == "ngay" and after == "thang":
        return 0 < number <= _LAST_DAY
    # "tháng II" may be Roman for February, and "tháng I" for January.
    return before == "thang" and after == "nam" and 0 < number <= _LAST_MONTH and any(map(str.isdigit, core))


def _is_before_a_purpose(words: Sequence[OcrWord], index: int) -> bool:
    return _has_line_mate(words, index) and _PURPOSE.match(words[index + 1].text) is not None


def _begins_line(words: Sequence[OcrWord], index: int) -> bool:
    return index == 0 or _line_of(words[index - 1]) != _line_of(words[index])


def _has_line_mate(words: Sequence[OcrWord], index: int) -> bool:
    return index + 1 < len(words) and _line_of(words[index + 1]) == _line_of(words[index])


def _breaks_off(words: Sequence[OcrWord], index: int) -> bool:
    """Whether a full stop stands where the sentence goes on: a comma read without its tail."""
    found = _ENDS_SMALL.match(words[index].text)
    if not found or index + 1 >= len(words) or not found[1].islower() or not is_syllable(found[1]):
        return False
    following = words[index + 1]
    own = words[index]
    if (following.block, following.paragraph) != (own.block, own.paragraph):
        return False
    start = following.text.strip(".,:;()")
    return len(start) > 1 and start.islower() and is_syllable(start)


def _joined(words: Sequence[OcrWord]) -> Iterator[OcrWord]:
    """A symbol that was read in two pieces made one: "12/QĐ-" "BGTVT", "12/QĐ" "-BGTVT"."""
    waiting: OcrWord | None = None
    for word in words:
        if waiting is None:
            waiting = word
            continue
        first, second = _our_letters(waiting.text), _our_letters(word.text)
        one_line = _line_of(waiting) == _line_of(word)
        halves = (_SYMBOL_START.match(first) and word.text[:1] != "-") or (
            _SYMBOL_HALF.match(first) and word.text[:1] == "-"
        )
        near = word.box.left - waiting.box.right < 2 * (waiting.box.bottom - waiting.box.top)
        mendable = not (waiting.by_pen or word.by_pen or waiting.repair or word.repair)
        if one_line and halves and near and mendable and _AGENCY.match(second):
            waiting = replace(
                waiting,
                text=first + second,
                raw=f"{waiting.text} {word.text}",
                repair=Repair.GRAMMAR,
                box=_around(waiting.box, word.box),
                confidence=min(waiting.confidence, word.confidence),
            )
        else:
            yield waiting
            waiting = word
    if waiting is not None:
        yield waiting


def _around(one: Box, other: Box) -> Box:
    return Box(
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )


def _line_of(word: OcrWord) -> tuple[int, int, int]:
    return word.block, word.paragraph, word.line
