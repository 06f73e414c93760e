"""Signed PDFs to judge, made with our own tools, and by hand where our tools would refuse."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner

from signing.prepare import add_fields
from signing.sign import sign
from signing.templates import render
from tests.pki import LEADER, SEAL

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pyhanko.sign.timestamps import TimeStamper

    from api.demo.trust_service import DemoSubject
    from tests.pki import Pki

DECISION: dict[str, Any] = {
    "parent_name": "Ủy ban nhân dân tỉnh Quảng Ninh",
    "agency_name": "Trung tâm Phục vụ hành chính công",
    "place": "Quảng Ninh",
    "symbol": "QĐ-TTPVHCC",
    "number": 5,
    "dated": "2026-02-03",
    "subject": "Về việc chấp thuận đăng ký hộ kinh doanh Nguyễn Văn An",
    "authority": "Giám đốc Trung tâm Phục vụ hành chính công tỉnh Quảng Ninh",
    "bases": ["Căn cứ Luật Tổ chức chính quyền địa phương", "Theo đề nghị của Trưởng phòng"],
    "articles": ["Chấp thuận đăng ký của ông Nguyễn Văn An.", "Quyết định này có hiệu lực kể từ ngày ký."],
    "signer_title": "Giám đốc",
    "signer_name": "Trần Thị Bình",
    "recipients": ["Như Điều 1"],
}


def leader_signed(pki: Pki, folder: Path, **choices: Any) -> Path:
    """A result with the leader's signature only, ready for the seal."""
    rendered = render("decision", DECISION)
    plain, prepared, target = folder / "plain.pdf", folder / "prepared.pdf", folder / "leader.pdf"
    plain.write_bytes(rendered.pdf)
    add_fields(plain, prepared, rendered.places)
    given = {"timestamper": pki.timestamper(), "trust": pki.store(), "key": pki.key(LEADER)} | choices
    sign(prepared, target, place=rendered.places[0], **given)
    return target


def issued(pki: Pki, folder: Path, *, at: datetime | None = None, **choices: Any) -> Path:
    """An e-result as the citizen gets it: leader B-LT, seal B-LTA."""
    given: dict[str, Any] = {"timestamper": pki.timestamper(at=at), "trust": pki.store(at=at), "at": at} | choices
    source = leader_signed(pki, folder, **given)
    target = folder / "issued.pdf"
    places = render("decision", DECISION).places
    sign(source, target, place=places[1], key=pki.key(SEAL), **given)
    return target


def signed_by_hand(
    pki: Pki,
    source: bytes,
    target: Path,
    *,
    who: DemoSubject,
    field: str = "Signature1",
    digest: str = "sha256",
    timestamper: TimeStamper | None = None,
    prefer_pss: bool = False,
) -> Path:
    """An approval signature with whatever certificate and algorithm, as other systems make them."""
    p12, passphrase = pki.trust.p12(who.id)
    signer = SimpleSigner.load_pkcs12(str(p12), passphrase=passphrase.read_bytes(), prefer_pss=prefer_pss)
    metadata = PdfSignatureMetadata(field_name=field, md_algorithm=digest, subfilter=SigSeedSubFilter.PADES)
    hand = PdfSigner(metadata, signer, timestamper=timestamper, new_field_spec=SigFieldSpec(field))
    target.write_bytes(hand.sign_pdf(IncrementalPdfFileWriter(BytesIO(source))).getbuffer())
    return target
