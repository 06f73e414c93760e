"""Every state, step and trouble has its words in both languages."""

import ast
import re
import unicodedata
from enum import Enum
from itertools import pairwise
from pathlib import Path

import pytest

import digitize.types
import dossiers.types
import signing.types
from digitize import fields
from dossiers.labels import CODES, label

ENUMS = [
    thing
    for thing in vars(dossiers.types).values()
    if isinstance(thing, type) and issubclass(thing, Enum) and thing.__module__ == "dossiers.types"
] + [digitize.types.Flag]
MEMBERS = [member for enum in ENUMS for member in enum]
PACKAGE = Path(dossiers.types.__file__).parent


def step_codes() -> set[str]:
    return {
        node.args[0].value
        for path in PACKAGE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Step"
        if isinstance(node.args[0], ast.Constant)
    }


def trouble_codes() -> set[str]:
    """What the use cases themselves say when they set a thing aside."""
    return {
        constant.value
        for path in PACKAGE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"_set_aside", "_set_page_aside", "give_up", "note"}
        for argument in node.args
        for constant in ast.walk(argument)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }


def events() -> set[str]:
    """What the use cases write into the log; an f-string's end is each state of its kind."""
    states = {"dossier": dossiers.types.DossierState, "e_result": dossiers.types.ResultState}
    closing = {"needs_supplement", "refused", "cancelled", "leader_signed", "sealed", "withdrawn", "superseded"}
    found = set()
    for path in [*PACKAGE.glob("*.py"), PACKAGE.parent / "api" / "sign_in.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("audit.append")):
                continue
            if isinstance(node.args[1], ast.Constant):
                found.add(node.args[1].value)
            elif isinstance(node.args[1], ast.JoinedStr):
                kind = node.args[1].values[0].value.removesuffix(".")
                found |= {f"{kind}.{state.value}" for state in states[kind] if state.value in closing}
    return found


@pytest.mark.parametrize("event", sorted(events()))
def test_every_event_of_the_log_has_words_in_both_languages(event: str) -> None:
    assert label(event, "vi") != event
    assert label(event, "en") != event


def documented_reasons(error: type[Exception]) -> set[str]:
    return set(re.findall(r'"([a-z_]+)"', error.__doc__ or ""))


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: f"{type(member).__name__}.{member.name}")
def test_every_state_role_and_flag_has_words_in_both_languages(member: Enum) -> None:
    vietnamese, english = label(member, "vi"), label(member, "en")
    assert vietnamese != str(member)
    assert vietnamese
    assert english.isascii()
    assert english


def test_every_step_has_words() -> None:
    assert step_codes()
    assert step_codes() <= CODES.keys()


def test_every_field_found_on_a_paper_has_words() -> None:
    assert {"number", "symbol", "issued_on"} <= set(fields.KEYS) <= CODES.keys()


def test_every_trouble_a_use_case_reports_has_words() -> None:
    known = CODES.keys() | {"signing_", "reader_", "reason"}  # heads of codes built from an error's reason
    assert "reader_died" in trouble_codes()
    assert trouble_codes() <= known


def test_every_reason_a_page_could_not_be_read_has_words() -> None:
    reasons = documented_reasons(digitize.types.ReadingFailed)
    assert reasons
    assert {f"reader_{reason}" for reason in reasons} <= CODES.keys()


def test_a_reason_to_refuse_signing_reads_the_same_with_and_without_its_head() -> None:
    assert label("signing_certificate_expired") == label("certificate_expired") != "certificate_expired"


@pytest.mark.parametrize("error", [digitize.types.UnreadableScan, signing.types.SigningRefused])
def test_every_reason_to_refuse_a_file_has_words(error: type[Exception]) -> None:
    assert documented_reasons(error)
    assert documented_reasons(error) <= CODES.keys()


def test_all_words_are_composed_unicode() -> None:
    words = [label(what, "vi") for what in [*MEMBERS, *CODES]]
    assert all(unicodedata.is_normalized("NFC", text) for text in words)


def test_two_states_of_one_thing_never_read_alike() -> None:
    for enum in ENUMS:
        texts = sorted(label(member, "vi") for member in enum)
        assert all(a != b for a, b in pairwise(texts)), enum


def test_the_same_value_in_two_enums_keeps_its_own_words() -> None:
    assert label(dossiers.types.DossierState.DRAFT) == "nháp"
    assert label(dossiers.types.ResultState.DRAFT) == "dự thảo"


def test_the_states_of_a_dossier_read_as_the_office_says_them() -> None:
    assert [label(state) for state in dossiers.types.DossierState] == [
        "nháp",
        "đã tiếp nhận",
        "đang số hóa",
        "chờ bổ sung",
        "đã số hóa",
        "đang giải quyết",
        "có kết quả",
        "đã trả",
        "từ chối",
        "đã rút",
    ]


def test_a_code_without_words_is_shown_as_it_is() -> None:
    assert label("some_new_code", "en") == "some_new_code"
