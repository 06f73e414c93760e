"""Sign with a key on a token or HSM that this machine reaches, through its vendor's PKCS#11 library.

PKCS#11 keeps the login for a whole process. So one process, the signing worker, owns every token: it logs in once, for
as long as anybody needs the token. A PIN is presented when somebody typed it and never tried again by itself: three
wrong ones lock most tokens. The binding starts libraries without locks (C_Initialize(NULL)), which forbids two threads
in one library at once, in whatever sessions: SoftHSM then fails by chance. So calls take turns, and one session for
each token is enough.

Source: PKCS#11 v2.40, 5.4 to 5.6 (OASIS); traps of real tokens in the design notes (lost sessions, odd labels).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, PKCS11Error, TokenFlag
from pkcs11 import exceptions as p11
from pyhanko.sign.pkcs11 import PKCS11Signer

from signing.envelope import EnvelopeSigner
from signing.keys import key_of, require_strong
from signing.mechanisms import DIGEST, longest, mechanism_for, must_be_signed_by
from signing.types import PinRefused, SigningRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asn1crypto import algos

    from signing.keys import PublicKey, SigningKey
    from signing.locators import TokenKey
    from signing.pin import Pin

#: A token's own label is 32 bytes at most; a longer one is cut there.
_LABEL_BYTES = 32
_TRIES_AT_THE_END = 1

#: A session, or the handles in it, that came to nothing: the token was pulled out, or another program reset it.
_LOST = (
    p11.SessionHandleInvalid,
    p11.SessionClosed,
    p11.KeyHandleInvalid,
    p11.ObjectHandleInvalid,
    p11.UserNotLoggedIn,
    p11.DeviceRemoved,
    p11.TokenNotPresent,
    p11.DeviceError,
)

_NOTHING = "Chưa có gì được ký."
_MODULE = f"Không nạp được thư viện PKCS#11 {{module}}. {_NOTHING} Hãy cài đúng thư viện của nhà sản xuất token."
_ABSENT = f"Không thấy token “{{token}}” ở máy ký. {_NOTHING} Hãy cắm token rồi thử lại."
_TWINS = f"Có {{count}} token cùng nhãn “{{token}}” ở máy ký. {_NOTHING} Hãy rút bớt rồi thử lại."
_NO_KEY = f"Token “{{token}}” không có khóa ký {{key}}. {_NOTHING} Hãy kiểm tra lại nhãn hoặc mã của khóa."
_MANY_KEYS = f"Token “{{token}}” có nhiều khóa {{key}}. {_NOTHING} Hãy ghi thêm mã (id) của khóa."
_FAILED = f"Token “{{token}}” báo lỗi {{error}}. {_NOTHING} Hãy rút ra cắm lại, rồi thử lại."
_WRONG = f"Mã PIN không đúng{{left}}. {_NOTHING} Hệ thống không tự thử lại; hãy gõ lại cẩn thận."
_LOCKED = f"Token “{{token}}” đã khóa mã PIN. {_NOTHING} Hãy liên hệ nơi cấp chứng thư để mở khóa."
_CLOSED = f"Token đã đóng. {_NOTHING} Hãy gõ lại mã PIN."
_OTHER_KEY = f"Khóa trên token “{{token}}” không phải của chứng thư đã ghi. {_NOTHING}"
_LAST_TRY = ", chỉ còn 1 lần thử"


@dataclass(frozen=True)
class TokenLook:
    """What a token tells before anybody types a PIN.

    Attributes:
        tries_left: Where the token tells; most only tell the last one.
        failed_before: A wrong PIN was presented since the last right one.
        locked: No PIN opens it any more.
    """

    tries_left: int | None
    failed_before: bool
    locked: bool


def look(at: TokenKey) -> TokenLook:
    """See whether the token is there and what it says of its PIN; nothing is presented to it.

    Raises:
        SigningRefused: "token_module", "token_absent" or "token_failed".
    """
    with _turn(at):
        flags = _find(at).flags
    return TokenLook(
        tries_left=_TRIES_AT_THE_END if flags & TokenFlag.USER_PIN_FINAL_TRY else None,
        failed_before=bool(flags & TokenFlag.USER_PIN_COUNT_LOW),
        locked=bool(flags & TokenFlag.USER_PIN_LOCKED),
    )


def certificates(at: TokenKey) -> list[bytes]:
    """Certificates (DER) the token shows to anybody, those of the named key first.

    Raises:
        SigningRefused: "token_module", "token_absent" or "token_failed".
    """
    with _turn(at):
        session = _find(at).open()
        try:
            found = list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}))
            named = [(_is_named(one, at), bytes(one[Attribute.VALUE])) for one in found]
        finally:
            session.close()
    return [der for _, der in sorted(named, key=lambda pair: not pair[0])]


def _is_named(thing: Any, at: TokenKey) -> bool:
    if at.key_id:
        return bytes(thing[Attribute.ID]) == at.key_id
    return bool(thing[Attribute.LABEL] == at.key_label)


class Token:
    """A token that is open with its PIN; close it when the last signature is made."""

    def __init__(self, at: TokenKey, pin: Pin) -> None:
        """Open it.

        Raises:
            PinRefused: "pin_wrong" or "pin_locked".
            SigningRefused: "token_module", "token_absent", "token_failed".
        """
        self._at = at
        self._login: _Login | None = _Login.join(at, pin)

    def key(
        self,
        certificate_der: bytes,
        *,
        chain: tuple[bytes, ...] = (),
        prefer_pss: bool = True,
        always_ask: bool = False,
    ) -> SigningKey:
        """The key of this certificate.

        Args:
            prefer_pss: RSASSA-PSS where the token can; else, or without it, PKCS#1 v1.5.
            always_ask: The token wants its PIN again for every signature (CKA_ALWAYS_AUTHENTICATE).

        Raises:
            SigningRefused: "token_key_missing", "wrong_certificate", "weak_key", "token_failed".
        """
        if self._login is None:
            raise SigningRefused("pin_needed", _CLOSED)
        public = require_strong(certificate_der)
        signer = _TokenSigner(
            self._login, self._at, certificate_der, chain, public, prefer_pss=prefer_pss, always_ask=always_ask
        )
        signer.must_be_there()
        return key_of(signer, certificate_der, chain)

    def close(self) -> None:
        """Log out, unless somebody else still needs the token; twice does nothing more."""
        login, self._login = self._login, None
        if login is not None:
            login.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Login:
    """This process's one login to one token, shared by all who need it."""

    _all: dict[tuple[str, bytes], _Login] = {}  # noqa: RUF012  one for each token of this process

    def __init__(self, at: TokenKey, serial: bytes, pin: Pin) -> None:
        self._at = at
        self._serial = serial
        self._pin = pin
        self._users = 0
        self._session: Any = None
        self._signers: dict[tuple[bytes, str, bytes], PKCS11Signer] = {}

    @classmethod
    def join(cls, at: TokenKey, pin: Pin) -> _Login:
        """Log in, or join who has: with the same PIN."""
        with _turn(at):
            token = _find(at)
            name = (at.module, token.serial)
            login = cls._all.get(name)
            if login is None:
                login = cls(at, token.serial, pin)
                login._enter_afresh(token)
                cls._all[name] = login
            elif not login._pin.same_as(pin):
                raise PinRefused("pin_wrong", _WRONG.format(left=""))
            login._users += 1
            return login

    def leave(self) -> None:
        """The last one out logs out."""
        with _turn(self._at):
            self._users -= 1
            if not self._users:
                self._all.pop((self._at.module, self._serial), None)
                self._drop()

    def sign(self, data: bytes, wanted: _TokenSigner) -> bytes:
        """A raw signature; where the session is lost, it is opened again once.

        The PIN was right before, on this very token, so presenting it again is no guess.
        """
        with _turn(self._at):
            if self._session is None:
                raise SigningRefused("pin_needed", _CLOSED)
            try:
                return self._sign(data, wanted)
            except _LOST:
                self._drop()
                self._enter(_find(self._at, self._serial))
                return self._sign(data, wanted)

    def key(self, at: TokenKey, public: PublicKey) -> Any:
        """The private key; the caller has the turn.

        Raises:
            SigningRefused: "token_key_missing".
        """
        kind = KeyType.EC if isinstance(public, ec.EllipticCurvePublicKey) else KeyType.RSA
        wanted: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.KEY_TYPE: kind}
        if at.key_label:
            wanted[Attribute.LABEL] = at.key_label
        if at.key_id:
            wanted[Attribute.ID] = at.key_id
        found = list(self._session.get_objects(wanted))
        if len(found) != 1:
            said = _MANY_KEYS if found else _NO_KEY
            raise SigningRefused("token_key_missing", said.format(token=at.token, key=at.key_label or at.key_id.hex()))
        return found[0]

    def pin(self) -> str:
        """For tokens that ask at every signature."""
        return self._pin.text()

    def _sign(self, data: bytes, wanted: _TokenSigner) -> bytes:
        name = (wanted.certificate_der, wanted.at.key_label, wanted.at.key_id)
        signer = self._signers.get(name)
        if signer is None:
            self.key(wanted.at, wanted.public)  # in our words where it isn't there
            signer = self._signers[name] = wanted.within(self._session)
        return asyncio.run(signer.async_sign_raw(data, DIGEST))

    def _enter_afresh(self, token: Any) -> None:
        """The first login, for which the token itself judges the PIN.

        A login that is still there from before, since its session couldn't be closed, would take any PIN for right:
        it is ended first. The library answers so before it looks at the PIN, which is therefore presented once.
        """
        try:
            self._session = token.open(user_pin=self._pin.text())
        except p11.UserAlreadyLoggedIn:
            if any(module == self._at.module for module, _ in self._all):
                raise
            pkcs11.lib(self._at.module).reinitialize()
            self._session = _find(self._at, self._serial).open(user_pin=self._pin.text())

    def _enter(self, token: Any) -> None:
        try:
            self._session = token.open(user_pin=self._pin.text())
        except p11.UserAlreadyLoggedIn:
            self._session = token.open()  # the login outlived its session

    def _drop(self) -> None:
        self._signers.clear()
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(PKCS11Error):
                session.close()


class _InSession(PKCS11Signer):
    """pyHanko's, for tokens that want the PIN anew for every signature as well."""

    ask: Callable[[], str] | None = None

    def sign_kwargs(self, data_to_sign: bytes) -> dict[str, Any]:
        """The PIN only where the token asks for it."""
        return {"pin": self.ask()} if self.ask else super().sign_kwargs(data_to_sign)


class _TokenSigner(EnvelopeSigner):
    """pyHanko's `PKCS11Signer`, in whatever session is open; each signature is checked before it is given away."""

    def __init__(
        self,
        login: _Login,
        at: TokenKey,
        certificate_der: bytes,
        chain: tuple[bytes, ...],
        public: PublicKey,
        *,
        prefer_pss: bool,
        always_ask: bool,
    ) -> None:
        self.at = at
        self.public = public
        self.certificate_der = certificate_der
        self._login = login
        self._always_ask = always_ask
        self._raw, mechanism = self._choose(prefer_pss=prefer_pss)
        super().__init__(certificate_der, chain, prefer_pss=prefer_pss, mechanism=mechanism)

    def _choose(self, *, prefer_pss: bool) -> tuple[bool, algos.SignedDigestAlgorithm]:
        """Whether the digest is made here, since the token can't; and how it signs."""
        with _turn(self.at):
            able = _abilities(_find(self.at))
        if isinstance(self.public, ec.EllipticCurvePublicKey):
            return Mechanism.ECDSA_SHA256 not in able, mechanism_for(self.public)
        pss = prefer_pss and Mechanism.SHA256_RSA_PKCS_PSS in able
        return not pss and Mechanism.SHA256_RSA_PKCS not in able, mechanism_for(self.public, prefer_pss=pss)

    def must_be_there(self) -> None:
        """The token has this key, and as far as it shows, it belongs to the certificate.

        Raises:
            SigningRefused: "token_key_missing", "wrong_certificate", "token_failed".
        """
        with _turn(self.at):
            key = self._login.key(self.at, self.public)
            if isinstance(self.public, rsa.RSAPublicKey):
                with contextlib.suppress(PKCS11Error):  # not every token shows it; each signature is checked anyway
                    modulus = int.from_bytes(key[Attribute.MODULUS], "big")
                    if modulus != self.public.public_numbers().n:
                        raise SigningRefused("wrong_certificate", _OTHER_KEY.format(token=self.at.token))

    def within(self, session: Any) -> PKCS11Signer:
        """PyHanko's signer in a session; it remembers the key's handle there."""
        signer = _InSession(
            session,
            signing_cert=self.signing_cert,
            key_label=self.at.key_label or None,
            key_id=self.at.key_id or None,
            use_raw_mechanism=self._raw,
            signature_mechanism=self.signature_mechanism,
        )
        if self._always_ask:
            signer.ask = self._login.pin
        return signer

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: FBT001, FBT002 - pyHanko's signature
        if digest_algorithm != DIGEST:
            raise ValueError(digest_algorithm)
        if dry_run:
            return bytes(longest(self.public))
        # In a thread: the token is slow, and waiting for its turn must not hold up the caller's loop.
        signature = await asyncio.to_thread(self._login.sign, data, self)
        must_be_signed_by(self.public, signature, data, self.get_signature_mechanism_for_digest(DIGEST))
        return signature


def _find(at: TokenKey, serial: bytes | None = None) -> Any:
    """The token of this label, and serial where it is known.

    Raises:
        SigningRefused: "token_module" or "token_absent".
    """
    try:
        library = pkcs11.lib(at.module)
    except (PKCS11Error, OSError) as error:
        raise SigningRefused("token_module", _MODULE.format(module=Path(at.module).name)) from error
    wanted = at.token.encode()[:_LABEL_BYTES].decode(errors="replace").rstrip()
    found = []
    for slot in library.get_slots(token_present=True):
        with contextlib.suppress(PKCS11Error):  # a reader in trouble isn't ours
            token = slot.get_token()
            if token.label == wanted and serial in (None, token.serial):
                found.append(token)
    if not found:
        raise SigningRefused("token_absent", _ABSENT.format(token=at.token))
    if len(found) > 1:
        raise SigningRefused("token_absent", _TWINS.format(count=len(found), token=at.token))
    return found[0]


def _abilities(token: Any) -> set[Any]:
    """Mechanisms it knows."""
    able: set[Any] = token.slot.get_mechanisms()
    return able


_TURNS: dict[str, threading.RLock] = {}
_DOOR = threading.Lock()


@contextlib.contextmanager
def _turn(at: TokenKey) -> Iterator[None]:
    """One at a time in a library, and its errors in our words: at this door, once. The PIN is in none of them."""
    with _DOOR:
        turn = _TURNS.setdefault(at.module, threading.RLock())
    try:
        with turn:
            yield
    except (p11.PinIncorrect, p11.PinInvalid, p11.PinLenRange) as error:
        raise _wrong_pin(at) from error
    except (p11.PinLocked, p11.PinExpired) as error:
        raise PinRefused("pin_locked", _LOCKED.format(token=at.token)) from error
    except (p11.TokenNotPresent, p11.TokenNotRecognised, p11.DeviceRemoved) as error:
        raise SigningRefused("token_absent", _ABSENT.format(token=at.token)) from error
    except PKCS11Error as error:
        raise SigningRefused("token_failed", _FAILED.format(token=at.token, error=type(error).__name__)) from error


def _wrong_pin(at: TokenKey) -> PinRefused:
    """With the tries left, where the token tells."""
    try:
        told = look(at)
    except SigningRefused:
        told = TokenLook(None, failed_before=True, locked=False)
    if told.locked:
        return PinRefused("pin_locked", _LOCKED.format(token=at.token), tries_left=0)
    return PinRefused("pin_wrong", _WRONG.format(left=_LAST_TRY if told.tries_left else ""), tries_left=told.tries_left)
