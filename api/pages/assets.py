"""What the pages' looks and manners are made of: style sheets, scripts, pictures, kept in memory and named by content.

An address carries the content's hash, so a browser may keep it for ever and a new version is a new address.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from api.deps import Public
from dossiers.types import NotFound

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".webmanifest": "application/json"}
_TEXT = "; charset=utf-8"

router = APIRouter(dependencies=[Public], include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    """One file: its bytes, the same compressed, its media type, and the head of its SHA-256."""

    content: bytes
    compressed: bytes
    media_type: str
    version: str


def _read(file: Path) -> Asset:
    content = file.read_bytes()
    return Asset(
        content=content,
        compressed=gzip.compress(content, 9, mtime=0),
        media_type=_TYPES[file.suffix] + _TEXT,
        version=hashlib.sha256(content).hexdigest()[:12],
    )


ASSETS: Final = {file.name: _read(file) for file in sorted(_FOLDER.iterdir())}


def address(name: str) -> str:
    """Where an asset is, in its present version.

    Raises:
        KeyError: There is none of that name: a page that asks for it is wrong.
    """
    return f"/static/{ASSETS[name].version}/{name}"


@router.get("/static/{version}/{name}")
def asset(request: Request, version: str, name: str) -> Response:
    """One asset; kept for ever when asked for in its present version, not at all otherwise."""
    found = ASSETS.get(name)
    if found is None:
        raise NotFound(name)
    present = version == found.version
    headers = {
        "cache-control": "public, max-age=31536000, immutable" if present else "no-store",
        "vary": "accept-encoding",
    }
    content = found.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        content = found.compressed
    return Response(content, media_type=found.media_type, headers=headers)
