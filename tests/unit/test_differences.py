"""What a leader is told to look at twice: what the dossier says otherwise, and what changed since it was returned."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from api.demo import centre
from dossiers.differences import Difference, Differs, differences
from dossiers.drafts import first_words
from dossiers.types import EResult, ResultState
from tests.unit.test_drafts import DOSSIER, PROCEDURES, WHO

PROCEDURE = PROCEDURES[DOSSIER.procedure]


def result(template: str = "certificate", **data: Any) -> EResult:
    return EResult(
        id=uuid.uuid4(),
        dossier_id=DOSSIER.id,
        agency=centre.HONG_GAI,
        ordinal=1,
        state=ResultState.SUBMITTED,
        title="Giấy chứng nhận",
        prepared_by=centre.CLERK,
        template=template,
        data=data,
    )


def as_begun(template: str = "certificate") -> dict[str, Any]:
    return {key: one.value for key, one in first_words(DOSSIER, PROCEDURE, template).items()}


@pytest.mark.parametrize("template", ["certificate", "confirmation", "decision", "licence"])
def test_a_draft_that_keeps_what_the_dossier_knows_differs_nowhere(template: str) -> None:
    begun = as_begun(template)
    more = {"closing": ["Có giá trị kể từ ngày ký"], "articles": [f"Cấp cho {WHO.name}"]}
    assert differences(result(template, **more | begun), DOSSIER, PROCEDURE) == []


def test_what_the_clerk_added_is_the_clerks_work_and_what_was_changed_is_told() -> None:
    begun = as_begun()
    facts = [["Họ và tên", WHO.name], ["Số định danh cá nhân", "022185000999"], ["Ngành nghề", "Tạp hóa"]]
    told = differences(result(**begun | {"facts": facts}), DOSSIER, PROCEDURE)
    assert told == [
        Difference(Differs.FROM_DOSSIER, "Số định danh cá nhân", WHO.id_number, "022185000999"),
        Difference(Differs.FROM_DOSSIER, "Địa chỉ", WHO.address, ""),
    ]


def test_the_same_under_another_name_is_no_difference_and_another_dossiers_code_is() -> None:
    facts = [["Chủ hộ", WHO.name], ["Số căn cước", WHO.id_number], ["Trụ sở", f"Nhà riêng, {WHO.address}"]]
    assert differences(result(**as_begun() | {"facts": facts}), DOSSIER, PROCEDURE) == []
    copied = as_begun() | {"opening": ["Căn cứ hồ sơ 000.01.01.H49-261120-0001,"]}
    (told,) = differences(result(**copied), DOSSIER, PROCEDURE)
    assert (told.field, told.before, told.now) == ("Mã hồ sơ", DOSSIER.code, "000.01.01.H49-261120-0001")


def test_a_document_that_names_somebody_else_is_told_first() -> None:
    data = as_begun() | {"facts": [["Họ và tên", "Người Khác"]], "recipients": ["Người Khác"], "opening": ["Căn cứ"]}
    first, *_ = differences(result(**data), DOSSIER, PROCEDURE)
    assert first == Difference(Differs.NOT_THE_APPLICANT, before=WHO.name)


def test_what_was_changed_since_it_was_returned_is_told_word_for_word() -> None:
    before, now = as_begun() | {"subject": "Bản sai"}, as_begun() | {"subject": "Bản đúng"}
    told = differences(replace(result(**now), returned_data=before), DOSSIER, PROCEDURE)
    assert [(one.kind, one.before, one.now) for one in told] == [(Differs.SINCE_RETURNED, "Bản sai", "Bản đúng")]
    spaced = as_begun() | {"subject": "Bản  đúng "}
    assert differences(replace(result(**now), returned_data=spaced), DOSSIER, PROCEDURE) == []


def test_an_uploaded_document_follows_no_template_and_says_so() -> None:
    assert differences(result(""), DOSSIER, PROCEDURE) == [Difference(Differs.NO_TEMPLATE)]
    assert differences(replace(result(""), came_signed=True), DOSSIER, PROCEDURE) == []


@pytest.mark.parametrize("strange", [None, 7, "text", [7], [["one"]], [[None, None]], {"a": 1}])
def test_strange_data_is_no_trouble(strange: Any) -> None:
    differences(result(facts=strange, opening=strange, recipients=strange), DOSSIER, PROCEDURE)
