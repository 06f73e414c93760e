"""The sample dossier: the same for a seed, what it says it is, and as hard to read as a real one but no harder."""

import hashlib
import unicodedata
from datetime import date
from pathlib import Path
from random import Random

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageSequence

from api.demo.people import person
from api.demo.sample import SampleDossier, make_dossier
from digitize import load, quality
from digitize.types import Flag
from dossiers.codes import parse_personal_id

MM_PER_INCH = 25.4


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> SampleDossier:
    return make_dossier(tmp_path_factory.mktemp("full"), seed=12, size="full")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SampleDossier:
    return make_dossier(tmp_path_factory.mktemp("small"), seed=11)


def pictures(file: Path) -> list[np.ndarray]:
    if file.suffix == ".pdf":
        document = pypdfium2.PdfDocument(file)
        try:
            return [page.render(scale=2, rev_byteorder=True).to_numpy()[..., :3].copy() for page in document]
        finally:
            document.close()
    with Image.open(file) as image:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]


def pages(dossier: SampleDossier) -> dict[str, tuple[np.ndarray, frozenset[Flag]]]:
    return {
        f"{component.kind}{page.number}": (picture, page.flags)
        for component in dossier.components
        for page, picture in zip(component.pages, pictures(component.file), strict=True)
    }


def red_share(picture: np.ndarray) -> float:
    r, g, b = (picture[..., channel].astype(int) for channel in range(3))
    return float(np.mean((r - g > 70) & (r - b > 70)))


def blue_share(picture: np.ndarray) -> float:
    r, g, b = (picture[..., channel].astype(int) for channel in range(3))
    return float(np.mean((b - r > 50) & (b - g > 30)))


def ink_share(picture: np.ndarray) -> float:
    return float(np.mean(picture.mean(axis=2) < 128))


def test_the_small_dossier_has_five_pages_none_of_which_must_be_scanned_again(small: SampleDossier) -> None:
    assert (len(small.components), small.page_count) == (3, 5)
    flags = [page.flags for component in small.components for page in component.pages]
    assert set().union(*flags) == {Flag.TURNED}


def test_the_full_dossier_has_twelve_pages_with_each_thing_that_goes_wrong(full: SampleDossier) -> None:
    assert full.page_count == 12
    flags = [page.flags for component in full.components for page in component.pages]
    assert set().union(*flags) == {
        Flag.SKEWED,
        Flag.BLANK,
        Flag.TURNED,
        Flag.LOW_RESOLUTION,
        Flag.BLURRED,
        Flag.CUT_EDGE,
    }
    assert {component.media_type for component in full.components} == {
        "application/pdf",
        "image/jpeg",
        "image/png",
        "image/tiff",
    }


def test_a_seed_makes_the_same_bytes_and_another_seed_other_people(
    small: SampleDossier, full: SampleDossier, tmp_path: Path
) -> None:
    def hashes(dossier: SampleDossier) -> list[str]:
        return [hashlib.sha256(component.file.read_bytes()).hexdigest() for component in dossier.components]

    again = make_dossier(tmp_path / "again", seed=11)
    assert hashes(again) == hashes(small)
    assert [c.pages for c in again.components] == [c.pages for c in small.components]
    assert full.applicant != small.applicant


def test_files_have_the_pages_and_the_size_they_say(full: SampleDossier) -> None:
    for component in full.components:
        assert len(pictures(component.file)) == len(component.pages)
        if component.file.suffix == ".pdf":
            document = pypdfium2.PdfDocument(component.file)
            width, height = document[0].get_size()
            document.close()
            assert (width / 72 * MM_PER_INCH, height / 72 * MM_PER_INCH) == pytest.approx((210, 297), abs=0.5)
    resolutions = {}
    for component in full.components:
        if component.file.suffix != ".pdf":
            with Image.open(component.file) as image:
                resolutions[component.kind] = round(image.info["dpi"][0]) if "dpi" in image.info else None
    assert resolutions == {"CC": None, "DD": 300, "HD": 300, "XN": 150}


def test_the_decision_carries_red_seal_and_blue_signature_in_colour(full: SampleDossier) -> None:
    decision, _ = pages(full)["DD1"]
    assert red_share(decision) > 0.002
    assert blue_share(decision) > 0.0005


def test_the_damage_is_where_the_truth_says_it_is(full: SampleDossier) -> None:
    page = pages(full)
    blank, blank_flags = page["DD3"]
    assert blank_flags == {Flag.BLANK}
    assert ink_share(blank) == 0
    upright, turned = page["HD1"][0], page["HD2"][0]
    assert ink_share(upright[: len(upright) // 2]) > ink_share(upright[len(upright) // 2 :])
    assert ink_share(turned[: len(turned) // 2]) < ink_share(turned[len(turned) // 2 :])
    cut, kept = page["UQ2"][0], page["UQ1"][0]
    assert ink_share(cut[:, :40]) > 0
    assert ink_share(kept[:, :40]) == 0
    sharp, blurred = (np.abs(np.diff(page[name][0].astype(int).mean(axis=2))).max() for name in ("UQ1", "BB1"))
    assert blurred < 0.6 * sharp


def test_before_it_is_read_each_page_gets_exactly_the_flags_that_are_true_of_it(full: SampleDossier) -> None:
    found_by_reading = {Flag.TURNED, Flag.SKEWED}
    for component in full.components:
        for page in component.pages:
            seen = quality.flags_of(load.page(component.file, page.number)).flags
            assert seen == page.flags - found_by_reading, (component.name, page.number)


def test_truth_is_composed_unicode_and_names_number_symbol_and_date(full: SampleDossier) -> None:
    phrases = [phrase for c in full.components for page in c.pages for phrase in page.phrases]
    assert all(unicodedata.is_normalized("NFC", phrase) and "{" not in phrase for phrase in phrases)
    (decision,) = (c for c in full.components if c.kind == "DD")
    assert decision.symbol == "QĐ-UBND"
    assert isinstance(decision.dated, date)
    assert f"Số: {decision.number}/QĐ-UBND" in phrases
    assert any(str(decision.dated.year) in phrase and f"ngày {decision.dated.day:02d}" in phrase for phrase in phrases)


def test_synthetic_people_have_numbers_that_fit_them_and_belong_to_nobody() -> None:
    for seed in range(200):
        who = person(Random(seed))  # noqa: S311
        told = parse_personal_id(who.id_number, today=date(2026, 11, 21))
        assert (told.male, told.birth_year, told.place) == (who.male, who.born.year, "022")
        assert who.id_number[6:9] == "000"
        assert unicodedata.is_normalized("NFC", who.name + who.address)
