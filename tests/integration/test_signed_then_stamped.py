"""A signature is made once and kept; its time is told later: the authority is slow or dead, the worker dies."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from api.demo import centre
from api.wiring import utc_now
from dossiers import digitization, issuance, verification
from signing.types import Place, TrustServiceUnavailable
from tests.integration.test_api_e_results import SEAL_KEEPER, approve, digitised_dossier, document, look, ok, submitted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dossiers.ports import ObjectStore
    from dossiers.signatures import Keys, SigningDesk
    from dossiers.types import CertificateRecord, EResult, ObjectKey
    from signing.keys import SigningKey
    from tests.office import Office

_NOBODY = ("http://127.0.0.1:9/tsa",)


@dataclass
class CountingKeys:
    """The office's own keys; counts how often one is opened."""

    keys: Keys
    opened: int = 0

    def open(self, record: CertificateRecord, *, subject: UUID, sha256: str) -> SigningKey:
        self.opened += 1
        return self.keys.open(record, subject=subject, sha256=sha256)

    def done(self, subject: UUID) -> None:
        self.keys.done(subject)

    def picture(self, record: CertificateRecord) -> bytes | None:
        return self.keys.picture(record)


class _Killed(Exception):
    """Stands for SIGKILL: nothing after it runs, and nothing catches it."""


@dataclass
class DyingStore:
    """The real store, but the process dies before or after what is put is kept."""

    store: ObjectStore
    before: bool

    def put(self, file: Path, *, media_type: str) -> ObjectKey:
        if self.before:
            raise _Killed
        self.store.put(file, media_type=media_type)
        raise _Killed

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@pytest.fixture(scope="module")
def dossier(office: Office) -> dict[str, Any]:
    return digitised_dossier(office)


@contextmanager
def a_dead_authority(office: Office) -> Iterator[None]:
    """Nobody tells the time to the signing worker until the block ends."""
    alive = office.services
    office.services = replace(alive, tsa_urls=_NOBODY)
    try:
        yield
    finally:
        office.services = alive


def kept(office: Office, result: dict[str, Any]) -> EResult:
    with office.services.begin() as work:
        return work.e_results.for_job(UUID(result["id"]))


def hurry(office: Office, result: dict[str, Any], place: Place) -> None:
    """What time does: the job that waits for its next try is due."""
    with office.services.begin() as work:
        work.jobs.sign_e_result(UUID(result["id"]), place)
    office.work_off()


def events(office: Office, result: dict[str, Any], event: str) -> int:
    with office.services.begin() as work:
        return sum(line.event == event for line in work.audit.of(UUID(result["id"])))


def signature_values(pdf: bytes) -> list[bytes]:
    return [s.signer_info["signature"].native for s in PdfFileReader(BytesIO(pdf)).embedded_regular_signatures]


def bytes_of(office: Office, key: ObjectKey, folder: Path) -> bytes:
    file = folder / "fetched.pdf"
    office.services.store.fetch(key, file)
    return file.read_bytes()


def counting(office: Office) -> tuple[SigningDesk, CountingKeys]:
    desk = office.services.signing_desk()
    keys = CountingKeys(desk.keys)
    return replace(desk, keys=keys), keys


def test_a_dead_authority_loses_no_signature_and_it_finishes_by_itself(
    office: Office, dossier: dict[str, Any], tmp_path: Path
) -> None:
    result = submitted(office, dossier)
    with a_dead_authority(office):
        ok(approve(office, result))
        office.work_off()
        waiting = look(office, result)
        leader = kept(office, result)
    assert (waiting["state"]["code"], waiting["trouble"]) == ("approved", "")
    assert (waiting["next_step"]["code"], waiting["next_step"]["role"]) == ("await_timestamp", None)
    assert waiting["document_sha256"] == result["document_sha256"]
    assert leader.unstamped is not None
    page = office.open(centre.CLERK, f"/ket-qua/{result['id']}").text
    assert "đã ký, chờ dấu thời gian" in page
    assert "chưa ký gì" not in page

    made = bytes_of(office, leader.unstamped, tmp_path)
    hurry(office, result, Place.LEADER)

    done = look(office, result)
    assert (done["state"]["code"], done["trouble"]) == ("issued", "")
    whole = document(office, done)
    assert signature_values(whole)[0] == signature_values(made)[0]
    assert [events(office, result, e) for e in ("e_result.made", "e_result.leader_signed", "e_result.sealed")] == [
        2,
        1,
        1,
    ]
    file = tmp_path / "whole.pdf"
    file.write_bytes(whole)
    assert verification.judge(
        office.services.begin, file, judge=office.services.judges, now=utc_now() + timedelta(hours=1)
    ).in_force


@pytest.mark.parametrize("before", [True, False])
def test_a_worker_killed_after_signing_never_signs_again(
    office: Office,
    dossier: dict[str, Any],
    before: bool,  # noqa: FBT001
) -> None:
    result = submitted(office, dossier)
    e_result_id = UUID(result["id"])
    ok(approve(office, result))
    desk, keys = counting(office)

    with pytest.raises(_Killed):
        issuance.sign(replace(desk, store=DyingStore(desk.store, before=before)), e_result_id, Place.LEADER)
    assert kept(office, result).unstamped is None
    issuance.sign(desk, e_result_id, Place.LEADER)
    assert kept(office, result).unstamped is not None
    with pytest.raises(_Killed):  # signed and recorded; dies while the time is being added
        issuance.sign(replace(desk, store=DyingStore(desk.store, before=before)), e_result_id, Place.LEADER)
    issuance.sign(desk, e_result_id, Place.LEADER)
    issuance.sign(desk, e_result_id, Place.LEADER)  # a job may run twice

    assert keys.opened == 1
    assert kept(office, result).state == "leader_signed"
    office.work_off()
    assert look(office, result)["state"]["code"] == "issued"


def test_a_file_a_tool_signed_is_completed_by_the_same_job(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    e_result_id = UUID(result["id"])
    ok(approve(office, result))
    desk, keys = counting(office)
    with a_dead_authority(office):
        office.work_off()
    made = kept(office, result).unstamped
    assert made is not None
    desk = replace(desk, tsa_urls=_NOBODY)
    with pytest.raises(TrustServiceUnavailable):
        issuance.sign(desk, e_result_id, Place.LEADER)
    assert kept(office, result).unstamped == made
    assert keys.opened == 0
    hurry(office, result, Place.LEADER)
    assert look(office, result)["state"]["code"] == "issued"


def test_a_leader_who_left_signs_nothing(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    ok(approve(office, result))
    with office.services.begin() as work:
        leader = work.accounts.of(centre.LEADER)
        work.accounts.keep(replace(leader, roles=frozenset({"clerk"})))  # type: ignore[arg-type]
    desk, keys = counting(office)
    issuance.sign(desk, UUID(result["id"]), Place.LEADER)
    with office.services.begin() as work:
        work.accounts.keep(leader)
    assert keys.opened == 0
    assert (kept(office, result).trouble, kept(office, result).unstamped) == ("signer_left", None)
    office.work_off()


def test_a_certificate_that_names_somebody_else_signs_nothing(office: Office, dossier: dict[str, Any]) -> None:
    result = submitted(office, dossier)
    ok(approve(office, result))
    with office.services.begin() as work:
        leader = work.accounts.of(centre.LEADER)
        work.accounts.keep(replace(leader, name="Người Khác"))
    desk, _ = counting(office)
    issuance.sign(desk, UUID(result["id"]), Place.LEADER)
    with office.services.begin() as work:
        work.accounts.keep(leader)
    assert (kept(office, result).trouble, kept(office, result).unstamped) == ("wrong_certificate", None)
    assert not list(desk.outbox.glob(f"{result['id']}*"))


def test_a_copy_waits_for_its_time_as_well(office: Office, dossier: dict[str, Any], tmp_path: Path) -> None:
    with office.services.begin() as work:
        component = work.components.of_dossier(UUID(dossier["id"]))[0]
        assert component.unstamped is None
        again = replace(component, state="signing", copy=None)  # type: ignore[arg-type]
        again = work.components.keep(replace(again, revision=component.revision + 1))
    desk, keys = counting(office)
    digitization.sign_copy(replace(desk, tsa_urls=_NOBODY), component.id, again.revision)
    with pytest.raises(TrustServiceUnavailable):
        digitization.sign_copy(replace(desk, tsa_urls=_NOBODY), component.id, again.revision)
    with office.services.begin() as work:
        waiting = work.components.of(component.id)
    assert (waiting.trouble, waiting.state) == ("waiting_for_timestamp", "signing")
    assert waiting.unstamped is not None
    digitization.sign_copy(desk, component.id, again.revision)
    with office.services.begin() as work:
        done = work.components.of(component.id)
    assert (done.state, done.trouble, done.unstamped) == ("digitized", "", None)
    assert done.copy is not None
    assert keys.opened == 1
    made, whole = bytes_of(office, waiting.unstamped, tmp_path), bytes_of(office, done.copy, tmp_path)
    assert signature_values(made) == signature_values(whole)


def test_what_waits_for_more_than_a_day_is_shown_to_the_seal_keeper_and_goes_on_by_itself(
    office: Office, dossier: dict[str, Any]
) -> None:
    result = submitted(office, dossier)
    with a_dead_authority(office):
        ok(approve(office, result))
        office.work_off()
    path = f"/ket-qua/{result['id']}"
    listed = "/ket-qua?loc=cho-van-thu"
    assert path not in office.open(SEAL_KEEPER, listed).text, "an afternoon is nothing"
    assert "chờ dấu thời gian 0" not in office.open(SEAL_KEEPER, path).text
    with office.services.begin() as work:
        waiting = work.e_results.for_job(UUID(result["id"]))
        assert waiting.unstamped_at is not None
        earlier = waiting.unstamped_at - timedelta(days=2, hours=3, minutes=10)
        work.e_results.keep(replace(waiting, unstamped_at=earlier))

    for page in (office.open(SEAL_KEEPER, listed), office.open(SEAL_KEEPER, path)):
        assert path in page.text
        assert "chờ dấu thời gian 2 ngày 3 giờ" in page.text
        assert "không mất gì" in page.text
    assert look(office, result)["next_step"]["code"] == "await_timestamp", "nobody has to do anything to it"

    hurry(office, result, Place.LEADER)
    assert look(office, result)["state"]["code"] == "issued"
    assert path not in office.open(SEAL_KEEPER, listed).text
