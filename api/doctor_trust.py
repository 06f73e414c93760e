"""The doctor's look at signing: who signs, whom we trust, what the clock says, and how old lists and answers are."""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
from asn1crypto import x509

from api.finding import Finding, State
from dossiers import authorities, trust_upkeep
from dossiers.anchors import AnchorState
from dossiers.calendar import VIETNAM
from dossiers.certificate_watch import watched
from dossiers.labels import label
from dossiers.signatures import trusted
from signing import hosts, revocation
from signing.examination import Status
from signing.timestamp import Timestamper
from signing.types import TrustServiceUnavailable
from storage.database import Database
from storage.sole_worker import somebody_works

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.settings import Settings

_CLOCK_TOLERANCE_S = 5.0
_PATIENCE_S = 5.0


def signing_worker(settings: Settings) -> Iterator[Finding]:
    """Whether anybody signs: approved results wait for that one process."""
    subject = "Máy ký · signing worker"
    if not settings.database:
        return
    with psycopg.connect(settings.database, connect_timeout=5) as connection:
        alive = somebody_works(connection)
    if alive:
        yield Finding(subject, State.GOOD, "Tiến trình ký đang chạy.", "The signing worker runs.")
    else:
        yield Finding(
            subject,
            State.BAD,
            "Không có tiến trình ký nào: văn bản đã duyệt nằm chờ, không mất gì.",
            "Nobody signs: what is approved waits, and nothing is lost.",
            "Chạy `hoso worker --signing` (hoặc `hoso up`). (Start it.)",
        )


def timestamps(settings: Settings) -> Iterator[Finding]:
    """Whether each timestamp authority answers, and how far our clock is from its."""
    subject = "Dấu thời gian · TSA"
    if not settings.tsa_urls:
        yield Finding(
            subject,
            State.BAD,
            "Chưa đặt dịch vụ dấu thời gian nào.",
            "No timestamp authority is named.",
            "Đặt HOSO_TSA_URLS. (Set it.)",
        )
    named = hosts.read(settings.host_map)
    for url in settings.tsa_urls:
        began = time.monotonic()
        try:
            asker = Timestamper([url], deadline_s=15, tries=1, hosts=named)
            token = asyncio.run(asker.async_timestamp(hashlib.sha256(b"hoso doctor").digest(), "sha256"))
        except TrustServiceUnavailable:
            yield Finding(
                subject,
                State.BAD,
                f"{url} không trả lời.",
                "It doesn't answer.",
                "Kiểm tra mạng và địa chỉ; việc ký sẽ chờ và tự thử lại. (Signing waits and tries again.)",
            )
            continue
        took = time.monotonic() - began
        yield Finding(subject, State.GOOD, f"{url} trả lời sau {took:.1f} s.", f"Answered in {took:.1f} s.")
        said: datetime = token["content"]["encap_content_info"]["content"].parsed["gen_time"].native
        apart = (datetime.now(UTC) - said).total_seconds()
        if not -_CLOCK_TOLERANCE_S < apart < took + _CLOCK_TOLERANCE_S:
            yield Finding(
                subject,
                State.BAD,
                f"Đồng hồ máy này lệch {abs(apart):.0f} giây so với {url}.",
                f"This machine's clock is {abs(apart):.0f} s off the timestamp authority's.",
                "Bật đồng bộ giờ (NTP). (Turn on NTP.)",
            )


def passed_over(settings: Settings) -> Iterator[Finding]:
    """Which authorities the signing worker passes over for the present, whatever they answer the doctor."""
    if not settings.database:
        return
    with closing(Database(settings.database)) as database:
        noted = authorities.noted(database.begin)
    now = datetime.now(UTC)
    for url in settings.tsa_urls:
        one = noted.get(url)
        if one is not None and one.is_passed_over(now) and one.rests_until is not None:
            again = one.rests_until.astimezone(VIETNAM)
            yield Finding(
                "Máy ký, dấu thời gian · passed over",
                State.DOUBTFUL,
                f"Máy ký đang tạm bỏ qua {url}: {one.failures} lần liên tiếp không trả lời.",
                f"The signing worker passes it over: no answer {one.failures} times in a row.",
                f"Tự hỏi lại từ {again:%H:%M:%S}; còn lâu thì xem mạng. (It asks again by itself.)",
            )


def anchors(settings: Settings) -> Iterator[Finding]:
    """Whether anybody is trusted, and whose confirmation is awaited."""
    subject = "Gốc tin cậy · anchors"
    if not settings.database:
        return
    with closing(Database(settings.database)) as database, database.begin() as work:
        found = work.trust.anchors()
    now = datetime.now(UTC)
    waiting = [anchor for anchor in found if anchor.state is AnchorState.PROPOSED]
    for anchor in waiting:
        yield Finding(
            subject,
            State.DOUBTFUL,
            f"{anchor.facts.subject} chờ quản trị viên thứ hai xác nhận; chưa được tin.",
            "An anchor waits for a second administrator; it isn't trusted yet.",
            f"hoso admin trust confirm {anchor.sha256[:16]} --fingerprint … --as …",
        )
    counting = [anchor for anchor in found if anchor.counts(now)]
    for anchor in counting:
        if anchor.facts.valid_to < now:
            yield Finding(
                subject,
                State.BAD,
                f"Chứng thư gốc {anchor.facts.subject} đã hết hạn.",
                "An anchor's certificate has ended.",
                "Thêm chứng thư mới của nơi cấp. (Add its new one.)",
            )
    if not counting:
        yield Finding(
            subject,
            State.DOUBTFUL,
            "Chưa tin cơ quan chứng thực nào: không chữ ký nào được xác nhận và không ký được.",
            "No authority is trusted: no signature can be confirmed, and nothing can be signed.",
            "hoso admin trust add … rồi người thứ hai confirm. (Add one; a second person confirms it.)",
        )
    elif not waiting:
        yield Finding(
            subject, State.GOOD, f"{len(counting)} gốc đang được tin.", f"{len(counting)} anchors are trusted."
        )


def evidence(settings: Settings) -> Iterator[Finding]:
    """How old lists and answers are, and whether responders answer."""
    subject = "CRL, OCSP"
    if not settings.database:
        return
    with closing(Database(settings.database)) as database:
        kept = trust_upkeep.evidence(database.begin)
        with database.begin() as work:
            known = trusted(work)
            in_use = {record.sha256 for record in work.certificates.all() if record.active}
    now = datetime.now(UTC)
    troubles = 0
    for one in kept:
        if one.stale(now) or one.late(now):
            troubles += 1
            hours = (now - one.fetched_at).total_seconds() / 3600
            vi, en = ("đã quá hạn", "Out of date") if one.stale(now) else ("lâu chưa tải được", "Not fetched for long")
            yield Finding(
                subject,
                State.BAD if one.stale(now) else State.DOUBTFUL,
                f"{one.about}: {vi}, tải lần cuối {hours:.0f} giờ trước.",
                f"{en}; last fetched {hours:.0f} h ago.",
                "Kiểm tra mạng tới địa chỉ đó và tiến trình ký; tên máy nội bộ: HOSO_HOST_MAP. (Check the network.)",
            )
    for host, answers in _responders(known.intermediates, known.anchors, in_use, hosts.read(settings.host_map)).items():
        if not answers:
            troubles += 1
            yield Finding(
                subject,
                State.DOUBTFUL,
                f"Máy trả lời OCSP {host} không trả lời; ký bằng trả lời và danh sách đang giữ.",
                "The OCSP responder is silent; signing goes on with what is kept.",
                "Kiểm tra mạng; tên máy nội bộ: HOSO_HOST_MAP. (Check the network.)",
            )
    if kept and not troubles:
        oldest = max((now - one.fetched_at).total_seconds() for one in kept) / 60
        yield Finding(
            subject,
            State.GOOD,
            f"{len(kept)} danh sách và trả lời còn hiệu lực, cũ nhất tải {oldest:.0f} phút trước.",
            f"{len(kept)} lists and answers count; the oldest was fetched {oldest:.0f} min ago.",
        )


def certificates(settings: Settings) -> Iterator[Finding]:
    """Which signing certificates can't be used, or end soon."""
    subject = "Chứng thư ký · certificates"
    if not settings.database:
        return
    with closing(Database(settings.database)) as database:
        found = watched(database.begin, now=datetime.now(UTC))
    for one in found:
        who = one.record.subject
        if one.found is None:
            yield Finding(
                subject,
                State.BAD,
                f"Không còn tệp chứng thư của {who}.",
                "A certificate is missing.",
                "Nhập lại. (Import it again.)",
            )
        elif one.found.refusal:
            yield Finding(
                subject, State.BAD, f"{who}: {label(one.found.refusal)}", label(one.found.refusal, "en"), one.found.why
            )
        elif one.found.status is Status.UNKNOWN:
            yield Finding(
                subject,
                State.DOUBTFUL,
                f"Chưa ai cho biết chứng thư của {who} còn hiệu lực không.",
                "Nobody tells the status of a certificate.",
                "Xem dòng CRL, OCSP. (See CRL, OCSP.)",
            )
        elif one.found.warns is not None:
            yield Finding(
                subject,
                State.DOUBTFUL,
                f"Chứng thư của {who} còn {one.found.days_left} ngày.",
                f"A certificate ends in {one.found.days_left} days.",
                "Xin cấp mới ngay. (Have it renewed.)",
            )


def _responders(
    helpers: tuple[bytes, ...], others: tuple[bytes, ...], in_use: set[str], named: dict[str, str]
) -> dict[str, bool]:
    """Each responder's host, asked once about one certificate in use, and whether it answered."""
    asked: dict[str, bool] = {}
    everyone = {der: x509.Certificate.load(der) for der in (*helpers, *others)}
    for der, certificate in everyone.items():
        if hashlib.sha256(der).hexdigest() not in in_use or not certificate.ocsp_urls:
            continue
        host = urlsplit(certificate.ocsp_urls[0]).netloc
        if host not in asked:
            issuers = [other for other, one in everyone.items() if one.subject == certificate.issuer]
            asked[host] = any(revocation.ask(der, issuer, timeout=_PATIENCE_S, hosts=named) for issuer in issuers)
    return asked
