"""What the shapes at the HTTP edge share: clean text, codes with their words."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from dossiers.labels import label
from dossiers.types import Step


def clean(text: str) -> str:
    """Text in NFC. Refused with a NUL in it, which no person types and the database doesn't take."""
    if "\0" in text:
        raise ValueError("ký tự NUL không dùng được (NUL isn't allowed)")
    return unicodedata.normalize("NFC", text)


def clean_all(value: Any) -> Any:
    """The same for every text inside a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_all(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean_all(item) for key, item in value.items()}
    return value


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(clean)]


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
