"""Revocation lists and responders' answers: fetched, checked, parsed once, and asked about one certificate.

A national authority's list has a hundred thousand entries and takes a second to walk through with asn1crypto. It is
parsed once a process, and whoever judges a handful of certificates is shown the entries about those, in a list that
is the authority's own, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from asn1crypto import crl, ocsp, pem, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import (
    Certificate,
    ExtendedKeyUsage,
    ExtensionNotFound,
    ReasonFlags,
    load_der_x509_certificate,
    load_der_x509_crl,
)
from cryptography.x509.extensions import CRLReason
from cryptography.x509.ocsp import (
    OCSPCertStatus,
    OCSPRequestBuilder,
    OCSPResponse,
    OCSPResponseStatus,
    load_der_ocsp_response,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing.fetch import download, is_web
from signing.types import TrustServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: The largest list we read: public ones reach a few megabytes.
MAX_CRL_BYTES = 32 * 1024 * 1024
_MAX_OCSP_BYTES = 64 * 1024
#: Lists kept parsed in a process; their bytes are shared with whoever gave them.
_KEPT_LISTS = 32
#: A list up to this long is shown whole: there is nothing to save.
_SHORT = 200
_SHORT_BYTES = 16 * 1024
#: Answers about authorities kept in a process.
_KEPT_ANSWERS = 64
#: How far the clocks of an authority and ours may differ.
CLOCK_SKEW = timedelta(minutes=5)
#: The same for a list, as the validator takes it: `signing.trust` gives it as much.
_TICK = timedelta(minutes=1)
#: An answer as young as this needs no new question: the timer asks more often.
FRESH = timedelta(minutes=5)
#: How long evidence has to last on, so that the timestamp that proves it comes in time: three tries of 180 s.
LASTS = timedelta(minutes=10)


@dataclass(frozen=True)
class Revoked:
    """When and why a certificate stopped counting. `held` is certificateHold: it may come back."""

    at: datetime
    reason: str
    held: bool


class _Entries(crl.RevokedCertificates):  # type: ignore[misc]  # asn1crypto is untyped
    """The entries of a list, of which only those are shown that somebody asked for."""

    shown: Sequence[crl.RevokedCertificate] | None = None

    def __iter__(self) -> Iterator[crl.RevokedCertificate]:
        return super().__iter__() if self.shown is None else iter(self.shown)


class _Body(crl.TbsCertList):  # type: ignore[misc]
    _fields: ClassVar[list[Any]] = [
        (name, _Entries if name == "revoked_certificates" else kind, *rest)
        for name, kind, *rest in crl.TbsCertList._fields
    ]


class _List(crl.CertificateList):  # type: ignore[misc]
    _fields: ClassVar[list[Any]] = [("tbs_cert_list", _Body), *crl.CertificateList._fields[1:]]


class RevocationList:
    """A list, parsed. Make it with `parsed`, which does so once."""

    def __init__(self, der: bytes) -> None:
        self.der = der
        self._quick = load_der_x509_crl(der)
        listed = crl.CertificateList.load(der)
        body = listed["tbs_cert_list"]
        self.issuer: x509.Name = listed.issuer
        self.made: datetime = body["this_update"].native
        self.ends: datetime | None = body["next_update"].native
        named = listed.authority_key_identifier_value
        self._key = named["key_identifier"].native if named is not None else None
        point = listed.issuing_distribution_point_value
        #: Entries may be about another authority's certificates: then nothing is left out.
        self._indirect = bool(point is not None and point["indirect_crl"].native)

    @cached_property
    def serials(self) -> frozenset[int]:
        """Serial numbers of everybody on the list."""
        return frozenset(entry.serial_number for entry in self._quick)

    @property
    def short(self) -> bool:
        """Whether it is no burden in a file."""
        return len(self.der) <= _SHORT_BYTES

    def in_force(self, moment: datetime) -> bool:
        """Whether the list itself says that it counts at that moment."""
        return self.made <= moment + _TICK and self.ends is not None and moment < self.ends

    def speaks_for(self, subject: x509.Certificate, issuer: x509.Certificate) -> bool:
        """Whether this is the list for `subject`. Two authorities of one name are told apart by their keys."""
        if self.issuer != subject.issuer:
            return False
        return self._key is None or issuer.key_identifier is None or self._key == issuer.key_identifier

    def find(self, serial: int) -> Revoked | None:
        """What the list says of a serial number."""
        if serial not in self.serials:
            return None
        entry = self._quick.get_revoked_certificate_by_serial_number(serial)
        if entry is None:  # it is among the serials
            raise AssertionError
        try:
            reason = entry.extensions.get_extension_for_class(CRLReason).value.reason
        except (ExtensionNotFound, ValueError):
            reason = ReasonFlags.unspecified
        return Revoked(entry.revocation_date_utc, reason.value, held=reason is ReasonFlags.certificate_hold)

    def about(self, serials: Iterable[int]) -> crl.CertificateList:
        """The same list, byte for byte, showing whoever walks through it only the entries about these certificates."""
        listed = _List.load(self.der)
        if len(self.serials) <= _SHORT or self._indirect:
            return listed
        entries = listed["tbs_cert_list"]["revoked_certificates"]
        entries.shown = tuple(self._entry(serial) for serial in serials if serial in self.serials)
        return listed

    def _entry(self, serial: int) -> crl.RevokedCertificate:
        found = self._quick.get_revoked_certificate_by_serial_number(serial)
        if found is None:
            raise AssertionError
        reason = self.find(serial)
        fields: dict[str, Any] = {
            "user_certificate": serial,
            "revocation_date": x509.Time({"general_time": found.revocation_date_utc}),
        }
        if reason is not None and reason.reason != ReasonFlags.unspecified.value:
            told = crl.CRLReason(_REASON_WORDS[reason.reason])
            fields["crl_entry_extensions"] = [crl.CRLEntryExtension({"extn_id": "crl_reason", "extn_value": told})]
        return crl.RevokedCertificate(fields)


#: cryptography's words for a reason to asn1crypto's.
_REASON_WORDS = {
    "keyCompromise": "key_compromise",
    "cACompromise": "ca_compromise",
    "affiliationChanged": "affiliation_changed",
    "superseded": "superseded",
    "cessationOfOperation": "cessation_of_operation",
    "certificateHold": "certificate_hold",
    "privilegeWithdrawn": "privilege_withdrawn",
    "aACompromise": "aa_compromise",
    "removeFromCRL": "remove_from_crl",
}


@lru_cache(maxsize=_KEPT_LISTS)
def parsed(der: bytes) -> RevocationList:
    """A list (DER), parsed once for as long as the process uses it.

    Raises:
        ValueError, TypeError: It isn't one.
    """
    return RevocationList(der)


def crl_urls(certificates: Iterable[bytes]) -> tuple[str, ...]:
    """List where the revocation lists for these certificates (DER) are published: http and https, each once."""
    urls = (url for der in certificates for url in published_at(x509.Certificate.load(der)))
    return tuple(dict.fromkeys(urls))


def published_at(certificate: x509.Certificate) -> list[str]:
    """Where the list that speaks for a certificate is published."""
    points = [point["distribution_point"] for point in certificate.crl_distribution_points]
    names = [general for name in points if name.name == "full_name" for general in name.chosen]
    urls = [general.native for general in names if general.name == "uniform_resource_identifier"]
    return [url for url in urls if is_web(url)]


def publishers(url: str, known: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those of the known certificates (DER) whose list belongs at this address: who issued what names it."""
    certificates = {der: x509.Certificate.load(der) for der in known}
    names = {one.issuer.hashable for one in certificates.values() if url in published_at(one)}
    return tuple(der for der, one in certificates.items() if one.subject.hashable in names)


def fetch_crl(
    url: str, *, publishers: Iterable[bytes], timeout: float = 20.0, hosts: Mapping[str, str] | None = None
) -> bytes:
    """Fetch a revocation list and check that an authority we know signed it and that it is in force. DER.

    Args:
        url: http or https, from a certificate we registered.
        publishers: Certificates (DER) of those who may have signed it.
        timeout: Seconds for the whole exchange.
        hosts: As for `signing.hosts.reached_at`.

    Raises:
        TrustServiceUnavailable: No answer, too large, signed by a stranger, or out of date.
    """
    content = download("GET", url, timeout=timeout, limit=MAX_CRL_BYTES, hosts=hosts)
    try:
        der = pem.unarmor(content)[2] if pem.detect(content) else content
        fetched = load_der_x509_crl(der)
        issuers = [load_der_x509_certificate(c) for c in publishers]
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


# --- responders ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What a responder said of one certificate, checked: signed by its issuer or by whom the issuer named for it.

    Attributes:
        revoked: When and why, or None: it is good.
        made, ends: The answer counts from and before these; `ends` is never missing.
    """

    der: bytes
    serial: int
    revoked: Revoked | None
    made: datetime
    ends: datetime

    def in_force(self, moment: datetime) -> bool:
        """Whether it counts at that moment."""
        return self.made <= moment + CLOCK_SKEW and moment < self.ends

    def fresh(self, moment: datetime) -> bool:
        """Whether it is so young that nobody needs to be asked again, and lasts beyond the timestamp to come."""
        return moment - self.made < FRESH and self.ends - moment > LASTS


def read_answer(der: bytes, subject: bytes, issuer: bytes) -> Answer | None:
    """An answer (DER) about `subject`, if it is one: well signed, about this very certificate, and good or revoked.

    Args:
        subject, issuer: Certificates, DER.
    """
    try:
        said = load_der_ocsp_response(der)
        if said.response_status is not OCSPResponseStatus.SUCCESSFUL:
            return None
        about, authority = load_der_x509_certificate(subject), load_der_x509_certificate(issuer)
        ends = said.next_update_utc
        if said.serial_number != about.serial_number or ends is None or not _names(said, authority):
            return None
        if not any(_signed(said, one) for one in _may_answer(said, authority)):
            return None
        if said.certificate_status is OCSPCertStatus.GOOD:
            revoked = None
        elif said.certificate_status is OCSPCertStatus.REVOKED and said.revocation_time_utc is not None:
            reason = said.revocation_reason or ReasonFlags.unspecified
            revoked = Revoked(said.revocation_time_utc, reason.value, held=reason is ReasonFlags.certificate_hold)
        else:
            return None
        return Answer(der, said.serial_number, revoked, said.this_update_utc, ends)
    except (ValueError, TypeError, NotImplementedError):
        return None


def _names(said: OCSPResponse, authority: Certificate) -> bool:
    """Whether the answer is about a certificate of this authority: the same number may be another's, too."""
    builder = OCSPRequestBuilder().add_certificate(authority, authority, said.hash_algorithm)
    return builder.build().issuer_key_hash == said.issuer_key_hash


def _may_answer(said: OCSPResponse, authority: Certificate) -> Iterator[Certificate]:
    """The authority itself, and whoever it issued a certificate for answering (RFC 6960, 4.2.2.2) that isn't over."""
    yield authority
    for one in said.certificates:
        try:
            usage = one.extensions.get_extension_for_class(ExtendedKeyUsage).value
            one.verify_directly_issued_by(authority)
        except (ExtensionNotFound, InvalidSignature, ValueError, TypeError):
            continue
        in_time = one.not_valid_before_utc - CLOCK_SKEW <= said.this_update_utc < one.not_valid_after_utc
        if ExtendedKeyUsageOID.OCSP_SIGNING in usage and in_time:
            yield one


def _signed(said: OCSPResponse, by: Certificate) -> bool:
    key, digest = by.public_key(), said.signature_hash_algorithm
    try:
        match key:
            case rsa.RSAPublicKey() if digest is not None:
                scheme: Any = padding.PKCS1v15()
                if said.signature_algorithm_oid.dotted_string == "1.2.840.113549.1.1.10":
                    scheme = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
                key.verify(said.signature, said.tbs_response_bytes, scheme, digest)
            case ec.EllipticCurvePublicKey() if digest is not None:
                key.verify(said.signature, said.tbs_response_bytes, ec.ECDSA(digest))
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                key.verify(said.signature, said.tbs_response_bytes)
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def ask(
    subject: bytes,
    issuer: bytes,
    *,
    timeout: float = 10.0,
    hosts: Mapping[str, str] | None = None,
) -> Answer | None:
    """Ask the responder that a certificate of ours names; None when it names none or nobody gives a usable answer.

    Args:
        subject, issuer: Certificates, DER.
        timeout: Seconds for each address.
    """
    certificate = x509.Certificate.load(subject)
    urls = [url for url in certificate.ocsp_urls if is_web(url)]
    if not urls:
        return None
    now = datetime.now(UTC)
    name = SHA1()  # noqa: S303  a name, not a proof; the only one every responder understands
    about, authority = load_der_x509_certificate(subject), load_der_x509_certificate(issuer)
    question = OCSPRequestBuilder().add_certificate(about, authority, name).build().public_bytes(Encoding.DER)
    for url in urls:
        try:
            content = download("POST", url, timeout=timeout, limit=_MAX_OCSP_BYTES, content=question, hosts=hosts)
        except TrustServiceUnavailable:
            continue
        answer = read_answer(content, subject, issuer)
        if answer is not None and answer.in_force(now):
            return answer
    return None


#: What responders said of authorities, for `ask_seldom`; read again, so that threads may share it.
_SAID: dict[bytes, Answer] = {}


def ask_seldom(
    subject: bytes, issuer: bytes, *, timeout: float = 10.0, hosts: Mapping[str, str] | None = None
) -> Answer | None:
    """As `ask`, but what was answered a few minutes ago still counts: for authorities, met at every signature."""
    known = said(subject)
    if known is not None and known.fresh(datetime.now(UTC)):
        return known
    answer = ask(subject, issuer, timeout=timeout, hosts=hosts)
    if answer is not None:
        if len(_SAID) >= _KEPT_ANSWERS:
            _SAID.clear()
        _SAID[subject] = answer
    return answer


def said(subject: bytes) -> Answer | None:
    """What was last answered about an authority in this process."""
    return _SAID.get(subject)


def responders(answers: Iterable[ocsp.OCSPResponse]) -> Iterator[x509.Certificate]:
    """Certificates that answers bring along."""
    for answer in answers:
        if answer["response_status"].native == "successful":
            yield from answer.basic_ocsp_response["certs"] or ()
