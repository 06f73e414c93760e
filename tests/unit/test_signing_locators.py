"""Where keys are found, as one line: any label survives, and no secret is ever in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.locators import RemoteKey, TokenKey

LABELS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@given(LABELS, st.text(st.characters(exclude_categories=["Cs"])), st.binary(min_size=1))
def test_any_label_of_a_token_or_key_survives(token: str, label: str, key_id: bytes) -> None:
    key = TokenKey("/usr/lib/viettel ca_v6.so", token, label, key_id)
    assert TokenKey.parse(str(key)) == key
    assert str(key).isascii()


def test_the_address_that_other_programs_give_is_understood() -> None:
    given_by_p11tool = (
        "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;token=B%C3%ACnh;id=%0A%FF;type=private"
        "?module-path=/usr/lib/softhsm/libsofthsm2.so"
    )
    assert TokenKey.parse(given_by_p11tool) == TokenKey("/usr/lib/softhsm/libsofthsm2.so", "Bình", "", b"\x0a\xff")


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:token=a;object=b?module-path=/m.so&pin-value=1234",
        "pkcs11:token=a;object=b?module-path=/m.so&pin-source=file:/pin",
        "pkcs11:token=a;object=b?module-path=m.so",
        "pkcs11:token=a?module-path=/m.so",
        "pkcs11:object=b?module-path=/m.so",
        "pkcs11:token=%FF;object=b?module-path=/m.so",
        "file:/key",
    ],
)
def test_a_token_is_named_whole_and_without_its_pin(text: str) -> None:
    with pytest.raises(ValueError, match=r"địa chỉ|thư viện|thiếu"):
        TokenKey.parse(text)


@given(LABELS)
def test_any_credential_of_a_service_survives(credential: str) -> None:
    key = RemoteKey("https://ky.example.vn:8443/dich-vu", credential)
    assert RemoteKey.parse(str(key)) == key


@pytest.mark.parametrize(
    "service",
    [
        "http://ky.example.vn",
        "https://user:secret@ky.example.vn",
        "https://ky.example.vn?access_token=secret",
        "ftp://ky.example.vn",
        "https://",
    ],
)
def test_a_service_is_reached_over_tls_and_its_address_holds_no_secret(service: str) -> None:
    with pytest.raises(ValueError, match=r"địa chỉ|thư viện|thiếu"):
        RemoteKey(service, "c")
    assert str(RemoteKey("http://127.0.0.1:8080", "c")) == "http://127.0.0.1:8080#credential=c"
