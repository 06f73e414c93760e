"""Pages → one searchable PDF/A: picture and invisible text, at the paper's real size.

PDF 1.7, PDF/A-2u by construction (ISO 19005-2, level U: every character has a meaning in Unicode). Nothing is converted
afterwards: converters were seen to garble Vietnamese. Pages arrive one at a time and are forgotten once written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageCms

from digitize.pdf import outline, text_layer, xmp
from digitize.pdf import pictures as pdf_pictures
from digitize.pdf import text_font as fonts
from digitize.pdf.file import PdfFile, dictionary, reference, text_string
from digitize.pdf.outline import Bookmark
from digitize.pdf.text_layer import POINTS_PER_INCH
from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from digitize.pdf.xmp import PaperFacts
    from digitize.types import OcrPage

_HAIR_PT = 0.002
_NOTICE_SIZE_PT = 8.0
_NOTICE_LEAST_PT = 5.0
_NOTICE_LEFT_PT = 28.0
_NOTICE_BOTTOM_PT = 11.0


@dataclass(frozen=True)
class AssemblyPage:
    """One page to be put in.

    Attributes:
        picture: The display page, as bytes or as a file.
        picture_type: "image/jpeg" or "image/png".
        ocr: Its words, in the picture's pixels; its dpi gives the page its size.
        part: Name of the part that begins here, for the bookmarks; "" where none does.
    """

    picture: bytes | Path
    picture_type: str
    ocr: OcrPage
    part: str = ""


def searchable_pdf(
    pages: Iterable[AssemblyPage],
    target: Path,
    *,
    title: str,
    notice: str | None = None,
    created_at: datetime,
    facts: PaperFacts | None = None,
) -> None:
    """Write one searchable PDF/A-2u.

    Args:
        pages: In order; each is asked for once the one before is written.
        target: Written from the start; who needs it whole or not at all gives a temporary name.
        title: For the reader's window and the metadata.
        notice: A line that says what kind of copy this is: shown at the foot of the first page and in the metadata.
        created_at: Aware. The same pages, words and time give the same bytes.
        facts: Of the paper, for the metadata.

    Raises:
        ValueError: There are no pages, or `created_at` has no time zone.
    """
    if created_at.tzinfo is None:
        raise ValueError("created_at must be aware")
    with target.open("wb") as file:
        assembly = _Assembly(PdfFile(file))
        assembly.write(pages, nfc(title), nfc(notice) if notice else None, created_at.astimezone(UTC), facts)


class _Assembly:
    """The objects that all pages share, and the pages as they come."""

    def __init__(self, pdf: PdfFile) -> None:
        self._pdf = pdf
        self._font = fonts.text_font()
        self._used: set[int] = set()
        self._seen: set[int] = set()
        self._root, self._tree, self._font_number = pdf.reserve(), pdf.reserve(), pdf.reserve()

    def write(
        self,
        pages: Iterable[AssemblyPage],
        title: str,
        notice: str | None,
        created_at: datetime,
        facts: PaperFacts | None,
    ) -> None:
        kids: list[int] = []
        bookmarks: list[Bookmark] = []
        for page in pages:
            kids.append(self._page(page, None if kids else notice))
            name = page.part or (title if len(kids) == 1 else "")
            if not name and outline.begins_document(page.ocr):
                name = f"Văn bản {len(bookmarks) + 1} (trang {len(kids)})"
            if name:
                bookmarks.append(Bookmark(nfc(name), kids[-1]))
        if not kids:
            raise ValueError("a PDF needs a page")
        bookmarks = bookmarks or [Bookmark(xmp.PRODUCER, kids[0])]  # an outline without an entry isn't allowed
        pdf = self._pdf
        self._write_font()
        tree = {"Type": b"/Pages", "Count": b"%d" % len(kids), "Kids": b"[%s]" % b" ".join(map(reference, kids))}
        pdf.put(dictionary(tree), number=self._tree)
        metadata = pdf.put_stream(
            xmp.packet(title, notice, created_at, facts), {"Type": b"/Metadata", "Subtype": b"/XML"}, compress=False
        )
        profile = pdf.put_stream(_srgb(), {"N": b"3"})
        intent = dictionary(
            {
                "Type": b"/OutputIntent",
                "S": b"/GTS_PDFA1",
                "OutputConditionIdentifier": b"(sRGB IEC61966-2.1)",
                "Info": b"(sRGB IEC61966-2.1)",
                "DestOutputProfile": reference(profile),
            }
        )
        pdf.put(
            dictionary(
                {
                    "Type": b"/Catalog",
                    "Pages": reference(self._tree),
                    "Metadata": reference(metadata),
                    "OutputIntents": b"[%s]" % intent,
                    "Outlines": reference(outline.put(pdf, bookmarks)),
                    "PageMode": b"/UseOutlines" if len(bookmarks) > 1 else b"/UseNone",
                    "Lang": b"(vi)",
                    "ViewerPreferences": b"<< /DisplayDocTitle true >>",
                }
            ),
            number=self._root,
        )
        when = created_at.strftime("(D:%Y%m%d%H%M%SZ)").encode("ascii")
        producer = text_string(xmp.PRODUCER)
        info = {"Title": text_string(title), "Producer": producer, "CreationDate": when, "ModDate": when}
        pdf.close(root=self._root, info=pdf.put(dictionary(info)))

    def _page(self, page: AssemblyPage, notice: str | None) -> int:
        points = POINTS_PER_INCH / page.ocr.dpi
        width, height = page.ocr.width_px * points, page.ocr.height_px * points
        data = page.picture.read_bytes() if isinstance(page.picture, Path) else page.picture
        pictures, drawing = pdf_pictures.put_page(self._pdf, data, page.ocr)
        drawing += text_layer.content(page.ocr, self._font)
        self._used.update(*(fonts.codes(word.text) for word in page.ocr.words), (ord(" "),))
        if notice:
            self._seen.update(fonts.codes(notice))
            drawing += self._notice(notice, width)
        contents = self._pdf.put_stream(drawing)
        named = {name: reference(number) for name, number in pictures.items()}
        resources = b"<< /XObject %s /Font << /F1 %s >> >>" % (dictionary(named), reference(self._font_number))
        return self._pdf.put(
            dictionary(
                {
                    "Type": b"/Page",
                    "Parent": reference(self._tree),
                    # A hair less: a renderer that rounds up would stretch the page by a pixel.
                    "MediaBox": b"[0 0 %.3f %.3f]" % (width - _HAIR_PT, height - _HAIR_PT),
                    "Resources": resources,
                    "Contents": reference(contents),
                }
            )
        )

    def _notice(self, notice: str, page_width_pt: float) -> bytes:
        """One line at the foot, as large as the width allows."""
        at_one_pt = self._font.width(notice) / 1000
        room = page_width_pt - 2 * _NOTICE_LEFT_PT
        size = max(_NOTICE_LEAST_PT, min(_NOTICE_SIZE_PT, room / at_one_pt))
        stretch = min(100.0, 100 * room / (at_one_pt * size))
        return b"q BT 0 Tr 0.1 0.2 0.45 rg /F1 %.2f Tf %.1f Tz 1 0 0 1 %.1f %.1f Tm <%s> Tj ET Q\n" % (
            size,
            stretch,
            _NOTICE_LEFT_PT,
            _NOTICE_BOTTOM_PT,
            fonts.encoded(notice),
        )

    def _write_font(self) -> None:
        font, pdf = self._font, self._pdf
        outlines = fonts.program_for(font, self._seen, self._used)
        self._used |= self._seen
        program = pdf.put_stream(outlines, {"Length1": b"%d" % len(outlines)})
        name = b"/" + fonts.subset_tag(self._used).encode("ascii") + b"+" + font.name.encode("ascii")
        descriptor = pdf.put(
            dictionary(
                {
                    "Type": b"/FontDescriptor",
                    "FontName": name,
                    "Flags": b"4",
                    "FontBBox": b"[%d %d %d %d]" % font.bbox,
                    "ItalicAngle": b"0",
                    "Ascent": b"%d" % font.ascent,
                    "Descent": b"%d" % font.descent,
                    "CapHeight": b"%d" % font.cap_height,
                    "StemV": b"80",
                    "FontFile2": reference(program),
                }
            )
        )
        descendant = pdf.put(
            dictionary(
                {
                    "Type": b"/Font",
                    "Subtype": b"/CIDFontType2",
                    "BaseFont": name,
                    "CIDSystemInfo": b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>",
                    "FontDescriptor": reference(descriptor),
                    "DW": b"%d" % fonts.BLANK_WIDTH,
                    "W": fonts.widths(font, self._used),
                    "CIDToGIDMap": reference(pdf.put_stream(fonts.glyph_map(font, self._used))),
                }
            )
        )
        pdf.put(
            dictionary(
                {
                    "Type": b"/Font",
                    "Subtype": b"/Type0",
                    "BaseFont": name,
                    "Encoding": b"/Identity-H",
                    "DescendantFonts": b"[%s]" % reference(descendant),
                    "ToUnicode": reference(pdf.put_stream(fonts.to_unicode(self._used))),
                }
            ),
            number=self._font_number,
        )


@cache
def _srgb() -> bytes:
    """The sRGB profile, with a fixed date instead of the moment it was made."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes.fromhex("07E80001000100000000 0000".replace(" ", ""))
    profile[84:100] = bytes(16)  # the profile's own hash, optional, and no longer right
    return bytes(profile)
