"""Attacks on a signed PDF, one function each: what an attacker does after, or before, somebody honest has signed.

`AFTER` are updates of a sealed result; `BYTES` change its bytes; `CMS` change the signature's own structure; `SHADOWS`
are documents prepared before signing, with what is done to them afterwards. None may be accepted, none may crash.

Source: Mladenov and others, "1 Trillion Dollar Refund" (CCS 2019); Mainka and others, "Shadow Attacks" (NDSS 2021);
Rohlmann and others, "Breaking the Specification: PDF Certification" (S&P 2021).
"""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pikepdf
from asn1crypto import algos, cms, core
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.mutations import ranges

if TYPE_CHECKING:
    from collections.abc import Callable

    Writer = IncrementalPdfFileWriter

_WHOLE_PAGE = (0, 0, 595, 842)


def updated(content: bytes, change: Callable[[Writer], None]) -> bytes:
    """The file with one more revision."""
    writer = IncrementalPdfFileWriter(BytesIO(content))
    change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _dictionary(**items: Any) -> generic.DictionaryObject:
    return generic.DictionaryObject({pdf_name(f"/{key}"): value for key, value in items.items()})


def _numbers(*numbers: float) -> generic.ArrayObject:
    return generic.ArrayObject([generic.FloatObject(number) for number in numbers])


def _text(text: str) -> generic.PdfObject:
    return generic.pdf_string(text)


def _page(writer: Writer) -> generic.DictionaryObject:
    page, _ = writer.find_page_for_modification(0)
    found = page.get_object()
    assert isinstance(found, generic.DictionaryObject)
    return found


def _stream(writer: Writer, data: bytes, **items: Any) -> generic.IndirectObject:
    return writer.add_object(generic.StreamObject(_dictionary(**items), stream_data=data))


def _field(writer: Writer, name: str) -> generic.DictionaryObject:
    fields = [field.get_object() for field in writer.root["/AcroForm"]["/Fields"]]
    return next(field for field in fields if field["/T"] == name)


# --- updates after the seal -----------------------------------------------------------------------------------------


def xfa(writer: Writer) -> None:
    """A form in XML that readers with XFA show instead of the pages."""
    form = writer.root["/AcroForm"]
    form["/XFA"] = _stream(writer, b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")
    writer.update_container(form)


def javascript_by_name(writer: Writer) -> None:
    """A program that runs when the file opens, among the names."""
    script = _dictionary(S=pdf_name("/JavaScript"), JS=_text("this.getField('x').value = 1"))
    names = _dictionary(Names=generic.ArrayObject([_text("a"), writer.add_object(script)]))
    writer.root["/Names"] = _dictionary(JavaScript=names)
    writer.update_root()


def javascript_on_the_page(writer: Writer) -> None:
    """A program that runs when the page shows."""
    page = _page(writer)
    page["/AA"] = _dictionary(O=_dictionary(S=pdf_name("/JavaScript"), JS=_text("app.alert(1)")))
    writer.update_container(page)


def launch_action(writer: Writer) -> None:
    """Something to start when the file opens."""
    writer.root["/OpenAction"] = _dictionary(S=pdf_name("/Launch"), F=_text("cmd.exe"))
    writer.update_root()


def attached_file(writer: Writer) -> None:
    """A file that the signed document seems to bring along."""
    inner = _stream(writer, b"another document", Type=pdf_name("/EmbeddedFile"))
    spec = _dictionary(Type=pdf_name("/Filespec"), F=_text("phu-luc.pdf"), EF=_dictionary(F=inner))
    names = _dictionary(Names=generic.ArrayObject([_text("phu-luc.pdf"), writer.add_object(spec)]))
    writer.root["/Names"] = _dictionary(EmbeddedFiles=names)
    writer.update_root()


def associated_file(writer: Writer) -> None:
    """The same, by the way of PDF/A-3."""
    inner = _stream(writer, b"<invoice/>", Type=pdf_name("/EmbeddedFile"))
    spec = _dictionary(Type=pdf_name("/Filespec"), F=_text("a.xml"), EF=_dictionary(F=inner))
    writer.root["/AF"] = generic.ArrayObject([writer.add_object(spec)])
    writer.update_root()


def layer_over_the_page(writer: Writer) -> None:
    """An optional layer with text of its own."""
    layer = writer.add_object(_dictionary(Type=pdf_name("/OCG"), Name=_text("L")))
    writer.root["/OCProperties"] = _dictionary(
        OCGs=generic.ArrayObject([layer]), D=_dictionary(ON=generic.ArrayObject([layer]))
    )
    writer.update_root()
    page = _page(writer)
    drawn = _stream(writer, b"/OC /L BDC 0 0 500 500 re f EMC")
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), drawn])
    writer.update_container(page)


def swapped_page(writer: Writer) -> None:
    """The page's place in the tree taken by another."""
    pages = writer.root["/Pages"]
    old = pages["/Kids"][0]
    copy = generic.DictionaryObject({key: old.raw_get(key) for key in old if key != "/Contents"})
    copy[pdf_name("/Contents")] = _stream(writer, b"0 0 500 500 re f")
    pages["/Kids"] = generic.ArrayObject([writer.add_object(copy)])
    writer.update_container(pages)


def removed_page(writer: Writer) -> None:
    """No page is left."""
    pages = writer.root["/Pages"]
    pages["/Kids"], pages["/Count"] = generic.ArrayObject(), generic.NumberObject(0)
    writer.update_container(pages)


def turned_page(writer: Writer) -> None:
    """The page upside down."""
    page = _page(writer)
    page["/Rotate"] = generic.NumberObject(180)
    writer.update_container(page)


def cropped_page(writer: Writer) -> None:
    """A crop that leaves the reservation below out of sight."""
    page = _page(writer)
    page["/CropBox"] = _numbers(0, 400, 595, 842)
    writer.update_container(page)


def _note(writer: Writer, subtype: str, **more: Any) -> None:
    page = _page(writer)
    note = _dictionary(Type=pdf_name("/Annot"), Subtype=pdf_name(subtype), Rect=_numbers(*_WHOLE_PAGE), **more)
    kept = page.get("/Annots", [])
    page["/Annots"] = generic.ArrayObject([*kept, writer.add_object(note)])
    writer.update_container(page)


def stamp_over_the_page(writer: Writer) -> None:
    """A picture over everything."""
    look = _stream(writer, b"1 g 0 0 595 842 re f", Subtype=pdf_name("/Form"), BBox=_numbers(*_WHOLE_PAGE))
    _note(writer, "/Stamp", AP=_dictionary(N=look), F=generic.NumberObject(4))


def link_over_the_page(writer: Writer) -> None:
    """Whoever taps the page goes elsewhere."""
    _note(writer, "/Link", A=_dictionary(S=pdf_name("/URI"), URI=_text("https://example.invalid/")))


def redacted(writer: Writer) -> None:
    """A black bar to be."""
    _note(writer, "/Redact", QuadPoints=_numbers(0, 0, 9, 0, 0, 9, 9, 9))


def text_field_over_the_page(writer: Writer) -> None:
    """A field of text, with a value, over what was signed."""
    page = _page(writer)
    field = _dictionary(
        Type=pdf_name("/Annot"),
        Subtype=pdf_name("/Widget"),
        FT=pdf_name("/Tx"),
        T=_text("SoTien"),
        V=_text("100.000.000 đồng"),
        Rect=_numbers(100, 100, 400, 130),
        F=generic.NumberObject(4),
    )
    added = writer.add_object(field)
    page["/Annots"] = generic.ArrayObject([*page["/Annots"], added])
    writer.update_container(page)
    form = writer.root["/AcroForm"]
    form["/Fields"] = generic.ArrayObject([*form["/Fields"], added])
    writer.update_container(form)


def other_catalog(writer: Writer) -> None:
    """A second catalog takes over, with pages of its own."""
    blank = _dictionary(Type=pdf_name("/Page"), MediaBox=_numbers(*_WHOLE_PAGE))
    pages = _dictionary(Type=pdf_name("/Pages"), Count=generic.NumberObject(1))
    at = writer.add_object(pages)
    blank[pdf_name("/Parent")] = at
    pages[pdf_name("/Kids")] = generic.ArrayObject([writer.add_object(blank)])
    writer.root["/Pages"] = at
    writer.update_root()


def no_certification(writer: Writer) -> None:
    """What the certifying signature forbids is taken out."""
    del writer.root["/Perms"]
    writer.update_root()


def unlocked_field(writer: Writer) -> None:
    """The seal's lock is taken off."""
    field = _field(writer, "HoSoSo_CoQuan")
    if "/Lock" in field:
        del field["/Lock"]
    field[pdf_name("/Lock")] = _dictionary(Action=pdf_name("/Include"), Fields=generic.ArrayObject())
    writer.update_container(field)


def one_signature_for_both(writer: Writer) -> None:
    """The seal's field shows the leader's signature: two share one dictionary."""
    field = _field(writer, "HoSoSo_CoQuan")
    field["/V"] = _field(writer, "HoSoSo_NguoiKy").raw_get("/V")
    writer.update_container(field)


def renamed_signature(writer: Writer) -> None:
    """Another name and reason in the signature's dictionary, where readers show them."""
    signature = _field(writer, "HoSoSo_CoQuan")["/V"]
    signature[pdf_name("/Name")] = _text("Bộ trưởng")
    writer.update_container(signature)


def renamed_field(writer: Writer) -> None:
    """The seal's field under another name: then nobody asks for a seal."""
    field = _field(writer, "HoSoSo_CoQuan")
    field["/T"] = _text("Signature1")
    writer.update_container(field)


def other_language_of_forms(writer: Writer) -> None:
    """How readers make the looks of fields themselves."""
    form = writer.root["/AcroForm"]
    form["/NeedAppearances"] = generic.BooleanObject(value=True)
    writer.update_container(form)


def other_colours(writer: Writer) -> None:
    """Another output intent: what is black may be white."""
    writer.root["/OutputIntents"] = generic.ArrayObject()
    writer.update_root()


def empty_evidence(writer: Writer) -> None:
    """The evidence emptied rather than removed."""
    writer.root["/DSS"] = writer.add_object(_dictionary(Certs=generic.ArrayObject()))
    writer.update_root()


def reader_extensions(writer: Writer) -> None:
    """Leave for readers to change what was signed."""
    writer.root["/Perms"] = _dictionary(UR3=writer.add_object(_dictionary(Type=pdf_name("/Sig"))))
    writer.update_root()


AFTER: dict[str, Callable[[Writer], None]] = {
    one.__name__: one
    for one in (
        xfa,
        javascript_by_name,
        javascript_on_the_page,
        launch_action,
        attached_file,
        associated_file,
        layer_over_the_page,
        swapped_page,
        removed_page,
        turned_page,
        cropped_page,
        stamp_over_the_page,
        link_over_the_page,
        redacted,
        text_field_over_the_page,
        other_catalog,
        no_certification,
        unlocked_field,
        one_signature_for_both,
        renamed_signature,
        renamed_field,
        other_language_of_forms,
        other_colours,
        empty_evidence,
        reader_extensions,
    )
}


# --- bytes and structure --------------------------------------------------------------------------------------------


def _put_range(content: bytes, text: bytes, which: int = 1) -> bytes:
    old = list(re.finditer(rb"/ByteRange \[\d+ \d+ \d+ \d+\] *", content))[which]
    new = b"/ByteRange " + text
    return content[: old.start()] + new.ljust(len(old[0]))[: len(old[0])] + content[old.end() :]


def _plain_revision(content: bytes, body: bytes, number: int, *, trailer: bytes = b"") -> bytes:
    """One more revision written by hand: one object, and what else the trailer says."""
    start = re.findall(rb"startxref\s+(\d+)", content)[-1]
    root = re.findall(rb"/Root (\d+ \d+ R)", content)[-1]
    size = int(re.findall(rb"/Size (\d+)", content)[-1])
    at = len(content) + 1
    new = b"\n%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<</Size %d/Root %s/Prev %s%s>>\nstartxref\n%d\n%%%%EOF\n"
    return content + new + table % (number, at, max(size, number + 1), root, start, trailer, len(content) + len(new))


def _size(content: bytes) -> int:
    return int(re.findall(rb"/Size (\d+)", content)[-1])


def _pages(content: bytes) -> int:
    """The object that the tree of pages hangs on: what takes its place is read."""
    return int(re.findall(rb"/Pages (\d+) 0 R", content)[-1])


def negative_range(content: bytes) -> bytes:
    return _put_range(content, b"[0 -9 9 9]")


def overlapping_range(content: bytes) -> bytes:
    _, first, _, length = ranges(content)[1]
    return _put_range(content, b"[0 %d %d %d]" % (first, first - 9, length))


def six_ranges(content: bytes) -> bytes:
    return _put_range(content, b"[0 9 99 9 999 9]")


def late_start(content: bytes) -> bytes:
    _, first, second, length = ranges(content)[1]
    return _put_range(content, b"[9 %d %d %d]" % (first - 9, second, length))


def wide_gap(content: bytes) -> bytes:
    _, first, second, length = ranges(content)[1]
    return _put_range(content, b"[0 %d %d %d]" % (first - 50, second, length))


def range_beyond_the_end(content: bytes) -> bytes:
    _, first, second, _ = ranges(content)[1]
    return _put_range(content, b"[0 %d %d 999999999]" % (first, second))


def table_in_a_loop(content: bytes) -> bytes:
    """The last table of contents names itself as its predecessor."""
    start = int(re.findall(rb"startxref\s+(\d+)", content)[-1])
    tail = content[start:]
    return content[:start] + re.sub(rb"/Prev \d+", lambda found: b"/Prev %d" % start, tail)


def two_tables_in_a_loop(content: bytes) -> bytes:
    made = _plain_revision(content, b"null", _size(content))
    last = int(re.findall(rb"startxref\s+(\d+)", made)[-1])
    return _plain_revision(made, b"null", _size(made)).replace(b"/Prev %d" % last, b"/Prev %d" % (len(made) + 20))


def stream_of_objects_within_itself(content: bytes) -> bytes:
    number = _pages(content)
    body = b"<</Type/ObjStm/N 1/First 5/Extends %d 0 R/Length 9>>stream\n%d 0 null\nendstream" % (number, number)
    return _plain_revision(content, body, number)


def bomb_of_objects(content: bytes) -> bytes:
    """A stream of objects of two hundred megabytes when unpacked, twice packed."""
    packed = zlib.compress(zlib.compress(b"0 " * 100_000_000, 9), 9)
    head = b"<</Type/ObjStm/N 9/First 5/Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n" % len(packed)
    return _plain_revision(content, head + packed + b"\nendstream", _pages(content))


def content_bomb(content: bytes) -> bytes:
    packed = zlib.compress(b" " * 150_000_000, 9)
    head = b"<</Filter/FlateDecode/Length %d>>stream\n" % len(packed)
    return _plain_revision(content, head + packed + b"\nendstream", _pages(content))


def endless_kids(content: bytes) -> bytes:
    """A tree of pages whose branches are the trunk."""
    pages = _pages(content)
    return _plain_revision(content, b"<</Type/Pages/Count 9/Kids[%d 0 R %d 0 R]>>" % (pages, pages), pages)


def deep_nesting(content: bytes) -> bytes:
    return _plain_revision(content, b"[" * 50_000 + b"]" * 50_000, _pages(content))


def late_encryption(content: bytes) -> bytes:
    """The trailer of a late revision says that all is encrypted."""
    return _plain_revision(
        content, b"<</Filter/Standard/V 1/R 2/O(x)/U(x)/P -4>>", _size(content), trailer=b"/Encrypt 1 0 R"
    )


def hidden_table(content: bytes) -> bytes:
    """A second table of contents, that only some readers look at."""
    return _plain_revision(content, b"null", _size(content), trailer=b"/XRefStm 9")


def thousands_of_revisions(content: bytes) -> bytes:
    start = int(re.findall(rb"startxref\s+(\d+)", content)[-1])
    root = re.findall(rb"/Root (\d+ \d+ R)", content)[-1]
    parts, length, size = [content], len(content), _size(content)
    for _ in range(3000):
        part = b"xref\n0 0\ntrailer\n<</Size %d/Root %s/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
            size,
            root,
            start,
            length,
        )
        start, length = length, length + len(part)
        parts.append(part)
    return b"".join(parts)


def thousands_of_ranges(content: bytes) -> bytes:
    """In a file that strict readers refuse, the same signature named again and again: each time all is hashed."""
    one = b"/ByteRange [%d %d %d %d]\n" % ranges(content)[1]
    return content.replace(b"startxref", b"startxerf") + one * 20_000 + b"%%EOF\n"


def two_files_in_one(content: bytes) -> bytes:
    return content + content


def another_file_in_front(content: bytes) -> bytes:
    with pikepdf.new() as other:
        other.add_blank_page()
        out = BytesIO()
        other.save(out)
    return out.getvalue() + content


def only_the_signature(content: bytes) -> bytes:
    _, first, second, _ = ranges(content)[1]
    return b"%PDF-1.7\n" + content[first:second] + b"\n%%EOF\n"


BYTES: dict[str, Callable[[bytes], bytes]] = {
    one.__name__: one
    for one in (
        negative_range,
        overlapping_range,
        six_ranges,
        late_start,
        wide_gap,
        range_beyond_the_end,
        table_in_a_loop,
        two_tables_in_a_loop,
        stream_of_objects_within_itself,
        bomb_of_objects,
        content_bomb,
        endless_kids,
        deep_nesting,
        late_encryption,
        hidden_table,
        thousands_of_revisions,
        thousands_of_ranges,
        two_files_in_one,
        another_file_in_front,
        only_the_signature,
    )
}


# --- the signature's own structure ----------------------------------------------------------------------------------


def resigned(content: bytes, change: Callable[[cms.ContentInfo], bytes], which: int = 0) -> bytes:
    """The file with another structure in the room of a signature."""
    _, first, second, _ = ranges(content)[which]
    info = cms.ContentInfo.load(bytes.fromhex(content[first + 1 : second - 1].decode("ascii")))
    made, room = change(info), (second - first - 2) // 2
    return content[: first + 1] + made[:room].ljust(room, b"\0").hex().encode() + content[second - 1 :]


def _signer(info: cms.ContentInfo) -> Any:
    return info["content"]["signer_infos"][0]


def _dumped(info: cms.ContentInfo) -> bytes:
    return bytes(info.dump(force=True))


def other_signature_algorithm(info: cms.ContentInfo) -> bytes:
    """An algorithm that doesn't fit the certificate's key."""
    _signer(info)["signature_algorithm"] = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})
    return _dumped(info)


def signature_algorithm_of_another_digest(info: cms.ContentInfo) -> bytes:
    _signer(info)["signature_algorithm"] = algos.SignedDigestAlgorithm({"algorithm": "sha512_rsa"})
    return _dumped(info)


def weaker_digest_claimed(info: cms.ContentInfo) -> bytes:
    _signer(info)["digest_algorithm"] = algos.DigestAlgorithm({"algorithm": "md5"})
    return _dumped(info)


def no_signed_attributes(info: cms.ContentInfo) -> bytes:
    _signer(info)["signed_attrs"] = cms.CMSAttributes([])
    return _dumped(info)


def attribute_taken_away(info: cms.ContentInfo) -> bytes:
    """Without the attribute that names the certificate, another of the same key could be put in its place."""
    signer = _signer(info)
    kept = [one for one in signer["signed_attrs"] if one["type"].native != "signing_certificate_v2"]
    signer["signed_attrs"] = cms.CMSAttributes(kept)
    return _dumped(info)


def two_signers(info: cms.ContentInfo) -> bytes:
    infos = info["content"]["signer_infos"]
    info["content"]["signer_infos"] = cms.SignerInfos([infos[0], infos[0]])
    return _dumped(info)


def no_signer(info: cms.ContentInfo) -> bytes:
    info["content"]["signer_infos"] = cms.SignerInfos([])
    return _dumped(info)


def no_certificates(info: cms.ContentInfo) -> bytes:
    info["content"]["certificates"] = cms.CertificateSet([])
    return _dumped(info)


def content_inside(info: cms.ContentInfo) -> bytes:
    """A second content inside a detached signature: some readers check that one."""
    info["content"]["encap_content_info"] = cms.ContentInfo({"content_type": "data", "content": core.OctetString(b"x")})
    return _dumped(info)


def zero_signature(info: cms.ContentInfo) -> bytes:
    _signer(info)["signature"] = core.OctetString(bytes(256))
    return _dumped(info)


def empty_signature(info: cms.ContentInfo) -> bytes:
    _signer(info)["signature"] = core.OctetString(b"")
    return _dumped(info)


def nested_for_ever(_: cms.ContentInfo) -> bytes:
    """A structure of two thousand structures, each in the other."""
    made = b""
    for _number in range(2000):
        made = core.Sequence(contents=made).dump()
    return made


def longer_than_the_world(_: cms.ContentInfo) -> bytes:
    return b"\x30\x88\x7f\xff\xff\xff\xff\xff\xff\xff" + b"\x30" * 900


def something_behind(info: cms.ContentInfo) -> bytes:
    return bytes(info.dump()) + b"hidden behind the signature"


CMS: dict[str, Callable[[cms.ContentInfo], bytes]] = {
    one.__name__: one
    for one in (
        other_signature_algorithm,
        signature_algorithm_of_another_digest,
        weaker_digest_claimed,
        no_signed_attributes,
        attribute_taken_away,
        two_signers,
        no_signer,
        no_certificates,
        content_inside,
        zero_signature,
        empty_signature,
        nested_for_ever,
        longer_than_the_world,
        something_behind,
    )
}


# --- shadow attacks -------------------------------------------------------------------------------------------------


def _prepared(source: bytes, prepare: Callable[[pikepdf.Pdf], None]) -> bytes:
    with pikepdf.open(BytesIO(source)) as document:
        prepare(document)
        out = BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        return out.getvalue()


def _hidden_text(document: pikepdf.Pdf) -> None:
    """What will show once a picture is gone that covers it."""
    page = document.pages[0]
    cover = document.make_stream(b"", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 595, 842])
    cover.write(b"1 g 0 0 595 842 re f")
    page.Resources.XObject = pikepdf.Dictionary(Cover=document.make_indirect(cover))
    page.contents_add(b"q /Cover Do Q")


def _uncover(writer: Writer) -> None:
    cover = _page(writer)["/Resources"]["/XObject"].raw_get("/Cover")
    empty = generic.StreamObject(
        _dictionary(Type=pdf_name("/XObject"), Subtype=pdf_name("/Form"), BBox=_numbers(0, 0, 1, 1)), stream_data=b""
    )
    writer.objects[(cover.generation, cover.idnum)] = empty


def _two_contents(document: pikepdf.Pdf) -> None:
    document.pages[0].PieceInfo = pikepdf.Dictionary(
        Other=document.make_indirect(document.make_stream(b"0 0 500 500 re f"))
    )


def _show_the_other(writer: Writer) -> None:
    page = _page(writer)
    page["/Contents"] = page["/PieceInfo"].raw_get("/Other")
    writer.update_container(page)


def _form_with_a_face(document: pikepdf.Pdf) -> None:
    """A field that shows one value and holds another."""
    look = document.make_stream(b"", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 200, 20])
    look.write(b"0 g 0 0 200 20 re f")
    field = document.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Widget,
            FT=pikepdf.Name.Tx,
            T=pikepdf.String("SoTien"),
            V=pikepdf.String("100"),
            Rect=[100, 100, 300, 120],
            F=4,
            AP=pikepdf.Dictionary(N=look),
        )
    )
    document.pages[0].Annots = pikepdf.Array([field])
    document.Root.AcroForm = document.make_indirect(pikepdf.Dictionary(Fields=[field]))


def _other_face(writer: Writer) -> None:
    field = _field(writer, "SoTien")
    look = _stream(writer, b"1 0 0 rg 0 0 200 20 re f", Subtype=pdf_name("/Form"), BBox=_numbers(0, 0, 200, 20))
    field["/AP"] = _dictionary(N=look)
    writer.update_container(field)


def _other_value(writer: Writer) -> None:
    field = _field(writer, "SoTien")
    field["/V"] = _text("100.000.000")
    writer.update_container(field)


def _two_fonts(document: pikepdf.Pdf) -> None:
    fonts = document.pages[0].Resources.Font
    first = next(iter(fonts.keys()))
    document.pages[0].PieceInfo = pikepdf.Dictionary(Other=document.make_indirect(pikepdf.Dictionary(fonts[first])))


def _other_font(writer: Writer) -> None:
    """Digits drawn as other digits."""
    page = _page(writer)
    fonts = page["/Resources"]["/Font"]
    font = fonts[next(iter(fonts))]
    font[pdf_name("/Encoding")] = _dictionary(
        Differences=generic.ArrayObject([generic.NumberObject(49), pdf_name("/nine")])
    )
    writer.update_container(font)


def _hidden_layer(document: pikepdf.Pdf) -> None:
    layer = document.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="L"))
    document.Root.OCProperties = pikepdf.Dictionary(OCGs=[layer], D=pikepdf.Dictionary(OFF=[layer]))
    document.pages[0].Resources.Properties = pikepdf.Dictionary(L=layer)
    document.pages[0].contents_add(b"/OC /L BDC 0 0 500 500 re f EMC")


def _show_the_layer(writer: Writer) -> None:
    writer.root["/OCProperties"]["/D"]["/OFF"] = generic.ArrayObject()
    writer.update_container(writer.root["/OCProperties"])


Shadow = tuple["Callable[[pikepdf.Pdf], None]", "Callable[[Writer], None]"]

SHADOWS: dict[str, Shadow] = {
    "hide: a cover taken away": (_hidden_text, _uncover),
    "hide-and-replace: the other content shown": (_two_contents, _show_the_other),
    "replace: another face of a field": (_form_with_a_face, _other_face),
    "replace: another value of a field": (_form_with_a_face, _other_value),
    "replace: another font": (_two_fonts, _other_font),
    "layers: a hidden one shown": (_hidden_layer, _show_the_layer),
}


def shadow(source: bytes, name: str, sign: Callable[[bytes], bytes]) -> tuple[bytes, bytes]:
    """A document prepared, signed by somebody honest, and changed: as it was signed, and as the victim gets it."""
    prepare, change = SHADOWS[name]
    signed = sign(_prepared(source, prepare))
    return signed, updated(signed, change)
