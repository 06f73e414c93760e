"""Whom we trust and what their revocation lists say.

A `TrustStore` is what somebody in charge registered, plus lists fetched for it; it never grows by what an
uploaded file carries. Addresses to fetch from come from the certificates of our own signers and authorities,
never from a document under examination.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import httpx2
from asn1crypto import crl, ocsp, pem, x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, load_der_x509_crl
from cryptography.x509.ocsp import OCSPRequestBuilder
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

from signing.types import SigningRefused, TrustServiceUnavailable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pyhanko_certvalidator.path import ValidationPath

    from signing.types import StoreName

#: The largest list we read: public ones reach a few megabytes.
MAX_CRL_BYTES = 32 * 1024 * 1024
_MAX_OCSP_BYTES = 64 * 1024
#: How far the clocks of an authority and ours may differ when a list was made this minute.
_CLOCK_SKEW = timedelta(minutes=1)


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
    """

    anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    terms: tuple[Term, ...] = ()

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
    """

    certificate: x509.Certificate
    path: ValidationPath
    crls: tuple[crl.CertificateList, ...]
    ocsps: tuple[ocsp.OCSPResponse, ...]
    known: bool
    silent: TrustServiceUnavailable | None = None


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


def crl_urls(certificates: Iterable[bytes]) -> tuple[str, ...]:
    """List where the revocation lists for these certificates (DER) are published: http and https, each once."""
    urls = (url for der in certificates for url in _published_at(x509.Certificate.load(der)))
    return tuple(dict.fromkeys(urls))


def publishers(url: str, known: TrustStore) -> TrustStore:
    """Those whose list belongs at this address: the issuers of the certificates that name it."""
    certificates = {der: x509.Certificate.load(der) for der in (*known.anchors, *known.intermediates)}
    names = {one.issuer.hashable for one in certificates.values() if url in _published_at(one)}
    return TrustStore(anchors=tuple(der for der, one in certificates.items() if one.subject.hashable in names))


def fetch_crl(url: str, *, known: TrustStore, timeout: float = 20.0) -> bytes:
    """Fetch a revocation list and check that an authority we know signed it and that it is in force. DER.

    Args:
        url: http or https, from a certificate we registered.
        known: Its anchors and intermediates may sign lists.
        timeout: Seconds for the whole exchange.

    Raises:
        TrustServiceUnavailable: No answer, too large, signed by a stranger, or out of date.
    """
    content = _download("GET", url, timeout=timeout, limit=MAX_CRL_BYTES)
    try:
        der = pem.unarmor(content)[2] if pem.detect(content) else content
        fetched = load_der_x509_crl(der)
        issuers = [load_der_x509_certificate(c) for c in (*known.anchors, *known.intermediates)]
        named = [issuer for issuer in issuers if issuer.subject == fetched.issuer]
        signed = any(fetched.is_signature_valid(issuer.public_key()) for issuer in named)  # type: ignore[arg-type]
        ends = fetched.next_update_utc
    except (ValueError, TypeError) as error:
        raise TrustServiceUnavailable(f"Danh sách thu hồi tại {url} không đọc được.") from error
    if not signed:
        raise TrustServiceUnavailable(f"Danh sách thu hồi tại {url} không do cơ quan chứng thực đã biết ký.")
    if ends is None or ends <= datetime.now(UTC):
        raise TrustServiceUnavailable(f"Danh sách thu hồi tại {url} đã quá hạn.")
    return bytes(der)


def may_replace(kept: bytes, fetched: bytes) -> bool:
    """Whether a fetched list may stand where another was kept: the same authority's, and not an older one (DER).

    Every list an authority ever signed stays well signed, and an old one that is still in force knows nothing of
    whoever was revoked since. So neither the time nor the number (RFC 5280, 5.2.3) may go back; equal is no step back.
    """
    old, new = crl.CertificateList.load(kept), crl.CertificateList.load(fetched)
    if old.issuer != new.issuer or _made(new) < _made(old):
        return False
    before, now = old.crl_number_value, new.crl_number_value
    return before is None or (now is not None and now.native >= before.native)


def _made(listed: crl.CertificateList) -> datetime:
    made: datetime = listed["tbs_cert_list"]["this_update"].native
    return made


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
            "wrong_key_usage", "untrusted_issuer" or "weak_key". Not knowing the status is no refusal here:
            see `Standing.known`.
    """
    signer = x509.Certificate.load(certificate)
    usage = signer.key_usage_value
    if usage is not None and not {"digital_signature", "non_repudiation"} & set(usage.native):
        raise SigningRefused(
            "wrong_key_usage", f"Chứng thư của {_name(signer)} không được cấp để ký số. Chưa có gì được ký."
        )
    extra = tuple(x509.Certificate.load(der) for der in chain)
    return _standing(signer, trust, extra=extra, purpose=set(), at=at, fetch=fetch, ask_ocsp=True, timeout=timeout)


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
    return _standing(
        certificate, trust, extra=extra, purpose={"time_stamping"}, at=at, fetch=fetch, ask_ocsp=False, timeout=timeout
    )


def _standing(
    certificate: x509.Certificate,
    trust: TrustStore,
    *,
    extra: Sequence[x509.Certificate],
    purpose: set[str],
    at: datetime | None,
    fetch: bool,
    ask_ocsp: bool,
    timeout: float,
) -> Standing:
    moment = at or datetime.now(UTC)
    path = _validate(certificate, trust, extra=extra, purpose=purpose, moment=moment)
    links = list(path.iter_certs(include_root=True))
    in_force = tuple(listed for listed in map(crl.CertificateList.load, trust.crls) if _in_force(listed, moment))
    online = fetch and at is None
    silent: list[TrustServiceUnavailable] = []
    responses = [ocsp.OCSPResponse.load(der) for der in trust.ocsps]
    used: dict[bytes, crl.CertificateList] = {}
    unlisted = False
    for issuer, subject in itertools.pairwise(links):
        lists = [listed for listed in in_force if _covers(listed, issuer, subject)]
        if not lists and online:
            lists = _fetch_lists(issuer, subject, timeout=timeout, silent=silent)
        used |= {listed.sha256: listed for listed in lists}
        unlisted = unlisted or not lists
        if online and (not lists or (ask_ocsp and subject is links[-1])):
            responses += _ask_responder(subject, issuer, timeout=timeout)
    lists = list(used.values())
    if lists or responses:
        moment = at or datetime.now(UTC)  # what was just fetched is newer than the question
        try:
            _validate(certificate, trust, extra=extra, purpose=purpose, moment=moment, crls=lists, ocsps=responses)
        except InsufficientRevinfoError:
            pass
        else:
            # Answers of a responder die within the hour; they are kept only where no list speaks.
            return Standing(certificate, path, tuple(lists), tuple(responses) if unlisted else (), known=True)
    return Standing(certificate, path, tuple(lists), (), known=False, silent=silent[0] if silent else None)


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
        trust_roots=[x509.Certificate.load(der) for der in trust.vouching(moment)],
        other_certs=[*(x509.Certificate.load(der) for der in trust.intermediates), *extra],
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


def _in_force(listed: crl.CertificateList, moment: datetime) -> bool:
    body = listed["tbs_cert_list"]
    ends = body["next_update"].native
    return body["this_update"].native <= moment and ends is not None and moment < ends


def _covers(listed: crl.CertificateList, issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    """Whether this list speaks for `subject`. Two authorities of one name are told apart by their keys."""
    if listed.issuer != subject.issuer:
        return False
    named = listed.authority_key_identifier_value
    key = named["key_identifier"].native if named is not None else None
    return key is None or issuer.key_identifier is None or key == issuer.key_identifier


def _published_at(certificate: x509.Certificate) -> list[str]:
    points = [point["distribution_point"] for point in certificate.crl_distribution_points]
    names = [general for name in points if name.name == "full_name" for general in name.chosen]
    urls = [general.native for general in names if general.name == "uniform_resource_identifier"]
    return [url for url in urls if _is_web(url)]


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _fetch_lists(
    issuer: x509.Certificate, subject: x509.Certificate, *, timeout: float, silent: list[TrustServiceUnavailable]
) -> list[crl.CertificateList]:
    """Fetch the list for `subject` from the first place that answers; who doesn't is noted in `silent`."""
    known = TrustStore(anchors=(issuer.dump(),))
    for url in _published_at(subject):
        try:
            return [crl.CertificateList.load(fetch_crl(url, known=known, timeout=timeout))]
        except TrustServiceUnavailable as error:
            silent.append(error)
    return []


def _ask_responder(subject: x509.Certificate, issuer: x509.Certificate, *, timeout: float) -> list[ocsp.OCSPResponse]:
    """Ask the OCSP responder named in the certificate, if any. Whoever doesn't answer is passed over."""
    question = (
        OCSPRequestBuilder()
        .add_certificate(
            load_der_x509_certificate(subject.dump()),
            load_der_x509_certificate(issuer.dump()),
            SHA1(),  # noqa: S303 - a name, not a proof; the only one every responder understands
        )
        .build()
        .public_bytes(Encoding.DER)
    )
    for url in filter(_is_web, subject.ocsp_urls):
        try:
            content = _download("POST", url, timeout=timeout, limit=_MAX_OCSP_BYTES, content=question)
            answer = ocsp.OCSPResponse.load(content)
            if answer["response_status"].native == "successful":
                return [answer]
        except (TrustServiceUnavailable, ValueError):
            continue
    return []


@cache
def tls_context() -> ssl.SSLContext:
    """The public authorities of the web, loaded once: that takes longer than a signature."""
    return httpx2.create_ssl_context()


def _download(method: str, url: str, *, timeout: float, limit: int, content: bytes | None = None) -> bytes:
    """Exchange one message over HTTP, no redirects, not more than `limit` bytes, not longer than `timeout`."""
    if not _is_web(url):
        raise TrustServiceUnavailable(f"Địa chỉ không dùng được: {url}")
    ends = time.monotonic() + timeout
    headers = {"Content-Type": "application/ocsp-request"} if content else {}
    received = bytearray()
    try:
        with httpx2.stream(
            method, url, content=content, headers=headers, timeout=timeout, verify=tls_context()
        ) as reply:
            reply.raise_for_status()
            for piece in reply.iter_bytes():
                received += piece
                if len(received) > limit or time.monotonic() > ends:
                    raise TrustServiceUnavailable(f"{url} trả lời quá dài hoặc quá chậm.")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise TrustServiceUnavailable(
            f"Không hỏi được {url}. Chưa có gì được ký, việc vẫn còn nguyên. Hãy thử lại sau."
        ) from error
    return bytes(received)


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
