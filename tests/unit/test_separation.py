"""Separator sheets: found in a stack, however they lie; and every page of the stack sorted once."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench import damages
from digitize import load, parts, separators
from digitize.pdf import scan
from digitize.separators import SeparatorSheet
from dossiers import separation
from dossiers.separation import TWICE, UNREAD, WITHOUT_PAGES, Names, Part, parts_of
from tests import stacks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

CODE = "000.00.01.H49-261121-0007"
OTHER = "000.00.01.H49-261121-0008"


def says(kind: str, code: str = CODE) -> str:
    return f"{code}:{kind}"


def found(folder: Path, content: bytes, pages: int) -> list[tuple[int, str]]:
    file = folder / "stack"
    file.write_bytes(content)
    assert load.inspect(file).pages == pages
    return [(sheet.page, sheet.text) for sheet in separators.found(file, pages)]


@pytest.mark.parametrize("as_file", [stacks.as_pdf, stacks.as_tiff])
def test_sheets_are_found_among_papers_and_nothing_else_is(
    tmp_path: Path, as_file: Callable[[Sequence[Image.Image]], bytes]
) -> None:
    stack = [stacks.sheet(CODE, "TK"), stacks.paper(), stacks.white(), stacks.sheet(CODE, "CC"), stacks.paper()]

    assert found(tmp_path, as_file(stack), 5) == [(1, says("TK")), (4, says("CC"))]


@pytest.mark.parametrize("degrees", [3, -7, 90, 180, 271])
def test_a_sheet_is_found_however_it_lay_in_the_feeder(tmp_path: Path, degrees: int) -> None:
    page = stacks.sheet(CODE, "TK").rotate(degrees, expand=True, fillcolor="white")

    assert found(tmp_path, stacks.as_pdf([page]), 1) == [(1, says("TK"))]


def test_one_code_of_the_two_is_enough(tmp_path: Path) -> None:
    page = stacks.sheet(CODE, "TK")
    page.paste("white", (0, 0, page.width, page.height // 2))

    assert found(tmp_path, stacks.as_pdf([page]), 1) == [(1, says("TK"))]


@pytest.mark.parametrize("damage", [damages.faint, damages.out_of_focus, damages.photographed, damages.in_the_dark])
def test_a_damaged_sheet_is_not_taken_for_a_page_of_print_at_a_glimpse(
    tmp_path: Path, damage: Callable[..., NDArray[np.uint8]]
) -> None:
    page = damage(np.asarray(stacks.sheet(CODE, "TK")), np.random.default_rng(0))

    assert found(tmp_path, stacks.as_pdf([Image.fromarray(page)]), 1)


def test_a_page_of_print_is_cleared_at_a_glimpse_and_never_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(*_: object, **__: object) -> None:
        raise AssertionError("drawn")

    monkeypatch.setattr(scan, "small_page", drawn)
    assert found(tmp_path, stacks.as_pdf([stacks.paper(), stacks.white(), stacks.paper()]), 3) == []


def test_a_sheet_whose_codes_are_scribbled_over_is_told_apart_from_a_paper(tmp_path: Path) -> None:
    stack = [stacks.paper(), stacks.spoiled_sheet(), stacks.paper()]

    assert found(tmp_path, stacks.as_pdf(stack), 3) == [(2, "")]


@pytest.mark.parametrize("as_file", [stacks.as_pdf, stacks.as_tiff])
def test_a_part_shows_the_very_pixels_of_its_pages_and_is_made_the_same_again(
    tmp_path: Path, as_file: Callable[[Sequence[Image.Image]], bytes]
) -> None:
    whole, one, again = tmp_path / "whole", tmp_path / "one.pdf", tmp_path / "again.pdf"
    whole.write_bytes(as_file([stacks.paper(str(number)) for number in range(4)]))
    before = whole.read_bytes()

    parts.write(whole, (2, 4), one)
    parts.write(whole, (2, 4), again)

    assert (one.read_bytes(), whole.read_bytes()) == (again.read_bytes(), before)
    assert load.inspect(one).pages == 2
    for number, of_whole in ((1, 2), (2, 4)):
        part, page = load.page(one, number), load.page(whole, of_whole)
        assert np.array_equal(part.pixels, page.pixels)
        assert part.dpi == pytest.approx(page.dpi, abs=0.1)


def test_a_black_and_white_tiff_stays_so(tmp_path: Path) -> None:
    whole, one = tmp_path / "whole", tmp_path / "one.pdf"
    pages = [stacks.paper(str(number)).convert("1") for number in range(2)]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", dpi=(200, 200), compression="group4", save_all=True, append_images=pages[1:])
    whole.write_bytes(file.getvalue())

    parts.write(whole, (2,), one)

    assert load.page(one, 1).bitonal
    assert np.array_equal(load.page(one, 1).pixels, load.page(whole, 2).pixels)


def sorted_as(*pages: str) -> list[tuple[tuple[int, ...], str | None, frozenset[str]]]:
    """A stack's parts: "" is a paper, "?" an unreadable sheet, anything else a sheet's row."""
    sheets = [SeparatorSheet(n, "" if p == "?" else says(p)) for n, p in enumerate(pages, start=1) if p]
    return [(p.numbers, p.names.kind if p.names else None, p.troubles) for p in parts_of(len(pages), sheets)]


def test_pages_belong_to_the_sheet_before_them() -> None:
    assert sorted_as("", "TK", "", "", "CC", "") == [
        ((1,), None, frozenset()),
        ((3, 4), "TK", frozenset()),
        ((6,), "CC", frozenset()),
    ]


def test_front_and_back_of_a_sheet_are_one_sheet() -> None:
    assert sorted_as("TK", "TK", "", "") == [((3, 4), "TK", frozenset())]


def test_what_a_sheet_leaves_in_doubt_is_told_at_a_paper() -> None:
    assert sorted_as("TK", "", "?", "") == [((2, 3, 4), "TK", frozenset({UNREAD}))]
    assert sorted_as("TK", "", "CC", "", "TK", "")[2] == ((6,), "TK", frozenset({TWICE}))
    assert sorted_as("TK", "CC", "") == [((3,), "CC", frozenset({WITHOUT_PAGES}))]
    assert sorted_as("TK", "", "CC") == [((2,), "TK", frozenset({WITHOUT_PAGES}))]


def test_sheets_alone_make_no_paper() -> None:
    assert sorted_as("TK", "CC", "TK") == []


def test_a_code_of_ours_that_says_nonsense_is_a_sheet_that_cannot_be_read() -> None:
    assert parts_of(2, [SeparatorSheet(1, "nothing")]) == (Part((1, 2), None, frozenset({UNREAD})),)
    assert parts_of(2, [SeparatorSheet(1, f"{OTHER}:")]) == (Part((2,), Names(OTHER, "")),)


@given(st.lists(st.sampled_from(["", "", "TK", "CC", "?"]), max_size=30))
def test_every_page_is_in_one_part_or_is_a_sheet_and_no_sheet_without_pages_is_forgotten(pages: list[str]) -> None:
    found = sorted_as(*pages)

    kept = [number for numbers, _, _ in found for number in numbers]
    assert kept == [number for number, page in enumerate(pages, start=1) if page in ("", "?")]
    runs = [page for page, before in zip(pages, ["", *pages], strict=False) if page not in ("", "?", before)]
    made = [kind for _, kind, _ in found if kind]
    if found and len(runs) > len(made):
        assert any(troubles & {WITHOUT_PAGES} for _, _, troubles in found)


def test_a_sheets_text_names_what_was_printed() -> None:
    text = separation.sheet_text(CODE, "TK").removeprefix(f"{separators.MARK}:")

    assert parts_of(2, [SeparatorSheet(1, text)]) == (Part((2,), Names(CODE, "TK")),)
