"""A paper dossier that never was: printed, stamped, signed, scanned badly, with the truth kept beside it.

The way is the one real papers take: words (`papers.toml`) are laid out (`papers.typ`), printed at 300 dpi, stamped and
signed in ink, then scanned or photographed (`capture`). A seed makes the same dossier again, to the byte. All people
are made up, and so is every seal: it says "MẪU".
"""

from __future__ import annotations

import io
import json
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pikepdf
import pypdfium2
import typst
from PIL import Image

from api.demo import capture
from api.demo.people import person
from digitize.types import Flag
from dossiers.types import Applicant
from signing import typeface

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from api.demo.capture import Pixels

    Capture = Callable[[Pixels, np.random.Generator], Pixels]

#: The procedure the papers belong to; its checklist in `api.demo.centre` has their kinds.
PROCEDURE: Final = "1.001612"

_HERE = Path(__file__).parent
_A4_PT = (595.276, 841.89)
_JPEG_QUALITY = 82
_SEAL = {"outer": "Ủy ban nhân dân phường Hồng Gai", "inner": "T. Quảng Ninh"}
_SEAL_OFFSET_MM = (-20.0, 0.0)  # a third of the signature lies under it (Decree 30/2020)


@dataclass(frozen=True)
class SamplePage:
    """What is true of one page.

    Attributes:
        number: 1-based within its file.
        condition: How it was captured, in a word or two.
        phrases: Some of what is printed on it, NFC, each within one paragraph; all of it can be read by a person.
        flags: Exactly the flags that call for a person's attention here; others are mistakes, but for
            DOUBTFUL_READING, which depends on the reader.
    """

    number: int
    condition: str
    phrases: tuple[str, ...]
    flags: frozenset[Flag]


@dataclass(frozen=True)
class SampleComponent:
    """One paper of the dossier as a file.

    Attributes:
        kind: Code of the checklist row of `PROCEDURE` it answers.
        number, symbol, dated: What its fields must come to; "" and None where the paper has none.
    """

    kind: str
    name: str
    file: Path
    media_type: str
    pages: tuple[SamplePage, ...]
    number: str = ""
    symbol: str = ""
    dated: date | None = None


@dataclass(frozen=True)
class SampleDossier:
    """A dossier to hand in, and what a faithful reading of it must find."""

    procedure: str
    applicant: Applicant
    components: tuple[SampleComponent, ...]

    @property
    def page_count(self) -> int:
        """Pages in all components."""
        return sum(len(component.pages) for component in self.components)


def make_dossier(folder: Path, *, seed: int, size: Literal["small", "full"] = "small") -> SampleDossier:
    """Write a synthetic scanned dossier into `folder` and tell the truth about it.

    "small": five pages in three components, none to be scanned again. "full": twelve pages in seven, among them a
    photographed, a blurred, a cut, a 150-dpi, a blank, a skewed and an upside-down one.

    About one CPU second a page. The same seed and size give the same bytes.
    """
    facts = _facts(Random(seed))  # noqa: S311  the same papers again, not a secret
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    who = facts["applicant"]
    return SampleDossier(
        procedure=PROCEDURE,
        applicant=Applicant(who.name, who.id_number, who.phone.replace(" ", ""), who.address),
        components=tuple(_make(folder, paper, facts, rng) for paper in _DOSSIERS[size]),
    )


@dataclass(frozen=True)
class _Way:
    """How a page is captured, and what a person should be told about it afterwards."""

    condition: str
    capture: Capture
    flags: frozenset[Flag] = frozenset()


@dataclass(frozen=True)
class _Sheet:
    """A page to make: its words, its way, and stamps laid on at (x mm, y mm, degrees) wherever the words are."""

    words: str
    way: _Way
    stamps: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class _Paper:
    """A file to make. `dated` and `numbered` say which facts its fields must come to."""

    kind: str
    name: str
    stem: str
    form: Literal["pdf", "jpeg", "png", "tiff"]
    sheets: tuple[_Sheet, ...]
    dpi: int = capture.DPI
    numbered: bool = False
    dated: str = ""


def _skewed(degrees: float) -> _Way:
    flags = frozenset({Flag.SKEWED}) if abs(degrees) > 3 else frozenset()  # noqa: PLR2004  `screens.md` P5
    return _Way(f"skewed {degrees}°", lambda page, rng: capture.skew(capture.scan(page, rng=rng), degrees), flags)


_FLAT = _Way("flat", lambda page, rng: capture.scan(page, rng=rng))
_BACK = _Way("blank back", _FLAT.capture, frozenset({Flag.BLANK}))
_TURNED = _Way(
    "upside-down",
    lambda page, rng: capture.turn_upside_down(capture.scan(page, rng=rng)),
    frozenset({Flag.TURNED}),
)
_COARSE = _Way(
    "150 dpi",
    lambda page, rng: capture.resample(capture.scan(page, rng=rng), 150),
    frozenset({Flag.LOW_RESOLUTION}),
)
_BLURRED = _Way(
    "out of focus",
    lambda page, rng: capture.scan(capture.blur(page), rng=rng),
    frozenset({Flag.BLURRED}),
)
_CUT = _Way(
    "over the edge",
    lambda page, rng: capture.cut(capture.scan(page, rng=rng), left_mm=42),
    frozenset({Flag.CUT_EDGE}),
)
_PHOTOGRAPHED = _Way("photographed", lambda page, rng: capture.photograph(page, rng=rng))

_APPLICATION = ("TK", "Giấy đề nghị đăng ký hộ kinh doanh", "to-khai")
_DECISION = ("DD", "Quyết định bố trí địa điểm kinh doanh", "quyet-dinh")
_CONTRACT = _Paper(
    "HD", "Hợp đồng thuê kho", "hop-dong", "tiff", (_Sheet("contract", _FLAT), _Sheet("contract_end", _TURNED))
)
_DOSSIERS: Final[Mapping[str, tuple[_Paper, ...]]] = {
    "small": (
        _Paper(
            *_APPLICATION, "pdf", (_Sheet("application", _FLAT), _Sheet("application_end", _skewed(1.6))), dated="today"
        ),
        _Paper(*_DECISION, "jpeg", (_Sheet("decision", _FLAT),), numbered=True, dated="decided"),
        _CONTRACT,
    ),
    "full": (
        _Paper(
            *_APPLICATION, "pdf", (_Sheet("application", _FLAT), _Sheet("application_end", _skewed(4.0))), dated="today"
        ),
        _Paper("CC", "Bản chụp giấy tờ tùy thân", "giay-to-tuy-than", "jpeg", (_Sheet("card", _PHOTOGRAPHED),), dpi=0),
        _Paper(
            *_DECISION,
            "tiff",
            (
                _Sheet("decision", _FLAT),
                _Sheet("stalls", _FLAT, stamps=((52, 100, -12), (104, 122, 20))),
                _Sheet("back", _BACK),
            ),
            numbered=True,
            dated="decided",
        ),
        _CONTRACT,
        _Paper("XN", "Giấy xác nhận đã nộp tiền thuê", "xac-nhan", "png", (_Sheet("receipt", _COARSE),), dpi=150),
        _Paper("BB", "Biên bản họp hộ gia đình", "bien-ban", "pdf", (_Sheet("minutes", _BLURRED),)),
        _Paper(
            "UQ",
            "Giấy ủy quyền và bản cam kết",
            "uy-quyen",
            "pdf",
            (_Sheet("authority", _skewed(-1.1)), _Sheet("pledge", _CUT)),
        ),
    ),
}


def _facts(rng: Random) -> dict[str, Any]:
    """Who and what the papers of one dossier agree on: values for the braces of `papers.toml`, and the true days."""
    today = date(2026, 1, 5) + timedelta(days=rng.randrange(300))
    decided = today - timedelta(days=rng.randrange(30, 300))
    applicant = person(rng)
    stall = f"{rng.choice('ABC')}{rng.randrange(2, 40):02d}"
    rent = 100_000 * rng.randrange(25, 90)
    holders = [(f"{'ABC'[n % 3]}{n + 41}", person(rng).name, 100_000 * rng.randrange(25, 90)) for n in range(9)]
    holders.insert(4, (stall, applicant.name, rent))
    return {
        "applicant": applicant,
        "applicant_capitals": applicant.name.upper(),
        "landlord": person(rng),
        "helper": person(rng),
        "leader": person(rng),
        "number": str(rng.randrange(11, 900)),
        "symbol": "QĐ-UBND",
        "stall": stall,
        "rent": _money(rent),
        "capital": _money(10_000_000 * rng.randrange(5, 40)),
        "holders": [[str(n), name, place, _money(due)] for n, (place, name, due) in enumerate(holders, start=1)],
        "today": _spoken(today),
        "decided": _spoken(decided),
        "agreed": _spoken(today - timedelta(days=9)),
        "met": _spoken(today - timedelta(days=4)),
        "starts": today + timedelta(days=15),
        "card_given": decided - timedelta(days=700),
        "days": {"today": today, "decided": decided},
    }


def _make(folder: Path, paper: _Paper, facts: dict[str, Any], rng: np.random.Generator) -> SampleComponent:
    words = [_filled(_texts()[sheet.words], facts) for sheet in paper.sheets]
    layout = {"pages": json.dumps(words)}
    marks = _ink_marks("papers.typ", layout)
    pictures = []
    for number, (sheet, page) in enumerate(zip(paper.sheets, _printed("papers.typ", layout), strict=True), start=1):
        inked = _ink(page, [mark for mark in marks if mark["page"] == number], sheet.stamps, rng)
        pictures.append(Image.fromarray(sheet.way.capture(inked, rng)))
    write, suffix, media_type = _WRITERS[paper.form]
    file = folder / f"{paper.stem}{suffix}"
    write(pictures, file, paper.dpi)
    return SampleComponent(
        kind=paper.kind,
        name=paper.name,
        file=file,
        media_type=media_type,
        pages=tuple(
            SamplePage(number, sheet.way.condition, tuple(said["phrases"]), sheet.way.flags)
            for number, (sheet, said) in enumerate(zip(paper.sheets, words, strict=True), start=1)
        ),
        number=facts["number"] if paper.numbered else "",
        symbol=facts["symbol"] if paper.numbered else "",
        dated=facts["days"][paper.dated] if paper.dated else None,
    )


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((_HERE / "papers.toml").read_text("utf-8"))


def _filled(text: Any, facts: dict[str, Any]) -> Any:
    """`text` with its braces filled; a text that is one brace and stands for a table becomes the table."""
    if isinstance(text, dict):
        return {name: _filled(value, facts) for name, value in text.items()}
    if isinstance(text, list):
        return [_filled(value, facts) for value in text]
    if isinstance(text, str):
        table = facts.get(text.strip("{}"))
        return table if isinstance(table, list) else text.format(**facts)
    return text


def _ink(
    page: Pixels,
    marks: Sequence[dict[str, Any]],
    stamps: Sequence[tuple[float, float, float]],
    rng: np.random.Generator,
) -> Pixels:
    """Sign and seal where the layout left room, then stamp; pens come before seals, as in an office."""
    for mark in marks:
        x, y = mark["x_mm"] + rng.uniform(-4, 4), mark["y_mm"] + rng.uniform(-2, 2)
        if mark["what"] == "pen":
            page = capture.sign(page, centre_mm=(x, y), width_mm=rng.uniform(40, 50), rng=rng)
        else:
            stamps = [*stamps, (x + _SEAL_OFFSET_MM[0], y + _SEAL_OFFSET_MM[1], rng.uniform(-12, 12))]
    for x, y, turn_deg in stamps:
        page = capture.press(page, _rubber(), centre_mm=(x, y), colour=capture.SEAL_RED, rng=rng, turn_deg=turn_deg)
    return page


@cache
def _rubber() -> capture.Mask:
    """The seal, 1 where there is rubber."""
    (page,) = _printed("rubber_stamp.typ", {"stamp": json.dumps(_SEAL)})
    return np.asarray(1 - page[..., 0] / 255, np.float32)


def _printed(source: str, inputs: dict[str, str]) -> list[Pixels]:
    """The pages of a typst document as a printer would put them on paper, 300 dpi."""
    pdf = typst.compile(_HERE / source, font_paths=[typeface.FOLDER], ignore_system_fonts=True, sys_inputs=inputs)
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [
            np.array(page.render(scale=capture.DPI / 72, rev_byteorder=True).to_numpy()[..., :3], np.uint8)
            for page in document
        ]
    finally:
        document.close()


def _ink_marks(source: str, inputs: dict[str, str]) -> list[dict[str, Any]]:
    """Where the layout wants ink: "what" ("pen" or "seal"), "page", "x_mm", "y_mm"."""
    found = typst.query(
        _HERE / source,
        "<ink>",
        field="value",
        font_paths=[typeface.FOLDER],
        ignore_system_fonts=True,
        sys_inputs=inputs,
    )
    marks: list[dict[str, Any]] = json.loads(found)
    return marks


def _write_picture(pictures: Sequence[Image.Image], file: Path, dpi: int, *, form: str) -> None:
    """One picture in a file of its own; with 0 dpi it says nothing about its size, like a telephone's."""
    options: dict[str, Any] = {"dpi": (dpi, dpi)} if dpi else {}
    pictures[0].save(file, form, quality=_JPEG_QUALITY, **options)


def _write_tiff(pictures: Sequence[Image.Image], file: Path, dpi: int) -> None:
    first, *rest = pictures
    first.save(
        file, "TIFF", compression="jpeg", quality=_JPEG_QUALITY, dpi=(dpi, dpi), save_all=True, append_images=rest
    )


def _write_pdf(pictures: Sequence[Image.Image], file: Path, dpi: int) -> None:
    """A scanner's PDF: one JPEG a page, A4, no text."""
    with pikepdf.new() as pdf:
        for picture in pictures:
            jpeg = io.BytesIO()
            picture.save(jpeg, "JPEG", quality=_JPEG_QUALITY, dpi=(dpi, dpi))
            image = pdf.make_stream(
                jpeg.getvalue(),
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=picture.width,
                Height=picture.height,
                ColorSpace=pikepdf.Name.DeviceRGB,
                BitsPerComponent=8,
                Filter=pikepdf.Name.DCTDecode,
            )
            page = pdf.add_blank_page(page_size=_A4_PT)
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Scan=image))
            page.Contents = pdf.make_stream(b"q %.3f 0 0 %.3f 0 0 cm /Scan Do Q" % _A4_PT)
        pdf.save(file, deterministic_id=True)


_WRITERS: Final[Mapping[str, tuple[Callable[[Sequence[Image.Image], Path, int], None], str, str]]] = {
    "pdf": (_write_pdf, ".pdf", "application/pdf"),
    "tiff": (_write_tiff, ".tiff", "image/tiff"),
    "jpeg": (partial(_write_picture, form="JPEG"), ".jpg", "image/jpeg"),
    "png": (partial(_write_picture, form="PNG"), ".png", "image/png"),
}


def _spoken(day: date) -> str:
    """A date as Decree 30/2020 writes it: a leading zero for days under 10 and for months 1 and 2 only."""
    month = f"{day.month:02d}" if day.month <= 2 else str(day.month)  # noqa: PLR2004  said above
    return f"ngày {day.day:02d} tháng {month} năm {day.year}"


def _money(dong: int) -> str:
    return f"{dong:,}".replace(",", ".")
