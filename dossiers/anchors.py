"""Whom the office trusts: anchors that one administrator adds and another confirms, in three stores, with dates.

An anchor makes every certificate below it count, so nobody adds one alone. Nothing is deleted: what ends keeps its
dates, and what was signed and time-stamped while the trust held is judged by it for ever.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003  the fields are read at run time by whoever walks these dataclasses
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from dossiers.policy import Act, require
from dossiers.types import Actor, Duplicate, Incomplete, NotAllowed, OfficeError, Role, WrongState
from signing import certificates
from signing.trust import Term
from signing.types import StoreName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dossiers.ports import Begin

#: In whose name a demo centre is filled.
_DEMO = Actor(None, "demo", "Demo", "", frozenset({Role.ADMINISTRATOR}))


class FingerprintDiffers(OfficeError):
    """What was typed isn't the fingerprint of the certificate that waits: it may be another one. Nothing is trusted."""


class NoAuthority(OfficeError):
    """The certificate can't be an anchor: it belongs to no authority, or its key is too short."""


class AnchorState(StrEnum):
    """Where an anchor stands. Only a second administrator leads from the first to the second."""

    PROPOSED = "proposed"
    TRUSTED = "trusted"
    REFUSED = "refused"
    RETIRED = "retired"


@dataclass(frozen=True)
class TrustAnchor:
    """One decision to trust a certificate, from its proposal to its end. A later decision is another one.

    Attributes:
        sha256: Lower-case hex of the DER certificate: the fingerprint that the second administrator compares.
        trusted_from, trusted_to: The trust holds for what existed from then on, and before then; None: no end is set.
        broken: It ended because the authority's keys may be in other hands.
        reason: Why it is to be trusted: where the certificate was taken from, which decision names it.
        proposed_by, confirmed_by, ended_by: Usernames.
        ended_by, ended_at, end_reason: Of the refusal or the end of trust.
        demo: Of a demo trust service.
    """

    id: UUID
    store: StoreName
    sha256: str
    der: bytes
    state: AnchorState
    trusted_from: datetime
    trusted_to: datetime | None
    reason: str
    proposed_by: str
    proposed_at: datetime
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    broken: bool = False
    ended_by: str = ""
    ended_at: datetime | None = None
    end_reason: str = ""
    demo: bool = False
    version: int = 0

    @cached_property
    def facts(self) -> certificates.Facts:
        """What the certificate says of itself."""
        return certificates.facts(self.der)

    @property
    def term(self) -> Term:
        """As the verifier takes it."""
        return Term(self.der, self.store, since=self.trusted_from, until=self.trusted_to, broken=self.broken)

    def counts(self, now: datetime) -> bool:
        """Whether it vouches for what is signed now."""
        confirmed = self.state in {AnchorState.TRUSTED, AnchorState.RETIRED}
        return confirmed and self.term.covers(now, seen_from=now)

    def confirm(self, fingerprint: str, *, by: Actor, now: datetime) -> TrustAnchor:
        """The second administrator vouches for the fingerprint.

        Raises:
            WrongState: It waits for nobody's confirmation.
            NotAllowed: The one who added it can't confirm it.
            FingerprintDiffers: The fingerprint is another one's.
        """
        if self.state is not AnchorState.PROPOSED:
            raise WrongState(self.state.value)
        if by.username == self.proposed_by:
            raise NotAllowed("same_person")
        if certificates.typed_fingerprint(fingerprint) != self.sha256:
            raise FingerprintDiffers
        return replace(self, state=AnchorState.TRUSTED, confirmed_by=by.username, confirmed_at=now)

    def end(self, reason: str, *, at: datetime, broken: bool, by: Actor, now: datetime) -> TrustAnchor:
        """Refuse what isn't confirmed; end the trust in what is, from `at` on. An end may only come nearer.

        Raises:
            WrongState: It was refused before, or its trust ends no later already.
        """
        ended = replace(self, ended_by=by.username, ended_at=now, end_reason=reason)
        match self.state:
            case AnchorState.PROPOSED:
                return replace(ended, state=AnchorState.REFUSED)
            case AnchorState.REFUSED:
                raise WrongState(self.state.value)
        worse = broken and not self.broken
        if self.trusted_to is not None and at > self.trusted_to:
            at = self.trusted_to
        if self.state is AnchorState.RETIRED and at == self.trusted_to and not worse:
            raise WrongState(self.state.value)
        return replace(ended, state=AnchorState.RETIRED, trusted_to=at, broken=self.broken or broken)


def propose(
    begin: Begin,
    der: bytes,
    *,
    store: StoreName,
    reason: str,
    trusted_from: datetime | None = None,
    trusted_to: datetime | None = None,
    by: Actor,
    now: datetime,
    demo: bool = False,
) -> TrustAnchor:
    """Add an anchor, root or intermediate, that a second administrator has to confirm before it counts.

    Args:
        der: The certificate.
        trusted_from: By default from the beginning of the certificate.
        trusted_to: For a root that is only to be trusted until a day.

    Raises:
        NotAllowed: `by` is no administrator.
        Incomplete: No reason is given, or the trust would end before it begins.
        NoAuthority: The certificate can't be an anchor; the message says why.
        Duplicate: It waits already, or is trusted already.
    """
    require(by, Act.KEEP_TRUST)
    facts = _fit(der)
    since = trusted_from or facts.valid_from
    missing = [] if reason.strip() else ["reason"]
    missing += ["trusted_to"] if trusted_to is not None and trusted_to <= since else []
    if missing:
        raise Incomplete(", ".join(missing), tuple(missing))
    anchor = TrustAnchor(
        id=uuid.uuid4(),
        store=store,
        sha256=facts.sha256,
        der=der,
        state=AnchorState.PROPOSED,
        trusted_from=since,
        trusted_to=trusted_to,
        reason=reason.strip(),
        proposed_by=by.username,
        proposed_at=now,
        demo=demo,
    )
    with begin() as work:
        live = [one for one in work.trust.anchors() if one.sha256 == facts.sha256 and _live(one)]
        if live:
            raise Duplicate(facts.sha256, of=str(live[0].id))
        kept = work.trust.keep_anchor(anchor)
        work.audit.append(by, "anchor.proposed", kept.id, sha256=kept.sha256, store=store.value)
        return kept


def confirm(begin: Begin, anchor_id: UUID, *, fingerprint: str, by: Actor, now: datetime) -> TrustAnchor:
    """The second administrator confirms the fingerprint, as taken from the authority itself; from then on it counts.

    Raises:
        NotFound: There is no such anchor.
        NotAllowed, WrongState, FingerprintDiffers: As for `TrustAnchor.confirm`.
    """
    require(by, Act.KEEP_TRUST)
    try:
        with begin() as work:
            anchor = work.trust.anchor(anchor_id)
            kept = work.trust.keep_anchor(anchor.confirm(fingerprint, by=by, now=now))
            work.audit.append(by, "anchor.confirmed", kept.id, sha256=kept.sha256, store=kept.store.value)
            return kept
    except FingerprintDiffers:
        with begin() as work:
            work.audit.append(by, "anchor.fingerprint_differs", anchor_id)
        raise


def end(
    begin: Begin,
    anchor_id: UUID,
    *,
    reason: str,
    at: datetime | None = None,
    broken: bool = False,
    by: Actor,
    now: datetime,
) -> TrustAnchor:
    """Refuse an anchor that waits, or end the trust in one. One administrator is enough: it only takes trust away.

    Args:
        at: From when on nothing new counts; by default from now on. For keys in other hands it may lie in the past.

    Raises:
        NotFound: There is no such anchor.
        Incomplete: No reason is given.
        WrongState: As for `TrustAnchor.end`.
    """
    require(by, Act.KEEP_TRUST)
    if not reason.strip():
        raise Incomplete("reason", ("reason",))
    with begin() as work:
        anchor = work.trust.anchor(anchor_id)
        ended = anchor.end(reason.strip(), at=at or now, broken=broken, by=by, now=now)
        kept = work.trust.keep_anchor(ended)
        if kept.state is AnchorState.REFUSED:
            work.audit.append(by, "anchor.refused", kept.id, sha256=kept.sha256)
        else:
            until = kept.trusted_to.isoformat() if kept.trusted_to else ""
            work.audit.append(by, "anchor.retired", kept.id, sha256=kept.sha256, until=until, broken=kept.broken)
        return kept


def every(begin: Begin) -> Sequence[TrustAnchor]:
    """All there ever were, by store; in each the newest decision first."""
    with begin() as work:
        return work.trust.anchors()


def install_demo(begin: Begin, ders: Sequence[bytes], *, now: datetime) -> None:
    """The demo's own door: its anchors count at once, in the centre's store, and stay marked as demo for ever.

    A production instance refuses a database that has ever had one.
    """
    with begin() as work:
        known = {anchor.sha256 for anchor in work.trust.anchors()}
        for der in ders:
            facts = _fit(der)
            if facts.sha256 in known:
                continue
            anchor = TrustAnchor(
                id=uuid.uuid4(),
                store=StoreName.CENTRE,
                sha256=facts.sha256,
                der=der,
                state=AnchorState.TRUSTED,
                trusted_from=facts.valid_from,
                trusted_to=None,
                reason="Bản demo",
                proposed_by=_DEMO.username,
                proposed_at=now,
                confirmed_by=_DEMO.username,
                confirmed_at=now,
                demo=True,
            )
            work.trust.keep_anchor(anchor)
            work.audit.append(_DEMO, "anchor.demo", anchor.id, sha256=anchor.sha256)


def _fit(der: bytes) -> certificates.Facts:
    """The facts of a certificate that may be an anchor."""
    try:
        facts = certificates.facts(der)
    except certificates.NotACertificate as error:
        raise NoAuthority(str(error)) from error
    if not facts.is_authority:
        raise NoAuthority(f"{facts.subject} không phải cơ quan chứng thực")
    if facts.weak:
        raise NoAuthority(f"khóa của {facts.subject} quá ngắn ({facts.key})")
    return facts


def _live(anchor: TrustAnchor) -> bool:
    return anchor.state in {AnchorState.PROPOSED, AnchorState.TRUSTED}
