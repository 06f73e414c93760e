"""Signing with the signer's own token, at the HTTP edge: links, and the desktop tool's own words."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Base64Bytes, BaseModel, Field

from api.schemas.common import Labelled
from dossiers.digests import DigestHandedOut
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

    @staticmethod
    def of(handed_out: HandedOut) -> CertificateOut:
        """As on record."""
        record = handed_out.certificate
        return CertificateOut(
            subject=record.subject,
            issuer=record.issuer,
            serial=record.serial,
            sha256=record.sha256,
            valid_to=record.valid_to,
            status_known=handed_out.status_known,
        )


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
        link = handed_out.link
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
            certificate=CertificateOut.of(handed_out),
            command=COMMANDS[link.place],
            parameters={
                "FileUploadHandler": upload_url,
                "SessionId": "",
                "JWTToken": "",
                "FileName": document_url,
                "MetaData": [],
            },
        )


class DigestAsked(BaseModel):
    """What the device can do. `padding` is for RSA keys: `pss`, or `pkcs1` where the device knows PKCS#1 v1.5 alone."""

    padding: Literal["pss", "pkcs1"] = "pss"


class DigestOut(BaseModel):
    """What the signer's device is to sign, for `place` of this very document, until `expires_at`.

    Sign `digest` (SHA-256 of `data`, both base64) as `algorithm` says: `rsassa_pss` (salt of 32 bytes, MGF1 with
    SHA-256), `sha256_rsa` (PKCS#1 v1.5 over the DigestInfo), `sha256_ecdsa`. A device that hashes by itself is given
    `data`, the signed attributes in DER (RFC 5652, 5.4). The signature goes to
    `/e-results/{e_result_id}/digests/{token}`.
    """

    id: UUID
    token: str
    e_result_id: UUID
    place: str
    document_sha256: str
    digest: str
    digest_algorithm: str
    data: str
    algorithm: str
    expires_at: datetime
    certificate: CertificateOut

    @staticmethod
    def of(out: DigestHandedOut) -> DigestOut:
        """As made; the only time that the token is told."""
        link = out.handed_out.link
        return DigestOut(
            id=link.id,
            token=out.handed_out.token,
            e_result_id=link.e_result_id,
            place=link.place.value,
            document_sha256=link.document.sha256,
            digest=base64.b64encode(out.prepared.digest).decode(),
            digest_algorithm="sha256",
            data=base64.b64encode(out.prepared.data).decode(),
            algorithm=out.prepared.algorithm,
            expires_at=link.expires_at,
            certificate=CertificateOut.of(out.handed_out),
        )


class SignatureIn(BaseModel):
    """What the device gave: the raw signature, base64; ECDSA in DER or as r and s side by side."""

    signature: Base64Bytes = Field(max_length=4096)


class SignatureTaken(BaseModel):
    """The signature is in the document, which is kept and gets its timestamp; sent again, it is answered the same."""

    e_result_id: UUID
    message: str


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
