"""What is said of the audit log, for the command line and for the doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dossiers.calendar import VIETNAM

if TYPE_CHECKING:
    from dossiers.log_stamps import LogVerdict, Wrong

NEXT_STEP_VI = (
    "Giữ nguyên máy chủ cơ sở dữ liệu, báo người phụ trách an toàn thông tin, rồi so với bản sao lưu gần nhất; "
    "hồ sơ và các tệp đã ký không bị lệnh này thay đổi."
)
NEXT_STEP_EN = (
    "Leave the database as it is, tell whoever answers for security, compare with the last backup; "
    "this command changes nothing."
)

_REASONS = {
    "unreadable": ("không đọc được", "unreadable"),
    "other_digest": ("đóng cho giá trị băm khác", "over another hash"),
    "altered": ("đã bị sửa", "altered"),
    "untrusted": ("không thuộc gốc tin cậy nào", "by nobody we trust"),
    "revoked": ("chứng thư của nơi cấp đã bị thu hồi trước đó", "its authority was revoked before"),
    "from_the_future": ("ghi thời điểm chưa tới", "of a moment that hasn't come"),
}


#: With room for which line it is.
_OTHERS = {
    "stamp_unreadable": ("Có một dấu thời gian không đọc được.", "A stamp can't be read."),
    "values_changed": (
        "Giá trị trước và sau khi sửa của {} đã bị thay đổi.",
        "The values before and after of {} aren't those that were kept.",
    ),
    "values_missing": (
        "Giá trị trước và sau khi sửa của {} không còn, mà nhật ký không ghi là đã xóa.",
        "The values before and after of {} are gone, and no line says that they were erased.",
    ),
    "values_added": (
        "Có giá trị trước và sau khi sửa mà không dòng nhật ký nào ghi.",
        "There are values before and after that no line of the log knows of.",
    ),
}


def told(wrong: Wrong) -> tuple[str, str]:
    """A finding in a sentence, Vietnamese and English."""
    n = wrong.sequence
    day = f"{wrong.at.astimezone(VIETNAM):%d/%m/%Y %H:%M}" if wrong.at else "?"
    match wrong.code:
        case "broken":
            return (
                f"Dòng {n}: thiếu, hoặc nội dung không khớp với giá trị băm.",
                f"Line {n} is missing, or what it says doesn't fit its hash.",
            )
        case "cut_short":
            return (
                f"Nhật ký bị cắt ngắn: dòng {n} đã được đóng dấu thời gian ngày {day} mà nay không còn.",
                f"The log was cut short: line {n}, stamped on {day}, is no longer there.",
            )
        case "rewritten":
            return (
                f"Nhật ký bị viết lại: dòng {n} khác với dòng đã được đóng dấu thời gian ngày {day}.",
                f"The log was rewritten: line {n} isn't the one that was stamped on {day}.",
            )
        case "stamp_lost":
            return (
                f"Kho không còn dấu thời gian của dòng {n} (nhật ký ghi ngày {day}).",
                f"The store no longer has the stamp of line {n}, which the log names.",
            )
        case "stamp_bad":
            vi, en = _REASONS.get(wrong.reason, (wrong.reason, wrong.reason))
            return f"Dấu thời gian của dòng {n} không dùng được: {vi}.", f"The stamp of line {n} doesn't count: {en}."
        case _:
            vi, en = _OTHERS[wrong.code]
            return vi.format(_line(n)[0]), en.format(_line(n)[1])


def _line(sequence: int) -> tuple[str, str]:
    if not sequence:
        return "một dòng nhập từ gói lưu trữ", "a line that came in a bag"
    return f"dòng {sequence}", f"line {sequence}"


def holds(found: LogVerdict) -> tuple[str, str]:
    """What a log without a fault is worth."""
    chain = f"{found.lines} dòng, chuỗi băm liền mạch"
    if found.proven is None:
        vi = f"{chain}; chưa có dấu thời gian nào chứng minh từ bên ngoài. Chạy `hoso audit stamp`."
        return vi, f"{found.lines} lines, the chain holds; no timestamp proves it from outside yet."
    sequence, at = found.proven
    moment = f"{at.astimezone(VIETNAM):%H:%M %d/%m/%Y}"
    vi = f"{chain}; {found.stamps} dấu thời gian đều khớp, mới nhất cho dòng {sequence} lúc {moment}."
    return vi, f"{found.lines} lines, the chain holds; all {found.stamps} stamps fit, the newest of line {sequence}."
