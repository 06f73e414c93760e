"""What a PDF is worth: every signature judged, then the file as a whole. No register is asked, nothing is fetched.

Integrity comes first (`signing.integrity`), then trust at the time of signing (`signing.proof`), then our own profile:
an e-result has a leader's signature and the agency's seal, both with a proven time, and nothing but evidence after the
seal. Whatever a file does to the libraries below, the answer is a verdict with a reason.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import unicodedata
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING, Any, BinaryIO

import pikepdf
from pyhanko.sign.fields import enumerate_sig_fields

from signing import changes, integrity
from signing.proof import Court, Judgement, Known, common_name
from signing.types import (
    FIELD_NAMES,
    SEVERITY,
    AtSigning,
    FileVerdict,
    Indication,
    Integrity,
    Kind,
    Place,
    Reason,
    SignatureReport,
    TimeSource,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

    from signing.integrity import Content, Found
    from signing.proof import Run
    from signing.trust import TrustStore

MAX_BYTES = 50 * 1024 * 1024
MAX_REVISIONS = 200
MAX_SIGNATURES = 50
#: Saved again and again, a file may name each of them more than once.
_MOST_NAMED = 4 * MAX_SIGNATURES
#: So near to the end of a file its end has to be marked (ISO 32000-1, annex H, note 18).
_END_WITHIN = 1024

_RESULT_FIELDS = {FIELD_NAMES[Place.LEADER], FIELD_NAMES[Place.SEAL]}
_COPY_FIELDS = {FIELD_NAMES[Place.COPY], FIELD_NAMES[Place.SCANNER]}
#: After these nothing may follow but evidence, and the signatures named: they are the last word of our own documents.
_FINAL_FIELDS: dict[str, frozenset[str]] = {
    FIELD_NAMES[Place.SEAL]: frozenset(),
    FIELD_NAMES[Place.COPY]: frozenset(),
    FIELD_NAMES[Place.ANNEX]: frozenset(),
    FIELD_NAMES[Place.REPORT]: frozenset(),
    FIELD_NAMES[Place.SCANNER]: frozenset({FIELD_NAMES[Place.COPY]}),
}
_ORDER = {reason: position for position, reason in enumerate(Reason)}

# Both libraries log the names in certificates together with stack traces; every outcome reaches the caller anyway.
for _library in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)


class _Unreadable(Exception):
    """The file can't be judged at all."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def verify(
    path: Path, *, trust: TrustStore, at: datetime | None = None, max_bytes: int | None = MAX_BYTES
) -> FileVerdict:
    """Judge a PDF. Never raises for anything in the file, and asks nobody anything.

    Args:
        path: The file.
        trust: Whom we trust, with the revocation lists at hand.
        at: Moment of asking, aware; now by default.
        max_bytes: Larger files aren't judged; None for our own copies, which may be larger than what strangers send.
            What is larger than `MAX_BYTES` is mapped, not read: nobody may cut the file short meanwhile.

    Returns:
        The verdict; of several signatures the worst decides.
    """
    moment = at or datetime.now(UTC)
    try:
        file = path.open("rb")
    except OSError:
        return unreadable(Reason.MISSING_FILE, at=moment)
    with file:
        return verify_file(file, known=Known(trust), at=moment, max_bytes=max_bytes)


def verify_file(
    file: BinaryIO,
    *,
    known: Known,
    at: datetime,
    max_bytes: int | None = MAX_BYTES,
    run: Run = asyncio.run,
    mapped: Callable[[int], mmap] | None = None,
) -> FileVerdict:
    """Judge a file that is open already; as `verify`.

    Args:
        known: Whom we trust, read before: for many files one after the other.
        run: What runs coroutines to their end.
        mapped: What maps a large file, by its descriptor.
    """
    detail: dict[str, Any] = {"checked_at": at}
    try:
        with _content(file, max_bytes, mapped or _mapped) as content:
            detail |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            # A reader would look for the end all through the file, byte by byte.
            has_end = content.rfind(b"%%EOF", max(0, len(content) - _END_WITHIN)) >= 0
            verdict = _judge(content, known, at, run) if has_end else _judge_irregular(content)
    except _Unreadable as refused:
        return _file(Verdict.UNREADABLE, Kind.UNKNOWN, Integrity.UNKNOWN, (refused.reason,), detail)
    except (RecursionError, *integrity.OUR_TROUBLE):
        return _file(Verdict.UNREADABLE, Kind.UNKNOWN, Integrity.UNKNOWN, (Reason.TOO_COMPLEX,), detail)
    except Exception:  # noqa: BLE001  hostile bytes raise anything; that too is an answer
        return _file(Verdict.UNREADABLE, Kind.UNKNOWN, Integrity.UNKNOWN, (Reason.DAMAGED,), detail)
    return replace(verdict, detail=detail | verdict.detail)


def unreadable(reason: Reason, *, at: datetime) -> FileVerdict:
    """The verdict on a file that nobody could judge."""
    return _file(Verdict.UNREADABLE, Kind.UNKNOWN, Integrity.UNKNOWN, (reason,), {"checked_at": at})


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of several together: the first of `SEVERITY` that occurs; unsigned when there is none."""
    return min(verdicts, key=SEVERITY.index, default=Verdict.UNSIGNED)


# --- one file -------------------------------------------------------------------------------------------------------


@contextmanager
def _content(file: BinaryIO, max_bytes: int | None, mapped: Callable[[int], mmap]) -> Iterator[Content]:
    """The file's bytes: read where it is small, mapped where it is large."""
    with ExitStack() as closing:
        try:
            size = os.fstat(file.fileno()).st_size
            if max_bytes is not None and size > max_bytes:
                raise _Unreadable(Reason.TOO_LARGE)
            content: Content = closing.enter_context(mapped(file.fileno())) if size > MAX_BYTES else file.read()
        except OSError as error:
            raise _Unreadable(Reason.MISSING_FILE) from error
        if not len(content):
            raise _Unreadable(Reason.EMPTY_FILE)
        if b"%PDF-" not in content[:1024]:
            raise _Unreadable(Reason.NOT_PDF)
        yield content


def _mapped(descriptor: int) -> mmap:
    return mmap(descriptor, 0, access=ACCESS_READ)


class _Mapped(BytesIO):
    """A mapped file as a stream: nothing but what is asked for is copied."""

    def __init__(self, content: mmap) -> None:
        super().__init__()
        self._content, self._at = content, 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = max(0, offset + (0, self._at, len(self._content))[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        end = len(self._content) if size is None or size < 0 else self._at + size
        piece = self._content[self._at : end]
        self._at += len(piece)
        return piece

    def readinto(self, buffer: Any, /) -> int:
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _stream(content: Content) -> BinaryIO:
    """The bytes as a file to read, copied only where they are few."""
    return BytesIO(content) if isinstance(content, bytes) else _Mapped(content)


def _judge(content: Content, known: Known, at: datetime, run: Run) -> FileVerdict:
    try:
        reader = integrity.open_pdf(_stream(content))
        encrypted = bool(reader.encrypted)
        fields = [] if encrypted else integrity.filled_fields(reader)
        revisions = int(reader.total_revisions)
        tail = integrity.has_tail(reader, content)
    except integrity.OUR_TROUBLE:
        raise
    except Exception:  # noqa: BLE001  no strict reader opens it: see what the bytes alone tell
        return _judge_irregular(content)
    if encrypted:
        raise _Unreadable(Reason.ENCRYPTED)
    if revisions > MAX_REVISIONS or len(fields) > MAX_SIGNATURES:
        raise _Unreadable(Reason.TOO_COMPLEX)
    hidden = integrity.has_hidden_signature(content, len(fields))
    found = _in_the_leaders_name(integrity.examine_all(reader, fields, content, known.checked), reader)
    if reader.xrefs.hybrid_xrefs_present:
        found = [_of_two_structures(one, content) for one in found]
    kind = _kind({one.field for one in found if not one.is_timestamp}, hidden=hidden, content=content)
    found = sorted(found, key=lambda one: one.revision)
    if kind in {Kind.E_RESULT, Kind.ELECTRONIC_COPY, Kind.ANNEX, Kind.CHECK_REPORT}:
        found = _with_profile(found, reader)

    court = Court(known, reader, at=at, run=run)
    stamps = [one for one in found if one.is_timestamp]
    doubt = court.take_evidence([one.embedded for one in stamps if one.embedded and one.integrity is Integrity.INTACT])
    reports = tuple(_report(one, court, found, reader) for one in found if not one.is_timestamp)
    whole = _about_the_file(tail=tail, hidden=hidden, stamps=stamps, doubt=doubt)
    detail = {"document_timestamps": [stamp.at for stamp in court.document_stamps], "revisions": revisions}
    if not reports and not whole:
        return _unsigned(kind, content, detail)
    missing = _missing(kind, found, reports)
    gaps = [Reason(f"{what}_missing") for what in missing]
    if kind is Kind.E_RESULT and _one_key_for_both(found):
        gaps.append(Reason.SEAL_OF_THE_LEADER)
    verdicts = [report.verdict for report in reports] + [verdict for verdict, _ in whole]
    if gaps:
        verdicts.append(Verdict.UNCONFIRMED)
    verdict = worst(verdicts)
    given = [(report.verdict, Reason(code)) for report in reports for code in report.reasons]
    given += whole + [(Verdict.UNCONFIRMED, gap) for gap in gaps]
    return FileVerdict(
        verdict,
        kind,
        _integrity(reports, whole),
        reports,
        missing,
        _reasons(given),
        detail,
    )


def _judge_irregular(content: Content) -> FileVerdict:
    """A file whose structure breaks the rules: altered where its bytes say so, otherwise never more than doubt."""
    if integrity.named_signatures(content) > _MOST_NAMED:
        raise _Unreadable(Reason.TOO_COMPLEX)
    seen = integrity.sketch(content)
    kind = _kind(set(), hidden=seen.signatures > 0, content=content)
    if not seen.signatures:
        if content.find(b"/Encrypt") >= 0:
            raise _Unreadable(Reason.ENCRYPTED)
        if not _shows_pages(content):
            raise _Unreadable(Reason.DAMAGED)
        if integrity.has_traces(content):
            return _file(Verdict.ALTERED, kind, Integrity.ALTERED, (Reason.DAMAGED_SIGNATURE,), {})
        return _unsigned(kind, content, {})
    if seen.truncated:
        raise _Unreadable(Reason.TRUNCATED)
    if seen.changed:
        return _file(Verdict.ALTERED, kind, Integrity.ALTERED, (Reason.CONTENT_CHANGED,), {})
    if not _ends(content):
        raise _Unreadable(Reason.TRUNCATED)
    if not seen.covered:
        return _file(Verdict.ALTERED, kind, Integrity.ALTERED, (Reason.CHANGED_AFTER_SIGNING,), {})
    return _file(Verdict.UNCONFIRMED, kind, Integrity.INTACT, (Reason.IRREGULAR_STRUCTURE,), {})


def _unsigned(kind: Kind, content: Content, detail: dict[str, Any]) -> FileVerdict:
    """A file without any signature; broken off, it may have had one, and nobody can say that it hadn't.

    Raises:
        _Unreadable: Its end is missing.
    """
    if not _ends(content):
        raise _Unreadable(Reason.TRUNCATED)
    return _file(Verdict.UNSIGNED, kind, Integrity.UNKNOWN, (Reason.NO_SIGNATURE,), detail)


def _ends(content: Content) -> bool:
    """Whether the file has an end, as far as readers look for it."""
    return b"%%EOF" in content[-_END_WITHIN:]


def _shows_pages(content: Content) -> bool:
    """Whether a forgiving reader finds pages."""
    try:
        with pikepdf.open(_stream(content)) as document:
            return len(document.pages) > 0
    except pikepdf.PdfError:
        return False


def _in_the_leaders_name(found: list[Found], reader: PdfFileReader) -> list[Found]:
    """A person's own tool may sign in a field that it makes itself, and leave ours empty: it counts as the leader's.

    Only where there is one such signature alone, and before the seal, which answers for it (decision 0029).
    """
    fields = {str(name): value is not None for name, value, _ in enumerate_sig_fields(reader)}
    leaders, seals = FIELD_NAMES[Place.LEADER], FIELD_NAMES[Place.SEAL]
    others = [one for one in found if not one.is_timestamp and one.field not in FIELD_NAMES.values()]
    if fields.get(leaders) is not False or seals not in fields or len(others) != 1:
        return found
    own, sealed = others[0], next((one.revision for one in found if one.field == seals), None)
    if sealed is not None and not 0 <= own.revision < sealed:
        return found
    return [replace(one, field=leaders) if one is own else one for one in found]


def _with_profile(found: list[Found], reader: PdfFileReader) -> list[Found]:
    """Apply what our own documents promise.

    After the seal, or the signature of a copy or an annex, nothing but evidence follows, after the scanner's at most
    the copy's; and no signature ever left us damaged.
    """

    def with_profile(one: Found) -> Found:
        if one.reason is Reason.DAMAGED_SIGNATURE:
            return replace(one, integrity=Integrity.ALTERED)
        if one.field in _FINAL_FIELDS and one.reason is Reason.CHANGED_AFTER_SIGNING:
            return replace(one, reason=Reason.CHANGED_AFTER_SEAL)
        if one.field not in _FINAL_FIELDS or one.integrity is not Integrity.INTACT:
            return one
        later = {other.field for other in found if not other.is_timestamp and other.revision > one.revision}
        as_promised = one.filled_later is not None and one.filled_later <= _FINAL_FIELDS[one.field]
        nothing_else = later <= _FINAL_FIELDS[one.field] and (one.only_evidence_follows or (later and as_promised))
        if nothing_else and integrity.evidence_kept(reader, one.revision):
            return one
        return replace(one, integrity=Integrity.ALTERED, reason=Reason.CHANGED_AFTER_SEAL)

    return [with_profile(one) for one in found]


def _of_two_structures(found: Found, content: Content) -> Found:
    """A signature in a file with two tables of contents (Word writes such): two readers may see two documents.

    The bytes can still be compared; what was added later can't be judged.
    """
    if found.embedded is None or found.reason is not Reason.DAMAGED_SIGNATURE:
        return found
    whole = integrity.sketch(content)
    intact = not whole.changed and whole.covered
    return replace(
        found, integrity=Integrity.INTACT if intact else Integrity.UNKNOWN, reason=Reason.IRREGULAR_STRUCTURE
    )


def _kind(fields: set[str], *, hidden: bool, content: Content) -> Kind:
    if hidden:  # a signature was taken out of the form: what the file claims to be stands in its bytes
        fields = fields | {name for name in FIELD_NAMES.values() if content.find(f"({name})".encode()) >= 0}
    if fields & _RESULT_FIELDS:
        return Kind.E_RESULT
    if fields & _COPY_FIELDS:
        return Kind.ELECTRONIC_COPY
    if FIELD_NAMES[Place.REPORT] in fields:
        return Kind.CHECK_REPORT
    if FIELD_NAMES[Place.ANNEX] in fields:
        return Kind.ANNEX
    return Kind.FOREIGN if fields else Kind.UNKNOWN


def _missing(kind: Kind, found: list[Found], reports: tuple[SignatureReport, ...]) -> tuple[str, ...]:
    """What an e-result asks for and this one lacks.

    A signature that is genuine today may still lack a proven time: a timestamp that only aged proves none by itself.
    Where a signature is doubted anyway, a timestamp that is there isn't called missing.
    """
    if kind is not Kind.E_RESULT:
        return ()
    there = {one.field: one for one in found}
    gaps = [place.value for place in (Place.LEADER, Place.SEAL) if FIELD_NAMES[place] not in there]
    last_stamp = max((one.revision for one in found if one.is_timestamp), default=-1)
    for report in reports:
        if report.field in _RESULT_FIELDS and report.timestamp is None:
            one = there[report.field]
            has_none = not one.has_timestamp and one.revision > last_stamp
            if (has_none or report.verdict is Verdict.GENUINE) and "timestamp" not in gaps:
                gaps.append("timestamp")
    return tuple(gaps)


def _one_key_for_both(found: list[Found]) -> bool:
    """Whether leader and seal signed with one and the same key: then one person alone made the result."""
    keys = {
        one.field: one.embedded.signer_cert.public_key.dump()
        for one in found
        if one.embedded and one.field in _RESULT_FIELDS and one.integrity is not Integrity.UNKNOWN
    }
    return len(keys) > len(set(keys.values()))


def _about_the_file(
    *, tail: bool, hidden: bool, stamps: list[Found], doubt: Reason | None
) -> list[tuple[Verdict, Reason]]:
    """What is wrong with the file rather than with one of its signatures."""
    found = []
    if tail:
        found.append((Verdict.ALTERED, Reason.TRAILING_DATA))
    if hidden:
        found.append((Verdict.ALTERED, Reason.SIGNATURE_REMOVED))
    for stamp in stamps:
        if stamp.integrity is Integrity.ALTERED:
            found.append((Verdict.ALTERED, stamp.reason or Reason.CONTENT_CHANGED))
        elif stamp.integrity is Integrity.UNKNOWN:
            found.append((Verdict.UNCONFIRMED, Reason.UNTRUSTED_TIMESTAMP))
    if doubt:
        found.append((Verdict.UNCONFIRMED, doubt))
    return found


def _integrity(reports: tuple[SignatureReport, ...], whole: list[tuple[Verdict, Reason]]) -> Integrity:
    all_of_them = {report.integrity for report in reports}
    if Integrity.ALTERED in all_of_them or any(verdict is Verdict.ALTERED for verdict, _ in whole):
        return Integrity.ALTERED
    return Integrity.INTACT if all_of_them == {Integrity.INTACT} else Integrity.UNKNOWN


def _reasons(given: list[tuple[Verdict, Reason]]) -> tuple[str, ...]:
    """Each once, the decisive first: by the gravity of its verdict, then in the order of `Reason`."""
    ordered = sorted(given, key=lambda one: (SEVERITY.index(one[0]), _ORDER[one[1]]))
    return tuple(dict.fromkeys(reason.value for _, reason in ordered))


def _file(
    verdict: Verdict, kind: Kind, intact: Integrity, reasons: tuple[Reason, ...], detail: dict[str, Any]
) -> FileVerdict:
    return FileVerdict(verdict, kind, intact, reasons=tuple(reason.value for reason in reasons), detail=detail)


# --- one signature --------------------------------------------------------------------------------------------------


def _report(found: Found, court: Court, all_of_them: list[Found], reader: PdfFileReader) -> SignatureReport:
    try:
        judgement = _judgement(found, court)
    except integrity.OUR_TROUBLE:
        raise
    except Exception:  # noqa: BLE001  per signature too: one damaged signature must not hide the others
        judgement = Judgement(Indication.INDETERMINATE, Verdict.UNCONFIRMED, "GENERIC", (Reason.NOT_VERIFIABLE,))
    if found.integrity is Integrity.ALTERED and found.reason:
        judgement = replace(
            judgement,
            indication=Indication.FAILED,
            verdict=Verdict.ALTERED,
            sub_indication=_FAILURES.get(found.reason, "FORMAT_FAILURE"),
            reasons=tuple(dict.fromkeys((found.reason, *judgement.reasons))),
        )
    elif found.integrity is Integrity.INTACT and found.reason:
        judgement = replace(
            judgement,
            indication=Indication.INDETERMINATE,
            verdict=worst([judgement.verdict, Verdict.UNCONFIRMED]),
            sub_indication=judgement.sub_indication or _DOUBTS.get(found.reason, "GENERIC"),
            reasons=tuple(dict.fromkeys((*judgement.reasons, found.reason))),
        )
    stamp = judgement.stamp
    timestamp = stamp.at if stamp else judgement.proven_at
    about = _about_the_certificate(found.embedded)
    claimed = about.pop("claimed_at")
    return SignatureReport(
        field=found.field,
        indication=judgement.indication,
        verdict=judgement.verdict,
        integrity=found.integrity,
        sub_indication=judgement.sub_indication,
        signed_at=timestamp or claimed,
        claimed_at=claimed,
        timestamp=timestamp,
        timestamp_authority=_nfc(stamp.authority) if stamp else _giver(court, timestamp),
        covers_whole_file=found.only_evidence_follows,
        at_signing=_at_signing(judgement),
        time_source=_time_source(judgement, claimed),
        trust_store=judgement.store,
        revision=found.revision + 1 if found.embedded else None,
        **_later(found, all_of_them, reader),
        reasons=tuple(reason.value for reason in judgement.reasons),
        **about,
    )


#: What the ETSI calls what `signing.integrity` found: changed bytes, mathematics that fail, a structure that lies.
_FAILURES = {
    Reason.CONTENT_CHANGED: "HASH_FAILURE",
    Reason.DAMAGED_SIGNATURE: "SIG_CRYPTO_FAILURE",
    Reason.SIGNATURE_REMOVED: "SIGNED_DATA_NOT_FOUND",
}
_DOUBTS = {Reason.WEAK_ALGORITHM: "CRYPTO_CONSTRAINTS_FAILURE"}
_AT_SIGNING = {
    Reason.SIGNER_REVOKED: AtSigning.REVOKED,
    Reason.AUTHORITY_REVOKED: AtSigning.REVOKED,
    Reason.SIGNED_AFTER_EXPIRY: AtSigning.EXPIRED,
    Reason.CERTIFICATE_NOT_YET_VALID: AtSigning.NOT_YET_VALID,
}


def _at_signing(judgement: Judgement) -> AtSigning:
    if judgement.indication is Indication.PASSED:
        return AtSigning.VALID
    return next((_AT_SIGNING[reason] for reason in judgement.reasons if reason in _AT_SIGNING), AtSigning.UNKNOWN)


def _time_source(judgement: Judgement, claimed: datetime | None) -> TimeSource:
    if judgement.stamp:
        return TimeSource.TIMESTAMP
    if judgement.proven_at:
        return TimeSource.DOCUMENT_TIMESTAMP
    return TimeSource.CLAIMED if claimed else TimeSource.NONE


def _later(found: Found, all_of_them: list[Found], reader: PdfFileReader) -> dict[str, Any]:
    """What came after a signature, in the report's fields."""
    if found.embedded is None:
        return {}
    after = [one for one in all_of_them if one.revision > found.revision]
    later = [changes.Later.SIGNATURE] if any(not one.is_timestamp for one in after) else []
    later += [changes.Later.TIMESTAMP] if any(one.is_timestamp for one in after) else []
    if found.revision + 1 < reader.total_revisions and not later and found.integrity is Integrity.INTACT:
        later = [changes.Later.EVIDENCE]
    if found.reason not in _SOMETHING_FOLLOWED:
        return {"later": tuple(later)}
    what, changed_in = changes.after(reader, found.revision)
    return {"later": (*later, *what), "changed_in": changed_in}


_SOMETHING_FOLLOWED = {Reason.CHANGED_AFTER_SEAL, Reason.CHANGED_AFTER_SIGNING}


def _judgement(found: Found, court: Court) -> Judgement:
    if found.embedded is None or found.integrity is Integrity.UNKNOWN:
        reasons = () if found.integrity is Integrity.ALTERED else (found.reason or Reason.DAMAGED_SIGNATURE,)
        return Judgement(Indication.INDETERMINATE, Verdict.UNCONFIRMED, "FORMAT_FAILURE", reasons)
    return court.judge(found.embedded)


def _giver(court: Court, timestamp: datetime | None) -> str | None:
    """Who gave the document timestamp of that time."""
    return next((_nfc(stamp.authority) for stamp in court.document_stamps if stamp.at == timestamp), None)


def _about_the_certificate(embedded: EmbeddedPdfSignature | None) -> dict[str, Any]:
    """What the report says of the signer; empty where the signature can't be read."""
    empty: dict[str, Any] = {"signer": "", "claimed_at": None}
    if embedded is None:
        return empty
    try:
        cert = embedded.signer_cert
        subject = cert.subject.native
        claimed = embedded.self_reported_timestamp
        mechanism = embedded.signer_info["signature_algorithm"].signature_algo
        return {
            "signer": _nfc(common_name(cert.subject)),
            "signer_organization": _nfc(
                _last(subject.get("organization_name") or subject.get("organizational_unit_name"))
            ),
            "issuer": _nfc(common_name(cert.issuer)),
            "serial": f"{cert.serial_number:x}",
            "certificate_sha256": cert.sha256.hex(),
            "valid_from": cert.not_valid_before,
            "valid_to": cert.not_valid_after,
            "claimed_at": claimed if claimed is None or claimed.tzinfo else claimed.replace(tzinfo=UTC),
            "algorithm": f"{embedded.md_algorithm}/{mechanism}",
            "encoding": str(embedded.sig_object.get("/SubFilter", "")).removeprefix("/"),
        }
    except Exception:  # noqa: BLE001  the report says less, the verdict stands
        return empty


def _last(value: Any) -> str:
    return str((value[-1] if isinstance(value, list) else value) or "")


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
