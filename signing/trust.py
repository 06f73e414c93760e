"""Whom we trust and what their revocation lists say.

A `TrustStore` is what somebody in charge registered, plus lists fetched for it; it never grows by what an
uploaded file carries. Addresses to fetch from come from the certificates of our own signers and authorities,
never from a document under examination.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from asn1crypto import crl, ocsp, pem, x509
from cryptography.x509 import load_der_x509_certificate, load_der_x509_crl
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    InsufficientRevinfoError,
    InvalidCertificateError,
    NotYetValidError,
    PathBuildingError,
    RevokedError,
    ValidationError,
)

from signing import revocation, standings
from signing.certificates import read
from signing.types import SigningRefused, TrustServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pyhanko_certvalidator.path import ValidationPath

    from signing.revocation import Answer, RevocationList
    from signing.types import StoreName

#: How far the clocks of an authority and ours may differ when a list was made this minute.
_CLOCK_SKEW = timedelta(minutes=1)

#: By thread, as read certificates are.
_here = threading.local()
_MOST_SHOWN = 16


@dataclass(frozen=True)
class Term:
    """How far the trust in one anchor goes, as it was decided.

    Attributes:
        certificate: The anchor, DER.
        store: Which store vouches.
        since, until: The trust holds for what existed from `since` on and before `until`; None is no bound.
        broken: The trust ended because the anchor's keys may be in other hands: then a timestamp that hangs on this
            anchor, too, proves nothing any more from `until` on, whatever moment it states.
    """

    certificate: bytes
    store: StoreName
    since: datetime | None = None
    until: datetime | None = None
    broken: bool = False

    def covers(self, existed: datetime, *, seen_from: datetime) -> bool:
        """Whether the anchor vouches for what existed at a moment, looked at from the same or a later one."""
        if self.since is not None and existed < self.since:
            return False
        return self.until is None or (existed < self.until and not (self.broken and seen_from >= self.until))


@dataclass(frozen=True)
class TrustStore:
    """What signatures are measured against, all DER.

    Attributes:
        anchors: Certificates trusted by decision, roots or intermediate authorities, at one time or another.
        terms: How far the trust in each goes; an anchor without any is trusted without bounds.
        intermediates: Certificates that help to build a chain and are not trusted by themselves.
        crls: Revocation lists, of any age; each is used only while it is in force.
        ocsps: OCSP responses, likewise.
        hosts: Where hosts named in our certificates are really reached, see `signing.hosts`.
        looks_ahead: Take today's lists for those of the day that is asked about, as if nobody were revoked until then.
            To foresee what will still verify, and for nothing that anybody is told.
    """

    anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    terms: tuple[Term, ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)
    looks_ahead: bool = False

    def vouching(self, existed: datetime, *, seen_from: datetime | None = None) -> tuple[bytes, ...]:
        """The anchors that vouch for what existed at a moment.

        Args:
            existed: When it is known to have existed.
            seen_from: For a timestamp, whose own word that moment is: the moment that it is looked at from.
        """
        return tuple(der for der in self.anchors if self._vouches(der, existed, seen_from or existed))

    def _vouches(self, der: bytes, existed: datetime, seen_from: datetime) -> bool:
        terms = [term for term in self.terms if term.certificate == der]
        return not terms or any(term.covers(existed, seen_from=seen_from) for term in terms)

    def store_of(self, anchor: bytes) -> StoreName | None:
        """Which store an anchor belongs to; None when nobody said."""
        return next((term.store for term in reversed(self.terms) if term.certificate == anchor), None)

    def with_crls(self, crls: Iterable[bytes]) -> TrustStore:
        """Give the same trust with other revocation lists."""
        return replace(self, crls=tuple(crls))


@dataclass(frozen=True)
class Standing:
    """A certificate's chain, and what proves that nobody in it was revoked.

    Attributes:
        certificate: Whose standing this is.
        path: From the anchor to the certificate.
        crls, ocsps: The proof, to be kept with the document.
        known: False when no list and no responder spoke for somebody in the chain.
        silent: Who should have answered and didn't, when `known` is False for that reason.
        sources: For each certificate below the anchor what is known of it, from above.
    """

    certificate: x509.Certificate
    path: ValidationPath
    crls: tuple[crl.CertificateList, ...]
    ocsps: tuple[ocsp.OCSPResponse, ...]
    known: bool
    silent: TrustServiceUnavailable | None = None
    sources: tuple[Told, ...] = ()


def load(anchors: Iterable[Path], certs: Iterable[Path] = (), crls: Iterable[Path] = ()) -> TrustStore:
    """Read a trust store from files and folders, PEM or DER.

    In a folder, files that are neither certificates nor lists are passed over; a file named by itself must be one.

    Raises:
        ValueError: A named file holds nothing of its kind; the message says which, in Vietnamese.
        OSError: A file can't be read.
    """
    return TrustStore(
        anchors=_read_all(anchors, "CERTIFICATE"),
        intermediates=_read_all(certs, "CERTIFICATE"),
        crls=_read_all(crls, "X509 CRL"),
    )


def signer_standing(
    certificate: bytes,
    trust: TrustStore,
    *,
    chain: Sequence[bytes] = (),
    at: datetime | None = None,
    fetch: bool = True,
    timeout: float = 20.0,
) -> Standing:
    """Make sure a person or agency may sign now: dates, chain, usage, revocation.

    Lists in force in `trust` are used; missing ones are fetched from where the chain's certificates say. The
    signer's OCSP responder, where there is one, is asked besides: a list may be days old.

    Args:
        certificate: The signer's, DER.
        trust: Registered anchors, intermediates and cached lists.
        chain: What came along with the key.
        at: A moment other than now; then nothing is fetched.
        fetch: False to make do with what `trust` has.
        timeout: Seconds for each exchange.

    Raises:
        SigningRefused: "certificate_expired", "certificate_not_yet_valid", "certificate_revoked",
            "certificate_suspended", "wrong_key_usage", "untrusted_issuer" or "weak_key". Not knowing the status is no
            refusal here: see `Standing.known`.
    """
    signer = read(certificate)
    usage = signer.key_usage_value
    if usage is not None and not {"digital_signature", "non_repudiation"} & set(usage.native):
        raise SigningRefused(
            "wrong_key_usage", f"Chứng thư của {_name(signer)} không được cấp để ký số. Chưa có gì được ký."
        )
    extra = tuple(map(read, chain))
    return _standing(signer, trust, extra=extra, purpose=set(), at=at, fetch=fetch, timeout=timeout)


def timestamp_authority_standing(
    certificate: x509.Certificate,
    trust: TrustStore,
    *,
    extra: Sequence[x509.Certificate] = (),
    at: datetime | None = None,
    fetch: bool = True,
    timeout: float = 20.0,
) -> Standing:
    """Make sure a timestamp authority counts with us, and collect the proof. As `signer_standing`."""
    return _standing(certificate, trust, extra=extra, purpose={"time_stamping"}, at=at, fetch=fetch, timeout=timeout)


def _standing(
    certificate: x509.Certificate,
    trust: TrustStore,
    *,
    extra: Sequence[x509.Certificate],
    purpose: set[str],
    at: datetime | None,
    fetch: bool,
    timeout: float,
) -> Standing:
    moment = at or datetime.now(UTC)

    def built() -> ValidationPath:
        return _validate(certificate, trust, extra=extra, purpose=purpose, moment=moment)

    named = (certificate.dump(), *(one.dump() for one in extra), *sorted(purpose))
    path = built() if at is not None else standings.kept(named, trust, built)
    if at is None and not _in_their_dates(path.iter_certs(include_root=False), moment):
        built()  # it was found a minute ago; now this says who is out of date
    links = list(path.iter_certs(include_root=True))
    witnesses = _Witnesses(trust, moment, online=fetch and at is None, timeout=timeout)
    told = [
        witnesses.about(subject, issuer, seldom=bool(purpose) or subject is not links[-1])
        for issuer, subject in itertools.pairwise(links)
    ]
    everybody = [one.serial_number for one in (*links, *extra, *map(read, trust.intermediates))]
    moment = at or datetime.now(UTC)  # what was just fetched is newer than the question
    spare = [replace(one, lists=one.all_lists) for one in told]
    for given in [told] if spare == told else [told, spare]:
        lists = {listed.der: listed for one in given for listed in one.lists}.values()
        answers = [ocsp.OCSPResponse.load(one.answer.der) for one in given if one.answer is not None]
        if not lists and not answers:
            continue
        responders = tuple(revocation.responders(answers))
        crls = [_shown(listed, {*everybody, *(one.serial_number for one in responders)}) for listed in lists]

        def status(crls: Sequence[crl.CertificateList] = crls, ocsps: Sequence[ocsp.OCSPResponse] = answers) -> object:
            return _validate(certificate, trust, extra=extra, purpose=purpose, moment=moment, crls=crls, ocsps=ocsps)

        try:
            if at is None and _only_dates_matter(told, moment, (*links, *responders)):
                by = *(listed.der for listed in lists), *(answer.dump() for answer in answers)
                standings.kept((*named, "status", by), trust, status)
            else:
                status()
        except InsufficientRevinfoError:
            continue
        return Standing(certificate, path, tuple(crls), tuple(answers), known=True, sources=tuple(told))
    if at is None:  # the chain may have been found a minute ago
        built()
    lists = {listed.der: listed for one in told for listed in one.all_lists}.values()
    whole = tuple(listed.about(everybody) for listed in lists)
    silent = next(iter(witnesses.silent), None)
    return Standing(certificate, path, whole, (), known=False, silent=silent, sources=tuple(told))


def _only_dates_matter(told: Sequence[Told], moment: datetime, involved: Sequence[x509.Certificate]) -> bool:
    """Whether what these lists and answers prove at another moment they prove now, too.

    They were chosen for being in force now; then a certificate's dates remain, and a revocation at a moment to come.
    """
    revoked = any(
        listed.find(one.subject.serial_number) for one in told for listed in (*one.lists, *one.all_lists)
    ) or any(one.answer is not None and one.answer.revoked is not None for one in told)
    return not revoked and _in_their_dates(involved, moment)


def _in_their_dates(certificates: Iterable[x509.Certificate], moment: datetime) -> bool:
    return all(one.not_valid_before <= moment <= one.not_valid_after for one in certificates)


def _shown(listed: RevocationList, serials: set[int]) -> crl.CertificateList:
    """A list as a file or pyHanko wants it, with all that was found out about it before on this thread."""
    shown: OrderedDict[tuple[bytes, frozenset[int]], crl.CertificateList] | None = getattr(_here, "shown", None)
    if shown is None:
        shown = _here.shown = OrderedDict()
    key = (listed.der, listed.serials & serials)
    found = shown.get(key)
    if found is None:
        found = shown[key] = listed.about(serials)
        if len(shown) > _MOST_SHOWN:
            shown.popitem(last=False)
    return found


@dataclass(frozen=True)
class Told:
    """What is known of one link of a chain, and from whom.

    Attributes:
        subject: Whose status it is.
        lists: Lists that are needed as proof: none where an answer says it better.
        answer: What a responder said, or None.
        all_lists: Every list in force that speaks for the subject.
    """

    subject: x509.Certificate
    lists: tuple[RevocationList, ...]
    answer: Answer | None
    all_lists: tuple[RevocationList, ...]


class _Witnesses:
    """Who speaks for the certificates of one chain at one moment: what we keep first, then who can be asked."""

    def __init__(self, trust: TrustStore, moment: datetime, *, online: bool, timeout: float) -> None:
        self._trust = trust
        self._moment = moment
        self._online = online
        self._timeout = timeout
        self._lists = [listed for listed in map(revocation.parsed, trust.crls) if listed.in_force(moment)]
        #: Who should have answered and didn't.
        self.silent: list[TrustServiceUnavailable] = []

    def about(self, subject: x509.Certificate, issuer: x509.Certificate, *, seldom: bool) -> Told:
        """A revocation that any list tells of goes before an answer that knows nothing of it yet.

        What goes into the file is the smaller proof: a short list serves everybody of its authority, a long one is
        left out wherever a responder answers.

        Args:
            seldom: An authority, not a signer: where a short list speaks for it no responder is asked besides.
        """
        lists = tuple(one for one in self._lists if one.speaks_for(subject, issuer))
        if any(one.find(subject.serial_number) for one in lists):
            return Told(subject, lists, None, lists)
        short = bool(lists) and all(one.short for one in lists)
        answer = self._answer(subject, issuer, seldom=seldom, ask=not (seldom and short))
        if answer is None and not lists and self._online:
            lists = self._fetched(subject, issuer)
        if answer is None or (lists and answer.revoked is None and all(len(x.der) <= len(answer.der) for x in lists)):
            return Told(subject, lists, answer if answer is None else None, lists)
        return Told(subject, (), answer, lists)

    def _answer(self, subject: x509.Certificate, issuer: x509.Certificate, *, seldom: bool, ask: bool) -> Answer | None:
        """The answer we keep, as long as it is fresh; else a new one; else the one we keep, while it is in force."""
        about, authority = subject.dump(), issuer.dump()
        given = [revocation.read_answer(der, about, authority) for der in self._trust.ocsps]
        given.append(revocation.said(about))
        kept = max(
            (one for one in given if one is not None and one.in_force(self._moment)),
            key=lambda one: one.made,
            default=None,
        )
        if not ask or not self._online or (kept is not None and kept.fresh(self._moment)):
            return kept
        asker = revocation.ask_seldom if seldom else revocation.ask
        return asker(about, authority, timeout=self._timeout, hosts=self._trust.hosts) or kept

    def _fetched(self, subject: x509.Certificate, issuer: x509.Certificate) -> tuple[RevocationList, ...]:
        """The list for `subject` from the first place that answers."""
        for url in revocation.published_at(subject):
            try:
                der = revocation.fetch_crl(
                    url, publishers=(issuer.dump(),), timeout=self._timeout, hosts=self._trust.hosts
                )
            except TrustServiceUnavailable as error:
                self.silent.append(error)
            else:
                return (revocation.parsed(der),)
        return ()


def _validate(
    certificate: x509.Certificate,
    trust: TrustStore,
    *,
    extra: Sequence[x509.Certificate],
    purpose: set[str],
    moment: datetime,
    crls: Sequence[crl.CertificateList] = (),
    ocsps: Sequence[ocsp.OCSPResponse] = (),
) -> ValidationPath:
    """Build and check the chain; with lists or answers also everybody's status, which then must be known."""
    with_status = bool(crls or ocsps)
    context = ValidationContext(
        trust_roots=[read(der) for der in trust.vouching(moment)],
        other_certs=[*map(read, trust.intermediates), *extra],
        moment=moment,
        crls=crls,
        ocsps=ocsps,
        revocation_mode="require" if with_status else "soft-fail",
        weak_hash_algos={"md2", "md5", "sha1"},
        time_tolerance=_CLOCK_SKEW if with_status else timedelta(0),
    )
    name = _name(certificate)
    try:
        validator = CertificateValidator(certificate, validation_context=context)
        usage = validator.async_validate_usage(set(), purpose or None)  # type: ignore[no-untyped-call]
        path: ValidationPath = asyncio.run(usage)
    except RevokedError as error:
        if error.reason.native == "certificate_hold":
            raise SigningRefused(
                "certificate_suspended",
                f"Chứng thư của {name} (hoặc của nơi cấp) đang bị tạm dừng từ ngày {error.revocation_dt:%d/%m/%Y}. "
                "Chưa có gì được ký. Hãy hỏi nơi cấp chứng thư, hoặc dùng chứng thư khác.",
            ) from error
        raise SigningRefused(
            "certificate_revoked",
            f"Chứng thư của {name} (hoặc của nơi cấp) đã bị thu hồi ngày {error.revocation_dt:%d/%m/%Y}. "
            "Chưa có gì được ký. Hãy dùng chứng thư khác.",
        ) from error
    except ExpiredError as error:
        raise SigningRefused(
            "certificate_expired",
            f"Chứng thư của {name} (hoặc của nơi cấp) đã hết hạn ngày {error.expired_dt:%d/%m/%Y}. "
            "Chưa có gì được ký. Hãy gia hạn hoặc dùng chứng thư khác.",
        ) from error
    except NotYetValidError as error:
        raise SigningRefused(
            "certificate_not_yet_valid",
            f"Chứng thư của {name} chỉ có hiệu lực từ ngày {error.valid_from:%d/%m/%Y}. "
            "Chưa có gì được ký. Hãy kiểm tra đồng hồ máy chủ.",
        ) from error
    except InsufficientRevinfoError:
        raise
    except DisallowedAlgorithmError as error:
        raise SigningRefused(
            "weak_key", f"Chứng thư của {name} dùng thuật toán không còn được chấp nhận. Chưa có gì được ký."
        ) from error
    except (PathBuildingError, InvalidCertificateError, ValidationError) as error:
        raise SigningRefused(
            "untrusted_issuer",
            f"Chứng thư của {name} không dẫn tới cơ quan chứng thực nào được đăng ký tin cậy. "
            "Chưa có gì được ký. Hãy đăng ký chứng thư gốc của nơi cấp.",
        ) from error
    return path


def _name(certificate: x509.Certificate) -> str:
    names = certificate.subject.native
    return str(names.get("common_name") or names.get("organization_name") or certificate.subject.human_friendly)


def _read_all(paths: Iterable[Path], kind: str) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for path in paths:
        if path.is_dir():
            for inside in sorted(entry for entry in path.iterdir() if entry.is_file()):
                found += _read(inside, kind)
        else:
            here = _read(path, kind)
            if not here:
                what = "danh sách thu hồi (CRL)" if kind == "X509 CRL" else "chứng thư"
                raise ValueError(f"{path.name} không chứa {what} nào (PEM hoặc DER).")
            found += here
    return tuple(dict.fromkeys(found))


def _read(path: Path, kind: str) -> list[bytes]:
    content = path.read_bytes()
    parse = load_der_x509_crl if kind == "X509 CRL" else load_der_x509_certificate
    try:
        if pem.detect(content):
            ders = [der for name, _, der in pem.unarmor(content, multiple=True) if name == kind]
        else:
            ders = [content]
        for der in ders:
            parse(der)
    except (ValueError, TypeError):
        return []
    return ders
