"""The centre's own typeface: looked through once, used for documents and blocks, never replaced in silence."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from fontTools.ttLib import TTFont

from api import wiring
from api.settings import BadSettings
from signing import appearance, templates, typeface, typesetting
from signing.typeface import TypefaceUnfit, in_folder
from tests.documents import RESULTS
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def own(folder: Path, *, family: str = "Centre Roman", change: Callable[[TTFont], None] | None = None) -> Path:
    """A folder with a family of four faces under another name, as a centre's licensed copy would be."""
    folder.mkdir()
    for path in sorted(typeface.FOLDER.glob("*.ttf")):
        face = TTFont(path)
        for record in face["name"].names:
            said = record.toUnicode()
            wanted = said.replace("Liberation Serif", family).replace("LiberationSerif", family.replace(" ", ""))
            record.string = wanted
        if change:
            change(face)
        face.save(folder / path.name.replace("Liberation", "Centre"))
    return folder


def test_documents_and_blocks_are_set_in_the_centres_own_typeface(tmp_path: Path) -> None:
    face = in_folder(own(tmp_path / "own"))
    assert face.family == "Centre Roman"
    pdf = templates.render("decision", RESULTS["decision"], face=face).pdf
    assert typesetting.fonts_in(pdf) == {f"CentreRoman{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")}
    (tmp_path / "a.pdf").write_bytes(pdf)
    assert_pdfa(tmp_path / "a.pdf", "2a")
    block = appearance.render(
        appearance.Appearance(lines=("Sao y",), typeface=face), width_pt=170, height_pt=30, at=datetime.now(UTC)
    )
    assert typesetting.fonts_in(block) == {"CentreRoman"}


def test_our_own_is_used_where_nothing_is_said() -> None:
    pdf = templates.render("decision", RESULTS["decision"]).pdf
    assert all(name.startswith("LiberationSerif") for name in typesetting.fonts_in(pdf))


def _restricted(bits: int) -> Callable[[TTFont], None]:
    def change(face: TTFont) -> None:
        face["OS/2"].fsType = bits

    return change


def _without_vietnamese(face: TTFont) -> None:
    for table in face["cmap"].tables:
        table.cmap.pop(ord("ợ"), None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_restricted(0x0002), "không cho phép nhúng"),
        (_restricted(0x0100), "không cho phép nhúng"),
        (_restricted(0x0200), "không cho phép nhúng"),
        (_without_vietnamese, "thiếu chữ ợ"),
    ],
    ids=["restricted", "no subset", "bitmaps only", "no ợ"],
)
def test_what_may_not_be_embedded_or_lacks_letters_is_refused(
    change: Callable[[TTFont], None], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(TypefaceUnfit, match=reason):
        in_folder(own(tmp_path / "own", change=change))


@pytest.mark.parametrize("bits", [0x0000, 0x0004, 0x0008])
def test_installable_print_and_editable_embedding_are_enough(bits: int, tmp_path: Path) -> None:
    assert in_folder(own(tmp_path / "own", change=_restricted(bits))).family == "Centre Roman"


def test_a_missing_face_two_families_and_files_that_are_no_fonts_are_all_told_at_once(tmp_path: Path) -> None:
    folder = own(tmp_path / "own")
    (folder / "CentreSerif-BoldItalic.ttf").unlink()
    shutil.copy(typeface.FOLDER / "LiberationSerif-Regular.ttf", folder)
    (folder / "broken.ttf").write_bytes(b"no font")
    with pytest.raises(TypefaceUnfit) as caught:
        in_folder(folder)
    said = str(caught.value)
    assert "đậm nghiêng" in said
    assert "nhiều họ phông" in said
    assert "broken.ttf" in said


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypefaceUnfit, match="không có tệp phông"):
        in_folder(tmp_path)


def test_the_service_does_not_start_with_a_typeface_it_can_not_use(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="HOSO_TYPEFACE"):
        wiring._typeface(tmp_path)
    assert wiring._typeface(None) is None
