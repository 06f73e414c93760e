"""The descriptive record of a paper: which fields it has at least, and when a person should look at a value again."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from digitize import fields
from digitize.fields.lengths import LONGEST
from digitize.risk import RISKY
from digitize.types import Flag
from digitize.words.vietnamese import nfc
from dossiers import codes
from dossiers.types import Doubt, ExtractedField

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from digitize.types import OcrWord
    from dossiers.types import Page

#: What is kept of every paper so that it can be used again (Circular 01/2023/TT-VPCP article 9), with who signed it
#: and who received it; in the order in which a person reads them.
MINIMUM: Final = (
    "type_code",
    "owner_id",
    "document_type",
    "number",
    "symbol",
    "issued_on",
    "agency",
    "abstract",
    "valid_until",
    "scope",
    "signer",
    "position",
    "recipients",
)
#: Every key that can be found or typed.
KNOWN: Final = frozenset({*MINIMUM, *fields.KEYS})
MISSING: Final = "missing"

#: A reading below this, in percent, is one for a person to look at.
SURE_FROM: Final = 80.0

#: What hands fill in on printed heads, with the flag of a page where one did.
BY_HAND: Final = {"number": Flag.HANDWRITTEN_NUMBER, "issued_on": Flag.HANDWRITTEN_DAY}
#: What a person says of a value that isn't there to be typed, with the origin it is kept as.
ANSWERS: Final = {"[không có]": "absent", "[không đọc được]": "unreadable"}

_NUMBER = re.compile(r"\d{1,6}[a-z]?")
_SYMBOL = re.compile(r"(?:\d{4}/)?[A-ZĐƯa-zđư&0-9]+(?:-[A-ZĐƯa-zđư&0-9]+)*")  # Decree 30/2020: "QĐ-UBND", "2025/NĐ-CP"
_ISO_DAY = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})")
_SPOKEN_DAY = re.compile(r"(?P<day>\d{1,2})\s*[/.-]\s*(?P<month>\d{1,2})\s*[/.-]\s*(?P<year>\d{4})")
#: An identity card of before 2021, or a tax code with or without its branch: neither says anything to check.
_OTHER_OWNER = re.compile(r"\d{9}|\d{10}(?:-?\d{3})?")


def whole(component_id: UUID, kept: Iterable[ExtractedField]) -> list[ExtractedField]:
    """The minimum record in order, with an empty value of origin "missing" where nothing was found; then the rest."""
    found = {field.key: field for field in kept}
    wanted = [
        found[key] if key in found else ExtractedField(component_id, key, "", "", 1, None, 0.0, origin=MISSING)
        for key in MINIMUM
    ]
    return [*wanted, *(field for key, field in found.items() if key not in MINIMUM)]


def doubt_of(field: ExtractedField, *, today: date, by_hand: bool = False) -> Doubt | None:
    """Why a person should look at a value: it breaks a rule, or the reader wasn't sure and nobody has looked yet.

    A value that breaks a rule is in doubt whoever typed it. A missing or empty one isn't: there is nothing to doubt,
    unless a hand wrote there (`by_hand`), which no reader is believed about.
    """
    if by_hand and not _is_settled(field):
        return Doubt.BY_HAND
    if not field.value:
        return None
    broken = _broken_rule(field.key, field.value, today)
    if broken is not None:
        return broken
    if not field.by and field.confidence < SURE_FROM:
        return Doubt.LOW_CONFIDENCE
    return None


def by_hand(found: Iterable[ExtractedField], pages: Iterable[Page]) -> frozenset[str]:
    """Keys of the values that a pen wrote and that nobody has typed, confirmed, or said not to be there.

    Until a person has, the paper can't be called reviewed, and no copy of it is signed. A value that wasn't found is
    asked for when any page has such ink.
    """
    flags = {page.number: frozenset(page.flags) for page in pages}
    kept = {field.key: field for field in found if field.origin != MISSING}
    asked = set()
    for key, flag in BY_HAND.items():
        field = kept.get(key)
        inked = any(flag in of for of in flags.values()) if field is None else flag in flags.get(field.page, ())
        if inked and (field is None or not _is_settled(field)):
            asked.add(key)
    return frozenset(asked)


def said(field: ExtractedField) -> str:
    """What a person said in place of a value, as it is typed: "[không có]"; "" when there is a value or nobody did."""
    return next((words for words, origin in ANSWERS.items() if origin == field.origin), "")


def is_doubtful(word: OcrWord) -> bool:
    """Whether a person should look at a word: a pen wrote it, or it is among the riskiest.

    A reading of before risks were told goes by the reader's confidence.
    """
    if word.by_pen:
        return True
    return word.confidence < SURE_FROM if word.risk is None else word.risk >= RISKY


def _is_settled(field: ExtractedField) -> bool:
    return bool(field.by) and (bool(field.value) or field.origin in ANSWERS.values())


def tidied(key: str, value: str) -> str:
    """A value as it is kept: NFC, no blanks around it, a day as 2026-03-05 however a person wrote it.

    What can't be a day is kept as typed; `doubt_of` says so.
    """
    value = nfc(value).strip()
    day = _day(value) if key == "issued_on" else None
    return value if day is None else day.isoformat()


def _broken_rule(key: str, value: str, today: date) -> Doubt | None:
    squeezed = re.sub(r"\s+", "", value)
    match key:
        case "issued_on":
            day = _day(value)
            if day is None:
                return Doubt.NO_SUCH_DAY
            return Doubt.FUTURE_DAY if day > today else None
        case "number" if not _NUMBER.fullmatch(squeezed):
            return Doubt.NUMBER_PATTERN
        case "symbol" if not _SYMBOL.fullmatch(squeezed):
            return Doubt.SYMBOL_PATTERN
        case "owner_id" if not _OTHER_OWNER.fullmatch(squeezed):
            try:
                codes.parse_personal_id(value, today=today)
            except codes.BadCode:
                return Doubt.OWNER_ID
    return Doubt.TOO_LONG if len(value) > LONGEST.get(key, len(value)) else None


def _day(value: str) -> date | None:
    found = _ISO_DAY.fullmatch(value) or _SPOKEN_DAY.fullmatch(value)
    if found is None:
        return None
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None
