"""Digest out, signature in, by the API: the key stays on its owner's device, and only the right signature counts."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils
from cryptography.hazmat.primitives.serialization import pkcs12

from api.demo import centre
from dossiers.own_token import LASTS, MOST_REFUSALS
from storage.signing_links import PostgresSigningLinks
from tests.conftest import _database
from tests.integration.conftest import bucket
from tests.integration.test_api_e_results import (
    SEAL_KEEPER,
    approve,
    digitised_dossier,
    document,
    look,
    ok,
    submitted,
    verify,
)
from tests.office import Office, onto_own_token, running_office, seal_onto_own_token
from tests.softhsm import MODULE, PIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from api.embedded.s3 import S3Access
    from tests.softhsm import Shelf

OTHERS_LEADER = "giamdoc.coto"
LEADER_SUBJECT = centre.LEADER.replace(".", "-")


@dataclass
class Desk:
    """An office whose leader's device signs hashes, and a dossier to decide."""

    office: Office
    dossier: dict[str, Any] = field(default_factory=dict)

    def waiting(self) -> dict[str, Any]:
        """A result that the leader has approved and is to sign."""
        result = submitted(self.office, self.dossier)
        ok(approve(self.office, result))
        return look(self.office, result)

    def digest(self, result: dict[str, Any], who: str = centre.LEADER, **asked: str) -> dict[str, Any]:
        answer = self.office.ask(who, "POST", f"/e-results/{result['id']}/digests", json=asked)
        assert answer.headers["cache-control"] == "no-store"
        return ok(answer)

    def send(self, digest: dict[str, Any], signature: bytes, who: str = centre.LEADER) -> Any:
        path = f"/e-results/{digest['e_result_id']}/digests/{digest['token']}"
        return self.office.ask(who, "POST", path, json={"signature": base64.b64encode(signature).decode()})

    def device(self, digest: dict[str, Any], subject: str = LEADER_SUBJECT) -> bytes:
        """What a token does: it is given a digest and knows nothing of PDF."""
        p12, passphrase = self.office.pki.trust.p12(subject)
        key: Any = pkcs12.load_pkcs12(p12.read_bytes(), passphrase.read_bytes().strip()).key
        how: Any = padding.PKCS1v15()
        if digest["algorithm"] == "rsassa_pss":
            how = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        signed: bytes = key.sign(base64.b64decode(digest["digest"]), how, utils.Prehashed(hashes.SHA256()))
        return signed

    def events(self, result: dict[str, Any]) -> list[str]:
        with self.office.services.begin() as work:
            return [line.event for line in work.audit.of(UUID(result["id"]))]


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str, migrated_template: str, s3_server: S3Access
) -> Iterator[Desk]:
    for dsn in _database(postgres_server, template=migrated_template):
        with running_office(tmp_path_factory.mktemp("digests"), dsn, bucket(s3_server)) as office:
            onto_own_token(office, centre.LEADER)
            yield Desk(office, digitised_dossier(office))


@pytest.mark.parametrize("asked", ["pss", "pkcs1"])
def test_a_signature_made_on_the_leaders_device_ends_in_an_issued_genuine_result(desk: Desk, asked: str) -> None:
    result = desk.waiting()
    sent = document(desk.office, result)

    digest = desk.digest(result, padding=asked)

    assert digest["algorithm"] == {"pss": "rsassa_pss", "pkcs1": "sha256_rsa"}[asked]
    assert digest["document_sha256"] == hashlib.sha256(sent).hexdigest()
    assert base64.b64decode(digest["digest"]) == hashlib.sha256(base64.b64decode(digest["data"])).digest()
    assert "Đặng Quốc Vỹ" in digest["certificate"]["subject"]
    assert look(desk.office, result)["next_step"]["code"] == "sign_with_token", "nothing is signed yet"

    ok(desk.send(digest, desk.device(digest)))
    assert look(desk.office, result)["next_step"]["code"] == "await_timestamp"
    desk.office.work_off()

    issued = look(desk.office, result)
    assert issued["state"]["code"] == "issued", issued["trouble"]
    pdf = document(desk.office, result)
    assert pdf.startswith(sent)
    verdict = verify(desk.office, pdf)
    assert (verdict["verdict"], verdict["in_force"]) == ("genuine", True)
    assert [s["field"] for s in verdict["signatures"]] == ["HoSoSo_NguoiKy", "HoSoSo_CoQuan"]


def test_a_key_that_never_leaves_its_token_signs(desk: Desk, softhsm: Shelf) -> None:
    """The leader's key lies in SoftHSM; outside, a plug-in gives it the digest and sends what comes back."""
    softhsm.token("lanh-dao")
    softhsm.put("lanh-dao", softhsm.key_of(desk.office.pki, LEADER_SUBJECT), label="ky so")
    result = desk.waiting()
    digest = desk.digest(result)

    token = pkcs11.lib(MODULE).get_token(token_label="lanh-dao")
    with token.open(user_pin=PIN) as session:
        key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label="ky so")
        signature = key.sign(
            base64.b64decode(digest["digest"]),
            mechanism=pkcs11.Mechanism.RSA_PKCS_PSS,
            mechanism_param=(pkcs11.Mechanism.SHA256, pkcs11.MGF.SHA256, 32),
        )
    softhsm.lose("lanh-dao")

    ok(desk.send(digest, bytes(signature)))
    desk.office.work_off()
    assert look(desk.office, result)["state"]["code"] == "issued"
    assert verify(desk.office, document(desk.office, result))["verdict"] == "genuine"


def test_the_same_signature_sent_twice_is_done_once(desk: Desk) -> None:
    result = desk.waiting()
    digest = desk.digest(result)
    signature, other = desk.device(digest), desk.device(digest)
    assert signature != other, "PSS is salted"

    ok(desk.send(digest, signature))
    ok(desk.send(digest, signature))
    desk.office.work_off()
    ok(desk.send(digest, signature))

    assert desk.events(result).count("e_result.token_signed") == 1
    assert look(desk.office, result)["state"]["code"] == "issued"
    another = desk.send(digest, other)
    assert (another.status_code, another.json()["reason"]) == (410, "link_used")


def test_what_is_not_the_expected_signature_moves_nothing_and_the_right_one_may_still_come(desk: Desk) -> None:
    result = desk.waiting()
    digest, elsewhere = desk.digest(result), desk.digest(desk.waiting())
    good = desk.device(digest)
    others = tool_of(OTHERS_LEADER)

    for wrong in (b"", b"\0" * 256, good[:-1], good[::-1], desk.device(elsewhere), desk.device(digest, others)):
        answer = desk.send(digest, wrong)
        assert (answer.status_code, answer.json()["reason"]) == (422, "signature_not_expected")
        assert "không thay đổi, vẫn an toàn" in answer.json()["message"]
    still = look(desk.office, result)
    assert (still["state"]["code"], still["next_step"]["code"]) == ("approved", "sign_with_token")
    assert still["document_sha256"] == result["document_sha256"]

    ok(desk.send(digest, good))


@pytest.mark.parametrize("sent", [{}, {"signature": "no base64!"}, {"signature": "A" * 5000}, {"signature": 7}])
def test_what_is_no_signature_at_all_is_told(desk: Desk, sent: dict[str, Any]) -> None:
    digest = desk.digest(desk.waiting())
    path = f"/e-results/{digest['e_result_id']}/digests/{digest['token']}"

    assert desk.office.ask(centre.LEADER, "POST", path, json=sent).status_code == 422


def test_only_the_one_who_is_to_sign_gets_a_digest_and_brings_a_signature(desk: Desk) -> None:
    result = desk.waiting()
    path = f"/e-results/{result['id']}/digests"
    assert desk.office.ask(centre.CLERK, "POST", path).status_code == 403
    assert desk.office.ask(SEAL_KEEPER, "POST", path).status_code == 403
    assert desk.office.ask(OTHERS_LEADER, "POST", path).status_code == 404
    assert desk.office.ask("", "POST", path).status_code == 401

    digest = desk.digest(result)
    signature = desk.device(digest)
    assert desk.send(digest, signature, centre.CLERK).status_code == 403
    assert desk.send(digest, signature, SEAL_KEEPER).status_code == 403
    assert desk.send(digest, signature, OTHERS_LEADER).status_code == 404
    assert desk.send(digest, signature, "").status_code == 401
    assert desk.send(digest | {"token": "x" * 43}, signature).json()["reason"] == "link_unknown"
    assert desk.send(digest | {"e_result_id": desk.waiting()["id"]}, signature).json()["reason"] == "link_unknown"
    ok(desk.send(digest, signature))


def test_a_token_of_a_digest_serves_no_document_and_the_other_way_round(desk: Desk) -> None:
    result = desk.waiting()
    digest = desk.digest(result)
    link = ok(desk.office.ask(centre.LEADER, "POST", f"/e-results/{result['id']}/signing-links"))

    assert desk.office.client.get(f"/api/v1/signing-links/{digest['token']}/a.pdf").json()["reason"] == "link_unknown"
    files = {"uploadfile": ("a.pdf", b"%PDF-", "application/pdf")}
    upload = desk.office.client.post(f"/api/v1/signing-links/{digest['token']}/signed", files=files)
    assert upload.json()["Status"] == 1
    token = link["upload_url"].split("/")[-2]
    assert desk.send(digest | {"token": token}, desk.device(digest)).json()["reason"] == "link_unknown"


def test_a_late_signature_and_one_for_a_document_taken_back_are_refused(desk: Desk) -> None:
    late, back = desk.waiting(), desk.waiting()
    of_late, of_back = desk.digest(late), desk.digest(back)
    with desk.office.services.begin() as work:
        kept = work.signing_links.lock(UUID(of_late["id"]))
        work.signing_links.keep(replace(kept, made_at=kept.made_at - LASTS, expires_at=kept.expires_at - 2 * LASTS))
    ok(desk.office.ask(centre.LEADER, "POST", f"/e-results/{back['id']}/return", json={"comment": "sửa tên"}))

    answers = [desk.send(digest, desk.device(digest)) for digest in (of_late, of_back)]

    assert [(a.status_code, a.json()["reason"]) for a in answers] == [(410, "link_expired"), (410, "link_moved_on")]
    assert [look(desk.office, r)["state"]["code"] for r in (late, back)] == ["approved", "draft"]


def test_a_digest_wears_out(desk: Desk) -> None:
    digest = desk.digest(desk.waiting())
    for _ in range(MOST_REFUSALS):
        desk.send(digest, b"wrong")

    assert desk.send(digest, desk.device(digest)).json()["reason"] == "link_worn_out"


def test_killed_before_the_commit_nothing_is_lost_and_nothing_doubled(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault put in: the process is gone after the signed file was stored, before the commit."""
    result = desk.waiting()
    digest = desk.digest(result)
    signature = desk.device(digest)

    def die(*_: Any, **__: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(PostgresSigningLinks, "keep", die)
        assert desk.send(digest, signature).status_code == 500
    assert look(desk.office, result)["next_step"]["code"] == "sign_with_token"

    ok(desk.send(digest, signature))
    desk.office.work_off()
    assert desk.events(result).count("e_result.token_signed") == 1
    assert look(desk.office, result)["state"]["code"] == "issued"


def test_the_seal_keepers_device_seals_the_same_way(tmp_path: Path, migrated_dsn: str, s3_server: S3Access) -> None:
    with running_office(tmp_path, migrated_dsn, bucket(s3_server)) as office:
        desk = Desk(office, digitised_dossier(office))
        seal_onto_own_token(office, centre.HONG_GAI)
        result = desk.waiting()
        office.work_off()
        assert look(office, result)["next_step"]["role"] == "seal_keeper"
        assert office.ask(centre.LEADER, "POST", f"/e-results/{result['id']}/digests").status_code == 403

        digest = desk.digest(result, SEAL_KEEPER)
        ok(desk.send(digest, desk.device(digest, f"con-dau-{centre.HONG_GAI.replace('.', '-')}"), SEAL_KEEPER))
        office.work_off()

        assert look(office, result)["state"]["code"] == "issued", look(office, result)["trouble"]
        assert verify(office, document(office, result))["verdict"] == "genuine"


def tool_of(username: str) -> str:
    """Under which name the trust service holds somebody's key."""
    return username.replace(".", "-")
