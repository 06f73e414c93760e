"""What the shapes at the HTTP edge share: clean text, codes with their words."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from dossiers.labels import label
from dossiers.types import Step


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(_nfc)]


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
