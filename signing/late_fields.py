"""What came into a form after a signature: fields that are new, and fields that were filled only then.

A new field can paint over the page, and what a viewer paints isn't always what pyHanko calls visible: its test reads
four numbers and takes anything else for nothing. So a new field counts as invisible only where its place is written
out as four plain numbers that enclose nothing, and otherwise only as somebody's signature, who is judged for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.sign.diff_analysis import (
    FieldComparisonContext,
    FieldMDPRule,
    FormUpdate,
    ModificationLevel,
    SuspiciousModification,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_CORNERS = 4
#: No honest form is larger, and no arithmetic on such numbers overflows.
_FARTHEST_PT = 10**6
#: What a field may do, apart from holding a signature. A new one does nothing.
_ACTIONS = ("/A", "/AA")
#: What of the form as a whole decides how the other fields look.
_FORM_LOOKS = ("/DR", "/DA", "/Q", "/NeedAppearances")


class LateFields(FieldMDPRule):
    """Refuses new fields that show something nobody answers for; remembers what else came late.

    To be asked once, for one signature. Of the revisions after it only the last one counts here: that is what
    everybody sees. The other rules look at each.

    Args:
        signatures: Fields whose signatures are judged, each with its own report.
        stamps: Fields that hold a document timestamp: evidence, but nobody's word for what they show.

    Attributes:
        created: New fields that aren't mere evidence.
        filled: Fields that were there, empty, and hold a signature now.
        form_kept: Nothing changed that decides how the fields of the whole form look.
    """

    def __init__(self, signatures: Collection[str], stamps: Collection[str]) -> None:
        self._signatures, self._stamps = signatures, stamps
        self.created: frozenset[str] = frozenset()
        self.filled: frozenset[str] = frozenset()
        self.form_kept = True

    @property
    def only_evidence(self) -> bool:
        """Whether nothing came but timestamps that nobody sees."""
        return self.form_kept and not self.created and not self.filled

    def apply(self, context: FieldComparisonContext) -> Iterator[tuple[ModificationLevel, FormUpdate]]:
        """Look at the last revision; approves nothing by itself.

        Raises:
            SuspiciousModification: A new field shows or does something, and holds no signature that is judged.
        """
        if context.new.revision == context.new.reader.xrefs.total_revisions - 1:
            self._look(context)
        return iter(())

    def _look(self, context: FieldComparisonContext) -> None:
        created: set[str] = set()
        filled: set[str] = set()
        for name, spec in context.field_specs.items():
            field = spec.new_field
            if field is None:  # removed: another rule refuses that
                continue
            is_new = spec.old_field is None
            if is_new or ("/V" in field and "/V" not in (spec.old_field or {})):
                self._require_answerable(name, field, is_new=is_new)
                if not (name in self._stamps and _shows_nothing(field, bare=True)):
                    (created if is_new else filled).add(name)
        self.created, self.filled = frozenset(created), frozenset(filled)
        self.form_kept = _form_kept(context)

    def _require_answerable(self, name: str, field: generic.DictionaryObject, *, is_new: bool) -> None:
        if is_new and not all(_is_plain(widget) for widget in _widgets(field)):
            raise SuspiciousModification(f"new field {name} isn't a plain one")
        if name in self._signatures:
            return
        # Writers of other systems give invisible timestamps an empty look; an empty field has no need of one.
        if not _shows_nothing(field, bare=name not in self._stamps):
            raise SuspiciousModification(f"{name} shows something nobody signed for")


def _widgets(field: generic.DictionaryObject) -> list[generic.DictionaryObject]:
    """The field, and what shows it elsewhere; fields below it have names of their own and are looked at as such."""
    kids = field.get("/Kids", [])
    below = [kid.get_object() for kid in kids]
    if not all(isinstance(kid, generic.DictionaryObject) for kid in below):
        raise SuspiciousModification("a widget that isn't a dictionary")
    unnamed = [kid for kid in below if "/T" not in kid]
    if any("/Kids" in kid for kid in unnamed):
        raise SuspiciousModification("a widget with widgets of its own")
    return [field, *unnamed]


def _is_plain(widget: generic.DictionaryObject) -> bool:
    """Whether it stands at a place every reader understands alike, if anywhere, and does nothing."""
    return ("/Rect" not in widget or _place(widget) is not None) and not any(key in widget for key in _ACTIONS)


def _shows_nothing(field: generic.DictionaryObject, *, bare: bool) -> bool:
    """Whether no reader would draw it. `bare`: without so much as an appearance of no size."""
    widgets = _widgets(field)
    if len(widgets) > 1 and "/Rect" not in field:  # then it is drawn through its widgets alone
        if "/AP" in field:
            return False
        widgets = widgets[1:]
    places = [_place(widget) for widget in widgets]
    empty = all(place is not None and (place[0] == place[2] or place[1] == place[3]) for place in places)
    return empty and not (bare and any("/AP" in widget for widget in widgets))


def _place(widget: generic.DictionaryObject) -> list[Any] | None:
    """Its four corners, when they are written out: direct, finite, no more and no fewer."""
    try:
        corners = widget.raw_get("/Rect")
    except KeyError:
        return None
    if not isinstance(corners, generic.ArrayObject) or len(corners) != _CORNERS:
        return None
    numbers = [corners.raw_get(position) for position in range(_CORNERS)]
    plain = all(isinstance(number, (generic.NumberObject, generic.FloatObject)) for number in numbers)
    return numbers if plain and all(-_FARTHEST_PT < number < _FARTHEST_PT for number in numbers) else None


def _form_kept(context: FieldComparisonContext) -> bool:
    old, new = context.old.root["/AcroForm"], context.new.root["/AcroForm"]
    return all(old.get(key) == new.get(key) for key in _FORM_LOOKS)
