"""The review: a paper's picture on one side, what was read of it on the other, saved as it is typed.

The page is a plain form. With scripts (`static/review.js`) the picture follows the cursor and every field is kept when
it is left; without them everything is kept when the form is sent.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator

from api.deps import Office, Reviews, Sees
from api.errors import BadUpload
from api.files import SHORT_HASH
from api.pages import find, words
from api.pages.frame import Frame, StaffFrame, Typed, local_path
from api.schemas.common import clean
from api.wiring import Services, utc_now
from digitize import reading
from digitize.lines import lines_of, standing
from digitize.types import RESCAN, Box, Flag, PenZone
from dossiers import identity_papers, page_marks, record, separation, verification
from dossiers import review as reviewing
from dossiers.calendar import local_day
from dossiers.digitization import KEPT_READING
from dossiers.labels import label
from dossiers.policy import MAY, Act
from dossiers.ports import ObjectMissing
from dossiers.types import (
    Actor,
    Agency,
    Component,
    ComponentState,
    Dossier,
    Doubt,
    ExtractedField,
    Incomplete,
    NotFound,
    OfficeError,
    Overtaken,
    Page,
    PageState,
)
from signing import words as verdict_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from api.errors import Language
    from digitize.types import OcrPage, OcrWord
    from dossiers.types import Conflict

router = APIRouter(include_in_schema=False)

#: A page of dense print has some 700 words, and each may come with what stood there before.
_MOST_INPUTS = 5000
_MOST_CHARACTERS = {"f": 4000, "w": 500, "l": 4000}
_WORDS_AROUND = 4
_WORD_INPUT = re.compile(r"w-(\d{1,5})-(\d{1,6})")
_LINE_INPUT = re.compile(r"l-(\d{1,5})-(\d{1,6})")
_FIELD_INPUT = re.compile(r"f-([a-z_]{1,40})")
#: Fields that may fill more than a line.
_HAND = frozenset({Flag.HANDWRITTEN_NUMBER, Flag.HANDWRITTEN_DAY})
_ZONES = {"number": PenZone.NUMBER, "issued_on": PenZone.DAY}
_LONG = frozenset(
    {"abstract", "recipients", "scope", "legal_bases", "power", "agency", "parent_agency", "owner_address"}
)
_MOVING = frozenset({ComponentState.RECEIVED, ComponentState.CAPTURE_SIGNING, ComponentState.SIGNING})


@dataclass(frozen=True)
class FieldRow:
    """A field as the page shows it.

    Attributes:
        shown: Its value as people write it: a day as 05/03/2026.
        stood: What the person has seen there; of what they typed before a refusal, not what has come there since.
        typed: What somebody has just typed, kept after the form was refused; None otherwise.
        conflict: What somebody else has made of it meanwhile.
        asked: A pen wrote it and nobody has said yet what stands there: no guess is shown, a person types it.
        page, box: Where it stands, or where the pen wrote; crop: the same as the view box of a picture of it.
    """

    field: ExtractedField
    shown: str
    doubt: Doubt | None
    long: bool
    stood: str
    page: int = 1
    box: tuple[int, int, int, int] | None = None
    crop: Crop | None = None
    asked: bool = False
    typed: str | None = None
    conflict: Conflict | None = None


@dataclass(frozen=True)
class Crop:
    """A strip of a page's picture: which part of it, and how large the whole is, in pixels."""

    view_box: str
    address: str
    width: int
    height: int


@dataclass(frozen=True)
class WordRow:
    """A word to look at: it is risky, a pen wrote it, or a person has made another of it.

    Attributes:
        seen: As it counts now. raw: as the machine read it. stood, typed: as for a field.
        read_first: What the machine read before it mended it; "" where it didn't.
        before, after: The words around it.
        sure: How sure the reader was, in percent.
    """

    page: int
    index: int
    seen: str
    raw: str
    sure: int
    box: tuple[int, int, int, int]
    before: str
    after: str
    corrected: bool
    stood: str
    read_first: str = ""
    by_pen: bool = False
    typed: str | None = None
    conflict: Conflict | None = None


@dataclass(frozen=True)
class LineRow:
    """A line of a page that goes whole to a person.

    Attributes:
        line: Index of its first word. number: From 1, for people. seen, raw, stood, typed: as for a word.
        doubts: Boxes of the words that are to be looked at first.
        checked: Whether a person has gone over each of its words.
    """

    page: int
    line: int
    number: int
    seen: str
    raw: str
    box: tuple[int, int, int, int]
    crop: Crop | None
    doubts: Sequence[tuple[int, int, int, int]]
    checked: bool
    stood: str
    typed: str | None = None
    conflict: Conflict | None = None


@dataclass(frozen=True)
class Paper:
    """A component with what its page needs to know."""

    dossier: Dossier
    component: Component
    pages: Sequence[Page]
    siblings: Sequence[Component]
    fields: Sequence[ExtractedField]
    agencies: Mapping[str, Agency]
    people: Mapping[str, str]

    @property
    def to_scan_again(self) -> list[tuple[Page, list[Flag]]]:
        """Pages that ought to be scanned again, each with why."""
        kept = [page for page in self.pages if not page.left_out_by]
        found = [(page, sorted(RESCAN & {Flag(flag) for flag in page.flags})) for page in kept]
        return [(page, flags) for page, flags in found if flags]

    @property
    def is_miscounted(self) -> bool:
        """Whether there are more or fewer pages than were counted at the counter."""
        return not self.count.agrees(self.component.pages_declared)

    @property
    def count(self) -> page_marks.Counted:
        """Its pages, counted."""
        return page_marks.counted(self.pages)

    @property
    def may_be_marked(self) -> bool:
        """Whether pages can still be left out, or linked as one page with and without a note."""
        return page_marks.may_be_marked(self.component)

    @property
    def is_asked_about(self) -> bool:
        """Whether a separator sheet left something in doubt."""
        return self.component.trouble in separation.ASKED

    @property
    def needs_reason(self) -> bool:
        """Whether it can be kept only with a reason."""
        return bool(self.to_scan_again) or self.is_miscounted or self.is_asked_about

    @property
    def next_to_review(self) -> Component | None:
        """Another paper of the dossier that waits for its review: the next one, else the first."""
        waiting = [c for c in self.siblings if c.state is ComponentState.READ and c.id != self.component.id]
        later = [c for c in waiting if c.ordinal > self.component.ordinal]
        return next(iter(later or waiting), None)

    @property
    def is_open(self) -> bool:
        """Whether it can be reviewed (again)."""
        return self.component.state in (ComponentState.READ, ComponentState.REVIEWED)


@dataclass(frozen=True)
class SentForm:
    """A sent form.

    Attributes:
        values: Name of an input → what is in it; "…-seen" is what stood there before.
    """

    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> int:
        """The page that was looked at."""
        number = self.values.get("trang", "")
        return int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1  # noqa: PLR2004

    @property
    def is_finished(self) -> bool:
        """Whether the person has called the paper right."""
        return self.values.get("xong") == "1"

    @property
    def keep_reason(self) -> str:
        """Why a doubtful scan is kept."""
        return self.values.get("keep_reason", "")

    def fields(self) -> list[reviewing.FieldChange]:
        """Fields that aren't as they stood there."""
        return [
            reviewing.FieldChange(key=match[1], value=value, seen=self._seen(name))
            for name, value in self.values.items()
            if (match := _FIELD_INPUT.fullmatch(name)) and self._is_said(match[1], name, value)
        ]

    def _is_said(self, key: str, name: str, value: str) -> bool:
        """Whether a field was changed; one that was asked for, whether anything was typed: no guess stood in it."""
        if f"{name}-asked" in self.values:
            return bool(value)
        return value != _shown(key, self._seen(name))

    def words(self) -> list[reviewing.WordChange]:
        """Words that aren't as they stood there."""
        return [
            reviewing.WordChange(page=int(match[1]), index=int(match[2]), text=value, seen=self._seen(name))
            for name, value in self.values.items()
            if (match := _WORD_INPUT.fullmatch(name)) and value != self._seen(name)
        ]

    def lines(self) -> list[reviewing.LineChange]:
        """Lines that aren't as they stood there."""
        return [
            reviewing.LineChange(page=int(match[1]), line=int(match[2]), text=value, seen=self._seen(name))
            for name, value in self.values.items()
            if (match := _LINE_INPUT.fullmatch(name)) and value != self._seen(name)
        ]

    def too_long(self) -> list[str]:
        """Names of inputs with more in them than is kept."""
        return [n for n, v in self.values.items() if len(v) > _MOST_CHARACTERS.get(n.partition("-")[0], 500)]

    def _seen(self, name: str) -> str:
        return self.values.get(f"{name}-seen", "")


async def _typed(request: Request, _: Reviews) -> SentForm:
    """The form, however many inputs it has; read after asking who sends it.

    Raises:
        BadUpload: It has characters that can't be kept.
    """
    form = await request.form(max_files=0, max_fields=_MOST_INPUTS)
    try:
        return SentForm({clean(name): clean(text).strip() for name, text in form.items() if isinstance(text, str)})
    except ValueError as error:
        raise BadUpload from error


@router.get("/ho-so/{dossier_id}/giay-to/{component_id}")
def review_page(
    dossier_id: UUID,
    component_id: UUID,
    actor: Sees,
    office: Office,
    frame: StaffFrame,
    trang: int = 1,
    tim: Annotated[str, Query(max_length=200), AfterValidator(clean)] = "",
) -> Response:
    """One paper: its picture beside what was read of it; `tim` is a phrase to show on its page."""
    paper = _paper(office, actor, dossier_id, component_id)
    return _shown_paper(frame, actor, office, paper, trang, phrase=tim)


@router.get("/ho-so/{dossier_id}/giay-to/{component_id}/tinh-hinh")
def paper_state(
    dossier_id: UUID, component_id: UUID, actor: Sees, office: Office, frame: StaffFrame, tu: str = ""
) -> Response:
    """How far a paper is that the service is at work on; once that is over, the page is loaded again.

    Not where somebody may be typing: only the text layer of a reviewed paper is made again meanwhile.
    """
    paper = _paper(office, actor, dossier_id, component_id)
    response = frame.part("_paper_state.html", **_state(paper))
    if tu != _moment_of(paper) and not tu.startswith(ComponentState.REVIEWED):
        response.headers["hx-refresh"] = "true"
    return response


@router.get("/ho-so/{dossier_id}/giay-to/{component_id}/chu-ky")
def signatures(dossier_id: UUID, component_id: UUID, actor: Sees, office: Office, frame: StaffFrame) -> Response:
    """What the signatures that a scan came with are worth, judged now."""
    component = _paper(office, actor, dossier_id, component_id).component
    if not component.signed_scan:
        raise NotFound(str(component_id))
    with tempfile.TemporaryDirectory(dir=office.work_dir) as folder:
        file = Path(folder, "scan")
        office.store.fetch(component.scan, file)
        found = verification.judge(office.begin, file, judge=office.judges, now=utc_now()).file
    return frame.part(
        "_came_signed.html",
        said=verdict_words.sentence(found, language=frame.language),
        verdict=found.verdict.value,
        signatures=found.signatures,
    )


@router.post("/ho-so/{dossier_id}/giay-to/{component_id}")
def keep(
    dossier_id: UUID,
    component_id: UUID,
    actor: Reviews,
    office: Office,
    frame: StaffFrame,
    typed: Annotated[SentForm, Depends(_typed)],
) -> Response:
    """Keep what was typed and, when the person says so, call the paper reviewed and lead on to the next one."""
    paper = _paper(office, actor, dossier_id, component_id)
    try:
        _keep(office, actor, paper, typed)
    except NotFound:
        raise
    except OfficeError as error:
        paper = _paper(office, actor, dossier_id, component_id)
        return _shown_paper(frame, actor, office, paper, typed.page, typed=typed, error=error)
    here = f"/ho-so/{dossier_id}/giay-to"
    if not typed.is_finished:
        kept = paper.component.state is ComponentState.READ
        return frame.to(f"{here}/{component_id}?trang={typed.page}", tell="saved" if kept else "nothing_changed")
    following = paper.next_to_review
    if following is None:
        return frame.to(f"/ho-so/{dossier_id}", tell="reviewed")
    return frame.to(f"{here}/{following.id}", tell="reviewed_next")


@router.post("/ho-so/{dossier_id}/giay-to/{component_id}/doc-lai")
def try_again(
    dossier_id: UUID, component_id: UUID, actor: Reviews, office: Office, frame: StaffFrame, ve: Typed = ""
) -> Response:
    """Take up again a paper that was set aside; `ve` is where the person came from."""
    reviewing.try_again(office.begin, component_id, by=actor, dossier_id=dossier_id)
    return frame.to(local_path(ve, f"/ho-so/{dossier_id}/giay-to/{component_id}"), tell="taken_up_again")


def _keep(office: Services, actor: Actor, paper: Paper, typed: SentForm) -> None:
    """Keep what was typed.

    Raises:
        Incomplete: Something is too long, or a doubtful scan lacks the reason why it is kept.
        Overtaken: Somebody else has changed one of these meanwhile.
        WrongState: It can't be reviewed now.
    """
    too_long = typed.too_long()
    if too_long:
        raise Incomplete("too_long", tuple(too_long))
    fields, changed, lines = typed.fields(), typed.words(), typed.lines()
    in_one_go = paper.component.state is not ComponentState.READ
    if (fields or changed or lines) and not (in_one_go and typed.is_finished):
        reviewing.correct(
            office.begin,
            office.store,
            paper.component.id,
            by=actor,
            dossier_id=paper.dossier.id,
            fields=fields,
            words=changed,
            lines=lines,
            work_dir=office.work_dir,
        )
    if typed.is_finished:
        reviewing.review(
            office.begin,
            office.store,
            paper.component.id,
            by=actor,
            dossier_id=paper.dossier.id,
            decided=reviewing.Review(
                fields=fields if in_one_go else (),
                words=changed if in_one_go else (),
                lines=lines if in_one_go else (),
                keep_reason=typed.keep_reason,
            ),
            work_dir=office.work_dir,
        )


def _paper(office: Services, actor: Actor, dossier_id: UUID, component_id: UUID) -> Paper:
    """Raises NotFound: there is none, or the asker's agency has no part in its dossier."""
    with office.begin() as work:
        dossier = work.dossiers.of(actor, dossier_id)
        component = work.components.of(component_id, within=dossier.id)
        return Paper(
            dossier=dossier,
            component=component,
            pages=work.components.pages(component.id),
            siblings=work.components.of_dossier(dossier.id),
            fields=record.whole(component.id, work.components.fields(component.id)),
            agencies={agency.code: agency for agency in work.agencies.all()},
            people={
                person.username: person.name for code in dossier.agencies() for person in work.accounts.in_agency(code)
            },
        )


def _shown_paper(
    frame: Frame,
    actor: Actor,
    office: Services,
    paper: Paper,
    number: int,
    *,
    phrase: str = "",
    typed: SentForm | None = None,
    error: OfficeError | None = None,
) -> Response:
    """The page; after a refusal with what was typed and what is wrong with it. The look is in the log before."""
    identity_papers.note_seen(office.begin, paper.component, by=actor, what="text", now=utc_now())
    page = next((p for p in paper.pages if p.number == number), paper.pages[0])
    conflicts = error.conflicts if isinstance(error, Overtaken) else ()
    problem = None if error is None else frame.trouble(error)
    readings = {number: _reading(office, p) for number, p in _pages_with_fields(paper, page).items()}
    ocr = readings[page.number]
    editable = paper.is_open and bool(actor.roles & MAY[Act.REVIEW])
    whole_page = Flag.DOUBTFUL_READING in page.flags
    by_line = whole_page and editable and ocr is not None
    word_rows = None if ocr is None else [] if by_line else _word_rows(page, ocr, typed, conflicts)
    line_rows = _line_rows(paper, page, ocr, typed, conflicts) if by_line and ocr else []
    in_the_form = {f"w-{row.page}-{row.index}" for row in word_rows or ()} if editable else set[str]()
    in_the_form |= {f"l-{row.page}-{row.line}" for row in line_rows}
    return frame.page(
        "review.html",
        status=200 if problem is None else problem["status"],
        problem=problem,
        wrong=wrong_with(paper, frame.language),
        listed=_listed(paper, error, frame.language) if error else [],
        editable=editable,
        not_kept=_not_kept(paper, typed, in_the_form, frame.language, editable=editable) if typed else [],
        keeps_at_once=paper.component.state is ComponentState.READ,
        page=page,
        rows=_field_rows(paper, readings, typed, conflicts),
        whole_page=whole_page,
        line_rows=line_rows,
        expected_wer=page.measured.get("expected_wer"),
        kept_reading=KEPT_READING in page.measured,
        answers=tuple(record.ANSWERS),
        word_rows=word_rows,
        place=find.place_of(reading.corrected(ocr, page.corrections), phrase) if ocr and phrase else None,
        keep_reason=typed.keep_reason if typed else paper.component.keep_reason,
        sure_from=record.SURE_FROM,
        short_hash=SHORT_HASH,
        **_state(paper),
    )


def _state(paper: Paper) -> dict[str, Any]:
    component = paper.component
    return {
        "paper": paper,
        "dossier": paper.dossier,
        "component": component,
        "State": ComponentState,
        "PageState": PageState,
        "read": sum(page.state is not PageState.RECEIVED for page in paper.pages),
        "at_work": not paper.dossier.is_given_up
        and (
            component.state in _MOVING or (component.state is ComponentState.REVIEWED and component.searchable is None)
        ),
        "moment_of": _moment_of(paper),
        "people": paper.people,
        "agencies": paper.agencies,
        "Flag": Flag,
    }


def _moment_of(paper: Paper) -> str:
    """Changes when the page that is open no longer tells the truth."""
    return f"{paper.component.state.value}-{paper.component.searchable is not None:d}"


def _pages_with_fields(paper: Paper, shown: Page) -> dict[int, Page]:
    """The page that is shown, and those on which a field stands or a pen wrote: a strip of each is shown beside it."""
    wanted = {shown.number, *(f.page for f in paper.fields if f.box)}
    return {p.number: p for p in paper.pages if p.number in wanted or _HAND & set(p.flags)}


def _field_rows(
    paper: Paper, readings: Mapping[int, OcrPage | None], typed: SentForm | None, conflicts: Iterable[Conflict]
) -> list[FieldRow]:
    """The fields to show; first those that a person must type."""
    today = local_day(utc_now())
    asked = record.by_hand(paper.fields, paper.pages)
    by_key = {conflict.key: conflict for conflict in conflicts if conflict.key}
    # What nobody touched shows what is there now: an old value sent again would count as a change.
    changes = {change.key: change for change in typed.fields()} if typed else {}
    rows = []
    for found in paper.fields:
        change, conflict = changes.get(found.key), by_key.get(found.key)
        page, box = _place(found, readings, asked=found.key in asked)
        rows.append(
            FieldRow(
                field=found,
                shown="" if found.key in asked else record.said(found) or _shown(found.key, found.value),
                doubt=record.doubt_of(found, today=today, by_hand=found.key in asked),
                long=found.key in _LONG,
                stood=_stood(record.said(found) or found.value, change, conflict),
                page=page,
                box=box,
                crop=_crop(paper, page, box, readings.get(page)),
                asked=found.key in asked,
                typed=change.value if change else None,
                conflict=conflict,
            )
        )
    return sorted(rows, key=lambda row: not row.asked)


def _place(
    found: ExtractedField, readings: Mapping[int, OcrPage | None], *, asked: bool
) -> tuple[int, tuple[int, int, int, int] | None]:
    """Where a field stands; one that a pen wrote, where its ink is, with room around it."""
    zone = _ZONES.get(found.key)
    if not asked or zone is None:
        return found.page, found.box
    for number, ocr in sorted(readings.items()):
        marks = [mark.box for mark in ocr.pen if mark.zone is zone] if ocr else []
        if (marks and found.box is None) or (number == found.page and marks):
            room = marks[0].bottom - marks[0].top
            left = max(0, min(box.left for box in marks) - 2 * room)
            right = max(box.right for box in marks) + 2 * room
            top, bottom = min(box.top for box in marks), max(box.bottom for box in marks)
            return number, (left, max(0, top - room // 3), right, bottom + room // 3)
    return found.page, found.box


def _crop(paper: Paper, number: int, box: tuple[int, int, int, int] | None, ocr: OcrPage | None) -> Crop | None:
    """A strip round a box, at least as wide as five lines are high, so that short words aren't blown up."""
    page = next((p for p in paper.pages if p.number == number), None)
    if page is None or page.picture is None or ocr is None or box is None:
        return None
    left, top, right, bottom = box
    high = bottom - top + 12
    wide = min(max(right - left + 24, 6 * high), ocr.width_px)
    start = min(max((left + right - wide) // 2, 0), ocr.width_px - wide)
    files = f"/api/v1/dossiers/{paper.dossier.id}/components/{paper.component.id}"
    address = f"{files}/pages/{number}/picture?v={page.picture.sha256[:SHORT_HASH]}"
    return Crop(f"{start} {max(0, top - 6)} {wide} {high}", address, ocr.width_px, ocr.height_px)


def _word_rows(page: Page, ocr: OcrPage, typed: SentForm | None, conflicts: Iterable[Conflict]) -> list[WordRow]:
    """The words of a page to look at."""
    in_conflict = {c.index: c for c in conflicts if c.page == page.number and not c.of_line}
    changes = {change.index: change for change in typed.words() if change.page == page.number} if typed else {}
    rows = []
    for index, word in enumerate(ocr.words):
        change, conflict = changes.get(index), in_conflict.get(index)
        seen = page.corrections.get(index, word.text)
        if seen == word.text and not record.is_doubtful(word) and change is None:
            continue  # also where it was accepted with its whole line
        rows.append(
            WordRow(
                page=page.number,
                index=index,
                seen=seen,
                raw=word.text,
                sure=_sure(word),
                box=_sides(word.box),
                before=_around(ocr.words[max(0, index - _WORDS_AROUND) : index]),
                after=_around(ocr.words[index + 1 : index + 1 + _WORDS_AROUND]),
                corrected=index in page.corrections,
                read_first=word.raw,
                by_pen=word.by_pen,
                stood=_stood(seen, change, conflict),
                typed=change.text if change else None,
                conflict=conflict,
            )
        )
    return rows


def _line_rows(
    paper: Paper, page: Page, ocr: OcrPage, typed: SentForm | None, conflicts: Iterable[Conflict]
) -> list[LineRow]:
    """Every line of a page, to be gone through from the first to the last."""
    in_conflict = {c.index: c for c in conflicts if c.page == page.number and c.of_line}
    changes = {change.line: change for change in typed.lines() if change.page == page.number} if typed else {}
    rows = []
    for number, line in enumerate(lines_of(ocr), start=1):
        words = ocr.words[line.start : line.stop]
        change, conflict = changes.get(line.start), in_conflict.get(line.start)
        seen, box = standing(ocr, page.corrections, line), _sides(Box.around(word.box for word in words))
        rows.append(
            LineRow(
                page=page.number,
                line=line.start,
                number=number,
                seen=seen,
                raw=_around(words),
                box=box,
                crop=_crop(paper, page.number, box, ocr),
                doubts=[
                    _sides(ocr.words[index].box)
                    for index in line
                    if index not in page.corrections and record.is_doubtful(ocr.words[index])
                ],
                checked=all(index in page.corrections for index in line),
                stood=_stood(seen, change, conflict),
                typed=change.text if change else None,
                conflict=conflict,
            )
        )
    return rows


def _sides(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right, box.bottom


def _sure(word: OcrWord) -> int:
    """How sure it is that a word is right, in percent: by its risk, in a reading of before risks by its confidence."""
    return int(word.confidence if word.risk is None else 100 * (1 - word.risk))


def _stood(
    present: str,
    change: reviewing.FieldChange | reviewing.WordChange | reviewing.LineChange | None,
    conflict: Conflict | None,
) -> str:
    """What the form says was seen: what is there now only where the person gets to see it."""
    return present if change is None or change.seen is None or conflict else change.seen


def _reading(office: Services, page: Page) -> OcrPage | None:
    """What was read on a page; None while nothing was, or when the store has lost it."""
    if page.words is None:
        return None
    try:
        with office.store.open(page.words) as stream:
            return reading.from_json(stream.read()).ocr
    except ObjectMissing:
        return None


def _around(those: Sequence[OcrWord]) -> str:
    return " ".join(word.text for word in those)


def _shown(key: str, value: str) -> str:
    """A field's value as people write it."""
    if key != "issued_on":
        return value
    try:
        return words.day(date.fromisoformat(value))
    except ValueError:
        return value


def _not_kept(
    paper: Paper, typed: SentForm, in_the_form: set[str], language: Language, *, editable: bool
) -> list[tuple[str, str]]:
    """What was typed that neither is kept nor stands in the form that is shown: what it is for, and the text."""
    lines = []
    if not editable:
        kept = {found.key: found.value for found in paper.fields}
        lines += [
            (label(change.key, language).capitalize(), change.value)
            for change in typed.fields()
            if change.key in kept and record.tidied(change.key, change.value) != kept[change.key]
        ]
        if typed.keep_reason not in ("", paper.component.keep_reason):
            lines.append((_in(language, "Lý do giữ bản quét", "Reason to keep the scan"), typed.keep_reason))
    corrections = {page.number: page.corrections for page in paper.pages}
    for change in typed.words():
        if f"w-{change.page}-{change.index}" in in_the_form:
            continue
        if corrections.get(change.page, {}).get(change.index) != change.text:
            where = _in(language, f"Trang {change.page}", f"Page {change.page}")
            lines.append((f"{where}, “{change.seen}”" if change.seen else where, change.text))
    return lines


def _listed(paper: Paper, error: OfficeError, language: Language) -> list[dict[str, str]]:
    """Everything that is wrong, each with the input it is mended in."""
    if isinstance(error, Overtaken):
        message = _in(language, "có người vừa sửa, xem cả hai rồi chọn", "somebody has just changed it, choose")
        return [
            {"field": _input_of(conflict), "message": f"{_name_of(conflict, language)}: {message}"}
            for conflict in error.conflicts
        ]
    if isinstance(error, Incomplete) and str(error) == "too_long":
        message = _in(language, "dài quá mức lưu được", "longer than can be kept")
        return [{"field": name, "message": f"{name}: {message}"} for name in error.missing]
    if isinstance(error, Incomplete) and str(error) == "by_hand":
        message = _in(language, "viết tay, nhìn ảnh mà gõ", "by hand, type what the picture shows")
        return [
            {"field": f"f-{key}", "message": f"{label(key, language).capitalize()}: {message}"} for key in error.missing
        ]
    if isinstance(error, Incomplete):
        return [{"field": "keep_reason", "message": line} for line in wrong_with(paper, language)]
    return []


def wrong_with(paper: Paper, language: Language) -> list[str]:
    """What calls for another scan or a reason, a line each."""
    lines = [
        _in(language, f"Trang {page.number}: ", f"Page {page.number}: ")
        + ", ".join(label(flag, language) for flag in flags)
        for page, flags in paper.to_scan_again
    ]
    if paper.is_miscounted:
        declared, total = paper.component.pages_declared, paper.count.pages
        lines.append(
            _in(
                language,
                f"Quầy đếm {declared} trang, bản quét có {total} trang",
                f"{declared} pages were counted at the counter, the scan has {total}",
            )
        )
    if paper.is_asked_about:
        lines.append(label(paper.component.trouble, language))
    return lines


def _in(language: Language, vi: str, en: str) -> str:
    return en if language == "en" else vi


def _input_of(conflict: Conflict) -> str:
    if conflict.key:
        return f"f-{conflict.key}"
    return f"{'l' if conflict.of_line else 'w'}-{conflict.page}-{conflict.index}"


def _name_of(conflict: Conflict, language: Language) -> str:
    if conflict.key:
        return label(conflict.key, language).capitalize()
    if conflict.of_line:
        return _in(language, f"Một dòng ở trang {conflict.page}", f"A line on page {conflict.page}")
    return _in(language, f"Một chữ ở trang {conflict.page}", f"A word on page {conflict.page}")
