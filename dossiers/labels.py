"""Every word the office shows for a state, role, step, flag or field, in Vietnamese and English: here only.

States read as on the page: in the middle of a sentence, so they begin small. Troubles are whole sentences and stand in
`trouble_words`; `label` finds both. Verdicts on files are `signing.words`' to say.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal

from digitize.types import Flag
from dossiers.anchors import AnchorState
from dossiers.parcels import ParcelState
from dossiers.trouble_words import RETURNED, TROUBLES
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
    "dossier.amendments_erased": (
        "xóa giá trị trước và sau khi sửa, hết thời hạn lưu",
        "values before and after corrections erased, their period having ended",
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
    "e_result.changed": ("sửa dự thảo", "draft changed"),
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
    **TROUBLES,
    **_EVENTS,
    **RETURNED,
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
