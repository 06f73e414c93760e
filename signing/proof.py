"""Was the signer entitled to sign, when they signed? Answered from what is at hand; nothing is ever fetched.

The moment matters more than the day of asking. A trusted timestamp proves that a signature existed at its time; a
trusted document timestamp proves it for a file with all the evidence in it. So a signature is looked at from several
instants: first from now, with today's lists; then from the moment of each later document timestamp, with the evidence
that this timestamp covers. One instant from which everything holds is enough: the bytes haven't changed since.

Source: ETSI EN 319 102-1 (V1.4.1), 5.3 basic validation, 5.4 timestamps, 5.5 signatures with time, and the idea of
5.6 (proof of existence), told instant by instant. pyHanko judges each certificate at each instant; its own combined
calls are not used, since each of them alone accepts something it should not (a timestamp later than the revocation of
the CA, for one) or rejects archived files when today's list is at hand.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from asn1crypto import cms, crl, ocsp, x509
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESPassed, AdESStatus, AdESSubIndic
from pyhanko.sign.general import (
    CMSExtractionError,
    SignedDataCerts,
    extract_certificate_info,
    extract_signer_info,
    find_unique_cms_attribute,
)
from pyhanko.sign.validation.ades import ades_basic_validation, ades_timestamp_validation
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter, message_imprint_checker
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    REQUIRE_REVINFO,
    AcceptAllAlgorithms,
    AlgorithmUsagePolicy,
    CertRevTrustPolicy,
    DisallowWeakAlgorithmsPolicy,
    FreshnessReqType,
    RevocationCheckingPolicy,
)
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from signing import chains, revocation
from signing.chains import Chains, Remembering
from signing.integrity import OUR_TROUBLE, detached_digest
from signing.revocation import RevocationList
from signing.types import Indication, Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.rw_common import PdfHandler
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
    from pyhanko_certvalidator.path import ValidationPath

    from signing.trust import TrustStore
    from signing.types import StoreName

    #: Runs a coroutine to its end, as `asyncio.run` does.
    Run = Callable[[Coroutine[Any, Any, Any]], Any]

#: Circular 15/2025/TT-BKHCN: RSA from 2048, elliptic curves from 256 bits, no SHA-1.
ALGORITHMS = DisallowWeakAlgorithmsPolicy(  # type: ignore[no-untyped-call]  # untyped in 0.33
    weak_hash_algos=frozenset({"md2", "md5", "sha1"}), rsa_key_size_threshold=2048
)
_ANY = AcceptAllAlgorithms()
LEAST_CURVE_BITS = 256
#: Who has a certificate for these alone signs no documents with it. What people get names e-mail, sign-in or documents.
_OTHER_PURPOSES = {"time_stamping", "ocsp_signing", "server_auth", "code_signing"}
USAGE = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
_STAMP_USAGE = TimestampSignatureStatus.default_usage_constraints()
CLOCK_SKEW = timedelta(minutes=5)

_GATHERING = RevocationInfoGatheringSpec(
    online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
    certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
)
_REASONS: dict[AdESSubIndic, Reason] = {
    AdESFailure.HASH_FAILURE: Reason.CONTENT_CHANGED,
    AdESFailure.SIG_CRYPTO_FAILURE: Reason.DAMAGED_SIGNATURE,
    AdESFailure.FORMAT_FAILURE: Reason.DAMAGED_SIGNATURE,
    AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND: Reason.UNTRUSTED_ISSUER,
    AdESIndeterminate.NO_SIGNING_CERTIFICATE_FOUND: Reason.NO_CERTIFICATE,
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: Reason.INVALID_CHAIN,
    AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE: Reason.INVALID_CHAIN,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: Reason.WEAK_ALGORITHM,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: Reason.WEAK_ALGORITHM,
    AdESIndeterminate.TRY_LATER: Reason.NO_STATUS,
    AdESIndeterminate.NOT_YET_VALID: Reason.CERTIFICATE_NOT_YET_VALID,
}
#: Why a timestamp that once counted may not count by itself any more. Anything else casts doubt on it.
_AGEING = {Reason.CERTIFICATE_EXPIRED, Reason.NO_STATUS}
_REVOKED = {AdESIndeterminate.REVOKED_NO_POE, AdESIndeterminate.REVOKED_CA_NO_POE, AdESFailure.REVOKED}


T = TypeVar("T")
#: Further than anybody looks.
_AHEAD = timedelta(days=36_500)


@dataclass(frozen=True)
class Material:
    """Certificates, lists and answers a judgement may rest on, whoever brought them: each is signed by its issuer."""

    certs: tuple[x509.Certificate, ...] = ()
    crls: tuple[CRLContainer, ...] = ()
    ocsps: tuple[OCSPContainer, ...] = ()

    def __add__(self, other: Material) -> Material:
        """Both, each thing once."""
        if other == Material():
            return self
        return Material(
            _each_once(self.certs + other.certs),
            _each_once(self.crls + other.crls),
            _each_once(self.ocsps + other.ocsps),
        )

    def about(self, cert: x509.Certificate) -> LocalKnowledge:
        """What may speak of `cert`: an authority may forget about a certificate once it has expired."""
        ends = cert.not_valid_after

        def late(issued: datetime | None) -> bool:
            return issued is not None and issued > ends

        crls = [c for c in self.crls if not (c.crl_data.issuer == cert.issuer and late(c.issuance_date))]
        ocsps = [o for o in self.ocsps if not (_serial(o) == cert.serial_number and late(o.issuance_date))]
        return LocalKnowledge(known_certs=list(self.certs), known_crls=crls, known_ocsps=ocsps)


def _each_once(things: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple({id(one): one for one in things}.values())


@dataclass(frozen=True)
class Instant:
    """A moment to look from. `proven` means: a trusted document timestamp, with the evidence it covers."""

    at: datetime
    material: Material
    proven: bool = False


@dataclass(frozen=True)
class Stamp:
    """A timestamp that counts. `authority` is the common name of who gave it."""

    at: datetime
    authority: str


@dataclass(frozen=True)
class Judgement:
    """What a signature is worth apart from its bytes.

    Attributes:
        proven_at: Time by which the signature is known to have existed, or None.
        store: The trust store whose anchor vouches for the signer; None when nobody does, or nobody said which it is.
    """

    indication: Indication
    verdict: Verdict
    sub_indication: str | None = None
    reasons: tuple[Reason, ...] = ()
    stamp: Stamp | None = None
    proven_at: datetime | None = None
    store: StoreName | None = None


@dataclass(frozen=True)
class _Basic:
    """What basic validation found.

    Attributes:
        path: To the signer, as far as there was one.
        revoked_at: When somebody in it was revoked.
    """

    ades_subindic: AdESSubIndic
    path: ValidationPath | None
    revoked_at: datetime | None = None


class Known:
    """A trust store, read: whom we trust, and what their lists say. Good for many files, one after the other.

    Not for several threads at once: what the libraries read, they read when it is first asked for.
    """

    def __init__(self, trust: TrustStore) -> None:
        self.trust = trust
        self.checked = Remembering()
        self._managers: dict[tuple[bytes, ...], SimpleTrustManager] = {}

    def vouching(self, existed: datetime, *, seen_from: datetime | None = None) -> tuple[bytes, ...]:
        """The anchors that vouch for what existed at a moment, as `TrustStore.vouching`."""
        return self.trust.vouching(existed, seen_from=seen_from)

    def trusting(self, anchors: tuple[bytes, ...]) -> SimpleTrustManager:
        """Trust in these anchors alone."""
        if anchors not in self._managers:
            roots = [x509.Certificate.load(der) for der in anchors]
            self._managers[anchors] = SimpleTrustManager.build(trust_roots=roots)
        return self._managers[anchors]

    def store_of(self, anchor: bytes) -> StoreName | None:
        """Which store an anchor belongs to; None when nobody said."""
        return self.trust.store_of(anchor)

    def policy(self, checking: RevocationCheckingPolicy) -> CertRevTrustPolicy:
        """How old a list may be: in force, unless one looks ahead."""
        if not self.trust.looks_ahead:
            return CertRevTrustPolicy(checking)
        return CertRevTrustPolicy(
            checking, freshness=_AHEAD, freshness_req_type=FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION
        )

    def material(self, lists: Iterable[CRLContainer]) -> Material:
        """Our own certificates and answers, and of our lists what a file needs."""
        answers = tuple(one for parts in self.answers.values() for one in parts)
        certs = tuple(self.certificates[der] for der in self.trust.intermediates)
        return Material(certs, tuple(lists), answers)

    @cached_property
    def certificates(self) -> dict[bytes, x509.Certificate]:
        """Every certificate we have, trusted or not, by its DER."""
        return {der: x509.Certificate.load(der) for der in (*self.trust.anchors, *self.trust.intermediates)}

    @cached_property
    def answers(self) -> dict[bytes, tuple[OCSPContainer, ...]]:
        """What responders told us, by the DER."""
        return {der: _answers([ocsp.OCSPResponse.load(der)]) for der in self.trust.ocsps}

    def lists(self, everybody: frozenset[int] | None) -> dict[bytes, CRLContainer]:
        """Our lists by their DER, for a file in which these serial numbers occur; None: any."""
        return self._short | {one.der: CRLContainer(_shown(one, everybody)) for one in self._long}

    @cached_property
    def _short(self) -> dict[bytes, CRLContainer]:
        return {one.der: CRLContainer(crl.CertificateList.load(one.der)) for one in self._lists if one.short}

    @cached_property
    def _long(self) -> tuple[RevocationList, ...]:
        return tuple(one for one in self._lists if not one.short)

    @cached_property
    def _lists(self) -> tuple[RevocationList, ...]:
        return tuple(map(revocation.parsed, self.trust.crls))

    def listed(self, cert: x509.Certificate) -> datetime | None:
        """When one of our own lists, of any age, says the certificate was revoked.

        pyHanko asks responders' answers first and is content with a good one: it may be older than our list.
        """
        found = (one.find(cert.serial_number) for one in self._lists if one.issuer == cert.issuer)
        return min((one.at for one in found if one is not None), default=None)


class Court:
    """Judges the signatures of one file against one trust store, at one moment.

    Args:
        known: Whom we trust, with the lists at hand.
        reader: The file.
        at: The moment of asking.
        run: What runs coroutines to their end.
    """

    def __init__(self, known: Known, reader: PdfFileReader, *, at: datetime, run: Run = asyncio.run) -> None:
        self._known = known
        self._reader = reader
        self._run = run
        self._chains = Chains()
        self._everybody = _everybody(reader, known)
        # What the file brings along is often ours, and each thing comes more than once: it is read once.
        self._certs = dict(known.certificates)
        self._lists = known.lists(self._everybody)
        self._answers = dict(known.answers)
        self._ours = known.material(self._lists.values())
        self._now = Instant(at, self._ours + self._carried(reader))
        #: Trusted document timestamps, newest first: revision and instant.
        self._proofs: list[tuple[int, Instant]] = []
        self.document_stamps: list[Stamp] = []

    def take_evidence(self, stamps: Sequence[EmbeddedPdfSignature]) -> Reason | None:
        """Find out which document timestamps count; the newest is judged now, each other also from a later one.

        Returns:
            A reason for doubt when one comes from nobody we trust, or from an authority revoked since; one that
            merely aged is passed over.
        """
        doubt = None
        for embedded in sorted(stamps, key=lambda one: one.signed_revision, reverse=True):
            stamp, reason = self._run(
                self._stamp(embedded.signed_data, embedded.compute_digest, self._instants(embedded.signed_revision))
            )
            if stamp is None:
                doubt = doubt if reason in _AGEING else Reason.UNTRUSTED_TIMESTAMP
                continue
            covered = self._reader.get_historical_resolver(embedded.signed_revision)
            proof = Instant(stamp.at, self._ours + self._carried(covered), proven=True)
            self._proofs.append((embedded.signed_revision, proof))
            self.document_stamps.append(stamp)
        return doubt

    def judge(self, embedded: EmbeddedPdfSignature) -> Judgement:
        """Say what the signature is worth; its bytes have been found intact."""
        judgement: Judgement = self._run(self._judge(embedded))
        return judgement

    def _instants(self, revision: int) -> list[Instant]:
        """Now, then the proven moments after `revision`, the one nearest to it first."""
        return [self._now, *(proof for covered, proof in reversed(self._proofs) if covered > revision)]

    async def _judge(self, embedded: EmbeddedPdfSignature) -> Judgement:
        cert = embedded.signer_cert
        instants = self._instants(embedded.signed_revision)
        brought = _in_attributes(embedded)
        instants = [replace(i, material=i.material + brought) for i in instants]
        tokens = list(extract_tst_data_iter(embedded.signer_info, signed=False))
        stamp: Stamp | None = None
        for token in tokens:
            stamp, _ = await self._stamp(token, message_imprint_checker(embedded.signer_info), instants)
            if stamp:
                break
        known = [moment.at for moment in instants if moment.proven] + ([stamp.at] if stamp else [])
        proven_at = min(known, default=None)
        first: Judgement | None = None
        for instant in instants:
            found = await self._from(instant, embedded, cert, proven_at)
            if first is None or found.verdict in {Verdict.GENUINE, Verdict.REVOKED}:
                first = found
            if found.verdict in {Verdict.GENUINE, Verdict.REVOKED, Verdict.ALTERED}:
                break
        if first is None:  # there is always the instant "now"
            raise AssertionError
        first = replace(first, stamp=stamp, proven_at=proven_at)
        if tokens and stamp is None and first.verdict is Verdict.GENUINE:
            return _doubt(first, AdESIndeterminate.SIG_CONSTRAINTS_FAILURE, Reason.UNTRUSTED_TIMESTAMP)
        return first

    async def _from(
        self,
        instant: Instant,
        embedded: EmbeddedPdfSignature,
        cert: x509.Certificate,
        proven_at: datetime | None,
    ) -> Judgement:
        """Judge from one instant. From a proven one the certificate is judged at the time of signing."""
        moment = min(proven_at, instant.at) if instant.proven and proven_at else instant.at
        existed = min(proven_at or instant.at, instant.at)
        result = await self._judged(
            embedded, self._spec(instant, cert, self._known.vouching(existed)), _timing(moment, past=instant.proven)
        )
        found: AdESSubIndic = result.ades_subindic
        problem = _certificate_problem(cert)
        if problem is not None:
            return _refuse(AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE, problem)
        passed = found.status is AdESStatus.PASSED
        revoked_at = result.revoked_at or self._known.listed(cert)
        if revoked_at is not None or found in _REVOKED:
            revoked = self._revoked(found, revoked_at, proven_at, embedded.self_reported_timestamp)
            if revoked.verdict is Verdict.REVOKED or passed or found in _REVOKED:
                return revoked
        if passed and proven_at is not None and proven_at + CLOCK_SKEW < cert.not_valid_before:
            return _refuse(AdESIndeterminate.NOT_YET_VALID, Reason.CERTIFICATE_NOT_YET_VALID)
        if passed:
            return Judgement(Indication.PASSED, Verdict.GENUINE, store=self._vouched_by(result.path))
        if found is AdESIndeterminate.OUT_OF_BOUNDS_NO_POE:
            return _refuse(found, _outside_validity(cert, moment, proven_at))
        return await self._refused(found, instant, embedded, cert, moment, existed)

    async def _judged(
        self, embedded: EmbeddedPdfSignature, spec: SignatureValidationSpec, timing: ValidationTimingInfo
    ) -> _Basic:
        """Basic validation: by what is known already where that is a plain yes, else by pyHanko."""
        certs = SignedDataCerts(embedded.signer_cert, embedded.other_embedded_certs, embedded.embedded_attr_certs)
        digest = detached_digest(embedded)
        if digest is not None:
            path = await self._path(embedded.signed_data, certs, digest, spec, timing, USAGE)
            if path is not None:
                return _Basic(AdESPassed.OK, path)
        result = await ades_basic_validation(embedded.signed_data, spec, timing_info=timing, raw_digest=digest)
        status = result.api_status
        details = getattr(status, "revocation_details", None)
        return _Basic(
            result.ades_subindic,
            getattr(status, "validation_path", None),
            details.revocation_date if details else None,
        )

    async def _path(
        self,
        signed: cms.SignedData,
        certs: SignedDataCerts,
        digest: bytes | None,
        spec: SignatureValidationSpec,
        timing: ValidationTimingInfo,
        usage: KeyUsageConstraints,
    ) -> ValidationPath | None:
        """The path to whoever signed, where signature and path are beyond doubt; None: ask pyHanko."""
        try:
            if not chains.signs(extract_signer_info(signed), signed, certs, digest, spec, timing):
                return None
            return await self._chains.path(certs.signer_cert, certs.other_certs, spec, timing, usage)
        except OUR_TROUBLE:
            raise
        except Exception:  # noqa: BLE001  hostile bytes raise anything; what that means is not said here
            return None

    async def _refused(
        self,
        found: AdESSubIndic,
        instant: Instant,
        embedded: EmbeddedPdfSignature,
        cert: x509.Certificate,
        moment: datetime,
        existed: datetime,
    ) -> Judgement:
        """Say why, as exactly as can be told: one thing wrong often hides another."""
        reason = _REASONS.get(found, Reason.NOT_VERIFIABLE)
        if reason is Reason.INVALID_CHAIN and moment < cert.not_valid_before:
            reason = Reason.CERTIFICATE_NOT_YET_VALID
        elif reason is Reason.INVALID_CHAIN and await self._lacks_status_only(instant, embedded, cert, moment, existed):
            reason = Reason.NO_STATUS
        refused = _refuse(found, reason)
        if reason is Reason.WEAK_ALGORITHM and await self._comes_from_nobody(instant, embedded, cert, moment, existed):
            return replace(refused, reasons=(reason, Reason.UNTRUSTED_ISSUER))
        return refused

    @staticmethod
    def _revoked(
        found: AdESSubIndic, revoked_at: datetime | None, proven_at: datetime | None, claimed_at: datetime | None
    ) -> Judgement:
        """Tell revoked before signing from revoked afterwards; without proof the signer's own clock may accuse."""
        authority = found is AdESIndeterminate.REVOKED_CA_NO_POE
        reason = Reason.AUTHORITY_REVOKED if authority else Reason.SIGNER_REVOKED
        sub = found if found in _REVOKED else AdESIndeterminate.REVOKED_NO_POE
        if proven_at is not None and revoked_at is not None:
            if proven_at >= revoked_at:
                return Judgement(Indication.FAILED, Verdict.REVOKED, "REVOKED", (reason,))
            if not authority:
                return Judgement(Indication.PASSED, Verdict.GENUINE)
            return _refuse(sub, Reason.REVOKED_UNPROVEN_TIME)
        if revoked_at is None or claimed_at is None or claimed_at >= revoked_at:
            return Judgement(Indication.INDETERMINATE, Verdict.REVOKED, sub.standard_name, (reason,))
        return _refuse(sub, Reason.REVOKED_UNPROVEN_TIME)

    async def _stamp(
        self, token: cms.SignedData, imprint: Callable[[str], bytes], instants: Sequence[Instant]
    ) -> tuple[Stamp | None, Reason]:
        """Judge a timestamp from each instant until one accepts it; else the reason of the first."""
        reason = Reason.UNTRUSTED_TIMESTAMP
        stated: datetime = token["encap_content_info"]["content"].parsed["gen_time"].native
        try:
            certs = extract_certificate_info(token)
        except CMSExtractionError:
            return None, Reason.NO_CERTIFICATE
        authority = certs.signer_cert
        revoked_at = self._known.listed(authority)
        for instant in instants:
            spec = self._spec(instant, authority, self._known.vouching(stated, seen_from=instant.at))
            timing = _timing(instant.at, past=instant.proven)
            found = await self._stamped(token, certs, imprint, spec, timing)
            in_time = authority.not_valid_before <= stated <= instant.at + CLOCK_SKEW
            in_force = revoked_at is None or (instant.proven and instant.at < revoked_at)
            if found is AdESPassed.OK and in_time and in_force:
                return Stamp(stated, common_name(authority.subject)), reason
            if instant is instants[0] and in_time and in_force:
                reason = _why_not(found, authority, instant.at)
        return None, reason

    async def _stamped(
        self,
        token: cms.SignedData,
        certs: SignedDataCerts,
        imprint: Callable[[str], bytes],
        spec: SignatureValidationSpec,
        timing: ValidationTimingInfo,
    ) -> AdESSubIndic:
        """Validation of a timestamp, as `_judged` does it."""
        path = await self._path(token, certs, None, spec, timing, _STAMP_USAGE)
        if path is not None and chains.stamps(token, imprint):
            return AdESPassed.OK
        result = await ades_timestamp_validation(token, spec, imprint, timing_info=timing)
        found: AdESSubIndic = result.ades_subindic
        return found

    async def _lacks_status_only(
        self,
        instant: Instant,
        embedded: EmbeddedPdfSignature,
        cert: x509.Certificate,
        moment: datetime,
        existed: datetime,
    ) -> bool:
        result = await ades_basic_validation(
            embedded.signed_data,
            self._spec(instant, cert, self._known.vouching(existed), checking=NO_REVOCATION),
            timing_info=_timing(moment, past=instant.proven),
            raw_digest=detached_digest(embedded),
        )
        return result.ades_subindic is AdESPassed.OK

    async def _comes_from_nobody(
        self,
        instant: Instant,
        embedded: EmbeddedPdfSignature,
        cert: x509.Certificate,
        moment: datetime,
        existed: datetime,
    ) -> bool:
        """Whether a weak signature's chain leads to nobody we trust, either."""
        spec = self._spec(instant, cert, self._known.vouching(existed), checking=NO_REVOCATION, algorithms=_ANY)
        result = await ades_basic_validation(
            embedded.signed_data,
            spec,
            timing_info=_timing(moment, past=instant.proven),
            raw_digest=detached_digest(embedded),
        )
        return result.ades_subindic is AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND

    def _spec(
        self,
        instant: Instant,
        about: x509.Certificate,
        anchors: tuple[bytes, ...],
        *,
        checking: RevocationCheckingPolicy = REQUIRE_REVINFO,
        algorithms: AlgorithmUsagePolicy = ALGORITHMS,
    ) -> SignatureValidationSpec:
        return SignatureValidationSpec(
            CertValidationPolicySpec(
                self._known.trusting(anchors),
                replace(self._known.policy(checking), retroactive_revinfo=instant.proven),
                algorithm_usage_policy=algorithms,
                time_tolerance=CLOCK_SKEW,
                signature_validator=self._known.checked,
            ),
            revinfo_gathering_policy=_GATHERING,
            local_knowledge=instant.material.about(about),
            key_usage_settings=USAGE,
        )

    def _vouched_by(self, path: ValidationPath | None) -> StoreName | None:
        """Which of our trust stores the chain of a signature leads to."""
        anchor = next(iter(path.iter_certs(include_root=True)), None) if path is not None else None
        return self._known.store_of(anchor.dump()) if anchor is not None else None

    def _carried(self, handler: PdfHandler) -> Material:
        """The document security store, as it stood in this revision; nothing when there is none or it is damaged."""
        try:
            store = DocumentSecurityStore.read_dss(handler)
            certs, lists, answers = (
                [ref.get_object().data for ref in refs] for refs in (store.certs.values(), store.crls, store.ocsps)
            )
            return Material(
                tuple(map(self._cert, certs)),
                tuple(map(self._list, lists)),
                tuple(one for der in answers for one in self._answer(der)),
            )
        except NoDSSFoundError:
            return Material()
        except Exception:  # noqa: BLE001  damaged evidence is no evidence
            return Material()

    def _cert(self, der: bytes) -> x509.Certificate:
        return _once(self._certs, der, lambda: x509.Certificate.load(der))

    def _answer(self, der: bytes) -> tuple[OCSPContainer, ...]:
        return _once(self._answers, der, lambda: _answers([ocsp.OCSPResponse.load(der)]))

    def _list(self, der: bytes) -> CRLContainer:
        """A list that the file brings: parsed for this file alone, so that no stranger fills our memory."""

        def read() -> CRLContainer:
            try:
                return CRLContainer(_shown(RevocationList(der), self._everybody))
            except (ValueError, TypeError):  # stricter than pyHanko, which then says what it makes of it
                return CRLContainer(crl.CertificateList.load(der))

        return _once(self._lists, der, read)


def _once(read: dict[bytes, T], der: bytes, reading: Callable[[], T]) -> T:
    """What a DER says; read only where it hasn't been."""
    if der not in read:
        read[der] = reading()
    return read[der]


def common_name(name: x509.Name) -> str:
    """The name to tell people: common name, else organisation, else all of it."""
    parts = name.native
    for key in ("common_name", "organization_name"):
        value = parts.get(key)
        if value:
            return str(value[-1] if isinstance(value, list) else value)
    return str(name.human_friendly)


def _certificate_problem(cert: x509.Certificate) -> Reason | None:
    usage = cert.key_usage_value
    if usage is not None and not {"digital_signature", "non_repudiation"} & set(usage.native):
        return Reason.WRONG_KEY_USAGE
    purposes = cert.extended_key_usage_value
    if purposes is not None and set(purposes.native) <= _OTHER_PURPOSES:
        return Reason.WRONG_KEY_USAGE
    key = cert.public_key
    if key.algorithm == "ec" and key.bit_size < LEAST_CURVE_BITS:
        return Reason.WEAK_ALGORITHM
    return None


def _why_not(found: AdESSubIndic, authority: x509.Certificate, moment: datetime) -> Reason:
    """Why a timestamp doesn't count at this moment."""
    if found is AdESIndeterminate.OUT_OF_BOUNDS_NO_POE and moment > authority.not_valid_after:
        return Reason.CERTIFICATE_EXPIRED
    return _REASONS.get(found, Reason.UNTRUSTED_TIMESTAMP)


def _outside_validity(cert: x509.Certificate, moment: datetime, proven_at: datetime | None) -> Reason:
    if moment < cert.not_valid_before:
        return Reason.CERTIFICATE_NOT_YET_VALID
    if proven_at is not None and proven_at > cert.not_valid_after:
        return Reason.SIGNED_AFTER_EXPIRY
    return Reason.CERTIFICATE_EXPIRED


def _refuse(found: AdESSubIndic, reason: Reason) -> Judgement:
    failed = found.status is AdESStatus.FAILED
    return Judgement(
        Indication.FAILED if failed else Indication.INDETERMINATE,
        Verdict.ALTERED if failed else Verdict.UNCONFIRMED,
        str(found.standard_name),
        (reason,),
    )


def _doubt(judgement: Judgement, found: AdESSubIndic, reason: Reason) -> Judgement:
    refused = _refuse(found, reason)
    return replace(refused, stamp=judgement.stamp, proven_at=judgement.proven_at)


def _timing(moment: datetime, *, past: bool) -> ValidationTimingInfo:
    return ValidationTimingInfo(moment, moment, point_in_time_validation=past)


def _serial(answer: OCSPContainer) -> int | None:
    single = answer.extract_single_response()
    return None if single is None else int(single["cert_id"]["serial_number"].native)


def _answers(responses: Iterable[ocsp.OCSPResponse]) -> tuple[OCSPContainer, ...]:
    return tuple(answer for response in responses for answer in OCSPContainer.load_multi(response))


def _shown(listed: RevocationList, everybody: frozenset[int] | None) -> crl.CertificateList:
    """A list as pyHanko is to see it: with the entries about the certificates of this file, however long it is."""
    return crl.CertificateList.load(listed.der) if everybody is None else listed.about(everybody)


def _everybody(reader: PdfFileReader, known: Known) -> frozenset[int] | None:
    """Serial numbers of every certificate that a judgement of this file may meet: nothing is fetched.

    None when they can't all be told, and then every list is walked through from end to end.
    """
    try:
        certs = [*known.certificates.values()]
        answers = [one.ocsp_response_data for parts in known.answers.values() for one in parts]
        for embedded in reader.embedded_signatures:
            certs += _inside(embedded.signed_data)
            for signed in (False, True):
                for token in extract_tst_data_iter(embedded.signer_info, signed=signed):
                    certs += _inside(token)
            answers += [one.ocsp_response_data for one in _in_attributes(embedded).ocsps]
        try:
            store = DocumentSecurityStore.read_dss(reader)
        except NoDSSFoundError:
            pass
        else:
            certs += store.load_certs()
            answers += [ocsp.OCSPResponse.load(ref.get_object().data) for ref in store.ocsps]
        return frozenset(one.serial_number for one in (*certs, *revocation.responders(answers)))
    except Exception:  # noqa: BLE001  whatever a stranger wrote
        return None


def _inside(signed: cms.SignedData) -> list[x509.Certificate]:
    return [choice.chosen for choice in signed["certificates"] or () if choice.name == "certificate"]


def _in_attributes(embedded: EmbeddedPdfSignature) -> Material:
    """Evidence some systems put under the signature itself (Adobe's revocation information)."""
    try:
        archived = find_unique_cms_attribute(embedded.signer_info["signed_attrs"], "adobe_revocation_info_archival")
        return Material((), tuple(CRLContainer(one) for one in archived["crl"]), _answers(archived["ocsp"]))
    except Exception:  # noqa: BLE001  absent or damaged: no evidence
        return Material()
