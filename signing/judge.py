"""One judge in a closed room: a process that does nothing but say what files are worth, one after the other.

A stranger's file is read here and nowhere else. The process has no way out: it can't open a file, a socket or a second
process, can't write, and ends where it takes more memory or time than any honest file needs. It is given the file as an
open descriptor, never as a name. Whatever happens to it, the service only loses this process; `signing.isolation`
starts another.

Messages, both ways: eight bytes (length of a JSON text, length of raw bytes behind it), then the two.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import itertools
import json
import os
import pkgutil
import re
import resource
import socket
import struct
import sys
import time
from dataclasses import asdict
from datetime import datetime
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pikepdf

from signing import covered, proof, returned, verify
from signing.returned import Refusal, Returned
from signing.trust import Term, TrustStore
from signing.types import (
    AtSigning,
    FileVerdict,
    Indication,
    Integrity,
    Kind,
    Place,
    SignatureReport,
    StoreName,
    TimeSource,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = struct.Struct(">II")
#: No honest verdict and no trust store is larger; a judge gone wrong can't fill the asker's memory.
MAX_MESSAGE_BYTES = 256 * 1024 * 1024
#: What the whole life of a judge may take, whatever it is told: it is relieved long before.
_LIFE_CPU_S = 3600
_LARGEST_FILE = 4 * 1024 * 1024 * 1024
_TIME = "$time"
_KINDS = ("anchors", "intermediates", "crls", "ocsps")
_LOADED_LATE = (
    "encodings",
    "asn1crypto",
    "cryptography",
    "pyhanko.pdf_utils",
    "pyhanko.sign.validation",
    "pyhanko_certvalidator",
)
#: What no verdict needs, what asks the network, and what is for other systems.
_NEVER_LOADED = re.compile(r"mbcs|oem|\.font|images|barcodes|qr|qualified|report\.tools|(aiohttp|requests)_fetchers")


# --- messages -------------------------------------------------------------------------------------------------------


def send(channel: socket.socket, message: dict[str, Any], raw: bytes = b"", *, descriptor: int | None = None) -> None:
    """Send one message, with an open file if one is given."""
    text = json.dumps(message, ensure_ascii=False, default=_plain).encode()
    head = _HEAD.pack(len(text), len(raw))
    if descriptor is None:
        channel.sendall(head)
    else:
        socket.send_fds(channel, [head], [descriptor])
    channel.sendall(text)
    if raw:
        channel.sendall(raw)


def receive(channel: socket.socket, *, deadline: float | None = None) -> tuple[dict[str, Any], bytes, int | None]:
    """Receive one message with its raw bytes, and the open file that came along, if any.

    Args:
        deadline: When to give up, by the monotonic clock.

    Raises:
        EOFError: Nobody is there any more.
        TimeoutError: The deadline has passed.
        ValueError: It isn't such a message.
    """
    _hurry(channel, deadline)
    head, descriptors, _, _ = socket.recv_fds(channel, _HEAD.size, 1)
    descriptor = descriptors[0] if descriptors else None
    head += _exactly(channel, _HEAD.size - len(head), deadline)
    text_length, raw_length = _HEAD.unpack(head)
    if text_length + raw_length > MAX_MESSAGE_BYTES:
        raise ValueError("message too large")
    text = json.loads(_exactly(channel, text_length, deadline), object_hook=_timed)
    return text, _exactly(channel, raw_length, deadline), descriptor


def _exactly(channel: socket.socket, length: int, deadline: float | None) -> bytes:
    received = bytearray()
    while len(received) < length:
        _hurry(channel, deadline)
        piece = channel.recv(min(length - len(received), 1 << 20))
        if not piece:
            raise EOFError
        received += piece
    if length and not received:
        raise EOFError
    return bytes(received)


def _hurry(channel: socket.socket, deadline: float | None) -> None:
    if deadline is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        channel.settimeout(left)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    raise TypeError(type(value))


def _timed(found: dict[str, Any]) -> Any:
    return datetime.fromisoformat(found[_TIME]) if found.keys() == {_TIME} else found


def trust_message(trust: TrustStore) -> tuple[dict[str, Any], bytes]:
    """The trust store as a message."""
    kinds = {name: getattr(trust, name) for name in _KINDS}
    kinds["terms"] = tuple(term.certificate for term in trust.terms)
    lengths = {name: [len(der) for der in ders] for name, ders in kinds.items()}
    terms = [[term.store, term.since, term.until, term.broken] for term in trust.terms]
    return {"do": "trust", "lengths": lengths, "terms": terms}, b"".join(der for ders in kinds.values() for der in ders)


def trust_of(message: dict[str, Any], raw: bytes) -> TrustStore:
    """The trust store in a message."""
    given: dict[str, tuple[bytes, ...]] = {}
    at = 0
    for name, lengths in message["lengths"].items():
        ends = list(itertools.accumulate(lengths, initial=at))
        given[name] = tuple(raw[start:end] for start, end in itertools.pairwise(ends))
        at = ends[-1]
    terms = tuple(
        Term(certificate, StoreName(store), since, until, broken)
        for certificate, (store, since, until, broken) in zip(given.pop("terms"), message["terms"], strict=True)
    )
    return TrustStore(given["anchors"], given["intermediates"], given["crls"], given["ocsps"], terms)


def verdict_of(message: dict[str, Any]) -> FileVerdict:
    """The verdict in a judge's answer.

    Raises:
        ValueError, KeyError, TypeError: It isn't one.
    """
    found = message["verdict"]
    return FileVerdict(
        verdict=Verdict(found["verdict"]),
        kind=Kind(found["kind"]),
        integrity=Integrity(found["integrity"]),
        signatures=tuple(_report_of(one) for one in found["signatures"]),
        missing=tuple(found["missing"]),
        reasons=tuple(found["reasons"]),
        detail=dict(found["detail"]),
    )


def returned_of(message: dict[str, Any]) -> Returned:
    """What a judge makes of a file that came back from a signer's own tool.

    Raises:
        ValueError, KeyError, TypeError: It isn't an answer.
    """
    found = message["returned"]
    for name in ("signer", "certificate_sha256", "field"):
        if not isinstance(found[name], str):
            raise TypeError(name)
    return Returned(
        None if found["refusal"] is None else Refusal(found["refusal"]),
        found["signer"],
        found["certificate_sha256"],
        found["field"],
        own_field=bool(found["own_field"]),
        shown=tuple(_place_of(page, *box) for page, box in found["shown"]),
    )


def _place_of(page: int, left: float, bottom: float, right: float, top: float) -> tuple[int, covered.Rect]:
    return int(page), (float(left), float(bottom), float(right), float(top))


def _report_of(found: dict[str, Any]) -> SignatureReport:
    changed = {
        "indication": Indication(found["indication"]),
        "verdict": Verdict(found["verdict"]),
        "integrity": Integrity(found["integrity"]),
        "at_signing": AtSigning(found["at_signing"]),
        "time_source": TimeSource(found["time_source"]),
        "trust_store": StoreName(found["trust_store"]) if found["trust_store"] else None,
    }
    lists = {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
    return SignatureReport(**found | lists | changed)


# --- the room -------------------------------------------------------------------------------------------------------


def main(number: str) -> None:
    """Judge whatever comes through the socket of this number, until nobody is there any more."""
    channel = socket.socket(fileno=int(number))
    message, _, _ = receive(channel)
    with asyncio.Runner() as runner:
        runner.run(_nothing())
        _load_everything()
        gc.collect()
        gc.freeze()
        gc.disable()  # a fifth of a verdict's time; what a file leaves is collected once its verdict is told
        room = _Room(channel, runner, memory=message["memory_bytes"])
        send(channel, {"ready": True, "resident": _resident()})
        with contextlib.suppress(EOFError, ConnectionError):
            room.serve()


class _Room:
    """The process once its doors are shut.

    Args:
        memory: Bytes of address space a file may take, beyond its own size.
    """

    def __init__(self, channel: socket.socket, runner: asyncio.Runner, *, memory: int) -> None:
        self._channel, self._runner, self._memory = channel, runner, memory
        self._own = _address_space()
        self._most = self._own + memory + _LARGEST_FILE
        self._known = proof.Known(TrustStore(()))
        self._hold = os.dup(0)
        self._shut()

    def _shut(self) -> None:
        """Leave one number free for a descriptor: the file's. While it is there nothing else can be opened."""
        free = max(int(one.name) for one in list(Path("/proc/self/fd").iterdir()) if one.is_symlink()) + 1
        for number in range(free):
            with contextlib.suppress(OSError):
                os.fstat(number)
                continue
            os.dup2(0, number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, free + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (self._own + self._memory, self._most))
        resource.setrlimit(resource.RLIMIT_CPU, (_LIFE_CPU_S, _LIFE_CPU_S))

    def serve(self) -> None:
        while True:
            message, raw, descriptor = receive(self._channel)
            if message["do"] == "trust":
                self._known = proof.Known(trust_of(message, raw))
            elif descriptor is not None:
                send(self._channel, {"taken": True})
                send(self._channel, self._answer(message, descriptor) | {"resident": _resident()})
                gc.collect()

    def _answer(self, asked: dict[str, Any], descriptor: int) -> dict[str, Any]:
        if asked["do"] == "examine":
            return {"returned": asdict(self._examined(asked, descriptor))}
        return {"verdict": asdict(self._judged(asked, descriptor))}

    def _judged(self, asked: dict[str, Any], descriptor: int) -> FileVerdict:
        with self._limited(asked, descriptor) as file:
            return verify.verify_file(
                file,
                known=self._known,
                at=asked["at"],
                max_bytes=asked["max_bytes"],
                run=self._runner.run,
                mapped=self._mapped,
            )

    def _examined(self, asked: dict[str, Any], descriptor: int) -> Returned:
        """Two files in one, since there is one number for a descriptor: what was sent, and behind it what came back."""
        try:
            with self._limited(asked, descriptor) as file:
                sent = file.read(asked["sent_bytes"])
                return returned.examine_bytes(
                    sent, file.read(), place=Place(asked["place"]), certificate_sha256=asked["certificate_sha256"]
                )
        except (MemoryError, SystemError):
            return Returned(Refusal.TOO_COMPLEX)

    @contextlib.contextmanager
    def _limited(self, asked: dict[str, Any], descriptor: int) -> Iterator[BinaryIO]:
        """The file, and what it may take."""
        room = self._own + self._memory + os.fstat(descriptor).st_size
        resource.setrlimit(resource.RLIMIT_AS, (room, self._most))
        until = min(int(time.process_time()) + 1 + asked["cpu_s"], _LIFE_CPU_S)
        resource.setrlimit(resource.RLIMIT_CPU, (until, _LIFE_CPU_S))
        try:
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                yield file
        finally:
            os.close(descriptor)
            os.dup2(0, self._hold)

    def _mapped(self, descriptor: int) -> mmap:
        """Map a file. The map holds a descriptor of its own, for which the one held back makes room."""
        os.close(self._hold)
        return mmap(descriptor, 0, access=ACCESS_READ)


async def _nothing() -> None:
    """What an event loop is tried with."""


def _load_everything() -> None:
    """Load what the libraries load only once a file asks for it: later nothing can be opened any more."""
    for package in _LOADED_LATE:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not _NEVER_LOADED.search(module.name):
                importlib.import_module(module.name)
    with contextlib.suppress(pikepdf.PdfError):
        pikepdf.open(BytesIO(b"%PDF-1.7\n"))


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _resident() -> int:
    """The most memory this process has held so far, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(sys.argv[1])
