"""The demo centre hangs together: every name it uses is there, and everybody a dossier needs has a chair."""

import pytest

from api.demo import sample
from api.demo.centre import CENTRE, CLERK, LEADER, LOGINS, PASSWORD, POSTAL, SIGNERS, SUBJECTS, welcome
from dossiers.codes import dossier_code, parse_dossier_code
from dossiers.types import Agency, AgencyKind, DigitisationProfile, Role
from signing import templates

AGENCIES = {agency.code: agency for agency in CENTRE.agencies}
PROCEDURES = {procedure.code: procedure for procedure in CENTRE.procedures}
DECIDING = [agency for agency in CENTRE.agencies if agency.kind is not AgencyKind.POST_OFFICE]


def roles_in(agency: str) -> set[Role]:
    return set().union(*(login.roles for login in LOGINS if login.agency == agency))


def test_there_are_a_centre_three_communes_two_post_offices_and_seven_procedures() -> None:
    kinds = [agency.kind for agency in CENTRE.agencies]
    assert [kinds.count(kind) for kind in AgencyKind] == [1, 3, 2]
    assert len(PROCEDURES) == 7
    assert set().union(*(login.roles for login in LOGINS)) == set(Role)


def test_every_name_used_is_there_and_no_name_is_used_twice() -> None:
    assert all(agency.parent in AGENCIES for agency in CENTRE.agencies if agency.parent)
    assert {login.agency for login in LOGINS} <= AGENCIES.keys()
    assert len({login.username for login in LOGINS}) == len(LOGINS)
    assert len({login.name for login in LOGINS}) == len(LOGINS)
    assert len({subject.id for subject in SUBJECTS}) == len(SUBJECTS)
    assert {signer.username for signer in SIGNERS} - {""} <= {login.username for login in LOGINS}


@pytest.mark.parametrize("agency", DECIDING, ids=lambda agency: agency.place)
def test_every_deciding_agency_has_a_desk_a_leader_with_a_title_a_seal_keeper_and_a_seal(agency: Agency) -> None:
    assert roles_in(agency.code) >= {Role.CLERK, Role.LEADER, Role.SEAL_KEEPER}
    leaders = [login for login in LOGINS if login.agency == agency.code and Role.LEADER in login.roles]
    assert all(leader.title for leader in leaders)
    signing = {(signer.agency, signer.username) for signer in SIGNERS}
    assert (agency.code, "") in signing
    assert {(agency.code, leader.username) for leader in leaders} <= signing


def test_nobody_at_a_post_office_signs_or_decides() -> None:
    for agency in CENTRE.agencies:
        if agency.kind is AgencyKind.POST_OFFICE:
            assert roles_in(agency.code) == {Role.POSTAL}
            assert agency.code not in {signer.agency for signer in SIGNERS}


def test_both_digitisation_profiles_can_be_tried() -> None:
    assert {agency.digitisation for agency in DECIDING} == set(DigitisationProfile)
    capturing = {a.code for a in DECIDING if a.digitisation is DigitisationProfile.CAPTURE}
    clerks = {login.username for login in LOGINS if login.agency in capturing and Role.CLERK in login.roles}
    assert clerks <= {signer.username for signer in SIGNERS}


def test_agency_codes_make_dossier_codes_that_read_back() -> None:
    from datetime import date

    for code in AGENCIES:
        assert parse_dossier_code(dossier_code(code, date(2026, 11, 21), 1)).agency == code


def test_every_template_a_procedure_names_exists() -> None:
    assert {procedure.result_template for procedure in CENTRE.procedures} - {""} == set(templates.names())


@pytest.mark.parametrize("size", ["small", "full"])
def test_the_sample_dossier_answers_the_whole_checklist_of_its_procedure(size: str) -> None:
    kinds = {paper.kind for paper in sample._DOSSIERS[size]}
    checklist = PROCEDURES[sample.PROCEDURE].components
    assert {row.code for row in checklist if row.required} <= kinds <= {row.code for row in checklist}


def test_the_story_of_the_demo_stays_within_one_commune() -> None:
    by_name = {login.username: login for login in LOGINS}
    assert AGENCIES[by_name[POSTAL].agency].parent == by_name[CLERK].agency == by_name[LEADER].agency


def test_the_welcome_names_every_login_and_the_password() -> None:
    said = welcome("http://127.0.0.1:8000")
    assert PASSWORD in said
    assert all(login.username in said for login in LOGINS)


def test_result_headings_of_every_agency_can_be_laid_out() -> None:
    longest = max(DECIDING, key=lambda agency: len(agency.name))
    rendered = templates.render(
        "confirmation",
        {
            "parent_name": longest.parent_name,
            "agency_name": longest.name,
            "place": longest.place,
            "symbol": f"XN-{longest.symbol}",
            "signer_title": "Giám đốc",
            "signer_name": "Đặng Quốc Vỹ",
            "authority": f"Giám đốc {longest.name}".upper(),
            "subject": "Tình trạng hôn nhân",
            "facts": [["Họ và tên", "Nguyễn Thị Lựu"]],
            "closing": ["Giấy này có giá trị kể từ ngày ký"],
        },
    )
    assert rendered.pdf.startswith(b"%PDF-")
