"""Everything about a certificate is said before its key is touched, by the same rules as signing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from signing.examination import Source, Status, examine, warning_of
from signing.trust import Term
from signing.types import StoreName
from tests.big_list import long_list
from tests.pki import CLERK, EXPIRED, LEADER, NOT_YET, WEAK, WRONG_USAGE, running_pki

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pki import Pki


def test_a_good_certificate_is_told_with_path_store_source_and_days(pki: Pki) -> None:
    trust = replace(pki.store(), terms=(Term(pki.trust.anchor_der, StoreName.CIPHER),))
    now = datetime.now(UTC)
    found = examine(pki.trust.certificate_der(LEADER.id), trust, now=now)
    assert found.usable
    assert (found.status, found.source, found.store) == (Status.GOOD, Source.LIST, StoreName.CIPHER)
    assert found.source_made is not None
    assert timedelta(0) <= now - found.source_made < timedelta(minutes=5)
    assert (len(found.chain), found.chain[-1]) == (3, LEADER.name)
    assert found.facts.organization == LEADER.organization
    assert found.days_left == (found.facts.valid_to - now).days
    assert "non_repudiation" in found.usage
    assert found.why == found.refusal == ""


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        (EXPIRED, "certificate_expired"),
        (NOT_YET, "certificate_not_yet_valid"),
        (WRONG_USAGE, "wrong_key_usage"),
        (WEAK, "weak_key"),
    ],
)
def test_what_signing_would_refuse_is_said_with_its_reason(pki: Pki, who: object, refusal: str) -> None:
    found = examine(pki.trust.certificate_der(who.id), pki.store(), now=datetime.now(UTC))  # type: ignore[attr-defined]
    if who is WEAK:
        assert found.facts.weak  # keys of this length are refused when they are opened
        return
    assert (found.usable, found.refusal) == (False, refusal)
    assert "Chưa có gì được ký" in found.why


def test_a_stranger_and_a_status_nobody_tells_are_no_good(pki: Pki, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    unknown = examine(pki.trust.certificate_der(CLERK.id), pki.store().with_crls(()), now=now)
    assert (unknown.usable, unknown.refusal, unknown.status) == (False, "", Status.UNKNOWN)
    with running_pki(tmp_path / "other", (CLERK,)) as other:
        stranger = examine(other.trust.certificate_der(CLERK.id), pki.store(), now=now)
    assert (stranger.usable, stranger.refusal, stranger.chain) == (False, "untrusted_issuer", ())


def test_revoked_suspended_and_freshly_asked(tmp_path: Path) -> None:
    with running_pki(tmp_path / "pki", (CLERK,)) as pki:
        der, now = pki.trust.certificate_der(CLERK.id), datetime.now(UTC)
        asked = examine(der, pki.store().with_crls((pki.trust.crl("root"), long_list(pki, 2000))), now=now, fetch=True)
        assert (asked.status, asked.source) == (Status.GOOD, Source.RESPONDER)
        pki.trust.revoke(CLERK.id, at=now - timedelta(hours=1), reason="certificate_hold")
        assert examine(der, pki.store(), now=datetime.now(UTC)).status is Status.SUSPENDED
        pki.trust.revoke(CLERK.id, at=now - timedelta(hours=2))
        assert examine(der, pki.store(), now=datetime.now(UTC)).status is Status.REVOKED


def test_warnings_come_60_30_14_7_and_1_days_before_the_end() -> None:
    steps = {61: None, 60: 60, 31: 60, 30: 30, 15: 30, 14: 14, 8: 14, 7: 7, 2: 7, 1: 1, 0: 1, -3: 1}
    assert {days: warning_of(days) for days in steps} == steps
