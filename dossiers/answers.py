"""The sentence a person is told about a file: the register's word first where it has one, then the file's own.

A withdrawn or superseded result never looks broken and never looks in force; a copy is never called a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dossiers.calendar import VIETNAM
from dossiers.types import RegisterStatus
from signing import words
from signing.types import Kind, Verdict
from signing.words import Words

if TYPE_CHECKING:
    from datetime import datetime

    from dossiers.verification import Judgement
    from signing.words import Language

_UNCHANGED = "Nội dung không thay đổi từ khi ký"
_UNCHANGED_EN = "Unchanged since it was signed"

#: Headline, cause and next step of a genuine result, by what the register says of it.
_REGISTERED: dict[RegisterStatus, dict[Language, tuple[str, str, str]]] = {
    RegisterStatus.ISSUED: {
        "vi": (
            "TÀI LIỆU THẬT, CÒN HIỆU LỰC.",
            f"Do {{agency}} phát hành ngày {{issued}}, số {{number}}. {_UNCHANGED}.",
            "So với bản in nếu bạn cầm bản in.",
        ),
        "en": (
            "GENUINE AND IN FORCE.",
            f"Issued by {{agency}} on {{issued}}, number {{number}}. {_UNCHANGED_EN}.",
            "Compare it with the print if you hold one.",
        ),
    },
    RegisterStatus.WITHDRAWN: {
        "vi": (
            "THẬT, NHƯNG ĐÃ BỊ THU HỒI ngày {closed}.",
            f"{_UNCHANGED}, nhưng {{agency}} đã thu hồi văn bản số {{number}}.",
            "Không dùng văn bản này nữa; hỏi cơ quan phát hành.",
        ),
        "en": (
            "GENUINE, BUT WITHDRAWN on {closed}.",
            f"{_UNCHANGED_EN}, but {{agency}} has withdrawn number {{number}}.",
            "Don't use it any more; ask the agency that issued it.",
        ),
    },
    RegisterStatus.SUPERSEDED: {
        "vi": (
            "THẬT, NHƯNG ĐÃ BỊ THAY THẾ ngày {closed}.",
            f"{_UNCHANGED}, nhưng văn bản số {{number}} đã được thay bằng số {{newer}}.",
            "Dùng văn bản số {newer}; lấy ở {agency}.",
        ),
        "en": (
            "GENUINE, BUT SUPERSEDED on {closed}.",
            f"{_UNCHANGED_EN}, but number {{number}} was replaced by number {{newer}}.",
            "Use number {newer}; {agency} has it.",
        ),
    },
    RegisterStatus.NOT_OURS: {
        "vi": (
            "CHỮ KÝ HỢP LỆ, NHƯNG KHÔNG CÓ TRONG SỔ.",
            f"{_UNCHANGED}, nhưng sổ phát hành ở đây không có đúng tệp này.",
            "Hỏi cơ quan ghi trên văn bản, hoặc tra mã in trên đó.",
        ),
        "en": (
            "THE SIGNATURE IS VALID, BUT THE REGISTER DOESN'T HAVE IT.",
            f"{_UNCHANGED_EN}, but the register here doesn't hold this very file.",
            "Ask the agency named in it, or look up the code printed on it.",
        ),
    },
}


def answer(judgement: Judgement, *, language: Language = "vi") -> Words:
    """Put a judgement into words: the headline, why, and what to do now."""
    result, newer = judgement.e_result, judgement.superseded_by
    if judgement.file.verdict is not Verdict.GENUINE or (result is None and judgement.file.kind is not Kind.E_RESULT):
        return words.sentence(judgement.file, language=language)
    facts = {
        "agency": judgement.agency.name if judgement.agency else "",
        "number": result.full_number if result else "",
        "issued": _day(result.issued_at if result else None),
        "closed": _day(result.closed_at if result else None),
        "newer": newer.full_number if newer else "",
    }
    return Words(*(part.format_map(facts) for part in _REGISTERED[judgement.register][language]))


def _day(at: datetime | None) -> str:
    return f"{at.astimezone(VIETNAM):%d/%m/%Y}" if at else ""
