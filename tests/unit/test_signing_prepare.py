"""Empty fields before the first signature: placed, tagged, and refused where they would harm."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String
from pyhanko.pdf_utils.reader import PdfFileReader

from signing.prepare import add_fields, fields_of
from signing.types import FIELD_NAMES, Place, SignaturePlace, SigningRefused
from tests.pki.paper import COPY_PLACE, LEADER_PLACE, SCANNER_PLACE, SEAL_PLACE, paper
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

BOTH = [LEADER_PLACE, SEAL_PLACE]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source.pdf").write_bytes(paper())
    return tmp_path / "source.pdf"


def changed(source: Path, change: object) -> Path:
    target = source.with_name("changed.pdf")
    with pikepdf.open(source) as pdf:
        change(pdf)  # type: ignore[operator]
        pdf.save(target)
    return target


def test_all_fields_stand_where_they_were_asked_for(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.pdf"
    annex = SignaturePlace(Place.ANNEX, 1, (417, 760, 587, 790))
    report = SignaturePlace(Place.REPORT, 1, (30, 30, 200, 60))
    places = [*BOTH, COPY_PLACE, SCANNER_PLACE, annex, report]
    add_fields(source, target, places)
    assert fields_of(target).names == set(FIELD_NAMES.values())
    assert not fields_of(target).signed
    assert_pdfa(target, flavour="2a")
    assert_pdfa(target, flavour="ua1")
    with pikepdf.open(target) as pdf:
        boxes = {str(f.T): tuple(float(edge) for edge in f.Rect) for f in pdf.Root.AcroForm.Fields}
    assert boxes == {place.field_name: place.box for place in places}
    assert target.read_bytes().endswith(b"\n")


def test_fields_already_there_stay_as_they_are(source: Path, tmp_path: Path) -> None:
    once, twice = tmp_path / "once.pdf", tmp_path / "twice.pdf"
    add_fields(source, once, BOTH)
    add_fields(once, twice, [SignaturePlace(Place.LEADER, 1, (0, 0, 10, 10)), SEAL_PLACE, COPY_PLACE])
    with pikepdf.open(twice) as pdf:
        names = [str(field.T) for field in pdf.Root.AcroForm.Fields]
        assert sorted(names) == sorted({LEADER_PLACE.field_name, SEAL_PLACE.field_name, COPY_PLACE.field_name})
        assert tuple(float(edge) for edge in pdf.Root.AcroForm.Fields[0].Rect) == LEADER_PLACE.box


def test_an_untagged_file_gets_no_tags(source: Path, tmp_path: Path) -> None:
    def untag(pdf: pikepdf.Pdf) -> None:
        del pdf.Root.StructTreeRoot

    target = tmp_path / "target.pdf"
    add_fields(changed(source, untag), target, BOTH)
    with pikepdf.open(target) as pdf:
        assert "/StructTreeRoot" not in pdf.Root
        assert all("/StructParent" not in field for field in pdf.Root.AcroForm.Fields)


def test_a_structure_tree_of_another_shape_is_extended_too(source: Path, tmp_path: Path) -> None:
    def reshape(pdf: pikepdf.Pdf) -> None:
        tree = pdf.Root.StructTreeRoot
        tree.ParentTree = pdf.make_indirect(
            Dictionary(Kids=Array([pdf.make_indirect(Dictionary(Nums=tree.ParentTree.Nums, Limits=Array([0, 9])))]))
        )
        if "/ParentTreeNextKey" in tree:
            del tree.ParentTreeNextKey

    target = tmp_path / "target.pdf"
    add_fields(changed(source, reshape), target, BOTH)
    with pikepdf.open(target) as pdf:
        keys = [int(field.StructParent) for field in pdf.Root.AcroForm.Fields]
        numbers = pikepdf.NumberTree(pdf.Root.StructTreeRoot.ParentTree)
        assert [numbers[key].S for key in keys] == [Name.Form, Name.Form]
        assert int(pdf.Root.StructTreeRoot.ParentTreeNextKey) == max(numbers.keys()) + 1
    assert_pdfa(target, flavour="ua1")


def test_other_form_fields_are_kept_and_viewers_told_not_to_redraw(source: Path, tmp_path: Path) -> None:
    def add_text_field(pdf: pikepdf.Pdf) -> None:
        field = pdf.make_indirect(Dictionary(FT=Name.Tx, T=String("ghi chu"), V=String("x")))
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]), NeedAppearances=True)

    target = tmp_path / "target.pdf"
    add_fields(changed(source, add_text_field), target, BOTH)
    with pikepdf.open(target) as pdf:
        assert len(pdf.Root.AcroForm.Fields) == 3
        assert "/NeedAppearances" not in pdf.Root.AcroForm
    assert fields_of(target).names == {LEADER_PLACE.field_name, SEAL_PLACE.field_name}


def refusal(source: Path) -> str:
    target = source.with_name("target.pdf")
    with pytest.raises(SigningRefused) as caught:
        add_fields(source, target, BOTH)
    assert not target.exists()
    return caught.value.reason


def test_a_signed_file_is_left_alone_wherever_its_signature_hides(source: Path) -> None:
    def sign_in_a_subtree(pdf: pikepdf.Pdf) -> None:
        child = pdf.make_indirect(Dictionary(T=String("con"), V=pdf.make_indirect(Dictionary(Type=Name.Sig))))
        parent = pdf.make_indirect(Dictionary(FT=Name.Sig, T=String("cha"), Kids=Array([child])))
        pdf.Root.AcroForm = Dictionary(Fields=Array([parent]))

    assert refusal(changed(source, sign_in_a_subtree)) == "already_signed"


def test_a_field_tree_that_bites_its_tail_ends(source: Path, tmp_path: Path) -> None:
    def bite(pdf: pikepdf.Pdf) -> None:
        field = pdf.make_indirect(Dictionary(T=String("x")))
        field.Kids = Array([field])
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]))

    add_fields(changed(source, bite), tmp_path / "target.pdf", BOTH)


@pytest.mark.parametrize("password", ["", "open sesame"])
def test_an_encrypted_file_is_refused_even_when_it_opens_without_password(source: Path, password: str) -> None:
    locked = source.with_name("locked.pdf")
    with pikepdf.open(source) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="owner", user=password))
    assert refusal(locked) == "encrypted_pdf"


def test_what_is_no_pdf_is_refused(source: Path) -> None:
    for content in (b"", b"junk", b"%PDF-1.7\n%%EOF"):
        source.write_bytes(content)
        assert refusal(source) == "unreadable_pdf"


@pytest.mark.parametrize(
    "place", [(2, (0, 0, 10, 10)), (0, (0, 0, 10, 10)), (1, (590, 0, 700, 10)), (1, (9, 9, 9, 20))]
)
def test_a_place_outside_the_document_is_an_error(
    source: Path, tmp_path: Path, place: tuple[int, tuple[float, float, float, float]]
) -> None:
    with pytest.raises(ValueError, match="trang"):
        add_fields(source, tmp_path / "target.pdf", [SignaturePlace(Place.SEAL, *place)])
    assert not (tmp_path / "target.pdf").exists()


def test_a_hybrid_reference_file_becomes_an_ordinary_one(source: Path, tmp_path: Path) -> None:
    hybrid = tmp_path / "hybrid.pdf"
    hybrid.write_bytes(_hybrid())
    target = tmp_path / "target.pdf"
    add_fields(hybrid, target, [SignaturePlace(Place.SEAL, 1, (10, 10, 50, 50))])
    assert is_hybrid(hybrid)
    assert not is_hybrid(target)


def is_hybrid(path: Path) -> bool:
    with path.open("rb") as file:
        return bool(PdfFileReader(file, strict=False).xrefs.hybrid_xrefs_present)


def _hybrid() -> bytes:
    """A file as old word processors write it: a classic table, and a stream that it points to for newer readers."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(200, 200))
        plain = BytesIO()
        pdf.save(plain, object_stream_mode=pikepdf.ObjectStreamMode.disable, deterministic_id=True)
    content = plain.getvalue()
    table = content.rindex(b"xref", 0, content.rindex(b"startxref"))
    number = int(content[content.index(b"/Size ") + 6 :].split()[0])
    stream_at = table
    stream = (
        b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 1 1] /Index [0 1] /Length 3 >>\n" % (number, number + 1)
        + b"stream\n\x00\x00\xff\nendstream\nendobj\n"
    )
    rest = content[table : content.rindex(b"startxref")].replace(b"<< ", b"<< /XRefStm %d " % stream_at, 1)
    return content[:table] + stream + rest + b"startxref\n%d\n%%%%EOF\n" % (table + len(stream))
