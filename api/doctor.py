"""Looks at an instance as a good technician would, and says in words what is wrong and what to do about it.

Every check stands alone: with the servers down, the others still tell what they can.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from PIL import Image, ImageDraw, ImageFont

import signing
from api import doctor_archive, doctor_trust
from api.finding import Finding, State
from api.store_words import STORE_WORDS
from digitize.recognition import second_reader, tesseract
from storage.database import Database
from storage.migrations import current, head
from storage.objects import MinioObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from api.settings import Settings
    from storage.capabilities import Capabilities

_ENOUGH_DISK_BYTES = 5_000_000_000
_CLOCK_TOLERANCE_S = 5.0
_WAITING_TOO_LONG = timedelta(minutes=10)
_EXPIRES_SOON = timedelta(days=30)
#: A worker that gave no sign of life for so long isn't there.
_SILENT_S = 30
_FONT = Path(signing.__file__).parent / "fonts" / "LiberationSerif-Regular.ttf"
_LINE = "Cộng hòa xã hội chủ nghĩa Việt Nam"
_LETTERS = "ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"


def examine(settings: Settings) -> Iterator[Finding]:
    """Check everything, one after the other; findings come as they are made."""
    for subject, check in _CHECKS.items():
        try:
            yield from check(settings)
        except Exception as trouble:  # noqa: BLE001  a check that breaks is a finding, and the others go on
            yield Finding(
                subject,
                State.BAD,
                f"Không kiểm tra được ({type(trouble).__name__}).",
                f"The check itself failed: {_words(trouble)}",
                "Xem nhật ký trong thư mục dữ liệu, thư mục logs. (See the logs.)",
            )


def _ocr(_settings: Settings) -> Iterator[Finding]:
    subject = "OCR"
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False)
    missing = {"vie", "osd"} - set(listed.stdout.split())
    if missing:
        packages = " ".join(f"tesseract-ocr-{language}" for language in sorted(missing))
        yield Finding(
            subject,
            State.BAD,
            f"Tesseract thiếu ngôn ngữ: {', '.join(sorted(missing))}.",
            "Tesseract lacks a language.",
            f"apt-get install {packages}",
        )
        return
    picture = Image.new("L", (1400, 120), 255)
    ImageDraw.Draw(picture).text((20, 30), _LINE, font=ImageFont.truetype(_FONT, 60), fill=0)
    import numpy as np

    read = tesseract.recognise(np.asarray(picture), dpi=300, language="vie").decode()
    if all(word in read for word in _LINE.split()):
        yield Finding(subject, State.GOOD, "Đọc đúng một dòng tiếng Việt.", "A line of Vietnamese is read right.")
    else:
        yield Finding(
            subject,
            State.BAD,
            "Tesseract đọc sai một dòng tiếng Việt rõ nét.",
            "A clear line of Vietnamese is read wrong.",
            "Cài lại tesseract-ocr-vie. (Reinstall it.)",
        )


def _second_reader(_settings: Settings) -> Iterator[Finding]:
    subject = "OCR thứ hai · second reader"
    if second_reader.loads():
        yield Finding(subject, State.GOOD, "Bộ đọc thứ hai sẵn sàng.", "The second reader is ready.")
    else:
        yield Finding(
            subject,
            State.BAD,
            "Không nạp được bộ đọc thứ hai: trang mờ chỉ được đọc một lần.",
            "The second reader doesn't load: doubtful pages are read only once.",
            "Cài lại chương trình cùng gói trueocr. (Install the program again, with trueocr.)",
        )


def _fonts(_settings: Settings) -> Iterator[Finding]:
    subject = "Phông chữ · fonts"
    font = ImageFont.truetype(_FONT, 40)
    nothing = bytes(font.getmask("\uffff"))
    lacking = [letter for letter in _LETTERS if bytes(font.getmask(letter)) == nothing]
    if lacking:
        yield Finding(
            subject,
            State.BAD,
            f"Phông kèm theo thiếu chữ: {''.join(lacking)}.",
            "The bundled font lacks letters.",
            "Cài lại chương trình. (Install the program again.)",
        )
    else:
        yield Finding(subject, State.GOOD, "Có đủ chữ tiếng Việt.", "Every Vietnamese letter is there.")


def _disk(settings: Settings) -> Iterator[Finding]:
    subject = "Đĩa · disk"
    folder = next(parent for parent in (settings.data, *settings.data.parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    amount = f"{free / 1e9:.0f} GB"
    if free < _ENOUGH_DISK_BYTES:
        yield Finding(
            subject,
            State.BAD,
            f"Chỉ còn {amount} trống ở {folder}.",
            f"Only {amount} are free.",
            "Giải phóng hoặc thêm đĩa trước khi nhận thêm bản quét. (Free some space before taking in more.)",
        )
    elif not os.access(folder, os.W_OK):
        yield Finding(
            subject,
            State.BAD,
            f"Không ghi được vào {folder}.",
            "The data folder can't be written to.",
            "Chạy bằng đúng người dùng, hoặc sửa quyền thư mục. (Run as the right user.)",
        )
    else:
        yield Finding(subject, State.GOOD, f"Còn {amount} trống ở {folder}.", f"{amount} are free.")


def _database(settings: Settings) -> Iterator[Finding]:
    subject = "Cơ sở dữ liệu · database"
    if not settings.database:
        yield _not_running(subject)
        return
    try:
        at = current(settings.database)
    except Exception:  # noqa: BLE001  whatever the driver makes of it, it can't be reached
        yield Finding(
            subject,
            State.BAD,
            "Không nối được tới cơ sở dữ liệu.",
            "The database can't be reached.",
            "Kiểm tra HOSO_DATABASE và máy chủ PostgreSQL. (Check the address and the server.)",
        )
        return
    if at != head():
        yield Finding(
            subject,
            State.BAD,
            f"Cấu trúc dữ liệu ở bản {at or 'trống'}, chương trình cần bản {head()}.",
            f"The schema is at {at or 'nothing'}, the program needs {head()}.",
            "Chạy `hoso up` hoặc `hoso init` của đúng phiên bản. (`hoso up` brings it up to date.)",
        )
    else:
        yield Finding(subject, State.GOOD, f"Nối được, bản {at}.", f"Reached, at revision {at}.")


def _clock(settings: Settings) -> Iterator[Finding]:
    subject = "Đồng hồ · clock"
    if not settings.database:
        return
    with psycopg.connect(settings.database, connect_timeout=5) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
    apart = abs((row[0] - datetime.now(UTC)).total_seconds()) if row else 0.0
    if apart > _CLOCK_TOLERANCE_S:
        yield Finding(
            subject,
            State.BAD,
            f"Đồng hồ máy này lệch {apart:.0f} giây so với máy chủ cơ sở dữ liệu.",
            f"This machine's clock is {apart:.0f} s off the database's.",
            "Bật đồng bộ giờ (NTP) trên cả hai máy. (Turn on NTP on both.)",
        )
    else:
        yield Finding(subject, State.GOOD, "Khớp với cơ sở dữ liệu.", "Agrees with the database.")


def _store(settings: Settings) -> Iterator[Finding]:
    subject = "Kho tệp · storage"
    if not settings.s3_endpoint:
        yield _not_running(subject)
        return
    store = MinioObjectStore(
        settings.s3_endpoint,
        settings.s3_access_key,
        settings.s3_secret_key.get_secret_value(),
        settings.s3_bucket,
        secure=settings.s3_secure,
        region=settings.s3_region,
    )
    try:
        able = store.prepare()
        store.probe()
    finally:
        store.close()
    yield Finding(subject, State.GOOD, "Ghi và đọc lại được.", "An object can be written and read back.")
    if able.enforced and able.firm:
        yield Finding("Khóa tệp · object lock", State.GOOD, "Kho từ chối xóa.", "The store refuses to delete.")
    else:
        yield Finding(
            "Khóa tệp · object lock",
            State.BAD if settings.needs_lock else State.DOUBTFUL,
            f"Kho không giữ được tệp khỏi bị xóa ({'lock_shortened' if able.enforced else able.reason}).",
            "The store's object lock failed its self-test.",
            "Dùng kho S3 có object lock và bật nó khi tạo ngăn chứa. (Use a store with object lock.)",
        )
    yield _abilities(able)


def _abilities(able: Capabilities) -> Finding:
    """Everything that was tried on the store, as it came out."""
    told = [(does, STORE_WORDS[name]) for name, does in asdict(able).items() if name in STORE_WORDS]
    lacking = not all(does for does, _ in told)
    return Finding(
        "Khả năng của kho · what the store does",
        State.DOUBTFUL if lacking else State.GOOD,
        f"{able.server}: " + "; ".join(f"{vi}: {'có' if does else 'KHÔNG'}" for does, (vi, _) in told) + ".",
        "; ".join(f"{en}: {'yes' if does else 'NO'}" for does, (_, en) in told) + ".",
        "Việc thiếu được làm cách khác hoặc bỏ qua; xem docs/operations.md, mục Kho tệp. (What is lacking is done "
        "without: docs/operations.md, The object store.)"
        if lacking
        else "",
    )


def _queue(settings: Settings) -> Iterator[Finding]:
    subject = "Hàng đợi · queue"
    if not settings.database:
        return
    with psycopg.connect(settings.database, connect_timeout=5) as connection:
        waiting = connection.execute(
            "select count(*), now() - min(event.at) from procrastinate_jobs job "
            "join procrastinate_events event on event.job_id = job.id and event.type = 'deferred' "
            "where job.status = 'todo' and (job.scheduled_at is null or job.scheduled_at <= now())"
        ).fetchone()
        workers = connection.execute(
            "select count(*) from procrastinate_workers where last_heartbeat > now() - make_interval(secs => %s)",
            (_SILENT_S,),
        ).fetchone()
    jobs, oldest = (waiting[0], waiting[1] or timedelta()) if waiting else (0, timedelta())
    alive = workers[0] if workers else 0
    said = (f"{alive} tiến trình đang chạy, {jobs} việc đang chờ.", f"{alive} workers, {jobs} jobs waiting.")
    if alive == 0:
        yield Finding(subject, State.BAD, *said, "Chạy `hoso up`, hoặc `hoso worker` và `hoso worker --signing`.")
    elif oldest > _WAITING_TOO_LONG:
        yield Finding(subject, State.DOUBTFUL, *said, "Việc cũ nhất chờ quá lâu; thêm tiến trình. (Add workers.)")
    else:
        yield Finding(subject, State.GOOD, *said)


def _keys(settings: Settings) -> Iterator[Finding]:
    subject = "Khóa ký · keys"
    if not settings.database:
        return
    with closing(Database(settings.database)) as database, database.begin() as work:
        records = [record for record in work.certificates.all() if record.active]
        trusted = [*(anchor.der for anchor in work.trust.anchors()), *work.trust.intermediates()]
    yield from _demo_trust(settings, trusted)
    if not records:
        yield Finding(
            subject, State.DOUBTFUL, "Chưa có khóa nào.", "There are no keys yet.", "hoso admin certificate add"
        )
    now = datetime.now(UTC)
    troubles = 0
    for record in records:
        file = settings.keys_folder / record.key_file
        if not file.exists():
            said = (f"Thiếu tệp khóa {record.key_file}.", "A key file is missing.", "Nhập lại. (Import it again.)")
        elif stat.S_IMODE(file.stat().st_mode) & 0o077:
            said = (f"Người khác đọc được {file}.", "Others may read a key.", f"chmod 600 {file}")
        elif record.valid_to < now + _EXPIRES_SOON:
            day = f"{record.valid_to:%d/%m/%Y}"
            said = (f"Chứng thư {record.serial} hết hạn {day}.", f"It expires on {day}.", "Xin cấp mới. (Renew it.)")
        else:
            continue
        troubles += 1
        yield Finding(subject, State.BAD, *said)
    if records and not troubles:
        yield Finding(subject, State.GOOD, f"{len(records)} khóa còn hạn.", f"{len(records)} keys, all in force.")


def _demo_trust(settings: Settings, trusted: list[bytes]) -> Iterator[Finding]:
    if settings.is_demo:
        yield Finding(
            "Bản demo",
            State.DOUBTFUL,
            "Đây là bản demo: chữ ký không có giá trị pháp lý.",
            "This is a demo: its signatures have no legal value.",
            "Vận hành thật: hoso init. (For the real thing.)",
        )
        return
    from api.demo.mark import is_demo_certificate

    if any(is_demo_certificate(der) for der in trusted):
        yield Finding(
            "Chứng thư gốc · trust anchors",
            State.BAD,
            "Hệ thống thật đang tin chứng thư demo.",
            "A production instance trusts a demo certificate.",
            "Dùng cơ sở dữ liệu mới: dữ liệu demo không bao giờ thành dữ liệu thật. (Start with a fresh database.)",
        )


def _signature(_settings: Settings) -> Iterator[Finding]:
    from api.rehearsal import rehearse

    subject = "Ký thử · test signature"
    trouble = rehearse()
    if trouble:
        yield Finding(
            subject,
            State.BAD,
            f"Ký hoặc kiểm tra thử không đạt: {trouble}.",
            "Signing or verifying a test page failed.",
            "Cài lại chương trình; đừng ký văn bản thật. (Install it again; don't sign anything real.)",
        )
    else:
        yield Finding(
            subject, State.GOOD, "Ký, kiểm tra và phát hiện sửa đổi đều đúng.", "Signed, verified, a change found."
        )


def _not_running(subject: str) -> Finding:
    return Finding(subject, State.BAD, "Chưa chạy.", "It isn't running.", "Chạy `hoso up`. (Start it.)")


def _words(trouble: Exception) -> str:
    """The first line of an error, which for our own errors is meant for people."""
    return str(trouble).partition("\n")[0][:200] or type(trouble).__name__


_CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "OCR": _ocr,
    "OCR thứ hai · second reader": _second_reader,
    "Phông chữ · fonts": _fonts,
    "Đĩa · disk": _disk,
    "Cơ sở dữ liệu · database": _database,
    "Đồng hồ · clock": _clock,
    "Kho tệp · storage": _store,
    "Hàng đợi · queue": _queue,
    "Máy ký · signing worker": doctor_trust.signing_worker,
    "Dấu thời gian · TSA": doctor_trust.timestamps,
    "Máy ký, dấu thời gian · passed over": doctor_trust.passed_over,
    "Gốc tin cậy · anchors": doctor_trust.anchors,
    "CRL, OCSP": doctor_trust.evidence,
    "Khóa ký · keys": _keys,
    "Chứng thư ký · certificates": doctor_trust.certificates,
    "Nhật ký · audit log": doctor_archive.audit_log,
    "Tệp lưu · fixity": doctor_archive.objects,
    "Tệp không thuộc dòng nào · orphans": doctor_archive.orphans,
    "Nộp lưu · archive": doctor_archive.to_archive,
    "Giữ nguyên · legal hold": doctor_archive.held,
    "Thời hạn lưu · retention": doctor_archive.kept,
    "Ký thử · test signature": _signature,
}
