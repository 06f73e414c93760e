"""What a store can do, in words: for `hoso doctor` and the administrator's page."""

from __future__ import annotations

from typing import Final

#: By the fields of `storage.capabilities.Capabilities`: Vietnamese, English.
STORE_WORDS: Final = {
    "versioned": ("giữ mọi phiên bản", "keeps every version"),
    "lists_versions": ("liệt kê được phiên bản", "lists versions"),
    "enforced": ("từ chối xóa tệp đang khóa", "refuses to delete what is locked"),
    "firm": ("từ chối rút ngắn hạn khóa", "refuses to shorten a lock"),
    "prolongs": ("kéo dài được hạn khóa", "prolongs a lock"),
    "holds": ("giữ tệp theo lệnh (legal hold)", "keeps what is on legal hold"),
    "ranges": ("đọc được một đoạn tệp", "gives ranges"),
}
