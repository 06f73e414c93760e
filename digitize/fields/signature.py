"""Who signed, by what power and in what position, and who received the paper (Decree 30, boxes 7 and 9b).

"Nơi nhận" stands on the left, level with the signature block on the right. The document's own block is the first one:
annexes and drafts behind it carry others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from digitize.fields.addresses import names_a_misspelt_place
from digitize.fields.layout import DOUBT, UNWITNESSED, doubted, found, plain, sureness, witnessed
from digitize.fields.people import SURE_NAME, is_name, known_family, tidy_name
from digitize.fields.words import is_upper, mended
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digitize.fields.layout import Line, Sheet
    from digitize.types import Field

_RECIPIENTS = re.compile(r"^\W{0,3}n[oơ]i nh[aâ]n\W{0,3}$|^\W{0,3}noi nhan\s?:")
_POWER = re.compile(r"^\W{0,2}(?P<power>tm|kt|tl|tuq|tun|q)\s?[.,]\s?(?=\S)")
_POSITION = re.compile(
    r"^(?:pho )?(?:chu tich|giam doc|tong giam doc|"
    r"chanh van phong|truong phong|bo truong|thu truong|cuc truong|vu truong|"
    r"chi cuc truong|hieu truong|vien truong|chanh thanh tra|truong ban|thu tuong|truong cong an|doi truong|chanh an|"
    r"thu ky|chu nhiem|tong cuc truong|truong|chanh|bi thu|chanh kiem|kiem sat vien|cong chung vien|thu truong|doc)"
)
_APPLICANT = re.compile(
    r"^\W{0,2}(?:nguoi|chu) (?:lam don|khai|de nghi|yeu cau|viet don|uy quyen|cam doan|dai dien|ho|co so|nop|"
    r"su dung dat)"
)
_ASIDE = re.compile(r"^\W{0,2}\(?(?:da )?(?:ky|da ky|chu ky|ghi ro|dong dau)\b|\(.*\)$|^ky boi|^ngay ky|^thoi gian")
_ANNEX = re.compile(r"^\W{0,2}(?:phu luc|du thao|mau so|\(?kem theo|\(?ban hanh kem)")
_ARCHIVE = re.compile(r"^\W{0,3}luu\s?:?")
_REACH_EM = 14.0
_JUNK_BELOW = 50.0
_NEXT_LINE = 2.3
_DASHES = "-–—~•+_* "
_LABEL_WORDS = 3


def signed(sheets: Sequence[Sheet]) -> Iterator[Field]:
    """Yield "recipients", "power" (one a line: "TM. …", "KT. …"), "position" and "signer"."""
    for sheet in sheets:
        if sheet.number > 1 and _is_annex(sheet):
            return
        label = next((line for line in sheet.lines if _RECIPIENTS.match(line.plain)), None) or _above_archive(sheet)
        block = _block(sheet, label)
        if label is not None:
            yield from _recipients(sheet, label)
        if block:
            yield from _signer(sheet, block)
        if block or label is not None:
            return


def _above_archive(sheet: Sheet) -> Line | None:
    """The line above a list that ends with "- Lưu: VT": "Nơi nhận" in bold italics is often misread."""
    left = [line for line in sheet.lines if line.middle < 0.5 * sheet.width]
    last = next((i for i, line in enumerate(left) if _ARCHIVE.match(line.plain.lstrip(_DASHES))), None)
    if last is None:
        return None
    for index in range(last - 1, -1, -1):
        line, below = left[index], left[index + 1]
        if (
            below.box.top - line.box.bottom > _NEXT_LINE * line.height
            or line.box.left < left[last].box.left - line.height
        ):
            return None
        if line.text[0] not in _DASHES and below.text[0] in _DASHES and len(line.words) <= _LABEL_WORDS:
            return line if line.text.rstrip()[-1] not in ";." else None
    return None


def _is_annex(sheet: Sheet) -> bool:
    return any(_ANNEX.match(line.plain) for line in sheet.lines[:4])


def _block(sheet: Sheet, label: Line | None) -> list[Line]:
    """Lines of the signature block from the power or position down; beside "Nơi nhận", else the first on the page."""
    right = [line for line in sheet.lines if line.middle > 0.5 * sheet.width and line.box.left > 0.36 * sheet.width]
    if label is not None:
        reach = 3.5 * label.height
        right = [line for line in right if line.box.top > label.box.top - reach]
    for index, line in enumerate(right):
        opens = is_upper(line.text) and (
            _POWER.match(line.plain) or _POSITION.match(line.plain) or _APPLICANT.match(line.plain)
        )
        if not opens:
            continue
        if label is not None and line.box.top > label.box.bottom + 3 * label.height:
            return []
        start = index
        while start and _is_close_title(right[start - 1], right[start], sheet):
            start -= 1
        lines = [each for each in right[start:] if abs(each.middle - line.middle) < 0.16 * sheet.width]
        block = [each for each in lines if each.box.top - line.box.top < _REACH_EM * 1.3 * sheet.em]
        if label is not None or any(is_name(each.text) for each in block):
            return block
    return []


def _is_close_title(line: Line, below: Line, sheet: Sheet) -> bool:
    """Whether capitals stand right above a title: its first line, misread."""
    near = below.box.top - line.box.top < _NEXT_LINE * max(line.height, sheet.em)
    return near and is_upper(line.text) and abs(line.middle - below.middle) < 0.1 * sheet.width


def _signer(sheet: Sheet, block: Sequence[Line]) -> Iterator[Field]:
    titles, unread = _titles(sheet, block)
    powers: list[list[Line]] = []
    position: list[Line] = []
    for line in titles:
        if _POWER.match(line.plain):
            powers.append([line])
        elif position or _POSITION.match(line.plain) or _APPLICANT.match(line.plain):
            position.append(line)
        elif powers:
            powers[-1].append(line)
        else:
            unread = True
    acting = bool(powers) and powers[-1][0].plain.lstrip().startswith("q")
    if powers:
        texts = [_title(" ".join(line.text for line in power)) for power in powers]
        words = [word for power in powers for line in power for word in line.words]
        field = found("power", "\n".join(text for text, _ in texts), sheet, words, pen=sheet.pen)
        whole = not unread and bool(position or acting) and all(known for _, known in texts)
        yield field if whole else doubted(field)
    if position and not _APPLICANT.match(position[0].plain):
        yield from _position(sheet, position, powers[-1] if powers else [], unread=unread)
    elif acting and not position:
        yield from _position(sheet, powers[-1], [], unread=unread)
    last = titles[-1] if titles else block[0]
    below = [line for line in block if line.box.top > last.box.top + 0.5 * last.height]
    yield from _name(sheet, below, last)


def _titles(sheet: Sheet, block: Sequence[Line]) -> tuple[list[Line], bool]:
    """The capitals a block begins with, and whether something stands between them that was not read."""
    titles: list[Line] = []
    unread = False
    for line in block:
        if titles and not is_upper(line.text) and sureness(line.words) < _JUNK_BELOW and not is_name(line.text):
            unread = True
            continue
        near = not titles or line.box.top - titles[-1].box.top < _NEXT_LINE * max(titles[-1].height, sheet.em)
        if not is_upper(line.text) or not near or ":" in line.text:
            break
        titles.append(line)
    return titles, unread


def _position(sheet: Sheet, lines: Sequence[Line], power: Sequence[Line], *, unread: bool) -> Iterator[Field]:
    text, known = _title(" ".join(line.text for line in lines))
    if power:
        text, fits = _in_place_of(power[0].plain, text)
        known = known and fits
    field = found("position", text.strip(" .,"), sheet, [word for line in lines for word in line.words], pen=sheet.pen)
    yield field if known and not unread else doubted(field)


def _title(read: str) -> tuple[str, bool]:
    """Write "KT.CHỦ TỊCH" and "KT , CHU TỊCH" as "KT. CHỦ TỊCH"; and whether all its words are known."""
    text = nfc(read).strip(" -_,.")
    power = re.match(r"^\W{0,2}(TM|KT|TL|TUQ|TUN|Q)\s?[.,]\s?", text)
    title, known = mended(text[power.end() :] if power else text)
    return (f"{power[1]}. {title}" if power else title), known


def _in_place_of(power: str, position: str) -> tuple[str, bool]:
    """Who signs "KT." is a deputy: "KT. BỘ TRƯỞNG" by a THỨ TRƯỞNG, whatever mark was read, the others by a PHÓ."""
    if not re.match(r"^\W{0,2}kt\b", power):
        return position, True
    if re.search(r"\bbo truong\b", power):
        deputy = plain(position) == "thu truong"
        return ("THỨ TRƯỞNG" if deputy else position), deputy
    return position, plain(position).startswith("pho ")


def _name(sheet: Sheet, below: Sequence[Line], title: Line) -> Iterator[Field]:
    """The first line below the title that is a person's name; bits of seal and signature aren't."""
    names = [line for line in below if not _ASIDE.search(line.plain) and is_name(line.text)]
    clear = [line for line in names if known_family(line.text)]
    for line in clear or names:
        text = tidy_name(line.text)
        field = found("signer", text, sheet, line.words, raw=line.text)
        others = [each for each in clear if each is not line]
        doubtful = (
            not known_family(text) or field.confidence < SURE_NAME or others or sureness(line.words, sheet.pen) == 0.0
        )
        centred = abs(line.middle - title.middle) < 0.1 * sheet.width
        yield doubted(field, DOUBT) if doubtful or not centred else field
        return


def _recipients(sheet: Sheet, label: Line) -> Iterator[Field]:
    items: list[list[Line]] = []
    above = label
    ended = False
    for line in sheet.lines:
        if line.box.top < label.box.top + 0.5 * label.height or line.box.left > 0.5 * sheet.width:
            continue
        if abs(line.box.left - label.box.left) > 0.12 * sheet.width:
            continue
        if line.box.top - above.box.bottom > _NEXT_LINE * label.height:
            break
        dashed = bool(re.match(r"^\W{0,1}[-–—~•+_*]", line.text))
        if ended and not (dashed and _ARCHIVE.match(line.plain)):
            break
        above = line
        if dashed or not items or items[-1][-1].text[-1] == ";":
            items.append([line])
        else:
            items[-1].append(line)
        if _ARCHIVE.match(line.plain.lstrip(_DASHES)):
            ended = line.text[-1] == "."
    if not items:
        return
    texts = [_tidy_recipient(nfc(" ".join(line.text for line in item))) for item in items]
    words = [word for item in items for line in item for word in line.words if len(word.text) > 1]
    value = "\n".join(text for text in texts if text)
    field = found("recipients", value, sheet, words or label.words, raw=value, pen=sheet.pen)
    is_sure = ended and witnessed(words) and not names_a_misspelt_place(field.value)
    yield field if is_sure else doubted(field, UNWITNESSED)


def _tidy_recipient(text: str) -> str:
    """Without dash and closing mark; the archive's "VT," and the "(b/c)" that readers garble set right."""
    text = text.strip(_DASHES + ";.,")
    text = re.sub(r"\([bh6]?/[c©e]\)", "(b/c)", text)
    text = re.sub(r"^(?:L|1|I)[ưu]+\s?[:;.]?\s?V[TIFED]E?\s?[,;.]?\s?(?=\w)", "Lưu: VT, ", text)
    return re.sub(r"(?<=[^\W\d]),(?=[^\W\d])", ", ", text)
