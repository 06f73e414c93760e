"""The doctor's look at what is kept: the audit log and its stamps, and what the archive waits for."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from api import figures, log_words
from api.finding import Finding, State
from dossiers import archive, holds, log_stamps, retention
from dossiers.calendar import VIETNAM
from dossiers.fixity import FoundAs
from dossiers.labels import label
from storage.database import Database
from storage.objects import MinioObjectStore
from storage.vault import S3Vault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.settings import Settings

#: A day's stamp may wait for the authority; longer, and somebody should look.
_STAMP_OVERDUE = timedelta(days=2)
#: The store is asked within seconds; a large dossier takes minutes.
_HOLD_OVERDUE = timedelta(hours=1)
#: A dossier is gone through within minutes of its end.
_LOCK_OVERDUE = timedelta(hours=6)
_COUNTED = 1_000
_SHOWN = 20
_DAMAGED = ("sai nội dung hoặc kho không đọc được", "damaged or can't be read")


def audit_log(settings: Settings) -> Iterator[Finding]:
    """Whether the log holds since its last stamp, every stamp fits, and one was made of late."""
    subject = "Nhật ký · audit log"
    if not settings.database or not settings.s3_endpoint:
        return
    store = MinioObjectStore(
        settings.s3_endpoint,
        settings.s3_access_key,
        settings.s3_secret_key.get_secret_value(),
        settings.s3_bucket,
        secure=settings.s3_secure,
        region=settings.s3_region,
    )
    now = datetime.now(UTC)
    with closing(store), closing(Database(settings.database)) as database:
        found = log_stamps.verify(database.begin, S3Vault(store), now=now, recent=True)
    for wrong in found.wrong:
        yield Finding(subject, State.BAD, *log_words.told(wrong), log_words.NEXT_STEP_VI)
    if found.wrong:
        return
    said = log_words.holds(found)
    if found.proven is None and found.lines:
        yield Finding(subject, State.DOUBTFUL, *said, "hoso audit stamp")
    elif found.proven is not None and found.lines > found.proven[0] + 1 and now - found.proven[1] > _STAMP_OVERDUE:
        yield Finding(
            subject,
            State.DOUBTFUL,
            *said,
            "Dấu thời gian mới nhất đã cũ: kiểm tra dịch vụ dấu thời gian và tiến trình ký, hoặc chạy "
            "`hoso audit stamp`. (The newest stamp is old.)",
        )
    else:
        yield Finding(subject, State.GOOD, *said)


def to_archive(settings: Settings) -> Iterator[Finding]:
    """Whether a finished dossier is near the limit by which the archive must have it, or beyond."""
    subject = "Nộp lưu · archive"
    if not settings.database:
        return
    now = datetime.now(UTC)
    with closing(Database(settings.database)) as database, database.begin() as work:
        waiting = work.archive.due(None, by=now + archive.WARN_AHEAD, limit=_COUNTED)
    if not waiting:
        yield Finding(subject, State.GOOD, "Không có hồ sơ sắp hết hạn.", "No dossier is near its limit.")
        return
    late = sum(one.due <= now for one in waiting)
    some = "ít nhất " if len(waiting) == _COUNTED else ""
    yield Finding(
        subject,
        State.BAD if late else State.DOUBTFUL,
        f"{some}{len(waiting)} hồ sơ phải nộp lưu trong 30 ngày tới, trong đó {late} đã quá hạn.",
        f"{len(waiting)} dossiers are due for the archive within 30 days, {late} of them overdue.",
        "hoso archive due; hoso archive export …",
    )


def kept(settings: Settings) -> Iterator[Finding]:
    """Whose period of keeping ends, which wait for a longer lock, and for how many procedures nobody has decided."""
    subject = "Thời hạn lưu · retention"
    if not settings.database:
        return
    now = datetime.now(UTC)
    with closing(Database(settings.database)) as database, database.begin() as work:
        ending = work.retention.ending(None, by=now + retention.WARN_AHEAD, limit=_COUNTED)
        unlocked = work.retention.unlocked(ended_before=now - _LOCK_OVERDUE)
        undecided = len(work.procedures.all()) - len(work.retention.in_force())
    default = f"{settings.retention_years} năm" if settings.retention_years else "vĩnh viễn"
    vi = f"{len(ending)} hồ sơ hết thời hạn trong 30 ngày tới; {unlocked} chưa khóa đến hết thời hạn; "
    vi += f"{undecided} thủ tục theo mặc định ({default})."
    en = f"{len(ending)} dossiers end within 30 days; {unlocked} aren't locked for their period; "
    en += f"{undecided} procedures go by the default."
    remedy = "Hết thời hạn: văn thư lập danh mục trình Hội đồng xét hủy. Chưa khóa: xem kho tệp và tiến trình ký."
    state = State.DOUBTFUL if ending or unlocked else State.GOOD
    yield Finding(subject, state, vi, en, remedy if state is State.DOUBTFUL else "")


def held(settings: Settings) -> Iterator[Finding]:
    """Whether the store holds all of every dossier under legal hold, or which have only the database's word."""
    subject = "Giữ nguyên · legal hold"
    if not settings.database:
        return
    now = datetime.now(UTC)
    with closing(Database(settings.database)) as database, database.begin() as work:
        found = holds.live(work, None, now=now, limit=_COUNTED)
    late = [one for one in found if not one.coverage.is_whole and now - one.hold.placed_at > _HOLD_OVERDUE]
    for one in late[:_SHOWN]:
        so_far = f"{one.coverage.held}/{one.coverage.objects}"
        yield Finding(
            subject,
            State.BAD,
            f"Hồ sơ {one.code}: kho mới giữ được {so_far} tệp. "
            + " ".join(label(code) for code in one.coverage.troubles),
            f"Dossier {one.code}: the store holds {so_far} files. "
            + " ".join(label(code, "en") for code in one.coverage.troubles),
            "Người phụ trách: quản trị viên. Xem kho tệp và tiến trình ký. (See to the store and the signing worker.)",
        )
    if not late:
        yield Finding(subject, State.GOOD, f"{len(found)} lệnh giữ, kho giữ đủ.", f"{len(found)} holds, all kept.")


def objects(settings: Settings) -> Iterator[Finding]:
    """Whether every object was read within the period, and what is in quarantine."""
    subject = "Tệp lưu · fixity"
    if not settings.database:
        return
    now = datetime.now(UTC)
    with closing(Database(settings.database)) as database, database.begin() as work:
        counts = work.objects.counts()
        wrong = [(one, work.objects.names_of(one.key.sha256)) for one in work.objects.quarantined(limit=_SHOWN)]
    for one, rows in wrong:
        vi, en = ("không có trong kho", "missing") if one.found is FoundAs.MISSING else _DAMAGED
        since = f"{one.found_at.astimezone(VIETNAM):%d/%m/%Y}" if one.found_at else "?"
        yield Finding(
            subject,
            State.BAD,
            f"Tệp {one.key.sha256[:16]} {vi} (phát hiện {since}), thuộc {', '.join(rows) or 'không dòng nào'}.",
            f"An object is {en}; nothing of it was deleted.",
            "Người phụ trách: quản trị viên. Lấy lại tệp từ bản sao lưu vào ngăn chứa (tên tệp là giá trị băm), "
            "hoặc đặt HOSO_REPLICA_ENDPOINT; rồi chạy `hoso objects check`. (Put it back from a backup.)",
        )
    said = f"{counts.objects} tệp, {counts.unread} chưa đọc lại lần nào, {counts.copied} đã có bản sao thứ hai"
    en = f"{counts.objects} objects, {counts.unread} never read again, {counts.copied} with a second copy"
    oldest = counts.longest_unread
    if oldest is not None and now - oldest > timedelta(days=settings.fixity_days) + _STAMP_OVERDUE:
        yield Finding(
            subject,
            State.DOUBTFUL,
            f"{said}; có tệp chưa đọc lại từ {oldest.astimezone(VIETNAM):%d/%m/%Y}.",
            f"{en}; some weren't read in time.",
            "Kiểm tra tiến trình ký có chạy không. (See that the signing worker runs.)",
        )
    elif not counts.quarantined:
        yield Finding(subject, State.GOOD, f"{said}; không tệp nào sai.", f"{en}; none is wrong.")


def orphans(settings: Settings) -> Iterator[Finding]:
    """How many objects no row names, as the signing worker last counted them; nothing before it has."""
    if not settings.database:
        return
    with closing(Database(settings.database)) as database:
        found = figures.last_said(database, figures.WITHOUT_ROW)
    subject = "Tệp không thuộc dòng nào · orphans"
    if found:
        yield Finding(
            subject,
            State.DOUBTFUL,
            f"{found:.0f} tệp quá một ngày trong kho không thuộc dòng nào của cơ sở dữ liệu; không tệp nào bị xóa.",
            f"{found:.0f} objects older than a day belong to no row of the database; none is deleted.",
            "Thường do việc bị ngắt giữa chừng: không phải làm gì; tăng mỗi ngày thì xem nhật ký. Vừa phục hồi cơ sở "
            "dữ liệu từ bản cũ: giấy tờ nhận sau bản ấy nằm trong số này, giữ nguyên kho và tìm bản sao lưu mới hơn. "
            "`hoso objects orphans` kể tên. (Mostly left by work broken off, and harmless. After a restore of an older "
            "database what was received since is among them: look for a newer backup.)",
        )
    elif found is not None:
        yield Finding(subject, State.GOOD, "Không có.", "There are none.")
