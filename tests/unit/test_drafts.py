"""What a draft begins with, and how it is looked at before it is complete."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.demo import centre
from dossiers import drafts
from dossiers.types import Applicant, Dossier, DossierState
from signing import templates
from signing.templates import TemplateDataError

WHO = Applicant("Nguyễn Thị Lựu", "022185000123", "", "Tổ 3, phường Hồng Gai")
DOSSIER = Dossier(
    id=uuid.uuid4(),
    code="000.01.01.H49-261122-0007",
    lookup_code="1234567890123",
    procedure="1.001612",
    applicant=WHO,
    receiving=centre.HONG_GAI,
    competent=centre.HONG_GAI,
    helped_at=None,
    paper_at=centre.HONG_GAI,
    state=DossierState.IN_PROCESS,
    opened_by=centre.CLERK,
    opened_at=datetime(2026, 11, 22, tzinfo=UTC),
    received_at=datetime(2026, 11, 22, 18, tzinfo=UTC),
)
PROCEDURES = {p.code: p for p in centre.CENTRE.procedures}
OFFICE = {
    "agency_name": "Trung tâm Phục vụ hành chính công phường Hồng Gai",
    "place": "Hồng Gai",
    "symbol": "GCN-TTPVHCC",
    "signer_title": "Giám đốc",
    "signer_name": "Đặng Quốc Vỹ",
    "authority": "Giám đốc",
}


@pytest.mark.parametrize(
    ("procedure", "template", "subject"),
    [
        ("1.001612", "certificate", "Đăng ký hộ kinh doanh"),
        ("1.004873", "confirmation", "Tình trạng hôn nhân"),
        ("1.001776", "decision", "Về trợ cấp xã hội hằng tháng"),
        ("1.012796", "decision", "Về việc đính chính giấy chứng nhận"),
        ("2.000908", "decision", "Về việc bản sao từ sổ gốc"),
        ("1.009994", "licence", "Xây dựng nhà ở riêng lẻ"),
        ("1.008455", "letter", "cung cấp thông tin quy hoạch xây dựng"),
    ],
)
def test_the_subject_is_the_results_name_without_the_kind_printed_above_it(
    procedure: str, template: str, subject: str
) -> None:
    known = drafts.first_words(DOSSIER, PROCEDURES[procedure], template)

    assert known["subject"] == drafts.Suggested(subject, "procedure")


def test_what_the_dossier_knows_is_put_in_and_what_decides_it_is_left_to_a_person() -> None:
    certificate = drafts.first_words(DOSSIER, PROCEDURES["1.001612"], "certificate")
    decision = drafts.first_words(DOSSIER, PROCEDURES["1.001776"], "decision")

    assert certificate["facts"].value == [
        ["Họ và tên", WHO.name],
        ["Số định danh cá nhân", WHO.id_number],
        ["Địa chỉ", WHO.address],
    ]
    assert "tiếp nhận ngày 23/11/2026" in certificate["opening"].value[0], "the day in Vietnam"
    assert "closing" not in certificate
    assert "articles" not in decision
    assert "bases" in decision


def test_a_draft_that_never_names_the_applicant_is_noticed() -> None:
    facts = [["Họ và tên", "nguyễn thị  LỰU"]]

    assert not drafts.names_somebody_else(DOSSIER, {"facts": facts})
    assert drafts.names_somebody_else(DOSSIER, {"facts": [["Họ và tên", "Nguyễn Thị Lưu"]], "subject": "Đăng ký"})


@pytest.mark.parametrize("template", templates.names())
@pytest.mark.parametrize(
    "data", [{}, {"facts": [["Chủ hộ", ""]], "bases": [], "articles": [""]}, {"subject": "x" * 999}]
)
def test_a_draft_with_words_missing_or_wrong_can_be_looked_at(template: str, data: dict[str, object]) -> None:
    given = {k: v for k, v in data.items() if k in {f.key for f in templates.fields(template)}} | OFFICE
    with pytest.raises(TemplateDataError) as caught:
        templates.render(template, given)
    problems = caught.value.problems

    shown = drafts.with_gaps(template, drafts.with_blanks(template, given, problems), problems)

    assert templates.render(template, shown).pdf.startswith(b"%PDF")


def test_half_a_pair_keeps_its_half_beside_a_gap() -> None:
    given = OFFICE | {"subject": "Đăng ký", "closing": ["Hết"], "facts": [["Chủ hộ", ""], ["", "Hoa"]]}
    with pytest.raises(TemplateDataError) as caught:
        templates.render("certificate", given)

    shown = drafts.with_blanks("certificate", given, caught.value.problems)

    assert shown["facts"] == [["Chủ hộ", "[…]"], ["[…]", "Hoa"]]
    assert templates.render("certificate", shown).pdf.startswith(b"%PDF")


def test_a_dossier_not_yet_received_is_not_said_to_be() -> None:
    known = drafts.first_words(replace(DOSSIER, received_at=None), PROCEDURES["1.001612"], "certificate")

    assert known["opening"].value == [f"Căn cứ hồ sơ {DOSSIER.code},"]
