"""What kind of paper it is, what it is about, and on which legal bases it stands (Decree 30, boxes 5a, 5b and 6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from digitize.fields.addresses import names_a_misspelt_place
from digitize.fields.head import number_line
from digitize.fields.layout import UNWITNESSED, doubted, found, plain, witnessed
from digitize.fields.words import is_upper
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.fields.head import Head
    from digitize.fields.layout import Line, Sheet
    from digitize.types import Field

#: Types of Decree 30, article 7, and papers an office sees every day.
TYPES = (
    "Nghị quyết", "Quyết định", "Chỉ thị", "Quy chế", "Quy định", "Thông cáo", "Thông báo", "Hướng dẫn", "Chương trình",
    "Kế hoạch", "Phương án", "Đề án", "Dự án", "Báo cáo", "Biên bản", "Tờ trình", "Hợp đồng", "Công văn", "Công điện",
    "Bản ghi nhớ", "Bản thỏa thuận", "Giấy ủy quyền", "Giấy mời", "Giấy giới thiệu", "Giấy nghỉ phép", "Phiếu gửi",
    "Phiếu chuyển", "Phiếu báo", "Thư công", "Nghị định", "Thông tư", "Thông tư liên tịch", "Giấy phép",
    "Giấy phép xây dựng", "Giấy chứng nhận", "Giấy xác nhận", "Giấy khai sinh", "Giấy chứng tử", "Giấy báo tử",
    "Giấy chứng nhận kết hôn", "Giấy chứng nhận đăng ký hộ kinh doanh", "Giấy chứng nhận đăng ký doanh nghiệp",
    "Giấy chứng nhận quyền sử dụng đất", "Giấy tiếp nhận hồ sơ và hẹn trả kết quả", "Trích lục", "Trích lục khai sinh",
    "Trích lục khai tử", "Trích lục kết hôn", "Đơn đề nghị", "Đơn xin xác nhận", "Đơn đăng ký", "Đơn khiếu nại",
    "Tờ khai", "Bản cam kết", "Phiếu lý lịch tư pháp", "Chứng chỉ", "Văn bản ủy quyền", "Sơ yếu lý lịch",
)  # fmt: skip
#: Papers whose name goes on in words of their own: "GIẤY XÁC NHẬN TÌNH TRẠNG HÔN NHÂN".
_OPEN = re.compile(r"(?:giay|don|to khai|phieu|trich luc|bien ban|hop dong|chung chi|ban|van ban|so yeu)\b")
_BY_FOLD = {plain(name): name for name in TYPES}
_SUBJECT = re.compile(r"^\W{0,2}(?:v\s?/\s?v|ve\s?viec)\s?:?\s*(?=\S)")
_LETTER = re.compile(r"^\W{0,2}v\s?[/⁄|il1]\s?v\b\s?:?\s*(?=\S)")
_STOP = re.compile(
    r"^\W{0,2}(?:can cu|kinh gui|dieu \d|xet |theo de nghi|noi nhan|chuong [ivx]|ho va ten|\d{1,2}\.\s|[ivx]{1,4}\.\s|"
    r"\(kem theo|\(ban hanh|so\s?:|toi ten|ten toi)"
)
_BASE = re.compile(r"^\W{0,2}(?:can cu\b|xet (?:de nghi|to trinh|bao cao|van ban)|theo de nghi|thuc hien )")
_BASES_END = re.compile(
    r"^\W{0,2}(?:quyet (?:dinh|nghi)\W{0,2}$|dieu \d|chuong [ivx]|\d{1,2}\.\s|[ivx]{1,4}\.\s|noi nhan)"
)
_FARTHEST = 0.6
_CENTRED = 0.03
_MOST_LINES = 6
_NEXT_LINE = 2.1


def kind_and_abstract(head: Head, sheet: Sheet) -> Iterator[Field]:
    """Yield "document_type" and "abstract" ("Về việc" and "V/v" left out).

    A letter (công văn) has no heading: its subject stands below its number, and that makes it one.
    """
    top = head.title.box.bottom if head.title else 0
    below = [line for line in sheet.lines if top <= line.box.top < _FARTHEST * sheet.height]
    for index, line in enumerate(below):
        kind = _kind(line, below[index + 1 :], sheet)
        if kind is None:
            continue
        name, lines, exact = kind
        words = [word for each in lines for word in each.words]
        field = found("document_type", name, sheet, words, pen=sheet.pen)
        yield field if exact or witnessed(words) else doubted(field, UNWITNESSED)
        rest = [each for each in below[index + 1 :] if each not in lines]
        yield from _abstract_below(rest, lines[-1], sheet)
        return
    yield from _letter(head, sheet)


def _kind(line: Line, below: Sequence[Line], sheet: Sheet) -> tuple[str, list[Line], bool] | None:
    if not is_upper(line.text) or abs(line.middle - sheet.width / 2) > 0.2 * sheet.width:
        return None
    stated = line.plain.strip(" .:-*'\"")
    if stated in _BY_FOLD:
        return _BY_FOLD[stated], [line], True
    begins = any(stated.startswith(name + " ") for name in _BY_FOLD)
    if not begins or not _OPEN.match(stated):
        return None
    lines = [line]
    for more in below[:2]:
        close = more.box.top - lines[-1].box.top < _NEXT_LINE * line.height
        centred = abs(more.middle - line.middle) < _CENTRED * sheet.width
        if not (close and centred and is_upper(more.text)) or _stops(more):
            break
        lines.append(more)
    text = " ".join(" ".join(each.text for each in lines).split())
    prefix = max((name for name in _BY_FOLD if stated.startswith(name + " ")), key=len)
    rest = text[len(prefix) :].casefold()
    return nfc(_BY_FOLD[prefix] + rest).strip(" .:"), lines, False


def _abstract_below(lines: Sequence[Line], heading: Line, sheet: Sheet) -> Iterator[Field]:
    """Take the centred lines right under the type's name, with "Về việc" or without."""
    left, right = sheet.text_edges
    taken: list[Line] = []
    unsure = False
    for line in lines[:_MOST_LINES]:
        above = taken[-1] if taken else heading
        said = bool(_SUBJECT.match(line.plain)) if not taken else False
        pitch = line.box.bottom - above.box.bottom
        centred = abs(line.middle - heading.middle) < (0.2 if said else _CENTRED) * sheet.width
        inside = line.box.left > left + 0.015 * sheet.width or line.box.right < right - 0.05 * sheet.width
        close = pitch < (_NEXT_LINE + (0.6 if not taken else 0.0)) * max(line.height, sheet.em)
        goes_on = bool(taken) and line.text[:1].islower()
        if not close or _is_heading(line) or _stops(line):
            break
        if not centred or not (inside or said or goes_on):
            unsure = bool(taken)  # right below stands something that may belong to it
            break
        taken.append(line)
    if not taken or len(" ".join(line.text for line in taken)) < 6:  # noqa: PLR2004
        return
    field = _abstract(taken, sheet)
    yield doubted(field) if unsure else field


def _stops(line: Line) -> bool:
    """Whether a line begins something else; "theo đề nghị" in the middle of a subject doesn't."""
    letters = [letter for letter in line.text if letter.isalnum() or letter == "("]
    return bool(_STOP.match(line.plain)) and bool(letters) and not letters[0].islower()


def _is_heading(line: Line) -> bool:
    """Capitals throughout; "3120/NQ-HĐND" at the end of a subject isn't one."""
    return is_upper(line.text) and not re.search(r"\d", line.text)


def _abstract(lines: Sequence[Line], sheet: Sheet) -> Field:
    raw = " ".join(line.text for line in lines)
    said = _SUBJECT.match(plain(raw)) or _LETTER.match(plain(raw))
    subject = nfc(raw[said.end() if said else 0 :]).strip(" ;")
    words = [word for line in lines for word in line.words]
    field = found("abstract", subject.rstrip("."), sheet, words, raw=raw, pen=sheet.pen)
    if len(lines) == _MOST_LINES:
        return doubted(field)
    is_sure = witnessed(words) and not names_a_misspelt_place(subject)
    return field if is_sure else doubted(field, UNWITNESSED)


def _letter(head: Head, sheet: Sheet) -> Iterator[Field]:
    stated = number_line(head)
    top = stated[0].box.top if stated else (head.title.box.top if head.title else 0)
    limit = 0.56 * sheet.width
    column = [line for line in sheet.lines if line.box.top >= top and line.box.left < 0.4 * sheet.width]
    first = next(
        (i for i, line in enumerate(column) if _LETTER.match(line.plain) and line.middle < 0.46 * sheet.width), None
    )
    if first is None or column[first].box.top > _FARTHEST * sheet.height:
        return
    taken = [column[first]]
    for line in column[first + 1 :]:
        above = taken[-1]
        close = line.box.bottom - above.box.bottom < _NEXT_LINE * max(line.height, 0.8 * sheet.em)
        centred = abs(line.middle - taken[0].middle) < 0.08 * sheet.width
        if not close or not centred or line.box.right > limit or _stops(line):
            break
        taken.append(line)
    kind = found("document_type", "Công văn", sheet, taken[0].words[:1], pen=sheet.pen)
    yield kind if stated else doubted(kind)
    yield _abstract(taken, sheet)


def legal_bases(sheets: Sequence[Sheet]) -> Iterator[Field]:
    """Yield "legal_bases": "Căn cứ …" and "Theo đề nghị …" one a line, without the closing mark."""
    bases: list[list[Line]] = []
    at: Sheet | None = None
    for sheet in sheets:
        for line in sheet.lines:
            starts = bool(_BASE.match(line.plain)) and line.text.lstrip("-–+ ")[:1].isupper()
            if starts and not bases and not line.plain.lstrip(" -–").startswith("can cu "):
                continue
            if starts:
                at = at or sheet
                bases.append([line])
            elif bases:
                if _ended(bases[-1][-1]) or _BASES_END.match(line.plain) or is_upper(line.text):
                    yield from _bases(bases, at or sheet, whole=_ended(bases[-1][-1]))
                    return
                bases[-1].append(line)
        if not bases:
            return
    if bases and at:
        yield from _bases(bases, at, whole=False)


def _ended(line: Line) -> bool:
    return line.text[-1] in ".;:"


def _bases(bases: Sequence[Sequence[Line]], sheet: Sheet, *, whole: bool) -> Iterator[Field]:
    texts = [nfc(" ".join(line.text for line in base)).strip(" ;.,:-") for base in bases]
    words = [word for base in bases for line in base for word in line.words]
    field = found("legal_bases", "\n".join(texts), sheet, words, raw="\n".join(texts), pen=sheet.pen)
    if whole:
        is_sure = witnessed(words) and not names_a_misspelt_place(field.value)
        yield field if is_sure else doubted(field, UNWITNESSED)
    else:
        yield doubted(field)
