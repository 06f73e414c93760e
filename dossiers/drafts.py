"""What a draft begins with, and how it can be looked at while words are still missing.

Only what the dossier and the catalogue already know is put in: the words that decide a matter are left to a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dossiers.calendar import local_day
from signing import templates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dossiers.types import Dossier, Procedure
    from signing.document_kinds import DocumentKind
    from signing.templates import TemplateField, TemplateProblem

Origin = Literal["dossier", "procedure"]


@dataclass(frozen=True)
class Suggested:
    """A value a draft begins with, and where it was taken from."""

    value: Any
    origin: Origin


def first_words(dossier: Dossier, procedure: Procedure, template: str | DocumentKind) -> dict[str, Suggested]:
    """What is known already, by the keys of the template's fields.

    Raises:
        UnknownTemplate: There is none of that name.
    """
    who = dossier.applicant
    facts = (
        ("Họ và tên", who.name),
        ("Số định danh cá nhân", who.id_number),
        ("Địa chỉ", who.address),
    )
    received = f" tiếp nhận ngày {local_day(dossier.received_at):%d/%m/%Y}" if dossier.received_at else ""
    known = {
        "subject": Suggested(_subject(procedure, template), "procedure"),
        "bases": Suggested([f"Xét hồ sơ {dossier.code}{received} của {who.name}"], "dossier"),
        "opening": Suggested([f"Căn cứ hồ sơ {dossier.code}{received},"], "dossier"),
        "facts": Suggested([[name, value] for name, value in facts if value], "dossier"),
        "recipients": Suggested(["Như trên"] if template == "letter" else [who.name], "dossier"),
        "addressees": Suggested([who.name], "dossier"),
    }
    asked_for = {field.key for field in templates.fields(template) if field.source == "clerk"}
    return {key: value for key, value in known.items() if key in asked_for}


def names_somebody_else(dossier: Dossier, data: Mapping[str, Any]) -> bool:
    """Whether the applicant's name stands nowhere in the draft: a copied draft, or a slip."""
    wanted = " ".join(dossier.applicant.name.split()).casefold()
    return wanted not in " ".join(" ".join(_texts(data)).split()).casefold()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [text for one in inside for text in _texts(one)]


def _subject(procedure: Procedure, template: str | DocumentKind) -> str:
    """The result's name without the kind of document, which stands above it in print."""
    kind, _ = templates.type_name(template)
    name = procedure.result_name
    rest = name[len(kind) :].strip() if name.casefold().startswith(kind.casefold()) else name
    if template == "decision" and not rest.casefold().startswith("về"):
        rest = f"Về việc {rest[:1].lower()}{rest[1:]}"
    if template == "letter":  # printed behind "V/v"
        return rest[:1].lower() + rest[1:]
    return rest[:1].upper() + rest[1:]


# --- three ways to look at a draft: as it is, with its blanks shown, with everything wrong replaced by a gap ----------


def as_it_is(
    _template: str | DocumentKind, data: Mapping[str, Any], _problems: Sequence[TemplateProblem]
) -> dict[str, Any]:
    """The draft as it is."""
    return dict(data)


def with_blanks(
    template: str | DocumentKind, data: Mapping[str, Any], problems: Sequence[TemplateProblem]
) -> dict[str, Any]:
    """The draft with a gap for every value that is missing, and for every half of a pair."""
    fields = _wrong(template, problems)
    return {**data, **{f.key: _filled_up(f, data.get(f.key)) for f in fields}}


def with_gaps(
    template: str | DocumentKind, data: Mapping[str, Any], problems: Sequence[TemplateProblem]
) -> dict[str, Any]:
    """The draft with a gap for every value that is wrong, whatever it says."""
    known = {f.key for f in templates.fields(template)}
    kept = {key: value for key, value in data.items() if key in known}
    return {**kept, **{f.key: _gap(f) for f in _wrong(template, problems)}}


def _wrong(template: str | DocumentKind, problems: Sequence[TemplateProblem]) -> list[TemplateField]:
    keys = {problem.key for problem in problems}
    return [field for field in templates.fields(template) if field.key in keys]


def _filled_up(field: TemplateField, value: Any) -> Any:
    if field.kind == "facts" and isinstance(value, list) and value:
        return [[str(part).strip() or "[…]" for part in pair] if isinstance(pair, list) else pair for pair in value]
    return value or _gap(field)


def _gap(field: TemplateField) -> Any:
    mark = f"[{field.label}]"
    match field.kind:
        case "text" | "power":
            return mark if field.required else ""
        case "lines":
            return [mark] if field.required else []
        case "facts":
            return [[mark, "[…]"]] if field.required else []
        case _:
            return None
