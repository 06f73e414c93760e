"""The QR code of the citizen's identity card, as a hand-held reader types it.

    022190001234|100123456|Nguyễn Thị Lựu|05021990|Nữ|Tổ 3, khu 5, phường Hồng Gai, Quảng Ninh|10052021

Personal number, earlier number or nothing, name, date of birth, sex, address, date of issue. Cards since 2024 have
more behind these; it is left alone. What matters to us is read, and the number is checked; dates and sex are not kept.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from dossiers.codes import BadCode, parse_personal_id
from dossiers.types import Applicant

if TYPE_CHECKING:
    from datetime import date

_PARTS = 7
_LONGEST = 1000


def parse(text: str, *, today: date) -> Applicant:
    """Who the card was given to; the telephone isn't on it.

    Raises:
        BadCode: It isn't the code of an identity card, or its personal number can't be one.
    """
    parts = [" ".join(part.split()) for part in unicodedata.normalize("NFC", text.strip("\ufeff \r\n\t")).split("|")]
    if len(parts) < _PARTS or len(text) > _LONGEST or not parts[2]:
        raise BadCode(
            "Đây không phải mã QR trên thẻ căn cước. Quét lại mã ở góc trên của thẻ, hoặc gõ tay các ô dưới.",
            "This isn't the QR code of an ID card. Scan the code at its upper corner, or fill in the fields below.",
        )
    return Applicant(name=parts[2], id_number=parse_personal_id(parts[0], today=today).digits, address=parts[5])
