"""Every template, signed by a leader and sealed by the agency: still an archive document, and nothing is covered."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pikepdf
import pypdfium2
import pytest

from api.demo import artwork
from signing import appearance, places, prepare, templates, typesetting
from signing.sign import sign
from signing.types import Verdict
from signing.verify import verify
from tests.documents import LONG_HEAD, LONG_TEXT, RESULTS
from tests.pki import LEADER, SEAL
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

    from signing.templates import RenderedResult
    from signing.types import SignaturePlace
    from tests.pki import Pki

PX = 200 / 72


def signed(pki: Pki, pdf: bytes, found: tuple[SignaturePlace, ...], folder: Path) -> Path:
    """The document with fields, the leader's signature and the seal, as a citizen gets it."""
    plain, prepared, by_leader, sealed = (folder / f"{name}.pdf" for name in ("plain", "prepared", "leader", "sealed"))
    plain.write_bytes(pdf)
    prepare.add_fields(plain, prepared, found)
    given: dict[str, Any] = {"trust": pki.store(), "timestamper": pki.timestamper()}
    hand = appearance.leader(LEADER.name, artwork.handwriting(LEADER.name))
    mark = appearance.seal(SEAL.name, artwork.seal(SEAL.name))
    sign(prepared, by_leader, place=found[0], key=pki.key(LEADER), appearance=hand, **given)
    sign(by_leader, sealed, place=found[1], key=pki.key(SEAL), appearance=mark, **given)
    return sealed


def picture(file: Path | bytes, page: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    with pypdfium2.PdfDocument(file) as document:
        document.init_forms()  # or signatures aren't drawn
        return np.asarray(document[page].render(scale=PX).to_pil().convert("RGB"), dtype=np.int16)


def changed(before: bytes, after: Path, page: int) -> tuple[float, float, float, float]:
    """The box, in points from the lower left, of everything on a page that the signatures have drawn."""
    one, other = picture(before, page), picture(after, page)
    rows, columns = np.nonzero(np.abs(one - other).max(axis=2) > 24)
    high = one.shape[0] / PX
    return columns.min() / PX, high - rows.max() / PX, columns.max() / PX, high - rows.min() / PX


def covered_ink(before: bytes, after: Path, page: int) -> int:
    """How many dark pixels of the document are not dark any more, or another colour: covered by a block."""
    one, other = picture(before, page), picture(after, page)
    dark = one.max(axis=2) < 100
    return int((dark & (np.abs(one - other).max(axis=2) > 60)).sum())


@pytest.mark.parametrize(("name", "long"), [*((name, False) for name in templates.names()), ("letter", True)])
def test_a_signed_result_is_an_archive_document_and_its_blocks_cover_nothing(
    pki: Pki, name: str, tmp_path: Path, *, long: bool
) -> None:
    head = {key: value for key, value in LONG_HEAD.items() if key != "signer_name"}
    rendered = templates.render(name, RESULTS[name] | (head | LONG_TEXT[name] if long else {}))

    result = signed(pki, rendered.pdf, rendered.places, tmp_path)

    assert_pdfa(result, "2a")
    assert_pdfa(result, "ua1")
    assert verify(result, trust=pki.store()).verdict is Verdict.GENUINE
    assert all(font.startswith("LiberationSerif") for font in typesetting.fonts_in(result.read_bytes()))
    page = rendered.places[0].page - 1
    assert covered_ink(rendered.pdf, result, page) == 0
    _stays_in_its_place(rendered, result, page)


def _stays_in_its_place(rendered: RenderedResult, result: Path, page: int) -> None:
    leader, seal = (place.box for place in rendered.places)
    drawn = changed(rendered.pdf, result, page)
    assert drawn[0] >= min(leader[0], seal[0]) - 1
    assert drawn[1] >= min(leader[1], seal[1]) - 1
    assert drawn[2] <= max(leader[2], seal[2]) + 1
    assert drawn[3] <= max(leader[3], seal[3]) + 1
    assert seal[2] - leader[0] == pytest.approx((leader[2] - leader[0]) / 3, abs=0.01)
    assert seal[2] - seal[0] == pytest.approx(36 * places.MM, abs=0.01)
    title_and_name = _boxes_of(rendered.pdf, page)
    assert not any(_overlap(seal, box) or _overlap(leader, box) for box in title_and_name)


def _boxes_of(pdf: bytes, page: int) -> list[tuple[float, float, float, float]]:
    with pypdfium2.PdfDocument(pdf) as document:
        text = document[page].get_textpage()
        found = [text.get_rect(at) for at in range(text.count_rects())]
        text.close()
        return found


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("name", templates.names())
def test_an_upload_is_signed_over_nothing_wherever_its_title_and_name_stand(
    pki: Pki, name: str, tmp_path: Path
) -> None:
    data = RESULTS[name] | {"signer_title": "Giám đốc", "signer_power": ""}
    pdf = templates.render(name, data, seal_mm=28).pdf  # a closer gap than our own, as word processors leave it
    (tmp_path / "upload.pdf").write_bytes(_without_archive_claims(pdf))
    found = places.find(tmp_path / "upload.pdf", signer_title="Giám đốc", signer_name=data["signer_name"])

    result = signed(pki, (tmp_path / "upload.pdf").read_bytes(), found, tmp_path)

    assert covered_ink(pdf, result, found[0].page - 1) == 0
    seal, leader = found[1].box, found[0].box
    assert seal[2] - leader[0] == pytest.approx((leader[2] - leader[0]) / 3, abs=0.01)
    assert verify(result, trust=pki.store()).verdict is Verdict.GENUINE


def _without_archive_claims(pdf: bytes) -> bytes:
    """The same pages as a common PDF, untagged."""
    with pikepdf.open(BytesIO(pdf)) as document:
        for key in ("/StructTreeRoot", "/MarkInfo", "/Metadata"):
            if key in document.Root:
                del document.Root[key]
        out = BytesIO()
        document.save(out)
        return out.getvalue()
