"""Signing with the signer's own token, at the HTTP edge: links, and the desktop tool's own words."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from api.schemas.common import Labelled
from dossiers.own_token import HandedOut, SigningLink
from signing.types import Place

#: What the desktop tool is asked to do, as it names it: the last part of its WebSocket's address.
COMMANDS = {Place.LEADER: "SignApproved", Place.SEAL: "SignIssued"}


class CertificateOut(BaseModel):
    """The certificate whose signature is expected. `status_known` is False where no revocation list speaks for it."""

    subject: str
    issuer: str
    serial: str
    sha256: str
    valid_to: datetime
    status_known: bool


class SigningLinkOut(BaseModel):
    """A document given out to be signed: two addresses that need no sign-in and end at `expires_at`.

    `parameters` are what a desktop tool is told, over its WebSocket, under `command`.
    """

    id: UUID
    e_result_id: UUID
    place: str
    document_url: str
    upload_url: str
    document_sha256: str
    document_size: int
    expires_at: datetime
    certificate: CertificateOut
    command: str
    parameters: dict[str, Any]

    @staticmethod
    def of(handed_out: HandedOut, base_url: str, filename: str) -> SigningLinkOut:
        """As made; `base_url` is where the tool reaches us."""
        link, record = handed_out.link, handed_out.certificate
        here = f"{base_url}/api/v1/signing-links/{handed_out.token}"
        document_url, upload_url = f"{here}/{filename}", f"{here}/signed"
        return SigningLinkOut(
            id=link.id,
            e_result_id=link.e_result_id,
            place=link.place.value,
            document_url=document_url,
            upload_url=upload_url,
            document_sha256=link.document.sha256,
            document_size=link.document.size,
            expires_at=link.expires_at,
            certificate=CertificateOut(
                subject=record.subject,
                issuer=record.issuer,
                serial=record.serial,
                sha256=record.sha256,
                valid_to=record.valid_to,
                status_known=handed_out.status_known,
            ),
            command=COMMANDS[link.place],
            parameters={
                "FileUploadHandler": upload_url,
                "SessionId": "",
                "JWTToken": "",
                "FileName": document_url,
                "MetaData": [],
            },
        )


class SigningLinkStateOut(BaseModel):
    """What became of the last link of a result; `refusal` says why the last file that came back wasn't taken."""

    id: UUID
    place: str
    made_at: datetime
    expires_at: datetime
    fetched_at: datetime | None
    returned_at: datetime | None
    refusal: Labelled | None
    refused_at: datetime | None
    refusals: int

    @staticmethod
    def of(link: SigningLink, vi: str, en: str) -> SigningLinkStateOut:
        """As kept, with the words for its refusal."""
        return SigningLinkStateOut(
            id=link.id,
            place=link.place.value,
            made_at=link.made_at,
            expires_at=link.expires_at,
            fetched_at=link.fetched_at,
            returned_at=link.returned_at,
            refusal=Labelled(code=link.refusal, vi=vi, en=en) if link.refusal else None,
            refused_at=link.refused_at,
            refusals=link.refusals,
        )


class ToolAnswer(BaseModel):
    """What a desktop tool expects of an upload, in its own spelling. Status 0 is the only one that means done."""

    Status: int
    Message: str
    FileName: str
    FileServer: str
