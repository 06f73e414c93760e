"""One PIN for many results: a leader's key on a real token, a worker that dies, and where the PIN is never found."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import socket
import stat
import subprocess
import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from api.demo import centre
from api.key_folder import KeyFolder
from api.pin_desk import DOOR, PinCounter, PinDesk, pin_door
from dossiers import issuance
from dossiers.before_signing import before_signing
from dossiers.types import KeyHeld, PinAsked
from signing import pkcs11
from signing.locators import TokenKey
from signing.pin import Pin
from signing.types import PinRefused, SigningRefused
from tests.conftest import _database as database
from tests.integration.conftest import bucket
from tests.integration.test_api_e_results import digitised_dossier, look, submitted
from tests.office import running_office
from tests.unit.test_signing_keys import self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.embedded.s3 import S3Access
    from dossiers.types import CertificateRecord
    from tests.office import Office
    from tests.softhsm import Shelf

LEADER = centre.LEADER
#: Typed nowhere else, so that finding it anywhere means that it leaked.
SECRET = "730519826"


@pytest.fixture(scope="module")
def office(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: str,
    migrated_template: str,
    s3_server: S3Access,
    softhsm: Shelf,
) -> Iterator[Office]:
    """An office whose leader signs with a token at the signing machine."""
    for dsn in database(postgres_server, template=migrated_template):
        with running_office(tmp_path_factory.mktemp("office"), dsn, bucket(s3_server)) as running:
            subject = next(s.subject.id for s in centre.SIGNERS if s.username == LEADER)
            softhsm.token("lanhdao", pin=SECRET)
            at = softhsm.put("lanhdao", softhsm.key_of(running.pki, subject), label="khóa ký", pin=SECRET)
            with running.services.begin() as work:
                kept = work.certificates.for_person(LEADER)
                work.certificates.keep(replace(kept, held=KeyHeld.PKCS11, locator=str(at), pin_asked=PinAsked.BATCH))
            yield running


@pytest.fixture(scope="module")
def dossier(office: Office) -> dict[str, Any]:
    return digitised_dossier(office)


@pytest.fixture(autouse=True)
def _nothing_left_open(office: Office) -> Iterator[None]:
    yield
    office.keys.pins.close()


def record_of(office: Office) -> CertificateRecord:
    with office.services.begin() as work:
        return work.certificates.for_person(LEADER)


def waiting(office: Office, dossier: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Submitted and read to the end."""
    found = [submitted(office, dossier) for _ in range(count)]
    for one in found:
        office.send(LEADER, f"/ket-qua/{one['id']}/da-doc", {"sha256": one["document_sha256"]})
    return found


def approve(office: Office, results: list[dict[str, Any]], pin: str = SECRET, **more: str) -> Any:
    form = {
        "van_ban": [f"{one['id']}:{one['document_sha256']}" for one in results],
        "password": centre.PASSWORD,
        "pin": pin,
        "dot": str(uuid.uuid4()),
    }
    return office.send(LEADER, "/ket-qua/duyet", form | more)


def states(office: Office, results: list[dict[str, Any]]) -> list[str]:
    return [look(office, one)["state"]["code"] for one in results]


def said(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_one_pin_signs_a_batch_and_is_gone_afterwards(office: Office, dossier: dict[str, Any]) -> None:
    results = waiting(office, dossier, 3)
    card = office.send(LEADER, "/ket-qua/duyet/xem", {"chon": [one["id"] for one in results]})
    assert "Ký và phát hành 3 văn bản?" in card.text
    assert 'name="pin"' in card.text

    page = approve(office, results)
    assert "Đã phát hành 0/3" in page.text
    assert "còn 3" in page.text
    office.work_off()

    assert states(office, results) == ["issued"] * 3
    done = office.open(LEADER, page.url.path)
    assert "Đã phát hành 3/3" in done.text
    assert not office.keys.pins._batches, "the key is closed with the last signature"
    with pytest.raises(SigningRefused) as refused:
        office.keys.open(record_of(office), subject=UUID(results[0]["id"]), sha256=results[0]["document_sha256"])
    assert refused.value.reason == "pin_needed"


def test_a_wrong_pin_approves_nothing_and_is_presented_once(office: Office, dossier: dict[str, Any]) -> None:
    results = waiting(office, dossier, 2)
    page = approve(office, results, pin="111111")
    assert page.status_code == 422
    assert "Mã PIN không đúng" in page.text
    assert "Ký và phát hành 2 văn bản?" in page.text, "the form is there again"
    assert "lần gõ mã PIN gần nhất sai" in page.text
    assert states(office, results) == ["submitted"] * 2
    none = approve(office, results, pin="")
    assert none.status_code == 422
    assert "Cần gõ lại mã PIN" in none.text
    wrong_password = approve(office, results, password="sai")
    assert wrong_password.status_code == 401
    assert states(office, results) == ["submitted"] * 2
    assert not office.keys.pins._batches
    approve(office, results)
    office.work_off()
    assert states(office, results) == ["issued"] * 2


def test_the_pin_opens_the_key_for_exactly_what_was_approved(office: Office, dossier: dict[str, Any]) -> None:
    first, second = waiting(office, dossier, 2)
    record = record_of(office)
    office.services.pins.open(record, {UUID(first["id"]): first["document_sha256"]}, SECRET)
    for subject, sha256 in ((second["id"], second["document_sha256"]), (first["id"], second["document_sha256"])):
        with pytest.raises(SigningRefused) as refused:
            office.keys.open(record, subject=UUID(subject), sha256=sha256)
        assert refused.value.reason == "pin_needed"
    office.keys.open(record, subject=UUID(first["id"]), sha256=first["document_sha256"])
    office.services.pins.drop([UUID(first["id"])])
    assert not office.keys.pins._batches


def test_what_a_dead_worker_left_waits_for_the_pin_and_nothing_is_signed_twice(
    office: Office, dossier: dict[str, Any]
) -> None:
    results = waiting(office, dossier, 3)
    page = approve(office, results)
    _sign_one(office, results[0])
    office.keys.pins.close()  # the worker died: its memory is gone, the jobs come back
    office.work_off()

    assert states(office, results) == ["issued", "approved", "approved"]
    with office.services.begin() as work:
        steps = [work.e_results.for_job(UUID(one["id"])).next_step() for one in results[1:]]
    assert [(step.code, step.role) for step in steps if step] == [("type_pin", "leader")] * 2
    batch = office.open(LEADER, page.url.path)
    assert "Cần gõ lại mã PIN để ký tiếp 2 văn bản" in said(batch)
    assert "2 văn bản đã duyệt chờ bạn gõ lại mã PIN" in said(office.open(LEADER, "/ket-qua"))
    assert "Ký tiếp 2 văn bản đã duyệt?" in office.open(LEADER, "/ket-qua/go-pin").text

    wrong = office.send(LEADER, "/ket-qua/go-pin", {"pin": "000000"})
    assert wrong.status_code == 422
    again = office.send(LEADER, "/ket-qua/go-pin", {"pin": SECRET})
    assert "Đã phát hành 0/2" in again.text
    office.work_off()
    assert states(office, results) == ["issued"] * 3
    assert [_made(office, one) for one in results] == [1, 1, 1]
    assert "Không có gì chờ mã PIN" in office.open(LEADER, "/ket-qua/go-pin").text


def _sign_one(office: Office, result: dict[str, Any]) -> None:
    issuance.sign(office.services.signing_desk(office.keys), UUID(result["id"]), issuance.Place.LEADER)


def _made(office: Office, result: dict[str, Any]) -> int:
    with office.services.begin() as work:
        return sum(
            line.event == "e_result.made" and line.detail["place"] == "leader"
            for line in work.audit.of(UUID(result["id"]))
        )


def test_stopping_finishes_the_one_at_work_and_gives_back_the_rest(office: Office, dossier: dict[str, Any]) -> None:
    results = waiting(office, dossier, 3)
    page = approve(office, results)
    _sign_one(office, results[0])
    stopped = office.send(LEADER, f"{page.url.path}/dung")
    assert "Đã dừng" in stopped.text
    office.work_off()
    assert states(office, results) == ["issued", "submitted", "submitted"]
    assert not office.keys.pins._batches
    office.send(LEADER, f"{page.url.path}/dung")
    left = office.open(LEADER, page.url.path).text
    assert "đã dừng trước khi ký" in left
    assert re.findall(r'<input type="hidden" name="chon" value="([^"]+)"', left) == [one["id"] for one in results[1:]]
    assert "Duyệt lại 2 văn bản" in left
    approve(office, results)  # what was stopped can be approved again, and what was signed isn't
    office.work_off()
    assert states(office, results) == ["issued"] * 3
    assert [_made(office, one) for one in results] == [1, 1, 1]


def test_a_form_sent_twice_approves_once_and_presents_no_pin(office: Office, dossier: dict[str, Any]) -> None:
    results = waiting(office, dossier, 2)
    batch = str(uuid.uuid4())
    first = approve(office, results, dot=batch)
    second = approve(office, results, dot=batch, pin="000000")
    assert second.url.path == first.url.path
    office.work_off()
    third = approve(office, results, pin="000000")  # another form over the same: nothing is left to sign
    assert third.status_code == 200
    assert not pkcs11.look(TokenKey.parse(record_of(office).locator)).failed_before
    assert [_made(office, one) for one in results] == [1, 1]


def test_one_that_fails_fails_alone_with_its_reason(office: Office, dossier: dict[str, Any]) -> None:
    good, changed = waiting(office, dossier, 2)
    stale = dict(changed, document_sha256="0" * 64)
    page = approve(office, [good, stale])
    office.work_off()
    assert states(office, [good, changed]) == ["issued", "submitted"]
    assert "đã thay đổi sau khi bạn đọc" in office.open(LEADER, page.url.path).text
    assert not office.keys.pins._batches


def test_a_device_that_asks_for_every_signature_is_approved_one_at_a_time(
    office: Office, dossier: dict[str, Any]
) -> None:
    record = record_of(office)
    with office.services.begin() as work:
        work.certificates.keep(replace(record, pin_asked=PinAsked.SIGNATURE))
    try:
        results = waiting(office, dossier, 2)
        card = office.send(LEADER, "/ket-qua/duyet/xem", {"chon": [one["id"] for one in results]})
        assert "duyệt riêng" in card.text
        assert 'name="pin"' not in card.text
        with pytest.raises(SigningRefused):
            office.services.pins.open(record, {UUID(one["id"]): one["document_sha256"] for one in results}, SECRET)
        single = {"sha256": results[0]["document_sha256"], "password": centre.PASSWORD, "pin": SECRET}
        assert office.send(LEADER, f"/ket-qua/{results[0]['id']}/duyet", single).status_code == 200
    finally:
        with office.services.begin() as work:
            work.certificates.keep(record)


def test_a_silent_signing_machine_is_told_and_nothing_approved(office: Office, dossier: dict[str, Any]) -> None:
    (result,) = waiting(office, dossier, 1)
    door = office.services.keys_folder / DOOR
    door.rename(door.with_suffix(".away"))
    try:
        page = approve(office, [result])
    finally:
        door.with_suffix(".away").rename(door)
    assert page.status_code == 422
    assert "Máy ký không chạy" in page.text
    assert states(office, [result]) == ["submitted"]


def test_a_certificate_that_cannot_sign_is_told_before_the_pin(office: Office, dossier: dict[str, Any]) -> None:
    record = record_of(office)
    with office.services.begin() as work:
        work.certificates.keep(replace(record, der=_untrusted(office)))
    try:
        (result,) = waiting(office, dossier, 1)
        listed = office.open(LEADER, "/ket-qua")
        card = office.open(LEADER, f"/ket-qua/duyet?chon={result['id']}")
        page = approve(office, [result])
    finally:
        with office.services.begin() as work:
            work.certificates.keep(record)
    for shown in (listed, card, page):
        assert "Chưa ký được văn bản nào" in shown.text
    assert 'name="pin"' not in card.text
    assert states(office, [result]) == ["submitted"]


def _untrusted(office: Office) -> bytes:
    """The leader's certificate as it would be from an authority nobody here trusts: refused before any PIN."""
    return self_signed(ec.generate_private_key(ec.SECP256R1()), name=record_of(office).subject)


def test_a_status_nobody_tells_is_a_warning_before_the_pin(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    with office.services.begin() as work:
        actor = work.accounts.of(LEADER).actor
        known = before_signing(work, actor.username, actor.agency, now=datetime.now(UTC))
        monkeypatch.setattr(work.trust, "crls", tuple)  # as before the first list was fetched
        unknown = before_signing(work, actor.username, actor.agency, now=datetime.now(UTC))
        elsewhere = before_signing(work, actor.username, "another", now=datetime.now(UTC))
        nobody = before_signing(work, "nobody", actor.agency, now=datetime.now(UTC))
    assert (known.refusal, known.is_known, known.asks_pin) == ("", True, True)
    assert known.days_left > 300
    assert (unknown.refusal, unknown.is_known) == ("", False)
    assert elsewhere.refusal == "wrong_certificate"
    assert nobody.refusal == "certificate_missing"


# --- where the PIN is not ---------------------------------------------------------------------------------------------


def test_the_pin_is_in_no_database_log_file_or_object_once_the_batch_is_done(
    office: Office, dossier: dict[str, Any], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    results = waiting(office, dossier, 2)
    approve(office, results)
    with pytest.raises(PinRefused) as refused:
        office.services.pins.open(record_of(office), {uuid.uuid4(): "0" * 64}, SECRET[::-1])
    assert SECRET[::-1] not in repr(refused.value) + str(refused.value.__context__)
    office.work_off()
    assert states(office, results) == ["issued"] * 2

    dump = subprocess.run(
        [_pg_dump(), "--data-only", "--inserts", office.services.dsn], check=True, capture_output=True, env=_libpq()
    ).stdout
    assert b"e_results" in dump
    assert SECRET.encode() not in dump
    assert SECRET not in "".join(capfd.readouterr()) + caplog.text
    folder = office.services.keys_folder
    assert not [file for file in folder.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]
    gc.collect()
    held = [
        thing
        for holder in gc.get_objects()
        if isinstance(holder, (dict, list, tuple, set)) and holder is not globals()
        for thing in (holder.values() if isinstance(holder, dict) else holder)
        if isinstance(thing, (bytearray, Pin)) and SECRET.encode() in bytes(getattr(thing, "_held", thing))
    ]
    assert held == []


def _libpq() -> dict[str, str]:
    return dict(os.environ)


def _pg_dump() -> str:
    return str(max(Path("/usr/lib/postgresql").glob("*/bin/pg_dump")))


def test_the_door_is_closed_to_others_and_long_folders_are_no_trouble(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / ("k" * 100) / ("h" * 100)
    pins = PinDesk(folder)
    with pin_door(folder, pins, office.services.begin, in_own_process=False):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / DOOR).stat().st_mode) == 0o600
        assert PinCounter(folder).look(record_of(office)).trouble == ""
        for strange in (b"", b"\xff" * 6, b"\0\0\0\x02\0\0[]", b"\0\0\0\x02\0\0{}", b"GET / HTTP/1.1\r\n\r\n"):
            _knock(folder, strange)
        assert PinCounter(folder).look(record_of(office)).trouble == "", "still answering"
    assert not (folder / DOOR).exists()
    folder.chmod(0o755)
    with pytest.raises(PermissionError), pin_door(folder, pins, office.services.begin, in_own_process=False):
        pass


def _knock(folder: Path, words: bytes) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(f"/proc/self/fd/{descriptor}/{DOOR}")
            line.sendall(words)
            line.shutdown(socket.SHUT_WR)
            line.settimeout(20)
            with contextlib.suppress(ConnectionResetError):
                line.recv(100)
    finally:
        os.close(descriptor)


def test_another_user_gets_no_answer(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that needs a second user: the kernel names somebody else."""
    monkeypatch.setattr("api.pin_desk.peer_uid", lambda _: os.geteuid() + 1)
    assert office.services.pins.look(record_of(office)).trouble == "signer_silent"


def test_a_batch_is_closed_after_a_time_limit(office: Office) -> None:
    now = [0.0]
    pins = PinDesk(office.services.keys_folder, clock=lambda: now[0])
    record, subject = record_of(office), uuid.uuid4()
    pins.open(record, {subject: "0" * 64}, Pin(SECRET.encode()))
    now[0] = 500.0
    pins.key(record, subject, "0" * 64)  # in use: it stays
    now[0] = 1000.0
    pins.key(record, subject, "0" * 64)
    now[0] = 1700.0
    with pytest.raises(SigningRefused):
        pins.key(record, subject, "0" * 64)
    pins.open(record, {subject: "0" * 64}, Pin(SECRET.encode()))
    for moment in range(1700, 5301, 400):
        now[0] = float(moment)
        pins.key(record, subject, "0" * 64)
    now[0] = 5400.0
    with pytest.raises(SigningRefused):
        pins.key(record, subject, "0" * 64)


def test_a_pin_that_lies_in_a_file_and_is_wrong_is_presented_once(office: Office, tmp_path: Path) -> None:
    record = replace(record_of(office), pin_asked=PinAsked.NEVER, key_file="seal.cer")
    kept = tmp_path / "seal.cer.pass"
    kept.write_bytes(b"222222")
    kept.chmod(0o600)
    at = TokenKey.parse(record.locator)
    for worker in (KeyFolder(tmp_path), KeyFolder(tmp_path)):
        with pytest.raises(PinRefused):
            worker.open(record, subject=uuid.uuid4(), sha256="0" * 64)
        if worker is not None and pkcs11.look(at).failed_before:
            with pkcs11.Token(at, Pin(SECRET.encode())):
                pass  # clears the token's memory: a second try would set it again
    assert not pkcs11.look(at).failed_before
    kept.write_bytes(SECRET.encode())
    worker = KeyFolder(tmp_path)
    worker.open(record, subject=uuid.uuid4(), sha256="0" * 64)
    worker.close()


def test_a_signing_worker_leaves_no_core_dump() -> None:
    program = (
        "import resource, ctypes, api.pin_desk as p; p.forbid_dumps(); "
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert told.split() == ["(0,", "0)", "0"]
