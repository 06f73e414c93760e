"""Every code a person reads aloud, types or finds as a file name: made in one way, read back from many.

What we write is exact. What we read may have been dictated over the telephone or copied from paper: spaces, case and
the kind of dash don't matter; anything else that differs is refused, never guessed.

    dossier code   000.00.01.H49-261121-0007     agency code, day of reception, ordinal of that agency and day
    result code    000.00.01.H49-261121-0007-KQ1  Decree 45/2020 art. 14(3): "-KQ(n)" is read as well
    transfer code  BG-001.01.01.H49-261121-0003  "bàn giao", sender, day of sending, ordinal of that sender and day
    look-up code   4820-1173-9055-6               twelve random digits and a check digit

The check digit is Damm's: H. M. Damm, "Totally anti-symmetric quasigroups for all orders n ≠ 2, 6", Discrete
Mathematics 307 (2007). One digit mistyped, or two neighbours swapped, never gives another good code.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import date

from dossiers.calendar import local_day as local_day  # noqa: PLC0414  a code's day is Vietnam's day
from dossiers.types import OfficeError

LOOKUP_DIGITS = 13
MAX_AGENCY_CODE = 35  # Decision 20/2020/QĐ-TTg
MAX_FILENAME_BYTES = 200
_MAX_ORDINAL = 999_999
_PERSONAL_ID_DIGITS = 12

_AGENCY = r"[0-9A-Z]+(?:\.[0-9A-Z]+)*"
_AGENCY_CODE = re.compile(_AGENCY)
_DOSSIER_CODE = re.compile(rf"(?P<agency>{_AGENCY})-(?P<day>\d{{6}})-(?P<ordinal>\d{{4,6}})")
#: The usual form of a code whose dots and dashes were left out or said as blanks.
_BARE_DOSSIER_CODE = re.compile(
    r"(\d{3})[.-]?(\d{2})[.-]?(\d{2})[.-]?([A-Z]\d{2})[.-]?(?P<day>\d{6})[.-]?(?P<ordinal>\d{4,6})"
)
_RESULT_CODE = re.compile(r"(?P<dossier>.+)-KQ(?P<bracket>\()?(?P<n>\d{1,3})(?(bracket)\))")
_DASHES = re.compile(r"[‐‑‒–—−-]")
_GAPS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")

#: Row: the digit so far; column: the next digit. The diagonal is zero, so a code with its check digit ends in 0.
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


class BadCode(OfficeError):
    """What was typed can't be a code of this kind. The message is for the person who typed it; `english` beside it."""

    def __init__(self, message: str, english: str = "") -> None:
        super().__init__(message)
        self.english = english or message


@dataclass(frozen=True)
class DossierCode:
    """A dossier code taken apart. `str()` puts it together again."""

    agency: str
    day: date
    ordinal: int

    def __str__(self) -> str:
        return f"{self.agency}-{self.day:%y%m%d}-{self.ordinal:04d}"


@dataclass(frozen=True)
class PersonalId:
    """What the structure of a 12-digit personal identification number tells (`requirements.md` 5).

    Attributes:
        place: Three digits of the province, or country, of birth registration; "022" is Quảng Ninh.
        male: By the century digit, even for men.
        birth_year: In full.
    """

    digits: str
    place: str
    male: bool
    birth_year: int


def dossier_code(agency: str, day: date, ordinal: int) -> str:
    """The code of the `ordinal`-th dossier that `agency` opened on `day`.

    Raises:
        ValueError: No agency code (Decision 20/2020), or an ordinal outside 1…999999.
    """
    if len(agency) > MAX_AGENCY_CODE or not _AGENCY_CODE.fullmatch(agency):
        raise ValueError(f"not an agency code: {agency!r}")
    if not 1 <= ordinal <= _MAX_ORDINAL:
        raise ValueError(f"not an ordinal: {ordinal}")
    return str(DossierCode(agency, day, ordinal))


def transfer_code(sender: str, day: date, ordinal: int) -> str:
    """The code of the `ordinal`-th transfer slip that `sender` made out on `day`.

    Raises:
        ValueError: As `dossier_code`.
    """
    return f"BG-{dossier_code(sender, day, ordinal)}"


def parse_dossier_code(text: str) -> DossierCode:
    """Read a dossier code as a person typed it.

    Raises:
        BadCode: It doesn't have the shape, or its day isn't in the calendar.
    """
    squeezed = _squeezed(text)
    if bare := _BARE_DOSSIER_CODE.fullmatch(squeezed):
        squeezed = f"{'.'.join(bare.groups()[:4])}-{bare['day']}-{bare['ordinal']}"
    found = _DOSSIER_CODE.fullmatch(squeezed)
    if found is None or len(found["agency"]) > MAX_AGENCY_CODE or int(found["ordinal"]) == 0:
        raise BadCode(
            "Mã hồ sơ không đúng dạng. Ví dụ một mã đúng: 000.00.01.H49-261121-0007.",
            "The dossier code doesn't have the right form. A right one looks like 000.00.01.H49-261121-0007.",
        )
    digits = found["day"]
    try:
        day = date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        raise BadCode(
            "Mã hồ sơ có phần ngày không tồn tại. Xin xem lại sáu chữ số ở giữa mã.",
            "The date in the dossier code doesn't exist. Please look at the six digits in its middle again.",
        ) from None
    return DossierCode(found["agency"], day, int(found["ordinal"]))


def result_code(of_dossier: str, ordinal: int) -> str:
    """The code of a dossier's `ordinal`-th result: "…-KQ1".

    Raises:
        ValueError: The ordinal isn't 1 or more.
    """
    if ordinal < 1:
        raise ValueError(f"not an ordinal: {ordinal}")
    return f"{of_dossier}-KQ{ordinal}"


def parse_result_code(text: str) -> tuple[DossierCode, int]:
    """Read a result code, with or without the brackets of the decree: dossier code and ordinal.

    Raises:
        BadCode: It doesn't have the shape.
    """
    found = _RESULT_CODE.fullmatch(_squeezed(text))
    if found is None or int(found["n"]) == 0:
        raise BadCode(
            "Mã kết quả không đúng dạng. Ví dụ một mã đúng: 000.00.01.H49-261121-0007-KQ1.",
            "The result code doesn't have the right form. A right one looks like 000.00.01.H49-261121-0007-KQ1.",
        )
    return parse_dossier_code(found["dossier"]), int(found["n"])


def new_lookup_code() -> str:
    """A fresh secret for the citizen: 13 digits, the last one checks the others. Unpredictable (`secrets`)."""
    digits = f"{secrets.randbelow(10 ** (LOOKUP_DIGITS - 1)):0{LOOKUP_DIGITS - 1}d}"
    return digits + str(_damm(digits))


def format_lookup_code(code: str) -> str:
    """A look-up code as it is printed, in groups a person can hold in mind: "4820-1173-9055-6"."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def normalise_lookup_code(text: str) -> str:
    """Read a look-up code as a person typed it: 13 bare digits.

    Raises:
        BadCode: Not 13 digits, or the check digit shows that one of them is wrong.
    """
    digits = _DASHES.sub("", _squeezed(text)).replace(".", "")
    if len(digits) != LOOKUP_DIGITS or not re.fullmatch("[0-9]+", digits):
        raise BadCode(
            f"Mã tra cứu có {LOOKUP_DIGITS} chữ số, in trên giấy theo nhóm 4-4-4-1.",
            f"A look-up code has {LOOKUP_DIGITS} digits, printed on the paper in groups of 4-4-4-1.",
        )
    if _damm(digits) != 0:
        raise BadCode(
            "Mã tra cứu có chữ số chưa đúng. Xin so lại với giấy rồi nhập lại.",
            "A digit of the look-up code isn't right. Please compare it with the paper and type it again.",
        )
    return digits


def copy_filename(of_dossier: str, ordinal: int) -> str:
    """File name of the digitised copy of a dossier's `ordinal`-th component (`requirements.md` C9)."""
    return f"{of_dossier}.{ordinal:03d}.pdf"


def result_filename(of_dossier: str, ordinal: int) -> str:
    """File name of a dossier's `ordinal`-th result (`requirements.md` C9)."""
    return f"{result_code(of_dossier, ordinal)}.pdf"


def annex_filename(of_dossier: str, ordinal: int, annex: int) -> str:
    """File name of the `annex`-th annex of a dossier's `ordinal`-th result: "<mã hồ sơ>-KQ<n>-PL<m>.pdf"."""
    return f"{result_code(of_dossier, ordinal)}-PL{annex}.pdf"


def form_filename(of_dossier: str, form: str) -> str:
    """File name of a form that goes with a dossier: "<mã hồ sơ>-giay-hen.pdf"."""
    words = {"receipt": "giay-hen", "supplement": "phieu-yeu-cau-bo-sung", "refusal": "phieu-tu-choi"}
    return f"{of_dossier}-{words[form]}.pdf"


def clean_filename(name: str) -> str:
    """A file name as given by a stranger, made safe to show and to send back.

    The folder part goes, and so do characters that don't print, turn the direction of writing, or mean something to a
    file system. What remains is NFC, at most `MAX_FILENAME_BYTES` bytes of UTF-8 with its extension kept, never empty.
    Cleaning twice changes nothing more.
    """
    text = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    text = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    text = re.sub(r'[<>:"|?*]', "_", text)
    text = _trimmed(text)
    stem, dot, extension = text.rpartition(".")
    if not dot or len(extension.encode()) > 10 or not stem:  # noqa: PLR2004  longer than any extension we know
        stem, dot, extension = text, "", ""
    stem = _cut(stem, MAX_FILENAME_BYTES - len((dot + extension).encode()))
    return _trimmed(stem + dot + extension) or "khong-ten"


def parse_personal_id(text: str, *, today: date) -> PersonalId:
    """Read a 12-digit personal identification number and check what its structure allows to check.

    It has no check digit, so a number that passes need not have been given to anybody.

    Raises:
        BadCode: Not 12 digits, no place of registration, or born after `today`.
    """
    digits = _DASHES.sub("", _squeezed(text)).replace(".", "")
    if len(digits) != _PERSONAL_ID_DIGITS or not re.fullmatch("[0-9]+", digits):
        raise BadCode("Số định danh cá nhân có 12 chữ số.", "A personal identification number has 12 digits.")
    century_and_sex = int(digits[3])
    birth_year = 1900 + 100 * (century_and_sex // 2) + int(digits[4:6])
    if digits[:3] == "000" or birth_year > today.year:
        raise BadCode(
            "Số định danh cá nhân không hợp lệ. Xin so lại với thẻ căn cước.",
            "This personal identification number can't be right. Please compare it with the ID card.",
        )
    return PersonalId(digits, digits[:3], century_and_sex % 2 == 0, birth_year)


def _damm(digits: str) -> int:
    """The check digit of `digits`; 0 when they end in their own check digit."""
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return interim


def find_dossier_code(text: str) -> DossierCode | None:
    """The dossier code that stands in a file's or a folder's name; None where there is none, or more than one."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text)).upper()
    found = set()
    for match in re.finditer(rf"(?<![0-9A-Z.]){_DOSSIER_CODE.pattern}(?![0-9])", plain):
        try:
            found.add(parse_dossier_code(match[0]))
        except BadCode:
            continue
    return found.pop() if len(found) == 1 else None


def _squeezed(text: str) -> str:
    """Upper case, one kind of dash, compatibility forms resolved (full-width digits), no white space."""
    return _GAPS.sub("", _DASHES.sub("-", unicodedata.normalize("NFKC", text))).upper()


def _trimmed(text: str) -> str:
    """Runs of spaces made one, no space or dot at either end: a leading dot hides a file, Windows drops a trailing."""
    return re.sub(r" +", " ", text).strip(" .")


def _cut(text: str, size: int) -> str:
    """At most `size` bytes of UTF-8, never ending inside a letter and its marks."""
    while len(text.encode()) > size:
        text = text[:-1]
        while text and unicodedata.combining(text[-1]) and len(text.encode()) > size:
            text = text[:-1]
    return text
