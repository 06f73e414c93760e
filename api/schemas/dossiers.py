"""Dossiers and their papers, at the HTTP edge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from api.files import SHORT_HASH
from api.schemas.common import In, Labelled, LongText, StepOut, Text
from api.schemas.e_results import EResultOut
from digitize.types import Flag
from dossiers import record
from dossiers.amendments import Told
from dossiers.codes import format_lookup_code
from dossiers.holds import Coverage
from dossiers.intake import Receipt
from dossiers.labels import label
from dossiers.retention import Kept
from dossiers.types import Component, Dossier, DossierState, EResult, ExtractedField, Page, PageGlance, SearchHit


class ApplicantIn(In):
    """Who the dossier is for."""

    name: Annotated[Text, Field(min_length=1)]
    id_number: Text = ""
    phone: Text = ""
    address: Text = ""


class DossierIn(In):
    """A new dossier. `receiving` is for post offices; `competent` where another agency decides.

    A `back_file` is an old one, digitised after the fact: its pages are read when nobody else's wait.
    """

    procedure: Text
    applicant: ApplicantIn
    receiving: Text | None = None
    competent: Text | None = None
    back_file: bool = False


class CloseIn(In):
    """Refuse, cancel, or ask for a supplement."""

    state: DossierState
    reason: Text


#: As many words as the page's own form takes, and more fields than there are.
_MOST_WORDS = 5000
_MOST_FIELDS = 200

Key = Annotated[Text, Field(max_length=40)]


def _not_too_many(words: dict[int, dict[int, str]]) -> dict[int, dict[int, str]]:
    if sum(map(len, words.values())) > _MOST_WORDS:
        raise ValueError(f"quá {_MOST_WORDS} chữ trong một lần (more than {_MOST_WORDS} words at once)")
    return words


class ReviewIn(In):
    """Corrections: page number → word index → text; field key → value.

    With the paper's `version` as it was seen, nothing that somebody else has changed since is overwritten.
    """

    words: Annotated[
        dict[int, dict[int, Text]],
        Field(default_factory=dict, max_length=_MOST_WORDS),
        AfterValidator(_not_too_many),
    ]
    fields: Annotated[dict[Key, Text], Field(default_factory=dict, max_length=_MOST_FIELDS)]
    keep_reason: Text = ""
    version: int | None = None


class FieldChangeIn(In):
    """A field as a person leaves it, and what stood there when they began typing.

    "" where nothing did; "[không có]" or "[không đọc được]" where somebody had said so (`origin` "absent" or
    "unreadable").
    """

    key: Key
    value: LongText
    seen: LongText


class WordChangeIn(In):
    """A word as a person leaves it ("" drops it), and what stood there when they began typing."""

    page: int
    index: int
    text: Text
    seen: Text


class LineChangeIn(In):
    """A whole line as a person leaves it, and what stood there; `line` is the index of its first word."""

    page: int
    line: int
    text: LongText
    seen: LongText


class CorrectionsIn(In):
    """Corrections to keep now, all of them or none."""

    fields: Annotated[list[FieldChangeIn], Field(default_factory=list, max_length=_MOST_FIELDS)]
    words: Annotated[list[WordChangeIn], Field(default_factory=list, max_length=2000)]
    lines: Annotated[list[LineChangeIn], Field(default_factory=list, max_length=500)]


class PageOut(BaseModel):
    """A page's state and what may be wrong with it."""

    number: int
    state: Labelled
    flags: list[str]
    flag_words: list[Labelled]
    trouble: str
    reviewed: bool
    thumbnail: Annotated[str | None, Field(description="Short hash for `?v=`; null until there is one.")]
    picture: Annotated[str | None, Field(description="The same, of the cleaned page.")]
    left_out: Annotated[bool, Field(description="A person left it out of the copy; it stays in the scan.")]
    without_note: Annotated[int | None, Field(description="The same page, without the note stuck on this one.")]

    @staticmethod
    def of(page: Page | PageGlance) -> PageOut:
        """Without its text."""
        return PageOut(
            number=page.number,
            state=Labelled.of(page.state),
            flags=list(page.flags),
            flag_words=[Labelled.of(Flag(flag)) for flag in page.flags],
            trouble=page.trouble,
            reviewed=bool(page.reviewed_by),
            thumbnail=page.thumbnail.sha256[:SHORT_HASH] if page.thumbnail else None,
            picture=page.picture.sha256[:SHORT_HASH] if page.picture else None,
            left_out=bool(page.left_out_by),
            without_note=page.without_note,
        )


class PageMarksIn(In):
    """What a person says of a whole page."""

    left_out: bool = False
    without_note: Annotated[int | None, Field(ge=1)] = None


class PartIn(In):
    """Where another paper begins in one, and what it is."""

    page: Annotated[int, Field(ge=1, description="Its first page; with `is_sheet`, the separator sheet before it.")]
    is_sheet: bool = False
    kind: Annotated[str, Field(max_length=64)] = ""
    name: Annotated[str, Field(max_length=200)] = ""


class ComponentOut(BaseModel):
    """One paper: its scan's hash, its state, its files."""

    id: UUID
    ordinal: int
    kind: str
    name: str
    filename: str
    state: Labelled
    trouble: str
    pages_total: int
    pages_declared: int | None
    scan_sha256: str
    scan_bytes: int
    signed_scan: bool
    searchable_sha256: str | None
    copy_sha256: str | None
    keep_reason: str
    whole_sha256: str | None
    whole_numbers: Annotated[
        list[int], Field(description="Pages of the scan that separator sheets parted, which are this paper.")
    ]
    version: Annotated[int, Field(description="Goes up with each change of the paper or of what was read of it.")]

    @staticmethod
    def of(component: Component) -> ComponentOut:
        """As kept."""
        return ComponentOut(
            id=component.id,
            ordinal=component.ordinal,
            kind=component.kind,
            name=component.name,
            filename=component.filename,
            state=Labelled.of(component.state),
            trouble=component.trouble,
            pages_total=component.pages_total,
            pages_declared=component.pages_declared,
            scan_sha256=component.scan.sha256,
            scan_bytes=component.scan.size,
            signed_scan=component.signed_scan,
            searchable_sha256=component.searchable.sha256 if component.searchable else None,
            copy_sha256=component.copy.sha256 if component.copy else None,
            keep_reason=component.keep_reason,
            whole_sha256=component.whole.sha256 if component.whole else None,
            whole_numbers=list(component.whole_numbers),
            version=component.version,
        )


class ProgressOut(BaseModel):
    """How far a component is: what the progress stream sends whenever it changes."""

    component: UUID
    state: Labelled
    done: int
    total: int
    searchable: bool
    given_up: Annotated[bool, Field(description="Its dossier was refused or cancelled: it stays as it is.")]
    pages: list[PageOut]

    @staticmethod
    def of(dossier: Dossier, component: Component, pages: Sequence[Page | PageGlance]) -> ProgressOut:
        """Counted from the pages themselves."""
        return ProgressOut(
            component=component.id,
            state=Labelled.of(component.state),
            done=sum(p.state.value not in ("received", "cleaned") for p in pages),
            total=len(pages),
            searchable=component.searchable is not None,
            given_up=dossier.is_given_up,
            pages=[PageOut.of(p) for p in pages],
        )


class DroppedOut(BaseModel):
    """A paper that was taken out: how many pages won't be read now, and the scan that is still kept."""

    unread_pages: int
    scan_sha256: str


class DossierProgressOut(BaseModel):
    """How far all papers of a dossier are, at one address to ask again and again."""

    state: Labelled
    next_step: StepOut | None
    done: int
    total: int
    components: list[ProgressOut]

    @staticmethod
    def of(dossier: Dossier, components: Sequence[Component], pages: Sequence[PageGlance]) -> DossierProgressOut:
        """Counted from the pages of all of them."""
        each = [ProgressOut.of(dossier, c, [p for p in pages if p.component_id == c.id]) for c in components]
        return DossierProgressOut(
            state=Labelled.of(dossier.state),
            next_step=StepOut.of(dossier.next_step(components)),
            done=sum(one.done for one in each),
            total=sum(one.total for one in each),
            components=each,
        )


class FieldOut(BaseModel):
    """A value of the paper: what was read, what it counts as now, who says so, and why a person should look.

    `origin` is "ocr", "typed", "corrected", "absent" or "unreadable" where a person said so, or "missing" for a field
    of the minimum record without a value. With `doubt` "by_hand" the value is a guess at a pen's writing.
    """

    key: str
    vi: str
    en: str
    value: str
    raw: str
    page: int
    box: tuple[int, int, int, int] | None
    confidence: float
    origin: str
    by: str
    doubt: str | None
    doubt_words: Labelled | None

    @staticmethod
    def of(field: ExtractedField, *, today: date, by_hand: bool = False) -> FieldOut:
        """As kept, and judged."""
        doubt = record.doubt_of(field, today=today, by_hand=by_hand)
        return FieldOut(
            key=field.key,
            vi=label(field.key, "vi"),
            en=label(field.key, "en"),
            doubt=doubt,
            doubt_words=None if doubt is None else Labelled.of(doubt),
            value=field.value,
            raw=field.raw,
            page=field.page,
            box=field.box,
            confidence=field.confidence,
            origin=field.origin,
            by=field.by,
        )


class KeepingOut(BaseModel):
    """For how long a dossier is kept, and whether it is held: then nothing of it goes, whatever the period says."""

    held: Annotated[bool, Field(description="Under legal hold. Why is told to its own agencies, on its page.")]
    held_in_store: Annotated[bool, Field(description="The store was seen of late to hold every file of it.")]
    years: Annotated[int, Field(description="As its procedure is kept now, or its own once it has ended; 0: for ever.")]
    until: Annotated[datetime | None, Field(description="Null until it has ended, and for ever.")]
    locked_at: Annotated[datetime | None, Field(description="When its files were seen to be locked for as long.")]

    @staticmethod
    def of(kept: Kept, coverage: Coverage | None) -> KeepingOut:
        """`coverage`: of its files by the store's hold; None without a live hold."""
        return KeepingOut(
            held=coverage is not None,
            held_in_store=coverage is not None and coverage.is_whole,
            years=kept.years,
            until=kept.until,
            locked_at=kept.locked_at,
        )


class DossierOut(BaseModel):
    """A dossier with owner, due date and next step, as staff see it."""

    id: UUID
    code: str
    procedure: str
    applicant: ApplicantIn
    receiving: str
    competent: str
    helped_at: str | None
    state: Labelled
    next_step: StepOut | None
    opened_at: datetime
    received_at: datetime | None
    due_on: date | None
    note: str
    paper_at: Annotated[str, Field(description="Code of the agency that answers for the paper.")]
    paper_state: Labelled
    paper_to: str | None
    travelling: Annotated[UUID | None, Field(description="The transfer it is on its way in; null while it is held.")]
    paper_note: Annotated[str, Field(description="What the receiver said when the paper didn't arrive.")]
    paper_step: Annotated[StepOut | None, Field(description="Who moves the paper next, beside `next_step`.")]
    back_file: Annotated[bool, Field(description="An old dossier, digitised after the fact.")]
    version: int
    keeping: Annotated[KeepingOut | None, Field(description="Only where this one dossier was asked for.")] = None
    components: list[ComponentOut] = []
    e_results: list[EResultOut] = []

    @staticmethod
    def of(
        dossier: Dossier,
        components: Sequence[Component] = (),
        e_results: Sequence[EResult] = (),
        *,
        keeping: KeepingOut | None = None,
    ) -> DossierOut:
        """With its papers and results, and how it is kept, where they were asked for."""
        return DossierOut(
            id=dossier.id,
            code=dossier.code,
            procedure=dossier.procedure,
            applicant=ApplicantIn(
                name=dossier.applicant.name,
                id_number=dossier.applicant.id_number,
                phone=dossier.applicant.phone,
                address=dossier.applicant.address,
            ),
            receiving=dossier.receiving,
            competent=dossier.competent,
            helped_at=dossier.helped_at,
            state=Labelled.of(dossier.state),
            next_step=StepOut.of(dossier.next_step(components)),
            opened_at=dossier.opened_at,
            received_at=dossier.received_at,
            due_on=dossier.due_on,
            note=dossier.note,
            paper_at=dossier.paper_at,
            paper_state=Labelled.of(dossier.paper_state),
            paper_to=dossier.paper_to,
            travelling=dossier.transfer,
            paper_note=dossier.paper_note,
            paper_step=StepOut.of(dossier.paper_step()),
            back_file=dossier.back_file,
            version=dossier.version,
            keeping=keeping,
            components=[ComponentOut.of(c) for c in components],
            e_results=[EResultOut.of(r) for r in e_results],
        )


class DossiersOut(BaseModel):
    """A page of the queue, most urgent first; `next_cursor` asks for the rest."""

    items: list[DossierOut]
    next_cursor: UUID | None


class ReceiptLineOut(BaseModel):
    """One paper on the receipt."""

    ordinal: int
    name: str
    pages: Annotated[int, Field(description="As counted when the dossier was received.")]
    images: int
    sha256: str


class ReceiptChangeOut(BaseModel):
    """What isn't any more as the receipt says."""

    kind: Labelled
    name: str
    pages: int
    images: int


class ReceiptOut(BaseModel):
    """Giấy tiếp nhận và hẹn trả."""

    code: str
    lookup_code: str
    procedure: str
    applicant: str
    received_at: datetime
    due_on: date
    lines: list[ReceiptLineOut]
    changes: list[ReceiptChangeOut]

    @staticmethod
    def of(receipt: Receipt) -> ReceiptOut:
        """With the look-up code in groups, as printed."""
        return ReceiptOut(
            code=receipt.code,
            lookup_code=format_lookup_code(receipt.lookup_code),
            procedure=receipt.procedure,
            applicant=receipt.applicant,
            received_at=receipt.received_at,
            due_on=receipt.due_on,
            lines=[
                ReceiptLineOut(
                    ordinal=line.ordinal, name=line.name, pages=line.pages, images=line.images, sha256=line.sha256
                )
                for line in receipt.lines
            ],
            changes=[
                ReceiptChangeOut(kind=Labelled.of(one.kind), name=one.name, pages=one.pages, images=one.images)
                for one in receipt.changes
            ],
        )


class SearchHitOut(BaseModel):
    """A page that contains what was asked for; one that proves who somebody is, without its words (`withheld`)."""

    dossier_id: UUID
    dossier_code: str
    component_id: UUID
    component_name: str
    page: int
    snippet: str
    exact: bool
    withheld: bool

    @staticmethod
    def of(hit: SearchHit) -> SearchHitOut:
        """As found."""
        return SearchHitOut(
            dossier_id=hit.dossier_id,
            dossier_code=hit.dossier_code,
            component_id=hit.component_id,
            component_name=hit.component_name,
            page=hit.page,
            snippet=hit.snippet,
            exact=hit.exact,
            withheld=hit.withheld,
        )


class EventOut(BaseModel):
    """One line of a dossier's history."""

    at: datetime
    actor: str
    agency: str
    event: str
    detail: dict[str, Any]


class ChangeOut(BaseModel):
    """One value: where it stands ("field.signer", "word.1.17", "name", "data.subject"), before and since."""

    where: str
    before: Any
    after: Any


class AmendmentOut(BaseModel):
    """A line of the history with the values it changed; `changes` is null where they were erased since."""

    at: datetime
    actor: str
    agency: str
    event: str
    changes: list[ChangeOut] | None

    @staticmethod
    def of(told: Told) -> AmendmentOut:
        """As told."""
        line, changes = told.line, told.changes
        return AmendmentOut(
            at=line.at,
            actor=line.actor,
            agency=line.agency,
            event=line.event,
            changes=None
            if changes is None
            else [ChangeOut(where=where, before=was, after=now) for where, (was, now) in changes.items()],
        )
