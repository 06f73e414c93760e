"""What can go wrong with a form about a result, in words: everything at once, with links to the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from digitize.types import UnreadableScan
from dossiers.labels import label
from dossiers.types import OfficeError
from signing.places import PlaceNotFound
from signing.templates import LayoutError, TemplateDataError
from signing.types import PinRefused, SigningRefused

if TYPE_CHECKING:
    from api.pages.frame import Frame
    from signing.templates import TemplateProblem

#: Trouble that a form about a result may meet, beside the office's own.
TROUBLE = (OfficeError, SigningRefused, TemplateDataError, LayoutError, PlaceNotFound, UnreadableScan)

#: Why not, in words: what an error says of itself → Vietnamese, English.
_WHY = {
    "leader": (
        "Người ký phải là lãnh đạo của cơ quan này và không phải người đã soạn hay sửa dự thảo.",
        "The signer must be a leader of this agency who had no hand in the draft.",
    ),
    "drafter": (
        "Người đã soạn hay tải lên thì không tự vào sổ; người không soạn thì không rút lại, không bỏ được.",
        "Whoever drafted or uploaded it can't register it; whoever didn't can't take it back or discard it.",
    ),
    "competent": ("Hồ sơ này do cơ quan khác giải quyết.", "Another agency decides this dossier."),
    "replacement": (
        "Văn bản thay thế phải là một văn bản khác và đang có hiệu lực.",
        "What takes its place must be another one, and in force.",
    ),
    "certificate": (
        "Người ký hoặc cơ quan chưa có chứng thư số còn dùng được: chọn người ký khác, hoặc báo quản trị viên.",
        "The signer or the agency has no certificate to sign with: choose another signer, or tell the administrator.",
    ),
    "no_leader": ("Chưa chọn người ký.", "No signer was chosen."),
    "no_template": ("Chưa chọn mẫu văn bản.", "No template was chosen."),
    "comment": ("Chưa ghi lý do trả lại.", "It isn't said why it is returned."),
    "reason": ("Chưa ghi lý do.", "No reason is given."),
    "register": ("Tệp này đã có trong sổ phát hành.", "This very file is in the register already."),
    "copies": (
        "Tệp này là bản số hóa của một giấy tờ, không phải kết quả.",
        "This file is a digitised copy of a paper, not a result.",
    ),
    "annex_title": ("Chưa ghi tên phụ lục.", "The annex has no title."),
    "too_many_annexes": (
        "Một kết quả có nhiều nhất 20 phụ lục. Gộp bớt thành một tệp.",
        "A result has at most 20 annexes. Put some into one file.",
    ),
    "signed_annex": (
        "Phụ lục đã có chữ ký số. Hãy tải bản chưa ký: cơ quan ký phụ lục cùng văn bản chính.",
        "The annex is signed already. Upload the unsigned one: the agency signs it together with its main document.",
    ),
    "name_missing": (
        "Không thấy họ tên người ký trong tệp. Tệp phải có chữ, không phải ảnh quét, và in tên người ký ở cuối.",
        "The signer's name isn't in the file. It must have text, not a picture of it, and end with the signer's name.",
    ),
    "title_missing": (
        "Không thấy chức vụ người ký ở phía trên tên. Xem lại chức vụ in trong tệp và người ký đã chọn.",
        "The signer's title isn't above the name. Compare the title in the file with the signer that was chosen.",
    ),
    "no_room": (
        "Giữa chức vụ và tên người ký không đủ chỗ cho chữ ký và con dấu: chừa khoảng 4 cm rồi xuất lại.",
        "There is no room for signature and seal between title and name: leave 4 cm and export it again.",
    ),
    "unreadable_pdf": ("Không đọc được chữ trong tệp PDF.", "The text of the PDF can't be read."),
}


def told(frame: Frame, error: Exception) -> tuple[dict[str, Any], list[Any]]:
    """An error as a form shows it: in words, everything that is wrong at once, with links to the fields."""
    problem = dict(frame.trouble(error))
    problem.pop("message", None)  # said below, in the reader's language
    if isinstance(error, TemplateDataError):
        return problem, [linked(one, frame.language) for one in error.problems]
    codes = (getattr(error, "reason", ""), getattr(error, "of", ""), str(error))
    why = next((_WHY[code] for code in codes if code in _WHY), None)
    if why is not None:
        return problem, [why[frame.language == "en"]]
    reason = getattr(error, "reason", "")
    listed = [label(reason, frame.language)] if reason else []
    if isinstance(error, PinRefused) and error.tries_left:
        english = frame.language == "en"
        listed.append(f"{error.tries_left} left to try." if english else f"Còn {error.tries_left} lần thử.")
    return problem, listed


def linked(problem: TemplateProblem, language: str) -> dict[str, str]:
    """What is wrong with a field, and where it is on the page."""
    return {"field": f"f-{problem.key}", "message": problem.english if language == "en" else problem.message}
