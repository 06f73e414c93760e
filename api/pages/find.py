"""The search: dossiers by code or applicant, and pages by what is printed on them, shown where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from api.deps import Office, Sees
from api.files import SHORT_HASH
from api.pages.days import typed_day
from api.pages.frame import StaffFrame
from api.schemas.common import clean
from api.wiring import Services
from digitize import reading
from dossiers import identity_papers
from dossiers.ports import ObjectMissing, StoreUnavailable
from dossiers.types import AgencyKind, Within
from storage import words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from digitize.types import OcrPage, OcrWord
    from dossiers.types import Page, SearchHit

router = APIRouter(include_in_schema=False)

_MOST_DOSSIERS = 20
_MOST_HITS = 50
#: So many hits are shown as pictures; each costs a reading here and a picture there.
_MOST_PICTURES = 8
_MOST_CHARACTERS = 200
_MOST_OF_CODE = 40
_MARGIN = 0.6


Code = Annotated[str, Query(max_length=_MOST_OF_CODE), AfterValidator(clean)]


@dataclass(frozen=True)
class Hit:
    """A page that was found.

    Attributes:
        before, match, after: The text around the place, with what was looked for in the middle.
        picture: Short hash of the page's picture; "" shows none.
        box: Where it stands; crop: what is shown around it, both in the picture's pixels.
    """

    found: SearchHit
    before: str
    match: str
    after: str
    picture: str = ""
    size: tuple[int, int] = (0, 0)
    box: tuple[int, int, int, int] | None = None
    crop: tuple[int, int, int, int] | None = None


@router.get("/tim")
def find(
    actor: Sees,
    office: Office,
    frame: StaffFrame,
    q: Annotated[str, Query(max_length=_MOST_CHARACTERS), AfterValidator(clean)] = "",
    agency: Code = "",
    procedure: Code = "",
    since: Code = "",
    until: Code = "",
) -> Response:
    """Dossiers and pages with these words: with the accents typed first, then without; within what was chosen."""
    asked = q.strip()
    days, wrong = _days(since, until)
    within = Within(agency, procedure, days.get("since"), days.get("until"))
    with office.begin() as work:
        looked_for = "" if wrong else asked
        dossiers = work.dossiers.find(actor, looked_for, within=within, limit=_MOST_DOSSIERS)
        those = work.search.pages(actor, looked_for, within=within, limit=_MOST_HITS)
        found = identity_papers.without_words(work, those)
        pages = {
            (page.component_id, page.number): page
            for component_id in {hit.component_id for hit in found[:_MOST_PICTURES]}
            for page in work.components.pages(component_id)
        }
        procedures = {p.code: p.name for p in work.procedures.all()}
        agencies = {a.code: a.name for a in work.agencies.all() if a.kind is not AgencyKind.POST_OFFICE}
    hits = [_hit(office, hit, pages.get((hit.component_id, hit.page)), asked) for hit in found[:_MOST_PICTURES]]
    hits += [_hit(office, hit, None, asked) for hit in found[_MOST_PICTURES:]]
    return frame.page(
        "find.html",
        status=422 if wrong else 200,
        q=asked,
        chosen={"agency": agency, "procedure": procedure, "since": since, "until": until},
        wrong=wrong,
        narrowed=within != Within(),
        dossiers=dossiers,
        more_dossiers=len(dossiers) == _MOST_DOSSIERS,
        hits=hits,
        with_accents=words.written(asked) != words.folded(asked),
        more_hits=len(found) == _MOST_HITS,
        procedures=procedures,
        agencies=agencies,
    )


def _days(since: str, until: str) -> tuple[dict[str, date | None], dict[str, str]]:
    """The days as typed, and what is wrong with them: "day" isn't one, "order" is the wrong way round."""
    days: dict[str, date | None] = {}
    wrong = {}
    for name, text in (("since", since), ("until", until)):
        try:
            days[name] = typed_day(text)
        except ValueError:
            wrong[name] = "day"
    first, last = days.get("since"), days.get("until")
    if first is not None and last is not None and first > last:
        wrong["until"] = "order"
    return days, wrong


def _hit(office: Services, found: SearchHit, page: Page | None, phrase: str) -> Hit:
    before, match, after = parted(found.snippet, phrase)
    hit = Hit(found, before, match, after)
    if found.withheld or page is None or page.picture is None or page.words is None:
        return hit
    try:
        with office.store.open(page.words) as stream:
            ocr = reading.corrected(reading.from_json(stream.read()).ocr, page.corrections)
    except (ObjectMissing, StoreUnavailable):
        return hit  # the text was found all the same
    box = place_of(ocr, phrase)
    if box is None:
        return hit
    return Hit(
        found,
        before,
        match,
        after,
        picture=page.picture.sha256[:SHORT_HASH],
        size=(ocr.width_px, ocr.height_px),
        box=box,
        crop=_around(box, ocr),
    )


def place_of(ocr: OcrPage, phrase: str) -> tuple[int, int, int, int] | None:
    """Where a phrase stands on a page: with its accents if it stands there so, else without; None if it doesn't.

    Of a phrase that runs over the end of a line, the part on its first line.
    """
    for form in (words.written_form, words.folded_form):
        forms: list[str] = []
        owners: list[int] = []
        for index, word in enumerate(ocr.words):
            for part in words.words(word.text):
                forms.append(form(part[0]))
                owners.append(index)
        first, count = _sequence(forms, phrase, form)
        if count:
            those = [ocr.words[index] for index in dict.fromkeys(owners[first : first + count])]
            line = [word for word in those if _line_of(word) == _line_of(those[0])]
            return (
                min(w.box.left for w in line),
                min(w.box.top for w in line),
                max(w.box.right for w in line),
                max(w.box.bottom for w in line),
            )
    return None


def parted(text: str, phrase: str) -> tuple[str, str, str]:
    """A text as what stands before a phrase, the phrase as it is written there, and what stands after it."""
    found = list(words.words(text))
    for form in (words.written_form, words.folded_form):
        first, count = _sequence([form(match[0]) for match in found], phrase, form)
        if count:
            start, end = found[first].start(), found[first + count - 1].end()
            return text[:start], text[start:end], text[end:]
    return text, "", ""


def _sequence(forms: Sequence[str], phrase: str, form: Callable[[str], str]) -> tuple[int, int]:
    """Where the words of a phrase follow one another, and how many they are; 0 of them if nowhere."""
    wanted = [form(match[0]) for match in words.words(phrase)][: words.MOST_WORDS_OF_PHRASE]
    for first in range(len(forms) - len(wanted) + 1) if wanted else ():
        if list(forms[first : first + len(wanted)]) == wanted:
            return first, len(wanted)
    return 0, 0


def _line_of(word: OcrWord) -> tuple[int, int, int]:
    return word.block, word.paragraph, word.line


def _around(box: tuple[int, int, int, int], ocr: OcrPage) -> tuple[int, int, int, int]:
    """A strip of the page with the box in it: left, top, width, height."""
    left, top, right, bottom = box
    height = round((bottom - top) * (1 + 2 * _MARGIN))
    width = min(ocr.width_px, max(right - left + 2 * height, 14 * height))
    start = min(max(0, (left + right - width) // 2), ocr.width_px - width)
    return start, max(0, top - round((bottom - top) * _MARGIN)), width, height
