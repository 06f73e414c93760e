"""Ask timestamp authorities for proof of time (RFC 3161), in order, with patience, and never make time up."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx2
from asn1crypto import tsp
from pyhanko.sign.timestamps import TimeStamper

from signing.fetch import tls_context
from signing.types import TrustServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asn1crypto import cms, x509

_MAX_REPLY_BYTES = 256 * 1024
_FIRST_PAUSE_S = 2.0


class Timestamper(TimeStamper):
    """A list of timestamp authorities as one that answers or says it can't.

    Attributes:
        tokens: What was issued, oldest first: whose certificates those are has to be proven for ever.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        deadline_s: float = 180.0,
        tries: int = 3,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare to ask `urls`, the preferred first.

        Args:
            urls: http or https.
            deadline_s: For one timestamp, all tries and authorities together. The public-duty authority was
                seen to take up to 131 s. What is left is shared between the authorities not yet asked in a round.
            tries: Rounds through the list, with pauses of 2 s, 4 s, … between them.
            headers: Sent along, for authorities that want a token.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        if not urls or not all(url.lower().startswith(("http://", "https://")) for url in urls):
            raise ValueError(f"cần địa chỉ http hoặc https của dịch vụ dấu thời gian: {urls}")
        self._urls = tuple(urls)
        self._deadline_s = deadline_s
        self._tries = tries
        self._headers = {
            **(headers or {}),
            "Content-Type": "application/timestamp-query",
            "Accept": "application/timestamp-reply",
        }
        self.tokens: list[cms.ContentInfo] = []

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Get a token over a digest.

        Raises:
            TrustServiceUnavailable: Nobody gave a usable answer in time.
        """
        ends = time.monotonic() + self._deadline_s
        async with httpx2.AsyncClient(headers=self._headers, verify=tls_context()) as client:
            for round_number in range(self._tries):
                for position, url in enumerate(self._urls):
                    share = (ends - time.monotonic()) / (len(self._urls) - position)
                    token = await self._ask(client, url, message_digest, md_algorithm, share) if share > 0 else None
                    if token is not None:
                        self.tokens.append(token)
                        return token
                pause = _FIRST_PAUSE_S * 2**round_number
                if round_number + 1 == self._tries or time.monotonic() + pause >= ends:
                    break
                await asyncio.sleep(pause)
        raise TrustServiceUnavailable(
            "Dịch vụ dấu thời gian không trả lời. Văn bản chưa được ký, việc vẫn còn nguyên. Hãy thử lại sau ít phút."
        )

    async def _ask(
        self, client: httpx2.AsyncClient, url: str, message_digest: bytes, md_algorithm: str, share_s: float
    ) -> cms.ContentInfo | None:
        """One question to one authority; None when there is no usable answer."""
        nonce, question = self.request_cms(message_digest, md_algorithm)  # type: ignore[no-untyped-call]
        try:
            async with (
                asyncio.timeout(share_s),
                client.stream("POST", url, content=question.dump(), timeout=None) as reply,
            ):
                reply.raise_for_status()
                received = bytearray()
                async for piece in reply.aiter_bytes():
                    received += piece
                    if len(received) > _MAX_REPLY_BYTES:
                        return None
            return _usable(tsp.TimeStampResp.load(bytes(received)), message_digest, nonce)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError, TypeError, KeyError):
            return None


def authority_of(token: cms.ContentInfo) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """Give the certificate that signed a token, and all others the token brings.

    Raises:
        ValueError: It doesn't bring its signer's.
    """
    signed = token["content"]
    certificates = tuple(choice.chosen for choice in signed["certificates"])
    wanted = signed["signer_infos"][0]["sid"].chosen
    for certificate in certificates:
        if certificate.issuer == wanted["issuer"] and certificate.serial_number == wanted["serial_number"].native:
            return certificate, tuple(other for other in certificates if other is not certificate)
    raise ValueError("dấu thời gian không kèm chứng thư của nơi cấp")


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
