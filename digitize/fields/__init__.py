"""Fields of a Vietnamese administrative document, found by the layout that Decree 30 prescribes.

Numbers and dates of other documents stand all over the text ("Căn cứ Luật số …") and in incoming stamps, so a value is
taken only where the layout puts it, and nothing is better than something wrong. What breaks a rule, can't be checked
where it should be, or was read unsurely, is given with a low confidence: a person looks at it. What a pen wrote is
given without a value, with its place.

    head        number, symbol, date, place, agency and parent
    subject     type, abstract, legal bases
    signature   power, position, signer, recipients
    owner       name, personal number, tax code, address
    validity    valid until, scope, codes
    land        serial and register of a land certificate, parcel, sheet of the map
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitize.fields import head, land, owner, signature, subject, validity
from digitize.fields.layout import sheet_of
from digitize.fields.lengths import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.fields.layout import Sheet
    from digitize.types import Field, OcrPage

#: Every key that can be found.
KEYS = (
    "document_type", "number", "symbol", "issued_on", "place", "agency", "parent_agency", "abstract", "legal_bases",
    "signer", "position", "power", "recipients", "owner_name", "owner_id", "owner_address", "tax_code", "dossier_code",
    "type_code", "procedure_code", "valid_until", "scope", "card_qr",
    "land_serial", "land_register", "parcel", "map_sheet",
)  # fmt: skip


def extract(pages: Sequence[OcrPage]) -> list[Field]:
    """Find what a document says about itself.

    Args:
        pages: Its pages in order, as read.

    Returns:
        At most one field a key of `KEYS`. Dates are ISO; lists ("legal_bases", "recipients", "power") have one entry a
        line. An empty value has a place: something stands there that only a person can read.
    """
    fields: dict[str, Field] = {}
    for field in _all([sheet_of(page, number) for number, page in enumerate(pages, start=1)]):
        fields.setdefault(field.key, within(field))
    return list(fields.values())


def _all(sheets: Sequence[Sheet]) -> Iterator[Field]:
    """From the first page with a head; what stands before it, as a cover sheet, has none."""
    for sheet in sheets:
        if not sheet.lines:
            continue
        top = head.head_of(sheet)
        yield from head.number_and_symbol(top, sheet)
        yield from head.place_and_date(top.right, sheet)
        yield from head.agencies(top, sheet)
        yield from subject.kind_and_abstract(top, sheet)
        if top.title is not None:
            yield from _date_at_the_foot(top, sheets[sheet.number - 1 :])
            break
    yield from subject.legal_bases(sheets)
    yield from signature.signed(sheets)
    yield from owner.owner(sheets)
    yield from validity.validity(sheets)
    yield from validity.codes(sheets)
    yield from land.land(sheets)


def _date_at_the_foot(top: head.Head, sheets: Sequence[Sheet]) -> Iterator[Field]:
    """An application has its date above the applicant's name; a document with a number has it beside the number."""
    if head.number_line(top) is not None:
        return
    for sheet in sheets:
        lines = [line for line in sheet.lines if line.middle > 0.5 * sheet.width and line.box.top > top.bottom]
        yield from head.place_and_date([line for line in lines if line.box.left > 0.36 * sheet.width], sheet)
