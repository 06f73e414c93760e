"""A key for one signature: what a person approved with their PIN is signed once, and the key is then out of reach."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pyhanko.sign.signers.pdf_cms import Signer

from signing.mechanisms import DIGEST
from signing.types import SigningRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asn1crypto import cms

    from signing.keys import SigningKey


T = TypeVar("T")


def once(key: SigningKey, then: Callable[[], None]) -> SigningKey:
    """The same key, for one signature.

    Args:
        then: Called when it was made.
    """
    return replace(key, signer=_Once(key.signer, then))


class _Once(Signer):
    def __init__(self, inner: Signer, then: Callable[[], None]) -> None:
        super().__init__(
            prefer_pss=inner.prefer_pss,
            signing_cert=inner.signing_cert,
            cert_registry=inner.cert_registry,
            signature_mechanism=inner.get_signature_mechanism_for_digest(DIGEST),
        )
        self._inner: Signer | None = inner
        self._then = then

    async def async_sign(self, *given: Any, **named: Any) -> cms.ContentInfo:
        """Packed by whom the key is, who knows how."""
        return await self._spend(self._key().async_sign(*given, **named))

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: FBT001, FBT002 - pyHanko's signature
        making = self._key().async_sign_raw(data, digest_algorithm, dry_run)
        return await making if dry_run else await self._spend(making)

    def _key(self) -> Signer:
        if self._inner is None:
            raise SigningRefused("pin_needed", "Khóa này chỉ được mở cho một chữ ký, và đã ký. Hãy gõ lại mã PIN.")
        return self._inner

    async def _spend(self, making: Awaitable[T]) -> T:
        made = await making
        self._inner = None
        self._then()
        return made
