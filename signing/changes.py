"""What was changed after a signature, and by which revision: for people, once a change has been found.

Nothing here decides: a file is altered because `signing.integrity` says so. This only looks for words that help: what
kind of thing isn't as it was. Read leniently, and never an error.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.rw_common import PdfHandler

#: So many pages and revisions are looked at; what is beyond is "something".
_MOST_PAGES = 200
_MOST_REVISIONS = 12


class Later(StrEnum):
    """What came after a signature. `signing.words` has a phrase for each."""

    SIGNATURE = "signature"
    TIMESTAMP = "timestamp"
    EVIDENCE = "evidence"
    PAGES = "pages"
    PAGE_CONTENT = "page_content"
    ANNOTATIONS = "annotations"
    FIELDS = "fields"
    SCRIPTS = "scripts"
    ATTACHMENTS = "attachments"
    LAYERS = "layers"
    OTHER = "other"


def after(reader: PdfFileReader, revision: int) -> tuple[tuple[Later, ...], int | None]:
    """What isn't as it was when a revision (from 0) was the last, and the first revision (from 1) that changed it."""
    try:
        signed = _shape(reader.get_historical_resolver(revision))
        for later in range(revision + 1, min(reader.total_revisions, revision + 1 + _MOST_REVISIONS)):
            found = _compare(signed, _shape(reader.get_historical_resolver(later)))
            if found:
                return found, later + 1
    except Exception:  # noqa: BLE001  hostile bytes raise anything: then there are no better words
        return (Later.OTHER,), None
    return (Later.OTHER,), None


def _compare(signed: dict[Later, Any], now: dict[Later, Any]) -> tuple[Later, ...]:
    return tuple(kind for kind in signed if signed[kind] != now[kind])


def _shape(handler: PdfHandler) -> dict[Later, Any]:
    """What of a document can be compared, kind by kind."""
    root = handler.root
    pages = list(_pages(root["/Pages"], 0))[:_MOST_PAGES]
    names = root.get("/Names", {})
    return {
        Later.PAGES: [_reference(page) for page in pages],
        Later.PAGE_CONTENT: [[_streams(page.get("/Contents")), repr(page.get("/Resources"))] for page in pages],
        Later.ANNOTATIONS: [[_look(note) for note in page.get("/Annots", [])] for page in pages],
        Later.FIELDS: [_value(field) for field in root.get("/AcroForm", {}).get("/Fields", [])],
        Later.SCRIPTS: [repr(root.get(key)) for key in ("/OpenAction", "/AA")] + [repr(names.get("/JavaScript"))],
        Later.ATTACHMENTS: [repr(names.get("/EmbeddedFiles")), repr(root.get("/AF"))],
        Later.LAYERS: repr(root.get("/OCProperties")),
    }


def _pages(node: Any, depth: int) -> Any:
    for kid in node.get("/Kids", []):
        if "/Kids" in kid and depth < 20:  # noqa: PLR2004 - no honest tree is deeper
            yield from _pages(kid, depth + 1)
        else:
            yield kid


def _reference(page: Any) -> Any:
    return getattr(page, "container_ref", None) and page.container_ref.idnum


def _streams(contents: Any) -> list[int]:
    pieces = contents if isinstance(contents, list) else [contents]
    return [hash(piece.encoded_data) for piece in (one.get_object() for one in pieces if one is not None)]


def _look(note: Any) -> str:
    note = note.get_object()
    shown = {key: note.get(key) for key in ("/Subtype", "/Rect", "/Contents", "/F")}
    return "" if note.get("/FT") == "/Sig" else repr(shown)


def _value(field: Any) -> str:
    field = field.get_object()
    return "" if field.get("/FT") == "/Sig" else repr((field.get("/T"), field.get("/V")))
