"""The typeface of documents and of the blocks of signatures: ours, or the centre's own licensed copy.

Decree 30/2020 names Times New Roman, which is not free to ship. Ours has its measures; a centre that owns a licence
points to a folder with its copy, which is looked through once: four faces of one family, every Vietnamese letter, and
permission to be embedded. It is never replaced by another one in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]  # it ships no types

FOLDER = Path(__file__).parent / "fonts"

#: OS/2 fsType, as Microsoft's OpenType specification defines it.
_RESTRICTED, _NO_SUBSET, _BITMAPS_ONLY = 0x0002, 0x0100, 0x0200
_BOLD, _ITALIC = 0x20, 0x01  # of OS/2 fsSelection
_FACES = {
    (False, False): "thường (regular)",
    (True, False): "đậm (bold)",
    (False, True): "nghiêng (italic)",
    (True, True): "đậm nghiêng (bold italic)",
}
_VIETNAMESE = (
    "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵfjwz0123456789.,;:/-()“”…"
)


class TypefaceUnfit(ValueError):
    """Documents can't be set in this typeface; the message is for people and lists every reason."""


@dataclass(frozen=True)
class Typeface:
    """A family of four faces in a folder.

    Attributes:
        family: As typst knows it, for instance "Times New Roman".
        folder: Where the files lie.
        postscript_names: What a document set in it names its fonts.
        repertoire: Code points that all four faces can print.
    """

    family: str
    folder: Path
    postscript_names: frozenset[str]
    repertoire: frozenset[int]

    def width_pt(self, text: str, size_pt: float) -> float:
        """How wide a text is in the bold face, the widest, without kerning."""
        advances, unit = _bold_advances(self.folder)
        return sum(advances.get(ord(letter), unit) for letter in text) * size_pt / unit


@cache
def in_folder(folder: Path) -> Typeface:
    """The typeface whose files lie in `folder`.

    Raises:
        TypefaceUnfit: A face is missing, lacks Vietnamese letters, or may not be embedded; or there are two families.
    """
    faces, wrong = _faces(folder)
    try:
        families = sorted({_family(face) for face in faces})
        if not faces:
            wrong.append("không có tệp phông .ttf hay .otf nào (no font file)")
        if len(families) > 1:
            wrong.append(f"có nhiều họ phông: {', '.join(families)} (more than one family)")
        there = {_style(face) for face in faces}
        if faces:
            wrong += [f"thiếu kiểu {name}" for style, name in _FACES.items() if style not in there]
        wrong += [reason for face in faces for reason in _unfit(face)]
        if wrong:
            raise TypefaceUnfit(
                f"Không dùng được bộ phông trong {folder}: {'; '.join(wrong)}. Chưa có văn bản nào được dựng "
                "bằng phông khác. Hãy chép đủ bốn kiểu của một họ phông có giấy phép nhúng vào thư mục này, "
                "hoặc bỏ cấu hình HOSO_TYPEFACE để dùng phông kèm theo. (The folder's typeface can't be used.)"
            )
        return Typeface(
            family=families[0],
            folder=folder,
            postscript_names=frozenset(str(face["name"].getDebugName(6)) for face in faces),
            repertoire=frozenset(set.intersection(*(set(face.getBestCmap()) for face in faces))),
        )
    finally:
        for face in faces:
            face.close()


def ours() -> Typeface:
    """Liberation Serif, which comes with the service and has the measures of Times New Roman."""
    return in_folder(FOLDER)


def names_in(folder: Path) -> frozenset[str]:
    """PostScript names of whatever fonts lie in a folder."""
    faces, _ = _faces(folder)
    try:
        return frozenset(str(face["name"].getDebugName(6)) for face in faces)
    finally:
        for face in faces:
            face.close()


def unfit_in(folder: Path) -> list[str]:
    """Why fonts of a folder can't be used, each for itself; none where there are no fonts."""
    faces, wrong = _faces(folder)
    try:
        return [*wrong, *(reason for face in faces for reason in _unfit(face))]
    finally:
        for face in faces:
            face.close()


def _faces(folder: Path) -> tuple[list[TTFont], list[str]]:
    faces, wrong = [], []
    for path in sorted((*folder.glob("*.[tToO][tT][fF]"), *folder.glob("*.[tT][tT][cC]"))):
        if path.suffix.lower() == ".ttc":
            wrong.append(f"{path.name} gồm nhiều phông, hãy tách thành tệp .ttf (a collection: split it)")
            continue
        try:
            faces.append(TTFont(BytesIO(path.read_bytes()), lazy=True))
        except (TTLibError, OSError, ValueError):
            wrong.append(f"{path.name} không phải phông chữ (no font)")
    return faces, wrong


def _family(face: TTFont) -> str:
    """The family's name; the typographic one where the file has both, as typst takes it."""
    return str(face["name"].getDebugName(16) or face["name"].getDebugName(1))


def _style(face: TTFont) -> tuple[bool, bool]:
    selection = face["OS/2"].fsSelection
    return bool(selection & _BOLD), bool(selection & _ITALIC)


def _unfit(face: TTFont) -> list[str]:
    name = str(face["name"].getDebugName(4))
    licence = face["OS/2"].fsType
    wrong = []
    if licence & 0x000F == _RESTRICTED or licence & (_NO_SUBSET | _BITMAPS_ONLY):
        wrong.append(f"{name} không cho phép nhúng vào văn bản (fsType {licence:#06x} forbids embedding)")
    if "glyf" not in face and "CFF " not in face:
        wrong.append(f"{name} không có nét chữ (no outlines)")
    known = face.getBestCmap() or {}
    lacking = [letter for letter in _VIETNAMESE + _VIETNAMESE.upper() if ord(letter) not in known]
    if lacking:
        wrong.append(f"{name} thiếu chữ {' '.join(lacking[:8])}{'…' if len(lacking) > 8 else ''} (lacks letters)")  # noqa: PLR2004
    return wrong


@cache
def _bold_advances(folder: Path) -> tuple[dict[int, int], int]:
    """Advance of each code point in the bold face, and units an em."""
    faces, _ = _faces(folder)
    try:
        face = next(face for face in faces if _style(face) == (True, False))
        metrics = face["hmtx"].metrics
        return {code: metrics[glyph][0] for code, glyph in face.getBestCmap().items()}, face["head"].unitsPerEm
    finally:
        for face in faces:
            face.close()
