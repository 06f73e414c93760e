"""An upload on its way in: read under a limit straight to disk, never into memory, and gone again after the answer.

The body is read by a dependency that itself depends on who is asking, so nobody fills the disk before signing in.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BadUpload, TooLarge
from api.schemas.common import clean

#: Room for the form around the file.
_FORM_BYTES = 64 * 1024
_MOST_FIELDS = 20


@dataclass(frozen=True)
class Upload:
    """A received file on disk, durable until the request is answered, with the other fields of its form."""

    path: Path
    filename: str
    fields: dict[str, str] = field(default_factory=dict)


async def received(
    request: Request, *, most_bytes: int, folder: Path, part: str = "file"
) -> AsyncGenerator[Upload, None]:
    """Read a multipart form with one file in it, in the part of that name.

    Raises:
        TooLarge: The body is over the limit; reading stopped there.
        BadUpload: No form, no file in it, or the line broke.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most_bytes + _FORM_BYTES:
        raise TooLarge(most_bytes)
    receive = _counted(request.receive, most_bytes + _FORM_BYTES, TooLarge(most_bytes))
    limited = Request(request.scope, receive, request._send)  # noqa: SLF001  the form reader wants a whole request
    try:
        form = await limited.form(max_files=1, max_fields=_MOST_FIELDS)
    except (ClientDisconnect, HTTPException, KeyError, ValueError) as error:  # ValueError: a charset that isn't one
        raise BadUpload from error
    spool = Path(tempfile.mkdtemp(dir=folder))
    try:
        sent = form.get(part)
        if not isinstance(sent, UploadFile):
            raise BadUpload
        path = spool / "file"
        await run_in_threadpool(_keep, sent, path)
        if path.stat().st_size > most_bytes:
            raise TooLarge(most_bytes)
        fields = _cleaned({k: v for k, v in form.multi_items() if isinstance(v, str)})
        await form.close()
        yield Upload(path, sent.filename or "", fields)
    finally:
        await form.close()
        await run_in_threadpool(shutil.rmtree, spool, ignore_errors=True)


async def received_or_why(
    request: Request, *, most_bytes: int, folder: Path, part: str = "file"
) -> AsyncGenerator[Upload | TooLarge | BadUpload, None]:
    """As `received`, but what is wrong comes in the upload's place: a page says it in its own words."""
    async with aclosing(received(request, most_bytes=most_bytes, folder=folder, part=part)) as uploads:
        try:
            upload: Upload | TooLarge | BadUpload = await anext(uploads)
        except (TooLarge, BadUpload) as error:
            upload = error
        yield upload


def _cleaned(fields: dict[str, str]) -> dict[str, str]:
    try:
        return {name: clean(text) for name, text in fields.items()}
    except ValueError as error:
        raise BadUpload from error


def _keep(part: UploadFile, path: Path) -> None:
    with path.open("wb") as target:
        shutil.copyfileobj(part.file, target, 1024 * 1024)
        target.flush()
        os.fsync(target.fileno())


@dataclass(frozen=True)
class SmallBodies:
    """Middleware: no body is larger than `most_bytes`, counted as it comes in, but for the addresses of `uploads`.

    Attributes:
        uploads: Patterns of paths whose own dependency limits them, by `received`.
    """

    app: ASGIApp
    most_bytes: int
    uploads: Sequence[re.Pattern[str]] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; reading its body raises TooLarge at the limit."""
        if scope["type"] == "http" and not any(path.match(scope["path"]) for path in self.uploads):
            receive = _counted(receive, self.most_bytes, TooLarge(self.most_bytes))
        await self.app(scope, receive, send)


def _counted(receive: Receive, most_bytes: int, too_large: TooLarge) -> Receive:
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most_bytes:
            raise too_large
        return message

    return counting
