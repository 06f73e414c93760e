"""Our reader finds in every file what pyHanko's own finds, and stumbles where it stumbles."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from signing.integrity import DECODE_LIMITS, filled_fields, open_pdf
from tests import attacks
from tests.pki.paper import paper
from tests.signed_files import issued

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.pki import Pki

_CONTENTS = re.compile(rb"/Contents\s*<([0-9a-f]+)>")


@pytest.fixture(scope="module")
def good_file(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An issued e-result."""
    return issued(pki, tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def good(good_file: Path) -> bytes:
    """Its bytes."""
    return good_file.read_bytes()


def _shape(found: Any) -> Any:
    """Everything that an object is, so that two can be compared."""
    kind = type(found).__name__
    if isinstance(found, generic.IndirectObject):
        return kind, found.idnum, found.generation
    if isinstance(found, generic.StreamObject):
        return kind, found.encoded_data, {key: _shape(value) for key, value in found.items()}
    if isinstance(found, generic.DictionaryObject):
        return kind, [(key, _shape(value)) for key, value in found.items()]
    if isinstance(found, generic.ArrayObject):
        return kind, [_shape(one) for one in found]
    if isinstance(found, generic.TextStringObject | generic.ByteStringObject):
        return kind, found.original_bytes
    return kind, None if isinstance(found, generic.NullObject) else repr(found)


def _everything(reader: Callable[[], PdfFileReader]) -> Any:
    """Every object as it reads now and as it was before the last revision, or what went wrong with it."""
    try:
        opened = reader()
        each = [set(opened.xrefs.explicit_refs_in_revision(n)) for n in range(opened.total_revisions)]
    except Exception as error:  # noqa: BLE001  compared
        return repr(error)
    found = {}
    latest = each[-1]
    for ref in sorted(set().union(*each), key=lambda one: (one.idnum, one.generation)):
        changed = opened.total_revisions - 2 if ref in latest else None
        for revision in {None, changed}:
            try:
                found[ref.idnum, ref.generation, revision] = _shape(opened.get_object(ref, revision))
            except Exception as error:  # noqa: BLE001
                found[ref.idnum, ref.generation, revision] = repr(error)
    return found


def _agree(content: bytes) -> None:
    theirs = _everything(lambda: PdfFileReader(BytesIO(content), decode_limits=DECODE_LIMITS))
    assert _everything(lambda: open_pdf(BytesIO(content))) == theirs


def test_reads_a_result_as_pyhanko_does(good: bytes) -> None:
    _agree(good)
    _agree(paper())


@pytest.mark.parametrize("name", [*attacks.AFTER])
def test_reads_attacks_after_the_seal_as_pyhanko_does(good: bytes, name: str) -> None:
    _agree(attacks.updated(good, attacks.AFTER[name]))


@pytest.mark.parametrize(
    "name", [name for name in attacks.BYTES if not name.startswith(("thousands", "bomb", "content_bomb", "deep"))]
)
def test_reads_attacks_on_the_bytes_as_pyhanko_does(good: bytes, name: str) -> None:
    _agree(attacks.BYTES[name](good))


def _swapped(good: bytes, digits: Callable[[bytes], bytes]) -> bytes:
    """The result with something else, as long as that, where its first signature's digits stood."""
    place = _CONTENTS.search(good)
    assert place
    put = digits(place[0])
    assert len(put) == len(place[0])
    return good[: place.start()] + put + good[place.end() :]


@pytest.mark.parametrize(
    "digits",
    [
        lambda was: was.upper().replace(b"/CONTENTS", b"/Contents"),
        lambda was: was[:700] + b" " + was[701:],
        lambda was: was[:700] + b"\n" + was[701:],
        lambda was: was[:-2] + b"> ",
        lambda was: was[:-3] + b">  ",
        lambda was: was[:700] + b"g" + was[701:],
        lambda was: was[:-1] + b"0",
        lambda was: b"/Cert (" + was[7:-1] + b")",
        lambda was: b"%" + was[1:],
        lambda was: b"/X (" + was[4:-1] + b")",
        lambda was: was[:-20] + b"> /Contents <00>    "[-20:],
        lambda was: b"/Contents <00> " + was[15:],
        lambda was: b"/A << " + was[6:-3] + b">>>",
        lambda was: was[:-8] + b"> endobj"[-8:],
        lambda was: was[:-9] + b"> stream\n",
        lambda was: b"/Contents [" + was[11:-1] + b"]",
        lambda was: was.replace(b"/Contents", b"/Content#73"[:9]),
    ],
)
def test_reads_odd_signatures_as_pyhanko_does(good: bytes, digits: Callable[[bytes], bytes]) -> None:
    _agree(_swapped(good, digits))


_TOKENS = (
    *(
        b"%",
        b"\\",
        b"(",
        b")",
        b"<",
        b">",
        b"<<",
        b">>",
        b"[",
        b"]",
        b"/",
        b"#41",
        b"0 R",
        b" 1 0 R ",
        b"null",
        b"-",
        b".5",
    ),
    *(b"-", b".5", b"\0", b"\r", b"endobj", b"stream\n", b" 1  0 R ", b"+1", b"4.", b"true", b"/Length 1 0 R"),
    *(b"(a\\53)", b"<1 2>"),
)


@given(
    which=st.floats(0, 1, exclude_max=True),
    deep=st.integers(0, 600),
    put=st.one_of(st.binary(min_size=1, max_size=3), st.sampled_from(_TOKENS)),
    over=st.booleans(),
)
@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_reads_a_changed_object_as_pyhanko_does(
    good_file: Path, which: float, deep: int, put: bytes, *, over: bool
) -> None:
    good = good_file.read_bytes()
    written = [one.span() for one in re.finditer(rb"(?<=\n)\d+ 0 obj.*?endobj", good, re.DOTALL)]
    start, end = written[int(which * len(written))]
    at = start + min(deep, (end - start) // 2)
    changed = good[start:at] + put + good[at + len(put) * over : end]
    found = []
    for reader in (PdfFileReader(BytesIO(good), decode_limits=DECODE_LIMITS), open_pdf(BytesIO(good))):
        number = int(good[start:end].split(b" ", 1)[0])
        reader.stream = BytesIO(b"\n" * reader.xrefs[generic.Reference(number, 0, reader)] + changed + b"\nxref\n")
        try:
            found.append(_shape(reader.get_object(generic.Reference(number, 0, reader))))
        except Exception as error:  # noqa: BLE001  compared
            found.append(repr(error))
    assert found[0] == found[1]


class _Counted(BytesIO):
    """Counts how often it is asked."""

    asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.asked += 1
        return super().read(size)


def test_reads_a_signature_in_a_few_steps_instead_of_thousands(good: bytes) -> None:
    def steps(reader: type[PdfFileReader] | Callable[[BytesIO], PdfFileReader]) -> int:
        stream = _Counted(good)
        opened = reader(stream)
        before = stream.asked
        for _, field in filled_fields(opened):
            assert field.get_object()["/V"]["/Contents"]
        return stream.asked - before

    assert steps(PdfFileReader) > 10 * steps(open_pdf)
