"""The report of a check as a document: everything strangers may have written fits, and its seal has a place."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING

import pypdfium2
import pytest

from signing import verdict_report
from signing.types import Place
from signing.verdict_report import ReportText, Section
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = '#emph[x] $x$ <a> \\ "quoted" 漢字 \u202e\u0000 ' + "W" * 300 + " \U0001f600" + "\n- x"


def report(signatures: int = 1, words: str = "Trần Thị Bình") -> ReportText:
    rows = [((f"Dòng {n}", f"Row {n}"), (words, words)) for n in range(12)]
    return ReportText(
        agency_name="Trung tâm Phục vụ hành chính công",
        parent_name="UBND phường",
        place="Hồng Gai",
        dated=date(2026, 11, 3),
        headline=("CHƯA XÁC NHẬN ĐƯỢC.", "NOT CONFIRMED."),
        reason=(words, words),
        next_step=("Hãy thử lại sau ít phút.", "Try again in a few minutes."),
        sections=[Section((f"Chữ ký {n + 1}", f"Signature {n + 1}"), rows) for n in range(signatures)],
        notes=[("Ghi chú.", "A note.")],
        address="https://example.vn/kiem-tra",
    )


def _text(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(BytesIO(pdf)) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def test_it_is_pdf_a_2a_and_the_same_words_give_the_same_bytes(tmp_path: Path) -> None:
    made = verdict_report.render(report())
    (tmp_path / "report.pdf").write_bytes(made.pdf)

    assert_pdfa(tmp_path / "report.pdf", "2a")
    assert verdict_report.render(report()).pdf == made.pdf
    text = _text(made.pdf)
    for words in ("BIÊN BẢN KIỂM TRA CHỮ KÝ SỐ", "CHƯA XÁC NHẬN ĐƯỢC.", "NOT CONFIRMED.", "Trần Thị Bình", "A note."):
        assert words in text
    assert "ngày 03 tháng 11 năm 2026" in text


def test_what_strangers_wrote_is_no_markup_and_stays_within_its_cell(tmp_path: Path) -> None:
    made = verdict_report.render(report(words=HOSTILE))
    (tmp_path / "report.pdf").write_bytes(made.pdf)

    assert_pdfa(tmp_path / "report.pdf", "2a")
    text = _text(made.pdf)
    assert "#emph[x] $x$ <a>" in text
    assert "漢" not in text
    with pypdfium2.PdfDocument(BytesIO(made.pdf)) as document:
        for page in document:
            letters = page.get_textpage()
            boxes = [letters.get_charbox(n) for n in range(letters.count_chars())]
            assert all(box[2] <= page.get_width() - 15 * 72 / 25.4 + 1 for box in boxes)


@pytest.mark.parametrize("signatures", [0, 1, 2, 3, 50])
def test_long_lists_go_on_over_pages_and_the_seal_has_a_place_over_nothing(signatures: int) -> None:
    made = verdict_report.render(report(signatures))

    with pypdfium2.PdfDocument(BytesIO(made.pdf)) as document:
        assert made.place.page == len(document), "the seal stands at the end"
        assert len(document) > signatures // 3
        page = document[made.place.page - 1]
        left, bottom, right, top = made.place.box
        assert made.place.place is Place.REPORT
        assert left > 0 < bottom
        assert right < page.get_width()
        assert not page.get_textpage().get_text_bounded(left, bottom, right, top).strip()
