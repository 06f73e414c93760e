"""Writing a PDF one object at a time, so that two thousand pages need no more memory than one."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Mapping


class PdfFile:
    """A PDF 1.7 file being written. The same objects in the same order always give the same bytes.

    Objects are numbered on reservation and written once each; `close` writes the cross-reference table and the trailer,
    whose /ID is a hash of everything before it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._offsets: list[int | None] = []
        self._position = 0
        self._hash = hashlib.sha256()
        # Four bytes above 127 tell programs that move files that this one is binary (ISO 19005-2, 6.1.2).
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def reserve(self) -> int:
        """Number of an object to be written later."""
        self._offsets.append(None)
        return len(self._offsets)

    def put(self, body: bytes, *, number: int | None = None) -> int:
        """Write an object; returns its number."""
        number = number or self.reserve()
        self._offsets[number - 1] = self._position
        self._write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        return number

    def put_stream(
        self,
        data: bytes,
        entries: Mapping[str, bytes] | None = None,
        *,
        compress: bool = True,
        number: int | None = None,
    ) -> int:
        """Write a stream object; returns its number."""
        fields = dict(entries or {})
        if compress:
            data = zlib.compress(data, 9)
            fields["Filter"] = b"/FlateDecode"
        fields["Length"] = b"%d" % len(data)
        return self.put(dictionary(fields) + b"\nstream\n" + data + b"\nendstream", number=number)

    def close(self, *, root: int, info: int) -> None:
        """Write the cross-reference table and the trailer."""
        start = self._position
        identity = self._hash.hexdigest()[:32].encode("ascii")
        lines = [b"%010d 00000 n \n" % offset for offset in self._offsets if offset is not None]
        if len(lines) != len(self._offsets):
            raise AssertionError("an object was reserved and never written")
        size = len(lines) + 1
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % size + b"".join(lines))
        trailer = dictionary(
            {
                "Size": b"%d" % size,
                "Root": reference(root),
                "Info": reference(info),
                "ID": b"[<%s> <%s>]" % (identity, identity),
            }
        )
        self._write(b"trailer\n" + trailer + b"\nstartxref\n%d\n%%%%EOF\n" % start)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self._position += len(data)


def reference(number: int) -> bytes:
    """An indirect reference."""
    return b"%d 0 R" % number


def dictionary(entries: Mapping[str, bytes]) -> bytes:
    """A dictionary from names to values that are written already."""
    return b"<< " + b" ".join(b"/%s %s" % (name.encode("ascii"), value) for name, value in entries.items()) + b" >>"


def text_string(text: str) -> bytes:
    """A text string in UTF-16, as a hexadecimal string."""
    return b"<" + ("\ufeff" + text).encode("utf-16-be").hex().upper().encode("ascii") + b">"
