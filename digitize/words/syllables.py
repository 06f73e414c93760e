"""Whether a word could be a Vietnamese syllable, by the rules of its spelling and without a word list.

Source: the structure of the written syllable (initial, rhyme, tone), as taught in school grammars; a syllable closed by
c, ch, p or t carries the acute or the dot below, and c, g, ng are written k, gh, ngh before e, ê and i.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_TONES = "\u0300\u0301\u0303\u0309\u0323"
_SHARP_TONES = "\u0301\u0323"  # the acute and the dot below
_LONGEST = 7  # nghiêng

#: Longest first: ngh is not ng and a stray h.
_INITIALS = (
    "ngh", "ch", "gh", "gi", "kh", "ng", "nh", "ph", "qu", "th", "tr",
    "b", "c", "d", "đ", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "x", "",
)  # fmt: skip
_WRITTEN = """
a ac ach ai am an ang anh ao ap at au ay  ăc ăm ăn ăng ăp ăt  âc âm ân âng âp ât âu ây
e ec em en eng eo ep et  ê êch êm ên ênh êp êt êu
i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong ooc oong
op ot  ô ôc ôi ôm ôn ông ôp ôt  ơ ơi ơm ơn ơp ơt
u ua uân uâng uât uây uc uê uêch uênh ui um un ung uôc uôi uôm uôn uông uôt uơ up ut
uy uya uych uyên uyêt uyn uynh uyp uyt uyu
ư ưa ưc ưi ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu  y yêm yên yêng yêt yêu
"""
_RHYMES = frozenset(_WRITTEN.split())
#: After qu, whose u is the rhyme's own glide.
_AFTER_QU = frozenset(rhyme for rhyme in _RHYMES if rhyme[0] in "aăâeê") | frozenset(
    ("i", "it", "ôc", "ơ", "ơi", "ơn", "ơt", "y", "ych", "yên", "yêt", "ynh", "yt", "yp", "yu")
)
_BEFORE_Y = frozenset({"", "h", "k", "l", "m", "n", "s", "t", "th", "v"})
_FRONT = "eêi"
_G_OF_GI = {("g", "i"), ("g", "in")}  # gì, gìn: gi whose i is the rhyme
_MARKED = "ăâêôơư"
_EITHER = frozenset({"oa", "oe", "uy"})  # hòa and hoà, ủy and uỷ: both habits stand in official papers
_VOWELS = "aăâeêioôơuưy"


@lru_cache(16384)
def is_syllable(text: str) -> bool:
    """Whether `text` is spelt as a Vietnamese syllable: its letters, its marks, and the place of its tone.

    The rules admit syllables that no dictionary has ("nghiếp"), and foreign words and abbreviations ("UBND") are none:
    a miss is a reason to look, a hit is no proof.

    Args:
        text: One word without blanks or punctuation; in small letters, Capitalised or in CAPITALS.

    >>> is_syllable("Quyết"), is_syllable("quyêt"), is_syllable("ngiêm")
    (True, False, False)
    """
    if not (text.islower() or text.istitle() or text.isupper()):
        return False
    letters, tone, place = _without_tone(text.lower())
    if letters is None or len(letters) > _LONGEST:
        return False
    return any(
        _fits(initial, letters[len(initial) :], tone, place - len(initial))
        for initial in _INITIALS
        if letters.startswith(initial)
    )


def _without_tone(text: str) -> tuple[str | None, str, int]:
    """The letters with their own marks, the tone or "", and the place of the letter that bears it or -1."""
    letters, tone, place = [], "", -1
    for index, letter in enumerate(unicodedata.normalize("NFC", text)):
        parts = unicodedata.normalize("NFD", letter)
        own = [mark for mark in parts if mark in _TONES]
        if own:
            if tone or len(own) > 1:
                return None, "", -1
            tone, place = own[0], index
        letters.append(unicodedata.normalize("NFC", "".join(mark for mark in parts if mark not in _TONES)))
    return "".join(letters), tone, place


def _fits(initial: str, rhyme: str, tone: str, place: int) -> bool:
    if not _can_follow(initial, rhyme):
        return False
    if rhyme.endswith(("c", "ch", "p", "t")) and tone not in tuple(_SHARP_TONES):
        return False
    return not tone or place in _places(rhyme)


def _can_follow(initial: str, rhyme: str) -> bool:
    if initial == "qu":
        return rhyme in _AFTER_QU
    if initial == "gi" and rhyme.startswith("ê"):  # giêng is gi with iêng
        rhyme = "i" + rhyme
        return rhyme in _RHYMES
    if rhyme not in _RHYMES:
        return False
    first = rhyme[0]
    if first == "y":
        return not initial or (rhyme == "y" and initial in _BEFORE_Y)
    if first in _FRONT:
        return initial not in {"c", "ng", "gi", "g"} or (initial, first) == ("gi", "e") or (initial, rhyme) in _G_OF_GI
    return initial not in {"k", "gh", "ngh"}


def _places(rhyme: str) -> set[int]:
    """Where in the rhyme its tone may stand."""
    marked = [index for index, letter in enumerate(rhyme) if letter in _MARKED]
    if marked:
        return {marked[-1]}  # of ươ it is ơ
    vowels = [index for index, letter in enumerate(rhyme) if letter in _VOWELS]
    if rhyme in _EITHER:
        return {0, 1}
    closed = len(vowels) < len(rhyme)
    return {vowels[1 if len(vowels) > 2 or (closed and len(vowels) == 2) else 0]}  # noqa: PLR2004  oai, oan; else ai
