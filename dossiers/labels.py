"""Every word the office shows for a state, role, step, flag, field or trouble, in Vietnamese and English: here only.

States read as on the page: in the middle of a sentence, so they begin small. Troubles are whole sentences saying what
happened and what to do next; the scan itself is always safe by then. Verdicts on files are `signing.words`' to say.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal

from digitize.types import Flag
from dossiers.anchors import AnchorState
from dossiers.parcels import ParcelState
from dossiers.types import (
    AgencyKind,
    ChangeKind,
    ComponentState,
    DigitisationProfile,
    DossierState,
    Doubt,
    KeyHeld,
    PageState,
    PaperState,
    PinAsked,
    RegisterStatus,
    ResultState,
    Role,
    TransferState,
)
from signing.types import StoreName

Language = Literal["vi", "en"]

#: (Vietnamese, English)
_MEMBERS: Final[dict[type[Enum], dict[Enum, tuple[str, str]]]] = {
    Role: {
        Role.POSTAL: ("nhân viên bưu điện", "postal staff"),
        Role.CLERK: ("cán bộ một cửa", "clerk"),
        Role.LEADER: ("lãnh đạo", "leader"),
        Role.SEAL_KEEPER: ("văn thư", "seal keeper"),
        Role.ADMINISTRATOR: ("quản trị viên", "administrator"),
    },
    StoreName: {
        StoreName.NEAC: (
            "Gốc quốc gia (Trung tâm Chứng thực điện tử quốc gia, NEAC)",
            "National root (National Electronic Authentication Centre, NEAC)",
        ),
        StoreName.CIPHER: ("Ban Cơ yếu Chính phủ (chứng thư công vụ)", "Government Cipher Committee (public duty)"),
        StoreName.CENTRE: ("Kho riêng của trung tâm", "The centre's own store"),
    },
    AnchorState: {
        AnchorState.PROPOSED: ("chờ người thứ hai xác nhận", "waiting for a second person's confirmation"),
        AnchorState.TRUSTED: ("được tin", "trusted"),
        AnchorState.REFUSED: ("đã từ chối", "refused"),
        AnchorState.RETIRED: ("đã thôi tin", "trust ended"),
    },
    AgencyKind: {
        AgencyKind.CENTRE: ("trung tâm phục vụ hành chính công", "public service centre"),
        AgencyKind.COMMUNE: ("trung tâm phục vụ hành chính công cấp xã", "commune service centre"),
        AgencyKind.POST_OFFICE: ("bưu điện", "post office"),
    },
    DigitisationProfile: {
        DigitisationProfile.CAPTURE: ("người quét ký khi số hóa", "signed by the scanning person at capture"),
        DigitisationProfile.REVIEW: ("cán bộ soát rồi cơ quan ký sao y", "reviewed, then signed by the agency"),
    },
    DossierState: {
        DossierState.DRAFT: ("nháp", "draft"),
        DossierState.RECEIVED: ("đã tiếp nhận", "received"),
        DossierState.DIGITIZING: ("đang số hóa", "being digitised"),
        DossierState.NEEDS_SUPPLEMENT: ("chờ bổ sung", "waiting for a supplement"),
        DossierState.DIGITIZED: ("đã số hóa", "digitised"),
        DossierState.IN_PROCESS: ("đang giải quyết", "being processed"),
        DossierState.RESULT_READY: ("có kết quả", "result ready"),
        DossierState.RETURNED: ("đã trả", "result handed over"),
        DossierState.REFUSED: ("từ chối", "refused"),
        DossierState.CANCELLED: ("đã rút", "cancelled by the applicant"),
    },
    ComponentState: {
        ComponentState.RECEIVED: ("đã nhận, đang đọc", "received, being read"),
        ComponentState.CAPTURE_SIGNING: ("chờ chữ ký người quét", "waiting for the scanning person's signature"),
        ComponentState.READ: ("đã đọc, chờ soát", "read, waiting for review"),
        ComponentState.REVIEWED: ("đã soát", "reviewed"),
        ComponentState.SIGNING: ("chờ chữ ký cơ quan", "waiting for the agency's signature"),
        ComponentState.DIGITIZED: ("đã số hóa", "digitised"),
        ComponentState.SET_ASIDE: ("cần người xem lại", "set aside for a person to look at"),
        ComponentState.REPLACED: ("đã thay bằng bản khác", "replaced by another scan"),
    },
    PageState: {
        PageState.RECEIVED: ("đã nhận", "received"),
        PageState.CLEANED: ("đã làm sạch", "cleaned"),
        PageState.READ: ("đã đọc", "read"),
        PageState.REVIEWED: ("đã soát", "reviewed"),
        PageState.SET_ASIDE: ("cần người xem lại", "set aside for a person to look at"),
    },
    ResultState: {
        ResultState.DRAFT: ("dự thảo", "draft"),
        ResultState.SUBMITTED: ("chờ ký", "waiting for approval"),
        ResultState.APPROVED: ("đã duyệt, đang ký", "approved, being signed"),
        ResultState.LEADER_SIGNED: ("lãnh đạo đã ký", "signed by the leader"),
        ResultState.SEALED: ("cơ quan đã ký", "sealed"),
        ResultState.ISSUED: ("đã phát hành", "issued"),
        ResultState.WITHDRAWN: ("đã thu hồi", "withdrawn"),
        ResultState.SUPERSEDED: ("đã thay thế", "superseded"),
        ResultState.DISCARDED: ("đã bỏ dự thảo", "draft discarded"),
    },
    ChangeKind: {
        ChangeKind.RECOUNTED: ("đếm lại", "counted anew"),
        ChangeKind.GONE: ("đã thay hoặc tách; bản cũ vẫn giữ", "replaced or parted; the old one is kept"),
        ChangeKind.NEW: ("nộp thêm, quét lại hoặc tách ra sau", "brought, scanned again or parted later"),
    },
    PaperState: {
        PaperState.HELD: ("đang giữ", "held"),
        PaperState.TRAVELLING: ("đang bàn giao", "on its way"),
        PaperState.MISSING: ("bên nhận báo thiếu", "reported missing by the receiver"),
    },
    ParcelState: {
        ParcelState.COMING: ("đang đến", "on its way"),
        ParcelState.WAITING: ("chờ gắn vào hồ sơ", "waiting for its dossier"),
        ParcelState.COLLECTED: ("đã nhận, chờ ghép thành giấy", "received, waiting to become a paper"),
        ParcelState.TAKEN: ("đã nhận vào hồ sơ", "in its dossier"),
        ParcelState.REFUSED: ("không nhận", "refused"),
        ParcelState.SET_ASIDE: ("đã để riêng", "set aside"),
    },
    TransferState: {
        TransferState.SENT: ("đã giao, chờ nhận", "sent, waiting to be accepted"),
        TransferState.ACCEPTED: ("đã nhận", "accepted"),
        TransferState.RECALLED: ("đã rút lại", "recalled by the sender"),
    },
    RegisterStatus: {
        RegisterStatus.ISSUED: ("đang có hiệu lực trong sổ phát hành", "in force in the register"),
        RegisterStatus.WITHDRAWN: ("đã bị thu hồi", "withdrawn"),
        RegisterStatus.SUPERSEDED: ("đã được thay thế", "superseded"),
        RegisterStatus.NOT_OURS: ("không có trong sổ phát hành của trung tâm", "not in this centre's register"),
    },
    KeyHeld: {
        KeyHeld.FOLDER: ("tệp khóa ở máy chủ", "a key file on the server"),
        KeyHeld.OWN_TOKEN: ("thiết bị của người ký (USB token, SIM)", "the signer's own token or SIM"),
        KeyHeld.PKCS11: ("token hoặc HSM ở máy ký", "a token or HSM at the signing machine"),
        KeyHeld.REMOTE: ("dịch vụ ký từ xa", "a remote signing service"),
    },
    PinAsked: {
        PinAsked.NEVER: ("không hỏi mã PIN", "no PIN is asked for"),
        PinAsked.BATCH: ("mã PIN một lần cho cả đợt", "a PIN once for a batch"),
        PinAsked.SIGNATURE: ("mã PIN cho từng chữ ký", "a PIN for every signature"),
    },
    Doubt: {
        Doubt.LOW_CONFIDENCE: ("máy đọc chưa chắc", "the reader isn't sure"),
        Doubt.BY_HAND: ("viết tay: nhìn ảnh mà gõ", "by hand: type what the picture shows"),
        Doubt.NO_SUCH_DAY: ("ngày này không có trong lịch", "there is no such day"),
        Doubt.FUTURE_DAY: ("ngày này chưa tới", "this day is yet to come"),
        Doubt.NUMBER_PATTERN: ("số văn bản không đúng dạng", "not written as a document's number"),
        Doubt.SYMBOL_PATTERN: ("ký hiệu không đúng dạng (mẫu: QĐ-UBND)", "not written as a symbol (like QD-UBND)"),
        Doubt.OWNER_ID: ("số định danh không hợp lệ", "not a valid ID number"),
        Doubt.TOO_LONG: ("dài hơn mức quy định", "longer than the rules allow"),
    },
    Flag: {
        Flag.LOW_RESOLUTION: ("dưới 200 dpi", "below 200 dpi"),
        Flag.BLANK: ("trang trắng?", "blank page?"),
        Flag.BLURRED: ("mờ", "blurred"),
        Flag.CUT_EDGE: ("mất mép", "cut edge"),
        Flag.DARK: ("tối", "too dark"),
        Flag.TURNED: ("ngược (đã tự xoay)", "turned (put upright)"),
        Flag.SKEWED: ("nghiêng", "skewed"),
        Flag.UNUSUAL_SIZE: ("khổ giấy lạ", "unusual paper size"),
        Flag.TWO_PAGES: ("hai trang trong một ảnh", "two pages in one picture"),
        Flag.GLARE: ("lóa sáng", "glare"),
        Flag.BLEED_THROUGH: ("thấm mực mặt sau", "the back shows through"),
        Flag.SAME_AGAIN: ("trùng trang", "the same page again"),
        Flag.ANOTHER_PAPER: ("một giấy tờ khác bắt đầu ở đây?", "does another paper begin here?"),
        Flag.OUT_OF_ORDER: ("số trang không nối tiếp", "page number out of order"),
        Flag.DOUBTFUL_READING: ("chữ đọc chưa chắc", "doubtful reading"),
        Flag.HANDWRITTEN_NUMBER: ("số viết tay", "number by hand"),
        Flag.HANDWRITTEN_DAY: ("ngày viết tay", "day by hand"),
        Flag.ACTIVE_CONTENT: ("tệp có mã chạy hoặc tệp kèm (bản số hóa bỏ đi)", "programs or files inside (left out)"),
    },
}

_STEPS: Final[dict[str, tuple[str, str]]] = {
    "add_components": ("thêm giấy tờ", "add the papers"),
    "scan": ("quét giấy tờ", "scan the papers"),
    "review_and_sign": ("soát và ký bản số hóa", "review and sign the digitised copies"),
    "await_supplement": ("nhận giấy tờ bổ sung", "take in the supplement"),
    "start_processing": ("bắt đầu giải quyết", "start processing"),
    "prepare_result": ("soạn kết quả", "prepare the result"),
    "hand_over": ("trả kết quả", "hand over the result"),
    "receive": ("tiếp nhận và in giấy hẹn", "receive it and print the receipt"),
    "rescan_or_retry": (
        "quét lại hoặc cho đọc lại giấy tờ bị dừng",
        "scan the stopped paper again, or retry",
    ),
    "review": ("soát giấy tờ đã đọc", "review what was read"),
    "sign_copy": ("ký bản số hóa", "sign the digitised copy"),
    "being_processed": ("hệ thống đang xử lý giấy tờ", "papers are being processed"),
    "register_signed": ("vào sổ văn bản đã ký sẵn", "register the result that came signed"),
    "submit": ("trình ký", "submit for approval"),
    "approve": ("duyệt và ký", "approve and sign"),
    "sign_as_leader": ("hệ thống đang ký số theo lệnh duyệt của lãnh đạo", "being signed as the approver asked"),
    "sign_with_token": ("ký bằng thiết bị của mình (USB token, SIM)", "sign with one's own token or SIM"),
    "seal": ("hệ thống đang ký số cơ quan", "being sealed"),
    "await_timestamp": (
        "đã ký, chờ dấu thời gian; hệ thống tự làm tiếp",
        "signed, waiting for its timestamp; goes on by itself",
    ),
    "sign_annexes": ("hệ thống đang ký phụ lục", "annexes are being signed"),
    "issue": ("hệ thống đang phát hành", "being issued"),
    "send_papers": ("bàn giao hồ sơ giấy cho bộ phận một cửa", "send the paper dossier on to the desk"),
    "accept_papers": ("kiểm đếm và nhận hồ sơ giấy", "count and accept the paper dossier"),
    "find_papers": ("tìm lại hồ sơ giấy bên nhận báo thiếu", "look for the paper that did not arrive"),
    "type_pin": ("gõ lại mã PIN để ký tiếp", "type the PIN again to go on signing"),
    "mend_signing": ("xem lại việc ký bị dừng", "look into the signing that stopped"),
}

#: Why a dossier can't be put on a transfer slip.
_TRANSFERS: Final[dict[str, tuple[str, str]]] = {
    "no_dossiers": ("chưa chọn hồ sơ nào để bàn giao", "no dossier was chosen"),
    "same_agency": ("nơi nhận trùng với nơi giao", "the receiver is the sender"),
    "paper_not_received": (
        "hồ sơ chưa tiếp nhận, giấy tờ còn là của người nộp",
        "not received yet, the papers are still the applicant's",
    ),
    "paper_elsewhere": ("hồ sơ giấy không ở cơ quan của bạn", "your agency doesn't hold the paper"),
    "paper_travelling": (
        "hồ sơ giấy đang nằm trong một phiếu bàn giao chưa nhận xong",
        "the paper is on another transfer slip that isn't accepted yet",
    ),
    "receiver_has_no_part": (
        "nơi nhận không tham gia giải quyết hồ sơ này",
        "the receiver has no part in this dossier",
    ),
    "not_on_slip": ("hồ sơ báo thiếu không có trong phiếu này", "a dossier said to be missing isn't on this slip"),
    "missing_without_note": ("hồ sơ thiếu chưa ghi rõ thiếu gì", "what is missing isn't said"),
}

_FIELDS: Final[dict[str, tuple[str, str]]] = {
    "number": ("số", "number"),
    "symbol": ("ký hiệu", "symbol"),
    "issued_on": ("ngày ban hành", "date of issue"),
    "place": ("nơi ban hành", "place of issue"),
    "document_type": ("tên giấy tờ", "name of the paper"),
    "abstract": ("trích yếu", "abstract"),
    "agency": ("cơ quan ban hành", "issuing body"),
    "type_code": ("mã loại giấy tờ", "code of the kind of paper"),
    "owner_id": ("số định danh của chủ giấy tờ", "ID number of whom it belongs to"),
    "valid_until": ("thời hạn hiệu lực", "valid until"),
    "scope": ("phạm vi hiệu lực", "where it is valid"),
    "signer": ("người ký", "signer"),
    "position": ("chức vụ người ký", "signer's position"),
    "recipients": ("nơi nhận", "recipients"),
    "parent_agency": ("cơ quan cấp trên", "parent body"),
    "power": ("thẩm quyền ký", "power to sign"),
    "legal_bases": ("căn cứ ban hành", "legal bases"),
    "owner_name": ("tên chủ giấy tờ", "name of whom it belongs to"),
    "owner_address": ("địa chỉ của chủ giấy tờ", "address of whom it belongs to"),
    "tax_code": ("mã số thuế", "tax code"),
    "dossier_code": ("mã hồ sơ", "dossier code"),
    "card_qr": ("mã QR trên thẻ căn cước", "QR code of the ID card"),
    "land_serial": ("số phát hành giấy chứng nhận đất", "serial of the land certificate"),
    "land_register": ("số vào sổ cấp giấy chứng nhận", "entry in the register of land certificates"),
    "parcel": ("thửa đất số", "land parcel"),
    "map_sheet": ("tờ bản đồ số", "sheet of the land map"),
    "procedure_code": ("mã thủ tục hành chính", "code of the procedure"),
}

_TROUBLES: Final[dict[str, tuple[str, str]]] = {
    "duplicate": ("Tệp này đã có trong hồ sơ; không cần gửi lại.", "The dossier has this file already."),
    "dossier_unknown": (
        "Mã hồ sơ trên tên tệp không có, hoặc không thuộc cơ quan này. Chọn đúng hồ sơ rồi gắn tệp.",
        "The dossier code in the name isn't known to this agency. Choose the right dossier and attach the file.",
    ),
    "dossier_closed": (
        "Hồ sơ trên tên tệp không nhận thêm giấy tờ. Xem lại hồ sơ, hoặc gắn tệp vào hồ sơ khác.",
        "The dossier in the name takes no more papers. Look at it again, or attach the file to another one.",
    ),
    "kind_unknown": (
        "Loại giấy ghi kèm không có trong thủ tục của hồ sơ. Chọn loại giấy rồi gắn tệp.",
        "The dossier's procedure has no such kind of paper. Choose the kind and attach the file.",
    ),
    "sheet_unread": (
        "Có trang giống tờ ngăn mà không đọc được mã; trang sau nó vẫn ở giấy này. Tách giấy, hoặc ghi lý do khi soát.",
        "A page looks like a separator sheet that can't be read; what follows stayed here. Part the paper, or say why.",
    ),
    "sheet_kind_unknown": (
        "Tờ ngăn ghi loại giấy không có trong thủ tục. Chuyển giấy vào đúng mục, hoặc ghi lý do khi soát.",
        "The separator sheet names a paper that isn't on the list. Move it to its row, or say at the review why not.",
    ),
    "sheet_without_pages": (
        "Cạnh giấy này có tờ ngăn không kèm trang nào. Xem khay còn sót giấy không; không thì ghi lý do khi soát.",
        "Beside this paper came a separator sheet without pages. See whether a paper was left out; if not, say so.",
    ),
    "sheet_twice": (
        "Tờ ngăn của giấy này có hai lần trong một lượt quét. Đúng là hai giấy thì ghi lý do khi soát.",
        "This paper's separator sheet came twice in one scan. If there really are two such papers, say so.",
    ),
    "sheet_dossier_unknown": (
        "Mã hồ sơ trên tờ ngăn không có, hoặc không thuộc cơ quan này. Chọn đúng hồ sơ rồi gắn tệp.",
        "The dossier on the separator sheet isn't known to this agency. Choose the right dossier and attach the file.",
    ),
    "sheet_dossier_closed": (
        "Hồ sơ trên tờ ngăn không nhận thêm giấy tờ. Xem lại hồ sơ, hoặc gắn tệp vào hồ sơ khác.",
        "The dossier on the separator sheet takes no more papers. Look at it again, or attach the file to another one.",
    ),
    "before_first_sheet": (
        "Các trang này nằm trước tờ ngăn đầu tiên nên chưa rõ của hồ sơ nào. Xem tệp rồi gắn vào hồ sơ.",
        "These pages came before the first separator sheet. Look at them and attach them to their dossier.",
    ),
    "part_first_page": (
        "Trang 1 mở đầu chính giấy này. Chọn trang đầu của giấy thứ hai; nếu trang 1 là tờ ngăn thì chọn “Tờ ngăn”.",
        "Page 1 is this paper's own first page. Choose the second paper's; if page 1 is a separator sheet, say so.",
    ),
    "part_only_a_sheet": (
        "Giấy này chỉ có một trang. Nếu đó chỉ là tờ ngăn thì bỏ cả giấy ở trang hồ sơ, khi hồ sơ chưa tiếp nhận.",
        "This paper has one page. If it is only a separator sheet, take the paper out before the dossier is received.",
    ),
    "part_by_computer": (
        "Tệp do máy tính lập hoặc đã ký số được giữ nguyên từng byte, không tách. Xuất riêng từng giấy rồi thêm vào.",
        "A file written by a computer, or signed, is kept byte for byte. Bring in each paper as a file of its own.",
    ),
    "part_gone": (
        "Giấy này đã tách, đã thay hoặc đã bỏ rồi. Xem các giấy hiện có ở trang hồ sơ.",
        "This paper was parted, replaced or taken out already. The dossier's page shows what there is now.",
    ),
    "part_dossier_closed": (
        "Hồ sơ ở bước này không nhận hay đổi giấy tờ nữa; giấy đã nhận giữ nguyên như trên giấy hẹn.",
        "The dossier takes no papers any more; what it was received with stays as its receipt says.",
    ),
    "part_signed": (
        "Bản số hóa của giấy này đã ký hoặc đang ký nên không tách được nữa. Quét lại riêng từng giấy.",
        "This paper's copy is signed or being signed; it can't be parted any more. Scan both papers again.",
    ),
    "not_a_picture": (
        "Không phải ảnh chụp JPEG, PNG hay WebP. Xin chụp lại bằng máy ảnh của điện thoại.",
        "It isn't a JPEG, PNG or WebP picture. Please take it again with the telephone's camera.",
    ),
    "phone_dropped": ("Đã bỏ khỏi các ảnh chờ ghép.", "Taken out of the pictures that wait."),
    "phone_link_unknown": (
        "Địa chỉ chụp ảnh này không đúng. Quét lại mã QR trên màn hình ở quầy.",
        "This address is wrong. Scan the QR code on the counter's screen again.",
    ),
    "phone_link_expired": (
        "Mã QR đã hết 10 phút. Nhờ cán bộ ở quầy bấm “Thêm 10 phút” hoặc hiện mã mới.",
        "The code's ten minutes are over. Ask at the counter for ten more, or for a new code.",
    ),
    "phone_link_ended": (
        "Cán bộ ở quầy đã kết thúc lượt chụp này. Cần chụp thêm thì nhờ hiện mã mới.",
        "The counter has ended this. If more pictures are needed, ask for a new code.",
    ),
    "phone_link_dossier_closed": (
        "Hồ sơ này không nhận thêm giấy tờ nữa. Hỏi cán bộ ở quầy.",
        "This dossier takes no more papers. Ask at the counter.",
    ),
    "only_sheets": (
        "Tệp chỉ có tờ ngăn, không có trang giấy nào. Đặt giấy sau mỗi tờ ngăn rồi quét lại.",
        "The file has separator sheets only. Put the papers behind their sheets and scan again.",
    ),
    "sheet_astray": (
        "Có tờ ngăn của hồ sơ khác. Bỏ tờ đó và giấy của nó ra rồi quét lại.",
        "A separator sheet names another dossier. Take it and its papers out and scan again.",
    ),
    "empty": ("Tệp rỗng. Xin quét lại.", "The file is empty. Please scan again."),
    "truncated": (
        "Tệp bị đứt giữa chừng. Xin gửi lại hoặc quét lại.",
        "The file breaks off. Please send it again or scan again.",
    ),
    "encrypted": (
        "Tệp có mật khẩu. Xin bỏ mật khẩu rồi gửi lại.",
        "The file has a password. Please remove it and send it again.",
    ),
    "wrong_type": (
        "Không phải tệp PDF, JPEG, PNG, WebP hay TIFF. Xin xuất lại một trong các dạng đó.",
        "Not a PDF, JPEG, PNG, WebP or TIFF file. Please export it as one of these.",
    ),
    "heic": (
        "Ảnh HEIC của iPhone, không nhận được. Vào Cài đặt → Camera → Định dạng, chọn Tương thích nhất rồi chụp lại.",
        "An iPhone's HEIC picture can't be taken in. Set Camera → Formats to Most Compatible, then take it again.",
    ),
    "no_pages": ("Tệp không có trang nào. Xin quét lại.", "The file has no pages. Please scan again."),
    "too_many_pages": (
        "Tệp có quá nhiều trang. Xin chia thành nhiều tệp.",
        "The file has too many pages. Please split it.",
    ),
    "page_too_large": (
        "Trang ảnh quá lớn. Xin quét lại ở 300 dpi.",
        "A page is too large. Please scan it at 300 dpi.",
    ),
    "too_large": ("Tệp quá lớn. Xin chia nhỏ hoặc quét ở 300 dpi.", "The file is too large. Please split it."),
    "damaged": ("Tệp bị hỏng. Xin quét lại.", "The file is damaged. Please scan again."),
    "reader_died": (
        "Máy đọc dừng nhiều lần ở trang này. Bản quét vẫn an toàn; xin quét lại trang hoặc thử lại.",
        "Reading stopped at this page several times. The scan is safe; scan the page again or try again.",
    ),
    "reader_crashed": (
        "Máy đọc chữ dừng giữa chừng nhiều lần. Bản quét vẫn an toàn; xin thử lại hoặc quét lại trang.",
        "The reader broke off several times. The scan is safe; try again or scan the page again.",
    ),
    "reader_timeout": (
        "Máy đọc chữ quá thời gian ở trang này. Bản quét vẫn an toàn; xin thử lại hoặc quét lại trang.",
        "Reading this page took too long. The scan is safe; try again or scan the page again.",
    ),
    "reader_missing": (
        "Máy chủ thiếu máy đọc chữ tiếng Việt. Bản quét vẫn an toàn; xin báo quản trị viên chạy “hoso doctor”.",
        "The server lacks the reader for Vietnamese. The scan is safe; ask the administrator to run “hoso doctor”.",
    ),
    "object_missing": (
        "Kho lưu trữ không trả lại đúng bản quét. Xin báo quản trị viên.",
        "The store didn't give the scan back as it was. Please tell the administrator.",
    ),
    "certificate_missing": (
        "Người ký chưa có chứng thư số nào được ghi nhận nên chưa ký gì. Xin báo quản trị viên.",
        "No certificate is on record for the signer, so nothing was signed. Please tell the administrator.",
    ),
    "certificate_revoked": (
        "Chứng thư số đã bị thu hồi nên chưa ký gì. Xin dùng chứng thư khác.",
        "The certificate is revoked, so nothing was signed. Please use another.",
    ),
    "certificate_suspended": (
        "Chứng thư số đang bị tạm dừng nên chưa ký gì. Xin hỏi nơi cấp, hoặc dùng chứng thư khác.",
        "The certificate is suspended, so nothing was signed. Ask its issuer, or use another.",
    ),
    "certificate_expired": (
        "Chứng thư số đã hết hạn nên chưa ký gì. Xin gia hạn chứng thư.",
        "The certificate has expired, so nothing was signed. Please renew it.",
    ),
    "certificate_not_yet_valid": (
        "Chứng thư số chưa đến ngày có hiệu lực nên chưa ký gì. Xin xem lại đồng hồ máy chủ và chứng thư.",
        "The certificate isn't valid yet, so nothing was signed. Please check the server's clock and the certificate.",
    ),
    "wrong_key_usage": (
        "Chứng thư số không dành cho ký văn bản nên chưa ký gì. Xin dùng chứng thư khác.",
        "The certificate isn't meant for signing documents, so nothing was signed. Please use another.",
    ),
    "untrusted_issuer": (
        "Nơi cấp chứng thư số chưa được tin cậy nên chưa ký gì. Xin báo quản trị viên.",
        "The certificate's issuer isn't trusted, so nothing was signed. Please tell the administrator.",
    ),
    "annex_own_token": (
        "Con dấu của cơ quan nằm trên USB token nên chưa ký được phụ lục rời; gộp phụ lục vào tệp văn bản.",
        "The agency's key is on a token, which can't sign annexes apart; put the annex into the document's file.",
    ),
    "signer_left": (
        "Người phải ký không còn là lãnh đạo của cơ quan này nên chưa ký gì. Trả về dự thảo để chọn người ký khác.",
        "Who was to sign is no leader of this agency any more, so nothing was signed. Send it back and choose another.",
    ),
    "weak_key": (
        "Khóa ký quá yếu nên chưa ký gì. Xin đổi chứng thư.",
        "The key is too weak, so nothing was signed. Please change the certificate.",
    ),
    "status_unknown": (
        "Chưa hỏi được chứng thư số còn hiệu lực không nên chưa ký gì. Xin thử lại sau.",
        "Whether the certificate is still valid can't be found out, so nothing was signed. Please try again later.",
    ),
    "wrong_passphrase": (
        "Mật khẩu của tệp khóa không đúng nên chưa ký gì. Xin báo quản trị viên.",
        "The key file's passphrase is wrong, so nothing was signed. Please tell the administrator.",
    ),
    "unreadable_key": (
        "Không đọc được tệp khóa nên chưa ký gì. Xin báo quản trị viên.",
        "The key file can't be read, so nothing was signed. Please tell the administrator.",
    ),
    "held_elsewhere": (
        "Khóa nằm trong thiết bị của chính người ký; máy chủ không ký thay được. Xin ký bằng thiết bị đó.",
        "The key is on the signer's own token; the server can't sign with it. The signer signs with their token.",
    ),
    "token_absent": (
        "Máy ký không thấy token nên chưa ký gì. Xin cắm đúng token rồi cho ký tiếp.",
        "The signing machine doesn't see the token, so nothing was signed. Plug it in, then let signing go on.",
    ),
    "token_module": (
        "Máy ký không nạp được thư viện của token nên chưa ký gì. Xin báo quản trị viên.",
        "The token's library can't be loaded, so nothing was signed. Please tell the administrator.",
    ),
    "token_key_missing": (
        "Token không có khóa hoặc chứng thư đã ghi nên chưa ký gì. Xin báo quản trị viên.",
        "The token lacks the registered key or certificate, so nothing was signed. Please tell the administrator.",
    ),
    "token_failed": (
        "Token báo lỗi nên chưa ký gì. Xin rút ra cắm lại rồi cho ký tiếp.",
        "The token reported a fault, so nothing was signed. Plug it in again, then let signing go on.",
    ),
    "document_changed": (
        "Tệp chờ ký không còn như lúc chuẩn bị nên chưa ký gì. Xin ký lại từ đầu.",
        "The waiting file isn't as it was prepared, so nothing was signed. Please sign again from the start.",
    ),
    "pin_needed": (
        "Cần gõ lại mã PIN để ký tiếp; văn bản đã duyệt vẫn an toàn.",
        "The PIN must be typed again to go on; what was approved is safe.",
    ),
    "pin_wrong": (
        "Mã PIN không đúng nên chưa ký gì. Hệ thống không tự thử lại; xin gõ lại cẩn thận.",
        "The PIN is wrong, so nothing was signed. It isn't tried again by itself; please type it with care.",
    ),
    "pin_locked": (
        "Token đã khóa mã PIN nên chưa ký gì. Xin liên hệ nơi cấp chứng thư để mở khóa.",
        "The token's PIN is locked, so nothing was signed. Please ask the certificate's issuer to unlock it.",
    ),
    "signer_silent": (
        "Máy ký không chạy hoặc không trả lời nên chưa ký gì. Xin thử lại sau ít phút, hoặc báo quản trị viên.",
        "The signing machine doesn't answer, so nothing was signed. Try again soon, or tell the administrator.",
    ),
    "remote_silent": (
        "Dịch vụ ký từ xa không trả lời nên chưa ký gì. Xin thử lại sau ít phút.",
        "The remote signing service doesn't answer, so nothing was signed. Please try again in some minutes.",
    ),
    "remote_refused": (
        "Dịch vụ ký từ xa từ chối nên chưa ký gì. Xin xem lại chứng thư và quyền truy cập ở dịch vụ.",
        "The remote signing service refused, so nothing was signed. Check the credential and the access to it.",
    ),
    "encrypted_pdf": (
        "PDF có mật khẩu nên không ký được. Xin bỏ mật khẩu rồi gửi lại.",
        "The PDF has a password and can't be signed. Please remove it and send it again.",
    ),
    "already_signed": (
        "PDF đã có chữ ký ở chỗ này; không ký lần nữa.",
        "The PDF is already signed in this place; it isn't signed twice.",
    ),
    "unreadable_pdf": (
        "Không đọc được PDF nên chưa ký gì. Xin tạo lại tệp.",
        "The PDF can't be read, so nothing was signed. Please make it again.",
    ),
    "not_genuine": (
        "Chữ ký có sẵn trong PDF không kiểm tra được là thật nên chưa ghi sổ. Xin xem lý do rồi gửi bản khác.",
        "The signature the PDF came with isn't proven genuine, so nothing was registered. See why, then send another.",
    ),
    "wrong_certificate": (
        "Khóa ký không khớp với chứng thư hoặc cơ quan đã ghi; chưa ký gì. Xin báo quản trị viên.",
        "The key doesn't match the registered certificate or agency; nothing was signed. Tell the administrator.",
    ),
    "report_without_seal": (
        "Cơ quan lập biên bản chưa có con dấu (chứng thư) đang dùng được.",
        "The agency that makes reports has no seal in use.",
    ),
    "report_failed": (
        "Máy chủ gặp lỗi khi lập biên bản; người vận hành thấy lỗi này trong nhật ký.",
        "The server met an error while it made the report; whoever runs it sees it in the log.",
    ),
    "store_cannot_hold": (
        "Kho tệp đang dùng không giữ được tệp theo lệnh. Hệ thống vẫn chặn mọi việc xóa; báo quản trị viên đổi kho.",
        "This object store can't hold files. The service still refuses every deletion; tell the administrator.",
    ),
    "hold_waits_for_store": (
        "Kho tệp chưa phản hồi. Hệ thống vẫn chặn mọi việc xóa và sẽ tự làm tiếp.",
        "The object store doesn't answer. The service still refuses every deletion and goes on by itself.",
    ),
    "held_object_missing": (
        "Có tệp không còn trong kho nên không giữ được. Báo quản trị viên lấy lại từ bản sao lưu.",
        "A file isn't in the store any more. Tell the administrator to bring it back from a backup.",
    ),
    "assembly_failed": (
        "Không tạo được PDF tìm kiếm. Các trang đã đọc vẫn an toàn; xin thử lại.",
        "The searchable PDF couldn't be made. The pages read are safe; please try again.",
    ),
    "assembly_died": (
        "Ba lần tạo PDF tìm kiếm đều làm dừng máy đọc. Các trang đã đọc vẫn an toàn; xin thử lại, hoặc quét lại.",
        "Making the searchable PDF ended the reader three times. The pages are safe; please try again, or rescan.",
    ),
    "failed": (
        "Việc ký dừng vì lỗi chưa lường trước; chưa ghi nhận gì. Xin thử lại, còn lỗi thì báo quản trị viên.",
        "Signing stopped for an unforeseen fault; nothing was recorded. Try again, or tell the administrator.",
    ),
    "fields_failed": (
        "Máy không lấy được thông tin của giấy này. Xin nhập tay khi soát.",
        "The fields couldn't be extracted. Please type them while reviewing.",
    ),
    "waiting_for_trust_service": (
        "Dịch vụ dấu thời gian hoặc chứng thư chưa trả lời; chưa ký gì, hệ thống sẽ tự ký lại sau.",
        "The timestamp or certificate service doesn't answer; nothing was signed, it will be tried again by itself.",
    ),
    "waiting_for_timestamp": (
        "Đã ký, chờ dấu thời gian. Chữ ký được giữ an toàn, không ký lại; hệ thống tự làm tiếp.",
        "Signed, waiting for its timestamp. The signature is kept safe and isn't made again; it goes on by itself.",
    ),
    "signature_unproven": (
        "Chữ ký vừa tạo không qua được bước tự kiểm tra nên không dùng. Xin báo quản trị viên.",
        "The signature just made didn't pass our own check, so it isn't used. Please tell the administrator.",
    ),
    "field_missing": (
        "PDF không còn chỗ để ký. Xin tạo lại văn bản.",
        "The PDF has no place left for the signature. Please make the document again.",
    ),
    "forbidden_by_document": (
        "Chữ ký đã có trong PDF không cho thêm chữ ký. Xin dùng bản chưa khóa.",
        "A signature already in the PDF forbids another. Please use a copy that isn't locked.",
    ),
}

#: What the log says happened, as a person reads it.
_EVENTS: Final[dict[str, tuple[str, str]]] = {
    "dossier.opened": ("mở hồ sơ", "dossier opened"),
    "dossier.received": ("tiếp nhận, in giấy hẹn", "received, receipt printed"),
    "dossier.needs_supplement": ("yêu cầu bổ sung", "a supplement was asked for"),
    "dossier.refused": ("từ chối", "refused"),
    "dossier.cancelled": ("rút hồ sơ", "cancelled"),
    "dossier.resumed": ("tiếp tục sau bổ sung", "resumed after the supplement"),
    "dossier.in_process": ("bắt đầu giải quyết", "taken into work"),
    "dossier.returned": ("trả kết quả cho người dân", "result handed to the citizen"),
    "dossier.paper_sent": ("giấy tờ rời nơi giữ, chờ bên nhận", "papers sent on, waiting to be accepted"),
    "dossier.paper_arrived": ("bên nhận đã nhận giấy tờ", "papers accepted by the receiver"),
    "dossier.paper_missing": ("bên nhận báo thiếu giấy tờ", "papers reported missing by the receiver"),
    "dossier.paper_recalled": ("rút lại giấy tờ đang bàn giao", "papers taken back on their way"),
    "transfer.sent": ("lập phiếu bàn giao", "transfer slip made"),
    "transfer.accepted": ("nhận bàn giao", "transfer accepted"),
    "transfer.recalled": ("rút phiếu bàn giao", "transfer recalled"),
    "desk.announced": ("thêm máy quét, chờ ghép", "counter machine added, waiting to be paired"),
    "desk.paired": ("ghép máy quét", "counter machine paired"),
    "desk.revoked": ("thu hồi máy quét", "counter machine revoked"),
    "parcel.ended": ("tệp từ quầy đã xong", "a counter's file is done with"),
    "parcel.parted": ("tách tập quét thành từng giấy theo tờ phân cách", "stack of scans parted by separator sheets"),
    "parcel.opened": ("mở xem tệp trong hộp nhận", "a file of the inbox was opened"),
    "parcel.set_aside": ("để riêng tệp không thuộc hồ sơ nào", "a file of no dossier set aside"),
    "phone.handed_over": ("hiện mã QR cho điện thoại chụp giấy tờ", "QR code shown for a telephone's pictures"),
    "phone.extended": ("thêm giờ cho điện thoại", "more time for a telephone"),
    "phone.ended": ("kết thúc lượt chụp bằng điện thoại", "a telephone's turn ended"),
    "phone.picture_received": ("nhận ảnh từ điện thoại", "picture received from a telephone"),
    "phone.picture_dropped": ("bỏ một ảnh từ điện thoại; ảnh vẫn giữ", "a telephone's picture taken out; it is kept"),
    "phone.paper_made": ("ghép ảnh điện thoại thành giấy", "paper made of a telephone's pictures"),
    "component.received": ("nhận bản quét", "scan received"),
    "scan.parted": ("tách lượt quét theo tờ ngăn", "scan parted by separator sheets"),
    "scan.parted_by_hand": ("tách tay một bản quét thành các giấy", "scan parted into its papers by hand"),
    "component.parted": (
        "giấy đã tách thành các giấy khác; bản quét vẫn giữ",
        "paper parted into others; its scan is kept",
    ),
    "scan.opened": ("mở bản quét gốc", "scan as it came opened"),
    "page.left_out": ("để một trang ngoài bản số hóa", "a page left out of the copy"),
    "page.brought_back": ("đưa trang trở lại bản số hóa", "a page brought back into the copy"),
    "page.note_linked": ("ghép trang có và không có giấy ghi chú", "a page linked with and without its note"),
    "page.note_unlinked": ("bỏ ghép trang giấy ghi chú", "a page with a note unlinked"),
    "component.moved": ("chuyển giấy sang dòng khác", "paper moved to another row"),
    "component.dropped": ("bỏ giấy khỏi hồ sơ", "paper taken out of the dossier"),
    "component.replaced": ("thay bằng bản quét lại; bản cũ vẫn giữ", "replaced by a new scan; the old one is kept"),
    "component.assembled": ("tạo PDF tìm được chữ", "searchable PDF made"),
    "component.corrected": ("sửa chữ đã đọc", "what was read was corrected"),
    "component.reviewed": ("soát xong giấy tờ", "paper reviewed"),
    "procedure.retention_set": ("đặt thời hạn lưu của thủ tục", "the procedure's period of keeping was set"),
    "dossier.locked": (
        "khóa tệp trong kho đến hết thời hạn lưu",
        "files locked in the store for that period",
    ),
    "hold.placed": ("giữ nguyên theo yêu cầu", "put under legal hold"),
    "hold.release_asked": ("xin thôi giữ, chờ người thứ hai", "release of the hold asked for"),
    "hold.released": ("thôi giữ, hai người xác nhận", "hold released by two people"),
    "hold.kept_on": ("tiếp tục giữ, không thôi", "the hold goes on"),
    "object.hold_was_gone": ("mất lệnh giữ trong kho, đã giữ lại", "the store's hold was gone and was put on again"),
    "archive.exported": ("xuất gói lưu trữ", "exported for the archive"),
    "archive.imported": ("nhập từ gói lưu trữ", "taken in from an archive's bag"),
    "component.seen": ("xem giấy tờ tùy thân", "identity paper looked at"),
    "component.set_aside": ("dừng, cần người xem lại", "set aside for a person to look at"),
    "component.taken_up_again": ("cho xử lý lại", "taken up again"),
    "copy.requested": ("yêu cầu ký bản số hóa", "signature on the copy asked for"),
    "copy.made": ("đã ký bản số hóa, chờ dấu thời gian", "digitised copy signed, waiting for its timestamp"),
    "copy.signed": ("đã ký bản số hóa", "digitised copy signed"),
    "e_result.drafted": ("soạn dự thảo kết quả", "result drafted"),
    "e_result.submitted": ("trình ký, lấy số", "submitted, number taken"),
    "e_result.read": ("lãnh đạo đã đọc", "read by the leader"),
    "e_result.returned": ("trả lại để sửa, hủy số", "returned for correction, number void"),
    "e_result.approved": ("lãnh đạo duyệt", "approved by the leader"),
    "e_result.made": ("đã ký, chờ dấu thời gian", "signed, waiting for its timestamp"),
    "e_result.dropped": ("bỏ chữ ký chưa kịp có dấu thời gian", "dropped a signature that got no timestamp in time"),
    "e_result.leader_signed": ("đã ký số lãnh đạo", "signed by the leader"),
    "e_result.sealed": ("đã ký số cơ quan", "sealed by the agency"),
    "e_result.annex_added": ("thêm phụ lục", "annex added"),
    "e_result.annex_removed": ("bỏ phụ lục", "annex removed"),
    "e_result.annex_made": ("đã ký phụ lục, chờ dấu thời gian", "annex signed, waiting for its timestamp"),
    "e_result.annex_signed": ("đã ký phụ lục", "annex signed by the agency"),
    "e_result.sent_to_token": ("mở văn bản để ký bằng USB token", "given out to be signed with a token"),
    "e_result.token_signed": ("nhận bản đã ký bằng USB token", "the file signed with a token was taken"),
    "e_result.token_refused": ("bản gửi về không nhận được", "what came back wasn't taken"),
    "e_result.issued": ("phát hành, vào sổ", "issued and registered"),
    "e_result.trouble": ("việc ký bị dừng", "signing stopped"),
    "e_result.approval_stopped": ("dừng trước khi ký, chờ duyệt lại", "stopped before it was signed"),
    "batch.approved": ("duyệt một đợt", "a batch approved"),
    "batch.stopped": ("dừng đợt ký", "a batch stopped"),
    "e_result.resumed": ("cho ký tiếp", "signing resumed"),
    "e_result.renewed": ("gia hạn bằng chứng của chữ ký", "evidence of the signatures renewed"),
    "e_result.not_renewed": ("chưa gia hạn được bằng chứng của chữ ký", "evidence of the signatures not renewed"),
    "report.sealed": ("ký biên bản kiểm tra", "report of a check sealed"),
    "e_result.taken_out": ("lấy bản kết quả tại quầy", "result taken out at the counter"),
    "e_result.withdrawn": ("thu hồi kết quả", "result withdrawn"),
    "e_result.discarded": ("bỏ dự thảo", "draft discarded"),
    "e_result.superseded": ("thay thế kết quả", "result superseded"),
    "session.opened": ("đăng nhập", "signed in"),
    "session.closed": ("đăng xuất", "signed out"),
    "session.refused": ("đăng nhập không thành", "sign-in refused"),
    "account.kept": ("lưu tài khoản", "account kept"),
    "template.added": ("nhận mẫu riêng", "an own template was taken in"),
    "template.retired": ("ngừng dùng mẫu riêng", "an own template was retired"),
    "agency.kept": ("lưu cơ quan", "agency kept"),
    "procedure.kept": ("lưu thủ tục", "procedure kept"),
    "certificate.kept": ("lưu chứng thư", "certificate kept"),
    "trust.added": ("thêm chứng thư trung gian", "intermediate certificates added"),
    "anchor.proposed": ("thêm gốc tin cậy, chờ người thứ hai", "trust anchor added, a second person awaited"),
    "anchor.confirmed": ("xác nhận dấu vân tay, bắt đầu tin", "fingerprint confirmed, trusted from then on"),
    "anchor.fingerprint_differs": ("nhập dấu vân tay không khớp", "a fingerprint that differs was given"),
    "anchor.refused": ("từ chối gốc tin cậy", "trust anchor refused"),
    "anchor.retired": ("thôi tin", "trust ended"),
    "anchor.demo": ("nạp gốc tin cậy của bản demo", "trust anchor of the demo loaded"),
}

_KEPT: Final = "Văn bản trên hệ thống không thay đổi, vẫn an toàn."
_KEPT_EN: Final = "The document here is unchanged and safe."

#: What becomes of a file that comes back from the signer's own tool, and of the link it came by. {signer} signed it,
#: {expected} should have.
_RETURNED: Final[dict[str, tuple[str, str]]] = {
    code: (f"{vi} {_KEPT} {then}", f"{en} {_KEPT_EN} {then_en}")
    for code, vi, then, en, then_en in (
        (
            "returned_not_a_pdf",
            "Tệp gửi về không phải PDF.",
            "Gửi lại tệp PDF đã ký.",
            "What came back isn't a PDF.",
            "Send the signed PDF.",
        ),
        (
            "returned_unsigned",
            "Tệp gửi về chưa có chữ ký nào mới.",
            "Cắm USB token, ký trong công cụ rồi gửi lại.",
            "The file came back without a new signature.",
            "Plug in the token, sign in the tool, and send it again.",
        ),
        (
            "returned_cut_short",
            "Tệp gửi về bị đứt, thiếu phần cuối.",
            "Gửi lại; nếu vẫn vậy, ký lại từ đầu.",
            "The file came back cut short.",
            "Send it again; if that doesn't help, sign anew.",
        ),
        (
            "returned_another_document",
            "Tệp gửi về là một văn bản khác.",
            "Mở đúng văn bản từ trang này rồi ký.",
            "Another document came back.",
            "Open the right one from this page and sign that.",
        ),
        (
            "returned_rewritten",
            "Tệp gửi về đã bị phần mềm khác lưu lại hoặc sửa, không còn đúng từng byte.",
            "Tải lại văn bản từ trang này và ký thẳng, không mở bằng phần mềm khác trước khi ký.",
            "The file was saved anew or edited by another program before it came back.",
            "Fetch it from this page again and sign it straight away, without opening it in other programs.",
        ),
        (
            "returned_damaged",
            "Tệp gửi về bị hỏng, không đọc được.",
            "Ký lại từ đầu rồi gửi về.",
            "The file that came back is damaged.",
            "Sign anew and send it again.",
        ),
        (
            "returned_content_changed",
            "Nội dung đã bị thay đổi ngoài chữ ký.",
            "Tải lại văn bản từ trang này và chỉ ký; cần sửa thì trả lại cho người soạn.",
            "More than a signature was added: the content was changed.",
            "Fetch it again and only sign it; return it to its drafter if it must be changed.",
        ),
        (
            "returned_added_afterwards",
            "Sau chữ ký còn có thứ khác được thêm vào tệp.",
            "Ký lại và gửi ngay, không sửa hay ghi chú thêm.",
            "Something was added to the file after the signature.",
            "Sign anew and send it at once, without editing or adding notes.",
        ),
        (
            "returned_several_signatures",
            "Tệp gửi về có nhiều hơn một chữ ký mới.",
            "Tải lại văn bản và ký đúng một lần.",
            "The file came back with more than one new signature.",
            "Fetch it again and sign it once.",
        ),
        (
            "returned_partly_signed",
            "Chữ ký không bao trùm toàn bộ tệp.",
            "Ký lại; nếu vẫn vậy, cập nhật công cụ ký.",
            "The signature doesn't cover the whole file.",
            "Sign anew; if it stays, update the tool.",
        ),
        (
            "returned_broken_signature",
            "Chữ ký trong tệp gửi về không khớp với nội dung.",
            "Ký lại; nếu vẫn vậy, cập nhật công cụ ký.",
            "The signature doesn't fit the content.",
            "Sign anew; if it stays, update the tool.",
        ),
        (
            "returned_another_certificate",
            "Văn bản được ký bằng chứng thư của “{signer}”, không phải chứng thư đã đăng ký của “{expected}”.",
            "Cắm đúng USB token rồi ký lại; nếu vừa đổi chứng thư, báo quản trị viên.",
            "It was signed with the certificate of “{signer}”, not the one registered for “{expected}”.",
            "Plug in the right token and sign anew; after a renewal, tell the administrator.",
        ),
        (
            "returned_unbound_certificate",
            "Chữ ký không ghi rõ được tạo bằng chứng thư nào (thiếu signing-certificate-v2).",
            "Trong công cụ ký chọn định dạng PAdES rồi ký lại.",
            "The signature doesn't say which certificate made it (no signing-certificate-v2).",
            "Choose PAdES in the tool and sign anew.",
        ),
        (
            "returned_weak_algorithm",
            "Chữ ký dùng thuật toán không còn được phép (SHA-1 hoặc khóa RSA dưới 2048 bit).",
            "Trong công cụ ký chọn SHA-256 rồi ký lại.",
            "The signature uses an algorithm that isn't allowed any more (SHA-1, or RSA below 2048 bits).",
            "Choose SHA-256 in the tool and sign anew.",
        ),
        (
            "returned_wrong_field",
            "Chữ ký nằm ở khung dành cho người khác.",
            "Ký lại và chọn đúng khung chữ ký của mình.",
            "The signature stands in a place meant for somebody else's.",
            "Sign anew in your own place.",
        ),
        (
            "returned_moved_field",
            "Công cụ ký đã dời khung chữ ký chuẩn bị sẵn trong văn bản.",
            "Ký lại và để công cụ tự tạo khung mới ở chỗ trống giữa chức vụ và họ tên.",
            "The tool moved the field prepared for the signature.",
            "Sign anew and let the tool make a field of its own in the free space between title and name.",
        ),
        (
            "returned_covers_text",
            "Khung chữ ký che mất chữ của văn bản.",
            "Ký lại và đặt khung vào chỗ trống giữa chức vụ và họ tên.",
            "The signature's block covers words of the document.",
            "Sign anew with the block in the free space between title and name.",
        ),
        (
            "returned_locks_document",
            "Chữ ký khóa văn bản nên cơ quan không đóng dấu được nữa.",
            "Trong công cụ ký, bỏ chọn khóa văn bản rồi ký lại.",
            "The signature locks the document, so the agency couldn't seal it.",
            "Turn off locking in the tool and sign anew.",
        ),
        (
            "returned_certificate_revoked",
            "Chứng thư của “{expected}” đã bị thu hồi.",
            "Không dùng thiết bị này nữa; báo quản trị viên đăng ký chứng thư mới.",
            "The certificate of “{expected}” is revoked.",
            "Don't use this token any more; have the administrator register a new certificate.",
        ),
        (
            "returned_certificate_expired",
            "Chứng thư của “{expected}” đã hết hạn.",
            "Gia hạn chứng thư rồi báo quản trị viên đăng ký lại.",
            "The certificate of “{expected}” has expired.",
            "Renew it and have the administrator register it.",
        ),
        (
            "returned_untrusted_issuer",
            "Nơi cấp chứng thư chưa được tin cậy.",
            "Báo quản trị viên thêm chứng thư gốc của nơi cấp.",
            "The certificate's issuer isn't trusted.",
            "Have the administrator add its root certificate.",
        ),
        (
            "link_unknown",
            "Đường dẫn ký này không có.",
            "Mở lại trang ký và bấm ký.",
            "There is no such signing link.",
            "Open the signing page again and start there.",
        ),
        (
            "link_expired",
            "Đường dẫn ký đã hết hạn.",
            "Mở lại trang ký và bấm ký để lấy đường dẫn mới.",
            "The signing link is over.",
            "Open the signing page again and start there for a new one.",
        ),
        (
            "link_used",
            "Văn bản này đã có bản ký được nhận từ trước.",
            "Không cần ký lại; xem trạng thái trên trang.",
            "A signed file was taken for this document before.",
            "There is no need to sign again; see its state on the page.",
        ),
        (
            "link_worn_out",
            "Đường dẫn ký này đã bị từ chối quá nhiều lần.",
            "Xem lý do trên trang ký, rồi bấm ký để lấy đường dẫn mới.",
            "Too many files were refused on this link.",
            "Read why on the signing page, then start there for a new one.",
        ),
        (
            "link_moved_on",
            "Văn bản không còn chờ chữ ký này: đã được trả lại, rút lại hoặc đã ký.",
            "Mở lại trang văn bản để xem trạng thái.",
            "The document doesn't wait for this signature any more: it was returned, taken back or signed.",
            "Open the document's page to see its state.",
        ),
        (
            "link_certificate_changed",
            "Chứng thư đăng ký vừa được đổi sau khi mở văn bản để ký.",
            "Mở lại trang ký và bấm ký.",
            "The registered certificate was changed after the document was given out.",
            "Open the signing page again and start there.",
        ),
        (
            "upload_broken",
            "Việc gửi tệp bị đứt giữa chừng.",
            "Kiểm tra mạng rồi gửi lại.",
            "The upload broke off.",
            "Check the network and send it again.",
        ),
        (
            "upload_too_large",
            "Tệp gửi về lớn hơn mức cho phép.",
            "Tải lại văn bản từ trang này và ký lại.",
            "What came back is larger than allowed.",
            "Fetch the document again and sign anew.",
        ),
        (
            "returned_too_complex",
            "Tệp gửi về quá phức tạp, đọc hết quá nhiều thời gian hoặc bộ nhớ.",
            "Tải lại văn bản từ trang này, ký và gửi lại đúng tệp đó.",
            "The file that came back is too complex: reading it takes too much time or memory.",
            "Fetch the document from this page again, sign that very file and send it.",
        ),
        (
            "signature_not_expected",
            "Chữ ký gửi về không phải của chứng thư đã đăng ký, hoặc được ký trên dữ liệu khác.",
            "Cắm đúng USB token, lấy lại dữ liệu cần ký rồi ký.",
            "What came back isn't a signature by the registered certificate over the data that was given out.",
            "Plug in the right token, ask for the data again and sign it.",
        ),
        (
            "upload_busy",
            "Đang có nhiều tệp chờ kiểm tra nên chưa nhận được bản ký.",
            "Gửi lại sau khoảng nửa phút; không cần ký lại.",
            "Many files are waiting to be checked, so the signed file wasn't taken.",
            "Send it again in half a minute; there is no need to sign again.",
        ),
        (
            "upload_not_kept",
            "Kho lưu trữ chưa phản hồi nên chưa nhận được bản ký.",
            "Gửi lại sau ít phút; không cần ký lại.",
            "The store doesn't answer, so the signed file wasn't taken.",
            "Send it again in a few minutes; there is no need to sign again.",
        ),
    )
}
_RETURNED["link_done"] = (
    "Đã nhận bản ký. Hệ thống lấy dấu thời gian rồi làm tiếp.",
    "The signed file was taken. It gets its timestamp, and goes on.",
)

_CARRIED: Final[dict[str, tuple[str, str]]] = {
    "javascript": ("mã JavaScript", "JavaScript"),
    "launch": ("lệnh chạy chương trình khác", "a command to start other programs"),
    "attachment": ("tệp đính kèm", "attached files"),
    "form_submission": ("biểu mẫu tự gửi dữ liệu", "a form that sends data"),
    "multimedia": ("âm thanh, phim hoặc mô hình 3D", "sound, film or 3D"),
    "active_unknown": ("nội dung không kiểm tra hết được", "content that could not all be checked"),
}

#: Codes of steps, extracted fields, troubles and events, which aren't enums since other layers add to them.
CODES: Final[dict[str, tuple[str, str]]] = {
    **_STEPS,
    **_TRANSFERS,
    **_FIELDS,
    **_TROUBLES,
    **_EVENTS,
    **_RETURNED,
    **_CARRIED,
}


def label(what: Enum | str, language: Language = "vi") -> str:
    """The words for a state, role, flag, kind, step, refusal, field or trouble (with "signing_" before it or not).

    A code nobody has given words to yet is shown as it is: a page must not fail for want of a word.
    """
    if isinstance(what, Enum):
        words = _MEMBERS.get(type(what), {}).get(what)
    else:
        words = CODES.get(what) or CODES.get(what.removeprefix("signing_"))
    if words is None:
        return str(what)
    return words[0] if language == "vi" else words[1]
