"""The office's nouns as frozen values, with the moves each may make.

A value never changes: a move gives back the next value or raises `WrongState`. Every state has an owner and a next
step (`next_step`), so that no dossier and no result waits for nobody. The Vietnamese words for the states are in
`dossiers.labels`, and nowhere else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003  the fields are read at run time by whoever walks these dataclasses

from dossiers.calendar import VIETNAM

if TYPE_CHECKING:
    from collections.abc import Sequence


class Role(StrEnum):
    """What a person may do; always together with the agency they do it for."""

    POSTAL = "postal"
    CLERK = "clerk"
    LEADER = "leader"
    SEAL_KEEPER = "seal_keeper"
    ADMINISTRATOR = "administrator"


class AgencyKind(StrEnum):
    """The centre, a commune's centre, or a post office that helps."""

    CENTRE = "centre"
    COMMUNE = "commune"
    POST_OFFICE = "post_office"


class DigitisationProfile(StrEnum):
    """Which signature makes a scan a digitised copy (decision 0006).

    CAPTURE: the scanning person signs the two-layer PDF/A before fields are extracted; corrections live beside it.
    REVIEW: a clerk reviews, then the agency signs it as an electronic copy (SAO Y).
    """

    CAPTURE = "capture"
    REVIEW = "review"


@dataclass(frozen=True)
class Agency:
    """A body that takes in, decides or helps.

    Attributes:
        code: As registered, for instance "000.00.01.H49"; also the head of its dossier codes.
        name: In full, NFC.
        parent_name, letterhead: The two lines at the top left of its documents.
        parent: Code of the agency above, or None.
        symbol: How its documents' symbols end, for instance "TTPVHCC".
    """

    code: str
    name: str
    kind: AgencyKind
    parent: str | None = None
    parent_name: str = ""
    letterhead: str = ""
    symbol: str = ""
    place: str = ""
    phone: str = ""
    digitisation: DigitisationProfile = DigitisationProfile.REVIEW
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Actor:
    """Who is asking, and for which agency. `system()` is the service itself, at work on somebody's earlier request."""

    user_id: UUID | None
    username: str
    name: str
    agency: str
    roles: frozenset[Role]

    def has(self, *roles: Role) -> bool:
        """Whether the actor has one of these roles."""
        return bool(self.roles & set(roles))

    @staticmethod
    def system(agency: str) -> Actor:
        """The service itself, for `agency`."""
        return Actor(None, "hoso", "Hồ sơ số", agency, frozenset())


@dataclass(frozen=True)
class Account:
    """A person's sign-in. `password_hash` is argon2id; `signing_title` is what stands above their name."""

    user_id: UUID
    username: str
    name: str
    agency: str
    roles: frozenset[Role]
    password_hash: str
    title: str = ""
    active: bool = True
    failed_sign_ins: int = 0
    locked_until: datetime | None = None

    @property
    def actor(self) -> Actor:
        """This person, asking."""
        return Actor(self.user_id, self.username, self.name, self.agency, self.roles)


@dataclass(frozen=True)
class ComponentKind:
    """A paper the procedure's checklist asks for."""

    code: str
    name: str
    required: bool = True


@dataclass(frozen=True)
class Procedure:
    """A procedure of the office: what must be brought, how long it takes, what comes out.

    Attributes:
        code: National code, for instance "1.001612".
        working_days: From reception to the promised date; 0 means the same day.
        result_template: Name of the template of its result (`signing.templates`), or "" for uploads only.
        result_symbol: Head of the result's symbol, for instance "GCN" or "QĐ".
        result_name: What the citizen receives.
        archive_within_days: From a dossier's end until it must be in the archive (Circular 13/2023/TT-BNV: a year).
    """

    code: str
    name: str
    components: tuple[ComponentKind, ...]
    working_days: int
    result_name: str
    result_symbol: str
    result_template: str = ""
    field_name: str = ""
    archive_within_days: int = 365


@dataclass(frozen=True)
class Applicant:
    """Who the dossier is for. Personal data: never logged."""

    name: str
    id_number: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True)
class ObjectKey:
    """Where bytes are kept for ever: content-addressed, so the same bytes are stored once.

    Attributes:
        sha256: Lower-case hex of the content.
        size: Bytes.
        media_type: As found by content.
    """

    sha256: str
    size: int
    media_type: str

    @property
    def path(self) -> str:
        """The object's name in the bucket."""
        return f"sha256/{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"


class DossierState(StrEnum):
    """`house.md`, states."""

    DRAFT = "draft"
    RECEIVED = "received"
    DIGITIZING = "digitizing"
    NEEDS_SUPPLEMENT = "needs_supplement"
    DIGITIZED = "digitized"
    IN_PROCESS = "in_process"
    RESULT_READY = "result_ready"
    RETURNED = "returned"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class ComponentState(StrEnum):
    """One paper on its way from scan to signed copy.

    RECEIVED: the scan is safe; pages are being read. READ: every page read, the searchable PDF made.
    CAPTURE_SIGNING: waiting for the scanning person's signature (capture profile).
    REVIEWED: a person has been through it; the PDF is being made again. SIGNING: waiting for the agency's signature.
    DIGITIZED: a signed copy exists, or the scan came signed. SET_ASIDE: a person must look, see `trouble`.
    """

    RECEIVED = "received"
    CAPTURE_SIGNING = "capture_signing"
    READ = "read"
    REVIEWED = "reviewed"
    SIGNING = "signing"
    DIGITIZED = "digitized"
    SET_ASIDE = "set_aside"
    REPLACED = "replaced"


class PageState(StrEnum):
    """`house.md`, states. Page: received, cleaned, read, reviewed, set aside."""

    RECEIVED = "received"
    CLEANED = "cleaned"
    READ = "read"
    REVIEWED = "reviewed"
    SET_ASIDE = "set_aside"


class ResultState(StrEnum):
    """An e-result's life. After ISSUED the file never changes; the register does. A draft may end as DISCARDED."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    LEADER_SIGNED = "leader_signed"
    SEALED = "sealed"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


class PaperState(StrEnum):
    """Where a dossier's paper is: with its holder, between two offices, or not found when it should have arrived."""

    HELD = "held"
    TRAVELLING = "travelling"
    MISSING = "missing"


class ChangeKind(StrEnum):
    """What has become of a receipt since: a paper counted anew, one in another's place or brought later, one gone."""

    RECOUNTED = "recounted"
    GONE = "gone"
    NEW = "new"


class TransferState(StrEnum):
    """A transfer slip's life: on its way, counted and accepted by the receiver, or taken back by the sender."""

    SENT = "sent"
    ACCEPTED = "accepted"
    RECALLED = "recalled"


class RegisterStatus(StrEnum):
    """What the register says of a file, today."""

    ISSUED = "issued"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    NOT_OURS = "not_ours"


class Doubt(StrEnum):
    """Why a person should look at a value: the reader wasn't sure, or it breaks a rule (`dossiers.record`)."""

    LOW_CONFIDENCE = "low_confidence"
    BY_HAND = "by_hand"
    NO_SUCH_DAY = "no_such_day"
    FUTURE_DAY = "future_day"
    NUMBER_PATTERN = "number_pattern"
    SYMBOL_PATTERN = "symbol_pattern"
    OWNER_ID = "owner_id"
    TOO_LONG = "too_long"


class OfficeError(Exception):
    """The office can't do that. `detail` says more in the API's answer; subclasses have a row in `api.errors`."""


class NotFound(OfficeError):
    """There is no such thing, or it is another agency's: the two are never told apart."""


class NotAllowed(OfficeError):
    """The asker's role or agency doesn't permit it."""


class WrongState(OfficeError):
    """The thing isn't in a state in which that can be done."""


class Incomplete(OfficeError):
    """Something required is missing. `missing` lists all of it at once, in the office's words."""

    def __init__(self, message: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.missing = missing


class Duplicate(OfficeError):
    """The same bytes, or the same number, are already there; `of` says where."""

    def __init__(self, message: str, of: str = "") -> None:
        super().__init__(message)
        self.of = of


class Changed(OfficeError):
    """Someone else changed it meanwhile; look again and repeat."""


@dataclass(frozen=True)
class Conflict:
    """A field (`key`) or a word (`index` of `page`) that isn't what a person saw: what is there now, and who says so.

    `by` is "" when the machine does. With `of_line` it is the whole line that begins at that word.
    """

    present: str
    by: str
    key: str = ""
    page: int = 0
    index: int = 0
    of_line: bool = False


class Overtaken(Changed):
    """Someone else changed the very things a person was changing. `conflicts` are all of them; nothing was kept."""

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        super().__init__("có người khác vừa sửa chỗ này; xem cả hai rồi chọn")
        self.conflicts = conflicts


@dataclass(frozen=True)
class Step:
    """Who has to act next, and how. `role` is None when the service itself is at work."""

    code: str
    role: Role | None
    agency: str


@dataclass(frozen=True)
class ReceiptLine:
    """One paper on the receipt: what the citizen can hold us to.

    Attributes:
        pages: Of the paper, as they were counted when the dossier was received.
        images: Of its scan; more than `pages` where a page was scanned twice or a blank back left out.
        sha256: Of its scan.
    """

    ordinal: int
    name: str
    pages: int
    images: int
    sha256: str
    component_id: UUID


@dataclass(frozen=True)
class Dossier:
    """One citizen's matter, from the counter to the result.

    Attributes:
        code: "<agency code>-YYMMDD-NNNN".
        lookup_code: Second secret for the citizen, 12 digits and a check digit.
        receiving, competent: Agencies that take it in and that decide; they may differ.
        helped_at: The post office where it was handed in, or None.
        paper_at: The agency that answers for the paper: while it travels, still its sender.
        paper_to, transfer: Where the paper is travelling to, and in which transfer; both None while it is held.
        paper_note: What the receiver said when the paper didn't arrive with the rest; "" once it is sent again.
        due_on: Promised date.
        back_file: An old dossier that is digitised after the fact: nobody waits for it, so whatever people wait for
            goes before it.
        receipt: The papers as its receipt says, fixed at reception; () before, and where that was before lines were
            kept.
        version: Goes up by one with each change; a writer with an old one is refused (`Changed`).
    """

    id: UUID
    code: str
    lookup_code: str
    procedure: str
    applicant: Applicant
    receiving: str
    competent: str
    helped_at: str | None
    paper_at: str
    state: DossierState
    opened_by: str
    opened_at: datetime
    received_at: datetime | None = None
    due_on: date | None = None
    note: str = ""
    paper_to: str | None = None
    transfer: UUID | None = None
    paper_note: str = ""
    back_file: bool = False
    receipt: tuple[ReceiptLine, ...] = ()
    version: int = 0

    @property
    def takes_papers(self) -> bool:
        """Whether scans may be added to it now."""
        return self.state in _TAKES_PAPERS

    @property
    def is_given_up(self) -> bool:
        """Whether it was refused or cancelled: it stays as it is, and no machine works on it any more."""
        return self.state in _GIVEN_UP

    def agencies(self) -> frozenset[str]:
        """Agencies that may see it."""
        return frozenset(a for a in (self.receiving, self.competent, self.helped_at) if a)

    def move(self, to: DossierState, **changes: Any) -> Dossier:
        """The dossier in its next state.

        Raises:
            WrongState: `to` can't follow the present state.
        """
        if to not in _DOSSIER_MOVES[self.state]:
            raise WrongState(f"{self.state} → {to}")
        return replace(self, state=to, **changes)

    def send_paper(self, transfer: UUID, *, to: str) -> Dossier:
        """The dossier with its paper on the way; the sender answers for it until `to` has accepted.

        Raises:
            WrongState: The paper is travelling already, or still the applicant's own.
        """
        if self.transfer is not None:
            raise WrongState(PaperState.TRAVELLING)
        if self.received_at is None:
            raise WrongState(self.state)
        return replace(self, transfer=transfer, paper_to=to, paper_note="")

    def paper_arrived(self) -> Dossier:
        """The dossier with its paper in the receiver's hands.

        Raises:
            WrongState: It isn't travelling.
        """
        if self.paper_to is None:
            raise WrongState(PaperState.HELD)
        return replace(self, transfer=None, paper_to=None, paper_at=self.paper_to)

    def paper_back(self, *, missing: str = "") -> Dossier:
        """The dossier with its paper at the sender's again: taken back, or `missing` as the receiver says.

        Raises:
            WrongState: It isn't travelling.
        """
        if self.paper_to is None:
            raise WrongState(PaperState.HELD)
        return replace(self, transfer=None, paper_to=None, paper_note=missing)

    @property
    def paper_state(self) -> PaperState:
        """Held (by `paper_at`), travelling (in `transfer`), or missing (`paper_at` has to look for it)."""
        if self.transfer is not None:
            return PaperState.TRAVELLING
        return PaperState.MISSING if self.paper_note else PaperState.HELD

    def paper_step(self) -> Step | None:
        """Who has to move the paper next, beside `next_step`; None while it is where it belongs.

        A post office sends on what it took in. What is refused or cancelled there goes back over the same counter.
        """
        if self.paper_to is not None:
            return Step("accept_papers", self._desk_role(self.paper_to), self.paper_to)
        if self.paper_note:
            return Step("find_papers", self._desk_role(self.paper_at), self.paper_at)
        if self.received_at is None or self.is_given_up or self.paper_at != self.helped_at:
            return None
        return Step("send_papers", Role.POSTAL, self.paper_at)

    def _desk_role(self, agency: str) -> Role:
        return Role.POSTAL if agency == self.helped_at else Role.CLERK

    def next_step(self, components: Sequence[Component] = (), e_results: Sequence[EResult] = ()) -> Step | None:
        """Who acts next; None once nothing is left to do.

        While papers are on their way, the most urgent of them speaks for the dossier; while it is in process, the
        newest result on its way does; both as far as they are given.
        """
        desk = self.helped_at or self.receiving
        role_at_desk = Role.POSTAL if self.helped_at else Role.CLERK
        if self.state in (DossierState.DRAFT, DossierState.DIGITIZING):
            steps = sorted(filter(None, (c.next_step(self) for c in components)), key=_urgency)
            if self.state is DossierState.DIGITIZING and steps:
                return steps[0]
            if components and (not steps or steps[0].code != "rescan_or_retry"):
                return Step("receive", role_at_desk, desk)
            if steps:
                return steps[0]
        if self.state is DossierState.IN_PROCESS:
            on_the_way = [step for r in e_results if (step := r.next_step())]
            if on_the_way:
                return on_the_way[-1]
        return {
            DossierState.DRAFT: Step("add_components", role_at_desk, desk),
            DossierState.RECEIVED: Step("scan", role_at_desk, desk),
            DossierState.DIGITIZING: Step("review_and_sign", Role.CLERK, self.receiving),
            DossierState.NEEDS_SUPPLEMENT: Step("await_supplement", Role.CLERK, self.receiving),
            DossierState.DIGITIZED: Step("start_processing", Role.CLERK, self.competent),
            DossierState.IN_PROCESS: Step("prepare_result", Role.CLERK, self.competent),
            DossierState.RESULT_READY: Step("hand_over", Role.CLERK, self.receiving),
        }.get(self.state)


#: Which paper's next step speaks for the dossier: a paper in trouble before one to look at before one at work.
_PAPER_STEPS = ("rescan_or_retry", "review", "sign_copy", "being_processed")


def _urgency(step: Step) -> int:
    return _PAPER_STEPS.index(step.code)


_S = DossierState
_GIVEN_UP = frozenset({_S.REFUSED, _S.CANCELLED})
_TAKES_PAPERS = frozenset({_S.DRAFT, _S.RECEIVED, _S.DIGITIZING, _S.NEEDS_SUPPLEMENT, _S.DIGITIZED})
_DOSSIER_MOVES: dict[DossierState, frozenset[DossierState]] = {
    _S.DRAFT: frozenset({_S.RECEIVED, _S.CANCELLED}),
    _S.RECEIVED: frozenset({_S.DIGITIZING, _S.DIGITIZED, _S.NEEDS_SUPPLEMENT, _S.REFUSED, _S.CANCELLED}),
    _S.DIGITIZING: frozenset({_S.DIGITIZED, _S.NEEDS_SUPPLEMENT, _S.REFUSED, _S.CANCELLED}),
    _S.NEEDS_SUPPLEMENT: frozenset({_S.DIGITIZING, _S.DIGITIZED, _S.REFUSED, _S.CANCELLED}),
    _S.DIGITIZED: frozenset({_S.DIGITIZING, _S.IN_PROCESS, _S.NEEDS_SUPPLEMENT, _S.REFUSED, _S.CANCELLED}),
    _S.IN_PROCESS: frozenset({_S.DIGITIZING, _S.NEEDS_SUPPLEMENT, _S.RESULT_READY, _S.REFUSED, _S.CANCELLED}),
    _S.RESULT_READY: frozenset({_S.RETURNED, _S.IN_PROCESS}),
    _S.RETURNED: frozenset({_S.IN_PROCESS}),
    _S.REFUSED: frozenset(),
    _S.CANCELLED: frozenset(),
}


@dataclass(frozen=True)
class Component:
    """One paper of a dossier: the scan as it came and what was made of it.

    Attributes:
        ordinal: 1-based within the dossier; also the "nnn" of the copy's file name.
        kind: Code of the checklist row it answers, or "" for an extra paper.
        scan: The bytes as they came. Never changed.
        filename: As given, cleaned of paths and control characters; for people only.
        pages_total: Counted in the file. `pages_declared` is what the person at the counter counted, or None.
        signed_scan: The scan came signed: kept byte for byte, its derivative says that it is unsigned.
        searchable: The searchable PDF/A (unsigned), once made.
        copy: The signed copy, once made; for a scan that came signed, the scan itself.
        unstamped: The copy with its signature made and safe, still waiting for timestamp and evidence.
        revision: How often the searchable PDF has been asked for; a late job of an older revision changes nothing.
        trouble: Why it was set aside, a stable code; "" otherwise.
        scanned_by: Username of who brought it in.
        keep_reason: Why a flagged page was kept.
        whole: The scan as it came, where separator sheets have parted it and all of it went into this dossier; `scan`
            is then a part of it. None otherwise.
        whole_numbers: Which pages of that scan these are, 1-based; () for a paper that came alone.
    """

    id: UUID
    dossier_id: UUID
    ordinal: int
    kind: str
    name: str
    scan: ObjectKey
    filename: str
    pages_total: int
    state: ComponentState
    scanned_by: str
    scanned_at: datetime
    signed_scan: bool = False
    pages_declared: int | None = None
    searchable: ObjectKey | None = None
    copy: ObjectKey | None = None
    unstamped: ObjectKey | None = None
    revision: int = 0
    trouble: str = ""
    keep_reason: str = ""
    whole: ObjectKey | None = None
    whole_numbers: tuple[int, ...] = ()
    version: int = 0

    def next_step(self, dossier: Dossier) -> Step | None:
        """Who acts next on this paper; None once it is digitised or replaced, or its dossier given up."""
        if dossier.is_given_up:
            return None
        desk = dossier.helped_at or dossier.receiving
        role_at_desk = Role.POSTAL if dossier.helped_at else Role.CLERK
        match self.state:
            case ComponentState.SET_ASIDE:
                return Step("rescan_or_retry", role_at_desk, desk)
            case ComponentState.READ:
                return Step("review", Role.CLERK, dossier.receiving)
            case ComponentState.REVIEWED if self.searchable is not None:
                return Step("sign_copy", Role.CLERK, dossier.receiving)
            case ComponentState.DIGITIZED | ComponentState.REPLACED:
                return None
            case _:
                return Step("being_processed", None, dossier.receiving)


@dataclass(frozen=True)
class Page:
    """One page of a component.

    Attributes:
        number: 1-based.
        thumbnail: The page as it came, small, made before it is read.
        picture: The display page; words: the page's reading as JSON (`digitize` writes and reads it).
        text: Plain NFC text for search.
        flags, measured: As `digitize.types.PageFlags`.
        corrections: What a person made of words: index → text. The raw reading stays.
        attempts: How often reading was begun and not survived; after `MAX_ATTEMPTS` the page is set aside.
        looks: The same of looking; after as many it isn't looked at again, and is left to reading.
        left_out_by: Who left it out of the copy; "" for a page that is in it. It stays in the scan and in the paper.
        without_note: Number of the same page without the note stuck on this one; None for any other page.
    """

    id: UUID
    component_id: UUID
    number: int
    state: PageState
    thumbnail: ObjectKey | None = None
    picture: ObjectKey | None = None
    words: ObjectKey | None = None
    text: str = ""
    flags: tuple[str, ...] = ()
    measured: dict[str, float] = field(default_factory=dict)
    corrections: dict[int, str] = field(default_factory=dict)
    attempts: int = 0
    looks: int = 0
    trouble: str = ""
    reviewed_by: str = ""
    left_out_by: str = ""
    without_note: int | None = None


@dataclass(frozen=True)
class PageGlance:
    """What a progress bar asks of a page, again and again: all of `Page` but its text and what was measured.

    Attributes:
        beginning: Of its text, once it is read.
        touched_at: When anything last happened to it.
    """

    id: UUID
    component_id: UUID
    number: int
    state: PageState
    thumbnail: ObjectKey | None
    picture: ObjectKey | None
    flags: tuple[str, ...]
    trouble: str
    reviewed_by: str
    attempts: int
    beginning: str
    touched_at: datetime
    left_out_by: str = ""
    without_note: int | None = None


@dataclass(frozen=True)
class ExtractedField:
    """A value of the paper: as read, and as corrected by a person.

    Attributes:
        origin: "ocr", "typed", "corrected"; "absent" or "unreadable" where a person said so of a value that isn't
            there; or "missing", of a field of the minimum record that nobody has found yet.
        by: Who typed, corrected or confirmed it; "" while only the machine has seen it.
    """

    component_id: UUID
    key: str
    value: str
    raw: str
    page: int
    box: tuple[int, int, int, int] | None
    confidence: float
    origin: str = "ocr"
    by: str = ""


#: A signature that has waited so long for its timestamp is shown to the seal keeper: no authority's bad afternoon.
LONG_WAIT = timedelta(days=1)


@dataclass(frozen=True)
class EResult:
    """An electronic result: a PDF signed by the person and by the agency, and what the register says of it.

    Attributes:
        ordinal: n of "<dossier code>-KQn".
        template: Name of the template, or "" for an uploaded PDF.
        data: What the template was filled with; person's words, NFC.
        number, symbol, dated: Fixed at submission, voided by a return.
        places: Where its signatures stand once submitted: {"place", "page", "box"} each, as `signing` found them.
        draft: The PDF before the first signature. document: the PDF as it stands, with every signature so far.
        unstamped: `document` with one signature more, made and safe, still waiting for its timestamp and evidence.
        unstamped_at: Since when it waits.
        own_token: The next signature is made by its signer, with a token of their own (`dossiers.own_token`).
        leader: Username of the person who is to sign. prepared_by: who changed it last.
        drafters: Usernames of everybody who drafted, changed or submitted it; none of them may approve it.
        lookup_code: Printed on it with the QR code.
        came_signed: Uploaded with its signatures; verified, registered and delivered as it is.
        superseded_by: The e-result that took its place.
        annexes_sha256: One hash over its annexes, in their order, fixed at submission; "" without any.
        returned_data: What the template was filled with when the leader last returned it; {} if that never happened.
    """

    id: UUID
    dossier_id: UUID
    agency: str
    ordinal: int
    state: ResultState
    title: str
    prepared_by: str
    drafters: tuple[str, ...] = ()
    template: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    places: tuple[dict[str, Any], ...] = ()
    leader: str = ""
    draft: ObjectKey | None = None
    document: ObjectKey | None = None
    unstamped: ObjectKey | None = None
    unstamped_at: datetime | None = None
    own_token: bool = False
    number: int | None = None
    symbol: str = ""
    dated: date | None = None
    lookup_code: str = ""
    came_signed: bool = False
    comment: str = ""
    trouble: str = ""
    approved_at: datetime | None = None
    issued_at: datetime | None = None
    closed_at: datetime | None = None
    closed_reason: str = ""
    superseded_by: UUID | None = None
    annexes_sha256: str = ""
    returned_data: dict[str, Any] = field(default_factory=dict)
    version: int = 0

    def move(self, to: ResultState, **changes: Any) -> EResult:
        """The e-result in its next state.

        Raises:
            WrongState: `to` can't follow the present state.
        """
        if to not in _RESULT_MOVES[self.state]:
            raise WrongState(f"{self.state} → {to}")
        return replace(self, state=to, **changes)

    def waits_long(self, now: datetime) -> timedelta | None:
        """How long its signature has waited for a timestamp, once that is so long that a person should look."""
        if self.unstamped is None or self.unstamped_at is None or now - self.unstamped_at < LONG_WAIT:
            return None
        return now - self.unstamped_at

    def next_step(self) -> Step | None:
        """Who acts next; None once it is issued, withdrawn, superseded or, as a draft, discarded."""
        if self.trouble in WAITS_FOR_PIN:
            return Step("type_pin", Role.LEADER, self.agency)
        if self.trouble:
            return Step("mend_signing", Role.SEAL_KEEPER, self.agency)
        if self.unstamped is not None:
            return Step("await_timestamp", None, self.agency)
        if self.own_token and self.state in (ResultState.APPROVED, ResultState.LEADER_SIGNED):
            signer = Role.LEADER if self.state is ResultState.APPROVED else Role.SEAL_KEEPER
            return Step("sign_with_token", signer, self.agency)
        if self.state is ResultState.DRAFT and self.came_signed:
            return Step("register_signed", Role.SEAL_KEEPER, self.agency)
        return {
            ResultState.DRAFT: Step("submit", Role.CLERK, self.agency),
            ResultState.SUBMITTED: Step("approve", Role.LEADER, self.agency),
            ResultState.APPROVED: Step("sign_as_leader", None, self.agency),
            ResultState.LEADER_SIGNED: Step("seal", None, self.agency),
            ResultState.SEALED: Step("sign_annexes" if self.annexes_sha256 else "issue", None, self.agency),
        }.get(self.state)

    def seen_by(self, agency: str) -> EResult | None:
        """What an agency with a part in the dossier may see: its own in full, another's once published, bare."""
        if agency == self.agency:
            return self
        if self.state not in (ResultState.ISSUED, ResultState.WITHDRAWN, ResultState.SUPERSEDED):
            return None
        return replace(self, data={}, returned_data={}, comment="", trouble="")

    @property
    def approval_sha256(self) -> str:
        """What whoever approves it answers for: the document's hash; with annexes, one hash over all. "" without any.

        The document alone wouldn't do: the same document can be submitted again with other annexes.
        """
        if self.document is None or not self.annexes_sha256:
            return self.document.sha256 if self.document else ""
        return hashlib.sha256(f"{self.document.sha256}\n{self.annexes_sha256}".encode()).hexdigest()

    @property
    def full_number(self) -> str:
        """As printed, numbers under 10 with a leading zero: "05/GCN-TTPVHCC"; "" before submission."""
        return "" if self.number is None else f"{self.number:02d}/{self.symbol}"


@dataclass(frozen=True)
class Annex:
    """An annex of an e-result in a file of its own. It has no force by itself: it follows its main document.

    Attributes:
        ordinal: m of "<dossier code>-KQn-PLm".
        source: The PDF as it was brought, with an empty field for the agency's signature. Never changed.
        place: Where that field stands: {"page", "box"}.
        unstamped: It with the agency's signature, made and safe, still waiting for timestamp and evidence.
        document: It with the agency's signature, whole.
        trouble: Why its signing stopped, a stable code; "" otherwise.
    """

    id: UUID
    e_result_id: UUID
    ordinal: int
    title: str
    source: ObjectKey
    place: dict[str, Any]
    pages: int
    added_by: str
    added_at: datetime
    unstamped: ObjectKey | None = None
    document: ObjectKey | None = None
    trouble: str = ""
    version: int = 0

    @property
    def current(self) -> ObjectKey:
        """The file to show: signed once it is."""
        return self.document or self.source


#: A signing that stopped for this goes on when the leader has typed the PIN.
WAITS_FOR_PIN = frozenset({"pin_needed", "pin_wrong"})


_R = ResultState
_RESULT_MOVES: dict[ResultState, frozenset[ResultState]] = {
    _R.DRAFT: frozenset({_R.SUBMITTED, _R.ISSUED, _R.DISCARDED}),
    _R.SUBMITTED: frozenset({_R.DRAFT, _R.APPROVED}),
    _R.APPROVED: frozenset({_R.LEADER_SIGNED, _R.SUBMITTED, _R.DRAFT}),
    _R.LEADER_SIGNED: frozenset({_R.SEALED}),
    _R.SEALED: frozenset({_R.ISSUED}),
    _R.ISSUED: frozenset({_R.WITHDRAWN, _R.SUPERSEDED}),
    _R.WITHDRAWN: frozenset(),
    _R.SUPERSEDED: frozenset(),
    _R.DISCARDED: frozenset(),
}


class KeyHeld(StrEnum):
    """Where the private key of a certificate is."""

    FOLDER = "folder"  # a PKCS#12 file in the keys folder
    OWN_TOKEN = "own_token"  # noqa: S105  the official's own USB token or SIM; the server never reaches it
    PKCS11 = "pkcs11"  # a token or HSM at the signing worker
    REMOTE = "remote"  # a signing service, by CSC


class PinAsked(StrEnum):
    """How often the owner of a key at the signing worker, or with a service, types a PIN or one-time code."""

    NEVER = "never"  # what opens it lies in the keys folder
    BATCH = "batch"
    SIGNATURE = "signature"


@dataclass(frozen=True)
class CertificateRecord:
    """A signing certificate and where its key is. The key itself, and what opens it, is never in the database.

    Attributes:
        owner: Username for a person's certificate, "" for the agency's seal.
        sha256: Lower-case hex of the DER certificate.
        key_file: Inside the keys folder: the PKCS#12, or the certificate where the key is elsewhere. Beside it stand
            "<key_file>.pass", what opens the key, and "<key_file>.picture".
        held: Where the key is.
        locator: Which token and key (RFC 7512), or which service and credential; "" in folder and own token. As
            `signing.locators` writes it.
        pin_asked: For a key at the worker or with a service.
        der: The certificate; b"" in a record of before it was kept whose certificate was lost since.
    """

    id: UUID
    agency: str
    owner: str
    subject: str
    issuer: str
    serial: str
    sha256: str
    valid_from: datetime
    valid_to: datetime
    key_file: str
    active: bool = True
    held: KeyHeld = KeyHeld.FOLDER
    locator: str = ""
    pin_asked: PinAsked = PinAsked.NEVER
    der: bytes = b""


@dataclass(frozen=True)
class SigningBatch:
    """What a leader approved together, with one password and at most one PIN. It holds neither.

    Attributes:
        items: Results that were approved, in the order they are signed in.
        refused: Those that weren't, each with a code that says why.
        stopped_at: When the leader asked that no more of them be signed.
    """

    id: UUID
    agency: str
    leader: str
    items: tuple[str, ...]
    refused: dict[str, str]
    begun_at: datetime
    stopped_at: datetime | None = None


@dataclass(frozen=True)
class Within:
    """Where a search looks: only in dossiers that all of this fits.

    Attributes:
        agency: Which took it in or decides it; "" for any.
        procedure: Its code; "" for any.
        since, until: Days on which it was opened, in Vietnam, both included; None for no bound.
    """

    agency: str = ""
    procedure: str = ""
    since: date | None = None
    until: date | None = None

    def moments(self) -> tuple[datetime | None, datetime | None]:
        """When its dossiers were opened: at the first of these or later, and before the second."""
        return (
            None if self.since is None else datetime.combine(self.since, time.min, VIETNAM),
            None if self.until is None else datetime.combine(self.until + timedelta(days=1), time.min, VIETNAM),
        )


@dataclass(frozen=True)
class SearchHit:
    """A page that contains what was asked for.

    Attributes:
        snippet: The text around the place, on one line.
        exact: Whether it stands there with the accents asked for.
        withheld: It is on somebody's proof of identity: no list says what is written there.
    """

    dossier_id: UUID
    dossier_code: str
    component_id: UUID
    component_name: str
    page: int
    snippet: str
    exact: bool
    withheld: bool = False


@dataclass(frozen=True)
class AuditEntry:
    """One line of the log: each carries the hash of the one before it."""

    sequence: int
    at: datetime
    actor: str
    agency: str
    event: str
    subject: str
    detail: dict[str, Any]
    previous_hash: str
    hash: str
