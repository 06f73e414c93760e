"""What a page says at its top after something was done: once, in the words of the desk."""

from __future__ import annotations

from typing import Final

#: Key → Vietnamese and English.
TOLD: Final[dict[str, tuple[str, str]]] = {
    "signed_out": ("Đã đăng xuất.", "You are signed out."),
    "in_process": ("Đã bắt đầu giải quyết. Việc tiếp theo: soạn kết quả.", "Taken into work. Next: draft the result."),
    "resumed": ("Đã tiếp tục xử lý hồ sơ.", "The dossier goes on."),
    "nothing_changed": ("Không có gì thay đổi.", "Nothing was changed."),
}
