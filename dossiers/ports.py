"""What the office needs from outside, as Protocols. `storage` provides them; nothing here knows how.

A use case reads load, decide, keep:

    with begin() as work:
        dossier = work.dossiers.lock(actor, dossier_id)
        work.dossiers.keep(dossier.move(...))
        work.jobs.read_page(page.id)

Leaving the block commits everything, jobs included, in one transaction; an exception takes everything back. No network
call is made inside a block: objects are put before it, and are harmless if it fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime, timedelta
    from pathlib import Path
    from uuid import UUID

    from dossiers.amendments import Amendments
    from dossiers.anchors import TrustAnchor
    from dossiers.archive import ToArchive
    from dossiers.authorities import Authority
    from dossiers.desks import Desk
    from dossiers.fixity import KeptObjects
    from dossiers.holds import Holds
    from dossiers.layouts import OwnTemplate
    from dossiers.own_token import SigningLink
    from dossiers.parcels import Parcel
    from dossiers.phone import PhoneLink
    from dossiers.reader_report import FieldTally, FlagTally
    from dossiers.retention import Retention
    from dossiers.transfers import Transfer
    from dossiers.trust_upkeep import KeptAnswer, KeptList
    from dossiers.types import (
        Account,
        Actor,
        Agency,
        Annex,
        Applicant,
        AuditEntry,
        CertificateRecord,
        Component,
        Dossier,
        DossierState,
        EResult,
        ExtractedField,
        ObjectKey,
        Page,
        PageGlance,
        Procedure,
        SearchHit,
        SigningBatch,
        Within,
    )
    from dossiers.verdict_reports import VerdictReport
    from signing.returned import Returned
    from signing.trust import TrustStore
    from signing.types import FileVerdict, Place


class ObjectMissing(Exception):
    """The store has no such object, or what it gives back isn't what was put there (the hash differs)."""


class StoreUnavailable(Exception):
    """The object store didn't answer. Nothing was accepted; try again."""


class StoreRefuses(StoreUnavailable):
    """It answers and says no: the key lacks a right, or the store can't do it. Trying again soon is of no use."""


class Judge(Protocol):
    """Says what a file is worth. Strangers' files go to `signing.isolation`, which loses nothing by a hostile one."""

    def verify(self, path: Path, *, trust: TrustStore, at: datetime | None = None) -> FileVerdict:
        """Judge a PDF; never raises for what is in it, and asks nobody anything.

        Raises:
            JudgesBusy: So many files wait that nothing was judged; try again.
        """
        ...


class Examiner(Protocol):
    """Says whether a file that came back from a signer's own tool is the one that was sent, signed and nothing else."""

    def examine(self, sent: Path, returned: Path, *, place: Place, certificate_sha256: str) -> Returned:
        """Compare the two; never raises for what is in the returned file.

        Raises:
            JudgesBusy: So many files wait that nothing was examined; try again.
        """
        ...


class ObjectStore(Protocol):
    """Keeps bytes for ever and never changes them. Works on files, since PDFs are big."""

    def put(self, file: Path, *, media_type: str) -> ObjectKey:
        """Store a file durably and read it back; the same bytes are stored once.

        Raises:
            StoreUnavailable: The server didn't answer or what came back differs; nothing may be called received.
        """
        ...

    def fetch(self, key: ObjectKey, to: Path) -> None:
        """Write the object's bytes to `to`, checked against the key's hash.

        Raises:
            ObjectMissing: Not there, or the hash differs.
            StoreUnavailable: The server didn't answer.
        """
        ...

    def open(self, key: ObjectKey, *, offset: int = 0, length: int | None = None) -> AbstractContextManager[BinaryIO]:
        """Stream an object or a range of it, for a download. Not checked against the hash."""
        ...

    def probe(self) -> None:
        """Write and read a known sentinel object.

        Raises:
            StoreUnavailable: It can't be done now.
        """
        ...


class Vault(Protocol):
    """The object store as whoever looks after it sees it."""

    def keep_log_stamp(self, name: str, content: bytes) -> None:
        """Keep the proof of a log's head, locked for as long as the server can.

        Raises:
            StoreUnavailable: It didn't answer, or what came back differs.
        """
        ...

    def versions(self, key: ObjectKey) -> int:
        """How many versions of an object the store has, hidden ones counted."""
        ...

    def is_there(self, key: ObjectKey) -> bool:
        """Whether the store gives anything at all for an object."""
        ...

    def objects(self) -> Iterator[tuple[str, datetime]]:
        """Every object by its hash, with when it was stored."""
        ...

    def end_uploads(self, *, begun_before: datetime) -> int:
        """End uploads in parts that were begun before then and never finished; how many. No object goes by it.

        Raises:
            StoreRefuses: The store doesn't let us see or end them. Some may be ended.
            StoreUnavailable: It didn't answer. Some may be ended; try again.
        """
        ...

    def log_stamps(self) -> Sequence[bytes]:
        """All that were ever kept, also those that somebody hid behind a delete marker or a later version."""
        ...

    @property
    def can_hold(self) -> bool:
        """Whether the store was seen to keep what is on legal hold."""
        ...

    def hold(self, key: ObjectKey) -> int:
        """Put every version of an object on legal hold and see that it is; on how many there was none before.

        Raises:
            ObjectMissing: The store has no version of it.
            StoreUnavailable: It didn't answer, or a version isn't held all the same. Some may be; try again.
        """
        ...

    def lift(self, key: ObjectKey) -> None:
        """Take the legal hold off every version of an object. Locks stay.

        Raises:
            ObjectMissing, StoreUnavailable: As `hold`.
        """
        ...

    @property
    def can_prolong(self) -> bool:
        """Whether the store was seen to prolong locks and never to shorten one."""
        ...

    def prolong(self, key: ObjectKey, until: datetime) -> None:
        """Have every version of an object locked until then at least; a longer lock stays as it is.

        Raises:
            ObjectMissing: The store has no version of it.
            StoreUnavailable: It didn't answer, or a version isn't locked for so long all the same.
        """
        ...


class Agencies(Protocol):
    """The office tree."""

    def of(self, code: str) -> Agency:
        """Raises NotFound."""
        ...

    def all(self) -> Sequence[Agency]:
        """By code."""
        ...

    def keep(self, agency: Agency) -> None:
        """Insert or change."""
        ...


class Procedures(Protocol):
    """The catalogue."""

    def of(self, code: str) -> Procedure:
        """Raises NotFound."""
        ...

    def all(self) -> Sequence[Procedure]:
        """By code."""
        ...

    def keep(self, procedure: Procedure) -> None:
        """Insert or change."""
        ...


class Accounts(Protocol):
    """People and their sessions."""

    def of(self, username: str) -> Account:
        """Raises NotFound."""
        ...

    def in_agency(self, agency: str) -> Sequence[Account]:
        """Active people, by name."""
        ...

    def keep(self, account: Account) -> None:
        """Insert or change."""
        ...

    def count_wrong_password(self, username: str, *, now: datetime, most: int, lock_for: timedelta) -> datetime | None:
        """Count one more, in one step; the `most`-th in a row locks. Until when it is locked, None while it isn't.

        Names that nobody has are counted as well, so that a lock doesn't tell which names there are.
        """
        ...

    def forget_wrong_passwords(self, username: str) -> None:
        """The right one was given."""
        ...

    def open_session(self, account: Account, token_sha256: str, *, expires_at: datetime) -> None:
        """Remember a session by the hash of its token; the token itself is never stored."""
        ...

    def by_session(self, token_sha256: str, *, now: datetime) -> Account:
        """Raises NotFound: unknown, expired, closed, or the account is no longer active."""
        ...

    def close_session(self, token_sha256: str) -> None:
        """Forget a session; unknown ones are no error."""
        ...


class Certificates(Protocol):
    """Signing certificates of people and agencies, and the trust material around them."""

    def for_person(self, username: str) -> CertificateRecord:
        """The active one. Raises NotFound."""
        ...

    def for_agency(self, agency: str) -> CertificateRecord:
        """The active seal. Raises NotFound."""
        ...

    def of_person(self, username: str) -> Sequence[CertificateRecord]:
        """All that ever were this person's, the active one first."""
        ...

    def of_agency(self, agency: str) -> Sequence[CertificateRecord]:
        """All that ever were this agency's seal, the active one first."""
        ...

    def keep(self, record: CertificateRecord) -> None:
        """Insert or change; a new active one retires the owner's earlier one."""
        ...

    def all(self) -> Sequence[CertificateRecord]:
        """By agency, then owner."""
        ...


class TrustMaterial(Protocol):
    """Anchors, intermediate certificates and revocation lists, kept as DER."""

    def anchors(self) -> Sequence[TrustAnchor]:
        """Every decision ever taken about an anchor: by store, in each the newest first."""
        ...

    def trusted_anchors(self) -> Sequence[TrustAnchor]:
        """Those that a second administrator confirmed, also when their trust has ended since."""
        ...

    def anchor(self, anchor_id: UUID) -> TrustAnchor:
        """Raises NotFound."""
        ...

    def keep_anchor(self, anchor: TrustAnchor) -> TrustAnchor:
        """Insert or change. Raises Changed, Duplicate."""
        ...

    def intermediates(self) -> Sequence[bytes]:
        """CA certificates that help to build paths; trusted for nothing by themselves."""
        ...

    def crls(self) -> Sequence[bytes]:
        """The newest list of each distribution point."""
        ...

    def kept_lists(self) -> Sequence[KeptList]:
        """All lists, with where from and since when."""
        ...

    def kept_answers(self) -> Sequence[KeptAnswer]:
        """What responders last said."""
        ...

    def keep_answer(self, answer: KeptAnswer) -> bool:
        """Keep an answer, unless a newer one about that certificate is there; whether it was kept."""
        ...

    def authorities(self) -> Sequence[Authority]:
        """Timestamp authorities as the signing worker last noted them."""
        ...

    def keep_authorities(self, found: Sequence[Authority]) -> None:
        """Note these, and forget all others."""
        ...

    def crl_at(self, url: str) -> bytes | None:
        """The list of this distribution point, held until the transaction ends; None when there is none yet."""
        ...

    def holds_demo(self) -> bool:
        """Whether a certificate of a demo trust service was ever added."""
        ...

    def add_certificate(self, der: bytes, *, demo: bool = False) -> None:
        """Insert once; the same certificate again is no error."""
        ...

    def keep_crl(self, url: str, der: bytes, *, fetched_at: datetime) -> None:
        """Replace the list of this distribution point."""
        ...


class Dossiers(Protocol):
    """Dossiers, asked for on somebody's behalf: another agency's can't be found."""

    def of(self, actor: Actor, dossier_id: UUID) -> Dossier:
        """Raises NotFound: there is none, or the actor's agency has no part in it."""
        ...

    def some(self, actor: Actor, dossier_ids: Iterable[UUID]) -> Mapping[UUID, Dossier]:
        """Of several at once; those that `of` wouldn't find are left out."""
        ...

    def lock(self, actor: Actor, dossier_id: UUID) -> Dossier:
        """As `of`, held against other writers until the block ends."""
        ...

    def for_job(self, dossier_id: UUID) -> Dossier:
        """As `lock`, for the service itself at work on somebody's earlier request. Raises NotFound."""
        ...

    def seen_by_job(self, dossier_id: UUID) -> Dossier:
        """As `for_job`, and nobody is kept waiting for it. Raises NotFound."""
        ...

    def by_code(self, code: str) -> Dossier:
        """For the citizen's look-up only; the caller checks the second secret. Raises NotFound."""
        ...

    def queue(
        self,
        actor: Actor,
        *,
        states: Iterable[DossierState] | None = None,
        after: UUID | None = None,
        limit: int = 50,
    ) -> Sequence[Dossier]:
        """The actor's dossiers, most urgent first."""
        ...

    def to_send(self, actor: Actor, *, limit: int = 200) -> Sequence[Dossier]:
        """Dossiers whose paper the actor's agency holds and another one may want, received first first.

        A post office's own, and those that another agency decides; not refused, cancelled or travelling ones.
        """
        ...

    def find(self, actor: Actor, text: str, *, within: Within | None = None, limit: int = 20) -> Sequence[Dossier]:
        """The actor's dossiers by the applicant's name or the code: with the accents typed first, then without them."""
        ...

    def still_open(self, actor: Actor, procedure: str, applicant: Applicant, *, limit: int = 3) -> Sequence[Dossier]:
        """The actor's unfinished dossiers of the same person for the same procedure, newest first.

        The same person has the same personal ID number; where none is given, the same name and telephone.
        """
        ...

    def next_ordinal(self, agency: str, day: date) -> int:
        """The day's next number for dossiers of this agency, from 1; gaps only after a rollback are impossible."""
        ...

    def keep(self, dossier: Dossier) -> Dossier:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        ...


class Components(Protocol):
    """Components, their pages and fields. Scoped through their dossier, which the caller has asked for."""

    def of_dossier(self, dossier_id: UUID) -> Sequence[Component]:
        """By ordinal, replaced ones left out."""
        ...

    def of(self, component_id: UUID, *, within: UUID | None = None) -> Component:
        """Raises NotFound, also if it isn't a paper of the dossier `within`. Jobs ask without one."""
        ...

    def lock(self, component_id: UUID, *, within: UUID | None = None) -> Component:
        """As `of`, held until the block ends: serialises the fan-in of its pages."""
        ...

    def of_dossiers(self, dossier_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[Component]]:
        """Of several dossiers at once, each by ordinal, replaced ones left out."""
        ...

    def ever_of(self, dossier_id: UUID) -> Sequence[UUID]:
        """Every paper that ever was in it, replaced ones too, by ordinal."""
        ...

    def last_ordinal(self, dossier_id: UUID) -> int:
        """The highest ordinal given so far, replaced components counted; 0 when there is none."""
        ...

    def with_scan(self, dossier_id: UUID, sha256: str) -> Component | None:
        """A component of this dossier that came with these bytes, alone or as a part of them."""
        ...

    def out_of(self, dossier_id: UUID, sha256: str) -> Sequence[Component]:
        """The papers of this dossier that came with these bytes or as a part of them, replaced ones too."""
        ...

    def keep(self, component: Component) -> Component:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        ...

    def pages(self, component_id: UUID) -> Sequence[Page]:
        """By number."""
        ...

    def page(self, page_id: UUID) -> Page:
        """Raises NotFound."""
        ...

    def keep_page(self, page: Page) -> None:
        """Insert or change."""
        ...

    def glance(self, component_ids: Iterable[UUID]) -> Sequence[PageGlance]:
        """The pages of these components, by number within each: one query, however many there are."""
        ...

    def that_say(self, component_ids: Iterable[UUID], phrases: Iterable[str]) -> Collection[UUID]:
        """Those of these components on one of whose pages one of these phrases stands, with any accents."""
        ...

    def marked(self, component_ids: Iterable[UUID]) -> Sequence[PageGlance]:
        """Of these components' pages those that somebody left out or linked with a note: mostly none."""
        ...

    def keep_look(
        self, page_id: UUID, thumbnail: ObjectKey, *, flags: Sequence[str], measured: Mapping[str, float]
    ) -> None:
        """Keep a page's small picture, and what was seen on it unless it has been read since."""
        ...

    def begin_attempt(self, page_id: UUID) -> int:
        """Count one more attempt at reading; gives the new count."""
        ...

    def end_attempt(self, page_id: UUID) -> None:
        """The reader came through this attempt alive: don't count it against the page."""
        ...

    def begin_assembly(self, component_id: UUID) -> int:
        """Count one more attempt at making the PDF; gives the new count. Raises NotFound."""
        ...

    def end_assembly(self, component_id: UUID) -> None:
        """Whoever made it came through alive, or a person wants it tried anew: count from nothing again."""
        ...

    def begin_look(self, page_id: UUID) -> int:
        """Count one more look; gives the new count. Apart from reading: a process may die at both at once."""
        ...

    def end_look(self, page_id: UUID) -> None:
        """Whoever looked came through it alive."""
        ...

    def unread(self, component_id: UUID) -> int:
        """How many pages are neither read, reviewed nor set aside."""
        ...

    def fields(self, component_id: UUID) -> Sequence[ExtractedField]:
        """By key."""
        ...

    def keep_fields(self, component_id: UUID, fields: Sequence[ExtractedField]) -> None:
        """Replace what the machine read; what a person typed, corrected or confirmed stays."""
        ...

    def keep_field(self, field: ExtractedField) -> None:
        """Set one value."""
        ...

    def tally_fields(self, *, sure_from: float, by_hand: Mapping[str, str]) -> Sequence[FieldTally]:
        """Values of reviewed pages, counted; of a key in `by_hand` none is sure on a page with that flag."""
        ...

    def tally_flags(self) -> Sequence[FlagTally]:
        """Reviewed pages by flag, and the words that people changed or confirmed on them."""
        ...


class Transfers(Protocol):
    """Transfer slips, asked for on somebody's behalf: only the sender's and the receiver's people find one."""

    def of(self, actor: Actor, transfer_id: UUID) -> Transfer:
        """Raises NotFound: there is none, or the actor's agency neither sent nor receives it."""
        ...

    def lock(self, actor: Actor, transfer_id: UUID) -> Transfer:
        """As `of`, held against other writers until the block ends."""
        ...

    def waiting(self, actor: Actor) -> Sequence[Transfer]:
        """Sent and not accepted yet, by or to the actor's agency, oldest first."""
        ...

    def closed(self, actor: Actor, *, limit: int = 20) -> Sequence[Transfer]:
        """Accepted or taken back, by or to the actor's agency, the last one first."""
        ...

    def next_ordinal(self, sender: str, day: date) -> int:
        """The day's next number for slips of this sender, from 1, without gaps."""
        ...

    def keep(self, transfer: Transfer) -> Transfer:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        ...


class Parcels(Protocol):
    """What counters send, on its way in; asked for on behalf of somebody of the agency it comes to."""

    def of(self, actor: Actor, parcel_id: UUID) -> Parcel:
        """Raises NotFound: there is none, or it is another agency's."""
        ...

    def lock(self, actor: Actor, parcel_id: UUID) -> Parcel:
        """As `of`, held against other writers until the block ends."""
        ...

    def coming(self, actor: Actor, desk: str) -> Sequence[Parcel]:
        """Under way from this person and machine, oldest first."""
        ...

    def waiting(self, actor: Actor, *, limit: int = 200) -> Sequence[Parcel]:
        """The agency's inbox, the longest waiting first."""
        ...

    def keep(self, parcel: Parcel) -> Parcel:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        ...

    def drop(self, parcel_id: UUID) -> None:
        """Forget a parcel and its parts."""
        ...

    def add_part(self, parcel_id: UUID, start: int, part: bytes) -> None:
        """Keep bytes that begin there."""
        ...

    def parts(self, parcel_id: UUID) -> Iterator[bytes]:
        """All bytes, in order, a part at a time."""
        ...

    def drop_parts(self, parcel_id: UUID) -> None:
        """Let the bytes go, keeping what is known of the parcel."""
        ...

    def forget_unfinished(self, *, before: datetime) -> None:
        """Forget parcels that stopped half-way and weren't touched since."""
        ...

    def pictures(self, dossier_id: UUID) -> Sequence[Parcel]:
        """Everything that came to a dossier by telephone, whatever became of it, in the order of its announcement."""
        ...

    def lock_picture(self, parcel_id: UUID) -> Parcel:
        """One of them, whichever agency brought it in, held until the block ends. Raises NotFound."""
        ...

    def are_collected(self, dossier_id: UUID) -> bool:
        """Whether any of them waits to become a paper."""
        ...

    def collected(self, actor: Actor) -> Mapping[UUID, int]:
        """How many pictures of the actor's agency wait to become papers, by dossier."""
        ...


class PhoneLinks(Protocol):
    """Dossiers opened to telephones."""

    def by_token(self, token_sha256: str) -> PhoneLink:
        """Raises NotFound."""
        ...

    def lock(self, link_id: UUID) -> PhoneLink:
        """A link, held until the block ends. Raises NotFound."""
        ...

    def open_of(self, dossier_id: UUID, *, now: datetime) -> Sequence[PhoneLink]:
        """Those of a dossier that neither ended nor expired, the newest first."""
        ...

    def keep(self, link: PhoneLink) -> PhoneLink:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        ...

    def saw(self, link_id: UUID, *, now: datetime) -> None:
        """Remember when a telephone first opened it."""
        ...


class Desks(Protocol):
    """Machines at counters that send scans by themselves."""

    def by_pairing(self, pairing_sha256: str, *, now: datetime) -> Desk:
        """The machine that waits for this code, held until the block ends. Raises NotFound."""
        ...

    def by_token(self, token_sha256: str) -> Desk:
        """Raises NotFound."""
        ...

    def of_agency(self, agency: str) -> Sequence[Desk]:
        """By name, revoked ones last."""
        ...

    def keep(self, desk: Desk) -> Desk:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        ...

    def saw(self, desk_id: UUID, *, now: datetime) -> None:
        """Remember that it was here, once a minute at most."""
        ...


class EResults(Protocol):
    """E-results, the number register, and the attempts at signing them."""

    def of(self, actor: Actor, e_result_id: UUID) -> EResult:
        """Raises NotFound: there is none, or it is another agency's."""
        ...

    def some(self, actor: Actor, e_result_ids: Iterable[UUID]) -> Mapping[UUID, EResult]:
        """Of several at once; those that `of` wouldn't find are left out."""
        ...

    def lock(self, actor: Actor, e_result_id: UUID) -> EResult:
        """As `of`, held until the block ends."""
        ...

    def for_job(self, e_result_id: UUID) -> EResult:
        """As `lock`, for the service itself at work on somebody's earlier request. Raises NotFound."""
        ...

    def of_dossier(self, dossier_id: UUID) -> Sequence[EResult]:
        """By ordinal."""
        ...

    def of_dossiers(self, dossier_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[EResult]]:
        """Of several dossiers at once, each by ordinal."""
        ...

    def waiting(self, actor: Actor) -> Sequence[EResult]:
        """Results of the actor's agency that are not yet issued, oldest first."""
        ...

    def published(self, actor: Actor, *, after: UUID | None = None, limit: int = 30) -> Sequence[EResult]:
        """Results of the actor's agency that were issued, what happened last first; `after` is the last one shown."""
        ...

    def unweighed(self, limit: int) -> Sequence[EResult]:
        """Published results of our own making of whose document nobody noted how long its evidence lasts."""
        ...

    def ageing(self, before: datetime, limit: int) -> Sequence[EResult]:
        """Published results whose document's evidence ends before this moment, the first to end first."""
        ...

    def keep_evidence(self, e_result_id: UUID, document: ObjectKey, until: datetime) -> None:
        """Note for ever that this was its document, and until when its evidence lasts; said twice, noted once."""
        ...

    def documents(self, e_result_id: UUID) -> Sequence[ObjectKey]:
        """Every document it was given out as so far, the oldest first."""
        ...

    def by_document(self, sha256: str) -> EResult | None:
        """The issued (or later withdrawn, superseded) result whose file has exactly these bytes, of any agency."""
        ...

    def by_lookup_code(self, lookup_code: str) -> EResult | None:
        """The result with this printed code, of any agency, once issued."""
        ...

    def keep(self, e_result: EResult) -> EResult:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        ...

    def take_number(self, agency: str, symbol: str, year: int, e_result_id: UUID) -> int:
        """The next number of this agency, symbol and year, from 1, without gaps but for voided ones."""
        ...

    def void_number(self, agency: str, symbol: str, year: int, number: int, reason: str) -> None:
        """The number was taken and never issued; it is not given out again."""
        ...

    def begin_attempt(self, subject_id: UUID, place: str, revision: int) -> bool:
        """Record that a signature is about to be made; False when one was begun before (look before signing again)."""
        ...

    def finish_attempt(self, subject_id: UUID, place: str, revision: int, document: ObjectKey) -> None:
        """The signature of this attempt was verified and recorded."""
        ...

    def attempt_begun(self, subject_id: UUID, place: str, revision: int) -> bool:
        """Whether this signature may be in the making, or was made."""
        ...


class Annexes(Protocol):
    """Annexes of e-results, each in a file of its own. Who may see the result may see them: ask for that first."""

    def of(self, e_result_id: UUID) -> Sequence[Annex]:
        """By ordinal."""
        ...

    def of_all(self, e_result_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[Annex]]:
        """Of several results at once, each by ordinal; nothing for those without any."""
        ...

    def with_document(self, sha256: str) -> Annex | None:
        """The annex whose signed file has exactly these bytes, of a result that is or was issued by any agency."""
        ...

    def keep(self, annex: Annex) -> Annex:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        ...

    def drop(self, annex_id: UUID) -> None:
        """Take it off a draft; its bytes stay in the store."""
        ...


class Batches(Protocol):
    """What leaders approved together."""

    def of(self, actor: Actor, batch_id: UUID) -> SigningBatch:
        """Raises NotFound: there is none, or it is somebody else's."""
        ...

    def keep(self, batch: SigningBatch) -> None:
        """Insert or change."""
        ...


class SigningLinks(Protocol):
    """Documents given out to be signed with their signer's own token."""

    def by_token(self, token_sha256: str) -> SigningLink:
        """The link with this secret, by its hash. Raises NotFound."""
        ...

    def lock(self, link_id: UUID) -> SigningLink:
        """A link, held against other uploads until the block ends. Raises NotFound."""
        ...

    def newest(self, e_result_id: UUID) -> SigningLink | None:
        """The last link made for this result; None when there was none."""
        ...

    def keep(self, link: SigningLink) -> SigningLink:
        """Insert (version 0) or change; gives it back with its new version. Raises Changed."""
        ...


class Register(Protocol):
    """Signed copies by content, so that a verdict can say "digitised copy", never "result"."""

    def copy_with(self, sha256: str) -> Component | None:
        """The component whose signed copy has exactly these bytes, of any agency."""
        ...


class Audit(Protocol):
    """The hash-chained log."""

    def append(self, actor: Actor, event: str, subject: UUID | str, **detail: object) -> None:
        """Add a line in this transaction. `detail` holds codes and ids, no names of citizens."""
        ...

    def of(self, subject: UUID | str) -> Sequence[AuditEntry]:
        """By sequence."""
        ...

    def of_all(self, subjects: Iterable[UUID | str], *, event: str | None = None) -> Sequence[AuditEntry]:
        """Of several subjects at once, by sequence; only lines of this event, if one is given."""
        ...

    def first_break(self, *, after: int = 0) -> int | None:
        """Sequence of the first line whose hash doesn't fit, None when the chain holds.

        Args:
            after: Begin behind this line, whose hash is taken as it stands.
        """
        ...

    def end(self) -> tuple[int, str]:
        """Where the chain ends as it is kept: sequence and hash of the last line."""
        ...

    def hashes(self, sequences: Iterable[int]) -> Mapping[int, str]:
        """The hash of each of these lines that is there."""
        ...


class Search(Protocol):
    """Full text over pages."""

    def pages(self, actor: Actor, phrase: str, *, within: Within | None = None, limit: int = 50) -> Sequence[SearchHit]:
        """Pages of dossiers the actor may see: matches with accents first, then without (đ and hoà/hòa too)."""
        ...


class Limits(Protocol):
    """How often something may be tried."""

    def hit(self, bucket: str, *, now: datetime, window_s: int, limit: int) -> bool:
        """Count one try in this bucket's present window; False once there are more than `limit`."""
        ...


class Jobs(Protocol):
    """Work for later, deferred in this transaction. Each takes ids only and may run twice.

    What belongs to a `back_file` waits until nothing else does.
    """

    def look_at_pages(self, component_id: UUID, first: int = 1, *, back_file: bool = False) -> None:
        """Make the small pictures of a component's pages and their first flags, from page `first` on."""
        ...

    def read_page(self, page_id: UUID, *, back_file: bool = False) -> None:
        """Clean and read one page."""
        ...

    def is_reading(self) -> bool:
        """Whether a worker that lives is busy with some page at this moment."""
        ...

    def assemble(self, component_id: UUID, revision: int, *, back_file: bool = False) -> None:
        """Make the searchable PDF of a component."""
        ...

    def extract_fields(self, component_id: UUID, *, back_file: bool = False) -> None:
        """Find number, date and the other fields."""
        ...

    def sign_copy(self, component_id: UUID, revision: int, *, made: bool = False, back_file: bool = False) -> None:
        """Sign the digitised copy, or complete it where it is `made`. Runs in the one signing worker."""
        ...

    def sign_e_result(self, e_result_id: UUID, place: str, *, made: bool = False) -> None:
        """Sign an e-result as its leader, or seal it, or complete what is `made`. Runs in the one signing worker."""
        ...

    def make_report(self, report_id: UUID) -> None:
        """Set and seal the report of a check. Runs in the one signing worker, after everything else there."""
        ...

    def issue(self, e_result_id: UUID) -> None:
        """Issue a sealed result."""
        ...

    def drop(self, component_id: UUID) -> int:
        """Forget whatever waits to be done with a component, and say how many of its pages had yet to be read."""
        ...


class VerdictReports(Protocol):
    """Reports of checks that were asked for within the last day."""

    def of(self, report_id: UUID) -> VerdictReport | None:
        """A report, held until the transaction ends; None once it is forgotten."""
        ...

    def by_ticket(self, ticket_sha256: str) -> VerdictReport:
        """The report with this ticket, by its hash. Raises NotFound."""
        ...

    def keep(self, report: VerdictReport) -> None:
        """Insert or change."""
        ...

    def forget(self, *, before: datetime) -> int:
        """Delete those asked for before then; how many."""
        ...


class OwnTemplates(Protocol):
    """Templates that agencies have brought, every version of them."""

    def of(self, template_id: UUID) -> OwnTemplate:
        """The version with this id.

        Raises:
            NotFound: There is none.
        """
        ...

    def of_agency(self, agency: str | None) -> Sequence[OwnTemplate]:
        """All versions, the newest of each first; of every agency when none is named."""
        ...

    def keep(self, template: OwnTemplate) -> None:
        """Insert or change."""
        ...


class Archive(Protocol):
    """Finished dossiers as rows, whole and exact, to be carried out of one installation and into another."""

    def revision(self) -> str:
        """The schema that these rows are of."""
        ...

    def rows(self, dossier_id: UUID) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Everything that is kept of a dossier, by table, and its lines of the log under "audit"."""
        ...

    def put(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Put a dossier's rows where it has never been. Raises Duplicate, NotOurRows."""
        ...

    def mark(self, dossier_id: UUID, *, at: datetime) -> None:
        """Note that a dossier was taken into the archive; the first time counts."""
        ...

    def with_code(self, code: str) -> UUID | None:
        """The finished dossier with this code."""
        ...

    def finished(self, since: datetime, before: datetime) -> Sequence[UUID]:
        """Dossiers that came to their end in this time, by then."""
        ...

    def due(self, actor: Actor | None, *, by: datetime, limit: int = 200) -> Sequence[ToArchive]:
        """Finished dossiers that must be in the archive by then and aren't, first due first; of all without actor."""
        ...


class UnitOfWork(Protocol):
    """One transaction over everything the office keeps."""

    @property
    def agencies(self) -> Agencies: ...
    @property
    def procedures(self) -> Procedures: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def trust(self) -> TrustMaterial: ...
    @property
    def dossiers(self) -> Dossiers: ...
    @property
    def components(self) -> Components: ...
    @property
    def transfers(self) -> Transfers: ...
    @property
    def parcels(self) -> Parcels: ...
    @property
    def desks(self) -> Desks: ...
    @property
    def phone_links(self) -> PhoneLinks: ...
    @property
    def own_templates(self) -> OwnTemplates: ...
    @property
    def e_results(self) -> EResults: ...
    @property
    def annexes(self) -> Annexes: ...
    @property
    def batches(self) -> Batches: ...
    @property
    def signing_links(self) -> SigningLinks: ...
    @property
    def verdict_reports(self) -> VerdictReports: ...
    @property
    def register(self) -> Register: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def amendments(self) -> Amendments: ...
    @property
    def archive(self) -> Archive: ...
    @property
    def objects(self) -> KeptObjects: ...
    @property
    def holds(self) -> Holds: ...
    @property
    def retention(self) -> Retention: ...
    @property
    def search(self) -> Search: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def jobs(self) -> Jobs: ...


class Begin(Protocol):
    """Starts a transaction: `with begin() as work`."""

    def __call__(self) -> AbstractContextManager[UnitOfWork]: ...
