"""What crosses the HTTP edge, in and out. Everything a person reads comes in both languages from `dossiers.labels`."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from dossiers.codes import format_lookup_code, result_code
from dossiers.labels import label
from dossiers.types import DossierState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import StrEnum

    from dossiers.intake import Receipt
    from dossiers.types import (
        Account,
        Agency,
        Component,
        Dossier,
        EResult,
        ExtractedField,
        Page,
        Procedure,
        SearchHit,
        Step,
    )
    from dossiers.verification import CitizenView, Judgement
    from signing.types import SignatureReport


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(_nfc)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class In(BaseModel):
    """A request body: unknown keys are refused, so that a slip is seen."""

    model_config = ConfigDict(extra="forbid")


class SignInIn(In):
    """User name and password."""

    username: Text
    password: Password


class ApplicantIn(In):
    """Who the dossier is for."""

    name: Annotated[Text, Field(min_length=1)]
    id_number: Text = ""
    phone: Text = ""
    address: Text = ""


class DossierIn(In):
    """A new dossier. `receiving` is for post offices; `competent` where another agency decides."""

    procedure: Text
    applicant: ApplicantIn
    receiving: Text | None = None
    competent: Text | None = None


class CloseIn(In):
    """Refuse, cancel, or ask for a supplement."""

    state: DossierState
    reason: Text


class ReviewIn(In):
    """Corrections: page number → word index → text; field key → value."""

    words: dict[int, dict[int, Text]] = {}
    fields: dict[str, Text] = {}
    keep_reason: Text = ""


class PasswordIn(In):
    """The asker's own password again, for an act that counts."""

    password: Password


class DraftIn(In):
    """A result from a template."""

    template: Text
    leader: Text
    title: Text = ""
    data: dict[str, Any] = {}


class RedraftIn(In):
    """Changes to a draft; what is left out stays."""

    leader: Text | None = None
    title: Text | None = None
    data: dict[str, Any] | None = None


class ApproveIn(In):
    """The leader's password again, and the hash of the document that was read."""

    password: Password
    document_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class CommentIn(In):
    """Why it is sent back."""

    comment: Text


class ReasonIn(In):
    """Why it is taken out of force."""

    reason: Text


class SupersedeIn(ReasonIn):
    """Which issued result takes its place."""

    replacement: UUID


class LookUpIn(In):
    """Both codes from the receipt."""

    dossier_code: Text
    lookup_code: Text


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


class ActorOut(BaseModel):
    """Who is signed in."""

    username: str
    name: str
    agency: str
    roles: list[str]

    @staticmethod
    def of(account: Account) -> ActorOut:
        """Nothing secret."""
        return ActorOut(
            username=account.username, name=account.name, agency=account.agency, roles=sorted(account.roles)
        )


class SessionOut(BaseModel):
    """A new session: send the token as `Authorization: Bearer`."""

    token: str
    expires_at: datetime
    account: ActorOut


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


class PageOut(BaseModel):
    """A page's state and what may be wrong with it."""

    number: int
    state: Labelled
    flags: list[str]
    trouble: str
    reviewed: bool

    @staticmethod
    def of(page: Page) -> PageOut:
        """Without its text."""
        return PageOut(
            number=page.number,
            state=Labelled.of(page.state),
            flags=list(page.flags),
            trouble=page.trouble,
            reviewed=bool(page.reviewed_by),
        )


class ComponentOut(BaseModel):
    """One paper: its scan's hash, its state, its files."""

    id: UUID
    ordinal: int
    kind: str
    name: str
    filename: str
    state: Labelled
    trouble: str
    pages_total: int
    sheets_declared: int | None
    scan_sha256: str
    scan_bytes: int
    signed_scan: bool
    searchable_sha256: str | None
    copy_sha256: str | None
    keep_reason: str

    @staticmethod
    def of(component: Component) -> ComponentOut:
        """As kept."""
        return ComponentOut(
            id=component.id,
            ordinal=component.ordinal,
            kind=component.kind,
            name=component.name,
            filename=component.filename,
            state=Labelled.of(component.state),
            trouble=component.trouble,
            pages_total=component.pages_total,
            sheets_declared=component.sheets_declared,
            scan_sha256=component.scan.sha256,
            scan_bytes=component.scan.size,
            signed_scan=component.signed_scan,
            searchable_sha256=component.searchable.sha256 if component.searchable else None,
            copy_sha256=component.copy.sha256 if component.copy else None,
            keep_reason=component.keep_reason,
        )


class ProgressOut(BaseModel):
    """How far a component is: what the progress stream sends whenever it changes."""

    component: UUID
    state: Labelled
    done: int
    total: int
    pages: list[PageOut]

    @staticmethod
    def of(component: Component, pages: Sequence[Page]) -> ProgressOut:
        """Counted from the pages themselves."""
        return ProgressOut(
            component=component.id,
            state=Labelled.of(component.state),
            done=sum(p.state.value not in ("received", "cleaned") for p in pages),
            total=len(pages),
            pages=[PageOut.of(p) for p in pages],
        )


class FieldOut(BaseModel):
    """A value of the paper: what was read, what it counts as now, and who says so."""

    key: str
    vi: str
    value: str
    raw: str
    page: int
    box: tuple[int, int, int, int] | None
    confidence: float
    origin: str
    by: str

    @staticmethod
    def of(field: ExtractedField) -> FieldOut:
        """As kept."""
        return FieldOut(
            key=field.key,
            vi=label(field.key, "vi"),
            value=field.value,
            raw=field.raw,
            page=field.page,
            box=field.box,
            confidence=field.confidence,
            origin=field.origin,
            by=field.by,
        )


class DossierOut(BaseModel):
    """A dossier with owner, due date and next step, as staff see it."""

    id: UUID
    code: str
    procedure: str
    applicant: ApplicantIn
    receiving: str
    competent: str
    helped_at: str | None
    state: Labelled
    next_step: StepOut | None
    opened_at: datetime
    received_at: datetime | None
    due_on: date | None
    note: str
    version: int
    components: list[ComponentOut] = []
    e_results: list[EResultOut] = []

    @staticmethod
    def of(dossier: Dossier, components: Sequence[Component] = (), e_results: Sequence[EResult] = ()) -> DossierOut:
        """With its papers and results where they were asked for."""
        return DossierOut(
            id=dossier.id,
            code=dossier.code,
            procedure=dossier.procedure,
            applicant=ApplicantIn(
                name=dossier.applicant.name,
                id_number=dossier.applicant.id_number,
                phone=dossier.applicant.phone,
                address=dossier.applicant.address,
            ),
            receiving=dossier.receiving,
            competent=dossier.competent,
            helped_at=dossier.helped_at,
            state=Labelled.of(dossier.state),
            next_step=StepOut.of(dossier.next_step()),
            opened_at=dossier.opened_at,
            received_at=dossier.received_at,
            due_on=dossier.due_on,
            note=dossier.note,
            version=dossier.version,
            components=[ComponentOut.of(c) for c in components],
            e_results=[EResultOut.of(r) for r in e_results],
        )


class DossiersOut(BaseModel):
    """A page of the queue, most urgent first; `next_cursor` asks for the rest."""

    items: list[DossierOut]
    next_cursor: UUID | None


class ReceiptLineOut(BaseModel):
    """One paper on the receipt."""

    ordinal: int
    name: str
    pages: int
    sha256: str


class ReceiptOut(BaseModel):
    """Giấy tiếp nhận và hẹn trả."""

    code: str
    lookup_code: str
    procedure: str
    applicant: str
    received_at: datetime
    due_on: date
    lines: list[ReceiptLineOut]

    @staticmethod
    def of(receipt: Receipt) -> ReceiptOut:
        """With the look-up code in groups, as printed."""
        return ReceiptOut(
            code=receipt.code,
            lookup_code=format_lookup_code(receipt.lookup_code),
            procedure=receipt.procedure,
            applicant=receipt.applicant,
            received_at=receipt.received_at,
            due_on=receipt.due_on,
            lines=[
                ReceiptLineOut(ordinal=line.ordinal, name=line.name, pages=line.pages, sha256=line.sha256)
                for line in receipt.lines
            ],
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
            came_signed=e_result.came_signed,
            comment=e_result.comment,
            trouble=e_result.trouble,
            issued_at=e_result.issued_at,
            closed_at=e_result.closed_at,
            closed_reason=e_result.closed_reason,
            superseded_by=e_result.superseded_by,
            version=e_result.version,
        )


class SearchHitOut(BaseModel):
    """A page that contains what was asked for."""

    dossier_id: UUID
    dossier_code: str
    component_id: UUID
    component_name: str
    page: int
    snippet: str
    exact: bool

    @staticmethod
    def of(hit: SearchHit) -> SearchHitOut:
        """As found."""
        return SearchHitOut(
            dossier_id=hit.dossier_id,
            dossier_code=hit.dossier_code,
            component_id=hit.component_id,
            component_name=hit.component_name,
            page=hit.page,
            snippet=hit.snippet,
            exact=hit.exact,
        )


class EventOut(BaseModel):
    """One line of a dossier's history."""

    at: datetime
    actor: str
    agency: str
    event: str
    detail: dict[str, Any]


class CitizenResultOut(BaseModel):
    """A result as its holder sees it; `download` is there only while it is in force."""

    code: str
    title: str
    number: str
    dated: date | None
    issued_at: datetime | None
    state: Labelled
    closed_reason: str
    download: str | None


class CitizenOut(BaseModel):
    """A dossier as its holder sees it."""

    code: str
    procedure: str
    state: Labelled
    receiving: str
    received_at: datetime | None
    due_on: date | None
    note: str
    results: list[CitizenResultOut]

    @staticmethod
    def of(view: CitizenView, downloads: dict[int, str]) -> CitizenOut:
        """Args: downloads: ordinal → address, for results in force."""
        dossier = view.dossier
        return CitizenOut(
            code=dossier.code,
            procedure=view.procedure,
            state=Labelled.of(dossier.state),
            receiving=view.receiving.name,
            received_at=dossier.received_at,
            due_on=dossier.due_on,
            note=dossier.note if dossier.state in _TOLD else "",
            results=[
                CitizenResultOut(
                    code=result_code(dossier.code, r.ordinal),
                    title=r.title,
                    number=r.full_number,
                    dated=r.dated,
                    issued_at=r.issued_at,
                    state=Labelled.of(r.state),
                    closed_reason=r.closed_reason,
                    download=downloads.get(r.ordinal),
                )
                for r in view.e_results
            ],
        )


_TOLD = (DossierState.NEEDS_SUPPLEMENT, DossierState.REFUSED, DossierState.CANCELLED)


class SignatureOut(BaseModel):
    """One signature of a verified file: the seven items of the circular, and the ETSI words."""

    field: str
    signer: str
    signer_organization: str
    issuer: str
    serial: str
    valid_from: datetime | None
    valid_to: datetime | None
    signed_at: datetime | None
    claimed_at: datetime | None
    timestamp: datetime | None
    timestamp_authority: str | None
    indication: str
    sub_indication: str | None
    verdict: str
    integrity: str
    covers_whole_file: bool
    algorithm: str
    reasons: list[str]

    @staticmethod
    def of(report: SignatureReport) -> SignatureOut:
        """As judged."""
        return SignatureOut(
            field=report.field,
            signer=report.signer,
            signer_organization=report.signer_organization,
            issuer=report.issuer,
            serial=report.serial,
            valid_from=report.valid_from,
            valid_to=report.valid_to,
            signed_at=report.signed_at,
            claimed_at=report.claimed_at,
            timestamp=report.timestamp,
            timestamp_authority=report.timestamp_authority,
            indication=report.indication.value,
            sub_indication=report.sub_indication,
            verdict=report.verdict.value,
            integrity=report.integrity.value,
            covers_whole_file=report.covers_whole_file,
            algorithm=report.algorithm,
            reasons=list(report.reasons),
        )


class SentenceOut(BaseModel):
    """The verdict in plain words."""

    headline: str
    reason: str
    next_step: str


class RegisteredOut(BaseModel):
    """What the register tells anyone about one of our own results: nothing personal."""

    title: str
    number: str
    dated: date | None
    agency: str
    issued_at: datetime | None
    closed_at: datetime | None
    superseded_by_number: str | None


class VerificationOut(BaseModel):
    """Three lines apart: unchanged, who signed, what the register says now; and one sentence."""

    verdict: str
    kind: str
    integrity: str
    missing: list[str]
    register_status: Labelled = Field(serialization_alias="register")
    in_force: bool
    sentence: dict[str, SentenceOut]
    reasons: list[str]
    signatures: list[SignatureOut]
    e_result: RegisteredOut | None
    digitised_copy: bool
    sha256: str
    checked_at: datetime
    policy: str

    @staticmethod
    def of(judgement: Judgement, sentences: dict[str, SentenceOut], *, policy: str) -> VerificationOut:
        """Args: sentences: by language."""
        found, e_result = judgement.file, judgement.e_result
        return VerificationOut(
            verdict=found.verdict.value,
            kind=found.kind.value,
            integrity=found.integrity.value,
            missing=list(found.missing),
            register_status=Labelled.of(judgement.register),
            in_force=judgement.in_force,
            sentence=sentences,
            reasons=list(found.reasons),
            signatures=[SignatureOut.of(s) for s in found.signatures],
            e_result=registered(e_result, judgement) if e_result else None,
            digitised_copy=judgement.copy is not None,
            sha256=judgement.sha256,
            checked_at=judgement.checked_at,
            policy=policy,
        )


def registered(e_result: EResult, judgement: Judgement) -> RegisteredOut:
    """The register's public line about a result."""
    return RegisteredOut(
        title=e_result.title,
        number=e_result.full_number,
        dated=e_result.dated,
        agency=judgement.agency.name if judgement.agency else "",
        issued_at=e_result.issued_at,
        closed_at=e_result.closed_at,
        superseded_by_number=judgement.superseded_by.full_number if judgement.superseded_by else None,
    )
