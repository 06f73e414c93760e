"""Addresses compared with the two levels in force since 1 July 2025: commune, then province."""

from __future__ import annotations

import re

from digitize import gazetteer
from digitize.fields.layout import plain
from digitize.words.vietnamese import nfc, one_tone_style

_PROVINCE = re.compile(r"(?:^|,)\s*(?P<kind>tinh|thanh pho|tp\.?)?\s*(?P<name>[^,]+?)(?:,\s*viet nam)?$")
_COMMUNE = re.compile(r"(?:^|,)\s*(?P<kind>phuong|xa|dac khu)\s+(?P<name>[^,]+)$")


def checked(text: str) -> tuple[str, bool]:
    """Compare an address's last two parts with the list of 2025, and mend marks lost in them.

    Args:
        text: NFC, one line, without the closing mark.

    Returns:
        The address, and whether its province and a commune of that province were found. An address of before the
        reform (with its district) isn't known: nobody can check it here.
    """
    folded = plain(text)
    at_province = _PROVINCE.search(folded)
    if at_province is None:
        return text, False
    kind = {"tinh": "tỉnh", "thanh pho": "thành phố"}.get(at_province["kind"] or "", "")
    province = gazetteer.province_named(_cut(text, at_province), kind)
    if province is None:
        return text, False
    at_commune = _COMMUNE.search(folded[: at_province.start()])
    if at_commune is None:
        return text, False
    commune = gazetteer.commune_named(_cut(text, at_commune), at_commune["kind"], province[0])
    if commune is None:
        return text, False
    mended = _put(text, at_province, province[0].name, province[0].kind)
    return _put(mended, at_commune, commune[0].name, commune[0].kind), True


_CAPITAL = r"[A-ZÀ-ỸĐ][\w'’-]*"
_NAMED = re.compile(rf"(?i:\b(?P<kind>xã|phường|đặc khu|tỉnh|thành phố))\s(?P<name>{_CAPITAL}(?:\s{_CAPITAL}){{0,4}})")


def _cut(text: str, match: re.Match[str]) -> str:
    return text[match.start("name") : match.end("name")]


def _put(text: str, match: re.Match[str], name: str, kind: str) -> str:
    """Set name and kind right; the paper's own case and tone style stay where only they differ."""
    right = text
    for group, spelling in (("name", name), ("kind", kind)):
        if match[group] is None or match[group].startswith("tp"):
            continue
        start, end = match.span(group)
        read = text[start:end]
        if one_tone_style(read).casefold() != one_tone_style(spelling).casefold():
            spelling = spelling.upper() if read.isupper() and len(read) > 1 else spelling  # noqa: PLW2901
            right = right[:start] + spelling + right[end:]
    return right


def names_a_misspelt_place(text: str) -> bool:
    """Whether a text names a commune or province with other marks than any has: "xã Ba Chế", where there is Ba Chẽ.

    A name that isn't in the list at all may be of before the reform, and is let pass.
    """
    for found in _NAMED.finditer(nfc(text)):
        words = found["name"].split()
        names = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
        # "xã Ba Chẽ Phạm Văn An": as many of the words as make a place.
        if any(gazetteer.is_misspelt(name, found["kind"]) for name in names) and not any(
            gazetteer.is_spelt(name, found["kind"]) for name in names
        ):
            return True
    return False
