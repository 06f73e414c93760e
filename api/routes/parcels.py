"""Files from counters, sent in parts and resumed after any break: tus 1.0.0 with creation, checksum, termination.

A parcel that answers 204 with all its bytes is in the store, read back, and lies in its dossier or in the inbox; `GET`
gives the receipt. When that last step can't be done yet (503), an empty PATCH at the end asks for it again.

Source: https://tus.io/protocols/resumable-upload
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.deps import AddsPapers, Office, Public, Sender, Sends
from api.errors import BadUpload, PartDamaged, TooLarge, UnknownUploadProtocol
from api.schemas.common import clean
from api.schemas.parcels import AttachIn, ParcelOut
from api.wiring import Services, utc_now
from dossiers import parcels
from dossiers.parcels import Address, Parcel, ParcelState, PartOutOfPlace
from dossiers.types import Actor, Incomplete, NotFound

router = APIRouter(tags=["Parcels"])

TUS: Final = "1.0.0"
_EXTENSIONS: Final = "creation,checksum,termination"
#: SHA-1 because the protocol asks every server for it; it finds what a line has damaged, and guards nothing else.
_CHECKSUMS: Final = ("sha256", "sha1")
_CHECKSUM_MISSING: Final = "none"
#: What is made durable at once. A line that breaks costs no more than this.
_PART_BYTES: Final = 1024 * 1024
_MOST_DIGITS: Final = 15
_MOST_METADATA: Final = 4096
_SAYS: Final = {"tus-resumable": TUS, "cache-control": "no-store"}


@router.options("/parcels", dependencies=[Public])
def abilities(office: Office) -> Response:
    """What of the protocol is spoken here, and how large a file may be."""
    said = {
        "tus-resumable": TUS,
        "tus-version": TUS,
        "tus-extension": _EXTENSIONS,
        "tus-max-size": str(office.limits.max_bytes),
        "tus-checksum-algorithm": ",".join(_CHECKSUMS),
    }
    return Response(status_code=204, headers=said)


@router.post("/parcels", status_code=201)
def announce(request: Request, sender: Sends, office: Office) -> Response:
    """Begin a parcel of `Upload-Length` bytes; where it goes stands in `Upload-Metadata`.

    Metadata: filename; sha256 (hex, of the whole: the same announcement finds the same parcel again); dossier (id),
    kind, name, pages_declared, replaces as for a paper; folder (of the sender's, a dossier code in it or in the file's
    name is found).
    """
    _speaks_tus(request)
    said = _metadata(request.headers.get("upload-metadata", ""))
    size = _number(request.headers.get("upload-length", ""))
    if size > office.limits.max_bytes:
        raise TooLarge(office.limits.max_bytes)
    counted = said.get("pages_declared", "")
    address = (
        Address(dossier_id=sender.link.dossier_id, phone_link=sender.link.id)  # whatever else it says
        if sender.link
        else Address(
            dossier_id=_uuid(said.get("dossier", "")),
            folder=said.get("folder", ""),
            kind=said.get("kind", ""),
            name=said.get("name", ""),
            pages_declared=_number(counted) if counted else None,
            replaces=_uuid(said.get("replaces", "")),
        )
    )
    parcel = parcels.announce(
        office.begin,
        by=sender.actor,
        desk=sender.desk,
        filename=said.get("filename", ""),
        size=size,
        sha256=said.get("sha256", "").lower(),
        address=address,
        limits=office.limits,
        now=utc_now(),
    )
    where = {"location": f"{request.url.path}/{parcel.id}", "upload-offset": str(parcel.arrived)}
    return Response(status_code=201, headers=_SAYS | where)


@router.head("/parcels/{parcel_id}")
def how_far(request: Request, parcel_id: UUID, sender: Sends, office: Office) -> Response:
    """How many bytes are durable here."""
    _speaks_tus(request)
    parcel = _of(office, sender, parcel_id)
    said = {"upload-offset": str(parcel.arrived), "upload-length": str(parcel.size)}
    return Response(status_code=200, headers=_SAYS | said)


@router.get("/parcels/{parcel_id}")
def receipt(parcel_id: UUID, sender: Sends, office: Office) -> ParcelOut:
    """How far it came, and once it is over the receipt."""
    parcel = _of(office, sender, parcel_id)
    if sender.link:  # nothing of the dossier
        return ParcelOut.of(replace(parcel, dossier_id=None, component_id=None), [])
    return _shown(office, sender.actor, parcel)


@router.delete("/parcels/{parcel_id}", status_code=204)
def cancel(request: Request, parcel_id: UUID, sender: Sends, office: Office) -> Response:
    """Forget a parcel that hasn't come whole."""
    _speaks_tus(request)
    parcels.cancel(office.begin, _of(office, sender, parcel_id).id, by=sender.actor)
    return Response(status_code=204, headers=_SAYS)


async def _arrived(request: Request, parcel_id: UUID, sender: Sends, office: Office) -> Parcel:
    """Keep what the body brings. With a checksum all of it or nothing; without one whatever came before a break."""
    _speaks_tus(request)
    if request.headers.get("content-type", "") != "application/offset+octet-stream":
        raise UnknownUploadProtocol("content-type")
    start = _number(request.headers.get("upload-offset", ""))
    parcel = await run_in_threadpool(_of, office, sender, parcel_id)
    if parcel.state is not ParcelState.COMING:
        return parcel
    if start != parcel.arrived:
        raise PartOutOfPlace(parcel.arrived)
    checksum = request.headers.get("upload-checksum", "")
    body = _checked(request, checksum, parcel.size - start, office.work_dir) if checksum else _in_parts(request)
    async with aclosing(body):
        async for part in body:
            now = utc_now()
            parcel = await run_in_threadpool(
                parcels.add_part, office.begin, parcel_id, by=sender.actor, start=start, part=part, now=now
            )
            start += len(part)
    return parcel


@router.patch("/parcels/{parcel_id}", status_code=204)
def send(parcel_id: UUID, sender: Sends, office: Office, parcel: Annotated[Parcel, Depends(_arrived)]) -> Response:
    """Take the next bytes. With the last of them 204 means: durable, read back, in its dossier or in the inbox."""
    if parcel.state is ParcelState.COMING and parcel.is_whole:
        parcel = parcels.take_in(
            office.begin,
            office.store,
            parcel_id,
            by=sender.actor,
            limits=office.limits,
            work_dir=office.work_dir,
            now=utc_now(),
        )
    return Response(status_code=204, headers=_SAYS | {"upload-offset": str(parcel.arrived)})


@router.post("/parcels/{parcel_id}/attach")
def attach(parcel_id: UUID, body: AttachIn, actor: AddsPapers, office: Office) -> ParcelOut:
    """Make a parcel of the inbox a paper of a dossier."""
    parcel = parcels.attach(
        office.begin,
        office.store,
        parcel_id,
        by=actor,
        dossier_code=body.dossier,
        kind=body.kind,
        limits=office.limits,
        work_dir=office.work_dir,
        now=utc_now(),
    )
    return _shown(office, actor, parcel)


def _of(office: Services, sender: Sender, parcel_id: UUID) -> Parcel:
    """A parcel of the sender's agency; a telephone's own.

    Raises:
        NotFound: There is none.
    """
    parcel = parcels.of(office.begin, parcel_id, by=sender.actor)
    if sender.link and parcel.phone_link != sender.link.id:
        raise NotFound("parcel")
    return parcel


def _shown(office: Services, actor: Actor, parcel: Parcel) -> ParcelOut:
    return ParcelOut.of(parcel, parcels.papers_of(office.begin, parcel, by=actor))


async def _in_parts(request: Request) -> AsyncGenerator[bytes]:
    """The body in parts of `_PART_BYTES`; what came before a line broke is given, too."""
    held = bytearray()
    try:
        async for piece in request.stream():
            held += piece
            while len(held) >= _PART_BYTES:
                yield bytes(held[:_PART_BYTES])
                del held[:_PART_BYTES]
    except ClientDisconnect as error:
        if held:
            yield bytes(held)
        raise BadUpload from error
    if held:
        yield bytes(held)


async def _checked(request: Request, checksum: str, most: int, folder: Path) -> AsyncGenerator[bytes]:
    """The body in parts, once all of it is here and agrees with its checksum.

    Raises:
        PartDamaged: It doesn't agree.
        BadUpload: The line broke; nothing was kept.
    """
    algorithm, _, expected = checksum.partition(" ")
    if algorithm not in _CHECKSUMS:
        raise UnknownUploadProtocol(_CHECKSUM_MISSING)
    digest, length = hashlib.new(algorithm, usedforsecurity=False), 0
    with tempfile.TemporaryFile(dir=folder) as spool:
        try:
            async for piece in request.stream():
                length += len(piece)
                if length > most:
                    raise PartDamaged("longer than announced")
                digest.update(piece)
                await run_in_threadpool(spool.write, piece)
        except ClientDisconnect as error:
            raise BadUpload from error
        if base64.b64encode(digest.digest()).decode() != expected:
            raise PartDamaged(algorithm)
        spool.seek(0, os.SEEK_SET)
        while part := await run_in_threadpool(spool.read, _PART_BYTES):
            yield part


def _speaks_tus(request: Request) -> None:
    if request.headers.get("tus-resumable") != TUS:
        raise UnknownUploadProtocol("tus-resumable")


def _metadata(header: str) -> dict[str, str]:
    """The pairs of `Upload-Metadata`: a key, and its value in base64.

    Raises:
        BadUpload: It isn't so, or a value has a character that can't be kept.
    """
    if len(header) > _MOST_METADATA:
        raise BadUpload
    said = {}
    try:
        for pair in filter(None, (pair.strip() for pair in header.split(","))):
            key, _, value = pair.partition(" ")
            said[key] = clean(base64.b64decode(value, validate=True).decode())
    except (binascii.Error, ValueError) as error:
        raise BadUpload from error
    return said


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Incomplete("number", ("number",))
    return int(text)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound(text) from None
