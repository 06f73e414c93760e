"""Agencies and procedures, at the HTTP edge."""

from __future__ import annotations

from pydantic import BaseModel

from dossiers.types import Agency, Procedure


class AgencyOut(BaseModel):
    """An agency as anyone may see it."""

    code: str
    name: str
    kind: str
    parent: str | None

    @staticmethod
    def of(agency: Agency) -> AgencyOut:
        """The public part."""
        return AgencyOut(code=agency.code, name=agency.name, kind=agency.kind.value, parent=agency.parent)


class ComponentKindOut(BaseModel):
    """A row of a checklist."""

    code: str
    name: str
    required: bool


class ProcedureOut(BaseModel):
    """A procedure of the public catalogue."""

    code: str
    name: str
    working_days: int
    result_name: str
    result_template: str
    components: list[ComponentKindOut]

    @staticmethod
    def of(procedure: Procedure) -> ProcedureOut:
        """All of it is public."""
        return ProcedureOut(
            code=procedure.code,
            name=procedure.name,
            working_days=procedure.working_days,
            result_name=procedure.result_name,
            result_template=procedure.result_template,
            components=[ComponentKindOut(code=k.code, name=k.name, required=k.required) for k in procedure.components],
        )
