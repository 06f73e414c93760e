"""Ended after any effect and done again: nothing signed twice, nothing lost, nothing stuck (tests/faults/deaths)."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from api.demo import centre
from api.wiring import utc_now
from dossiers import digitization, holds, issuance, parting, retention
from dossiers.holds import HoldDesk
from dossiers.retention import RetentionDesk
from dossiers.types import Actor, DossierState, Role
from signing.types import Place
from storage.vault import S3Vault
from tests import stacks
from tests.faults.deaths import again_and_again, each_time_anew
from tests.integration.kept_office import CENTRE, KeptOffice, component, dossier
from tests.integration.test_api_e_results import approve, digitised_dossier, document, look, ok, submitted, verify
from tests.integration.test_api_intake import add, open_dossier, unique_scan
from tests.integration.test_api_parcels import papers
from tests.integration.test_separator_sheets import brought, kinds, opened, rows, stack

if TYPE_CHECKING:
    from pathlib import Path

    from dossiers.types import Dossier
    from tests.conftest import S3Settings
    from tests.office import Office

NOW = datetime.now(UTC)


def events(office: Office, subject: str) -> Counter[str]:
    with office.services.begin() as work:
        return Counter(line.event for line in work.audit.of(UUID(subject)))


def required(office: Office, case: dict[str, Any]) -> list[str]:
    with office.services.begin() as work:
        return [kind.code for kind in work.procedures.of(case["procedure"]).components if kind.required]


@pytest.mark.timeout(1800)  # dies thirty times and more, each with a result of its own
def test_a_result_whose_signing_ends_anywhere_is_signed_once_and_issued_once(office: Office) -> None:
    case = digitised_dossier(office)
    desk, begin = office.services.signing_desk(office.keys), office.services.begin

    def approved() -> dict[str, Any]:
        result = submitted(office, case)
        ok(approve(office, result))
        return result

    def signed(result: dict[str, Any]) -> None:
        for place in (Place.LEADER, Place.LEADER, Place.SEAL, Place.SEAL):
            issuance.sign(desk, UUID(result["id"]), place)
        issuance.issue(begin, UUID(result["id"]), now=utc_now())

    def issued(result: dict[str, Any]) -> None:
        office.work_off()
        found = look(office, result)
        assert (found["state"]["code"], found["trouble"]) == ("issued", "")
        told = verify(office, document(office, result))
        assert (told["verdict"], told["register"]["code"], len(told["signatures"])) == ("genuine", "issued", 2)
        done = events(office, result["id"])
        assert done["e_result.made"] == 2, done
        assert [done[f"e_result.{step}"] for step in ("leader_signed", "sealed", "issued")] == [1, 1, 1], done
        assert not list(desk.outbox.glob(f"{result['id']}*"))

    effects = each_time_anew(approved, signed, issued)

    assert effects.count("PUT") == 4, effects  # each signature, kept as it was made and again with its evidence
    assert effects.count("commit") >= 9, effects


def test_a_copy_whose_signing_ends_after_each_effect_in_turn_is_signed_once(office: Office) -> None:
    case = open_dossier(office)
    for kind in required(office, case):
        ok(add(office, case, f"{kind}.png", unique_scan(), kind=kind))
    ok(office.ask(centre.CLERK, "POST", f"/dossiers/{case['id']}/receive"))
    office.work_off()
    paper = papers(office, case)[0]
    here = f"/dossiers/{case['id']}/components/{paper['id']}"
    ok(office.ask(centre.CLERK, "POST", f"{here}/review", json={}))
    office.work_off()
    ok(office.ask(centre.CLERK, "POST", f"{here}/copy", json={"password": centre.PASSWORD}))
    desk = office.services.signing_desk(office.keys)
    with office.services.begin() as work:
        revision = work.components.of(UUID(paper["id"])).revision

    def signed() -> None:
        for _ in range(2):
            digitization.sign_copy(desk, UUID(paper["id"]), revision)

    deaths = again_and_again(signed)

    assert deaths > 3
    office.work_off()
    paper = papers(office, case)[0]
    assert (paper["state"]["code"], paper["trouble"]) == ("digitized", "")
    done = events(office, paper["id"])
    assert (done["copy.made"], done["copy.signed"]) == (1, 1), done


def test_a_scan_whose_parting_ends_anywhere_is_whole_or_parted(office: Office) -> None:
    first, second = kinds(office)[:2]
    with office.services.begin() as work:
        account = work.accounts.of(centre.CLERK)
    actor = account.actor
    services = office.services

    def scanned() -> dict[str, Any]:
        case = opened(office)
        brought(office, case, stack(stacks.paper(), stacks.spoiled_sheet(), stacks.paper()), kind=first)
        return case | {"paper": papers(office, case)[0]["id"], "before": rows(office, case)}

    def parted(case: dict[str, Any]) -> None:
        parting.by_hand(
            services.begin,
            services.store,
            UUID(case["paper"]),
            by=actor,
            dossier_id=UUID(case["id"]),
            at=parting.Cut(2, True, second, ""),  # noqa: FBT003
            limits=services.limits,
            work_dir=services.work_dir,
            now=utc_now(),
        )

    def whole(case: dict[str, Any]) -> None:
        two = [(first, 1, [1], ""), (second, 1, [3], "")]
        assert rows(office, case) in (case["before"], two)
        parted(case)
        assert rows(office, case) == two
        assert events(office, case["paper"])["component.parted"] == 1

    effects = each_time_anew(scanned, parted, whole)

    assert effects[-1] == "commit"
    assert effects.count("commit") == 1, "all of it in one"
    assert effects.count("PUT") >= 2, effects


def test_a_hold_that_is_put_on_or_lifted_and_ends_anywhere_is_done_by_the_next_round(
    migrated_dsn: str, s3_settings: S3Settings, tmp_path: Path
) -> None:
    keeper = Actor(uuid4(), "vanthu", "Văn Thư", CENTRE.code, frozenset({Role.SEAL_KEEPER}))
    leader = Actor(uuid4(), "giamdoc", "Giám Đốc", CENTRE.code, frozenset({Role.LEADER}))
    with closing(KeptOffice(migrated_dsn, s3_settings, tmp_path, locked=None)) as kept:
        begin, desk = kept.database.begin, HoldDesk(kept.database.begin, S3Vault(kept.store))

        def held() -> tuple[Dossier, holds.Hold, list[str]]:
            paths = []
            with begin() as work:
                case = work.dossiers.keep(dossier())
                for _ in range(2):
                    scan = kept.put(uuid4().bytes)
                    paths.append(scan.path)
                    work.components.keep(component(case, scan=scan))
            hold = holds.place(begin, case.id, reason="Thanh tra", reference="12/GM-TTr", by=keeper, now=NOW)
            return case, hold, paths

        def put_on(_: object) -> None:
            holds.work_off(desk, now=NOW)

        def is_on(path: str) -> bool:
            (version,) = kept.client.list_objects(s3_settings.bucket, prefix=path, include_version=True)
            return kept.client.is_object_legal_hold_enabled(s3_settings.bucket, path, version_id=version.version_id)

        def is_held(one: tuple[Dossier, holds.Hold, list[str]]) -> None:
            put_on(one)
            with begin() as work:
                found = holds.coverage_of(work, one[0].id, now=NOW)
            assert (found.objects, found.held) == (2, 2)
            assert [is_on(path) for path in one[2]] == [True, True]

        def released() -> tuple[Dossier, holds.Hold, list[str]]:
            one = held()
            is_held(one)
            holds.ask_release(begin, one[1].id, reason="Đã kết luận", by=keeper, now=NOW)
            holds.confirm_release(begin, one[1].id, by=leader, now=NOW)
            return one

        def is_free(one: tuple[Dossier, holds.Hold, list[str]]) -> None:
            put_on(one)
            assert [is_on(path) for path in one[2]] == [False, False]
            with begin() as work:
                assert not work.holds.to_lift(limit=10)

        assert each_time_anew(held, put_on, is_held).count("PUT") == 2
        assert each_time_anew(released, put_on, is_free).count("PUT") == 2


def test_a_period_that_is_locked_and_ends_anywhere_is_locked_by_the_next_round(
    migrated_dsn: str, s3_settings: S3Settings, tmp_path: Path
) -> None:
    with closing(KeptOffice(migrated_dsn, s3_settings, tmp_path)) as kept:
        begin, desk = kept.database.begin, RetentionDesk(kept.database.begin, S3Vault(kept.store), 10)

        def ended() -> tuple[Dossier, list[str]]:
            paths = []
            with begin() as work:
                case = work.dossiers.keep(dossier(state=DossierState.RETURNED))
                for _ in range(2):
                    scan = kept.put(uuid4().bytes)
                    paths.append(scan.path)
                    work.components.keep(component(case, scan=scan))
            return case, paths

        def locked(_: object) -> None:
            retention.work_off(desk, now=NOW)

        def is_locked(one: tuple[Dossier, list[str]]) -> None:
            locked(one)
            with begin() as work:
                until = work.retention.of_dossier(one[0].id, 10).until
                done = Counter(line.event for line in work.audit.of(one[0].id))
            assert until is not None
            assert done["dossier.locked"] <= 1
            for path in one[1]:
                (version,) = kept.client.list_objects(s3_settings.bucket, prefix=path, include_version=True)
                lock = kept.client.get_object_retention(s3_settings.bucket, path, version_id=version.version_id)
                assert lock is not None
                assert lock.retain_until_date == until

        assert each_time_anew(ended, locked, is_locked).count("PUT") == 2
