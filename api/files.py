"""Stored bytes as a download: streamed, with ranges, under a name that survives every browser."""

from __future__ import annotations

import re
import unicodedata
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from fastapi.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import Request

    from dossiers.ports import ObjectStore
    from dossiers.types import ObjectKey

_CHUNK = 256 * 1024
#: A session's length: pictures of people's papers don't outlive it in a browser.
_KEPT_S = 10 * 3600
#: No file needs more digits, and Python refuses to count with thousands of them.
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


#: So much of a hash stands in an address whose content never changes.
SHORT_HASH = 12


def file_response(
    request: Request,
    store: ObjectStore,
    key: ObjectKey,
    filename: str,
    *,
    inline: bool = False,
    sensitive: bool = False,
) -> Response:
    """The object, whole (200) or the one range asked for (206); 416 for a range that isn't there.

    Args:
        inline: To be shown in a page, not saved; for pictures only. An address that names the content (`?v=`, the
            beginning of its hash) may be kept by the browser for as long as a session lasts; signing out clears it.
        sensitive: Nothing is kept: each look has to be asked for, and is in the log.
    """
    same_for_ever = inline and not sensitive and request.query_params.get("v") == key.sha256[:SHORT_HASH]
    headers = {
        "content-disposition": _disposition(filename, inline=inline),
        "accept-ranges": "bytes",
        "etag": f'"{key.sha256}"',
        "x-content-type-options": "nosniff",
        "cache-control": f"private, max-age={_KEPT_S}, immutable" if same_for_ever else "private, no-store",
        "vary": "cookie",
    }
    wanted = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if request.headers.get("if-range", headers["etag"]) != headers["etag"]:
        wanted = None
    start, end = _span(wanted, key.size) if wanted and wanted.group() != "bytes=-" else (0, key.size)
    if start >= end:
        return Response(status_code=416, headers={"content-range": f"bytes */{key.size}"})
    partial = wanted is not None and (start, end) != (0, key.size)
    if partial:
        headers["content-range"] = f"bytes {start}-{end - 1}/{key.size}"
    headers["content-length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=206 if partial else 200, headers=headers, media_type=key.media_type)
    # Begun before the answer is, so that a missing or damaged object is an error and not a broken download.
    with ExitStack() as beginning:
        stream = beginning.enter_context(store.open(key, offset=start, length=end - start))
        first = stream.read(_CHUNK)
        opened = beginning.pop_all()
    return StreamingResponse(
        _chunks(opened, first, stream),
        status_code=206 if partial else 200,
        headers=headers,
        media_type=key.media_type,
    )


def made_response(pdf: bytes, filename: str) -> Response:
    """A PDF made this moment, as a download that nobody keeps."""
    headers = {
        "content-disposition": _disposition(filename, inline=False),
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
    }
    return Response(pdf, media_type="application/pdf", headers=headers)


def masked_response(jpeg: bytes, filename: str) -> Response:
    """A small picture made this moment, to be shown and not kept."""
    headers = {
        "content-disposition": _disposition(filename, inline=True),
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
        "vary": "cookie",
    }
    return Response(jpeg, media_type="image/jpeg", headers=headers)


def _span(wanted: re.Match[str], size: int) -> tuple[int, int]:
    first, last = wanted.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _chunks(opened: ExitStack, first: bytes, stream: BinaryIO) -> Iterator[bytes]:
    with opened:
        yield first
        while chunk := stream.read(_CHUNK):
            yield chunk


def _disposition(filename: str, *, inline: bool) -> str:
    """An ASCII name for old readers and the real one beside it (RFC 6266)."""
    plain = unicodedata.normalize("NFKD", filename.replace("đ", "d").replace("Đ", "D"))
    ascii_name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain.encode("ascii", "ignore").decode()) or "file"
    how = "inline" if inline else "attachment"
    return f"{how}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename)}"
