"""What a page says at its top after something was done: once, in the words of the desk."""

from __future__ import annotations

from typing import Final

#: Key → Vietnamese and English.
TOLD: Final[dict[str, tuple[str, str]]] = {
    "signed_out": ("Đã đăng xuất.", "You are signed out."),
    "in_process": ("Đã bắt đầu giải quyết. Việc tiếp theo: soạn kết quả.", "Taken into work. Next: draft the result."),
    "resumed": ("Đã tiếp tục xử lý hồ sơ.", "The dossier goes on."),
    "saved": ("Đã lưu những gì vừa sửa.", "What was changed is saved."),
    "reviewed": ("Đã soát xong các giấy tờ đã đọc của hồ sơ này.", "Every paper read so far is reviewed."),
    "reviewed_next": ("Đã soát xong giấy trước. Đây là giấy tiếp theo.", "That paper is reviewed. Here is the next one."),
    "taken_up_again": ("Đã cho đọc lại.", "It is taken up again."),
    "copies_asked": (
        "Đã gửi ký. Từng giấy hiện kết quả bên dưới.",
        "Sent to be signed. Each paper shows below how it went.",
    ),
    "look_up_closed": (
        "Đã đóng hồ sơ trên máy này. Muốn xem lại, nhập hai mã trên giấy hẹn.",
        "The dossier is closed on this device. To see it again, enter both codes of the receipt.",
    ),
    "nothing_changed": ("Không có gì thay đổi.", "Nothing was changed."),
}
