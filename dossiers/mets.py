"""A dossier as archives describe it: METS for the files, the fields of Decree 30/2020, Appendix VI, PREMIS events.

Source: https://www.loc.gov/standards/mets/ (1.12.1), https://www.loc.gov/standards/premis/v3/, and the dossier's fields
of Appendix VI: FileCode, Title, Maintenance, Rights, Language, StartDate, EndDate, DocTotal, PageTotal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dossiers.archive import File

_METS = "http://www.loc.gov/METS/"
_XLINK = "http://www.w3.org/1999/xlink"
_PREMIS = "http://www.loc.gov/premis/v3"
_FIELDS = "urn:vn:nd30-2020:phu-luc-6"
_GROUPS = {
    "ket-qua": "kết quả",
    "ban-so-hoa": "bản số hóa",
    "ban-quet": "bản quét",
    "tim-duoc-chu": "bản tìm được chữ",
    "trang": "trang",
    "khac": "khác",
}

for _prefix, _uri in (("mets", _METS), ("xlink", _XLINK), ("premis", _PREMIS), ("vb", _FIELDS)):
    ET.register_namespace(_prefix, _uri)


def document(rows: Mapping[str, Sequence[Mapping[str, Any]]], files: Sequence[File]) -> bytes:
    """The METS document of a dossier's rows and files."""
    (dossier,) = rows["dossiers"]
    (procedure,) = rows["procedures"]
    root = ET.Element(
        f"{{{_METS}}}mets",
        {"OBJID": f"urn:uuid:{dossier['id']}", "LABEL": dossier["code"], "TYPE": "hồ sơ thủ tục hành chính"},
    )
    about = _wrapped(root, "dmdSec", "dmd-1", "OTHER", "NĐ 30/2020 Phụ lục VI")
    fields = {
        "FileCode": dossier["code"],
        "Title": procedure["name"],
        "ProcedureCode": procedure["code"],
        "Language": "vie",
        "StartDate": (dossier["received_at"] or dossier["opened_at"])[:10],
        "EndDate": (dossier["finished_at"] or "")[:10],
        "DocTotal": str(len(rows["components"]) + len(rows["e_results"])),
        "PageTotal": str(len(rows["pages"])),
    }
    for name, value in fields.items():
        ET.SubElement(about, f"{{{_FIELDS}}}{name}").text = value
    amd = ET.SubElement(root, f"{{{_METS}}}amdSec", {"ID": "amd-1"})
    for number, line in enumerate(rows["audit"], start=1):
        event = _wrapped(amd, "digiprovMD", f"event-{number}", "PREMIS:EVENT", "")
        _event(event, line)
    sections = ET.SubElement(root, f"{{{_METS}}}fileSec")
    structure = ET.SubElement(root, f"{{{_METS}}}structMap", {"TYPE": "LOGICAL"})
    top = ET.SubElement(structure, f"{{{_METS}}}div", {"LABEL": dossier["code"], "DMDID": "dmd-1"})
    for group, label in _GROUPS.items():
        those = [(n, file) for n, file in enumerate(files, start=1) if file.path.partition("/")[0] == group]
        if not those:
            continue
        section = ET.SubElement(sections, f"{{{_METS}}}fileGrp", {"USE": label})
        division = ET.SubElement(top, f"{{{_METS}}}div", {"LABEL": label})
        for number, file in those:
            facts = {
                "ID": f"file-{number}",
                "MIMETYPE": file.key.media_type,
                "SIZE": str(file.key.size),
                "CHECKSUM": file.key.sha256,
                "CHECKSUMTYPE": "SHA-256",
            }
            held = ET.SubElement(section, f"{{{_METS}}}file", facts)
            ET.SubElement(held, f"{{{_METS}}}FLocat", {"LOCTYPE": "URL", f"{{{_XLINK}}}href": file.path})
            ET.SubElement(division, f"{{{_METS}}}fptr", {"FILEID": f"file-{number}"})
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _wrapped(parent: ET.Element, section: str, named: str, kind: str, other: str) -> ET.Element:
    held = ET.SubElement(parent, f"{{{_METS}}}{section}", {"ID": named})
    facts = {"MDTYPE": kind} | ({"OTHERMDTYPE": other} if other else {})
    wrap = ET.SubElement(held, f"{{{_METS}}}mdWrap", facts)
    return ET.SubElement(wrap, f"{{{_METS}}}xmlData")


def _event(parent: ET.Element, line: Mapping[str, Any]) -> None:
    event = ET.SubElement(parent, f"{{{_PREMIS}}}event")
    identifier = ET.SubElement(event, f"{{{_PREMIS}}}eventIdentifier")
    ET.SubElement(identifier, f"{{{_PREMIS}}}eventIdentifierType").text = "SHA-256"
    ET.SubElement(identifier, f"{{{_PREMIS}}}eventIdentifierValue").text = line["hash"]
    ET.SubElement(event, f"{{{_PREMIS}}}eventType").text = line["event"]
    ET.SubElement(event, f"{{{_PREMIS}}}eventDateTime").text = line["at"]
    agent = ET.SubElement(event, f"{{{_PREMIS}}}linkingAgentIdentifier")
    ET.SubElement(agent, f"{{{_PREMIS}}}linkingAgentIdentifierType").text = "username"
    ET.SubElement(agent, f"{{{_PREMIS}}}linkingAgentIdentifierValue").text = line["actor"]
