"""Ask timestamp authorities for proof of time (RFC 3161), in order, with patience, and never make time up.

An authority that failed is passed over for a while, by everybody in this process; at most a few are asked at once:
some lock out whoever asks too often.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2
from asn1crypto import tsp
from pyhanko.sign.timestamps import TimeStamper

from signing import room
from signing.envelope import signer_of
from signing.fetch import tls_context
from signing.hosts import reached_at
from signing.types import TrustServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from asn1crypto import cms, x509

_MAX_REPLY_BYTES = 256 * 1024
_FIRST_PAUSE_S = 2.0
#: Requests under way at once in this process, to all authorities together.
AT_ONCE = 4
_IN_LINE_S = 0.05
_UNDER_WAY = threading.BoundedSemaphore(AT_ONCE)
#: So often in a row, or once without a word until its time is over, and an authority is passed over: longer each time.
_TOO_OFTEN = 3
_PASSED_OVER_S = (15.0, 30.0, 60.0, 120.0, 300.0)


@dataclass(frozen=True)
class Health:
    """What is known of an authority, for whoever looks after the instance.

    Attributes:
        failures: In a row; 0 once it answered.
        closed_for_s: Seconds until it is asked again; 0 when it may be asked.
        seconds: How long its last answer took, or None.
    """

    url: str
    failures: int
    closed_for_s: float
    seconds: float | None


class Breakers:
    """Which authorities failed of late. One for the whole process, since all who sign ask the same ones."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._closed_until: dict[str, float] = {}
        self._seconds: dict[str, float] = {}

    def may_ask(self, url: str) -> bool:
        """Whether it may be asked. Of those that come when its rest is over one tries; the others wait for its word."""
        with self._lock:
            now = self._clock()
            if now < self._closed_until.get(url, now):
                return False
            self._close(url, now)  # not again before this one has its answer, if it has failed too often
            return True

    def answered(self, url: str, seconds: float) -> None:
        """It gave a usable answer."""
        with self._lock:
            self._failures.pop(url, None)
            self._closed_until.pop(url, None)
            self._seconds[url] = seconds

    def failed(self, url: str, *, silent: bool = False) -> None:
        """It gave none; `silent`: not before its time was over, which is dearer than a refusal."""
        with self._lock:
            before = self._failures.get(url, 0)
            self._failures[url] = max(before + 1, _TOO_OFTEN if silent else 0)
            self._close(url, self._clock())

    def reset(self) -> None:
        """Forget everything: an administrator mended something, or a test begins."""
        with self._lock:
            self._failures.clear()
            self._closed_until.clear()
            self._seconds.clear()

    def health(self) -> tuple[Health, ...]:
        """Of every authority asked so far."""
        with self._lock:
            now = self._clock()
            return tuple(
                Health(
                    url,
                    self._failures.get(url, 0),
                    max(0.0, self._closed_until.get(url, now) - now),
                    self._seconds.get(url),
                )
                for url in sorted({*self._failures, *self._seconds})
            )

    def _close(self, url: str, now: float) -> None:
        beyond = self._failures.get(url, 0) - _TOO_OFTEN
        if beyond >= 0:
            self._closed_until[url] = now + _PASSED_OVER_S[min(beyond, len(_PASSED_OVER_S) - 1)]


#: Of this process.
BREAKERS = Breakers()


class Timestamper(TimeStamper):
    """A list of timestamp authorities as one that answers or says it can't.

    Attributes:
        tokens: What was issued, oldest first: whose certificates those are has to be proven for ever.
        asking_s: Seconds spent waiting for authorities, and for a turn to ask them.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        deadline_s: float = 180.0,
        tries: int = 3,
        headers: Mapping[str, str] | None = None,
        hosts: Mapping[str, str] | None = None,
        breakers: Breakers = BREAKERS,
    ) -> None:
        """Prepare to ask `urls`, the preferred first.

        Args:
            urls: http or https.
            deadline_s: For one timestamp, all tries and authorities together. The public-duty authority was
                seen to take up to 131 s. What is left is shared between the authorities not yet asked in a round.
            tries: Rounds through the list, with pauses of 2 s, 4 s, … between them.
            headers: Sent along, for authorities that want a token.
            hosts: As for `signing.hosts.reached_at`.
            breakers: Who is passed over. With all of them resting the answer is at once that nobody tells the time.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        if not urls or not all(url.lower().startswith(("http://", "https://")) for url in urls):
            raise ValueError(f"cần địa chỉ http hoặc https của dịch vụ dấu thời gian: {urls}")
        self._urls = tuple(urls)
        self._deadline_s = deadline_s
        self._tries = tries
        self._hosts = dict(hosts or {})
        self._breakers = breakers
        self._headers = {
            **(headers or {}),
            "Content-Type": "application/timestamp-query",
            "Accept": "application/timestamp-reply",
        }
        self.tokens: list[cms.ContentInfo] = []
        self.asking_s = 0.0

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Get a token over a digest.

        Raises:
            TrustServiceUnavailable: Nobody gave a usable answer in time.
        """
        began = time.monotonic()
        try:
            async with (
                httpx2.AsyncClient(headers=self._headers, verify=tls_context()) as client,
                _a_turn(began + self._deadline_s),
            ):
                token = await self._first_answer(client, message_digest, md_algorithm, began + self._deadline_s)
        finally:
            self.asking_s += time.monotonic() - began
        if token is None:
            raise TrustServiceUnavailable(
                "Dịch vụ dấu thời gian không trả lời. Việc vẫn còn nguyên. Hãy thử lại sau ít phút."
            )
        self.tokens.append(token)
        room.learn(len(token.dump()))
        return token

    async def _first_answer(
        self, client: httpx2.AsyncClient, message_digest: bytes, md_algorithm: str, ends: float
    ) -> cms.ContentInfo | None:
        """Whoever answers first, in the order given, round after round; those that rest are left out."""
        for round_number in range(self._tries):
            for position, url in enumerate(self._urls):
                share = (ends - time.monotonic()) / (len(self._urls) - position)
                if share > 0 and self._breakers.may_ask(url):
                    token = await self._ask(client, url, message_digest, md_algorithm, share)
                    if token is not None:
                        return token
            pause = _FIRST_PAUSE_S * 2**round_number
            rests = all(one.closed_for_s > pause for one in self._breakers.health() if one.url in self._urls)
            if rests or round_number + 1 == self._tries or time.monotonic() + pause >= ends:
                return None
            await asyncio.sleep(pause)
        return None

    async def _ask(
        self, client: httpx2.AsyncClient, url: str, message_digest: bytes, md_algorithm: str, share_s: float
    ) -> cms.ContentInfo | None:
        """One question to one authority; None when there is no usable answer."""
        nonce, question = self.request_cms(message_digest, md_algorithm)  # type: ignore[no-untyped-call]
        began = time.monotonic()
        token, silent = None, False
        try:
            async with (
                asyncio.timeout(share_s),
                client.stream("POST", reached_at(url, self._hosts), content=question.dump(), timeout=None) as reply,
            ):
                reply.raise_for_status()
                received = bytearray()
                async for piece in reply.aiter_bytes():
                    received += piece
                    if len(received) > _MAX_REPLY_BYTES:
                        break
                else:
                    token = _usable(tsp.TimeStampResp.load(bytes(received)), message_digest, nonce)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError, TypeError, KeyError) as error:
            token, silent = None, isinstance(error, TimeoutError)
        if token is None:
            self._breakers.failed(url, silent=silent)
        else:
            self._breakers.answered(url, time.monotonic() - began)
        return token


@asynccontextmanager
async def _a_turn(ends: float) -> AsyncIterator[None]:
    """Wait for one's turn among all threads of the process, each of which has a loop of its own.

    Raises:
        TrustServiceUnavailable: It didn't come in time.
    """
    while not _UNDER_WAY.acquire(blocking=False):
        if time.monotonic() >= ends:
            raise TrustServiceUnavailable("Dịch vụ dấu thời gian đang bận. Việc vẫn còn nguyên. Hãy thử lại sau.")
        await asyncio.sleep(_IN_LINE_S)
    try:
        yield
    finally:
        _UNDER_WAY.release()


def authority_of(token: cms.ContentInfo) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """Give the certificate that signed a token, and all others the token brings.

    Raises:
        ValueError: It doesn't bring its signer's.
    """
    return signer_of(token["content"])


def _usable(reply: tsp.TimeStampResp, message_digest: bytes, nonce: int) -> cms.ContentInfo | None:
    """The token, when it was granted and answers exactly our question.

    Raises:
        ValueError, TypeError, KeyError: It isn't what it should be.
    """
    if reply["status"]["status"].native not in {"granted", "granted_with_mods"}:
        return None
    token = reply["time_stamp_token"]
    said = token["content"]["encap_content_info"]["content"].parsed
    answers = said["message_imprint"]["hashed_message"].native == message_digest and said["nonce"].native == nonce
    authority_of(token)  # without its certificate nobody could check it
    return token if answers else None
