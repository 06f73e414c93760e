"""The hand-over to a telephone through its routes: who may, for how long; no picture is lost or counted twice."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from PIL import Image, ImageFilter

from api.demo import centre
from api.wiring import utc_now
from digitize import load
from dossiers import phone
from dossiers.parcels import MOST_PICTURES, ParcelState
from tests.papers import heic
from tests.scans import LETTER, as_bytes, on_a_table, sheet

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from dossiers.parcels import Parcel
    from tests.office import Office

TUS = {"tus-resumable": "1.0.0"}
PROCEDURE = "2.000908"


def photo(*, turned: int = 1) -> bytes:
    """A letter on a table, no two alike, as a camera writes it."""
    page = on_a_table(sheet((*LETTER, str(uuid.uuid4())), dpi=150))
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = turned
    image = Image.fromarray(page.pixels)
    if turned == 6:
        image = image.transpose(Image.Transpose.ROTATE_90)  # as the sensor saw it
    image.save(buffer, "JPEG", quality=85, exif=exif)
    return buffer.getvalue()


def draft(office: Office, who: str = centre.CLERK) -> str:
    body = {"procedure": PROCEDURE, "applicant": {"name": "Nguyễn Thị Thử"}}
    return str(office.ask(who, "POST", "/dossiers", json=body).json()["id"])


def handed_over(office: Office, dossier: str, who: str = centre.CLERK) -> str:
    """The secret that the counter's page shows."""
    page = office.send(who, f"/ho-so/{dossier}/dien-thoai")
    assert page.status_code == 200
    found = re.search(r"/chup/([a-z0-9-]+)<", page.text)
    assert found, page.text
    return found[1]


def sent(office: Office, token: str, picture: bytes, name: str = "image.jpg") -> httpx2.Response:
    """As a telephone without scripts sends it."""
    return office.send("", f"/chup/{token}/anh", files={"file": (name, picture, "image/jpeg")})


def done(office: Office, token: str, kind: str = "") -> httpx2.Response:
    return office.send("", f"/chup/{token}/xong", {"kind": kind})


def came(office: Office, dossier: str) -> list[Parcel]:
    with office.services.begin() as work:
        return list(work.parcels.pictures(uuid.UUID(dossier)))


def waiting(office: Office, dossier: str) -> list[Parcel]:
    return [parcel for parcel in came(office, dossier) if parcel.state is ParcelState.COLLECTED]


def papers(office: Office, dossier: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.ask(centre.CLERK, "GET", f"/dossiers/{dossier}").json()["components"]
    return found


def events(office: Office, *subjects: object) -> list[Any]:
    with office.services.begin() as work:
        return list(work.audit.of_all([str(one) for one in subjects]))


def as_it_came(office: Office, parcel: Parcel, folder: Path) -> bytes:
    assert parcel.file is not None
    target = folder / "picture"
    office.services.store.fetch(parcel.file, target)
    return target.read_bytes()


def test_pictures_become_one_paper_and_stay_as_they_came(office: Office, tmp_path: Path) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)
    kind = office.services.begin
    with kind() as work:
        row = work.procedures.of(PROCEDURE).components[0]
    first, second = photo(), photo(turned=6)

    assert "1 ảnh đã nhận" in sent(office, token, first).text
    assert "2 ảnh đã nhận" in sent(office, token, second).text
    assert [as_it_came(office, parcel, tmp_path) for parcel in waiting(office, dossier)] == [first, second]
    page = done(office, token, row.code)

    assert "Giấy này đã vào hồ sơ" in page.text
    assert row.name in page.text
    (paper,) = papers(office, dossier)
    assert (paper["kind"], paper["pages_total"]) == (row.code, 2)
    assert [parcel.state for parcel in came(office, dossier)] == [ParcelState.TAKEN] * 2
    with office.services.begin() as work:
        component = work.components.of(uuid.UUID(paper["id"]))
    assert component.scanned_by == centre.CLERK
    scan = tmp_path / "scan.pdf"
    office.services.store.fetch(component.scan, scan)
    assert first in scan.read_bytes()
    assert second in scan.read_bytes()
    upright = [load.page(scan, number) for number in (1, 2)]
    assert all(page.height_px > page.width_px and not page.dpi_is_stated for page in upright)
    told = events(office, dossier, component.id)
    assert [entry.actor for entry in told if entry.event == "phone.picture_received"] == [centre.CLERK] * 2
    assert {entry.event for entry in told} >= {"phone.handed_over", "phone.paper_made", "component.received"}
    assert token.replace("-", "") not in str([entry.detail for entry in told])


def test_one_picture_is_the_scan_itself(office: Office, tmp_path: Path) -> None:
    dossier = draft(office)
    token, picture = handed_over(office, dossier), photo()
    sent(office, token, picture)
    done(office, token)

    (paper,) = papers(office, dossier)
    with office.services.begin() as work:
        component = work.components.of(uuid.UUID(paper["id"]))
    assert component.scan.sha256 == hashlib.sha256(picture).hexdigest()
    assert component.filename.endswith(".jpg")


def test_a_photograph_in_a_pdf_is_cut_out_and_measured_like_one_alone(office: Office, tmp_path: Path) -> None:
    from digitize import parts, quality

    alone, other, bound = tmp_path / "1.jpg", tmp_path / "2.jpg", tmp_path / "bound.pdf"
    alone.write_bytes(photo())
    other.write_bytes(photo())
    parts.bind([alone, other], bound)

    seen = [quality.flags_of(load.page(alone, 1)), quality.flags_of(load.page(bound, 1))]
    assert seen[0].flags == seen[1].flags
    assert seen[0].measured["dpi"] == pytest.approx(seen[1].measured["dpi"], abs=1.0)
    again = tmp_path / "again.pdf"
    parts.bind([alone, other], again)
    assert again.read_bytes() == bound.read_bytes(), "work done twice stores once"


def test_the_same_picture_counts_once(office: Office) -> None:
    dossier = draft(office)
    token, picture = handed_over(office, dossier), photo()
    sent(office, token, picture)

    assert "đã nhận rồi; không tính lần nữa" in sent(office, token, picture, "again.jpg").text
    assert len(waiting(office, dossier)) == 1
    other = handed_over(office, dossier)
    assert "đã nhận rồi" in sent(office, other, picture).text
    done(office, token)
    assert "đã nhận rồi" in sent(office, token, picture).text
    assert len(papers(office, dossier)) == 1


@pytest.mark.parametrize("case", ["empty", "wrong type", "truncated", "pdf"])
def test_a_file_that_is_no_picture_is_refused_in_words_and_the_others_stay(office: Office, case: str) -> None:
    dossier = draft(office)
    token, picture = handed_over(office, dossier), photo()
    sent(office, token, picture)
    bad = {
        "empty": b"",
        "wrong type": b"MZ this is no picture",
        "truncated": picture[: len(picture) // 2],
        "pdf": as_bytes(sheet(), "PDF"),
    }[case]

    answer = sent(office, token, bad)

    assert answer.status_code == 422
    assert "trace" not in answer.text.lower() or "Mã theo dõi" in answer.text
    assert 'class="trouble"' in answer.text
    assert "1 ảnh đã nhận" in answer.text
    assert len(waiting(office, dossier)) == 1


def test_a_form_without_a_picture_and_one_too_large_are_told_so(office: Office) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)

    assert office.send("", f"/chup/{token}/anh", {"x": "y"}).status_code == 400
    nothing = office.send("", f"/chup/{token}/anh", files={"file": ("", b"", "application/octet-stream")})
    assert nothing.status_code in {400, 422}
    assert "Chụp giấy tờ" in nothing.text
    answer = sent(office, token, b"\xff\xd8\xff" + bytes(41 * 2**20))
    assert answer.status_code == 413
    assert "Mỗi ảnh nặng nhất 40 MB." in answer.text
    assert came(office, dossier) == []


def test_wrong_ended_expired_and_closed_addresses_each_get_one_clear_page(office: Office) -> None:
    dossier = draft(office)
    for path in ("/chup/abcd-efgh", "/chup/%00", "/chup/" + "x" * 3000, "/chup/abc/tinh-trang"):
        wrong = office.open("", path)
        assert (wrong.status_code, "Không chụp được ở đây nữa" in wrong.text) == (410, True)
    assert sent(office, "abcd", photo()).status_code == 410
    assert done(office, "abcd").status_code == 410

    token = handed_over(office, dossier)
    with office.services.begin() as work:
        (link,) = work.phone_links.open_of(uuid.UUID(dossier), now=utc_now())
    office.send(centre.CLERK, f"/ho-so/{dossier}/dien-thoai/{link.id}/het")
    assert "Cán bộ ở quầy đã kết thúc" in office.open("", f"/chup/{token}").text
    assert sent(office, token, photo()).status_code == 410

    token = handed_over(office, dossier)
    office.ask(centre.CLERK, "POST", f"/dossiers/{dossier}/close", json={"state": "cancelled", "reason": "Thử"})
    closed = office.open("", f"/chup/{token}")
    assert (closed.status_code, "không nhận thêm giấy tờ" in closed.text) == (410, True)
    assert came(office, dossier) == []


def test_ten_minutes_then_staff_may_add_ten_and_what_came_can_still_be_ended(office: Office) -> None:
    dossier, start = draft(office), utc_now() - timedelta(minutes=14)  # S3 servers bear a clock 15 minutes off
    with time_machine.travel(start, tick=True):
        token = handed_over(office, dossier)
        sent(office, token, photo())
    with office.services.begin() as work:
        (link,) = work.phone_links.open_of(uuid.UUID(dossier), now=start)
    with time_machine.travel(start + timedelta(minutes=10, seconds=30), tick=True):
        late = sent(office, token, photo())
        assert (late.status_code, "hết 10 phút" in late.text) == (410, True)
        page = office.open("", f"/chup/{token}")
        assert (page.status_code, "hết giờ chụp" in page.text) == (200, True)
        assert 'name="file"' not in page.text
        phone.extend(office.services.begin, link.dossier_id, link.id, by=_actor(office), now=utc_now())
        assert sent(office, token, photo()).status_code == 200
    with time_machine.travel(start + timedelta(minutes=22), tick=True):
        assert "Giấy này đã vào hồ sơ" in done(office, token).text
    with time_machine.travel(start + timedelta(minutes=31), tick=True):
        assert office.open("", f"/chup/{token}").status_code == 410
    assert papers(office, dossier)[0]["pages_total"] == 2


def _actor(office: Office, who: str = centre.CLERK) -> Any:
    with office.services.begin() as work:
        return work.accounts.of(who).actor


def test_whose_account_is_closed_their_telephones_are_strangers(own_office: Office) -> None:
    office = own_office
    dossier = draft(office)
    token = handed_over(office, dossier)
    with office.services.begin() as work:
        account = work.accounts.of(centre.CLERK)
        work.accounts.keep(replace(account, active=False))

    answer = sent(office, token, photo())

    assert (answer.status_code, "đã kết thúc" in answer.text) == (410, True)
    assert came(office, dossier) == []


def test_only_who_may_add_papers_opens_a_dossier_and_only_their_agencys(office: Office) -> None:
    dossier = draft(office)

    assert office.send(centre.LEADER, f"/ho-so/{dossier}/dien-thoai").status_code == 403
    assert office.send(centre.CLERK, f"/ho-so/{uuid.uuid4()}/dien-thoai").status_code == 404
    token, other = handed_over(office, dossier), draft(office)
    with office.services.begin() as work:
        (link,) = work.phone_links.open_of(uuid.UUID(dossier), now=utc_now())
    assert office.send(centre.CLERK, f"/ho-so/{other}/dien-thoai/{link.id}/het").status_code == 404
    assert office.open("", f"/chup/{token}").status_code == 200


def test_the_address_opens_from_a_camera_or_a_message_but_no_other_site_changes_anything(office: Office) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)

    for site in ("none", "cross-site", "same-origin"):
        assert office.open("", f"/chup/{token}", headers={"sec-fetch-site": site}).status_code == 200
    foreign = office.send("", f"/chup/{token}/xong", {"kind": ""}, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403


def test_the_page_tells_nothing_of_the_dossier(office: Office) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)
    sent(office, token, photo())
    done(office, token)
    code = office.ask(centre.CLERK, "GET", f"/dossiers/{dossier}").json()["code"]

    for path in (f"/chup/{token}", f"/chup/{token}/tinh-trang"):
        shown = office.open("", path).text
        assert "Nguyễn" not in shown
        assert code not in shown
        assert dossier not in shown


class Program:
    """The telephone's script: tus, with the link's secret."""

    def __init__(self, office: Office, token: str) -> None:
        self._client, self._token = office.client, token

    def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        headers = {**TUS, "authorization": f"Bearer {phone.TOKEN_HEAD}{self._token}", **more.pop("headers", {})}
        return self._client.request(method, f"/api/v1{path}", headers=headers, **more)

    def announce(self, picture: bytes, **said: str) -> httpx2.Response:
        said = {"filename": "image.jpg", "sha256": hashlib.sha256(picture).hexdigest(), **said}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
        return self.ask("POST", "/parcels", headers={"upload-length": str(len(picture)), "upload-metadata": metadata})

    def send(self, where: str, part: bytes, start: int) -> httpx2.Response:
        headers = {"content-type": "application/offset+octet-stream", "upload-offset": str(start)}
        return self.ask("PATCH", where, content=part, headers=headers)


def test_a_picture_goes_on_where_the_line_broke_and_the_script_may_do_nothing_else(office: Office) -> None:
    dossier, other, picture = draft(office), draft(office), photo()
    program = Program(office, handed_over(office, dossier))
    where = program.announce(picture, dossier=other, kind="x", folder="y").headers["location"].removeprefix("/api/v1")
    assert program.send(where, picture[:5000], 0).status_code == 204
    assert program.announce(picture).headers["upload-offset"] == "5000", "the same picture is found again"
    assert program.send(where, picture[5000:], 5000).status_code == 204
    receipt = program.ask("GET", where).json()

    assert (receipt["state"]["code"], receipt["dossier"], receipt["dossier_id"]) == ("collected", None, None)
    assert len(waiting(office, dossier)) == 1
    assert came(office, other) == []
    for method, path in (("GET", f"/dossiers/{dossier}"), ("GET", "/session"), ("POST", f"{where}/attach")):
        assert program.ask(method, path, json={"dossier": "x"} if method == "POST" else None).status_code == 401
    stranger = Program(office, handed_over(office, other))
    assert stranger.ask("GET", where).status_code == 404
    assert stranger.ask("DELETE", where).status_code == 404
    assert Program(office, "abcd").announce(picture).status_code == 410
    colleague = office.ask(centre.CLERK, "GET", where).json()
    assert colleague["dossier_id"] == dossier


def test_the_secret_is_in_no_log_and_no_table(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)
    sent(office, token, photo())
    Program(office, token).announce(photo())
    done(office, token)
    said = "".join(capsys.readouterr())

    assert "/chup/{token}/anh" in said
    bare = token.replace("-", "")
    assert token not in said
    assert bare not in said
    with office.services.begin() as work:
        (link,) = work.phone_links.open_of(uuid.UUID(dossier), now=utc_now())
    assert link.token_sha256 == hashlib.sha256(bare.encode()).hexdigest()
    assert bare not in repr(link)


def test_a_link_brings_only_so_many_pictures(office: Office) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)
    program, picture = Program(office, token), photo()
    for number in range(MOST_PICTURES):
        assert program.announce(picture + bytes([number])).status_code == 201

    assert program.announce(picture).status_code == 422
    answer = sent(office, token, picture)
    assert (answer.status_code, f"chỉ nhận {MOST_PICTURES} ảnh" in answer.text) == (422, True)


def test_what_a_telephone_left_waits_in_the_tray_and_the_dossier_isn_t_received_without_it(office: Office) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)
    sent(office, token, photo())
    sent(office, token, photo())
    with office.services.begin() as work:
        (link,) = work.phone_links.open_of(uuid.UUID(dossier), now=utc_now())
        rows = work.procedures.of(PROCEDURE).components
    for row in rows:
        if row.required:
            file = {"file": ("a.pdf", as_bytes(sheet((str(uuid.uuid4()),)), "PDF"), "application/pdf")}
            office.send(centre.CLERK, f"/ho-so/{dossier}/giay-to", {"kind": row.code}, files=file)
    phone.end(office.services.begin, link.dossier_id, link.id, by=_actor(office), now=utc_now())

    tray = office.open(centre.CLERK, f"/ho-so/{dossier}").text
    assert "2 ảnh đã nhận" in tray
    assert "chưa ghép thành giấy" in tray
    assert dossier in office.open(centre.CLERK, "/hop-nhan").text
    refused = office.send(centre.CLERK, f"/ho-so/{dossier}/tiep-nhan")
    assert (refused.status_code, "Còn ảnh từ điện thoại" in refused.text) == (422, True)
    first, _ = waiting(office, dossier)
    shown = office.open(centre.CLERK, f"/ho-so/{dossier}/dien-thoai/anh/{first.id}")
    assert hashlib.sha256(shown.content).hexdigest() == first.sha256
    office.send(centre.CLERK, f"/ho-so/{dossier}/dien-thoai/anh/{first.id}/bo")
    assert len(waiting(office, dossier)) == 1
    made = office.send(centre.CLERK, f"/ho-so/{dossier}/dien-thoai/ghep", {"kind": rows[0].code})
    assert "Đã ghép ảnh thành một giấy." in made.text
    gone = [picture for picture in came(office, dossier) if picture.state is ParcelState.TAKEN]
    for picture in gone:  # it is looked at as the paper it is part of
        assert office.open(centre.CLERK, f"/ho-so/{dossier}/dien-thoai/anh/{picture.id}").status_code == 404
    assert gone
    assert office.send(centre.CLERK, f"/ho-so/{dossier}/dien-thoai/ghep", {"kind": rows[0].code}).status_code == 422
    assert office.send(centre.CLERK, f"/ho-so/{dossier}/tiep-nhan").status_code == 200


def test_a_picture_that_was_no_good_is_taken_out_on_the_telephone_and_kept(office: Office) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)
    sent(office, token, photo())
    (picture,) = waiting(office, dossier)

    assert "0 ảnh đã nhận" in office.send("", f"/chup/{token}/anh/{picture.id}/bo").text
    assert office.send("", f"/chup/{token}/anh/{picture.id}/bo").status_code == 409
    assert office.send("", f"/chup/{token}/anh/{uuid.uuid4()}/bo").status_code == 404
    assert "Chưa nhận ảnh nào" in done(office, token).text
    (kept,) = came(office, dossier)
    assert (kept.state, kept.file) == (ParcelState.SET_ASIDE, picture.file)


def test_the_service_s_own_look_is_told_on_the_telephone(office: Office) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)
    page = on_a_table(sheet(dpi=150))
    blurred = Image.fromarray(page.pixels).filter(ImageFilter.GaussianBlur(6))
    buffer = io.BytesIO()
    blurred.save(buffer, "JPEG")
    sent(office, token, buffer.getvalue())
    done(office, token)
    office.work_off("look")

    assert "Ảnh 1: " in office.open("", f"/chup/{token}/tinh-trang").text
    assert "mờ" in office.open("", f"/chup/{token}/tinh-trang").text


def test_a_lost_code_is_over_when_the_next_is_shown_unless_a_telephone_uses_it(office: Office) -> None:
    dossier = draft(office)
    lost = handed_over(office, dossier)
    used = handed_over(office, dossier)

    assert office.open("", f"/chup/{lost}").status_code == 410
    assert office.open("", f"/chup/{used.upper().replace('-', '')}").status_code == 200, "typed by hand"
    handed_over(office, dossier)
    assert office.open("", f"/chup/{used}").status_code == 200


def test_heic_is_refused_in_words_that_tell_what_to_set(office: Office) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)
    page = sent(office, token, heic(), "IMG_0001.HEIC")
    assert page.status_code == 422
    assert "chọn Tương thích nhất" in page.text
    assert done(office, token).status_code == 422, "nothing was received"


def test_pages_keep_the_order_of_their_pictures_whatever_the_clocks_say(office: Office) -> None:
    dossier = draft(office)
    token = handed_over(office, dossier)
    pictures = [photo() for _ in range(3)]
    for picture, behind in zip(pictures, (0, 30, 60), strict=True):  # three machines, each less punctual than the last
        with time_machine.travel(utc_now() - timedelta(seconds=behind)):
            assert sent(office, token, picture).status_code == 200

    assert [one.sha256 for one in waiting(office, dossier)] == [hashlib.sha256(one).hexdigest() for one in pictures]
