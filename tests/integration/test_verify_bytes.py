"""What was done to the bytes after signing is found, and nothing a file does to us ends in anything but a verdict."""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject

from signing.prepare import add_fields
from signing.sign import sign
from signing.types import Integrity, Kind, Place, SignaturePlace, Verdict
from signing.verify import MAX_BYTES, MAX_REVISIONS, verify
from tests import pki as people
from tests.signed_files import issued, signed_by_hand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signing.trust import TrustStore
    from signing.types import FileVerdict
    from tests.pki import Pki

Change = "Callable[[IncrementalPdfFileWriter], None]"


@pytest.fixture(scope="module")
def good(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An issued e-result."""
    return issued(pki, tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def trust(pki: Pki) -> TrustStore:
    """Whom we trust, with today's lists."""
    return pki.store()


@pytest.fixture
def judge(trust: TrustStore, tmp_path: Path) -> Callable[[bytes], FileVerdict]:
    """Judge bytes."""

    def judged(content: bytes) -> FileVerdict:
        file = tmp_path / "judged.pdf"
        file.write_bytes(content)
        return verify(file, trust=trust)

    return judged


Judge = "Callable[[bytes], FileVerdict]"


# --- single bytes ---------------------------------------------------------------------------------------------------


@given(share=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_byte_of_what_was_signed_can_change_unnoticed(good: Path, judge: Judge, share: float, mask: int) -> None:
    content = bytearray(good.read_bytes())
    start, first, second, length = _ranges(bytes(content))[-1]
    at = int(share * (first + length))
    at = at if at < first else second + at - first
    content[start + at] ^= mask
    found = judge(bytes(content))
    assert found.verdict in {Verdict.ALTERED, Verdict.UNREADABLE}
    assert found.integrity is not Integrity.INTACT


@pytest.mark.parametrize("which", [0, 1, 2], ids=["leader", "seal", "document timestamp"])
def test_a_damaged_signature_is_not_genuine(good: Path, judge: Judge, which: int) -> None:
    content = bytearray(good.read_bytes())
    _, first, _, _ = _ranges(bytes(content))[which]
    for at in (first + 3, first + 900, first + 3001):
        content[at] = ord("0") if content[at] != ord("0") else ord("1")
    assert judge(bytes(content)).verdict is Verdict.ALTERED


def test_a_changed_word_is_told_as_a_change(good: Path, judge: Judge) -> None:
    content = good.read_bytes()
    assert b"/Lang (vi-VN)" in content
    found = judge(content.replace(b"/Lang (vi-VN)", b"/Lang (vi-CN)"))
    assert (found.verdict, found.integrity) == (Verdict.ALTERED, Integrity.ALTERED)
    assert found.reasons[0] == "content_changed"
    assert {report.integrity for report in found.signatures} == {Integrity.ALTERED}
    assert found.signatures[0].signer == people.LEADER.name  # who signed is still told


# --- updates after the seal -----------------------------------------------------------------------------------------


def _new_text(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    text = writer.add_object(generic.StreamObject(stream_data=b"BT ET 0 0 500 500 re f"))
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), text])
    writer.update_container(page)


def _new_annotation(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/FreeText"),
            pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(n) for n in (50, 50, 300, 100)]),
            pdf_name("/Contents"): generic.pdf_string("Số tiền: 0 đồng"),
        }
    )
    page["/Annots"] = generic.ArrayObject([*page["/Annots"], writer.add_object(note)])
    writer.update_container(page)


def _new_page(writer: IncrementalPdfFileWriter) -> None:
    content = writer.add_object(generic.StreamObject(stream_data=b""))
    writer.insert_page(PageObject(contents=content, media_box=(0, 0, 595, 842)))


def _other_look(writer: IncrementalPdfFileWriter) -> None:
    field = _field(writer, "HoSoSo_CoQuan")
    look = writer.add_object(generic.StreamObject(stream_data=b"1 0 0 rg 0 0 99 99 re f"))
    field["/AP"] = generic.DictionaryObject({pdf_name("/N"): look})
    writer.update_container(field)


def _other_place(writer: IncrementalPdfFileWriter) -> None:
    field = _field(writer, "HoSoSo_NguoiKy")
    field["/Rect"] = generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 600, 800)])
    writer.update_container(field)


def _script(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/OpenAction"] = generic.DictionaryObject(
        {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): generic.pdf_string("app.alert(1)")}
    )
    writer.update_root()


def _layers(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/OCProperties"] = generic.DictionaryObject({pdf_name("/OCGs"): generic.ArrayObject()})
    writer.update_root()


def _attachment(writer: IncrementalPdfFileWriter) -> None:
    names = generic.DictionaryObject({pdf_name("/Names"): generic.ArrayObject()})
    writer.root["/Names"] = generic.DictionaryObject({pdf_name("/EmbeddedFiles"): names})
    writer.update_root()


def _other_font(writer: IncrementalPdfFileWriter) -> None:
    fonts = writer.root["/Pages"]["/Kids"][0]["/Resources"]["/Font"]
    font = fonts[next(iter(fonts))]
    font["/ToUnicode"] = writer.add_object(generic.StreamObject(stream_data=b""))
    writer.update_container(font)


def _no_fields(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/AcroForm"]["/Fields"] = generic.ArrayObject()
    writer.update_container(writer.root["/AcroForm"])


def _no_seal(writer: IncrementalPdfFileWriter) -> None:
    field = _field(writer, "HoSoSo_CoQuan")
    del field["/V"]
    writer.update_container(field)


def _no_evidence(writer: IncrementalPdfFileWriter) -> None:
    del writer.root["/DSS"]
    writer.update_root()


def _other_document(writer: IncrementalPdfFileWriter) -> None:
    pages = writer.root["/Pages"]
    blank = PageObject(contents=writer.add_object(generic.StreamObject(stream_data=b"")), media_box=(0, 0, 595, 842))
    blank["/Parent"] = writer.root.raw_get("/Pages")
    pages["/Kids"] = generic.ArrayObject([writer.add_object(blank)])
    writer.update_container(pages)


CHANGES = [
    _new_text,
    _new_annotation,
    _new_page,
    _other_look,
    _other_place,
    _script,
    _layers,
    _attachment,
    _other_font,
    _no_fields,
    _no_seal,
    _no_evidence,
    _other_document,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_nothing_can_be_added_hidden_or_swapped_after_the_seal(good: Path, judge: Judge, change: Change) -> None:
    found = judge(_updated(good.read_bytes(), change))
    assert (found.verdict, found.integrity) == (Verdict.ALTERED, Integrity.ALTERED)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_nothing_can_be_changed_between_the_leader_and_the_seal_either(
    pki: Pki, good: Path, tmp_path: Path, trust: TrustStore, change: Change
) -> None:
    if change is _no_seal:  # the field is still empty
        return
    between = tmp_path / "between.pdf"
    between.write_bytes(_updated((good.parent / "leader.pdf").read_bytes(), change))
    assert verify(between, trust=trust).verdict in {Verdict.ALTERED, Verdict.UNCONFIRMED}


def test_another_signature_after_the_seal_changes_the_document(
    pki: Pki, good: Path, tmp_path: Path, trust: TrustStore
) -> None:
    file = signed_by_hand(pki, good.read_bytes(), tmp_path / "a.pdf", who=people.CLERK)
    found = verify(file, trust=trust)
    assert (found.verdict, found.kind) == (Verdict.ALTERED, Kind.E_RESULT)
    assert "changed_after_seal" in found.reasons


def test_a_text_field_can_not_be_filled_in_again(pki: Pki, good: Path, tmp_path: Path, trust: TrustStore) -> None:
    with pikepdf.open(good.parent / "plain.pdf") as form:
        field = form.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Tx,
                T=pikepdf.String("SoTien"),
                V=pikepdf.String("100"),
                Rect=[100, 100, 200, 120],
                F=4,
            )
        )
        form.pages[0].Annots = pikepdf.Array([field])
        form.Root.AcroForm = form.make_indirect(pikepdf.Dictionary(Fields=[field]))
        form.save(tmp_path / "form.pdf")
    file = signed_by_hand(pki, (tmp_path / "form.pdf").read_bytes(), tmp_path / "a.pdf", who=people.LEADER)
    assert verify(file, trust=trust).verdict is Verdict.GENUINE

    def refill(writer: IncrementalPdfFileWriter) -> None:
        field = _field(writer, "SoTien")
        field["/V"] = generic.pdf_string("100000000")
        writer.update_container(field)

    file.write_bytes(_updated(file.read_bytes(), refill))
    found = verify(file, trust=trust)
    assert (found.verdict, found.reasons[0]) == (Verdict.ALTERED, "changed_after_signing")


# --- new fields -----------------------------------------------------------------------------------------------------

_PAGE = [generic.NumberObject(number) for number in (0, 0, 595, 842)]
_NOWHERE = [generic.NumberObject(0)] * 4


def _new_field(
    writer: IncrementalPdfFileWriter, rect: list[generic.PdfObject], *, looks_like: str | None = None, **more: str
) -> None:
    """An empty signature field on the first page; its look is one that was there before anything was signed."""
    page, _ = writer.find_page_for_modification(0)
    field = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/FT"): pdf_name("/Sig"),
            pdf_name("/T"): generic.pdf_string("Extra"),
            pdf_name("/F"): generic.NumberObject(4),
            pdf_name("/Rect"): generic.ArrayObject(rect),
            pdf_name("/P"): page,
        }
    )
    if looks_like:
        field["/AP"] = generic.DictionaryObject({pdf_name("/N"): _field(writer, looks_like)["/AP"].raw_get("/N")})
    for key in more:
        field["/" + key] = generic.DictionaryObject()
    added = writer.add_object(field)
    writer.register_annotation(page, added)
    form = writer.root["/AcroForm"]
    form["/Fields"].append(added)
    writer.update_container(form["/Fields"])
    writer.update_container(form)


def _five_numbers(writer: IncrementalPdfFileWriter) -> None:
    _new_field(writer, [*_PAGE, generic.NumberObject(0)], looks_like="HoSoSo_CoQuan")


def _indirect_number(writer: IncrementalPdfFileWriter) -> None:
    _new_field(writer, [writer.add_object(_PAGE[0]), *_PAGE[1:]], looks_like="HoSoSo_CoQuan")


def _plain_visible(writer: IncrementalPdfFileWriter) -> None:
    _new_field(writer, _PAGE, looks_like="HoSoSo_CoQuan")


def _hidden_with_a_look(writer: IncrementalPdfFileWriter) -> None:
    _new_field(writer, _NOWHERE, looks_like="HoSoSo_CoQuan")


def _hidden_with_an_action(writer: IncrementalPdfFileWriter) -> None:
    _new_field(writer, _NOWHERE, AA="")


def _hidden_and_empty(writer: IncrementalPdfFileWriter) -> None:
    _new_field(writer, _NOWHERE)


@pytest.mark.parametrize(
    "change",
    [
        _five_numbers,
        _indirect_number,
        _plain_visible,
        _hidden_with_a_look,
        _hidden_with_an_action,
        _hidden_and_empty,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
def test_no_new_field_can_cover_the_page_after_the_seal(good: Path, judge: Judge, change: Change) -> None:
    found = judge(_updated(good.read_bytes(), change))
    assert (found.verdict, found.integrity) == (Verdict.ALTERED, Integrity.ALTERED)


def test_an_empty_field_can_not_cover_a_foreign_document(
    pki: Pki, good: Path, tmp_path: Path, trust: TrustStore
) -> None:
    plain = (good.parent / "plain.pdf").read_bytes()
    file = signed_by_hand(pki, plain, tmp_path / "a.pdf", who=people.CLERK)
    file.write_bytes(_updated(file.read_bytes(), lambda writer: _new_field(writer, _PAGE)))
    assert verify(file, trust=trust).verdict is Verdict.ALTERED


@pytest.fixture(scope="module")
def scanned(pki: Pki, good: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Signed by the scanner, with an empty field for the copy's signature."""
    folder = tmp_path_factory.mktemp("scanned")
    add_fields(good.parent / "plain.pdf", folder / "prepared.pdf", [_SCANNER, _COPY])
    given = {"trust": pki.store(), "timestamper": pki.timestamper()}
    sign(folder / "prepared.pdf", folder / "a.pdf", place=_SCANNER, key=pki.key(people.SCANNER), **given)
    return folder / "a.pdf"


_SCANNER = SignaturePlace(Place.SCANNER, 1, (400.0, 790.0, 480.0, 820.0))
_COPY = SignaturePlace(Place.COPY, 1, (490.0, 790.0, 570.0, 820.0))


def test_after_the_scanner_only_the_copys_signature_may_follow(
    pki: Pki, scanned: Path, tmp_path: Path, trust: TrustStore
) -> None:
    sign(
        scanned,
        tmp_path / "copy.pdf",
        place=_COPY,
        key=pki.key(people.SEAL),
        trust=trust,
        timestamper=pki.timestamper(),
    )
    assert verify(tmp_path / "copy.pdf", trust=trust).verdict is Verdict.GENUINE
    foreign = signed_by_hand(pki, scanned.read_bytes(), tmp_path / "a.pdf", who=people.CLERK)
    assert verify(foreign, trust=trust).verdict is Verdict.ALTERED


@pytest.mark.parametrize("change", [_hidden_and_empty, lambda writer: _new_field(writer, _PAGE)])
def test_no_new_field_can_follow_the_scanner(scanned: Path, judge: Judge, change: Change) -> None:
    assert judge(_updated(scanned.read_bytes(), change)).verdict is Verdict.ALTERED


def test_our_own_copies_may_be_larger_than_what_strangers_send(
    scanned: Path, tmp_path: Path, trust: TrustStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signing.verify.MAX_BYTES", 1000)  # so that this small file is a large one
    assert verify(scanned, trust=trust, max_bytes=1000).reasons == ("too_large",)
    assert verify(scanned, trust=trust, max_bytes=None).verdict is Verdict.GENUINE


# --- around the structure -------------------------------------------------------------------------------------------


def test_a_tail_that_repeats_the_old_end_is_found(good: Path, judge: Judge) -> None:
    content = good.read_bytes()
    end = re.findall(rb"startxref\s+(\d+)\s+%%EOF", content)[-1]
    tail = b"\n1 0 obj\n<</Type/Catalog>>\nendobj\nstartxref\n" + end + b"\n%%EOF\n"
    found = judge(content + tail)
    assert (found.verdict, found.integrity) == (Verdict.ALTERED, Integrity.ALTERED)


@pytest.mark.parametrize("tail", [b"\nx", b"\n%%EOF\n", b"<script>", b"\n" + b"\xff" * 4096])
def test_nothing_may_follow_the_end(good: Path, judge: Judge, tail: bytes) -> None:
    assert judge(good.read_bytes() + tail).verdict in {Verdict.ALTERED, Verdict.UNREADABLE}


def test_white_space_at_the_end_is_no_change(good: Path, judge: Judge) -> None:
    assert judge(good.read_bytes() + b"\r\n \n").verdict is Verdict.GENUINE


def test_something_before_the_beginning_is_found(good: Path, judge: Judge) -> None:
    assert judge(b"%PDF-1.7\n1 0 obj\nendobj\n" + good.read_bytes()).verdict is not Verdict.GENUINE


def test_a_second_copy_of_the_seal_that_covers_less_is_found(good: Path, judge: Judge) -> None:
    """Signature wrapping: the same signature, a dictionary of its own, a gap in which something new can stand."""
    content = good.read_bytes()

    def wrap(writer: IncrementalPdfFileWriter) -> None:
        field = _field(writer, "HoSoSo_CoQuan")
        start, first, second, length = _ranges(content)[1]
        copy = generic.DictionaryObject({key: field["/V"].raw_get(key) for key in field["/V"]})
        moved = [start, first, second + 5000, length]
        copy["/ByteRange"] = generic.ArrayObject([generic.NumberObject(number) for number in moved])
        field["/V"] = writer.add_object(copy)
        writer.update_container(field)

    assert judge(_updated(content, wrap)).verdict is Verdict.ALTERED


@pytest.mark.parametrize(
    "byte_range", [b"[0 0 0 0]", b"[0 -1 9 9]", b"[]", b"null", b"[0 100 200 99999999]", b"[9 9 9]", b"(x)"]
)
def test_a_range_that_says_nothing_proves_nothing(good: Path, judge: Judge, byte_range: bytes) -> None:
    """Universal forgery: viewers that gave up on checking once called such files valid."""
    content = good.read_bytes()
    old = re.search(rb"/ByteRange \[0 \d+ \d+ \d+\] *", content)
    assert old
    forged = b"/ByteRange " + byte_range
    assert judge(content.replace(old[0], forged.ljust(len(old[0])))).verdict is not Verdict.GENUINE


@pytest.mark.parametrize("value", [b"<>", b"<00>", b"<3080>", b"null", b"<" + b"30" * 5000 + b">"])
def test_an_empty_signature_proves_nothing(good: Path, judge: Judge, value: bytes) -> None:
    content = good.read_bytes()
    _, first, second, _ = _ranges(content)[1]
    assert judge(content[:first] + value.ljust(second - first)[: second - first] + content[second:]).verdict not in {
        Verdict.GENUINE,
        Verdict.UNSIGNED,
    }


def test_a_signature_moved_into_another_document_proves_nothing(
    pki: Pki, good: Path, tmp_path: Path, trust: TrustStore
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pikepdf.open(good.parent / "plain.pdf") as plain:
        plain.pages[0].Contents = plain.make_stream(b"0 0 500 500 re f")
        plain.save(other / "plain.pdf")
    thief = signed_by_hand(pki, (other / "plain.pdf").read_bytes(), other / "a.pdf", who=people.CLERK)
    honest = signed_by_hand(pki, (good.parent / "plain.pdf").read_bytes(), other / "b.pdf", who=people.LEADER)
    stolen, target = honest.read_bytes(), thief.read_bytes()
    (_, a, b, _), (_, c, d, _) = _ranges(stolen)[0], _ranges(target)[0]
    room = d - c - 2
    signature = stolen[a + 1 : b - 1].rstrip(b"0").ljust(room, b"0")[:room]
    thief.write_bytes(target[: c + 1] + signature + target[d - 1 :])
    found = verify(thief, trust=trust)
    assert found.verdict is not Verdict.GENUINE
    assert found.integrity is not Integrity.INTACT


def test_a_picture_of_a_signature_is_no_signature(good: Path, judge: Judge) -> None:
    """What a citizen gets from a printer, a scanner or a messaging app: the look, and nothing behind it."""
    with pikepdf.open(good) as document:
        del document.Root.AcroForm, document.Root.Perms, document.Root.DSS, document.Root.StructTreeRoot
        for page in document.pages:
            del page.Annots
        out = BytesIO()
        document.save(out)
    found = judge(out.getvalue())
    assert (found.verdict, found.reasons) == (Verdict.UNSIGNED, ("no_signature",))


def test_saving_again_with_another_program_breaks_the_signatures(good: Path, judge: Judge) -> None:
    with pikepdf.open(good) as document:
        out = BytesIO()
        document.save(out)
    assert judge(out.getvalue()).verdict is Verdict.ALTERED


def test_cut_off_anywhere_it_is_never_genuine_without_its_seal(good: Path, judge: Judge) -> None:
    content = good.read_bytes()
    seal_ends = sum(_ranges(content)[1][2:])
    for share in range(1, 20):
        found = judge(content[: seal_ends * share // 20])
        assert found.verdict in {Verdict.UNREADABLE, Verdict.UNSIGNED, Verdict.ALTERED, Verdict.UNCONFIRMED}
    assert judge(content[: seal_ends - 1]).verdict is not Verdict.GENUINE


def test_a_download_that_broke_off_says_so(good: Path, judge: Judge) -> None:
    content = good.read_bytes()
    assert judge(content[: len(content) - 20_000]).reasons == ("truncated",)
    first_signature = sum(_ranges(content)[0][2:])
    for share in (2, 3, 4, 5):  # in the midst of the first signature, nothing signed is left to see
        found = judge(content[: first_signature * share // 6])
        assert found.verdict is not Verdict.UNSIGNED, share


# --- what isn't a document ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "not_pdf"),
        (b"PK\x03\x04", "not_pdf"),
        (b"%PDF-1.7\n" + b"\0" * 9999, "damaged"),
        (b"%PDF-1.7\n%%EOF", "damaged"),
        (b"%PDF-1.7\n" + b"[" * 200_000, "damaged"),
        (b"%PDF-1.7\n" + b"<</A" * 50_000 + b"\nstartxref\n9\n%%EOF", "damaged"),
        (b"%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer<</Size 1/Prev 9>>\nstartxref\n9\n%%EOF", "damaged"),
    ],
    ids=["empty", "picture", "zip", "zeros", "nothing", "brackets", "dictionaries", "loop"],
)
def test_what_is_no_pdf_is_unreadable_with_its_reason(judge: Judge, content: bytes, reason: str) -> None:
    found = judge(content)
    assert (found.verdict, found.integrity) == (Verdict.UNREADABLE, Integrity.UNKNOWN)
    assert found.reasons == (reason,)


def test_a_missing_file_a_folder_and_one_too_large_are_unreadable(trust: TrustStore, tmp_path: Path) -> None:
    assert verify(tmp_path / "no.pdf", trust=trust).reasons == ("missing_file",)
    assert verify(tmp_path, trust=trust).reasons == ("missing_file",)
    with (tmp_path / "large.pdf").open("wb") as large:
        large.truncate(MAX_BYTES + 1)
    assert verify(tmp_path / "large.pdf", trust=trust).reasons == ("too_large",)


@pytest.mark.parametrize("user", ["", "secret"])
def test_an_encrypted_file_is_unreadable_and_says_why(good: Path, judge: Judge, user: str) -> None:
    with pikepdf.open(good.parent / "plain.pdf") as document:
        out = BytesIO()
        document.save(out, encryption=pikepdf.Encryption(owner="owner", user=user))
    assert judge(out.getvalue()).reasons == ("encrypted",)


def test_hundreds_of_revisions_are_not_examined(good: Path, judge: Judge) -> None:
    content = (good.parent / "plain.pdf").read_bytes()
    start = int(re.findall(rb"startxref\s+(\d+)", content)[-1])
    size = re.findall(rb"/Size (\d+)", content)[-1]
    root = re.findall(rb"/Root (\d+ \d+ R)", content)[-1]
    parts = [content]
    length = len(content)
    for _ in range(MAX_REVISIONS + 1):
        part = b"xref\n0 0\ntrailer\n<</Size %s/Root %s/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
            size,
            root,
            start,
            length,
        )
        start, length = length, length + len(part)
        parts.append(part)
    assert judge(b"".join(parts)).verdict in {Verdict.UNREADABLE, Verdict.UNSIGNED}


def test_a_bomb_in_the_table_of_contents_is_defused(judge: Judge) -> None:
    bomb = zlib.compress(zlib.compress(b"\0" * 60_000_000, 9), 9)
    body = (
        b"%%PDF-1.7\n1 0 obj\n<</Type/XRef/Size 9/W[1 2 1]/Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n"
        % len(bomb)
    )
    content = body + bomb + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"
    assert judge(content).verdict is Verdict.UNREADABLE


def test_pages_that_contain_each_other_end(judge: Judge, good: Path) -> None:
    def loop(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        form["/Fields"] = generic.ArrayObject([*form["/Fields"], writer.root.raw_get("/AcroForm")])
        form["/Kids"] = form["/Fields"]
        writer.update_container(form)

    assert judge(_updated(good.read_bytes(), loop)).verdict is not Verdict.GENUINE


# --- helpers --------------------------------------------------------------------------------------------------------


def _ranges(content: bytes) -> list[tuple[int, int, int, int]]:
    found = re.findall(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]", content)
    return [(int(a), int(b), int(c), int(d)) for a, b, c, d in found]


def _updated(content: bytes, change: Change) -> bytes:
    """The file with one more revision."""
    writer = IncrementalPdfFileWriter(BytesIO(content))
    change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _field(writer: IncrementalPdfFileWriter, name: str) -> generic.DictionaryObject:
    fields = [field.get_object() for field in writer.root["/AcroForm"]["/Fields"]]
    return next(field for field in fields if field["/T"] == name)
