"""What citizens and verifiers give and get, at the HTTP edge."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from api.schemas.common import In, Labelled, Text
from dossiers.answers import conclusion
from dossiers.codes import annex_filename, result_code
from dossiers.types import Agency, DossierState, EResult
from dossiers.verification import CitizenView, Judgement
from signing.types import SignatureReport


class LookUpIn(In):
    """Both codes from the receipt."""

    dossier_code: Text
    lookup_code: Text


class CitizenAnnexOut(BaseModel):
    """An annex of a result as its holder sees it."""

    name: str
    title: str
    pages: int
    download: str | None


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
    annexes: list[CitizenAnnexOut]


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
    def of(view: CitizenView, downloads: dict[tuple[int, int], str]) -> CitizenOut:
        """Args: downloads: ordinal of a result, of its annex (0: the result itself) → address, while in force."""
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
                    download=downloads.get((r.ordinal, 0)),
                    annexes=[
                        CitizenAnnexOut(
                            name=annex_filename(dossier.code, r.ordinal, annex.ordinal),
                            title=annex.title,
                            pages=annex.pages,
                            download=downloads.get((r.ordinal, annex.ordinal)),
                        )
                        for annex in view.annexes.get(r.id, ())
                    ],
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
    encoding: str
    certificate_sha256: str
    certificate_at_signing: str
    time_source: str
    trust_store: str | None
    revision: int | None
    later: list[str]
    changed_in: int | None
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
            encoding=report.encoding,
            certificate_sha256=report.certificate_sha256,
            certificate_at_signing=report.at_signing.value,
            time_source=report.time_source.value,
            trust_store=report.trust_store.value if report.trust_store else None,
            revision=report.revision,
            later=list(report.later),
            changed_in=report.changed_in,
            reasons=list(report.reasons),
        )


class SentenceOut(BaseModel):
    """The verdict in plain words."""

    headline: str
    reason: str
    next_step: str


class PolicyOut(BaseModel):
    """By which rules it was judged, and where they can be read."""

    name: str
    url: str


class RegisteredOut(BaseModel):
    """What the register tells anyone about one of our own results: nothing personal."""

    title: str
    number: str
    dated: date | None
    agency: str
    issued_at: datetime | None
    closed_at: datetime | None
    superseded_by_number: str | None


class AnnexOut(BaseModel):
    """Which annex it is, and of what: it has no status of its own."""

    ordinal: int
    title: str
    main: RegisteredOut


class VerificationOut(BaseModel):
    """Three lines apart: unchanged, who signed, what the register says now; and one sentence.

    Attributes:
        verdict: What the bytes prove, before any register is asked.
        conclusion: The one word for both together: `dossiers.answers.Conclusion`.
    """

    verdict: str
    conclusion: str
    kind: str
    integrity: str
    missing: list[str]
    register_status: Labelled = Field(serialization_alias="register")
    in_force: bool
    sentence: dict[str, SentenceOut]
    reasons: list[str]
    signatures: list[SignatureOut]
    e_result: RegisteredOut | None
    annex: AnnexOut | None
    digitised_copy: bool
    sha256: str
    checked_at: datetime
    policy: PolicyOut

    @staticmethod
    def of(judgement: Judgement, sentences: dict[str, SentenceOut], *, policy: PolicyOut) -> VerificationOut:
        """Args: sentences: by language."""
        found, e_result = judgement.file, judgement.e_result
        return VerificationOut(
            verdict=found.verdict.value,
            conclusion=conclusion(judgement).value,
            kind=found.kind.value,
            integrity=found.integrity.value,
            missing=list(found.missing),
            register_status=Labelled.of(judgement.register),
            in_force=judgement.in_force,
            sentence=sentences,
            reasons=list(found.reasons),
            signatures=[SignatureOut.of(s) for s in found.signatures],
            e_result=registered(e_result, judgement.agency, judgement.superseded_by) if e_result else None,
            annex=_annex(judgement),
            digitised_copy=judgement.copy is not None,
            sha256=judgement.sha256,
            checked_at=judgement.checked_at,
            policy=policy,
        )


def _annex(judgement: Judgement) -> AnnexOut | None:
    annex, main = judgement.annex, judgement.annex_of
    if annex is None or main is None:
        return None
    line = registered(main, judgement.agency, judgement.superseded_by)
    return AnnexOut(ordinal=annex.ordinal, title=annex.title, main=line)


def registered(e_result: EResult, agency: Agency | None, newer: EResult | None) -> RegisteredOut:
    """The register's public line about a result, its agency, and the one that took its place."""
    return RegisteredOut(
        title=e_result.title,
        number=e_result.full_number,
        dated=e_result.dated,
        agency=agency.name if agency else "",
        issued_at=e_result.issued_at,
        closed_at=e_result.closed_at,
        superseded_by_number=newer.full_number if newer else None,
    )
