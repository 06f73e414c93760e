"""What the shapes at the HTTP edge share: clean text, codes with their words."""

from __future__ import annotations

import math
import re
import unicodedata
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from dossiers.labels import label
from dossiers.types import Step

#: Deeper than any template's data; a bound, because each level costs a call here and in the database.
_DEEPEST = 20
#: Half a surrogate pair, and control characters but tab and the ends of lines.
_NEVER_TYPED = re.compile("[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Text in NFC. Refused with a control character or half a surrogate pair in it.

    Nobody types them; no database takes a NUL, and no XML the others, such as the metadata of a PDF.
    """
    if _NEVER_TYPED.search(text):
        raise ValueError("có ký tự không dùng được (it has a character that can't be kept)")
    return unicodedata.normalize("NFC", text)


def clean_all(value: Any, *, levels: int = _DEEPEST) -> Any:
    """The same for every text inside a JSON value, which has at most `levels` levels and no NaN or infinity."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("có số không hữu hạn (a number isn't finite)")
    if not isinstance(value, list | dict):
        return value
    if levels == 0:
        raise ValueError(f"lồng nhau quá {_DEEPEST} cấp (nested deeper than {_DEEPEST} levels)")
    if isinstance(value, list):
        return [clean_all(item, levels=levels - 1) for item in value]
    return {clean(key): clean_all(item, levels=levels - 1) for key, item in value.items()}


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(clean)]


#: For what may fill a paragraph, such as an abstract.
LongText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(clean)]


Data = Annotated[dict[str, Any], AfterValidator(clean_all)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class In(BaseModel):
    """A request body: unknown keys are refused, so that a slip is seen."""

    model_config = ConfigDict(extra="forbid")


class PasswordIn(In):
    """The asker's own password again, for an act that counts."""

    password: Password


class Labelled(BaseModel):
    """A code and its words."""

    code: str
    vi: str
    en: str

    @staticmethod
    def of(code: StrEnum) -> Labelled:
        """The code with its words in both languages."""
        return Labelled(code=code.value, vi=label(code, "vi"), en=label(code, "en"))


class StepOut(BaseModel):
    """Who acts next and how; `role` is None while the service itself is at work."""

    code: str
    vi: str
    en: str
    role: str | None
    agency: str

    @staticmethod
    def of(step: Step | None) -> StepOut | None:
        """None when nothing is left to do."""
        if step is None:
            return None
        return StepOut(
            code=step.code,
            vi=label(step.code, "vi"),
            en=label(step.code, "en"),
            role=step.role.value if step.role else None,
            agency=step.agency,
        )
