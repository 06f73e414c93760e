"""What in a submitted result a leader should look at twice: how it differs from what the template makes of the dossier.

A result from a template is set by us from its data, so its text differs nowhere but in its data: what the clerk wrote
in place of what the dossier says, and what was changed since the leader returned it. An uploaded document follows no
template at all, which is said.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dossiers import drafts
from signing import templates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dossiers.types import Dossier, EResult, Procedure


#: Decree 61/2018, as `dossiers.codes` makes them.
_DOSSIER_CODE = re.compile(r"\b\d{3}(?:\.\d{2,3}){2}\.H\d{2}-\d{6}-\d{4,}\b")


class Differs(StrEnum):
    """In what way."""

    NO_TEMPLATE = "no_template"
    NOT_THE_APPLICANT = "not_the_applicant"
    FROM_DOSSIER = "from_dossier"
    SINCE_RETURNED = "since_returned"


@dataclass(frozen=True)
class Difference:
    """One thing to look at.

    Attributes:
        field: Its name as the clerk's form has it, Vietnamese; "" for the whole document.
        before: What the dossier says, or what was returned. now: what is to be signed.
    """

    kind: Differs
    field: str = ""
    before: str = ""
    now: str = ""


def differences(e_result: EResult, dossier: Dossier, procedure: Procedure) -> list[Difference]:
    """Everything to look at, the gravest first."""
    if e_result.came_signed:
        return []
    if not e_result.template:
        return [Difference(Differs.NO_TEMPLATE)]
    found = []
    if drafts.names_somebody_else(dossier, e_result.data):
        found.append(Difference(Differs.NOT_THE_APPLICANT, before=dossier.applicant.name))
    ours = e_result.template in templates.names()  # what an agency's own template takes isn't known here
    labels = {field.key: field.label for field in templates.fields(e_result.template)} if ours else _keys(e_result)
    if e_result.returned_data:
        found += _changed(Differs.SINCE_RETURNED, labels, e_result.returned_data, e_result.data)
    known = drafts.first_words(dossier, procedure, e_result.template).get("facts") if ours else None
    return [*found, *_otherwise(known.value if known else [], e_result.data), *_other_dossiers(dossier, e_result.data)]


def _keys(e_result: EResult) -> dict[str, str]:
    return {key: key for key in (*e_result.returned_data, *e_result.data)}


def _changed(
    kind: Differs, labels: Mapping[str, str], before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[Difference]:
    for key, label in labels.items():
        was, is_now = as_text(before.get(key)), as_text(now.get(key))
        if _plain(was) != _plain(is_now):
            yield Difference(kind, label, was, is_now)


def _otherwise(facts: Iterable[list[str]], now: Mapping[str, Any]) -> Iterator[Difference]:
    """What the dossier says of the applicant and the document says otherwise, or nowhere.

    In what words and under which name it is said is the clerk's business.
    """
    written = now.get("facts")
    pairs = [pair for pair in written if isinstance(pair, list)] if isinstance(written, list) else []
    said = {_plain(as_text(pair[:1])): as_text(pair[1:]) for pair in pairs}
    everything = _plain(as_text(dict(now)))
    for name, value in facts:
        told = said.get(_plain(name))
        if _plain(told or "") != _plain(value) and (told is not None or _plain(value) not in everything):
            yield Difference(Differs.FROM_DOSSIER, name, value, told or "")


def _other_dossiers(dossier: Dossier, now: Mapping[str, Any]) -> Iterator[Difference]:
    """A copied draft often keeps the code of the dossier it was written for."""
    for code in dict.fromkeys(_DOSSIER_CODE.findall(as_text(dict(now)))):
        if code != dossier.code:
            yield Difference(Differs.FROM_DOSSIER, "Mã hồ sơ", dossier.code, code)


def as_text(value: Any) -> str:
    """What a template's field holds, on one line; "" for nothing."""
    if isinstance(value, list | tuple):
        if len(value) == 2 and all(isinstance(part, str) for part in value):  # noqa: PLR2004  a name and its value
            return ": ".join(value)
        return "; ".join(filter(None, map(as_text, value)))
    if isinstance(value, dict):
        return "; ".join(filter(None, map(as_text, value.values())))
    return "" if value is None else str(value)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
