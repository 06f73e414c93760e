"""The forms that go with a dossier, as documents to print or send: receipt, request for supplements, refusal.

Forms 01, 02 and 03 of Circular 03/2025/TT-VPCP. They are signed with ink, if at all: what binds the office is the entry
in its log, and the code on the form leads there (decision 0038). A form is never refused for what somebody typed at the
counter: a letter without a glyph becomes "?", a word longer than a line is broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dossiers import codes, intake, page_marks
from dossiers.calendar import VIETNAM, local_day
from dossiers.labels import label
from dossiers.policy import Act, require
from dossiers.types import DossierState, NotFound, WrongState
from signing import templates, typeface

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from dossiers.ports import Begin, UnitOfWork
    from dossiers.types import Actor, Dossier
    from signing.typeface import Typeface

#: Which form tells the citizen that the dossier has stopped, by its state.
STOPPED = {DossierState.NEEDS_SUPPLEMENT: "supplement", DossierState.REFUSED: "refusal"}

_WIDEST_WORD_PT, _SIZE_PT = 260.0, 14.0


def receipt(begin: Begin, dossier_id: UUID, *, by: Actor, base_url: str, face: Typeface | None = None) -> bytes:
    """Giấy tiếp nhận hồ sơ và hẹn trả kết quả, form 01, as PDF/A.

    Raises:
        WrongState: It has not been received yet.
    """
    require(by, Act.SEE)
    with begin() as work:
        dossier = work.dossiers.of(by, dossier_id)
        if dossier.received_at is None or dossier.due_on is None:
            raise WrongState(dossier.state)
        procedure = work.procedures.of(dossier.procedure)
        receiving, competent = work.agencies.of(dossier.receiving), work.agencies.of(dossier.competent)
        helped = work.agencies.of(dossier.helped_at).name if dossier.helped_at else ""
        papers, changes = intake.lines_of(work, dossier), intake.changes_of(work, dossier)
        data = _head(work, dossier, base_url, "dossier.received", dossier.received_at) | {
            "papers": [[paper.name, page_marks.amount(paper.pages, paper.images, bare=True)] for paper in papers],
            "changes": [
                f"{change.name}, {page_marks.amount(change.pages, change.images)}: {label(change.kind)}"
                for change in changes
            ],
            "working_days": f"{procedure.working_days:02d} ngày làm việc" if procedure.working_days else "trong ngày",
            "received_at": _moment(dossier.received_at),
            "due_at": _day(dossier.due_on),
            "collect_at": receiving.name,
            "helped_at": helped,
            "competent": competent.name if competent.code != receiving.code else "",
        }
    return _made("receipt", data, face)


def stopped(begin: Begin, dossier_id: UUID, *, by: Actor, base_url: str, face: Typeface | None = None) -> bytes:
    """The request for supplements (form 02) or the refusal (form 03) of a dossier that has stopped, as PDF/A.

    Everything that was asked for stands in it, one under the other.

    Raises:
        WrongState: It waits for no supplement and wasn't refused.
    """
    require(by, Act.SEE)
    with begin() as work:
        dossier = work.dossiers.of(by, dossier_id)
        if dossier.state not in STOPPED:
            raise WrongState(dossier.state)
        name = STOPPED[dossier.state]
        listed, said = _asked_for(dossier.note)
        data = _head(work, dossier, base_url, f"dossier.{dossier.state}", None)
        everything = [said, *listed] if said else listed
        data |= {"missing": listed, "reason": said} if name == "supplement" else {"missing": everything}
    return _made(name, data, face)


def _asked_for(note: str) -> tuple[list[str], str]:
    """What a person wrote when they stopped it: the items of its list, and the words around them.

    Words without a list are the list, line by line.
    """
    lines = [line.strip() for line in note.splitlines() if line.strip()]
    items = [line.removeprefix("- ").strip() for line in lines if line.startswith("- ")]
    words = [line for line in lines if not line.startswith("- ")]
    return (items, " ".join(words)) if items else (words, "")


def _head(work: UnitOfWork, dossier: Dossier, base_url: str, event: str, at: datetime | None) -> dict[str, Any]:
    """What every form says: who sends it, when and by whom, whose dossier it is, where to follow it."""
    office = work.agencies.of(dossier.receiving)
    entries = [entry for entry in work.audit.of(dossier.id) if entry.event == event]
    moment = at or (entries[-1].at if entries else None)
    look_up = f"{base_url}/tra-cuu"
    return {
        "parent_name": office.parent_name,
        "agency_name": office.letterhead or office.name,
        "place": office.place or "……",
        "dated": local_day(moment) if moment else None,
        "office_phone": office.phone,
        "applicant_name": dossier.applicant.name,
        "applicant_address": dossier.applicant.address,
        "applicant_phone": dossier.applicant.phone,
        "procedure_name": work.procedures.of(dossier.procedure).name,
        "procedure_code": dossier.procedure,
        "clerk_name": _name_of(work, entries[-1].actor) if entries else "",
        "look_up_url": f"{look_up}#hs={dossier.code}&ma={dossier.lookup_code}",
        "look_up_at": look_up.partition("://")[2],
        "dossier_code": dossier.code,
        "lookup_code": codes.format_lookup_code(dossier.lookup_code),
    }


def _name_of(work: UnitOfWork, username: str) -> str:
    """The name of who did it, "" when that account is gone."""
    try:
        return work.accounts.of(username).name
    except NotFound:
        return ""


def _moment(at: datetime) -> str:
    there = at.astimezone(VIETNAM)
    return f"{there:%H} giờ {there:%M} phút, {_day(there.date())}"


def _day(day: date) -> str:
    return f"ngày {day:%d} tháng {day:%m} năm {day:%Y}"


def _made(name: str, data: dict[str, Any], face: Typeface | None) -> bytes:
    face = face or typeface.ours()
    most = {field.key: field.max_length for field in templates.fields(name)}
    fitted = {key: value if key == "look_up_url" else _fitted(value, most[key], face) for key, value in data.items()}
    return templates.render(name, fitted, face=face).pdf


def _fitted(value: Any, most: int, face: Typeface) -> Any:
    """A value as the form can print it."""
    if isinstance(value, list):
        return [_fitted(one, most, face) for one in value]
    if not isinstance(value, str):
        return value
    known = "".join(letter if letter.isspace() or _prints(letter, face) else "?" for letter in value)
    whole = " ".join(part for word in known.split() for part in _broken(word, face))
    return whole if len(whole) <= most else whole[: most - 1].rstrip() + "…"


def _prints(letter: str, face: Typeface) -> bool:
    return letter.isprintable() and ord(letter) in face.repertoire


def _broken(word: str, face: Typeface) -> list[str]:
    if face.width_pt(word, _SIZE_PT) <= _WIDEST_WORD_PT:
        return [word]
    parts, part = [], ""
    for letter in word:
        if face.width_pt(part + letter, _SIZE_PT) > _WIDEST_WORD_PT:
            parts.append(part)
            part = ""
        part += letter
    return [*parts, part]
