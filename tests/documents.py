"""Synthetic data of every kind of document, short and as long as the law allows. Nobody in it exists."""

from __future__ import annotations

from typing import Any

from tests.signed_files import DECISION

_VERIFY = {
    "lookup_code": "4820-1173-9055-6",
    "verify_url": "https://hoso.example.vn/kiem-tra",
    "dossier_code": "000.00.01.H49-260203-0031",
    "procedure_code": "1.001612",
    "applicant_id": "022073004567",
    "system_name": "Hồ sơ số",
}
VERIFIED: dict[str, Any] = DECISION | _VERIFY
_COMMON = {key: value for key, value in VERIFIED.items() if key not in {"bases", "articles"}}
PAPER: dict[str, Any] = _COMMON | {
    "opening": ["Căn cứ hồ sơ đăng ký, Ủy ban nhân dân phường Hồng Gai chứng nhận:"],
    "facts": [["Họ và tên", "NGUYỄN VĂN AN"], ["Nơi cư trú", "Tổ 5, khu 3, phường Hồng Gai, tỉnh Quảng Ninh" * 3]],
    "closing": ["Giấy này có hiệu lực kể từ ngày ký."],
    "signer_power": "KT. Chủ tịch",
}
LICENCE: dict[str, Any] = VERIFIED | {
    "subject": "Xây dựng nhà ở riêng lẻ",
    "symbol": "GP-TTPVHCC",
    "signer_power": "KT. Giám đốc",
    "signer_title": "Phó Giám đốc",
    "facts": [
        ["Cấp cho", "Ông NGUYỄN VĂN AN"],
        ["Địa chỉ thường trú", "Tổ 5, khu 3, phường Hồng Gai, tỉnh Quảng Ninh"],
        ["Được phép xây dựng", "Nhà ở riêng lẻ 3 tầng, tổng diện tích sàn 240 m²"],
    ],
    "articles": [
        "Chủ đầu tư khởi công trong thời hạn 12 tháng kể từ ngày được cấp giấy phép.",
        "Giấy phép này có hiệu lực kể từ ngày ký.",
    ],
}
LETTER: dict[str, Any] = {key: value for key, value in _COMMON.items() if key != "authority"} | {
    "subject": "trả lời kiến nghị về thời hạn giải quyết hồ sơ đất đai",
    "symbol": "TTPVHCC-TH",
    "addressees": ["Ủy ban nhân dân phường Hồng Gai", "Văn phòng Đăng ký đất đai tỉnh Quảng Ninh"],
    "text": [
        "Trung tâm nhận được kiến nghị của ông Nguyễn Văn An. Về việc này, Trung tâm có ý kiến như sau:",
        "Hồ sơ được tiếp nhận ngày 03 tháng 02 năm 2026 và được giải quyết đúng thời hạn quy định.",
        "Trung tâm trân trọng thông báo để cơ quan và ông Nguyễn Văn An biết.",
    ],
    "recipients": ["Như trên", "Ông Nguyễn Văn An"],
    "signer_power": "TUQ. Giám đốc",
    "signer_title": "Trưởng phòng",
}
RESULTS: dict[str, dict[str, Any]] = {
    "decision": VERIFIED,
    "licence": LICENCE,
    "certificate": PAPER,
    "confirmation": PAPER | {"subject": "Tình trạng hôn nhân", "signer_power": "TM. Ủy ban nhân dân"},
    "letter": LETTER,
}

_FORM: dict[str, Any] = {
    "parent_name": "Ủy ban nhân dân tỉnh Quảng Ninh",
    "agency_name": "Trung tâm Phục vụ hành chính công phường Hồng Gai",
    "place": "Hồng Gai",
    "dated": "2026-02-03",
    "office_phone": "0203 3 825 123",
    "applicant_name": "Nguyễn Văn An",
    "applicant_address": "Tổ 5, khu 3, phường Hồng Gai, tỉnh Quảng Ninh",
    "applicant_phone": "0912 345 678",
    "procedure_name": "Đăng ký thành lập hộ kinh doanh",
    "procedure_code": "1.001612",
    "clerk_name": "Vũ Thị Mỹ Duyên",
    "look_up_url": "https://hoso.example.vn/tra-cuu#hs=000.00.01.H49-260203-0031&ma=4820117390556",
    "look_up_at": "hoso.example.vn/tra-cuu",
    "dossier_code": "000.00.01.H49-260203-0031",
    "lookup_code": "4820-1173-9055-6",
}
FORMS: dict[str, dict[str, Any]] = {
    "receipt": _FORM
    | {
        "papers": [["Giấy đề nghị đăng ký hộ kinh doanh", "2"], ["Bản sao hợp đồng thuê nhà", "4 (5 ảnh)"]],
        "changes": ["Bản sao hợp đồng thuê nhà, 3 trang (5 ảnh): đếm lại"],
        "working_days": "03 ngày làm việc",
        "received_at": "09 giờ 05 phút, ngày 03 tháng 02 năm 2026",
        "due_at": "ngày 06 tháng 02 năm 2026",
        "collect_at": "Trung tâm Phục vụ hành chính công phường Hồng Gai",
    },
    "supplement": _FORM
    | {
        "missing": ["Thiếu: Bản sao hợp đồng thuê nhà", "Giấy đề nghị đăng ký, trang 2: ảnh mờ"],
        "reason": "Hồ sơ chưa đủ thành phần theo quy định.",
    },
    "refusal": _FORM | {"missing": ["Thủ tục không thuộc thẩm quyền giải quyết của Trung tâm."]},
}
EVERYTHING = RESULTS | FORMS

#: As long as the law and the check of data allow, in words that break.
LONG_HEAD: dict[str, Any] = {
    "parent_name": "Ủy ban nhân dân " * 12,
    "agency_name": "Trung tâm phục vụ hành chính công " * 5,
    "subject": "Về việc " * 60,
    "signer_title": "Phó giám đốc phụ trách " * 4,
    "signer_name": "Nguyễn Hoàng Phương Thảo Lấp Lánh Ánh Bình Minh",
}
LONG_TEXT: dict[str, dict[str, Any]] = {
    "decision": {"articles": ["Nội dung dài. " * 90] * 8},
    "licence": {"articles": ["Điều kiện dài. " * 90] * 6, "facts": [["Thông tin", "Giá trị dài. " * 20]] * 20},
    "certificate": {"facts": [["Thông tin", "Giá trị dài. " * 20]] * 40},
    "confirmation": {"closing": ["Nội dung dài. " * 200] * 6},
    "letter": {"text": ["Nội dung dài. " * 200] * 6, "addressees": ["Ủy ban nhân dân phường " * 4] * 12},
    "receipt": {"papers": [["Giấy tờ có tên dài " * 10, "120"]] * 40, "changes": ["Giấy tờ đếm lại " * 8] * 12},
    "supplement": {"missing": ["Giấy tờ còn thiếu có tên dài " * 10] * 40},
    "refusal": {"missing": ["Lý do dài. " * 100] * 6},
}
