"""Where an uploaded PDF is to be signed: found by what is printed, never over it."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
import typst

from signing import templates, typeface
from signing.places import MM, PlaceNotFound, find
from signing.types import Place
from tests.signed_files import DECISION

if TYPE_CHECKING:
    from pathlib import Path

TITLE, NAME = "Giám đốc", "Trần Thị Bình"


def _typst(source: str, folder: Path) -> Path:
    """A page somebody else wrote."""
    (folder / "a.typ").write_text(
        f'#set page(width: 210mm, height: 297mm, margin: 20mm)\n#set text(font: "Liberation Serif", 13pt)\n{source}',
        "utf-8",
    )
    pdf: Any = typst.compile(
        str(folder / "a.typ"), font_paths=[str(typeface.FOLDER)], ignore_system_fonts=True, format="pdf"
    )
    (folder / "a.pdf").write_bytes(pdf)
    return folder / "a.pdf"


def test_our_own_layout_is_found_where_it_says_itself(tmp_path: Path) -> None:
    rendered = templates.render("decision", DECISION | {"articles": ["Nội dung. " * 300] * 2})
    (tmp_path / "a.pdf").write_bytes(rendered.pdf)
    found = find(tmp_path / "a.pdf", signer_title=TITLE, signer_name=NAME)
    for told, place in zip(rendered.places, found, strict=True):
        assert (told.place, told.page) == (place.place, place.page)
        assert place.box == pytest.approx(told.box, abs=3)


def test_the_page_with_the_signer_need_not_be_the_last(tmp_path: Path) -> None:
    first, annex = templates.render("decision", DECISION).pdf, templates.render("decision", DECISION | {
        "signer_name": "Người Khác", "signer_title": "Chủ tịch"}).pdf  # fmt: skip
    with pikepdf.open(BytesIO(first)) as whole, pikepdf.open(BytesIO(annex)) as more:
        whole.pages.extend(more.pages)
        whole.save(tmp_path / "a.pdf")
    leader, seal = find(tmp_path / "a.pdf", signer_title=TITLE, signer_name=NAME)
    assert leader.page == seal.page == 1


def test_a_name_in_the_text_is_not_taken_for_the_signature(tmp_path: Path) -> None:
    rendered = templates.render("decision", DECISION | {"articles": [f"Giao {TITLE} {NAME} thi hành."]})
    (tmp_path / "a.pdf").write_bytes(rendered.pdf)
    leader, _ = find(tmp_path / "a.pdf", signer_title=TITLE, signer_name=NAME)
    assert leader.box == pytest.approx(rendered.places[0].box, abs=3)


@pytest.mark.parametrize(
    ("title", "name"),
    [("GIÁM ĐỐC", "TRẦN THỊ BÌNH"), ("giám  đốc", "Trần Thị  Bình"), ("Gia\u0301m đốc", "Trâ\u0300n Thị Bi\u0300nh")],
    ids=["capitals", "spaces", "decomposed"],
)
def test_case_spaces_and_composition_do_not_count(tmp_path: Path, title: str, name: str) -> None:
    (tmp_path / "a.pdf").write_bytes(templates.render("decision", DECISION).pdf)
    assert find(tmp_path / "a.pdf", signer_title=title, signer_name=name)[0].place is Place.LEADER


def test_a_title_over_two_lines_is_one_title(tmp_path: Path) -> None:
    file = _typst(
        "#v(60mm)#align(right, box(width: 70mm, align(center)["
        "*PHÓ CHỦ TỊCH\\ ỦY BAN NHÂN DÂN* #v(40mm) *Lê Văn Ước*]))",
        tmp_path,
    )
    leader, seal = find(file, signer_title="Phó Chủ tịch Ủy ban nhân dân", signer_name="Lê Văn Ước")
    assert leader.box[0] > 105 * MM
    assert seal.box[2] - seal.box[0] == pytest.approx(36 * MM)


def test_where_a_real_size_seal_would_cover_text_it_is_made_smaller(tmp_path: Path) -> None:
    file = _typst(
        "#v(60mm)#align(right, box(width: 70mm, align(center)[*GIÁM ĐỐC* #v(22mm) *Trần Thị Bình*]))", tmp_path
    )
    _, seal = find(file, signer_title=TITLE, signer_name=NAME)
    assert 20 * MM <= seal.box[2] - seal.box[0] <= 26.1 * MM


@pytest.mark.parametrize(
    ("source", "title", "name", "reason"),
    [
        ("#v(50mm) *GIÁM ĐỐC* #v(40mm) *Trần Thị Bình*", TITLE, "Nguyễn Văn Khác", "name_missing"),
        ("#v(50mm) *GIÁM ĐỐC* #v(40mm) *Trần Thị Bình*", "Chủ tịch", NAME, "title_missing"),
        ("#v(50mm) *GIÁM ĐỐC* #v(40mm) *Tran Thi Binh*", TITLE, NAME, "name_missing"),
        ("#v(50mm) *Trần Thị Bình* #v(40mm) *GIÁM ĐỐC*", TITLE, NAME, "title_missing"),
        ("#v(50mm) *GIÁM ĐỐC*\\ *Trần Thị Bình*", TITLE, NAME, "no_room"),
        ("#align(center)[*GIÁM ĐỐC* #par[" + "chữ chen " * 120 + "] *Trần Thị Bình*]", TITLE, NAME, "no_room"),
    ],
    ids=["other name", "other title", "without accents", "upside down", "no gap", "text between"],
)  # fmt: skip
def test_without_a_place_it_says_why(tmp_path: Path, source: str, title: str, name: str, reason: str) -> None:
    with pytest.raises(PlaceNotFound) as caught:
        find(_typst(source, tmp_path), signer_title=title, signer_name=name)
    assert caught.value.reason == reason
    assert "Tệp vẫn còn nguyên" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"junk", b"%PDF-1.7\n" + b"\0" * 500])
def test_a_file_without_readable_text_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pdf").write_bytes(content)
    with pytest.raises(PlaceNotFound) as caught:
        find(tmp_path / "a.pdf", signer_title=TITLE, signer_name=NAME)
    assert caught.value.reason == "unreadable_pdf"
