"""What a template takes: its fields, and the check that lists everything wrong with the data at once.

Lengths: Decree 30/2020, Appendix VI. Text is made NFC here, so that search, hash and text layer agree; a letter the
typeface can't print is refused here, since it would end the layout.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from signing.typeface import Typeface

MOST_LINES = 400  # entries of one list field: far beyond any real decision, far below what stalls a layout
MOST_TEXT = 60_000

#: What word processors leave behind unseen: soft hyphen, joiners, byte order mark.
_INVISIBLE = dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))

FieldKind = Literal["text", "date", "number", "lines", "facts", "power"]
Seat = Literal["body", "right", "left", "left upper", "free"]
Source = Literal["clerk", "office", "system"]


@dataclass(frozen=True)
class TemplateField:
    """One value a template takes.

    Attributes:
        key: Name in the data.
        label, english: For people, in Vietnamese and in English.
        required: Whether the document can't be made without it.
        max_length: Characters after NFC, of the value or of each entry; Appendix VI where it names the field.
        kind: "text"; "date" (ISO string or date); "number"; "lines" (list of strings); "facts" (list of [name, value]);
            "power" (TM., KT., TL., TUQ. or Q. and whose).
        source: Who gives it: the "clerk" who drafts, the "office" (letterhead and signer), or the "system".
        seat: Where it is printed, which says how long a word may be: across the page ("body"), in the "right"
            or "left" column, there in capitals ("left upper"), or where any length fits ("free").
    """

    key: str
    label: str
    english: str
    required: bool = False
    max_length: int = 500
    kind: FieldKind = "text"
    source: Source = "clerk"
    seat: Seat = "body"


@dataclass(frozen=True)
class TemplateProblem:
    """What is wrong with one field, in words for the person who filled it in; `english` says the same."""

    key: str
    message: str
    english: str


#: What is wrong, in Vietnamese and in English.
_Wrong = tuple[str, str]


class TemplateDataError(ValueError):
    """The data can't become this document. `problems` lists everything that is wrong, not the first thing only."""

    def __init__(self, problems: Sequence[TemplateProblem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


#: Appendix I, box 7a: on behalf of, acting, in place of, by order, by authority.
_POWER = re.compile(r"(?:TM|Q|KT|TL|TUQ)\. ?\S", re.IGNORECASE)

#: How wide a word may be, and the size it is measured at: what can't be broken would stick out over the margin.
_WIDEST = {
    "body": (14.0, 143 * 72 / 25.4),
    "right": (14.0, 95 * 72 / 25.4),
    "left": (13.0, 64 * 72 / 25.4),
    "left upper": (13.0, 64 * 72 / 25.4),
}
_NAME_OF_FACT = (14.0, 49 * 72 / 25.4)

_ACADEMIC = re.compile(r"^(?:GS|PGS|TS|ThS|CN|KS|BS|LS)\.?\s*(?:BS|TS|KH)?\.\s*", re.IGNORECASE)


def checked(fields: Sequence[TemplateField], data: Mapping[str, Any], typeface: Typeface) -> dict[str, Any]:
    """The data, NFC and complete, absent values as "", [] or None.

    Args:
        fields: What the template takes.
        data: As it came, from a form or another system.
        typeface: What it will be printed in.

    Raises:
        TemplateDataError: With every problem.
    """
    known = {field.key: field for field in fields}
    problems = [
        TemplateProblem(key, f"Mẫu này không có trường “{key}”", f"This template has no field “{key}”")
        for key in data
        if key not in known
    ]
    clean: dict[str, Any] = {}
    for field in known.values():
        value, wrong = _CHECKS[field.kind](field, data.get(field.key), typeface)
        problems += [TemplateProblem(field.key, *said) for said in wrong]
        if not wrong and field.required and not value:
            missing = (f"Thiếu {field.label.lower()}", f"Missing: {field.english.lower()}")
            problems.append(TemplateProblem(field.key, *missing))
        clean[field.key] = value
    if _ACADEMIC.match(str(clean.get("signer_name") or "")):
        said = ("Họ và tên người ký không ghi học hàm, học vị", "The signer's name bears no academic title")
        problems.append(TemplateProblem("signer_name", *said))
    if "verify_url" in clean and bool(clean["lookup_code"]) != bool(clean["verify_url"]):
        said = (
            "Mã tra cứu và địa chỉ kiểm tra phải đi cùng nhau",
            "The look-up code and the address to check it belong together",
        )
        problems.append(TemplateProblem("lookup_code", *said))
    if problems:
        raise TemplateDataError(problems)
    return clean


def _text(field: TemplateField, value: Any, typeface: Typeface) -> tuple[str, list[_Wrong]]:
    if value is None:
        return "", []
    if not isinstance(value, str):
        return "", [(f"{field.label} phải là chữ", f"{field.english} must be text")]
    text = unicodedata.normalize("NFC", value.translate(_INVISIBLE)).replace("\r\n", "\n").replace("\t", " ").strip()
    if field.kind != "lines":
        text = " ".join(text.split())
    wrong: list[_Wrong] = []
    if len(text) > field.max_length:
        wrong.append(
            (
                f"{field.label} dài {len(text)} ký tự, nhiều nhất là {field.max_length}",
                f"{field.english} has {len(text)} characters, {field.max_length} at most",
            )
        )
    strange = sorted({letter for letter in text if letter != "\n" and not prints(letter, typeface)})
    if strange:
        listed = ", ".join(f"U+{ord(letter):04X}" for letter in strange[:5])
        wrong.append(
            (
                f"{field.label} có ký tự không in được: {listed}",
                f"{field.english} has characters that can't be printed: {listed}",
            )
        )
    wrong += _too_wide(field, text, typeface)
    return text, wrong


def _too_wide(field: TemplateField, text: str, typeface: Typeface) -> list[_Wrong]:
    """A word that no line can hold: nothing could be done but let it run over the margin."""
    if field.seat == "free":
        return []
    size, room = _NAME_OF_FACT if field.kind == "facts" and field.seat == "left" else _WIDEST[field.seat]
    shown = text.upper() if field.seat == "left upper" else text
    wide = [word for word in shown.split() if typeface.width_pt(word, size) > room]
    return [
        (
            f"{field.label} có chữ dài quá một dòng, hãy tách ra: “{word[:24]}…”",
            f"{field.english} has a word longer than a line, break it up: “{word[:24]}…”",
        )
        for word in wide[:1]
    ]


def _power(field: TemplateField, value: Any, typeface: Typeface) -> tuple[str, list[_Wrong]]:
    text, wrong = _text(field, value, typeface)
    if text and not wrong and not _POWER.match(text):
        wrong = [
            (
                "Quyền hạn ký phải bắt đầu bằng TM., Q., KT., TL. hoặc TUQ., rồi tới tập thể hoặc chức vụ",
                "The power to sign begins with TM., Q., KT., TL. or TUQ., then says whose",
            )
        ]
    return text, wrong


def prints(letter: str, typeface: Typeface) -> bool:
    """Whether a letter has a glyph, and is one: marks that turn the reading direction have glyphs too."""
    return ord(letter) in typeface.repertoire and not unicodedata.category(letter).startswith("C")


def _number_text(field: TemplateField, value: Any, _: Typeface) -> tuple[str, list[_Wrong]]:
    if value is None or value == "":
        return "", []
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) == 0:
        return "", [(f"{field.label} phải là số từ 1 trở lên", f"{field.english} must be a number from 1 on")]
    if len(text) > field.max_length:
        too_long = f"{field.label} dài quá {field.max_length} chữ số"
        return "", [(too_long, f"{field.english} has more than {field.max_length} digits")]
    return text, []


def _date_value(field: TemplateField, value: Any, _: Typeface) -> tuple[date | None, list[_Wrong]]:
    if value is None or value == "":
        return None, []
    if isinstance(value, datetime):
        return value.date(), []
    if isinstance(value, date):
        return value, []
    try:
        return date.fromisoformat(value), []
    except (TypeError, ValueError):
        not_a_day = f"{field.label} phải là ngày dạng năm-tháng-ngày"
        return None, [(not_a_day, f"{field.english} must be a date as year-month-day")]


def _lines(field: TemplateField, value: Any, typeface: Typeface) -> tuple[list[str], list[_Wrong]]:
    if value is None:
        return [], []
    if not isinstance(value, (list, tuple)):
        return [], [(f"{field.label} phải là danh sách", f"{field.english} must be a list")]
    if len(value) > MOST_LINES or sum(len(str(entry)) for entry in value) > MOST_TEXT:
        too_long = f"{field.label} quá dài: nhiều nhất {MOST_LINES} mục, {MOST_TEXT} ký tự"
        return [], [(too_long, f"{field.english}: at most {MOST_LINES} entries, {MOST_TEXT} characters")]
    checked = [
        _text(replace(field, label=f"{field.label}, mục {at}", english=f"{field.english}, entry {at}"), entry, typeface)
        for at, entry in enumerate(value, 1)
    ]
    return [text for text, _ in checked if text], [said for _, wrong in checked for said in wrong]


def _beside(field: TemplateField, column: Seat) -> Seat:
    """A fact's name and value stand in two columns, unless there is room for anything."""
    return "free" if field.seat == "free" else column


def _facts(field: TemplateField, value: Any, typeface: Typeface) -> tuple[list[tuple[str, str]], list[_Wrong]]:
    if value is None:
        return [], []
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(fact, (list, tuple)) and len(fact) == 2  # noqa: PLR2004  name and value
        for fact in value
    ):
        not_pairs = f"{field.label} phải là danh sách các cặp tên, giá trị"
        return [], [(not_pairs, f"{field.english} must be a list of pairs, name and value")]
    labels, wrong = _lines(replace(field, seat=_beside(field, "left")), [fact[0] for fact in value], typeface)
    words, also = _lines(replace(field, seat=_beside(field, "right")), [fact[1] for fact in value], typeface)
    if len(labels) != len(value) or len(words) != len(value):
        return [], [*wrong, *also] or [(f"{field.label} có mục để trống", f"{field.english} has an empty entry")]
    return [(label.rstrip(": "), word) for label, word in zip(labels, words, strict=True)], [*wrong, *also]


_CHECKS: dict[FieldKind, Callable[[TemplateField, Any, Typeface], tuple[Any, list[_Wrong]]]] = {
    "text": _text,
    "number": _number_text,
    "date": _date_value,
    "lines": _lines,
    "facts": _facts,
    "power": _power,
}
