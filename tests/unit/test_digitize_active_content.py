"""Programs and files inside a PDF are named, and none of them is in what is made from it."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from digitize import load, quality
from digitize.pdf import active_content
from digitize.pdf.active_content import ActiveContent
from digitize.pdf.assemble import AssemblyPage, searchable_pdf
from digitize.types import Flag
from dossiers.labels import label
from tests import scans


@pytest.fixture
def clean(tmp_path):
    path = tmp_path / "clean.pdf"
    path.write_bytes(scans.as_bytes(scans.sheet(("Đơn đề nghị",), dpi=200), "PDF"))
    return path


def with_javascript(pdf):
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def with_launch(pdf):
    action = Dictionary(S=Name.Launch, F=String("cmd.exe"))
    pdf.pages[0].Annots = Array([Dictionary(Subtype=Name.Link, Rect=[0, 0, 9, 9], A=action)])


def with_attachment(pdf):
    pdf.attachments["bảng.xlsx"] = pikepdf.AttachedFileSpec(pdf, b"PK", filename="bang.xlsx")


def with_form_that_sends(pdf):
    pdf.Root.AA = Dictionary(WC=Dictionary(S=Name.SubmitForm, F=String("x")))


def with_film(pdf):
    pdf.pages[0].Annots = Array([pdf.make_indirect(Dictionary(Subtype=Name.RichMedia, Rect=[0, 0, 9, 9]))])


CASES = {
    ActiveContent.JAVASCRIPT: with_javascript,
    ActiveContent.LAUNCH: with_launch,
    ActiveContent.ATTACHMENT: with_attachment,
    ActiveContent.FORM_SUBMISSION: with_form_that_sends,
    ActiveContent.MULTIMEDIA: with_film,
}


def test_a_plain_scan_carries_nothing(clean):
    assert load.inspect(clean).active_content == ()
    assert not load.page(clean, 1).active


@pytest.mark.parametrize("kind", CASES, ids=str)
def test_what_a_pdf_carries_is_named_flagged_and_left_out(kind, clean, tmp_path):
    path = tmp_path / "in.pdf"
    with pikepdf.open(clean) as pdf:
        CASES[kind](pdf)
        pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    before = path.read_bytes()
    assert load.inspect(path).active_content == (kind.value,)
    page = load.page(path, 1)
    assert Flag.ACTIVE_CONTENT in quality.flags_of(page).flags
    out = tmp_path / "out.pdf"
    ocr = scans.words("Đơn đề nghị", width_px=page.width_px, height_px=page.height_px)
    made = AssemblyPage(scans.as_bytes(page, "JPEG"), "image/jpeg", ocr)
    searchable_pdf([made], out, title="x", created_at=datetime(2026, 11, 20, tzinfo=UTC))
    assert active_content.found(out) == ()
    assert path.read_bytes() == before


def test_only_the_first_page_says_it(clean, tmp_path):
    with pikepdf.open(clean) as pdf, pikepdf.open(io.BytesIO(clean.read_bytes())) as again:
        pdf.pages.extend(again.pages)
        with_javascript(pdf)
        pdf.save(tmp_path / "two.pdf")
    assert [load.page(tmp_path / "two.pdf", number).active for number in (1, 2)] == [True, False]


def test_a_file_that_cannot_be_followed_is_not_called_clean(tmp_path):
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing")
    assert active_content.found(path) == (ActiveContent.UNKNOWN.value,)


@pytest.mark.parametrize("kind", ActiveContent, ids=str)
def test_every_kind_has_words(kind):
    assert label(kind.value) != kind.value
