"""What anyone is told about a PDF: what the file itself proves, and what the register says of it now."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dossiers import codes
from dossiers.signatures import trusted
from dossiers.types import NotFound, RegisterStatus, ResultState
from signing import verify
from signing.types import Verdict

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from dossiers.ports import Begin
    from dossiers.types import Agency, Component, Dossier, EResult
    from signing.types import FileVerdict

_STATUS = {
    ResultState.ISSUED: RegisterStatus.ISSUED,
    ResultState.WITHDRAWN: RegisterStatus.WITHDRAWN,
    ResultState.SUPERSEDED: RegisterStatus.SUPERSEDED,
}


@dataclass(frozen=True)
class Judgement:
    """Two independent proofs, never mixed: what the bytes prove, and what the register says.

    Attributes:
        file: Judged without any register.
        register: NOT_OURS unless the register holds exactly these bytes.
        e_result: The registered result with these bytes. superseded_by: what took its place.
        copy: The digitised copy with these bytes; a copy is never called a result.
    """

    file: FileVerdict
    register: RegisterStatus
    sha256: str
    checked_at: datetime
    e_result: EResult | None = None
    agency: Agency | None = None
    superseded_by: EResult | None = None
    copy: Component | None = None

    @property
    def in_force(self) -> bool:
        """Whether the file is genuine and its result in force today."""
        return self.file.verdict is Verdict.GENUINE and self.register is RegisterStatus.ISSUED


@dataclass(frozen=True)
class CitizenView:
    """What the holder of both codes may see of a dossier."""

    dossier: Dossier
    procedure: str
    receiving: Agency
    e_results: tuple[EResult, ...]


def judge(begin: Begin, file: Path, *, now: datetime) -> Judgement:
    """Judge an uploaded file and ask the register about its bytes. Never raises for what is in the file."""
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    with begin() as work:
        known = trusted(work)
    found = verify.verify(file, trust=known, at=now)
    with begin() as work:
        e_result = work.e_results.by_document(sha256)
        copy = None if e_result else work.register.copy_with(sha256)
        agency = work.agencies.of(e_result.agency) if e_result else None
        newer = (
            work.e_results.for_job(e_result.superseded_by) if e_result is not None and e_result.superseded_by else None
        )
    return Judgement(
        file=found,
        register=_STATUS[e_result.state] if e_result else RegisterStatus.NOT_OURS,
        sha256=sha256,
        checked_at=now,
        e_result=e_result,
        agency=agency,
        superseded_by=newer,
        copy=copy,
    )


def look_up(begin: Begin, *, dossier_code: str, lookup_code: str) -> CitizenView:
    """A dossier for whoever holds both codes.

    Raises:
        NotFound: The dossier code is unknown or the look-up code isn't its own: the two are never told apart.
        BadCode: The look-up code can't be one (its check digit is wrong).
    """
    given = codes.normalise_lookup_code(lookup_code)
    with begin() as work:
        dossier = work.dossiers.by_code(str(codes.parse_dossier_code(dossier_code)))
        if not hmac.compare_digest(dossier.lookup_code, given):
            raise NotFound(dossier_code)
        return CitizenView(
            dossier=dossier,
            procedure=work.procedures.of(dossier.procedure).name,
            receiving=work.agencies.of(dossier.receiving),
            e_results=tuple(r for r in work.e_results.of_dossier(dossier.id) if r.state in _STATUS),
        )
