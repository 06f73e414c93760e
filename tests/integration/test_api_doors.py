"""Signing in, guessing codes, downloading in pieces, and asking about strange files."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from api.demo import centre
from api.settings import BadSettings
from tests.integration.test_api_intake import add, open_dossier, unique_scan
from tests.papers import BAD_FILES, page_pdf

if TYPE_CHECKING:
    from tests.office import Office


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(office: Office) -> None:
    wrong_name = office.ask("", "POST", "/session", json={"username": "khong-co", "password": "x"})
    wrong_password = office.ask("", "POST", "/session", json={"username": centre.CLERK, "password": "x"})
    office.ask("", "POST", "/session", json={"username": centre.CLERK, "password": centre.PASSWORD})

    for answer in (wrong_name, wrong_password):
        assert answer.status_code == 401
    assert {k: v for k, v in wrong_name.json().items() if k != "trace_id"} == {
        k: v for k, v in wrong_password.json().items() if k != "trace_id"
    }


def test_five_wrong_passwords_lock_the_account_for_some_minutes(own_office: Office) -> None:
    for _ in range(5):
        own_office.ask("", "POST", "/session", json={"username": centre.CLERK, "password": "sai"})

    answer = own_office.ask("", "POST", "/session", json={"username": centre.CLERK, "password": centre.PASSWORD})

    assert answer.status_code == 423
    assert 1 <= answer.json()["minutes"] <= 15


def test_a_closed_session_is_over(own_office: Office) -> None:
    assert own_office.ask(centre.CLERK, "GET", "/session").json()["username"] == centre.CLERK

    own_office.ask(centre.CLERK, "DELETE", "/session")

    assert own_office.ask(centre.CLERK, "GET", "/session").status_code == 401


def test_an_administrator_has_no_part_in_the_content_of_dossiers(office: Office) -> None:
    administrator = next(x.username for x in centre.LOGINS if "administrator" in {*x.roles} and len(x.roles) == 1)

    assert office.ask(administrator, "GET", "/dossiers").status_code == 403


def test_postal_staff_may_scan_and_never_sign(office: Office) -> None:
    dossier = open_dossier(office, centre.POSTAL)
    component = add(office, dossier, "don.png", unique_scan(), who=centre.POSTAL).json()

    path = f"/dossiers/{dossier['id']}/components/{component['id']}/copy"
    answer = office.ask(centre.POSTAL, "POST", path, json={"password": centre.PASSWORD})

    assert answer.status_code == 403


def test_errors_come_in_the_language_that_is_asked_for(office: Office) -> None:
    path = f"/dossiers/{uuid.uuid4()}"

    vi = office.ask(centre.CLERK, "GET", path)
    en = office.ask(centre.CLERK, "GET", path, headers={"accept-language": "en-GB"})

    assert vi.headers["content-type"] == "application/problem+json"
    assert vi.json()["title"] == "Không tìm thấy."
    assert en.json()["title"] == "Not found."


def test_unknown_dossiers_and_wrong_codes_look_the_same_from_outside(office: Office) -> None:
    dossier = open_dossier(office)
    wrong_secret = {"dossier_code": dossier["code"], "lookup_code": "0000-0000-0000-0"}
    unknown = {"dossier_code": f"{centre.HONG_GAI}-200101-0001", "lookup_code": "0000-0000-0000-0"}

    answers = [office.ask("", "POST", "/citizen/look-up", json=body) for body in (wrong_secret, unknown)]

    assert [a.status_code for a in answers] == [404, 404]
    assert answers[0].json()["title"] == answers[1].json()["title"]


def test_guessing_look_up_codes_is_stopped(own_office: Office) -> None:
    dossier = open_dossier(own_office)
    guess = {"dossier_code": dossier["code"], "lookup_code": "0000-0000-0000-0"}

    codes = [own_office.ask("", "POST", "/citizen/look-up", json=guess).status_code for _ in range(12)]

    assert codes[:10] == [404] * 10
    assert codes[10:] == [429] * 2


def test_a_code_with_a_slip_is_told_at_once(office: Office) -> None:
    answer = office.ask("", "POST", "/citizen/look-up", json={"dossier_code": "x", "lookup_code": "123"})

    assert answer.status_code == 422
    assert answer.json()["code"] == "bad_code"


def test_a_file_can_be_fetched_in_pieces(office: Office) -> None:
    dossier, content = open_dossier(office), unique_scan()
    component = add(office, dossier, "đơn xin.png", content).json()
    path = f"/dossiers/{dossier['id']}/components/{component['id']}/scan"

    def piece(wanted: str) -> tuple[int, bytes, str]:
        answer = office.ask(centre.CLERK, "GET", path, headers={"range": wanted})
        return answer.status_code, answer.content, answer.headers.get("content-range", "")

    assert piece("bytes=0-9") == (206, content[:10], f"bytes 0-9/{len(content)}")
    assert piece("bytes=-5") == (206, content[-5:], f"bytes {len(content) - 5}-{len(content) - 1}/{len(content)}")
    assert piece(f"bytes={len(content)}-")[0] == 416
    assert piece("bytes=nonsense") == (200, content, "")
    named = office.ask(centre.CLERK, "GET", path).headers["content-disposition"]
    assert 'filename="don-xin.png"' in named
    assert "filename*=UTF-8''%C4%91%C6%A1n%20xin.png" in named


@pytest.mark.parametrize("case", BAD_FILES)
def test_the_public_verifier_answers_every_file_with_a_verdict(office: Office, case: str) -> None:
    name, make, _ = BAD_FILES[case]

    answer = office.ask("", "POST", "/verifications", files={"file": (name, make())})

    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"] in ("unreadable", "unsigned")
    assert not answer.json()["in_force"]
    assert all(answer.json()["sentence"][language]["next_step"] for language in ("vi", "en"))


def test_a_pdf_without_signature_is_unsigned_and_not_ours(office: Office) -> None:
    answer = office.ask("", "POST", "/verifications", files={"file": ("a.pdf", page_pdf("Không chữ ký"))}).json()

    assert (answer["verdict"], answer["register"]["code"]) == ("unsigned", "not_ours")


def test_a_ticket_that_was_tampered_with_opens_nothing(office: Office) -> None:
    assert office.ask("", "GET", "/citizen/results/WyJ4Il0.0000").status_code == 404
    assert office.ask("", "GET", "/citizen/results/khong-phai-ve").status_code == 404


def test_health_says_ready_only_with_database_and_store(office: Office) -> None:
    assert office.ask("", "GET", "/health/live").status_code == 200
    assert office.ask("", "GET", "/health/ready").json() == {"database": "ready", "store": "ready"}


def test_production_refuses_a_database_that_trusts_the_demo(office: Office) -> None:
    with pytest.raises(BadSettings, match="DEMO"):
        replace(office.services, in_production=True).refuse_demo_trust()
