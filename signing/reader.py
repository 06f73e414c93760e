"""A strict reader of PDFs that takes ordinary objects in at a glance.

pyHanko reads a file character by character: the digits of the signatures alone, sixty thousand of them, were a quarter
of what a verdict cost, and all other objects an eighth. Nearly every object is written in the plainest way, though: for
those a short grammar is enough, with one reading only. Whatever goes beyond it by a single character, escapes,
comments, a key twice, a length kept elsewhere, an end that isn't where it was said to be, is left to pyHanko from its
first byte on, with all that it objects to. `tests/integration/test_verify_reader.py` holds the two together.

Source: ISO 32000-1, 7.3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyhanko.pdf_utils.decode_limits import DecodeLimits

_PDF: Any = generic  # untyped in 0.38
#: How much of the file is looked at for one object, its stream apart; and where it holds a signature.
_WINDOW, _WIDE_WINDOW = 8 * 1024, 1024 * 1024
#: Deeper than anybody writes.
_MOST_OPEN = 32

_START = re.compile(rb"(\d{1,10}) (\d{1,5}) obj\b")
_END = re.compile(rb"[ \r\n]*endobj\b")
_STREAM = re.compile(rb"[ \r\n]*stream\r?\n")
_STREAM_END = re.compile(rb"[ \r\n]*endstream[ \r\n]+endobj\b")
_TOKEN = re.compile(
    rb"[ \t\r\n]*(?:"
    rb"(?P<name>/[A-Za-z0-9_.+:*-]+)(?=[ \t\r\n/<>\[\](])"
    rb"|(?P<ref>([1-9]\d{0,8}) (\d{1,5}) R)(?=[ \t\r\n/>\]])"
    rb"|(?P<whole>-?\d{1,15})(?=[ \t\r\n/<>\[\](])"
    rb"|(?P<real>-?\d{1,10}\.\d{1,10})(?=[ \t\r\n/<>\[\](])"
    rb"|(?P<dictionary><<)|(?P<closed>>>)|(?P<array>\[)|(?P<ended>\])"
    rb"|<(?P<digits>[0-9A-Fa-f]*+)>"
    rb"|\((?P<text>(?:[ -'*-\[\]-~\x80-\xff]++|\\[0-3][0-7]{2}|\\[()\\])*+)\)"
    rb"|(?P<truth>true|false)(?=[ \t\r\n/>\]])|(?P<null>null)(?=[ \t\r\n/>\]])"
    rb")"
)
_ESCAPED = re.compile(rb"\\([0-3][0-7]{2}|[()\\])")


class QuickReader(PdfFileReader):
    """As `PdfFileReader`, in every revision; only quicker."""

    def __init__(self, stream: BinaryIO, *, decode_limits: DecodeLimits) -> None:
        self._plain = False  # until the structure itself is read, and for good where anything is encrypted
        self._were: dict[tuple[int, int, int], Any] = {}
        super().__init__(stream, strict=True, decode_limits=decode_limits)
        self._plain = "/Encrypt" not in self.trailer

    def get_object(  # type: ignore[override]  # as its own parent has it
        self,
        ref: Any,
        revision: int | None = None,
        never_decrypt: bool = False,  # noqa: FBT001, FBT002  as there, like the next two
        transparent_decrypt: bool = True,  # noqa: FBT001, FBT002
        as_metadata_stream: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        """As there; what is ordinary is found among the objects read before, or read quickly and kept there."""
        if self._plain and not as_metadata_stream:
            found = self._now(ref) if revision is None else self._once(ref, revision)
            if found is not None:
                return found
        return super().get_object(ref, revision, never_decrypt, transparent_decrypt, as_metadata_stream)  # type: ignore[no-untyped-call]

    def _now(self, ref: Any) -> Any:
        known = self.cache_get_indirect_object(ref.generation, ref.idnum)  # type: ignore[no-untyped-call]
        if known is not None:
            return known
        try:
            at = self.xrefs[ref]
        except KeyError:
            return None
        found = self._read(ref, at) if isinstance(at, int) else None
        if found is not None:
            self.cache_indirect_object(ref.generation, ref.idnum, found)  # type: ignore[no-untyped-call]
        return found

    def _once(self, ref: Any, revision: int) -> Any:
        """An object as it was in a revision: the same for all in which it stands at the same place."""
        at = self.xrefs.get_historical_ref(ref, revision)
        if not isinstance(at, int):
            return None
        key = (ref.idnum, ref.generation, at)
        if key not in self._were:
            self._were[key] = self._read(ref, at)
        return self._were[key]

    def _read(self, ref: Any, at: int) -> Any:
        """The object that begins there; None unless it is written plainly."""
        text = self._bytes(at, _WINDOW)
        start = _START.match(text)
        if not start or (int(start[1]), int(start[2])) != (ref.idnum, ref.generation):
            return None
        owner = generic.Reference(ref.idnum, ref.generation, self)
        read = _object(text, start.end(), owner)
        if read is None and b"/Contents" in text and len(text) == _WINDOW:
            text = self._bytes(at, _WIDE_WINDOW)
            read = _object(text, start.end(), owner)
        if read is None:
            return None
        found, end = read
        if _END.match(text, end):
            return found
        stream = _STREAM.match(text, end)
        if not stream or not isinstance(found, generic.DictionaryObject):
            return None
        return self._with_stream(found, at + stream.end(), owner)

    def _with_stream(self, found: generic.DictionaryObject, at: int, owner: generic.Reference) -> Any:
        length = found.raw_get("/Length") if "/Length" in found else None
        if not isinstance(length, generic.NumberObject) or length < 0:
            return None
        data = self._bytes(at, length)
        if len(data) != length or not _STREAM_END.match(self._bytes(at + length, 64)):
            return None
        stream = generic.StreamObject(found, encoded_data=data)
        stream.container_ref = owner
        return stream

    def _bytes(self, at: int, length: int) -> bytes:
        self.stream.seek(at)
        return bytes(self.stream.read(length))


def _object(text: bytes, at: int, owner: generic.Reference) -> tuple[Any, int] | None:
    """The object that begins at a place, and where it ends; None where anything is unusual."""
    open_: list[tuple[str, list[Any]]] = []
    while token := _TOKEN.match(text, at):
        at, kind = token.end(), str(token.lastgroup)
        if kind in {"dictionary", "array"}:
            if len(open_) == _MOST_OPEN:
                return None
            open_.append((kind, []))
            continue
        value = _closed(open_.pop() if open_ else None, kind) if kind in {"closed", "ended"} else _value(token, owner)
        if value is None:
            return None
        value.container_ref = owner
        if not open_:
            return value, at
        open_[-1][1].append(value)
    return None


def _closed(opened: tuple[str, list[Any]] | None, kind: str) -> Any:
    """The array or dictionary that ends here."""
    if opened is None or (opened[0] == "array") != (kind == "ended"):
        return None
    parts = opened[1]
    if kind == "ended":
        return generic.ArrayObject(parts)
    keys = parts[::2]
    if len(parts) % 2 or not all(type(key) is generic.NameObject for key in keys) or len(set(keys)) < len(keys):
        return None
    return _PDF.DictionaryObject(dict(zip(keys, parts[1::2], strict=True)))


def _value(token: re.Match[bytes], owner: generic.Reference) -> Any:
    kind = str(token.lastgroup)
    return _VALUES[kind](token[kind], owner)


def _reference(written: bytes, owner: Any) -> Any:
    idnum, generation, _ = written.split(b" ")
    return _PDF.IndirectObject(int(idnum), int(generation), owner.get_pdf_handler())


def _hexadecimal(written: bytes, _: Any) -> Any:
    return None if len(written) % 2 else _PDF.pdf_string(bytes.fromhex(written.decode("ascii")))


def _literal(written: bytes, _: Any) -> Any:
    return _PDF.pdf_string(_ESCAPED.sub(_unescaped, written))


def _unescaped(found: re.Match[bytes]) -> bytes:
    return found[1] if len(found[1]) == 1 else bytes([int(found[1], 8)])


_VALUES: dict[str, Callable[[bytes, Any], Any]] = {
    "name": lambda written, _: _PDF.NameObject(written.decode("ascii")),
    "ref": _reference,
    "whole": lambda written, _: _PDF.NumberObject(written),
    "real": lambda written, _: _PDF.FloatObject(written.decode("ascii")),
    "digits": _hexadecimal,
    "text": _literal,
    "truth": lambda written, _: _PDF.BooleanObject(written == b"true"),
    "null": lambda _, __: _PDF.NullObject(),
}
