"""The words an official paper is made of that are known beforehand: what a reading of them is compared with."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from digitize import gazetteer
from digitize.fields.layout import plain
from digitize.words.vietnamese import nfc, one_tone_style

if TYPE_CHECKING:
    from collections.abc import Sequence

_UPPER_SHARE = 0.75

#: What an agency's name begins with, folded.
AGENCY_HEADS = frozenset({
    "uy ban", "ubnd", "ub", "hoi dong", "hdnd", "so", "bo", "phong", "ban", "van phong", "trung tam", "chi cuc", "cuc",
    "tong cuc", "vu", "vien", "hoc vien", "truong", "dai hoc", "benh vien", "chinh phu", "thu tuong", "quoc hoi",
    "chu tich", "thanh tra", "kho bac", "bao hiem", "chi nhanh", "tap doan", "tong cong ty", "cong ty", "ngan hang",
    "hop tac xa", "cong an", "toa an", "dang", "tinh uy", "thanh uy", "huyen uy", "mat tran", "lien doan", "hoi",
    "doan", "quy", "kiem toan", "thong tan", "dai", "bao", "tap chi", "hai quan", "thue", "chi cuc thue", "quan khu",
    "bo tu lenh", "bo chi huy", "van phong dang ky", "vien kiem sat", "to", "cum", "lien hiep", "hiep hoi", "nha",
})  # fmt: skip

#: Phrases whose marks are known: where a reading differs only in marks, the phrase is meant.
_PHRASES = (
    "Ủy ban nhân dân", "Hội đồng nhân dân", "Trung tâm Phục vụ hành chính công", "Cộng hòa xã hội chủ nghĩa Việt Nam",
    "Chủ tịch", "Phó Chủ tịch", "Giám đốc", "Phó Giám đốc", "Chánh Văn phòng", "Phó Chánh Văn phòng", "Trưởng phòng",
    "Phó Trưởng phòng", "Bộ trưởng", "Thứ trưởng", "Tổng cục trưởng", "Cục trưởng", "Phó Cục trưởng", "Vụ trưởng",
    "Chi cục trưởng", "Hiệu trưởng", "Phó Hiệu trưởng", "Viện trưởng", "Chánh Thanh tra", "Trưởng ban",
    "Phó Trưởng ban", "Tổng Giám đốc", "Phó Tổng Giám đốc", "Thủ tướng", "Phó Thủ tướng", "Thủ tướng Chính phủ",
    "Chính phủ", "Quốc hội", "Thủ trưởng", "Công chức tư pháp", "Trưởng Công an", "Đội trưởng", "Kế toán trưởng",
    "Sở Xây dựng", "Sở Tài chính", "Sở Nội vụ", "Sở Tư pháp", "Sở Y tế", "Sở Công Thương", "Sở Giáo dục và Đào tạo",
    "Sở Nông nghiệp và Môi trường", "Sở Khoa học và Công nghệ", "Sở Văn hóa, Thể thao và Du lịch", "Sở Ngoại vụ",
    "Sở Dân tộc và Tôn giáo", "Sở Du lịch", "Sở Quy hoạch - Kiến trúc", "Sở Tài nguyên và Môi trường",
    "Sở Giao thông vận tải", "Sở Kế hoạch và Đầu tư", "Sở Lao động - Thương binh và Xã hội",
    "Sở Thông tin và Truyền thông", "Sở Nông nghiệp và Phát triển nông thôn", "Sở Văn hóa và Thể thao",
    "Bộ Xây dựng", "Bộ Tài chính", "Bộ Nội vụ", "Bộ Tư pháp", "Bộ Y tế", "Bộ Công Thương", "Bộ Công an",
    "Bộ Giáo dục và Đào tạo", "Bộ Nông nghiệp và Môi trường", "Bộ Khoa học và Công nghệ", "Bộ Ngoại giao",
    "Bộ Văn hóa, Thể thao và Du lịch", "Bộ Quốc phòng", "Bộ Dân tộc và Tôn giáo", "Bộ Giao thông vận tải",
    "Bộ Kế hoạch và Đầu tư", "Bộ Thông tin và Truyền thông", "Bộ Tài nguyên và Môi trường",
    "Phòng Kinh tế, Hạ tầng và Đô thị", "Phòng Văn hóa - Xã hội", "Phòng Kinh tế", "Phòng Tư pháp", "Phòng Nội vụ",
    "Văn phòng Hội đồng nhân dân và Ủy ban nhân dân", "Văn phòng", "Văn phòng Chính phủ",
    "Văn phòng Đăng ký đất đai", "Thanh tra Chính phủ", "Kho bạc Nhà nước", "Bảo hiểm xã hội", "Công an",
    "Giám đốc Trung tâm", "Đảng ủy", "Tỉnh ủy", "Trung tâm",
)  # fmt: skip
#: Words of other agencies' names, with their marks: what isn't here and in no phrase may have lost one.
_OFFICIAL = gazetteer.words_of("agency_words.txt")
_KINDS = ("tỉnh", "thành phố", "phường", "xã", "đặc khu", "huyện", "quận", "thị xã", "thị trấn", "thành")


def is_upper(text: str) -> bool:
    """Whether a text is printed in capitals."""
    letters = [letter for letter in text if letter.isalpha()]
    return bool(letters) and sum(letter.isupper() for letter in letters) >= _UPPER_SHARE * len(letters)


def mended(text: str) -> tuple[str, bool]:
    """Set marks right where the phrase is known: "TĨNH QUẢNG NINH", "Ủy ban nhân đân"; hòa and hoà both stay.

    Returns:
        The text, NFC, in the case and the tone style it was printed in, and whether all its words are known ones.
    """
    words = nfc(text).replace("Ð", "Đ").split()
    known = [False] * len(words)
    folded = [plain(word).strip(",.;:()") for word in words]
    for phrase, spellings in _longest_first():
        size = len(phrase)
        for at in range(len(words) - size + 1):
            if folded[at : at + size] == list(phrase) and not any(known[at : at + size]):
                right = _meant(spellings, words[at : at + size])
                for offset in range(size if right else 0):
                    words[at + offset] = _as(right[offset], words[at + offset])
                    known[at + offset] = True
    _mend_places(words, folded, known)
    official = [
        f in {"", "-", "&"} or one_tone_style(w).casefold().strip(",.;:()") in _OFFICIAL
        for f, w in zip(folded, words, strict=True)
    ]
    return " ".join(words), all(k or o for k, o in zip(known, official, strict=True))


def _mend_places(words: list[str], folded: list[str], known: list[bool]) -> None:
    """After "tỉnh", "xã" and their like, the name of a place that is in the list of 2025."""
    starts = [(kind.split(), kind) for kind in _KINDS]
    for at in range(len(words)):
        for kind_words, kind in starts:
            size = len(kind_words)
            if folded[at : at + size] != [plain(word) for word in kind_words]:
                continue
            longest = next(
                (n for n in range(5, 0, -1) if at + size + n <= len(words) and _place(words, at + size, n, kind)), 0
            )
            if not longest:
                continue
            name = _place(words, at + size, longest, kind) or ""
            for offset, right in enumerate([*kind_words, *name.split()]):
                if at + offset < len(words):
                    words[at + offset] = _as(right, words[at + offset])
                    known[at + offset] = True
    if not any(known) and 0 < len(words) <= 5:  # noqa: PLR2004  a place by itself, as before "ngày"
        for at, right in enumerate(_only_place(" ".join(words)).split()):
            words[at] = _as(right, words[at])
            known[at] = True


def _only_place(name: str) -> str:
    """The spelling of a province or commune that is spelt so, or the only one that is but for lost marks; else ""."""
    found = [match for match in (gazetteer.province_named(name), gazetteer.commune_named(name)) if match]
    right = {match[0].name for match in found if match[1]} or {match[0].name for match in found}
    fitting = [each for each in right if len(each.split()) == len(name.split())]
    return fitting[0] if len(fitting) == 1 or any(gazetteer.same(each, name) for each in fitting) else ""


def _place(words: list[str], at: int, size: int, kind: str) -> str | None:
    name = " ".join(words[at : at + size]).strip(",.;:()")
    match: tuple[gazetteer.Province | gazetteer.Commune, bool] | None = None
    if plain(kind) in {"tinh", "thanh pho"}:
        match = gazetteer.province_named(name)
    elif plain(kind) in {"xa", "phuong", "dac khu"}:
        match = gazetteer.commune_named(name, kind)
    if match is None or len(match[0].name.split()) != size:
        return None
    return match[0].name


def _as(right: str, read: str) -> str:
    """The right spelling in the case of what was read, with its punctuation; untouched when only the style differs."""
    start = len(read) - len(read.lstrip("(,.;:"))
    end = len(read.rstrip("),.;:"))
    core = read[start:end]
    bare = right.strip(",.;:")
    if one_tone_style(core).casefold() == one_tone_style(bare).casefold():
        return read
    if core.isupper():
        bare = bare.upper()
    elif core[:1].isupper():
        bare = bare[:1].upper() + bare[1:]
    else:
        bare = bare.casefold()
    return read[:start] + bare + read[end:]


def _meant(spellings: Sequence[tuple[str, ...]], read: Sequence[str]) -> tuple[str, ...]:
    """The spelling that was read, or the only one there is; () where marks decide between "Thứ" and "Thủ trưởng"."""
    if len(spellings) == 1:
        return spellings[0]
    same = [each for each in spellings if gazetteer.same(" ".join(each), " ".join(read).strip(" ,.;:()"))]
    return same[0] if same else ()


@cache
def _longest_first() -> tuple[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]], ...]:
    found: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {("ubnd",): (("UBND",),), ("hdnd",): (("HĐND",),)}
    for phrase in _PHRASES:
        right = tuple(phrase.replace(",", "").split())
        key = tuple(plain(word) for word in right)
        found[key] = (*found.get(key, ()), right)
    return tuple(sorted(found.items(), key=lambda item: -len(item[0])))
