"""How long a value may be (Decree 30/2020, Appendix VI). What is longer is in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from digitize.fields.layout import doubted

if TYPE_CHECKING:
    from digitize.types import Field

#: Characters by key; lists have the bound of the whole list.
LONGEST: Final = {
    "number": 11,
    "symbol": 30,
    "issued_on": 10,
    "document_type": 100,
    "agency": 200,
    "parent_agency": 200,
    "abstract": 500,
    "position": 100,
    "power": 200,
    "signer": 50,
    "owner_name": 200,
    "recipients": 1000,
    "place": 100,
}


def within(field: Field) -> Field:
    """The field, in doubt when its value is longer than the law's; never cut."""
    longest = LONGEST.get(field.key)
    return doubted(field) if longest is not None and len(field.value) > longest else field
