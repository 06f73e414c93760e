"""What anyone is told about a PDF: what the file itself proves, and what the register says of it now."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dossiers import codes
from dossiers.signatures import trusted
from dossiers.types import DossierState, NotFound, RegisterStatus, ResultState
from signing.types import FIELD_NAMES, Kind, Place, Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from dossiers.ports import Begin, Judge, UnitOfWork
    from dossiers.types import Agency, Annex, Component, Dossier, EResult
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
        reported_by: The agency that made this report of a check; by a seal on record here, never by what it says.
        annex: The annex with these bytes. annex_of: its main document, whose status is its own.
    """

    file: FileVerdict
    register: RegisterStatus
    sha256: str
    checked_at: datetime
    e_result: EResult | None = None
    agency: Agency | None = None
    superseded_by: EResult | None = None
    copy: Component | None = None
    reported_by: Agency | None = None
    annex: Annex | None = None
    annex_of: EResult | None = None

    @property
    def in_force(self) -> bool:
        """Whether the file is genuine and its result, or the result it is an annex of, in force today."""
        return self.file.verdict is Verdict.GENUINE and self.register is RegisterStatus.ISSUED


@dataclass(frozen=True)
class CitizenView:
    """What the holder of both codes may see of a dossier.

    Attributes:
        receiving, competent: Who took it in, and who decides.
        paper_at, paper_to: Who holds the paper, and where it is travelling to, if it is.
        since: When it came into a state last, for those states that the log tells of.
        e_results: Those issued, in force or no longer.
        annexes: By result, in order; nothing for those without any.
    """

    dossier: Dossier
    procedure: str
    receiving: Agency
    e_results: tuple[EResult, ...]
    competent: Agency
    paper_at: Agency
    paper_to: Agency | None
    since: Mapping[DossierState, datetime]
    annexes: Mapping[UUID, Sequence[Annex]]


@dataclass(frozen=True)
class RegisterEntry:
    """What the register says of a result, to anyone: `newer` took its place."""

    e_result: EResult
    agency: Agency
    newer: EResult | None


def judge(begin: Begin, file: Path, *, judge: Judge, now: datetime) -> Judgement:
    """Judge an uploaded file and ask the register about its bytes. Never raises for what is in the file.

    Raises:
        JudgesBusy: So many files wait that nothing was judged; try again.
    """
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    with begin() as work:
        known = trusted(work)
    found = judge.verify(file, trust=known, at=now)
    with begin() as work:
        e_result = work.e_results.by_document(sha256)
        annex = None if e_result else work.annexes.with_document(sha256)
        copy = None if e_result or annex else work.register.copy_with(sha256)
        main = work.e_results.for_job(annex.e_result_id) if annex else None
        if main is not None:
            found = _of_its_agency(work, found, main)
        entry = e_result or main
        agency = work.agencies.of(entry.agency) if entry else None
        newer = _newer(work, entry)
        if e_result is not None and not _sealed_by_its_agency(work, e_result, found):
            found = replace(
                found,
                verdict=Verdict.UNCONFIRMED,
                reasons=(Reason.SEAL_NOT_ON_RECORD.value, *found.reasons),
            )
        reported_by = _reporter(work, found)
    return Judgement(
        file=found,
        register=_STATUS[entry.state] if entry else RegisterStatus.NOT_OURS,
        sha256=sha256,
        checked_at=now,
        e_result=e_result,
        agency=agency,
        superseded_by=newer,
        copy=copy,
        reported_by=reported_by,
        annex=annex,
        annex_of=main,
    )


def _of_its_agency(work: UnitOfWork, found: FileVerdict, main: EResult) -> FileVerdict:
    """An annex is genuine only as what the agency of its main document has signed, and nobody beside it."""
    theirs = {record.sha256 for record in work.certificates.of_agency(main.agency)}
    is_theirs = found.kind is Kind.ANNEX and all(
        report.field == FIELD_NAMES[Place.ANNEX] and report.certificate_sha256 in theirs for report in found.signatures
    )
    if found.verdict is not Verdict.GENUINE or is_theirs:
        return found
    return replace(found, verdict=Verdict.UNCONFIRMED, reasons=(Reason.NOT_THE_AGENCY.value,))


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
        return _view(work, dossier)


def look_again(begin: Begin, *, dossier_code: str) -> CitizenView:
    """The same dossier for somebody who has shown both codes a while ago; the caller answers for that.

    Raises:
        NotFound: There is none with this code.
    """
    with begin() as work:
        return _view(work, work.dossiers.by_code(dossier_code))


def in_register(begin: Begin, *, lookup_code: str) -> RegisterEntry:
    """What the register says of the result on which this code is printed.

    Raises:
        NotFound: No issued result has it.
        BadCode: It can't be such a code.
    """
    with begin() as work:
        e_result = work.e_results.by_lookup_code(codes.normalise_lookup_code(lookup_code))
        if e_result is None:
            raise NotFound(lookup_code)
        return RegisterEntry(e_result, work.agencies.of(e_result.agency), _newer(work, e_result))


def _view(work: UnitOfWork, dossier: Dossier) -> CitizenView:
    logged = {entry.event: entry.at for entry in work.audit.of(dossier.id)}
    e_results = tuple(r for r in work.e_results.of_dossier(dossier.id) if r.state in _STATUS)
    return CitizenView(
        dossier=dossier,
        procedure=work.procedures.of(dossier.procedure).name,
        receiving=work.agencies.of(dossier.receiving),
        e_results=e_results,
        competent=work.agencies.of(dossier.competent),
        paper_at=work.agencies.of(dossier.paper_at),
        paper_to=work.agencies.of(dossier.paper_to) if dossier.paper_to else None,
        since={state: at for state in DossierState if (at := logged.get(f"dossier.{state}")) is not None},
        annexes=work.annexes.of_all([r.id for r in e_results]),
    )


def _sealed_by_its_agency(work: UnitOfWork, e_result: EResult, found: FileVerdict) -> bool:
    """Whether the seal is of a certificate that the office has, or had, on record for the agency that issued it.

    Only what we sealed ourselves is compared: what came signed was sealed with whatever its agency has elsewhere. A
    file that isn't genuine anyway keeps its own reason.
    """
    if found.verdict is not Verdict.GENUINE or e_result.came_signed:
        return True
    seals = {report.certificate_sha256 for report in found.signatures if report.field == FIELD_NAMES[Place.SEAL]}
    on_record = {record.sha256 for record in work.certificates.of_agency(e_result.agency)}
    return bool(seals) and seals <= on_record


def _reporter(work: UnitOfWork, found: FileVerdict) -> Agency | None:
    """Who made a genuine report of a check: the agency on record for its one signature, None when nobody here is."""
    if found.verdict is not Verdict.GENUINE or found.kind is not Kind.CHECK_REPORT or len(found.signatures) != 1:
        return None
    seal = found.signatures[0].certificate_sha256
    known = (r.agency for r in work.certificates.all() if r.sha256 == seal and not r.owner)
    code = next(known, None)
    return work.agencies.of(code) if code else None


def _newer(work: UnitOfWork, e_result: EResult | None) -> EResult | None:
    if e_result is None or e_result.superseded_by is None:
        return None
    return work.e_results.for_job(e_result.superseded_by)
