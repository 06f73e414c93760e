"""What a person is told about a file: a headline, one cause, one next step, in Vietnamese and in English.

Every verdict and every `Reason` has words in both languages; the most decisive reason speaks. What the file says of
itself (title, author) is never repeated: anyone can write that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from signing.types import Kind, Reason, Verdict

if TYPE_CHECKING:
    from signing.types import FileVerdict

Language = Literal["vi", "en"]


@dataclass(frozen=True)
class Words:
    """Three sentences: the verdict, why, and what to do now."""

    headline: str
    reason: str
    next_step: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.headline, self.reason, self.next_step) if part)


def sentence(verdict: FileVerdict, *, language: Language = "vi") -> Words:
    """Put a verdict into words."""
    at = 0 if language == "vi" else 1
    headline = _HEADLINES[verdict.verdict][at]
    if verdict.verdict is Verdict.GENUINE:
        return Words(headline, _GENUINE[verdict.kind][at] + signers(verdict, language=language), _COMPARE[at])
    known = [_WORDS[Reason(code)] for code in verdict.reasons]
    if not known:
        return Words(headline, "", _ASK[at])
    why, then = known[0]
    return Words(headline, why[at], then[at])


def reason_words(code: str, *, language: Language = "vi") -> str:
    """One reason in words, for a list of all of them."""
    return _WORDS[Reason(code)][0][0 if language == "vi" else 1]


def signers(verdict: FileVerdict, *, language: Language = "vi") -> str:
    """Who signed, as a sentence that follows another; "" when no certificate names anybody."""
    names = list(dict.fromkeys(report.signer for report in verdict.signatures if report.signer))
    if not names:
        return ""
    return (" Người ký: " if language == "vi" else " Signed by: ") + "; ".join(names) + "."


Pair = tuple[str, str]

_HEADLINES: dict[Verdict, Pair] = {
    Verdict.GENUINE: ("TÀI LIỆU THẬT.", "GENUINE."),
    Verdict.ALTERED: ("ĐÃ BỊ SỬA sau khi ký.", "ALTERED after it was signed."),
    Verdict.REVOKED: (
        "CHỨNG THƯ ĐÃ BỊ THU HỒI trước khi ký.",
        "The signer's certificate HAD BEEN REVOKED before it signed.",
    ),
    Verdict.UNCONFIRMED: ("CHƯA XÁC NHẬN ĐƯỢC.", "NOT CONFIRMED."),
    Verdict.UNSIGNED: ("KHÔNG CÓ CHỮ KÝ SỐ.", "NO DIGITAL SIGNATURE."),
    Verdict.UNREADABLE: ("KHÔNG ĐỌC ĐƯỢC TỆP.", "THE FILE CAN'T BE READ."),
}
_GENUINE: dict[Kind, Pair] = {
    Kind.E_RESULT: (
        "Nội dung không thay đổi từ khi ký; chữ ký của người có thẩm quyền và của cơ quan đều hợp lệ.",
        "Unchanged since it was signed; the signatures of the official and of the agency are both valid.",
    ),
    Kind.ELECTRONIC_COPY: (
        "Đây là bản số hóa từ giấy, nội dung không thay đổi từ khi ký; nó không phải là kết quả giải quyết.",
        "A digitised copy of a paper, unchanged since it was signed; it is not itself a result.",
    ),
    Kind.FOREIGN: (
        "Nội dung không thay đổi từ khi ký; chữ ký hợp lệ, do hệ thống khác tạo ra.",
        "Unchanged since it was signed; the signature is valid and was made by another system.",
    ),
    Kind.UNKNOWN: (
        "Nội dung không thay đổi từ khi ký; chữ ký hợp lệ.",
        "Unchanged since it was signed; the signature is valid.",
    ),
}
_COMPARE: Pair = (
    "Muốn biết văn bản còn hiệu lực hay đã bị thu hồi, thay thế: tra mã in trên văn bản.",
    "To learn whether it is still in force, look up the code printed on it.",
)
_ASK: Pair = ("Hãy hỏi cơ quan phát hành.", "Ask the agency that issued it.")
_ORIGINAL: Pair = (
    "Đừng dùng tệp này. Hãy lấy lại bản gốc từ cơ quan phát hành, hoặc tra mã in trên văn bản.",
    "Don't rely on this file. Get the original from the agency, or look up the code printed on it.",
)
_CODE: Pair = (
    "Hãy quét mã QR hoặc nhập mã tra cứu in trên văn bản để xem bản gốc.",
    "Scan the QR code or enter the look-up code printed on the document to see the original.",
)
_RETRY: Pair = ("Hãy thử lại sau ít phút.", "Try again in a few minutes.")
_AGENCY: Pair = (
    "Hãy hỏi cơ quan phát hành, hoặc tra mã in trên văn bản.",
    "Ask the agency that issued it, or look up the code printed on it.",
)
_DOWNLOAD: Pair = ("Hãy tải lại tệp rồi kiểm tra lần nữa.", "Download the file again and check once more.")
_RESIGN: Pair = (
    "Hãy đề nghị cơ quan phát hành ký lại, hoặc tra mã in trên văn bản.",
    "Ask the agency to sign it again, or look up the code printed on it.",
)

#: Cause and next step of every reason.
_WORDS: dict[Reason, tuple[Pair, Pair]] = {
    Reason.CONTENT_CHANGED: (
        ("Nội dung đã ký không còn nguyên vẹn.", "What was signed is no longer intact."),
        _ORIGINAL,
    ),
    Reason.CHANGED_AFTER_SEAL: (
        (
            "Có thứ được thêm vào sau khi cơ quan đã ký, ngoài bằng chứng thời gian.",
            "Something other than proof of time was added after the agency had signed.",
        ),
        _ORIGINAL,
    ),
    Reason.CHANGED_AFTER_SIGNING: (
        (
            "Phần đã ký còn nguyên, nhưng sau đó tệp đã bị thêm hoặc sửa.",
            "The signed part is intact, but the file was added to or changed afterwards.",
        ),
        _ORIGINAL,
    ),
    Reason.TRAILING_DATA: (
        ("Có dữ liệu lạ nối vào cuối tệp.", "Foreign data was appended to the end of the file."),
        _ORIGINAL,
    ),
    Reason.PARTLY_COVERED: (
        ("Chữ ký không bao trùm cả văn bản.", "The signature doesn't cover the whole document."),
        _ORIGINAL,
    ),
    Reason.SIGNATURE_REMOVED: (
        ("Một chữ ký đã bị gỡ khỏi văn bản.", "A signature was taken out of the document."),
        _ORIGINAL,
    ),
    Reason.DAMAGED_SIGNATURE: (
        ("Chữ ký trong tệp đã hỏng.", "The signature in the file is damaged."),
        _ORIGINAL,
    ),
    Reason.SIGNER_REVOKED: (
        (
            "Chứng thư của người ký đã bị thu hồi khi chữ ký này được tạo ra.",
            "The signer's certificate had been revoked when this signature was made.",
        ),
        _AGENCY,
    ),
    Reason.AUTHORITY_REVOKED: (
        (
            "Chứng thư của nơi cấp chứng thư đã bị thu hồi khi chữ ký này được tạo ra.",
            "The certificate of the issuing authority had been revoked when this signature was made.",
        ),
        _AGENCY,
    ),
    Reason.MISSING_FILE: (
        ("Không có tệp này, hoặc không được phép mở.", "There is no such file, or it may not be opened."),
        ("Hãy kiểm tra đường dẫn.", "Check the path."),
    ),
    Reason.EMPTY_FILE: (("Tệp rỗng.", "The file is empty."), _DOWNLOAD),
    Reason.NOT_PDF: (
        ("Đây không phải tệp PDF.", "This is not a PDF."),
        (
            "Chữ ký số chỉ nằm trong tệp PDF gốc, không nằm trong ảnh chụp. Hãy chọn đúng tệp PDF.",
            "The signature is only in the original PDF, not in a picture of it. Choose the PDF.",
        ),
    ),
    Reason.ENCRYPTED: (
        ("Tệp được đặt mật khẩu hoặc mã hóa.", "The file has a password or is encrypted."),
        ("Hãy dùng tệp gốc không có mật khẩu.", "Use the original without a password."),
    ),
    Reason.TRUNCATED: (
        ("Tệp bị cụt: thiếu phần cuối.", "The file is cut off: its end is missing."),
        _DOWNLOAD,
    ),
    Reason.DAMAGED: (("Tệp PDF đã hỏng.", "The PDF is damaged."), _DOWNLOAD),
    Reason.TOO_LARGE: (
        ("Tệp lớn hơn 50 MB.", "The file is larger than 50 MB."),
        _CODE,
    ),
    Reason.TOO_COMPLEX: (
        (
            "Tệp có cấu trúc phức tạp bất thường nên không kiểm tra tiếp.",
            "The file is unusually complex; it was not examined further.",
        ),
        _CODE,
    ),
    Reason.UNTRUSTED_ISSUER: (
        (
            "Chữ ký còn nguyên vẹn, nhưng nơi cấp chứng thư không có trong danh sách tin cậy ở đây.",
            "The signature is intact, but its issuer is not among those trusted here.",
        ),
        (
            "Hãy kiểm tra ở nơi đã đăng ký nơi cấp này, hoặc hỏi cơ quan phát hành.",
            "Check it where that issuer is registered, or ask the agency that issued the document.",
        ),
    ),
    Reason.WEAK_ALGORITHM: (
        (
            "Chữ ký còn nguyên vẹn, nhưng dùng thuật toán quá yếu, nay không còn chứng minh được gì.",
            "The signature is intact, but its algorithm is too weak to prove anything today.",
        ),
        _RESIGN,
    ),
    Reason.WRONG_KEY_USAGE: (
        ("Chứng thư này không được cấp để ký văn bản.", "The certificate was not issued for signing documents."),
        _AGENCY,
    ),
    Reason.INVALID_CHAIN: (
        (
            "Chuỗi chứng thư của người ký không hợp lệ.",
            "The signer's certificate chain is not valid.",
        ),
        _AGENCY,
    ),
    Reason.REVOKED_UNPROVEN_TIME: (
        (
            "Chứng thư đã bị thu hồi, và không có dấu thời gian chứng minh rằng văn bản được ký trước đó.",
            "The certificate has been revoked, and no timestamp proves that it signed before that.",
        ),
        _AGENCY,
    ),
    Reason.SIGNED_AFTER_EXPIRY: (
        ("Chứng thư đã hết hạn khi ký.", "The certificate had expired when it signed."),
        _RESIGN,
    ),
    Reason.CERTIFICATE_NOT_YET_VALID: (
        ("Chứng thư chưa đến ngày có hiệu lực.", "The certificate is not valid yet."),
        _AGENCY,
    ),
    Reason.CERTIFICATE_EXPIRED: (
        (
            "Chứng thư đã hết hạn, và không có dấu thời gian đủ bằng chứng rằng văn bản được ký khi nó còn hạn.",
            "The certificate has expired, and no timestamp with its evidence proves that it signed in time.",
        ),
        _RESIGN,
    ),
    Reason.NO_STATUS: (
        (
            "Chữ ký còn nguyên vẹn, nhưng lúc này chưa biết chứng thư có bị thu hồi hay không.",
            "The signature is intact, but whether a certificate was revoked can't be told now.",
        ),
        _RETRY,
    ),
    Reason.UNTRUSTED_TIMESTAMP: (
        (
            "Dấu thời gian trong tệp không do nơi đáng tin cậy cấp, hoặc chưa kiểm tra được.",
            "The timestamp in the file comes from nobody trusted here, or can't be checked.",
        ),
        _AGENCY,
    ),
    Reason.NO_CERTIFICATE: (
        ("Chữ ký không kèm chứng thư của người ký.", "The signature doesn't bring its signer's certificate."),
        _AGENCY,
    ),
    Reason.UNSUPPORTED_SIGNATURE: (
        ("Loại chữ ký này không kiểm tra được ở đây.", "This kind of signature can't be checked here."),
        _AGENCY,
    ),
    Reason.IRREGULAR_STRUCTURE: (
        (
            "Phần đã ký còn nguyên vẹn, nhưng tệp có cấu trúc không theo chuẩn nên không thể loại trừ việc bị sửa.",
            "What was signed is intact, but the file's structure breaks the rules: changes can't be ruled out.",
        ),
        _AGENCY,
    ),
    Reason.NOT_VERIFIABLE: (
        ("Chữ ký không kiểm tra được.", "The signature can't be verified."),
        _AGENCY,
    ),
    Reason.LEADER_MISSING: (
        ("Chưa có chữ ký của người có thẩm quyền.", "The official's signature is missing."),
        _AGENCY,
    ),
    Reason.SEAL_MISSING: (
        ("Chưa có chữ ký số của cơ quan.", "The agency's digital seal is missing."),
        _AGENCY,
    ),
    Reason.SEAL_OF_THE_LEADER: (
        (
            "Chữ ký của cơ quan được tạo bằng chính khóa của người ký, không phải con dấu riêng của cơ quan.",
            "The agency's seal was made with the official's own key, not with a key of the agency.",
        ),
        _AGENCY,
    ),
    Reason.TIMESTAMP_MISSING: (
        ("Thiếu dấu thời gian đáng tin cậy.", "A trusted timestamp is missing."),
        _AGENCY,
    ),
    Reason.NO_SIGNATURE: (
        (
            "Tệp này chưa được ký số, hoặc là bản chụp, bản in lại, bản lưu lại qua ứng dụng nhắn tin.",
            "This file was never signed, or it is a picture, a print, or was saved again by a messaging app.",
        ),
        _CODE,
    ),
}
