"""Files from counters through the API: in parts, resumed, compared, laid into their dossier or the inbox."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from api.demo import centre
from dossiers import desks, parcels
from tests.papers import scan_pdf

if TYPE_CHECKING:
    import httpx2

    from tests.office import Office

TUS = {"tus-resumable": "1.0.0"}
OFFSET = {"content-type": "application/offset+octet-stream"}


def a_scan(pages: int = 2) -> bytes:
    return scan_pdf(*(f"Trang {number} {uuid.uuid4()}" for number in range(1, pages + 1)))


def draft(office: Office, who: str = centre.CLERK) -> dict[str, Any]:
    body = {"procedure": "2.000908", "applicant": {"name": "Nguyễn Thị Thử"}}
    answer = office.ask(who, "POST", "/dossiers", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def metadata(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def announce(office: Office, scan: bytes, who: str = centre.CLERK, **said: str) -> httpx2.Response:
    said = {"filename": "to khai.pdf", **said}
    headers = {**TUS, "upload-length": str(len(scan)), "upload-metadata": metadata(**said)}
    return office.ask(who, "POST", "/parcels", headers=headers)


def begun(office: Office, scan: bytes, who: str = centre.CLERK, **said: str) -> str:
    answer = announce(office, scan, who, **said)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].removeprefix("/api/v1")


def send(office: Office, where: str, part: bytes, start: int, who: str = centre.CLERK, **more: str) -> httpx2.Response:
    headers = {**TUS, **OFFSET, "upload-offset": str(start), **more}
    return office.ask(who, "PATCH", where, content=part, headers=headers)


def arrived(office: Office, where: str, who: str = centre.CLERK) -> int:
    answer = office.ask(who, "HEAD", where, headers=TUS)
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


def receipt(office: Office, where: str, who: str = centre.CLERK) -> dict[str, Any]:
    answer = office.ask(who, "GET", where)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def checksum(part: bytes, algorithm: str = "sha256") -> str:
    digest = hashlib.new(algorithm, part, usedforsecurity=False).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


def papers(office: Office, dossier: dict[str, Any], who: str = centre.CLERK) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.ask(who, "GET", f"/dossiers/{dossier['id']}").json()["components"]
    return found


def test_a_file_that_came_in_three_parts_is_one_paper_with_a_receipt(office: Office) -> None:
    dossier, scan = draft(office), a_scan(pages=3)
    where = begun(office, scan, dossier=dossier["id"], kind="DN", pages_declared="3")

    third = len(scan) // 3
    assert send(office, where, scan[:third], 0).headers["upload-offset"] == str(third)
    assert arrived(office, where) == third
    assert send(office, where, scan[third : 2 * third], third).status_code == 204
    last = send(office, where, scan[2 * third :], 2 * third)

    assert (last.status_code, last.headers["upload-offset"]) == (204, str(len(scan)))
    told = receipt(office, where)
    assert (told["state"]["code"], told["pages"], told["dossier"]) == ("taken", 3, dossier["code"])
    assert told["sha256"] == hashlib.sha256(scan).hexdigest()
    (paper,) = papers(office, dossier)
    assert (paper["id"], paper["kind"], paper["pages_declared"]) == (told["component_id"], "DN", 3)


def test_the_same_announcement_finds_the_parcel_that_was_lost_from_sight(office: Office) -> None:
    dossier, scan = draft(office), a_scan()
    said = {"dossier": dossier["id"], "sha256": hashlib.sha256(scan).hexdigest()}
    where = begun(office, scan, **said)
    send(office, where, scan[:1000], 0)

    again = announce(office, scan, **said)

    assert again.headers["location"].endswith(where)
    assert again.headers["upload-offset"] == "1000"
    assert begun(office, scan, **said, kind="DN") != where, "meant as another paper, it is another parcel"


def test_a_part_out_of_place_is_refused_and_the_right_place_told(office: Office) -> None:
    scan = a_scan()
    where = begun(office, scan)
    send(office, where, scan[:500], 0)

    for start, part in ((0, scan[:500]), (400, scan[400:600]), (600, scan[600:700]), (500, scan[500:] + b"more")):
        answer = send(office, where, part, start)
        assert (answer.status_code, answer.json()["code"]) == (409, "part_out_of_place")
        assert answer.json()["arrived"] == 500
    assert arrived(office, where) == 500


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_a_damaged_part_is_not_kept(office: Office, algorithm: str) -> None:
    scan = a_scan()
    where = begun(office, scan)
    damaged = bytes([scan[0] ^ 1]) + scan[1:800]

    answer = send(office, where, damaged, 0, **{"upload-checksum": checksum(scan[:800], algorithm)})

    assert (answer.status_code, answer.json()["code"]) == (460, "part_damaged")
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert arrived(office, where) == 0
    assert send(office, where, scan[:800], 0, **{"upload-checksum": checksum(scan[:800], algorithm)}).status_code == 204
    assert arrived(office, where) == 800


def test_what_isnt_the_file_that_was_announced_is_sent_again_from_its_beginning(office: Office) -> None:
    dossier, scan = draft(office), a_scan()
    where = begun(office, scan, dossier=dossier["id"], sha256=hashlib.sha256(scan).hexdigest())
    damaged = scan[:700] + bytes([scan[700] ^ 1]) + scan[701:]

    answer = send(office, where, damaged, 0)

    assert (answer.status_code, answer.json()["code"]) == (409, "parcel_spoiled")
    assert papers(office, dossier) == []
    assert arrived(office, where) == 0
    assert send(office, where, scan, 0).status_code == 204
    assert receipt(office, where)["state"]["code"] == "taken"


def test_bytes_that_are_there_already_are_told_where_and_not_taken_twice(office: Office) -> None:
    dossier, scan = draft(office), a_scan()
    for _ in range(2):
        where = begun(office, scan, dossier=dossier["id"])
        assert send(office, where, scan, 0).status_code == 204

    told = receipt(office, where)
    assert (told["trouble"], told["ordinal"], told["dossier"]) == ("duplicate", 1, dossier["code"])
    assert len(papers(office, dossier)) == 1


def test_while_the_store_is_away_nothing_is_called_received_and_nothing_has_to_be_sent_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dossiers.ports import StoreUnavailable

    dossier, scan = draft(office), a_scan()
    where = begun(office, scan, dossier=dossier["id"])

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("a fault of this test's making")

    with monkeypatch.context() as fault:
        fault.setattr(type(office.services.store), "put", away)
        assert send(office, where, scan, 0).status_code == 503
    assert arrived(office, where) == len(scan)
    assert receipt(office, where)["state"]["code"] == "coming"

    assert send(office, where, b"", len(scan)).status_code == 204
    assert receipt(office, where)["state"]["code"] == "taken"


def test_a_file_that_is_no_scan_is_refused_with_its_reason(office: Office) -> None:
    scan = b"MZ this is a program" * 40
    where = begun(office, scan)

    answer = send(office, where, scan, 0)

    assert (answer.status_code, answer.json()["reason"]) == (422, "wrong_type")
    told = receipt(office, where)
    assert (told["state"]["code"], told["trouble"]) == ("refused", "wrong_type")
    assert send(office, where, b"", len(scan)).status_code == 204, "asking again changes nothing"


def test_another_agency_sees_no_parcel_and_sends_into_no_dossier_of_ours(office: Office) -> None:
    dossier, scan = draft(office), a_scan()
    where = begun(office, scan)

    stranger = "motcua.coto"
    assert office.ask(stranger, "HEAD", where, headers=TUS).status_code == 404
    assert send(office, where, scan, 0, stranger).status_code == 404
    assert announce(office, scan, stranger, dossier=dossier["id"]).status_code == 404
    assert announce(office, scan, "").status_code == 401
    assert announce(office, scan, centre.LEADER).status_code == 403


def test_a_client_of_another_protocol_is_told_so(office: Office) -> None:
    where = begun(office, a_scan())

    assert office.ask("", "OPTIONS", "/parcels").headers["tus-version"] == "1.0.0"
    assert office.ask(centre.CLERK, "HEAD", where).status_code == 412
    assert office.ask(centre.CLERK, "PATCH", where, content=b"x", headers=TUS).status_code == 412
    crc = send(office, where, b"x", 0, **{"upload-checksum": "crc32 AAAA"})
    assert (crc.status_code, crc.json()["code"]) == (412, "unknown_upload_protocol")
    bad = {**TUS, "upload-length": "5", "upload-metadata": "filename !!!"}
    assert office.ask(centre.CLERK, "POST", "/parcels", headers=bad).status_code == 400
    for length in ("", "-1", "1e3"):
        bad = {**TUS, "upload-length": length}
        assert office.ask(centre.CLERK, "POST", "/parcels", headers=bad).status_code == 422
    bad = {**TUS, "upload-length": str(10**14)}
    assert office.ask(centre.CLERK, "POST", "/parcels", headers=bad).status_code == 413
    assert announce(office, b"").json()["reason"] == "empty"


def test_a_parcel_may_be_called_off_until_it_is_whole(office: Office) -> None:
    scan = a_scan()
    where = begun(office, scan)
    send(office, where, scan[:300], 0)

    assert office.ask(centre.CLERK, "DELETE", where, headers=TUS).status_code == 204
    assert office.ask(centre.CLERK, "HEAD", where, headers=TUS).status_code == 404
    where = begun(office, scan)
    send(office, where, scan, 0)
    assert office.ask(centre.CLERK, "DELETE", where, headers=TUS).status_code == 409


# --- machines at the counter


def paired(office: Office, name: str = "Quầy 3", who: str = centre.CLERK) -> tuple[desks.Desk, str]:
    from api.wiring import utc_now

    actor = person(office, who)
    desk, code = desks.announce(office.services.begin, name, by=actor, now=utc_now())
    answer = office.ask("", "POST", "/desks/pair", json={"code": code})
    assert answer.status_code == 201, answer.text
    assert office.ask("", "POST", "/desks/pair", json={"code": code}).status_code == 404, "once only"
    return desk, answer.json()["token"]


def person(office: Office, who: str) -> Any:
    with office.services.begin() as work:
        return work.accounts.of(who).actor


def by_desk(office: Office, token: str, scan: bytes, **said: str) -> dict[str, Any]:
    bearer = {"authorization": f"Bearer {token}"}
    headers = {**TUS, **bearer, "upload-length": str(len(scan)), "upload-metadata": metadata(**said)}
    where = office.ask("", "POST", "/parcels", headers=headers).headers["location"].removeprefix("/api/v1")
    assert send(office, where, scan, 0, "", **bearer).status_code == 204
    found: dict[str, Any] = office.ask("", "GET", where, headers=bearer).json()
    return found


def test_a_paired_machine_sends_into_the_dossier_its_files_name(office: Office) -> None:
    _, token = paired(office)
    dossier = draft(office)

    told = by_desk(office, token, a_scan(), filename=f"{dossier['code']} DN.pdf")
    in_folder = by_desk(office, token, a_scan(), filename="IMG_0001.PDF", folder=f"hôm nay/{dossier['code'].lower()}")

    assert (told["dossier"], in_folder["dossier"]) == (dossier["code"], dossier["code"])
    kinds = {paper["ordinal"]: paper["kind"] for paper in papers(office, dossier)}
    assert kinds == {told["ordinal"]: "DN", in_folder["ordinal"]: ""}


def test_what_names_no_dossier_waits_in_the_inbox_until_a_clerk_attaches_it(office: Office) -> None:
    _, token = paired(office)
    dossier = draft(office)

    told = by_desk(office, token, a_scan(), filename="Scan_0042.pdf")

    assert (told["state"]["code"], told["dossier"]) == ("waiting", None)
    inbox = parcels.waiting(office.services.begin, by=person(office, centre.CLERK))
    assert told["id"] in {str(parcel.id) for parcel in inbox}
    where = f"/parcels/{told['id']}/attach"
    attached = office.ask(centre.CLERK, "POST", where, json={"dossier": dossier["code"], "kind": "DN"})
    assert (attached.status_code, attached.json()["dossier"]) == (200, dossier["code"])
    assert attached.json()["sha256"] == told["sha256"]
    assert papers(office, dossier)[0]["id"] == attached.json()["component_id"]
    again = office.ask(centre.CLERK, "POST", where, json={"dossier": dossier["code"]})
    assert again.status_code == 409


def test_a_name_with_a_wrong_or_closed_dossier_loses_nothing_and_says_why(office: Office) -> None:
    _, token = paired(office)
    closed = draft(office)
    body = {"state": "cancelled", "reason": "người nộp rút hồ sơ"}
    assert office.ask(centre.CLERK, "POST", f"/dossiers/{closed['id']}/close", json=body).status_code == 200

    unknown = by_desk(office, token, a_scan(), filename="000.00.01.H49-200101-9999.pdf")
    late = by_desk(office, token, a_scan(), filename=f"{closed['code']}.pdf")

    assert (unknown["state"]["code"], unknown["trouble"]) == ("waiting", "dossier_unknown")
    assert (late["state"]["code"], late["trouble"]) == ("waiting", "dossier_closed")


def test_a_machine_sends_scans_and_can_do_nothing_else_and_nothing_once_revoked(office: Office) -> None:
    from api.wiring import utc_now

    desk, token = paired(office)
    bearer = {"authorization": f"Bearer {token}"}

    assert office.ask("", "GET", "/session", headers=bearer).status_code == 401
    assert office.ask("", "GET", "/dossiers", headers=bearer).status_code == 401
    waits = by_desk(office, token, a_scan(), filename="scan.pdf")
    attach = {"dossier": draft(office)["code"]}
    assert office.ask("", "POST", f"/parcels/{waits['id']}/attach", json=attach, headers=bearer).status_code == 401
    desks.revoke(office.services.begin, desk.id, by=person(office, centre.CLERK), now=utc_now())

    headers = {**TUS, **bearer, "upload-length": "9"}
    assert office.ask("", "POST", "/parcels", headers=headers).status_code == 401


def test_a_set_aside_parcel_keeps_its_bytes_and_leaves_the_inbox(office: Office) -> None:
    from api.wiring import utc_now

    _, token = paired(office)
    scan = a_scan()
    told = by_desk(office, token, scan, filename="thử máy.pdf")
    clerk = person(office, centre.CLERK)

    parcel = parcels.set_aside(
        office.services.begin, uuid.UUID(told["id"]), by=clerk, reason="trang thử máy", now=utc_now()
    )

    assert parcel.file is not None
    with office.services.store.open(parcel.file) as stream:
        assert stream.read() == scan
    assert parcel.id not in {one.id for one in parcels.waiting(office.services.begin, by=clerk)}
