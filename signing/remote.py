"""Sign with a key that a remote signing service holds, by the Cloud Signature Consortium's API, version 1.

The owner's PIN or one-time code is exchanged once for the right to n signatures (SAD), where the service allows that;
a service that ties each right to a hash (SCAL 2) is asked for each signature. Spoken to is the configured host alone,
over TLS 1.2 or newer; a redirection is an error. Each signature is checked against the registered certificate.

Source: CSC API 1.0.4.0 (2019), 11.4 to 11.9.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.csc_signer import (
    CSCAuthorizationInfo,
    CSCAuthorizationManager,
    CSCCredentialInfo,
    CSCServiceSessionInfo,
    CSCSigner,
    base64_digest,
    fetch_certs_in_csc_credential,
)

from signing.envelope import EnvelopeSigner
from signing.keys import key_of, require_strong
from signing.mechanisms import DIGEST, longest, mechanism_for, must_be_signed_by
from signing.types import PinRefused, SigningRefused, TrustServiceUnavailable

if TYPE_CHECKING:
    from asn1crypto import algos

    from signing.keys import PublicKey, SigningKey
    from signing.locators import RemoteKey
    from signing.pin import Pin

_TIMEOUT_S = 30.0
_SIGN_TIMEOUT_S = 60
_MOST_CREDENTIALS = 1000

_NOTHING = "Chưa có gì được ký."
_SILENT = f"Dịch vụ ký từ xa {{host}} không trả lời. {_NOTHING} Hệ thống sẽ thử lại."
_REFUSED = f"Dịch vụ ký từ xa từ chối ({{why}}). {_NOTHING} Hãy xem lại quyền truy cập và mã chứng thư ở dịch vụ."
_WRONG = f"Dịch vụ ký từ xa không nhận mã PIN hoặc mã một lần. {_NOTHING} Hãy gõ lại cẩn thận."
_LOCKED = f"Dịch vụ ký từ xa đã khóa mã PIN. {_NOTHING} Hãy liên hệ nơi cấp chứng thư."
_TOO_MANY = f"Dịch vụ ký từ xa cho ký nhiều nhất {{most}} văn bản một lần. {_NOTHING} Hãy chọn ít hơn."
_OTHER = f"Chứng thư ở dịch vụ ký từ xa không phải chứng thư đã ghi. {_NOTHING} Hãy báo quản trị viên."
_OVER = f"Quyền ký ở dịch vụ ký từ xa đã hết. {_NOTHING} Hãy gõ lại mã PIN."

#: Error codes of the API that speak of the PIN or one-time code (11.6).
_WRONG_CODES = frozenset({"invalid_pin", "invalid_otp"})


def credentials(service: str, access_token: str) -> list[str]:
    """Names of the credentials that this token may use.

    Raises:
        SigningRefused: "remote_refused".
        TrustServiceUnavailable: The service doesn't answer.
    """
    info = CSCServiceSessionInfo(service, "", access_token)
    found = asyncio.run(_asked(info, "credentials/list", {"maxResults": _MOST_CREDENTIALS}))
    return [str(one) for one in found.get("credentialIDs", ())]


class RemoteSession:
    """The right to some signatures with one credential; close it when the last is made."""

    def __init__(self, at: RemoteKey, access_token: str, pin: Pin | None, *, count: int = 1) -> None:
        """Ask what the credential can do, and for the right to `count` signatures.

        Raises:
            PinRefused: "pin_wrong" or "pin_locked".
            SigningRefused: "remote_refused", or "pin_needed" where a service asks for every signature.
            TrustServiceUnavailable: The service doesn't answer.
        """
        self._info: CSCServiceSessionInfo | None = CSCServiceSessionInfo(at.service, at.credential, access_token)
        self._pin = pin
        self._credential = asyncio.run(_credential(self._info))
        told = self._credential.response_data
        if count > self._credential.max_batch_size:
            raise SigningRefused("remote_refused", _TOO_MANY.format(most=self._credential.max_batch_size))
        self._by_otp = _present(told, "OTP")
        self._sad: CSCAuthorizationInfo | None = None
        if not self._credential.hash_pinning_required:
            self._sad = asyncio.run(self.authorized(None, count))
        elif self._by_otp and count > 1:
            raise SigningRefused("remote_refused", _TOO_MANY.format(most=1))

    def key(self, certificate_der: bytes, *, always_ask: bool = False) -> SigningKey:  # noqa: ARG002  it decides itself
        """The key of this certificate.

        Raises:
            SigningRefused: "wrong_certificate": the service holds another.
        """
        if self._credential.signing_cert.dump() != certificate_der:
            raise SigningRefused("wrong_certificate", _OTHER)
        chain = tuple(one.dump() for one in self._credential.chain)
        signer = _RemoteSigner(self, self._credential, require_strong(certificate_der))
        return key_of(signer, certificate_der, chain)

    def close(self) -> None:
        """Forget the right, and the token that asked for it."""
        self._info = self._sad = None

    @property
    def info(self) -> CSCServiceSessionInfo:
        """How the service is reached.

        Raises:
            SigningRefused: "pin_needed": closed.
        """
        if self._info is None:
            raise SigningRefused("pin_needed", _OVER)
        return self._info

    async def right_to(self, hash_b64: str) -> CSCAuthorizationInfo:
        """The right to sign this hash: the batch's, or one of its own."""
        return self._sad or await self.authorized([hash_b64], 1)

    async def authorized(self, hashes: list[str] | None, count: int) -> CSCAuthorizationInfo:
        """Exchange PIN or one-time code for the right to sign."""
        told = self._credential.response_data
        typed = self._pin.text() if self._pin else ""
        manager = CSCAuthorizationManager(self.info, self._credential)
        request = manager.format_csc_auth_request(
            num_signatures=count,
            pin=typed if _present(told, "PIN") else None,
            otp=typed if self._by_otp and not _present(told, "PIN") else None,
            hash_b64s=hashes,
        )
        answer = await _asked(self.info, "credentials/authorize", request)
        try:
            return manager.parse_csc_auth_response(answer)
        except SigningError as error:
            raise SigningRefused("remote_refused", _REFUSED.format(why="SAD")) from error


class _RemoteSigner(EnvelopeSigner):
    """pyHanko's `CSCSigner`, in an HTTP session of its own for each signature; the answer is checked."""

    def __init__(self, rights: RemoteSession, credential: CSCCredentialInfo, public: PublicKey) -> None:
        self._rights = rights
        self._credential = credential
        self._public = public
        super().__init__(
            credential.signing_cert.dump(),
            [issuer.dump() for issuer in credential.chain],
            mechanism=_mechanism(public, credential),
        )

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: FBT001, FBT002 - pyHanko's signature
        if digest_algorithm != DIGEST:
            raise ValueError(digest_algorithm)
        if dry_run:
            return bytes(longest(self._public))
        right = await self._rights.right_to(base64_digest(data, DIGEST))
        async with _session() as session:
            signer = _OneHash(session, _Granted(self._rights.info, self._credential, right), self.signature_mechanism)
            waiting = asyncio.create_task(signer.async_sign_raw(data, DIGEST))
            await asyncio.sleep(0)  # its hash is in the batch now
            try:
                # Asked for by ourselves: what pyHanko asks for by itself keeps the reason to itself.
                await signer.commit()  # type: ignore[no-untyped-call]
                signature = await waiting
            except (SigningError, TimeoutError) as error:
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                raise _why_not(error, self._rights.info.service_url) from error
        must_be_signed_by(self._public, signature, data, self.get_signature_mechanism_for_digest(DIGEST))
        return signature


class _OneHash(CSCSigner):
    def __init__(
        self, session: aiohttp.ClientSession, granted: _Granted, mechanism: algos.SignedDigestAlgorithm | None
    ) -> None:
        super().__init__(session, granted, sign_timeout=_SIGN_TIMEOUT_S, batch_autocommit=False)
        self._chosen = mechanism

    def get_signature_mechanism_for_digest(self, digest_algorithm: str | None) -> algos.SignedDigestAlgorithm | None:  # noqa: ARG002  SHA-256 alone
        """Chosen for the credential."""
        return self._chosen


class _Granted(CSCAuthorizationManager):
    """A right that was asked for already."""

    def __init__(self, info: CSCServiceSessionInfo, credential: CSCCredentialInfo, right: CSCAuthorizationInfo) -> None:
        super().__init__(info, credential)
        self._right = right

    async def authorize_signature(self, hash_b64s: list[str]) -> CSCAuthorizationInfo:  # noqa: ARG002  asked for already
        """As it was granted."""
        return self._right


def _mechanism(public: PublicKey, credential: CSCCredentialInfo) -> algos.SignedDigestAlgorithm:
    """RSASSA-PSS where the service can; what it can't is refused before anything is asked of it."""
    can = credential.supported_mechanisms
    if isinstance(public, ec.EllipticCurvePublicKey) and "sha256_ecdsa" in can:
        return mechanism_for(public)
    if not isinstance(public, ec.EllipticCurvePublicKey):
        for mechanism in ("rsassa_pss", "sha256_rsa"):
            if mechanism in can:
                return mechanism_for(public, prefer_pss=mechanism == "rsassa_pss")
    raise SigningRefused("remote_refused", _REFUSED.format(why="SHA-256"))


def _present(told: dict[str, Any], what: str) -> bool:
    """Whether the credential wants a PIN, or a one-time code."""
    asked = told.get(what)
    return isinstance(asked, dict) and str(asked.get("presence", "false")).lower() != "false"


async def _credential(info: CSCServiceSessionInfo) -> CSCCredentialInfo:
    async with _session() as session:
        try:
            found = await fetch_certs_in_csc_credential(session, info, timeout=int(_TIMEOUT_S))
        except SigningError as error:
            raise _why_not(error, info.service_url) from error
        except TimeoutError as error:
            raise TrustServiceUnavailable(_SILENT.format(host=info.service_url)) from error
    if found.response_data.get("key", {}).get("status", "enabled") != "enabled":
        raise SigningRefused("remote_refused", _REFUSED.format(why="disabled"))
    return found


async def _asked(info: CSCServiceSessionInfo, endpoint: str, request: dict[str, Any]) -> dict[str, Any]:
    """One question to the service; its errors in our words. The PIN is in none of them."""
    try:
        async with (
            _session() as session,
            session.post(
                f"{info.service_url}/csc/{info.api_ver}/{endpoint}",
                json=request,
                headers=info.auth_headers,
                timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
            ) as response,
        ):
            answer = await response.json(content_type=None)
            status = response.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        if isinstance(error, aiohttp.ContentTypeError | ValueError):
            raise SigningRefused("remote_refused", _REFUSED.format(why="?")) from None
        raise _why_not(error, info.service_url) from None
    if status == 200 and isinstance(answer, dict):  # noqa: PLR2004
        return answer
    if status >= 500:  # noqa: PLR2004
        raise TrustServiceUnavailable(_SILENT.format(host=info.service_url))
    raise _refusal(str(answer.get("error", status)) if isinstance(answer, dict) else str(status))


def _refusal(code: str) -> SigningRefused:
    if "lock" in code:
        return PinRefused("pin_locked", _LOCKED)
    if code in _WRONG_CODES:
        return PinRefused("pin_wrong", _WRONG)
    return SigningRefused("remote_refused", _REFUSED.format(why=code[:40]))


def _why_not(error: BaseException, service: str) -> Exception:
    """What lies beneath an error of pyHanko's or aiohttp's: silence, or a refusal."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientResponseError):
            if cause.status >= 500:  # noqa: PLR2004
                break
            return SigningRefused("remote_refused", _REFUSED.format(why=cause.status))
        if isinstance(cause, aiohttp.ClientConnectorCertificateError | _Redirected):
            return SigningRefused("remote_refused", _REFUSED.format(why="TLS"))
        if isinstance(cause, aiohttp.ClientConnectionError | TimeoutError):
            break
        cause = cause.__cause__ or cause.__context__
    else:
        return SigningRefused("remote_refused", _REFUSED.format(why="?"))
    return TrustServiceUnavailable(_SILENT.format(host=service))


class _Redirected(aiohttp.ClientError):
    pass


def _session() -> aiohttp.ClientSession:
    """For one exchange: TLS 1.2 or newer, no proxies of the environment, no other host than the one asked."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_no_redirection)
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), trace_configs=[trace])


async def _no_redirection(*_: object) -> None:
    raise _Redirected
