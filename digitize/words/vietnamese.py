"""Vietnamese as it is written and as it is looked for."""

from __future__ import annotations

import re
import unicodedata

_OUR_SCRIPTS_END = 0x2000  # Latin with its marks lies below; what anybody may send shall not fill memory


class _Unmarked(dict[int, str | int | None]):
    """For `str.translate`: no mark that has no place of its own, đ as d; each letter of our scripts is asked once."""

    def __missing__(self, letter: int) -> int | None:
        kept = None if unicodedata.category(chr(letter)) == "Mn" else letter
        if letter < _OUR_SCRIPTS_END:
            self[letter] = kept
        return kept


_BARRED_D = str.maketrans({"đ": "d", "Đ": "D", "ð": "d", "Ð": "D"})
_UNMARKED = _Unmarked(_BARRED_D)
_SPACE = re.compile(r"\s+")

#: The other habit of placing the tone mark: hoà for hòa, uỷ for ủy. Both stand in official papers.
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_OLD_STYLE = re.compile(rf"(?<![qQ])([oOuU])([aAeEyY])([{_TONES}])(?![\w\u0302\u0306])", re.UNICODE)


def nfc(text: str) -> str:
    """Compose every letter with its marks, as the law's character standard (TCVN 6909) does."""
    return unicodedata.normalize("NFC", text)


def one_tone_style(text: str) -> str:
    """Move tone marks to where most people put them, so that hoà and hòa, Uỷ and Ủy compare equal. NFC.

    For comparing only: what is stored keeps the spelling of the paper.
    """
    marks_apart = unicodedata.normalize("NFD", text)
    return nfc(_OLD_STYLE.sub(r"\1\3\2", marks_apart))


def fold(text: str) -> str:
    """The text without marks and case, đ as d, white space as single blanks: what a search without accents compares.

    >>> fold("Quyết  ĐỊNH")
    'quyet dinh'
    """
    letters = unicodedata.normalize("NFD", text).translate(_UNMARKED)
    return _SPACE.sub(" ", letters).strip().casefold()
