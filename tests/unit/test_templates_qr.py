"""The QR code of a result can be read off the printed page, and carries what Circular 01/2023 asks for."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
import pypdfium2 as pdfium
import pytest

from signing import qr, templates
from signing.places import MM
from tests.signed_files import DECISION

ASKED = {
    "dossier_code": "000.00.01.H49-260203-0031",
    "procedure_code": "1.001612",
    "applicant_id": "022073004567",
    "system_name": "Hồ sơ số tỉnh Quảng Ninh",
    "published_at": "2026-02-03T09:30:00+07:00",
    "valid_until": "2031-02-03",
    "scope": "Toàn quốc",
}
VERIFIED = DECISION | ASKED | {"lookup_code": "4820-1173-9055-6", "verify_url": "https://hoso.example.vn/kiem-tra"}


def _read(pdf: bytes, dpi: int = 300) -> str:
    """What a telephone would make of the upper left corner of the printed page."""
    with pdfium.PdfDocument(pdf) as document:
        page = document[0]
        picture = page.render(scale=dpi / 72, crop=(0, 842 - 36 * MM, 595 - 30 * MM, 0)).to_numpy()
        page.close()
    large = cv2.resize(np.ascontiguousarray(picture), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(large)
    return text


def test_a_telephone_reads_the_code_off_the_page() -> None:
    content = _read(templates.render("decision", VERIFIED).pdf)
    address = urlsplit(content)
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://hoso.example.vn/kiem-tra/4820117390556"
    values = {key: value[0] for key, value in parse_qs(address.fragment).items()}
    assert values == {
        "hs": ASKED["dossier_code"],
        "tt": ASKED["procedure_code"],
        "id": ASKED["applicant_id"],
        "gt": f"Quyết định {DECISION['subject']}",
        "ht": ASKED["system_name"],
        "tg": ASKED["published_at"],
        "hl": ASKED["valid_until"],
        "pv": ASKED["scope"],
    }


def test_what_a_server_or_a_log_sees_tells_nothing_about_anybody() -> None:
    content = qr.text("https://a.vn/k", "123", {"id": "022073004567"})
    assert "022073004567" not in content.partition("#")[0]


def test_everything_at_its_longest_still_fits_and_keeps_the_codes() -> None:
    data = {
        "hs": "H" * 60,
        "tt": "1.001612",
        "id": "022073004567",
        "gt": "Về việc ủy quyền " * 30,
        "ht": "Hệ thống " * 11,
        "tg": "2026-02-03T09:30:00+07:00",
        "hl": "Ngày " * 8,
        "pv": "Toàn quốc " * 10,
    }
    content = qr.text("https://" + "a" * 110 + ".vn", "4820-1173-9055-6", data)
    assert qr.symbol_for(content).startswith("<svg")
    for key in ("hs", "tt", "id", "tg"):
        assert data[key].replace("+", "%2B") in content
    assert "…" in content


def test_without_an_address_or_a_code_there_is_no_symbol() -> None:
    assert qr.text("", "123", {}) == qr.text("https://a.vn", "", {}) == qr.symbol_for("") == ""
    with_code = len(templates.render("decision", VERIFIED).pdf)
    assert len(templates.render("decision", DECISION).pdf) < with_code


@pytest.mark.parametrize("value", ["a&b=c", "50%", "#1", "một + một", "<x>", 'dấu "ngoặc"'])
def test_signs_of_the_address_survive_in_values(value: str) -> None:
    content = qr.text("https://a.vn", "1", {"pv": value, "hs": "H"})
    assert parse_qs(urlsplit(content).fragment)["pv"] == [value]
