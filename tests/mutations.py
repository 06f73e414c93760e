"""What an attacker who knows PDF and CMS does to a genuine result, as small steps that any chooser can put together.

The same steps serve hypothesis (`tests/integration/test_verify_fuzz.py`) and atheris (`bench/fuzz_verify.py`).
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Callable

_RANGE = re.compile(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]")

#: What a dictionary, a number or a structure might be replaced by.
_TOKENS = (
    b"null",
    b"true",
    b"0",
    b"-1",
    b"99999999999",
    b"[]",
    b"<<>>",
    b"<< /A 1 0 R >>",
    b"1 0 R",
    b"0 0 R",
    b"(x)",
    b"<00>",
    b"/Sig",
    b"/DocTimeStamp",
    b"/Annot",
    b"/JavaScript",
    b"/OCG",
    b"/Prev 0",
    b"/XRefStm 9",
    b"/Encrypt 1 0 R",
    b"/ByteRange [0 0 0 0]",
    b"/SubFilter/adbe.x509.rsa_sha1",
    b"/Contents<>",
    b"endobj",
    b"endstream",
    b"%%EOF",
    b"startxref\n9\n",
    b"xref\n0 1\n0000000000 65535 f \n",
    b"trailer<</Root 1 0 R>>",
    b"9 9 obj<</Type/Catalog>>endobj",
)
_KEYS = (
    b"/V",
    b"/Kids",
    b"/Fields",
    b"/Rect",
    b"/AP",
    b"/Type",
    b"/Parent",
    b"/ByteRange",
    b"/Contents",
    b"/Filter",
    b"/FT",
    b"/SubFilter",
    b"/Reference",
    b"/DSS",
    b"/Perms",
    b"/AcroForm",
    b"/Annots",
    b"/Size",
    b"/Prev",
    b"/Root",
    b"/Length",
    b"/P",
    b"/F",
    b"/W",
    b"/Index",
    b"/Lock",
    b"/TransformParams",
)


class Chooser(Protocol):
    """Makes the choices: hypothesis, atheris or chance."""

    def number(self, least: int, most: int) -> int:
        """A number within both bounds."""
        ...

    def some(self, most: int) -> bytes:
        """A few bytes, or none."""
        ...


def mutate(genuine: bytes, choose: Chooser) -> bytes:
    """The file after one to four steps."""
    content = genuine
    for _ in range(choose.number(1, 4)):
        step = _STEPS[choose.number(0, len(_STEPS) - 1)]
        content = step(content, choose)
    return content


def ranges(content: bytes) -> list[tuple[int, int, int, int]]:
    """The covered ranges as they are written."""
    return [(int(a), int(b), int(c), int(d)) for a, b, c, d in _RANGE.findall(content)]


# --- bytes ----------------------------------------------------------------------------------------------------------


def _place(content: bytes, choose: Chooser) -> int:
    return choose.number(0, max(0, len(content) - 1))


def _flip(content: bytes, choose: Chooser) -> bytes:
    at = _place(content, choose)
    return content[:at] + bytes([content[at] ^ choose.number(1, 255)]) + content[at + 1 :] if content else content


def _overwrite(content: bytes, choose: Chooser) -> bytes:
    at, piece = _place(content, choose), choose.some(40)
    return content[:at] + piece + content[at + len(piece) :]


def _insert(content: bytes, choose: Chooser) -> bytes:
    at = _place(content, choose)
    return content[:at] + choose.some(60) + content[at:]


def _remove(content: bytes, choose: Chooser) -> bytes:
    at = _place(content, choose)
    return content[:at] + content[at + choose.number(1, 400) :]


def _cut(content: bytes, choose: Chooser) -> bytes:
    ends = [found.end() for found in re.finditer(rb"%%EOF\s?", content)]
    if ends and choose.number(0, 1):
        return content[: ends[choose.number(0, len(ends) - 1)]]
    return content[: _place(content, choose)]


def _move(content: bytes, choose: Chooser) -> bytes:
    start, length, at = _place(content, choose), choose.number(1, 3000), _place(content, choose)
    return content[:at] + content[start : start + length] + content[at:]


def _token(content: bytes, choose: Chooser) -> bytes:
    """Put a token over the value of a key: in place, so that offsets stay true, or not."""
    key = _KEYS[choose.number(0, len(_KEYS) - 1)]
    places = [found.end() for found in re.finditer(re.escape(key) + rb"\b", content)]
    if not places:
        return content
    at = places[choose.number(0, len(places) - 1)]
    token = b" " + _TOKENS[choose.number(0, len(_TOKENS) - 1)] + b" "
    return content[:at] + token + content[at + (len(token) if choose.number(0, 3) else 0) :]


def _number(content: bytes, choose: Chooser) -> bytes:
    """Another number, of the same length, in a dictionary or table."""
    places = list(re.finditer(rb"(?<=[ \[])\d{1,10}(?=[ \]/>\r\n])", content[-200_000:]))
    if not places:
        return content
    found = places[choose.number(0, len(places) - 1)]
    at = max(0, len(content) - 200_000) + found.start()
    other = str(choose.number(0, 10 ** len(found[0]) - 1)).zfill(len(found[0])).encode()
    return content[:at] + other + content[at + len(other) :]


# --- signatures -----------------------------------------------------------------------------------------------------


def _signature(content: bytes, choose: Chooser) -> bytes:
    """Change the tree of a CMS structure: a tag, a length, a value, or a piece swapped for another."""
    found = [one for one in ranges(content) if 0 < one[1] < one[2] <= len(content)]
    if not found:
        return content
    _, first, second, _ = found[choose.number(0, len(found) - 1)]
    try:
        der = bytearray(bytes.fromhex(content[first + 1 : second - 1].decode("ascii")))
    except ValueError:
        return content
    used = max(1, len(bytes(der).rstrip(b"\0")))
    for _ in range(choose.number(1, 3)):
        at, how = choose.number(0, used - 1), choose.number(0, 4)
        if how == 0:
            der[at] = choose.number(0, 255)
        elif how == 1:
            der[at] ^= 1 << choose.number(0, 7)
        elif how == 2:
            length, other = choose.number(1, 200), choose.number(0, used - 1)
            der[at : at + length] = der[other : other + length]
        elif how == 3:
            del der[at : at + choose.number(1, 50)]
        else:
            der[at:at] = choose.some(50)
    room = (second - first - 2) // 2
    return content[: first + 1] + bytes(der)[:room].ljust(room, b"\0").hex().encode() + content[second - 1 :]


def _exchange(content: bytes, choose: Chooser) -> bytes:
    """Put one signature into the room of another."""
    found = [one for one in ranges(content) if 0 < one[1] < one[2] <= len(content)]
    if not found:
        return content
    a, b = (found[choose.number(0, len(found) - 1)] for _ in range(2))
    taken, room = content[a[1] + 1 : a[2] - 1], b[2] - b[1] - 2
    return content[: b[1] + 1] + taken[:room].ljust(room, b"0") + content[b[2] - 1 :]


def _range(content: bytes, choose: Chooser) -> bytes:
    """Another covered range, written over the old one."""
    found = list(_RANGE.finditer(content))
    if not found:
        return content
    old = found[choose.number(0, len(found) - 1)]
    numbers = [int(number) for number in old.groups()]
    numbers[choose.number(0, 3)] += choose.number(-2000, 2000)
    new = b"/ByteRange [%d %d %d %d]" % tuple(numbers)
    return content[: old.start()] + new.ljust(len(old[0]))[: len(old[0])] + content[old.end() :]


# --- revisions ------------------------------------------------------------------------------------------------------


def _revision(content: bytes, choose: Chooser) -> bytes:
    """One more revision, well-formed, that replaces an object by something made up or by another object's text."""
    starts = re.findall(rb"startxref\s+(\d+)\s+%%EOF", content)
    roots = re.findall(rb"/Root (\d+ \d+ R)", content)
    sizes = re.findall(rb"/Size (\d+)", content)
    objects = list(re.finditer(rb"(?:^|[\r\n])(\d{1,5}) 0 obj\b(.{0,3000}?)endobj", content, re.DOTALL))
    if not (starts and roots and sizes and objects):
        return content
    target = int(objects[choose.number(0, len(objects) - 1)][1])
    body = objects[choose.number(0, len(objects) - 1)][2]
    how = choose.number(0, 3)
    if how == 1:
        body = b" " + _TOKENS[choose.number(0, len(_TOKENS) - 1)] + b" "
    elif how == 2:
        body = _token(body, choose)
    elif how == 3:
        target = int(sizes[-1])
    at = len(content) + 1
    new = b"\n%d 0 obj%sendobj\n" % (target, body)
    table = b"xref\n%d 1\n%010d 00000 n \n" % (target, at)
    trailer = b"trailer\n<</Size %d/Root %s/Prev %s>>\n" % (max(int(sizes[-1]), target + 1), roots[-1], starts[-1])
    return content + new + table + trailer + b"startxref\n%d\n%%%%EOF\n" % (len(content) + len(new))


def _saved(content: bytes, choose: Chooser) -> bytes:
    """Saved again by another program, one of its ways."""
    try:
        with pikepdf.open(BytesIO(content)) as document:
            out = BytesIO()
            packed = (pikepdf.ObjectStreamMode.generate, pikepdf.ObjectStreamMode.preserve)[choose.number(0, 1)]
            document.save(out, object_stream_mode=packed, static_id=True)
            return out.getvalue()
    except (pikepdf.PdfError, ValueError, RuntimeError):
        return content


_STEPS: tuple[Callable[[bytes, Chooser], bytes], ...] = (
    _flip,
    _overwrite,
    _insert,
    _remove,
    _cut,
    _move,
    _token,
    _token,
    _number,
    _signature,
    _signature,
    _signature,
    _exchange,
    _range,
    _revision,
    _revision,
    _revision,
    _saved,
)


# --- the oracle -----------------------------------------------------------------------------------------------------


def shows(content: bytes) -> object:
    """What a reader shows of a file: asked of another library than the one under test."""
    with pikepdf.open(BytesIO(content)) as document:
        root = document.Root
        does = {key: root[key].unparse() for key in ("/OpenAction", "/AA", "/OCProperties", "/Names") if key in root}
        return [_page(page) for page in document.pages], does


def _page(page: pikepdf.Page) -> object:
    contents = page.obj.get("/Contents")
    pieces = list(contents) if isinstance(contents, pikepdf.Array) else [contents] if contents is not None else []
    looks = []
    for note in page.obj.get("/Annots", []):
        box = [float(number) for number in note.get("/Rect", [])]
        if "/AP" in note and any(box):
            looks.append((box, note.AP.N.read_bytes()))
    return [piece.read_bytes() for piece in pieces], [float(n) for n in page.mediabox], looks
