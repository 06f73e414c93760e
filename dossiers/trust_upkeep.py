"""Revocation lists kept fresh by a timer, so that a verdict needs no network and signing doesn't wait for one.

Only the distribution points of certificates an administrator registered are asked; never one that a file names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dossiers.signatures import trusted
from signing import revocation
from signing.types import TrustServiceUnavailable

if TYPE_CHECKING:
    from datetime import datetime

    from dossiers.ports import Begin


def refresh_revocation_lists(begin: Begin, *, now: datetime) -> tuple[str, ...]:
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
            der = revocation.fetch_crl(url, publishers=revocation.publishers(url, certificates))
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
