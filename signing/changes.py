"""What was changed after a signature, and by which revision: for people, once a change has been found.

Nothing here decides: a file is altered because `signing.integrity` says so. This only looks for words that help: what
kind of thing isn't as it was. Read leniently, and never an error.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    pages = list(islice(_pages(root.raw_get("/Pages"), set()), _MOST_PAGES))
    names = _at(root, "/Names") or {}
    return {
        Later.PAGES: [getattr(page, "idnum", None) for page in pages],
        Later.PAGE_CONTENT: [_drawn(page.get_object()) for page in pages],
        # Only pages that have any: one that was merely added brings neither notes nor programs.
        Later.ANNOTATIONS: [
            (getattr(page, "idnum", None), notes)
            for page in pages
            if (notes := [_look(note) for note in _unsigned(page.get_object(), "/Annots")])
        ],
        Later.FIELDS: [_value(field) for field in _unsigned(_at(root, "/AcroForm"), "/Fields")]
        + [repr(_at(_at(root, "/AcroForm"), "/XFA"))],
        Later.SCRIPTS: [repr(_at(root, key)) for key in ("/OpenAction", "/AA")]
        + [repr((getattr(page, "idnum", None), run)) for page in pages if (run := _at(page.get_object(), "/AA"))]
        + [repr(_at(names, "/JavaScript"))],
        Later.ATTACHMENTS: [repr(_at(names, "/EmbeddedFiles")), repr(_at(root, "/AF"))],
        Later.LAYERS: repr(_at(root, "/OCProperties")),
    }


def _at(holder: Any, key: str) -> Any:
    """What a dictionary holds, references followed; None where there is nothing."""
    return holder[key] if holder is not None and key in holder else None


def _each(found: Any) -> list[Any]:
    return [found.raw_get(n).get_object() for n in range(len(found))] if found is not None else []


def _pages(node: Any, seen: set[Any]) -> Iterator[Any]:
    """The pages as they are referred to. A branch is walked once: hostile trees lead back into themselves."""
    kids = _at(node.get_object(), "/Kids")
    if kids is None:
        yield node
        return
    branch = getattr(node, "idnum", id(node))
    if branch in seen or len(seen) > _MOST_PAGES:
        return
    seen.add(branch)
    for n in range(len(kids)):
        yield from _pages(kids.raw_get(n), seen)


def _drawn(page: Any) -> Any:
    contents = _at(page, "/Contents")
    pieces = _each(contents) if isinstance(contents, list) else [contents]
    boxes = [repr(_at(page, key)) for key in ("/MediaBox", "/CropBox", "/Rotate")]
    return [hash(piece.encoded_data) for piece in pieces if piece is not None], repr(_at(page, "/Resources")), boxes


def _unsigned(holder: Any, key: str) -> list[Any]:
    """Notes or fields that aren't a signature's: those are judged by themselves."""
    return [one for one in _each(_at(holder, key)) if _at(one, "/FT") != "/Sig"]


def _look(note: Any) -> str:
    return repr({key: note.get(key) for key in ("/Subtype", "/Rect", "/Contents", "/F", "/AP")})


def _value(field: Any) -> str:
    return repr((field.get("/T"), field.get("/V")))
