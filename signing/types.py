"""The words of signing, as values: where a signature stands, what a signature is worth, what a file is worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


class Place(StrEnum):
    """What a signature is for; each has its own field name, look and rules (`requirements.md` 2.2)."""

    LEADER = "leader"
    SEAL = "seal"
    COPY = "copy"
    SCANNER = "scanner"
    ANNEX = "annex"
    REPORT = "report"


class StoreName(StrEnum):
    """Which of the three trust stores an anchor belongs to (`requirements.md` 3.1)."""

    NEAC = "neac"
    CIPHER = "cipher"
    CENTRE = "centre"


#: The signature field of each place. Ours alone: a file of another system has other names.
FIELD_NAMES = {
    Place.LEADER: "HoSoSo_NguoiKy",
    Place.SEAL: "HoSoSo_CoQuan",
    Place.COPY: "HoSoSo_SaoY",
    Place.SCANNER: "HoSoSo_NguoiQuet",
    Place.ANNEX: "HoSoSo_PhuLuc",
    Place.REPORT: "HoSoSo_BienBan",
}


class Profile(StrEnum):
    """What a result's signatures forbid to whoever opens it later; what verifies them forbids the same either way.

    CERTIFIED: the leader certifies (DocMDP: signatures and form filling may follow), the seal locks everything.
    APPROVAL: two plain signatures, for readers that misread certification and locks.
    """

    CERTIFIED = "certified"
    APPROVAL = "approval"


@dataclass(frozen=True)
class SignaturePlace:
    """Where a signature shows.

    Attributes:
        place: What it is for.
        page: 1-based page number.
        box: (x1, y1, x2, y2) in points, PDF coordinates: origin at the bottom left.
    """

    place: Place
    page: int
    box: tuple[float, float, float, float]

    @property
    def field_name(self) -> str:
        """Name of its signature field."""
        return FIELD_NAMES[self.place]


class Indication(StrEnum):
    """ETSI EN 319 102-1, clause 5.1.3."""

    PASSED = "TOTAL-PASSED"
    FAILED = "TOTAL-FAILED"
    INDETERMINATE = "INDETERMINATE"


class Verdict(StrEnum):
    """What a person is told about a file. The order of `SEVERITY` decides between several signatures."""

    GENUINE = "genuine"
    ALTERED = "altered"
    REVOKED = "revoked"
    UNCONFIRMED = "unconfirmed"
    UNSIGNED = "unsigned"
    UNREADABLE = "unreadable"


#: Worst first: of several signatures or files, the first that occurs here is the verdict of all.
SEVERITY = (
    Verdict.ALTERED,
    Verdict.REVOKED,
    Verdict.UNREADABLE,
    Verdict.UNCONFIRMED,
    Verdict.UNSIGNED,
    Verdict.GENUINE,
)


class AtSigning(StrEnum):
    """What a certificate was worth at the moment of signing."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class TimeSource(StrEnum):
    """Who says when it was signed; only the first two prove anything."""

    TIMESTAMP = "timestamp"
    DOCUMENT_TIMESTAMP = "document_timestamp"
    CLAIMED = "claimed"
    NONE = "none"


class Kind(StrEnum):
    """What sort of document the signatures say it is, by our own field names."""

    E_RESULT = "e_result"
    ELECTRONIC_COPY = "electronic_copy"
    CHECK_REPORT = "check_report"
    ANNEX = "annex"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


class Integrity(StrEnum):
    """Whether the bytes are as they were when signed."""

    INTACT = "intact"
    ALTERED = "altered"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a verdict is what it is. Stable codes; `signing.words` has a sentence for each, in both languages.

    The order decides which of several is told first.
    """

    # The bytes.
    CONTENT_CHANGED = "content_changed"
    CHANGED_AFTER_SEAL = "changed_after_seal"
    CHANGED_AFTER_SIGNING = "changed_after_signing"
    TRAILING_DATA = "trailing_data"
    PARTLY_COVERED = "partly_covered"
    SIGNATURE_REMOVED = "signature_removed"
    DAMAGED_SIGNATURE = "damaged_signature"
    # Revocation before the signature was made.
    SIGNER_REVOKED = "signer_revoked"
    AUTHORITY_REVOKED = "authority_revoked"
    # No file to judge.
    MISSING_FILE = "missing_file"
    EMPTY_FILE = "empty_file"
    NOT_PDF = "not_pdf"
    ENCRYPTED = "encrypted"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    TOO_COMPLEX = "too_complex"
    # Doubt.
    UNTRUSTED_ISSUER = "untrusted_issuer"
    WEAK_ALGORITHM = "weak_algorithm"
    WRONG_KEY_USAGE = "wrong_key_usage"
    INVALID_CHAIN = "invalid_chain"
    REVOKED_UNPROVEN_TIME = "revoked_unproven_time"
    SIGNED_AFTER_EXPIRY = "signed_after_expiry"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_EXPIRED = "certificate_expired"
    NO_STATUS = "no_status"
    UNTRUSTED_TIMESTAMP = "untrusted_timestamp"
    NO_CERTIFICATE = "no_certificate"
    UNSUPPORTED_SIGNATURE = "unsupported_signature"
    IRREGULAR_STRUCTURE = "irregular_structure"
    NOT_VERIFIABLE = "not_verifiable"
    LEADER_MISSING = "leader_missing"
    SEAL_MISSING = "seal_missing"
    SEAL_OF_THE_LEADER = "seal_of_the_leader"
    SEAL_NOT_ON_RECORD = "seal_not_on_record"
    NOT_THE_AGENCY = "not_the_agency"
    TIMESTAMP_MISSING = "timestamp_missing"
    # Nothing to judge.
    NO_SIGNATURE = "no_signature"


@dataclass(frozen=True)
class SignatureReport:
    """One signature judged.

    Attributes:
        field: Name of the signature field; of our leader's field also where the leader's own tool made another one.
        signer: Common name in the certificate, NFC.
        signer_organization: Organisation or unit in the certificate, or "".
        issuer: Common name of the issuing CA.
        serial: Certificate serial number, lower-case hex.
        certificate_sha256: Lower-case hex of the signer's certificate; "" when there is none.
        valid_from, valid_to: The certificate's period, aware.
        signed_at: Proven time (timestamp) where there is one, else the claimed time, else None.
        claimed_at: What the signer's computer said.
        timestamp: Time of the trusted timestamp, or None; `timestamp_authority` is who said so.
        indication, sub_indication: ETSI EN 319 102-1.
        integrity: Of the bytes this signature covers.
        covers_whole_file: Nothing but evidence follows it.
        algorithm: For instance "sha256/rsassa_pkcs1v15".
        encoding: How it is written into the PDF, for instance "ETSI.CAdES.detached".
        at_signing: What its certificate was worth when it signed, as far as that is known.
        time_source: Who says so.
        trust_store: Which of our trust stores vouches for the signer; None where none does.
        revision: The revision it was added by, from 1; None where it can't be read.
        later: What came after it: codes of `signing.changes.Later`.
        changed_in: Where something was changed after it: by which revision, from 1, if that can be told.
        reasons: Stable codes, the first is the decisive one: "signer_revoked", "untrusted_issuer", "no_status"…
    """

    field: str
    signer: str
    indication: Indication
    verdict: Verdict
    integrity: Integrity
    sub_indication: str | None = None
    signer_organization: str = ""
    issuer: str = ""
    serial: str = ""
    certificate_sha256: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    signed_at: datetime | None = None
    claimed_at: datetime | None = None
    timestamp: datetime | None = None
    timestamp_authority: str | None = None
    covers_whole_file: bool = False
    algorithm: str = ""
    encoding: str = ""
    at_signing: AtSigning = AtSigning.UNKNOWN
    time_source: TimeSource = TimeSource.NONE
    trust_store: StoreName | None = None
    revision: int | None = None
    later: tuple[str, ...] = ()
    changed_in: int | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileVerdict:
    """What a file is worth, before any register is asked.

    Attributes:
        missing: What the profile of its kind asks for and the file lacks: "leader", "seal", "timestamp".
        reasons: Stable codes, decisive first; the words for people are `signing.words`'.
    """

    verdict: Verdict
    kind: Kind
    integrity: Integrity
    signatures: tuple[SignatureReport, ...] = ()
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)


class SigningRefused(Exception):
    """Nothing was signed, for a reason that won't go away by trying again.

    Attributes:
        reason: Stable code: "certificate_revoked", "certificate_suspended", "certificate_expired",
            "certificate_not_yet_valid", "wrong_key_usage", "untrusted_issuer", "weak_key", "status_unknown",
            "wrong_passphrase", "unreadable_key", "encrypted_pdf", "already_signed", "unreadable_pdf", "field_missing",
            "forbidden_by_document"; of a key elsewhere: "held_elsewhere", "token_absent", "token_module",
            "token_key_missing", "token_failed", "pin_needed", "pin_wrong", "pin_locked", "remote_refused",
            "signer_silent", "remote_silent", "document_changed"; of what was signed:
            "wrong_certificate", "signature_unproven".
        lost: A signature was made already and can never count: it has to be made anew.
    """

    def __init__(self, reason: str, message: str, *, lost: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.lost = lost


class PinRefused(SigningRefused):
    """The PIN or one-time code opens nothing: "pin_wrong" or "pin_locked". It was presented once and isn't again.

    Attributes:
        tries_left: Where the token or service tells.
    """

    def __init__(self, reason: str, message: str, *, tries_left: int | None = None) -> None:
        super().__init__(reason, message)
        self.tries_left = tries_left


class TrustServiceUnavailable(Exception):
    """A timestamp authority, OCSP responder or CRL host didn't answer. Nothing was signed; try again later."""
