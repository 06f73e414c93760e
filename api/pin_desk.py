"""Keys that leaders opened with their PIN: in the signing worker's memory, for exactly what they approved.

A PIN comes over a Unix socket in the keys folder, from the web process of the same user on the same machine. It opens
a token for a batch: these results, these very bytes, one signature each. It is wiped when the last is made or has
failed, when the batch is dropped, or after a time limit; it is in no database, job, log, argument or error. If the
worker dies, nothing of it is left: what remains waits, visibly, for the PIN to be typed again.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import socket
import stat
import struct
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import structlog

from dossiers.types import KeyHeld, NotFound, PinAsked
from signing import keys, pkcs11, remote
from signing.locators import RemoteKey, TokenKey
from signing.once import once
from signing.pin import Pin
from signing.types import PinRefused, SigningRefused, TrustServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dossiers.ports import Begin
    from dossiers.types import CertificateRecord
    from signing.keys import SigningKey

_LOG = structlog.get_logger("pin")

DOOR = "pin.sock"
MOST_IN_BATCH = 500

#: Without a signature for so long, a batch is closed; and however it goes, after so long.
_IDLE_S = 600.0
_LONGEST_S = 3600.0

_MOST_ASKED_BYTES = 200_000
_MOST_PIN_BYTES = 256
_PATIENCE_S = 10.0
_LOOK_EVERY_S = 1.0
_SIZES = struct.Struct("!IH")
_PEER = struct.Struct("3i")
_PR_SET_DUMPABLE = 4

_NEEDED = "Cần gõ mã PIN để ký văn bản này. Chưa có gì được ký; văn bản đã duyệt vẫn an toàn."
_ONE_EACH = "Thiết bị này đòi mã PIN cho từng chữ ký. Chưa có gì được ký. Hãy duyệt từng văn bản một."
_NOT_SO = "Khóa của chứng thư này không mở bằng mã PIN ở máy ký. Chưa có gì được ký."


class Opened(Protocol):
    """A token or service that answers to the PIN it was opened with."""

    def key(self, certificate_der: bytes, *, always_ask: bool = False) -> SigningKey:
        """The key of this certificate."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass
class _Batch:
    """What one typed PIN is good for.

    Attributes:
        left: Results still to be signed, each with the hash of the document that was approved.
    """

    record: CertificateRecord
    opened: Opened
    pin: Pin
    left: dict[UUID, str]
    began_at: float
    used_at: float = field(default=0.0)

    def close(self) -> None:
        self.left.clear()
        with suppress(SigningRefused):
            self.opened.close()
        self.pin.wipe()


class PinDesk:
    """The batches whose keys are open."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._batches: list[_Batch] = []
        self._lock = threading.RLock()

    def open(self, record: CertificateRecord, items: Mapping[UUID, str], pin: Pin) -> None:
        """Open the key for these results, each with the hash of the document that is approved.

        The PIN is presented here, once; afterwards it belongs to the batch, or is wiped.

        Raises:
            PinRefused, SigningRefused: It opens nothing.
        """
        try:
            _must_ask_for_it(record, len(items))
            opened = open_at_worker(self._folder, record, pin, len(items))
            try:
                opened.key(record.der)  # it is there, and the certificate's
            except BaseException:
                opened.close()
                raise
        except BaseException:
            pin.wipe()
            raise
        now = self._clock()
        with self._lock:
            self._batches.append(_Batch(record, opened, pin, dict(items), now, now))
        _LOG.info("key_opened", certificate=record.sha256, results=len(items))

    def key(self, record: CertificateRecord, subject: UUID, sha256: str) -> SigningKey:
        """The key for one signature on one document that was approved.

        Raises:
            SigningRefused: "pin_needed": nobody opened it for that.
        """
        self.sweep()
        with self._lock:
            for batch in self._batches:
                if batch.record.sha256 == record.sha256 and batch.left.get(subject) == sha256:
                    batch.used_at = self._clock()
                    key = batch.opened.key(record.der, always_ask=record.pin_asked is PinAsked.SIGNATURE)
                    return once(key, lambda: self.done(subject))
        raise SigningRefused("pin_needed", _NEEDED)

    def done(self, subject: UUID) -> None:
        """This one is signed, or won't be; with the last of a batch its key is closed and its PIN wiped."""
        with self._lock:
            for batch in self._batches:
                batch.left.pop(subject, None)
            self._close([batch for batch in self._batches if not batch.left])

    def sweep(self) -> None:
        """Close what was left open for too long."""
        now = self._clock()
        with self._lock:
            self._close([b for b in self._batches if now - b.used_at > _IDLE_S or now - b.began_at > _LONGEST_S])

    def close(self) -> None:
        """Close everything."""
        with self._lock:
            self._close(list(self._batches))

    def _close(self, over: list[_Batch]) -> None:
        for batch in over:
            self._batches.remove(batch)
            unsigned = len(batch.left)
            batch.close()
            _LOG.info("key_closed", certificate=batch.record.sha256, unsigned=unsigned)


def _must_ask_for_it(record: CertificateRecord, count: int) -> None:
    """Whether this key opens with a PIN, for so many at once.

    Raises:
        SigningRefused: It doesn't.
    """
    if record.pin_asked is PinAsked.NEVER or record.held not in (KeyHeld.PKCS11, KeyHeld.REMOTE):
        raise SigningRefused("held_elsewhere", _NOT_SO)
    if record.pin_asked is PinAsked.SIGNATURE and count != 1:
        raise SigningRefused("pin_needed", _ONE_EACH)


def open_at_worker(folder: Path, record: CertificateRecord, pin: Pin | None, count: int) -> Opened:
    """A token at this machine, or a credential of a service, whose access token lies in the keys folder.

    Raises:
        PinRefused, SigningRefused: It doesn't open.
        TrustServiceUnavailable: The service doesn't answer.
    """
    if record.held is KeyHeld.REMOTE:
        access = keys.read_passphrase_file(folder / f"{record.key_file}.pass").decode()
        return remote.RemoteSession(RemoteKey.parse(record.locator), access, pin, count=count)
    return pkcs11.Token(TokenKey.parse(record.locator), pin or Pin(b""))


# --- the door: in the signing worker ----------------------------------------------------------------------------------


@contextmanager
def pin_door(folder: Path, pins: PinDesk, begin: Begin, *, in_own_process: bool = True) -> Iterator[None]:
    """Answer at the socket until the block ends; then every key is closed.

    Args:
        in_own_process: Forbid core dumps, and other processes of the same user a look into this one's memory.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        raise PermissionError(f"{folder} is open to others; chmod 700")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listener, _short(folder) as path:
        path.unlink(missing_ok=True)  # left by a worker that was killed; whoever signs now is alone
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(16)
        listener.settimeout(_LOOK_EVERY_S)
        if in_own_process:
            forbid_dumps()
        over = threading.Event()
        thread = threading.Thread(target=_attend, args=(listener, pins, begin, over), name="pin-door", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            pins.close()
            path.unlink(missing_ok=True)


def forbid_dumps() -> None:
    """This process leaves no image of its memory behind, and lets no other one look into it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _attend(listener: socket.socket, pins: PinDesk, begin: Begin, over: threading.Event) -> None:
    while not over.is_set():
        pins.sweep()
        try:
            caller, _ = listener.accept()
        except TimeoutError:
            continue
        with caller:
            caller.settimeout(_PATIENCE_S)
            try:
                if peer_uid(caller) == os.geteuid():
                    caller.sendall(json.dumps(_answer(caller, pins, begin)).encode())
            except (
                OSError,
                ValueError,
                KeyError,
                TypeError,
            ) as error:  # who breaks off, or is no page of ours
                _LOG.warning("pin_door_caller", error=type(error).__name__)
            except Exception as error:  # noqa: BLE001  the door stays open for the others; no text, it may quote
                _LOG.error("pin_door_failed", error=type(error).__name__)


def _answer(caller: socket.socket, pins: PinDesk, begin: Begin) -> dict[str, Any]:
    asked, typed = _received(caller)
    pin = Pin(typed)
    typed[:] = bytes(len(typed))
    try:
        record = _record(begin, asked["certificate"]) if "certificate" in asked else None
        match asked["ask"], record:
            case "look", record if record is not None:
                return _look(record)
            case "open", record if record is not None:
                items = {UUID(one): str(sha256) for one, sha256 in asked["items"][:MOST_IN_BATCH]}
                pins.open(record, items, pin)
                return {"code": ""}
            case "drop", _:
                for one in asked["items"]:
                    pins.done(UUID(one))
                return {"code": ""}
            case _:
                return {"code": "held_elsewhere"}
    except TrustServiceUnavailable as silent:
        pin.wipe()
        return {"code": "remote_silent", "said": str(silent)}
    except SigningRefused as refused:
        pin.wipe()
        tries = refused.tries_left if isinstance(refused, PinRefused) else None
        return {"code": refused.reason, "said": str(refused), "tries_left": tries}


def _look(record: CertificateRecord) -> dict[str, Any]:
    """What can be said before the PIN is typed."""
    if record.held is not KeyHeld.PKCS11:
        return {"code": ""}
    told = pkcs11.look(TokenKey.parse(record.locator))
    if told.locked:
        return {"code": "pin_locked"}
    return {"code": "", "tries_left": told.tries_left, "failed_before": told.failed_before}


def _record(begin: Begin, sha256: str) -> CertificateRecord:
    """From our own records: the caller's word isn't asked for."""
    with begin() as work:
        found = next((r for r in work.certificates.all() if r.active and r.sha256 == sha256), None)
    if found is None:
        raise NotFound(sha256)
    return found


def peer_uid(caller: socket.socket) -> int:
    """Who is at the other end, as the kernel says."""
    _, uid, _ = _PEER.unpack(caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(uid)


def sent(asked: Mapping[str, Any], typed: bytearray) -> bytearray:
    """A question as it goes over the socket."""
    header = json.dumps(asked).encode()
    return bytearray(_SIZES.pack(len(header), len(typed)) + header) + typed


def _received(caller: socket.socket) -> tuple[dict[str, Any], bytearray]:
    header_bytes, pin_bytes = _SIZES.unpack(_exactly(caller, _SIZES.size))
    if header_bytes > _MOST_ASKED_BYTES or pin_bytes > _MOST_PIN_BYTES:
        raise ValueError("too much")
    asked: dict[str, Any] = json.loads(_exactly(caller, header_bytes))
    return asked, _exactly(caller, pin_bytes)


def _exactly(caller: socket.socket, size: int) -> bytearray:
    content = bytearray(size)
    view, got = memoryview(content), 0
    while got < size:
        count = caller.recv_into(view[got:])
        if not count:
            raise ValueError("broken off")
        got += count
    return content


@contextmanager
def _short(folder: Path) -> Iterator[Path]:
    """The socket's path: a socket's own may only be 108 bytes long, a folder's is as long as people made it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{descriptor}/{DOOR}")
    finally:
        os.close(descriptor)


# --- at the door: in the web process ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class TokenTold:
    """What the signing machine says of a key before its PIN is typed.

    Attributes:
        trouble: Stable code, "" if nothing is in the way.
        tries_left: Where the token tells.
    """

    trouble: str = ""
    tries_left: int | None = None
    failed_before: bool = False


@dataclass(frozen=True)
class PinCounter:
    """Where the web process hands a PIN on."""

    folder: Path

    def look(self, record: CertificateRecord) -> TokenTold:
        """Whether the signing machine is there, and sees the token."""
        try:
            told = self._ask({"ask": "look", "certificate": record.sha256}, bytearray())
        except SigningRefused as refused:
            return TokenTold(refused.reason)
        return TokenTold("", told.get("tries_left"), bool(told.get("failed_before")))

    def open(self, record: CertificateRecord, items: Mapping[UUID, str], pin: str) -> None:
        """Have the key opened for these results.

        Raises:
            PinRefused: Wrong, or locked.
            SigningRefused: It can't be opened; "signer_silent" when the signing machine isn't there.
        """
        typed = bytearray(pin.encode())
        listed = [[str(one), sha256] for one, sha256 in items.items()]
        try:
            self._ask({"ask": "open", "certificate": record.sha256, "items": listed}, typed)
        finally:
            typed[:] = bytes(len(typed))

    def drop(self, results: list[UUID]) -> None:
        """These aren't to be signed any more; where the signing machine isn't there, nothing is open either."""
        with suppress(SigningRefused):
            self._ask({"ask": "drop", "items": [str(one) for one in results]}, bytearray())

    def _ask(self, asked: Mapping[str, Any], typed: bytearray) -> dict[str, Any]:
        question = sent(asked, typed)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line, _short(self.folder) as path:
                line.settimeout(2 * _PATIENCE_S)
                line.connect(str(path))
                if peer_uid(line) != os.geteuid():
                    raise PermissionError
                line.sendall(question)
                answered: dict[str, Any] = json.loads(b"".join(iter(lambda: line.recv(4096), b"")) or b"{}")
        except (OSError, ValueError) as error:
            raise SigningRefused("signer_silent", type(error).__name__) from None
        finally:
            question[:] = bytes(len(question))
        code = answered.get("code", "signer_silent")
        if code in ("pin_wrong", "pin_locked"):
            raise PinRefused(code, answered.get("said", code), tries_left=answered.get("tries_left"))
        if code:
            raise SigningRefused(code, answered.get("said", code))
        return answered
