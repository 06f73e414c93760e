"""E-results, at the HTTP edge."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from api.schemas.common import Data, In, Labelled, Password, StepOut, Text
from dossiers.types import Annex, EResult


class DraftIn(In):
    """A result from a template."""

    template: Text
    leader: Text
    title: Text = ""
    data: Data = Field(default_factory=dict)


class RedraftIn(In):
    """Changes to a draft; what is left out stays."""

    leader: Text | None = None
    title: Text | None = None
    data: Data | None = None


class ApproveIn(In):
    """The leader's password again, and the hash of what was read: `approval_sha256` of the result.

    That is the document's own hash; with annexes, one hash over document and annexes.
    """

    password: Password
    document_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class CommentIn(In):
    """Why it is sent back."""

    comment: Text


class ReasonIn(In):
    """Why it is taken out of force, or a draft given up."""

    reason: Text


class SupersedeIn(ReasonIn):
    """Which issued result takes its place."""

    replacement: UUID


class AnnexOut(BaseModel):
    """An annex in a file of its own, as staff of its agency see it; `sha256` is of the file as it stands."""

    id: UUID
    ordinal: int
    title: str
    pages: int
    sha256: str
    size: int
    signed: bool
    trouble: str
    added_by: str
    added_at: datetime

    @staticmethod
    def of(annex: Annex) -> AnnexOut:
        """As kept."""
        return AnnexOut(
            id=annex.id,
            ordinal=annex.ordinal,
            title=annex.title,
            pages=annex.pages,
            sha256=annex.current.sha256,
            size=annex.current.size,
            signed=annex.document is not None,
            trouble=annex.trouble,
            added_by=annex.added_by,
            added_at=annex.added_at,
        )


class EResultOut(BaseModel):
    """An e-result as staff of its agency see it."""

    id: UUID
    dossier_id: UUID
    ordinal: int
    state: Labelled
    next_step: StepOut | None
    title: str
    template: str
    data: dict[str, Any]
    prepared_by: str
    leader: str
    number: str
    dated: date | None
    document_sha256: str | None
    approval_sha256: str | None
    came_signed: bool
    comment: str
    trouble: str
    issued_at: datetime | None
    closed_at: datetime | None
    closed_reason: str
    superseded_by: UUID | None
    version: int

    @staticmethod
    def of(e_result: EResult) -> EResultOut:
        """As kept."""
        return EResultOut(
            id=e_result.id,
            dossier_id=e_result.dossier_id,
            ordinal=e_result.ordinal,
            state=Labelled.of(e_result.state),
            next_step=StepOut.of(e_result.next_step()),
            title=e_result.title,
            template=e_result.template,
            data=e_result.data,
            prepared_by=e_result.prepared_by,
            leader=e_result.leader,
            number=e_result.full_number,
            dated=e_result.dated,
            document_sha256=e_result.document.sha256 if e_result.document else None,
            approval_sha256=e_result.approval_sha256 or None,
            came_signed=e_result.came_signed,
            comment=e_result.comment,
            trouble=e_result.trouble,
            issued_at=e_result.issued_at,
            closed_at=e_result.closed_at,
            closed_reason=e_result.closed_reason,
            superseded_by=e_result.superseded_by,
            version=e_result.version,
        )
