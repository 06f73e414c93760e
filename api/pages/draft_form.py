"""A draft as a form: a template's fields to type into, and what was typed as the template's data.

Lists are typed as people write them: a line is an entry; articles, which may have several lines, stand apart by an
empty line; facts are rows of a name and a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signing import templates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.datastructures import FormData

    from dossiers.drafts import Origin, Suggested
    from signing.document_kinds import DocumentKind
    from signing.templates import TemplateField

#: Of an input's name: "f.subject"; facts are two lists, "f.facts.name" and "f.facts.value".
_PREFIX = "f."
_SPARE_ROWS = 2
_MOST_DIGITS = 9
MOST_TITLE = 300
_ROWS = {"opening": 2, "closing": 4, "bases": 4, "articles": 10, "recipients": 2, "addressees": 2, "text": 10}

_HINTS = {
    "bases": ("Mỗi căn cứ một dòng.", "One ground a line."),
    "articles": (
        "Các điều cách nhau một dòng trống, số điều tự đánh; trong một điều, mỗi đoạn một dòng.",
        "An empty line between articles, numbered by themselves; within one, a line a paragraph.",
    ),
    "recipients": ("Mỗi nơi một dòng; dòng “Lưu: VT” tự thêm.", "One a line; the office's own copy is added."),
    "opening": ("Mỗi đoạn một dòng.", "A line a paragraph."),
    "closing": ("Mỗi đoạn một dòng; dấu kết “./.” tự thêm.", "A line a paragraph; the closing mark is added."),
    "addressees": ("Mỗi nơi một dòng.", "One a line."),
    "text": ("Mỗi đoạn một dòng; dấu kết “./.” tự thêm.", "A line a paragraph; the closing mark is added."),
    "signer_power": (
        "Ví dụ “TM. Ủy ban nhân dân”, “KT. Giám đốc”; để trống khi người đứng đầu tự ký.",
        "Such as “KT. Giám đốc”; empty when the head signs in person.",
    ),
    "valid_until": ("Để trống nếu không có thời hạn.", "Empty when there is no limit."),
    "scope": ("Để trống nếu không giới hạn.", "Empty when there is no limit."),
    "subject": ("In dưới tên loại văn bản.", "Printed below the kind of document."),
}


@dataclass(frozen=True)
class FactRow:
    """One fact: its name and value as typed, and where they were taken from, if untouched."""

    name: str
    value: str
    origin: Origin | None = None


@dataclass(frozen=True)
class FormField:
    """A field as the form shows it.

    Attributes:
        shape: "line", "lines" or "facts".
        text: What stands in it; "" for facts.
        facts: Rows, with empty ones to go on in.
        origin: Where an untouched value was taken from.
        problem: What is wrong with it, in the reader's language.
    """

    field: TemplateField
    shape: str
    text: str
    facts: tuple[FactRow, ...]
    origin: Origin | None
    problem: str

    @property
    def rows(self) -> int:
        """How tall it begins; 0 for a single line."""
        if self.shape != "lines":
            return 0
        return max(_ROWS.get(self.field.key, 3), min(self.text.count("\n") + 2, 20))

    @property
    def hint(self) -> tuple[str, str] | None:
        """How to fill it in, Vietnamese and English."""
        return _HINTS.get(self.field.key)

    @property
    def folded(self) -> bool:
        """Whether it may stay out of the way: optional, rarely needed, and empty."""
        return self.field.key in ("valid_until", "scope") and not self.text


@dataclass(frozen=True)
class Typed:
    """A draft's form as it was sent.

    Attributes:
        version: Of the draft that was typed over, or that a person decided to lay this over; None when it isn't said.
    """

    data: dict[str, Any]
    title: str
    leader: str
    version: int | None


def fields_of(
    template: str | DocumentKind, data: Mapping[str, Any], known: Mapping[str, Suggested], problems: Mapping[str, str]
) -> list[FormField]:
    """The fields a clerk fills in, with what stands in them.

    Args:
        template: Name of a template.
        data: As kept, or as typed.
        known: What the draft began with.
        problems: What is wrong, by key.
    """
    return [
        _form_field(field, data.get(field.key), known.get(field.key), problems.get(field.key, ""))
        for field in templates.fields(template)
        if field.source == "clerk"
    ]


def _form_field(field: TemplateField, value: Any, known: Suggested | None, problem: str) -> FormField:
    untouched = known.origin if known and value == known.value else None
    if field.kind == "facts":
        return FormField(field, "facts", "", _fact_rows(value, known), None, problem)
    if field.kind == "lines":
        between = "\n\n" if field.key == "articles" else "\n"
        return FormField(field, "lines", between.join(_entries(value)), (), untouched, problem)
    return FormField(field, "line", "" if value is None else str(value), (), untouched, problem)


def _fact_rows(value: Any, known: Suggested | None) -> tuple[FactRow, ...]:
    suggested = [tuple(pair) for pair in known.value] if known else []
    rows = [
        FactRow(str(pair[0]), str(pair[1]), known.origin if known and tuple(pair) in suggested else None)
        for pair in _list(value)
        if isinstance(pair, list | tuple) and len(pair) == 2  # noqa: PLR2004  name and value
    ]
    return (*rows, *(FactRow("", "") for _ in range(_SPARE_ROWS)))


def _entries(value: Any) -> list[str]:
    return [str(entry) for entry in _list(value)]


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else []


def typed(template: str | DocumentKind, form: FormData) -> Typed:
    """What was typed, by the template's keys ("" has none). Nothing is judged; an unknown input is left alone."""
    data: dict[str, Any] = {}
    for field in templates.fields(template) if template else ():
        if field.source != "clerk":
            continue
        name = _PREFIX + field.key
        if field.kind == "facts":
            pairs = zip(_texts(form, f"{name}.name"), _texts(form, f"{name}.value"), strict=False)
            data[field.key] = [[label, value] for label, value in pairs if label or value]
        elif field.kind == "lines":
            between = r"\n\s*\n" if field.key == "articles" else r"\n"
            data[field.key] = [entry.strip() for entry in re.split(between, _text(form, name)) if entry.strip()]
        else:
            data[field.key] = _text(form, name)
    return Typed(
        data=data,
        title=_text(form, "title")[:MOST_TITLE],
        leader=_text(form, "leader"),
        version=_number(_text(form, "over")) or _number(_text(form, "version")),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _text(form: FormData, name: str) -> str:
    return next(iter(_texts(form, name)), "")


def _texts(form: FormData, name: str) -> list[str]:
    return [text.replace("\r\n", "\n").strip() for text in form.getlist(name) if isinstance(text, str)]
