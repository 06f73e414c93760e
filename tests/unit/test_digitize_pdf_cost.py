"""A page that would be drawn for hours is refused before anybody begins to draw it."""

from __future__ import annotations

import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from digitize import load
from digitize.pdf import scan as pdf_scan
from digitize.types import UnreadableScan
from tests.papers import page_pdf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_PIXELS = 180_000_000
AT_ONCE_S = 5.0  # on a busy machine; drawing any of these takes minutes
DOORS: dict[str, Callable[[Path], object]] = {
    "looked at": lambda file: pdf_scan.page_jpeg(file, 1, dpi=20, max_pixels=MAX_PIXELS),
    "read": lambda file: load.page(file, 1),
    "inspected": load.inspect,
}


def form(pdf: pikepdf.Pdf, content: bytes, **named: Any) -> Any:
    """A form with the things it may name, by kind."""
    stream = pdf.make_stream(content)
    stream.update({"/Type": Name.XObject, "/Subtype": Name.Form, "/BBox": [0, 0, 9, 9]})
    stream["/Resources"] = Dictionary(named)
    return stream


def nested(pdf: pikepdf.Pdf, levels: int) -> Any:
    """A form of ten forms of ten forms …"""
    thing = form(pdf, b"0 0 9 9 re f " * 10)
    for _ in range(levels):
        thing = form(pdf, b"/X Do " * 10, **{"/XObject": Dictionary(X=thing)})
    return thing


def with_page(content: bytes, **named: Callable[[pikepdf.Pdf], Any]) -> bytes:
    file = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(200, 200))
        pdf.pages[0].obj["/Resources"] = Dictionary({f"/{kind}": make(pdf) for kind, make in named.items()})
        pdf.pages[0].obj["/Contents"] = pdf.make_stream(content)
        pdf.save(file, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return file.getvalue()


def forms(levels: int = 6) -> Callable[[pikepdf.Pdf], Any]:
    return lambda pdf: Dictionary(X=nested(pdf, levels), A=form(pdf, b"f"))


def refused_at_once(pdf: bytes, folder: Path, door: str = "looked at") -> str:
    file = folder / "a.pdf"
    file.write_bytes(pdf)
    began = time.monotonic()
    with pytest.raises(UnreadableScan) as refused:
        DOORS[door](file)
    assert time.monotonic() - began < AT_ONCE_S
    return refused.value.reason


def drawn(pdf: bytes, folder: Path) -> None:
    file = folder / "a.pdf"
    file.write_bytes(pdf)
    for door in DOORS.values():
        door(file)


@pytest.mark.parametrize("door", DOORS)
def test_forms_within_forms_are_refused_at_every_door(tmp_path: Path, door: str) -> None:
    bomb = with_page(b"/X Do", XObject=forms())

    assert len(bomb) < 4000
    assert refused_at_once(bomb, tmp_path, door) == "page_too_large"


def test_a_page_that_isnt_the_first_is_reckoned_too(tmp_path: Path) -> None:
    file = BytesIO()
    with pikepdf.open(BytesIO(with_page(b"/X Do", XObject=forms()))) as pdf:
        pdf.add_blank_page(page_size=(200, 200))
        pdf.pages.reverse()
        pdf.save(file)

    assert refused_at_once(file.getvalue(), tmp_path, "inspected") == "page_too_large"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"/X%\nDo", id="a comment between"),
        pytest.param(b"/X %/A\nDo", id="a comment that names another"),
        pytest.param(b"(%) Tj /X Do", id="a comment that is none"),
        pytest.param(b"/#58 Do", id="an escaped name"),
        pytest.param(b"(X) Do", id="a string for a name"),
        pytest.param(b"BI /W 1 /H 1 /BPC 8 /CS /G ID  EI /X Do ( EI ", id="after a picture"),
        pytest.param(b"ID /X Do EI ", id="within a picture that is none"),
    ],
)
def test_no_spelling_hides_what_is_drawn(tmp_path: Path, content: bytes) -> None:
    assert refused_at_once(with_page(content, XObject=forms()), tmp_path) == "page_too_large"


def test_the_last_of_two_with_one_name_counts(tmp_path: Path) -> None:
    bomb = with_page(b"/A Do", XObject=lambda pdf: Dictionary(A=form(pdf, b"f"), B=nested(pdf, 6)))

    assert bomb.count(b"/B ") == 1
    assert refused_at_once(bomb.replace(b"/B ", b"/A "), tmp_path) == "page_too_large"


def test_one_dear_form_drawn_a_thousand_times_is_refused(tmp_path: Path) -> None:
    assert refused_at_once(with_page(b"/X Do " * 1000, XObject=forms(3)), tmp_path) == "page_too_large"


def test_a_plain_page_with_too_much_on_it_is_refused(tmp_path: Path) -> None:
    assert refused_at_once(with_page(b"0 0 9 9 re f " * 600_000), tmp_path) == "page_too_large"


def test_a_form_that_draws_itself_is_refused(tmp_path: Path) -> None:
    def itself(pdf: pikepdf.Pdf) -> Any:
        thing = pdf.make_indirect(form(pdf, b"/X Do"))
        thing.Resources["/XObject"] = Dictionary(X=thing)
        return Dictionary(X=thing)

    assert refused_at_once(with_page(b"/X Do", XObject=itself), tmp_path) == "page_too_large"


def test_forms_that_find_each_other_on_the_page_are_refused(tmp_path: Path) -> None:
    everyone = b"/A Do /B Do /C Do /D Do /E Do /F Do /G Do /H Do /I Do /J Do /K Do "

    def each_other(pdf: pikepdf.Pdf) -> Any:
        return Dictionary({f"/{name}": form(pdf, everyone) for name in "ABCDEFGHIJK"})

    assert refused_at_once(with_page(everyone, XObject=each_other), tmp_path) == "page_too_large"


def test_the_look_of_an_annotation_is_reckoned(tmp_path: Path) -> None:
    file = BytesIO()
    with pikepdf.open(BytesIO(with_page(b""))) as pdf:
        look = Dictionary(N=nested(pdf, 6))
        stamp = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=[0, 0, 50, 50], F=4, AP=look)
        pdf.pages[0].obj["/Annots"] = pdf.make_indirect(Array([stamp]))
        pdf.save(file)

    assert refused_at_once(file.getvalue(), tmp_path) == "page_too_large"


def test_patterns_soft_masks_and_drawn_letters_are_reckoned(tmp_path: Path) -> None:
    def pattern(pdf: pikepdf.Pdf) -> Any:
        cell = nested(pdf, 4)
        cell.update({"/PatternType": 1, "/PaintType": 1, "/TilingType": 1, "/XStep": 9, "/YStep": 9})
        return Dictionary(P=cell)

    def mask(pdf: pikepdf.Pdf) -> Any:
        return Dictionary(M=Dictionary(SMask=Dictionary(S=Name.Luminosity, G=nested(pdf, 4))))

    def font(pdf: pikepdf.Pdf) -> Any:
        letter = pdf.make_stream(b"9 0 d0 /X Do")
        draws = Dictionary(XObject=Dictionary(X=nested(pdf, 4)))
        return Dictionary(
            T=Dictionary(
                Type=Name.Font, Subtype=Name.Type3, FontBBox=[0, 0, 9, 9], FontMatrix=Array([1, 0, 0, 1, 0, 0]),
                FirstChar=97, LastChar=97, Widths=[9], CharProcs=Dictionary(a=letter),
                Encoding=Dictionary(Differences=[97, Name.a]), Resources=draws,
            )
        )  # fmt: skip

    painted = b"0 0 9 9 re f " * 20
    assert refused_at_once(with_page(b"/Pattern cs /P scn " + painted, Pattern=pattern), tmp_path) == "page_too_large"
    assert refused_at_once(with_page(b"/M gs " + painted, ExtGState=mask), tmp_path) == "page_too_large"
    written = b"BT /T 1 Tf (aaaaaaaaaaaaaaaaaaaa) Tj ET"
    assert refused_at_once(with_page(written, Font=font), tmp_path) == "page_too_large"


@pytest.mark.parametrize("piece", [b"1", b"( ", b"<0", b"ID ", b"%\n", b"/", b"/a "])
def test_what_is_hard_to_take_apart_takes_no_long_time(tmp_path: Path, piece: bytes) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(with_page(b"Tj " + piece * (2_000_000 // len(piece))))
    began = time.process_time()  # what others do on the machine doesn't count
    load.inspect(file)

    assert time.process_time() - began < AT_ONCE_S


def test_a_seal_drawn_on_a_page_of_text_and_a_form_drawn_often_are_honest(tmp_path: Path) -> None:
    drawn(page_pdf("Quyết định"), tmp_path)
    drawn(with_page(b"/X Do " * 300 + b"0.5 g " * 3000, XObject=forms(1)), tmp_path)


def test_forms_may_share_one_list_of_all_that_is_drawn(tmp_path: Path) -> None:
    def shared(pdf: pikepdf.Pdf) -> Any:
        everything = pdf.make_indirect(Dictionary())
        outer, inner = form(pdf, b"% one in the other\n/Inner Do"), form(pdf, b"0 0 9 9 re f")
        everything.update({"/Outer": outer, "/Inner": inner})
        for thing in (outer, inner):
            thing["/Resources"] = Dictionary(XObject=everything)
        return everything

    drawn(with_page(b"/Outer Do /Inner Do", XObject=shared), tmp_path)
