"""How easily Tesseract takes one Vietnamese syllable for another of the same letters.

Which mark is lost and which comes in its place is far from even: the hook above ê, ô, â, ă, ơ, ư is read as an acute
one time in eight ("kiếm" for kiểm), an acute as a hook never. Costs are negative natural logarithms of how often a
letter was read so, measured on drawn office scans (`bench/ordinary_pages.py`) and rounded.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

TONES = "\u0300\u0301\u0303\u0309\u0323"
_GRAVE, _ACUTE, _TILDE, _HOOK = tuple(TONES[:4])
#: (printed, read) on a letter with a mark of its own; "" is none.
_STACKED = {
    (_HOOK, _ACUTE): 2.0,
    (_GRAVE, ""): 3.5,
    (_HOOK, ""): 4.0,
    (_TILDE, ""): 4.0,
    (_TILDE, _GRAVE): 4.0,
    (_HOOK, _GRAVE): 5.0,
    (_ACUTE, ""): 5.0,
}
#: What is hardly ever read there: (printed, read).
SELDOM = frozenset({(_ACUTE, _HOOK), ("", _ACUTE), ("", _HOOK), ("", _GRAVE)})
#: The same on a bare letter.
_BARE = {(_TILDE, _GRAVE): 3.0, (_HOOK, _ACUTE): 5.0, (_HOOK, ""): 5.5, (_HOOK, _GRAVE): 6.0, ("", _HOOK): 6.0}
_ANOTHER_TONE = 7.0
_ANOTHER_LETTER = 6.0  # ô for o, đ for d
_REMEMBERED = 16384  # the same pairs of syllables come up page after page


@lru_cache(_REMEMBERED)
def cost(printed: str, read: str) -> float:
    """How unlikely `printed` is read as `read`, as a negative natural logarithm; 0 where they are alike.

    >>> cost("kiểm", "kiếm") < cost("kiếm", "kiểm")
    True
    """
    total = 0.0
    for letter, other in zip(printed, read, strict=False):
        if letter == other:
            continue
        (own, tone), (other_own, other_tone) = marks(letter), marks(other)
        if own != other_own:
            total += _ANOTHER_LETTER
        if tone != other_tone:
            total += (_STACKED if own else _BARE).get((tone, other_tone), _ANOTHER_TONE)
    return total


@lru_cache(_REMEMBERED)
def marks(letter: str) -> tuple[str, str]:
    """A letter's own mark (circumflex, breve, horn, bar) and its tone."""
    parts = unicodedata.normalize("NFD", letter)
    tone = "".join(part for part in parts if part in TONES)
    own = "".join(part for part in parts[1:] if part not in TONES)
    return "bar" if letter == "đ" else own, tone
