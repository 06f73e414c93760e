"""The code of an ID card is read off its scan, kept with the reading, and given as it is."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import segno
from PIL import Image

from digitize import fields, qr, reading
from digitize.types import OcrPage, PageFlags, ReadPage
from tests import scans

CARD = "022190001234|100123456|Khuất Thị Lựu|05021990|Nữ|Tổ 3, khu 5, phường Hồng Gai, Quảng Ninh|10052021"


def _page(text: str) -> np.ndarray:
    stream = io.BytesIO()
    segno.make(text, error="m").save(stream, kind="png", scale=4, border=4)
    code = np.asarray(Image.open(stream).convert("RGB"))
    page = np.full((700, 900, 3), 245, dtype=np.uint8)
    page[300 : 300 + code.shape[0], 500 : 500 + code.shape[1]] = code
    return page


def _fields(text: str) -> dict[str, str]:
    page = replace(scans.words("CĂN CƯỚC CÔNG DÂN"), codes=qr.codes(_page(text)))
    kept = reading.from_json(reading.to_json(ReadPage(b"", "image/png", page, PageFlags())), picture=b"").ocr
    return {field.key: field.value for field in fields.extract([kept])}


def test_the_code_of_an_id_card_is_read_with_its_place():
    (code,) = qr.codes(_page(CARD))
    assert code.text == CARD
    assert 500 <= code.box.left < code.box.right <= 900
    assert 300 <= code.box.top < code.box.bottom <= 700


def test_an_id_cards_code_is_a_field_and_any_other_isnt():
    assert _fields(CARD)["card_qr"] == CARD
    assert "card_qr" not in _fields("https://example.vn/tra-cuu?ma=1")


def test_a_page_without_a_code_has_none():
    assert qr.codes(np.full((200, 200, 3), 250, dtype=np.uint8)) == ()


def test_only_a_page_that_speaks_of_an_id_card_is_searched():
    assert qr.may_have_card(scans.words("CAN CUOC CÔNG DÂN"))
    assert not qr.may_have_card(scans.words("QUYẾT ĐỊNH"))
    assert not qr.may_have_card(OcrPage(10, 10, 100.0, (), 0.0))
