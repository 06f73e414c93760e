"""The sentence a person is told about a file: the register's word first where it has one, then the file's own.

A withdrawn or superseded result never looks broken and never looks in force; a copy is never called a result; and what
others have signed is never called ours.
"""

from __future__ import annotations

from enum import StrEnum
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
            f"Do {{agency}} phát hành ngày {{issued}}{{numbered}}. {_UNCHANGED}.",
            "So với bản in nếu bạn cầm bản in.",
        ),
        "en": (
            "GENUINE AND IN FORCE.",
            f"Issued by {{agency}} on {{issued}}{{numbered}}. {_UNCHANGED_EN}.",
            "Compare it with the print if you hold one.",
        ),
    },
    RegisterStatus.WITHDRAWN: {
        "vi": (
            "THẬT, NHƯNG ĐÃ BỊ THU HỒI ngày {closed}.",
            f"{_UNCHANGED}, nhưng {{agency}} đã thu hồi {{named}}.",
            "Không dùng văn bản này nữa; hỏi cơ quan phát hành.",
        ),
        "en": (
            "GENUINE, BUT WITHDRAWN on {closed}.",
            f"{_UNCHANGED_EN}, but {{agency}} has withdrawn {{named}}.",
            "Don't use it any more; ask the agency that issued it.",
        ),
    },
    RegisterStatus.SUPERSEDED: {
        "vi": (
            "THẬT, NHƯNG ĐÃ BỊ THAY THẾ ngày {closed}.",
            f"{_UNCHANGED}, nhưng {{named}} đã được thay bằng {{newer}}.",
            "Dùng {newer}; lấy ở {agency}.",
        ),
        "en": (
            "GENUINE, BUT SUPERSEDED on {closed}.",
            f"{_UNCHANGED_EN}, but {{named}} was replaced by {{newer}}.",
            "Use {newer}; {agency} has it.",
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

#: A genuine digitised copy: one that we hold, and one that we don't.
_COPIES: dict[bool, dict[Language, tuple[str, str, str]]] = {
    True: {
        "vi": (
            "BẢN SAO ĐIỆN TỬ THẬT.",
            f"Đây là bản số hóa từ giấy tờ trong hồ sơ. {_UNCHANGED}. Nó không phải là kết quả giải quyết.{{signers}}",
            "Muốn lấy kết quả, dùng trang Tra cứu hồ sơ với hai mã trên giấy hẹn.",
        ),
        "en": (
            "A GENUINE ELECTRONIC COPY.",
            f"A paper of a dossier, digitised. {_UNCHANGED_EN}. It is not itself a result.{{signers}}",
            "To get the result, use Find my dossier with both codes of the receipt.",
        ),
    },
    False: {
        "vi": (
            "BẢN SAO ĐIỆN TỬ CÓ CHỮ KÝ HỢP LỆ, NHƯNG KHÔNG CÓ Ở ĐÂY.",
            f"{_UNCHANGED}, nhưng nơi đây không giữ đúng tệp này. Nó không phải là kết quả giải quyết.{{signers}}",
            "Hỏi cơ quan đã ký bản sao.",
        ),
        "en": (
            "AN ELECTRONIC COPY WITH A VALID SIGNATURE, BUT IT ISN'T HELD HERE.",
            f"{_UNCHANGED_EN}, but the copies here don't include this very file. It is not itself a result.{{signers}}",
            "Ask the agency that signed the copy.",
        ),
    },
}

#: A genuine report of a check that this office made: of another file, and never that file itself.
_REPORT: dict[Language, tuple[str, str, str]] = {
    "vi": (
        "BIÊN BẢN KIỂM TRA do {reporter} lập.",
        f"{_UNCHANGED}. Biên bản ghi kết luận về một tệp khác vào lúc kiểm tra; nó không phải là kết quả giải quyết.",
        "Muốn biết tệp kia nay thế nào, kiểm tra chính tệp đó.",
    ),
    "en": (
        "A REPORT OF A CHECK, made by {reporter}.",
        f"{_UNCHANGED_EN}. It tells what another file was worth when that was checked; it is not itself a result.",
        "To learn how that other file stands now, check that file itself.",
    ),
}

#: A genuine annex, by what the register says of its main document. It is never called a result by itself.
_ANNEXES: dict[RegisterStatus, dict[Language, tuple[str, str, str]]] = {
    RegisterStatus.ISSUED: {
        "vi": (
            "PHỤ LỤC THẬT, VĂN BẢN CHÍNH CÒN HIỆU LỰC.",
            f"Là phụ lục {{annex}} của văn bản số {{main}} của {{agency}}, phát hành ngày {{issued}}. {_UNCHANGED}.",
            "Dùng cùng văn bản chính; riêng phụ lục không phải là kết quả giải quyết.",
        ),
        "en": (
            "A GENUINE ANNEX; ITS MAIN DOCUMENT IS IN FORCE.",
            f"Annex {{annex}} of number {{main}} of {{agency}}, issued on {{issued}}. {_UNCHANGED_EN}.",
            "Use it together with its main document; by itself it is not a result.",
        ),
    },
    RegisterStatus.WITHDRAWN: {
        "vi": (
            "PHỤ LỤC THẬT, NHƯNG VĂN BẢN CHÍNH ĐÃ BỊ THU HỒI ngày {closed}.",
            f"Là phụ lục {{annex}} của văn bản số {{main}} của {{agency}}; văn bản ấy đã bị thu hồi. {_UNCHANGED}.",
            "Không dùng phụ lục này nữa; hỏi cơ quan phát hành.",
        ),
        "en": (
            "A GENUINE ANNEX, BUT ITS MAIN DOCUMENT WAS WITHDRAWN on {closed}.",
            f"Annex {{annex}} of number {{main}} of {{agency}}, which was withdrawn. {_UNCHANGED_EN}.",
            "Don't use it any more; ask the agency that issued it.",
        ),
    },
    RegisterStatus.SUPERSEDED: {
        "vi": (
            "PHỤ LỤC THẬT, NHƯNG VĂN BẢN CHÍNH ĐÃ BỊ THAY THẾ ngày {closed}.",
            f"Là phụ lục {{annex}} của văn bản số {{main}} của {{agency}}, đã được thay bằng {{newer}}. {_UNCHANGED}.",
            "Dùng {newer}; lấy ở {agency}.",
        ),
        "en": (
            "A GENUINE ANNEX, BUT ITS MAIN DOCUMENT WAS SUPERSEDED on {closed}.",
            f"Annex {{annex}} of number {{main}} of {{agency}}, which was replaced by {{newer}}. {_UNCHANGED_EN}.",
            "Use {newer}; {agency} has it.",
        ),
    },
    RegisterStatus.NOT_OURS: {
        "vi": (
            "PHỤ LỤC CÓ CHỮ KÝ HỢP LỆ, NHƯNG KHÔNG CÓ TRONG SỔ.",
            f"{_UNCHANGED}, nhưng sổ ở đây không có đúng tệp này. Nó không phải là kết quả giải quyết.{{signers}}",
            "Hỏi cơ quan đã ký phụ lục.",
        ),
        "en": (
            "AN ANNEX WITH A VALID SIGNATURE, BUT THE REGISTER DOESN'T HAVE IT.",
            f"{_UNCHANGED_EN}, but the register here doesn't hold this file. It is not itself a result.{{signers}}",
            "Ask the agency that signed it.",
        ),
    },
}

#: Genuine, and signed in another system's way.
_ELSEWHERE: dict[Language, tuple[str, str, str]] = {
    "vi": (
        "CHỮ KÝ HỢP LỆ, NHƯNG KHÔNG DO TRUNG TÂM NÀY PHÁT HÀNH.",
        f"{_UNCHANGED}. Sổ ở đây không biết văn bản này còn hiệu lực hay không.{{signers}}",
        "Muốn biết còn hiệu lực hay không, hỏi cơ quan ghi trên văn bản.",
    ),
    "en": (
        "THE SIGNATURE IS VALID, BUT THIS CENTRE DIDN'T ISSUE IT.",
        f"{_UNCHANGED_EN}. The register here doesn't know whether it is still in force.{{signers}}",
        "To learn whether it is in force, ask the agency named in it.",
    ),
}


class Conclusion(StrEnum):
    """Both proofs in one word, for programs; people get a sentence."""

    GENUINE_CURRENT = "genuine_current"
    GENUINE_WITHDRAWN = "genuine_withdrawn"
    GENUINE_SUPERSEDED = "genuine_superseded"
    DIGITISED_COPY = "digitised_copy"
    COPY_NOT_HELD = "copy_not_held"
    CHECK_REPORT = "check_report"
    ANNEX_CURRENT = "annex_current"
    ANNEX_WITHDRAWN = "annex_withdrawn"
    ANNEX_SUPERSEDED = "annex_superseded"
    ANNEX_NOT_REGISTERED = "annex_not_registered"
    VALID_NOT_REGISTERED = "valid_not_registered"
    VALID_ELSEWHERE = "valid_elsewhere"
    ALTERED = "altered"
    REVOKED = "revoked"
    UNCONFIRMED = "unconfirmed"
    UNSIGNED = "unsigned"
    UNREADABLE = "unreadable"


_OF_REGISTERED = {
    RegisterStatus.ISSUED: Conclusion.GENUINE_CURRENT,
    RegisterStatus.WITHDRAWN: Conclusion.GENUINE_WITHDRAWN,
    RegisterStatus.SUPERSEDED: Conclusion.GENUINE_SUPERSEDED,
    RegisterStatus.NOT_OURS: Conclusion.VALID_NOT_REGISTERED,
}

_OF_ANNEX = {
    RegisterStatus.ISSUED: Conclusion.ANNEX_CURRENT,
    RegisterStatus.WITHDRAWN: Conclusion.ANNEX_WITHDRAWN,
    RegisterStatus.SUPERSEDED: Conclusion.ANNEX_SUPERSEDED,
    RegisterStatus.NOT_OURS: Conclusion.ANNEX_NOT_REGISTERED,
}


def conclusion(judgement: Judgement) -> Conclusion:
    """Both proofs in one word: the same choice as `answer` makes."""
    found = judgement.file
    if found.verdict is not Verdict.GENUINE:
        return Conclusion(found.verdict.value)
    if judgement.e_result is not None or found.kind is Kind.E_RESULT:
        return _OF_REGISTERED[judgement.register]
    if found.kind is Kind.ELECTRONIC_COPY:
        return Conclusion.DIGITISED_COPY if judgement.copy else Conclusion.COPY_NOT_HELD
    if found.kind is Kind.ANNEX:
        return _OF_ANNEX[judgement.register]
    return Conclusion.CHECK_REPORT if judgement.reported_by else Conclusion.VALID_ELSEWHERE


def answer(judgement: Judgement, *, language: Language = "vi") -> Words:
    """Put a judgement into words: the headline, why, and what to do now."""
    result, newer, found = judgement.e_result, judgement.superseded_by, judgement.file
    if found.verdict is not Verdict.GENUINE:
        return words.sentence(found, language=language)
    if result is not None or found.kind is Kind.E_RESULT:
        said = _REGISTERED[judgement.register][language]
    elif found.kind is Kind.ELECTRONIC_COPY:
        said = _COPIES[judgement.copy is not None][language]
    elif judgement.reported_by is not None:
        said = _REPORT[language]
    elif found.kind is Kind.ANNEX:
        said = _ANNEXES[judgement.register][language]
    else:
        said = _ELSEWHERE[language]
    number, newer_number = (r.full_number if r else "" for r in (result, newer))
    vi = language == "vi"
    main = judgement.annex_of
    entry = result or main
    facts = {
        "agency": judgement.agency.name if judgement.agency else "",
        "issued": _day(entry.issued_at if entry else None),
        "closed": _day(entry.closed_at if entry else None),
        # A result that came signed has its number in its own text alone.
        "numbered": number and (f", số {number}" if vi else f", number {number}"),
        "named": (f"văn bản số {number}" if vi else f"number {number}") if number else ("văn bản này" if vi else "it"),
        "newer": _newer(newer_number, vi=vi),
        "reporter": judgement.reported_by.name if judgement.reported_by else "",
        "signers": words.signers(found, language=language),
        "annex": judgement.annex.ordinal if judgement.annex else "",
        "main": main.full_number if main else "",
    }
    return Words(*(part.format_map(facts) for part in said))


def _newer(number: str, *, vi: bool) -> str:
    if not number:
        return "văn bản mới" if vi else "a newer document"
    return f"văn bản số {number}" if vi else f"number {number}"


def _day(at: datetime | None) -> str:
    return f"{at.astimezone(VIETNAM):%d/%m/%Y}" if at else ""
