"""What goes wrong, in one table: which answer, which code, what a person is told. HTTP and jobs read it.

Answers are RFC 9457 problem details, in Vietnamese or English. Each says what happened, whether the work is safe, and
what to do next.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from digitize.types import ReadingFailed, UnreadableScan
from dossiers.anchors import FingerprintDiffers, NoAuthority
from dossiers.archive import NotOurRows
from dossiers.bags import BadBag
from dossiers.codes import BadCode
from dossiers.digests import SignatureNotTaken
from dossiers.holds import Held
from dossiers.issuance import Unread
from dossiers.own_token import NoLink
from dossiers.parcels import ParcelSpoiled, PartOutOfPlace
from dossiers.phone import PhoneLinkOver
from dossiers.ports import ObjectMissing, StoreUnavailable
from dossiers.separation import SheetAstray
from dossiers.signatures import SignatureUnproven
from dossiers.types import Changed, Duplicate, Incomplete, NotAllowed, NotFound, OfficeError, Overtaken, WrongState
from dossiers.verdict_reports import TooManyReports
from signing.certificates import NotACertificate
from signing.isolation import JudgesBusy
from signing.places import PlaceNotFound
from signing.templates import LayoutError, TemplateDataError, UnknownTemplate
from signing.types import PinRefused, SigningRefused, TrustServiceUnavailable
from storage import disk
from storage.database import DatabaseUnavailable

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable

    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from dossiers.types import Conflict

Language = Literal["vi", "en"]


class NotSignedIn(OfficeError):
    """No session, or it has ended."""


class WrongPassword(OfficeError):
    """The user name or the password is wrong: never said which."""


class AccountLocked(OfficeError):
    """Too many wrong passwords. `minutes` are left."""

    def __init__(self, minutes: int) -> None:
        super().__init__(str(minutes))
        self.minutes = minutes


class ForeignOrigin(OfficeError):
    """A browser was sent here by another site's page to change something; the person didn't mean to."""


class TooManyRequests(OfficeError):
    """More tries than one person needs. `seconds` to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(str(seconds))
        self.seconds = seconds


class TooLarge(OfficeError):
    """The file is larger than allowed; nothing of it was kept. `limit` in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit // (1024 * 1024)} MB")
        self.limit = limit


class NoTicket(OfficeError):
    """A ticket isn't ours, is for something else, or has ended: never told apart."""


class BadUpload(OfficeError):
    """The request isn't the form it should be, or broke off."""


class PartDamaged(OfficeError):
    """A part of an upload isn't what its checksum says."""


class UnknownUploadProtocol(OfficeError):
    """The client speaks another version of the upload protocol, or leaves out what it asks for."""


@dataclass(frozen=True)
class Said:
    """One language of an outcome: what happened, is the work safe, what to do."""

    title: str
    safe: str
    next: str


@dataclass(frozen=True)
class Outcome:
    """How an error class is answered.

    Attributes:
        retry: Whether a job that met it is worth trying again by itself.
    """

    status: int
    code: str
    vi: Said
    en: Said
    retry: bool = False


_SAFE = "Hồ sơ và các tệp đã nhận vẫn an toàn."
_SAFE_EN = "The dossier and the files received so far are safe."
_NOTHING = "Chưa có gì được lưu; tệp trên máy của bạn còn nguyên."
_NOTHING_EN = "Nothing was stored; the file on your computer is untouched."

OUTCOMES: dict[type[Exception], Outcome] = {
    NotFound: Outcome(
        404,
        "not_found",
        Said("Không tìm thấy.", _SAFE, "Kiểm tra lại mã, hoặc hỏi cơ quan đang giữ hồ sơ."),
        Said("Not found.", _SAFE_EN, "Check the code, or ask the agency that holds the dossier."),
    ),
    NotOurRows: Outcome(
        422,
        "not_our_rows",
        Said(
            "Gói lưu trữ này thuộc phiên bản khác hoặc nội dung không khớp.",
            "Chưa nhập gì từ hồ sơ đó; dữ liệu đang có còn nguyên.",
            "Dùng đúng phiên bản đã xuất gói, hoặc xin lại gói.",
        ),
        Said(
            "This bag is of another version, or what it says doesn't fit.",
            "Nothing of that dossier was taken in; what was here is untouched.",
            "Use the version that wrote the bag, or ask for it again.",
        ),
    ),
    BadBag: Outcome(
        422,
        "bad_bag",
        Said("Gói lưu trữ không nguyên vẹn.", "Chưa nhập gì.", "Xin lại gói từ nơi gửi."),
        Said("The bag isn't whole.", "Nothing was taken in.", "Ask for it again."),
    ),
    NotAllowed: Outcome(
        403,
        "not_allowed",
        Said("Tài khoản của bạn không được làm việc này.", _SAFE, "Nhờ người có thẩm quyền hoặc quản trị viên."),
        Said("Your account may not do this.", _SAFE_EN, "Ask someone with the right role, or the administrator."),
    ),
    WrongState: Outcome(
        409,
        "wrong_state",
        Said("Việc này không hợp với trạng thái hiện tại.", _SAFE, "Tải lại để xem trạng thái và bước tiếp theo."),
        Said("This doesn't fit the present state.", _SAFE_EN, "Reload to see the state and the next step."),
    ),
    Held: Outcome(
        409,
        "held",
        Said(
            "Hồ sơ đang được giữ nguyên theo yêu cầu nên không xóa được gì của hồ sơ.",
            "Chưa xóa gì; mọi thứ còn nguyên.",
            "Xem trang giữ nguyên của hồ sơ; chỉ xóa được sau khi hai người thôi giữ.",
        ),
        Said(
            "The dossier is under legal hold, so nothing of it can be deleted.",
            "Nothing was deleted; everything is as it was.",
            "See the dossier's page on its hold; it can be done once two people have released it.",
        ),
    ),
    Incomplete: Outcome(
        422,
        "incomplete",
        Said("Còn thiếu thông tin hoặc giấy tờ.", _SAFE, "Bổ sung tất cả các mục được liệt kê rồi làm lại."),
        Said("Something is missing.", _SAFE_EN, "Add everything listed, then repeat."),
    ),
    Duplicate: Outcome(
        409,
        "duplicate",
        Said("Tệp này đã có.", _SAFE, "Không cần gửi lại; mở bản đã có."),
        Said("This file is already there.", _SAFE_EN, "No need to send it again; open the one that is there."),
    ),
    Changed: Outcome(
        412,
        "changed",
        Said("Người khác vừa thay đổi.", _SAFE, "Tải lại, xem thay đổi rồi làm lại."),
        Said("Somebody else has just changed it.", _SAFE_EN, "Reload, look at the change, then repeat."),
    ),
    BadCode: Outcome(
        422,
        "bad_code",
        Said("Mã không đúng.", _SAFE, "So từng nhóm số với giấy hẹn rồi gõ lại."),
        Said("That isn't a valid code.", _SAFE_EN, "Compare each group of digits with the receipt and type it again."),
    ),
    Unread: Outcome(
        409,
        "unread",
        Said("Bạn chưa đọc hết văn bản này.", "Chưa ký gì; văn bản còn nguyên.", "Đọc đến trang cuối rồi duyệt."),
        Said(
            "You haven't read this document to its end.",
            "Nothing was signed; the document is intact.",
            "Read on to the last page, then approve it.",
        ),
    ),
    UnreadableScan: Outcome(
        422,
        "unreadable_scan",
        Said("Không đọc được tệp này.", _NOTHING, "Quét hoặc xuất lại tệp rồi gửi lại."),
        Said("This file can't be read.", _NOTHING_EN, "Scan or export it again, then send it again."),
    ),
    ReadingFailed: Outcome(
        503,
        "reading_failed",
        Said("Máy đọc trang chưa đọc được trang này.", "Bản quét còn nguyên.", "Hệ thống tự đọc lại."),
        Said(
            "The page reader couldn't read this page.", "The scan is intact.", "The service reads it again by itself."
        ),
        retry=True,
    ),
    DatabaseUnavailable: Outcome(
        503,
        "database_unavailable",
        Said("Cơ sở dữ liệu chưa phản hồi.", _NOTHING, "Thử lại sau ít phút."),
        Said("The database doesn't answer.", _NOTHING_EN, "Try again in a few minutes."),
        retry=True,
    ),
    ObjectMissing: Outcome(
        503,
        "object_missing",
        Said("Tệp lưu trữ không lấy ra được đúng như đã lưu.", "Sổ đăng ký còn nguyên.", "Báo quản trị viên ngay."),
        Said("A stored file doesn't come back as it was stored.", "The register is intact.", "Tell the administrator."),
    ),
    StoreUnavailable: Outcome(
        503,
        "store_unavailable",
        Said(
            "Kho lưu trữ chưa phản hồi.",
            "Tệp này chưa được nhận; tệp trên máy của bạn còn nguyên.",
            "Thử lại sau ít phút.",
        ),
        Said(
            "The object store doesn't answer.",
            "This file was not accepted; yours is untouched.",
            "Try again in a few minutes.",
        ),
        retry=True,
    ),
    TrustServiceUnavailable: Outcome(
        503,
        "trust_service_unavailable",
        Said("Dịch vụ chứng thực chưa phản hồi.", "Chưa ký gì; văn bản còn nguyên.", "Hệ thống sẽ tự thử lại."),
        Said(
            "The trust service doesn't answer.",
            "Nothing was signed; the document is intact.",
            "The service tries again by itself.",
        ),
        retry=True,
    ),
    FingerprintDiffers: Outcome(
        422,
        "fingerprint_differs",
        Said(
            "Dấu vân tay không khớp với chứng thư đang chờ.",
            "Chưa có gì được tin.",
            "Lấy lại dấu vân tay SHA-256 từ nguồn của cơ quan chứng thực; nếu vẫn khác, từ chối gốc này.",
        ),
        Said(
            "The fingerprint isn't that of the certificate that waits.",
            "Nothing is trusted.",
            "Take the SHA-256 fingerprint from the authority again; if it still differs, refuse this anchor.",
        ),
    ),
    NotACertificate: Outcome(
        422,
        "not_a_certificate",
        Said(
            "Tệp không phải một chứng thư.",
            "Chưa có gì thay đổi.",
            "Chọn tệp .cer, .crt hoặc .pem chứa đúng một chứng thư.",
        ),
        Said(
            "The file isn't one certificate.",
            "Nothing was changed.",
            "Choose a .cer, .crt or .pem file with exactly one certificate.",
        ),
    ),
    NoAuthority: Outcome(
        422,
        "no_authority",
        Said(
            "Chứng thư này không làm gốc tin cậy được.",
            "Chưa có gì thay đổi.",
            "Chọn chứng thư của chính cơ quan chứng thực, khóa RSA từ 2048 bit hoặc ECDSA từ 256 bit.",
        ),
        Said(
            "This certificate can't be a trust anchor.",
            "Nothing was changed.",
            "Choose the authority's own certificate, with an RSA key from 2048 or an ECDSA key from 256 bits.",
        ),
    ),
    PinRefused: Outcome(
        422,
        "pin_refused",
        Said(
            "Mã PIN hoặc mã một lần không mở được khóa.",
            "Chưa duyệt, chưa ký gì; văn bản còn nguyên.",
            "Gõ lại thật cẩn thận: sai nhiều lần thì thiết bị tự khóa.",
        ),
        Said(
            "The PIN or one-time code doesn't open the key.",
            "Nothing was approved or signed; the documents are intact.",
            "Type it again with care: after several wrong ones the device locks itself.",
        ),
    ),
    SigningRefused: Outcome(
        422,
        "signing_refused",
        Said("Không ký được.", "Văn bản còn nguyên, chưa ký gì.", "Xem lý do, sửa chứng thư hoặc văn bản rồi làm lại."),
        Said(
            "It can't be signed.",
            "The document is intact, nothing was signed.",
            "See the reason; mend the certificate or the document.",
        ),
    ),
    SignatureUnproven: Outcome(
        503,
        "signature_unproven",
        Said(
            "Chữ ký vừa tạo chưa được xác nhận.",
            "Chưa ghi nhận gì; văn bản còn nguyên.",
            "Văn thư xem lý do và cho ký tiếp.",
        ),
        Said(
            "The new signature isn't proven.",
            "Nothing was recorded; the document is intact.",
            "The seal keeper looks at the reason and resumes.",
        ),
        retry=True,
    ),
    NoLink: Outcome(
        410,
        "no_signing_link",
        Said(
            "Đường dẫn ký này không dùng được nữa.",
            "Văn bản trên hệ thống không thay đổi.",
            "Mở lại trang ký và bấm ký để lấy đường dẫn mới.",
        ),
        Said(
            "This signing link can't be used any more.",
            "The document here is unchanged.",
            "Open the signing page again and start there for a new one.",
        ),
    ),
    PhoneLinkOver: Outcome(
        410,
        "phone_link_over",
        Said(
            "Địa chỉ chụp ảnh này không dùng được nữa.",
            "Ảnh đã báo “đã nhận” vẫn an toàn.",
            "Nhờ cán bộ ở quầy hiện mã QR mới rồi quét lại.",
        ),
        Said(
            "This address for pictures can't be used any more.",
            "Pictures that were called received are safe.",
            "Ask at the counter for a new QR code and scan that.",
        ),
    ),
    SignatureNotTaken: Outcome(
        422,
        "signature_not_taken",
        Said(
            "Chữ ký gửi về không được nhận.",
            "Văn bản trên hệ thống không thay đổi, vẫn an toàn.",
            "Xem lý do rồi lấy lại dữ liệu cần ký.",
        ),
        Said(
            "The signature wasn't taken.",
            "The document here is unchanged and safe.",
            "See the reason, then ask for the data to sign again.",
        ),
    ),
    PlaceNotFound: Outcome(
        422,
        "place_not_found",
        Said("Không thấy chỗ ký trong văn bản.", _NOTHING, "In đủ chức vụ và họ tên người ký rồi tải lên lại."),
        Said(
            "The place to sign isn't in the document.",
            _NOTHING_EN,
            "Print the signer's title and name in it, then upload again.",
        ),
    ),
    TemplateDataError: Outcome(
        422,
        "template_data",
        Said("Dự thảo chưa đủ hoặc chưa đúng.", "Dự thảo đã được lưu.", "Sửa tất cả các mục được liệt kê."),
        Said("The draft isn't complete or right.", "The draft is saved.", "Mend everything listed."),
    ),
    LayoutError: Outcome(
        422,
        "layout_failed",
        Said(
            "Mẫu văn bản không dựng được thành trang.",
            "Dự thảo vẫn còn nguyên, chưa lấy số.",
            "Xem lại chữ đã gõ; nếu là mẫu riêng của cơ quan, báo quản trị viên kiểm tra mẫu.",
        ),
        Said(
            "The template can't be set as pages.",
            "The draft is as it was; no number was taken.",
            "Look over what was typed; if it is your agency's own template, have the administrator check it.",
        ),
    ),
    UnknownTemplate: Outcome(
        404,
        "unknown_template",
        Said("Không có mẫu này.", _SAFE, "Chọn mẫu trong danh sách."),
        Said("There is no such template.", _SAFE_EN, "Choose one from the list."),
    ),
    NotSignedIn: Outcome(
        401,
        "not_signed_in",
        Said("Bạn chưa đăng nhập, hoặc phiên đã hết.", _SAFE, "Đăng nhập lại."),
        Said("You aren't signed in, or the session has ended.", _SAFE_EN, "Sign in again."),
    ),
    ForeignOrigin: Outcome(
        403,
        "foreign_origin",
        Said(
            "Yêu cầu này đến từ một trang khác nên không được thực hiện.",
            _SAFE,
            "Mở lại trang từ địa chỉ của trung tâm rồi làm lại.",
        ),
        Said(
            "This request came from another site's page, so it wasn't carried out.",
            _SAFE_EN,
            "Open the page again from the centre's own address, then repeat.",
        ),
    ),
    WrongPassword: Outcome(
        401,
        "wrong_password",
        Said("Tên đăng nhập hoặc mật khẩu không đúng.", _SAFE, "Gõ lại; sau 5 lần sai tài khoản bị khóa 15 phút."),
        Said(
            "User name or password is wrong.",
            _SAFE_EN,
            "Type it again; after 5 wrong tries the account is locked for 15 minutes.",
        ),
    ),
    AccountLocked: Outcome(
        423,
        "account_locked",
        Said("Tài khoản tạm khóa vì gõ sai nhiều lần.", _SAFE, "Đợi hết số phút được nêu, hoặc nhờ quản trị viên."),
        Said(
            "The account is locked for a while after wrong tries.",
            _SAFE_EN,
            "Wait the minutes named, or ask the administrator.",
        ),
    ),
    TooManyRequests: Outcome(
        429,
        "too_many_requests",
        Said("Bạn thử quá nhiều lần.", _SAFE, "Đợi hết thời gian được nêu rồi thử lại."),
        Said("Too many tries.", _SAFE_EN, "Wait as long as is said, then try again."),
    ),
    TooManyReports: Outcome(
        429,
        "too_many_reports",
        Said(
            "Đang có quá nhiều biên bản được yêu cầu.",
            "Kết luận kiểm tra vẫn đúng; chưa có biên bản nào được lập.",
            "Sau một giờ kiểm tra lại tệp rồi yêu cầu, hoặc in trang kết luận.",
        ),
        Said(
            "Too many reports are being asked for.",
            "The verdict still holds; no report was made.",
            "Check the file again in an hour and ask then, or print the page with the verdict.",
        ),
    ),
    JudgesBusy: Outcome(
        503,
        "judges_busy",
        Said("Đang có nhiều tệp chờ kiểm tra.", _NOTHING, "Đợi khoảng nửa phút rồi gửi lại tệp."),
        Said("Many files are waiting to be checked.", _NOTHING_EN, "Wait half a minute, then send the file again."),
        retry=True,
    ),
    TooLarge: Outcome(
        413,
        "too_large",
        Said("Tệp lớn hơn mức cho phép.", _NOTHING, "Chia nhỏ tệp hoặc quét với độ phân giải thấp hơn (từ 200 dpi)."),
        Said(
            "The file is larger than allowed.",
            _NOTHING_EN,
            "Split it, or scan at a lower resolution (200 dpi or more).",
        ),
    ),
    NoTicket: Outcome(
        404,
        "no_ticket",
        Said("Đường dẫn này đã hết hạn.", _SAFE, "Mở lại trang tra cứu và nhập hai mã trên giấy hẹn."),
        Said("This link has ended.", _SAFE_EN, "Open the look-up page again with both codes of the receipt."),
    ),
    PartDamaged: Outcome(
        460,  # tus 1.0.0, "Checksum Mismatch"
        "part_damaged",
        Said("Một phần của tệp bị hỏng trên đường truyền.", "Các phần trước đã nhận vẫn an toàn.", "Gửi lại phần này."),
        Said("A part of the file was damaged on its way.", "The parts before it are safe.", "Send this part again."),
        retry=True,
    ),
    UnknownUploadProtocol: Outcome(
        412,
        "unknown_upload_protocol",
        Said("Phần mềm gửi tệp không hợp với máy chủ này.", _NOTHING, "Cập nhật phần mềm gửi tệp (tus 1.0.0)."),
        Said("The sending program doesn't fit this server.", _NOTHING_EN, "Update the program (tus 1.0.0)."),
    ),
    PartOutOfPlace: Outcome(
        409,
        "part_out_of_place",
        Said(
            "Phần gửi lên không nối tiếp phần đã nhận.",
            "Các phần đã nhận vẫn an toàn.",
            "Hỏi lại đã nhận đến đâu rồi gửi tiếp từ đó.",
        ),
        Said(
            "The part doesn't follow on what has arrived.",
            "What has arrived is safe.",
            "Ask how far it came, and go on from there.",
        ),
        retry=True,
    ),
    SheetAstray: Outcome(
        409,
        "sheet_astray",
        Said(
            "Trong tệp có tờ ngăn của hồ sơ khác, hồ sơ đó không có ở cơ quan này hoặc không nhận thêm giấy tờ.",
            _NOTHING,
            "Bỏ tờ ngăn và giấy của hồ sơ đó ra rồi quét lại, hoặc in lại tờ ngăn của đúng hồ sơ.",
        ),
        Said(
            "A separator sheet in the file names a dossier that this agency can't add papers to.",
            _NOTHING_EN,
            "Take that sheet and its papers out and scan again, or print the right dossier's sheets.",
        ),
    ),
    ParcelSpoiled: Outcome(
        409,
        "parcel_spoiled",
        Said("Tệp đến nơi không giống tệp đã gửi.", _NOTHING, "Gửi lại tệp từ đầu."),
        Said("What arrived isn't the file that was sent.", _NOTHING_EN, "Send the file again from its beginning."),
        retry=True,
    ),
    BadUpload: Outcome(
        400,
        "bad_upload",
        Said("Tệp gửi lên không trọn vẹn.", _NOTHING, "Gửi lại tệp."),
        Said("The upload is incomplete.", _NOTHING_EN, "Send the file again."),
    ),
}

_UNEXPECTED = Outcome(
    500,
    "unexpected",
    Said("Hệ thống gặp lỗi chưa lường trước.", _SAFE, "Thử lại; nếu còn lỗi, báo quản trị viên kèm mã theo dõi."),
    Said("Something unforeseen went wrong.", _SAFE_EN, "Try again; if it stays, give the administrator the trace id."),
)
#: A disk that is full is nobody's fault in the request, and no file of theirs is lost.
_FULL = Outcome(
    507,
    "disk_full",
    Said(
        "Máy chủ hết chỗ trên đĩa.",
        "Tệp này chưa được nhận; tệp trên máy của bạn còn nguyên.",
        "Báo quản trị viên, rồi gửi lại sau.",
    ),
    Said(
        "The server's disk is full.",
        "This file was not received; yours is as it was.",
        "Tell the administrator, and send it again later.",
    ),
    retry=True,
)
_INVALID = Outcome(
    422,
    "invalid_request",
    Said("Yêu cầu chưa đúng.", _SAFE, "Sửa các mục được liệt kê."),
    Said("The request isn't right.", _SAFE_EN, "Mend everything listed."),
)

#: What the framework refuses before any of our code is asked, by status.
_REFUSED = {
    outcome.status: outcome
    for outcome in (
        Outcome(
            400,
            "bad_request",
            Said("Không đọc được yêu cầu này.", _NOTHING, "Kiểm tra nội dung gửi đi rồi gửi lại."),
            Said("This request can't be read.", _NOTHING_EN, "Check what is sent, then send it again."),
        ),
        Outcome(
            404,
            "no_such_page",
            Said("Không có địa chỉ này.", _SAFE, "Kiểm tra lại địa chỉ."),
            Said("There is no such address.", _SAFE_EN, "Check the address."),
        ),
        Outcome(
            405,
            "method_not_allowed",
            Said("Địa chỉ này không nhận cách gọi đó.", _SAFE, "Dùng một trong các cách nêu ở tiêu đề Allow."),
            Said("This address doesn't take that method.", _SAFE_EN, "Use one of those the Allow header names."),
        ),
    )
}


def outcome_of(error: Exception) -> Outcome:
    """The row of an error's class, or of the nearest class above it."""
    if disk.is_full(error):
        return _FULL
    for cls in type(error).__mro__:
        if cls in OUTCOMES:
            return OUTCOMES[cls]
    return _UNEXPECTED


def language_of(request: Request) -> Language:
    """Vietnamese unless English is asked for first."""
    wanted = request.headers.get("accept-language", "").strip().lower()
    return "en" if wanted.startswith("en") else "vi"


def problem(error: Exception, language: Language, *, trace_id: str) -> dict[str, Any]:
    """An error as an RFC 9457 problem, with nothing personal in it but what the asker may see anyway."""
    body = _told(outcome_of(error), language, trace_id=trace_id)
    match error:
        case BadCode(english=english):
            body |= {"message": english if language == "en" else str(error)}
        case UnreadableScan(reason=reason):
            body |= {"reason": reason, "message": str(error)}
        case SigningRefused() | NoLink() | SignatureNotTaken() | PhoneLinkOver():
            body |= _why_not(error, language)
        case Incomplete(missing=missing):
            body |= {"reason": str(error), "errors": [{"message": item} for item in missing]}
        case Duplicate() | PartOutOfPlace() | SheetAstray():
            body |= _where(error)
        case TemplateDataError(problems=problems):
            said = [(p.key, p.english if language == "en" else p.message) for p in problems]
            body |= {"errors": [{"pointer": f"/data/{key}", "message": message} for key, message in said]}
        case Overtaken(conflicts=conflicts):
            body |= {"conflicts": [_conflict(c) for c in conflicts]}
        case AccountLocked() | TooManyRequests() | JudgesBusy() | TooLarge():
            body |= _how_much(error)
        case WrongState() | NotAllowed():
            body |= {"reason": str(error)}
    return body


def _why_not(error: SigningRefused | NoLink | SignatureNotTaken | PhoneLinkOver, language: Language) -> dict[str, str]:
    told = {"reason": error.reason}
    return told | {"message": error.words(language)} if isinstance(error, SignatureNotTaken) else told


def _where(error: Duplicate | PartOutOfPlace | SheetAstray) -> dict[str, str | int]:
    return {"arrived": error.arrived} if isinstance(error, PartOutOfPlace) else {"of": error.of}


def _how_much(error: AccountLocked | TooManyRequests | JudgesBusy | TooLarge) -> dict[str, int]:
    match error:
        case AccountLocked(minutes=minutes):
            return {"minutes": minutes}
        case TooManyRequests(seconds=seconds) | JudgesBusy(seconds=seconds):
            return {"seconds": seconds}
        case TooLarge(limit=limit):
            return {"limit_bytes": limit}


def _conflict(found: Conflict) -> dict[str, Any]:
    """What is there now: the asker sees the paper anyway."""
    place = {"page": found.page, "line" if found.of_line else "index": found.index}
    where = {"key": found.key} if found.key else place
    return {**where, "present": found.present, "by": found.by}


def _told(outcome: Outcome, language: Language, *, trace_id: str) -> dict[str, Any]:
    said = outcome.en if language == "en" else outcome.vi
    return {
        "type": f"/errors/{outcome.code.replace('_', '-')}",
        "code": outcome.code,
        "title": said.title,
        "status": outcome.status,
        "detail": f"{said.title} {said.safe} {said.next}",
        "safe": said.safe,
        "next": said.next,
        "trace_id": trace_id,
    }


@dataclass(frozen=True)
class Pages:
    """How trouble looks to a person, for addresses that aren't a program's.

    Attributes:
        programs: Addresses that answer programs.
    """

    programs: re.Pattern[str]
    language_of: Callable[[Request], Language]
    problem: Callable[[Request, dict[str, Any], dict[str, str] | None], Response]


def add_to(app: FastAPI, pages: Pages) -> None:
    """Answer every error of the table, and what the framework refuses, as a problem; `api.app` sees to the rest."""
    app.state.pages = pages
    for cls in OUTCOMES:
        app.add_exception_handler(cls, answer)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)


def answer(request: Request, error: Exception) -> Response:
    """An error as an answer."""
    headers = {"retry-after": str(error.seconds)} if isinstance(error, TooManyRequests | JudgesBusy) else None
    return _present(request, lambda language: problem(error, language, trace_id=trace_id_of(request)), headers)


def _answer_invalid(request: Request, error: Exception) -> Response:
    """A body or parameter of the wrong shape: where, and what was expected; never what was sent."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    if found and all(e["loc"][0] == "path" for e in found) and not _for_program(request):
        return answer(request, NotFound("path"))  # a person followed a broken link
    listed = {"errors": [{"pointer": _pointer(e["loc"]), "message": e["msg"]} for e in found]}
    return _present(request, lambda language: _told(_INVALID, language, trace_id=trace_id_of(request)) | listed)


def _pointer(steps: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901) that can be sent whatever the names in it are."""
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    return "".join(f"/{step}" for step in escaped).encode(errors="replace").decode()


def _answer_http(request: Request, error: Exception) -> Response:
    """What the framework itself refuses, in our words; its headers, such as Allow, go along."""
    if isinstance(error.__cause__, OfficeError):  # ours, met while the framework read a body
        return answer(request, error.__cause__)
    status = error.status_code if isinstance(error, HTTPException) else 500
    outcome = _REFUSED.get(status, replace(_REFUSED[400], status=status, code="http_error"))
    headers = error.headers if isinstance(error, HTTPException) else None
    return _present(
        request,
        lambda language: _told(outcome, language, trace_id=trace_id_of(request)),
        dict(headers) if headers else None,
    )


def trace_id_of(request: Request) -> str:
    """The id that the log knows this request by."""
    trace_id: str = getattr(request.state, "trace_id", None) or uuid.uuid4().hex
    return trace_id


def _for_program(request: Request) -> bool:
    return request.app.state.pages.programs.match(request.url.path) is not None


def _present(
    request: Request, body_in: Callable[[Language], dict[str, Any]], headers: dict[str, str] | None = None
) -> Response:
    """A problem for who asked: a page for a person's browser, RFC 9457 for a program."""
    pages: Pages = request.app.state.pages
    if _for_program(request):
        body = body_in(language_of(request))
        return JSONResponse(body, body["status"], headers, media_type="application/problem+json")
    return pages.problem(request, body_in(pages.language_of(request)), headers)
