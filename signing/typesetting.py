"""Pages set by typst: warm compilers, kept for a while, and a look at what came out.

A compiler that has read its source and its fonts sets the next document in half the time. It remembers parts of what it
has set, so after some hundreds it makes room for a fresh one. One document at a time: the web calls from many threads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import pikepdf
import typst

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from signing.typeface import Typeface

#: What typst is asked to promise: PDF/A-2 with tags (PDF 1.7), and PDF/UA-1 on top.
STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]

#: Documents a compiler sets before a fresh one takes its place.
DOCUMENTS_A_COMPILER = 250


class LayoutError(RuntimeError):
    """typst could not lay the document out, or not in the typeface asked for: a fault of ours, not of the data."""


@dataclass(frozen=True)
class SetPages:
    """A document, and what its source says of itself under the label asked for; None when it says nothing."""

    pdf: bytes
    told: Any


@dataclass
class _Warm:
    compiler: typst.Compiler
    documents: int = 0


@dataclass
class _Setter:
    """The compilers of this process, by source and typeface."""

    warm: dict[tuple[Path, Path], _Warm] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def compiler(self, source: Path, typeface: Typeface) -> typst.Compiler:
        key = (source, typeface.folder)
        known = self.warm.get(key)
        if known is None or known.documents >= DOCUMENTS_A_COMPILER:
            known = self.warm[key] = _Warm(
                typst.Compiler(str(source), root=str(source.parent), font_paths=fonts(typeface.folder))
            )
        known.documents += 1
        return known.compiler


_SETTER = _Setter()


def set_pages(source: Path, data: Mapping[str, Any], *, typeface: Typeface, label: str) -> SetPages:
    """Set `source`, which may read what lies beside it, with `data` as its `sys.inputs.data`.

    Args:
        source: A file of this repository: typst code can read its folder and isn't limited in any way here.
        label: Of the metadata the caller wants to know, for instance where the signatures go.

    Raises:
        LayoutError: typst failed, or used another typeface.
    """
    written = {"data": json.dumps({**data, "typeface": typeface.family}, ensure_ascii=False)}
    with _SETTER.lock:
        try:
            compiler = _SETTER.compiler(source, typeface)
            laid_out = compiler.compile(format="pdf", pdf_standards=[*STANDARDS], sys_inputs=written)
            told = json.loads(compiler.query(f"<{label}>", field="value"))
        except typst.TypstError as error:
            _SETTER.warm.pop((source, typeface.folder), None)
            raise LayoutError(str(error)) from error
    if not isinstance(laid_out, bytes):
        raise LayoutError("typst gave back no document")
    require_fonts(laid_out, typeface.postscript_names)
    # A revision appended right behind "%%EOF" is no valid PDF/A, and typst leaves the newline out.
    return SetPages(laid_out + b"\n", told[0] if told else None)


@cache
def fonts(folder: Path) -> typst.Fonts:
    """The fonts of a folder and no others: neither the system's nor typst's own."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])


def fonts_in(pdf: bytes) -> frozenset[str]:
    """PostScript names of the fonts of a document, without the mark of their subset."""
    with pikepdf.open(BytesIO(pdf)) as document:
        return frozenset(
            str(thing.BaseFont).lstrip("/").rpartition("+")[2]
            for thing in document.objects
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == pikepdf.Name.Font
        )


def require_fonts(pdf: bytes, wanted: Collection[str]) -> None:
    """Refuse a document set in anything else: with a wrong folder typst silently takes another typeface.

    Raises:
        LayoutError: It has a font of another name.
    """
    if strangers := fonts_in(pdf) - frozenset(wanted):
        raise LayoutError(f"set in {', '.join(sorted(strangers))} instead of {', '.join(sorted(wanted))}")
