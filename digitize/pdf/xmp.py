"""What a PDF says of itself in its metadata: what kind of file it is, and the facts of the paper it was made from.

The facts of the paper stand in a schema of our own, which the file itself describes: without a description PDF/A allows
no property that others don't know (ISO 19005-2, 6.6.2.3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING

from digitize.words.vietnamese import nfc

if TYPE_CHECKING:
    from datetime import datetime

PRODUCER = "Hồ sơ số"

_NAMESPACE = "urn:x-hoso:paper:1#"
_PREFIX = "giayto"
#: What XML 1.0 allows nowhere, not even escaped (section 2.2, Char).
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class PaperFacts:
    """What is known of the paper, each "" when it isn't.

    The record of Circular 01/2023, art. 9, and the mark of conversion of Decree 137/2024, art. 4.

    Attributes:
        dossier_code: Of the dossier it lies in.
        component_name: What the dossier's checklist calls it.
        document_type: "Quyết định", "Giấy phép", …
        number_symbol: For instance "15/QĐ-UBND".
        issued_on: ISO date.
        agency: Who issued it.
        scan_sha256: Of the untouched scan, lower-case hex.
        converted_by: Full name of whoever scanned it.
        converted_at: ISO time with its zone.
        conversion_mark: The words that say that it was made from paper.
    """

    dossier_code: str = ""
    component_name: str = ""
    document_type: str = ""
    number_symbol: str = ""
    issued_on: str = ""
    agency: str = ""
    scan_sha256: str = ""
    converted_by: str = ""
    converted_at: str = ""
    conversion_mark: str = ""


_MEANINGS = {
    "dossier_code": "Mã hồ sơ; code of the dossier",
    "component_name": "Tên thành phần hồ sơ; name of the component",
    "document_type": "Tên loại văn bản; type of document",
    "number_symbol": "Số, ký hiệu; number and symbol",
    "issued_on": "Ngày ban hành; date of issue",
    "agency": "Cơ quan ban hành; issuing body",
    "scan_sha256": "SHA-256 của tệp quét gốc; of the untouched scan",
    "converted_by": "Người chuyển đổi; who converted it",
    "converted_at": "Thời điểm chuyển đổi; when it was converted",
    "conversion_mark": "Dấu hiệu chuyển đổi từ văn bản giấy; mark of conversion",
}


def packet(title: str, notice: str | None, created_at: datetime, facts: PaperFacts | None = None) -> bytes:
    """The metadata stream of a PDF/A-2u.

    Args:
        title: NFC.
        notice: What kind of copy this is.
        created_at: In UTC.
        facts: Of the paper; those that are "" are left out.

    A blank stands for each character that XML doesn't have.
    """
    when = created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    known = {field.name: nfc(getattr(facts, field.name)) for field in fields(PaperFacts)} if facts else {}
    known = {name: value for name, value in known.items() if value}
    description = f"<dc:description>{_words(notice)}</dc:description>" if notice else ""
    own = "".join(f"<{_PREFIX}:{name}>{_escaped(value)}</{_PREFIX}:{name}>\n" for name, value in known.items())
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" \
xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:{_PREFIX}="{_NAMESPACE}">
<dc:format>application/pdf</dc:format>
<dc:title>{_words(title)}</dc:title>
<dc:language><rdf:Bag><rdf:li>vi</rdf:li></rdf:Bag></dc:language>
{description}
<pdf:Producer>{escape(PRODUCER)}</pdf:Producer>
<xmp:CreateDate>{when}</xmp:CreateDate>
<xmp:ModifyDate>{when}</xmp:ModifyDate>
<pdfaid:part>2</pdfaid:part>
<pdfaid:conformance>U</pdfaid:conformance>
{own}</rdf:Description>
{_described(known) if known else ""}</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()


def _escaped(text: str) -> str:
    """Fit for XML; a blank stands for each character that it doesn't have."""
    return escape(_NO_CHARACTER.sub(" ", text))


def _words(text: str) -> str:
    return f'<rdf:Alt><rdf:li xml:lang="x-default">{_escaped(text)}</rdf:li></rdf:Alt>'


def _described(known: dict[str, str]) -> str:
    """Our schema, in the words that PDF/A gives for describing one."""
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{escape(_MEANINGS[name])}</pdfaProperty:description></rdf:li>\n"
        for name in known
    )
    return f"""<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" \
xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Giấy tờ được số hóa; digitised paper</pdfaSchema:schema>
<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>{_PREFIX}</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>
{properties}</rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
"""
