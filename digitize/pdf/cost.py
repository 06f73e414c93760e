"""What drawing a page of a PDF would take, reckoned before it is drawn.

Forms are drawn by name, as often as they are named, and may name others: five small ones, each naming the next ten
times, are a hundred thousand drawings in a kilobyte. The reckoning looks at each of them once. Where it can't tell
which one is drawn it takes the dearest, so that no trick of spelling makes a page look cheaper than it is.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pikepdf
import pypdf.generic

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_OPERATORS = 1_000_000  # a second or more of PDFium's time; a dense page of text has ten thousand
MOST_BYTES = 25_000_000  # of unpacked descriptions of a page; an honest one has a hundredth of it

_MOST_LEVELS = 28  # PDFium itself stops a little deeper
_LONGEST_NAME = 100  # PDFium cuts long names, so that two of them may become one
_PLAIN_GLYPH = 16  # operators of a glyph that is a little picture, which PDFium draws once and keeps
_WITHIN_S = 10.0

_EDGE = rb"\0\t\n\f\r ()<>\[\]{}/%"
_TOKENS = re.compile(
    rb"(?P<comment>%[^\r\n]*)"
    rb"|/(?P<name>[^" + _EDGE + rb"]*)(?:[\0\t\n\f\r ]+(?P<does>Do|scn|SCN|gs)(?![^" + _EDGE + rb"]))?"
    rb"|(?<![^" + _EDGE + rb"])(?:[+\-.0-9]+[\0\t\n\f\r ]+(?:scn|SCN)(?![^" + _EDGE + rb"])"
    rb"|(?P<operator>[A-Za-z'\"][^" + _EDGE + rb"]*))"
)
_IMAGE_ENDS = re.compile(rb"[\0\t\n\f\r ]EI(?![^" + _EDGE + rb"])")
_HIDDEN_USE = re.compile(rb"(?<![^" + _EDGE.replace(b"/", b"") + rb"])(Do|scn|SCN|gs)(?![^" + _EDGE + rb"])")
_PAINTING = frozenset(b"f F f* B B* b b* S s sh Tj TJ ' \" Do".split())
_SHOWING = frozenset(b"Tj TJ ' \"".split())
_STRING = re.compile(rb"\((?:\\.|[^\\()])*(\(?)|<([0-9A-Fa-f\s]*)>", re.DOTALL)
_KINDS = {b"Do": "/XObject", b"scn": "/Pattern", b"SCN": "/Pattern", b"gs": "/ExtGState"}


class TooMuch(Exception):
    """The page takes more than any honest one."""


class _Used(NamedTuple):
    """A thing used by name; without a name it may be any of its kind."""

    kind: str
    name: str | None


@dataclass
class _Described:
    """What one description says, without what it draws."""

    operators: int = 0
    painting: int = 0
    shows_text: bool = False
    uses: dict[_Used, int] = field(default_factory=dict)

    def run(self, operator: bytes) -> None:
        self.operators += 1
        self.painting += operator in _PAINTING
        self.shows_text = self.shows_text or operator in _SHOWING

    def use_hidden(self, within: bytes) -> None:
        """Uses within what PDFium may or may not skip."""
        for use in _HIDDEN_USE.finditer(within):
            self.use(use[1], None)

    def use(self, does: bytes, name: bytes | None) -> None:
        known = name is not None and b"#" not in name and len(name) <= _LONGEST_NAME and name.isascii()
        used = _Used(_KINDS[does], "/" + name.decode("ascii") if name is not None and known else None)
        self.uses[used] = self.uses.get(used, 0) + 1


class _Resources(NamedTuple):
    """What names stand for, and whose they are."""

    owner: tuple[int, int]
    listed: Any


class Reckoning:
    """Pages of one file; the time is counted for all pages together that are asked about.

    Read with qpdf, which takes the last of two entries with one name as PDFium does, where pypdf takes the first.
    """

    def __init__(self) -> None:
        self._ends_at = time.monotonic() + _WITHIN_S
        self._bytes_left = MOST_BYTES
        self._known: dict[tuple[tuple[int, int], tuple[int, int]], int] = {}
        self._open: set[tuple[int, int]] = set()
        self._page_resources = _Resources((0, 0), None)

    def page(self, leaf: pikepdf.Page) -> int:
        """Operators that drawing this page runs through, with its annotations.

        Raises:
            TooMuch: More than an honest page has, or one of its forms draws itself.
            Exception: What the page is made of can't be unpacked.
        """
        self._bytes_left = MOST_BYTES
        self._known = {}  # what a form without resources of its own draws depends on its page
        self._page_resources = _Resources(leaf.obj.objgen, _inherited(leaf.obj, "/Resources"))
        total = self._described(self._contents(leaf.obj.get("/Contents")), self._page_resources, 0)
        annotations = leaf.obj.get("/Annots")
        for entry in annotations if isinstance(annotations, pikepdf.Array) else ():
            look = _entry(_entry(entry, "/AP"), "/N")
            looks = [look] if isinstance(look, pikepdf.Stream) else _values(look)
            total += self._dearest(looks, self._page_resources, 1)
            self._check(total)
        return total

    def _contents(self, contents: Any) -> bytes:
        if isinstance(contents, pikepdf.Stream):
            return self._unpacked(contents)
        if isinstance(contents, pikepdf.Array):
            parts = contents  # one by one: each may be a bomb, and all may be the same
            return b"\n".join(self._unpacked(part) for part in parts if isinstance(part, pikepdf.Stream))
        return b""

    def _unpacked(self, stream: Any) -> bytes:
        """What pypdf makes of it, which stops at a limit where qpdf fills the memory."""
        packed = pypdf.generic.EncodedStreamObject()
        packed._data = stream.read_raw_bytes()  # noqa: SLF001  pypdf has no other way in for bytes that are packed
        for name in ("/Filter", "/DecodeParms"):
            if (value := stream.get(name)) is not None:
                packed[pypdf.generic.NameObject(name)] = _for_pypdf(value)
        data = packed.get_data() if "/Filter" in packed else packed._data  # noqa: SLF001
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise TooMuch
        return data

    def _check(self, operators: int) -> None:
        if operators > MOST_OPERATORS or time.monotonic() > self._ends_at:
            raise TooMuch

    def _dearest(self, streams: Iterable[Any], around: _Resources, level: int) -> int:
        return max((self._stream(stream, around, level) for stream in streams), default=0)

    def _stream(self, stream: Any, around: _Resources, level: int) -> int:
        """A form, the cell of a pattern, or a glyph."""
        if not isinstance(stream, pikepdf.Stream) or stream.get("/Subtype") == "/Image":
            return 1
        itself = stream.objgen
        own = stream.get("/Resources")
        resources = _Resources(itself, own) if isinstance(own, pikepdf.Dictionary) else around
        key = (itself, resources.owner)
        if key in self._known:
            return self._known[key]
        if level > _MOST_LEVELS or itself in self._open:
            raise TooMuch
        self._open.add(itself)
        cost = 1 + self._described(self._unpacked(stream), resources, level)
        self._open.discard(itself)
        self._known[key] = cost
        return cost

    def _described(self, data: bytes, resources: _Resources, level: int) -> int:
        said = self._read(data)
        total = said.operators
        every_painting = 0  # patterns and soft masks are drawn again for whatever is painted with them
        for used, times in said.uses.items():
            things = self._named(used, resources)
            if used.kind == "/ExtGState":
                things = [_entry(_entry(thing, "/SMask"), "/G") for thing in things]
            cost = self._dearest((thing for thing in things if isinstance(thing, pikepdf.Stream)), resources, level + 1)
            if used.kind == "/XObject":
                total += times * cost
            else:
                every_painting = max(every_painting, cost)
            self._check(total)
        total += said.painting * every_painting
        if said.shows_text:
            total += self._glyphs(data, resources, level)
        self._check(total)
        return total

    def _read(self, data: bytes) -> _Described:
        said = _Described()
        picture_ends = 0
        for at, token in enumerate(_TOKENS.finditer(data)):
            does, operator = token["does"], token["operator"]
            if comment := token["comment"]:
                said.use_hidden(comment)
            elif token.start() < picture_ends:  # bytes of a picture; or so they pretend
                said.use_hidden(does or operator or b"")
            elif does:
                said.run(does)
                said.use(does, token["name"])
            elif operator:
                said.run(operator)
                if operator in _KINDS:
                    said.use(operator, None)
                elif operator == b"ID":
                    end = _IMAGE_ENDS.search(data, token.end())
                    picture_ends = end.end() if end else len(data)
            if at % 0x1000 == 0:
                self._check(said.operators)
        self._check(said.operators)
        return said

    def _named(self, used: _Used, resources: _Resources) -> list[Any]:
        """What a name may stand for: its own resources are asked, then the page's."""
        listed = [_entry(place.listed, used.kind) for place in (resources, self._page_resources)]
        if used.name is not None:
            for things in listed:
                if (thing := _entry(things, used.name)) is not None:
                    return [thing]
        # A form draws nothing under a name that isn't there; but a name may be spelt in ways we don't know.
        return [thing for things in listed for thing in _values(things) if thing.objgen not in self._open]

    def _glyphs(self, data: bytes, resources: _Resources, level: int) -> int:
        dearest = 0
        for place in (resources, self._page_resources):
            for font in _values(_entry(place.listed, "/Font")):
                if _entry(font, "/Subtype") != "/Type3":
                    continue
                own = _entry(font, "/Resources")
                around = resources if own is None else _Resources(font.objgen, own)
                dearest = max(dearest, self._dearest(_values(_entry(font, "/CharProcs")), around, level + 1))
        return _letters(data) * dearest if dearest > _PLAIN_GLYPH else 0


def _letters(data: bytes) -> int:
    """How many letters are shown, at most."""
    letters = 0
    for string in _STRING.finditer(data):
        if string[1]:  # a parenthesis within: where it ends is not for a pattern to say
            return len(data)
        letters += len(string[0]) if string[2] is None else len(string[2]) // 2
    return letters


def _entry(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, (pikepdf.Dictionary, pikepdf.Stream)) else None


def _values(value: Any) -> list[Any]:
    """The objects of a dictionary; numbers and the like, which draw nothing, are left out."""
    if not isinstance(value, pikepdf.Dictionary):
        return []
    return [thing for thing in value.values() if isinstance(thing, (pikepdf.Dictionary, pikepdf.Stream))]


def _inherited(node: Any, name: str) -> Any:
    for _ in range(_MOST_LEVELS):
        if (found := _entry(node, name)) is not None:
            return found
        node = _entry(node, "/Parent")
    return None


def _for_pypdf(value: Any) -> Any:
    """Filters and their parameters, in pypdf's words."""
    if isinstance(value, pikepdf.Array):
        return pypdf.generic.ArrayObject(_for_pypdf(part) for part in value)
    if isinstance(value, pikepdf.Name):
        return pypdf.generic.NameObject(str(value))
    if isinstance(value, pikepdf.Dictionary):
        items = value.items()
        return pypdf.generic.DictionaryObject({pypdf.generic.NameObject(k): _for_pypdf(v) for k, v in items})
    if isinstance(value, int):
        return pypdf.generic.NumberObject(value)
    return pypdf.generic.NullObject()
