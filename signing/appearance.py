"""The visible blocks of signatures, as Decree 30/2020 draws them: picture, seal, or a few lines of text.

A block is laid out by typst as a page of its own, exactly as large as the signature field, and imported into the
signature's appearance: pyHanko's own text engine spreads letters of fonts like ours and breaks PDF/A. What is drawn
is looks; what counts is the signature behind it.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import typst

from signing import typeface, typesetting

if TYPE_CHECKING:
    from signing.typeface import Typeface

_HERE = Path(__file__).parent
_VIETNAM = timezone(timedelta(hours=7))
#: Decree 30/2020 wants 10 pt; smaller only when a long name wouldn't fit the block otherwise.
_SIZES_PT = (10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.0, 5.0, 4.0)


@dataclass(frozen=True)
class Appearance:
    """What a signature field shows.

    Attributes:
        picture: PNG or SVG with a transparent ground, drawn as large as the field allows; or None.
        lines: Text, 10 pt, black, upright.
        with_time: The signing time as a last line, ISO 8601, Vietnam time.
        left: Lines start at the left edge instead of being centred.
        typeface: The centre's own; None is the one that comes with the service.
    """

    picture: bytes | None = None
    lines: tuple[str, ...] = ()
    with_time: bool = False
    left: bool = False
    typeface: Typeface | None = None


def leader(name: str, picture: bytes | None = None) -> Appearance:
    """Draw the signing person: their handwritten signature (blue, transparent), or plainly who signed and when."""
    return Appearance(picture=picture) if picture else Appearance(lines=("Đã ký số", name), with_time=True)


def seal(agency: str, picture: bytes | None = None) -> Appearance:
    """Draw the agency: its seal (red, transparent, real size), or plainly who sealed and when."""
    return Appearance(picture=picture) if picture else Appearance(lines=("Đã ký số", agency), with_time=True)


def copy(agency: str, form: str = "Sao y") -> Appearance:
    """Draw the block of an electronic copy: form of copy, agency, time. No picture (Decree 30/2020, annex I)."""
    return Appearance(lines=(form, agency), with_time=True)


def annex(number_symbol: str) -> Appearance:
    """Draw the block of an annex kept in a file of its own: number-symbol of the main document, time."""
    return Appearance(lines=(number_symbol,), with_time=True)


def scanner(name: str) -> Appearance:
    """Draw the block of whoever scanned: name, time (TT 01/2023/TT-VPCP, article 8)."""
    return Appearance(lines=(name,), with_time=True, left=True)


def render(appearance: Appearance, *, width_pt: float, height_pt: float, at: datetime) -> bytes:
    """Lay a block out as a one-page PDF/A-2b of exactly this size.

    Raises:
        ValueError: The picture is neither PNG nor SVG, or a line has letters the typeface lacks.
    """
    face = appearance.typeface or typeface.ours()
    lines = [unicodedata.normalize("NFC", line) for line in appearance.lines]
    if appearance.with_time:
        lines.append(at.astimezone(_VIETNAM).isoformat(timespec="seconds"))
    data: dict[str, Any] = {
        "width": width_pt,
        "height": height_pt,
        "lines": lines,
        "left": appearance.left,
        "sizes": _SIZES_PT,
        "typeface": face.family,
        "picture": None,
    }
    with TemporaryDirectory(prefix="hoso-stamp-") as folder:
        if appearance.picture is not None:
            data["picture"] = _picture_name(appearance.picture)
            (Path(folder) / data["picture"]).write_bytes(appearance.picture)
        source = Path(folder) / "stamp.typ"
        source.write_bytes((_HERE / "typst" / "stamp.typ").read_bytes())
        try:
            page = typst.compile(
                str(source),
                root=folder,
                font_paths=typesetting.fonts(face.folder),
                sys_inputs={"data": json.dumps(data)},
                pdf_standards=["a-2b"],
                pdf_tags=False,
                timestamp=at.astimezone(UTC).replace(microsecond=0),
            )
        except typst.TypstError as error:
            raise ValueError(f"không vẽ được khung chữ ký: {error.message}") from error
    assert isinstance(page, bytes)  # noqa: S101 - one page, so never a list
    try:
        typesetting.require_fonts(page, face.postscript_names)
    except typesetting.LayoutError as error:
        raise ValueError(f"khung chữ ký dùng phông lạ: {error}") from error
    return page + b"\n"


def _picture_name(picture: bytes) -> str:
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "picture.png"
    if b"<svg" in picture[:1024]:
        return "picture.svg"
    raise ValueError("ảnh chữ ký hoặc con dấu phải là PNG hoặc SVG")
