"""Agencies, procedures, templates, states: what a program needs to know before it asks for anything."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.deps import Office, Public, Sees
from api.schemas.catalogue import AgencyOut, ProcedureOut
from api.schemas.common import Labelled
from api.schemas.sessions import ActorOut
from dossiers.types import (
    ComponentState,
    DossierState,
    PageState,
    PaperState,
    RegisterStatus,
    ResultState,
    Role,
    TransferState,
)
from signing import templates

router = APIRouter(tags=["Catalogue"])


@router.get("/agencies", dependencies=[Public])
def agencies(office: Office) -> list[AgencyOut]:
    """The office tree."""
    with office.begin() as work:
        return [AgencyOut.of(a) for a in work.agencies.all()]


@router.get("/procedures", dependencies=[Public])
def procedures(office: Office) -> list[ProcedureOut]:
    """The public catalogue: what to bring and how long it takes."""
    with office.begin() as work:
        return [ProcedureOut.of(p) for p in work.procedures.all()]


@router.get("/states", dependencies=[Public])
def states() -> dict[str, list[Labelled]]:
    """Every state with its words in Vietnamese and English."""
    return {
        name: [Labelled.of(member) for member in enum]
        for name, enum in {
            "dossier": DossierState,
            "component": ComponentState,
            "page": PageState,
            "paper": PaperState,
            "transfer": TransferState,
            "e_result": ResultState,
            "register": RegisterStatus,
        }.items()
    }


@router.get("/templates")
def result_templates(_: Sees) -> dict[str, list[dict[str, Any]]]:
    """The result templates and the fields a clerk fills in."""
    return {
        name: [
            {
                "key": f.key,
                "label": f.label,
                "required": f.required,
                "max_length": f.max_length,
                "kind": f.kind,
            }
            for f in templates.fields(name)
            if f.source == "clerk"
        ]
        for name in templates.names()
    }


@router.get("/leaders")
def leaders(actor: Sees, office: Office) -> list[ActorOut]:
    """Who may be asked to sign in the asker's agency."""
    with office.begin() as work:
        return [ActorOut.of(a) for a in work.accounts.in_agency(actor.agency) if Role.LEADER in a.roles]
