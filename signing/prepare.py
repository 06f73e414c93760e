"""Make a PDF ready for its signatures: every field exists, empty, before the first one is filled.

A field added after a certifying signature would count as a change to the document. This is also the last moment
a file may be rewritten as a whole: hybrid-reference files are normalised, encrypted and signed ones refused.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from signing.types import Place, Profile, SigningRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from signing.types import SignaturePlace

#: What a screen reader says of the field.
_TITLES = {
    Place.LEADER: "Chữ ký số của người có thẩm quyền",
    Place.SEAL: "Chữ ký số của cơ quan, tổ chức",
    Place.COPY: "Chữ ký số của cơ quan sao văn bản",
    Place.SCANNER: "Chữ ký số của người quét",
    Place.ANNEX: "Chữ ký số của cơ quan trên phụ lục",
    Place.REPORT: "Chữ ký số của nơi lập biên bản kiểm tra",
}
_PRINT_AND_LOCKED = 4 | 128
_SIGNATURES_EXIST_AND_APPEND_ONLY = 3
_DEEPEST_FIELD_TREE = 32
#: Levels of DocMDP: nothing, or form filling and signing; the latter where none is named (ISO 32000-2, table 257).
_NO_CHANGES, _FORM_FILLING = 1, 2
#: DocMDP level 1. Evidence and document timestamps aren't changes (ISO 32000-2, 12.8.2.2.2).
_NO_CHANGES = 1


@dataclass(frozen=True)
class Fields:
    """What signature fields a file has.

    Attributes:
        names: All of them, filled or not.
        signed: At least one is filled; nothing but signatures may be added any more.
    """

    names: frozenset[str]
    signed: bool


def fields_of(source: Path) -> Fields:
    """Look which signature fields a PDF has.

    Raises:
        SigningRefused: "encrypted_pdf" or "unreadable_pdf".
    """
    with opened(source) as pdf:
        return Fields(frozenset(str(field.get("/T", "")) for field in signature_fields(pdf)), _is_signed(pdf))


def add_fields(
    source: Path, target: Path, places: Sequence[SignaturePlace], *, profile: Profile = Profile.CERTIFIED
) -> None:
    """Write `source` to `target` with an empty signature field at each place.

    Fields of ours that are there already stay. A tagged file stays tagged (each field becomes a Form element), a
    PDF/A stays one. `target` is replaced whole or not at all. The document carries its profile from now on: in the
    seal's field lies the lock that takes effect with the seal (`Profile`).

    Raises:
        SigningRefused: "encrypted_pdf", "already_signed" or "unreadable_pdf".
        ValueError: A place lies on a page that isn't there, or outside it.
    """
    with opened(source) as pdf:
        if _is_signed(pdf):
            raise SigningRefused(
                "already_signed",
                "Tệp đã có chữ ký số; thêm khung chữ ký bây giờ sẽ làm hỏng chữ ký đó. Tệp vẫn còn nguyên.",
            )
        there = {str(field.get("/T", "")) for field in signature_fields(pdf)}
        for place in places:
            if place.field_name not in there:
                _add_field(pdf, place, locks=profile is Profile.CERTIFIED and place.place is Place.SEAL)
        partial = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            pdf.save(partial, min_version="1.7", compress_streams=False)
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def forbids_everything(pdf: pikepdf.Pdf) -> bool:
    """Whether the signature that certifies the document allows no change at all (DocMDP level 1)."""
    certifying = pdf.Root.get("/Perms", Dictionary()).get("/DocMDP", Dictionary())
    for reference in certifying.get("/Reference", []):
        if reference.get("/TransformMethod") == Name.DocMDP:
            return int(reference.get("/TransformParams", Dictionary()).get("/P", _FORM_FILLING)) == _NO_CHANGES
    return False


def _is_signed(pdf: pikepdf.Pdf) -> bool:
    """Tell whether any signature field is filled, or a signature has certified the document."""
    return "/Perms" in pdf.Root or any("/V" in field for field in signature_fields(pdf))


@contextmanager
def opened(source: Path) -> Iterator[pikepdf.Pdf]:
    """A PDF to be signed.

    Raises:
        SigningRefused: "encrypted_pdf" or "unreadable_pdf".
    """
    encrypted = SigningRefused(
        "encrypted_pdf", "Tệp PDF được đặt mật khẩu hoặc mã hóa. Chưa có gì được ký. Hãy bỏ mật khẩu rồi gửi lại."
    )
    try:
        opened = pikepdf.open(source, access_mode=pikepdf.AccessMode.stream)  # a mapped file would count as memory
    except pikepdf.PasswordError as error:
        raise encrypted from error
    except pikepdf.PdfError as error:
        raise SigningRefused(
            "unreadable_pdf", "Tệp không phải PDF hoặc đã hỏng. Chưa có gì được ký. Hãy xuất lại tệp PDF."
        ) from error
    with opened as pdf:
        if pdf.is_encrypted:
            raise encrypted
        yield pdf


def signature_fields(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """The signature fields of a form, filled or not."""
    form = pdf.Root.get("/AcroForm")
    if isinstance(form, Dictionary):
        yield from _below(form.get("/Fields"), inherited=None, depth=0)


def _below(fields: Any, *, inherited: Any, depth: int) -> Iterator[pikepdf.Object]:
    """Walk a field tree; the type is inherited from above. Trees deeper than anyone makes are cut off."""
    if not isinstance(fields, Array) or depth > _DEEPEST_FIELD_TREE:
        return
    for field in fields:
        if not isinstance(field, Dictionary):
            continue
        kind = field.get("/FT", inherited)
        if kind == Name.Sig:
            yield field
        yield from _below(field.get("/Kids"), inherited=kind, depth=depth + 1)


def _add_field(pdf: pikepdf.Pdf, place: SignaturePlace, *, locks: bool) -> None:
    if not 1 <= place.page <= len(pdf.pages):
        raise ValueError(f"không có trang {place.page}")
    page = pdf.pages[place.page - 1]
    x1, y1, x2, y2 = place.box
    left, bottom, right, top = (float(edge) for edge in page.mediabox)
    if not (left <= x1 < x2 <= right and bottom <= y1 < y2 <= top):
        raise ValueError(f"khung chữ ký {place.box} nằm ngoài trang {place.page}")
    title = String(_TITLES[place.place])
    blank = pdf.make_stream(b"")
    blank.Type, blank.Subtype = Name.XObject, Name.Form
    blank.BBox = Array([0, 0, x2 - x1, y2 - y1])
    widget = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Sig,
            T=String(place.field_name),
            TU=title,
            Rect=Array([x1, y1, x2, y2]),
            F=_PRINT_AND_LOCKED,
            P=page.obj,
            AP=Dictionary(N=blank),
        )
    )
    if locks:
        lock = Dictionary(Type=Name.SigFieldLock, Action=Name.All, P=_NO_CHANGES)
        widget.Lock = pdf.make_indirect(lock)  # ISO 32000-2, table 234: an indirect reference
    if "/Annots" not in page:
        page.Annots = Array()
    page.Annots.append(widget)
    if not isinstance(pdf.Root.get("/AcroForm"), Dictionary):
        pdf.Root.AcroForm = pdf.make_indirect(Dictionary())
    form = pdf.Root.AcroForm
    if not isinstance(form.get("/Fields"), Array):
        form.Fields = Array()
    form.Fields.append(widget)
    if "/NeedAppearances" in form:
        del form.NeedAppearances
    form.SigFlags = _SIGNATURES_EXIST_AND_APPEND_ONLY
    if isinstance(pdf.Root.get("/StructTreeRoot"), Dictionary):
        _tag(pdf, page, widget, title)


def _tag(pdf: pikepdf.Pdf, page: pikepdf.Page, widget: pikepdf.Object, title: String) -> None:
    """Give the field its place in the structure tree: PDF/UA-1 (7.18.4) wants widgets inside a Form element."""
    tree = pdf.Root.StructTreeRoot
    parent = _document_element(tree)
    element = pdf.make_indirect(
        Dictionary(Type=Name.StructElem, S=Name.Form, P=parent, Pg=page.obj, Alt=title, Lang=String("vi"))
    )
    element.K = Dictionary(Type=Name.OBJR, Obj=widget, Pg=page.obj)
    children = parent.get("/K")
    if isinstance(children, Array):
        children.append(element)
    else:
        parent.K = Array([element] if children is None else [children, element])
    if not isinstance(tree.get("/ParentTree"), Dictionary):
        tree.ParentTree = pdf.make_indirect(Dictionary(Nums=Array()))
    numbers = pikepdf.NumberTree(tree.ParentTree)
    used = max(numbers.keys(), default=-1) + 1
    key = max(used, int(tree.get("/ParentTreeNextKey", 0)))
    numbers[key] = element
    tree.ParentTreeNextKey = key + 1
    widget.StructParent = key
    page.Tabs = Name.S


def _document_element(tree: pikepdf.Object) -> pikepdf.Object:
    """The Document element, or the root of the tree where there is none."""
    children = tree.get("/K")
    for child in children if isinstance(children, Array) else [children]:
        if isinstance(child, Dictionary) and child.get("/S") == Name.Document:
            return child
    return tree
