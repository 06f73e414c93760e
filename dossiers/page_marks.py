"""What a person says of whole pages: one isn't to be in the copy; two are one page with and without a stuck-on note.

No page ever goes: one that is left out stays in the scan and in the paper, can be seen there and brought back. A page
with a note stuck on it is scanned twice (`requirements.md` C5), and both images are in the copy; being one page of
paper, they count as one.

How many pages a paper has is decided here and nowhere else (`counted`); receipts, transfer slips and lists say it in
the words of `amount`: the pages, and the images too where there are more of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from digitize.types import Flag
from dossiers.policy import Act, require
from dossiers.types import ComponentState, NotFound, PageState, WrongState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from dossiers.ports import Begin, UnitOfWork
    from dossiers.types import Actor, Component, Dossier, Page, PageGlance

#: Why a page can't be left out, or linked.
LAST_PAGE, NOT_TO_LINK = "last_page", "note"

_OPEN = (ComponentState.RECEIVED, ComponentState.READ, ComponentState.REVIEWED, ComponentState.SET_ASIDE)


@dataclass(frozen=True)
class Counted:
    """The pages of a paper, counted.

    Attributes:
        images: Pages of the scan.
        left_out: Of these, pages that a person left out of the copy.
        notes: Of these, second images of a page, with a note stuck on it.
    """

    images: int
    left_out: int = 0
    notes: int = 0

    @property
    def pages(self) -> int:
        """Pages of paper: neither the back that a person called blank and left out, nor a page's second image."""
        return self.images - self.left_out - self.notes

    def __add__(self, other: Counted) -> Counted:
        """Both together."""
        return Counted(self.images + other.images, self.left_out + other.left_out, self.notes + other.notes)

    def agrees(self, declared: int | None) -> bool:
        """Whether this is what a person counted by hand, be it with or without the pages that were left out."""
        return declared in (None, self.pages, self.images - self.notes)


def counted(pages: Sequence[Page] | Sequence[PageGlance], images: int | None = None) -> Counted:
    """Count the pages of one paper.

    Args:
        pages: All of them; or, with `images`, at least those that somebody has marked.
        images: How many the scan has.
    """
    left_out = sum(bool(page.left_out_by) for page in pages)
    notes = sum(page.without_note is not None and not page.left_out_by for page in pages)
    return Counted(len(pages) if images is None else images, left_out, notes)


def counts(work: UnitOfWork, components: Sequence[Component]) -> Mapping[UUID, Counted]:
    """The same of several papers, by their ids: only pages that somebody has marked are asked for."""
    marked: dict[UUID, list[PageGlance]] = {component.id: [] for component in components}
    for page in work.components.marked(marked):
        marked[page.component_id].append(page)
    return {component.id: counted(marked[component.id], component.pages_total) for component in components}


def total(components: Iterable[Component], counts: Mapping[UUID, Counted]) -> Counted:
    """All of these papers together."""
    return sum((counts[component.id] for component in components), Counted(0))


def amount(pages: int, images: int, language: str = "vi", *, bare: bool = False) -> str:
    """Pages as people are told of them: "12 trang", and "12 trang (14 ảnh)" where the scan has more images.

    Args:
        bare: Under a heading that says "pages": "12", "12 (14 ảnh)".
    """
    if language == "en":
        said = str(pages) if bare else f"{pages} page{'' if pages == 1 else 's'}"
        return said if pages == images else f"{said} ({images} image{'' if images == 1 else 's'})"
    said = str(pages) if bare else f"{pages} trang"
    return said if pages == images else f"{said} ({images} ảnh)"


def may_be_marked(component: Component) -> bool:
    """Whether its pages can still be left out or linked: no signed copy of it is made or being made."""
    return component.state in _OPEN and component.copy is None and not component.signed_scan


def leave_out(
    begin: Begin, component_id: UUID, *, by: Actor, dossier_id: UUID, number: int, out: bool = True
) -> Component:
    """Leave a page out of the digitised copy, or bring it back.

    Raises:
        WrongState: `LAST_PAGE`: no other page is in it (a paper as a whole is taken out of its dossier); or its copy is
            signed, or being signed.
        NotFound: The paper has no such page.
    """
    require(by, Act.REVIEW)
    with begin() as work:
        dossier, component, pages = _marked(work, by, dossier_id, component_id)
        page = _page(pages, number)
        if bool(page.left_out_by) == out:
            return component
        if out and not any(p.number != number and not p.left_out_by for p in pages):
            raise WrongState(LAST_PAGE)
        work.components.keep_page(replace(page, left_out_by=by.username if out else ""))
        event = "page.left_out" if out else "page.brought_back"
        return _made_again(work, by, dossier, component, event, number, flags=sorted(page.flags))


def link_note(
    begin: Begin, component_id: UUID, *, by: Actor, dossier_id: UUID, number: int, without: int | None
) -> Component:
    """Say that a page is the same sheet as page `without`, with a note stuck on it; None takes that back.

    Raises:
        WrongState: `NOT_TO_LINK`: a page is no note of itself, nor of one that is linked already; or as `leave_out`.
        NotFound: The paper has no such page.
    """
    require(by, Act.REVIEW)
    with begin() as work:
        dossier, component, pages = _marked(work, by, dossier_id, component_id)
        page = _page(pages, number)
        was = page.without_note
        if was == without:
            return component
        if without is not None:
            bare = _page(pages, without)
            # A page may bear several notes, one scan each; but what is bare has no note, and what has one isn't bare.
            if without == number or bare.without_note or any(p.without_note == number for p in pages):
                raise WrongState(NOT_TO_LINK)
            work.components.keep_page(replace(bare, flags=_once(bare)))
            page = replace(page, flags=_once(page))
        work.components.keep_page(replace(page, without_note=without))
        event = "page.note_linked" if without is not None else "page.note_unlinked"
        return _made_again(work, by, dossier, component, event, number, without=without or was, was=was)


def _marked(
    work: UnitOfWork, by: Actor, dossier_id: UUID, component_id: UUID
) -> tuple[Dossier, Component, Sequence[Page]]:
    dossier = work.dossiers.lock(by, dossier_id)
    component = work.components.lock(component_id, within=dossier.id)
    if not may_be_marked(component):
        raise WrongState(component.state)
    return dossier, component, work.components.pages(component_id)


def _page(pages: Sequence[Page], number: int) -> Page:
    found = next((page for page in pages if page.number == number), None)
    if found is None or found.state is PageState.SET_ASIDE:
        raise NotFound(f"page {number}")
    return found


def _once(page: Page) -> tuple[str, ...]:
    """Its flags without "the same page again": that is what it is meant to be."""
    return tuple(flag for flag in page.flags if flag != Flag.SAME_AGAIN)


def _made_again(
    work: UnitOfWork, by: Actor, dossier: Dossier, component: Component, event: str, number: int, **detail: object
) -> Component:
    """Keep it; a PDF that was made of a reviewed paper is made again."""
    if component.state is ComponentState.REVIEWED:
        component = replace(component, revision=component.revision + 1, searchable=None, unstamped=None)
        work.jobs.assemble(component.id, component.revision, back_file=dossier.back_file)
    component = work.components.keep(component)
    work.audit.append(by, event, component.id, page=number, **detail)
    return component
