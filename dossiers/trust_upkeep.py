"""Lists and responders' answers kept fresh by a timer: a verdict needs no network, and signing waits for none.

Only addresses in certificates an administrator registered are asked; never one that a file names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import (
    datetime,
    timedelta,
)
from hashlib import sha256
from typing import TYPE_CHECKING

from asn1crypto import x509

from dossiers.signatures import trusted
from signing import revocation
from signing.types import TrustServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dossiers.ports import Begin

#: How often answers are asked for anew: a little more often than signing would ask itself (`revocation.FRESH`).
ANSWERS_EVERY = timedelta(minutes=4)
#: When a list or an answer that is still in force is worth a warning: its authority should have made another.
LATE = timedelta(hours=24)


@dataclass(frozen=True)
class KeptList:
    """A revocation list as it lies in the database."""

    url: str
    der: bytes
    fetched_at: datetime


@dataclass(frozen=True)
class KeptAnswer:
    """What a responder said of a certificate (SHA-256 of it), as it lies in the database."""

    certificate: str
    der: bytes
    made: datetime
    ends: datetime
    fetched_at: datetime


@dataclass(frozen=True)
class Evidence:
    """How old what we keep is, for the administrator.

    Attributes:
        about: The address of a list, or the name in the certificate that an answer is about.
        kind: "crl" or "ocsp".
        entries: Of a list.
    """

    about: str
    kind: str
    made: datetime
    ends: datetime | None
    fetched_at: datetime
    entries: int = 0

    def stale(self, now: datetime) -> bool:
        """Whether it is over, or as good as: nobody can be judged by it."""
        return self.ends is None or self.ends <= now

    def late(self, now: datetime) -> bool:
        """Whether it was last fetched so long ago that something is wrong on the way."""
        return now - self.fetched_at > LATE


def refresh_revocation_lists(begin: Begin, *, now: datetime, hosts: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Fetch every list anew, keep those that are genuine, and give back the addresses that failed.

    A list that can't be fetched leaves the one we have in place; it counts for as long as it says itself. So does one
    that is older than ours or another authority's: whoever sits on the way could take a revocation back with it.
    """
    with begin() as work:
        known = trusted(work)
    failed = []
    certificates = (*known.anchors, *known.intermediates)
    for url in revocation.crl_urls(certificates):
        try:
            der = revocation.fetch_crl(url, publishers=revocation.publishers(url, certificates), hosts=hosts)
        except TrustServiceUnavailable:
            failed.append(url)
            continue
        with begin() as work:
            kept = work.trust.crl_at(url)
            if kept is None or revocation.may_replace(kept, der):
                work.trust.keep_crl(url, der, fetched_at=now)
            else:
                failed.append(url)
    return tuple(failed)


def refresh_answers(begin: Begin, *, now: datetime, hosts: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Ask the responders about every certificate in use and every authority; give back whose had nothing to say.

    What is fresh is left alone, so that a timer may call as often as it likes. An answer that can't be had leaves the
    one we keep; it counts until it ends, and bridges an outage.

    Returns:
        Common names in the certificates that nobody answered for.
    """
    with begin() as work:
        known = trusted(work)
        in_use = {record.sha256 for record in work.certificates.all() if record.active}
        kept = {answer.certificate: answer for answer in work.trust.kept_answers()}
    everyone = {der: x509.Certificate.load(der) for der in (*known.anchors, *known.intermediates)}
    failed = []
    for der, certificate in everyone.items():
        named = sha256(der).hexdigest()
        last = kept.get(named)
        if not certificate.ocsp_urls or not (named in in_use or certificate.ca):
            continue
        if last is not None and now - last.made < ANSWERS_EVERY and last.ends - now > revocation.LASTS:
            continue
        issuers = [other for other, one in everyone.items() if one.subject == certificate.issuer]
        answers = (revocation.ask(der, issuer, hosts=hosts) for issuer in issuers)
        answer = next((one for one in answers if one is not None), None)
        if answer is None:
            failed.append(str(certificate.subject.native.get("common_name", named[:16])))
            continue
        with begin() as work:
            work.trust.keep_answer(KeptAnswer(named, answer.der, answer.made, answer.ends, now))
    return tuple(failed)


def evidence(begin: Begin) -> Sequence[Evidence]:
    """How old every list and every answer is."""
    with begin() as work:
        lists, answers = work.trust.kept_lists(), work.trust.kept_answers()
        names = {sha256(der).hexdigest(): x509.Certificate.load(der) for der in work.trust.intermediates()}
    found = []
    for one in lists:
        listed = revocation.parsed(one.der)
        found.append(Evidence(one.url, "crl", listed.made, listed.ends, one.fetched_at, len(listed.serials)))
    for said in answers:
        certificate = names.get(said.certificate)
        about = said.certificate[:16] if certificate is None else str(certificate.subject.native.get("common_name", ""))
        found.append(Evidence(about, "ocsp", said.made, said.ends, said.fetched_at))
    return found
