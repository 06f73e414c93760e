"""What a paper says of itself is found by its layout, and what isn't sure is never shown as sure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from bench import fields as measured
from bench.paper import as_read
from bench.paper_kinds import make, make_land
from bench.paper_words import tax_code
from digitize import fields, gazetteer
from digitize.fields import addresses, lengths, owner, people, words
from digitize.fields.layout import sheet_of
from digitize.types import Box, Field, OcrPage, OcrWord, PenMark, PenZone
from dossiers.record import SURE_FROM
from tests import scans

HEAD = (
    "UBND TỈNH AN GIANG|CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "SỞ XÂY DỰNG|Độc lập - Tự do - Hạnh phúc",
)
NUMBER = "Số: 12/QĐ-SXD|An Giang, ngày 05 tháng 01 năm 2026"


def found(*lines: str, risk: float | None = 0.0) -> dict[str, Field]:
    page = scans.words(*lines)
    known = tuple(replace(word, risk=risk, confidence=96.0) for word in page.words)
    return {field.key: field for field in fields.extract([replace(page, words=known)])}


def test_every_field_of_made_papers_is_found_exactly():
    counts = defaultdict(measured.Count)
    misses = [
        (seed, key, said)
        for seed in range(60)
        for key, said in measured.compare(make(seed), as_read(make(seed), seed=seed), counts)
    ]
    assert misses == []
    assert {"legal_bases", "owner_id", "tax_code", "recipients", "power", "scope"} <= counts.keys() <= set(fields.KEYS)


def test_a_reader_that_slips_is_hardly_ever_believed():
    counts = defaultdict(measured.Count)
    for seed in range(60):
        for _ in measured.compare(make(seed), as_read(make(seed), seed=seed, slips=0.03), counts):
            pass
    assert sum(count.sure for count in counts.values()) > 300
    assert sum(count.silent for count in counts.values()) <= 1


def test_a_land_certificate_is_known_by_serial_register_parcel_and_map():
    counts = defaultdict(measured.Count)
    misses = [
        (seed, key, said)
        for seed in range(60)
        for key, said in measured.compare(make_land(seed), as_read(make_land(seed), seed=seed), counts)
    ]
    assert misses == []
    assert {*measured.LAND} == counts.keys() <= set(fields.KEYS)
    for seed in range(60):
        for _ in measured.compare(make_land(seed), as_read(make_land(seed), seed=seed, slips=0.03), counts):
            pass
    assert sum(count.silent for count in counts.values()) == 0


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("a) Thửa đất số: 217, tờ bản đồ số: 14,", "parcel", "217"),
        ("a) Thửa đất số: 217, tờ bản đồ số: 14,", "map_sheet", "14"),
        ("2. Tờ bản đồ số: 14", "map_sheet", "14"),
        ("Số phát hành: AA 01234567", "land_serial", "AA 01234567"),
        ("CT123456", "land_serial", "CT 123456"),
        ("Số vào sổ cấp GCN: CS 01234", "land_register", "CS 01234"),
        ("a) Thửa đất số: 217, 218, tờ bản đồ số: 14", "parcel", None),
        ("a) Thửa đất số: 2l7, tờ bản đồ số: 1O", "map_sheet", None),
        ("nằm cạnh thửa đất số 118 của hộ liền kề", "parcel", None),
        ("Theo Quyết định CT 123456 của Ủy ban", "land_serial", None),
        ("CT 12345", "land_serial", None),
    ],
)
def test_numbers_of_land_stand_behind_their_labels_or_alone(line, key, value):
    certificate = ("GIẤY CHỨNG NHẬN", "QUYỀN SỬ DỤNG ĐẤT, QUYỀN SỞ HỮU TÀI SẢN GẮN LIỀN VỚI ĐẤT")
    got = found(*certificate, line)
    assert (got[key].value if key in got else None) == value
    if value and key in ("land_serial", "land_register"):
        assert key not in found(line), "only a land certificate has one"
    if value:
        other = line.translate(str.maketrans("0123456789", "1234567890"))
        assert got[key].confidence >= SURE_FROM
        assert found(*certificate, line, other)[key].confidence < SURE_FROM, "two of them: a doubt"


@pytest.mark.parametrize(
    ("place", "sure"),
    [("xã Ba Chẽ", True), ("xã Ba Chế", False), ("tỉnh Quảng Ninh", True), ("tỉnh Quảng Ninb", True),
     ("tỉnh Quảng Nính", False), ("xã Nơi Không Ai Biết", True)],
)  # fmt: skip
def test_a_subject_that_names_a_place_with_other_marks_than_it_has_is_no_sure_one(place, sure):
    got = found(*HEAD, "Số: 12/SXD-QLN", f"V/v hỗ trợ nhà ở {place}")
    assert got["abstract"].value == f"hỗ trợ nhà ở {place}"
    assert (got["abstract"].confidence >= SURE_FROM) is sure


def test_the_number_and_the_day_a_hand_wrote_have_a_place_and_no_value():
    page = scans.words(*HEAD, NUMBER)
    label, day = (next(w.box for w in page.words if w.text == text) for text in ("12/QĐ-SXD", "05"))
    marks = (PenMark(replace(label, right=label.left + 20), PenZone.NUMBER), PenMark(day, PenZone.DAY))
    written = {field.key: field for field in fields.extract([replace(page, pen=marks)])}
    for key in ("number", "issued_on"):
        assert (written[key].value, written[key].confidence) == ("", 0.0)
        assert written[key].box is not None
    assert written["place"].value == "An Giang"


def test_a_number_that_is_only_a_pens_stroke_still_has_a_place():
    page = scans.words(*HEAD, "Số: /QĐ-SXD|An Giang, ngày tháng 01 năm 2026")
    marks = (PenMark(Box(200, 180, 240, 210), PenZone.NUMBER), PenMark(Box(1000, 180, 1040, 210), PenZone.DAY))
    written = {field.key: field for field in fields.extract([replace(page, pen=marks)])}
    assert (written["number"].box, written["number"].confidence) == (Box(200, 180, 240, 210), 0.0)
    assert (written["issued_on"].value, written["issued_on"].confidence) == ("", 0.0)
    assert written["symbol"].value == "QĐ-SXD"


def test_print_under_a_signature_is_a_guess_and_shown_as_one():
    page = scans.words("Địa chỉ: thôn 3, xã Vĩnh Hanh, tỉnh An Giang.")
    marks = (PenMark(Box(150, 100, 1200, 130), PenZone.SIGNATURE),)
    field = next(f for f in fields.extract([replace(page, pen=marks)]) if f.key == "owner_address")
    assert (field.value[:6], field.confidence) == ("thôn 3", 0.0)


def test_the_signer_is_not_the_one_of_a_draft_behind_the_document():
    seed = next(s for s in range(400) if len(make(s).sheets) > 1 and _has_annex(s))
    paper = make(seed)
    got = {field.key: field.value for field in fields.extract(as_read(paper, seed=seed))}
    assert got["signer"] == paper.truth["signer"]
    assert got["number"] == paper.truth["number"]


def _has_annex(seed: int) -> bool:
    return any(word.text == "PHỤ" for word in make(seed).sheets[-1].words)


@pytest.mark.parametrize(
    ("number", "born", "woman", "fits"),
    [
        ("022190001234", 1990, True, True),
        ("022190001234", 1990, False, False),
        ("022190001234", 1991, True, False),
        ("022090001234", 1990, False, True),
        ("022305001234", 2005, True, True),
        ("000190001234", 1990, True, False),
        ("099190001234", 1990, True, False),
    ],
)
def test_a_personal_number_is_compared_with_birth_and_sex(number, born, woman, fits):
    sex = "Nữ" if woman else "Nam"
    got = found("Họ và tên: Khuất Thị Lựu", f"Ngày sinh: 02/03/{born}. Giới tính: {sex}", f"Số CCCD: {number}")
    assert got["owner_id"].value == number
    assert (got["owner_id"].confidence >= SURE_FROM) is fits


def test_a_name_is_found_where_the_colon_behind_its_label_was_lost():
    assert found("Tôi tên là HUỲNH XUÂN QUÝ")["owner_name"].value == "HUỲNH XUÂN QUÝ"
    assert "owner_name" not in found("Tôi tên là người làm đơn này")


def test_two_personal_numbers_on_one_paper_are_a_doubt():
    got = found("Họ và tên: Khuất Thị Lựu", "Số CCCD: 022190001234", "Số CCCD: 022190001235")
    assert got["owner_id"].confidence < SURE_FROM


def test_the_last_digit_of_a_tax_code_checks_the_others():
    import random

    rng = random.Random(5)  # noqa: S311
    good, bad = tax_code(rng), tax_code(rng, wrong=True)
    assert owner.tax_code_fits(good)
    assert owner.tax_code_fits(f"{good}-001")
    assert not owner.tax_code_fits(bad)
    assert (
        found(f"Mã số thuế: {bad}")["tax_code"].confidence < SURE_FROM <= found(f"MST: {good}")["tax_code"].confidence
    )


def test_the_list_of_places_is_that_of_2025():
    assert len(gazetteer.provinces()) == 34
    assert sum(len(province.communes) for province in gazetteer.provinces()) == 3321


@pytest.mark.parametrize(
    ("read", "right", "known"),
    [
        ("tổ 3, phường Hồng Gai, tỉnh Quảng Ninh", "tổ 3, phường Hồng Gai, tỉnh Quảng Ninh", True),
        ("tổ 3, phương Hông Gai, tĩnh Quang Ninh", "tổ 3, phường Hồng Gai, tỉnh Quảng Ninh", True),
        ("thôn 2, xã Hòa An, tỉnh Cao Bằng", "thôn 2, xã Hòa An, tỉnh Cao Bằng", True),
        ("thôn 2, xã Hoà An, tỉnh Cao Bằng", "thôn 2, xã Hoà An, tỉnh Cao Bằng", True),
        ("tổ 3, phường Hồng Gai, tỉnh Cà Mau", "tổ 3, phường Hồng Gai, tỉnh Cà Mau", False),
        ("số 1, phường 5, quận 3, TP. Hồ Chí Minh", "số 1, phường 5, quận 3, TP. Hồ Chí Minh", False),
        ("tổ 3, khu 5", "tổ 3, khu 5", False),
    ],
)
def test_an_address_ends_in_a_commune_of_its_province(read, right, known):
    assert addresses.checked(read) == (right, known)


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("ÚY BAN NHÂN DÂN TĨNH QUẢNG NINH", "ỦY BAN NHÂN DÂN TỈNH QUẢNG NINH"),
        ("UỶ BAN NHÂN DÂN XÃ HÒA AN", "UỶ BAN NHÂN DÂN XÃ HÒA AN"),
        ("PHO CHU TỊCH", "PHÓ CHỦ TỊCH"),
    ],
)
def test_marks_lost_in_known_words_are_put_back(read, right):
    assert words.mended(read) == (right, True)


def test_where_only_marks_tell_two_titles_apart_neither_is_guessed():
    assert words.mended("THỨ TRƯỞNG") == ("THỨ TRƯỞNG", True)
    assert words.mended("THỦ TRƯỞNG") == ("THỦ TRƯỞNG", True)
    assert words.mended("THƯ TRƯỞNG") == ("THƯ TRƯỞNG", False)


def test_a_word_that_is_in_no_list_makes_an_agency_a_doubt():
    assert words.mended("BAN QUẢN LÝ KHU KINH TẾ") == ("BAN QUẢN LÝ KHU KINH TẾ", True)
    assert words.mended("BAN QUẢN LÝ KHU KÌNH TẾ")[1] is False


def test_a_name_has_a_family_name_and_nothing_but_letters():
    assert people.is_name("Khuất Thị Bích Lựu")
    assert people.known_family("Khuất Thị Bích Lựu")
    assert not people.is_name("Chủ tịch UBND xã")
    assert not people.is_name("Ngày 05")
    assert not people.known_family("Khuăt Thị Lựu")


def test_free_text_is_sure_only_with_a_second_witness():
    lines = (*HEAD, "Số: 12/SXD-QLN", "V/v cấp giấy phép xây dựng nhà ở")
    assert found(*lines)["abstract"].confidence >= SURE_FROM
    assert found(*lines, risk=None)["abstract"].confidence < SURE_FROM
    assert found(*lines, risk=0.5)["abstract"].confidence < SURE_FROM


def test_a_value_longer_than_the_law_allows_is_a_doubt_and_kept_whole():
    long = Field("signer", "A" * 51, "", 1, None, 96.0)
    assert lengths.within(long) == replace(long, confidence=60.0)
    assert lengths.within(replace(long, value="A" * 50)).confidence == 96.0


def test_what_only_a_seal_left_is_no_line():
    bits = tuple(OcrWord("ñ", Box(x, 300, x + 9, 305), 5.0, line=x) for x in (400, 500))
    page = scans.words("TM. ỦY BAN NHÂN DÂN")
    assert len(sheet_of(replace(page, words=page.words + bits), 1).lines) == 1


def test_an_end_of_validity_is_the_papers_own():
    got = found("Giấy phép này có giá trị đến ngày 05/06/2031.")
    assert got["valid_until"].value == "2031-06-05"
    assert "valid_until" not in found("Quyết định số 5/QĐ-UBND có hiệu lực đến ngày 05/06/2031.")


def test_an_empty_page_has_no_fields():
    assert fields.extract([OcrPage(100, 100, 100.0, (), 0.0)]) == []
