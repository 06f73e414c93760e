"""Whom a paper belongs to: name, personal number, tax code, address, as its labels state them ("Họ và tên: …").

The personal number's digits 4 to 6 tell century, sex and year of birth (QĐ on the structure of personal numbers): they
are compared with what the paper says. A tax code has a check digit. What contradicts is a doubt, never mended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from digitize.fields.addresses import checked
from digitize.fields.layout import UNWITNESSED, Line, doubted, found, witnessed
from digitize.fields.people import SURE_NAME, is_name, known_family
from digitize.fields.words import is_upper
from digitize.types import Field
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.fields.layout import Sheet
    from digitize.types import OcrWord

_START = r"^\W{0,3}(?:\d{1,2}(?:\.\d)?[.)]\s?)?(?:[a-d][.)]\s?)?"
_NAME = re.compile(
    _START + r"(?:ho,? (?:va )?(?:chu dem,? )?(?:va )?ten(?: khai sinh| chu ho so| nguoi [a-z ]{2,30})?|"
    r"(?:cap|chung nhan|xac nhan)(?: cho)?(?: (?:ong|ba|ong/ba|ong ?\(ba\)))?|(?:ong|ba|ong/ba|ong ?\(ba\))|"
    r"nguoi (?:de nghi|yeu cau|duoc cap|nop ho so)|chu (?:ho so|ho|dau tu)|"
    r"ten (?:to chuc|doanh nghiep|cong ty|ho kinh doanh|co so|hop tac xa|don vi)(?: [a-z ]{2,30})?)\s?:\s?|"
    + _START
    + r"(?:toi ten la|ten toi la|toi la)\s?:?\s(?=[a-z])"
)
_NUMBER = re.compile(
    r"(?:so dinh danh(?: ca nhan)?|so cccd|cccd|can cuoc(?: cong dan)?|cmnd|cmtnd|chung minh nhan dan|giay to tuy than)"
    r"(?:/(?:cccd|can cuoc(?: cong dan)?|cmnd|so dinh danh ca nhan))*(?: so)?(?: ?\([a-z /]+\))?\s?[:;.]?\s?"
    r"(?P<digits>\d[\dOoIl .]{7,16}\d)(?!\d)"
)
_TAX = re.compile(
    r"(?:ma so thue|ma so doanh nghiep|\bmst)[a-z/ ]{0,24}\s?[:;.]?\s?"
    r"(?P<digits>\d[\d ]{8,12}\d(?:\s?-\s?\d{3})?)(?!\d)"
)
_ADDRESS = re.compile(
    _START
    + r"(?:noi (?:dang ky )?thuong tru|noi (?:cu tru|o hien (?:nay|tai)|o)|dia chi(?: [a-z ]{2,24}?)?|cho o hien nay|"
    r"(?:dia chi )?tru so(?: chinh)?|ho khau thuong tru)\s?:\s?"
)
_BORN = re.compile(
    r"(?:ngay sinh|sinh ngay|ngay,? ?thang,? ?nam sinh)\s?:?\s?(?:ngay )?(?P<day>\d{1,2})\s?(?:/|-|\.|thang)\s?"
    r"(?P<month>\d{1,2})\s?(?:/|-|\.|nam)\s?(?P<year>(?:19|20)\d{2})"
)
_SEX = re.compile(r"gioi tinh\s?[:;.]?\s?(?P<sex>nam|nu)\b")
_NEXT_LABEL = re.compile(
    r"(?:[.,;]\s|\s{1,2})(?:sinh (?:ngay|nam)|ngay sinh|gioi tinh|quoc tich|dan toc|nam sinh|cccd|cmnd|"
    r"so (?:cccd|dinh danh))\b"
)
_TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_PERSONAL, _OLD = 12, 9
_CARD = re.compile(r"\d{12}\|(?:\d{9})?\|[^|]+\|\d{8}\|[^|]+\|[^|]+\|\d{8}")
_SURE_OF_CODE = 100.0  # a code corrects its own errors, or isn't read at all


@dataclass(frozen=True)
class _Told:
    """What a paper says of a person that a personal number can be checked with."""

    born: date | None
    woman: bool | None


def owner(sheets: Sequence[Sheet]) -> Iterator[Field]:
    """Yield "owner_name", "owner_id", "owner_address" and "tax_code", each from its first label.

    A second personal number or tax code on the paper makes it a doubt whose is whose.
    """
    yield from _card(sheets)
    told = _told(sheets)
    yield from _first_name(sheets)
    yield from _number(sheets, told)
    yield from _tax(sheets)
    yield from _address(sheets)


def _card(sheets: Sequence[Sheet]) -> Iterator[Field]:
    """Yield "card_qr": the text of an ID card's code as it is; who may see it and what it means isn't decided here."""
    for sheet in sheets:
        for code in sheet.codes:
            if _CARD.match(code.text):
                yield Field("card_qr", code.text, code.text, sheet.number, code.box, _SURE_OF_CODE)
                return


def _first_name(sheets: Sequence[Sheet]) -> Iterator[Field]:
    for sheet in sheets:
        for index, line in enumerate(sheet.lines):
            label = _NAME.match(line.plain)
            if label is None:
                continue
            end = _NEXT_LABEL.search(line.plain, label.end())
            value = nfc(line.text[label.end() : end.start() if end else len(line.text)]).strip(" .,;:")
            words = line.part(label.end(), end.start() if end else len(line.text))
            if len(value) < 3 or not words or value.startswith(("..", "…")):  # noqa: PLR2004
                continue
            body = is_upper(value) and not is_name(value.title())
            if not is_name(value) and not body:
                continue
            field = found("owner_name", value, sheet, words, raw=line.text, pen=sheet.pen)
            wraps = body and _goes_on(line, sheet.lines[index + 1 :], sheet)
            is_sure = (witnessed(words) if body else known_family(value)) and not wraps
            is_sure = is_sure and field.confidence >= SURE_NAME
            yield field if is_sure else doubted(field)
            return


def _goes_on(line: Line, below: Sequence[Line], sheet: Sheet) -> bool:
    """Whether a line reaches the right edge and the next one has no label of its own."""
    if line.box.right < sheet.text_edges[1] - 0.12 * sheet.width or not below:
        return False
    return ":" not in below[0].text


def _told(sheets: Sequence[Sheet]) -> _Told:
    lines = [line.plain for sheet in sheets for line in sheet.lines]
    births = {match.group("year", "month", "day") for text in lines for match in _BORN.finditer(text)}
    sexes = {match["sex"] for text in lines for match in _SEX.finditer(text)}
    born = None
    if len(births) == 1:
        try:
            born = date(*map(int, births.pop()))
        except ValueError:
            born = None
    return _Told(born, None if len(sexes) != 1 else sexes.pop() == "nu")


def _number(sheets: Sequence[Sheet], told: _Told) -> Iterator[Field]:
    stated: list[tuple[str, Sheet, tuple[OcrWord, ...], str]] = []
    for sheet in sheets:
        for line in sheet.lines:
            for match in _NUMBER.finditer(line.plain):
                digits = re.sub(r"[ .]", "", match["digits"])
                words = line.part(match.start("digits"), match.end("digits"))
                stated.append((digits, sheet, words, line.text))
    if not stated:
        return
    digits, sheet, words, raw = stated[0]
    if not re.fullmatch(r"[0-9]+", digits) or len(digits) not in {_PERSONAL, _OLD}:
        return
    field = found("owner_id", digits, sheet, words, raw=raw, pen=sheet.pen)
    alone = len({other for other, *_ in stated}) == 1
    # Nothing can be checked on the nine digits of an old card.
    yield (
        field
        if alone and len(digits) == _PERSONAL and personal_number_fits(digits, told.born, woman=told.woman)
        else doubted(field)
    )


def personal_number_fits(digits: str, born: date | None, *, woman: bool | None) -> bool:
    """Whether 12 digits can be a personal number and agree with what is known of the person; None is not known."""
    century, is_woman = 1900 + 100 * (int(digits[3]) // 2), int(digits[3]) % 2 == 1
    year = century + int(digits[4:6])
    if not 1 <= int(digits[:3]) <= 96 or year > date.today().year:  # noqa: DTZ011, PLR2004
        return False
    return (born is None or born.year == year) and (woman is None or woman == is_woman)


def _tax(sheets: Sequence[Sheet]) -> Iterator[Field]:
    stated: list[tuple[str, Sheet, tuple[OcrWord, ...], str]] = []
    for sheet in sheets:
        for line in sheet.lines:
            for match in _TAX.finditer(line.plain):
                code = re.sub(r"\s", "", match["digits"])
                stated.append((code, sheet, line.part(match.start("digits"), match.end("digits")), line.text))
    if not stated:
        return
    code, sheet, words, raw = stated[0]
    field = found("tax_code", code, sheet, words, raw=raw, pen=sheet.pen)
    alone = len({other for other, *_ in stated}) == 1
    yield field if alone and tax_code_fits(code) else doubted(field)


def tax_code_fits(code: str) -> bool:
    """Whether a tax code's tenth digit checks the nine before it; a branch's "-001" may follow."""
    if not re.fullmatch(r"\d{10}(?:-\d{3})?", code):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_TAX_WEIGHTS, code, strict=False))
    return 10 - total % 11 == int(code[9])


def _address(sheets: Sequence[Sheet]) -> Iterator[Field]:
    for sheet in sheets:
        for index, line in enumerate(sheet.lines):
            label = _ADDRESS.match(line.plain)
            if label is None or len(line.text) - label.end() < 8:  # noqa: PLR2004
                continue
            lines = [line, *_rest(line, sheet.lines[index + 1 :], sheet)]
            text = " ".join([line.text[label.end() :], *(each.text for each in lines[1:])])
            value, known = checked(nfc(text).strip(" .,;:"))
            words = [*line.part(label.end(), len(line.text)), *(word for each in lines[1:] for word in each.words)]
            field = found("owner_address", value, sheet, words, raw=text, pen=sheet.pen)
            yield doubted(field) if not known else field if witnessed(words) else doubted(field, UNWITNESSED)
            return


def _rest(line: Line, below: Sequence[Line], sheet: Sheet) -> list[Line]:
    """The lines an address goes on in: until its closing mark, while the line before reaches the right edge."""
    taken: list[Line] = []
    for each in below[:3]:
        last = taken[-1] if taken else line
        full = last.box.right > sheet.text_edges[1] - 0.12 * sheet.width
        close = each.box.top - last.box.top < 2.2 * max(last.height, sheet.em)
        if last.text[-1] in ".;" or not full or not close or ":" in each.text:
            break
        taken.append(each)
    return taken
