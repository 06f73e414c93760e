"""Names of people as Vietnamese papers print them."""

from __future__ import annotations

import re

from digitize import gazetteer
from digitize.words.vietnamese import nfc, one_tone_style

#: Family names, of the Kinh and of other peoples; with few exceptions a Vietnamese name begins with one of these.
_FAMILIES = gazetteer.words_of("family_names.txt")
_NAMED = gazetteer.words_of("name_words.txt") | _FAMILIES
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]*)?")
#: A name has no context that would show a wrong mark: it is sure only when it was read very surely.
SURE_NAME = 90.0
_FEWEST_WORDS, _MOST_WORDS = 2, 6
_NOT_NAMES = re.compile(
    r"\b(?:ngày|tháng|điều|lưu:|ủy ban|uỷ ban|cộng h[oò][àa]|nơi nhận|chủ tịch|giám đốc|trưởng phòng|ubnd)\b",
    re.IGNORECASE,
)


def tidy_name(text: str) -> str:
    """Without the specks at the edges of its words that are read as quotes and stops; NFC."""
    return " ".join(word.strip("'`\".,-_ ") for word in nfc(text).split()).strip()


def is_name(text: str) -> bool:
    """Whether a line could be a person's name: 2 to 6 words, each with a capital, nothing but letters."""
    words = tidy_name(text).split()
    if not _FEWEST_WORDS <= len(words) <= _MOST_WORDS or _NOT_NAMES.search(text):
        return False
    return all(_WORD.fullmatch(word) and word[0].isupper() for word in words)


def known_family(text: str) -> bool:
    """Whether a name begins with a family name and goes on with words that people are named.

    "Tuân" for "Tuấn" passes; "Khạnh", "Thĩ" and "Hổng" don't. Who has a rarer name is looked at by a person.
    """
    words = [one_tone_style(word).casefold() for word in tidy_name(text).split()]
    return bool(words) and words[0] in _FAMILIES and all(word in _NAMED for word in words[1:])
