"""Renew the evidence of a document before it ends, so that it can be checked for as long as it is kept.

What proves the time of everything in a B-LTA document is its newest document timestamp, and that counts for as long as
its authority's certificate does and its digest is strong. Before that ends, the authority's own standing is put into
the document and a new timestamp over all of it: from then on the old one is proven by the new one (ETSI EN 319 142-1,
5.5; RFC 4998). No key of ours is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from asn1crypto import cms
from pyhanko.pdf_utils.reader import PdfFileReader

from signing.augment import add_evidence, authorities, growing
from signing.timestamp import authority_of
from signing.trust import timestamp_authority_standing
from signing.types import SigningRefused, Verdict
from signing.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from signing.timestamp import Timestamper
    from signing.trust import TrustStore
    from signing.types import FileVerdict

#: Digests that prove nothing any more, however long the certificate counts.
_WEAK = {"md5", "sha1"}
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Evidence:
    """What keeps a document provable.

    Attributes:
        stamped_at: When its newest document timestamp was made; None when it has none.
        ends: From when on that proves nothing by itself: its authority's certificate ends, or an issuer's. A weak
            digest, or none at all, ended already.
    """

    stamped_at: datetime | None
    ends: datetime


def evidence_of(file: Path, trust: TrustStore, *, at: datetime | None = None) -> Evidence:
    """How long a document that verifies now can be checked by what is in it.

    Raises:
        SigningRefused: Its newest timestamp is nobody's we trust; or "unreadable_pdf".
    """
    token = _newest_token(file)
    if token is None:
        return Evidence(None, datetime.min.replace(tzinfo=UTC))
    certificate, others = authority_of(token)
    said = token["content"]["encap_content_info"]["content"].parsed
    stamped: datetime = said["gen_time"].native
    if said["message_imprint"]["hash_algorithm"]["algorithm"].native in _WEAK:
        return Evidence(stamped, stamped)
    standing = timestamp_authority_standing(certificate, trust, extra=others, at=at, fetch=False)
    below_the_anchor = list(standing.path.iter_certs(include_root=True))[1:]
    return Evidence(stamped, min(one.not_valid_after for one in below_the_anchor))


def renew(
    source: Path,
    target: Path,
    *,
    trust: TrustStore,
    timestamper: Timestamper,
    at: datetime | None = None,
) -> Evidence:
    """Write `source` to `target` with the standing of its newest timestamp's authority and a new timestamp over all.

    Before, all of it has to verify: what is broken today a new timestamp would only preserve. Afterwards the renewed
    document has to verify today, and on the day after the old evidence has ended (with today's lists: nobody has those
    of that day yet).

    Args:
        source: A B-LTA document of ours.
        target: May exist; is replaced, whole or not at all. It begins with all of `source`.
        trust: Registered anchors and cached lists.
        timestamper: Its authority's certificate should end later than the old one's.
        at: Another moment than now, for tests and for nothing else.

    Returns:
        The new evidence.

    Raises:
        SigningRefused: "not_genuine": the document doesn't verify; "not_prolonged": the new timestamp wouldn't
            prove more than the old; or its authority doesn't count with us. Nothing was written.
        TrustServiceUnavailable: Nobody told the time, or a needed list couldn't be fetched; try again later.
        OSError: The disk refused.
    """
    moment = at or datetime.now(UTC)
    _require_genuine(verify(source, trust=trust, at=at, max_bytes=None))
    token = _newest_token(source)
    before = evidence_of(source, trust, at=at)
    renewed = target.with_name(f".{target.name}.renewed")
    try:
        with growing(source, renewed) as (file, _):
            proofs = authorities([token], trust, at) if token is not None else []
            add_evidence(file, proofs, trust, timestamper, at)
        after = evidence_of(renewed, trust, at=at)
        if after.ends <= before.ends:
            raise SigningRefused("not_prolonged", "Dấu thời gian mới không kéo dài được bằng chứng. Tệp cũ còn nguyên.")
        _require_genuine(verify(renewed, trust=trust, at=at, max_bytes=None))
        later, ahead = max(moment, before.ends + _A_DAY), replace(trust, looks_ahead=True)
        _require_genuine(verify(renewed, trust=ahead, at=later, max_bytes=None))
        renewed.replace(target)
    finally:
        renewed.unlink(missing_ok=True)
    return after


def _newest_token(file: Path) -> cms.ContentInfo | None:
    """The newest document timestamp in a file."""
    try:
        with file.open("rb") as stream:
            stamps = PdfFileReader(stream).embedded_timestamp_signatures
            newest = max(stamps, key=lambda one: one.signed_revision, default=None)
            return None if newest is None else cms.ContentInfo.load(newest.pkcs7_content)
    except OSError:
        raise
    except Exception as error:  # the parser raises whatever a broken file provokes
        raise SigningRefused("unreadable_pdf", "Tệp không đọc được nên không gia hạn được bằng chứng.") from error


def _require_genuine(found: FileVerdict) -> None:
    if found.verdict is not Verdict.GENUINE:
        raise SigningRefused("not_genuine", ",".join(found.reasons) or found.verdict)
