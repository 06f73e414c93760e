"""Acceptance check 9: ten files and their ten sentences, through the public page, in both languages."""

from __future__ import annotations

import html
import re
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi.testclient import TestClient
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from api.demo import centre
from api.demo.story import altered
from dossiers.calendar import VIETNAM
from tests import attacks, signed_files
from tests.integration.test_api_e_results import SEAL_KEEPER, digitised_dossier, document, issued, ok
from tests.papers import page_pdf, scan_pdf

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    from tests.office import Office
    from tests.pki import Pki

#: By file: what surrounds it, then headline, reason and next step in Vietnamese and in English.
SENTENCES: dict[str, tuple[str, tuple[str, str, str], tuple[str, str, str]]] = {
    "genuine": (
        "good",
        (
            "TÀI LIỆU THẬT, CÒN HIỆU LỰC.",
            "Do {agency} phát hành ngày {issued_on}, số {genuine}. Nội dung không thay đổi từ khi ký.",
            "So với bản in nếu bạn cầm bản in.",
        ),
        (
            "GENUINE AND IN FORCE.",
            "Issued by {agency} on {issued_on}, number {genuine}. Unchanged since it was signed.",
            "Compare it with the print if you hold one.",
        ),
    ),
    "withdrawn": (
        "warn",
        (
            "THẬT, NHƯNG ĐÃ BỊ THU HỒI ngày {withdrawn_on}.",
            "Nội dung không thay đổi từ khi ký, nhưng {agency} đã thu hồi văn bản số {withdrawn}.",
            "Không dùng văn bản này nữa; hỏi cơ quan phát hành.",
        ),
        (
            "GENUINE, BUT WITHDRAWN on {withdrawn_on}.",
            "Unchanged since it was signed, but {agency} has withdrawn number {withdrawn}.",
            "Don't use it any more; ask the agency that issued it.",
        ),
    ),
    "superseded": (
        "warn",
        (
            "THẬT, NHƯNG ĐÃ BỊ THAY THẾ ngày {superseded_on}.",
            "Nội dung không thay đổi từ khi ký, nhưng văn bản số {superseded} đã được thay bằng văn bản số {genuine}.",
            "Dùng văn bản số {genuine}; lấy ở {agency}.",
        ),
        (
            "GENUINE, BUT SUPERSEDED on {superseded_on}.",
            "Unchanged since it was signed, but number {superseded} was replaced by number {genuine}.",
            "Use number {genuine}; {agency} has it.",
        ),
    ),
    "altered": (
        "bad",
        (
            "ĐÃ BỊ SỬA sau khi ký.",
            "Nội dung đã ký không còn nguyên vẹn.",
            "Đừng dùng tệp này. Hãy lấy lại bản gốc từ cơ quan phát hành, hoặc tra mã in trên văn bản.",
        ),
        (
            "ALTERED after it was signed.",
            "What was signed is no longer intact.",
            "Don't rely on this file. Get the original from the agency, or look up the code printed on it.",
        ),
    ),
    "page added": (
        "bad",
        (
            "ĐÃ BỊ SỬA sau khi ký.",
            "Có thứ được thêm vào sau khi cơ quan đã ký, ngoài bằng chứng thời gian.",
            "Đừng dùng tệp này. Hãy lấy lại bản gốc từ cơ quan phát hành, hoặc tra mã in trên văn bản.",
        ),
        (
            "ALTERED after it was signed.",
            "Something other than proof of time was added after the agency had signed.",
            "Don't rely on this file. Get the original from the agency, or look up the code printed on it.",
        ),
    ),
    "photo": (
        "unknown",
        (
            "KHÔNG CÓ CHỮ KÝ SỐ.",
            "Tệp này chưa được ký số, hoặc là bản chụp, bản in lại, bản lưu lại qua ứng dụng nhắn tin.",
            "Hãy quét mã QR hoặc nhập mã tra cứu in trên văn bản để xem bản gốc.",
        ),
        (
            "NO DIGITAL SIGNATURE.",
            "This file was never signed, or it is a picture, a print, or was saved again by a messaging app.",
            "Scan the QR code or enter the look-up code printed on the document to see the original.",
        ),
    ),
    "unknown signer": (
        "unknown",
        (
            "CHƯA XÁC NHẬN ĐƯỢC.",
            "Chữ ký còn nguyên vẹn, nhưng nơi cấp chứng thư không có trong danh sách tin cậy ở đây.",
            "Hãy kiểm tra ở nơi đã đăng ký nơi cấp này, hoặc hỏi cơ quan phát hành.",
        ),
        (
            "NOT CONFIRMED.",
            "The signature is intact, but its issuer is not among those trusted here.",
            "Check it where that issuer is registered, or ask the agency that issued the document.",
        ),
    ),
    "foreign": (
        "warn",
        (
            "CHỮ KÝ HỢP LỆ, NHƯNG KHÔNG DO TRUNG TÂM NÀY PHÁT HÀNH.",
            (
                "Nội dung không thay đổi từ khi ký. Sổ ở đây không biết văn bản này còn hiệu lực hay không. "
                "Người ký: {leader}."
            ),
            "Muốn biết còn hiệu lực hay không, hỏi cơ quan ghi trên văn bản.",
        ),
        (
            "THE SIGNATURE IS VALID, BUT THIS CENTRE DIDN'T ISSUE IT.",
            (
                "Unchanged since it was signed. The register here doesn't know whether it is still in force. "
                "Signed by: {leader}."
            ),
            "To learn whether it is in force, ask the agency named in it.",
        ),
    ),
    "copy": (
        "info",
        (
            "BẢN SAO ĐIỆN TỬ THẬT.",
            (
                "Đây là bản số hóa từ giấy tờ trong hồ sơ. Nội dung không thay đổi từ khi ký. Nó không phải là kết quả "
                "giải quyết. Người ký: {copied_by}."
            ),
            "Muốn lấy kết quả, dùng trang Tra cứu hồ sơ với hai mã trên giấy hẹn.",
        ),
        (
            "A GENUINE ELECTRONIC COPY.",
            (
                "A paper of a dossier, digitised. Unchanged since it was signed. It is not itself a result. "
                "Signed by: {copied_by}."
            ),
            "To get the result, use Find my dossier with both codes of the receipt.",
        ),
    ),
    "status unreachable": (
        "unknown",
        (
            "CHƯA XÁC NHẬN ĐƯỢC.",
            "Chữ ký còn nguyên vẹn, nhưng lúc này chưa biết chứng thư có bị thu hồi hay không.",
            "Hãy thử lại sau ít phút.",
        ),
        (
            "NOT CONFIRMED.",
            "The signature is intact, but whether a certificate was revoked can't be told now.",
            "Try again in a few minutes.",
        ),
    ),
}


def page_added(writer: attacks.Writer) -> None:
    """A second page behind the first, in a revision of its own."""
    pages = writer.root["/Pages"]
    old = pages["/Kids"][0]
    copy = generic.DictionaryObject({key: old.raw_get(key) for key in old if key not in ("/Contents", "/Annots")})
    copy[pdf_name("/Contents")] = writer.add_object(generic.StreamObject(stream_data=b"0 0 500 500 re f"))
    pages["/Kids"].append(writer.add_object(copy))
    pages["/Count"] = generic.NumberObject(len(pages["/Kids"]))
    writer.update_container(pages)


def said(office: Office, content: bytes, language: str) -> tuple[str, tuple[str, ...], str]:
    """Tone, the three sentences, and the whole page."""
    with closing(TestClient(office.client.app, client=("10.15.1.1", 50000))) as client:
        client.get(f"/ngon-ngu/{language}")
        page = client.post("/kiem-tra", files={"file": ("van-ban.pdf", content)}).text
    (tone,) = re.findall(r'<div class="verdict (\w+)">', page)
    (headline,) = re.findall(r"<h1>.*?<span>(.*?)</span></h1>", page, re.DOTALL)
    reason, next_step = re.findall(r'<p class="plainly">(.*?)</p>', page, re.DOTALL)
    sentences = (headline, reason, next_step.removeprefix("<strong>").removesuffix("</strong>"))
    return tone, tuple(html.unescape(sentence) for sentence in sentences), page


def day_of(at: datetime | None) -> str:
    assert at is not None
    return f"{at.astimezone(VIETNAM):%d/%m/%Y}"


def test_ten_files_get_their_ten_sentences(own_office: Office, pki: Pki, tmp_path: Path) -> None:
    office = own_office
    dossier = digitised_dossier(office)
    results: dict[str, Any] = {name: issued(office, dossier) for name in ("genuine", "withdrawn", "superseded")}
    body = {"reason": "Cấp nhầm"}
    ok(office.ask(centre.LEADER, "POST", f"/e-results/{results['withdrawn']['id']}/withdraw", json=body))
    body = {"replacement": results["genuine"]["id"], "reason": "Sai địa chỉ"}
    ok(office.ask(SEAL_KEEPER, "POST", f"/e-results/{results['superseded']['id']}/supersede", json=body))
    here = f"/dossiers/{dossier['id']}"
    component = ok(office.ask(centre.CLERK, "GET", here))["components"][0]
    leader = next(s.subject for s in centre.SIGNERS if s.username == centre.LEADER)

    def by_hand(name: str) -> bytes:
        stamp = office.pki.timestamper()
        target = tmp_path / f"{name}.pdf"
        return signed_files.signed_by_hand(
            office.pki, page_pdf("Văn bản nơi khác"), target, who=leader, timestamper=stamp
        ).read_bytes()

    genuine = document(office, results["genuine"])
    files = {name: document(office, result) for name, result in results.items()} | {
        "altered": altered(genuine),
        "page added": attacks.updated(genuine, page_added),
        "photo": scan_pdf("Ảnh chụp quyết định"),
        "unknown signer": signed_files.issued(pki, tmp_path).read_bytes(),
        "foreign": by_hand("foreign"),
        "copy": office.ask(centre.CLERK, "GET", f"{here}/components/{component['id']}/copy").content,
    }
    with office.services.begin() as work:
        kept = {name: work.e_results.for_job(UUID(result["id"])) for name, result in results.items()}
        agency = work.agencies.of(kept["genuine"].agency).name
    facts = {name: result["number"] for name, result in results.items()} | {
        "agency": agency,
        "leader": leader.name,
        "copied_by": agency,
        "issued_on": day_of(kept["genuine"].issued_at),
        "withdrawn_on": day_of(kept["withdrawn"].closed_at),
        "superseded_on": day_of(kept["superseded"].closed_at),
    }

    def holds(name: str, content: bytes) -> None:
        tone, *expected = SENTENCES[name]
        for language, sentences in zip(("vi", "en"), expected, strict=True):
            shown, told, page = said(office, content, language)
            assert (shown, told) == (tone, tuple(one.format_map(facts) for one in sentences)), (name, language)
            if tone in ("unknown", "bad"):
                assert '<li class="good">' not in page, (name, language)

    for name, content in files.items():
        holds(name, content)

    # The trust service is switched off, and what it last said is no longer there: nobody tells who was revoked.
    unreachable = by_hand("unreachable")
    office.pki.stop()
    with office.services.database._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM crls")
        connection.exec_driver_sql("DELETE FROM ocsp_answers")
    holds("status unreachable", unreachable)
    assert len(SENTENCES) == len(files) + 1 == 10
