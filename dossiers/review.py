"""What a person makes of a component that was read: corrections, kept one by one, and then the word "reviewed".

The machine's reading is never changed; what a person typed lies beside it, and no later reading touches it.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from digitize import reading
from digitize.lines import lines_of, onto_words, standing
from digitize.types import RESCAN
from digitize.words.vietnamese import nfc
from dossiers import amendments, page_marks, record, separation
from dossiers.digitization import reading_of, settle
from dossiers.policy import Act, require
from dossiers.types import (
    Changed,
    ComponentState,
    Conflict,
    ExtractedField,
    Incomplete,
    NotAllowed,
    NotFound,
    Overtaken,
    PageState,
    WrongState,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from digitize.types import OcrPage
    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from dossiers.types import Actor, Component, Dossier, Page

_RESCAN = frozenset(flag.value for flag in RESCAN)
_FIELD = "field."
#: Where the log says which words were changed: page number → indexes.
_WHERE = {"component.corrected": "words", "component.reviewed": "where"}


@dataclass(frozen=True)
class FieldChange:
    """A field as a person leaves it; the same value again confirms it.

    `seen` is what stood there when they began, "[không có]" where somebody had said so; None says they didn't look, and
    whatever stands there gives way.
    """

    key: str
    value: str
    seen: str | None


@dataclass(frozen=True)
class WordChange:
    """A word as a person leaves it ("" drops it). `index` counts from 0 within page `page`; `seen` as for a field."""

    page: int
    index: int
    text: str
    seen: str | None


@dataclass(frozen=True)
class LineChange:
    """A whole line as a person leaves it, who has looked at each of its words; the same again confirms them all.

    `line` is the index of its first word; `text` and `seen` are its words with blanks between them.
    """

    page: int
    line: int
    text: str
    seen: str | None


@dataclass(frozen=True)
class Review:
    """What a person decided about a component.

    Attributes:
        keep_reason: Why flagged pages are good enough; needed when a page ought to be scanned again.
        version: Of the component as it was seen; None where each change says what it saw.
    """

    fields: Sequence[FieldChange] = ()
    words: Sequence[WordChange] = ()
    lines: Sequence[LineChange] = ()
    keep_reason: str = ""
    version: int | None = None


def correct(
    begin: Begin,
    store: ObjectStore,
    component_id: UUID,
    *,
    by: Actor,
    dossier_id: UUID,
    fields: Sequence[FieldChange] = (),
    words: Sequence[WordChange] = (),
    lines: Sequence[LineChange] = (),
    work_dir: Path,
) -> Component:
    """Keep corrections as they are typed, all of one call or none.

    Only while the paper waits for its review (READ): once somebody has called it reviewed, its text layer is made from
    what was kept, and `review` is the way to change it.

    Raises:
        Overtaken: Somebody else has changed one of these since the person looked; all such are named.
        WrongState: It isn't waiting for its review.
        NotFound: No such page, line, word or field.
    """
    require(by, Act.REVIEW)
    with begin() as work:
        dossier = work.dossiers.of(by, dossier_id)
        _waiting(work.components.of(component_id, within=dossier.id))
        before = {p.number: p for p in work.components.pages(component_id)}
    readings = _readings(store, before, _pages_of(words, lines), work_dir)
    with begin() as work:
        dossier, component = _locked(work, by, dossier_id, component_id)
        _waiting(component)
        pages = {p.number: p for p in work.components.pages(component_id)}
        _not_overtaken(work, by, component_id, pages, readings, fields, (*words, *lines))
        changed_fields = _keep_fields(work, component_id, fields, by)
        changed_words = _new_words(pages, [*words, *_word_by_word(pages, readings, lines)])
        for number, texts in changed_words.items():
            work.components.keep_page(_corrected(pages[number], readings[number], texts))
        if changed_fields or changed_words:
            component = work.components.keep(component)  # its version tells whoever looked before
            amendments.log(
                work,
                by,
                "component.corrected",
                component.id,
                of=dossier.id,
                changes={**changed_fields, **_word_changes(pages, readings, changed_words)},
                fields=[where.removeprefix(_FIELD) for where in sorted(changed_fields)],
                words=_where(changed_words),
            )
        return component


def review(
    begin: Begin,
    store: ObjectStore,
    component_id: UUID,
    *,
    by: Actor,
    dossier_id: UUID,
    decided: Review,
    work_dir: Path,
) -> Component:
    """Call a component reviewed, with what was corrected before and now: the text layer is made again.

    In the review profile the searchable PDF is assembled anew with the corrected words and then waits to be signed;
    in the capture profile the signed file stays as it is, and the corrections beside it. A scan that came signed is
    never touched in either.

    Raises:
        Incomplete: "rescan": a page ought to be scanned again, there are more or fewer than were counted by hand, or
            a separator sheet left something in doubt, and no reason to keep the scan was given; all of it is named.
            "by_hand": a pen wrote the number or the day, and nobody has typed or confirmed it or said that there is
            none; the fields are named.
        Overtaken: Somebody else has changed one of these since the person looked; all such are named, nothing is kept.
        Changed: The component isn't in the version that was seen.
        WrongState: Its pages are not all read yet.
        NotFound: No such page, line, word or field.
    """
    require(by, Act.REVIEW)
    with begin() as work:
        dossier = work.dossiers.of(by, dossier_id)
        _reviewable(work.components.of(component_id, within=dossier.id))
        before = {p.number: p for p in work.components.pages(component_id)}
    readings = _readings(store, before, _pages_of(decided.words, decided.lines), work_dir)
    with begin() as work:
        dossier, component = _locked(work, by, dossier_id, component_id)
        _reviewable(component)
        if decided.version not in (None, component.version):
            raise Changed("đã đổi sau khi bạn xem; xem lại rồi soát")
        pages = {p.number: p for p in work.components.pages(component_id)}
        _not_overtaken(work, by, component_id, pages, readings, decided.fields, (*decided.words, *decided.lines))
        by_page: dict[int, dict[int, str]] = {}
        for change in (*decided.words, *_word_by_word(pages, readings, decided.lines)):
            by_page.setdefault(change.page, {})[change.index] = change.text
        keep_reason = decided.keep_reason.strip() or component.keep_reason
        doubtful = [
            f"{number}: {', '.join(sorted(_RESCAN & set(page.flags)))}"
            for number, page in pages.items()
            if _RESCAN & set(page.flags) and not page.left_out_by
        ]
        count = page_marks.counted(list(pages.values()))
        if not count.agrees(component.pages_declared):
            doubtful.append(f"{component.pages_declared} ≠ {count.pages}")
        if component.trouble in separation.ASKED:
            doubtful.append(component.trouble)
        if doubtful and not keep_reason:
            raise Incomplete("rescan", tuple(doubtful))
        changes: dict[str, tuple[str, str]] = {
            **_keep_fields(work, component_id, decided.fields, by),
            **_word_changes(pages, readings, by_page),
            "keep_reason": (component.keep_reason, keep_reason),
        }
        _nothing_left_by_hand(work, component_id, pages.values())
        for number, page in pages.items():
            if number in by_page:
                page = _corrected(page, readings[number], by_page[number])  # noqa: PLW2901  the same page
            work.components.keep_page(replace(page, state=PageState.REVIEWED, reviewed_by=by.username))
        answered = "" if component.trouble in separation.ASKED else component.trouble
        component = replace(component, keep_reason=keep_reason, trouble=answered)
        if component.copy is not None:
            component = work.components.keep(replace(component, state=ComponentState.DIGITIZED))
            settle(work, dossier)
        else:
            revision = component.revision + 1
            component = work.components.keep(
                replace(component, state=ComponentState.REVIEWED, revision=revision, searchable=None, unstamped=None)
            )
            work.jobs.assemble(component.id, revision, back_file=dossier.back_file)
        amendments.log(
            work,
            by,
            "component.reviewed",
            component.id,
            of=dossier.id,
            changes=changes,
            words=sum(map(len, by_page.values())),
            where=_where(by_page),
            fields=sorted(field.key for field in decided.fields),
        )
        return component


def ask_for_copy(
    begin: Begin, component_id: UUID, *, by: Actor, dossier_id: UUID, revision: int | None = None
) -> Component:
    """A clerk has the reviewed component signed as an electronic copy (SAO Y); the signing worker does it.

    Args:
        revision: Of the component as the clerk has seen it; None signs whatever it is now.

    Raises:
        Changed: It was reviewed again after the clerk had seen it.
        NotAllowed: It is the receiving agency's to sign.
        WrongState: It isn't reviewed, or its text layer is still being made again.
        Incomplete: "by_hand", as for `review`.
        NotFound: The agency has no active seal.
    """
    require(by, Act.SIGN_COPY)
    with begin() as work:
        dossier, component = _locked(work, by, dossier_id, component_id)
        if by.agency != dossier.receiving:
            raise NotAllowed("receiving")  # its seal is not theirs to set
        if revision not in (None, component.revision):
            raise Changed("đã soát lại sau khi bạn xem; xem lại rồi ký")
        if component.state is not ComponentState.REVIEWED or component.searchable is None:
            raise WrongState(component.state)
        _nothing_left_by_hand(work, component_id, work.components.pages(component_id))
        work.certificates.for_agency(dossier.receiving)
        component = work.components.keep(replace(component, state=ComponentState.SIGNING))
        work.jobs.sign_copy(component.id, component.revision, back_file=dossier.back_file)
        work.audit.append(by, "copy.requested", component.id)
        return component


def try_again(begin: Begin, component_id: UUID, *, by: Actor, dossier_id: UUID) -> Component:
    """Take up again a component that was set aside: its unread pages are read anew, its signature asked for anew."""
    require(by, Act.REVIEW)
    with begin() as work:
        dossier, component = _locked(work, by, dossier_id, component_id)
        if component.state is not ComponentState.SET_ASIDE:
            raise WrongState(component.state)
        revision = component.revision + 1
        pages = work.components.pages(component_id)
        broken = [p for p in pages if p.state is PageState.SET_ASIDE]
        for page in broken:
            work.components.keep_page(replace(page, state=PageState.RECEIVED, attempts=0, looks=0, trouble=""))
            work.jobs.read_page(page.id, back_file=dossier.back_file)
        if broken:
            work.jobs.look_at_pages(component.id, back_file=dossier.back_file)
        work.components.end_assembly(component.id)
        reviewed = not broken and all(p.state is PageState.REVIEWED for p in pages)
        state = ComponentState.REVIEWED if reviewed else ComponentState.RECEIVED
        component = work.components.keep(
            replace(component, state=state, trouble="", revision=revision, searchable=None, unstamped=None)
        )
        if not broken:
            work.jobs.assemble(component.id, revision, back_file=dossier.back_file)
        work.audit.append(by, "component.taken_up_again", component.id)
        return component


def _locked(work: UnitOfWork, by: Actor, dossier_id: UUID, component_id: UUID) -> tuple[Dossier, Component]:
    dossier = work.dossiers.lock(by, dossier_id)
    component = work.components.lock(component_id, within=dossier.id)
    if dossier.is_given_up:
        raise WrongState(dossier.state)
    return dossier, component


def _reviewable(component: Component) -> None:
    if component.state not in (ComponentState.READ, ComponentState.REVIEWED):
        raise WrongState(component.state)


def _waiting(component: Component) -> None:
    if component.state is not ComponentState.READ:
        raise WrongState(component.state)


def _pages_of(words: Iterable[WordChange], lines: Iterable[LineChange]) -> set[int]:
    return {word.page for word in words} | {line.page for line in lines}


def _readings(
    store: ObjectStore, pages: Mapping[int, Page], numbers: Iterable[int], work_dir: Path
) -> dict[int, OcrPage]:
    """What was read on these pages, by number. Outside any transaction: the store is asked."""
    wanted = sorted(numbers)
    unknown = [number for number in wanted if number not in pages]
    if unknown:
        raise NotFound(f"page {unknown[0]}")
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        return {number: reading_of(store, pages[number], Path(folder)).ocr for number in wanted}


def _not_overtaken(
    work: UnitOfWork,
    by: Actor,
    component_id: UUID,
    pages: Mapping[int, Page],
    readings: Mapping[int, OcrPage],
    fields: Sequence[FieldChange],
    texts: Sequence[WordChange | LineChange],
) -> None:
    """Raises Overtaken with everything that isn't as it was seen, NotFound for what isn't on the paper."""
    kept = {f.key: f for f in work.components.fields(component_id)}
    conflicts = [c for change in fields if (c := _field_conflict(kept, change, by))]
    for change in texts:
        if isinstance(change, WordChange):
            conflict = _word_conflict(work, pages, readings, change)
        else:
            conflict = _line_conflict(work, pages, readings, change)
        conflicts += [conflict] if conflict else []
    if conflicts:
        raise Overtaken(tuple(conflicts))


def _field_conflict(kept: Mapping[str, ExtractedField], change: FieldChange, by: Actor) -> Conflict | None:
    if change.key not in kept and change.key not in record.KNOWN:
        raise NotFound(f"field {change.key}")
    there = kept.get(change.key)
    # What a person said in place of a value stands there like a value, and is no more passed over than one.
    present = _said(there)
    if change.seen is None or present in (change.seen, record.tidied(change.key, change.value)):
        return None
    if there is not None and there.by == by.username and not there.value and not change.seen:
        return None  # their own answer, seen by a program that looks at values alone
    return Conflict(key=change.key, present=present, by="" if there is None else there.by)


def _word_conflict(
    work: UnitOfWork, pages: Mapping[int, Page], readings: Mapping[int, OcrPage], change: WordChange
) -> Conflict | None:
    read, page = readings[change.page].words, pages[change.page]
    if not 0 <= change.index < len(read):
        raise NotFound(f"word {change.index} of page {change.page}")
    present = page.corrections.get(change.index, read[change.index].text)
    if change.seen is None or present in (change.seen, nfc(change.text)):
        return None
    by = _corrector(work, page, change.index)
    return Conflict(page=change.page, index=change.index, present=present, by=by)


def _line_conflict(
    work: UnitOfWork, pages: Mapping[int, Page], readings: Mapping[int, OcrPage], change: LineChange
) -> Conflict | None:
    page, ocr = pages[change.page], readings[change.page]
    line = _line(ocr, change)
    present = standing(ocr, page.corrections, line)
    if change.seen is None or present in (_spaced(change.seen), _spaced(change.text)):
        return None
    who = next((by for index in line if index in page.corrections and (by := _corrector(work, page, index))), "")
    return Conflict(page=change.page, index=change.line, present=present, by=who, of_line=True)


def _word_by_word(
    pages: Mapping[int, Page], readings: Mapping[int, OcrPage], lines: Iterable[LineChange]
) -> Iterator[WordChange]:
    """What lines typed anew make of their words: all of them, since whoever leaves a line has looked at each."""
    for change in lines:
        ocr, corrections = readings[change.page], pages[change.page].corrections
        line = _line(ocr, change)
        texts = onto_words([corrections.get(index, ocr.words[index].text) for index in line], change.text)
        for index, text in zip(line, texts, strict=True):
            yield WordChange(change.page, index, text, seen=None)


def _line(ocr: OcrPage, change: LineChange) -> range:
    found = next((line for line in lines_of(ocr) if line.start == change.line), None)
    if found is None:
        raise NotFound(f"line {change.line} of page {change.page}")
    return found


def _spaced(text: str) -> str:
    return " ".join(nfc(text).split())


def _corrector(work: UnitOfWork, page: Page, index: int) -> str:
    """Who corrected this word last, as the log has it."""
    for entry in reversed(work.audit.of(page.component_id)):
        where = _WHERE.get(entry.event)
        if where and index in entry.detail.get(where, {}).get(str(page.number), ()):
            return entry.actor
    return page.reviewed_by


def _new_words(pages: Mapping[int, Page], words: Iterable[WordChange]) -> dict[int, dict[int, str]]:
    """What isn't kept so already: page number → index → text."""
    new: dict[int, dict[int, str]] = {}
    for change in words:
        if pages[change.page].corrections.get(change.index) != nfc(change.text):
            new.setdefault(change.page, {})[change.index] = change.text
    return new


def _where(words: Mapping[int, Mapping[int, str]]) -> dict[str, list[int]]:
    """For the log: page number → indexes."""
    return {str(number): sorted(texts) for number, texts in sorted(words.items())}


def _word_changes(
    pages: Mapping[int, Page], readings: Mapping[int, OcrPage], words: Mapping[int, Mapping[int, str]]
) -> dict[str, tuple[str, str]]:
    """What stood in each of these places, by these pages, and what is to stand there."""
    return {
        f"word.{number}.{index}": (pages[number].corrections.get(index, readings[number].words[index].text), nfc(text))
        for number, texts in words.items()
        for index, text in texts.items()
    }


def _corrected(page: Page, ocr: OcrPage, words: Mapping[int, str]) -> Page:
    """The page with these corrections beside its earlier ones, and its text for search as they make it."""
    corrections = {**page.corrections, **{index: nfc(text) for index, text in words.items()}}
    return replace(page, corrections=corrections, text=reading.corrected(ocr, corrections).text)


def _nothing_left_by_hand(work: UnitOfWork, component_id: UUID, pages: Iterable[Page]) -> None:
    """Raises Incomplete while a value stands there that a pen wrote and no person has settled."""
    asked = record.by_hand(work.components.fields(component_id), pages)
    if asked:
        raise Incomplete("by_hand", tuple(sorted(asked)))


def _keep_fields(
    work: UnitOfWork, component_id: UUID, changes: Iterable[FieldChange], by: Actor
) -> dict[str, tuple[str, str]]:
    """Keep fields as a person leaves them; of those where that is new, what was said there before and since.

    To confirm a value is new as well: then the two are the same.
    """
    said: dict[str, tuple[str, str]] = {}
    for change in changes:
        before = {f.key: f for f in work.components.fields(component_id)}.get(change.key)
        after = _left_as(before, component_id, change.key, record.tidied(change.key, change.value), by)
        if after is not None:
            work.components.keep_field(after)
            where = f"{_FIELD}{change.key}"
            first, _ = said.get(where, (_said(before), ""))
            said[where] = (first, _said(after))
    return said


def _said(field: ExtractedField | None) -> str:
    """A field as a person sees it."""
    return "" if field is None else record.said(field) or field.value


def _left_as(read: ExtractedField | None, component_id: UUID, key: str, value: str, by: Actor) -> ExtractedField | None:
    """A field as a person leaves it; None if it stands so already, and a person has said so."""
    answer = record.ANSWERS.get(value, "")
    value = "" if answer else value
    if read is None:
        if not value and not answer:
            return None
        read = ExtractedField(component_id, key, "", "", 1, None, 100.0)
        origin = "typed"
    else:
        if read.by and read.value == value and answer == (read.origin if record.said(read) else ""):
            return None
        origin = read.origin
        if origin in record.ANSWERS.values():
            origin = "corrected" if read.raw else "typed"
        elif read.value != value and origin != "typed":
            origin = "corrected"
    return replace(read, value=value, origin=answer or origin, by=by.username)
