"""What a person is told about a file: a headline, one cause, one next step, in Vietnamese and in English.

Every verdict and every `Reason` has words in both languages; the most decisive reason speaks. What the file says of
itself (title, author) is never repeated: anyone can write that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from signing.changes import Later
from signing.types import AtSigning, Kind, Reason, TimeSource, Verdict

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


def later_words(code: str, *, language: Language = "vi") -> str:
    """What came after a signature, as part of a list."""
    return _LATER[Later(code)][0 if language == "vi" else 1]


def at_signing_words(at: AtSigning, *, language: Language = "vi") -> str:
    """What the certificate was worth when it signed."""
    return _AT_SIGNING[at][0 if language == "vi" else 1]


def time_source_words(source: TimeSource, *, language: Language = "vi") -> str:
    """Who says when it was signed."""
    return _TIME_SOURCES[source][0 if language == "vi" else 1]


def sub_indication_words(code: str, *, language: Language = "vi") -> str:
    """What an ETSI sub-indication means; "" for one without words here."""
    return _SUB_INDICATIONS.get(code, ("", ""))[0 if language == "vi" else 1]


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
    Kind.CHECK_REPORT: (
        "Đây là biên bản kiểm tra chữ ký số, nội dung không thay đổi từ khi ký; nó không phải là kết quả giải quyết.",
        "A report of a check of signatures, unchanged since it was signed; it is not itself a result.",
    ),
    Kind.ANNEX: (
        "Đây là phụ lục của một văn bản, nội dung không thay đổi từ khi cơ quan ký; tự nó không phải là kết quả.",
        "An annex of another document, unchanged since the agency signed it; it is not itself a result.",
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
            "Nội dung không đổi từ khi ký, nhưng chữ ký dùng thuật toán cũ (như SHA-1), nay không đủ mạnh để xác nhận.",
            "Unchanged since it was signed, but the signature uses an old algorithm (as SHA-1) too weak to confirm it.",
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
            "Phần đã ký còn nguyên vẹn, nhưng tệp có hai mục lục hoặc sai chuẩn nên phần thêm sau không so được.",
            "What was signed is intact; with two tables of contents, or broken rules, later parts can't be compared.",
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
    Reason.SEAL_NOT_ON_RECORD: (
        (
            "Sổ có đúng tệp này, nhưng con dấu trong tệp không phải của chứng thư nào đã ghi cho cơ quan phát hành.",
            "The register holds this very file, but its seal is of no certificate on record for the agency.",
        ),
        (
            "Chưa dùng văn bản này; hỏi cơ quan phát hành.",
            "Don't use it yet; ask the agency that issued it.",
        ),
    ),
    Reason.NOT_THE_AGENCY: (
        (
            "Chữ ký trên phụ lục không phải của cơ quan đã phát hành văn bản chính.",
            "The annex isn't signed by the agency that issued the main document.",
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

_LATER: dict[Later, Pair] = {
    Later.SIGNATURE: ("có thêm chữ ký khác", "another signature was added"),
    Later.TIMESTAMP: ("có thêm dấu thời gian lưu trữ", "an archive timestamp was added"),
    Later.EVIDENCE: ("có thêm bằng chứng kiểm tra", "evidence for checking was added"),
    Later.PAGES: ("số trang hoặc thứ tự trang đã đổi", "pages were added, removed or moved"),
    Later.PAGE_CONTENT: ("nội dung trang đã đổi", "the content of a page was changed"),
    Later.ANNOTATIONS: ("có ghi chú hoặc hình che lên trang", "notes or shapes were laid over a page"),
    Later.FIELDS: ("ô biểu mẫu đã đổi", "fields of the form were changed"),
    Later.SCRIPTS: ("có mã chạy tự động", "a program that runs by itself was added"),
    Later.ATTACHMENTS: ("có tệp đính kèm", "files were attached"),
    Later.LAYERS: ("có lớp ẩn, hiện", "layers that show or hide were changed"),
    Later.OTHER: ("có phần khác đã đổi", "something else was changed"),
}

_AT_SIGNING: dict[AtSigning, Pair] = {
    AtSigning.VALID: ("có hiệu lực", "valid"),
    AtSigning.EXPIRED: ("đã hết hạn", "expired"),
    AtSigning.NOT_YET_VALID: ("chưa có hiệu lực", "not yet valid"),
    AtSigning.REVOKED: ("đã bị thu hồi", "revoked"),
    AtSigning.UNKNOWN: ("chưa xác định", "not known"),
}

_TIME_SOURCES: dict[TimeSource, Pair] = {
    TimeSource.TIMESTAMP: ("dấu thời gian của chữ ký", "the signature's timestamp"),
    TimeSource.DOCUMENT_TIMESTAMP: ("dấu thời gian của cả tệp", "the timestamp of the whole file"),
    TimeSource.CLAIMED: ("máy người ký tự khai, không có bằng chứng", "the signer's computer alone, without proof"),
    TimeSource.NONE: ("không có", "nobody"),
}

#: ETSI EN 319 102-1, table 3 and 4, as far as a verdict here can name them.
_SUB_INDICATIONS: dict[str, Pair] = {
    "HASH_FAILURE": ("nội dung không khớp với chữ ký", "the content doesn't match the signature"),
    "SIG_CRYPTO_FAILURE": ("chữ ký sai về toán học", "the signature's mathematics fail"),
    "FORMAT_FAILURE": ("chữ ký hoặc tệp sai cấu trúc", "the signature or file has the wrong structure"),
    "SIGNED_DATA_NOT_FOUND": ("không còn thấy dữ liệu đã ký", "what was signed can't be found"),
    "REVOKED": ("chứng thư bị thu hồi trước khi ký", "the certificate was revoked before signing"),
    "REVOKED_NO_POE": (
        "chứng thư đã bị thu hồi, chưa chứng minh được là ký trước đó",
        "the certificate is revoked; nothing proves that it signed before",
    ),
    "REVOKED_CA_NO_POE": (
        "nơi cấp chứng thư đã bị thu hồi, chưa chứng minh được là ký trước đó",
        "the issuing authority is revoked; nothing proves that it signed before",
    ),
    "OUT_OF_BOUNDS_NO_POE": (
        "chứng thư ngoài thời hạn, chưa chứng minh được là ký trong hạn",
        "outside the certificate's period; nothing proves that it signed within",
    ),
    "OUT_OF_BOUNDS_NOT_REVOKED": ("chứng thư ngoài thời hạn, không bị thu hồi", "outside its period, not revoked"),
    "NOT_YET_VALID": ("ký trước khi chứng thư có hiệu lực", "signed before the certificate was valid"),
    "EXPIRED": ("chứng thư hết hạn trước khi ký", "the certificate had expired before signing"),
    "NO_CERTIFICATE_CHAIN_FOUND": ("không dẫn tới gốc tin cậy nào", "no chain to a trusted root"),
    "NO_SIGNING_CERTIFICATE_FOUND": ("không thấy chứng thư người ký", "the signer's certificate is missing"),
    "CHAIN_CONSTRAINTS_FAILURE": ("chuỗi chứng thư trái quy tắc", "the chain breaks its own constraints"),
    "CERTIFICATE_CHAIN_GENERAL_FAILURE": ("chuỗi chứng thư có lỗi", "the chain has an error"),
    "CRYPTO_CONSTRAINTS_FAILURE": ("thuật toán hoặc khóa quá yếu", "an algorithm or key is too weak"),
    "CRYPTO_CONSTRAINTS_FAILURE_NO_POE": (
        "thuật toán nay quá yếu, chưa chứng minh được là ký khi còn đủ mạnh",
        "an algorithm is too weak today; nothing proves that it signed in time",
    ),
    "SIG_CONSTRAINTS_FAILURE": ("chữ ký trái chính sách kiểm tra", "the signature breaks the policy"),
    "TRY_LATER": ("chưa có dữ liệu thu hồi, hãy thử lại sau", "no revocation data now; try later"),
    "NO_POE": ("không có bằng chứng về thời điểm", "no proof of the time"),
    "TIMESTAMP_ORDER_FAILURE": ("các dấu thời gian sai thứ tự", "timestamps are out of order"),
    "POLICY_PROCESSING_ERROR": ("không xử lý được chính sách", "the policy can't be processed"),
    "REVOCATION_OUT_OF_BOUNDS_NO_POE": (
        "dữ liệu thu hồi đã quá hạn, không có bằng chứng về thời điểm",
        "the revocation data is out of date; nothing proves the time",
    ),
    "SIGNATURE_POLICY_NOT_AVAILABLE": ("không có chính sách mà chữ ký nêu", "the policy it names isn't available"),
    "GENERIC": ("lý do khác", "another reason"),
}
